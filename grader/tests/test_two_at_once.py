"""Two at a time in one checkout: neither gets anything of the other's. And what ends make ends what it has started."""

from __future__ import annotations

import fcntl
import glob
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"
SOUND = (ROOT / "solutions" / LAB / "compare.c").read_text()
PATIENCE_S = 120
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def start(*words: str, **variables: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.Popen(words, cwd=ROOT, env={**env, **variables}, text=True, start_new_session=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(what, *args):
    """Waits until it is true, and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := what(*args)):
        assert time.monotonic() < deadline, f"{what.__name__} never came true"
        time.sleep(0.02)
    return found


def submission(folder: Path, first_words: str) -> Path:
    """The reference solution, but for what fetch_async does first."""
    folder.mkdir()
    at = re.search(r"\nint fetch_async\([^{]*\{\n", SOUND)
    assert at
    text = SOUND[:at.end()] + f"    {first_words}\n" + SOUND[at.end():]
    (folder / "compare.c").write_text("#include <stdio.h>\n" + text)
    return folder


# ---- One builds at a time ----


def test_a_second_make_waits_for_the_first_and_says_so():
    with open(ROOT / "Makefile") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second = start("make", "-n", "build/kit/libco.a")
        assert second.stderr and second.stderr.readline() == "waiting for another make in this checkout\n"
        assert second.poll() is None
    assert second.communicate(timeout=PATIENCE_S)[1] == "" and second.returncode == 0


def test_a_make_that_has_built_keeps_nobody_waiting(tmp_path):
    """While it grades, another one may build: that one ends first. (It may have to wait for another test's.)"""
    fifo = tmp_path / "end"
    os.mkfifo(fifo)
    first = start("make", "grade", "LAB=01", f"looplab=sh -c 'echo begun; read word < {fifo}; exit 64' --")
    assert first.stdout and first.stdout.readline() == "begun\n"
    second = start("make", "-n", "build/kit/libco.a")
    second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 0 and first.poll() is None
    fifo.write_text("\n")
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0


def test_what_a_grading_reads_is_put_in_its_place_whole():
    changed = ["sim/kit/kit.c", "grader/launcher/launch.c", f"labs/{LAB}/main.c", f"solutions/{LAB}/compare.c"]
    files = [f"build/kit/{name}" for name in ("libco.a", "libco-asan.a", "launch", f"{LAB}/main.o",
                                              f"{LAB}/main-asan.o", f"{LAB}/reference")]
    said = start("make", "-n", "V=1", *(f"-W{name}" for name in changed), *files).communicate(timeout=PATIENCE_S)[0]
    said = said.replace("\\\n", " ")
    for name in files:
        made = [line for line in said.split("\n") if re.search(rf"(-o|qcsD) {re.escape(name)}", line)]
        assert made and all(f"{name}.new" in line and f"mv {name}.new {name}" in line for line in made), (name, made)


# ---- What each writes ----


def test_each_run_is_of_its_own_program(tmp_path):
    """The first one is held up when its program is linked; meanwhile another student's runs."""
    slow = tmp_path / "cc"
    slow.write_text('#!/bin/sh\ngcc "$@" || exit 1\ncase " $* " in *" -c "*) exit 0 ;; esac\n'
                    f"touch '{tmp_path}/linked'\nwhile [ ! -e '{tmp_path}/go' ]; do sleep 0.05; done\n")
    slow.chmod(0o755)

    def run(name: str, cc: str) -> subprocess.Popen[str]:
        folder = submission(tmp_path / name, f'puts("{name}");')
        return start("sh", "grader/scripts/run.sh", LAB="01", FROM=str(folder), MODE="async", CC=cc)

    def names(running: subprocess.Popen[str]) -> set[str]:
        return {"ada", "bob"} & set(running.communicate(timeout=PATIENCE_S)[0].splitlines())

    ada = run("ada", str(slow))
    until((tmp_path / "linked").exists)
    bob = run("bob", "gcc")
    assert names(bob) == {"bob"}
    (tmp_path / "go").touch()
    assert names(ada) == {"ada"}
    assert (ada.returncode, bob.returncode) == (0, 0)
    assert (ROOT / "build" / "run" / LAB / "program").exists()


def test_a_run_leaves_nothing_but_its_program(tmp_path):
    folder = submission(tmp_path / "mine", "")
    before = set((ROOT / "build" / "run" / LAB).glob(".*"))
    for _ in range(2):
        start("sh", "grader/scripts/run.sh", LAB="01", FROM=str(folder), CC="gcc").communicate(timeout=PATIENCE_S)
    assert set((ROOT / "build" / "run" / LAB).glob(".*")) <= before


def test_two_gradings_into_one_folder_take_turns(tmp_path):
    out = tmp_path / LAB
    out.mkdir()
    handle = os.open(out, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    second = start(sys.executable, "-m", "looplab", "grade", "--lab", "01", "--from", "labs", "--out", str(tmp_path),
                   PYTHONPATH=str(ROOT / "grader"))
    assert second.stderr and second.stderr.readline() == f"waiting for another grading that writes to {out}\n"
    assert second.poll() is None and list(out.iterdir()) == []
    os.close(handle)
    second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 1 and (out / "results.json").exists()


# ---- What ends make ----


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in glob.glob(f"/proc/{pid}/task/*"):          # which says nothing of a process that is gone meanwhile
        try:
            children = [int(word) for word in (Path(task) / "children").read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def student_of(make: subprocess.Popen[str]) -> Path | None:
    """The file of the student's program that a grading behind this make runs at this moment."""
    for pid in descendants(make.pid):
        try:
            program = Path(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            continue
        if program.name in ("cover", "asan"):
            return program
    return None


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}/exe").exists() and os.access(f"/proc/{pid}/cwd", os.F_OK)]


@linux
@pytest.mark.parametrize("number, everyone", [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False),
                                              (signal.SIGHUP, False)], ids=["ctrl-c", "int", "term", "hup"])
@pytest.mark.parametrize("labs", ["one", "two"])
def test_what_ends_make_ends_the_grading_behind_it(tmp_path, number, everyone, labs):
    looping = submission(tmp_path / LAB, "for (volatile int i = 0;; i++) ;")
    if labs == "two":           # side by side, in a process each
        (tmp_path / "02-url-fetcher").mkdir()
    words = [f"FROM={looping}", "LAB=01"] if labs == "one" else [f"FROM={tmp_path}"]
    make = start("make", "grade", *words, f"OUT={tmp_path / 'out'}")
    program = until(student_of, make)
    behind = descendants(make.pid)
    (os.killpg if everyone else os.kill)(make.pid, number)
    make.communicate(timeout=PATIENCE_S)
    assert make.returncode == -number
    until(lambda: alive(behind) == [])
    assert not (tmp_path / "out" / LAB / "results.json").exists()      # it was ended, it has not come to its end
    assert not program.parent.parent.exists()                          # and has tidied up
