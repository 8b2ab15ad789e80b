"""What stands before a lane: the task's number and name, and where several have one name, what tells them apart."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Sequence

from ..plain.text import cut
from . import timeline as shape
from .timeline import Lane


@dataclass(frozen=True)
class Tell:
    """What a lane has that others of its name do not: in full, and without what is common to them all."""

    full: str = ""      # "http://a.test/3", with " …" if it is the first of several; or "line 54", its spawn
    short: str = ""     # "…/3"


def of(lanes: Sequence[Lane], most: int, names: Sequence[str] = ()) -> dict[int, str]:
    """Each task's label, of at most `most` characters. names: what tells task 2, 3, … apart, where that is known."""
    tells = find(lanes)
    tells.update((task, Tell(name, name)) for task, name in enumerate(names, 2))
    return {lane.task: _label(lane, tells.get(lane.task, Tell()), most) for lane in lanes}


def find(lanes: Sequence[Lane]) -> dict[int, Tell]:
    """Of each task whose name others have too, what tells it apart; no entry where the trace knows nothing."""
    named = defaultdict(list)
    for lane in lanes:
        named[lane.name].append(lane)
    return {task: tell for group in named.values() if len(group) > 1 for task, tell in _of_group(group).items()}


def _of_group(group: list[Lane]) -> dict[int, Tell]:
    asked = {lane.task: _asked(lane) for lane in group}
    firsts = {task: things[0] for task, things in asked.items() if things}
    if len(set(firsts.values())) > 1:
        common = _common(list(set(firsts.values())))
        return {task: Tell(first + (" …" if len(asked[task]) > 1 else ""), _short(first, common))
                for task, first in firsts.items()}
    places = {lane.task: (lane.src or "").rpartition(":")[2] for lane in group}
    if len(set(places.values())) > 1:
        return {task: Tell(f"line {line}", f"line {line}") for task, line in places.items() if line}
    return {}


def _asked(lane: Lane) -> list[str]:
    """The URLs and files that it waited for, each once, in order."""
    return list(dict.fromkeys(span.url for span in lane.spans if span.state == shape.WAITING and span.url))


def _common(texts: list[str]) -> str:
    """What they all begin with, up to a "/" or a blank."""
    shared = os.path.commonprefix(texts)
    return shared[:max(shared.rfind("/"), shared.rfind(" ")) + 1]


def _short(text: str, common: str) -> str:
    rest = text[len(common):]
    return rest if common.endswith(("//", " ")) or not common else f"…/{rest}"


def _label(lane: Lane, tell: Tell, most: int) -> str:
    """The longest label of at most `most` characters: number, name, and what tells it apart. Cut where none fits."""
    if not tell.full:
        return cut(f"{lane.task} {lane.name}", most)
    for words in (f"{lane.name} {tell.full}", f"{lane.name} {tell.short}", tell.short):
        if len(f"{lane.task} {words}") <= most:
            return f"{lane.task} {words}"
    return f"{lane.task} …{tell.short[len(f'{lane.task} …') - most:]}"
