"""The stop watch of the peers' programs in Python: `PROGRAM NAME COUNT` prints "NAME cpu wall", as peer.h says."""

from __future__ import annotations

import sys
import time

CROWD = 100
BATCH = 1000
NOT_SHARED = 3


class Watch:
    def __init__(self) -> None:
        self.cpu = self.wall = 0

    def __enter__(self) -> None:
        self.wall -= time.monotonic_ns()
        self.cpu -= time.process_time_ns()

    def __exit__(self, *_: object) -> None:
        self.cpu += time.process_time_ns()
        self.wall += time.monotonic_ns()


watch = Watch()


def delays(seed: int):
    """Up to 1 s, to the microsecond, as in sleep.c."""
    random = seed * 2654435761 & 0xFFFFFFFF
    while True:
        random = (random * 1664525 + 1013904223) & 0xFFFFFFFF
        yield 1e-6 * (1 + (random >> 8) % 1000000)


def run(rows: dict, start) -> None:
    """start(coroutine_function, count) runs a benchmark to its end and returns how many operations it did."""
    name, count = sys.argv[1], int(sys.argv[2])
    if name not in rows:
        sys.exit(NOT_SHARED)
    done = start(rows[name], count)
    print(f"{name} {watch.cpu / done:.2f} {watch.wall / done:.2f}")
