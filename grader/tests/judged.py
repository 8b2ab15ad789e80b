"""Runs of a program whose world a judge holds, and a program that speaks the judge's wire by itself."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

from variants import BUILD, ROOT

JUDGE = BUILD / "kit" / "judge"
LONGEST_S = 60


def wire_numbers() -> dict[str, int]:
    """WIRE_… of sim/world/remote/wire.h."""
    text = (ROOT / "sim/world/remote/wire.h").read_text()
    kinds, number = {}, 0
    for name, value in re.findall(r"(WIRE_\w+)(?: = (\d+))?,", text.split("enum wire_kind {")[1].split("}")[0]):
        number = int(value) if value else number + 1
        kinds[name[5:]] = number
    return kinds


KIND = wire_numbers()
SUBMIT = struct.Struct("<IIIIQ10I4I6Q")


@dataclass
class Judged:
    """How a run ended: the program's code and what it printed, its own trace, the judge's code and its record."""

    code: int
    stdout: bytes
    stderr: bytes
    own: bytes
    record: bytes


def lines(text: bytes, source: str) -> list[bytes]:
    """The lines of a trace that are from "world", "runtime" or "judge"."""
    return [line for line in text.splitlines(True) if f'"from":"{source}"'.encode() in line]


class Judge:
    """A judge that serves n programs, whose ends of the connections are in `ends`."""

    def __init__(self, record: Path, *words: object, n: int = 1, judge: Path = JUDGE):
        self.record = record
        record.unlink(missing_ok=True)
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(n)]
        self.ends = [ours for ours, _ in pairs]
        serve = [word for _, theirs in pairs for word in ("--serve", str(theirs.fileno()))]
        self.process = subprocess.Popen([judge, "--record", record, *map(str, words), *serve], text=True, cwd=ROOT,
                                        pass_fds=[theirs.fileno() for _, theirs in pairs], stderr=subprocess.PIPE)
        for _, theirs in pairs:
            theirs.close()

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *unused: object) -> None:
        for end in self.ends:
            end.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def start(self, program: Sequence[object], end: int = 0, env: Optional[dict[str, str]] = None) -> subprocess.Popen:
        """Starts a program that holds one of the ends, in the place of "{judge}" in its words and environment, and
        lets go of it here."""
        ours = self.ends[end]
        number = str(ours.fileno())
        env = {name: value.replace("{judge}", number) for name, value in (env or {}).items()}
        running = subprocess.Popen([str(word).replace("{judge}", number) for word in program], cwd=ROOT, env=env,
                                   pass_fds=[ours.fileno()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ours.close()
        return running

    def finish(self) -> str:
        """Waits for its end; returns the record. It must have come to its end by itself."""
        _, said = self.process.communicate(timeout=LONGEST_S)
        assert (self.process.returncode, said) == (0, "")
        return self.record.read_text()


def run_judged(folder: Path, program: Sequence[object], words: Sequence[object] = (), name: str = "program",
               env: Optional[dict[str, str]] = None) -> Judged:
    """Runs a program; words: the judge's own, such as --world. "{judge}" among the program's is its descriptor."""
    own = folder / "own"
    with Judge(folder / "record", "--program", name, *words) as judge:
        running = judge.start(program, env={"CO_TRACE": str(own), **(env or {})})
        stdout, stderr = running.communicate(timeout=LONGEST_S)
        record = judge.finish()
    return Judged(running.returncode, stdout, stderr, own.read_bytes() if own.exists() else b"", record.encode())


# ---- The wire, spoken by hand ------------------------------------------------------------------------


def message(kind: str, body: bytes = b"", size: Optional[int] = None) -> bytes:
    """One packet."""
    return struct.pack("<II", KIND[kind], 8 + len(body) if size is None else size) + body


def hello() -> bytes:
    return message("HELLO", struct.pack("<Q", 1))


def wait(until: int, most: int = 64) -> bytes:
    return message("WAIT", struct.pack("<qQ", until, most))


def block(ns: int) -> bytes:
    return message("BLOCK", struct.pack("<q", ns))


def submit(op: int, parts: Sequence[bytes] = (), *, user: int = 0, task: int = 1, fn: int = 0, job: int = 0,
           session: int = 0) -> bytes:
    """One packet of a SUBMIT, whose data must fit into it."""
    lengths = [len(part) for part in parts] + [0] * (4 - len(parts))
    data = b"".join(parts)
    return SUBMIT.pack(KIND["SUBMIT"], SUBMIT.size + len(data), op, task, user, session, *[0] * 9, *lengths,
                       0, fn, job, 0, 0, len(data)) + data


def get(url: bytes, user: int = 0) -> bytes:
    return submit(1, [b"GET", url], user=user)


FINISH = submit(6)


def ask(end: socket.socket, packet: bytes) -> tuple[str, bytes]:
    """Sends a message; returns the answer's kind and what follows its beginning; ("", b"") when the judge has gone."""
    try:
        end.send(packet)
        answer = end.recv(1 << 17)
    except OSError:
        answer = b""
    if not answer:
        return "", b""
    kind = struct.unpack_from("<I", answer)[0]
    return next(name for name, number in KIND.items() if number == kind), answer[16:]


def happened(body: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    """Of an answer HAPPENED: the clock, and (user, parts, rc) of each completion."""
    now, count = struct.unpack_from("<qQ", body)
    found = [struct.unpack_from("<QQqIiiIqQQ", body, 32 + 64 * i) for i in range(count)]
    return now, [(one[1], one[3], one[4]) for one in found]
