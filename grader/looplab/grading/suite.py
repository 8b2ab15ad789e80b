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

import random
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional, Sequence

from ..plain.failure import GraderFault
from ..plain.text import count
from ..running import build, process, sanitizer
from .linking import AT_ONCE, link
from .scrapers import IDLE, Fault, objects, scrapers
from .session import Session
from .suite_run import STOPS_ON_FAULTS, SuiteRunner
from .verdict import Dependence, Test, Verdict, listed, whole

MOST = 60                   # tests in a suite; more are not run
SHUFFLES = 2                # orders by chance in which the tests are run
_BAD = ("assertion", "deadlock", "leak", "crash", "stopped")     # verdicts by which a fault is exposed; "ended" is none


class Suite:
    """All that became of a suite. See the head of this file."""

    def __init__(self, session: Session):
        self._session = session
        self._lab = session.lab
        program = session.ready()
        self._work = program.work
        self._runner = SuiteRunner(session.lab, program.work, session.desks,
                                   None if program.early else session.copies, session.fence)
        self.findings: list[sanitizer.Finding] = []
        self.told_otherwise: list[Verdict] = []     # what the build with sanitizers says otherwise than the plain one
        self._run_all(program)

    def _run_all(self, program: build.Program) -> None:
        self.all = scrapers(self._lab)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = pool.submit(objects, self._lab, self._work)
            self.tests = self._runner.list_tests(program.cover)
            self.verdicts: dict[str, dict[str, Verdict]] = {}
            order = [test.name for test in self.tests][:MOST]
            # What runs in front is the build that counts coverage; that with sanitizers runs behind it.
            self.verdicts["visible"] = self._runner.run(program.cover, order)
            self.correct, self.dependent, self.hollow, self.idle, self.counting = ["visible"], [], [], [], []
            self.caught: dict[str, Optional[Verdict]] = {scraper.name: None for scraper in self.all}
            if self.stopped or not order:
                made.result()
                return
            sanitized = pool.submit(self._sanitized, program, order)
            if any(not verdict.passed for verdict in self.verdicts["visible"].values()):
                order = [name for name in order if self.verdicts["visible"][name].verdict not in ("stopped", "ended")]
            others = self._orders(order)
            alone = list(pool.map(lambda names: self._runner.run(program.cover, names), others))
            programs = link(self._lab, self._work, made.result())
            right = [scraper for scraper in self.all if not scraper.fault and not scraper.hollow
                     and scraper.name != "visible"]
            self.correct = ["visible", *(scraper.name for scraper in right)]
            for scraper in right:
                self.verdicts[scraper.name] = {}
            builds = [(scraper.name, name) for scraper in right for name, _ in scraper.builds]
            for (right_name, _), verdicts in zip(builds, pool.map(lambda one: self._runner.run(programs[one[1]], order),
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
            self._runner.stops, faulty = 0, [scraper for scraper in self.all if scraper.fault]
            names = [test.name for test in self.counting]
            caught = pool.map(lambda one: self._catches([programs[name] for name, _ in one.builds], names),
                              faulty) if names else [None] * len(faulty)
            self.caught.update({scraper.name: verdict for scraper, verdict in zip(faulty, caught)})
            sanitized.result()

    # ---- the picture ----

    @property
    def stopped(self) -> bool:
        """It had to be stopped too often: what is missing was not run."""
        return self._runner.stopped

    @property
    def left(self) -> list[str]:
        """The files that were left behind."""
        return self._runner.left

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
            statuses = [status for status in listed(facts.get("statuses")) if isinstance(status, int)]
            requests, peak = whole(facts.get("requests")), whole(facts.get("peak"))
            seen = {"success": any(200 <= status < 300 for status in statuses),
                    "timeout": whole(facts.get("given_up")) > 0,
                    "status": any(status >= 400 for status in statuses), "network": whole(facts.get("errors")) > 0,
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

    def _sanitized(self, program: build.Program, order: Sequence[str]) -> None:
        """The build with sanitizers, on the visible scraper."""
        stderr: list[str] = []
        verdicts = self._runner.run(program.asan, order, process.ASAN, stderr=stderr)
        for text in stderr:
            trouble = sanitizer.trouble(text)
            if trouble and not sanitizer.work_here(program):
                raise GraderFault(f"the sanitizers do not work on this machine: {trouble}")
            if trouble and all(finding.message != sanitizer.FORGED for finding in self.findings):
                self.findings.append(sanitizer.Finding("forged finding", sanitizer.FORGED, None, "", ""))
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
                verdicts = self._runner.run(programs[scraper.builds[0][0]], open_names, most=STOPS_ON_FAULTS)
                open_names = [name for name in open_names if name not in verdicts
                              or verdicts[name].verdict != "assertion"]
        return [test for test in self.tests if test.name in open_names]

    def _find_idle(self, programs: dict[str, Path]) -> list[Test]:
        """The tests that ask for pages, and do not notice that nothing is done: they assert only in callbacks, say,
        that then nobody calls."""
        visible, hollow = self.verdicts["visible"], {test.name for test in self.hollow}
        asking = [test.name for test in self.tests if test.name in visible and test.name not in hollow
                  and visible[test.name].passed
                  and whole(visible[test.name].facts.get("requests")) > 0]
        folder = next((programs[scraper.builds[0][0]] for scraper in self.all if scraper.name == IDLE), None)
        verdicts = self._runner.run(folder, asking, most=STOPS_ON_FAULTS) if folder and asking else {}
        return [test for test in self.tests if test.name in verdicts and verdicts[test.name].passed]

    def _catches(self, programs: list[Path], names: list[str]) -> Optional[Verdict]:
        """The first test that fails on all builds of a faulty scraper; None if there is none."""
        rest = names
        while rest:
            verdicts = self._runner.run(programs[0], rest, first=True, most=STOPS_ON_FAULTS)
            failed = next((verdict for verdict in verdicts.values() if not verdict.passed), None)
            if failed is None:
                return None
            name = failed.test.name
            others = [self._runner.run(program, [name], most=STOPS_ON_FAULTS).get(name) for program in programs[1:]]
            if all(verdict and verdict.verdict in _BAD for verdict in [failed, *others]):
                return failed
            rest = rest[rest.index(name) + 1:]
        return None
