"""One process, run within limits: start it, read what it prints, end it at a limit, tell the facts.

Every program that is not the grader's own, a student's or a compiler, runs through here. Nothing here
judges: an Outcome says what happened, and whoever asked decides what that means.

    outcome = run([program, "async"], limits=COVER, cwd=work)
    pair = [start(a, …), start(b, …)]; outcomes = [p.finish() for p in pair]      # two at a time
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Mapping, Protocol, Sequence

from ..course.lab import ROOT
from . import tier
from .cell import Cell, CellError, cell_of
from .fence import Fence
from .queued import Queued

MIB = 1 << 20
GIB = 1 << 30

LAUNCH = ROOT / "build" / "kit" / "launch"
"""The launcher, when the caller names no other."""

ASAN_EXIT = 86
"""What a sanitizer build exits with after a finding that ended it."""


_TICK_S = 0.025
"""How often memory and threads are looked at. Most runs are over before the first time."""


PATIENCE_S = 60.0
"""So long a program may wait for a processor on a busy machine, beyond its limit on the wall, which counts no such
time."""

_under_way: set[Running] = set()
_over = threading.Event()


class LaunchError(Exception):
    """The program could not be started, or got no processor: a fault of the grader or the machine, in one line."""


@dataclass(frozen=True)
class Limits:
    """What a process may use. None: no limit of this kind."""

    cpu_s: int | None = 2               # processor time
    wall_s: float = 4.0                 # time on the wall, without that in which it waited for a processor
    memory: int | None = 4 * GIB        # address space in bytes (never for sanitizer builds: their shadow is huge)
    resident: int | None = 1 * GIB      # bytes really in memory; looked at every few hundredths of a second
    file: int = 16 * MIB                # size of any file it writes
    output: int = 1 * MIB               # stdout and stderr together
    threads: int | None = 64            # looked at together with `resident`
    processes: bool = False             # may it make other processes? (compilers must)


COVER = Limits()
"""For a student's program in its plain build, which counts coverage."""

ASAN = Limits(cpu_s=6, wall_s=8.0, memory=None)
"""For the build with sanitizers."""

TOOL = Limits(cpu_s=20, wall_s=20.0, memory=2 * GIB, resident=None, file=256 * MIB, threads=None, processes=True)
"""For compilers and gcovr."""

_TOOLS_ENV = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16000000:"
                                "glibc.malloc.mmap_threshold=64000000"}
"""What those programs have in their environment that may make others. Huge pages where Linux gives them: a linker asks
for 30 MB of memory, and finds 500 pages missing where it found 11,000, which took over half of its time. (Other C
libraries do not look at it.)"""


@dataclass(frozen=True)
class Outcome:
    """How a process ended. Exactly one of `exit` and `signal` is set."""

    exit: int | None        # what it exited with
    signal: str | None      # "SIGSEGV": the signal that ended it
    limit: str | None       # which limit ended it: "cpu" (it computed without end), "wall" (it waited without end),
                            # "memory", "output", "file" or "threads"; None: it ended by itself. ("trace": by itself,
                            # but what it left behind is not what the kit writes; session.py says so.)
    stdout: str             # readable(): no control characters but tab and newline
    stderr: str
    cpu_s: float            # for information only: no check may depend on these three
    wall_s: float
    idle_s: float = 0.0     # of wall_s: neither computed nor waited for a processor, by a wide margin

    @property
    def ok(self) -> bool:
        """Did it exit with 0, of its own accord?"""
        return self.exit == 0 and self.limit is None


class Child(Protocol):
    """A process that was started, the leader of its group, and the reading ends of its stdout and stderr."""

    pid: int
    stdout: BinaryIO
    stderr: BinaryIO

    def end(self) -> tuple[int, float, int]:
        """Waits for it, once it has ended or been killed: what wait4() says, the seconds of processor time it took, and
        its largest memory in bytes. Its number is free from then on. Raises LaunchError."""


class _Own:
    """A child of this process."""

    def __init__(self, child: subprocess.Popen[bytes]):
        assert child.stdout is not None and child.stderr is not None
        self._child, self.pid, self.stdout, self.stderr = child, child.pid, child.stdout, child.stderr

    def end(self) -> tuple[int, float, int]:
        _, status, used = os.wait4(self.pid, 0)
        self._child.returncode = os.waitstatus_to_exitcode(status)
        return status, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


class _InCell:
    """One that was started in a cell. Raises LaunchError."""

    def __init__(self, cell: Cell, words: Sequence[str | Path], cwd: Path, env: Mapping[str, str], keep: int | None):
        out, theirs_out = os.pipe()
        err, theirs_err = os.pipe()
        self._cell, self.stdout, self.stderr = cell, open(out, "rb", 0), open(err, "rb", 0)
        try:
            files = [theirs_out, theirs_err, *([] if keep is None else [keep])]
            self.pid, self._name = cell.start(words, cwd=cwd, env=env, files=files, keep=keep)
        except CellError as error:
            self.stdout.close()
            self.stderr.close()
            raise LaunchError(str(error)) from error
        finally:
            os.close(theirs_out)
            os.close(theirs_err)

    def end(self) -> tuple[int, float, int]:
        try:
            return self._cell.end(self._name)
        except CellError as error:
            raise LaunchError(str(error)) from error


class Running:
    """A process under way, made by start(). Its limits are watched from a thread of its own."""

    def __init__(self, child: Child, limits: Limits):
        self._child = child
        self._ended = False
        self._limits = limits
        self._started = time.monotonic()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        _under_way.add(self)
        self._watcher.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    def finish(self) -> Outcome:
        """Waits until it has ended, within its limits, and returns how. May be called again. Raises LaunchError when
        the machine was too busy to run it."""
        self._watcher.join()
        if isinstance(self._error, LaunchError):
            raise self._error
        if self._outcome is None:
            raise LaunchError(f"the watch over a process failed: {self._error!r}")
        return self._outcome

    def wait(self) -> None:
        """Until it has ended, within its limits. May be called again."""
        self._watcher.join()

    def kill(self) -> None:
        """Ends it and all that it started, now. finish() still returns an Outcome."""
        if not self._ended:
            _kill_group(self._child.pid)

    def _watch(self) -> None:
        try:
            self._outcome = self._follow()
        except BaseException as error:      # told by finish(), in the thread that can do something about it
            self._error = error
            self.kill()
        finally:
            _under_way.discard(self)

    def _follow(self) -> Outcome:
        child, limits = self._child, self._limits
        texts = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
        limit: str | None = None
        with child.stdout, child.stderr, _Ended(child.pid) as ended, selectors.DefaultSelector() as selector:
            for fd in texts:
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ)
            if ended.fd is not None:
                selector.register(ended.fd, selectors.EVENT_READ)
            queued, owed, waited = Queued(child.pid), 0.0, 0.0
            deadline = self._started + limits.wall_s
            tick = self._started + _TICK_S
            while limit is None:
                events = selector.select(max(0.0, min(deadline, tick) - time.monotonic()))
                # Asked before the pipes are read: all it wrote is then in them. They may stay open after it has
                # ended, when something that it started holds them; nobody waits for that.
                over = ended.now([key.fd for key, _ in events])
                for key, _ in events:
                    if key.fd in texts and not _drain(key.fd, texts, limits.output):
                        selector.unregister(key.fd)
                if sum(map(len, texts.values())) > limits.output:
                    limit = "output"
                elif over:
                    break
                elif time.monotonic() >= deadline:
                    owed = queued.look()
                    deadline = self._started + limits.wall_s + min(owed, PATIENCE_S)
                    limit = "wall" if time.monotonic() >= deadline else None
                elif time.monotonic() >= tick:
                    tick = time.monotonic() + _TICK_S
                    limit = _excess(child.pid, limits)
                    waited = queued.look()
            # Its number cannot have gone to anyone else yet: until wait4 it stays taken, and so does its group's.
            _kill_group(child.pid)
            self._ended = True
            status, cpu_s, peak = child.end()
            for fd in texts:
                _drain(fd, texts, limits.output)
        if limit == "wall" and owed > PATIENCE_S:
            raise LaunchError(f"the machine is too busy: a program waited {owed:.0f} s for a processor")
        if limit is None and sum(map(len, texts.values())) > limits.output:
            limit = "output"
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if limit == "wall" and cpu_s >= limits.wall_s / 8:
            limit = "cpu"                   # a busy machine gave it little, but it computed: it did not wait
        if limit is None and number is not None:
            limit = _kernels_limit(number, cpu_s, peak, limits)
        stdout, stderr = (readable(bytes(text[:limits.output])) for text in texts.values())
        return Outcome(exit=os.WEXITSTATUS(status) if number is None else None,
                       signal=None if number is None else _signal_name(number), limit=limit, stdout=stdout,
                       stderr=stderr, cpu_s=cpu_s, wall_s=time.monotonic() - self._started,
                       idle_s=idle(time.monotonic() - self._started, cpu_s, waited))


def idle(wall_s: float, cpu_s: float, waited_s: float) -> float:
    """Seconds in which a run slept, at least. A program waits for its judge, too, which waits for a processor as long
    as the program does, or a few times that; and half a second is nothing."""
    return max(0.0, wall_s - cpu_s - 4 * waited_s - 0.5)


def start(argv: Sequence[str | Path], *, limits: Limits = COVER, cwd: Path, env: Mapping[str, str] | None = None,
          launch: Path | None = None, keep: int | None = None, fence: Fence | None = None) -> Running:
    """Starts a program (a relative path counts from `cwd`) and returns at once. `env` adds to clean_env(cwd); keep: the
    one open file that it is given; fence: what it sees of the file system, where the tier allows to say so. Raises
    LaunchError.

    The program is ended when the thread that called start() ends, so that none is left when the grader dies.
    """
    refuse_when_ended()
    words = command(argv, limits, cwd=cwd, launch=launch, more=[] if keep is None else ["--keep-fd", str(keep)],
                    fence=fence)
    settings = {**clean_env(cwd), **(_TOOLS_ENV if limits.processes else {}), **(env or {})}
    if fence and shut_in(launch).tier == "A":
        return Running(_InCell(cell_for(fence, launch), words, cwd, settings, keep), limits)
    try:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 bufsize=0, cwd=cwd, pass_fds=[] if keep is None else [keep],
                                 env=settings, start_new_session=True)
    except OSError as error:
        raise LaunchError(f"cannot start {words[0]} in {cwd}: {error.strerror}") from error
    return Running(_Own(child), limits)


def command(argv: Sequence[str | Path], limits: Limits, *, cwd: Path, launch: Path | None = None,
            more: Sequence[str] = (), fence: Fence | None = None) -> list[str | Path]:
    """The words that start a program within limits, and behind a fence: the launcher, with these further options of its
    own, and then the program. Raises LaunchError when there is no such program."""
    name = str(argv[0])
    in_cwd = "/" in name and not os.path.isabs(name)    # then it stays as it is: no longer, wherever the folder lies
    program = shutil.which(os.path.join(cwd, name) if in_cwd else name)
    if program is None:
        raise LaunchError(f"there is no program {argv[0]}")
    words: list[str | Path] = [launch or LAUNCH, "--file", str(limits.file)]
    if limits.cpu_s is not None:
        words += ["--cpu", str(limits.cpu_s)]
    if limits.memory is not None:
        words += ["--memory", str(limits.memory)]
    if not limits.processes:
        words += ["--confine", "--fixed-addresses", *([] if limits.memory else ["--leaks"])]
    if fence and shut_in(launch).fences:
        words += [*tier.as_user(shut_in(launch).user), *fence.words()]
    return [*words, *more, "--", name if in_cwd else os.path.abspath(program), *argv[1:]]


def end_all() -> None:
    """Ends every process under way, and lets none start until begin_again()."""
    _over.set()
    for running in list(_under_way):
        running.kill()


def refuse_when_ended() -> None:
    """Raises LaunchError from end_all() on."""
    if _over.is_set():
        raise LaunchError("the grading was ended")


def begin_again() -> None:
    """Takes end_all() back, for the next grading in this process."""
    _over.clear()


def run(argv: Sequence[str | Path], *, limits: Limits = COVER, cwd: Path, env: Mapping[str, str] | None = None,
        launch: Path | None = None, fence: Fence | None = None) -> Outcome:
    """start() and finish() in one."""
    return start(argv, limits=limits, cwd=cwd, env=env, launch=launch, fence=fence).finish()


def clean_env(home: Path) -> dict[str, str]:
    """The whole environment of a student's process: the same on every machine, nothing of the student's shell."""
    return {
        "LC_ALL": "C",
        "TZ": "UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        # A finding ends the program with a code of its own; memory that cannot be had is NULL, as in the plain build;
        # freed blocks are kept back from reuse, but not so many that they count as the student's memory.
        "ASAN_OPTIONS": f"exitcode={ASAN_EXIT}:abort_on_error=0:disable_coredump=0:detect_leaks=1:color=never:"
                        "allocator_may_return_null=1:max_allocation_size_mb=4096:quarantine_size_mb=64:symbolize=0:"
                        "detect_stack_use_after_return=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:color=never:symbolize=0",
        "LSAN_OPTIONS": "print_suppressions=0",
    }


def readable(data: bytes) -> str:
    """Bytes as text that cannot fool a terminal: control characters become visible signs."""
    return _UNSEEN.sub(_sign, data.decode("utf-8", "replace"))


def sandbox(launch: Path | None = None) -> str:
    """How well a student's program is shut in on this machine: "seccomp", or "rlimits" where that is not to be had."""
    try:
        return subprocess.run([launch or LAUNCH, "--check"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(f"{launch or LAUNCH} does not run: {error}") from error


def cell_for(fence: Fence, launch: Path | None = None) -> Cell:
    """Where a process runs that is to see this: the file system of its own that it shares. Raises LaunchError."""
    try:
        return cell_of(fence.widest, launch or LAUNCH)
    except CellError as error:
        raise LaunchError(str(error)) from error


def shut_in(launch: Path | None = None) -> tier.Reached:
    """The tier of the sandbox on this machine. Raises LaunchError."""
    try:
        return tier.reached(launch or LAUNCH)
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(f"{launch or LAUNCH} does not run: {error}") from error


# ---- Below: how ------------------------------------------------------------------------------------

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What a terminal obeys instead of showing: C0 and C1 controls, and marks that turn or hide text."""


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)           # Unicode has a picture for each of these
    if code == 0x7F:
        return "\u2421"
    return f"<U+{code:04X}>"


class _Ended:
    """Tells when a child has ended without reaping it. Where the kernel has no pidfd, by asking."""

    def __init__(self, pid: int):
        self._pid = pid
        self.fd: int | None = None
        if hasattr(os, "pidfd_open"):
            try:
                self.fd = os.pidfd_open(pid)
            except OSError:
                pass

    def __enter__(self) -> "_Ended":
        return self

    def __exit__(self, *_: object) -> None:
        if self.fd is not None:
            os.close(self.fd)

    def now(self, readable_fds: Sequence[int]) -> bool:
        if self.fd is not None:
            return self.fd in readable_fds
        try:
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:           # another's child, which nobody has reaped yet
            return _is_over(self._pid)


def _is_over(pid: int) -> bool:
    """Has it ended, whoever is to reap it?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] in "ZX"
    except OSError:
        return True


def _drain(fd: int, texts: dict[int, bytearray], most: int) -> bool:
    """Reads what is there, up to a little more than `most` in all. False at the end of the file."""
    while sum(map(len, texts.values())) <= most:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return True
        if not data:
            return False
        texts[fd] += data
    return True


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):       # all of it has ended (macOS: and is not yet reaped)
        pass


def _excess(pid: int, limits: Limits) -> str | None:
    """Does it hold too much at this moment? None where there is no /proc to ask."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if limits.resident is not None and int(facts.get("VmRSS", "0 kB").split()[0]) * 1024 > limits.resident:
        return "memory"
    if limits.threads is not None and int(facts.get("Threads", "1")) > limits.threads:
        return "threads"
    return None


def _kernels_limit(number: int, cpu_s: float, peak: int, limits: Limits) -> str | None:
    """Which limit is behind a signal that we did not send."""
    if number == signal.SIGXFSZ:
        return "file"
    if number == signal.SIGXCPU:
        return "cpu"
    if number == signal.SIGKILL and limits.cpu_s is not None and cpu_s >= 0.7 * limits.cpu_s:
        return "cpu"                        # it outlived SIGXCPU, and the kernel lost patience (whose limit counts
                                            # in clock ticks, and may be a fifth off what it reports here)
    if number == signal.SIGKILL and peak > 256 * MIB:
        return "memory"                     # a guess: the machine ran out of memory
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
