"""A class as platforms leave it, of all kinds of submissions: each is graded, and killed at any moment and started
again it is the same bytes. With ALL=1 there are 300 of them, and 20 kills; each time a few, and none."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from classroom import HandedIn, lay_out
from looplab.course import lab as labs
from looplab.teaching import intake
from test_class import ran, tree
from variants import ALL

LABS = [lab for lab in labs.find_labs() if not lab.warmups]
SIZE, KILLS = (int(os.environ.get("LOOPLAB_CLASS", 300)), 20) if ALL else (4, 0)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory) -> tuple[Path, list[HandedIn]]:
    folder = tmp_path_factory.mktemp("large") / "in"
    return folder, lay_out(folder, SIZE)


def test_three_hundred_are_all_found(tmp_path):
    """Whatever the platform called them: each is one student's, and each file the lab's that it is."""
    made = lay_out(tmp_path / "in", 300)
    assert Counter(one.kind for one in made).keys() == {"right", "wrong", "ungradable", "hostile"}
    (tmp_path / "scratch").mkdir()
    taken = intake.read(tmp_path / "in", LABS, tmp_path / "scratch")
    assert len(taken.students) == 300 and set(Counter(one.student for one in taken.submissions).values()) == {1}
    assert {one.file for one in taken.submissions} == {one.place(tmp_path / "in") for one in made}
    assert Counter(one.lab.source for one in taken.submissions) == Counter(one.file for one in made)
    assert {one.kind for one in taken.troubles} <= {"nothing", "name twice"}


def test_each_is_graded_and_none_stops_another(handed_in, tmp_path):
    """And with kills: the same bytes."""
    source, made = handed_in
    out = tmp_path / "out"
    done = ran(source, out)
    said, errors = done.communicate(timeout=7200)
    assert done.returncode == 1, said + errors
    rows = list(csv.DictReader((out / "grades.csv").open(encoding="utf-8")))
    assert len(rows) == SIZE
    by_kind = Counter((one.kind, status(row)) for one, row in paired(source, made, rows, tmp_path / "scratch"))
    print(dict(by_kind))
    for kind, told in by_kind:
        assert kind == "hostile" and told in ("graded", "ungradable") \
            or told == ("ungradable" if kind == "ungradable" else "graded"), by_kind
    assert all(row["total"] == "100" for one, row in paired(source, made, rows, tmp_path / "twice")
               if one.kind == "right")
    if KILLS:
        whole, moments = tree(out), random.Random(11)
        shutil.rmtree(out)
        for _ in range(KILLS):
            killed = ran(source, out)
            time.sleep(moments.uniform(0.5, SIZE / 10))
            os.kill(killed.pid, signal.SIGKILL)
            killed.communicate()
        assert ran(source, out).wait(7200) == 1
        assert tree(out) == whole


def status(row: dict) -> str:
    """graded, ungradable, or what else its row says."""
    if any(row[name] for name in row if name[:2].isdigit()):
        return "graded"
    return "ungradable" if "ungradable" in row["note"] else row["note"]


def paired(source: Path, made: list[HandedIn], rows: list[dict], scratch: Path) -> list[tuple[HandedIn, dict]]:
    """Each submission and its row."""
    scratch.mkdir()
    whose = {one.file: one.student for one in intake.read(source, LABS, scratch).submissions}
    row_of = {row["folder"]: row for row in rows}
    return [(one, row_of[whose[one.place(source)]]) for one in made]
