"""The trace of a program that went round and round (a livelock), with most of its rounds left out.

The runtime writes 50,000 of them down, in 9 MB; a few thousand show as much, and are read and drawn in a twentieth of
the time.
"""

from __future__ import annotations

KEPT = 256 << 10            # bytes at either end
_LAST = b'"ev":"livelock"'
_ROUND = (b'"ev":"await"', b'"ev":"ready"', b'"ev":"run"')


def without_most(trace: bytes) -> bytes:
    """The trace, without the middle of it if that is nothing but tasks that wait, wake and run in a livelock."""
    end = trace.rfind(b"\n", 0, len(trace) - 1) + 1
    if len(trace) < 4 * KEPT or _LAST not in trace[end:]:
        return trace
    first, last = trace.index(b"\n", KEPT) + 1, trace.index(b"\n", len(trace) - KEPT) + 1
    middle = trace[first:last]
    if sum(map(middle.count, _ROUND)) != middle.count(b"\n"):
        return trace
    return trace[:first] + trace[last:]
