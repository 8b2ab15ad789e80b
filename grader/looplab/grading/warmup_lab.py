"""The lab whose student's files are many small programs: each is compiled into a library of its own, which one program
of the kit loads when it runs (labs/00-warmups/main.c).

What is linked once for all need not be linked for each, and a file that does not compile is nobody else's affair. Each
is run in the world of its file and in the twist, without sanitizers; and the first of these runs is made once more, and
must do the same.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Sequence, Union

from ..asking.call import Call
from ..asking.check import Check
from ..asking.world import World
from ..course import warmups
from ..course.lab import Lab
from ..course.warmups import Expected, Warmup
from ..plain import together
from ..plain.failure import Cause, CheckFailed, Failure, GraderFault
from ..reading import small
from ..reading.trace import first_difference
from ..running import build, process
from ..running.fence import of_compilers
from .kind import Kind
from .recorded import Recorded
from .session import Session

FOLDER = "parts"
_LINK = ["-Wl,--build-id=none"]
_GCC = ["-fno-use-linker-plugin"]       # which takes longer to load than all there is to link
_FLAGS = ["-O0", "-g1", "-fPIC", "-shared", "-nostdlib", "-fdiagnostics-color=never", "-fmax-errors=20", "-MMD", "-MF",
          "cover.d"]
_CHANCE = Cause("not deterministic", "does it read a variable that was never set, or ask the machine (a clock, a "
                                     "process number, random numbers)?")


@dataclass(frozen=True)
class Part:
    """A file that has become a library."""

    library: Path
    untouched: str      # of a file that is as it was handed out: its TODO, "01-kettle.c:9: TODO: …"; "" of another


class WarmupLab(Kind):
    """What is built is each file by itself."""

    def __init__(self) -> None:
        self._pool: Optional[ThreadPoolExecutor] = None
        self._parts: dict[str, Future[Part]] = {}

    def build(self, lab: Lab, source_dir: Path, work: Path) -> build.Program:
        """The program that loads the files, in its place. Raises build.BuildError, and build.Ungradable where no file
        is there at all."""
        if not any((source_dir / name).is_file() for name in lab.sources):
            raise build.Ungradable(f"no warm-up is there: the folder that is graded must hold {lab.sources[0]}, "
                                   "or others like it")
        ready, whole = lab.kit / lab.slug / "program", work / "cover"
        if not ready.is_file():
            raise build.BuildError(f"build/kit/{lab.slug}/program is missing: run `make grade`, which builds it")
        (work / FOLDER).mkdir(parents=True)
        try:
            os.link(ready, whole)
        except OSError:
            shutil.copy2(ready, whole)
        (work / "counts").touch()
        return build.Program(lab=lab, work=work, source=work / lab.source, cover=whole, asan=whole, advice=(),
                             counts=work / "counts", text=b"", notes=b"")

    def measured(self, program: build.Program) -> build.Program:
        """Nothing is."""
        return program

    def begin(self, session: Session, checks: Sequence[Check]) -> None:
        """Starts to compile the files of these checks, so many at a time as there are cores."""
        self._pool = ThreadPoolExecutor(together.cores())
        for name in session.lab.sources:
            if any(f"[{name[:-2]}]" in check.id for check in checks):
                self._parts[name] = self._pool.submit(_compile, session.lab.part(name), session.source_dir,
                                                      session.work / "build" / FOLDER / name[:-2])

    def end(self) -> None:
        """Nothing more need be compiled."""
        if self._pool:
            for part in self._parts.values():
                part.cancel()
            self._pool.shutdown()

    def check(self, session: Session, check: Check, warmup: Warmup) -> None:
        """Raises CheckFailed when the file is not what it should be."""
        check.src = None
        try:
            part = self._parts[warmup.source].result()
        except build.Ungradable as failed:
            cause = Cause("not compiled", f"{failed.src}: mend that first, no run was made", failed.src) \
                if failed.src and ":" in failed.src else None
            raise CheckFailed(Failure("the file compiles", str(failed), cause), _replay(session, warmup)) from None
        except build.BuildError as failed:
            raise GraderFault(str(failed)) from None
        runs = []
        for expected in warmup.runs:
            recorded = self._run(session, check, part, warmup, expected)
            runs.append(_shown(warmup, recorded))
            if not runs[-1].right(expected):
                break
        found = small.verdict(warmup, runs)
        check.virtual_ns = runs[0].took
        if found:
            number, failure = found
            if part.untouched:
                src, _, text = part.untouched.partition(": ")
                failure = replace(failure, cause=Cause("not begun", f"{src} is still to be written: {text}", src))
            raise CheckFailed(failure, _replay(session, warmup, warmup.runs[number]), runs[number].took)

    def _run(self, session: Session, check: Check, part: Part, warmup: Warmup, expected: Expected) -> Recorded:
        """One run; in the world of its file it is made twice. Raises CheckFailed when the second one is another."""
        world = World(seed=session.seed).text()
        if expected.world:
            world = warmups.world_of(session.lab, expected).read_text(encoding="utf-8")
        library = os.path.join("..", "..", "..", os.path.relpath(part.library, session.work))
        called = Call("run", world, (library,), settings=expected.settings)
        one = session.small_run(check, called)
        if not one.outcome.limit and not expected.twist:
            two = session.small_run(check, called)
            if (one.text, one.outcome.stdout) != (two.text, two.outcome.stdout):
                _, here, there = first_difference(one.text, two.text)
                parts = f": {here[:100]} and {there[:100]}" if here != there else " in what they print"
                raise CheckFailed(Failure("two runs in the same world do the same", f"they part{parts}", _CHANCE),
                                  _replay(session, warmup, expected))
        return one


def _shown(warmup: Warmup, recorded: Recorded) -> small.Shown:
    trace = recorded.trace
    said = re.search(r"^not loaded: (.*)$", recorded.outcome.stderr, re.M)
    if said and trace and not trace.report("start"):
        missing = re.search(r"undefined symbol: (\w+)", said[1])
        name = missing[1].replace("__wrap_", "") if missing else "warmup"
        why = f"{warmup.source} does not define warmup()" if name == "warmup" \
            else f"{warmup.source} uses {name}, which is defined nowhere"
        failure = Failure("the function warmup() is called", why)
        return small.Shown((), None, "exit", failure)
    return small.shown(recorded.outcome, trace)


def _replay(session: Session, warmup: Warmup, expected: Optional[Expected] = None) -> str:
    """The command that shows a run."""
    words = [f"make run LAB={session.lab.number} MODE={warmup.number}"]
    if session.source_dir.resolve() != session.lab.folder.resolve():
        words.append(f"FROM={shlex.quote(session.short(session.source_dir))}")
    if expected and expected.world:
        words.append(f"WORLD={expected.world}")
    if expected and expected.settings:
        words.append(f'SET="{" ".join(expected.settings)}"')
    return " ".join(words)


def _compile(lab: Lab, source_dir: Path, work: Path) -> Part:
    """One file. Raises build.Ungradable, build.BuildError."""
    text = build.read_source(lab, source_dir)
    work.mkdir(parents=True)
    work = work.resolve()
    (work / lab.source).write_bytes(text)
    cc = build.compiler()
    more = [] if "clang" in build.name_of(cc) else _GCC
    words: list[Union[str, Path]] = [*cc, *more, *_LINK, f"@{lab.root / 'sim/kit/student.flags'}", *_FLAGS,
                                     f"-I{lab.root / 'sim/include'}", f"-I{lab.folder}",
                                     f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={lab.root}=.", lab.source,
                                     "-lgcc", f"@{lab.root / 'sim/kit/link.flags'}", "-o", "part.so"]
    outcome = process.run(words, limits=build.LIMITS, cwd=work, env=build.environment(), launch=lab.launch,
                          fence=of_compilers(lab, work))
    build._check_includes(lab, work)
    if not outcome.ok:
        raise build._fault(lab, work, outcome)
    return Part(work / "part.so", _todo(lab, text) if text == (lab.folder / lab.source).read_bytes() else "")


def _todo(lab: Lab, text: bytes) -> str:
    """The first TODO of a file, with its place."""
    found = re.search(r"/\* TODO: ((?:[^*]|\*(?!/))*)\*/", text.decode("utf-8", "replace"))
    if not found:
        return ""
    line = text.decode("utf-8", "replace").count("\n", 0, found.start()) + 1
    said = " ".join(word for word in found[1].split() if word != "*")
    return f"{lab.source}:{line}: {said}"
