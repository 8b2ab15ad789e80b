"""The situations of lab NN, the *strategy*: what the handout allows, drawn from numbers. The search makes those numbers
smaller when it has found a fault; so the simplest possibility stands first in each list, and 0 is the simplest number.
"""

from __future__ import annotations

from dataclasses import dataclass

from looplab import Duration
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import Pages, called

ONE, NONE, FEW, SOME, MANY = (1, 1), (0, 0), (2, 4), (5, 12), (13, 60)      # pages, from ... to
PLAN = [((), size) for size in (ONE, FEW, NONE, FEW, SOME, FEW, SOME, MANY)]
CASES = 5 * len(PLAN)           # so many make a grading
KINDS = ["good"] * 8 + ["empty", "binary", "status", "status", "twin", "reset", "truncated", "refused", "unresolved",
                        "hangs", "large"]
"""What a page may be; pages.py says what each word means. What stands there more often comes more often."""


@dataclass(frozen=True)
class Facts:
    """What the contract goes by."""

    times: list[Duration]           # of each fetch by itself
    answers: list[dict]


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    pages = Pages(c, KINDS)
    settings = {"poison": 90} if c.one_in(2) else {}
    said = called(pages.words(), settings, len(pages.urls), "total_length")
    return Situation("total", pages.world, said, pages.urls, settings, facts=Facts(pages.times(), pages.answers()),
                     todo="total_length, TODO 1")
