"""Traces made by hand, for the grader's own tests: one call a line, in the order in which things happen."""

from __future__ import annotations

import json
from typing import Any, Optional

from looplab.reading.trace import Trace, read

OK = {"error": 0, "status": 200, "length": 5}
MS = 1_000_000


class Story:
    """Times are whole ms. main is task 1."""

    def __init__(self, seed: int = 7):
        self.lines = [json.dumps({"trace": "looplab/trace/v1", "program": "01-sync-vs-async", "seed": seed},
                                 separators=(",", ":"))]
        self.runtime(0, "spawn", task=1, name="async", by=0)

    def _line(self, ms: float, source: str, ev: str, fields: dict[str, Any]) -> "Story":
        fields = {key.rstrip("_"): value for key, value in fields.items() if value is not None}
        self.lines.append(json.dumps({"t": int(ms * MS), "from": source, "ev": ev, **fields}, separators=(",", ":")))
        return self

    def runtime(self, ms: float, ev: str, **fields: Any) -> "Story":
        return self._line(ms, "runtime", ev, fields)

    def world(self, ms: float, ev: str, **fields: Any) -> "Story":
        return self._line(ms, "world", ev, fields)

    def begin(self, n: int = 0) -> "Story":
        return self.world(0, "report", name="start", value={"mode": "async", "n": n})

    def spawn(self, ms: float, task: int, src: Optional[str] = "compare.c:30", by: int = 1, name: str = "fetch_one",
              job_of: Optional[int] = None) -> "Story":
        return self.runtime(ms, "spawn", task=task, name=name, src=src, by=by, job_of=job_of)

    def wait(self, ms: float, task: int, on: str, src: Optional[str], op: Optional[int] = None) -> "Story":
        return self.runtime(ms, "await", task=task, on=on, src=src, op=op)

    def get(self, ms: float, op: int, task: int, url: str, src: str = "compare.c:20",
            blocking: bool = False) -> "Story":
        """A request is made, and its task waits for it."""
        self.world(ms, "http.start", op=op, task=task, url=url, method="GET", blocking=1 if blocking else None)
        return self if blocking else self.wait(ms, task, "http", src, op)

    def got(self, ms: float, op: int, rc: int = 0, status: int = 200, bytes: int = 5,
            cpu: Optional[int] = None) -> "Story":
        return self.world(ms, "http.end", op=op, rc=rc, status=status, bytes=bytes, cpu=cpu)

    def result(self, ms: float, results: Any = (), rc: int = 0, **more: Any) -> "Story":
        return self.world(ms, "report", name="result", value={"rc": rc, "results": list(results), **more})

    def end(self, ms: float, rc: int = 0) -> "Story":
        return self.runtime(ms, "end", rc=rc)

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def trace(self) -> Trace:
        return read(self.text())


def overlapped(urls: list[str], took: list[float], results: Any = None) -> Story:
    """What a right fetch_async does: a task a URL, all at once, then the wait for all. took: ms each."""
    story = Story().begin(len(urls))
    for i, url in enumerate(urls):
        story.spawn(0, i + 2)
    story.wait(0, 1, "group", "compare.c:35")
    for i, url in enumerate(urls):
        story.runtime(0, "run", task=i + 2).get(0, i + 1, i + 2, url)
    for ms, i in sorted((ms, i) for i, ms in enumerate(took)):
        story.got(ms, i + 1).runtime(ms, "done", task=i + 2, rc=0)
    last = max(took, default=0)
    return story.result(last, [OK] * len(urls) if results is None else results).end(last)


def one_by_one(urls: list[str], took: list[float], awaits: str = "compare.c:31") -> Story:
    """Each task awaited right after its spawn."""
    story, now = Story().begin(len(urls)), 0.0
    for i, (url, ms) in enumerate(zip(urls, took)):
        story.spawn(now, i + 2).wait(now, 1, "task", awaits).runtime(now, "run", task=i + 2).get(now, i + 1, i + 2, url)
        now += ms
        story.got(now, i + 1).runtime(now, "done", task=i + 2, rc=0)
    return story.result(now, [OK] * len(urls)).end(now)


def blocking(urls: list[str], took: list[float], src: str = "compare.c:22", task: int = 1) -> Story:
    """http_get_blocking, one after the other."""
    story, now = Story().begin(len(urls)), 0.0
    for i, (url, ms) in enumerate(zip(urls, took)):
        story.get(now, i + 1, task, url, blocking=True)
        now += ms
        story.got(now, i + 1).runtime(now, "block", task=task, ns=int(ms * MS), on="http", src=src)
    return story.result(now, [OK] * len(urls)).end(now)
