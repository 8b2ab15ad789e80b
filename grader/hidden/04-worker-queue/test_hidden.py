"""The hidden checks of lab 04: the requirements of the visible ones in other worlds. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

from looplab import Fault, World, ms, points, us
from looplab.plain.duration import show
from looplab.plain.words import error

_PATH = Path(__file__).resolve().parents[3] / "labs/04-worker-queue/test_visible.py"
_SPEC = importlib.util.spec_from_file_location("visible_04", _PATH)
# the right run, and what a run must show: the same for both files
visible = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = visible
_SPEC.loader.exec_module(visible)


def any_time(lab, least: int, most: int) -> int:
    """ns; so odd that no two sums meet."""
    return ms(lab.rng.randint(least, most)) + us(lab.rng.randint(1, 999))


def towns(lab, n: int) -> World:
    """n pages, most of them good, spread over sites that differ in set-up, round trip and bandwidth."""
    world = World(seed=lab.seed)
    for i in range(n):
        if i % 4 == 0:
            world.site(f"http://town{i}.test", rtt=us(lab.rng.randint(2000, 80000)),
                       connect=us(lab.rng.randint(0, 120000)) + us(lab.rng.randint(0, 40000)),
                       bandwidth=lab.rng.choice([50_000, 100_000, 250_000]))
        world.route(f"/{i}", latency=any_time(lab, 10, 900), body_size=1000 * lab.rng.randint(0, 20),
                    status=lab.rng.choice([200, 200, 200, 404]))
    return world


@points(4, "timing", needs=("test_limit_counts_requests_only", "test_handler_sees_each_page"))
def test_many_numbers(lab):
    """Many workers, limits and handler times (3, 7, 8)"""
    world = towns(lab, 24)
    for workers, limit, handle in ((5, 3, 0), (9, 4, ms(350)), (4, 8, ms(50)), (10, 1, ms(600))):
        numbers = {"workers": workers, "limit": limit, "handle": handle}
        run = visible.pool(lab, world, **numbers)
        reference = lab.reference("pool", world, settings=numbers)
        right = visible.plan(world, **numbers)
        if right.elapsed != reference.elapsed or right.urls != [request.url for request in reference.requests]:
            raise RuntimeError(f"plan() and the reference solution do not agree on {numbers}")
        visible.should_do(run, world.urls())
        visible.should_begin_in_order(run, right)
        visible.should_stay_within_limit(run, limit)
        visible.should_take_as_planned(run, world, **numbers)


@points(3, "robustness", needs=("test_few_tasks_for_many_jobs", "test_failures_are_counted"))
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


@points(3, "correctness", needs=("test_further_jobs", "test_limit_counts_requests_only", "test_statistics_add_up",
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


@points(1, "correctness", needs="test_further_jobs")
def test_the_last_job_adds_one(lab):
    """A single job adds a single one, with one worker (4, 9)"""
    world = World(seed=lab.seed).site("http://pair.test").route("/1", latency=any_time(lab, 100, 900),
                                                                body="http://pair.test/2")
    world.route("/2", latency=any_time(lab, 100, 900))
    for numbers in ({"workers": 1, "limit": 1}, {"workers": 3, "limit": 1}):
        run = visible.pool(lab, world, world.urls()[:1], **numbers)
        visible.should_do(run, world.urls())
        visible.should_take_as_planned(run, world, world.urls()[:1], **numbers)


def stops(lab) -> World:
    """A page says stop while others are under way; one of these names a further job after that."""
    world = World(seed=lab.seed).site("http://post.test", rtt=ms(10))
    world.route("/1", latency=any_time(lab, 100, 200), body="a letter")
    world.route("/2", latency=any_time(lab, 800, 900), body="http://post.test/late\nhttp://post.test/later")
    world.route("/3", latency=any_time(lab, 300, 400),
                body="http://post.test/before\nstop\nstop\nhttp://post.test/after")
    world.route("/4", latency=any_time(lab, 700, 750), status=500)
    for i in range(5, 12):
        world.route(f"/{i}", latency=any_time(lab, 100, 200))
    return world


@points(3, "correctness", needs=("test_waiting_jobs_are_handed_back", "test_failures_are_counted",
                                 "test_all_workers_have_ended",
                            "test_further_jobs"))
def test_handler_that_stops(lab):
    """A handler stops; later jobs are handed back (14, 15)"""
    world = stops(lab)
    for numbers in ({}, {"workers": 3, "limit": 3}):
        run = visible.pool(lab, world, **numbers)
        right = visible.plan(world, **numbers)
        visible.should_stop_as_planned(run, world, **numbers)
        visible.should_hand_back(run, right.left)
        visible.should_count(run, right)
        visible.should_have_ended(run)


@points(2, "robustness", needs=("test_waiting_jobs_are_handed_back", "test_failures_are_counted",
                                "test_limit_counts_requests_only"))
def test_stop_while_workers_wait_for_places(lab):
    """After a stop, who waits for a place begins nothing (14)"""
    world = towns(lab, 16)
    numbers = {"workers": 9, "limit": 2, "handle": ms(90), "after": any_time(lab, 700, 900)}
    run = visible.pool(lab, world, mode="stop", **numbers)
    right = visible.plan(world, **numbers)
    visible.should_stop_as_planned(run, world, **numbers)
    visible.should_hand_back(run, right.left)
    visible.should_count(run, right)


@points(1, "robustness", needs=("test_waiting_jobs_are_handed_back", "test_statistics_add_up"))
def test_stop_before_run(lab):
    """Stopped before pool_run, no job begins (14, 15)"""
    world = towns(lab, 8)
    run = visible.pool(lab, world, mode="stop", after=0)
    run.should(not run.requests, "no request", f"{len(run.requests)}",
               hint="pool_stop may come before pool_run: does pool_run set what pool_stop had set back?")
    run.should(run.elapsed == 0, "pool_run returns at once: there is nothing to do", f"it took {show(run.elapsed)}",
               hint="pool_stop came before pool_run: nothing is left to wait for")
    visible.should_hand_back(run, world.urls())
    visible.should_count(run, visible.plan(world, after=0))


@points(2, "robustness", needs=("test_failures_are_counted", "test_limit_counts_requests_only",
                                "test_statistics_of_each_worker"))
def test_when_nothing_works(lab):
    """Every job fails, in every way (11, 12)"""
    world = World(seed=lab.seed)
    for name in ("one", "two", "three"):
        world.site(f"http://closed-{name}.test", rtt=us(lab.rng.randint(1000, 50000)), fault=Fault.refused()).route("/")
        world.site(f"http://unknown-{name}.test", resolve=us(lab.rng.randint(1000, 50000)),
                   fault=Fault.unresolved()).route("/")
        world.site(f"http://bad-{name}.test", rtt=us(lab.rng.randint(1000, 50000)))
        world.route("/reset", latency=any_time(lab, 1, 500), body_size=900, fault=Fault.reset(after=100))
        world.route("/truncated", latency=any_time(lab, 1, 500), body_size=900, fault=Fault.truncate(after=100))
        world.route("/status", latency=any_time(lab, 1, 500), status=400, body="http://bad-one.test/never")
        world.route("/nonsense", latency=any_time(lab, 1, 500), body="bad")
        world.route("/hangs", fault=Fault.hang())
    numbers = {"workers": 4, "limit": 2, "handle": ms(30)}
    run = visible.pool(lab, world, **numbers)
    visible.should_do(run, world.urls())
    visible.should_take_as_planned(run, world, **numbers)
    visible.should_count(run, visible.plan(world, **numbers))
    visible.should_count_by_worker(run)


@points(1, "robustness", needs="test_open_and_close")
def test_cancelled_while_handlers_wait(lab):
    """Cancelled while handlers wait and workers are free (16)"""
    world = World(seed=lab.seed).site("http://few.test", rtt=ms(10))
    for i in range(3):
        world.route(f"/{i}", latency=any_time(lab, 10, 99))
    after = any_time(lab, 200, 300)
    run = visible.pool(lab, world, mode="cancel", after=after, handle=ms(500), workers=6, limit=2, may_fail=True)
    visible.should_end_when_cancelled(run, after)
    run.should_leak_nothing()


@points(1, "correctness", needs="test_jobs_begin_as_soon_as_possible")
def test_duplicates(lab):
    """A URL added twice is two jobs (1)"""
    world = World(seed=lab.seed).site("http://twins.test", rtt=ms(20))
    for name in "abc":
        world.route(f"/{name}", latency=any_time(lab, 100, 300))
    urls = world.urls() * 2 + world.urls()[:1] * 2
    lab.rng.shuffle(urls)
    run = visible.pool(lab, world, urls)
    visible.should_do(run, urls)
    visible.should_begin_in_order(run, visible.plan(world, urls))


@points(1, "correctness", needs=("test_statistics_of_each_worker", "test_failures_are_counted",
                                 "test_limit_counts_requests_only",
                            "test_waiting_jobs_are_handed_back"))
def test_statistics_of_a_mixed_run(lab):
    """Statistics with failures, a handler and a stop (18, 19)"""
    world = towns(lab, 16)
    numbers = {"workers": 6, "limit": 3, "handle": ms(40)}
    for mode, more in (("pool", {}), ("stop", {"after": any_time(lab, 500, 700)})):
        run = visible.pool(lab, world, mode=mode, **numbers, **more)
        visible.should_count_by_worker(run)
        visible.should_count(run, visible.plan(world, **numbers, **more))
        visible.should_tell_its_time(run)


@points(3, "robustness", needs=("test_in_every_order", "test_handler_that_stops"))
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
