"""The situations of lab 05: orders of every kind, what cannot be fetched, is no order, or cannot be written, any number
of workers, bounds and costs, older files, and every way to call the three functions."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from looplab import Duration, Fault, World, ms, sec
from looplab.asking.choices import Choices
from looplab.asking.contract import Situation
from looplab.asking.pages import called, instant, time
from looplab.plain.duration import show
from looplab.plain.text import count, cut

from .documents import IDS, NO_FIELD, NOT_JSON, Document, any_document, no_field, no_json, plain
from .plan import GIVES_UP, Machine, Planned, Work, plan

GOOD, MIXED, FAILING, ALIKE, CANCELLED, TRANSFORM, WRITE, WRITE_CANCELLED, AGAIN, BESIDE = SHAPES = range(10)
ONE, NONE, TWO, FEW, SOME = (1, 1), (0, 0), (2, 2), (3, 5), (6, 12)
MANY, FIFTY, HUNDREDS = (13, 25), (50, 50), (100, 120)
SLOW_DISK, SLOW_TRANSFORM = (1, 1, 1, 0, 2), (2, 3, 3, 0, 1)        # small numbers: the queues are full
BUSY_DISK, FULL = (0, 1, 1, 0, 2), (1, 7, 1, 0, 2)      # several writers at a queue of one; a queue of twenty, full
PLAN: list[tuple[tuple[int, ...], tuple[int, int]]] = [
    ((shape,), size) for size in (ONE, FEW, SOME, TWO) for shape in SHAPES if shape not in (TRANSFORM, WRITE)] + [
    ((shape,), size) for shape, size in (
        (GOOD, NONE), (FAILING, SOME), (MIXED, MANY), (GOOD, MANY), (FAILING, MANY),
        (TRANSFORM, FIFTY), (TRANSFORM, FIFTY), (TRANSFORM, FIFTY), (TRANSFORM, FIFTY), (GOOD, FIFTY), (WRITE, FEW),
        (WRITE, MANY), (WRITE, MANY), (MIXED, HUNDREDS))] + [((WRITE, 1), FEW)] + [
    ((shape, *slow), SOME if slow is SLOW_DISK else MANY) for slow in (SLOW_DISK, SLOW_TRANSFORM)
    for shape in (GOOD, CANCELLED)] + [((GOOD, *BUSY_DISK), SOME), ((GOOD, *FULL), FIFTY)]
CASES = len(PLAN)
MODES = {TRANSFORM: "transform", WRITE: "write", WRITE_CANCELLED: "write"}
CALLED = {"transform": "transform_order on each answer", "write": "write_whole of each answer", "pipeline": "pipeline"}
TODOS = {"transform": "transform_order, TODO 1", "write": "write_whole, TODO 2", "pipeline": "pipeline, TODOs 3 to 7"}
MOST_IN_A_QUEUE = 5000
DEEP = 250                  # characters of a folder's name
WANTED = {"Accept": "application/json"}
FETCH = ("status", "status", "reset", "truncated", "refused", "unresolved", "hangs", "late", "slow")
BROKEN, DISK = ("no json", "no field", "empty"), ("open", "write", "rename")
ALL_BAD = (*FETCH, *BROKEN, *BROKEN, *DISK, *DISK)
KINDS: dict[int, tuple[str, ...]] = {
    GOOD: ("good",), ALIKE: ("good",) * 6 + ("status", "no field", "write"), FAILING: ALL_BAD + ("good", "twin"),
    MIXED: ("good",) * len(ALL_BAD) + ALL_BAD + ("twin",), CANCELLED: ("good",) * 8 + ("status", "no json", "write"),
    AGAIN: ("good",) * 6 + ("reset", "no field", "open"), BESIDE: ("good",) * 6 + ("status", "no json", "write")}
STATUSES = (404, 500, 203, 204, 304, 503, 403, 201, 206, 599)
ERRORS = ("EIO", "ENOSPC", "EACCES")
BODIES = (b"text", b"", b"a\0b\xff", b"x" * 70_000, "zwölf Öfen".encode())


@dataclass(frozen=True)
class Order:
    """A URL, and what is to become of it."""

    url: str
    document: Optional[Document] = None     # the answer that comes with status 200
    stage: str = ""                         # where it fails; "": nowhere
    wrong: int = 0                          # with that error
    work: Optional[Work] = None             # what it costs

    @property
    def path(self) -> str:
        return f"out/order-{self.document.id}.json" if self.document else ""


@dataclass(frozen=True)
class Facts:
    """What the contract goes by. files: what lies on the disk before."""

    orders: list[Order]
    workers: int = 3
    bound: int = 4
    cost: int = 0                           # ns for each byte
    files: dict[str, str] = field(default_factory=dict)
    cancel: Optional[int] = None            # ns after the call's beginning; None: never
    beside: Optional[int] = None
    split: int = 0                          # the first call has so many of the URLs
    calls: int = 1
    planned: Optional[list[Planned]] = None     # of each call; None: that is open

    @property
    def failing(self) -> bool:
        return any(order.stage for order in self.orders)


class _Shop:
    """A world in the making. odd: no two things that have nothing to do with each other happen at one instant."""

    def __init__(self, c: Choices, shape: int, deep: bool):
        self._c, self._shape, self._unique = c, shape, 0
        self.deep = deep            # are the paths too long for a buffer of 256?
        self._odd, self._taken = shape != ALIKE, set()
        self.world = World(seed=1, cpus=c.one_of((4, 1, 2, 8)))
        self.orders: list[Order] = []
        self.said: list[str] = []
        self.faults: list[dict] = []
        self.files: dict[str, str] = {}
        self.disk = {"latency": c.one_of((ms(10), 0, ms(150), 3_456_789, 1)),
                     "bandwidth": c.one_of((None, 5000, 77_777)),
                     "parallel": c.one_of((None, None, None, 1, 2, 5))}
        self._sites = c.several(1, 3, self._site)
        for k, page in enumerate(c.several(0, 500, self._page, sized=True)):
            self._place(k, page)
        for k, site in enumerate(self._sites):
            self.world.site(f"http://{'abc'[k]}.test", site["rtt"], site["connect"], bandwidth=site["bandwidth"])
            for path, route in site["routes"]:
                self.world.route(path, **route)
        self.world.disk(self.disk["latency"], bandwidth=self.disk["bandwidth"], parallel=self.disk["parallel"],
                        files=self.files, faults=self.faults)

    def _site(self) -> dict:
        c = self._c
        return {"rtt": c.one_of((ms(20), 0, 1_234_567)), "connect": c.one_of((None, 0, ms(35), 765_433)),
                "bandwidth": c.one_of((None, None, 77_777)), "routes": []}

    # ---- drawing ----

    def _page(self) -> dict[str, Any]:
        c = self._c
        if self._shape == TRANSFORM:
            return {"kind": "document", "document": any_document(c), "site": 0, "latency": ms(1)}
        if self._shape in (WRITE, WRITE_CANCELLED):
            kinds = ("bytes",) * 4 + DISK if self._shape == WRITE else ("bytes",)
            return {"kind": c.one_of(kinds), "bytes": c.one_of(BODIES), "site": 0, "latency": time(c, 200),
                    "error": c.one_of(ERRORS), "older": c.below(4)}
        page: dict[str, Any] = {"kind": c.one_of(KINDS[self._shape]), "site": c.below(3), "latency": time(c, 400),
                                "id": c.below(30), "older": c.one_of((0, 0, 0, 0, 1, 2, 3))}
        if page["kind"] == "status":
            page["status"] = c.one_of(STATUSES)
        elif page["kind"] in ("reset", "truncated"):
            page["after"] = c.below(30)
        elif page["kind"] in DISK:
            page["error"] = c.one_of(ERRORS)
        elif page["kind"] in BROKEN:
            page["document"] = {"no json": no_json, "no field": no_field}.get(page["kind"], _nothing)(c)
        elif page["kind"] == "twin":
            page["twin"] = c.below(8)
        else:
            page["twin"] = 0
        page.setdefault("document", None)
        if page["document"] is None and page["kind"] != "twin":
            page["document"] = plain(c, 0)
        return page

    def _time(self, ns: int) -> Duration:
        if not self._odd:
            return Duration(ns)
        self._unique += 1
        return Duration(ns + self._unique * self._unique * 1009)

    def _number(self, k: int, drawn: int) -> int:
        """An id that no other order has."""
        number = IDS[drawn - 1] if 0 < drawn <= len(IDS) and IDS[drawn - 1] not in self._taken else 100_000 + k
        self._taken.add(number)
        return number

    # ---- placing ----

    def _place(self, k: int, page: dict) -> None:
        """Gives it its place in the world, and its words."""
        kind, latency = page["kind"], self._time(page["latency"])
        said = show(page["latency"])
        if kind in ("document", "bytes") or kind in DISK and "bytes" in page:
            self._place_part(k, page, latency)
        elif kind == "twin":
            failing = [order for order in self.orders if order.stage in ("fetch", "transform")
                       and "unresolved" not in order.url]       # two who ask for one name share the answer
            if failing:
                again = failing[-1 - page["twin"] % len(failing)]
                self.orders.append(again)
                self.said.append(f"{again.url} once more")
        elif kind in ("refused", "unresolved"):
            url = f"http://{kind}{k}.test"
            self.world.site(url, latency if kind == "refused" else 0, resolve=0 if kind == "refused" else latency,
                            fault=Fault.refused() if kind == "refused" else Fault.unresolved()).route(f"/{k}")
            self._add(Order(f"{url}/{k}", None, "fetch", -errno.ECONNREFUSED if kind == "refused" else -errno.ENXIO,
                            Work(url, latency, 0, False, stage="fetch")), f"one that is {kind} after {said}")
        else:
            self._place_page(k, page, latency, said)

    def _add(self, order: Order, said: str) -> None:
        self.orders.append(order)
        self.said.append(said)

    def _route(self, k: int, page: dict, **route: Any) -> str:
        site = page["site"] % len(self._sites)
        self._sites[site]["routes"].append((f"/{k}", route))
        return f"http://{'abc'[site]}.test/{k}"

    def _place_part(self, k: int, page: dict, latency: Duration) -> None:
        """What transform_order or write_whole alone is called with."""
        kind, document = page["kind"], page.get("document")
        body = document.body if document else page["bytes"]
        url = self._route(k, page, latency=latency, body=body)
        if document:
            self._add(Order(url, document), document.said)
            return
        path = written_path(len(self.orders) + 1, self.deep)
        said = f"{cut(path, 40)}, {count(len(body), 'byte')}" + self._older(path, page["older"])
        if kind in DISK:
            self.faults.append(Fault.disk(page["error"], kind, path))
            said += f", whose {kind} fails with -{page['error']}"
        self._add(Order(url, Document(body, "", id=len(self.orders) + 1), "write" if kind in DISK else "",
                        -getattr(errno, page["error"]) if kind in DISK else 0), said)

    def _older(self, path: str, older: int) -> str:
        """What lies there already: bit 0 the file, bit 1 its temporary one."""
        names = [name for bit, name in ((1, path), (2, f"{path}.tmp")) if older & bit]
        self.files.update({name: f"older and longer than what is to come: {'.' * 300}" for name in names})
        return f", where an older {' and '.join('.tmp' if name.endswith('.tmp') else 'file' for name in names)} lies" \
            if names else ""

    def _place_page(self, k: int, page: dict, latency: Duration, said: str) -> None:
        kind, document = page["kind"], page["document"]
        stage, wrong = "", 0
        if document.rc == 0:
            document = _numbered(document, self._number(k, page["id"]))
            said += f", id {document.id}"
        route: dict[str, Any] = {"latency": latency, "body": document.body, "require": WANTED}
        if kind == "status":
            stage, wrong, said = "fetch", page["status"], said + f", status {page['status']}"
            route.update(status=wrong, body=b"" if wrong in (204, 304) else document.body)
        elif kind in ("reset", "truncated"):
            stage, wrong = "fetch", -errno.ECONNRESET if kind == "reset" else -errno.EPROTO
            route["fault"] = (Fault.reset if kind == "reset" else Fault.truncate)(after=page["after"])
            said += f", {kind} after {count(page['after'], 'byte')}"
        elif kind in ("hangs", "late", "slow"):
            stage, wrong = "fetch", -errno.ETIMEDOUT
            route.update({"hangs": {"fault": Fault.hang()}, "late": {"latency": sec(40) + latency},
                          "slow": {"body": b"." * 2000, "bandwidth": 50}}[kind])
            said = {"hangs": "one that never answers", "late": "one that answers after 40 s",
                    "slow": said + ", and then 2,000 bytes, 50 a second"}[kind]
        elif kind in BROKEN:
            stage, wrong, said = "transform", document.rc, f"{said}, {document.said}"
        url, work = self._route(k, page, **route), self._work(page, route, stage, document)
        if kind in DISK:
            stage, wrong = "write", -getattr(errno, page["error"])
            self.faults.append(Fault.disk(page["error"], kind, f"out/order-{document.id}.json"))
            said += f", the {kind} of its file fails with -{page['error']}"
        if stage in ("", "write"):
            said += self._older(f"out/order-{document.id}.json", page["older"])
        self._add(Order(url, document if stage != "fetch" else None, stage, wrong, work), said)

    def _work(self, page: dict, route: dict, stage: str, document: Document) -> Work:
        """What it costs each stage, but for the CPU's part."""
        site = self._sites[page["site"] % len(self._sites)]
        bandwidth = route.get("bandwidth", site["bandwidth"])
        sent = page.get("after", len(route["body"]))
        fetch = site["rtt"] + route["latency"] + _transfer(sent, bandwidth) if page["kind"] != "hangs" else GIVES_UP
        setup = site["rtt"] if site["connect"] is None else site["connect"]
        return Work(str(page["site"] % len(self._sites)), setup, fetch, not stage or stage == "transform"
                    or page["kind"] == "status", len(document.body),
                    self.disk["latency"] + _transfer(len(document.summary.encode()), self.disk["bandwidth"]),
                    "write" if page["kind"] in DISK else stage, page["kind"] if page["kind"] in DISK else "")

    # ---- asking ----

    def words(self) -> str:
        n = len(self.said)
        told = "no URL" if not n else "one URL" if n == 1 else f"{n} URLs"
        return told + (": " if n else "") + "; ".join(self.said[:4]) + (f"; and {n - 4} more" if n > 4 else "")

    def times(self, cost: int) -> list[int]:
        """When things happen, as far as nobody waits for anything."""
        latency, bandwidth, made, begin = int(self.disk["latency"]), self.disk["bandwidth"], [], 0
        for order in self.orders:
            fetched = int(self.world.total(order.url)) + begin
            size = len(order.document.body if self._shape == WRITE_CANCELLED else order.document.summary) \
                if order.document else 0
            at = fetched + (len(order.document.body) * cost if order.document else 0)
            opened, written = at + latency, at + 2 * latency + _transfer(size, bandwidth)
            made += [fetched, at, opened, written, written + latency]
            begin = written + latency if self._shape == WRITE_CANCELLED else 0
        return made


def written_path(number: int, deep: bool) -> str:
    """Where main.c's mode write puts text `number`, counted from 1."""
    return f"out/{'d' * DEEP + '/' if deep else ''}{number}.json"


def _transfer(size: int, bandwidth: Optional[int]) -> int:
    return -(-size * 10**9 // bandwidth) if bandwidth else 0


def _nothing(c: Choices) -> Document:
    return Document(b"", "an empty body", NOT_JSON)


def _numbered(document: Document, number: int) -> Document:
    """The same order with another id (plain() has made it with 0)."""
    return Document(document.body.replace(b'"id":0', b'"id":%d' % number, 1), document.said, 0, number,
                    document.summary.replace('"id":0', f'"id":{number}', 1))


def situation(c: Choices) -> Situation:
    """Any that the handout allows."""
    shape = c.below(len(SHAPES))
    mode = MODES.get(shape, "pipeline")
    deep = mode == "write" and c.below(3) == 1
    workers, bound = c.one_of((3, 1, 2, 5, 8, 20)), c.one_of((4, 1, 1, 2, 3, 10, MOST_IN_A_QUEUE, 20))
    cost = c.one_of((ms(0) + 500_000, 0, 100_003, ms(3), 1, ms(20), sec(3)))
    shop = _Shop(c, shape, deep)
    more: dict[str, Any] = {"calls": 2 if shape in (AGAIN, BESIDE) else 1}
    times = shop.times(cost)
    if shape in (CANCELLED, WRITE_CANCELLED):
        more["cancel"] = instant(c, times)
    if shape == BESIDE:
        more["beside"], more["split"] = instant(c, times) + 77, c.below(len(shop.orders) + 1)
        if c.one_in(3):             # the first is cancelled, mostly while both are under way
            more["cancel"] = instant(c, times)
            more["beside"] = min(more["beside"], more["cancel"] // 2)
    if mode == "pipeline" and "cancel" not in more:
        more["planned"] = _planned(shop, workers, bound, cost, more)
    facts = Facts(shop.orders, workers, bound, int(cost), shop.files, **more)
    settings: dict[str, Any] = {}
    if mode == "pipeline":
        settings = {"workers": workers, "bound": bound, "cost": Duration(cost)}
    settings.update({"delay": time(c)} if c.one_in(2) else {})
    settings.update({"poison": 90} if c.one_in(2) else {})
    settings.update({"again": 1} if shape == AGAIN else {})
    settings.update({name: Duration(more[name]) for name in ("cancel", "beside") if name in more})
    settings.update({"split": more["split"]} if shape == BESIDE else {})
    settings.update({"deep": DEEP} if shop.deep else {})
    urls = [order.url for order in shop.orders]
    return Situation(mode, shop.world, called(shop.words(), settings, len(urls), CALLED[mode],
                                              _after(shop, facts, mode)), urls, settings, facts=facts, todo=TODOS[mode])


def _planned(shop: _Shop, workers: int, bound: int, cost: int, more: dict) -> Optional[list[Planned]]:
    """The right run of each call."""
    machine = Machine(workers, bound, shop.world.cpus, int(shop.disk["latency"]), shop.disk["parallel"])
    works = [replace(order.work, compute=order.work.compute * cost) for order in shop.orders if order.work]
    if "beside" in more:
        return plan(machine, [(0, works[:more["split"]]), (more["beside"], works[more["split"]:])])
    one = plan(machine, [(0, works)])
    return one and one * more["calls"]


def _after(shop: _Shop, facts: Facts, mode: str) -> Optional[str]:
    """What else is to be said."""
    disk = f"a disk that takes {show(shop.disk['latency'])} a call" \
        + (f" and does {shop.disk['parallel']} at a time" if shop.disk["parallel"] else "")
    if mode != "pipeline":
        return disk if mode == "write" else None
    return f"{count(facts.workers, 'worker')} a stage, bound {facts.bound:,}, {show(Duration(facts.cost))} a byte, " \
           f"{count(shop.world.cpus, 'CPU')}, {disk}"
