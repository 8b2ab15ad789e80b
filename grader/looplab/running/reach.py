"""Which lines no run can be asked to reach: only a failed allocation, or a way that ends the program, leads there.

Nothing is taken from how lines look. Whether a way ends the program, gcc's notes say. Whether only a failed allocation
leads somewhere, the optimiser says: the file is compiled twice more, once with the knowledge that malloc and its like
never fail, and what is gone for that alone is what only their failure can reach. So `if (rare) { … }` does not become
one of them by looking like one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from . import build, notes, process
from .fence import of_compilers

_HEADER = Path(__file__).with_name("memory_never_fails.h")
_WAYS = {"memory-may-fail": (), "memory-always": ("-DALWAYS_MEMORY",)}


@dataclass(frozen=True)
class Reach:
    """What is known of a file's lines."""

    plain: notes.Notes          # of the program that was run
    may_fail: notes.Notes       # of the file, optimised
    always: notes.Notes         # the same, where an allocation never fails

    def beyond(self, lines: Sequence[int], condition: int | None) -> list[int]:
        """Those of these lines, which never ran and follow one another, that no run can be asked to reach.

        condition: the line that leads to them, if one is known.
        """
        gone = self.may_fail.lines - self.always.lines
        if not self.always.lines.isdisjoint(lines):
            return [line for line in lines if line in gone or line in self.plain.nowhere]
        decided = condition in self.may_fail.deciding and condition not in self.always.deciding
        if decided or not gone.isdisjoint(lines):       # what else is there has no code in either: `return -ENOMEM;`
            return list(lines)
        return [line for line in lines if line in self.plain.nowhere]


def of(program: build.Program, folder: Path) -> Reach:
    """Compiles the file twice, at the same time, in a folder that holds nothing of its name, and waits for both.

    A file that cannot be compiled so has no lines that are beyond reach for want of memory. Raises process.LaunchError.
    """
    source = program.lab.source
    found = {}
    (folder / source).write_bytes(program.text)
    if "clang" not in build.name_of(build.compiler()):      # which writes its notes before it optimises
        runs = {way: process.start([*build.compiler(), *_arguments(program, way)], limits=build.LIMITS,
                                   cwd=folder, env=build.environment(), launch=program.lab.launch,
                                   fence=of_compilers(program.lab, folder, within=program.work))
                for way in _WAYS}
        ended = {way: running.finish() for way, running in runs.items()}
        if all(outcome.ok for outcome in ended.values()):
            found = {way: notes.read((folder / f"{way}.gcno").read_bytes(), source) for way in _WAYS}
    return Reach(notes.read(program.notes, source), *(found.get(way, notes.NOTHING) for way in _WAYS))


def _arguments(program: build.Program, way: str) -> list[str]:
    lab = program.lab
    return [f"@{lab.root / 'sim' / 'kit' / 'student.flags'}", "-O2", "-w", "--coverage",
            f"-I{lab.root / 'sim' / 'include'}", f"-I{lab.folder}", *_WAYS[way], "-include", str(_HEADER),
            "-include", lab.header, "-S", lab.source, "-o", f"{way}.s"]
