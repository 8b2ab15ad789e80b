"""A zip file, unpacked where it can do no harm."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Optional

FILES_MOST = 20_000
BYTES_MOST = 500 << 20      # of all files together


class ArchiveError(Exception):
    """It is not unpacked. The message is one line: which place, and why."""


def unpack(file: Path, folder: Path, refused: Optional[list[str]] = None) -> None:
    """Unpacks a zip file into a folder that is there: plain files only, nothing outside of the folder, and no more than
    FILES_MOST files of BYTES_MOST bytes. Raises ArchiveError, perhaps with a part of it unpacked. refused: where there
    is such a list, an entry that leads out is left out and told there, and the others are unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > FILES_MOST:
                raise ArchiveError(f"{file.name} holds {len(entries)} files; {FILES_MOST} are the most that is read")
            left = BYTES_MOST
            for entry in entries:
                out = _leads_out(entry)
                if out and refused is None:
                    raise ArchiveError(f"{file.name} holds {out}")
                if out and refused is not None:
                    refused.append(f"{file.name} holds {out}: it was left out")
                    continue
                left -= _write(archive, entry, folder, left, file.name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as fault:
        raise ArchiveError(f"{file.name} cannot be unpacked: {fault}") from None


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(entry.filename.replace("\\", "/")).parts


def _leads_out(entry: zipfile.ZipInfo) -> str:
    """What is to be said of an entry that leads out of its folder; "" of another one."""
    parts = _parts(entry)
    wrong = not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]
    return f"{entry.filename!r}, which leads out of its folder" if wrong else ""


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int, name: str) -> int:
    """Writes one file; returns its size. What an entry says of its size is not believed."""
    parts = _parts(entry)
    if stat.S_ISLNK(entry.external_attr >> 16):
        return 0                                    # nobody follows it: what it stands for is not handed in
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(entry) as source, open(target, "xb") as out:
        while data := source.read(1 << 16):
            size += len(data)
            if size > most:
                raise ArchiveError(f"{name} holds more than {BYTES_MOST >> 20} MB")
            out.write(data)
    return size
