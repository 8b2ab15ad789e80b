"""The process that holds the world of one run, and keeps the record of what the program did in it (sim/judge)."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from pathlib import Path
from typing import Optional

from ..course.lab import ROOT
from .process import LaunchError

JUDGE = ROOT / "build" / "kit" / "judge"
_FIRST_FD = 100             # so that a descriptor's number has three digits in every run: the program is told it
_PATIENCE_S = 60.0          # between the program's end and the judge's


class Judge:
    """A judge that serves one program. world, record: files that the program must not see; name: of the program, for
    the record. Raises LaunchError."""

    def __init__(self, world: Path, record: Path, *, seed: int, tape: Optional[str], name: str):
        self._record = record
        record.unlink(missing_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            words = [JUDGE, "--world", world, "--record", record, "--seed", str(seed), "--program", name, "--serve",
                     str(theirs.fileno()), *(["--tape", tape] if tape else [])]
            try:
                self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.PIPE, pass_fds=[theirs.fileno()],
                                                 start_new_session=True)
            except OSError as error:
                raise LaunchError(f"cannot start {JUDGE}: {error.strerror} (make build/kit/judge)") from error
            self.fd = fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FD)

    def is_handed_over(self) -> None:
        """The program has its end of the connection: this process lets go of it."""
        os.close(self.fd)

    def finish(self) -> str:
        """The whole record, once the program has ended. Raises LaunchError when there is none: that is never the
        program's doing."""
        try:
            _, said = self._process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.close()
            raise LaunchError("the judge did not come to its end") from None
        if self._process.returncode != 0:
            raise LaunchError(f"the judge failed ({self._process.returncode}): {said.decode('utf-8', 'replace')}")
        return self._record.read_text("utf-8", "replace")

    def close(self) -> None:
        """Ends it, if it is still there."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()
