"""Runs a lab's checks: pytest in this very process, with next to none of its own plugins."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ..plain import together
from ..running import machine
from .session import Session

if TYPE_CHECKING:       # it pulls in pytest, which is imported while the compilers run
    from .plugin import Checks

_PYTEST = ["-c", os.devnull, "--noconftest", "--import-mode=importlib", "--capture=sys"] + [
    word for name in ("terminal", "cacheprovider", "logging", "doctest", "junitxml", "unittest", "nose", "pastebin",
                      "stepwise",
                      "unraisableexception", "threadexception", "faulthandler", "setuponly", "setupplan", "debugging",
                      "recwarn",
                      "warnings", "legacypath", "monkeypatch", "tmpdir", "reports", "freeze_support", "pytester")
    for word in ("-p", f"no:{name}")]


def run_checks(session: Session, only: Optional[str] = None,
               tell: together.Tell = lambda done, of, title: None) -> "Checks":
    """Compiles, and meanwhile reads the checks; then runs them, or `only` one and what it needs. tell: told of each
    that begins."""
    lab = session.lab
    session.room.look()
    fault = machine.fault() or session.room.fault
    if not fault:
        session.start_build()
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    from .plugin import Checks

    checks = Checks(session, only, tell)
    if fault:
        checks.fault = fault
        return checks
    files = [lab.folder / "test_visible.py"] + sorted(lab.hidden.glob("test_*.py"))
    files = [file for file in files if file.is_file()]
    if files:
        sys.pycache_prefix = sys.pycache_prefix or str(lab.root / "build" / "pycache")
        # From here, not from the root: to pytest "[" and "::" in a word mean something, and the house may lie in such a
        # folder.
        words = [os.path.relpath(file) for file in files]
        code = pytest.main([*_PYTEST, f"--rootdir={lab.root}", *words], plugins=[checks, _Options()])
        _forget(files)
        if code == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            checks.fault = checks.fault or f"pytest could not run the checks of labs/{lab.slug} (exit code {int(code)})"
        session.second.settle()
        session.room.look()
        checks.fault = session.room.fault or checks.fault       # what went wrong besides may come of it
    if not checks.checks and not checks.fault:
        checks.fault = f"labs/{lab.slug} has no checks (test_visible.py)"
    return checks


def _forget(files: list[Path]) -> None:
    """Nobody finds these files' modules any more. From version 8 on pytest takes what has the same name for the same
    file: the checks of another house, graded in this process before."""
    places = {os.path.realpath(file) for file in files}
    for name, module in list(sys.modules.items()):
        if os.path.realpath(getattr(module, "__file__", None) or "") in places:
            del sys.modules[name]


class _Options:
    """Options of pytest's terminal plugin that other parts of pytest ask for, and that are not there without it."""

    def pytest_addoption(self, parser: Any) -> None:
        parser.addoption("--verbose", dest="verbose", type=int, default=0)
        parser.addoption("--tb", dest="tbstyle", default="line")

    def pytest_configure(self, config: Any) -> None:
        """From version 8 on pytest asks where it would show a comparison that failed: nowhere."""
        from _pytest._io import TerminalWriter

        config.get_terminal_writer = lambda: TerminalWriter(io.StringIO())
