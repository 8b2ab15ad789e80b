"""A lab's program, started once and copied for each run: sim/kit/forks.h has the messages.

To start is most of what a short run costs, with sanitizers above all. A program that will not serve (the kernel has no
pidfd, it was built before there was such a thing, it ended or hung at its very start) is started anew for each run, as
any other: what a run shows does not depend on that.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Mapping, Optional, Sequence

from . import process
from .cell import Cell, CellError, recv_from, tells_senders
from .copier import Copier
from .fence import Fence
from .judge import Judge

_MESSAGE_MOST = 60_000      # bytes of one message
_WORDS_MOST = 4_000
_PATIENCE_S = 10.0          # for one answer; it takes a thousandth of a second
_MAKING_S = 600             # processor time of the first process, in seconds: each copy costs it a thousandth


@dataclass(frozen=True)
class Answer:
    """Of the first process, or of a copy: its text, and what its sender is called out here."""

    text: str
    sender: int

    @property
    def pid(self) -> int:
        """The process id of the copy that has named itself so."""
        return self.sender or int(self.text)


class Forks(Copier):
    """One program. binary: its path. limits: of each copy; only their cpu_s may differ from run to run.
    fence: what all of them see of the file system."""

    def __init__(self, binary: Path, limits: process.Limits, *, cwd: Path, env: Mapping[str, str],
                 launch: Optional[Path] = None, fence: Optional[Fence] = None):
        super().__init__()
        self._binary, self._limits, self._cwd, self._env, self._launch = binary, limits, cwd, env, launch
        self._fence = fence
        self._refused = not _can_be_followed()

    def start(self, words: Sequence[str], *, limits: process.Limits, cwd: Path,
              judge: Optional[Judge] = None) -> Optional[process.Running]:
        """A copy with this command line (the program's name first) in the folder `cwd`; it has the connection to that
        judge as descriptor judge.FD. None: it serves nobody, or not with this command line. Raises process.LaunchError
        when the grading was ended."""
        process.refuse_when_ended()
        text = [os.fsencode(word) for word in ("run", str(limits.cpu_s), os.path.abspath(cwd), *words)]
        if sum(map(len, text)) + len(text) > _MESSAGE_MOST or len(text) > _WORDS_MOST:
            return None
        out, theirs_out = os.pipe()
        err, theirs_err = os.pipe()
        try:
            said = self._ask(text, [theirs_out, theirs_err, *([judge.fd] if judge else [])])
        finally:
            os.close(theirs_out)
            os.close(theirs_err)
        files = open(out, "rb", 0), open(err, "rb", 0)
        if not said or int(said.text) <= 0:
            for file in files:
                file.close()
            return None
        return process.Running(_Copy(self, said, *files), limits)

    def series(self, line: socket.socket, cpu_s: int) -> Optional[Answer]:
        """A copy that makes the runs which it is told of through the other end of `line`, all of them within so many
        seconds of processor time; None: there is none."""
        said = self._ask([b"series", str(cpu_s).encode()], [line.fileno(), line.fileno()])
        return said if said and int(said.text) > 0 else None

    def kill(self, copy: Answer) -> None:
        """Ends a copy."""
        with self._lock:
            if self._first:             # else all copies have ended, and the number may be another's
                os.kill(copy.pid, signal.SIGKILL)
        self._ask([b"end", copy.text.encode()])

    def _ask(self, words: Sequence[bytes], files: Sequence[int] = ()) -> Optional[Answer]:
        """The answer. None: there is none, and never will be."""
        with self._lock:
            try:
                if self._socket is None:
                    self._begin()
                assert self._socket
                socket.send_fds(self._socket, [b"".join(word + b"\0" for word in words)], list(files))
                answer = Answer(*recv_from(self._socket))
                if not answer.text:
                    raise OSError           # it has ended
                return answer
            except (OSError, process.LaunchError):
                self._end()
                self._refused = True
                return None

    def _begin(self) -> None:
        """Starts the first process, and waits until it is ready. Raises OSError, LaunchError."""
        if self._refused:
            raise OSError
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._socket.settimeout(_PATIENCE_S)
            tells_senders(self._socket)
            limits = self._limits if self._limits.cpu_s is None else replace(self._limits, cpu_s=_MAKING_S)
            command = process.command([self._binary], limits, cwd=self._cwd, launch=self._launch,
                                      more=["--forks", "--keep-fd", str(theirs.fileno())], fence=self._fence)
            env = {**process.clean_env(self._cwd), **self._env, "LOOPLAB_FORKS": str(theirs.fileno())}
            if self._fence and process.shut_in(self._launch).tier == "A":
                self._first = _InCell(process.cell_for(self._fence, self._launch), command, self._cwd, env,
                                      theirs.fileno())
            else:
                self._first = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL, cwd=self._cwd, start_new_session=True,
                                               env=env, pass_fds=[theirs.fileno()])
        if self._socket.recv(256) != b"ready":
            raise OSError

    def ended(self, copy: Answer) -> tuple[int, float, int]:
        """Waits for a copy that has ended or is about to: what wait4() says of it, seconds of processor time, and its
        largest memory in bytes. Raises process.LaunchError."""
        said = self._ask([b"end", copy.text.encode()])
        if said is None:
            raise process.LaunchError("the process that makes a program's copies has ended")
        status, us, kib = map(int, said.text.split())
        return status, us / 1e6, kib * 1024

    def close(self) -> None:
        """Ends the first process, and with it each copy that still runs."""
        with self._lock:
            self._refused = True
            self._end()


def _can_be_followed() -> bool:
    """Can this process see that another one has ended which is not its child?"""
    if not hasattr(os, "pidfd_open") or not hasattr(socket, "send_fds"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
        return True
    except OSError:         # an old kernel, or one that does not let us
        return False


class _Copy:
    """One copy, as Running wants a child to be."""

    def __init__(self, forks: Forks, copy: Answer, out: BinaryIO, err: BinaryIO):
        self._forks, self._copy, self.pid, self.stdout, self.stderr = forks, copy, copy.pid, out, err

    def end(self) -> tuple[int, float, int]:
        return self._forks.ended(self._copy)


class _InCell:
    """The first process, where it runs in a file system of its own. Raises OSError."""

    def __init__(self, cell: Cell, command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], keep: int):
        self._cell = cell
        try:
            with open(os.devnull, "wb") as null:
                self.pid, self._name = cell.start(command, cwd=cwd, env=env, keep=keep,
                                                  files=[null.fileno(), null.fileno(), keep])
        except CellError as error:
            raise OSError(str(error)) from error

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)       # it stays there until wait()

    def wait(self) -> None:
        try:
            self._cell.end(self._name)
        except CellError:       # all in there have ended
            pass
