"""A trace, read: requests, tasks, files, jobs, reports. The world's lines prove, the runtime's lines explain."""

from __future__ import annotations

import errno
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Iterator, Optional

from ..plain.duration import Duration
from .sound import first_distorted, is_sound

Event = dict
FORMAT = "looplab/trace/v1"


class TraceError(ValueError):
    """A trace that is not one; the message names the line."""


@dataclass
class Request:
    """One HTTP exchange, as the world saw it. Times are ns; None: it never came to that."""

    op: int
    task: int
    url: str
    method: str
    start: int
    blocking: bool
    session: Optional[int] = None   # its number; None: a connection of its own
    connected: Optional[int] = None
    conn: Optional[int] = None
    reused: bool = False
    end: Optional[int] = None
    rc: Optional[int] = None        # 0: an answer; a negative errno; -ETIMEDOUT: its time was up; -ECANCELED: given up
    status: int = 0
    bytes: int = 0
    cpu: int = 0                    # what its answer costs the program itself
    abandoned: bool = False         # was it cancelled, for whatever reason, before the world had answered?
    timeout_src: Optional[str] = None   # whose time was up: where that timeout began ("http.c:…": the kit's own 30 s)

    @property
    def failed(self) -> bool:
        """Did it end without an answer, by the world's doing or for want of time?"""
        return self.rc is not None and self.rc < 0 and self.rc != -errno.ECANCELED

    @property
    def given_up(self) -> bool:
        """Was it cancelled because its task was, and not because its own time was up?"""
        return self.rc == -errno.ECANCELED

    @property
    def ns(self) -> Duration:
        """How long it was under way; 0 if it never ended."""
        return Duration(0 if self.end is None else self.end - self.start)


@dataclass
class Task:
    """A task, as the runtime told of it."""

    number: int
    name: str
    src: Optional[str]              # where it was spawned
    by: int                         # who spawned it; 0 = nobody
    t: int
    done: Optional[int] = None
    rc: Optional[int] = None
    job_of: Optional[int] = None    # the task spawned just before, which had not begun yet, was given the same job


@dataclass
class FileOp:
    """One call to the disk, as the world saw it. Times are ns; what it does happens at its end."""

    op: int
    task: int
    call: str                       # "open", "read", "write", "save", "rename", …
    path: str
    start: int
    to: Optional[str] = None        # of a rename
    mode: Optional[str] = None      # of an open
    end: Optional[int] = None       # None: it never ended
    rc: Optional[int] = None        # 0 or more: done; a negative errno; -ECANCELED: given up, nothing was done
    bytes: int = 0
    closed: Optional[int] = None    # of an open: when its file was closed


@dataclass
class DbCall:
    """One call to a database, as the world saw it. Times are ns."""

    op: int
    task: int                       # 0: nobody waited for it
    call: str                       # "connect", "query", "prepare", "fetch", "begin", "commit", "rollback"
    db: int                         # over which connection: the op of its connect
    sql: str
    start: int
    locked: Optional[int] = None    # when it came to wait for another connection's writing
    end: Optional[int] = None       # None: it never ended
    rc: Optional[int] = None        # 0 or more: rows changed; a negative errno; -ECANCELED: given up
    says: str = ""                  # the database's words, with an error


@dataclass
class Said:
    """What a client of the world file did, or saw, at a time (ns)."""

    t: int
    client: str
    did: str                        # "connected", "refused", "sent", "got", "closed", "lost", "left", "wrong", "done"
    what: str = ""                  # "request", "answer", "text" ...: the schema of traces says which
    text: Optional[str] = None      # None: none, or too long for a trace
    number: Optional[int] = None    # the status of an answer, the code of a close


@dataclass
class Job:
    """One job for a worker. Times are ns; None: it never came to that."""

    op: int
    task: int
    pool: Optional[int]             # the number of the CO_POOL; None: the CPUs
    submit: int
    start: Optional[int] = None
    end: Optional[int] = None
    worker: Optional[int] = None
    ns: int = 0                     # how long it computed
    calls: int = 1                  # in how many pieces (co_cpu); the virtual world tells
    rc: Optional[int] = None        # what it returned; -ECANCELED: given up before a worker was free


@dataclass(frozen=True)
class Block:
    """The loop stood still: nothing else could run."""

    t: int                          # when it began
    ns: Duration
    on: str                         # the call: "http" = http_get_blocking, "cpu" = co_cpu, "sleep", "poll", …
    src: Optional[str]
    task: int


@dataclass(frozen=True)
class Leak:
    what: str                       # "task", "response", "lock", "group"
    src: Optional[str]
    task: int = 0
    name: str = ""


@dataclass
class Trace:
    """What a run wrote. `events` are its lines after the first, in their order."""

    header: Event
    events: list[Event]
    cut: bool = False                                   # the last line is only half there
    requests: list[Request] = field(default_factory=list)   # in the order they were asked for
    tasks: dict[int, Task] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)
    files: list[FileOp] = field(default_factory=list)       # calls to the disk, in the order they were made
    # path -> text, or a hash, of each file that the program left behind
    left: dict[str, str] = field(default_factory=dict)
    db_calls: list[DbCall] = field(default_factory=list)    # calls to databases, in the order they were made
    # url -> table -> rows, of each database in which something was changed; None: too many rows
    tables: dict[str, dict[str, Optional[list[list]]]] = field(default_factory=dict)
    db_lost: dict[int, int] = field(default_factory=dict)   # connection -> ns at which it broke
    said: list[Said] = field(default_factory=list)          # of clients that come to a server, in order
    jobs: list[Job] = field(default_factory=list)           # for workers, in the order they were handed over
    closed: dict[int, int] = field(default_factory=dict)    # connection -> ns at which it was closed
    reports: list[Event] = field(default_factory=list)      # the world's report lines: t, name, value
    # those that ended, in the order they ended; without those given up
    finished: list[Request] = field(default_factory=list)
    _cancels: dict[int, Event] = field(default_factory=dict)    # task -> the line of its last cancel
    _files: dict[int, FileOp] = field(default_factory=dict)     # op -> call
    _db_calls: dict[int, DbCall] = field(default_factory=dict)  # op -> call
    _jobs: dict[int, Job] = field(default_factory=dict)         # op -> job

    @property
    def ended(self) -> bool:
        """Did the program run to its end by itself?"""
        return bool(self.events) and self.events[-1].get("ev") == "end" and self.events[-1].get("from") == "runtime"

    def of(self, ev: str, source: str) -> list[Event]:
        """All lines of one event from "world" or "runtime"."""
        return [event for event in self.events if event.get("ev") == ev and event.get("from") == source]

    def report(self, name: str) -> Optional[Event]:
        """The last report line of that name, or None."""
        return next((report for report in reversed(self.reports) if report["name"] == name), None)

    def cancel_of(self, request: Request) -> Event:
        """The line of the cancel that gave up a request; {} without one."""
        return next((event for event in reversed(self.of("cancel", "runtime"))
                     if event["task"] == request.task and event["t"] <= (request.end or 0)), {})

    def in_flight(self) -> list[tuple[int, int]]:
        """(ns, requests under way) after every change, in order."""
        steps, now = [], 0
        for event in self.events:
            change = _FLIGHT.get(event.get("ev", "")) if event.get("from") == "world" else None
            if change:
                now += change
                steps.append((event["t"], now))
        return steps

    @property
    def peak(self) -> int:
        """The most requests under way at once."""
        return max((now for _, now in self.in_flight()), default=0)

    @property
    def opened(self) -> int:
        """How many connections were opened."""
        return len({request.conn for request in self.requests if request.conn is not None and not request.reused})

    @property
    def took(self) -> Optional[int]:
        """ns from the call of the student's function to its return; None where main.c did not report both."""
        start, result = self.report("start"), self.report("result")
        return result["t"] - start["t"] if start and result else None

    def blocks(self) -> list[Block]:
        """Each time the program made the loop stand still; the price of an answer (a route's cpu) is not the program's
        doing."""
        costs = Counter((request.task, request.cpu) for request in self.requests if request.cpu)
        blocks = []
        for event in self.of("block", "runtime"):
            key = event.get("task", 0), event["ns"]
            if event.get("on") == "cpu" and costs[key] > 0:
                costs[key] -= 1
            else:
                begin = event["t"] - event["ns"] if event["ns"] <= event["t"] else event["t"]
                blocks.append(Block(begin, Duration(event["ns"]), event.get("on", "?"), event.get("src"),
                                    event.get("task", 0)))
        return blocks


_FLIGHT = {"http.start": 1, "http.end": -1, "http.cancelled": -1}


def read(text: str) -> Trace:
    """The trace in `text`. Half a last line (the program was killed) is left out. Raises TraceError."""
    lines = text.split("\n")
    cut = bool(lines.pop())
    events = list(_objects(lines))
    if not events or events[0].get("trace") != FORMAT:
        raise TraceError(f"line 1: expected the header of a {FORMAT}")
    trace = Trace(events[0], events[1:], cut)
    distorted = first_distorted(trace.events, text)
    if distorted:
        index, key = distorted
        raise TraceError(f"line {index + 2}: {trace.events[index].get('ev')!r} lacks or distorts {key!r}")
    running: dict[int, Request] = {}
    for number, event in enumerate(trace.events, start=2):
        try:
            _take(trace, running, event)
        except (KeyError, TypeError, AttributeError) as fault:
            raise TraceError(f"line {number}: {event.get('ev')!r} lacks or distorts {fault}") from None
    return trace


def read_cut(head: str, tail: str) -> Trace:
    """What can be told of a run that was stopped: its tasks from the trace's first bytes, its last events from its last
    ones.

    head and tail may begin and end in the middle of a line, and may be the same; what is not as the kit writes it is
    left out, and requests are not collected. Raises TraceError without a header.
    """
    lines = head.split("\n")[:-1]
    first = [event for event in map(_lenient, lines) if event]
    if not first or first[0].get("trace") != FORMAT:
        raise TraceError(f"line 1: expected the header of a {FORMAT}")
    first[1:] = filter(is_sound, first[1:])
    last = [event for event in map(_lenient, tail.split("\n")[1:-1]) if event and ("trace" in event or is_sound(event))]
    trace = Trace(first[0], last, cut=True)
    for event in first[1:] + last:
        if event.get("ev") in ("spawn", "report"):
            try:
                _take(trace, {}, event)
            except (KeyError, TypeError):
                pass
    return trace


def _lenient(line: str) -> Optional[Event]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _objects(lines: list[str]) -> Iterator[Event]:
    """The lines as JSON objects: all at once, as that is quickest; one by one when that fails, to name the line."""
    try:
        events = json.loads("[" + ",".join(lines) + "]")
        if len(events) == len(lines) and all(type(event) is dict for event in events):
            return iter(events)
    except (ValueError, RecursionError):
        pass
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise TraceError(f"line {number}: expected a JSON object")
        events.append(event)
    return iter(events)


def _take(trace: Trace, running: dict[int, Request], event: Event) -> None:
    """Files one event where it belongs."""
    ev = event["ev"]
    if event["from"] == "world":
        if ev == "http.start":
            request = Request(event["op"], event["task"], event["url"], event.get("method", "GET"), event["t"],
                              bool(event.get("blocking")), event.get("session"))
            running[event["op"]] = request
            trace.requests.append(request)
        elif ev == "http.connected":
            request = running[event["op"]]
            request.connected, request.conn, request.reused = event["t"], event["conn"], bool(event.get("reused"))
        elif ev == "http.end":
            request = running.pop(event["op"])
            request.end, request.rc, request.status = event["t"], event["rc"], event.get("status", 0)
            request.bytes, request.cpu = event.get("bytes", 0), event.get("cpu", 0)
            trace.finished.append(request)
        elif ev == "http.cancelled":
            request = running.pop(event["op"])
            request.end, request.abandoned = event["t"], True
            _cancelled(trace, request)
            if not request.given_up:
                trace.finished.append(request)
        elif ev == "http.closed":
            trace.closed[event["conn"]] = event["t"]
        elif ev.startswith("file."):
            _take_file(trace, event)
        elif ev.startswith("db."):
            _take_db(trace, event)
        elif ev.startswith("client."):
            trace.said.append(Said(event["t"], event["client"], ev[7:], event.get("what", ""), event.get("text"),
                                   event.get("status", event.get("code"))))
        elif ev.startswith("cpu.") and "op" in event:
            _take_job(trace, event)
        elif ev == "report":
            trace.reports.append({"t": event["t"], "name": event["name"], "value": event["value"]})
    elif ev == "spawn":
        trace.tasks[event["task"]] = Task(event["task"], event["name"], event.get("src"), event.get("by", 0),
                                          event["t"],
                                         job_of=event.get("job_of"))
    elif ev == "done" and event["task"] in trace.tasks:
        task = trace.tasks[event["task"]]
        task.done, task.rc = event["t"], event.get("rc")
    elif ev == "cancel":
        trace._cancels[event["task"]] = event
    elif ev == "leak":
        trace.leaks.append(Leak(event["what"], event.get("src"), event.get("task", 0), event.get("name", "")))


def _take_file(trace: Trace, event: Event) -> None:
    """Files a line about the disk."""
    ev = event["ev"]
    if ev == "file.start":
        call = FileOp(event["op"], event["task"], event["call"], event["path"], event["t"], event.get("to"),
                      event.get("mode"))
        trace.files.append(call)
        trace._files[call.op] = call
    elif ev == "file.left":
        trace.left[event["path"]] = event["text"] if "text" in event else event["hash"]
    elif ev == "file.closed":
        trace._files[event["op"]].closed = event["t"]
    else:
        call = trace._files[event["op"]]
        call.end, call.rc, call.bytes = event["t"], event.get("rc", -errno.ECANCELED), event.get("bytes", 0)


def _take_db(trace: Trace, event: Event) -> None:
    """Files a line about a database."""
    ev = event["ev"]
    if ev == "db.start":
        call = DbCall(event["op"], event.get("task", 0), event["call"], event.get("db", event["op"]),
                      event.get("sql", ""), event["t"])
        trace.db_calls.append(call)
        trace._db_calls[call.op] = call
    elif ev == "db.locked":
        trace._db_calls[event["op"]].locked = event["t"]
    elif ev == "db.lost":
        trace.db_lost[event["db"]] = event["t"]
    elif ev == "db.left":
        trace.tables.setdefault(event["url"], {})[event["table"]] = event.get("rows")
    elif ev in ("db.end", "db.cancelled"):
        call = trace._db_calls[event["op"]]
        call.end, call.rc, call.says = event["t"], event.get("rc", -errno.ECANCELED), event.get("says", "")


def _take_job(trace: Trace, event: Event) -> None:
    """Files a line about a job for a worker."""
    ev, op = event["ev"], event["op"]
    if ev == "cpu.submit":
        trace.jobs.append(Job(op, event["task"], event.get("pool"), event["t"]))
        trace._jobs[op] = trace.jobs[-1]
    elif ev == "cpu.start":
        trace._jobs[op].start, trace._jobs[op].worker = event["t"], event["worker"]
    else:
        job = trace._jobs[op]
        job.end, job.rc, job.ns = event["t"], event.get("rc", -errno.ECANCELED), event.get("ns", 0)
        job.calls = event.get("calls", 1)


def _cancelled(trace: Trace, request: Request) -> None:
    """Its rc: -ETIMEDOUT when its own time was up (a blocking one has no other reason), else -ECANCELED."""
    cancel = trace._cancels.get(request.task)
    if cancel and cancel["t"] == request.end:
        timed_out = cancel.get("why") == "timeout"
        request.timeout_src = cancel.get("src") if timed_out else None
    else:
        timed_out = request.blocking
    request.rc = -errno.ETIMEDOUT if timed_out else -errno.ECANCELED


def first_difference(one: str, other: str) -> tuple[int, str, str]:
    """(line number, line of one, line of the other) where two traces first differ; "" where one has ended."""
    mine, theirs = one.split("\n"), other.split("\n")
    for number in range(max(len(mine), len(theirs))):
        left = mine[number] if number < len(mine) else ""
        right = theirs[number] if number < len(theirs) else ""
        if left != right:
            return number + 1, left, right
    return 0, "", ""
