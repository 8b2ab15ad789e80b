"""How long a process has waited for a processor: time that the machine owes it, and that no limit on the wall counts.

Linux keeps that of each thread: how long it could have run while others did. It adds a wait when the wait has ended, so
one that still lasts is told by the thread's state: ready, and not a step further since the last look. Whoever sleeps
does not wait in this way, and the threads of one process can make each other wait for no longer than they compute.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple, Optional

_GENERATIONS = 4        # gcc, collect2, ld


class Thread(NamedTuple):
    """What the kernel tells of a thread at one moment."""

    ran: int            # ns on a processor
    waited: int         # ns that it waited for one, in waits that have ended
    turns: int          # how often it was given one
    ready: bool         # it runs, or waits for a processor


class Queued:
    """Follows a process and the processes it has started. To be looked at from time to time."""

    def __init__(self, pid: int):
        self._pid = pid
        self._seen: dict[tuple[int, int], tuple[Thread, int]] = {}      # and the ns at which it was first seen so
        self._total = 0

    def look(self) -> float:
        """Seconds that it has waited so far: of several threads at once, the one that waited longest. 0 where the
        kernel does not tell."""
        now, ended, lasting = time.monotonic_ns(), 0, 0
        for pid in self._family():
            for number, thread in threads(pid).items():
                before, since = self._seen.get((pid, number), (None, now))
                ended = max(ended, thread.waited - (before.waited if before else 0))
                if thread != before:
                    since = now
                if thread.ready:
                    lasting = max(lasting, now - since)
                self._seen[pid, number] = thread, since
        self._total += ended
        return (self._total + lasting) / 1e9

    def _family(self) -> list[int]:
        family, last = [self._pid], [self._pid]
        for _ in range(_GENERATIONS):
            last = [child for pid in last for child in _children(pid)]
            family += last
        return family


def threads(pid: int) -> dict[int, Thread]:
    """A process's threads, by number. None of them where it has ended, or the kernel tells nothing."""
    found = {}
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            thread = _thread(task)
            if thread:
                found[int(task.name)] = thread
    except (OSError, ValueError):
        pass
    return found


def _thread(task: Path) -> Optional[Thread]:
    try:
        ran, waited, turns = map(int, (task / "schedstat").read_text().split())
        state = (task / "stat").read_text().rpartition(") ")[2][:1]
    except (OSError, ValueError):       # it has just ended, or the kernel keeps no such thing
        return None
    return Thread(ran, waited, turns, state == "R")


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
