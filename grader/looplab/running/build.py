"""A student's file becomes a program, twice: one build counts coverage, one finds faults of memory.

What is wrong with the file itself (missing, empty, does not compile, lacks a function) is raised as
Ungradable, in one sentence a student can act on. What is wrong with the kit or the machine is a BuildError.
No path of this machine gets into a message: files are named by their last part only.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import stat
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

from ..course.lab import Lab
from . import code, gate, notes, process
from .fence import of_compilers

LARGEST = 1 << 20
"""Bytes of the largest file that is taken for a student's."""

MOST_ADVICE = 20
"""How many warnings are handed on."""

COUNTING = ["--coverage", "-fprofile-update=atomic"]
"""Counts lines, also those that several threads run at the same time."""

LIMITS = process.Limits(cpu_s=8, wall_s=20.0, memory=1 << 30, resident=None, file=256 * process.MIB,
                        output=8 * process.MIB, threads=None, processes=True)
"""For one compiler run. Even a file made to keep the compiler busy ends within seconds."""

# Without optimisation: at -O1 the compiler removes a malloc with its free, and a write past the end that nobody
# reads, before the sanitizer can see them.
_FLAGS = {
    "cover": ["-O0", *COUNTING, "-MMD", "-MF", "cover.d"],
    "asan": ["-O0", "-fsanitize=address,undefined"],
}

STATIC = ["-static-libasan", "-static-libubsan"]
"""For linking with sanitizers. Their search for leaks takes a stop of its own in each shared library that is loaded:
with these a run costs half as much. Not every machine has them as archives."""

# What an older compiler may not know.
# A variable that is read before it was set holds the same in every run (the stack itself holds what differs from
# process to process, such as a canary), and another value in the other build: that shows as two different results.
# Since gcc 12.
# -fstack-usage lists the functions of a file, also those that are kept from being counted.
_NEWER = {
    "cover": ["-ftrivial-auto-var-init=pattern", "-Wno-trivial-auto-var-init", "-fstack-usage"],
    "asan": ["-ftrivial-auto-var-init=zero", "-Wno-trivial-auto-var-init"],
}


class Ungradable(Exception):
    """The file cannot be graded. `message` is for the student; `src` is "compare.c:12", "compare.c" or None.

    str() is both in one line, ready to print.
    """

    def __init__(self, message: str, src: str | None = None):
        super().__init__(message)
        self.message = message
        self.src = src

    def __str__(self) -> str:
        return f"{self.src}: {self.message}" if self.src and ":" in self.src else self.message


class BuildError(Exception):
    """The grader's or the machine's fault (no compiler, the kit is not built), in one line."""


@dataclass(frozen=True)
class Advice:
    """A compiler warning. It costs no points."""

    src: str        # "compare.c:12"
    text: str       # "unused variable 'x'"


@dataclass(frozen=True)
class Program:
    """What build() made. The folders stay until the caller removes work_dir."""

    lab: Lab
    work: Path                      # holds everything below
    source: Path                    # the copy that was compiled: work/compare.c
    cover: Path                     # the program that counts coverage
    asan: Path                      # the program with sanitizers
    advice: tuple[Advice, ...]      # in the order of their lines
    counts: Path                    # where the runs of `cover` add up how often each line ran
    text: bytes = field(repr=False)     # the student's file, as it was compiled: a run may do what it likes to the copy
    notes: bytes = field(repr=False)    # of the compiler, on the lines that are counted
    early: bool = False                 # code of the student's runs before the kit's first step (gate.py)

    def line(self, src: str | None) -> str:
        """The text of a source line, stripped: line("compare.c:31"). "" for a place outside the student's file."""
        name, _, number = (src or "").partition(":")
        if name != self.lab.source or not number.isdigit():
            return ""
        lines = code.lines(self.text)
        if not 1 <= int(number) <= len(lines):
            return ""
        return process.readable(lines[int(number) - 1]).strip()


def compiler() -> list[str]:
    """The compiler's command: CC from the environment, else gcc. Raises BuildError when there is none."""
    command = shlex.split(os.environ.get("CC", "")) or ["gcc"]
    if shutil.which(command[0]) is None:
        raise BuildError(f"there is no compiler {command[0]!r} on this machine: run `make deps`")
    return command


def name_of(command: Sequence[str]) -> str:
    """Which compiler that is: "gcc-13" of ["ccache", "/usr/bin/gcc-13", "-m64"]."""
    return os.path.basename(next((word for word in reversed(command) if not word.startswith("-")), ""))


def build(lab: Lab, source_dir: Path, work_dir: Path) -> Program:
    """Compiles source_dir/<lab.source> both ways, at the same time, in work_dir (made if missing).

    Raises Ungradable or BuildError. Nothing of source_dir but that one file is read.
    """
    text = read_source(lab, source_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    work = work_dir.resolve()
    (work / lab.source).write_bytes(text)

    cc = compiler()
    _require_kit(lab)
    env = environment()
    static = static_sanitizers(lab, work)
    cover, asan = _compile(lab, work, cc, env, {**_NEWER, "asan": [*_NEWER["asan"], *static]})
    if any(not outcome.ok and re.search("-f(trivial-auto-var-init|stack-usage)", outcome.stderr)
           for outcome in (cover, asan)):
        cover, asan = _compile(lab, work, cc, env, {"asan": static})
    _check_includes(lab, work)      # first, for what is wrong in a foreign file is not to be told
    for outcome in (cover, asan):
        if not outcome.ok:
            raise _fault(lab, work, outcome)
    counts, told = counted(work)
    _check_counted(lab, work, told)
    return Program(lab=lab, work=work, source=work / lab.source, cover=work / "cover", asan=work / "asan",
                   advice=_advice(lab, cover), counts=counts, text=text, notes=told,
                   early=gate.begins_early((work / "cover.o").read_bytes()))


def static_sanitizers(lab: Lab, work: Path) -> list[str]:
    """STATIC where the compiler has what that takes, and else nothing. (clang links so by itself.)

    Raises process.LaunchError.
    """
    cc = compiler()
    if "clang" in name_of(cc):
        return []
    asked = [process.start([*cc, f"-print-file-name=lib{name}.a"], limits=LIMITS, cwd=work, env=environment(),
                           launch=lab.launch, fence=of_compilers(lab, work)) for name in ("asan", "ubsan")]
    return STATIC if all(os.path.isabs(running.finish().stdout) for running in asked) else []


def environment() -> dict[str, str]:
    """What a compiler needs of the environment."""
    return {name: os.environ[name] for name in ("PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH", "LIBRARY_PATH")
            if name in os.environ}


def counted(work: Path) -> tuple[Path, bytes]:
    """Where the runs of the one program that was built in `work` will add up their counts, and the compiler's notes.
    The file is made, empty: they may write to it, but not make one."""
    path = next(iter(work.glob("*.gcno")), None)
    if path is None:
        raise BuildError("the compiler wrote no notes for gcov")
    counts = path.with_suffix(".gcda")
    counts.touch()
    return counts, path.read_bytes()


def _compile(lab: Lab, work: Path, cc: list[str], env: dict[str, str],
             more: dict[str, list[str]]) -> tuple[process.Outcome, process.Outcome]:
    """Both builds, at the same time. more: flags that an older compiler may not know."""
    with ThreadPoolExecutor(len(_FLAGS)) as pool:
        cover, asan = pool.map(lambda way: _compile_one(lab, work, cc, env, way, more.get(way, [])), _FLAGS)
    return cover, asan


def _compile_one(lab: Lab, work: Path, cc: list[str], env: dict[str, str], way: str,
                 more: list[str]) -> process.Outcome:
    """Compiles, takes the names out of sight that are nobody's business, and links. The outcome of the first step that
    failed, else of the compiler, with its warnings."""
    compiled = None
    for words in ([*cc, *more, *_arguments(lab, work, way), "-c", lab.source, "-o", f"{way}.o"],
                  gate.shut(lab, f"{way}.o"),
                  [*cc, *more, *_FLAGS[way], f"{way}.o", *_others(lab, way), "-o", way]):
        outcome = process.run(words, limits=LIMITS, cwd=work, env=env, launch=lab.launch,
                              fence=of_compilers(lab, work))
        if not outcome.ok:
            return outcome
        compiled = compiled or outcome
    assert compiled
    return compiled


def read_source(lab: Lab, source_dir: Path) -> bytes:
    """The student's file, if it can be one. Raises Ungradable. Never blocks, whatever lies there."""
    name = lab.source
    path = source_dir / name
    try:
        if path.is_symlink() and source_dir.resolve() not in path.resolve(strict=True).parents:
            raise Ungradable(f"{name} is a link to a file elsewhere: hand in the file itself", name)
        # Without waiting: opening a FIFO would else last until somebody writes to it.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, RuntimeError) as error:        # RuntimeError: Python's word for a loop of links
        number = getattr(error, "errno", errno.ELOOP)
        if number in (errno.ENOENT, errno.ENOTDIR):
            raise Ungradable(f"{name} is missing: the folder that is graded must hold it", name) from None
        if number in (errno.ENXIO, errno.ENODEV):
            raise Ungradable(f"{name} is not a regular file", name) from None
        raise Ungradable(f"{name} cannot be read: {os.strerror(number)}", name) from None
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder, not a file" if stat.S_ISDIR(mode) else "not a regular file"
            raise Ungradable(f"{name} is {what}", name)
        with open(fd, "rb", closefd=False) as file:
            text = file.read(LARGEST + 1)
    finally:
        os.close(fd)
    if len(text) > LARGEST:
        raise Ungradable(f"{name} is larger than {LARGEST >> 20} MiB", name)
    if b"\0" in text:
        line = len(code.lines(text[:text.index(b"\0")]))
        raise Ungradable("a NUL byte: this is not a plain text file (save it as UTF-8)", f"{name}:{line}")
    if not text.strip():
        raise Ungradable(f"{name} is empty", name)
    if not re.sub(rb"//[^\n]*|/\*.*?(?:\*/|\Z)", b"", text, flags=re.DOTALL).strip():
        raise Ungradable(f"{name} holds nothing but comments", name)
    _check_directives(name, code.Code(text))
    return text


# ---- Below: how ------------------------------------------------------------------------------------

def _require_kit(lab: Lab) -> None:
    """Raises BuildError when make has not built what a program is linked from."""
    for asan in (False, True):
        for path in (lab.library(asan), lab.main_object(asan), lab.launch, lab.names):
            if not path.is_file():
                where = path.relative_to(lab.root) if path.is_relative_to(lab.root) else path.name
                raise BuildError(f"{where} is missing: run `make grade`, which builds it")


def _arguments(lab: Lab, work: Path, way: str) -> list[str]:
    """The compiler's arguments. It runs in `work`, so the file is just "compare.c" to it, in __FILE__ and in DWARF."""
    return [f"@{lab.root / 'sim/kit/student.flags'}", *_FLAGS[way], "-fdiagnostics-color=never", "-fmax-errors=20",
            f"-I{lab.root / 'sim/include'}", f"-I{lab.folder}", "-include", lab.header,
            f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={lab.root}=."]


def _others(lab: Lab, way: str) -> list[str]:
    """What the student's file is linked with.

    The whole library, needed or not, so that a second co_sleep in the student's file is always an error.
    """
    asan = way == "asan"
    counts = [] if asan else ["-Wl,-u,__gcov_dump,-u,__gcov_reset"]         # forks.c calls them, where they are
    return [*counts, str(lab.main_object(asan)), "-Wl,--whole-archive", str(lab.library(asan)),
            "-Wl,--no-whole-archive", f"@{lab.root / 'sim/kit/link.flags'}"]


_MESSAGE = re.compile(r"(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:\d+:)? "
                      r"(?P<kind>(?:[Ff]atal )?error|Error|warning|note): (?P<text>.*)")
_UNDEFINED = re.compile(r"undefined reference to [`'](?P<name>\w+)'")
_MULTIPLE = re.compile(r"multiple definition of [`'](?P<name>\w+)'")
_PREVIOUS = re.compile(r"previous (?:definition|declaration) (?:of|is here)|originally defined here|previously defined "
                       r"here")
_OWN = "only {source} is handed in, so it must not need other files of yours"


def _fault(lab: Lab, work: Path, outcome: process.Outcome) -> Exception:
    """Why a compiler run failed, as the exception to raise."""
    lines = outcome.stderr.splitlines()
    if outcome.limit or re.search(r"signal terminated program|terminated (?:with|by) signal|out of memory|"
                                  r"virtual memory exhausted|memory exhausted", outcome.stderr):
        return Ungradable(f"{lab.source} is too much for the compiler: it used up its time or memory", lab.source)
    for index, line in enumerate(lines):
        match = _MESSAGE.fullmatch(line)
        if match and match["kind"].lower().endswith("error"):
            return _compile_fault(lab, work, match, lines[:index], lines[index + 1:])
    # A pragma has named a file, about which the compiler complains without a line.
    if match := re.search(r"^cc1: (?:fatal )?error: (\S+): ", outcome.stderr, re.MULTILINE):
        return Ungradable(f"{lab.source} has the compiler look for {Path(match[1]).name}, which is no part of the lab: "
                          + _OWN.format(source=lab.source), lab.source)
    found = _link_fault(lab, lines)
    if isinstance(found, Ungradable):
        return found
    compiled, missing = _without_it(lab, work)
    names = [match["name"] for line in lines if (match := _UNDEFINED.search(line))]
    if compiled and names and not missing & set(names):
        return Ungradable(f"{lab.source} uses {names[0]}, which is defined nowhere", lab.source)
    said = _without_paths(lines[0]) if lines else f"exit {outcome.exit}, {outcome.signal}"
    if compiled and not names:
        return Ungradable(f"{lab.source} cannot be built: {said}", lab.source)
    return found or BuildError(f"the compiler failed: {said}")


def _without_it(lab: Lab, work: Path) -> tuple[bool, set[str]]:
    """Does what the student's file is built with work on an empty one? And which names are then missing. What fails
    only with the student's file is the file's doing, whatever the compiler says of it."""
    folder = work / "empty"
    folder.mkdir(exist_ok=True)
    (folder / lab.source).write_text("typedef int nothing;\n")
    cc, others = compiler(), _others(lab, "cover") if lab.main_object().is_file() else ["-shared", "-nostdlib"]
    for words in ([*cc, *_arguments(lab, folder, "cover"), "-c", lab.source, "-o", "empty.o"],
                  [*cc, *_FLAGS["cover"], "empty.o", *others, "-o", "empty"]):
        outcome = process.run(words, limits=LIMITS, cwd=folder, env=environment(), launch=lab.launch,
                              fence=of_compilers(lab, folder))
    missing = {match["name"] for line in outcome.stderr.splitlines() if (match := _UNDEFINED.search(line))}
    return outcome.ok or bool(missing), missing


def _compile_fault(lab: Lab, work: Path, error: re.Match[str], before: list[str], after: list[str]) -> Exception:
    """The first error of the compiler, in words."""
    file, text = Path(error["file"]), _plain(error["text"])
    src = f"{file.name}:{error['line']}"
    # the assembler, about its input: an asm statement it does not know
    if file.suffix == ".s" or file.name == "<inline asm>":
        return Ungradable(f"an asm statement in {lab.source} is wrong: {text}", lab.source)
    if not _belongs(lab, work, file):
        return _foreign(lab, work, file)
    if file.name != lab.source:                 # an error in a header stems from what the file did before or around it
        src = next((f"{lab.source}:{m[1]}" for line in reversed(before)
                    if (m := re.search(rf"from {re.escape(lab.source)}:(\d+)", line))), src)
    if match := re.fullmatch(r"(.+): No such file or directory|'(.+)' file not found", text):
        if error["kind"] == "fatal error":
            return Ungradable(f"there is no file {Path(match[1] or match[2]).name} to include: "
                              + _OWN.format(source=lab.source), src)
    if match := re.fullmatch(r"(?:cannot open file '(.+)'|(.+)): Permission denied", text):     # behind the fence
        return _foreign(lab, work, Path(match[1] or match[2]))
    note = next((m for line in after if (m := _MESSAGE.fullmatch(line)) and m["kind"] != "warning"), None)
    if note and (note["kind"] != "note" or not _PREVIOUS.search(note["text"])):
        note = None
    where = f"{Path(note['file']).name}:{note['line']}" if note else ""
    if match := re.match(r"conflicting types for '(\w+)'", text):
        if note and Path(note["file"]).name == lab.header:
            return Ungradable(f"{match[1]} is not what {lab.header} declares: "
                              f"{_declaration(lab, int(note['line']))}", src)
        return Ungradable(f"{match[1]} is declared in two different ways"
                          + (f", the other one at {where}" if note else ""), src)
    if match := re.match(r"static declaration of '(\w+)' follows non-static declaration", text):
        if note and Path(note["file"]).name == lab.header:
            return Ungradable(f"{match[1]} must not be static: {lab.header} declares it for others to call", src)
    if note:
        return Ungradable(f"{text} (the first one: {where})", src)
    return Ungradable(text, src)


def _link_fault(lab: Lab, lines: list[str]) -> Exception | None:
    """The first error of the linker, in words."""
    student = re.compile(rf"(?:^|[\s/:;]){re.escape(lab.source)}:(\d+)")
    for line in lines:
        if match := _MULTIPLE.search(line):
            here = student.search(line)
            src = f"{lab.source}:{here[1]}" if here else lab.source
            if match["name"] == "main":
                return Ungradable("main is the kit's, in main.c: take your own main out of the file", src)
            return Ungradable(f"{match['name']} exists already in the kit: give yours another name, or make it static",
                              src)
    missing = [(match["name"], student.search(line)) for line in lines if (match := _UNDEFINED.search(line))]
    # What main.c calls is what the header asks for; it tells more than a name that the file itself got wrong.
    contract = set(re.findall(r"\w+", (lab.folder / lab.header).read_text()))
    asked = list(dict.fromkeys(name for name, here in missing if here is None and name in contract))
    if asked:
        names = " and ".join([", ".join(asked[:-1]), asked[-1]] if len(asked) > 1 else asked)
        return Ungradable(f"{lab.source} does not define {names}, which {lab.header} declares", lab.source)
    for name, here in missing:
        if here:
            name = name.removeprefix("__wrap_")
            return Ungradable(f"calls {name}, which is defined nowhere", f"{lab.source}:{here[1]}")
    if missing:
        return BuildError(f"the kit is not whole: nothing defines {missing[0][0]}")
    if any("relocation truncated" in line or "section too large" in line for line in lines):
        return Ungradable(f"{lab.source} has more static data than a program can hold", lab.source)
    return None


def _declaration(lab: Lab, line: int) -> str:
    """What the header says from this line to the semicolon, on one line."""
    rest = (lab.folder / lab.header).read_text().split("\n")[line - 1:]
    return " ".join("\n".join(rest).split(";")[0].split())


def _belongs(lab: Lab, work: Path, file: Path) -> bool:
    """May the student's file include this one?"""
    full = (work / file).resolve()
    system = full.is_relative_to("/usr") or full.is_relative_to("/opt") or full.is_relative_to("/Library")
    inside_house = full.is_relative_to(lab.root.resolve())
    kit = full.is_relative_to((lab.root / "sim" / "include").resolve()) or full == (lab.folder / lab.header).resolve()
    return full == work / lab.source or kit or (system and not inside_house and full.suffix in (".h", ""))


def _foreign(lab: Lab, work: Path, file: Path) -> Ungradable:
    """The student's file includes what it must not: another's solution, a file of the machine."""
    text, name = code.lines((work / lab.source).read_bytes()), os.fsencode(file.name)
    line = next((number for number, line in enumerate(text, 1) if b"include" in line and name in line), None)
    message = f"includes {file.name}, which is no part of the lab: " + _OWN.format(source=lab.source)
    return Ungradable(message, f"{lab.source}:{line}") if line else Ungradable(f"{lab.source} {message}", lab.source)


def _check_includes(lab: Lab, work: Path) -> None:
    """Raises Ungradable when the compiler read a file that is no part of the lab, as far as it got."""
    if not (work / "cover.d").exists():
        return
    for name in _prerequisites(os.fsdecode((work / "cover.d").read_bytes())):
        if not _belongs(lab, work, Path(name)):
            raise _foreign(lab, work, Path(name))


def _check_directives(name: str, text: code.Code) -> None:
    """Raises Ungradable when the compiler is told to see other lines than the file's, or to build them otherwise."""
    if number := text.renumbered():
        raise Ungradable("a #line directive: lines keep the number they have in the file, so take it out",
                         f"{name}:{number}")
    if found := text.own_way():
        number, word = found
        raise Ungradable(f"{word}: every file is compiled in the same way, so take it out", f"{name}:{number}")


def _check_counted(lab: Lab, work: Path, told: bytes) -> None:
    """Raises Ungradable when the file keeps one of its functions from being counted."""
    counted_on = Counter(notes.read(told, lab.source).functions)
    for path in work.glob("*.su") if counted_on else ():
        for line in path.read_text("utf-8", "replace").split("\n"):
            match = re.match(rf"{re.escape(lab.source)}:(\d+):\d+:(?!_sub_[ID]_\d+_\d+\t)([^\t]+)", line)
            if match and not counted_on[int(match[1])]:
                raise Ungradable(f"{match[2]} is kept from being counted (no_profile_instrument_function): "
                                 "take that out", f"{lab.source}:{match[1]}")
            counted_on[int(match[1]) if match else 0] -= 1


def _prerequisites(rule: str) -> list[str]:
    """The files that a rule for make names, as the compilers write it: a blank and a "#" have a backslash before
    them, a "$" is doubled, and quotes mean nothing."""
    words = re.split(r"(?<!\\)\s+", rule.replace("\\\n", " ").partition(": ")[2].strip())
    return [re.sub(r"(\\*)\1\\([ \t#])", r"\1\2", word).replace("$$", "$") for word in words if word]


def _advice(lab: Lab, outcome: process.Outcome) -> tuple[Advice, ...]:
    """The warnings about the student's file. Both builds give the same ones."""
    found = set()
    for line in outcome.stderr.splitlines():
        match = _MESSAGE.fullmatch(line)
        if match and match["kind"] == "warning" and Path(match["file"]).name == lab.source:
            found.add((int(match["line"]), _plain(match["text"])))
    return tuple(Advice(f"{lab.source}:{line}", text) for line, text in sorted(found)[:MOST_ADVICE])


def _plain(text: str) -> str:
    """A message without the compiler's own marks and without paths."""
    return _without_paths(re.sub(r" \[-W[^\]]*\]$", "", text))


def _without_paths(text: str) -> str:
    return re.sub(r"(?<![\w.])/(?:[^\s/:'`]+/)+", "", text)
