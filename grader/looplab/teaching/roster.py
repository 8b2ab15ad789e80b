"""Who is in the class: a CSV file with a column for each student's name or id."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

from ..plain.failure import UsageError

COLUMNS = ("id", "name", "email")
_ALSO = {"student": "name", "full name": "name", "username": "id", "sis login id": "id", "email address": "email"}


@dataclass(frozen=True)
class Student:
    """A row of the roster; what it does not say is ""."""

    id: str = ""
    name: str = ""
    email: str = ""

    def keys(self) -> set[str]:
        """The words under which their files may have been handed in."""
        words = {self.id, self.name, self.email, self.email.partition("@")[0]} - {""}
        turned = " ".join(reversed([part.strip() for part in self.name.split(",", 1)])) if "," in self.name else ""
        return {_bare(word) for word in words | ({turned} - {""})}


@dataclass
class Roster:
    """Everyone who is on it."""

    students: list[Student] = field(default_factory=list)
    twice: list[tuple[str, str]] = field(default_factory=list)      # who stands there again, and where; it is left out

    def of(self, folder: str) -> list[Student]:
        """Those whose files that folder may hold; Canvas and Moodle add a number to the name."""
        wanted = {_bare(folder), _bare(folder.rstrip("0123456789")), *(word for word in folder.split()
                                                                      if word.isdigit())}
        return [student for student in self.students if student.keys() & wanted]


def read(path: Path) -> Roster:
    """Reads a roster. Raises UsageError with the line, and what is expected there."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise UsageError(f"ROSTER={path}: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise UsageError(f"ROSTER={path}: byte {fault.start} is no UTF-8: save the table as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    rows = list(csv.reader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ","))
    heads = [_ALSO.get(word.strip().lower(), word.strip().lower()) for word in rows[0]] if rows else []
    if not set(heads) & {"id", "name"}:
        raise UsageError(f"ROSTER={path}:1: expected a line with the columns' names, among them id or name "
                         f"(and perhaps email), not {', '.join(rows[0]) if rows else 'an empty file'!r}")
    return _students(path, heads, rows[1:])


def _students(path: Path, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Roster:
    whole, lines = Roster(), {}     # type: ignore[var-annotated]
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heads):
            raise UsageError(f"ROSTER={path}:{number}: expected {len(heads)} cells, as in line 1, but there are "
                             f"{len(row)}")
        known = {head: cell.strip() for head, cell in zip(heads, row) if head in COLUMNS}
        student = Student(**known)
        same = lines.setdefault(_bare(student.id or student.name), number)
        if same != number:
            word = student.id or student.name
            whole.twice.append((word, f"{path.name}:{number}: {word} stands in line {same} already, which counts"))
            continue
        whole.students.append(student)
    return whole


def _bare(word: str) -> str:
    """Without case, accents, blanks and signs."""
    plain = unicodedata.normalize("NFKD", word)
    return "".join(c for c in plain.casefold() if c.isalnum())
