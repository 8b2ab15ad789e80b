"""The visible checks of lab 03. The numbers in brackets are the requirements' in README.md, "What your functions must
do"."""

from __future__ import annotations

import errno
from typing import NamedTuple, Optional

from looplab import Fault, World, ms, points, sec
from looplab.asking.world import WorldError
from looplab.plain import seed
from looplab.plain.duration import show
from looplab.plain.text import count
from looplab.plain.words import error

LEAST_COVERED = 85     # per cent of the lines; the rest is room for what handles a failed malloc
TIMEOUT = sec(2)       # main.c's, where a check sets no other
TODO_PAGE, TODO_ALL = "scrape_page, TODO 1", "scrape_all, TODOs 3 and 4"
BOTH = ("test_page_results", "test_all_results")

CAUSES = {errno.ECONNREFUSED: "connection refused: nobody listens there", errno.ENXIO: "no host of that name",
          errno.ECONNRESET: "connection reset by the server", errno.EPROTO: "the answer broke off before its end",
          errno.ELOOP: "too many redirects", errno.ETIMEDOUT: "timed out"}      # co_strerror's words


# ---- What is right --------------------------------------------------------------------------


def titled(title: str, rest: str = "<p>text</p>") -> str:
    return f"<html><head><title>{title}</title></head><body>{rest}</body></html>"


def right_page(world: World, url: str, timeout: int, titles: dict[str, str]) -> dict:
    """What the page of a URL must be. (A drip here always lasts longer than any timeout.)"""
    try:
        took, answer = world.total(url), world.answer(url)
    except WorldError:
        took, answer = sec(30), {}
    if took > timeout:
        return {"error": -errno.ETIMEDOUT, "status": 0, "took_ns": timeout, "title": ""}
    title = titles.get(url, "") if answer["error"] == 0 and answer["status"] < 400 else ""
    return {"error": answer["error"], "status": answer["status"], "took_ns": took, "title": title}


def is_success(page: dict) -> bool:
    return page["error"] == 0 and page["status"] < 400


def cause_of(page: dict) -> str:
    return CAUSES[-page["error"]] if page["error"] else f"HTTP {page['status']}"


# ---- The worlds -----------------------------------------------------------------------------


def good(lab, n: int = 10) -> World:
    """n good pages, each quicker than the timeout. The same for every check that asks, so these share their runs."""
    rng = seed.rng(lab.seed, "good")
    world = World(seed=lab.seed).site("http://news.test", rtt=ms(20), connect=ms(20))
    for i, latency in enumerate(rng.sample(range(150, 900), n)):
        world.route(f"/{i}", latency=ms(latency), body=titled(f"Page {i}"))
    return world


def mixed(lab) -> World:
    """Good pages, and between them every way to fail. The slowest good one is done after less than 1.5 s."""
    rng = seed.rng(lab.seed, "mixed")
    early, late = iter(rng.sample(range(60, 500), 6)), iter(rng.sample(range(600, 1300), 4))
    world = World(seed=lab.seed).site("http://good.test", rtt=ms(20))
    world.route("/first", latency=ms(next(late)), body=titled("First"))
    world.route("/gone", latency=ms(next(early)), status=404, body=titled("Not found"))
    world.site("http://closed.test", rtt=ms(rng.randint(2, 9)), fault=Fault.refused()).route("/")
    world.site("http://bad.test", rtt=ms(20))
    world.route("/reset", latency=ms(next(early)), body=titled("Reset", "." * 4000),
                fault=Fault.reset(after=rng.randint(100, 3000)))
    world.route("/hangs", fault=Fault.hang())
    world.route("/good", latency=ms(next(late)), body=titled("Good, on a bad server"))
    world.route("/truncated", latency=ms(next(early)), body=titled("Truncated", "." * 4000),
                fault=Fault.truncate(after=rng.randint(100, 3000)))
    world.route("/late", latency=ms(rng.randint(2100, 4000)), body=titled("Too late"))
    world.route("/loop", latency=ms(rng.randint(1, 9)), redirect="http://bad.test/loop")
    world.site("http://unknown.test", resolve=ms(rng.randint(10, 19)), fault=Fault.unresolved()).route("/")
    world.site("http://last.test", rtt=ms(10))
    world.route("/broken", latency=ms(next(early)), status=500, body=titled("Our fault"))
    world.route("/drips", body=titled("Drop by drop"), fault=Fault.drip(bytes=1, every=ms(700)))
    world.route("/moved", latency=ms(next(early)), redirect="http://good.test/first")
    world.route("/last", latency=ms(next(late)), body=titled("Last"))
    return world


MIXED_TITLES = {"http://good.test/first": "First", "http://bad.test/good": "Good, on a bad server",
                "http://last.test/moved": "First",
                "http://last.test/last": "Last"}


# ---- What is asked of a run -------------------------------------------------------------------


def described(page: dict) -> str:
    """A page in words: "error -ETIMEDOUT, status 0"."""
    said = [f"{name} {error(page[name]) if name == 'error' and isinstance(page[name], int) else page[name]}"
            for name in page
            if name in ("error", "status")]
    if "took_ns" in page:
        said.append(f"took {show(page['took_ns']) if isinstance(page['took_ns'], int) else page['took_ns']}")
    return ", ".join(said + ([f'title "{page["title"]}"'] if "title" in page else []))


def why_wrong(run, url: str, right: dict, got: dict) -> tuple[str, Optional[str], bool]:
    """What a wrong page says of its maker: (cause, line, is it surer than what the trace tells?)."""
    request = next(iter(run.requests_for(url)), None)
    limit = limit_on_all(run)
    unset = [field.removesuffix("_ns") for field in got if str(got[field]).strip("()") == "never written"]
    if unset:
        return (f"out holds garbage when you get it, and {' and '.join(unset)} {'was' if len(unset) == 1 else 'were'} "
                "never stored", None, request is not None)
    if right.get("error") == -errno.ETIMEDOUT and request and not 300 <= int(got.get("status") or 0) < 400:
        src = waits_for(run, request)
        if got["error"] == -errno.ETIMEDOUT and got.get("status"):
            return (f"{src or 'the program'} goes on with the request that was given up, and when its answer comes, it "
                    "is stored. To stop waiting is not to end: cancel it (co_timeout_begin and co_timeout_end do that; "
                    "co_wait does not)", src, True)
        if got["error"] == -errno.ECANCELED and limit and limit["t"] == request.end:
            return f"{limit.get('src') or 'the program'} {LIMIT_ON_ALL}", limit.get("src"), True
        if got["error"] == -errno.ECANCELED and request.rc == -errno.ETIMEDOUT:
            return ("when the time of a co_timeout is up, the fetch returns -ECANCELED; co_timeout_end(&limit, "
                    "rc) turns that into -ETIMEDOUT: store what it returns", request.timeout_src, True)
        if got["error"] == 0 and request.blocking:
            return (f"{src or 'a blocking call'} takes no notice of a timeout: "
                    "nothing can cancel a call that blocks. Call co_http_get instead", src, True)
        shield = run.cause("shield")
        if got["error"] == 0 and shield:
            return shield.text, shield.src, True
        if got["error"] == 0:
            return (f"its time was up before all of it had come, and {src or 'the program'} went on: put "
                    "co_timeout_begin(&limit, timeout) in front of all that waits, and co_timeout_end behind it", src,
                    True)
    if 300 <= int(got.get("status") or 0) < 400:
        return (f"a {got['status']} says where the page is: it is to be followed, and co_http_get does that by itself",
                None, True)
    if "error" in right and got.get("error") != right["error"]:
        if right["error"] < 0 and got["error"] == -right["error"]:
            return (f"errors are negative here: store what the call returned, {error(right['error'])}, as it is",
                    None, True)
        if right["error"] < 0 and got["error"] == -errno.ECANCELED:
            return ("this page was cancelled because of something else: a failed page must not end the others",
                    None, False)
        if right["error"] == -errno.ECANCELED:
            return ("this page was not done when the run was cancelled: whatever became of it later does not count",
                    None, False)
        if right["error"] < 0 and got["error"] == 0:
            return "there was no complete answer: the error that the call returned belongs into the page", None, False
        if right["error"] == 0 and right.get("status", 0) >= 400:
            return (f"a {right['status']} is an answer: error stays 0, the status tells that the page has failed",
                    None, False)
    if "status" in right and got.get("status") != right["status"]:
        return "without an answer the status is 0" if right["error"] else "the status is that of the last answer, " \
            "after redirects", None, False
    return "", None, False


def should_be(run, right: list[dict], fields: tuple[str, ...] = ("error", "status"), hint: str = "",
              ask_trace: bool = True) -> None:
    """These fields of all results, in input order."""
    right = [{field: page[field] for field in fields} for page in right]
    got = [{field: page[field] for field in fields} for page in run.results]
    wrong = [i for i, page in enumerate(right) if got[i] != page]
    if not wrong:
        return
    first = wrong[0]
    others = f" ({len(wrong)} of {len(right)} pages are wrong)" if len(wrong) > 1 else ""
    why, src, sure = why_wrong(run, run.asked[first], right[first], got[first])
    run.fail(f"{run.asked[first]}: {described(right[first])}", f"{described(got[first])}{others}", hint=why or hint,
             src=src, topic="results" if ask_trace and not sure else "-", values=(right, got))


def should_use_no_session(run) -> None:
    again = next((request for request in run.requests if request.reused), None)
    src = waits_for(run, again) if again else None
    run.should(again is None, "each request has a connection of its own",
               f"{again.url if again else ''} came over one that was used before", src=src,
               hint=f"{src or 'the program'} fetches with a session. Here none is wanted: co_http_get, "
                    "or a co_request whose session is NULL")


def should_know_its_urls(run, only_places: bool = False) -> None:
    """only_places: pages in the place of others; a URL that is none of those asked for has its own check."""
    wrong = [one for one in run.report.get("wrong_urls", []) if not same_text(run, one)
             and (one["holds"] >= 0 or not only_places)]
    hint = "store the pointer you were given in page.url, not a copy of the text"
    if len(wrong) > 1 and wrong[0]["holds"] >= 0 and len({one["holds"] for one in wrong}) == 1:
        hint = ("the same page stands in all these places: "
                "do the tasks share one struct page? Each needs its own, &out[i]")
    elif all(one["holds"] >= 0 for one in wrong):
        hint = ("the pages stand in the order in which they were done: "
                "give each task the place that belongs to its URL, &out[i]")
    run.should(not wrong, "out[i].url is urls[i]", f"{count(len(wrong), 'page')} with another one, "
                                                   f"place {wrong[0]['place'] if wrong else 0} first", hint=hint)


def same_text(run, wrong: dict) -> bool:
    """Is it another pointer, to the same text?"""
    return wrong["holds"] >= 0 and run.asked[wrong["holds"]] == run.asked[wrong["place"]]


LIMIT_ON_ALL = ("puts one limit on all pages together: it takes those that are not done with it, and what is known of "
                "them is lost. Each page has a timeout of its own: put it into scrape_page")


def limit_on_all(run) -> Optional[dict]:
    """The event of a timeout that ended no fetch of its own task, but the wait for the others."""
    return next((event for event in run.trace.of("cancel", "runtime") if event.get("why") == "timeout"
                 and event["task"] not in {request.task for request in run.requests}), None)


def should_return_0(run) -> None:
    """Failed pages are no failure of the function."""
    rc = run.report["rc"]
    if rc == 0:
        return
    limit = limit_on_all(run)
    if rc == -errno.ETIMEDOUT and limit:
        run.fail("it returns 0", "it returned -ETIMEDOUT", topic="-", src=limit.get("src"),
                 hint=f"{limit.get('src') or 'the program'} {LIMIT_ON_ALL}")
    run.fail("it returns 0", f"it returned {error(rc)}", topic="refusal",
             hint="the error of a page stands in its struct; the function itself has done its work, and returns 0")


def waits_for(run, request) -> Optional[str]:
    """The line where the program waited for a request, or blocked for it."""
    waits = (event for event in run.trace.of("await", "runtime") if event.get("on") in ("http", "stream")
             and event.get("op") == request.op)
    blocks = (event for event in run.trace.of("block", "runtime")
              if request.blocking and event["task"] == request.task and event["t"] == request.end)
    return next((event.get("src") for events in (waits, blocks) for event in events), None)


def should_be_given_up(run, url: str, at: int) -> None:
    """The request that was under way for a URL, or for what it redirects to, is over at this time, and its connection
    closed."""
    started = next((request for request in run.requests_for(url)), None)
    if started is None:
        run.fail(f"{url} is asked for", "it was not", topic="requests")
    mine = [request for request in run.requests if request.task == started.task and started.start <= request.start < at]
    late = next((request for request in mine if request.end is None or request.end > at), None)
    if late:
        told = f"its request went on until {show(late.end)}" if late.end is not None else "its request was never ended"
        src = waits_for(run, late)
        stream = any(leak.what == "stream" for leak in run.leaks)
        run.should(False, f"{url} is given up after {show(at - started.start)}: its request ends then", told, src=src,
                   hint=f"{src or 'the program'} opens a stream that is not closed: "
                        "close it on every way out (CO_STREAM does)" if stream else
                        f"{src or 'the program'} goes on with a request that nobody waits for any more. "
                        "To stop waiting is not to end: cancel it (co_timeout_begin and co_timeout_end do that; "
                        "co_wait does not)")
    conn = mine[-1].conn if mine else None
    closed = next((event["t"] for event in run.trace.of("http.closed", "world") if conn is not None
                   and event["conn"] == conn), None)
    run.should(conn is None or closed is not None and closed <= at, f"the connection to {url} is closed at {show(at)}",
               f"it is closed at {show(closed)}" if closed is not None else "it is never closed",
               hint="close the stream as soon as the page is given up")


# ---- scrape_page ----------------------------------------------------------------------------


@points(3, "correctness")
def test_page_results(lab):
    """scrape_page stores what became of a page (1, 2)"""
    world = good(lab)
    run = lab.run("page", world, todo=TODO_PAGE)
    if not run.requests:
        run.fail("scrape_page fetches its page", "it made no request", topic="requests")
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])
    run.should_ask_once()


@points(3, "correctness", needs="test_page_results")
def test_page_errors(lab):
    """A page that fails has its error; a 404 is none (1, 2, 3)"""
    rng = lab.rng
    world = World(seed=lab.seed).site("http://shop.test", rtt=ms(20))
    world.route("/gone", latency=ms(100), status=404, body=titled("Not found"))
    world.route("/broken", latency=ms(100), status=500, body="")
    world.site("http://closed.test", rtt=ms(10), fault=Fault.refused()).route("/")
    world.site("http://unknown.test", resolve=ms(5), fault=Fault.unresolved()).route("/")
    world.site("http://bad.test", rtt=ms(20))
    world.route("/reset", latency=ms(100), body_size=4000, fault=Fault.reset(after=rng.randint(1, 3999)))
    world.route("/truncated", latency=ms(100), body_size=4000, fault=Fault.truncate(after=rng.randint(1, 3999)))
    world.route("/good", latency=ms(100), body=titled("Good"))
    run = lab.run("page", world, may_fail=True)
    should_return_0(run)
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])


@points(2, "correctness", needs="test_page_results")
def test_page_redirects(lab):
    """Redirects lead to a page, or end in -ELOOP (2, 3)"""
    world = World(seed=lab.seed).site("http://old.test", rtt=ms(10))
    world.route("/moved", latency=ms(20), redirect="http://new.test/here")
    world.route("/twice", latency=ms(20), redirect="http://old.test/moved")
    world.route("/lost", latency=ms(20), redirect="http://new.test/gone")
    world.route("/loop", latency=ms(5), redirect="http://old.test/loop")
    world.site("http://new.test", rtt=ms(10)).route("/here", latency=ms(lab.rng.randint(20, 90)), body=titled("Here"))
    urls = world.urls()[:4]
    run = lab.run("page", world, urls, may_fail=True)
    should_return_0(run)
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in urls])


def slow(lab) -> World:
    """A page that hangs, one that is too slow, and one that is just in time."""
    rng = seed.rng(lab.seed, "slow")
    world = World(seed=lab.seed).site("http://slow.test", rtt=ms(20))
    world.route("/hangs", fault=Fault.hang())
    world.route("/late", latency=ms(rng.randint(2000, 9000)), body=titled("Too late"))
    world.route("/in-time", latency=ms(rng.randint(1900, 1950)), body=titled("In time"))
    return world


def should_end_in_time(run, timeout: int, hint: str) -> None:
    """Each page, one after the other: done when it is right, and no later than at its timeout."""
    right = [right_page(run.world, url, timeout, {}) for url in run.asked]
    should_be(run, right)
    should_return_0(run)
    run.should_take(sum(page["took_ns"] for page in right), what=f"with a timeout of {show(timeout)} for each page",
                    hint=hint)


@points(5, "timing", needs="test_page_results")
def test_page_timeout(lab):
    """A page that hangs ends at exactly its timeout (1, 4)"""
    hint = "the limit begins when scrape_page is called, and is the one it was given: co_timeout_begin(&limit, timeout)"
    should_end_in_time(lab.run("page", slow(lab), may_fail=True), TIMEOUT, hint)
    other = ms(lab.rng.randint(300, 900))
    should_end_in_time(lab.run("page", slow(lab), settings={"timeout": other}, may_fail=True), other, hint)


def drips(lab) -> World:
    """Pages that always send something, and are never done."""
    rng = seed.rng(lab.seed, "drips")
    world = World(seed=lab.seed).site("http://drip.test", rtt=ms(20))
    world.route("/drops", latency=ms(100), body=titled("Drop by drop"),
                fault=Fault.drip(bytes=1, every=ms(rng.randint(500, 900))))
    world.route("/thin", latency=ms(300), body=titled("Thin", "." * 9000), bandwidth=rng.randint(1000, 3000),
                chunk=rng.randint(50, 300))
    world.route("/title-first", body=titled("Early", "." * 100), fault=Fault.drip(bytes=60, every=ms(1200)))
    for i in range(5):
        world.route(f"/{i}", latency=ms(rng.randint(500, 900)), redirect=f"http://drip.test/{i + 1}")
    return world


DRIPPING = ("/drops", "/thin", "/title-first", "/0")


@points(4, "timing", needs="test_page_timeout")
def test_page_timeout_is_on_the_whole(lab):
    """The limit is on the whole page, not on each read (4)"""
    run = lab.run("page", drips(lab), [f"http://drip.test{path}" for path in DRIPPING], may_fail=True)
    hint = ("one limit, begun when scrape_page begins, and ended when all of the page is there: connection, "
            "redirects and body together")
    reads = [event.get("src") for event in run.trace.of("await", "runtime") if event.get("on") == "stream"]
    if len(reads) > len(DRIPPING):
        src = max(reads, key=reads.count)
        early = next((page for page in run.results if page["error"] == 0), None)
        late = max((page["took_ns"] for page in run.results if isinstance(page["took_ns"], int)), default=0)
        run.should(late <= TIMEOUT, f"each page ends after {show(TIMEOUT)}, whatever comes in meanwhile",
                   f"one went on for {show(late)}", src=src,
                   hint=f"{src or 'the program'} reads piece by piece, and each piece comes in time. Put one limit on "
                        "opening and reading together, not one on each call (that of co_stream_open is on the wait for "
                        "the headers only)")
        run.should(early is None, f"each page is given up after {show(TIMEOUT)}",
                   f"one was taken for complete after {show(early['took_ns'] if early else 0)}",
                   src=src, hint="its title had come, but not all of it: only a complete answer is one, "
                                 "so read to the end")
    should_end_in_time(run, TIMEOUT, hint)


@points(3, "robustness", needs="test_page_timeout")
def test_page_is_closed_when_given_up(lab):
    """When the time is up, the connection is closed (5)"""
    for world, paths in ((slow(lab), ("/hangs", "/late")), (drips(lab), DRIPPING)):
        base = world.urls()[0].rsplit("/", 1)[0]
        run = lab.run("page", world, None if len(world.urls()) == 3 else [base + path for path in paths], may_fail=True)
        for path in paths:
            request = next((request for request in run.requests_for(base + path)), None)
            should_be_given_up(run, base + path, (request.start if request else 0) + TIMEOUT)


@points(1, "timing", needs="test_page_results")
def test_page_took(lab):
    """url and took are right, without a session (1, 2, 6)"""
    world = good(lab)
    run = lab.run("page", world)
    should_know_its_urls(run)
    should_use_no_session(run)
    right = [right_page(world, url, TIMEOUT, {}) for url in world.urls()]
    got = [page["took_ns"] for page in run.results]
    hint = "read co_now() when scrape_page begins and when it ends; took is the difference"
    if got[1:] == [sum(page["took_ns"] for page in right[:i + 1]) for i in range(1, len(right))]:
        hint = ("these are times on the clock, which starts only once: "
                "take the difference between the end and the beginning of scrape_page")
    elif got == [page["took_ns"] // ms(1) for page in right]:
        hint = "took counts nanoseconds, and these are milliseconds: store what co_now() gives, without dividing it"
    should_be(run, right, ("took_ns",), hint)


@points(3, "robustness", needs="test_page_timeout")
def test_page_can_be_cancelled(lab):
    """Cancelled, scrape_page returns -ECANCELED at once (7)"""
    after = ms(lab.rng.randint(200, 900))
    for world in (World(seed=lab.seed).site("http://slow.test", rtt=ms(20)).route("/", latency=sec(1),
                                                                                  body=titled("Slow")),
                  World(seed=lab.seed).site("http://drip.test", rtt=ms(20)).route("/", body=titled("Drip"),
                                                                                  fault=Fault.drip(every=ms(60)))):
        run = lab.run("cancel-page", world, settings={"after": after}, may_fail=True)
        run.should_take(after, what="until it was cancelled",
                        hint="a call that returned -ECANCELED means: clean up and return")
        should_be_given_up(run, world.urls()[0], after)
        got = run.results[0]["error"]
        if run.report["rc"] != -errno.ECANCELED:
            run.fail("it returns -ECANCELED", f"it returned {error(run.report['rc'])}",
                     topic="-" if got == -errno.ETIMEDOUT else "cancelled",
                     hint="its own time was not up: somebody cancelled the task. "
                          "Only co_timeout_end can tell the two apart; it leaves -ECANCELED alone in this case. Do not "
                          "turn every -ECANCELED into -ETIMEDOUT, and return it"
                          if got == -errno.ETIMEDOUT else "being cancelled is no result of the page: return "
                                                          "-ECANCELED, so that the caller stops, too")
        run.should(got == -errno.ECANCELED, "out->error is -ECANCELED",
                   f"it is {error(got) if isinstance(got, int) else got}",
                   hint="store the error before you return it")


# ---- The title ------------------------------------------------------------------------------


class Case(NamedTuple):
    """A page and its title; hint: what is likely wrong if it is not found."""

    page: str | bytes
    title: str
    hint: str = ""


def as_text(page: str | bytes) -> str:
    return page.decode("utf-8", "backslashreplace") if isinstance(page, bytes) else page


def as_read(page: str | bytes) -> str:
    """A page for a message: short, on one line."""
    text = as_text(page)
    text = text.encode("unicode_escape").decode("ascii") if any(c < " " for c in text) else text
    return text if len(text) <= 100 else f"{text[:60]} … {text[-30:]}"


def should_find(lab, cases: list[Case], chunk: Optional[int] = None) -> None:
    """The title of each page, as scrape_page finds it."""
    world = World(seed=lab.seed).site("http://titles.test", rtt=ms(20))
    for i, case in enumerate(cases):
        world.route(f"/{i}", latency=ms(10), body=case.page if case.page else None,
                    **({"bandwidth": 4_000_000, "chunk": chunk} if chunk else {}))
    run = lab.run("page", world, todo="the title, TODO 2")
    wrong = [i for i, case in enumerate(cases) if run.results[i]["title"] != case.title]
    if wrong:
        case, got = cases[wrong[0]], run.results[wrong[0]]["title"]
        others = f" ({len(wrong)} of these {len(cases)} titles are wrong)" if len(wrong) > 1 else ""
        hint = case.hint
        streamed = any(event.get("on") == "stream" for event in run.trace.of("await", "runtime"))
        if chunk is None and all(page["title"] in ("", "(never written)") for page in run.results) \
                and any(other.title for other in cases):
            hint = "write find_title, TODO 2"
        elif got == "(never written)":
            hint = 'title was never stored: it is "" where there is none'
        elif not case.title and got and got not in as_text(case.page):
            hint = "this does not stand in the page: you read on behind its end. A body that you read piece by piece " \
                   "has no '\\0' behind it, so search as many bytes as there are"
        elif chunk is None and streamed and len(case.page) > 8000:
            hint = f"{hint}. If you search piece by piece, remember that a comment, too, may be longer than a piece"
        run.should(False, f'the page {as_read(case.page)} has the title "{case.title}"', f'it is "{got}"{others}',
                   hint=hint)


@points(2, "correctness", needs="test_page_results")
def test_title_is_found(lab):
    """The title is found, whatever its tag looks like (9)"""
    word = f"Title-{lab.rng.randint(100, 999)}"
    should_find(lab, [
        Case(titled(word), word, "it stands between <title> and </title>"),
        Case(f"<title>{word}</title>", word, "it may stand at the very beginning of the page, and end at its very end"),
        Case(f"<title>{word}</title", word, "it ends before the next </title, and the page may end with that"),
        Case(f"<HTML><HEAD><TITLE>{word}</TITLE></HEAD></HTML>", word, "tags may be written in capital letters, too: "
                                                                       "strncasecmp"),
        Case(f"<Title>{word}</tItLe>", word, "tags may be written in capital letters, too, the closing one as well"),
        Case(f'<title lang="en">{word}</title>', word, "a tag may hold more than its name: it ends at the next >"),
        Case(f"<title\n  id=x\n>{word}</title >", word, "behind the name comes >, / or any white space"),
        Case(f"<p>1 < 2</p><title>{word}</title>", word, "a < in the text begins no tag: go on behind it"),
        Case(f"<titles>No</titles><title>{word}</title>", word, "<titles> is another tag: look at the character behind "
                                                                "the name"),
        Case(f"<title>{word}</title><title>Other</title>", word, "the first title counts"),
    ])


@points(3, "correctness", needs="test_title_is_found")
def test_title_in_comments_and_scripts(lab):
    """What stands in a comment or script is no title (10)"""
    word = f"Right-{lab.rng.randint(100, 999)}"
    comment, script = "a comment goes from <!-- to the next -->: skip all of it", "a script goes from <script to the " \
        "next </script: skip all of it"
    should_find(lab, [
        Case(f"<!-- <title>Draft</title> --><title>{word}</title>", word, comment),
        Case(f'<script>x = "<title>Wrong</title>";</script><title>{word}</title>', word, script),
        Case(f'<SCRIPT src="a.js">x = "<title>Wrong</title>";</Script><title>{word}</title>', word,
             script + ", in any case"),
        Case(f"<!-- one --><p><!-- <title>two</title> --><title>{word}</title>", word,
             comment + ", the second one, too"),
        Case(f"<!-- a -> <title>no</title> --><title>{word}</title>", word,
             "a comment ends with -->, and with nothing less"),
        Case(f"<!-- a <script> --><title>{word}</title><script></script>", word, "in a comment there are no scripts"),
        Case(f'<script>x = "<!--";</script><title>{word}</title><!-- -->', word, "in a script there are no comments"),
        Case(f"<scripts></scripts><title>{word}</title>", word, "<scripts> is no script"),
        Case("<!-- <title>Wrong</title>", "", "a comment that does not end goes on to the end of the page"),
        Case("<script><title>Wrong</title>", "", "a script that does not end goes on to the end of the page"),
        Case("<title>a<b><!--c</title>", "a<b><!--c", "inside a title there is nothing but text"),
    ])


@points(3, "correctness", needs="test_title_is_found")
def test_title_is_tidied_up(lab):
    """White space collapses, five entities are replaced (11, 12)"""
    number = lab.rng.randint(100, 999)
    once = "entities are replaced once: go on behind what you have replaced"
    should_find(lab, [
        Case(f"<title>\n   No {number}\n</title>", f"No {number}", "white space at both ends is dropped"),
        Case(f"<title>No  {number} \t\r\n\f  and\nmore</title>", f"No {number} and more",
             "each run of white space inside becomes one blank"),
        Case(f"<title>No\v{number}</title>", f"No\v{number}", "white space is only what the handout lists; isspace, "
                                                              "for one, takes \\v (\\x0b), too"),
        Case(f"<title>Tea &amp; toast {number}</title>", f"Tea & toast {number}", "&amp; stands for &"),
        Case("<title>&lt;b&gt; &quot;x&quot; &#39;y&#39;</title>", "<b> \"x\" 'y'",
             "&lt; &gt; &quot; &#39; stand for < > \" '"),
        Case("<title>&amp;lt; &amp;amp;</title>", "&lt; &amp;", once),
        Case("<title>&copy; AT&T &nbsp; &AMP; &</title>", "&copy; AT&T &nbsp; &AMP; &", "any other & stays as it is"),
        Case("<title>a&lt;/title&gt;b</title>", "a</title>b", "find the end of the title first, replace the entities "
                                                              "then"),
    ])


@points(2, "correctness", needs="test_title_is_found")
def test_title_is_cut(lab):
    """A long title is cut to 63 bytes (13)"""
    digits = "".join(str(lab.rng.randint(0, 9)) for _ in range(200))
    many = "<title>" + "a  b&amp;" * 40 + "</title>"
    should_find(lab, [
        Case(f"<title>{digits[:62]}</title>", digits[:62], "it is not too long"),
        Case(f"<title>{digits[:63]}</title>", digits[:63], "63 bytes and the '\\0' fit exactly"),
        Case(f"<title>{digits[:64]}</title>", digits[:63], "64 bytes are one too many: title[63] is for the '\\0'"),
        Case(f"<title>{digits}</title>", digits[:63], "write at most TITLE_MAX - 1 bytes, then the '\\0'"),
        Case(f"<title>{' ' * 100}{digits[:10]}</title>", digits[:10],
             "white space is dropped first, and only then is it cut"),
        Case(many, ("a b&" * 40)[:63], "entities and white space count as what they become: "
                                       "cut what you have written, not what you read"),
    ])


@points(2, "correctness", needs="test_title_is_found")
def test_no_title(lab):
    """A page without a title, or a failed one, has "" (8, 9)"""
    should_find(lab, [
        Case("<p>nothing here</p>", "", "there is no title"),
        Case("<title></title><title>Second</title>", "", "the first title counts, even if it is empty"),
        Case("<title> \n </title>", "", "only white space: nothing is left"),
        Case("<title>Never ends", "", "without a </title it is no title"),
        Case("<title", "", "the tag does not even end"),
        Case("", "", "an empty page has no title"),
    ])
    world = World(seed=lab.seed).site("http://shop.test", rtt=ms(20))
    for status in (404, 500, 400):
        world.route(f"/{status}", latency=ms(50), status=status, body=titled(f"Error {status}"))
    world.route("/reset", latency=ms(50), body=titled("Half", "." * 500), fault=Fault.reset(after=200))
    run = lab.run("page", world, may_fail=True)
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()], ("title",),
              hint="only a successful page has a title: error 0, and a status below 400")


@points(3, "correctness", needs="test_title_is_found")
def test_title_in_any_bytes(lab):
    """Zero bytes, Latin-1, 64 KiB before it, cut anywhere (14)"""
    rng = lab.rng
    word = f"Title-{rng.randint(100, 999)}"
    zero = ("there are '\\0' bytes in front of it, and strstr, strlen and the like stop at the first: "
            "search as many bytes as there are")
    plain = "other bytes than ASCII go through as they are (a char may be negative)"
    far = "it stands far down the page: look at all of it"
    cases = [
        Case(b"\0\0\0<title>" + word.encode() + b"</title>", word, zero),
        Case(b"<!-- \0 --><p>\0<title>" + word.encode() + b"</title>\0", word, zero),
        Case(b"<title>Caf\xe9-cr\xe8me</title>", "Caf\\xe9-cr\\xe8me", plain),
        Case("<title>Café-crème</title>", "Café-crème", plain),
        Case(b"<title>\xa0\x85\xff</title>", "\\xa0\\x85\\xff", "white space is only what the handout lists; "
                                                                "a char may be negative"),
        Case("." * rng.randint(66_000, 90_000) + f"<title>{word}</title>", word, far),
        Case(f"<!-- {'<title>no</title>' * 4000} --><title>{word}</title>", word, far),
    ]
    with lab.part(2, "in one piece"):
        should_find(lab, cases)
    with lab.part(1, "in small pieces"):
        pieces = ("a piece may end anywhere, also in the middle of <title> or </title>: keep what you have read, "
                  "and search all of it")
        should_find(lab, [Case(f"{'-' * i}<title>{word}</title>{'-' * 9}", word, pieces) for i in range(7)], chunk=7)


# ---- scrape_all -----------------------------------------------------------------------------


@points(3, "correctness")
def test_all_results(lab):
    """scrape_all stores every page in its place (16)"""
    world = good(lab)
    run = lab.run("all", world, todo=TODO_ALL)
    if not run.requests:
        run.fail("scrape_all fetches all pages", "it made no request", topic="requests")
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])
    should_know_its_urls(run, only_places=True)
    # right or wrong: titles have their own checks
    alone = [{"title": page["title"]} for page in lab.run("page", world).results]
    should_be(run, alone, ("title",), hint="out[i] belongs to urls[i], whichever page was done first")


@points(2, "correctness", needs="test_all_results")
def test_all_ask_once(lab):
    """Each element is asked for once, also a double one (18)"""
    world = good(lab)
    with lab.part(1, "ten different pages"):
        lab.run("all", world).should_ask_once()
    with lab.part(1, "some of them twice"):
        urls = world.urls()[:3] * 2 + world.urls()[:1]
        run = lab.run("all", world, urls)
        run.should_ask_once()
        should_be(run, [right_page(world, url, TIMEOUT, {}) for url in urls])


@points(1, "timing", needs="test_all_results")
def test_all_never_blocks(lab):
    """scrape_all never blocks the loop (24)"""
    lab.run("all", good(lab)).should_never_block(hint="fetch with co_http_get")


@points(5, "timing", needs=("test_all_results", "test_all_never_blocks"))
def test_all_at_the_same_time(lab):
    """Ten pages take as long as the longest of them (15)"""
    world = good(lab)
    run = lab.run("all", world)
    run.should_take(max(world.latencies()), what="as long as the longest of ten pages",
                    hint="start all tasks first, then take them as they are done")
    run.should_peak_at(10, hint="each page has a task of its own, and none starts late")


def should_not_try_again(run) -> None:
    """No URL is asked for more often than it stands in urls; where a redirect leads to does not count."""
    made: dict[str, int] = {}
    last: dict[int, int] = {}           # the last status that a task got
    for request in run.requests:
        if not 300 <= last.get(request.task, 0) < 400:
            made[request.url] = made.get(request.url, 0) + 1
            src = waits_for(run, request)
            run.should(made[request.url] <= run.asked.count(request.url), f"{request.url} is asked for once",
                       "it was asked for again",
                       src=src, hint=f"{src or 'the program'} tries again what has failed. "
                                     "A failure is a result like another: keep it")
        last[request.task] = request.status


@points(3, "robustness", needs=("test_page_errors", "test_page_timeout", "test_all_at_the_same_time"))
def test_all_go_on_after_failures(lab):
    """One page that fails ends no other (3, 15, 17, 18)"""
    world = mixed(lab)
    run = lab.run("all", world, may_fail=True)
    right = [right_page(world, url, TIMEOUT, {}) for url in world.urls()]
    should_return_0(run)
    should_be(run, right, hint="a failed page is a result: its task returns 0, so that co_join cancels nobody")
    should_not_try_again(run)
    should_use_no_session(run)
    run.should(run.elapsed == TIMEOUT, f"{show(TIMEOUT)}, as long as the pages that are given up, and no longer",
               f"it took {show(run.elapsed)}",
               hint="each page has a timeout of its own, and nothing else takes time: wait for the tasks "
                    "(co_next_done, co_join), do not sleep and look whether they are done")


@points(2, "robustness", needs=("test_page_is_closed_when_given_up", "test_all_go_on_after_failures"))
def test_all_close_what_is_given_up(lab):
    """Given up, a page lets go of its connection at once (5, 15)"""
    run = lab.run("all", mixed(lab), may_fail=True)
    for url in ("http://bad.test/hangs", "http://bad.test/late", "http://last.test/drips"):
        should_be_given_up(run, url, TIMEOUT)


def news(run, name: str) -> list[dict]:
    """The calls of the listener: what was told, and at which time ("t")."""
    start = run.trace.report("start")["t"]
    return [{**event["value"], "t": event["t"] - start} for event in run.trace.reports if event["name"] == name]


def should_be_told_once(run, said: list[dict], urls: list[str], what: str, hint: str) -> None:
    """Each of these URLs in exactly one call."""
    told = [news["url"] for news in said]
    unknown = next((url for url in told if url not in run.asked), None)
    run.should(unknown is None, f"{what} is called with a URL of urls", f"it was called with {unknown}",
               hint="hand on the page of out, or its url")
    twice = next((url for url in told if told.count(url) > urls.count(url)), None)
    run.should(twice is None, f"{what} is {'not called' if twice not in urls else 'called once'} for {twice}",
               f"{count(told.count(twice), 'call')}", hint=hint)
    missing = [url for url in urls if url not in told]
    run.should(not missing, f"{what} is called for {count(len(urls), 'page')}",
               f"never for {missing[0] if missing else ''}"
               f"{f' and {len(missing) - 1} more' if len(missing) > 1 else ''}", hint=hint)
    run.should(all("arg" not in call for call in said), f"{what} gets listener->arg", "it got something else",
               hint="its first argument is listener->arg")


def should_be_told_in_time(run, said: list[dict], done: dict[str, int], what: str) -> None:
    """Each at the instant its page was done."""
    late = next((call for call in said if call["t"] != done[call["url"]]), None)
    if not late:
        return
    latest, in_order = 0, True          # told in the order of the urls: each when it and all those before it are done
    for url in run.asked:
        latest = max(latest, done[url])
        in_order = in_order and all(call["t"] == latest for call in said if call["url"] == url)
    hint = f"call {what} as soon as the page is done, and let nothing wait in between"
    if late["t"] < done[late["url"]]:
        hint = ("that page was not done by then: does something give it up too early, a limit on redirects of its own, "
                "or a timeout?")
    elif len({call["t"] for call in said}) == 1:
        hint = (f"all of them came at {show(late['t'])}: do not wait for all pages before you tell of the first "
                "(co_next_done)")
    elif in_order:
        hint = ("you wait for the tasks in the order in which you started them, "
                "so a slow page holds back the news of those behind it: take them as they are done (co_next_done)")
    run.should(False, f"{what} for {late['url']} at {show(done[late['url']])}, when it is done",
               f"it came at {show(late['t'])}", hint=hint)


@points(3, "timing", needs="test_all_at_the_same_time")
def test_all_progress(lab):
    """progress is called for each page as it is done (19)"""
    world = good(lab)
    run = lab.run("all", world, todo="the progress, TODO 4")
    said, done = news(run, "progress"), dict(zip(world.urls(), world.latencies()))
    run.should(bool(said), "progress is called for each page", "it was never called",
               hint="call listener->progress for each task that is done (TODO 4)")
    should_be_told_once(run, said, world.urls(), "progress", "call it once for each page that is done")
    should_be_told_in_time(run, said, done, "progress")
    numbers = [(call["done"], call["total"]) for call in said]
    wrong = next((i for i, pair in enumerate(numbers) if pair != (i + 1, len(said))), None)
    run.should(wrong is None, f"call {(wrong or 0) + 1} says {(wrong or 0) + 1} of {len(said)}",
               f"it says {'%d of %d' % numbers[wrong or 0]}",
               hint="that counts on from garbage: *summary is not empty when you get it, so set its numbers to 0 first"
               if numbers[0][0] < 0 else
               "done counts how many pages are done by now, this one included, from 1; total is n")
    for call in said:
        right = {field: right_page(world, call["url"], TIMEOUT, {})[field] for field in ("error", "status")}
        got = {field: call[field] for field in right}
        run.should(got == right, f"the page that is told of is finished: {described(right)}", described(got),
                   hint="fill in the page first, then tell of it")


@points(3, "correctness", needs="test_all_go_on_after_failures")
def test_all_log(lab):
    """log is called for each failed page, with its cause (20)"""
    world = mixed(lab)
    run = lab.run("all", world, may_fail=True, todo="the log, TODO 5")
    right = {url: right_page(world, url, TIMEOUT, {}) for url in world.urls()}
    failed = [url for url in right if not is_success(right[url])]
    said = news(run, "log")
    run.should(bool(said), f"log is called for {count(len(failed), 'failed page')}", "it was never called",
               hint="call listener->log for each failed page (TODO 5)")
    silent = [url for url in failed if url not in {call["url"] for call in said}]
    hint = "a status of 400 or more is a failure, too, though error is 0" if silent and all(right[url]["status"]
                                                                                            for url in silent) else \
        "each failed page is logged once, and no successful one"
    should_be_told_once(run, said, failed, "log", hint)
    should_be_told_in_time(run, said, {url: right[url]["took_ns"] for url in right}, "log")
    wrong = next((call for call in said if call["cause"] != cause_of(right[call["url"]])), None)
    if wrong:
        status = right[wrong["url"]]["status"]
        run.should(False, f'the cause for {wrong["url"]}: "{cause_of(right[wrong["url"]])}"',
                   f'it is "{wrong["cause"]}"',
                   hint=f'with an answer the cause is "HTTP {status}", made of the page\'s own status' if status else
                   "without an answer the cause is co_strerror(error)")


@points(3, "correctness", needs="test_all_results")
def test_all_summary(lab):
    """The summary counts, a 404 as failed, and measures (21)"""
    with lab.part(1, "ten good pages"):
        world = good(lab)
        run = lab.run("all", world, todo="the summary, TODO 5")
        should_sum_up(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])
    with lab.part(1, "good and bad ones"):
        world = mixed(lab)
        run = lab.run("all", world, may_fail=True)
        should_sum_up(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])
    with lab.part(1, "the time"):
        begin = ms(250)
        run = lab.run("all", good(lab), settings={"begin": begin})
        got = run.report["summary"]["total_time_ns"]
        hint = "co_now() when scrape_all ends minus co_now() when it began"
        if got == sum(good(lab).latencies()):
            hint = "that is the sum of all pages, but they overlap: measure scrape_all as a whole"
        elif got == run.elapsed + begin:
            hint = f"that is the time on the clock: scrape_all was called at {show(begin)}. Take the difference"
        run.should(got == run.elapsed, f"total_time {show(run.elapsed)}",
                   f"it is {show(got) if isinstance(got, int) else got}", hint=hint)


def should_sum_up(run, right: list[dict]) -> None:
    """The three numbers."""
    told = run.report["summary"]
    answers = sum(page["error"] == 0 for page in right)
    successes = sum(map(is_success, right))
    for name, number in (("total", len(right)), ("successful", successes), ("failed", len(right) - successes)):
        hint = f"summary->{name} was never stored" if told[name] == "never written" else \
            "a 404 or a 500 is an answer, but no success: a page is successful if error is 0 and status is below 400" \
            if successes != answers and told["successful"] == answers else \
            "total is n: all the pages that were asked for" if name == "total" else \
            "count each page once, when it is done: successful, or else failed"
        run.should(told[name] == number, f"{name} {number}", f"{name} {told[name]}", hint=hint)


@points(1, "robustness", needs="test_all_results")
def test_all_none_and_one(lab):
    """scrape_all works for no page and for one (22)"""
    run = lab.run("all", World(seed=lab.seed), [], may_fail=True)
    run.should_take(0, what="n is 0, there is nothing to wait for")
    run.should(run.report["rc"] == 0, "for no page it returns 0", f"it returned {error(run.report['rc'])}",
               hint="nothing to do is no failure: fill in the summary, and return 0")
    run.should(run.report["summary"] == {"total": 0, "successful": 0, "failed": 0, "total_time_ns": 0},
               "a summary of nothing but 0",
               str(run.report["summary"]), hint="fill in the summary also for n = 0")
    world = good(lab, 1)
    run = lab.run("all", world)
    should_be(run, [right_page(world, url, TIMEOUT, {}) for url in world.urls()])
    run.should_take(max(world.latencies()))


@points(4, "robustness", needs=("test_page_can_be_cancelled", "test_all_progress", "test_all_summary", "test_all_log"))
def test_all_can_be_cancelled(lab):
    """Cancelled, scrape_all ends at once and keeps the rest (23)"""
    world, after = mixed(lab), ms(550)
    run = lab.run("cancel", world, settings={"after": after}, may_fail=True)
    with lab.part(2, "it ends at once"):
        if run.report["rc"] != -errno.ECANCELED:
            run.fail("it returns -ECANCELED", f"it returned {error(run.report['rc'])}", topic="cancelled",
                     hint="return what co_next_done (or your way of waiting) returned")
        late = [request for request in run.requests if request.end is None or request.end > after]
        src = waits_for(run, late[0]) if late else None
        kept_away = bool(late) and any(event["task"] == late[0].task and event["t"] == after
                                       for event in run.trace.of("cancel", "runtime"))
        run.should(not late, "every request ends when scrape_all is cancelled",
                   f"{count(len(late), 'request')} went on, {late[0].url if late else ''} first",
                   src=src, hint=f"its task was cancelled, too, but {src or 'the program'} went on all the same: a "
                   "shield (co_shield_begin) keeps a cancellation away. It is for cleaning up, not for the work itself"
                   if kept_away else
                   "tasks of a group are cancelled with the task that waits for them; others you must cancel yourself")
        run.should(run.elapsed == after, f"it returns after {show(after)}, when it was cancelled",
                   f"it took {show(run.elapsed)}",
                   hint="a call that returned -ECANCELED means: stop waiting, clean up, return")
    right = [right_page(world, url, TIMEOUT, {}) for url in world.urls()]
    done = [page["took_ns"] < after for page in right]
    with lab.part(1, "what was done is kept"):
        should_be(run, [page if is_done else {"error": -errno.ECANCELED, "status": 0} for page,
                        is_done in zip(right, done)],
                  hint="a page that was not done has the error -ECANCELED, the others keep what they have",
                  ask_trace=False)
        told = run.report["summary"]
        numbers = {"total": len(right), "successful": sum(is_done and is_success(page) for page,
                                                          is_done in zip(right, done)),
                   "failed": sum(is_done and not is_success(page) for page, is_done in zip(right, done)),
                   "total_time_ns": after}
        for name, number in numbers.items():
            both = f"{name.removesuffix('_ns')} {{}}"
            run.should(told[name] == number, both.format(show(number) if name.endswith("_ns") else number),
                       both.format(show(told[name]) if name.endswith("_ns") and isinstance(told[name], int)
                                   else told[name]),
                       hint="fill in the summary on this way out, too" if told[name] in ("never written", 0) else
                       "a page that was cancelled together with you counts neither as successful nor as failed")
    with lab.part(1, "nobody hears of the rest"):
        kept = [url for url, is_done in zip(world.urls(), done) if is_done]
        hint = "a page that was cancelled together with you is no news: its task returned -ECANCELED, leave it out"
        should_be_told_once(run, news(run, "progress"), kept, "progress", hint)
        should_be_told_once(run, news(run, "log"),
                            [url for url in kept if not is_success(right[world.urls().index(url)])], "log", hint)


# ---- The code -------------------------------------------------------------------------------


def should_leave_nothing(run) -> None:
    """No answer, stream or task is left. A task that ended with its group's block was waited for there."""
    if any(leak.what != "task" for leak in run.leaks):
        run.should_leak_nothing(hint="a way out that leaves co_response_free or co_stream_close out?")
    left = run.report.get("tasks_left", 0)
    if left:
        told = run.cause("leaks")
        run.should(False, "no task is left when the function returns", f"{count(left, 'task')} left",
                   told.text if told else "wait for every task of your group before you return: co_join, or the end of "
                                          "the block in which CO_GROUP stands",
                   told.src if told else None)


@points(2, "robustness", needs=(*BOTH, "test_page_timeout"))
def test_nothing_is_left_behind(lab):
    """Every answer freed, every stream closed, no task left (25)"""
    with lab.part(1, "after good pages"):
        should_leave_nothing(lab.run("all", good(lab)))
    with lab.part(1, "after pages that fail, and after a cancellation"):
        should_leave_nothing(lab.run("all", mixed(lab), may_fail=True))
        should_leave_nothing(lab.run("cancel", mixed(lab), settings={"after": ms(550)}, may_fail=True))


@points(3, "robustness", needs=BOTH, last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (26)"""
    lab.should_be_clean()


@points(3, "coverage", needs=BOTH)
def test_coverage(lab):
    """The checks run 85 % of your lines (27)"""
    seen = lab.coverage()
    if seen.line_percent >= LEAST_COVERED:
        return
    pieces = [piece for piece in seen.pieces() if piece.lines]
    named = ", ".join(f"{piece.src} ({piece.lines} line{'s' if piece.lines > 1 else ''})" for piece in pieces[:5])
    lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines",
             f"{seen.line_percent:.0f} %; never ran: {named}",
             f"{pieces[0].describe().rstrip(';')}. Which of the situations in the handout reaches it? If none does, "
             "what is it for?", pieces[0].src)
