"""The hidden checks of lab 02: the requirements of the visible ones in other worlds. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

import errno
from heapq import heappush, heapreplace

from looplab import Fault, World, ms, points, sec
from looplab.plain.duration import Duration, show
from looplab.plain.text import count
from looplab.plain.words import error, result as in_words


def towns(lab, sites: int, pages: int, most: int = 900) -> World:
    """Good pages, spread over sites that differ in set-up, round trip and bandwidth; no two of them are done at the
    same instant."""
    world = World(seed=lab.seed)
    latencies = lab.rng.sample(range(10, most), sites * pages)
    for site in range(sites):
        world.site(f"http://town{site}.test", rtt=ms(lab.rng.randint(2, 80)),
                   connect=ms(lab.rng.randint(5, 120)) + ms(lab.rng.randint(0, 40)),
                   bandwidth=lab.rng.choice([50_000, 100_000, 250_000]))
        for page in range(pages):
            world.route(f"/{page}", latency=ms(latencies[site * pages + page]),
                        body_size=1000 * lab.rng.randint(0, 20) + page)
    return world


def shuffled(lab, world: World) -> list[str]:
    """The world's URLs in an order of the student's own."""
    urls = world.urls()
    lab.rng.shuffle(urls)
    return urls


def with_limit(world: World, setup: int, per_host: int) -> Duration:
    """How long good pages take over so many connections to each site: who is first in line gets the one that is free
    first."""
    free: dict[str, list[int]] = {}         # by site: when each of its connections is free
    for url in world.urls():
        site = free.setdefault(url.rsplit("/", 1)[0], [])
        if len(site) < per_host:
            heappush(site, world.total(url))
        else:
            heapreplace(site, site[0] + world.total(url) - setup)
    return Duration(max(map(max, free.values())))


def should_store_in_any_order(run) -> None:
    """The right results, whatever their order: that is a check of its own."""
    def key(result: dict) -> list[str]:
        return [str(result.get(name)) for name in ("error", "status", "length")]

    if sorted(map(key, run.results)) != sorted(map(key, run.world.answers(run.asked))):
        run.should_give()


def told(run) -> list[dict]:
    """What progress was told, in order: the report's value, and its time as "t"."""
    return [{**report["value"], "t": report["t"]} for report in run.trace.reports if report["name"] == "progress"]


def still_open(run) -> int:
    """How many connections were not yet closed when the function returned."""
    opened = set()
    for event in run.trace.events:
        if event["ev"] == "http.connected":
            opened.add(event["conn"])
        elif event["ev"] == "http.closed":
            opened.discard(event["conn"])
        elif event["ev"] == "report" and event["name"] == "result":
            break
    return len(opened)


@points(3, "timing", needs="test_one_uses_the_session")
def test_one_over_many_sites(lab):
    """fetch_url pays one set-up for each of four sites (1, 5)"""
    world = towns(lab, 4, 4)
    urls = shuffled(lab, world)
    run = lab.run("one", world, urls)
    run.should(run.opened == 4, "4 connections opened, one for each site", f"{run.opened}",
               "the session keeps each site's connection for the next fetch")
    right = lab.reference("one", world, urls)
    run.should_take(right.elapsed, what="the sum of the fetches, of which twelve save the set-up")
    run.should_give()


@points(2, "timing", needs="test_all_takes_the_longest")
def test_all_longest_over_many_sites(lab):
    """fetch_all takes the longest of many servers (8)"""
    world = towns(lab, 8, 3)
    urls = shuffled(lab, world)
    run = lab.run("all", world, urls, settings={"per_host": 0})
    run.should_ask_once()
    run.should_take(max(world.latencies(urls)), what="as long as the longest of 24 fetches")
    run.should_peak_at(24)


@points(4, "timing", needs="test_all_takes_what_the_limit_allows")
def test_limits_over_many_sites(lab):
    """The limit holds for each site by itself (9)"""
    world = towns(lab, 3, 8)
    urls = shuffled(lab, world)
    for per_host in (1, lab.rng.randint(2, 4), 12):
        run = lab.run("all", world, urls, settings={"per_host": per_host})
        right = lab.reference("all", world, urls, settings={"per_host": per_host})
        run.should(run.opened == 3 * min(per_host, 8), f"{count(3 * min(per_host, 8), 'connection')} opened, with "
                   f"per_host {per_host} and eight URLs for each of three sites", f"{run.opened}",
                   "the session counts the connections of each site by itself")
        run.should_take(right.elapsed, what=f"with at most {count(per_host, 'connection')} to each of three sites")
        should_store_in_any_order(run)


@points(2, "timing", needs=("test_all_takes_what_the_limit_allows", "test_quiet"))
def test_all_100_urls(lab):
    """A hundred URLs work as well as five (12)"""
    world = towns(lab, 2, 50)
    urls = shuffled(lab, world)
    run = lab.run("quiet", world, urls, settings={"per_host": 10})
    run.should_ask_once()
    run.should_take(lab.reference("quiet", world, urls, settings={"per_host": 10}).elapsed,
                    what="a hundred fetches over twenty connections")
    should_store_in_any_order(run)


@points(4, "timing", needs=("test_all_takes_what_the_limit_allows", "test_progress_tells_the_result"))
def test_all_1000_urls(lab):
    """A thousand URLs over a hundred connections (9, 12)"""
    world = World(seed=lab.seed)
    for site in ("http://many.test", "http://more.test"):
        world.site(site, rtt=ms(30), connect=ms(50))
        for i in range(500):
            world.route(f"/{i}", latency=ms(lab.rng.randint(50, 500)), body_size=lab.rng.randint(0, 5000))
    settings = {"per_host": 50}
    run = lab.run("all", world, settings=settings)
    run.should_ask_once()
    run.should(run.opened == 100, "100 connections opened, 50 to each of two sites", f"{run.opened}",
               "CO_SESSION(session, per_host) keeps the limit")
    run.should_take(with_limit(world, ms(50), 50), what="a thousand fetches over a hundred connections, "
                                                        "first come first served")
    should_store_in_any_order(run)
    done = [call["done"] for call in told(run)]
    run.should(done == list(range(1, 1001)), "progress counts from 1 to 1,000",
               f"it was told {len(done)} times, and done was not 1, 2, 3, ..." if done else "it was never told",
               "one call for each URL, and one counter for all, counted up right before the call")


@points(3, "timing", needs=("test_progress_comes_at_once", "test_progress_tells_the_result"))
def test_progress_of_many(lab):
    """Progress of forty URLs, some of them broken (13, 14)"""
    world = towns(lab, 5, 8)
    world.site("http://bad.test", rtt=ms(20))
    world.route("/reset", latency=ms(910), body_size=900, fault=Fault.reset(after=100)).route("/gone", latency=ms(920),
                                                                                              status=404)
    urls = shuffled(lab, world)
    run = lab.run("all", world, urls, settings={"per_host": 3})
    ends = {request.url: Duration(request.end) for request in run.requests}
    calls = told(run)
    run.should(len(calls) == len(urls), f"progress is told {len(urls)} times", f"it was told {len(calls)} times",
               "once for each URL")
    for call in calls:
        url, stored = urls[call["index"]], run.results[call["index"]]
        run.should(call["t"] == ends[url], f"{url} is told at {show(ends[url])}, when it is done",
                   f"it is told at {show(Duration(call['t']))}",
                   "call on_progress in the task that has fetched the URL, right after fetch_url")
        got = {name: call[name] for name in stored}
        run.should(got == stored, f"told of {url} what stands in out in the end: {in_words(stored)}",
                   f"told: {in_words(got)}", "the result is complete before it is told")


@points(1, "correctness", needs="test_all_keeps_input_order")
def test_input_order_of_many(lab):
    """Forty URLs over few connections keep the input order (7)"""
    world = towns(lab, 5, 8)
    lab.run("all", world, shuffled(lab, world), settings={"per_host": 2}).should_give()


@points(2, "correctness", needs=("test_all_share_one_session", "test_progress_tells_of_each_url"))
def test_duplicates(lab):
    """A URL given twice is fetched twice, and told twice (11, 13)"""
    world = World(seed=lab.seed).site("http://twins.test", rtt=ms(20))
    for name in "abc":
        world.route(f"/{name}", latency=ms(200), body_size=lab.rng.randint(1, 900))
    urls = world.urls() * 2 + world.urls()[:1] * 2
    lab.rng.shuffle(urls)
    run = lab.run("all", world, urls, settings={"per_host": 2})
    run.should_ask_once()
    run.should_give()
    indices = sorted(str(call["index"]) for call in told(run))
    run.should(indices == [str(i) for i in range(len(urls))], "progress is told of each element of out once",
               f"of the elements {', '.join(indices)}",
               "result is &out[i] of the very URL that is done, also where another one is alike")


def nothing_works(lab) -> tuple[World, list[str]]:
    """Each error of the handout's table, twice."""
    world, urls = World(seed=lab.seed), []
    for name in ("one", "two"):
        size = lab.rng.randint(1000, 9000)
        world.site(f"http://closed-{name}.test", rtt=ms(lab.rng.randint(0, 50)), fault=Fault.refused()).route("/")
        world.site(f"http://unknown-{name}.test", resolve=ms(lab.rng.randint(0, 50)),
                   fault=Fault.unresolved()).route("/")
        world.site(f"http://bad-{name}.test", rtt=ms(lab.rng.randint(0, 50)))
        world.route("/reset", latency=ms(lab.rng.randint(0, 500)), body_size=size,
                    fault=Fault.reset(after=lab.rng.randrange(size)))
        world.route("/truncated", latency=ms(lab.rng.randint(0, 500)), body_size=size,
                    fault=Fault.truncate(after=lab.rng.randrange(size)))
        world.route("/round", latency=ms(lab.rng.randint(0, 9)), redirect=f"http://bad-{name}.test/round")
        world.site(f"http://silent-{name}.test", rtt=ms(10)).route("/", fault=Fault.hang())
        urls.append(f"nonsense://bad-{name}.test/")
    urls += world.urls()
    lab.rng.shuffle(urls)
    return world, urls


@points(2, "robustness", needs=("test_one_records_errors", "test_all_goes_on_after_errors",
                                "test_all_keeps_input_order"))
def test_when_nothing_works(lab):
    """Both functions when nothing works (3, 10)"""
    world, urls = nothing_works(lab)
    right = [{"error": -errno.EINVAL, "status": 0, "length": 0} if url.startswith("nonsense") else world.answer(url)
             for url in urls]
    for mode in ("one", "all"):
        run = lab.run(mode, world, urls, settings={"per_host": 0})
        for url, want, got in zip(urls, right, run.results):
            run.should(got == want, f"the result for {url}: {in_words(want)}", in_words(got),
                       "the table of the handout says which error it is")


@points(1, "timing", needs=("test_all_takes_the_longest", "test_all_goes_on_after_errors"))
def test_30_s_for_silent_and_slow_servers(lab):
    """Silent and far too slow servers cost 30 s (3, 8)"""
    world = towns(lab, 2, 3).site("http://silent.test", rtt=ms(lab.rng.randint(1, 50))).route("/", fault=Fault.hang())
    world.site("http://slow.test", rtt=ms(10), bandwidth=1000).route("/", latency=ms(500), body_size=40_000)
    run = lab.run("all", world, shuffled(lab, world), settings={"per_host": 0})
    run.should_take(sec(30), what="until the kit gives them up")
    should_store_in_any_order(run)


@points(1, "correctness", needs="test_lengths_in_bytes")
def test_bodies_of_all_kinds(lab):
    """Lengths of pictures and of films of several megabytes (4)"""
    world = World(seed=lab.seed).site("http://files.test", rtt=ms(20))
    world.route("/picture", latency=ms(100), body=b"\x89PNG\r\n\x1a\n\0\0\0\r" + bytes(lab.rng.randrange(256)
                                                                                       for _ in range(300)))
    world.route("/film", latency=ms(120), body_size=2_000_000 + lab.rng.randint(0, 999_999))
    for mode in ("one", "all"):
        should_store_in_any_order(lab.run(mode, world))


@points(2, "robustness", needs=("test_all_can_be_cancelled", "test_nothing_is_left_behind",
                                "test_progress_tells_of_each_url"))
def test_cancelled_halfway(lab):
    """Cancelled with some done, some waiting, some idle (16, 17)"""
    after = ms(lab.rng.randint(400, 500)) + 500_000     # nothing ends at that instant
    world = World(seed=lab.seed).site("http://busy.test", rtt=ms(20))
    for i in range(8):
        world.route(f"/{i}", latency=ms(lab.rng.randint(150, 300)), body_size=100 * i)
    world.site("http://idle.test", rtt=ms(30)).route("/0", latency=ms(90),
                                                     body="soon done").route("/1", latency=ms(110), body="too")
    run = lab.run("cancel", world, settings={"per_host": 2, "after": after})
    run.should(run.report["rc"] == -errno.ECANCELED, "it returns -ECANCELED", f"it returned {error(run.report['rc'])}",
               "return what co_join (or your way of waiting) returned")
    run.should_take(after, what="until it was cancelled")
    run.should(still_open(run) == 0 and run.report["tasks_left"] == 0, "no task and no open connection is left",
               f"{count(run.report['tasks_left'], 'task')} and {count(still_open(run), 'connection')} left",
               "idle connections are closed with the session, those in use with their requests")
    late = [call for call in told(run) if call["t"] >= after]
    run.should(not late, "nothing is told any more after the cancellation", f"progress was told {len(late)} times",
               "of a URL whose fetch was cancelled nothing is known")
    run.should_leak_nothing()
