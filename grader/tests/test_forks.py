"""A program that is started once and copied for each run does what it does when it is started for each."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from looplab.course.lab import ROOT, load
from looplab.running import process
from looplab.running.build import build
from looplab.running.forks import Forks
from looplab.running.process import ASAN, COVER, Limits, Outcome
from test_launch import CONFINED, PROBE, allowed, needs_seccomp
from test_process import facts
from test_tier import needs_landlock
from toyhouse import compile_c, house, processes_of

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the kernel or Python has no pidfd")

KIT = """
#define _GNU_SOURCE
#include "kit/forks.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
const char *source_line(const void *pc, char *text, size_t size) { return NULL; }
static int lab(int argc, char **argv);
int main(int argc, char **argv) { forks_command(&argc, &argv); return lab(argc, argv); }
static int lab(int argc, char **argv) {
"""


@pytest.fixture
def forks(tmp_path):
    """Makes a program of this text, the inside of a function that is given a command line, and its Forks."""
    made = []

    def make(text: str, *flags: str, limits: Limits = COVER, before: str = "") -> Forks:
        whole = before + KIT + text + "}\n"
        program = compile_c(tmp_path, whole, f"-I{ROOT}/sim", str(ROOT / "sim/kit/forks.c"),
                            *flags)
        made.append(Forks(program, limits, cwd=tmp_path, env={"HOME": "."}, launch=house().launch))
        return made[-1]

    yield make
    for one in made:
        one.close()
    deadline = time.monotonic() + 60        # a copy is ended by the kernel, some time after the first process
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes_of(tmp_path) == []


def run(forks: Forks, folder: Path, *words: str, limits: Limits = COVER) -> Outcome:
    running = forks.start(["program", *words], limits=limits, cwd=folder)
    assert running is not None
    return running.finish()


def test_each_copy_has_its_own_words_folder_and_output(forks, tmp_path):
    program = forks('static int runs; char where[4096]; getcwd(where, sizeof where);'
                    'printf("%d %s %s %s\\n", ++runs, argv[argc - 1], strrchr(where, 47), getenv("LOOPLAB_FORKS"));'
                    'fprintf(stderr, "%s %s\\n", argv[0], getenv("HOME")); return argc;')
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        outcome = run(program, tmp_path / name, *["x"] * 3, name)
        assert (facts(outcome), outcome.stdout, outcome.stderr) == ((5, None), f"1 {name} /{name} (null)\n",
                                                                    "program .\n")


def test_open_files_are_those_of_any_program(forks, tmp_path):
    program = forks('for (int fd = 0; fd < 256; fd++) if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd); return 0;')
    assert run(program, tmp_path).stdout == "0 1 2 "


@needs_seccomp
def test_a_copy_is_shut_in_as_any_program(forks, tmp_path):
    probe = PROBE.replace("int main(void)", "int probe(void)") + "\n#undef _GNU_SOURCE\n"
    program = forks("probe(); return 0;", "-lpthread", before=probe)
    assert allowed(run(program, tmp_path).stdout) == CONFINED


@needs_landlock
def test_no_copy_stops_the_process_it_comes_from(forks, tmp_path):
    """With sanitizers some of ptrace is allowed: a thread of their own looks at the others."""
    program = forks('puts(ptrace(PTRACE_ATTACH, getppid(), 0, 0) ? "no" : "yes"); return 0;', "-fsanitize=address",
                    limits=ASAN, before="#define _GNU_SOURCE\n#include <sys/ptrace.h>\n#undef _GNU_SOURCE\n")
    assert [run(program, tmp_path, limits=ASAN).stdout for _ in range(2)] == ["no\n", "no\n"]


def test_constructors_run_in_each_copy(forks, tmp_path):
    program = forks('extern int begun; printf("%d\\n", begun); return 0;',
                    before="int begun; __attribute__((constructor(101))) static void begin(void) { begun++; }\n")
    assert [run(program, tmp_path).stdout for _ in range(2)] == ["1\n", "1\n"]


@pytest.mark.parametrize("text, limits, ending", [
    ("raise(SIGSEGV); return 0;", COVER, ("SIGSEGV", None)),
    ("abort();", COVER, ("SIGABRT", None)),
    ("for (;;) ;", replace(COVER, cpu_s=1, wall_s=60.0), ("SIGXCPU", "cpu")),
    ("for (;;) pause();", replace(COVER, wall_s=0.3), ("SIGKILL", "wall")),
    ("for (;;) puts(\"x\");", COVER, ("SIGKILL", "output")),
    ("char *p = malloc(1L << 30); memset(p, 1, 200L << 20); pause(); return *p;",
     replace(COVER, resident=64 << 20, cpu_s=20, wall_s=60.0), ("SIGKILL", "memory")),
    ("FILE *f = fopen(\"big\", \"w\"); for (;;) fputs(\"x\", f);", replace(COVER, wall_s=60.0), ("SIGXFSZ", "file")),
])
def test_endings(forks, tmp_path, text, limits, ending):
    assert facts(run(forks(text, limits=limits), tmp_path, limits=limits)) == ending


def test_processor_time_may_be_less_for_one_copy(forks, tmp_path):
    program = forks("for (;;) ;", limits=replace(COVER, cpu_s=30))
    outcome = run(program, tmp_path, limits=replace(COVER, cpu_s=1, wall_s=60.0))
    assert facts(outcome) == ("SIGXCPU", "cpu")


def test_making_copies_does_not_use_up_their_processor_time(forks, tmp_path):
    """Some thousand copies are made in a long search. The first process must outlive them."""
    program = forks('char line[200]; FILE *file = fopen("/proc/self/limits", "r");'
                    'while (fgets(line, sizeof line, file)) if (strncmp(line, "Max cpu", 7) == 0) fputs(line, stdout);')
    assert run(program, tmp_path, limits=COVER).stdout.split()[3:5] == [str(COVER.cpu_s), str((COVER.cpu_s or 0) + 1)]
    limits = Path(f"/proc/{program._first.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if line.startswith("Max cpu")).split()[3] == "600"


def test_what_the_sanitizers_find_is_told_in_each_copy(forks, tmp_path):
    program = forks('static char *p; p = malloc(40); p = argc > 2 ? p : NULL; puts("on"); return 0;',
                    "-fsanitize=address", limits=ASAN)
    for _ in range(2):
        outcome = run(program, tmp_path, limits=ASAN)
        assert outcome.exit == process.ASAN_EXIT and "Direct leak of 40 byte(s)" in outcome.stderr
    assert facts(run(program, tmp_path, "keep", "it", limits=ASAN)) == (0, None)


def test_many_at_a_time(forks, tmp_path):
    program = forks('usleep(1000 * (atoi(argv[1]) % 7)); puts(argv[1]); return atoi(argv[1]);')
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: run(program, tmp_path, str(number)), range(100)))
    assert [(outcome.exit, outcome.stdout) for outcome in done] == [(n, f"{n}\n") for n in range(100)]


def test_a_copy_that_runs_ends_with_the_first_process(forks, tmp_path):
    program = forks("for (;;) pause();")
    running = program.start(["program"], limits=replace(COVER, wall_s=60.0), cwd=tmp_path)
    assert len(processes_of(tmp_path)) == 2
    program.close()
    assert running is not None
    with pytest.raises(process.LaunchError):
        running.finish()


@pytest.mark.parametrize("before", [
    "",
    "#include <stdlib.h>\n__attribute__((section(\".preinit_array\"), used)) static void (*const at)(void) = abort;\n",
    "#include <unistd.h>\nstatic void sleeps(void) { sleep(60); }\n"
    "__attribute__((section(\".preinit_array\"), used)) static void (*const at)(void) = sleeps;\n",
], ids=["built without", "ends at once", "hangs"])
def test_who_does_not_serve_is_started_for_each_run(forks, tmp_path, monkeypatch, before):
    monkeypatch.setattr("looplab.running.forks._PATIENCE_S", 1.0)
    program = forks("return 0;", before=before)
    if not before:
        (tmp_path / "program.c").write_text("int main(void) { return 0; }\n")
        compile_c(tmp_path, "int main(void) { return 0; }\n")
    for _ in range(2):
        assert program.start(["program"], limits=COVER, cwd=tmp_path) is None


def test_none_is_made_once_the_grading_was_ended(forks, tmp_path):
    program = forks("return 0;")
    process.end_all()
    try:
        with pytest.raises(process.LaunchError, match="the grading was ended"):
            program.start(["program"], limits=COVER, cwd=tmp_path)
    finally:
        process.begin_again()
    assert run(program, tmp_path).exit == 0


def test_where_nobody_can_be_followed_no_copies_are_made(forks, tmp_path, monkeypatch):
    def refuses(pid):
        raise PermissionError
    monkeypatch.setattr(os, "pidfd_open", refuses)
    assert forks("return 0;").start(["program"], limits=COVER, cwd=tmp_path) is None
    assert processes_of(tmp_path) == []


def test_a_copy_is_followed_where_no_descriptor_is_left_for_it(forks, tmp_path, monkeypatch):
    program = forks("usleep(100000); return 3;")
    assert run(program, tmp_path).exit == 3

    def refuses(pid):
        raise OSError(24, "no descriptor is left")
    monkeypatch.setattr(os, "pidfd_open", refuses)
    assert run(program, tmp_path).exit == 3


def test_a_very_long_command_line_is_left_to_others(forks, tmp_path):
    program = forks("return argc;")
    assert program.start(["program", "x" * 100_000], limits=COVER, cwd=tmp_path) is None
    assert program.start(["program", *["x"] * 5_000], limits=COVER, cwd=tmp_path) is None
    assert run(program, tmp_path, "x").exit == 2


@pytest.mark.parametrize("slug", ["01-sync-vs-async", "05-data-pipeline"])
def test_a_run_shows_the_same_in_a_copy(slug, tmp_path):
    """Trace, output and end, byte for byte, in both builds and each world of the lab."""
    lab = load(slug)
    program = build(lab, lab.solution, tmp_path / "build")
    (tmp_path / "home").mkdir()
    for binary, limits in ((program.cover, COVER), (program.asan, ASAN)):
        copies = Forks(binary, limits, cwd=tmp_path, env={"HOME": "."})
        for world in sorted((lab.folder / "worlds").glob("*.json")):
            words = ["../build/" + binary.name, "--world", str(world), "--seed", "7", "--trace", "../trace"]
            seen = []
            for start in (copies.start, partial(process.start, env={"HOME": "."})):
                running = start(words, limits=limits, cwd=tmp_path / "home")
                assert running is not None
                outcome = running.finish()
                seen.append((facts(outcome), outcome.stdout, outcome.stderr, (tmp_path / "trace").read_bytes()))
            assert seen[0] == seen[1]
        copies.close()
