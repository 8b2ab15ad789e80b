"""A zip file, unpacked where it can do no harm."""

from __future__ import annotations

import errno
import lzma
import stat
import zipfile
import zlib
from collections import Counter
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Iterator, Optional

FILES_MOST = 20_000
BYTES_MOST = 500 << 20          # of all files together
CLASS_FILES_MOST = 300_000
CLASS_BYTES_MOST = 4 << 30
ONE_MOST = 50 << 20             # of one student's, where it is a whole class's
TOLD_MOST = 3                   # lines of one student's

_WRONG = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, lzma.LZMAError)
_NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ)


class ArchiveError(Exception):
    """It is not unpacked. The message is one line: which place, and why."""


def unpack(file: Path, folder: Path) -> None:
    """Unpacks a zip file into a folder that is there: plain files only, nothing outside of the folder, and no more than
    FILES_MOST files of BYTES_MOST bytes. Raises ArchiveError, perhaps with a part of it unpacked."""
    with _opened(file, FILES_MOST) as (archive, entries):
        left = BYTES_MOST
        for entry in entries:
            try:
                left -= _written(archive, entry, folder, left, BYTES_MOST)
            except ArchiveError as fault:
                raise ArchiveError(f"{file.name} holds {fault}") from None


def unpack_class(file: Path, folder: Path) -> list[str]:
    """The same of a zip file with a whole class in it, where one student stops no other: what is wrong with an entry
    leaves that one out, and so does having more than ONE_MOST bytes. Returns a line for each, TOLD_MOST a student.
    Raises ArchiveError where the whole cannot be unpacked."""
    told: dict[str, list[str]] = {}
    with _opened(file, CLASS_FILES_MOST) as (archive, entries):
        left, used = CLASS_BYTES_MOST, Counter()        # type: ignore[var-annotated]
        for entry in entries:
            first = (_parts(entry) or ("",))[0]
            most, limit = min((ONE_MOST - used[first], ONE_MOST), (left, CLASS_BYTES_MOST))
            try:
                size = _written(archive, entry, folder, most, limit)
                used[first] += size
                left -= size
            except ArchiveError as fault:
                told.setdefault(first, []).append(f"{file.name} holds {fault}: it was left out")
    for first, lines in told.items():
        if len(lines) > TOLD_MOST:
            lines[TOLD_MOST - 1:] = [f"{file.name} holds {len(lines) - TOLD_MOST + 1} more such in {first!r}"]
    return [line for lines in told.values() for line in lines]


@contextmanager
def _opened(file: Path, files_most: int) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """A zip and its files. Raises ArchiveError for one that cannot be read, and for what the disk refuses meanwhile."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > files_most:
                raise ArchiveError(f"{file.name} holds {len(entries)} files; {files_most} are the most that is read")
            yield archive, entries
    except (*_WRONG, OSError) as fault:
        raise ArchiveError(f"{file.name} cannot be unpacked: {fault}") from None


def _written(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int, limit: int) -> int:
    """Unpacks one entry, of at most `most` bytes, since `limit` are all that there may be; returns its size. Raises
    ArchiveError, with nothing written: what is wrong with this entry. Raises OSError for the machine's faults."""
    if _leads_out(entry):
        raise ArchiveError(f"{entry.filename!r}, which leads out of its folder")
    try:
        size = _write(archive, entry, folder, most)
    except _WRONG as fault:
        raise ArchiveError(f"{entry.filename!r}, which cannot be unpacked: {fault}") from None
    except OSError as fault:
        if fault.errno not in _NAMES:
            raise
        raise ArchiveError(f"{entry.filename!r}, which cannot be written: {fault.strerror}") from None
    if size is None:
        raise ArchiveError(f"{entry.filename!r}, which makes it more than {limit >> 20} MB")
    return size


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(entry.filename.replace("\\", "/")).parts


def _leads_out(entry: zipfile.ZipInfo) -> bool:
    parts = _parts(entry)
    return not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int) -> Optional[int]:
    """Writes one file; returns its size. What an entry says of its size is not believed: None, and nothing is written,
    where it is more than `most`."""
    parts = _parts(entry)
    if stat.S_ISLNK(entry.external_attr >> 16):
        return 0                                    # nobody follows it: what it stands for is not handed in
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with open(target, "xb") as out:
        try:
            with archive.open(entry) as source:
                while size <= most and (data := source.read(1 << 16)):
                    size += len(data)
                    out.write(data)
        except BaseException:
            target.unlink()
            raise
    if size > most:
        target.unlink()
        return None
    return size
