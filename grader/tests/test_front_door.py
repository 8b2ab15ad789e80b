"""The front door: the Makefile's words and exit codes, and what it says when something is missing or wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from looplab.course import git

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs make as a user would, whatever make this test itself runs under."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *words, *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT,
                          env=env, text=True, capture_output=True, timeout=600)


def targets() -> list[str]:
    return [line.split()[0] for line in make().stdout.splitlines() if line.startswith("  ")]


def assert_one_line(run: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """The run ended with this code after one line on stderr that holds the parts."""
    assert run.returncode == code, run.stdout + run.stderr
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    for part in parts:
        assert part in lines[0]


# ---- Words and exit codes ----


def test_make_alone_lists_the_targets_one_line_each():
    run = make()
    assert run.returncode == 0
    assert targets() == ["grade", "demo", "run", "explore", "serve", "compare", "report", "watch", "hint", "warmups",
                         "progress", "start", "handout", "class", "course", "similar", "convert", "autograder",
                         "new-lab", "check-lab", "test", "bench", "slides", "page", "doctor", "deps", "deps-dev",
                         "clean"]
    assert all(len(line) <= 120 for line in run.stdout.splitlines())


@pytest.mark.parametrize("words", [(), ("-s",), ("-j2",), ("-s", "-j4", "--output-sync"), ("-k",)], ids=" ".join)
@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_grade_exits_with_the_graders_own_code(code, words):
    run = make(*words, "grade", looplab=f"sh -c 'exit {64 + code}' --")
    assert run.returncode == code
    assert "***" not in run.stdout + run.stderr
    left = [file for file in (ROOT / "build").glob("exit.*") if not Path(f"/proc/{file.suffix[1:]}").exists()]
    assert left == []       # (another test's make, still at work, may have one)


@pytest.mark.parametrize("code", [0, 1, 2, 120, 127, 134, 137])
def test_what_python_itself_exits_with_is_no_grade(code):
    run = make("grade", looplab=f"sh -c 'exit {code}' --")
    assert_one_line(run, 3, f"Python failed by itself (exit code {code})", "make clean")


def test_the_goal_after_a_full_grade_is_still_made():
    run = make("grade", "deps", looplab="sh -c 'exit 64' --")
    assert run.returncode == 0
    assert "deps: all there" in run.stdout


@pytest.mark.parametrize("target", ["grade", "run"])
def test_an_unknown_lab_lists_the_labs(target):
    assert_one_line(make(target, LAB="99"), 2, "99", LAB)


@pytest.mark.parametrize("target", ["grade", "run"])
def test_a_seed_that_is_no_number(target):
    assert_one_line(make(target, LAB="01", FROM="solutions", SEED="abc", OUT="build/tests/out"), 2, "abc")


@pytest.mark.parametrize("target", ["grade", "run"])
def test_a_folder_that_does_not_exist(target):
    assert_one_line(make(target, LAB="01", FROM="no/such/folder", OUT="build/tests/out"), 2, "no/such/folder")


def test_run_needs_a_lab():
    assert_one_line(make("run"), 2, LAB)


@pytest.mark.parametrize("word", ["1", "01", LAB])
def test_a_labs_names_mean_the_same(word):
    run = make("run", LAB=word, FROM="solutions", MODE="async")
    assert run.returncode == 0, run.stderr
    assert run.stdout == make("run", LAB=LAB, FROM="solutions", MODE="async").stdout


PROBE = """#include <stdio.h>
#include "co.h"
static int probe(void *job)
{
    unsigned modes;
    __asm__ volatile("stmxcsr %0" : "=m"(modes));
    fprintf(stderr, "rounding %x\\n", modes & 0x6000);
    return job != NULL;
}
static void round_down_beside(void)
{
    const unsigned down = 0x3f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(down));
    CO_GROUP(group);
    co_spawn(&group, probe, NULL);
    (void)!co_join(&group);
    probe(NULL);
}
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="in x86-64's assembly")
def test_what_run_builds_keeps_each_tasks_floating_point_modes_however_they_are_set(tmp_path):
    text = (ROOT / "solutions" / LAB / "compare.c").read_text()
    (tmp_path / "compare.c").write_text(
        PROBE + re.sub(r"(\nint fetch_async\([^{]*\{\n)", r"\1    round_down_beside();\n", text))
    run = make("run", LAB="01", FROM=str(tmp_path), MODE="async")
    assert (run.returncode, run.stderr) == (0, "rounding 0\nrounding 2000\n")


def test_run_hands_on_settings():
    run = make("run", LAB="01", FROM="solutions", MODE="explain", SET="workers=5  limit=2s")
    assert run.returncode == 2
    assert run.stderr.startswith(f"{LAB}: explain has no setting 'workers'; it has: n, ")
    assert_one_line(make("run", LAB="01", FROM="solutions", SET="workers=*"), 2, "--set workers=*: expected NAME=VALUE")


def test_run_takes_a_folder_with_blanks_and_shows_the_compilers_message(tmp_path):
    folder = tmp_path / "my files"
    folder.mkdir()
    (folder / "compare.c").write_text('#include "compare.h"\nint fetch_sync(void) { return 0; }\n')
    run = make("run", LAB="01", FROM=str(folder))
    assert run.returncode == 2
    assert "compare.c:2:5: error: conflicting types" in run.stderr
    assert "does not compile" in run.stderr.splitlines()[-1]


# ---- What must be installed ----


def test_deps_with_nothing_missing_touches_nothing():
    stamp = ROOT / "build" / "deps.mk"
    make("deps")
    before = stamp.stat()
    run = make("deps")
    assert (run.returncode, run.stdout, run.stderr) == (0, "deps: all there\n", "")
    assert stamp.stat().st_mtime_ns == before.st_mtime_ns


def test_doctor_names_what_a_student_needs():
    run = make("doctor")
    assert run.returncode == 0, run.stdout
    for tool in ["cc", "make", "python3", "pytest", "jansson", "cmocka", "gcovr"]:
        assert re.search(rf"^  {tool} +\S", run.stdout, re.MULTILINE)


# ---- The compiler ----


@pytest.fixture
def words_of_cc(tmp_path) -> tuple[str, Path]:
    """A compiler whose name has a blank and a quote, with a flag behind it, and where it notes how it was called."""
    wrapper, noted = tmp_path / "it's my gcc", tmp_path / "noted"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {noted}\nexec gcc "$@"\n')
    wrapper.chmod(0o755)
    return f'"{wrapper}" -pipe', noted


def test_make_builds_with_a_compiler_of_several_words(words_of_cc, tmp_path):
    cc, noted = words_of_cc
    house = tmp_path / "house"
    for folder in ("grader/scripts", "grader/launcher", "sim/kit", "sim/runtime/outside"):
        shutil.copytree(ROOT / folder, house / folder)
    (house / "build").mkdir()
    shutil.copy(ROOT / "Makefile", house)
    shutil.copy(ROOT / "build/deps.mk", house / "build")
    for output in ("", "make: 'build/kit/launch' is up to date.\n"):      # what CC was is remembered, quotes and all
        run = subprocess.run(["make", "build/kit/launch", f"CC={cc}"], cwd=house, text=True, capture_output=True,
                             env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})
        assert (run.returncode, run.stderr) == (0, "") and run.stdout.endswith(output)
    assert (house / "build/kit/launch").exists()
    assert any("launch.c" in line and "-pipe" in line for line in noted.read_text().splitlines())


def test_run_and_deps_take_a_compiler_of_several_words(words_of_cc):
    cc, noted = words_of_cc
    env = {**os.environ, "CC": cc, "LAB": "01", "FROM": "solutions", "MODE": "async"}
    run = subprocess.run(["sh", "grader/scripts/run.sh"], cwd=ROOT, env=env, text=True, capture_output=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "-pipe" in noted.read_text()
    noted.write_text("")
    found = noted.with_name("found.mk")
    deps = subprocess.run(["sh", "grader/scripts/deps.sh", "install", found], cwd=ROOT, env=env, text=True,
                          capture_output=True)
    assert (deps.returncode, deps.stderr) == (0, "") and "looplab_deps := ok" in found.read_text()
    assert "-pipe" in noted.read_text()


# ---- The house ----


def repository_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, env=git.environment())
    if listed.returncode:
        pytest.skip("not a git clone: which files belong to the project is not known")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_nothing_else_stands_at_the_top():
    known = {"labs", "solutions", "sim", "grader", "slides", "findings", "Makefile", "README.md", "LICENSE"}
    top = {name.split("/")[0] for name in repository_files()}
    assert {name for name in top if not name.startswith(".")} <= known


def machine_paths() -> re.Pattern[bytes]:
    places = {str(ROOT), str(Path.home())} - {"/"}
    return re.compile(rb"(?<![\w./-])(" + b"|".join(re.escape(place.encode()) for place in places) + rb")(?=/)")


def test_no_file_carries_a_path_of_this_machine():
    pattern = machine_paths()
    assert [name for name in repository_files() if pattern.search((ROOT / name).read_bytes())] == []


def test_no_object_of_the_kit_carries_a_path_of_this_machine():
    here = str(ROOT).encode() + b"/"
    built = [path for path in (ROOT / "build" / "kit").rglob("*") if path.suffix in {".a", ".o"}]
    assert built
    assert [path.name for path in built if here in path.read_bytes()] == []


@pytest.mark.parametrize("page, some", [
    ("README.md", {"demo", "test", "grade"}), ("grader/TEACHING.md", {"grade", "class", "course", "similar"}),
    ("labs/AUTHORING.md", {"new-lab", "check-lab", "grade", "class"})])
def test_every_make_command_of_a_page_exists(page, some):
    text = (ROOT / page).read_text()
    said = set(re.findall(r"(?:^ +|`)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert some <= said
    assert said <= set(targets())


def test_the_teachers_part_of_the_readme_is_short():
    """Hand out, collect, grade, hand back, look: a screen, and the rest is a page that it links."""
    part = (ROOT / "README.md").read_text().split("\n## For teachers\n")[1].split("\n## ")[0]
    assert re.findall(r"^\d\. \*\*([^*]+)\.\*\*", part, re.MULTILINE) == ["Hand out", "Collect", "Grade", "Hand back",
                                                                          "Look"]
    assert part.count("\n") < 40 and "](grader/TEACHING.md)" in part


def test_every_folder_on_the_readmes_map_exists():
    text = "".join((ROOT / page).read_text() for page in ("README.md", "grader/TEACHING.md"))
    named = set(re.findall(r"`((?:labs|sim|grader|solutions|slides)/[\w./-]*)`", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_blocking_call_is_caught_at_link_time():
    wrapped = set(re.findall(r"--wrap=(\w+)", (ROOT / "sim/kit/link.flags").read_text()))
    symbols = subprocess.run(["nm", str(ROOT / "build/kit/libco.a")], capture_output=True, text=True).stdout
    defined = set(re.findall(r" T __wrap_(\w+)", symbols))
    assert wrapped == defined
