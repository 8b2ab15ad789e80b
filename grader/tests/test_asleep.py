"""Sleep that no name gives away: the kernel tells of it, and the program hears at which line it stopped its loop."""

from __future__ import annotations

import json
import subprocess

import pytest
from grading import ROOT
from test_launch import launch, needs_seccomp

pytestmark = needs_seccomp

KIT = [str(ROOT / "build/kit/libco.a"), f"@{ROOT / 'sim/kit/link.flags'}", "-ldl"]

HEAD = r"""
#define _GNU_SOURCE
#include "co.h"
#include <dlfcn.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
static struct timespec ms_5 = {.tv_nsec = 5000000}, none, wrong = {.tv_nsec = -1};
static struct timeval us_5000 = {.tv_usec = 5000};
static int word;
static long by_hand(long number, long a, long b, long c, long d)
{
    long result;
#ifdef __x86_64__
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
#else
    result = syscall(number, a, b, c, d);
#endif
    return result;
}
static int tick(void *job) { (void)job; return 0; }
"""
HAND = next(number for number, line in enumerate(HEAD.splitlines(), 1) if "__asm__ volatile" in line)
PROGRAM = HEAD + r"""
static int work(void *job)
{
    (void)job, (void)tick, (void)by_hand, (void)word, (void)us_5000, (void)none, (void)wrong;
#line 100
    CALL;
    printf("%lld\n", (long long)co_now());
    return 0;
}
int main(void)
{
    int rc = co_run(work, NULL, NULL);
    AFTER;
    return rc < 0;
}
"""

SLEEPS = {  # the call, its name, ns of virtual time (0: only the machine knows how long)
    "syscall": ("syscall(SYS_nanosleep, &ms_5, NULL)", "nanosleep", 5_000_000),
    "assembly": ("by_hand(SYS_nanosleep, (long)&ms_5, 0, 0, 0)", "nanosleep", 5_000_000),
    "clock": ("syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ms_5, NULL)", "clock_nanosleep", 5_000_000),
    "until": ("syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ms_5, NULL)", "clock_nanosleep",
              5_000_000),
    "found": ('((int (*)(useconds_t))dlsym(RTLD_DEFAULT, "usleep"))(5000)', "clock_nanosleep", 5_000_000),
    "poll": ("syscall(SYS_ppoll, NULL, 0, &ms_5, NULL, 8)", "ppoll", 0),
    "select": ("syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ms_5, NULL)", "pselect", 0),
    "futex": ("syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ms_5)", "futex", 0),
    "signal": ("syscall(SYS_rt_sigtimedwait, &(sigset_t){0}, NULL, &ms_5, 8)", "sigtimedwait", 0),
}
LOOKS = {   # what does not sleep, or says by itself that it does
    "poll": "poll(NULL, 0, 0)",
    "ppoll": "syscall(SYS_ppoll, NULL, 0, &none, NULL, 8)",
    "select": "select(0, NULL, NULL, NULL, &(struct timeval){0})",
    "refused": "syscall(SYS_nanosleep, &wrong, NULL)",
    "woken": "syscall(SYS_futex, &word, FUTEX_WAKE, 1, 5L)",
    "moved": "syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 0x7fffffffL, &word)",
}


def ran(tmp_path, call: str, after: str = "") -> tuple[subprocess.CompletedProcess[str], list[dict]]:
    """The program with that call, as the grader shuts it in; and its trace's blocks."""
    (tmp_path / "program.c").write_text(PROGRAM.replace("CALL", call).replace("AFTER", after))
    subprocess.run(["gcc", f"@{ROOT / 'sim/kit/student.flags'}", f"-I{ROOT / 'sim/include'}", tmp_path / "program.c",
                    *KIT, "-o", tmp_path / "program"], check=True)
    done = launch("--confine", "--", tmp_path / "program", env={"CO_TRACE": str(tmp_path / "trace")})
    events = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()[1:]]
    return done, [event for event in events if event["ev"] == "block"]


@pytest.mark.parametrize("name", SLEEPS)
def test_a_call_that_sleeps_is_told_with_its_line(tmp_path, name):
    call, told, ns = SLEEPS[name]
    place = f"program.c:{HAND if name == 'assembly' else 100}"
    done, blocks = ran(tmp_path, call)
    assert done.returncode == 0 and done.stdout == f"{ns}\n"
    assert [(block["on"], block["src"], block["ns"]) for block in blocks] == [(told, place, ns)]
    assert done.stderr.count("\n") == 1 and f"{told} " in done.stderr and f" {place}" in done.stderr


@pytest.mark.parametrize("name", LOOKS)
def test_a_call_that_only_looks_is_not(tmp_path, name):
    done, blocks = ran(tmp_path, LOOKS[name])
    assert (done.returncode, done.stdout, done.stderr, blocks) == (0, "0\n", "", [])


def test_a_caught_call_is_told_once(tmp_path):
    done, blocks = ran(tmp_path, "thrd_t thread; thrd_create(&thread, tick, NULL); thrd_join(thread, NULL)")
    assert done.returncode == 0 and [block["on"] for block in blocks] == ["thrd_join"]


def test_outside_a_loop_it_sleeps(tmp_path):
    done, blocks = ran(tmp_path, "", 'printf("%ld\\n", syscall(SYS_nanosleep, &ms_5, NULL))')
    assert (done.returncode, done.stdout, done.stderr, blocks) == (0, "0\n0\n", "", [])
