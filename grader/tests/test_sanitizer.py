"""One small faulty program a fault, and exactly what a student reads about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from looplab.running import process, sanitizer
from looplab.running.build import Program
from looplab.running.sanitizer import Finding
from toyhouse import GOOD, build_text, house


@pytest.fixture(autouse=True)
def with_gcc(monkeypatch):
    """The messages are gcc's, whatever compiler the tests were started with."""
    monkeypatch.setenv("CC", "gcc")


def run(program: Program) -> process.Outcome:
    return process.run([program.asan], limits=process.ASAN, cwd=program.work, launch=house().launch)


def found(folder: Path, body: str) -> list[Finding]:
    """The findings of a sum() with this body; its first line is toy.c:9, and n is 4."""
    text = ('#include "toy.h"\n#include <stdlib.h>\n#include <string.h>\n#include <stdio.h>\n'
            "int twice(int x) { return 2 * x; }\n\nint sum(const int *numbers, size_t n)\n{\n" + body
            + "\n    return 0;\n}\n")
    program = build_text(house(), folder, text)
    outcome = run(program)
    assert sanitizer.trouble(outcome.stderr) is None
    return sanitizer.findings(outcome.stderr, program)


@pytest.mark.parametrize("body, kind, src, message", [
    # ---- ASan
    ("int *a = malloc(40);\nreturn a[n + 6];", "heap buffer overflow", "toy.c:10",
     "reads 4 bytes right past the end of a block of 40 bytes (allocated at toy.c:9)"),
    ("char *a = malloc(10);\na[n + 9] = 1;", "heap buffer overflow", "toy.c:10",
     "writes 1 byte, 3 bytes past the end of a block of 10 bytes (allocated at toy.c:9)"),
    ("char *a = malloc(10);\na[n - 5] = 1;", "heap buffer overflow", "toy.c:10",
     "writes 1 byte, 1 byte before the start of a block of 10 bytes (allocated at toy.c:9)"),
    ("char *a = malloc(1);\nstrcpy(a, \"hello\");", "heap buffer overflow", "toy.c:10",
     "writes 6 bytes right past the end of a block of 1 byte (allocated at toy.c:9)"),
    ("int a[4] = {0};\nint *volatile p = a;\nreturn p[n];", "stack buffer overflow", "toy.c:11",
     "reads 4 bytes past the end of the variable a of line 9"),
    ("int a[4] = {0};\nint *volatile p = a;\nreturn p[n - 5];", "stack buffer overflow", "toy.c:11",
     "reads 4 bytes before the start of the variable a of line 9"),
    ("static int a[4];\nint *volatile p = a;\nreturn p[n];", "global buffer overflow", "toy.c:11",
     "reads 4 bytes right past the end of the variable a of 16 bytes (toy.c:9)"),
    ("return numbers[n];", "stack buffer overflow", "toy.c:9", "reads 4 bytes past the end of the variable numbers of "
                                                               "line 8"),
    ("int *a = malloc(40);\nfree(a);\na[n] = 1;", "use after free", "toy.c:11",
     "writes 4 bytes of a block that was freed at toy.c:10 (allocated at toy.c:9)"),
    ("int *volatile p;\n{ int x[3] = {1}; p = x; }\nreturn *p;", "use after scope", "toy.c:11",
     "reads 4 bytes of the variable x of line 10 after its block has ended"),
    ("int *a = malloc(40);\nfree(a);\nfree(a);", "double free", "toy.c:11",
     "frees a block that was freed at toy.c:10 already"),
    ("int a[4];\nint *volatile p = a;\nfree(p);", "wrong free", "toy.c:11",
     "frees memory that did not come from malloc"),
    ("char *p = malloc(8);\nfree(p + 1);", "wrong free", "toy.c:10",
     "frees a pointer into the middle of a block: only its start can be freed"),
    ("int *volatile p = (int *)0x1234567812345678;\nreturn *p;", "wild pointer", "toy.c:10",
     "reads where the program has no memory"),
    ("char b[16] = {0};\nmemcpy(b, b + 1, n);", "overlapping copy", "toy.c:10",
     "source and target of memcpy overlap: memmove may do that"),
    ("char b[16] = {0}, c[16];\nmemcpy(c, b, n - 5);", "negative size", "toy.c:10",
     "passes a negative size to a function that copies or fills memory"),
    ("return sum(numbers, n + 1) + 1;", "stack overflow", "toy.c:9",
     "uses up the stack: recursion without end, or a local variable that is too large"),
    ("int (*volatile f)(void) = NULL;\nreturn f() + 1;", "null pointer", None,
     "calls a function through a null pointer"),
    ("char *p = malloc((size_t)10 << 30);\np[n] = 1;", "null pointer", "toy.c:10",
     "writes through a null pointer (there was no memory for a block of 10737418240 bytes: malloc returned NULL)"),
    # ---- LSan
    ("char *volatile p = malloc(40);\np = NULL;", "memory leak", "toy.c:9", "40 bytes allocated here are never freed"),
    ("char *volatile p = malloc(1);\np = NULL;", "memory leak", "toy.c:9", "1 byte allocated here is never freed"),
    ("for (int i = 0; i < 3; i++) {\nchar *volatile p = strdup(\"hello\");\np = NULL;\n}", "memory leak", "toy.c:10",
     "18 bytes in 3 blocks allocated here are never freed"),
    ("struct s { struct s *next; } *volatile p = calloc(1, 16);\np->next = calloc(1, 24);\np = NULL;", "memory leak",
     "toy.c:9", "16 bytes allocated here are never freed"),
    ("struct s { struct s *next; } *volatile p = calloc(1, 16);\np->next = p;\np = NULL;", "memory leak", "toy.c:9",
     "16 bytes allocated here are never freed"),
    # ---- UBSan; a crash that follows on the same line is the same finding
    ("int *volatile p = NULL;\nreturn *p;", "null pointer", "toy.c:10", "reads through a null pointer"),
    ("int *volatile p = NULL;\n*p = 1;", "null pointer", "toy.c:10", "writes through a null pointer"),
    ("struct s { int a, b; } *volatile p = NULL;\np->b = 5;", "null pointer", "toy.c:10",
     "uses a member of a struct s through a null pointer"),
    ("char *volatile p = NULL;\nreturn (int)strlen(p);", "null pointer", "toy.c:10",
     "passes a null pointer as argument 1 to a function that does not take one"),
    ("int a[4] = {0};\nreturn a[n];", "index out of bounds", "toy.c:10",
     "index 4 is out of bounds of an array int [4]"),
    ("int x = 2147483640;\nreturn x + (int)n * 10;", "signed integer overflow", "toy.c:10",
     "2147483640 + 40 does not fit into the type int"),
    ("int x = -2147483647 - 1;\nreturn -x;", "signed integer overflow", "toy.c:10",
     "-(-2147483648) does not fit into the type int"),
    ("int x = 5;\nreturn x / ((int)n - 4);", "division by zero", "toy.c:10", "divides by zero"),
    ("return 1 << (n * 10);", "wrong shift", "toy.c:9", "shifts a value of 32 bits by 40 bits"),
    ("return 1 << ((int)n - 5);", "wrong shift", "toy.c:9", "shifts by -1 bits"),
    ("_Bool b;\nmemset(&b, 7, 1);\nreturn b;", "invalid value", "toy.c:11", "reads 7 from a _Bool: it was never set, "
                                                                            "or overwritten"),
    ("char b[16] = {0};\nint *volatile p = (int *)(b + 1);\nreturn *p;", "misaligned pointer", "toy.c:11",
     "reads an int at an address that is not a multiple of 4"),
    ("int m = (int)n - 5;\nint a[m]; a[0] = 0;", "wrong array size", "toy.c:10", "makes an array of -1 elements"),
    ("__builtin_unreachable();", "unreachable point", "toy.c:9", "reaches a point that was declared unreachable"),
])
def test_fault_in_words(tmp_path, body, kind, src, message):
    findings = found(tmp_path, body)
    assert [(one.kind, one.src, one.message) for one in findings] == [(kind, src, message)]
    line = int(src.split(":")[1]) if src else 0
    assert findings[0].code == (body.split("\n")[line - 9].strip() if src else "")
    assert "0x" not in findings[0].raw and findings[0].raw


def test_no_fault(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    assert sanitizer.findings(run(program).stderr, program) == []
    assert sanitizer.findings("compare: something of the program's own\n", program) == []


def test_refused_allocation_alone_is_no_fault(tmp_path):
    assert found(tmp_path, "char *p = malloc((size_t)10 << 30);\nif (!p)\nreturn 1;") == []


def test_several(tmp_path):
    """Each place once, in the order in which they happened; the program goes on after what UBSan finds."""
    findings = found(tmp_path, "for (int i = 0; i < 3; i++)\nn += 1 << (30 + (int)n);\n"
                               "int *a = malloc(4); (void)a;\na = malloc(8);\na = NULL;\nint x = 2147483647;\nx++;")
    assert [(one.kind, one.src) for one in findings] == [
        ("wrong shift", "toy.c:10"), ("signed integer overflow", "toy.c:15"), ("memory leak", "toy.c:12"),
        ("memory leak", "toy.c:11")]


def test_one_place_reached_on_two_ways_is_one_finding(tmp_path):
    program = build_text(house(), tmp_path, "#include <stdlib.h>\nstatic void lose(void) { char *volatile p = "
                                            "malloc(3); p = 0; }\n" +
                         GOOD.replace("int total = 0;", "int total = 0; lose();").replace("return total;",
                                                                                          "lose(); return total;"))
    outcome = run(program)
    assert outcome.stderr.count("Direct leak") == 2
    assert [(one.kind, one.src) for one in sanitizer.findings(outcome.stderr, program)] == [("memory leak", "toy.c:2")]


def test_finding_ends_the_program_with_a_code_of_its_own(tmp_path):
    program = build_text(house(), tmp_path, GOOD.replace("return total;", "return numbers[n];"))
    assert run(program).exit == process.ASAN_EXIT


def test_same_report_each_time(tmp_path):
    program = build_text(house(), tmp_path, GOOD.replace("return total;", "return numbers[n];"))
    assert sanitizer.findings(run(program).stderr, program) == sanitizer.findings(run(program).stderr, program)


def test_block_that_a_function_of_the_kit_allocated(tmp_path):
    """The student's file only called it: then that call is the place, and the function is named."""
    program = build_text(house(), tmp_path, GOOD.replace(
        "int total = 0;", 'int total = 0; extern char *toy_copy(const char *); char *volatile p = toy_copy("hello"); '
                          'p = 0;'))
    findings = sanitizer.findings(run(program).stderr, program)
    assert [(one.src, one.message) for one in findings] == [("toy.c:5",
                                                             "6 bytes that toy_copy allocated here are never freed")]


def test_the_memory_of_a_queue():
    """It is the queue's, not the student's: who frees it is named, not the kit's function inside."""
    for kits, ours in ((("put", "queue.c:90"), True), (("put", "stack.c:90"), False), (("?", "?"), False)):
        assert sanitizer._is_a_queues([("?", "?"), kits, ("pool_add", "toy.c:5")], "toy.c:5") == ours


def test_a_block_that_another_function_freed():
    """Who still used it, and when to free it; not so where one function does both."""
    class Frames:
        def outermost(self, lines): return {"user": "task", "freer": "starter"}.get(lines[0]) if lines else None

    lines = ["user", "READ of size 8", "freed by thread T0 here:", "freer"]
    assert sanitizer._too_early(sanitizer._Report("asan", "", None, lines), Frames()) == \
        ": task still needs it there. Free it only when that task has ended, after the wait for it"
    assert sanitizer._too_early(sanitizer._Report("asan", "", None, ["user", "freed by", "user"]), Frames()) == ""


def test_fault_in_the_kit_has_no_place(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    report = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x604000000038 at pc 0x1 bp 0x2 sp 0x3\n" \
             "WRITE of size 8 at 0x604000000038 thread T0\n    #0 0x7ffff7  (/lib/libjansson.so.4+0x77)\n\n"
    assert sanitizer.findings(report, program) == [Finding(
        "use after free", "writes 8 bytes of a block that was freed before", None, "",
        "ERROR: AddressSanitizer: heap-use-after-free")]


def test_unknown_kinds_keep_their_words(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    report = "toy.c:7:9: runtime error: something quite new at address 0x604000000038\n" \
             "==7==ERROR: AddressSanitizer: new-kind-of-fault on unknown address 0x604000000038 (pc 0x1 bp 0x2 T0)\n"
    assert [(one.kind, one.message, one.src) for one in sanitizer.findings(report, program)] == [
        ("undefined behaviour", "something quite new", "toy.c:7"), ("new kind of fault", "new-kind-of-fault", None)]


@pytest.mark.parametrize("line, words", [
    ("==12==LeakSanitizer has encountered a fatal error.", "LeakSanitizer has encountered a fatal error."),
    ("==12==Shadow memory range interleaves with an existing memory mapping. ASan cannot proceed correctly. ABORTING.",
     "Shadow memory range interleaves with an existing memory mapping. ASan cannot proceed correctly. ABORTING."),
    ("AddressSanitizer: CHECK failed: asan_thread.cpp:367", "AddressSanitizer: CHECK failed: asan_thread.cpp:367"),
    ("ERROR: AddressSanitizer: SEGV on unknown address 0x0", None),
    ("", None),
])
def test_trouble_of_the_sanitizer_itself(line, words):
    assert sanitizer.trouble(f"before\n{line}\nafter\n") == words


def test_whether_they_work_here_is_tried(tmp_path, monkeypatch):
    """Not asked of the student's program, which may say what it likes."""
    program = build_text(house(), tmp_path, GOOD)
    assert sanitizer.work_here(program)
    monkeypatch.setattr(process, "ASAN", process.Limits(memory=1 << 30))        # no room for their shadow
    assert not sanitizer.work_here(program)
