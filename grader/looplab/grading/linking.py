"""How a suite is compiled, and linked with scrapers."""

from __future__ import annotations

import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Iterable, Sequence

from ..course.lab import Lab
from ..running import build, gate, process
from ..running.fence import of_compilers

VISIBLE = "scraper.c"
LIBRARIES = ["-lcmocka"]
AT_ONCE = 2                 # processes at a time
_OPEN = ["-Wl,--unresolved-symbols=ignore-all", "-Wl,-z,lazy"]     # what is missing is looked for when it is called


def build_suite(lab: Lab, source_dir: Path, work_dir: Path) -> build.Program:
    """Compiles the suite, and links it with the visible scraper: with counters of coverage, and with sanitizers.

    Raises build.Ungradable or build.BuildError.
    """
    text = build.read_source(lab, source_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    work = work_dir.resolve()
    (work / lab.source).write_bytes(text)
    shutil.copyfile(lab.folder / VISIBLE, work / VISIBLE)
    build._require_kit(lab)
    sanitize = ["-fsanitize=address,undefined"]
    common = [f"@{lab.root / 'sim/kit/student.flags'}", "-O0", "-fdiagnostics-color=never", "-fmax-errors=20",
              f"-I{lab.root / 'sim/include'}",
              f"-I{lab.folder}", f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={lab.root}=."]
    outcomes = gcc_all(lab, work, [
        [*common, "-MMD", "-MF", "cover.d", "-c", lab.source, "-o", "suite.o"],
        [*common, *sanitize, "-c", lab.source, "-o", "suite-asan.o"],
        [*common, *build.COUNTING, "-c", VISIBLE, "-o", "scraper.o"],
        [*common, *sanitize, "-c", VISIBLE, "-o", "scraper-asan.o"]])
    build._check_includes(lab, work)
    for outcome in outcomes:
        if not outcome.ok:
            raise build._fault(lab, work, outcome)
    advice = build._advice(lab, outcomes[0])
    for compiled in ("suite.o", "suite-asan.o"):
        outcome = process.run(gate.shut(lab, compiled), limits=build.LIMITS, cwd=work, launch=lab.launch,
                              fence=of_compilers(lab, work))
        if not outcome.ok:
            raise build._fault(lab, work, outcome)
    outcomes = gcc_all(lab, work, [
        ["--coverage", "suite.o", "scraper.o", *_kit(lab, whole=True), "-o", "cover"],
        [*sanitize, *build.static_sanitizers(lab, work), "suite-asan.o", "scraper-asan.o", *_kit(lab, asan=True),
         "-o", "asan"]])
    for outcome in outcomes:
        if not outcome.ok:
            raise build._fault(lab, work, outcome)
    counts, notes = build.counted(work)
    return build.Program(lab=lab, work=work, source=work / lab.source, cover=work / "cover", asan=work / "asan",
                         advice=advice, counts=counts, text=text, notes=notes,
                         early=gate.begins_early((work / "suite.o").read_bytes()))


def measured(program: build.Program) -> build.Program:
    """What coverage is counted of: the visible scraper."""
    return replace(program, lab=replace(program.lab, source=VISIBLE), source=program.work / VISIBLE,
                   text=(program.lab.folder / VISIBLE).read_bytes())


def _kit(lab: Lab, asan: bool = False, whole: bool = False) -> list[str]:
    """The rest of a program, for the linker. whole: also what is not needed, so that a name of the kit's in the suite
    is an error."""
    around = ("-Wl,--whole-archive", "-Wl,--no-whole-archive") if whole else ("", "")
    words = [lab.main_object(asan), around[0], lab.library(asan), around[1], f"@{lab.root / 'sim/kit/link.flags'}",
             *LIBRARIES]
    return [str(word) for word in words if word]


def gcc_all(lab: Lab, work: Path, commands: Iterable[Sequence[str]], fenced: bool = True) -> list[process.Outcome]:
    """Runs the compiler, a few at a time. fenced: on a student's file, so that it sees what such a one may."""
    cc = build.compiler()
    env, fence = build.environment(), of_compilers(lab, work) if fenced else None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda command: process.run([*cc, *command], limits=build.LIMITS, cwd=work, env=env,
                                                         launch=lab.launch, fence=fence), commands))


def link(lab: Lab, work: Path, made: dict[str, Path]) -> dict[str, Path]:
    """Links the program for all scrapers but the visible one: "linked", which finds scraper.so when it starts, and
    "open", which lacks one until it has loaded it (by --scraper), so that it need be started only once. Returns a
    folder for each build, in which scraper.so lies. The folders' names are numbers by chance: a name must not tell
    which scraper is in it. Raises build.Ungradable or build.BuildError."""
    numbers = random.SystemRandom().sample(range(100, 1000), len(made))
    folders = {name: work / "scrapers" / str(number) for name, number in zip(made, numbers)}
    for name, folder in folders.items():
        folder.mkdir(parents=True)
        try:
            os.link(made[name], folder / "scraper.so")
        except OSError:
            shutil.copyfile(made[name], folder / "scraper.so")
    some = next(iter(folders.values())) / "scraper.so"
    words = ["-rdynamic", str(work / "suite.o"), *_kit(lab, whole=True)]
    linked, _ = gcc_all(lab, work, [[*words, str(some), "-o", "linked"], [*words, *_OPEN, "-o", "open"]])
    if not linked.ok:
        raise build._fault(lab, work, linked)
    return folders
