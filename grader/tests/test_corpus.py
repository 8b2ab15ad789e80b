"""Submissions as students write them: what each is worth, which checks it fails, and whether it is told why.

With ALL=1 all of them, else every fourth one and all that are right. Each folder of corpus/NN-slug is one submission
with one misconception (or none: honest-*), and its verdict.json says what the grader makes of it. After a change of the
checks: `python3 grader/tests/corpus/record.py`, then read the diff.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "corpus"))
from looplab.teaching import lab_rules  # noqa: E402
from record import ENTRIES, grade, of_entry  # noqa: E402
from variants import some  # noqa: E402

SOME = some(ENTRIES, 4)
TESTED = [entry for entry in ENTRIES if entry in SOME or entry.name.startswith("honest-")]


class Asked:
    """As a dictionary of futures, but nothing is graded before it is asked for."""

    def __init__(self, out: Path):
        self._out = out

    def __getitem__(self, entry: Path) -> Future:
        future: Future = Future()
        future.set_result(grade(entry, self._out / entry.parent.name / entry.name))
        return future


@pytest.fixture(scope="module")
def gradings(request, tmp_path_factory):
    """A future for each entry that this session tests, two at a time; where others run tests beside this one, for each
    that is asked for."""
    out = tmp_path_factory.mktemp("corpus")
    if "PYTEST_XDIST_WORKER" in os.environ:
        yield Asked(out)
        return
    wanted = {item.callspec.params["entry"] for item in request.session.items
              if item.path == request.path and "gradings" in item.fixturenames}
    with ThreadPoolExecutor(2) as pool:
        futures = {entry: pool.submit(grade, entry, out / entry.parent.name / entry.name)
                   for entry in ENTRIES if entry in wanted}
        yield futures
        for future in futures.values():
            future.cancel()


@pytest.mark.parametrize("entry", TESTED, ids=lambda entry: f"{entry.parent.name[:2]}-{entry.name}")
def test_verdict(gradings, entry):
    wrongs = lab_rules.of_corpus(entry.name, gradings[entry].result(), of_entry(entry))
    assert [str(wrong) for wrong in wrongs] == []


def test_every_entry_has_its_verdict():
    assert len(ENTRIES) > 15
    for entry in ENTRIES:
        assert (entry / "verdict.json").exists(), f"{entry.name}: write its verdict.json, with names and misconception"
        assert bool(of_entry(entry)["misconception"]) != entry.name.startswith("honest-"), entry.name
