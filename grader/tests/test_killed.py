"""Whoever is killed in the middle of a grading (the grader, its judge, the program, the compiler): no half result is
left, and nobody runs on. Two moments each time, fifty with ALL=1."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from variants import ALL, ROOT

LAB = "01-sync-vs-async"
PR_SET_CHILD_SUBREAPER = 36
MOMENTS = 50 if ALL else 2
LONGEST_S = 60

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc here")


def below(pid: int) -> dict[int, str]:
    """Every process that stems from this one and is none yet that has ended: number -> name."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            children = [int(word) for task in Path(f"/proc/{one}/task").iterdir()
                        for word in (task / "children").read_text().split()]
        except OSError:                     # it has ended meanwhile
            continue
        for child in children:
            try:
                name, state = Path(f"/proc/{child}/stat").read_text().split("(")[1].rsplit(") ", 1)
            except OSError:
                continue
            if not state.startswith("Z"):
                found[child] = name
            waiting.append(child)
    return found


@pytest.fixture
def adopts():
    """What a killed process leaves behind becomes this one's child, and is seen."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def nobody(known: set[int]) -> bool:
    """Are all gone but those that were there before, soon? Asked five times in a row: a process whose parent ends is
    for a moment nobody's child."""
    until, gone = time.monotonic() + LONGEST_S, 0
    while gone < 5 and time.monotonic() < until:
        gone = 0 if set(below(os.getpid())) - known else gone + 1
        time.sleep(0.02)
    return gone == 5


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("who", ["the grader", "one that it has started"])
def test_nothing_is_left(who, moment, adopts, tmp_path):
    chance = random.Random(f"{who}/{moment}")
    known = set(below(os.getpid()))
    grading = subprocess.Popen([sys.executable, "-m", "looplab", "grade", "--lab", "01", "--from", "solutions", "--out",
                                tmp_path], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0.2, 2.0))
    started = below(grading.pid)
    victim = chance.choice(sorted(started)) if started and who != "the grader" else grading.pid
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:              # it had ended
        pass
    code = grading.wait(timeout=LONGEST_S)
    assert nobody(known), below(os.getpid())
    result = tmp_path / LAB / "results.json"
    if victim == grading.pid:
        assert code == -signal.SIGKILL or result.exists()
    if result.exists():                     # then it is whole, and says what the exit code says
        told = json.loads(result.read_text())
        assert victim == grading.pid or code == {"graded": 0 if told["score"] == 100 else 1, "ungradable": 2,
                                                 "error": 3}[told["status"]]
    assert [path.name for path in tmp_path.glob("**/*") if path.name.endswith((".new", ".tmp"))] == []
