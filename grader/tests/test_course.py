"""A course file: what it says, and that all that is wrong in one is told at once, with its line."""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from looplab.asking.points import CATEGORIES
from looplab.course import git, lab as labs
from looplab.plain import seed as seeds
from looplab.plain.failure import UsageError
from looplab.teaching import command, course_file, course_table, feedback, handed_in, intake, roster, tables
from looplab.teaching.outcome import Outcome

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
ONE, TWO, THREE = labs.slugs()[1:4]


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
    assert course.percent({ONE: Fraction(10), THREE: Fraction(30)}, [ONE, THREE]) == Fraction(25, 2) + 75
    assert course.percent({}, [ONE]) == 0 and course.percent({ONE: Fraction(10)}, [ONE]) == 50


# ---- A class with a course file ----


def result(slug: str, score: int) -> dict:
    checks = [{"id": f"test_{k}", "category": category, "title": f"Title {k}", "score": 0, "max_score": 5,
               "status": "failed" if k % 2 else "passed", "message": f"cause: reason {k}" if k % 2 else ""}
              for k, category in enumerate(["correctness", "correctness", "robustness", "robustness", "coverage",
                                            "coverage", "timing", "timing"])]
    return {"schema": "looplab/result/v1", "lab": slug, "status": "graded", "score": score, "max_score": 100,
            "seed": 7, "elapsed_s": 0.0, "checks": checks}


def test_points_weights_and_late_rules_in_the_table(tmp_path):
    course = read(tmp_path, WHOLE)
    outcome = Outcome([use.lab for use in course.uses], ["ada", "bob", "carl"],
                      {("ada", ONE): result(ONE, 55), ("ada", THREE): result(THREE, 100), ("bob", ONE): result(ONE, 33),
                       ("carl", ONE): result(ONE, 100)}, course=course)
    outcome.apply_late({("ada", ONE): course.use(ONE).due + timedelta(days=2)}, {"bob"})
    rows = list(csv.reader(tables.grades(outcome).splitlines()))
    assert rows == [["folder", ONE, THREE, "total", "percent", "note"],
                    ["ada", "8.8", "30", "38.8", "86", "01: late, less 20 %"],
                    ["bob", "6.6", "", "6.6", "8.25", "01: late"], ["carl", "20", "", "20", "25", ""]]
    assert [(one.student, one.kind) for one in outcome.troubles] == [("bob", "late")]
    assert outcome.untold == 2


@pytest.mark.parametrize("level, said, unsaid", [
    ("full", ["Title 3", "reason 3"], []),
    ("names", ["Title 3", "Title 2"], ["reason 3"]),
    ("number", ["robustness: 1 of 2 checks pass"], ["Title 3", "reason 3", "Title 2"]),
    ("none", [], ["Title 3", "reason 3", "Title 2", "robustness"]),
])
def test_as_much_of_a_category_as_the_course_says(level, said, unsaid):
    for written in (feedback.markdown, feedback.page):
        text = written("ada", [result(ONE, 50)], [], {"robustness": level})
        assert all(words in text for words in [*said, "Title 1", "reason 1", "50"])
        assert not any(words in text for words in unsaid)


def test_nothing_of_any_category_leaves_the_score():
    text = feedback.markdown("ada", [result(ONE, 50)], [], dict.fromkeys(CATEGORIES, "none"))
    assert "50" in text and "Title" not in text and "reason" not in text


def test_when_it_was_handed_in(tmp_path):
    folder = tmp_path / "in"
    for name in ("submission_7/compare.c", "submission_8/compare.c", "eve_LATE_5_6_compare.c"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("int x;\n")
    (folder / "submission_metadata.yml").write_text(
        "---\nsubmission_7:\n  :submitters:\n  - :name: A\n  :created_at: 2026-10-16 20:11:46.174 Z\n"
        "submission_8:\n  :created_at: 2026-99-16 20:11:46 +02:00\n")
    taken = intake.of_source(folder, labs.find_labs(), tmp_path)
    assert taken.times == {"submission_7": datetime(2026, 10, 16, 20, 11, 46, tzinfo=timezone.utc)}
    assert taken.marked_late == {"eve 5"}


@pytest.mark.parametrize("text, at", [
    ("Thursday, 26 November 2026, 8:41 AM", (2026, 11, 26, 8, 41)),
    ("26 November 2026, 12:05 AM", (2026, 11, 26, 0, 5)),
    ("Friday, 1 May 2026, 12:00 PM", (2026, 5, 1, 12, 0)), ("1 May 2026, 23:59", (2026, 5, 1, 23, 59)),
    ("Donnerstag, 26. November 2026, 08:41", None), ("31 June 2026, 8:41 AM", None), ("-", None), ("", None),
    ("1 May 2026, 25:00", None)])
def test_when_moodles_worksheet_says(text, at):
    zone = timezone(timedelta(hours=2))
    assert handed_in.of_moodle(text, zone) == (datetime(*at, tzinfo=zone) if at else None)
    assert handed_in.of_moodle(text, None) is None


WORKSHEET = ("Identifier,Full name,Status,Grade,Maximum Grade,Last modified (submission)\n"
             'Participant 101,Ada Lovelace,x,,20,"{}"\nParticipant 102,Bob B,x,,20,-\n')


def test_late_by_moodles_worksheet_costs_points_there_too(tmp_path, monkeypatch):
    monkeypatch.setattr(command.pool, "each", lambda pieces, jobs: (
        (piece, result(piece.lab.slug, 50), False) for piece in pieces))
    for number, name in ((101, "Ada Lovelace"), (102, "Bob B")):
        folder = tmp_path / f"in/{name}_{number}_assignsubmission_file"
        folder.mkdir(parents=True)
        (folder / "compare.c").write_text(f"int x{number};\n")
    (tmp_path / "course.toml").write_text(WHOLE)
    due = course_file.read(tmp_path / "course.toml").use(ONE).due + timedelta(hours=30)
    (tmp_path / "sheet.csv").write_text(WORKSHEET.format(due.strftime("%A, %d %B %Y, %I:%M %p")))
    command.main(["--from", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--lab", "01",
                  "--course", str(tmp_path / "course.toml"), "--gradebook", str(tmp_path / "sheet.csv")])
    assert [row["note"] for row in csv.DictReader((tmp_path / "out/grades.csv").open())] == ["01: late, less 20 %", ""]
    assert [row["Grade"] for row in csv.DictReader((tmp_path / "out/sheet.csv").open())] == ["8", "10"]


def clone(folder: Path, *commits: tuple[str, str]) -> Path:
    """A history: (file, time) of each commit."""
    folder.mkdir(parents=True)
    git.run(folder, "init", "--quiet", "--template=")
    for number, (name, at) in enumerate(commits):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"int x{number};\n")
        git.run(folder, "add", "--all")
        git.run(folder, "-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "--quiet", "-m", "x", at=at)
    return folder


needs_git = pytest.mark.skipif(not shutil.which("git"), reason="no git here")


@needs_git
@pytest.mark.parametrize("packed", [False, True])
def test_when_a_clones_file_was_changed_last(tmp_path, packed):
    """Not when something else was."""
    top = clone(tmp_path / "in/ada", ("labs/compare.c", "@1700000000 +0000"), ("README", "@1800000000 +0000"))
    if packed:
        git.run(top, "gc", "--quiet")
        git.run(top, "pack-refs", "--all")
    at = datetime.fromtimestamp(1_700_000_000, timezone.utc)
    assert handed_in.of_clone(top / "labs/compare.c", tmp_path / "in") == at
    assert handed_in.of_clone(top / "labs/compare.c", top / "labs") is None         # above what was handed in
    git.run(top, "checkout", "--quiet", "--detach")
    assert handed_in.of_clone(top / "labs/compare.c", tmp_path / "in") == at


@needs_git
def test_a_hostile_clone_runs_nothing_and_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(handed_in, "GIT_S", 1.0)
    bait = tmp_path / "bait"
    top = clone(tmp_path / "in/ada", ("compare.c", "@1700000000 +0000"))
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{bait}'\n")
    script.chmod(0o755)
    for key in ("gpg.program", "core.fsmonitor", "core.pager", "core.sshCommand", "core.alternateRefsCommand"):
        git.run(top, "config", key, str(script))
    git.run(top, "config", "log.showSignature", "true")
    signed = git.run(top, "cat-file", "commit", "HEAD").replace(
        b"\n\n", b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\n", 1)
    (tmp_path / "commit").write_bytes(signed)
    made = git.run(top, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit")).decode().strip()
    git.run(top, "update-ref", "HEAD", made)
    assert handed_in.of_clone(top / "compare.c", tmp_path) and not bait.exists()
    git.run(top, "log", "-1")
    assert bait.exists()            # that is what its settings do
    shutil.move(top / ".git", tmp_path / "elsewhere")
    (top / ".git").symlink_to(tmp_path / "elsewhere")
    assert handed_in.of_clone(top / "compare.c", tmp_path) is None
    (top / ".git").unlink()
    shutil.move(tmp_path / "elsewhere", top / ".git")
    for head in (b"ref: ../../../etc/passwd", b"ref: refs/../x", b"f" * 40, b"", b"--output=x", b"\xff" * 50):
        (top / ".git/HEAD").write_bytes(head + b"\n")
        assert handed_in.of_clone(top / "compare.c", tmp_path) is None
        assert handed_in._head(top / ".git") == (head.decode() if head == b"f" * 40 else None)
    (top / ".git/HEAD").write_text("f" * 40 + "\n")
    (top / ".git/objects/pack").mkdir(exist_ok=True)
    for end in ("idx", "pack"):
        os.mkfifo(top / f".git/objects/pack/pack-{'0' * 40}.{end}")     # a git that opens it waits for ever
    assert handed_in.of_clone(top / "compare.c", tmp_path) is None


@needs_git
def test_late_by_a_clone(tmp_path, monkeypatch):
    monkeypatch.setattr(command.pool, "each", lambda pieces, jobs: (
        (piece, result(piece.lab.slug, 50), False) for piece in pieces))
    (tmp_path / "course.toml").write_text(WHOLE)
    due = course_file.read(tmp_path / "course.toml").use(ONE).due
    for name, days in (("ada", 1), ("bob", -1)):
        clone(tmp_path / "in" / name, ("compare.c", f"@{int((due + timedelta(days=days)).timestamp())} +0000"),
              ("notes", "@2000000000 +0000"))
    command.main(["--from", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--course",
                  str(tmp_path / "course.toml")])
    assert [row["note"] for row in csv.DictReader((tmp_path / "out/grades.csv").open())] == ["01: late, less 10 %", ""]


def test_the_seed_is_by_the_id_of_the_roster(tmp_path):
    course = read(tmp_path, WHOLE)
    listed = roster.Roster([roster.Student("7", "Ada Lovelace")])
    options = argparse.Namespace(seed=None)
    own = command._seeds(options, course, ["Ada Lovelace", "bob"], listed)
    assert own == {"Ada Lovelace": course.seeds_of(["7"])["7"], "bob": course.seeds_of(["bob"])["bob"]}
    assert set(command._seeds(argparse.Namespace(seed="9"), course, ["a", "b"], None).values()) == {9}


def test_only_labs_in_use(tmp_path):
    course = read(tmp_path, WHOLE)
    asked = argparse.Namespace(lab=None, course="course.toml")
    assert [lab.slug for lab in command._chosen(asked, course, labs.ROOT)] == [ONE, THREE]
    with pytest.raises(UsageError, match="LAB=02: COURSE=course.toml does not use it; it uses"):
        command._chosen(argparse.Namespace(lab="02", course="course.toml"), course, labs.ROOT)


def test_a_class_with_a_course_file(tmp_path, monkeypatch, capsys):
    """From the folder to the tables; the grading itself is a stand-in."""
    asked = []

    def each(pieces, jobs):
        for piece in pieces:
            asked.append((piece.folder.parent.parent.name, piece.lab.slug, piece.seed))
            assert os.environ["LOOPLAB_TIER"] == "B"        # what the course asks for is tried
            yield piece, {**result(piece.lab.slug, 50), "seed": piece.seed}, False

    monkeypatch.setattr(command.pool, "each", each)
    monkeypatch.setenv("LOOPLAB_TIER", "C")
    source = tmp_path / "in"
    for name in ("ada/compare.c", "bob/compare.c", "bob/fetcher.c"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"int {name.partition('/')[0]};\n")
    (tmp_path / "course.toml").write_text(WHOLE)
    words = ["--from", str(source), "--out", str(tmp_path / "out"), "--course", str(tmp_path / "course.toml")]
    assert command.main(words) == 1         # of the tier below
    assert os.environ["LOOPLAB_TIER"] == "C"        # and only for this class
    own = course_file.read(tmp_path / "course.toml").seeds_of(["ada", "bob"])
    assert sorted(asked) == [("ada", ONE, own["ada"]), ("bob", ONE, own["bob"])]
    rows = list(csv.reader((tmp_path / "out/grades.csv").read_text().splitlines()))
    assert rows == [["folder", ONE, "total", "percent", "note"], ["ada", "10", "10", "50", ""],
                    ["bob", "10", "10", "50", ""]]
    text = (tmp_path / "out/bob/feedback.md").read_text()
    assert "Title 3" in text and "reason 3" not in text and "Title 4" not in text
    assert "tier,,,\"the course asks for tier B, and 2 results" in (tmp_path / "out/attention.csv").read_text()
    assert "late rules were not applied to 2 results: the export does not tell when" in capsys.readouterr().out


def test_a_tier_that_was_not_reached_needs_a_person(tmp_path):
    course = read(tmp_path, WHOLE)
    outcome = Outcome([use.lab for use in course.uses], ["a", "b", "c"], course=course, results={
        (student, ONE): {**result(ONE, 1), "tier": tier} for student, tier in [("a", "A"), ("b", "B"), ("c", "D")]})
    outcome.check_tier()
    assert [(one.student, one.kind, one.said) for one in outcome.troubles] == [
        ("c", "tier", "graded in tier D; the course asks for tier B")]


def test_the_teachers_example_is_right(tmp_path):
    text = (labs.ROOT / "grader/TEACHING.md").read_text("utf-8")
    example = re.search(r"((?:^    .*\n)*?^    seeds = .*\n(?:^    .*\n)*)", text, re.MULTILINE)
    assert example
    course = read(tmp_path, re.sub(r"^    ", "", example[1], flags=re.MULTILINE))
    assert [use.points for use in course.uses] == [20] and course.feedback["robustness"] == "names"
