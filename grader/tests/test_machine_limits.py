"""A machine that does not grant what a grading needs: exit 3 and the true reason in one line, never the student's."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from looplab import cli
from looplab.running import machine
from test_two_at_once import submission

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"
CHECK = '@points(10, "timing")\ndef test_one(lab):\n    """All is well."""\n    lab.run("async", urls(3))\n'


def grade(source: Path, out: Path, prepare: str = "", **more) -> subprocess.CompletedProcess[str]:
    """Grades in a process of its own, after these lines of shell."""
    command = f'{prepare}\n"$1" -m looplab grade --lab 01 --from "$2" --out "$3" --seed 7; code=$?\n' \
        "jobs -p | xargs -r kill; exit $code"
    return subprocess.run([*more.pop("around", []), "sh", "-c", command, "sh", sys.executable, str(source), str(out)],
                          cwd=ROOT, capture_output=True, text=True, timeout=300,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "grader")}, **more)


def message(out: Path) -> str:
    result = json.loads((out / LAB / "results.json").read_text())
    assert (result["status"], result["score"], result["checks"]) == ("error", None, [])
    return result["message"]


# ---- The disk ----

PRIVATE = ["unshare", "--mount", "--propagation", "private"]
mounts = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*PRIVATE, "mount", "-t", "tmpfs", "none", "/mnt"],
                                                      capture_output=True).returncode != 0,
    reason="mounting a small disk needs root")


def disk(mib: int) -> str:
    """A disk of that size over build/work, which only this grading sees."""
    return f"mkdir -p build/work && mount -t tmpfs -o size={mib}m none build/work || exit 77"


@mounts
def test_a_disk_that_is_full_before_the_grading(tmp_path):
    run = grade(ROOT / "solutions", tmp_path, disk(8), around=PRIVATE)
    assert run.returncode == 3, run.stdout + run.stderr
    assert message(tmp_path) == "the disk that holds build/work is full: 8 MiB are free, grading needs 32"


@mounts
def test_a_disk_that_fills_up_while_it_goes_on(tmp_path):
    """Somebody else's file grows until nothing is left, once the first run has begun."""
    fill = "(until ls build/work/*/desks/1; do sleep 0.02; done; cat /dev/zero > build/work/full) > /dev/null 2>&1 &"
    run = grade(ROOT / "solutions", tmp_path, f"{disk(60)}\n{fill}", around=PRIVATE)
    assert run.returncode == 3, run.stdout + run.stderr
    assert message(tmp_path).startswith("the disk that holds build/work is full: ")


@mounts
def test_a_disk_that_the_students_program_fills(tmp_path):
    folder = submission(tmp_path / "mine", "for (int i = 0; i < 9; i++) { char name[9]; snprintf(name, 9, \"f%d\", i); "
                        "FILE *f = fopen(name, \"w\"); static char b[1 << 20]; for (int k = 0; k < 20; k++) "
                        "fwrite(b, 1, sizeof b, f); fclose(f); }")
    run = grade(folder, tmp_path / "out", disk(100), around=PRIVATE)
    assert run.returncode == 1, run.stdout + run.stderr
    assert json.loads((tmp_path / "out" / LAB / "results.json").read_text())["status"] == "graded"


# ---- Limits that the shell has set ----


def without_privileges() -> None:
    """Before exec: root, too, can then raise no limit."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(24, 24, 0, 0, 0)        # PR_CAPBSET_DROP, CAP_SYS_RESOURCE


@pytest.mark.parametrize("limit, told", [
    ("-f 2048", "this shell allows files of 1 MiB at most (ulimit -f); grading needs files of 256 MiB"),
    ("-v 4194304", "this shell allows 4096 MiB of address space (ulimit -v); grading needs address space without a l"),
    ("-d 1048576", "this shell allows 1024 MiB of data (ulimit -d); grading needs 4096 MiB"),
    ("-n 64", "this shell allows 64 open files (ulimit -n); grading needs 256"),
    ("-t 20", "this shell allows 20 seconds of processor time (ulimit -t); grading needs 60"),
])
def test_a_limit_that_cannot_be_lifted(tmp_path, limit, told):
    run = grade(ROOT / "solutions", tmp_path, f"ulimit {limit}", preexec_fn=without_privileges)
    assert run.returncode == 3, run.stdout + run.stderr
    assert message(tmp_path).startswith(told)


@mounts
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv here")
@pytest.mark.parametrize("allowed, code", [(8, 3), (400, 0)])
def test_a_user_who_has_too_many_processes(allowed, code):
    """Root is free of this limit, and so another user grades."""
    other = ["setpriv", "--reuid=54321", "--clear-groups"]
    if subprocess.run([*other, "test", "-x", ROOT / "build/kit/launch"]).returncode:
        pytest.skip("another user cannot read this checkout")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        command = f'{disk(100)}; chmod 777 build/work; exec "$@"'
        run = subprocess.run([*PRIVATE, "sh", "-c", command, "sh", *other, sys.executable, "-m", "looplab", "grade",
                              "--lab", "01", "--from", "solutions", "--out", folder], cwd=ROOT, text=True, timeout=300,
                             capture_output=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "grader")},
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (allowed, allowed)))
        assert run.returncode == code, run.stdout + run.stderr
        if code == 3:
            assert message(Path(folder)) == \
                "this shell allows 8 processes of one user (ulimit -u), and too few are left; grading needs 32"


def test_a_limit_that_can_be_lifted_is_lifted(tmp_path):
    run = grade(ROOT / "solutions", tmp_path, "ulimit -S -f 2048 -n 64; ulimit -S -v 4194304",
                preexec_fn=without_privileges)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_stack_of_a_students_program_is_the_same_everywhere():
    from looplab.running import process
    said = {subprocess.run(["sh", "-c", f"ulimit -S -s {size}; exec \"$@\"", "sh", str(process.LAUNCH), "--", "/bin/sh",
                            "-c", "ulimit -s"], capture_output=True, text=True).stdout for size in (1024, 4096, 8192)}
    assert said == {"8192\n"}


# ---- Memory ----


def test_too_little_memory(house, monkeypatch, capsys):
    house.lab(CHECK)
    monkeypatch.setattr(machine, "_memory", lambda: 100 * machine.MIB)
    assert cli.main(["grade", "--lab", "01"], house.root) == 3
    assert "the machine has 100 MiB of memory to spare, grading needs 256" in capsys.readouterr().out
    assert house.ran == []


def test_what_is_granted_is_no_fault(house):
    house.lab(CHECK)
    assert machine.fault() is None
    assert cli.main(["grade", "--lab", "01"], house.root) == 0


def test_the_limits_stay_as_they_were_where_nothing_needs_lifting():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert machine.fault() is None
    assert resource.getrlimit(resource.RLIMIT_NOFILE) in (before, (256, before[1]))
