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

from .fence import Fence, swallows

TIERS = "ABCD"
HOLDS = {"A": "bubblewrap, Landlock, seccomp", "B": "a user of its own, Landlock, seccomp", "C": "Landlock, seccomp",
         "D": "limits only"}
"""What each tier is made of, in words."""


@dataclass(frozen=True)
class Reached:
    """The tier that holds. missing: why a better one does not, in words, and how it would."""

    tier: str
    missing: dict[str, str]

    def lacks(self, wanted: str) -> str | None:
        """What is missing for at least that tier, in words; None: it is reached."""
        if TIERS.index(self.tier) <= TIERS.index(wanted):
            return None
        return f"this machine reaches tier {self.tier} ({HOLDS[self.tier]}); " + "; ".join(
            f"{tier}: {why}" for tier, why in self.missing.items() if tier <= wanted)


def reached(launch: Path) -> Reached:
    """What holds on this machine, tried once in a process, with this launcher. LOOPLAB_TIER=C tries none that is
    better. Raises OSError and subprocess.SubprocessError where the launcher does not run."""
    most = os.environ.get("LOOPLAB_TIER", "A")
    return _reached(launch, most if most in TIERS else "A")


@lru_cache(maxsize=None)
def _reached(launch: Path, most: str) -> Reached:
    missing: dict[str, str] = {}
    for tier, trial in _TRIALS.items():
        why = f"LOOPLAB_TIER={most} asks for no better one" if tier < most else trial(launch)
        if why is None:
            return Reached(tier, missing)
        missing[tier] = why
    return Reached("D", missing)


# ---- Below: the trials -----------------------------------------------------------------------------

def _try_fence(launch: Path) -> str | None:
    """Why Landlock and seccomp do not hold; None: they do."""
    folder = swallows()
    if folder:
        return f"this checkout stands in {folder}, which every program may read: move it elsewhere"
    with tempfile.TemporaryDirectory(prefix="looplab-tier-") as name:
        inside, outside = Path(name) / "inside", Path(name) / "outside"
        inside.mkdir()
        outside.write_text("not to be seen")
        words = [launch, "--confine", *Fence((launch,), (inside,)).words(), "--", launch, "--probe", inside, outside]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode == 0:
        return None
    said = (done.stdout + done.stderr).strip().partition("\n")[0].replace("launch: ", "")
    return f"Landlock or seccomp does not work ({said}): it takes Linux 5.13 that was started with lsm=landlock"


_TRIALS = {"C": _try_fence}
