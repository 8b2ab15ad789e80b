"""grader/scripts/deps.sh: what is looked for, what is installed, and what is said where that does not work.

The machines are folders with a few tools; package managers, compilers and libraries are scripts of the test.
"""

from __future__ import annotations

import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Optional

import pytest
from test_front_door import assert_one_line

ROOT = Path(__file__).resolve().parents[2]
DEPS = ROOT / "grader" / "scripts" / "deps.sh"

MANAGERS = {"apt-get": "libjansson-dev", "dnf": "jansson-devel", "pacman": "jansson", "brew": "jansson"}
PLAIN_TOOLS = ("sh awk cat cut date dirname env getconf grep id ls mkdir mktemp mv rm sed sort tail tr uname "
               "gcc as ld make").split()


def bare_machine(folder: Path, *scripts: tuple[str, str], without: str = "") -> dict[str, str]:
    """An environment whose PATH holds the plain tools but one, no Python and no gcovr, and these scripts."""
    folder.mkdir()
    for name, text in scripts:
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    # after the scripts: nothing is ever written through a link to the machine's own tool
    for tool in PLAIN_TOOLS:
        if tool != without and not (folder / tool).exists():
            (folder / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool} here"))
    return {"PATH": str(folder)}


def deps(env: dict[str, str], cwd: Path, *words: str,
         limit: Optional[Callable[[], None]] = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", DEPS, *words], env=env, cwd=cwd, text=True, capture_output=True, timeout=300,
                          preexec_fn=limit)


@pytest.mark.parametrize("manager, package", MANAGERS.items())
def test_each_manager_is_asked_for_its_own_packages(manager, package, tmp_path):
    env = bare_machine(tmp_path / "bin", (manager, 'echo "$@" >> asked; exit 0\n'), ("id", "echo 0\n"), without="gcc")
    run = deps(env, tmp_path, "install", "deps.mk")
    asked = (tmp_path / "asked").read_text()
    assert package in asked.split()
    assert_one_line(run, 2, manager, "still do not work", "cc", "jansson")
    assert not (tmp_path / "deps.mk").exists()


@pytest.mark.parametrize("words, asked, said", [
    (["parallel"], {"parallel"}, "still do not work: parallel"),
    (["cluster"], {"slurmctld", "slurmd", "slurm-client", "munge"}, "could not be installed, so its tests are skipped"),
    (["sandbox"], {"bubblewrap"}, "still do not work: bubblewrap")])
def test_what_one_task_needs_is_installed_for_it_alone(words, asked, said, tmp_path):
    env = bare_machine(tmp_path / "bin", ("apt-get", 'echo "$@" >> asked; exit 0\n'), ("id", "echo 0\n"))
    run = deps(env, tmp_path, *words)
    assert_one_line(run, 0 if words == ["cluster"] else 2, said)
    told = set((tmp_path / "asked").read_text().split())
    assert asked <= told and "gcc" not in told


def test_a_package_that_cannot_be_installed_is_named(tmp_path):
    refuse = 'case "$*" in *gcovr*) echo "E: Unable to locate package gcovr"; exit 100 ;; esac\n'
    env = bare_machine(tmp_path / "bin", ("apt-get", refuse), ("id", "echo 0\n"))
    assert_one_line(deps(env, tmp_path, "install", "deps.mk"), 2, "cannot install gcovr", "Unable to locate")


def test_without_root_the_command_is_printed(tmp_path):
    env = bare_machine(tmp_path / "bin", ("dnf", "echo never > asked\n"), ("id", "echo 1000\n"))
    assert_one_line(deps(env, tmp_path, "install", "deps.mk"), 2, "dnf install -y", "gcovr")
    assert not (tmp_path / "asked").exists()


def test_without_a_manager_the_tools_are_named(tmp_path):
    env = bare_machine(tmp_path / "bin")
    assert_one_line(deps(env, tmp_path, "install", "deps.mk"), 2, "missing:", "gcovr", "yourself")


def test_doctor_says_what_is_missing_and_what_for(tmp_path):
    run = deps(bare_machine(tmp_path / "bin", ("dnf", "")), tmp_path, "doctor")
    assert run.returncode == 2
    assert "gcovr            MISSING: says which of your lines never ran. Package: gcovr\n" in run.stdout
    assert "Say: make deps" in run.stdout


# ---- What could not be tried, and what cannot be fetched ----

ASKED = 'echo "$@" >> asked; exit 0\n'


NO_ROOM = ["error writing to /tmp/cc1.s: No space left on device", "out of memory allocating 65536 bytes",
           "cannot create temporary file: Disk quota exceeded"]


@pytest.mark.parametrize("words", NO_ROOM)
def test_a_tool_that_could_not_be_tried_is_not_installed(words, tmp_path):
    env = bare_machine(tmp_path / "bin", ("apt-get", ASKED), ("id", "echo 0\n"),
                       ("gcc", f"echo 'gcc: {words}' >&2; exit 1\n"))
    assert_one_line(deps(env, tmp_path, "install", "deps.mk"), 2, "cc could not be tried", words)
    assert not (tmp_path / "asked").exists()
    if words == NO_ROOM[0]:     # one word is enough: doctor asks the same check
        assert f"  cc               could not be tried: gcc: gcc: {words}\n" in deps(env, tmp_path, "doctor").stdout


def test_where_no_file_can_be_written_nothing_is_installed(tmp_path):
    env = bare_machine(tmp_path / "bin", ("apt-get", ASKED), ("id", "echo 0\n"))
    full = deps(env, tmp_path, "install", "deps.mk", limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert_one_line(full, 2, "cc could not be tried", "cannot be written")
    gone = deps({**env, "TMPDIR": str(tmp_path / "gone")}, tmp_path, "install", "deps.mk")
    assert_one_line(gone, 2, "no folder can be made in", "gone")
    assert not (tmp_path / "asked").exists()


def test_a_compiler_that_was_asked_for_and_is_not_there_is_told_of(tmp_path):
    env = {**bare_machine(tmp_path / "bin", ("apt-get", ASKED), ("id", "echo 0\n")), "CC": "no-such-cache gcc"}
    assert_one_line(deps(env, tmp_path, "install", "deps.mk"), 2, "CC=no-such-cache gcc")
    assert not (tmp_path / "asked").exists()


def test_without_a_network_one_line_says_what_is_missing_and_how_to_get_it(tmp_path):
    offline = 'echo "$@" >> asked; echo "E: Failed to fetch pool/g.deb  Temporary failure resolving"; exit 100\n'
    env = bare_machine(tmp_path / "bin", ("apt-get", offline), ("id", "echo 0\n"))
    run = deps(env, tmp_path, "install", "deps.mk")
    assert_one_line(run, 2, "missing:", "apt-get cannot fetch", "when there is a network", "gcovr")
    assert len((tmp_path / "asked").read_text().splitlines()) <= 3      # not once for each package


# ---- The contributors' tools ----

TOOLS = ("gcc clang g++ aarch64-linux-gnu-gcc qemu-aarch64 ld python3 gcovr gdb valgrind nginx openssl curl node npm "
         "chromium fc-list bwrap parallel").split()


def whole_machine(folder: Path, *scripts: tuple[str, str], without: str = "") -> dict[str, str]:
    """A machine where all is there, but one tool: each tool is a script that works."""
    works = [(tool, "echo DejaVuSansMono 1.0\n") for tool in TOOLS if tool != without]
    return bare_machine(folder, *works, ("id", "echo 0\n"), ("python3", 'echo "$0"\n'), *scripts, without=without)


def found(folder: Path, name: str) -> list[str]:
    text = (folder / "deps.mk").read_text()
    return re.findall(rf"^looplab_{name} := (.*)$", text, re.MULTILINE)[0].split()


def test_what_the_tests_need_is_installed_in_one_line_with_its_time(tmp_path):
    bin = tmp_path / "bin"
    install = f'case "$*" in install*gdb) printf "#!/bin/sh\\necho 1.0\\n" > {bin}/gdb; chmod +x {bin}/gdb ;; esac\n'
    env = whole_machine(bin, ("apt-get", install), without="gdb")
    (bin / "chmod").symlink_to(shutil.which("chmod") or "")
    plain = deps(env, tmp_path, "install", "deps.mk")
    assert (plain.returncode, plain.stdout, plain.stderr) == (0, "", "")
    assert found(tmp_path, "for") == ["students"] and "gdb" not in found(tmp_path, "tools")
    run = deps(env, tmp_path, "install", "deps.mk", "tests")
    assert run.returncode == 0 and run.stderr == ""
    assert re.fullmatch(r"deps: installing gdb \(with apt-get, log in build/deps.log\): took \d+ s\n", run.stdout)
    assert found(tmp_path, "for") == ["tests"] and "gdb" in found(tmp_path, "tools")


@pytest.mark.parametrize("apt, user, reason", [
    ("echo 'E: Failed to fetch pool/gdb.deb  Temporary failure resolving'; exit 100\n", 0, "Failed to fetch"),
    ("echo 'E: Unable to locate package gdb'; exit 100\n", 0, "Unable to locate package gdb"),
    ("exit 0\n", 1000, "as root: apt-get install"),
], ids=["offline", "no such package", "not root"])
def test_what_the_tests_cannot_have_is_told_once_and_left_out(apt, user, reason, tmp_path):
    env = whole_machine(tmp_path / "bin", ("apt-get", apt), ("id", f"echo {user}\n"), without="gdb")
    run = deps(env, tmp_path, "install", "deps.mk", "tests")
    assert (run.returncode, run.stderr) == (0, "")
    (said,) = [line for line in run.stdout.splitlines() if not line.startswith("deps: installing")]
    assert said.startswith("deps: without gdb (") and reason in said and "tests that need them are skipped" in said
    assert found(tmp_path, "for") == ["tests"] and "gdb" not in found(tmp_path, "tools")


@pytest.mark.skipif(not shutil.which("flock"), reason="no flock here")
@pytest.mark.parametrize("words", [(), ("tests",)], ids=["students", "tests"])
def test_of_two_at_once_one_installs_and_the_other_waits(words, tmp_path):
    """The slow apt-get ends when the other one has said that it waits."""
    bin, tool = tmp_path / "bin", "gdb" if words else "gcovr"
    install = (f'case "$*" in *install*{tool}*) echo "$@" >> {tmp_path}/asked; read word < {tmp_path}/go\n'
               f'printf "#!/bin/sh\\necho 1.0\\n" > {bin}/{tool}; chmod +x {bin}/{tool} ;; esac\n')
    env = whole_machine(bin, ("apt-get", install), without=tool)
    for name in ("chmod", "flock"):
        (bin / name).symlink_to(shutil.which(name) or "")
    os.mkfifo(tmp_path / "go")
    running = []
    for file in ("first.mk", "second.mk"):
        running.append(subprocess.Popen(["/bin/sh", DEPS, "install", file, *words], env=env, cwd=tmp_path, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True))
        if file == "first.mk":
            go = open(tmp_path / "go", "w")         # opened once the first one's apt-get reads
    first, second = running
    try:
        assert second.stdout and select.select([second.stdout], [], [], 60)[0], "it waits, and does not say for what"
        said = os.read(second.stdout.fileno(), 1000)        # a line, or the beginning of one
        assert said == b"deps: waiting for another make, which is installing\n"
        go.write("\n")
        go.close()
        assert second.communicate(timeout=120)[0] == "" and second.returncode == 0
    finally:
        if second.poll() is None:
            for process in running:
                os.killpg(process.pid, signal.SIGKILL)
    assert first.communicate(timeout=120)[0].startswith(f"deps: installing {tool} ") and first.returncode == 0
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    assert (tmp_path / "second.mk").exists()


def test_make_test_asks_for_the_tests_tools_and_make_demo_does_not(tmp_path):
    env = whole_machine(tmp_path / "bin")
    shutil.copytree(ROOT / "grader/scripts", tmp_path / "grader/scripts")
    shutil.copy(ROOT / "Makefile", tmp_path)
    for goal, who in [("demo", "students"), ("test", "tests"), ("demo", "tests")]:
        subprocess.run(["make", "-n", goal], cwd=tmp_path, env=env, capture_output=True, timeout=120)
        assert found(tmp_path / "build", "for") == [who]


def test_what_make_cannot_have_is_one_line(tmp_path):
    env = bare_machine(tmp_path / "bin")
    shutil.copytree(ROOT / "grader/scripts", tmp_path / "grader/scripts")
    shutil.copy(ROOT / "Makefile", tmp_path)
    run = subprocess.run(["make", "demo"], cwd=tmp_path, env=env, text=True, capture_output=True, timeout=120)
    assert_one_line(run, 2, "deps: missing:", "gcovr", "please install them yourself")


# ---- What tests and the build may take for granted ----


def test_continuous_integration_says_make_test_and_nothing_else():
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "make test"]


def test_no_build_depends_on_whether_a_header_happens_to_be_there():
    sources = [path for folder in ("sim", "labs", "solutions", "grader") for path in (ROOT / folder).rglob("*.[chS]")]
    assert sources
    assert [str(path.relative_to(ROOT)) for path in sources if "__has_include" in path.read_text(errors="replace")] \
        == []


def test_no_test_file_imports_what_may_be_missing():
    known = set(getattr(sys, "stdlib_module_names", ())) | {"pytest", "looplab", "pluggy", "_pytest"}
    if "json" not in known:
        pytest.skip("this Python does not know the names of its own modules (3.10 does)")
    known |= {path.stem for folder in ("grader", "slides") for path in (ROOT / folder).rglob("*.py")}
    wrong = []
    for path in (ROOT / "grader/tests").glob("*.py"):
        for name in re.findall(r"^(?:import|from) (\w+)", path.read_text(), re.MULTILINE):
            if name not in known:
                wrong.append(f"{path.name}: {name}")
    assert wrong == []
