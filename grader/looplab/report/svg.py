"""The timeline as one SVG figure: for slides and handouts. Shapes tell as much as colours do.

The figure follows the reader's colour scheme where it stands alone or in a page; a deck fixes it with `scheme`.
"""

from __future__ import annotations

from html import escape
from typing import Sequence

from ..plain.duration import show
from . import labels, timeline as shape
from .timeline import Lane, Span, Timeline

ROW, LABEL, RIGHT, TOP, AXIS = 30, 170, 120, 10, 34      # in the figure's own units
LETTERS, LETTER, GAP = 20, 8.3, 10       # a lane's label has room for so many letters, each so wide
LANES_MOST = 40

_COLOURS = {
    "light": {"ink": "#1b1f24", "dim": "#57606a", "line": "#d0d7de", "wait": "#8ea4bd", "run": "#116329",
              "ready": "#9a6700",
              "block": "#b3261e", "cancel": "#7a3d9a"},
    "dark": {"ink": "#e6e9ec", "dim": "#a3adb8", "line": "#39424d", "wait": "#5f7691", "run": "#56d37a",
             "ready": "#e3b341",
             "block": "#ff7b72", "cancel": "#d2a8ff"},
}


def render(timeline: Timeline, width: int = 960, end: int | None = None, scheme: str = "", title: str = "",
           main: bool = True, left: int = LABEL, right: int = RIGHT, start: int = 0, names: Sequence[str] = ()) -> str:
    """The <svg> element. start, end: ns at the left and the right edge. scheme: "light" or "dark" (default: the
    reader's own). main: with task 1's lane. left, right: room for the lanes' names, and for what is said at their
    ends. names: what tells task 2, 3, … apart from others of its name, where the trace does not know it."""
    lanes = [lane for lane in timeline.lanes if main or lane.task != 1]
    shown = lanes[:LANES_MOST]
    said_before = labels.of(lanes, LETTERS, names)
    chart = _Chart(left, width - right, start, max(end if end is not None else timeline.end, start + 1))
    height = height_of(len(lanes))
    rows = {lane.task: TOP + ROW * row for row, lane in enumerate(shown)}
    said = title or f"{len(lanes)} tasks over {show(timeline.end)}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           f'role="img" aria-label="{escape(said)}" font-family="system-ui, sans-serif" font-size="15">',
           f"<title>{escape(said)}</title>",
           _style(scheme), _hatch()]
    out += _axis(chart, TOP + ROW * len(shown))
    for lane in shown:
        out += _lane(lane, said_before[lane.task], rows[lane.task], chart)
    out += _wakes(timeline, rows, chart)
    if len(lanes) > LANES_MOST:
        out.append(f'<text class="dim" x="4" y="{TOP + ROW * len(shown) + 20}">and {len(lanes) - LANES_MOST:,} tasks '
                   'more</text>')
    return "\n".join(out) + "\n</svg>\n"


def height_of(lanes: int) -> int:
    """How high a figure of so many lanes is; beyond LANES_MOST it says how many there are more."""
    return TOP + ROW * (min(lanes, LANES_MOST) + (lanes > LANES_MOST)) + AXIS


class _Chart:
    """ns to units."""

    def __init__(self, left: int, right: int, start: int, end: int):
        self.left, self.right, self.start, self.end = left, right, start, end

    def x(self, t: int) -> float:
        """Where the instant is; the edge for one beyond it."""
        part = min(max((t - self.start) / (self.end - self.start), 0), 1)
        return round(self.left + part * (self.right - self.left), 2)

    def shows(self, start: int, end: int) -> bool:
        """Is any of this stretch to be seen?"""
        return start <= self.end and end >= self.start


def _style(scheme: str) -> str:
    def rules(colours: dict[str, str]) -> str:
        fills = "".join(f".{name}{{fill:{colour}}}" for name, colour in colours.items())
        return fills \
            + f".arrow{{stroke:{colours['dim']};fill:none}}.grid{{stroke:{colours['line']}}}" \
              f".slash{{stroke:{colours['block']}}}"

    if scheme:
        return f"<style>{rules(_COLOURS[scheme])}</style>"
    return f"<style>{rules(_COLOURS['light'])}@media (prefers-color-scheme:dark){{{rules(_COLOURS['dark'])}}}</style>"


def _hatch() -> str:
    return ('<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect class="block" width="4" height="7"/></pattern></defs>')


def _axis(chart: _Chart, bottom: int) -> list[str]:
    """Four marks and their times; of those between the ends, the ones that have room."""
    out, length = [], chart.end - chart.start
    times = [chart.start + length * quarter // 4 for quarter in range(5)]
    last = chart.x(times[4]) - LETTER * len(show(times[4])) / 2        # where the last one begins
    upto = chart.left + LETTER * len(show(times[0]))
    for quarter, t in enumerate(times):
        x, half = chart.x(t), LETTER * len(show(t)) / 2
        out.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
        fits = upto + GAP < x - half and x + half + GAP < last
        if quarter in (0, 4) or fits and t % 1_000_000 == 0 and length % 4 == 0:
            upto = max(upto, x + half)
            anchor = "middle" if quarter else "start"        # on the right there is room
            out.append(f'<text class="dim" x="{x}" y="{bottom + 22}" text-anchor="{anchor}">{show(t)}</text>')
    return out


def _lane(lane: Lane, label: str, y: int, chart: _Chart) -> list[str]:
    out = [f'<text class="ink" x="4" y="{y + 20}">{escape(label)}</text>']
    out += [_span(span, y, chart) for span in lane.spans
            if (span.ns or span.state == shape.RUNNING) and chart.shows(span.start, span.end)]
    if lane.cancelled_at is not None and chart.shows(lane.cancelled_at, lane.cancelled_at):
        out.append(f'<text class="cancel" x="{chart.x(lane.cancelled_at)}" y="{y + 21}" text-anchor="middle" '
                   'font-weight="bold">✕</text>')
    words = {shape.FAILED: f"rc {lane.rc}", shape.CANCELLED: "cancelled", shape.LEAKED: "not awaited",
             shape.OPEN: "still there"}
    if lane.end > chart.end:
        out.append(f'<text class="dim" x="{chart.right + 8}" y="{y + 20}">→ {show(lane.end)}</text>')
    elif lane.ending in words and chart.shows(lane.end, lane.end):
        out.append(f'<text class="dim" x="{chart.x(lane.end) + 8}" y="{y + 20}">{words[lane.ending]}</text>')
    return out


def _span(span: Span, y: int, chart: _Chart) -> str:
    x, wide = chart.x(span.start), max(round(chart.x(span.end) - chart.x(span.start), 2), 2.5)
    if span.state == shape.WAITING:
        return f'<rect class="wait" x="{x}" y="{y + 12}" width="{wide}" height="6"/>'
    if span.state == shape.READY:
        dots = range(0, max(int(wide), 1), 7)
        return "".join(f'<rect class="ready" x="{x + dot}" y="{y + 10}" width="3" height="10"/>' for dot in dots)
    if span.state == shape.BLOCKED:
        return (f'<rect class="slash" fill="url(#hatch)" x="{x}" y="{y + 3}" width="{wide}" height="24"/>')
    return f'<rect class="run" x="{x}" y="{y + 4}" width="{wide}" height="22"/>'


def _wakes(timeline: Timeline, rows: dict[int, int], chart: _Chart) -> list[str]:
    """Arrows from who woke to who was woken; the loop has no lane."""
    out = []
    for wake in timeline.wakes:
        if wake.by in rows and wake.task in rows and wake.by != wake.task and chart.shows(wake.t, wake.t):
            x, one, two = chart.x(wake.t), rows[wake.by] + ROW // 2, rows[wake.task] + ROW // 2
            tip = 6 if two > one else -6
            out.append(f'<path class="arrow" d="M{x} {one}V{two}m-3 {-tip}l3 {tip}l3 {-tip}"/>')
    return out
