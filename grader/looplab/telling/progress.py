"""`looplab progress`: all labs at a glance, from the results of their last gradings."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..course import lab as labs
from ..course.lab import Lab
from ..plain.text import cut, printable
from . import results
from .ticks import Ticks

BAR = 20        # columns


@dataclass(frozen=True)
class State:
    """Where one lab stands."""

    lab: Lab
    result: Optional[dict]      # its last results.json
    changed: bool               # the file is another one now than it was then
    ticks: Optional[Ticks] = None   # of the lab of warm-ups: how many of them are done

    @property
    def full(self) -> bool:
        """Full marks, for the file as it is now?"""
        if self.ticks:
            return self.ticks.done == len(self.ticks.sources)
        return not self.changed and bool(self.result) and self.result.get("score") == self.result.get("max_score") \
            is not None

    def line(self) -> str:
        """One line of the table, at most 80 columns."""
        name = f"{self.lab.slug:<20}"
        if self.ticks:
            done, following = self.ticks.done, self.ticks.next()
            return cut(f"  {name} {bar(done, len(self.ticks.sources))} {done:3}/{len(self.ticks.sources)}"
                       + (f"  next is {following}" if following else ""), 80)
        if self.result is None:
            return f"  {name} {bar(0, 1)}   not graded yet"
        if self.result.get("score") is None:
            return cut(f"  {name} {bar(0, 1)}   {self.result['status']}: {printable(self.result.get('message', ''))}",
                       80)
        score, most = self.result["score"], self.result["max_score"]
        return cut(f"  {name} {bar(score, most)} {score:3}/{most}" + (f"  {self._next()}" if score < most
                                                                      or self.changed else ""), 80)

    def _next(self) -> str:
        if self.changed:
            return "changed since"
        assert self.result
        failed = [check for check in self.result["checks"] if check["status"] == "failed"]
        return failed[0]["title"] if failed else ""


def bar(part: int, whole: int) -> str:
    """How far: "[#####...............]"."""
    full = part * BAR // max(whole, 1)
    return "[" + "#" * full + "." * (BAR - full) + "]"


def state(lab: Lab, out: Path, source: Path) -> State:
    """Reads a lab's last result; one that is not there or not readable counts as none."""
    if lab.warmups:
        return State(lab, None, False, Ticks(lab, out, source.parent))
    file = out / lab.slug / "results.json"
    try:
        result = json.loads(file.read_text())
        return State(lab, result, result.get("file_sha256") != results.digest(source))
    except (OSError, ValueError):
        return State(lab, None, False)


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "progress"."""
    parser = argparse.ArgumentParser(prog="looplab progress", description="All labs at a glance.")
    parser.add_argument("--out", metavar="DIR", default="", help="where the results are (default: build/grade)")
    out = parser.parse_args(argv).out
    folder = Path(out) if out else root / "build" / "grade"
    states = [state(lab, folder, lab.folder / lab.source) for lab in labs.find_labs(root)]
    print("\n".join(one.line() for one in states))
    open_ = next((one for one in states if not one.full), None)
    print(f"\n{sum(one.full for one in states)} of {len(states)} labs with full marks."
          + (f" Next: make watch LAB={open_.lab.number}" if open_ else ""))
    return 0
