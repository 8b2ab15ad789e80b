"""What is known of a run that was not as expected, and how to find places in its trace: what all causes are found
with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

from .trace import Request, Trace

KIT_TIMEOUT = 30_000_000_000    # ns: CO_HTTP_TIMEOUT


@dataclass(frozen=True)
class Case:
    """What is known of a run that was not as expected."""

    trace: Trace
    asked: Sequence[str] = ()           # the URLs the student's function was called with
    passes: int = 1                     # how often each of them is rightly fetched
    topic: str = ""                     # "timing", "results", "leaks", "limit", "block", "requests"; "": anything
    expected: Any = None
    happened: Any = None
    answers: Sequence[Any] = ()         # the right result for each of `asked`, in that order; () if not known
    todo: str = ""                      # where one who has written nothing yet begins: "fetch_async, TODOs 2 to 4"
    alone: Sequence[int] = ()           # ns that each of `asked` takes by itself; () if not known

    @property
    def numbers(self) -> bool:
        """Are both sides numbers?"""
        return isinstance(self.expected, (int, float)) and isinstance(self.happened, (int, float))

    @property
    def too_slow(self) -> bool:
        """Did it take longer than it should? Without numbers: that is the usual way to be wrong."""
        return not self.numbers or self.happened > self.expected

    @property
    def too_slow_by_numbers(self) -> bool:
        """Is it known to have taken too long?"""
        return self.numbers and self.happened > self.expected

    @property
    def too_quick(self) -> bool:
        return self.numbers and self.happened < self.expected

    @property
    def serial_is_right(self) -> bool:
        """Was it asked to fetch one after the other?"""
        if not isinstance(self.expected, (int, float)) or len(self.trace.requests) < 2:
            return False
        alone = self.alone or [request.ns for request in self.trace.requests]
        return self.expected >= sum(alone) > max(alone)

    @property
    def nobody_waits(self) -> bool:
        """Is nothing asked of the time, and no task there that could run meanwhile?"""
        return not self.topic and len(self.trace.tasks) < 2


def waits_of(trace: Trace, request: Request) -> Optional[str]:
    """Where the program waited for a request's answer: the await line, or the block line of a blocking call."""
    for event in trace.of("await", "runtime"):
        if event.get("on") in ("http", "stream") and event.get("op") == request.op:
            return event.get("src")
    for event in trace.events:
        if request.blocking and event.get("ev") == "block" and event.get("on") == "http" \
                and event.get("task") == request.task and event["t"] == request.end:
            return event.get("src")
    return None


def last_await(trace: Trace, task: int, request: Optional[Request], kinds: Sequence[str],
                until: Optional[int] = None) -> Optional[str]:
    """The place where `task` last waited (for one of `kinds`; (): for anything) before a request was made, or up to a
    time."""
    place = None
    for event in trace.events:
        if request and event.get("ev") == "http.start" and event.get("op") == request.op or until is not None \
                and event["t"] > until:
            return place
        if event.get("ev") == "await" and event.get("task") == task and (not kinds or event.get("on") in kinds):
            place = event.get("src")
    return place


def made_in_all(trace: Trace, url: str) -> int:
    """How many requests the run made for a URL."""
    return sum(request.url == url for request in trace.requests)


def so_often(n: int) -> str:
    """"once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def of_student(src: Optional[str]) -> bool:
    """Is this a place, and none of the kit's own?"""
    return bool(src) and not str(src).startswith(("main.c:", "calls.c:"))
