"""How well a student's side is shut in on this machine: the best tier that holds, found by trying.

    A   bubblewrap: a file system, processes, a network of its own, and all that C has
    B   a user of its own, and all that C has (where the grader is root)
    C   Landlock and seccomp, as the same user
    D   limits only: good enough to practise with

Nobody is asked what the kernel can do: a program is started that tries to do what it should not.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Sequence

from .cell import Cell, CellError
from .fence import Fence, swallows

TIERS = "ABCD"
HOLDS = {"A": "bubblewrap, seccomp", "B": "a user of its own, Landlock, seccomp", "C": "Landlock, seccomp",
         "D": "limits only"}
"""What each tier is made of, in words."""


@dataclass(frozen=True)
class Reached:
    """The tier that holds. missing: why a better one does not, in words, and how it would."""

    tier: str
    missing: dict[str, str]
    fences: bool = True         # Landlock holds, by itself or inside a better tier

    def lacks(self, wanted: str) -> str | None:
        """What is missing for at least that tier, in words; None: it is reached."""
        if TIERS.index(self.tier) <= TIERS.index(wanted):
            return None
        return f"this machine reaches tier {self.tier} ({HOLDS[self.tier]}); " + "; ".join(
            f"{tier}: {why}" for tier, why in self.missing.items() if tier <= wanted)


def reached(launch: Path) -> Reached:
    """What holds on this machine, tried once in a process, with this launcher. Only LOOPLAB_TIER=A tries more than C,
    which costs next to nothing and needs nothing installed; D tries none. Raises OSError and
    subprocess.SubprocessError where the launcher does not run."""
    most = os.environ.get("LOOPLAB_TIER", "C")
    return _reached(launch, most if most in TIERS else "C")


@lru_cache(maxsize=None)
def _reached(launch: Path, most: str) -> Reached:
    if most == "D":
        return Reached("D", {tier: "LOOPLAB_TIER=D asks for no better one" for tier in "ABC"}, fences=False)
    fences = _try(launch)
    missing = {"C": fences} if fences else {}
    apart = _try(launch, apart=True, fenced=fences is None) if most == "A" else "it is tried where TIER=A asks for it"
    if apart is None:
        return Reached("A", {}, fences is None)
    return Reached("D" if missing else "C", {"A": apart, **missing}, fences is None)


# ---- Below: the trial ------------------------------------------------------------------------------

def _try(launch: Path, apart: bool = False, fenced: bool = True) -> str | None:
    """Why a program is not shut in: behind a fence, apart in a cell, or both. None: it is."""
    folder = swallows()
    if folder:
        return f"this checkout stands in {folder}, which every program may read: move it elsewhere"
    with tempfile.TemporaryDirectory(prefix="looplab-tier-") as name:
        inside, outside = Path(name) / "inside", Path(name) / "outside"
        inside.mkdir()
        outside.write_text("not to be seen")
        fence = Fence((launch,), (inside,))
        words = [launch, "--confine", *(fence.words() if fenced else []), "--", launch, "--probe", inside, outside]
        try:
            code, said = _in_cell(fence, launch, words, inside) if apart else _here(words)
        except CellError as fault:
            return str(fault)
    if code == 0:
        return None
    first = said.strip().partition("\n")[0].replace("launch: ", "")
    return f"bubblewrap does not hold ({first})" if apart else \
        f"Landlock or seccomp does not work ({first}): it takes Linux 5.13 that was started with lsm=landlock"


def _here(words: Sequence[str | Path]) -> tuple[int, str]:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def _in_cell(fence: Fence, launch: Path, words: Sequence[str | Path], folder: Path) -> tuple[int, str]:
    cell = Cell(fence, launch)
    try:
        with tempfile.TemporaryFile() as said:
            _, name = cell.start(words, cwd=folder, env={}, files=[said.fileno(), said.fileno()])
            status, _, _ = cell.end(name)
            said.seek(0)
            return status, said.read().decode("utf-8", "replace")
    finally:
        cell.close()
