"""What this machine has: the Makefile's variants of the kit and how a program of each is run, tools, a terminal. What
it has not skips a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterable, TypeVar

import pytest

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"


def _words(path: Path, variable: str) -> list[str]:
    """The words of `variable := ...` in a file that make reads."""
    match = re.search(rf"^{re.escape(variable)} := (.*)$", path.read_text(), re.MULTILINE)
    return match.group(1).split() if match else []


def makefile(variable: str) -> list[str]:
    """The words of one of the Makefile's variables; none if it has no such variable."""
    return _words(ROOT / "Makefile", variable)


ALL = bool(os.environ.get("LOOPLAB_ALL"))
"""The long form of each test: say make test ALL=1."""


def some(items: Iterable[T], each: int = 2) -> list[T]:
    """Of what is alike the first and every `each`th from there; with ALL=1 all of it."""
    return list(items) if ALL else list(items)[::each]


VARIANTS = [variant for variant in makefile("variants") if ALL or variant not in makefile("seldom")]


def require(tool: str) -> None:
    """Skips the test where a contributors' tool of deps.sh is missing."""
    if tool not in _words(BUILD / "deps.mk", "looplab_tools"):
        pytest.skip(f"no {tool} here (make deps-dev)")


def require_terminal() -> None:
    """Skips the test where nobody can open a terminal of his own: a chroot or container without /dev/pts."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        pytest.skip(f"this machine gives no terminals (/dev/pts): {error.strerror}")


def chromium() -> str:
    """The browser; skips the test where there is none, or where npm cannot fetch what drives it."""
    browser = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found),
                   None)
    if not browser or not shutil.which("npm"):
        pytest.skip("no chromium or no npm here (make deps-dev)")
    failed = BUILD / "node" / "failed"      # what make test has tried is not tried again
    made = failed.exists() or subprocess.run(["make", "build/node/ready"], cwd=ROOT, capture_output=True,
                                             timeout=300).returncode
    if made:
        pytest.skip(failed.read_text().strip() if failed.exists() else "npm could not fetch Marp and puppeteer")
    return browser


def command(variant: str, program: Path) -> list[str]:
    """How to run a program of this variant; skips the test where this machine cannot build it."""
    for tool in _words(ROOT / "Makefile", f"{variant}_needs"):
        require(tool)
    assert program.exists(), f"{program.relative_to(ROOT)} is not built: say make test"
    return ["qemu-aarch64", str(program)] if variant == "aarch64" else [str(program)]
