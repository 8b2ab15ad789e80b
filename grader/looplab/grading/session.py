"""The grading of one student's file: both programs, and every run made with them.

Each run is made twice, in two processes at the same time: by the build that counts coverage, whose word counts, and by
the build with sanitizers (two_builds.py). What is built, and what is counted, depends on the kind of the lab (kind.py).
"""

from __future__ import annotations

import os
import shlex
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from ..asking.call import Call, Settings, call
from ..asking.check import Check
from ..asking.contract import Situation
from ..asking.world import World
from ..course.lab import Lab
from ..plain import seed as seeds
from ..plain.failure import CheckFailed, Failure, GraderFault
from ..plain.hostile import remove_what_can_be
from ..plain.text import cut
from ..reading import ending, forged, orders
from ..reading.run import Explanation, Run, in_order
from ..reading.trace import Trace, TraceError, read, read_cut
from ..running import build, coverage, machine, process
from ..running.cell import close_below
from ..running.fence import Fence
from ..running.forks import Forks
from ..running.judge import FD, Judges
from ..running.series import OneOfMany, Series
from . import contracts
from .desk import Desk, Desks
from .kind import Kind
from .recorded import Recorded
from .replay import Replays, short
from .search import DEEPER, Search
from .two_builds import TwoBuilds

KILLS_MOST = 2              # so many runs may be stopped at a limit; then no further one is begun
SMALL_KILLS_MOST = 8        # the same where each run is of another program
# what further runs may use: an endless loop is graded within 10 s in all
AFTER_KILL = process.Limits(cpu_s=1, wall_s=2.0)
OWN_ENV = {"HOME": ".", "TMPDIR": "."}
TRACES_MOST = 64 << 20      # bytes of traces that are read in a grading; the longest known has 15 million
SPENT_MOST_S = 30.0         # processor time of all runs in a grading; a right program takes one or two seconds
IDLE_MOST_S = 20.0          # and so long all of them may sleep in real time, where only the world's clock counts
_NOBODY = Check("report", "", "correctness", 0, "the report")       # who asks for a run that no check asks for
SEARCHED = process.Limits(cpu_s=1)      # what a run of the search may use, of which most take a thousandth of that


@dataclass
class Begun:
    """A run of the search that is under way."""

    session: "Session"
    check: Check
    called: Call
    desk: Desk
    running: process.Running | OneOfMany
    second: Optional[Desk] = None                   # of the build with sanitizers
    asan: process.Running | OneOfMany | None = None

    def finish(self) -> Recorded:
        """Waits for its end."""
        return self.session.end(self)


class Session:
    """One grading. out: the lab's folder under OUT, for worlds; work: a scratch folder, removed in the end; user: whom
    programs run as, None: as the grader."""

    def __init__(self, lab: Lab, source_dir: Path, out: Path, work: Path, seed: int, kind: Kind,
                 user: Optional[int] = None):
        self.lab, self.source_dir, self.out, self.work, self.seed, self.kind = lab, source_dir, out, work, seed, kind
        self.room = machine.Room(work, work / "desks")
        self.desks = Desks(work / "desks", self.room.look, user)
        self.second = TwoBuilds(self.desks, self._start)
        # A judge holds the world of each run that counts; LOOPLAB_JUDGE=0: of none. (A suite makes its own worlds.)
        self.judged = os.environ.get("LOOPLAB_JUDGE") != "0" and not lab.suite
        self.kills = 0
        self.traced = 0                 # bytes of traces that were read
        self.spent_s = 0.0              # processor time of the runs that were waited for
        self.idle_s = 0.0               # and how long they slept
        self.output = ""                # what the program printed in the run that failed first, for the report
        self.program: Optional[build.Program] = None
        self._builder: Optional[threading.Thread] = None
        self._build_failed: Optional[BaseException] = None
        self._recorded: dict[Call, Recorded] = {}
        self._ordered: dict[Call, Recorded] = {}        # the runs in other orders
        self._references: dict[Call, Recorded] = {}     # the runs of the reference solution
        self._forks: dict[Path, Forks] = {}
        self._series: dict[Path, Series] = {}
        self._judges = Judges(lab.judge, lab.slug, seed)
        self.search: Optional[Search] = None
        self._replays = Replays(lab, source_dir, out, seed)
        self._idle: Optional[int] = None
        self._measuring: Optional[coverage.Measuring] = None
        self._coverage: Optional[coverage.Coverage] = None

    # ---- building ----

    def start_build(self) -> None:
        """Starts both compilers, and returns at once."""
        self._builder = threading.Thread(target=self._build, name="build")
        self._builder.start()

    def _build(self) -> None:
        try:
            self.program = self.kind.build(self.lab, self.source_dir, self.work / "build")
        except BaseException as failed:     # is raised again by ready(), in the thread that can use it
            self._build_failed = failed

    def ready(self) -> build.Program:
        """Waits for the programs. Raises build.Ungradable, build.BuildError, process.LaunchError."""
        if not self._builder:
            self.start_build()
        assert self._builder
        self._builder.join()
        if self._build_failed:
            raise self._build_failed
        assert self.program
        return self.program

    # ---- running ----

    def run(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]] = None, *, passes: int = 1,
            tape: Optional[str] = None, settings: Optional[Settings] = None, may_fail: bool = False, todo: str = "",
            tell: Callable[[Explanation], None] = lambda explanation: None) -> Run:
        """Makes a run, or finds that it was made already. Raises CheckFailed when it did not end well."""
        called = self._call(check, mode, world, urls, tape, settings)
        recorded = self._recorded.get(called)
        if recorded is None:
            self._refuse_more_kills()
            recorded = self._recorded[called] = self._make(check, called)
            recorded.asked = world.urls() if urls is None else list(urls)
        self._judge(check, recorded, may_fail)
        run = self._as_run(recorded, world, passes=passes, todo=todo, tell=tell)
        run.beside = lambda: self.reference(check, mode, world, urls, tape=tape, settings=settings, may_fail=True)
        return run

    def run_orders(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]] = None, *, count: int,
                   settings: Optional[Settings] = None, **more: Any) -> list[Run]:
        """The plain run, and count - 1 others in which tasks that are ready at once run in another order, the least
        different first. Only the build that counts coverage makes those. Raises CheckFailed when one did not end
        well."""
        chancy = orders.left_to_chance(world)
        if chancy:
            raise GraderFault(f"{check.place}: explored orders need a world that leaves nothing to chance, "
                              f"not like {chancy}")
        plain = self.run(check, mode, world, urls, settings=settings, **more)
        tapes = orders.tapes(orders.questions(plain.trace), count - 1, seeds.rng(self.seed, f"orders of {mode}"))
        called = self._call(check, mode, world, urls, None, settings)
        return [plain] + [self._run_order(check, replace(called, tape=tape), plain, **more) for tape in tapes]

    def _run_order(self, check: Check, called: Call, plain: Run, *, may_fail: bool = False, **more: Any) -> Run:
        """One other order. Of one that did not end well the least different one that does not is told."""
        recorded = self._in_order(check, called, plain)
        if not recorded.outcome.limit and self._fails(check, called, plain, may_fail):
            tape = orders.shrink(called.tape or "",
                                 lambda tape: self._fails(check, replace(called, tape=tape), plain, may_fail))
            recorded = self._in_order(check, replace(called, tape=tape), plain)
        self._judge(check, recorded, may_fail)
        return self._as_run(recorded, plain.world, **more)

    def _fails(self, check: Check, called: Call, plain: Run, may_fail: bool) -> bool:
        """Does the run in this order not end well?"""
        try:
            self._judge(check, self._in_order(check, called, plain), may_fail)
        except CheckFailed:
            return True
        return False

    def _in_order(self, check: Check, called: Call, plain: Run) -> Recorded:
        """Makes the run of one tape, or finds that it was made already."""
        if called not in self._ordered:
            self._refuse_more_kills()
            recorded = self._alone(check, called, self.ready().cover,
                                   f"{plain.replay} TAPE={shlex.quote(called.tape or '')}")
            recorded.asked = plain.asked
            self.kills += recorded.outcome.limit is not None
            self._ordered[called] = recorded
        return self._ordered[called]

    def small_run(self, check: Check, called: Call) -> Recorded:
        """A run of one process only, that is over at once: one of many programs'. Raises CheckFailed when too many had
        to be stopped before."""
        if self.kills >= SMALL_KILLS_MOST or self.worn:
            raise CheckFailed(Failure("", "not run: " + (self.worn or f"{SMALL_KILLS_MOST} runs had to be stopped at a "
                                                         "limit") + " already"))
        desk = self.desks.take()
        recorded = self._record(check, called, desk, self._start(self.ready().cover, called, desk, SEARCHED))
        self.kills += recorded.outcome.limit is not None
        self.output = self.output or cut(recorded.outcome.stdout, 2000) * (recorded.outcome.exit != 0)
        return recorded

    # ---- the search ----

    def draw(self) -> None:
        """Draws the situations of the search, if the lab has one: there is time for it while the compilers run. Raises
        what the lab's contract.py raises."""
        contract = None if self.search else contracts.load(self.lab.hidden)
        if contract:
            self.search = Search(contract, self.seed, os.environ.get("DEEP") == "1")

    def searched(self, check: Check) -> Search:
        """The search, made once in a grading. Raises CheckFailed when the program was stopped too often before."""
        self.draw()
        if not self.search:
            raise GraderFault(f"{check.place}: {self.lab.slug} has no contract.py, so nothing can be searched")
        if not self.search.ran:
            self._refuse_more_kills()
            self.search.run(self, check, wary=self.kills > 0)
        return self.search

    def begin(self, check: Check, called: Call, both: bool, judged: bool = False, alone: bool = False) -> "Begun":
        """Starts a run of the search; both: in the build with sanitizers, too; judged: a judge holds its world;
        alone: not with others in one process."""
        desk, program = self.desks.take(), self.ready()
        limits = AFTER_KILL if self.kills else SEARCHED
        start = self._start if alone or self.kills else self._start_with_others
        begun = Begun(self, check, called, desk, start(program.cover, called, desk, limits, judged))
        if both and not self.second.off:
            begun.second = self.desks.take()
            begun.asan = self._start_with_others(program.asan, called, begun.second, process.ASAN, judged)
        return begun

    def end(self, begun: "Begun") -> Recorded:
        """Waits for it."""
        recorded = self._record(begun.check, begun.called, begun.desk, begun.running)
        recorded.together = isinstance(begun.running, OneOfMany) and begun.running.together
        if begun.asan:
            if recorded.outcome.limit:
                begun.asan.kill()
                begun.asan.finish()
                return recorded
            recorded.asan, recorded.desk = begun.asan, begun.second
            recorded.replay = self._replay("situation", begun.called)
            recorded.again = lambda: self._alone(begun.check, begun.called, self.ready().cover, judged=False).text
            self.second.follow(recorded, self.ready())
        return recorded

    def whole(self, check: Check, called: Call, name: str) -> Recorded:
        """A run of the search once more, as those of checks are made: in both builds, with a command that repeats it,
        in a world of that name."""
        if called not in self._recorded:
            self._recorded[called] = self._make(check, called, name)
        recorded = self._recorded[called]
        self.second.settle_one(recorded)
        self.output = self.output or cut(recorded.outcome.stdout, 2000)
        return recorded

    def kept(self, recorded: Recorded, name: str) -> Recorded:
        """A run of the search that was stopped at a limit, which would take as long once more, in the place of
        whole()'s."""
        recorded.replay = self._replay(name, recorded.call)
        self.output = self.output or cut(recorded.outcome.stdout, 2000)
        return self._recorded.setdefault(recorded.call, recorded)

    def as_run(self, recorded: Recorded, situation: Situation) -> Run:
        """What the contract is held against."""
        recorded.asked = situation.world.urls() if situation.urls is None else list(situation.urls)
        return self._as_run(recorded, situation.world, passes=situation.passes, todo=situation.todo)

    def _alone(self, check: Check, called: Call, binary: Path, replay: str = "", judged: bool = True) -> Recorded:
        """A run of one process only."""
        desk = self.desks.take()
        limits = AFTER_KILL if self.kills else process.COVER
        return self._record(check, called, desk, self._start(binary, called, desk, limits, judged), replay)

    def _record(self, check: Check, called: Call, desk: Desk, running: process.Running, replay: str = "") -> Recorded:
        """Waits for it, and reads what it left at its desk."""
        outcome = running.finish()
        text = "" if outcome.limit else desk.text()
        self.traced += len(text)
        self.spent_s += outcome.cpu_s
        self.idle_s += outcome.idle_s
        try:
            trace = self._parse(*desk.ends()) if outcome.limit else self._parse(text)
        except TraceError:
            trace, outcome = None, replace(outcome, limit="trace")
        recorded = Recorded(check, called, replay, outcome, text, trace, memory=desk.peak())
        self.desks.give_back(desk)
        return recorded

    def _as_run(self, recorded: Recorded, world: World, **more: Any) -> Run:
        """What a check is given of a run that ended well."""
        assert recorded.trace
        called = recorded.call
        return Run(recorded.trace, world, called.mode, recorded.asked, recorded.outcome.stdout, replay=recorded.replay
                   or None,
                   memory=recorded.memory, tape=called.tape or "", **more)

    def _refuse_more_kills(self) -> None:
        if self.kills >= KILLS_MOST:
            raise CheckFailed(Failure("", "not run: the program had to be stopped at a limit twice already"))
        if self.worn:
            raise CheckFailed(Failure("", f"not run: {self.worn} already"))

    @property
    def worn(self) -> str:
        """Why no further run is made: there is too much to read, or all together compute too long. "": one may be."""
        deeper = DEEPER if os.environ.get("DEEP") == "1" else 1
        if self.traced > TRACES_MOST * deeper:
            return f"the records of its runs have over {TRACES_MOST * deeper >> 20} MB"
        if self.spent_s > SPENT_MOST_S * deeper:
            return f"its runs have taken over {SPENT_MOST_S * deeper:.0f} s of processor time"
        if self.idle_s > IDLE_MOST_S * deeper:
            return f"its runs have slept for over {IDLE_MOST_S * deeper:.0f} s in real time"
        return ""

    def reference(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]] = None, *,
                  tape: Optional[str] = None, settings: Optional[Settings] = None, may_fail: bool = False) -> Run:
        """What the reference solution does; made once for each call. Raises GraderFault when it does not end well."""
        called = self._call(check, mode, world, urls, tape, settings)
        if called not in self._references:
            if not self.lab.reference.is_file():
                raise GraderFault(f"{check.id} compares with the reference solution, which is not built: "
                                  f"`make grade` builds it from solutions/{self.lab.slug}, "
                                  "if that is there and compiles")
            self._of_reference(called, check).asked = world.urls() if urls is None else list(urls)
        recorded = self._references[called]
        failure = ending.failure(recorded.outcome, recorded.trace)
        if not failure and recorded.trace and not may_fail:
            failure = ending.refusal(recorded.outcome, recorded.trace, recorded.asked)
        if failure:
            told = "; ".join([failure.happened] + ([failure.cause.text] if failure.cause else []))
            raise GraderFault(f"{check.id}: the reference solution fails in its world (mode {mode}): {told}")
        return self._as_run(recorded, world, reference=True)

    def idle_memory(self) -> int:
        """The bytes of memory that the student's program takes to do nothing: to show its help. Raises CheckFailed when
        it does not tell."""
        if self._idle is None:
            desk = self.desks.take()
            argv = [os.path.relpath(self.ready().cover, desk.home), "--memory", "../memory", "--help"]
            process.run(argv, cwd=desk.home, env=OWN_ENV, launch=self.lab.launch,
                        fence=self.fence(self.ready().cover, desk.home.parent))
            self._idle = desk.peak()
            self.desks.give_back(desk)
        if self._idle is None:
            raise CheckFailed(forged.no_memory())
        return self._idle

    def _call(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]], tape: Optional[str],
              settings: Optional[Settings]) -> Call:
        try:
            return call(mode, world, urls, tape, settings)
        except ValueError as fault:
            raise GraderFault(f"{check.place}: {fault}") from None

    def _start(self, binary: Path, called: Call, desk: Desk, limits: process.Limits, judged: bool = True,
               **env: str) -> process.Running:
        self._lay(called, desk, judged)
        running = None
        if not env and not (self.program and self.program.early):
            running = self.copies(binary, limits).start(self._words(binary, called, desk), limits=limits, cwd=desk.home,
                                                        judge=desk.judge)
        if not running:
            fd = desk.judge.fd if desk.judge else None
            running = process.start(self._words(binary, called, desk, fd), limits=limits, cwd=desk.home,
                                    env={**OWN_ENV, **env}, launch=self.lab.launch, keep=fd,
                                    fence=self.fence(binary, desk.home.parent))
        if desk.judge:
            desk.judge.is_served()
        desk.running = running
        return running

    def _lay(self, called: Call, desk: Desk, judged: bool) -> None:
        """Puts the world of the next run where the program finds it: at its desk, or into a judge's hands."""
        if self.judged and judged:
            desk.appoint(self._judges.appoint(called.world, called.tape))
        else:
            self.desks.with_room(lambda: desk.lay(called.world))

    def _words(self, binary: Path, called: Call, desk: Desk, fd: Optional[int] = None) -> list[str]:
        """The command line of a run. No path that differs from grading to grading gets into the process: where a
        program reads or writes out of bounds, what it meets there must be the same each time, and the length of a name
        would shift it. fd: of its connection to the judge, if it is not a copy."""
        rest = "../trace", "../memory"
        return [os.path.relpath(binary, desk.home),
                *(called.argv_judged(self.seed, fd or FD, *rest) if desk.judge else
                  called.argv(self.seed, "../world", *rest))]

    def copies(self, binary: Path, limits: process.Limits) -> Forks:
        """Who makes copies of that program."""
        if binary not in self._forks:
            self._forks[binary] = Forks(binary, limits, cwd=self.work, env=OWN_ENV, launch=self.lab.launch,
                                        fence=self.fence(binary, self.desks.folder))
        return self._forks[binary]

    def fence(self, binary: Path, place: Path) -> Fence:
        """What that program sees: itself, the scrapers of a suite, the warm-ups, the folder it runs in, the counts of
        its lines."""
        counts = [self.program.counts] if self.program else []
        reads = binary.parent if self.work in binary.parents else binary
        return Fence((binary, binary.parent / "scrapers", binary.parent / "parts"), (place, *counts),
                     within=Fence((reads,), (self.desks.folder, *counts)))

    def _start_with_others(self, binary: Path, called: Call, desk: Desk, limits: process.Limits,
                           judged: bool = True) -> process.Running | OneOfMany:
        """The same, with other runs of that program in one process where that can be."""
        if self.program and self.program.early:
            return self._start(binary, called, desk, limits, judged)

        def alone() -> process.Running:
            desk.clear()
            return self._start(binary, called, desk, limits, judged)

        self._lay(called, desk, judged)
        if binary not in self._series:
            self._series[binary] = Series(self.copies(binary, limits), limits)
        desk.running = running = self._series[binary].start(self._words(binary, called, desk), cwd=desk.home,
                                                            alone=alone, judge=desk.judge)
        return running

    def _start_asan(self, called: Call, desk: Desk) -> process.Running | OneOfMany:
        return self._start_with_others(self.ready().asan, called, desk, process.ASAN)

    def _make(self, check: Check, called: Call, name: str = "") -> Recorded:
        program, replay = self.ready(), self._replay(name or check.id, called)
        desk = None if self.second.off else self.desks.take()
        asan = self._start_asan(called, desk) if desk and not self.kills else None
        recorded = self._alone(check, called, program.cover, replay)
        # one run was stopped already: this one is tried first
        if desk and self.kills and not recorded.outcome.limit:
            asan = self._start_asan(called, desk)
        recorded.asan, recorded.desk = asan, desk
        recorded.again = lambda: self._alone(check, called, program.cover).text
        self._after(recorded)
        return recorded

    def _replay(self, name: str, called: Call) -> str:
        """The command that repeats a run, in the world of that name."""
        return self.desks.with_room(lambda: self._replays.command(called, self._replays.save(name, called)))

    def _parse(self, text: str, tail: Optional[str] = None) -> Optional[Trace]:
        """The trace; with a tail, the ends of one that was cut. None: the run wrote none. Raises TraceError."""
        if "\n" not in text:
            return None
        return read(text) if tail is None else read_cut(text, tail)

    def _after(self, recorded: Recorded) -> None:
        """Counts limits, and lets the sanitizer run go on behind while there is room."""
        if recorded.outcome.limit:
            self.kills += 1
            if recorded.asan:
                recorded.asan.kill()
                recorded.asan.finish()
                recorded.asan = None
            return
        assert self.program
        self.second.follow(recorded, self.program)

    def _judge(self, check: Check, recorded: Recorded, may_fail: bool) -> None:
        """Raises CheckFailed for a run that did not end well."""
        if recorded.outcome.signal or recorded.outcome.limit or recorded.outcome.exit:
            self.second.settle_one(recorded)
        failure = self.ended(recorded)
        if not failure and recorded.trace and not may_fail:
            failure = ending.refusal(recorded.outcome, recorded.trace, recorded.asked)
        if failure:
            recorded.failed = recorded.failed or check
            if failure.cause and failure.cause.kind == "crashed" and recorded.findings:
                self.second.crashed(recorded, check, failure.cause.src)
            self.output = self.output or cut(recorded.outcome.stdout, 2000)
            raise CheckFailed(in_order(failure) if recorded.call.tape else failure, recorded.replay)

    def ended(self, recorded: Recorded) -> Optional[Failure]:
        """Why a run is a failure by itself; None for one that ended well. Raises GraderFault when nobody's program
        could have been run so: one that refuses to start where the reference does not has only said that it does."""
        try:
            return ending.failure(recorded.outcome, recorded.trace, recorded.findings)
        except GraderFault:
            if not self._reference_starts(recorded.call):
                raise
            return ending.early(recorded.outcome, recorded.trace)

    def _reference_starts(self, called: Call) -> bool:
        if not self.lab.reference.is_file():
            return False
        return self._of_reference(called).outcome.exit != 2

    def _of_reference(self, called: Call, check: Check = _NOBODY) -> Recorded:
        """The reference's run, made once; its world is its own."""
        if called not in self._references:
            self._references[called] = self._alone(check, called, self.lab.reference, judged=False)
        return self._references[called]

    # ---- for the report ----

    def once(self, called: Call, replay: str = "") -> Recorded:
        """One run of the student's program that no check asks for. Raises what ready() raises, GraderFault for a
        damaged trace."""
        return self._alone(_NOBODY, called, self.ready().cover, replay)

    def recorded_of(self, check: Check) -> Optional[Recorded]:
        """The run that a check's replay command repeats, else the first that it made; None if it made none."""
        runs = [*self._recorded.values(), *self._ordered.values()]
        return next((recorded for recorded in runs if recorded.replay and recorded.replay == check.replay),
                    next((recorded for recorded in runs if recorded.check is check), None))

    def reference_text(self, called: Call) -> str:
        """The trace of the reference in that call; "" without a reference, or where it does not come to an end."""
        if not self.lab.reference.is_file():
            return ""
        return self._of_reference(called).text

    # ---- coverage ----

    def start_coverage(self) -> None:
        """Starts to measure behind what is still to do. No run may follow."""
        if not self._measuring and self.program:
            self._measuring = coverage.start(self.kind.measured(self.program))

    def coverage(self) -> coverage.Coverage:
        """What the cover runs have reached. Raises coverage.CoverageError or coverage.Refused."""
        if not self._coverage:
            self.start_coverage()
            assert self._measuring
            self._coverage = self._measuring.finish()
        return self._coverage

    def short(self, path: Path) -> str:
        """The path from the top of the house, if it lies in it."""
        return short(self.lab, path)

    def give_up(self) -> None:
        """Somebody has ended the grading: all that is under way ends at once. close() follows."""
        process.end_all()

    def close(self) -> None:
        """Ends what is still under way and removes the scratch folder."""
        self.second.kill()
        self.kind.end()
        for series in self._series.values():
            series.close()
        for forks in self._forks.values():
            forks.close()
        self._judges.close()
        if self._builder:
            self._builder.join()
        if self._measuring and not self._coverage:
            try:
                self._measuring.finish()
            except (coverage.CoverageError, coverage.Refused):
                pass
        process.begin_again()
        close_below(self.work)
        remove_what_can_be(self.work)
