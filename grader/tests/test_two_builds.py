"""What is made of the run in the build with sanitizers, however it ended."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from looplab.asking.check import Check
from looplab.grading.plays import Plays
from looplab.grading.recorded import Recorded
from looplab.grading.session import Session
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
    for exit in (process.ASAN_EXIT, 1):     # 1: where it could not even be written
        assert settled(exit) == (["unreadable finding"], None)


@pytest.mark.parametrize("work", [True, False])
def test_trouble_that_the_program_tells_itself(monkeypatch, work):
    monkeypatch.setattr(sanitizer, "work_here", lambda program: work)
    found, fault = settled(0, TROUBLE)
    assert (found, fault is None) == ((["forged finding"], True) if work else ([], False))


def test_runs_that_take_too_long_together():
    """Each within its limits. No further one is made, and that is told once."""
    second = TwoBuilds(SimpleNamespace(give_back=lambda desk: None), None)
    for number in range(9):
        asan = SimpleNamespace(finish=lambda: replace(CLEAN, cpu_s=5.0, idle_s=5.0))
        second.follow(Recorded(Check("test_it", "It.", "correctness", 1, "here"), None, "", CLEAN, "the same", None,
                               asan=asan, desk=SimpleNamespace(text=lambda: "the same")), None)
        second.settle()
        assert second.off == (number >= 6) and [one.kind for one in second.findings] == ["limit"] * second.off


class Found:
    """A run that reports what no main.c does."""

    beside = None

    def forged(self) -> None:
        """Of the right kinds it is."""


@pytest.mark.parametrize("breaks", [False, True])
def test_a_contract_that_goes_wrong_over_what_the_reference_does_not_report(breaks):
    """The reference tells whose fault that is."""
    reference, run = object(), Found()

    def judge(situation, run):
        if breaks or run is not reference:
            raise IndexError
        return {}

    contract = SimpleNamespace(judge=judge, blame=lambda situation: 7)
    stage = SimpleNamespace(ended=lambda recorded: None, as_run=lambda recorded, situation: run,
                            reference=lambda *call, **more: reference)
    situation = SimpleNamespace(mode="", world=None, urls=None, settings=None)
    plays, recorded = Plays(stage, contract, None), SimpleNamespace(trace=None)
    if breaks:
        with pytest.raises(IndexError):
            plays._judge(situation, recorded)
    else:
        assert "not what main.c can report" in plays._judge(situation, recorded).judged[7].failure.text()


def test_sleep_adds_up_over_a_grading():
    """Without what a busy machine may have made of it."""
    assert [process.idle(*run) for run in ((4, 0.25, 0), (4, 3.5, 0), (4, 0.25, 1), (0.4, 0, 0))] == [3.25, 0, 0, 0]
    slept = {idle: Session.worn.fget(SimpleNamespace(traced=0, spent_s=0.0, idle_s=idle)) for idle in (19.0, 21.0)}
    assert slept[19.0] == "" and "slept" in slept[21.0]


def test_a_machine_too_busy_for_one_run_is_asked_for_no_other():
    def finish():
        raise process.LaunchError("the machine is too busy")

    second = TwoBuilds(SimpleNamespace(give_back=lambda desk: None), None)
    recorded = Recorded(Check("test_it", "It.", "correctness", 1, "here"), None, "", CLEAN, "", None,
                        asan=SimpleNamespace(finish=finish), desk=SimpleNamespace())
    second.follow(recorded, None)
    second.settle()
    assert second.off and recorded.fault == "the machine is too busy" == recorded.check.message
