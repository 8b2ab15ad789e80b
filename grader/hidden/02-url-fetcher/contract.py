"""The contract of lab 02: what each requirement of the handout says of any run."""

from __future__ import annotations

import copy
import errno
import re
from collections import Counter
from functools import cached_property
from typing import Iterator, Optional

from looplab.asking.contract import Contract, Situation, once_a_run, pieces
from looplab.asking.visible import visible_checks
from looplab.plain.duration import Duration, show
from looplab.plain.text import count
from looplab.plain.words import error, result as in_words
from looplab.reading.run import REFERENCE, Run

from .situations import CASES, PLAN, Facts, asked_for, situation

visible = visible_checks(__file__)


def blame(case: Situation) -> int:
    """What is broken where a run does not come to its end."""
    facts: Facts = case.facts
    if facts.cancel is not None or facts.stop_at:
        return 6 if case.mode == "one" else 17
    if facts.calls > 1:
        return 19
    if case.mode == "quiet":
        return 14
    if len(facts.urls) < 2 or len(facts.urls) >= 100:
        return 1 if case.mode == "one" else 12
    return 3 if any(answer["error"] for answer in facts.answers) else 7


contract = Contract(draw=situation, plan=PLAN, blame=blame, cases=CASES,
                    elsewhere={18: "test_bodies_are_not_kept", 20: "test_clean_under_sanitizers", 21: "test_coverage"})


class Call:
    """One call of a function, as it should be: `urls` in their order. other: the same call of the reference's."""

    def __init__(self, run: Run, other: Optional[Run], facts: Facts, begin: int, end: int, number: int):
        self.run, self.facts, self.number, self._other = run, facts, number, other
        self.cancel = facts.cancel if number < 2 else None
        self.urls, self.times = facts.urls[begin:end], facts.times[begin:end]
        self.answers = facts.answers[begin:end]
        self.asked = asked_for(facts, begin, end)

    @property
    def other(self) -> Run:
        assert self._other
        return self._other

    @cached_property
    def start(self) -> int:
        return started(self.run)

    @cached_property
    def ends(self) -> list[int]:
        """When each URL is done, ns after the beginning."""
        if self.facts.simple:
            return [int(time) for time in self.times]
        begin, at = started(self.other), {call["index"]: call["t"] for call in told(self.other)}
        return [at.get(k, begin) - begin for k in range(len(self.urls))]

    @property
    def elapsed(self) -> Duration:
        """How long it takes, if nobody cancels it."""
        if self.facts.simple:
            return Duration(max(self.ends, default=0))
        return self.other.elapsed

    @property
    def undisturbed(self) -> bool:
        """Does nobody cancel it?"""
        return self.cancel is None and not self.facts.stop_at

    @cached_property
    def cut(self) -> Optional[int]:
        """When it is certain to be cancelled before its end, ns after the beginning."""
        if self.facts.stop_at:
            calls = told(self.run)
            at = calls[self.facts.stop_at - 1]["t"] - self.start if len(calls) >= self.facts.stop_at else None
            return at if at is not None and at < max(self.ends, default=0) else None
        if self.cancel is not None and self.cancel < (max(self.times, default=0) if self.facts.simple else self._end):
            return self.cancel
        return None

    @property
    def _end(self) -> int:
        """When the reference would end by itself, as far as it is known: it was cancelled, too."""
        return self.other.elapsed + 1 if self.other.report["rc"] == -errno.ECANCELED else 0


def started(run: Run) -> int:
    report = run.trace.report("start")
    assert report
    return int(report["t"])


def told(run: Run) -> list[dict]:
    """What progress was told, in order, and when ("t")."""
    return [{**report["value"], "t": report["t"]} for report in run.trace.reports if report["name"] == "progress"]


def calls(case: Situation, run: Run, *modes: str, single: bool = True) -> Iterator[Call]:
    """The calls of the situation, if it is in one of these modes. single: only where there is but one."""
    if case.mode in modes and not (single and case.facts.calls > 1):
        yield from _calls(case, run)


@once_a_run
def _calls(case: Situation, run: Run) -> Iterator[Call]:
    facts: Facts = case.facts
    other = None
    if not facts.simple:
        assert run.beside
        other = run.beside()
    for number, begin, end in pieces(facts, len(facts.urls)):
        urls = facts.urls[begin:end]
        yield Call(run.call(number, urls) if number else run, other.call(number, urls) if number and other else other,
                   facts, begin, end, number)


# ---- what is asked for, and how -------------------------------------------------------------


def should_ask_once(call: Call) -> None:
    """One GET for each element that is a URL."""
    run = copy.copy(call.run)
    run.asked = call.asked
    made = Counter(request.url for request in run.requests)
    if call.undisturbed and not gave_up(call) or any(made[url] > call.asked.count(url) for url in set(call.asked)):
        run.should_ask_once("asked")
    other = [request for request in run.requests if request.method != "GET"]
    run.should(not other, "every request is a GET", f"{len(other)} were not", "co_session_get makes a GET")


def gave_up(call: Call) -> bool:
    """Did one failure end other fetches, or keep them from being begun?"""
    if call.undisturbed:
        return call.run.gave_up(len(call.asked))
    return call.cut is not None and any(request.given_up and (request.end or 0) < call.start + call.cut
                                        for request in call.run.requests)


@contract.requirement(15, "The loop is never blocked. … No blocking call")
def never_blocks(case: Situation, run: Run) -> bool:
    run.should_never_block(hint="fetch with co_session_get")
    return bool(run.requests)


@contract.requirement(5, "Each call makes one request, with GET, over `session`, and opens no session of its own.",
                      after=(15,))
def over_the_session(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "one"):
        if gave_up(call):
            return False
        should_ask_once(call)
        sessions = {request.session for request in run.requests}
        run.should(None not in sessions and len(sessions) < 2, "every request goes over the session that fetch_url is "
                   "given", f"they went over {count(len(sessions), 'session')}" if None not in sessions
                   else "some went over a connection of their own", "call co_session_get with the session")
        if call.undisturbed:
            run.should_take(call.elapsed, what=REFERENCE,
                            hint="fetch_url calls co_session_get once, and nothing else that takes time")
    return case.mode == "one" and bool(run.requests)


@contract.requirement(11, "One request for each element. … it is fetched each time. No element is fetched twice.",
                      after=(15,))
def asked_once(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "quiet"):
        should_ask_once(call)
    return case.mode != "one" and bool(case.facts.urls)


@contract.requirement(9, "One session for all of them, with at most `per_host` connections to each site.",
                      after=(11, 15))
def one_session(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "quiet"):
        keeps_the_limit(call)
        if call.undisturbed and not gave_up(call) and not case.facts.simple:
            call.run.should_open(call.other.opened, hint="CO_SESSION(session, per_host) in fetch_all, and its address "
                                                         "to every task")
            call.run.should_take(call.elapsed, what=REFERENCE,
                                 hint="all fetches are begun at once, in input order; the session makes them wait")
    return case.mode != "one" and bool(run.requests)


def keeps_the_limit(call: Call) -> None:
    """One session, and so many connections to a site."""
    sessions = {request.session for request in call.run.requests}
    call.run.should(None not in sessions, "every request goes over the session of fetch_all",
                    "some went over a connection of their own", "call co_session_get with the session, not co_http_get")
    call.run.should(len(sessions) < 2, "all requests go over one session", f"they went over {len(sessions)}",
                    "open one in fetch_all, and lend it to every task by its address")
    conns: dict[str, set] = {}
    for request in call.run.requests:
        if request.conn is not None and not request.reused:
            conns.setdefault(request.url.split("/")[2], set()).add(request.conn)
    closed = call.run.trace.closed
    most = call.facts.per_host
    for site, opened in conns.items():
        early = [conn for conn in opened if closed.get(conn, 1 << 62) < call.start + call.run.elapsed]
        if most and len(opened) - len(early) > most:
            call.run.fail(f"at most {count(most, 'connection')} to {site} at a time", f"{len(opened)}",
                          "the session keeps the limit, if you tell it: CO_SESSION(session, per_host)",
                          topic="connections")


@contract.requirement(8, "All at the same time, a task for each URL, started in input order.", after=(11, 15),
                      unless=(11,))
def all_at_once(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "quiet"):
        if gave_up(call) or not call.undisturbed and len(call.run.requests) < len(call.asked):
            return False
        first = [request for request in call.run.requests if request.start == call.start]
        got = [request.url for request in first][:len(call.asked)]
        if got != call.asked and not (call.cut == 0 and not got):
            k = next((k for k in range(len(call.asked)) if k >= len(got) or got[k] != call.asked[k]), 0)
            call.run.fail(f"all {count(len(call.asked), 'fetch')[:-1]}es begin at once, in input order"
                          if len(call.asked) > 1 else "the fetch begins at once",
                          f"{call.asked[k]} is not in its place: " + (f"{got[k]} is" if k < len(got) else
                                                                      "it begins later, or never"),
                          "start a task for each URL, in input order, before you wait for any", topic="timing")
        if call.undisturbed and case.facts.simple:
            call.run.should_take(call.elapsed, what="as long as the longest fetch",
                                 hint="start all tasks first, then wait for all")
    return case.mode != "one" and bool(run.requests)


# ---- what is stored -------------------------------------------------------------------------


def wrong(call: Call) -> list[tuple[int, dict, dict]]:
    """(place, right, got) of each wrong result; none where only their order is wrong."""
    def key(one: dict) -> str:
        return str(sorted((name, str(part)) for name, part in one.items()))

    got = call.run.results
    if not call.undisturbed or got == call.answers or sorted(map(key, got)) == sorted(map(key, call.answers)):
        return []
    return [(k, right, one) for k, (right, one) in enumerate(zip(call.answers, got)) if right != one]


def complete(one: dict) -> bool:
    return "never written" not in one.values()


@contract.requirement(10, "A URL that fails never disturbs the others, and `fetch_all` still returns 0.", after=(15,))
def others_go_on(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "quiet"):
        if call.undisturbed:
            returns_0(call.run, "fetch_all")
        if gave_up(call):
            call.run.fail("the other URLs are fetched all the same", "some were given up, or never asked for",
                          topic="requests")
    return case.mode != "one" and any(answer["error"] for answer in case.facts.answers)


def returns_0(run: Run, name: str) -> None:
    if run.report["rc"] != 0:
        run.fail(f"{name} returns 0", f"it returned {error(run.report['rc'])}", topic="refusal",
                 hint="the errors of single URLs stand in out; the function itself has done its work, and returns 0")


@contract.requirement(3, "If there is no answer, `error` is what the fetch call returned (see the table)",
                      after=(10, 11))
def errors_are_recorded(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "one", "all", "quiet"):
        if any(right["error"] and complete(got) for _, right, got in wrong(call)):
            call.run.should_give(call.answers)
        if case.mode == "one" and call.undisturbed:
            returns_0(call.run, "fetch_url")
    return any(answer["error"] for answer in case.facts.answers)


@contract.requirement(1, "Set `url` (the pointer you were given, not a copy), `error`, `status` and `length`, whatever "
                         "happened.", after=(3, 10, 11))
def all_four_fields(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "one", "all", "quiet"):
        if not all(complete(got) for _, _, got in wrong(call)):
            call.run.should_give(call.answers, hint="out holds garbage when you get it: store all four fields, with an "
                                                    "answer and without")
        for one in call.run.report.get("wrong_urls", []) if call.undisturbed else []:
            call.run.should(False, f"url of result {one['index']}: {call.urls[one['index']]}",
                            visible.url_told(call.run, one), "store the very pointer you were given: out->url = url. "
                            "No copy: who would free it?")
    return bool(case.facts.urls)


@contract.requirement(2, "Redirects are followed by the kit: `status` and `length` are those of the page they lead to",
                      after=(1, 3, 10, 11))
def any_answer(case: Situation, run: Run) -> bool:
    def about(kind: str, answer: dict) -> bool:
        return kind == "redirect" or answer["status"] not in (0, 200)

    for call in calls(case, run, "one", "all", "quiet"):
        if any(about(case.facts.kinds[k], right) for k, right, _ in wrong(call)):
            call.run.should_give(call.answers)
    return any(map(about, case.facts.kinds, case.facts.answers))


@contract.requirement(4, "A body may hold zero bytes (`'\\0'`), may be empty and may be several megabytes long.",
                      after=(1, 2, 3, 10, 11))
def length_in_bytes(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "one", "all", "quiet"):
        if any(right["status"] == got["status"] and right["error"] == got["error"] for _, right, got in wrong(call)):
            call.run.should_give(call.answers)
    return any(answer["status"] == 200 for answer in case.facts.answers)


@contract.requirement(7, "`out[i]` tells what became of `urls[i]`, for every `i`, whichever page was done first.",
                      after=(1, 2, 3, 4, 10, 11))
def input_order(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", "quiet"):
        if call.undisturbed:
            returns_0(call.run, "fetch_all")
            call.run.should_give(call.answers, hint="give each task a pointer to its own place: &out[i]")
    return case.mode != "one" and bool(case.facts.urls)


# ---- progress -------------------------------------------------------------------------------


def should_tell_at_once(call: Call) -> None:
    """Each URL that is done is told of once, when it is."""
    at: dict[int, list[int]] = {k: [] for k in range(len(call.urls))}
    for one in told(call.run):
        call.run.should(one["index"] in at, "result points to the URL's element of out", "it is another pointer",
                        "pass &out[i] itself, not a copy of it")
        at[one["index"]].append(one["t"] - call.start)
    for k, end in enumerate(call.ends):
        surely = call.undisturbed or call.cut is None or end < call.cut
        if not call.undisturbed and (call.cut is None or end >= call.cut):
            continue
        url = call.urls[k]
        call.run.should(len(at[k]) == 1 or not surely, f"progress is told once of {url}",
                        f"it was told {count(len(at[k]), 'time')}" if at[k] else "it was never told",
                        "every URL is told of, once: also one that failed, one that was none, and the last one")
        call.run.should(at[k] == [end], f"{url} is told {show(end)} after the beginning, when it is done",
                        f"it is told after {show(at[k][0])}", "the task that has fetched a URL is the first to know: "
                        "call on_progress there, right after fetch_url")


@contract.requirement(13, "`on_progress` is called exactly once for each URL, failed ones included",
                      after=(8, 9, 10, 11), unless=(8, 9))
def told_at_once(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all"):
        if call.undisturbed or case.facts.simple:
            should_tell_at_once(call)
    return case.mode == "all" and bool(case.facts.urls)


def should_count(call: Call, hint: str = "") -> None:
    """done, n and arg are what they should be, and the fields are those of the result."""
    for k, one in enumerate(told(call.run)):
        call.run.should(one["done"] == k + 1, f"done is {k + 1} in call {k + 1}", f"done was {one['done']}",
                        hint or "done counts the calls, this one included: one counter for all tasks of this call of "
                        "fetch_all")
        call.run.should(one["n"] == len(call.urls), f"n is {len(call.urls)} in every call", f"n was {one['n']}",
                        "n is how many URLs fetch_all was given")
        call.run.should("arg" not in one, "arg is what fetch_all was given", f"arg was {one.get('arg')}",
                        "hand on the arg of fetch_all as it is: it is the caller's")
        if isinstance(one["index"], int) and one["index"] < len(call.urls):
            url, right = call.urls[one["index"]], call.answers[one["index"]]
            got = {name: one.get(name) for name in right}
            call.run.should(got == right and one["url"] == url, f"told of {url}: {in_words(right)}",
                            f"told: {in_words(got)}" if got != right else f"its url is {one['url']}",
                            "result must be complete before it is told: call on_progress after all four fields of "
                            "out[i] are stored")


@contract.requirement(14, "`done` is 1 in the first call, 2 in the second, `n` in the last one",
                      after=(1, 2, 3, 4, 7, 13), unless=(1, 2, 3, 4, 7, 11))
def told_right(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all"):
        should_count(call)
    return case.mode == "quiet" or bool(told(run))


# ---- how it ends ----------------------------------------------------------------------------


def still_open(call: Call) -> int:
    """How many of its connections were not yet closed when the function returned."""
    mine = {request.conn for request in call.run.requests if request.conn is not None}
    for event in call.run.trace.events:
        if event["ev"] == "http.closed":
            mine.discard(event["conn"])
        elif event["ev"] == "report" and event["name"] == "result" \
                and event["value"].get("call", 0) in (0, call.number):
            break
    return len(mine)


def should_leave_nothing(call: Call) -> None:
    """No task and no connection."""
    left, tasks = still_open(call), call.run.report.get("tasks_left", 0)
    call.run.should(not left, "no connection is open when fetch_all returns", f"{count(left, 'connection')} still open",
                    "CO_SESSION closes the session, and its connections, where its block ends: is it declared in "
                    "fetch_all itself?")
    call.run.should(tasks <= 0 or call.facts.beside is not None, "no task is left when fetch_all returns",
                    f"{count(tasks, 'task')} left", "wait for every task of your group (co_join) before you return")


@contract.requirement(16, "When `fetch_all` returns, every task has ended and was waited for")
def nothing_left(case: Situation, run: Run) -> bool:
    run.should_leak_nothing()
    for call in calls(case, run, "all", "quiet", single=False):
        should_leave_nothing(call)
    return bool(run.requests)


def gives_up(call: Call, at: int, name: str) -> None:
    """It ends `at` ns after it began, since it was cancelled."""
    if call.run.report["rc"] != -errno.ECANCELED:
        call.run.fail("it returns -ECANCELED", f"it returned {error(call.run.report['rc'])}", topic="cancelled",
                      hint="of all errors this one is about you: return it")
    call.run.should_take(at, what="until it was cancelled",
                         hint=f"a call that returned -ECANCELED means: stop waiting, clean up, return from {name}")


@contract.requirement(17, "it returns `-ECANCELED` at that same instant", after=(8, 10, 11, 15, 16))
def cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run, "all", "quiet"):
        if call.cut is not None:
            asked = True
            gives_up(call, call.cut, "fetch_all")
            late = [one for one in told(call.run) if one["t"] > call.start + call.cut or one.get("error") == -125]
            call.run.should(not late, "no progress is told any more", f"it was told {count(len(late), 'time')}",
                            "if fetch_url returned -ECANCELED, nothing is known of the URL: return without calling "
                            "on_progress")
    return asked


@contract.requirement(6, "it returns `-ECANCELED` at that same instant, with everything freed.", after=(5, 15, 16))
def one_cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run, "one"):
        if call.cut is not None:
            asked = True
            gives_up(call, call.cut, "fetch_url")
    return asked


@contract.requirement(12, "None, one, a thousand. … it makes no request, takes no time and returns 0.",
                      after=(8, 9, 10, 11, 13))
def none_one_many(case: Situation, run: Run) -> bool:
    n = len(case.facts.urls)
    for call in calls(case, run, "all", "quiet") if not n else ():
        if call.undisturbed:
            call.run.should(not call.run.requests, "no request", count(len(call.run.requests), "request"))
            call.run.should(not told(call.run), "nothing is told", f"progress was told {len(told(call.run))} times",
                            "on_progress is called once for each URL: without URLs never")
            call.run.should_take(0, what="n is 0, there is nothing to wait for",
                                 hint="for n = 0, do nothing, and return 0")
            returns_0(call.run, "fetch_all")
    return case.mode != "one" and (n < 2 or n >= 100)


@contract.requirement(19, "Each call has its own session, its own count of progress and its own results.",
                      after=(10, 15, 16), unless=(1, 2, 3, 4, 7, 8, 9, 10, 11, 13, 14, 15))
def two_calls(case: Situation, run: Run) -> bool:
    for call in calls(case, run, "all", single=False) if case.facts.calls > 1 else ():
        if not call.undisturbed:        # the other one is all that is asked about
            continue
        hint = "what belongs to one call stands in fetch_all or in memory of its own, never in a static or global " \
               "variable, which all calls share"
        returns_0(call.run, "fetch_all")
        strange = [request.url for request in call.run.requests
                   if request.url not in call.asked and re.sub(r"-\d+$", "", request.url) not in call.asked]
        call.run.should(not strange, "each call asks for its own URLs", f"one asked for {strange[:1]}, the other's",
                        hint)
        should_ask_once(call)
        keeps_the_limit(call)
        call.run.should_give(call.answers, hint=hint)
        call.run.should(all(isinstance(one["index"], int) and one["index"] < len(call.urls) for one in told(call.run)),
                        "each call tells of its own results", "one told of another's", hint)
        should_count(call, hint)
        should_tell_at_once(call)
        call.run.should_take(call.elapsed, what="as long as it takes without another call", hint=hint)
    return case.facts.calls > 1
