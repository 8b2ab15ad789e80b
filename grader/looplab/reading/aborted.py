"""Requests that were given up, or never made: because another one had failed, or because a time was up."""

from __future__ import annotations

import errno
from collections import Counter
from typing import Optional, Sequence

from ..plain import words
from ..plain.duration import show
from ..plain.failure import Cause
from ..plain.text import count
from .case import Case, last_await, of_student, waits_of
from .trace import Event, Request, Trace


def aborted(case: Case) -> Optional[Cause]:
    """Others were cancelled, or never asked for, and why."""
    given_up = [request for request in case.trace.requests if request.given_up]
    missing = never_asked_for(case)
    return given_up and _ended(case, given_up) or missing and _never_begun(case, missing) or None


def never_asked_for(case: Case) -> list[str]:
    """The URLs that should have been asked for and were not, or not often enough."""
    made = Counter(request.url for request in case.trace.requests)
    missing = []
    for url, times in Counter(case.asked).items():
        missing += [url] * max(0, times * case.passes - made[url])
    return missing


def _bad(trace: Trace) -> list[Request]:
    """Those without an answer first, then those with a bad one."""
    return [request for request in trace.finished if request.failed] \
        + [request for request in trace.finished if not request.failed and request.status >= 400]


def _said(bad: Request) -> str:
    return f"{words.error(bad.rc or 0)} from {bad.url}" if bad.failed else f"the {bad.status} of {bad.url}"


def _handed_on(case: Case, until: int) -> bool:
    """Has a task, or the function, returned an error by then? (That it was cancelled is none.)"""
    fine = (0, None, -errno.ECANCELED)
    report = case.trace.report("result")
    returned = report["value"].get("rc") if report and isinstance(report["value"], dict) else None
    return returned not in fine or any(task.rc not in fine and (task.done or 0) <= until and of_student(task.src)
                                       for task in case.trace.tasks.values())


# ---- Given up under way -----------------------------------------------------------------------


def _ended(case: Case, given_up: Sequence[Request]) -> Optional[Cause]:
    """Why requests were given up at the instant of the first of them: a time that was up, a cancel, a failure, or the
    end of their group's block."""
    trace, first = case.trace, given_up[0]
    at = first.end or 0
    cancels = [event for event in trace.of("cancel", "runtime") if event["t"] == at]
    limit = next((event for event in cancels if event.get("why") == "timeout"), None)
    if limit:
        return _limit(limit, given_up)
    if any(event.get("why") == "call" and event.get("src") and not of_student(event["src"]) for event in cancels):
        return None                         # somebody outside has cancelled it
    several, src = count(len(given_up), "request"), _cancelled_at(trace, first)
    bad = _culprit(case, at)
    if bad:
        return Cause("aborted", f"after {_said(bad)}, {f'{src} gives' if src else 'the program gives'} up "
                                f"{several} still under way: {_mercy(trace, first, src)}", src)
    why = trace.cancel_of(first).get("why")
    if why not in ("call", "group"):
        return None
    how = "cancels" if why == "call" else "ends the group of"
    return Cause("given up", f"{src or 'the program'} {how} {several} still under way at {show(at)}, though nothing "
                             "had failed: who starts a task waits until it has ended", src)


def _limit(limit: Event, given_up: Sequence[Request]) -> Cause:
    src = limit.get("src")
    return Cause("one limit",
                 f"the limit{f' that begins at {src}' if src else ''} was up at {show(limit['t'])}, and ended "
                 f"{count(len(given_up), 'request')} of other tasks that were still under way, {given_up[0].url} "
                 "first. A limit is for the calls of its own task: begin and end it there", src)


def _culprit(case: Case, at: int) -> Optional[Request]:
    """The failure for which others were given up: that of the same instant; or one before, if something tells that it
    was taken notice of only then."""
    bad = [request for request in _bad(case.trace) if (request.end or 0) <= at]
    same = next((request for request in bad if request.end == at), None)
    return same or (bad[0] if bad and _handed_on(case, at) else None)


def _cancelled_at(trace: Trace, request: Request) -> Optional[str]:
    """Where the cancel of a request came from: the co_cancel, or the wait for the group that one failure ended."""
    event = trace.cancel_of(request)
    if event.get("src"):
        return event["src"]
    task = trace.tasks.get(request.task)
    return last_await(trace, task.by, None, ("group", "task", "wait"), request.end) if task else None


def _mercy(trace: Trace, request: Request, src: Optional[str]) -> str:
    """Why one failure ended the others' requests, and what to do about it."""
    if trace.cancel_of(request).get("why") == "call":
        return "a failure is a result like another, so do not cancel the others for it"
    task = trace.tasks.get(request.task)
    if task and task.src and task.src == src:       # started and waited for in one call
        return ("without an array rcs, co_gather cancels all tasks as soon as one fails. Give it one, "
                "and each task just has its own result")
    return "the first task that fails cancels the others. Store the error as a result, and let the task return 0"


# ---- Never begun ------------------------------------------------------------------------------


def _never_begun(case: Case, missing: list[str]) -> Optional[Cause]:
    """After a failure nothing was asked for any more, and something tells that this was why."""
    made = case.trace.requests
    last: dict[int, Request] = {request.task: request for request in made}
    bad = [request for request in _bad(case.trace) if all(other.start <= (request.end or 0) for other in made)]
    if not bad:
        return None
    newest = made[-1]
    alone = newest in bad and all(other.end is not None and other.end <= newest.start for other in made[:-1])
    everywhere = len(made) > len(last) and all(one.failed or one.status >= 400 for one in last.values())
    if not alone and not everywhere and not _handed_on(case, max(request.end or 0 for request in bad)):
        return None
    culprit = newest if alone else bad[0]
    src = waits_of(case.trace, culprit)
    return Cause("aborted", f"after {_said(culprit)}{f' ({src})' if src else ''}, {count(len(missing), 'URL')} "
                            f"{'was' if len(missing) == 1 else 'were'} never asked for, {missing[0]} first: "
                            "a failure is a result like another; go on with the next URL", src)
