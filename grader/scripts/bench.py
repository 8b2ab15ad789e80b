"""bench.py - runs the benchmarks of sim/bench, and prints them as a table: what `make bench` does.

    bench.py [--json FILE] [--peers] [--quick] [--rounds N]

Each figure is ns of CPU time for one operation; the benchmark's C file says what is counted. Every program is run once
a round and does its benchmark several times over; the best of all counts, as what other programs take from us only ever
adds. Rounds change the CPU that all is pinned to, and with --peers each row's peers run right after ours, on the same
CPU. Wall-clock time is told where it is more than 20 % above CPU time in the best run.

The first row is a bare call of a function through a pointer: the yardstick. The targets are those of a machine on which
it takes 1.4 ns; where it takes longer, they are scaled by it.

--json writes [{"name": "yield", "ns": 7.9, "peers": {"st": 31.0}}, ...]: ns is the figure, peers the same of each peer
(an empty object without --peers, or where a row is not shared). task_bytes is no time: it has "bytes", and the same
number as "ns", for scripts that read every row alike. --quick checks that all works, with counts so small that no
figure means anything.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

ROOT = Path(os.path.abspath(__file__)).parents[2]
OUT = ROOT / "build" / "bench"
PEERS = ROOT / "sim" / "bench" / "peers"
NOT_SHARED = 3                  # a peer's exit code: it has nothing to compare
YARDSTICK_NS = 1.4              # the call on the machine that the targets are for
TIMEOUT_S = 600


@dataclass
class Row:
    name: str
    what: str
    target: Optional[float] = None      # ns, or bytes, at most
    traced: bool = False                # measured with a trace to /dev/null as well
    listed: bool = True                 # in the JSON
    once: bool = False                  # takes long, or is always the same: one round will do
    tasks: int = 0                      # with --quick
    cpu: Optional[float] = None
    wall: Optional[float] = None
    with_trace: Optional[float] = None
    peers: dict[str, float] = field(default_factory=dict)


def table() -> list[Row]:
    return [
        Row("call", "a bare call through a pointer", listed=False),
        Row("yield", "yield, two tasks at one line", 8, traced=True),
        Row("yield_apart", "yield, two tasks at two lines", listed=False),
        Row("spawn", "spawn, run, end, join", 22, traced=True),
        Row("queue", "message, queue of 128", 18, traced=True),
        Row("rendezvous", "message, queue of 1, alternately"),
        Row("lock", "lock handed over"),
        Row("sem", "semaphore handed over"),
        Row("event", "event, each of 100 waiters"),
        Row("cancel", "cancel and join"),
        Row("timeout", "timeout armed and disarmed"),
        Row("sleep_1k", "virtual sleep, 1,000 tasks", 140, traced=True, tasks=50),
        Row("sleep_10k", "virtual sleep, 10,000 tasks", tasks=100),
        Row("sleep_100k", "virtual sleep, 100,000 tasks", 500, tasks=200),
        Row("sleep_1m", "virtual sleep, 1,000,000 tasks", once=True, tasks=400),
        Row("http", "virtual HTTP request, 100 in flight", 1500, traced=True),
        Row("task_bytes", "bytes of a task asleep, 1,000,000", 4301, once=True, tasks=400),
    ]


@dataclass
class Peer:
    name: str
    title: str
    source: str
    build: list[str]                    # the compiler's arguments behind the source; [] = Python
    count: int
    counts: dict[str, int] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)


def peers() -> list[Peer]:
    return [
        Peer("st", "State Threads", "st.c", ["-O2", "-lst"], 300000),
        Peer("pth", "GNU Pth", "pth.c", ["-O2", "-lpth"], 30000),
        Peer("simgrid", "SimGrid", "simgrid.cpp", ["-O2", "-std=c++17", "-lsimgrid"], 50000,
             {"spawn": 5000, "rendezvous": 20000, "sleep_1k": 200000, "sleep_10k": 100000}),
        Peer("trio", "Trio", "trio_peer.py", [], 10000),
        Peer("asyncio", "asyncio", "asyncio_peer.py", [], 20000),
    ]


def prepare(peer: Peer) -> Optional[str]:
    """Finds or builds the peer's program. What is wrong, or None."""
    source = PEERS / peer.source
    if not peer.build:
        module = peer.source.removesuffix("_peer.py")
        for python in (sys.executable, "/usr/bin/python3"):
            asked = f"import sys, {module}; assert sys.version_info >= (3, 11)"
            if Path(python).exists() and subprocess.run([python, "-c", asked], capture_output=True).returncode == 0:
                peer.command = [python, "-B", str(source)]
                return None
        return f"no Python 3.11 here has {module}"
    compiler = ["g++"] if source.suffix == ".cpp" else shlex.split(os.environ.get("CC") or "gcc")
    program = OUT / peer.name
    flags = [flag for flag in peer.build if not flag.startswith("-l")]
    libraries = [flag for flag in peer.build if flag.startswith("-l")]
    try:
        built = subprocess.run([*compiler, *flags, "-Wall", "-Wextra", str(source), "-o", str(program), *libraries],
                               capture_output=True, text=True)
    except OSError as error:
        return str(error)
    if built.returncode != 0:
        return next((line for line in built.stderr.splitlines() if "error" in line), "it does not compile")
    peer.command = [str(program)]
    return None


def measure(command: list[str]) -> Optional[tuple[float, float]]:
    """Runs one benchmark: CPU time and wall-clock time of an operation. None: not shared."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode == NOT_SHARED:
        return None
    words = done.stdout.split()
    if done.returncode != 0 or len(words) != 3:
        sys.exit(f"bench: {' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return float(words[1]), float(words[2])


def best(old: Optional[float], new: float) -> float:
    return new if old is None else min(old, new)


def run_ours(row: Row, quick: bool) -> None:
    command = [str(OUT / "bench")]
    if quick:
        command += ["--repeat", "1", "--count", "2000"] + (["--tasks", str(row.tasks)] if row.tasks else [])
    figures = measure([*command, row.name])
    assert figures
    if row.cpu is None or figures[0] < row.cpu:
        row.cpu, row.wall = figures
    if row.traced:
        figures = measure([*command, "--trace", "/dev/null", row.name])
        assert figures
        row.with_trace = best(row.with_trace, figures[0])


def run_peers(row: Row, present: list[Peer], quick: bool) -> None:
    for peer in present:
        count = 1000 if quick else peer.counts.get(row.name, peer.count)
        figures = measure([*peer.command, row.name, str(count)])
        if figures:
            row.peers[peer.name] = best(row.peers.get(peer.name), figures[0])


def run_all(rows: list[Row], present: list[Peer], rounds: int, quick: bool) -> None:
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for number in range(rounds):
        if cpus:
            os.sched_setaffinity(0, {cpus[number % len(cpus)]})
        for row in rows:
            if number > 0 and row.once:
                continue
            say(f"round {number + 1} of {rounds}: {row.name}")
            run_ours(row, quick)
            run_peers(row, present, quick)
    say("")


def say(text: str) -> None:
    """Progress, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def print_table(rows: list[Row], present: list[Peer]) -> None:
    yardstick = next(row.cpu for row in rows if row.name == "call")
    assert yardstick
    scale = max(1.0, yardstick / YARDSTICK_NS)
    scaled = f"scaled by {scale:.2f}" if scale > 1 else "as they are"
    print(f"ns of CPU time for one operation. The yardstick takes {yardstick:.2f} ns, so the targets count {scaled}.")
    heads = ["", "ns", "target", "", "traced"] + [peer.title for peer in present]
    lines = [heads]
    for row in rows:
        assert row.cpu is not None and row.wall is not None
        unit = 1.0 if row.name == "task_bytes" else scale
        target = row.target * unit if row.target else None
        lines.append([f"{row.name:<12} {row.what}", f"{row.cpu:.2f}" if row.name == "call" else amount(row.cpu),
                      amount(target) if target else "", "" if not target else "ok" if row.cpu <= target else "MISSED",
                      amount(row.with_trace) if row.with_trace else ""]
                     + [f"{amount(row.peers[p.name])} ({row.peers[p.name] / row.cpu:.1f}x)" if p.name in row.peers
                        else "-"
                        for p in present])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip())
    late = [f"{row.name} {amount(row.wall)}" for row in rows if row.cpu and row.wall and row.wall > 1.2 * row.cpu]
    if late:
        print("The machine was busy with other things; by the wall clock: " + ", ".join(late) + ".")


def write_json(rows: list[Row], path: str) -> None:
    listed = []
    for row in rows:
        if not row.listed or row.cpu is None:
            continue
        entry: dict = {"name": row.name, "ns": round(row.cpu, 2)}
        if row.name == "task_bytes":
            entry["bytes"] = round(row.cpu)
        entry["peers"] = {name: round(value, 2) for name, value in row.peers.items()}
        listed.append(entry)
    Path(path).write_text("[\n " + ",\n ".join(json.dumps(entry) for entry in listed) + "\n]\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--peers", action="store_true", help="measure the other libraries that are installed, too")
    parser.add_argument("--quick", action="store_true", help="tiny counts: does it work?")
    parser.add_argument("--rounds", type=int, default=0, help="how often all of it is run (default 3; quick: 1)")
    options = parser.parse_args()
    rows, present, absent = table(), [], []
    for peer in peers() if options.peers else []:
        wrong = prepare(peer)
        if wrong:
            absent.append(f"Not compared: {peer.title}: {wrong}.")
        else:
            present.append(peer)
    run_all(rows, present, options.rounds or (1 if options.quick else 3), options.quick)
    if options.quick:
        print("QUICK: this shows that all works; the figures mean nothing.")
    print_table(rows, present)
    if present:
        print("In brackets: how many times ours the peer takes. -: "
              "it has no such thing (State Threads and Pth have no virtual time).")
    for line in absent:
        print(line)
    if options.json:
        write_json(rows, options.json)


if __name__ == "__main__":
    main()
