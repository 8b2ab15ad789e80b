"""Values of a program in a student's words: results, error codes, calls."""

from __future__ import annotations

import errno
import json
from typing import Any

from .duration import Duration, show

_CALLS = {"http": "http_get_blocking", "cpu": "co_cpu"}

_WAITS = {"sleep": "co_sleep", "yield": "co_yield", "http": "an HTTP answer", "job": "a worker", "lock": "a lock",
          "sem": "a semaphore", "event": "an event", "queue.get": "an item from a queue",
          "queue.put": "room in a queue",
          "queue.join": "a queue's items to be finished", "task": "a task", "group": "its group", "wait": "its tasks",
          "barrier": "others at a barrier", "cond": "a condition", "file": "the disk", "stream": "a piece of an answer",
          "database": "a database", "connection": "a connection of a pool", "socket": "the network",
          "client": "a client that comes", "peer": "the other side of a connection",
          "room": "room at the other side of a connection"}


def error(rc: int) -> str:
    """A return code as the contract writes it: -111 is "-ECONNREFUSED"."""
    if rc >= 0:
        return str(rc)
    return "-CO_ENOHOST" if rc == -errno.ENXIO else "-" + errno.errorcode.get(-rc, str(-rc))


def result(value: Any) -> str:
    """One result of a fetch: "status 200, length 5" or "error -ECONNREFUSED"; anything else as JSON."""
    if not isinstance(value, dict):
        return json.dumps(value)
    if set(value) == {"error", "status", "length"} and all(isinstance(part, int) for part in value.values()):
        answer = f"status {value['status']}, length {value['length']}"
        if not value["error"]:
            return answer
        failed = f"error {error(value['error'])}"
        return failed if not value["status"] and not value["length"] else f"{failed}, {answer}"
    unset = [name for name, part in value.items() if part == "never written"]
    if unset:
        rest = {name: part for name, part in value.items() if name not in unset}
        names = f"{', '.join(unset[:-1])}{' and ' if len(unset) > 1 else ''}{unset[-1]}"
        told = f"{names} {'was' if len(unset) == 1 else 'were'} never written"
        return f"{result(rest)}; {told}" if rest else told
    return ", ".join(f"{name} {error(part) if name in ('error', 'rc') and isinstance(part, int) else _scalar(part)}"
                     for name, part in value.items())


def _scalar(part: Any) -> str:
    """A word as it is, anything else as JSON."""
    return part if isinstance(part, str) else json.dumps(part)


def value(any_value: Any) -> str:
    """Any value, short: times in ms, results as `result` has them, lists by their first few."""
    if isinstance(any_value, Duration):
        return show(any_value)
    if isinstance(any_value, (list, tuple)):
        shown = ", ".join(value(part) for part in any_value[:4])
        return f"[{shown}{f', … {len(any_value)} in all' if len(any_value) > 4 else ''}]"
    if isinstance(any_value, float):
        return f"{any_value:.6g}"
    return result(any_value) if isinstance(any_value, (dict, bool, int)) or any_value is None else str(any_value)


def call(on: str) -> str:
    """The C function behind the "on" of a block line."""
    return _CALLS.get(on, on)


def wait(on: str) -> str:
    """What a task waits for, from the "on" of an await line."""
    return _WAITS.get(on, on)


def event(line: str) -> str:
    """A line of a trace, for people: "2,002 ms await on=sleep src=compare.c:51"; "nothing more" for an empty one."""
    if not line:
        return "nothing more"
    try:
        fields = json.loads(line)
        rest = [f"{key}={part}" for key, part in fields.items() if key not in ("t", "ev", "from")]
        return f"{show(fields['t'])} {fields['ev']} {' '.join(rest)}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return line[:120]
