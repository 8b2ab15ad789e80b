"""course.toml: which labs a course uses, what they are worth, when they are due, and what students are told.

    title = "Systems programming"
    tier = "B"                      the sandbox that is asked for: A, B, C or D
    seeds = "student"               student: everybody has numbers of their own, from the secret; one: all the same
    secret = "correct horse battery"    at least 16 characters; only teachers know it (with seeds = "one": seed = 7)

    [feedback]                      none, number (of checks that pass), names (of those that fail), full
    robustness = "names"            what is not said is full

    [late]
    percent_a_day = 10              of what was earned, for each day begun
    most = 50                       percent; no more is lost
    grace_minutes = 15

    [labs.01]
    points = 20                     what full marks are worth in this course
    weight = 1                      its share of the whole (as said of no lab: its points)
    due = 2026-10-15T23:59:00+02:00
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

try:
    import tomllib
except ModuleNotFoundError:         # before Python 3.11; pytest needs tomli there, so it is there
    import tomli as tomllib         # type: ignore[no-redef]

from ..asking.points import CATEGORIES
from ..course import lab as labs
from ..course.lab import Lab
from ..plain import seed as seeds
from ..plain.failure import UsageError

LEVELS, TIERS, SEEDS = ("none", "number", "names", "full"), ("A", "B", "C", "D"), ("student", "one")
SECRET_LEAST = 16


@dataclass(frozen=True)
class Late:
    """What a late submission loses, in percent of what it has earned."""

    percent_a_day: int = 0
    most: int = 100
    grace_minutes: int = 0

    def lost(self, due: datetime, at: datetime) -> int:
        """Percent that are lost: for each day begun after the grace."""
        over = at - due - timedelta(minutes=self.grace_minutes)
        return min(self.most, self.percent_a_day * -(-over // timedelta(days=1))) if over > timedelta(0) else 0


@dataclass(frozen=True)
class Use:
    """A lab that the course uses."""

    lab: Lab
    points: int
    weight: int
    due: Optional[datetime]


@dataclass
class Course:
    """What the file says."""

    title: str = ""
    tier: str = ""
    seeds: str = "student"
    seed: int = 1
    secret: str = field(default="", repr=False)
    feedback: dict[str, str] = field(default_factory=dict)
    late: Late = Late()
    uses: list[Use] = field(default_factory=list)

    def use(self, slug: str) -> Use:
        return next(use for use in self.uses if use.lab.slug == slug)

    def seeds_of(self, students: Sequence[str]) -> dict[str, int]:
        """The seed of each student; no two have the same one, unless the course says one for all. It is an HMAC (RFC
        2104, with SHA-256) of the student's id under the secret; where two would meet, the later one in the order of
        ids takes the next."""
        if self.seeds == "one":
            return {student: self.seed for student in students}
        taken: dict[int, str] = {}
        for student in sorted(students):
            attempt = 0
            while True:
                word = f"{student}\0{attempt}".encode("utf-8", "surrogateescape")
                digest = hmac.new(self.secret.encode(), word, hashlib.sha256).digest()
                seed = int.from_bytes(digest[:8], "big") % seeds.MOST + 1
                if seed not in taken:
                    taken[seed] = student
                    break
                attempt += 1
        return {student: seed for seed, student in taken.items()}

    def earned(self, result: dict, lost: int = 0) -> Fraction:
        """The points of a graded result in this course, less what being late costs (percent)."""
        full = Fraction(result["score"] * self.use(result["lab"]).points, result["max_score"])
        return full * (100 - lost) / 100

    def percent(self, earned: dict[str, Fraction], slugs: Sequence[str]) -> Fraction:
        """The whole of these labs, from 0 to 100, by their weights; a lab without points counts as 0."""
        uses = [use for use in self.uses if use.lab.slug in slugs]
        whole = sum(use.weight for use in uses)
        return sum((100 * use.weight * earned.get(use.lab.slug, Fraction(0)) / use.points for use in uses),
                   Fraction(0)) / (whole or 1)


def read(path: Path, root: Path = labs.ROOT) -> Course:
    """Reads a course file. Raises UsageError with a line for each fault: where it is, and what is expected."""
    try:
        text = path.read_bytes().decode("utf-8")
        said = tomllib.loads(text)
    except OSError as fault:
        raise UsageError(f"COURSE={path}: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise UsageError(f"COURSE={path}: byte {fault.start} is no UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        place = re.search(r"\(at line (\d+)", str(fault))
        line = place[1] if place else str(text.count("\n") + 1)
        raise UsageError(f"{path}:{line}: this is no TOML: {str(fault).partition(' (at ')[0]}") from None
    reader = _Reader(path, _lines(text))
    course = _course(said, reader, root)
    if reader.faults:
        raise UsageError("\nlooplab: ".join(line for _, line in sorted(reader.faults)))
    return course


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Where each key stands, by its path. Who writes keys in unusual ways is told the table's line."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        head, key = re.match(r"\s*\[+([^\]]+)\]", line), re.match(r"\s*([\w.\"' -]+?)\s*=", line)
        path = tuple(part.strip(" \"'") for part in (head or key)[1].split(".")) if head or key else ()  # type: ignore
        if head:
            table = path
        for size in range(1, len(path) + 1):
            found.setdefault(path[:size] if head else table + path[:size], number)
    return found


class _Reader:
    """Takes values, and notes all that is wrong."""

    def __init__(self, path: Path, lines: dict[tuple[str, ...], int]):
        self._path, self._lines = path, lines
        self.faults: list[tuple[int, str]] = []

    def fault(self, place: tuple[str, ...], said: str) -> None:
        line = next((self._lines[place[:size]] for size in range(len(place), 0, -1) if place[:size] in self._lines), 1)
        self.faults.append((line, f"{self._path}:{line}: {said}"))

    def table(self, within: Any, place: tuple[str, ...], known: Optional[Sequence[str]] = None) -> dict:
        """The table; {} where it is none. known: the keys that may stand in it."""
        if not isinstance(within, dict):
            self.fault(place, f"{'.'.join(place)}: expected a table, as in [{'.'.join(place)}]")
            return {}
        for key in within:
            if known is not None and key not in known:
                self.fault((*place, key), f"{key}: there is no such key here; the keys are {', '.join(known)}")
        return within

    def value(self, table: dict, place: tuple[str, ...], default: Any, right: Callable[[Any], bool],
              expected: str) -> Any:
        """What stands at the end of the path, or the default."""
        found = table.get(place[-1], default)
        if place[-1] in table and not right(found):
            self.fault(place, f"{'.'.join(place)}: expected {expected}, not {found!r}"
                       if place[-1] != "secret" else f"secret: expected {expected}")
            return default
        return found


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, int) and not isinstance(found, bool) and least <= found <= most


def _course(said: dict, reader: _Reader, root: Path) -> Course:
    top = reader.table(said, (), ("title", "tier", "seeds", "seed", "secret", "feedback", "late", "labs"))
    course = Course(
        reader.value(top, ("title",), "", lambda found: isinstance(found, str), 'a text, as in title = "C"'),
        reader.value(top, ("tier",), "", lambda found: found in TIERS, f"one of {', '.join(TIERS)}"),
        reader.value(top, ("seeds",), "student", lambda found: found in SEEDS, f"one of {', '.join(SEEDS)}"),
        reader.value(top, ("seed",), 1, _whole(1, seeds.MOST), f"a whole number from 1 to {seeds.MOST}"),
        reader.value(top, ("secret",), "", lambda found: isinstance(found, str) and len(found) >= SECRET_LEAST,
                     f"a text of at least {SECRET_LEAST} characters"))
    if course.seeds == "student" and "secret" not in top:
        reader.fault(("seeds",), 'secret: expected one with seeds = "student", as in secret = "correct horse battery"')
    feedback = reader.table(top.get("feedback", {}), ("feedback",), CATEGORIES)
    course.feedback = {category: reader.value(feedback, ("feedback", category), "full", lambda found: found in LEVELS,
                                              f"one of {', '.join(LEVELS)}") for category in CATEGORIES}
    late = reader.table(top.get("late", {}), ("late",), ("percent_a_day", "most", "grace_minutes"))
    course.late = Late(*(reader.value(late, ("late", key), default, _whole(0, most), f"a whole number from 0 to {most}")
                         for key, default, most in (("percent_a_day", 0, 100), ("most", 100, 100),
                                                    ("grace_minutes", 0, 10_000))))
    course.uses = _uses(top, reader, root)
    return course


def _uses(top: dict, reader: _Reader, root: Path) -> list[Use]:
    uses: dict[str, Use] = {}
    tables = reader.table(top.get("labs", {}), ("labs",))
    if not tables:
        reader.fault(("labs",), "labs: expected a table for each lab in use, as in [labs.01]")
    for word, said in tables.items():
        place = ("labs", word)
        try:
            lab = labs.asked(word, root)
        except UsageError:
            reader.fault(place, f"{word}: there is no such lab; the labs are {', '.join(labs.slugs(root))}")
            continue
        if lab.slug in uses:
            reader.fault(place, f"{word}: {lab.slug} stands in this file already")
        table = reader.table(said, place, ("points", "weight", "due"))
        points = reader.value(table, (*place, "points"), 100, _whole(1, 10_000), "a whole number from 1 to 10000")
        weight = reader.value(table, (*place, "weight"), points, _whole(0, 10_000), "a whole number from 0 to 10000")
        due = reader.value(table, (*place, "due"), None, lambda found: isinstance(found, datetime) and bool(
            found.tzinfo), "a time with its zone, as in 2026-10-15T23:59:00+02:00")
        uses[lab.slug] = Use(lab, points, weight, due)
    if uses and not sum(use.weight for use in uses.values()):
        reader.fault(("labs",), "weight: expected one lab at least that weighs more than 0")
    return [uses[slug] for slug in sorted(uses)]
