"""The grading of one student's file: both programs, every run made with them, and what the runs brought to light.

Each run is made twice, in two processes at the same time: by the build that counts coverage, whose word counts, and by
the build with sanitizers. The second one may end later; `settle` waits for it and compares the traces.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from ..asking.call import Call, Settings, call
from ..asking.check import Check
from ..asking.world import World
from ..course.lab import Lab
from ..plain import seed as seeds, words
from ..plain.failure import CheckFailed, Failure, GraderFault
from ..plain.text import cut
from ..reading import ending, orders
from ..reading.run import Explanation, Run, in_order
from ..reading.trace import Trace, TraceError, first_difference, read, read_cut
from ..running import build, coverage, process, sanitizer
from ..running.sanitizer import Finding
from . import suite

KILLS_MOST = 2              # so many runs may be stopped at a limit; then no further one is begun
PENDING_MOST = 4            # so many sanitizer runs may be under way behind the one in front
URLS_SHOWN = 4              # so many URLs stand in the command that makes a run again; more are kept in a file
TRACE_END = 256 << 10       # bytes at either end of a trace that are read of a run that was stopped
AFTER_KILL = process.Limits(cpu_s=1,
                            wall_s=2.0)    # what further runs may use: an endless loop is graded within 10 s in all


class Desk:
    """Where one process at a time runs: an empty folder to be in, and a place for its trace.

    Desks are used again, as making and removing folders costs more than a run does; a folder that a program has
    left anything in is replaced by a fresh one, so that no run can leave word for the next.
    """

    def __init__(self, folder: Path):
        self.home = folder / "home"
        self.trace = folder / "trace"
        self.world = folder / "world"
        self.memory = folder / "memory"
        self.home.mkdir(parents=True)

    def clear(self) -> None:
        """Makes it as good as new."""
        self.trace.unlink(missing_ok=True)
        self.memory.unlink(missing_ok=True)
        if self.home.is_symlink() or not self.home.is_dir():
            self.home.unlink(missing_ok=True)
        elif any(self.home.iterdir()):
            shutil.rmtree(self.home)
        self.home.mkdir(exist_ok=True)

    def lay(self, world: str) -> None:
        """Puts the world of the next run here."""
        self.world.unlink(missing_ok=True)      # never written through what a program may have put in its place
        self.world.write_text(world)

    def text(self) -> str:
        """The trace that was written here; "" if there is none."""
        try:
            return self.trace.read_bytes().decode("utf-8", "replace")
        except OSError:
            return ""

    def peak(self) -> Optional[int]:
        """The bytes of memory the program took, as it told; None if it did not come to that."""
        try:
            said = self.memory.read_text()
        except OSError:
            return None
        return int(said) if re.fullmatch(r"\d{1,18}\n", said) else None

    def ends(self) -> tuple[str, str]:
        """The first and the last bytes of the trace, which may be very long."""
        try:
            with open(self.trace, "rb") as file:
                head = file.read(TRACE_END)
                file.seek(max(0, file.seek(0, os.SEEK_END) - TRACE_END))
                return head.decode("utf-8", "replace"), "\n" + file.read().decode("utf-8", "replace")
        except OSError:
            return "", ""


@dataclass
class Recorded:
    """A run that was made: kept, as two checks may ask for the same one."""

    check: Check                        # who asked first
    call: Call
    replay: str
    outcome: process.Outcome
    text: str                           # its trace
    trace: Optional[Trace]
    asan: Optional[process.Running] = None      # under way, or None: settled
    desk: Optional[Desk] = None                 # the sanitizer run's
    findings: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    memory: Optional[int] = None                # peak of the cover process, in bytes
    failed: Optional[Check] = None              # the check that it has failed by itself, by its end
    again: Optional[Callable[[], str]] = None   # makes the cover run once more and returns its trace
    fault: Optional[str] = None


class Session:
    """One grading. out: the lab's folder under OUT, for worlds; work: a scratch folder, the caller's to remove."""

    def __init__(self, lab: Lab, source_dir: Path, out: Path, work: Path, seed: int):
        self.lab, self.source_dir, self.out, self.work, self.seed = lab, source_dir, out, work, seed
        self.findings: list[Finding] = []
        self.kills = 0
        self.output = ""                # what the program printed in the run that failed first, for the report
        self.program: Optional[build.Program] = None
        self._builder: Optional[threading.Thread] = None
        self._build_failed: Optional[BaseException] = None
        self._recorded: dict[Call, Recorded] = {}
        self._ordered: dict[Call, Recorded] = {}        # the runs in other orders
        self._references: dict[Call, Recorded] = {}     # the runs of the reference solution
        self._pending: list[Recorded] = []
        self._desks: list[Desk] = []                # those free
        self._desks_made = 0
        self._replays: dict[tuple, Optional[Recorded]] = {}   # the first run of each finding
        # the check that a crash has failed already, by the place of the crash
        self._told: dict[Optional[str], Check] = {}
        self._worlds: dict[str, int] = {}
        self._idle: Optional[int] = None
        self._asan_off = False
        self._measuring: Optional[coverage.Measuring] = None
        self._coverage: Optional[coverage.Coverage] = None
        self._suite: Optional[suite.Suite] = None

    # ---- building ----

    def start_build(self) -> None:
        """Starts both compilers, and returns at once."""
        self._builder = threading.Thread(target=self._build, name="build")
        self._builder.start()

    def _build(self) -> None:
        try:
            builder = suite.build_suite if self.lab.suite else build.build
            self.program = builder(self.lab, self.source_dir, self.work / "build")
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
        return self._as_run(recorded, world, passes=passes, todo=todo, tell=tell)

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

    def _alone(self, check: Check, called: Call, binary: Path, replay: str = "") -> Recorded:
        """A run of one process only."""
        desk = self._take_desk()
        outcome = self._start(binary, called, desk, AFTER_KILL if self.kills else process.COVER).finish()
        text = "" if outcome.limit else desk.text()
        trace = self._parse(check, *desk.ends()) if outcome.limit else self._parse(check, text)
        recorded = Recorded(check, called, replay, outcome, text, trace, memory=desk.peak())
        self._desks.append(desk)
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

    def reference(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]] = None, *,
                  tape: Optional[str] = None, settings: Optional[Settings] = None, may_fail: bool = False) -> Run:
        """What the reference solution does; made once for each call. Raises GraderFault when it does not end well."""
        called = self._call(check, mode, world, urls, tape, settings)
        recorded = self._references.get(called)
        if recorded is None:
            if not self.lab.reference.is_file():
                raise GraderFault(f"{check.id} compares with the reference solution, which is not built: "
                                  f"`make grade` builds it from solutions/{self.lab.slug}, "
                                  "if that is there and compiles")
            recorded = self._references[called] = self._alone(check, called, self.lab.reference)
            recorded.asked = world.urls() if urls is None else list(urls)
        failure = ending.failure(recorded.outcome, recorded.trace)
        if not failure and recorded.trace and not may_fail:
            failure = ending.refusal(recorded.outcome, recorded.trace, recorded.asked)
        if failure:
            told = "; ".join([failure.happened] + ([failure.cause.text] if failure.cause else []))
            raise GraderFault(f"{check.id}: the reference solution fails in its world (mode {mode}): {told}")
        return self._as_run(recorded, world, reference=True)

    def idle_memory(self) -> int:
        """The bytes of memory that the student's program takes to do nothing: to show its help."""
        if self._idle is None:
            desk = self._take_desk()
            argv = [os.path.relpath(self.ready().cover, desk.home), "--memory", "../memory", "--help"]
            process.run(argv, cwd=desk.home, env={"HOME": ".", "TMPDIR": "."}, launch=self.lab.launch)
            self._idle = desk.peak()
            self._desks.append(desk)
        if self._idle is None:
            raise GraderFault("the program did not tell how much memory it takes to do nothing")
        return self._idle

    def _call(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]], tape: Optional[str],
              settings: Optional[Settings]) -> Call:
        try:
            return call(mode, world, urls, tape, settings)
        except ValueError as fault:
            raise GraderFault(f"{check.place}: {fault}") from None

    def _start(self, binary: Path, called: Call, desk: Desk, limits: process.Limits, **env: str) -> process.Running:
        # No path that differs from grading to grading gets into the process: where a program reads or writes out of
        # bounds, what it meets there must be the same each time, and the length of a name would shift it.
        desk.lay(called.world)
        argv = [os.path.relpath(binary, desk.home), *called.argv(self.seed, "../world", "../trace", "../memory")]
        return process.start(argv, limits=limits, cwd=desk.home, env={"HOME": ".", "TMPDIR": ".", **env},
                             launch=self.lab.launch)

    def _make(self, check: Check, called: Call) -> Recorded:
        program, path = self.ready(), self._save(check, called)

        desk = None if self._asan_off else self._take_desk()
        asan = self._start(program.asan, called, desk, process.ASAN) if desk and not self.kills else None
        recorded = self._alone(check, called, program.cover, self._replay(called, path))
        # one run was stopped already: this one is tried first
        if desk and self.kills and not recorded.outcome.limit:
            asan = self._start(program.asan, called, desk, process.ASAN)
        recorded.asan, recorded.desk = asan, desk
        recorded.again = lambda: self._alone(check, called, program.cover).text
        self._after(recorded)
        return recorded

    def _take_desk(self) -> Desk:
        """A free desk, as good as new."""
        while self._desks:
            desk = self._desks.pop()
            try:
                desk.clear()
                return desk
            except OSError:     # a program has locked it up: it is left alone, and removed in the end
                pass
        self._desks_made += 1
        return Desk(self.work / "desks" / str(self._desks_made))

    def _parse(self, check: Check, text: str, tail: Optional[str] = None) -> Optional[Trace]:
        """The trace; with a tail, the ends of one that was cut. None: the run wrote none."""
        try:
            if "\n" not in text:
                return None
            return read(text) if tail is None else read_cut(text, tail)
        except TraceError as fault:
            raise GraderFault(f"{check.id}: the trace of its run is damaged: {fault}") from None

    def _after(self, recorded: Recorded) -> None:
        """Counts limits, and lets the sanitizer run go on behind while there is room."""
        if recorded.outcome.limit:
            self.kills += 1
            if recorded.asan:
                recorded.asan.kill()
                recorded.asan.finish()
                recorded.asan = None
            return
        self._pending.append(recorded)
        while len(self._pending) > PENDING_MOST:
            self._settle(self._pending.pop(0))

    def _judge(self, check: Check, recorded: Recorded, may_fail: bool) -> None:
        """Raises CheckFailed for a run that did not end well."""
        if recorded.outcome.signal or recorded.outcome.limit or recorded.outcome.exit:
            self._settle_one(recorded)
        failure = ending.failure(recorded.outcome, recorded.trace, recorded.findings)
        if not failure and recorded.trace and not may_fail:
            failure = ending.refusal(recorded.outcome, recorded.trace, recorded.asked)
        if failure:
            recorded.failed = recorded.failed or check
            if failure.cause and failure.cause.kind == "crashed" and recorded.findings:
                crash = next((finding for finding in recorded.findings if finding.kind != "memory leak"), None)
                for src in {failure.cause.src, crash.src if crash else failure.cause.src}:
                    self._told.setdefault(src, check)
            self.output = self.output or cut(recorded.outcome.stdout, 2000)
            raise CheckFailed(in_order(failure) if recorded.call.tape else failure, recorded.replay)

    # ---- for the report ----

    def once(self, called: Call, replay: str = "") -> Recorded:
        """One run of the student's program that no check asks for. Raises what ready() raises, GraderFault for a
        damaged trace."""
        return self._alone(Check("report", "", "correctness", 0, "the report"), called, self.ready().cover, replay)

    def recorded_of(self, check: Check) -> Optional[Recorded]:
        """The run that a check's replay command repeats, else the first that it made; None if it made none."""
        runs = [*self._recorded.values(), *self._ordered.values()]
        return next((recorded for recorded in runs if recorded.replay and recorded.replay == check.replay),
                    next((recorded for recorded in runs if recorded.check is check), None))

    def reference_text(self, called: Call) -> str:
        """The trace of the reference in that call; "" without a reference, or where it does not come to an end."""
        if not self.lab.reference.is_file():
            return ""
        if called not in self._references:
            self._references[called] = self._alone(Check("report", "", "correctness", 0, "the report"), called,
                                                   self.lab.reference)
        return self._references[called].text

    # ---- the second process ----

    def settle(self) -> None:
        """Waits for every sanitizer run, and takes in what they found."""
        while self._pending:
            self._settle(self._pending.pop(0))

    def _settle_one(self, recorded: Recorded) -> None:
        if recorded in self._pending:
            self._pending.remove(recorded)
            self._settle(recorded)

    def _settle(self, recorded: Recorded) -> None:
        """Compares the two runs. A difference that nothing explains, and that is the grader's, fails the check as an
        error."""
        if recorded.asan is None:
            return
        outcome, recorded.asan = recorded.asan.finish(), None
        assert self.program and recorded.desk
        text = recorded.desk.text()
        self._desks.append(recorded.desk)
        recorded.findings = sanitizer.findings(outcome.stderr, self.program)
        if any(finding.kind == "memory leak" and not finding.src for finding in recorded.findings):
            recorded.findings = self._with_places(recorded)
        for finding in recorded.findings:
            self._found(finding, recorded)
        trouble = sanitizer.trouble(outcome.stderr)
        if trouble:
            recorded.fault = f"the sanitizers do not work on this machine: {trouble}"
        elif outcome.limit:
            self._asan_off = True
            self._found(Finding("limit", f"was stopped at a limit ({outcome.limit}) in the build with sanitizers, "
                                         "though not in the plain one", None, "", ""), recorded)
        elif not recorded.findings:
            recorded.fault = self._compare(recorded, text)
        if recorded.fault:
            recorded.check.faulty(recorded.fault)

    def _with_places(self, recorded: Recorded) -> list[Finding]:
        """The findings of a run with a leak whose place is not known: the sanitizers are given time to see through
        libraries that keep no frame pointers. Once in a grading: if that has helped, other such leaks are taken for the
        same one."""
        assert self.program
        leaks = [finding for finding in self.findings if finding.kind == "memory leak"]
        if leaks:
            return [finding for finding in recorded.findings if finding.src or finding.kind != "memory leak"
                    or not leaks[0].src]
        desk = self._take_desk()
        options = process.clean_env(desk.home)["ASAN_OPTIONS"] + ":fast_unwind_on_malloc=0"
        outcome = self._start(self.program.asan, recorded.call, desk, process.ASAN, ASAN_OPTIONS=options).finish()
        self._desks.append(desk)
        return sanitizer.findings(outcome.stderr, self.program) or recorded.findings

    def _compare(self, recorded: Recorded, other: str) -> Optional[str]:
        """None if the traces are the same, or the program is to blame for the difference; else the grader's fault."""
        if recorded.text == other:
            return None
        assert recorded.again
        again = recorded.again()
        if again != recorded.text:
            number, one, two = first_difference(recorded.text, again)
            return (f"two runs of the same program differ from trace line {number} on; one does: {words.event(one)}; "
                    f"the other: {words.event(two)}")
        _, one, two = first_difference(recorded.text, other)
        if '"ev":"overflow"' in other and '"ev":"overflow"' not in recorded.text:
            self._found(Finding("stack overflow", "uses up the stack of a task (256 KiB) as soon as the sanitizers are "
                                "there, with which each call takes more of it: it was nearly full before. Is there a "
                                "large array, or a recursion that is too deep? Use malloc",
                                None, "", ""), recorded)
            return None
        self._found(Finding("two different results",
                            "gave two different results in two builds: it reads memory that it never "
                            f"set, or a clock of its own; one does: {words.event(one)}; the other: {words.event(two)}",
                            None, "", ""), recorded)
        return None

    def _found(self, finding: Finding, recorded: Recorded) -> None:
        key = finding.kind, finding.src
        if key not in self._replays:
            self._replays[key] = recorded
            self.findings.append(finding)

    def run_of(self, finding: Finding) -> Optional[Recorded]:
        """The run that brought a finding to light."""
        return self._replays.get((finding.kind, finding.src))

    def told_by(self, finding: Finding) -> Optional[Check]:
        """The check that has failed because of a finding, and tells of it; None: no check has yet."""
        run = self.run_of(finding)
        if finding.kind == "memory leak" and run and run.failed:
            return run.failed           # a run that does not come to its end frees nothing
        return self._told.get(finding.src)

    # ---- a test suite ----

    def suite(self) -> suite.Suite:
        """All that became of the student's tests, if the student's file is a test suite."""
        if not self._suite:
            self._suite = suite.Suite(self)
            for finding in self._suite.findings:
                self._replays.setdefault((finding.kind, finding.src), None)     # no run of a world
                self.findings.append(finding)
        return self._suite

    # ---- coverage ----

    def start_coverage(self) -> None:
        """Starts gcovr behind what is still to do. No run may follow."""
        if not self._measuring and self.program:
            self._measuring = coverage.start(suite.measured(self.program) if self.lab.suite else self.program)

    def coverage(self) -> coverage.Coverage:
        """What the cover runs have reached. Raises coverage.CoverageError."""
        if not self._coverage:
            self.start_coverage()
            assert self._measuring
            self._coverage = self._measuring.finish()
        return self._coverage

    # ---- what a student can repeat ----

    def _save(self, check: Check, called: Call) -> Path:
        """Writes the world where the replay command finds it: OUT/NN-slug/worlds/<check>[-k].json."""
        name = re.sub(r"[^\w.-]+", "_", check.id).strip("_")
        k = self._worlds[name] = self._worlds.get(name, 0) + 1
        path = self.out / "worlds" / (f"{name}.json" if k == 1 else f"{name}-{k}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(called.world)
        return path.resolve()

    def _replay(self, called: Call, world: Path) -> str:
        named = called.named
        parts = [("LAB", self.lab.number), ("MODE", called.mode), ("WORLD", self.short(world)),
                 ("SEED", str(self.seed))]
        if self.source_dir.resolve() != self.lab.folder.resolve():
            parts.append(("FROM", self.short(self.source_dir)))
        said = [f"{name}={shlex.quote(value)}" for name, value in parts]
        if len(named) > URLS_SHOWN:     # too long for a command: they lie beside the world
            path = world.with_suffix(".urls")
            path.write_text("\n".join(named) + "\n")
            said.append(f"URLS=\"$(cat {shlex.quote(self.short(path))})\"")
        elif named:
            said.append(f"URLS={shlex.quote(' '.join(named))}")
        return " ".join(["make run", *said, *called.replay()])

    def short(self, path: Path) -> str:
        """The path from the top of the house, if it lies in it."""
        path = Path(os.path.abspath(path))
        return str(path.relative_to(self.lab.root)) if path.is_relative_to(self.lab.root) else str(path)

    def close(self) -> None:
        """Ends what is still under way and removes the scratch folder."""
        for recorded in self._pending:
            if recorded.asan:
                recorded.asan.kill()
                recorded.asan.finish()
        self._pending.clear()
        if self._builder:
            self._builder.join()
        if self._measuring and not self._coverage:
            try:
                self._measuring.finish()
            except coverage.CoverageError:
                pass
        shutil.rmtree(self.work, ignore_errors=True)

