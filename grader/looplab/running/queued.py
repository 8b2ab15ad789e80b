"""How long a process has waited for a processor: time that the machine owes it, and that no limit on the wall counts.

Linux keeps that of each thread: how long it could have run while others did. Whoever sleeps does not wait in this way,
and the threads of one process can make each other wait for no longer than they compute.
"""

from __future__ import annotations

from pathlib import Path

_GENERATIONS = 4        # gcc, collect2, ld


class Queued:
    """Follows a process and the processes it has started."""

    def __init__(self, pid: int):
        self._pid = pid
        self._seen: dict[tuple[int, int], int] = {}     # ns, by process and thread
        self._total = 0

    def look(self) -> float:
        """Seconds that it has waited so far: of several threads at once, the one that waited longest. 0 where the
        kernel does not tell."""
        longest = 0
        for pid in self._family():
            for thread, waited in _threads(pid):
                before = self._seen.get((pid, thread), 0)
                longest = max(longest, waited - before)
                self._seen[pid, thread] = waited
        self._total += longest
        return self._total / 1e9

    def _family(self) -> list[int]:
        family, last = [self._pid], [self._pid]
        for _ in range(_GENERATIONS):
            last = [child for pid in last for child in _children(pid)]
            family += last
        return family


def _threads(pid: int) -> list[tuple[int, int]]:
    """Of each of its threads, the number and the ns that it has waited."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.append((int(task.name), int((task / "schedstat").read_text().split()[1])))
    except (OSError, ValueError, IndexError):       # it has just ended, or the kernel keeps no such thing
        pass
    return found


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
