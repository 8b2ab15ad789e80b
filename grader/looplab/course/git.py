"""git as this project uses it: for what it is told to do, whoever calls, and whatever their git is set to."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Mapping, Optional

_HOME = Path(__file__).parent / "nobody"


class GitError(Exception):
    """git could not do it: its own words, in one line."""


def environment(outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a git: no GIT_DIR or GIT_INDEX_FILE of a hook that called us, none of the user's settings.

    HOME is where git looks for settings, ignored names and attributes, in each of its versions.
    """
    kept = {name: value for name, value in outer.items() if not name.startswith("GIT_")}
    return {**kept, "HOME": str(_HOME), "XDG_CONFIG_HOME": str(_HOME), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C"}


def run(folder: Path, *words: str, at: str = "", timeout_s: Optional[float] = None) -> bytes:
    """`git WORDS` in a folder: what it wrote to its standard output. at: the time of a commit, as git writes
    dates. timeout_s: so long it may take; None: as long as it takes.

    Raises GitError when git fails or takes longer, FileNotFoundError where there is no git, OSError where it cannot be
    started.
    """
    dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
    try:
        done = subprocess.run(["git", *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout_s, env={**environment(), **dates})
    except subprocess.TimeoutExpired:
        raise GitError(f"git {words[0]}: not done after {timeout_s:g} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")
        why = next((line for line in said if line.startswith(("fatal:", "error:"))), said[0])
        raise GitError(f"git {words[0]}: {why or _ended(done.returncode)}")
    return done.stdout


def _ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}, and no word why"
