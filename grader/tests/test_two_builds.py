"""What is made of the run in the build with sanitizers, however it ended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from looplab.asking.check import Check
from looplab.grading.recorded import Recorded
from looplab.grading.two_builds import TwoBuilds
from looplab.running import process, sanitizer

CLEAN = process.Outcome(exit=0, signal=None, limit=None, stdout="", stderr="", cpu_s=0.0, wall_s=0.0)
TROUBLE = "LeakSanitizer has encountered a fatal error\n"


def settled(exit: int, stderr: str = "") -> tuple[list[str], str | None]:
    """The kinds of what was found in a run that ended so, and whose fault it is, if the grader's."""
    outcome = process.Outcome(exit=exit, signal=None, limit=None, stdout="", stderr=stderr, cpu_s=0.0, wall_s=0.0)
    desk = SimpleNamespace(text=lambda: "the same")
    recorded = Recorded(Check("test_it", "It.", "correctness", 1, "here"), None, "", CLEAN, "the same", None,
                        asan=SimpleNamespace(finish=lambda: outcome), desk=desk)
    second = TwoBuilds(SimpleNamespace(give_back=lambda desk: None), None)
    second.follow(recorded, None)
    second.settle()
    return [finding.kind for finding in second.findings], recorded.fault


def test_a_finding_whose_words_are_not_there():
    """The program has closed stderr: its leaks are leaks all the same."""
    assert settled(0) == ([], None)
    assert settled(process.ASAN_EXIT) == (["unreadable finding"], None)


@pytest.mark.parametrize("work", [True, False])
def test_trouble_that_the_program_tells_itself(monkeypatch, work):
    monkeypatch.setattr(sanitizer, "work_here", lambda program: work)
    found, fault = settled(0, TROUBLE)
    assert (found, fault is None) == ((["forged finding"], True) if work else ([], False))
