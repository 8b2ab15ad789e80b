"""How often each line and each outcome of a condition ran, as the compiler's own tool counts it.

gcc's gcov says it in JSON, which repeats nothing of the student's file but names, in quotes: no form feed and no
comment can look like a count. The tools of other compilers have no JSON; them gcovr reads, beside a copy of the file
whose lines say nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import process
from .build import Program, compiler, name_of
from .code import Code
from .fence import Fence, of_compilers

LIMITS = replace(process.TOOL, output=64 * process.MIB)


class CoverageError(Exception):
    """gcov or gcovr is missing or does not work: the grader's fault, in one line."""


class Refused(Exception):
    """The student's file, or what its runs left, cannot be counted: in one line, to a student."""


@dataclass(frozen=True)
class Count:
    """Of one line."""

    times: int                      # how often it ran
    outcomes: tuple[int, ...]       # how often each outcome of its conditions happened


def read(program: Program, code: Code, folder: Path) -> dict[int, Count]:
    """Line -> count, for each line the compiler made code of. The cover build must not run meanwhile.

    folder: an empty one, to work in: with the notes as the compiler wrote them, whatever a run has left beside the
    program. Raises CoverageError or Refused.
    """
    (folder / program.counts.name).with_suffix(".gcno").write_bytes(program.notes)
    counts = _plain_file(program.counts) or None        # empty: no run has added to it
    try:
        if counts is not None:
            (folder / program.counts.name).write_bytes(counts)
            found = _read(program, code, folder)
            if found is not None:
                return found
            (folder / program.counts.name).unlink()
        found = _read(program, code, folder)
    except process.LaunchError as error:
        raise CoverageError(f"{error}: run `make deps`") from error
    if found is None:
        raise CoverageError(f"{' '.join(_gcov())} does not count the lines of a program that never ran")
    if counts is not None:
        raise Refused("the counts that its runs left are broken: does it write to files that it did not make?")
    return found


# ---- Below: how ------------------------------------------------------------------------------------

def _gcov() -> list[str]:
    """The gcov that understands this compiler's counts: gcc-13 goes with gcov-13."""
    cc = name_of(compiler())
    if "clang" in cc:
        return [cc.replace("clang", "llvm-cov"), "gcov"]
    return [cc.replace("gcc", "gcov") if "gcc" in cc else "gcov"]


def _plain_file(path: Path) -> bytes | None:
    """What a run has left there; None for what is no file, or far too large for one."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", closefd=False) as file:
            return file.read(LIMITS.file)
    finally:
        os.close(fd)


def _read(program: Program, code: Code, folder: Path) -> dict[int, Count] | None:
    """None: what the tool says cannot be understood. Raises LaunchError or Refused."""
    try:
        return _added((_by_gcov if len(_gcov()) == 1 else _by_gcovr)(program, code, folder))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _by_gcov(program: Program, code: Code, folder: Path) -> list[dict[str, Any]]:
    said = _run(program, [*_gcov(), "--stdout", "--json-format", "--branch-probabilities", program.counts.name], folder)
    # What else it says stands in front: of counts that are not there, or are broken.
    told = [line for line in said.split("\n") if line.startswith("{")]
    files = json.loads("".join(told[-1:]))["files"]
    return [line for file in files if file["file"] == program.lab.source for line in file["lines"]]


def _by_gcovr(program: Program, code: Code, folder: Path) -> list[dict[str, Any]]:
    (folder / program.lab.source).write_text("".join(f"{'code;' if code.holds_code(number) else '}'}\n"
                                                     for number in range(1, code.length + 1)))
    said = _run(program, ["gcovr", "--root", ".", "--filter", re.escape(program.lab.source) + "$", "--json", "-",
                          "--gcov-ignore-parse-errors", "--gcov-executable", " ".join(_gcov())], folder)
    return [line for file in json.loads(said)["files"] for line in file["lines"] if not line.get("gcovr/noncode")]


def _run(program: Program, command: list[str], folder: Path) -> str:
    """What it prints."""
    outcome = process.run(command, limits=LIMITS, cwd=folder, launch=program.lab.launch,
                          fence=_fence(program, command[0], folder),
                          env={"PATH": os.environ.get("PATH", os.defpath)})
    if outcome.limit:
        raise Refused("that takes too long: does one line, or one macro, hold many loops and conditions?")
    return outcome.stdout


def _fence(program: Program, tool: str, folder: Path) -> Fence:
    place = shutil.which(tool)
    return Fence((Path(place).parent,) if place else (), (folder,), tools=True,
                 within=of_compilers(program.lab, program.work))


def _added(records: list[dict[str, Any]]) -> dict[int, Count]:
    """A line of which the tool tells twice (of two functions on it) has the sum of both."""
    found: dict[int, Count] = {}
    for record in records:
        number, before = record["line_number"], found.get(record["line_number"], Count(0, ()))
        found[number] = Count(before.times + max(0, record["count"]),
                              before.outcomes + tuple(branch["count"] for branch in record["branches"]))
    return found
