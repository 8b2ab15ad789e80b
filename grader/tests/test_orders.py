"""Other legal orders of a run: which questions a tape is asked, which tapes are tried, how a failing one shrinks."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from looplab import Fault, World, ms
from looplab.reading.orders import Question, left_to_chance, questions, shrink, tapes
from looplab.reading.trace import read
from looplab.running.build import compiler
from variants import ROOT

PROGRAM = r"""
#include "co.h"
#include "kit.h"

#include <string.h>

static struct co_lock lock = CO_LOCK_INIT;
static char text[64];

static int says(void *job)
{
    int rc = co_lock_acquire(&lock);
    if (rc < 0)
        return rc;
    strcat(text, job);
    rc = co_sleep(CO_MS(10));
    co_lock_release(&lock);
    return rc == 0 ? co_yield() : rc;
}

static int sleeps(void *job)
{
    (void)job;
    return co_sleep(CO_MS(100));
}

static int main_task(void *job)
{
    (void)job;
    CO_GROUP(group);
    co_task *sleeper = co_spawn(&group, sleeps, NULL);
    co_spawn(&group, says, "a");
    co_spawn(&group, says, "b");
    co_spawn(&group, says, "c");
    int rc = co_sleep(CO_MS(10));
    co_cancel(sleeper);
    kit_report("start", json_null());
    rc = rc < 0 ? rc : co_join(&group);
    kit_report("result", json_pack("{s:i, s:s}", "rc", rc, "text", text));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {{"all", main_task, "everything"}, {0}};
    return kit_main(argc, argv, "orders", modes);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("orders")
    (folder / "orders.c").write_text(PROGRAM)
    subprocess.run([*compiler(), "-Isim/include", folder / "orders.c", "build/kit/libco.a",
                    "@sim/kit/link.flags",
                    "-o", folder / "orders"], cwd=ROOT, check=True)
    return folder / "orders"


def events(program: Path, tape: str) -> list[dict]:
    """The trace's lines after the first."""
    trace = program.parent / "trace"
    subprocess.run([program, "--trace", trace, "--tape", tape], capture_output=True, timeout=20)
    return [json.loads(line) for line in trace.read_text().splitlines()[1:]]


def runs(lines: list[dict]) -> list[int]:
    """The tasks in the order in which they ran."""
    return [line["task"] for line in lines if line.get("ev") == "run"]


def test_the_trace_tells_each_question(program):
    """With another answer to question k, the tasks run as they did before up to there, and there another one runs."""
    plain = events(program, "")
    (program.parent / "plain").write_text((program.parent / "trace").read_text())
    asked = questions(read((program.parent / "plain").read_text()))
    assert [question.label for question in asked].count("cancel") == 1 and len(asked) > 6
    place, ready = 0, 0
    for line in plain:
        ready += (line["ev"] == "ready") - (line["ev"] == "run")
        if line["ev"] != "run" or ready == 0:
            continue
        while asked[place].label != "ready":
            place += 1
        place += 1
        assert asked[place - 1].options == ready + 1
        other = events(program, f"{place}={ready}")
        index = plain.index(line)
        assert other[:index] == plain[:index] and other[index]["ev"] == "run" and other[index]["task"] != line["task"]
    assert place == max(number for number, question in enumerate(asked, start=1) if question.label == "ready")


def test_tapes_are_different_legal_and_grow():
    asked = [Question("ready", 2 + k % 3) for k in range(40)]
    asked[7] = Question("cancel", 2)
    made = tapes(asked, 7, random.Random(1))
    assert len(made) == 7 == len(set(made)) and made == tapes(asked, 7,
                                                              random.Random(1)) != tapes(asked, 7, random.Random(2))
    assert [tape.count("=") for tape in made[:4]] == [1, 1, 1, 1] and made[4].count("=") > 1
    assert [tape.count("=") for tape in made] == sorted(tape.count("=") for tape in made)
    firsts = [int(tape.split("=")[0]) for tape in made[:4]]
    assert [place // 10 for place in sorted(place - 1 for place in firsts)] == [0, 1, 2,
                                                                                3], "single deviations are spread " \
        "over the run"
    for tape in made:
        pairs = [tuple(map(int, pair.split("="))) for pair in tape.split(",")]
        assert pairs == sorted(pairs) and all(0 < option < asked[place - 1].options and place != 8 for place,
                                              option in pairs)


@pytest.mark.parametrize("asked, most",
                         [([], 0), ([Question("cancel", 2)], 0), ([Question("ready", 2)], 1),
                          ([Question("ready", 3)], 2)])
def test_where_there_are_few_orders_there_are_few_tapes(asked, most):
    assert len(tapes(asked, 7, random.Random(1))) <= most


def test_a_failing_tape_shrinks_to_what_makes_it_fail():
    tape = ",".join(f"{k}=1" for k in range(1, 9))
    tried = []

    def fails(some: str) -> bool:
        tried.append(some)
        return "3=1" in some.split(",") and "7=1" in some.split(",")

    assert shrink(tape, fails, tries=40) == "3=1,7=1" and len(tried) < 20
    assert shrink("5=2", fails) == "5=2"
    tried.clear()
    assert fails(shrink(tape, fails, tries=3)) and len(tried) <= 4


def test_what_a_world_leaves_to_chance():
    fixed = World().site("http://a.test").route("/1", latency=ms(5)).route("/2", fault=Fault.reset(times=1))
    assert left_to_chance(fixed) is None
    assert left_to_chance(World().site("http://a.test").route("/1", latency=(ms(5), ms(6)))) == "http://a.test/1"
    assert left_to_chance(World().site("http://a.test").route("/1", fault=Fault.reset(probability=0.5))) \
        == "http://a.test/1"
