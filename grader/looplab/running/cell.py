"""A file system, processes and a network of their own, made by bubblewrap: tier A of the sandbox.

It is entered once: in it the launcher starts all that is to run there (grader/launcher/cell.h has the messages). What
runs there has another number inside than outside; the kernel tells us the one outside with the answer.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Mapping, Optional, Sequence

from .fence import DEVICES, Fence

_PATIENCE_S = 60.0
_CREDENTIALS = struct.Struct("3i")      # process, user, group
_KEPT = 8                               # so many are open at a time, in one process


class CellError(Exception):
    """It cannot be made, or has ended: in one line."""


def recv_from(line: socket.socket) -> tuple[str, int]:
    """The next message, and the number that its sender has out here. ("", 0): there is none to come. Raises OSError."""
    text, more, _, _ = line.recvmsg(256, socket.CMSG_SPACE(_CREDENTIALS.size))
    sender = next((_CREDENTIALS.unpack(data[:_CREDENTIALS.size])[0] for level, kind, data in more
                   if (level, kind) == (socket.SOL_SOCKET, getattr(socket, "SCM_CREDENTIALS", -1))), 0)
    return text.decode(), sender


def tells_senders(line: socket.socket) -> None:
    """From now on recv_from() knows them, where the system can tell."""
    if hasattr(socket, "SO_PASSCRED"):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def words(fence: Fence, launch: Path) -> list[str]:
    """The words that start bubblewrap, for this fence, up to the program's own. Raises CellError."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise CellError("bubblewrap is not installed (apt-get install bubblewrap)")
    found = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--new-session",
             "--proc", "/proc"]
    for name in fence.system:
        if name != "/proc":
            found += _seen(name)
    for name in DEVICES:
        found += ["--dev-bind", name, name]
    for path in (*fence.reads, launch):
        found += ["--ro-bind", str(path), str(path)] if path.exists() else []
    for path in fence.writes:
        found += ["--bind", str(path), str(path)]
    return [*found, "--remount-ro", "/", "--chdir", "/", "--"]


def _seen(name: str) -> list[str]:
    if os.path.islink(name) and not name.startswith("/etc"):
        return ["--symlink", os.readlink(name), name]
    if name.startswith("/dev/"):
        return ["--dev-bind", name, name]
    return ["--ro-bind", name, name] if os.path.exists(name) else []


class Cell:
    """One such room. fence: what is seen in it. Raises CellError."""

    def __init__(self, fence: Fence, launch: Path):
        self.fence = fence
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        tells_senders(self._socket)
        self._socket.settimeout(_PATIENCE_S)
        with theirs:
            try:
                self._bwrap = subprocess.Popen(
                    [*words(fence, launch), str(launch), "--serve", str(theirs.fileno())], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()],
                    start_new_session=True, env={"PATH": os.defpath})
            except OSError as error:
                self._socket.close()
                raise CellError(f"bubblewrap does not start: {error.strerror}") from error
        if self._receive()[0] != "ready":
            assert self._bwrap.stderr
            said = self._bwrap.stderr.read().decode("utf-8", "replace").strip().partition("\n")[0]
            self.close()
            raise CellError(f"bubblewrap cannot make namespaces here ({said or 'it said nothing'})")

    def _receive(self) -> tuple[str, int]:
        try:
            return recv_from(self._socket)
        except OSError:
            return "", 0

    def start(self, command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], files: Sequence[int],
              keep: Optional[int] = None) -> tuple[int, int]:
        """Starts a program; files: its stdout and stderr, and the one that it knows as `keep`. Returns its number out
        here, and that by which end() knows it. Raises CellError."""
        text = ["run", os.path.abspath(cwd), str(-1 if keep is None else keep), str(len(env)),
                *(f"{name}={value}" for name, value in env.items()), *map(str, command)]
        with self._lock:
            said, pid = self._ask(text, files)
        if not said or said == "0" or not pid:
            raise CellError("the process that starts all others in a sandbox has ended")
        return pid, int(said)

    def end(self, name: int) -> tuple[int, float, int]:
        """Waits for one that has ended or is about to: what wait4() says, seconds of processor time, and its largest
        memory in bytes. Raises CellError."""
        with self._lock:
            said, _ = self._ask(["end", str(name)])
        if not said:
            raise CellError("the process that starts all others in a sandbox has ended")
        status, us, kib = map(int, said.split())
        return status, us / 1e6, kib * 1024

    def _ask(self, text: Sequence[str], files: Sequence[int] = ()) -> tuple[str, int]:
        try:
            socket.send_fds(self._socket, [b"".join(os.fsencode(word) + b"\0" for word in text)], list(files))
        except OSError:
            return "", 0
        return self._receive()

    def close(self) -> None:
        """Ends all that is in there."""
        self._socket.close()
        try:
            self._bwrap.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._bwrap.kill()
            self._bwrap.communicate()


_cells: "OrderedDict[tuple[Fence, Path], Cell]" = OrderedDict()
_lock = threading.Lock()


def cell_of(fence: Fence, launch: Path) -> Cell:
    """The room for this fence, made when it is first asked for. Raises CellError."""
    with _lock:
        key = (fence, launch)
        if key not in _cells:
            _cells[key] = Cell(fence, launch)
        _cells.move_to_end(key)
        while len(_cells) > _KEPT:
            _cells.popitem(last=False)[1].close()
        return _cells[key]


def close_below(folder: Path) -> None:
    """Ends the rooms that write below a folder."""
    with _lock:
        for key in [key for key in _cells if any(folder in (path, *path.parents) for path in key[0].writes)]:
            _cells.pop(key).close()
