"""The command line: what may be said, what is refused in one line, exit codes, what is written."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import End, ending, well
from looplab import cli
from looplab.plain import seed
from looplab.running.build import Advice, BuildError, Ungradable
from looplab.telling.progress_line import ProgressLine
from story import Story
from test_plugin import ONE, serial

jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema here (make deps-dev)")

GOOD = ONE % "run.should_take(30000000)"
OTHER = GOOD.replace('"async"', '"other"')     # its runs are told from GOOD's by their mode


def run(house, *words):
    return cli.main(["grade", *words], root=house.root)


def results(house, slug="01-toy", out="build/grade"):
    return json.loads((house.root / out / slug / "results.json").read_text())


@pytest.mark.parametrize("word", ["1", "01", "01-toy"])
def test_a_lab_has_three_names(house, word):
    house.lab(GOOD)
    assert run(house, "--lab", word) == 0


@pytest.mark.parametrize("words, told", [
    (["--seed", "abc"], "SEED=abc: expected a whole number from 1 to 999999"),
    (["--seed", "0"], "SEED=0"), (["--seed", "1000000"], "SEED=1000000"), (["--seed", "-1"], "SEED=-1"),
    (["--seed", "１"], "SEED="),
    (["--from", "nowhere"], "FROM=nowhere: there is no such folder"),
    (["--from", "file"], "FROM=file: this is not a folder"),
    (["--from", "empty"], "FROM=empty: it holds no lab's file (toy.c)"),
    (["--out", "file"], "OUT=file: this is not a folder"),
    (["--lab", "9"], "there is no lab '9'; the labs are: 01-toy"),
    (["--nonsense"], "unrecognized arguments: --nonsense")])
def test_a_wrong_argument_is_one_line_and_2(house, capsys, words, told):
    house.lab(GOOD)
    (house.root / "file").write_text("")
    (house.root / "empty").mkdir()
    assert run(house, *words) == 2
    said = capsys.readouterr()
    assert told in said.err and said.err.count("\n") == 1 and said.out == "" and not (house.root / "build").exists()


def test_no_command_is_refused(house, capsys):
    assert cli.main([], root=house.root) == 2 and capsys.readouterr().err.count("\n") == 1


def test_a_broken_lab_folder_is_3(house, capsys):
    house.lab(GOOD)
    (house.root / "labs/01-toy/toy.h").unlink()
    assert run(house, "--lab", "1") == 3 and "toy.h" in capsys.readouterr().err


def test_exit_codes(house):
    house.lab(GOOD)
    assert run(house) == 0
    house.behave = serial
    assert run(house) == 1
    house.build_fails = Ungradable("toy.c:3: expected ';'", "toy.c:3")
    assert run(house) == 2
    house.build_fails = BuildError("there is no compiler")
    assert run(house) == 3


def test_ungradable_knows_what_there_was_to_win(house, capsys):
    house.lab(GOOD)
    house.build_fails = Ungradable("expected ';'", "toy.c:2")
    assert run(house) == 2
    assert (results(house)["status"], results(house)["max_score"], results(house)["src"],
            house.ran) == ("ungradable", 10, "toy.c:2", [])
    assert results(house)["message"] == "toy.c:2: expected ';'"
    assert "cannot be graded:\n    toy.c:2: expected ';'\n    toy.c:2 | /* TODO 1: write it. */\n\nNext: mend toy.c:2" \
        in capsys.readouterr().out
    house.build_fails = Ungradable("toy.c is missing", "toy.c")
    assert run(house) == 2 and results(house)["message"] == "toy.c is missing"
    assert "Next: put that right, then: make grade LAB=01" in capsys.readouterr().out


def test_a_wrong_check_comes_before_a_wrong_submission(house):
    house.lab("def test_x(lab): pass\n")
    house.build_fails = Ungradable("toy.c:3: expected ';'", "toy.c:3")
    assert run(house) == 3


def test_what_nobody_foresaw_is_3_and_one_line(house, capsys, monkeypatch):
    house.lab(GOOD)
    house.build_fails = ZeroDivisionError("oops")
    assert run(house) == 3
    assert "Traceback" not in "".join(capsys.readouterr())
    monkeypatch.setattr("looplab.report.grade.grade", None)
    assert run(house) == 3
    assert re.fullmatch(r"looplab: internal error at cli.py:\d+: TypeError: .*\n", capsys.readouterr().err)


def test_from_is_a_tree_or_the_file_itself(house):
    house.lab(GOOD)
    for folder in ("tree/01-toy", "flat"):
        (house.root / folder).mkdir(parents=True)
        (house.root / folder / "toy.c").write_text("/* mine */")
    assert run(house, "--from", "tree") == 0 and run(house, "--from", "flat", "--out", "out") == 0
    assert results(house, out="out")["score"] == 10


def test_several_labs_have_a_section_each_and_the_worst_counts(house, capsys):
    house.lab(GOOD)
    house.lab(OTHER, slug="02-other")
    assert run(house) == 0
    house.behave = lambda ran: serial(ran) if ran.argv[-1] == "other" else well(ran)
    capsys.readouterr()
    assert run(house) == 1
    out = capsys.readouterr().out
    assert "Lab 01 toy" in out and "Lab 02 other" in out
    assert re.search(r"  01-toy +10/10 *\n  02-other +0/10 *\n$", out)
    assert (results(house)["score"], results(house, "02-other")["score"]) == (10, 0)
    house.behave = lambda ran: well(ran) if ran.argv[-1] == "other" else serial(ran)
    assert run(house) == 1


def test_only_the_labs_that_from_holds(house):
    house.lab(GOOD)
    house.lab(GOOD, slug="02-other")
    (house.root / "mine").mkdir()
    (house.root / "mine" / "other.c").write_text("")
    assert run(house, "--from", "mine") == 0
    assert not (house.root / "build/grade/01-toy").exists() and results(house, "02-other")["score"] == 10


def test_the_last_grading_leaves_nothing_behind(house):
    house.lab(ONE % 'lab.run("async", urls(2))')
    run(house)
    folder = house.root / "build/grade/01-toy"
    assert len(list((folder / "worlds").iterdir())) == 2
    (house.root / "labs/01-toy/test_visible.py").write_text("")
    assert run(house) == 3
    assert list((folder / "worlds").iterdir()) == [] and results(house)["status"] == "error"
    assert list((house.root / "build/work").iterdir()) == []


def test_results_are_the_same_each_time_but_for_the_time_it_took(house):
    house.lab(ONE % "run.should_take(lab.rng.randint(1, 9))" + "\n")
    found = []
    for _ in range(2):
        run(house, "--seed", "5")
        result = results(house)
        assert isinstance(result.pop("elapsed_s"), float) and str(house.root) not in json.dumps(result)
        found.append(result)
    assert found[0] == found[1]


def test_a_folder_that_cannot_be_written_is_3_in_one_line(house, capsys):
    house.lab(GOOD)
    (house.root / "out").mkdir()
    (house.root / "out" / "01-toy").write_text("a file in the way")
    assert run(house, "--out", "out") == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_skeleton_is_told_its_first_todo(house, capsys):
    house.lab(GOOD)
    house.behave = ending(Story().begin().result(0).end(0))
    assert run(house) == 1
    assert "Next: begin with toy.c:2, TODO 1: write it." in capsys.readouterr().out
    skeleton = house.root / "labs/01-toy/toy.c"
    # the first one, wherever it stands
    skeleton.write_text("/* After TODO 2: make grade */\n/* TODO 2: later. */\n\n/* TODO 1: write it. */\n")
    assert run(house) == 1
    assert "Next: begin with toy.c:4, TODO 1: write it." in capsys.readouterr().out
    (house.root / "mine").mkdir()
    (house.root / "mine" / "toy.c").write_text("/* TODO 1: write it. */ int x;")
    run(house, "--from", "mine")
    assert "Next: look at the run behind" in capsys.readouterr().out


def test_warnings_are_advice(house, capsys):
    house.lab(GOOD)
    house.advice = (Advice("toy.c:1", "unused variable 'x'"),)
    assert run(house) == 0
    assert results(house)["advice"] == [{"src": "toy.c:1",
                                         "text": "unused variable 'x'"}] \
        and "the compiler warns: toy.c:1" in capsys.readouterr().out


def test_colours_only_on_a_terminal(house, capsys, monkeypatch):
    house.lab(GOOD)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    run(house)
    assert "\x1b" not in capsys.readouterr().out
    for env, words, coloured in (({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False),
                                 ({"TERM": "dumb"}, [], False)):
        with monkeypatch.context() as patch:
            patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
            for name, value in env.items():
                patch.setenv(name, value)
            run(house, *words)
        assert ("\x1b[" in capsys.readouterr().out) == coloured, (env, words)


@pytest.mark.parametrize("locale, tty, ascii_only",
                         [("C", True, True), ("POSIX", True, True), ("C.UTF-8", True, False), ("C", False, False)])
def test_a_terminal_in_the_c_locale_gets_ascii(house, capsys, monkeypatch, locale, tty, ascii_only):
    house.lab(GOOD)
    monkeypatch.setenv("LC_ALL", locale)
    with monkeypatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: tty, raising=False)
        run(house, "--no-color")
    assert capsys.readouterr().out.isascii() == ascii_only


def test_progress_only_on_a_terminal_and_after_a_while():
    class Terminal(list):
        encoding = "utf-8"

        def __init__(self, tty):
            super().__init__()
            self.tty = tty

        def isatty(self):
            return self.tty

        def write(self, text):
            self.append(text)

        def flush(self):
            pass

    for tty, after, shown in ((True, 0.0, True), (True, 60.0, False), (False, 0.0, False)):
        terminal = Terminal(tty)
        progress = ProgressLine(terminal, after_s=after)
        progress.step(0, 3, 25, "A title. " * 20)
        progress.clear()
        text = "".join(terminal)
        assert ("3/25 A title." in text) == shown and (not shown
                                                       or (text.endswith("\r") and "\n" not in text
                                                           and len(text.split("\r")[1]) < 80))


def test_progress_of_several_labs_tells_of_each():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    progress = ProgressLine(terminal, ["01", "02", "04"], after_s=0.0)
    progress.step(0, 2, 9, "x")
    progress.step(2, 5, 7, "y")
    assert terminal.getvalue().split("\r")[-1].strip() == "01: 2/9   04: 5/7"
    progress.step(0, 8, 9, "the last one")
    assert terminal.getvalue().split("\r")[-1].strip() == "04: 5/7"


# ---- seeds ----


def test_a_seed_is_the_students_own():
    ann, bob = seed.choose(None, {"LOOPLAB_STUDENT": "ann"}), seed.choose(None, {"LOOPLAB_STUDENT": "bob"})
    assert ann == seed.of_student("ann") != bob and 1 <= ann <= 999999
    assert seed.choose(None, {}) == seed.of_student(seed._login())
    assert seed.choose("7", {"LOOPLAB_STUDENT": "ann"}) == 7


def test_many_students_have_many_seeds():
    assert len({seed.of_student(f"student{i}") for i in range(300)}) > 295


def test_a_machine_without_a_name_still_has_a_seed(monkeypatch):
    monkeypatch.setattr(seed.getpass, "getuser", lambda: (_ for _ in ()).throw(KeyError("uid")))
    assert seed.choose(None, {}) == seed.of_student("nobody")


def test_the_seed_is_on_the_card(house, capsys, monkeypatch):
    house.lab(GOOD)
    monkeypatch.setenv("LOOPLAB_STUDENT", "ann")
    run(house)
    assert f"seed {seed.of_student('ann')}" in capsys.readouterr().out \
        and results(house)["seed"] == seed.of_student("ann")


# ---- as a process ----


ROOT = Path(__file__).resolve().parents[2]


def looplab(*words, **env):
    return subprocess.run([sys.executable, "-m", "looplab", *words], cwd=ROOT, capture_output=True, timeout=120,
                          env={"PYTHONPATH": str(ROOT / "grader"), "PATH": os.environ["PATH"],
                               "PYTHONDONTWRITEBYTECODE": "1", **env})


def test_output_is_ascii_where_the_terminal_knows_no_more(tmp_path):
    said = looplab("grade", "--from", str(tmp_path), "--seed", "ü", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert said.returncode == 2 and said.stderr.isascii()


@pytest.mark.parametrize("source, code, least, most", [("solutions", 0, 100, 100), ("labs", 1, 0, 15)])
def test_the_real_lab_end_to_end(tmp_path, source, code, least, most):
    if not (ROOT / "build/kit/libco.a").is_file() or not (ROOT / "labs/01-sync-vs-async/test_visible.py").is_file():
        pytest.skip("the kit is not built (make test builds it)")
    said = looplab("grade", "--lab", "1", "--from", source, "--out", str(tmp_path), "--seed", "7",
                   PYTHONIOENCODING="ascii")
    assert said.returncode == code and said.stdout.isascii() and said.stderr == b"", said
    result = json.loads((tmp_path / "01-sync-vs-async/results.json").read_text())
    jsonschema.validate(result, json.loads((ROOT / "grader/looplab/telling/result.schema.json").read_text()))
    assert least <= result["score"] <= most and result["max_score"] == 100
