"""The visible checks of lab 04. The numbers in brackets are the requirements' in README.md, "What your functions must
do"."""

from __future__ import annotations

import errno
import heapq
from collections import Counter, deque
from dataclasses import dataclass, field

from looplab import Fault, World, ms, points, sec, us
from looplab.plain import seed
from looplab.plain.duration import show
from looplab.plain.failure import Cause, CheckFailed, Failure
from looplab.plain.text import count
from looplab.plain.words import error

LEAST_COVERED = 85          # per cent of the lines; the rest is room for what handles a failed malloc
WORKERS, LIMIT = 5, 3       # what main.c takes when it is told nothing else
TODO = "pool.c, TODOs 1 to 5"
ONCE = "test_each_job_once"
ENDS = "test_it_ends"
ASAP = "test_jobs_begin_as_soon_as_possible"
WAIT = ms(500)              # what the handler of main.c does at a line "wait"
GARBAGE = 700_000_000       # what main.c leaves in the statistics is more


# ---- What a pool must do: the requirements 2 to 5, 8 and 11 as a program ----------------------


@dataclass
class Plan:
    """What a right pool does in a world. Times are ns from the call of pool_run."""

    begun: list = field(default_factory=list)       # (t, url) of each request, in their order
    elapsed: int = 0
    succeeded: int = 0
    failed: int = 0
    handled: int = 0                                # pages that the handler was called for
    left: list = field(default_factory=list)        # the URLs handed back

    @property
    def urls(self) -> list:
        return [url for _, url in self.begun]


def lines_of(world: World) -> dict:
    """What the handler of main.c finds in each page."""
    return {site["url"] + route["path"]: route.get("body", "").split("\n") for site in world.json()["sites"]
            for route in site["routes"]}


def plan(world: World, urls=None, workers: int = WORKERS, limit: int = LIMIT, handle: int = 0, repeat: int = 1,
         handler: int = 1, after=None, held: bool = False, batch: int = 0) -> Plan:
    """The right run. after: when pool_stop is called. Two mistakes, to recognise them: held (a place is held while the
    handler runs, too), batch (so many jobs are begun together, and the next only when all of these are done)."""
    run = Planning(world, list(world.urls() if urls is None else urls) * repeat, workers, limit)
    run.handle, run.handler, run.held = handle, handler, held
    run.stopping = after == 0
    if after:
        run.later(after, "stop")
    while True:
        while run.may_begin() and (not batch or len(run.does.begun) % batch or run.free == workers):
            run.begin()
        if not run.events or run.free == workers and (run.stopping or not run.waiting):
            break
        run.step()
    run.does.left = list(run.waiting)
    return run.does


class Planning:
    """A right run under way."""

    def __init__(self, world: World, urls: list, workers: int, limit: int):
        self.world, self.pages, self.does, self.waiting = world, lines_of(world), Plan(), deque(urls)
        self.handle, self.handler, self.held, self.stopping = 0, 1, False, False
        self.events: list = []                          # (t, number, what, url, line)
        self.free, self.places, self.t, self.number = workers, limit, 0, 0

    def later(self, ns: int, what: str, url: str = "", line: int = 0) -> None:
        self.number += 1
        heapq.heappush(self.events, (self.t + ns, self.number, what, url, line))

    def may_begin(self) -> bool:
        return bool(self.waiting and self.free and self.places and not self.stopping)

    def begin(self) -> None:
        url = self.waiting.popleft()
        self.free, self.places = self.free - 1, self.places - 1
        self.does.begun.append((self.t, url))
        self.later(self.world.total(url), "answer", url)

    def step(self) -> None:
        self.t, _, what, url, line = heapq.heappop(self.events)
        if what == "stop":
            self.stopping = True
        elif what == "answer":
            self.answered(url)
        else:
            self.read(url, line)

    def answered(self, url: str) -> None:
        answer = self.world.answer(url)
        good = not answer["error"] and answer["status"] < 400
        self.does.handled += bool(self.handler and good)
        if good and self.held:
            self.places -= 1
        self.places += 1
        if not good or not self.handler:
            self.finished(good, self.held and good)
        elif self.handle:
            self.later(self.handle, "line", url)
        else:
            self.read(url, 0)

    def read(self, url: str, begin: int) -> None:
        for i, line in enumerate(self.pages.get(url, [])[begin:], begin):
            if line == "wait":
                self.later(WAIT, "line", url, i + 1)
                return
            if line == "bad":
                self.finished(False, self.held)
                return
            if line.startswith("http://"):
                self.waiting.append(line)
            self.stopping = self.stopping or line == "stop"
        self.finished(True, self.held)

    def finished(self, good: bool, has_place: bool) -> None:
        does = self.does
        does.succeeded, does.failed = does.succeeded + good, does.failed + (not good)
        self.free, self.places, does.elapsed = self.free + 1, self.places + has_place, self.t


# ---- Running it, and what a run must show -----------------------------------------------------


def pool(lab, world: World, urls=None, mode: str = "pool", may_fail: bool = False, tape=None, **settings):
    """A run of the student's pool; one that hangs is told what hangs a pool."""
    try:
        return lab.run(mode, world, urls, settings=settings, todo=TODO, may_fail=may_fail, tape=tape)
    except CheckFailed as failed:
        raise CheckFailed(with_reason(failed.failure), failed.replay, failed.virtual_ns) from None


def with_reason(failure: Failure) -> Failure:
    """A deadlock's report, and what in a pool leads to it."""
    cause = failure.cause
    if not cause or cause.kind != "deadlock":
        return failure
    gets, places, joins, room, barrier = (words in cause.text for words in (
        "an item from a queue", "a semaphore", "items to be finished", "room in a queue", "at a barrier"))
    if barrier:
        why = "a barrier waits until all have come, and some never do. No job has to wait for another one"
    elif room:
        why = ("the queue is full, and nobody is there to take something out. pool_add may not wait: co_queue_try_put, "
               "into a queue without a bound (maxsize 0)")
    elif joins and not gets and not places:
        why = ("no worker is left to finish these jobs: a worker ends when there will be no job any more, not because "
               "one has failed or the pool was stopped")
    elif joins and not places:
        why = ("that needs one co_queue_task_done for each job that was got. Is it called also when the job has "
               "failed, and when it is left because of a stop?")
    elif gets and not joins:
        why = ("a worker waits for a job that never comes. Did another one take it between the look at the queue and "
               "the get? (What you saw before a wait may be wrong after it.) Or has nobody told it that there will be "
               "no more, once all jobs are finished?")
    elif places:
        why = ("a place was taken and never given back. Which path leaves without a release: a request that failed, a "
               "handler's error, a stop? (CO_WITH_SEM gives it back on every path)")
        if not joins:
            why += (". Or, if this semaphore counts jobs or news: at the end, and where there is no job at all, it "
                    "must be released once for each worker that waits, as one release wakes one")
    else:
        why = "whoever finishes the last job must wake all who wait: for a job, and for the end"
    return Failure(failure.expected, failure.happened, Cause(cause.kind, f"{cause.text}: {why}", cause.src))


def given_up(run) -> list:
    """The requests that were cancelled under way."""
    return [request for request in run.requests if request.given_up]


def should_cut_nothing_off(run) -> None:
    """No worker is cancelled in the middle of a job."""
    cut = given_up(run)
    if not cut:
        return
    told = run.cause("refusal")
    src = run.trace.cancel_of(cut[0]).get("src")
    hint = (f"{f'{src} cancels workers' if src else 'workers are cancelled'} in the middle of their jobs, {cut[0].url} "
            "first: wait until all jobs are finished (co_queue_join), and only then end the workers")
    if run.mode == "stop":
        hint = (f"{f'{src} cancels workers' if src else 'workers are cancelled'} in the middle of their "
                f"jobs, {cut[0].url} first: to stop is not to cancel. "
                "pool_stop only says that nothing more begins; who works finishes")
    run.fail("each request that was begun is waited for", f"{count(len(cut), 'request')} given up under way",
             told.text if told and told.kind == "aborted" else hint, told.src if told and told.kind == "aborted"
             else src, topic="-")


def should_do(run, urls) -> None:
    """Exactly these jobs, each once, in any order."""
    if not run.requests and urls:
        run.fail(f"{count(len(urls), 'request')}", "no request", topic="requests", hint=f"write {TODO}")
    should_cut_nothing_off(run)
    right, made = Counter(urls), Counter(request.url for request in run.requests)
    twice, missing = made - right, right - made
    if twice:
        url = min(twice)
        again = [request for request in run.requests if request.url == url][-1]
        before = [request for request in run.requests if request.url == url][-2:-1]
        hint = "each job is taken by one worker: take it out of the queue at the moment you read it, before any wait"
        if before and (before[0].failed or before[0].status >= 400):
            hint = "a job that failed is counted, and not tried again"
        if right[url] == 0:
            hint = "it was to be handed back, or was no job at all"
        run.fail(f"{count(right[url], 'request')} for {url}", f"{made[url]}, the last one at {show(again.start)}",
                 hint, topic="-")
    if missing:
        run.fail(f"{count(len(urls), 'request')}, one for each job",
                 f"{len(run.requests)}: {count(sum(missing.values()), 'job')} never begun, {min(missing)} first",
                 why_missing(run, missing), topic="-")


def why_missing(run, missing) -> str:
    """Why jobs were never begun although pool_run has returned."""
    added = [url for url in missing if url not in run.asked]
    if added and (run.report["handled"] == run.report["wrong"] or run.report["handled"] and not run.report["found"]):
        return ("the handler found nothing in its pages: was each freed, or its body, before the call? Free it after "
                "the handler has returned")
    begun = {request.url for request in run.requests}
    pages = lines_of(run.world).values()
    beside = next((url for url in added for page in pages if url in page and begun & {*page}), "")
    if beside:
        return (f"others that the same handler added were done, and {beside} was lost: where do you keep what waits, "
                "and what becomes of it when that place grows, or begins again at its front?")
    if added and len(added) == len(missing):
        return ("handlers added these with pool_add while the pool ran. "
                "An empty queue is not the end while a job is being done: it may add others. Wait until all that was "
                "put is finished, its handler included (co_queue_join), then end the workers")
    first = [request.url for request in run.requests]
    if set(missing) <= set(first) and len(set(first)) == len(first):
        return (f"{min(missing)} was added {first.count(min(missing)) + missing[min(missing)]} times, but was asked "
                "for only once: the same URL added twice is two jobs")
    if first == run.asked[:len(first)]:
        return (f"it stopped after the first {len(first)}: pool_run waits until every job is finished before it ends "
                "the workers, and a worker takes one job after the other")
    return "pool_run waits until every job is finished before it ends the workers"


def begins(run) -> list:
    """(t, url) of each request."""
    start = run.trace.report("start")["t"]
    return [(request.start - start, request.url) for request in run.requests]


def should_begin_in_order(run, right: Plan) -> None:
    """The requests begin in the order in which the jobs were added."""
    made = [url for _, url in begins(run)]
    if made == right.urls:
        return
    wrong = next(i for i, url in enumerate(right.urls) if i >= len(made) or made[i] != url)
    got = made[wrong] if wrong < len(made) else "nothing"
    hint = "take the oldest job first: a CO_QUEUE, or a list that is put to at one end and taken from at the other"
    if len(right.urls) > 2 and (made == right.urls[::-1] or made[0] == run.asked[-1]):
        hint = "the newest job was taken first; " + hint
    run.fail(f"request number {wrong + 1} is for {right.urls[wrong]}", f"it was for {got}", hint, topic="-")


def should_take_as_planned(run, world: World, urls=None, **numbers) -> None:
    """Each request begins exactly when a worker and a place are free, and pool_run returns with the last job."""
    right = plan(world, urls, **numbers)
    workers, limit = numbers.get("workers", WORKERS), numbers.get("limit", LIMIT)
    if run.elapsed == right.elapsed and [t for t, _ in begins(run)] == [t for t, _ in right.begun]:
        return
    told = run.cause("block") or run.cause("meet")      # what stands still, or waits for all others
    hint = told.text if told else why_time(run, world, urls, right, numbers)
    what = f"{count(workers, 'worker')}, at most {count(limit, 'request')} at a time"
    if run.elapsed != right.elapsed:
        run.fail(f"{show(right.elapsed)} for {count(len(right.begun), 'job')} ({what})",
                 f"it took {show(run.elapsed)}", hint, told.src if told else None, topic="-")
    late = next(i for i, (mine, planned) in enumerate(zip(begins(run), right.begun)) if mine[0] != planned[0])
    run.fail(f"request number {late + 1} begins at {show(right.begun[late][0])} ({what})",
             f"it began at {show(begins(run)[late][0])}", hint, told.src if told else None, topic="-")


def why_time(run, world: World, urls, right: Plan, numbers: dict) -> str:
    """Which mistake takes exactly that long."""
    workers, limit = numbers.get("workers", WORKERS), numbers.get("limit", LIMIT)
    waits = {event["on"]: event["src"] for event in run.trace.of("await", "runtime")
             if (event.get("src") or "").startswith("pool.c")}
    if "sleep" in waits:
        return (f"{waits['sleep']} sleeps for a while and then looks again: nobody knows how long it takes until there "
                "is something to do. Wait for it: co_queue_get, "
                "co_sem_acquire and co_event_wait go on at the very instant")
    fetching = len({request.task for request in run.requests})
    if fetching < min(workers, len(run.requests)):
        return (f"only {fetching} of the {workers} workers ever made a request: start config.workers of them. The "
                "limit is for requests: while one worker handles its page, another one may fetch")
    last = max((request.end or 0 for request in run.requests), default=0) - run.trace.report("start")["t"]
    together = ("jobs are begun together, and the next only when all of these are done: let each worker take the next "
                "one as soon as it is free")
    mistakes = [
        ({"held": True}, "a place is held while the handler runs, too: the limit counts requests only. Give it back as "
                         "soon as the answer is there"),
        ({"limit": 10**9}, "as if there were no limit: one semaphore, shared by all workers, "
                           "must stand before each request"),
        ({"workers": 1}, "as if there were only one worker: start all of them before you wait for one"),
        ({"batch": limit}, f"{limit} {together}"),
        ({"batch": workers}, f"{workers} {together}"),
        ({"limit": limit - 1}, f"as if the limit were {limit - 1}: has a place been taken and not given back, "
                               "or is the limit off by one?"),
        ({"limit": limit + 1}, f"as if the limit were {limit + 1}: is it off by one?"),
        ({"workers": workers - 1}, f"as if there were {workers - 1} workers: is a loop off by one, "
                                   "or has a worker ended too early?"),
        ({"workers": workers + 1}, f"as if there were {workers + 1} workers: config.workers of them do the jobs, "
                                   "and nobody else"),
        ({"handle": 0}, "the handler's time is missing: it is called in the worker's task, "
                        "and the worker is busy until it has returned"),
    ]
    for mistake, words in mistakes:
        with_it = {**numbers, **mistake}
        if with_it != numbers and with_it.get("workers", 1) and with_it.get("limit", 1):
            its = plan(world, urls, **with_it)
            if its.elapsed == run.elapsed and [t for t, _ in its.begun] == [t for t, _ in begins(run)]:
                if mistake == {"workers": 1} and fetching > 1 and "lock" in waits:
                    return (f"at {waits['lock']} each worker waits until the job before is done: "
                            "do not hold the lock while a job is done")
                return words
    if run.elapsed > right.elapsed and [t for t, _ in begins(run)] == [t for t, _ in right.begun] \
            and last <= right.elapsed:
        return (f"the last answer was there at {show(last)}, and nothing was left to wait for: no sleep and no "
                "timeout decides when a pool is done")
    if run.elapsed >= right.elapsed:
        return ("somewhere a worker was free, a job waited, and the limit would have allowed it: who waits for a job "
                "must be woken as soon as there is one, and a place must be given back as soon as the answer is there, "
                "also after an error")
    return "it was quicker than the numbers allow: is the limit, or the handler's time, left out?"


def should_stay_within_limit(run, limit: int) -> None:
    """Over all workers together."""
    if run.peak <= limit:
        return
    run.fail(f"at most {count(limit, 'request')} in flight at once", f"{run.peak} at the busiest moment",
             why_over(run, limit), topic="-")


def why_over(run, limit: int) -> str:
    """Which mistake has let more through."""
    rule = "one semaphore with config.limit places, in the pool, must stand before each request"
    waits = {event["on"]: event["src"] for event in run.trace.of("await", "runtime")
             if (event.get("src") or "").startswith("pool.c")}
    woken = waits.get("event") or waits.get("cond")
    if "sem" not in waits and run.peak == limit + 1:
        return ("it is one too many: a request may begin while fewer than config.limit are in flight (<, not <=), and "
                "is counted before it is sent")
    if "sem" not in waits and woken:
        return (f"one place is free, and several that wait at {woken} are woken: only the first of them finds it free. "
                "Look again after the wait: while (no place is free), not if")
    if "sem" not in waits:
        return ("no worker ever waited for a place. A semaphore in each worker (or made anew for each job) limits "
                f"nobody: {rule}")
    if run.peak == limit + 1:
        return ("it is one too many. Has the semaphore config.limit places, and is one taken before each "
                f"request? {rule[0].upper()}{rule[1:]}")
    return f"a place is free again only when the answer is there, and is given back once: {rule}"


def should_count(run, right: Plan) -> None:
    """The sums."""
    for key, value in (("jobs", right.succeeded + right.failed), ("succeeded", right.succeeded),
                       ("failed", right.failed)):
        got = run.report[key]
        if got != value:
            run.fail(f"stats->{key} {value}", f"{got}", why_count(run, key, value, right), topic="-")


def why_count(run, key: str, value: int, right: Plan) -> str:
    """What a wrong sum says of its maker."""
    got, report = run.report[key], run.report
    if got == "never written":
        return "stats holds garbage when you get it: set jobs, succeeded, failed and elapsed"
    if isinstance(got, int) and got > GARBAGE:
        return "the statistics hold garbage when you get them: set them to zero before you count"
    mine = [worker[key] for worker in report["workers"]]
    if all(isinstance(part, int) for part in mine) and sum(mine) == value and got < value:
        return ("the workers' own numbers are right, but the sum has lost some. Is it kept while the workers run, read "
                "before a wait and written after it? What the others have counted meanwhile is overwritten: read and "
                "write it in one go, or sum up when all have ended")
    if all(isinstance(part, int) for part in mine) and sum(mine) == value:
        return "the workers' own numbers are right, but they are not what you summed up"
    if isinstance(got, int) and right.left and got == value + len(right.left):
        return "a job that is handed back was not done: it is not counted"
    if key == "jobs" and report["succeeded"] == right.succeeded and report["failed"] == right.failed:
        return "jobs is succeeded + failed"
    if key == "succeeded" and got == right.succeeded + right.failed:
        return ("each job was counted as a success: a status of 400 or more, no answer, "
                "and a handler's error are failures")
    errors = sum(request.failed for request in run.requests)
    refused = sum(request.status >= 400 for request in run.requests)
    if key in ("succeeded", "failed") and errors and refused and got == (value - refused if key == "failed"
                                                                         else value + refused):
        return "a status of 400 or more was counted as a success: it is an answer, but the job has failed"
    if isinstance(got, int) and got > value and right.left:
        return "a job that is handed back was not done: it is not counted"
    if right.handled and got == (value + right.succeeded if key == "failed" else value - right.succeeded):
        return ("each page that was handled counts as a failure, but a handler that returns 0 or more is content: "
                "only less than 0 is an error")
    nonsense = right.failed - errors - refused
    if key in ("succeeded", "failed") and nonsense and got == (value - nonsense if key == "failed"
                                                               else value + nonsense):
        return "a handler that returns less than 0 makes its job a failure"
    if isinstance(got, int) and got < value:
        return ("counts are lost. Was a number read before a wait and written after it? Others count meanwhile: read "
                "and write it in one go, after the last wait; or is a path of a failed job not counted?")
    return "each job is counted once, when it is finished: as succeeded or as failed"


def should_count_by_worker(run) -> None:
    """Each worker's numbers are those of the requests that its task made."""
    workers = run.report["workers"]
    for i, worker in enumerate(workers):
        for key, value in worker.items():
            if value == "never written":
                run.fail(f"stats->workers[{i}].{key} is set", "it was never written",
                         "the array holds garbage when you get it: "
                         "set the elements of all config.workers workers to zero first", topic="-")
        if worker["jobs"] != worker["succeeded"] + worker["failed"]:
            garbage = max(worker.values()) > GARBAGE
            run.fail(f"stats->workers[{i}].jobs is succeeded + failed",
                     f"{worker['jobs']}, {worker['succeeded']} and {worker['failed']}",
                     "the array holds garbage when you get it: set it to zero first" if garbage else
                     "count them in one place, with no wait in between", topic="-")
    made = sorted(Counter(request.task for request in run.requests).values())
    told = sorted(worker["jobs"] for worker in workers if worker["jobs"])
    if told != made:
        hint = "each worker counts in its own element: is the index, or the pointer, that of the worker?"
        if sum(told) == sum(made) and len(told) == 1 < len(made):
            hint = "all were counted for one worker: give each worker a pointer to its own element, &stats->workers[i]"
        if sum(told) < sum(made):
            hint = ("some were not counted, or were overwritten: a failed job counts, too, and nothing waits between "
                    "reading a count and writing it")
        run.fail(f"the tasks that made requests made {made}: so many jobs have their workers", f"{told}", hint,
                 topic="-")


def should_hand_back(run, urls) -> None:
    """Exactly these jobs, in any order."""
    right, got = Counter(urls), Counter(url or "NULL" for url in run.report["left"])
    if right == got:
        run.should(run.report["last"] == 0, "pool_take_back returns 1 with a job, and 0 when none is left",
                   f"it returned {run.report['last']}",
                   hint="1: here is one; 0: the end. So one loop goes with it: while (pool_take_back(pool, &url) > 0)")
        return
    lost, extra = right - got, got - right
    if lost:
        url = min(lost)
        begun = any(request.url == url for request in run.requests)
        hint = ("pool_take_back hands back one job after the other, those that a worker had got but not begun, too: "
                "put them where it finds them"
                if not begun else "")
        if extra and len(got) == 1:
            hint = f"{min(got)} is handed back again and again: take each job out of where you keep it"
        elif url not in run.asked:
            hint = "a handler added it after the stop: pool_add still takes it, and it is handed back with the others"
        elif len(got) == 0:
            hint = "nothing was handed back: where does pool_take_back look, and who puts the jobs there?"
        run.fail(f"{count(len(urls), 'job')} handed back", f"{sum(got.values())}: {url} is lost", hint, topic="-")
    url = min(extra)
    made = any(request.url == url for request in run.requests)
    hint = "it was begun, so it is no job that is left" if made else "each job that is left is handed back once: " \
        "take it out of where you keep it"
    run.fail(f"{count(len(urls), 'job')} handed back", f"{sum(got.values())}: {url} is one too many", hint, topic="-")


def should_have_ended(run) -> None:
    """No worker is alive when pool_run returns, whether it was joined or ended with its group's block."""
    alive = run.report["tasks"]
    if alive == 0:
        return
    told = run.cause("leaks")
    run.fail("all workers have ended when pool_run returns", f"{count(alive, 'task')} still alive",
             told.text if told else "the group must end before pool_run returns: co_join, "
                                    "and a CO_GROUP in pool_run itself",
             told.src if told else None, topic="-")


def should_free_all(run) -> None:
    """No answer, lock or task is left. A worker that ended with its group's block was waited for there."""
    if any(leak.what != "task" for leak in run.leaks):
        run.should_leak_nothing()


# ---- Worlds -----------------------------------------------------------------------------------


def pages(lab, n: int = 12, name: str = "pages") -> World:
    """n good pages of different latencies; the same for every check that asks, so these share their runs."""
    rng = seed.rng(lab.seed, name)
    world = World(seed=lab.seed).site("http://news.test", rtt=ms(20))
    for i, latency in enumerate(rng.sample(range(150, 500), n)):
        world.route(f"/{i}", latency=ms(latency) + us(rng.randint(1, 999)), body_size=rng.randint(100, 900))
    return world


def few_pages(lab) -> World:
    """Fewer pages than there are workers."""
    return pages(lab, 3, "few")


def tree(lab) -> tuple:
    """A page that names others, which name others; and the one URL to begin with. Twice one job is being done, and none
    waits.

    The jobs that a page names either all begin at once, or are alike: so their order among themselves does not matter.
    """
    rng = seed.rng(lab.seed, "tree")
    world = World(seed=lab.seed).site("http://wiki.test", rtt=ms(10))

    def page(path: str, latency: int, *links: str) -> None:
        world.route(path, latency=latency, body="\n".join(f"http://wiki.test{link}" for link in links))

    def any_time(least: int, most: int) -> int:
        return ms(rng.randint(least, most)) + us(rng.randint(1, 999))

    page("/", any_time(100, 300), "/a", "/b", "/c")
    page("/a", any_time(100, 200))
    page("/b", any_time(300, 400), "/b/1", "/b/2")
    page("/c", any_time(900, 999), *(f"/c/{i}" for i in range(7)))
    page("/b/1", any_time(100, 200))
    page("/b/2", any_time(201, 300))
    leaf = any_time(200, 400)
    for i in range(7):
        page(f"/c/{i}", leaf)
    return world, ["http://wiki.test/"]


def good_and_bad(lab) -> World:
    """Every way to fail, more often than there are workers and places; good pages before, between and after."""
    rng = seed.rng(lab.seed, "good and bad")
    world = World(seed=lab.seed).site("http://good.test", rtt=ms(20))

    def latency() -> int:
        return ms(rng.randint(50, 300)) + us(rng.randint(1, 999))

    world.route("/first", latency=latency(), body="the first")
    for status in (201, 404, 500, 304, 403, 503):
        world.route(f"/{status}", latency=latency(), status=status, body="" if status < 400 else "an error page\nbad\n")
    world.route("/good", latency=latency(), body="good")
    for i in range(3):
        world.route(f"/nonsense{i}", latency=latency(), body="bad\n")
    world.site("http://closed.test", rtt=ms(10), fault=Fault.refused())
    for i in range(4):
        world.route(f"/{i}")
    world.site("http://bad.test", rtt=ms(20))
    for i in range(2):
        world.route(f"/reset{i}", latency=latency(), body_size=3000, fault=Fault.reset(after=1000))
        world.route(f"/truncated{i}", latency=latency(), body_size=3000, fault=Fault.truncate(after=1000))
    world.site("http://unknown.test", resolve=ms(5), fault=Fault.unresolved()).route("/1").route("/2")
    world.site("http://last.test", rtt=ms(20))
    for i in range(6):
        world.route(f"/{i}", latency=latency(), body="good")
    return world


# ---- Jobs -------------------------------------------------------------------------------------


@points(4, "correctness")
def test_each_job_once(lab):
    """Each job is done exactly once (1)"""
    world = pages(lab)
    should_do(pool(lab, world), world.urls())


@points(3, "correctness", needs=(ONCE, "test_limit_is_kept"))
def test_jobs_begin_in_their_order(lab):
    """Jobs begin in the order they were added (2)"""
    world = pages(lab)
    should_begin_in_order(pool(lab, world), plan(world))


@points(2, "robustness", needs=ONCE)
def test_it_ends(lab):
    """The pool ends after its last job, in all numbers (9, 13)"""
    for world, numbers in ((pages(lab), {"workers": 8, "limit": 2}), (few_pages(lab), {"workers": 7, "limit": 2})):
        should_do(pool(lab, world, **numbers), world.urls())


@points(4, "timing", needs=ENDS)
def test_limit_is_kept(lab):
    """Never more requests than the limit, over all workers (7)"""
    world = pages(lab)
    should_stay_within_limit(pool(lab, world), LIMIT)
    should_stay_within_limit(pool(lab, world, workers=8, limit=2), 2)


@points(2, "timing", needs=ONCE)
def test_loop_is_never_blocked(lab):
    """The loop is never blocked (10)"""
    pool(lab, pages(lab)).should_never_block(hint="fetch with co_http_get")


@points(5, "timing", needs=("test_jobs_begin_in_their_order", "test_limit_is_kept", "test_loop_is_never_blocked",
                            "test_few_tasks_for_many_jobs"))
def test_jobs_begin_as_soon_as_possible(lab):
    """Jobs begin as soon as worker and limit allow (3, 7)"""
    world = pages(lab)
    for numbers in ({}, {"workers": 8, "limit": 2}, {"workers": 2, "limit": 6}):
        run = pool(lab, world, **numbers)
        should_take_as_planned(run, world, **numbers)


@points(4, "timing", needs=ASAP)
def test_limit_counts_requests_only(lab):
    """A handler that waits holds no place (8)"""
    world = pages(lab)
    numbers = {"workers": 6, "limit": 2, "handle": ms(400)}
    run = pool(lab, world, **numbers)
    should_stay_within_limit(run, 2)
    should_take_as_planned(run, world, **numbers)


@points(2, "correctness", needs="test_failed_jobs_end_nothing")
def test_handler_sees_each_page(lab):
    """The handler is called once for each good page (5)"""
    world = good_and_bad(lab)
    with lab.part(1, "called for each page below 400, and for no other"):
        run = pool(lab, world)
        right = plan(world).handled
        if run.report["handled"] == right == run.report["wrong"]:
            run.fail("the handler gets the page", "it gets pages of status 0",
                     "the page is freed before the call: co_response_free zeroes it. Free it "
                     "after the handler has returned", topic="-")
        run.should(run.report["handled"] == right and not run.report["wrong"],
                   f"{count(right, 'call')} of the handler, all for statuses below 400",
                   f"{count(run.report['handled'], 'call')}, {run.report['wrong']} of them without a URL or for a "
                   "status of 400 or more",
                   hint="call it for pages only: not without an answer, and not for an error page"
                   if run.report["handled"] > right else
                   "each answer with a status below 400 is a page, a 201 or a 304, too: "
                   "call config.handle with it, once")
    with lab.part(1, "a pool without a handler"):
        run = pool(lab, pages(lab), handler=0)
        should_do(run, pages(lab).urls())


@points(5, "correctness", needs=ASAP)
def test_further_jobs(lab):
    """Jobs that handlers add are done, by whoever is free (4)"""
    world, first = tree(lab)
    run = pool(lab, world, first)
    should_do(run, plan(world, first).urls)         # if not, nothing else is to be said
    with lab.part(3, "each of them once"):
        should_do(run, plan(world, first).urls)
    with lab.part(2, "as soon as possible"):
        if run.elapsed != plan(world, first).elapsed and run.elapsed == plan(world, first, workers=1).elapsed:
            run.fail(f"{show(plan(world, first).elapsed)}: further jobs are done by all workers",
                     f"it took {show(run.elapsed)}",
                     "one worker does everything: the others have ended, as they found the queue empty. "
                     "Empty is not the end while a job is being done", topic="-")
        should_take_as_planned(run, world, first)


# ---- Workers and numbers ----------------------------------------------------------------------


@points(2, "robustness", needs=ENDS)
def test_few_tasks_for_many_jobs(lab):
    """A fixed number of tasks does 240 jobs (6)"""
    world = pages(lab, 240, "many")
    run = pool(lab, world, workers=4, limit=4)
    should_start_few_tasks(run, 4)
    should_do(run, world.urls())


def should_start_few_tasks(run, workers: int) -> None:
    """The number of tasks does not grow with the jobs, and the workers make the requests themselves."""
    fetching = {request.task for request in run.requests}
    src = run.spawns[-1].src if run.spawns else None
    hint = (f"{src or 'the program'} starts a task for each job, or new workers again and again: start config.workers "
            "once; each does one job after the other")
    if len(run.spawns) <= 4 * workers + 8:
        hint = f"config.workers tasks, {workers} here, do the jobs, and call co_http_get themselves"
    run.should(len(run.spawns) <= 4 * workers + 8 and len(fetching) <= workers,
               f"{count(workers, 'worker')} for all requests, and the tasks do not become more with the jobs",
               f"{count(len(run.spawns), 'task')} started, {len(fetching)} of them made requests", hint=hint, src=src)


@points(5, "robustness", needs=ASAP)
def test_any_numbers(lab):
    """More workers than jobs, a high limit, one of each, none (9)"""
    few = few_pages(lab)
    for title, world, numbers in (("more workers than jobs", few, {"workers": 7, "limit": 2}),
                                  ("a limit above the workers", pages(lab), {"workers": 2, "limit": 6}),
                                  ("one worker", few, {"workers": 1, "limit": 3}),
                                  ("a limit of one", few, {"workers": 4, "limit": 1})):
        with lab.part(1, title):
            run = pool(lab, world, **numbers)
            should_do(run, world.urls())
            should_stay_within_limit(run, min(numbers["limit"], numbers["workers"]))
            should_take_as_planned(run, world, **numbers)
    with lab.part(1, "no job at all"):
        run = pool(lab, World(seed=lab.seed), [])
        run.should_take(0, what="there is nothing to do", hint="without jobs pool_run returns at once")


# ---- Failures ---------------------------------------------------------------------------------


@points(4, "robustness", needs=ASAP)
def test_failed_jobs_end_nothing(lab):
    """A failed job ends nothing but itself (12)"""
    world = good_and_bad(lab)
    run = pool(lab, world, may_fail=True)
    if run.report["rc"] != 0:
        run.fail("pool_run returns 0", f"it returned {error(run.report['rc'])}", topic="refusal",
                 hint="a failed job is a number in the statistics, and no error of pool_run or of its worker")
    should_do(run, world.urls())
    should_take_as_planned(run, world)


@points(3, "correctness", needs=("test_failed_jobs_end_nothing", "test_statistics_add_up",
                                 "test_handler_sees_each_page"))
def test_failures_are_counted(lab):
    """Errors, statuses from 400 and bad pages are failures (11)"""
    world = good_and_bad(lab)
    should_count(pool(lab, world), plan(world))


# ---- The end ----------------------------------------------------------------------------------


@points(2, "robustness", needs=ONCE)
def test_all_workers_have_ended(lab):
    """All workers have ended when pool_run returns (13)"""
    run = pool(lab, pages(lab))
    should_cut_nothing_off(run)
    should_have_ended(run)


STOP = ms(517) + us(333)        # no page is there at just that instant


@points(4, "robustness", needs=ASAP)
def test_stop_lets_running_jobs_finish(lab):
    """After pool_stop no request begins, running ones end (14)"""
    world = pages(lab)
    run = pool(lab, world, mode="stop", after=STOP)
    should_stop_as_planned(run, world, after=STOP)


def should_stop_as_planned(run, world: World, urls=None, **numbers) -> None:
    """No request begins after the stop, none is cut off, and pool_run returns with the last of them."""
    right = plan(world, urls, **numbers)
    late = [url for t, url in begins(run) if "after" in numbers and t > numbers["after"]]
    if late:
        held = len(late) <= numbers.get("workers", WORKERS)
        run.fail("no request begins after pool_stop", f"{count(len(late), 'request')} did, {late[0]} first",
                 "a worker that waits for its place when pool_stop is called must look again when it gets it: "
                 "right before the request" if held else
                 "who looks at what pool_stop has set? Every worker, right before each request", topic="-")
    should_do(run, right.urls)
    if run.elapsed != right.elapsed:
        run.fail(f"pool_run returns at {show(right.elapsed)}, when the last running job is finished",
                 f"it returned at {show(run.elapsed)}",
                 "wait for the jobs that are being done, and for nothing else", topic="-")


@points(3, "correctness", needs=("test_stop_lets_running_jobs_finish", "test_statistics_add_up"))
def test_waiting_jobs_are_handed_back(lab):
    """pool_take_back hands back each job never begun, once (15)"""
    world = pages(lab)
    with lab.part(2, "after a stop"):
        run = pool(lab, world, mode="stop", after=STOP)
        should_hand_back(run, plan(world, after=STOP).left)
        should_count(run, plan(world, after=STOP))
    with lab.part(1, "without a stop none is left"):
        should_hand_back(pool(lab, world), [])


CANCEL = ms(431) + us(777)


@points(3, "robustness", needs=(ONCE, "test_loop_is_never_blocked"))
def test_cancelled_it_ends(lab):
    """Cancelled, pool_run ends all workers, then returns (16)"""
    run = pool(lab, pages(lab), mode="cancel", after=CANCEL, may_fail=True)
    should_end_when_cancelled(run, CANCEL)


def should_end_when_cancelled(run, after: int) -> None:
    """-ECANCELED, at that instant, with nothing left behind."""
    if run.report["rc"] != -errno.ECANCELED:
        run.fail("pool_run returns -ECANCELED", f"it returned {error(run.report['rc'])}", topic="cancelled",
                 hint="hand on what the wait in pool_run returned")
    if run.elapsed != after:
        told = run.cause("shield")
        run.fail(f"it returns at {show(after)}, when it is cancelled", f"it returned at {show(run.elapsed)}", topic="-",
                 hint=told.text if told else "cancel the workers (leaving a CO_GROUP when cancelled does, "
                                             "and co_join) instead of letting them finish",
                 src=told.src if told else None)
    should_have_ended(run)


@points(3, "robustness", needs=("test_all_workers_have_ended", "test_cancelled_it_ends",
                                "test_failed_jobs_end_nothing", "test_stop_lets_running_jobs_finish"))
def test_open_and_close(lab):
    """Nothing is left behind, and the pool is closed (17)"""
    done, stopped = pool(lab, good_and_bad(lab)), pool(lab, pages(lab), mode="stop", after=STOP)
    with lab.part(1, "after all jobs, and after a stop"):
        should_free_all(done)
        should_free_all(stopped)
    with lab.part(1, "after a cancellation"):
        should_free_all(pool(lab, pages(lab), mode="cancel", after=CANCEL, may_fail=True))
    with lab.part(1, "the variable is NULL"):
        done.should(done.report["closed"], "pool_close sets the variable to NULL",
                    "it still points to the pool that was freed",
                    hint="it gets a pointer to the variable: *pool = NULL")


# ---- Statistics -------------------------------------------------------------------------------


@points(2, "correctness", needs=("test_statistics_add_up", "test_few_tasks_for_many_jobs"))
def test_statistics_of_each_worker(lab):
    """Each worker's own statistics (18)"""
    with lab.part(1, "all jobs succeed"):
        should_count_by_worker(pool(lab, pages(lab)))
    with lab.part(1, "more workers than jobs"):
        should_count_by_worker(pool(lab, few_pages(lab), workers=7, limit=2))


@points(3, "correctness", needs=ONCE)
def test_statistics_add_up(lab):
    """The statistics of all, and the time (19)"""
    world = pages(lab)
    run = pool(lab, world)
    with lab.part(2, "the sums"):
        should_count(run, plan(world))
    with lab.part(1, "the time"):
        should_tell_its_time(run)


def should_tell_its_time(run) -> None:
    """stats->elapsed is how long the call took."""
    got = run.report["elapsed_ns"]
    hint = "stats->elapsed is co_now() at the end of pool_run, minus co_now() at its beginning"
    if got == "never written":
        run.fail(f"stats->elapsed {show(run.elapsed)}", "it was never written", hint, topic="-")
    run.should_report("elapsed_ns", run.elapsed, hint=hint)


# ---- Orders -----------------------------------------------------------------------------------


def alike(lab) -> World:
    """Pages that all take equally long, so that many tasks are ready at the same instants; good and bad ones, and one
    that names others."""
    world = World(seed=lab.seed).site("http://like.test", rtt=ms(10))
    world.route("/0", latency=ms(100),
                body="http://like.test/more/0\nhttp://like.test/more/1\n"
                     "http://like.test/more/2\nhttp://like.test/more/3\n")
    for i in range(1, 6):
        world.route(f"/{i}", latency=ms(100), body="bad\n" if i == 2 else "good", status=500 if i == 4 else 200)
    for i in range(4):
        world.route(f"/more/{i}", latency=ms(100), body="bad\n" if i == 2 else "good")
    return world


def should_keep_its_promises(run, right: Plan, limit: int) -> None:
    """All that holds in every order."""
    should_do(run, right.urls)
    should_stay_within_limit(run, limit)
    should_count(run, right)
    should_count_by_worker(run)
    should_hand_back(run, right.left)
    should_have_ended(run)


@points(3, "robustness", needs=("test_further_jobs", "test_failures_are_counted", "test_statistics_of_each_worker",
                              "test_waiting_jobs_are_handed_back", "test_all_workers_have_ended"))
def test_in_every_order(lab):
    """The same holds when ready tasks run in other orders (20)"""
    world = alike(lab)
    first = [url for url in world.urls() if "/more/" not in url]
    for run in in_orders(lab, world, first, workers=4, limit=2):
        should_keep_its_promises(run, plan(world, first, workers=4, limit=2), 2)


def in_orders(lab, world: World, urls=None, mode: str = "pool", orders: int = 8, **settings):
    """Runs in several legal orders; one that hangs is told what hangs a pool."""
    try:
        yield from lab.run_orders(mode, world, urls, orders=orders, settings=settings, todo=TODO)
    except CheckFailed as failed:
        raise CheckFailed(with_reason(failed.failure), failed.replay, failed.virtual_ns) from None


# ---- The code ---------------------------------------------------------------------------------


@points(3, "robustness", needs=ONCE, last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (17, 21)"""
    lab.should_be_clean()


@points(4, "coverage", needs=ENDS)
def test_coverage(lab):
    """The checks run 85 % of your lines (22)"""
    seen = lab.coverage()
    if seen.line_percent >= LEAST_COVERED:
        return
    pieces = [piece for piece in seen.pieces() if piece.lines]
    named = ", ".join(f"{piece.src} ({piece.lines} line{'s' if piece.lines > 1 else ''})" for piece in pieces[:5])
    lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines",
             f"{seen.line_percent:.0f} %; never ran: {named}",
             f"{pieces[0].describe().rstrip(';')}. Which of the situations in the handout reaches it? If none does, "
             "what is it for?", pieces[0].src)
