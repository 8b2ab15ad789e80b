"""The tables a class ends in: grades.csv, and attention.csv, which lists what needs a person."""

from __future__ import annotations

import csv
import io
from fractions import Fraction

from ..plain.text import printable
from .outcome import Outcome
from .roster import Student


def grades(outcome: Outcome) -> str:
    """A line a student: points a lab (empty: none), their sum, and what stands in place of points."""
    heads = (["id", "name", "email"] if outcome.people or outcome.absent else []) + ["folder"]
    if outcome.course:
        return _text(_of_course(outcome, heads))
    rows = [[*heads, *(lab.slug for lab in outcome.labs), "total", "note"]]
    for student in outcome.students:
        scores = [outcome.score(student, lab) for lab in outcome.labs]
        rows.append([*_who(outcome.people.get(student), heads), student,
                     *("" if score is None else str(score) for score in scores),
                     str(sum(score or 0 for score in scores)), _notes(outcome, student)])
    rows += [[*_who(student, heads), "", *([""] * len(outcome.labs)), "", "nothing was handed in"]
             for student in outcome.absent]
    return _text(rows)


def _of_course(outcome: Outcome, heads: list[str]) -> list[list[str]]:
    """As the course file counts: points a lab, their sum, and the whole by weight, in percent."""
    assert outcome.course
    slugs = [lab.slug for lab in outcome.labs]
    rows = [[*heads, *slugs, "total", "percent", "note"]]
    for student in outcome.students:
        earned = outcome.earned(student)
        late = [f"{slug[:2]}: late, less {outcome.lost[student, slug]} %" for slug in slugs
                if (student, slug) in outcome.lost]
        rows.append([*_who(outcome.people.get(student), heads), student,
                     *(_decimal(earned[slug]) if slug in earned else "" for slug in slugs),
                     _decimal(sum(earned.values(), Fraction(0))), _decimal(outcome.course.percent(earned, slugs)),
                     "; ".join(filter(None, [*late, _notes(outcome, student)]))])
    return rows + [[*_who(student, heads), "", *([""] * len(slugs)), "", "", "nothing was handed in"]
                   for student in outcome.absent]


def _decimal(value: Fraction) -> str:
    """Two places at most, halves up: 9.9, 12.35, 20."""
    hundredths = (value * 100 + Fraction(1, 2)).__floor__()
    return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")


def _notes(outcome: Outcome, student: str) -> str:
    notes = [f"{one.lab[:2]}: {one.kind}" if one.lab else one.kind for one in outcome.sorted_troubles()
             if one.student == student]
    return "; ".join(dict.fromkeys(notes))


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
