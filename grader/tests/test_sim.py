"""Runs the C tests of sim/tests, each program in each variant of the kit that `make test` has built.

A variant that could not be built here is skipped by name, with what it lacks. Each time all of them run plain, with
ASan and UBSan, and with ucontext; under TSan those of the Makefile's tsan_tests, where there are threads. With ALL=1
each runs in every build, for aarch64 too, and the plain ones under valgrind. The longest are long in the plain build
alone unless ALL=1 says so: see SHORT.
"""

from __future__ import annotations

import json
import os
import subprocess
from fnmatch import fnmatch

import pytest

from variants import ALL, BUILD, ROOT, VARIANTS, command, makefile, require

TESTS = sorted(path.stem for path in (ROOT / "sim" / "tests").glob("test_*.c"))


USUAL = ["plain", "asan", "ucontext", "tsan"]
PAIRS = [(variant, name) for variant in ([*VARIANTS, "valgrind"] if ALL else USUAL) for name in TESTS
         if ALL or name in (makefile(f"{variant}_tests") or TESTS)]
SHORT = {"LOOPLAB_SHORT": "1", "NO_MEMORY_STEP": "11"}
"""A tenth of the tasks, every eleventh allocation: so run test_scale.c and test_no_memory.c, but for every third
allocation in the plain build."""

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite"]


def words_of(variant: str, name: str) -> list[str]:
    """How to run a test program in a variant; valgrind runs those of the plain one."""
    if variant != "valgrind":
        return command(variant, BUILD / "tests" / variant / name)
    require("valgrind")
    return [*VALGRIND, *command("plain", BUILD / "tests" / "plain" / name)]


@pytest.mark.parametrize("variant, name", PAIRS)
def test_c(variant, name):
    shorter = {} if ALL else SHORT if variant != "plain" else {**SHORT, "NO_MEMORY_STEP": "3"}
    run = subprocess.run(words_of(variant, name), cwd=ROOT, stdin=subprocess.DEVNULL, env={**os.environ, **shorter},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    output = run.stdout.decode(errors="replace")
    if run.returncode == 0:
        return
    telling = [line for line in output.splitlines() if not line.startswith(("[ RUN", "[       OK", "[=", "[  PASSED"))]
    pytest.fail(f"{name} ({variant}) ended with {run.returncode}:\n" + "\n".join(telling[-60:]), pytrace=False)


def test_what_a_variant_shares_does_not_know_the_variant():
    """ucontext takes the plain build's objects of all that its -DCO_UCONTEXT does not change."""
    knows = {str(path.relative_to(ROOT)) for path in (ROOT / "sim").rglob("*.[chS]")
             if "CO_UCONTEXT" in path.read_text()}
    own = [pattern.replace("%", "*") for pattern in makefile("ucontext_own")]
    assert own and {file for file in knows if not any(fnmatch(file, pattern) for pattern in own)} == set()


@pytest.mark.parametrize("variant", ["plain", "asan"])
def test_gcc_has_no_warning(variant):
    """In the builds where a warning must not keep a student from grading, what was said is kept beside each object."""
    objects = BUILD / "obj" / variant
    said = {source: objects / f"{source.relative_to(ROOT)}.o.said" for folder in ["runtime", "trace", "explore", "kit",
                                                                               "world/virtual"]
            for source in (ROOT / "sim" / folder).rglob("*.c") if "explore/search" not in str(source)}
    assert len(said) > 80
    assert [file.read_text() for file in said.values() if file.read_text()] == []


def commands() -> list[tuple[str, list[str]]]:
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    return [(entry["file"], entry["command"].split()) for entry in entries]


def test_editors_are_told_how_each_file_is_compiled():
    files = {file for file, _ in commands()}
    sources = {str(path.relative_to(ROOT)) for folder in ["sim", "labs", "solutions"]
               for path in (ROOT / folder).rglob("*.c")}
    of_others = {name for name in sources if name.startswith("sim/bench/peers/")}
    assert sources - files - of_others == set()


def test_clang_has_no_warning():
    """What clang does not compile with -Werror anyhow: its own build of the kit, and test_examples.py the examples. The
    tests themselves with ALL=1 only."""
    require("clang")
    messages = []
    assert (BUILD / "kit/libco-clang.a").exists()
    for file, words in commands():
        if (BUILD / "obj/clang" / f"{file}.o").exists() or file.startswith("sim/examples/") \
                or (not ALL and file.startswith(("sim/tests/", "labs/00-", "solutions/00-"))):
            continue
        run = subprocess.run(["clang", *words[1:], "-fsyntax-only", "-Werror"], cwd=ROOT, text=True,
                             capture_output=True)
        messages += [run.stderr] if run.returncode else []
    assert messages == []
