"""How well a student's side is shut in on this machine: the best tier that holds, found by trying.

    A   bubblewrap: a file system, processes, a network of its own, and all that C has
    B   a user of its own, and all that C has (where the grader is root)
    C   Landlock and seccomp, as the same user
    D   limits only: good enough to practise with

Nobody is asked what the kernel can do: a program is started that tries to do what it should not.
"""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Iterator, Sequence

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
    user: int | None = None     # whom a student's side runs as; None: as the grader

    def lacks(self, wanted: str) -> str | None:
        """What is missing for at least that tier, in words; None: it is reached."""
        if TIERS.index(self.tier) <= TIERS.index(wanted):
            return None
        return f"this machine reaches tier {self.tier} ({HOLDS[self.tier]}); " + "; ".join(
            f"{tier}: {why}" for tier, why in self.missing.items() if tier <= wanted)


def reached(launch: Path) -> Reached:
    """What holds on this machine, tried once in a process, with this launcher. LOOPLAB_TIER says how much is tried:
    A and B each first themselves, then the other, by default only C, which costs next to nothing and needs nothing
    installed; D tries none. Raises OSError and subprocess.SubprocessError where the launcher does not run."""
    most = os.environ.get("LOOPLAB_TIER", "C")
    return _reached(launch, most if most in TIERS else "C")


@contextmanager
def asked_for(tier: str | None) -> Iterator[None]:
    """LOOPLAB_TIER is that one meanwhile; None: what it is already."""
    before = os.environ.get("LOOPLAB_TIER")
    os.environ.update({} if tier is None else {"LOOPLAB_TIER": tier})
    try:
        yield
    finally:
        os.environ.pop("LOOPLAB_TIER", None)
        os.environ.update({} if before is None else {"LOOPLAB_TIER": before})


@lru_cache(maxsize=None)
def _reached(launch: Path, most: str) -> Reached:
    if most == "D":
        return Reached("D", {tier: "LOOPLAB_TIER=D asks for no better one" for tier in "ABC"}, fences=False)
    fences = _try(launch)
    missing = {tier: f"it is tried where TIER={tier} asks for it" for tier in "AB"}
    for tier in {"A": "AB", "B": "BA"}.get(most, ""):
        user = _stranger() if tier == "B" else None
        why = _try(launch, apart=True, fenced=fences is None) if tier == "A" else fences or _try(launch, user=user)
        if why is None:
            return Reached(tier, {"A": missing["A"]} if tier == "B" else {}, fences is None, user)
        missing[tier] = why
    return Reached("D" if fences else "C", {**missing, **({"C": fences} if fences else {})}, fences is None)


def as_user(user: int | None) -> list[str]:
    """The launcher's option for that."""
    return [] if user is None else ["--user", str(user)]


# ---- Below: the trial ------------------------------------------------------------------------------

def _stranger() -> int:
    """A user that this machine knows nothing of, another one for most gradings that run at a time: of the numbers that
    systemd, too, gives to whoever needs one for a while."""
    known = {account.pw_uid for account in pwd.getpwall()} | {group.gr_gid for group in grp.getgrall()}
    numbers = range(61184, 65520)
    return next(number for number in (numbers[(os.getpid() + i) % len(numbers)] for i in range(len(numbers)))
                if number not in known)


def _try(launch: Path, apart: bool = False, fenced: bool = True, user: int | None = None) -> str | None:
    """Why a program is not shut in: behind a fence, apart in a cell, or both, or as that user. None: it is."""
    if user is not None and os.geteuid() != 0:
        return "only root can start programs as another user"
    folder = swallows()
    if folder:
        return f"this checkout stands in {folder}, which every program may read: move it elsewhere"
    with tempfile.TemporaryDirectory(prefix="looplab-tier-") as name:
        inside, outside = Path(name) / "inside", Path(name) / "outside"
        inside.mkdir()
        os.chmod(name, 0o711)       # for the user that is to reach what is inside
        outside.write_text("not to be seen")
        fence = Fence((launch,), (inside,))
        words = [launch, "--confine", *as_user(user), *(fence.words() if fenced else []), "--", launch, "--probe",
                 inside, outside]
        try:
            code, said = _in_cell(fence, launch, words, inside) if apart else _here(words)
        except CellError as fault:
            return str(fault)
    if code == 0:
        return None
    first = said.strip().partition("\n")[0].replace("launch: ", "")
    if user is not None:
        return f"a program does not run as user {user} ({first}): it takes a checkout that every user may read"
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
