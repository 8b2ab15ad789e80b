"""The decks: what they show of code and runs is real, nothing is cut off, nothing is loaded from anywhere.

Each time the last deck and one lab's, which holds every kind of line, are built and looked at, and of all others what
they take out of files is; with ALL=1 all are built.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from grading import OURS
from variants import ALL, chromium

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "slides"))

import build  # noqa: E402

DECKS = build.decks()
MODULES = [deck for deck in DECKS if (ROOT / "labs" / deck.stem).is_dir()]
BUILT = [deck for deck in DECKS if ALL or deck.stem in ("02-url-fetcher", "07-closing")]


def slides(deck: Path) -> list[str]:
    """The slides of a deck's source."""
    return re.split(r"^---$", deck.read_text().split("---", 2)[2], flags=re.MULTILINE)


# ---- the source -------------------------------------------------------------------------------


def test_a_deck_a_lab_one_before_and_one_after():
    assert [deck.stem for deck in DECKS] == ["00-opening", *OURS, "07-closing"]


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.stem)
def test_every_slide_has_notes_and_every_question_an_answer(deck):
    parts = slides(deck)
    for number, slide in enumerate(parts, start=1):
        notes = [note for note in re.findall(r"<!--(.*?)-->", slide, flags=re.DOTALL)
                 if not note.strip().startswith("_")]
        assert notes and len(" ".join(notes)) > 25, f"slide {number} has nothing to say"
        if "_class: question" in slide:
            assert number < len(parts) and "_class: question" not in parts[number], \
                f"slide {number} has no answer after it"


@pytest.mark.parametrize("deck", MODULES, ids=[deck.stem for deck in MODULES])
def test_a_module_has_twenty_to_thirty_five_slides_and_ends_with_the_lab_and_asyncio(deck):
    parts = slides(deck)
    assert 20 <= len(parts) <= 35
    assert any("_class: lab" in slide for slide in parts[-4:]) and any("_class: asyncio" in slide
                                                                       for slide in parts[-4:])
    assert sum("_class: question" in slide for slide in parts) >= 2
    assert sum("@figure" in slide for slide in parts) >= 2


def figures_with_names() -> list[dict[str, str]]:
    found = [re.match(r"@figure (.*names=.*)", line) for deck in DECKS for line in deck.read_text().split("\n")]
    return [build._arguments(one[1])[1] for one in found if one]


@pytest.mark.parametrize("named", figures_with_names(), ids=lambda named: named["EXAMPLE"])
def test_tasks_of_one_function_have_the_names_that_their_example_gives_them(named):
    source = next((ROOT / "sim/examples").glob(f"{named['EXAMPLE']}-*.c")).read_text()
    for name in named["names"].split(", "):
        assert re.search(rf'" *{name}"', source), name


def test_ships_that_pass_are_told_apart():
    drawn = build._figure([], {"EXAMPLE": "07", "main": "no", "names": "Argo, Beagle, Calypso"})
    text = base64.b64decode(re.search(r"base64,([^\"]+)", drawn)[1]).decode()
    for lane in ("2 pass Argo", "3 pass Beagle", "4 pass Calypso"):
        assert f">{lane}<" in text
    with pytest.raises(build.DeckError, match="the run has 3 tasks besides the first"):
        build._figure([], {"EXAMPLE": "07", "names": "Argo, Beagle, Calypso, Doris"})


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.stem)
def test_code_in_c_comes_from_tested_files_only(deck):
    assert "```c\n" not in deck.read_text(), "write @code PATH#NAME instead: what stands in a deck by hand may be wrong"
    for path in re.findall(r"^@code ([^\s#]+)", deck.read_text(), flags=re.MULTILINE):
        assert path.startswith(("sim/examples/", "solutions/", "labs/", "sim/include/", "sim/runtime/",
                                "grader/tests/", "grader/hidden/", "slides/suites/")), path


def test_the_suite_of_the_slides_passes_on_a_right_scraper(tmp_path):
    done = subprocess.run(["sh", "grader/scripts/run.sh"], cwd=ROOT, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "CC": os.environ.get("CC", "gcc"), "LAB": "06", "FROM": "slides/suites",
                               "TRACE": str(tmp_path / "trace")})
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the words --------------------------------------------------------------------------------

SOURCE = """/* What it is. */
struct job {
    int n;      /* how many */
};

static int first(void);

/* Runs it.
 * All of it. */
static int first(void)
{
    int n = 1;  /* one */
    /* two
       lines */

    return n;
}

#define TWICE(x) \\
    ((x) + (x))
int counter = 3;
"""


def test_a_definition_is_cut_out_by_name():
    assert build.definition(SOURCE, "job").startswith("struct job {") and build.definition(SOURCE, "job").endswith("};")
    assert build.definition(SOURCE, "first").startswith("static int first(void)\n{") \
        and build.definition(SOURCE, "first").endswith("}")
    assert build.definition(SOURCE, "TWICE").count("\n") == 1
    with pytest.raises(build.DeckError, match="no definition of nobody"):
        build.definition(SOURCE, "nobody")


def test_comments_go_and_so_do_lines_that_held_nothing_else():
    assert build.without_comments(build.definition(SOURCE, "first")) == "static int first(void)\n{\n    int n = " \
        "1;\n\n    return n;\n}"


@pytest.mark.parametrize("line, said", [
    ("@code sim/examples/06-timeouts.c#nobody", "no definition of nobody"),
    ("@code sim/examples/no-such.c#main", "no-such.c"),
    ('@code sim/examples/01-event-loop-basics.c#flash from="nix"', "no line holds 'nix'"),
    ("@run EXAMPLE=99", "no example '99'"),
    ("@trace EXAMPLE=01 task=99", "no such event"), ("@figure LAB=01 FROM=solutions MODE=nix", "fails"),
    ("@figure EXAMPLE=01 end=soon", "expected a time")])
def test_what_is_not_there_stops_the_build_with_its_place(line, said):
    with pytest.raises(build.DeckError) as fault:
        build.expand(f"# One\n\n{line}\n", "09-toy.md")
    assert "slides/09-toy.md:3: " in str(fault.value) and said in str(fault.value)


def test_a_line_that_would_be_cut_off_stops_the_build(tmp_path):
    with pytest.raises(build.DeckError, match="95 columns"):
        build._fenced("x" * 95, "c")
    assert 'class="small"' in build._fenced("x" * 90, "c") and 'class="small"' not in build._fenced("x" * 70, "c")


def test_a_trace_tells_of_one_task_and_long_lines_are_continued():
    said = build.expand('@trace EXAMPLE=01 task=2 only="run await" to="await"', "09-toy.md")
    assert said.split("\n")[1:3] == ["0 ms  run     task 2",
                                     "0 ms  await   task 2  on sleep  src 01-event-loop-basics.c:23"]
    assert [len(line) <= build.WIDEST for line in build._wrapped("word " * 40)] == [True] * 3 \
        and build._wrapped("as it  was") == ["as it  was"]


# ---- the output -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages():
    """The decks as pages and notes, and the last one as PDF too."""
    chromium()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "grader")}
    for words in (["07"], ["--no-pdf", *([] if ALL else ["02"])]):
        done = subprocess.run([sys.executable, "slides/build.py", *words], cwd=ROOT, capture_output=True, text=True,
                              timeout=600, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build/slides"


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.stem)
def test_what_is_taken_out_of_files_is_there(deck):
    """What an example prints stands beside it (test_examples.py)."""
    expanded = 0
    for line in deck.read_text().split("\n"):
        found = build.WORD.match(line)
        if not found:
            continue
        plain, named = build._arguments(found[2])
        if found[1] in ("code", "lines"):
            assert build._WORDS[found[1]](plain, named)
        elif found[1] == "run" and [key for key, _ in build._key(named)] == ["EXAMPLE"]:
            printed = next((ROOT / "sim/examples").glob(f"{int(named['EXAMPLE']):02}-*.out"))
            assert build._between(printed.read_text().rstrip(), named)
        else:
            continue
        expanded += 1
    assert expanded


def test_every_deck_is_there_whole(pages):
    for deck in BUILT:
        assert (pages / f"{deck.stem}.html").stat().st_size > 10_000
        assert len((pages / f"{deck.stem}.notes.txt").read_text().split("\n---\n")) == len(slides(deck))
    assert (pages / "07-closing.pdf").read_bytes().startswith(b"%PDF")


def test_no_output_asks_for_anything_from_anywhere(pages):
    for deck in BUILT:
        text = (pages / f"{deck.stem}.html").read_text()
        bad = re.findall(
            r"""(?:src|href|poster|data|action)\s*=\s*["']\s*(?:https?:)?//[^"']+|"""
            r"""url\(\s*["']?(?:https?:)?//[^)]+|@import[^;]+""", text)
        assert bad == [], deck.stem
    assert not re.search(rb"/URI\s*\(http", (pages / "07-closing.pdf").read_bytes())


def test_nothing_is_cut_off_or_too_small(pages):
    done = subprocess.run(["node", "slides/look.mjs", chromium(), "build/node",
                           *(str(pages / f"{deck.stem}.html") for deck in BUILT)], cwd=ROOT,
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(seen) == len(BUILT)
    for deck in seen:
        assert deck["requests"] == [] and deck["faults"] == []
        for number, slide in enumerate(deck["slides"], start=1):
            assert slide["out"] == [] and slide["smallest"] >= 18, (deck["deck"], number, slide)
