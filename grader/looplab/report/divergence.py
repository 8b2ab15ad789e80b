"""Where two runs of the same mode in the same world part: the first instant at which the world saw different things.

Only the world's lines are compared, since task numbers, function names and line numbers differ between two right
programs; and within one instant their order is free, since between equal instants many orders are legal.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Iterator, Optional

from ..plain.duration import show
from ..plain.text import count
from ..reading.trace import Event, Trace

_NAMES = {"http.start": "the request for {}", "http.end": "the answer of {}", "http.cancelled": "giving up {}",
          "cpu.start": "a worker's job", "file.start": "the file call {}", "block": "the loop standing still for {}"}


@dataclass(frozen=True)
class Divergence:
    """The two runs agree before `t` (ns). The indices are those of each trace's event that begins to differ."""

    t: int
    index: int              # in the student's events
    other: int              # in the reference's events
    text: str               # one sentence


def find(trace: Trace, reference: Trace) -> Optional[Divergence]:
    """The first difference, or None when the world saw the same in both runs, and the same results were reported."""
    mine, theirs = _instants(trace), _instants(reference)
    for t in sorted(set(mine) | set(theirs)):
        one, two = mine.get(t, []), theirs.get(t, [])
        only_mine, only_theirs = _left_over(one, two), _left_over(two, one)
        if only_mine or only_theirs:
            index = only_mine[0][1] if only_mine else _index_at(trace, t)
            other = only_theirs[0][1] if only_theirs else _index_at(reference, t)
            return Divergence(t, index, other, _sentence(t, only_mine, only_theirs))
    return _results(trace, reference)


Item = tuple[tuple, int]        # (what is compared, index of the event)


def _instants(trace: Trace) -> dict[int, list[Item]]:
    """The comparable events by their time."""
    return {t: [item for _, item in group] for t, group in groupby(_items(trace), key=lambda pair: pair[0])}


def _items(trace: Trace) -> Iterator[tuple[int, Item]]:
    urls = {request.op: request.url for request in trace.requests}
    for index, event in enumerate(trace.events):
        key = _key(event, urls)
        if key:
            yield event["t"], (key, index)


def _key(event: Event, urls: dict[int, str]) -> Optional[tuple]:
    """What of an event must be the same in both runs; None for one that is free."""
    ev = event.get("ev", "")
    if event.get("from") == "runtime":
        return (ev, show(event["ns"])) if ev == "block" else None
    if ev in ("http.start", "http.end", "http.cancelled"):
        return ev, urls.get(event.get("op", 0), ""), event.get("rc", 0), event.get("status", 0)
    if ev == "cpu.start":
        return (ev, "")
    if ev == "file.start":
        return ev, f"{event.get('call', '')} {event.get('path', '')}"
    return None


def _left_over(some: list[Item], others: list[Item]) -> list[Item]:
    """Those of `some` that `others` do not have, as often as they have them."""
    there = Counter(key for key, _ in others)
    left = []
    for key, index in some:
        if there[key]:
            there[key] -= 1
        else:
            left.append((key, index))
    return left


def _index_at(trace: Trace, t: int) -> int:
    """The last event at or before t: where a run stands when it does nothing."""
    return max((index for index, event in enumerate(trace.events) if event.get("t", 0) <= t), default=0)


def _sentence(t: int, mine: list[Item], theirs: list[Item]) -> str:
    if mine and theirs:
        return f"At {show(t)} they part: here {_told(mine)}, in the reference {_told(theirs)}."
    if mine:
        return f"At {show(t)} they part: {_told(mine)}, and the reference does nothing of the kind."
    return f"At {show(t)} they part: in the reference {_told(theirs)}, and not here."


def _told(items: list[Item]) -> str:
    key, _ = items[0]
    first = f"comes {_NAMES[key[0]].format(key[1])}"
    more = len(items) - 1
    return first + (f" and {count(more, 'other event')}" if more else "")


def _results(trace: Trace, reference: Trace) -> Optional[Divergence]:
    """The world saw the same; did the program make the same of it?"""
    one, two = trace.report("result"), reference.report("result")
    if one is None or two is None or _same(one["value"], two["value"]) and one["t"] == two["t"]:
        return None
    t = min(one["t"], two["t"])
    text = (f"The world saw the same in both runs; the results differ at the end, at {show(one['t'])}."
            if one["t"] == two["t"] else
            f"The world saw the same in both runs, but this one returns at {show(one['t'])} and the reference "
            f"at {show(two['t'])}.")
    return Divergence(t, _report_index(trace), _report_index(reference), text)


def _same(one: object, two: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


def _report_index(trace: Trace) -> int:
    return max((index for index, event in enumerate(trace.events)
                if event.get("ev") == "report" and event.get("name") == "result"), default=0)
