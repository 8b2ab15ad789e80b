"""The student's loop: watch on a terminal and without one, hints, progress, a copy to work in."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import Terminal

from looplab.course import hints, lab as labs, skeleton
from looplab.telling import progress
from looplab.watch import screen
from looplab.watch.screen import View

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "grader/tests/corpus/01-sync-vs-async"
SOLUTION = ROOT / "solutions/01-sync-vs-async/compare.c"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "grader"), "TERM": "xterm", "NO_COLOR": "1"}


needs_clone = pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="not a git clone")


def looplab(*words: str, code: int = 0, cwd: Path = ROOT) -> str:
    done = subprocess.run([sys.executable, "-m", "looplab", *words], capture_output=True, text=True, cwd=cwd,
                          timeout=120, env=ENVIRONMENT)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


# ---- what is on the screen --------------------------------------------------------------------


def check(number: int, status: str = "passed") -> dict:
    return {"id": f"test_{number}", "category": "correctness", "title": f"Check number {number}", "status": status,
            "score": 2 * (status == "passed"),
            "max_score": 2, "message": "" if status == "passed" else "expected: one\nhappened: two\ncause: compare.c:3 "
                                                                     "says two", "src": "compare.c:3"}


def result(*statuses: str) -> dict:
    checks = [check(number, status) for number, status in enumerate(statuses)]
    return {"schema": "looplab/result/v1", "lab": "01-sync-vs-async", "status": "graded",
            "score": sum(one["score"] for one in checks),
            "max_score": 2 * len(checks), "seed": 7, "elapsed_s": 0.5, "checks": checks}


@pytest.mark.parametrize("width, height", [(80, 24), (60, 16), (200, 60), (20, 8)])
@pytest.mark.parametrize("show", [screen.FIRST, screen.LIST, screen.ALL, screen.HINT])
def test_the_screen_is_never_larger_than_the_terminal(width, height, show):
    view = View("01-sync-vs-async", "compare.c", "", result(*["failed", "passed", "skipped"] * 15), show=show,
                text=["word " * 40] * 50)
    lines = screen.draw(view, width, height)
    assert len(lines) <= height and all(len(line) <= width for line in lines)
    assert any(line.startswith("h hint") for line in lines[-2:])


def test_the_first_failed_check_in_full_and_the_others_in_a_line():
    lines = screen.draw(View("01-sync-vs-async", "compare.c", "", result("passed", "failed", "failed", "skipped")), 80,
                        24)
    text = "\n".join(lines)
    assert text.count("compare.c:3 says two") == 1 and "Check number 2" in text and "1 check wait" in text \
        and "Check number 0" not in text
    assert "[#####...............] 1/4 checks · 2/8 points" in text


def test_scrolling_stops_at_the_end():
    view = View("01-sync-vs-async", "compare.c", "", result(*["failed"] * 30), show=screen.ALL, offset=10_000)
    assert "Next:" in "\n".join(screen.draw(view, 80, 24)) and view.offset < 200


def test_one_line_without_a_terminal():
    assert screen.one_line(View("01-sync-vs-async", result=result("passed", "failed")), "12:00:00") == \
        "12:00:00 01-sync-vs-async: 2/4: first Check number 1 (compare.c:3)"


# ---- watching ---------------------------------------------------------------------------------


def watch_on(folder: Path, *words: str) -> Terminal:
    """A watch on a terminal of its own."""
    return Terminal([sys.executable, "-m", "looplab", "watch", "--from", str(folder), *words], ROOT, ENVIRONMENT)


@pytest.fixture
def terminal(tmp_path):
    shutil.copy(CORPUS / "awaits-each/compare.c", tmp_path)
    watching = watch_on(tmp_path, "--lab", "01", "--seed", "7")
    yield watching
    watching.close()


def test_a_session_on_a_terminal(terminal, tmp_path):
    file = tmp_path / "compare.c"
    shown = terminal.until(r"verdict after[\s\S]*50/100 points")
    assert "compare.c:58 waits for each fetch" in " ".join(shown.split())
    terminal.press("l")
    terminal.until(r"correctness")
    terminal.press("h")
    terminal.until(r"TODO \d+: .*\n[\s\S]*\d\. (A question|A direction|Nearly)")
    terminal.press("r")
    terminal.until(r"Open this in a browser:\s+build/grade/01-sync-vs-async/reports/test_async_overlaps.html")
    shutil.copy(SOLUTION, file)
    terminal.until(r"100/100 points")
    terminal.press("?")
    terminal.until(r"All checks pass")
    file.write_text(SOLUTION.read_text() + "int x = ;\n")
    assert "expected expression" in terminal.until(r"cannot be graded")
    file.unlink()
    terminal.until(r"compare.c is gone")
    terminal.resize(60, 16)
    shutil.copy(CORPUS / "batches/compare.c", file)
    shown = terminal.until(r"verdict after")
    assert len(shown.split("\n")) <= 16
    terminal.press("n")
    terminal.until(r"Lab 02")
    terminal.press("q")
    assert terminal.end() == 0


def test_back_and_to_any_lab(terminal):
    terminal.until(r"verdict after")
    none = next(digit for digit in "987" if f"0{digit}" not in {slug[:2] for slug in labs.slugs()})
    listed = r"[\s\S]*01-sync-vs-async[\s\S]*> +02-url-fetcher[\s\S]*06-testing"
    for key, shows in (("p", r"Lab 00 warmups"), ("1", r"Lab 01 sync"), ("3", r"Lab 03 scraper"),
                       ("p", r"Lab 02 url fetcher"), (none, rf"There is no lab {none}" + listed), ("n", r"Lab 03"),
                       ("g", r"> +03-scraper[\s\S]*Press a lab's number"), ("1", r"Lab 01")):
        terminal.press(key)
        terminal.until(shows)


@needs_clone
def test_a_lab_is_begun_again_and_nothing_is_lost(terminal, tmp_path):
    file, was = tmp_path / "compare.c", (CORPUS / "awaits-each/compare.c").read_bytes()
    handed_out = skeleton.find(labs.resolve("01")).text
    terminal.until(r"50/100")
    terminal.press("x")
    terminal.until(r"Begin lab 01 again[\s\S]*any other key no")
    terminal.press("x")
    terminal.until(r"Nothing was changed")
    assert file.read_bytes() == was
    terminal.press("x")
    terminal.until(r"Begin lab 01 again")
    file.write_bytes(was + b"\n")        # saved meanwhile: that is an answer, too
    terminal.until(r"grading")
    terminal.press("y")
    terminal.until(r"verdict after [\d.]+ s\r\n[\s\S]*waits for each fetch")
    assert file.read_bytes() == was + b"\n"
    terminal.press("x")
    terminal.until(r"Begin lab 01 again")
    terminal.press("y")
    terminal.until(r"\b1?\d/100 points")
    assert file.read_bytes() == handed_out and (tmp_path / "compare.c.old").read_bytes() == was + b"\n"
    terminal.press("x")
    terminal.until(r"is as it was handed out \(commit")
    file.unlink()
    terminal.until(r"compare.c is gone")
    terminal.press("x")
    terminal.until(r"There is no such file now")
    terminal.press("y")
    terminal.until(r"\b1?\d/100 points")
    assert file.read_bytes() == handed_out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compare.c", "compare.c.old"]


def test_it_resumes_where_it_was(tmp_path):
    shutil.copy(SOLUTION, tmp_path)
    for words in (("--lab", "01"), ()):
        watching = watch_on(tmp_path, *words, "--seed", "7")
        try:
            watching.until(r"Lab 01[\s\S]*compare.c")
            watching.press("q")
            assert watching.end() == 0
        finally:
            watching.close()


def test_a_line_a_grading_without_a_terminal(tmp_path):
    file = tmp_path / "compare.c"
    shutil.copy(CORPUS / "awaits-each/compare.c", file)
    watching = subprocess.Popen([sys.executable, "-m", "looplab", "watch", "--lab", "01", "--seed", "7", "--from",
                                 str(tmp_path)], cwd=ROOT,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT)
    try:
        first = watching.stdout.readline()
        assert re.fullmatch(r"\d\d:\d\d:\d\d 01-sync-vs-async: 50/100: first .*\(compare.c:58\)\n", first)
        shutil.copy(SOLUTION, file)
        assert re.fullmatch(r"\d\d:\d\d:\d\d 01-sync-vs-async: 100/100\n", watching.stdout.readline())
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130


OWN = """
import sys, time
from pathlib import Path
from looplab.course import lab as labs
from looplab.watch import grading
grading.load()
lab, out = labs.load("01-sync-vs-async"), Path(sys.argv[2])
own = grading.Grading(lab, Path(sys.argv[1]), out, 7)
while not own.done():
    time.sleep(0.01)
(out / lab.slug / "results.json").write_text('{"score": 100}')
print(own.result()["score"])
"""


def test_a_verdict_is_that_of_its_own_grading(tmp_path):
    """Another one into the same folder may have ended, or begun, before the watch looks."""
    done = subprocess.run([sys.executable, "-c", OWN, str(CORPUS / "awaits-each"), str(tmp_path)], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, timeout=120, env=ENVIRONMENT)
    assert done.stdout == "50\n"


# ---- hints, progress -------------------------------------------------------------------


@pytest.mark.parametrize("lab", [lab for lab in labs.find_labs() if not lab.warmups], ids=lambda lab: lab.number)
def test_every_lab_has_three_levels_a_todo(lab):
    if not (lab.folder / "hints.md").exists():
        pytest.skip("no hints yet")
    for todo, of_it in hints.read(lab).items():
        assert len(of_it.levels) == 3, todo
        for level in (1, 2, 3):
            assert len("\n".join(hints.show(of_it, level))) > 60


def test_hints_are_told_level_by_level_and_remembered(tmp_path, monkeypatch):
    lab = labs.resolve("01")
    known = hints.read(lab)
    moved = type(lab)(**{**lab.__dict__, "root": tmp_path})
    assert [hints.next_level(moved, 1, known[1]) for _ in range(4)] == [1, 2, 3, 3]
    (tmp_path / "build/hints.json").write_text("[damaged")
    assert hints.next_level(moved, 1, known[1]) == 1


def test_the_hint_asked_for():
    assert "TODO 2" in looplab("hint", "--lab", "01", "--todo", "2", "--level", "3")
    assert looplab("hint", "--lab", "01", "--todo", "9", code=2).strip() == "looplab: TODO=9: there are 1, 2, 3, 4, " \
        "5, 6"


def test_progress_tells_what_was_graded_and_what_has_changed_since(tmp_path):
    assert "not graded yet" in looplab("progress", "--out", str(tmp_path))
    looplab("grade", "--lab", "01", "--from", "solutions", "--out", str(tmp_path))
    assert re.search(r"01-sync-vs-async +\[#+\] 100/100 +changed since", looplab("progress", "--out", str(tmp_path)))
    looplab("grade", "--lab", "01", "--out", str(tmp_path), code=1)
    assert re.search(r"01-sync-vs-async +\[#*\.+\] +\d{1,2}/100", looplab("progress", "--out", str(tmp_path)))
    lab = labs.resolve("01")
    assert progress.state(lab, tmp_path, lab.folder / lab.source).changed is False
    (tmp_path / "01-sync-vs-async/results.json").write_text("{")
    assert "not graded yet" in looplab("progress", "--out", str(tmp_path)).splitlines()[1]
