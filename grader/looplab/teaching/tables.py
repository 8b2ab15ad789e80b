"""The tables a class ends in: grades.csv, and attention.csv, which lists what needs a person."""

from __future__ import annotations

import csv
import io

from ..plain.text import printable
from .outcome import Outcome
from .roster import Student


def grades(outcome: Outcome) -> str:
    """A line a student: points a lab (empty: none), their sum, and what stands in place of points."""
    heads = (["id", "name", "email"] if outcome.people or outcome.absent else []) + ["folder"]
    rows = [[*heads, *(lab.slug for lab in outcome.labs), "total", "note"]]
    for student in outcome.students:
        scores = [outcome.score(student, lab) for lab in outcome.labs]
        notes = [f"{one.lab[:2]}: {one.kind}" if one.lab else one.kind for one in outcome.sorted_troubles()
                 if one.student == student]
        rows.append([*_who(outcome.people.get(student), heads), student,
                     *("" if score is None else str(score) for score in scores),
                     str(sum(score or 0 for score in scores)), "; ".join(dict.fromkeys(notes))])
    rows += [[*_who(student, heads), "", *([""] * len(outcome.labs)), "", "nothing was handed in"]
             for student in outcome.absent]
    return _text(rows)


def attention(outcome: Outcome) -> str:
    """A line for each thing that needs a person."""
    return _text([["kind", "student", "lab", "what"]]
                 + [[one.kind, one.student, one.lab, one.said] for one in outcome.sorted_troubles()])


def _who(student: Student | None, heads: list[str]) -> list[str]:
    return [getattr(student, head) if student else "" for head in heads if head != "folder"]


def _text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[_cell(cell) for cell in row] for row in rows])
    return out.getvalue()


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is text to it with an apostrophe in front: names are students'."""
    text = printable(text).replace("\n", " ")
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
