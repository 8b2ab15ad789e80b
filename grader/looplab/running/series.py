"""Many runs of a lab's program in one process, one after the other: sim/kit/forks.h has the messages.

A copy of a program with sanitizers costs several times what a short run in it does. So its runs are first made in one
copy. That shows only that all is well. A run that is not quite as expected (it ended the process, found something, left
memory behind, was slow, wrote too much) is made once more, in a copy of its own, and only that one counts.
"""

from __future__ import annotations

import os
import queue
import re
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Callable, Optional, Sequence

from . import process, sanitizer
from .forks import Answer, Forks
from .judge import Judge
from .queued import Queued


SERIES_S = 60           # processor time that all runs of one process have together
PATIENCE_S = 2.0        # for one run; most take a thousandth of that
STALLED_MOST = 2        # so many runs that do not end in time, and no further one is made with others
ODD_MOST = 3            # so many odd runs one after the other, and no further one is first made with others


class Series:
    """The runs of one program. forks: who makes copies of it. limits: of each run."""

    def __init__(self, forks: Forks, limits: process.Limits):
        self._forks, self._limits = forks, limits
        self._asked: queue.SimpleQueue[Optional[OneOfMany]] = queue.SimpleQueue()
        self._worker: Optional[threading.Thread] = None
        self._socket: Optional[socket.socket] = None
        self._copy: Optional[Answer] = None
        self._odd = 0           # so many of the last runs were
        self._stalled = 0       # and so many of all were never answered
        self._used_us = 0       # processor time of the process so far

    def start(self, words: Sequence[str], *, cwd: Path, alone: Callable[[], process.Running],
              judge: Optional[Judge] = None) -> process.Running | OneOfMany:
        """A run with this command line (the program's name first) in the folder `cwd`, as soon as those before it are
        over. judge: holds its world (judge.FD is the connection). alone: makes the place as good as new, and starts the
        run in a process of its own; so is every run made of a program of which each seems to be odd."""
        process.refuse_when_ended()
        if self._odd >= ODD_MOST or self._stalled >= STALLED_MOST:
            return alone()
        run = OneOfMany(words, cwd, alone, self.end, judge)
        if not self._worker:
            self._worker = threading.Thread(target=self._work, daemon=True)
            self._worker.start()
        self._asked.put(run)
        return run

    def _work(self) -> None:
        for run in iter(self._asked.get, None):
            outcome = None
            try:
                outcome = None if run.killed else self._outcome(run)
            finally:
                run.settle(outcome)     # whatever happened: somebody waits for it
        self.end()

    def _outcome(self, run: OneOfMany) -> Optional[process.Outcome]:
        """How it ended, if all is well; else None."""
        begun = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                answer = self._ask(run, out, err)
            except OSError as error:
                answer = b""
                self._stalled += isinstance(error, socket.timeout)
            stdout, stderr = _read(out, self._limits), _read(err, self._limits)
        said = re.fullmatch(rb"(\d{1,3}) 1 (\d{1,12})", answer)      # the program could write there, too
        if said and stdout is not None and stderr is not None and not sanitizer.said(stderr):
            self._odd = 0
            before, self._used_us = self._used_us, int(said[2])
            cpu_s, wall_s = max(0, self._used_us - before) / 1e6, time.monotonic() - begun
            return process.Outcome(exit=int(said[1]), signal=None, limit=None, stdout=stdout, stderr=stderr,
                                   cpu_s=cpu_s, wall_s=wall_s, idle_s=self._idle(wall_s, cpu_s))
        self._odd += 1
        self.end()          # whatever it was, it may have left something behind
        return None

    def _idle(self, wall_s: float, cpu_s: float) -> float:
        """process.idle(). How long the process has waited for a processor is asked for only where that matters."""
        if not self._copy or not process.idle(wall_s, cpu_s, 0):
            return 0.0
        return process.idle(wall_s, cpu_s, Queued(self._copy.pid).look())

    def _ask(self, run: OneOfMany, out: IO[bytes], err: IO[bytes]) -> bytes:
        """The answer to a run; b"" when the process ends. Raises OSError: no answer came, or there is no process."""
        line = self._socket             # end() may take it away meanwhile
        if not line:
            line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._socket, self._used_us = line, 0
            line.settimeout(min(self._limits.wall_s, PATIENCE_S))
            with theirs:
                self._copy = self._forks.series(theirs, SERIES_S)
            if not self._copy:
                raise OSError
        text = [os.fsencode(word) for word in ("run", str(self._limits.cpu_s), os.path.abspath(run.cwd), *run.words)]
        judge = run.judge
        socket.send_fds(line, [b"".join(word + b"\0" for word in text)],
                        [out.fileno(), err.fileno(), *([judge.fd] if judge else [])])
        if judge:
            judge.is_served()
        return line.recv(256)

    def end(self) -> None:
        """Ends the process of the runs so far; the next run gets one of its own."""
        line, self._socket = self._socket, None
        if line:
            line.close()
        copy, self._copy = self._copy, None
        if copy:
            self._forks.kill(copy)

    def close(self) -> None:
        """No run follows. To be called before the Forks are closed."""
        self._asked.put(None)


class OneOfMany:
    """A run of a series: what Running is of a process."""

    def __init__(self, words: Sequence[str], cwd: Path, alone: Callable[[], process.Running],
                 end_all: Callable[[], None], judge: Optional[Judge] = None):
        self.words, self.cwd, self.judge, self.killed = words, cwd, judge, False
        self.together = True            # it was made with others; False: alone
        self._alone, self._end_all = alone, end_all
        self._over = threading.Event()
        self._outcome: Optional[process.Outcome] = None

    def settle(self, outcome: Optional[process.Outcome]) -> None:
        """The run is over. None: it must be made alone."""
        self._outcome = outcome
        self._over.set()

    def finish(self) -> process.Outcome:
        """Waits until it has ended, and returns how. May be called again. Raises process.LaunchError."""
        self._over.wait()
        if self._outcome is None and self.killed:
            self._outcome = process.Outcome(exit=None, signal="SIGKILL", limit=None, stdout="", stderr="", cpu_s=0.0,
                                            wall_s=0.0)
        return self._outcome or self.once_more()

    def wait(self) -> None:
        """Until it is over, though it may have to be made once more."""
        self._over.wait()

    def once_more(self) -> process.Outcome:
        """Makes the run in a process of its own, and returns how that one ended. Raises process.LaunchError."""
        self.together = False
        self._outcome = self._alone().finish()
        return self._outcome

    def kill(self) -> None:
        """Nobody waits for it any more."""
        self.killed = True
        if not self._over.is_set():
            self._end_all()


def _read(file: IO[bytes], limits: process.Limits) -> Optional[str]:
    """What was written. None: more than it may."""
    file.seek(0)
    data = file.read(limits.output + 1)
    return process.readable(data) if len(data) <= limits.output else None
