"""`looplab compare`: a lab's program in its virtual world, and the very same program in that world served for real.

It agrees if every real run in which the requests end in the predicted order has the same results, and the best of all
the same times, too: it takes as long as predicted, within 3 % or 5 ms, and its requests end in the same order wherever
two ends were predicted to lie more than 10 ms apart. The best one, since a busy machine makes a run late, and nothing
makes it early. Where none will do, what this machine needs to open as many connections at once is measured apart, with
a client that does nothing else: so much later it may be. Where that does not do either, as many runs are made once
more.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..course import lab as labs
from ..course.lab import Lab
from ..plain.duration import show
from ..plain.failure import GraderFault, UsageError
from ..plain.text import count, cut
from ..reading.trace import Trace, TraceError, read
from ..running.serving import Server, find_world, promptly, without_proxies
from . import differential, example, results
from .differential import NEAR_PART, near

SMALL = 100             # bytes: an answer that is all connection
APART = 10_000_000      # ns: two ends that lie further apart must keep their order
_TIMES = re.compile(
    r"(^|_)(ns|ms|t|at|time|took|elapsed|speedup|throughput|rate|per_s|per_second|started|ended|waited|busy)($|_)"
    r"|_(ns|ms|s)$")
LONGEST_S = 300.0


@dataclass(frozen=True)
class Made:
    """One run."""

    trace: Trace

    @property
    def elapsed(self) -> int:
        """ns from the call of the student's function to its return."""
        if self.trace.took is None:
            raise UsageError("this mode reports no beginning and no end, so there is nothing to compare; "
                             "choose another MODE")
        return self.trace.took

    @property
    def ends(self) -> list[tuple[str, int]]:
        """(URL and which of its requests, ns from the start) of every request that ended, in their order."""
        start = self.trace.report("start")
        seen: dict[str, int] = {}
        which = {}
        for request in self.trace.requests:
            seen[request.url] = seen.get(request.url, 0) + 1
            which[request.op] = f"{request.url} #{seen[request.url]}"
        return [(which[request.op], request.end - (start["t"] if start else 0)) for request in self.trace.finished]

    @property
    def result(self) -> Any:
        report = self.trace.report("result")
        return report["value"] if report else None


@dataclass(frozen=True)
class Comparison:
    """What came of it."""

    predicted: Made
    real: list[Made]
    late: int = 0               # ns that this machine needs for so many connections at once; 0: not measured

    @property
    def best(self) -> Made:
        """The run in which least differs, and the quickest of those."""
        def off(made: Made) -> tuple[int, int]:
            wrong = differences(self.predicted.result, made.result, late=self.late) \
                + swapped(self.predicted, made, self.late)
            return len(wrong), made.elapsed

        return min(self.real, key=off)

    @property
    def in_order(self) -> list[Made]:
        """The runs in which the requests ended in just the order that was predicted, where several end at one instant,
        too; all, if there is none. In another order other tasks go on first, and what follows from that (who takes the
        next job) is another legal run's."""
        names = [name for name, _ in self.predicted.ends]
        return [made for made in self.real if [name for name, _ in made.ends] == names] or self.real

    @property
    def differences(self) -> list[str]:
        """Of the results, in words: what is no time in any run that kept the order, and all there is in the best."""
        said = [one for made in self.in_order for one in differences(self.predicted.result, made.result, times=False)]
        return list(dict.fromkeys([*said, *differences(self.predicted.result, self.best.result, late=self.late)]))

    @property
    def swapped(self) -> list[str]:
        """Ends in another order, in words."""
        return swapped(self.predicted, self.best, self.late)

    @property
    def on_time(self) -> bool:
        return near(self.predicted.elapsed, self.best.elapsed, self.late)

    @property
    def agrees(self) -> bool:
        return self.on_time and not self.differences and not self.swapped


# ---- comparing --------------------------------------------------------------------------------


def differences(predicted: Any, real: Any, where: str = "result", times: bool = True, late: int = 0) -> list[str]:
    """Where two results differ. Times may differ as much as clocks do (and `late` ns), or (times=False) at will; they
    are known by their names. Workers are alike: where two of them become free at one instant, either may take the next
    job, so what each has done is compared in any order. How long it took to be refused, or to learn that a host is
    unknown, is not compared: no server can hold that back."""
    if isinstance(predicted, dict) and isinstance(real, dict):
        # here that comes at once
        refused = predicted.get("error") == real.get("error") in (-errno.ECONNREFUSED, -errno.ENXIO)
        keys = [key for key in sorted({*predicted, *real}) if not (refused and _is_time(key))]
        return [one for key in keys for one in differences(predicted.get(key), real.get(key), f"{where}.{key}", times,
                                                                late)]
    if isinstance(predicted, list) and isinstance(real, list) and len(predicted) == len(real):
        if where.endswith(".workers"):
            predicted, real = (sorted(each, key=lambda one: json.dumps(one, sort_keys=True))
                               for each in (predicted, real))
        return [one for i, pair in enumerate(zip(predicted, real))
                for one in differences(*pair, f"{where}[{i}]", times, late)]
    if predicted == real or (_is_time(where) and _numbers(predicted, real)
                             and (not times or near(predicted, real, late))):
        return []
    if _is_time(where) and _numbers(predicted, real) and not isinstance(predicted, int) \
            and abs(predicted - real) <= NEAR_PART * abs(predicted):
        return []
    return [f"{where}: predicted {_short(predicted)}, really {_short(real)}"]


def _is_time(where: str) -> bool:
    return bool(_TIMES.search(re.sub(r"\[\d+\]$", "", where).rsplit(".", 1)[-1]))


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _short(value: Any) -> str:
    return cut(json.dumps(value), 60)


def swapped(predicted: Made, real: Made, late: int = 0) -> list[str]:
    """Pairs of requests whose ends were to lie more than 10 ms (and `late` ns) apart, and came the other way round."""
    at = dict(real.ends)
    ends = [(name, t) for name, t in predicted.ends if name in at]
    found = []
    for i, (first, t) in enumerate(ends):
        later = next((name for name, u in ends[i + 1:] if u - t > APART + late and at[name] < at[first]), None)
        if later:
            found.append(f"{later} ended before {first}, which was to end {show(dict(ends)[later] - t)} earlier")
    return found


# ---- running ----------------------------------------------------------------------------------


def _make(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        error = next((line for line in done.stderr.split("\n") if "error:" in line), done.stderr.strip())
        raise UsageError(f"{what}: {error}")


def linked(source: Path, work: Path, root: Path) -> Path:
    """The program of one C file that has a main, for both worlds; it lies in `work`. Raises UsageError."""
    kit, sim, made = root / "build" / "kit", root / "sim", work / source.stem
    cc = shlex.split(os.environ.get("CC", "")) or ["gcc"]
    _make([*cc, f"@{sim}/kit/student.flags", "-O1", f"-I{sim}/include", str(source), str(kit / "libco-real.a"),
           str(kit / "libco.a"), f"@{sim}/kit/link.flags", f"@{sim}/kit/real.flags", "-o", str(made)],
          f"{source.name} does not compile")
    return made


class Program:
    """A lab's program that knows both worlds: one binary, so what is compared is the worlds and nothing else."""

    def __init__(self, lab: Lab, folder: Path, work: Path):
        self.lab, self.work = lab, work
        self.binary = work / "program"
        kit, cc = lab.kit, shlex.split(os.environ.get("CC", "")) or ["gcc"]
        student = work / "student.o"
        _make([*cc, f"@{lab.root}/sim/kit/student.flags", "-O1", f"-I{lab.root}/sim/include", f"-I{lab.folder}",
                    "-include",
                    str(lab.folder / lab.header), "-c", str(folder / lab.source), "-o", str(student)],
                   f"{lab.source} does not compile")
        _make([*cc, str(student), str(lab.main_object()), str(kit / "libco-real.a"), str(lab.library()),
                    f"@{lab.root}/sim/kit/link.flags",
                    f"@{lab.root}/sim/kit/real.flags", "-o", str(self.binary)],
                   "the program does not link with the real world")

    def run(self, arguments: list[str], environment: dict[str, str]) -> Made:
        """One run in a folder of its own. Raises UsageError for one that does not come to an end with a trace."""
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            trace = Path(folder) / "trace"
            try:
                done = subprocess.run([str(self.binary), "--trace", str(trace), *arguments], cwd=folder,
                                      capture_output=True, text=True,
                                      env={**without_proxies(), "CO_WORLD": "", **environment}, timeout=LONGEST_S,
                                      preexec_fn=promptly)
            except subprocess.TimeoutExpired:
                raise UsageError(f"the program did not end within {LONGEST_S:.0f} s") from None
            if done.returncode not in (0, 1) or not trace.exists():
                raise UsageError("the program ended with exit "
                                 f"code {done.returncode}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
            try:
                return Made(read(trace.read_text()))
            except TraceError as fault:
                raise GraderFault(f"its trace is damaged: {fault}") from None


def compare(program: Program, world: Path, mode: str, settings: list[str], runs: int) -> Comparison:
    """One run in the virtual world, `runs` in the same world served for real; as many again if the machine was busy,
    and needs more than its connections explain."""
    words = [word for setting in settings for word in ("--set", setting)]
    tail = [mode] if mode else []
    predicted = program.run(["--world", str(world.resolve()), *words, *tail], {})
    real: list[Made] = []
    late = 0
    for number in range(2 * runs):
        if number == runs and Comparison(predicted, real).agrees:
            break
        if number == runs:
            late = opening(program, predicted.trace.peak)
            if Comparison(predicted, real, late).agrees:
                break
        _tell(f"run {number % runs + 1} of {runs}{', once more' if number >= runs else ''}: "
              f"{show(predicted.elapsed)} each")
        with Server(world, program.lab.root) as server:
            real.append(program.run(["--real", *words, *tail, *urls(world)], server.environment))
    _tell("")
    return Comparison(predicted, real, late)


def opening(program: Program, number: int) -> int:
    """ns that this machine needs at the least to send so many requests at once, each over a connection of its own, and
    to receive their answers, besides the time that the answers take. 0 where the client that finds out is not there."""
    source = program.lab.root / "sim" / "tests" / "real" / "actor.c"
    if not source.is_file() or number == 0:
        return 0
    _tell(f"what {count(number, 'connection')} at once cost here")
    actor = linked(source, program.work, program.lab.root)
    stage = differential.Stage(program.lab.root, program.work, actor=actor)
    return min(differential.lateness(stage, number, SMALL) for _ in range(3))


def urls(world: Path) -> list[str]:
    """The URLs of a world's routes, in the file's order, as the program takes them by itself."""
    said = json.loads(world.read_text())
    return [site["url"] + route["path"] for site in said.get("sites", []) for route in site.get("routes", [])]


def _tell(text: str) -> None:
    """How far it is, on a terminal."""
    if sys.stderr.isatty():
        print("\r" + text.ljust(60) + ("" if text else "\r"), end="", file=sys.stderr, flush=True)


# ---- telling ----------------------------------------------------------------------------------


def told(comparison: Comparison, title: str) -> str:
    """Both runs' key figures side by side, and what differs."""
    one, many, best = comparison.predicted, comparison.real, comparison.best
    part = f"{100 * (best.elapsed / one.elapsed - 1):+.2f} %" if one.elapsed else ""
    rows = [("", "predicted", "real", ""), ("elapsed", show(one.elapsed), show(round(best.elapsed, -3)), part),
            ("requests", str(len(one.trace.requests)), str(len(best.trace.requests)), ""),
            ("most in flight", str(one.trace.peak), str(best.trace.peak), ""),
            ("connections opened", str(one.trace.opened), str(best.trace.opened), ""),
            ("results", "", "the same" if not comparison.differences
             else f"{count(len(comparison.differences), 'difference')}", ""),
            ("order of completion", "",
             "the same" if not comparison.swapped else f"{count(len(comparison.swapped), 'pair')} swapped", "")]
    lines = [title, ""] + [f"  {name:20}{left:>16}{right:>18}  {rest}".rstrip() for name, left, right, rest in rows]
    lines += [""] + [f"  {one}" for one in [*comparison.differences[:5], *comparison.swapped[:5]]]
    spread = f", between {show(round(min(m.elapsed for m in many), -3))} " \
        f"and {show(round(max(m.elapsed for m in many), -3))}" if len(many) > 1 else ""
    lines.append(f"  best of {count(len(many), 'real run')}{spread}; load {os.getloadavg()[0]:.1f}")
    if comparison.late:
        lines.append(f"  Opening {count(one.trace.peak, 'connection')} at once takes "
                     f"{show(round(comparison.late, -3))} on this machine, measured apart: that much later is no "
                     "difference.")
    if not comparison.on_time:
        lines.append("  The real run lies more than 3 % and 5 ms from the prediction. Was the machine busy? What the "
                     "program computes takes time there.")
    lines.append("  " + ("They agree." if comparison.agrees else "They do not agree."))
    return "\n".join(line for line in lines) + "\n"


def as_json(comparison: Comparison, lab: Lab, world: Path, mode: str) -> dict[str, Any]:
    """compare.json (looplab/compare/v1)."""
    return {"schema": "looplab/compare/v1", "lab": lab.slug, "world": world.name, "mode": mode,
            "predicted_s": comparison.predicted.elapsed / 1e9,
            "real_s": comparison.best.elapsed / 1e9, "opening_s": comparison.late / 1e9,
            "same_results": not comparison.differences,
            "same_order": not comparison.swapped,
            "agrees": comparison.agrees, "runs_s": [made.elapsed / 1e9 for made in comparison.real],
            "peak": [comparison.predicted.trace.peak, max(made.trace.peak for made in comparison.real)],
            "opened": [comparison.predicted.trace.opened, max(made.trace.opened for made in comparison.real)],
            "differences": comparison.differences + comparison.swapped, "load": round(os.getloadavg()[0], 1)}


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "compare". Exit code 0: they agree, 1: they do not. Raises UsageError, LabError,
    GraderFault."""
    parser = argparse.ArgumentParser(prog="looplab compare", description="A lab's program in its virtual world and in "
                                                                         "the same world served for real.")
    parser.add_argument("--lab", metavar="L", help="1, 01 or 01-sync-vs-async")
    parser.add_argument("--example", metavar="N", help="instead of a lab: an example that has a world of its own")
    parser.add_argument("--random", metavar="N", help="instead of a lab: N worlds and clients drawn by chance")
    parser.add_argument("--seed", metavar="N", default="1",
                        help="with --random: where the draws start from (default: 1)")
    parser.add_argument("--from", dest="source", metavar="DIR", default="labs",
                        help="where the lab's file is (default: labs)")
    parser.add_argument("--world", metavar="F", default="", help="a world file, or the name of one of the lab's "
                                                                 "(default: its default.json)")
    parser.add_argument("--mode", metavar="M", default="", help="the program's mode (default: its first)")
    parser.add_argument("--set", dest="settings", metavar='"A=1"', default="", help="settings, blanks between them")
    parser.add_argument("--runs", metavar="N", default="5", help="how many real runs (default: 5)")
    parser.add_argument("--out", metavar="DIR", default="", help="writes DIR/compare.json")
    options = parser.parse_args(argv)
    if not options.runs.isdigit() or not 1 <= int(options.runs) <= 100:
        raise UsageError(f"RUNS={options.runs}: expected a number from 1 to 100")
    if options.example:
        return _an_example(options.example, int(options.runs), options.out, root)
    if options.random:
        return _at_random(options.random, options.seed, root)
    if not options.lab:
        raise UsageError("say which lab, as in: make compare LAB=03; EXAMPLE=24; or RANDOM=200 for worlds drawn by "
                         "chance")
    lab = labs.resolve(options.lab, root)
    if lab.suite or lab.warmups:
        raise UsageError(f"lab {lab.number} has no worlds to be served: there is nothing to compare")
    world = find_world(lab, options.world)
    source = Path(options.source) if options.source != "labs" or Path("labs").is_dir() else root / "labs"
    folder = next((folder for folder in (source / lab.slug, source) if (folder / lab.source).is_file()), None)
    if not folder:
        raise UsageError(f"FROM={options.source}: it holds no {lab.source}")
    with tempfile.TemporaryDirectory() as work:
        comparison = compare(Program(lab, folder, Path(work)), world, options.mode, options.settings.split(),
                             int(options.runs))
    print(told(comparison, f"lab {lab.number}, {options.mode or 'default mode'}, {world.name}"), end="")
    _keep(as_json(comparison, lab, world, options.mode), options.out)
    return results.OK if comparison.agrees else results.BELOW


def _keep(said: dict[str, Any], out: str) -> None:
    """OUT/compare.json, where one was asked for."""
    if out:
        Path(out).mkdir(parents=True, exist_ok=True)
        (Path(out) / "compare.json").write_text(json.dumps(said, indent=1) + "\n")


def _an_example(word: str, runs: int, out: str, root: Path) -> int:
    """An example beside its world served for real. Raises UsageError."""
    source = example.find(word, root)
    _tell(f"{source.stem}, up to {count(runs, 'run')}")
    with tempfile.TemporaryDirectory() as work:
        comparison = example.compare(linked(source, Path(work), root), source.with_suffix(".json"), Path(work), root,
                                     runs)
    _tell("")
    print(comparison.told(source.stem), end="")
    _keep(comparison.as_json(source.stem), out)
    return results.BELOW if comparison.differences else results.OK


def _at_random(number: str, seed: str, root: Path) -> int:
    """Plays so many situations drawn by chance. Raises UsageError."""
    for name, value in (("RANDOM", number), ("SEED", seed)):
        if not value.isdigit() or not 1 <= int(value) <= 1_000_000:
            raise UsageError(f"{name}={value}: expected a number from 1 to 1000000")
    try:
        import hypothesis   # noqa: F401
    except ImportError:
        raise UsageError("drawing worlds needs Hypothesis: make deps-dev installs it (python3-hypothesis)") from None
    with tempfile.TemporaryDirectory() as work:
        return differential.main(int(number), int(seed), root, Path(work))
