"""Programs that mean harm, or know no better: each has a clean outcome, in time, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest
from looplab.running import process, queued
from looplab.running.process import ASAN, COVER, MIB, TOOL, LaunchError, Limits, Outcome
from toyhouse import compile_c, house, processes_of

QUICK = replace(COVER, wall_s=0.6)
CPU = replace(COVER, cpu_s=1, wall_s=30.0)
"""The kernel counts processor time in whole seconds; how long one takes depends on what else the machine does."""

confined = pytest.mark.skipif(process.sandbox(house().launch) != "seccomp", reason="this kernel has no seccomp")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def run(program: Path | str, *arguments: str, limits: Limits = COVER, cwd: Path | None = None, **env: str) -> Outcome:
    return process.run([program, *arguments], limits=limits, cwd=cwd or Path(program).parent, env=env,
                       launch=house().launch)


def run_c(folder: Path, text: str, limits: Limits = COVER, flags: tuple[str, ...] = ()) -> Outcome:
    """Runs a C program and asserts that it ended in time and that nothing of it is left."""
    program = compile_c(folder, "#define _GNU_SOURCE\n#include <pthread.h>\n#include <signal.h>\n#include <stdio.h>\n"
                                "#include <stdlib.h>\n#include <string.h>\n#include <sys/wait.h>\n#include "
                                "<unistd.h>\n" + text,
                        *flags)
    outcome = run(program, limits=limits)
    assert processes_of(folder) == []
    assert (outcome.exit is None) != (outcome.signal is None)
    return outcome


def facts(outcome: Outcome) -> tuple[int | str | None, str | None]:
    return (outcome.signal or outcome.exit, outcome.limit)


def until(true) -> None:
    """Waits until it is true, a minute at most."""
    last = time.monotonic() + 60
    while not true():
        assert time.monotonic() < last
        time.sleep(0.01)


# ---- Ordinary programs -----------------------------------------------------------------------------

def test_exit_code_and_both_outputs(tmp_path):
    outcome = run("/bin/sh", "-c", "echo out; echo err >&2; exit 3", cwd=tmp_path)
    assert (outcome.exit, outcome.signal, outcome.limit) == (3, None, None)
    assert (outcome.stdout, outcome.stderr, outcome.ok) == ("out\n", "err\n", False)
    assert 0 <= outcome.cpu_s < 1 and 0 < outcome.wall_s < COVER.wall_s


def test_ok_is_exit_zero(tmp_path):
    assert run("/bin/true", cwd=tmp_path).ok


def test_environment_is_the_same_everywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("CO_SEED", "13")
    monkeypatch.setenv("CO_WORLD", "/tmp/mine.json")
    monkeypatch.setenv("LD_PRELOAD", "/tmp/mine.so")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    lines = run("/usr/bin/env", cwd=tmp_path, CO_TRACE="t").stdout.splitlines()
    names = {line.split("=")[0] for line in lines}
    assert names == {"LC_ALL", "TZ", "PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                     "CO_TRACE"}
    assert f"HOME={tmp_path}" in lines and {"LC_ALL=C", "TZ=UTC"} <= set(lines)


def test_several_at_a_time(tmp_path):
    """Each waits for the other: one after the other, the first would run into its limit."""
    meet = "touch $1; while [ ! -e $2 ]; do sleep 0.01; done"
    pair = [process.start(["/bin/sh", "-c", meet, "sh", *files], limits=TOOL, cwd=tmp_path, launch=house().launch)
            for files in (("here", "there"), ("there", "here"))]
    assert [one.finish().exit for one in pair] == [0, 0]


def test_watched_while_nobody_asks(tmp_path):
    """A full pipe must not stop a program while the grader is busy elsewhere: it would run into its time limit."""
    one = process.start(["/bin/sh", "-c", "head -c 500000 /dev/zero | tr '\\0' x; touch done"],
                        limits=TOOL, cwd=tmp_path, launch=house().launch)
    until(lambda: (tmp_path / "done").exists())
    outcome = one.finish()
    assert facts(outcome) == (0, None) and len(outcome.stdout) == 500000
    assert one.finish() is outcome


def test_kill(tmp_path):
    one = process.start(["/bin/sleep", "9"], limits=COVER, cwd=tmp_path, launch=house().launch)
    one.kill()
    assert facts(one.finish()) == ("SIGKILL", None)
    one.kill()      # nothing left to kill: no complaint


def test_no_such_program(tmp_path):
    with pytest.raises(LaunchError, match="^there is no program /no/such$"):
        run("/no/such", cwd=tmp_path)


def test_no_launcher(tmp_path):
    with pytest.raises(LaunchError, match="cannot start .*nolaunch in .*: No such file or directory"):
        process.run(["/bin/true"], cwd=tmp_path, launch=tmp_path / "nolaunch")
    with pytest.raises(LaunchError, match="nolaunch does not run"):
        process.sandbox(tmp_path / "nolaunch")


@pytest.mark.parametrize("data, text", [
    (b"plain\ttext\n", "plain\ttext\n"),
    ("Grüße ✓\n".encode(), "Grüße ✓\n"),
    (b"\x1b[2J\x1b[1;32mScore 100/100\x1b[0m", "␛[2J␛[1;32mScore 100/100␛[0m"),
    (b"wrong\rright\b\b\x00\x7f", "wrong␍right␈␈␀␡"),
    (b"\xff\xfe", "��"),
    ("\u009b31m \u202egnorw \u200b".encode(), "<U+009B>31m <U+202E>gnorw <U+200B>"),
])
def test_output_cannot_fool_a_terminal(data, text):
    assert process.readable(data) == text


# ---- Hostile ones ----------------------------------------------------------------------------------

def test_endless_loop(tmp_path):
    outcome = run_c(tmp_path, "int main(void) { for (;;); }", CPU)
    assert facts(outcome) == ("SIGXCPU", "cpu") and 0.5 < outcome.cpu_s < 2


def test_endless_loop_that_ignores_signals(tmp_path):
    outcome = run_c(tmp_path, "int main(void) { for (int i = 1; i < 65; i++) signal(i, SIG_IGN); for (;;); }", CPU)
    assert facts(outcome) == ("SIGKILL", "cpu")


def test_sleeps_for_ever_and_ignores_signals(tmp_path):
    outcome = run_c(tmp_path, "int main(void) { for (int i = 1; i < 65; i++) signal(i, SIG_IGN); for (;;) pause(); }",
                    QUICK)
    assert facts(outcome) == ("SIGKILL", "wall") and 0.6 <= outcome.wall_s < 2


def test_closes_its_output_and_loops(tmp_path):
    assert facts(run_c(tmp_path, "int main(void) { close(1); close(2); for (;;) pause(); }",
                       QUICK)) == ("SIGKILL", "wall")
    assert facts(run_c(tmp_path, "int main(void) { close(1); close(2); for (;;); }", QUICK)) == ("SIGKILL", "cpu")


def test_reads_stdin_for_ever(tmp_path):
    """There is nothing to read: a program that insists on input is a loop."""
    outcome = run_c(tmp_path, "int main(void) { int c; while ((c = getchar()) != 'q') clearerr(stdin); }", QUICK)
    assert outcome.limit == "cpu"
    assert facts(run_c(tmp_path, "int main(void) { return getchar() == EOF ? 5 : 6; }")) == (5, None)


def test_crash(tmp_path):
    assert facts(run_c(tmp_path, "int main(void) { puts(\"before\"); *(volatile int *)0 = 1; }")) == ("SIGSEGV", None)
    outcome = run_c(tmp_path, "int main(void) { puts(\"before\"); fflush(stdout); abort(); }")
    assert facts(outcome) == ("SIGABRT", None) and outcome.stdout == "before\n"
    assert not list(tmp_path.glob("core*"))


def test_exit_before_the_end(tmp_path):
    assert facts(run_c(tmp_path, "static void student(void) { exit(0); } int main(void) { student(); "
                                 "puts(\"end\"); return 1; }")) == (0, None)


@pytest.mark.parametrize("limits, ending",
                         [(COVER, ("SIGSEGV", None)), (replace(COVER, memory=None), ("SIGKILL", "memory"))])
@linux
def test_ten_gigabytes(tmp_path, limits, ending):
    """The plain build has no address space for it: malloc returns NULL. The sanitizer build must have, and is
    watched."""
    outcome = run_c(tmp_path, "int main(void) { char *p = malloc(10L << 30); for (long i = 0; ; i += 4096) p[i] = 1; }",
                    replace(limits, cpu_s=10, wall_s=30))
    assert facts(outcome) == ending


@linux
def test_many_small_blocks(tmp_path):
    outcome = run_c(tmp_path, "int main(void) { for (;;) memset(malloc(100000), 1, 100000); }",
                    replace(COVER, cpu_s=20, wall_s=60))
    assert outcome.limit == "memory"


def test_more_static_data_than_memory(tmp_path):
    outcome = run_c(tmp_path, "static char a[1L << 33]; int main(void) { a[0] = 1; return a[1L << 32]; }",
                    flags=("-mcmodel=large",))
    assert outcome.stdout == "" and not outcome.ok


@confined
def test_fork_bomb(tmp_path):
    """Not one process is made, so there is nothing to clean up."""
    program = compile_c(tmp_path, "#include <unistd.h>\nint main(void) { for (;;) { fork(); vfork(); } }")
    one = process.start([program], limits=QUICK, cwd=tmp_path, launch=house().launch)
    most = 0
    for _ in range(20):
        most = max(most, len(processes_of(tmp_path)))
        time.sleep(0.02)
    assert facts(one.finish()) == ("SIGKILL", "cpu")
    assert most == 1 and processes_of(tmp_path) == []


@confined
def test_cannot_leave_or_daemonise(tmp_path):
    outcome = run_c(tmp_path, 'int main(void) { printf("%d %d %d\\n", daemon(1, 1), setsid() < 0, setpgid(0, '
                              '0)); return 0; }')
    assert facts(outcome) == (0, None) and outcome.stdout == "-1 1 -1\n"


@confined
def test_cannot_signal_others(tmp_path):
    """With signal 0, which only asks, so that a hole in the filter costs nobody their session."""
    outcome = run_c(tmp_path, 'int main(void) { printf("%d %d %d\\n", kill(-1, 0), kill(getppid(), 0), kill(0, '
                              '0)); return 0; }')
    assert outcome.stdout == "-1 -1 -1\n"


def test_kills_itself(tmp_path):
    assert facts(run_c(tmp_path, "int main(void) { raise(SIGKILL); for (;;) pause(); }")) == ("SIGKILL", None)


@pytest.mark.parametrize("body", ["pause();", "for (;;);"])
@linux
def test_thread_bomb(tmp_path, body):
    outcome = run_c(tmp_path, f"static void *f(void *x) {{ {body} return x; }} int main(void) {{ pthread_t t;"
                              " for (;;) pthread_create(&t, NULL, f, NULL); }", replace(COVER, cpu_s=10, wall_s=30))
    assert facts(outcome) == ("SIGKILL", "threads")


def test_some_threads_are_fine(tmp_path):
    outcome = run_c(tmp_path, "static void *f(void *x) { *(int *)x = 1; return x; "
                              "} int main(void) { int ran[8] = {0}, n = 0; pthread_t t[8]; for (int i = 0; i < 8; i++) "
                              "pthread_create(&t[i], NULL, f, &ran[i]); for (int i = 0; i < 8; i++) pthread_join(t[i], "
                              "NULL), n += ran[i]; return n; }")
    assert facts(outcome) == (8, None)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_hundred_megabytes_of_output(tmp_path, stream):
    outcome = run_c(tmp_path, f"int main(void) {{ char line[1000]; memset(line, 'x', 999); line[999] = '\\n';"
                              f" for (int i = 0; i < 100000; i++) fwrite(line, 1, 1000, {stream}); }}")
    assert facts(outcome) == ("SIGKILL", "output")
    assert len(outcome.stdout) + len(outcome.stderr) == MIB


def test_output_at_the_limit_is_no_fault(tmp_path):
    limits = replace(COVER, output=100_000)
    text = ("int main(void) {{ for (int i = 0; i < {}; i++) putchar('x'); for (int i = 0; i < 50000; "
            "i++) fputc('y', stderr); }}")
    outcome = run_c(tmp_path, text.format(50_000), limits)
    assert facts(outcome) == (0, None) and len(outcome.stdout) + len(outcome.stderr) == 100_000
    assert run_c(tmp_path, text.format(50_001), limits).limit == "output"


def test_flood_of_escapes(tmp_path):
    outcome = run_c(tmp_path, 'int main(void) { for (;;) printf("\\033[2J\\033[HScore: 100/100\\r\\a"); }')
    assert outcome.limit == "output" and not set(outcome.stdout) & set(map(chr, [7, 13, 27]))


def test_huge_file(tmp_path):
    outcome = run_c(tmp_path, 'int main(void) { FILE *f = fopen("big", "w"); char b[65536] = {1}; '
                              'for (;;) fwrite(b, 1, sizeof b, f); }',
                    replace(COVER, file=MIB, wall_s=30))
    assert facts(outcome) == ("SIGXFSZ", "file")
    assert (tmp_path / "big").stat().st_size == MIB


def test_grandchild_that_keeps_the_pipe(tmp_path):
    """A program that may start others (a compiler) is over when it has ended, and the others with it."""
    sleeper = tmp_path / "sleeper"
    sleeper.write_bytes(Path("/bin/sleep").read_bytes())
    sleeper.chmod(0o755)
    outcome = run("/bin/sh", "-c", f"{sleeper} 30 & echo started", cwd=tmp_path, limits=TOOL)
    assert facts(outcome) == (0, None) and outcome.stdout == "started\n" and outcome.wall_s < 25
    time.sleep(0.05)
    assert processes_of(tmp_path) == []


def test_group_dies_at_a_limit(tmp_path):
    sleeper = tmp_path / "sleeper"
    sleeper.write_bytes(Path("/bin/sleep").read_bytes())
    sleeper.chmod(0o755)
    outcome = run("/bin/sh", "-c", f"{sleeper} 30 & {sleeper} 30", cwd=tmp_path, limits=replace(TOOL, wall_s=0.5))
    assert facts(outcome) == ("SIGKILL", "wall")
    time.sleep(0.05)
    assert processes_of(tmp_path) == []


# ---- A machine that has no processor to spare ----


COMPUTES = """
int main(void) {
    for (volatile long i = 0; i < 100000000; i++)
        ;
}"""


@pytest.fixture
def crowded() -> Iterator[tuple[list[str], list[subprocess.Popen[str]]]]:
    """The words that put a program on one processor, behind all others, and what keeps that one busy: in sessions of
    their own, for the kernel may share a processor out to sessions first."""
    if not all(map(shutil.which, ("taskset", "chrt"))) or not Path("/proc/self/schedstat").exists():
        pytest.skip("no taskset, no chrt, or a kernel that does not tell how long a program waits")
    there = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    busy = [subprocess.Popen([*there, "sh", "-c", "echo begun; while :; do :; done"], text=True, stdout=subprocess.PIPE,
                             start_new_session=True) for _ in range(6)]
    for one in busy:
        assert one.stdout and one.stdout.readline() == "begun\n"
    yield [*there, "chrt", "--idle", "0"], busy
    end(busy)


def released(pid: int) -> None:
    """Nobody keeps it back any more: a process like all others, on any processor. It may have ended already."""
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(pid, os.sched_getaffinity(0))
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))


def end(processes: list[subprocess.Popen[str]]) -> None:
    for one in processes:
        one.kill()
        one.wait()
        if one.stdout:
            one.stdout.close()


@linux
def test_who_waits_for_a_processor_is_not_stopped_for_it(tmp_path, crowded):
    behind, busy = crowded
    program = compile_c(tmp_path, COMPUTES)
    running = process.start([*behind, str(program)], limits=replace(COVER, cpu_s=20, wall_s=1.5, processes=True),
                            cwd=tmp_path, launch=house().launch)
    time.sleep(5)           # its time on the wall is over by far
    end(busy)
    released(running.pid)
    assert facts(running.finish()) == (0, None)


def test_a_wait_counts_while_it_lasts(monkeypatch):
    """The kernel adds a wait when it has ended: until then a thread is ready and gets no further."""
    clock, told = [0], [queued.Thread(5, 0, 1, True)]
    monkeypatch.setattr(queued.time, "monotonic_ns", lambda: clock[0])
    monkeypatch.setattr(queued, "threads", lambda pid: {1: told[0]})
    follows = queued.Queued(1 << 30)

    def at(second, thread):
        clock[0], told[0] = second * 10**9, thread
        return follows.look()

    assert at(0, queued.Thread(5, 0, 1, True)) == 0
    assert at(2, queued.Thread(5, 0, 1, True)) == 2                     # ready for 2 s, and not a ns further
    assert at(3, queued.Thread(6, 3 * 10**9, 2, True)) == 3             # it was its turn
    assert at(4, queued.Thread(9, 3 * 10**9, 2, True)) == 3             # it runs
    assert at(9, queued.Thread(9, 3 * 10**9, 2, False)) == 3            # and sleeps
    assert at(19, queued.Thread(9, 3 * 10**9, 2, False)) == 3
    assert at(20, queued.Thread(9, 3 * 10**9, 2, True)) == 3            # has just been woken
    assert at(21, queued.Thread(9, 3 * 10**9, 2, True)) == 4


def test_who_gets_no_processor_at_all_is_the_machines_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(process.Queued, "look", lambda self: 61.0)
    monkeypatch.setattr(process, "PATIENCE_S", 0.1)
    program = compile_c(tmp_path, "#include <unistd.h>\nint main(void) { for (;;) pause(); }")
    with pytest.raises(LaunchError, match="^the machine is too busy: a program waited 61 s for a processor$"):
        run(program, limits=QUICK)
    assert processes_of(tmp_path) == []


@linux
def test_who_sleeps_waits_for_no_processor(tmp_path, crowded):
    behind, _ = crowded
    outcome = run(*behind, "/bin/sleep", "60", limits=replace(QUICK, processes=True), cwd=tmp_path)
    assert facts(outcome) == ("SIGKILL", "wall")


@linux
def test_nothing_outlives_the_grader(tmp_path):
    program = compile_c(tmp_path, "#include <unistd.h>\nint main(void) { for (;;) pause(); }")
    grader = f"""
import os, pathlib, sys, time
from looplab.running import process, queued
process.start([{str(program)!r}], cwd=pathlib.Path({str(tmp_path)!r}), launch=pathlib.Path({str(house().launch)!r}))
time.sleep(0.3)
os.kill(os.getpid(), 9)
"""
    child = subprocess.Popen([sys.executable, "-c", grader],
                             env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    deadline = time.monotonic() + 5
    while not processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(processes_of(tmp_path)) == 1
    child.wait()
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes_of(tmp_path) == []


def test_works_where_the_kernel_has_no_pidfd(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert facts(run("/bin/sh", "-c", "exit 4", cwd=tmp_path)) == (4, None)
    assert facts(run_c(tmp_path, "int main(void) { for (;;) pause(); }", QUICK)) == ("SIGKILL", "wall")


def test_defaults_are_the_documented_ones():
    assert (COVER.cpu_s, COVER.wall_s, COVER.memory, COVER.file, COVER.output) == (2, 4.0, 4 << 30, 16 << 20, 1 << 20)
    assert (ASAN.cpu_s, ASAN.wall_s, ASAN.memory) == (6, 8.0, None)
    assert not COVER.processes and not ASAN.processes
