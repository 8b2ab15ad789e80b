"""What a lab's contract asks for, requirement by requirement, in any situation that its handout allows; and such
situations, drawn by chance.

    contract = Contract(draw=situation, plan=PLAN, blame=blame)

    @contract.requirement(10, "It takes exactly as long as the *longest* of them.", after=(6, 11))
    def longest(case, run):
        if case.mode != "async":
            return False                                # it says nothing of this situation
        run.should_take(max(case.facts.times))          # raises CheckFailed
        return True

A lab's `grader/hidden/NN-slug/contract.py` defines `contract`; the search (grading/search.py) does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, TypeVar

from ..plain.failure import CheckFailed, Failure
from .call import Settings
from .choices import Choices
from .world import World


@dataclass(frozen=True)
class Situation:
    """A world, and how the lab's function is called in it."""

    mode: str
    world: World
    said: str                           # in words: "one URL, 100 ms; cancelled after 40 ms"
    urls: Optional[Sequence[str]] = None        # None: the world's
    settings: Settings = field(default_factory=dict)
    passes: int = 1                     # how often each URL is rightly fetched
    facts: Any = None                   # what the requirements go by
    todo: str = ""                      # where one who has written nothing yet begins

    @property
    def several(self) -> bool:
        """Is the function called twice?"""
        return "again" in self.settings or "beside" in self.settings


def pieces(facts: Any, n: int) -> list[tuple[int, int, int]]:
    """The calls of a situation with n elements: (number, first element, the one behind its last). Two that share the
    elements (facts.beside: the second one begins so much later; facts.split), or the same one twice (facts.calls), or
    one: its number is 0, where it is all that the run does, 1 where somebody cancels it (facts.cancel)."""
    if facts.beside is not None:
        return [(1, 0, facts.split), (2, facts.split, n)]
    if facts.calls > 1:
        return [(1, 0, n), (2, 0, n)]
    return [(1 if facts.cancel is not None else 0, 0, n)]


Made = TypeVar("Made")


def once_a_run(make: Callable[[Situation, Any], Iterable[Made]]) -> Callable[[Situation, Any], list[Made]]:
    """What `make` gives, made once for the run that is being judged, as each requirement asks for it."""
    kept: list = [None, []]

    @wraps(make)
    def ask(case: Situation, run: Any) -> list[Made]:
        if kept[0] is not run:
            kept[:] = [run, list(make(case, run))]
        return kept[1]
    return ask


Holds = Callable[[Situation, Any], bool]
"""(situation, run) -> was there anything to hold? Raises CheckFailed where it does not hold."""


@dataclass(frozen=True)
class Requirement:
    """One statement on runs, and the requirement of the handout that it belongs to."""

    number: int
    sentence: str                       # the handout's
    after: tuple[int, ...]              # where one of these is broken, it says nothing
    holds: Holds
    unless: tuple[int, ...] = ()        # one of these that is broken anywhere may be all that is wrong with this one
    several: bool = False               # does it speak of several calls?


class Contract:
    """draw: makes a situation of choices. plan: of one situation after the other, over and over, so that each kind has
    its turn: its first numbers, and how long the list is that is drawn with sized=True.
    blame(situation): the requirement that is broken where a run does not come to its
    end. cases: so many situations make a grading. elsewhere: the requirements that no run shows by itself, and the
    check that holds each. reason: what is told of a run that did not come to its end, in this lab's words."""

    def __init__(self, draw: Callable[[Choices], Situation], plan: Sequence[tuple[Sequence[int], tuple[int, int]]],
                 blame: Callable[[Situation], int], cases: int, elsewhere: Mapping[int, str],
                 reason: Callable[[Situation, Failure], Failure] = lambda situation, failure: failure):
        self.draw, self.plan, self.blame, self.cases, self.elsewhere = draw, plan, blame, cases, elsewhere
        self.reason = reason
        self.requirements: list[Requirement] = []

    def requirement(self, number: int, sentence: str, after: Sequence[int] = (), unless: Sequence[int] = (),
                    several: bool = False) -> Callable[[Holds], Holds]:
        """Marks a function as a statement of requirement `number`. They are asked in the order in which they stand:
        causes before what they lead to. after: where one of these is broken in the same run, this one is not asked.
        unless: where one of these is broken in any run, this one costs nothing, as the same mistake may show in it.
        several: it speaks of several calls: it is told of a run with such that did not come to its end."""
        def mark(holds: Holds) -> Holds:
            self.requirements.append(Requirement(number, sentence, tuple(after), holds, tuple(unless), several))
            return holds
        return mark

    def statement(self, number: int, about: Optional[object], situation: Situation) -> Requirement:
        """The statement of a requirement that a run breaks: `about`; where the run did not come to its end (None), one
        that speaks of several calls, if there were several."""
        mine = [one for one in self.requirements if one.number == number and about in (None, one)]
        return next((one for one in mine if one.several == situation.several), mine[0])

    def judge(self, situation: Situation, run: Any) -> dict[int, Optional[CheckFailed]]:
        """The requirements that this run has something to say of: None: it keeps them; else how it breaks them."""
        judged: dict[int, Optional[CheckFailed]] = {}
        broken: set[int] = set()
        for one in self.requirements:
            if one.number in broken or broken & set(one.after):
                continue
            try:
                if one.holds(situation, run):
                    judged[one.number] = None
            except CheckFailed as failed:
                failed.about = one
                judged[one.number] = failed
                broken.add(one.number)
        return judged
