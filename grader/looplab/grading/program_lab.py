"""The labs whose student's file is a program: it is run in worlds."""

from __future__ import annotations

from pathlib import Path

from ..course.lab import Lab
from ..running import build
from .kind import Kind


class ProgramLab(Kind):
    """What is built is the student's program, and its lines are counted."""

    def build(self, lab: Lab, source_dir: Path, work: Path) -> build.Program:
        """With counters of coverage, and with sanitizers."""
        return build.build(lab, source_dir, work)

    def measured(self, program: build.Program) -> build.Program:
        """The student's file."""
        return program
