"""One trace of two: the judge's record, which proves, and the program's own trace, which explains (sim/judge).

The program's trace says at which of its lines the record was how long. So the two become what one process would have
written that held its world itself. A program that lies about that moves lines within its own explanation; each line of
the record is there once, in its order, whatever the program's trace says.
"""

from __future__ import annotations

import json
import re
from typing import Iterator

_OWN = re.compile(r'^\{"t":\d+,"from":"(?:runtime|judge)",', re.MULTILINE)
_SEEN = re.compile(r'^\{"t":\d+,"from":"judge","ev":"seen","lines":(\d+)\}\n', re.MULTILINE)


def weave(own: str, record: str) -> str:
    """The two traces as one: the record's first line, its lines that are from the world, the program's that are from
    the runtime. "" without a record, or with nothing but its beginning. Of the program's own trace whatever is not a
    line of the runtime's is left out: no program writes a line of the world's."""
    first, *proofs = record.split("\n")[:-1] or [""]
    if not first:
        return ""
    proofs = [line + "\n" if '"from":"world"' in line[:60] else "" for line in proofs]
    if not own and not any(proofs):
        return ""                       # it never began
    _, _, own = own.partition("\n")
    own = own[:own.rfind("\n") + 1]
    pieces = _pieces(own) if _as_written(own) else _pieces_of_lines(own)
    return "".join([first, "\n", *_woven(pieces, proofs)])


def _woven(pieces: Iterator[tuple[str, int]], proofs: list[str]) -> Iterator[str]:
    """What stands behind the first line. pieces: lines of the runtime's, and how long the record was then."""
    at = 0
    for text, lines in pieces:
        yield text
        if lines > at:
            yield from proofs[at:lines]
            at = lines
    yield from proofs[at:]


def _as_written(own: str) -> bool:
    """Are these lines all as the kit writes them? Each begins with a time and where it is from; no other place says
    that, as no name is written in escapes."""
    lines = own.count("\n")
    return "\\" not in own and own.count('"from"') == lines == len(_OWN.findall(own)) \
        and own.count('"from":"judge"') == len(_SEEN.findall(own))


def _pieces(own: str) -> Iterator[tuple[str, int]]:
    begin = 0
    for seen in _SEEN.finditer(own):
        yield own[begin:seen.start()], int(seen[1][:18])
        begin = seen.end()
    yield own[begin:], 0


def _pieces_of_lines(own: str) -> Iterator[tuple[str, int]]:
    """The same, whatever they are."""
    for line in own.split("\n")[:-1]:
        event = _object(line)
        lines = event.get("lines") if event.get("from") == "judge" else None
        yield (line + "\n" if event.get("from") == "runtime" else ""), lines if type(lines) is int else 0


def _object(line: str) -> dict:
    """The JSON object in a line; {} where there is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if type(event) is dict else {}
