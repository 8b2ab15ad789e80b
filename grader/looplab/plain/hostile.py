"""Reading a file that a program which nobody trusts has had in its hands."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import BinaryIO, Union


def open_plain(path: Union[str, "os.PathLike[str]"]) -> BinaryIO:
    """Opens a regular file for reading: through no link, and without waiting, whatever lies there. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path} is no regular file")
    return open(fd, "rb")


def read_plain(path: Union[str, "os.PathLike[str]"], most: int = -1) -> bytes:
    """The bytes of such a file, `most` of them at most. Raises OSError."""
    with open_plain(path) as file:
        return file.read(most)


def remove(path: Union[str, "os.PathLike[str]"]) -> None:
    """Takes away what lies there, if anything does: a file, a link, or a folder with all it holds, however deep. Raises
    OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:             # a folder: which error says so depends on the system
        if not os.path.isdir(path):
            raise
        _remove_folder(path)


def remove_what_can_be(folder: Union[str, "os.PathLike[str]"]) -> None:
    """Takes away a folder, and leaves what cannot be removed."""
    try:
        _remove_folder(folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_folder(folder: Union[str, "os.PathLike[str]"]) -> None:
    """Folders may be nested deeper than Python calls itself, and than a path is long: rm minds neither."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        told = subprocess.run(["rm", "-rf", "--", os.path.abspath(folder)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if os.path.lexists(folder):
            raise OSError(f"cannot remove {folder}: {told.stderr.decode(errors='replace').strip()[:200]}") from None
