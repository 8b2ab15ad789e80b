"""The ceiling of a grading: 80 % of the points while anything but coverage fails."""

from __future__ import annotations

from typing import Sequence

from ..asking.check import Check

PERCENT = 80


def ceiling(checks: Sequence[Check], worth: int) -> int:
    """The most that counts of `worth` points. A program that does something wrong is not nearly right, however many
    of the other checks it passes: PERCENT of them while any check fails but those
    of coverage."""
    wrong = any(check.status == "failed" and check.category != "coverage" for check in checks)
    return worth * PERCENT // 100 if wrong else worth
