"""Text as a stream can write it."""

from __future__ import annotations

import os
from typing import TextIO

from .text import plain


def for_stream(stream: TextIO, text: str) -> str:
    """The text as the stream can write it: in ASCII if it knows no more."""
    try:
        text.encode(_encoding(stream))
    except (UnicodeEncodeError, LookupError):
        return plain(text)
    return text


def _encoding(stream: TextIO) -> str:
    """The stream's encoding; of a terminal in the C locale ASCII, where Python itself assumes UTF-8."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "ascii" if stream.isatty() and locale in ("C", "POSIX") else stream.encoding or "ascii"
