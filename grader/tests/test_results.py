"""results.json: its shape, its exit code, and that it is written whole or not at all."""

import json
from pathlib import Path

import pytest

from looplab.asking.check import Check, Part
from looplab.running.build import Advice
from looplab.telling import results

jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema here (make deps-dev)")

SCHEMA = json.loads((Path(results.__file__).parent / "result.schema.json").read_text())


def check(id="test_a", worth=10, category="timing", **more):
    return Check(id, f"What {id} is about.", category, worth, "labs/01-toy/test_visible.py:3", **more)


def passed(id="test_a", worth=10):
    one = check(id, worth)
    one.passed()
    return one


def failed(id="test_b", worth=10):
    one = check(id, worth)
    one.failed("expected: 1 ms\nhappened: 2 ms", "toy.c:3")
    one.replay, one.virtual_ns = "make run LAB=01", 2_000_000
    return one


def skipped(id="test_c"):
    one = check(id)
    one.skipped("needs it")
    return one


def faulty(id="test_d"):
    one = check(id)
    one.faulty("test_visible.py:3: oops")
    return one


def graded(*checks, **more):
    result = results.graded("01-toy", checks, 7, 0.4111, **more)
    jsonschema.validate(result, SCHEMA)
    return result


def test_the_scores_add_up():
    result = graded(passed(), failed(), skipped())
    assert (result["score"], result["max_score"], result["status"]) == (10, 30, "graded")


def test_a_result_is_as_the_design_has_it():
    assert graded(failed()) == {
        "schema": "looplab/result/v1", "lab": "01-toy", "status": "graded", "score": 0, "max_score": 10, "seed": 7,
        "elapsed_s": 0.41,
        "checks": [{"id": "test_b", "category": "timing", "title": "What test_b is about.", "status": "failed",
                    "score": 0,
                    "max_score": 10, "message": "expected: 1 ms\nhappened: 2 ms", "src": "toy.c:3",
                    "replay": "make run LAB=01",
                    "virtual_ns": 2_000_000}]}


def test_full_marks_are_0_less_is_1():
    assert results.exit_code(graded(passed())) == 0
    assert results.exit_code(graded(passed(), failed())) == 1


def test_a_fault_of_the_grader_is_3_whatever_the_score():
    result = graded(passed(), faulty())
    assert (results.exit_code(result), result["status"], result["message"]) == (3, "error", "test_visible.py:3: oops")


def test_a_check_that_never_ran_is_a_fault():
    assert graded(passed(), check("test_e"))["status"] == "error"


def test_ungradable_is_2_and_not_0_points():
    result = results.ungradable("01-toy", "toy.c:3: expected ';'", "toy.c:3", 7, 0.1, 100)
    jsonschema.validate(result, SCHEMA)
    assert (results.exit_code(result), result["score"], result["max_score"], result["checks"]) == (2, None, 100, [])


def test_an_error_is_3():
    result = results.error("01-toy", "no gcc", 7, 0.1)
    jsonschema.validate(result, SCHEMA)
    assert (results.exit_code(result), result["score"], result["max_score"]) == (3, None, None)


def test_parts_earn_their_own_points():
    one = check(worth=10)
    one.parts = [Part("one", 3, True), Part("two", 7, False, "no")]
    one.passed()
    result = graded(one)["checks"][0]
    assert (result["status"], result["score"], result["message"]) == ("failed", 3, "two (7 points)\nno")
    assert [part["score"] for part in result["parts"]] == [3, 0]
    one.parts = [Part("one", 3, True)]
    one.failed("the second run crashed")
    assert one.score == 3


def test_optional_keys_are_in_the_schema():
    result = graded(passed(), advice=[Advice("toy.c:1", "unused x")], output="hi\x1b[2J", only="test_a")
    assert result["advice"] == [{"src": "toy.c:1", "text": "unused x"}]
    assert result["program_output"] == "hi\\x1b[2J"


def test_the_schema_refuses_what_is_not_a_result():
    result = graded(passed())
    for wrong in ({"status": "fine"}, {"seed": 0}, {"elapsed_s": "fast"}, {"surprise": 1}, {"score": -1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**result, **wrong}, SCHEMA)


def test_it_is_written_whole(tmp_path):
    result = graded(passed())
    path = results.write(result, tmp_path / "new" / "01-toy")
    assert json.loads(path.read_text()) == result
    assert [file.name for file in path.parent.iterdir()] == ["results.json"]


def test_or_not_at_all(tmp_path, monkeypatch):
    results.write(graded(passed()), tmp_path)
    before = (tmp_path / "results.json").read_text()
    monkeypatch.setattr(results.os, "replace", lambda a, b: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        results.write(graded(failed()), tmp_path)
    assert (tmp_path / "results.json").read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


# ---- The ceiling --------------------------------------------------------------------------------


def _one(category: str, worth: int, status: str) -> Check:
    """A check that is over."""
    one = check(f"test_{category}_{worth}", worth, category)
    one.passed() if status == "passed" else one.failed("expected: a\nhappened: b")
    return one


@pytest.mark.parametrize("category, score, points", [("timing", 80, 95), ("correctness", 80, 95),
                                                     ("robustness", 80, 95), ("coverage", 95, None)])
def test_a_wrong_program_gets_four_fifths_at_most(category, score, points):
    result = results.graded("01-x", [_one("correctness", 95, "passed"), _one(category, 5, "failed")], 1, 0.0)
    assert (result["score"], result["max_score"], result.get("points")) == (score, 100, points)


def test_without_the_idea_a_program_is_half_right_at_most():
    idea = _one("timing", 1, "failed")
    idea.idea = True
    result = results.graded("01-x", [_one("correctness", 99, "passed"), idea], 1, 0.0)
    assert (result["score"], result["points"]) == (50, 99)
    idea.skipped("needs another")
    assert results.graded("01-x", [_one("correctness", 99, "passed"), idea], 1, 0.0)["score"] == 99


def test_below_the_ceiling_nothing_is_taken():
    result = results.graded("01-x", [_one("correctness", 60, "passed"), _one("timing", 40, "failed")], 1, 0.0)
    assert result["score"] == 60 and "points" not in result


def test_one_check_alone_has_no_ceiling():
    result = results.graded("01-x", [_one("correctness", 95, "passed"), _one("timing", 5, "failed")], 1, 0.0,
                            only="test_x")
    assert result["score"] == 95
