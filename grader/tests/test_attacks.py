"""Attempts to reach what a student's program or file must not reach, at each tier of the sandbox (attacks/, a folder an
attempt): none gains anything, nothing leaks, nothing is left behind.

Each attempt is the body of a function, or a file to compile, in which words in capitals stand for paths. At tier D,
where there are only limits, those on files gain: so it is the sandbox that keeps them, not the attempt that is wrong.
All attempts of a tier are one program, which makes one in each run.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest
from looplab.course.lab import ROOT, load
from looplab.grading.begin import begin
from looplab.running import build, process
from looplab.running.process import COVER
from looplab.running.tier import asked_for

LAB = load("01-sync-vs-async")
ATTACKS = Path(__file__).with_name("attacks")
CANARY = "canary-in-what-nobody-sees"
NAME = "canary-in-a-name"
ATTEMPTS = {path.parent.name: path.read_text() for path in sorted(ATTACKS.glob("*/attempt.c"))}
FILES = {path.parent.name: path.read_text() for path in sorted(ATTACKS.glob("*/compile.c"))}

SEES_FILES = ("reads-a-hidden-check", "reads-the-solution", "reads-another-submission", "reads-the-kit",
              "goes-up-the-tree", "goes-through-proc", "lists-the-hidden-checks", "maps-the-reference",
              "writes-to-the-grader", "writes-the-result", "writes-into-home",
              "puts-a-pipe-for-the-trace", "cuts-a-file-of-the-grader", "removes-a-file-of-the-grader")
"""What gains where nothing but limits keeps a program."""

HEAD = """\
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>
static void gained(void) { puts("GAINED"); }
static void show(const char *path)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text);
    if (length > 0) fwrite(text, 1, (size_t)length, stdout);
    close(fd);
}
static int append_quietly(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    int done = fd >= 0 && write(fd, "x", 1) == 1;
    close(fd);
    return done;
}
static void append(const char *path) { if (append_quietly(path)) gained(); }
"""


class Around:
    """What lies around a student's program, with a canary in each."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.words = {name: folder / name.lower() for name in ("HIDDEN_FOLDER", "HOME", "OUT_FOLDER")}
        for path in self.words.values():
            path.mkdir()
        hidden = self.words["HIDDEN_FOLDER"] / f"{NAME}.py"
        self.words.update(HIDDEN=hidden, SOLUTION=folder / "solution.c", OTHER=folder / "other.c", KIT=folder / "kit.c",
                          GRADER_FILE=folder / "grader.py", REFERENCE=folder / "reference", LAUNCHER=folder / "launch",
                          OUT=self.words["OUT_FOLDER"] / "results.json", HOME_FILE=self.words["HOME"] / ".profile")
        self.restore()

    def restore(self) -> None:
        for name in ("HIDDEN", "SOLUTION", "OTHER", "KIT", "GRADER_FILE"):
            self.words[name].write_text(f"'{CANARY}\n")
        for name in ("REFERENCE", "LAUNCHER"):
            self.words[name].unlink(missing_ok=True)
            shutil.copy("/bin/echo", self.words[name])
        for name in ("OUT", "HOME_FILE"):
            self.words[name].unlink(missing_ok=True)

    def state(self) -> dict:
        return {str(path.relative_to(self.folder)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
                for name in ("HIDDEN_FOLDER", "HOME", "OUT_FOLDER", "")
                for path in (self.folder / name.lower()).iterdir()
                if path.is_file()}

    def defines(self) -> str:
        words = {**self.words, "HIDDEN_NAME": self.words["HIDDEN"].name}
        return "".join(f'#define {name} "{path}"\n' for name, path in words.items()) \
            + f"#define GRADER_PID {os.getpid()}\n"


def program(around: Around, names: list[str], body: str) -> str:
    """The reference solution, but that fetch_async makes attempts. body: which, with n as the number of URLs."""
    sound = (ROOT / "solutions" / LAB.slug / LAB.source).read_text()
    made = "".join(f"static void attempt_{k}(void)\n{{\n{ATTEMPTS[name]}}}\n" for k, name in enumerate(names))
    table = "".join(f"attempt_{k}, " for k in range(len(names)))
    renamed = sound.replace("int fetch_async(", "__attribute__((unused)) static int sound_fetch_async(")
    function = (f"static void (*const attempts[])(void) = {{{table}}};\n"
                "int fetch_async(const char *const urls[], size_t n, "
                f"struct fetch_result out[])\n{{\n    (void)urls, (void)out, (void)attempts;\n    {body}\n    "
                "fflush(NULL);\n    return 0;\n}\n")
    return HEAD + around.defines() + made + renamed.replace("\nint compare(", f"\n{function}\nint compare(")


@contextmanager
def session_at(tier: str, folder: Path, text: str) -> Iterator:
    """A grading at that tier, of which the programs are built."""
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / LAB.source).write_text(text)
    with asked_for(tier):
        one = begin(LAB, folder / "in", folder / "out", 7)
        try:
            yield one
        finally:
            one.close()


def needs(tier: str) -> None:
    with asked_for(tier):
        lacks = process.shut_in(LAB.launch).lacks(tier)
    if lacks:
        pytest.skip(lacks)


def ipc() -> list[str]:
    """What outlives processes: shared memory, queues, semaphores, keys, files in common folders."""
    files = [f"/proc/sysvipc/{name}" for name in ("shm", "msg", "sem")]
    return [Path(name).read_text().split("\n", 1)[1] if name.startswith("/proc/sysvipc") and "65685" in
            Path(name).read_text() else "" for name in files if Path(name).exists()] \
        + [str(path) for folder in ("/tmp", "/var/tmp", "/dev/shm") for path in Path(folder).glob("looplab-left*")]


def tried(around: Around, tier: str, folder: Path) -> dict[str, list[str]]:
    """All attempts, a run each: what was gained, by name."""
    names = list(ATTEMPTS)
    text = program(around, names, "attempts[n - 1]();")
    gains: dict[str, list[str]] = {name: [] for name in names}
    signals: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: signals.append(number))
    try:
        with session_at(tier, folder, text) as one:
            built = one.ready()
            world = (LAB.worlds / "default.json").read_text()
            for k, name in enumerate(names):
                around.restore()
                before, left, desk = around.state(), ipc(), one.desks.take()
                desk.lay(world)
                words = [os.path.relpath(built.cover, desk.home), "--world", "../world", "--trace", "../trace", "async",
                         *["http://a.test/"] * (k + 1)]
                outcome = one.copies(built.cover, COVER).start(words, limits=COVER, cwd=desk.home).finish()
                said = outcome.stdout + outcome.stderr + desk.text()
                gains[name] = [what for what, so in [
                    ("GAINED", "GAINED" in said), ("leaked", CANARY in said or NAME in said),
                    ("changed", around.state() != before),
                    ("left behind", ipc() != left), ("signalled", bool(signals)), ("stopped", bool(outcome.limit)),
                    ("ended", outcome.signal is not None), ("made no run", '"ev":"run"' not in said
                                                              and "trace" not in name)] if so]
                signals.clear()
                for path in Path("/tmp").glob("looplab-left*"):
                    path.unlink()
                one.desks.give_back(desk)
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    return gains


@pytest.fixture
def around(tmp_path):
    (tmp_path / "around").mkdir()
    return Around(tmp_path / "around")


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_no_attempt_gains_anything(tier, around, tmp_path):
    needs(tier)
    gains = tried(around, tier, tmp_path)
    assert {name: gained for name, gained in gains.items() if gained} == {} and len(gains) >= 38


def test_it_is_the_sandbox_that_keeps_them(around, tmp_path):
    """The same attempts on files gain where there is none; if they no longer did, they would be wrong."""
    needs("C")
    gains = tried(around, "D", tmp_path)
    assert [name for name in SEES_FILES if not gains[name]] == []


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_no_file_makes_the_compilers_leak(tier, around, tmp_path):
    needs(tier)
    for name, text in FILES.items():
        for word in sorted(around.words, key=len, reverse=True):
            text = text.replace(f'"{word}', f'"{around.words[word]}')
        sound = (ROOT / "solutions" / LAB.slug / LAB.source).read_text()
        (tmp_path / name).mkdir()
        with session_at(tier, tmp_path / name, sound + text) as one:
            try:
                built = one.ready()
                made = built.cover.read_bytes() + built.asan.read_bytes()
                told = "".join(advice.text for advice in built.advice)
                taken = b"root:" in made
            except build.Ungradable as refused:
                told, made, taken = str(refused), b"", False
            assert CANARY not in told and CANARY.encode() not in made and not taken, name


def test_each_attempt_is_told_in_a_sentence():
    for name, text in {**ATTEMPTS, **FILES}.items():
        assert re.match(r"/\* [A-Z][^*]+\. \*/\n", text), name
