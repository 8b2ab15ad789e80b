"""World: the file it writes, and the times and answers it foretells."""

import errno
import json
import re
import subprocess
from pathlib import Path

import pytest

from looplab import Duration, Fault, World, WorldError, ms, sec, us
from looplab.plain.duration import exact, show


def simple(**route):
    return World(seed=3).site("http://a.test", rtt=ms(20), connect=ms(30)).route("/", **route)


def test_the_file_is_what_the_c_side_reads():
    world = World(seed=7, cpus=2).site("http://a.test", rtt=ms(20), workers=4, rate_limit=(10, sec(1))) \
        .route("/x", latency=(ms(100), us(500_500)), body=b"\0\xff", headers={"X": "y"},
               fault=Fault.reset(after=1, times=2))
    assert json.loads(world.text()) == {
        "world": "looplab/world/v1", "seed": 7, "cpus": 2, "sites": [
            {"url": "http://a.test", "rtt": "20ms", "workers": 4, "rate_limit": {"requests": 10, "per": "1s"},
             "routes": [
                {"path": "/x", "headers": {"X": "y"}, "latency": ["100ms", "500500us"], "body_base64": "AP8=",
                 "fault": {"kind": "reset", "after": 1, "times": 2}}]}]}


def test_the_same_calls_write_the_same_bytes():
    assert simple(body="x").text() == simple(body="x").text()


def test_urls_come_in_the_order_they_were_added():
    world = World().site("http://b.test").route("/2").route("/1").site("http://a.test").route("/")
    assert world.urls() == ["http://b.test/2", "http://b.test/1", "http://a.test/"]


def test_an_undisturbed_get_takes_setup_rtt_latency_and_transfer():
    world = World().site("http://a.test", rtt=ms(20), connect=ms(30), resolve=ms(5), bandwidth=1000) \
        .route("/", latency=ms(300), body="x" * 10).route("/fast", body="x" * 7, bandwidth=3)
    assert world.latencies() == [ms(20 + 30 + 5 + 300 + 10), ms(20 + 30 + 5) + -(-7 * 10**9 // 3)]


def test_a_name_is_asked_for_once_on_the_way():
    world = World().site("http://a.test", connect=ms(30), resolve=ms(5)).route("/", redirect="http://a.test:81/") \
        .site("http://a.test:81", connect=ms(40), resolve=ms(7)).route("/")
    assert world.total("http://a.test/") == ms(5 + 30 + 40)
    assert world.total("http://a.test:81/") == ms(7 + 40)


def test_connecting_takes_a_round_trip_unless_said_otherwise():
    assert World().site("http://a.test", rtt=ms(20)).route("/").total("http://a.test/") == ms(40)
    assert World().site("http://a.test", rtt=ms(20), connect=0).route("/").total("http://a.test/") == ms(20)


@pytest.mark.parametrize("fault, took, error", [
    (Fault.close(), 30 + 20 + 300, errno.ECONNRESET),
    (Fault.reset(after=4), 30 + 20 + 300 + 4, errno.ECONNRESET),
    (Fault.truncate(after=4), 30 + 20 + 300 + 4, errno.EPROTO),
    (Fault.hang(), 30_000, errno.ETIMEDOUT)])
def test_a_fault_has_its_time_and_its_error(fault, took, error):
    world = simple(latency=ms(300), body="x" * 10, bandwidth=1000, fault=fault)
    assert (world.total("http://a.test/"), world.answer("http://a.test/")) == (ms(took), {"error": -error, "status": 0,
                                                                                          "length": 0})


def test_an_answer_that_takes_longer_than_the_client_waits_is_a_timeout():
    world = simple(latency=sec(31))
    assert (world.latencies(), world.answers()[0]["error"]) == ([sec(30)], -errno.ETIMEDOUT)


def test_sites_that_are_not_there():
    world = World().site("http://gone.test", resolve=ms(9), fault=Fault.unresolved()).route("/") \
        .site("http://shut.test", rtt=ms(2), fault=Fault.refused()).route("/")
    assert [world.total(url) for url in ("http://gone.test/", "http://shut.test/", "http://other.test/")] \
        == [ms(9), ms(2), 0]
    assert [answer["error"] for answer in world.answers(["http://gone.test/", "http://shut.test/",
                                                         "http://other.test/"])] \
        == [-errno.ENXIO, -errno.ECONNREFUSED, -errno.ENXIO]


def test_an_unknown_path_is_an_answer():
    world = simple(body="x")
    assert world.answer("http://a.test/y") == {"error": 0, "status": 404, "length": 0}
    assert world.total("http://a.test/y") == ms(50)


def test_answers_have_status_and_length_in_bytes():
    assert simple(status=503, body="ä€").answers() == [{"error": 0, "status": 503, "length": 5}]
    assert simple(body_size=5242880).answers()[0]["length"] == 5242880


def test_redirects_are_followed_on_connections_of_their_own():
    world = simple(redirect="http://a.test/b", latency=ms(1)).route("/b", latency=ms(2), body="xy")
    assert (world.total("http://a.test/"), world.answer("http://a.test/")["length"]) == (ms(50 + 1 + 50 + 2), 2)
    loop = simple(redirect="http://a.test/")
    assert (loop.answer("http://a.test/")["error"], loop.total("http://a.test/")) == (-errno.ELOOP, 11 * ms(50))


def test_the_programs_own_work_counts():
    assert simple(cpu=ms(200)).latencies() == [ms(250)]


@pytest.mark.parametrize("route", [{"latency": (1, 2)}, {"fault": Fault.hang(times=1)},
                                   {"fault": Fault.hang(probability=0.5)},
                                   {"fault": Fault.drip()}])
def test_what_has_no_single_time_is_refused(route):
    with pytest.raises(WorldError):
        simple(**route).latencies()


@pytest.mark.parametrize("make, told", [
    (lambda: World().site("a.test"), "http://HOST"),
    (lambda: World().site("http://a.test/"), "without a path"),
    (lambda: World().site("http://a.test").site("http://a.test"), "there twice"),
    (lambda: World().route("/"), "before any site"),
    (lambda: simple().route("/"), "GET / of http://a.test is there twice"),
    (lambda: simple().route("x"), "starts with /"),
    (lambda: simple(latency=-1), "latency is -1"),
    (lambda: simple(latency=0.5), "latency is 0.5"),
    (lambda: simple(status=103), "status 103"),
    (lambda: simple(body="x", body_size=3), "exclude each other"),
    (lambda: simple(body="a\0b"), "NUL"),
    (lambda: simple(fault={"kind": "explode"}), "expected one of"),
    (lambda: simple(fault=Fault.unresolved()), "expected one of"),
    (lambda: Fault.hang(often=2), "unknown often"),
    (lambda: simple(fault=Fault.hang(probability=2)), "probability"),
    (lambda: World(cpus=0), "cpus is 0")])
def test_a_world_that_cannot_be_is_refused(make, told):
    with pytest.raises(WorldError, match=re.escape(told)):
        make()


def test_durations_keep_their_unit_through_sums():
    assert repr(ms(300) + 20 * 10**6) == "320 ms"
    assert repr(sum([ms(1), us(500)])) == "1.5 ms"
    assert repr(max(World().site("http://a.test", rtt=ms(1)).route("/").latencies()) * 3) == "6 ms"
    assert isinstance(5 + ms(1) - 3, Duration)


@pytest.mark.parametrize("ns, written, shown", [(0, "0ms", "0 ms"), (300_000_000, "300ms", "300 ms"),
                                                (1_500_000, "1500us", "1.5 ms"),
                                                (7, "7ns", "0.000007 ms"), (30 * 10**9, "30s", "30,000 ms")])
def test_times_in_files_and_in_messages(ns, written, shown):
    assert (exact(ns), show(ns)) == (written, shown)


ROOT = Path(__file__).resolve().parents[2]


def test_the_virtual_world_takes_exactly_as_long(tmp_path):
    """What World foretells and what the C side does are the same, for the reference solution's sequential half."""
    from looplab.course.lab import load
    from looplab.reading.trace import read
    from looplab.running.build import build
    from looplab.running.process import run

    lab = load("01-sync-vs-async")
    if not lab.library().is_file() or not lab.launch.is_file():
        pytest.skip("the kit is not built (make test builds it)")
    world = World(seed=9).site("http://a.test", rtt=ms(21), connect=ms(34), bandwidth=997) \
        .route("/", latency=ms(300), body="x" * 100, chunk=7).route("/cut", body="x" * 50,
                                                                    fault=Fault.truncate(after=20)) \
        .route("/reset", latency=us(1), body="x" * 50, fault=Fault.reset(after=49)).route("/hang", fault=Fault.hang()) \
        .route("/moved", redirect="http://b.test/x").route("/work", cpu=ms(8)) \
        .site("http://b.test", rtt=us(1501)).route("/x", status=404, body=b"\0\1").route("/gone", status=500) \
        .site("http://shut.test", rtt=ms(3), fault=Fault.refused()).route("/") \
        .site("http://none.test", resolve=ms(2), fault=Fault.unresolved()).route("/")
    (tmp_path / "w.json").write_text(world.text())
    program = build(lab, lab.solution, tmp_path / "work")
    outcome = run([program.cover, "--world", tmp_path / "w.json", "--trace", tmp_path / "t", "sync"], cwd=tmp_path)
    assert outcome.ok, outcome.stderr
    trace = read((tmp_path / "t").read_text())
    assert trace.report("result")["value"]["results"] == world.answers()
    assert trace.report("result")["t"] == sum(world.latencies())
