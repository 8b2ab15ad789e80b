"""The hidden checks of lab 04: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py); and three that need what it does not draw: 10,000 jobs, jobs
that bring jobs that bring jobs, and other orders.
grader/hidden/README.md names each one's sentence."""

from __future__ import annotations

from collections import Counter

from looplab import Fault, World, ms, points, us
from looplab.asking.visible import visible_checks
from looplab.plain.words import error

visible = visible_checks(__file__)


def any_time(lab, least: int, most: int) -> int:
    """ns; so odd that no two sums meet."""
    return ms(lab.rng.randint(least, most)) + us(lab.rng.randint(1, 999))


@points(1, "correctness")
def test_searched_once(lab):
    """Each job once, in all situations (1)"""
    lab.should_keep(1)


@points(1, "correctness")
def test_searched_order(lab):
    """Jobs begin in their order, in all situations (2)"""
    lab.should_keep(2)


@points(1, "timing")
def test_searched_soon(lab):
    """Jobs begin as soon as possible, in all situations (3)"""
    lab.should_keep(3)


@points(1, "correctness")
def test_searched_further(lab):
    """Further jobs are done, in all situations (4)"""
    lab.should_keep(4)


@points(1, "correctness")
def test_searched_handler(lab):
    """The handler is called for each page, in all situations (5)"""
    lab.should_keep(5)


@points(1, "robustness")
def test_searched_few_tasks(lab):
    """A fixed number of workers, in all situations (6)"""
    lab.should_keep(6)


@points(1, "timing")
def test_searched_limit(lab):
    """The limit is kept, in all situations (7)"""
    lab.should_keep(7)


@points(1, "timing")
def test_searched_limit_of_requests(lab):
    """The limit counts requests only, in all situations (8)"""
    lab.should_keep(8)


@points(1, "robustness")
def test_searched_numbers(lab):
    """Every number works, in all situations (9)"""
    lab.should_keep(9)


@points(1, "timing")
def test_searched_never_blocked(lab):
    """The loop is never blocked, in all situations (10)"""
    lab.should_keep(10)


@points(1, "correctness")
def test_searched_failed(lab):
    """Failures are counted as such, in all situations (11)"""
    lab.should_keep(11)


@points(1, "robustness")
def test_searched_failed_jobs(lab):
    """A failed job ends nothing but itself (12)"""
    lab.should_keep(12)


@points(1, "robustness")
def test_searched_ended(lab):
    """All workers have ended, in all situations (13)"""
    lab.should_keep(13)


@points(1, "robustness")
def test_searched_stop(lab):
    """After pool_stop no request begins, in all situations (14)"""
    lab.should_keep(14)


@points(1, "correctness")
def test_searched_handed_back(lab):
    """Jobs that are left are handed back, in all situations (15)"""
    lab.should_keep(15)


@points(1, "robustness")
def test_searched_cancelled(lab):
    """Cancelled at any instant, it ends (16)"""
    lab.should_keep(16)


@points(1, "robustness")
def test_searched_freed(lab):
    """Everything is freed, in all situations (17)"""
    lab.should_keep(17)


@points(1, "correctness")
def test_searched_by_worker(lab):
    """The statistics of each worker, in all situations (18)"""
    lab.should_keep(18)


@points(1, "correctness")
def test_searched_in_all(lab):
    """The statistics of all, and the time, in all situations (19)"""
    lab.should_keep(19)


@points(2, "robustness", needs=("test_few_tasks_for_many_jobs", "test_failures_are_counted"))
def test_ten_thousand_jobs(lab):
    """10,000 jobs, few tasks, little memory (6)"""
    world = World(seed=lab.seed).site("http://closed.test", rtt=us(lab.rng.randint(100, 900)), fault=Fault.refused())
    for i in range(10):
        world.route(f"/{i}")
    numbers = {"workers": 4, "limit": 3, "repeat": 1000}
    run = visible.pool(lab, world, may_fail=True, **numbers)
    if run.report["rc"] != 0:
        run.fail("10,000 jobs are added and done", f"{'pool_run' if run.requests else 'pool_add'} "
                                                   f"returned {error(run.report['rc'])}", topic="-",
                 hint="is there room for a fixed number of jobs only? How many there are is known to nobody before: "
                      "let the queue grow")
    visible.should_start_few_tasks(run, 4)
    right = visible.plan(world, **numbers)
    visible.should_do(run, right.urls)
    visible.should_count(run, right)
    used = run.memory - lab.memory_of_nothing()
    run.should(used < 24_000_000, "10,000 jobs that wait need little more than a pointer each",
               f"the program grew by {used // 1_000_000} MB",
               hint="is there a task, a stack, or a large struct for each job?")


@points(1, "correctness", needs=("test_further_jobs", "test_limit_counts_requests_only", "test_statistics_add_up",
                                 "test_all_workers_have_ended"))
def test_jobs_that_bring_jobs(lab):
    """Jobs that bring jobs that bring jobs (1, 4)"""
    world = World(seed=lab.seed).site("http://deep.test", rtt=ms(10))

    def page(path: str, *links: str, latency: int = 0) -> None:
        world.route(path, latency=latency or any_time(lab, 100, 300),
                    body="\n".join(f"http://deep.test{link}" for link in links))

    for i in range(4):                  # one after the other, and each time nothing waits meanwhile
        page(f"/{i}", f"/{i + 1}")
    # others may begin at once
    world.route("/4", latency=any_time(lab, 100, 300), body="http://deep.test/a\nhttp://deep.test/b\nwait")
    leaf = any_time(lab, 100, 300)
    page("/a", *(f"/a/{i}" for i in range(9)), latency=any_time(lab, 100, 200))
    page("/b", "/b/0", latency=any_time(lab, 5000, 5999))
    for i in range(9):
        page(f"/a/{i}", latency=leaf)
    page("/b/0")
    first, numbers = ["http://deep.test/0"], {"workers": 6, "limit": 4, "handle": ms(70)}
    run = visible.pool(lab, world, first, **numbers)
    right = visible.plan(world, first, **numbers)
    visible.should_do(run, right.urls)
    visible.should_take_as_planned(run, world, first, **numbers)
    visible.should_count(run, right)
    visible.should_have_ended(run)


@points(3, "robustness", needs=("test_in_every_order", "test_waiting_jobs_are_handed_back"))
def test_stop_and_crawl_in_every_order(lab):
    """A stop, and further jobs, in other orders (20)"""
    world = visible.alike(lab)
    first = [url for url in world.urls() if "/more/" not in url]
    with lab.part(1, "a stop at the instant at which answers come"):
        for run in visible.in_orders(lab, world, first, mode="stop", workers=4, limit=2,
                                     after=world.total(world.urls()[0]), orders=5):
            added = [url for url in world.urls() if "/more/" in url and first[0] in [request.url
                                                                                     for request in run.requests]]
            should_lose_nothing(run, first + added)
    with lab.part(1, "a handler that stops, and others at the same instant"):
        stopped = World(seed=lab.seed).site("http://same.test", rtt=ms(10))
        for i in range(4):
            stopped.route(f"/{i}", latency=ms(100), body="stop" if i == 1 else "")
        for run in visible.in_orders(lab, stopped, workers=4, limit=2, orders=20):
            should_lose_nothing(run, stopped.urls())
    with lab.part(1, "everything at once"):
        for run in visible.in_orders(lab, world, first, workers=6, limit=6, orders=4):
            visible.should_keep_its_promises(run, visible.plan(world, first, workers=6, limit=6), 6)


def should_lose_nothing(run, urls) -> None:
    """Each job was either done or handed back."""
    begun = [request.url for request in run.requests]
    visible.should_do(run, [url for url in urls if url in begun])
    visible.should_hand_back(run, list((Counter(urls) - Counter(begun)).elements()))
    visible.should_have_ended(run)
