"""bench_orders.py - how many orders a second: what `make bench ORDERS=1` does.

    bench_orders.py [--orders N] [--json FILE]

Lab 04's reference, ten jobs and five workers, both ways in the same run, and both with two processes at a time: by the
explorer (`make explore`), and with each order two processes of their own, as a grading's check of orders runs them. The
second way is flattered: nobody reads its traces here. Then a small case, of which all orders are run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(os.path.abspath(__file__)).parents[2]
LAB = "04-worker-queue"
WORLD = ROOT / "labs" / LAB / "worlds/ten.json"
PROCESSES = 2
SMALL = {"URLS": "http://tea.test/1 http://tea.test/2 http://tea.test/3", "SET": "workers=3"}


def explored(orders: int, folder: Path, **more: str) -> dict[str, Any]:
    """The explorer's own summary."""
    file = folder / "explored.json"
    done = subprocess.run(["sh", "grader/scripts/run.sh"], cwd=ROOT, capture_output=True, text=True, env={
        **os.environ, "EXPLORE": "1", "LAB": LAB, "FROM": "solutions", "WORLD": str(WORLD), "DEPTH": str(orders),
        "JSON": str(file), **more})
    if not file.exists():
        sys.exit(f"bench_orders: the explorer has failed: {done.stdout}{done.stderr}")
    return json.loads(file.read_text())


def one_by_one(orders: int, folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of the processors' time: each order twice, in a process and with a trace each time."""
    program = ROOT / "build/kit" / LAB / "reference"

    def run(number: int) -> None:
        for again in range(2):
            subprocess.run([program, "--world", WORLD, "--tape", f"{1 + number % 40}=1",
                            "--trace", folder / f"{number % PROCESSES}.{again}"], check=True, stdout=subprocess.DEVNULL)

    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(run, range(orders)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_orders", description="How many orders of tasks are run a second.")
    parser.add_argument("--orders", type=int, default=40000, metavar="N", help="of the explorer's (default: 40000)")
    parser.add_argument("--json", metavar="FILE", help="the figures, for programs to read")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = explored(options.orders, folder), explored(options.orders, folder, **SMALL)
        few = max(20, options.orders // 200)
        wall, cpu = one_by_one(few, folder)
    fast, slow = large["orders"] / large["elapsed_s"], few / wall
    fast_cpu, slow_cpu = large["orders"] / large["cpu_s"], few / cpu
    figures = {"explored_per_s": round(fast), "one_by_one_per_s": round(slow), "times": round(fast / slow, 1),
               "explored_per_cpu_s": round(fast_cpu), "one_by_one_per_cpu_s": round(slow_cpu),
               "times_by_cpu": round(fast_cpu / slow_cpu, 1),
               "small_orders": small["orders"], "small_complete": small["complete"],
               "small_s": round(small["elapsed_s"], 3)}
    print(f"{'lab 04, 10 jobs, 5 workers: orders':42}{'a second':>10}{'a second of CPU':>18}")
    print(f"{'explored':42}{fast:10,.0f}{fast_cpu:18,.0f}")
    print(f"{'each in two processes of its own':42}{slow:10,.0f}{slow_cpu:18,.0f}")
    print(f"{'times':42}{fast / slow:10.0f}{fast_cpu / slow_cpu:18.0f}")
    what = f"3 jobs, 3 workers: {'all' if small['complete'] else 'not all'} {small['orders']} orders"
    print(f"{what:42}{small['elapsed_s']:9.2f}s{small['cpu_s']:17.2f}s")
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
