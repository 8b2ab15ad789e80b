"""A class in parts: which submissions are a shard's, what says that a shard has ended, and when all have.

Shard k of n is every n-th submission from the k-th on. All shards of a class have one OUT, on a disk that they share or
put together by copying; each writes the results of its own submissions there, and in the end OUT/.shards/k-of-n/ended,
which holds what has no lasting result. So one that was killed is known by what is not there. Who joins them asks for
every shard, and for every result.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Sequence, Tuple

from ..plain.failure import UsageError
from ..plain.text import count
from .intake import Submission

FOLDER = ".shards"
MOST = 10_000
_ENDED = "ended"
_NAMED = 5                  # so many that are missing are named

Key = Tuple[str, str]
"""A student's folder, and a lab's slug."""


@dataclass(frozen=True)
class Shard:
    """One part of a class: number 1 to `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def part(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Those that are this shard's."""
        return list(submissions)[self.number - 1::self.of]

    def folder(self, out: Path) -> Path:
        """Where it says that it has ended."""
        return out / FOLDER / f"{self.number}-of-{self.of}"

    def has_ended(self, out: Path) -> bool:
        return (self.folder(out) / _ENDED).is_file()

    def begin(self, out: Path) -> None:
        """Takes back that it has ended. Raises OSError."""
        self.folder(out).mkdir(parents=True, exist_ok=True)
        (self.folder(out) / _ENDED).unlink(missing_ok=True)

    def end(self, out: Path, without: Mapping[Key, bool]) -> None:
        """Says that it has ended. without: what has no lasting result (a fault of the grader), and whether it was cut
        off at a limit. Raises OSError."""
        beside = self.folder(out) / f".{_ENDED}"
        beside.write_text(json.dumps([[*key, cut] for key, cut in sorted(without.items())]) + "\n", "utf-8")
        beside.replace(self.folder(out) / _ENDED)


def parse(word: str) -> Shard:
    """The shard that "2/7" says. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", word)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= MOST:
        raise UsageError(f"SHARD={word}: expected one of several, as in 2/7")
    return Shard(int(found[1]), int(found[2]))


@dataclass
class Joined:
    """All shards of a class, which have ended."""

    out: Path
    of: int
    without: dict[Key, bool] = field(default_factory=dict)      # what has no lasting result, and was it cut off?

    def check(self, missing: Sequence[Submission]) -> None:
        """Raises UsageError where no shard has a result of some submissions: these are others now, or the kit is."""
        if missing:
            named = ", ".join(f"{one.student} {one.lab.number}" for one in missing[:_NAMED])
            raise UsageError(f"JOIN={self.out}: {count(len(missing), 'result')} missing ({named}{_more(missing)}): a "
                             "file, a seed or the kit is another one than it was for the shards; run them again, "
                             "nothing is graded twice")


def clear(out: Path) -> None:
    """What shards have left for each other goes away: the tables of the whole class are there."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)


def joined(out: Path) -> Joined:
    """All shards of the class whose results lie in `out`. Raises UsageError where one has not ended, or where they are
    of two classes."""
    begun = {path: parse("/".join(path.name.split("-of-"))) for path in (out / FOLDER).glob("*-of-*")}
    if not begun:
        raise UsageError(f"JOIN={out}: no shard was graded into it: make class SHARD=1/4 OUT={out} is the first of "
                         "four")
    counts = sorted({shard.of for shard in begun.values()})
    if len(counts) > 1:
        raise UsageError(f"JOIN={out}: shards of {counts[0]} and of {counts[1]} lie there: remove {out}/{FOLDER}, and "
                         "run all shards of one of them again; nothing is graded twice")
    whole, ended = Joined(out, counts[0]), set()
    for path, shard in begun.items():
        try:
            said = json.loads((path / _ENDED).read_text("utf-8"))
            whole.without.update({(student, slug): bool(cut) for student, slug, cut in said})
            ended.add(shard.number)
        except (OSError, ValueError, TypeError):
            continue                                    # it was killed, or its disk was full
    missing = [f"{number}/{whole.of}" for number in range(1, whole.of + 1) if number not in ended]
    if missing:
        raise UsageError(f"JOIN={out}: {count(len(missing), 'shard')} of {whole.of} "
                         f"{'has' if len(missing) == 1 else 'have'} not ended: {', '.join(missing[:_NAMED])}"
                         f"{_more(missing)}; run {'it' if len(missing) == 1 else 'them'} again, as in: "
                         f"make class SHARD={missing[0]} OUT={out}")
    return whole


def _more(things: Sequence[object]) -> str:
    return f" and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
