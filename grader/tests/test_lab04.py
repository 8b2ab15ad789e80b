"""What lab 04 alone promises: the numbers of its handout and timeline. What all labs promise: test_labs.py."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from grading import ROOT

NAME = "04-worker-queue"
LAB, KIT = ROOT / "labs" / NAME, ROOT / "build/kit"
SOLUTION = ROOT / "solutions" / NAME / "pool.c"
HANDOUT, TIMELINE = (LAB / "README.md").read_text(), (LAB / "timeline.md").read_text()
MS = 10**6


def report(folder: Path, world: str, *words: str, program: Path = KIT / NAME / "reference") -> dict:
    """What a run of the reference solution (or another program) reports as its result."""
    trace = folder / "trace"
    subprocess.run([program, "--world", LAB / "worlds" / world, "--trace", trace, *words], capture_output=True,
                   timeout=20)
    return [json.loads(line)["value"] for line in trace.read_text().splitlines() if '"name":"result"' in line][-1]


def settings(**numbers: object) -> list[str]:
    return [word for name, value in numbers.items() for word in ("--set", f"{name}={value}")]


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """The reference solution with a mistake in it, as a program."""
    source, program = folder / "pool.c", folder / "program"
    text = SOLUTION.read_text()
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    source.write_text(text)
    subprocess.run(["gcc", "@sim/kit/student.flags", "-Isim/include", f"-Ilabs/{NAME}", source, KIT / NAME / "main.o",
                    KIT / "libco.a", "@sim/kit/link.flags", "-o", program], check=True, cwd=ROOT)
    return program


@pytest.mark.parametrize("number,s,numbers", [
    (1, 4, {}), (2, 5, {"workers": 2}), (4, 8, {"workers": 3, "handle": "1s"}), (5, 5, {"handle": "1s"})])
def test_times_of_the_prediction(tmp_path, number, s, numbers):
    assert report(tmp_path, "ten.json", *settings(**numbers))["elapsed_ns"] == s * 1000 * MS
    assert f"**{number}. " in TIMELINE and f": {s} s.**" in TIMELINE.split(f"**{number}. ")[1].split("\n")[0]


def test_a_semaphore_in_each_worker(tmp_path):
    """Question 3: as if nothing were limited."""
    program = changed(tmp_path, ("CO_WITH_SEM(&pool->requests)",
                                 "struct co_sem own = CO_SEM_INIT((int)pool->config.limit);\n    CO_WITH_SEM(&own)"))
    assert report(tmp_path, "ten.json", program=program)["elapsed_ns"] == 2000 * MS \
        and ": 2 s.**" in TIMELINE.split("**3. ")[1].split("\n")[0]


def test_a_place_held_while_the_page_is_handled(tmp_path):
    """What the answer to question 5 says of it."""
    program = changed(tmp_path, ("        rc = co_http_get(url, page);\n    }",
                                 "        rc = co_http_get(url, page);\n        (void)!co_sleep(CO_SEC(1));\n    }"))
    assert report(tmp_path, "ten.json", program=program)["elapsed_ns"] == 8000 * MS \
        and "it would take 8 s as in 4" in TIMELINE


def test_the_crawl(tmp_path):
    """Question 6, and a worker that ends when the queue is empty."""
    told = report(tmp_path, "crawl.json", "pool", "http://wiki.test/")
    assert (told["elapsed_ns"], told["jobs"]) == (4000 * MS, 7) and "**6. The crawl: 4 s.**" in TIMELINE
    program = changed(tmp_path, ("co_queue_get(&pool->waiting, &item);", "co_queue_try_get(&pool->waiting, &item);"),
                      ("rc == -ESHUTDOWN ? 0 : rc;", "rc == -EAGAIN ? 0 : rc;"))
    assert report(tmp_path, "crawl.json", "pool", "http://wiki.test/", program=program)["elapsed_ns"] == 7000 * MS
    assert "one after the other: 7 s." in TIMELINE


def test_the_stop(tmp_path):
    """Question 7."""
    told = report(tmp_path, "stop.json")
    assert told["elapsed_ns"] == 2000 * MS and sorted(url.split("/")[-1]
                                                      for url in told["left"]) == ["5", "6", "7", "late"]
    assert "2 s, and `/5`, `/6`, `/7` and `/late` are handed back" in TIMELINE


def test_the_busy_server(tmp_path):
    assert report(tmp_path, "busy.json")["failed"] == 6 and "gives six failures of ten" in HANDOUT


def test_mixed_world_fails_in_every_way(tmp_path):
    told = report(tmp_path, "mixed.json")
    assert (told["succeeded"], told["failed"], told["handled"]) == (3, 8, 4)


@pytest.mark.parametrize("world", sorted(path.name for path in (LAB / "worlds").glob("*.json")))
def test_every_world_loads_and_stands_in_the_handout(tmp_path, world):
    assert report(tmp_path, world)["rc"] == 0
    assert f"`{world}`" in HANDOUT.split("## Check")[1]


@pytest.mark.parametrize("setting", ["workers", "limit", "handle", "repeat", "handler", "after"])
def test_every_setting_stands_in_the_handout(setting):
    assert f'kit_setting("{setting}"' in (LAB / "main.c").read_text() and f"`{setting}`" in HANDOUT.split("## Check")[1]
