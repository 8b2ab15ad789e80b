"""The Makefile's variants of the kit: which this machine can build, and how a program of each is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"


def _words(path: Path, variable: str) -> list[str]:
    """The words of `variable := ...` in a file that make reads."""
    match = re.search(rf"^{re.escape(variable)} := (.*)$", path.read_text(), re.MULTILINE)
    return match.group(1).split() if match else []


VARIANTS = _words(ROOT / "Makefile", "variants")


def require(tool: str) -> None:
    """Skips the test where a contributors' tool of deps.sh is missing."""
    if tool not in _words(BUILD / "deps.mk", "looplab_tools"):
        pytest.skip(f"no {tool} here (make deps-dev)")


def command(variant: str, program: Path) -> list[str]:
    """How to run a program of this variant; skips the test where this machine cannot build it."""
    for tool in _words(ROOT / "Makefile", f"{variant}_needs"):
        require(tool)
    assert program.exists(), f"{program.relative_to(ROOT)} is not built: say make test"
    return ["qemu-aarch64", str(program)] if variant == "aarch64" else [str(program)]
