"""The run as Trace Event JSON, which Perfetto and chrome://tracing read. Times there are microseconds.

Facts about the format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event
Format). Slices are "X" events (complete), arrows are flows ("s" to "f", bound to the slices they begin and end in), the
requests in flight are a counter ("C"), and names of lanes are metadata ("M").
"""

from __future__ import annotations

import json

from . import labels, timeline as shape
from .timeline import Lane, Span, Timeline

PROCESS = 1


def render(timeline: Timeline) -> str:
    """The whole file, one event a line."""
    events = _names(timeline)
    for lane in timeline.lanes:
        events += [_slice(lane, span) for span in lane.spans]
        if lane.cancelled_at is not None:
            events.append({"name": f"cancel ({lane.cancelled_why})", "cat": "cancel", "ph": "i", "s": "t",
                           "pid": PROCESS,
                           "tid": lane.task, "ts": _us(lane.cancelled_at)})
    events += _flows(timeline)
    events += [{"name": "requests in flight", "ph": "C", "pid": PROCESS, "ts": _us(t), "args": {"requests": now}}
               for t, now in timeline.flight]
    body = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    return f'{{"displayTimeUnit":"ms","traceEvents":[\n{body}\n]}}\n'


def _us(ns: int) -> float:
    return ns / 1000


def _names(timeline: Timeline) -> list[dict]:
    program = timeline.trace.header.get("program", "program")
    events = [{"name": "process_name", "ph": "M", "pid": PROCESS, "tid": 0, "args": {"name": program}}]
    tells = labels.find(timeline.lanes)
    for order, lane in enumerate(timeline.lanes):
        tell = tells.get(lane.task, labels.Tell()).full
        events.append({"name": "thread_name", "ph": "M", "pid": PROCESS, "tid": lane.task,
                       "args": {"name": f"task {lane.task} {lane.name} {tell}".rstrip()}})
        events.append({"name": "thread_sort_index", "ph": "M", "pid": PROCESS, "tid": lane.task,
                       "args": {"sort_index": order}})
    return events


def _slice(lane: Lane, span: Span) -> dict:
    what = {shape.WAITING: f"waits: {span.on}", shape.BLOCKED: f"blocks the loop: {span.on}"}.get(span.state,
                                                                                                  span.state)
    more = {key: value for key, value in (("src", span.src), ("url", span.url)) if value}
    return {"name": what, "cat": span.state, "ph": "X", "pid": PROCESS, "tid": lane.task, "ts": _us(span.start),
            "dur": _us(span.ns),
            "args": more}


def _flows(timeline: Timeline) -> list[dict]:
    """An arrow from each task that woke another one to the one it woke; the loop has no lane to begin one in."""
    events = []
    there = {lane.task for lane in timeline.lanes}
    for number, wake in enumerate(timeline.wakes, start=1):
        if wake.by in there and wake.task in there and wake.by != wake.task:
            both = {"name": "wakes", "cat": "wake", "id": number, "pid": PROCESS, "ts": _us(wake.t)}
            events += [{**both, "ph": "s", "tid": wake.by}, {**both, "ph": "f", "bp": "e", "tid": wake.task}]
    return events
