"""Text for terminals: nothing a student's program wrote may act on one, and nothing needs UTF-8."""

from __future__ import annotations

import textwrap

WIDTH = 80

_ASCII = {"✓": "+", "✗": "x", "–": "-", "…": "...", "·": "-", "×": "x", "→": "->", "“": '"', "”": '"', "’": "'",
          "—": "-"}


def printable(text: str) -> str:
    """The text with every character but newline that acts on a terminal (or turns its writing round) shown as a sign
    ("\\x1b")."""
    return "".join(c if c == "\n" or c.isprintable() else ("    " if c == "\t" else _escape(c)) for c in text)


def _escape(c: str) -> str:
    return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"


def plain(text: str) -> str:
    """The text in ASCII, for terminals that know no more."""
    return "".join(_ASCII.get(c, c if c.isascii() else "?") for c in text)


def cut(text: str, most: int) -> str:
    """The text in at most `most` characters; what is left out shows as "…"."""
    return text if len(text) <= most else text[:most - 1] + "…"


def fill(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """Its lines, each wrapped to the terminal's 80 columns and indented; a line break in the text stays one.

    Words longer than a line (URLs, commands) are never broken: they could not be copied any more.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        start = indent if first is None or lines else first
        lines += textwrap.wrap(line, WIDTH, initial_indent=start, subsequent_indent=indent,
                               break_long_words=False, break_on_hyphens=False) or [""]
    return lines


def count(n: int, noun: str) -> str:
    """"1 check", "3 checks"; irregular plurals are the caller's business."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
