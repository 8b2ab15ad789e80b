"""Builds the decks: `make slides`. What a deck shows of code and of runs is taken from the real thing at build time.

A deck is Markdown for Marp, with a few words of its own, each on a line that begins with it:

    @code PATH#NAME [from="text"] [to="text"] [comments=no]    the function, struct or macro NAME of a C file that the
                                                               tests compile, or
                                                   the piece of it between the lines that hold these texts (both
                                                   included)
    @run EXAMPLE=22 [from="text"] [to="text"]      what the example prints; or LAB=01 FROM=solutions MODE=async
                                                   WORLD=three.json [SET="a=1"]
    @trace EXAMPLE=22 [task=2] [only="run await"] [from="text"] [to="text"]   the runtime's events of that run, a line
                                                                              each
    @figure EXAMPLE=22 [main=no] [end=2s] [height=400] [alt="text"] [names="Argo, Beagle"]     the timeline of that
                                                   run; or of a lab's, as above; names: who tasks 2, 3, … are, where
                                                   they share a function
    @report LAB=01 FROM=DIR [CHECK=ID | MODE=…] [from="text"] [to="text"]  what the run report says of that run, as text
    @lines PATH [from="text"] [to="text"] [wrap=yes]   a piece of any text file; wrap: long lines are continued on the
                                                       next

Comments (<!-- … -->) are the speaker's notes. Output: build/slides/NN-slug.html, .pdf and .notes.txt.
A name that is not there, a text that is not found, a run that fails: the build stops and says in which deck and line.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

ROOT = Path(os.path.abspath(__file__)).parents[1]
sys.path.insert(0, str(ROOT / "grader"))

from looplab.reading.trace import TraceError, read  # noqa: E402
from looplab.report import svg, timeline  # noqa: E402

HERE, OUT = ROOT / "slides", ROOT / "build" / "slides"
MARP = ROOT / "build" / "node" / "node_modules" / ".bin" / "marp"
WORD = re.compile(r"^@(code|run|trace|figure|report|lines)\s+(.*)$")
RUN_KEYS = ("EXAMPLE", "LAB", "FROM", "MODE", "WORLD", "SET", "URLS", "SEED", "TEST", "FAULT")
WIDEST, WIDEST_SMALL = 78, 94        # columns of code on a slide, in usual and in smaller letters
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


class DeckError(Exception):
    """A deck asks for something that is not there; the message says where."""


# ---- What the words mean ----------------------------------------------------------------------


def expand(text: str, name: str) -> str:
    """The deck with each word replaced by what it stands for. Raises DeckError."""
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = WORD.match(line)
        try:
            lines.append(_WORDS[found[1]](*_arguments(found[2])) if found else line)
        except (DeckError, OSError, ValueError) as fault:
            raise DeckError(f"slides/{name}:{number}: {fault}") from None
    return "\n".join(lines)


def _arguments(words: str) -> tuple[list[str], dict[str, str]]:
    """Plain words, and those of the form name=value."""
    plain, named = [], {}
    for word in shlex.split(words):
        key, equals, value = word.partition("=")
        if equals and re.fullmatch(r"\w+", key):
            named[key] = value
        else:
            plain.append(word)
    return plain, named


def _code(plain: list[str], named: dict[str, str]) -> str:
    path, _, what = plain[0].partition("#")
    text = (ROOT / path).read_text()
    body = _between(definition(text, what) if what else text, named)
    body = without_comments(body) if named.get("comments") == "no" else body
    return _fenced(body, "c") + f"<p class=\"from\">{escape(path)}</p>\n"


def without_comments(code: str) -> str:
    """The code without its comments, and without the lines that held nothing else."""
    marked = re.sub(r"/\*.*?\*/", lambda found: "\1" + "\n\1" * found[0].count("\n"), code, flags=re.DOTALL)
    lines = [(line, line.replace("\1", "").rstrip()) for line in marked.split("\n")]
    return "\n".join(bare for line, bare in lines if bare or "\1" not in line)


def _fenced(body: str, language: str) -> str:
    """The piece as a block; in smaller letters if a line needs it. Raises DeckError for one that would be cut off even
    then."""
    widest = max(body.split("\n"), key=len)
    if len(widest) > WIDEST_SMALL:
        raise DeckError(f"a line of {len(widest)} columns is cut off at {WIDEST_SMALL}: choose another piece, or "
                        f"comments=no: {widest.strip()}")
    block = f"```{language}\n{body}\n```\n"
    return block if len(widest) <= WIDEST else f'<div class="small">\n\n{block}\n</div>\n'


def _lines(plain: list[str], named: dict[str, str]) -> str:
    body = _between((ROOT / plain[0]).read_text().rstrip(), named)
    if named.get("wrap") == "yes":
        body = "\n".join(piece for line in body.split("\n") for piece in _wrapped(line))
    return _fenced(body, "text") + f"<p class=\"from\">{escape(plain[0])}</p>\n"


def _wrapped(line: str) -> list[str]:
    """A line that is too wide, in several; the further ones are indented."""
    return textwrap.wrap(line, WIDEST, subsequent_indent="    ", break_long_words=False) if len(line) > WIDEST \
        else [line]


def definition(text: str, name: str) -> str:
    """The function, struct, enum, macro or variable of that name, without the comment above it. Raises DeckError."""
    lines = text.split("\n")
    starts = re.compile(r"^(?:(?:static|const|struct|enum|typedef|#define)\b.*|\w[\w "
                        rf"*]*)\b{re.escape(name)}\b(?!\s*;)")
    for first, line in enumerate(lines):
        if starts.match(line) and not line.rstrip().endswith(");"):
            return "\n".join(lines[first:_last(lines, first) + 1])
    raise DeckError(f"there is no definition of {name}")


def _last(lines: list[str], first: int) -> int:
    """The line on which a definition ends: its closing brace at the left edge, or, where it has none, its semicolon."""
    if lines[first].startswith("#define"):
        last = first
        while lines[last].endswith("\\"):
            last += 1
        return last
    for last in range(first, len(lines)):
        if re.match(r"^\}", lines[last]) or (lines[last].rstrip().endswith(";")
                                             and not any("{" in line for line in lines[first:last + 1])):
            return last
        if lines[last].rstrip().endswith("};") and lines[last].startswith(tuple("}abcdefghijklmnopqrstuvwxyz")) \
                and "{" in lines[first]:
            return last
    raise DeckError("the definition never ends")


def _between(text: str, named: dict[str, str]) -> str:
    """From the line that holds `from` to the first one after it that holds `to`, with no indent of their own."""
    lines = text.split("\n")
    first = _holds(lines, named["from"], 0) if "from" in named else 0
    last = _holds(lines, named["to"], first) if "to" in named else len(lines) - 1
    lines = lines[first:last + 1]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def _holds(lines: list[str], text: str, start: int) -> int:
    for number in range(start, len(lines)):
        if text in lines[number]:
            return number
    raise DeckError(f"no line holds {text!r}")


# ---- Runs -------------------------------------------------------------------------------------

Run = tuple[str, str]       # what it printed, its trace
_runs: dict[tuple, Run] = {}


def _key(named: dict[str, str]) -> tuple:
    return tuple((key, named[key]) for key in RUN_KEYS if key in named)


def make_run(key: tuple) -> Run:
    """Runs an example or a lab's program as `make run` does. An example may well end with an error: that is its
    point."""
    if key not in _runs:
        environment = {name: value for name, value in os.environ.items() if name not in RUN_KEYS}
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            done = subprocess.run(["sh", "grader/scripts/run.sh"], cwd=ROOT, capture_output=True, text=True, timeout=60,
                                  env={**environment, "CC": environment.get("CC", "gcc"), **dict(key),
                                       "TRACE": str(trace)})
            if done.returncode == 2 or not trace.exists():
                raise DeckError(f"the run {' '.join(f'{k}={v}' for k, v in key)} "
                                f"fails: {done.stderr.strip() or done.stdout.strip()}")
            _runs[key] = done.stdout, trace.read_text()
    return _runs[key]


def _run(plain: list[str], named: dict[str, str]) -> str:
    said, _ = make_run(_key(named))
    return _fenced(_between(said.rstrip(), named), "text")


def _trace(plain: list[str], named: dict[str, str]) -> str:
    _, trace = make_run(_key(named))
    events = [event for event in map(json.loads, trace.splitlines()) if event.get("from") == "runtime"]
    wanted = [event for event in events if named.get("task", str(event.get("task"))) == str(event.get("task"))
              and event["ev"] in named.get("only", event["ev"]).split()]
    if not wanted:
        raise DeckError("no such event in its trace")
    return _fenced(_between("\n".join(_event(event) for event in wanted), named), "text")


def _event(event: dict) -> str:
    """When, what, which task, and the rest as it stands in the trace."""
    rest = "  ".join(f"{key} {value}" for key, value in event.items() if key not in ("t", "from", "ev", "task"))
    task = f"task {event['task']}" if "task" in event else ""
    return f"{event['t'] // UNITS['ms']:>5} ms  {event['ev']:<6}  {task}  {rest}".rstrip()


def _figure(plain: list[str], named: dict[str, str]) -> str:
    _, trace = make_run(_key(named))
    try:
        shape = timeline.of(read(trace))
    except TraceError as fault:
        raise DeckError(f"its trace cannot be read: {fault}") from None
    end = _ns(named["end"]) if "end" in named else None
    drawn = svg.render(shape, width=760, end=end, scheme="light", title=named.get("alt", ""),
                       main=named.get("main") != "no", names=_names(named.get("names", ""), len(shape.lanes)))
    data = base64.b64encode(drawn.encode()).decode()
    said = escape(named.get("alt", "the timeline of this run"))
    height = int(named.get("height", "420"))
    return (f'<p class="figure"><img alt="{said}" style="max-height: {height}px" '
            f'src="data:image/svg+xml;base64,{data}"></p>\n')


def _names(words: str, tasks: int) -> list[str]:
    """What tells the tasks of one function apart: "Argo, Beagle, …" for tasks 2, 3, …"""
    names = [name.strip() for name in words.split(",")] if words else []
    if len(names) >= tasks or "" in names:
        raise DeckError(f"names={words}: the run has {tasks - 1} tasks besides the first")
    return names


def _report(plain: list[str], named: dict[str, str]) -> str:
    words = [word for key in ("LAB", "FROM", "CHECK", "MODE", "WORLD", "SET", "SEED") if key in named
             for word in (f"--{key.lower()}", named[key])]
    done = subprocess.run([sys.executable, "-m", "looplab", "report", *words, "--format", "text"], cwd=ROOT,
                          capture_output=True, text=True,
                          timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    if done.returncode:
        raise DeckError(f"no report: {done.stderr.strip()}")
    return _fenced(_between(done.stdout.rstrip(), named), "text")


def _ns(word: str) -> int:
    found = re.fullmatch(r"(\d+)(ns|us|ms|s)", word)
    if not found:
        raise DeckError(f"end={word}: expected a time such as 2s or 300ms")
    return int(found[1]) * UNITS[found[2]]


_WORDS = {"code": _code, "run": _run, "trace": _trace, "figure": _figure, "report": _report, "lines": _lines}


def _all_runs(decks: list[Path]) -> None:
    """Makes every run that the decks name, two at a time; examples that are named twice run once."""
    keys = []
    for deck in decks:
        for line in deck.read_text().split("\n"):
            found = WORD.match(line)
            if found and found[1] in ("run", "trace", "figure"):
                key = _key(_arguments(found[2])[1])
                if key not in keys:
                    keys.append(key)
    labs = [key for key in keys if dict(key).get("LAB")]        # these share a folder: one after the other
    examples: dict[str, list[tuple]] = {}
    for key in keys:
        if key not in labs:
            examples.setdefault(dict(key).get("EXAMPLE", ""), []).append(key)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(_quietly, group) for group in [labs, *examples.values()]]:
            done.result()


def _quietly(keys: list[tuple]) -> None:
    for key in keys:
        try:
            make_run(key)
        except (DeckError, subprocess.TimeoutExpired):
            pass        # is told when its line is expanded


# ---- Marp -------------------------------------------------------------------------------------


def marp(arguments: list[str]) -> None:
    """Runs Marp. Raises DeckError with what it said."""
    environment = {**os.environ, "CHROME_NO_SANDBOX": "1", "NO_COLOR": "1"}
    done = subprocess.run([str(MARP), *arguments], cwd=OUT / "source", capture_output=True, text=True, env=environment,
                          timeout=300)
    if done.returncode != 0:
        raise DeckError(f"marp: {(done.stderr or done.stdout).strip()}")


def decks(only: str = "") -> list[Path]:
    """The decks, in order; `only`: those whose name begins so."""
    return sorted(path for path in HERE.glob("[0-9][0-9]-*.md") if path.name.startswith(only))


def build(chosen: list[Path], pdf: bool) -> None:
    """Expands the decks and has Marp write them. Raises DeckError."""
    source = OUT / "source"
    source.mkdir(parents=True, exist_ok=True)
    for old in source.glob("*.md"):
        old.unlink()
    _all_runs(chosen)
    for deck in chosen:
        (source / deck.name).write_text(expand(deck.read_text(), deck.name))
        print(f"read {deck.relative_to(ROOT)}", flush=True)
    common = ["--theme-set", str(HERE / "theme.css"), "--config-file", str(HERE / "marp.config.mjs"), "--input-dir",
              ".", "--output", str(OUT)]
    for kind, options in {"html": ["--html"], "notes": ["--notes"],
                          **({"pdf": ["--pdf", "--html"]} if pdf else {})}.items():
        marp([*options, *common, "--parallel", "2"])
        print(f"wrote {len(chosen)} × {kind} in {OUT.relative_to(ROOT)}", flush=True)
    for deck in chosen:
        page = OUT / f"{deck.stem}.html"
        page.write_text(re.sub(r"/\*!! License: https://\S*/([^/\s]+) \*/", r"/*!! License: \1 of marp-cli, MIT */",
                               page.read_text()))
        notes = OUT / f"{deck.stem}.txt"
        if notes.exists():
            notes.replace(OUT / f"{deck.stem}.notes.txt")


def main() -> int:
    """The command line. Exit code 0, or 2 with one line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("deck", nargs="?", default="", help="only the deck whose name begins so")
    parser.add_argument("--no-pdf", action="store_true", help="HTML and notes only")
    options = parser.parse_args()
    try:
        chosen = decks(options.deck)
        if not chosen:
            raise DeckError(f"there is no deck {options.deck!r} in slides/")
        build(chosen, not options.no_pdf)
    except DeckError as fault:
        print(f"slides: {fault}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
