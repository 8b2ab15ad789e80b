"""A student's program, compiled with the students' flags, outside the grader: gdb's `bt` in a task, and arrays too
large for its stack."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BACKTRACE = r"""
#include "co.h"
static int inner(int depth)
{
    if (depth > 0)
        return inner(depth - 1) + 1;
    return co_sleep(CO_MS(1));
}
static int child(void *job)
{
    (void)job;
    int rc = inner(3);          /* breakpoint */
    return rc < 0 ? rc : 0;
}
static int start(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_spawn(&group, child, NULL);
    co_spawn(&group, child, NULL);
    return co_join(&group);
}
int main(void) { return co_run(start, NULL, NULL) < 0; }
"""

LARGE_ARRAY = r"""
#include "co.h"
#include <string.h>
static int large(void *job)
{
    char array[1 << 20];
    memset(array, 1, sizeof array);
    return array[(long)job];
}
static int sleeper(void *job)
{
    (void)job;
    return co_sleep(CO_MS(1));
}
static int start(void *job)
{
    (void)job;
    CO_GROUP(group);
    for (int i = 0; i < 6; i++)
        co_spawn(&group, sleeper, NULL);
    co_spawn(&group, large, NULL);
    return co_join(&group);
}
int main(void) { return co_run(start, NULL, NULL) < 0; }
"""


def build(folder: Path, source: str, compiler: str = "gcc", variant: str = "", flags: tuple[str, ...] = ()) -> Path:
    """Compiles a program as a student's, against the kit of this variant. Skips where there is none."""
    library = ROOT / "build" / "kit" / f"libco{variant}.a"
    if not library.exists():
        pytest.skip(f"{library} is not built")
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    (folder / "program.c").write_text(source)
    subprocess.run([compiler, "@sim/kit/student.flags", *flags, "-Isim/include", folder / "program.c", library,
                    "@sim/kit/link.flags", "-o", folder / "program"], cwd=ROOT, check=True)
    return folder / "program"


def gdb(program: Path, *commands: str) -> str:
    """What gdb says when it runs the program with these commands."""
    if not shutil.which("gdb"):
        pytest.skip("no gdb")
    words = [word for command in ("set debuginfod enabled off", "set pagination off", *commands)
             for word in ("-ex", command)]
    run = subprocess.run(["gdb", "-q", "-batch", "-nx", *words, str(program)], text=True, timeout=60,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C"})
    if "ptrace: Operation not permitted" in run.stdout or "Could not trace the inferior" in run.stdout:
        pytest.skip("gdb may not trace here")
    return run.stdout


def frames(output: str) -> list[str]:
    """The functions of the backtrace, innermost first."""
    return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+)", output, re.MULTILINE)


def assert_ends_cleanly(output: str) -> None:
    for complaint in ("corrupt stack", "previous frame", "Cannot access memory", "No symbol table"):
        assert complaint not in output, output


@pytest.mark.parametrize("optimise", ["-O0", "-O2"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_bt_in_a_running_task_ends_at_its_first_frame(tmp_path, compiler, optimise):
    program = build(tmp_path, BACKTRACE, compiler, flags=(optimise,))
    output = gdb(program, f"break {program.name}.c:12", "run", "bt")
    names = frames(output)
    assert "child" in names, output
    assert names[-1] == "co__context_start", output
    assert "main" not in names, output
    assert_ends_cleanly(output)


def test_bt_in_a_running_task_shows_the_whole_way_down(tmp_path):
    program = build(tmp_path, BACKTRACE)
    output = gdb(program, "break co_sleep", "run", "bt")
    names = frames(output)
    assert names[:6] == ["co_sleep", "inner", "inner", "inner", "inner", "child"], output
    assert names[-1] == "co__context_start", output
    assert_ends_cleanly(output)


def test_bt_right_after_a_switch_ends_too(tmp_path):
    """Stepped through instruction by instruction, the switch can be unwound everywhere: its CFI is right."""
    program = build(tmp_path, BACKTRACE)
    steps = [command for _ in range(30) for command in ("stepi", "bt")]
    output = gdb(program, "break co__switch", "run", "continue", "continue", *steps)
    assert_ends_cleanly(output)
    traces = re.split(r"^(?=#0 )", output, flags=re.MULTILINE)
    ends = {names[-1] for names in map(frames, traces[1:]) if len(names) > 1}
    assert ends <= {"co__context_start", "main"}, output


def test_bt_on_the_way_out_of_a_task_that_has_ended_ends_too(tmp_path):
    """The jump into the next task, a step at a time, to where that one goes on."""
    program = build(tmp_path, BACKTRACE)
    steps = [command for _ in range(14) for command in ("stepi", "bt")]
    output = gdb(program, "break co__jump", "run", "bt", *steps, "continue", *steps)
    assert_ends_cleanly(output)
    traces = list(map(frames, re.split(r"^(?=#0 )", output, flags=re.MULTILINE)[1:]))
    assert len(traces) == 29 and {names[0] for names in traces} >= {"co__jump", "inner", "wait_for_all"}, output
    assert {names[-1] for names in traces} <= {"co__context_start", "main"}, output


def test_bt_in_the_second_task_of_a_stack_shows_nothing_of_the_first(tmp_path):
    """A task that begins when another ends runs on its stack."""
    program = build(tmp_path, BACKTRACE.replace("return co_sleep(CO_MS(1));", "return 0;"))
    output = gdb(program, f"break {program.name}.c:12", "run", "bt", "continue", "bt")
    traces = list(map(frames, re.split(r"^(?=#0 )", output, flags=re.MULTILINE)[1:]))
    assert traces[0] == traces[-1], output
    assert traces[0][0] == "child" and traces[0][-1] == "co__context_start", output
    assert_ends_cleanly(output)


def test_bt_with_ucontext_does_not_run_into_other_stacks(tmp_path):
    program = build(tmp_path, BACKTRACE, variant="-ucontext")
    output = gdb(program, "break co_sleep", "run", "bt 50")
    names = frames(output)
    assert names[:6] == ["co_sleep", "inner", "inner", "inner", "inner", "child"], output
    assert "main" not in names, output
    assert "corrupt stack" not in output, output


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_array_too_large_for_the_stack_is_named(tmp_path, compiler):
    """It must not write into the next task's stack, however far it reaches."""
    program = build(tmp_path, LARGE_ARRAY, compiler)
    run = subprocess.run([program], text=True, capture_output=True, timeout=60)
    assert run.returncode == 70, run.stderr
    assert "stack overflow" in run.stderr
    assert re.search(r"in task 8 large, spawned at program\.c:21", run.stderr), run.stderr
