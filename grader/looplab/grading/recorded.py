"""A run that was made, as it is kept: two checks may ask for the same one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Optional

from ..asking.call import Call
from ..asking.check import Check
from ..reading.trace import Trace
from ..running import process
from ..running.sanitizer import Finding
from ..running.series import OneOfMany
from .desk import Desk


@dataclass
class Recorded:
    """One run; that of the build with sanitizers may still be under way."""

    check: Check                        # who asked first
    call: Call
    replay: str
    outcome: process.Outcome
    text: str                           # its trace
    trace: Optional[Trace]
    asan: process.Running | OneOfMany | None = None      # under way, or None: settled
    desk: Optional[Desk] = None                 # the sanitizer run's
    findings: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    memory: Optional[int] = None                # peak of the cover process, in bytes
    failed: Optional[Check] = None              # the check that it has failed by itself, by its end
    again: Optional[Callable[[], str]] = None   # makes the cover run once more and returns its trace
    fault: Optional[str] = None
    together: bool = False                      # made with others in one process
