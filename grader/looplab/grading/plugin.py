"""The pytest plugin: makes tests into checks, in the right order, and their exceptions into words for a student.

`python -m looplab grade` runs pytest with an instance of Checks in its own process. A check's author may also say
`pytest -p looplab.grading.plugin labs/01-sync-vs-async/test_visible.py`; the file graded is then $FROM's, or the
skeleton.
"""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Generator, Optional

import pytest

from ..asking.check import Check
from ..asking.points import points_of
from ..course import lab as labs
from ..plain import seed, words
from ..plain.duration import Duration
from ..plain.failure import Cause, CheckFailed, Failure, GraderFault
from ..reading import forged
from ..running import build
from ..running.coverage import CoverageError
from ..running.process import LaunchError
from .begin import begin
from .fixture import LabFixture
from .session import Session

_TOPICS = {Duration: "timing", list: "results"}


class Checks:
    """The hooks for one grading. `only`: the id of the one check to run (and what it needs)."""

    def __init__(self, session: Optional[Session], only: Optional[str] = None,
                 progress: Callable[[int, int, str], None] = lambda done, of, title: None):
        self.session = session
        self.only = only
        self.root = session.lab.root if session else labs.ROOT
        self.progress = progress
        self.checks: list[Check] = []                   # in the order of the files
        self.fault: Optional[str] = None                # of the checks themselves: nothing was run
        self.ungradable: Optional[build.Ungradable] = None
        self._by_item: dict[str, Check] = {}            # node id -> check
        self._fixture: Optional[LabFixture] = None
        self._comparison: Optional[tuple[str, Any,
                                         Any]] = None     # (operator, left, right) of the assert that failed last
        self._done = 0

    # ---- collecting ----

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        """A check file that does not import."""
        if isinstance(node, pytest.Collector) and not self.fault:
            self.fault = _import_fault(call.excinfo.value, node, self.root)

    def pytest_internalerror(self, excinfo: Any) -> bool:
        """A fault of the plugin itself: named, not shown as pages of Python."""
        last = traceback.extract_tb(excinfo.value.__traceback__)[-1]
        self.fault = self.fault \
            or f"{_short(last.filename, self.root)}:{last.lineno}: {excinfo.type.__name__}: {excinfo.value}"
        return True         # so pytest prints nothing

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Makes checks of the tests, and puts them into an order in which what is needed comes first."""
        try:
            for item in items:
                self._add(item)
            self._check_needs()
            if self.only is not None:
                self._select(items)
            items[:] = self._ordered(items)
        except GraderFault as fault:
            self.fault = self.fault or str(fault)
        if self.fault:
            items.clear()

    def _add(self, item: Any) -> None:
        place = f"{_short(item.path, self.root)}:{item.function.__code__.co_firstlineno}"
        said = points_of(item.function)
        if said is None:
            raise GraderFault(f"{place}: {item.name} has no points: write @points(10, \"correctness\") above it")
        if said.fault():
            raise GraderFault(f"{place}: {item.name} {said.fault()}")
        title = " ".join((item.function.__doc__ or "").strip().split("\n\n")[0].split())
        if "{" in title and hasattr(item, "callspec"):
            title = title.format(**item.callspec.params)    # of a parametrized test each has its own
        if not title:
            raise GraderFault(f"{place}: {item.name} has no docstring: the student reads it")
        twin = next((check for check in self.checks if check.id == item.name), None)
        if twin:
            raise GraderFault(f"{place}: {item.name} is also the name of the check at {twin.place}")
        check = Check(item.name, title, said.category, said.worth, place, said.needs, said.last, said.idea, said.alone)
        self.checks.append(check)
        self._by_item[item.nodeid] = check

    def _check_needs(self) -> None:
        for check in self.checks:
            for need in check.needs:
                if not self._named(need):
                    raise GraderFault(f"{check.place}: {check.id} needs {need}, which is no check of this lab")

    def _named(self, name: str) -> list[Check]:
        """The checks a need names: one, or all of a parametrized test."""
        return [check for check in self.checks if check.id == name or check.id.startswith(name + "[")]

    def _select(self, items: list) -> None:
        """Keeps the one check asked for, and what it needs."""
        assert self.only is not None
        wanted = self._named(self.only)
        if not wanted:
            raise GraderFault(f"there is no check {self.only!r}; the checks "
                              f"are: {', '.join(check.id for check in self.checks)}")
        for check in wanted:
            wanted += [need for name in check.needs for need in self._named(name) if need not in wanted]
        self.checks = [check for check in self.checks if check in wanted]
        items[:] = [item for item in items if self._by_item[item.nodeid] in self.checks]

    def _ordered(self, items: list) -> list:
        """The order of the files, but for needs, which come first, and for summaries, which come last."""
        by_check = {id(self._by_item[item.nodeid]): item for item in items}
        ordered: list[Check] = []
        under_way: list[Check] = []

        def visit(check: Check) -> None:
            if check in ordered:
                return
            if check in under_way:
                raise GraderFault(f"{check.place}: {check.id} needs itself, by way "
                                  f"of {', '.join(c.id for c in under_way)}")
            under_way.append(check)
            for need in check.needs:
                for one in self._named(need):
                    visit(one)
            under_way.pop()
            ordered.append(check)

        for check in sorted(self.checks, key=lambda check: (check.last, check.category == "coverage")):
            visit(check)
        return [by_check[id(check)] for check in ordered]

    # ---- running ----

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> Optional[bool]:
        """Waits for the programs; runs nothing if there are none."""
        if self.fault or not self.session or not session.items:
            return True if self.fault else None
        with suppress(Exception):       # whoever asks for the search meets it again, and says so
            self.session.draw()
        try:
            self.session.ready()
            self.session.kind.begin(self.session, self.checks)
        except build.Ungradable as failed:
            self.ungradable = failed
            return True
        except (build.BuildError, LaunchError) as failed:
            self.fault = str(failed)
            return True
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: Any) -> None:
        """Skips a check whose prerequisite has not passed."""
        check = self._by_item[item.nodeid]
        self.progress(self._done, len(self.checks), check.title)
        self._comparison = None
        if check.last and self.session:
            self._finish_runs(check)
        missing = self._missing(check)
        if missing:
            check.skipped(f"needs \"{missing.title.rstrip('.')}\" ({missing.id}), which "
                          f"{'could not be checked' if missing.status == 'error' else 'fails'}")
            pytest.skip(check.message)

    def _missing(self, check: Check) -> Optional[Check]:
        """The check for want of which this one is skipped: the one that did not pass, not one skipped because of it."""
        for need in (need for name in check.needs for need in self._named(name)):
            if need.status == "skipped":
                return self._missing(need) or need
            if need.status != "passed":
                return need
        return None

    def _finish_runs(self, check: Check) -> None:
        """The first summary: every ordinary run has been started, so gcovr can work beside the sanitizers' last
        ones."""
        assert self.session
        if any(other.category == "coverage" for other in self.checks) and \
                not any(not other.last and other.status is None for other in self.checks):
            try:
                self.session.start_coverage()
            except (CoverageError, LaunchError):
                pass        # lab.coverage() meets it again, and says so

    @pytest.fixture
    def lab(self, request: Any) -> LabFixture:
        """See fixture.py."""
        assert self.session
        self._fixture = LabFixture(self.session, self._by_item[request.node.nodeid])
        return self._fixture

    def pytest_assertrepr_compare(self, op: str, left: Any, right: Any) -> None:
        """Keeps the two sides of a comparison that failed, for the message."""
        self._comparison = (op, left, right)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, None]:
        """Takes the outcome down, and puts the student's message in place of pytest's."""
        outcome = yield
        report = outcome.get_result()
        check = self._by_item.get(item.nodeid)
        if check is None or (call.when != "call" and not call.excinfo):
            return
        self._done += 1
        if call.excinfo and call.excinfo.errisinstance(pytest.skip.Exception):
            if check.status is None:
                check.faulty(f"{check.place}: a check may not skip itself: {call.excinfo.value}")
        elif check.status != "error":
            self._take(check, call.excinfo.value if call.excinfo else None)
        self._fixture = None
        if check.status in ("failed", "error"):
            report.outcome = "failed"
            report.longrepr = "\n".join(part for part in (check.message, check.replay) if part)

    def _take(self, check: Check, raised: Optional[BaseException]) -> None:
        """The outcome of a test's body."""
        fixture = self._fixture
        shown = fixture.first if fixture else None
        check.virtual_ns = shown.took if shown else None
        worth = sum(part.worth for part in check.parts)
        if raised is None and check.parts and worth != check.worth:
            check.faulty(f"{check.place}: the parts of {check.id} add up to {worth} points, "
                         f"but it is worth {check.worth}")
        elif raised is None:
            check.passed()
            check.replay = check.replay if check.status == "failed" else None
        elif isinstance(raised, CheckFailed):
            check.failed(raised.failure.text(), raised.failure.src)
            check.replay = raised.replay or (fixture.last.replay if fixture and fixture.last else None)
            check.virtual_ns = check.virtual_ns if raised.virtual_ns is None else raised.virtual_ns
        elif isinstance(raised, AssertionError):
            self._take_assert(check, raised)
        elif not self._take_forged(check, raised):
            check.faulty(_fault_of(raised, check))

    def _take_forged(self, check: Check, raised: BaseException) -> bool:
        """A check that went wrong over what is no report of main.c's fails, and nobody else is at fault."""
        run = self._fixture.last if self._fixture else None
        try:
            name = run.forged() if run and not isinstance(raised, LaunchError) else None
        except (CheckFailed, GraderFault, LaunchError, build.BuildError):
            return False                    # the reference does not run here, either
        if not run or name is None:
            return False
        failure = forged.written(name)
        check.failed(failure.text(), failure.src)
        check.replay = run.replay
        return True

    def _take_assert(self, check: Check, raised: AssertionError) -> None:
        """A plain `assert`, with or without run.explain()."""
        fixture = self._fixture
        run = fixture.last if fixture else None
        text = str(raised).split("\n")[0]
        text = "" if text.startswith("assert ") and self._comparison else text     # pytest's words are not for students
        if fixture and fixture.explanation:
            run, text = fixture.explanation.run, fixture.explanation.text
        expected, happened, cause = "", "", None
        if self._comparison:
            op, left, right = self._comparison
            if isinstance(left, Duration) and isinstance(right, int):
                right = Duration(right)
            expected = words.value(right) if op == "==" else f"{op} {words.value(right)}"
            happened = words.value(left)
            cause = run.cause(_TOPICS.get(type(left), ""), right, left) if run else None
        failure = Failure(expected, happened, cause or (Cause("hint", text) if text else None))
        check.failed(failure.text() or check.title, failure.src)
        check.replay = run.replay if run else None
        if run and run.took is not None:
            check.virtual_ns = run.took


def _short(path: Any, root: Path) -> str:
    """The path as it is written in messages: from the top of the house."""
    path = Path(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _import_fault(raised: BaseException, node: Any, root: Path) -> str:
    """Why a check file could not be read, and where."""
    cause = raised.__cause__ or raised
    if isinstance(cause, SyntaxError):
        return f"{_short(cause.filename or node.path, root)}:{cause.lineno}: {cause.msg}"
    own = [frame for frame in traceback.extract_tb(cause.__traceback__) if Path(frame.filename) == Path(node.path)]
    line = f":{own[-1].lineno}" if own else ""
    said = str(cause).splitlines()[0] if str(cause) else ""
    return f"{_short(node.path, root)}{line}: {type(cause).__name__}: {said}"


def _fault_of(raised: BaseException, check: Check) -> str:
    """Where and why a check itself went wrong."""
    if isinstance(raised, (GraderFault, LaunchError, CoverageError)):
        return str(raised)
    file = check.place.rpartition(":")[0]
    own = [frame for frame in traceback.extract_tb(raised.__traceback__) if frame.filename.endswith(file)]
    line = own[-1].lineno if own else check.place.rpartition(":")[2]
    first = str(raised).splitlines()[0] if str(raised) else ""
    return f"{file}:{line}: {type(raised).__name__}{': ' if first else ''}{first}"


class _Alone:
    """What `pytest -p looplab.grading.plugin FILE` adds: a session for the lab the file is of."""

    def __init__(self, checks: Checks):
        self.checks = checks

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list) -> None:
        items[:] = [item for item in items if points_of(getattr(item, "function", None)) or _of_lab(item)]
        slugs = {item.path.parent.name for item in items}
        if len(slugs) > 1:
            raise pytest.UsageError(f"checks of several labs ({', '.join(sorted(slugs))}): run one lab at a time")
        if slugs:
            lab = labs.load(slugs.pop())
            out = labs.ROOT / "build" / "check" / lab.slug
            folder = source_of(Path(os.environ.get("FROM") or labs.ROOT / "labs"), lab)
            self.checks.session = begin(lab, folder, out, seed.choose(os.environ.get("SEED"), os.environ))
            self.checks.session.start_build()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if self.checks.session:
            self.checks.session.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        said = self.checks.fault or (self.checks.ungradable and self.checks.ungradable.message)
        if said:
            terminalreporter.write_line(said, red=True)


def _of_lab(item: Any) -> bool:
    return item.path.parent.name in labs.slugs()


def source_of(folder: Path, lab: labs.Lab) -> Path:
    """The folder that holds a student's file: FROM/NN-slug if there is one, else FROM itself."""
    return folder / lab.slug if (folder / lab.slug).is_dir() else folder


def pytest_configure(config: Any) -> None:
    """For `-p looplab.grading.plugin`; within a grading, Checks is registered as an instance, and this is never
    called."""
    checks = Checks(None)
    config.pluginmanager.register(checks, "looplab-checks")
    config.pluginmanager.register(_Alone(checks), "looplab-alone")
