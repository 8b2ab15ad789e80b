"""A lab's file as it was handed out, from git; and how it is put back without losing the one that is there."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from . import git
from .lab import Lab

HANDED_OUT = "handed-out"
"""The tag that `make start` leaves on a copy's first commit."""


class NoSkeleton(Exception):
    """There is nothing to put back: one line that says why."""


@dataclass(frozen=True)
class Skeleton:
    """The file as it was handed out."""

    text: bytes
    commit: str         # where it is from, in git's short form


def find(lab: Lab) -> Skeleton:
    """The lab's file in the commit that it was handed out with. Raises NoSkeleton.

    In a copy of `make start` that commit has a tag. In a clone it is the last one that came from where the clone is
    from, and in a repository without such a place the current one.
    """
    try:
        commit = _first(lab.root, ["rev-parse", "--verify", f"refs/tags/{HANDED_OUT}^{{commit}}"],
                        ["merge-base", "HEAD", "@{upstream}"], ["rev-parse", "--verify", "HEAD"])
        name = git.run(lab.root, "rev-parse", "--short", commit).decode().strip()
        return Skeleton(git.run(lab.folder, "show", f"{commit}:./{lab.source}"), name)
    except git.GitError as fault:
        raise NoSkeleton(str(fault)) from None
    except FileNotFoundError:
        raise NoSkeleton("git is not installed") from None
    except OSError as fault:
        raise NoSkeleton(f"git: {fault.strerror}") from None


def _first(root: Path, *asked: list[str]) -> str:
    """What the first of these says that knows anything. Raises what the last one raises."""
    for words in asked[:-1]:
        try:
            return git.run(root, *words).decode().strip()
        except git.GitError:
            pass
    return git.run(root, *asked[-1]).decode().strip()


def put_back(file: Path, text: bytes) -> Optional[Path]:
    """Gives the file this text. What it held is in the file whose path is returned; None: there was no file.

    Raises OSError; then the file holds what it held.
    """
    file = file.resolve()
    kept = _keep(file) if file.exists() else None
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(number, "wb") as out:
            out.write(text)
        os.chmod(name, file.stat().st_mode & 0o777 if kept else 0o644)
        os.replace(name, file)
    except OSError:
        os.unlink(name)
        raise
    return kept


def _keep(file: Path) -> Path:
    """Copies the file to compare.c.old, compare.c.old2, …: the first of them that is not there yet."""
    number = 1
    while True:
        kept = file.with_name(f"{file.name}.old{number if number > 1 else ''}")
        try:
            with file.open("rb") as held, kept.open("xb") as copy:
                shutil.copyfileobj(held, copy)
            shutil.copystat(file, kept)
            return kept
        except FileExistsError:
            number += 1
