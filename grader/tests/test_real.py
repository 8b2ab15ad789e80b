"""The real world against servers that behave: HTTP/1.1, TLS, sessions, streams, proxies; nothing left over."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest

from real_servers import Answers, Faulty, client, environment, faulty, free_port, nginx  # noqa: F401 (fixtures)
from variants import BUILD, ROOT, require

VARIANTS = ["plain", "asan", "tsan"]
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99"]


def hash_of(data: bytes) -> str:
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return f"{value:016x}"


def all_well(answers: Answers) -> None:
    assert Counter((row.rc, row.status) for row in answers.rows) == {(0, 200): len(answers.rows)}


def urls(nginx, n: int, secure: bool = False) -> list[str]:
    site = f"https://localhost:{nginx.https}" if secure else f"http://127.0.0.1:{nginx.http}"
    return [f"{site}/{i}" for i in range(1, n + 1)]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("program", ["test_url", "test_kept", "test_server"])
def test_beside_libcurl(program, variant):
    """sim/tests/real/test_url.c: URLs are what curl makes of them. test_kept.c: names and connections are kept for as
    long as curl keeps them. test_server.c: a program serves itself, and curl."""
    for tool in ["libuv", "libcurl"]:
        require(tool)
    run = subprocess.run([str(BUILD / "tests" / variant / "real" / program)], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=60, stdin=subprocess.DEVNULL, env=environment())
    assert run.returncode == 0, run.stdout[-5000:]


@pytest.mark.parametrize("variant", [*VARIANTS, "valgrind"])
def test_c(variant):
    """sim/tests/real/test_world.c: clock, files, workers, blocking calls, Ctrl-C."""
    for tool in ["libuv", "libcurl", *[tool for tool in ["tsan", "valgrind"] if tool == variant]]:
        require(tool)
    program = BUILD / "tests" / ("plain" if variant == "valgrind" else variant) / "real" / "test_world"
    assert program.exists(), f"{program.relative_to(ROOT)} is not built: say make test"
    wrapper = [*VALGRIND, "--child-silent-after-fork=yes"] if variant == "valgrind" else []
    run = subprocess.run([*wrapper, str(program)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=300, stdin=subprocess.DEVNULL, env=environment())
    assert run.returncode == 0, run.stdout[-5000:]


# ---- Many requests ----------------------------------------------------------------------------

@pytest.mark.parametrize("session", [-1, 0, 10], ids=["none", "session", "ten-a-host"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_thousand_urls_fifty_at_once(nginx, session, secure, variant):
    n = 1000 if variant == "plain" else 200
    nginx.log()
    answers = client("--session", session, "--at-once", 50, "fetch", *urls(nginx, n, secure), variant=variant,
                     env=nginx.trusted)
    all_well(answers)
    assert [row.length for row in answers.rows] == [len((nginx.folder / "www" / str(i)).read_bytes())
                                                    for i in range(1, n + 1)]
    requests = nginx.log()
    assert {line[0] for line in requests} == {"HTTP/1.1"}      # nginx offers HTTP/2 with TLS
    connections = {line[1] for line in requests}
    most = {-1: n, 0: 50, 10: 10}[session]
    assert len(connections) <= most if session >= 0 else len(connections) == n
    if variant == "plain" and session >= 0:
        assert answers.grown_kib < 16 * 1024


def test_nothing_is_left_over_as_valgrind_sees_it(nginx):
    require("valgrind")
    answers = client("--session", 10, "fetch", *urls(nginx, 60), *urls(nginx, 60, True),
                     f"http://127.0.0.1:{free_port()}/",
                     "http://no-such-host.invalid/", env=nginx.trusted, wrapper=VALGRIND, timeout=120)
    assert answers.rcs == [0] * 120 + [-errno.ECONNREFUSED, -errno.ENXIO]


def test_five_thousand_requests_on_kept_connections(nginx):
    nginx.log()
    answers = client("--session", 50, "--at-once", 50, "--repeat", 5, "fetch", *urls(nginx, 1000))
    all_well(answers)
    assert len({line[1] for line in nginx.log()}) <= 50
    assert answers.grown_kib < 16 * 1024


def test_all_at_once_wait_their_turn(nginx):
    """What ends while libuv looks at its timers is handed over at once, and not when the next thing happens."""
    for _ in range(5):
        all_well(client("--session", 50, "--at-once", 1000, "fetch", *urls(nginx, 1000), timeout=20))


def test_two_thousand_in_flight(faulty):
    """What a request under way costs: the task's stack and record, curl's handle and connection, the socket."""
    answers = client("--session", 0, "--at-once", 2000, "fetch", *[faulty.url("slowly")] * 2000)
    all_well(answers)
    assert answers.figures["in_flight"] == 2000
    assert answers.grown_kib / 2000 < 64, f"{answers.grown_kib / 2000:.1f} KiB each"


# ---- What is in an answer ---------------------------------------------------------------------

@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("what", ["fetch", "stream", "block"])
def test_a_large_body_arrives_whole(nginx, what, variant):
    content = (nginx.folder / "www" / "text").read_bytes()
    answers = client(what, f"http://127.0.0.1:{nginx.http}/text", f"https://localhost:{nginx.https}/text",
                     variant=variant, env=nginx.trusted)
    all_well(answers)
    assert {(row.length, row.hash) for row in answers.rows} == {(len(content), hash_of(content))}


@pytest.mark.parametrize("what", ["fetch", "stream"])
def test_bodies_are_what_was_sent(nginx, faulty, what):
    """Nothing asks for packed bodies, so a server that could does not pack; what is packed all the same is handed out
    as it is, as in the virtual world."""
    content = (nginx.folder / "www" / "text").read_bytes()
    packed = gzip.compress(b"packed " * 1000, mtime=0)
    answers = client(what, f"http://127.0.0.1:{nginx.http}/packed", faulty.url("gzip"), faulty.url("bad-gzip"))
    assert [(row.length, row.hash) for row in answers.rows] == [
        (len(content), hash_of(content)), (len(packed), hash_of(packed)), (22, hash_of(b"this is no gzip at all"))]
    assert not any("accept-encoding" in request.lower() for request in faulty.requests)


def test_as_many_as_there_are_descriptors(faulty):
    """Who runs out of descriptors is told so, and not that nobody listens there."""
    answers = client("--at-once", 100, "fetch", *[faulty.url("slowly")] * 100,
                     wrapper=["prlimit", "--nofile=64"])
    assert {row.rc for row in answers.rows} == {0, -errno.EMFILE}


def test_methods_and_bodies(faulty):
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"]:
        answers = client("--method", method, "--body", "some text", "--show", "X-Method", "fetch", faulty.url("echo"))
        assert (answers.rows[0].length, answers.rows[0].hash) == (9, hash_of(b"some text"))
        assert f"X-Method: {method}\n" in answers.stdout
    head = faulty.requests[0].lower()
    assert "expect:" not in head and "content-type:" not in head and "content-length: 9" in head
    for method in ["POST", "PUT", "DELETE", "OPTIONS"]:
        answers = client("--method", method, "--show", "X-Method", "fetch", faulty.url("echo"))
        assert f"X-Method: {method}\n" in answers.stdout and answers.rows[0].length == 0


def test_head_has_no_body(nginx):
    answers = client("--method", "HEAD", "--show", "Content-Length", "fetch", f"http://127.0.0.1:{nginx.http}/text")
    assert (answers.rows[0].rc, answers.rows[0].status, answers.rows[0].length) == (0, 200, 0)
    assert "Content-Length: 208890\n" in answers.stdout


def test_own_headers_are_sent_as_they_are(faulty):
    client("--headers", "X-One: 1\nX-Empty:\nUser-Agent: me\nAccept: a/b\nContent-Type: text/x", "--body", "x",
           "fetch", faulty.url("echo"))
    lines = faulty.requests[0].split("\r\n")
    assert {"X-One: 1", "X-Empty:", "User-Agent: me", "Accept: a/b", "Content-Type: text/x"} <= set(lines)
    assert sum(line.lower().startswith(("user-agent", "accept:", "content-type")) for line in lines) == 3


def test_heads_on_the_way_and_trailers_are_not_the_answers(faulty):
    answers = client("--show", "X-Early", "fetch", faulty.url("interim"), faulty.url("trailers"))
    all_well(answers)
    assert answers.stdout.count("X-Early: -\n") == 2
    assert "X-Folded: one two\n" in client("--show", "X-Folded", "fetch", faulty.url("interim")).stdout
    assert "X-Empty: \n" in client("--show", "X-Empty", "fetch", faulty.url("interim")).stdout


# ---- Redirects, cookies, sessions -------------------------------------------------------------

def test_redirects_are_followed(nginx):
    answers = client("fetch", f"http://127.0.0.1:{nginx.http}/moved", f"http://127.0.0.1:{nginx.http}/away")
    all_well(answers)
    assert {row.length for row in answers.rows} == {208890}
    assert client("--redirects", -1, "fetch", f"http://127.0.0.1:{nginx.http}/moved").rows[0].status == 302


def test_a_session_keeps_cookies_and_its_connection(faulty):
    answers = client("--session", 1, "--at-once", 1, "--show", "X-Cookie", "fetch", faulty.url("set"),
                     faulty.url("echo"))
    all_well(answers)
    assert "X-Cookie: a=1\n" in answers.stdout
    assert len(faulty.closed) <= 1
    answers = client("--at-once", 1, "--show", "X-Cookie", "fetch", faulty.url("set"), faulty.url("echo"))
    assert "X-Cookie: none\n" in answers.stdout


def test_a_kept_connection_that_the_server_closed_is_no_error(faulty):
    """`short` ends its connection; what comes next finds a new one."""
    answers = client("--session", 1, "--at-once", 1, "fetch", faulty.url("ok"), faulty.url("interim"),
                     faulty.url("ok"), faulty.url("ok"))
    all_well(answers)


# ---- Streams ------------------------------------------------------------------------------------

@pytest.mark.parametrize("variant", VARIANTS)
def test_reading_slowly_slows_the_server(faulty, variant):
    answers = client("--most", 40_000, "--pause", 20, "stream", faulty.url("endless"), variant=variant)
    assert answers.rcs == [0]
    assert 40_000 <= answers.rows[0].length < 45_000
    # what the system's buffers take; a fast reader gets a hundred times as much
    assert faulty.sent < 12_000_000
    assert answers.grown_kib < 8 * 1024 * (1 if variant == "plain" else 4)


def test_a_long_stream(nginx):
    answers = client("--session", 0, "stream", *[f"http://127.0.0.1:{nginx.http}/large"] * 3)
    all_well(answers)
    assert {row.length for row in answers.rows} == {20 * 4096 * 256}
    assert answers.grown_kib < 8 * 1024


# ---- Proxies ------------------------------------------------------------------------------------

class Proxy:
    """Hands on what it is asked for: a tunnel for CONNECT, else one answer of its own."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    async def _serve(self, reader, writer):
        line = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0]
        self.asked.append(line)
        if not line.startswith("CONNECT"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nby proxy\n")
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", int(line.split()[1].split(":")[1]))
        writer.write(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, source, target):
        while data := await source.read(65536):
            target.write(data)
        target.close()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def proxy():
    server = Proxy()
    yield server
    server.close()


def test_proxies_are_those_of_the_environment(nginx, proxy):
    by = f"http://127.0.0.1:{proxy.port}"
    answers = client("fetch", "http://no-such-host.invalid/x", env={"http_proxy": by})
    assert (answers.rows[0].rc, answers.rows[0].hash) == (0, hash_of(b"by proxy\n"))
    assert proxy.asked.pop().startswith("GET http://no-such-host.invalid/x ")
    secure = f"https://localhost:{nginx.https}/text"
    answers = client("--show", "X-Proxy", "fetch", secure, env={**nginx.trusted, "https_proxy": by})
    all_well(answers)
    assert "X-Proxy: -\n" in answers.stdout
    assert proxy.asked.pop().startswith(f"CONNECT localhost:{nginx.https} ")
    all_well(client("fetch", secure, env={**nginx.trusted, "https_proxy": by, "no_proxy": "localhost"}))
    assert proxy.asked == []


# ---- The trace, and the front door ------------------------------------------------------------

def test_the_trace_tells_connections_and_keeps_to_its_schema(nginx, tmp_path):
    require("jsonschema")
    import jsonschema
    path = tmp_path / "trace.jsonl"
    client("--session", 2, "--at-once", 4, "fetch", *urls(nginx, 20), f"http://127.0.0.1:{free_port()}/",
           env={"CO_TRACE": str(path)})
    events = [json.loads(line) for line in path.read_text().splitlines()]
    validator = jsonschema.Draft7Validator(json.loads((ROOT / "sim/trace/trace.schema.json").read_text()))
    assert [error.message for event in events for error in validator.iter_errors(event)] == []
    times = [event["t"] for event in events[1:]]
    assert times == sorted(times)
    connected = [event for event in events if event.get("ev") == "http.connected"]
    assert len(connected) == 20 and len({event["conn"] for event in connected}) == 2
    assert sum(event["reused"] for event in connected) == 18
    assert {event["conn"] for event in events if event.get("ev") == "http.closed"} == {event["conn"]
                                                                                       for event in connected}
    ends = [event for event in events if event.get("ev") == "http.end"]
    assert sorted(event["rc"] for event in ends) == [-errno.ECONNREFUSED] + [0] * 20


def make(**variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    return subprocess.run(["make", "run", *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT,
                          env=env, text=True, capture_output=True, timeout=300)


def test_make_run_in_the_real_world(nginx):
    require("libuv")
    require("libcurl")
    run = make(LAB="01", FROM="solutions", REAL="1", MODE="async", JSON="1", URLS=" ".join(urls(nginx, 20)))
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout.splitlines()[-1])["value"]
    assert [entry["status"] for entry in result["results"]] == [200] * 20


def test_ctrl_c_ends_a_lab_program_with_130(nginx, faulty):
    assert make(LAB="01", FROM="solutions", REAL="1", MODE="async", URLS=urls(nginx, 1)[0]).returncode == 0
    process = subprocess.Popen([BUILD / "run/01-sync-vs-async/program", "--real", "async", faulty.url("hang")],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdout and "start" in process.stdout.readline()
    while not faulty.requests:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, "01-sync-vs-async: interrupted\n")


def test_a_program_without_it_says_what_it_needs():
    program = BUILD / "solutions" / "plain" / "01-sync-vs-async" / "program"
    assert program.exists(), "say make test"
    run = subprocess.run([program, "--real", "async", "http://localhost/"], text=True, capture_output=True,
                         env=environment())
    assert run.returncode == 2
    assert re.fullmatch(r"01-sync-vs-async: the real world \(.*\) needs libuv and libcurl.*REAL=1\n", run.stderr)


def test_what_grading_links_needs_neither_library():
    program = BUILD / "solutions" / "plain" / "01-sync-vs-async" / "program"
    needed = subprocess.run(["ldd", program], text=True, capture_output=True).stdout
    assert "jansson" in needed and "libuv" not in needed and "libcurl" not in needed
