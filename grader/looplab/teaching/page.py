"""The class at a glance, as one page that needs nothing else. It names nobody, unless it is asked to."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Optional, Sequence

from ..course.lab import Lab
from ..plain.text import count, printable
from .outcome import Outcome

BINS = 10
CAUSES_MOST = 8
FIGURES_MOST = 3            # of a lab: time lines of the most frequent ones
FIGURE_BYTES_MOST = 200_000
_CSS = (Path(__file__).parent / "page.css")


@dataclass(frozen=True)
class Cause:
    """One mistake that several have made."""

    check: str      # the title of the check that fails
    text: str       # what the grader says, of one of them
    times: int
    figure: Optional[Path] = None       # that one's time line, as `make report` draws it; None: there is none
    who: Sequence[str] = ()             # who has made it, where names are asked for


def render(outcome: Outcome, out: Optional[Path] = None, names: bool = False) -> str:
    """The page. out: the folder with everybody's results; None: no time lines. names: with who has made a mistake."""
    labs = "\n".join(_lab(outcome, lab, out, names) for lab in outcome.labs)
    kinds = Counter(trouble.kind for trouble in outcome.troubles)
    person = ", ".join(f"{times} × {escape(kind)}" for kind, times in sorted(kinds.items())) or "nothing"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The class</title>
<style>
{_CSS.read_text(encoding="utf-8").rstrip()}
</style></head><body><main>
<h1>The class</h1>
<p>{count(len(outcome.students), "student")}, {count(len(outcome.results), "result")}. What needs a person
(attention.csv): {person}.</p>
{labs}
</main></body></html>
"""


def causes(results: Sequence[dict], folders: Sequence[Path] = (), names: Sequence[str] = ()) -> list[Cause]:
    """The most frequent ones. The same but for its line, its numbers and its names is the same; it is told in the words
    of the one whose time line is the smallest. folders: where each result lies, as far as time lines are wanted. names:
    whose each result is, as far as names are."""
    said: dict[tuple[str, str], list[tuple[int, str, Optional[Path], str]]] = {}
    for number, result in enumerate(results):
        for check in result["checks"]:
            if check["status"] == "failed":
                text = _cause(check["message"])
                figure = _figure(check, folders[number]) if folders else None
                size = figure.stat().st_size if figure else FIGURE_BYTES_MOST + 1
                said.setdefault((check["title"], _kind(text)), []).append(
                    (size, text, figure, names[number] if names else ""))
    found = []
    for (title, _), those in said.items():
        _, text, figure, _ = min(those, key=lambda one: one[:2])    # of equals the first
        found.append(Cause(title, text, len(those), figure, list(dict.fromkeys(one[3] for one in those if one[3]))))
    return sorted(found, key=lambda cause: (-cause.times, cause.check, cause.text))[:CAUSES_MOST]


def _kind(text: str) -> str:
    """Without lines and numbers."""
    return re.sub(r"\w+\.c:\d+|\d[\d,.]*", "…", text)


def _figure(check: dict, folder: Path) -> Optional[Path]:
    """The picture beside a check's page; None where there is none of a fit size."""
    file = (folder / check["report"]).with_suffix(".svg") if check.get("report") else None
    return file if file and file.is_file() and file.stat().st_size <= FIGURE_BYTES_MOST else None


def _cause(message: str) -> str:
    """Of a check's message the line that names the cause, else what happened, else its first."""
    lines = printable(message).split("\n")
    for label in ("cause: ", "happened: "):
        for line in lines:
            if line.startswith(label):
                return line[len(label):]
    return lines[0]


def _lab(outcome: Outcome, lab: Lab, out: Optional[Path], names: bool) -> str:
    mine = [student for student in outcome.students
            if outcome.results.get((student, lab.slug), {}).get("status") == "graded"]
    graded = [outcome.results[student, lab.slug] for student in mine]
    if not graded:
        return f"<section><h2>{escape(lab.slug)}</h2><p>Nobody's file could be graded.</p></section>"
    scores = sorted(result["score"] for result in graded)
    half = len(scores) // 2
    median = scores[half] if len(scores) % 2 else (scores[half - 1] + scores[half]) / 2
    full = sum(result["score"] == result["max_score"] for result in graded)
    return f"""<section><h2>{escape(lab.slug)}</h2>
<p>{len(graded)} graded, {full} with full marks, the median is {median:g}.</p>
{_distribution(scores)}
{_causes(graded, [out / student / lab.slug for student in mine] if out else (), mine if names else ())}
<h3>Checks</h3>
{_checks(graded)}</section>"""


def _distribution(scores: Sequence[int]) -> str:
    """A bar for each ten points."""
    bins = Counter(min(max(score, 0), 100) * BINS // 101 for score in scores)
    most = max(bins.values())
    bars = "".join(
        f'<tr><th scope="row">{k * 10 + (k > 0)}–{(k + 1) * 10}</th><td><span class="bar" '
        f'style="width:{100 * bins[k] // most}%"></span></td><td class="n">{bins[k]}</td></tr>\n'
        for k in range(BINS))
    return f'<table class="bars"><caption>Points</caption><tbody>\n{bars}</tbody></table>'


def _checks(graded: Sequence[dict]) -> str:
    """How many pass each check, the hardest first."""
    titles: dict[str, str] = {}
    passed: Counter[str] = Counter()
    for result in graded:
        for check in result["checks"]:
            titles.setdefault(check["id"], check["title"])
            passed[check["id"]] += check["status"] == "passed"
    hard = sorted((key for key in titles if passed[key] < len(graded)), key=lambda key: passed[key])
    easy = "".join(f"<li>{escape(printable(titles[key]))}</li>\n" for key in titles if key not in hard)
    rows = "".join(f'<tr><th scope="row">{escape(printable(titles[key]))}</th><td><span class="bar" '
                   f'style="width:{100 * passed[key] // len(graded)}%"></span></td>'
                   f'<td class="n">{passed[key]} of {len(graded)}</td></tr>\n'
                   for key in hard)
    table = f'<table class="bars"><tbody>\n{rows}</tbody></table>' if hard else ""
    return table + (f"<details><summary>{count(len(titles) - len(hard), 'check')} that everybody passes</summary>\n"
                    f"<ul>\n{easy}</ul></details>" if easy else "")


def _causes(graded: Sequence[dict], folders: Sequence[Path], names: Sequence[str]) -> str:
    found = causes(graded, folders, names)
    if not found:
        return ""
    first = {_kind(cause.text): cause for cause in reversed(found) if cause.figure}   # of a kind one is enough
    drawn = [cause for cause in found if cause in first.values()][:FIGURES_MOST]
    items = "".join(f"<li><b>{cause.times} ×</b> {escape(cause.text)}<br><small>{escape(printable(cause.check))}"
                    f"</small>{_named(cause)}{_drawn(cause) if cause in drawn else ''}</li>\n" for cause in found)
    return f"<h3>The most frequent causes</h3>\n<ol>\n{items}</ol>\n"


def _named(cause: Cause) -> str:
    who = escape(printable(", ".join(cause.who)))
    return f"<details><summary>who</summary>{who}</details>" if who else ""


def _drawn(cause: Cause) -> str:
    """The time line, as a picture: nothing in it runs, and nothing of it is anything to the page."""
    assert cause.figure
    data = base64.b64encode(cause.figure.read_bytes()).decode()
    said = escape(f"The time line of one of them: {cause.text}")
    return (f'<div class="run" role="group" tabindex="0" aria-label="A time line: {escape(cause.text)}">'
            f'<img alt="{said}" src="data:image/svg+xml;base64,{data}"></div>')
