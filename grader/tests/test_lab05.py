"""The numbers that the handout, the contract and the timeline of lab 05 tell are those of the reference solution in the
lab's worlds."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "labs/05-data-pipeline"
REFERENCE = ROOT / "build/kit/05-data-pipeline/reference"


def run(folder: Path, world: str, *settings: str, mode: str = "pipeline") -> list[dict]:
    """The trace of a run of the reference solution."""
    trace = folder / "trace"
    words = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([REFERENCE, "--world", LAB / "worlds" / world, "--trace", trace, *words, mode], capture_output=True,
                   timeout=20)
    return [json.loads(line) for line in trace.read_text().splitlines()[1:]]


def result(events: list[dict]) -> dict:
    return [event["value"] for event in events if event.get("name") == "result"][-1]


def handout() -> str:
    return " ".join((LAB / "README.md").read_text().split())


def timeline() -> str:
    return " ".join((LAB / "timeline.md").read_text().split())


@pytest.mark.parametrize("world,settings,ms", [
    ("three.json", ("workers=1",), 380), ("three.json", (), 180), ("slow-disk.json", ("workers=1", "bound=1"), 2550),
    ("slow-disk.json", ("workers=1", "bound=100"), 2550)])
def test_times_of_the_timeline(tmp_path, world, settings, ms):
    assert result(run(tmp_path, world, *settings))["elapsed_ns"] == ms * 10**6
    assert f"{ms} ms" in timeline()


@pytest.mark.parametrize("bound,starts", [(1, [0, 100, 200, 300, 400, 500, 750, 1050]),
                                          (100, [0, 100, 200, 300, 400, 500, 600, 700])])
def test_requests_of_the_timeline(tmp_path, bound, starts):
    events = run(tmp_path, "slow-disk.json", "workers=1", f"bound={bound}")
    assert [event["t"] // 10**6 for event in events if event["ev"] == "http.start"] == starts
    assert f"the seventh request starts at {starts[6]} ms" in timeline()


def test_transform_on_the_loop_as_in_the_timeline(tmp_path):
    """Question 4: the same solution, but for one call."""
    solution = (ROOT / "solutions/05-data-pipeline/pipeline.c").read_text()
    assert solution.count("co_to_thread(compute, item)") == 1
    (tmp_path / "pipeline.c").write_text(solution.replace("co_to_thread(compute, item)", "compute(item)"))
    program = tmp_path / "program"
    subprocess.run(["gcc", "@sim/kit/student.flags", "-Isim/include", "-Ilabs/05-data-pipeline",
                    tmp_path / "pipeline.c",
                    "build/kit/05-data-pipeline/main.o", "build/kit/libco.a", "@sim/kit/link.flags", "-o", program],
                   check=True, cwd=ROOT)
    trace = tmp_path / "trace"
    subprocess.run([program, "--world", LAB / "worlds/three.json", "--trace", trace], capture_output=True, timeout=20,
                   check=True)
    events = [json.loads(line) for line in trace.read_text().splitlines()[1:]]
    assert result(events)["elapsed_ns"] == 280 * 10**6 and "280 ms" in timeline()
    assert next(event["t"] for event in events if event["ev"] == "file.start") == 250 * 10**6


def test_mixed_world(tmp_path):
    told = result(run(tmp_path, "mixed.json"))
    assert "ends after 441.53 ms with 2 files" in handout() and told["elapsed_ns"] == 441_530_000 \
        and told["done"]["write"] == 2
    assert "3 failed in fetch, 3 in transform, 2 in write" in handout() \
        and told["failed"] == {"fetch": 3, "transform": 3, "write": 2}


def test_full_disk(tmp_path):
    told = result(run(tmp_path, "full.json"))
    assert (told["done"]["write"], told["failed"]["write"]) == (2, 1)


def test_what_the_worlds_are_said_to_hold():
    def routes(world: str) -> list[dict]:
        return [route for site in json.loads((LAB / "worlds" / world).read_text())["sites"] for route in site["routes"]]

    assert [(len(route["body"]), route["latency"]) for route in routes("three.json")] == [(100, "100ms")] * 3
    assert [(len(route["body"]), route["latency"]) for route in routes("slow-disk.json")] == [(100, "100ms")] * 8
    assert sorted(int(route["latency"][:-2]) for route in routes("orders.json"))[::7] == [60, 200] \
        and len(routes("orders.json")) == 8
    assert len(routes("mixed.json")) == 10 and len(routes("full.json")) == 3


def test_example_of_the_contract(tmp_path):
    """The order that stands in pipeline.h has the summary that stands there."""
    lines = (LAB / "pipeline.h").read_text().splitlines()
    order = json.loads(" ".join(line[4:].strip() for line in lines if re.match(r" \*\s+(\{\"id\"|\"items\")", line)))
    text = next(line[4:].strip() for line in lines if line.startswith(' *     {"customer":"Ada"'))
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"world": "looplab/world/v1",
                                 "sites": [{"url": "http://a.test",
                                            "routes": [{"path": "/", "body": json.dumps(order)}]}]}))
    assert result(run(tmp_path, world, mode="transform"))["results"] == [{"rc": 0, "id": 17, "text": text}]
