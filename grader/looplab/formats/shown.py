"""A result as the formats see it: read, made safe to print, and in the words that all of them share."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from ..plain.failure import UsageError
from ..plain.text import cut, printable
from ..telling import results

Files = Mapping[str, str]
"""What a format writes: text by the file's name. None at all: it has no word for what happened."""

_CHECK_TYPES = {"id": str, "title": str, "category": str, "status": str, "score": int, "max_score": int, "message": str}


@dataclass(frozen=True)
class Setting:
    """What a result does not say of itself. source: the folder of the student's file, as the receiver names it; "":
    labs/NN-slug. env: the environment, for receivers that say who is graded there."""

    source: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    def file(self, result: dict, name: str) -> str:
        """The path of a student's file."""
        return printable(f"{(self.source or 'labs/' + result['lab']).rstrip('/')}/{name}")


def read(path: Path) -> dict:
    """The result in a file. Raises UsageError, one line, where there is none."""
    try:
        result = json.loads(path.read_bytes())
    except OSError as fault:
        raise UsageError(f"{path}: {fault.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: this is no JSON") from None
    wrong = _wrong(result)
    if wrong:
        raise UsageError(f"{path}: {wrong}")
    return result


def _wrong(result: Any) -> Optional[str]:
    """Why it is no result; None: it is one."""
    if not isinstance(result, dict) or result.get("schema") != results.SCHEMA:
        return f"expected a results.json of {results.SCHEMA}"
    if result.get("status") not in ("graded", "ungradable", "error"):
        return "status: expected graded, ungradable or error"
    if not (isinstance(result.get("lab"), str) and re.fullmatch(r"[0-9]{2}-[a-z0-9-]+", result["lab"])):
        return "lab: expected NN-slug"
    for key in ("score", "max_score"):
        if not (result.get(key) is None and result["status"] != "graded" or _counts(result.get(key))):
            return f"{key}: expected a whole number from 0 on"
    if not isinstance(result.get("checks"), list):
        return "checks: expected a list"
    for number, check in enumerate(result["checks"]):
        if not isinstance(check, dict) or any(not isinstance(check.get(key), kind)
                                              for key, kind in _CHECK_TYPES.items()):
            return f"checks[{number}]: expected {', '.join(_CHECK_TYPES)}"
        if not _counts(check["score"]) or not _counts(check["max_score"]) \
                or check["status"] not in ("passed", "failed", "skipped", "error"):
            return f"checks[{number}]: expected points from 0 on, and passed, failed, skipped or error"
    return None


def _counts(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def clean(value: Any) -> Any:
    """The same, with no character in any text that acts on a terminal, or that XML, PHP or UTF-8 does not know."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [clean(one) for one in value]
    return {printable(key): clean(one) for key, one in value.items()} if isinstance(value, dict) else value


def place(src: object) -> Optional[tuple[str, int]]:
    """"compare.c:12" as a file and a line from 1 on; None: it is no such place."""
    found = re.fullmatch(r"([\w.+-]+\.[ch]):(\d{1,7})(?::\d+)?", src) if isinstance(src, str) else None
    return (found[1], int(found[2])) if found and int(found[2]) else None


def line(message: str, *labels: str) -> str:
    """Of a check's message the first line with one of these labels, in the order of the labels, without it; "" if
    there is none."""
    lines = message.split("\n")
    for label in labels:
        for one in lines:
            if one.startswith(f"{label}: "):
                return one[len(label) + 2:]
    return ""


def headline(check: dict) -> str:
    """The one line that says most of why a check failed."""
    return line(check["message"], "cause", "happened") or check["message"].split("\n")[0] or check["status"]


def body(check: dict) -> str:
    """All that is said of a check, with its place."""
    src = check.get("src")
    return check["message"] if not src or src in check["message"] else f"{src}\n{check['message']}".rstrip("\n")


def notes(result: dict) -> list[str]:
    """What is to be said of the whole, a paragraph each."""
    said = [f"This file cannot be graded: {result.get('message', '')}"] if result["status"] == "ungradable" else []
    if result["status"] == "error":
        said.append(f"The grader failed, which is not the student's fault: {result.get('message', '')}")
    if "points" in result:
        said.append(f"The checks add up to {result['points']} points; {result['score']} count: at most 80 % do while "
                    "a check of correctness, timing or robustness fails.")
    if "only" in result:
        said.append(f"Only the check {result['only']} was asked for.")
    return said


def score(result: dict) -> int:
    """Points, at most those there are; 0 where there are none."""
    return min(result["score"] or 0, result["max_score"] or 0)


def fraction(result: dict) -> float:
    """Points as a part of the whole, from 0 to 1."""
    return score(result) / result["max_score"] if result["max_score"] else 0.0


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def within(most: int, result: dict, write: Callable[[dict], str]) -> str:
    """What `write` makes of the result in at most `most` bytes of UTF-8: each message is cut to as much as fits."""
    for longest in (1 << 20, 1 << 14, 1 << 12, 1 << 10, 256, 64):
        text = write(_cut(result, longest))
        if len(text.encode("utf-8", "surrogatepass")) <= most:
            return text
    few = {**_cut(result, 64), "checks": []}
    return write(few)


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return cut(value, most)
    if isinstance(value, list):
        return [_cut(one, most) for one in value]
    return {key: _cut(one, most) for key, one in value.items()} if isinstance(value, dict) else value
