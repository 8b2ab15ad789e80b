"""`looplab new-lab`: lays out a lab of one's own, a small one that grades at once, from grader/template."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from ..course import copy, lab as labs
from ..plain.failure import UsageError
from ..running.build import BuildError, compiler

TEMPLATE = "grader/template"
FOLDERS = ("labs", "solutions", "grader/hidden", "grader/tests/corpus", "grader/tests/alternatives")
"""Where a lab has a folder of its name."""
NAME_MOST = 40          # characters: a row of a table has room for them

_WORDS = re.compile(r"(?<![A-Z])(NN-slug|NN|STEM)(?![A-Z])")


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "new-lab". Raises UsageError; then nothing was made."""
    parser = argparse.ArgumentParser(prog="looplab new-lab", description="Lays out a lab that grades at once.")
    parser.add_argument("name", help="number and name: 09-chat")
    slug = parser.parse_args(argv).name
    check(slug, root)
    try:
        lay_out(slug, root)
    except OSError as fault:
        raise UsageError(f"NAME={slug}: nothing was made: {fault.strerror}: {fault.filename}") from None
    number, stem = slug[:2], stem_of(slug)
    print(f"Lab {slug} is laid out:\n"
          f"  labs/{slug}: handout, skeleton {stem}.c, contract {stem}.h, main.c, worlds, checks, hints\n"
          f"  solutions/{slug}: the reference solution\n"
          f"  grader/hidden/{slug}: hidden checks, and the situations they search in\n"
          f"  grader/tests/corpus/{slug}: a wrong submission, and what is said of it\n"
          f"  grader/tests/alternatives/{slug}: right ones of another design\n"
          f"Next: make grade LAB={number} FROM=solutions, make check-lab LAB={number}. labs/AUTHORING.md leads on.")
    return 0


def stem_of(slug: str) -> str:
    """What the student's file is called, without ".c": rate_limit for 09-rate-limit."""
    return slug[3:].replace("-", "_")


def check(slug: str, root: Path) -> None:
    """Raises UsageError for a name that no new lab can have."""
    if not labs.is_slug(slug) or len(slug) > NAME_MOST:
        raise UsageError(f"NAME={slug}: expected a number of two digits and a name of small letters, digits and "
                         f"hyphens, at most {NAME_MOST} characters, as in 09-chat")
    taken = {one[:2]: one for one in labs.slugs(root)}
    if slug[:2] in taken:
        free = next((f"{number:02}" for number in range(1, 100) if f"{number:02}" not in taken), "none")
        raise UsageError(f"NAME={slug}: number {slug[:2]} is taken by {taken[slug[:2]]}; the first free one is {free}")
    there = [f"{folder}/{slug}" for folder in FOLDERS if os.path.lexists(root / folder / slug)]
    if there:
        raise UsageError(f"NAME={slug}: {there[0]} is there already; remove it, or choose another name")
    if not (root / TEMPLATE).is_dir():
        raise UsageError(f"NAME={slug}: {TEMPLATE} is not here: labs are made in the whole project, not in a handout")
    if stem_of(slug) == "main" or stem_of(slug).startswith("test_") or _is_a_header(stem_of(slug), root):
        raise UsageError(f"NAME={slug}: the files would be {stem_of(slug)}.c and {stem_of(slug)}.h, and such a name "
                         "has a meaning already; choose another name")


def _is_a_header(stem: str, root: Path) -> bool:
    """Would a header of that name hide one of the kit's or of the system's?"""
    asked = f"#if __has_include(<{stem}.h>)\n#error taken\n#endif\n"
    try:
        done = subprocess.run([*compiler(), "-E", "-I", root / "sim/include", "-x", "c", "-", "-o", os.devnull],
                              input=asked, capture_output=True, text=True, errors="replace")
    except (BuildError, OSError) as fault:
        raise UsageError(f"NAME: {stem}.h: {fault}") from None
    return done.returncode != 0


def lay_out(slug: str, root: Path) -> None:
    """Makes the lab's files, all or none. Raises OSError."""
    template = root / TEMPLATE
    with ExitStack() as whole:
        for folder in FOLDERS:
            whole.enter_context(copy.whole_or_nothing(root / folder / slug))
        for path in sorted(template.rglob("*")):
            to = root / _named(str(path.relative_to(template)), slug)
            if "__pycache__" in path.parts or (path.is_dir() and not path.is_symlink()):
                continue
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                to.symlink_to(os.readlink(path))
            else:
                to.write_text(_named(path.read_text("utf-8"), slug), "utf-8")
                shutil.copymode(path, to)


def _named(text: str, slug: str) -> str:
    """A name, or a text, of the template as the lab has it."""
    said = {"NN-slug": slug, "NN": slug[:2], "STEM": stem_of(slug)}
    return _WORDS.sub(lambda word: said[word[1]], text)
