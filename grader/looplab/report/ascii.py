"""The timeline as text, 80 columns wide: for terminals and the logs of CI. Shapes alone tell, never colours."""

from __future__ import annotations

from ..plain.duration import show
from ..plain.text import WIDTH, count
from . import labels
from .timeline import BLOCKED, CANCELLED, DONE, FAILED, LEAKED, OPEN, READY, WAITING, Lane, Timeline

LABEL = 20                      # columns for a lane's name
CHART = WIDTH - LABEL - 13      # columns for time; the rest is how the task ended
LANES_MOST = 24

_MARKS = {WAITING: "-", READY: ":", BLOCKED: "#"}
_RANK = {" ": 0, "-": 1, ":": 2, "|": 3, "#": 4}     # what covers what where a column holds several
LEGEND = "- waits   : could run, but another one does   # stops the whole loop   | runs"


def draw(timeline: Timeline, end: int | None = None, start: int = 0) -> list[str]:
    """The lines: a ruler, a lane a task, the requests in flight. start and end: ns at the left and the right edge
    (default: all of the run).

    Two timelines drawn with the same edges can be read one under the other.
    """
    scale = _Scale(start, max(end if end is not None else timeline.end, start + 1))
    lines = [_ruler(scale)]
    said_before = labels.of(timeline.lanes, LABEL - 1)
    for lane in timeline.lanes[:LANES_MOST]:
        lines.append(f"{said_before[lane.task]:{LABEL}}{_row(lane, scale)} {_ending(lane)}".rstrip())
    left = len(timeline.lanes) - LANES_MOST
    if left > 0:
        lines.append(f"{'':{LABEL}}… and {count(left, 'task')} more")
    if timeline.flight:
        lines.append(f"{'in flight':{LABEL}}{_flight(timeline, scale)} at most {timeline.peak}")
    return lines


class _Scale:
    """ns to columns."""

    def __init__(self, start: int, end: int):
        self.start, self.end = start, end

    def column(self, t: int) -> int:
        return min(max((t - self.start) * CHART // (self.end - self.start), 0), CHART - 1)

    def shows(self, start: int, end: int) -> bool:
        """Is any of this stretch to be seen?"""
        return start <= self.end and end > self.start or self.start <= start == end <= self.end


def _ruler(scale: _Scale) -> str:
    """Times at the left edge, in the middle and at the right."""
    left, right = show(scale.start), show(scale.end)
    middle = show((scale.start + scale.end) // 2)
    row = left.ljust(CHART // 2) + middle
    if (scale.start + scale.end) % 2_000_000 or len(left) >= CHART // 2 or len(row) >= CHART - len(right):
        row = left
    return " " * LABEL + row.ljust(CHART - len(right)) + right


def _row(lane: Lane, scale: _Scale) -> str:
    cells = [" "] * CHART

    def put(column: int, mark: str) -> None:
        if _RANK[mark] > _RANK[cells[column]]:
            cells[column] = mark

    for span in lane.spans:
        if not scale.shows(span.start, span.end):
            continue
        mark = _MARKS.get(span.state, "|")
        if span.ns == 0:
            put(scale.column(span.start), "|" if span.state not in _MARKS else " ")
            continue
        for column in range(scale.column(span.start), max(scale.column(span.start), scale.column(span.end - 1)) + 1):
            put(column, mark)
    return "".join(cells)


def _ending(lane: Lane) -> str:
    return {DONE: "done", FAILED: f"rc {lane.rc}", CANCELLED: "cancelled", LEAKED: "NOT AWAITED",
            OPEN: "still there"}[lane.ending]


def _flight(timeline: Timeline, scale: _Scale) -> str:
    """The most requests under way in each column: a digit, or + for ten and more."""
    most = [0] * CHART
    steps = timeline.flight + [(timeline.end, 0)]
    for (t, now), (until, _) in zip(steps, steps[1:]):
        if until > t and scale.shows(t, until):
            for column in range(scale.column(t), scale.column(until - 1) + 1):
                most[column] = max(most[column], now)
    return "".join(" " if n == 0 else str(n) if n < 10 else "+" for n in most)
