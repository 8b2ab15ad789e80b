"""How a run of the student's program ended, if not as it should: in words, with the likely cause."""

from __future__ import annotations

import re
from typing import Optional, Sequence

from . import diagnosis, words
from .duration import show
from .failure import Cause, Failure, GraderFault
from .process import Outcome
from .sanitizer import Finding
from .text import cut
from .trace import Trace

_END = "the function returns, and the program runs to its end"

_LIMITS = {
    "cpu": "it was still computing when its processor time was up, and was stopped",
    "wall": "it did not end, and was stopped",
    "memory": "it wanted more memory than it may have, and was stopped",
    "output": "it printed without end, and was stopped",
    "file": "it went on and on (a file, or the record of what it did, grew without end), and was stopped",
    "threads": "it started threads or processes without end, and was stopped",
}

_LIMIT_CAUSES = {
    "memory": Cause("memory", "is something allocated in a loop that never ends, or many times larger than meant?"),
    "threads": Cause("threads", "tasks are all that is needed here: the loop runs them on one thread"),
}

_STUCK = {
    "deadlock": "at {t} every task was waiting, and nothing could happen any more",
    "livelock": "at {t} time stood still: tasks ran on and on without waiting for anything",
    "overflow": "at {t} a task ran out of stack",
    "crashed": "it crashed at {t}",
    "blocked for ever": "at {t} it stopped the loop for ever",
}


def failure(outcome: Outcome, trace: Optional[Trace], findings: Sequence[Finding] = ()) -> Optional[Failure]:
    """Why this run is a failure by itself, or None for one that ended well. trace: None = it wrote none.

    findings: what the sanitizers said of the same run; the best witness of a crash. Raises GraderFault when the
    program refused its arguments or its world, which are the grader's.
    """
    if outcome.limit:
        return Failure(_END, _LIMITS.get(outcome.limit, f"it was stopped at a limit ({outcome.limit})"),
                       _LIMIT_CAUSES.get(outcome.limit) or diagnosis.busy(trace))
    cause = diagnosis.stuck(trace) if trace else None
    if cause:
        witness = _witness(findings) if cause.kind == "crashed" else None
        return Failure(_END, _STUCK[cause.kind].format(t=show(_last_time(trace))), witness or cause)
    if outcome.signal:
        return Failure(_END, "it crashed", _witness(findings) or _assertion(outcome.stderr) or _at_last(trace, f"the program {diagnosis.signal_words(outcome.signal)}"))
    if outcome.exit == 2 and (trace is None or not trace.report("start")):
        raise GraderFault(f"the lab's program refused to start: {cut(outcome.stderr.strip() or 'it did not say why', 300)}")
    if trace is None or not trace.ended:
        return Failure(_END, f"it ended early, with exit code {outcome.exit}",
                       _at_last(trace, "something called exit(), or ended the program in another way, before the function had returned"))
    return None


def refusal(outcome: Outcome, trace: Trace) -> Optional[Failure]:
    """Why a run that came to its end is a failure all the same: the function returned an error. None: it did not."""
    if outcome.exit == 0:
        return None
    report = trace.report("result")
    rc = report["value"].get("rc") if report and isinstance(report["value"], dict) else None
    if isinstance(rc, int) and rc < 0:
        return Failure("the function returns 0", f"it returned {words.error(rc)}", diagnosis.find(diagnosis.Case(trace)))
    return Failure("the program ends with exit code 0", f"it ended with {outcome.exit}", diagnosis.find(diagnosis.Case(trace)))


def _witness(findings: Sequence[Finding]) -> Optional[Cause]:
    """The sanitizers' word on a crash; a leak is no reason to crash."""
    told = next((finding for finding in findings if "leak" not in finding.kind), None)
    return Cause("crashed", f"{told.src or 'the program'} {told.message}", told.src) if told else None


def _assertion(stderr: str) -> Optional[Cause]:
    """The C library's word on an assert() that did not hold."""
    found = re.search(r"([^\s/:]+\.c:\d+): [^\n]*Assertion `([^\n]*)' failed", stderr)
    return Cause("crashed", f"{found[1]}: the assertion ({cut(found[2], 80)}) does not hold", found[1]) if found else None


def _at_last(trace: Optional[Trace], text: str) -> Cause:
    """The cause, and which task was running."""
    ran = next((event for event in reversed(trace.events) if event.get("ev") == "run"), None) if trace else None
    task = trace.tasks.get(ran["task"]) if trace and ran else None
    if not task or task.number == 1:
        return Cause("early", text)
    return Cause("early", f"{text}; task {task.name}{f', spawned at {task.src},' if task.src else ''} was running", task.src)


def _last_time(trace: Trace) -> int:
    return trace.events[-1].get("t", 0) if trace.events else 0


