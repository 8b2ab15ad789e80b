"""Holds sim/world/REAL.md to the tests that exist: each behaviour has one, and each test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "sim/world/REAL.md").read_text("utf-8")
LINES = [line for line in TEXT.splitlines() if line.startswith("| ")][2:]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES]
BEHAVIOURS = [row for row in ROWS if not row[0].startswith("**")]


def missing(named: str) -> str:
    """What is wrong with the name of a test; "" if it is there."""
    file, _, test = named.partition("::")
    path = ROOT / file
    if not path.is_file():
        return f"there is no {file}"
    if path.suffix == ".json":
        return "" if path.parent.name == "differences" and not test else f"{named} is no kept difference"
    pattern = rf"^def {test}\(" if path.suffix == ".py" else rf"^static void {test}\(void"
    text = path.read_text("utf-8")
    run = path.suffix == ".py" or re.search(rf"cmocka_unit_test\w*\({test}\b|IN_FOLDER\({test}\)", text)
    return "" if test and re.search(pattern, text, re.MULTILINE) and run else f"{file} has no test {test}"


@pytest.mark.parametrize("row", BEHAVIOURS, ids=lambda row: row[0][:40])
def test_each_behaviour_has_its_tests(row):
    assert len(row) == 6 and all(row), "a cell is empty or missing"
    names = row[5].split("<br>")
    assert all(re.fullmatch(r"`[^`]+`", name) for name in names)
    assert [said for name in names if (said := missing(name.strip("`")))] == []


def test_every_kept_difference_has_a_row():
    kept = {f"grader/tests/differences/{file.name}" for file in (ROOT / "grader/tests/differences").glob("*.json")}
    assert kept - set(re.findall(r"`(grader/tests/differences/[^`]+)`", TEXT)) == set()


@pytest.mark.parametrize("named", ["grader/tests/no_such.py::test_x", "grader/tests/test_real_map.py::test_none",
                                   "grader/tests/differences/none.json", "sim/tests/test_world_again.c::test_none",
                                   "sim/tests/test_world_again.c", "sim/world/REAL.md::test_x"])
def test_a_test_that_is_not_there_is_seen(named):
    assert missing(named)


@pytest.mark.parametrize("file, words", [
    ("sim/include/co.h", "over a real network nothing takes exactly 2 s"),
    ("labs/01-sync-vs-async/README.md", "exactly 30 s may count either way"),
    ("labs/02-url-fetcher/README.md", "over a real network that is decided by chance"),
    ("labs/03-scraper/README.md", "takes just as long as its timeout may count either way"),
    ("labs/06-testing/README.md", "in the very nanosecond of the timeout"),
])
def test_the_border_of_a_timeout_is_said(file, words):
    """Nobody may be led to decide there: in the real world chance does."""
    text = " ".join((ROOT / file).read_text("utf-8").replace(" * ", " ").split())
    assert words in text
