"""The warm-ups keep their promises: each can be solved, is worth nothing untouched, tells first wrong answers apart.

With ALL=1 all of them in all ways; else every solution, every other skeleton, and of the wrong answers
(corpus-warmups/NN-name.json: the lines that stand in the place of the right ones) those of every fourth warm-up.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading import OURS, ROOT, Graded, grade
from looplab.course import lab as labs, warmups
from looplab.running.build import compiler
from looplab.telling.ticks import Ticks
from terminal import Terminal
from warm import looplab
from variants import require_terminal, some

LAB = labs.load("00-warmups")
WARMUPS = warmups.read(LAB)
CORPUS = Path(__file__).parent / "corpus-warmups"
PATTERNS = 44
LEFT_OUT = {35}
"""The patterns of the course that no warm-up is of: co.h has no WebSockets yet."""

each = pytest.mark.parametrize("warmup", WARMUPS, ids=lambda warmup: warmup.name)


def corpus(warmup: warmups.Warmup) -> dict:
    """{"right": the lines of the solution that a student writes, "wrong": {name: {"lines", "says"}}}"""
    return json.loads((CORPUS / f"{warmup.name}.json").read_text())


def with_lines(warmup: warmups.Warmup, wrong: str) -> str:
    """The solution, with this wrong answer in the place of the right one."""
    text, told = (LAB.solution / warmup.source).read_text(), corpus(warmup)
    at = 0
    for right, lines in zip(told["right"], told["wrong"][wrong]["lines"]):
        piece = "".join(rf"( *){re.escape(line)}\n" if k == 0 else rf" *{re.escape(line)}\n"
                        for k, line in enumerate(right))
        if not right:       # nothing is to be written there: in front of the last return before the next function
            found = re.compile(r"^( *)(?=return rc;\n\})", re.M).search(text, at)
        else:
            found = re.compile("^" + piece, re.M).search(text, at)
        assert found, f"{warmup.name}: the solution does not hold {right}"
        said = "".join(f"{found[1]}{line}\n" for line in lines)
        end = found.end() if right else found.start()
        text = text[:found.start()] + said + text[end:]
        at = found.start() + len(said)
    return text


def message(graded: Graded, warmup: warmups.Warmup) -> str:
    """What the card says of one, in one line."""
    found = [check for check in graded.result["checks"] if check["id"] == f"test_warmup[{warmup.name}]"]
    assert found[0]["status"] == "failed", f"{warmup.name}: {found[0]}"
    return " ".join(found[0]["message"].split())


# ---- Verdicts -----------------------------------------------------------------------------------


def test_the_solutions_are_right(tmp_path):
    graded = grade(LAB, LAB.solution, tmp_path)
    assert (graded.score, graded.result["max_score"], graded.code) == (2 * len(WARMUPS), 2 * len(WARMUPS), 0), \
        graded.lost()


def test_an_untouched_file_is_worth_nothing_and_told_where_to_begin(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    tried = some(WARMUPS)
    for warmup in tried:
        shutil.copy(LAB.folder / warmup.source, mine)
    graded = grade(LAB, mine, tmp_path / "out")
    assert graded.score == 0 and graded.code == 1
    for warmup in tried:
        assert re.search(rf"cause: {warmup.source}:\d+ is still to be written: \w", message(graded, warmup))
    for warmup in WARMUPS:
        if warmup not in tried:
            assert f"{warmup.source} is missing" in message(graded, warmup)


@pytest.mark.parametrize("rank", range(3))
def test_wrong_answers_have_a_message_of_their_own(tmp_path, rank):
    """The first wrong answers of each warm-up in one grading, then the second, then the third."""
    mine = tmp_path / "mine"
    mine.mkdir()
    tried = [(warmup, *list(corpus(warmup)["wrong"].items())[rank])
             for warmup in some(WARMUPS[rank:] + WARMUPS[:rank], 4)
             if len(corpus(warmup)["wrong"]) > rank]
    for warmup, name, _ in tried:
        (mine / warmup.source).write_text(with_lines(warmup, name))
    graded = grade(LAB, mine, tmp_path / "out")
    assert graded.score == 0 and graded.result["status"] == "graded"
    for warmup, name, told in tried:
        assert told["says"] in message(graded, warmup), f"{warmup.name}, {name}: {message(graded, warmup)}"


# ---- What lies in the folder --------------------------------------------------------------------


@each
def test_at_least_two_wrong_answers_are_told_apart(warmup):
    told = corpus(warmup)["wrong"].values()
    assert len({one["says"] for one in told}) >= 2 and {one["says"] for one in told} <= \
        {one.say for one in warmup.wrong}


@each
def test_file_and_comment_are_short(warmup):
    text = (LAB.folder / warmup.source).read_text()
    assert 15 <= text.count("\n") <= 50 and text.startswith(f"/* {warmup.number} - ")
    assert 1 <= text.count("/* TODO: ") <= 2
    assert text[:text.index("*/")].count("\n") < 8
    assert "TODO" not in (LAB.solution / warmup.source).read_text()
    written = [line for place in corpus(warmup)["right"] for line in place]
    assert 1 <= len(written) <= 3


@each
def test_the_twist_is_another_world(warmup):
    plain, twist = warmup.runs
    assert not plain.twist and twist.twist and (twist.settings, twist.world) != (plain.settings, plain.world)
    assert (plain.output, plain.took) != (twist.output, twist.took)
    for run in warmup.runs:
        assert not run.world or warmups.world_of(LAB, run).is_file()


@each
def test_the_hint_and_the_labs(warmup):
    assert 20 < len(warmup.hint) < 400 and warmup.prepares
    assert set(warmup.prepares) <= {slug[:2] for slug in labs.slugs()} - {"00"}


def test_each_needs_only_what_came_before():
    known: set[str] = set()
    for warmup in WARMUPS:
        assert set(warmup.needs) <= known, f"{warmup.name} needs {set(warmup.needs) - known}, which nobody has taught"
        assert warmup.idea not in known, f"{warmup.name}: {warmup.idea} was taught before"
        known.add(warmup.idea)


CALLS = {"co_spawn": "spawn", "co_join": "spawn", "co_gather": "gather", "co_await": "await", "co_wait": "wait",
         "co_next_done": "as-completed", "co_wait_for": "timeout", "co_timeout_begin": "timeout-block",
         "co_cancel": "cancel", "co_shield_begin": "shield", "CO_WITH_LOCK": "lock", "CO_WITH_SEM": "semaphore",
         "co_event_wait": "event", "co_queue_get": "queue", "co_gen_next": "iterator", "co_gen_yield": "generator",
         "co_to_thread": "worker", "co_http_get": "http", "co_stream_read_line": "stream", "co_file_save": "file"}
"""In which idea each call is written first: what a student writes uses none that comes later."""


def test_no_solution_uses_a_call_that_comes_later():
    order = [warmup.idea for warmup in WARMUPS]
    for number, warmup in enumerate(WARMUPS):
        used = {call for place in corpus(warmup)["right"] for line in place
                for call in re.findall(r"\b(co_\w+|CO_\w+)\(", line)}
        for call in used & set(CALLS):
            assert order.index(CALLS[call]) <= number, f"{warmup.name} uses {call}"


def test_every_pattern_of_the_course_is_there():
    assert {number for warmup in WARMUPS for number in warmup.patterns} & set(range(1, PATTERNS + 1)) \
        == set(range(1, PATTERNS + 1)) - LEFT_OUT


def test_nothing_else_lies_there():
    names = {warmup.name for warmup in WARMUPS}
    assert {path.stem for path in LAB.solution.iterdir()} == names == {path.stem for path in CORPUS.iterdir()}
    known = {"README.md", "lab.json", "main.c", "warmup.h", "test_visible.py", "worlds"}
    known |= {f"{name}{end}" for name in names for end in (".c", ".json")}
    assert {path.name for path in LAB.folder.iterdir()} == known
    used = {run.world for warmup in WARMUPS for run in warmup.runs} - {""}
    assert {path.name for path in LAB.worlds.iterdir()} == used


@pytest.mark.parametrize("folder", [LAB.folder, LAB.solution], ids=["skeletons", "solutions"])
def test_all_compile_without_a_warning(folder):
    done = subprocess.run([*compiler(), f"@{ROOT / 'sim/kit/student.flags'}", "-Werror", "-fsyntax-only",
                           f"-I{ROOT / 'sim/include'}", f"-I{LAB.folder}", *[folder / one.source for one in WARMUPS]],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- The grading --------------------------------------------------------------------------------


def graded_with(tmp_path: Path, text: str) -> str:
    """The message of the first warm-up when this is its file."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / WARMUPS[0].source).write_text(text)
    return message(grade(LAB, mine, tmp_path / "out"), WARMUPS[0])


@pytest.mark.parametrize("text, said", [
    ("int warmup(void)\n{\n    return 0\n}\n", f"{WARMUPS[0].source}:3: expected ';' before '}}' token"),
    ('#include "warmup.h"\nint warm(void)\n{\n    return 0;\n}\n', "does not define warmup()"),
    ('#include "warmup.h"\nint other(void);\nint warmup(void)\n{\n    return other();\n}\n',
     "uses other, which is defined nowhere"),
    ('#include "warmup.h"\nint warmup(void)\n{\n    return -EIO;\n}\n', "it returned -EIO"),
    ('#include "warmup.h"\nint warmup(void)\n{\n    for (;;)\n        ;\n}\n', "still computing"),
    ('#include "warmup.h"\nint warmup(void)\n{\n    *(volatile int *)8 = 1;\n    return 0;\n}\n',
     f"{WARMUPS[0].source}:4"),
    ('#include "warmup.h"\nint warmup(void)\n{\n    printf("%d\\n", getpid());\n    return 0;\n}\n',
     "two runs in the same world do the same"),
    ('#include "../../solutions/00-warmups/01-kettle.c"\n', "no part of the lab"),
], ids=["syntax", "no function", "undefined", "error", "endless", "crash", "chance", "include"])
def test_what_is_not_a_wrong_answer_is_told_too(tmp_path, text, said):
    assert said in graded_with(tmp_path, text).replace("‘", "'").replace("’", "'")


def test_a_folder_without_any_cannot_be_graded(tmp_path):
    (tmp_path / "mine").mkdir()
    graded = grade(LAB, tmp_path / "mine", tmp_path / "out")
    assert (graded.code, graded.result["status"]) == (2, "ungradable") and "no warm-up is there" in graded.card


# ---- How far one is -----------------------------------------------------------------------------


def test_ticks_go_by_the_file_as_it_is(tmp_path):
    """One is done while its file is the one that was right, whichever grading has seen it."""
    mine, out = tmp_path / "mine", tmp_path / "out"
    mine.mkdir()
    one, two = [warmup.source for warmup in WARMUPS[:2]]
    shutil.copy(LAB.solution / one, mine)
    shutil.copy(LAB.folder / two, mine)
    grade(LAB, mine, out)
    ticks = Ticks(LAB, out, mine)
    assert (ticks.of(one), ticks.of(two), ticks.done, ticks.next()) == ("done", "", 1, two)
    assert ticks.next(WARMUPS[-1].source) == two
    (mine / one).write_text((mine / one).read_text() + "\n")
    ticks = Ticks(LAB, out, mine)
    assert (ticks.of(one), ticks.done, ticks.next()) == ("changed", 0, one)
    (out / LAB.slug / "done.json").write_text("[]")
    assert Ticks(LAB, out, mine).done == 0


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "grader"), "TERM": "xterm", "NO_COLOR": "1"}


def test_the_watch_goes_from_one_to_the_next(tmp_path):
    require_terminal()
    one, two, three = [warmup.source for warmup in WARMUPS[:3]]
    for name in (one, two, three):
        shutil.copy(LAB.folder / name, tmp_path)
    (ROOT / "build/grade" / LAB.slug / "done.json").unlink(missing_ok=True)
    words = [sys.executable, "-m", "looplab", "watch", "--from", str(tmp_path), "--lab", "00", "--seed", "7"]
    watching = Terminal(words, ROOT, ENVIRONMENT)
    try:
        watching.until(rf"{one}:\d+ is still to be\s+written[\s\S]*0/54 warm-ups")
        shutil.copy(LAB.solution / one, tmp_path)
        shown = watching.until(rf"{two}:\d+ is still to be\s+written[\s\S]*1/54 warm-ups")
        assert f"{WARMUPS[0].title}: right, and 1 of 54 are done" in shown and f"Now open {two}" in shown
        watching.press("n")
        watching.until(rf"{three}:\d+ is still to be\s+written")
        watching.press("p")
        watching.until(rf"{two}:\d+ is still to be\s+written")
        watching.press("h")
        watching.until(re.escape(" ".join(WARMUPS[1].hint.split()[:4])))
    finally:
        watching.close()
    watching = Terminal(words[:-4] + words[-2:], ROOT, ENVIRONMENT)        # it resumes where it was
    try:
        watching.until(rf"{two}:\d+ is still to be\s+written[\s\S]*1/54 warm-ups")
    finally:
        watching.close()


def test_the_handouts_name_those_that_prepare_them():
    for lab in map(labs.load, OURS):
        named = ", ".join(warmup.number for warmup in WARMUPS if lab.number in warmup.prepares)
        line = f"\n**Warm-ups that prepare it:** {named} (`make watch LAB=00`).\n"
        assert line in (lab.folder / "README.md").read_text()
        assert f"\n| {lab.number} | {named} |\n" in (LAB.folder / "README.md").read_text()


def test_a_class_is_graded_in_them_when_it_is_asked_for(tmp_path):
    for student, count in (("ada", 2), ("bob", 0)):
        folder = tmp_path / "class" / student / LAB.slug
        folder.mkdir(parents=True)
        for warmup in WARMUPS[:2]:
            shutil.copy((LAB.solution if WARMUPS.index(warmup) < count else LAB.folder) / warmup.source, folder)
    done = looplab("class", "--from", tmp_path / "class", "--out", tmp_path / "out", "--lab", "00")
    assert done.returncode == 1     # Bob has not begun
    assert re.search(r"^ada,.*\b4\b", (tmp_path / "out/grades.csv").read_text(), re.M)
    assert "all warm-ups are as they were given" in (tmp_path / "out/attention.csv").read_text()


@pytest.mark.parametrize("words, said", [
    (["report", "--lab", "00"], "a warm-up is not drawn"),
    (["compare", "--lab", "00"], "nothing to compare"),
], ids=["report", "compare"])
def test_what_is_not_for_warm_ups_says_so(words, said):
    done = looplab(*words)
    assert done.returncode == 2 and said in done.stderr
