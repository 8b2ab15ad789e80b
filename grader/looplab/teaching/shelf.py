"""Where a class's results lie: OUT/STUDENT/NN-slug, each with word of what it is the result of.

A result counts only when the file `graded` beside it says so, which is written last: whatever was cut short is graded
again, and nothing else is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Optional

from ..course.lab import Lab
from ..telling import results
from .intake import Submission

_RULES = ("*.py", "*.h", "*.c", "*.json", "*.flags", "*.a", "*.o")      # what decides over a grade, of the kit's files


def version(root: Path, labs: Iterable[Lab]) -> dict[str, str]:
    """By slug: a digest of all that decides over a lab's grades but the file and the seed. It takes some ms a lab."""
    return {lab.slug: _digest(sorted({
        path for folder in (root / "grader" / "looplab", lab.folder, lab.hidden, lab.solution, lab.kit)
        for rule in _RULES for path in folder.rglob(rule) if path.is_file()
        and (folder != lab.kit or path.parent == lab.kit or lab.slug in path.parts)}), root) for lab in labs}


def _digest(paths: Iterable[Path], root: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(os.fsencode(os.path.relpath(path, root)) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


@dataclass(frozen=True)
class Place:
    """Where one result lies."""

    folder: Path        # OUT/STUDENT/NN-slug

    @property
    def handed_in(self) -> Path:
        """The folder with a copy of the file that was graded."""
        return self.folder / "handed-in"

    def result(self, key: Optional[str] = None) -> Optional[dict]:
        """The result; None if there is none, or (with a key) none for this key."""
        try:
            if key is not None and (self.folder / "graded").read_text() != key + "\n":
                return None
            return json.loads((self.folder / "results.json").read_text())
        except (OSError, ValueError):
            return None

    def clear(self, submission: Submission) -> None:
        """Takes away what was there, and puts a copy of the file in its place."""
        (self.folder / "graded").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.handed_in.mkdir(parents=True)
        shutil.copyfile(submission.file, self.handed_in / submission.lab.source)

    def finish(self, result: dict, key: str) -> None:
        """The result is whole. How long it took on this machine is left out: the same class gives the same bytes."""
        results.write({**result, "elapsed_s": 0.0}, self.folder)
        beside = self.folder / ".graded"
        beside.write_text(key + "\n")
        beside.replace(self.folder / "graded")


def place(out: Path, submission: Submission) -> Place:
    return Place(out / submission.student / submission.lab.slug)


def key(submission: Submission, seed: int, rules: str) -> str:
    """What a grading depends on, as one word."""
    known = f"{submission.lab.slug}\0{seed}\0{rules}\0".encode()
    return hashlib.sha256(known + submission.file.read_bytes()).hexdigest()
