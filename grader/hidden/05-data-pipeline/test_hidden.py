"""The hidden checks of lab 05: the requirements of the visible ones in other worlds. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

import errno
import itertools
import json

from looplab import Fault, World, ms, points, us
from looplab.plain import seed
from looplab.plain.duration import Duration, show
from looplab.plain.words import error

STAGES = ("fetch", "transform", "write")
WANTED = {"Accept": "application/json"}
NAMES = ("Alan", "Hedy", "Tim", "Sophie", "Niklaus", "Lynn", "Grete", "Konrad")


class Shop:
    """A world of orders, and what a right pipeline makes of it."""

    def __init__(self, lab, name: str, **world) -> None:
        self.rng = seed.rng(lab.seed, name)
        self.world = World(seed=lab.seed, **world)
        self.numbers = iter(self.rng.sample(range(1000, 10**9), 80))
        self.paths = itertools.count(1)
        self.files: dict[str, str] = {}
        self.failures: list[tuple[str, str, int]] = []
        self.faults: list[dict] = []

    def site(self, name: str) -> None:
        self.world.site(f"http://{name}.test", rtt=us(self.rng.randint(1, 40_000)),
                        connect=us(self.rng.randint(1, 60_000)))

    def order(self, latency: int, name: str = "", **how) -> str:
        """Adds an order that is good as far as the transform is concerned. Returns the path of its file."""
        items = [{"price": self.rng.randint(1, 9999), "quantity": self.rng.randint(1, 9)}
                 for _ in range(self.rng.randint(1, 5))]
        number, customer = next(self.numbers), name or self.rng.choice(NAMES)
        body = json.dumps({"items": items, "customer": {"name": customer}, "id": number,
                           "note": "." * self.rng.randint(0, 200)}, ensure_ascii=False)
        self._route(latency, body, **how)
        total, units = sum(item["price"] * item["quantity"] for item in items), sum(item["quantity"] for item in items)
        path = f"out/order-{number}.json"
        self.files[path] = json.dumps({"customer": customer, "id": number, "total": total, "units": units},
                                      ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return path

    def orders(self, n: int, least: int = 20_000, most: int = 120_000) -> "Shop":
        """Adds n good ones; latencies in us."""
        for _ in range(n):
            self.order(us(self.rng.randint(least, most)))
        return self

    def bad_order(self, stage: str, latency: int) -> None:
        """Adds one that fails in that stage, in one of the ways there are."""
        if stage == "fetch":
            how, wrong = self.rng.choice([({"status": 500}, 500), ({"status": 403}, 403),
                                          ({"fault": Fault.reset(after=7)}, -errno.ECONNRESET),
                                          ({"fault": Fault.truncate(after=9)}, -errno.EPROTO)])
            del self.files[self.order(latency, **how)]
        elif stage == "transform":
            body, wrong = self.rng.choice([("[", -errno.EBADMSG), ("{}", -errno.ENODATA), ("null", -errno.EBADMSG),
                                           ("[{}]", -errno.ENODATA),
                                           ('{"id": 1, "items": []}', -errno.ENODATA),
                                           ("Too many requests", -errno.EBADMSG)])
            self._route(latency, body)
        else:
            op, name = self.rng.choice([("open", "EACCES"), ("write", "EIO"), ("write", "ENOSPC"), ("rename", "EIO")])
            path = self.order(latency)
            del self.files[path]
            self.faults.append(Fault.disk(name, op, path))
            wrong = -getattr(errno, name)
        self.failures.append((stage, self.world.urls()[-1], wrong))

    def _route(self, latency: int, body: str, **how) -> None:
        self.world.route(f"/{next(self.paths)}", latency=latency, body=body, require=WANTED, **how)


def should_leave(run, files: dict[str, str]) -> None:
    """Exactly these files."""
    got = run.files
    wrong = next((path for path in files if got.get(path) != files[path]), None)
    run.should(wrong is None, f"{len(files)} files, {wrong} among them with {files.get(wrong)}",
               f"{'it holds ' + got[wrong] if wrong in got else 'it is not there'} ({len(got)} files in all)" if wrong
               else "", hint="every good order ends up as a file, whatever becomes of the others")
    extra = [path for path in got if path not in files]
    run.should(not extra, f"{len(files)} files and no other", f"{extra[0] if extra else ''} is there, too",
               hint="PATH.tmp is renamed when it is complete, and removed when anything fails")


def should_tell(run, shop: Shop) -> None:
    """Each failure is logged once, with its stage, and counted there."""
    got = [(one["value"]["stage"], one["value"]["url"], one["value"]["error"]) for one in run.trace.reports
           if one["name"] == "failure"]
    for one in shop.failures:
        same = [other for other in got if other[1] == one[1]]
        run.should(same == [one], f"log_error is told of {one[1]} once: {one[0]}, {error(one[2])}",
                   " and ".join(f"{other[0]}, {error(other[2])}" for other in same) or "it was not told of it",
                   hint="the table in the handout says which stage finds what")
    run.should(len(got) == len(shop.failures), f"{len(shop.failures)} failures are logged", f"{len(got)}",
               hint="a good order is no failure")
    failed = {stage: sum(one[0] == stage for one in shop.failures) for stage in STAGES}
    left = len(run.asked)
    for stage in STAGES:
        left -= failed[stage]
        for key, right in (("failed", failed[stage]), ("done", left)):
            run.should(run.report[key][stage] == right, f"{key}[{stage}] is {right}", f"it is {run.report[key][stage]}",
                       hint="each item counts once in each stage that it reaches: in done or in failed")


def waiting(run) -> tuple[int, int]:
    """The most orders at the end of an instant that were asked for but not yet handed to a CPU worker; and that were
    handed to one, but whose file was not yet begun. Where all orders are good."""
    most, now, begun = [0, 0], [0, 0], set()
    for _, instant in itertools.groupby(run.events, key=lambda event: event["t"]):
        for event in instant:
            if event["from"] != "world":
                continue
            if event["ev"] == "http.start":
                now[0] += 1
            elif event["ev"] == "cpu.submit":
                now[0] -= 1
                now[1] += 1
            elif event["ev"] == "file.start" and event["path"].removesuffix(".tmp") not in begun:
                begun.add(event["path"].removesuffix(".tmp"))
                now[1] -= 1
        most = [max(pair) for pair in zip(most, now)]
    return most[0], most[1]


def should_be_as_quick(run, reference) -> None:
    """The same requests at the same times as the reference's, and done when it is."""
    for mine, right in zip(run.requests, reference.requests):
        begun, wanted = mine.start - run.requests[0].start, right.start - reference.requests[0].start
        run.should(begun == wanted, f"the request for {right.url} begins after {show(Duration(wanted))}",
                   f"after {show(Duration(begun))}",
                   hint="a fetcher takes the next URL as soon as it has put the last item; each queue holds "
                        "options->bound, no more and no less")
    run.should(run.elapsed == reference.elapsed, f"{show(reference.elapsed)}, as long as the reference solution takes",
               f"it took {show(run.elapsed)}",
               hint="a worker that has something to do and somewhere to put it never waits. Has one been sent home "
                    "while there was still work?")


@points(4, "timing", needs=("test_back_pressure", "test_stages_overlap"))
def test_fifty_through_queues_of_two(lab):
    """Fifty orders through queues of two (11, 12, 16)"""
    shop = Shop(lab, "fifty")
    for i in range(50):
        if i % 10 == 0:
            shop.site(f"shop{i}")
        shop.orders(1, 5_000, 200_000)
    shop.world.disk(ms(40), bandwidth=20_000)
    settings = {"bound": 2}
    run = lab.run("pipeline", shop.world, settings=settings)
    should_leave(run, shop.files)
    for most, where in zip(waiting(run), ("fetched, or being fetched, whose transform has not begun",
                                          "transformed whose file has not been begun")):
        run.should(most <= 5, f"with 3 workers and a bound of 2, at most 5 orders are {where}", f"{most}",
                   hint="give both queues options->bound")
    should_be_as_quick(run, lab.reference("pipeline", shop.world, settings=settings))


@points(4, "timing", needs=("test_stages_overlap", "test_workers_of_each_stage"))
def test_as_quick_as_the_reference(lab):
    """As quick as the reference with other numbers (10, 12)"""
    for n, (workers, bound, cost, latency) in enumerate([(1, 1, us(300), ms(30)), (2, 5, us(900), ms(10)),
                                                         (5, 1, us(100), ms(120)),
                                                         (4, 2, us(1500), ms(25))]):
        shop = Shop(lab, f"numbers {n}")
        for i in range(14):
            if i % 5 == 0:
                shop.site(f"shop{i}")
            shop.orders(1, 5_000, 150_000)
        shop.world.disk(latency, bandwidth=10_000)
        settings = {"workers": workers, "bound": bound, "cost": cost}
        with lab.part(1, f"{workers} workers, a bound of {bound}, {show(cost)} a byte"):
            run = lab.run("pipeline", shop.world, settings=settings)
            should_be_as_quick(run, lab.reference("pipeline", shop.world, settings=settings))


@points(3, "robustness", needs=("test_in_any_order", "test_workers_survive"))
def test_failures_in_any_order(lab):
    """Failures and files are the same in any order (13, 17)"""
    shop = Shop(lab, "any order")
    shop.site("shop")
    for stage in STAGES:
        shop.orders(2, 50_000, 50_000)
        shop.bad_order(stage, ms(50))
    shop.orders(2, 50_000, 50_000)
    shop.world.disk(ms(10), faults=shop.faults)
    for run in lab.run_orders("pipeline", shop.world, orders=4, settings={"workers": 2, "bound": 1, "cost": 0}):
        should_leave(run, shop.files)
        should_tell(run, shop)


@points(3, "robustness", needs="test_cancelled_half_way")
def test_cancelled_at_any_time(lab):
    """Cancelled at any time, it leaves no half file (18, 19)"""
    shop = Shop(lab, "cancelled")
    shop.site("shop")
    shop.orders(9)
    shop.world.disk(ms(60))
    whole = lab.reference("pipeline", shop.world)
    calls = [call for call in whole.file_calls if call.end is not None]
    some = calls[len(calls) // 2]
    moments = {"while a file is being opened": next(call for call in calls[len(calls) // 3:] if call.call == "open").t
               + ms(1),
               "while one is being written": next(call for call in calls[len(calls) // 3:] if call.call == "write").t
               + ms(1),
               "before the first answer": whole.requests[0].end // 2,
               "at an arbitrary moment": some.t + us(lab.rng.randint(1, 50_000)),
               "while one is being renamed": next(call for call in calls[len(calls) // 3:] if call.call == "rename").t
               + ms(1)}
    for name, after in moments.items():
        run = lab.run("cancel", shop.world, settings={"after": int(after)})
        run.should(run.report["rc"] == -errno.ECANCELED, f"cancelled {name}, it returns -ECANCELED",
                   f"it returned {error(run.report['rc'])}", hint="return what co_join returned")
        wrong = next((path for path in run.files if run.files[path] != shop.files.get(path)), None)
        run.should(wrong is None, f"cancelled {name}, it leaves whole files and no .tmp",
                   f"{wrong} holds {run.files.get(wrong or '')!r}",
                   hint="whatever write_whole returns: unless it is 0, PATH.tmp is gone. A shield lets the removal "
                        "happen in a task that was cancelled")
        if run.leaks:
            run.should_leak_nothing()


@points(2, "robustness", needs=("test_write_failures", "test_write_fails"))
def test_disk_full(lab):
    """A full disk costs the one file it has no room for (5, 13)"""
    shop = Shop(lab, "full")
    shop.site("shop")
    shop.orders(4)
    long = shop.order(ms(10), "Wolfeschlegelsteinhausenbergerdorff, " * 60)
    del shop.files[long]
    shop.failures.append(("write", shop.world.urls()[-1], -errno.ENOSPC))
    shop.orders(4)
    shop.world.disk(ms(10), capacity=2_000)
    run = lab.run("pipeline", shop.world, may_fail=True)
    should_tell(run, shop)
    should_leave(run, shop.files)


@points(3, "robustness", needs="test_workers_survive")
def test_all_kinds_of_failures(lab):
    """Failures of all kinds among good orders (13, 14)"""
    shop = Shop(lab, "mixture")
    for i in range(27):
        if i % 9 == 0:
            shop.site(f"shop{i}")
        if i % 2:
            shop.orders(1)
        else:
            shop.bad_order(STAGES[i // 2 % 3], us(shop.rng.randint(10_000, 90_000)))
    shop.world.disk(ms(8), faults=shop.faults)
    run = lab.run("pipeline", shop.world, settings={"workers": 4, "bound": 1}, may_fail=True)
    should_tell(run, shop)
    should_leave(run, shop.files)
    run.should(run.report["rc"] == 0, "pipeline returns 0", f"it returned {error(run.report['rc'])}",
               hint="failing items are no failure of the pipeline")


@points(2, "robustness", needs="test_workers_survive")
def test_nothing_works(lab):
    """Nothing works, and it ends all the same (13, 14, 16)"""
    shop = Shop(lab, "nothing")
    shop.site("shop")
    for i in range(12):
        shop.bad_order("fetch" if i < 8 else "transform", us(shop.rng.randint(10_000, 90_000)))
    run = lab.run("pipeline", shop.world, settings={"workers": 2, "bound": 1}, may_fail=True)
    run.should(run.report["rc"] == 0, "pipeline returns 0", f"it returned {error(run.report['rc'])}",
               hint="failing items are no failure of the pipeline")
    should_tell(run, shop)
    should_leave(run, {})
    run.should_report("throughput", 0.0, hint="no file is in place")
