"""The fixture `lab`: what a check sees of the lab and of the student's program. This is a check author's manual.

    from looplab import Fault, World, ms, points

    @points(10, "timing", needs="test_results")
    def test_all_fetches_overlap(lab):
        \"\"\"Ten fetches take as long as the slowest one, not as long as all together.\"\"\"
        world = World(seed=lab.seed).site("http://a.test", rtt=ms(20), connect=ms(20))
        for i in range(10):
            world.route(f"/{i}", latency=ms(lab.rng.randint(100, 400)), body="hello")
        run = lab.run("async", world)
        run.should_take(max(world.latencies()), what="as long as the slowest URL")

The docstring's first paragraph is what the student reads. A failure is an AssertionError: of the helpers
`run.should_…`, of `lab.fail`, or of a plain assert. Any other exception is a fault of the check (status "error", exit
3).
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import Any, Iterator, NoReturn, Optional, Sequence

import pytest

from ..asking.call import Settings
from ..asking.check import Check, Part
from ..asking.world import World
from ..course.warmups import Warmup
from ..plain import seed as seeds
from ..plain.failure import Cause, CheckFailed, Failure, GraderFault
from ..reading.run import Explanation, Run
from ..running.coverage import Coverage, Refused
from ..running.sanitizer import Finding
from .session import Session
from .suite import Suite
from .suite_lab import SuiteLab
from .warmup_lab import WarmupLab


class LabFixture:
    """One check's view."""

    def __init__(self, session: Session, check: Check):
        self._session = session
        self._check = check
        self.seed: int = session.seed               # the student's own seed, 1..999999
        self.rng: random.Random = seeds.rng(session.seed, check.id)     # numbers of this check alone
        self.explanation: Optional[Explanation] = None
        self.last: Optional[Run] = None             # the run made last
        self.first: Optional[Run] = None

    def run(self, mode: str, world: World, urls: Optional[Sequence[str]] = None, *, passes: int = 1,
            settings: Optional[Settings] = None, tape: Optional[str] = None, may_fail: bool = False,
            todo: str = "") -> Run:
        """Runs the student's program in a world, twice (two builds, two processes), and returns what it did.

        mode: the word on the lab program's command line. urls: what it is called with (default: the world's, in their
        order; an empty list needs a world without routes). passes: how often each URL is rightly fetched (compare: 2).
        settings: numbers and times that the mode asks for ({"workers": 5, "timeout": ms(300)}).
        tape: the choice tape. may_fail: a function that returns an error is no failure by itself.
        todo: where one who has written nothing yet begins ("fetch_async, TODOs 2 to 4").
        A run that crashes, hangs, deadlocks or ends early fails the check here, with its own message.
        """
        run = self._session.run(self._check, mode, world, urls, passes=passes, settings=settings, tape=tape,
                                may_fail=may_fail,
                                todo=todo, tell=self._explain)
        self.last, self.first = run, self.first or run
        return run

    def run_orders(self, mode: str, world: World, urls: Optional[Sequence[str]] = None, *, orders: int = 8,
                   settings: Optional[Settings] = None, passes: int = 1, may_fail: bool = False,
                   todo: str = "") -> "Orders":
        """The same run in several legal orders: to be gone through, `for run in lab.run_orders("pool", world,
        settings=…): …`

        First the plain run, in which tasks run first come, first served; then, wherever several tasks are ready at the
        same time, others go first: once or a few times, drawn from the seed, those with the fewest deviations first.
        The first one that fails a check is told, with its TAPE. The world must leave nothing to chance. A run costs
        some 10 ms.
        """
        runs = self._session.run_orders(self._check, mode, world, urls, count=orders, settings=settings, passes=passes,
                                        may_fail=may_fail, todo=todo, tell=self._explain)
        self.first = self.first or runs[0]
        return Orders(self, runs)

    def reference(self, mode: str, world: World, urls: Optional[Sequence[str]] = None, *,
                  settings: Optional[Settings] = None,
                  tape: Optional[str] = None, may_fail: bool = False) -> Run:
        """What the reference solution does in the same world: a yardstick where no formula tells the right numbers.

            run.should_take(lab.reference("pool", world, settings=numbers).elapsed)

        It is run once for each call like it. If it fails (or, without may_fail, returns an error), that is the grader's
        fault, never the student's. Students are not
        given solutions/: a visible check that asks for the reference cannot be run by them, so better state a formula
        there.
        """
        return self._session.reference(self._check, mode, world, urls, tape=tape, settings=settings, may_fail=may_fail)

    def memory_of_nothing(self) -> int:
        """`run.memory` of the student's program when it does nothing at all (it shows its help)."""
        return self._session.idle_memory()

    @contextmanager
    def part(self, worth: int, title: str) -> Iterator[None]:
        """A piece of the check with points of its own: `with lab.part(3, "a 404 is recorded"): …`

        What fails inside costs these points, and the check goes on. The parts of a check must add up to its points.
        """
        part = Part(title, worth, passed=True)
        try:
            yield
        except CheckFailed as failed:
            part.passed, part.message, part.src = False, failed.failure.text(), failed.failure.src
            self._check.src = self._check.src or failed.failure.src
            self._check.replay = self._check.replay or failed.replay or (self.last.replay if self.last else None)
        except AssertionError as failed:
            part.passed, part.message = False, str(failed).split("\n")[0]
        self._check.parts.append(part)

    def should_keep(self, *numbers: int) -> None:
        """The search (search.py) has found no situation in which one of these requirements is broken.

        A requirement that nothing could be said of, as what it rests on is broken in every situation, skips the check.
        """
        told = self._session.searched(self._check).told
        failed = next((told[number] for number in numbers if told[number].failed), None)
        if failed and failed.failed:
            raise failed.failed
        if not any(told[number].kept for number in numbers):
            self._check.skipped("needs a run in which what it rests on is right: mend what fails first")
            pytest.skip(self._check.message)

    def fail(self, expected: str = "", happened: str = "", cause: str = "", src: Optional[str] = None,
             replay: Optional[str] = None) -> NoReturn:
        """Fails the check with these words; each may be left out. src: "compare.c:31". replay: the command that shows
        it."""
        raise CheckFailed(Failure(expected, happened, Cause("check", cause, src) if cause else None), replay)

    @property
    def feedback(self) -> str:
        """What the author of a suite hears of the faults that it does not expose: "none", "number" or "names"
        (lab.json)."""
        return self._session.lab.settings.get("feedback", "number")

    def suite(self) -> Suite:
        """In a lab whose student's file is a test suite: all that became of its tests (suite.py says what there is to
        ask)."""
        kind = self._session.kind
        if not isinstance(kind, SuiteLab):
            raise GraderFault(f"{self._check.place}: lab.suite() is for labs whose student's file is a test suite")
        return kind.suite(self._session)

    def warmup(self, warmup: Warmup) -> None:
        """In the lab of many small files: this one does what its facts say, in its world and in the twist."""
        kind = self._session.kind
        if not isinstance(kind, WarmupLab):
            raise GraderFault(f"{self._check.place}: lab.warmup() is for the lab of warm-ups")
        kind.check(self._session, self._check, warmup)

    def coverage(self) -> Coverage:
        """What all runs so far have reached of the student's file. Only for checks of the category "coverage", which
        run last."""
        if not self._check.last:
            raise GraderFault(f"{self._check.place}: lab.coverage() is for checks that run last")
        try:
            return self._session.coverage()
        except Refused as refused:
            raise CheckFailed(Failure("the lines of your file can be counted", f"they cannot: {refused}")) from None

    @property
    def findings(self) -> list[Finding]:
        """What the sanitizers found in all runs so far, each place once; for a check with last=True."""
        self._session.second.settle()
        return list(self._session.second.findings)

    def should_be_clean(self) -> None:
        """No finding of the sanitizers, and the same behaviour in both builds, in any run so far.

        What has crashed the run of another check is told there; if there is nothing else, this check is skipped.
        """
        everything = self.findings
        found = [finding for finding in everything if not self._session.second.told_by(finding)]
        if not everything:
            return
        if not found:
            told = self._session.second.told_by(everything[0])
            assert told
            self._check.skipped(f"needs \"{told.title.rstrip('.')}\" ({told.id}), which fails")
            pytest.skip(self._check.message)
        first, others = found[0], len(found) - 1
        run = self._session.second.run_of(first)
        where = f"{first.src}{f' ({first.code})' if first.code else ''}:" if first.src else "" \
            if first.kind == "memory leak" else "the program"
        leaves = ". Free it on every way out of the function" + (", also when it is cancelled" if run
                                                                 and run.call.mode.startswith("cancel") else "")
        more = "" if "co_queue_destroy" in first.message else leaves if first.kind == "memory leak" else \
            " (that was in a run with n = 0)" if run and not run.asked and "array size" in first.kind else ""
        raise CheckFailed(Failure("no fault of memory or arithmetic in any run",
                                  first.kind + (f", and {others} more: mend this one first" if others else ""),
                                  Cause("sanitizer", f"{where} {first.message}{more}".strip(), first.src)),
                          replay=run.replay if run else None)

    def should_be_covered(self, lines: float = 100.0, branches: float = 0.0) -> None:
        """The checks reach at least so many per cent of the file's lines and branches; names the first piece that never
        ran."""
        seen = self.coverage()
        if seen.line_percent >= lines and seen.branch_percent >= branches:
            return
        asked = f"{lines:g} % of the lines" + (f" and {branches:g} % of the branches" if branches else "")
        cause = None
        if seen.unreached:
            first = seen.pieces()[0]
            cause = Cause("unreached",
                          f"{first.describe()} Which world would reach it? If none can, it need not be there",
                          first.src)
        raise CheckFailed(Failure(f"all checks together run at least {asked} of your file",
                                  f"{seen.line_percent:.0f} % of the lines, {seen.branch_percent:.0f} % of the "
                                  "branches", cause))

    def _explain(self, explanation: Explanation) -> None:
        self.explanation = explanation


class Orders(Sequence[Run]):
    """Runs in several orders. The one that is looked at is the one that a plain assert is about."""

    def __init__(self, lab: LabFixture, runs: list[Run]):
        self._lab = lab
        self._runs = runs

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index: Any) -> Any:
        found = self._runs[index]
        if isinstance(found, Run):
            self._lab.last = found
        return found
