"""What kinds of labs there are to a session: what is built of a student's file, and whose lines are counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Sequence

from ..asking.check import Check
from ..course.lab import Lab
from ..running import build


class Kind(ABC):
    """One kind of lab."""

    @abstractmethod
    def build(self, lab: Lab, source_dir: Path, work: Path) -> build.Program:
        """Builds the student's file in `work`. Raises build.Ungradable, build.BuildError."""

    @abstractmethod
    def measured(self, program: build.Program) -> build.Program:
        """What coverage is counted of."""

    def begin(self, session: Any, checks: Sequence[Check]) -> None:
        """These checks of that Session will run: what they need can be begun with."""

    def end(self) -> None:
        """No check will run any more."""
