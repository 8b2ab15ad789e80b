"""Lines, directives and statements of a C file."""

from __future__ import annotations

import re

import pytest
from looplab.running.code import Code, lines, named

OTHER_SEPARATORS = ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
"""What ends a line for Python's splitlines(), and for no compiler."""


@pytest.mark.parametrize("separator", OTHER_SEPARATORS, ids=ascii)
def test_what_ends_no_line(separator):
    assert len(lines(f"a{separator}b\nc".encode())) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_what_ends_a_line(end):
    assert lines(f"a{end}b{end}".encode()) == [b"a", b"b", b""]


@pytest.mark.parametrize("text, number", [
    ("int a;\n#line 7\n", 2), ('# 5 "other.c"\n', 1), ("int a;\n  %:  line 4\n", 2), ("#\\\nli\\  \nne 5\n", 1),
    ("#/**/line 3", 1), ("/* a\n*/ #line 5\n", 2),
    ('char *s = R"(/*)";\n#line 5\n', 2), ('char c = \'"\';\n#line 5\n', 2),
    ("int a;\r#line 5\n", 2),
    ("\ufeff#line 5\n", 1), ('char *s = "a\\\\";\n#line 5 // "\n', 2), ("#define A \\\n  1\n#line 9", 3),
    # …and what only looks like it.
    ("/*\n# 1. the first step\n#line 7\n*/\n", None), ("// a \\\n#line 7\n", None),
    ('char *s = "\\\n#line 7";\n', None),
    ('char *s = R"x(\n#line 7\n)" )x";\n', None), ("#define x # 5\n", None), ("#pragma once\n#if 1\n#endif\n", None),
    ("#define stringed(x) #x\nint line;\n", None), ("int a = b\n  % line;\n", None)])
def test_renumbered(text, number):
    assert Code(text.encode()).renumbered() == number


@pytest.mark.parametrize("text, number", [
    ('\n__attribute__((optimize("O2"))) int f(void);', 2), ('__attribute__((cold, __optimize__(2))) int f(void);', 1),
    ('#pragma GCC optimize ("O2")\n', 1),
    ('#pragma GCC \\\noptimize ("O2")\n', 2), ('[[gnu::optimize("O2")]] int f(void);', 1),
    ('_Pragma("GCC optimize(\\"O2\\")")\n', 1), ('#define DO(x) _Pragma(#x)\nDO(GCC optimize("O2"))\n', 2),
    ('__attribute__((opti\\\nmize("O2"))) int f(void);', 1),
    # …and what only looks like it.
    ('/* __attribute__((optimize("O2"))) */ int a;', None),
    ('int optimize(const char *what);\nint a = optimize("O2");', None),
    ('puts("#pragma GCC optimize");\n// #pragma GCC optimize\n', None),
    ('__attribute__((cold)) int f(void) { return optimize(2); }', None)])
def test_optimised(text, number):
    assert Code(text.encode()).own_way() == (None if number is None else (number, "optimize"))


@pytest.mark.parametrize("text, found", [
    ('int a;\n__attribute__((no_sanitize("address"))) int f(void);', (2, "no_sanitize")),
    ("__attribute__((__no_sanitize_address__)) int f(void);", (1, "no_sanitize_address")),
    ("__attribute((cold, no_sanitize_undefined)) int f(void);", (1, "no_sanitize_undefined")),
    ("[[gnu::no_sanitize_address]] int f(void);", (1, "no_sanitize_address")),
    ("#define QUIETLY __attribute__((no_sani\\\ntize(\"address\")))\n", (1, "no_sanitize")),
    ("__attribute__((no_address_safety_analysis)) int f(void);", (1, "no_address_safety_analysis")),
    ("/* __attribute__((no_sanitize)) */ int no_sanitize;", None), ("int f(void) { return no_sanitize(2); }", None)])
def test_without_sanitizers(text, found):
    """What is not looked at is not right for that."""
    assert Code(text.encode()).own_way() == found


def test_what_holds_code():
    code = Code(b'{\n} // x = 1;\nelse\n/* a\n b */ }\n} else {\nx = 1; /* }\n*/ "}"\n')
    assert [number for number in range(1, code.length + 1) if code.holds_code(number)] == [6, 7, 8]


def test_statements():
    code = Code(b"""\
int f(int a)
{
    if (a
        && g(a))
        b = a;
    c = a ? 1
          : 2;
    for (int i = 0;
         i < a;
         i++)
        d();
    do {
        e(a,
          a);
    } while (a);
}
""")
    said = {number: re.sub(r"\s+", " ", code.statement(number)).strip() for number in range(1, 16)}
    assert said[4] == "if (a && g(a))" and said[5] == "b = a;"
    assert said[7] == "c = a ? 1 : 2;"
    assert said[9] == "for (int i = 0; i < a;" and said[11] == "d();"
    assert said[14] == "e(a, a);" and said[15] == "} while (a);"


def test_macros_that_hold_a_condition():
    code = Code(b"#define TRY(x) do { \\\n    if (!(x)) goto end; \\\n} while (0)\n"
                b"#define AGAIN(x) TRY(x)\n#define TWICE(x) (2 * x)\n")
    found = named(r"\bif\b", code.macros())
    said = [word for word in ("if", "TRY", "AGAIN", "TWICE", "TRYING") if found.search(word + "(1)")]
    assert said == ["if", "TRY", "AGAIN"]
