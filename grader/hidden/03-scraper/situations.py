"""The situations of lab 03: pages of every kind on sites of every kind, titles of every kind in them, timeouts from
1 ms to 30 s, and every way to call the two functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

from looplab import Duration, ms, sec
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import Pages, apart, called, instant, time

from . import markup
from .titles import title_of

ALL, TIMED, PAGE, TITLES, CANCELLED, PAGE_CANCELLED, STOPPED, AGAIN, BESIDE = SHAPES = range(9)
ONE, NONE, TWO, FEW, SOME, MANY = (1, 1), (0, 0), (2, 2), (3, 4), (5, 12), (13, 40)
TITLED, HUNDREDS = (90, 110), (150, 200)
PLAN = [((shape,), size) for size in (ONE, FEW, SOME) for shape in SHAPES if shape != TITLES] + [
    ((shape,), size) for shape, size in (
        (TITLES, TITLED), (TITLES, TITLED), (TITLES, TITLED), (TITLES, TITLED), (TITLES, TITLED), (ALL, NONE),
        (CANCELLED, TWO), (STOPPED, SOME), (CANCELLED, SOME), (PAGE_CANCELLED, SOME), (TIMED, MANY), (ALL, HUNDREDS),
        (TITLES, TITLED))]
CASES = len(PLAN)
BY_PAGE = (PAGE, TITLES, PAGE_CANCELLED)
USUAL, LEAST, MOST = sec(2), ms(1), sec(30)
TODOS = {"page": "scrape_page, TODO 1", "all": "scrape_all, TODOs 3 and 4"}
KINDS = ["good"] * 12 + ["empty", "binary", "status", "status", "status", "twin", "twin", "reset", "truncated",
                         "refused", "unresolved", "redirect", "redirect", "capitals", "hangs", "late", "slow", "slow"]
PLAIN = 4                   # of so many pages one has a title of every kind, the others a plain one or none
SAID_MOST = 60


@dataclass(frozen=True)
class Facts:
    """What the contract goes by."""

    urls: list[str]
    times: list[Duration]                   # of each page by itself, without a timeout
    answers: list[dict]
    bodies: list[Optional[bytes]]           # of the last answer, where it matters
    titles: list[str]
    timeout: int
    cancel: Optional[int] = None            # ns after the call's beginning; None: never
    beside: Optional[int] = None            # a second call at the same time begins so much later
    split: int = 0                          # the first call has so many of the URLs
    calls: int = 1
    stop_at: int = 0                        # progress cancels the call when it is told of so many


def _dress(c: Choices, page: dict) -> dict:
    """A body for a page, and how it comes."""
    kind = page["kind"]
    if kind in ("empty", "refused", "unresolved", "twin", "binary") or page.get("status") in (204, 304):
        return {}
    if kind in ("reset", "truncated"):
        return {"route": {"body": b"<title>Half</title>" + b"." * 4000}, "said": ""}
    body = markup.page(c) if c.one_in(PLAIN) else markup.simple(c)
    return _sent(c, body + b"." * 2000, {"bandwidth": 50}) if kind == "slow" else _sent(c, body, {})


def _dress_title(c: Choices, page: dict) -> dict:
    return _sent(c, markup.page(c), {})


def _sent(c: Choices, body: bytes, route: dict) -> dict:
    """It may come in small pieces."""
    if c.one_in(4) or route:
        route = {"bandwidth": 1_000_000, **route, "chunk": max(c.one_of((7, 1, 100)), len(body) // 300)}
    return {"route": {**route, "body": body}, "said": f": {_shown(body)}"}


def _shown(body: bytes) -> str:
    """Its beginning and its end."""
    if len(body) <= SAID_MOST:
        return ascii(body)[1:].replace("'", "`")
    return f"{_shown(body[:SAID_MOST // 2])} … {_shown(body[-SAID_MOST // 3:])}"


def _timeout(c: Choices, shape: int, times: Sequence[int]) -> Duration:
    """No page takes just as long: what then counts is open."""
    kind = c.one_of(("between",) * 4 + ("least", "ms", "ns")) if shape == TIMED else \
        "most" if shape == TITLES else c.one_of(("usual",) * 4 + ("between", "between", "most"))
    fixed = {"usual": USUAL, "least": LEAST, "most": MOST}.get(kind)
    drawn = fixed or (instant(c, times) if kind == "between" else
                      ms(c.between(1, 3000)) + (c.below(ms(1)) if kind == "ns" else 0))
    ns = max(LEAST, min(int(drawn), MOST))
    while ns in times and ns < MOST:
        ns += 1
    return Duration(ns)


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    shape = c.below(len(SHAPES))
    mode = "page" if shape in BY_PAGE else "all"
    pages = Pages(c, ["good"], quick=True, dress=_dress_title) if shape == TITLES else \
        Pages(c, apart(KINDS) if shape in (AGAIN, BESIDE) else KINDS, dress=_dress)
    urls, times = pages.urls, pages.times()
    timeout = _timeout(c, shape, times)
    bodies = [pages.routes.get(url, {}).get("body") for url in urls]
    ends = [min(int(one), timeout) for one in times]
    ends = [sum(ends[:k + 1]) for k in range(len(ends))] if mode == "page" else ends
    more: dict[str, Any] = {"calls": 2 if shape in (AGAIN, BESIDE) else 1}
    if shape in (CANCELLED, PAGE_CANCELLED):
        more["cancel"] = instant(c, ends)
    if shape == STOPPED:
        more["stop_at"] = c.between(1, max(1, len(urls)))
    if shape == BESIDE:
        more["beside"], more["split"] = instant(c, ends), c.below(len(urls) + 1)
        if c.one_in(3):             # the first is cancelled, mostly while both are under way
            more["cancel"] = instant(c, ends[:more["split"]])
            more["beside"] = min(more["beside"], more["cancel"] // 2)
    settings: dict[str, Any] = {"timeout": timeout}
    settings.update({"delay": time(c)} if c.one_in(2) else {})
    settings.update({"poison": 90} if c.one_in(2) else {})
    settings.update({"again": 1} if shape == AGAIN else {})
    settings.update({name: Duration(more[name]) for name in ("cancel", "beside") if more.get(name) is not None})
    settings.update({name: more[name] for name in ("split", "stop_at") if name in more})
    after = f"timeout {timeout}" + (f", cancelled by progress in call {more['stop_at']}" if "stop_at" in more else "")
    said = called(pages.words(), settings, len(urls), "scrape_page on each of them" if mode == "page" else "scrape_all",
                  after)
    found = [title_of(body or b"") for body in bodies]
    facts = Facts(urls, times, pages.answers(), bodies, found, int(timeout), **more)
    return Situation(mode, pages.world, said, urls, settings, facts=facts, todo=TODOS[mode])

