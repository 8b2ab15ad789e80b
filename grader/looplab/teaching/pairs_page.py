"""Two submissions beside each other, and the list of such pairs: pages that need nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Sequence

from ..course.lab import Lab
from ..plain.text import count, printable
from . import winnow
from .winnow import Prints

COLOURS = 6
_CSS = Path(__file__).parent / "pairs.css"
_WARNING = ("A place to look, not a verdict. Two may have learned from the same page, sat in the same exercise, or "
            "taken the one way there is. Read both files, and ask both students.")


def name(number: int) -> str:
    """The file of the pair with this number, from 1: it names nobody."""
    return f"pair-{number:03}.html"


def listing(lab: Lab, files: int, pairs: Sequence[tuple[str, str, int]], more: int, least: int) -> str:
    """The list. pairs: two students and what they share, in percent. more: how many pairs are not in it."""
    rows = "".join(f'<tr><td class="n">{share} %</td><td><a href="{name(number)}">{_text(one)} and {_text(other)}</a>'
                   "</td></tr>\n" for number, (one, other, share) in enumerate(pairs, start=1))
    body = f"<table><thead><tr><th>share</th><th>pair</th></tr></thead><tbody>\n{rows}</tbody></table>" if pairs \
        else "<p>No pair is alike.</p>"
    left = f"<p>{count(more, 'further pair')}: pairs.csv has them all.</p>" if more else ""
    return _page(f"{lab.slug}: pairs that are alike", f"""<p><strong>{_WARNING}</strong></p>
<p>{count(files, "file")}. A pair is listed when {least} % or more of the smaller file stands in the other one, too.
What stands in the skeleton, in the handout and in the reference solution does not count; names, numbers, comments and
the order of functions make no difference.</p>
{body}{left}""")


def of_two(lab: Lab, one: str, other: str, share: int, left: Prints, right: Prints) -> str:
    """Both files, side by side where there is room; what they have in common has the same number and colour in both."""
    blocks = sorted(winnow.blocks(left, right), key=lambda block: block.left)
    mine = [(block.left, block.size) for block in blocks]
    theirs = [(block.right, block.size) for block in blocks]
    return _page(f"{lab.slug}: {printable(one)} and {printable(other)}", f"""<p><strong>{_WARNING}</strong></p>
<p>{share} % of the smaller file stands in the other one, too, in {count(len(blocks), "part")}. A part's number leads to
where it stands in the other file. <a href="index.html">All pairs</a></p>
<div class="two">
{_file("a", "b", one, left, mine)}
{_file("b", "a", other, right, theirs)}
</div>""")


def _file(side: str, beyond: str, student: str, prints: Prints, parts: Sequence[tuple[int, int]]) -> str:
    part_of: dict[int, int] = {}
    for number, (begin, size) in sorted(enumerate(parts, start=1), key=lambda part: (-part[1][1], part[0])):
        for line in range(prints.tokens[begin].line, prints.tokens[begin + size - 1].line + 1):
            part_of.setdefault(line, number)
    told: set[int] = set()
    rows = []
    for line, text in enumerate(prints.text.split("\n"), start=1):
        number = part_of.get(line, 0)
        badge = ""
        if number and number not in told:
            told.add(number)
            badge = f'<a id="{side}{number}" href="#{beyond}{number}">{number}</a>'
        kind = f' class="c{(number - 1) % COLOURS}"' if number else ""
        rows.append(f'<tr{kind}><td class="part">{badge}</td><td class="n">{line}</td>'
                    f"<td><code>{_text(text)}</code></td></tr>\n")
    return (f'<section><h2>{_text(student)}</h2>\n<div class="code" role="region" tabindex="0" '
            f'aria-label="{_text(student)}: the file"><table><tbody>\n{"".join(rows)}</tbody></table></div></section>')


def _text(text: str) -> str:
    return escape(printable(text.rstrip("\r")))


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_CSS.read_text(encoding="utf-8").rstrip()}
</style></head><body><main>
<h1>{escape(title)}</h1>
{body}
</main></body></html>
"""
