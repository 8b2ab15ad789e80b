"""The right run of a pipeline, written down as a program: when each request begins, and when all is done. Where two
things end at the same instant, it is open which goes on first, and nothing is planned."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional, Sequence

GIVES_UP = 30_000_000_000           # ns: CO_HTTP_TIMEOUT
IDLE_MOST = 118_000_000_000         # ns: a connection that was idle for so long is not used again
Step = Iterator[Callable[[Any], None]]
"""A worker: yields what is called with it and makes it go on some time."""


@dataclass(frozen=True)
class Work:
    """What an order costs each stage. All times are ns."""

    site: str
    setup: int                      # a new connection
    fetch: int                      # the answer, over one that is open
    keeps: bool                     # is the connection good for another request?
    compute: int = 0
    write: int = 0                  # the call that writes its bytes
    stage: str = ""                 # where it fails; "": nowhere
    call: str = ""                  # of the disk, that fails


@dataclass(frozen=True)
class Machine:
    """What all stages share."""

    workers: int
    bound: int
    cpus: int
    disk: int                       # ns that a call takes
    parallel: Optional[int]         # so many at a time; None: any number


@dataclass
class Planned:
    """One call of pipeline. Times count from its beginning."""

    begin: int
    starts: list[int] = field(default_factory=list)     # of the requests
    elapsed: int = 0
    under_way: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {"fetch": [], "transform": [],
                                                                                  "write": []})


class _Clock:
    def __init__(self) -> None:
        self.now, self.tied, self._last, self._asked = 0, False, -1, 0
        self.ready: deque[Step] = deque()
        self._later: list[tuple[int, int, Step, bool]] = []

    def sleep(self, ns: int) -> Callable[[Step], None]:
        def wait(step: Step) -> None:
            self._asked += 1
            heapq.heappush(self._later, (self.now + ns, self._asked, step, ns > 0))
        return wait

    def run(self) -> None:
        while self.ready or self._later:
            if not self.ready:
                self.now, _, step, waited = heapq.heappop(self._later)
                if waited:
                    self.tied = self.tied or self.now == self._last
                    self._last = self.now
                self.ready.append(step)
            step = self.ready.popleft()
            for wait in step:
                wait(step)
                break


class _Places:
    """So many at a time, first come, first served. None: any number."""

    def __init__(self, clock: _Clock, n: Optional[int]):
        self._clock, self._free, self._waiting = clock, n, deque[Step]()

    def spend(self, ns: int) -> Step:
        """Takes a place for so long."""
        if self._free == 0:
            yield self._waiting.append
        elif self._free:
            self._free -= 1
        yield self._clock.sleep(ns)
        if self._waiting:
            self._clock.ready.append(self._waiting.popleft())
        elif self._free is not None:
            self._free += 1


class _Queue:
    def __init__(self, clock: _Clock, bound: int):
        self._clock, self._bound = clock, bound
        self._items: deque[Optional[Work]] = deque()
        self._putters: deque[tuple[Step, Optional[Work]]] = deque()
        self._getters: deque[Step] = deque()

    def put(self, item: Optional[Work]) -> Step:
        if len(self._items) >= self._bound:
            yield lambda step: self._putters.append((step, item))
        else:
            self._items.append(item)
        if self._getters:
            self._clock.ready.append(self._getters.popleft())

    def get(self, into: list) -> Step:
        while not self._items:
            yield self._getters.append
        into[:] = [self._items.popleft()]
        if self._putters:
            step, item = self._putters.popleft()
            self._items.append(item)
            self._clock.ready.append(step)


class _Line:
    """One call of pipeline."""

    def __init__(self, clock: _Clock, machine: Machine, places: tuple[_Places, _Places], begin: int,
                 works: Sequence[Work]):
        self._clock, self._machine, self._works, (self._cpus, self._disk) = clock, machine, works, places
        self.planned = Planned(begin)
        self._next = 0
        self._idle: dict[str, list[int]] = {}       # since when the connections to each site are idle
        self._queues = [_Queue(clock, machine.bound) for _ in range(2)]
        self._working = [machine.workers] * 3

    def start(self) -> Step:
        yield self._clock.sleep(self.planned.begin)
        for _ in range(self._machine.workers):
            self._clock.ready.extend((self._fetcher(), self._transformer(), self._writer()))

    def _leave(self, stage: int) -> Step:
        """The last worker of a stage puts the sentinels."""
        self._working[stage] -= 1
        self.planned.elapsed = self._clock.now - self.planned.begin
        if not self._working[stage] and stage < 2:
            for _ in range(self._machine.workers):
                yield from self._queues[stage].put(None)

    def _note(self, stage: str, begun: int) -> None:
        self.planned.under_way[stage].append((begun, self._clock.now))

    def _fetcher(self) -> Step:
        while self._next < len(self._works):
            work = self._works[self._next]
            self._next += 1
            self.planned.starts.append(self._clock.now - self.planned.begin)
            idle = self._idle.setdefault(work.site, [])
            fresh = not idle or self._clock.now - idle.pop() >= IDLE_MOST
            begun = self._clock.now
            yield self._clock.sleep(min(work.fetch + work.setup * fresh, GIVES_UP))
            self._note("fetch", begun)
            if work.keeps:
                idle.append(self._clock.now)
            if work.stage != "fetch":
                yield from self._queues[0].put(work)
        yield from self._leave(0)

    def _transformer(self) -> Step:
        got: list[Optional[Work]] = []
        while True:
            yield from self._queues[0].get(got)
            work = got[0]
            if work is None:
                break
            begun = self._clock.now
            yield from self._cpus.spend(work.compute)
            self._note("transform", begun)
            if work.stage != "transform":
                yield from self._queues[1].put(work)
        yield from self._leave(1)

    def _writer(self) -> Step:
        got: list[Optional[Work]] = []
        while True:
            yield from self._queues[1].get(got)
            work = got[0]
            if work is None:
                break
            begun = self._clock.now
            for call in ("open", "write", "rename"):
                yield from self._disk.spend(work.write if call == "write" else self._machine.disk)
                if call == work.call:
                    yield from self._disk.spend(self._machine.disk)     # it removes the temporary file
                    break
            self._note("write", begun)
        yield from self._leave(2)


def plan(machine: Machine, calls: Sequence[tuple[int, Sequence[Work]]]) -> Optional[list[Planned]]:
    """Calls that begin at these times, beside each other. None: two things end at the same instant."""
    clock = _Clock()
    places = _Places(clock, machine.cpus), _Places(clock, machine.parallel)
    lines = [_Line(clock, machine, places, begin, works) for begin, works in calls]
    clock.ready.extend(line.start() for line in lines)
    clock.run()
    return None if clock.tied else [line.planned for line in lines]
