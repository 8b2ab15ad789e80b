"""Runs the tests of a suite, a process at a time: the one place where its programs are started, and stopped."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..course.lab import Lab
from ..running import process
from ..running.fence import Fence
from ..running.forks import Forks
from .desk import Desk, Desks
from .verdict import Test, Verdict, lines_of, verdicts_of

STOPS_MOST = 2              # so many processes may be stopped at a limit on correct scrapers; then nothing more is run
STOPS_ON_FAULTS = 4         # the same on faulty ones: a fault may well make a test hang
AFTER_STOP = process.Limits(cpu_s=1, wall_s=2.0)


class SuiteRunner:
    """The runs of one grading's suite. Its threads may run several at a time. copies: who makes copies of a program;
    None: each run is started anew. fence: what a program sees that runs in a folder."""

    def __init__(self, lab: Lab, work: Path, desks: Desks,
                 copies: Optional[Callable[[Path, process.Limits], Forks]] = None,
                 fence: Callable[[Path, Path], Optional[Fence]] = lambda program, place: None):
        self._lab, self._work, self._desks, self._copies, self._fence = lab, work, desks, copies, fence
        self._lock = threading.Lock()       # of the desks, and of who makes copies
        self.tests: list[Test] = []         # in the order of the file
        self.stops = 0
        self.stopped = False                # it had to be stopped too often: what is missing was not run
        self.left: list[str] = []           # files that were left behind

    def list_tests(self, program: Path) -> list[Test]:
        """The tests that there are, in the order of the file."""
        lines, _ = self._process(program, ["--list"], process.COVER)
        tests = next((line["tests"] for line in lines if "tests" in line), None)
        if not isinstance(tests, list):
            self.stopped = True
            return []
        named = [one for one in tests if isinstance(one, dict) and isinstance(one.get("name"), str)
                 and re.fullmatch(r"\w+", one["name"])]
        self.tests = [Test(one["name"], f"{Path(str(one.get('file'))).name}:{one.get('line')}") for one in named]
        return self.tests

    def _process(self, program: Path, arguments: Sequence[str], limits: process.Limits) \
            -> tuple[list[dict], process.Outcome]:
        """One process, and the lines it left. program: the file, or the folder of a scraper."""
        with self._lock:
            desk = self._desks.take()
        running = self._copy(program, arguments, limits, desk) or self._anew(program, arguments, limits, desk)
        outcome = running.finish()
        lines = [] if outcome.limit == "file" else lines_of(desk.text())
        left = sorted(path.name for path in desk.home.iterdir()) if desk.home.is_dir() else []
        with self._lock:
            self.left += left
            self._desks.give_back(desk)
        return lines, outcome

    def _copy(self, program: Path, arguments: Sequence[str], limits: process.Limits, desk: Desk) \
            -> Optional[process.Running]:
        """The run in a copy of the program that was started once. None: there are no copies."""
        binary, scraper = program, []
        if program.is_dir():
            binary, scraper = self._work / "open", ["--scraper", os.path.relpath(program / "scraper.so", desk.home)]
        if self._copies is None or limits.memory is None or not binary.is_file():
            return None
        with self._lock:
            forks = self._copies(binary, process.COVER)
        words = [os.path.relpath(binary, desk.home), "--results", "../trace", *scraper, *arguments]
        return forks.start(words, limits=limits, cwd=desk.home)

    def _anew(self, program: Path, arguments: Sequence[str], limits: process.Limits, desk: Desk) -> process.Running:
        env = {"HOME": ".", "TMPDIR": "."}
        if program.is_dir():
            env["LD_LIBRARY_PATH"] = os.path.relpath(program, desk.home)
            program = self._work / "linked"
        words = [os.path.relpath(program, desk.home), "--results", "../trace", *arguments]
        return process.start(words, limits=limits, cwd=desk.home, env=env, launch=self._lab.launch,
                             fence=self._fence(program, desk.home.parent))

    def run(self, program: Path, names: Sequence[str], limits: Optional[process.Limits] = None, first: bool = False,
            most: int = STOPS_MOST, stderr: Optional[list[str]] = None) -> dict[str, Verdict]:
        """The verdicts on one scraper. first: only up to the first test that fails. A test that fails ends its
        process."""
        by_name = {test.name: test for test in self.tests}
        found: dict[str, Verdict] = {}
        rest = list(names)
        while rest:
            if self.stops >= most:
                self.stopped = self.stopped or most == STOPS_MOST
                return found
            lines, outcome = self._process(program, rest, limits or (AFTER_STOP if self.stops else process.COVER))
            if stderr is not None:
                stderr.append(outcome.stderr)
            for name, verdict in verdicts_of(lines, outcome, rest, by_name).items():
                found[name] = verdict
            if outcome.limit:
                with self._lock:
                    self.stops += 1
            done = [name for name in rest if name in found]
            rest = [name for name in rest if name not in found]
            if first and any(not found[name].passed for name in done):
                return found
        return found
