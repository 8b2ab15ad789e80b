"""The ceiling of a grading: 80 % of the points while anything but coverage fails, and 50 % where that is what the lab
is about."""

from __future__ import annotations

from typing import Sequence

from ..asking.check import Check

PERCENT = 80
WITHOUT_THE_IDEA = 50


def ceiling(checks: Sequence[Check], worth: int) -> int:
    """The most that counts of `worth` points. A program that does something wrong is not nearly right, however many
    of the other checks it passes: PERCENT of them while any check fails but those of coverage; and one that does not do
    what the lab is about is half right at most."""
    if any(check.status == "failed" and check.idea for check in checks):
        return worth * WITHOUT_THE_IDEA // 100
    wrong = any(check.status == "failed" and check.category != "coverage" and not check.alone
                for check in checks)
    return worth * PERCENT // 100 if wrong else worth
