"""`@points`: what a check is worth, in which category, and what must have passed before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Sequence, TypeVar, Union

CATEGORIES = ("correctness", "timing", "robustness", "coverage")

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Points:
    """What the decorator said, unchecked: `fault` tells what is wrong with it."""

    worth: Any
    category: Any
    needs: tuple
    last: bool
    idea: bool = False
    alone: bool = False

    def fault(self) -> str | None:
        """What is wrong with it, or None."""
        if not isinstance(self.worth, int) or isinstance(self.worth, bool) or self.worth < 1:
            return f"is worth {self.worth!r} points: expected a whole number of at least 1"
        if self.category not in CATEGORIES:
            return f"has the category {self.category!r}: expected one of {', '.join(CATEGORIES)}"
        if not all(isinstance(need, str) for need in self.needs):
            return f"needs {self.needs!r}: expected the names of checks"
        return None


def points(worth: int, category: str, needs: Union[str, Sequence[str]] = (),
           last: bool = False, idea: bool = False, alone: bool = False) -> Callable[[Test], Test]:
    """Makes a test a check worth `worth` points of a category: correctness, timing, robustness or coverage.

    needs: the check, or checks, without which this one says nothing: if one of them fails, this one is skipped.
    last: run it after all others (a summary such as "no finding of a sanitizer in any run"); coverage always is.
    idea: it is what the lab is about: where it fails the rest is worth half (grading/ceiling.py).
    alone: it is about a program of its own: where it fails the others are worth as much as before.
    """
    said = Points(worth, category, (needs,) if isinstance(needs, str) else tuple(needs), last or category == "coverage",
                  idea, alone)

    def mark(test: Test) -> Test:
        test.looplab_points = said  # type: ignore[attr-defined]
        return test

    return mark


def points_of(test: Callable[..., None]) -> Points | None:
    """What @points said of a test function; None if it has none."""
    return getattr(test, "looplab_points", None)
