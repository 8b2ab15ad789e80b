"""Every lab keeps its promises: the solution is worth 100, the skeleton nearly nothing, each check rests on the
handout."""

from __future__ import annotations

import functools
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grading import OURS, Graded, complete_labs, grade, only_file
from looplab.course.lab import Lab
from looplab.teaching import lab_rules
from looplab.teaching.lab_rules import RULES
from variants import ALL

LABS, BEGUN = complete_labs()
each_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)


def test_ours_are_there():
    assert set(OURS) <= {lab.slug for lab in LABS}


@pytest.mark.parametrize("slug", BEGUN)
def test_begun(slug):
    pytest.skip(f"labs/{slug} is not complete: it needs its C file, contract, test_visible.py and solution")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.find.__name__.strip("_"))
@each_lab
def test_a_lab_keeps_each_rule(lab, rule):
    """What `make check-lab` asks of the files of any lab (grader/looplab/teaching/lab_rules.py)."""
    assert [str(wrong) for wrong in rule.wrongs(lab)] == []


# ---- Scores ---------------------------------------------------------------------------------


SEEDS = (7, 999999) if ALL else (7,)
DESIGNS = [(lab, lab_rules.alternatives(lab)) for lab in LABS]
RIGHT = [(lab, lab.solution / lab.source, seed) for lab in LABS for seed in SEEDS]
RIGHT += [(lab, file, 11) for lab, files in DESIGNS
          for file in (files if ALL else files[-1:] if lab in LABS[1::2] else [])]
"""Of the right ones of another design one in every other lab; with ALL=1 all of them, and each solution with a second
seed. (test_corpus.py has more of them.)"""


def name_of(right: tuple[Lab, Path, int]) -> str:
    lab, file, seed = right
    return f"{lab.slug[:2]}-{'solution' if file.parent == lab.solution else file.stem}-{seed}"


@pytest.fixture(scope="module")
def gradings(request, tmp_path_factory):
    """A future for each right program that this session tests, two at a time."""
    out = tmp_path_factory.mktemp("right")
    wanted = [item.callspec.params["right"] for item in request.session.items
              if item.path == request.path and "gradings" in item.fixturenames]

    def grade_it(right: tuple[Lab, Path, int]) -> Graded:
        lab, file, seed = right
        folder = out / name_of(right)
        return grade(lab, only_file(lab, file, folder / "mine"), folder / "out", seed)

    with ThreadPoolExecutor(1 if "PYTEST_XDIST_WORKER" in os.environ else 2) as pool:
        futures = {right: pool.submit(grade_it, right) for right in wanted}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("right", RIGHT, ids=name_of)
def test_a_right_program_scores_100(gradings, right):
    """The reference solution, and right ones of another design."""
    graded = gradings[right].result()
    assert [str(wrong) for wrong in lab_rules.of_right(name_of(right), graded.result)] == [] and graded.code == 0


@functools.lru_cache(None)
def skeleton(slug: str) -> Graded:
    lab = next(lab for lab in LABS if lab.slug == slug)
    with tempfile.TemporaryDirectory() as out:
        return grade(lab, lab.folder, Path(out))


@each_lab
def test_skeleton_scores_little_and_is_told_what_to_do(lab):
    graded = skeleton(lab.slug)
    assert graded.code == 1
    assert [str(wrong) for wrong in lab_rules.of_skeleton(lab, graded.result, graded.card)] == []


@each_lab
def test_points_add_up(lab):
    assert [str(wrong) for wrong in lab_rules.of_points(lab, skeleton(lab.slug).result)] == []
