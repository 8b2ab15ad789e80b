"""What lies about when somebody says make: variables, files in the folder, closed streams, a Python that has gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from variants import some

ROOT = Path(__file__).resolve().parents[2]
ISOLATED = ROOT / "grader" / "scripts" / "isolated.py"
LAB = "01-sync-vs-async"
ILL = {"PYTHONHOME": "/no/such/home", "PYTHONSTARTUP": "/no/such/file", "PYTHONPATH": "/no/such/folder",
       "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONINSPECT": "1", "PYTEST_PLUGINS": "no_such_plugin",
       "PYTEST_ADDOPTS": "--no-such-option"}


def ran(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, env=env, text=True, capture_output=True, timeout=300)


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON", "PYTEST"))}
    return ran("make", *words, **env, **variables)


def own_python(*words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """What make does, in another folder and with other variables."""
    return ran(sys.executable, "-I", str(ISOLATED), "--sure", *words, cwd=cwd, PATH=os.defpath, **variables)


def test_variables_for_python_and_pytest_change_nothing(tmp_path):
    usual = make("grade", "LAB=01", f"FROM={ROOT / 'labs'}", f"OUT={tmp_path}", "SEED=7")
    other = make("grade", "LAB=01", f"FROM={ROOT / 'labs'}", f"OUT={tmp_path}", "SEED=7", **ILL)
    assert (other.returncode, other.stderr) == (usual.returncode, usual.stderr) == (1, "")
    timeless = [[line for line in run.stdout.splitlines() if not line.startswith("score ")] for run in (usual, other)]
    assert timeless[0] == timeless[1] and any("correctness" in line for line in timeless[0])


@pytest.mark.parametrize("name", ["random", "json", "pytest", "looplab", "argparse", "sitecustomize"])
def test_a_module_in_the_folder_is_not_taken_for_the_librarys(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("raise SystemExit('this one')\n")
    run = own_python("-m", "looplab", "grade", "--lab", "99", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (run.returncode, run.stdout) == (66, "")
    assert run.stderr.startswith("looplab: LAB=99: there is no lab")


def test_processes_that_python_starts_find_the_house_and_nothing_else(tmp_path):
    (tmp_path / "script.py").write_text(
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import looplab, os; print(looplab.__file__, *sorted(os.environ))'])\n")
    run = own_python(str(tmp_path / "script.py"), **ILL)
    assert run.returncode == 64, run.stderr
    found, *names = run.stdout.split()
    assert Path(found) == ROOT / "grader" / "looplab" / "__init__.py"
    assert not set(names) & (ILL.keys() - {"PYTHONPATH"})


@pytest.mark.parametrize("ends", ["raise RuntimeError('before anything')", "import no_such_module", "def broken(:",
                                  "raise KeyboardInterrupt", "raise SystemExit(1)", "raise MemoryError"])
def test_what_fails_before_there_is_a_grade_is_never_1(tmp_path, ends):
    """A grader whose cli.py does not even import."""
    shutil.copytree(ROOT / "grader" / "looplab", tmp_path / "looplab", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "looplab" / "cli.py").write_text(ends + "\n")
    run = ran(sys.executable, "-m", "looplab", "grade", PATH=os.defpath, PYTHONPATH=str(tmp_path), cwd=tmp_path)
    assert run.returncode == (130 if "Interrupt" in ends else 3)
    assert run.stderr.startswith("looplab: ") == ("raise KeyboardInterrupt" != ends and "SystemExit" not in ends)
    assert len(run.stderr.splitlines()) <= 1


def test_a_python_without_pytest_is_told_with_the_way_out(tmp_path):
    program = f"import runpy, sys; sys.path.insert(0, {str(ROOT / 'grader')!r}); " \
        f"sys.argv = ['looplab', 'grade', '--lab', '01', '--from', 'solutions', '--out', {str(tmp_path)!r}]; " \
        "runpy.run_module('looplab', run_name='__main__')"
    run = ran(sys.executable, "-I", "-S", "-c", program, PATH=os.defpath)
    assert run.returncode == 3 and len(run.stderr.splitlines()) == 1
    assert "cannot run the grader: No module named 'pytest'. Say make clean" in run.stderr


@pytest.mark.parametrize("closed", some(["0>&- 1>&- 2>&-", "2>&-", "1>&-", "1>&- 2>&-"], 4))
def test_closed_streams_cost_nothing(closed, tmp_path):
    command = f'"$1" -m looplab grade --lab 01 --from solutions --out "$2" {closed}'
    run = ran("sh", "-c", command, "sh", sys.executable, str(tmp_path), PATH=os.defpath,
              PYTHONPATH=str(ROOT / "grader"))
    assert run.returncode == 0, run.stderr
    assert (tmp_path / LAB / "results.json").exists()


FULL = "looplab: this machine cannot go on: No space left on device\n"


@pytest.mark.parametrize("into, code, told", [("> /dev/full", 3, FULL), ("| :", 141, "")], ids=["full", "nobody-reads"])
def test_a_grade_that_nobody_can_be_told_is_not_1(into, code, told, tmp_path):
    command = f'{{ "$1" -m looplab grade --lab 01 --from labs --out "$2"; echo $? > "$2/code"; }} {into}'
    run = ran("sh", "-c", command, "sh", sys.executable, str(tmp_path), PATH=os.defpath,
              PYTHONPATH=str(ROOT / "grader"))
    assert ((tmp_path / "code").read_text(), run.stderr) == (f"{code}\n", told)


def test_a_python_that_has_gone_is_looked_for_again():
    """build/deps.mk names a virtual environment that somebody has deleted."""
    stamp = ROOT / "build" / "deps.mk"
    before = stamp.read_text()
    gone = "\n".join("looplab_python := /no/such/environment/bin/python" if line.startswith("looplab_python") else line
                     for line in before.split("\n"))
    beside = stamp.with_name(f"deps.mk.{os.getpid()}")
    beside.write_text(gone)
    beside.replace(stamp)
    try:
        run = make("progress")
        assert (run.returncode, run.stderr) == (0, "")
        assert "/no/such" not in stamp.read_text()
    finally:
        beside.write_text(before)
        beside.replace(stamp)
