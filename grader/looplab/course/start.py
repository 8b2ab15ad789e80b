"""`looplab start`: a clean working copy of the labs, with a git history of its own, and without solutions or hidden checks."""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from ..plain.failure import UsageError
from . import lab as labs

TAKEN = ("labs", "sim/include", "sim/runtime", "sim/world", "sim/trace", "sim/explore", "sim/kit", "sim/examples",
         "grader/looplab", "grader/launcher", "grader/scripts", "Makefile", "README.md", "LICENSE", ".gitignore", ".clang-format",
         ".clangd", ".editorconfig", ".devcontainer")
"""What a student needs. solutions/, grader/hidden, grader/tests, slides/ and the kit's own tests stay behind."""

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "start". Raises UsageError, OSError."""
    parser = argparse.ArgumentParser(prog="looplab start", description="Lays out a working copy of the labs.")
    parser.add_argument("name", help="the folder to make")
    target = Path(parser.parse_args(argv).name).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"NAME={target.name}: {target} is there already; choose another name")
    target.mkdir(parents=True, exist_ok=True)
    _lay_out(root, target)
    git = _commit(target)
    print(f"Your copy of the labs is in {target}" + (", with a git history of its own." if git else " (without git: it is not installed)."))
    print(f"Begin: cd {target} && make grade LAB=01")
    return 0


def _lay_out(root: Path, target: Path) -> None:
    """As it was committed, so that nobody's own work goes along; without git, as it is."""
    taken = [name for name in TAKEN if (root / name).exists()]
    try:
        done = subprocess.run(["git", "-C", str(root), "archive", "HEAD", "--", *taken], capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(target)
        return
    except (OSError, subprocess.CalledProcessError):
        pass
    for name in taken:
        to = target / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, to, symlinks=True, ignore=_SKIPPED)
        else:
            shutil.copy2(root / name, to)


def _commit(target: Path) -> bool:
    """A history that begins with the labs as they were handed out. False without git."""
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(target), *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        git("init", "--quiet")
        who = [] if git("config", "user.email") else ["-c", "user.name=Looplab", "-c", "user.email=looplab@localhost"]
        git("add", "--all")
        git(*who, "commit", "--quiet", "--message", "The labs as they were handed out")
        return bool(git("rev-parse", "HEAD"))
    except OSError:
        return False
