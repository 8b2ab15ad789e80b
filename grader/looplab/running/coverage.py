"""Which lines and branches of the student's file the checks have reached.

Call it after the last run of the cover build: runs add up, also runs at the same time (the counters' file
is locked while one of them adds to it). A run that was killed counts for nothing.

Lines are those that the compiler counts. What no run can be asked to reach counts neither as reached nor as missed:
lines that only a failed allocation, or a way that ends the program, leads to (reach.py), a few at a time; and outcomes
that the compiler made up, such as which of several blocks an early return has to leave.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Sequence

from . import counts, reach
from .build import Program
from .code import Code, named
from .counts import CoverageError, Refused

__all__ = ["Coverage", "CoverageError", "Measuring", "Refused", "Unreached", "measure", "start"]

MOST_BEYOND = 4
"""So many lines in a row are left out because no run can be asked to reach them: a handler. More of them do more."""

MOST_BEYOND_SHARE = 6
"""And no more than one line in so many of the whole file."""

CONDITION = r"\b(?:if|for|while|switch)\b|\?|&&|\|\|"
"""Where whoever wrote the file let something be decided."""

NOT_THE_STUDENTS = r"\b(?:assert|static_assert)\s*\(|__attribute(?:__)?\s*\(\([^;]*\b(?:__)?cleanup(?:__)?\s*\("
"""Where the compiler or a macro decides, too: no run is expected to take all outcomes."""


@dataclass(frozen=True)
class Unreached:
    """A piece of the student's file that no run reached."""

    src: str                # "compare.c:58": the first line that never ran, or the condition that went only one way
    text: str               # that line, stripped
    lines: int              # lines of code that never ran there; 0: only one outcome of a condition is missing
    condition: str | None   # "compare.c:57": the condition that leads there, as far as can be told from counts
    beyond: bool = False    # no run can be asked to reach it; it counts as there is too much of the kind

    @property
    def for_want_of_memory(self) -> bool:
        """Does it only handle what no check brings about: a failed malloc, as a rule?"""
        return self.beyond or (self.lines <= 1 and "ENOMEM" in self.text)

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
    """The measure under way, made by start()."""

    def __init__(self, program: Program):
        self._program = program
        self._coverage: Coverage | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()

    def finish(self) -> Coverage:
        """Waits for it. Raises CoverageError or Refused."""
        self._thread.join()
        if self._coverage is None:
            raise self._error or CoverageError("the measure of coverage ended without a word")
        return self._coverage

    def _measure(self) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="coverage-", dir=self._program.work) as folder:
                self._coverage = _coverage(self._program, Path(folder))
        except OSError as error:
            self._error = CoverageError(f"cannot measure coverage beside the program: {error.strerror}")
        except Exception as error:      # raised again by finish(), in the thread that can do something about it
            self._error = error


def start(program: Program) -> Measuring:
    """Starts to measure and returns at once. The cover build must not run meanwhile."""
    return Measuring(program)


def measure(program: Program) -> Coverage:
    """start() and finish() in one. Raises CoverageError or Refused."""
    return start(program).finish()


# ---- Below: how ------------------------------------------------------------------------------------

@dataclass
class _Line:
    number: int
    count: int
    outcomes: int       # of its conditions
    missing: int        # of these, those that never happened and that no piece explains which never ran
    starts_function: bool


@dataclass
class _Piece:
    lines: list[_Line]          # which follow one another and never ran
    condition: _Line | None     # that leads there
    beyond: int = 0             # so many of them no run can be asked to reach
    left_out: int = 0           # and so many of these do not count


def _coverage(program: Program, folder: Path) -> Coverage:
    code = Code(program.text)
    lines = _lines(program, code, folder)
    missed = {line.number: line.missing for line in lines}
    pieces = list(_pieces(lines))
    if pieces:
        _leave_out(pieces, reach.of(program, folder), len(lines) // MOST_BEYOND_SHARE)
    never = sum(len(piece.lines) for piece in pieces)
    left_out = sum(piece.left_out for piece in pieces)
    return Coverage(lines_covered=len(lines) - never, lines_total=len(lines) - left_out,
                    branches_covered=sum(line.outcomes - missed[line.number] for line in lines),
                    branches_total=(sum(line.outcomes for line in lines)
                                    - sum(_outcomes_left_out(piece, missed) for piece in pieces)),
                    unreached=tuple(_unreached(program, lines, pieces)))


def _lines(program: Program, code: Code, folder: Path) -> list[_Line]:
    """The lines that count, in the order of the file."""
    manual = program.lab.root / "sim" / "include" / "co.h"
    kit = Code(manual.read_bytes()).macros() if manual.is_file() else {}
    condition, foreign = named(CONDITION, code.macros()), named(NOT_THE_STUDENTS, {**kit, **code.macros()})
    found = []
    for number, count in sorted(counts.read(program, code, folder).items()):
        if not count.times and not code.holds_code(number):
            continue
        statement = code.statement(number) if count.outcomes else ""
        outcomes = count.outcomes if condition.search(statement) and not foreign.search(statement) else ()
        found.append(_Line(number, count.times, len(outcomes), sum(times <= 0 for times in outcomes),
                           code.begins_at_the_margin(number)))
    return found


def _pieces(lines: Sequence[_Line]) -> Iterable[_Piece]:
    """Each explains the missing outcomes of the condition above it."""
    index = 0
    while index < len(lines):
        if lines[index].count:
            index += 1
            continue
        end = index + 1
        while end < len(lines) and not lines[end].count and not lines[end].starts_function:
            end += 1
        condition = _condition(lines, index)
        yield _Piece(list(lines[index:end]), condition)
        if condition:
            condition.missing = 0
        index = end


def _condition(lines: Sequence[_Line], index: int) -> _Line | None:
    """The nearest line above, in the same function, that ran and has an outcome that is missing and unexplained."""
    if lines[index].starts_function:
        return None
    for line in reversed(lines[:index]):
        if line.count and line.missing:
            return line
        if line.starts_function:
            return None
    return None


def _leave_out(pieces: Sequence[_Piece], known: reach.Reach, most: int) -> None:
    """Says of each piece how much of it is left out: `most` lines in all."""
    for piece in pieces:
        condition = piece.condition.number if piece.condition else None
        beyond = known.beyond([line.number for line in piece.lines], condition)
        piece.beyond = len(beyond)
        piece.left_out = min(piece.beyond, MOST_BEYOND, most)
        most -= piece.left_out


def _outcomes_left_out(piece: _Piece, missed: dict[int, int]) -> int:
    """Outcomes that count as little as the piece does: its own, and the missing ones of the condition that leads there.
    """
    if piece.left_out < len(piece.lines):
        return 0
    return sum(line.outcomes for line in piece.lines) + (missed[piece.condition.number] if piece.condition else 0)


def _unreached(program: Program, lines: Sequence[_Line], pieces: Sequence[_Piece]) -> list[Unreached]:
    """First what never ran; then the conditions that went only one way although no line shows it: a loop, && or ?:."""
    def place(line: _Line | None) -> str | None:
        return f"{program.lab.source}:{line.number}" if line else None

    found = [(piece.lines[0], len(piece.lines) - piece.left_out, piece.condition, piece.beyond == len(piece.lines))
             for piece in pieces if piece.left_out < len(piece.lines)]
    found += [(line, 0, line, False) for line in lines if line.count and line.missing]
    return [Unreached(place(line) or "", program.line(place(line)), size, place(condition), beyond)
            for line, size, condition, beyond in sorted(found, key=lambda one: one[0].number)]
