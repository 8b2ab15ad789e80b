"""How a run of the student's program ended, if not as it should: in words, with the likely cause."""

from __future__ import annotations

import re
from typing import Optional, Sequence

from ..plain import words
from ..plain.duration import show
from ..plain.failure import Cause, Failure, GraderFault
from ..plain.text import cut
from ..running.process import Outcome
from ..running.sanitizer import BOUNDS, LIFETIMES, UNSET, Finding
from . import diagnosis, forged, stuck
from .case import Case
from .trace import Task, Trace

_END = "the function returns, and the program runs to its end"

_LIMITS = {
    "cpu": "it was still computing when its processor time was up, and was stopped",
    "wall": "it did not end, and was stopped",
    "memory": "it wanted more memory than it may have, and was stopped",
    "output": "it printed without end, and was stopped",
    "file": "it went on and on (a file, or the record of what it did, grew without end), and was stopped",
    "threads": "it started threads or processes without end, and was stopped",
    "trace": "the record of what it did was damaged",
}

_LIMIT_CAUSES = {
    "memory": Cause("memory", "is something allocated in a loop that never ends, or many times larger than meant?"),
    "threads": Cause("threads", "tasks are all that is needed here: the loop runs them on one thread"),
    "trace": Cause("trace", "the kit writes it, through a descriptor of its own: does your program write to a "
                            "descriptor or a file that it did not open?"),
}

_STUCK = {
    "deadlock": "at {t} every task was waiting, and nothing could happen any more",
    "ring": "at {t} some tasks began to wait for each other in a ring, and nobody ended that",
    "endless": "at {t} it was still sleeping and waking, and nothing else could happen any more",
    "livelock": "at {t} time stood still: tasks ran on and on without waiting for anything",
    "overflow": "at {t} a task ran out of stack",
    "crashed": "it crashed at {t}",
    "blocked for ever": "at {t} it stopped the loop for ever",
}


def failure(outcome: Outcome, trace: Optional[Trace], findings: Sequence[Finding] = ()) -> Optional[Failure]:
    """Why this run is a failure by itself, or None for one that ended well. trace: None = it wrote none.

    findings: what the sanitizers said of the same run; the best witness of a crash. Raises GraderFault when the
    program refused its arguments, settings or world, which are the grader's.
    """
    if outcome.limit:
        return Failure(_END, _LIMITS.get(outcome.limit, f"it was stopped at a limit ({outcome.limit})"),
                       _LIMIT_CAUSES.get(outcome.limit) or stuck.busy(trace))
    cause = stuck.stuck(trace) if trace else None
    if cause:
        if cause.kind == "crashed":
            cause = _called_with(trace, _witness(findings, trace, cause.src) or cause)
        closed = _ring_closed(trace)
        if cause.kind == "deadlock" and closed is not None:
            return Failure(_END, _STUCK["ring"].format(t=show(closed)), cause)
        return Failure(_END, _STUCK[cause.kind].format(t=show(_last_time(trace))), cause)
    if outcome.signal:
        cause = _witness(findings, trace) or _assertion(outcome.stderr) \
            or _at_last(trace, f"the program {stuck.signal_words(outcome.signal)}")
        return Failure(_END, "it crashed", _called_with(trace, cause) if cause.kind == "crashed" else cause)
    if outcome.exit == 2 and "No space left on device" in outcome.stderr:       # not the machine's: Room has looked
        return Failure(_END, "it could not write down what it did: no space was left",
                       Cause("disk full", "does the program write files? It fills the disk with them"))
    if outcome.exit == 2 and (trace is None or trace.ended or not trace.report("start")):
        raise GraderFault("the lab's program refused to "
                          f"start: {cut(outcome.stderr.strip() or 'it did not say why', 300)}")
    if trace is None or not trace.ended:
        return early(outcome, trace)
    return forged.told("its beginning is reported more than once") if _begun_twice(trace) else None


def _begun_twice(trace: Trace) -> bool:
    """Is the beginning of one call reported more than once? main.c does it once: whoever does it again makes the time
    shorter that the call seems to take."""
    calls = [report["value"].get("call") if isinstance(report["value"], dict) else None for report in trace.reports
             if report["name"] == "start"]
    return any(call in calls[:index] for index, call in enumerate(calls))


def early(outcome: Outcome, trace: Optional[Trace]) -> Failure:
    """A program that ended before it should."""
    return Failure(_END, f"it ended early, with exit code {outcome.exit}",
                   _at_last(trace, "something called exit(), or ended the program in another way, before the function "
                                   "had returned"))


def refusal(outcome: Outcome, trace: Trace, asked: Sequence[str] = ()) -> Optional[Failure]:
    """Why a run that came to its end is a failure all the same: the function returned an error. None: it did not."""
    if outcome.exit == 0:
        return None
    report = trace.report("result")
    rc = report["value"].get("rc") if report and isinstance(report["value"], dict) else None
    if isinstance(rc, int) and rc < 0:
        return Failure("the function returns 0", f"it returned {words.error(rc)}",
                       diagnosis.find(Case(trace, asked, topic="refusal")))
    return Failure("the program ends with exit code 0", f"it ended with {outcome.exit}",
                   diagnosis.find(Case(trace, asked, topic="refusal")))


def _witness(findings: Sequence[Finding], trace: Optional[Trace], crashed_at: Optional[str] = None) -> Optional[Cause]:
    """The sanitizers' word on a crash; a leak is no reason to crash. crashed_at: where, as the trace tells it."""
    told = next((finding for finding in findings if "leak" not in finding.kind), None)
    if not told:
        return None
    more = ""
    if trace and told.kind in LIFETIMES:
        more = _begun(trace, told.within, told.kind == "use after scope")
    elif trace and told.kind in BOUNDS and _n(trace):
        more = (f" (the function was called with n = {_n(trace)}: is there room for n, "
                "and does every loop end with index n - 1?)")
        shared = _begun(trace, told.within, True)
        more += shared if "one and the same" in shared else ""
    elif told.kind in UNSET:
        more = " (was that pointer ever set?)"
    src = told.src
    if told.kind == "null pointer" and "calls a function" in told.message:
        src = src or crashed_at         # no stack leads from there to the call
        more = ": a function that nobody gave is NULL. Ask before you call it"
    return Cause("crashed", f"{src or 'the program'} {told.message}{more}", src)


def _begun(trace: Trace, name: str, same_place: bool) -> str:
    """Where the tasks of that function were started; same_place: all their jobs are one if they lie in one place."""
    tasks = [task for task in trace.tasks.values() if task.name == name and task.src]
    if not tasks:
        return ""
    alike = 1 + sum(same_place and task.src == tasks[0].src and task.job_of is not None for task in tasks)
    return f" ({tasks[0].src} gives one and the same job to {alike} tasks)" if alike > 1 \
        else f" ({name} was started at {tasks[0].src})"


def _n(trace: Optional[Trace]) -> Optional[int]:
    """How many URLs or items the function was called with, as main.c tells it."""
    starts = [report for report in trace.reports if report["name"] == "start"] if trace else []
    start = starts[0] if len(starts) == 1 else None             # of several calls: who knows which
    n = start["value"].get("n") if start and isinstance(start["value"], dict) else None
    return n if isinstance(n, int) else None


def _called_with(trace: Optional[Trace], cause: Cause) -> Cause:
    """The cause, and the clue that there was nothing to do, which no null pointer comes of."""
    return cause if _n(trace) != 0 or "null pointer" in cause.text else Cause(
        cause.kind,
        f"{cause.text} (the function was called with n = 0: no element is there, and n - 1 is a huge number)",
        cause.src)


def _running(trace: Optional[Trace]) -> Optional[Task]:
    """The task that ran last, unless it is the main one."""
    ran = next((event for event in reversed(trace.events) if event.get("ev") == "run"), None) if trace else None
    task = trace.tasks.get(ran["task"]) if trace and ran else None
    return task if task and task.number != 1 else None


def _assertion(stderr: str) -> Optional[Cause]:
    """The C library's word on an assert() that did not hold."""
    found = re.search(r"([^\s/:]+\.c:\d+): [^\n]*Assertion `([^\n]*)' failed", stderr)
    return Cause("crashed", f"{found[1]}: the assertion ({cut(found[2], 80)}) does not hold",
                 found[1]) if found else None


def _at_last(trace: Optional[Trace], text: str) -> Cause:
    """The cause, and which task was running."""
    task = _running(trace)
    if not task:
        return Cause("early", text)
    return Cause("early", f"{text}; task {task.name}{f', spawned at {task.src},' if task.src else ''} was running",
                 task.src)


def _ring_closed(trace: Trace) -> Optional[int]:
    """When a ring of waiting tasks closed beside which others went on; None: there is no such ring."""
    lines = [line for line in trace.of("deadlock", "runtime") if line.get("others")]
    return max(line["since"] for line in lines) if lines else None


def _last_time(trace: Trace) -> int:
    return trace.events[-1].get("t", 0) if trace.events else 0


