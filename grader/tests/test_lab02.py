"""What lab 02 alone promises: the numbers of its handout and timeline, and the errors of its mixed world. What all labs
promise: test_labs.py."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from grading import ROOT

NAME = "02-url-fetcher"
LAB, KIT = ROOT / "labs" / NAME, ROOT / "build/kit"
SOLUTION = ROOT / "solutions" / NAME / "fetcher.c"
HANDOUT, TIMELINE = (LAB / "README.md").read_text(), (LAB / "timeline.md").read_text()
MS = 10**6


def trace_of(folder: Path, mode: str, world: str, *settings: str,
             program: Path = KIT / NAME / "reference") -> list[dict]:
    """The trace of a run of the reference solution."""
    trace = folder / "trace"
    given = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([program, "--world", LAB / "worlds" / world, "--trace", trace, *given, mode], capture_output=True,
                   timeout=20)
    return [json.loads(line) for line in trace.read_text().splitlines()]


def reports(trace: list[dict], name: str) -> list[dict]:
    return [line for line in trace if line.get("ev") == "report" and line["name"] == name]


def opened(trace: list[dict]) -> int:
    return sum(line.get("ev") == "http.connected" and not line["reused"] for line in trace)


@pytest.mark.parametrize("mode,world,per_host,ms,connections", [
    ("one", "five.json", 4, 1680, 1), ("all", "five.json", 0, 600, 5), ("all", "five.json", 2, 1020, 2),
    ("all", "five.json", 1, 1680, 1),
    ("all", "hundred.json", 1, 22030, 1), ("all", "hundred.json", 10, 2409, 10), ("all", "hundred.json", 0, 399, 100)])
def test_numbers_the_handout_tells(tmp_path, mode, world, per_host, ms, connections):
    trace = trace_of(tmp_path, mode, world, f"per_host={per_host}")
    assert reports(trace, "result")[0]["t"] == ms * MS and opened(trace) == connections
    assert re.search(rf"\b{ms}\b", HANDOUT + TIMELINE)


def test_progress_of_the_prediction(tmp_path):
    told = reports(trace_of(tmp_path, "all", "five.json", "per_host=0"), "progress")
    assert [(line["value"]["url"].rsplit("/", 1)[1], line["t"] // MS) for line in told] == \
        [("index", 200), ("poems", 300), ("novel", 400), ("maps", 500), ("atlas", 600)]


@pytest.mark.parametrize("call,ms", [("(void)!co_sleep(CO_SEC(1));", 1600), ("sleep(1);", 5420)])
def test_sleep_and_blocking_sleep(tmp_path, call, ms):
    """Question 7: each task of the reference begins with a sleep."""
    source, program = tmp_path / "fetcher.c", tmp_path / "program"
    source.write_text("#include <unistd.h>\n" + SOLUTION.read_text().replace("    int rc = fetch_url(",
                                                                             f"    {call}\n    int rc = fetch_url("))
    subprocess.run(["gcc", "@sim/kit/student.flags", "-Isim/include", f"-Ilabs/{NAME}", source, KIT / NAME / "main.o",
                    KIT / "libco.a", "@sim/kit/link.flags", "-o", program], check=True, cwd=ROOT)
    assert reports(trace_of(tmp_path, "all", "five.json", "per_host=0", program=program), "result")[0]["t"] == ms * MS
    assert f"{ms} ms" in TIMELINE


def test_life_of_a_task_as_the_handout_shows_it(tmp_path):
    trace = trace_of(tmp_path, "all", "five.json", "per_host=0")
    shown = re.findall(r'^    \{"t":(\d+),"from":"(\w+)","ev":"([\w.]+)"', HANDOUT, re.M)
    index = next(line["task"] for line in trace if line.get("ev") == "http.start" and line["url"].endswith("/index"))
    assert shown == [(str(line["t"]), line["from"], line["ev"]) for line in trace if line.get("task") == index]


def test_contract_is_used_as_it_is():
    """The errors that the handout names are those of co.h."""
    table = re.findall(r"^\| [^|]+ \| `-(\w+)`", HANDOUT.split("| What goes wrong |")[1], re.M)
    assert table == ["ECONNREFUSED", "CO_ENOHOST", "ECONNRESET", "EPROTO", "ETIMEDOUT", "ELOOP", "EINVAL"]
    manual = (ROOT / "sim/include/co.h").read_text()
    assert all(f"-{name}" in manual for name in table)


def test_mixed_world_has_five_errors_of_the_table(tmp_path):
    results = reports(trace_of(tmp_path, "all", "mixed.json", "per_host=1"), "result")[0]["value"]["results"]
    assert {result["error"] for result in results} == {0, -111, -6, -104, -71, -110}
