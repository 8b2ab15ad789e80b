"""`looplab autograder`: a zip that Gradescope takes as an autograder, or one with a question of PrairieLearn's and the
image that grades it; the same bytes from the same commit.

What Gradescope does with its stands in docs/specs.md of gradescope/autograder_samples: setup.sh is run once when the
image is built, run_autograder for each submission; the zip lies unpacked in /autograder/source.
"""

from __future__ import annotations

import argparse
import io
import os
import zipfile
from pathlib import Path
from typing import Iterator

from ..course import copy, git, lab as labs
from ..course.lab import Lab
from ..plain.failure import UsageError
from . import prairielearn

KINDS = ("gradescope", "prairielearn")
HOUSE = "looplab"
TAKEN = (*copy.TAKEN, "grader/hidden", "solutions")
_LEFT = ("sim/examples/", ".devcontainer/")
_BORN = (1980, 1, 1, 0, 0, 0)       # the day that zip files begin with

SETUP = """#!/usr/bin/env bash
# Run once, when Gradescope builds the image: installs what is missing, builds, and sees that a right answer passes.
set -e
apt-get update
apt-get install -y --no-install-recommends make ca-certificates
cd "${AUTOGRADER:-/autograder}/source/looplab"
make grade LAB=@LAB@ FROM=solutions OUT=build/setup
"""

RUN = """#!/usr/bin/env bash
# Run for each submission. Exit code 1: the grader's fault; there is no results.json then, and Gradescope says so.
top=${AUTOGRADER:-/autograder}
cd "$top/source/looplab" || exit 1
mkdir -p "$top/results" || exit 1
rm -f "$top/results/results.json"

# Each student has numbers of their own, a group has the same: by those who handed it in.
LOOPLAB_STUDENT=$(python3 -I - "$top/submission_metadata.json" << 'EOF'
import json, sys
try:
    users = json.load(open(sys.argv[1], encoding="utf-8")).get("users", [])
    names = [str(user.get("email") or user.get("id") or user.get("name") or "") for user in users]
except (OSError, ValueError, AttributeError, TypeError):
    names = []
print(" ".join("+".join(sorted(filter(None, names))).split()) or "somebody")
EOF
) || exit 1
export LOOPLAB_STUDENT

from=$top/submission
[ -d "$from/labs/@SLUG@" ] && from=$from/labs
make grade LAB=@LAB@ FROM="$from" OUT=build/graded FORMATS=gradescope
cp "build/graded/@SLUG@/gradescope.json" "$top/results/results.json.new" || exit 1
mv "$top/results/results.json.new" "$top/results/results.json"
"""


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "autograder". Raises UsageError, also for what git or the disk refuses."""
    parser = argparse.ArgumentParser(prog="looplab autograder", description="A zip for Gradescope or PrairieLearn.")
    parser.add_argument("--lab", required=True, metavar="L", help="the lab that it grades")
    parser.add_argument("--out", metavar="FILE", help="the zip (default: build/autograder/NN-slug.zip)")
    parser.add_argument("--kind", metavar="K", default=KINDS[0], help=f"{' or '.join(KINDS)} (default: {KINDS[0]})")
    options = parser.parse_args(argv)
    if options.kind not in KINDS:
        raise UsageError(f"KIND={options.kind}: expected {' or '.join(KINDS)}")
    lab = labs.asked(options.lab, root)
    target = Path(options.out) if options.out else root / "build" / "autograder" / f"{lab.slug}.zip"
    if target.is_dir():
        raise UsageError(f"OUT={options.out}: this is a folder; name a file, such as {target.name}/{lab.slug}.zip")
    try:
        whole = pack(lab, root, options.kind)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(whole)
        beside.replace(target)
    except git.GitError as fault:
        raise UsageError(f"nothing was made: {fault}") from None
    except OSError as fault:
        raise UsageError(f"OUT={target.name}: {fault.strerror}: {fault.filename}") from None
    worth, files = (2 * len(lab.sources), f"the files of labs/{lab.slug}") if lab.warmups else (100, lab.source)
    there = target if options.out else os.path.relpath(target)
    told = f"{there}: upload it as the autograder of {lab.slug}" if options.kind == KINDS[0] \
        else f"{there}: unpack it, build its image (Containerfile), and put questions/ into your course; {lab.slug}"
    print(f"{told}, which is worth {worth} points; students hand in {files}")
    return 0


def pack(lab: Lab, root: Path, kind: str = KINDS[0]) -> bytes:
    """The zip. kind: one of KINDS. Nothing is compressed in it: compressed bytes differ from one zlib to the next."""
    files = {f"{HOUSE}/{name}": text for name, text in _house(root) if not name.startswith(_LEFT)}
    own = {name: (text, True) for name, text in (("setup.sh", SETUP), ("run_autograder", RUN))}
    for name, (text, runs) in (prairielearn.files(lab, _packages(root)) if kind == KINDS[1] else own).items():
        files[name] = (text.replace("@LAB@", lab.number).replace("@SLUG@", lab.slug).encode(), runs)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            data, runs = files[name]
            entry = zipfile.ZipInfo(name, _BORN)
            entry.create_system, entry.external_attr = 3, (0o100755 if runs else 0o100644) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _packages(root: Path) -> list[str]:
    """What Debian and Ubuntu install for a grading: the container's list."""
    text = (root / ".devcontainer/Containerfile").read_text("utf-8").replace("\\\n", " ")
    return text.partition("--no-install-recommends ")[2].partition("&&")[0].split()


def _house(root: Path) -> Iterator[tuple[str, tuple[bytes, bool]]]:
    """Each file by its name, and whether it is a program: as it was committed; without git, or a clone, as it is."""
    archive = copy.committed(root, TAKEN)
    if archive:
        with archive:
            for member in archive:
                file = archive.extractfile(member)
                if member.isfile() and file:
                    yield member.name, (file.read(), bool(member.mode & 0o100))
        return
    for name in TAKEN:
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(root)), (path.read_bytes(), os.access(path, os.X_OK))
