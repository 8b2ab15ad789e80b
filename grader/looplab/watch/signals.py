"""The signals that reach the watch. A handler only notes them: the loop acts, where nothing is left half done."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Any, Optional, Sequence

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
TAKEN = (*ENDS, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)


class Signals:
    """Takes the signals in `with`, and gives their handlers back afterwards."""

    def __init__(self) -> None:
        self.ended = 0                      # the first signal that asks for the end; 0: none has
        self._came: set[int] = set()        # those that the loop has not seen to yet
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        self._ours, self._theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._waker = signal.set_wakeup_fd(self._theirs, warn_on_full_buffer=False)
        for number in TAKEN:
            before = signal.getsignal(number)
            if number == signal.SIGHUP and before == signal.SIG_IGN:
                continue                    # nohup: it is to go on. SIGINT, though, is ignored by whatever a shell
            self._before[number] = before   # starts in the background, and ends us all the same
            signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(self._waker)
        os.close(self._ours)
        os.close(self._theirs)

    def _note(self, number: int, frame: Optional[FrameType]) -> None:
        self._came.add(number)
        if number in ENDS and not self.ended:
            self.ended = number

    def take(self, number: int) -> bool:
        """Has it come since it was asked for last?"""
        there = number in self._came
        self._came.discard(number)
        return there

    def wait(self, descriptors: Sequence[int], wait_s: float) -> list[int]:
        """Waits until one of them can be read, a signal comes, or wait_s are over; returns those that can be read."""
        ready = select.select([*descriptors, self._ours], [], [], wait_s)[0]
        if self._ours in ready:
            os.read(self._ours, 512)
        return [one for one in descriptors if one in ready]

    def stop(self, group: bool) -> None:
        """Stops us as a shell expects it of its jobs, with all of the job if `group`; returns when we go on."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0 if group else os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._note)


def held() -> set[signal.Signals]:
    """Holds all of them back, for a fork: the child takes them in its own way first. Returns what release() needs."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, TAKEN)


def release(before: set[signal.Signals]) -> None:
    """Lets come what was held back."""
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
