"""A sequence of whole numbers, and what is drawn from it: the same numbers always make the same thing, and smaller ones
a simpler thing.

So whatever a strategy makes can be made smaller without knowing what it is: by leaving numbers out and by lowering them
(shrink.py). That is how Hypothesis works (D. R. MacIver, A. F. Donaldson: Test-Case Reduction via Test-Case Generation:
Insights from the Hypothesis Reducer, ECOOP 2020). Hypothesis itself draws other things from the same seed in each of
its versions, and to import it takes as long as forty runs of a program; a grade must be the same everywhere, at once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Callable, Optional, Sequence, TypeVar

T = TypeVar("T")


@dataclass
class Listed:
    """Where in the sequence a list stands: the number that says how long it is, and the pieces behind it."""

    count: int                      # the place of that number
    least: int                      # the list has at least so many elements
    pieces: list[tuple[int, int]]   # [begin, end) of each element's numbers


class Choices:
    """Numbers to draw from. given: the first of them; those behind come from `rng`, or are 0 without one. usual: how
    long a list that is drawn with sized=True is to be, as far as that is left to rng."""

    def __init__(self, given: Sequence[int] = (), rng: Optional[random.Random] = None,
                 usual: Optional[tuple[int, int]] = None):
        self._given, self._rng, self._usual = given, rng, usual
        self.taken: list[int] = []          # what was drawn: Choices(taken) makes the same once more
        self.lists: list[Listed] = []

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        k = len(self.taken)
        if k < len(self._given):
            number = min(self._given[k], n - 1)
        else:
            number = self._rng.randrange(n) if self._rng else 0
        self.taken.append(number)
        return number

    def between(self, least: int, most: int) -> int:
        """A number from `least`, the simplest, to `most`."""
        return least + self.below(most - least + 1)

    def one_of(self, things: Sequence[T]) -> T:
        """One of them; the first is the simplest. What stands there more often comes more often."""
        return things[self.below(len(things))]

    def one_in(self, n: int) -> bool:
        """True once in n times; False is simpler."""
        return self.below(n) == n - 1

    def several(self, least: int, most: int, draw: Callable[[], T], sized: bool = False) -> list[T]:
        """From `least` to `most` things, each made by draw(), which draws from these choices."""
        listed = Listed(len(self.taken), least, [])
        made = []
        self.lists.append(listed)
        if sized and self._usual and self._rng and len(self.taken) >= len(self._given):
            self._given = [*self.taken, self._rng.randint(*self._usual) - least]
        for _ in range(self.between(least, most)):
            begin = len(self.taken)
            made.append(draw())
            listed.pieces.append((begin, len(self.taken)))
        return made
