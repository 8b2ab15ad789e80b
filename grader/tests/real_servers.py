"""Servers on the loopback for the tests of the real world: nginx with a configuration of its own, certificates, and one
that misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Awaitable, Callable, Iterator, Optional

import pytest

from variants import BUILD, ROOT, require


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- The client -------------------------------------------------------------------------------

SAID_BY_A_SANITIZER = re.compile(r"(ERROR|WARNING): (Address|Leak|Thread)Sanitizer|runtime error:")


@dataclass
class Row:
    rc: int
    status: int
    length: int
    hash: str


@dataclass
class Answers:
    rows: list[Row]
    figures: dict[str, int]
    stdout: str
    stderr: str
    exit: int

    @property
    def rcs(self) -> list[int]:
        return [row.rc for row in self.rows]

    @property
    def grown_kib(self) -> int:
        """How much resident memory there was beyond what the program began with."""
        return self.figures["rss_most"] - self.figures["rss_before"]


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TSAN_OPTIONS": "exitcode=66", **variables}


def client(*words: object, variant: str = "plain", timeout: float = 60, env: Optional[dict[str, str]] = None,
           wrapper: list[str] = []) -> Answers:
    """Runs sim/tests/real/client.c with these arguments; a word from a sanitizer fails the test."""
    program = BUILD / "tests" / variant / "real" / "client"
    require("libuv")
    require("libcurl")
    if variant == "tsan":
        require("tsan")
    assert program.exists(), f"{program.relative_to(ROOT)} is not built: say make test"
    run = subprocess.run([*wrapper, str(program), *map(str, words)], text=True, capture_output=True, timeout=timeout,
                         env=environment(**(env or {})), stdin=subprocess.DEVNULL)
    assert not SAID_BY_A_SANITIZER.search(run.stderr), run.stderr[-6000:]
    assert run.returncode in (0, 1), f"ended with {run.returncode}\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
    rows = [Row(int(rc), int(status), int(length), hash) for rc, status, length, hash in
            re.findall(r"^(-?\d+) (\d+) (\d+) ([0-9a-f]{16})$", run.stdout, re.MULTILINE)]
    figures = dict((name, int(value)) for name, value in re.findall(r"(\w+)=(-?\d+)", run.stdout.splitlines()[-1]))
    assert figures["fds_after"] == figures["fds_before"], "descriptors are left over"
    return Answers(rows, figures, run.stdout, run.stderr, run.returncode)


# ---- Certificates -----------------------------------------------------------------------------

def openssl(*words: object) -> None:
    run = subprocess.run(["openssl", *map(str, words)], text=True, capture_output=True)
    assert run.returncode == 0, run.stderr


def certificate(folder: Path, name: str, host: str, days: int = 30) -> None:
    """folder/NAME.pem and NAME.key, signed by folder/ca.pem."""
    key, request, extension = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.ext"
    extension.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n" if host == "localhost"
                         else f"subjectAltName=DNS:{host}\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={host}")
    openssl("x509", "-req", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial",
            "-days", days, "-extfile", extension, "-out", folder / f"{name}.pem")


def certificates(folder: Path) -> None:
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 30, "-keyout", folder / "ca.key", "-out",
            folder / "ca.pem", "-subj", "/CN=Looplab test CA")
    certificate(folder, "good", "localhost")
    certificate(folder, "expired", "localhost", days=-1)
    certificate(folder, "wrong", "elsewhere.test")


# ---- nginx ------------------------------------------------------------------------------------

CONFIG = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
    log_format short '$server_protocol $connection $request_method $uri';
    access_log {folder}/access.log short;
    root {folder}/www; default_type text/plain; keepalive_requests 100000; keepalive_timeout 60;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    gzip_types text/plain; gzip_min_length 100;
    server {{ listen 127.0.0.1:{http} backlog=4096;
              location = /packed {{ gzip on; alias {folder}/www/text; }}
              location = /moved {{ return 302 /text; }}
              location = /away {{ return 302 http://localhost:{http}/text; }} }}
    server {{ listen 127.0.0.1:{https} ssl http2 backlog=4096;
              ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
              location = /slow {{ alias {folder}/www/large; limit_rate 1000; }} }}
    server {{ listen 127.0.0.1:{expired} ssl;
              ssl_certificate {folder}/expired.pem; ssl_certificate_key {folder}/expired.key; }}
    server {{ listen 127.0.0.1:{wrong} ssl;
              ssl_certificate {folder}/wrong.pem; ssl_certificate_key {folder}/wrong.key; }}
}}
"""


@dataclass
class Nginx:
    folder: Path
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)
    expired: int = field(default_factory=free_port)
    wrong: int = field(default_factory=free_port)

    @property
    def trusted(self) -> dict[str, str]:
        """Makes a program trust the test's CA."""
        return {"CO_CA_FILE": str(self.folder / "ca.pem")}

    def log(self) -> list[list[str]]:
        """[protocol, connection, method, path] of each request answered since the last time."""
        path = self.folder / "access.log"
        time.sleep(0.05)                # nginx writes it after the answer
        lines = [line.split() for line in path.read_text().splitlines()]
        path.write_text("")
        return lines


def find_nginx() -> str:
    require("nginx")
    require("openssl")
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")
    assert found
    return found


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens at port {port}")


def run_nginx(folder: Path) -> Iterator[Nginx]:
    """1,000 small files /1 … /1000, a /text of 200,000 bytes, and a /large of 20 MB."""
    program = find_nginx()
    server = Nginx(folder)
    (folder / "www").mkdir()
    for i in range(1, 1001):
        (folder / "www" / str(i)).write_text(f"file {i}\n" * (i % 50 + 1))
    (folder / "www" / "text").write_text("".join(f"line {i}\n" for i in range(20000)))
    (folder / "www" / "large").write_bytes(bytes(range(256)) * (20 * 4096))
    certificates(folder)
    (folder / "nginx.conf").write_text(CONFIG.format(**vars(server)))
    with open(folder / "said", "w") as said:
        process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"], stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said)
    try:
        wait_for(server.http)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


# ---- A server that misbehaves -----------------------------------------------------------------

Handler = Callable[["Faulty", asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


class Faulty:
    """In a thread of its own: for each path one way of not being a good server."""

    def __init__(self) -> None:
        self.port = 0
        self.closed: list[float] = []   # when a client went away, by time.monotonic()
        self.sent = 0                   # bytes of bodies handed to the system
        self.requests: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> "Faulty":
        self.thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode("latin-1")
                self.requests.append(text)
                path = text.split()[1].lstrip("/").split("?")[0]
                await FAULTS[path](self, reader, writer, text)
                if path not in KEPT:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.closed.append(time.monotonic())
            if not writer.is_closing():
                writer.close()

    async def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        self.sent += len(data)
        await writer.drain()


FAULTS: dict[str, Handler] = {}
KEPT = {"ok", "set", "echo", "gzip"}    # after these the connection stays


def fault(path: str) -> Callable[[Handler], Handler]:
    def note(handler: Handler) -> Handler:
        FAULTS[path] = handler
        return handler
    return note


def answer(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]).encode() + body


@fault("ok")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"hello"))


@fault("set")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/elsewhere"))


@fault("echo")
async def _(self, reader, writer, head):
    length = int(next((line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")),
                      0))
    body = await reader.readexactly(length)
    cookie = next((line.split(": ")[1] for line in head.splitlines() if line.startswith("Cookie:")), "none")
    await self.send(writer, answer(body, f"X-Cookie: {cookie}", f"X-Method: {head.split()[0]}"))


@fault("gzip")
async def _(self, reader, writer, head):
    packed = gzip.compress(b"packed " * 1000, mtime=0)
    await self.send(writer, answer(packed, "Content-Encoding: gzip"))


@fault("interim")
async def _(self, reader, writer, head):
    writer.write(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
    await self.send(writer, answer(b"final", "X-Folded: one\r\n  two", "X-Empty:"))


@fault("trailers")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Late: "
                            b"1\r\n\r\n")


@fault("close")
async def _(self, reader, writer, head):
    pass


@fault("garbage")
async def _(self, reader, writer, head):
    await self.send(writer, b"what is it that you want?\r\n\r\n" * 20)


@fault("reset")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
    await asyncio.sleep(0.05)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@fault("short")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)


@fault("short-chunks")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhello")


@fault("half-head")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nContent-Len")


@fault("bad-gzip")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"this is no gzip at all", "Content-Encoding: gzip"))


@fault("long-header")
async def _(self, reader, writer, head):
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100):
        await self.send(writer, b"x" * 1_000_000)


@fault("many-headers")
async def _(self, reader, writer, head):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(100):
        await self.send(writer, b"X-Many: 0123456789012345678901234567890123456789\r\n" * 20_000)


@fault("interims")
async def _(self, reader, writer, head):
    while True:
        await self.send(writer, b"HTTP/1.1 100 Continue\r\nX-More: 1\r\n\r\n" * 1000)


@fault("endless")
async def _(self, reader, writer, head):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await self.send(writer, b"0123456789abcdef" * 4096)


@fault("loop")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"", "Location: /loop", status="302 Found"))


@fault("to-file")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"", "Location: file:///etc/passwd", status="302 Found"))


@fault("to-ftp")
async def _(self, reader, writer, head):
    await self.send(writer, answer(b"", "Location: ftp://127.0.0.1/x", status="302 Found"))


@fault("hang")
async def _(self, reader, writer, head):
    await reader.read(1)


@fault("hang-body")
async def _(self, reader, writer, head):
    await self.send(writer, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
    await reader.read(1)


@fault("slowly")
async def _(self, reader, writer, head):
    """200 ms, then an answer."""
    await asyncio.sleep(0.2)
    await self.send(writer, answer(b"hello"))


@pytest.fixture(scope="module")
def nginx(tmp_path_factory) -> Iterator[Nginx]:
    yield from run_nginx(tmp_path_factory.mktemp("nginx"))


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    with Faulty() as server:
        yield server
