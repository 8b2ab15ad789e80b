"""What became of one test of a suite on one scraper: read from the lines that its process left."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional, Sequence

from ..plain import words
from ..plain.text import printable
from ..running import process

_PLACE = re.compile(r"\[   LINE   \] --- (?P<file>[^\n]+):(?P<line>\d+): error: Failure!")
_ASSERT = re.compile(r": (?P<file>[^\n:]+):(?P<line>\d+): [^\n]*(?P<words>Assertion `[^\n]*' failed)")
_STOPPED = {"cpu": "it computes without end", "wall": "it waits without end, in real time",
            "memory": "it takes up all memory",
            "output": "it prints without end", "file": "it writes without end",
            "threads": "it starts threads without end"}


@dataclass(frozen=True)
class Test:
    """One CO_TEST."""

    name: str
    src: str                # "test_scraper.c:12"


@dataclass(frozen=True)
class Verdict:
    """What became of one test on one scraper."""

    test: Test
    verdict: str            # passed assertion deadlock leak crash ended stopped
    said: str = ""          # on stderr, the words of an assertion included
    facts: dict = field(default_factory=dict, compare=False)    # what the world saw

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"

    @property
    def src(self) -> str:
        """The line that failed, if it is one of the suite; else the test's."""
        match = _PLACE.search(self.said) or _ASSERT.search(self.said)
        name = Path(match["file"]).name if match else ""
        return f"{name}:{match['line']}" if match and name == self.test.src.partition(":")[0] else self.test.src

    @property
    def words(self) -> str:
        """Why it failed, in one line."""
        said = self.said
        if self.verdict == "stopped":
            return _STOPPED.get(said, "it did not come to an end")
        if self.verdict == "ended":
            return "it ended the program"
        if match := _ASSERT.search(said):
            return match["words"]
        if self.verdict == "deadlock":
            return "everything waits, and nothing can ever happen again"
        place = _PLACE.search(said)
        lines = [line for line in (said[:place.start()] if place else said).strip().split("\n") if line]
        if self.verdict == "leak":
            return next((line.partition("leak: ")[2] for line in lines if ": leak: " in line),
                        "something was left behind")
        if self.verdict == "crash":
            return lines[-1] if lines and re.search("overflow|livelock", lines[-1]) else "it crashed"
        return _numbers(printable(lines[-1])) if lines else "an assertion does not hold"


@dataclass(frozen=True)
class Dependence:
    """A test whose verdict depends on what ran before it."""

    test: Test
    how: str                # "fails on its own", "fails in another order"
    verdict: Verdict


def lines_of(text: str) -> list[dict]:
    """What a suite wrote, as far as it is what it should be."""
    found = []
    for line in text.split("\n"):
        try:
            value = json.loads(line) if line.startswith("{") else None
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append(value)
    return found


def verdicts_of(lines: list[dict], outcome: process.Outcome, names: Sequence[str],
              by_name: dict[str, Test]) -> dict[str, Verdict]:
    """The verdicts of one process on the tests it was given. At least the first of them has one."""
    found: dict[str, Verdict] = {}
    begun: Optional[str] = None
    for line in lines:
        name = line.get("begin", line.get("test"))
        if name not in names or name in found:
            continue
        begun = name
        if "verdict" in line:
            said = line.get("said")
            found[name] = Verdict(by_name[name], str(line["verdict"]), said if isinstance(said, str) else "", line)
    over = any("end" in line for line in lines) and outcome.exit == 0
    missing = [name for name in names if name not in found]
    if missing and not (found and any(not verdict.passed for verdict in found.values())):
        # The process ended in a way that it could not report itself: the test under way is to blame.
        name = begun if begun in missing else missing[0]
        verdict = "stopped" if outcome.limit else "ended" if outcome.exit == 0 else "crash"
        found[name] = Verdict(by_name[name], verdict, outcome.limit or outcome.stderr)
    elif not missing and not over and all(verdict.passed for verdict in found.values()) and outcome.signal:
        last = names[-1]
        found[last] = replace(found[last], verdict="crash", said=outcome.stderr)
    return found


def whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def listed(value: object) -> list:
    return value if isinstance(value, list) else []


def _numbers(text: str) -> str:
    """cmocka's hexadecimal numbers in decimal, times in ms: "0x1 != 0x2" is "1 is not 2"."""
    match = re.fullmatch(r"(?:0x)?([0-9a-f]{1,16}) (!=|==) (?:0x)?([0-9a-f]{1,16})", text)
    if not match:
        return text
    left, right = (value - (1 << 64) if value >> 63 else value for value in (int(match[1], 16), int(match[3], 16)))
    if max(left, right) >= 1 << 44 and "!=" in text:
        return "one address is not the other"
    is_time = all(value % 1000 == 0 for value in (left, right)) and max(abs(left), abs(right)) >= 1_000_000

    def show(value: int) -> str:
        return f"{value / 1e6:g} ms" if is_time else words.error(value) if -4096 < value < 0 else str(value)

    return f"{show(left)} is not {show(right)}" if match[2] == "!=" else f"{show(left)} is what it should not be"
