"""What a student's process, or a compiler that works on a student's file, sees of the file system.

A fence names what it may read and what it may write; besides, a process needs some of the system's own: the loader and
the libraries, a program that compiles others also the compilers. Nothing else is there for it: no hidden checks, no
solutions, no other student's file. How that is brought about is a matter of the tier (tier.py).
"""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Optional

from ..course.lab import ROOT, Lab

LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/lib",
             "/usr/local/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/etc/ld.so.preload")
"""What a program is loaded from."""

FACTS = ("/proc", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage", "/dev/zero", "/dev/urandom",
         "/dev/random")
"""Where it learns of itself and of the machine."""

DEVICES = ("/dev/null",)
"""What anybody may write to."""

TOOLS = ("/bin", "/usr/bin", "/usr/local/bin", "/usr/include", "/usr/local/include", "/usr/local/libexec", "/usr/share",
         "/etc/alternatives", "/usr/aarch64-linux-gnu", "/usr/x86_64-linux-gnu")
"""What compilers need besides."""


@dataclass(frozen=True)
class Fence:
    """What a process sees. reads, writes: files and folders; tools: it compiles or looks at what was compiled;
    within: a fence around several like this one."""

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    tools: bool = False
    within: Optional["Fence"] = None

    @property
    def widest(self) -> "Fence":
        """What is seen in the file system that the process gets of its own, where it gets one."""
        return self.within or self

    @property
    def system(self) -> tuple[str, ...]:
        """What it reads of the system."""
        return LIBRARIES + FACTS + (TOOLS + elsewhere() if self.tools else ())

    def words(self) -> list[str]:
        """The launcher's options."""
        return [word for name in self.system for word in ("--read", name)] \
            + [word for path in self.reads for word in ("--read", str(path))] \
            + [word for path in (*DEVICES, *self.writes) for word in ("--write", str(path))]


def of_compilers(lab: Lab, folder: Path, within: Optional[Path] = None) -> Fence:
    """What a compiler sees that works in that folder: the kit's headers and libraries, the lab's own headers.
    within: the folder that holds it, and other such ones."""
    sim = lab.root / "sim"
    reads = (sim / "include", sim / "kit" / "student.flags", sim / "kit" / "link.flags", lab.folder, lab.names,
             Path(__file__).with_name("memory_never_fails.h"),
             *(path for asan in (False, True) for path in (lab.main_object(asan), lab.library(asan))))
    return Fence(reads, (folder,), tools=True, within=of_compilers(lab, within) if within else None)


def swallows() -> str | None:
    """The folder of the system's that this very checkout stands in, which then nobody may see; None: in none."""
    house = Path(os.path.realpath(ROOT))
    return next((name for name in LIBRARIES + TOOLS if Path(os.path.realpath(name)) in (house, *house.parents)), None)


@lru_cache(maxsize=None)
def elsewhere() -> tuple[str, ...]:
    """Where compilers and gcovr stand that the system has not brought: /opt/gcc-14, a virtual environment."""
    found = []
    for word in [*(shlex.split(os.environ.get("CC", "")) or ["gcc"]), "gcovr"]:
        place = shutil.which(word)
        top = Path(os.path.realpath(place)).parent.parent if place else Path("/usr")
        for folder in (top, Path(place).parent.parent if place else top):
            if str(folder) not in ("/", "/usr", "/usr/local") and folder not in (ROOT, *ROOT.parents):
                found += [str(folder / name) for name in ("bin", "lib", "lib64", "libexec", "include", "share",
                                                          "pyvenv.cfg")]
    return tuple(dict.fromkeys(found))
