"""Folders with any name: a student's, where the results go, a new copy of the labs, and the clone's own.

One name holds all that has a meaning to the shell, to make, to the compiler, to Python's search path or to a pattern,
and a byte that is not UTF-8.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"
NAME = os.fsdecode(b"it's col:on dol$x $(x) back\\x q\"x br[x] #1 50% a=b *? ~ ;& \xff\xc3")


def make(*words: str, top: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *words], cwd=top, env={**env, "PWD": str(top), **variables}, text=True,
                          errors="surrogateescape", capture_output=True, timeout=300)


def full_marks(run: subprocess.CompletedProcess[str], out: Path) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    results = json.loads((out / LAB / "results.json").read_text())
    assert results["score"] == results["max_score"] == 100


@pytest.fixture
def student(tmp_path: Path) -> Path:
    folder = tmp_path / NAME
    folder.mkdir()
    shutil.copy(ROOT / "solutions" / LAB / "compare.c", folder)
    return folder


def test_a_students_folder_and_the_results_folder(student, tmp_path):
    out = tmp_path / f"out {NAME}"
    full_marks(make("grade", LAB="01", FROM=str(student), OUT=str(out)), out)


def test_a_students_folder_runs_and_is_drawn(student, tmp_path):
    run = make("run", LAB="01", FROM=str(student), MODE="async", TRACE=str(student / "trace"))
    assert run.returncode == 0 and run.stderr == "", run.stdout + run.stderr
    assert run.stdout == make("run", LAB="01", FROM="solutions", MODE="async").stdout
    assert (student / "trace").stat().st_size > 0
    drawn = make("report", LAB="01", FROM=str(student), MODE="async", OUT=str(student / "page.html"))
    assert drawn.returncode == 0 and drawn.stderr == "", drawn.stdout + drawn.stderr
    assert (student / "page.html").stat().st_size > 0


def test_what_is_wrong_in_such_a_folder_is_told_in_one_line(tmp_path):
    (tmp_path / NAME).mkdir()
    for goal in ("grade", "run"):
        run = make(goal, LAB="01", FROM=str(tmp_path / NAME), OUT=str(tmp_path / "out"))
        assert run.returncode == 2 and "Traceback" not in run.stderr
        assert len((run.stdout + run.stderr).splitlines()) < 10


def test_a_copy_of_the_labs_in_such_a_folder(tmp_path):
    run = make("start", NAME=str(tmp_path / NAME))
    assert run.returncode == 0 and run.stderr == "", run.stdout + run.stderr
    assert (tmp_path / NAME / "labs" / LAB / "compare.c").is_file()


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """This house with what grading lab 01 needs built, in a folder of that name."""
    top = tmp_path_factory.mktemp("clone") / NAME
    for folder in ("labs", "sim", "grader", "solutions", "build/kit", "build/obj/plain", "build/obj/asan"):
        shutil.copytree(ROOT / folder, top / folder, symlinks=True,
                        ignore=shutil.ignore_patterns("tests", "__pycache__"))
    for file in ("Makefile", "README.md", "build/deps.mk"):
        shutil.copy2(ROOT / file, top / file)
    (top / "labs" / LAB / "main.c").touch()
    (top / "sim/runtime/switch/stack.c").touch()
    for remembered in ("flags", "sources", "files"):
        one_newline_more(top / f"build/kit/{remembered}.txt")
    return top


def one_newline_more(file: Path) -> None:
    """At the file's end; when it was written stays. GNU make 4.3 now and then reads one newline more than it should."""
    then = file.stat().st_mtime_ns
    file.write_text(file.read_text() + "\n")
    os.utime(file, ns=(then, then))


def test_the_clones_own_folder(clone, tmp_path):
    untouched = clone / "build/obj/asan/sim/runtime/sync/queue.c.o"
    then = untouched.stat().st_mtime_ns
    full_marks(make("grade", top=clone, LAB="01", FROM="solutions", OUT=str(tmp_path / "out")), tmp_path / "out")
    assert untouched.stat().st_mtime_ns == then, "built again though nothing that it is made of has changed"
    built = [path for path in (clone / "build/kit").rglob("*") if path.suffix in {".a", ".o"}]
    assert [path.name for path in built if os.fsencode(clone) in path.read_bytes()] == []


def test_the_clones_own_folder_runs_draws_and_goes_round(clone):
    run = make("run", top=clone, LAB="01", FROM="solutions", MODE="async")
    assert run.returncode == 0 and run.stderr == "", run.stdout + run.stderr
    here = make("run", LAB="01", FROM="solutions", MODE="async")
    assert run.stdout.splitlines()[-3:] == here.stdout.splitlines()[-3:]
    drawn = make("report", top=clone, LAB="01", FROM="solutions", MODE="async", FORMAT="text")
    assert drawn.returncode == 0 and drawn.stderr == "", drawn.stdout + drawn.stderr


def test_failed_checks_of_such_a_folder_have_results_and_pages(student, tmp_path):
    (student / "compare.c").write_text((ROOT / "labs" / LAB / "compare.c").read_text())
    run = make("grade", LAB="01", FROM=str(student), OUT=str(tmp_path / "out"))
    assert run.returncode == 1 and run.stderr == "", run.stdout + run.stderr
    results = json.loads((tmp_path / "out" / LAB / "results.json").read_text())
    replay = next(check["replay"] for check in results["checks"] if check.get("replay"))
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {replay}"], capture_output=True).stdout
    assert os.fsencode(f"FROM={student}") in words.split(b"\n")
    assert (tmp_path / "out" / LAB / "reports").is_dir()
