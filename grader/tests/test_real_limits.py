"""The limits of a world file beside those of a real nginx: the same requests at the same times, and the same ones let
in."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from looplab.running.serving import promptly, without_proxies
from looplab.telling.differential import TRIES, Stage
from real_servers import find_nginx, free_port, wait_for
from variants import ROOT

needs_real = pytest.mark.skipif(not (ROOT / "build/tests/plain/real/actor").exists(),
                                reason="libuv and libcurl are not there: make deps-dev")

# site: what the world file says, nginx's zone and what its location says
SITES = {
    "plain": ({"limit_req": {"rate": "5r/s"}}, "limit_req zone=plain;"),
    "late": ({"limit_req": {"rate": "5r/s", "burst": 2}}, "limit_req zone=late burst=2;"),
    "quick": ({"limit_req": {"rate": "5r/s", "burst": 2, "nodelay": True, "status": 429}},
              "limit_req zone=quick burst=2 nodelay; limit_req_status 429;"),
}
SIZES = ({"max_request": {"url": 1000, "header": 1000, "body": 100_000}},
         "client_max_body_size 100000; client_header_buffer_size 1k; large_client_header_buffers 4 1k; "
         "location / { return 200 x; }")
PARTED = """location = /bare { return 200 0123456789; }
    location = /weak { proxy_pass http://127.0.0.1:$server_port/origin; proxy_cache kept; proxy_cache_valid 200 1h;
                       proxy_force_ranges on; }
    location = /origin { return 200 0123456789; add_header ETag 'W/"v1"'; }"""
ALL = {**{name: said for name, (_, said) in SITES.items()}, "sizes": SIZES[1], "parts": PARTED}
MODIFIED = 1_000_000_000            # of the file /ten, which nginx names by this time and its length
DATE, ETAG = "Sun, 09 Sep 2001 01:46:40 GMT", '"3b9aca00-a"'
EARLIER = "Sun, 09 Sep 2001 01:46:39 GMT"
CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; root {folder}; default_type text/plain;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    proxy_cache_path {folder}/cache keys_zone=kept:1m; {zones}
    {servers}
}}
"""


@pytest.fixture(scope="module")
def ports(tmp_path_factory) -> Iterator[dict[str, int]]:
    folder, program = tmp_path_factory.mktemp("limits"), find_nginx()
    ports = {name: free_port() for name in ALL}
    (folder / "index.html").write_text("x")
    (folder / "ten").write_text("0123456789")
    os.utime(folder / "ten", (MODIFIED, MODIFIED))
    zones = " ".join(f"limit_req_zone $server_name zone={name}:1m rate=5r/s;" for name in SITES)
    servers = "\n".join(f"server {{ server_name {name}; listen 127.0.0.1:{ports[name]}; {said} }}"
                        for name, said in ALL.items())
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, zones=zones, servers=servers))
    with open(folder / "said", "w") as said:
        process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"], stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said)
    try:
        for name in ALL:
            wait_for(ports[name])
        yield ports
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def situation() -> dict:
    """Each site is asked six times a second for two seconds, then four times at once."""
    sites = [{"url": f"http://{name}.test", **limit, "routes": [{"path": "/", "latency": "0ms", "body": "x"}]}
             for name, (limit, _) in SITES.items()]
    requests = [{"url": f"http://{name}.test/", "at": at, "timeout": 5000}
                for name in SITES for at in [*range(0, 2000, 167), *[4000] * 4]]
    return {"world": {"world": "looplab/world/v1", "sites": sites}, "script": {"sessions": [], "requests": requests}}


class Beside(Stage):
    """The real side is nginx, not what serves worlds."""

    def __init__(self, work: Path, ports: dict[str, int]):
        super().__init__(ROOT, work)
        self.ports = ports

    def real(self, situation):
        where = ",".join(f"{name}.test:80=127.0.0.1:{port}" for name, port in self.ports.items())
        _, script = self._lay(situation)
        return self._play(script, "real", {**without_proxies(), "CO_CONNECT_TO": where})


@needs_real
def test_nginx_lets_in_the_same_ones(ports, tmp_path):
    stage = Beside(tmp_path, ports)
    asked = situation()
    predicted = [one.status for one in stage.predicted(asked)]
    n = len(predicted) // len(SITES)
    assert [predicted[k * n:k * n + 12].count(200) for k in range(len(SITES))] == [6, 12, 12]
    really: list[int] = []
    for _ in range(TRIES):              # the machine may be busy
        really = [one.status for one in stage.real(asked)]
        if really == predicted:
            break
        time.sleep(2)                   # until the buckets are empty
    assert really == predicted


@needs_real
def test_nginx_refuses_the_same_sizes(ports, tmp_path):
    """Its answers to what is too large close the connection, and come before the body is there."""
    site = {"url": "http://sizes.test", **SIZES[0], "routes": [{"path": "/", "body": "x"}]}
    asked = [{"url": "http://sizes.test/?" + "x" * n} for n in (900, 1100)]
    asked += [{"url": "http://sizes.test/", "headers": "X: " + "x" * n + "\n"} for n in (900, 1100)]
    asked += [{"url": "http://sizes.test/", "method": "POST", "body_size": n} for n in (100_000, 100_001, 3_000_000)]
    script = {"sessions": [1], "requests": [{**one, "at": 200 * k, "timeout": 5000, "session": 1}
                                            for k, one in enumerate(asked)]}
    situation = {"world": {"world": "looplab/world/v1", "sites": [site]}, "script": script}
    stage = Beside(tmp_path, ports)
    predicted = [(one.rc, one.status) for one in stage.predicted(situation)]
    assert [status for _, status in predicted] == [200, 414, 200, 400, 200, 413, 413]
    assert [(one.rc, one.status) for one in stage.real(situation)] == predicted


# What is asked for, and what nginx answers: a status, and how much of the ten bytes.
PARTS = [
    ("", 200, 10), ("Range: bytes=0-3", 206, 4), ("Range: bytes=7-", 206, 3), ("Range: bytes=-2", 206, 2),
    ("Range: bytes=-99", 206, 10), ("Range: bytes=8-99", 206, 2), ("Range: Bytes= 2 - 3 ", 206, 2),
    ("Range: bytes=10-", 416, None), ("Range: bytes=5-2", 416, None), ("Range: bytes=-0", 416, None),
    ("Range: bytes=x-", 416, None), ("Range: bytes=3", 416, None), ("Range: bytes=3-x", 416, None),
    ("Range: lines=0-3", 200, 10), (f"Range: bytes=2-3\nIf-Range: {ETAG}", 206, 2),
    (f"Range: bytes=2-3\nIf-Range: {DATE}", 206, 2), ('Range: bytes=2-3\nIf-Range: "other"', 200, 10),
    ("Range: bytes=0-99999999999999999999", 416, None), ("Range: bytes=- 5", 416, None), ("Range: bytes=2 -", 206, 8),
    ("Range: bytes=0-1, 4-5", 206, 198), ("Range: bytes=-1,-2", 206, 197), ("Range: bytes=0-0,1-1,2-2", 206, 280),
    ("Range: bytes=0-5,3-9", 200, 10), ("Range: bytes=-1,-20", 200, 10), ("Range: bytes=0-1,20-", 206, 2),
    ("Range: bytes=20-,30-", 416, None), ("Range: bytes=0-1,4-x", 416, None), ("Range: bytes=0-1,", 416, None),
    ("Range: bytes=", 200, 10), ("Range: bytes=-", 416, None),
    ("Range: bytes=2-3\nIf-Range: Sunday, 09-Sep-01 01:46:40 GMT", 206, 2),
    ('Range: bytes=20-\nIf-Range: "x"', 200, 10),
    ("Range: bytes=2-3\nIf-Range: Sun, 09 Sep 2001 01:46:41 GMT", 200, 10),
    (f"Range: bytes=2-3\nIf-Range: W/{ETAG}", 200, 10), ("Range: bytes=2-3\nIf-Range: *", 200, 10),
    ("Range: bytes=2-3\nIf-Range: today", 200, 10),
    (f"If-None-Match: {ETAG}", 304, 0), ('If-None-Match: "other"', 200, 10), ("If-None-Match: *", 304, 0),
    (f'If-None-Match: "other", W/{ETAG}', 304, 0), (f"If-Modified-Since: {DATE}", 304, 0),
    ("If-Modified-Since: Mon, 10 Sep 2001 01:46:40 GMT", 200, 10),
    (f'If-None-Match: "other"\nIf-Modified-Since: {DATE}', 200, 10),
    (f"Range: bytes=0-3\nIf-None-Match: {ETAG}", 304, 0), (f"Range: bytes=20-\nIf-None-Match: {ETAG}", 304, 0),
    (f"If-None-Match: {ETAG}\nIf-Modified-Since: {EARLIER}", 200, 10),
    (f"If-None-Match: *\nIf-Modified-Since: {EARLIER}", 200, 10),
    (f"If-None-Match: {ETAG}\nIf-Modified-Since: {DATE}", 304, 0), (f"If-None-Match: ,,{ETAG} ,x", 304, 0),
    (f"If-None-Match: {ETAG}x", 200, 10), ('If-None-Match: *, "x"', 200, 10), (f"If-None-Match: w/{ETAG}", 200, 10),
    ("If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT", 304, 0),
    ("If-Modified-Since: Sun Sep  9 01:46:40 2001", 304, 0),
    ("If-Modified-Since: Sun Sep 09 01:46:40 2001", 304, 0), ("If-Modified-Since: Sun,09 Sep 2001 01:46:40", 304, 0),
    ("If-Modified-Since: 09 Sep 2001 01:46:40 GMT", 200, 10), ("If-Modified-Since: Sun, 31 Feb 2001 01:46:40", 200, 10),
    ("If-Modified-Since: Sun, 9 Sep 2001 01:46:40 GMT", 200, 10),
    (f"If-Match: {ETAG}", 200, 10), (f'If-Match: "x", {ETAG}', 200, 10), ("If-Match: *", 200, 10),
    ('If-Match: "x"', 412, None), (f"If-Match: W/{ETAG}", 412, None), (f"If-Match: *\nIf-None-Match: {ETAG}", 304, 0),
    (f'If-Match: "x"\nIf-None-Match: {ETAG}', 412, None), ('Range: bytes=0-1\nIf-Match: "x"', 412, None),
    (f"Range: bytes=0-1\nIf-Match: {ETAG}", 206, 2), ('Range: bytes=20-\nIf-Match: "x"', 412, None),
    (f"If-Unmodified-Since: {DATE}", 200, 10), (f"If-Unmodified-Since: {EARLIER}", 412, None),
    ("If-Unmodified-Since: Mon, 10 Sep 2001 01:46:40 GMT", 200, 10), ("If-Unmodified-Since: today", 412, None),
]

# The same of what has neither tag nor date, and of what has a weak tag (of an answer that nginx keeps for another).
BARE = [("If-None-Match: *", 304, 0), ('If-None-Match: "x"', 200, 10), ("If-Match: *", 200, 10),
        ('If-Match: "x"', 412, None), (f"If-Unmodified-Since: {DATE}", 412, None),
        (f"If-Modified-Since: {DATE}", 200, 10), ("Range: bytes=0-1", 200, 10)]
WEAK = [('If-None-Match: "v1"', 304, 0), ('If-None-Match: W/"v1"', 304, 0), ('If-Match: W/"v1"', 200, 10),
        ('If-Match: "v1"', 412, None), ("Range: bytes=2-3", 206, 2), ('Range: bytes=2-3\nIf-Range: W/"v1"', 206, 2),
        ('Range: bytes=2-3\nIf-Range: "v1"', 200, 10)]
ASKED = [*[("/ten", *one) for one in PARTS], *[("/bare", *one) for one in BARE], *[("/weak", *one) for one in WEAK]]


@needs_real
def test_nginx_sends_the_same_parts(ports, tmp_path):
    typed = {"Content-Type": "text/plain"}
    ten = {"body": "0123456789", "headers": typed}
    routes = [{"path": "/ten", **ten, "etag": ETAG, "last_modified": DATE, "ranges": True}, {"path": "/bare", **ten},
              {"path": "/weak", **ten, "etag": 'W/"v1"', "ranges": True}]
    script = {"sessions": [1], "requests": [
        {"url": f"http://parts.test{path}", "at": 0, "timeout": 5000, "session": 1, "headers": fields and fields + "\n"}
        for path, fields, _, _ in ASKED]}
    site = {"url": "http://parts.test", "routes": routes}
    situation = {"world": {"world": "looplab/world/v1", "sites": [site]}, "script": script}
    stage = Beside(tmp_path, ports)
    predicted, real = stage.predicted(situation), stage.real(situation)
    for (path, fields, status, length), one, other in zip(ASKED, predicted, real):
        assert (path, fields, one.status, other.status) == (path, fields, status, status)
        if length is not None:          # to others nginx adds a page of its own
            assert (path, fields, one.length, other.length) == (path, fields, length, length)
        if length is not None and length <= 10:     # several parts are parted by a number that nginx counts
            assert one.result == other.result, (path, fields)


# ---- two addresses ----


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_libcurl_gives_a_dead_address_200_ms(ports):
    """The listener at [::1] has a full queue: the kernel does not answer. Never less than 200 ms; more, if the machine
    is busy."""
    port = ports["parts"]
    with socket.socket(socket.AF_INET6) as silent:
        try:
            silent.bind(("::1", port))
        except OSError:
            pytest.skip("there is no IPv6 here")
        refused = connected(port)
        silent.listen(0)
        crowd = [socket.socket(socket.AF_INET6) for _ in range(3)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(("::1", port))
        time.sleep(0.05)
        dead = connected(port)
        for one in crowd:
            one.close()
    assert dead >= 0.2 > refused


def connected(port: int) -> float:
    """After how many seconds curl is connected to the second of two addresses; the fastest of three tries."""
    words = ["curl", "-s", "-o", os.devnull, "--noproxy", "*", "-w", "%{http_code} %{remote_ip} %{time_connect}",
             "--resolve", f"two.test:{port}:[::1],127.0.0.1", f"http://two.test:{port}/ten"]
    said = [subprocess.run(words, capture_output=True, text=True).stdout.split() for _ in range(TRIES)]
    assert {(status, address) for status, address, _ in said} == {("200", "127.0.0.1")}
    return min(float(took) for _, _, took in said)
