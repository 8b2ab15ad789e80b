"""What lab 01 alone promises: the numbers of its handout, and the errors of its mixed world. What all labs promise:
test_labs.py."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from grading import ROOT

LAB = ROOT / "labs/01-sync-vs-async"
PROGRAM = ROOT / "build/kit/01-sync-vs-async/reference"
HANDOUT = (LAB / "README.md").read_text()


def report(mode: str, world: str, folder: Path) -> dict:
    """What the reference solution reports as "result"."""
    trace = folder / "trace"
    subprocess.run([PROGRAM, "--world", LAB / "worlds" / world, "--trace", trace, mode], cwd=folder,
                   capture_output=True, timeout=20)
    return [json.loads(line)["value"] for line in trace.read_text().splitlines() if '"name":"result"' in line][-1]


def test_contract_is_used_as_it_is():
    """What the handout says of the contract stands in the contract."""
    header = " ".join((LAB / "compare.h").read_text().split())
    for said in ("fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])", "BOUND_UNKNOWN n < 2",
                 "below 1.5"):
        assert said in header
    for name in ("-ECONNREFUSED", "-CO_ENOHOST", "-ECONNRESET", "-EPROTO", "-ETIMEDOUT", "-ECANCELED", "-ENOMEM",
                 "CO_HTTP_TIMEOUT"):
        assert name in HANDOUT


@pytest.mark.parametrize("world,sync,together,factor,bound", [
    ("ten.json", 3440, 400, 8.6, "io"), ("three.json", 6000, 2000, 3.0, "io"), ("uneven.json", 3000, 1500, 2.0, "io"),
    ("cpu.json", 2000, 2000, 1.0, "cpu"), ("one.json", 340, 340, 1.0, "unknown"),
    ("mixed.json", 31600, 30000, 31.6 / 30, "cpu")])
def test_numbers_the_handout_tells(tmp_path, world, sync, together, factor, bound):
    told = report("compare", world, tmp_path)
    assert (told["sync_ns"], told["async_ns"]) == (sync * 10**6, together * 10**6)
    assert told["speedup"] == pytest.approx(factor) and told["bound"] == bound


def test_mixed_world_has_every_error_of_the_table(tmp_path):
    table = re.findall(r"^\| [^|]+ \| `-(\w+)`", HANDOUT.split("| What goes wrong |")[1], re.M)
    errors = {result["error"] for result in report("async", "mixed.json", tmp_path)["results"]}
    numbers = {"ECONNREFUSED": -111, "CO_ENOHOST": -6, "ECONNRESET": -104, "EPROTO": -71, "ETIMEDOUT": -110}
    assert set(table) == set(numbers)
    assert errors == {0, *numbers.values()}
