"""The process that holds the world of each run of a grading, and keeps the record of what the program did in it
(sim/judge). It is started once, and copied for each run: sim/judge/copies.h has the messages."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import subprocess
from pathlib import Path
from typing import Optional

from .copier import Copier
from .process import LaunchError

FD = 100                    # a program's connection, if it is a copy (sim/kit/forks.h), else this or a number above
_PATIENCE_S = 60.0          # between the program's end and the judge's
_SERVED = ["--serve", "10", "--world", "/proc/self/fd/11", "--record", "fd:12"]     # as sim/judge/copies.h has them


class Judges(Copier):
    """The judges of one grading, each a run of the program `judge`. name: what stands in their records."""

    def __init__(self, judge: Path, name: str, seed: int):
        super().__init__()
        self._judge = judge
        self._words = [str(judge), *_SERVED, "--seed", str(seed), "--program", name]

    def appoint(self, world: str, tape: Optional[str]) -> "Judge":
        """A judge that holds this world (a world file's text), and serves one program. Raises process.LaunchError."""
        judge = Judge(world)
        words = [*self._words, *(["--tape", tape] if tape else [])]
        try:
            with self._lock:
                line = self._socket or self._begin()
                socket.send_fds(line, [b"".join(os.fsencode(word) + b"\0" for word in words)], judge.theirs())
        except (OSError, LaunchError) as error:
            judge.close()
            if isinstance(error, LaunchError):
                raise
            raise LaunchError(f"the judge takes no run: {error.strerror}") from error
        finally:
            judge.is_handed_over()
        return judge

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._first = subprocess.Popen([self._judge, "--copies", str(theirs.fileno())], start_new_session=True,
                                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            except OSError as error:
                ours.close()
                raise LaunchError(f"cannot start {self._judge}: {error.strerror} (make build/kit/judge)") from error
        self._socket = ours
        return ours

    def close(self) -> None:
        """Ends them all."""
        self._end()


class Judge:
    """A judge that serves one program. Made by Judges. Its world and its record have no name in the file system."""

    def __init__(self, world: str):
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.fd = fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, FD)     # the program's end
        ours.close()
        self._record = os.memfd_create("record", os.MFD_CLOEXEC)
        self._said, self._says = os.pipe()
        self._world = os.memfd_create("world", os.MFD_CLOEXEC)
        with open(self._world, "wb", closefd=False) as file:
            file.write(world.encode())
        os.lseek(self._world, 0, os.SEEK_SET)

    def theirs(self) -> list[int]:
        """What the process that serves is given."""
        return [self._theirs.fileno(), self._world, self._record, self._says]

    def is_handed_over(self) -> None:
        """That process has them: this one lets go."""
        self._theirs.close()
        os.close(self._world)
        os.close(self._says)

    def is_served(self) -> None:
        """The program has its end of the connection: this process lets go of it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def finish(self) -> str:
        """The whole record, once the program has ended. Raises LaunchError when there is none: that is never the
        program's doing."""
        said = b""
        while select.select([self._said], [], [], _PATIENCE_S)[0]:
            more = os.read(self._said, 4096)
            said += more
            if not more:
                break
        else:
            raise LaunchError("the judge did not come to its end")
        if said != b"0\n":
            raise LaunchError(f"the judge failed: {said.decode('utf-8', 'replace').strip() or 'it was ended'}")
        size = os.fstat(self._record).st_size
        return os.pread(self._record, size, 0).decode("utf-8", "replace")

    def close(self) -> None:
        """Nobody asks any more. A judge whose program has ended ends, too."""
        self.is_served()
        for fd in (self._record, self._said):
            os.close(fd)
