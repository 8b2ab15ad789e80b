"""What students get of the house, laid out in a folder: without solutions, hidden checks and the project's own tests.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Sequence

from . import git, skeleton

TAKEN = ("labs", "sim/include", "sim/runtime", "sim/protocol", "sim/world", "sim/trace", "sim/explore", "sim/kit",
         "sim/judge", "sim/examples", "grader/looplab", "grader/launcher", "grader/scripts", "Makefile", "README.md",
         "LICENSE", ".gitattributes", ".gitignore", ".clang-format", ".clangd", ".editorconfig", ".devcontainer")
"""What a student needs. solutions/, grader/hidden, grader/tests, slides/ and the kit's own tests stay behind."""

_TEACHERS = "labs/AUTHORING.md"
"""A page in one of these folders that is none of a student's."""

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


@contextmanager
def whole_or_nothing(target: Path) -> Iterator[None]:
    """Makes the folder. When what follows fails, all that was made goes away again, the folders on the way included."""
    made = next((folder for folder in [*reversed(target.parents), target] if not folder.exists()), None)
    try:
        target.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for left in [made] if made else list(target.iterdir()):
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)
        raise


def committed(root: Path, names: Sequence[str]) -> Optional[tarfile.TarFile]:
    """Those of these files and folders that were committed, as an archive, the caller's to close. None: this is no
    clone, or there is no git. Raises GitError, OSError."""
    if not (root / ".git").exists():
        return None
    try:
        known = git.run(root, "ls-tree", "-z", "--name-only", "HEAD", "--", *names).decode().split("\0")[:-1]
    except FileNotFoundError:
        return None
    return tarfile.open(fileobj=io.BytesIO(git.run(root, "archive", "HEAD", "--", *known)))


def lay_out(root: Path, target: Path) -> None:
    """As it was committed, so that nobody's own work goes along; where this is no clone, or without git, as it is.
    Raises GitError, OSError."""
    archive = committed(root, TAKEN)
    if archive:
        with archive:
            archive.extractall(target)
        (target / _TEACHERS).unlink(missing_ok=True)
        return
    for name in TAKEN:
        if not (root / name).exists():
            continue
        to = target / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, to, symlinks=True, ignore=_SKIPPED)
        else:
            shutil.copy2(root / name, to)
    (target / _TEACHERS).unlink(missing_ok=True)


def commit(target: Path, at: str = "") -> bool:
    """A history that begins with the labs as they were handed out. at: when that was, as git writes dates ("": now).
    False where there is no git. Raises GitError, OSError."""
    try:
        git.run(target, "init", "--quiet", "--template=")
    except FileNotFoundError:
        return False
    git.run(target, "symbolic-ref", "HEAD", "refs/heads/main")
    git.run(target, "add", "--all")
    git.run(target, "commit", "--quiet", "--message", "The labs as they were handed out", at=at)
    git.run(target, "tag", skeleton.HANDED_OUT)
    return True
