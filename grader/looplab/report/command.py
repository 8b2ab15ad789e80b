"""`looplab report`: one run, or the run behind one check, as a page, a figure, a text, or a file for Perfetto."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import NoReturn

from ..asking.call import Call
from ..course import lab as labs
from ..course.lab import Lab
from ..grading.begin import begin
from ..grading.recorded import Recorded
from ..grading.run_checks import run_checks
from ..grading.session import Session
from ..plain import alone, seed as seeds
from ..plain.failure import GraderFault
from ..plain.stream import in_utf8
from ..running import build, process
from ..telling import results
from . import writer
from .subject import Subject


class ReportError(Exception):
    """What was asked for cannot be shown: one line that says why and what to do. Exit code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ReportError(message)


def _arguments(argv: list[str]) -> argparse.Namespace:
    report = _Parser(prog="looplab report", description="Draws one run: what each task did, and where it parts from "
                                                        "the reference.")
    report.add_argument("--lab", metavar="L", required=True, help="1, 01 or 01-sync-vs-async")
    report.add_argument("--from", dest="source", metavar="DIR", default="labs",
                        help="a folder with the lab's file (default: labs)")
    report.add_argument("--check", metavar="ID", help="the run behind this check of `make grade`")
    report.add_argument("--mode", metavar="M", default="",
                        help="without CHECK: the program's mode (default: its first)")
    report.add_argument("--world", metavar="F", default="",
                        help="without CHECK: a world file, or the name of one of the lab's")
    report.add_argument("--set", dest="settings", metavar='"A=1"', default="",
                        help="without CHECK: settings, blanks between them")
    report.add_argument("--urls", metavar='"U …"', default="", help="without CHECK: URLs, blanks between them")
    report.add_argument("--seed", metavar="N", help="1 to 999999")
    report.add_argument("--format", choices=sorted(writer.FORMATS), default="html",
                        help="html, svg, chrome (for Perfetto) or text")
    report.add_argument("--out", metavar="FILE", help="where it goes (default: build/report/…; text: standard output)")
    return report.parse_args(argv)


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """Runs the command line behind the word "report": writes the report and says where it is. Returns the exit code."""
    try:
        options = _arguments(argv)
        lab = labs.resolve(options.lab, root)
        if lab.warmups:
            raise ReportError(f"a warm-up is not drawn; run it: make run LAB={lab.number} MODE=07")
        seed = seeds.choose(options.seed, {}) if options.seed is None else seeds.parse(options.seed)
        folder = _folder(Path(options.source), lab, root)
        pages = root / "build" / "report" / lab.slug
        with alone.in_folder(pages, f"another report of lab {lab.number}"):
            session = _session(lab, folder, seed)
            try:
                subject = _of_check(session, options.check) if options.check else _of_run(session, options)
            except KeyboardInterrupt:
                session.give_up()
                raise
            finally:
                session.close()
            return _write(subject, options, lab, root)
    except (ReportError, labs.LabError, seeds.SeedError, build.Ungradable) as fault:
        print(f"looplab report: {fault}", file=sys.stderr)
        return results.UNGRADABLE
    except (build.BuildError, process.LaunchError, GraderFault, OSError) as fault:
        print(f"looplab report: {fault}", file=sys.stderr)
        return results.FAULT


def _folder(source: Path, lab: Lab, root: Path) -> Path:
    """The folder that holds the lab's file."""
    if not source.exists() and str(source) == "labs":
        source = root / "labs"
    for folder in (source / lab.slug, source):
        if (folder / lab.source).is_file():
            return folder
    raise ReportError(f"FROM={source}: it holds no {lab.source}; FROM is a folder with that file, "
                      f"or a tree with {lab.slug}/ in it")


def _session(lab: Lab, folder: Path, seed: int) -> Session:
    return begin(lab, folder, lab.root / "build" / "report" / lab.slug, seed)


def _of_check(session: Session, name: str) -> Subject:
    """The run behind a check, whether it passes or fails."""
    checks = run_checks(session, name)
    if checks.fault:
        raise ReportError(checks.fault)
    if checks.ungradable:
        raise ReportError(checks.ungradable.message)
    check = next(check for check in checks.checks if check.id == name or check.id.startswith(name + "["))
    if check.status == "skipped":
        raise ReportError(f"{check.id} was skipped: {check.message}")
    subject = writer.of_check(session, check)
    if not subject:
        raise ReportError(f"{check.id} made no run that could be "
                          f"drawn: {check.message or 'it looks at the file, or at all runs together'}")
    return subject


def _of_run(session: Session, options: argparse.Namespace) -> Subject:
    """A run as `make run` makes it."""
    world = _world(session.lab, options.world)
    called = Call(options.mode, world.read_text(), tuple(options.urls.split()), None, tuple(options.settings.split()))
    recorded = session.once(called, _replay(session, options))
    if not recorded.trace:
        raise ReportError(_why_not(recorded))
    return writer.of_run(session, recorded, f"{f'mode {options.mode} in ' if options.mode else ''}{world.name}")


def _world(lab: Lab, word: str) -> Path:
    """The world file that is meant: a path, the name of one of the lab's, or the lab's default."""
    if word and Path(word).is_file():
        return Path(word)
    there = sorted(path.name for path in lab.worlds.glob("*.json"))
    if not there:
        raise ReportError(f"lab {lab.number} has no worlds: its runs are its tests (make run LAB={lab.number})")
    name = word or ("default.json" if "default.json" in there else (there or [""])[0])
    if name not in there:
        raise ReportError(f"WORLD={word}: there is no such file; labs/{lab.slug}/worlds has {', '.join(there)}")
    return lab.worlds / name


def _why_not(recorded: Recorded) -> str:
    said = (recorded.outcome.stderr or recorded.outcome.stdout).strip().split("\n")[0]
    return f"the program wrote no trace: {said or 'it ended before it began'}"


def _replay(session: Session, options: argparse.Namespace) -> str:
    words = [("LAB", session.lab.number), ("FROM", "" if options.source == "labs" else options.source),
             ("MODE", options.mode),
             ("WORLD", options.world), ("SET", options.settings), ("SEED", options.seed or ""), ("URLS", options.urls)]
    return " ".join(["make run", *(f"{name}={shlex.quote(value)}" for name, value in words if value)])


def _write(subject: Subject, options: argparse.Namespace, lab: Lab, root: Path) -> int:
    said = writer.FORMATS[options.format](subject)
    if options.format == "text" and not options.out:
        print(said, end="")
        return results.OK
    name = (options.check or options.mode or "run").replace("/", "_")
    file = Path(options.out) if options.out \
        else root / "build" / "report" / lab.slug / f"{name}{writer.SUFFIXES[options.format]}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(in_utf8(said))
    print(f"{subject.diagnosis}\n{file}")
    return results.OK
