"""Runs that took too long, or had too many requests under way: what blocks, sleeps, or goes one after the other."""

from __future__ import annotations

from collections import defaultdict
from typing import Optional

from ..plain import words
from ..plain.duration import show
from ..plain.failure import Cause
from ..plain.text import count
from .case import Case, last_await, of_student, so_often, waits_of
from .trace import Block, Event, Request, Trace

_HOLDING = ("lock", "sem")


def blocked(case: Case) -> Optional[Cause]:
    """The loop stood still. Fetching with a blocking call is right where one after the other is."""
    blocks = [block for block in case.trace.blocks() if block.ns > 0
              and not (block.on == "http" and (case.serial_is_right or case.nobody_waits))]
    if not blocks or not case.too_slow:
        return None
    by_place: dict[tuple, list[Block]] = defaultdict(list)
    for block in blocks:
        by_place[block.src, block.on].append(block)
    (src, on), worst = max(by_place.items(), key=lambda place: sum(block.ns for block in place[1]))
    total = sum(block.ns for block in worst)
    often = f"{show(total)} in {count(len(worst), 'call')}" if len(worst) > 1 else show(total)
    return Cause("blocked", f"{src or 'the program'} blocks the whole loop for {often}: "
                            f"while {words.call(on)} runs, no other task can{_instead(on)}", src)


def _instead(on: str) -> str:
    """The call that lets the others run meanwhile."""
    call = {"http": "co_http_get", "sleep": "co_sleep", "usleep": "co_sleep", "nanosleep": "co_sleep"}.get(on)
    return f". Call {call} instead" if call else ", so take it out of there"


def slept(case: Case) -> Optional[Cause]:
    """It slept on when there was nothing to wait for any more."""
    start, result = case.trace.report("start"), case.trace.report("result")
    if not case.too_slow_by_numbers or not start or not result:
        return None
    last = max((request.end for request in case.trace.requests if request.end is not None), default=start["t"])
    asleep: dict[int, Event] = {}
    for event in case.trace.events:
        if event.get("ev") == "await" and event.get("on") == "sleep":
            asleep[event["task"]] = event
        elif event.get("ev") == "run" and event.get("task") in asleep:
            since = asleep.pop(event["task"])
            if last < event["t"] <= result["t"] and since.get("src"):
                there = f"the last answer was there after {show(last - start['t'])}" if case.trace.requests \
                    else "there was nothing to wait for"
                return Cause("slept",
                             f"{since['src']} sleeps for {show(event['t'] - since['t'])}, and {there}. "
                             "Do not guess how long it takes: co_join and co_await return as soon as the tasks have "
                             "ended", since["src"])
    return None


def one_after_another(case: Case) -> Optional[Cause]:
    """Fewer requests were under way at a time than there were requests."""
    trace = case.trace
    requests = _asked_for(trace)
    if len(requests) < 2 or not case.too_slow or case.serial_is_right or case.nobody_waits:
        return None
    peak = trace.peak
    late = next((request for request in requests if any(other.end is not None and other.end <= request.start
                                                        and other.op < request.op for other in requests)), None)
    if not late or case.numbers and case.happened - case.expected < late.ns // 2:
        return None         # or so little is too much that it is not a fetch that was waited for
    src, how = _held_by(trace, late)
    if peak > 1:
        text = f"only {peak} of the {len(requests)} requests were ever under way at once"
        return Cause("held", text + (f": {src} makes the others wait" if src else "")
                     + (". Let more of them in at a time, or take no lock (or semaphore) around a fetch"
                        if how == "lock" else
                        ". Start all of them before you wait"), src)
    if how == "same task":
        return Cause("sequential", f"one task fetches one URL after the other{f' at {src}' if src else ''}: "
                                   "start a task for each URL, then wait for all", src)
    if how == "lock":
        return Cause("sequential",
                     f"at {src} each task waits until the one before has fetched: "
                     "take no lock (or semaphore) around a fetch, or others cannot fetch meanwhile", src)
    return Cause("sequential", f"{src or 'the program'} waits for each fetch before the next one starts: "
                               "start all of them first, then wait", src)


def _asked_for(trace: Trace) -> list[Request]:
    """The requests but those that only follow a redirect: they are not the program's, and have to be one after the
    other."""
    found, before = [], {}      # type: list[Request], dict[int, Request]
    for request in trace.requests:
        led = before.get(request.task)
        if not (led and led.rc == 0 and led.status in (301, 302, 303, 307, 308) and led.end == request.start):
            found.append(request)
        before[request.task] = request
    return found


def _held_by(trace: Trace, late: Request) -> tuple[Optional[str], str]:
    """(place, how) of what kept a request from starting earlier: its own task's wait, or its spawner's."""
    before = [request for request in trace.requests if request.op < late.op]
    if any(request.task == late.task for request in before):
        return waits_of(trace, late) or waits_of(trace, before[-1]), "same task"
    held = last_await(trace, late.task, late, _HOLDING)
    if held:
        return held, "lock"
    task = trace.tasks.get(late.task)
    spawner = last_await(trace, task.by, late, ()) if task else None
    return spawner, "spawner"


def met(case: Case) -> Optional[Cause]:
    """Tasks waited for each other at a barrier."""
    if not case.too_slow:
        return None
    there: dict[int, Event] = {}
    longest: tuple[int, Optional[str]] = (0, None)
    for event in case.trace.events:
        if event.get("ev") == "await" and event.get("on") == "barrier":
            there[event["task"]] = event
        elif event.get("ev") == "run" and event.get("task") in there:
            since = there.pop(event["task"])
            longest = max(longest, (event["t"] - since["t"], since.get("src") or ""))
    ns, src = longest
    return Cause("barrier", f"at {src or 'a barrier'} whoever comes first waits for all others, here for {show(ns)}: "
                            "each must go on by itself. Take the barrier away", src or None) if ns else None


def rounds(case: Case) -> Optional[Cause]:
    """All that was started is waited for before more is started, again and again."""
    started: dict[int, int] = defaultdict(int)      # by each task, since it last waited for others
    waits: dict[tuple[int, str], int] = defaultdict(int)
    for event in case.trace.events if case.too_slow else ():
        if event.get("ev") == "spawn":
            started[event.get("by", 0)] += 1
        elif event.get("ev") == "await" and event.get("on") in ("group", "task", "wait") \
                and of_student(event.get("src")):
            waits[event["task"], event["src"]] += started.pop(event["task"], 0) > 0
    found = sorted(((times, src) for (_, src), times in waits.items() if times > 1), reverse=True)
    total = sum(times for times in waits.values())
    if not found and total < 2:
        return None
    src = found[0][1] if found else next(src for (_, src), times in waits.items() if times)
    return Cause("rounds", f"at {src} all that was started is waited for before anything else is started, "
                           f"{so_often(found[0][0] if found else total)}: start all workers at the beginning, and let "
                           "each take the next thing as soon as it is free", src)


def overlapped(case: Case) -> Optional[Cause]:
    """Quicker than it should be: at the same time where one after the other was asked for."""
    peak = case.trace.peak
    if not case.too_quick or not case.serial_is_right or peak < 2:
        return None
    task = case.trace.tasks.get(case.trace.requests[1].task)
    src = task.src if task else None
    return Cause("overlapped", f"{peak} requests were under way at once, but they are to run one after the other", src)


def limit(case: Case) -> Optional[Cause]:
    """More at once than allowed: the request that went over, and where its task was spawned."""
    if not isinstance(case.expected, int):
        return None
    now: set[int] = set()
    for event in case.trace.events:
        if event.get("ev") == "http.start":
            now.add(event["op"])
            if len(now) > case.expected:
                task = case.trace.tasks.get(event["task"])
                src = task.src if task else None
                return Cause("limit",
                             f"at {show(event['t'])} the request for {event['url']} was the {_nth(len(now))} under way"
                             f"{f' (its task was spawned at {src})' if src else ''}; at most {case.expected} may be",
                             src)
        elif event.get("ev") in ("http.end", "http.cancelled"):
            now.discard(event["op"])
    return None


def _nth(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
