"""What a card quotes of the student's file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from ..course.lab import Lab
from .scorecard import Source


def source_of(lab: Lab, folder: Path, again: str, out: str) -> Source:
    """What the card quotes of the student's file."""
    if lab.warmups:
        return Source("", lambda src: _line(lab, folder, src), None, "", again, out)
    lines = _lines(folder / lab.source)

    def line(src: str) -> str:
        name, _, number = src.partition(":")
        return lines[int(number) - 1].strip() if name == lab.source and number.isdigit() \
            and 0 < int(number) <= len(lines) else ""

    return Source(lab.source, line, _first_todo(lab, lines), f"labs/{lab.slug}", again, out)


def _line(lab: Lab, folder: Path, src: str) -> str:
    """The text of "07-taking-turns.c:12"; "" where there is none."""
    name, _, number = src.partition(":")
    lines = _lines(folder / name) if name in lab.sources and number.isdigit() else []
    return lines[int(number) - 1].strip() if 0 < int(number or 0) <= len(lines) else ""


def _lines(file: Path) -> list[str]:
    """A source file's lines; [] if it cannot be read."""
    try:
        return file.read_text(errors="replace").split("\n") if file.is_file() else []
    except OSError:
        return []


def _first_todo(lab: Lab, lines: list[str]) -> Optional[str]:
    """An untouched skeleton's first TODO: where to begin."""
    if lines != _lines(lab.folder / lab.source):
        return None
    todos = [(int(found[1]), number, found[0]) for number, line in enumerate(lines, start=1)
             if (found := re.search(r"(?<=/\* )TODO (\d+):.*", line))]
    if not todos:
        return None
    _, number, text = min(todos)
    return f"begin with {lab.source}:{number}, {text.rstrip(' */')}"
