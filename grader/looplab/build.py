"""A student's file becomes a program, twice: one build counts coverage, one finds faults of memory.

What is wrong with the file itself (missing, empty, does not compile, lacks a function) is raised as
Ungradable, in one sentence a student can act on. What is wrong with the kit or the machine is a BuildError.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .lab import Lab


class Ungradable(Exception):
    """The file cannot be graded. `message` is for the student; `src` is "compare.c:12", "compare.c" or None."""

    def __init__(self, message: str, src: str | None = None):
        super().__init__(message)
        self.message = message
        self.src = src


class BuildError(Exception):
    """The grader's or the machine's fault (no compiler, the kit is not built), in one line."""


@dataclass(frozen=True)
class Advice:
    """A compiler warning. It costs no points."""

    src: str        # "compare.c:12"
    text: str       # "unused variable 'x'"


@dataclass(frozen=True)
class Program:
    """What build() made. The folders stay until the caller removes work_dir."""

    lab: Lab
    work: Path                      # holds everything below
    source: Path                    # the copy that was compiled: work/compare.c
    cover: Path                     # the program that counts coverage
    asan: Path                      # the program with sanitizers
    advice: tuple[Advice, ...]      # in the order of their lines

    def line(self, src: str | None) -> str:
        """The text of a source line, stripped: line("compare.c:31"). "" for a place outside the student's file."""
        raise NotImplementedError


def build(lab: Lab, source_dir: Path, work_dir: Path) -> Program:
    """Compiles source_dir/<lab.source> both ways, at the same time, in work_dir (made if missing).

    Raises Ungradable or BuildError. Nothing of source_dir but that one file is read.
    """
    raise NotImplementedError
