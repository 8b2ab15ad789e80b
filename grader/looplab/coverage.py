"""Which lines and branches of the student's file the checks have reached, measured by gcovr.

Call it after the last run of the cover build; runs add up. A run that was killed counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from .build import Program


class CoverageError(Exception):
    """gcovr is missing or failed: the grader's fault, in one line."""


@dataclass(frozen=True)
class Unreached:
    """A piece of the student's file that no run reached."""

    src: str            # "compare.c:58": the first line that never ran, or the condition that went only one way
    text: str           # that line, stripped
    lines: int          # how many lines of code never ran there; 0 = only one outcome of a condition is missing
    condition: str | None   # "compare.c:57": the condition that leads there, if one line of code above it ran

    def describe(self) -> str:
        """One line for the student: "compare.c:58 never ran: return -ETIMEDOUT;"."""
        raise NotImplementedError


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

    @property
    def branch_percent(self) -> float:
        """0 to 100; 100 for a file without branches."""
        return 100.0 * self.branches_covered / self.branches_total if self.branches_total else 100.0


class Measuring:
    """gcovr at work, made by start()."""

    def finish(self) -> Coverage:
        """Waits for gcovr. Raises CoverageError."""
        raise NotImplementedError


def start(program: Program) -> Measuring:
    """Starts gcovr and returns at once. The cover build must not run meanwhile."""
    raise NotImplementedError


def measure(program: Program) -> Coverage:
    """start() and finish() in one."""
    return start(program).finish()
