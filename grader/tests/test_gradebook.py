"""The teacher's export: grades go in, and nothing else changes, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from looplab.course import lab as labs
from looplab.plain.failure import UsageError
from looplab.teaching import cells, command, gradebook
from looplab.teaching.outcome import Outcome
from looplab.teaching.roster import Student

LABS = [lab for lab in labs.find_labs() if not lab.warmups]
ONE, TWO = LABS[0], LABS[1]


def result(score: int, lab=ONE) -> dict:
    return {"schema": "looplab/result/v1", "lab": lab.slug, "status": "graded", "score": score, "max_score": 100,
            "seed": 7, "elapsed_s": 0.0, "checks": [
                {"id": "test_a", "category": "timing", "title": "Check a", "score": score, "max_score": 100,
                 "status": "passed" if score == 100 else "failed", "message": ""}]}


UNFIT = {**result(0), "status": "ungradable", "score": None}


def filled(tmp_path: Path, text: str, results: dict, chosen=(ONE,), people=None, encoding="utf-8") -> tuple[str, list]:
    (tmp_path / "export.csv").write_bytes(text.encode(encoding))
    book = gradebook.read(tmp_path / "export.csv", chosen)
    students = sorted({student for student, _ in results})
    assert gradebook.another_course(book, students, None) == ""
    whole, troubles = gradebook.fill(book, Outcome(chosen, students, results, people=people or {}))
    return whole.decode(encoding), [(one.student, one.said) for one in troubles]


# ---- Cells ----


@pytest.mark.parametrize("text", [
    b"", b"a", b"a,b\r\nc,d", b"a,b\n\n", b'"a, b","c ""d"""\n"x\ny",\r\n', b"a;b\r1;2\r", b"\xef\xbb\xbfa\tb\n\xff\t",
    b' "a" , b\n', b'"a"b,c\n', b",,\n,,\n"])
def test_what_nobody_changes_is_the_same_bytes(text):
    assert cells.parse(text, "x").bytes() == text


def test_any_bytes_are_the_same_or_refused():
    """Drawn by chance from what matters."""
    chance, kept = random.Random(7), 0
    for _ in range(2000):
        text = bytes(chance.choice(b'a,;\t"\r\n\xc3\xa4\xff') for _ in range(chance.randrange(30)))
        try:
            assert cells.parse(text, "x").bytes() == text
            kept += 1
        except UsageError as fault:
            assert "never closed" in str(fault)
    assert 200 < kept < 2000


def test_lines_are_counted_with_those_within_quotes():
    with pytest.raises(UsageError, match="x:4: a quote is opened and never closed"):
        cells.parse(b'a,"b\nc"\nd,e\nf,"g', "x")


# ---- Canvas ----

CANVAS = (
    'Student,ID,SIS User ID,SIS Login ID,Section,Lab 01: wait (11),Lab 02 (12),"Essay, the 1st (13)",Final Score\r\n'
    '    Points Possible,,,,,50,100.00,10,(read only)\r\n'
    '"Lovelace, Ada",55,s1,ada,S 1,,EX,7.00,12\r\n'
    '"Müller, ""Jo""",56,s2,jo,S 1,"3.00",,N/A,\r\n'
    '"Test, Student",99,,x,S 1,1,2,3,4\r\n')


def test_canvas(tmp_path):
    """Points as the assignment has them; EX and N/A stay; what was in quotes is in quotes."""
    results = {("lovelaceada 55", ONE.slug): result(85), ("lovelaceada 55", TWO.slug): result(9, TWO),
               ("mullerjo 56", ONE.slug): result(100), ("mullerjo 56", TWO.slug): result(33, TWO)}
    text, troubles = filled(tmp_path, CANVAS, results, (ONE, TWO))
    assert text == CANVAS.replace("S 1,,EX", "S 1,42.5,EX").replace('"3.00",,', '"50",33,') and troubles == []


@pytest.mark.parametrize("encoding, ends", [("utf-8-sig", "\r\n"), ("utf-8", "\n"), ("cp1252", "\r\n")])
def test_encoding_mark_and_line_ends_stay(tmp_path, encoding, ends):
    export = CANVAS.replace("\r\n", ends).replace(",", ";").replace("Lovelace;", "Lovelace,")
    (tmp_path / "export.csv").write_bytes(export.encode(encoding))
    book = gradebook.read(tmp_path / "export.csv", [ONE])
    whole, _ = gradebook.fill(book, Outcome([ONE], ["Ada Lovelace"], {("Ada Lovelace", ONE.slug): result(100)}))
    assert whole == export.replace("S 1;;EX", "S 1;50;EX").encode(encoding)


def test_a_mark_before_a_quote_goes_as_canvas_does_not_take_it(tmp_path):
    export = CANVAS.replace("Student,ID", '"Student",ID', 1)
    (tmp_path / "export.csv").write_bytes(export.encode("utf-8-sig"))
    assert gradebook.read(tmp_path / "export.csv", [ONE]).sheet.bytes() == export.encode()


@pytest.mark.parametrize("change, said", [
    (("Lab 01: wait (11)", "Lab 01: wait"), ":1: expected one column for lab 01, such as \"Lab 01 (123)\", but there "
                                            "is none"),
    (("Lab 02 (12)", "lab 1 b (12)"), "but there are Lab 01: wait (11) and lab 1 b (12)"),
    (("Lab 01: wait (11)", "Lab 011 (11)"), "but there is none"),
    (("50,100.00", "(read only),100.00"), ":2: the column Lab 01: wait (11) is read only"),
    (("S 1,,EX", "S 1,EX"), ":3: expected 9 cells, as in line 1, but there are 8"),
    (("Student,ID", "Name,Number"), ":1: expected Canvas's gradebook (columns Student, ID, …) or Moodle's"),
    ((CANVAS, ""), ":1: expected a line with the columns' names, not an empty file"),
    ((CANVAS, "a\0b"), "this is UTF-16, or no text"),
])
def test_an_export_that_cannot_be_filled_in_is_refused(tmp_path, change, said):
    with pytest.raises(UsageError) as caught:
        filled(tmp_path, CANVAS.replace(*change), {("lovelaceada 55", ONE.slug): result(85)})
    assert said in str(caught.value) and "\n" not in str(caught.value)


def graded_as(result_of, folder: Path, *words: str) -> int:
    """`make class` with a stand-in for the grading; returns the exit code."""
    (folder / "in/nobody").mkdir(parents=True)
    (folder / "in/nobody/compare.c").write_text("int x;\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command.pool, "each", lambda pieces, jobs: ((piece, result_of, False) for piece in pieces))
        return command.main(["--from", str(folder / "in"), "--out", str(folder / "out"), "--lab", "01", *words])


def test_the_export_of_another_course_stops_nobody(tmp_path, capsys):
    (tmp_path / "export.csv").write_text(CANVAS)
    assert graded_as(result(85), tmp_path, "--gradebook", str(tmp_path / "export.csv")) == 1
    said = "none of its 3 students has handed anything in: is it the export of another course?"
    assert said in (tmp_path / "out/attention.csv").read_text() and "gradebook: " in capsys.readouterr().out
    assert "nobody,85" in (tmp_path / "out/grades.csv").read_text() and not (tmp_path / "out/export.csv").exists()


@pytest.mark.parametrize("status, code", [("graded", 0), ("ungradable", 1), ("error", 3)])
def test_the_exit_code_says_which_kind_happened(tmp_path, status, code):
    """2 is for a wrong argument."""
    score = 85 if status == "graded" else None
    assert graded_as({**result(85), "status": status, "score": score, "message": "so"}, tmp_path) == code


# ---- Moodle ----

MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 101","Ada Lovelace",ada@x.test,Submitted,,20.00,Yes,"27 November 2026, 8:41 AM",-,"well, ""done"""\n'
    '"Participant 102","Jo Müller",jo@x.test,Submitted,3.00,20.00,Yes,-,-,\n'
    '"Participant 103","Eve Doe",eve@x.test,Submitted,4.00,20.00,No,-,-,\n'
    '"Participant 104","Eve Doe",eve2@x.test,"No submission",,20.00,Yes,-,-,\n')


def test_moodle(tmp_path):
    results = {("Ada Lovelace", ONE.slug): result(77), ("Jo Müller", ONE.slug): UNFIT,
               ("Participant 103", ONE.slug): result(50), ("Eve Doe", ONE.slug): result(1),
               ("carl", ONE.slug): result(1)}
    text, troubles = filled(tmp_path, MOODLE, results)
    assert text == MOODLE.replace("Submitted,,20", "Submitted,15.4,20")
    assert troubles == [("Eve Doe", "may be the one of line 4 or 5 in export.csv"),
                        ("Participant 103", "the platform says that this grade cannot be changed"),
                        ("carl", "has no row in export.csv")]


def test_moodle_and_a_grade_of_0(tmp_path):
    text, troubles = filled(tmp_path, MOODLE, {("Ada Lovelace", ONE.slug): result(0)})
    assert "Submitted,0,20" in text and "leave out a grade of 0" in troubles[0][1]


def test_moodle_is_of_one_lab(tmp_path):
    with pytest.raises(UsageError, match="of one assignment: say of which lab, as in LAB=03"):
        filled(tmp_path, MOODLE, {("Ada Lovelace", ONE.slug): result(0)}, (ONE, TWO))


def test_a_roster_says_who_a_folder_is(tmp_path):
    results = {("repo-7", ONE.slug): result(100)}
    (tmp_path / "export.csv").write_text(MOODLE)
    book = gradebook.read(tmp_path / "export.csv", [ONE])
    people = {"repo-7": Student("x", "Doe, Eve", "eve2@x.test")}
    assert [line[0] for line in [book.row("repo-7", people["repo-7"])]] == [3]
    whole, troubles = gradebook.fill(book, Outcome([ONE], ["repo-7"], results, people={"repo-7": Student(
        "102", "", "")}))
    assert "Submitted,20,20" in whole.decode() and troubles == []


def test_two_folders_of_one_row(tmp_path):
    _, troubles = filled(tmp_path, MOODLE, {("Ada Lovelace", ONE.slug): result(5), ("ada", ONE.slug): result(9)})
    assert troubles == [("ada", "shares its row with Ada Lovelace in export.csv")]


# ---- As a part of `make class` ----


@pytest.mark.parametrize("name, said", [("grades.csv", "OUT gets a file of that name"),
                                        ("none.csv", "No such file or directory")])
def test_it_is_looked_at_before_anything_is_graded(tmp_path, name, said, monkeypatch):
    (tmp_path / "in/ada").mkdir(parents=True)
    (tmp_path / "in/ada/compare.c").write_text("int mine;\n")
    monkeypatch.setattr(command, "_grade", lambda *a: pytest.fail("graded"))
    with pytest.raises(UsageError, match=said):
        command.main(["--from", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--gradebook",
                      str(tmp_path / name)])


def test_a_class_fills_it_in(tmp_path, monkeypatch, capsys):
    (tmp_path / "in/Ada Lovelace_101_assignsubmission_file").mkdir(parents=True)
    (tmp_path / "in/Ada Lovelace_101_assignsubmission_file/compare.c").write_text("int mine;\n")
    (tmp_path / "export.csv").write_text(MOODLE)

    def grade(submissions, outcome, *more) -> None:
        outcome.labs = [ONE]
        outcome.troubles = []
        outcome.add("Ada Lovelace", ONE, result(100), False)

    monkeypatch.setattr(command, "_grade", grade)
    words = ["--from", str(tmp_path / "in"), "--out", str(tmp_path / "out"),
             "--gradebook", str(tmp_path / "export.csv")]
    assert command.main(words) == 0
    assert "gradebook" not in (tmp_path / "out/Ada Lovelace/feedback.md").read_text()
    assert (tmp_path / "out/export.csv").read_text() == MOODLE.replace("Submitted,,20", "Submitted,20,20")
    with pytest.raises(UsageError, match="it lies in OUT"):
        command.main([*words[:-1], str(tmp_path / "out/export.csv")])
