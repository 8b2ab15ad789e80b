"""Many runs in one process show what each shows alone: what is not quite as expected is made alone."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from grading import grade, only_file
from looplab.course.lab import ROOT, load
from looplab.running import process
from looplab.running.forks import Forks
from looplab.running.process import ASAN, Limits
from looplab.running.series import OneOfMany, Series
from test_process import facts
from toyhouse import compile_c, house, processes_of

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the kernel or Python has no pidfd")

KIT = """
#define _GNU_SOURCE
#include "kit/forks.h"
#include "kit/leaks.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
const char *source_line(const void *pc, char *text, size_t size) { return NULL; }
static int runs;
static void *kept;
static int lab(int argc, char **argv);
static int run(int argc, char **argv) { leaks_begin(); int code = lab(argc, argv); fflush(stdout); return code; }
int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    forks_command(&argc, &argv);
    int code = run(argc, argv);
    while (forks_again(code, leaks_none())) {
        forks_command(&argc, &argv);
        code = run(argc, argv);
    }
    return code;
}
static int lab(int argc, char **argv) { runs++; (void)kept;
"""


class Program:
    """A program and its runs."""

    def __init__(self, folder: Path, text: str, limits: Limits):
        path = compile_c(folder, KIT + text + "}\n", f"-I{ROOT}/sim", str(ROOT / "sim/kit/forks.c"),
                         str(ROOT / "sim/kit/leaks.c"), "-fsanitize=address,undefined", "-static-libasan", "-g")
        self.folder, self.limits = folder, limits
        self.forks = Forks(path, limits, cwd=folder, env={"HOME": "."}, launch=house().launch)
        self.series = Series(self.forks, limits)

    def start(self, *words: str, folder: str = ".") -> process.Running | OneOfMany:
        here = self.folder / folder
        here.mkdir(exist_ok=True)

        def alone() -> process.Running:
            running = self.forks.start(["program", *words], limits=self.limits, cwd=here)
            assert running
            return running

        return self.series.start(["program", *words], cwd=here, alone=alone)


def gone(folder: Path) -> bool:
    """Does no process run there any more? The kernel ends a copy some time after the first process."""
    deadline = time.monotonic() + 60
    while processes_of(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    return processes_of(folder) == []


@pytest.fixture
def program(tmp_path):
    made = []

    def make(text: str, limits: Limits = ASAN) -> Program:
        made.append(Program(tmp_path, text, limits))
        return made[-1]

    yield make
    for one in made:
        one.series.close()
        one.forks.close()
    assert gone(tmp_path)


def test_each_run_has_its_own_words_folder_output_and_code(program):
    one = program('char where[4096]; getcwd(where, sizeof where); printf("%d %s %s\\n", runs, argv[1], '
                  'strrchr(where, 47)); fprintf(stderr, "%d\\n", argc); return runs;')
    for number, name in enumerate(["a", "b", "c"], 1):
        run = one.start(name, *["x"] * number, folder=name)
        outcome = run.finish()
        assert (outcome.exit, outcome.stdout, outcome.stderr) == (number, f"{number} {name} /{name}\n",
                                                                  f"{number + 2}\n")
        assert run.together


@pytest.mark.parametrize("text, ending", [
    ("exit(3);", (3, None)),
    ("raise(SIGKILL);", ("SIGKILL", None)),
    ("kept = malloc(10);", (0, None)),
    ("char *p = malloc(10); free(p); p[argc] = 1;", (process.ASAN_EXIT, None)),
    ("kept = malloc(10); kept = NULL;", (process.ASAN_EXIT, None)),
    ('for (int fd = 3; fd < 256; fd++) (void)!write(fd, "what now", 8);', (0, None)),
    ("int n = 0x7fffffff; n += argc; printf(\"%d\\n\", n > 5);", (0, None)),
])
def test_what_is_not_as_expected_is_made_alone(program, text, ending):
    one = program(f'if (strcmp(argv[1], "odd") == 0) {{ {text} }} printf("%d\\n", runs); return 0;')
    runs = [one.start(word) for word in ("plain", "plain", "odd", "plain", "odd", "plain", "plain")]
    ended = [(run.finish(), run.together) for run in runs]
    assert [together for _, together in ended] == [True, True, False, True, False, True, True]
    assert {facts(outcome) for outcome, together in ended if not together} == {ending}
    assert [outcome.stdout for outcome, together in ended if together] == ["1\n", "2\n", "1\n", "1\n", "2\n"]


def test_a_program_of_which_each_run_is_odd_makes_no_more_together(program):
    one = program("kept = malloc(10); return argc > 1 ? 3 : 0;")
    for number in range(5):
        run = one.start(*["x"] * (number % 2))
        assert facts(run.finish()) == (3 if number % 2 else 0, None)
        assert isinstance(run, OneOfMany) == (number < 3)


@pytest.mark.parametrize("text, limits, ending", [
    ("for (;;) ;", replace(ASAN, cpu_s=1, wall_s=60.0), ("SIGXCPU", "cpu")),
    ("for (;;) pause();", replace(ASAN, wall_s=0.5), ("SIGKILL", "wall")),
    ("for (;;) puts(\"x\");", replace(ASAN, output=1000, wall_s=3.0), ("SIGKILL", "output")),
])
def test_a_run_at_its_limit(program, text, limits, ending):
    one = program(f'if (argc > 1) {text} return 0;', limits)
    runs = [one.start(), one.start("odd"), one.start()]
    assert [facts(run.finish()) for run in runs] == [(0, None), ending, (0, None)]


def test_a_run_that_is_killed_is_not_made_again(program):
    one = program("if (argc > 1) for (;;) pause(); return 0;", replace(ASAN, wall_s=60.0))
    stuck, waiting = one.start("odd"), one.start()
    waiting.kill()
    stuck.kill()
    assert [facts(run.finish()) for run in (stuck, waiting)] == [("SIGKILL", None)] * 2
    assert facts(one.start().finish()) == (0, None)


def test_what_a_program_keeps_from_run_to_run_is_no_fault_of_it(tmp_path):
    """Each run of a check is the program's first."""
    lab = load("01-sync-vs-async")
    source = (lab.solution / lab.source).read_text()
    begin = "int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])\n{\n"
    assert begin in source
    counts = begin + "    static int calls;\n    if (++calls > 2)\n        return -EBUSY;\n"
    (tmp_path / lab.source).write_text(source.replace(begin, counts).replace(
        "#include <stdlib.h>", "#include <errno.h>\n#include <stdlib.h>"))
    graded = grade(lab, only_file(lab, tmp_path / lab.source, tmp_path / "mine"), tmp_path / "out")
    lost = [check["category"] for check in graded.result["checks"] if check["score"] < check["max_score"]]
    assert set(lost) <= {"coverage"}, graded.lost()     # the line that no run reaches


def test_each_run_is_told_its_own_processor_time(monkeypatch):
    """The process tells what all of its runs have taken so far: added up, that would be the more the more runs there
    are."""
    series = Series(Forks(Path("program"), ASAN, cwd=Path(), env={}), ASAN)
    answers = iter([b"0 1 3000", b"0 1 4000", b"1 1 4500"])
    monkeypatch.setattr(series, "_ask", lambda run, out, err: next(answers))
    told = [series._outcome(OneOfMany(["program"], Path(), None, None)) for _ in range(3)]
    assert [round(outcome.cpu_s * 1e6) for outcome in told] == [3000, 1000, 500]
