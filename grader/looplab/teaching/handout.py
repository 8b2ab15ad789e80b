"""`looplab handout`: what students get, as a folder, a git repository or a zip; the same bytes from the same commit.

It is a copy of the labs with what stands in added/ on top (a workflow that grades on every push, settings for
editors), and a README of which only the students' part is left.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Optional

from ..course import copy, git, lab as labs
from ..plain.failure import UsageError
from ..plain.text import count
from . import course_file
from .course_file import Course

KINDS = ("folder", "git", "zip")
TOP = "looplab"             # the folder that a zip holds

_ADDED = "grader/looplab/course/added"
_HEAD = "README.head.md"
_EARLIEST = 315_532_800     # 1980-01-01: a zip knows no time before; and where there is no commit, the time of all


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "handout". Raises UsageError, also for what git or the disk refuses."""
    parser = argparse.ArgumentParser(prog="looplab handout", description="Lays out what students get.")
    parser.add_argument("--out", metavar="DIR", required=True, help="what to make: a folder, or a zip file")
    parser.add_argument("--kind", metavar="K", default="folder", help="folder, git or zip (default: folder)")
    parser.add_argument("--labs", metavar="L,L", default="", help="only these labs (default: all)")
    parser.add_argument("--course", metavar="TOML", help="a course file: its labs, points and dates")
    options = parser.parse_args(argv)
    if options.kind not in KINDS:
        raise UsageError(f"KIND={options.kind}: expected {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    course = course_file.read(Path(options.course), root) if options.course else None
    chosen = _chosen(options, course, root)
    target = Path(options.out).absolute()
    if options.kind == "zip" and target.suffix != ".zip":
        target = target.with_name(target.name + ".zip")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"OUT={options.out}: {target} is there already; choose another name")
    try:
        make(root, target, options.kind, chosen, _dates(course, chosen) if course else "")
    except git.GitError as fault:
        raise UsageError(f"OUT={options.out}: nothing was made: {fault}") from None
    except FileNotFoundError as fault:
        if fault.filename != "git":
            raise UsageError(f"OUT={options.out}: nothing was made: {fault.strerror}: {fault.filename}") from None
        raise UsageError(f"KIND={options.kind}: nothing was made: git is not installed") from None
    except OSError as fault:
        raise UsageError(f"OUT={options.out}: nothing was made: {fault.strerror}: {fault.filename or target}") from None
    print(f"What students get is in {target}: {count(len(chosen), 'lab')}, without solutions and hidden checks.")
    return 0


def _chosen(options: argparse.Namespace, course: Optional[Course], root: Path) -> list[str]:
    known = [use.lab.slug for use in course.uses] if course else labs.slugs(root)
    chosen = [labs.asked(word, root).slug for word in options.labs.split(",")] if options.labs else known
    other = [slug for slug in chosen if slug not in known]
    if other:
        raise UsageError(f"LAB={options.labs}: COURSE={options.course} does not use {other[0]}; it uses "
                         f"{', '.join(known)}")
    return chosen


def _dates(course: Course, chosen: list[str]) -> str:
    """What students are told of the course: points and dates. Nothing else of the file is theirs."""
    rows = [f"| {use.lab.slug} | {use.points} | {use.due.isoformat(' ', 'minutes') if use.due else '-'} |"
            for use in course.uses if use.lab.slug in chosen]
    late = course.late
    said = f"\nWho is late loses {late.percent_a_day} % for each day begun, {late.most} % at most" \
           f"{f', after {late.grace_minutes} minutes of grace' if late.grace_minutes else ''}.\n" \
        if late.percent_a_day else ""
    return "\n".join(["## Points and dates", "", "| lab | points | due |", "|---|--:|---|", *rows]) + "\n" + said


def make(root: Path, target: Path, kind: str, chosen: list[str], dates: str = "") -> None:
    """Makes it, whole or not at all. kind: one of KINDS. chosen: the labs that are in it, by their slugs. dates: a part
    of its README. Raises GitError, OSError."""
    at = _commit_time(root)
    if kind == "zip":
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="looplab-handout-") as scratch:
            _fill(root, Path(scratch), chosen, at, dates)
            beside = target.with_name(f".{target.name}.new")
            try:
                _zip(Path(scratch), beside, at)
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)
        return
    with copy.whole_or_nothing(target):
        _fill(root, target, chosen, at, dates)
        if kind == "git":
            if not copy.commit(target, f"@{at} +0000"):
                raise FileNotFoundError(2, "git is not installed", "git")
            git.run(target, "read-tree", "HEAD")        # an index that says nothing of this machine's files


def _commit_time(root: Path) -> int:
    """When what is handed out was committed, in seconds since 1970."""
    if (root / ".git").exists():
        try:
            return max(_EARLIEST, int(git.run(root, "log", "-1", "--format=%ct", "HEAD")))
        except FileNotFoundError:
            pass
    return _EARLIEST


def _fill(root: Path, target: Path, chosen: list[str], at: int, dates: str) -> None:
    copy.lay_out(root, target)
    others = [slug for slug in labs.slugs(target) if slug not in chosen]
    for slug in others:
        shutil.rmtree(target / "labs" / slug)
    added, readme, head = target / _ADDED, target / "README.md", target / _ADDED / _HEAD
    if added.is_dir():
        for file in sorted(path for path in added.rglob("*") if path.is_file() and path != head):
            to = target / file.relative_to(added)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
        said = part(readme.read_text(encoding="utf-8"), "For students")
        some = textwrap.fill(f"This copy holds {', '.join(chosen)}. Where an example below names another lab, take one "
                             "of these.", 120, break_on_hyphens=False) + "\n" if others else ""
        readme.write_text("\n".join(filter(None, [head.read_text(encoding="utf-8"), some, dates, said])), "utf-8")
    for path in sorted(target.rglob("*")):
        if not path.is_symlink():
            os.chmod(path, 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            os.utime(path, (at, at))


def part(text: str, heading: str) -> str:
    """Of a page in Markdown what stands under a heading of the second level, with that heading. Raises ValueError where
    there is no such heading."""
    parts = ("\n" + text).split("\n## ")[1:]
    found = [one for one in parts if one.partition("\n")[0] == heading]
    if len(found) != 1:
        raise ValueError(f"no heading {heading!r}")
    return f"## {found[0].rstrip()}\n"


def _zip(folder: Path, file: Path, at: int) -> None:
    moment = time.gmtime(at)[:6]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{TOP}/{path.relative_to(folder).as_posix()}", moment)
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
                entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
                out.writestr(entry, path.read_bytes())
