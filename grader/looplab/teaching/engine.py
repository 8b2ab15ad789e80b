"""A class on an engine that exists: it runs the shards, and one that dies is run again."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..plain.text import count, cut, printable
from ..telling.progress_line import ProgressLine
from . import parallel, shards, slurm

NAMES = ("parallel", "slurm", "github")
EACH = 50           # submissions of a shard, where nobody says how many shards there are to be
TRIES = 3           # of a shard
LOOK_S = 0.1
DISK_S = 60.0       # so long a disk that is shared may take to show what another machine has written


@dataclass(frozen=True)
class Work:
    """What is to be run. words: the command that grades a shard, but for its number. hosts: parallel's."""

    engine: str
    words: Sequence[str]
    out: Path
    of: int
    jobs: int
    hosts: Sequence[str] = ()

    @property
    def log(self) -> Path:
        """Where shards say that they have ended, and what they had to say."""
        return self.out / shards.FOLDER

    def missing(self) -> list[int]:
        """The shards that have not ended."""
        return [number for number in range(1, self.of + 1) if not shards.Shard(number, self.of).has_ended(self.out)]

    def start(self, numbers: Sequence[int]) -> subprocess.Popen[bytes]:
        commands = [[*self.words, "--shard", f"{number}/{self.of}"] for number in numbers]
        if self.engine == "slurm":
            return slurm.start(commands, numbers, self.jobs, self.log)
        return parallel.start(commands, self.hosts)


def shards_for(submissions: int, asked: str, hosts: int, most: int) -> int:
    """How many shards there are to be: as asked for, else one for each EACH submissions and each host. Raises
    UsageError."""
    if not asked:
        return max(1, min(max(math.ceil(submissions / EACH), hosts), most))
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= most):
        raise UsageError(f"SHARDS={asked}: expected a whole number from 1 to {most}")
    return int(asked)


def command(root: Path, words: Sequence[str]) -> list[str]:
    """`looplab WORDS` by this Python, for any machine that sees this checkout."""
    return [sys.executable, "-I", "-X", f"pycache_prefix={root}/build/pycache", f"{root}/grader/scripts/isolated.py",
            "-m", "looplab", *words]


def run(work: Work) -> None:
    """Runs all shards; returns when all have ended. Raises UsageError where one has not after TRIES."""
    shards.clear(work.out)              # a file may have changed; what is graded already is not graded again
    work.log.mkdir(parents=True, exist_ok=True)
    missing = work.missing()
    for attempt in range(TRIES):
        if attempt:
            _tell(f"{_named(missing, work.of)} died: run again")
        _once(work, missing)
        missing = work.missing()
        if not missing:
            return
    engine = slurm if work.engine == "slurm" else parallel
    said = printable(engine.last_words(missing[0], work.log))
    raise UsageError(f"ENGINE={work.engine}: {_named(missing, work.of)} did not end in {TRIES} tries"
                     f"{': ' + said if said else ''}; nothing is joined. Say it again: what is graded already is not "
                     "graded again")


def _once(work: Work, numbers: Sequence[int]) -> None:
    """One try of these shards."""
    engine = slurm if work.engine == "slurm" else parallel
    line = ProgressLine(sys.stderr)
    running = work.start(numbers)
    try:
        while running.poll() is None:
            line.step(0, work.of - len(work.missing()), work.of, "shards have ended")
            time.sleep(LOOK_S)
        until = time.monotonic() + DISK_S
        while running.returncode == 0 and work.missing() and time.monotonic() < until:
            time.sleep(LOOK_S)
    finally:
        line.clear()
        engine.stop(running, work.log)


def _named(missing: Sequence[int], of: int) -> str:
    return f"{count(len(missing), 'shard')} of {of} ({', '.join(map(str, missing[:5]))}" \
           f"{' …' if len(missing) > 5 else ''})"


def _tell(said: str) -> None:
    print(for_stream(sys.stderr, cut(said, 200)), file=sys.stderr, flush=True)


def absolute(word: str) -> str:
    """A path that means the same on every machine that sees it."""
    return os.path.abspath(word)
