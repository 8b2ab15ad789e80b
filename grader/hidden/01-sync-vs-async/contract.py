"""The contract of lab 01: what each requirement of the handout says of any run."""

from __future__ import annotations

import errno
from collections import Counter
from typing import Any, Iterator, Optional

from looplab.asking.contract import Contract, Situation, once_a_run, pieces
from looplab.plain.duration import Duration, show
from looplab.plain.text import count
from looplab.plain.words import error
from looplab.reading.run import Run

from .situations import CASES, PLAN, Facts, situation


def blame(case: Situation) -> int:
    """What is broken where a run does not come to its end."""
    if case.facts.calls > 1:
        return 7
    if case.facts.cancel is not None:
        return 13
    if len(case.facts.urls) < 2 or len(case.facts.urls) > 12:
        return 17 if case.mode == "explain" else 7
    return 5 if any(answer["error"] for answer in case.facts.answers) else 1


contract = Contract(draw=situation, plan=PLAN, blame=blame, cases=CASES,
                    elsewhere={18: "test_clean_under_sanitizers", 19: "test_coverage"})


class Half:
    """One call of a function that fetches, as it should be: from its beginning, `urls` in their order."""

    def __init__(self, run: Run, facts: Facts, begin: int, end: int, cancel: Optional[int]):
        self.run, self.cancel, self.both = run, cancel, run.mode == "compare"
        self.urls, self.times = facts.urls[begin:end], facts.times[begin:end]
        self.answers = facts.answers[begin:end]

    @property
    def longest(self) -> Duration:
        return Duration(max(self.times, default=0))

    @property
    def before(self) -> Duration:
        """How long the half takes that cannot be cancelled."""
        return Duration(sum(self.times) if self.both else 0)

    @property
    def undisturbed(self) -> bool:
        """Does nobody cancel it?"""
        return self.cancel is None

    @property
    def whole(self) -> bool:
        """Is it certain to end by itself? Nothing is certain where a cancel comes in the very instant of its end."""
        return self.cancel is None or self.cancel > self.before + self.longest

    @property
    def cut(self) -> bool:
        """Is it certain to be cancelled before its end?"""
        return self.cancel is not None and self.cancel < self.before + self.longest

    @property
    def start(self) -> int:
        report = self.run.trace.report("start")
        assert report
        return int(report["t"])


def halves(case: Situation, run: Run, *modes: str, single: bool = True) -> Iterator[Half]:
    """Each call of the situation, if it is in one of these modes. single: only where there is but one."""
    if case.mode in modes and not (single and case.facts.calls > 1):
        yield from _halves(case, run)


@once_a_run
def _halves(case: Situation, run: Run) -> Iterator[Half]:
    facts: Facts = case.facts
    for number, begin, end in pieces(facts, len(facts.urls)):
        yield Half(run.call(number, facts.urls[begin:end]) if number else run, facts, begin, end,
                   facts.cancel if number < 2 else None)


def one_of(case: Situation, *modes: str) -> bool:
    """Is it a single call, in one of these modes?"""
    return case.mode in modes and case.facts.calls == 1


# ---- what is asked for, and how -------------------------------------------------------------


@contract.requirement(6, "One request for each element. … it is fetched each time. No element is fetched twice.")
def asked_once(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async", "compare"):
        made = Counter(request.url for request in half.run.requests)
        if half.undisturbed and not gave_up(half) \
                or any(times > half.urls.count(url) * half.run.passes for url, times in made.items()):
            half.run.should_ask_once("asked")       # that a failure has ended others is another requirement's: gave_up
    return case.facts.calls == 1 and bool(case.facts.urls)


def gave_up(half: Half) -> bool:
    """Did one failure end other fetches, or keep them from being begun? That breaks another requirement."""
    if half.undisturbed:
        return half.run.gave_up(len(half.urls) * half.run.passes)
    end = half.start + max(half.before, half.cancel or 0)
    return any(request.given_up and (request.end or 0) < end for request in half.run.requests)


@contract.requirement(11, "The loop is never blocked. … No blocking call in this half", after=(6,))
def never_blocks(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "async"):
        half.run.should_never_block(hint="fetch with co_http_get in this half")
    for half in halves(case, run, "compare"):
        n, blocks = len(half.urls), half.run.blocks
        if len(blocks) > n or any(block.on != "http" for block in blocks):
            last = blocks[-1]
            half.run.fail(f"compare blocks {count(n, 'time')}, in fetch_sync",
                          f"it blocked {count(len(blocks), 'time')}",
                          "in fetch_async nothing may block: fetch with co_http_get there", last.src, topic="-")
    return one_of(case, "async", "compare") and bool(run.requests)


# ---- what is stored -------------------------------------------------------------------------


def fits(half: Half) -> bool:
    """Are its results to be looked at, and not yet known to be right?"""
    got = half.run.report.get("results")
    return half.undisturbed and isinstance(got, list) and got != half.answers


def wrong(half: Half) -> Iterator[tuple[int, dict, dict]]:
    """(place, right, got) of each wrong result; none where only their order is wrong."""
    def key(result: dict) -> str:
        return str(sorted((name, str(part)) for name, part in result.items()))

    if sorted(half.run.results, key=key) != sorted(half.answers, key=key):
        for k, (right, got) in enumerate(zip(half.answers, half.run.results)):
            if right != got:
                yield k, right, got


@contract.requirement(5, "If there is no answer, `error` is what the fetch call returned (see the table) … The other "
                         "URLs are fetched all the same, and the function still returns 0.", after=(6,))
def errors_are_recorded(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async"):
        if fits(half) and any(right["error"] and "never written" not in got.values() for _, right, got in wrong(half)):
            half.run.should_give(half.answers)
        if half.undisturbed:
            returns_0(half.run)
    for half in halves(case, run, "sync", "async", "compare"):
        if gave_up(half) and (half.undisturbed or not half.both):
            half.run.fail("the other URLs are fetched all the same", "some were given up, or never asked for",
                          topic="requests")
    return one_of(case, "sync", "async") and any(answer["error"] for answer in case.facts.answers)


@contract.requirement(2, "Set `error`, `status` and `length` of every element.", after=(5, 6))
def all_three_fields(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async"):
        if fits(half) and any("never written" in got.values() for _, _, got in wrong(half)):
            half.run.should_give(half.answers, hint="out holds garbage when you get it: store error, status and length "
                                                    "of every element")
    return one_of(case, "sync", "async") and bool(case.facts.urls)


@contract.requirement(3, "A 404 or a 500 is an answer", after=(2, 5, 6))
def any_answer(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async"):
        if fits(half) and any(right["status"] not in (0, 200) for _, right, _ in wrong(half)):
            half.run.should_give(half.answers)
    return one_of(case, "sync", "async") and any(answer["status"] not in (0, 200) for answer in case.facts.answers)


@contract.requirement(4, "A body may hold zero bytes (`'\\0'`), may be empty and may be several megabytes long.",
                      after=(2, 5, 6))
def length_in_bytes(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async"):
        if fits(half) and any(right["status"] == 200 == got["status"] and got["error"] == 0
                              for _, right, got in wrong(half)):
            half.run.should_give(half.answers)
    return one_of(case, "sync", "async") and any(answer["status"] == 200 for answer in case.facts.answers)


@contract.requirement(1, "`out[i]` tells what became of `urls[i]`, for every `i`, whichever page was done first.",
                      after=(2, 3, 4, 5, 6))
def input_order(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync", "async"):
        if half.undisturbed:
            returns_0(half.run)
            half.run.should_give(half.answers, hint="give each task a pointer to its own place: &out[i]")
    return one_of(case, "sync", "async") and bool(case.facts.urls)


def returns_0(run: Run) -> None:
    """Errors of single URLs are no error of the function."""
    if run.report["rc"] != 0:
        run.fail("the function returns 0", f"it returned {error(run.report['rc'])}", topic="refusal",
                 hint="the errors of single URLs stand in out; the function itself has done its work, and returns 0")


# ---- when -----------------------------------------------------------------------------------


@contract.requirement(9, "It takes exactly the *sum* of the single times.", after=(5, 6))
def one_after_another(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "sync"):
        half.run.should_stay_within(1, hint="fetch_sync fetches one after the other")
        in_turn(half, len(half.urls))
        half.run.should_take(sum(half.times), what="the sum of the single fetches")
    return one_of(case, "sync") and bool(case.facts.urls)


def in_turn(half: Half, n: int) -> None:
    """The first n requests are those of fetch_sync."""
    first = half.run.requests[:n]
    waited = [request.url for request in first if not request.blocking]
    half.run.should(not waited, "fetch_sync fetches with http_get_blocking", f"{len(waited)} of its requests did not "
                    "block", hint="co_http_get belongs into the other half: here you measure what blocking costs")
    got = [request.url for request in first]
    k = next((k for k in range(n) if k >= len(got) or got[k] != half.urls[k]), n)
    if k < n:
        half.run.should(False, f"request {k} is for {half.urls[k]}, as urls[{k}] is",
                        f"it is for {got[k] if k < len(got) else 'nothing'}", hint="fetch_sync goes in input order")


@contract.requirement(10, "It takes exactly as long as the *longest* of them.", after=(5, 6, 11), unless=(6,))
def all_at_once(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "async"):
        late = [request for request in half.run.requests if request.start != half.start]
        if late:
            half.run.fail(f"all {len(half.urls)} requests begin when fetch_async does",
                          f"{late[0].url} was asked for {show(late[0].start - half.start)} later",
                          "start all tasks first, then wait for all", topic="timing")
        made, n = len(half.run.requests), len(half.urls)
        if half.cancel and made < n:
            half.run.fail(f"all {n} requests are under way when it is cancelled", f"{made} were",
                          "start all tasks first, then wait for all", topic="reach")
        if half.whole:
            half.run.should_take(half.longest, what="as long as the longest fetch",
                                 hint="start all tasks first, then wait for all")
    return one_of(case, "async") and len(run.requests) > 1


@contract.requirement(12, "Every task is waited for … before the function returns", after=(6,))
def tasks_waited_for(case: Situation, run: Run) -> bool:
    if any(leak.what == "task" for leak in run.leaks):
        run.should_leak_nothing()
    for half in halves(case, run, "async", "compare"):
        result = half.run.trace.report("result")
        assert result
        late = [request for request in half.run.requests if request.end is None or request.end > result["t"]]
        if late:
            half.run.fail("no fetch is under way when the function returns", f"{len(late)} were", topic="leaks",
                          hint="wait for every task that you start")
    return case.mode != "sync" and bool(run.requests)


@contract.requirement(13, "it returns `-ECANCELED` at that same instant, with every task ended and everything freed.",
                      after=(5, 11, 12))
def cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for half in halves(case, run, "async"):
        if half.cut:
            asked = True
            gives_up(half, half.cancel or 0)
    return asked


def gives_up(half: Half, at: int) -> None:
    """It ends `at` ns after it began, since it was cancelled."""
    if half.run.report["rc"] != -errno.ECANCELED:
        half.run.fail("it returns -ECANCELED", f"it returned {error(half.run.report['rc'])}", topic="cancelled",
                      hint="return what co_join (or your way of waiting) returned")
    half.run.should_take(at, what="until it was cancelled", hint="a call that returned -ECANCELED means: stop waiting, "
                                                                 "clean up, return")


@contract.requirement(7, "None, one, many. … 500 URLs work as well as five.", after=(6,))
def none_one_many(case: Situation, run: Run) -> bool:
    n = len(case.facts.urls)
    if n == 0:
        for half in halves(case, run, "sync", "async", "compare"):
            half.run.should(not half.run.requests, "no request", f"{len(half.run.requests)} requests",
                            hint="for n = 0, do nothing, and return 0")
            if half.whole:
                half.run.should_take(0, what="n is 0, there is nothing to wait for",
                                     hint="for n = 0, do nothing, and return 0")
                returns_0(half.run)
    return case.facts.calls == 1 and (n < 2 or n > 60)


@contract.requirement(7, "Both may be called again, and `fetch_async` also while another call of it is under way: no "
                         "call knows of another.", after=(12,), several=True,
                      unless=(1, 2, 3, 4, 5, 6, 9, 10, 11, 13, 14, 15, 16))
def two_calls(case: Situation, run: Run) -> bool:
    hint = "what belongs to one call stands in the function, or in memory of its own: never in a static or global " \
           "variable, which all calls share"
    for half in halves(case, run, "sync", "async", "compare", single=False) if case.facts.calls > 1 else ():
        if half.cut:
            gives_up(half, half.cancel or 0)
        if not half.undisturbed:
            continue
        returns_0(half.run)
        made, right = sorted(request.url for request in half.run.requests), sorted(half.urls * half.run.passes)
        half.run.should(made == right, f"{count(len(right), 'request')}, one for each URL of that call", f"{len(made)}"
                        + (", but not for these" if len(made) == len(right) else ""), hint)
        if "results" in half.run.report:
            half.run.should_give(half.answers, hint=hint)
        half.run.should_take((0 if run.mode == "async" else sum(half.times)) + (0 if run.mode == "sync" else
                                                                               half.longest),
                             what="as long as it takes without another call", hint=hint)
    return case.facts.calls > 1


@contract.requirement(8, "Every response is freed with `co_response_free`", after=(12,))
def everything_freed(case: Situation, run: Run) -> bool:
    if any(leak.what != "task" for leak in run.leaks):
        run.should_leak_nothing()
    return bool(run.requests)


# ---- compare and explain --------------------------------------------------------------------


@contract.requirement(14, "`sync_ns` and `async_ns` are how long each *call* took, by `co_now()` before and after.",
                      after=(5, 6, 9, 10, 11, 12), unless=(5, 6, 9, 10, 11))
def both_halves_measured(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "compare"):
        if half.run.report["rc"] == 0 and case.facts.cancel is None:
            computing = any(request.cpu for request in half.run.requests)
            in_turn(half, len(half.urls))
            half.run.should_report("n", len(half.urls), hint="report->n is the number of URLs")
            how = "is co_now() right after the call, minus co_now() right before it"
            half.run.should_report("sync_ns", Duration(sum(half.times)), hint=f"sync_ns {how}")
            half.run.should_report("async_ns", Duration(sum(half.times) if computing else half.longest),
                                   hint=f"async_ns {how}")
    return one_of(case, "compare") and case.facts.cancel is None


@contract.requirement(15, "`sync_ns` divided by `async_ns`, as a `double`, not rounded", after=(14,))
def speedup(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "compare"):
        if half.run.report["rc"] == 0 and case.facts.cancel is None:
            one, other = half.run.report["sync_ns"], half.run.report["async_ns"]
            right = one / other if other > 0 else 1.0
            half.run.should_report("speedup", right, tolerance=1e-9 * right,
                                   hint=f"{show(one)} one after the other, {show(other)} together: sync_ns / async_ns; "
                                        "1.0 when neither took any time (TODO 5)")
    return one_of(case, "compare") and case.facts.cancel is None


@contract.requirement(16, "If `fetch_sync` or `fetch_async` itself returns an error (`-ECANCELED`), that one.",
                      after=(5, 6, 11, 12, 14), unless=(5, 6, 13))
def compare_returns(case: Situation, run: Run) -> bool:
    for half in halves(case, run, "compare"):
        if half.undisturbed:
            returns_0(half.run)
        elif half.cut:
            gives_up(half, max(half.before, half.cancel or 0))
    return one_of(case, "compare")


@contract.requirement(17, "else `BOUND_CPU` if the speed-up is below 1.5; else `BOUND_IO`.", after=(14, 15))
def explained(case: Situation, run: Run) -> bool:
    said: list[Any] = run.report["explained"] if case.mode == "explain" else [
        half.run.report for half in halves(case, run, "compare")
        if half.run.report["rc"] == 0 and case.facts.cancel is None]
    for one in said:
        right = "unknown" if one["n"] < 2 else "cpu" if one["speedup"] < 1.5 else "io"
        if one["bound"] != right:
            run.should(False, f"explain says BOUND_{right.upper()}", f"it said BOUND_{str(one['bound']).upper()}",
                       hint="the rule stands in compare.h above enum bound, and the first line that fits counts "
                            "(TODO 6)")
    return case.mode == "explain"
