"""Lines that no run can be asked to reach do not count: those of handlers, not whatever is put behind one."""

from __future__ import annotations

import pytest
from looplab.running import build, coverage, notes, process, reach
from looplab.running.build import Program
from toyhouse import GOOD, build_text, house

HEAD = "#include <assert.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"

LONG = "".join(f"    total += {number};\n    total -= {number};\n" for number in range(1, 31))
"""Sixty lines that run, so that what is left out is a small share of them."""


@pytest.fixture(autouse=True)
def with_gcc(monkeypatch):
    """Other compilers write their notes before they optimise."""
    monkeypatch.setenv("CC", "gcc")


def ran(tmp_path, body: str, above: str = "", head: str = HEAD) -> Program:
    """A program that ran once; body: what stands in the function `twice`, which is called with x = 1."""
    text = head + GOOD.replace("int total = 0;\n", "int total = 0;\n" + LONG)
    text = text.replace("int twice", above + "\nint twice").replace("    return 2 * x;\n", body + "    return 2 * x;\n")
    program = build_text(house(), tmp_path, text)
    assert process.run([program.cover], cwd=program.work, launch=house().launch).ok
    return program


def missed(tmp_path, body: str, above: str = "", head: str = HEAD) -> list[tuple[str, int]]:
    """What was not reached and counts: its text, and how many lines."""
    return [(piece.text, piece.lines) for piece in coverage.measure(ran(tmp_path, body, above, head)).unreached]


HANDLERS = """\
    char *a = malloc(10);
    if (!a)
        return -12;
    char *b = strdup("b");
    if (b == NULL) {
        free(a);
        return -12;
    }
    struct { int *c, *d; } both;
    both.c = calloc(3, sizeof(int));
    both.d = calloc(3, sizeof(int));
    if (!both.c || !both.d) {
        free(both.c);
        free(both.d);
        goto no_memory;
    }
    char *e;
    if ((e = malloc(20)) == NULL) {
        fprintf(stderr, "no memory\\n");
        free(both.c);
        free(both.d);
        goto no_memory;
    }
    free(a), free(b), free(both.c), free(both.d), free(e);
    if (x == 12345) {
    no_memory:
        free(a);
        free(b);
        return -12;
    }
"""


def test_four_handlers_of_an_honest_program_do_not_count(tmp_path):
    measured = coverage.measure(ran(tmp_path, HANDLERS))
    # What is also reached when x is 12345 counts, and is all that is named.
    assert [(piece.src, piece.text) for piece in measured.unreached] == [(measured.unreached[0].src, "no_memory:")]
    assert measured.lines_total - measured.lines_covered == measured.unreached[0].lines == 4
    # The condition with x has an outcome that is missing; those of the handlers' conditions are not counted.
    assert measured.branches_total - measured.branches_covered == 1


BUSY = """\
        if (x > 3)
            x += 2;
        if (x > 5)
            x += 3;
        x = (int)strlen("abc") + x;
        printf("%d", x);
        puts("a");
        puts("b");
        puts("c");
        x -= 2;
"""


def test_what_is_hidden_in_a_handler_counts_but_for_four_lines(tmp_path):
    body = "    char *p = malloc(1);\n    if (!p) {\n" + BUSY + "    }\n    free(p);\n"
    assert missed(tmp_path, body) == [("if (x > 3)", 10 - 4)]


@pytest.mark.parametrize("above, assigned", [
    ("", "char *p = x == 77 ? NULL : malloc(1);"),                                           # not always from malloc
    ("", "char *p = malloc(1);\n    free(p);\n    p = x == 2 ? NULL : p;\n    p = x == 1 ? (char *)1 : NULL;"),
    ("#define malloc(n) (x == 77 ? NULL : (malloc)(n))", "char *p = malloc(1);"),           # malloc only by name
    ("static char *take(int x)\n{\n    return x == 77 ? NULL : malloc(1);\n}", "char *p = take(x);"),
    ("static __attribute__((returns_nonnull)) char *mine(void);\nint calls;\nstatic char *mine(void)\n{\n"
     "    return calls++ < 5 ? (char *)&calls : NULL;\n}", "char *p = mine();"),
    ("", "char *p = malloc(1); char **volatile q = &p; if (x == 78) *q = NULL;"),
], ids=["sometimes", "then set", "macro", "function", "own promise", "by address"])
def test_no_handler_of_a_failed_allocation(tmp_path, above, assigned):
    body = f"    {assigned}\n    if (!p) {{\n        puts(\"a\");\n        puts(\"b\");\n    }}\n"
    assert ('puts("a");', 2) in missed(tmp_path, body, above)


def test_also_reached_otherwise(tmp_path):
    body = "    char *p = malloc(1);\n    if (!p || x == 78) {\n        puts(\"a\");\n        puts(\"b\");\n    }\n"
    assert missed(tmp_path, body + "    free(p);\n") == [('puts("a");', 2)]


def test_no_more_than_a_share_of_the_file(tmp_path):
    four = "".join(f"        puts(\"{one}\");\n" for one in "abcd")
    handler = "    p = malloc(1);\n    if (!p) {\n" + four + "    }\n"
    measured = coverage.measure(ran(tmp_path, "    char *p;\n" + 30 * handler))
    whole = measured.lines_covered + 30 * 4
    assert measured.lines_total == whole - whole // coverage.MOST_BEYOND_SHARE
    assert sum(piece.lines for piece in measured.unreached) == measured.lines_total - measured.lines_covered
    assert measured.line_percent < 75
    # It is no advice as long as there is any other.
    assert all(piece.for_want_of_memory for piece in measured.unreached)


ENDINGS = """\
    assert(x < 100);
    switch (x) {
    case 99:
        fprintf(stderr, "cannot be\\n");
        abort();
    case 98:
        __builtin_unreachable();
    default:
        break;
    }
    if (x == 97)
        die("x is 97");
"""

DIE = """\
static void __attribute__((noreturn)) die(const char *why)
{
    fprintf(stderr, "%s\\n", why);
    exit(1);
}
"""


def test_ways_that_end_the_program_do_not_count(tmp_path):
    assert missed(tmp_path, ENDINGS, DIE) == []


def test_what_is_hidden_before_an_end_counts_but_for_four_lines(tmp_path):
    (text, lines), = missed(tmp_path, "    if (x == 77) {\n" + BUSY + "        abort();\n    }\n")
    assert (text, lines) == ("if (x > 3)", 11 - 4)


def test_a_way_that_may_return_counts(tmp_path):
    body = "    if (x == 77) {\n        puts(\"a\");\n        if (x == 78)\n            abort();\n    }\n"
    assert missed(tmp_path, body) == [('puts("a");', 2)]       # all but the call of abort


def test_an_endless_loop_is_no_end(tmp_path):
    body = "    if (x == 77) {\n        for (;;)\n            puts(\"a\");\n    }\n"
    assert missed(tmp_path, body) == [('puts("a");', 1)]


def test_a_file_that_cannot_be_optimised_has_no_handlers(tmp_path, monkeypatch):
    """Such as one that gives malloc another type, or keeps the compiler busy."""
    program = ran(tmp_path, "    char *p = malloc(1);\n    if (!p)\n        return -12;\n    free(p);\n")
    assert coverage.measure(program).unreached == ()
    monkeypatch.setattr(reach, "_HEADER", tmp_path / "there-is-none.h")
    measured = coverage.measure(program)
    assert [piece.text for piece in measured.unreached] == ["return -12;"]


def test_notes_of_something_else():
    assert notes.read(b"", "toy.c") == notes.read(b"garbage" * 9, "toy.c") == notes.NOTHING


def test_notes_cut_short(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    whole = notes.read(program.notes, "toy.c")
    assert sorted(whole.functions) == [3, 11] and whole.lines == {3, 5, 6, 7, 8, 11, 13}
    assert whole.deciding == {6} and not whole.nowhere
    for length in range(0, len(program.notes), 7):
        assert notes.read(program.notes[:length], "toy.c").lines <= whole.lines


@pytest.mark.parametrize("spelt", ["no_profile_instrument_function", "__no_profile_instrument_function__",
                                   "cold, no_profile_instrument_function", "no_profile_instru\\\nment_function",
                                   "PASTED(instrument)"])
def test_a_function_kept_from_being_counted_is_refused(tmp_path, spelt):
    text = "#define PASTED(x) no_profile_##x##_function\n" + GOOD + \
        f"static __attribute__(({spelt})) int aside(int x)\n{{\n    return x;\n}}\n" \
        "int (*volatile keep)(int) = aside;\n"
    with pytest.raises(build.Ungradable, match="^toy.c:1[67]: aside is kept from being counted"):
        build_text(house(), tmp_path, text)


EVERY_KIND = """\
static inline __attribute__((always_inline)) int a(int x) { return x; } static int b(int x) { return a(x); }
int c(int x) __asm__("other");
int c(int x)
{
    int nested(int y) { return y + x; }
    return nested(b(x));
}
#define MADE(name) int name##_1(void) { return 1; } int name##_2(void) { return 2; }
MADE(d)
__attribute__((constructor)) static void early(void) { }
"""


def test_functions_of_every_kind_are_counted(tmp_path):
    program = build_text(house(), tmp_path, HEAD + GOOD + EVERY_KIND)
    assert len(notes.read(program.notes, "toy.c").functions) == 8      # all but a, which is a part of b


@pytest.mark.parametrize("line, told", [("#line 7", "a #line directive"), ('# 7 "toykit.h"', "a #line directive"),
                                        ("#pragma GCC optimize (2)", "optimize:")])
def test_directives_that_steer_are_refused(tmp_path, line, told):
    with pytest.raises(build.Ungradable, match=f"^toy.c:2: {told}"):
        build_text(house(), tmp_path, f"/* a\f\x1cb */\n{line}\n{GOOD}")
