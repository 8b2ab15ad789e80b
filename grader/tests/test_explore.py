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
