"""Text as a stream or a file can write it.

A file's name may hold bytes that are no UTF-8: in Python's text each of them is a lone surrogate.
"""

from __future__ import annotations

import io
import os
from typing import TextIO

from .text import plain


def for_stream(stream: TextIO, text: str) -> str:
    """The text as the stream can write it: in ASCII if it knows no more."""
    try:
        text.encode(_encoding(stream), errors="surrogateescape")
    except (UnicodeEncodeError, LookupError):
        return plain(text)
    return text


def bytes_as_they_are(stream: TextIO) -> None:
    """From now on the stream writes a file's name with the bytes it has, UTF-8 or not: so it can be copied."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="surrogateescape")


def in_utf8(text: str) -> bytes:
    """The text for a file that must be UTF-8: "?" stands for a byte that is none."""
    return text.encode("utf-8", errors="replace")


def _encoding(stream: TextIO) -> str:
    """The stream's encoding; of a terminal in the C locale ASCII, where Python itself assumes UTF-8."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "ascii" if stream.isatty() and locale in ("C", "POSIX") else stream.encoding or "ascii"
