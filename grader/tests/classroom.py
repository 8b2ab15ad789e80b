"""A class of any size, as platforms leave it: made of what the corpora know to be right, wrong, ungradable or hostile.

As a program (`classroom.py FOLDER SIZE`) it lays one out.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "grader/tests/corpus"
FIRST = ("Ada", "Zoë", "José María", "Łukasz", "Anne-Marie", "Søren", "O'Neil", "Ὑπατία", "李", "Björn Ole")
LAST = ("Lovelace", "Müller", "García Márquez", "Żak", "de la Cruz", "Ångström", "d’Arc", "Öz", "王", "van der Berg")
UNFIT = ("int x", "", "#include <none.h>\n", "\0\xff\xfe", "int main(void) { return 0; }\n")
HOSTILE = ("#include <unistd.h>\n#include <signal.h>\n__attribute__((constructor)) static void die(void)\n"
           "{\n    kill(0, SIGKILL);\n}\n",
           "#include <unistd.h>\n__attribute__((constructor)) static void fork_on(void)\n{\n    while (fork() >= 0)\n"
           "        ;\n}\n",
           "__attribute__((constructor)) static void spin(void)\n{\n    for (;;)\n        ;\n}\n",
           "#include <stdlib.h>\n#include <string.h>\n__attribute__((constructor)) static void eat(void)\n{\n"
           "    for (;;)\n        memset(malloc(1 << 24), 1, 1 << 24);\n}\n")
"""What stands above a right answer."""


@dataclass(frozen=True)
class HandedIn:
    """One submission. kind: right, wrong, ungradable or hostile."""

    entry: str          # at the top of the folder, as the platform names it
    file: str
    kind: str
    text: bytes

    def place(self, folder: Path) -> Path:
        """Where it lies in a class's folder."""
        return folder / self.entry if self.entry.endswith(".c") else folder / self.entry / self.file


def everybody(size: int, seed: int = 7) -> list[HandedIn]:
    """So many submissions, of as many students; the same ones each time."""
    chance = random.Random(seed)
    slugs = sorted(path.name for path in CORPUS.iterdir() if (ROOT / "solutions" / path.name).is_dir())
    kinds = ("right", "wrong", "ungradable", "hostile", "wrong", "wrong", "wrong")
    made = []
    for number in range(1, size + 1):
        slug, kind = chance.choice(slugs), kinds[(number - 1) % len(kinds)]
        (source,) = (path for path in (ROOT / "solutions" / slug).glob("*.c"))
        text = source.read_bytes()
        if kind == "wrong":
            text = chance.choice(sorted((CORPUS / slug).glob("*/*.c"))).read_bytes()
        elif kind == "ungradable":
            text = chance.choice(UNFIT).encode("latin-1")
        elif kind == "hostile":
            text = chance.choice(HOSTILE).encode() + text
        made.append(HandedIn(_entry(number, source.name, chance), source.name, kind, text))
    return made


def _entry(number: int, file: str, chance: random.Random) -> str:
    """Moodle's folder, Canvas's file, or Gradescope's folder."""
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    if number % 3 == 0:
        return f"{name}_{1000 + number}_assignsubmission_file"
    bare = "".join(c for c in name.lower() if c.isalnum())
    return f"{bare}_{2000 + number}_{30000 + number}_{file}" if number % 3 == 1 else f"submission_{4000 + number}"


def lay_out(folder: Path, size: int, seed: int = 7) -> list[HandedIn]:
    """Writes all of it; returns it."""
    made = everybody(size, seed)
    for one in made:
        target = one.place(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(one.text)
    return made


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]), int(sys.argv[2]))
