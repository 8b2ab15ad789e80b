"""`looplab hint`: a lab's hints.md, level by level. It remembers how far one has read, and tells the next level."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..plain.failure import UsageError
from ..plain.text import fill
from . import lab as labs, warmups
from .lab import Lab

LINE_END = "\n"


@dataclass(frozen=True)
class Hints:
    """The hints of one TODO; levels[0] is the question, levels[2] nearly the answer."""

    todo: int
    title: str
    levels: tuple[str, ...]


def read(lab: Lab) -> dict[int, Hints]:
    """All hints of a lab, by TODO, in order; those of a warm-up by its number, with one level. Raises OSError where
    there is no hints.md."""
    if lab.warmups:
        return {int(one.number): Hints(int(one.number), one.title, (f"A hint\n\n{one.hint}",))
                for one in warmups.read(lab)}
    text = (lab.folder / "hints.md").read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        number = re.match(r"TODO (\d+)[:.]? *(.*)", head)
        if number:
            levels = re.findall(r"<details><summary>(.*?)</summary>\n(.*?)</details>", body, flags=re.DOTALL)
            found[int(number[1])] = Hints(int(number[1]), number[2],
                                          tuple(f"{name}\n\n{said.strip(LINE_END)}" for name, said in levels))
    return found


def show(hints: Hints, level: int) -> list[str]:
    """One level, as lines for a terminal. Code keeps its lines, text is filled."""
    lines = [f"TODO {hints.todo}: {hints.title}" if len(hints.levels) > 1 else f"{hints.todo:02} {hints.title}", ""]
    for paragraph in hints.levels[level - 1].split("\n\n"):
        lines += paragraph.split("\n") if paragraph.startswith("    ") else fill(" ".join(paragraph.split()))
        lines.append("")
    if level < len(hints.levels):
        lines.append(f"({level} of {len(hints.levels)}; ask again for the next one)")
    return lines


class Memory:
    """Which level of which TODO was told last: build/hints.json. A file that is damaged counts as none."""

    def __init__(self, lab: Lab):
        self._file, self._slug = lab.root / "build" / "hints.json", lab.slug
        try:
            self._all = json.loads(self._file.read_text())
        except (OSError, ValueError):
            self._all = {}
        if not isinstance(self._all, dict):
            self._all = {}

    def level(self, todo: int) -> int:
        """The last level told of a TODO; 0: none yet."""
        told = self._all.get(self._slug, {})
        level = told.get(str(todo), 0) if isinstance(told, dict) else 0
        return level if isinstance(level, int) else 0

    def tell(self, todo: int, level: int) -> None:
        """Remembers. Where nothing can be written, nothing is remembered."""
        if not isinstance(self._all.get(self._slug), dict):
            self._all[self._slug] = {}
        self._all[self._slug][str(todo)] = level
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._all) + "\n")
        except OSError:
            pass


def current(lab: Lab, hints: dict[int, Hints], source: Path) -> int:
    """The TODO that a student is at: the first whose words still stand in the file; without any, the last."""
    if lab.warmups:
        still = [name for name in lab.sources if "TODO" in _text(source.parent / name)]
        return int((source.name if source.name in still or not still else still[0])[:2])
    text = _text(source)
    open_ = [int(number) for number in re.findall(r"TODO (\d+)", text)]
    return next((todo for todo in sorted(hints) if todo in open_), max(hints))


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def next_level(lab: Lab, todo: int, hints: Hints) -> int:
    """The level to tell now; the last one again once all are told. Remembers it."""
    memory = Memory(lab)
    level = min(memory.level(todo) + 1, len(hints.levels))
    memory.tell(todo, level)
    return level


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "hint". Raises UsageError."""
    parser = argparse.ArgumentParser(prog="looplab hint",
                                     description="Tells one hint: the next one, or the one asked for.")
    parser.add_argument("--lab", metavar="L", required=True, help="1, 01 or 01-sync-vs-async")
    parser.add_argument("--todo", metavar="N", help="which TODO (default: the first that is still open)")
    parser.add_argument("--level", metavar="K", help="1: a question, 2: a direction, 3: nearly the answer (default: "
                                                     "the next)")
    parser.add_argument("--from", dest="source", metavar="DIR", default="",
                        help="where the lab's file is (default: labs)")
    options = parser.parse_args(argv)
    lab = labs.resolve(options.lab, root)
    hints = read(lab)
    folder = Path(options.source) if options.source else lab.folder
    folder = folder / lab.slug if (folder / lab.slug).is_dir() else folder
    todo = _number("TODO", options.todo, sorted(hints)) if options.todo else current(lab, hints, folder / lab.source)
    levels = list(range(1, len(hints[todo].levels) + 1))
    level = _number("LEVEL", options.level, levels) if options.level else next_level(lab, todo, hints[todo])
    print("\n".join(show(hints[todo], level)))
    return 0


def _number(name: str, word: str, known: list[int]) -> int:
    if not word.isdigit() or int(word) not in known:
        raise UsageError(f"{name}={word}: there are {', '.join(map(str, known))}")
    return int(word)
