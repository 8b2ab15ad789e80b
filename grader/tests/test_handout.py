"""What students get: nothing hidden is in it, it can be graded, and the same commit gives the same bytes.

With LOOPLAB_ALL it is graded without anything that is built already.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Iterator

import pytest
from looplab.course import copy, git, lab as labs
from looplab.plain.failure import UsageError
from looplab.teaching import handout
from variants import ALL, ROOT

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="not a git clone")
SECRET = ("grader/hidden", "solutions", "grader/tests")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("handout") / "labs"
    assert handout.main(["--out", str(out)]) == 0
    return out


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hidden() -> list[str]:
    return git.run(ROOT, "ls-files", "-z", "--", *SECRET).decode().split("\0")[:-1]


@lru_cache(maxsize=None)
def given() -> frozenset[str]:
    """The lines of what stands in labs/."""
    return frozenset(line.strip() for path in (ROOT / "labs").rglob("*") if path.is_file()
                     for line in path.read_text("utf-8", "replace").split("\n"))


def distinctive(name: str) -> Iterator[str]:
    """The longest line of a hidden file that is not from labs/, as some of a solution is."""
    lines = [line.strip() for line in (ROOT / name).read_bytes().decode("utf-8", "replace").split("\n")]
    own = [line for line in lines if line not in given() and len(line) > 30 and "\ufffd" not in line]
    yield from sorted(own, key=len)[-1:]


def leaks(name: str, data: bytes, marks: dict[str, str]) -> list[str]:
    text = data.decode("utf-8", "replace")
    lines = {line.strip() for line in text.split("\n")}
    return [f"{name}: {marks[line]}: {line}" for line in sorted(lines & set(marks))]


@lru_cache(maxsize=None)
def marks() -> dict[str, str]:
    return {line: name for name in hidden() if (ROOT / name).is_file() for line in distinctive(name)}


def test_nothing_hidden_is_in_it(folder):
    """No file by its place or its name, none by its bytes, and no line."""
    files, secret, known = tree(folder), hidden(), marks()
    assert len(secret) > 300 and len(known) > 0.6 * len(secret)
    assert sorted(set(secret) & set(files)) == []
    assert [name for name in files if re.search(r"(^|/)(hidden|solutions|corpus|alternatives|mutants)(/|$)", name)
            or name.startswith(("sim/tests", "sim/bench", "slides", "findings"))] == []
    theirs = {Path(name).name for name in git.run(ROOT, "ls-files", "--", *copy.TAKEN).decode().split("\n")}
    own = {Path(name).name for name in secret} - theirs
    assert len(own) > 100 and sorted(own & {Path(name).name for name in files}) == []
    bodies = {(ROOT / name).read_bytes(): name for name in secret if (ROOT / name).is_file()}
    public = set(tree(ROOT / "labs").values()) | {b""}
    assert [(name, bodies[data]) for name, data in files.items() if data in bodies and data not in public] == []
    assert [leak for name, data in sorted(files.items()) for leak in leaks(name, data, known)] == []


@pytest.mark.parametrize("name", ["solutions/01-sync-vs-async/compare.c", "grader/hidden/03-scraper/contract.py",
                                  "grader/tests/conftest.py"])
def test_a_hidden_line_would_be_seen(name):
    (line,) = distinctive(name)
    assert leaks("README.md", f"# x\n    {line}\n".encode(), marks())


def test_all_kinds_hold_the_same_and_are_the_same_bytes_twice(folder, tmp_path):
    files = tree(folder)
    for name in ("a", "b"):
        assert handout.main(["--out", str(tmp_path / name), "--kind", "git"]) == 0
        assert handout.main(["--out", str(tmp_path / f"{name}.zip"), "--kind", "zip"]) == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert {name: data for name, data in tree(tmp_path / "a").items() if not name.startswith(".git/")} == files
    assert git.run(tmp_path / "a", "status", "--porcelain") == b""
    assert len(git.run(tmp_path / "a", "rev-list", "--all").split()) == 1
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as whole:
        assert {entry.filename: whole.read(entry) for entry in whole.infolist()} == {
            f"{handout.TOP}/{name}": data for name, data in files.items()}
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in whole.infolist()}
    assert modes == {f"{handout.TOP}/{name}": (folder / name).stat().st_mode & 0o777 for name in files}


def test_every_source_that_make_looks_for_is_in_it(folder):
    """The Makefile finds what to build in folders: one that is missing here is seen when a student builds."""
    grown = [name for name in git.run(ROOT, "ls-files", "--", "sim").decode().split("\n")
             if name and not name.startswith(("sim/tests/", "sim/bench/"))]
    assert [name for name in grown if not name.endswith(".md") and not (folder / name).is_file()] == []


def test_the_readme_is_the_students_part(folder):
    text = (folder / "README.md").read_text("utf-8")
    assert re.findall(r"^## .*", text, re.MULTILINE) == ["## For students"]
    assert "This copy holds" not in text
    assert not re.search(r"make (demo|test|class|slides)|grader/hidden|solutions/", text)
    assert [name for name in re.findall(r"\]\(([\w./-]+)\)|`((?:labs|sim|grader|\.github)/[\w./-]+)`", text)
            if not (folder / (name[0] or name[1])).exists()] == []


def test_editors_and_the_workflow_have_their_files(folder):
    assert (folder / ".devcontainer/Containerfile").is_file()
    for name in (".devcontainer/devcontainer.json", ".vscode/settings.json", ".vscode/tasks.json"):
        assert json.loads((folder / name).read_text("utf-8"))
    workflow = (folder / ".github/workflows/grade.yml").read_text("utf-8")
    goals = re.findall(r"looplab make ([a-z]+)", workflow)
    assert goals == ["grade"] and "\non: [push" in workflow
    assert not re.search(r"secrets\.|pull_request_target|contents: write", workflow)


def test_only_the_labs_that_are_asked_for(tmp_path):
    assert handout.main(["--out", str(tmp_path / "out"), "--labs", "1,06"]) == 0
    assert labs.slugs(tmp_path / "out") == [labs.slugs()[1], labs.slugs()[6]]


COURSE = """title = "C"
secret = "correct horse battery staple"
[late]
percent_a_day = 10
most = 50
[labs.01]
points = 20
due = 2026-10-15T23:59:00+02:00
[labs.06]
"""


def test_a_courses_labs_points_and_dates_and_nothing_else_of_its_file(tmp_path):
    (tmp_path / "course.toml").write_text(COURSE)
    assert handout.main(["--out", str(tmp_path / "out"), "--course", str(tmp_path / "course.toml")]) == 0
    assert labs.slugs(tmp_path / "out") == [labs.slugs()[1], labs.slugs()[6]]
    text = (tmp_path / "out/README.md").read_text("utf-8")
    assert "\nThis copy holds 01-sync-vs-async, 06-testing. Where an example" in text
    assert "| 01-sync-vs-async | 20 | 2026-10-15 23:59+02:00 |\n| 06-testing | 100 | - |\n" in text
    assert "loses 10 % for each day begun, 50 % at most." in text and "## For students" in text
    assert not [name for name, data in tree(tmp_path / "out").items() if b"correct horse battery staple" in data]
    with pytest.raises(UsageError, match="LAB=02: COURSE=.* does not use 02-url-fetcher"):
        handout.main(["--out", str(tmp_path / "x"), "--course", str(tmp_path / "course.toml"), "--labs", "02"])


@pytest.mark.parametrize("words, said", [
    (["--out", "x", "--kind", "tar"], "KIND=tar: expected folder, git or zip"),
    (["--out", str(ROOT)], "OUT=.*is there already"),
    (["--out", "x", "--labs", "77"], "LAB=77: there is no lab"),
])
def test_wrong_use(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        handout.main(words)
    assert list(tmp_path.iterdir()) == []


def test_it_is_graded_at_once_and_without_a_network(folder, tmp_path):
    target = tmp_path / "labs"
    shutil.copytree(folder, target)
    if not ALL:     # what takes long to build is taken along, and is newer than its sources
        for name in tree(target):
            os.utime(target / name, (0, 0))
        for part in ("kit", "obj/plain", "obj/asan"):
            shutil.copytree(ROOT / "build" / part, target / "build" / part, ignore=shutil.ignore_patterns("tests"))
    env = {name: value for name, value in os.environ.items()
           if name not in ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    alone = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []       # only root may
    done = subprocess.run([*alone, "make", "grade", "LAB=01"], cwd=target, capture_output=True, text=True, timeout=300,
                          env=env)
    assert done.returncode == 1 and "begin with compare.c" in done.stdout, done.stdout + done.stderr
