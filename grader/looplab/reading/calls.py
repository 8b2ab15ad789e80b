"""One call of several that a run made of the student's function: its share of the trace."""

from __future__ import annotations

from dataclasses import replace

from .trace import Trace


def _tasks(trace: Trace, root: int) -> set[int]:
    """A task and all that it, and they, have started."""
    mine = {root}
    for task in trace.tasks.values():       # in the order of their spawns
        if task.by in mine:
            mine.add(task.number)
    return mine


def share(trace: Trace, number: int) -> Trace:
    """What belongs to call `number` (sim/kit/calls.c counts from 1): its reports, and the lines of its task and of all
    tasks that came of it. Leaks stay those of the whole run."""
    roots = [task.number for task in trace.tasks.values()
             if task.name == "make_call" and (task.src or "").startswith("calls.c:")]
    mine = _tasks(trace, roots[number - 1]) if number <= len(roots) else set()
    return replace(trace, events=[event for event in trace.events if "task" not in event or event["task"] in mine],
                   requests=[request for request in trace.requests if request.task in mine],
                   finished=[request for request in trace.finished if request.task in mine],
                   tasks={key: task for key, task in trace.tasks.items() if key in mine},
                   reports=[report for report in trace.reports if isinstance(report["value"], dict)
                            and report["value"].get("call") == number])
