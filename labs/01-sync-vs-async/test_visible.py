"""The visible checks of lab 01. The numbers in brackets are the requirements' in README.md, "What your functions must
do"."""

from __future__ import annotations

import errno

from looplab import Fault, World, ms, points, sec
from looplab.plain import seed
from looplab.plain.duration import show
from looplab.plain.words import error

LEAST_COVERED = 85     # per cent of the lines; the rest is room for what handles a failed malloc
BOTH = ("test_sync_results", "test_async_results")


def pages(lab, n: int = 10, like: bool = False) -> World:
    """n good pages with latencies and sizes of the student's own; a fetch costs 40 ms more than its latency.

    like: they take equally long, so that their answers come in the order of the requests. The numbers are the same for
    every check that asks, so these share their runs.
    """
    rng = seed.rng(lab.seed, "pages")
    world = World(seed=lab.seed).site("http://news.test", rtt=ms(20), connect=ms(20))
    sizes = rng.sample(range(100, 9000), n)
    latencies = [rng.randint(150, 400)] * n if like else [rng.randint(150, 400) for _ in range(n)]
    for i, (latency, size) in enumerate(zip(latencies, sizes)):
        world.route(f"/{i}", latency=ms(latency), body_size=size)
    return world


def good_and_bad(lab) -> World:
    """Good pages, and between them one of each error of the handout's table."""
    size = lab.rng.randint(2000, 6000)
    world = World(seed=lab.seed)
    world.site("http://good.test", rtt=ms(20)).route("/first", latency=ms(lab.rng.randint(100, 300)), body="the first")
    world.site("http://closed.test", rtt=ms(10), fault=Fault.refused()).route("/")
    world.site("http://bad.test", rtt=ms(20))
    world.route("/reset", latency=ms(lab.rng.randint(50, 90)), body_size=size, fault=Fault.reset(after=size // 3))
    world.route("/good", latency=ms(lab.rng.randint(100, 300)), body="good, on a bad server")
    world.route("/truncated", latency=ms(lab.rng.randint(50, 90)), body_size=size,
                fault=Fault.truncate(after=size // 2))
    world.route("/hangs", fault=Fault.hang())
    world.site("http://unknown.test", resolve=ms(5), fault=Fault.unresolved()).route("/")
    world.site("http://last.test", rtt=ms(20)).route("/", latency=ms(lab.rng.randint(100, 300)), body="the last one")
    return world


def statuses(lab) -> World:
    """Answers of which some are no 200, each with a page of its own."""
    world = World(seed=lab.seed).site("http://shop.test", rtt=ms(20))
    for i, status in enumerate([200, 404, 500, 204, 403]):
        size = 0 if status == 204 else lab.rng.randint(10 * i + 1, 10 * i + 10)
        world.route(f"/{status}", latency=ms(200), status=status, body_size=size)
    return world


def should_store(run) -> None:
    """The right result for every URL, in its place."""
    missing = any("never written" in result.values() for result in run.results)
    run.should_give(hint="out holds garbage when you get it: store error, status and length of every element"
                    if missing else "")


def should_store_in_any_order(run) -> None:
    """The right results, whatever their order: that is a check of its own."""
    def key(result: dict) -> list[str]:
        return [str(result[name]) for name in ("error", "status", "length")]

    if sorted(run.results, key=key) != sorted(run.world.answers(run.asked), key=key):
        should_store(run)


def should_return_0(run) -> None:
    """Errors of single URLs are no error of the function."""
    if run.report["rc"] != 0:
        run.fail("the function returns 0", f"it returned {error(run.report['rc'])}", topic="refusal",
                 hint="the errors of single URLs stand in out; the function itself has done its work, and returns 0")


# ---- fetch_sync -----------------------------------------------------------------------------


@points(4, "correctness")
def test_sync_results(lab):
    """fetch_sync stores what became of every URL (1, 2)"""
    run = lab.run("sync", pages(lab), todo="fetch_sync, TODO 1")
    should_store(run)


@points(1, "correctness", needs="test_sync_results")
def test_sync_asks_once(lab):
    """fetch_sync fetches each URL once, not more often (6)"""
    lab.run("sync", pages(lab)).should_ask_once()


@points(3, "timing", needs="test_sync_asks_once")
def test_sync_takes_the_sum(lab):
    """fetch_sync takes exactly the sum of all fetches (9)"""
    world = pages(lab)
    run = lab.run("sync", world)
    run.should_take(sum(world.latencies()), what="the sum of all ten fetches",
                    hint="fetch_sync calls http_get_blocking once for each URL, and nothing else that takes time")
    run.should_stay_within(1, hint="fetch_sync fetches one after the other")
    waited = [request.url for request in run.requests if not request.blocking]
    run.should(not waited, "fetch_sync fetches with http_get_blocking", f"{len(waited)} of its requests did not block",
               hint="co_http_get belongs into the other half: here you measure what blocking costs")


@points(2, "correctness", needs="test_sync_results")
def test_sync_records_404(lab):
    """fetch_sync takes a 404 for an answer (3)"""
    should_store(lab.run("sync", statuses(lab)))


@points(4, "robustness", needs="test_sync_results")
def test_sync_goes_on_after_errors(lab):
    """fetch_sync records errors and goes on (2, 5)"""
    run = lab.run("sync", good_and_bad(lab), may_fail=True)
    should_store(run)
    should_return_0(run)


# ---- fetch_async ----------------------------------------------------------------------------


@points(4, "correctness")
def test_async_results(lab):
    """fetch_async stores what became of every URL (2)"""
    run = lab.run("async", pages(lab, like=True), todo="fetch_async, TODOs 2 to 4")
    if not run.requests and run.spawns:
        task = run.spawns[-1]
        hint = (f"{task.name}, started at {task.src}, never called co_http_get with a URL. "
                "It runs for the first time when the loop that started it is over: what does it see in its job then, "
                "and what does it do with it? (TODOs 2 and 3)")
        stored = {result["error"] for result in run.results}
        if len(stored) == 1 and isinstance(*stored, int) and min(stored) < 0:
            hint = (f"every result holds {error(min(stored))}: that is what the fetch call returned. "
                    "Call co_http_get in the task itself")
        run.fail("each task fetches its URL", f"{len(run.spawns)} tasks ran, and none made a request", hint,
                 topic="requests" if any(event.get("on") == "job" for event in run.trace.of("await", "runtime"))
                 else "-")
    urls = {request.url for request in run.requests}
    if len(run.requests) > 1 and len(urls) == 1:
        run.fail("each task fetches a URL of its own", f"all of them fetched {min(urls)}", topic="requests",
                 hint="do all tasks share one job? Each needs its own, "
                      "and it must live until the task has ended (TODOs 2 and 4)")
    should_store_in_any_order(run)


@points(1, "correctness", needs="test_async_results")
def test_async_asks_once(lab):
    """fetch_async fetches each URL once, not more often (6)"""
    lab.run("async", pages(lab)).should_ask_once()


@points(3, "timing", needs="test_async_results")
def test_async_never_blocks(lab):
    """fetch_async never blocks the loop (11)"""
    run = lab.run("async", pages(lab))
    run.should_never_block(hint="fetch with co_http_get in this half")


@points(1, "timing", needs="test_async_asks_once", idea=True)
def test_async_overlaps(lab):
    """fetch_async fetches at once, not one by one (10)"""
    world = pages(lab)
    run = lab.run("async", world)
    if 2 * run.elapsed > sum(world.latencies()):
        run.fail(f"ten fetches at the same time: {show(max(world.latencies()))}",
                 f"it took {show(run.elapsed)}; one after the other they take {show(sum(world.latencies()))}",
                 "start all tasks first, then wait for all", topic="timing",
                 values=(max(world.latencies()), run.elapsed))


@points(5, "timing", needs=("test_async_asks_once", "test_async_never_blocks"))
def test_async_takes_the_longest(lab):
    """fetch_async takes exactly the longest fetch (10)"""
    world = pages(lab)
    run = lab.run("async", world)
    run.should_take(max(world.latencies()), what="as long as the longest of ten fetches",
                    hint="start all tasks first, then wait for all")
    run.should_peak_at(10, hint="each URL has a task of its own, and no task starts late")


@points(4, "correctness", needs="test_async_results")
def test_async_keeps_input_order(lab):
    """fetch_async keeps the input order (1)"""
    world = World(seed=lab.seed).site("http://late.test", rtt=ms(20))
    for i, size in enumerate(lab.rng.sample(range(1, 1000), 6)):
        world.route(f"/{i}", latency=ms(600 - 100 * i + lab.rng.randint(-20, 20)), body_size=size)
    lab.run("async", world).should_give(hint="give each task a pointer to its own place: &out[i]")


@points(2, "correctness", needs="test_async_results")
def test_async_records_404(lab):
    """fetch_async takes a 404 for an answer (3)"""
    should_store_in_any_order(lab.run("async", statuses(lab)))


@points(4, "robustness", needs="test_async_results")
def test_async_goes_on_after_errors(lab):
    """fetch_async records errors, the others go on (2, 5)"""
    run = lab.run("async", good_and_bad(lab), may_fail=True)
    should_store_in_any_order(run)
    should_return_0(run)


@points(3, "robustness", needs=("test_async_takes_the_longest", "test_async_waits_for_every_task"))
def test_async_can_be_cancelled(lab):
    """fetch_async ends when it is cancelled (8, 13)"""
    run = lab.run("cancel", pages(lab))      # each page takes longer than the 100 ms after which main.c cancels
    if run.report["rc"] != -errno.ECANCELED:
        run.fail("it returns -ECANCELED", f"it returned {error(run.report['rc'])}", topic="cancelled",
                 hint="return what co_join (or your way of waiting) returned")
    run.should_take(ms(100), what="until it was cancelled", hint="a call that returned -ECANCELED means: stop waiting, "
                                                                 "clean up, return")
    late = [request.url for request in run.requests if request.rc is None or request.end > ms(100)]
    run.should(not late, "every fetch ends when fetch_async is cancelled", f"{len(late)} went on, {late[:1]} first",
               hint="tasks of a group are cancelled with the task that waits for them")
    answers = [leak for leak in run.leaks if leak.what == "response"]
    run.should(not answers, "every answer is freed, also after a cancellation", f"{len(answers)} were not",
               hint="a way out of your task that leaves co_response_free out: is there a return in front of it?",
               src=answers[0].src if answers else None)


# ---- Both -----------------------------------------------------------------------------------


@points(2, "correctness", needs=BOTH)
def test_lengths_in_bytes(lab):
    """The length is right for empty and binary bodies (4)"""
    world = World(seed=lab.seed).site("http://files.test", rtt=ms(20))
    world.route("/empty", latency=ms(100))
    world.route("/zeros", latency=ms(100), body=b"\0" * lab.rng.randint(2, 50))
    world.route("/mixed", latency=ms(100), body=b"ab\0cd" * lab.rng.randint(2, 50))
    for mode in ("sync", "async"):
        should_store_in_any_order(lab.run(mode, world))


@points(2, "robustness", needs=BOTH)
def test_none_and_one(lab):
    """Both halves work for no URL and for one (7)"""
    nothing = World(seed=lab.seed)
    one = pages(lab, 1)
    for mode in ("sync", "async"):
        run = lab.run(mode, nothing, [])
        run.should_give([])
        run.should_take(0, what="n is 0, there is nothing to wait for", hint="for n = 0, do nothing, and return 0")
        should_store(lab.run(mode, one))


@points(2, "robustness", needs="test_async_results")
def test_async_waits_for_every_task(lab):
    """fetch_async waits for every task it starts (12)"""
    run = lab.run("async", pages(lab))
    if any(leak.what == "task" for leak in run.leaks):
        run.should_leak_nothing()


@points(2, "robustness", needs=(*BOTH, "test_async_waits_for_every_task"))
def test_nothing_is_left_behind(lab):
    """Nothing is left behind, every answer is freed (8)"""
    world = pages(lab)
    with lab.part(1, "after fetch_sync"):
        lab.run("sync", world).should_leak_nothing()
    with lab.part(1, "after fetch_async"):
        lab.run("async", world).should_leak_nothing()


# ---- compare and explain --------------------------------------------------------------------


@points(2, "correctness", needs=BOTH)
def test_compare_runs_both_halves(lab):
    """compare calls each half once, with all URLs (14)"""
    world = pages(lab)
    run = lab.run("compare", world, passes=2, todo="compare, TODO 5")
    run.should(bool(run.requests), "compare calls fetch_sync and fetch_async", "it made no request",
               hint="begin with compare, TODO 5")
    halves = sorted(request.url for half in ("sync", "async") for request in lab.run(half, world).requests)
    run.should(sorted(request.url for request in run.requests) == halves,
               f"{len(halves)} requests, as many as by both halves together",
               f"{len(run.requests)} requests", hint="compare calls fetch_sync once and fetch_async once, "
                                                     "each with all n URLs")
    run.should_report("n", 10, hint="report->n is the number of URLs")


@points(3, "timing", needs="test_compare_runs_both_halves")
def test_compare_measures_both_halves(lab):
    """compare measures both halves whole, fetch_sync first (14)"""
    world = pages(lab)
    run = lab.run("compare", world, passes=2)
    blocking = [request.blocking for request in run.requests]
    run.should(blocking[0] or not any(blocking), "compare calls fetch_sync first", "it called fetch_async first",
               hint="the contract says: fetch_sync, then fetch_async. Swap the two calls")
    took = {half: lab.run(half, world).elapsed for half in ("sync", "async")}
    for half in took:
        hint = f"{half}_ns is co_now() after the call of fetch_{half}, minus co_now() right before it"
        got = run.report[f"{half}_ns"]
        alone = world.latencies()
        if got == -1:
            hint = f"report->{half}_ns was never stored"
        elif got == 0:
            hint = (f"nothing was measured: read co_now() before and after the call of fetch_{half}. (clock() counts "
                    "computing, and waiting is none.)")
        elif got % sec(1) == 0 and abs(got - took[half]) < sec(1):
            hint = "these are whole seconds: time() is too coarse a clock, read co_now() before and after the call"
        elif half == "async" and got == sum(alone):
            hint = "that is the sum of the single fetches, but they overlap: measure the call of fetch_async as a whole"
        elif got in alone:
            hint = f"that is how long one of the fetches took: measure the call of fetch_{half} as a whole"
        elif half == "async" and got == took["sync"] + took["async"]:
            hint = "the clock does not start anew for the second half: read co_now() again right before fetch_async"
        run.should_report(f"{half}_ns", took[half], hint=hint)


@points(2, "robustness", needs=("test_async_can_be_cancelled", "test_compare_runs_both_halves"))
def test_compare_hands_on_cancellation(lab):
    """compare returns the -ECANCELED of fetch_async (16)"""
    run = lab.run("cancel-compare", pages(lab))
    run.should(run.report["rc"] == -errno.ECANCELED, "it returns -ECANCELED", f"it returned {error(run.report['rc'])}",
               hint="compare returns the first error that fetch_sync or fetch_async returned")


def should_divide(run) -> None:
    """speedup is sync_ns / async_ns of the same report, whatever these are: they have their own check."""
    sync, together = run.report["sync_ns"], run.report["async_ns"]
    right = sync / together if together > 0 else 1.0
    hint = ""
    got = run.report["speedup"]
    if isinstance(got, float) and got != right:
        if sync and abs(got - together / sync) < 1e-9:
            hint = ("it is the wrong way round: async_ns / sync_ns. "
                    "Four times faster means that sync_ns is four times async_ns")
        elif got == right // 1:
            hint = "an integer division drops the fraction: make the numbers double before you divide them"
        elif got == round(right) or abs(got - right) < 0.06:
            hint = "do not round it"
    run.should_report("speedup", right, tolerance=1e-9 * right,
                      hint=hint or f"{sync / 1e6:g} ms one after the other, {together / 1e6:g} ms together: "
                                   "sync_ns / async_ns")


@points(3, "correctness", needs="test_compare_runs_both_halves")
def test_speedup(lab):
    """The speed-up is sync_ns / async_ns (15)"""
    should_divide(lab.run("compare", pages(lab, like=True), passes=2))


@points(2, "correctness", needs="test_speedup")
def test_speedup_has_a_fraction(lab):
    """The speed-up is a double, not rounded (15)"""
    first = lab.rng.randint(2, 9) * 100
    world = World(seed=lab.seed).site("http://uneven.test")     # sums up to 2.1 to 2.9 times the longest
    for i, latency in enumerate((1000, 1000, first)):
        world.route(f"/{i}", latency=ms(latency), body="hello")
    should_divide(lab.run("compare", world, passes=2))


@points(1, "robustness", needs=("test_none_and_one", "test_compare_runs_both_halves"))
def test_speedup_of_nothing(lab):
    """Without URLs the speed-up is 1.0 (7, 15)"""
    run = lab.run("compare", World(seed=lab.seed), [], passes=2)
    run.should_report("speedup", 1.0, hint="with n = 0 both times are 0: do not divide, say 1.0 (TODO 5)")
    for key in ("n", "sync_ns", "async_ns"):
        run.should_report(key, 0)


@points(3, "correctness")
def test_explain(lab):
    """explain tells waiting from computing (17)"""
    cases = lab.run("explain", World(seed=lab.seed), []).report["explained"]
    wrong = [case for case in cases if case["bound"] != bound_of(case)]
    if wrong:
        first, others = wrong[0], f" (and {len(wrong) - 1} more of {len(cases)} cases are wrong)" if len(wrong) > 1 \
            else ""
        lab.fail(f"n {first['n']}, speed-up {first['speedup']:g}: {bound_name(bound_of(first))}",
                 f"explain said {bound_name(first['bound'])}{others}", why_explain(cases, wrong))


def bound_of(case: dict) -> str:
    """The rule of compare.h."""
    return "unknown" if case["n"] < 2 else "cpu" if case["speedup"] < 1.5 else "io"


def bound_name(bound: str) -> str:
    """As it stands in compare.h."""
    return f"BOUND_{bound.upper()}" if bound in ("unknown", "cpu", "io") else bound


def why_explain(cases: list[dict], wrong: list[dict]) -> str:
    """What the wrong answers of explain have in common."""
    rule = "the rule stands in compare.h above enum bound, and the first line that fits counts (TODO 6)"
    if len({case["bound"] for case in cases}) == 1:
        return f"it says that of every report. {rule[0].upper()}{rule[1:]}"
    if all(case["speedup"] == 1.5 and case["n"] > 1 for case in wrong):
        return ("BOUND_CPU is for a speed-up below 1.5, and 1.5 itself is not below: compare with < 1.5, "
                "or with >= 1.5 (TODO 6)")
    if all(case["n"] < 2 for case in wrong):
        return ("with fewer than two URLs nothing can overlap: ask for n < 2 first, "
                "before you look at the speed-up (TODO 6)")
    overlap = [case for case in cases if case["n"] > 1]
    if {case["bound"] for case in overlap} == {"io", "cpu"}:
        if all(case["bound"] != bound_of(case) for case in overlap):
            return ("it is the wrong way round: a high speed-up means that the waits overlapped, "
                    "so the time had gone into waiting (TODO 6)")
        for key in ("sync_ns", "async_ns"):
            said = [case["bound"] for case in sorted(overlap, key=lambda case: case[key])]
            if said == sorted(said):        # cpu before io: the longer, the more io
                return (f"your answer goes by how long it took ({key}), as if only waiting could take long. "
                        "Computing can, too: only n and speedup count (TODO 6)")
    return rule


@points(2, "timing", needs=("test_async_asks_once", "test_async_never_blocks", "test_compare_measures_both_halves",
                             "test_speedup", "test_explain"))
def test_computing_does_not_overlap(lab):
    """Computing does not overlap: 1.0, BOUND_CPU (17)"""
    world = World(seed=lab.seed).site("http://heavy.test")
    for i in range(6):
        world.route(f"/{i}", cpu=ms(lab.rng.randint(100, 300)), body="answer")
    run = lab.run("compare", world, passes=2)
    run.should_report("sync_ns", sum(world.latencies()))
    run.should_report("async_ns", sum(world.latencies()), hint="each answer costs the one thread its time, "
                                                               "in both halves")
    run.should_report("speedup", 1.0)
    run.should_report("bound", "cpu")


# ---- The code -------------------------------------------------------------------------------


@points(3, "robustness", needs=BOTH, last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (8, 18)"""
    lab.should_be_clean()


@points(4, "coverage", needs=BOTH)
def test_coverage(lab):
    """The checks run 85 % of your lines (19)"""
    seen = lab.coverage()
    if seen.line_percent >= LEAST_COVERED:
        return
    pieces = [piece for piece in seen.pieces() if piece.lines]
    named = ", ".join(f"{piece.src} ({piece.lines} line{'s' if piece.lines > 1 else ''})" for piece in pieces[:5])
    lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines",
             f"{seen.line_percent:.0f} %; never ran: {named}",
             f"{pieces[0].describe().rstrip(';')}. Which of the situations in the handout reaches it? If none does, "
             "what is it for?", pieces[0].src)
