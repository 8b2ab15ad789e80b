"""One check of a lab, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ..plain.text import count

STATUSES = ("passed", "failed", "skipped", "error")


@dataclass
class Part:
    """A piece of a check with points of its own."""

    title: str
    worth: int
    passed: bool
    message: str = ""
    src: Optional[str] = None       # "compare.c:31"

    def told(self) -> str:
        """What it says of its failure, as a piece of the check's message."""
        return f"{self.title} ({count(self.worth, 'point')})\n{self.message}"


@dataclass
class Check:
    """What @points, the docstring and the run of a test tell. `status` is None until it has run."""

    id: str                         # the test's name, with its parameters
    title: str                      # the docstring's first paragraph, in one line
    category: str
    worth: int
    place: str                      # "labs/01-sync-vs-async/test_visible.py:12": for its author
    needs: tuple[str, ...] = ()
    last: bool = False
    idea: bool = False              # what the lab is about
    alone: bool = False             # of a program of its own: it says nothing of what the others are worth
    status: Optional[str] = None
    score: int = 0
    message: str = ""
    src: Optional[str] = None       # "compare.c:31"
    replay: Optional[str] = None    # the command that shows the failing run
    report: Optional[str] = None    # the page that draws it, from where results.json lies
    virtual_ns: Optional[int] = None    # how long the run took that it is about
    parts: list[Part] = field(default_factory=list)

    def passed(self) -> None:
        """It holds: full marks, unless parts of it failed."""
        broken = [part for part in self.parts if not part.passed]
        if broken:
            self.status, self.score = "failed", sum(part.worth for part in self.parts if part.passed)
            self.message = "\n".join(part.told() for part in broken)
        else:
            self.status, self.score, self.message = "passed", self.worth, ""

    def failed(self, message: str, src: Optional[str] = None) -> None:
        """It does not hold; what its parts have earned up to here stays."""
        self.status, self.score = "failed", sum(part.worth for part in self.parts if part.passed)
        self.message, self.src = message, src

    def skipped(self, because: str) -> None:
        self.status, self.score, self.message = "skipped", 0, because

    def faulty(self, fault: str) -> None:
        """Not the student's doing: the check, the grader or the machine is at fault."""
        self.status, self.score, self.message, self.src = "error", 0, fault, None
