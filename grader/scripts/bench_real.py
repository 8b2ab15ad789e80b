"""bench_real.py - the real world beside what else a user would pick: what `make bench REAL=1` does.

    bench_real.py [--json FILE] [--rounds N] [--requests N]

Small GETs from an nginx on the loopback: by the reference fetcher of lab 02, by curl's own --parallel, by Python's
aiohttp. Warm: 1,000, 50 at once, so nearly all on connections that are there; cold: 100 at once; own: 300 at once, each
on a connection of its own, as the server closes it behind the answer (300 is the most that curl does at once: of 500 it
uses 200 connections again); own_500: 500 of them. Where each has a connection of its own most of the time is the
kernel's: what it alone takes is the row "calls alone" (sim/bench/peers/connections.c).
All are whole processes, one after the other in each round; the best wall-clock time of each counts, as what other
programs take from us only ever adds, and likewise the least CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

ROOT = Path(os.path.abspath(__file__)).parents[2]
OUT = ROOT / "build" / "bench"

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{ access_log off; root {folder}/www; keepalive_requests 1000000;
        server {{ listen 127.0.0.1:{kept} backlog=4096; }}
        server {{ listen 127.0.0.1:{closed} backlog=4096; keepalive_timeout 0; }}
        client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
        uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5; }}
"""

AIOHTTP = """
import asyncio, sys, aiohttp
async def main(urls, at_once):
    limit = asyncio.Semaphore(at_once)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        async def one(url):
            async with limit, session.get(url) as answer:
                assert answer.status == 200
                return len(await answer.read())
        return await asyncio.gather(*map(one, urls))
assert sum(asyncio.run(main(open(sys.argv[1]).read().split(), int(sys.argv[2])))) > 0
"""


ROWS = {"warm": (1000, 50, "kept"), "cold": (100, 100, "kept"), "own": (300, 300, "closed"),
        "own_500": (500, 500, "closed")}
"""Requests, how many at once, and what the server does with their connections."""
CURL_MOST = 300                 # at once
BARE = "calls alone"            # the kernel's part


@dataclass
class Time:
    wall_ms: float
    cpu_ms: float

    def best(self, other: "Time") -> "Time":
        return Time(min(self.wall_ms, other.wall_ms), min(self.cpu_ms, other.cpu_ms))


def measure(words: list[str]) -> Time:
    """Runs a program; it must end well."""
    begin = time.perf_counter()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        sys.exit(f"bench: {words[0]} ended with {process.returncode}")
    return Time(1000 * wall, 1000 * (usage.ru_utime + usage.ru_stime))


def build_fetcher() -> None:
    """The reference fetcher, linked with the real world."""
    lab = "02-url-fetcher"
    program = OUT / "fetcher"
    sources = [str(path) for path in sorted((ROOT / "solutions" / lab).glob("*.c"))]
    words = [*shlex.split(os.environ.get("CC") or "gcc"),
             "@sim/kit/student.flags", "-O2", "-Isim/include", f"-Ilabs/{lab}", *sources,
             f"build/kit/{lab}/main.o", "build/kit/libco-real.a", "build/kit/libco.a", "@sim/kit/link.flags",
             "@sim/kit/real.flags", "-o", str(program)]
    if subprocess.run(words, cwd=ROOT).returncode:
        sys.exit("bench: the reference fetcher does not compile")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(folder: Path, requests: int) -> Iterator[dict[str, list[str]]]:
    """URLs of small files, as long as nginx runs, by what it does with connections."""
    program = shutil.which("nginx", path=f"/usr/sbin:/usr/local/sbin:{os.environ.get('PATH', '')}")
    if not program:
        sys.exit("bench: no nginx here; say: make deps-dev")
    kept, closed = free_port(), free_port()
    (folder / "www").mkdir()
    for i in range(requests):
        (folder / "www" / str(i)).write_text(f"file {i}\n" * (1 + i % 50))
    (folder / "conf").write_text(NGINX.format(folder=folder, kept=kept, closed=closed))
    server = subprocess.Popen([program, "-p", str(folder), "-c", "conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", kept)) == 0:
                    break
            time.sleep(0.02)
        yield {name: [f"http://127.0.0.1:{port}/{i}" for i in range(requests)]
               for name, port in [("kept", kept), ("closed", closed)]}
    finally:
        server.terminate()
        server.wait()


def build_bare() -> None:
    """The client that is nothing but system calls."""
    words = [*shlex.split(os.environ.get("CC") or "gcc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
             "sim/bench/peers/connections.c", "-o", str(OUT / "connections")]
    if subprocess.run(words, cwd=ROOT).returncode:
        sys.exit("bench: sim/bench/peers/connections.c does not compile")


def clients(folder: Path, urls: list[str], at_once: int) -> dict[str, list[str]]:
    """The command line of each. folder: empty, for what they read."""
    folder.mkdir()
    (folder / "urls").write_text("\n".join(urls))
    (folder / "curl").write_text("".join(f"url = {url}\noutput = /dev/null\n" for url in urls))
    found = {"looplab": [str(OUT / "fetcher"), "--real", "--set", f"per_host={at_once}", "quiet", *urls]}
    if shutil.which("curl") and at_once <= CURL_MOST:
        # Where all are asked for at once curl would wait for the first answers: three connections for a hundred.
        immediate = ["--parallel-immediate"] if at_once == len(urls) else []
        found["curl"] = ["curl", "-s", "--parallel", *immediate, "--parallel-max", str(at_once), "-K",
                         str(folder / "curl")]
    for python in [sys.executable, "/usr/bin/python3"]:
        if "aiohttp" not in found and subprocess.run([python, "-c", "import aiohttp"],
                                                     stderr=subprocess.DEVNULL).returncode == 0:
            found["aiohttp"] = [python, "-c", AIOHTTP, str(folder / "urls"), str(at_once)]
    if at_once == len(urls):        # each has a connection of its own
        port = urls[0].split(":")[2].split("/")[0]
        found[BARE] = [str(OUT / "connections"), port, str(len(urls))]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_real.py")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1000, help="so many at most")
    asked = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    build_fetcher()
    build_bare()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for urls in serve(folder, max(row[0] for row in ROWS.values())):
            for row, (requests, at_once, server) in ROWS.items():
                requests = min(requests, asked.requests)
                programs = clients(folder / row, urls[server][:requests], min(at_once, requests))
                found[row] = compete(programs, asked.rounds)
                show(f"{row}: {requests} small GETs from nginx on the loopback, {min(at_once, requests)} at once, "
                     f"whole processes, best of {asked.rounds} (load {os.getloadavg()[0]:.1f})", found[row])
    if asked.json:
        asked.json.write_text(json.dumps({row: {program: vars(took) for program, took in best.items()}
                                          for row, best in found.items()}) + "\n")


def compete(programs: dict[str, list[str]], rounds: int) -> dict[str, Time]:
    """The best of so many rounds, in which each has its turn."""
    best: dict[str, Time] = {}
    for _ in range(rounds):
        for program, words in programs.items():
            took = measure(words)
            best[program] = took.best(best.get(program, took))
    return best


def show(title: str, best: dict[str, Time]) -> None:
    ours = best["looplab"]
    print(title)
    print(f"  {'':12} {'wall':>9} {'CPU':>9} {'wall, ours = 1':>15} {'CPU, ours = 1':>14}")
    for program, took in best.items():
        print(f"  {program:12} {took.wall_ms:6.1f} ms {took.cpu_ms:6.1f} ms {took.wall_ms / ours.wall_ms:15.2f} "
              f"{took.cpu_ms / ours.cpu_ms:14.2f}", flush=True)


if __name__ == "__main__":
    main()
