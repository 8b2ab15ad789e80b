"""The explorer of orders (sim/explore/search): does it run one order for each class of orders that can differ, and no
more? As GenMC's tests do, each small program of sim/tests/explore/cases.c states how many classes it has, and what is
wrong in some of them. Two more witnesses: all orders, run one by one, fall into as many classes; and the tape of what
was found leads the same program there again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from variants import BUILD, ROOT

SOURCE = (ROOT / "sim/tests/explore/cases.c").read_text()
CLASSES = {name: int(number) for number, name in
           re.findall(r"classes: (\d+)[^*]*\*/\nstatic int (\w+)\(void \*job\)", SOURCE)}
WRONG = {name: (kind.strip(), where) for kind, where, name in
         re.findall(r"wrong: ([a-z ]+?)(?: in (\w+))? \*/\nstatic int (\w+)\(void \*job\)", SOURCE)}
"""What is wrong in some order, and in which function."""
WORLD = ROOT / "labs/04-worker-queue/worlds/ten.json"
FEW = 4000
"""So many orders are run one by one."""
PROGRAMS = [name for name in ("cases", "cases-clang") if name == "cases" or (BUILD / "tests/explore" / name).exists()]


def explore(tmp_path: Path, case: str, program: str = "cases", **more: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, what was found, what was said)."""
    file = tmp_path / "explored.json"
    done = subprocess.run([BUILD / "tests/explore" / program, case], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "CO_WORLD": str(WORLD), "CO_EXPLORE": str(2 * FEW),
                               "CO_EXPLORE_JSON": str(file), "CO_EXPLORE_AGAIN": "again", "LD_BIND_NOW": "1", **more})
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(file.read_text()), done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("case", CLASSES)
def test_one_order_for_each_class(tmp_path, case, program):
    """And each is seen: none is run twice, none is begun in vain but where it must be."""
    code, found, said = explore(tmp_path, case, program)
    assert (found["classes"], found["whole"], found["complete"]) == (CLASSES[case], CLASSES[case], True), said
    wrong = WRONG[case][0] if case in WRONG else "too much order"       # that one only beside another program
    kinds = sorted({finding["kind"] for finding in found["findings"]})
    assert (kinds, code) == (([], 0) if wrong == "too much order" else ([wrong], 1)), said
    assert re.search(rf"^{found['orders']:,} orders?, {CLASSES[case]:,} class(es)?, all of them, in [\d.]+ s "
                     r"\([\d,]+ a second\)$", said, re.M), said


@pytest.mark.parametrize("case", [case for case in CLASSES if case not in ("independent", "grabs", "loops")])
def test_all_orders_one_by_one_fall_into_as_many_classes(tmp_path, case):
    _, found, said = explore(tmp_path, case, CO_EXPLORE_EVERY="1")
    assert (found["classes"], found["complete"]) == (CLASSES[case], True), said


def test_the_cases_that_are_wrong_are_there():
    kinds = [kind for kind, _ in WRONG.values()]
    assert {"deadlock", "crash", "exit", "endless", "failed", "stack overflow"} <= set(kinds)
    assert kinds.count("lost update") == kinds.count("too much order") == 5


@pytest.mark.parametrize("case", ["lost_update", "crossed_locks", "late"])
def test_what_is_found_is_the_same_each_time(tmp_path, case):
    first, second = (explore(tmp_path, case)[1] for _ in range(2))
    for one in (first, second):
        one.pop("elapsed_s"), one.pop("cpu_s")
    assert first == second


def test_the_tape_leads_there_again(tmp_path):
    """Only the last order of `late` fails: the plain one does not, with the tape it does, and without an explorer."""
    code, found, said = explore(tmp_path, "late")
    tape = found["findings"][0]["tape"]
    assert code == 1 and tape and f"again: again TAPE={tape}" in said
    program = [BUILD / "tests/explore/cases", "late"]
    assert subprocess.run(program, env={**os.environ, "CO_TAPE": ""}, timeout=10).returncode == 0
    assert subprocess.run(program, env={**os.environ, "CO_TAPE": tape}, timeout=10).returncode == 1


def line_of(function: str, word: str) -> str:
    """The place in a function that a comment marks."""
    begin = re.search(rf"^static int {function}\(.*\)\n{{$", SOURCE, re.M)
    assert begin
    at = SOURCE.index(f"/* {word} */", begin.end())
    return f"cases.c:{SOURCE.count(chr(10), 0, at) + 1}"


@pytest.mark.parametrize("case", [case for case, (kind, _) in WRONG.items() if kind == "lost update"])
def test_a_lost_update_is_told_in_three_lines(tmp_path, case):
    _, found, said = explore(tmp_path, case)
    read, waited, wrote = (line_of(WRONG[case][1], word) for word in ("read", "wait", "write"))
    assert f"   {read} read it, {waited} waited, {wrote} wrote it back\n" in said
    assert f"   meanwhile another task wrote it at {wrote}: that is lost\n" in said
    assert [finding["lost"] for finding in found["findings"]] == \
        [{"read": read, "waited": waited, "wrote": wrote, "meanwhile": wrote}]


@pytest.mark.parametrize("case", [case for case, (kind, _) in WRONG.items() if kind == "too much order"])
def test_too_much_order_is_told_with_the_place_that_waits(tmp_path, case):
    """Beside the one that has three requests under way at once."""
    explore(tmp_path, "requests")
    right = tmp_path / "right.json"
    (tmp_path / "explored.json").rename(right)
    code, found, said = explore(tmp_path, case, CO_EXPLORE_BESIDE=str(right))
    waited, asked = line_of(WRONG[case][1], "wait"), line_of("fetch", "ask")
    assert (code, [finding["src"] for finding in found["findings"]]) == (1, [waited])
    assert "1. too much order: http://tea.test/1 and http://tea.test/2 are under way together in none of " in said
    assert f"   {asked} asks for it after {waited} has waited for " in said
    assert ("taken at" in said) == (case == "requests_with_lock")


def test_a_right_program_beside_itself_has_not_too_much_order(tmp_path):
    explore(tmp_path, "requests")
    right = tmp_path / "right.json"
    (tmp_path / "explored.json").rename(right)
    assert explore(tmp_path, "requests", CO_EXPLORE_BESIDE=str(right))[0] == 0



def test_each_allocation_fails_once(tmp_path):
    """The first one is looked after, the second one is not."""
    code, found, said = explore(tmp_path, "trusts_malloc", CO_EXPLORE_TRIALS="1")
    crash = line_of("trusts_malloc", "crash")
    assert [(finding["kind"], finding["src"], finding["allocation"]) for finding in found["findings"]] == \
        [("crash", crash, 2)] and code == 1
    assert f"1. crash at {crash}: " in said and "when allocation 2 fails" in said
    assert "2 allocations that fail, 1 step after which all is cancelled, all of them, in " in said


def test_all_is_cancelled_once_after_each_step(tmp_path):
    """After the first one it holds the lock, and waits."""
    code, found, said = explore(tmp_path, "trusts_the_lock", CO_EXPLORE_TRIALS="1")
    assert [(finding["kind"], finding["what"], finding["cancel"]) for finding in found["findings"]] == \
        [("leak", "lock", 1)] and code == 1
    assert "0 allocations that fail, 3 steps after which all is cancelled, all of them, in " in said


# ---- The front door --------------------------------------------------------------------------------------------

LAB = "04-worker-queue"
TWO = {"LAB": "04", "SET": "workers=2", "WORLD": "ten.json", "URLS": "http://tea.test/1 http://tea.test/2"}
RACE = [("    bool stopping;\n", "    bool stopping;\n    size_t total;\n"),
        ("/* One job, from", """static void count(struct pool *pool, bool late)
{
    if (late && co_yield() < 0)
        return;
    size_t seen = pool->total;          /* read */
    int rc = co_yield();                /* wait */
    pool->total = rc < 0 ? 0 : seen + 1;    /* write */
}

/* One job, from"""),
        ("    stats->jobs++;\n", "    stats->jobs++;\n    count(pool, stats != NULL && url[16] == '2');\n"),
        ("    return rc < 0 ? rc : pool->lost;", "    return pool->total == stats->jobs ? rc : -EPROTO;")]
"""What makes of the reference a pool that counts all jobs in one number: two in the plain order, one in another."""


def shell(tmp_path: Path, explore: bool, **words: str) -> "subprocess.CompletedProcess[str]":
    """What `make run` and `make explore` do once all is built."""
    return subprocess.run(["sh", "grader/scripts/run.sh"], cwd=ROOT, capture_output=True, text=True, timeout=100, env={
        **os.environ, "CC": "gcc", **({"EXPLORE": "1", "JSON": str(tmp_path / "said.json")} if explore else {}),
        **words})


def test_a_race_that_the_plain_run_does_not_show_is_found_and_replayed(tmp_path):
    source = (ROOT / "solutions" / LAB / "pool.c").read_text()
    for old, new in RACE:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    (tmp_path / "pool.c").write_text(source)
    lines = {word: f"pool.c:{source[:source.index(f'/* {word} */')].count(chr(10)) + 1}"
             for word in ("read", "wait", "write")}
    assert shell(tmp_path, False, FROM=str(tmp_path), **TWO).returncode == 0
    done = shell(tmp_path, True, FROM=str(tmp_path), **TWO)
    assert done.returncode == 1 and "the program fails: the answer broke off" in done.stdout, done.stdout
    assert f"{lines['read']} read it, {lines['wait']} waited, {lines['write']} wrote it back" in done.stdout
    found = json.loads((tmp_path / "said.json").read_text())
    failed = next(finding for finding in found["findings"] if finding["kind"] == "failed")
    assert found["complete"] and 0 < failed["orders"] < found["orders"]
    assert f"again: make run LAB=04 FROM={tmp_path} WORLD=ten.json SET=\"workers=2\" URLS=" in done.stdout
    assert shell(tmp_path, False, FROM=str(tmp_path), TAPE=failed["tape"], **TWO).returncode == 1


def test_the_reference_in_all_orders_of_a_small_case(tmp_path):
    done = shell(tmp_path, True, FROM="solutions", **TWO)
    assert (done.returncode, done.stderr) == (0, "") and ", all of them, in " in done.stdout


@pytest.mark.parametrize("words, said", [
    ({}, "say which, as in: make run LAB=01"),
    ({"LAB": "04", "DEPTH": "many"}, "DEPTH=many: say how many orders at most"),
    ({"LAB": "04", "REAL": "1"}, "explore without REAL=1"),
    ({"LAB": "06"}, "are not explored"),
    ({"LAB": "04", "WORLD": "none.json"}, "none.json"),
])
def test_a_word_too_many_is_refused(tmp_path, words, said):
    done = shell(tmp_path, True, **{"FROM": "solutions", **words})
    assert done.returncode == 2 and said in done.stderr


def test_a_program_that_ends_before_its_first_task_is_told(tmp_path):
    source = (ROOT / "solutions" / LAB / "pool.c").read_text()
    (tmp_path / "pool.c").write_text(source + "\n__attribute__((constructor)) static void end(void) { exit(0); }\n")
    done = shell(tmp_path, True, FROM=str(tmp_path), **TWO)
    assert done.returncode == 1 and "ended before its first task" in done.stderr


def test_what_a_newer_clang_calls_is_there(tmp_path):
    """From version 16 on it calls __tsan_memset where older ones, and gcc, call memset: the same function, whose
    return address is the place that is told."""
    listed = subprocess.run(["nm", BUILD / "kit/libco-explore.a"], capture_output=True, text=True).stdout
    places = {name: place for place, name in re.findall(r"^([0-9a-f]+) T (\w+)$", listed, re.M)}
    for name in ("memcpy", "memmove", "memset"):
        assert places[f"__tsan_{name}"] == places[f"explore_{name}"], name
