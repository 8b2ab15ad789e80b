"""The terminal that the watch draws on: single keys in, screens out. It is as it was whenever we are not on it."""

from __future__ import annotations

import os
import sys
import termios

_ENTER, _LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"       # a screen of our own, without a cursor
_CLEAR = b"\x1b[H\x1b[2J\x1b[3J"
_ARROWS = {"[A": "up", "[B": "down", "OA": "up", "OB": "down", "[6~": "space"}
_KEYS = {" ": "space", "j": "down", "k": "up", "\x04": "q", "\x03": "interrupt", "\x1c": "quit", "\x1a": "stop"}
GONE = "gone"


class Terminal:
    """Standard input and output, entered with `with`.

    Ctrl-C, Ctrl-\\ and Ctrl-Z are keys here: as signals they would end or stop make and its shell while we still
    tidy up, and the user's shell would write its prompt onto our screen.
    """

    def __init__(self) -> None:
        self.keys = sys.stdin.fileno()
        self._out = sys.stdout.fileno()
        self._on = False

    def __enter__(self) -> "Terminal":
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Single keys without echo, and a screen of our own. Twice is as good as once; nothing, where it is gone."""
        try:
            self._set_up()
        except termios.error:
            pass        # a hangup continues us, too: the next key says what has happened

    def _set_up(self) -> None:
        if not self._on:
            self._before = termios.tcgetattr(self.keys)
            self._on = True
        ours = [*self._before[:6], list(self._before[6])]
        ours[0] &= ~termios.IXON            # Ctrl-S does not hold up what we write
        ours[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        ours[6][termios.VMIN], ours[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.keys, termios.TCSANOW, ours)
        self._write(_ENTER)

    def leave(self) -> None:
        """As it was. A terminal that is gone needs nothing."""
        if not self._on:
            return
        self._on = False
        self._write(_LEAVE)
        try:
            termios.tcsetattr(self.keys, termios.TCSANOW, self._before)
        except termios.error:
            pass

    def draw(self, text: str) -> None:
        """Shows the text, and nothing else."""
        self._write(_CLEAR + text.encode(sys.stdout.encoding or "ascii", "replace"))

    def _write(self, data: bytes) -> None:
        """Past sys.stdout, whose buffer a terminal that is gone would leave full."""
        try:
            while data:
                data = data[os.write(self._out, data):]
        except OSError:
            pass        # gone: the next key says so

    def key(self) -> str:
        """What was pressed: a letter, a digit, or a word for what is neither. GONE: the terminal is no more."""
        try:
            pressed = os.read(self.keys, 16).decode("ascii", "replace")
        except OSError:
            return GONE
        if not pressed:
            return GONE
        if pressed[0] == "\x1b":
            return _ARROWS.get(pressed[1:], "redraw")
        return _KEYS.get(pressed[0], pressed[0].lower())
