"""A lab whose student's file is a test suite: it is linked with many scrapers, and its tests are the ones that are
tested.

The fixture's `lab.suite()` gives a check the whole picture, made once for each grading (a manual for check authors):

    suite = lab.suite()
    suite.tests                      the student's tests, in the order of the file
    suite.broken(scraper)            [Verdict] of the tests that fail on a correct scraper; scraper is one of
                                     suite.correct
    suite.hollow                     [Test] that no scraper fails in which everything is wrong: they assert nothing
    suite.idle                       [Test] of the others, that pass on a scraper that does nothing, though they ask for
                                     pages
    suite.dependent                  [Dependence] of the tests whose verdict depends on the tests before them
    suite.counting                   [Test] that are valid, not hollow and independent: only these expose faults
    suite.exposed(practice=False)    [Fault] on which a counting test fails; suite.missed(...): the others
    suite.situations                 {situation: [Test]}: what the counting tests put the scraper through, as the world
                                     saw it

What is linked: `scraper.c` of the lab's folder (with coverage, and with sanitizers; and once for each fault to practise
on); those in its folder `hollow`, in which all is wrong; and what lies in hidden/NN-slug/scrapers: each C file that
faults.h names is a correct scraper, and a faulty one for each of its faults.

A suite is a program that nobody trusts. It writes its verdicts into a file, one a line (sim/kit/test.c); what it
prints, and what it exits with, is no verdict. A test that fails ends its process, and those behind it run in another
one. No process is told which scraper it has been linked with. It could still look at the scraper's machine code, or at
addresses; so each scraper is built in several ways. What it does is the same in all of them, how it looks is not: a
test that goes by the looks is guessing, and would have to guess right on every build of every correct scraper, and
wrong on all builds of a faulty one.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shlex
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Iterable, Optional, Sequence

from ..course.lab import Lab
from ..plain import words
from ..plain.failure import GraderFault
from ..plain.text import count, printable
from ..running import build, process, sanitizer

if TYPE_CHECKING:
    from .session import Session

MOST = 60                   # tests in a suite; more are not run
SHUFFLES = 2                # orders by chance in which the tests are run
STOPS_MOST = 2              # so many processes may be stopped at a limit on correct scrapers; then nothing more is run
STOPS_ON_FAULTS = 4         # the same on faulty ones: a fault may well make a test hang
VISIBLE = "scraper.c"
IDLE = "hollow_nothing"     # the scraper that does nothing
AFTER_STOP = process.Limits(cpu_s=1, wall_s=2.0)
LIBRARIES = ["-lcmocka"]

# how long scrapers that were built from other sources are kept: somebody may just be using them
KEPT_S = 3600
_AT_ONCE = 2                # processes at a time
_FLAGS = ["-std=gnu11", "-w", "-fno-optimize-sibling-calls", "-fPIC", "-shared", "-s", "-Wl,-Bsymbolic",
          "-Wl,-soname,scraper.so"]
_RIGHT_WAYS = ("-O0", "-O1", "-O2", "-Os")      # each correct scraper is built in all of these
_FAULTY_WAYS = ("-O1", "-O2")                   # each faulty one; a hollow one in the first of them
_PLACE = re.compile(r"\[   LINE   \] --- (?P<file>[^\n]+):(?P<line>\d+): error: Failure!")
_ASSERT = re.compile(r": (?P<file>[^\n:]+):(?P<line>\d+): [^\n]*(?P<words>Assertion `[^\n]*' failed)")
_FAULT = re.compile(r'^\s*F\((\w+), (\w+),\s(?:\\\n\s*)?"(.*)"\)', re.M)
_STOPPED = {"cpu": "it computes without end", "wall": "it waits without end, in real time",
            "memory": "it takes up all memory",
            "output": "it prints without end", "file": "it writes without end",
            "threads": "it starts threads without end"}
_BAD = ("assertion", "deadlock", "leak", "crash", "stopped")     # verdicts by which a fault is exposed; "ended" is none


@dataclass(frozen=True)
class Test:
    """One CO_TEST."""

    name: str
    src: str                # "test_scraper.c:12"


@dataclass(frozen=True)
class Fault:
    """One faulty scraper."""

    name: str
    sentence: str           # what it does wrong: "fetches one page after the other, ..."


@dataclass(frozen=True)
class Verdict:
    """What became of one test on one scraper."""

    test: Test
    verdict: str            # passed assertion deadlock leak crash ended stopped
    said: str = ""          # on stderr, the words of an assertion included
    facts: dict = field(default_factory=dict, compare=False)    # what the world saw

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"

    @property
    def src(self) -> str:
        """The line that failed, if it is one of the suite; else the test's."""
        match = _PLACE.search(self.said) or _ASSERT.search(self.said)
        name = Path(match["file"]).name if match else ""
        return f"{name}:{match['line']}" if match and name == self.test.src.partition(":")[0] else self.test.src

    @property
    def words(self) -> str:
        """Why it failed, in one line."""
        said = self.said
        if self.verdict == "stopped":
            return _STOPPED.get(said, "it did not come to an end")
        if self.verdict == "ended":
            return "it ended the program"
        if match := _ASSERT.search(said):
            return match["words"]
        if self.verdict == "deadlock":
            return "everything waits, and nothing can ever happen again"
        place = _PLACE.search(said)
        lines = [line for line in (said[:place.start()] if place else said).strip().split("\n") if line]
        if self.verdict == "leak":
            return next((line.partition("leak: ")[2] for line in lines if ": leak: " in line),
                        "something was left behind")
        if self.verdict == "crash":
            return lines[-1] if lines and re.search("overflow|livelock", lines[-1]) else "it crashed"
        return _numbers(printable(lines[-1])) if lines else "an assertion does not hold"


@dataclass(frozen=True)
class Dependence:
    """A test whose verdict depends on what ran before it."""

    test: Test
    how: str                # "fails on its own", "fails in another order"
    verdict: Verdict


# ---- Building -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scraper:
    """One that the suite is linked with."""

    name: str               # "visible", "workers", "workers-polling", "hollow_nothing"
    source: Path
    fault: Optional[Fault] = None
    practice: bool = False

    @property
    def hollow(self) -> bool:
        return self.name.startswith("hollow")

    @property
    def builds(self) -> list[tuple[str, str]]:
        """(name, flag) of each build: what is linked, the visible one aside."""
        ways = _FAULTY_WAYS[:1] if self.hollow else _FAULTY_WAYS if self.fault else _RIGHT_WAYS
        return [] if self.name == "visible" else [(f"{self.name}{flag}", flag) for flag in ways]


def scrapers(lab: Lab) -> list[Scraper]:
    """All of them, the visible one first; without the hidden folder, as on a student's own machine, only that one.
    Raises GraderFault."""
    folder, visible = lab.hidden / "scrapers", lab.folder / VISIBLE
    table = _FAULT.findall((folder / "faults.h").read_text()) if folder.is_dir() else []
    if folder.is_dir() and not table:
        raise GraderFault(f"hidden/{lab.slug}/scrapers/faults.h names no faults")
    found = [Scraper("visible", visible)]
    found += [Scraper(name, folder / f"{name}.c") for name in sorted({file for _, file, _ in table})]
    found += [Scraper(f"{file}-{name}", folder / f"{file}.c", Fault(name, sentence)) for name, file, sentence in table]
    for name in re.findall(r"\w+", "".join(re.findall(r"enum \{ no_fault,(.*?)\};", visible.read_text()))):
        found.append(Scraper(f"visible-{name}", visible, Fault(name, f"FAULT={name}"), practice=True))
    return found + [Scraper(f"hollow_{path.stem}", path) for path in sorted((lab.folder / "hollow").glob("*.c"))]


def build_suite(lab: Lab, source_dir: Path, work_dir: Path) -> build.Program:
    """Compiles the suite, and links it with the visible scraper: with counters of coverage, and with sanitizers.

    Raises build.Ungradable or build.BuildError.
    """
    text = build.read_source(lab, source_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    work = work_dir.resolve()
    (work / lab.source).write_bytes(text)
    shutil.copyfile(lab.folder / VISIBLE, work / VISIBLE)
    build._require_kit(lab)
    sanitize = ["-fsanitize=address,undefined"]
    common = [f"@{lab.root / 'sim/kit/student.flags'}", "-O0", "-fdiagnostics-color=never", "-fmax-errors=20",
              f"-I{lab.root / 'sim/include'}",
              f"-I{lab.folder}", f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={lab.root}=."]
    outcomes = _gcc_all(lab, work, [
        [*common, "-MMD", "-MF", "cover.d", "-c", lab.source, "-o", "suite.o"],
        [*common, *sanitize, "-c", lab.source, "-o", "suite-asan.o"],
        [*common, "--coverage", "-c", VISIBLE, "-o", "scraper.o"],
        [*common, *sanitize, "-c", VISIBLE, "-o", "scraper-asan.o"]])
    build._check_includes(lab, work)
    for outcome in outcomes:
        if not outcome.ok:
            raise build._fault(lab, work, outcome)
    advice = build._advice(lab, outcomes[0])
    outcomes = _gcc_all(lab, work, [
        ["--coverage", "suite.o", "scraper.o", *_kit(lab, whole=True), "-o", "cover"],
        [*sanitize, "suite-asan.o", "scraper-asan.o", *_kit(lab, asan=True), "-o", "asan"]])
    for outcome in outcomes:
        if not outcome.ok:
            raise build._fault(lab, work, outcome)
    return build.Program(lab=lab, work=work, source=work / lab.source, cover=work / "cover", asan=work / "asan",
                         advice=advice)


def measured(program: build.Program) -> build.Program:
    """What coverage is counted of: the visible scraper."""
    return replace(program, lab=replace(program.lab, source=VISIBLE), source=program.work / VISIBLE)


def _kit(lab: Lab, asan: bool = False, whole: bool = False) -> list[str]:
    """The rest of a program, for the linker. whole: also what is not needed, so that a name of the kit's in the suite
    is an error."""
    around = ("-Wl,--whole-archive", "-Wl,--no-whole-archive") if whole else ("", "")
    words = [lab.main_object(asan), around[0], lab.library(asan), around[1], f"@{lab.root / 'sim/kit/link.flags'}",
             *LIBRARIES]
    return [str(word) for word in words if word]


def _gcc_all(lab: Lab, work: Path, commands: Iterable[Sequence[str]]) -> list[process.Outcome]:
    """Runs the compiler, a few at a time."""
    cc = build.compiler()
    env = {name: os.environ[name] for name in ("PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "LIBRARY_PATH")
           if name in os.environ}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda command: process.run([*cc, *command], limits=build.LIMITS, cwd=work, env=env,
                                                         launch=lab.launch), commands))


def objects(lab: Lab, work: Path) -> dict[str, Path]:
    """The scrapers as shared objects, by name: so a suite is linked once, not 80 times. They are kept beside the kit,
    under a name that changes with all they are made of.

    A folder is put there whole or not at all, so two gradings may do it at the same time. Raises build.BuildError.
    """
    there = [scraper for scraper in scrapers(lab) if scraper.name != "visible"]
    made_of = [path for path in sorted([*(lab.hidden / "scrapers").glob("*"), *(lab.folder / "hollow").glob("*"),
                                        lab.folder / VISIBLE, lab.folder / lab.header,
                                        lab.root / "sim/include/co.h"]) if path.is_file()]
    key = hashlib.sha256("\0".join([*build.compiler(), *_FLAGS, *_RIGHT_WAYS, *_FAULTY_WAYS]).encode())
    for path in made_of:
        key.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    kept = lab.kit / lab.slug / f"scrapers-{key.hexdigest()[:16]}"
    found = {name: kept / f"{name}.so" for scraper in there for name, _ in scraper.builds}
    if kept.is_dir():
        return found
    making = _folder_in(kept.parent) or Path(tempfile.mkdtemp(dir=work))
    common = [*_FLAGS, f"-I{lab.root / 'sim/include'}", f"-I{lab.folder}", f"-ffile-prefix-map={lab.root}=."]
    commands = [[*common, flag, *([f"-DFAULT={scraper.fault.name}"] if scraper.fault else []), str(scraper.source),
                 "-o", f"{name}.so"]
                for scraper in there for name, flag in scraper.builds]
    for command, outcome in zip(commands, _gcc_all(lab, making, commands)):
        if not outcome.ok:
            shutil.rmtree(making, ignore_errors=True)
            first = (outcome.stderr.strip().splitlines() or ["no message"])[0]
            raise build.BuildError(f"the scraper {command[-1]} does not compile: {first}")
    old = [folder for folder in kept.parent.glob("scrapers-*") if _age(folder) > KEPT_S]
    try:
        making.chmod(0o755)     # who grades need not be who builds
        making.rename(kept)
    except OSError:         # somebody was faster, or nothing can be kept there
        if kept.is_dir():
            shutil.rmtree(making, ignore_errors=True)
            return found
        return {name: making / path.name for name, path in found.items()}
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _age(folder: Path) -> float:
    """In seconds; 0 if somebody has just removed it."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _folder_in(place: Path) -> Optional[Path]:
    """A new folder there; None where nothing can be written."""
    try:
        return Path(tempfile.mkdtemp(prefix=".making-", dir=place))
    except OSError:
        return None


# ---- Running --------------------------------------------------------------------------------------


class Suite:
    """All that became of a suite. See the head of this file."""

    def __init__(self, session: "Session"):
        self._session = session
        self._lab = session.lab
        self._lock = threading.Lock()       # of the desks
        self._stops = 0
        program = session.ready()
        self._work = program.work
        self._suite_object = program.work / "suite.o"
        self.stopped = False                # it had to be stopped too often: what is missing was not run
        self.left: list[str] = []           # files that were left behind
        self.findings: list[sanitizer.Finding] = []
        self.told_otherwise: list[Verdict] = []     # what the build with sanitizers says otherwise than the plain one
        self._run_all(program)

    def _run_all(self, program: build.Program) -> None:
        self.all = scrapers(self._lab)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            made = pool.submit(objects, self._lab, self._work)
            self.tests = self._list(program.cover)
            self.verdicts: dict[str, dict[str, Verdict]] = {}
            order = [test.name for test in self.tests][:MOST]
            # What runs in front is the build that counts coverage; that with sanitizers runs behind it.
            self.verdicts["visible"] = self._run(program.cover, order)
            self.correct, self.dependent, self.hollow, self.idle, self.counting = ["visible"], [], [], [], []
            self.caught: dict[str, Optional[Verdict]] = {scraper.name: None for scraper in self.all}
            if self.stopped or not order:
                made.result()
                return
            sanitized = pool.submit(self._sanitized, program, order)
            if any(not verdict.passed for verdict in self.verdicts["visible"].values()):
                order = [name for name in order if self.verdicts["visible"][name].verdict not in ("stopped", "ended")]
            others = self._orders(order)
            alone = list(pool.map(lambda names: self._run(program.cover, names), others))
            programs = self._link(made.result())
            right = [scraper for scraper in self.all if not scraper.fault and not scraper.hollow
                     and scraper.name != "visible"]
            self.correct = ["visible", *(scraper.name for scraper in right)]
            for scraper in right:
                self.verdicts[scraper.name] = {}
            builds = [(scraper.name, name) for scraper in right for name, _ in scraper.builds]
            for (right_name, _), verdicts in zip(builds, pool.map(lambda one: self._run(programs[one[1]], order),
                                                                  builds)):
                for name, verdict in verdicts.items():
                    if not verdict.passed or name not in self.verdicts[right_name]:     # one failure outweighs all else
                        self.verdicts[right_name][name] = verdict
            self.dependent = self._compare(others, alone)
            self.hollow = self._find_hollow(programs, order)
            self.idle = self._find_idle(programs)
            bad = {verdict.test.name for name in self.correct for verdict in self.broken(name)}
            bad |= {test.name for test in self.hollow} | {one.test.name for one in self.dependent}
            self.counting = [] if self.stopped else [test for test in self.tests if test.name in order
                                                     and test.name not in bad]
            self._stops, faulty = 0, [scraper for scraper in self.all if scraper.fault]
            names = [test.name for test in self.counting]
            caught = pool.map(lambda one: self._catches([programs[name] for name, _ in one.builds], names),
                              faulty) if names else [None] * len(faulty)
            self.caught.update({scraper.name: verdict for scraper, verdict in zip(faulty, caught)})
            sanitized.result()

    # ---- the picture ----

    @property
    def whole(self) -> bool:
        """Are the hidden scrapers there?"""
        return any(scraper.fault and not scraper.practice for scraper in self.all)

    def broken(self, scraper: str) -> list[Verdict]:
        """Which tests fail on a correct scraper. One that does not come to an end, or leaves, on the visible one is run
        on no other."""
        found, usual = self.verdicts.get(scraper, {}), self.verdicts["visible"]
        verdicts = [found.get(test.name, usual.get(test.name)) for test in self.tests]
        return [verdict for verdict in verdicts if verdict and not verdict.passed]

    def exposed(self, practice: bool = False) -> list[Fault]:
        """The faults on which a counting test fails: the hidden ones, or those to practise on."""
        return [one.fault for one in self.all if one.fault and one.practice == practice and self.caught[one.name]]

    def missed(self, practice: bool = False) -> list[Fault]:
        """The other ones."""
        return [one.fault for one in self.all if one.fault and one.practice == practice and not self.caught[one.name]]

    @property
    def situations(self) -> dict[str, list[Test]]:
        """Which of the counting tests put the visible scraper into which situation, by what the world saw."""
        found: dict[str, list[Test]] = {name: [] for name in ("success", "timeout", "status", "network", "together",
                                                              "limit")}
        for test in self.counting:
            facts = self.verdicts["visible"][test.name].facts
            statuses = [status for status in _list(facts.get("statuses")) if isinstance(status, int)]
            requests, peak = _int(facts.get("requests")), _int(facts.get("peak"))
            seen = {"success": any(200 <= status < 300 for status in statuses),
                    "timeout": _int(facts.get("given_up")) > 0,
                    "status": any(status >= 400 for status in statuses), "network": _int(facts.get("errors")) > 0,
                    "together": peak > 1, "limit": requests > peak > 0}
            for name, holds in seen.items():
                if holds:
                    found[name].append(test)
        return found

    @property
    def blocking(self) -> list[Test]:
        """The tests that stop the loop: sleep, http_get_blocking, co_cpu."""
        return [verdict.test for verdict in self.verdicts["visible"].values() if verdict.facts.get("blocked") is True]

    # ---- in words ----

    def told(self, verdicts: Sequence[Verdict], fails: str = "fails") -> str:
        """ "one_good_page fails (404 is not 200), and so do 2 more tests" """
        more = len(verdicts) - 1
        return f"{verdicts[0].test.name} {fails} ({verdicts[0].words})" \
            + (f", and so do{'es' if more == 1 else ''} {count(more, 'more test')}" if more else "")

    def line(self, src: str) -> str:
        """The text of a line of the suite."""
        assert self._session.program
        return self._session.program.line(src)

    @property
    def all_pass(self) -> str:
        """What became of the tests on a scraper whose fault is not exposed."""
        idle = len(self.tests) - len(self.counting)
        why = " (they depend on others)" if idle and idle == len(self.dependent) else ""
        return "all tests that count pass" + (f"; {idle} of {len(self.tests)} do not count{why}" if idle else "")

    def why(self, verdict: Verdict, asked: str) -> str:
        """The cause of a failure on a correct scraper. asked: what an assertion is asked that does not hold."""
        if verdict.verdict == "ended":
            return ("it calls exit, or the like: a test is over where its body ends, "
                    "or at an assertion that does not hold")
        wild = next((finding for finding in self.findings if finding.src and finding.kind != "memory leak"), None)
        if wild:        # whatever then does not hold is only what came of it
            return (f"mend this first: {wild.src} ({wild.code}): {wild.message}. "
                    "What stands in memory behind it is then anybody's guess")
        if verdict.verdict in ("assertion", "stopped"):
            return f"{self.line(verdict.src)}: {asked}"
        return (f"{self.line(verdict.src)}: the scraper keeps its contract, so it is the test: "
                "what does it wait for, read, or leave behind?")

    @property
    def idle_words(self) -> str:
        """What to say of tests that do not notice that nothing is done; "" if they are few: one may well be about what
        is not done."""
        if 2 * len(self.idle) < max(len(self.counting), 2):
            return ""
        more = len(self.idle) - 1
        who = self.idle[0].name + (f" and {count(more, 'more test')} pass" if more else " passes")
        return (f"{who} on a scraper that does nothing at all (hollow/nothing.c): which assertion would notice? One in "
                "a callback is none when nobody calls it, so count the calls, and assert the count behind scrape_all")

    def replay(self, *tests: Test, fault: str = "") -> str:
        """The command that runs these tests on the visible scraper, perhaps with a fault to practise on."""
        source = self._session.source_dir
        words = ["make run", f"LAB={self._lab.number}"] \
            + ([f"TEST={shlex.quote(' '.join(test.name for test in tests))}"] if tests else [])
        words += [f"FAULT={fault}"] if fault else []
        words += [f"FROM={shlex.quote(self._session.short(source))}"] \
            if source.resolve() != self._lab.folder.resolve() else []
        return " ".join(words)

    # ---- how ----

    def _link(self, made: dict[str, Path]) -> dict[str, Path]:
        """Links the program for all scrapers but the visible one. Returns a folder for each build, in which it lies
        under the name that the program looks for. The folders' names are numbers by chance: a name must not tell which
        scraper is in it."""
        numbers = random.SystemRandom().sample(range(100, 1000), len(made))
        folders = {name: self._work / "scrapers" / str(number) for name, number in zip(made, numbers)}
        for name, folder in folders.items():
            folder.mkdir(parents=True)
            try:
                os.link(made[name], folder / "scraper.so")
            except OSError:
                shutil.copyfile(made[name], folder / "scraper.so")
        some = next(iter(folders.values())) / "scraper.so"
        outcome, = _gcc_all(self._lab, self._work, [["-rdynamic", str(self._suite_object), str(some),
                                                     *_kit(self._lab, whole=True), "-o", "linked"]])
        if not outcome.ok:
            raise build._fault(self._lab, self._work, outcome)
        return folders

    def _list(self, program: Path) -> list[Test]:
        """The tests that there are, in the order of the file."""
        lines, _ = self._process(program, ["--list"], process.COVER)
        tests = next((line["tests"] for line in lines if "tests" in line), None)
        if not isinstance(tests, list):
            self.stopped = True
            return []
        named = [one for one in tests if isinstance(one, dict) and re.fullmatch(r"\w+", str(one.get("name")))]
        return [Test(one["name"], f"{Path(str(one.get('file'))).name}:{one.get('line')}") for one in named]

    def _process(self, program: Path, arguments: Sequence[str], limits: process.Limits) -> tuple[list[dict],
                                                                                                 process.Outcome]:
        """One process, and the lines it left. program: the file, or the folder of a scraper."""
        with self._lock:
            desk = self._session._take_desk()
        env = {"HOME": ".", "TMPDIR": "."}
        if program.is_dir():
            env["LD_LIBRARY_PATH"] = os.path.relpath(program, desk.home)
            program = self._work / "linked"
        argv = [os.path.relpath(program, desk.home), "--results", "../trace", *arguments]
        outcome = process.start(argv, limits=limits, cwd=desk.home, env=env, launch=self._lab.launch).finish()
        lines = [] if outcome.limit == "file" else _lines(desk.text())
        left = sorted(path.name for path in desk.home.iterdir()) if desk.home.is_dir() else []
        with self._lock:
            self.left += left
            self._session._desks.append(desk)
        return lines, outcome

    def _run(self, program: Path, names: Sequence[str], limits: Optional[process.Limits] = None, first: bool = False,
             most: int = STOPS_MOST, stderr: Optional[list[str]] = None) -> dict[str, Verdict]:
        """The verdicts on one scraper. first: only up to the first test that fails. A test that fails ends its
        process."""
        by_name = {test.name: test for test in self.tests}
        found: dict[str, Verdict] = {}
        rest = list(names)
        while rest:
            if self._stops >= most:
                self.stopped = self.stopped or most == STOPS_MOST
                return found
            lines, outcome = self._process(program, rest, limits or (AFTER_STOP if self._stops else process.COVER))
            if stderr is not None:
                stderr.append(outcome.stderr)
            for name, verdict in _verdicts(lines, outcome, rest, by_name).items():
                found[name] = verdict
            if outcome.limit:
                with self._lock:
                    self._stops += 1
            done = [name for name in rest if name in found]
            rest = [name for name in rest if name not in found]
            if first and any(not found[name].passed for name in done):
                return found
        return found

    def _sanitized(self, program: build.Program, order: Sequence[str]) -> None:
        """The build with sanitizers, on the visible scraper."""
        stderr: list[str] = []
        verdicts = self._run(program.asan, order, process.ASAN, stderr=stderr)
        for text in stderr:
            trouble = sanitizer.trouble(text)
            if trouble:
                raise GraderFault(f"the sanitizers do not work on this machine: {trouble}")
            for finding in sanitizer.findings(text, program):
                if all((finding.kind, finding.src) != (other.kind, other.src) for other in self.findings):
                    self.findings.append(finding)
        plain = self.verdicts["visible"]
        self.told_otherwise = [verdict for name, verdict in verdicts.items() if name in plain
                               and verdict.passed != plain[name].passed]

    def _orders(self, order: list[str]) -> list[list[str]]:
        """Each alone, the other way round, and in some orders by chance, which follow from the seed."""
        chance = random.Random(f"{self._session.seed} order")
        shuffled = [chance.sample(order, len(order)) for _ in range(SHUFFLES)]
        return [[name] for name in order] + ([list(reversed(order)), *shuffled] if len(order) > 1 else [])

    def _compare(self, orders: list[list[str]], found: list[dict[str, Verdict]]) -> list[Dependence]:
        """The tests that give another verdict in another order."""
        first: dict[str, Dependence] = {}
        for names, verdicts in zip(orders, found):
            for name, verdict in verdicts.items():
                usual = self.verdicts["visible"].get(name)
                if usual and usual.passed != verdict.passed and name not in first:
                    told = verdict if usual.passed else usual
                    how = "on its own" if len(names) == 1 else "in another order"
                    how = f"fails {how}, but passes behind the others" if usual.passed \
                        else f"passes {how}, but fails behind the others"
                    first[name] = Dependence(usual.test, how, told)
        return [first[test.name] for test in self.tests if test.name in first]

    def _find_hollow(self, programs: dict[str, Path], order: list[str]) -> list[Test]:
        """The tests without an assertion that fails where everything is wrong."""
        open_names = [name for name in order if name in self.verdicts["visible"]
                      and self.verdicts["visible"][name].passed]
        for scraper in (one for one in self.all if one.hollow):
            if open_names:
                # Crashes and the like are no assertions: a test that only looks up what it was told may well crash
                # here.
                verdicts = self._run(programs[scraper.builds[0][0]], open_names, most=STOPS_ON_FAULTS)
                open_names = [name for name in open_names if name not in verdicts
                              or verdicts[name].verdict != "assertion"]
        return [test for test in self.tests if test.name in open_names]

    def _find_idle(self, programs: dict[str, Path]) -> list[Test]:
        """The tests that ask for pages, and do not notice that nothing is done: they assert only in callbacks, say,
        that then nobody calls."""
        visible, hollow = self.verdicts["visible"], {test.name for test in self.hollow}
        asking = [test.name for test in self.tests if test.name in visible and test.name not in hollow
                  and visible[test.name].passed
                  and _int(visible[test.name].facts.get("requests")) > 0]
        folder = next((programs[scraper.builds[0][0]] for scraper in self.all if scraper.name == IDLE), None)
        verdicts = self._run(folder, asking, most=STOPS_ON_FAULTS) if folder and asking else {}
        return [test for test in self.tests if test.name in verdicts and verdicts[test.name].passed]

    def _catches(self, programs: list[Path], names: list[str]) -> Optional[Verdict]:
        """The first test that fails on all builds of a faulty scraper; None if there is none."""
        rest = names
        while rest:
            verdicts = self._run(programs[0], rest, first=True, most=STOPS_ON_FAULTS)
            failed = next((verdict for verdict in verdicts.values() if not verdict.passed), None)
            if failed is None:
                return None
            name = failed.test.name
            others = [self._run(program, [name], most=STOPS_ON_FAULTS).get(name) for program in programs[1:]]
            if all(verdict and verdict.verdict in _BAD for verdict in [failed, *others]):
                return failed
            rest = rest[rest.index(name) + 1:]
        return None


def _lines(text: str) -> list[dict]:
    """What a suite wrote, as far as it is what it should be."""
    found = []
    for line in text.split("\n"):
        try:
            value = json.loads(line) if line.startswith("{") else None
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append(value)
    return found


def _verdicts(lines: list[dict], outcome: process.Outcome, names: Sequence[str],
              by_name: dict[str, Test]) -> dict[str, Verdict]:
    """The verdicts of one process on the tests it was given. At least the first of them has one."""
    found: dict[str, Verdict] = {}
    begun: Optional[str] = None
    for line in lines:
        name = line.get("begin", line.get("test"))
        if name not in names or name in found:
            continue
        begun = name
        if "verdict" in line:
            said = line.get("said")
            found[name] = Verdict(by_name[name], str(line["verdict"]), said if isinstance(said, str) else "", line)
    over = any("end" in line for line in lines) and outcome.exit == 0
    missing = [name for name in names if name not in found]
    if missing and not (found and any(not verdict.passed for verdict in found.values())):
        # The process ended in a way that it could not report itself: the test under way is to blame.
        name = begun if begun in missing else missing[0]
        verdict = "stopped" if outcome.limit else "ended" if outcome.exit == 0 else "crash"
        found[name] = Verdict(by_name[name], verdict, outcome.limit or outcome.stderr)
    elif not missing and not over and all(verdict.passed for verdict in found.values()) and outcome.signal:
        last = names[-1]
        found[last] = replace(found[last], verdict="crash", said=outcome.stderr)
    return found


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _numbers(text: str) -> str:
    """cmocka's hexadecimal numbers in decimal, times in ms: "0x1 != 0x2" is "1 is not 2"."""
    match = re.fullmatch(r"(?:0x)?([0-9a-f]{1,16}) (!=|==) (?:0x)?([0-9a-f]{1,16})", text)
    if not match:
        return text
    left, right = (value - (1 << 64) if value >> 63 else value for value in (int(match[1], 16), int(match[3], 16)))
    if max(left, right) >= 1 << 44 and "!=" in text:
        return "one address is not the other"
    is_time = all(value % 1000 == 0 for value in (left, right)) and max(abs(left), abs(right)) >= 1_000_000

    def show(value: int) -> str:
        return f"{value / 1e6:g} ms" if is_time else words.error(value) if -4096 < value < 0 else str(value)

    return f"{show(left)} is not {show(right)}" if match[2] == "!=" else f"{show(left)} is what it should not be"


def main(argv: Sequence[str]) -> int:
    """`python -m looplab.grading.suite 06-testing`: compiles the scrapers of a lab beforehand."""
    from ..course import lab as labs
    for word in argv:
        lab = labs.resolve(word)
        (lab.kit / lab.slug).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            objects(lab, Path(work))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
