"""Runs the C tests of sim/tests, each program in each variant of the kit that `make test` has built.

A variant that could not be built here is skipped by name, with what it lacks.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from variants import BUILD, ROOT, VARIANTS, command, require

TESTS = sorted(path.stem for path in (ROOT / "sim" / "tests").glob("test_*.c"))


USUAL = ["plain", "asan", "ucontext", "tsan", "aarch64"]
ALL = [*VARIANTS, "valgrind"]
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite"]


def words_of(variant: str, name: str) -> list[str]:
    """How to run a test program in a variant; valgrind runs those of the plain one."""
    if variant != "valgrind":
        return command(variant, BUILD / "tests" / variant / name)
    require("valgrind")
    return [*VALGRIND, *command("plain", BUILD / "tests" / "plain" / name)]


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("variant", ALL if os.environ.get("LOOPLAB_ALL") else USUAL)
def test_c(variant, name):
    run = subprocess.run(words_of(variant, name), cwd=ROOT, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    output = run.stdout.decode(errors="replace")
    if run.returncode == 0:
        return
    telling = [line for line in output.splitlines() if not line.startswith(("[ RUN", "[       OK", "[=", "[  PASSED"))]
    pytest.fail(f"{name} ({variant}) ended with {run.returncode}:\n" + "\n".join(telling[-60:]), pytrace=False)


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
    require("clang")
    messages = []
    for file, words in commands():
        run = subprocess.run(["clang", *words[1:], "-fsyntax-only", "-Werror"], cwd=ROOT, text=True,
                             capture_output=True)
        messages += [run.stderr] if run.returncode else []
    assert messages == []
