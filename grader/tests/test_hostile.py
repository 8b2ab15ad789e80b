"""Programs that crash, loop, flood or forge are graded like any other: a clean verdict, soon, and nothing left
behind. With ALL=1 all of these, else those that differ most."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from variants import ALL

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"

SOUND = (ROOT / "solutions" / LAB / "compare.c").read_text()
"""The reference solution: each hostile program is this one with fetch_async replaced, so half of its checks pass."""

HOSTILE = {
    "crash": ("int *p = NULL; *p = 1; return 0;", "crash"),
    "endless-loop": ("for (volatile int i = 0;; i++) ; return 0;", "still computing"),
    "sleeps-by-hand": ("static struct { long s, ns; } t = {1000, 0}; for (;;) syscall(SYS_nanosleep, &t, 0);",
                       "went on and on|still computing"),
    "waits-for-real": ("int p[2]; char c; if (pipe(p)) return 1; return (int)syscall(SYS_read, p[0], &c, 1);",
                       "did not end"),
    "ten-gigabytes": ("char *p = malloc(10ull << 30); for (size_t i = 0; i < 10ull << 30; i += 4096) p[i] = 1; "
                      "return 0;", "."),
    "fork-bomb": ("for (;;) fork();", "still computing"),
    "flood": ("char line[1000]; memset(line, 'x', 999); line[999] = 0; for (int i = 0; i < 100000; "
              "i++) puts(line); return 0;", "printed"),
    "huge-file": ("FILE *f = fopen(\"huge\", \"w\"); static char b[1 << 20]; for (int i = 0; i < 1000; i++) fwrite(b, "
                  "1, sizeof b, f); fclose(f); abort();", "."),
    "exit-0": ("exit(0);", "ended"),
    "exits-at-once": ("_exit(0);", "ended"),
    "scorecard": ("puts(\"score 100/100\"); puts(\"{\\\"status\\\": \\\"graded\\\", \\\"score\\\": 100}\"); exit(0);",
                  "ended"),
    "closes-everything": ("for (int fd = 0; fd < 1000; fd++) close(fd); return 0;", "."),
    "kills-all": ("kill(-1, 9); kill(0, 9); return 0;", "."),
    "ignores-signals": ("for (int s = 1; s < 64; s++) signal(s, SIG_IGN); for (;;) ;", "still computing"),
    "recursion": ("return fetch_async(urls, n + 1, out) + 1;", "stack"),
    "livelock": ("for (;;) co_yield(); return 0;", "without (any )?time passing|steps"),
    "deadlock": ("static struct co_event never; return co_event_wait(&never);", "nothing can ever happen again"),
}
"""Name -> (the body of fetch_async, what a message must say)."""

PREAMBLE = """\
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
"""


def hostile_source(body: str) -> str:
    """The reference solution with fetch_async's work replaced by `body`."""
    renamed = SOUND.replace("int fetch_async(", "__attribute__((unused)) static int sound_fetch_async(")
    assert renamed != SOUND
    unused = "(void)urls, (void)n, (void)out;"
    function = ("int fetch_async(const char *const urls[], size_t n, struct fetch_result "
                f"out[])\n{{\n{unused}\n{body}\n}}\n")
    return PREAMBLE + renamed.replace("\nint compare(", f"\n{function}\nint compare(")


QUICK = ("crash", "endless-loop", "fork-bomb", "flood", "exits-at-once", "closes-everything", "kills-all", "deadlock")


@pytest.mark.parametrize("name", [name for name in HOSTILE if ALL or name in QUICK])
def test_a_clean_verdict(name, tmp_path, record_property):
    body, words = HOSTILE[name]
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "compare.c").write_text(hostile_source(body))
    begin = time.monotonic()
    command = [sys.executable, "-m", "looplab", "grade", "--lab", "01", "--from", str(folder), "--out",
               str(tmp_path / "out"), "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT / "grader"), "PATH": "/usr/bin:/bin"},
                          capture_output=True, text=True, timeout=120)
    record_property("seconds", round(time.monotonic() - begin, 1))
    assert done.returncode == 1, done.stdout + done.stderr
    result = json.loads((tmp_path / "out" / LAB / "results.json").read_text())
    assert result["status"] == "graded"
    failed = [check for check in result["checks"] if check["status"] == "failed"]
    assert failed and 0 < result["score"] < 80
    assert {check["status"] for check in result["checks"]} <= {"passed", "failed", "skipped"}
    by_id = {check["id"]: check for check in result["checks"]}
    assert by_id["test_sync_takes_the_sum"]["status"] == "passed", "the other half is not to blame"
    assert any(re.search(words, check["message"]) for check in failed), [check["message"] for check in failed]
    assert "\x1b" not in done.stdout


def test_no_process_is_left(tmp_path):
    """After all of the above: nobody runs a program of a grading any more."""
    left = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words and (b"hostile" in words[0] or words[0] == os.fsencode(ROOT / "build/kit/launch")):
            left.append(words)
    assert left == []
