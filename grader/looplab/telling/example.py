"""`looplab compare --example 24`: an example in its virtual world, and the very same program in that world served for
real.

An example says what happened by what it prints. It agrees if every real run ends as predicted and prints the same
lines, in whatever order, and if in the best of them each time in a line (a number before " ms") is as predicted, within
3 % or 5 ms.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..plain.duration import show
from ..plain.failure import UsageError
from ..plain.text import count, cut
from ..running.serving import Server, promptly, without_proxies
from .differential import near

MS = 1_000_000          # ns
ROUNDED = MS            # ns: so much a printed time may be off by itself
LONGEST_S = 300.0
_TIME = re.compile(r" *(\d+) ms\b")


@dataclass(frozen=True)
class Printed:
    """One run: its exit code, and the lines of both its streams."""

    code: int
    lines: tuple[str, ...]

    @property
    def said(self) -> dict[str, list[list[int]]]:
        """Each line without its times → the times (ns) of each that reads so, in the order of those times."""
        found: dict[str, list[list[int]]] = defaultdict(list)
        for line in self.lines:
            found[_TIME.sub(" N ms", line)].append([int(ms) * MS for ms in _TIME.findall(line)])
        return {text: sorted(times) for text, times in found.items()}


def find(word: str, root: Path) -> Path:
    """The example that "7", "07" or its whole name means, if it has a world of its own, and one that can be served.
    Raises UsageError."""
    folder = root / "sim" / "examples"
    for source in sorted(folder.glob("[0-9][0-9]-*.c")):
        number = source.stem.partition("-")[0]
        if word in (source.stem, number, number.lstrip("0")):
            world = source.with_suffix(".json")
            if not world.is_file():
                raise UsageError(f"{source.stem} has no world of its own: there is nothing to compare")
            if "databases" in json.loads(world.read_text()):
                raise UsageError(f"{source.stem} works on the database of its world, which no real server holds: "
                                 "there is nothing to compare")
            return source
    raise UsageError(f"there is no example '{word}': sim/examples/README.md lists them")


def wording(predicted: Printed, real: Printed) -> list[str]:
    """What differs besides times, in words."""
    found = [] if predicted.code == real.code else [f"exit code: predicted {predicted.code}, really {real.code}"]
    one, other = predicted.said, real.said
    for text in list(dict.fromkeys([*one, *other])):
        wanted, got = len(one.get(text, [])), len(other.get(text, []))
        if wanted != got:
            found.append(f'"{cut(text.strip(), 60)}": predicted {count(wanted, "time")}, really {count(got, "time")}')
    return found


def late(predicted: Printed, real: Printed) -> list[str]:
    """Which times differ by more than clocks do, in words."""
    found, other = [], real.said
    for text, wanted in predicted.said.items():
        for times, really in zip(wanted, other.get(text, [])):
            found += [f'"{cut(text.strip(), 60)}": predicted {show(ns)}, really {show(was)}'
                      for ns, was in zip(times, really) if not near(ns, was, ROUNDED)]
    return found


def run(program: Path, work: Path, root: Path, environment: dict[str, str]) -> Printed:
    """One run in a folder of its own, from which the example finds its world as from the top of the house. Raises
    UsageError for one that does not end."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        (Path(folder) / "sim").symlink_to(root / "sim")
        try:
            done = subprocess.run([str(program)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LONGEST_S,
                                  env={**without_proxies(), "CO_WORLD": "", **environment}, preexec_fn=promptly)
        except subprocess.TimeoutExpired:
            raise UsageError(f"the example did not end within {LONGEST_S:.0f} s") from None
    return Printed(done.returncode, tuple(done.stdout.splitlines()))


@dataclass(frozen=True)
class Comparison:
    """What came of it."""

    predicted: Printed
    real: list[Printed]

    @property
    def best(self) -> Printed:
        """The run in which the fewest times differ."""
        return min(self.real, key=lambda printed: len(late(self.predicted, printed)))

    @property
    def differences(self) -> list[str]:
        """What is no time in any run, and the times in the best; in words."""
        said = [one for printed in self.real for one in wording(self.predicted, printed)]
        return [*dict.fromkeys(said), *late(self.predicted, self.best)]

    def as_json(self, name: str) -> dict[str, Any]:
        """compare.json (looplab/compare/v1) of an example."""
        return {"schema": "looplab/compare/v1", "example": name, "agrees": not self.differences,
                "runs": len(self.real), "lines": len(self.predicted.lines), "differences": self.differences,
                "load": round(os.getloadavg()[0], 1)}

    def told(self, name: str) -> str:
        """Both sides in a few lines, and what differs."""
        times = sum(len(each) for times in self.predicted.said.values() for each in times)
        lines = [f"{name}: {count(len(self.predicted.lines), 'line')} with {count(times, 'time')}; "
                 f"best of {count(len(self.real), 'real run')}; load {os.getloadavg()[0]:.1f}"]
        lines += [f"  {one}" for one in self.differences[:8]]
        lines.append("  " + ("They agree." if not self.differences else "They do not agree."))
        return "\n".join(lines) + "\n"


def compare(program: Path, world: Path, work: Path, root: Path, runs: int) -> Comparison:
    """One run in the virtual world, up to `runs` in the same world served for real: the first that agrees is enough
    for the times. The program knows both worlds."""
    predicted, real = run(program, work, root, {}), []        # type: Printed, list[Printed]
    for _ in range(runs):
        with Server(world, root) as server:
            real.append(run(program, work, root, {**server.environment, "CO_WORLD": "real"}))
        if not Comparison(predicted, real).differences:
            break
    return Comparison(predicted, real)
