"""What was handed in, as learning platforms export it: whose files they are, and which of them is which lab.

Every entry at the top of the folder is one student's: a folder (of any shape within), a file named as Canvas names
downloads, or a zip. Facts about the platforms' names are those of Moodle's mod/assign/classes/downloader.php and of
Canvas's lib/content_zipper.rb; Gradescope's folders carry a number only.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Iterator, Optional, Sequence

from ..course.lab import Lab
from ..plain.failure import UsageError
from . import archive, handed_in

BYTES_MOST = 1 << 20        # of a file that is graded
ENTRIES_MOST = 50_000       # that are looked at, of one student
DEPTH_MOST = 12

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_file(_(?P<file>.+\..+)|_)?")
_CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_(?P<attachment>\d+)_(?P<file>.+)")
_AGAIN = re.compile(r"(?P<stem>.+)-\d+(?P<end>\.c)")        # Canvas: the second file of that name
_UNFIT = re.compile(r'[\x00-\x1f/\\:*?"<>|\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_NOT_THEIRS = {".git", "__MACOSX", "node_modules", "build", "solutions"}


@dataclass(frozen=True)
class Trouble:
    """Something that needs a person. kind: one word or two, always the same for the same kind."""

    student: str
    lab: str            # its slug; "" where it concerns none
    kind: str
    said: str           # one sentence


@dataclass(frozen=True)
class Submission:
    """What one student has handed in for one lab."""

    student: str
    lab: Lab
    file: Path
    more: tuple[tuple[str, Path], ...] = ()     # of the warm-ups: all files, by the names that they have in the lab

    @property
    def files(self) -> tuple[tuple[str, Path], ...]:
        """Each file, by the name that it has in the lab."""
        return self.more or ((self.lab.source, self.file),)


@dataclass
class Intake:
    """All that was found."""

    students: list[str] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    times: dict[str, datetime] = field(default_factory=dict)        # when, where the export tells
    marked_late: set[str] = field(default_factory=set)              # late, says the export, and not by how much


@dataclass(frozen=True)
class _Owner:
    name: str
    number: str = ""
    file: str = ""          # what the file was called when it was handed in; "": as it is
    rank: int = 0           # the higher, the later


@dataclass(frozen=True)
class _Found:
    path: Path
    name: str
    rank: int


def check_places(source: str, out: str) -> None:
    """Raises UsageError where submissions cannot be read from there, or what comes of them cannot be written there."""
    if not Path(source).exists():
        raise UsageError(f"FROM={source}: there is no such folder or zip file")
    if Path(out).exists() and not Path(out).is_dir():
        raise UsageError(f"OUT={out}: this is not a folder")
    here, there = Path(out).resolve(), Path(source).resolve()
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(f"OUT={out}: results cannot lie where the submissions are: one of the two folders is within "
                         "the other")


def of_source(source: Path, labs: Sequence[Lab], scratch: Path) -> Intake:
    """As read(), of a folder or of a zip with the folder in it. Raises UsageError for a zip that cannot be unpacked."""
    folder, unpacked, refused = source, scratch / "unpacked", []      # type: ignore[var-annotated]
    unpacked.mkdir()
    if not source.is_dir():
        folder = scratch / "whole"
        folder.mkdir()
        try:
            refused = archive.unpack_class(source, folder)
        except archive.ArchiveError as fault:
            raise UsageError(f"FROM={source}: {fault}") from None
    taken = read(folder, labs, unpacked)
    taken.troubles += [Trouble("", "", "archive", said) for said in refused]
    return taken


def read(folder: Path, labs: Sequence[Lab], scratch: Path) -> Intake:
    """Everything that lies in the folder, students in the order of their names. scratch: an empty folder for what is
    unpacked."""
    told = (_bytes(folder / "submission_metadata.yml") or b"").decode("utf-8", "replace")
    found, intake = {}, Intake(times=handed_in.of_gradescope(told))        # type: ignore[var-annotated]
    entries = [entry for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
               if not entry.name.startswith(".") and entry.name not in _NOT_THEIRS]
    names = _names([_owner(entry) for entry in entries], intake)
    for entry in entries:
        owner = _owner(entry)
        student = names[owner.name, owner.number]
        if "_LATE_" in entry.name and _CANVAS.fullmatch(entry.name):
            intake.marked_late.add(student)
        files = found.setdefault(student, [])
        files += _files(entry, owner, intake, student, scratch)
    for students in _alike(found):
        intake.troubles += [Trouble(student, "", "name twice", "differs from " + " and ".join(
            repr(other) for other in students if other != student) + " in case or accents only: is it one student?")
            for student in students]
    for student in sorted(found):
        intake.students.append(student)
        _choose(student, found[student], labs, intake)
    return intake


def _owner(entry: Path) -> _Owner:
    """Whose it is, by its name."""
    moodle, canvas = _MOODLE.fullmatch(entry.name), _CANVAS.fullmatch(entry.name)
    if moodle:
        anonymous = moodle["name"] == "Participant"
        return _Owner(f"{moodle['name']} {moodle['id']}" if anonymous else moodle["name"], moodle["id"],
                      moodle["file"] or "")
    if canvas and not entry.is_dir():
        return _Owner(f"{canvas['name']} {canvas['id']}", canvas["id"], canvas["file"], int(canvas["attachment"]))
    return _Owner(entry.name.removesuffix(".zip") if entry.suffix == ".zip" else entry.name)


def _names(owners: Sequence[_Owner], intake: Intake) -> dict[tuple[str, str], str]:
    """What each is called here. Two whose names come to the same are two all the same: the platform's number tells
    them apart, or else a number of ours, and then a person is asked."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for owner in owners:
        group = groups.setdefault(_tidy(owner.name), [])
        if (owner.name, owner.number) not in group:
            group.append((owner.name, owner.number))
    names = {}
    for student, group in groups.items():
        for count, (name, number) in enumerate(group, start=1):
            if len(group) == 1:
                names[name, number] = student
            elif number and all(other for _, other in group):
                names[name, number] = f"{student} {number}"
            else:
                names[name, number] = student if count == 1 else f"{student} ({count})"
                intake.troubles.append(Trouble(names[name, number], "", "name twice", f"{ascii(name)} is one of "
                                               f"{len(group)} that are written alike: is it one student?"))
    return names


def _tidy(name: str) -> str:
    """A name that can be a folder's, on every system."""
    plain = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    return _UNFIT.sub("-", plain).strip(" .") or "-"


def _alike(students: Sequence[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for student in students:
        bare = "".join(c for c in unicodedata.normalize("NFKD", student) if not unicodedata.combining(c))
        groups.setdefault(bare.casefold(), []).append(student)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def _files(entry: Path, owner: _Owner, intake: Intake, student: str, scratch: Path) -> list[_Found]:
    """The C files of one entry; links are never followed."""
    mode = entry.lstat().st_mode
    if stat.S_ISLNK(mode):
        intake.troubles.append(Trouble(student, "", "link", f"{entry.name} is a link, and is not followed"))
        return []
    if stat.S_ISREG(mode) and (owner.file or entry.name).endswith(".zip"):
        target = scratch / f"{len(list(scratch.iterdir()))}"
        target.mkdir()
        try:
            archive.unpack(entry, target)
        except archive.ArchiveError as fault:
            intake.troubles.append(Trouble(student, "", "archive", str(fault)))
            shutil.rmtree(target)
            return []
        entry, mode = target, target.lstat().st_mode
    if not stat.S_ISDIR(mode):
        name = owner.file or entry.name
        return [_Found(entry, name, owner.rank)] if name.endswith(".c") else []
    found = []
    for number, path in enumerate(_walk(entry, DEPTH_MOST)):
        if number >= ENTRIES_MOST:
            intake.troubles.append(Trouble(student, "", "too many files",
                                           f"only the first {ENTRIES_MOST} files were looked at"))
            break
        if path.is_symlink():
            if path.suffix == ".c":
                intake.troubles.append(Trouble(student, "", "link", f"{path.relative_to(entry)} is a link, and is not "
                                                                    "followed"))
        elif path.suffix == ".c":
            found.append(_Found(path, path.name, owner.rank))
    return found


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """All files, in an order that does not depend on the file system."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth and entry.name not in _NOT_THEIRS:
                yield from _walk(Path(entry.path), depth - 1)
        elif not entry.name.startswith("._"):
            yield Path(entry.path)


def _choose(student: str, files: Sequence[_Found], labs: Sequence[Lab], intake: Intake) -> None:
    """Which of a student's files is which lab."""
    for lab in labs:
        if lab.warmups:
            _choose_warmups(student, files, lab, labs, intake)
            continue
        mine = [one for one in files if _is_of(one, lab, labs)]
        if not mine and len(labs) == 1 and len(files) == 1:
            mine = list(files)                      # whatever it is called
        mine = _latest(mine, lab)
        if not mine:
            intake.troubles.append(Trouble(student, lab.slug, "nothing", f"no {lab.source} was handed in"))
        elif len(mine) > 1:
            intake.troubles.append(Trouble(student, lab.slug, "two files", "which one counts? " + ", ".join(
                one.path.name if one.path.name == one.name else str(one.path) for one in mine[:4])))
        else:
            _take(student, lab, mine[0].path, intake)


def _choose_warmups(student: str, files: Sequence[_Found], lab: Lab, labs: Sequence[Lab], intake: Intake) -> None:
    """Of many files each counts by its own name; what is as it was handed out is not begun."""
    chosen, there = [], False
    for name in lab.sources:
        part = lab.part(name)
        mine = _latest([one for one in files if _is_of(one, part, labs)], part) \
            if any(_is_of(one, part, labs) for one in files) else []
        there = there or bool(mine)
        if len(mine) > 1:
            intake.troubles.append(Trouble(student, lab.slug, "two files",
                                           "which one counts? " + ", ".join(str(one.path) for one in mine[:4])))
        elif mine and (text := _text_of(student, part, mine[0].path, intake)) is not None \
                and text != (lab.folder / name).read_bytes():
            chosen.append((name, mine[0].path))
    if chosen:
        intake.submissions.append(Submission(student, lab, chosen[0][1], tuple(chosen)))
    elif there:
        intake.troubles.append(Trouble(student, lab.slug, "not begun", "all warm-ups are as they were given"))
    else:
        intake.troubles.append(Trouble(student, lab.slug, "nothing", "no warm-up was handed in"))


def _is_of(one: _Found, lab: Lab, labs: Sequence[Lab]) -> bool:
    again = _AGAIN.fullmatch(one.name)
    name = again["stem"] + again["end"] if again else one.name
    folders = {other.slug for other in labs} & set(one.path.parts)
    return name == lab.source and (not folders or lab.slug in folders)


def _latest(files: list[_Found], lab: Lab) -> list[_Found]:
    """Those among which nothing decides: of the latest attempt, in the lab's own folder if there is one, and not the
    same twice."""
    files = [one for one in files if one.rank == max(other.rank for other in files)]
    files = [one for one in files if lab.slug in one.path.parts] or files
    different: dict[bytes, _Found] = {}
    for one in files:
        different.setdefault(_bytes(one.path) or bytes(str(one.path), "utf-8", "replace"), one)
    return list(different.values())


def _bytes(path: Path) -> Optional[bytes]:
    """What stands in a plain file of at most BYTES_MOST; None: it is another kind of thing, or cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        return file.read() if stat.S_ISREG(status.st_mode) and status.st_size <= BYTES_MOST else None


def _text_of(student: str, lab: Lab, path: Path, intake: Intake) -> Optional[bytes]:
    """What stands in a file; None, with a trouble, where it cannot be graded."""
    text = _bytes(path)
    if text is None:
        size = path.lstat().st_size
        said = f"{path.name} has {size >> 20} MB; {BYTES_MOST >> 20} MB is the most that is graded" \
            if size > BYTES_MOST else f"{path.name} is no file that can be read"
        intake.troubles.append(Trouble(student, lab.slug, "not a file" if size <= BYTES_MOST else "too large", said))
    return text


def _take(student: str, lab: Lab, path: Path, intake: Intake) -> None:
    text = _text_of(student, lab, path, intake)
    if text is None:
        return
    if text == (lab.folder / lab.source).read_bytes():
        intake.troubles.append(Trouble(student, lab.slug, "not begun", f"{lab.source} is the skeleton as it was given"))
    else:
        intake.submissions.append(Submission(student, lab, path))
