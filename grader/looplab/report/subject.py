"""What a report is about: a run, the reference's run beside it, and the one sentence that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ..plain.duration import show
from ..plain.text import count
from ..reading import diagnosis
from ..reading.case import Case
from . import divergence as parting, part
from . import timeline as shape
from .divergence import Divergence
from .part import Part
from .timeline import LEAKED, Timeline


_TOO_FEW = {"held", "sequential"}
"""Causes that say that too few requests were under way at once."""


@dataclass(frozen=True)
class Figure:
    """A row of the key figures, as text. ratio: "2.0×", or "" where none makes sense."""

    name: str
    mine: str
    reference: str = ""
    ratio: str = ""


@dataclass
class Subject:
    """All that any format shows."""

    lab: str                            # "02-url-fetcher"
    title: str                          # the check's title, or "mode all in default.json"
    mine: Timeline
    reference: Optional[Timeline] = None
    diagnosis: str = ""                 # one sentence; filled in from the trace if it is left empty
    src: Optional[str] = None           # the line that it points at: "fetcher.c:31"
    expected: str = ""
    happened: str = ""
    source_name: str = ""               # the student's file …
    source: str = ""                    # … and its text
    replay: str = ""
    divergence: Optional[Divergence] = field(default=None, init=False)
    part: Optional[Part] = field(default=None, init=False)      # the stretch around the divergence

    def __post_init__(self) -> None:
        if self.reference:
            self.divergence = parting.find(self.mine.trace, self.reference.trace)
            self.part = part.find(self.mine, self.reference, self.divergence.t) if self.divergence else None
        if not self.diagnosis:
            self.diagnosis, self.src = self._diagnose()

    def _diagnose(self) -> tuple[str, Optional[str]]:
        """What the trace tells by itself, else where the runs part, else that all is well."""
        for topic, values in self._topics():
            cause = diagnosis.find(Case(self.mine.trace, self._asked(), topic=topic, expected=values[0],
                                                  happened=values[1]))
            if cause and not (cause.kind in _TOO_FEW and not self._too_few):
                return cause.text, cause.src
        if self.divergence:
            return self.divergence.text, self._src_at(self.divergence.index)
        if self.mine.elapsed is None and self.mine.trace.report("start"):
            return "The run ended before the function returned.", None
        return "The run does what the reference does." if self.reference else "Nothing in this run looks wrong.", None

    def _topics(self) -> list[tuple[str, tuple[Optional[int], Optional[int]]]]:
        """What to ask the trace for, in order, each with the value that the reference has and this run's own."""
        mine, other = self.mine, self.reference
        topics: list[tuple[str, tuple[Optional[int], Optional[int]]]] = [("leaks", (None, None))] if mine.trace.leaks \
            else []
        if other and mine.peak > other.peak:
            topics.append(("limit", (other.peak, mine.peak)))
        if other and mine.elapsed is not None and other.elapsed is not None and mine.elapsed != other.elapsed:
            topics.append(("timing", (other.elapsed, mine.elapsed)))
        return topics + ([("", (None, None))] if self.divergence else [])

    @property
    def _too_few(self) -> bool:
        """Were there ever fewer requests under way than in the reference's busiest moment?"""
        return self.reference is None or self.mine.peak < self.reference.peak

    def _asked(self) -> list[str]:
        """The URLs of the run: the reference asks for what is to be asked for."""
        source = self.reference.trace if self.reference else self.mine.trace
        return [request.url for request in source.requests]

    def _src_at(self, index: int) -> Optional[str]:
        """The nearest line of the student's file at or before an event."""
        for event in reversed(self.mine.trace.events[:index + 1]):
            src = event.get("src") or ""
            if self.source_name and src.startswith(self.source_name + ":"):
                return src
        return None

    def figures(self) -> list[Figure]:
        """The key figures against the reference."""
        mine, other = self.mine, self.reference
        rows = [_time("virtual time", mine.elapsed, other.elapsed if other else None, other is not None),
                _number("requests", len(mine.trace.requests), len(other.trace.requests) if other else None),
                _number("most in flight", mine.peak, other.peak if other else None),
                _number("connections opened", mine.trace.opened, other.trace.opened if other else None),
                _number("tasks", len(mine.lanes), len(other.lanes) if other else None),
                _time("loop blocked", mine.blocked, other.blocked if other else None, other is not None),
                Figure("left behind", _left(mine), _left(other) if other else "")]
        return rows


def _time(name: str, mine: Optional[int], other: Optional[int], compared: bool) -> Figure:
    def told(ns: Optional[int]) -> str:
        return "never returned" if ns is None else show(ns)

    ratio = f"{mine / other:.2f}×" if mine is not None and other else ""
    return Figure(name, told(mine), told(other) if compared else "", ratio)


def _number(name: str, mine: int, other: Optional[int]) -> Figure:
    return Figure(name, f"{mine:,}", "" if other is None else f"{other:,}", f"{mine / other:.2f}×" if other
                  and mine != other else "")


def _left(timeline: Timeline) -> str:
    """Tasks never awaited, answers never freed, …"""
    tasks = sum(1 for lane in timeline.lanes if lane.ending == LEAKED)
    others = sum(1 for leak in timeline.trace.leaks if leak.what != "task")
    open_ = sum(1 for lane in timeline.lanes if lane.ending == shape.OPEN)
    parts = [count(n, what) for n, what in ((tasks, "task"), (others, "other thing"), (open_, "unfinished task")) if n]
    return ", ".join(parts) or "nothing"
