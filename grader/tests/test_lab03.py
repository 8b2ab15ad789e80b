"""The numbers that the handout and the timeline of lab 03 tell are those of the reference solution in the lab's
worlds."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs/03-scraper"
REFERENCE = ROOT / "build/kit/03-scraper/reference"
NUMBERS = {"CO_ENOHOST": 6, "ECONNREFUSED": 111, "ECONNRESET": 104, "EPROTO": 71, "ELOOP": 40, "ETIMEDOUT": 110}


def reports(folder: Path, mode: str, world: str, *settings: str) -> list[dict]:
    """What a run of the reference solution reports."""
    trace = folder / "trace"
    words = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([REFERENCE, "--world", LAB / "worlds" / world, "--trace", trace, *words, mode], capture_output=True,
                   timeout=20)
    return [event for event in map(json.loads, trace.read_text().splitlines()) if event.get("ev") == "report"]


def result(*call) -> dict:
    """The last report, and how many ms the run took."""
    told = reports(*call)
    return {**told[-1]["value"], "ms": (told[-1]["t"] - told[0]["t"]) / 10**6}


def handout() -> str:
    return " ".join((LAB / "README.md").read_text().split())


def test_mixed_world(tmp_path):
    told = result(tmp_path, "all", "mixed.json")
    assert "Five are successful, the last of them after 1000 ms. Three are given up after exactly 2000 ms" in handout()
    good = [page for page in told["results"] if page["error"] == 0 and page["status"] < 400]
    late = [page for page in told["results"] if page["error"] == -NUMBERS["ETIMEDOUT"]]
    assert (len(told["results"]), len(good), max(page["took_ns"] for page in good)) == (15, 5, 10**9)
    assert [page["took_ns"] for page in late] == [2 * 10**9] * 3
    assert "the log has ten lines" in handout()
    assert told["summary"] == {"total": 15, "successful": 5, "failed": 10, "total_time_ns": 2 * 10**9}
    assert "One after the other, it would take 10 240 ms" in handout()
    assert result(tmp_path, "page", "mixed.json")["ms"] == 10240


def test_mixed_world_has_every_error_of_the_table(tmp_path):
    table = re.findall(r"^\| [^|]+ \| `-(\w+)`", (LAB / "README.md").read_text().split("| What goes wrong |")[1], re.M)
    errors = {page["error"] for page in result(tmp_path, "all", "mixed.json")["results"]}
    assert set(table) == set(NUMBERS) and errors == {0, *(-number for number in NUMBERS.values())}


@pytest.mark.parametrize("mode,world,settings,ms", [
    ("all", "three.json", (), 2000), ("page", "three.json", (), 5000), ("cancel", "three.json", ("after=1200ms",),
                                                                        1200),
    ("all", "order.json", (), 1500), ("all", "drip.json", (), 2000)])
def test_times_of_the_timeline(tmp_path, mode, world, settings, ms):
    assert result(tmp_path, mode, world, *settings)["ms"] == ms


def test_news_and_counts_of_the_timeline(tmp_path):
    news = [event for event in reports(tmp_path, "all", "order.json") if event["name"] == "progress"]
    assert [(event["value"]["url"][-2:], event["t"] // 10**6) for event in news] == [("/a", 500), ("/b", 1000),
                                                                                     ("/c", 1500)]
    told = result(tmp_path, "cancel", "three.json", "after=1200ms")["summary"]
    assert (told["successful"], told["failed"], told["total"]) == (1, 0, 3)


def test_a_byte_a_second(tmp_path):
    """A limit on each read would never be reached: all of it comes, after as many seconds as it has bytes."""
    page = json.loads((LAB / "worlds/drip.json").read_text())["sites"][0]["routes"][0]
    assert len(page["body"]) == 27 and page["fault"]["every"] == "1s" and "the page has 27 bytes" in handout()
    assert result(tmp_path, "all", "drip.json", "timeout=29s")["ms"] == 27000


def test_titles_of_the_world(tmp_path):
    titles = [page["title"] for page in result(tmp_path, "page", "titles.json")["results"]]
    assert titles[:5] == ["Plain", "Capitals", "Attributes", "White space everywhere",
                          "Tea & toast <now> \"hot\" 'and' &amp; &copy; &amp"]
    assert titles[5:9] == ["Final", "Right", "One", "First"] and len(titles[9]) == 63
    assert titles[10:] == ["", "", "", "After zero bytes", "Caf\\xe9 cr\\xe8me", "Café crème", ""]
