"""What the page asks the grader: which runs a warm-up is graded by, and what they are worth. In the page this file and
the grader's own run in Pyodide, which is Python compiled to WebAssembly; `make page` and the tests run it natively.

Nothing is judged here: WarmupLab does that, as in `make grade`, and the report's own code draws. This file stands in
for what lies between them and a program: a compiler's word and the runs come from the page (js/worker.js).
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import sys
import types
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Optional

ROOT = Path(__file__).resolve().parents[2]
SLUG = "00-warmups"
WORK = Path("/tmp/looplab-page")


def _without_linux() -> None:
    """Pyodide's Python lacks what only Linux has: those modules are empty there, and none of it is called."""
    for name in ("fcntl", "resource", "termios", "tty", "pwd", "grp", "_posixsubprocess"):
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)


def _with_linux_errors() -> None:
    """There an error has WASI's number; programs in the page have Linux's (c/include/errno.h)."""
    if sys.platform == "emscripten":
        text = (ROOT / "grader/page/c/include/errno.h").read_text(encoding="utf-8")
        errno.errorcode.clear()
        for name, number in re.findall(r"^#define (E\w+) (\d+)$", text, re.M):
            errno.errorcode[int(number)] = name
            setattr(errno, name, int(number))


_without_linux()
_with_linux_errors()
sys.path.insert(0, str(ROOT / "grader"))

from looplab.asking.call import Call                        # noqa: E402
from looplab.asking.check import Check                      # noqa: E402
from looplab.asking.world import World                      # noqa: E402
from looplab.course import lab as labs, warmups             # noqa: E402
from looplab.course.lab import Lab                          # noqa: E402
from looplab.course.warmups import Expected, Warmup         # noqa: E402
from looplab.grading import warmup_lab                      # noqa: E402
from looplab.grading.desk import TRACE_END                   # noqa: E402
from looplab.grading.recorded import Recorded               # noqa: E402
from looplab.plain.failure import CheckFailed, GraderFault  # noqa: E402
from looplab.reading.trace import TraceError, read, read_cut    # noqa: E402
from looplab.report import page, writer                     # noqa: E402
from looplab.running import build, process                  # noqa: E402


def plan(seed: int) -> list[dict]:
    """All that the page must know of each warm-up to run it: its text, and the worlds and settings of its runs."""
    lab = labs.load(SLUG, ROOT)
    return [{"name": one.name, "title": one.title, "idea": one.idea, "prepares": one.prepares, "hint": one.hint,
             "text": (lab.folder / one.source).read_text(encoding="utf-8"),
             "runs": [{"world": _world(lab, run, seed), "settings": run.settings, "twist": run.twist}
                      for run in one.runs]} for one in warmups.read(lab)]


def _world(lab: Lab, run: Expected, seed: int) -> str:
    return warmups.world_of(lab, run).read_text(encoding="utf-8") if run.world else World(seed=seed).text()


class _Session:
    """A grading whose runs have been made already."""

    def __init__(self, lab: Lab, told: dict, runs: tuple[Expected, ...]):
        self.lab, self.seed, self.work, self.source_dir = lab, told["seed"], WORK, WORK / "mine"
        self._told = {(run.settings, _world(lab, run, self.seed)): list(made) for run, made in zip(runs, told["runs"])}
        self._last: Optional[Recorded] = None

    def small_run(self, check: Check, called: Call) -> Recorded:
        """The next run with these settings, in this world."""
        made = self._told[called.settings, called.world].pop(0)
        limit = made["limit"]
        text = "" if limit else made["trace"]
        outcome = process.Outcome(made["exit"], made["signal"], limit, process.readable(made["stdout"].encode()),
                                  process.readable(made["stderr"].encode()), 0.0, 0.0)
        try:
            trace = None if "\n" not in made["trace"] else read_cut(*_ends(made["trace"])) if limit else read(text)
        except TraceError:
            trace, outcome = None, replace(outcome, limit="trace")
        self._last = Recorded(check, called, "", outcome, text, trace)
        return self._last

    def short(self, path: Path) -> str:
        """How a folder is named in a command."""
        return path.name

    def recorded_of(self, check: Check) -> Optional[Recorded]:
        """The run that decided."""
        return self._last

    def reference_text(self, called: Call) -> str:
        """No solution is in the page."""
        return ""


def _ends(text: str) -> tuple[str, str]:
    """The two ends of a trace, as Desk.ends() reads them."""
    return text[:TRACE_END], "\n" + text[-TRACE_END:]


def judge(told: dict, progress: Callable[[str], None] = lambda said: None) -> dict:
    """The verdict on one file, as results.json has it of a check, and the report's page in "report".

    told: {"name": "07-taking-turns", "text": the file, "seed": 7, "compiler": {"exit": 0, "stderr": ""},
    "runs": [[the plain run, the same again], [the twist]]}, each of them as js/machine.js says it.
    """
    lab = labs.load(SLUG, ROOT)
    warmup = warmups.one(lab, f"{told['name']}.c")
    shutil.rmtree(WORK, ignore_errors=True)
    mine = WORK / "mine"
    mine.mkdir(parents=True)
    (mine / warmup.source).write_text(told["text"], encoding="utf-8")
    part = lab.part(warmup.source)
    session = _Session(part, told, warmup.runs)
    check = Check(f"test_warmup[{warmup.name}]", f"{warmup.number} {warmup.title}", "correctness", 2, "", alone=True)
    kind = warmup_lab.WarmupLab()
    kind._parts[warmup.source] = _compiled(part, mine, told["compiler"])
    try:
        kind.check(session, check, warmup)      # type: ignore[arg-type]
        check.passed()
    except CheckFailed as failed:
        check.failed(failed.failure.text(), failed.failure.src)
        check.replay = failed.replay
        check.virtual_ns = check.virtual_ns if failed.virtual_ns is None else failed.virtual_ns
    except GraderFault as fault:
        check.faulty(str(fault))
    return {"id": check.id, "title": check.title, "status": check.status, "score": check.score,
            "max_score": check.worth, "message": check.message, "src": check.src, "replay": check.replay,
            "virtual_ns": check.virtual_ns, "report": _report(session, check, warmup)}


def _compiled(lab: Lab, mine: Path, compiler: dict) -> Future:
    """What WarmupLab would have of its own compiler."""
    done: Future = Future()
    try:
        text = build.read_source(lab, mine)
        outcome = process.Outcome(compiler["exit"], None, None, "", compiler["stderr"], 0.0, 0.0)
        if not outcome.ok:
            raise build._fault(lab, mine, outcome)
        untouched = text == (lab.folder / lab.source).read_bytes()
        done.set_result(warmup_lab.Part(WORK / "part.so", warmup_lab._todo(lab, text) if untouched else ""))
    except (build.Ungradable, build.BuildError) as failed:
        done.set_exception(failed)
    return done


def _report(session: _Session, check: Check, warmup: Warmup) -> str:
    """The page that draws the run; "" where there is none."""
    subject = writer.of_check(session, check)       # type: ignore[arg-type]
    return page.render(subject) if subject else ""


def judged(told: str) -> str:
    """The same, as JSON: for the page."""
    return json.dumps(judge(json.loads(told)))
