"""A world file served for real: `looplab serve`, and the server that `looplab compare` starts for each run."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from ..course import lab as labs
from ..plain.failure import GraderFault, UsageError

PATIENCE_S = 10.0


def promptly() -> None:
    """For subprocess's preexec_fn: the process gets a core as soon as it wakes, where we may grant that (root). What is
    compared with a virtual clock must not wait for others on a busy machine."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Server:
    """build/kit/serve with one world, from `with` to its end. `environment` is what a program needs to find it."""

    def __init__(self, world: Path, root: Path = labs.ROOT):
        self.world, self.root = world, root
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "Server":
        binary = self.root / "build" / "kit" / "serve"
        if not binary.is_file():
            raise UsageError("the server is not built: `make serve` and `make compare` build it (they need libuv and "
                             "libcurl)")
        self._process = subprocess.Popen([str(binary), str(self.world)], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         preexec_fn=promptly)
        assert self._process.stdout
        self.lines = []
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("CO_CONNECT_TO="):
                self.environment = environment(self.world, line.rstrip("\n").partition("=")[2])
                return self
        _, said = self._process.communicate(timeout=PATIENCE_S)
        raise UsageError(said.strip() or "the server ended without a word")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise GraderFault("the server did not end when it was asked to") from None


def environment(world: Path, connect_to: str) -> dict[str, str]:
    """What a program in the real world needs to meet this world: hosts, disk, descriptors, CPUs; and no proxy on the
    way."""
    said = json.loads(world.read_text())
    found = {"CO_CONNECT_TO": connect_to, "CO_CPUS": str(said.get("cpus", 4)), "no_proxy": "*"}
    if "disk" in said or "descriptors" in said:
        found["CO_DISK"] = str(world.resolve())
    return found


def find_world(lab: labs.Lab | None, word: str) -> Path:
    """The world file that is meant: a path, or the name of one of the lab's; the lab's default for "". Raises
    UsageError."""
    if word and Path(word).is_file():
        return Path(word)
    if not lab:
        raise UsageError(f"WORLD={word}: there is no such file" if word
                         else "say which world, as in: make serve WORLD=my.json, or LAB=03 WORLD=mixed.json")
    there = sorted(path.name for path in lab.worlds.glob("*.json"))
    name = word or ("default.json" if "default.json" in there else (there or [""])[0])
    if name not in there:
        raise UsageError(f"WORLD={word}: there is no such file; labs/{lab.slug}/worlds "
                         f"has {', '.join(there) or 'none'}")
    return lab.worlds / name


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "serve": serves until Ctrl-C. Raises UsageError, LabError."""
    parser = argparse.ArgumentParser(prog="looplab serve", description="A world file as real servers on this machine.")
    parser.add_argument("--world", metavar="F", default="", help="a world file, or the name of one of the lab's")
    parser.add_argument("--lab", metavar="L", default="", help="whose worlds are meant")
    options = parser.parse_args(argv)
    world = find_world(labs.resolve(options.lab, root) if options.lab else None, options.world)
    # also where a shell has started us in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _serve(world, root)
    except KeyboardInterrupt:
        pass
    return 0


def _serve(world: Path, root: Path) -> None:
    """Serves until Ctrl-C, which it lets pass."""
    with Server(world, root) as server:
        print("\n".join(server.lines[:-1]))
        variables = " ".join(f"{name}={value}" for name, value in server.environment.items())
        print(f"\nIn another terminal: env {variables} make run LAB=02 REAL=1 URLS=\"…\"\nCtrl-C ends it.", flush=True)
        server._process.wait()


def without_proxies() -> dict[str, str]:
    """This process's environment, but for proxies: a served world is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
