"""From a trace to the one most likely cause: what a teacher would point at first, with its place.

Each `_name` below knows one misconception and returns a Cause or None. `find` asks those that fit the topic, in
the order in which they would explain the others away.
"""

from __future__ import annotations

import errno
from collections import Counter, defaultdict
from typing import Any, Callable, Optional

from ..plain import words
from ..plain.duration import Duration, show
from ..plain.failure import Cause
from ..plain.text import count
from . import leaks, pace, shapes
from .aborted import aborted, never_asked_for
from .case import KIT_TIMEOUT, Case, made_in_all, of_student, so_often, waits_of
from .trace import Request, Trace


FEW = 4         # so many or more may be all there is room for


def find(case: Case) -> Optional[Cause]:
    """The most likely cause, or None when the trace tells none."""
    for rule in _RULES[case.topic]:
        cause = rule(case)
        if cause:
            return cause
    return None


# ---- What was fetched ---------------------------------------------------------------------------


def _nothing(case: Case) -> Optional[Cause]:
    if case.asked and not case.trace.requests:
        job = next((event for event in case.trace.of("await", "runtime") if event.get("on") == "job"), None)
        if job:
            at = f" at {job['src']}" if job.get("src") else ""
            return Cause("on workers",
                         f"the program made no request: it tries to fetch in a worker (co_to_thread{at}), where "
                         "http_get_blocking, like every call that waits, only returns -EPERM. Call co_http_get in the "
                         "task itself: it needs no thread", job.get("src"))
        return Cause("nothing", f"the program made no request at all, for {count(len(case.asked), 'URL')}"
                                + (f": write {case.todo}" if case.todo else ""))
    return None


def _some_missing(case: Case) -> Optional[Cause]:
    missing, asked = never_asked_for(case), list(case.asked)
    if not missing:
        return None
    url, all_of_them = missing[0], f"{len(missing)} of the {count(len(asked) * case.passes, 'request')} were never made"
    made = next((request for request in case.trace.requests if request.url == url), None)
    if made:
        src = waits_of(case.trace, made)
        often, at = so_often(made_in_all(case.trace, url)), f" ({src})" if src else ""
        if case.passes > 1:
            return Cause("only once", f"{url} is to be fetched {so_often(asked.count(url) * case.passes)}, and was "
                                      f"asked for only {often}{at}", src)
        return Cause("only once", f"{url} stands {so_often(asked.count(url))} in the list, but was asked for only "
                                  f"{often}{at}: each element of the list is fetched, also one that stood there "
                                  "before", src)
    k = len(asked) - len(missing)
    if k and case.passes == 1 and missing == asked[k:] and 1 in (k, len(missing)):
        return Cause("cut short", f"only {asked[0]} was asked for: does the loop go on to the next one?" if k == 1 else
                     f"{url}, the last one, was never asked for: does the loop stop one too early"
                     + (f", or is there room for {k} only?" if k >= FEW else "?"))
    if k and case.passes == 1 and missing == asked[k:]:
        task = case.trace.tasks.get(case.trace.requests[-1].task)
        src = (task.src if task and task.number != 1 else None) or waits_of(case.trace, case.trace.requests[-1])
        return Cause("cut short",
                     f"{all_of_them}: it stops after the first {k}{f' ({src})' if src else ''}, and {url} is the next. "
                     f"Is there room for {k} only? The list may have any length: make room for n, with malloc", src)
    return Cause("missing", f"{url} was never asked for" if len(missing) == 1 else f"{all_of_them}, {url} first")


def _double(case: Case) -> Optional[Cause]:
    """A URL was asked for more often than it should; what a redirect led to does not count."""
    allowed, made = Counter(case.asked), Counter()
    last: dict[int, Request] = {}
    for request in case.trace.requests:
        before = last.get(request.task)
        last[request.task] = request
        if before and 300 <= before.status < 400:
            continue
        made[request.url] += 1
        if request.url in allowed and made[request.url] > allowed[request.url] * case.passes:
            src = waits_of(case.trace, request)
            return Cause("double", f"{request.url} was asked for {so_often(made_in_all(case.trace, request.url))}"
                                   f"{f' ({src})' if src else ''}, but it is to be fetched "
                                   f"{so_often(allowed[request.url] * case.passes)}: {_enough(case.trace, request)}",
                         src)
    return None


def _enough(trace: Trace, request: Request) -> str:
    """What to do instead of asking for the same URL once more."""
    before = [other for other in trace.requests if other.url == request.url and other.op < request.op]
    if any(other.failed or other.status >= 400 for other in before):
        return "an error is a result, do not try again"
    if any(other.task == request.task for other in before):
        return "take all you need out of the first answer"
    if any(other.task == one.task and other.url != request.url for one in [request, *before]
           for other in trace.requests):
        return ("two workers have taken the same job: take it out of the queue at the moment you read it, "
                "before anything waits")
    return "start one task for it, not more"


def _shared_job(case: Case) -> Optional[Cause]:
    """Tasks that were given one and the same job: when they run, all of them see what was written last."""
    trace = case.trace
    sharing = [task for task in trace.tasks.values() if task.job_of in trace.tasks
               and trace.tasks[task.job_of].src == task.src]
    if not sharing:
        return None
    src = sharing[0].src
    alike = {number for task in sharing if task.src == src for number in (task.number, task.job_of)}
    urls = {request.url for request in trace.requests if request.task in alike}
    url = next(iter(urls), "")
    # Workers may share what they only read, or a queue: then they ask for different URLs, or for too many, the first
    # one first.
    if len(urls) != 1 or url == case.asked[0] or made_in_all(trace, url) <= list(case.asked).count(url) * case.passes:
        return None
    return Cause("shared job",
                 f"{src or 'the program'} gives one and the same job to {len(alike)} tasks: "
                 f"a task begins only after that, and then each finds in it what was written last, {url}. Give each "
                 "its own: an array of jobs that lives until all tasks have ended (a variable declared inside the loop "
                 "is the same memory every time round)", src)


def _own_timeout(case: Case) -> Optional[Cause]:
    """A timeout of the student's own ended a request; the kit's begins with the call that fetches, and is 30 s."""
    for request in case.trace.finished if not case.too_slow_by_numbers else ():
        src, first = request.timeout_src, _first_of(case.trace, request)
        took = Duration((request.end or 0) - first.start)
        given = src == waits_of(case.trace, request)
        if not of_student(src) or given and took == KIT_TIMEOUT or case.answers and not _given_up(case, first.url):
            continue
        wait = case.answers or isinstance(case.expected, (int, float)) and case.expected >= KIT_TIMEOUT
        return Cause("own timeout",
                     f"the request for {first.url} was given up after {show(took)} by the timeout that "
                     + (f"the call at {src} was given" if given else f"began at {src}")
                     + (f": take it away, the kit itself gives up after {show(KIT_TIMEOUT)}" if wait else ""), src)
    return None


def _first_of(trace: Trace, request: Request) -> Request:
    """The request that led to this one by redirects; itself, if none did."""
    for other in reversed([one for one in trace.requests if one.task == request.task and one.op < request.op]):
        if not (300 <= other.status < 400 and other.end == request.start):
            break
        request = other
    return request


def _given_up(case: Case, url: str) -> bool:
    """Is the first wrong result that of this URL, and wrong in that its time was up?"""
    for asked, right, got in zip(case.asked, case.answers, case.happened):
        if right != got:
            return asked == url and isinstance(got, dict) and got.get("error") == -errno.ETIMEDOUT
    return False


def _cancel_ignored(case: Case) -> Optional[Cause]:
    """The task that was cancelled did not hand on what its wait returned."""
    for event in case.trace.of("cancel", "runtime"):
        if event.get("why") != "call":
            continue
        before = case.trace.events[:case.trace.events.index(event)]
        waited = next((line for line in reversed(before) if line.get("ev") in ("await", "run")
                       and line.get("task") == event["task"]), {})
        task = case.trace.tasks.get(event["task"])
        if waited.get("ev") == "await" and of_student(waited.get("src")) and task and task.done is not None \
                and task.rc != -errno.ECANCELED:
            return Cause("cancel ignored",
                         f"the wait at {waited['src']} returned -ECANCELED, and nobody took notice: keep what it "
                         "returns, clean up, and return it", waited["src"])
    return None


def _its_own_error(case: Case) -> Optional[Cause]:
    """The function returned the error of one of its requests."""
    report = case.trace.report("result")
    rc = report["value"].get("rc") if report and isinstance(report["value"], dict) else None
    bad = next((request for request in case.trace.finished if request.failed and request.rc == rc), None)
    if bad is None:
        return None
    src = waits_of(case.trace, bad)
    return Cause("handed on",
                 f"{words.error(bad.rc)} is what became of {bad.url}{f' ({src})' if src else ''}: "
                 "a failed request is a result of that URL, not of the function, which returns 0", src)


# ---- What became of the results -----------------------------------------------------------------


def _out_of_order(case: Case) -> Optional[Cause]:
    """The right results in the order in which the answers came."""
    if not case.answers or not isinstance(case.happened, list) or case.happened == list(case.answers):
        return None
    waiting: dict[str, list[Any]] = defaultdict(list)
    for url, answer in zip(case.asked, case.answers):
        waiting[url].append(answer)
    arrived = [request.url for request in case.trace.finished if request.url in waiting]
    came = [waiting[url].pop(0) for url in arrived if waiting[url]]
    if len(came) != len(case.answers) or came != case.happened:
        return None
    wrong = next(i for i, answer in enumerate(case.answers) if answer != case.happened[i])
    return Cause("order",
                 "the results stand in the order in which the answers came: "
                 f"place {wrong} holds that of {arrived[wrong]}, but urls[{wrong}] is {case.asked[wrong]}. Give each "
                 "task the place that belongs to its URL")


def _unfinished(case: Case) -> Optional[Cause]:
    """The function returned while requests were still under way."""
    result = case.trace.report("result")
    if not result:
        return None
    late = [request for request in case.trace.requests if request.start <= result["t"]
            and (request.end is None or request.end > result["t"])]
    if not late:
        return None
    task = case.trace.tasks.get(late[0].task)
    src = task.src if task else None
    return Cause("unfinished", f"the function returned at {show(result['t'])}, while {count(len(late), 'request')} "
                               f"{'was' if len(late) == 1 else 'were'} still under way: wait for every task"
                               f"{f' spawned at {src}' if src else ''} first", src)


_RULES: dict[str, tuple[Callable[[Case], Optional[Cause]], ...]] = {
    "": (_nothing, _shared_job, shapes.limit_not_ended, aborted, _unfinished, _double, pace.blocked,
         pace.one_after_another,
         _some_missing, _own_timeout, leaks.leaks),
    "timing": (_nothing, _shared_job, shapes.limit_not_ended, shapes.shielded, aborted, _unfinished, _double,
               _own_timeout, pace.blocked, pace.met,
               shapes.no_timeout, shapes.timeout_each_read, shapes.clock_goes_on,
               shapes.worker_ended, pace.one_after_another, pace.slept, pace.overlapped, _some_missing),
    "results": (_nothing, _shared_job, shapes.limit_not_ended, _out_of_order, aborted, _unfinished, _double,
                _own_timeout, _some_missing),
    "requests": (_nothing, _shared_job, aborted, _double, _some_missing),
    "asked": (_nothing, _shared_job, _double, _some_missing),       # how often, whatever failed before
    "block": (_nothing, pace.blocked),
    "limit": (_nothing, pace.limit, pace.blocked, pace.one_after_another),
    "reach": (_nothing, aborted, pace.blocked, shapes.worker_ended,
              shapes.held_back),     # of a limit: so many, and not fewer
    "connections": (_nothing, shapes.many_sessions, shapes.no_session),
    "bound": (_nothing, shapes.nobody_waits_for_room),
    "files": (shapes.half_written, shapes.left_behind),
    "leaks": (leaks.leaks,),
    "cancelled": (_nothing, shapes.shielded, _cancel_ignored),
    "shield": (shapes.shielded,),
    "meet": (pace.met, pace.rounds),    # tasks that wait for each other
    "refusal": (_nothing, aborted, _its_own_error),     # it returned an error: what it did and when is not asked
}
