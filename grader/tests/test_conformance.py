"""Holds sim/tests/CONFORMANCE.md to the tests that exist: CPython's on one side, ours on the other."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SIM_TESTS = Path(__file__).parents[2] / "sim" / "tests"
FILES = ("test_locks", "test_queues", "test_tasks", "test_taskgroups", "test_timeouts", "test_waitfor", "test_runners")
VERSIONS = {"## The tests of CPython 3.11": "3.11", "## Added after 3.11": "later"}
INSTALLED = Path("/usr/lib/python3.11/test/test_asyncio")
OURS = re.compile(r"`(test_\w+\.c):(\w+)`")


@dataclass(frozen=True)
class Row:
    line: int
    version: str
    file: str
    names: tuple[str, ...]              # of CPython: "LockTests.test_acquire"
    ours: tuple[tuple[str, str], ...]   # (file, test); none: then there is a reason
    text: str                           # the reason, or what differs

    def __str__(self) -> str:
        return f"CONFORMANCE.md:{self.line}: {self.names[0]}"


@cache
def rows() -> list[Row]:
    """The rows of the table. A line that looks like one and is none is an error."""
    found, version, file = [], "", ""
    for number, line in enumerate((SIM_TESTS / "CONFORMANCE.md").read_text("utf-8").splitlines(), 1):
        if line.startswith("## "):
            version, file = VERSIONS.get(line, ""), ""
        elif line.startswith("### "):
            file = line[4:].strip()
        elif line.startswith("|") and version and line != "|---|---|" and not line.startswith("| CPython's test |"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 2, f"CONFORMANCE.md:{number}: {len(cells)} cells instead of 2"
            left, right = cells
            names = tuple(re.findall(r"`([^`]+)`", left))
            assert left == "<br>".join(f"`{name}`" for name in names), f"CONFORMANCE.md:{number}: what names are " \
                f"these? {left}"
            reason = right.startswith("— ")
            ours = () if reason else tuple(OURS.findall(right))
            text = right[2:] if reason else OURS.sub("", right).strip()
            found.append(Row(number, version, file, names, ours, text))
    return found


@cache
def stored_names() -> dict[str, list[str]]:
    """cpython-test-names.txt: per version, "test_locks LockTests.test_acquire"."""
    names: dict[str, list[str]] = {}
    version = ""
    for line in (SIM_TESTS / "cpython-test-names.txt").read_text("utf-8").splitlines():
        if line.startswith("version "):
            version = line.split()[1]
            names[version] = []
        elif line and not line.startswith("#"):
            names[version].append(line)
    return names


def installed_names() -> list[str]:
    """The same from CPython's own files: the tests of each class, and those that a function adds to classes."""
    names = []
    for file in FILES:
        for top in ast.parse((INSTALLED / f"{file}.py").read_text("utf-8")).body:
            if isinstance(top, (ast.ClassDef, ast.FunctionDef)):
                names += [f"{file} {top.name}.{test.name}" for test in top.body
                          if isinstance(test, (ast.FunctionDef, ast.AsyncFunctionDef))
                          and test.name.startswith("test_")]
    return names


@cache
def registered() -> dict[str, list[str]]:
    """Per C file the tests that its main hands to cmocka."""
    found = {}
    for path in sorted(SIM_TESTS.glob("test_*.c")):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
        found[path.name] = re.findall(r"\bcmocka_unit_test(?:_setup_teardown)?\((\w+)", text)
    return found


def test_the_stored_names_are_those_of_the_installed_cpython() -> None:
    """The list that is used where CPython's tests are not installed is theirs."""
    if not INSTALLED.is_dir():
        pytest.skip("libpython3.11-testsuite is not installed: the stored list stands for it")
    assert stored_names()["3.11"] == installed_names()


@pytest.mark.parametrize("version", VERSIONS.values())
def test_every_test_of_cpython_has_one_row(version: str) -> None:
    """None is missing, none is invented, none is there twice."""
    listed = Counter(f"{row.file} {name}" for row in rows() if row.version == version for name in row.names)
    wanted = stored_names()[version]
    assert [name for name in wanted if name not in listed] == [], "no row"
    assert [name for name in listed if name not in wanted] == [], "no such test in CPython"
    assert [name for name, times in listed.items() if times > 1] == [], "more than one row"
    assert len(wanted) == len(set(wanted))
    assert {row.file for row in rows() if row.version == version} == set(FILES)


def test_every_class_of_cpython_is_named() -> None:
    """Also those that only inherit their tests, in the words before the tables."""
    if not INSTALLED.is_dir():
        pytest.skip("libpython3.11-testsuite is not installed")
    text = (SIM_TESTS / "CONFORMANCE.md").read_text("utf-8")
    heirs = [top.name for file in FILES for top in ast.parse((INSTALLED / f"{file}.py").read_text("utf-8")).body
             if isinstance(top, ast.ClassDef) and any("Test" in ast.unparse(base) for base in top.bases)
             and not any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in top.body)]
    assert len(heirs) > 10
    assert [name for name in heirs if f"`{name}`" not in text] == []


def test_every_test_of_ours_in_the_table_exists() -> None:
    """file:name is a test that cmocka runs."""
    missing = [f"{row}: {file}:{name}" for row in rows() for file, name in row.ours
               if name not in registered().get(file, [])]
    assert missing == []


def test_what_is_written_for_conformance_is_in_the_table() -> None:
    """A test in test_conform_*.c that no row names asks what CPython does not: it belongs elsewhere."""
    named = {ours for row in rows() for ours in row.ours}
    orphans = [f"{file}:{name}" for file, tests in registered().items() if file.startswith("test_conform_")
               for name in tests if (file, name) not in named]
    assert orphans == []


def test_what_is_written_is_registered() -> None:
    """A test that main forgets would never run."""
    for path in sorted(SIM_TESTS.glob("test_conform_*.c")):
        text = path.read_text("utf-8")
        written = re.findall(r"^(?:CONFORM\(|static void )(\w+)(?:\)$|\(void \*\*state\)$)", text, re.MULTILINE)
        assert sorted(written) == sorted(registered()[path.name]), path.name


def test_names_of_ours_are_unique() -> None:
    """One name, one test: in the table's files no test is named as one of another file."""
    named = {file for row in rows() for file, _ in row.ours}
    times = Counter(name for file in named for name in registered()[file])
    assert [name for name, n in times.items() if n > 1] == []


def test_every_row_without_a_test_has_a_reason() -> None:
    """A sentence, not a word."""
    poor = [str(row) for row in rows() if not row.ours
            and not (len(row.text) >= 8 and re.match("[A-Z`]", row.text) and row.text.endswith("."))]
    assert poor == []


def test_remarks_are_sentences() -> None:
    """What stands beside a test says what differs, or is not there."""
    poor = [str(row) for row in rows() if row.ours and row.text and not row.text.endswith(".")]
    assert poor == []


def test_files_that_a_reason_points_to_exist() -> None:
    """`test_x.c` or `test_x.c:name` in a reason."""
    for row in rows():
        for file, name in re.findall(r"`(test_\w+\.c)(?::(\w+))?`", row.text):
            assert file in registered(), row
            assert not name or name in registered()[file], row


def test_a_test_serves_few_rows() -> None:
    """A test that answers for many questions of CPython answers none of them well."""
    times = Counter(ours for row in rows() for ours in row.ours)
    assert {f"{file}:{name}": n for (file, name), n in times.items() if n > 3} == {}
