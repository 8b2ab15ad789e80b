"""Folders that a program has left are measured and removed, however deep they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from looplab.plain import hostile
from looplab.running import machine

DEEPER = sys.getrecursionlimit() + 100


def dig(top: Path, depth: int) -> None:
    """Folders in folders, with a file in the innermost one."""
    top.mkdir()
    at = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=at)
    os.write(file, b"x" * 5000)
    os.close(file)
    os.close(at)


@pytest.mark.parametrize("remove", [hostile.remove, hostile.remove_what_can_be])
@pytest.mark.parametrize("depth", [0, 2, DEEPER])
def test_a_folder_is_removed(tmp_path, remove, depth):
    dig(tmp_path / "top", depth)
    remove(tmp_path / "top")
    assert os.listdir(tmp_path) == []


def test_what_lies_deep_is_counted(tmp_path):
    """As deep as a path is long; below that nothing can be reached by its name."""
    dig(tmp_path / "top", 1200)
    assert machine._written(tmp_path / "top") >= 5000
    hostile.remove(tmp_path / "top")
