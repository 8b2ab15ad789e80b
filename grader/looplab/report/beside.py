"""Two runs in one SVG figure, the reference under one's own, on one axis and on paper of its own.

It stands in pages whose colours nobody knows (a README), so it brings its background along, light or dark as the
reader's system is.
"""

from __future__ import annotations

import textwrap
from html import escape

from ..plain.duration import show
from . import labels, svg
from .subject import Subject
from .timeline import DONE, Timeline

WIDTH, EDGE, LINE, GAP = 500, 14, 21, 16        # in the figure's own units
LETTER = 10                                     # room for a letter of a lane's name
RIGHT, ENDINGS = 36, 100                        # room for half of the axis' last time; for "not awaited" and the like
SENTENCE = 62                                   # letters in a line of the sentence

_PAPER = ("<style>.paper{fill:#ffffff;stroke:#d0d7de}"
          "@media(prefers-color-scheme:dark){.paper{fill:#0d1117;stroke:#39424d}}</style>")


def render(subject: Subject) -> str:
    """The <svg> element of a subject that has a reference."""
    assert subject.reference
    both = (subject.mine, subject.reference)
    start, end, note = 0, max(run.end for run in both), []
    if subject.part and subject.part.needed:
        start, end, note = subject.part.start, subject.part.end, [subject.part.text()]
    lanes = [lane for run in both for lane in run.lanes]
    left = 4 + LETTER * max(len(said) for run in both for said in labels.of(run.lanes, svg.LETTERS).values())
    right = ENDINGS if note or any(lane.ending != DONE for lane in lanes) else RIGHT
    parts, y = [], EDGE
    for words, run in ((_heading("your run", subject.mine), subject.mine),
                       (_heading("the reference", subject.reference), subject.reference)):
        said = textwrap.wrap(subject.diagnosis, SENTENCE) + note if run is subject.mine else []
        lines, y = _words(words, said, y)
        drawn = svg.render(run, width=WIDTH - 2 * EDGE, end=end, start=start, left=left,
                           right=right).rstrip("\n")
        parts += [*lines, drawn.replace("<svg ", f'<svg x="{EDGE}" y="{y}" ', 1)]
        y += svg.height_of(len(run.lanes)) + GAP
    height = y - GAP + EDGE
    title = escape(f"{subject.title}: {subject.diagnosis}")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{title}" font-family="system-ui, sans-serif" font-size="15">',
        f"<title>{title}</title>", _PAPER,
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        *parts, "</svg>"]) + "\n"


def _heading(whose: str, run: Timeline) -> str:
    return f"{whose}: {'it never returned' if run.elapsed is None else show(run.elapsed)}"


def _words(heading: str, said: list[str], y: int) -> tuple[list[str], int]:
    """A heading and what is said under it; and where that ends."""
    out = [f'<text class="ink" x="{EDGE}" y="{y + 15}" font-weight="bold">{escape(heading)}</text>']
    for number, line in enumerate(said, 1):
        out.append(f'<text class="dim" x="{EDGE}" y="{y + 15 + LINE * number}">{escape(line)}</text>')
    return out, y + LINE * (1 + len(said))
