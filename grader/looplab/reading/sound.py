"""Which lines of a trace hold what the kit writes there: numbers where it writes numbers, words where it writes words,
and all that it always writes.

A program that nobody trusts has written them. Whoever reads a trace may rely on this; what a line means is another
matter. sim/trace/trace.schema.json says it all, one event at a time; a test holds the two together.
"""

from __future__ import annotations

import re
from typing import Optional, Sequence

NUMBERS = ("t", "op", "task", "by", "rc", "status", "bytes", "cpu", "conn", "reused", "blocking", "session", "ns",
           "pool", "worker", "calls", "job_of", "db", "file", "holder", "lines", "messages", "moves", "others",
           "prepared", "code", "sent", "signal", "since", "size", "steps", "target")
WORDS = ("ev", "from", "url", "method", "call", "path", "to", "mode", "on", "name", "says", "sql", "table", "text",
         "hash", "told", "what", "why", "address", "client")
PLACES = ("src", "at", "shield")
ANYTHING = ("value", "rows")
NEEDED = {
    "spawn": ("task", "name", "by"), "ready": ("task", "by"), "run": ("task",), "await": ("task", "on"),
    "done": ("task", "rc"), "cancel": ("task", "by", "why"), "block": ("ns", "on"), "leak": ("what",),
    "deadlock": ("task", "on", "since"), "silence": ("steps",), "livelock": ("task", "steps"),
    "endless": ("task", "moves"), "overflow": ("task", "name", "size"), "crash": ("signal",), "end": ("rc",),
}
"""What each line of the runtime's holds: those a program could write itself."""

_PLACE = re.compile(r'[^/]+:[1-9]\d{0,8}')
_NUMBER_MOST = 10 ** 19          # as long as an int64_t
_LINE = re.compile(
    r'\{"t":\d{1,19},"from":"(?:runtime|world|judge)","ev":"[a-z.]+"'
    rf'(?:,"(?:{"|".join(NUMBERS)})":-?\d{{1,19}}'
    rf'|,"(?:{"|".join(WORDS)}|program)":"(?:[^"\\\n]|\\.)*"'
    rf'|,"(?:{"|".join(PLACES)})":"[^/"\\\n]+:[1-9]\d{{0,8}}")*(?:,"(?:{"|".join(ANYTHING)})":[^\n]*)?\}}\n')


def first_distorted(events: Sequence[dict], text: str) -> Optional[tuple[int, str]]:
    """(index of the event, key) of the first value that is none of its kind. text: the lines of these events, the
    header before them."""
    written = text.count("\n") == len(_LINE.findall(text)) + 1     # as nearly always: each as the kit writes them
    for index, event in enumerate(events):
        # behind "value" and "rows" anything may stand
        key = _distorted(event) if not written or "value" in event or "rows" in event else _lacking(event)
        if key is not None:
            return index, key
    return None


def is_sound(event: dict) -> bool:
    """Does this line, by itself, hold what the kit writes there?"""
    return _distorted(event) is None


def _lacking(event: dict) -> Optional[str]:
    """The first key that a line of the runtime's should have and has not."""
    if event["from"] != "runtime":
        return None
    for key in NEEDED.get(event["ev"], ()):
        if key not in event:
            return key
    return None


def _distorted(event: dict) -> Optional[str]:
    for key, value in event.items():
        if key in NUMBERS:
            sound = type(value) is int and abs(value) < _NUMBER_MOST
        elif key in WORDS:
            sound = type(value) is str
        elif key in PLACES:
            sound = type(value) is str and _PLACE.fullmatch(value) is not None
        else:
            sound = True                    # what nobody reads, and what may be anything
        if not sound:
            return key
    return next((key for key in ("t", "from", "ev") if key not in event), None) or _lacking(event)
