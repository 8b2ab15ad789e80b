"""Shards of a class by GNU parallel, here or on hosts over ssh: O. Tange, "GNU Parallel", 2018,
doi:10.5281/zenodo.1146014 (whom it asks to name)."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import Sequence

from ..plain.failure import UsageError

PROGRAM = "parallel"
PATIENCE_S = 1.0


def start(commands: Sequence[Sequence[str]], hosts: Sequence[str]) -> subprocess.Popen[bytes]:
    """Starts these commands, one at a time on each host. hosts: as ssh knows them, ":" for this one; none: here. What
    they say of faults goes where ours goes. Raises UsageError where there is no such program.

    The commands are its input, not its words: whatever a folder is called, nothing in it is replaced."""
    words = [PROGRAM, "--will-cite", "--null", "--jobs", "1", "--line-buffer"]
    for host in hosts:
        words += ["--sshlogin", host]
    if hosts:
        words += ["--retries", str(len(hosts) + 1)]         # on another host, where one does not answer
    try:
        running = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   env={**os.environ, "SHELL": "/bin/sh"})
    except FileNotFoundError:
        raise UsageError("ENGINE=parallel: GNU parallel is not installed") from None
    assert running.stdin
    running.stdin.write(b"\0".join(os.fsencode(shlex.join(command)) for command in commands))
    running.stdin.close()
    return running


def stop(running: subprocess.Popen[bytes], log: Path) -> None:
    """Ends it and the commands that it runs; one that has ended stays so. Waits for it."""
    for _ in range(3):                  # at the first word it waits for what is under way, at the next it ends that
        if running.poll() is not None:
            return
        running.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(PATIENCE_S)
    running.kill()
    running.wait()


def last_words(number: int, log: Path) -> str:
    """What a shard has said stands on the terminal."""
    return ""
