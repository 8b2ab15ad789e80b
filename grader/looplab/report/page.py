"""The report as one HTML file that needs nothing else: no network, no folder beside it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from .data import script_json
from .subject import Subject

_HERE = Path(__file__).parent


def render(subject: Subject) -> str:
    """The whole page. What a student's program or file says is text in it, never markup."""
    wrong = bool(subject.expected) or bool(subject.divergence) or subject.mine.elapsed is None
    parts = {
        "title": escape(subject.title), "lab": escape(subject.lab), "verdict": "wrong" if wrong else "right",
        "diagnosis": _diagnosis(subject), "expectation": _expectation(subject), "figures": _figures(subject),
        "parting": escape(subject.divergence.text if subject.divergence else ""),
        "source_name": escape(subject.source_name or "source"), "source": _source(subject),
        "replay": f"<p>Run it again: <code>{escape(subject.replay)}</code></p>" if subject.replay else "",
        "data": script_json(subject), "css": _bare(_read("page.css")), "js": _bare(_read("page.js")),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: parts[hole[1]], _read("page.html"))


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8").rstrip("\n")


def _bare(code: str) -> str:
    """Without the comments that have lines of their own, blank lines and indents: for these one reads the file here."""
    without = re.sub(r"^ */\*.*?\*/\n", "", code, flags=re.DOTALL | re.MULTILINE)
    return "\n".join(line.strip() for line in without.split("\n") if line.strip())


def _diagnosis(subject: Subject) -> str:
    """The sentence; the place in it leads to the line."""
    said = subject.diagnosis
    place = subject.src or ""
    if place and place not in said:
        said = f"{place}: {said}"
    name, _, number = place.partition(":")
    linked = escape(said)
    if name == subject.source_name and number.isdigit():
        linked = linked.replace(escape(place), f'<a href="#L{number}">{escape(place)}</a>', 1)
    return linked


def _expectation(subject: Subject) -> str:
    rows = [(label, said) for label, said in (("expected", subject.expected), ("happened", subject.happened)) if said]
    return "<dl>" + "".join(f"<dt>{label}</dt><dd>{escape(said)}</dd>" for label, said in rows) + "</dl>" if rows \
        else ""


def _figures(subject: Subject) -> str:
    compared = subject.reference is not None
    head = "<td></td><th>your run</th>" + ("<th>reference</th><th>ratio</th>" if compared else "")
    rows = "".join(f'<tr><th scope="row">{escape(row.name)}</th><td>{escape(row.mine)}</td>'
                   + (f"<td>{escape(row.reference)}</td><td>{escape(row.ratio)}</td>" if compared else "") + "</tr>\n"
                   for row in subject.figures())
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>"


def _source(subject: Subject) -> str:
    """The student's file, a list item a line; the blamed one is marked."""
    blamed = (subject.src or "").partition(":")[2]
    lines = subject.source.rstrip("\n").split("\n") if subject.source else []
    items = "".join(f'<li id="L{number}"{" class=blamed" if str(number) == blamed else ""}>{escape(line)}</li>'
                    for number, line in enumerate(lines, start=1))
    return f"<ol>{items}</ol>" if items else "<p>The source is not at hand.</p>"
