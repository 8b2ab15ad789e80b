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
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Mapping, Sequence

from .lab import ROOT

MIB = 1 << 20
GIB = 1 << 30

LAUNCH = ROOT / "build" / "kit" / "launch"
"""The launcher, when the caller names no other."""

ASAN_EXIT = 86
"""What a sanitizer build exits with after a finding that ended it."""


class LaunchError(Exception):
    """The program could not be started at all: a fault of the grader or the machine, in one line."""


@dataclass(frozen=True)
class Limits:
    """What a process may use. None: no limit of this kind."""

    cpu_s: int | None = 2               # processor time
    wall_s: float = 4.0                 # time on the wall
    memory: int | None = 4 * GIB        # address space in bytes (never for sanitizer builds: their shadow is huge)
    resident: int | None = 1 * GIB      # bytes really in memory; looked at every few hundredths of a second
    file: int = 64 * MIB                # size of any file it writes
    output: int = 1 * MIB               # stdout and stderr together
    threads: int | None = 64            # looked at together with `resident`
    processes: bool = False             # may it make other processes? (compilers must)


COVER = Limits()
"""For a student's program in its plain build, which counts coverage."""

ASAN = Limits(cpu_s=6, wall_s=8.0, memory=None)
"""For the build with sanitizers."""

TOOL = Limits(cpu_s=20, wall_s=20.0, memory=2 * GIB, file=256 * MIB, processes=True)
"""For compilers and gcovr."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended. Exactly one of `exit` and `signal` is set."""

    exit: int | None        # what it exited with
    signal: str | None      # "SIGSEGV": the signal that ended it
    limit: str | None       # which limit ended it: "cpu" "wall" "memory" "output" "file" "threads"; else None
    stdout: str             # readable(): no control characters but tab and newline
    stderr: str
    cpu_s: float            # for information only: no check may depend on these three
    wall_s: float
    peak: int               # most bytes in memory at a time

    @property
    def ok(self) -> bool:
        """Did it exit with 0, of its own accord?"""
        return self.exit == 0 and self.limit is None


class Running:
    """A process under way, made by start(). Its limits are watched from a thread of its own."""

    def finish(self) -> Outcome:
        """Waits until it has ended, within its limits, and returns how. May be called again."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it and all that it started, now. finish() still returns an Outcome."""
        raise NotImplementedError


def start(argv: Sequence[str | Path], *, limits: Limits = COVER, cwd: Path, env: Mapping[str, str] | None = None,
          launch: Path | None = None) -> Running:
    """Starts a program and returns at once. `env` adds to clean_env(cwd). Raises LaunchError.

    The program is ended when the thread that called start() ends, so that none is left when the grader dies.
    """
    raise NotImplementedError


def run(argv: Sequence[str | Path], *, limits: Limits = COVER, cwd: Path, env: Mapping[str, str] | None = None,
        launch: Path | None = None) -> Outcome:
    """start() and finish() in one."""
    return start(argv, limits=limits, cwd=cwd, env=env, launch=launch).finish()


def clean_env(home: Path) -> dict[str, str]:
    """The whole environment of a student's process: the same on every machine, nothing of the student's shell."""
    raise NotImplementedError


def readable(data: bytes) -> str:
    """Bytes as text that cannot fool a terminal: control characters become visible signs."""
    raise NotImplementedError


def sandbox(launch: Path | None = None) -> str:
    """How well a student's program is shut in on this machine: "seccomp", or "rlimits" where that is not to be had."""
    raise NotImplementedError
