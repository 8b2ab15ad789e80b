"""Causes of the programs that have a shape: pages with a timeout, sessions, workers on a queue, stages that write
files.

Each function knows one misconception and returns a Cause or None, as the rules of diagnosis.py do.
"""

from __future__ import annotations

import errno
from collections import defaultdict
from typing import Optional

from ..plain import words
from ..plain.duration import show
from ..plain.failure import Cause
from ..plain.text import count
from .case import KIT_TIMEOUT, Case, of_student, waits_of
from .trace import Event, FileOp, Request, Task, Trace

# ---- Timeouts -----------------------------------------------------------------------------------


def no_timeout(case: Case) -> Optional[Cause]:
    """A server that never answers was waited for until the kit itself gave up."""
    if not case.too_slow_by_numbers or case.expected >= KIT_TIMEOUT:
        return None
    request = next((request for request in case.trace.finished if request.rc == -errno.ETIMEDOUT
                    and request.ns >= KIT_TIMEOUT), None)
    if request is None:
        return None
    src = waits_of(case.trace, request)
    left = _left_by_wait(case.trace, request)
    if left:
        return Cause("no longer waited for",
                     f"the co_wait at {left} came back when its time was up, but it cancels nobody: "
                     f"the request for {request.url}{f' ({src})' if src else ''} went on until the kit's own limit "
                     f"of {show(KIT_TIMEOUT)}. Cancel its task (co_cancel), or use co_timeout_begin, which does", left)
    return Cause("no timeout",
                 f"{request.url} gives no answer, and only the kit's own limit of {show(KIT_TIMEOUT)} ended the wait"
                 f"{f' at {src}' if src else ''}: put co_timeout_begin before the call, and co_timeout_end behind it",
                 src)


def _left_by_wait(trace: Trace, request: Request) -> Optional[str]:
    """Where a co_wait ran into its timeout, whose caller had spawned the task of this request."""
    task = trace.tasks.get(request.task)
    if task is None:
        return None
    waits = {event.get("src") for event in trace.of("await", "runtime")
             if event.get("on") == "wait" and event["task"] == task.by}
    return next((event["src"] for event in trace.of("cancel", "runtime")
                 if event.get("why") == "timeout" and event["task"] == task.by and event.get("src") in waits
                 and request.start <= event["t"] < (request.end or 0)), None)


def limit_not_ended(case: Case) -> Optional[Cause]:
    """A co_timeout_begin without its co_timeout_end: once its time is up, nothing can wait any more."""
    leak = next((leak for leak in case.trace.leaks if leak.what == "timeout"), None)
    if leak is None:
        return None
    return Cause("limit not ended",
                 f"the limit{f' that begins at {leak.src}' if leak.src else ''} is not ended on every way out (a "
                 "return before co_timeout_end?). It goes on, and when its time is up, every later call that waits "
                 "returns -ECANCELED at once. Call co_timeout_end on each",
                 leak.src)


def shielded(case: Case) -> Optional[Cause]:
    """Somebody was cancelled, and went on waiting under a shield; to remove a file may need one."""
    if case.numbers and not case.too_slow:
        return None
    trace = case.trace
    cancels = {event["task"]: event["t"] for event in reversed(trace.of("cancel", "runtime"))}
    removed = {op.op for op in trace.files if op.call == "remove"}
    under: dict[int, Event] = {}            # what each task waits for under a shield
    for event in trace.events:
        if event.get("ev") == "await" and event.get("shield") and event.get("op") not in removed:
            under[event["task"]] = event
        elif event.get("ev") == "run" and event["task"] in under:
            waited = under.pop(event["task"])
            if cancels.get(event["task"], event["t"]) < event["t"] and of_student(waited["shield"]):
                return Cause("shielded",
                             f"the wait{_at(waited)} goes on until {show(event['t'])}, though its task was cancelled: "
                             f"it stands under the shield that begins at {waited['shield']}, and no cancel reaches it "
                             "there. A shield is for a clean-up that has to wait, and for nothing else",
                             waited["shield"])
    return None


def _at(waited: Event) -> str:
    return f" at {waited['src']}" if waited.get("src") else ""


def clock_goes_on(case: Case) -> Optional[Cause]:
    """A request and a sleep race in two tasks, and the sleep is not cancelled when the answer is there."""
    trace = case.trace
    if not case.too_slow_by_numbers:
        return None
    for task in trace.tasks.values():
        sleep = next((event for event in trace.of("await", "runtime")
                      if event["task"] == task.number and event.get("on") == "sleep"), None)
        if not sleep or task.done is None or not of_student(task.src):
            continue
        if any(request.task == task.number for request in trace.requests):
            continue
        beside = {other.number for other in trace.tasks.values() if other.by == task.by}
        held = [event["t"] for event in trace.of("await", "runtime") if event["task"] == task.by
                and event.get("on") == "group"]
        for request in trace.finished:
            if request.task in beside and not request.given_up and sleep["t"] <= request.start \
                    and any(request.end <= t < task.done for t in held):
                src = sleep.get("src")
                return Cause("clock goes on",
                             f"the answer of {request.url} was there after {show(request.ns)}, "
                             f"but {task.name} sleeps on{f' at {src}' if src else ''}, and the end of its group waits "
                             "for it: cancel it (co_cancel) as soon as the answer is there. "
                             "co_timeout_begin needs no task of its own", src)
    return None


def timeout_each_read(case: Case) -> Optional[Cause]:
    """A body that comes in drops: each read was in time, the whole was not."""
    if not case.too_slow_by_numbers:
        return None
    for request in case.trace.requests:
        reads = [event for event in case.trace.of("await", "runtime") if event.get("on") == "stream"
                 and event.get("op") == request.op]
        if len(reads) > 1 and request.ns > case.expected:
            src = reads[1].get("src")
            return Cause("timeout per read",
                         f"{request.url} sent a little now and then, and was read for {show(request.ns)} in "
                         f"{count(len(reads), 'piece')}{f' at {src}' if src else ''}: "
                         "one limit must hold for opening and reading together, not for each piece", src)
    return None


# ---- Connections --------------------------------------------------------------------------------


def many_sessions(case: Case) -> Optional[Cause]:
    """A session for each request."""
    sessions = {request.session for request in case.trace.requests if request.session is not None}
    if len(sessions) < 2:
        return None
    src = waits_of(case.trace, case.trace.requests[1])
    of_each = "one for each request" if len(sessions) == len(case.trace.requests) \
        else f"for {count(len(case.trace.requests), 'request')}"
    return Cause("many sessions",
                 f"{len(sessions)} sessions were used, {of_each}{f' ({src})' if src else ''}: "
                 "only requests of the same session use a connection again. Open one, "
                 "and hand its address to every task", src)


def no_session(case: Case) -> Optional[Cause]:
    """Requests without a session."""
    alone = [request for request in case.trace.requests if request.session is None]
    if not alone:
        return None
    src = waits_of(case.trace, alone[0])
    return Cause("no session",
                 f"{count(len(alone), 'request')} ({alone[0].url} first{f', {src}' if src else ''}) went without a "
                 "session, each over a connection of its own: co_session_get uses connections again", src)


# ---- Workers ------------------------------------------------------------------------------------


def _workers(trace: Trace) -> dict[str, list[Task]]:
    """Tasks that were spawned in one place and made several requests or jobs together, by that place."""
    by_place: dict[str, list[Task]] = defaultdict(list)
    for task in trace.tasks.values():
        if task.number != 1 and of_student(task.src):
            by_place[task.src or ""].append(task)
    several = {src for src, tasks in by_place.items()
               if len(tasks) > 1
               and any(sum(request.task == task.number for request in trace.requests) > 1 for task in tasks)}
    return {src: tasks for src, tasks in by_place.items() if src in several}


def worker_ended(case: Case) -> Optional[Cause]:
    """A worker was gone while the others still had to begin jobs."""
    for src, tasks in _workers(case.trace).items():
        numbers = {task.number for task in tasks}
        jobs = [request for request in case.trace.requests if request.task in numbers]
        for task in tasks:
            after = [request for request in jobs if task.done is not None and request.start > task.done]
            if len(after) >= 2 and (case.too_slow or case.topic == "reach"):
                last = _last_place(case.trace, task)
                return Cause("worker ended",
                             f"worker {task.name} (task {task.number}, spawned at {src}) had ended "
                             f"at {show(task.done or 0)}, and {count(len(after), 'job')} were begun after "
                             f"that{f'; it last waited at {last}' if last else ''}: an empty queue is not the end "
                             "while others may still put something, and a failed job is no reason to leave the loop",
                             last or src)
    return None


def _last_place(trace: Trace, task: Task) -> Optional[str]:
    """Where a task waited last."""
    return next((event["src"] for event in reversed(trace.of("await", "runtime"))
                 if event.get("task") == task.number and of_student(event.get("src"))), None)


def held_back(case: Case) -> Optional[Cause]:
    """Fewer at once than allowed, though more were waiting."""
    peak = case.trace.peak
    if not isinstance(case.expected, int) or peak >= case.expected or len(case.trace.requests) < case.expected:
        return None
    tasks = {request.task for request in case.trace.requests}
    if len(tasks) == 1:
        task = case.trace.tasks.get(tasks.pop())
        src = waits_of(case.trace, case.trace.requests[0])
        return Cause("one worker",
                     f"all {len(case.trace.requests)} requests were made by one task{f' ({task.name})' if task else ''}"
                     f"{f' at {src}' if src else ''}, one after the other", src)
    held = [event for event in case.trace.of("await", "runtime") if event.get("on") in ("sem", "lock")
            and of_student(event.get("src"))]
    if held:
        src = held[0]["src"]
        return Cause("held", f"at {src} tasks wait for {words.wait(held[0]['on'])}, which lets only {peak} through at "
                             "a time: how many places has it, and is each given back as soon as its request is over?",
                     src)
    return Cause("held", f"only {peak} were ever under way at once: each place that is free must be taken at once, "
                         "while there is something to do")


# ---- Queues and files ---------------------------------------------------------------------------


def nobody_waits_for_room(case: Case) -> Optional[Cause]:
    """Whoever puts never had to wait: no queue has a bound."""
    if any(event.get("on") == "queue.put" for event in case.trace.of("await", "runtime")):
        return None
    return Cause("unbounded",
                 "nobody ever waited for room in a queue: give each queue its maxsize (CO_QUEUE, co_queue_init), "
                 "and put with a call that waits")


def half_written(case: Case) -> Optional[Cause]:
    """A file was written under its own name, and not to its end."""
    for op in case.trace.files:
        if op.call != "write" or not (op.rc is not None and op.rc < 0) or op.path not in case.trace.left:
            continue
        src = _waits_of_file(case.trace, op)
        how = "was given up" if op.rc == -errno.ECANCELED else f"failed ({words.error(op.rc)})"
        return Cause("half written",
                     f"{op.path} was written under its own name, and {how}{f' at {src}' if src else ''}: "
                     "what had come so far is there for all to read. Write another name and co_file_rename it when it "
                     "is whole, or use co_file_save", src)
    return None


def left_behind(case: Case) -> Optional[Cause]:
    """A temporary file that nobody renamed or removed."""
    renamed = {op.path for op in case.trace.files if op.call == "rename"}
    opened = [op for op in case.trace.files if op.call == "open" and op.rc is not None and op.rc >= 0]
    for op in opened:
        temporary = op.path.endswith((".tmp", ".part", ".new", "~"))
        if temporary and op.path in case.trace.left and op.path not in renamed:
            src = _waits_of_file(case.trace, op)
            return Cause("temporary file",
                         f"{op.path}{f', made at {src},' if src else ''} is still there: "
                         "rename it when it is whole, and remove it when anything fails", src)
    return None


def _waits_of_file(trace: Trace, op: FileOp) -> Optional[str]:
    """Where the program waited for a call to the disk."""
    return next((event.get("src") for event in trace.of("await", "runtime") if event.get("on") == "file"
                 and event.get("op") == op.op), None)
