"""`looplab compare --random N`: small worlds and small clients drawn by chance, each run in the virtual world, in the
same world served for real, and where nginx can be told the same, against that. A difference is shrunk to the smallest
situation that shows it, and kept in a file.

Hypothesis draws and shrinks. A situation whose prediction hangs on a millisecond (a timeout at the very instant of an
answer, two requests at one instant for the last worker) is passed over: no two clocks agree on that. Whether it does is
found out in the virtual world, where all its times are moved a little.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ..plain.duration import show
from ..plain.failure import GraderFault, UsageError
from ..plain.text import count
from ..running import nginx
from ..running.serving import Server, promptly, without_proxies
from . import results

Situation = dict[str, Any]      # {"world": a world file, "script": what actor.c plays}

NEAR, NEAR_PART = 5_000_000, 0.03       # ns, or that part of what was predicted: so near a real time must be
STEADY = 4_500_000                      # ns: what is moved by up to 2 ms may move an end so far; times Stage.slack
NUDGES = ((1, -2, 2, 0, -1), (-2, 1, 0, 2, -1), (2, 2, -2, -1, 0))      # dealt out in turn; times Stage.slack ms
APART = ((0, 2), (2, 0))                # the same for all that the first five and all that the next five requests do
TRIES = 3                               # so many real runs before a difference counts: the machine may be busy
PATIENCE_S = 60.0
FIRST_TASK = 2                          # the actor's first request is that task's
KEPT = "differences"                    # where found ones go, under build/


@dataclass(frozen=True)
class Played:
    """What one request came to."""

    rc: int
    status: int
    length: int
    hash: str
    begun: int                  # ns from the start
    ended: int
    pieces: tuple[int, ...]     # ns from the start: when each piece of a stream was there
    over: tuple[bool, ...] = ()     # of each request, redirected ones too: over a connection used before?

    @property
    def result(self) -> tuple[int, int, int, str]:
        return self.rc, self.status, self.length, self.hash

    @property
    def way(self) -> tuple[bool, ...]:
        """`over`, if it got an answer: who gave up perhaps had no connection yet, and nobody minds."""
        return self.over if self.rc == 0 else ()


# ---- playing ----------------------------------------------------------------------------------


class Stage:
    """Where situations are played. root: the repository, whose `actor` and `serve` are built; work: a folder for files;
    actor: another build of that client; slack: how many times 1 or 2 ms a prediction must bear to be moved by; times:
    whether they are compared, too (they are only worth it where nobody else wants the machine)."""

    def __init__(self, root: Path, work: Path, slack: int = 1, times: bool = True, actor: Optional[Path] = None):
        self.root, self.work, self.slack, self.times = root, work, slack, times
        self.beside_nginx = 0           # how many runs nginx was the server of
        self.actor = actor or root / "build" / "tests" / "plain" / "real" / "actor"
        if not self.actor.is_file():
            raise UsageError("the client that plays situations is not built: `make compare RANDOM=10` builds it")

    def predicted(self, situation: Situation) -> list[Played]:
        """In the virtual world."""
        world, script = self._lay(situation)
        return self._play(script, str(world), without_proxies())

    def real(self, situation: Situation) -> list[Played]:
        """In the same world, served for real."""
        world, script = self._lay(situation)
        with Server(world, self.root) as server:
            return self._play(script, "real", {**without_proxies(), **server.environment})

    def beside(self, situation: Situation) -> Optional[list[Played]]:
        """In the same world, kept by nginx; None where that cannot be, or nginx is not there."""
        said = nginx.sites(situation["world"], situation["script"]["requests"]) if nginx.program() else None
        if said is None:
            return None
        world, script = self._lay(situation)
        self.beside_nginx += 1
        with nginx.Nginx(world, situation["world"], said, self.work / "nginx") as server:
            return self._play(script, "real", {**without_proxies(), **server.environment})

    def _lay(self, situation: Situation) -> tuple[Path, Path]:
        world, script = self.work / "world.json", self.work / "script.json"
        world.write_text(json.dumps(situation["world"]))
        script.write_text(json.dumps(situation["script"]))
        return world, script

    def _play(self, script: Path, world: str, environment: dict[str, str]) -> list[Played]:
        trace = self.work / "actor.trace"
        done = subprocess.run([str(self.actor), str(script), world, str(trace)], capture_output=True, text=True,
                              timeout=PATIENCE_S, cwd=self.work, env=environment, preexec_fn=promptly)
        if done.returncode:
            raise GraderFault(f"the actor ended with exit code {done.returncode}: {done.stderr.strip()[:300]}")
        over = _connections(trace)
        return [_played(json.loads(line), over.get(k + FIRST_TASK, ()))
                for k, line in enumerate(done.stdout.splitlines())]


def _connections(trace: Path) -> dict[int, tuple[bool, ...]]:
    """By task: for each of its requests, whether it went over a connection used before (the last time it was sent)."""
    task: dict[int, int] = {}
    reused: dict[int, bool] = {}
    for line in trace.read_text().splitlines():
        event = json.loads(line)
        if event.get("ev") == "http.start":
            task[event["op"]] = event["task"]
        elif event.get("ev") == "http.connected":
            reused[event["op"]] = bool(event["reused"])
    return {who: tuple(reused[op] for op in sorted(reused) if task[op] == who) for who in set(task.values())}


def _played(line: dict, over: tuple[bool, ...]) -> Played:
    return Played(line["rc"], line["status"], line["length"], line["hash"], line["begun"], line["ended"],
                  tuple(line["piece_at"]), over)


# ---- comparing --------------------------------------------------------------------------------


def nudged(situation: Situation, by: tuple[int, ...]) -> Situation:
    """The same situation with its times moved by a millisecond or two, dealt out from `by` in turn: among the requests,
    when each begins; and all else. All begins a little later, so that what begins at once at 0 comes in another order,
    too."""
    moved = copy.deepcopy(situation)
    k, later = 0, -min(by)
    for site in moved["world"]["sites"]:
        for route in site["routes"]:
            route["latency"] = f"{max(0, int(route['latency'][:-2]) + by[k % len(by)])}ms"
            k += 1
    for number, request in enumerate(moved["script"]["requests"]):
        request["at"] += later + by[number % len(by)]
        for name in ("timeout", "cancel"):
            if name in request:
                request[name] = max(1 if name == "timeout" else 0, request[name] + by[k % len(by)])
                k += 1
    return moved


def apart(situation: Situation, by: tuple[int, ...]) -> Situation:
    """The same with five requests after the other begun a little later, those that `nudged` moves alike."""
    moved = copy.deepcopy(situation)
    for number, request in enumerate(moved["script"]["requests"]):
        request["at"] += by[number // len(NUDGES[0]) % len(by)]
    return moved


def slowed(situation: Situation, ms: int) -> Situation:
    """The same with all servers slower by so much: what takes no time in the virtual world takes some here."""
    moved = copy.deepcopy(situation)
    for site in moved["world"]["sites"]:
        for route in site["routes"]:
            route["latency"] = f"{int(route['latency'][:-2]) + ms}ms"
    return moved


def spread(situation: Situation, ms: int) -> Situation:
    """The same, and bodies that come all at once in the virtual world take so much time."""
    moved = copy.deepcopy(situation)
    for site in moved["world"]["sites"]:
        for route in site["routes"]:
            if route.get("body_size") and not {"link", "bandwidth"} & (set(site) | set(route)):
                route["bandwidth"] = max(1, route["body_size"] * 1000 // ms)
    return moved


def is_steady(stage: Stage, situation: Situation, predicted: list[Played]) -> bool:
    """Does the prediction stay what it is when its times move a little?"""
    most = STEADY * stage.slack
    moves = [move(situation, tuple(stage.slack * ms for ms in by))
             for move, all_by in [(nudged, NUDGES), (apart, APART)] for by in all_by]
    for moved in [*moves, slowed(situation, 2 * stage.slack), spread(situation, 2 * stage.slack)]:
        for one, other in zip(predicted, stage.predicted(moved)):
            moved_by = abs((one.ended - one.begun) - (other.ended - other.begun))
            if one.result != other.result or one.way != other.way or moved_by > most:
                return False
    return True


def lateness(stage: Stage, number: int, size: int = 70_000) -> int:
    """ns by which this machine is late just now with so many plain requests at once, each for `size` bytes: it has
    other work, too."""
    site = {"url": "http://a.test", "routes": [{"path": "/", "latency": "20ms", "body_size": size}]}
    asked = [{"url": "http://a.test/", "timeout": 10_000} for _ in range(number)]
    plain = {"world": {"world": "looplab/world/v1", "sites": [site]}, "script": {"sessions": [], "requests": asked}}
    pairs = zip(stage.predicted(plain), stage.real(plain))
    return max(0, *(real.ended - predicted.ended for predicted, real in pairs))


def differences(predicted: list[Played], real: list[Played], times: bool = True, late: int = 0,
                who: str = "really", pages: bool = True) -> list[str]:
    """Where the two differ, in words. times: in when they ended, too; late: ns that the machine may be late by, besides
    what is near; who: how the other side is called; pages: in what is said beside a status that is no success, too."""
    found = []
    for k, (one, other) in enumerate(zip(predicted, real)):
        alike = not pages and one.rc == other.rc == 0 and one.status == other.status >= 300
        if one.result != other.result and not alike:
            found.append(f"request {k}: predicted {_told(one)}, {who} {_told(other)}")
        elif one.way != other.way:
            found.append(f"request {k}: predicted {_connected(one)}, {who} {_connected(other)}")
        elif times and one.length == other.length and not near(one.ended, other.ended, late):
            found.append(f"request {k}: predicted to end at {show(one.ended)}, {who} {show(round(other.ended, -3))}")
    return found


def near(predicted: float, real: float, late: float = 0) -> bool:
    """Within 3 % or 5 ms; `late` ns later is no difference at all."""
    real -= min(late, max(0, real - predicted))
    return abs(real - predicted) <= max(NEAR, NEAR_PART * abs(predicted))


def _connected(one: Played) -> str:
    return "over " + ", ".join("a used connection" if used else "a new connection" for used in one.over)


def _told(one: Played) -> str:
    return f"rc {one.rc}, status {one.status}, {one.length} bytes ({one.hash[:6]})"


def differ(stage: Stage, situation: Situation) -> Optional[list[str]]:
    """What differs in every one of some real runs (the last one's differences); [] if nothing does; None: it is not
    steady."""
    predicted = stage.predicted(situation)
    if not is_steady(stage, situation, predicted):
        return None
    return _differ_from(stage, predicted, lambda: stage.real(situation)) \
        or _differ_from(stage, predicted, lambda: stage.beside(situation), "with nginx", pages=False)


def _differ_from(stage: Stage, predicted: list[Played], side: Callable[[], Optional[list[Played]]],
                 who: str = "really", pages: bool = True) -> list[str]:
    found: list[str] = []
    for attempt in range(TRIES):
        late = lateness(stage, len(predicted)) if stage.times and attempt else 0
        real = side()
        found = differences(predicted, real, stage.times, late, who, pages) if real else []
        if not found:
            break
    return found


# ---- searching --------------------------------------------------------------------------------


def search(stage: Stage, number: int, seed: int, tell: Callable[[int], None]) -> Optional[tuple[Situation, list[str]]]:
    """Plays `number` situations; the smallest that differs, with its differences, or None. tell: told how many have
    been played. What differed once and then never again was the machine's doing, and the search goes on."""
    left = number
    while left > 0:
        played, found = _search_once(stage, left, seed, lambda now: tell(number - left + now))
        again = differ(stage, found) if found else None
        if found and again:
            return found, again
        left -= max(1, played)
        seed += 1
    return None


class _Ours(BaseException):
    """A fault of ours, on its way past Hypothesis: that would take it for a difference, play the situation again, and
    find it gone."""

    def __init__(self, fault: Exception):
        super().__init__(fault)
        self.fault = fault


def _search_once(stage: Stage, number: int, seed: int, tell: Callable[[int], None]) -> tuple[int, Optional[Situation]]:
    """(How many were played, the smallest that differed or None)."""
    import hypothesis
    from hypothesis import HealthCheck, Phase

    from ..asking import situation as drawn

    known: dict[str, Optional[list[str]]] = {}      # Hypothesis plays some again, and wants to see the same
    last: list[Situation] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                         phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False, print_blob=False)
    @hypothesis.given(drawn.situations())
    def play(situation: Situation) -> None:
        key = json.dumps(situation)
        if key not in known:
            try:
                known[key] = differ(stage, situation)
            except Exception as fault:
                raise _Ours(fault)
        found = known[key]
        tell(len(known))
        hypothesis.assume(found is not None)
        if found:
            last.append(situation)
        assert not found

    try:
        with suppress(AssertionError):
            play()
    except _Ours as ours:
        raise ours.fault
    return len(known), last[-1] if last else None


def keep(situation: Situation, found: list[str], folder: Path) -> Path:
    """Writes a situation that differs where it can be looked at and played again."""
    folder.mkdir(parents=True, exist_ok=True)
    k = 1 + max((int(file.stem) for file in folder.glob("*.json") if file.stem.isdigit()), default=0)
    file = folder / f"{k}.json"
    file.write_text(json.dumps({**situation, "found": found}, indent=1) + "\n")
    return file


def main(number: int, seed: int, root: Path, work: Path) -> int:
    """Plays `number` situations, and tells. Exit code 0: none differs; 1: one does. Raises UsageError."""
    def tell(played: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{played} of {number}", end="", file=sys.stderr, flush=True)

    stage = Stage(root, work)
    found = search(stage, number, seed, tell)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    if not found:
        third = f", and in {count(stage.beside_nginx, 'run')} beside nginx" if nginx.program() else ""
        print(f"{count(number, 'situation')} drawn from seed {seed}: 0 differences between the virtual world and the "
              f"real one{third}.")
        return results.OK
    situation, said = found
    file = keep(situation, said, root / "build" / KEPT)
    print("\n".join(said) + f"\nThe smallest situation that shows it: {file}\n{json.dumps(situation)}")
    return results.BELOW
