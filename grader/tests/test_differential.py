"""The virtual world and the real one, on worlds and clients drawn by chance and on those in which they once parted
(differences/*.json). Results are compared, not times: other tests share the machine.
Eight are drawn; with ALL=1, 25."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional

import pytest

from variants import ALL

from looplab.plain.failure import GraderFault
from looplab.running import nginx
from looplab.telling import differential
from looplab.telling.differential import Played, Stage, apart, differences, nudged, slowed, spread

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


def test_connections_are_compared_and_pages_that_only_say_no_are_not():
    """Another server writes another page beside its 404."""
    def one(status: int, size: int, *over: bool) -> Played:
        return Played(0, status, size, f"{size}", 0, 100_000_000, (), over)

    assert differences([one(200, 5, False)], [one(200, 5, True)]) \
        == ["request 0: predicted over a new connection, really over a used connection"]
    assert differences([one(404, 0)], [one(404, 150)], who="with nginx", pages=False) == []
    assert differences([one(404, 0)], [one(404, 150)])
    slow = Played(0, 404, 150, "", 0, 900_000_000, (), ())          # such a page may be read slowly
    assert differences([one(404, 0)], [slow], pages=False) == []
    assert differences([one(200, 0)], [one(200, 150)], who="with nginx", pages=False) \
        == ["request 0: predicted rc 0, status 200, 0 bytes (0), with nginx rc 0, status 200, 150 bytes (150)"]
    assert differences([one(404, 0)], [one(503, 150)], pages=False)


def test_a_fault_of_ours_is_told_as_one_and_is_no_difference(tmp_path):
    """Hypothesis would take it for one, play the situation again, and find it gone."""
    pytest.importorskip("hypothesis")

    class Once(Stage):
        played = 0

        def predicted(self, situation):
            self.played += 1
            if self.played == 3:
                raise GraderFault("the actor ended with exit code 127")
            return []

        def real(self, situation):
            return []

        def beside(self, situation):
            return None

    stage = Once(ROOT, tmp_path, actor=Path(__file__))
    with pytest.raises(GraderFault, match="exit code 127"):
        differential.search(stage, 25, 1, lambda played: None)


# ---- nginx ------------------------------------------------------------------------------------


def nginx_told(site: dict, methods: str = "GET", asked: str = "", **route: object) -> Optional[str]:
    requests = [{"method": method, "headers": asked} for method in methods.split()]
    routes = [{"path": "/0", "latency": "0ms", **route}]
    said = nginx.sites({"world": "", "sites": [{"url": "http://a.test", "routes": routes, **site}]}, requests)
    return None if said is None else " ".join(said["a.test"])


def test_what_nginx_can_be_told():
    assert "return 404" in nginx_told({}, status=404) and "return 302 /1;" in nginx_told({}, redirect="/1")
    assert "limit_req zone={zone}r burst=2 nodelay; limit_req_status 429;" \
        in nginx_told({"limit_req": {"rate": "5r/s", "burst": 2, "nodelay": True, "status": 429}})
    assert "limit_conn {zone}c 1; limit_conn_status 503;" in nginx_told({"limit_conn": {"requests": 1}})
    assert "client_max_body_size 9;" in nginx_told({"max_request": {"body": 9}})
    kept = nginx_told({"keep_alive": {"requests": 2, "idle": "60ms"}, "rtt": "0ms"})
    assert "keepalive_requests 2; keepalive_timeout 60ms;" in kept
    assert "keepalive_timeout 0;" in nginx_told({}, headers={"Connection": "close"})


@pytest.mark.parametrize("site, route", [
    ({"rtt": "20ms"}, {}), ({"workers": 1}, {}), ({}, {"latency": "20ms"}), ({}, {"bandwidth": 1000}),
    ({}, {"fault": {"kind": "hang"}}), ({}, {"fault": {"kind": "close", "times": 1}}), ({}, {"body_size": 70_000}),
    ({"max_request": {"url": 9}}, {}), ({"limit_conn": {"requests": 1}}, {"status": 404}),
    ({}, {"body_size": 5, "etag": '"mine"'}),
    ({"limit_req": {"rate": "5r/s", "retry_after": True}}, {})])
def test_what_nginx_cannot_be_told(site, route):
    assert nginx_told(site, **route) is None


def test_a_file_that_is_posted_to_is_none_of_nginxs():
    limited = {"limit_conn": {"requests": 1}}
    assert nginx_told(limited, "GET HEAD") and nginx_told(limited, "GET POST") is None and nginx_told({}, "GET POST")


def test_nginx_knows_of_a_date_that_it_is_not_to_tell():
    before = "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:40 GMT\n"
    assert nginx_told({}, asked=before) is None
    assert nginx_told({}, asked=before, body_size=5, **nginx.version(5)) is not None
    assert nginx_told({}, asked="If-None-Match: *\n") is not None


def test_what_is_drawn_for_nginx_it_can_be_told():
    hypothesis = pytest.importorskip("hypothesis")
    from looplab.asking.situation import kept_by_nginx

    told = []

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=100, deadline=None, database=None,
                         suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate])
    @hypothesis.given(kept_by_nginx())
    def draw(situation):
        told.append(nginx.sites(situation["world"], situation["script"]["requests"]) is not None)

    draw()
    assert told.count(True) >= 0.8 * len(told)


def test_what_hangs_on_a_millisecond_is_no_difference():
    situation = {"world": {"sites": [{"routes": [{"latency": "20ms"}, {"latency": "0ms"}]}]},
                 "script": {"requests": [{"at": 0, "timeout": 20, "url": "x"}]}}
    moved = nudged(situation, (1, -2, 2, 0, -1))
    assert [route["latency"] for route in moved["world"]["sites"][0]["routes"]] == ["21ms", "0ms"]
    assert moved["script"]["requests"] == [{"at": 3, "timeout": 22, "url": "x"}]
    assert situation["script"]["requests"][0]["at"] == 0
    assert [route["latency"] for route in slowed(situation, 2)["world"]["sites"][0]["routes"]] == ["22ms", "2ms"]


def test_bodies_that_come_at_once_take_a_moment_when_it_is_asked_what_hangs_on_it():
    routes = [{"body_size": 70_000}, {"body_size": 5}, {"body_size": 5, "bandwidth": 9}, {"status": 404}]
    sites = [{"routes": routes}, {"link": 1_000_000, "routes": [dict(routes[0])]}]
    moved = spread({"world": {"sites": sites}, "script": {"requests": []}}, 2)["world"]["sites"]
    assert [route.get("bandwidth") for route in moved[0]["routes"]] == [35_000_000, 2500, 9, None]
    assert "bandwidth" not in moved[1]["routes"][0] and "bandwidth" not in routes[0]


@needs_real
def test_whether_all_of_a_stream_had_come_when_it_was_closed_is_passed_over(tmp_path):
    """Closed at its first ten bytes, of a body that would fit into its window; or after 100 ms."""
    site = {"url": "http://a.test", "routes": [{"path": "/", "latency": "0ms", "body_size": 50_000}]}
    asked = [{"url": "http://a.test/", "at": at, "timeout": 600, "session": 1} for at in (0, 200)]
    asked[0].update(piece=10, most=10, pause=0)
    world = {"world": "looplab/world/v1", "sites": [site]}
    situation = {"world": world, "script": {"sessions": [0], "requests": asked}}
    stage = Stage(ROOT, tmp_path)
    assert not differential.is_steady(stage, situation, stage.predicted(situation))
    asked[0]["pause"] = 100
    assert differential.is_steady(stage, situation, stage.predicted(situation))


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


def test_who_begins_at_once_at_0_comes_in_every_order():
    """Whom a limit takes first, when two come at one instant, is left to the machine; whatever else they do."""
    asked = [{"url": "http://a.test/", "at": 0, "timeout": 600} for _ in range(7)]
    for number in (2, 5):
        asked[number]["cancel"] = 27
    situation = {"world": {"sites": []}, "script": {"requests": asked}}
    moves = [nudged(situation, by) for by in differential.NUDGES] + [apart(situation, by) for by in differential.APART]
    moved = [[request["at"] for request in one["script"]["requests"]] for one in moves]
    assert all(time >= 0 for times in moved for time in times)
    for one in range(7):
        for other in range(one):
            orders = {(times[one] > times[other]) - (times[one] < times[other]) for times in moved}
            assert {1, -1} <= orders, (one, other)


@needs_real
def test_a_limit_that_takes_one_of_two_at_an_instant_is_passed_over(tmp_path):
    routes = [{"path": f"/{k}", "latency": "0ms"} for k in range(4)]
    site = {"url": "http://a.test", "limit_req": {"rate": "5r/s"}, "routes": routes}
    asked = [{"url": "http://a.test/0", "at": 0, "timeout": 600} for _ in range(3)]
    situation = {"world": {"world": "looplab/world/v1", "sites": [site]}, "script": {"sessions": [], "requests": asked}}
    stage = Stage(ROOT, tmp_path)
    assert not differential.is_steady(stage, situation, stage.predicted(situation))
    others = [{**asked[0], "timeout": 27}, {**asked[0], "cancel": 27}]      # these give up on their way
    crowd = {**situation, "script": {"sessions": [], "requests": [others[0], asked[0], others[1], asked[1]]}}
    assert not differential.is_steady(stage, crowd, stage.predicted(crowd))
    asked[1]["at"], asked[2]["at"] = 20, 40
    assert differential.is_steady(stage, situation, stage.predicted(situation))
