"""A process that is started once, and copies itself for each run that it is told of through a socket."""

from __future__ import annotations

import socket
import threading
from typing import Optional, Protocol


class First(Protocol):
    """The process itself."""

    def kill(self) -> None: ...

    def wait(self) -> object: ...


class Copier:
    """What judges and programs have alike: the first process, the socket to it, and a lock around both."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: Optional[First] = None
        self._socket: Optional[socket.socket] = None

    def _end(self) -> None:
        """Ends the first process, if there is one, and with it each copy that still runs."""
        if self._socket:
            self._socket.close()
            self._socket = None
        if self._first:
            self._first.kill()
            self._first.wait()
            self._first = None
