"""One at a time: what two processes would write into the same folder is written by one after the other."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

try:
    import fcntl
except ImportError:         # no such locks here: nobody waits
    fcntl = None            # type: ignore[assignment]

PATIENCE_S = 2.0
"""So long nothing is said."""


@contextmanager
def in_folder(folder: Path, other: str, patience_s: float = PATIENCE_S, shared: bool = False) -> Iterator[None]:
    """Makes the folder, and waits until nobody else is in here for it. other: what is waited for, told on stderr where
    it takes longer than patience_s. shared: whoever is here with shared=True, too, is not waited for. Raises OSError
    where the folder cannot be made.

    The lock goes with the process, however it ends; where the file system has none, nobody waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, other, patience_s, shared)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, other: str, patience_s: float, shared: bool) -> None:
    until = time.monotonic() + patience_s
    try:
        while fcntl:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    break
                time.sleep(0.05)
        if fcntl:
            print(f"waiting for {other}", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    except OSError:
        pass
