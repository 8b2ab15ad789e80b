"""The labs whose student's file is a test suite: it is linked with many scrapers."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ..course.lab import Lab
from ..running import build
from . import linking
from .kind import Kind
from .session import Session
from .suite import Suite


class SuiteLab(Kind):
    """What is built is the suite, and the lines of the visible scraper are counted."""

    def __init__(self) -> None:
        self._suite: Optional[Suite] = None

    def build(self, lab: Lab, source_dir: Path, work: Path) -> build.Program:
        """The suite on the visible scraper."""
        return linking.build_suite(lab, source_dir, work)

    def measured(self, program: build.Program) -> build.Program:
        """The visible scraper."""
        return linking.measured(program)

    def suite(self, session: Session) -> Suite:
        """All that became of the student's tests, found out once."""
        if not self._suite:
            self._suite = Suite(session)
            session.second.of_no_run(self._suite.findings)
        return self._suite
