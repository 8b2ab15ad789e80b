"""The same program, world and seed leave the same trace, byte for byte, whoever compiled it and however often it runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build" / "solutions"
LAB = "01-sync-vs-async"
MODES = ["sync", "async", "compare", "cancel"]
WORLDS = sorted(path.name for path in (ROOT / "labs" / LAB / "worlds").glob("*.json"))

VARIANTS = {
    "asan": [],
    "ucontext": [],
    "gcc-O0": [],
    "tsan": [],
    "clang": ["clang"],
    "clang-O0": ["clang"],
    "clang-asan": ["clang"],
    "aarch64": ["aarch64-linux-gnu-gcc", "qemu-aarch64"],
}
"""The Makefile's variants besides the plain one (gcc -O2), with the programs each needs."""


def trace(variant: str, world: str, mode: str, folder: Path) -> bytes:
    """Runs the reference solution and returns its trace."""
    for tool in VARIANTS.get(variant, []):
        if not shutil.which(tool):
            pytest.skip(f"no {tool} here (make deps-dev)")
    program = PROGRAMS / variant / LAB / "program"
    assert program.exists(), f"{program.relative_to(ROOT)} is not built: say make test"
    path = folder / "trace.jsonl"
    words = [str(program), "--world", f"labs/{LAB}/worlds/{world}", "--trace", str(path), mode]
    run = subprocess.run(["qemu-aarch64", *words] if variant == "aarch64" else words, cwd=ROOT, capture_output=True, timeout=60)
    assert run.returncode in (0, 1), run.stderr.decode()
    return path.read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[tuple[str, str], bytes]:
    """What the plain build leaves, for every world and mode."""
    folder = tmp_path_factory.mktemp("plain")
    return {(world, mode): trace("plain", world, mode, folder) for world in WORLDS for mode in MODES}


def test_the_worlds_are_there(plain):
    assert len(plain) >= 12
    assert all(b'"ev":"end"' in text for text in plain.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_same_trace_in_every_build(variant, plain, tmp_path):
    different = [case for case, expected in plain.items() if trace(variant, *case, tmp_path) != expected]
    assert different == []


def test_same_trace_a_hundred_times(plain, tmp_path):
    assert {trace("plain", "mixed.json", "compare", tmp_path) for _ in range(100)} == {plain["mixed.json", "compare"]}
