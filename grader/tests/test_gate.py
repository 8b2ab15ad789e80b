"""What a student's file shares with the rest of the program, by name: what the contract asks for."""

from __future__ import annotations

import subprocess

import pytest
from grading import OURS, complete_labs, grade, only_file
from looplab.running import gate, process
from looplab.running.build import Ungradable
from toyhouse import GOOD, build_text, house

LABS, _ = complete_labs()

CONTRACTS = {
    "01-sync-vs-async": {"fetch_sync", "fetch_async", "compare", "explain"},
    "02-url-fetcher": {"fetch_url", "fetch_all", "fetch_progress"},
    "03-scraper": {"scrape_page", "scrape_all"},
    "04-worker-queue": {"pool_open", "pool_add", "pool_run", "pool_stop", "pool_take_back", "pool_close",
                        "pool_handler"},
    "05-data-pipeline": {"pipeline", "transform_order", "write_whole", "log_error"},
    "06-testing": {"scrape_page", "scrape_all"},
}


@pytest.mark.parametrize("lab", [lab for lab in LABS if lab.slug in OURS], ids=lambda lab: lab.slug)
def test_the_contract_is_what_the_header_declares(lab):
    assert gate.contract(lab) == CONTRACTS[lab.slug]


def test_the_kits_own_names_are_those_of_its_headers():
    names = gate.of_the_kit(LABS[0])
    assert {"co_sleep", "co_http_get", "co_queue_put", "kit_report", "kit_main", "co_test_add", "main"} <= names
    assert not names & {"malloc", "free", "abort", "printf", "write", "memcpy", "timer_arm", "if", "while", "return"}


def seen(program) -> set[str]:
    """The names of the student's file that others can see."""
    told = subprocess.run(["nm", "-g", "--defined-only", program.work / "cover.o"], capture_output=True, text=True,
                          check=True)
    return {line.split()[-1] for line in told.stdout.splitlines()}


def test_other_names_stay_the_students_own(tmp_path):
    """A function called write is nobody's but the student's; the kit's printf calls the real one."""
    program = build_text(house(), tmp_path, "long write(int fd, const void *data, unsigned long size);\n" +
                         GOOD.replace("return 2 * x;", "return (int)write(2, 0, (size_t)x) * x;") +
                         "long write(int fd, const void *data, unsigned long size) { return fd; }\n"
                         "int toy_internal = 3;\nvoid exit(int code) { for (;;) ; }\n")
    assert seen(program) == {"sum", "twice"}
    for path, limits in ((program.cover, process.COVER), (program.asan, process.ASAN)):
        outcome = process.run([path], limits=limits, cwd=program.work, launch=house().launch)
        assert (outcome.exit, outcome.stdout) == (0, "10 2\n")


def test_a_name_of_the_kit_is_refused(tmp_path):
    with pytest.raises(Ungradable, match="^toy.c:15: toy_hello exists already in the kit"):
        build_text(house(), tmp_path, GOOD + "int toy_hello(void) { return 1; }\n")


@pytest.mark.parametrize("more, early", [
    ("", False),
    ("__attribute__((constructor)) static void f(void) { }", False),
    ("__attribute__((constructor(101))) static void f(void) { }", False),
    ("_Pragma(\"GCC diagnostic ignored \\\"-Wprio-ctor-dtor\\\"\")\n"
     "__attribute__((constructor(0))) static void f(void) { }", True),
    ("static void f(void) { }\n"
     "__attribute__((section(\".preinit_array\"), used)) static void (*const at)(void) = f;", True),
    ("static int f(void) { return 1; }\nstatic void *choose(void) { return f; }\n"
     "int g(void) __attribute__((ifunc(\"choose\")));", True),
    *[(f"static void f(void) {{ }}\n"
       f"__attribute__((section(\"{name}\"), used)) static void (*const at)(void) = f;", True)
      for name in (".init_array.0", ".init_array.000000", ".ctors.65535")],
    ("__asm__(\".pushsection .init,\\\"ax\\\",@progbits\\nnop\\n.popsection\");", True),
], ids=["none", "constructor", "later", "first", "before all", "chosen when loaded", "one digit", "six digits",
        "counted down", "in front of all"])
def test_who_begins_before_the_kit(tmp_path, more, early):
    assert build_text(house(), tmp_path, GOOD + more + "\n").early == early


NAMES = ("write", "read", "close", "send", "fork", "kill", "printf", "json_dumps", "timer_arm", "url_length")


@pytest.mark.parametrize("lab", LABS[:1], ids=lambda lab: lab.slug)
def test_helpers_may_have_any_name(lab, tmp_path):
    """The reference scores the same with helpers that are called as functions of the system and of the kit's inside."""
    own = "".join(f"\n#undef {name}\nint own_{name}(int n) __asm__(\"{name}\");\n"
                  f"int own_{name}(int n) {{ return n + {n}; }}\n" for n, name in enumerate(NAMES))
    calls = " + ".join(f"own_{name}(1)" for name in NAMES)
    text = (lab.solution / lab.source).read_text() + own + f"int all_of_them(void) {{ return {calls}; }}\n" \
        "__attribute__((constructor)) static void try_them(void) { volatile int n = all_of_them(); (void)n; }\n"
    source = tmp_path / "renamed.c"
    source.write_text(text)
    graded = grade(lab, only_file(lab, source, tmp_path / "from"), tmp_path / "out")
    assert graded.score == 100, graded.lost()
