"""What a short run shows that is known to the last byte: its output, its time, how it ended. For warm-ups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

from ..course.warmups import Expected, Warmup
from ..plain.duration import Duration, show
from ..plain.failure import Cause, Failure
from ..plain.text import count, cut
from ..running.process import Outcome
from . import ending
from .trace import Trace

_ENDINGS = {"deadlock": "deadlock", "livelock": "livelock", "endless": "endless", "overflow": "overflow"}

_WITHOUT_END = ("cpu", "wall", "output", "file")        # which of them is met first depends on the machine


@dataclass(frozen=True)
class Shown:
    """One run, as far as a warm-up is judged by it."""

    output: tuple[str, ...]
    took: Optional[int]                 # ns; None: the function did not return
    ended: str                          # "": well; else one of those that `ended` in the facts may name
    failure: Optional[Failure]          # why it did not end well, in words
    leaks: tuple[str, ...] = ()         # "task", "response", "lock", …
    src: Optional[str] = None
    blocked: tuple[str, ...] = ()       # the calls that stopped the loop: "usleep", "cpu", "http", …

    def right(self, expected: Expected) -> bool:
        """Is it what it should be?"""
        return not self.ended and self.output == expected.output and self.took == expected.took


def shown(outcome: Outcome, trace: Optional[Trace]) -> Shown:
    """What a run shows. Its end has a word: deadlock, livelock, endless, overflow, crash, memory, threads;
    error: the function returned one; leak; exit. All that goes on and on is "endless"."""
    output = tuple(outcome.stdout.split("\n")[:-1] if outcome.stdout.endswith("\n") else outcome.stdout.split("\n")) \
        if outcome.stdout else ()
    failure = ending.failure(outcome, trace)
    word = _word(outcome, failure)
    if not failure and trace:
        failure = ending.refusal(outcome, trace)
        word = "error" if failure else ""
    leaks = tuple(leak.what for leak in trace.leaks) if trace else ()
    src = failure.src if failure else None
    if not failure and trace and leaks:
        leak = trace.leaks[0]
        what = {"task": "a task that nobody waits for"}.get(leak.what, f"a {leak.what} that is never given back")
        at = f"{leak.src}: " if leak.src else ""
        failure = Failure("nothing is left over at the end", f"{count(len(leaks), 'thing')} left over",
                          Cause("leak", f"{at}{what}", leak.src))
        word, src = "leak", leak.src
    return Shown(output, trace.took if trace else None, word, failure, leaks, src,
                 tuple(block.on for block in trace.blocks()) if trace else ())


def _word(outcome: Outcome, failure: Optional[Failure]) -> str:
    if not failure:
        return ""
    if outcome.limit:
        return "endless" if outcome.limit in _WITHOUT_END else outcome.limit
    kind = failure.cause.kind if failure.cause else ""
    return _ENDINGS.get(kind) or ("crash" if outcome.signal or kind == "crashed" else "exit")


def verdict(warmup: Warmup, runs: Sequence[Shown]) -> Optional[tuple[int, Failure]]:
    """The number of the first run that is not right, and what to say of it; None: all are."""
    for number, (run, expected) in enumerate(zip(runs, warmup.runs)):
        if not run.right(expected):
            return number, _failure(warmup, number, run, expected)
    return None


def _failure(warmup: Warmup, number: int, run: Shown, expected: Expected) -> Failure:
    said = next((wrong.say for wrong in warmup.wrong if _shows(wrong.shows, number, run)), "")
    where = f"{expected.twist} (the twist)" if expected.twist else ""
    want, got = _difference(run, expected)
    if run.failure:
        want, got = run.failure.expected, run.failure.happened
    cause = Cause("warmup", said, run.src) if said else run.failure.cause if run.failure else None
    if said and run.failure and run.failure.cause and run.src:
        got = f"{got} ({run.failure.cause.text})"
    return Failure(want, got, cause, where=where)


def _difference(run: Shown, expected: Expected) -> tuple[str, str]:
    """The first place where output or time are not as they should be."""
    if run.output != expected.output:
        line = next((number for number, (one, other) in enumerate(zip(run.output, expected.output)) if one != other),
                    min(len(run.output), len(expected.output)))
        want = f"line {line + 1} is \"{expected.output[line]}\"" if line < len(expected.output) \
            else f"{count(len(expected.output), 'line')} of output"
        got = f"\"{cut(run.output[line], 200)}\"" if line < len(run.output) \
            else f"there is no line {line + 1}" if run.output else "nothing was printed"
        return want, got
    return (f"it takes {show(Duration(expected.took))}",
            "it did not return" if run.took is None else f"it took {show(Duration(run.took))}")


def _shows(shows: dict[str, Any], number: int, run: Shown) -> bool:
    """Does this run show what a wrong answer shows? One that says nothing of an end is of runs that end well."""
    asked = {"run": lambda value: value == number + 1, "took": lambda value: run.took == value,
             "output": lambda value: list(run.output) == value,
             "has": lambda value: any(value in line for line in run.output),
             "lacks": lambda value: not any(value in line for line in run.output),
             "lines": lambda value: len(run.output) == value,
             "blocked": lambda value: value in run.blocked,
             "ended": lambda value: run.ended == value}
    return bool(run.ended) == ("ended" in shows) and all(asked[key](value) for key, value in shows.items())
