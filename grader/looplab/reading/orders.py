"""Other legal orders of a run: where several tasks are ready at once, the choice tape (sim/explore/tape.h) lets another
one go first.

The plain run's trace tells which questions the loop would have asked. From them `tapes` makes a few tapes, those with
the fewest deviations first, so that the first one that fails is also the one that is easiest to understand.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Callable, Iterator, Optional, Sequence

from ..asking.world import World
from .trace import Trace

DEVIATIONS_MOST = 24        # of one tape: longer ones find no more, and nobody can read them
READY = "ready"


@dataclass(frozen=True)
class Question:
    """What the loop asked. Its number is its place in the list, from 1."""

    label: str
    options: int


def questions(trace: Trace) -> list[Question]:
    """What a tape would have been asked in this run (of a world that leaves no latency and no fault to chance), in
    order.

    "ready": which of the tasks that may run goes first. "cancel": does a cancel land at the wait at hand.
    """
    asked: list[Question] = []
    ready, waiting = 0, set[int]()
    for event in trace.events:
        if event.get("from") != "runtime":
            continue
        ev = event.get("ev")
        if ev == "silence":             # from here on nobody knows
            break
        if ev == "ready":
            ready += 1
            waiting.discard(event["task"])
        elif ev == "run":
            if ready > 1:
                asked.append(Question(READY, ready))
            ready -= 1
        elif ev == "await":
            waiting.add(event["task"])
        elif ev == "cancel" and event.get("why") == "call" and event["task"] in waiting:
            asked.append(Question("cancel", 2))
    return asked


def left_to_chance(world: World) -> Optional[str]:
    """A route whose latency or fault a tape would also be asked about; None: there is none."""
    for site in world.json()["sites"]:
        for route in [site, *site.get("routes", [])]:
            if isinstance(route.get("latency"), list) or "probability" in route.get("fault", {}):
                return site["url"] + route.get("path", "")
    return None


def tapes(asked: Sequence[Question], count: int, rng: random.Random) -> list[str]:
    """At most `count` tapes other than the empty one, all different: single deviations, spread over the run, then the
    last ready task first wherever there is a choice, then random ones."""
    places = [number for number, question in enumerate(asked, start=1) if question.label == READY]
    if not places:
        return []
    made = list(dict.fromkeys(_tape(deviations) for deviations in _deviations(asked, places, count, rng)))
    return sorted(made[:count], key=lambda tape: tape.count("="))


def _deviations(asked: Sequence[Question], places: list[int], count: int,
                rng: random.Random) -> Iterator[dict[int, int]]:
    """Twice as many as are asked for, as some will be alike."""
    singles = (count + 1) // 2
    for k in range(singles):            # one in each piece of the run
        begin, end = k * len(places) // singles, (k + 1) * len(places) // singles
        place = places[rng.randrange(begin, max(end, begin + 1))]
        yield {place: rng.randint(1, asked[place - 1].options - 1)}
    yield {place: asked[place - 1].options - 1 for place in places[:DEVIATIONS_MOST]}
    for _ in range(2 * count):
        some = sorted(rng.sample(places, min(len(places), rng.randint(2, DEVIATIONS_MOST))))
        yield {place: rng.randint(1, asked[place - 1].options - 1) for place in some}


def _tape(deviations: dict[int, int]) -> str:
    """The text of a tape: "17=2,31=1"."""
    return ",".join(f"{place}={option}" for place, option in sorted(deviations.items()))


def shrink(tape: str, fails: Callable[[str], bool], tries: int = 12) -> str:
    """The shortest tape found, in so many tries, that still fails: without one half, then without single deviations."""
    kept = tape.split(",")
    size = (len(kept) + 1) // 2
    while size and len(kept) > 1 and tries > 0:
        begin = 0
        while begin < len(kept) and len(kept) > 1 and tries > 0:
            fewer = kept[:begin] + kept[begin + size:]
            tries -= 1
            if fewer and fails(",".join(fewer)):
                kept = fewer
            else:
                begin += size
        size = size // 2
    return ",".join(kept)
