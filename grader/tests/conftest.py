"""A house with toy labs, whose programs are functions of the test: for the plugin, the session and the command line.

Nothing is compiled and no process started: what a run writes and how it ends is said by the test.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

# Tests that press Ctrl-C or hang up start programs which would ignore it if we were started in the background, where a
# shell lets the one be ignored, or under nohup, which lets the other.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

from looplab.grading import program_lab, session
from looplab.running import build, coverage, process
from looplab.running.build import Program
from looplab.running.process import Outcome
from story import OK, Story, overlapped

def keep_to_one_core() -> None:
    """Each worker of a session that runs tests side by side keeps to one core, with all that it starts: what is
    moved from core to core costs up to twice the processor time on a virtual machine."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")[2:]
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        with contextlib.suppress(OSError):      # where that is not allowed it is only slower
            os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


keep_to_one_core()

LONG = ["test_corpus.py", "test_sim.py", "test_lab06.py", "test_watch.py", "test_watch_signals.py", "test_labs.py",
        "test_deps.py", "test_report.py", "test_examples.py", "test_real.py", "test_compare.py", "test_hostile.py",
        "test_judge.py", "test_build.py", "test_slides.py", "test_process.py", "test_coverage.py"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs, where several run")


PARTS = {"test_corpus.py": 6, "test_sim.py": 4, "test_watch.py": 2}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take long begin first: else one that begins last is waited for by all cores but one. A file's
    tests stay together, as they share what they have built; of some, a part of them."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))
    for number, item in enumerate(items):
        name = item.path.name
        item.add_marker(pytest.mark.xdist_group(f"{name}-{number % PARTS.get(name, 1)}"))


@dataclass
class Ran:
    """One process that was started."""

    binary: str                     # "cover" or "asan"
    argv: list[str]
    world: dict
    env: dict = field(default_factory=dict)

    def option(self, name: str) -> Optional[str]:
        return self.argv[self.argv.index(name) + 1] if name in self.argv else None


@dataclass
class End:
    """What a process leaves behind."""

    trace: Optional[str]
    exit: Optional[int] = 0
    signal: Optional[str] = None
    limit: Optional[str] = None
    stdout: str = ""
    stderr: str = ""
    cpu_s: float = 0.0


def well(ran: Ran) -> End:
    """A right program: every URL of the world at once, 10 ms the first, 20 ms the second, …"""
    urls = [site["url"] + route["path"] for site in ran.world["sites"] for route in site["routes"]]
    return End(overlapped(urls, [10.0 * (i + 1) for i in range(len(urls))]).text())


def ending(story: Story, **how: Any) -> Callable[[Ran], End]:
    """A program that always leaves this trace behind."""
    return lambda ran: End(story.text(), **how)


@dataclass
class House:
    root: Path
    behave: Callable[[Ran], End] = well
    build_fails: Optional[BaseException] = None
    advice: tuple = ()
    coverage: coverage.Coverage | Exception = field(default_factory=lambda: coverage.Coverage(10, 10, 4, 4, ()))
    ran: list[Ran] = field(default_factory=list)
    killed: int = 0

    def lab(self, checks: Optional[str], slug: str = "01-toy", hidden: str = "") -> Path:
        """Adds a lab; checks: the body of test_visible.py, after its imports. None: it has none."""
        folder = self.root / "labs" / slug
        folder.mkdir(parents=True)
        name = slug[3:]
        (folder / f"{name}.c").write_text("/* a skeleton */\n/* TODO 1: write it. */\n")
        (folder / f"{name}.h").write_text("")
        (folder / "main.c").write_text("")
        if checks is not None:
            (folder / "test_visible.py").write_text(IMPORTS + checks)
        if hidden:
            there = self.root / "grader" / "hidden" / slug
            there.mkdir(parents=True)
            (there / "test_hidden.py").write_text(IMPORTS + hidden)
        return folder


IMPORTS = "from looplab import Fault, World, ms, points\n" \
          "def urls(n):\n    world = World().site('http://a.test')\n" \
          "    for i in range(n):\n        world.route(f'/{i}', latency=ms(10 * (i + 1)), " \
    "body='hello')\n    return world\n\n"


class FakeRunning:
    def __init__(self, house: House, end: End):
        self.house, self.end = house, end

    def finish(self) -> Outcome:
        known = {"exit": None if self.end.signal else self.end.exit, "signal": self.end.signal, "limit": self.end.limit,
                 "stdout": self.end.stdout, "stderr": self.end.stderr, "cpu_s": self.end.cpu_s}
        return Outcome(**{name: known.get(name, 0) for name in (field.name for field in fields(Outcome))})

    def kill(self) -> None:
        self.house.killed += 1


class FakeMeasuring:
    def __init__(self, found: coverage.Coverage | Exception):
        self.found = found

    def finish(self) -> coverage.Coverage:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """An empty house: add labs, say how their programs behave, and grade with cli.main([...], root=house.root)."""
    house = House(tmp_path / "house")
    house.root.mkdir()
    monkeypatch.chdir(house.root)
    monkeypatch.delenv("LOOPLAB_STUDENT", raising=False)
    monkeypatch.setenv("LOOPLAB_JUDGE", "0")        # its programs are none that could be served

    def make(lab: Any, source_dir: Path, work: Path) -> Program:
        if house.build_fails:
            raise house.build_fails
        work.mkdir(parents=True)
        source = work / lab.source
        source.write_bytes((source_dir / lab.source).read_bytes())
        return Program(lab, work, source, work / "cover", work / "asan", house.advice, work / "cover.gcda",
                       source.read_bytes(), b"")

    def start(argv: list, **options: Any) -> FakeRunning:
        words = [str((options["cwd"] / word).resolve()) if str(word).startswith("../") else str(word) for word in argv]
        ran = Ran(Path(words[0]).name, words[1:], {}, options.get("env") or {})
        world = ran.option("--world")
        ran.world = json.loads(Path(world).read_text()) if world else {}
        house.ran.append(ran)
        if ran.option("--memory"):
            Path(ran.option("--memory") or "").write_text(f"{1000 if '--help' in ran.argv else 5000}\n")
        if "--help" in ran.argv:
            return FakeRunning(house, End(None))
        end = house.behave(ran)
        if end.trace is not None:
            Path(ran.option("--trace") or "").write_text(end.trace)
        return FakeRunning(house, end)

    monkeypatch.setattr(build, "build", make)
    monkeypatch.setattr(process, "start", start)
    # no real process is there to make one run after the other in
    monkeypatch.setattr(session.Session, "_start_with_others", session.Session._start)
    monkeypatch.setattr(coverage, "start", lambda program: FakeMeasuring(house.coverage))
    assert session.process is process and program_lab.build is build
    return house


__all__ = ["End", "House", "OK", "Ran", "ending", "well"]
