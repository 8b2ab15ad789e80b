"""What the machine grants a grading: room on the disk, memory, and limits that the shell has set.

Too little of it is nobody's fault but the machine's: it is said in one line, and no program is judged by it.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Optional

try:
    import resource
except ImportError:         # no such limits here
    resource = None         # type: ignore[assignment]

MIB = 1 << 20
ROOM = 32 * MIB
"""Bytes of disk that must stay free while a lab is graded: two programs, worlds and traces, and some to spare."""

MEMORY = 256 * MIB
"""Bytes of memory that must be free when it begins: a compiler and two programs."""

PROCESSES = 32
"""Processes and threads that a grading has at a time, and some to spare: two compilers, six programs, who watches."""

_LIMITS = (("RLIMIT_FSIZE", 256 * MIB, "-f", "files of {} at most", "files of {}"),
           ("RLIMIT_AS", None, "-v", "{} of address space", "address space without a limit (the sanitizers')"),
           ("RLIMIT_DATA", 4096 * MIB, "-d", "{} of data", "{}"),
           ("RLIMIT_NOFILE", 256, "-n", "{} open files", "{}"),
           ("RLIMIT_CPU", 60, "-t", "{} seconds of processor time", "{}"))
"""Name, what is needed (None: no limit), the shell's word for it, what is granted and what is needed in words."""


class Room:
    """How full the disk gets below a grading's scratch folder; its programs run in folders below `desks`."""

    def __init__(self, work: Path, desks: Path):
        self._work, self._desks = work, desks
        self.fault: Optional[str] = None        # the disk was too full at some moment: in one line

    def look(self) -> None:
        """Looks now. What the student's program itself has written counts as free: that it fills the disk is its own
        fault."""
        free = _free(self._work)
        if free is not None and free < ROOM and self.fault is None and free + _written(self._desks) < ROOM:
            self.fault = f"the disk that holds build/work is full: {free // MIB} MiB are free, grading needs " \
                         f"{ROOM // MIB}"


def fault() -> Optional[str]:
    """What this process was started with and cannot work with, in one line; None: nothing. Limits that may be raised
    are raised."""
    for name, needed, flag, granted, asked in _LIMITS:
        number = getattr(resource, name, None)
        if number is not None and not _granted(number, needed):
            has = resource.getrlimit(number)[0]
            return (f"this shell allows {granted.format(_amount(has))} (ulimit {flag}); "
                    f"grading needs {asked.format(_amount(needed))}")
    if not _startable(PROCESSES):
        return _no_processes()
    free = _memory()
    if free is not None and free < MEMORY:
        return f"the machine has {free // MIB} MiB of memory to spare, grading needs {MEMORY // MIB}"
    return None


def _startable(count: int) -> bool:
    """Can so many be started? Asked of threads, which are counted as processes are: by user, or by container."""
    over, threads = threading.Event(), []
    try:
        for _ in range(count):
            threads.append(threading.Thread(target=over.wait, daemon=True))
            threads[-1].start()
        return True
    except RuntimeError:        # "can't start new thread"
        threads.pop()
        return False
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _no_processes() -> str:
    number = getattr(resource, "RLIMIT_NPROC", None)
    allowed = resource.getrlimit(number)[0] if number is not None else -1
    who = f"this shell allows {allowed} processes of one user (ulimit -u), and too few are left" \
        if number is not None and allowed != resource.RLIM_INFINITY else "this machine lets no more processes start"
    return f"{who}; grading needs {PROCESSES}"


def _granted(number: int, needed: Optional[int]) -> bool:
    """Is so much allowed, perhaps after it was asked for?"""
    wanted = resource.RLIM_INFINITY if needed is None else needed
    soft, hard = resource.getrlimit(number)
    if _covers(soft, wanted):
        return True
    try:
        resource.setrlimit(number, (wanted, hard if _covers(hard, wanted) else wanted))
    except (ValueError, OSError):
        return False
    return True


def _covers(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or (wanted != resource.RLIM_INFINITY and limit >= wanted)


def _amount(number: Optional[int]) -> str:
    if number is None or number < MIB:
        return str(number)
    return f"{number // MIB} MiB"


def _free(folder: Path) -> Optional[int]:
    """Bytes this process may still write there; None where nobody tells."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None
    return (told.f_bfree if os.geteuid() == 0 else told.f_bavail) * told.f_frsize


def _written(folder: Path) -> int:
    """Bytes on the disk of all files below a folder, however deep."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:         # it has just gone, or nobody may look into it
            pass
    return total


def _memory() -> Optional[int]:
    """Bytes of memory that can be had: of the machine, or of the control group that we are in. None: nobody tells."""
    known = []
    try:
        facts = dict(re.findall(r"(\w+): +(\d+) kB", Path("/proc/meminfo").read_text()))
        known.append((int(facts["MemAvailable"]) + int(facts.get("SwapFree", 0))) * 1024)
    except (OSError, KeyError):
        pass
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            known.append(int((Path("/sys/fs/cgroup") / name).read_text()))
        except (OSError, ValueError):       # "max", or no such group
            pass
    return min(known, default=None)
