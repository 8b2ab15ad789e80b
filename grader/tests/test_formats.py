"""Formats: what each receiver takes, held against what stands in its schema or code, and what it cannot take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from looplab import cli
from looplab.formats import write as formats
from looplab.formats.shown import Setting, clean, place, read
from looplab.plain.failure import UsageError

EVIL = "::error::x\n\x00\x1b[2J\ud800\ufffe|<b>&]]>`*_\u202e, 100%\tü"


def check(name: str, status: str = "passed", score: int = 5, most: int = 5, message: str = "", **more) -> dict:
    return {"id": f"test_{name}", "category": "timing", "title": f"Check {name}", "status": status, "score": score,
            "max_score": most, "message": message, **more}


def graded(*checks: dict, **more) -> dict:
    return {"schema": "looplab/result/v1", "lab": "01-toy", "status": "graded", "seed": 7, "elapsed_s": 0.1,
            "score": sum(one["score"] for one in checks), "max_score": sum(one["max_score"] for one in checks),
            "checks": list(checks), **more}


FULL = graded(check("a"), check("b", virtual_ns=2_000_000))
SOME = graded(
    check("a"),
    check("b", "failed", 0, 10, "rule: 3\nexpected: 1 ms\nhappened: 2 ms\ncause: toy.c:3 waits", src="toy.c:3"),
    check("b", "skipped", 0, 5, "it needs test_b"), check("evil", "failed", 2, 5, EVIL, src="toy.c:9"),
    advice=[{"src": "toy.c:1", "text": "unused: x, y"}], program_output=EVIL, points=9)
UNFIT = {**graded(), "status": "ungradable", "score": None, "max_score": 100, "message": "toy.c:3: expected ';'",
         "src": "toy.c:3"}
FAULT = {**graded(), "status": "error", "score": None, "max_score": None, "message": "no gcc"}
FAULTY = graded(check("a"), check("b", "error", 0, 5, "test_visible.py:3: oops"), status="error", message="oops")
ALL = {"full": FULL, "some": SOME, "ungradable": UNFIT, "fault": FAULT, "faulty check": FAULTY}
ENV = {"CLASSROOM": "c", "ASSIGNMENT": "a-b", "SUBMISSION_TAG": "submit/1", "GITHUB_REPOSITORY": "org/c-a-b-ada-x",
       "GITHUB_SHA": "f00", "SOURCE_DATE_EPOCH": "1700000000"}
HERE = Setting("in", ENV)


def texts(name: str, result: dict) -> dict:
    return dict(formats.FORMATS[name](clean(result), HERE))


def text(name: str, result: dict) -> str:
    return texts(name, result)[formats._FILES[name][0]]


def data(name: str, result: dict):
    return json.loads(text(name, result))


# ---- Of all of them ----


@pytest.mark.parametrize("name", formats.FORMATS)
@pytest.mark.parametrize("kind", ALL)
def test_each_writes_what_any_reader_of_text_takes(name, kind, tmp_path):
    """Whatever a student's program printed: UTF-8, no control character, the same each time."""
    names = [path.name for path in formats.write(ALL[kind], tmp_path, [name], HERE)]
    assert names in ([], formats._FILES[name]) and sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for file in names:
        whole = (tmp_path / file).read_bytes()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ufffe\uffff\u202e]", whole.decode("utf-8"))
        formats.write(ALL[kind], tmp_path, [name], HERE)
        assert (tmp_path / file).read_bytes() == whole


def test_what_has_no_word_for_a_fault_says_nothing_and_leaves_nothing_old(tmp_path):
    silent = ["gradescope", "classroom50", "coderunner"]
    for result in (FULL, FAULT):
        made = formats.write(result, tmp_path, silent, HERE)
        assert len(made) == len(list(tmp_path.iterdir())) == (3 if result is FULL else 0)


def test_a_place_is_a_file_and_a_line():
    assert place("toy.c:12") == ("toy.c", 12) and place("toy.c:12:4") == ("toy.c", 12)
    for wrong in ("toy.c", "toy.c:0", "../toy.c:1", "labs/01/test_visible.py:3", "a b.c:1", None, 7):
        assert place(wrong) is None


# ---- JUnit, GitLab ----


def test_junit():
    suite = ElementTree.fromstring(text("junit", SOME)).find("testsuite")
    assert suite.attrib == {"name": "01-toy", "tests": "4", "failures": "2", "errors": "0", "skipped": "1"}
    assert {one.get("name"): one.get("value") for one in suite.find("properties")} \
        == {"status": "graded", "score": "7", "max_score": "25", "points": "9", "seed": "7"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["Check a", "Check b (test_b)", "Check b (test_b) #2", "Check evil"]
    failure = cases[1].find("failure")
    assert failure.get("message") == "toy.c:3 waits" and "expected: 1 ms" in failure.text
    assert "type" not in failure.keys()
    assert [one.get("value") for one in cases[1].find("properties") if one.get("name") == "max_score"] == ["10"]


@pytest.mark.parametrize("kind, failures, errors", [("ungradable", 1, 0), ("fault", 0, 1), ("faulty check", 0, 1)])
def test_a_failure_is_the_students_an_error_the_graders(kind, failures, errors):
    suite = ElementTree.fromstring(text("junit", ALL[kind]))
    assert (len(suite.findall(".//failure")), len(suite.findall(".//error"))) == (failures, errors)
    assert (suite.get("failures"), suite.get("errors")) == (str(failures), str(errors))


def test_names_of_junit_cases_differ():
    """GitLab keeps the first of those that are alike."""
    twice = graded(check("a"), {**check("a"), "id": "test_c"}, {**check("a"), "id": "test_a"})
    names = [(case.get("classname"), case.get("name"))
             for case in ElementTree.fromstring(text("junit", twice)).iter("testcase")]
    assert len(set(names)) == 3


def test_gitlab_code_quality():
    """Reading stops at the first entry that lacks one of these."""
    entries = json.loads(texts("gitlab", SOME)["gl-code-quality.json"])
    assert [(one["severity"], one["location"]) for one in entries] == [
        ("major", {"path": "in/toy.c", "lines": {"begin": 3}}), ("major", {"path": "in/toy.c", "lines": {"begin": 9}}),
        ("info", {"path": "in/toy.c", "lines": {"begin": 1}})]
    assert all(one["description"] and len(one["fingerprint"]) == 64 for one in entries)
    assert json.loads(texts("gitlab", FAULT)["gl-code-quality.json"]) == []
    assert texts("gitlab", SOME)["junit.xml"] == text("junit", SOME)


# ---- GitHub ----


def test_annotations_are_one_line_each_and_no_program_writes_one():
    lines = texts("github", SOME)["github-annotations.txt"].splitlines()
    assert [line.partition("title")[0] for line in lines] == [
        "::error file=in/toy.c,line=3,", "::error file=in/toy.c,line=9,", "::warning file=in/toy.c,line=1,"]
    assert "%0A" in lines[1] and "100%25" in lines[1] and "01-toy%3A" in lines[1]
    many = graded(*(check(str(k), "failed", 0, 5, "x" * 9_000, src="toy.c:1") for k in range(40)))
    lines = texts("github", many)["github-annotations.txt"].splitlines()
    assert len(lines) == 10 and max(map(len, lines)) < 4_300


def test_the_summary_fits_and_marks_nothing_up():
    summary = texts("github", SOME)["github-summary.md"]
    assert summary.startswith("## 01-toy: 7 of 25 points\n") and "| ✗ | Check b | 0/10 | toy.c:3 waits |" in summary
    assert "<b>" not in summary.replace("\\<b\\>", "")
    huge = graded(*(check(str(k), "failed", 0, 5, "ü" * 9_000) for k in range(400)))
    assert 1_000 < len(texts("github", huge)["github-summary.md"].encode()) <= 1_000_000


# ---- The others ----


def test_gradescope():
    known = data("gradescope", SOME)
    assert (known["score"], known["output_format"]) == (7, "text") and "add up to 9 points; 7 count" in known["output"]
    assert [(one["status"], one["score"], one["max_score"]) for one in known["tests"]] == [
        ("passed", 5, 5), ("failed", 0, 10), ("failed", 0, 5), ("failed", 2, 5)]
    assert all("visibility" not in one and one["output_format"] == "text" for one in known["tests"])
    assert data("gradescope", UNFIT)["score"] == 0 and "expected ';'" in data("gradescope", UNFIT)["output"]


CLASSROOM50 = {"schema": "classroom50/result/v1", "classroom": "c", "assignment": "a-b",
               "assignment_type": "individual", "owner": "ada-x", "submission": "submit/1",
               "commit": "https://github.com/org/c-a-b-ada-x/commit/f00",
               "release": "https://github.com/org/c-a-b-ada-x/releases/tag/submit/1",
               "review": "https://github.com/org/c-a-b-ada-x/commit/f00", "datetime": "2023-11-14T22:13:20Z"}


@pytest.mark.parametrize("result, points", [(FULL, (10, 10)), (SOME, (7, 25)), (UNFIT, (0, 100))])
def test_classroom50(result, points):
    """No key but these; whole numbers; no score above what there is; and never no tests, which would be a success."""
    known = data("classroom50", result)
    tests = known.pop("tests")
    assert (known.pop("score"), known.pop("max-score")) == points and known == CLASSROOM50 and tests
    for one in tests:
        assert {"test-name", "passed", "score", "max-score"} <= set(one) and type(one["passed"]) is bool
        assert type(one["score"]) is int and 0 <= one["score"] <= one["max-score"] and one["test-name"]


def test_prairielearn():
    known = data("prairielearn", SOME)
    assert (known["gradable"], known["score"]) == (True, 7 / 25)
    assert all({"name", "points", "max_points"} <= set(one) for one in known["tests"])
    for result in (UNFIT, FAULT):
        known = data("prairielearn", result)
        assert known["gradable"] is False and known["format_errors"] and "score" not in known
    huge = graded(*(check(str(k), "failed", 0, 5, "ü" * 9_000) for k in range(400)))
    whole = text("prairielearn", huge)
    assert len(whole.encode()) <= 1_000_000 and len(json.loads(whole)["tests"]) == 400


def test_check50():
    known = data("check50", SOME)
    assert [one["passed"] for one in known["results"]] == [True, False, None, False] and "error" not in known
    assert known["results"][1]["cause"] == {"rationale": "toy.c:3 waits", "help": "3"}
    assert data("check50", FAULT)["error"]["value"] == "no gcc" and data("check50", FAULT)["results"] == []
    assert [one["passed"] for one in data("check50", UNFIT)["results"]] == [False]


def test_exercism():
    """`error` is for where no test ran; an output has 500 characters at most."""
    assert [data("exercism", result)["status"] for result in ALL.values()] == ["pass", "fail", "error", "error", "fail"]
    known = data("exercism", {**SOME, "program_output": "x" * 900})
    assert [one["status"] for one in known["tests"]] == ["pass", "fail", "fail", "fail"]
    assert len(known["tests"][1]["output"]) == 500 and known["message"] is None
    assert len(data("exercism", {**UNFIT, "message": "x" * 99_999})["message"]) == 65_535


LEVELS = ["judgement", "tab", "context", "testcase", "test"]
DODONA = {"start-judgement": set(), "start-tab": {"title"}, "start-context": set(), "start-testcase": {"description"},
          "start-test": {"expected"}, "append-message": {"message"}, "annotate-code": {"row", "text", "type"},
          "close-test": {"generated", "accepted", "status"}, "close-testcase": set(), "close-context": set(),
          "close-tab": set(), "close-judgement": {"accepted", "status"}}
"""Each command's keys: an unknown one crashes the reader."""


@pytest.mark.parametrize("kind", ALL)
def test_dodona_is_nested_as_it_must_be(kind):
    open_now: list[str] = []
    lines = [json.loads(line) for line in text("dodona", ALL[kind]).splitlines()]
    for one in lines:
        command = one["command"]
        assert set(one) == DODONA[command] | {"command"}
        verb, _, level = command.partition("-")
        if verb == "start":
            assert level == LEVELS[len(open_now)]
            open_now.append(level)
        elif verb == "close":
            assert open_now.pop() == level
        assert open_now or one is lines[-1]
    assert open_now == []
    expected = {"full": ("correct", True), "some": ("wrong", False), "ungradable": ("compilation error", False)}
    status, accepted = expected.get(kind, ("internal error", False))
    assert (lines[-1]["status"]["enum"], lines[-1]["accepted"]) == (status, accepted)
    assert kind != "ungradable" or [one["row"] for one in lines if one["command"] == "annotate-code"] == [2]


def test_coderunner():
    """A field that it does not know fails the whole, and so does a fraction that is none."""
    for result, fraction in ((FULL, 1.0), (SOME, 7 / 25), (UNFIT, 0.0)):
        whole = text("coderunner", result)
        known = json.loads(whole)
        assert known["fraction"] == fraction and whole.isascii() and whole.count("\n") == 1
        assert set(known) <= {"fraction", "prologuehtml", "testresults", "epiloguehtml"}
        assert len({len(row) for row in known.get("testresults", [[]])}) == 1
    assert "<b>" not in json.loads(text("coderunner", SOME))["epiloguehtml"]


def test_more_points_than_there_are_stay_within():
    much = graded(check("a", score=9), check("b"))
    assert data("classroom50", much)["score"] == 10 and data("coderunner", much)["fraction"] == 1.0
    assert data("prairielearn", much)["score"] == 1.0


# ---- The command line ----


@pytest.mark.parametrize("text, said", [
    ("{", "this is no JSON"), ("[]", "expected a results.json of looplab/result/v1"),
    ("[" * 100_000, "this is no JSON"),
    (json.dumps({**FULL, "status": "fine"}), "status: expected graded, ungradable or error"),
    (json.dumps({**FULL, "score": None}), "score: expected a whole number"),
    (json.dumps({**FULL, "score": 1.5}), "score: expected a whole number"),
    (json.dumps({**FULL, "lab": "../x"}), "lab: expected NN-slug"),
    (json.dumps({**FULL, "checks": [{"id": 7}]}), "checks[0]: expected id"),
    (json.dumps({**FULL, "checks": [check("a", "fine")]}), "checks[0]: expected points"),
])
def test_what_is_no_result_is_refused(tmp_path, text, said):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "results.json")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_convert(tmp_path, capsys):
    for name, result in (("a", SOME), ("b", FAULT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps(result))
    assert cli.main(["convert", "--from", str(tmp_path), "--format", "junit gradescope"]) == 0
    assert sorted(path.name for path in tmp_path.glob("*/[!r]*")) == ["gradescope.json", "junit.xml", "junit.xml"]
    assert capsys.readouterr().out == f"{tmp_path}/a: junit.xml, gradescope.json\n{tmp_path}/b: junit.xml\n"
    assert cli.main(["convert", "--from", str(tmp_path / "b/results.json"), "--format", "gradescope"]) == 0
    assert "for a fault of the grader there is no word in it" in capsys.readouterr().out


@pytest.mark.parametrize("words, said", [
    (["--format", "junit", "--from", "none"], "none: No such file or directory"),
    (["--format", "junti"], "FORMATS=junti: there is no such format; there are junit, gradescope, "),
    (["--format", " "], "FORMATS: expected one or more of junit, "),
])
def test_wrong_use_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("looplab: " + said) and error.count("\n") == 1


def test_grading_writes_them_beside_the_result(house, capsys):
    house.lab("@points(4, 'timing')\ndef test_it(lab):\n    'It runs.'\n    lab.run('async', urls(2))\n")
    words = ["grade", "--lab", "1", "--out", "out", "--seed", "7", "--format", "junit,github", "--format", "dodona"]
    assert cli.main(words, root=house.root) in (0, 1)
    made = {path.name for path in Path("out/01-toy").iterdir() if path.is_file()}
    assert {"results.json", "junit.xml", "github-annotations.txt", "github-summary.md", "dodona.jsonl"} <= made
    assert cli.main([*words, "--format", "x"], root=house.root) == 2
    assert "there is no such format" in capsys.readouterr().err
