"""What a teacher and a student look at: the class page, with time lines of the typical mistakes, the feedback, the
pairs; in a browser, wide and narrow, light and dark, nothing is wrong with them that axe-core knows."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from looplab.course import lab as labs
from looplab.report import timeline, writer
from looplab.report.subject import Subject
from looplab.teaching import feedback, page, similar
from looplab.teaching.intake import Trouble
from looplab.teaching.outcome import Outcome
from story import overlapped
from test_similar import WORKERS, hand_in, renamed
from variants import ALL, ROOT, chromium

ONE = [lab for lab in labs.find_labs() if not lab.warmups][0]
LONG = "A check whose title is as long as may be, so that it does not fit into a narrow page"


def drawn(requests: int) -> str:
    """A run, as the report draws it."""
    story = overlapped([f"http://a.test/{number}" for number in range(requests)],
                       [10.0 * (number + 1) for number in range(requests)])
    return writer.figure(Subject(ONE.slug, "It is drawn", timeline.of(story.trace())))


def result(score: int, **causes: str) -> dict:
    checks = [{"id": name, "category": "timing", "title": f"{LONG}: {name}" if name == "test_c" else f"Check {name}",
               "score": 0 if text else 5, "max_score": 5, "status": "failed" if text else "passed",
               "message": f"expected: 1\nhappened: 2\ncause: {text}" if text else "",
               "report": f"reports/{name}.html"} for name, text in causes.items()]
    return {"schema": "looplab/result/v1", "lab": ONE.slug, "status": "graded", "score": score, "max_score": 100,
            "seed": 7, "elapsed_s": 0.0, "checks": checks}


@pytest.fixture
def of_three(tmp_path) -> tuple[Outcome, Path]:
    """Two make the same mistake, and one of theirs is the smaller picture; one mistake has none."""
    out = tmp_path / "out"
    said = {"ada": ("compare.c:5 waits 10 ms", 9), "bob": ("compare.c:7 waits 90 ms", 3)}
    for student, (_, requests) in said.items():
        (out / student / ONE.slug / "reports").mkdir(parents=True)
        (out / student / ONE.slug / "reports/test_a.svg").write_text(drawn(requests))
    results = {(student, ONE.slug): result(40 + 20 * number, test_a=text, test_b="", test_c="a sum is wrong " * 9)
               for number, (student, (text, _)) in enumerate(said.items())}
    results["carl", ONE.slug] = result(100, test_a="", test_b="", test_c="")
    return Outcome([ONE], ["ada", "bob", "carl"], results, [Trouble("ada", "", "link", "x")]), out


def test_a_typical_mistake_has_a_time_line(of_three):
    """That of the one whose words stand there, as the report draws it; and the page still names nobody."""
    outcome, out = of_three
    text = page.render(outcome, out)
    (picture,) = re.findall(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)">', text)
    assert picture[0] == "The time line of one of them: compare.c:7 waits 90 ms"
    assert base64.b64decode(picture[1]).decode() == drawn(3)
    assert not re.search(r"\b(ada|bob|carl)\b", text) and "2 ×</b> compare.c:7 waits 90 ms" in text
    assert "<img" not in page.render(outcome)


def test_the_same_mistake_under_two_checks_is_drawn_once(of_three):
    outcome, out = of_three
    for student in ("ada", "bob"):
        text = {"ada": "compare.c:5 waits 10 ms", "bob": "compare.c:7 waits 90 ms"}[student]
        outcome.results[student, ONE.slug] = result(40, test_a=text, test_b=text)
        (out / student / ONE.slug / "reports/test_b.svg").write_text(drawn(9 if student == "ada" else 3))
    text = page.render(outcome, out)
    assert text.count("<img") == 1 and text.count("2 ×</b> compare.c:7 waits 90 ms") == 2


def test_names_are_there_when_they_are_asked_for(of_three):
    outcome, out = of_three
    text = page.render(outcome, out, names=True)
    assert text.count("<details><summary>who</summary>ada, bob</details>") == 2 and "carl" not in text


def test_one_that_is_too_large_is_left_out(of_three, monkeypatch):
    outcome, out = of_three
    monkeypatch.setattr(page, "FIGURE_BYTES_MOST", 100)
    assert "<img" not in page.render(outcome, out)
    monkeypatch.setattr(page, "FIGURE_BYTES_MOST", 10**6)
    monkeypatch.setattr(page, "FIGURES_MOST", 0)
    assert "<img" not in page.render(outcome, out)


def test_nothing_is_wrong_with_a_page_in_a_browser(of_three, tmp_path):
    program = chromium()
    outcome, out = of_three
    source = hand_in(tmp_path / "in", **{"Zoë van der Berg": WORKERS, "bob": renamed(WORKERS)})
    similar.main(["--from", str(source), "--out", str(tmp_path / "alike")])
    (out / "class.html").write_text(page.render(outcome, out))
    troubles = [Trouble("ada", ONE.slug, "two files", "which one counts? " + "a" * 90)]
    (out / "feedback.html").write_text(feedback.page("ada", [outcome.results["ada", ONE.slug]], troubles))
    files = [out / "class.html", out / "feedback.html", *sorted((tmp_path / "alike").rglob("*.html"))]
    done = subprocess.run(["node", "grader/tests/browser/axe.mjs", program, str(tmp_path),
                           "all" if ALL else "few", *map(str, files)], cwd=ROOT, text=True, timeout=300,
                          capture_output=True, env={**os.environ, "NODE_FOLDER": str(ROOT / "build/node")})
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(files) == 4 and len(seen) == len(list(tmp_path.glob("*.png"))) == (16 if ALL else 8)
    for one in seen:
        assert one["axe"] == [] and one["wide"] <= 0, one
        assert one["requests"] == one["faults"] == [] and one["broken"] == 0, one
    assert sum(one["pictures"] for one in seen) == len(seen) / 4
