"""The situations of lab 01: pages of every kind on sites of every kind, and every way to call the three functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from looplab import Duration, World
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import Pages, apart, called, instant, time

ASYNC, SYNC, CANCELLED, COMPARE, AGAIN, BESIDE, COMPUTING, STOPPED, EXPLAIN = SHAPES = range(9)
ONE, NONE, TWO, FEW, SOME = (1, 1), (0, 0), (2, 2), (3, 4), (5, 12)
MANY, HUNDREDS, MOST = (13, 60), (61, 150), (301, 500)
PLAN = [((shape,), size) for size in (ONE, TWO, NONE, FEW, TWO, SOME) for shape in SHAPES[:-1]] + [
    ((shape,), size) for shape, size in (
        (ASYNC, FEW), (SYNC, SOME), (CANCELLED, FEW), (COMPARE, TWO), (CANCELLED, SOME), (BESIDE, MANY), (STOPPED, FEW),
        (CANCELLED, MANY), (COMPARE, MANY), (ASYNC, HUNDREDS), (SYNC, HUNDREDS), (ASYNC, MOST), (SYNC, MOST))] + [
    ((EXPLAIN, n, kind), NONE) for n, kind in ((0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 0), (6, 2), (7, 1), (1, 3))]
CASES = len(PLAN) + 15
MODES = {SYNC: "sync", COMPARE: "compare", COMPUTING: "compare", STOPPED: "compare", EXPLAIN: "explain"}
NAMES = {"async": "fetch_async", "sync": "fetch_sync", "compare": "compare"}
TODOS = {"async": "fetch_async, TODOs 2 to 4", "sync": "fetch_sync, TODO 1", "compare": "compare, TODO 5",
         "explain": "explain, TODO 6"}
KINDS = ["good"] * 12 + ["empty", "binary", "status", "status", "twin", "twin", "reset", "truncated", "refused",
                         "unresolved", "hangs", "late", "large"]


@dataclass(frozen=True)
class Facts:
    """What the contract goes by."""

    urls: list[str]
    times: list[Duration]                   # of each fetch by itself
    answers: list[dict]
    cancel: Optional[int] = None            # ns after the call's beginning; None: never
    beside: Optional[int] = None            # a second call at the same time begins so much later
    split: int = 0                          # the first call has so many of the URLs
    calls: int = 1
    report: dict = field(default_factory=dict)      # what explain is asked

    @property
    def whole(self) -> Duration:
        """How long one after the other takes."""
        return Duration(sum(self.times))

    @property
    def longest(self) -> Duration:
        return Duration(max(self.times, default=0))


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    shape = c.below(len(SHAPES))
    if shape == EXPLAIN:
        return _explain(c)
    pages = Pages(c, apart(KINDS) if shape == BESIDE else KINDS, computing=shape == COMPUTING)
    mode = MODES.get(shape, "async")
    if shape == AGAIN:
        mode = c.one_of(("async", "sync", "compare"))
    times, answers = pages.times(), pages.answers()
    more: dict[str, Any] = {}
    if shape in (CANCELLED, STOPPED):
        more["cancel"] = _cancel(c, times, sum(times) if shape == STOPPED else 0)
    if shape == BESIDE:
        more["beside"] = instant(c, times)
        more["split"] = c.below(len(pages.urls) + 1)
        more["cancel"] = _cancel(c, times[:more["split"]], 0) if c.one_in(3) else None
    more["calls"] = 2 if shape in (AGAIN, BESIDE) else 1
    facts = Facts(pages.urls, times, answers, **more)
    settings: dict[str, Any] = {"delay": time(c)} if c.one_in(2) else {}
    settings.update({"poison": 90} if c.one_in(2) else {})
    settings.update({"alike": 1} if "twin" in pages.kinds and c.one_in(2) else {})
    settings.update({"again": 1} if shape == AGAIN else {})
    for name in ("cancel", "beside", "split"):
        if more.get(name) is not None:
            settings[name] = more[name] if name == "split" else Duration(more[name])
    said = called(pages.words(), settings, len(pages.urls), NAMES[mode])
    return Situation(mode, pages.world, said, pages.urls, settings, passes=2 if mode == "compare" else 1, facts=facts,
                     todo=TODOS[mode])


def _cancel(c: Choices, times: list[Duration], before: int) -> int:
    """before: how long the half takes that cannot be cancelled."""
    if before and c.one_in(3):
        return before // 2
    return before + instant(c, times)


def _explain(c: Choices) -> Situation:
    n = c.one_of((5, 2, 1, 0, 3, 500, 2**31, 2**63 - 1))
    kind = c.one_of(("limit", "below", "above", "any", "any", "huge", "none"))
    speedup = {"limit": 1_500_000_000, "below": 1_499_999_999, "above": 1_500_000_001, "huge": 10**18,
               "none": 1_000_000_000}.get(kind) or c.between(1, 4 * 10**9)
    report = {"n": n, "speedup": speedup, "of": 10**9}
    times = {"sync": time(c, 60_000), "async": time(c, 60_000)}
    return Situation("explain", World(seed=1), f"a report with n = {n} and speed-up {speedup / 10**9:.10g}", [],
                     {**report, **times}, facts=Facts([], [], [], report=report), todo=TODOS["explain"])
