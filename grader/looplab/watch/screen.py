"""What the watch shows, as lines for a terminal of a given size. It draws; it neither grades nor reads keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

from ..plain.text import count, cut, printable
from ..telling import scorecard
from ..telling.progress import bar
from ..telling.scorecard import Source, Style

KEYS = ("h hint", "l list", "r report", "a all", "n next", "p back", "g go to", "x reset", "q quit")
FIRST, LIST, ALL, HINT, NOTE = "first", "list", "all", "hint", "note"
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class View:
    """Everything that is on the screen."""

    lab: str = ""
    file: str = ""                      # "compare.c"
    state: str = ""                     # "grading …", "waiting for a save"
    result: Optional[dict] = None       # the last results.json; None: none yet
    source: Source = field(default_factory=Source)
    took_s: float = 0.0                 # from the save to the verdict
    show: str = FIRST
    text: list[str] = field(default_factory=list)   # HINT and NOTE: what to show
    offset: int = 0                     # how far it is scrolled down
    labs: int = 0                       # how many there are …
    full: int = 0                       # … and how many have full marks
    lead: list[str] = field(default_factory=list)   # what stands above all else: what has just been done
    done: str = ""                      # "12/54 warm-ups", while one is on them


def draw(view: View, width: int, height: int, style: Style = Style()) -> list[str]:
    """At most `height` lines of at most `width` columns."""
    head = [style.paint(cut(_heading(view), width), "1"), ""]
    foot = ["", cut(_progress(view), width), *_keys(width)]
    room = max(height - len(head) - len(foot), 1)
    body = [_fit(line, width) for line in view.lead + _body(view, room - len(view.lead), style)]
    view.offset = max(0, min(view.offset, len(body) - room))
    shown = body[view.offset:view.offset + room]
    if view.offset + room < len(body):
        shown[-1] = cut(f"… {count(len(body) - view.offset - room + 1, 'line')} more: arrow down, space", width)
    return (head + shown + [""] * (room - len(shown)) + foot)[:height]


def _heading(view: View) -> str:
    took = f" · verdict after {view.took_s:.1f} s" if view.took_s and view.result else ""
    return (f"Lab {view.lab[:2]} {view.lab[3:].replace('-', ' ')} "
            f"· {view.file}{took}{f' · {view.state}' if view.state else ''}")


def _keys(width: int) -> list[str]:
    """The keys, in as few lines as they take; two at most."""
    lines = [""]
    for key in KEYS:
        more = f"{lines[-1]}  {key}" if lines[-1] else key
        if len(more) <= width:
            lines[-1] = more
        else:
            lines.append(key)
    return lines[:2]


def _fit(line: str, width: int) -> str:
    """A line that a narrow terminal would break is cut; escapes have no width."""
    return line if len(_ESCAPE.sub("", line)) <= width else cut(_ESCAPE.sub("", line), width)


def _body(view: View, room: int, style: Style) -> list[str]:
    if view.show in (HINT, NOTE):
        return view.text
    if view.result is None:
        return ["Save the file, and it is graded."]
    if view.show == ALL or not view.result["checks"]:
        return scorecard.card(view.result, style, view.source).split("\n")[2:]
    if view.show == LIST:
        return scorecard.listing(view.result, style)
    return _first(view.result, view.source, room, style)


def _first(result: dict, source: Source, room: int, style: Style) -> list[str]:
    """The first failed check in full, each other one that does not pass in a line."""
    failed = [check for check in result["checks"] if check["status"] in ("failed", "error")]
    if not failed:
        return ["", "  All checks pass.", "", "  n goes on to the next lab; the stretch goals stand in the handout."]
    lines = scorecard.failure(failed[0], style, source)
    others = [scorecard.line(check, style) for check in failed[1:]]
    skipped = sum(1 for check in result["checks"] if check["status"] == "skipped")
    if skipped:
        others.append(f"  – {count(skipped, 'check')} wait for these")
    keep = max(room - len(lines) - 1, 1)
    if len(others) > keep:
        others = others[:keep - 1] + [f"  … and {count(len(others) - keep + 1, 'check')} more (l lists them)"]
    return lines + [""] + others


def _progress(view: View) -> str:
    result = view.result
    of_all = f" · {view.done}" if view.done else ""
    of_all += f" · {view.full}/{count(view.labs, 'lab')}" if view.labs else ""
    if not result:
        return bar(0, 1) + of_all
    if result.get("score") is None:
        return f"{bar(0, 1)} {result['status']}{of_all}"
    checks = result["checks"]
    passed = sum(1 for check in checks if check["status"] == "passed")
    return (f"{bar(passed, len(checks))} {passed}/{count(len(checks), 'check')} · "
            f"{result['score']}/{count(result['max_score'], 'point')}{of_all}")


def one_line(view: View, clock: str) -> str:
    """A grading in one line: where there is no terminal."""
    result = view.result
    if not result:
        return f"{clock} {view.lab}: {view.state}"
    if result.get("score") is None:
        return f"{clock} {view.lab}: {result['status']}: {' '.join(printable(result.get('message', '')).split())}"
    failed = next((check for check in result["checks"] if check["status"] in ("failed", "error")), None)
    where = f" ({failed['src']})" if failed and failed.get("src") else ""
    first = f": first {failed['title']}{where}" if failed else ""
    return f"{clock} {view.lab}: {result['score']}/{result['max_score']}{first}"
