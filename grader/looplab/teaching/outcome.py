"""What came of a whole class."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Optional, Sequence

from ..course.lab import Lab
from ..plain.text import count
from .course_file import Course
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
    course: Optional[Course] = None
    lost: dict[tuple[str, str], int] = field(default_factory=dict)      # by being late: percent of what was earned
    untold: int = 0                                         # results to which late rules could not be applied

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

    def earned(self, student: str) -> dict[str, Fraction]:
        """With a course file: the points that count, by lab."""
        return {lab.slug: self.course.earned(self.results[student, lab.slug], self.lost.get((student, lab.slug), 0))
                for lab in self.labs if self.course and self.score(student, lab) is not None}

    def apply_late(self, times: dict[tuple[str, str], datetime], marked: set[str]) -> None:
        """Holds when each was handed in against the course file. times: by student and lab. Where the platform's export
        does not tell when, nothing is lost; where it tells only that it was late, a person decides."""
        for student, slug in sorted(self.results):
            use = self.course.use(slug) if self.course else None
            if not use or not use.due or not self.course or not self.course.late.percent_a_day:
                continue
            if (student, slug) in times:
                lost = self.course.late.lost(use.due, times[student, slug])
                if lost:
                    self.lost[student, slug] = lost
                continue
            self.untold += 1
            if student in marked:
                self.troubles.append(Trouble(student, slug, "late", "the export says that it was late, but not by how "
                                                                    "much: the late rules were not applied"))

    def check_tier(self) -> None:
        """Holds the sandbox that each was graded in against the one that the course asks for: A is the strongest."""
        asked = self.course.tier if self.course else ""
        reached = {key: str(result.get("tier", "")) for key, result in sorted(self.results.items())} if asked else {}
        self.troubles += [Trouble(student, slug, "tier", f"graded in tier {tier}; the course asks for tier {asked}")
                          for (student, slug), tier in reached.items() if tier > asked]
        silent = sum(not tier for tier in reached.values())
        if silent:
            said = f"{count(silent, 'result')} {'does' if silent == 1 else 'do'} not say which was reached"
            self.troubles.append(Trouble("", "", "tier", f"the course asks for tier {asked}, and {said}"))

    def sorted_troubles(self) -> list[Trouble]:
        return sorted(self.troubles, key=lambda one: (one.kind, one.student, one.lab, one.said))
