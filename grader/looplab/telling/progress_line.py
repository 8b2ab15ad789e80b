"""How far a grading is: one line on a terminal."""

from __future__ import annotations

import time
from typing import Sequence, TextIO

from ..plain.stream import for_stream
from ..plain.text import WIDTH, cut


class ProgressLine:
    """One line on a terminal that says how far it is, once it lasts longer than 2 s; nothing elsewhere.

    names: of the pieces of work that are done at the same time; where there is more than one, each is told of.
    """

    def __init__(self, stream: TextIO, names: Sequence[str] = ("",), after_s: float = 2.0):
        self._stream = stream
        self._names = names
        self._at: dict[int, str] = {}           # of each that is under way: how far it is
        self._after = time.monotonic() + after_s
        self._shown = False
        self._on = stream.isatty()

    def step(self, k: int, done: int, of: int, title: str) -> None:
        """Number k begins with its next check."""
        several = len(self._names) > 1
        self._at[k] = f"{self._names[k]}: {done}/{of}" if several else f"{done}/{of} {title}"
        if done + 1 >= of and several:
            self._at.pop(k)
        if self._on and time.monotonic() >= self._after:
            self._shown = True
            told = "   ".join(self._at[k] for k in sorted(self._at))
            print("\r" + for_stream(self._stream, cut(told, WIDTH - 1)).ljust(WIDTH - 1), end="", file=self._stream,
                  flush=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._shown = False
            print("\r" + " " * (WIDTH - 1) + "\r", end="", file=self._stream, flush=True)
