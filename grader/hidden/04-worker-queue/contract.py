"""The contract of lab 04: what each requirement of the handout says of any run. The right run stands in
test_visible.py as a program (`plan`); what it leaves open, which worker does a job, is not compared."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import Any, Iterator

from looplab.asking.contract import Contract, Situation, once_a_run, pieces
from looplab.asking.visible import visible_checks
from looplab.plain.duration import show
from looplab.plain.words import error
from looplab.reading.run import Run

from .situations import CASES, MOST_AT_ONCE, PLAN, Facts, situation

visible = visible_checks(__file__)


def blame(case: Situation) -> int:
    """What is broken where a run does not come to its end."""
    facts: Facts = case.facts
    if "close" in case.settings:            # there is no job, and without this setting the same is in the plan
        return 17
    if facts.beside is not None:
        return 9
    if facts.cancel is not None:
        return 16
    if facts.stop is not None or facts.stops:
        return 14
    if facts.crawls:
        return 4
    if not facts.urls or facts.workers == 1 or facts.limit in (1, MOST_AT_ONCE) or facts.workers > len(facts.urls):
        return 9
    return 12 if facts.failing else 13


contract = Contract(draw=situation, plan=PLAN, blame=blame, cases=CASES, elsewhere={
    20: "test_in_every_order", 21: "test_clean_under_sanitizers", 22: "test_coverage"},
    reason=lambda case, failure: visible.with_reason(failure))


class Call:
    """One call of pool_run, as it should be."""

    def __init__(self, case: Situation, run: Run, urls: list[str]):
        self.case, self.run, self.urls, self.facts = case, run, urls, case.facts

    @cached_property
    def right(self) -> Any:
        """What a right pool does, if nobody cancels it."""
        facts = self.facts
        return visible.plan(self.case.world, self.urls, workers=facts.workers, limit=facts.limit, handle=facts.handle,
                            handler=facts.handler, after=facts.stop)

    @property
    def undisturbed(self) -> bool:
        return self.facts.cancel is None

    @property
    def stopped(self) -> bool:
        """May some jobs be left?"""
        return self.facts.stop is not None or self.facts.stops

    @property
    def begun(self) -> list[str]:
        """Its requests in their order; of jobs that one call of a handler adds, without their number."""
        return [group(url) for _, url in visible.begins(self.run)]


def group(url: str) -> str:
    return re.sub(r"-\d+$", "-", url)


def calls(case: Situation, run: Run, single: bool = True) -> Iterator[Call]:
    """The calls of the situation. single: only where there is but one."""
    if not (single and case.facts.calls > 1):
        yield from _calls(case, run)


@once_a_run
def _calls(case: Situation, run: Run) -> Iterator[Call]:
    facts: Facts = case.facts
    for number, begin, end in pieces(facts, len(facts.urls)):
        urls = facts.urls[begin:end]
        yield Call(case, run.call(number, urls) if number else run, urls)


def undisturbed(case: Situation, run: Run) -> Iterator[Call]:
    return (call for call in calls(case, run) if call.undisturbed)


# ---- jobs -----------------------------------------------------------------------------------


@contract.requirement(10, "The loop is never blocked … Who has nothing to do waits until there is something.")
def never_blocked(case: Situation, run: Run) -> bool:
    run.should_never_block(hint="fetch with co_http_get")
    asks = next((event for event in run.trace.of("await", "runtime") if event.get("on") in ("sleep", "yield")
                 and str(event.get("src")).startswith("pool.c:")), None)
    if asks:
        run.should(False, "who has nothing to do waits until there is something",
                   f"{asks['src']} looks again and again", src=asks["src"],
                   hint="wait for it: co_queue_get, co_sem_acquire and co_event_wait go on at the very instant")
    return bool(run.requests)


@contract.requirement(7, "Over all workers together never more than `config.limit` requests are in flight",
                      after=(10,))
def the_limit(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_stay_within_limit(call.run, case.facts.limit)
    return bool(run.requests)


@contract.requirement(12, "A failed job ends nothing but itself. … It is not tried again.", after=(7, 10))
def failures_end_nothing(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if case.facts.failing else ():
        if call.run.report["rc"] != 0:
            call.run.fail("pool_run returns 0", f"it returned {error(call.run.report['rc'])}", topic="refusal",
                          hint="a failed job is a number in the statistics, and no error of pool_run or of its worker")
        failed = {request.url for request in call.run.requests if request.failed or request.status >= 400}
        made, right = Counter(request.url for request in call.run.requests), Counter(call.right.urls)
        twice = next((url for url in sorted(failed) if made[url] > right[url] > 0), None)
        call.run.should(not twice, f"{twice} is asked for {right[str(twice)]} times", f"{made[str(twice)]} times",
                        hint="a job that failed is counted, and not tried again")
        if not call.stopped and call.run.cause("refusal") and made != right:
            visible.should_do(call.run, call.right.urls)
    return bool(case.facts.failing)


@contract.requirement(4, "A handler may call `pool_add`. An empty queue is not the end while a job is being done",
                      after=(7, 10, 12))
def further_jobs(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if case.facts.crawls and not case.facts.stops else ():
        missing = Counter(call.right.urls) - Counter(request.url for request in call.run.requests)
        if any(url not in case.facts.urls for url in missing):
            visible.should_do(call.run, call.right.urls)
    return bool(case.facts.crawls)


@contract.requirement(14, "After `pool_stop` no request begins", after=(7, 10, 12), unless=(2, 3))
def stop(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        if call.stopped:
            right, made = call.right, visible.begins(call.run)
            call.run.should(case.facts.stop != 0 or not made, "no request begins: pool_stop came before pool_run",
                            f"{len(made)} did", hint="does pool_run set what pool_stop had set back?")
            last = max((t for t, _ in right.begun), default=0)
            late = [url for t, url in made if t > last]
            call.run.should(not late or case.facts.stop is None, "no request begins after pool_stop",
                            f"{len(late)} did, {late[:1]} first",
                            hint="a worker that waits for its place when pool_stop is called must look again when it "
                                 "gets it: right before the request")
            if Counter(call.begun) != Counter(map(group, right.urls)):
                visible.should_do(call.run, right.urls)
            visible.should_cut_nothing_off(call.run)
            call.run.should_take(right.elapsed, what="until the last running job is finished",
                                 hint="wait for the jobs that are being done, and for nothing else")
    return case.facts.stop is not None or bool(case.facts.stops)


@contract.requirement(1, "Each job that was added is fetched exactly once, with `co_http_get`.",
                      after=(4, 7, 10, 12, 14))
def each_once(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        if Counter(call.begun) != Counter(map(group, call.right.urls)):
            visible.should_do(call.run, call.right.urls)
    return bool(case.facts.urls)


@contract.requirement(2, "Requests begin in the order in which the jobs were added.", after=(1, 4, 7, 10, 12, 14))
def in_their_order(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        if call.begun != list(map(group, call.right.urls)):
            visible.should_begin_in_order(call.run, call.right)
    return len(case.facts.urls) > 1


@contract.requirement(6, "Jobs are done by `config.workers` tasks, which call `co_http_get` themselves.",
                      after=(1, 4, 7, 10, 12))
def few_tasks(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_start_few_tasks(call.run, case.facts.workers)
    return bool(run.requests)


@contract.requirement(8, "While a handler waits, its worker holds no place.", after=(1, 2, 4, 6, 7, 10, 12, 14))
def requests_only(case: Situation, run: Run) -> bool:
    facts: Facts = case.facts
    for call in undisturbed(case, run):
        held = visible.plan(case.world, call.urls, workers=facts.workers, limit=facts.limit, handle=facts.handle,
                            handler=facts.handler, after=facts.stop, held=True)
        fetching = len({request.task for request in call.run.requests})
        rounds = call.run.cause("meet") or fetching < min(facts.workers, len(call.run.requests))    # it may be that
        if call.run.elapsed != call.right.elapsed == min(held.elapsed, call.right.elapsed) \
                and call.run.elapsed == held.elapsed and not rounds:
            call.run.should_take(call.right.elapsed, what="a place is free as soon as the answer is there",
                                 hint="a place is held while the handler runs, too: give it back as soon as the answer "
                                      "is there")
    return bool(facts.handle and run.requests)


@contract.requirement(9, "More workers than jobs, a larger limit than workers, one worker, a limit of one, no job at "
                         "all", after=(1, 2, 4, 6, 7, 8, 10, 12, 14))
def every_number(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if not case.facts.urls else ():
        call.run.should_take(0, what="there is nothing to do", hint="without jobs pool_run returns at once")
    return case.facts.workers == 1 or case.facts.limit > case.facts.workers or not case.facts.urls


@contract.requirement(3, "A job begins as soon as a worker is free *and* the limit allows another request.",
                      after=(1, 2, 4, 6, 7, 8, 9, 10, 12, 14))
def as_soon_as_possible(case: Situation, run: Run) -> bool:
    facts: Facts = case.facts
    for call in undisturbed(case, run):
        if call.run.elapsed != call.right.elapsed or [t for t, _ in visible.begins(call.run)] != \
                [t for t, _ in call.right.begun]:
            visible.should_take_as_planned(call.run, case.world, call.urls, workers=facts.workers, limit=facts.limit,
                                           handle=facts.handle, handler=facts.handler, after=facts.stop)
    return bool(facts.urls)


@contract.requirement(5, "The handler is called once for each page that came with a status below 400",
                      after=(1, 4, 7, 10, 12, 14))
def handler(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        got, right = call.run.report["handled"], call.right.handled
        call.run.should(got == right, f"the handler is called {right} times", f"{got} times",
                        hint="once for each page that came with a status below 400, also an empty one, and for no "
                             "other")
        call.run.should(not call.run.report["wrong"], "the handler gets the page and its URL",
                        f"{call.run.report['wrong']} times it did not", hint="hand on the URL of the job, and the page")
    return bool(run.requests)


# ---- the end --------------------------------------------------------------------------------


@contract.requirement(13, "All workers have ended when `pool_run` returns", after=(7, 10))
def all_ended(case: Situation, run: Run) -> bool:
    for call in calls(case, run):
        if call.undisturbed:
            visible.should_cut_nothing_off(call.run)
        if case.facts.stop is None:
            visible.should_have_ended(call.run)
    return bool(run.requests)


@contract.requirement(15, "Each job that was added and never begun is handed back by `pool_take_back` exactly once",
                      after=(1, 2, 7, 14))
def handed_back(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        left = Counter(group(url or "NULL") for url in call.run.report["left"])
        if left != Counter(map(group, call.right.left)) or call.run.report["last"] != 0:
            visible.should_hand_back(call.run, call.right.left)
    return bool(case.facts.urls)


@contract.requirement(16, "`pool_run` returns `-ECANCELED` at that same instant, with every worker ended.",
                      after=(7, 10, 13))
def cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run):
        at = case.facts.cancel
        if at is not None and at < call.right.elapsed:
            asked = True
            visible.should_end_when_cancelled(call.run, at)
    return asked


@contract.requirement(17, "`pool_close` frees all the pool has, also when jobs are left, and sets the variable to "
                          "NULL.", after=(13,))
def open_and_close(case: Situation, run: Run) -> bool:
    if any(leak.what != "task" for leak in run.leaks):
        run.should_leak_nothing()
    for call in calls(case, run):
        call.run.should(call.run.report["closed"], "pool_close sets the variable to NULL",
                        "it still points to the pool that was freed",
                        hint="it gets a pointer to the variable: *pool = NULL")
    return True


# ---- statistics -----------------------------------------------------------------------------


@contract.requirement(11, "It has failed if there was no answer (`co_http_get` returned an error), if the status is "
                          "400 or more, or if the handler returned less than 0.", after=(1, 4, 5, 7, 10, 12, 14, 15))
def failures_are_counted(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if case.facts.failing else ():
        got, right = call.run.report, call.right
        if got["jobs"] == right.succeeded + right.failed and got["succeeded"] != right.succeeded:
            visible.should_count(call.run, right)
    return bool(case.facts.failing)


@contract.requirement(18, "`jobs` is `succeeded + failed`, and is the number of requests that this worker's task made.",
                      after=(1, 6, 7, 10, 11))
def by_worker(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_count_by_worker(call.run)
    return True


@contract.requirement(19, "`elapsed` is how long the call of `pool_run` took, by `co_now()`.",
                      after=(1, 2, 4, 7, 10, 11, 12, 14, 15, 18))
def in_all(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_count(call.run, call.right)
        visible.should_tell_its_time(call.run)
    return True


@contract.requirement(9, "Two pools may run at the same time, or one after the other: neither knows of the other.",
                      after=(1, 7, 10, 12, 13), several=True,
                      unless=(1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 17, 18, 19))
def two_pools(case: Situation, run: Run) -> bool:
    """Two pools at a time, or one after the other, are two pools: nothing of the one is in the other."""
    for k, call in enumerate(calls(case, run, single=False) if case.facts.calls > 1 else ()):
        if k == 0 and case.facts.cancel is not None:        # it is cancelled: only the other one is asked about
            continue
        visible.should_do(call.run, call.right.urls)
        visible.should_count(call.run, call.right)
        visible.should_hand_back(call.run, call.right.left)
        call.run.should(call.run.elapsed == call.right.elapsed,
                        f"{show(call.right.elapsed)}, as long as without another pool",
                        f"it took {show(call.run.elapsed)}", "what belongs to one pool stands in its struct, never in "
                        "a static or global variable, which all pools share")
    return case.facts.calls > 1
