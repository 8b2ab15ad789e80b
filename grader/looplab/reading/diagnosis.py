"""From a trace to the one most likely cause: what a teacher would point at first, with its place.

Each `_name` below knows one misconception and returns a Cause or None. `find` asks those that fit the topic, in
the order in which they would explain the others away.
"""

from __future__ import annotations

import errno
import signal
from collections import Counter, defaultdict
from typing import Any, Callable, Optional, Sequence

from ..plain import words
from ..plain.duration import show
from ..plain.failure import Cause
from ..plain.text import count
from . import shapes
from .case import KIT_TIMEOUT, Case, last_await, made_in_all, of_student, so_often, waits_of
from .trace import Block, Event, Request, Trace

_HOLDING = ("lock", "sem")


def find(case: Case) -> Optional[Cause]:
    """The most likely cause, or None when the trace tells none."""
    for rule in _RULES[case.topic]:
        cause = rule(case)
        if cause:
            return cause
    return None


# ---- What was fetched ---------------------------------------------------------------------------


def _nothing(case: Case) -> Optional[Cause]:
    if case.asked and not case.trace.requests:
        job = next((event for event in case.trace.of("await", "runtime") if event.get("on") == "job"), None)
        if job:
            at = f" at {job['src']}" if job.get("src") else ""
            return Cause("on workers",
                         f"the program made no request: it tries to fetch in a worker (co_to_thread{at}), where "
                         "http_get_blocking, like every call that waits, only returns -EPERM. Call co_http_get in the "
                         "task itself: it needs no thread", job.get("src"))
        return Cause("nothing", f"the program made no request at all, for {count(len(case.asked), 'URL')}"
                                + (f": write {case.todo}" if case.todo else ""))
    return None


def _aborted(case: Case) -> Optional[Cause]:
    """After the first failure the rest was cancelled, or never asked for."""
    bad = next((request for request in case.trace.finished if request.failed), None) \
        or next((request for request in case.trace.finished if request.status >= 400), None)
    if not bad:
        return None
    given_up = [request for request in case.trace.requests if request.given_up and request.end >= bad.end]
    missing = _missing(case)
    if not given_up and not missing:
        return None
    what = f"{words.error(bad.rc)} from {bad.url}" if bad.failed else f"the {bad.status} of {bad.url}"
    if given_up:
        src = _cancelled_at(case.trace, given_up[0])
        return Cause("aborted", f"after {what}, {f'{src} gives' if src else 'the program gives'} up "
                                f"{count(len(given_up), 'request')} still under "
                                f"way: {_mercy(case.trace, given_up[0], src)}", src)
    src = waits_of(case.trace, bad)
    return Cause("aborted", f"after {what}{f' ({src})' if src else ''}, {count(len(missing), 'URL')} "
                            f"{'was' if len(missing) == 1 else 'were'} never asked for, {missing[0]} first: "
                            "a failure is a result like another; go on with the next URL", src)


def _cancelled_at(trace: Trace, request: Request) -> Optional[str]:
    """Where the cancel of a request came from: the co_cancel, or the wait for the group that one failure ended."""
    event = trace.cancel_of(request)
    if event.get("src"):
        return event["src"]
    task = trace.tasks.get(request.task)
    return last_await(trace, task.by, None, ("group", "task", "wait"), request.end) if task else None


def _mercy(trace: Trace, request: Request, src: Optional[str]) -> str:
    """Why one failure ended the others' requests, and what to do about it."""
    if trace.cancel_of(request).get("why") == "call":
        return "a failure is a result like another, so do not cancel the others for it"
    task = trace.tasks.get(request.task)
    if task and task.src and task.src == src:       # started and waited for in one call
        return ("without an array rcs, co_gather cancels all tasks as soon as one fails. Give it one, "
                "and each task just has its own result")
    return "the first task that fails cancels the others. Store the error as a result, and let the task return 0"


def _missing(case: Case) -> list[str]:
    """The URLs that should have been asked for and were not, or not often enough."""
    made = Counter(request.url for request in case.trace.requests)
    missing = []
    for url, times in Counter(case.asked).items():
        missing += [url] * max(0, times * case.passes - made[url])
    return missing


def _some_missing(case: Case) -> Optional[Cause]:
    missing, asked = _missing(case), list(case.asked)
    if not missing:
        return None
    url, all_of_them = missing[0], f"{len(missing)} of the {count(len(asked) * case.passes, 'request')} were never made"
    made = next((request for request in case.trace.requests if request.url == url), None)
    if made:
        src = waits_of(case.trace, made)
        return Cause("only once", f"{url} stands {so_often(asked.count(url))} in the list, but was asked for only "
                                  f"{so_often(made_in_all(case.trace, url))}{f' ({src})' if src else ''}: "
                                  "each element of the list is fetched, also one that stood there before", src)
    k = len(asked) - len(missing)
    if k and case.passes == 1 and missing == asked[k:] and 1 in (k, len(missing)):
        return Cause("cut short", f"only {asked[0]} was asked for: does the loop go on to the next one?" if k == 1 else
                     f"{url}, the last one, was never asked for: does the loop stop one too early?")
    if k and case.passes == 1 and missing == asked[k:]:
        task = case.trace.tasks.get(case.trace.requests[-1].task)
        src = (task.src if task and task.number != 1 else None) or waits_of(case.trace, case.trace.requests[-1])
        return Cause("cut short",
                     f"{all_of_them}: it stops after the first {k}{f' ({src})' if src else ''}, and {url} is the next. "
                     f"Is there room for {k} only? The list may have any length: make room for n, with malloc", src)
    return Cause("missing", f"{url} was never asked for" if len(missing) == 1 else f"{all_of_them}, {url} first")


def _double(case: Case) -> Optional[Cause]:
    """A URL was asked for more often than it should; what a redirect led to does not count."""
    allowed, made = Counter(case.asked), Counter()
    last: dict[int, Request] = {}
    for request in case.trace.requests:
        before = last.get(request.task)
        last[request.task] = request
        if before and 300 <= before.status < 400:
            continue
        made[request.url] += 1
        if request.url in allowed and made[request.url] > allowed[request.url] * case.passes:
            src = waits_of(case.trace, request)
            return Cause("double", f"{request.url} was asked for {so_often(made_in_all(case.trace, request.url))}"
                                   f"{f' ({src})' if src else ''}, but it is to be fetched "
                                   f"{so_often(allowed[request.url] * case.passes)}: {_enough(case.trace, request)}",
                         src)
    return None


def _enough(trace: Trace, request: Request) -> str:
    """What to do instead of asking for the same URL once more."""
    before = [other for other in trace.requests if other.url == request.url and other.op < request.op]
    if any(other.failed or other.status >= 400 for other in before):
        return "an error is a result, do not try again"
    if any(other.task == request.task for other in before):
        return "take all you need out of the first answer"
    if any(other.task == one.task and other.url != request.url for one in [request, *before]
           for other in trace.requests):
        return ("two workers have taken the same job: take it out of the queue at the moment you read it, "
                "before anything waits")
    return "start one task for it, not more"


def _shared_job(case: Case) -> Optional[Cause]:
    """Tasks that were given one and the same job: when they run, all of them see what was written last."""
    trace = case.trace
    sharing = [task for task in trace.tasks.values() if task.job_of in trace.tasks
               and trace.tasks[task.job_of].src == task.src]
    if not sharing:
        return None
    src = sharing[0].src
    alike = {number for task in sharing if task.src == src for number in (task.number, task.job_of)}
    urls = {request.url for request in trace.requests if request.task in alike}
    url = next(iter(urls), "")
    # Workers may share what they only read, or a queue: then they ask for different URLs, or for too many, the first
    # one first.
    if len(urls) != 1 or url == case.asked[0] or made_in_all(trace, url) <= list(case.asked).count(url) * case.passes:
        return None
    return Cause("shared job",
                 f"{src or 'the program'} gives one and the same job to {len(alike)} tasks: "
                 f"a task begins only after that, and then each finds in it what was written last, {url}. Give each "
                 "its own: an array of jobs that lives until all tasks have ended (a variable declared inside the loop "
                 "is the same memory every time round)", src)


def _own_timeout(case: Case) -> Optional[Cause]:
    """A timeout of the student's own ended a request; the kit's begins with the call that fetches."""
    request = next((request for request in case.trace.finished if request.timeout_src and not case.too_slow_by_numbers
                    and request.timeout_src != waits_of(case.trace, request)), None)
    if request is None:
        return None
    wait = isinstance(case.expected, (int, float)) and case.expected >= KIT_TIMEOUT
    return Cause("own timeout",
                 f"the request for {request.url} was given up after {show(request.ns)} by the timeout that began at "
                 f"{request.timeout_src}" + (f": take it away, the kit itself gives up after {show(KIT_TIMEOUT)}"
                                             if wait
                                                            else ""), request.timeout_src)


def _cancel_ignored(case: Case) -> Optional[Cause]:
    """The task that was cancelled did not hand on what its wait returned."""
    for event in case.trace.of("cancel", "runtime"):
        if event.get("why") != "call":
            continue
        before = case.trace.events[:case.trace.events.index(event)]
        waited = next((line for line in reversed(before) if line.get("ev") in ("await", "run")
                       and line.get("task") == event["task"]), {})
        task = case.trace.tasks.get(event["task"])
        if waited.get("ev") == "await" and of_student(waited.get("src")) and task and task.done is not None \
                and task.rc != -errno.ECANCELED:
            return Cause("cancel ignored",
                         f"the wait at {waited['src']} returned -ECANCELED, and nobody took notice: keep what it "
                         "returns, clean up, and return it", waited["src"])
    return None


def _its_own_error(case: Case) -> Optional[Cause]:
    """The function returned the error of one of its requests."""
    report = case.trace.report("result")
    rc = report["value"].get("rc") if report and isinstance(report["value"], dict) else None
    bad = next((request for request in case.trace.finished if request.failed and request.rc == rc), None)
    if bad is None:
        return None
    src = waits_of(case.trace, bad)
    return Cause("handed on",
                 f"{words.error(bad.rc)} is what became of {bad.url}{f' ({src})' if src else ''}: "
                 "a failed request is a result of that URL, not of the function, which returns 0", src)


# ---- When it was fetched ------------------------------------------------------------------------


def _blocked(case: Case) -> Optional[Cause]:
    """The loop stood still. Fetching with a blocking call is right where one after the other is."""
    blocks = [block for block in case.trace.blocks() if block.ns > 0
              and not (block.on == "http" and (case.serial_is_right or case.nobody_waits))]
    if not blocks or not case.too_slow:
        return None
    by_place: dict[tuple, list[Block]] = defaultdict(list)
    for block in blocks:
        by_place[block.src, block.on].append(block)
    (src, on), worst = max(by_place.items(), key=lambda place: sum(block.ns for block in place[1]))
    total = sum(block.ns for block in worst)
    often = f"{show(total)} in {count(len(worst), 'call')}" if len(worst) > 1 else show(total)
    return Cause("blocked", f"{src or 'the program'} blocks the whole loop for {often}: "
                            f"while {words.call(on)} runs, no other task can{_instead(on)}", src)


def _instead(on: str) -> str:
    """The call that lets the others run meanwhile."""
    call = {"http": "co_http_get", "sleep": "co_sleep", "usleep": "co_sleep", "nanosleep": "co_sleep"}.get(on)
    return f". Call {call} instead" if call else ", so take it out of there"


def _slept(case: Case) -> Optional[Cause]:
    """It slept on when there was nothing to wait for any more."""
    start, result = case.trace.report("start"), case.trace.report("result")
    if not case.too_slow_by_numbers or not start or not result:
        return None
    last = max((request.end for request in case.trace.requests if request.end is not None), default=start["t"])
    asleep: dict[int, Event] = {}
    for event in case.trace.events:
        if event.get("ev") == "await" and event.get("on") == "sleep":
            asleep[event["task"]] = event
        elif event.get("ev") == "run" and event.get("task") in asleep:
            since = asleep.pop(event["task"])
            if last < event["t"] <= result["t"] and since.get("src"):
                there = f"the last answer was there after {show(last - start['t'])}" if case.trace.requests \
                    else "there was nothing to wait for"
                return Cause("slept",
                             f"{since['src']} sleeps for {show(event['t'] - since['t'])}, and {there}. "
                             "Do not guess how long it takes: co_join and co_await return as soon as the tasks have "
                             "ended", since["src"])
    return None


def _one_after_another(case: Case) -> Optional[Cause]:
    """Fewer requests were under way at a time than there were requests."""
    requests, trace = case.trace.requests, case.trace
    if len(requests) < 2 or not case.too_slow or case.serial_is_right or case.nobody_waits:
        return None
    peak = trace.peak
    late = next((request for request in requests if any(other.end is not None and other.end <= request.start
                                                        and other.op < request.op for other in requests)), None)
    if not late:
        return None
    src, how = _held_by(trace, late)
    if peak > 1:
        text = f"only {peak} of the {len(requests)} requests were ever under way at once"
        return Cause("held", text + (f": {src} makes the others wait" if src else "")
                     + (". Let more of them in at a time, or take no lock (or semaphore) around a fetch"
                        if how == "lock" else
                        ". Start all of them before you wait"), src)
    if how == "same task":
        return Cause("sequential", f"one task fetches one URL after the other{f' at {src}' if src else ''}: "
                                   "start a task for each URL, then wait for all", src)
    if how == "lock":
        return Cause("sequential",
                     f"at {src} each task waits until the one before has fetched: "
                     "take no lock (or semaphore) around a fetch, or others cannot fetch meanwhile", src)
    return Cause("sequential", f"{src or 'the program'} waits for each fetch before the next one starts: "
                               "start all of them first, then wait", src)


def _held_by(trace: Trace, late: Request) -> tuple[Optional[str], str]:
    """(place, how) of what kept a request from starting earlier: its own task's wait, or its spawner's."""
    before = [request for request in trace.requests if request.op < late.op]
    if any(request.task == late.task for request in before):
        return waits_of(trace, late) or waits_of(trace, before[-1]), "same task"
    held = last_await(trace, late.task, late, _HOLDING)
    if held:
        return held, "lock"
    task = trace.tasks.get(late.task)
    spawner = last_await(trace, task.by, late, ()) if task else None
    return spawner, "spawner"


def _overlapped(case: Case) -> Optional[Cause]:
    """Quicker than it should be: at the same time where one after the other was asked for."""
    peak = case.trace.peak
    if not case.too_quick or not case.serial_is_right or peak < 2:
        return None
    task = case.trace.tasks.get(case.trace.requests[1].task)
    src = task.src if task else None
    return Cause("overlapped", f"{peak} requests were under way at once, but they are to run one after the other", src)


def _limit(case: Case) -> Optional[Cause]:
    """More at once than allowed: the request that went over, and where its task was spawned."""
    if not isinstance(case.expected, int):
        return None
    now: set[int] = set()
    for event in case.trace.events:
        if event.get("ev") == "http.start":
            now.add(event["op"])
            if len(now) > case.expected:
                task = case.trace.tasks.get(event["task"])
                src = task.src if task else None
                return Cause("limit",
                             f"at {show(event['t'])} the request for {event['url']} was the {_nth(len(now))} under way"
                             f"{f' (its task was spawned at {src})' if src else ''}; at most {case.expected} may be",
                             src)
        elif event.get("ev") in ("http.end", "http.cancelled"):
            now.discard(event["op"])
    return None


def _nth(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


# ---- What became of the results -----------------------------------------------------------------


def _out_of_order(case: Case) -> Optional[Cause]:
    """The right results in the order in which the answers came."""
    if not case.answers or not isinstance(case.happened, list) or case.happened == list(case.answers):
        return None
    waiting: dict[str, list[Any]] = defaultdict(list)
    for url, answer in zip(case.asked, case.answers):
        waiting[url].append(answer)
    arrived = [request.url for request in case.trace.finished if request.url in waiting]
    came = [waiting[url].pop(0) for url in arrived if waiting[url]]
    if len(came) != len(case.answers) or came != case.happened:
        return None
    wrong = next(i for i, answer in enumerate(case.answers) if answer != case.happened[i])
    return Cause("order",
                 "the results stand in the order in which the answers came: "
                 f"place {wrong} holds that of {arrived[wrong]}, but urls[{wrong}] is {case.asked[wrong]}. Give each "
                 "task the place that belongs to its URL")


def _unfinished(case: Case) -> Optional[Cause]:
    """The function returned while requests were still under way."""
    result = case.trace.report("result")
    if not result:
        return None
    late = [request for request in case.trace.requests if request.start <= result["t"]
            and (request.end is None or request.end > result["t"])]
    if not late:
        return None
    task = case.trace.tasks.get(late[0].task)
    src = task.src if task else None
    return Cause("unfinished", f"the function returned at {show(result['t'])}, while {count(len(late), 'request')} "
                               f"{'was' if len(late) == 1 else 'were'} still under way: wait for every task"
                               f"{f' spawned at {src}' if src else ''} first", src)


def _leaks(case: Case) -> Optional[Cause]:
    by_place = Counter((leak.what, leak.name, leak.src) for leak in case.trace.leaks)
    if not by_place:
        return None
    (what, name, src), times = by_place.most_common(1)[0]
    at = src or "the program"
    if what == "task":
        return Cause("never awaited",
                     f"{at} starts {name or 'a task'} and nobody ever waits for it: call co_join (or co_await) "
                     "before the function returns", src)
    if what == "response":
        return Cause("leaked response",
                     f"{at} receives {'an answer that is' if times == 1 else f'{times} answers that are'} "
                     "never freed: call co_response_free once you have taken what you need", src)
    if what == "lock":
        return Cause("held lock", f"{at} takes a lock that is still held at the end", src)
    if what == "timeout":
        return shapes.limit_not_ended(case)
    if what in _OPENED:
        call, end = _OPENED[what]
        return Cause(f"open {what}",
                     f"{at} opens a {what} that is never closed: {call} closes it where its block ends (else {end})",
                     src)
    return Cause("leak", f"{at} leaves behind a {what}", src)


_OPENED = {"session": ("CO_SESSION", "co_session_close"), "stream": ("CO_STREAM", "co_stream_close"),
           "file": ("CO_FILE", "co_file_close")}


# ---- How it ended -------------------------------------------------------------------------------


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
        first = (waiters or lines)[0]
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


LIVELOCK_RUNS = 500     # so many turns at one instant, at the end of a run that was stopped, are no accident
FOR_EVER = 1 << 62      # ns: the runtime writes what is left of an int64_t

_ENDINGS: dict[str, Callable[[Trace, Event], Optional[Cause]]] = {
    "block": _block, "deadlock": _deadlock, "livelock": _livelock, "overflow": _overflow, "crash": _crash}


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


_RULES: dict[str, tuple[Callable[[Case], Optional[Cause]], ...]] = {
    "": (_nothing, _shared_job, shapes.limit_not_ended, _aborted, _unfinished, _double, _blocked, _one_after_another,
         _some_missing, _own_timeout, _leaks),
    "timing": (_nothing, _shared_job, shapes.limit_not_ended, _aborted, _unfinished, _double, _own_timeout, _blocked,
               shapes.no_timeout, shapes.timeout_each_read, shapes.clock_goes_on,
               shapes.worker_ended, _one_after_another, _slept, _overlapped, _some_missing),
    "results": (_nothing, _shared_job, shapes.limit_not_ended, _out_of_order, _aborted, _unfinished, _double,
                _own_timeout, _some_missing),
    "requests": (_nothing, _shared_job, _aborted, _double, _some_missing),
    "block": (_nothing, _blocked),
    "limit": (_nothing, _limit, _blocked, _one_after_another),
    "reach": (_nothing, _aborted, _blocked, shapes.worker_ended,
              shapes.held_back),     # of a limit: so many, and not fewer
    "connections": (_nothing, shapes.many_sessions, shapes.no_session),
    "bound": (_nothing, shapes.nobody_waits_for_room),
    "files": (shapes.half_written, shapes.left_behind),
    "leaks": (_leaks,),
    "cancelled": (_nothing, _cancel_ignored),
    "refusal": (_nothing, _aborted, _its_own_error),     # it returned an error: what it did and when is not asked
}
