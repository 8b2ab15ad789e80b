"""The same program, world and seed leave the same trace, byte for byte, whoever compiled it and however often it
runs.

Where a run is cheap it is made a hundred times; under a sanitizer twice in each world and mode, and not at all under
TSan, as the simulated world has one thread. With ALL=1 a hundred times in every build."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from variants import ALL, BUILD, ROOT, VARIANTS, command

LAB = "01-sync-vs-async"
MODES = ["sync", "async", "compare", "cancel"]
WORLDS = sorted(path.name for path in (ROOT / "labs" / LAB / "worlds").glob("*.json"))


def trace(variant: str, world: str, mode: str, folder: Path) -> bytes:
    """Runs the reference solution and returns its trace."""
    program = command(variant, BUILD / "solutions" / variant / LAB / "program")
    path = folder / "trace.jsonl"
    words = ["--world", f"labs/{LAB}/worlds/{world}", "--trace", str(path), mode]
    run = subprocess.run([*program, *words], cwd=ROOT, capture_output=True, timeout=300)
    assert run.returncode in (0, 1), run.stderr.decode()
    return path.read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[tuple[str, str], bytes]:
    """What the plain build leaves, for every world and mode."""
    folder = tmp_path_factory.mktemp("plain")
    return {(world, mode): trace("plain", world, mode, folder) for world in WORLDS for mode in MODES}


def test_the_worlds_are_there(plain):
    assert 12 <= len(plain) <= 100
    assert all(b'"ev":"end"' in text for text in plain.values())


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if ALL or variant != "tsan"])
def test_same_trace_again_and_again(variant, plain, tmp_path):
    """All worlds and modes in turn."""
    times = 2 * len(plain) if variant == "asan" and not ALL else 100
    cases = [case for _, case in zip(range(times), itertools.cycle(plain))]
    different = [case for case in cases if trace(variant, *case, tmp_path) != plain[case]]
    assert different == []
