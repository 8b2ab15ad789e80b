"""What is known of a warm-up: the facts in NN-name.json, which stand beside NN-name.c in labs/00-warmups.

    {"title": "Two kettles",                    what the card says
     "idea": "spawn", "needs": ["sleep"],       what it teaches, and what must have been taught before
     "patterns": [4], "prepares": ["01"],       of the course's list of patterns; the labs that it prepares
     "hint": "…",
     "runs": [{"output": ["…"], "took": "3s"},  what a right program prints, and its virtual time; then the twist:
              {"twist": "with five kettles", "set": {"n": 5}, "world": "NN-name-twist.json", "output": […], …}],
     "wrong": [{"took": "6s", "say": "…"}, …]}  what first answers show, and what to say of each

A wrong answer is known by all that its entry states of the first run that is not right: "run" (1 or 2), "took",
"output", "has" and "lacks" (a line that holds these words), "lines" (how many), "blocked" (the call that
stopped the loop), "ended" (a word for how: see reading/small.py). "say" and
"hint" are a text, or a list of its lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from .lab import Lab, LabError


@dataclass(frozen=True)
class Expected:
    """One run of a right program. took: in ns."""

    output: tuple[str, ...]
    took: int
    twist: str = ""                             # "with five kettles"; "": the plain run
    settings: tuple[str, ...] = ()              # "n=5"
    world: str = ""                             # the name of a file in worlds/; "": an empty world


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that students give: what its run shows, and what to say."""

    say: str
    shows: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Warmup:
    """One of them, with all that its facts say."""

    name: str                                   # "07-kettles"
    title: str
    idea: str
    needs: tuple[str, ...]
    patterns: tuple[int, ...]
    prepares: tuple[str, ...]
    hint: str
    runs: tuple[Expected, ...]
    wrong: tuple[Wrong, ...]

    @property
    def source(self) -> str:
        """The name of the student's file."""
        return f"{self.name}.c"

    @property
    def number(self) -> str:
        """Its number as it is written: "07"."""
        return self.name[:2]


_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def ns(word: str) -> int:
    """ "300ms" in ns. Raises ValueError."""
    unit = next((unit for unit in _UNITS if word.endswith(unit)), "")
    if not unit:
        raise ValueError(f"{word!r} is no time")
    return int(word[:-len(unit)]) * _UNITS[unit]


def read(lab: Lab) -> list[Warmup]:
    """All warm-ups of a lab, in order. Raises LabError."""
    return [one(lab, source) for source in lab.sources]


def one(lab: Lab, source: str) -> Warmup:
    """The facts of one. Raises LabError."""
    path = (lab.folder / source).with_suffix(".json")
    try:
        return _warmup(path.stem, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise LabError(f"labs/{lab.slug}/{path.name}: {type(fault).__name__}: {fault}") from None


def of_number(lab: Lab, word: str) -> Optional[str]:
    """The file that "7", "07" or "07-kettles" means; None: none."""
    return next((source for source in lab.sources if word in (source[:2], source[:-2], source, str(int(source[:2])))),
                None)


def _warmup(name: str, facts: dict) -> Warmup:
    runs = tuple(Expected(tuple(run["output"]), ns(run["took"]), run.get("twist", ""),
                          tuple(f"{key}={value}" for key, value in run.get("set", {}).items()), run.get("world", ""))
                 for run in facts["runs"])
    wrong = tuple(Wrong(_text(one["say"]), {key: ns(value) if key == "took" else value
                                            for key, value in one.items() if key != "say"}) for one in facts["wrong"])
    return Warmup(name, facts["title"], facts["idea"], tuple(facts["needs"]), tuple(facts["patterns"]),
                  tuple(facts["prepares"]), _text(facts["hint"]), runs, wrong)


def _text(said: Any) -> str:
    return said if isinstance(said, str) else " ".join(said)


def world_of(lab: Lab, expected: Expected) -> Path:
    """The file of a run's world, if it has one."""
    return lab.worlds / expected.world
