"""The part of a run that is worth a look where the whole of it would make a stripe of the reference's."""

from __future__ import annotations

from dataclasses import dataclass

from ..plain.duration import show
from .timeline import Timeline

MANY = 16           # from so many times as long on, the whole is too much for a picture


@dataclass(frozen=True)
class Part:
    """A stretch of time, ns from the start. needed: the whole would show nothing of the shorter run."""

    start: int
    end: int
    of: int
    needed: bool

    def text(self) -> str:
        """What a figure says of it."""
        return f"shown: {show(self.start)} to {show(self.end)} of {show(self.of)}, where the two runs part"


def find(mine: Timeline, reference: Timeline, t: int) -> Part:
    """The stretch around the instant t where the two part: as long as the shorter run, and a quarter more."""
    longer, shorter = max(mine.end, reference.end, 1), max(min(mine.end, reference.end), 1)
    span = max(min(shorter, longer // 4), 1)
    round_to = 10 ** max(len(str(span)) - 2, 0)
    start = max(t - span // 4, 0) // round_to * round_to
    end = min(-(-(start + span + span // 4) // round_to) * round_to, longer)
    return Part(start, max(end, start + 1), longer, longer >= MANY * shorter)
