"""One trace of two: the judge's record, which proves, and the program's own trace, which explains (sim/judge).

The program's trace says at which of its lines the record was how long. So the two become what one process would have
written that held its world itself. A program that lies about that moves lines within its own explanation; each line of
the record is there once, in its order, whatever the program's trace says.
"""

from __future__ import annotations

import json
from typing import Iterator


def weave(own: str, record: str) -> str:
    """The two traces as one: the record's first line, its lines that are from the world, the program's that are from
    the runtime. "" without a record. Of the program's own trace whatever is not a line of the runtime's is left out:
    no program writes a line of the world's."""
    first, *proofs = record.split("\n")[:-1] or [""]
    if not first:
        return ""
    return "".join(line + "\n" for line in (first, *_woven(own, proofs)))


def _woven(own: str, proofs: list[str]) -> Iterator[str]:
    """The lines behind the first."""
    at = 0
    for line in own.split("\n")[1:-1]:
        event = _object(line)
        if event.get("from") == "runtime":
            yield line
        lines = event.get("lines") if event.get("from") == "judge" else None
        if type(lines) is int and lines > at:
            yield from _of_the_world(proofs[at:lines])
            at = lines
    yield from _of_the_world(proofs[at:])


def _of_the_world(proofs: list[str]) -> Iterator[str]:
    return (line for line in proofs if '"from":"world"' in line[:60])


def _object(line: str) -> dict:
    """The JSON object in a line; {} where there is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if type(event) is dict else {}
