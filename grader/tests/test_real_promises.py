"""What co.h promises of limits and turns, in the real world, whatever libcurl does by itself: a limit runs out while a
request still waits for a connection, and never early; who waits starts in the order of asking; a long chain of
redirects is one, however large its heads are."""

from __future__ import annotations

import errno
import json
import subprocess
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from looplab.reading.trace import read
from looplab.running.serving import Server, promptly, without_proxies

ROOT = Path(__file__).resolve().parents[2]
ACTOR = ROOT / "build/tests/plain/real/actor"
pytestmark = pytest.mark.skipif(not (ROOT / "build/kit/serve").exists() or not ACTOR.exists(),
                                reason="libuv and libcurl are not there: make deps-dev")
URL = "http://a.test"
MS = 1_000_000


def play(folder: Path, routes: list[dict], requests: list[dict], sessions: tuple[int, ...] = (), real: bool = True,
         **site: object) -> list[dict]:
    """What each request came to, in the served world (or the virtual one); the trace is in folder/trace."""
    world, script = folder / "world.json", folder / "script.json"
    world.write_text(json.dumps({"world": "looplab/world/v1", "sites": [{"url": URL, "routes": routes, **site}]}))
    script.write_text(json.dumps({"sessions": list(sessions), "requests": requests}))

    def run(name: str, environment: dict[str, str]) -> list[dict]:
        done = subprocess.run([ACTOR, script, name], capture_output=True, text=True, timeout=120, preexec_fn=promptly,
                              env={**without_proxies(), **environment, "CO_TRACE": str(folder / "trace")})
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    if not real:
        return run(str(world), {})
    with Server(world, ROOT) as server:
        return run("real", server.environment)


HANGS = {"path": "/hangs", "fault": {"kind": "hang"}}


@pytest.mark.parametrize("real", [False, True], ids=["virtual", "real"])
def test_a_limit_runs_out_while_a_request_waits_for_a_connection(tmp_path, real):
    asked = [{"url": URL + "/hangs", "session": 1, "timeout": ms} for ms in (2000, 400, 800)]
    done = play(tmp_path, [HANGS], asked, (1,), real)
    assert [one["rc"] for one in done] == [-errno.ETIMEDOUT] * 3
    assert done[1]["ended"] < done[2]["ended"] < done[0]["ended"]
    opened = read((tmp_path / "trace").read_text()).opened
    assert opened == 1


@pytest.mark.parametrize("places", [1, 4])
def test_who_waits_starts_in_the_order_of_asking(tmp_path, places):
    asked = [{"url": URL + "/", "session": 1, "timeout": 30_000} for _ in range(12)]
    done = play(tmp_path, [{"path": "/", "latency": "20ms"}], asked, (places,))
    assert [one["status"] for one in done] == [200] * 12
    lines = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()[1:]]
    asked_for = [line["op"] for line in lines if line["ev"] == "http.start"]
    started = [line["op"] for line in lines if line["ev"] == "http.connected"]
    if places == 1:
        assert started == asked_for
    # who is let in at one instant may be connected in either order; nobody overtakes by more than those places
    for k, op in enumerate(started):
        assert abs(asked_for.index(op) - k) < places
    assert len(started) == 12


def test_a_limit_is_never_up_early(tmp_path):
    limits = [1 + k % 23 for k in range(120)]
    done = play(tmp_path, [HANGS], [{"url": URL + "/hangs", "timeout": ms, "at": k % 7} for k, ms in enumerate(limits)])
    assert [one["rc"] for one in done] == [-errno.ETIMEDOUT] * len(limits)
    assert [k for k, (one, ms) in enumerate(zip(done, limits)) if one["ended"] - one["begun"] < ms * MS] == []


@pytest.mark.parametrize("real", [False, True], ids=["virtual", "real"])
def test_the_first_byte_of_a_slow_body_does_not_wait_for_the_last(tmp_path, real):
    """640 KiB at 640 KiB/s without a chunk: read as it comes, and by one who pauses: what the kernels hold
    meanwhile is there at once."""
    routes = [{"path": "/", "body_size": 655_360, "bandwidth": 655_360}]
    asked = [{"url": URL + "/", "piece": 100_000}, {"url": URL + "/", "piece": 100_000, "pause": 300}]
    reads, pauses = play(tmp_path, routes, asked, (), real)
    assert (reads["rc"], reads["length"]) == (pauses["rc"], pauses["length"]) == (0, 655_360)
    assert reads["piece_at"][0] < reads["ended"] / 4
    assert len(reads["piece_at"]) > 10
    assert len(pauses["piece_at"]) <= 12        # at most 64 KiB wait in the program, so each read finds as much


@pytest.mark.parametrize("real", [False, True], ids=["virtual", "real"])
def test_an_answer_costs_what_it_says_when_its_body_comes_later(tmp_path, real):
    """The head leaves before the body: what handling the answer costs goes along with it all the same."""
    route = {"path": "/", "latency": "20ms", "body_size": 8000, "bandwidth": 100_000, "cpu": "300ms"}
    done = play(tmp_path, [route], [{"url": URL + "/"}], (), real)
    assert (done[0]["rc"], done[0]["length"]) == (0, 8000)
    assert done[0]["ended"] - done[0]["begun"] >= 400 * MS


@pytest.mark.parametrize("real", [False, True], ids=["virtual", "real"])
def test_the_heads_of_a_chain_are_counted_one_by_one(tmp_path, real):
    """Twelve redirects with 60 KB of headers each: too many, not too large. Nine of them lead to the page."""
    pad = {"X-Pad": "x" * 60_000}
    routes = [{"path": f"/{k}", "redirect": f"/{k + 1}", "headers": pad} for k in range(12)]
    routes += [{"path": "/12", "body": "there", "headers": pad}]
    asked = [{"url": URL + "/0"}, {"url": URL + "/3"}, {"url": URL + "/0", "session": 1}]
    done = play(tmp_path, routes, asked, (1,), real)
    assert [(one["rc"], one["status"]) for one in done] == [(-errno.ELOOP, 0), (0, 200), (-errno.ELOOP, 0)]
    assert done[1]["length"] == len("there")


def test_cookies_go_by_the_machines_calendar(tmp_path):
    """Expires of yesterday deletes, of tomorrow does not, and what was a second ahead is over a second later. Each is a
    chain of redirects, so that nothing hangs on when it is asked."""
    day = 86400

    def sets(path: str, ahead: float, then: str) -> dict:
        expires = formatdate(time.time() + ahead, usegmt=True)
        return {"path": path, "redirect": then, "headers": {"Set-Cookie": f"a=1; Path=/; Expires={expires}"}}

    routes = [sets("/1", day, "/asks"), sets("/2", day, "/3"), sets("/3", -day, "/asks"), sets("/4", 1, "/5"),
              {"path": "/5", "latency": "1100ms", "redirect": "/asks"},
              {"path": "/asks", "require": {"Cookie": "a=1"}}]
    asked = [{"url": URL + path, "session": k + 1} for k, path in enumerate(["/1", "/2", "/4"])]
    done = play(tmp_path, routes, asked, (0, 0, 0))
    assert [one["status"] for one in done] == [200, 401, 401]
