"""`python -m looplab grade`: the labs one after the other, a scorecard each, results.json each, one exit code."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Sequence, TextIO

from .course import lab as labs
from .course.lab import Lab, LabError
from .plain import seed as seeds, together
from .plain.failure import UsageError
from .plain.text import WIDTH, cut, plain
from .telling import results
from .telling.scorecard import Source, Style, card, summary

if TYPE_CHECKING:       # these two pull in pytest, which is imported while the compilers run
    from .grading.plugin import Checks
    from .grading.session import Session


_COMMANDS = {
    "report": (".report.command", "draw one run: what each task did, and where it parts from the reference"),
    "serve": (".running.serving", "a world file as real servers on this machine"),
    "compare": (".telling.compare", "a lab in its virtual world, and in the same world served for real"),
    "watch": (".watch.command", "grade on every save"),
    "hint": (".course.hints", "tell the next hint"),
    "progress": (".telling.progress", "all labs at a glance"),
    "start": (".course.start", "lay out a working copy of the labs"),
}
"""The other commands: the module whose main() does each, and a line for --help."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


@dataclass(frozen=True)
class Order:
    """What is to be graded."""

    labs: list[Lab]
    source: Path
    out: Path
    seed: int
    check: Optional[str]


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """Runs the command line (without the program's name); returns the exit code."""
    try:
        if argv[:1] and argv[0] in _COMMANDS:
            module, _ = _COMMANDS[argv[0]]
            return import_module(module, __package__).main(argv[1:], root)
        options = _arguments(argv)
        return _grade_all(_order(options, root), _style(options))
    except BrokenPipeError:
        raise
    except (UsageError, seeds.SeedError) as fault:
        print(for_stream(sys.stderr, f"looplab: {fault}"), file=sys.stderr)
        return results.UNGRADABLE
    except LabError as fault:
        print(for_stream(sys.stderr, f"looplab: {fault}"), file=sys.stderr)
        return results.FAULT
    except Exception as fault:      # whatever it is, it is no student's: no traceback on their screen, and never exit 1
        return _internal(fault)


def _style(options: argparse.Namespace) -> Style:
    return Style(colour=not options.no_color and "NO_COLOR" not in os.environ and sys.stdout.isatty()
                 and os.environ.get("TERM") != "dumb")


def _internal(fault: Exception) -> int:
    """A fault of the grader that nobody foresaw, in one line."""
    if os.environ.get("LOOPLAB_DEBUG"):
        traceback.print_exc()
    last = traceback.extract_tb(fault.__traceback__)[-1]
    print(for_stream(sys.stderr,
                     "looplab: internal error "
                           f"at {Path(last.filename).name}:{last.lineno}: {type(fault).__name__}: {fault} "
                           "(LOOPLAB_DEBUG=1 shows more)"), file=sys.stderr)
    return results.FAULT


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="looplab", description="Grades labs.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    grade = commands.add_parser("grade", help="grade labs: one scorecard and one results.json each")
    grade.add_argument("--lab", metavar="L", help="1, 01 or 01-sync-vs-async (default: every lab that FROM holds)")
    grade.add_argument("--from", dest="source", metavar="DIR", default="labs",
                       help="a folder with the lab's file, or a tree with NN-slug folders (default: labs)")
    grade.add_argument("--out", metavar="DIR", default="build/grade", help="where results go (default: build/grade)")
    grade.add_argument("--seed", metavar="N", help="1 to 999999 (default: from $LOOPLAB_STUDENT or the login name)")
    grade.add_argument("--check", metavar="ID", help="only this check, and those it needs")
    grade.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR=1)")
    for name, (_, said) in _COMMANDS.items():
        commands.add_parser(name, help=said)
    return parser.parse_args(argv)


def _order(options: argparse.Namespace, root: Path) -> Order:
    """What the arguments ask for. Raises UsageError, SeedError, and LabError for a broken lab folder."""
    seed = seeds.choose(options.seed, os.environ) if options.seed is None else seeds.parse(options.seed)
    source, out = _path(options.source, root), _path(options.out, root)
    if not source.is_dir():
        raise UsageError(
            f"FROM={options.source}: {'this is not a folder' if source.exists() else 'there is no such folder'}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"OUT={options.out}: this is not a folder")
    if options.lab:
        return Order([_named(options.lab, root)], source, out, seed, options.check)
    known = labs.find_labs(root)
    chosen = [lab for lab in known if (source / lab.slug).is_dir()] \
        or [lab for lab in known if (source / lab.source).is_file()]
    if not chosen:
        raise UsageError(f"FROM={options.source}: it holds no lab's file "
                         f"({', '.join(sorted({lab.source for lab in known})) or 'there are no labs'}) and no NN-slug "
                         "folder; say LAB=01 to grade it as one")
    return Order(chosen, source, out, seed, options.check)


def _path(word: str, root: Path) -> Path:
    """A folder the user named: from where they are, or (the defaults, from elsewhere) from the top of the house."""
    return root / word if word in ("labs", "build/grade") and not Path(word).exists() else Path(word)


def _named(word: str, root: Path) -> Lab:
    """The lab of that name. An unknown one is the caller's mistake, an incomplete one the kit's."""
    try:
        return labs.resolve(word, root)
    except LabError as fault:
        if "no lab" in str(fault):
            raise UsageError(f"LAB={word}: {fault}") from None
        raise


@dataclass(frozen=True)
class Graded:
    """What came of one lab."""

    result: Optional[dict]      # results.json; None: it could not be written
    text: str                   # the scorecard; or the fault in one line


def _grade_all(order: Order, style: Style) -> int:
    """Grades the labs side by side on all cores, and shows them in their order."""
    worst, done = results.OK, []
    progress = Progress(sys.stderr, [lab.number for lab in order.labs])
    for graded in together.each(order.labs, lambda lab, tell: grade(lab, order, style, tell), together.cores(),
                                progress.step):
        progress.clear()
        if graded.result is None:
            print(for_stream(sys.stderr, graded.text), file=sys.stderr)
            worst = results.FAULT
            continue
        print(for_stream(sys.stdout, ("\n" if done else "") + graded.text), end="", flush=True)
        worst = max(worst, results.exit_code(graded.result))
        done.append(graded.result)
    if len(order.labs) > 1:
        print("\n" + for_stream(sys.stdout, "\n".join(summary(result) for result in done)))
    return worst


def grade(lab: Lab, order: Order, style: Style, tell: together.Tell) -> Graded:
    """Grades one lab and writes its results."""
    try:
        result, source = _graded(lab, order, tell)
        results.write(result, order.out / lab.slug)
    except OSError as fault:
        return Graded(None, f"looplab: {lab.slug}: {fault.strerror}: {fault.filename}")
    return Graded(result, card(result, style, source))


def _graded(lab: Lab, order: Order, tell: together.Tell) -> tuple[dict, Source]:
    """Raises OSError where results cannot be written."""
    from .grading.session import Session
    from .report import writer

    began = time.monotonic()
    folder = order.source / lab.slug if (order.source / lab.slug).is_dir() else order.source
    out = order.out / lab.slug
    _clear(out)
    scratch = lab.root / "build" / "work"
    scratch.mkdir(parents=True, exist_ok=True)
    session = Session(lab, folder, out, Path(tempfile.mkdtemp(dir=scratch)), order.seed)
    try:
        checks = run_checks(session, order.check, tell)
        writer.write_failed(session, checks.checks, out)
        elapsed = time.monotonic() - began
        again = f"make grade LAB={lab.number}"
        if folder.resolve() != lab.folder.resolve():
            again += f" FROM={shlex.quote(session.short(folder))}"
        result = _result(lab, order, session, checks, elapsed)
        digest = results.digest(folder / lab.source)
        result.update({"file_sha256": digest} if digest else {})
        return result, source_of(lab, folder, again, session.short(out))
    finally:
        session.close()


def _clear(out: Path) -> None:
    """Takes away the last grading's result and worlds, so that none of them is ever taken for this one's."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [out / "results.json", *(out / "worlds").glob("*.json"), *(out / "worlds").glob("*.urls"),
                *(out / "reports").glob("*.html")]:
        old.unlink(missing_ok=True)


def run_checks(session: "Session", only: Optional[str] = None,
               tell: together.Tell = lambda done, of, title: None) -> "Checks":
    """Compiles, and meanwhile reads the checks; then runs them, or `only` one and what it needs. tell: told of each
    that begins."""
    lab = session.lab
    session.start_build()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    import pytest

    from .grading.plugin import Checks

    checks = Checks(session, only, tell)
    files = [lab.folder / "test_visible.py"] + sorted(lab.hidden.glob("test_*.py"))
    files = [file for file in files if file.is_file()]
    if files:
        sys.pycache_prefix = sys.pycache_prefix or str(lab.root / "build" / "pycache")
        code = pytest.main([*_PYTEST, f"--rootdir={lab.root}", *map(str, files)], plugins=[checks, _Options()])
        if code == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            checks.fault = checks.fault or f"pytest could not run the checks of labs/{lab.slug} (exit code {int(code)})"
        session.settle()
    if not checks.checks and not checks.fault:
        checks.fault = f"labs/{lab.slug} has no checks (test_visible.py)"
    return checks


_PYTEST = ["-c", os.devnull, "--noconftest", "--import-mode=importlib", "--capture=sys"] + [
    word for name in ("terminal", "cacheprovider", "logging", "doctest", "junitxml", "unittest", "nose", "pastebin",
                      "stepwise",
                      "unraisableexception", "threadexception", "faulthandler", "setuponly", "setupplan", "debugging",
                      "recwarn",
                      "warnings", "legacypath", "monkeypatch", "tmpdir", "reports", "freeze_support", "pytester")
    for word in ("-p", f"no:{name}")]


class _Options:
    """Options of pytest's terminal plugin that other parts of pytest ask for, and that are not there without it."""

    def pytest_addoption(self, parser: Any) -> None:
        parser.addoption("--verbose", dest="verbose", type=int, default=0)
        parser.addoption("--tb", dest="tbstyle", default="line")


def _result(lab: Lab, order: Order, session: "Session", checks: "Checks", elapsed_s: float) -> dict:
    if checks.fault:
        return results.error(lab.slug, checks.fault, order.seed, elapsed_s)
    if checks.ungradable:
        src, said = checks.ungradable.src, checks.ungradable.message
        placed = f"{src}: {said}" if src and ":" in src and src not in said else said
        return results.ungradable(lab.slug, placed, checks.ungradable.src, order.seed, elapsed_s,
                                  sum(check.worth for check in checks.checks))
    assert session.program
    return results.graded(lab.slug, checks.checks, order.seed, elapsed_s, session.program.advice, session.output,
                          order.check)


def source_of(lab: Lab, folder: Path, again: str, out: str) -> Source:
    """What the card quotes of the student's file."""
    lines = _lines(folder / lab.source)

    def line(src: str) -> str:
        name, _, number = src.partition(":")
        return lines[int(number) - 1].strip() if name == lab.source and number.isdigit() \
            and 0 < int(number) <= len(lines) else ""

    return Source(lab.source, line, _first_todo(lab, lines), f"labs/{lab.slug}", again, out)


def _lines(file: Path) -> list[str]:
    """A source file's lines; [] if it cannot be read."""
    try:
        return file.read_text(errors="replace").split("\n") if file.is_file() else []
    except OSError:
        return []


def _first_todo(lab: Lab, lines: list[str]) -> Optional[str]:
    """An untouched skeleton's first TODO: where to begin."""
    if lines != _lines(lab.folder / lab.source):
        return None
    todos = [(int(found[1]), number, found[0]) for number, line in enumerate(lines, start=1)
             if (found := re.search(r"(?<=/\* )TODO (\d+):.*", line))]
    if not todos:
        return None
    _, number, text = min(todos)
    return f"begin with {lab.source}:{number}, {text.rstrip(' */')}"


class Progress:
    """One line on a terminal that says how far it is, once it lasts longer than 2 s; nothing elsewhere.

    names: of the pieces of work that are done at the same time; where there is more than one, each is told of.
    """

    def __init__(self, stream: TextIO, names: Sequence[str] = ("",), after_s: float = 2.0):
        self._stream = stream
        self._names = names
        self._at: dict[int, str] = {}           # of each that is under way: how far it is
        self._after = time.monotonic() + after_s
        self._shown = False
        self._on = stream.isatty()

    def step(self, k: int, done: int, of: int, title: str) -> None:
        """Number k begins with its next check."""
        several = len(self._names) > 1
        self._at[k] = f"{self._names[k]}: {done}/{of}" if several else f"{done}/{of} {title}"
        if done + 1 >= of and several:
            self._at.pop(k)
        if self._on and time.monotonic() >= self._after:
            self._shown = True
            told = "   ".join(self._at[k] for k in sorted(self._at))
            print("\r" + for_stream(self._stream, cut(told, WIDTH - 1)).ljust(WIDTH - 1), end="", file=self._stream,
                  flush=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._shown = False
            print("\r" + " " * (WIDTH - 1) + "\r", end="", file=self._stream, flush=True)


def for_stream(stream: TextIO, text: str) -> str:
    """The text as the stream can write it: in ASCII if it knows no more."""
    try:
        text.encode(_encoding(stream))
    except (UnicodeEncodeError, LookupError):
        return plain(text)
    return text


def _encoding(stream: TextIO) -> str:
    """The stream's encoding; of a terminal in the C locale ASCII, where Python itself assumes UTF-8."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "ascii" if stream.isatty() and locale in ("C", "POSIX") else stream.encoding or "ascii"
