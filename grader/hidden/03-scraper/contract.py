"""The contract of lab 03: what each requirement of the handout says of any run."""

from __future__ import annotations

import errno
import re
from collections import Counter
from functools import cached_property
from typing import Iterator, Optional

from looplab.asking.contract import Contract, Situation, once_a_run, pieces
from looplab.asking.pages import plain_url
from looplab.asking.visible import visible_checks
from looplab.plain.duration import Duration, show
from looplab.plain.text import count
from looplab.plain.words import error
from looplab.reading.run import Run
from looplab.reading.trace import Request

from . import titles
from .situations import CASES, PLAN, Facts, situation

visible = visible_checks(__file__)

DONE, OPEN, CANCELLED = "done", "open", "cancelled"     # what became of a page: open if it was done at the very instant
UNWRITTEN = "(never written)"                           # of the cancellation


def blame(case: Situation) -> int:
    """What is broken where a run does not come to its end."""
    facts: Facts = case.facts
    if facts.calls > 1:
        return 22
    if facts.cancel is not None or facts.stop_at:
        return 7 if case.mode == "page" else 23
    if case.mode == "all" and not 1 < len(facts.urls) < 100:
        return 22
    if any(map(facts.titles.__getitem__, range(len(facts.titles)))):
        rules = set().union(*(titles.rules_of(body) for body in facts.bodies if body is not None))
        return max(rules - {11, 12}) if case.mode == "page" else 16
    if any(time > facts.timeout for time in facts.times):
        return 4
    return 17 if case.mode == "all" else 3 if any(answer["error"] for answer in facts.answers) else 2


contract = Contract(draw=situation, plan=PLAN, blame=blame, cases=CASES,
                    elsewhere={26: "test_clean_under_sanitizers", 27: "test_coverage"})


class Call:
    """One call of scrape_all, or of scrape_page on one page after the other, as it should be."""

    def __init__(self, case: Situation, run: Run, begin: int, end: int, number: int):
        facts: Facts = case.facts
        self.run, self.facts, self.number, self.mode = run, facts, number, case.mode
        self.cancel = facts.cancel if number < 2 else None
        self.urls, self.bodies = facts.urls[begin:end], facts.bodies[begin:end]
        self.right = [right(facts, k) for k in range(begin, end)]
        took = [page["took_ns"] for page in self.right]
        self.begins = [sum(took[:k]) if case.mode == "page" else 0 for k in range(len(took))]
        self.ends = [begin + ns for begin, ns in zip(self.begins, took)]
        self.elapsed = Duration(max(self.ends, default=0))

    @cached_property
    def start(self) -> int:
        report = self.run.trace.report("start")
        assert report
        return int(report["t"])

    @cached_property
    def returned(self) -> list[int]:
        """When it began, and when each page was done, if they are scraped one after the other."""
        return [self.start, *(one["t"] for one in self.run.trace.reports if one["name"] == "page")]

    @property
    def undisturbed(self) -> bool:
        return self.cancel is None and not self.facts.stop_at

    @cached_property
    def cut(self) -> Optional[int]:
        """When it is cancelled, ns after its beginning; None: not before all is done."""
        at = self.cancel
        if self.facts.stop_at:
            at = next((one["t"] for one in told(self, "progress") if one["done"] == self.facts.stop_at), None)
        return at if at is not None and at <= self.elapsed else None

    def state(self, k: int) -> str:
        if self.cut is None or self.ends[k] < self.cut:
            return DONE
        return OPEN if self.ends[k] == self.cut else CANCELLED

    def pages(self, *states: str) -> Iterator[tuple[int, dict, dict]]:
        """(number, what is right of it, what it is) of each page in one of these states."""
        for k, (page, got) in enumerate(zip(self.right, self.run.results)):
            state = self.state(k)
            if state not in states:
                continue
            if state == CANCELLED:
                page = {"error": -errno.ECANCELED, "status": 0, "title": "",
                        "took_ns": max(0, (self.cut or 0) - self.begins[k])}
            yield k, page, got

    def should_be(self, k: int, page: dict, fields: tuple[str, ...], hint: str = "") -> None:
        """These fields of page k."""
        pages = [dict(got) for got in self.run.results]
        pages[k].update({field: page[field] for field in fields})
        visible.should_be(self.run, pages, fields, hint)


def right(facts: Facts, k: int) -> dict:
    """What page k must be, if nobody cancels."""
    if facts.times[k] > facts.timeout or facts.answers[k]["error"] == -errno.ETIMEDOUT:
        return {"error": -errno.ETIMEDOUT, "status": 0, "took_ns": facts.timeout, "title": ""}
    page = {"error": facts.answers[k]["error"], "status": facts.answers[k]["status"], "took_ns": int(facts.times[k])}
    return {**page, "title": facts.titles[k] if visible.is_success(page) else ""}


def calls(case: Situation, run: Run, *modes: str, single: bool = True) -> Iterator[Call]:
    """The calls of the situation, if it is in one of these modes. single: only where there is but one."""
    if case.mode in modes and not (single and case.facts.calls > 1):
        yield from _calls(case, run)


@once_a_run
def _calls(case: Situation, run: Run) -> Iterator[Call]:
    facts: Facts = case.facts
    for number, begin, end in pieces(facts, len(facts.urls)):
        yield Call(case, run.call(number, facts.urls[begin:end]) if number else run, begin, end, number)


def undisturbed(case: Situation, run: Run, *modes: str) -> Iterator[Call]:
    return (call for call in calls(case, run, *modes) if call.undisturbed)


# ---- What is asked for ----------------------------------------------------------------------


@contract.requirement(24, "The loop is never blocked. No `http_get_blocking`, no `sleep`, no `co_cpu`.")
def never_blocks(case: Situation, run: Run) -> bool:
    run.should_never_block(hint="fetch with co_http_get")
    return bool(run.requests)


def gave_up(call: Call) -> bool:
    """Did one failure end other pages, or keep them from being begun? A page whose time is up may be given up by any
    means: by its timeout, or by another task that watches the clock."""
    made, begun = call.run.requests, {}     # type: list[Request], dict[str, int]
    for request in made:
        begun.setdefault(of_page(request), request.start)
    early = any(request.given_up and (request.end or 0) < begun[of_page(request)] + call.facts.timeout
                for request in made)
    return early or 0 < len(made) < len(call.urls) and made[-1].failed


@contract.requirement(17, "A failure is a result. … `scrape_all` returns 0 even if all of them fail.", after=(24,))
def failures_are_results(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        limit = visible.limit_on_all(call.run)
        if not limit:
            visible.should_return_0(call.run)
        if gave_up(call) and not limit:
            call.run.fail("the other pages are fetched all the same", "some were given up, or never asked for",
                          topic="requests")
    return case.mode == "all" and any(not visible.is_success(right(case.facts, k)) for k in range(len(case.facts.urls)))


@contract.requirement(18, "One request for each element. … it is fetched each time. Nothing is fetched again because "
                          "it failed.", after=(17, 24), unless=(4,))
def asked_once(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "page"):
        made = Counter(request.url for request in call.run.requests)
        asked = Counter(map(plain_url, call.urls))
        for url in asked:
            if made[url] > asked[url]:
                visible.should_not_try_again(call.run)
                call.run.should(False, f"{url} is asked for {count(asked[url], 'time')}", f"{count(made[url], 'time')}",
                                "one request for each element of urls, and none more: also if the page is empty, and "
                                "whatever became of it")
        too_late = any(got["error"] == -errno.ETIMEDOUT for got in call.run.results)       # before it was asked for
        if call.undisturbed and not too_late and any(made[url] < asked[url] for url in asked):
            call.run.fail(f"{count(len(call.urls), 'page')} are asked for", count(len(call.run.requests), "request"),
                          "each element is fetched, also one that stood there before, and also the last one",
                          topic="requests")
    return bool(case.facts.urls)


# ---- What stands in out ---------------------------------------------------------------------


@contract.requirement(1, "Set `url` (the pointer you were given), `error`, `status`, `title` and `took`, whatever "
                         "happens. It returns 0, also when the page has failed.", after=(17, 18, 24), unless=(4, 16))
def every_field(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "page"):
        for k, page, got in call.pages(DONE, CANCELLED):
            unset = [name for name in page if str(got[name]).strip("()") == UNWRITTEN.strip("()")]
            if unset and (call.state(k) == DONE or not {"error", "status"} & set(unset)):
                call.should_be(k, page, tuple(page))
        wrong = [one for one in call.run.report.get("wrong_urls", [])
                 if call.state(one["place"]) == DONE and (one["holds"] < 0 or visible.same_text(call.run, one))
                 or one["holds"] == -1 and call.state(one["place"]) == CANCELLED]
        told = f"page {wrong[0]['place']} has " + (f"urls[{wrong[0]['holds']}], another pointer to the same text"
                                                   if wrong[0]["holds"] >= 0 else "another pointer") if wrong else ""
        call.run.should(not wrong, "out[i].url is urls[i]", told,
                        "store the pointer you were given in page.url, not a copy of the text, on every way "
                        "out")
        for one in call.run.trace.reports if call.mode == "page" else ():
            if one["name"] == "page" and call.state(one["value"]["place"]) == DONE:
                rc = one["value"]["rc"]
                call.run.should(rc == 0, "scrape_page returns 0", f"it returned {error(rc)}",
                                "the error of a page stands in its struct; the function itself has done its work, and "
                                "returns 0")
    return bool(case.facts.urls)


@contract.requirement(16, "`out[i]` tells what became of `urls[i]`", after=(1, 17, 18, 24))
def input_order(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        visible.should_know_its_urls(call.run, only_places=True)
        pages = list(call.pages(DONE))
        moved = next((k for k, page, got in pages if got != page), None)
        if moved is not None and _sorted([page for _, page, _ in pages]) == _sorted([got for *_, got in pages]):
            call.should_be(moved, call.right[moved], tuple(call.right[moved]), "the pages stand in another order: give "
                           "each task the place that belongs to its URL, &out[i]")
    return case.mode == "all" and len(case.facts.urls) > 1


def _sorted(pages: list[dict]) -> list[str]:
    return sorted(str(sorted(page.items())) for page in pages)


@contract.requirement(4, "The page has `timeout` ns in all, from the call of `scrape_page` to the last byte: "
                         "connection, redirects and body together.", after=(1, 16, 17, 18, 24))
def timeout_on_the_whole(case: Situation, run: Run) -> bool:
    hint = "one limit, begun when scrape_page begins, with the timeout that it was given, and ended when all of the " \
           "page is there"
    late = False
    for call in undisturbed(case, run, "all", "page"):
        for k, page, got in call.pages(DONE):
            is_late = page["error"] == -errno.ETIMEDOUT
            late = late or is_late
            if is_late and got["error"] == -errno.ELOOP:
                call.should_be(k, page, ("error", "status"), "the page was given up before its time was up: the kit "
                               "follows up to ten redirects, so leave the number to it")
            if is_late and (got["error"], got["status"]) != (page["error"], 0) or got["error"] == -errno.ETIMEDOUT \
                    and not is_late:
                call.should_be(k, page, ("error", "status"), hint)
            if is_late and call.mode == "page":
                returns_in_time(call, k, hint)
    return late


def returns_in_time(call: Call, k: int, hint: str) -> None:
    """Page k, of those that are scraped one after the other."""
    took, should = Duration(call.returned[k + 1] - call.returned[k]), Duration(call.right[k]["took_ns"])
    if took != should:
        call.run.fail(f"scrape_page returns after {should}", f"it returns after {took}", hint, topic="timing",
                      values=(should, took))


@contract.requirement(3, "No answer. Then `error` is what the call returned (see the table), `status` is 0.",
                      after=(1, 4, 16, 17, 18))
def no_answer(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all", "page"):
        for k, page, got in call.pages(DONE):
            if page["error"] and (got["error"], got["status"]) != (page["error"], 0):
                call.should_be(k, page, ("error", "status"), "store what the call returned, and 0 as the status")
    return any(answer["error"] for answer in case.facts.answers)


@contract.requirement(2, "A complete answer in time. Then `error` is 0, and `status` is the answer's, whatever it is. "
                         "… no session, so that no page's time depends on another page.", after=(1, 3, 4, 16, 17, 18))
def complete_answer(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all", "page"):
        visible.should_use_no_session(call.run)
        call.run.should(all(request.session is None for request in call.run.requests), "no session",
                        "there was one", "co_http_get, or a co_request whose session is NULL")
        for k, page, got in call.pages(DONE):
            if not page["error"] and (got["error"], got["status"]) != (0, page["status"]):
                call.should_be(k, page, ("error", "status"), "any answer is one: error is 0, and status its own")
            if not page["error"] and call.mode == "page":
                returns_in_time(call, k, "scrape_page makes its request, and nothing else that takes time")
    return any(not answer["error"] for answer in case.facts.answers)


# ---- Time -----------------------------------------------------------------------------------


@contract.requirement(15, "All at the same time … It takes exactly as long as the page that takes longest; and none "
                          "takes longer than `timeout`.", after=(4, 16, 17, 18, 24))
def all_at_once(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        early = call.run.elapsed < call.elapsed
        call.run.should_take(call.elapsed, what="as long as the page that takes longest",
                             hint="it ended too early: is a page given up before its time is up, by a limit that is "
                                  "another one than `timeout`, or a rounded one?" if early else
                                  "start all tasks first, then take them as they are done; nothing else takes time")
        first: dict[str, list[int]] = {}
        for request in call.run.requests:
            first.setdefault(request.url, []).append(request.start)
        for url in map(plain_url, call.urls):
            late = next((at - call.start for at in first.get(url, []) if at > call.start), None)
            call.run.should(late is None, "all pages begin at once", f"{url} begins {show(late or 0)} later", "each "
                            "page has a task of its own, and none starts late")
    return case.mode == "all" and len(case.facts.urls) > 1


def of_page(request: Request) -> str:
    """The URL that was asked for, of what it led to."""
    return re.sub(r"-\d+$", "", request.url)


def should_be_over(call: Call, k: int, at: int) -> None:
    """No request of page k is under way any more, and no connection open, `at` ns after the call began."""
    url, now = plain_url(call.urls[k]), call.start + at
    for request in call.run.requests:
        if of_page(request) != url or request.start >= now:
            continue
        src = visible.waits_for(call.run, request)
        call.run.should(request.end is not None and request.end <= now, f"{url} is given up after {show(at)}: its "
                        "request ends then", f"its request went on until {show((request.end or 0) - call.start)}",
                        f"{src or 'the program'} goes on with a request that nobody waits for any more: to stop "
                        "waiting is not to end. Cancel it", src)
        closed = call.run.trace.closed.get(request.conn) if request.conn is not None else now
        call.run.should(closed is not None and closed <= now, f"the connection to {url} is closed after {show(at)}",
                        f"it is closed after {show(closed - call.start)}" if closed is not None else "it never is",
                        "close the stream as soon as the page is given up")


@contract.requirement(5, "When the time is up, the request ends and its connection is closed *at that instant*, not "
                         "later.", after=(1, 4, 15, 16, 17, 18))
def closed_when_given_up(case: Situation, run: Run) -> bool:
    late = False
    for call in undisturbed(case, run, "all", "page"):
        for k, page, _ in call.pages(DONE):
            if page["error"] == -errno.ETIMEDOUT:
                late = True
                should_be_over(call, k, call.ends[k])
    return late


@contract.requirement(6, "`took` is how long `scrape_page` took on the loop's clock (`co_now`), in ns.",
                      after=(1, 2, 3, 4, 15, 16, 17, 18), unless=(4, 15, 16))
def took(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "page"):
        for k, page, got in call.pages(DONE, CANCELLED):
            if got["took_ns"] != page["took_ns"] and got["error"] == page["error"]:
                call.should_be(k, page, ("took_ns",), "read co_now() when scrape_page begins and when it ends, on "
                                                      "every way out; took is the difference")
    return bool(case.facts.urls)


# ---- The title ------------------------------------------------------------------------------


@contract.requirement(8, "Only of a successful page. … The title of a failed page is `\"\"`",
                      after=(1, 2, 3, 4, 16, 17, 18))
def no_title_of_failed(case: Situation, run: Run) -> bool:
    failed = False
    for call in calls(case, run, "all", "page"):
        for k, page, got in call.pages(DONE, CANCELLED):
            if not visible.is_success(page):
                failed = True
                if got["title"] and got["error"] == page["error"]:
                    call.should_be(k, page, ("title",), "only a successful page has a title: error 0, and a status "
                                                        "below 400")
    return failed


HINTS = {9: "a title stands between <title> and the next </title: any case, <titles> is another tag, the tag ends at "
            "the next >, and the first one counts",
         10: "a comment goes from <!-- to the next -->, a script from <script to the next </script, or to the end of "
             "the page; whichever begins first ends first",
         11: "white space is blank, tab, \\n, \\r and \\f: dropped at both ends, and one blank inside",
         12: "five entities are replaced, each once: go on behind what you have replaced. Any other & stays",
         13: "white space and entities first, then cut to 63 bytes, whatever the last of them is",
         14: "bytes are bytes: '\\0' in front of the title, bytes beyond ASCII, pages of any length, cut anywhere"}


def titles_by(case: Situation, run: Run, number: int) -> bool:
    """The titles whose mistake is that of requirement `number`."""
    asked = False
    for call in undisturbed(case, run, "all", "page"):
        for k, page, got in call.pages(DONE):
            body = call.bodies[k]
            if not visible.is_success(page):
                continue
            asked = asked or body is not None and number in titles.rules_of(body)
            wrong = got["title"] != page["title"] and titles.broken_by(body or b"", str(got["title"]))
            if wrong == number:
                whose = visible.as_read(body or b"")
                call.run.should(False, f'{call.urls[k]}, {whose}: title "{page["title"]}"', f'it is "{got["title"]}"',
                                HINTS[number])
    return asked


BEFORE_TITLES = (1, 2, 3, 4, 16, 17, 18)


@contract.requirement(9, "The title is what stands between `<title>` and the next `</title`.", after=BEFORE_TITLES)
def where_it_is(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 9)


@contract.requirement(10, "Not in comments and scripts.", after=BEFORE_TITLES, unless=(9,))
def not_in_comments(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 10)


@contract.requirement(11, "White space … at both ends of the title is dropped; inside, each run of it becomes one "
                          "blank.", after=BEFORE_TITLES)
def white_space(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 11)


@contract.requirement(12, "Five entities are replaced, once", after=BEFORE_TITLES)
def entities(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 12)


@contract.requirement(13, "Cut to `TITLE_MAX - 1` = 63 bytes", after=BEFORE_TITLES)
def cut(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 13)


@contract.requirement(14, "Bytes are bytes. … the pieces may be cut anywhere", after=BEFORE_TITLES,
                      unless=(9, 10, 11, 12, 13))
def any_bytes(case: Situation, run: Run) -> bool:
    return titles_by(case, run, 14)


# ---- Who is told ----------------------------------------------------------------------------


def told(call: Call, name: str) -> list[dict]:
    """The calls of the listener, in order, and when ("t", ns after the beginning)."""
    return [{**one["value"], "t": one["t"] - call.start} for one in call.run.trace.reports if one["name"] == name]


STATIC = "what belongs to one call stands in scrape_all or in memory of its own, never in a static or global " \
         "variable, which all calls share"


def should_tell_progress(call: Call, hint: str = "") -> None:
    """Once of each page that was done, when it was."""
    said = told(call, "progress")
    for number, one in enumerate(said, start=1):
        place = one["place"]
        call.run.should(place >= 0, "progress gets a page of urls", "its url is another pointer",
                        "hand on the page that is done: its url is the pointer that was given")
        call.run.should((one["done"], one["total"]) == (number, len(call.urls)), f"call {number} of progress says "
                        f"{number} of {len(call.urls)}", f"it says {one['done']} of {one['total']}",
                        hint or "done counts how many pages are done by now, this one included, failed ones, too; "
                        "total is n")
        call.run.should("arg" not in one, "progress gets listener->arg", "it got something else",
                        "its first argument is listener->arg")
    places: Counter = Counter(one["place"] for one in said)
    for k, page in enumerate(call.right):
        state, url = call.state(k), call.urls[k]
        call.run.should(places[k] == 1 if state == DONE else places[k] <= (state == OPEN),
                        f"progress is called {'once' if state == DONE else 'never'} for {url}",
                        count(places[k], "time") if places[k] else "never",
                        "once for each page that is done, whatever became of it" if state == DONE else
                        "a page that was cancelled together with you is no news: leave it out")
    for one in said:
        k, page = one["place"], call.right[one["place"]]
        if one["t"] != call.ends[k]:
            visible.should_be_told_in_time(call.run, said, dict(zip(call.urls, call.ends)), "progress")
            call.run.should(False, f"progress for {call.urls[k]} at {show(call.ends[k])}, when it is done",
                            f"it came at {show(one['t'])}", "tell of each page as soon as it is done (co_next_done)")
        got = {field: one[field] for field in ("error", "status")}
        call.run.should(got == {field: page[field] for field in got},
                        f"the page that is told of is finished: {visible.described(page)}", visible.described(got),
                        "fill in the page first, then tell of it")


@contract.requirement(19, "`listener->progress` is called exactly once for each page, *at the instant* it is done, "
                          "with the finished page", after=(1, 2, 3, 4, 15, 16, 17, 18, 24))
def progress(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        should_tell_progress(call)
        for one in told(call, "progress"):
            page = call.run.results[one["place"]]
            got = {field: one[field] for field in page}
            call.run.should(got == page, f"the page that is told of is finished: {visible.described(page)}",
                            visible.described(got), "fill in the page first, then tell of it")
    return case.mode == "all" and bool(case.facts.urls)


def should_log(call: Call) -> None:
    """Each page that was done and has failed, with its cause, when it was."""
    right: Counter = Counter()
    maybe: Counter = Counter()
    for k, page in enumerate(call.right):
        if not visible.is_success(page) and call.state(k) != CANCELLED:
            maybe[call.urls[k], visible.cause_of(page), call.ends[k]] += 1
            right[call.urls[k], visible.cause_of(page), call.ends[k]] += call.state(k) == DONE
    said = told(call, "log")
    got = Counter((one["url"], one["cause"], one["t"]) for one in said)
    call.run.should(all("arg" not in one for one in said), "log gets listener->arg", "it got something else",
                    "its first argument is listener->arg")
    missing, more = next(iter(+(right - got)), None), next(iter(+(got - maybe)), None)
    if not missing and not more:
        return
    what = f'log for {missing[0]} after {show(missing[2])}: "{missing[1]}"' if missing else "no more calls of log"
    same = next((one for one in got if missing and one[0] == missing[0]), None) or more
    call.run.should(False, what, f'it was called for {same[0]} after {show(same[2])}: "{same[1]}"' if same
                    else "it was never called for it", "each page that has failed is logged once, when it is done: a "
                    'status of 400 or more with "HTTP 404", else with co_strerror(error)')


@contract.requirement(20, "`listener->log` is called exactly once for each failed page, at the instant it is done",
                      after=(1, 2, 3, 4, 15, 16, 17, 18, 24))
def log(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        should_log(call)
    return case.mode == "all" and any(not visible.is_success(right(case.facts, k)) for k in range(len(case.facts.urls)))


def should_sum_up(call: Call, elapsed: int) -> None:
    """Four numbers; what was done at the instant of a cancellation may count."""
    got = call.run.report["summary"]
    least = [page for k, page in enumerate(call.right) if call.state(k) == DONE]
    most = [page for k, page in enumerate(call.right) if call.state(k) != CANCELLED]

    def between(name: str, one: int, other: int) -> None:
        fine = isinstance(got[name], int) and one <= got[name] <= other
        call.run.should(fine, f"{name} {one}", f"{name} {got[name]}", "count each page once, when it is done: "
                        "successful (error 0, status below 400) or else failed; total is n, on every way out")

    good = [sum(map(visible.is_success, pages)) for pages in (least, most)]
    between("total", len(call.right), len(call.right))
    between("successful", *good)
    between("failed", len(least) - good[0], len(most) - good[1])
    call.run.should(got["total_time_ns"] == elapsed, f"total_time {show(elapsed)}",
                    show(got["total_time_ns"]) if isinstance(got["total_time_ns"], int) else got["total_time_ns"],
                    "co_now() when scrape_all ends minus co_now() when it began")


@contract.requirement(21, "`total` is `n`, `successful` and `failed` count the pages, and `total_time` is how long "
                          "`scrape_all` took.", after=(1, 2, 3, 4, 15, 16, 17, 18, 24))
def summary(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run, "all"):
        should_sum_up(call, call.run.elapsed)
    return case.mode == "all"


# ---- The end --------------------------------------------------------------------------------


def should_end(call: Call, name: str) -> None:
    """It ends when it is cancelled, and what was under way is over."""
    rc, at = call.run.report["rc"], call.cut or 0
    if rc != -errno.ECANCELED and call.mode == "all":
        call.run.fail("it returns -ECANCELED", f"it returned {error(rc)}", topic="cancelled",
                      hint="of all errors this one is about you: return it")
    call.run.should_take(at, what="until it was cancelled",
                         hint=f"a call that returned -ECANCELED means: stop waiting, clean up, return from {name}")
    for k in range(len(call.urls)):
        if call.state(k) != DONE:
            should_be_over(call, k, at)
    for k, page, got in call.pages(CANCELLED):
        if (got["error"], got["status"]) != (page["error"], page["status"]):
            call.should_be(k, page, ("error", "status"), "a page that was not done has the error -ECANCELED")


@contract.requirement(7, "When the task that called it is cancelled, it returns `-ECANCELED` at that instant.",
                      after=(18, 24), unless=(4,))
def page_cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run, "page"):
        if call.cut is not None and call.cut < call.elapsed:
            asked = True
            should_end(call, "scrape_page")
            for one in call.run.trace.reports:
                rc = one["value"].get("rc")
                if one["name"] == "page" and call.state(one["value"]["place"]) == CANCELLED:
                    call.run.should(rc == -errno.ECANCELED, "scrape_page returns -ECANCELED", f"it gave {error(rc)}",
                                    "of all errors this one is about you: return it")
    return asked


@contract.requirement(23, "it returns `-ECANCELED` at that same instant. Every task has ended by then, every "
                          "connection is closed. What was done is kept: `out` and `summary` tell it.", after=(18, 24),
                      unless=(4, 15, 16, 17, 18, 19, 20, 21))
def all_cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run, "all"):
        if call.cut is None or call.cut >= call.elapsed:
            continue
        asked = True
        should_end(call, "scrape_all")
        for k, page, got in call.pages(DONE):
            if (got["error"], got["status"]) != (page["error"], page["status"]):
                call.should_be(k, page, ("error", "status"), "a page that was done keeps what it has")
        should_sum_up(call, call.cut)
        should_tell_progress(call)
        should_log(call)
    return asked


@contract.requirement(25, "Nothing is left behind. Every response is freed and every stream closed, every task waited "
                          "for, all memory freed.")
def nothing_left(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "page"):
        visible.should_leave_nothing(call.run)
    return bool(run.requests)


@contract.requirement(22, "With `n` = 0 it makes no request, takes no time, calls nobody and returns 0 (with a "
                          "summary).", after=(24,))
def none_one_many(case: Situation, run: Run) -> bool:
    n = len(case.facts.urls)
    for call in calls(case, run, "all") if not n else ():
        call.run.should(not call.run.requests, "no request", count(len(call.run.requests), "request"))
        call.run.should(not told(call, "progress") + told(call, "log"), "nobody is told of anything", "somebody is",
                        "progress is called once for each page: without pages never")
        call.run.should_take(0, what="n is 0, there is nothing to wait for", hint="for n = 0, do nothing, and return 0")
        should_sum_up(call, 0)
        if call.undisturbed:
            visible.should_return_0(call.run)
    return case.mode == "all" and (n < 2 or n >= 100)


@contract.requirement(22, "It may be called again, also while another call is under way: neither knows of the other.",
                      after=(17, 24), several=True,
                      unless=(1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25))
def two_calls(case: Situation, run: Run) -> bool:
    """Two calls, at a time or one after the other, know nothing of each other."""
    for call in calls(case, run, "all", single=False) if case.facts.calls > 1 else ():
        if not call.undisturbed:        # the other one is all that is asked about
            continue
        visible.should_return_0(call.run)
        for k, page, got in call.pages(DONE):
            if got != page:
                call.should_be(k, page, tuple(page), STATIC)
        call.run.should_take(call.elapsed, what="as long as it takes without another call", hint=STATIC)
        should_tell_progress(call, STATIC)
        should_log(call)
        should_sum_up(call, call.elapsed)
    return case.facts.calls > 1

