"""A course file: what it says, and that all that is wrong in one is told at once, with its line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from looplab.course import lab as labs
from looplab.plain import seed as seeds
from looplab.plain.failure import UsageError
from looplab.teaching import course_file, course_table

WHOLE = '''title = "Systems programming"
tier = "B"
seeds = "student"
secret = "correct horse battery"

[feedback]
robustness = "names"
coverage = "none"

[late]
percent_a_day = 10
most = 50
grace_minutes = 15

[labs.01]
points = 20
weight = 1
due = 2026-10-15T23:59:00+02:00

[labs.03-scraper]
points = 30
weight = 3
'''
ONE, TWO, THREE = labs.slugs()[:3]


def read(folder: Path, text: str) -> course_file.Course:
    (folder / "course.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    return course_file.read(folder / "course.toml")


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    return [line.replace("looplab: ", "").replace(f"{folder}/", "") for line in str(caught.value).split("\n")]


def test_what_a_file_says(tmp_path, capsys):
    course = read(tmp_path, WHOLE)
    assert [(use.lab.slug, use.points, use.weight) for use in course.uses] == [(ONE, 20, 1), (THREE, 30, 3)]
    assert course.feedback == {"correctness": "full", "timing": "full", "robustness": "names", "coverage": "none"}
    assert course_table.main(["--course", str(tmp_path / "course.toml")]) == 0
    said = capsys.readouterr().out
    for words in ("Systems programming", f"{ONE}         20      1  2026-10-15 23:59+02:00", "robustness names",
                  "10 % a day, 50 % at most, after 15 min", "each student's own", "tier      B"):
        assert words in said
    assert "correct horse" not in said + repr(course)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    text = WHOLE.replace('tier = "B"', 'tier = "E"').replace('"names"', '"some"').replace("points = 20", "point = 20") \
        .replace("+02:00", "").replace("weight = 3", "weight = -3").replace("most = 50", 'most = "50"') + "[labs.99]\n"
    told = faults(tmp_path, text)
    assert [line.partition(": ")[0] for line in told] == [f"course.toml:{line}" for line in (2, 7, 12, 16, 18, 22, 23)]
    for line, words in zip(told, ("one of A, B, C, D, not 'E'", "one of none, number, names, full, not 'some'",
                                  "a whole number from 0 to 100, not '50'", "the keys are points, weight, due",
                                  "a time with its zone", "a whole number from 0 to 10000, not -3", "no such lab")):
        assert words in line


@pytest.mark.parametrize("text, said", [
    ("title = \n", "course.toml:1: this is no TOML"),
    ("a = 1\n[labs.01]\nb = [\n", "course.toml:4: this is no TOML"),
    ('secret = "\udcff"\n', "COURSE=course.toml: byte 10 is no UTF-8"),
    ('secret = "short"\n[labs.01]\n', "course.toml:1: secret: expected a text of at least 16 characters"),
    ('[labs.01]\n', "course.toml:1: secret: expected one with seeds"),
    ('seeds = "one"\n', "course.toml:1: labs: expected a table for each lab in use"),
    ('seeds = "one"\nlabs = 3\n', "course.toml:2: labs: expected a table"),
    ('seeds = "one"\nseed = true\n[labs.01]\n', "course.toml:2: seed: expected a whole number"),
    ('seeds = "one"\n[labs.01]\n[labs.1]\n', f"course.toml:3: 1: {ONE} stands in this file already"),
    ('seeds = "one"\n[labs.01]\nweight = 0\n', "course.toml:2: weight: expected one lab at least"),
])
def test_a_wrong_file(tmp_path, text, said):
    assert faults(tmp_path, text)[0].startswith(said)


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        course_file.read(tmp_path / "none.toml")


def test_no_two_have_the_same_numbers(tmp_path, monkeypatch):
    course = read(tmp_path, WHOLE)
    students = [f"s{number}" for number in range(3000)]
    own = course.seeds_of(students)
    assert len(set(own.values())) == len(students) and set(own) == set(students)
    assert course.seeds_of(list(reversed(students))) == own
    assert all(seeds.parse(str(seed)) == seed for seed in own.values())
    other = read(tmp_path, WHOLE.replace("horse", "house")).seeds_of(students)
    assert sum(own[student] == other[student] for student in students) < 5
    monkeypatch.setattr(course_file.seeds, "MOST", 40)      # many meet
    assert sorted(course.seeds_of(students[:40]).values()) == list(range(1, 41))
    one = read(tmp_path, 'seeds = "one"\nseed = 7\n[labs.01]\n')
    assert set(one.seeds_of(students).values()) == {7}


@pytest.mark.parametrize("minutes, lost", [(-1, 0), (0, 0), (15, 0), (16, 10), (15 + 1440, 10), (16 + 1440, 20),
                                           (100_000, 50)])
def test_late(tmp_path, minutes, lost):
    course = read(tmp_path, WHOLE)
    due = course.use(ONE).due
    at = (due + timedelta(minutes=minutes)).astimezone(timezone.utc)
    assert isinstance(at, datetime) and course.late.lost(due, at) == lost


def test_points_and_the_whole(tmp_path):
    course = read(tmp_path, WHOLE)
    earned = course.earned({"lab": ONE, "score": 55, "max_score": 100}, 10)
    assert earned == Fraction(99, 10)
    assert course.percent({ONE: Fraction(10), THREE: Fraction(30)}) == Fraction(25, 2) + 75
    assert course.percent({}) == 0
