"""Gradings of one test session, each in a process forked from one that has everything loaded: what `python -m looplab`
does, less a third of a second a grading. With LOOPLAB_ALL each is the command itself.

As a program (`warm.py SOCKET`) it is that process, and ends with the one that started it.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Optional

GRADER = Path(__file__).resolve().parents[1]
ROOT = GRADER.parent
_one = threading.Lock()
_socket: Optional[str] = None


def looplab(*words: object, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """`python -m looplab WORDS` in the project's folder, with what it writes. Raises TimeoutError when it takes
    longer; it is ended then."""
    argv = [str(word) for word in words]
    if os.environ.get("LOOPLAB_ALL"):
        return subprocess.run([sys.executable, "-m", "looplab", *argv], capture_output=True, text=True,
                              timeout=timeout_s, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(GRADER)})
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(_started())
        line.settimeout(timeout_s)
        line.sendall(json.dumps({"argv": argv, "env": dict(os.environ)}).encode() + b"\n")
        with line.makefile("rb") as answers:
            pid = int(answers.readline())
            try:
                told = json.loads(answers.readline() or "{}")
            except TimeoutError:
                os.kill(pid, signal.SIGTERM)
                raise
    return subprocess.CompletedProcess(argv, told.get("code", -1), told.get("stdout", ""), told.get("stderr", ""))


def _started() -> str:
    """The socket of this session's loaded process, which the first call starts."""
    global _socket
    with _one:
        if not _socket:
            folder = tempfile.TemporaryDirectory(prefix="warm-")
            path = f"{folder.name}/socket"
            server = subprocess.Popen([sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      cwd=ROOT, env={**os.environ, "PYTHONPATH": str(GRADER)})
            assert server.stdin and server.stdout
            assert server.stdout.readline() == b"ready\n"
            atexit.register(lambda: (server.stdin.close(), server.wait(), folder.cleanup()))
            _socket = path
        return _socket


class _Grading(socketserver.StreamRequestHandler):
    """One command, in a child of the loaded process."""

    def handle(self) -> None:
        self.wfile.write(f"{os.getpid()}\n".encode())
        asked = json.loads(self.rfile.readline())
        os.environ.clear()
        os.environ.update(asked["env"], PYTHONPATH=str(GRADER))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = _run(asked["argv"])
            out.seek(0)
            err.seek(0)
            told = {"code": code, "stdout": out.read().decode(), "stderr": err.read().decode()}
        self.wfile.write(json.dumps(told).encode() + b"\n")


def _run(argv: list[str]) -> int:
    from looplab import cli
    from looplab.plain.stream import bytes_as_they_are

    bytes_as_they_are(sys.stdout)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return cli.main(argv)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    max_children = 1000
    request_queue_size = 100

    def handle_error(self, request: object, client_address: object) -> None:
        raise                           # the child ends, and whoever asked sees that nothing came

    def serve_until_alone(self) -> None:
        """Serves until whoever started this process has closed its standard input, or is gone."""
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), self.shutdown()), daemon=True).start()
        print("ready", flush=True)
        self.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    from looplab.watch import grading

    grading.load()
    with _Server(sys.argv[1], _Grading) as server:
        server.serve_until_alone()
