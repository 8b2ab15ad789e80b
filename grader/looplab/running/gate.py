"""The gate before linking: which names of a student's file the rest of the program can see.

That is what the contract asks for, and nothing else: a function of the student's that is called `write` stays the
student's own, and does not stand in for the one that the kit calls. A name of the kit's own stays seen too, so that the
linker refuses to have it twice.

    python3 -m looplab.running.gate 04-worker-queue          writes build/kit/04-worker-queue/names.txt
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ..course import lab as labs
from ..course.lab import Lab
from .code import Code

_GNU = b"\3"       # of an ELF header, where the assembler has met such a function (ELFOSABI_GNU)
# Names of sections: the linker sorts .init_array.N and .ctors.M, M being 65535 - N, by N, which it reads as a number;
# what is in .init goes before all of them. Compilers write five digits, and theirs are from 100 on.
_EARLY = re.compile(rb"\.preinit_array|\.ctors|\.init\0|\.init_array\.(?:000\d\d\0|(?!\d{5}\0))")
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_NO_FUNCTIONS = frozenset(("void", "int", "sizeof"))        # as in `void (*at)(int)`


def contract(lab: Lab) -> set[str]:
    """The functions and function types that the lab's header declares."""
    return _declared(lab.folder / lab.header)


def of_the_kit(lab: Lab) -> set[str]:
    """What the kit's headers declare, and main."""
    return set().union({"main"}, *map(_declared, (lab.root / "sim" / "include").glob("*.h")))


def _declared(header: Path) -> set[str]:
    return set(_CALLED.findall(Code(header.read_bytes()).without_comments())) - _NO_FUNCTIONS


def write_names(lab: Lab) -> None:
    """Puts both into the file that objcopy is given for each student's file."""
    names = contract(lab) | of_the_kit(lab)
    lab.names.write_text("".join(f"{name}\n" for name in sorted(names)))


def shut(lab: Lab, compiled: str) -> list[str]:
    """The command that takes all other names of an object file out of sight."""
    return ["objcopy", f"--keep-global-symbols={lab.names}", compiled]


def begins_early(compiled: bytes) -> bool:
    """Does this object file of the student's hold code that runs before the kit's first step: as early constructors, or
    to choose a function while the program is loaded? Such a program makes no copies of itself: it would be in the first
    process that the student's code ran."""
    return _EARLY.search(compiled) is not None or compiled[7:8] == _GNU


if __name__ == "__main__":
    write_names(labs.load(sys.argv[1]))
