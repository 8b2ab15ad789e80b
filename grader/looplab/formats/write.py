"""Which formats there are, and how a result is written in some of them."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Callable, Iterable, Mapping, Sequence

from ..plain.failure import UsageError
from . import (check50, classroom50, coderunner, dodona, exercism, github, gitlab, gradescope, junit, prairielearn)
from .shown import Files, Setting, clean

FORMATS: Mapping[str, Callable[[dict, Setting], Files]] = {
    "junit": junit.render, "gradescope": gradescope.render, "classroom50": classroom50.render,
    "prairielearn": prairielearn.render, "check50": check50.render, "exercism": exercism.render,
    "dodona": dodona.render, "coderunner": coderunner.render, "github": github.render, "gitlab": gitlab.render}

_ALL: Sequence[ModuleType] = (junit, gradescope, classroom50, prairielearn, check50, exercism, dodona, coderunner)
_FILES = {**{module.__name__.rpartition(".")[2]: [module.NAME] for module in _ALL},
          "github": [github.ANNOTATIONS, github.SUMMARY], "gitlab": [junit.NAME, gitlab.QUALITY]}


def chosen(words: Iterable[str]) -> list[str]:
    """The formats that are named, each once; a word may name several. Raises UsageError for one that there is not."""
    names = [name for word in words for name in word.replace(",", " ").split()]
    for name in names:
        if name not in FORMATS:
            raise UsageError(f"FORMATS={name}: there is no such format; there are {', '.join(FORMATS)}")
    if not names:
        raise UsageError(f"FORMATS: expected one or more of {', '.join(FORMATS)}")
    return list(dict.fromkeys(names))


def write(result: dict, folder: Path, names: Sequence[str], setting: Setting) -> list[Path]:
    """Writes the result in these formats, each file whole or not at all; what an earlier grading left of them goes
    first. Returns what was written: a format may have no word for a fault of the grader. Raises OSError."""
    for name in names:
        for old in _FILES[name]:
            (folder / old).unlink(missing_ok=True)
    texts: dict[str, str] = {}
    for name in names:
        texts.update(FORMATS[name](clean(result), setting))
    for file, text in texts.items():
        beside = folder / f".{file}.new"
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(beside, folder / file)
    return [folder / file for file in texts]
