"""Where one process at a time runs."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Callable, Optional, Protocol, TypeVar

from ..plain.hostile import open_plain, read_plain, remove
from ..reading.rounds import without_most
from ..reading.woven import weave
from ..running.judge import Judge

Written = TypeVar("Written")

TRACE_END = 256 << 10       # bytes at either end of a trace that are read of a run that was stopped


class Awaited(Protocol):
    """A run that is under way."""

    def wait(self) -> None:
        """Until it is over."""


class Desk:
    """An empty folder to be in, and a place for its trace. owner: the user that both are for; None: the grader's own.

    Desks are used again, as making and removing folders costs more than a run does; a folder that a program has
    left anything in is replaced by a fresh one, so that no run can leave word for the next.
    """

    def __init__(self, folder: Path, owner: Optional[int] = None):
        self.judge: Optional[Judge] = None
        self.running: Optional[Awaited] = None      # who sits there
        self.home = folder / "home"
        self.trace = folder / "trace"
        self.world = folder / "world"
        self.memory = folder / "memory"
        self._owner = owner
        folder.mkdir(parents=True)
        self._give(folder)
        self._make_home()

    def _make_home(self) -> None:
        self.home.mkdir()
        self._give(self.home)

    def _give(self, folder: Path) -> None:
        if self._owner is not None:
            os.chown(folder, self._owner, self._owner)

    def clear(self) -> None:
        """Makes it as good as new."""
        remove(self.trace)
        remove(self.memory)
        self.empty()

    def empty(self) -> None:
        """Removes what the program has left in its folder."""
        if self.home.is_symlink() or not self.home.is_dir() or any(self.home.iterdir()):
            remove(self.home)
            self._make_home()

    def lay(self, world: str) -> None:
        """Puts the world of the next run here."""
        remove(self.world)      # never written through what a program may have put in its place
        self.world.write_text(world)

    def appoint(self, judge: Judge) -> None:
        """The next run's world, which is not laid here, is that judge's."""
        self.dismiss()
        remove(self.world)
        self.judge = judge

    def dismiss(self) -> None:
        """Ends the judge of the run that is over, if there was one."""
        if self.judge:
            self.judge.close()
            self.judge = None

    def text(self) -> str:
        """The trace of the run that is over; "" if there is none. Raises process.LaunchError when its judge failed."""
        try:
            own = without_most(read_plain(self.trace)).decode("utf-8", "replace")
        except OSError:
            own = ""
        return weave(own, self.judge.finish()) if self.judge else own

    def peak(self) -> Optional[int]:
        """The bytes of memory the program took, as it told; None if it did not come to that."""
        try:
            said = read_plain(self.memory, 64).decode("ascii", "replace")
        except OSError:
            return None
        return int(said) if re.fullmatch(r"\d{1,18}\n", said) else None

    def ends(self) -> tuple[str, str]:
        """The first and the last bytes of the trace, which may be very long."""
        head, tail = self._own_ends()
        if not self.judge:
            return head, "\n" + tail
        record = self.judge.finish()
        if len(head) + len(record) < TRACE_END:
            text = weave(head, record)
            return text, "\n" + text
        return weave(head, record[:TRACE_END]), "\n" + tail

    def _own_ends(self) -> tuple[str, str]:
        try:
            with open_plain(self.trace) as file:
                head = file.read(TRACE_END)
                file.seek(max(0, file.seek(0, os.SEEK_END) - TRACE_END))
                return head.decode("utf-8", "replace"), file.read().decode("utf-8", "replace")
        except OSError:
            return "", ""


class Desks:
    """The desks of one grading, in a scratch folder of its own. look: called before and after each run, for whoever
    watches over the machine. owner: the user that programs run as, where it is not the grader's own."""

    def __init__(self, folder: Path, look: Callable[[], None] = lambda: None, owner: Optional[int] = None):
        self.folder, self._look, self._owner = folder, look, owner
        self._free: list[Desk] = []
        self._taken: list[Desk] = []
        self._made = 0

    def take(self) -> Desk:
        """A free desk, as good as new."""
        self._look()
        desk = self.with_room(self._as_good_as_new)
        self._taken.append(desk)
        return desk

    def _as_good_as_new(self) -> Desk:
        while self._free:
            desk = self._free.pop()
            try:
                desk.clear()
                return desk
            except OSError:     # a program has locked it up: it is left alone, and removed in the end
                pass
        self._made += 1
        return Desk(self.folder / str(self._made), self._owner)

    def give_back(self, desk: Desk) -> None:
        """Nobody runs there any more, and its trace has been read."""
        self._look()
        desk.dismiss()
        desk.running = None
        self._taken.remove(desk)
        self._free.append(desk)

    def with_room(self, write: Callable[[], Written]) -> Written:
        """What `write` returns. If the disk is full, it is tried once more when the programs that sit at these desks
        have ended, and what they left in their folders is gone: they may fill the disk, but not in the grader's way.
        Raises what `write` raises."""
        try:
            return write()
        except OSError as fault:
            if fault.errno != errno.ENOSPC:
                raise
        for desk in [*self._free, *(desk for desk in self._taken if desk.running)]:
            if desk.running:
                desk.running.wait()
            try:
                desk.empty()
            except OSError:     # locked up
                pass
        return write()
