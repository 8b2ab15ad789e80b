"""`looplab start`: a clean copy of the labs, with a git history of its own, without solutions and hidden checks."""

from __future__ import annotations

import argparse
import io
import shutil
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..plain.failure import UsageError
from . import git, lab as labs, skeleton

TAKEN = ("labs", "sim/include", "sim/runtime", "sim/world", "sim/trace", "sim/judge", "sim/explore", "sim/kit",
         "sim/examples", "grader/looplab", "grader/launcher", "grader/scripts", "Makefile", "README.md", "LICENSE",
         ".gitattributes", ".gitignore", ".clang-format", ".clangd", ".editorconfig", ".devcontainer")
"""What a student needs. solutions/, grader/hidden, grader/tests, slides/ and the kit's own tests stay behind."""

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "start". Raises UsageError, also for what git or the disk refuses."""
    parser = argparse.ArgumentParser(prog="looplab start", description="Lays out a working copy of the labs.")
    parser.add_argument("name", help="the folder to make")
    name = parser.parse_args(argv).name
    target = Path(name).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"NAME={target.name}: {target} is there already; choose another name")
    try:
        with _whole_or_nothing(target):
            _lay_out(root, target)
            committed = _commit(target)
    except git.GitError as fault:
        raise UsageError(f"NAME={name}: nothing was made: {fault}") from None
    except OSError as fault:
        raise UsageError(f"NAME={name}: nothing was made: {fault.strerror}: {fault.filename or target}") from None
    print(f"Your copy of the labs is in {target}" + (", with a git history of its own." if committed else
                                                     " (without git: it is not installed)."))
    print(f"Begin: cd {target} && make grade LAB=01")
    return 0


@contextmanager
def _whole_or_nothing(target: Path) -> Iterator[None]:
    """Makes the folder. When what follows fails, all that was made goes away again, the folders on the way included."""
    made = next((folder for folder in [*reversed(target.parents), target] if not folder.exists()), None)
    try:
        target.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for left in [made] if made else list(target.iterdir()):
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)
        raise


def _lay_out(root: Path, target: Path) -> None:
    """As it was committed, so that nobody's own work goes along; where this is no clone, or without git, as it is."""
    if (root / ".git").exists():
        try:
            known = git.run(root, "ls-tree", "-z", "--name-only", "HEAD", "--", *TAKEN).decode().split("\0")[:-1]
        except FileNotFoundError:
            pass
        else:
            with tarfile.open(fileobj=io.BytesIO(git.run(root, "archive", "HEAD", "--", *known))) as archive:
                archive.extractall(target)
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


def _commit(target: Path) -> bool:
    """A history that begins with the labs as they were handed out. False where there is no git."""
    try:
        git.run(target, "init", "--quiet", "--template=")
    except FileNotFoundError:
        return False
    git.run(target, "symbolic-ref", "HEAD", "refs/heads/main")
    git.run(target, "add", "--all")
    git.run(target, "commit", "--quiet", "--message", "The labs as they were handed out")
    git.run(target, "tag", skeleton.HANDED_OUT)
    return True
