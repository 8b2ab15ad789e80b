"""The sandbox and its tiers: what a program behind a fence finds, and which tier holds where a piece is missing."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from lacking import LANDLOCK, without
from looplab.course.lab import ROOT
from looplab.running import process, tier
from looplab.running.fence import Fence
from test_launch import needs_seccomp
from toyhouse import compile_c, house

HAS_LANDLOCK = sys.platform.startswith("linux") and ctypes.CDLL(None).syscall(LANDLOCK, None, 0, 1) > 0
needs_landlock = pytest.mark.skipif(not HAS_LANDLOCK, reason="this kernel has no Landlock")

needs_bubblewrap = pytest.mark.skipif(not shutil.which("bwrap"), reason="no bubblewrap here (make deps-dev)")


def why_not_apart() -> str:
    """What bubblewrap says where it cannot make a room of its own, as in a changed root. "": it can."""
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.stderr.strip() if done.returncode else ""


@pytest.fixture(autouse=True)
def tries_up_to_c(monkeypatch):
    monkeypatch.setenv("LOOPLAB_TIER", "C")


@needs_landlock
@needs_seccomp
def test_the_tier_is_reached_where_the_kernel_can():
    """Else a broken fence would only make the tests below skip."""
    assert process.shut_in(house().launch).tier == "C"


def found_without(*calls: str | int, **env: str) -> tier.Reached:
    """What holds on a machine that lacks these system calls."""
    text = ("import json, pathlib, sys; from looplab.running import tier; "
            "found = tier.reached(pathlib.Path(sys.argv[1])); "
            "print(json.dumps([found.tier, found.missing, found.fences]))")
    done = subprocess.run([*without(*calls), sys.executable, "-c", text, house().launch], capture_output=True,
                          text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT / "grader"), **env})
    return tier.Reached(*json.loads(done.stdout))


@pytest.mark.parametrize("calls, word", [((LANDLOCK,), "cannot make a fence"), (("seccomp",), "a process can be made"),
                                         ((LANDLOCK, "seccomp"), "cannot make a fence")])
def test_what_is_missing_is_named(calls, word):
    """Each piece alone, and both."""
    found = found_without(*calls)
    assert found.tier == "D" and word in found.missing["C"]
    assert found.lacks("D") is None and "lsm=landlock" in (found.lacks("C") or "")


@needs_landlock
@needs_seccomp
@needs_bubblewrap
def test_the_best_tier_needs_no_landlock():
    """Each combination of what is there leads to the tier that it makes."""
    if why_not_apart():
        pytest.skip(f"bubblewrap does not work here ({why_not_apart()})")
    assert (found_without(LOOPLAB_TIER="A").tier, found_without().tier) == ("A", "C")
    alone = found_without(LANDLOCK, LOOPLAB_TIER="A")
    assert (alone.tier, alone.fences) == ("A", False)


@needs_landlock
@needs_seccomp
@pytest.mark.parametrize("calls, env, tier, word", [
    ((), {"PATH": "/nowhere"}, "C", "apt-get install bubblewrap"),
    (("namespaces",), {}, "C", "bubblewrap cannot make namespaces here"),
    (("namespaces", LANDLOCK), {}, "D", "bubblewrap cannot make namespaces here"),
    (("namespaces", "seccomp"), {}, "D", "bubblewrap cannot make namespaces here"),
    ((LANDLOCK,), {"PATH": "/nowhere"}, "D", "apt-get install bubblewrap"),
    (("seccomp",), {"PATH": "/nowhere"}, "D", "apt-get install bubblewrap")])
def test_without_bubblewrap_the_next_tier_holds(calls, env, tier, word):
    if "PATH" not in env and not shutil.which("bwrap"):
        pytest.skip("no bubblewrap here (make deps-dev)")
    found = found_without(*calls, LOOPLAB_TIER="A", **env)
    assert found.tier == tier and word in found.missing["A"] and word in (found.lacks("A") or "")
    assert found.fences == (tier == "C")


@needs_seccomp
def test_a_tier_that_is_asked_for_and_not_reached_is_one_line_and_2(tmp_path):
    done = subprocess.run([*without(LANDLOCK, "namespaces"), sys.executable, "-m", "looplab", "grade", "--lab", "1",
                           "--out", str(tmp_path), "--require-tier", "A"], capture_output=True, text=True, timeout=120,
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []
    assert done.stderr.startswith("looplab: TIER=A: this machine reaches tier D (limits only); A: ")


def test_a_fence_that_cannot_be_had_lets_nothing_start():
    done = subprocess.run([*without(LANDLOCK), house().launch, "--read", "/usr", "--", "/bin/echo", "on"],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (125, "") and done.stderr.startswith("launch: cannot make a fence")


LOOKS = r"""
    #include <dirent.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>
    static void tell(const char *what, const char *path, int result)
    {
        printf("%s %s: %s\n", what, strrchr(path, '/') + 1, result >= 0 ? "yes" : errno == ENOENT ? "gone" : "no");
    }
    int main(int argc, char **argv)
    {
        for (int i = 1; i < argc; i++) {
            char made[4096], other[4096];
            struct stat what;
            tell("read", argv[i], open(argv[i], O_RDONLY));
            tell("write", argv[i], open(argv[i], O_WRONLY));
            if (stat(argv[i], &what) == 0 && S_ISDIR(what.st_mode)) {
                snprintf(made, sizeof made, "%s/made", argv[i]);
                snprintf(other, sizeof other, "%s/link", argv[i]);
                tell("make", argv[i], open(made, O_WRONLY | O_CREAT, 0600));
                tell("link", argv[i], symlink("/etc/passwd", other));
                tell("pipe", argv[i], mkfifo(other, 0600));
            } else
                tell("cut", argv[i], truncate(argv[i], 0));
        }
        return 0;
    }"""


@needs_landlock
def test_a_program_behind_a_fence_sees_nothing_else(tmp_path):
    program, secret, own = compile_c(tmp_path, LOOKS), tmp_path / "secret", tmp_path / "own"
    secret.write_text("CANARY")
    own.mkdir()
    outcome = process.run([program, secret, program, own, own.parent, Path("/etc/passwd"), ROOT / "solutions"], cwd=own,
                          launch=house().launch, fence=Fence((program,), (own,)))
    found = dict(line.split(": ") for line in outcome.stdout.splitlines())
    assert [what for what, told in found.items() if told == "yes"] == ["read program", "read own", "make own"]
    assert secret.read_text() == "CANARY" and len(found) == 24


CALLS = r"""
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/ioctl.h>
    #include <sys/prctl.h>
    #include <sys/ptrace.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    #define TRY(name, ...) (errno = 0, syscall(SYS_##name, ##__VA_ARGS__) >= 0 ? puts(#name) : \
        errno == EPERM || errno == EACCES || errno == ENOSYS ? 0 : printf("%s (%s)\n", #name, strerrorname_np(errno)))
    int main(int argc, char **argv)
    {
        int pair[2], own = getpid(), parent = getppid();
        char *words[] = {argv[0], "again", NULL};
        if (argc > 1) return puts("execve") < 0;
        if (pipe(pair)) return 1;
        TRY(execve, argv[0], words, NULL);
        TRY(execveat, AT_FDCWD, argv[0], words, NULL, 0);
        TRY(ptrace, PTRACE_TRACEME, 0, 0, 0);
        TRY(ptrace, PTRACE_SEIZE, parent, 0, 0);
        TRY(process_vm_readv, parent, NULL, 0, NULL, 0, 0);
        TRY(process_vm_writev, parent, NULL, 0, NULL, 0, 0);
        TRY(fcntl, pair[0], F_SETOWN, parent);
        TRY(fcntl, pair[0], F_SETSIG, 9);
        TRY(ioctl, pair[0], 0x8901, &parent);
        TRY(prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
        TRY(kill, parent, 0);
        TRY(tgkill, parent, parent, 0);
        TRY(rt_sigqueueinfo, parent, 0, NULL);
        TRY(pidfd_open, own, 0);
        TRY(socket, 1, 1, 0);
        TRY(socketpair, 1, 1, 0, pair);
        TRY(memfd_create, "x", 0);
        TRY(shmget, 77, 4096, 01600);
        TRY(keyctl, 0, -3, 1);
        TRY(add_key, "user", "x", "y", 1, -3);
        TRY(bpf, 0, NULL, 0);
        TRY(userfaultfd, 0);
        TRY(perf_event_open, NULL, 0, -1, -1, 0);
        TRY(io_uring_setup, 1, NULL);
        TRY(unshare, 0x10000000);
        TRY(setns, 0, 0);
        TRY(chroot, "/");
        TRY(fchmodat, AT_FDCWD, argv[0], 0755);
        TRY(fchownat, AT_FDCWD, argv[0], -1, -1, 0);
        TRY(utimensat, AT_FDCWD, argv[0], NULL, 0);
        TRY(setxattr, argv[0], "user.x", "x", 1, 0);
        TRY(inotify_add_watch, 0, argv[0], 1);
        TRY(setpriority, 0, parent, 19);
        TRY(sched_setaffinity, parent, 8, words);
        TRY(sched_setscheduler, parent, 5, pair);
        TRY(ioprio_set, 1, parent, 0);
        TRY(openat2, AT_FDCWD, ".", NULL, 0);
        puts("end");
        return 0;
    }"""


@needs_seccomp
@pytest.mark.parametrize("limits", [process.COVER, process.ASAN], ids=["plain", "sanitizers"])
def test_no_call_reaches_out(limits, tmp_path):
    program = compile_c(tmp_path, CALLS)
    outcome = process.run([program], limits=limits, cwd=tmp_path, launch=house().launch)
    assert (outcome.exit, outcome.stdout) == (0, "end\n")


# ---- Tier B: a user of its own ----

CLOSED = [str(folder) for folder in (ROOT, *ROOT.parents) if not folder.stat().st_mode & 0o001]
needs_root = pytest.mark.skipif(os.geteuid() != 0 or bool(CLOSED), reason=f"{CLOSED[0]} is not every user's to enter"
                                if CLOSED else "only root can start programs as another user")

WHO = r"""
    #include <fcntl.h>
    #include <grp.h>
    #include <stdio.h>
    #include <unistd.h>
    int main(int argc, char **argv)
    {
        printf("%d %d %d %d %d\n", (int)getuid(), (int)geteuid(), (int)getgid(), (int)getegid(), getgroups(0, NULL));
        puts(argc == 2 && open(argv[1], O_WRONLY) >= 0 ? "writes what is root's" : "does not write what is root's");
        puts(open("made", O_WRONLY | O_CREAT, 0600) >= 0 ? "makes a file of its own" : "makes no file");
        puts(setuid(0) == 0 ? "root again" : "never root again");
        return 0;
    }"""


@pytest.fixture
def open_folder():
    """A folder that every user finds: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="looplab-who-") as name:
        os.chmod(name, 0o711)
        yield Path(name)


@needs_landlock
@needs_root
def test_a_program_is_nobody_that_the_machine_knows(monkeypatch, open_folder):
    """It writes what it makes, and not what is root's in the very folder that it may write to."""
    monkeypatch.setenv("LOOPLAB_TIER", "B")
    program, own = compile_c(open_folder, WHO), open_folder / "own"
    own.mkdir()
    (own / "roots").write_text("a grade")
    reached = process.shut_in()         # the kit's own launcher: the toy house is root's alone
    outcome = process.run([program, own / "roots"], cwd=own, fence=Fence((program,), (own,)))
    user = str(reached.user)
    assert reached.tier == "B" and int(user) >= 61184
    assert outcome.stdout.splitlines() == [" ".join([user] * 4 + ["0"]), "does not write what is root's",
                                           "makes a file of its own", "never root again"], outcome.stderr
    assert (own / "made").stat().st_uid == int(user)


@needs_landlock
@needs_root
@pytest.mark.parametrize("lab", ["01", "06", "00"])
def test_a_lab_of_each_kind_is_graded_so(lab, open_folder):
    """A lab whose programs run, one whose programs are tests, one of many small files: full marks, and the card says
    that nothing of it could be forged but by a program that makes its own worlds."""
    out = open_folder / "out"
    done = subprocess.run(["make", "grade", f"LAB={lab}", "FROM=solutions", f"OUT={out}", "TIER=B"], cwd=ROOT,
                          text=True, capture_output=True, timeout=300,
                          env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    result = json.loads(next(out.glob("*/results.json")).read_text())
    assert (result["tier"], result["score"]) == ("B", result["max_score"])
    assert result["forgeable"] == (lab == "06")
    assert "Sandbox: tier B (a user of its own, Landlock, seccomp)" in done.stdout


@needs_landlock
@needs_seccomp
def test_who_is_not_root_or_has_no_landlock_reaches_no_tier_b():
    """Each for its reason; where bubblewrap is there, that one holds instead."""
    setresuid = 117 if os.uname().machine == "x86_64" else 147
    for calls, word in [((setresuid,), "cannot become another user"), ((LANDLOCK,), "cannot make a fence")]:
        found = found_without("namespaces", *calls, LOOPLAB_TIER="B")
        assert found.tier in "CD" and (word in found.missing["B"] or os.geteuid() != 0)
        assert found.lacks("B") and "B: " in (found.lacks("B") or "")


STAYS = r"""
    #include <unistd.h>
    int main(void) { for (;;) pause(); }"""

LEAVES = """
import os, pathlib, sys, time
from looplab.running import process
from looplab.running.fence import Fence
program, own = map(pathlib.Path, sys.argv[1:])
running = process.start([program], cwd=own, fence=Fence((program,), (own,)))
while not pathlib.Path(f"/proc/{running.pid}/comm").read_text().startswith(program.name[:15]):
    time.sleep(0.01)            # still the launcher
print(running.pid, pathlib.Path(f"/proc/{running.pid}/status").read_text().split("Uid:")[1].split()[0], flush=True)
os._exit(0)
"""


@needs_landlock
@needs_root
def test_it_ends_with_the_grader(open_folder):
    """Who becomes another user loses the kernel's promise to end it with its parent: it is asked for after that."""
    program, own = compile_c(open_folder, STAYS), open_folder / "own"
    own.mkdir()
    done = subprocess.run([sys.executable, "-c", LEAVES, program, own], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "grader"), "LOOPLAB_TIER": "B"})
    pid, user = map(int, done.stdout.split())
    assert user >= 61184
    until = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.02)
