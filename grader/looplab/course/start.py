"""`looplab start`: a clean copy of the labs, with a git history of its own, without solutions and hidden checks."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..plain.failure import UsageError
from . import copy, git, lab as labs


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "start". Raises UsageError, also for what git or the disk refuses."""
    parser = argparse.ArgumentParser(prog="looplab start", description="Lays out a working copy of the labs.")
    parser.add_argument("name", help="the folder to make")
    name = parser.parse_args(argv).name
    target = Path(name).absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"NAME={target.name}: {target} is there already; choose another name")
    try:
        with copy.whole_or_nothing(target):
            copy.lay_out(root, target)
            committed = copy.commit(target)
    except git.GitError as fault:
        raise UsageError(f"NAME={name}: nothing was made: {fault}") from None
    except OSError as fault:
        raise UsageError(f"NAME={name}: nothing was made: {fault.strerror}: {fault.filename or target}") from None
    print(f"Your copy of the labs is in {target}" + (", with a git history of its own." if committed else
                                                     " (without git: it is not installed)."))
    print(f"Begin: cd {target} && make watch LAB=00, or with a lab: make grade LAB=01")
    return 0
