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
WRONG = {name: kind.strip() for kind, name in
         re.findall(r"wrong: ([\w ]+)[^*]*\*/\nstatic int (\w+)\(void \*job\)", SOURCE)}
FEW = 4000
"""So many orders are run one by one."""
PROGRAMS = [name for name in ("cases", "cases-clang") if name == "cases" or (BUILD / "tests/explore" / name).exists()]


def explore(tmp_path: Path, case: str, program: str = "cases", **more: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, what was found, what was said)."""
    file = tmp_path / "explored.json"
    done = subprocess.run([BUILD / "tests/explore" / program, case], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "CO_EXPLORE": str(2 * FEW), "CO_EXPLORE_JSON": str(file),
                               "CO_EXPLORE_AGAIN": "again", "LD_BIND_NOW": "1", **more})
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(file.read_text()), done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("case", CLASSES)
def test_one_order_for_each_class(tmp_path, case, program):
    """And each is seen: none is run twice, none is begun in vain but where it must be."""
    code, found, said = explore(tmp_path, case, program)
    assert (found["classes"], found["whole"], found["complete"]) == (CLASSES[case], CLASSES[case], True), said
    assert sorted({finding["kind"] for finding in found["findings"]}) == ([WRONG[case]] if case in WRONG else [])
    assert code == (1 if case in WRONG else 0)
    assert re.search(rf"^{found['orders']:,} orders?, {CLASSES[case]:,} class(es)?, all of them, in [\d.]+ s "
                     r"\([\d,]+ a second\)$", said, re.M), said


@pytest.mark.parametrize("case", [case for case in CLASSES if case not in ("independent", "grabs")])
def test_all_orders_one_by_one_fall_into_as_many_classes(tmp_path, case):
    _, found, said = explore(tmp_path, case, CO_EXPLORE_EVERY="1")
    assert (found["classes"], found["complete"]) == (CLASSES[case], True), said


def test_the_cases_that_are_wrong_are_there():
    assert {"deadlock", "crash", "exit", "endless", "failed", "stack overflow", "lost update"} <= set(WRONG.values())


@pytest.mark.parametrize("case", ["lost_update", "crossed_locks", "late"])
def test_what_is_found_is_the_same_each_time(tmp_path, case):
    first, second = (explore(tmp_path, case)[1] for _ in range(2))
    first.pop("elapsed_s"), second.pop("elapsed_s")
    assert first == second


def test_the_tape_leads_there_again(tmp_path):
    """Only the last order of `late` fails: the plain one does not, with the tape it does, and without an explorer."""
    code, found, said = explore(tmp_path, "late")
    tape = found["findings"][0]["tape"]
    assert code == 1 and tape and f"again: again TAPE={tape}" in said
    program = [BUILD / "tests/explore/cases", "late"]
    assert subprocess.run(program, env={**os.environ, "CO_TAPE": ""}, timeout=10).returncode == 0
    assert subprocess.run(program, env={**os.environ, "CO_TAPE": tape}, timeout=10).returncode == 1


def test_a_lost_update_is_told_in_three_lines(tmp_path):
    _, found, said = explore(tmp_path, "lost_update")
    lines = {word: number for number, text in enumerate(SOURCE.split("\n"), start=1)
             for word in ("int before = shared;", "int rc = co_yield();", "shared = before + 1;") if word in text}
    read, waited, wrote = (f"cases.c:{lines[word]}" for word in
                           ("int before = shared;", "int rc = co_yield();", "shared = before + 1;"))
    assert f"{read} read it, {waited} waited, {wrote} wrote it back\n" in said
    assert f"meanwhile another task wrote it at {wrote}: that is lost\n" in said
    assert found["findings"][0]["lost"] == {"read": read, "waited": waited, "wrote": wrote, "meanwhile": wrote}
