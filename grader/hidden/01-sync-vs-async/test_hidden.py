"""The hidden checks of lab 01: the requirements of the visible ones in other worlds. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

from looplab import Fault, World, ms, points


def towns(lab, n: int) -> World:
    """n good pages, spread over sites that differ in set-up, round trip and bandwidth."""
    world = World(seed=lab.seed)
    for i in range(n):
        if i % 3 == 0:
            world.site(f"http://town{i}.test", rtt=ms(lab.rng.randint(2, 80)),
                       connect=ms(lab.rng.randint(0, 120)) + ms(lab.rng.randint(0, 40)),
                       bandwidth=lab.rng.choice([50_000, 100_000, 250_000]))
        world.route(f"/{i}", latency=ms(lab.rng.randint(10, 900)), body_size=1000 * lab.rng.randint(0, 20))
    return world


def shuffled(lab, world: World) -> list[str]:
    """The world's URLs in an order of the student's own."""
    urls = world.urls()
    lab.rng.shuffle(urls)
    return urls


def should_store_in_any_order(run) -> None:
    """The right results, whatever their order: that is a check of its own."""
    def key(result: dict) -> list[str]:
        return [str(result[name]) for name in ("error", "status", "length")]

    if sorted(run.results, key=key) != sorted(run.world.answers(run.asked), key=key):
        run.should_give()


@points(3, "timing", needs="test_sync_takes_the_sum")
def test_sync_sum_over_many_sites(lab):
    """fetch_sync takes the exact sum over many servers (1, 9)"""
    world = towns(lab, 21)
    urls = shuffled(lab, world)
    run = lab.run("sync", world, urls)
    run.should_take(sum(world.latencies(urls)), what="the sum of all 21 fetches")
    run.should_give()


@points(3, "timing", needs="test_async_takes_the_longest")
def test_async_longest_over_many_sites(lab):
    """fetch_async takes the longest of many servers (10)"""
    world = towns(lab, 24)
    urls = shuffled(lab, world)
    run = lab.run("async", world, urls)
    run.should_ask_once()
    run.should_take(max(world.latencies(urls)), what="as long as the longest of 24 fetches")
    run.should_peak_at(24)
    should_store_in_any_order(run)


@points(5, "timing", needs="test_async_takes_the_longest")
def test_async_500_urls(lab):
    """500 URLs take as long as the longest (7, 10)"""
    world = World(seed=lab.seed).site("http://many.test", rtt=ms(30), connect=ms(10))
    sizes = lab.rng.sample(range(5000), 500)
    for i in range(500):
        world.route(f"/{i}", latency=ms(lab.rng.randint(50, 2000)), body_size=sizes[i])
    run = lab.run("async", world)
    run.should_ask_once()
    run.should_take(max(world.latencies()), what="as long as the longest of 500 fetches")
    run.should_peak_at(500)
    should_store_in_any_order(run)


@points(2, "correctness", needs="test_async_keeps_input_order")
def test_async_input_order_of_forty(lab):
    """Forty URLs keep the input order (1)"""
    world = World(seed=lab.seed)
    for i in range(40):
        if i % 5 == 0:
            world.site(f"http://site{i}.test", rtt=ms(lab.rng.randint(0, 50)))
        world.route(f"/{i}", latency=ms(lab.rng.randint(1, 999)), body_size=100 + i)
    lab.run("async", world, shuffled(lab, world)).should_give()


@points(1, "correctness", needs="test_lengths_in_bytes")
def test_bodies_of_all_kinds(lab):
    """Lengths of pictures and of films of several megabytes (4)"""
    world = World(seed=lab.seed).site("http://files.test", rtt=ms(20))
    world.route("/picture", latency=ms(100), body=b"\x89PNG\r\n\x1a\n\0\0\0\r" + bytes(lab.rng.randrange(256)
                                                                                       for _ in range(300)))
    world.route("/film", latency=ms(100), body_size=2_000_000 + lab.rng.randint(0, 999_999))
    for mode in ("sync", "async"):
        should_store_in_any_order(lab.run(mode, world))


@points(2, "robustness", needs="test_sync_goes_on_after_errors")
def test_sync_when_nothing_works(lab):
    """fetch_sync when nothing works (5, 9)"""
    world = nothing_works(lab)
    run = lab.run("sync", world, shuffled(lab, world))
    run.should_give()
    run.should_take(sum(world.latencies()), what="the sum, with 30 s for each of the two hanging servers")


@points(2, "robustness", needs="test_async_goes_on_after_errors")
def test_async_when_nothing_works(lab):
    """fetch_async when nothing works (5)"""
    world = nothing_works(lab)
    should_store_in_any_order(lab.run("async", world, shuffled(lab, world)))


def nothing_works(lab) -> World:
    """Each error of the handout's table, twice."""
    world = World(seed=lab.seed)
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
        world.route("/hangs", fault=Fault.hang())
    return world


@points(1, "timing", needs=("test_async_takes_the_longest", "test_async_goes_on_after_errors"))
def test_async_waits_30_s_for_a_hanging_server(lab):
    """A hanging server costs fetch_async 30 s (5, 10)"""
    world = towns(lab, 5).site("http://silent.test", rtt=ms(lab.rng.randint(1, 50))).route("/", fault=Fault.hang())
    run = lab.run("async", world, shuffled(lab, world))
    run.should_take(max(world.latencies()), what="until the kit gives the hanging server up")


@points(2, "correctness", needs=("test_sync_asks_once", "test_async_asks_once"))
def test_duplicates(lab):
    """A URL given twice is fetched twice (6)"""
    world = World(seed=lab.seed).site("http://twins.test", rtt=ms(20))
    for name in "abc":
        world.route(f"/{name}", latency=ms(200), body_size=lab.rng.randint(1, 900))
    urls = world.urls() * 2 + world.urls()[:1] * 2
    lab.rng.shuffle(urls)
    for mode in ("sync", "async"):
        run = lab.run(mode, world, urls)
        should_store_in_any_order(run)
        run.should_ask_once()


@points(3, "timing", needs=("test_sync_takes_the_sum", "test_async_takes_the_longest",
                            "test_compare_measures_both_halves", "test_speedup_has_a_fraction", "test_explain"))
def test_ten_pages_are_five_to_ten_times_faster(lab):
    """Ten pages: exactly as much faster as implied (14, 15)"""
    world = World(seed=lab.seed).site("http://like.test", rtt=ms(20), connect=ms(30))
    for i in range(10):
        world.route(f"/{i}", latency=ms(lab.rng.randint(250, 400)), body="hello")
    # the clock is not at 0 any more
    run = lab.run("compare", world, settings={"delay": ms(lab.rng.randint(100, 900))}, passes=2)
    alone = world.latencies()
    hint = ("how long a call took is co_now() after it, minus co_now() before it: "
            "the clock may stand at any time when compare is called")
    run.should_report("sync_ns", sum(alone), hint=hint)
    run.should_report("async_ns", max(alone), hint=hint)
    right = sum(alone) / max(alone)
    assert 5 <= right <= 10
    run.should_report("speedup", right, tolerance=1e-9 * right)
    run.should_report("bound", "io")


@points(2, "correctness", needs=("test_compare_measures_both_halves", "test_speedup_has_a_fraction", "test_explain",
                                 "test_sync_takes_the_sum", "test_async_takes_the_longest"))
def test_bound_at_the_limit(lab):
    """The bound at 1.5, below it, and for one URL (17)"""
    unit = lab.rng.randint(2, 9) * 100
    for last, bound in ((unit, "io"), (unit - 1, "cpu"), (None, "unknown")):
        world = World(seed=lab.seed).site("http://limit.test").route("/long", latency=ms(2 * unit))
        if last is not None:
            world.route("/short", latency=ms(last))
        run = lab.run("compare", world, passes=2)
        run.should_report("bound", bound, hint="the rule stands in compare.h, above enum bound")
