"""Searches for tests: of a program that is built already, or of a student's file."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator, Optional

from looplab.asking.check import Check
from looplab.course import lab as labs
from looplab.course.lab import Lab
from looplab.grading import contracts
from looplab.grading.begin import begin
from looplab.grading.search import Search
from looplab.grading.session import Session

LABS = [lab for lab in map(labs.load, labs.slugs()) if (lab.hidden / "situations.py").exists()
        or (lab.hidden / "contract.py").exists()]


def check() -> Check:
    return Check("search", "the search", "correctness", 1, "the test")


@contextmanager
def session(lab: Lab, source: Path, seed: int, built: Optional[Path] = None) -> Iterator[Session]:
    """A grading of that file. built: its program, if there is no need to build it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(source, folder / lab.source)
        one = begin(lab, folder, folder / "out", seed)
        try:
            if built:
                one.program = SimpleNamespace(  # type: ignore[assignment]
                    cover=built, asan=built, counts=built, early=False, lab=lab)
                one._builder = SimpleNamespace(join=lambda: None)  # type: ignore[assignment]
                one.second.off = True
            yield one
        finally:
            one.close()


def search(lab: Lab, source: Path, seed: int = 7, cases: Optional[int] = None, built: Optional[Path] = None,
           wary: bool = False) -> Search:
    """The search of one file, done."""
    with session(lab, source, seed, built) as one:
        contract = contracts.load(lab.hidden)
        assert contract
        usual, contract.cases = contract.cases, cases or contract.cases
        try:
            found = Search(contract, seed)
        finally:
            contract.cases = usual
        if cases:               # so many are asked for, however much there is to be read and to be computed
            one.traced, one.spent_s = -(1 << 40), -1e9
        found.run(one, check(), wary)
        one.second.settle()
        return found


def broken(found: Search) -> dict[int, str]:
    """The requirements that the search has found broken, and what it says of each."""
    return {number: str(told.failed) for number, told in found.told.items() if told.failed}
