"""The visible checks of lab 02. The numbers in brackets are the requirements' in README.md, "What your functions must
do"."""

from __future__ import annotations

import errno
from typing import Optional

from looplab import Fault, World, ms, points, sec
from looplab.plain import seed
from looplab.plain.duration import Duration, show
from looplab.plain.text import count
from looplab.plain.words import error, result as in_words

LEAST_COVERED = 85     # per cent of the lines; the rest is room for what handles a failed malloc
BOTH = ("test_one_results", "test_all_results")
SETUP, RTT = ms(60), ms(20)     # of the site of `pages`
LIMIT = 2              # per_host, where there is a limit
MB = 1_000_000
CO_HTTP_TIMEOUT = sec(30)

# ---- Worlds ---------------------------------------------------------------------------------


def pages(lab, n: int = 10, like: bool = False) -> World:
    """n good pages of one site with latencies and sizes of the student's own.

    like: they take equally long, so that their answers come in the order of the requests. The numbers are the same for
    every check that asks, so these share their runs.
    """
    rng = seed.rng(lab.seed, "pages")
    world = World(seed=lab.seed).site("http://news.test", rtt=RTT, connect=SETUP)
    sizes = rng.sample(range(100, 9000), n)
    latencies = [rng.randint(150, 400)] * n if like else rng.sample(range(150, 400), n)
    for i, (latency, size) in enumerate(zip(latencies, sizes)):
        world.route(f"/{i}", latency=ms(latency), body_size=size)
    return world


def walk(lab) -> tuple[World, list[str]]:
    """Two sites with three pages each, and their URLs, first of one site, then of the other, in turns."""
    rng = seed.rng(lab.seed, "walk")
    world = World(seed=lab.seed)
    for site, path in (("http://east.test", "e"), ("http://west.test", "w")):
        world.site(site, rtt=RTT, connect=SETUP)
        for i in range(3):
            world.route(f"/{path}{i}", latency=ms(rng.randint(50, 300)), body_size=rng.randint(10, 5000))
    urls = world.urls()
    return world, [urls[i] for i in (0, 3, 1, 4, 2, 5)]


def villages(lab) -> World:
    """Two sites with six pages each. Nothing is done within the first 200 ms."""
    rng = seed.rng(lab.seed, "villages")
    world = World(seed=lab.seed)
    latencies = rng.sample(range(150, 400), 12)
    for site in ("http://upper.test", "http://lower.test"):
        world.site(site, rtt=RTT, connect=SETUP)
        for i in range(6):
            world.route(f"/{i}", latency=ms(latencies.pop()), body_size=rng.randint(10, 5000))
    return world


def statuses(lab) -> World:
    """Answers of which some are no 200, each with a page of its own; and a redirect."""
    rng = seed.rng(lab.seed, "statuses")
    world = World(seed=lab.seed).site("http://shop.test", rtt=RTT)
    for i, status in enumerate([200, 404, 500, 204, 403]):
        size = 0 if status == 204 else rng.randint(10 * i + 1, 10 * i + 10)
        world.route(f"/{status}", latency=ms(200), status=status, body_size=size)
    return world.route("/old", latency=ms(50), redirect="http://shop.test/404")


def good_and_bad(lab) -> World:
    """Good pages, and between them one of each error of the handout's table."""
    rng = seed.rng(lab.seed, "good_and_bad")
    size = rng.randint(2000, 6000)
    world = World(seed=lab.seed)
    world.site("http://good.test", rtt=RTT).route("/first", latency=ms(rng.randint(100, 300)), body="the first")
    world.site("http://closed.test", rtt=ms(10), fault=Fault.refused()).route("/")
    world.site("http://bad.test", rtt=RTT)
    world.route("/reset", latency=ms(rng.randint(50, 90)), body_size=size, fault=Fault.reset(after=size // 3))
    world.route("/good", latency=ms(rng.randint(100, 300)), body="good, on a bad server")
    world.route("/truncated", latency=ms(rng.randint(50, 90)), body_size=size, fault=Fault.truncate(after=size // 2))
    world.route("/round", latency=ms(1), redirect="http://bad.test/round")
    world.site("http://silent.test", rtt=RTT).route("/", fault=Fault.hang())
    world.site("http://unknown.test", resolve=ms(5), fault=Fault.unresolved()).route("/")
    return world.site("http://last.test", rtt=RTT).route("/", latency=ms(rng.randint(100, 300)), body="the last one")


def with_limit(world: World, urls: list[str], per_host: int) -> Duration:
    """How long good pages take over so many connections to each site: who is first in line gets the one that is free
    first."""
    free: dict[str, list[int]] = {}         # by site: when each of its connections is free
    for url in urls:
        site = free.setdefault(url.rsplit("/", 1)[0], [])
        if len(site) < per_host:
            site.append(world.total(url))
        else:
            first = site.index(min(site))
            site[first] += world.total(url) - SETUP
    return Duration(max(map(max, free.values())))


# ---- What the trace tells of sessions, connections and progress ---------------------------------


def waits_at(run, op: int) -> Optional[str]:
    """The line that waits for a request's answer."""
    return next((event.get("src") for event in run.trace.of("await", "runtime") if event.get("op") == op), None)


def should_use_the_session(run, whose: str, hint: str) -> None:
    """Every request goes over one and the same session."""
    starts = run.trace.of("http.start", "world")
    alone = [start for start in starts if "session" not in start]
    if alone:
        blocking = any(start.get("blocking") for start in alone)
        line = next((block.src for block in run.blocks if block.on == "http"), None) or waits_at(run, alone[0]["op"])
        run.should(False, f"every request goes over {whose}", f"{len(alone)} of {len(starts)} went over a connection "
                                                              "of their own",
                   f"at {line or 'each fetch'} call co_session_get with the session, "
                   f"not {'http_get_blocking' if blocking else 'co_http_get'}: without a session each request opens a "
                   "connection of its own, and closes it", line)
    sessions = {start["session"] for start in starts}
    if len(sessions) > 1:
        run.should(False, f"all {len(starts)} requests go over {whose}", f"they went over {len(sessions)} sessions",
                   f"the request at {waits_at(run, starts[0]['op'])} goes over a session of its own, and one that "
                   f"lives for a single request has nothing to use again. {hint}", waits_at(run, starts[0]["op"]))


def should_get_once(run) -> None:
    """One request for each element, with GET."""
    run.should_ask_once()
    other = [request for request in run.requests if request.method != "GET"]
    if other:
        run.should(False, "every request is a GET", f"{len(other)} were not, such as {other[0].method} {other[0].url}",
                   "the length is that of the page that comes; what a HEAD's Content-Length promises need not come. "
                   "co_session_get makes a GET")


def should_never_block(run) -> None:
    """The loop never stands still."""
    fetched = [block for block in run.blocks if block.on == "http"]
    if fetched:
        run.should(False, "the loop never stands still",
                   f"it stood still for {show(Duration(sum(block.ns for block in fetched)))}",
                   "http_get_blocking keeps the whole program standing until the answer is there. "
                   "Call co_session_get instead", fetched[0].src)
    run.should_never_block()


def should_open(run, connections: int, hint: str) -> None:
    """Exactly so many connections."""
    run.should(run.opened == connections, f"{count(connections, 'connection')} opened", f"{run.opened}", hint)


def still_open(run) -> list[str]:
    """The lines that wait on connections which were not yet closed when the function returned."""
    opened = {}
    for event in run.trace.events:
        if event["ev"] == "http.connected" and not event.get("reused"):
            opened[event["conn"]] = waits_at(run, event["op"])
        elif event["ev"] == "http.closed":
            opened.pop(event["conn"], None)
        elif event["ev"] == "report" and event["name"] == "result":
            break
    return list(opened.values())


def should_close_all(run) -> None:
    """No task and no open connection when fetch_all returns."""
    left = still_open(run)
    leaked = next((leak.src for leak in run.leaks if leak.what == "session"), None)
    run.should(not left, "no connection is open when fetch_all returns", f"{count(len(left), 'connection')} still open",
               "CO_SESSION closes the session, and its connections, where its block ends"
               + (f"; the one that {leaked} opens is never closed. (A copy of the struct is another session: "
                  "hand on its address)" if leaked else ": is it declared in fetch_all itself?"), leaked)
    tasks = run.report.get("tasks_left", 0)
    run.should(tasks == 0, "no task is left when fetch_all returns", f"{count(tasks, 'task')} left",
               "wait for every task of your group (co_join) before you return")


def told(run) -> list[dict]:
    """What progress was told, in order: the report's value, and its time as "t"."""
    return [{**report["value"], "t": report["t"]} for report in run.trace.reports if report["name"] == "progress"]


def should_store(run, right: Optional[list[dict]] = None) -> None:
    """The right result for every URL, in its place (default: what the world answers)."""
    right = run.world.answers(run.asked) if right is None else right
    for i, result in enumerate(run.results):
        if run.requests and run.report.get("rc", 0) == 0 and "never written" in result.values():
            run.should(False, f"result {i} for {run.asked[i]}: {in_words(right[i])}", in_words(result),
                       "out holds garbage when you get it: store "
                       "error, status and length, with an answer and without. "
                       "(Without one the kit has zeroed the response.)")
    run.should_give(right, explained(run, right))


def explained(run, right: list[dict]) -> str:
    """What a wrong length says of its maker; "" if nothing."""
    for i, (got, want) in enumerate(zip(run.results, right)):
        if isinstance(got["length"], int) and got["status"] == want["status"] and got["length"] != want["length"]:
            if want["error"] == 0 and 0 <= got["length"] < want["length"]:
                return ("the length is that of the whole body in bytes. strlen stops at the first '\\0', "
                        "and a body may hold some: resp.length counts them all")
    return ""


def should_store_in_any_order(run) -> None:
    """The right results, whatever their order: that is a check of its own."""
    def key(result: dict) -> list[str]:
        return [str(result[name]) for name in ("error", "status", "length")]

    if sorted(map(key, run.results)) != sorted(map(key, run.world.answers(run.asked))):
        should_store(run)


def should_return_0(run, name: str) -> None:
    """Errors of single URLs are no error of the function."""
    if run.report["rc"] != 0:
        run.fail(f"{name} returns 0", f"it returned {error(run.report['rc'])}", topic="refusal",
                 hint="the errors of single URLs stand in out; the function itself has done its work, and returns 0")


# ---- fetch_url ------------------------------------------------------------------------------


@points(3, "correctness")
def test_one_results(lab):
    """fetch_url stores what became of a URL (1)"""
    world, urls = walk(lab)
    run = lab.run("one", world, urls, todo="fetch_url, TODO 1")
    should_store(run)


@points(1, "correctness", needs="test_one_results")
def test_one_asks_once(lab):
    """fetch_url makes one GET request, not more (5)"""
    world, urls = walk(lab)
    should_get_once(lab.run("one", world, urls))


@points(4, "timing", needs="test_one_asks_once")
def test_one_uses_the_session(lab):
    """fetch_url uses connections again: 2 sites, 2 set-ups (5)"""
    world, urls = walk(lab)
    run = lab.run("one", world, urls)
    should_use_the_session(run, "the session that fetch_url is given",
                           "Fetch over the one that you are given, and open none")
    should_never_block(run)
    should_open(run, 2, "each site's first fetch opens a connection; the session keeps it for the next ones")
    run.should_take(sum(world.latencies(urls)) - 4 * SETUP, what="the sum of six fetches, four of them without set-up",
                    hint="fetch_url calls co_session_get once, and nothing else that takes time")


@points(2, "correctness", needs="test_one_results")
def test_one_takes_a_404_for_an_answer(lab):
    """fetch_url: a 404 is an answer, redirects are followed (2)"""
    run = lab.run("one", statuses(lab), may_fail=True)
    should_return_0(run, "fetch_url")
    should_store(run)


@points(3, "robustness", needs="test_one_asks_once")
def test_one_records_errors(lab):
    """fetch_url records errors, and returns 0 (1, 3)"""
    for world, urls in ((good_and_bad(lab), None), (pages(lab, 2), ["nonsense://news.test/0", "http://news.test/1"])):
        run = lab.run("one", world, urls, may_fail=True)
        for report in run.trace.reports:
            if report["name"] == "one" and report["value"]["rc"] != 0:
                run.should(False, "fetch_url returns 0: it has found out what became of the URL",
                           f"it returned {error(report['value']['rc'])} for {run.asked[report['value']['index']]}",
                           "the error of a URL belongs into out->error. "
                           "What you return says whether you yourself could do your work: only -ECANCELED is about you")
        should_store(run, [{"error": -errno.EINVAL, "status": 0, "length": 0}, world.answer(urls[1])] if urls else None)
        if not urls:
            run.should_ask_once()


@points(2, "robustness", needs="test_one_uses_the_session")
def test_one_can_be_cancelled(lab):
    """fetch_url ends when it is cancelled (6)"""
    world, urls = walk(lab)
    run = lab.run("cancel-one", world, urls, settings={"after": ms(100)})
    told = run.cause("shield")
    run.should(run.report["rc"] == -errno.ECANCELED, "fetch_url returns -ECANCELED",
               f"it returned {error(run.report['rc'])}", told.text if told else
               "of all errors of co_session_get this one is about you, not about the URL: return it",
               told.src if told else None)
    run.should_take(ms(100), what="until it was cancelled", hint="a call that returned -ECANCELED means: stop waiting, "
                                                                 "clean up, return")
    run.should_leak_nothing()


# ---- fetch_all ------------------------------------------------------------------------------


@points(3, "correctness")
def test_all_results(lab):
    """fetch_all stores what became of every URL (7, 10)"""
    run = lab.run("all", pages(lab, like=True), settings={"per_host": 0}, todo="fetch_all, TODOs 2 to 4")
    if not run.requests and run.spawns:
        task = run.spawns[-1]
        run.fail("each task fetches its URL", f"{len(run.spawns)} tasks ran, and none made a request", topic="-",
                 hint=f"{task.name}, started at {task.src}, never fetched anything. It runs for the first time when "
                      "the loop that started it is over: what does it see in its job then, "
                      "and what does it do with it? (TODOs 2 and 3)")
    urls = {request.url for request in run.requests}
    if len(run.requests) > 1 and len(urls) == 1:
        run.fail("each task fetches a URL of its own", f"all of them fetched {min(urls)}", topic="requests",
                 hint="do all tasks share one job? Each needs its own, "
                      "and it must live until the task has ended (TODOs 2 and 4)")
    should_store_in_any_order(run)


@points(1, "correctness", needs="test_all_results")
def test_all_asks_once(lab):
    """fetch_all fetches each URL once, not more often (11)"""
    should_get_once(lab.run("all", pages(lab), settings={"per_host": 0}))


@points(2, "timing", needs="test_all_results")
def test_all_never_blocks(lab):
    """fetch_all never blocks the loop (15)"""
    should_never_block(lab.run("all", pages(lab), settings={"per_host": 0}))


@points(4, "timing", needs=("test_all_asks_once", "test_all_never_blocks"))
def test_all_takes_the_longest(lab):
    """Without a limit it takes exactly the longest fetch (8)"""
    world = pages(lab)
    run = lab.run("all", world, settings={"per_host": 0})
    run.should_take(max(world.latencies()), what="as long as the longest of ten fetches",
                    hint="start all tasks first, then wait for all; per_host 0 means no limit")
    run.should_peak_at(10, hint="each URL has a task of its own, and no task starts late")


@points(3, "correctness", needs="test_all_results")
def test_all_keeps_input_order(lab):
    """fetch_all keeps the input order (7)"""
    world = World(seed=lab.seed).site("http://late.test", rtt=RTT)
    for i, size in enumerate(lab.rng.sample(range(1, 1000), 6)):
        world.route(f"/{i}", latency=ms(600 - 100 * i + lab.rng.randint(-20, 20)), body_size=size)
    lab.run("all", world, settings={"per_host": 0}).should_give(hint="give each task a pointer to its own place: "
                                                                     "&out[i]")


@points(5, "correctness", needs="test_all_results")
def test_all_share_one_session(lab):
    """All fetches share one session: 4 connections, not 12 (9)"""
    run = lab.run("all", villages(lab), settings={"per_host": LIMIT})
    should_use_the_session(run, "one session of fetch_all's", "Open one in fetch_all, and lend it to every task by its "
                           "address: a copy of the struct is another session")
    if run.opened > 2 * LIMIT:      # too few: that is a matter of time, and told there
        should_open(run, 2 * LIMIT, "the session keeps the limit, if you tell it: CO_SESSION(session, per_host)")


@points(3, "timing", needs=("test_all_share_one_session", "test_all_takes_the_longest"))
def test_all_takes_what_the_limit_allows(lab):
    """With a limit it takes exactly what the limit allows (9)"""
    world = villages(lab)
    run = lab.run("all", world, settings={"per_host": LIMIT})
    run.should_take(with_limit(world, world.urls(), LIMIT),
                    what="twelve fetches over two connections to each of two sites",
                    hint="all fetches are begun at once, in input order, and wait for a free connection in the "
                         "session: whoever is first in line gets the one that is free first. No batches, no semaphore")


@points(1, "correctness", needs="test_all_results")
def test_all_take_a_404_for_an_answer(lab):
    """fetch_all: a 404 is an answer (2, 10)"""
    run = lab.run("all", statuses(lab), may_fail=True)
    should_return_0(run, "fetch_all")
    should_store_in_any_order(run)


@points(3, "robustness", needs="test_all_asks_once")
def test_all_goes_on_after_errors(lab):
    """fetch_all records errors, the others go on (3, 10)"""
    run = lab.run("all", good_and_bad(lab), settings={"per_host": 0}, may_fail=True)
    should_store_in_any_order(run)
    should_return_0(run, "fetch_all")
    run.should_ask_once()


@points(1, "timing", needs=("test_all_takes_the_longest", "test_all_goes_on_after_errors"))
def test_a_silent_server_takes_30_s(lab):
    """A server that never answers is waited for 30 s (3, 8)"""
    run = lab.run("all", good_and_bad(lab), settings={"per_host": 0})
    run.should_take(CO_HTTP_TIMEOUT, what="until the kit gives the hanging server up")


# ---- Progress -------------------------------------------------------------------------------


def should_tell_each_once(run) -> list[dict]:
    """One call for each URL; returns what was told."""
    calls, n = told(run), len(run.asked)
    if not calls:
        run.should(False, f"on_progress is called {count(n, 'time')}, once for each URL", "it was never called",
                   "call on_progress in the task that fetched the URL, right after fetch_url (TODO 5)")
    strangers = [call for call in calls if call["index"] == "not in out"]
    run.should(not strangers, "result points to the URL's element of out",
               f"{len(strangers)} of {len(calls)} calls got another pointer",
               "pass &out[i] itself, not a copy of it: the caller may want to know which element it is")
    indices = [call["index"] for call in calls]
    for i, url in enumerate(run.asked):
        times = indices.count(i)
        run.should(times == 1, f"progress is told once of {url}",
                   f"it was told {times} times" if times else "it was never told",
                   "every URL is told of, once: also one that failed, and the last one")
    return calls


@points(2, "correctness", needs="test_all_results")
def test_progress_tells_of_each_url(lab):
    """Progress tells of each URL once (13, 14)"""
    should_tell_each_once(lab.run("all", pages(lab), settings={"per_host": 0}))
    should_tell_each_once(lab.run("all", pages(lab, 1)))


@points(2, "correctness", needs=("test_progress_tells_of_each_url", "test_all_goes_on_after_errors",
                                 "test_all_keeps_input_order"))
def test_progress_tells_the_result(lab):
    """Progress tells the whole result, and counts: 1 to n (14)"""
    run = lab.run("all", good_and_bad(lab), settings={"per_host": 0})
    urls = run.asked
    for call in should_tell_each_once(run):
        i = call["index"]
        stored = run.results[i]     # whether that is right is asked elsewhere
        got = {name: call.get(name) for name in stored}
        run.should(got == stored, f"told of {urls[i]} what stands in out in the end: {in_words(stored)}",
                   f"told: {in_words(got)}",
                   "result must be complete before it is told: "
                   "call on_progress after all four fields of out[i] are stored")
        run.should("arg" not in call, "arg is what fetch_all was given", f"arg was {call.get('arg')}",
                   "hand on the arg of fetch_all as it is: it is the caller's")
        run.should(call["n"] == len(urls), f"n is {len(urls)} in every call", f"n was {call['n']}",
                   "n is how many URLs fetch_all was given")
    # here all are done at the same instant
    for run in (run, lab.run("all", pages(lab, like=True), settings={"per_host": 0})):
        should_count(told(run), run, "one counter for all tasks of this call of fetch_all, "
                                     "counted up right before on_progress is called, without a wait in between")


def should_count(calls: list[dict], run, hint: str) -> None:
    """done is 1, 2, 3, ..."""
    for k, call in enumerate(calls):
        if call["done"] == k + 1:
            continue
        if call["done"] == k:
            hint = "done counts the calls, this one included: it begins with 1"
        elif all(call["done"] in (call["index"], call["index"] + 1) for call in calls):
            hint = ("done counts the calls. Here it goes by the order in which the fetches began: is it the URL's "
                    "place, or counted up before the fetch?")
        run.should(False, f"done is {k + 1} in call {k + 1}", f"done was {call['done']}", hint)


@points(4, "timing", needs=("test_all_takes_the_longest", "test_all_keeps_input_order",
                            "test_progress_tells_of_each_url"))
def test_progress_comes_at_once(lab):
    """Progress tells of each URL the moment it is done (13)"""
    run = lab.run("all", pages(lab), settings={"per_host": 0})
    ends = {request.url: Duration(request.end) for request in run.requests}
    calls = should_tell_each_once(run)
    late = [call for call in calls if call["t"] != ends[run.asked[call["index"]]]]
    if not late:
        return
    first = min(late, key=lambda call: ends[run.asked[call["index"]]])
    url, at = run.asked[first["index"]], {call["t"] for call in calls}
    hint = "the task that has fetched a URL is the first to know: call on_progress there, right after fetch_url"
    if len(at) == 1 and max(at) >= max(ends.values()):
        hint = (f"all {len(calls)} are told at {show(Duration(max(at)))}, after the last one is done: that is no "
                f"progress. {hint[0].upper()}{hint[1:]}")
    elif first["t"] < ends[url]:
        hint = "it is told before its answer is there"
    elif [call["index"] for call in calls] == sorted(call["index"] for call in calls):
        hint = ("they are told in input order, each one only when all before it are done: so waits who awaits task "
                f"after task. {hint[0].upper()}{hint[1:]}")
    run.should(False, f"{url} is told at {show(ends[url])}, when it is done",
               f"it is told at {show(Duration(first['t']))}", hint)


@points(1, "robustness", needs="test_all_results")
def test_quiet(lab):
    """Without on_progress (NULL) all else is the same (14)"""
    should_store_in_any_order(lab.run("quiet", villages(lab), settings={"per_host": LIMIT}))


# ---- Both functions -------------------------------------------------------------------------


def url_told(run, wrong: dict) -> str:
    """What stands in the url of a result; of a pointer to the same text, which of them it is."""
    if wrong["holds"] == "never written":
        return "it was never written"
    same = wrong["holds"] == run.asked[wrong["index"]]
    return f"it is urls[{wrong['place']}], another pointer to the same text" if same else f"it is {wrong['holds']}"


@points(2, "correctness", needs=(*BOTH, "test_all_keeps_input_order"))
def test_each_result_holds_its_url(lab):
    """Each result holds the URL that it belongs to (1)"""
    world, urls = walk(lab)
    for run in (lab.run("one", world, urls), lab.run("all", pages(lab), settings={"per_host": 0})):
        for wrong in run.report.get("wrong_urls", []):
            run.should(False, f"url of result {wrong['index']}: {run.asked[wrong['index']]}", url_told(run, wrong),
                       "that is another fetch's. Does it stand in a static or global variable meanwhile? While "
                       "fetch_url waits, other tasks run through it, too, "
                       "and there is only one of each static variable" if wrong["holds"].startswith("http") else
                       "store the very pointer you were given, in fetch_url: out->url = url. No copy: "
                       "who would free it?")


@points(2, "correctness", needs=BOTH)
def test_lengths_in_bytes(lab):
    """The length is right for empty and binary bodies (4)"""
    world = World(seed=lab.seed).site("http://files.test", rtt=RTT)
    world.route("/empty", latency=ms(100))
    world.route("/zeros", latency=ms(120), body=b"\0" * lab.rng.randint(2, 50))
    world.route("/mixed", latency=ms(140), body=b"ab\0cd" * lab.rng.randint(2, 50))
    for mode in ("one", "all"):
        should_store_in_any_order(lab.run(mode, world))


@points(1, "robustness", needs="test_all_results")
def test_none_and_one(lab):
    """fetch_all works for no URL and for one (12)"""
    run = lab.run("all", World(seed=lab.seed), [])
    run.should_give([])
    run.should_take(0, what="n is 0, there is nothing to wait for", hint="for n = 0, do nothing, and return 0")
    run.should(not told(run), "with n = 0 nothing is told", f"progress was told {count(len(told(run)), 'time')}",
               "on_progress is called once for each URL: without URLs never")
    run = lab.run("all", pages(lab, 1))
    should_store(run)


@points(1, "robustness", needs="test_all_results")
def test_all_waits_for_every_task(lab):
    """fetch_all waits for every task it starts (16)"""
    run = lab.run("all", villages(lab), settings={"per_host": LIMIT})
    if any(leak.what == "task" for leak in run.leaks):
        run.should_leak_nothing()


@points(3, "robustness", needs=("test_all_takes_what_the_limit_allows", "test_all_waits_for_every_task"))
def test_all_can_be_cancelled(lab):
    """Cancelled, fetch_all leaves no task and no connection (17)"""
    run = lab.run("cancel", villages(lab), settings={"per_host": LIMIT, "after": ms(100)})     # no page is done by then
    if run.report["rc"] != -errno.ECANCELED:
        run.fail("it returns -ECANCELED", f"it returned {error(run.report['rc'])}", topic="cancelled",
                 hint="return what co_join (or your way of waiting) returned")
    run.should_take(ms(100), what="until it was cancelled", hint="a call that returned -ECANCELED means: stop waiting, "
                                                                 "clean up, return")
    late = [request.url for request in run.requests if request.rc is None or request.end > ms(100)]
    run.should(not late, "every fetch ends when fetch_all is cancelled", f"{len(late)} went on, {late[:1]} first",
               "tasks of a group are cancelled with the task that waits for them")
    should_close_all(run)
    calls = told(run)
    run.should(not calls, "nothing is told of URLs that were cancelled", f"progress was told {len(calls)} times",
               "if fetch_url returned -ECANCELED, nothing is known of the URL: return without calling on_progress")
    leaked = [leak for leak in run.leaks if leak.what == "response"]
    run.should(not leaked, "every answer is freed, also after a cancellation", f"{len(leaked)} were not",
               "a way out that leaves co_response_free out: is there a return in front of it?",
               leaked[0].src if leaked else None)


@points(2, "robustness", needs=(*BOTH, "test_all_waits_for_every_task"))
def test_nothing_is_left_behind(lab):
    """Nothing is left behind: answers, connections, memory (16)"""
    world, urls = walk(lab)
    with lab.part(1, "after fetch_url"):
        lab.run("one", world, urls).should_leak_nothing()
        lab.run("one", statuses(lab), may_fail=True).should_leak_nothing()
    with lab.part(1, "after fetch_all"):
        for run in (lab.run("all", villages(lab), settings={"per_host": LIMIT}),
                    lab.run("all", good_and_bad(lab), settings={"per_host": 0}, may_fail=True)):
            should_close_all(run)
            run.should_leak_nothing()


@points(3, "robustness", needs=("test_all_share_one_session", "test_nothing_is_left_behind"))
def test_bodies_are_not_kept(lab):
    """Three films of 12 MB need the memory of one (18)"""
    size, films = 12 * MB, 3
    world = World(seed=lab.seed).site("http://films.test", rtt=RTT)
    for i in range(films):
        world.route(f"/{i}", latency=ms(100), body_size=size)
    run = lab.run("all", world, settings={"per_host": 1})
    held = (run.memory - lab.memory_of_nothing()) / size
    run.should(held < 1.5, f"the program needs the memory of one film of {size // MB} MB at a time",
               f"it needs that of {held:.1f} films",
               "each body is kept until the end: free the response in fetch_url, as soon as you have taken its length"
               if held > films - 0.5 else
               "the body is there twice: is it copied? You only need its length")


@points(2, "correctness", needs=("test_all_share_one_session", "test_progress_tells_the_result"))
def test_two_calls_at_once(lab):
    """Two calls of fetch_all at the same time (19)"""
    world = pages(lab)
    run = lab.run("both", world, settings={"per_host": LIMIT})
    hint = ("what belongs to one call (its jobs, its session, its counter) stands in fetch_all or in memory of its "
            "own, never in a static or global variable")
    right = world.answers()
    twice = next((url for url in world.urls() if len(run.requests_for(url)) > 1), None)
    run.should(twice is None, "each call asks for its own URLs", f"{twice} was asked for by both", hint)
    if run.results != right:
        run.should_give(right, hint)
    sessions = {start.get("session") for start in run.trace.of("http.start", "world")}
    run.should(len(sessions) == 2, "each of the two calls has a session of its own",
               f"{count(len(sessions), 'session')} in all", hint)
    for name in ("first", "second"):
        counted = [call["done"] for call in told(run) if call["of"] == name]
        run.should(counted == [1, 2, 3, 4, 5], f"the {name} call counts its own five: 1, 2, 3, 4, 5",
                   f"done was {', '.join(map(str, counted)) or 'never told'}", hint)


# ---- The code -------------------------------------------------------------------------------


@points(3, "robustness", needs=BOTH, last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (16, 20)"""
    lab.should_be_clean()


@points(4, "coverage", needs=BOTH)
def test_coverage(lab):
    """The checks run 85 % of your lines (21)"""
    seen = lab.coverage()
    if seen.line_percent >= LEAST_COVERED:
        return
    pieces = [piece for piece in seen.pieces() if piece.lines]
    named = ", ".join(f"{piece.src} ({piece.lines} line{'s' if piece.lines > 1 else ''})" for piece in pieces[:5])
    lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines",
             f"{seen.line_percent:.0f} %; never ran: {named}",
             f"{pieces[0].describe().rstrip(';')}. Which of the situations in the handout reaches it? If none does, "
             "what is it for?", pieces[0].src)
