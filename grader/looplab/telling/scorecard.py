"""The scorecard: what a student sees on the terminal, made from results.json and the source file alone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Optional

from ..asking.check import Part
from ..asking.points import CATEGORIES
from ..plain.duration import show
from ..plain.text import WIDTH, count, cut, fill, printable
from ..running.tier import HOLDS

_MARKS = {"passed": ("✓", "32"), "failed": ("✗", "31"), "skipped": ("–", "33"), "error": ("!", "35")}
_LABEL = 10     # columns of "expected: "


@dataclass(frozen=True)
class Style:
    """How the terminal is to be written to."""

    colour: bool = False

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, or as it is. Escapes have no width, so paint last."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


@dataclass(frozen=True)
class Source:
    """The student's file, as far as the card speaks of it."""

    name: str = ""                                      # "compare.c"
    line: Callable[[str], str] = lambda src: ""         # the text of "compare.c:31"
    # an untouched skeleton: its first TODO ("compare.c:9: TODO 1: …")
    begin: Optional[str] = None
    folder: str = ""                                    # "labs/01-sync-vs-async": where handout and hints are
    # "make grade LAB=01": the command that grades this file once more
    again: str = ""
    out: str = ""                                       # "build/grade/01-sync-vs-async": where results.json lies


def card(result: dict, style: Style = Style(), source: Source = Source()) -> str:
    """The whole card of one lab, with a final newline."""
    lines = [style.paint(_heading(result, source), "1"), ""]
    if result["checks"]:
        lines += listing(result, style) + _failures(result, style, source) + _totals(result)
    else:
        lines += _why_not(result, style, source)
    lines += _advice(result) + _score(result, style) + _next(result, source) + _sandbox(result)
    return "\n".join(lines) + "\n"


def _heading(result: dict, source: Source) -> str:
    number, _, name = result["lab"].partition("-")
    return f"Lab {number} {name.replace('-', ' ')}{f' · {source.name}' if source.name else ''} · seed {result['seed']}"


# ---- one line a check ----


def listing(result: dict, style: Style) -> list[str]:
    lines = []
    for category in CATEGORIES:
        checks = [check for check in result["checks"] if check["category"] == category]
        if checks:
            lines += [category] + [line(check, style) for check in checks] + [""]
    return lines


def line(check: dict, style: Style) -> str:
    mark, colour = _MARKS[check["status"]]
    took = _roughly(check["virtual_ns"]) if "virtual_ns" in check and check["status"] in ("passed", "failed") else ""
    room = WIDTH - 13 - (len(took) + 2 if took else 0)
    title = cut(printable(check["title"]).rstrip("."), room)
    score = f"{check['score']:3}/{check['max_score']:<3}"
    line = f"  {style.paint(mark, colour)} {score}  {title}"
    return line + (" " * (room - len(title) + 2) + took if took else "")


def _roughly(ns: int) -> str:
    """A time in the list: whole milliseconds where they say enough; messages have it exactly."""
    return show(ns if ns < 10_000_000 else round(ns, -6))


# ---- what went wrong ----


def _failures(result: dict, style: Style, source: Source) -> list[str]:
    lines: list[str] = []
    for check in result["checks"]:
        if check["status"] in ("failed", "error"):
            lines += failure(check, style, source) + [""]
    skipped = Counter(check["message"] for check in result["checks"] if check["status"] == "skipped")
    for why, times in skipped.items():
        lines += fill(f"skipped {count(times, 'check')}: {'it' if times == 1 else 'each'} {printable(why)}", "    ",
                      first="  – ")
    return lines + ([""] if skipped else [])


def failure(check: dict, style: Style, source: Source) -> list[str]:
    mark, colour = _MARKS[check["status"]]
    worth = f"{check['category']}, {check['score']} of {count(check['max_score'], 'point')}"
    title = fill(f"{printable(check['title']).rstrip('.')} ({worth})", "    ", first=f"  {mark} ")
    lines = [style.paint(line, colour) for line in title]
    if check["status"] == "error":
        return lines + fill(f"the grader is at fault here, not you: {check['message']}", "    ")
    broken = [part for part in check.get("parts", []) if part["message"]]
    if "\n".join(_part(part) for part in broken) == check["message"] != "":
        for part in broken:         # each with the line it is about
            lines += message(_part(part)) + _quoted(part, source)
    else:
        lines += message(check["message"]) + _quoted(check, source)
    if "replay" in check:
        lines += command("again:", check["replay"])
    if "report" in check and source.out:
        lines += command("drawn:", f"{source.out}/{check['report']}")
    return lines


def _part(part: dict) -> str:
    """What a part of a check says, as it stands in the check's own message."""
    return Part(part["title"], part["max_score"], False, part["message"]).told()


def _quoted(of: dict, source: Source) -> list[str]:
    """The line of the student's file that a check or a part of it names, unless it stands in the message already."""
    code = source.line(of["src"]) if "src" in of else ""
    return ["    " + " " * _LABEL
            + cut(f"{of['src']} | {printable(code)}", WIDTH - 4 - _LABEL)] if code and code not in of["message"] else []


def message(text: str) -> list[str]:
    """A check's message, its labels in a column of their own."""
    lines: list[str] = []
    for line in printable(text).split("\n"):
        label, colon, said = line.partition(": ")
        if colon and label in ("rule", "where", "expected", "happened", "cause"):
            lines += fill(said, " " * (4 + _LABEL), first="    " + f"{label}:".ljust(_LABEL))
        else:
            lines += fill(line, "    ")
    return lines


def command(label: str, text: str) -> list[str]:
    """A command that can be copied: it goes on after a backslash where the line is full."""
    lines, line = [], "    " + label.ljust(_LABEL)
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", text):
        if len(line) + len(word) + 3 > WIDTH and line.strip() not in ("", label):
            lines.append(line.rstrip() + " \\")
            line = " " * (4 + _LABEL + 2)
        line += word + " "
    return lines + [line.rstrip()]


# ---- the end ----


def _why_not(result: dict, style: Style, source: Source) -> list[str]:
    what = "cannot be graded" if result["status"] == "ungradable" else "the grader is at fault, not you"
    lines = [style.paint(f"  {_MARKS['error'][0]} {what}:", "31")] + fill(printable(result["message"]), "    ")
    code = source.line(result["src"]) if "src" in result else ""
    return lines + ([cut(f"    {result['src']} | {printable(code)}", WIDTH)] if code else []) + [""]


def _totals(result: dict) -> list[str]:
    totals = []
    for category in CATEGORIES:
        checks = [check for check in result["checks"] if check["category"] == category]
        if checks:
            totals.append(f"{category} {sum(c['score'] for c in checks)}/{sum(c['max_score'] for c in checks)}")
    return fill(" · ".join(totals), "  ", first="  ") + [""]


def _advice(result: dict) -> list[str]:
    lines = []
    for one in result.get("advice", [])[:3]:
        lines += fill(printable(f"the compiler warns: {one['src']}: {one['text']}"), "    ", first="  ")
    more = len(result.get("advice", [])) - 3
    return lines + ([f"  … and {count(more, 'further warning')}"] if more > 0 else []) + ([""] if lines else [])


def _score(result: dict, style: Style) -> list[str]:
    if result["score"] is None:
        return []
    full = result["score"] == result["max_score"] and result["status"] == "graded"
    text = f"{result['score']}/{result['max_score']}"
    note = " (a fault of the grader: this score does not count)" if result["status"] == "error" else ""
    took = f" in {result['elapsed_s']:.1f} s" if result["elapsed_s"] else ""       # a class leaves it out
    lines = [style.paint(f"{'score'} {text}", "1;32" if full else "1") + note + took]
    if "points" in result:
        lines.append(f"({result['points']} points, but at most {result['score']} count while a check fails; "
                     "coverage aside)")
    return lines


def _next(result: dict, source: Source) -> list[str]:
    """The one thing to do now."""
    again = source.again or f"make grade LAB={result['lab'][:2]}"
    if result["status"] == "error":
        return fill("Next: tell your teacher, with the lines above. It is not your file's fault.")
    if result["status"] == "ungradable":
        return fill(f"Next: {'mend ' + result['src'] if ':' in result.get('src', '') else 'put that right'}, "
                    f"then: {again}")
    if result["score"] == result["max_score"]:
        return fill(f"All checks pass. Next: the stretch goals in {source.folder}/README.md" if source.folder
                    else "All checks pass.")
    if source.begin:
        return fill(f"Next: {source.begin}") + (fill(f"{source.folder}/README.md says what is asked, "
                                                     "hints.md there helps.")
                                                if source.folder else [])
    first = next((check for check in result["checks"] if check["status"] == "failed"), None)
    if first and "replay" in first:
        return fill(f"Next: look at the run behind \"{first['title'].rstrip('.')}\":") + command("", first["replay"])
    return fill(f"Next: mend \"{first['title'].rstrip('.')}\", then: {again}") if first else []


def _sandbox(result: dict) -> list[str]:
    if "tier" not in result:
        return []
    said = f"Sandbox: tier {result['tier']} ({HOLDS[result['tier']]})"
    return fill(said + (": for practice; points could be forged." if result["forgeable"]
                        else "."))


def summary(result: dict) -> str:
    """One line a lab, for the end of a grading of several."""
    if result["score"] is None:
        return f"  {result['lab']:<24} {result['status']}: {cut(printable(result['message']).split(chr(10))[0], 40)}"
    more = result["status"] if result["status"] != "graded" else ""
    return f"  {result['lab']:<24} {result['score']:3}/{result['max_score']:<3} {more}"
