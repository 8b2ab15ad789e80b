"""Which warm-ups are done: kept beside the results of gradings, whole ones and those of a single file.

`looplab warmups` lists them with a tick. One counts as done while its file is the one that was right.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Optional

from ..course import lab as labs, warmups
from ..course.lab import Lab
from ..plain.text import WIDTH, cut
from . import results

FILE = "done.json"
MARKS = {"done": "✓", "changed": "~", "": "·"}


class Ticks:
    """The state of each warm-up. out: where results go; folder: where the student's files are."""

    def __init__(self, lab: Lab, out: Path, folder: Path):
        self._file, self._folder, self.sources = out / lab.slug / FILE, folder, lab.sources
        try:
            said = json.loads(self._file.read_text())
            self._right = {name: value for name, value in said.items() if isinstance(value, str)}
        except (OSError, ValueError, AttributeError):
            self._right = {}        # a file that is damaged counts as none

    def of(self, source: str) -> str:
        """ "done", "changed" since it was right, or ""."""
        right = self._right.get(source, "")
        return "" if not right else "done" if right == results.digest(self._folder / source) else "changed"

    @property
    def done(self) -> int:
        """How many are."""
        return sum(self.of(source) == "done" for source in self.sources)

    def next(self, after: str = "") -> Optional[str]:
        """The first that is not done behind that one, else in front of it; None: all are."""
        at = self.sources.index(after) + 1 if after in self.sources else 0
        return next((source for source in self.sources[at:] + self.sources[:at] if self.of(source) != "done"), None)

    def note(self, result: dict) -> None:
        """Takes in what a grading has found. Raises OSError where nothing can be written."""
        for check in result["checks"]:
            source = check["id"].partition("[")[2].rstrip("]") + ".c"
            if source in self.sources:
                self._right.pop(source, None)
                if check["status"] == "passed":
                    self._right[source] = results.digest(self._folder / source)
        self._file.write_text(json.dumps(self._right, indent=1) + "\n")


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "warmups". Raises LabError."""
    parser = argparse.ArgumentParser(prog="looplab warmups", description="All warm-ups, with a tick at those done.")
    parser.add_argument("--out", metavar="DIR", default="", help="where the results are (default: build/grade)")
    out = parser.parse_args(argv).out
    for lab in [lab for lab in labs.find_labs(root) if lab.warmups]:
        ticks = Ticks(lab, Path(out) if out else root / "build" / "grade", lab.folder)
        for warmup in warmups.read(lab):
            before = ", ".join(warmup.prepares)
            print(cut(f"  {MARKS[ticks.of(warmup.source)]} {warmup.number} {warmup.title:<44}"
                      f" before lab {before}", WIDTH).rstrip())
        following = ticks.next()
        print(f"\n{ticks.done} of {len(ticks.sources)} are done."
              + (f" Next: make watch LAB={lab.number}, with {following}" if following else " Next: make watch LAB=01"))
    return 0
