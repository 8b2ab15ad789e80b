"""`make compare EXAMPLE=24`: what an example prints in its virtual world, and in that world served for real."""

from __future__ import annotations

import json
import os

import pytest

from looplab.plain.failure import UsageError
from looplab.telling import compare, example
from looplab.telling.example import MS, Comparison, Printed, find, late, wording
from variants import BUILD, ROOT

WITH_WORLD = sorted(path.stem for path in (ROOT / "sim/examples").glob("*.json")
                    if "databases" not in json.loads(path.read_text()))
QUICK = ["34-io-and-cpu", "66-descriptors"]

needs_real = pytest.mark.skipif(not (BUILD / "kit/serve").exists(),
                                reason="build/kit/serve is not there: make deps-dev")


def printed(*lines: str, code: int = 0) -> Printed:
    return Printed(code, lines)


def test_a_line_is_known_by_what_it_says_besides_times():
    said = printed(" 100 ms  picture", "2000 ms  picture", "done after  30 ms, 4 of 40").said
    assert said == {" N ms  picture": [[100 * MS], [2000 * MS]], "done after N ms, 4 of 40": [[30 * MS]]}


def test_lines_may_come_in_another_order_and_times_be_a_little_late():
    one, other = printed(" 100 ms  a", " 200 ms  b"), printed(" 205 ms  b", " 106 ms  a")
    assert wording(one, other) == [] and late(one, other) == []
    assert not Comparison(one, [other]).differences


def test_a_line_more_or_less_a_number_and_the_exit_code_are_differences():
    one = printed("3 of 10, 100 ms")
    assert wording(one, printed("4 of 10, 100 ms")) == [
        '"3 of 10, N ms": predicted 1 time, really 0 times', '"4 of 10, N ms": predicted 0 times, really 1 time']
    assert wording(one, printed("3 of 10, 100 ms", "3 of 10, 100 ms")) == [
        '"3 of 10, N ms": predicted 1 time, really 2 times']
    assert wording(one, printed("3 of 10, 100 ms", code=1)) == ["exit code: predicted 0, really 1"]


def test_a_time_too_late_or_too_early_is_a_difference():
    for really in (837, 763):
        assert late(printed("800 ms  done"), printed(f"{really} ms  done")) == [
            f'"N ms  done": predicted 800 ms, really {really} ms']


def test_one_run_on_time_is_enough_and_one_wrong_word_is_too_much():
    one = printed("100 ms  done")
    assert not Comparison(one, [printed("300 ms  done"), printed("101 ms  done")]).differences
    assert Comparison(one, [printed("101 ms  done"), printed("101 ms  failed")]).differences


def test_an_example_is_found_by_number_or_name_if_it_has_a_world():
    assert find("24", ROOT) == find("24-bounded-parallelism", ROOT) == ROOT / "sim/examples/24-bounded-parallelism.c"
    with pytest.raises(UsageError, match="no world of its own"):
        find("1", ROOT)
    with pytest.raises(UsageError, match="67-database-pool works on the database of its world"):
        find("67", ROOT)
    with pytest.raises(UsageError, match="there is no example '99'"):
        find("99", ROOT)


@needs_real
@pytest.mark.parametrize("name", WITH_WORLD if os.environ.get("LOOPLAB_ALL") else QUICK)
def test_for_real_an_example_prints_what_was_predicted(tmp_path, name, capsys):
    code = compare.main(["--example", name, "--out", str(tmp_path)])
    said = json.loads((tmp_path / "compare.json").read_text())
    assert said["example"] == name and said["lines"] > 0 and said["agrees"] == (code == 0)
    assert [one for one in said["differences"] if "exit code" in one] == []
    if os.getloadavg()[0] < 3:          # a busy machine makes it late
        assert code == 0, capsys.readouterr().out


@needs_real
def test_another_world_than_predicted_is_told(tmp_path, monkeypatch):
    """A server of another world: the pages of another length of time, which the example prints."""
    world = json.loads((ROOT / "sim/examples/34-io-and-cpu.json").read_text())
    for site in world["sites"]:
        for route in site["routes"]:
            route["latency"] = "900ms"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(world))
    program = compare.linked(ROOT / "sim/examples/34-io-and-cpu.c", tmp_path, ROOT)
    comparison = example.compare(program, other, tmp_path, ROOT, 1)
    assert comparison.differences and "do not agree" in comparison.told("34")
