"""How a lab's program is called, once: mode, world, URLs, tape and settings. Two equal calls are one run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Union

from ..plain.duration import Duration, exact
from .world import World

Settings = Mapping[str, Union[int, str]]
"""What `settings=` takes: {"workers": 5, "timeout": ms(300), "delay": "2s"}."""


@dataclass(frozen=True)
class Call:
    """What stands on the command line, but for the seed and the paths."""

    mode: str                       # "": the program's default
    world: str                      # the world file's text
    named: tuple[str, ...] = ()     # the URLs on the command line; without any, the program takes the world's
    tape: Optional[str] = None
    settings: tuple[str, ...] = ()  # "workers=5", "timeout=300ms"

    def argv(self, seed: int, world: str, trace: str, memory: str) -> list[str]:
        """The words behind the program's name. world, trace, memory: the paths of these files, from where the program
        runs."""
        return self._words(["--world", world], seed, trace, memory, ["--tape", self.tape] if self.tape else [])

    def argv_judged(self, seed: int, judge: int, trace: str, memory: str) -> list[str]:
        """The same where a judge holds the world and the tape. judge: the descriptor of the connection to it."""
        return self._words(["--judge", str(judge)], seed, trace, memory, [])

    def _words(self, world: list[str], seed: int, trace: str, memory: str, tape: list[str]) -> list[str]:
        words = [*world, "--seed", str(seed), "--trace", trace, "--memory", memory, *tape]
        for setting in self.settings:
            words += ["--set", setting]
        return [*words, *([self.mode] if self.mode else []), *self.named]

    def replay(self) -> list[str]:
        """The words of `make run` that say tape and settings; [] for a plain run."""
        return [f"{name}={shlex.quote(value)}" for name,
                value in (("SET", " ".join(self.settings)), ("TAPE", self.tape)) if value]


def call(mode: str, world: World, urls: Optional[Sequence[str]] = None, tape: Optional[str] = None,
         settings: Optional[Settings] = None) -> Call:
    """The Call that these words of a check mean. Raises ValueError for settings that are no numbers."""
    if urls is not None and not urls and world.urls():
        raise ValueError("a run without URLs needs a world without routes")
    named = () if urls is None or list(urls) == world.urls() else tuple(urls)
    return Call(mode, world.text(), named, tape,
                tuple(f"{name}={_value(name, value)}" for name, value in (settings or {}).items()))


def _value(name: str, value: Union[int, str]) -> str:
    """A setting as the command line has it; times in their own unit."""
    if isinstance(value, Duration):
        return exact(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"the setting {name} must be a whole number, a time or a text such as \"2s\", not {value!r}")
    return str(value)
