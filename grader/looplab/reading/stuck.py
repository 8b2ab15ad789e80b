"""Runs that came to no end: deadlock, livelock, an endless loop, a crash, a full stack, a call that blocks for ever."""

from __future__ import annotations

import signal
from collections import defaultdict
from typing import Any, Callable, Optional

from ..plain import words
from ..plain.failure import Cause
from ..plain.text import count
from .trace import Event, Trace

LIVELOCK_RUNS = 500     # so many turns at one instant, at the end of a run that was stopped, are no accident
FOR_EVER = 1 << 62      # ns: the runtime writes what is left of an int64_t


def stuck(trace: Trace) -> Optional[Cause]:
    """Why nothing could go on any more: deadlock, livelock, stack overflow, crash, as the trace tells it."""
    for event in reversed(trace.events):
        told = _ENDINGS.get(event.get("ev", ""))
        cause = told(trace, event) if told and event.get("from") == "runtime" else None
        if cause:
            return cause
    return None


def _deadlock(trace: Trace, last: Event) -> Cause:
    lines = trace.of("deadlock", "runtime")
    holds = {line["task"]: line.get("holder") for line in lines}
    first = next((line for line in lines if _in_cycle(line["task"], holds)), None)
    if first is None:
        waiters = [line for line in lines if line.get("on") not in ("task", "group", "wait")]
        first = next((line for line in lines if line.get("on") == "barrier"), (waiters or lines)[0])
        alike: dict[tuple, list[Event]] = defaultdict(list)     # who waits in the same place for the same is told once
        for line in [first] + [line for line in lines if line is not first]:
            known = trace.tasks.get(line["task"])
            alike[known.name if known else line["task"], line.get("src"), line.get("on")].append(line)
        names = ", ".join(_waiting(trace, some[0], len(some)) for some in list(alike.values())[:3])
        return Cause("deadlock", f"nothing can ever happen again: {names}", first.get("src"))
    cycle, task = [], first["task"]
    while task not in cycle:
        cycle.append(task)
        task = holds[task]
    by_task = {line["task"]: line for line in lines}
    told = "; ".join(_waiting(trace, by_task[one]) + _of_whom(trace, by_task[one]) for one in cycle[:4])
    return Cause("deadlock", f"they wait for each other in a ring: {told}", first.get("src"))


def _in_cycle(task: int, holds: dict[int, Optional[int]]) -> bool:
    """Does following the holders lead back to the task?"""
    seen, at = set(), holds.get(task)
    while at in holds and at not in seen:
        if at == task:
            return True
        seen.add(at)
        at = holds[at]
    return False


def _name(trace: Trace, task: Optional[int]) -> str:
    known = trace.tasks.get(task or 0)
    return f"{known.name} (task {task})" if known else f"task {task}"


def _waiting(trace: Trace, line: Event, times: int = 1) -> str:
    """What a stuck task waits for; times: and so many altogether, of the same function, in the same place."""
    at = f" at {line['src']}" if line.get("src") else ""
    who = f"{_name(trace, line['task'])} waits" if times == 1 else f"{_name(trace, line['task'])} " \
        f"and {count(times - 1, 'other')} wait"
    return f"{who}{at} for {words.wait(line.get('on', '?'))}"


def _of_whom(trace: Trace, line: Event) -> str:
    """Whom a stuck task would need to go on."""
    who = _name(trace, line.get("holder"))
    return f", which {who} holds" if line.get("on") == "lock" else f", namely {who}" if line.get("holder") else ""


def _livelock(trace: Trace, line: Event) -> Cause:
    src = line.get("src")
    if any(event["task"] == line.get("task") and event.get("why") != "timeout"
           for event in trace.of("cancel", "runtime")):
        return Cause("livelock",
                     f"{_name(trace, line.get('task'))} was cancelled, so every call in it that waits returns "
                     f"-ECANCELED at once, again and again{f', the one at {src}, too' if src else ''}: "
                     "leave the loop, clean up, and return it", src)
    return Cause("livelock", f"{src or _name(trace, line.get('task'))} goes round and round while time stands still"
                             + (f" ({line['steps']:,} steps)" if "steps" in line else "")
                             + ": wait for something that takes time, or for another task; "
                               "co_yield() only lets the others run", src)


def _endless(trace: Trace, line: Event) -> Cause:
    src = line.get("src")
    at = f" at {src}" if src else ""
    return Cause("endless", f"{_name(trace, line.get('task'))} sleeps{at} and wakes without end "
                            f"({line['moves']:,} moves of the clock, and nothing came from outside): "
                            "who tells it to stop?", src)


def _overflow(trace: Trace, line: Event) -> Cause:
    src, at, size = line.get("src"), line.get("at"), line.get("size")
    name = line.get("name") or _name(trace, line.get("task"))
    return Cause("overflow", f"{f'{at}, in {name},' if at else name} needs more stack than "
                             f"{f'the {size // 1024} KiB' if isinstance(size, int) else 'what'} a task has"
                             f"{f' (spawned at {src})' if src and not at else ''}: a large array, "
                             "or a recursion that is too deep? Use malloc", at or src)


def _crash(trace: Trace, line: Event) -> Cause:
    src = line.get("src")
    return Cause("crashed", f"{src or 'the program'} {signal_words(_signal_name(line.get('signal')))}", src)


def _signal_name(number: Any) -> str:
    """"SIGSEGV" for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def signal_words(name: str) -> str:
    """What a signal says about the program: "reads or writes memory that is not its own (SIGSEGV)"."""
    said = {"SIGSEGV": "reads or writes memory that is not its own",
            "SIGBUS": "reads or writes memory that is not there",
            "SIGFPE": "divides an integer by zero", "SIGABRT": "gives up (abort, or a failed assert)",
            "SIGILL": "runs into something that is no code",
            "SIGSYS": "makes a system call that is not allowed here"}.get(name)
    return f"{said} ({name})" if said else f"is ended by {name}"


def _block(trace: Trace, line: Event) -> Optional[Cause]:
    """Only a block without end ends a program."""
    if line["ns"] < FOR_EVER:
        return None
    src = line.get("src")
    return Cause("blocked for ever", f"{src or 'the program'} would stop the whole loop for ever: "
                                     f"nothing else can run, so nothing can end {words.call(line.get('on', '?'))}()",
                 src)


def busy(trace: Optional[Trace]) -> Cause:
    """What a program was at when it had to be stopped: the task that ran last, and where it had waited before."""
    last = trace.events[-1] if trace and trace.events else {}
    if last.get("ev") == "crash" and last.get("signal") == signal.SIGXCPU and last.get("src"):
        return Cause("endless",
                     f"{last['src']} is in a loop that never ends, and in which nothing is waited for: while it runs, "
                     "time stands still, and no answer can come", last["src"])
    ran = [event for event in trace.events if event.get("ev") == "run"
           and event.get("from") == "runtime"] if trace else []
    if not trace or not ran:
        return Cause("endless",
                     "a loop that never ends, and in which nothing is waited for? While it runs, time stands still: "
                     "no answer can come")
    task = ran[-1]["task"]
    waited = next((line for line in reversed(trace.events) if line.get("ev") == "await" and line.get("task") == task),
                  None)
    src = waited.get("src") if waited else None
    if len(ran) > LIVELOCK_RUNS and ran[0]["t"] == ran[-1]["t"]:
        return _livelock(trace, {"src": src, "task": task})
    return Cause("endless", f"{_name(trace, task)} was running"
                            + (f"; it last waited at {src}" if src else ", and had not waited for anything yet")
                            + ". Is there a loop that never ends?", src)


_ENDINGS: dict[str, Callable[[Trace, Event], Optional[Cause]]] = {
    "block": _block, "deadlock": _deadlock, "livelock": _livelock, "endless": _endless,
    "overflow": _overflow, "crash": _crash}
