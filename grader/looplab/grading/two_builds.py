"""The second process of each run, in the build with sanitizers: what it found, and whether it did the same.

It may end later than the first one. A difference is the program's: all that it may go by is the same in every run.
"""

from __future__ import annotations

import re
from typing import Optional, Protocol, Sequence

from ..asking.call import Call
from ..asking.check import Check
from ..plain import words
from ..reading.trace import first_difference
from ..running import build, process, sanitizer
from ..running.sanitizer import Finding
from ..running.series import OneOfMany
from .desk import Desk, Desks
from .recorded import Recorded

NOT_DETERMINISTIC = "not deterministic"     # a kind of finding: the same build does something else when run again
SPENT_MOST_S = 60.0         # all sanitizer runs may compute, or sleep, so long; a right program's take a few seconds
PENDING_MOST = 4            # so many sanitizer runs may be under way behind the one in front


class Start(Protocol):
    """Starts a program at a desk."""

    def __call__(self, binary: object, called: Call, desk: Desk, limits: process.Limits,
                 **env: str) -> process.Running: ...


class TwoBuilds:
    """What the sanitizers have found in all runs of one grading. start: starts a program at a desk."""

    def __init__(self, desks: Desks, start: Start):
        self._desks, self._start = desks, start
        self.findings: list[Finding] = []
        self.off = False                # they had to be stopped at a limit: no run is made with them any more
        self.spent_s = 0.0              # what they have computed and slept so far
        self._pending: list[tuple[Recorded, build.Program]] = []
        self._runs: dict[tuple, Optional[Recorded]] = {}        # the first run of each finding
        self._told: dict[Optional[str], Check] = {}     # the check that a crash has failed, by the place of the crash

    def follow(self, recorded: Recorded, program: build.Program) -> None:
        """Lets the sanitizer run go on behind while there is room."""
        self._pending.append((recorded, program))
        while len(self._pending) > PENDING_MOST:
            self._settle(*self._pending.pop(0))

    def settle(self) -> None:
        """Waits for every sanitizer run, and takes in what they found."""
        while self._pending:
            self._settle(*self._pending.pop(0))

    def settle_one(self, recorded: Recorded) -> None:
        """Waits for this one, if it is still under way."""
        for one in [one for one in self._pending if one[0] is recorded]:
            self._pending.remove(one)
            self._settle(*one)

    def kill(self) -> None:
        """Ends those that are still under way."""
        for recorded, _ in self._pending:
            if recorded.asan:
                recorded.asan.kill()
                recorded.asan.finish()
        self._pending.clear()

    def _settle(self, recorded: Recorded, program: build.Program) -> None:
        """Compares the two runs. Sanitizers that do not work here fail the check as an error."""
        if recorded.asan is None:
            return
        running, recorded.asan = recorded.asan, None
        assert recorded.desk
        try:
            outcome, text = _at_last(running, recorded)
        except process.LaunchError as error:
            self.off = True             # a machine that is too busy for one would let each of the others wait as long
            recorded.fault = str(error)
            recorded.check.faulty(recorded.fault)
            return
        finally:
            self._desks.give_back(recorded.desk)
        self._spend(outcome, recorded)
        recorded.findings = sanitizer.findings(outcome.stderr, program)
        if any(finding.kind == "memory leak" and not finding.src for finding in recorded.findings):
            recorded.findings = self._with_places(recorded, program)
        for finding in recorded.findings:
            self._found(finding, recorded)
        trouble = sanitizer.trouble(outcome.stderr)
        if trouble and sanitizer.work_here(program):
            self._found(Finding("forged finding", sanitizer.FORGED, None, "", ""), recorded)
        elif trouble:
            recorded.fault = f"the sanitizers do not work on this machine: {trouble}"
        elif outcome.limit:
            self.off = True
            self._found(Finding("limit", f"was stopped at a limit ({outcome.limit}) in the build with sanitizers, "
                                         "though not in the plain one", None, "", ""), recorded)
        elif not recorded.findings and text == recorded.text and outcome.exit != recorded.outcome.exit:
            self._found(Finding("unreadable finding",
                                "did the same in both builds, but was ended by the sanitizers, and what they said "
                                "could not be read: does it close, or redirect, stderr? Take that out, to see it",
                                None, "", ""), recorded)
        elif not recorded.findings:
            self._compare(recorded, program, text)
        if recorded.fault:
            recorded.check.faulty(recorded.fault)

    def _spend(self, outcome: process.Outcome, recorded: Recorded) -> None:
        """Adds up what the runs have taken, and makes no more of them when that is too much."""
        self.spent_s += outcome.cpu_s + outcome.idle_s
        if self.spent_s > SPENT_MOST_S and not self.off:
            self.off = True
            self._found(Finding("limit", f"took over {SPENT_MOST_S:.0f} s in all its runs in the build with sanitizers",
                                None, "", ""), recorded)

    def _with_places(self, recorded: Recorded, program: build.Program) -> list[Finding]:
        """The findings of a run with a leak whose place is not known: the sanitizers are given time to see through
        libraries that keep no frame pointers. Once in a grading: if that has helped, other such leaks are taken for the
        same one."""
        leaks = [finding for finding in self.findings if finding.kind == "memory leak"]
        if leaks:
            return [finding for finding in recorded.findings if finding.src or finding.kind != "memory leak"
                    or not leaks[0].src]
        desk = self._desks.take()
        options = process.clean_env(desk.home)["ASAN_OPTIONS"] + ":fast_unwind_on_malloc=0"
        outcome = self._start(program.asan, recorded.call, desk, process.ASAN, ASAN_OPTIONS=options).finish()
        self._desks.give_back(desk)
        return sanitizer.findings(outcome.stderr, program) or recorded.findings

    def _compare(self, recorded: Recorded, program: build.Program, other: str) -> None:
        """Takes down why the traces of two runs of one call differ, if they do: the program is to blame for that, as
        all that it may go by is the same in every run."""
        if recorded.text == other:
            return
        assert recorded.again
        again = recorded.again()
        if again != recorded.text:
            self._not_repeated(recorded, program, again)
            return
        _, one, two = first_difference(recorded.text, other)
        if '"ev":"overflow"' in other and '"ev":"overflow"' in recorded.text:
            return                      # the same mistake, a little sooner: the run's own check tells it
        if '"ev":"overflow"' in other:
            self._found(Finding("stack overflow", "uses up the stack of a task (256 KiB) as soon as the sanitizers are "
                                "there, with which each call takes more of it: it was nearly full before. Is there a "
                                "large array, or a recursion that is too deep? Use malloc",
                                None, "", ""), recorded)
            return
        self._found(Finding("two different results",
                            "gave two different results in two builds: it reads memory that it never "
                            f"set, or a clock of its own; one does: {words.event(one)}; the other: {words.event(two)}",
                            None, "", ""), recorded)

    def _not_repeated(self, recorded: Recorded, program: build.Program, again: str) -> None:
        """The program did something else when it was run again. Told once, with the line where the two runs part."""
        if any(finding.kind == NOT_DETERMINISTIC for finding in self.findings):
            return
        number, one, two = first_difference(recorded.text, again)
        before = recorded.text.split("\n")[:number - 1]
        src = _place(program.lab.source, one, before) or _place(program.lab.source, two, before)
        self._found(Finding(NOT_DETERMINISTIC,
                            "gave two different results in two runs of one build: it reads memory that it never set, "
                            "keeps something of an earlier call in a static variable, or asks the machine (the number "
                            "of its process, a clock of its own, random numbers of the system); "
                            f"here the runs part; one does: {words.event(one)}; the other: {words.event(two)}",
                            src, program.line(src), ""), recorded)

    def crashed(self, recorded: Recorded, check: Check, src: Optional[str]) -> None:
        """A check has failed by a crash at that line, and tells of what was found there."""
        crash = next((finding for finding in recorded.findings if finding.kind != "memory leak"), None)
        for place in {src, crash.src if crash else src}:
            self._told.setdefault(place, check)

    def of_no_run(self, findings: list[Finding]) -> None:
        """What was found where no world was run: in the tests of a suite."""
        for finding in findings:
            self._runs.setdefault((finding.kind, finding.src), None)
            self.findings.append(finding)

    def _found(self, finding: Finding, recorded: Recorded) -> None:
        key = finding.kind, finding.src
        if key not in self._runs:
            self._runs[key] = recorded
            self.findings.append(finding)

    def run_of(self, finding: Finding) -> Optional[Recorded]:
        """The run that brought a finding to light."""
        return self._runs.get((finding.kind, finding.src))

    def told_by(self, finding: Finding) -> Optional[Check]:
        """The check that has failed because of a finding, and tells of it; None: no check has yet."""
        run = self.run_of(finding)
        if finding.kind == "memory leak" and run and run.failed:
            return run.failed           # a run that does not come to its end frees nothing
        return self._told.get(finding.src)


def _at_last(running: process.Running | OneOfMany, recorded: Recorded) -> tuple[process.Outcome, str]:
    """How the run in the build with sanitizers ended, and its trace. One that was made after others in one process, and
    came out otherwise than the first, is made alone: what others left behind is no fault of its own."""
    assert recorded.desk
    outcome, text = running.finish(), recorded.desk.text()
    if isinstance(running, OneOfMany) and running.together and text != recorded.text:
        outcome, text = running.once_more(), recorded.desk.text()
    return outcome, text


def _place(source: str, line: str, before: Sequence[str]) -> Optional[str]:
    """Where in the student's file a line of a trace stems from: its own place, else the place where its task was last
    seen before. None: it tells none."""
    task = re.search(r'"task":\d+\b', line)
    for earlier in [line, *reversed([one for one in before if task and task[0] in one])]:
        found = re.search(rf'"src":"({re.escape(source)}:\d+)"', earlier)
        if found:
            return found[1]
    return None
