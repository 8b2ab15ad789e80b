"""Many gradings, some at a time, each in a process forked from one that has everything loaded."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence, Tuple

from ..course.lab import Lab
from ..watch.grading import Grading, load

WALL_S = 300.0      # of one grading; the longest that its own limits allow is well below
_LOOK_S = 0.01


@dataclass(frozen=True)
class Piece:
    """One grading that is to be made. out: the folder that gets a NN-slug folder."""

    number: int
    lab: Lab
    folder: Path
    out: Path
    seed: int


Done = Tuple[Piece, Optional[dict], bool]
"""A piece, its result, and whether it was cut off."""


def each(pieces: Sequence[Piece], jobs: int, wall_s: float = WALL_S) -> Iterator[Done]:
    """What came of every piece, `jobs` at a time, as each is done. No result: it was cut off
    after wall_s seconds, or could not write. However this ends, no grading is left under way.

    Where there are processors enough each grading keeps to one: what moves from one to another costs up to twice the
    processor time on a virtual machine."""
    load()
    waiting, running = list(reversed(pieces)), {}       # type: ignore[var-annotated]
    free = _cores(jobs)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                piece = waiting.pop()
                core = free.pop()
                grading = Grading(piece.lab, piece.folder, piece.out, piece.seed, core, figures=True)
                running[piece.number] = (piece, grading, time.monotonic() + wall_s, core)
            time.sleep(_LOOK_S)
            for piece, grading, until, core in list(running.values()):
                cut = not grading.done() and time.monotonic() > until
                if cut:
                    grading.stop()
                if cut or grading.done():
                    del running[piece.number]
                    free.append(core)
                    yield piece, None if cut else grading.result(), cut
    finally:
        for _, grading, _, _ in running.values():
            grading.stop()


def _cores(jobs: int) -> list[Optional[int]]:
    """Which processor each of so many gradings keeps to; None: it may use any."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [*cores[:jobs]] if 1 < jobs <= len(cores) else [None] * jobs
