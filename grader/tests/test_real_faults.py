"""The real world against servers that misbehave: each time the documented error, in bounded time and memory, and
nothing left over."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
import time

import pytest

from real_servers import Faulty, client, faulty, free_port, nginx  # noqa: F401 (fixtures)

MOST_GROWTH = 200 * 1024        # KiB: three times the largest body
VARIANTS = ["plain", "asan", "tsan"]


def rc_of(*words: object, **how: object) -> int:
    return client("fetch", *words, **how).rows[0].rc


@pytest.mark.parametrize("path, error", [
    ("close", errno.ECONNRESET), ("reset", errno.ECONNRESET), ("short", errno.EPROTO), ("short-chunks", errno.EPROTO),
    ("half-head", errno.EPROTO), ("garbage", errno.EPROTO), ("loop", errno.ELOOP),
    ("to-file", errno.EINVAL), ("to-ftp", errno.EINVAL),
])
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_fault_has_its_error(faulty, path, error, variant):
    assert errno.errorcode[-rc_of(faulty.url(path), variant=variant)] == errno.errorcode[error]


@pytest.mark.parametrize("path", ["long-header", "many-headers", "interims", "endless"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_too_large_is_refused_early(faulty, path, variant):
    answers = client("fetch", faulty.url(path), variant=variant)
    assert errno.errorcode[-answers.rcs[0]] == "EMSGSIZE"
    assert answers.grown_kib < MOST_GROWTH * (1 if variant == "plain" else 4)
    assert faulty.sent < 80_000_000


@pytest.mark.parametrize("variant", VARIANTS)
def test_nobody_listens(variant):
    assert rc_of(f"http://127.0.0.1:{free_port()}/", variant=variant) == -errno.ECONNREFUSED


def test_a_host_with_a_name(faulty):
    """This machine's own, if it has one that means the loopback."""
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError:
        address = "none"
    if not address.startswith("127."):
        pytest.skip(f"the name of this machine, {name}, does not mean the loopback")
    answers = client("fetch", *[f"http://{name}:{faulty.port}/ok"] * 20)
    assert answers.rcs == [0] * 20


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_host_that_does_not_exist(variant):
    answers = client("fetch", *["http://no-such-host.invalid/"] * 20, "http://also-not.invalid:8080/x", variant=variant)
    assert answers.rcs == [-errno.ENXIO] * 21


def test_a_server_killed_in_mid_body():
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", f"""
import os, socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", {port})); s.listen()
print("up", flush=True)
c, _ = s.accept(); c.recv(65536); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000000\\r\\n\\r\\n" + b"x" * 1000)
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
time.sleep(0.3); os.kill(os.getpid(), 9)
"""], stdout=subprocess.PIPE, text=True)
    assert server.stdout and server.stdout.readline() == "up\n"
    assert rc_of(f"http://127.0.0.1:{port}/") == -errno.EPROTO
    server.wait()
    server.stdout.close()


@pytest.mark.parametrize("which", ["expired", "wrong"])
def test_a_certificate_that_is_not_to_be_trusted(nginx, which):
    url = f"https://localhost:{getattr(nginx, which)}/text"
    assert rc_of(url, env=nginx.trusted) == -errno.EKEYREJECTED


def test_a_certificate_of_an_unknown_authority(nginx):
    assert rc_of(f"https://localhost:{nginx.https}/text") == -errno.EKEYREJECTED
    assert rc_of(f"https://localhost:{nginx.https}/text", env={"SSL_CERT_FILE": nginx.trusted["CO_CA_FILE"]}) == 0


def test_no_tls_where_it_was_expected(nginx):
    assert rc_of(f"https://localhost:{nginx.http}/text", env=nginx.trusted) == -errno.EPROTO


# ---- Time -------------------------------------------------------------------------------------

def silent() -> socket.socket:
    """Accepts connections (the system does) and never says a word."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(50)
    return listener


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("phase", ["connect", "tls", "head", "body"])
def test_a_limit_holds_in_each_phase(faulty, phase, variant):
    with silent() as listener, silent() as full:
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        time.sleep(0.05)
        url = {"connect": f"http://127.0.0.1:{full.getsockname()[1]}/",
               "tls": f"https://127.0.0.1:{listener.getsockname()[1]}/",
               "head": faulty.url("hang"), "body": faulty.url("hang-body")}[phase]
        answers = client("--timeout", 300, "fetch", url, variant=variant)
        for filler in fillers:
            filler.close()
    assert answers.rcs == [-errno.ETIMEDOUT]
    assert 300_000 <= answers.figures["elapsed_us"]


@pytest.mark.parametrize("path", ["hang", "hang-body"])
def test_a_cancel_closes_the_socket_at_once(faulty, path):
    answers = client("--after", 200, "--at-once", 20, "cancel", *[faulty.url(path)] * 20)
    ended = time.monotonic()
    assert set(answers.rcs) == {-errno.ECANCELED}
    assert len(faulty.closed) == 20
    assert max(faulty.closed) < ended               # the client went on for 300 ms after the cancel


@pytest.mark.parametrize("session", [-1, 0], ids=["none", "session"])
def test_a_cancel_ends_a_connection_with_tls_too(nginx, tmp_path, session):
    url, path = f"https://localhost:{nginx.https}/slow", tmp_path / "trace"
    answers = client("--session", session, "--after", 300, "cancel", *[url] * 3,
                     env={**nginx.trusted, "CO_TRACE": str(path)})
    assert answers.rcs == [-errno.ECANCELED] * 3
    events = [json.loads(line)["ev"] for line in path.read_text().splitlines()[1:]]
    seen = [event for event in events if event in ("http.cancelled", "http.closed")]
    assert sorted(seen[:6]) == ["http.cancelled"] * 3 + ["http.closed"] * 3


def test_a_cancel_waits_for_no_name_and_no_connection():
    with silent() as full:
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        answers = client("--after", 50, "cancel", f"http://127.0.0.1:{full.getsockname()[1]}/",
                         "http://no-such-host.invalid/")
        for filler in fillers:
            filler.close()
    at = int(answers.stdout.split("at_us=")[1].split()[0])
    assert at < 150_000
