"""GitHub Actions: annotations at file and line, and the job's summary.

Ten annotations of a kind are shown a step, of 4,096 characters; a summary above 1 MiB is dropped whole
(ActionCommand.cs and FileCommandManager.cs of actions/runner; docs.github.com). Any line that starts with `::` is a
command, so a line of a program must never be printed as it is: annotations are one line each, with its line breaks
written as %0A.
"""

from __future__ import annotations

import re

from ..plain.text import cut
from .shown import Files, Setting, body, headline, notes, place, within

ANNOTATIONS, SUMMARY = "github-annotations.txt", "github-summary.md"
EACH_MOST = 10
TEXT_MOST = 4_000
BYTES_MOST = 1_000_000


def render(result: dict, setting: Setting) -> Files:
    errors, warnings = _errors(result, setting), _warnings(result, setting)
    return {ANNOTATIONS: "".join(f"{one}\n" for one in errors[:EACH_MOST] + warnings[:EACH_MOST]),
            SUMMARY: within(BYTES_MOST, result, _summary)}


def _errors(result: dict, setting: Setting) -> list[str]:
    whole = [_command("error", result, result.get("src"), "; ".join(notes(result)), setting,
                      "ungradable" if result["status"] == "ungradable" else "a fault of the grader")] \
        if result["status"] != "graded" else []
    return whole + [_command("error", result, check.get("src"), body(check), setting, check["title"])
                    for check in result["checks"] if check["status"] in ("failed", "error")]


def _warnings(result: dict, setting: Setting) -> list[str]:
    return [_command("warning", result, one["src"], one["text"], setting, "the compiler")
            for one in result.get("advice", ())]


def _command(kind: str, result: dict, src: object, text: str, setting: Setting, title: str) -> str:
    found = place(src)
    where = f"file={_property(setting.file(result, found[0]))},line={found[1]}," if found else ""
    return f"::{kind} {where}title={_property(result['lab'] + ': ' + title)}::{_data(cut(text, TEXT_MOST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(result: dict) -> str:
    points = f"{result['score']} of {result['max_score']} points" if result["status"] == "graded" \
        else {"ungradable": "cannot be graded", "error": "a fault of the grader"}[result["status"]]
    lines = [f"## {result['lab']}: {points}", "", *(f"{_plain(note)}\n" for note in notes(result))]
    if result["checks"]:
        lines += ["| | check | points | what was found |", "|---|---|--:|---|"]
    signs = {"passed": "✓", "failed": "✗", "skipped": "–", "error": "!"}
    lines += [f"| {signs[check['status']]} | {_plain(check['title'])} | {check['score']}/{check['max_score']} | "
              f"{'' if check['status'] == 'passed' else _plain(headline(check))} |" for check in result["checks"]]
    return "\n".join(lines).rstrip("\n") + "\n"


def _plain(text: str) -> str:
    """Text that means nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~@!$&])", r"\\\1", text.replace("\n", " "))
