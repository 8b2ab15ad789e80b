"""The house itself: who may use whom, how long a line and a function may be, and whether the map is true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator, Optional

import pytest

from looplab.course import git

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "grader" / "looplab"
ROOMS = ("plain", "course", "asking", "running", "reading", "grading", "telling", "formats", "report", "watch",
         "teaching", "cli")
"""From the ground up: each uses only those before it. The rest of looplab's top (its names for checks) uses any."""

LINE_MOST, FUNCTION_MOST = 120, 60
LONG_BY_NATURE = (".json", ".out", ".txt", ".lock", ".png", ".pdf", ".svg")     # data, and what programs print
QUOTED = ("grader/tests/corpus", "grader/tests/alternatives/")                  # students' files, as they would be
OUTSIDE = ("build", ".git", "findings", "node_modules", "__pycache__")


def files() -> list[str]:
    """The files of the repository, by their names from the top; without git all that lie there, build/ aside."""
    try:
        said = git.run(ROOT, "ls-files", "-co", "--exclude-standard").decode()
        return [name for name in said.split("\n") if name and (ROOT / name).is_file()]
    except (OSError, git.GitError):
        return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                if path.is_file() and not set(path.relative_to(ROOT).parts) & set(OUTSIDE)]


FILES = files()
MODULES = {".".join(Path(name).relative_to("grader").with_suffix("").parts).replace(".__init__", ""): ROOT / name
           for name in FILES if name.startswith("grader/looplab/") and name.endswith(".py")}


# ---- Arrows -----------------------------------------------------------------------------------


def imports(module: str) -> Iterator[tuple[str, int]]:
    """(module of looplab, line) of every import in it, also inside functions and under TYPE_CHECKING."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names if name.name.startswith("looplab"))
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[:len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join(base + ([node.module] if node.module else []))
            if source.partition(".")[0] == "looplab":
                for name in node.names:
                    inner = f"{source}.{name.name}"
                    yield (inner if inner in MODULES else source), node.lineno


def room(module: str) -> Optional[str]:
    """The room a module lies in; None for what lies at the top of the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


def test_every_folder_of_the_package_is_a_room():
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} \
        | {"cli"} == set(ROOMS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_uses_only_those_before_it(module):
    """Imports that a function makes when it is called count, too, and those for types alone."""
    mine = room(module)
    if mine is None:
        return
    up = [f"{MODULES[module].relative_to(ROOT)}:{line} uses {used}" for used, line in imports(module)
          if room(used) is None or ROOMS.index(room(used) or "") > ROOMS.index(mine)]
    assert up == []


@pytest.mark.parametrize("name", ROOMS[:-1])
def test_no_two_files_of_a_room_use_each_other(name):
    """Nor three in a ring."""
    uses = {module: {used for used, _ in imports(module) if room(used) == name and used != f"looplab.{name}"}
            for module in MODULES if room(module) == name}
    while True:
        leaves = {module for module, used in uses.items() if not used & set(uses)}
        if not leaves:
            break
        uses = {module: used for module, used in uses.items() if module not in leaves}
    assert sorted(uses) == [], "these use each other"


def test_each_file_can_be_imported_first():
    """In a process where nothing else has been imported: no file leans on what another one happened to load."""
    code = """
import importlib, os, sys
for name in sys.argv[1:]:
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except BaseException as fault:
            print(f"{name}: {type(fault).__name__}: {fault}", flush=True)
        os._exit(0)
    os.wait()
"""
    names = [name for name in MODULES if not name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-c", code, *sorted(names)], cwd=ROOT / "grader", capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    assert (done.stdout, done.returncode) == ("", 0), done.stdout + done.stderr


@pytest.mark.parametrize("name", ROOMS[:-1])
def test_each_room_says_what_it_is_for(name):
    assert ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text()))


# ---- Lengths ----------------------------------------------------------------------------------


def may_be_long(name: str, line: str) -> bool:
    """What cannot be broken: a table's row, a heading, what Marp would break, what a program prints, a link."""
    if name == "Makefile":
        return bool(re.match(r"[a-z]+:.*##", line) or line.startswith('  {"directory"'))     # help; a line of JSON
    if name.endswith(".sh"):
        return bool(re.match(r"[\w-]+ +\|.*\|.*\|", line))
    if not name.endswith(".md"):
        return not re.search(r"\S\s+\S", line.strip().lstrip("#/* "))      # one word, a link say
    if name.startswith("slides/") and not name.endswith("README.md"):
        return "<!--" not in line and "-->" not in line
    return line.lstrip().startswith(("|", "#")) or line.startswith("    ")


def test_no_line_is_longer_than_editorconfig_says():
    assert f"max_line_length = {LINE_MOST}\n" in (ROOT / ".editorconfig").read_text()
    long = []
    for name in FILES:
        if name.endswith(LONG_BY_NATURE) or name.startswith(QUOTED):
            continue
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            continue
        long += [f"{name}:{number}: {len(line)}" for number, line in enumerate(lines, start=1)
                 if len(line) > LINE_MOST and not may_be_long(name, line)]
    assert long == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".py")])
def test_no_function_of_python_is_longer_than_a_screen(name):
    tree = ast.parse((ROOT / name).read_text())
    long = [f"{name}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
            for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_MOST]
    assert long == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".js", ".mjs"))])
def test_no_function_of_javascript_is_longer_than_a_screen(name):
    """A function begins with its line and ends with a brace at the same depth of indentation."""
    lines = (ROOT / name).read_text().split("\n")
    long = []
    for number, line in enumerate(lines):
        begun = re.match(r"(\s*)(?:export )?(?:async )?function\b|(\s*).*(?:=>|function\b.*\)) \{$", line)
        if begun:
            indent = line[:len(line) - len(line.lstrip())]
            end = next((at for at in range(number + 1, len(lines)) if lines[at].startswith(indent + "}")), number)
            if end - number + 1 > FUNCTION_MOST:
                long.append(f"{name}:{number + 1}: {end - number + 1} lines")
    assert long == []


# ---- The map ----------------------------------------------------------------------------------


def test_the_map_of_the_readme_names_only_what_is_there():
    """Every `folder/` and `folder/file` of README's tables, and each word of a row's second column."""
    rows = [line for line in (ROOT / "README.md").read_text().split("\n") if line.startswith("|")]
    named = {word for line in rows for word in re.findall(r"`([^`\s]+)`", line)
             if re.match(r"(grader|sim|labs|slides|solutions)/", word)}
    assert len(named) > 15 and sorted(word for word in named if not list(ROOT.glob(word.rstrip("/")))) == []
