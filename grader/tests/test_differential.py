"""The virtual world and the real one, on worlds and clients drawn by chance and on those in which they once parted
(differences/*.json). Results are compared, not times: other tests share the machine.
Eight are drawn; with ALL=1, 25."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from variants import ALL

from looplab.telling import differential
from looplab.telling.differential import Played, Stage, differences, nudged

ROOT = Path(__file__).resolve().parents[2]
KEPT = sorted((Path(__file__).parent / "differences").glob("*.json"))
needs_real = pytest.mark.skipif(not (ROOT / "build/kit/serve").exists()
                                or not (ROOT / "build/tests/plain/real/actor").exists(),
                                reason="libuv and libcurl are not there: make deps-dev")
SLACK = 4           # what a busy machine is late by must change nothing


@needs_real
def test_worlds_drawn_by_chance_give_the_same_results(tmp_path):
    pytest.importorskip("hypothesis")
    found = differential.search(Stage(ROOT, tmp_path, SLACK, times=False), 25 if ALL else 8, 1, lambda played: None)
    assert found is None, f"{found[1]}\n{json.dumps(found[0])}"


@needs_real
@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_where_they_once_parted_they_agree(file, tmp_path):
    """Each file says in "about" what differed."""
    situation = json.loads(file.read_text())
    stage = Stage(ROOT, tmp_path, 1, times=False)
    predicted = stage.predicted(situation)
    assert [one.result[:3] for one in predicted] == [tuple(row) for row in situation["expected"]]
    found = []
    for _ in range(differential.TRIES):
        found = differences(predicted, stage.real(situation), times=False)
        if not found:
            break
    assert not found, situation["about"]


def test_a_difference_is_told():
    one = Played(0, 200, 5, "aa", 0, 100_000_000, ())
    assert differences([one], [one]) == []
    assert differences([one], [Played(-104, 0, 0, "bb", 0, 100_000_000, ())]) \
        == ["request 0: predicted rc 0, status 200, 5 bytes (aa), really rc -104, status 0, 0 bytes (bb)"]
    late = Played(0, 200, 5, "aa", 0, 106_000_000, ())
    assert differences([one], [late]) == ["request 0: predicted to end at 100 ms, really 106 ms"]
    assert differences([one], [late], times=False) == []
    for machine in (2_000_000, 90_000_000):         # it is late with everything
        assert differences([one], [late], late=machine) == []
    early = Played(0, 200, 5, "aa", 0, 93_000_000, ())
    assert differences([one], [early], late=9_000_000) != []


def test_what_hangs_on_a_millisecond_is_no_difference():
    situation = {"world": {"sites": [{"routes": [{"latency": "20ms"}, {"latency": "0ms"}]}]},
                 "script": {"requests": [{"at": 0, "timeout": 20, "url": "x"}]}}
    moved = nudged(situation, (1, -2, 2, 0, -1))
    assert [route["latency"] for route in moved["world"]["sites"][0]["routes"]] == ["21ms", "0ms"]
    assert moved["script"]["requests"] == [{"at": 2, "timeout": 20, "url": "x"}]
    assert situation["script"]["requests"][0]["at"] == 0


def test_no_client_drawn_reads_for_minutes():
    hypothesis = pytest.importorskip("hypothesis")
    from looplab.asking.situation import situations

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=300, deadline=None, database=None,
                         suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate])
    @hypothesis.given(situations())
    def holds(situation):
        for request in situation["script"]["requests"]:
            if request.get("pause"):
                assert request["most"] / request["piece"] * request["pause"] <= 10_000      # ms

    holds()
