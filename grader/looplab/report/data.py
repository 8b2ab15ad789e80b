"""A subject as the JSON that the page's script draws from: short keys, strings by number, so that a usual run stays
small.

    strings   the table; every other string below is an index into it
    runs      one or two: {name, end, lanes, wakes, flight, events}
    lanes     [name, task, spawned at, ending, rc, cancelled ns or -1, cancelled why, spans, what tells it apart from
              others of its name, the same in short]
    spans     [state, start ns, length ns, first event, events, text, line of the student's file or 0]
    events    [ns since the last event, task, text, line]
    wakes     [event, by, task]; flight [[ns, n], …]
    parts     {t, mine, other, from, to, zoom} or null: where the two runs part, the stretch of time around it, and
              whether the page begins with no more than that
"""

from __future__ import annotations

import json
from typing import Any, Optional

from ..plain import words
from ..plain.duration import show
from ..reading.trace import Event
from . import labels, timeline as shape
from .subject import Subject
from .timeline import Lane, Span, Timeline

STATES = (shape.READY, shape.RUNNING, shape.WAITING, shape.BLOCKED)
ENDINGS = (shape.DONE, shape.FAILED, shape.CANCELLED, shape.LEAKED, shape.OPEN)


def script_json(subject: Subject) -> str:
    """The JSON, safe inside a <script>: no "<" in it."""
    table = _Strings()
    runs = [_run("your run", subject.mine, table, subject.source_name)]
    if subject.reference:
        runs.append(_run("reference", subject.reference, table, None))
    data = {"runs": runs, "parts": _parts(subject), "strings": table.all}
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _parts(subject: Subject) -> Optional[dict[str, Any]]:
    parts, part = subject.divergence, subject.part
    return {"t": parts.t, "mine": parts.index, "other": parts.other, "from": part.start, "to": part.end,
            "zoom": part.needed} if parts and part else None


class _Strings:
    """Each string once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append(text)
        return self._numbers[text]


def _run(name: str, timeline: Timeline, table: _Strings, source: Optional[str]) -> dict[str, Any]:
    events, then = [], 0
    urls = {request.op: request.url for request in timeline.trace.requests}
    for event in timeline.trace.events:
        t = event.get("t", then)
        events.append([t - then, event.get("task", 0), table.number(told(event, urls)),
                       _line(event.get("src"), source)])
        then = t
    tells = labels.find(timeline.lanes)
    return {"name": name, "end": timeline.end, "events": events,
            "lanes": [_lane(lane, tells.get(lane.task, labels.Tell()), table, source) for lane in timeline.lanes],
            "wakes": [[wake.index, wake.by, wake.task] for wake in timeline.wakes if wake.by],
            "flight": [list(step) for step in timeline.flight]}


def _lane(lane: Lane, tell: labels.Tell, table: _Strings, source: Optional[str]) -> list:
    return [table.number(lane.name), lane.task, table.number(lane.src or ""), ENDINGS.index(lane.ending), lane.rc or 0,
            -1 if lane.cancelled_at is None else lane.cancelled_at, table.number(lane.cancelled_why),
            [[STATES.index(span.state), span.start, span.ns, span.first, span.last - span.first,
              table.number(_doing(span)),
              _line(span.src, source)] for span in lane.spans], table.number(tell.full), table.number(tell.short)]


def _doing(span: Span) -> str:
    if span.state == shape.WAITING:
        return f"waits for {span.url or words.wait(span.on)}"
    if span.state == shape.BLOCKED:
        return f"blocks the loop: {words.call(span.on)}"
    return "runs" if span.state == shape.RUNNING else "could run"


def _line(src: Optional[str], source: Optional[str]) -> int:
    """The line number, if it is one of the student's file."""
    name, _, number = (src or "").partition(":")
    return int(number) if name == source and number.isdigit() else 0


def told(event: Event, urls: dict[int, str]) -> str:
    """An event in words, without its time: a row of the event table."""
    ev, src = event.get("ev", "?"), f" ({event['src']})" if event.get("src") else ""
    if ev == "spawn":
        return f"task {event['task']} {event['name']} is spawned{src}"
    if ev == "await":
        what = urls.get(event.get("op", 0)) or words.wait(event.get("on", ""))
        return f"waits for {what}{src}"
    if ev == "ready":
        return "is ready: woken by " + (f"task {event['by']}" if event.get("by") else "the loop")
    if ev == "run":
        return "runs"
    if ev == "done":
        return f"ends with {words.error(event.get('rc', 0))}"
    if ev == "cancel":
        return f"is cancelled ({event.get('why', '')}){src}"
    if ev == "block":
        return f"blocks the loop for {show(event['ns'])} in {words.call(event.get('on', ''))}{src}"
    if ev.startswith("http."):
        return _http(ev, event, urls.get(event.get("op", 0), ""))
    rest = " ".join(f"{key}={_short(value)}" for key, value in event.items() if key not in ("t", "from", "ev", "task",
                                                                                            "src"))
    return f"{ev} {rest}{src}".strip()


def _http(ev: str, event: Event, url: str) -> str:
    if ev == "http.start":
        return f"{event.get('method', 'GET')} {url}"
    if ev == "http.connected":
        return f"{'uses' if event.get('reused') else 'opens'} connection {event.get('conn')} for {url}"
    if ev == "http.end":
        said = f"status {event.get('status', 0)}, {event.get('bytes', 0):,} bytes" if not event.get("rc") \
            else words.error(event["rc"])
        return f"answer of {url}: {said}"
    if ev == "http.cancelled":
        return f"{url} is given up"
    return f"connection {event.get('conn', '?')} is closed"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return text if len(text) <= 80 else text[:79] + "…"

