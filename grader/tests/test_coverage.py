"""Which of the student's lines and branches are named as never reached."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from looplab.running import counts, coverage, process
from looplab.running.build import Program
from looplab.running.code import Code
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
    outcome = process.run(["gcov", "-t", program.counts.name], limits=process.TOOL, cwd=program.work,
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


# ---- Whatever stands in a file, or is left beside it ----


UNUSUAL = """\
#include "toy.h"
/* one @ two */
int sum(const int *numbers, size_t n) /* @        5:   10:return 0; */
{
    int total = 0; // @
    for (size_t i = 0; i < n; i++)
        total += numbers[i]; /* @ GCOVR_EXCL_LINE */
    if (n > 50)
        total++;
    return total;
}

int twice(int x)
{
    return 2 * x;
}
"""


@pytest.mark.parametrize("separator", ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_what_is_no_end_of_a_line(tmp_path, separator):
    program = build_text(house(), tmp_path, UNUSUAL.replace("@", separator))
    run(program)
    measured = coverage.measure(program)
    assert [(piece.src, piece.text) for piece in measured.unreached] == [("toy.c:9", "total++;")]
    assert (measured.lines_covered, measured.lines_total) == (8, 9)


def test_a_lone_carriage_return_ends_a_line(tmp_path):
    """For the compiler, and so for all that is told of its lines."""
    program = build_text(house(), tmp_path, UNUSUAL.replace("@", "").replace("one  two", "one \r two"))
    run(program)
    assert [(piece.src, piece.text) for piece in coverage.measure(program).unreached] == [("toy.c:10", "total++;")]


@pytest.mark.parametrize("marker", ["GCOVR_EXCL", "LCOV_EXCL", "GCOV_EXCL"])
def test_markers_have_no_effect(tmp_path, marker):
    text = SPOTTY.replace("return -1;", f"return -1; // {marker}_LINE").replace("y++;", f"y++; /* {marker}_BR_LINE */")
    text = text.replace("static int never", f"// {marker}_START\nstatic int never")
    text = text.replace("int sum", f"// {marker}_STOP\nint sum")
    plain, marked = (build_text(house(), tmp_path / name, one) for name, one in (("plain", SPOTTY), ("marked", text)))
    for program in (plain, marked):
        run(program)
        (program.work / "gcovr.cfg").write_text("exclude = .*\nexclude-lines-by-pattern = .*\n")
    found = [coverage.measure(program) for program in (plain, marked)]
    assert len({(one.lines_covered, one.lines_total, one.branches_covered, one.branches_total) for one in found}) == 1
    assert len({tuple(piece.lines for piece in one.unreached) for one in found}) == 1


@pytest.mark.parametrize("left", ["nothing", "a folder", "a pipe", "a link", "broken notes", "a folder in the way",
                                  "another source"])
def test_what_a_run_may_leave_behind(tmp_path, left):
    program = build_text(house(), tmp_path, GOOD)
    run(program)
    if left == "broken notes":
        program.counts.with_suffix(".gcno").write_bytes(b"garbage")
    elif left == "a folder in the way":
        (program.work / "counting").mkdir()
        (program.work / "other-toy.gcno").write_bytes(b"garbage")
    elif left == "another source":
        program.source.unlink()
        os.mkfifo(program.source)
    else:
        program.counts.unlink()
    if left == "a folder":
        program.counts.mkdir()
    elif left == "a pipe":
        os.mkfifo(program.counts)
    elif left == "a link":
        program.counts.symlink_to("/dev/zero")
    kept = left in ("broken notes", "a folder in the way", "another source")
    assert coverage.measure(program).lines_covered == (7 if kept else 0)


@pytest.mark.parametrize("says, told", [
    ("while :; do :; done", "that takes too long"),
    ("while :; do echo 0123456789012345678901; done", "that takes too long"),
    ("test -e COUNTS && exit 1; exec /usr/bin/gcov \"$@\"", "the counts that its runs left are broken"),
    ("test -e COUNTS && kill -SEGV $$; exec /usr/bin/gcov \"$@\"", "the counts that its runs left are broken"),
    ("test -e COUNTS && echo '{}' || exec /usr/bin/gcov \"$@\"", "the counts that its runs left are broken")])
def test_a_tool_that_fails_over_a_file_is_no_fault_of_the_grader(tmp_path, monkeypatch, says, told):
    program = build_text(house(), tmp_path, GOOD)
    run(program)
    fake = tmp_path / "gcov"
    fake.write_text(f"#!/bin/sh\n{says.replace('COUNTS', program.counts.name)}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(counts, "LIMITS", process.Limits(cpu_s=1, wall_s=60.0, output=process.MIB, processes=True))
    with pytest.raises(coverage.Refused, match=f"^{told}"):
        coverage.measure(program)


THREADS = """\
#include "toy.h"
#include <pthread.h>

static pthread_barrier_t all_there;

static void *work(void *arg)
{
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < 1500000; i++)
        if (i % 3 == 0)
            *(int *)arg += 1;
    return NULL;
}

int sum(const int *numbers, size_t n)
{
    pthread_t threads[4];
    int total[4] = {0};
    pthread_barrier_init(&all_there, NULL, 4);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, &total[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return numbers[n - 1] + total[0] - total[3];
}

int twice(int x)
{
    return 2 * x;
}
"""


def test_threads_are_counted_exactly(tmp_path):
    """Plain counters lose some of what two threads count at the same time."""
    program = build_text(house(), tmp_path, THREADS)
    run(program)
    found = counts.read(program, Code(program.text), tmp_path)
    assert found[10].times == 4 * 1500000 and found[11].times == 4 * 500000
    assert coverage.measure(program).unreached == ()


CLEANED = """\
#include "toy.h"
#include <stdlib.h>
#define CO_DEFER(close_fn) __attribute__((cleanup(close_fn)))
#define CO_WITH(type, name, open, close_fn) \\
    for (int co_once_ = 1; co_once_; co_once_ = 0) \\
        for (CO_DEFER(close_fn) type name = (open); co_once_; co_once_ = 0)
#define TRY(x) do { if ((x) < 0) return -1; } while (0)

static void end(int *x)
{
    *x = 0;
}

static int many(int x)
{
    CO_DEFER(end) int a = x;
    __attribute__((unused, __cleanup__(end))) int b = x;
    for (int i = 0; i < 3; i++) {
        CO_DEFER(end)
        int c = x;
        if (x == 100)
            break;
        if (x == 101 || c == 102)
            return 1;
    }
    CO_WITH(int, d, x, end) {
        if (x == 103)
            return 3;
        CO_WITH(int, e, d, end) {
            return e;
        }
    }
    TRY(a);
    return a;
}

int sum(const int *numbers, size_t n)
{
    return numbers[0] + many((int)n);
}

int twice(int x)
{
    TRY(x);
    return 2 * x;
}
"""


def test_ways_out_that_the_compiler_multiplies_are_no_conditions(tmp_path):
    program = build_text(house(), tmp_path, CLEANED)
    run(program)
    measured = coverage.measure(program)
    assert [(one.text, one.lines) for one in measured.unreached] == [
        ("break;", 1), ("return 1;", 1), ("return 3;", 1), ("TRY(a);", 2), ("TRY(x);", 0)]
    # The loop's two, the ifs' two, four and two, and those of TRY: never a CO_WITH's or a CO_DEFER's.
    assert measured.branches_total == 2 + 2 + 4 + 2 + 2 + 2


@pytest.mark.skipif(not shutil.which("gcovr"), reason="no gcovr")
@pytest.mark.parametrize("text", [GOOD, SPOTTY], ids=["good", "spotty"])
def test_gcovr_counts_the_same_lines(tmp_path, text):
    program = build_text(house(), tmp_path, text)
    run(program)
    said = subprocess.run(["gcovr", "--root", ".", "--filter", "toy.c$", "--json", "-"], cwd=program.work,
                          stdout=subprocess.PIPE, check=True).stdout
    theirs = [line["count"] for line in json.loads(said)["files"][0]["lines"] if not line.get("gcovr/noncode")]
    measured = coverage.measure(program)
    assert (measured.lines_covered, measured.lines_total) == (sum(times > 0 for times in theirs), len(theirs))


@pytest.mark.skipif(not all(map(shutil.which, ("gcovr", "clang", "llvm-cov"))), reason="no clang, llvm-cov or gcovr")
def test_clang_is_read_by_gcovr_beside_a_file_that_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "clang")
    program = build_text(house(), tmp_path, UNUSUAL.replace("@", "\f"))
    run(program)
    measured = coverage.measure(program)
    assert [(one.src, one.text, one.condition) for one in measured.unreached] == [("toy.c:9", "total++;", "toy.c:8")]
    assert measured.lines_total > measured.lines_covered > 5


def test_in_words():
    def words(text: str, lines: int) -> str:
        return Unreached("toy.c:58", text, lines, None).describe()
    assert words("return -ETIMEDOUT;", 1) == "toy.c:58 never ran: return -ETIMEDOUT;"
    assert words("failed++;", 2) == "toy.c:58 never ran: failed++; (and 1 more line)"
    assert words("failed++;", 3) == "toy.c:58 never ran: failed++; (and 2 more lines)"
    assert words("if (a && b)", 0) == "toy.c:58 always went the same way: if (a && b)"


@pytest.mark.parametrize("cc, tool", [("gcc", "gcov"), ("clang", "gcovr")])
def test_no_tool(tmp_path, monkeypatch, cc, tool):
    program = build_text(house(), tmp_path, GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(counts, "compiler", lambda: [cc])     # which is not to be found there either
    with pytest.raises(CoverageError, match=f"^there is no program {tool}: run `make deps`$"):
        coverage.measure(program)


def test_tool_that_fails(tmp_path, monkeypatch):
    program = build_text(house(), tmp_path, GOOD)
    fake = Path(tmp_path / "gcov")
    fake.write_text("#!/bin/sh\necho 'no good'; exit 9\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CoverageError, match=r"^gcov does not count the lines of a program that never ran$"):
        coverage.measure(program)


@pytest.mark.parametrize("cc, gcov", [("gcc", "gcov"), ("gcc-13", "gcov-13"),
                                      ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcov"),
                                      ("/usr/bin/gcc", "gcov"), ("clang-14", "llvm-cov-14 gcov"), ("cc", "gcov")])
def test_gcov_of_the_compiler(monkeypatch, cc, gcov):
    for command in (["ccache", cc], [cc, "-m64", "-pipe"]):
        monkeypatch.setattr(counts, "compiler", lambda: command)
        assert " ".join(counts._gcov()) == gcov
