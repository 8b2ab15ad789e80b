"""When each file was handed in, as far as what the platforms leave tells: Gradescope's metadata, Moodle's grading
worksheet, a clone's history."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Callable, Optional

from ..course import git

GIT_S = 20.0        # for one look at a history
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")
_SHA = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def of_gradescope(text: str) -> dict[str, datetime]:
    """By the folder's name, as submission_metadata.yml has it; {} where it has nothing."""
    times, student = {}, ""
    for line in text.split("\n"):
        head = re.fullmatch(r"(submission_\d+):\s*", line)
        when = re.fullmatch(r"  :?created_at: *['\"]?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.\d]* *"
                            r"(Z|[+-]\d\d:?\d\d)['\"]?\s*", line)
        student = head[1] if head else student
        if when and student:
            zone = "+0000" if when[3] == "Z" else when[3].replace(":", "")
            try:
                times[student] = datetime.strptime(f"{when[1]} {when[2]} {zone}", "%Y-%m-%d %H:%M:%S %z")
            except ValueError:
                pass                                        # no such day: as if nothing were told
    return times


def of_moodle(text: str, zone: Optional[tzinfo]) -> Optional[datetime]:
    """What the worksheet's "Last modified (submission)" says in English: "Thursday, 26 November 2026, 8:41 AM". It is
    the teacher's own clock: zone. None: it says nothing, or in another language."""
    found = re.fullmatch(r"(?:[A-Za-z]+, )?(\d{1,2}) ([A-Za-z]+) (\d{4}), (\d{1,2}):(\d\d)(?: ([AP]M))?", text)
    if not found or found[2].lower() not in _MONTHS or not zone:
        return None
    hour = int(found[4]) if not found[6] else int(found[4]) % 12 + 12 * (found[6] == "PM")
    try:
        return datetime(int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1]), hour, int(found[5]),
                        tzinfo=zone)
    except ValueError:
        return None


def of_clone(file: Path, top: Path) -> Optional[datetime]:
    """When the last commit that changed this file was made, by the clock of who made it. top: nothing above that folder
    is looked at. None: it lies in no clone, or there is no telling."""
    folder = next((folder for folder in file.parents if _is_there(folder / ".git", stat.S_ISDIR)
                   and (folder == top or top in folder.parents)), None)
    head = _head(folder / ".git") if folder else None
    if not folder or not head or "\n" in os.fspath(folder):
        return None
    # In a history of ours, which only borrows the clone's objects: what a clone's own settings say is never done.
    with tempfile.TemporaryDirectory(prefix="looplab-history-") as ours:
        try:
            git.run(Path(ours), "init", "--quiet", "--bare", "--template=", timeout_s=GIT_S)
            info = Path(ours) / "objects/info"
            info.mkdir(exist_ok=True)
            (info / "alternates").write_bytes(os.fsencode(folder.resolve() / ".git/objects") + b"\n")
            said = git.run(Path(ours), "--no-replace-objects", "log", "-1", "--format=%ct", head, "--",
                           os.fspath(file.relative_to(folder)), timeout_s=GIT_S)
            return datetime.fromtimestamp(int(said), timezone.utc)
        except (git.GitError, OSError, ValueError, OverflowError):
            return None


def _head(clone: Path) -> Optional[str]:
    """The commit that is checked out; None: there is none, or it cannot be read."""
    said = _text(clone / "HEAD").strip()
    if said.startswith(b"ref: "):
        name = said[5:]
        if not re.fullmatch(rb"refs/[\w./-]+", name) or b".." in name:
            return None
        said = _text(clone / os.fsdecode(name)).strip()
        packed = re.search(rb"^([0-9a-f]+) " + re.escape(name) + rb"$", _text(clone / "packed-refs"), re.MULTILINE)
        said = said or (packed[1] if packed else b"")
    return said.decode() if _SHA.fullmatch(said) else None


def _text(path: Path) -> bytes:
    """What stands in a small plain file; nothing where it is none."""
    if not _is_there(path, stat.S_ISREG) or path.stat().st_size > 1 << 20:
        return b""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _is_there(path: Path, kind: Callable[[int], bool]) -> bool:
    """Is it there, of that kind, and no link?"""
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False
