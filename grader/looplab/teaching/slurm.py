"""Shards of a class as an array of jobs of a Slurm cluster, whose nodes see this checkout and OUT on a shared disk."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Sequence

from ..plain.failure import UsageError
from ..plain.text import printable

MOST = 1000         # what a cluster takes if it was told nothing else (MaxArraySize, less one)


def start(commands: Sequence[Sequence[str]], numbers: Sequence[int], cores: int, log: Path) -> subprocess.Popen[bytes]:
    """Submits commands[k] as task numbers[k] of one array, each with so many processors; the process that is returned
    ends when all have. log: a folder that is there, on a shared disk; what a task writes goes there. Partition, account
    and time are said as Slurm is told them (SBATCH_PARTITION and the like). Raises UsageError without Slurm."""
    cases = "".join(f"{number}) exec {shlex.join(command)} ;;\n" for number, command in zip(numbers, commands))
    script = f"#!/bin/sh\ncase $SLURM_ARRAY_TASK_ID in\n{cases}esac\n"
    words = ["sbatch", "--parsable", "--wait", "--no-requeue", "--job-name=looplab", f"--cpus-per-task={cores}",
             f"--array={','.join(map(str, numbers))}", f"--output={_plain(log)}/slurm-%a.txt"]
    try:
        with open(log / "job", "wb") as job, open(log / "refused", "wb") as said:
            running = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=job, stderr=said)
    except FileNotFoundError:
        raise UsageError("ENGINE=slurm: there is no sbatch here: say it where jobs are submitted") from None
    assert running.stdin
    try:
        running.stdin.write(script.encode("utf-8", "surrogateescape"))
        running.stdin.close()
    except BrokenPipeError:
        pass                            # it has refused already, and says why
    return running


def _plain(path: Path) -> str:
    """In a file's name Slurm replaces what stands behind a %."""
    return str(path).replace("\\", "\\\\").replace("%", "%%")


def stop(running: subprocess.Popen[bytes], log: Path) -> None:
    """Takes the array back where it is still under way. Raises UsageError where it was never taken."""
    job = (log / "job").read_text().strip().partition(";")[0]
    if running.poll() is None:
        if job:
            subprocess.run(["scancel", job], check=False)
        running.terminate()
        running.wait()
    elif running.returncode and not job:
        said = (log / "refused").read_text("utf-8", "replace").strip().split("\n")[-1]
        raise UsageError(f"ENGINE=slurm: sbatch takes no job: {printable(said)}")


def last_words(number: int, log: Path) -> str:
    """The last line that a task has written; "" where there is none."""
    try:
        lines = (log / f"slurm-{number}.txt").read_text("utf-8", "replace").strip().split("\n")
    except OSError:
        return ""
    return lines[-1]
