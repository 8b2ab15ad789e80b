"""Every lab keeps its promises: the solution is worth 100, the skeleton nearly nothing, each check rests on the
handout."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grading import ROOT, Graded, complete_labs, grade, only_file
from looplab.course.lab import Lab
from looplab.running.build import compiler
from variants import ALL

LABS, BEGUN = complete_labs()
ALTERNATIVES = [(lab, file) for lab in LABS
                for file in sorted((ROOT / "grader/tests/alternatives" / lab.slug).glob("*.c"))]
HANDOUT = ["the questions", "what you will be able", "predict the timeline", "run the reference", "build", "check",
           "stretch goals",
           "key points", "where asyncio differs"]
# a function that a header declares
CONTRACT_KEEPS = re.compile(r"^(?!static|typedef|#)[a-z][\w *]*?\b(\w+)\(", re.M)

each_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)


@pytest.mark.parametrize("slug", BEGUN)
def test_begun(slug):
    pytest.skip(f"labs/{slug} is not complete: it needs its C file, contract, test_visible.py and solution")


def files_of_checks(lab: Lab) -> list[Path]:
    return [lab.folder / "test_visible.py", *sorted(lab.hidden.glob("test_*.py"))]


@functools.lru_cache(None)
def checks(file: Path) -> dict[str, str]:
    """Each check of a file and its title."""
    return {node.name: (ast.get_docstring(node) or "").split("\n\n")[0] for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def visible(lab: Lab) -> dict[str, str]:
    return checks(lab.folder / "test_visible.py")


def hidden(lab: Lab) -> dict[str, str]:
    return {name: title for file in sorted(lab.hidden.glob("test_*.py")) for name, title in checks(file).items()}


def words(text: str) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(text.split())


def handout(lab: Lab) -> str:
    return (lab.folder / "README.md").read_text()


def requirements(lab: Lab) -> dict[int, str]:
    """The numbered paragraphs of "What your functions must do" (lab 06: "What your suite must do")."""
    parts = re.split(r"^### What your \w+ must do$", handout(lab), flags=re.M)
    assert len(parts) == 2, "the handout has one section 'What your … must do'"
    return {int(number): words(text) for number,
            text in re.findall(r"^(\d+)\. (.*(?:\n {3,}.*|\n)*)", parts[1].split("\n## ")[0], re.M)}


def numbers_of(title: str) -> set[int]:
    """The requirements that a check's title names: those of "It waits (3, 7)"."""
    found = re.search(r"\((\d+(?:, \d+)*)\)\.?$", title)
    return {int(number) for number in found[1].split(", ")} if found else set()


# ---- Scores ---------------------------------------------------------------------------------


SEEDS = (7, 999999) if ALL else (7,)
DESIGNS = [(lab, [file for of, file in ALTERNATIVES if of == lab]) for lab in LABS]
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
    assert (graded.score, graded.result["max_score"], graded.code) == (100, 100, 0), graded.lost()


@each_lab
def test_there_are_alternatives(lab):
    assert len([source for of, source in ALTERNATIVES if of == lab]) >= 3


@functools.lru_cache(None)
def skeleton(slug: str) -> Graded:
    lab = next(lab for lab in LABS if lab.slug == slug)
    with tempfile.TemporaryDirectory() as out:
        return grade(lab, lab.folder, Path(out))


@each_lab
def test_skeleton_scores_little_and_is_told_what_to_do(lab):
    graded = skeleton(lab.slug)
    assert graded.code == 1 and graded.result["status"] == "graded" and 0 <= graded.score <= 15
    failed = [check for check in graded.result["checks"] if check["status"] == "failed"]
    assert failed
    for check in failed:
        assert re.search(r"TODOs? \d",
                         check["message"]), f"{check['id']} does not say where to begin:\n{check['message']}"
    for check in graded.result["checks"]:
        assert check["status"] != "skipped" or "needs" in check["message"], check["id"]
    assert "TODO 1" in graded.card


@each_lab
def test_points_add_up(lab):
    result = skeleton(lab.slug).result
    assert sum(check["max_score"] for check in result["checks"]) == 100 and all(check["max_score"] > 0
                                                                                for check in result["checks"])
    assert {check["id"].split("[")[0] for check in result["checks"]} == set(visible(lab)) | set(hidden(lab))
    assert {check["category"] for check in result["checks"]} >= {"correctness", "robustness", "coverage"}


@each_lab
def test_names_of_checks_are_unique(lab):
    names = [name for file in files_of_checks(lab) for name in checks(file)]
    assert len(names) == len(set(names)) and hidden(lab)


# ---- The handout ----------------------------------------------------------------------------


@each_lab
def test_handout_has_the_parts_in_their_order(lab):
    headings = [line[3:].lower() for line in handout(lab).splitlines() if line.startswith("## ")]
    places = [next(i for i, heading in enumerate(headings) if heading.startswith(start)) for start in HANDOUT]
    assert places == sorted(places)
    assert "**Time it takes:**" in handout(lab)
    assert "](timeline.md)" in handout(lab) and (lab.folder / "timeline.md").exists()


@each_lab
def test_links_of_the_handout_lead_somewhere(lab):
    for file in sorted(lab.folder.glob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", file.read_text()):
            assert (lab.folder / target).exists(), f"{file.name}: {target}"


@each_lab
def test_requirements_are_numbered_from_1(lab):
    assert list(requirements(lab)) == list(range(1, len(requirements(lab)) + 1))


@each_lab
def test_each_check_names_its_requirement(lab):
    for name, title in {**visible(lab), **hidden(lab)}.items():
        assert numbers_of(title), f"{name}: its title does not end with the numbers of its requirements"
        assert numbers_of(title) <= set(requirements(lab)), f"{name}: no requirement of the handout has that number"
        assert len(title) <= 60, f"{name}: its title does not fit onto the scorecard"


@each_lab
def test_each_requirement_has_a_visible_check(lab):
    """What a student cannot see checked is asked for nowhere."""
    assert set().union(*map(numbers_of, visible(lab).values())) == set(requirements(lab))


@each_lab
def test_table_of_hidden_checks(lab):
    table = (ROOT / "grader/hidden/README.md").read_text()
    assert f"## {lab.slug}" in table, f"grader/hidden/README.md has no section {lab.slug}"
    part = table.split(f"## {lab.slug}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(test_\w+)` \| ([\d, ]+) \| (.*) \| (.*) \|$", part, re.M)
    assert {name for name, *_ in rows} == set(hidden(lab)) and len(rows) == len(hidden(lab))
    for name, numbers, sentence, twins in rows:
        asked = [requirements(lab)[int(number)] for number in numbers.split(", ")]
        assert any(sentence in text for text in asked), f"{name}: the handout does not say: {sentence}"
        assert numbers_of(hidden(lab)[name]) == {int(number) for number in numbers.split(", ")}, name
        assert set(re.findall(r"`(\w+)`", twins)) <= set(visible(lab)), name


def declared(lab: Lab) -> set[str]:
    """The functions that the contract declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", (lab.folder / lab.header).read_text(), flags=re.S)
    return set(CONTRACT_KEEPS.findall(text))


@each_lab
def test_the_handout_names_what_the_contract_declares(lab):
    assert declared(lab)
    missing = [name for name in sorted(declared(lab)) if not re.search(rf"\b{name}\b", handout(lab))]
    assert not missing, f"the handout says nothing of {missing}"


# ---- Skeleton, hints, worlds ------------------------------------------------------------------


def todos(lab: Lab) -> list[int]:
    return sorted(int(number) for number in re.findall(r"/\* TODO (\d+):", (lab.folder / lab.source).read_text()))


@each_lab
def test_todos_are_numbered_and_each_has_three_hints(lab):
    assert todos(lab) == list(range(1, len(todos(lab)) + 1)) and todos(lab)
    parts = re.split(r"^## TODO (\d+): .*$", (lab.folder / "hints.md").read_text(), flags=re.M)[1:]
    assert [int(number) for number in parts[::2]] == todos(lab)
    for number, text in zip(parts[::2], parts[1::2]):
        levels = re.findall(r"<details><summary>(\d\. [^<]+)</summary>\n\n(.+?)\n\n</details>", text, re.S)
        assert [level for level, _ in levels] == ["1. A question", "2. A direction",
                                                  "3. Nearly the answer"], f"TODO {number}"
        assert "?" in levels[0][1], f"TODO {number}: the first hint asks nothing"


@each_lab
def test_solution_has_no_todo(lab):
    assert "TODO" not in (lab.solution / lab.source).read_text()


SOURCES = [(lab, file) for lab in LABS
           for file in [lab.folder / lab.source, lab.solution / lab.source, lab.folder / "main.c"]] + ALTERNATIVES


@pytest.mark.parametrize("lab, source", SOURCES,
                         ids=lambda value: value.slug[:2] if isinstance(value, Lab)
                         else f"{value.parent.parent.name}-{value.name}")
def test_compiles_without_a_warning(tmp_path, lab, source):
    done = subprocess.run([*compiler(), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-I",
                           ROOT / "sim/include",
                           "-I", lab.folder, "-c", source, "-o", tmp_path / "x.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def worlds(lab: Lab) -> list[Path]:
    return sorted(file for file in lab.worlds.glob("*.json"))


@each_lab
def test_every_world_loads_and_stands_in_the_handout(tmp_path, lab):
    if not lab.reference.is_file():
        pytest.skip(f"labs/{lab.slug} has no program that takes a world")
    assert (lab.worlds / "default.json").is_symlink() and worlds(lab)
    for world in worlds(lab):
        json.loads(world.read_text())
        trace = tmp_path / "trace"
        done = subprocess.run([lab.reference, "--world", world, "--trace", trace], cwd=tmp_path, capture_output=True,
                              text=True, timeout=20)
        assert done.returncode == 0, f"{world.name}: {done.stderr}"
        assert json.loads(trace.read_text().splitlines()[-1])["ev"] == "end"
        assert world.name == "default.json" or world.name in handout(lab), f"the handout does not name {world.name}"
