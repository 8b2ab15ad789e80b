"""The command that makes a check's run again, and the world file that it names."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from ..asking.call import Call
from ..course.lab import Lab

URLS_SHOWN = 4              # so many URLs stand in the command that makes a run again; more are kept in a file


class Replays:
    """Of one grading. out: the lab's folder under OUT, which the worlds are written to."""

    def __init__(self, lab: Lab, source_dir: Path, out: Path, seed: int):
        self._lab, self._source_dir, self._out, self._seed = lab, source_dir, out, seed
        self._worlds: dict[str, int] = {}       # how many of each check

    def save(self, name: str, called: Call) -> Path:
        """Writes the world where the replay command finds it: OUT/NN-slug/worlds/<name>[-k].json."""
        name = re.sub(r"[^\w.-]+", "_", name).strip("_")
        k = self._worlds.get(name, 0) + 1
        path = self._out / "worlds" / (f"{name}.json" if k == 1 else f"{name}-{k}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(called.world)
        self._worlds[name] = k
        return path.resolve()

    def command(self, called: Call, world: Path) -> str:
        """The words of that call in the world that was saved there."""
        named = called.named
        parts = [("LAB", self._lab.number), ("MODE", called.mode), ("WORLD", short(self._lab, world)),
                 ("SEED", str(self._seed))]
        if self._source_dir.resolve() != self._lab.folder.resolve():
            parts.append(("FROM", short(self._lab, self._source_dir)))
        said = [f"{name}={shlex.quote(value)}" for name, value in parts]
        if len(named) > URLS_SHOWN:     # too long for a command: they lie beside the world
            path = world.with_suffix(".urls")
            path.write_text("\n".join(named) + "\n")
            said.append(f"URLS=\"$(cat {shlex.quote(short(self._lab, path))})\"")
        elif named:
            said.append(f"URLS={shlex.quote(' '.join(named))}")
        return " ".join(["make run", *said, *called.replay()])


def short(lab: Lab, path: Path) -> str:
    """The path from the top of the house, if it lies in it."""
    path = Path(os.path.abspath(path))
    return str(path.relative_to(lab.root)) if path.is_relative_to(lab.root) else str(path)
