"""A lab: which files it has, and where they and the kit's own parts lie.

Found by convention, so a new lab needs no registration: `labs/NN-slug` holds exactly one C file
besides `main.c`, the skeleton, and a header of the same name, the contract. A lab that is otherwise says so in
`lab.json`, whose keys are all optional:

    {"source": "test_scraper.c", "header": "scraper.h",     the two files; further C files are then the kit's own
     "suite": true,                                         the student's file is a test suite (suite.py)
     "warmups": true,                                       many small programs, a file NN-name.c each (warmups.py);
                                                            "source" is then whichever is meant
     "feedback": "number"}                                  what a suite's author hears of faults not found: none,
                                                            number
     or names
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..plain.failure import UsageError

ROOT = Path(os.path.abspath(__file__)).parents[3]
"""The top of the house: where labs/, solutions/, sim/ and build/ lie. With BUILD=DIR all but build/ are links there."""

_PART = "[0-9][0-9]-*.c"

_SLUG = re.compile(r"[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")


class LabError(Exception):
    """No such lab, or a lab folder that is not complete. The message is one line to print as it is."""


@dataclass(frozen=True)
class Lab:
    """One lab. Paths are absolute; nothing says that they exist, except `folder`."""

    slug: str       # "01-sync-vs-async"
    folder: Path    # labs/01-sync-vs-async
    source: str     # "compare.c": what the student hands in
    header: str     # "compare.h": the contract
    root: Path      # the top of the house
    kit: Path       # build/kit: what make has built
    settings: dict = field(default_factory=dict, compare=False)     # what lab.json says

    @property
    def suite(self) -> bool:
        """Is the student's file a test suite?"""
        return bool(self.settings.get("suite"))

    @property
    def warmups(self) -> bool:
        """Are there many files to hand in, each a program of its own?"""
        return bool(self.settings.get("warmups"))

    @property
    def sources(self) -> list[str]:
        """The names of all files that a student hands in, in order."""
        return sorted(path.name for path in self.folder.glob(_PART)) if self.warmups else [self.source]

    def part(self, source: str) -> "Lab":
        """The same lab, where one of several files is meant."""
        return replace(self, source=source)

    @property
    def number(self) -> str:
        """The lab's number as it is written: "01"."""
        return self.slug[:2]

    @property
    def solution(self) -> Path:
        """The folder of the reference solution."""
        return self.root / "solutions" / self.slug

    @property
    def hidden(self) -> Path:
        """The folder of the checks and worlds that students never get."""
        return self.root / "grader" / "hidden" / self.slug

    @property
    def worlds(self) -> Path:
        """The folder of the lab's world files."""
        return self.folder / "worlds"

    @property
    def launch(self) -> Path:
        """The launcher that every student process starts through."""
        return self.kit / "launch"

    @property
    def judge(self) -> Path:
        """The judge, which holds the world of each run that counts."""
        return self.kit / "judge"

    def main_object(self, asan: bool = False) -> Path:
        """The lab's compiled main.c."""
        return self.kit / self.slug / ("main-asan.o" if asan else "main.o")

    @property
    def names(self) -> Path:
        """The names that a student's file may share with the rest of the program, one a line (running/gate.py)."""
        return self.kit / self.slug / "names.txt"

    @property
    def reference(self) -> Path:
        """The reference solution as a program, if make has found and built one."""
        return self.kit / self.slug / "reference"

    def library(self, asan: bool = False) -> Path:
        """The compiled sim/."""
        return self.kit / ("libco-asan.a" if asan else "libco.a")


def slugs(root: Path = ROOT) -> list[str]:
    """The names of all lab folders, in order."""
    labs = root / "labs"
    if not labs.is_dir():
        return []
    return sorted(entry.name for entry in labs.iterdir() if entry.is_dir() and is_slug(entry.name))


def is_slug(word: str) -> bool:
    """Can a lab's folder have that name?"""
    return bool(_SLUG.fullmatch(word))


def load(slug: str, root: Path = ROOT, kit: Path | None = None) -> Lab:
    """The lab of exactly this name. Raises LabError when its folder is not complete."""
    folder = root / "labs" / slug
    settings = _settings(folder)
    if settings.get("warmups"):
        parts = sorted(path.name for path in folder.glob(_PART))
        if not parts:
            raise LabError(f"labs/{slug} holds no warm-up, NN-name.c")
        settings = {**settings, "source": parts[0]}
    if "source" in settings:
        source, header = settings["source"], settings.get("header") or str(Path(settings["source"]).with_suffix(".h"))
        missing = [name for name in (source, header) if not (folder / name).is_file()]
        if missing:
            raise LabError(f"labs/{slug}/lab.json names {missing[0]}, which is not there")
        return Lab(slug, folder, source, header, root, kit or root / "build" / "kit", settings)
    sources = sorted(path.name for path in folder.glob("*.c") if path.name != "main.c")
    if len(sources) != 1:
        found = ", ".join(sources) if sources else "none"
        raise LabError(f"labs/{slug} must hold exactly one C file besides main.c, but it holds {found}")
    header = Path(sources[0]).with_suffix(".h").name
    if not (folder / header).is_file():
        raise LabError(f"labs/{slug} holds {sources[0]}, but not its contract {header}")
    return Lab(slug, folder, sources[0], header, root, kit or root / "build" / "kit", settings)


def _settings(folder: Path) -> dict:
    """What lab.json says; {} without one. Raises LabError."""
    path = folder / "lab.json"
    try:
        said = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise LabError(f"labs/{folder.name}/lab.json is no JSON: {error}") from None
    kinds = {"source": str, "header": str, "suite": bool, "warmups": bool, "feedback": str}
    wrong = [key for key, value in said.items()
             if not isinstance(value, kinds.get(key, ()))] if isinstance(said, dict) else ["{}"]
    if wrong:
        raise LabError(f"labs/{folder.name}/lab.json: {wrong[0]}: the keys are {', '.join(kinds)}")
    return said


def find_labs(root: Path = ROOT) -> list[Lab]:
    """All labs, in order. Raises LabError when one of the folders is not complete."""
    return [load(slug, root) for slug in slugs(root)]


def resolve(word: str, root: Path = ROOT) -> Lab:
    """The lab that is meant by "1", "01" or "01-sync-vs-async". Raises LabError, which lists the labs."""
    names = slugs(root)
    for name in names:
        if word == name or (word.isascii() and word.isdigit() and int(word) == int(name[:2])):
            return load(name, root)
    known = ", ".join(names) if names else "none yet"
    raise LabError(f"there is no lab {word!r}; the labs are: {known}")


def asked(word: str, root: Path = ROOT) -> Lab:
    """The lab that a user names on a command line. Raises UsageError for an unknown one; an incomplete one is the kit's
    fault, and stays a LabError."""
    try:
        return resolve(word, root)
    except LabError as fault:
        if "no lab" in str(fault):
            raise UsageError(f"LAB={word}: {fault}") from None
        raise
