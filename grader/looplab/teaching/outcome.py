"""What came of a whole class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Sequence

from ..course.lab import Lab
from .intake import Trouble
from .roster import Student


@dataclass
class Outcome:
    """The results of everybody, by student and lab, and what needs a person."""

    labs: Sequence[Lab]
    students: list[str]                                     # the folders, in order
    results: dict[tuple[str, str], dict] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    people: dict[str, Student] = field(default_factory=dict)     # who a folder's student is, with a roster
    absent: list[Student] = field(default_factory=list)         # on the roster, but nothing of theirs was found

    def add(self, student: str, lab: Lab, result: Optional[dict], cut: bool) -> None:
        """A result; None: there is none, since it was cut off or could not be written."""
        if result:
            self.results[student, lab.slug] = result
        if result and result["status"] == "graded":
            return
        kind = "cut off" if cut else "grader fault" if not result or result["status"] == "error" else "ungradable"
        said = result["message"] if result else "took too long as a whole" if cut else "no result was written"
        self.troubles.append(Trouble(student, lab.slug, kind, said))

    def score(self, student: str, lab: Lab) -> Optional[int]:
        """Points; None: there are none."""
        return self.results.get((student, lab.slug), {}).get("score")

    def sorted_troubles(self) -> list[Trouble]:
        return sorted(self.troubles, key=lambda one: (one.kind, one.student, one.lab, one.said))
