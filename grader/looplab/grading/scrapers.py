"""The scrapers that a suite is linked with, and how they are built: once, for all gradings.

`python -m looplab.grading.scrapers 06-testing` compiles those of a lab beforehand.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

from ..course import lab as labs
from ..course.lab import Lab
from ..plain.failure import GraderFault
from ..running import build
from .linking import VISIBLE, gcc_all

IDLE = "hollow_nothing"     # the scraper that does nothing
# how long scrapers that were built from other sources are kept: somebody may just be using them
KEPT_S = 3600
_FLAGS = ["-std=gnu11", "-w", "-fno-optimize-sibling-calls", "-fPIC", "-shared", "-s", "-Wl,-Bsymbolic",
          "-Wl,-soname,scraper.so"]
_RIGHT_WAYS = ("-O0", "-O1", "-O2", "-Os")      # each correct scraper is built in all of these
_FAULTY_WAYS = ("-O1", "-O2")                   # each faulty one; a hollow one in the first of them
_GROUP = re.compile(r"^\s*\\\n", re.M)      # behind those that get every page right
_FAULT = re.compile(r'^\s*F\((\w+), (\w+),\s(?:\\\n\s*)?"(.*)"\)', re.M)


@dataclass(frozen=True)
class Fault:
    """One faulty scraper."""

    name: str
    sentence: str           # what it does wrong: "fetches one page after the other, ..."
    quiet: bool = False     # does it get every page right?


@dataclass(frozen=True)
class Scraper:
    """One that the suite is linked with."""

    name: str               # "visible", "workers", "workers-polling", "hollow_nothing"
    source: Path
    fault: Optional[Fault] = None
    practice: bool = False

    @property
    def hollow(self) -> bool:
        return self.name.startswith("hollow")

    @property
    def builds(self) -> list[tuple[str, str]]:
        """(name, flag) of each build: what is linked, the visible one aside."""
        ways = _FAULTY_WAYS[:1] if self.hollow else _FAULTY_WAYS if self.fault else _RIGHT_WAYS
        return [] if self.name == "visible" else [(f"{self.name}{flag}", flag) for flag in ways]


def scrapers(lab: Lab) -> list[Scraper]:
    """All of them, the visible one first; without the hidden folder, as on a student's own machine, only that one.
    Raises GraderFault."""
    folder, visible = lab.hidden / "scrapers", lab.folder / VISIBLE
    text = (folder / "faults.h").read_text() if folder.is_dir() else ""
    table, groups = _FAULT.findall(text), _GROUP.split(text, maxsplit=1)
    quiet = {name for name, *_ in _FAULT.findall(groups[0])} if len(groups) > 1 else set()
    if folder.is_dir() and not table:
        raise GraderFault(f"hidden/{lab.slug}/scrapers/faults.h names no faults")
    found = [Scraper("visible", visible)]
    found += [Scraper(name, folder / f"{name}.c") for name in sorted({file for _, file, _ in table})]
    found += [Scraper(f"{file}-{name}", folder / f"{file}.c", Fault(name, sentence, name in quiet))
              for name, file, sentence in table]
    for name in re.findall(r"\w+", "".join(re.findall(r"enum \{ no_fault,(.*?)\};", visible.read_text()))):
        found.append(Scraper(f"visible-{name}", visible, Fault(name, f"FAULT={name}"), practice=True))
    return found + [Scraper(f"hollow_{path.stem}", path) for path in sorted((lab.folder / "hollow").glob("*.c"))]


def objects(lab: Lab, work: Path) -> dict[str, Path]:
    """The scrapers as shared objects, by name: so a suite is linked once, not 80 times. They are kept beside the kit,
    under a name that changes with all they are made of.

    A folder is put there whole or not at all, so two gradings may do it at the same time. Raises build.BuildError.
    """
    there = [scraper for scraper in scrapers(lab) if scraper.name != "visible"]
    made_of = [path for path in sorted([*(lab.hidden / "scrapers").glob("*"), *(lab.folder / "hollow").glob("*"),
                                        lab.folder / VISIBLE, lab.folder / lab.header,
                                        lab.root / "sim/include/co.h"]) if path.is_file()]
    key = hashlib.sha256("\0".join([*build.compiler(), *_FLAGS, *_RIGHT_WAYS, *_FAULTY_WAYS]).encode())
    for path in made_of:
        key.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    kept = lab.kit / lab.slug / f"scrapers-{key.hexdigest()[:16]}"
    found = {name: kept / f"{name}.so" for scraper in there for name, _ in scraper.builds}
    if kept.is_dir():
        return found
    making = _folder_in(kept.parent) or Path(tempfile.mkdtemp(dir=work))
    common = [*_FLAGS, f"-I{lab.root / 'sim/include'}", f"-I{lab.folder}", f"-ffile-prefix-map={lab.root}=."]
    commands = [[*common, flag, *([f"-DFAULT={scraper.fault.name}"] if scraper.fault else []), str(scraper.source),
                 "-o", f"{name}.so"]
                for scraper in there for name, flag in scraper.builds]
    for command, outcome in zip(commands, gcc_all(lab, making, commands, fenced=False)):
        if not outcome.ok:
            shutil.rmtree(making, ignore_errors=True)
            first = (outcome.stderr.strip().splitlines() or ["no message"])[0]
            raise build.BuildError(f"the scraper {command[-1]} does not compile: {first}")
    old = [folder for folder in kept.parent.glob("scrapers-*") if _age(folder) > KEPT_S]
    try:
        making.chmod(0o755)     # who grades need not be who builds
        making.rename(kept)
    except OSError:         # somebody was faster, or nothing can be kept there
        if kept.is_dir():
            shutil.rmtree(making, ignore_errors=True)
            return found
        return {name: making / path.name for name, path in found.items()}
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _age(folder: Path) -> float:
    """In seconds; 0 if somebody has just removed it."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _folder_in(place: Path) -> Optional[Path]:
    """A new folder there; None where nothing can be written."""
    try:
        return Path(tempfile.mkdtemp(prefix=".making-", dir=place))
    except OSError:
        return None


def main(argv: Sequence[str]) -> int:
    """Compiles the scrapers of these labs. Returns the exit code."""
    for word in argv:
        lab = labs.resolve(word)
        (lab.kit / lab.slug).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as work:
            objects(lab, Path(work))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
