"""Grades the same submissions again and again, two gradings at once, and compares: a grade is the same each time.

    PYTHONPATH=grader /usr/bin/python3 grader/tests/repeat.py [--count 100] [--jobs 2] [LAB | FOLDER]...

Without words: of each lab the skeleton, whose checks nearly all fail, and the solution. A FOLDER holds one lab's file,
in a folder named after the lab (grader/tests/corpus/01-sync-vs-async/batches). Exits 1 when two results.json differ in
more than elapsed_s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grading import complete_labs, grade
from looplab.course import lab as labs
from looplab.course.lab import Lab


def outcome(lab: Lab, source: Path, out: Path) -> str:
    """What one grading says, but for how long it took and where it was written."""
    graded = grade(lab, source, out)
    result = {**graded.result, "exit": graded.code}
    del result["elapsed_s"]
    return json.dumps(result, indent=1, sort_keys=True).replace(str(out), "OUT")


def different(lab: Lab, source: Path, count: int, jobs: int) -> list[str]:
    """The different outcomes of so many gradings; one, if all is well."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        # All paths are as long as each other: no path gets into a program, but a fault there should not depend on luck.
        outcomes = list(pool.map(lambda k: outcome(lab, source, Path(folder) / f"{k:04}"), range(count)))
    return sorted(set(outcomes))


def submissions(words: list[str]) -> list[tuple[Lab, Path]]:
    """The (lab, folder) pairs that the command line means."""
    found = []
    for lab in complete_labs()[0]:
        for folder in (lab.folder, lab.solution):
            if not words or any(word in (lab.slug, lab.number, lab.number.lstrip("0")) for word in words):
                found.append((lab, folder))
    for word in words:
        folder = Path(word).resolve()
        if "/" in word:
            found.append((labs.load(folder.parent.name), folder))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="LAB | FOLDER")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    worst = 0
    for lab, source in submissions(options.words):
        began = time.monotonic()
        outcomes = different(lab, source, options.count, options.jobs)
        worst |= len(outcomes) > 1
        print(f"{source.relative_to(labs.ROOT)}: {options.count} gradings, {options.jobs} at a time, {len(outcomes)} "
              f"different outcome{'s' if len(outcomes) > 1 else ''}, "
              f"score {json.loads(outcomes[0])['score']}, {time.monotonic() - began:.0f} s",
              flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
