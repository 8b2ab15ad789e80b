"""The teacher's own export, filled in: Canvas's gradebook, or Moodle's offline grading worksheet.

Nothing changes but the cells of grades that are known. What the two platforms take is read in their code: Canvas's
lib/gradebook_importer.rb, Moodle's mod/assign/feedback/offline/importgradeslib.php and locallib.php.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence

from ..course.lab import Lab
from ..plain.failure import UsageError
from . import cells
from .intake import Trouble
from .outcome import Outcome
from .roster import Roster, Student

_GRADE = ("grade", "bewertung", "note", "calificación", "valutazione", "beoordeling", "nota")   # Moodle's, by language
_IDENTIFIER = re.compile(r"\D+(\d+)")                   # "Participant 101", whatever the language
_ASSIGNMENT = re.compile(r"(.*) \((\d+)\)")             # Canvas: "Title (123)"
_KEPT = ("EX", "N/A")                                   # excused; not assigned to this student


@dataclass
class Book:
    """An export. column: the place of each lab's grades, by slug; people: who a row is, by its number."""

    name: str
    kind: str               # canvas or moodle
    sheet: cells.Sheet
    column: dict[str, int]
    worth: dict[str, Optional[float]]       # by slug: the points that the platform gives at most; None: it does not say
    people: dict[int, Student]
    worths: dict[int, float]                # by row, where each says so itself (Moodle)
    locked: set[int]                        # rows whose grades cannot be changed (Moodle)
    handed_in: dict[int, str] = field(default_factory=dict)     # by row: when, in the platform's words (Moodle)

    def row(self, folder: str, person: Optional[Student]) -> list[int]:
        """The rows that may be this student's: those with their number, else those with their name."""
        numbers = {word for word in folder.split() if word.isdigit()} | ({person.id} if person and person.id else set())
        sure = [row for row, one in self.people.items() if set(one.id.split()) & numbers]
        if sure:
            return sure
        found = []
        for row, one in self.people.items():
            same = Roster([one]).of(folder) or (person and {*one.keys()} & person.keys())
            found += [row] if same else []
        return found


def read(path: Path, labs: Sequence[Lab]) -> Book:
    """Reads an export that has a column for these labs. Raises UsageError: one line, what is expected."""
    name = f"GRADEBOOK={path}"
    try:
        sheet = cells.parse(path.read_bytes(), name)
    except OSError as fault:
        raise UsageError(f"{name}: {fault.strerror}") from None
    if not sheet.rows:
        raise UsageError(f"{name}:1: expected a line with the columns' names, not an empty file")
    heads = [sheet.text(0, column) for column in range(len(sheet.rows[0].cells))]
    for row in sheet.rows:
        if len(row.cells) != len(heads) and row.cells != [b""]:
            raise UsageError(f"{name}:{row.line}: expected {len(heads)} cells, as in line 1, but there are "
                             f"{len(row.cells)}")
    sheet_rows = [number for number, row in enumerate(sheet.rows) if number and len(row.cells) == len(heads)]
    if "Student" in heads[0] and heads[1:2] == ["ID"]:
        return _canvas(name, sheet, heads, sheet_rows, labs)
    grade = [column for column, head in enumerate(heads) if head.lower() in _GRADE]
    if grade and any(_IDENTIFIER.fullmatch(sheet.text(row, 0)) for row in sheet_rows):
        return _moodle(name, sheet, heads, sheet_rows, labs, grade[0])
    raise UsageError(f"{name}:1: expected Canvas's gradebook (columns Student, ID, …) or Moodle's grading worksheet "
                     f"(Identifier, …, Grade), not {', '.join(heads)[:80]}")


# ---- Canvas ----


def _canvas(name: str, sheet: cells.Sheet, heads: list[str], rows: list[int], labs: Sequence[Lab]) -> Book:
    possible = next((row for row in rows if "Points Possible" in sheet.text(row, 0)), None)
    column: dict[str, int] = {}
    worth: dict[str, Optional[float]] = {}
    for lab in labs:
        mine = [number for number, head in enumerate(heads) if (found := _ASSIGNMENT.fullmatch(head))
                and _is_of(found[1], lab)]
        if len(mine) != 1:
            many = " and ".join(heads[number] for number in mine)
            raise UsageError(f"{name}:1: expected one column for lab {lab.number}, such as \"Lab {lab.number} (123)\", "
                             + (f"but there are {many}" if mine else "but there is none"))
        said = sheet.text(possible, mine[0]) if possible is not None else ""
        if "read only" in said.lower():
            raise UsageError(f"{name}:{sheet.rows[possible or 0].line}: the column {heads[mine[0]]} is read only")
        column[lab.slug], worth[lab.slug] = mine[0], _number(said)
    also = [number for number, head in enumerate(heads) if head in ("SIS User ID", "SIS Login ID")]
    people = {row: Student(" ".join(sheet.text(row, number) for number in [1, *also]), sheet.text(row, 0))
              for row in rows if row != possible and sheet.text(row, 0)}
    if sheet.rows[0].cells[0][:1] == b'"':
        sheet.mark = b""            # Canvas takes a mark before a quote for a fault of the whole file
    return Book(name, "canvas", sheet, column, worth, people, {}, set())


def _is_of(title: str, lab: Lab) -> bool:
    """"01-sync-vs-async", "Lab 1", "Lab 01: two ways to wait"; a number alone is no lab's."""
    number = int(lab.number)
    return lab.slug in title.lower() or bool(re.search(rf"\blab\s*0?{number}\b", title.lower()))


# ---- Moodle ----


def _moodle(name: str, sheet: cells.Sheet, heads: list[str], rows: list[int], labs: Sequence[Lab],
            grade: int) -> Book:
    if len(labs) != 1:
        raise UsageError(f"{name}: Moodle's worksheet is of one assignment: say of which lab, as in LAB=03")
    lower = [head.lower() for head in heads]

    def cell(row: int, head: str) -> str:
        return sheet.text(row, lower.index(head)) if head in lower else ""

    people, worths, locked, handed_in = {}, {}, set(), {}       # type: ignore[var-annotated]
    for row in rows:
        identifier = _IDENTIFIER.fullmatch(sheet.text(row, 0))
        if identifier:
            people[row] = Student(f"{identifier[1]} {cell(row, 'id number')}".strip(), cell(row, "full name")
                                  or (sheet.text(row, 1) if len(heads) > 1 and grade != 1 else ""),
                                  cell(row, "email address"))
            most = _number(cell(row, "maximum grade"))
            worths.update({row: most} if most else {})
            locked |= {row} if cell(row, "grade can be changed").lower() == "no" else set()
            handed_in[row] = cell(row, "last modified (submission)")
    slug = labs[0].slug
    return Book(name, "moodle", sheet, {slug: grade}, {slug: None}, people, worths, locked, handed_in)


# ---- Filling in ----


def another_course(book: Book, folders: Sequence[str], listed: Optional[Roster]) -> str:
    """What is to be said where it is the export of another course, since nobody who handed anything in has a row; ""
    where it is not."""
    for folder in folders:
        known = listed.of(folder) if listed else []
        if book.row(folder, known[0] if len(known) == 1 else None):
            return ""
    return f"{book.name}: none of its {len(book.people)} students has handed anything in: is it the export of " \
           "another course?"


def fill(book: Book, outcome: Outcome) -> tuple[bytes, list[Trouble]]:
    """The export with the grades that are known, and what needs a person. Where there is no grade the cell stays."""
    troubles: list[Trouble] = []
    taken: dict[int, str] = {}
    for folder in outcome.students:
        rows = book.row(folder, outcome.people.get(folder))
        if len(rows) != 1 or rows[0] in taken:
            said = "has no row" if not rows else f"shares its row with {taken[rows[0]]}" if len(rows) == 1 \
                else "may be the one of line " + " or ".join(str(book.sheet.rows[row].line) for row in rows)
            troubles.append(Trouble(folder, "", "gradebook", f"{said} in {book.name.rpartition('/')[2]}"))
            continue
        taken[rows[0]] = folder
        for lab in outcome.labs:
            said = _put(book, rows[0], lab, outcome.results.get((folder, lab.slug), {}),
                        outcome.lost.get((folder, lab.slug), 0))
            troubles += [Trouble(folder, lab.slug, "gradebook", said)] if said else []
    return book.sheet.bytes(), troubles


def _put(book: Book, row: int, lab: Lab, result: dict, lost: int) -> str:
    """Writes one grade, less what being late costs (percent); returns what needs a person, or ""."""
    column = book.column.get(lab.slug)
    if column is None or result.get("status") != "graded":
        return ""
    before = book.sheet.text(row, column)
    if before.upper() in _KEPT:
        return ""
    if row in book.locked:
        return "the platform says that this grade cannot be changed"
    worth = book.worths.get(row) or book.worth[lab.slug] or result["max_score"]
    points = round(result["score"] * worth * (100 - lost) / result["max_score"] / 100, 2)
    book.sheet.put(row, column, f"{points:.2f}".rstrip("0").rstrip("."))
    if book.kind == "moodle" and not points:
        return "some versions of Moodle leave out a grade of 0 when they read the file: look whether it is there"
    return ""


def _number(text: str) -> Optional[float]:
    """"100", "100.00", "100,00"; None: anything else, and 0."""
    found = re.fullmatch(r"(\d{1,6})(?:[.,](\d{1,4}))?", text)
    return float(f"{found[1]}.{found[2] or 0}") or None if found else None
