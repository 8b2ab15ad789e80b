"""Pages drawn for a situation (contract.py): a world of all that a site and an answer can be, the URLs that are asked
for, and both in words.

What each kind is: "good" a page; "empty", "binary", "large" such a body; "status" another status than 200; "twin" an
earlier URL once more; "reset", "truncated" such a fault; "refused", "unresolved" a site of its own; "hangs" never
answers; "late" answers after the client's patience; "slow" sends its body so slowly that it does not come in time;
"redirect" leads there by way of others; "invalid" is no URL; "https", "capitals": another scheme, or the same one.
"""

from __future__ import annotations

import errno
from typing import Any, Callable, Optional, Sequence

from ..plain.duration import Duration, ms, sec
from ..plain.text import count, cut
from .choices import Choices
from .world import Fault, World

STATUSES = (404, 500, 503, 204, 304, 429, 403, 201, 599, 400, 399)
LARGE_MOST = 2
LONG_PATH = 90              # times five characters
Dress = Callable[[Choices, dict], dict]
"""(choices, page) -> what a lab adds to the last answer of a page: "route", words of World.route, and "said" of it."""
INVALID = ("nonsense", "ftp://a.test/1", "http://", "http:///x", "http://a.test:port/", "http://a.test:99999/",
           "//a.test/0", "httpx://a.test/0")


def time(c: Choices, most_ms: int = 2000) -> Duration:
    """Whole hundreds of ms, ms, nothing, any ns, or 250 ms, so that some are alike."""
    kind = c.one_of(("hundreds", "hundreds", "ms", "none", "ns", "alike"))
    if kind == "hundreds":
        return ms(100 * c.between(1, most_ms // 100))
    if kind == "ms":
        return ms(c.between(1, most_ms))
    return Duration({"none": 0, "alike": 250_000_000}[kind] if kind != "ns" else c.between(1, most_ms * 10**6))


def instant(c: Choices, times: Sequence[int]) -> int:
    """When something strikes from outside, of what ends at these times: in the middle of the longest; behind, before or
    between two of them; at once; in the very instant of one; after all."""
    ends = sorted(set(times)) or [0]
    kind = c.one_of(("half", "between", "between", "behind one", "before the last", "once", "first ns", "at one"))
    k = c.below(len(ends))
    after = ends[k + 1] if k + 1 < len(ends) else ends[k] + ms(10)
    return int({"half": ends[-1] // 2, "between": (ends[k] + after) // 2, "behind one": ends[k] + 1,
                "before the last": max(0, ends[-1] - 1), "once": 0, "first ns": 1, "at one": ends[k]}[kind])


def apart(kinds: Sequence[str]) -> list[str]:
    """The kinds with which two calls know nothing of each other: who asks for a name that another one is asking for
    already shares its answer, and has it earlier."""
    return [kind for kind in kinds if kind != "unresolved"]


class Pages:
    """A world in the making, and what is asked of it. kinds: what a page may be, the simplest first. computing: only
    answers cost time, and that of the CPU. quick: a hundredth of the time. least, most: how many pages there may
    be. sites: over how many sites at most, the refused and unresolved ones aside. dress: what the lab adds to each."""

    def __init__(self, c: Choices, kinds: Sequence[str], *, computing: bool = False, quick: bool = False,
                 least: int = 0, most: int = 500, sites: int = 3, dress: Optional[Dress] = None):
        self._c, self._kinds, self._computing, self._shrunk = c, kinds, computing, 100 if quick else 1
        self._dress = dress
        self.world = World(seed=1)
        self.urls: list[str] = []
        self.said: list[str] = []
        self.kinds: list[str] = []              # of each URL
        self.routes: dict[str, dict] = {}       # URL -> the route of its last answer
        self._own: dict[str, dict] = {}         # the answers of what is no URL of the world
        drawn = c.several(1, sites, self._site)
        for k, site in enumerate(drawn):
            site.update(url=f"http://{'abc'[k]}.test", routes=[])
        for k, page in enumerate(c.several(least, most, self._page, sized=True)):
            self._place(k, page, drawn)
        for site in drawn:
            self.world.site(site["url"], site["rtt"], site["connect"], bandwidth=site["bandwidth"])
            for path, route in site["routes"]:
                self.world.route(path, **route)

    # ---- asking ----

    def answers(self) -> list[dict]:
        """What each URL gives."""
        return [self._own.get(url) or self.world.answer(plain_url(url)) for url in self.urls]

    def times(self) -> list[Duration]:
        """How long each takes by itself, over a connection of its own."""
        return [Duration(0) if url in self._own else self.world.total(plain_url(url)) for url in self.urls]

    def words(self) -> str:
        """"two URLs: 100 ms; 250 ms, status 404"."""
        n = len(self.said)
        if not n:
            return "no URL"
        return f"{'one URL' if n == 1 else f'{n} URLs'}: {'; '.join(self.said[:4])}" \
            + (f"; and {n - 4} more" if n > 4 else "")

    # ---- drawing ----

    def _site(self) -> dict:
        c = self._c
        if self._computing:
            return {"rtt": 0, "connect": 0, "bandwidth": None}
        return {"rtt": c.one_of((0, 0, ms(20), 1_234_567)), "connect": c.one_of((None, 0, ms(35), 765_433)),
                "bandwidth": c.one_of((None, None, None, 1_000_000, 77_777))}

    def _page(self) -> dict[str, Any]:
        c = self._c
        if self._computing:
            return {"kind": "good", "site": 0, "latency": 0, "size": c.between(0, 50), "cpu": time(c, 300)}
        page: dict[str, Any] = {"kind": c.one_of(self._kinds), "site": c.below(3),
                                "latency": Duration(time(c) // self._shrunk),
                                "size": c.between(1, 4000), "long": c.one_in(12)}
        if page["kind"] == "status":
            page["status"] = c.one_of(STATUSES)
        elif page["kind"] in ("reset", "truncated"):
            page["after"] = c.between(0, page["size"] - 1)
        elif page["kind"] == "twin":
            page["twin"] = c.below(8)
        elif page["kind"] == "redirect":
            page["hops"] = c.one_of((1, 2, 3, 9, 10, 11, 12))
            page["status"] = c.one_of((200, 200, 404))
        elif page["kind"] == "invalid":
            page["url"] = c.one_of(INVALID)
        page.update(self._dress(c, page) if self._dress else {})
        return page

    def _place(self, k: int, page: dict, sites: list[dict]) -> None:
        """Gives a page its place in the world, and its words."""
        self.kinds.append(page["kind"])
        if page["kind"] == "twin" and self.urls:
            self._add(self.urls[-1 - page["twin"] % len(self.urls)], "{url} once more")
        elif page["kind"] in ("refused", "unresolved"):
            self._place_site(k, page["kind"], page["latency"])
        elif page["kind"] == "invalid":
            self._own[page["url"]] = {"error": -errno.EINVAL, "status": 0, "length": 0}
            self._add(page["url"], "{url}, which is no URL")
        elif page["kind"] == "https":
            url = f"https://a.test/{k}"
            self._own[url] = {"error": -errno.ENXIO, "status": 0, "length": 0}
            self._add(url, "{url}, a site that is not there")
        else:
            self._place_page(k, page, sites[page["site"] % len(sites)])

    def _add(self, url: str, said: str) -> None:
        self.urls.append(url)
        self.said.append(said.format(url=cut(url, 40)))

    def _place_site(self, k: int, kind: str, after: Duration) -> None:
        refused, url = kind == "refused", f"http://{kind}{k}.test"
        self.world.site(url, after if refused else 0, resolve=0 if refused else after,
                        fault=Fault.refused() if refused else Fault.unresolved()).route(f"/{k}")
        self._add(f"{url}/{k}", f"one that is {kind} after {after}")

    def _place_page(self, k: int, page: dict, site: dict) -> None:
        kind, path, said = page["kind"], f"/{k}", str(page["latency"])
        if page.get("long"):
            path, said = path + "-long" * LONG_PATH, said + f", a URL of {5 * LONG_PATH} characters and more"
        if kind == "large" and self.kinds.count("large") > LARGE_MOST:
            kind = "good"           # hundreds of them would only take time and memory
        size = {"empty": 0, "large": 3_000_000 + page["size"]}.get(kind, page["size"])
        route: dict[str, Any] = {"latency": page["latency"], "body_size": size}
        if kind == "large":
            site["bandwidth"] = None
            said += f", {size:,} bytes"
        elif kind == "empty":
            said += ", an empty body"
        elif kind == "binary":
            route = {"latency": page["latency"], "body": (b"\0a\xff" * size)[:size]}
            said += ", a body with zero bytes"
        elif kind == "status":
            route.update(status=page["status"], body_size=0 if page["status"] in (204, 304) else size)
            said += f", status {page['status']}"
        elif kind in ("reset", "truncated"):
            route["fault"] = (Fault.reset if kind == "reset" else Fault.truncate)(after=page["after"])
            said += f", {kind} after {count(page['after'], 'byte')}"
        elif kind == "hangs":
            route["fault"] = Fault.hang()
            said = "one that never answers"
        elif kind == "late":
            route["latency"] = sec(40)
            said = "one that answers after 40 s"
        elif kind == "slow":
            route.update(body_size=2000, bandwidth=50)
            said += ", and then 2,000 bytes, 50 a second"
        elif kind == "redirect":
            self._place_hops(path, page, site)
            route.update(status=page["status"])
            said += f", behind {count(page['hops'], 'redirect')}"
        if "route" in page:
            route.update(page["route"])
            route.pop("body_size" if "body" in page["route"] else "", None)
            said += page["said"]
        if "cpu" in page:
            route["cpu"] = page["cpu"]
            said = f"{page['cpu']} of computing"
        last = f"{path}-{page['hops']}" if kind == "redirect" else path
        site["routes"].append((last, route))
        scheme = "HTTP" if kind == "capitals" else "http"
        self._add(scheme + site["url"][4:] + path, said + (", asked for as HTTP://" if kind == "capitals" else ""))
        self.routes[self.urls[-1]] = route

    def _place_hops(self, path: str, page: dict, site: dict) -> None:
        """The pages that lead to the last one."""
        for hop in range(page["hops"]):
            here = path if hop == 0 else f"{path}-{hop}"
            site["routes"].append((here, {"latency": page["latency"],
                                          "redirect": f"{site['url']}{path}-{hop + 1}"}))


def plain_url(url: str) -> str:
    """As the world knows it."""
    return "http" + url[4:] if url.startswith("HTTP://") else url


def called(words: str, settings: dict, urls: int, name: str, after: Optional[str] = None) -> str:
    """A situation in words: its pages, and how the function is called (sim/kit/calls.c)."""
    how = name
    if "again" in settings:
        how += " called twice"
    if "beside" in settings:
        how += f" called twice, the second call {settings['beside']} after the first"
        if "split" in settings:
            how += f", with the first {settings['split']} and the other {urls - settings['split']} of them"
    if "cancel" in settings:
        how += f", {'the first ' if 'beside' in settings else ''}cancelled {settings['cancel']} after it began"
    if "alike" in settings:
        how += ", equal URLs in a row as one pointer"
    if "delay" in settings:
        how += f", at {settings['delay']}"
    return f"{words}. {how}{', memory poisoned' if 'poison' in settings else ''}" + (f", {after}" if after else "")
