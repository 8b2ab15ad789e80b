"""What gcc's notes (a .gcno file) say of a file: its functions, its lines, and the ways between their blocks.

gcov tells lines and counts, but not the ways; those stand in the notes only. Format: gcov-io.h of gcc 9 and later.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field

_MAGIC = 0x67636E6F
_FUNCTION, _ARCS, _LINES = 0x01000000, 0x01430000, 0x01450000
_FAKE = 2       # an arc that stands for "this call may not return"
_EXIT = 1       # the number of the block in which a function ends


@dataclass(frozen=True)
class Notes:
    """What is told of one source file."""

    functions: tuple[int, ...]      # the line each function begins on; as often as functions begin there
    lines: frozenset[int]           # those with code
    deciding: frozenset[int]        # those that end in a choice: an if, a loop, a switch
    nowhere: frozenset[int]         # those from which no way comes to the end of their function: each ends in a call
                                    # that does not return (abort, a failed assert, a function of one's own that only
                                    # exits), or in __builtin_unreachable


NOTHING = Notes((), frozenset(), frozenset(), frozenset())


def read(notes: bytes, source: str) -> Notes:
    """Of the file `source` ("compare.c"). NOTHING for what gcc 9 or a later one has not written."""
    try:
        functions = _Reader(notes).functions(source)
    except (struct.error, IndexError, ValueError):
        return NOTHING
    nowhere: set[int] = set()
    somewhere: set[int] = set()
    for function in functions:
        ended = _without_end(function)
        for line, blocks in function.lines.items():
            (nowhere if blocks <= ended else somewhere).add(line)
    deciding = (line for function in functions for block, line in function.last.items()
                if len(function.ways[block]) > 1)
    return Notes(tuple(function.begins for function in functions if function.begins), frozenset(nowhere | somewhere),
                 frozenset(deciding), frozenset(nowhere - somewhere))


# ---- Below: how ------------------------------------------------------------------------------------

@dataclass
class _Function:
    begins: int                                                                     # 0: in another file
    ways: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))     # block -> blocks it goes on to
    blocks: set[int] = field(default_factory=set)
    lines: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))    # line -> blocks
    last: dict[int, int] = field(default_factory=dict)                              # block -> the last of its lines


def _without_end(function: _Function) -> set[int]:
    """The blocks from which nothing leads to the function's end. A loop without an end is none of them."""
    found: set[int] = set()
    while True:
        more = {block for block in function.blocks - found if block != _EXIT and function.ways[block] <= found}
        if not more:
            return found
        found |= more


class _Reader:
    """The words of the file, one after the other. Raises struct.error, IndexError or ValueError if it is not one."""

    def __init__(self, notes: bytes):
        self._notes = notes
        self._at = 0
        self._order = "<" if notes[:4] == struct.pack("<I", _MAGIC) else ">"
        magic, version = self._word(), self._word()
        major = (version >> 24) - ord("A"), (version >> 16 & 0xFF) - ord("0")
        self._gcc = 10 * major[0] + major[1]
        if magic != _MAGIC or self._gcc < 9:
            raise ValueError("not the notes of gcc 9 or later")
        self._word()                    # a stamp, and since gcc 12 a checksum
        if self._gcc >= 12:
            self._word()
        self._text()                    # the folder it was compiled in
        self._word()

    def functions(self, source: str) -> list[_Function]:
        """All of them, with their lines in this file."""
        found: list[_Function] = []
        while self._at + 8 <= len(self._notes):
            tag, length = self._word(), self._word()
            end = self._at + length * (1 if self._gcc >= 12 else 4)
            if tag == _FUNCTION:
                found.append(_Function(self._begins(source)))
            elif tag == _ARCS:
                self._arcs(found[-1], end)
            elif tag == _LINES:
                self._lines(found[-1], source)
            self._at = end
        return found

    def _begins(self, source: str) -> int:
        """The line a function begins on. 0: it stands in another file, or the compiler made it."""
        self._at += 12                  # an id and two checksums
        self._text()
        artificial, file, line = self._word(), self._text(), self._word()
        return 0 if artificial or file != source else line

    def _arcs(self, function: _Function, end: int) -> None:
        block = self._word()
        function.blocks.add(block)
        while self._at < end:
            to, flags = self._word(), self._word()
            function.blocks.add(to)
            if not flags & _FAKE:
                function.ways[block].add(to)

    def _lines(self, function: _Function, source: str) -> None:
        block = self._word()
        function.blocks.add(block)
        file = ""
        while True:
            if number := self._word():
                if file == source:
                    function.lines[number].add(block)
                    function.last[block] = number
            elif not (file := self._text()):
                return

    def _word(self) -> int:
        word: int = struct.unpack_from(self._order + "I", self._notes, self._at)[0]
        self._at += 4
        return word

    def _text(self) -> str:
        length = self._word() * (1 if self._gcc >= 12 else 4)
        text = self._notes[self._at:self._at + length]
        self._at += length
        return text.rstrip(b"\0").decode("utf-8", "replace")
