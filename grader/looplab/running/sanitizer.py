"""What ASan, UBSan and LSan wrote on stderr, in a student's words.

    for finding in findings(outcome.stderr, program): finding.message, finding.src, finding.code

The sanitizers print bare addresses (symbolize=0, see process.py): to look up names they would read the debug
information of every library, which takes 90 ms a run. Here one addr2line looks up what lies in the
student's program, and only when there is a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from . import process
from .build import LIMITS, Program, compiler, environment, static_sanitizers
from .fence import Fence, of_compilers


LIFETIMES = ("use after free", "use after scope")
"""Kinds of findings in which somebody outlives what it uses."""

BOUNDS = ("heap buffer overflow", "stack buffer overflow", "global buffer overflow", "index out of bounds")
"""Kinds of findings in which an index is too large or too small."""

UNSET = ("misaligned pointer", "wild pointer")
"""Kinds of findings that are mostly a pointer full of garbage."""


@dataclass(frozen=True)
class Finding:
    """One fault of memory or arithmetic."""

    kind: str           # "use after free", "null pointer", "memory leak", "signed integer overflow", …
    # what happened there: "reads 4 bytes right past the end of a block of 40 bytes (allocated at compare.c:20)"
    message: str
    src: str | None     # "compare.c:31": the first frame in the student's file; None: not in the student's file
    code: str           # the text of that line, stripped; "" without src
    raw: str            # the sanitizer's own first line, without addresses
    within: str = field(default="",
                        compare=False)      # the student's function that it happened in or below: a task's, mostly


def said(stderr: str) -> bool:
    """Did a sanitizer say anything at all?"""
    return "Sanitizer" in stderr or "runtime error:" in stderr


def findings(stderr: str, program: Program) -> list[Finding]:
    """All findings in the order they were printed, each (kind, src) once. [] when there is nothing.

    A crash that UBSan announced on the same line is one finding, not two. A block that can only be reached through
    a leaked one is not listed.
    """
    reports = _split(stderr)
    if not reports:
        return []
    refused = re.search(r"WARNING: AddressSanitizer failed to allocate (0x[0-9a-f]+) bytes", stderr)
    frames = _Frames(reports, program)
    found: list[Finding] = []
    direct_leak = any(report.head.startswith("Direct leak") for report in reports)
    announced: set[str | None] = set()
    for report in reports:
        if direct_leak and report.head.startswith("Indirect leak"):
            continue
        src, kind, message = _explain(report, frames)
        if report.tool == "ubsan":
            if kind == "buffer overflow" and src in announced:
                continue
            announced.add(src)
        elif report.tool == "asan" and src is not None and src in announced:
            continue
        if kind == "null pointer" and refused:
            message += f" (there was no memory for a block of {_bytes(int(refused[1], 16))}: malloc returned NULL)"
        if any((kind, src) == (other.kind, other.src) for other in found):
            continue
        found.append(Finding(kind, message, src, program.line(src), _without_addresses(report.head),
                             frames.outermost(report.lines) or ""))
    return found


FORGED = "wrote to stderr what only the sanitizers write, which work here: take that out"
"""Of a program with trouble(), on a machine where they work_here()."""


def trouble(stderr: str) -> str | None:
    """Why the sanitizer itself did not work here: a fault of the machine, or words that the program has written. None:
    it worked."""
    match = _TROUBLE.search(stderr)
    return _without_addresses(match[0]) if match else None


def work_here(program: Program) -> bool:
    """Do the sanitizers work on this machine? Tried with a program that does nothing, built as that one is."""
    folder = program.work / "sanitizers"
    folder.mkdir(exist_ok=True)
    (folder / "nothing.c").write_text("int main(void) { return 0; }\n")
    fence = of_compilers(program.lab, folder)
    built = process.run([*compiler(), "-fsanitize=address,undefined", *static_sanitizers(program.lab, folder),
                         "nothing.c", "-o", "nothing"], limits=LIMITS, cwd=folder, env=environment(),
                        launch=program.lab.launch, fence=fence)
    if not built.ok:
        return False
    ran = process.run(["./nothing"], limits=process.ASAN, cwd=folder, launch=program.lab.launch,
                      fence=Fence((folder / "nothing",), (folder,)))
    return ran.ok and not said(ran.stderr)


# ---- The reports -----------------------------------------------------------------------------------

_TROUBLE = re.compile(
    r"^.*(?:LeakSanitizer has encountered a fatal error|LeakSanitizer does not work under ptrace|Shadow memory range "
    r"interleaves|ReserveShadowMemoryRange failed|runtime does not come first|AddressSanitizer: CHECK failed"
    r"|Sanitizer: failed to (?:mmap|allocate shadow|read)|Sanitizer CHECK failed).*$", re.MULTILINE)
_UBSAN = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d+):\d+: runtime error: (?P<text>.*)")
_ASAN = re.compile(r"==\d+==ERROR: AddressSanitizer: (?P<text>.*)")
_LEAK = re.compile(r"(?:Direct|Indirect) leak of (?P<bytes>\d+) byte\(s\) in (?P<blocks>\d+) object\(s\) allocated "
                   r"from:")
# Their functions are in the program itself where they are linked as archives, most often without lines.
_OF_THE_SANITIZERS = re.compile(r"\?\?|(asan|lsan|ubsan|sanitizer)_\w+\.cpp$")
_FRAME = re.compile(r"\s*#\d+ 0x[0-9a-f]+\s+\((?P<module>[^)+]*)\+(?P<offset>0x[0-9a-f]+)\)")


@dataclass
class _Report:
    """The lines of one report."""

    tool: str                       # "ubsan" "asan" "lsan"
    head: str                       # its first line
    match: re.Match[str]            # that line, taken apart
    lines: list[str] = field(default_factory=list)      # the others


def _split(stderr: str) -> list[_Report]:
    reports: list[_Report] = []
    for line in stderr.splitlines():
        for tool, pattern in (("ubsan", _UBSAN), ("asan", _ASAN), ("lsan", _LEAK)):
            if match := pattern.fullmatch(line):
                reports.append(_Report(tool, line, match))
                break
        else:
            if reports:
                reports[-1].lines.append(line)
    return reports


class _Frames:
    """Names and places of the addresses in the reports' stacks."""

    def __init__(self, reports: list[_Report], program: Program):
        self._program = program
        self._places: dict[str, tuple[str, str]] = {}
        matches = (_FRAME.match(line) for report in reports for line in report.lines)
        offsets = sorted({match["offset"] for match in matches if match and self._ours(match)})
        if not offsets:
            return
        outcome = process.run(["addr2line", "-f", "-e", str(program.asan), *offsets], limits=process.TOOL,
                              cwd=program.work, launch=program.lab.launch, 
                              fence=Fence((program.asan,), tools=True, within=of_compilers(program.lab, program.work)))
        answer = outcome.stdout.splitlines()
        for offset, name, place in zip(offsets, answer[0::2], answer[1::2]):
            file, _, line = place.partition(" (")[0].rpartition(":")
            if not _OF_THE_SANITIZERS.match(Path(file).name):
                self._places[offset] = (name, f"{Path(file).name}:{line}")

    def _ours(self, match: re.Match[str]) -> bool:
        return Path(match["module"]).name == self._program.asan.name

    def stack(self, lines: list[str]) -> list[tuple[str, str]]:
        """The first stack in these lines, innermost first: (function, "file.c:12"), both "?" outside the program."""
        frames: list[tuple[str, str]] = []
        for line in lines:
            if re.match(r"\s*#\d+ ", line):
                match = _FRAME.match(line)
                frames.append(self._places.get(match["offset"], ("?", "?")) if match and self._ours(match)
                              else ("?", "?"))
            elif frames:
                break
        return frames

    def place(self, lines: list[str]) -> str | None:
        """Where the student's file comes first in the first stack of these lines."""
        return next((src for _, src in self.stack(lines) if self.is_students(src)), None)

    def caller(self, lines: list[str]) -> str | None:
        """The kit's function that the student's file called there; None when it was a function of the libraries."""
        before = "?"
        for name, src in self.stack(lines):
            if self.is_students(src):
                break
            before = name
        return before if re.fullmatch(r"\w+", before) and not before.startswith("__") else None

    def outermost(self, lines: list[str]) -> str | None:
        """The student's function that the first stack of these lines began with: a task's, or one that the kit
        calls."""
        names = [name for name, src in self.stack(lines) if self.is_students(src)]
        return names[-1] if names else None

    def is_students(self, src: str) -> bool:
        return src.partition(":")[0] == self._program.lab.source


# ---- In words --------------------------------------------------------------------------------------

def _explain(report: _Report, frames: _Frames) -> tuple[str | None, str, str]:
    """(src, kind, message) of one report."""
    if report.tool == "ubsan":
        src = f"{Path(report.match['file']).name}:{report.match['line']}"
        kind, message = _explain_ubsan(report.match["text"])
        return src if frames.is_students(src) else frames.place(report.lines), kind, message
    if report.tool == "lsan":
        size, blocks = int(report.match["bytes"]), int(report.match["blocks"])
        caller = frames.caller(report.lines)
        what = f"{_bytes(size)} in {blocks} blocks" if blocks > 1 else _bytes(size)
        place = frames.place(report.lines)
        if place and _is_a_queues(frames.stack(report.lines), place):
            return place, "memory leak", f"the {what} of a queue that was filled here are never freed: " \
                "co_queue_destroy does it"
        by = f" that {caller} allocated here" if place and caller else " allocated here" if place else ""
        return place, "memory leak", f"{what}{by} {'is' if what == '1 byte' else 'are'} never freed"
    kind, message = _explain_asan(report, frames)
    stack = frames.stack(report.lines)
    if kind == "stack overflow" and len(stack) > 1 and frames.is_students(stack[1][1]):
        return stack[1][1], kind, message       # the call that did not fit, not the "{" of the function called
    return frames.place(report.lines), kind, message


def _explain_ubsan(text: str) -> tuple[str, str]:
    for pattern, kind, words in _UBSAN_WORDS:
        if match := re.match(pattern, text):
            return kind, words(match)
    return "undefined behaviour", _without_addresses(text)


_Words = Callable[[re.Match[str]], str]
_UBSAN_WORDS: list[tuple[str, str, _Words]] = [
    (r"signed integer overflow: (.+) cannot be represented in type '(.+?)'", "signed integer overflow",
     lambda m: f"{m[1]} does not fit into the type {m[2]}"),
    (r"negation of (\S+) cannot be represented in type '(.+?)'", "signed integer overflow",
     lambda m: f"-({m[1]}) does not fit into the type {m[2]}"),
    (r"division of (\S+) by -1 cannot be represented in type '(.+?)'", "signed integer overflow",
     lambda m: f"{m[1]} / -1 does not fit into the type {m[2]}"),
    (r"division by zero", "division by zero", lambda m: "divides by zero"),
    (r"shift exponent (-\d+) is negative", "wrong shift", lambda m: f"shifts by {m[1]} bits"),
    (r"shift exponent (\d+) is too large for (\d+)-bit type", "wrong shift",
     lambda m: f"shifts a value of {m[2]} bits by {m[1]} bits"),
    (r"left shift of (.+) cannot be represented in type '(.+?)'", "wrong shift",
     lambda m: f"the left shift of {m[1]} does not fit into the type {m[2]}"),
    (r"left shift of negative value (\S+)", "wrong shift", lambda m: f"shifts the negative value {m[1]} to the left"),
    (r"load of null pointer", "null pointer", lambda m: "reads through a null pointer"),
    (r"store to null pointer", "null pointer", lambda m: "writes through a null pointer"),
    (r"member access within null pointer of type '(.+?)'", "null pointer",
     lambda m: f"uses a member of a {m[1]} through a null pointer"),
    (r"null pointer passed as argument (\d+)", "null pointer",
     lambda m: f"passes a null pointer as argument {m[1]} to a function that does not take one"),
    (r"applying (?:non-)?zero offset(?: \d+)? to null pointer|.*null pointer", "null pointer",
     lambda m: "computes with a null pointer"),
    (r"index (-?\d+) out of bounds for type '(.+?)'", "index out of bounds",
     lambda m: f"index {m[1]} is out of bounds of an array {m[2]}"),
    (r"(load|store).* misaligned address \S+ for type '(.+?)', which requires (\d+) byte", "misaligned pointer",
     lambda m: f"{'reads' if m[1] == 'load' else 'writes'} {_a(m[2])} at an address that is not a multiple of {m[3]}"),
    (r".*misaligned address \S+ for type '(.+?)', which requires (\d+) byte", "misaligned pointer",
     lambda m: f"uses {_a(m[1])} at an address that is not a multiple of {m[2]}"),
    (r"(load of|store to) address \S+ with insufficient space for an object of type '(.+?)'", "buffer overflow",
     lambda m: f"{'reads' if m[1] == 'load of' else 'writes'} {_a(m[2])} where there is no room for one"),
    (r"load of value (\d+), which is not a valid value for type '(.+?)'", "invalid value",
     lambda m: f"reads {m[1]} from a {m[2]}: it was never set, or overwritten"),
    (r"variable length array bound evaluates to non-positive value (\S+)", "wrong array size",
     lambda m: f"makes an array of {m[1]} elements"),
    (r"execution reached (?:an unreachable program point|the end of a value-returning function)", "unreachable point",
     lambda m: "reaches a point that was declared unreachable"),
]


def _explain_asan(report: _Report, frames: _Frames) -> tuple[str, str]:
    text = report.match["text"]
    kind = text.split(" on ")[0].split(":")[0].split(" (")[0]
    access = next((m for line in report.lines if (m := re.match(r"(READ|WRITE) of size (\d+)", line))), None)
    does = "uses memory"
    if access:
        does = f"{'reads' if access[1] == 'READ' else 'writes'} {_bytes(int(access[2]))}"
    if kind in ("heap-buffer-overflow", "global-buffer-overflow", "stack-buffer-overflow", "stack-buffer-underflow",
                "dynamic-stack-buffer-overflow"):
        word = {"h": "heap", "g": "global", "s": "stack", "d": "stack"}[kind[0]]
        return f"{word} buffer overflow", f"{does}{_where(report, frames)}"
    if kind == "heap-use-after-free":
        freed = frames.place(_after(report.lines, "freed by"))
        return "use after free", (f"{does} of a block that was freed" + (f" at {freed}" if freed else " before") +
                                  _allocated(report, frames) + _too_early(report, frames))
    if kind in ("stack-use-after-scope", "stack-use-after-return"):
        variable = _variable(report)
        # Without a name it lies on the stack of another task.
        return "use after scope", (f"{does} of {variable[0] if variable else 'a local variable'} after its block has "
                                   "ended" +
                                   ("" if variable
                                    else ": what a task gets must live until the task has ended. Give each task a "
                                    "job of its own, in an array that lives long enough"))
    if kind == "attempting double-free":
        freed = frames.place(_after(report.lines, "freed by"))
        return "double free", "frees a block that was freed" + (f" at {freed}" if freed else "") + " already"
    if kind.startswith("attempting free"):
        inside = any("inside of" in line and "region" in line for line in report.lines)
        return "wrong free", ("frees a pointer into the middle of a block: only its start can be freed" if inside else
                              "frees memory that did not come from malloc")
    if kind == "SEGV":
        zero = any("points to the zero page" in line for line in report.lines)
        if any("pc points to the zero page" in line for line in report.lines):
            return "null pointer", "calls a function through a null pointer"
        writes = any("caused by a WRITE" in line for line in report.lines)
        does = "writes" if writes else "reads"
        return ("null pointer", f"{does} through a null pointer") if zero else (
            "wild pointer", f"{does} where the program has no memory")
    if kind == "FPE":
        return "division by zero", "divides by zero"
    if kind == "stack-overflow":
        return "stack overflow", "uses up the stack: recursion without end, or a local variable that is too large"
    if match := re.fullmatch(r"(\w+)-param-overlap", kind):
        use = ": memmove may do that" if match[1] == "memcpy" else ""
        return "overlapping copy", f"source and target of {match[1]} overlap{use}"
    if kind == "negative-size-param":
        return "negative size", "passes a negative size to a function that copies or fills memory"
    return kind.replace("-", " "), _without_addresses(text)


def _where(report: _Report, frames: _Frames) -> str:
    """Where a wrong access goes: " right past the end of a block of 40 bytes (allocated at compare.c:20)"."""
    for line in report.lines:
        match = re.search(r"is located (\d+) bytes (?:to the (right|left) of|(after|before|inside of)) "
                          r"(?:(\d+)-byte region|global variable '(.+?)' defined in '(.+?):(\d+)[^']*' .*of size "
                          r"(\d+))", line)
        if not match:
            continue
        side = {"right": "after", "left": "before"}.get(match[2], match[3])
        if match[4]:
            what = f"a block of {_bytes(int(match[4]))}{_allocated(report, frames)}"
        else:
            what = f"the variable {match[5]} of {_bytes(int(match[8]))} ({Path(match[6]).name}:{match[7]})"
        distance = int(match[1])
        if side == "after":
            return (f", {_bytes(distance)} past" if distance else " right past") + f" the end of {what}"
        if side == "before":
            return f", {_bytes(distance)} before the start of {what}"
        return f" across the end of {what}"
    if variable := _variable(report):
        name, how = variable
        return {"underflows": " before the start of ", "is inside": " inside of "}.get(how, " past the end of ") + name
    return " outside of any variable or block"


def _too_early(report: _Report, frames: _Frames) -> str:
    """The next step when one function frees what another, started by itself, still uses; "" if it is one and the
    same."""
    uses, frees = frames.outermost(report.lines), frames.outermost(_after(report.lines, "freed by"))
    if not uses or not frees or uses == frees:
        return ""
    return f": {uses} still needs it there. Free it only when that task has ended, after the wait for it"


def _is_a_queues(stack: list[tuple[str, str]], place: str) -> bool:
    """Whether the block is a queue's own memory: queue.c allocated it when the student's file put something."""
    kits = [src for _, src in stack[:[src for _, src in stack].index(place)] if src != "?"]
    return bool(kits) and kits[-1].startswith("queue.c:")


def _variable(report: _Report) -> tuple[str, str] | None:
    """The local variable a report is about, and how the access lies to it."""
    for line in report.lines:
        match = re.search(r"\[\d+, \d+\) '(.+?)'(?: \(line (\d+)\))? <== Memory access at offset \d+ "
                          r"(?:partially )?(overflows|underflows|is inside)", line)
        if match:
            return f"the variable {match[1]}" + (f" of line {match[2]}" if match[2] else ""), match[3]
    return None


def _allocated(report: _Report, frames: _Frames) -> str:
    place = frames.place(_after(report.lines, "allocated by"))
    return f" (allocated at {place})" if place else ""


def _after(lines: list[str], words: str) -> list[str]:
    """The lines below the one that holds these words."""
    for index, line in enumerate(lines):
        if words in line:
            return lines[index + 1:]
    return []


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"


def _a(type_name: str) -> str:
    return f"{'an' if type_name[:1] in 'aeiou' else 'a'} {type_name}"


def _without_addresses(text: str) -> str:
    """A line that is the same in each run and on each machine."""
    text = re.sub(r"^==\d+==", "", text)
    text = re.sub(r" \(pc 0x.*?\)", "", text)
    text = re.sub(r"(?: on| at| to)? (?:unknown )?address 0x[0-9a-f]+", "", text)
    text = re.sub(r"( at)? (?:pc|bp|sp) 0x[0-9a-f]+", "", text)
    return re.sub(r"0x[0-9a-f]{6,}", "…", text).strip()
