"""What World says about required headers and echoes, and what a plain GET of them gives."""

from __future__ import annotations

import pytest

from looplab import World, WorldError, ms, reply
from looplab.asking.world import Fault


def test_required_headers_and_an_echo_are_in_the_file():
    world = World().site("http://a.test",
                         rtt=ms(20)).route("/in", require={"Authorization": "Bearer 1"}).route("/back", echo=True)
    routes = world.json()["sites"][0]["routes"]
    assert routes[0]["require"] == {"Authorization": "Bearer 1"} and "echo" not in routes[0]
    assert routes[1]["echo"] is True and "require" not in routes[1]


def test_a_plain_get_is_not_let_in_and_takes_as_long():
    world = World().site("http://a.test", rtt=ms(20)).route("/", ms(300), body_size=1000, bandwidth=1000, cpu=ms(5),
                                                            require={"X": "1"})
    assert world.answer("http://a.test/") == {"error": 0, "status": 401, "length": 0}
    assert world.total("http://a.test/") == ms(20 + 20 + 300)


def test_a_plain_get_of_an_echo_is_empty():
    world = World().site("http://a.test", rtt=ms(20)).route("/", ms(300), echo=True).route("/cut", echo=True,
                                                                                           fault=Fault.truncate(after=
                                                                                               5))
    assert world.answers() == [{"error": 0, "status": 200, "length": 0}] * 2
    assert world.total("http://a.test/") == ms(340)


@pytest.mark.parametrize("wrong", [{"echo": True, "body": "x"}, {"echo": True, "body_size": 3}, {"require": {}}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(WorldError):
        World().site("http://a.test").route("/", **wrong)


# ---- answers in turn ----


def test_answers_in_turn_are_in_the_file():
    world = World().site("http://a.test").route("/", body="own", answers=[503, reply(429, times=2, headers={
        "Retry-After": "1"}), reply(500, b"\0", probability=0.25)])
    assert world.json()["sites"][0]["routes"][0]["answers"] == [
        503, {"status": 429, "headers": {"Retry-After": "1"}, "times": 2},
        {"status": 500, "body_base64": "AA==", "probability": 0.25}]
    with pytest.raises(WorldError, match="no single answer"):
        world.answers()


@pytest.mark.parametrize("make, told", [
    (lambda: reply(103), "status 103"), (lambda: reply(204, "x"), "has no body"),
    (lambda: reply(times=0), "times is 0"), (lambda: reply(times=1, probability=0.5), "exclude each other"),
    (lambda: reply(probability=2), "not in 0..1"), (lambda: [], "answers is empty"),
    (lambda: [7], "expected a status from 200 to 599"), (lambda: [{"times": 1}], "expected a status")])
def test_a_schedule_that_cannot_be_is_refused(make, told):
    with pytest.raises(WorldError, match=told):
        made = make()
        World().site("http://a.test").route("/", answers=made if isinstance(made, list) else [made])


# ---- limits as nginx has them ----


def test_limits_are_in_the_file():
    world = World().site("http://a.test", limit_req={"rate": "5r/s", "burst": 2}, limit_conn={"requests": 3})
    site = world.json()["sites"][0]
    assert site["limit_req"] == {"rate": "5r/s", "burst": 2} and site["limit_conn"] == {"requests": 3}


def test_a_url_that_is_too_long_has_its_answer():
    world = World().site("http://a.test", rtt=ms(20), max_request={"url": 2, "body": 0}).route("/1").route("/12", ms(5))
    assert [answer["status"] for answer in world.answers()] == [200, 414]
    assert world.latencies() == [ms(40), ms(40)]


@pytest.mark.parametrize("limit, told", [
    ({"limit_req": {"burst": 2}}, "rate None"), ({"limit_req": {"rate": "0r/s"}}, "rate '0r/s'"),
    ({"limit_req": {"rate": "5r/s", "bust": 2}}, "unknown bust"), ({"limit_conn": {}}, "limit_conn is 0"),
    ({"limit_req": {"rate": "5r/s", "burst": -1}}, "burst is -1"),
    ({"limit_conn": {"requests": 1, "status": 200}}, "status 200"), ({"max_request": {"path": 1}}, "known are url"),
    ({"max_request": {"url": 0}}, "url is 0"), ({"max_request": {"body": -1}}, "body is -1")])
def test_an_impossible_limit_is_refused(limit, told):
    with pytest.raises(WorldError, match=told):
        World().site("http://a.test", **limit)


# ---- bodies without a length ----


def test_framing_is_in_the_file_and_a_cut_body_without_a_length_is_an_answer():
    world = World().site("http://a.test").route("/c", body="hello", framing="chunked", trailers={"X": "y"}) \
        .route("/e", body="hello", framing="close", fault=Fault.truncate(after=3)) \
        .route("/r", body="hello", framing="close", fault=Fault.reset(after=5))
    chunked, open_, _ = world.json()["sites"][0]["routes"]
    assert (chunked["framing"], chunked["trailers"], open_["framing"]) == ("chunked", {"X": "y"}, "close")
    assert [(answer["error"], answer["length"]) for answer in world.answers()] == [(0, 5), (0, 3), (-104, 0)]


@pytest.mark.parametrize("wrong", [{"framing": "none"}, {"trailers": {"X": "y"}}, {"framing": "close", "echo": True}])
def test_framing_that_cannot_be_is_refused(wrong):
    with pytest.raises(WorldError):
        World().site("http://a.test").route("/", **wrong)


# ---- parts, and what is still the same ----


def test_a_version_is_in_the_file():
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    world = World().site("http://a.test").route("/", body="x", etag='W/"v1"', last_modified=date, ranges=True)
    route = world.json()["sites"][0]["routes"][0]
    assert (route["etag"], route["last_modified"], route["ranges"]) == ('W/"v1"', date, True)


@pytest.mark.parametrize("wrong", [{"etag": "v1"}, {"last_modified": "today"}, {"ranges": True, "status": 404},
                                   {"etag": '"1"', "echo": True}, {"ranges": True, "framing": "close"},
                                   {"ranges": True, "redirect": "/x"}])
def test_a_version_that_cannot_be_is_refused(wrong):
    with pytest.raises(WorldError):
        World().site("http://a.test").route("/", **wrong)


def test_when_connections_are_closed_and_how_many_wait_is_in_the_file():
    site = World().site("http://a.test", keep_idle=ms(60), keep_requests=2, backlog=0).json()["sites"][0]
    assert (site["keep_alive"], site["backlog"]) == ({"idle": "60ms", "requests": 2}, 0)
    assert "keep_alive" not in World().site("http://a.test").json()["sites"][0]
    with pytest.raises(WorldError, match="requests is 0"):
        World().site("http://a.test", keep_requests=0)
    with pytest.raises(WorldError, match="backlog is -1"):
        World().site("http://a.test", backlog=-1)


def test_a_site_that_works_on_says_so():
    sites = World().site("http://a.test", works_on=True).site("http://b.test").json()["sites"]
    assert [site.get("works_on") for site in sites] == [True, None]


def test_a_link_is_alone_as_fast_as_a_bandwidth():
    world = World().site("http://a.test", rtt=ms(20), link=1000).route("/", ms(5), body_size=100)
    assert world.json()["sites"][0]["link"] == 1000
    assert world.total("http://a.test/") == ms(20 + 20 + 5 + 100)
    with pytest.raises(WorldError, match="exclude each other"):
        world.route("/b", bandwidth=5)
    with pytest.raises(WorldError, match="exclude each other"):
        world.site("http://b.test", link=5, bandwidth=5)


@pytest.mark.parametrize("addresses, took", [(["up"], 20), (["dead", "up"], 220), (["refused", "up"], 40),
                                             (["up", "dead"], 20), (["refused", "refused"], 40)])
def test_addresses_have_their_time(addresses, took):
    world = World().site("http://a.test", rtt=ms(20), addresses=addresses).route("/")
    assert world.json()["sites"][0]["addresses"] == addresses
    answers = "up" in addresses
    assert (world.answers()[0]["error"], world.latencies()) == ((0, [ms(took + 20)]) if answers else (-111, [ms(took)]))


def test_a_host_that_says_nothing_is_a_timeout():
    world = World().site("http://a.test", addresses=["dead"]).route("/")
    assert (world.answers()[0]["error"], world.latencies()) == (-110, [ms(30_000)])
    with pytest.raises(WorldError, match="expected one or two of"):
        World().site("http://a.test", addresses=["down"])


def test_descriptors_are_in_the_file():
    assert World(descriptors=7).json()["descriptors"] == 7 and "descriptors" not in World().json()
    with pytest.raises(WorldError, match="descriptors is 0"):
        World(descriptors=0)
