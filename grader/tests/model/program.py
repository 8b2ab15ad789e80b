"""A random program over co.h as plain data, and its text, which sim/tests/fuzz/interpreter.c reads.

A program has objects (locks, semaphores, ...) and bodies: lists of operations, the first of which is the main task's.
Who spawns, gathers, waits for or generates names a body further down, so every program ends. A body is named once,
but for one that is gathered. An operation is one call of co.h, or a block that holds others (a group, a timeout, ...).

The text has one object or operation a line: name and numbers, "!" for "return if this fails", "}" for the end of a
block. Operations are numbered from 1 in the order of the text; the log names them by these numbers.

What the numbers a, b, c of an operation mean (times in ns; a depth counts open blocks of that kind, 0 the innermost):

    sleep NS · yield · cpu NS · thread NS RC · pool_run NS RC POOL · ret RC      a job computes NS and returns RC
    spawn SLOT DEPTH BODY          into the group at DEPTH; beyond the last: into the one it was spawned in itself
    await, cancel, done, ondone SLOT      of the task that was spawned there, if it is still valid; cancel -1: itself
    wait MODE NS SLOTS             SLOTS is a set of bits
    gather BODY N COLLECT · waitfor BODY NS · all · join, next, group_cancel DEPTH
    group{ · timeout{ NS · resched DEPTH NS · shield{ · gen{ BODY · gnext DEPTH · gyield VALUE · lset VALUE · lget
    acquire, try, release, lock{ LOCK · wait_cond COND · wait_until, notify COND N · notify_all, add COND
    sem_acquire, sem_try, sem_release, sem{ SEM · event_set, event_clear, event_wait EVENT
    barrier_wait, barrier_abort, barrier_reset BARRIER · put, try_put QUEUE VALUE · get, try_get, task_done, queue_join
    QUEUE shutdown QUEUE IMMEDIATE

and of an object: sem VALUE BOUND · cond LOCK · barrier PARTIES · queue KIND MAXSIZE (0 oldest, 1 newest, 2 smallest
first, by tens) · pool WORKERS · lock · event. The result -1000 in a log: there was nothing there to call it with.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Iterator, Optional

MS = 1_000_000
FOREVER = (1 << 63) - 1
ERRORS = (-5, -71, -125)                    # EIO, EPROTO, and an ECANCELED of one's own making


class Op:
    """One call: `a`, `b`, `c` mean what its name says; `block` is what a block holds, else None."""

    __slots__ = ("name", "a", "b", "c", "strict", "block", "number")

    def __init__(self, name: str, a: int = 0, b: int = 0, c: int = 0, strict: bool = False,
                 block: Optional[list["Op"]] = None) -> None:
        self.name, self.a, self.b, self.c = name, a, b, c
        self.strict = strict                # return from the body if this fails
        self.block = block
        self.number = 0


@dataclass
class Program:
    seed: int
    objects: list[tuple[str, int, int]] = field(default_factory=list)   # kind and its two numbers
    bodies: list[list[Op]] = field(default_factory=list)

    def operations(self) -> Iterator[Op]:
        """All operations in the order of the text."""
        def walk(ops: list[Op]) -> Iterator[Op]:
            for op in ops:
                yield op
                if op.block:
                    yield from walk(op.block)
        for body in self.bodies:
            yield from walk(body)

    def count(self) -> None:
        """Numbers the operations."""
        for number, op in enumerate(self.operations(), 1):
            op.number = number

    def text(self) -> str:
        """The program for the interpreter."""
        lines = [f"program {self.seed}"]
        lines += [f"{kind} {a} {b}" for kind, a, b in self.objects]

        def write(ops: list[Op], indent: str) -> None:
            for op in ops:
                lines.append(f"{indent}{op.name} {op.a} {op.b} {op.c}{' !' if op.strict else ''}")
                if op.block is not None:
                    write(op.block, indent + "  ")
                    lines.append(indent + "  }")

        for body in self.bodies:
            lines.append("body")
            write(body, "  ")
        lines.append("end\n")
        return "\n".join(lines)


OBJECTS = {"lock", "sem", "event", "cond", "barrier", "queue", "pool"}
BLOCKS = {"group{", "timeout{", "shield{", "lock{", "sem{", "gen{"}


def parse(text: str) -> Program:
    """The program of a text; for kept ones."""
    program = Program(0)
    stack: list[list[Op]] = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        name, numbers = words[0], [int(word) for word in words[1:] if word != "!"]
        if name == "program":
            program.seed = numbers[0]
        elif name in OBJECTS:
            program.objects.append((name, numbers[0], numbers[1]))
        elif name == "body":
            program.bodies.append([])
            stack = [program.bodies[-1]]
        elif name == "}":
            stack.pop()
        elif name == "end":
            break
        else:
            op = Op(name, *numbers, strict="!" in words, block=[] if name in BLOCKS else None)
            stack[-1].append(op)
            if op.block is not None:
                stack.append(op.block)
    return program


# ---- Random programs ------------------------------------------------------------------------------------------------

# Few different times, so that much falls into one instant.
TIMES = [0, 1, 1, 2, 2, 3, 4, 5, 5, 10, 10, 20]
LIMITS = [0, 1, 2, 3, 5, 5, 10, 10, 20]

# How often each operation is chosen: general ones, and those of a program's theme.
COMMON = {"sleep": 14, "yield": 5, "spawn": 12, "group{": 7, "join": 8, "next": 4, "await": 4, "cancel": 5,
          "group_cancel": 1, "wait": 4,
          "gather": 3, "waitfor": 3, "timeout{": 5, "resched": 1, "shield{": 3, "cpu": 1, "thread": 2, "pool_run": 1,
          "gen{": 2,
          "ondone": 1, "done": 2, "all": 1, "lset": 1, "lget": 1, "ret": 1}
THEMES = [
    {},
    {"acquire": 8, "try": 2, "release": 8, "lock{": 8},
    {"lock{": 8, "wait_cond": 8, "wait_until": 4, "notify": 6, "notify_all": 3, "add": 6, "release": 1},
    {"sem{": 6, "sem_acquire": 5, "sem_try": 2, "sem_release": 6},
    {"event_set": 5, "event_clear": 2, "event_wait": 8},
    {"barrier_wait": 12, "barrier_abort": 1, "barrier_reset": 1},
    {"put": 14, "get": 14, "try_put": 3, "try_get": 3, "task_done": 6, "queue_join": 3, "shutdown": 1},
    {"gen{": 10},
    {"thread": 10, "pool_run": 8, "cpu": 6, "cancel": 5, "timeout{": 5},
    {"cancel": 25, "group_cancel": 5, "shield{": 6, "timeout{": 6},
    {"wait": 12, "await": 10, "next": 10, "join": 5, "gather": 4, "waitfor": 4},
]
EVERYTHING = {name: max(weight // 2, 1) for theme in THEMES for name, weight in theme.items()}
THEMES.append(EVERYTHING)
STRICT_SHARE = {"sleep": 0.5, "join": 0.4, "get": 0.3, "put": 0.3, "timeout{": 0.4, "gyield": 0.6, "gather": 0.3,
                "waitfor": 0.3}
NEVER_STRICT = {"group{", "shield{", "lock{", "sem{", "gen{", "ret", "lset", "lget", "all", "add", "ondone", "done",
                "cancel", "group_cancel"}


class Writer:
    """Writes one random program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.program = Program(seed)
        size = self.random.choice([20, 60, 60, 120, 200])
        self.left = self.random.randint(size // 4, size)  # operations still to be written
        self.tasks = self.random.randint(2, size // 6 + 2)  # bodies still to be written
        self.slots = 0                                    # spawns: each has a slot of its own
        # bodies named and not yet written: number, a generator's, depth
        self.pending: list[tuple[int, bool, int]] = []
        weights = dict(COMMON)
        for theme in self.random.sample(THEMES, self.random.choice([1, 1, 2])):
            for name, weight in theme.items():
                weights[name] = weights.get(name, 0) + weight
        self.names, self.weights = list(weights), list(weights.values())
        self.cumulative = []
        total = 0
        for weight in self.weights:
            total += weight
            self.cumulative.append(total)
        self.counts = {}
        for kind in ("lock", "sem", "event", "cond", "barrier", "queue", "pool"):
            self.counts[kind] = self.random.choice([1, 1, 2])

    def write(self) -> Program:
        rnd, program = self.random, self.program
        for kind, count in self.counts.items():
            for _ in range(count):
                a, b = 0, 0
                if kind == "sem":
                    a = rnd.choice([0, 1, 1, 2])
                    b = a if rnd.random() < 0.3 else 0
                elif kind == "cond":
                    a = rnd.randrange(self.counts["lock"])
                elif kind == "barrier":
                    a = rnd.choice([1, 2, 2, 3])
                elif kind == "queue":
                    a, b = rnd.choice([0, 0, 1, 2]), rnd.choice([0, 1, 1, 2])
                elif kind == "pool":
                    a = rnd.choice([1, 1, 2])
                program.objects.append((kind, a, b))
        program.bodies.append([])
        self.pending.append((0, False, 0))
        while self.pending:
            number, is_generator, depth = self.pending.pop(0)
            share = max(2, self.left // (len(self.pending) + 2)) if self.left > 0 else 0
            budget = rnd.randint(min(2, share), share) if share else rnd.choice([0, 1, 1])
            if number == 0:
                budget = max(budget, 4)
                program.bodies[0] = [Op("group{", block=self.ops(budget, False, 0, True))]
                if rnd.random() < 0.3:
                    program.bodies[0] += self.ops(2, False, 0)
            else:
                program.bodies[number] = self.ops(max(budget, 2) if is_generator else budget, is_generator, depth)
                if rnd.random() < 0.35:
                    program.bodies[number].append(Op("ret", rnd.choice([0, 5, *ERRORS])))
        return program

    def body(self, is_generator: bool = False) -> int:
        """A new body, to be written later. None left: -1."""
        if self.tasks <= 0:
            return -1
        self.tasks -= 1
        self.program.bodies.append([])
        number = len(self.program.bodies) - 1
        self.pending.append((number, is_generator, 0))
        return number

    def ops(self, budget: int, in_generator: bool, nesting: int, spawning: bool = False,
            generators: int = 0) -> list[Op]:
        """About `budget` operations in a list. `spawning`: they begin with spawns."""
        rnd, ops = self.random, []
        if spawning:
            for _ in range(rnd.randint(1, 4)):
                op = self.op("spawn", in_generator, nesting, generators, 0)
                if op:
                    op.b = 0
                    ops.append(op)
        while budget > 0:
            if in_generator and rnd.random() < 0.35:
                name = "gyield"
            elif generators and rnd.random() < 0.35:
                name = "gnext"
            else:
                name = rnd.choices(self.names, cum_weights=self.cumulative)[0]
            op = self.op(name, in_generator, nesting, generators, budget)
            if op is None:
                continue
            size = 1 + count(op.block) if op.block is not None else 1
            budget -= size
            self.left -= size
            ops.append(op)
        return ops

    def op(self, name: str, in_generator: bool, nesting: int, generators: int, budget: int) -> Optional[Op]:
        rnd = self.random
        pick = rnd.choice
        op = Op(name)
        if name.endswith("{"):
            if nesting >= 4:
                return None
            inner = rnd.randint(1, max(1, min(budget - 1, 8)))
            if name == "timeout{":
                op.a = pick(LIMITS) * MS if rnd.random() < 0.97 else FOREVER
            elif name == "lock{":
                op.a = rnd.randrange(self.counts["lock"])
            elif name == "sem{":
                op.a = rnd.randrange(self.counts["sem"])
            elif name == "gen{":
                op.a = self.body(True)
                if op.a < 0:
                    return None
            op.block = self.ops(inner, in_generator, nesting + 1, name == "group{" and rnd.random() < 0.7,
                                generators + (name == "gen{"))
        elif name == "sleep":
            op.a = pick(TIMES) * MS
        elif name == "spawn":
            op.c = self.body()
            if op.c < 0:
                return None
            op.a, self.slots = self.slots, self.slots + 1
            op.b = pick([0, 0, 0, 1, 9])
        elif name in ("join", "next", "group_cancel"):
            op.a = pick([0, 0, 0, 0, 1, 9])
        elif name in ("await", "cancel", "ondone", "done"):
            op.a = rnd.randrange(self.slots + 2)
            if name == "cancel" and rnd.random() < 0.1:
                op.a = -1
        elif name == "wait":
            op.a = pick([0, 1, 2])
            op.b = pick(LIMITS) * MS if rnd.random() < 0.5 else FOREVER
            op.c = rnd.getrandbits(min(self.slots + 2, 20)) | rnd.getrandbits(min(self.slots + 2, 20))
        elif name == "gather":
            op.a = self.body()
            if op.a < 0:
                return None
            op.b, op.c = pick([0, 1, 2, 3]), pick([0, 1])
        elif name == "waitfor":
            op.a = self.body(in_generator and rnd.random() < 0.5)
            if op.a < 0:
                return None
            op.b = pick(LIMITS) * MS
        elif name == "resched":
            op.a, op.b = pick([0, 0, 1]), pick(LIMITS) * MS if rnd.random() < 0.9 else FOREVER
        elif name == "ret":
            if rnd.random() < 0.6:
                return None
            op.a = pick([0, 5, *ERRORS])
        else:
            self._choose(op)
        if name not in NEVER_STRICT and rnd.random() < STRICT_SHARE.get(name, 0.15):
            op.strict = True
        return op

    def _choose(self, op: Op) -> None:
        """What an operation works on and with, where that can be anything."""
        rnd, name = self.random, op.name
        pick = rnd.choice
        if name in ("cpu", "thread", "pool_run"):
            op.a = pick(TIMES) * MS
            op.b = pick([0, 0, 7, *ERRORS])
            op.c = rnd.randrange(self.counts["pool"])
        elif name in ("lset", "add"):
            op.a = rnd.randrange(1, 10) if name == "lset" else 0
        elif name in ("acquire", "try", "release"):
            op.a = rnd.randrange(self.counts["lock"])
        elif name in ("wait_cond", "notify", "notify_all", "wait_until"):
            op.a = rnd.randrange(self.counts["cond"])
            op.b = pick([1, 1, 2]) if name == "notify" else pick([1, 2, 3])
        elif name.startswith("sem_"):
            op.a = rnd.randrange(self.counts["sem"])
        elif name.startswith("event_"):
            op.a = rnd.randrange(self.counts["event"])
        elif name.startswith("barrier_"):
            op.a = rnd.randrange(self.counts["barrier"])
        elif name in ("put", "get", "try_put", "try_get", "task_done", "queue_join", "shutdown"):
            op.a = rnd.randrange(self.counts["queue"])
            op.b = rnd.randrange(100) if "put" in name else pick([0, 1])
        elif name == "gyield":
            op.a = rnd.randrange(100)
        elif name == "gnext":
            op.a = pick([0, 0, 0, 1])


def count(ops: list[Op]) -> int:
    """How many operations there are, those in blocks included."""
    return sum(1 + (count(op.block) if op.block is not None else 0) for op in ops)


def random_program(seed: int) -> Program:
    return Writer(seed).write()


# ---- Smaller ones ---------------------------------------------------------------------------------------------------

def smaller(program: Program) -> Iterator[Program]:
    """Programs with something left out, the boldest cut first."""
    def copy(ops: list[Op], cut: int, how: str) -> list[Op]:
        out = []
        for op in ops:
            block = copy(op.block, cut, how) if op.block is not None and not (op.number == cut and how == "drop") \
                else None
            if op.number == cut:
                if how == "drop":
                    continue
                if how == "open":
                    out += block or []
                    continue
            new = Op(op.name, op.a, op.b, op.c, op.strict, block)
            if op.number == cut and how == "lax":
                new.strict = False
            if op.number == cut and how == "brief":
                new.a = MS
            out.append(new)
        return out

    program.count()
    flat = list(program.operations())
    for i, body in enumerate(program.bodies):
        if body:
            yield Program(program.seed, program.objects, [[] if i == j else copy(other, 0, "") for j,
                                                          other in enumerate(program.bodies)])
    used = {op.c for op in flat if op.name == "spawn"} | {op.a for op in flat if op.name in ("gather", "waitfor",
                                                                                             "gen{")}
    for i in range(len(program.bodies) - 1, 0, -1):
        if i not in used:                   # nobody runs it: the numbers behind it move up
            def moved(ops: list[Op]) -> list[Op]:
                out = []
                for op in ops:
                    new = Op(op.name, op.a, op.b, op.c, op.strict, moved(op.block) if op.block is not None else None)
                    if op.name == "spawn":
                        new.c -= op.c > i
                    elif op.name in ("gather", "waitfor", "gen{"):
                        new.a -= op.a > i
                    out.append(new)
                return out
            yield Program(program.seed, program.objects, [moved(b) for j, b in enumerate(program.bodies) if j != i])
            break
    for op in flat:
        hows = ["drop"]
        if op.block is not None:
            hows.append("open")
        if op.strict:
            hows.append("lax")
        if op.name == "sleep" and op.a > MS:
            hows.append("brief")
        for how in hows:
            yield Program(program.seed, program.objects, [copy(body, op.number, how) for body in program.bodies])
