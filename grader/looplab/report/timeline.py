"""A run as lanes: what each task was doing, when, and who woke it. Every format of the report is drawn from this.

A span lasts from one event of its task to the next; most spans of a running task last no virtual time at all, and are
kept all the same, since whoever steps through the events wants to see who runs.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Optional

from ..reading.trace import Event, Trace

READY, RUNNING, WAITING, BLOCKED = "ready", "running", "waiting", "blocked"
DONE, FAILED, CANCELLED, LEAKED, OPEN = "done", "failed", "cancelled", "leaked", "open"


@dataclass
class Span:
    """A stretch of one task's life. start and end in ns; first and last are indices into the trace's events: [first,
    last)."""

    state: str                  # READY, RUNNING, WAITING or BLOCKED (the loop stood still, and this task was at fault)
    start: int
    first: int
    end: int = 0
    last: int = 0
    on: str = ""                # WAITING: what for ("http", "sleep", …); BLOCKED: the call
    src: Optional[str] = None   # the line that waits or blocks
    url: str = ""               # WAITING for an answer: whose
    op: int = 0                 # … and the world's number of the operation

    @property
    def ns(self) -> int:
        return self.end - self.start


@dataclass
class Lane:
    """A task from its spawn to its end."""

    task: int
    name: str
    src: Optional[str]          # where it was spawned
    by: int                     # the task that spawned it; 0: nobody
    spans: list[Span] = field(default_factory=list)
    ending: str = OPEN          # DONE, FAILED, CANCELLED, LEAKED, or OPEN: the run ended before the task did
    rc: Optional[int] = None
    cancelled_at: Optional[int] = None      # ns of the first cancel; None: never cancelled
    cancelled_why: str = ""                 # "timeout", "group", …

    @property
    def end(self) -> int:
        return self.spans[-1].end if self.spans else 0


@dataclass(frozen=True)
class Wake:
    """One task made another one ready. by 0 is the loop: a timer, or the world."""

    index: int
    t: int
    by: int
    task: int


@dataclass
class Timeline:
    """The whole run. Times are ns from the start of the program."""

    trace: Trace
    lanes: list[Lane]                   # in the order of the spawns
    wakes: list[Wake]
    flight: list[tuple[int, int]]       # (ns, requests under way) after each change
    end: int                            # ns of the last event

    @property
    def elapsed(self) -> Optional[int]:
        """ns from the call of the student's function to its return; None: it never did."""
        return self.trace.took

    @property
    def peak(self) -> int:
        """The most requests under way at once."""
        return self.trace.peak

    @property
    def blocked(self) -> int:
        """ns that the program made the loop stand still."""
        return sum(int(block.ns) for block in self.trace.blocks())


def of(trace: Trace) -> Timeline:
    """The timeline of a trace, also of one that was cut short."""
    builder = _Builder(trace)
    for index, event in enumerate(trace.events):
        builder.take(index, event)
    return builder.finish()


class _Builder:
    """Goes through the events once."""

    def __init__(self, trace: Trace):
        self.trace = trace
        self.lanes: dict[int, Lane] = {}
        self.wakes: list[Wake] = []
        self.urls = {request.op: request.url for request in trace.requests}
        self.paths: dict[int, str] = {}

    def take(self, index: int, event: Event) -> None:
        ev, task = event.get("ev", ""), event.get("task", 0)
        if event.get("from") == "world":
            if ev == "file.start":
                self.paths[event.get("op", 0)] = f"{event.get('call', '')} {event.get('path', '')}".strip()
            return
        if ev == "spawn":
            self.lanes[task] = Lane(task, event.get("name", ""), event.get("src"), event.get("by", 0))
            self._begin(index, event, READY)
        elif ev == "ready":
            self.wakes.append(Wake(index, event["t"], event.get("by", 0), task))
            self._begin(index, event, READY)
        elif ev == "run":
            self._begin(index, event, RUNNING)
        elif ev == "await":
            op = event.get("op", 0)
            self._begin(index, event, WAITING, on=event.get("on", ""), src=event.get("src"), op=op,
                        url=self.urls.get(op, self.paths.get(op, "")))
        elif ev == "block":
            self._block(index, event)
        elif ev == "cancel" and task in self.lanes and self.lanes[task].cancelled_at is None:
            self.lanes[task].cancelled_at, self.lanes[task].cancelled_why = event["t"], event.get("why", "")
        elif ev == "done":
            self._done(index, event)
        elif ev == "leak" and event.get("what") == "task" and task in self.lanes:
            self.lanes[task].ending = LEAKED

    def _begin(self, index: int, event: Event, state: str, **more: object) -> None:
        lane = self.lanes.get(event.get("task", 0))
        if lane:
            self._close(lane, index, event["t"])
            lane.spans.append(Span(state, event["t"], index, event["t"], index, **more))    # type: ignore[arg-type]

    @staticmethod
    def _close(lane: Lane, index: int, t: int) -> None:
        if lane.spans:
            lane.spans[-1].end, lane.spans[-1].last = t, index

    def _block(self, index: int, event: Event) -> None:
        """The line is written when the loop has stood still, so the span reaches back."""
        lane, ns = self.lanes.get(event.get("task", 0)), event.get("ns", 0)
        if not lane or not lane.spans:
            return
        begin = max(event["t"] - ns, lane.spans[-1].start)
        self._close(lane, index, begin)
        lane.spans.append(Span(BLOCKED, begin, index, event["t"], index + 1, on=event.get("on", ""),
                               src=event.get("src")))
        lane.spans.append(Span(RUNNING, event["t"], index + 1, event["t"], index + 1))

    def _done(self, index: int, event: Event) -> None:
        lane = self.lanes.get(event.get("task", 0))
        if not lane:
            return
        self._close(lane, index, event["t"])
        lane.rc = event.get("rc")
        if lane.ending == OPEN:
            cancelled = lane.rc == -errno.ECANCELED and lane.cancelled_at is not None
            lane.ending = CANCELLED if cancelled else FAILED if (lane.rc or 0) < 0 else DONE

    def finish(self) -> Timeline:
        events = self.trace.events
        end = max((event.get("t", 0) for event in events), default=0)
        for lane in self.lanes.values():
            if lane.ending == OPEN:     # the run is over, the task is not
                self._close(lane, len(events), end)
        return Timeline(self.trace, list(self.lanes.values()), self.wakes, self.trace.in_flight(), end)
