"""Changes a reference solution mechanically, one change at a time, and grades each: which changes cost no points?

    PYTHONPATH=grader /usr/bin/python3 grader/tests/mutate.py LAB [--count 60] [--jobs 2] [--only TEXT]

A mutant (mutation.py) that does not compile, or compiles to the same machine code, is left out. One that keeps full
marks is a survivor: either it changes nothing that the handout fixes (then mutants/NN-slug.json says why: {"its id":
"the reason"}), or a check is missing. Exits 1 when fewer than 95 % of those that are not in that file lose points.
Of a lab whose solution is a test suite (06), a mutant with full marks passes on the same correct programs and exposes
the same faulty ones as the original: it is equal by construction.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from grading import ROOT, Graded, grade
from looplab.course import lab as labs
from looplab.course.lab import Lab
from looplab.running.build import compiler
from mutation import Mutant, further, mutants, spread

FOLDER = Path(__file__).resolve().parent / "mutants"
KILLED_LEAST = 0.95
OF_A_SUITE = "the suite's verdicts on all correct and all faulty scrapers are the same: that is all a suite does"


@dataclass(frozen=True)
class Tried:
    """A mutant that compiles, and what it is worth."""

    mutant: Mutant
    score: Optional[int]        # None: the grader could not grade it
    failed: tuple[str, ...]     # the checks that saw it
    reason: str = ""            # why it may survive

    @property
    def killed(self) -> bool:
        return self.score is not None and self.score < 100

    def told(self) -> str:
        """A line of the table."""
        seen = f"{self.failed[0]}{f' and {len(self.failed) - 1} more' if len(self.failed) > 1 else ''}" if self.failed \
            else ""
        how = "error   " if self.score is None else "killed  " if self.killed else "equal   " if self.reason \
            else "SURVIVES"
        score = "  ?" if self.score is None else f"{self.score:3}"
        return f"{score}  {how}  {self.mutant.line:4}  {self.mutant.what:9} {self.mutant.id}" \
            + (f"   [{seen}]" if seen else "")


def equivalents(lab: Lab) -> dict[str, str]:
    """Which mutants may survive, and why."""
    file = FOLDER / f"{lab.slug}.json"
    return json.loads(file.read_text()) if file.exists() else {}


@functools.lru_cache(2)
def machine_code(lab: Lab, text: str) -> str:
    """What an optimising compiler makes of a file; "" if nothing."""
    flags = ["@sim/kit/student.flags", "-O2", "-g0", "-Isim/include", f"-I{lab.folder}", "-include", lab.header]
    done = subprocess.run([*compiler(), *flags, "-S", "-x", "c", "-", "-o", "-"], input=text,
                          cwd=ROOT, text=True, capture_output=True)
    return done.stdout if done.returncode == 0 else ""


def try_one(lab: Lab, text: str, mutant: Mutant, reason: str, seed: int = 7) -> Optional[Tried]:
    """Grades a mutant; None: it does not compile, or compiles to the very same program."""
    if machine_code(lab, mutant.of(text)) in ("", machine_code(lab, text)):
        return None
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        source = Path(folder) / "source"
        source.mkdir()
        (source / lab.source).write_text(mutant.of(text))
        graded: Graded = grade(lab, source, Path(folder) / "out", seed)
    status = graded.result["status"]
    if status == "ungradable":
        return None
    failed = tuple(check["id"] for check in graded.result["checks"] if check["status"] in ("failed", "error"))
    return Tried(mutant, graded.result["score"] if status == "graded" else None, failed, reason)


def candidates(text: str) -> list[Mutant]:
    """All changes: those of the first kinds, spread over the file, then the others."""
    return spread(mutants(text)) + spread(further(text))


def try_some(lab: Lab, count: int, jobs: int, only: str = "") -> Iterator[Tried]:
    """The first `count` mutants that compile, spread over the file."""
    text, reasons = (lab.solution / lab.source).read_text(), equivalents(lab)
    otherwise = OF_A_SUITE if lab.settings.get("suite") else ""
    chosen = [mutant for mutant in candidates(text) if only in mutant.id]
    found = 0
    with ThreadPoolExecutor(jobs) as pool:
        while chosen and found < count:
            some, chosen = chosen[:min(2 * jobs, count - found)], chosen[min(2 * jobs, count - found):]
            for tried in pool.map(lambda mutant: try_one(lab, text, mutant, reasons.get(mutant.id, otherwise)), some):
                if tried:
                    found += 1
                    yield tried


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lab")
    parser.add_argument("--count", type=int, default=60, help="mutants that compile (default: 60)")
    parser.add_argument("--jobs", type=int, default=2, help="gradings at a time (default: 2)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants whose id holds this")
    options = parser.parse_args()
    lab = labs.resolve(options.lab)
    tried = []
    for one in try_some(lab, options.count, options.jobs, options.only):
        tried.append(one)
        print(one.told(), flush=True)
    return summary(lab, tried)


def summary(lab: Lab, tried: list[Tried]) -> int:
    """Says how many were killed and which survive; returns the exit code."""
    counted = [one for one in tried if one.killed or not one.reason]
    killed = sum(one.killed for one in counted)
    share = killed / len(counted) if counted else 0.0
    survivors = [one for one in counted if not one.killed]
    print(f"\n{lab.slug}: {len(tried)} mutants; {len(tried) - len(counted)} equal to the original; "
          f"of the other {len(counted)} {killed} lose points ({100 * share:.0f} %)")
    for one in survivors:
        print(f"\n{one.mutant.id}\n    solutions/{lab.slug}/{lab.source}:{one.mutant.line} ({one.mutant.what})"
              f"\n    either a check is missing, or {FOLDER.name}/{lab.slug}.json says why it is equal")
    return 0 if counted and share >= KILLED_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
