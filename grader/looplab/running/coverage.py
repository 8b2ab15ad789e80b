"""Which lines and branches of the student's file the checks have reached, measured by gcovr.

Call it after the last run of the cover build: runs add up, also runs at the same time (the counters' file
is locked while one of them adds to it). A run that was killed counts for nothing.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace

from . import process
from .build import Program, compiler

LIMITS = replace(process.TOOL, output=64 * process.MIB)

NOT_THE_STUDENTS = r".*\b(assert|static_assert|CO_WITH_LOCK)\s*\("
"""Lines whose branches a macro made: no run is expected to take them all."""


class CoverageError(Exception):
    """gcovr is missing or failed: the grader's fault, in one line."""


@dataclass(frozen=True)
class Unreached:
    """A piece of the student's file that no run reached."""

    src: str                # "compare.c:58": the first line that never ran, or the condition that went only one way
    text: str               # that line, stripped
    lines: int              # lines of code that never ran there; 0: only one outcome of a condition is missing
    condition: str | None   # "compare.c:57": the condition that leads there, as far as can be told from counts

    @property
    def for_want_of_memory(self) -> bool:
        """Does it only handle a failed malloc?"""
        return self.lines <= 1 and "ENOMEM" in self.text

    def describe(self) -> str:
        """One line for the student: "compare.c:58 never ran: return -ETIMEDOUT;"."""
        if self.lines == 0:
            return f"{self.src} always went the same way: {self.text}"
        more = f" (and {self.lines - 1} more line{'s' if self.lines > 2 else ''})" if self.lines > 1 else ""
        return f"{self.src} never ran: {self.text}{more}"


@dataclass(frozen=True)
class Coverage:
    lines_covered: int
    lines_total: int
    branches_covered: int
    branches_total: int
    unreached: tuple[Unreached, ...]    # in the order of the file

    @property
    def line_percent(self) -> float:
        """0 to 100; 100 for a file without code."""
        return 100.0 * self.lines_covered / self.lines_total if self.lines_total else 100.0

    def pieces(self) -> list[Unreached]:
        """What was not reached, the most telling first: large pieces, then conditions; last what only handles a failed
        malloc."""
        return sorted(self.unreached, key=lambda piece: (piece.for_want_of_memory, -piece.lines))

    @property
    def branch_percent(self) -> float:
        """0 to 100; 100 for a file without branches."""
        return 100.0 * self.branches_covered / self.branches_total if self.branches_total else 100.0


class Measuring:
    """gcovr at work, made by start()."""

    def __init__(self, program: Program, running: process.Running):
        self._program = program
        self._running = running

    def finish(self) -> Coverage:
        """Waits for gcovr. Raises CoverageError."""
        outcome = self._running.finish()
        if not outcome.ok:
            reason = (outcome.stderr.strip().splitlines() or ["no message"])[-1]
            raise CoverageError(f"gcovr failed ({outcome.limit or outcome.signal or outcome.exit}): {reason}")
        files = json.loads(outcome.stdout)["files"]
        return _summary(self._program, files[0]["lines"] if files else [])


def start(program: Program) -> Measuring:
    """Starts gcovr and returns at once. The cover build must not run meanwhile. Raises CoverageError."""
    command = ["gcovr", "--root", str(program.work), "--filter", re.escape(program.lab.source) + "$", "--json", "-",
               "--gcov-executable", _gcov(), "--exclude-throw-branches", "--exclude-unreachable-branches",
               "--exclude-branches-by-pattern", NOT_THE_STUDENTS]
    try:
        running = process.start(command, limits=LIMITS, cwd=program.work, launch=program.lab.launch,
                                env={"PATH": os.environ.get("PATH", os.defpath)})
    except process.LaunchError as error:
        raise CoverageError(f"{error}: run `make deps`") from error
    return Measuring(program, running)


def measure(program: Program) -> Coverage:
    """start() and finish() in one."""
    return start(program).finish()


# ---- Below: how ------------------------------------------------------------------------------------

def _gcov() -> str:
    """The gcov that understands this compiler's counts: gcc-13 goes with gcov-13."""
    cc = os.path.basename(compiler()[-1])
    if "clang" in cc:
        return cc.replace("clang", "llvm-cov") + " gcov"
    return cc.replace("gcc", "gcov") if "gcc" in cc else "gcov"


@dataclass
class _Line:
    number: int
    count: int
    missing: int        # outcomes of its conditions that never happened, not yet explained by a block that never ran
    starts_function: bool


def _summary(program: Program, records: list[dict]) -> Coverage:
    source = [""] + program.source.read_text("utf-8", "replace").split("\n")
    lines = []
    covered = total = 0
    for record in records:
        if record.get("gcovr/noncode", False) or record.get("gcovr/excluded", False):
            continue
        taken = [branch["count"] > 0 for branch in record["branches"]]
        covered, total = covered + sum(taken), total + len(taken)
        number = record["line_number"]
        text = source[number] if number < len(source) else ""
        lines.append(_Line(number, record["count"], taken.count(False), not text[:1].isspace()))
    lines.sort(key=lambda line: line.number)

    found: list[tuple[int, Unreached]] = []

    def note(line: _Line, size: int, condition: _Line | None) -> None:
        place = f"{program.lab.source}:{line.number}"
        leads = f"{program.lab.source}:{condition.number}" if condition else None
        found.append((line.number, Unreached(place, program.line(place), size, leads)))

    # First the blocks that never ran: each explains one missing outcome of a condition above it.
    index = 0
    while index < len(lines):
        if lines[index].count:
            index += 1
            continue
        end = index + 1
        while end < len(lines) and not lines[end].count and not lines[end].starts_function:
            end += 1
        condition = _condition(lines, index)
        if condition:
            condition.missing = 0
        note(lines[index], end - index, condition)
        index = end
    # Then the conditions that went only one way although no line of their own shows it: a loop, && or ?:.
    for line in lines:
        if line.count and line.missing:
            note(line, 0, line)
    return Coverage(lines_covered=sum(line.count > 0 for line in lines), lines_total=len(lines),
                    branches_covered=covered,
                    branches_total=total, unreached=tuple(item for _, item in sorted(found, key=lambda pair: pair[0])))


def _condition(lines: list[_Line], index: int) -> _Line | None:
    """The nearest line above, in the same function, that ran and has an outcome that is missing and unexplained."""
    if lines[index].starts_function:
        return None
    for line in reversed(lines[:index]):
        if line.count and line.missing:
            return line
        if line.starts_function:
            return None
    return None
