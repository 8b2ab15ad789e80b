"""The contract of lab 05: what each requirement of the handout says of any run. Where two things happen at the same
instant, it is open which comes first, so nothing is said of what follows from that."""

from __future__ import annotations

import copy
import errno
import itertools
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import Iterator, Optional

from looplab.asking.contract import Contract, Situation, once_a_run, pieces
from looplab.asking.visible import visible_checks
from looplab.plain.duration import Duration, show
from looplab.plain.text import count, cut
from looplab.plain.words import error
from looplab.reading.run import REFERENCE, FileCall, Run

from .plan import Planned
from .situations import CASES, NO_FIELD, NOT_JSON, PLAN, Facts, Order, situation, written_path

visible = visible_checks(__file__)


JOBS = "one job for each body, which calls `co_cpu` once, for length · `ns_per_byte` ns. The loop never stands still."
WORKERS = "Never more than `workers` requests, jobs or files are under way at once; and if there is enough to do, it " \
          "is that many."
ERRORS = "An item that fails is counted in `failed` of its stage and told with `log_error`, when it fails, once, " \
         "with its URL and the error (see the table). It goes no further. … Workers survive any number of failures."
NUMBERS = "With `n` = 0 it makes no request and no file, takes no time and returns 0."
AGAIN = "It may be called again, and twice at a time: no call knows of another."


def blame(case: Situation) -> int:
    """What is broken where a run does not come to its end."""
    facts: Facts = case.facts
    if case.mode == "transform":
        return 1
    if facts.calls > 1:
        return 16
    if facts.cancel is not None:
        return 5 if case.mode == "write" else 18
    if case.mode == "write":
        return 5 if facts.failing else 4
    if len(facts.orders) < 2:
        return 16
    return 13 if facts.failing else 15


contract = Contract(draw=situation, plan=PLAN, blame=blame, cases=CASES, elsewhere={
    17: "test_in_any_order", 20: "test_clean_under_sanitizers", 21: "test_coverage"},
    reason=lambda case, failure: visible.with_reason(failure, case.facts.workers, case.facts.failing))


class Call:
    """One call of pipeline, and what is to come of it."""

    def __init__(self, case: Situation, run: Run, planned: Optional[Planned], begin: int, end: int):
        self.case, self.run, self.facts, self.planned = case, run, case.facts, planned
        self.orders: list[Order] = case.facts.orders[begin:end]
        self.urls = [order.url for order in self.orders]

    @property
    def files(self) -> dict[str, str]:
        return {order.path: order.document.summary for order in self.orders if order.document and not order.stage}

    @property
    def failures(self) -> list[tuple[str, str, int]]:
        return [(order.stage, order.url, order.wrong) for order in self.orders if order.stage]

    @property
    def failed(self) -> dict[str, int]:
        return {stage: sum(order.stage == stage for order in self.orders) for stage in visible.STAGES}

    @property
    def done(self) -> dict[str, int]:
        left, done = len(self.orders), {}
        for stage in visible.STAGES:
            left -= self.failed[stage]
            done[stage] = left
        return done

    @property
    def bodies(self) -> list[bytes]:
        """The answers that reach the transform."""
        return [order.document.body for order in self.orders if order.document]


def part_of(run: Run, number: int, urls: list[str]) -> Run:
    """A call's share of a run, with the failures that it has told. number: 0: it is the only one."""
    if not number:
        return run
    one, mine, told = run.call(number, urls), False, []
    for report in run.trace.reports:
        if report["name"] in ("start", "result") and report["value"].get("call") == number:
            mine = report["name"] == "start"
        elif mine and report["name"] == "failure" and report["value"]["url"] in urls:
            told.append(report)
    one.trace = replace(one.trace, reports=[*one.trace.reports, *told])
    one.beside = run.beside
    return one


def calls(case: Situation, run: Run, single: bool = True) -> Iterator[Call]:
    """The calls of pipeline in this situation. single: only where there is but one."""
    if case.mode == "pipeline" and not (single and case.facts.calls > 1):
        yield from _calls(case, run)


@once_a_run
def _calls(case: Situation, run: Run) -> Iterator[Call]:
    facts: Facts = case.facts
    for k, (number, begin, end) in enumerate(pieces(facts, len(facts.orders))):
        yield Call(case, part_of(run, number, [order.url for order in facts.orders[begin:end]]),
                   facts.planned[k] if facts.planned else None, begin, end)


def whole_run(case: Situation) -> bool:
    """Is it one pipeline, which nobody cancels?"""
    return case.mode == "pipeline" and case.facts.cancel is None and case.facts.calls == 1


def undisturbed(case: Situation, run: Run) -> Iterator[Call]:
    return calls(case, run) if whole_run(case) else iter(())


# ---- transform_order --------------------------------------------------------------------------


def transformed(case: Situation, run: Run) -> Iterator[tuple[Order, dict]]:
    """Each order, and what transform_order made of it."""
    return zip(case.facts.orders, run.results) if case.mode == "transform" else iter(())


@contract.requirement(2, "`-NOT_JSON` if `json_loadb` (flags 0) refuses the `length` bytes")
def not_json(case: Situation, run: Run) -> bool:
    asked = False
    for order, got in transformed(case, run):
        right = order.document
        assert right
        if right.rc == NOT_JSON:
            asked = True
            run.should(got["rc"] == NOT_JSON, f"{right.said}: -NOT_JSON", visible.name_of(got["rc"]),
                       "json_loadb(body, length, 0, …) returns NULL for it (TODO 1)")
        elif got["rc"] == NOT_JSON:
            run.should(False, f"{right.said} is JSON: {cut(str(right.body, 'utf-8'), 200)}",
                       "transform_order returned -NOT_JSON", "json_loadb(body, length, 0, …) takes it, with flags 0 "
                       "(TODO 1)")
    return asked


@contract.requirement(3, "`-NO_FIELD` if the document is no object, or one of the four needed fields is missing or of "
                         "the wrong kind, in any element of `items`.")
def no_field(case: Situation, run: Run) -> bool:
    asked = False
    for order, got in transformed(case, run):
        right = order.document
        assert right
        if right.rc == NO_FIELD and got["rc"] != NOT_JSON:
            asked = True
            run.should(got["rc"] == NO_FIELD, f"{right.said}: -NO_FIELD", visible.name_of(got["rc"]),
                       "json_is_integer (string, array) says whether a member is there and of the right kind; ask it "
                       "for each field, in each item")
    return asked


@contract.requirement(1, "For a good order it returns 0 and gives the id and the text, exactly as `pipeline.h` says")
def summary(case: Situation, run: Run) -> bool:
    asked = False
    for order, got in transformed(case, run):
        right = order.document
        assert right
        if right.rc or got["rc"] == NOT_JSON:
            continue
        asked = True
        run.should(got["rc"] == 0, f"{cut(str(right.body, 'utf-8'), 200)} gives {cut(right.summary, 200)}",
                   f"transform_order returned {visible.name_of(got['rc'])}",
                   "this order is good: nothing that is needed is missing, and what is not needed does no harm "
                   "(TODO 1)")
        run.should(got.get("id") == right.id, f"id {right.id}", f"id {got.get('id')}",
                   "*id is the integer `id` of the document, a json_int_t: no int can hold all of them")
        run.should(got["text"] == right.summary, f"the summary {cut(right.summary, 200)}",
                   f"it is {cut(got['text'], 200)}", visible.why_text(right.summary, got["text"]))
    return asked


# ---- write_whole ------------------------------------------------------------------------------


def written(case: Situation, run: Run) -> Iterator[tuple[Order, str, int]]:
    """Each text, its path, and what write_whole returned (or the fetch, where it was cancelled)."""
    if case.mode == "write":
        one = part_of(run, 1 if case.facts.cancel is not None else 0, [order.url for order in case.facts.orders])
        for k, (order, got) in enumerate(zip(case.facts.orders, one.results), 1):
            yield order, written_path(k, "deep" in case.settings), got["rc"]


def changes(run: Run) -> list[FileCall]:
    """The calls that did something to the disk, in the order in which they did."""
    done = [call for call in run.file_calls if call.end is not None and call.rc is not None and call.rc >= 0
            and call.mode != "read" and call.call in ("open", "write", "save", "rename", "remove")]
    return sorted(done, key=lambda call: int(call.end or 0))


def lies(run: Run, path: str, before: dict[str, str]) -> bool:
    """Is a file of that name there at the end?"""
    there = path in before
    for call in changes(run):
        if path in (call.path, call.to):
            there = call.call != "remove" and not (call.call == "rename" and call.path == path)
    return there


def should_be_as_before(run: Run, path: str, before: dict[str, str]) -> None:
    """Nothing is left of a write_whole that failed."""
    run.should(not lies(run, f"{path}.tmp", before), f"{path}.tmp is gone", "it is still there",
               "whatever fails, the open too: remove PATH.tmp, in a shield, so that it happens in a task that was "
               "cancelled (TODO 2)")
    changed = next((call.call for call in changes(run) if path in (call.path, call.to)), "")
    run.should(not changed, f"{path} is as it was before", f"its {changed} has changed it",
               "until the rename, nothing happens to PATH itself")


@contract.requirement(4, "The bytes go into PATH.tmp with one `co_file_write`, and then it is renamed to PATH.")
def whole(case: Situation, run: Run) -> bool:
    if case.facts.cancel is not None:
        return False
    asked = False
    for order, path, rc in written(case, run):
        if order.stage:
            twice = next((name for name in ("open", "write", "rename") if sum(
                call.call == name and call.path == f"{path}.tmp" for call in run.file_calls) > 1), "")
            run.should(not twice, f"one {twice} for {path}", "two", "a call that failed is not made again")
            continue
        asked = True
        calls_of = [call for call in run.file_calls if call.path.removesuffix(".tmp") == path]
        run.should(bool(calls_of), f"{path} is written on the world's disk", "no call was made for it"
                   + (f", and write_whole returned {error(rc)}" if rc else ""),
                   "fopen, write, rename and remove know only this machine's own disk: co_file_open, co_file_write, "
                   "co_file_close, co_file_rename and co_file_remove know the world's (TODO 2)")
        run.should(rc == 0, f"write_whole(\"{path}\", …) returns 0", f"it returned {error(rc)}",
                   "CO_CREATE refuses a file that is there: open with CO_WRITE" if rc == -errno.EEXIST else
                   "no call to the disk fails here (TODO 2)")
        visible.should_write_whole(run, path)
        assert order.document
        right, got = as_told(order.document.body), run.files.get(path, "nothing")
        run.should(got == right, f"{path} holds {cut(right, 100)}", f"it holds {cut(got, 100)}",
                   visible.why_text(right, got))
    return asked


@lru_cache(maxsize=None)
def as_told(content: bytes) -> str:
    """A file's content as a trace has it: the text, or a hash (FNV-1a, 64 bits)."""
    try:
        if len(content) <= 65536:
            return content.decode()
    except UnicodeDecodeError:
        pass
    key = 0xcbf29ce484222325
    for byte in content:
        key = (key ^ byte) * 0x100000001b3 % 2**64
    return f"{key:016x}"


@contract.requirement(5, "If a call fails, it returns what that call returned. There is no PATH.tmp then, and an older "
                         "PATH is as it was.", after=(4,), unless=(4,))
def or_not_at_all(case: Situation, run: Run) -> bool:
    asked = False
    for order, path, rc in written(case, run):
        if case.facts.cancel is None and not order.stage:
            continue
        asked = True
        if order.stage:
            run.should(rc == order.wrong, f"write_whole returns {error(order.wrong)}", f"it returned {error(rc)}",
                       "return what the failing call returned; keep it in a variable of its own while you remove "
                       "PATH.tmp")
        touched = any(call.path.removesuffix(".tmp") == path for call in run.file_calls)
        if rc == 0:
            run.should(not lies(run, f"{path}.tmp", {}) and lies(run, path, {}), f"{path} is there: write_whole has "
                       "returned 0", "it is not", "return the error of the call that failed, -ECANCELED, too")
        elif touched:
            run.should(rc == order.wrong or rc == -errno.ECANCELED, "it returns -ECANCELED", f"it returned {error(rc)}",
                       "return what the call that was cancelled returned")
            should_be_as_before(run, path, case.facts.files)
    return asked


# ---- pipeline: what is asked for, and how -------------------------------------------------------


@contract.requirement(9, JOBS)
def never_blocks(case: Situation, run: Run) -> bool:
    if case.mode == "pipeline" and run.block_ns:
        told = run.cause("block")
        hint = "co_cpu in the task itself stops all three stages: call it in the function that co_to_thread runs"
        if told:
            hint = told.text + (": call it in the function that co_to_thread runs" if "co_cpu" in told.text else "")
        run.should(False, "the loop never stands still", f"it stood still for {show(run.block_ns)}", hint,
                   told.src if told else None)
    return case.mode == "pipeline" and bool(run.requests)


@contract.requirement(8, "One session for all requests, with the header. … idle ones are used again.", after=(9,))
def one_session(case: Situation, run: Run) -> bool:
    for call in calls(case, run):
        sessions = {request.session for request in call.run.requests}
        call.run.should(None not in sessions, "every request goes over the session", "some went over a connection of "
                        "their own", "call co_session_get with the session, not co_http_get")
        if len(sessions) > 1:
            call.run.fail("all requests go over one session", f"they went over {len(sessions)}", topic="connections",
                          hint="one in pipeline, and its address for every worker")
        refused = [request for request in call.run.requests if request.status == 401]
        call.run.should(not refused, "each request says what it accepts",
                        f"the server answered {len(refused)} with 401",
                        "set .headers of the session to \"Accept: application/json\\n\"")
        should_use_again(call)
    return case.mode == "pipeline" and bool(run.requests)


def should_use_again(call: Call) -> None:
    """No connection is opened while one to that site is idle, and none is waited for."""
    last: dict[int, tuple[str, Optional[int]]] = {}       # of each connection: its site, and since when it is idle
    for request in call.run.requests:
        site = request.url.split("/")[2]
        idle = [conn for conn, (where, since) in last.items() if where == site and since is not None
                and since < request.start and call.run.trace.closed.get(conn, 1 << 62) > request.start]
        call.run.should(not idle or request.reused, "a connection that is idle is used again",
                        f"the request for {request.url} opened another one",
                        "one session for all, and no request ends it: what are its limits, and who closes it?")
        if request.conn is not None:
            last[request.conn] = (site, request.end if request.rc == 0 else None)
        waits = [other for other in call.run.requests if other.start < request.start and other.connected is not None
                 and (other.end is None or other.end > request.start) and other.url.split("/")[2] == site]
        late = request.connected is not None and not request.reused and request.connected - request.start \
            > call.case.world.total(request.url)
        beside = f", as {count(len(waits), 'other')} were under way" if waits else ""
        call.run.should(not late, "no request waits for a connection", f"that for {request.url} did{beside}",
                        "the session has no limit (0), or one of at least options->workers")


@contract.requirement(13, ERRORS, after=(8, 9))
def failures_end_nothing(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if case.facts.failing else ():
        visible.should_succeed(call.run)
        made = Counter(request.url for request in call.run.requests)
        if made != Counter(call.urls) and not made - Counter(call.urls) and call.run.requests:
            visible.should_log(call.run, call)
            missing = next(url for url in call.urls if not made[url])
            call.run.should(False, f"{missing} is asked for", "it was not",
                            "a fetcher whose item fails goes on with the next URL (continue); if it ends there "
                            "(return, break), there is one less after each failure")
    return False


@contract.requirement(7, "One request for each URL, begun in the order of the URLs. Nothing is tried again.",
                      after=(8, 9, 13))
def one_request_each(case: Situation, run: Run) -> bool:
    for call in calls(case, run):
        made = [request.url for request in call.run.requests]
        if case.facts.cancel is None and Counter(made) != Counter(call.urls) or Counter(made) - Counter(call.urls):
            one = copy.copy(call.run)
            one.asked = call.urls
            one.should_ask_once()
            call.run.fail(f"{count(len(call.urls), 'request')}, one for each URL", f"{len(made)}", topic="-")
        late = next((k for k, url in enumerate(made) if url != call.urls[k]), None)
        call.run.should(late is None, "the requests begin in the order of the URLs",
                        f"{made[late or 0] if made else ''} does not come in its turn",
                        "the next fetcher that is free takes the next URL: one index for all of them")
    return case.mode == "pipeline" and bool(run.requests)


@contract.requirement(10, WORKERS, after=(7, 8, 9, 13), unless=(1, 2, 3, 6, 13))
def workers(case: Situation, run: Run) -> bool:
    most = case.facts.workers
    for call in undisturbed(case, run):
        for what, stage, spans in under_way(call.run):
            busiest = visible.busiest(spans)
            call.run.should(busiest <= most, f"with workers = {most}, at most {most} {what} under way at once",
                            f"{busiest}", f"a worker does one thing at a time, and stage {stage} has {most} of them; "
                            "does something start a task for each item?")
        begun = sum(request.start == call.run.trace.report("start")["t"] for request in call.run.requests)
        call.run.should(begun >= min(most, len(call.urls)), f"{min(most, len(call.urls))} requests begin at once, one "
                        "for each fetcher", f"{begun}", visible.why_few(call.run, "fetch", min(most, len(call.urls))))
    return whole_run(case) and bool(run.requests)


def under_way(run: Run) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """What each stage works at, and from when to when."""
    yield "requests", "fetch", [(one.start, one.end) for one in run.requests if one.end is not None]
    yield "jobs", "transform", [(int(job.submit), int(job.end)) for job in run.cpu if job.end is not None]
    yield "files", "write", visible.file_spans(run)


# ---- pipeline: what comes of it -----------------------------------------------------------------


@contract.requirement(13, ERRORS, after=(7, 8, 9), unless=(2, 3, 5, 6, 9))
def failures_are_told(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if case.facts.failing else ():
        got, right = Counter(visible.failures_of(call.run)), Counter(call.failures)
        if got != right and max(right.values()) == 1:
            visible.should_log(call.run, call)
        wrong = next(iter((right - got) or (got - right)), None)
        call.run.should(wrong is None, f"log_error is told {count(right[wrong], 'time')} of {visible.said(wrong)}"
                        if wrong else "", f"{count(got[wrong], 'time')}" if wrong else "",
                        "once for each item that fails, where it fails")
        should_tell_at_once(call)
        for stage in visible.STAGES:
            failed = call.run.report["failed"][stage]
            call.run.should(failed == call.failed[stage], f"failed[{stage}] is {call.failed[stage]}", f"it is {failed}",
                            "failed counts the items that failed in the stage: count each where you log it")
    return whole_run(case) and case.facts.failing


def should_tell_at_once(call: Call) -> None:
    """Each failure is logged at the instant at which a fetch, a job or a call to the disk ends."""
    ends: dict[str, set[Optional[int]]] = {"transform": {job.end for job in call.run.trace.jobs},
                                           "write": {op.end for op in call.run.trace.files}}
    fetched: dict[str, set[Optional[int]]] = {}
    for request in call.run.requests:
        fetched.setdefault(request.url, set()).add(request.end)
    for report in call.run.trace.reports:
        if report["name"] == "failure":
            stage, url = report["value"]["stage"], report["value"]["url"]
            at = fetched.get(url, set()) if stage == "fetch" else ends[stage]
            call.run.should(report["t"] in at or not at, f"log_error is told of {url} at the instant at which it fails "
                            f"in {stage}", "it is told later", visible.meeting(call.run) or
                            "log it where you count it, not when all is over")


@contract.requirement(6, "A file for each good order, `out/order-ID.json`, with exactly the text of its summary",
                      after=(7, 8, 9, 13), unless=(1, 2, 3, 4, 5))
def files(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_succeed(call.run)
        visible.should_leave(call.run, call.files)
        failed = next((order.path for order in call.orders if order.stage == "write"), "")
        if failed:
            should_be_as_before(call.run, failed, case.facts.files)
    return whole_run(case) and bool(case.facts.orders)


@contract.requirement(14, "`done`, `failed`, `elapsed_ns` and `throughput` as `pipeline.h` says.",
                      after=(6, 7, 8, 9, 13), unless=(6, 13))
def statistics(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        visible.should_count(call.run, call)
        should_tell_its_time(call)
    return whole_run(case)


def should_tell_its_time(call: Call) -> None:
    """elapsed_ns, and the throughput that follows from it."""
    took, written = call.run.elapsed, call.done["write"]
    call.run.should_report("elapsed_ns", took, hint="co_now() at the end of pipeline, minus co_now() at its beginning; "
                                                    "it does not begin at 0")
    right = written * 1e9 / took if took else 0.0
    call.run.should_report("throughput", right, tolerance=1e-9 * right, hint=f"{written} files in {took / 1e9:g} s: "
                           "files per second" if took else "no time passed: do not divide, say 0.0")


@contract.requirement(9, JOBS, after=(7, 8, 13))
def jobs(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        hint = "co_to_thread once for each body, also for an empty one, and when ns_per_byte is 0; the function it " \
               "runs calls co_cpu(length * ns_per_byte) once, and then transform_order (TODO 5)"
        call.run.should(len(call.run.cpu) == len(call.bodies), f"{count(len(call.bodies), 'job')} for CPU workers, one "
                        "for each body", f"{len(call.run.cpu)}", hint)
        pieces = max((job.calls for job in call.run.cpu), default=1)
        call.run.should(pieces == 1, "each job calls co_cpu once", f"one called it {pieces} times", hint)
        right = sorted(len(body) * call.facts.cost for body in call.bodies)
        got = sorted(int(job.ns) for job in call.run.cpu)
        call.run.should(got == right, f"they compute for {show(Duration(sum(right)))} in all, "
                        f"{show(Duration(call.facts.cost))} a byte", f"{show(Duration(sum(got)))}",
                        "the cost is for every byte of every body, also of one that is no JSON, and an int64_t: an int "
                        "cannot hold it")
    return whole_run(case) and bool(run.cpu)


# ---- pipeline: how it flows, and ends -----------------------------------------------------------


@contract.requirement(15, "Without a cancellation from outside nobody is cancelled. When `pipeline` returns, every "
                          "task has ended.", after=(9, 13))
def all_end_by_themselves(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run):
        cancelled = next((event for event in call.run.trace.of("cancel", "runtime")
                          if event.get("why") in ("call", "group")), None)
        name = call.run.trace.tasks[cancelled["task"]].name if cancelled else ""
        call.run.should(cancelled is None, "nobody is cancelled: a sentinel ends each worker",
                        f"task {name} was cancelled", "put one sentinel for each worker behind the last item, and wait "
                        "until they have ended", (cancelled or {}).get("src"))
        alive = call.run.report["tasks"]
        call.run.should(not alive, "every task has ended when pipeline returns", f"{count(alive, 'task')} still alive",
                        "the group must end before pipeline returns: co_join, and a CO_GROUP in pipeline itself")
    return whole_run(case) and bool(run.requests)


def waiting(call: Call) -> tuple[int, int]:
    """The most orders at the end of an instant that were fetched or being fetched, but not yet handed to a CPU worker;
    and that were handed to one, but whose file was not yet begun."""
    requests = {request.op: request for request in call.run.requests}
    most, now, begun = [0, 0], [0, 0], set()
    for _, instant in itertools.groupby(call.run.events, key=lambda event: event["t"]):
        for event in instant:
            ev = event["ev"] if event["from"] == "world" else ""
            if ev == "http.start":
                now[0] += 1
            elif ev in ("http.end", "http.cancelled"):
                request = requests[event["op"]]
                now[0] -= request.rc != 0 or request.status != 200
            elif ev == "cpu.submit":
                now[0] -= 1
                now[1] += 1
            elif ev == "file.start" and event["path"].removesuffix(".tmp") not in begun:
                begun.add(event["path"].removesuffix(".tmp"))
                now[1] -= 1
            elif ev == "report" and event["name"] == "failure":
                now[1] -= event["value"]["stage"] == "transform" and event["value"]["url"] in call.urls
        most = [max(pair) for pair in zip(most, now)]
    return most[0], most[1]


@contract.requirement(11, "Each of the two queues holds at most `bound` items.", after=(7, 8, 9, 10, 13), unless=(4,))
def back_pressure(case: Situation, run: Run) -> bool:
    facts: Facts = case.facts
    for call in undisturbed(case, run):
        for most, where in zip(waiting(call), ("fetched, or being fetched, whose transform has not begun",
                                               "transformed, or being transformed, whose file has not been begun")):
            call.run.should(most <= facts.workers + facts.bound, f"with {count(facts.workers, 'worker')} and a bound "
                            f"of {facts.bound:,}, at most {facts.workers + facts.bound:,} orders are {where}",
                            f"{most} at the busiest moment", "give options->bound to co_queue_init, put with "
                            "co_queue_put in the worker itself, and start no task for each item")
    return whole_run(case) and len(facts.orders) > facts.workers + facts.bound


@contract.requirement(10, WORKERS, after=(6, 7, 8, 9, 11, 13, 15), unless=(1, 2, 3, 6, 8, 9, 11, 13, 15))
def enough_workers(case: Situation, run: Run) -> bool:
    most = case.facts.workers
    for call in undisturbed(case, run):
        for what, stage, spans in under_way(call.run) if call.planned else ():
            right, got = visible.busiest(call.planned.under_way[stage]), visible.busiest(spans)
            call.run.should(got >= right or right < most, f"with workers = {most}, {most} {what} are under way at the "
                            "busiest moment", f"{got}", visible.why_few(call.run, stage, most))
    return whole_run(case) and bool(run.requests)


@contract.requirement(12, "The pipeline takes exactly as long as the reference solution does in the same world, with "
                          "the same options.", after=(6, 7, 8, 9, 10, 11, 13, 15),
                      unless=(4, 5, 6, 8, 9, 10, 11, 13, 15))
def stages_overlap(case: Situation, run: Run) -> bool:
    asked = False
    for call in undisturbed(case, run):
        if call.urls and call.planned:
            asked = True
            should_be_as_quick(call)
    return asked


def should_be_as_quick(call: Call) -> None:
    """Its requests begin when those of the right run do, and all is done when it is."""
    assert call.planned
    first = call.run.trace.report("start")["t"]
    for one, wanted in zip(call.run.requests, call.planned.starts):
        begun = one.start - first
        call.run.should(begun == wanted, f"the request for {one.url} begins after {show(Duration(wanted))}",
                        f"after {show(Duration(begun))}", visible.meeting(call.run) or visible.sleeper(call.run) or
                        "a fetcher takes the next URL as soon as it has put the last item; each queue holds "
                        "options->bound, no more and no less")
    right = Duration(call.planned.elapsed)
    call.run.should(call.run.elapsed == right, f"{show(right)}, {REFERENCE}",
                    f"it took {show(call.run.elapsed)}", visible.meeting(call.run) or visible.sleeper(call.run)
                    or visible.early_leaver(call.run) or
                    "a worker that has something to do and somewhere to put it never waits")


@contract.requirement(16, NUMBERS, after=(7, 8, 9, 10, 11, 13))
def none_one_many(case: Situation, run: Run) -> bool:
    for call in undisturbed(case, run) if not case.facts.orders else ():
        made = call.run.requests or call.run.file_calls
        call.run.should(not made, "no request, and no call to the disk", f"{count(len(made), 'call')}")
        call.run.should(call.run.report["rc"] == 0, "pipeline returns 0", f"it returned {error(call.run.report['rc'])}",
                        "for n = 0, start nothing that is missed, and return 0")
        call.run.should_take(0, what="n is 0, there is nothing to wait for")
    return whole_run(case) and (len(case.facts.orders) < case.facts.workers or len(case.facts.orders) >= 50
                                        or case.facts.workers == 1)


@contract.requirement(16, AGAIN, after=(9,), several=True, unless=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
def two_calls(case: Situation, run: Run) -> bool:
    for k, call in enumerate(calls(case, run, single=False) if case.facts.calls > 1 else ()):
        if k == 0 and case.facts.cancel is not None:        # it is cancelled: the other one is all that is asked about
            continue
        visible.should_succeed(call.run)
        made = [request.url for request in call.run.requests]
        call.run.should(made == call.urls, f"{count(len(call.urls), 'request')}, one for each URL of that call",
                        f"{len(made)}", "what belongs to one call stands in pipeline or in memory of its own, never in "
                        "a static or global variable")
        visible.should_log(call.run, call)
        call.run.should(all(call.run.files.get(path) == text for path, text in call.files.items()),
                        f"{count(len(call.files), 'file')} of that call", "one of them is missing, or is another's",
                        "what belongs to one call is kept from the other")
        should_tell_its_time(call)
        if call.planned:
            should_be_as_quick(call)
    return case.facts.calls > 1


@contract.requirement(18, "it returns `-ECANCELED`. No request is under way then, every worker has ended, no `.tmp` "
                          "file is left, and each file that is there is whole.", after=(7, 8, 9))
def cancelled(case: Situation, run: Run) -> bool:
    asked = False
    for call in calls(case, run) if case.facts.cancel is not None else ():
        asked = asked or call.run.report["rc"] != 0
        should_have_ended(call)
        should_leave_whole_files(call)
        wrong = next((failure for failure in visible.failures_of(call.run) if failure[2] == -errno.ECANCELED), None)
        call.run.should(wrong is None, "being cancelled is no failure of an item",
                        f"log_error was told of {visible.said(wrong) if wrong else ''}",
                        "when a call returns -ECANCELED: free what you hold, and return")
    return asked


def should_have_ended(call: Call) -> None:
    """It returns -ECANCELED at that instant, but for jobs that were begun and for removals; or 0, if all was done."""
    run, at = call.run, Duration(call.facts.cancel or 0)
    if run.report["rc"] == 0:
        everything = all(run.files.get(path) == text for path, text in call.files.items())
        if not everything or run.elapsed > at:
            run.fail("pipeline returns -ECANCELED", "it returned 0", topic="cancelled",
                     hint="return what co_join returned; and a worker that is cancelled returns -ECANCELED")
        return
    if run.report["rc"] != -errno.ECANCELED or run.elapsed < at:
        run.fail("pipeline returns -ECANCELED" if run.elapsed >= at else "nobody is cancelled yet",
                 f"it returned {error(run.report['rc'])} after {show(run.elapsed)}", topic="cancelled",
                 hint="return what co_join returned; and a worker that is cancelled returns -ECANCELED")
    # what others do meanwhile is of no matter, as long as nobody waits for it
    jobs_end = max([at, *(job.end for job in run.cpu if job.end is not None and job.start is not None
                          and job.start <= at)])
    then = jobs_end + run.trace.report("start")["t"]
    late = [request.url for request in run.requests if request.end is None or max(request.start, request.end) > then]
    shielded = run.cause("shield")
    run.should(not late, "no request is under way afterwards", f"{late[0] if late else ''} was",
               shielded.text if shielded else "a fetcher that gets -ECANCELED returns it",
               shielded.src if shielded else None)
    done = next((op for op in run.file_calls if op.call != "remove" and (op.end is None or op.end > jobs_end)), None)
    run.should(done is None, "no file is opened, written or renamed afterwards",
               f"{done.path if done else ''}: {done.call if done else ''} went on",
               shielded.text if shielded else "only the removal of PATH.tmp stands in the shield",
               shielded.src if shielded else None)
    last = max([jobs_end, *(op.end for op in run.file_calls if op.call == "remove" and op.end is not None)])
    run.should(run.elapsed <= last, f"it ends after {show(last)}: it waits for nothing but jobs that have begun, and "
               "the removal of temporary files", f"it took {show(run.elapsed)}",
               shielded.text if shielded else "what waits after a cancellation? Only the removal stands in a shield, "
               "and nothing is put, got or written any more", shielded.src if shielded else None)
    alive = run.report["tasks"]
    run.should(not alive, "every worker has ended", f"{count(alive, 'task')} still alive",
               "wait for all, co_join or the end of the group's block, before you return")


def should_leave_whole_files(call: Call) -> None:
    """No temporary file, and no half of one."""
    run = call.run
    for order in call.orders:
        touched = not order.stage and any(op.path == f"{order.path}.tmp" for op in run.file_calls)
        run.should(not touched or not lies(run, f"{order.path}.tmp", call.facts.files), "no .tmp file is left",
                   f"{order.path}.tmp is", "write_whole removes it when anything fails, the open too. But in a task "
                   "that was cancelled co_file_remove, like every call that waits, returns -ECANCELED and does "
                   "nothing: put it between co_shield_begin and co_shield_end (TODO 2)")
    half = next((path for path, text in call.files.items() if run.files.get(path, text) != text), "")
    run.should(not half, "each file that is there is whole", f"{half} is not",
               "write PATH.tmp, and rename it when it is complete")


# ---- the code -----------------------------------------------------------------------------------


@contract.requirement(19, "Responses, JSON values, texts, items, also those still in a queue when a run is cancelled.",
                      after=(9,))
def freed(case: Situation, run: Run) -> bool:
    visible.should_keep_nothing(run, "when pipeline returns" if case.facts.cancel is None else
                                "also after a cancellation")
    if any(leak.what != "task" for leak in run.leaks):
        run.should_leak_nothing()
    for order, got in transformed(case, run):
        left, twice = got.get("never_given_back", 0), got.get("given_back_twice", 0)
        said = order.document.said if order.document else ""
        run.should(not left, f"{said}: nothing of Jansson's is left behind",
                   f"{left} pieces of its memory are never given back",
                   "is there a return in front of json_decref? What json_loadb and json_pack made must be given back "
                   "on every way out")
        run.should(not twice, f"{said}: nothing is given back twice", f"{twice} pieces of Jansson's memory are",
                   "json_object_get and json_array_get only show you what belongs to the order: json_decref the order, "
                   "and nothing in it")
    return bool(run.file_calls or run.cpu or any(got["rc"] == 0 for _, got in transformed(case, run)))
