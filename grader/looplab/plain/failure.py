"""Why a check failed, in a student's words; and the other thing: a fault of the grader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


class GraderFault(Exception):
    """The grader, a check or the machine is wrong, never the student. One line, with the place."""


class UsageError(Exception):
    """A wrong argument, in one line: exit code 2."""


@dataclass(frozen=True)
class Cause:
    """The one most likely reason, as a sentence without a full stop; `src` is where ("compare.c:31") if known."""

    kind: str           # "sequential", "blocked", "aborted", …: for tests and statistics
    text: str
    src: Optional[str] = None


@dataclass(frozen=True)
class Failure:
    """What a failed check says. Each part is one line or a few; "" and None are left out."""

    expected: str = ""
    happened: str = ""
    cause: Optional[Cause] = None
    rule: str = ""          # the requirement that is broken: its number, and the handout's sentence
    where: str = ""         # the situation, in words

    @property
    def src(self) -> Optional[str]:
        """The place in the student's file, if one is known."""
        return self.cause.src if self.cause else None

    def text(self) -> str:
        """The message, a labelled line a part."""
        parts = (("rule", self.rule), ("where", self.where), ("expected", self.expected), ("happened", self.happened),
                 ("cause", self.cause.text if self.cause else ""))
        return "\n".join(f"{label}: {said}" for label, said in parts if said)


class CheckFailed(AssertionError):
    """Raised by the assertion helpers; the student sees the Failure and nothing else. replay: the command that shows
    it. about: which statement of a contract it breaks, if it is one (asking/contract.py)."""

    def __init__(self, failure: Failure, replay: Optional[str] = None, virtual_ns: Optional[int] = None):
        super().__init__(failure.text())
        self.failure = failure
        self.replay = replay
        self.virtual_ns = virtual_ns
        self.about: Optional[object] = None
