"""One run of the student's program that came to its end: what it did, and assertions whose messages explain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Iterator, NoReturn, Optional, Sequence

from ..asking.world import World, WorldError
from ..plain import words
from ..plain.duration import Duration, show
from ..plain.failure import Cause, CheckFailed, Failure, GraderFault
from ..plain.text import count
from . import calls, diagnosis, forged
from .case import Case
from .trace import Block, Event, Leak, Request, Said, Task, Trace


@dataclass(frozen=True)
class FileCall:
    """A call to the disk. Also to be taken apart: `for t, call, path, rc in run.file_calls`. Times count from
    "start"."""

    t: Duration                     # when it was made
    call: str                       # "open", "read", "write", "close", "load", "save", "rename", …
    path: str
    # 0 or more: done; a negative errno; -ECANCELED: given up, nothing was done; None: never ended
    rc: Optional[int]
    end: Optional[Duration] = None  # when it took effect
    to: Optional[str] = None        # of a rename
    mode: Optional[str] = None      # of an open
    bytes: int = 0
    task: int = 0

    def __iter__(self) -> Iterator[Any]:
        return iter((self.t, self.call, self.path, self.rc))


@dataclass(frozen=True)
class CpuJob:
    """A job for a worker. Times count from "start"; None: it never came to that."""

    submit: Duration
    start: Optional[Duration]
    end: Optional[Duration]
    worker: Optional[int]
    pool: Optional[int]             # the number of the CO_POOL; None: the CPUs
    ns: Duration                    # how long it computed
    rc: Optional[int]               # what it returned; -ECANCELED: given up before a worker was free
    task: int
    calls: int = 1                  # in how many pieces (co_cpu) it computed


@dataclass(frozen=True)
class Explanation:
    """What run.explain() was told, for the assert it stands in."""

    run: "Run"
    text: str


class NeverReported(GraderFault):
    """The lab's main.c did not report a call: nothing can be said of it. If it does report in other runs, the program
    has kept it from that."""


REFERENCE = "as long as the reference solution takes in the same world"


class Run:
    """What `lab.run` and `lab.reference` return. Times are ns (Duration); whatever grades rest on comes from the
    world's lines."""

    def __init__(self, trace: Trace, world: World, mode: str, asked: Sequence[str], stdout: str, passes: int = 1,
                 replay: Optional[str] = None, todo: str = "",
                 tell: Callable[[Explanation], None] = lambda explanation: None,
                 reference: bool = False, memory: Optional[int] = None, tape: str = ""):
        self.trace = trace
        self.world = world
        self.mode = mode
        self.asked = list(asked)            # the URLs the function was called with
        self.stdout = stdout                # what the program printed, control characters made visible
        self.passes = passes
        self.replay = replay                # the command that repeats it by hand
        self.todo = todo                    # where one who has written nothing yet begins
        self.reference = reference          # made by the reference solution?
        # the order that was taken where several tasks were ready; "": first come, first served
        self.tape = tape
        self.beside: Optional[Callable[[], Run]] = None     # what the reference does in the same situation
        self._memory = memory
        self._tell = tell

    # ---- facts ----

    @property
    def ended(self) -> bool:
        """Did it run to its end by itself? Always so for what lab.run returns, but for lab.run(may_fail=True)."""
        return self.trace.ended

    @property
    def elapsed(self) -> Duration:
        """From the call of the student's function to its return, in ns."""
        elapsed = Duration(self._report("result")["t"] - self._report("start")["t"])
        elapsed.what = REFERENCE if self.reference else ""
        return elapsed

    @property
    def report(self) -> dict:
        """What main.c reported as "result"."""
        return self._report("result")["value"]

    @property
    def reports(self) -> dict[str, Any]:
        """All that main.c reported, by name (the last of each name)."""
        return {report["name"]: report["value"] for report in self.trace.reports}

    @property
    def results(self) -> list[dict]:
        """The results in the report: [{"error": 0, "status": 200, "length": 5}, …]."""
        return self.report["results"]

    @property
    def requests(self) -> list[Request]:
        """Every request, in the order they were made."""
        return self.trace.requests

    def requests_for(self, url: str) -> list[Request]:
        """The requests for one URL."""
        return [request for request in self.trace.requests if request.url == url]

    @property
    def order(self) -> list[str]:
        """The URLs in the order in which their requests ended."""
        return [request.url for request in self.trace.finished]

    def call(self, number: int, asked: Sequence[str]) -> "Run":
        """The run as if call `number` of several (sim/kit/calls.c) were all it had made. asked: that call's URLs."""
        return Run(calls.share(self.trace, number), self.world, self.mode, asked, self.stdout, self.passes, self.replay,
                   self.todo, self._tell, self.reference, self._memory, self.tape)

    def in_flight(self) -> list[tuple[int, int]]:
        """(ns, requests under way) after every change."""
        return self.trace.in_flight()

    @property
    def peak(self) -> int:
        """The most requests under way at once."""
        return self.trace.peak

    @property
    def opened(self) -> int:
        """How many connections were opened."""
        return self.trace.opened

    @property
    def blocks(self) -> list[Block]:
        """Each time the student's code made the loop stand still. What an answer itself costs (a route's cpu) is not
        among them."""
        return self.trace.blocks()

    @property
    def block_ns(self) -> Duration:
        """How long the student's code made the loop stand still, in all."""
        return sum((block.ns for block in self.blocks), Duration(0))

    @property
    def leaks(self) -> list[Leak]:
        return self.trace.leaks

    @property
    def files(self) -> dict[str, str]:
        """What the program left on the disk: path -> text (of what is no UTF-8, or more than 64 KiB: a hash). Of the
        files that were there before, only those it wrote or renamed."""
        return dict(self.trace.left)

    def table(self, url: str, name: str) -> list[list]:
        """The rows of a table that the program left in a database, in the order in which they were put in: what was
        committed. [] where the program changed nothing in that database."""
        rows = self.trace.tables.get(url, {}).get(name, [])
        if rows is None:
            raise GraderFault(f"table {name} has more rows than a trace tells")
        return rows

    def clients(self, name: str = "") -> list[Said]:
        """What the clients of the world did and saw, or one of them, in order: its evidence of a server."""
        return [said for said in self.trace.said if not name or said.client == name]

    @property
    def file_calls(self) -> list[FileCall]:
        """Every call to the disk, in the order they were made."""
        return [FileCall(self._at(op.start), op.call, op.path, op.rc, self._maybe(op.end), op.to, op.mode, op.bytes,
                         op.task)
                for op in self.trace.files]

    @property
    def cpu(self) -> list[CpuJob]:
        """Every job for a worker (co_to_thread, co_in_pool), in the order they were handed over."""
        return [CpuJob(self._at(job.submit), self._maybe(job.start), self._maybe(job.end), job.worker, job.pool,
                       Duration(job.ns),
                       job.rc, job.task, job.calls) for job in self.trace.jobs]

    def cancelled_at(self, url: str) -> list[Duration]:
        """When requests for that URL were given up before their end, counted from "start": a timeout's, or a
        cancel's."""
        return [self._at(request.end) for request in self.requests_for(url) if request.abandoned
                and request.end is not None]

    def closed_at(self, url: str) -> list[Duration]:
        """When the connections that served that URL were closed, counted from "start"; those still open are left
        out."""
        conns = dict.fromkeys(request.conn for request in self.requests_for(url) if request.conn in self.trace.closed)
        return [self._at(self.trace.closed[conn]) for conn in conns if conn is not None]

    @property
    def memory(self) -> int:
        """The most bytes the process had in memory at once. Rough, and not the same each time: compare only with wide
        margins, and with `lab.reference(…).memory` or `lab.memory_of_nothing()`; the world's own size counts, too."""
        if self._memory is None and self.reference:
            raise GraderFault(f"mode {self.mode} did not tell how much memory it took")
        if self._memory is None:        # who came to their end have told: it was taken away
            self._fail(forged.no_memory())
        return self._memory

    @property
    def spawns(self) -> list[Task]:
        """The tasks, without the main one, in the order of their spawns."""
        return [task for task in self.trace.tasks.values() if task.number != 1]

    @property
    def events(self) -> list[Event]:
        """Every line of the trace after the first."""
        return self.trace.events

    def forged(self) -> Optional[str]:
        """The name of a report that main.c has not written, as the reference's run in the same situation shows. None:
        each might be its own."""
        return forged.unlike(self.reports, self.beside().reports) if self.beside else None

    # ---- assertions ----

    def explain(self, text: str) -> str:
        """For `assert run.elapsed == x, run.explain("…")`: the cause to name if the trace itself tells none."""
        self._tell(Explanation(self, text))
        return text

    def cause(self, topic: str = "", expected: Any = None, happened: Any = None) -> Optional[Cause]:
        """The likely cause of a wrong value; topic: "" or "timing" "results" "requests" "block" "limit" "reach" (too
        few at once) "connections" "bound" (of a queue) "files" "leaks" "cancelled" "refusal" "asked" (how often)
        "shield" "meet" (tasks that wait for each other)."""
        answers: Sequence[Any] = expected if topic == "results" and isinstance(expected, list) else ()
        return diagnosis.find(Case(self.trace, self.asked, self.passes, topic, expected, happened, answers,
                                             self.todo,
                                             self._alone()))

    def _alone(self) -> list[Duration]:
        """How long each request takes by itself; [] where the world does not fix it."""
        try:
            return self.world.latencies(self.asked)
        except WorldError:
            return []

    def fail(self, expected: str, happened: str, hint: str = "", src: Optional[str] = None, topic: str = "",
             values: tuple[Any, Any] = (None, None)) -> None:
        """Fails the check. The cause is the trace's if it tells one that fits the topic ("-": do not ask it), else the
        hint."""
        cause = None if topic == "-" else self.cause(topic, *values)
        self._fail(Failure(expected, happened, cause or (Cause("hint", hint, src) if hint else None)))

    def should(self, holds: bool, expected: str, happened: str, hint: str = "", src: Optional[str] = None) -> None:
        """Any other requirement: fails with these words unless it holds; the hint is the cause, the trace is not
        asked."""
        if not holds:
            self.fail(expected, happened, hint, src, topic="-")

    def should_take(self, ns: int, hint: str = "", what: str = "") -> None:
        """The function takes exactly `ns`. what: "as long as the slowest URL"; known for the reference's `elapsed`."""
        what = what or getattr(ns, "what", "")
        if self.elapsed != ns:
            self.fail(f"{show(ns)}{f', {what}' if what else ''}", f"it took {show(self.elapsed)}", hint,
                      topic="timing", values=(Duration(ns), self.elapsed))

    def should_give(self, results: Optional[list] = None, hint: str = "") -> None:
        """Exactly these results (default: what the world answers to the URLs), in this order."""
        right = self.world.answers(self.asked) if results is None else list(results)
        got = self.results
        if got == right:
            return
        if len(got) != len(right):
            self.fail(f"{count(len(right), 'result')}", f"{count(len(got), 'result')}", hint, topic="results",
                      values=(right, got))
        wrong = [i for i, result in enumerate(right) if got[i] != result]
        first = wrong[0]
        others = f" ({len(wrong)} of {len(right)} results are wrong)" if len(wrong) > 1 else ""
        whose = f" for {self.asked[first]}" if first < len(self.asked) else ""
        self.fail(f"result {first}{whose}: {words.result(right[first])}", f"{words.result(got[first])}{others}",
                  hint or _wrong_result(right[first], got[first]), topic="results", values=(right, got))

    def should_peak_at(self, n: int, hint: str = "") -> None:
        """Exactly n requests are under way at the busiest moment."""
        if self.peak != n:
            all_at_once = self.peak < n >= len(self.requests)
            self.fail(f"{count(n, 'request')} under way at once", f"at most {self.peak}", hint,
                      topic="limit" if self.peak > n else "timing" if all_at_once else "reach", values=(None, None)
                      if all_at_once else (n, self.peak))

    def should_stay_within(self, most: int, hint: str = "") -> None:
        """Never more than `most` requests are under way."""
        if self.peak > most:
            self.fail(f"at most {count(most, 'request')} under way at once", f"{self.peak}", hint, topic="limit",
                      values=(most, self.peak))

    def should_open(self, n: int, hint: str = "") -> None:
        """Exactly n connections are opened."""
        if self.opened != n:
            self.fail(f"{count(n, 'connection')} opened", f"{self.opened}", hint, topic="connections" if self.opened > n
                      else "-")

    def should_never_block(self, hint: str = "") -> None:
        """Nothing of the student's makes the loop stand still."""
        if self.blocks:
            self.fail("the loop never stands still", f"it stood still for {show(self.block_ns)}", hint, topic="block")

    def should_ask_once(self, topic: str = "requests") -> None:
        """Each URL is asked for as often as it was given, times `passes`; redirects are free. topic: "asked": whatever
        was given up is another matter."""
        cause = self.cause(topic)
        if cause:
            self._fail(Failure(f"{count(len(self.asked) * self.passes, 'request')}, one for each URL",
                               f"{count(len(self.requests), 'request')}" + _given_up(self.requests), cause))

    def gave_up(self, n: int) -> bool:
        """Were requests given up, or never made after one had failed? n: so many there should be."""
        if any(request.given_up for request in self.requests):
            return True
        cause = self.cause("requests") if 0 < len(self.requests) < n else None
        return cause is not None and cause.kind == "aborted"

    def should_leak_nothing(self, hint: str = "") -> None:
        """Every task awaited, every answer freed, every lock released."""
        if self.leaks:
            self.fail("nothing is left behind at the end", ", ".join(_leaked(self.leaks)), hint, topic="leaks")

    def should_report(self, key: str, value: Any, hint: str = "", tolerance: float = 0.0) -> None:
        """report[key] is `value`; numbers may be off by `tolerance` (absolute). A Duration in a wrong unit is told as
        such."""
        got = self.report.get(key)
        number = isinstance(got, (int, float)) and isinstance(value, (int, float)) and not isinstance(got, bool)
        if (abs(got - value) > tolerance) if number else got != value:
            unit = _wrong_unit(key, value, got) if isinstance(value, Duration) and number else ""
            shown = f"{got:,}" if unit else words.value(Duration(got) if isinstance(value, Duration)
                                                        and number else got)
            right = f"{int(value):,} ({show(value)})" if unit else words.value(value)
            if right == shown:          # they part behind the digits that are shown
                right, shown = repr(value), repr(got)
            self.fail(f"{key} {right}", f"{key} {shown}", unit or hint, topic="-")

    def _fail(self, failure: Failure) -> NoReturn:
        raise CheckFailed(in_order(failure) if self.tape else failure, self.replay, self.took)

    @property
    def took(self) -> Optional[int]:
        """`elapsed`, or None where main.c did not report both ends."""
        return self.trace.took

    def _at(self, t: int) -> Duration:
        return Duration(t - self._report("start")["t"])

    def _maybe(self, t: Optional[int]) -> Optional[Duration]:
        return None if t is None else self._at(t)

    def _report(self, name: str) -> Event:
        report = self.trace.report(name)
        if report is None:
            raise NeverReported(f"the lab's main.c never reported {name!r} in mode {self.mode}")
        return report


def in_order(failure: Failure) -> Failure:
    """The failure, as one of a run in another order."""
    return replace(failure,
                   happened=f"{failure.happened}, when tasks that are ready at the same time run in another order")


def _wrong_unit(key: str, right: Duration, got: float) -> str:
    """What a wrong time says of the clock it was read from; "" if nothing."""
    for size, name in ((1_000, "microseconds"), (1_000_000, "milliseconds"), (1_000_000_000, "seconds")):
        if right >= size and got in (right // size, -(-right // size), right / size):
            return f"{key} counts nanoseconds, and these are {name}: store what co_now() gives, without dividing it"
    return ""


def _wrong_result(right: Any, got: Any) -> str:
    """What a single wrong result says of its maker; "" if nothing."""
    if not (isinstance(right, dict) and isinstance(got, dict) and {"error", "status",
                                                                   "length"} <= set(right) & set(got)):
        return ""
    if right["error"] == 0 and right["status"] >= 400 and got["error"] != 0:
        return f"a {right['status']} is an answer like another: error stays 0, status and length are recorded"
    if right["error"] < 0 and got["error"] == -right["error"]:
        return f"errors are negative here: store what the call returned, {words.error(right['error'])}, as it is"
    if right["status"] and not (got["error"] or got["status"] or got["length"]):
        return "all of it is 0: co_response_free zeroes the answer, so take status and length out of it first"
    if right["error"] < 0 and got["error"] == 0:
        return "there was no answer: the error that the call returned belongs into the result"
    if right["error"] == got["error"] < 0:
        return "without an answer, status and length are 0"
    if (right["error"], right["status"]) == (got["error"], got["status"]):
        return "the length is that of the whole body in bytes: it may hold '\\0' bytes, and resp.length counts them"
    return ""


def _given_up(requests: Sequence[Request]) -> str:
    """", 2 of them given up"; "" if none was."""
    n = sum(request.given_up for request in requests)
    return f", {n} of them given up" if n else ""


def _leaked(leaks: list[Leak]) -> list[str]:
    """"2 answers never freed", "1 task never awaited", …"""
    tally: dict[str, int] = {}
    for leak in leaks:
        tally[leak.what] = tally.get(leak.what, 0) + 1
    said = {"response": ("answer", "never freed"), "task": ("task", "never awaited"), "lock": ("lock", "still held"),
            "session": ("session", "never closed"), "stream": ("stream", "never closed"),
            "file": ("file", "never closed"),
            "timeout": ("timeout", "never ended"), "shield": ("shield", "never ended")}
    return [" ".join((count(n, said.get(what, (what, ""))[0]), said.get(what, ("", "left behind"))[1])) for what,
            n in tally.items()]
