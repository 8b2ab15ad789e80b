"""What a run left behind: answers never freed, sessions and streams never closed, tasks that nobody waited for."""

from __future__ import annotations

from collections import Counter
from typing import Optional

from ..plain.failure import Cause
from . import shapes
from .case import Case

_OPENED = {"session": ("CO_SESSION", "co_session_close"), "stream": ("CO_STREAM", "co_stream_close"),
           "file": ("CO_FILE", "co_file_close")}


def leaks(case: Case) -> Optional[Cause]:
    by_place = Counter((leak.what, leak.name, leak.src) for leak in case.trace.leaks)
    if not by_place:
        return None
    (what, name, src), times = by_place.most_common(1)[0]
    at = src or "the program"
    if what == "task":
        return Cause("never awaited",
                     f"{at} starts {name or 'a task'} and nobody ever waits for it: call co_join (or co_await) "
                     "before the function returns", src)
    if what == "response":
        return Cause("leaked response",
                     f"{at} receives {'an answer that is' if times == 1 else f'{times} answers that are'} "
                     "never freed: call co_response_free once you have taken what you need", src)
    if what == "lock":
        return Cause("held lock", f"{at} takes a lock that is still held at the end", src)
    if what == "timeout":
        return shapes.limit_not_ended(case)
    if what in _OPENED:
        call, end = _OPENED[what]
        return Cause(f"open {what}",
                     f"{at} opens a {what} that is never closed: {call} closes it where its block ends (else {end})",
                     src)
    return Cause("leak", f"{at} leaves behind a {what}", src)
