"""Makes what was drawn smaller: by leaving elements of lists out, and by lowering numbers, as long as what is looked
for still shows. The idea is that of delta debugging (A. Zeller, R. Hildebrandt: Simplifying and Isolating
Failure-Inducing Input, IEEE TSE 2002), on the numbers instead of the thing (choices.py)."""

from __future__ import annotations

from typing import Callable, Optional, Sequence

from .choices import Choices

LARGE = 100                 # numbers
Shows = Callable[[Sequence[int]], Optional[Choices]]
"""Makes the thing of these numbers, and tries it: the choices it took, if it still shows; else None."""


class _Enough(Exception):
    """So many tries were to be made, and no more."""


def smaller(one: Choices, other: Choices) -> bool:
    """Is one simpler than the other? That whose lists are shorter is; else that with the lower numbers."""
    return _size(one) < _size(other)


def _size(choices: Choices) -> tuple[int, list[int]]:
    return sum(len(listed.pieces) for listed in choices.lists), choices.taken


def cost(numbers: Sequence[int]) -> int:
    """How many tries a try counts for: a large thing takes longer to be tried."""
    return 1 + len(numbers) // LARGE


def shrink(found: Choices, shows: Shows, tries: int) -> Choices:
    """The smallest that was found within so many tries (cost); `found` is known to show it."""
    return _Shrinking(found, shows, tries).done()


class _Shrinking:
    def __init__(self, found: Choices, shows: Shows, tries: int):
        self.best, self._shows, self._left = found, shows, tries
        self._tried: set[tuple[int, ...]] = {tuple(found.taken)}

    def done(self) -> Choices:
        try:
            while True:
                before = self.best.taken
                self._shorten()
                self._lower()
                if self.best.taken == before:
                    return self.best
        except _Enough:
            return self.best

    def _try(self, numbers: Sequence[int]) -> bool:
        """Is it smaller, and does it still show?"""
        key = tuple(numbers)
        if key in self._tried:
            return False
        self._tried.add(key)
        if self._left <= 0:
            raise _Enough
        self._left -= cost(numbers)
        made = self._shows(numbers)
        if made is None or not smaller(made, self.best):
            return False
        self.best = made
        return True

    def _shorten(self) -> None:
        """Leaves elements out of each list, many at a time first."""
        place = 0
        while place < len(self.best.lists):         # a list may go with the element it lies in
            size = len(self.best.lists[place].pieces)
            while size > 0:
                begin = 0
                while place < len(self.best.lists) and begin < len(self.best.lists[place].pieces):
                    if not self._try(_without(self.best, place, begin, size)):
                        begin += size
                size //= 2
            place += 1

    def _lower(self) -> None:
        """Lowers each number: to 0, to 1, by halves, by one."""
        place = 0
        while place < len(self.best.taken):
            value = self.best.taken[place]
            if value and not self._try(self._with(place, 0)) and value > 1 and not self._try(self._with(place, 1)):
                step = value // 2
                while step > 0 and place < len(self.best.taken):
                    lower = self.best.taken[place] - step
                    if lower <= 1 or not self._try(self._with(place, lower)):
                        step //= 2
                    if value > 1 << 16 and step < value >> 6:
                        break               # a time to the nanosecond: a simpler one is not to be had this way
            place += 1

    def _with(self, place: int, value: int) -> list[int]:
        return [*self.best.taken[:place], value, *self.best.taken[place + 1:]]


def _without(choices: Choices, place: int, begin: int, size: int) -> list[int]:
    """The numbers without elements begin to begin + size of a list; as many of them as it can do without."""
    listed, numbers = choices.lists[place], list(choices.taken)
    size = min(size, len(listed.pieces) - begin, len(listed.pieces) - listed.least)
    if size <= 0:
        return numbers
    first, last = listed.pieces[begin][0], listed.pieces[begin + size - 1][1]
    numbers[listed.count] -= size
    return numbers[:first] + numbers[last:]
