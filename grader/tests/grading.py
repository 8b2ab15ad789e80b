"""Gradings for tests: by the command line, as students and judges make them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from looplab.course import lab as labs
from looplab.course.lab import Lab, LabError
from warm import looplab

ROOT = Path(__file__).resolve().parents[2]
OURS = ("01-sync-vs-async", "02-url-fetcher", "03-scraper", "04-worker-queue", "05-data-pipeline", "06-testing")
"""The kit's own labs. Of these is asked more than `make check-lab` asks of any lab: a deck of slides, many mutants. A
lab that somebody else has made in their checkout is none of them."""


def not_ours(folder: str, names: list[str]) -> set[str]:
    """What shutil.copytree is to leave out, for a checkout as it was before anybody made a lab in it."""
    return {name for name in names if name == "__pycache__"
            or labs.is_slug(name) and name not in (*OURS, "00-warmups") and (ROOT / "labs" / name).is_dir()}


@dataclass(frozen=True)
class Graded:
    """What came out of one grading."""

    code: int       # the exit code
    result: dict    # results.json
    card: str       # what stood on the terminal

    @property
    def score(self) -> int:
        return self.result["score"]

    def lost(self) -> str:
        """Which checks lost points, and their messages."""
        return "\n\n".join(f"{check['id']}: {check['message']}" for check in self.result["checks"]
                           if check["score"] < check["max_score"])


def grade(lab: Lab, source: Path, out: Path, seed: int = 7) -> Graded:
    """Grades the folder that holds the lab's file."""
    done = looplab("grade", "--lab", lab.slug, "--from", source, "--out", out, "--seed", seed)
    result = out / lab.slug / "results.json"
    assert result.exists(), done.stdout + done.stderr
    return Graded(done.returncode, json.loads(result.read_text()), done.stdout)


def only_file(lab: Lab, source: Path, folder: Path) -> Path:
    """A folder with nothing but that file, under the name it has in the lab."""
    folder.mkdir(parents=True)
    shutil.copy(source, folder / lab.source)
    return folder


def complete_labs() -> tuple[list[Lab], list[str]]:
    """The labs that can be graded, and the names of those that somebody is still writing."""
    whole, begun = [], []
    for slug in labs.slugs():
        try:
            lab = labs.load(slug)
        except LabError:
            begun.append(slug)
            continue
        if lab.warmups:         # test_warmups.py
            continue
        there = (lab.folder / "test_visible.py").exists() and (lab.solution / lab.source).exists()
        (whole if there else begun).append(lab if there else slug)  # type: ignore[arg-type]
    return whole, begun
