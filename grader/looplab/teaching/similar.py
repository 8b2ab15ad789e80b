"""`looplab similar`: pairs of submissions that share more than the skeleton explains: where to look, not a verdict."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Sequence

from ..course import lab as labs
from ..course.lab import Lab
from ..plain import alone
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..plain.text import WIDTH, count, cut, printable
from ..telling.progress_line import ProgressLine
from . import intake, pairs_page, winnow
from .intake import Submission
from .winnow import Prints

SHARE_LEAST = 20        # percent, of the smaller of the two; right solutions that know nothing of each other: below 10
PRINTS_LEAST = 6        # that two must have in common
PAIRS_MOST = 200        # of a lab, that are listed


@dataclass(frozen=True)
class Pair:
    """Two that have something in common."""

    one: str
    other: str
    shared: int         # fingerprints that both have
    share: int          # percent of what the smaller of the two has of its own, rounded down


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "similar"; returns the exit code, which is the same whatever is found."""
    parser = argparse.ArgumentParser(prog="looplab similar", description="Pairs of submissions that are alike.")
    parser.add_argument("--from", dest="source", metavar="DIR", required=True, help="as for a class")
    parser.add_argument("--out", metavar="DIR", default="build/similar", help="where pages go (default: build/similar)")
    parser.add_argument("--lab", metavar="L", help="only this lab (default: every lab of which files are there)")
    options = parser.parse_args(argv)
    source, out = Path(options.source), Path(options.out)
    intake.check_places(options.source, options.out)
    chosen = [labs.asked(options.lab, root)] if options.lab \
        else [lab for lab in labs.find_labs(root) if not lab.warmups]
    with alone.in_folder(out, f"another comparison in {options.out}"), \
            tempfile.TemporaryDirectory(prefix="looplab-similar-") as scratch:
        taken = intake.of_source(source, chosen, Path(scratch))
        used = [lab for lab in chosen if any(one.lab == lab for one in taken.submissions)]
        if not used:
            raise UsageError(f"FROM={options.source}: no lab's file is there that somebody has begun")
        for lab in used:
            _one_lab(lab, [one for one in taken.submissions if one.lab == lab], out)
    print("This is a place to look, not a verdict: read both files, and ask both students.")
    return 0


def _one_lab(lab: Lab, submissions: Sequence[Submission], out: Path) -> None:
    texts = {one.student: one.file.read_bytes().decode("utf-8", "replace") for one in submissions}
    known = winnow.given(handed_out(lab))
    progress = ProgressLine(sys.stderr)
    prints = {}
    for number, (student, text) in enumerate(texts.items()):
        progress.step(0, number, len(texts), f"files of {lab.slug} read")
        prints[student] = winnow.prints(text, known)
    found = pairs(prints, progress)
    progress.clear()
    folder = out / lab.slug
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("pair-*.html"):
        old.unlink()
    listed = found[:PAIRS_MOST]
    for number, pair in enumerate(listed, start=1):
        _write(folder / pairs_page.name(number), pairs_page.of_two(
            lab, pair.one, pair.other, pair.share, prints[pair.one], prints[pair.other]))
    shown = [(pair.one, pair.other, pair.share) for pair in listed]
    _write(folder / "index.html", pairs_page.listing(lab, len(texts), shown, len(found) - len(listed), SHARE_LEAST))
    _write(folder / "pairs.csv", _table(found))
    there = for_stream(sys.stdout, os.fspath(folder))
    print(f"{lab.slug}: {count(len(texts), 'file')}, {count(len(found), 'pair')} to look at: {there}/index.html")
    for pair in found[:5]:
        print(for_stream(sys.stdout, cut(f"  {pair.share:3} %  {printable(pair.one)} and {printable(pair.other)}",
                                         WIDTH)))


def handed_out(lab: Lab) -> list[str]:
    """What everybody may have in common: all that stands in the lab's folder, and the reference solution."""
    files = [path for path in sorted(lab.folder.rglob("*")) if path.suffix in (".c", ".h", ".md") and path.is_file()]
    return [path.read_text(encoding="utf-8") for path in [*files, *sorted(lab.solution.glob("*.c"))]]


def pairs(prints: dict[str, Prints], progress: ProgressLine) -> list[Pair]:
    """Those with a share of SHARE_LEAST or more, the largest first."""
    own = {student: frozenset(one.own) for student, one in prints.items()}
    found, of, done = [], len(own) * (len(own) - 1) // 2, 0
    for one, other in combinations(sorted(own), 2):
        if done % 1000 == 0:
            progress.step(0, done, of, "pairs compared")
        done += 1
        shared = len(own[one] & own[other])
        if shared >= PRINTS_LEAST:
            share = 100 * shared // min(len(own[one]), len(own[other]))
            if share >= SHARE_LEAST:
                found.append(Pair(one, other, shared, share))
    return sorted(found, key=lambda pair: (-pair.share, -pair.shared, pair.one, pair.other))


def _table(found: Sequence[Pair]) -> str:
    out = io.StringIO()
    rows = [["share", "one", "other", "page"]]
    rows += [[str(pair.share), pair.one, pair.other, pairs_page.name(number) if number <= PAIRS_MOST else ""]
             for number, pair in enumerate(found, start=1)]
    csv.writer(out, lineterminator="\n").writerows([["'" + cell if cell[:1] in "=+-@" and cell else cell
                                                     for cell in map(printable, row)] for row in rows])
    return out.getvalue()


def _write(file: Path, text: str) -> None:
    beside = file.with_name(file.name + ".new")
    beside.write_text(text, encoding="utf-8", errors="backslashreplace")
    beside.replace(file)
