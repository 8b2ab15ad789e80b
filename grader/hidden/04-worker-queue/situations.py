"""The situations of lab 04: jobs of every kind, any number of workers and places, handlers that wait, fail, add jobs
and stop, and every way to call the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from looplab import Duration, Fault, World, ms
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import called, instant, time
from looplab.plain.text import count

PLAIN, HANDLED, CRAWL, STOPPED, STOPS, CANCELLED, AGAIN, BESIDE, NO_HANDLER, WIDE = SHAPES = range(10)
ONE, NONE, TWO, FEW, SOME, MANY, HUNDREDS = (1, 1), (0, 0), (2, 2), (3, 5), (6, 14), (15, 40), (200, 300)
PLAN = [((shape,), size) for size in (ONE, FEW, SOME, TWO, SOME, FEW) for shape in SHAPES
        if shape != WIDE] + [
    ((shape,), size) for shape, size in (
        (PLAIN, NONE), (STOPPED, NONE), (NO_HANDLER, NONE), (CRAWL, SOME), (STOPPED, SOME), (STOPS, SOME),
        (PLAIN, MANY), (HANDLED, MANY), (CRAWL, MANY), (CANCELLED, SOME), (PLAIN, HUNDREDS),
        (WIDE, HUNDREDS))]
CASES = len(PLAN) + 5
TODO = "pool.c, TODOs 1 to 5"
MOST_AT_ONCE = 1_000_000
KINDS = ["good"] * 8 + ["empty", "status", "status", "reset", "refused", "unresolved", "hangs", "late", "twin", "bad",
                        "waits"]
BAD_STATUSES, GOOD_STATUSES = (404, 500, 503, 400, 429, 599), (201, 204, 304, 399)


@dataclass(frozen=True)
class Facts:
    """What the contract goes by."""

    urls: list[str]
    workers: int
    limit: int
    handle: int = 0                         # ns that the handler waits for each page
    handler: int = 1                        # 0: the pool gets none
    stop: Optional[int] = None              # ns after pool_run's beginning; 0: before it
    cancel: Optional[int] = None
    beside: Optional[int] = None
    split: int = 0
    calls: int = 1
    crawls: bool = False                    # pages name further jobs
    stops: bool = False                     # a page says stop
    failing: bool = False                   # some jobs fail


class _Jobs:
    """A world in the making. odd: no two things happen at the same instant, as far as that is to be had."""

    def __init__(self, c: Choices, shape: int):
        self._c, self._shape = c, shape
        self._odd = shape in (CRAWL, STOPPED, STOPS, AGAIN)
        self._unique = 0
        self.world, self.urls, self.said, self.kinds = World(seed=1), [], [], []
        rtt, connect = c.one_of((0, ms(20), 1_234_567)), c.one_of((None, 0, ms(35)))
        pages = c.several(0, 300, self._page, sized=True)
        routes: list[tuple[str, dict]] = []
        for k, page in enumerate(pages):
            self._place(k, page, routes)
        self.world.site("http://a.test", rtt, connect)
        for path, route in routes:
            self.world.route(path, **route)

    def _page(self) -> dict:
        c = self._c
        kinds = KINDS + (["adds"] * 6 if self._shape in (CRAWL, STOPS) else []) \
            + (["stops"] * 3 if self._shape == STOPS else []) + (["bad"] * 8 if self._shape == HANDLED else [])
        page: dict[str, Any] = {"kind": c.one_of(kinds), "latency": time(c)}
        if page["kind"] == "status":
            page["status"] = c.one_of(BAD_STATUSES + GOOD_STATUSES)
        elif page["kind"] == "adds":
            page.update(children=c.between(1, 4), child=time(c, 500), last=c.one_of(("good", "bad", "status")),
                        fails=c.one_in(4))
        elif page["kind"] == "twin":
            page["twin"] = c.below(8)
        elif page["kind"] == "stops":
            page.update(after=c.one_of((False, True)), fails=c.one_in(4))
        return page

    def _time(self, ns: int) -> Duration:
        if not self._odd:
            return Duration(ns)
        self._unique += 1
        return Duration(ns + self._unique * self._unique * 1009)

    def _place(self, k: int, page: dict, routes: list) -> None:
        kind, path, url = page["kind"], f"/{k}", f"http://a.test/{k}"
        latency = self._time(page["latency"])
        said = str(page["latency"])
        self.kinds.append(kind)
        if kind == "twin" and self.urls:
            self.urls.append(self.urls[-1 - page["twin"] % len(self.urls)])
            self.said.append(f"{self.urls[-1]} once more")
            return
        if kind in ("refused", "unresolved"):
            self.world.site(f"http://{kind}{k}.test", latency if kind == "refused" else 0,
                            fault=Fault.refused() if kind == "refused" else Fault.unresolved()).route(path)
            self.urls.append(f"http://{kind}{k}.test{path}")
            self.said.append(f"one that is {kind}" + (f" after {page['latency']}" if kind == "refused" else ""))
            return
        route: dict[str, Any] = {"latency": latency, "body": "a page\n"}
        if kind == "empty":
            route["body"], said = "", said + ", an empty page"
        elif kind == "status":
            route.update(status=page["status"], body="" if page["status"] in (204, 304) else "a page\n")
            said += f", status {page['status']}"
        elif kind == "reset":
            route["fault"], said = Fault.reset(after=1), said + ", reset"
        elif kind == "hangs":
            route["fault"], said = Fault.hang(), "one that never answers"
        elif kind == "late":
            route["latency"], said = Duration(ms(40_000)), "one that answers after 40 s"
        elif kind == "bad":
            route["body"], said = "bad\n", said + ", of which the handler says -EBADMSG"
        elif kind == "waits":
            route["body"], said = "wait\n", said + ", for which the handler waits 500 ms"
        elif kind == "stops":
            more = f"{url}-0\n" if page["after"] else ""
            route["body"] = f"stop\n{more}"
            said += ", whose handler calls pool_stop" + (" and then adds a job" if more else "")
            if page["fails"]:
                route["body"] += "bad\n"
                said += " and says -EBADMSG"
                self.kinds.append("bad")
            if more:
                routes.append((f"{path}-0", {"latency": ms(5), "body": ""}))
        elif kind == "adds":
            route["body"] = "".join(f"{url}-{child}\n" for child in range(page["children"]))
            child = {"latency": self._time(page["child"]), "body": "bad\n" if page["last"] == "bad" else "",
                     "status": 404 if page["last"] == "status" else 200}
            routes += [(f"{path}-{number}", dict(child)) for number in range(page["children"])]
            said += f", whose handler adds {page['children']} of {page['child']}"
            if page["fails"]:
                route["body"] += "bad\n"
                said += " and then says -EBADMSG"
                self.kinds.append("bad")
        routes.append((path, route))
        self.urls.append(url)
        self.said.append(said)

    def words(self) -> str:
        n = len(self.said)
        told = "no job" if not n else "one job" if n == 1 else f"{n} jobs"
        return told + (": " if n else "") + "; ".join(self.said[:4]) + (f"; and {n - 4} more" if n > 4 else "")


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    shape = c.below(len(SHAPES))
    workers, limit = _numbers(c, shape)
    jobs = _Jobs(c, shape)
    times = [jobs.world.total(url) for url in jobs.urls]
    more: dict[str, Any] = {"handle": int(time(c, 600)) if shape in (HANDLED, STOPPED, STOPS, CANCELLED) else 0,
                            "handler": 0 if shape == NO_HANDLER else 1,
                            "calls": 2 if shape in (AGAIN, BESIDE) else 1}
    if shape == STOPPED or shape == AGAIN and c.one_in(2):
        more["stop"] = _stop(c, times)
    if shape == CANCELLED:
        more["cancel"] = instant(c, times) + 1
    if shape == BESIDE:
        more["beside"], more["split"] = instant(c, times), c.below(len(jobs.urls) + 1)
        if c.one_in(3):             # the first is cancelled, mostly while both are under way
            more["cancel"] = instant(c, times[:more["split"]]) + 1
            more["beside"] = min(more["beside"], more["cancel"] // 2)
    facts = Facts(jobs.urls, workers, limit, crawls="adds" in jobs.kinds, stops="stops" in jobs.kinds,
                  failing=bool({"status", "reset", "refused", "unresolved", "hangs", "late", "bad"} & set(jobs.kinds)),
                  **more)
    settings: dict[str, Any] = {"workers": workers, "limit": limit}
    settings.update({name: Duration(more[name]) for name in ("handle", "stop", "cancel", "beside") if more.get(name)})
    settings.update({"stop": 0} if more.get("stop") == 0 else {})
    settings.update({"close": 2} if not jobs.urls and shape != PLAIN else {})
    settings.update({"handler": 0} if shape == NO_HANDLER else {})
    settings.update({"delay": time(c)} if c.one_in(2) else {})
    settings.update({"early": time(c, 300)} if shape not in (STOPPED, CANCELLED, BESIDE) and c.one_in(3) else {})
    settings.update({"poison": 90} if c.one_in(2) else {})
    settings.update({"again": 1} if shape == AGAIN else {})
    settings.update({"split": more["split"]} if shape == BESIDE else {})
    settings.update({"beside": Duration(more["beside"])} if shape == BESIDE else {})
    return Situation("pool", jobs.world, called(jobs.words(), settings, len(jobs.urls), "pool_run",
                                                _after(facts, settings)),
                     jobs.urls, settings, facts=facts, todo=TODO)


def _numbers(c: Choices, shape: int) -> tuple[int, int]:
    """Workers and limit. Two pools at once mostly have jobs that wait for places; a wide one has more workers, and
    perhaps places, than jobs; some limits do not fit into a byte or two."""
    if shape == WIDE:
        return 300, c.one_of((MOST_AT_ONCE, 150))
    if shape == BESIDE and not c.one_in(3):
        return c.one_of((5, 3, 8)), c.one_of((2, 1))
    return c.one_of((1, 2, 3, 5, 8, 20)), c.one_of((1, 2, 3, 5, 12, 256, 65_536, MOST_AT_ONCE))


def _stop(c: Choices, times: list) -> int:
    """ns after pool_run's beginning. Of one job alone nothing is left unless it is before."""
    return 0 if len(times) == 1 or c.one_in(5) else instant(c, times) + 500_003


def _after(facts: Facts, settings: dict) -> str:
    """What else is to be said of the pool."""
    said = f"{count(facts.workers, 'worker')}, at most {count(facts.limit, 'request')} at a time"
    if facts.handle:
        said += f", each page handled for {Duration(facts.handle)}"
    if not facts.handler:
        said += ", no handler"
    if facts.stop is not None:
        said += f", pool_stop {f'{Duration(facts.stop)} after the beginning' if facts.stop else 'before pool_run'}"
    if "close" in settings:
        said += ", pool_close called once more on the NULL"
    if "early" in settings:
        said += f", opened {settings['early']} before"
    return said
