"""What co.h says, as a small interpreter: runs a program and returns the log that the real runtime must print.

Written from co.h and section 2 of the design alone. Tasks are Python generators: each wait is a `yield`, whose value is
what the wait came to. A task that waits stands in one list (or heap entry) only, and `Task.leave` takes it out of
there.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Any, Callable, Generator, Optional

from .program import FOREVER, Op, Program

EIO, EAGAIN, EPERM, EINVAL, EDEADLK, EPIPE, EOVERFLOW, ESHUTDOWN, ETIMEDOUT, EINPROGRESS, ECANCELED = (
    5, 11, 1, 22, 35, 32, 75, 108, 110, 115, 125)
NONE = -1000                    # there is nothing there to call anything with
CPUS = 4

Wait = Generator[None, int, Any]


class Task:
    def __init__(self, number: int, parent: Optional["Task"], depth: int, group: Optional["Group"]) -> None:
        self.number = number
        self.parent, self.depth = parent, depth       # who began it, and how many of his groups outlive it
        self.group = group
        self.steps: Any = None
        self.done, self.rc = False, -EINPROGRESS
        self.asked = False                  # it was told to end
        self.by_hand = False                # ... by co_cancel
        self.handed_out = False
        self.scopes: list[Any] = []         # timeouts and shields, the innermost last
        # it waits: how to take it out of there. False or None: it cannot be
        self.leave: Optional[Callable[[], Any]] = None
        self.force: Optional[Callable[[], Any]] = None      # the last resort in a deadlock
        self.waits = False
        self.value = 0                      # what its next step begins with
        self.waiters: list[Any] = []        # who is told of its end, the oldest first
        self.callbacks: list[int] = []
        self.local = 0
        self.groups: list[Group] = []       # its open blocks
        self.limits: list[Limit] = []
        self.gens: list[Gen] = []
        self.own_gen: Optional[Gen] = None
        self.item = 0                       # what a put handed to it
        self.last = 0                       # what its last operation came to


class Group:
    def __init__(self, owner: Task, index: int) -> None:
        self.owner, self.index = owner, index
        self.alive: dict[Task, None] = {}
        self.ended: list[Task] = []
        self.joining = self.canceled = False
        self.by_hand = False                # ... by co_group_cancel
        self.waiter = ""                    # what its owner waits for: "all", "next"


class Limit:
    def __init__(self) -> None:
        self.when = FOREVER
        self.up = self.ended = False
        self.entry: Any = None


class Gen:
    def __init__(self, body: int, depth: int) -> None:
        self.body, self.depth = body, depth
        self.task: Optional[Task] = None
        self.has_value = self.ended = self.closed = False
        self.told = False                   # its error was handed out
        self.value = 0
        self.consumer: Optional[Task] = None
        self.closer: Optional[Task] = None
        self.producer: Optional[Task] = None


class Lock:
    def __init__(self) -> None:
        self.holder: Optional[Task] = None
        self.waiters: deque[Task] = deque()


class Sem:
    def __init__(self, value: int, bound: int) -> None:
        self.value, self.bound = value, bound
        self.waiters: deque[Task] = deque()


class Event:
    def __init__(self) -> None:
        self.is_set = False
        self.waiters: deque[Task] = deque()


class Cond:
    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.count = 0                      # what its tests look at
        self.waiters: deque[Task] = deque()


class Barrier:
    def __init__(self, parties: int) -> None:
        self.parties, self.broken = parties, False
        self.waiters: deque[Task] = deque()


class Queue:
    def __init__(self, kind: int, maxsize: int) -> None:
        self.kind, self.maxsize = kind, maxsize     # 0 oldest first, 1 newest first, 2 smallest first
        self.items: list[int] = []
        self.unfinished = 0
        self.shut = False
        self.getters: deque[Task] = deque()
        self.putters: deque[tuple[Task, int]] = deque()
        self.joiners: deque[Task] = deque()

    def take(self) -> int:
        if self.kind == 0:
            return self.items.pop(0)
        if self.kind == 1:
            return self.items.pop()
        least = min(range(len(self.items)), key=lambda i: self.items[i] // 10)      # the first among equals
        return self.items.pop(least)


class Pool:
    def __init__(self, workers: int) -> None:
        self.free = workers
        self.queue: deque[Job] = deque()


class Job:
    def __init__(self, pool: Pool, ns: int, rc: int, task: Task) -> None:
        self.pool, self.ns, self.rc, self.task = pool, ns, rc, task
        self.begun = self.given_up = False
        self.number = 0


class Run:
    """One run of one program."""

    def __init__(self, program: Program) -> None:
        program.count()
        self.bodies = program.bodies
        self.log: list[str] = []
        self.now = 0
        self.behind = False                 # time has passed while a task computed
        self.seen = 0                       # what is due until then has been collected
        self.sequence = 0
        self.ready: deque[Task] = deque()
        self.timers: list[list] = []        # [time, number, what]: of sleeps
        self.works: list[list] = []         # [time, number, job]: when jobs begin and end
        self.results: list[list] = []       # of jobs that have ended: [time, number, job]
        self.given_up: list[list] = []      # the same, of jobs that were cancelled before they began
        self.limits: list[list] = []        # of timeouts and of co_wait: they strike last in their instant
        self.tasks: dict[int, Task] = {}    # that are not done, by number
        self.numbers = 0
        self.deadlock = False
        self.before_deadlock = 0            # lines of the log until then
        self.slots: dict[int, Task] = {}
        objects: dict[str, list] = {kind: [] for kind in ("lock", "sem", "event", "cond", "barrier", "queue", "pool")}
        makers = {"lock": lambda a, b: Lock(), "sem": Sem, "event": lambda a, b: Event(),
                  "cond": lambda a, b: Cond(objects["lock"][a]), "barrier": lambda a, b: Barrier(a), "queue": Queue,
                  "pool": lambda a, b: Pool(a)}
        for kind, a, b in program.objects:
            objects[kind].append(makers[kind](a, b))
        self.locks, self.sems, self.events, self.conds = \
            objects["lock"], objects["sem"], objects["event"], objects["cond"]
        self.barriers, self.queues, self.pools = objects["barrier"], objects["queue"], objects["pool"]
        self.cpus = Pool(CPUS)

    # ---- The loop ------------------------------------------------------------------------------------------------

    def run(self) -> list[str]:
        main = self.start(0, None, 0, None)
        while self.tasks:
            if self.ready:
                self.step(self.ready.popleft())
            elif not self.strike(self.seen) and not self.take_due() and not self.strike(self.now) \
                    and not self.advance():
                self.break_deadlock()
        self.log.append(f"result {-EDEADLK if self.deadlock else main.rc}")
        return self.log

    def step(self, task: Task) -> None:
        try:
            task.steps.send(task.value)
        except StopIteration:
            pass

    def advance(self) -> bool:
        """Lets time pass until something is due."""
        heaps = (self.timers, self.works, self.limits)
        for heap in heaps:
            while heap and heap[0][2] is None:
                heappop(heap)
        times = [heap[0][0] for heap in heaps if heap]
        if not times or min(times) == FOREVER:
            return False
        self.now = max(self.now, min(times))
        self.pass_time(self.now)
        return True

    def take_due(self) -> bool:
        """Makes ready what is due: sleeps and results in the order of time, then as they were asked for. Where a task
        has computed meanwhile, so that more than one instant is past, a timeout strikes before what was due after it.
        Was anything due?"""
        if self.behind or self.given_up:
            self.pass_time(self.now)
        self.behind, self.seen = False, self.now
        for result in self.given_up:
            heappush(self.results, result)
        self.given_up.clear()
        any_due, seen = False, [-1, 0]
        while True:
            while self.timers and self.timers[0][2] is None:
                heappop(self.timers)
            first = min((heap[0] for heap in (self.timers, self.results) if heap), default=None)
            limit = min((limit for limit in self.limits if limit[2] is not None and limit[:2] > seen), default=None)
            if limit and (not first or limit < first):
                if limit[0] > self.now:
                    return any_due
                seen = limit[:2]
                any_due |= self.strike(limit[0] - 1)
                continue
            if not first or first[0] > self.now:
                return any_due
            if self.strike(first[0] - 1):
                any_due = True
                continue                    # it may have disarmed what was to be next
            heappop(self.results if self.results and self.results[0] is first else self.timers)
            what, any_due = first[2], True
            if isinstance(what, Task):
                self.wake(what, 0)
            else:
                self.wake(what.task, what.rc)

    def strike(self, until: int) -> bool:
        """Timeouts whose time was up by then. Were there any?"""
        any_due = False
        while self.limits and self.limits[0][0] <= until:
            what = heappop(self.limits)[2]
            if what is not None:
                any_due = True
                what()
        return any_due

    def break_deadlock(self) -> None:
        if not self.deadlock:
            self.deadlock, self.before_deadlock = True, len(self.log)
        for task in sorted(self.tasks.values(), key=lambda task: task.number):
            self.interrupt(task)
            if task.waits and task.force:
                task.force()
                self.wake(task, -ECANCELED)
        if not self.ready:
            raise RuntimeError("nobody can be woken from this deadlock")

    def entry(self, heap: list, t: int, what: Any) -> list:
        self.sequence += 1
        entry = [t, self.sequence, what]
        heappush(heap, entry)
        return entry

    # ---- Tasks ---------------------------------------------------------------------------------------------------

    def start(self, body: int, parent: Optional[Task], depth: int, group: Optional[Group],
              gen: Optional[Gen] = None) -> Task:
        """A new task; the values of `parent` are its own to begin with."""
        self.numbers += 1
        task = Task(self.numbers, parent, depth, group)
        task.own_gen = gen
        task.steps = self.life(task, body)
        self.tasks[task.number] = task
        if group is not None:
            group.alive[task] = None
        task.value = None
        self.ready.append(task)
        if group is not None and group.canceled:
            self.cancel(task, group.by_hand)
        return task

    def life(self, task: Task, body: int) -> Wait:
        self.log.append(f"{self.now} {task.number} begin {body}")
        rc = yield from self.body(task, body)
        self.log.append(f"{self.now} {task.number} end {rc}")
        self.end(task, rc)

    def body(self, task: Task, body: int) -> Wait:
        rc = yield from self.ops(task, self.bodies[body])
        return 0 if rc is None else rc

    def end(self, task: Task, rc: int) -> None:
        task.done, task.rc = True, rc
        del self.tasks[task.number]
        for number in task.callbacks:
            self.log.append(f"{self.now} {task.number} called {number}")
        for told in list(task.waiters):
            told(task)
        group = task.group
        if group is None:
            return
        del group.alive[task]
        group.ended.append(task)
        if group.joining and not group.canceled and self.failed(task):
            self.cancel_group(group)
        if group.waiter == "next" or (group.waiter == "all" and not group.alive):
            group.waiter = ""
            self.wake(group.owner, 0)

    @staticmethod
    def failed(task: Task) -> bool:
        return task.rc < 0 and not (task.by_hand and task.rc == -ECANCELED) and not task.handed_out

    def wake(self, task: Task, value: int) -> None:
        assert task.waits, "only who waits is woken"
        task.waits, task.leave, task.value = False, None, value
        self.ready.append(task)

    def wait(self, task: Task, leave: Optional[Callable[[], Any]], force: Optional[Callable[[], Any]] = None) -> Wait:
        """Stands aside. `leave` takes the task out of where it waits if it is cancelled; None: it stays, cancelled or
        not. `force` takes it out when nothing else can end a deadlock."""
        task.waits, task.leave, task.force = True, leave, force
        return (yield)

    # ---- Cancelling ----------------------------------------------------------------------------------------------

    def cancelled(self, task: Task) -> bool:
        """Does a call that can wait return -ECANCELED? After a deadlock, all do: no shield helps."""
        return self.deadlock or self.told(task)

    @staticmethod
    def told(task: Task) -> bool:
        """Was the task told to end, by somebody or by a timeout, and is not shielded from it?"""
        for scope in reversed(task.scopes):
            if scope == "shield":
                return False
            if scope.up:
                return True
        return task.asked

    def interrupt(self, task: Task) -> None:
        if task.waits and task.leave and self.cancelled(task) and task.leave() is not False:
            self.wake(task, -ECANCELED)

    def cancel(self, task: Task, by_hand: bool) -> None:
        if self.behind:                     # the loop was busy: what is due by now comes first
            self.take_due()
        if task.done:
            return
        task.asked = True
        task.by_hand = task.by_hand or by_hand
        self.interrupt(task)

    def cancel_group(self, group: Group) -> None:
        if group.canceled:
            return
        group.canceled = True
        for task in list(group.alive):
            self.cancel(task, False)

    # ---- Operations ----------------------------------------------------------------------------------------------

    def ops(self, task: Task, ops: list[Op]) -> Wait:
        """Runs a list of operations. What the body returns, or None: it goes on."""
        log = self.log
        for op in ops:
            name = op.name
            plain = PLAIN.get(name)
            more = ""
            if plain:
                rc = plain(self, task, op)
            else:
                block = BLOCKS.get(name)
                if block:
                    rc, returned = yield from block(self, task, op)
                    if returned is not None:
                        return returned
                else:
                    rc = yield from WAITING[name](self, task, op)
            if type(rc) is tuple:
                rc, more = rc
            log.append(f"{self.now} {task.number} {op.number} {rc}{more}")
            task.last = rc
            if rc < 0 and op.strict:
                return rc
            if name == "ret":
                return op.a
        return None

    def sleep(self, task: Task, op: Op) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        if op.a <= 0:
            return (yield from self.pause(task))
        entry = self.entry(self.timers, self.now + op.a, task)

        def leave() -> None:
            entry[2] = None
        return (yield from self.wait(task, leave))

    def pause(self, task: Task) -> Wait:
        """Lets every other ready task run. It is ready itself: nothing can interrupt that."""
        if self.behind:
            self.take_due()
        task.value = 0
        self.ready.append(task)
        return (yield)

    def yield_(self, task: Task, op: Op) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        return (yield from self.pause(task))

    # ---- Groups

    def group_at(self, task: Task, depth: int) -> Optional[Group]:
        """The depth-th open group from the innermost; beyond the outermost: the one it was spawned in."""
        if depth < len(task.groups):
            return task.groups[len(task.groups) - 1 - depth]
        return task.group if task.group is not None and task.group.index >= 0 else None

    def outlives(self, group: Group, task: Task) -> bool:
        """Is the group's block sure to be open as long as the task is alive, or is the group its own?"""
        limit = 1 << 30
        at: Optional[Task] = task
        while at is not None:
            if group.owner is at:
                return group.index < limit
            limit, at = at.depth, at.parent
        return False

    def spawn(self, task: Task, op: Op) -> int:
        group = self.group_at(task, op.b)
        if group is None:
            return NONE
        new = self.start(op.c, group.owner, group.index + 1, group)
        new.local = task.local
        self.slots[op.a] = new
        return new.number

    def wait_all(self, task: Task, group: Group, interrupted: bool) -> Wait:
        """Waits until the group is empty; cancelled meanwhile, it cancels the group. Was it?"""
        while group.alive:
            if not interrupted and self.told(task):         # since the call began
                interrupted = True
                self.cancel_group(group)
                continue
            group.waiter = "all"

            def leave() -> None:
                group.waiter = ""
            rc = yield from self.wait(task, None if interrupted and self.told(task) else leave)
            if rc == -ECANCELED:
                interrupted = True
                self.cancel_group(group)
        return interrupted

    def join_group(self, task: Task, group: Group) -> Wait:
        cancelled = self.cancelled(task)
        group.joining = True
        if cancelled or any(self.failed(ended) for ended in group.ended):
            self.cancel_group(group)
        cancelled = yield from self.wait_all(task, group, cancelled)
        rc = next((ended.rc for ended in group.ended if self.failed(ended)), 0)
        group.joining = group.canceled = group.by_hand = False
        for ended in group.ended:
            ended.handed_out = True
        return -ECANCELED if cancelled else rc

    def join(self, task: Task, op: Op) -> Wait:
        group = self.group_at(task, op.a)
        if group is None:
            return NONE
        if group.owner is not task:
            return -ECANCELED if self.cancelled(task) else -EPERM
        return (yield from self.join_group(task, group))

    def next_done(self, task: Task, op: Op) -> Wait:
        group = self.group_at(task, op.a)
        if group is None:
            return NONE
        if self.cancelled(task):
            return -ECANCELED
        if group.owner is not task:
            return -EPERM
        while True:
            for ended in group.ended:
                if not ended.handed_out:
                    ended.handed_out = True
                    return 1, f" {ended.number} {ended.rc}"
            if not group.alive:
                return 0
            group.waiter = "next"

            def leave() -> None:
                group.waiter = ""
            rc = yield from self.wait(task, leave)
            if rc < 0:
                return rc

    def group_block(self, task: Task, op: Op) -> Wait:
        group = Group(task, len(task.groups))
        task.groups.append(group)
        returned = yield from self.ops(task, op.block)
        yield from self.end_group(task, group)
        task.groups.pop()
        for slot in [slot for slot, other in self.slots.items() if other.group is group]:
            del self.slots[slot]
        return 0, returned

    def end_group(self, task: Task, group: Group) -> Wait:
        cancelled = self.told(task)
        if cancelled:
            self.cancel_group(group)
        yield from self.wait_all(task, group, cancelled)

    def gather(self, task: Task, op: Op) -> Wait:
        n = op.b
        if self.cancelled(task):
            return -ECANCELED, f" {-ECANCELED}" * n if op.c else ""
        group = Group(task, -1)
        tasks = []
        for _ in range(n):
            new = self.start(op.a, task, len(task.groups), group)
            new.local = task.local
            tasks.append(new)
        if op.c:
            cancelled = yield from self.wait_all(task, group, False)
            return -ECANCELED if cancelled else 0, "".join(f" {new.rc}" for new in tasks)
        return (yield from self.join_group(task, group))

    # ---- Single tasks

    def cancel_op(self, task: Task, op: Op) -> int:
        other = task if op.a < 0 else self.slots.get(op.a)
        if other is None:
            return NONE
        self.cancel(other, True)
        return 0

    def group_cancel(self, task: Task, op: Op) -> int:
        group = self.group_at(task, op.a)
        if group is None:
            return NONE
        group.canceled = group.by_hand = True
        for other in list(group.alive):
            self.cancel(other, True)
        return 0

    def done(self, task: Task, op: Op) -> tuple[int, str]:
        other = self.slots.get(op.a)
        if other is None:
            return NONE, ""
        return int(other.done), f" {other.rc}"

    def on_done(self, task: Task, op: Op) -> int:
        other = self.slots.get(op.a)
        if other is None:
            return NONE
        if other.done:
            self.log.append(f"{self.now} {other.number} called {op.number}")
        else:
            other.callbacks.append(op.number)
        return 0

    def all_tasks(self, task: Task, op: Op) -> tuple[int, str]:
        numbers = sorted(self.tasks)
        return len(numbers), "".join(f" {number}" for number in numbers)

    def await_(self, task: Task, op: Op) -> Wait:
        other = self.slots.get(op.a)
        if other is None or not self.outlives(other.group, task):
            return NONE
        if self.cancelled(task):
            return -ECANCELED, f" {other.rc}"
        if other is task:
            return -EDEADLK, f" {-EINPROGRESS}"
        if not other.done:
            def told(_: Task) -> None:
                self.wake(task, 0)

            other.waiters.append(told)
            rc = yield from self.wait(task, lambda: other.waiters.remove(told))
            return rc, f" {other.rc}"
        return 0, f" {other.rc}"

    def wait_tasks(self, task: Task, op: Op) -> Wait:
        tasks = [other for slot, other in sorted(self.slots.items())
                 if op.c >> slot & 1 and other is not task and self.outlives(other.group, task)]
        if self.cancelled(task):
            return -ECANCELED

        def enough() -> bool:
            ended = [other for other in tasks if other.done]
            return (len(ended) == len(tasks) or (op.a == 0 and bool(ended))
                    or (op.a == 1 and any(other.rc < 0 for other in ended)))

        if not enough() and op.b > 0:
            alive = [other for other in tasks if not other.done]
            entry: list = []

            def leave() -> None:
                for other in alive:
                    if told in other.waiters:
                        other.waiters.remove(told)

            def told(_: Task) -> None:
                if enough():
                    leave()
                    self.wake(task, 0)

            def timeout() -> None:
                if task.waits:
                    leave()
                    self.wake(task, 1)

            for other in alive:
                other.waiters.append(told)
            if op.b < FOREVER:
                entry = self.entry(self.limits, self.now + op.b, timeout)
            rc = yield from self.wait(task, leave)
            if entry:
                entry[2] = None
            if rc < 0 or (rc == 1 and self.cancelled(task)):
                return -ECANCELED
        return sum(other.done for other in tasks)

    # ---- Timeouts and shields

    def begin_limit(self, task: Task, limit: Limit, ns: int) -> None:
        task.scopes.append(limit)
        self.set_limit(task, limit, ns)

    def set_limit(self, task: Task, limit: Limit, ns: int) -> None:
        if limit.entry:
            limit.entry[2] = None
        limit.when = self.now + max(ns, 0) if ns < FOREVER else FOREVER
        limit.entry = None
        if ns <= 0:
            limit.up = True
        elif ns < FOREVER:
            def up() -> None:
                limit.up = True
                self.interrupt(task)
            limit.entry = self.entry(self.limits, limit.when, up)

    def end_limit(self, task: Task, limit: Limit, rc: int) -> int:
        if limit.entry:
            limit.entry[2] = None
        task.scopes.pop()
        limit.ended = True
        if limit.up and rc == -ECANCELED and not self.cancelled(task):
            return -ETIMEDOUT
        return rc

    def timeout_block(self, task: Task, op: Op) -> Wait:
        limit = Limit()
        self.begin_limit(task, limit, op.a)
        task.limits.append(limit)
        task.last = 0
        returned = yield from self.ops(task, op.block)
        task.limits.pop()
        rc = self.end_limit(task, limit, task.last if returned is None else returned)
        if returned is not None and (rc != -ETIMEDOUT or op.strict):
            return 0, rc
        return (rc, f" {int(limit.up)}"), None

    def wait_for(self, task: Task, op: Op) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        limit = Limit()
        self.begin_limit(task, limit, op.b)
        rc = yield from self.body(task, op.a)
        return self.end_limit(task, limit, rc)

    def reschedule(self, task: Task, op: Op) -> tuple[int, str]:
        if op.a >= len(task.limits):
            return NONE, ""
        limit = task.limits[len(task.limits) - 1 - op.a]
        if limit.up:
            return -EINVAL, " 1"
        self.set_limit(task, limit, op.b)
        return 0, f" {int(limit.up)} {limit.when}"

    def shield_block(self, task: Task, op: Op) -> Wait:
        task.scopes.append("shield")
        returned = yield from self.ops(task, op.block)
        task.scopes.pop()
        return 0, returned

    # ---- Locks

    def take_lock(self, task: Task, lock: Lock, stays: bool = False) -> Wait:
        """Waits for the lock; `stays`: cancelled or not."""
        if lock.holder is None:
            lock.holder = task
            return 0
        lock.waiters.append(task)

        def leave() -> None:
            lock.waiters.remove(task)
        return (yield from self.wait(task, None if stays else leave, leave if stays else None))

    def acquire_lock(self, task: Task, lock: Lock) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        if lock.holder is task:
            return -EDEADLK
        return (yield from self.take_lock(task, lock))

    def release_lock(self, task: Task, lock: Lock) -> int:
        if lock.holder is not task:
            return -EPERM
        lock.holder = lock.waiters.popleft() if lock.waiters else None
        if lock.holder:
            self.wake(lock.holder, 0)
        return 0

    def acquire(self, task: Task, op: Op) -> Wait:
        return (yield from self.acquire_lock(task, self.locks[op.a]))

    def try_lock(self, task: Task, op: Op) -> int:
        lock = self.locks[op.a]
        if lock.holder is task:
            return -EDEADLK
        if lock.holder is not None:
            return -EAGAIN
        lock.holder = task
        return 0

    def release(self, task: Task, op: Op) -> tuple[int, str]:
        rc = self.release_lock(task, self.locks[op.a])
        return rc, f" {int(self.locks[op.a].holder is not None)}"

    def lock_block(self, task: Task, op: Op) -> Wait:
        rc = yield from self.acquire_lock(task, self.locks[op.a])
        if rc < 0:
            return 0, None
        returned = yield from self.ops(task, op.block)
        self.release_lock(task, self.locks[op.a])
        return 1, returned

    # ---- Conditions

    def wait_cond(self, task: Task, cond: Cond) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        if cond.lock.holder is not task:
            return -EPERM
        self.release_lock(task, cond.lock)
        cond.waiters.append(task)
        rc = yield from self.wait(task, lambda: cond.waiters.remove(task))
        if not self.deadlock or cond.lock.holder is None:
            yield from self.take_lock(task, cond.lock, stays=True)
        return rc

    def cond_wait(self, task: Task, op: Op) -> Wait:
        return (yield from self.wait_cond(task, self.conds[op.a]))

    def cond_wait_until(self, task: Task, op: Op) -> Wait:
        cond = self.conds[op.a]
        if self.cancelled(task):
            return -ECANCELED
        if cond.lock.holder is not task:
            return -EPERM
        while cond.count < op.b:
            rc = yield from self.wait_cond(task, cond)
            if rc < 0:
                return rc
        return 0

    def notify(self, task: Task, op: Op) -> int:
        cond = self.conds[op.a]
        if cond.lock.holder is not task:
            return -EPERM
        for _ in range(min(op.b if op.name == "notify" else 1 << 30, len(cond.waiters))):
            self.wake(cond.waiters.popleft(), 0)
        return 0

    def add(self, task: Task, op: Op) -> int:
        self.conds[op.a].count += 1
        return self.conds[op.a].count

    # ---- Semaphores, events, barriers

    def acquire_sem(self, task: Task, sem: Sem) -> Wait:
        if self.cancelled(task):
            return -ECANCELED
        if sem.value > 0:
            sem.value -= 1
            return 0
        sem.waiters.append(task)
        return (yield from self.wait(task, lambda: sem.waiters.remove(task)))

    def release_sem(self, sem: Sem) -> int:
        if sem.waiters:
            self.wake(sem.waiters.popleft(), 0)
            return 0
        if sem.bound and sem.value >= sem.bound:
            return -EOVERFLOW
        sem.value += 1
        return 0

    def sem_acquire(self, task: Task, op: Op) -> Wait:
        rc = yield from self.acquire_sem(task, self.sems[op.a])
        return rc, f" {self.sems[op.a].value}"

    def sem_try(self, task: Task, op: Op) -> int:
        sem = self.sems[op.a]
        if sem.value <= 0:
            return -EAGAIN
        sem.value -= 1
        return 0

    def sem_release(self, task: Task, op: Op) -> tuple[int, str]:
        rc = self.release_sem(self.sems[op.a])
        return rc, f" {self.sems[op.a].value}"

    def sem_block(self, task: Task, op: Op) -> Wait:
        rc = yield from self.acquire_sem(task, self.sems[op.a])
        if rc < 0:
            return 0, None
        returned = yield from self.ops(task, op.block)
        self.release_sem(self.sems[op.a])
        return 1, returned

    def event_wait(self, task: Task, op: Op) -> Wait:
        event = self.events[op.a]
        if self.cancelled(task):
            return -ECANCELED
        if event.is_set:
            return 0
        event.waiters.append(task)
        return (yield from self.wait(task, lambda: event.waiters.remove(task)))

    def event_set(self, task: Task, op: Op) -> int:
        event = self.events[op.a]
        event.is_set = True
        while event.waiters:
            self.wake(event.waiters.popleft(), 0)
        return 0

    def event_clear(self, task: Task, op: Op) -> int:
        self.events[op.a].is_set = False
        return 0

    def barrier_wait(self, task: Task, op: Op) -> Wait:
        barrier = self.barriers[op.a]
        if self.cancelled(task):
            return -ECANCELED
        if barrier.broken:
            return -EPIPE
        if len(barrier.waiters) + 1 == barrier.parties:
            for i in range(barrier.parties - 1):
                self.wake(barrier.waiters.popleft(), i)
            return barrier.parties - 1
        barrier.waiters.append(task)
        return (yield from self.wait(task, lambda: barrier.waiters.remove(task)))

    def barrier_break(self, task: Task, op: Op) -> int:
        barrier = self.barriers[op.a]
        barrier.broken = op.name == "barrier_abort"
        while barrier.waiters:
            self.wake(barrier.waiters.popleft(), -EPIPE)
        return 0

    # ---- Queues

    def put_now(self, queue: Queue, item: int) -> int:
        if queue.shut:
            return -ESHUTDOWN
        if queue.getters:
            queue.unfinished += 1
            getter = queue.getters.popleft()
            getter.item = item
            self.wake(getter, 0)
            return 0
        if queue.maxsize and len(queue.items) >= queue.maxsize:
            return -EAGAIN
        queue.unfinished += 1
        queue.items.append(item)
        return 0

    def get_now(self, queue: Queue) -> tuple[int, int]:
        if not queue.items:
            return (-ESHUTDOWN if queue.shut else -EAGAIN), 0
        item = queue.take()
        if queue.putters:
            putter, theirs = queue.putters.popleft()
            queue.unfinished += 1
            queue.items.append(theirs)
            self.wake(putter, 0)
        return 0, item

    def put(self, task: Task, op: Op) -> Wait:
        queue = self.queues[op.a]
        rc = -ECANCELED if self.cancelled(task) else self.put_now(queue, op.b)
        if rc == -EAGAIN:
            place = (task, op.b)
            queue.putters.append(place)
            rc = yield from self.wait(task, lambda: queue.putters.remove(place))
        return rc, f" {len(queue.items)}"

    def get(self, task: Task, op: Op) -> Wait:
        queue = self.queues[op.a]
        if self.cancelled(task):
            return -ECANCELED
        rc, item = self.get_now(queue)
        if rc == -EAGAIN:
            queue.getters.append(task)
            rc = yield from self.wait(task, lambda: queue.getters.remove(task))
            item = task.item if rc == 0 else 0
        return (rc, f" {item}") if rc == 0 else rc

    def try_put(self, task: Task, op: Op) -> int:
        return self.put_now(self.queues[op.a], op.b)

    def try_get(self, task: Task, op: Op) -> Any:
        rc, item = self.get_now(self.queues[op.a])
        return (rc, f" {item}") if rc == 0 else rc

    def finish(self, queue: Queue, n: int) -> None:
        queue.unfinished = max(0, queue.unfinished - n)
        if queue.unfinished == 0:
            while queue.joiners:
                self.wake(queue.joiners.popleft(), 0)

    def task_done(self, task: Task, op: Op) -> int:
        queue = self.queues[op.a]
        if queue.unfinished == 0:
            return -EINVAL
        self.finish(queue, 1)
        return 0

    def queue_join(self, task: Task, op: Op) -> Wait:
        queue = self.queues[op.a]
        if self.cancelled(task):
            return -ECANCELED
        if queue.unfinished == 0:
            return 0
        queue.joiners.append(task)
        return (yield from self.wait(task, lambda: queue.joiners.remove(task)))

    def shutdown(self, task: Task, op: Op) -> int:
        queue = self.queues[op.a]
        queue.shut = True
        if op.b:
            n = len(queue.items)
            queue.items.clear()
            self.finish(queue, n)
        while queue.getters:
            self.wake(queue.getters.popleft(), -ESHUTDOWN)
        while queue.putters:
            self.wake(queue.putters.popleft()[0], -ESHUTDOWN)
        return 0

    # ---- Generators

    def gen_block(self, task: Task, op: Op) -> Wait:
        gen = Gen(op.a, len(task.groups))
        task.gens.append(gen)
        returned = yield from self.ops(task, op.block)
        task.gens.pop()
        gen.closed = True
        if gen.task is not None and not gen.ended:
            interrupted = self.told(task)
            self.cancel(gen.task, True)
            while not gen.ended:
                gen.closer = task

                def leave() -> None:
                    gen.closer = None
                rc = yield from self.wait(task, None if interrupted else leave)
                interrupted = interrupted or rc < 0
        return 0, returned

    def gen_next(self, task: Task, op: Op) -> Wait:
        if op.a >= len(task.gens):
            return NONE
        gen = task.gens[len(task.gens) - 1 - op.a]
        if self.cancelled(task):
            return -ECANCELED
        if gen.task is None:
            gen.task = self.start(gen.body, task, gen.depth, None, gen)
            gen.task.local = task.local

            def told(_: Task) -> None:
                gen.ended = True
                waits = gen.consumer or gen.closer
                gen.consumer = gen.closer = None
                if waits:
                    self.wake(waits, 0)
            gen.task.waiters.append(told)
        if not gen.has_value and not gen.ended:
            if gen.producer:
                producer, gen.producer = gen.producer, None
                self.wake(producer, 0)

            def leave() -> None:
                gen.consumer = None
            gen.consumer = task
            rc = yield from self.wait(task, leave)
            if rc < 0:
                return rc
        if gen.has_value:
            gen.has_value = False
            return 1, f" {gen.value}"
        if gen.task.rc < 0 and not gen.told:
            gen.told = True
            return gen.task.rc
        return 0

    def gen_yield(self, task: Task, op: Op) -> Wait:
        gen = task.own_gen
        if gen is None:
            return NONE
        if self.cancelled(task):
            return -ECANCELED
        gen.value, gen.has_value = op.a, True
        if gen.consumer:
            consumer, gen.consumer = gen.consumer, None
            self.wake(consumer, 0)
        gen.producer = task

        def leave() -> None:
            gen.producer = None
        return (yield from self.wait(task, leave))

    # ---- Work

    def cpu(self, task: Task, op: Op) -> int:
        self.now += op.a
        self.behind = True
        self.pass_time(self.now)
        return 0

    def thread(self, task: Task, op: Op) -> Wait:
        if self.cancelled(task):
            return -ECANCELED, " 0"
        job = Job(self.cpus if op.name == "thread" else self.pools[op.c], op.a, op.b, task)
        entry = self.entry(self.works, self.now, job)
        job.number = entry[1]

        def leave() -> bool:
            if not job.begun and not job.given_up:
                job.given_up = True
                entry[2] = None
                if job in job.pool.queue:
                    job.pool.queue.remove(job)
                job.rc = -ECANCELED         # and that is its result, of this instant
                self.given_up.append([self.now, job.number, job])
            return False                    # if it has begun, it is waited for
        rc = yield from self.wait(task, leave)
        return rc, f" {int(job.begun)}"

    def pass_time(self, until: int) -> None:
        """Jobs come, begin and end."""
        while self.works and self.works[0][0] <= until:
            t, _, job = heappop(self.works)
            if job is None:
                continue
            pool = job.pool
            if job.begun:
                heappush(self.results, [t, job.number, job])
                pool.free += 1
            else:
                pool.queue.append(job)
            if pool.free and pool.queue:
                following = pool.queue.popleft()
                following.begun = True
                pool.free -= 1
                heappush(self.works, [t + following.ns, following.number, following])

    # ---- The task's own value

    def local_set(self, task: Task, op: Op) -> int:
        task.local = op.a
        return 0

    def local_get(self, task: Task, op: Op) -> int:
        return task.local

    def ret(self, task: Task, op: Op) -> int:
        return op.a


PLAIN: dict[str, Callable] = {
    "spawn": Run.spawn, "cancel": Run.cancel_op, "group_cancel": Run.group_cancel, "done": Run.done,
    "ondone": Run.on_done, "all": Run.all_tasks,
    "resched": Run.reschedule, "try": Run.try_lock, "release": Run.release, "notify": Run.notify,
    "notify_all": Run.notify,
    "add": Run.add, "sem_try": Run.sem_try, "sem_release": Run.sem_release, "event_set": Run.event_set,
    "event_clear": Run.event_clear, "barrier_abort": Run.barrier_break, "barrier_reset": Run.barrier_break,
    "try_put": Run.try_put, "try_get": Run.try_get, "task_done": Run.task_done, "shutdown": Run.shutdown,
    "cpu": Run.cpu,
    "lset": Run.local_set, "lget": Run.local_get, "ret": Run.ret}
BLOCKS: dict[str, Callable] = {
    "group{": Run.group_block, "timeout{": Run.timeout_block, "shield{": Run.shield_block, "lock{": Run.lock_block,
    "sem{": Run.sem_block, "gen{": Run.gen_block}
WAITING: dict[str, Callable] = {
    "sleep": Run.sleep, "yield": Run.yield_, "join": Run.join, "next": Run.next_done, "gather": Run.gather,
    "await": Run.await_, "wait": Run.wait_tasks, "waitfor": Run.wait_for, "acquire": Run.acquire,
    "wait_cond": Run.cond_wait,
    "wait_until": Run.cond_wait_until, "sem_acquire": Run.sem_acquire, "event_wait": Run.event_wait,
    "barrier_wait": Run.barrier_wait, "put": Run.put, "get": Run.get, "queue_join": Run.queue_join,
    "gnext": Run.gen_next,
    "gyield": Run.gen_yield, "thread": Run.thread, "pool_run": Run.thread}


def log_of(program: Program) -> list[str]:
    """What the program does, a line a step: time, task, number of the operation, what it came to."""
    return Run(program).run()


def agrees(program: Program, log: list[str]) -> bool:
    """Is this log of the program as it must be? After a deadlock nothing is said about the order in which the tasks
    end, only about what each of them does."""
    run = Run(program)
    wanted, begun = run.run(), run.before_deadlock
    if log == wanted:
        return True

    def by_task(lines: list[str]) -> list[str]:
        return sorted(lines, key=lambda line: line.split()[1])
    return (run.deadlock and log[:begun] == wanted[:begun] and log[-1:] == wanted[-1:]
            and by_task(log[begun:-1]) == by_task(wanted[begun:-1]))
