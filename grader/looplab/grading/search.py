"""The search: situations drawn by chance, each played and held against the contract; of those that break a requirement
the smallest is told. So many situations make a search, never so many seconds: the same file and seed, the same verdict.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Iterator, Optional, Sequence

from ..asking import shrink
from ..asking.check import Check
from ..asking.choices import Choices
from ..asking.contract import Contract, Situation
from ..plain.failure import Cause, CheckFailed
from .plays import Outcome, Play, Plays, Stage
from .recorded import Recorded

DEEPER = 20                 # DEEP=1: so many times as many situations
BOTH_EACH = 8               # of each kind so few are played in the build with sanitizers, too; and the largest of all
BOTH_USUAL = 14             # what is not longer than that is as good there as what is longer
AHEAD = 2                   # so many are under way while one is looked at
TRIES_ALL, TRIES_EACH = 400, 100        # to make those that fail smaller: in all, and for one requirement
PROVEN_EACH = 3             # in so many situations a requirement must be seen to be kept by a judge
STOPPED_MOST = 4            # so many may be stopped at a limit; then no mode is played of which one was


@dataclass
class Found:
    """A situation that breaks a requirement, the smallest up to now."""

    choices: Choices
    situation: Situation
    stopped: bool
    about: Optional[object] = None          # the statement of the contract; None: the run did not come to its end


@dataclass
class Told:
    """What the search has to say of one requirement."""

    kept: int = 0                           # so many situations have shown that it is kept
    found: Optional[Found] = None           # one that breaks it
    failed: Optional[CheckFailed] = None    # the same, in words
    recorded: Optional[Recorded] = None


def in_both(plan: Sequence[tuple[Sequence[int], tuple[int, int]]]) -> set[int]:
    """Which of a plan's situations are played in both builds: of each kind (a plan's first number, if it has one) one
    in BOTH_EACH, long ones rather than short ones, but not the longest; and the longest of all, and the first kind's of
    at most one thing."""
    kinds: dict[tuple[int, ...], list[tuple[bool, int, int]]] = {}
    for k, (first, (least, most)) in enumerate(plan):
        kinds.setdefault(tuple(first[:1]), []).append((most <= BOTH_USUAL, least, k))
    longest = max(range(len(plan)), key=lambda k: plan[k][1])
    tiny = {k for k, (first, (_, most)) in enumerate(plan) if most < 2 and first[:1] == plan[0][0][:1]}
    return {longest} | tiny | {k for found in kinds.values()
                        for *_, k in sorted(found, reverse=True)[:max(1, len(found) // BOTH_EACH)]}


class Search:
    """One search: drawn when it is made, played when it is run."""

    def __init__(self, contract: Contract, seed: int, deep: bool = False):
        self.contract, self._seed, self._deep = contract, seed, deep
        self.told = {one.number: Told() for one in contract.requirements}
        self.ran = False
        self.stopped = 0                        # runs that were stopped at a limit
        self.played = 0                         # situations
        self.proven = 0                         # and so many of them before a judge
        self._settled: set[int] = set()         # what is known to cost nothing when smaller situations are looked for
        self._stopped: set[tuple[str, int]] = set()     # the modes of those, and what is to blame in them
        self._drawn = [self._draw(k) for k in range(contract.cases)]

    def run(self, stage: Stage, check: Check, wary: bool = False) -> None:
        """Searches, makes what it finds smaller, and puts it into words. stage: makes the runs; check: in whose
        name; wary: the program was stopped at a limit before."""
        self.ran = True
        self._stage, self._plays = stage, Plays(stage, self.contract, check)
        played = []
        for play, choices in self._played(wary):
            self.played += 1
            played.append((choices, play.situation, play.outcome()))
            self._take(*played[-1])
        if stage.judged:
            self._prove(played)
        for one in self.contract.requirements:
            found = self.told[one.number].found
            if found and self.contract.statement(one.number, found.about, found.situation) is one \
                    and any(self.told[number].found for number in one.unless):
                self.told[one.number].found = None
        self._settled = {number for number, told in self.told.items() if not told.found}
        tries = TRIES_ALL
        for number in sorted(self.told):
            if self.told[number].found:
                tries -= self._shrink(number, min(tries, TRIES_EACH))
        for number, told in sorted(self.told.items()):
            if told.found:
                self._tell(number, told)

    # ---- drawing and playing ----

    def _draw(self, k: int) -> tuple[Situation, Choices]:
        first, usual = self.contract.plan[k % len(self.contract.plan)]
        choices = Choices(first, random.Random(f"{self._seed}/search/{k}"), usual)
        return self.contract.draw(choices), choices

    def _all(self) -> Iterator[tuple[Situation, Choices]]:
        yield from self._drawn
        if self._deep:
            yield from (self._draw(k) for k in range(self.contract.cases, self.contract.cases * DEEPER))

    def _played(self, wary: bool) -> Iterator[tuple[Play, Choices]]:
        """Each that was drawn, under way while those before it are looked at."""
        ahead: list[tuple[Play, Choices]] = []
        both = in_both(self.contract.plan)
        for k, (situation, choices) in enumerate(self._all()):
            if self._ends_never(situation):
                continue
            if self._stage.worn:
                break
            ahead.append((self._plays.begin(situation, both=k % len(self.contract.plan) in both), choices))
            if len(ahead) > (0 if wary or self.stopped else AHEAD):
                yield ahead.pop(0)
        yield from ahead

    def _ends_never(self, situation: Situation) -> bool:
        """Was one like it stopped at a limit? That takes as long as a thousand others."""
        if self.stopped >= STOPPED_MOST:
            return situation.mode in {mode for mode, _ in self._stopped}
        return (situation.mode, self.contract.blame(situation)) in self._stopped

    def _take(self, choices: Choices, situation: Situation, outcome: Outcome) -> None:
        """Takes down what became of a situation."""
        if outcome.stopped:
            self.stopped += 1
            self._stopped.add((situation.mode, self.contract.blame(situation)))
        for number, failed in outcome.judged.items():
            told = self.told.setdefault(number, Told())
            if failed is None:
                told.kept += 1
            elif number in self._settled:
                continue
            elif told.found is None or shrink.smaller(choices, told.found.choices):
                told.found = Found(choices, situation, outcome.stopped is not None, failed.about)

    # ---- before a judge ----

    def _prove(self, played: Sequence[tuple[Choices, Situation, Outcome]]) -> None:
        """A run that a program has made with a world of its own earns nothing. So situations in which it kept a
        requirement, chosen by chance, are played once more before a judge: what is kept there counts."""
        for told in self.told.values():
            told.kept = 0
        for choices, situation, outcome in random.Random(f"{self._seed}/proof").sample(played, len(played)):
            wanted = any(failed is None and self.told[number].kept < PROVEN_EACH
                         for number, failed in outcome.judged.items())
            if wanted and not self._stage.worn:
                self._take(choices, situation, self._plays.proof(situation))
                self.proven += 1

    # ---- the smallest ----

    def _shrink(self, number: int, tries: int) -> int:
        """Makes the situation that breaks a requirement smaller; returns how many tries that took."""
        made = 0

        def shows(numbers: Sequence[int]) -> Optional[Choices]:
            nonlocal made
            made += shrink.cost(numbers)
            choices = Choices(numbers)
            situation = self.contract.draw(choices)
            if self._stage.worn or self._ends_never(situation):
                return None
            outcome = self._plays.play(situation)
            self._take(choices, situation, outcome)
            return choices if outcome.breaks(number) else None

        found = self.told[number].found
        assert found
        if not found.stopped:
            shrink.shrink(found.choices, shows, tries)
        return made

    def _tell(self, number: int, told: Told) -> None:
        assert told.found
        failed, told.recorded = self._plays.shown(told.found.situation, number, f"requirement-{number}")
        situation, cause = told.found.situation, failed.failure.cause
        if self._plays.idle and situation.todo and "TODO" not in failed.failure.text():
            cause = Cause("nothing", f"nothing was ever asked for: begin with {situation.todo}")
        if cause and situation.several and failed.about is None:
            cause = replace(cause, text=f"{cause.text}. There were two calls: does something static or global belong "
                                        "to one of them?")
        sentence = self.contract.statement(number, failed.about, situation).sentence
        failure = replace(failed.failure, rule=f"{number}. {sentence}", where=situation.said, cause=cause)
        told.failed = CheckFailed(failure, told.recorded.replay, failed.virtual_ns)
