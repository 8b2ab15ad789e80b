"""What a student may hand in, and the one sentence that answers it."""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from looplab.course import lab
from looplab.running import build, process
from looplab.running.build import BuildError, Ungradable
from toyhouse import GOOD, HEADER, build_text, house, make_house


@pytest.fixture(autouse=True)
def with_gcc(monkeypatch):
    """The messages are gcc's, whatever compiler the tests were started with."""
    monkeypatch.setenv("CC", "gcc")


def refused(folder: Path, text: str | bytes) -> tuple[str, str | None]:
    """What a student reads about this file, and the place it names."""
    with pytest.raises(Ungradable) as caught:
        build_text(house(), folder, text)
    for path in (folder, house().root, Path.home(), Path("/tmp")):
        assert str(path) + "/" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value), caught.value.src


# ---- A good file -----------------------------------------------------------------------------------

def test_both_programs_run(tmp_path):
    program = build_text(house(), tmp_path, GOOD)
    for path, limits in ((program.cover, process.COVER), (program.asan, process.ASAN)):
        outcome = process.run([path], limits=limits, cwd=program.work, launch=house().launch)
        assert (outcome.exit, outcome.stdout, outcome.stderr) == (0, "10 2\n", "")
    assert program.advice == ()
    assert program.source.read_text() == GOOD


@pytest.mark.parametrize("old", [False, True])
def test_what_was_never_set_is_the_same_in_each_run_and_not_in_both_builds(tmp_path, monkeypatch, old):
    """What lies on the stack differs from process to process. A compiler that cannot fill it is left to do without."""
    if old:
        monkeypatch.setattr(build, "_NEWER", {"cover": [], "asan": ["-ftrivial-auto-var-init=unknown"]})
    text = GOOD.replace("return", "volatile int unset;\n    return unset + 0 *", 1)
    program = build_text(house(), tmp_path, text)
    told = [process.run([path], limits=limits, cwd=program.work, launch=house().launch).stdout
            for path, limits in ((program.cover, process.COVER), (program.cover, process.COVER),
                                 (program.asan, process.ASAN))]
    assert old or told[0] == told[1] != told[2]


def test_file_and_debug_information_name_the_bare_file(tmp_path):
    text = GOOD.replace("return 2 * x", 'extern int puts(const char *); puts(__FILE__); return 2 * x')
    program = build_text(house(), tmp_path, text)
    assert "toy.c\n" in process.run([program.cover], cwd=program.work, launch=house().launch).stdout
    for path in (program.cover, program.asan):
        # But for the counts' file, which the program must find again.
        lines = os.popen(f"readelf --debug-dump=info,decodedline {path}").read()
        assert "toy.c" in lines and str(tmp_path) not in lines and str(house().root) not in lines


def test_lines_of_the_source(tmp_path):
    program = build_text(house(), tmp_path, GOOD.replace("\n", "\r\n"))
    assert program.line("toy.c:7") == "total += numbers[i];"
    assert [program.line(src) for src in ("toy.c:0", "toy.c:999", "main.c:3", "toy.c", "toy.c:x", None)] == [""] * 6


def test_warnings_are_advice(tmp_path):
    program = build_text(house(), tmp_path, GOOD + "static int spare(int x) { int unused; return x; "
                                                   "}\nint more(void) { int y; return y; }\n")
    assert [(advice.src, advice.text) for advice in program.advice] == [
        ("toy.c:15", "'spare' defined but not used"), ("toy.c:15", "unused variable 'unused'"),
        ("toy.c:16", "'y' is used uninitialized")]


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    assert build_text(house(), tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()).advice == ()


def test_other_files_of_the_folder_do_not_count(tmp_path):
    """A changed header, or a main.c of the student's own, is not what is graded."""
    hand_in = tmp_path / "in"
    hand_in.mkdir()
    (hand_in / "toy.c").write_text(GOOD)
    (hand_in / "toy.h").write_text("#error the student's own header\n")
    (hand_in / "main.c").write_text("#error\n")
    assert build.build(house(), hand_in, tmp_path / "work").cover.is_file()


# ---- Files that are none ---------------------------------------------------------------------------

def test_missing(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Ungradable, match="^toy.c is missing: the folder that is graded must hold it$"):
            build.build(house(), folder, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_not_a_regular_file(tmp_path):
    def verdict() -> str:
        with pytest.raises(Ungradable) as caught:
            build.build(house(), tmp_path, tmp_path / "work")
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        return str(caught.value)

    path = tmp_path / "toy.c"
    path.mkdir()
    assert verdict() == "toy.c is a folder, not a file"
    os.mkfifo(path)
    assert verdict() == "toy.c is not a regular file"
    with socket.socket(socket.AF_UNIX) as server:
        old = os.getcwd()
        os.chdir(tmp_path)          # a socket's path must be short
        server.bind("toy.c")
        os.chdir(old)
        assert verdict() == "toy.c is not a regular file"
    path.symlink_to("toy.c")
    assert verdict() == "toy.c cannot be read: Too many levels of symbolic links"
    path.symlink_to("gone.c")
    assert verdict() == "toy.c is missing: the folder that is graded must hold it"
    for elsewhere in (house().folder / "toy.c", "/dev/zero", "/etc/passwd"):
        path.symlink_to(elsewhere)
        assert verdict() == "toy.c is a link to a file elsewhere: hand in the file itself"


def test_link_within_the_folder(tmp_path):
    hand_in = tmp_path / "in"
    hand_in.mkdir()
    (hand_in / "version2.c").write_text(GOOD)
    (hand_in / "toy.c").symlink_to("version2.c")
    assert build.build(house(), hand_in, tmp_path / "work").source.read_text() == GOOD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    (tmp_path / "toy.c").write_text(GOOD)
    (tmp_path / "toy.c").chmod(0)
    with pytest.raises(Ungradable, match="^toy.c cannot be read: Permission denied$"):
        build.build(house(), tmp_path, tmp_path / "work")


@pytest.mark.parametrize("text, message, src", [
    ("", "toy.c is empty", "toy.c"),
    (" \n\t\r\n", "toy.c is empty", "toy.c"),
    ("/* TODO */\n// int x;\n/* open", "toy.c holds nothing but comments", "toy.c"),
    (b"int x;\n\0", "toy.c:2: a NUL byte: this is not a plain text file (save it as UTF-8)", "toy.c:2"),
    (GOOD.encode("utf-16"), "toy.c:1: a NUL byte: this is not a plain text file (save it as UTF-8)", "toy.c:1"),
    ("//" + "x" * (1 << 20), "toy.c is larger than 1 MiB", "toy.c"),
], ids=["empty", "blanks", "comments", "NUL", "utf-16", "large"])
def test_no_program_text(tmp_path, text, message, src):
    assert refused(tmp_path, text) == (message, src)


# ---- Files that do not compile ---------------------------------------------------------------------

@pytest.mark.parametrize("text, message", [
    (GOOD.replace("return total;", "return total"), "toy.c:8: expected ';' before '}' token"),
    (GOOD.replace("int total = 0;", "int total = 0; int total = 1;"),
     "toy.c:5: redefinition of 'total' (the first one: toy.c:5)"),
    (GOOD.replace("numbers[i]", "number[i]"),
     "toy.c:7: 'number' undeclared (first use in this function); did you mean 'numbers'?"),
    (GOOD.replace("2 * x", "dubble(x)"), "toy.c:13: implicit declaration of function 'dubble'"),
    (GOOD + "int more(void) { }\n", "toy.c:15: control reaches end of non-void function"),
    (GOOD + "int f(int *p) { return p; }\n", "toy.c:15: returning 'int *' from a function with return type 'int' makes "
                                             "integer from pointer without a cast"),
    (GOOD + "int twice(int x) { return x + x; }\n", "toy.c:15: redefinition of 'twice' (the first one: toy.c:11)"),
    (GOOD.replace("int twice(int x)", "int twice(long x)"), "toy.c:11: twice is not what toy.h declares: "
                                                            "int twice(int x)"),
    (GOOD.replace("(const int *numbers", "(int *numbers"),
     "toy.c:3: sum is not what toy.h declares: int sum(const int *numbers, size_t n)"),
    (GOOD.replace("int sum(", "static int sum("), "toy.c:3: sum must not be static: toy.h declares it for others to "
                                                  "call"),
    (GOOD.replace("int twice(int x)", "int twice(int x, int y)").replace('#include "toy.h"', ""),
     "toy.c:11: twice is not what toy.h declares: int twice(int x)"),
    ("int f(int);\nlong f(int x) { return x; }\n" + GOOD, "toy.c:2: f is declared in two different ways, "
                                                          "the other one at toy.c:1"),
    (GOOD + '#error "/home/me/secret/place.c"\n', 'toy.c:15: #error "place.c"'),
    (GOOD + '__asm__("nonsense");\n', "an asm statement in toy.c is wrong: no such instruction: `nonsense'"),
    ("\x1b[2J" + GOOD, r"toy.c:1: stray '\33' in program"),
    ("#define size_t }\n#include <stdlib.h>\n" + GOOD, "toy.c:1: expected identifier or '(' before '}' token"),
    ("int a = 1\n#include <unistd.h>\n" + GOOD, "toy.c:2: expected ',' or ';' before 'typedef'"),
])
def test_first_error_only(tmp_path, text, message):
    assert refused(tmp_path, text)[0] == message


# ---- Files that do not link ------------------------------------------------------------------------

@pytest.mark.parametrize("text, message, src", [
    (GOOD.replace("int twice(", "int thrice("), "toy.c does not define twice, which toy.h declares", "toy.c"),
    ("int other;\n", "toy.c does not define twice and sum, which toy.h declares", "toy.c"),
    (GOOD + "int dubble(int);\nint more(void) { return dubble(1); }\n",
     "toy.c:16: calls dubble, which is defined nowhere", "toy.c:16"),
    (GOOD + "\nint main(void)\n{\n    return 0;\n}\n", "toy.c:17: main is the kit's, in main.c: take your own main out "
                                                       "of the file", "toy.c:17"),
    (GOOD + "int toy_hello(void) { return 1; }\n", "toy.c:15: toy_hello exists already in the kit: "
                                                   "give yours another name, or make it static", "toy.c:15"),
    (GOOD + "char space[1L << 40];\n", "toy.c has more static data than a program can hold", "toy.c"),
])
def test_linker_in_words(tmp_path, text, message, src):
    assert refused(tmp_path, text) == (message, src)


# ---- Files that include what they must not ---------------------------------------------------------

OWN = "only toy.c is handed in, so it must not need other files of yours"


def test_own_header(tmp_path):
    assert refused(tmp_path, '#include "toy.h"\n#include "helper.h"\n' + GOOD) == (
        f"toy.c:2: there is no file helper.h to include: {OWN}", "toy.c:2")


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "{root}/labs/01-toy/toy.c",
                                  "../../../../../../../../{root}/labs/01-toy/toy.c",
                                  "{root}/labs/01-toy/main.c"])
def test_foreign_file(tmp_path, path):
    """Neither a solution nor a file of the machine gets into a program or a message."""
    path = path.format(root=house().root)
    message, src = refused(tmp_path, f'\n#include "{path}"\n')
    assert message == f"toy.c:2: includes {Path(path).name}, which is no part of the lab: {OWN}"


def test_system_and_kit_headers_are_fine(tmp_path):
    text = '#include <jansson.h>\n#include <math.h>\n#include "toykit.h"\n#include <sys/socket.h>\n' + GOOD
    assert build_text(house(), tmp_path, text).cover.is_file()


# ---- Files that fight the compiler -----------------------------------------------------------------

TOO_MUCH = "toy.c is too much for the compiler: it used up its time or memory"


@pytest.mark.parametrize("text", [
    '#include "/dev/zero"\n',
    "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(x)))\n#define C(x) B(B(B(x)))\nint f(int i) { C(i++;) return "
    "i; }\n" + GOOD,
    "int f(int x) {" * 70000,
], ids=["endless file", "macro bomb", "deep nesting"])
def test_compiler_is_limited(tmp_path, monkeypatch, text):
    monkeypatch.setattr(build, "LIMITS", replace(build.LIMITS, cpu_s=2))
    assert refused(tmp_path, text)[0] == TOO_MUCH


# ---- Faults that are not the student's -------------------------------------------------------------

def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(BuildError, match="^there is no compiler 'no-such-cc' on this machine: run `make deps`$"):
        build_text(house(), tmp_path, GOOD)


def test_compiler_with_arguments(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "env gcc")
    assert build_text(house(), tmp_path, GOOD).cover.is_file()


@pytest.mark.skipif(shutil.which("clang") is None, reason="needs clang: make deps-dev")
def test_clang(tmp_path, monkeypatch):
    """What matters most reads the same from the other compiler."""
    monkeypatch.setenv("CC", "clang")
    program = build_text(house(), tmp_path / "good", GOOD)
    for path, limits in ((program.cover, process.COVER), (program.asan, process.ASAN)):
        assert process.run([path], limits=limits, cwd=program.work, launch=house().launch).stdout == "10 2\n"
    for number, (text, message) in enumerate([
        (GOOD.replace("int twice(int x)", "int twice(long x)"), "toy.c:11: twice is not what toy.h declares: "
                                                                "int twice(int x)"),
        (GOOD.replace("int twice(", "int thrice("), "toy.c does not define twice, which toy.h declares"),
        ('#include "helper.h"\n', f"toy.c:1: there is no file helper.h to include: {OWN}"),
        (GOOD + '__asm__("nonsense");', "an asm statement in toy.c is wrong: invalid instruction mnemonic 'nonsense'"),
        (GOOD + "int main(void) { return 0; }", "toy.c:15: main is the kit's, in main.c: take your own main out of the "
                                                "file"),
    ]):
        assert refused(tmp_path / str(number), text)[0] == message


def test_kit_not_built(tmp_path):
    toy = make_house(tmp_path / "house")
    toy.library(asan=True).unlink()
    with pytest.raises(BuildError, match="^build/kit/libco-asan.a is missing: run `make grade`, which builds it$"):
        build_text(toy, tmp_path / "in", GOOD)


def test_kit_not_whole(tmp_path):
    toy = make_house(tmp_path / "house")
    for asan in (False, True):
        toy.library(asan).write_bytes(b"!<arch>\n")
    with pytest.raises(BuildError, match="^the kit is not whole: nothing defines toy_hello$"):
        build_text(toy, tmp_path / "in", GOOD)


@pytest.mark.parametrize("more, message", [
    ('__asm__(".data\\n.quad no_such_thing\\n.text");', "toy.c uses no_such_thing, which is defined nowhere"),
    ("extern __thread int environ; int here(void) { return environ; }",
     "toy.c cannot be built: ld: environ: TLS reference in cover.o mismatches non-TLS definition in"),
    ('__asm__(".abort");', "an asm statement in toy.c is wrong: .abort detected")],
    ids=["a name", "thread", "abort"])
def test_what_fails_only_with_this_file_is_the_files_fault(tmp_path, more, message):
    """Whatever the linker or the assembler says of it."""
    assert refused(tmp_path, GOOD + more)[0].startswith(message)


# ---- The labs --------------------------------------------------------------------------------------

def test_names_of_a_lab():
    root = house().root
    assert {lab.resolve(word, root) for word in ("1", "01", "01-toy")} == {house()}
    for word in ("2", "toy", "", "01-", "-1", "¹", "1.0"):
        with pytest.raises(lab.LabError, match="^there is no lab .*; the labs are: 01-toy$"):
            lab.resolve(word, root)
    with pytest.raises(lab.LabError, match="the labs are: none yet"):
        lab.resolve("1", root / "sim")


def test_folder_of_a_lab(tmp_path):
    folder = tmp_path / "labs" / "02-new-lab"
    folder.mkdir(parents=True)
    (tmp_path / "labs" / "notes").mkdir()
    (tmp_path / "labs" / "README.md").write_text("")
    with pytest.raises(lab.LabError, match="^labs/02-new-lab must hold exactly one C file besides main.c, "
                                           "but it holds none$"):
        lab.find_labs(tmp_path)
    (folder / "main.c").write_text("")
    (folder / "toy.c").write_text("")
    with pytest.raises(lab.LabError, match="^labs/02-new-lab holds toy.c, but not its contract toy.h$"):
        lab.find_labs(tmp_path)
    (folder / "toy.h").write_text(HEADER)
    found, = lab.find_labs(tmp_path)
    assert (found.slug, found.number, found.source, found.header) == ("02-new-lab", "02", "toy.c", "toy.h")
    (folder / "extra.c").write_text("")
    with pytest.raises(lab.LabError, match="but it holds extra.c, toy.c$"):
        lab.find_labs(tmp_path)
