"""One grading in a process of its own, forked from one that has everything loaded: a fifth of a second sooner than a
fresh start."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Optional

from ..course.lab import Lab
from ..course.order import Order
from ..telling.scorecard import Style
from . import signals

PATIENCE_S = 5      # for a grading that is told to end


class Grading:
    """A grading under way. It ends by itself; stop() ends it early. core: the only processor that it uses, with all
    that it starts; None: any. only: the one check to make; None: all. figures: see Order."""

    def __init__(self, lab: Lab, folder: Path, out: Path, seed: int, core: Optional[int] = None,
                 only: Optional[str] = None, figures: bool = False):
        # What it found comes back in a file without a name: what lies in `out` may be another grading's by then.
        self._told = tempfile.TemporaryFile()
        self._pid = _fork(Order([lab], folder, out, seed, only, figures), self._told, core)

    def done(self) -> bool:
        """Has it ended? Does not wait."""
        if self._pid:
            pid, _ = os.waitpid(self._pid, os.WNOHANG)
            self._pid = 0 if pid else self._pid
        return not self._pid

    def result(self) -> Optional[dict]:
        """Its results.json, for one that is done; None if it wrote none (it was stopped, or could not write)."""
        self._told.seek(0)
        text = self._told.read()
        return json.loads(text) if text else None

    def stop(self) -> None:
        """Ends it and its programs, and waits until they are gone. One that does not heed that is killed."""
        if not self._pid:
            return
        os.kill(self._pid, signal.SIGTERM)
        patience = time.monotonic() + PATIENCE_S
        while not self.done():
            if time.monotonic() > patience:
                os.killpg(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                self._pid = 0
                return
            time.sleep(0.005)


def _fork(order: Order, told: IO[bytes], core: Optional[int]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    before = signals.held()
    pid = os.fork()
    if pid:
        signals.release(before)
        return pid
    code = 3
    try:
        os.setpgrp()                        # what the terminal sends is the watch's; it stops us
        signal.set_wakeup_fd(-1)
        if core is not None:
            with contextlib.suppress(OSError):      # where that is not allowed it is only slower
                os.sched_setaffinity(0, {core})
        for number in signals.TAKEN:
            signal.signal(number, _interrupt if number in signals.ENDS else signal.SIG_DFL)
        signals.release(before)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        code = _grade(order, told)
    except BaseException:       # whatever it was: there is no result then, and the watch says so
        pass
    finally:
        os._exit(code)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _grade(order: Order, told: IO[bytes]) -> int:
    from ..report.grade import grade

    result = grade(order.labs[0], order, Style(), lambda done, of, title: None).result
    if not result:
        return 3
    told.write(json.dumps(result).encode())
    told.flush()
    return 0


def load() -> None:
    """Loads now what every grading needs."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    from ..grading import plugin    # noqa: F401
    from ..report import grade      # noqa: F401
