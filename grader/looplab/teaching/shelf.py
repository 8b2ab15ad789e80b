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

_RULES = ("*.py", "*.h", "*.c", "*.json", "*.o", "*.so", "*.txt", "reference")     # of what decides over a grade


def version(root: Path, labs: Iterable[Lab]) -> dict[str, str]:
    """By slug: a digest of all that decides over a lab's grades but the file and the seed. It takes some ms a lab."""
    for_all = _digest([root / "grader" / "looplab"], root)
    return {lab.slug: for_all + _digest([lab.folder, lab.hidden, lab.solution, lab.kit / lab.slug, lab.library(),
                                         lab.library(asan=True)], root) for lab in labs}


def _digest(places: Iterable[Path], root: Path) -> str:
    """Of files, and of what counts in folders."""
    whole = hashlib.sha256()
    for path in sorted({path for place in places for path in ([place] if place.is_file() else [
            path for rule in _RULES for path in place.rglob(rule) if path.is_file()])}):
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
        """Takes away what was there, and puts a copy of what was handed in in its place."""
        (self.folder / "graded").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.handed_in.mkdir(parents=True)
        for name, file in submission.files:
            shutil.copyfile(file, self.handed_in / name)

    def finish(self, result: dict, key: str) -> dict:
        """The result is whole; returns it as it lies here. How long it took on this machine is left out: the same class
        gives the same bytes."""
        kept = {**result, "elapsed_s": 0.0}
        results.write(kept, self.folder)
        beside = self.folder / ".graded"
        beside.write_text(key + "\n")
        beside.replace(self.folder / "graded")
        return kept


def place(out: Path, submission: Submission) -> Place:
    return Place(out / submission.student / submission.lab.slug)


def key(submission: Submission, seed: int, rules: str) -> str:
    """What a grading depends on, as one word."""
    known = f"{submission.lab.slug}\0{seed}\0{rules}\0".encode()
    text = b"\0".join(file.read_bytes() if not submission.more else name.encode() + b"\0" + file.read_bytes()
                      for name, file in submission.files)
    return hashlib.sha256(known + text).hexdigest()
