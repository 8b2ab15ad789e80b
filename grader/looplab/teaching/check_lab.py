"""`looplab check-lab`: holds a lab to all that is asked of one, and says of each rule whether it is kept."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Sequence, Tuple

from ..course import lab as labs
from ..course.lab import Lab, LabError
from ..course.order import Order
from ..plain import together
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..telling.scorecard import Style
from . import lab_rules, pool
from .lab_rules import Wrong

KEPT, BROKEN = 0, 1         # exit codes
SEED = 7                    # that of the verdicts in grader/tests/corpus

Told = Tuple[str, Sequence[Wrong]]
"""A rule, and what is wrong."""


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "check-lab"; returns the exit code. Raises UsageError."""
    parser = argparse.ArgumentParser(prog="looplab check-lab", description="Holds a lab to what is asked of one.")
    parser.add_argument("--lab", metavar="L", required=True, help="1, 01 or 01-sync-vs-async")
    parser.add_argument("--record", action="store_true", help="first write into each verdict.json of the lab's corpus "
                                                              "what the grader says now")
    options = parser.parse_args(argv)
    word = options.lab
    try:
        lab = labs.asked(word, root)
    except LabError as fault:
        told = [_tell("The folder is one of a lab", [Wrong(f"labs, LAB={word}", str(fault), "see labs/AUTHORING.md")])]
        return BROKEN
    if not (root / "solutions").is_dir():
        raise UsageError(f"LAB={word}: solutions/ is not here: labs are checked in the whole project, not in a handout")
    told = [_tell(title, wrongs) for title, wrongs in _all(lab, options.record)]
    broken = told.count(False)
    print(f"{lab.slug}: {broken} of {len(told)} rules are broken" if broken else
          f"{lab.slug} keeps all {len(told)} rules")
    return BROKEN if broken else KEPT


def _tell(title: str, wrongs: Sequence[Wrong]) -> bool:
    """Prints the line of a rule, and what is wrong under it; returns whether it is kept."""
    print(f"{'wrong' if wrongs else 'ok   '}  {title}", flush=True)
    for wrong in wrongs:
        print(for_stream(sys.stdout, f"       {wrong}".replace("\n", "\n       ")), flush=True)
    return not wrongs


def _all(lab: Lab, record: bool) -> Iterator[Told]:
    """Every rule, those that need no grading first."""
    for entry in lab_rules.corpus(lab) if record else ():
        if not (entry / "verdict.json").is_file():
            _write(entry, {})
    known = [(rule.title, rule.wrongs(lab)) for rule in lab_rules.RULES]
    yield from known
    if known[0][1]:
        return          # there is nothing to grade
    with tempfile.TemporaryDirectory(prefix="looplab-check-") as scratch:
        yield from _graded(lab, Path(scratch), record)


def _graded(lab: Lab, scratch: Path, record: bool) -> Iterator[Told]:
    """What is asked of gradings."""
    from ..report.grade import grade    # brings in the whole grader

    done = grade(lab, Order([lab], lab.folder, scratch / "skeleton", SEED, None), Style(), lambda *progress: None)
    if not done.result:
        yield "The skeleton scores little, and is told what to do", [Wrong(f"labs/{lab.slug}", done.text, "see there")]
        return
    yield ("The skeleton scores little, and is told what to do", lab_rules.of_skeleton(lab, done.result, done.text))
    yield ("The points add up, in every category", lab_rules.of_points(lab, done.result))
    right = [lab.solution / lab.source, *lab_rules.alternatives(lab)]
    entries = [entry for entry in lab_rules.corpus(lab) if (entry / "verdict.json").is_file()]
    results = _results(lab, [*right, *(entry / lab.source for entry in entries)], scratch)
    wrongs = [wrong for file in right for wrong in
              lab_rules.of_right(lab_rules.short(lab, file), results[file])]
    yield "Right programs score 100", wrongs
    wrongs = []
    for entry in entries:
        told = json.loads((entry / "verdict.json").read_text("utf-8"))
        if record:
            told = {**told, **lab_rules.verdict(results[entry / lab.source])}
            _write(entry, told)
        wrongs += lab_rules.of_corpus(lab_rules.short(lab, entry), results[entry / lab.source], told)
    yield "Wrong ones get their verdict, and are told why", wrongs


def _write(entry: Path, told: dict) -> None:
    """A verdict.json, whole or not at all; what its author has to say of it stays."""
    keys = ("score", "failed", "skipped", "names", "misconception")
    beside = entry / "verdict.json.new"
    whole = {key: told.get(key, "") for key in keys}
    beside.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")
    beside.replace(entry / "verdict.json")


def _results(lab: Lab, files: Sequence[Path], scratch: Path) -> dict[Path, dict]:
    """What the grader makes of each file."""
    pieces = []
    for number, file in enumerate(files):
        folder = scratch / str(number)
        folder.mkdir()
        shutil.copy(file, folder / lab.source)
        pieces.append(pool.Piece(number, lab, folder, scratch / f"{number}.out", SEED))
    nothing = {"status": "error", "score": None, "max_score": 0, "checks": [], "message": "it was cut off at a limit"}
    return {files[piece.number]: result or nothing
            for piece, result, _ in pool.each(pieces, together.cores())}
