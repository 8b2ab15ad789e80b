"""Begins the grading of one lab: a session of the right kind, with a scratch folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Optional

from ..course.lab import Lab
from ..running import process
from .kind import Kind
from .program_lab import ProgramLab
from .session import Session
from .suite_lab import SuiteLab
from .warmup_lab import WarmupLab


def kind_of(lab: Lab) -> Kind:
    """What kind of lab it is."""
    return SuiteLab() if lab.suite else WarmupLab() if lab.warmups else ProgramLab()


def begin(lab: Lab, source_dir: Path, out: Path, seed: int) -> Session:
    """A session for the student's file in source_dir, the caller's to close. Raises OSError where there is no room."""
    scratch = lab.root / "build" / "work"
    scratch.mkdir(parents=True, exist_ok=True)
    work, user = Path(tempfile.mkdtemp(dir=scratch)), _user(lab)
    if user is not None:
        work.chmod(0o711)       # what is in there is called by its name, by a user who cannot list it
    return Session(lab, source_dir, out, work, seed, kind_of(lab), user)


def _user(lab: Lab) -> Optional[int]:
    """Whom programs run as, if not as the grader. (A launcher that does not run is told of where a program starts.)"""
    try:
        return process.shut_in(lab.launch).user if lab.launch.is_file() else None
    except process.LaunchError:
        return None
