"""A class: whose files are whose, what is graded again, what comes out, and what a kill leaves."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from looplab.course import lab as labs
from looplab.plain.failure import UsageError
from looplab.teaching import archive, command, feedback, intake, page, pool, roster, tables
from looplab.teaching.intake import Trouble
from looplab.teaching.outcome import Outcome
from variants import ALL, ROOT

LABS = [lab for lab in labs.find_labs() if not lab.warmups]
ONE, TWO = LABS[0], LABS[1]
CORPUS = ROOT / "grader/tests/corpus" / ONE.slug
TEXT = "int mine;\n"


def lay(folder: Path, *names: str, text: str = TEXT) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read(folder: Path, chosen=LABS) -> intake.Intake:
    scratch = folder.parent / "scratch"
    scratch.mkdir()
    return intake.read(folder, chosen, scratch)


def found(taken: intake.Intake) -> list[tuple[str, str, str]]:
    return [(one.student, one.lab.number, one.file.name) for one in taken.submissions]


def kinds(taken: intake.Intake) -> list[tuple[str, str]]:
    return sorted((one.student, one.kind) for one in taken.troubles if one.kind != "nothing")


# ---- What was handed in ----


@pytest.mark.parametrize("names, student", [
    (["Ada Lovelace_101_assignsubmission_file/compare.c"], "Ada Lovelace"),
    (["Ada Lovelace_101_assignsubmission_file_/compare.c"], "Ada Lovelace"),
    (["Ada Lovelace_101_assignsubmission_file_compare.c"], "Ada Lovelace"),
    (["Participant_101_assignsubmission_file/compare.c"], "Participant 101"),
    (["lovelaceada_55_901_compare.c"], "lovelaceada 55"),
    (["lovelaceada_LATE_55_901_compare-3.c"], "lovelaceada 55"),
    (["anon_77_901_compare.c"], "anon 77"),
    (["submission_4711/compare.c", "submission_metadata.yml"], "submission_4711"),
    (["lab-1-ada/.git/compare.c", "lab-1-ada/labs/01-sync-vs-async/compare.c"], "lab-1-ada"),
    (["ada/compare.c"], "ada"),
    (["ada/src/deep/er/compare.c", "ada/notes.txt", "ada/__MACOSX/compare.c", "ada/._compare.c"], "ada"),
    (["ada/01-sync-vs-async/compare.c", "ada/02-url-fetcher/compare.c"], "ada"),
])
def test_shapes_of_platforms(tmp_path, names, student):
    taken = read(lay(tmp_path / "in", *names))
    assert [one for one in found(taken) if one[1] == "01"] == [(student, "01", found(taken)[0][2])]
    assert kinds(taken) == []


def test_the_latest_attempt_counts(tmp_path):
    folder = lay(tmp_path / "in", "ada_LATE_5_900_compare.c", "ada_5_1001_compare-1.c", "ada_5_999_compare-2.c")
    (folder / "ada_5_1001_compare-1.c").write_text("int latest;\n")
    assert found(read(folder)) == [("ada 5", "01", "ada_5_1001_compare-1.c")]


def test_two_files_of_which_nothing_says_which_counts(tmp_path):
    folder = lay(tmp_path / "in", "ada/a/compare.c", "bob/a/compare.c", "bob/b/compare.c")
    (lay(folder, "ada/b/compare.c") / "ada/b/compare.c").write_text("int other;\n")
    taken = read(folder)
    assert found(taken) == [("bob", "01", "compare.c")] and kinds(taken) == [("ada", "two files")]


def test_the_only_file_may_have_any_name_if_the_lab_is_said(tmp_path):
    lay(tmp_path / "in", "ada/my_solution.c")
    assert found(read(tmp_path / "in", [ONE])) == [("ada", "01", "my_solution.c")]


def test_a_skeleton_was_not_begun(tmp_path):
    lay(tmp_path / "in", "ada/compare.c", text=(ONE.folder / ONE.source).read_text())
    assert kinds(read(tmp_path / "in")) == [("ada", "not begun")]


def test_hostile_entries(tmp_path):
    folder = lay(tmp_path / "in", "big/compare.c")
    (folder / "big/compare.c").write_bytes(b" " * (intake.BYTES_MOST + 1))
    (folder / "link").symlink_to(ROOT / "solutions" / ONE.slug)
    (folder / "inner").mkdir()
    (folder / "inner/compare.c").symlink_to(ROOT / "solutions" / ONE.slug / ONE.source)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe/compare.c")
    (folder / "dir/compare.c").mkdir(parents=True)
    lay(folder, "q\u202eevil\n/compare.c")
    taken = read(folder)
    assert kinds(taken) == [("big", "too large"), ("inner", "link"), ("link", "link"), ("pipe", "not a file")]
    assert found(taken) == [("q-evil-", "01", "compare.c")]


def test_names_that_differ_in_case_or_accents_only(tmp_path):
    taken = read(lay(tmp_path / "in", "Zoe/compare.c", "Zoë/compare.c", "zoe/compare.c", "max/compare.c"))
    assert kinds(taken) == [(name, "name twice") for name in ("Zoe", "Zoë", "zoe")]
    assert len(taken.submissions) == 4


def test_names_that_are_written_alike_are_two_students(tmp_path):
    """One composed, one not: the same on a screen, and two folders."""
    folder = lay(tmp_path / "in", "Zo\u00eb/compare.c", "Zoe\u0308/compare.c")
    (folder / "Zo\u00eb/compare.c").write_text("int other;\n")
    taken = read(folder)
    assert [one[0] for one in found(taken)] == ["Zo\u00eb", "Zo\u00eb (2)"]
    assert kinds(taken) == [("Zo\u00eb", "name twice"), ("Zo\u00eb (2)", "name twice")]


def test_two_of_one_name_are_told_apart_by_the_platforms_number(tmp_path):
    names = [f"Ada Lovelace_{number}_assignsubmission_file/compare.c" for number in (101, 102)]
    assert [one[0] for one in found(read(lay(tmp_path / "in", *names)))] == ["Ada Lovelace 101", "Ada Lovelace 102"]


def test_a_zip_a_student(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in/ada.zip", "w") as whole:
        whole.writestr("home/compare.c", TEXT)
    assert found(read(tmp_path / "in")) == [("ada", "01", "compare.c")]


@pytest.mark.parametrize("name", ["../out.c", "/out.c", "a/../../out.c", "a\\..\\..\\out.c", "C:\\out.c"])
def test_an_archive_that_leads_out_of_its_folder(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as whole:
        whole.writestr(name, TEXT)
    (tmp_path / "in").mkdir()
    with pytest.raises(archive.ArchiveError, match="leads out of its folder"):
        archive.unpack(tmp_path / "z.zip", tmp_path / "in")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "z.zip"]


def test_a_classs_archive_with_a_path_that_leads_out_loses_that_path_only(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as whole:
        whole.writestr("../out.c", TEXT)
        whole.writestr("ada/compare.c", TEXT)
    (tmp_path / "scratch").mkdir()
    taken = intake.of_source(tmp_path / "z.zip", LABS, tmp_path / "scratch")
    assert found(taken) == [("ada", "01", "compare.c")] and kinds(taken) == [("", "archive")]
    assert not list(tmp_path.rglob("out.c"))


def class_zip(folder: Path, **texts: bytes) -> intake.Intake:
    """A class in one zip: students' files by their names, "/" written as "__"."""
    with zipfile.ZipFile(folder / "z.zip", "w", zipfile.ZIP_DEFLATED) as whole:
        for name, text in texts.items():
            whole.writestr(name.replace("__", "/") + ".c", text)
    scratch = folder / "scratch"
    scratch.mkdir()
    return intake.of_source(folder / "z.zip", LABS, scratch)


def test_a_bomb_in_a_classs_archive_stops_nobody_else(tmp_path, monkeypatch):
    """Nor does it fill the disk: what is too much goes away at once."""
    monkeypatch.setattr(archive, "ONE_MOST", 1 << 20)
    bombs = {f"bob__{number}": b" " * (2 << 20) for number in range(9)}
    taken = class_zip(tmp_path, ada__compare=b"int x;", **bombs, bob__compare=b"int y;", eve__compare=b"int z;")
    assert found(taken) == [(name, "01", "compare.c") for name in ("ada", "bob", "eve")]
    said = [one.said for one in taken.troubles if one.kind == "archive"]
    assert said[:2] == [f"z.zip holds 'bob/{number}.c', which makes it more than 1 MB: it was left out"
                        for number in range(2)] and said[2:] == ["z.zip holds 7 more such in 'bob'"]
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*.c")) < 100


def test_a_bomb_as_a_classs_own_archive_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "CLASS_BYTES_MOST", 3 << 20)
    monkeypatch.setattr(archive, "ONE_MOST", 1 << 20)
    taken = class_zip(tmp_path, **{f"s{number}__compare": b"x" * (1 << 20) for number in range(5)})
    assert [one[0] for one in found(taken)] == ["s0", "s1", "s2"]
    assert [one.said.partition(": it")[0] for one in taken.troubles if one.kind == "archive"] == [
        f"z.zip holds 's{number}/compare.c', which makes it more than 3 MB" for number in (3, 4)]
    monkeypatch.setattr(archive, "CLASS_FILES_MOST", 4)
    with pytest.raises(UsageError, match="FROM=.*: z.zip holds 5 files; 4 are the most that is read"):
        intake.of_source(tmp_path / "z.zip", LABS, lay(tmp_path / "more", "x").parent / "more")


def test_what_is_spoilt_in_a_classs_archive_is_left_out(tmp_path):
    """Bytes that no longer unpack, a name that is too long, a folder where there is a file."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("ada/compare.c", TEXT)
        whole.writestr("bob/compare.c", "int other;\n" * 50)
        whole.writestr(f"eve/{'x' * 300}.c", TEXT)
        whole.writestr("ada/compare.c/compare.c", TEXT)
        at = whole.getinfo("bob/compare.c").header_offset + 30 + len("bob/compare.c")
    data = bytearray((tmp_path / "z.zip").read_bytes())
    data[at:at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "z.zip").write_bytes(data)
    (tmp_path / "scratch").mkdir()
    taken = intake.of_source(tmp_path / "z.zip", LABS, tmp_path / "scratch")
    assert found(taken) == [("ada", "01", "compare.c")]
    assert sorted(one.said.partition("', ")[2].partition(":")[0] for one in taken.troubles if one.kind == "archive") \
        == ["which cannot be unpacked", "which cannot be written", "which cannot be written"]
    with pytest.raises(archive.ArchiveError, match="z.zip holds 'bob/compare.c', which cannot be unpacked: "):
        archive.unpack(tmp_path / "z.zip", lay(tmp_path / "again", "y") / "y.d")


def test_an_archive_of_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "BYTES_MOST", 1 << 20)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("compare.c", b" " * (2 << 20))
    (tmp_path / "in").mkdir()
    with pytest.raises(archive.ArchiveError, match="more than 1 MB"):
        archive.unpack(tmp_path / "z.zip", tmp_path / "in")
    monkeypatch.setattr(archive, "FILES_MOST", 0)
    with pytest.raises(archive.ArchiveError, match="holds 1 files; 0 are the most"):
        archive.unpack(tmp_path / "z.zip", tmp_path / "in")


def test_no_archive_at_all(tmp_path):
    lay(tmp_path, "z.zip")
    with pytest.raises(archive.ArchiveError, match="z.zip cannot be unpacked: "):
        archive.unpack(tmp_path / "z.zip", tmp_path)


# ---- The roster ----


def test_who_a_folder_is(tmp_path):
    text = "\ufeffStudent;ID;Email address\r\nLovelace, Ada;7;ada@x.test\r\nMüller, Jo;8;\r\n"
    (tmp_path / "r.csv").write_bytes(text.encode())
    listed = roster.read(tmp_path / "r.csv")
    for folder in ("Ada Lovelace", "lovelaceada 55", "ada", "7", "ADA@x.test", "Lovelace Ada"):
        assert [student.id for student in listed.of(folder)] == ["7"], folder
    assert [student.id for student in listed.of("Jo Muller")] == ["8"] and listed.of("carl") == []


@pytest.mark.parametrize("text, said", [
    ("id,name\n1\n", ":2: expected 2 cells, as in line 1, but there are 1"),
    ("grade,mark\n1,2\n", ":1: expected a line with the columns' names, among them id or name"),
    ("", ":1: expected a line with the columns' names"),
    ("id,name\n1,\udcff\n", "is no UTF-8: save the table as CSV in UTF-8"),
])
def test_a_wrong_roster_is_one_line(tmp_path, text, said):
    (tmp_path / "r.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        roster.read(tmp_path / "r.csv")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_an_id_that_stands_twice_on_the_roster_stops_nobody(tmp_path):
    (tmp_path / "r.csv").write_text("id,name\n1,ada\n1,bob\n2,carl\n")
    listed = roster.read(tmp_path / "r.csv")
    assert [student.name for student in listed.students] == ["ada", "carl"]
    outcome = Outcome([ONE], ["ada", "carl"])
    command._call_roll(outcome, listed)
    assert [(one.student, one.kind, one.said) for one in outcome.troubles] == [
        ("1", "roster", "r.csv:3: 1 stands in line 2 already, which counts")]


# ---- What comes out ----


def result(score: int, *failed: str, lab=ONE) -> dict:
    checks = [{"id": f"test_{k}", "category": "timing", "title": f"Check {k}", "score": 0, "max_score": 5,
               "status": "failed" if text else "passed", "message": f"expected: 1\ncause: {text}" if text else "",
               "replay": "make run FROM=/teachers/own", "report": "reports/x.html"} for k, text in enumerate(failed)]
    return {"schema": "looplab/result/v1", "lab": lab.slug, "status": "graded", "score": score, "max_score": 100,
            "seed": 7, "elapsed_s": 0.0, "checks": checks}


def test_tables(tmp_path):
    outcome = Outcome([ONE, TWO], ["=1+1", "ada", "bob"], {("ada", ONE.slug): result(80), ("ada", TWO.slug): result(9)},
                      [Trouble("bob", TWO.slug, "ungradable", "line 1\nno"), Trouble("=1+1", "", "link", "@x")])
    rows = list(csv.reader(tables.grades(outcome).splitlines()))
    assert rows == [["folder", ONE.slug, TWO.slug, "total", "note"], ["'=1+1", "", "", "0", "link"],
                    ["ada", "80", "9", "89", ""], ["bob", "", "", "0", "02: ungradable"]]
    assert tables.attention(outcome) == "kind,student,lab,what\nlink,'=1+1,,'@x\nungradable,bob,02-url-fetcher," \
                                        "line 1 no\n"


def test_causes_are_the_same_but_for_lines_and_numbers():
    results = [result(0, "compare.c:5 waits 10 ms"), result(0, "compare.c:77 waits 1,200 ms"), result(0, "other"),
               result(100, "")]
    assert [(cause.text, cause.times) for cause in page.causes(results)] == [("compare.c:5 waits 10 ms", 2),
                                                                            ("other", 1)]


def test_the_page_names_nobody_and_marks_nothing_up():
    outcome = Outcome([ONE], ["ada"], {("ada", ONE.slug): result(40, "<script>x</script>")},
                      [Trouble("ada", "", "link", "ada's")])
    text = page.render(outcome)
    assert "ada" not in text and "<script" not in text and "&lt;script&gt;" in text and "1 × link" in text
    assert "http" not in text


def test_feedback_is_the_students_own():
    text = feedback.markdown("a*b", [result(40, "```\n# x")], [Trouble("a*b", "", "link", "[x](y)")])
    html = feedback.page("<b>", [result(40, "<i>")], [])
    assert text.startswith("# a\\*b\n") and "````text\n" in text and "\\[x\\](y)" in text
    assert " in 0.0 s" not in text + html and "/teachers/own" not in text + html
    assert "<i>" not in html and "&lt;i&gt;" in html


# ---- All of it ----


def ran(source: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "looplab", "class", "--from", str(source), "--out", str(out), *more],
                            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "in"
    lay(folder, "carl/compare.c", text="int x")
    for student, entry in (("Ada Ö_1_assignsubmission_file", "awaits-each"), ("eve_5_6_compare.c", "batches")):
        target = folder / student
        target = target / "compare.c" if target.suffix != ".c" else target
        target.parent.mkdir(exist_ok=True)
        shutil.copy(CORPUS / entry / "compare.c", target)
    return folder


def test_a_class_is_graded_and_a_kill_costs_nothing(submissions, tmp_path):
    out = tmp_path / "out"
    first = ran(submissions, out)
    said, errors = first.communicate(timeout=300)
    assert (first.returncode, errors) == (1, "") and "3 students, 3 results in " in said
    whole = tree(out)
    scores = {row["folder"]: row[ONE.slug] for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8"))}
    assert scores == {"Ada Ö": json.loads((CORPUS / "awaits-each/verdict.json").read_text())["score"].__str__(),
                      "carl": "", "eve 5": "80"}
    times = {path: (out / path).stat().st_mtime_ns for path in whole if path.endswith("results.json")}

    again = ran(submissions, out)                   # nothing has changed: nothing is graded
    again.communicate(timeout=60)
    assert tree(out) == whole and times == {path: (out / path).stat().st_mtime_ns for path in times}

    moments = random.Random(7)
    for _ in range(20 if ALL else 1):
        shutil.rmtree(out)
        killed = ran(submissions, out)
        time.sleep(moments.uniform(0.5, 4.0))
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        last = ran(submissions, out)
        last.communicate(timeout=300)
        assert last.returncode == 1 and tree(out) == whole


def test_how_far_it_is_and_how_long_it_takes_yet(monkeypatch, capsys):
    """Every half minute where nobody watches; here a grading takes 20 s, by a clock of the test's."""
    now = [0.0]

    def each(pieces, jobs):
        for piece in pieces:
            now[0] += 20
            yield piece, None, False

    monkeypatch.setattr(pool, "each", each)
    monkeypatch.setattr(command.time, "monotonic", lambda: now[0])
    assert len(list(command._with_progress(range(8), 1, 10))) == 8
    assert capsys.readouterr().err.split("\n") == ["4/10 graded, 2 min left", "6/10 graded, 80 s left",
                                                   "8/10 graded, 40 s left", "10/10 graded, 0 s left", ""]


def test_what_one_that_was_killed_has_unpacked_goes_away(tmp_path):
    left = lay(tmp_path / "out", ".unpacked/whole/ada/compare.c") / ".unpacked"
    with command._scratch(tmp_path / "out", None) as folder:
        assert folder == left and list(folder.iterdir()) == []
    assert not left.exists()


def test_only_what_changed_is_graded_again(submissions, tmp_path):
    mine, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(submissions, mine)
    shutil.rmtree(next(mine.glob("Ada*")))
    assert ran(mine, out).wait(300) == 1
    before = (out / "eve 5" / ONE.slug / "results.json").stat().st_mtime_ns
    (mine / "carl/compare.c").write_text("int y")
    (mine / "bob").mkdir()
    done = ran(mine, out, "--jobs", "1")
    said, _ = done.communicate(timeout=300)
    assert (out / "eve 5" / ONE.slug / "results.json").stat().st_mtime_ns == before and done.returncode == 1
    assert "nothing: bob 01-sync-vs-async: no compare.c was handed in" in said
    assert (out / "carl" / ONE.slug / "handed-in" / ONE.source).read_text() == "int y"


@pytest.mark.parametrize("more, said", [
    (["--jobs", "0"], "looplab: JOBS=0: expected a whole number from 1 to 256\n"),
    (["--seed", "x"], "looplab: SEED=x: expected a whole number from 1 to 999999\n"),
    (["--lab", "77"], "looplab: LAB=77: there is no lab '77'; the labs are: "),
    (["--roster", "none.csv"], "looplab: ROSTER=none.csv: No such file or directory\n"),
])
def test_wrong_use(submissions, tmp_path, more, said):
    done = ran(submissions, tmp_path / "out", *more)
    assert done.communicate()[1].startswith(said) and done.returncode == 2


def test_wrong_places(submissions, tmp_path):
    for source, out, said in [(tmp_path / "none", tmp_path / "out", "there is no such folder or zip file"),
                              (submissions, submissions, "results cannot lie where the submissions are"),
                              (submissions, submissions / "out", "results cannot lie where the submissions are"),
                              (lay(tmp_path, "empty/.hidden") / "empty", tmp_path / "out",
                               "nobody's files are there")]:
        done = ran(source, out)
        assert said in done.communicate()[1] and done.returncode == 2


@pytest.mark.parametrize("jobs, cores", [(2, [{3, 5}]), (1, [{None}]), (3, [{None}])])
def test_gradings_beside_each_other_keep_to_a_processor_each(monkeypatch, jobs, cores):
    """Where there are enough of them."""
    together: list[list] = [[]]

    class Grading:
        def __init__(self, lab, folder, out, seed, core, figures):
            self.core, self.looks = core, seed
            together.append([*together[-1], core])

        def done(self) -> bool:
            self.looks -= 1
            if self.looks == 0:
                together.append([one for k, one in enumerate(together[-1]) if k != together[-1].index(self.core)])
            return self.looks <= 0

        def result(self) -> dict:
            return {}

    monkeypatch.setattr(pool, "Grading", Grading)
    monkeypatch.setattr(pool.os, "sched_getaffinity", lambda pid: {5, 3}, raising=False)
    pieces = [pool.Piece(number, None, None, None, 1 + number % 3) for number in range(7)]
    assert sorted(piece.number for piece, _, _ in pool.each(pieces, jobs)) == list(range(7))
    assert max(map(len, together)) == jobs
    assert [set(one) for one in together if len(one) == jobs][:1] == cores
    assert None in cores[0] or all(len(set(one)) == len(one) for one in together)
