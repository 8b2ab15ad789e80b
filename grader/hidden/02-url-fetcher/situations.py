"""The situations of lab 02: pages of every kind on sites of every kind, what is no URL, limits on connections, and
every way to call the two functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from looplab import Duration, sec
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import Pages, apart, called, instant, plain_url, time

ALL, LIMIT, EACH, CANCELLED, EACH_CANCELLED, QUIET, AGAIN, BESIDE, STOPPED, WIDE = SHAPES = range(10)
ONE, NONE, TWO, FEW, SOME = (1, 1), (0, 0), (2, 2), (3, 4), (5, 12)
MANY, HUNDREDS, MOST = (13, 40), (100, 150), (1000, 1000)
LIMITS = (1, 2, 3, 4, 5, 257, 65_537, 2**32 - 1)       # the last ones do not fit into a byte, two, an int
PLAN = [((shape,), size) for size in (ONE, TWO, FEW, SOME, FEW) for shape in SHAPES
        if shape != WIDE] + [
    ((LIMIT, k), SOME) for k in range(len(LIMITS))] + [
    ((shape,), size) for shape, size in (
        (ALL, NONE), (QUIET, NONE), (LIMIT, NONE), (LIMIT, FEW), (CANCELLED, SOME), (STOPPED, SOME),
        (CANCELLED, FEW), (BESIDE, SOME), (BESIDE, SOME), (LIMIT, MANY), (WIDE, HUNDREDS), (ALL, HUNDREDS),
        (ALL, MOST))]
CASES = len(PLAN) + 9
MODES = {EACH: "one", EACH_CANCELLED: "one", QUIET: "quiet"}
TODOS = {"one": "fetch_url, TODO 1", "all": "fetch_all, TODOs 2 to 4", "quiet": "fetch_all, TODOs 2 to 4"}
KINDS = ["good"] * 12 + ["empty", "binary", "status", "status", "twin", "twin", "reset", "truncated", "refused",
                         "unresolved", "redirect", "redirect", "invalid", "https", "capitals", "large"]
PATIENT = KINDS + ["hangs", "late", "slow"]


@dataclass(frozen=True)
class Facts:
    """What the contract goes by."""

    urls: list[str]
    times: list[Duration]                   # of each fetch by itself, over a new connection
    answers: list[dict]
    kinds: list[str]
    per_host: int = 0
    simple: bool = True                     # all begin at once, and each takes its own time
    cancel: Optional[int] = None            # ns after the call's beginning; None: never
    beside: Optional[int] = None            # a second call at the same time begins so much later
    split: int = 0                          # the first call has so many of the URLs
    calls: int = 1
    stop_at: int = 0                        # progress cancels the call when it is told of so many


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    shape = c.below(len(SHAPES))
    per_host = c.one_of(LIMITS) if shape == LIMIT else 0
    limited = shape in (LIMIT, WIDE) or shape not in (ALL, EACH, EACH_CANCELLED) and c.one_in(2)
    kinds = ["good"] if shape == WIDE else KINDS if limited else PATIENT
    pages = Pages(c, apart(kinds) if shape == BESIDE else kinds, most=1000,
                  quick=shape == WIDE or limited and c.one_in(3), sites=1 if shape == WIDE else 3)
    times, urls, mode = pages.times(), pages.urls, MODES.get(shape, "all")
    if not limited or sum(times) >= sec(25):        # no URL is to wait for 30 s
        per_host = 0
    elif shape != LIMIT:                            # a wide one has nearly a place for each of its URLs
        per_host = max(1, len(urls) - c.between(1, 9)) if shape == WIDE else c.one_of(LIMITS)
    more: dict[str, Any] = {"per_host": per_host, "calls": 2 if shape in (AGAIN, BESIDE) else 1}
    more["simple"] = not per_host and mode != "one" and "redirect" not in pages.kinds
    ends = [sum(times[:k + 1]) for k in range(len(times))] if mode == "one" else list(times)
    if shape in (CANCELLED, EACH_CANCELLED):
        more["cancel"] = instant(c, ends)
    if shape == STOPPED:
        more["stop_at"] = c.between(1, max(1, len(urls)))
    if shape == BESIDE:
        more["split"] = c.below(len(urls) + 1) if c.one_in(4) else len(urls) // 2
        more["beside"] = instant(c, ends)
        if c.one_in(2):             # the first is cancelled, mostly while both are under way
            more["cancel"] = instant(c, ends[:more["split"]])
            more["beside"] = min(more["beside"], more["cancel"] // 2)
    settings: dict[str, Any] = {"per_host": per_host}
    settings.update({"delay": time(c)} if c.one_in(2) else {})
    settings.update({"poison": 90} if c.one_in(2) else {})
    settings.update({"alike": 1} if "twin" in pages.kinds and c.one_in(2) else {})
    settings.update({"again": 1} if shape == AGAIN else {})
    settings.update({name: Duration(more[name]) for name in ("cancel", "beside") if more.get(name) is not None})
    settings.update({name: more[name] for name in ("split", "stop_at") if name in more})
    said = called(pages.words(), settings, len(urls), "fetch_url on each of them" if mode == "one" else "fetch_all",
                  _after(mode, per_host, more))
    return Situation(mode, pages.world, said, urls, settings, todo=TODOS[mode],
                     facts=Facts(urls, times, pages.answers(), pages.kinds, **more))


def _after(mode: str, per_host: int, more: dict) -> str:
    """What else is to be said of the call."""
    said = f"per_host {per_host}" if mode != "one" else "over one session"
    if mode == "quiet":
        said += ", on_progress NULL"
    if more.get("stop_at"):
        said += f", cancelled by on_progress in call {more['stop_at']}"
    return said


def asked_for(facts: Facts, begin: int, end: int) -> list[str]:
    """The URLs that a request is made for, as the world knows them."""
    return [plain_url(url) for url, kind, answer in zip(facts.urls[begin:end], facts.kinds[begin:end],
                                                        facts.answers[begin:end]) if answer["error"] != -22]
