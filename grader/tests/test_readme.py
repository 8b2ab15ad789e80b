"""README: the picture that it opens with is what `make report` draws today, and its map leads to every room."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from looplab.course import git

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
PICTURE = "grader/looplab/report/example.svg"
DRAWN = ["LAB=01", "FROM=grader/tests/corpus/01-sync-vs-async/awaits-each", "MODE=async", "WORLD=three.json",
         "FORMAT=svg"]


def test_it_opens_with_a_picture_that_says_what_it_shows() -> None:
    """For those who hear it read, too."""
    found = re.match(r"# Looplab\n\n!\[([^]]+)\]\(([^)]+)\)\n\n", TEXT)
    assert found and found[2] == PICTURE
    said, drawn = " ".join(found[1].split()), (ROOT / PICTURE).read_text("utf-8")
    for words in ("compare.c:58 waits for each fetch before the next one starts", "6 s", "2 s"):
        assert words in said
    for words in ("compare.c:58 waits for each fetch", "your run: 6,000 ms", "the reference: 2,000 ms"):
        assert words in drawn


def test_the_picture_is_what_make_report_draws(tmp_path: Path) -> None:
    """Where this fails, look at the new one. If it is right, the command in README puts it there."""
    file = tmp_path / "example.svg"
    words = [word for name, value in (setting.split("=") for setting in [*DRAWN, f"OUT={file}"])
             for word in ("--" + name.lower(), value)]      # as the Makefile hands them on
    done = subprocess.run([sys.executable, "-m", "looplab", "report", *words], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    assert done.returncode == 0, done.stdout + done.stderr
    command = " ".join(["make report", *DRAWN, f"OUT={PICTURE}"])
    assert file.read_bytes() == (ROOT / PICTURE).read_bytes(), f"draw it anew: {command}"
    assert command in " ".join(TEXT.replace("\\\n", " ").split())


def rooms() -> set[str]:
    """Folders whose files belong together: sim/trace, sim/runtime/sync, grader/looplab/reading."""
    try:
        listed = git.run(ROOT, "ls-files", "sim", "grader").decode()
    except git.GitError:
        pytest.skip("not a git clone: which folders belong to the project is not known")
    found = set()
    for name in listed.split("\n"):
        parts = name.split("/")[:-1]
        deep = 3 if "/".join(parts[:2]) in ("sim/runtime", "sim/world", "grader/looplab") else 2
        if len(parts) >= deep:
            found.add("/".join(parts[:deep]))
    return found


def test_the_map_leads_to_every_room() -> None:
    """Who looks for a question finds the folder."""
    named = re.findall(r"`((?:sim|grader)/[\w./-]+)`", TEXT)
    assert len(rooms()) > 20
    assert [room for room in sorted(rooms()) if not any(f"{name}/".startswith(f"{room}/") for name in named)] == []


LEADS = {
    "Where is a wrong world file refused": "expected",
    "Where is libcurl used": r"curl_easy_setopt",
    "What decides the order of ready tasks": r"next_ready\(",
    "Where does the virtual clock move on": r"world->now = ",
    "When may virtual time move": r"bool co__time_pass\(",
    "Where is a redirect followed": r"co__fetch_answered\(",
    "What does a cancel do to a task that waits": r"static void interrupt\(",
    "Where is a deadlock reported": r"void co__report_deadlock\(",
    "Where is a leak reported": r"void co__leak\(",
    "Where is a leak of plain memory told": r"LeakSanitizer",
    "What of a run is drawn": r"class Lane\b",
    "When is a warm-up right": r"def _failure\(",
    "How are Moodle's": r"_MOODLE\b",
    "What happens when a stack overflows": r"stack_overflowed\(",
    "How does a run begin and end": r"int co_run_named\(",
    "Which calls block": r"__wrap_\w+\(",
    "What may a check ask of a world": r"class World\b",
    "What is a check worth": r"def points\(",
    "Where is a student's process given its limits": r"setrlimit\(",
    "How does a trace become a cause": r"def find\(case: Case\)",
    "Where is the ceiling of 80 % decided": r"\b80\b",
    "Where are the two runs of a program compared": r"first_difference\(",
    "Where is the exit code of `make grade` decided": r"def exit_code\(",
}


@pytest.mark.parametrize("question", LEADS)
def test_the_map_leads_to_where_it_is(question: str) -> None:
    """What answers the question stands in the file that the map names: who moves it, moves the row."""
    found = re.search(rf"^\| {re.escape(question)}.* \| .*`([\w./]+)` \|$", TEXT, re.MULTILINE)
    assert found, "no such row"
    assert re.search(LEADS[question], (ROOT / found[1]).read_text("utf-8")), found[1]
