"""Which of the student's lines and branches are named as never reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from looplab.running import coverage, process
from looplab.running.build import Program
from looplab.running.coverage import CoverageError, Unreached
from toyhouse import GOOD, build_text, house

SPOTTY = """\
#include "toy.h"
#include <assert.h>

static int classify(int x)
{
    if (x < 0)
        return -1;
    int y = x > 100 ? 7 : 1;
    if (x > 5 && x < 10)
        y++;
    assert(y > 0);
    switch (x) {
    case 4:
        return 5;
    case 5:
        y = 3;
        return 6;
    default:
        break;
    }
    while (x > 30)
        x--;
    return y;
}

static int never(int a)
{
    if (a)
        return 2;
    return 1;
}

int sum(const int *numbers, size_t n)
{
    int total = 0;
    for (size_t i = 0; i < n; i++)
        total += numbers[i];
    if (n > 50) {
        total++;
    } else {
        total += 0;
    }
    if (n == 4) {
        total += 0;
    } else {
        total = never(1);
        total--;
    }
    return total;
}

int twice(int x)
{
    return 2 * x + 0 * classify(4) + 0 * classify(0);
}
"""


@pytest.fixture(autouse=True)
def with_gcc(monkeypatch):
    """The messages are gcc's, whatever compiler the tests were started with."""
    monkeypatch.setenv("CC", "gcc")


def run(program: Program, *arguments: str) -> None:
    assert process.run([program.cover, *arguments], cwd=program.work, launch=house().launch).ok


def test_what_is_named(tmp_path):
    program = build_text(house(), tmp_path, SPOTTY)
    run(program)
    measured = coverage.measure(program)
    assert [(one.src, one.text, one.lines, one.condition) for one in measured.unreached] == [
        ("toy.c:7", "return -1;", 1, "toy.c:6"),
        ("toy.c:8", "int y = x > 100 ? 7 : 1;", 0, "toy.c:8"),
        ("toy.c:10", "y++;", 1, "toy.c:9"),
        ("toy.c:15", "case 5:", 3, "toy.c:12"),
        ("toy.c:22", "x--;", 1, "toy.c:21"),
        ("toy.c:26", "static int never(int a)", 4, None),
        ("toy.c:39", "total++;", 1, "toy.c:38"),
        ("toy.c:46", "total = never(1);", 2, "toy.c:43"),
    ]
    assert measured.lines_total - measured.lines_covered == sum(one.lines for one in measured.unreached)
    # Nothing is said of assert, whose other way out nobody can take.
    assert (measured.lines_covered, measured.lines_total) == (23, 36)
    assert (measured.branches_covered, measured.branches_total) == (10, 21)
    assert measured.line_percent == pytest.approx(63.9, abs=0.1) \
        and measured.branch_percent == pytest.approx(47.6, abs=0.1)


def test_condition_is_looked_for_in_the_same_function_only(tmp_path):
    program = build_text(house(), tmp_path, "#include <stdlib.h>\n" + GOOD.replace("return total;",
                                                                                   "if (n > 50) total++;\n    return "
                                                                                   "total;")
                         .replace("return 2 * x;", "sum(&x, 1);\n    void (*volatile end)(int) = exit;\n    end(0);\n  "
                                                   "  return x;"))
    run(program)
    assert [(one.src, one.condition) for one in coverage.measure(program).unreached] == [
        ("toy.c:9", "toy.c:9"), ("toy.c:18", None)]


def test_runs_add_up(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    assert coverage.measure(program).lines_covered == 0
    run(program, "0")
    before = coverage.measure(program)
    assert [one.describe() for one in before.unreached] == ["toy.c:7 never ran: total += numbers[i];"]
    run(program)
    after = coverage.measure(program)
    assert after.unreached == () and after.lines_covered == after.lines_total == 7
    assert after.line_percent == after.branch_percent == 100.0


def test_runs_at_the_same_time_all_count(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    runs = [process.start([program.cover], cwd=program.work, launch=house().launch) for _ in range(20)]
    assert all(one.finish().ok for one in runs)
    outcome = process.run(["gcov", "-t", "cover-toy.gcda"], limits=process.TOOL, cwd=program.work,
                          launch=house().launch)
    assert "       20:    5:    int total = 0;" in outcome.stdout


def test_measured_while_something_else_happens(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    run(program)
    measuring = coverage.start(program)
    assert process.run([program.asan], limits=process.ASAN, cwd=program.work, launch=house().launch).ok
    assert measuring.finish().line_percent == 100.0


def test_killed_runs_count_for_nothing(tmp_path):
    program = build_text(house(), tmp_path, GOOD.replace("int total = 0;", "int total = 0; for (;;) { }"))
    outcome = process.run([program.cover], limits=process.Limits(wall_s=0.3), cwd=program.work, launch=house().launch)
    assert not outcome.ok
    measured = coverage.measure(program)
    assert (measured.lines_covered, [one.src for one in measured.unreached]) == (0, ["toy.c:3", "toy.c:11"])


@pytest.mark.parametrize("content", [b"", b"adcg", b"garbage" * 100, None], ids=["empty", "cut", "garbage", "half"])
def test_broken_counts_are_no_fault(tmp_path, content):
    """A run killed while it writes its counts, or a program that scribbles over them, costs the student, not the
    grader."""
    program = build_text(house(), tmp_path, GOOD)
    run(program)
    counts, = program.work.glob("*.gcda")
    counts.write_bytes(counts.read_bytes()[:40] if content is None else content)
    assert coverage.measure(program).lines_total == 7


def test_a_file_without_code_is_covered(tmp_path):
    none = coverage.Coverage(0, 0, 0, 0, ())
    assert none.line_percent == none.branch_percent == 100.0


def test_in_words():
    def words(text: str, lines: int) -> str:
        return Unreached("toy.c:58", text, lines, None).describe()
    assert words("return -ETIMEDOUT;", 1) == "toy.c:58 never ran: return -ETIMEDOUT;"
    assert words("failed++;", 2) == "toy.c:58 never ran: failed++; (and 1 more line)"
    assert words("failed++;", 3) == "toy.c:58 never ran: failed++; (and 2 more lines)"
    assert words("if (a && b)", 0) == "toy.c:58 always went the same way: if (a && b)"


def test_no_gcovr(tmp_path, monkeypatch):
    program = build_text(house(), tmp_path, GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(coverage, "compiler", lambda: ["gcc"])     # which is not to be found there either
    with pytest.raises(CoverageError, match="^there is no program gcovr: run `make deps`$"):
        coverage.measure(program)


def test_gcovr_that_fails(tmp_path, monkeypatch):
    program = build_text(house(), tmp_path, GOOD)
    fake = Path(tmp_path / "gcovr")
    fake.write_text("#!/bin/sh\necho first >&2; echo 'no good' >&2; exit 9\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CoverageError, match=r"^gcovr failed \(9\): no good$"):
        coverage.measure(program)


@pytest.mark.parametrize("cc, gcov", [("gcc", "gcov"), ("gcc-13", "gcov-13"),
                                      ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcov"),
                                      ("/usr/bin/gcc", "gcov"), ("clang-14", "llvm-cov-14 gcov"), ("cc", "gcov")])
def test_gcov_of_the_compiler(monkeypatch, cc, gcov):
    monkeypatch.setattr(coverage, "compiler", lambda: ["ccache", cc])
    assert coverage._gcov() == gcov
