"""The launcher: what a program finds when it starts, and what it then may not do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toyhouse import compile_c, house

LINUX = sys.platform.startswith("linux")


def launch(*words: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([house().launch, *words], capture_output=True, text=True, timeout=20, **options)


def confined() -> bool:
    return launch("--check").stdout == "seccomp\n"


needs_seccomp = pytest.mark.skipif(not confined(), reason="this kernel has no seccomp: programs are bound by rlimits "
                                                          "only")


@pytest.mark.parametrize("words, message", [
    ([], "launch: needs -- PROGRAM [ARGUMENT]...\n"),
    (["--cpu", "2"], "launch: needs -- PROGRAM [ARGUMENT]...\n"),
    (["--"], "launch: needs -- PROGRAM [ARGUMENT]...\n"),
    (["--cpu", "two", "--", "/bin/true"], "launch: needs a whole number after --cpu\n"),
    (["--cpu", "-1", "--", "/bin/true"], "launch: needs a whole number after --cpu\n"),
    (["--file"], "launch: needs a whole number after --file\n"),
    (["--keep-fd", "256", "--", "/bin/true"], "launch: needs a whole number after --keep-fd\n"),
    (["--memory", "99999999999999999999", "--", "/bin/true"], "launch: needs a whole number after --memory\n"),
    (["--quick", "--", "/bin/true"], "launch: does not know the option --quick\n"),
    (["--", "/no/such/program"], "launch: cannot run /no/such/program: No such file or directory\n"),
])
def test_wrong_use_is_one_line(words, message):
    done = launch(*words)
    assert (done.returncode, done.stderr, done.stdout) == (125, message, "")


def test_arguments_and_exit_code_pass_through():
    done = launch("--", "/bin/sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "a b", "--", "")
    assert (done.returncode, done.stdout) == (7, "a b|--||")


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_limits_files_signals_and_group(tmp_path):
    program = compile_c(tmp_path, r"""
        #include <fcntl.h>
        #include <signal.h>
        #include <stdio.h>
        #include <sys/resource.h>
        #include <unistd.h>
        static void show(const char *name, int resource)
        {
            struct rlimit limit;
            getrlimit(resource, &limit);
            printf("%s %llu %llu\n", name, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
        }
        int main(void)
        {
            show("cpu", RLIMIT_CPU), show("as", RLIMIT_AS), show("file", RLIMIT_FSIZE), show("core", RLIMIT_CORE);
            show("nofile", RLIMIT_NOFILE);
            printf("files");
            for (int fd = 0; fd < 300; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                    printf(" %d", fd);
            char c;
            printf("\nstdin %d\n", (int)read(0, &c, 1));
            printf("leads %d %d\n", getpid() == getpgrp(), getpid() == getsid(0));
            struct sigaction action;
            sigset_t mask;
            sigaction(SIGINT, NULL, &action);
            sigprocmask(SIG_SETMASK, NULL, &mask);
            printf("sigint default %d blocked %d\n", action.sa_handler == SIG_DFL, sigismember(&mask, SIGUSR1));
            return 0;
        }""")
    def ignore_interrupts() -> None:            # as a shell does for `make grade &`
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    extra = [os.open("/dev/null", os.O_RDONLY) for _ in range(3)]
    for fd in extra:
        os.set_inheritable(fd, True)
    try:
        done = launch("--cpu", "3", "--memory", "1000000000", "--file", "4096", "--keep-fd", str(extra[1]), "--",
                      program, close_fds=False, input="typed by the student", preexec_fn=ignore_interrupts)
    finally:
        for fd in extra:
            os.close(fd)
    assert done.stdout.splitlines() == [
        "cpu 3 4", "as 1000000000 1000000000", "file 4096 4096", "core 0 0", "nofile 256 256",
        f"files 0 1 2 {extra[1]}", "stdin 0", "leads 1 1", "sigint default 1 blocked 0"]


@pytest.mark.skipif(not LINUX, reason="addresses can be fixed on Linux only")
def test_fixed_addresses(tmp_path):
    program = compile_c(tmp_path, '#include <stdio.h>\n#include <stdlib.h>\n'
                                  'int main(void) { int x; printf("%p %p %p\\n", &x, malloc(1), main); }')
    # Some containers forbid it; then the launcher goes on without.
    if subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("this machine does not let addresses be fixed")
    assert len({launch("--fixed-addresses", "--", program).stdout for _ in range(5)}) == 1


PROBE = r"""
    #define _GNU_SOURCE
    #include <errno.h>
    #include <pthread.h>
    #include <sched.h>
    #include <signal.h>
    #include <spawn.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mount.h>
    #include <sys/resource.h>
    #include <sys/socket.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>
    static void show(const char *what, long result)
    {
        printf("%s: %s\n", what, result >= 0 ? "allowed" : strerrorname_np(errno));
    }
    static int child(void *unused) { _exit(0); }
    /* The one clone that LeakSanitizer needs: not even from there does anyone leave the process group. */
    static int result, error;
    static int leave(void *unused)
    {
        result = setsid() < 0 && setpgid(0, 0) < 0 ? -1 : 0, error = errno;
        syscall(SYS_exit, 0);
        return 0;
    }
    static void *thread(void *result) { *(int *)result = 1; return NULL; }
    static char stack[65536] __attribute__((aligned(16)));
    extern char **environ;
    int main(void)
    {
        pid_t made = 0;
        char *words[] = {"/bin/true", NULL};
        if ((made = fork()) == 0) _exit(0);
        show("fork", made);
        made = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (made == 0) _exit(0);
        show("clone", made);
        show("clone sharing memory", clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL));
        show("clone as vfork", clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
        errno = posix_spawn(&made, "/bin/true", NULL, NULL, words, environ);
        show("posix_spawn", errno ? -1 : 0);
        show("system", system("true") == 0 ? 0 : -1);
        errno = syscall(SYS_clone3, NULL, 0) < 0 ? errno : 0;
        show("clone3", -1);
        show("setsid", setsid());
        show("setpgid", setpgid(0, 0));
        show("signal to all", kill(-1, 0));
        show("signal to the parent", kill(getppid(), 0));
        show("signal to a thread of the parent", syscall(SYS_tgkill, getppid(), getppid(), 0));
        show("signal by thread id", syscall(SYS_tkill, getppid(), 0));
        show("signal to itself", kill(getpid(), 0));
        show("raise", raise(0));
        show("socket", socket(AF_INET, SOCK_STREAM, 0));
        struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
        show("setrlimit", setrlimit(RLIMIT_CPU, &limit));
        show("getrlimit", getrlimit(RLIMIT_CPU, &limit));
        show("unshare", unshare(CLONE_NEWUSER));
        show("mount", mount("none", "/", "tmpfs", 0, NULL));
        made = clone(leave, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED, NULL);
        show("clone as LeakSanitizer", made);
        waitpid(made, NULL, __WALL);
        errno = error, show("leave from there", result);
        int ran = 0;
        pthread_t id;
        errno = pthread_create(&id, NULL, thread, &ran);
        if (!errno) pthread_join(id, NULL);
        show("thread", ran ? 0 : -1);
        return 0;
    }"""


CONFINED = {
    "fork": "EPERM", "clone": "EPERM", "clone sharing memory": "EPERM", "clone as vfork": "EPERM",
    "posix_spawn": "EPERM", "system": "EPERM", "clone3": "ENOSYS", "setsid": "EPERM", "setpgid": "EPERM",
    "signal to all": "EPERM", "signal to the parent": "EPERM", "signal to a thread of the parent": "EPERM",
    "signal by thread id": "EPERM", "signal to itself": "allowed", "raise": "allowed", "socket": "EACCES",
    "setrlimit": "EPERM", "getrlimit": "allowed", "unshare": "EPERM", "mount": "EPERM",
    "clone as LeakSanitizer": "allowed", "leave from there": "EPERM", "thread": "allowed"}
"""What a program that is shut in finds to be possible."""


@pytest.mark.skipif(not Path("/proc/sys/kernel/seccomp/actions_avail").exists()
                    or os.uname().machine not in ("x86_64", "aarch64"),
                    reason="this kernel has no seccomp filters")
def test_confinement_is_reached_where_the_kernel_can():
    """Else a broken filter would only make the tests below skip."""
    assert launch("--check").stdout == "seccomp\n"


@needs_seccomp
def test_what_a_confined_program_may_do(tmp_path):
    done = launch("--confine", "--", compile_c(tmp_path, PROBE))
    assert allowed(done.stdout) == CONFINED


def allowed(printed: str) -> dict[str, str]:
    """What PROBE has found out."""
    return dict(line.split(": ") for line in printed.splitlines())


@needs_seccomp
@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to lose")
def test_root_is_an_ordinary_user_inside():
    done = launch("--confine", "--", "/bin/grep", "-E", "^(CapEff|NoNewPrivs)", "/proc/self/status")
    assert done.stdout.split() == ["CapEff:", "0000000000000002", "NoNewPrivs:", "1"]     # files stay reachable


@needs_seccomp
def test_leak_checker_works_inside(tmp_path):
    program = compile_c(tmp_path, "#include <stdlib.h>\nchar *volatile p;\nint main(void) { p = malloc(40); "
                                  "p = NULL; }",
                        "-fsanitize=address")
    # Without disable_coredump=0 ASan would stop at the limit it may not set (process.py says the same).
    done = launch("--confine", "--leaks", "--", program, env={"ASAN_OPTIONS": "disable_coredump=0"})
    assert "Direct leak of 40 byte(s)" in done.stderr and done.returncode != 0


def test_compiles_everywhere(tmp_path):
    """With gcc, clang and for aarch64, as far as they are installed; each with warnings as errors."""
    from looplab.course.lab import ROOT
    tried = 0
    for compiler in ("gcc", "clang", "aarch64-linux-gnu-gcc"):
        command = [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/sim",
                   ROOT / "grader/launcher/launch.c",
                   "-o", tmp_path / compiler]
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            continue
        tried += 1
    assert tried >= 1


def test_runs_without_seccomp(tmp_path):
    """qemu-user knows no seccomp filters, as an old kernel: the launcher says so and goes on."""
    from looplab.course.lab import ROOT
    target = tmp_path / "launch"
    try:
        subprocess.run(["aarch64-linux-gnu-gcc", "-static", "-O2", f"-I{ROOT}/sim",
                        ROOT / "grader/launcher/launch.c", "-o", target],
                       check=True)
        done = subprocess.run(["qemu-aarch64", target, "--check"], capture_output=True, text=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("needs aarch64-linux-gnu-gcc and qemu-aarch64: make deps-dev")
    assert (done.returncode, done.stdout) == (0, "rlimits\n")
    done = subprocess.run(["qemu-aarch64", target, "--confine", "--cpu", "5", "--", "/bin/echo", "on"],
                          capture_output=True, text=True, timeout=20)
    assert done.stdout in ("on\n", "")      # qemu may refuse to run a program of another architecture
    assert "launch" not in done.stderr or "cannot run" in done.stderr
