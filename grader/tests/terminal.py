"""A program on a terminal of 80 x 24, and what it has drawn last."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from pathlib import Path

from variants import require_terminal

PATIENCE_S = 60     # a loaded machine may take its time; nothing here rests on how long


class Terminal:
    """Runs argv in `cwd`, as the leader of the terminal's session. Skips the test where a terminal cannot be had."""

    def __init__(self, argv: list[str], cwd: Path, env: dict[str, str]):
        self.screen = ""
        require_terminal()
        self.fd, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.resize(80, 24)
        self.pid = os.fork()
        if not self.pid:
            os.close(self.fd)
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(slave, descriptor)
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        os.close(slave)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def until(self, pattern: str) -> str:
        """Waits until the screen shows the pattern; returns the screen."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if not self._read():
                break
            if re.search(pattern, self.screen):
                return self.screen
        raise AssertionError(f"never showed {pattern!r}: {self.screen!r}")

    def _read(self) -> bool:
        """Takes in what is drawn. False: the program has let go of the terminal."""
        if not select.select([self.fd], [], [], 0.1)[0]:
            return True
        try:
            self.screen += os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:
            return False
        cleared = self.screen.rfind("\x1b[H\x1b[2J")
        self.screen = self.screen[max(cleared, 0):]
        return True

    @property
    def raw(self) -> bool:
        """Does it hand out single keys, unseen?"""
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    @property
    def as_before(self) -> bool:
        """Are its settings what they were, the second screen left, and the cursor shown?"""
        last = self.screen.rfind
        return (termios.tcgetattr(self.fd) == self.before and last("\x1b[?1049l") > last("\x1b[?1049h")
                and last("\x1b[?25h") > last("\x1b[?25l"))

    def end(self) -> int:
        """Its exit code, once it has ended."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                while self._read() and select.select([self.fd], [], [], 0)[0]:
                    pass
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.fd >= 0:
            os.close(self.fd)
