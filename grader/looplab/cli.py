"""`python -m looplab grade`: the labs one after the other, a scorecard each, results.json each, one exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import NoReturn, Sequence

from .course import lab as labs
from .course.lab import LabError
from .course.order import Order
from .formats import write as formats
from .formats.shown import Setting
from .plain import seed as seeds, together
from .plain.failure import UsageError
from .plain.stream import for_stream
from .telling import results
from .telling.progress_line import ProgressLine
from .telling.scorecard import Style, summary


_COMMANDS = {
    "report": (".report.command", "draw one run: what each task did, and where it parts from the reference"),
    "serve": (".running.serving", "a world file as real servers on this machine"),
    "compare": (".telling.compare", "a lab in its virtual world, and in the same world served for real"),
    "convert": (".formats.command", "results.json in other systems' formats"),
    "class": (".teaching.command", "grade a class: every student's files"),
    "course": (".teaching.course_table", "check a course file, and show it"),
    "similar": (".teaching.similar", "pairs of submissions that are alike"),
    "autograder": (".teaching.autograder", "a zip that Gradescope takes as a lab's autograder"),
    "new-lab": (".teaching.new_lab", "lay out a lab of one's own"),
    "check-lab": (".teaching.check_lab", "hold a lab to what is asked of one"),
    "watch": (".watch.command", "grade on every save"),
    "hint": (".course.hints", "tell the next hint"),
    "warmups": (".telling.ticks", "the warm-ups, with a tick at those done"),
    "progress": (".telling.progress", "all labs at a glance"),
    "start": (".course.start", "lay out a working copy of the labs"),
    "handout": (".teaching.handout", "lay out what students get: a folder, a git repository or a zip"),
}
"""The other commands: the module whose main() does each, and a line for --help."""


_MACHINES = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""What only the machine can be to blame for: told without further ado (__main__.py)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """Runs the command line (without the program's name); returns the exit code."""
    try:
        if argv[:1] and argv[0] in _COMMANDS:
            module, _ = _COMMANDS[argv[0]]
            return import_module(module, __package__).main(argv[1:], root)
        options = _arguments(argv)
        names = formats.chosen(options.format) if options.format else []
        return _grade_all(_order(options, root), _style(options), names)
    except (BrokenPipeError, ModuleNotFoundError):      # nobody reads; or this Python lacks something: see __main__.py
        raise
    except (UsageError, seeds.SeedError) as fault:
        print(for_stream(sys.stderr, f"looplab: {fault}"), file=sys.stderr)
        return results.UNGRADABLE
    except LabError as fault:
        print(for_stream(sys.stderr, f"looplab: {fault}"), file=sys.stderr)
        return results.FAULT
    except OSError as fault:
        if fault.errno in _MACHINES:
            raise
        return _internal(fault)
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
    grade.add_argument("--require-tier", metavar="T", help="A, B or C: grade only if programs are shut in so well here")
    grade.add_argument("--format", action="append", metavar="NAME",
                       help=f"beside results.json the same in another system's format: {', '.join(formats.FORMATS)}")
    grade.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR=1)")
    for name, (_, said) in _COMMANDS.items():
        commands.add_parser(name, help=said)
    return parser.parse_args(argv)


def _order(options: argparse.Namespace, root: Path) -> Order:
    """What the arguments ask for. Raises UsageError, SeedError, and LabError for a broken lab folder."""
    if options.require_tier:
        _require_tier(options.require_tier.upper())
    seed = seeds.choose(options.seed, os.environ) if options.seed is None else seeds.parse(options.seed)
    source, out = _path(options.source, root), _path(options.out, root)
    if not source.is_dir():
        raise UsageError(
            f"FROM={options.source}: {'this is not a folder' if source.exists() else 'there is no such folder'}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"OUT={options.out}: this is not a folder")
    if options.lab:
        return Order([labs.asked(options.lab, root)], source, out, seed, options.check)
    known = labs.find_labs(root)
    chosen = [lab for lab in known if (source / lab.slug).is_dir()] \
        or [lab for lab in known if any((source / name).is_file() for name in lab.sources)]
    if not chosen:
        raise UsageError(f"FROM={options.source}: it holds no lab's file "
                         f"({', '.join(sorted({lab.source for lab in known})) or 'there are no labs'}) and no NN-slug "
                         "folder; say LAB=01 to grade it as one")
    return Order(chosen, source, out, seed, options.check)


def _require_tier(wanted: str) -> None:
    """Raises UsageError where the sandbox does not reach that tier."""
    from .running import process, tier

    if wanted not in tuple(tier.TIERS):
        raise UsageError(f"TIER={wanted}: the tiers are A, B, C and D")
    if wanted in "AB":
        os.environ["LOOPLAB_TIER"] = wanted
    try:
        lacks = process.shut_in().lacks(wanted)
    except process.LaunchError as fault:
        raise LabError(str(fault)) from None
    if lacks:
        raise UsageError(f"TIER={wanted}: {lacks}")


def _path(word: str, root: Path) -> Path:
    """A folder the user named: from where they are, or (the defaults, from elsewhere) from the top of the house."""
    return root / word if word in ("labs", "build/grade") and not Path(word).exists() else Path(word)


def _grade_all(order: Order, style: Style, names: Sequence[str]) -> int:
    """Grades the labs side by side on all cores, and shows them in their order."""
    from .report.grade import grade     # brings in the whole grader, which the other commands can do without

    worst, done = results.OK, []
    progress = ProgressLine(sys.stderr, [lab.number for lab in order.labs])
    for graded in together.each(order.labs, lambda lab, tell: grade(lab, order, style, tell), together.cores(),
                                progress.step):
        progress.clear()
        if graded.result is None:
            print(for_stream(sys.stderr, graded.text), file=sys.stderr)
            worst = results.FAULT
            continue
        print(for_stream(sys.stdout, ("\n" if done else "") + graded.text), end="", flush=True)
        if names:
            _convert(graded.result, order, names)
        worst = max(worst, results.exit_code(graded.result))
        done.append(graded.result)
    if len(order.labs) > 1:
        print("\n" + for_stream(sys.stdout, "\n".join(summary(result) for result in done)))
    return worst


def _convert(result: dict, order: Order, names: Sequence[str]) -> None:
    """The result in other systems' formats, beside results.json. Raises OSError."""
    folder = order.source / result["lab"] if (order.source / result["lab"]).is_dir() else order.source
    shown = os.path.relpath(folder)
    formats.write(result, order.out / result["lab"], names,
                  Setting(os.fspath(folder) if shown.startswith("..") else shown, os.environ))
