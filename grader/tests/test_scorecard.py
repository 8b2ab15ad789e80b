"""The scorecard: what stands on it, in 80 columns, for any terminal."""

import re

import pytest

from looplab.asking.check import Part
from looplab.plain.text import fill, plain, printable
from looplab.running.build import Advice
from looplab.telling import results
from looplab.telling.scorecard import Source, Style, card, command, summary
from test_results import check, failed, faulty, passed, skipped

LONG = ("A title that is so long that it cannot possibly fit into one line of the list, "
        "whatever the terminal may be like")


def of(*checks, **more):
    return results.graded("01-sync-vs-async", checks, 7, 0.4, **more)


def full_failure():
    one = failed()
    one.message = "expected: 320 ms, as long as the slowest URL\nhappened: it took 3,200 ms\n" \
                  "cause: toy.c:3 waits for each fetch before the next one starts: start all of them first, then wait"
    one.replay = ("make run LAB=01 MODE=async WORLD=build/grade/01-sync-vs-async/worlds/test_all_fetches_overlap.json "
                  "SEED=7 URLS='http://a.test/ http://b.test/'")
    return one


def test_a_line_for_each_check_under_its_category():
    text = card(of(passed(), failed(), skipped(), check("test_e", category="correctness")), source=Source("toy.c"))
    assert text.startswith("Lab 01 sync vs async · toy.c · seed 7\n")
    assert "timing\n  ✓  10/10   What test_a is about\n" in text
    assert re.search(r"  ✗   0/10   What test_b is about +2 ms\n", text)
    assert "  –   0/10   What test_c is about\n" in text
    assert text.index("correctness") < text.index("timing")
    assert "correctness 0/10 · timing 10/30" in text and "score 10/40" in text


def test_a_failure_is_told_in_full():
    lines = card(of(full_failure()), source=Source("toy.c", line={"toy.c:3": "co_await(task, NULL);"}.get)).split("\n")
    at = lines.index("  ✗ What test_b is about (timing, 0 of 10 points)")
    assert lines[at + 1:at + 9] == [
        "    expected: 320 ms, as long as the slowest URL",
        "    happened: it took 3,200 ms",
        "    cause:    toy.c:3 waits for each fetch before the next one starts: start all",
        "              of them first, then wait",
        "              toy.c:3 | co_await(task, NULL);",
        "    again:    make run LAB=01 MODE=async \\",
        "                WORLD=build/grade/01-sync-vs-async/worlds/test_all_fetches_overlap.json \\",
        "                SEED=7 URLS='http://a.test/ http://b.test/'"]


def test_each_part_shows_its_own_line():
    one = failed()
    one.parts = [Part("after one", 1, False, "happened: 1 answer never freed", "toy.c:3"), Part("in between", 5, True),
                 Part("after two", 4, False, "happened: 2 answers never freed", "toy.c:9")]
    one.passed()
    lines = card(of(one), source=Source("toy.c", line={"toy.c:3": "get(a);", "toy.c:9": "get(b);"}.get)).split("\n")
    at = lines.index("    after one (1 point)")
    assert lines[at:at + 6] == ["    after one (1 point)", "    happened: 1 answer never freed",
                                "              toy.c:3 | get(a);",
                                "    after two (4 points)", "    happened: 2 answers never freed",
                                "              toy.c:9 | get(b);"]


def test_a_command_with_a_command_in_it_can_be_copied():
    text = "make run LAB=01 WORLD=" + "w" * 50 + " URLS=\"$(cat build/grade/01-toy/worlds/a.urls)\""
    assert command("again:", text)[-1].strip() == "URLS=\"$(cat build/grade/01-toy/worlds/a.urls)\""


def test_a_command_can_be_copied():
    text = "make run LAB=01 WORLD='a b' " + " ".join(f"WORD{i}=something" for i in range(12))
    joined = "\n".join(command("again:", text)).replace("again:", "", 1)
    assert joined.replace(" \\\n", " ").split() == text.split()
    assert all(len(line) <= 80 for line in command("", text))


def test_a_full_score_says_what_is_next():
    text = card(of(passed()), source=Source(folder="labs/01-toy"))
    assert "score 10/10" in text and "All checks pass. Next: the stretch goals in labs/01-toy/README.md" in text


def test_less_names_the_run_to_look_at():
    text = card(of(passed(), full_failure()))
    assert text.split("Next: ")[1].startswith('look at the run behind "What test_b is about":\n              make run '
                                              'LAB=01')


def test_a_skeleton_is_told_where_to_begin():
    text = card(of(full_failure()), source=Source(begin="begin with toy.c:2, TODO 1: write it.", folder="labs/01-toy"))
    assert "Next: begin with toy.c:2, TODO 1: write it.\nlabs/01-toy/README.md says" in text


def test_ungradable_quotes_the_line():
    result = results.ungradable("01-toy", "toy.c:3: expected ';' before 'int'", "toy.c:3", 7, 0.1, 100)
    text = card(result, source=Source("toy.c", line={"toy.c:3": "int x"}.get))
    assert "cannot be graded:\n    toy.c:3: expected ';' before 'int'\n    toy.c:3 | int x\n" in text
    assert "score" not in text and "Next: mend toy.c:3, then: make grade LAB=01" in text


def test_a_fault_of_the_grader_is_not_the_students():
    for text in (card(results.error("01-toy", "gcovr is missing", 7, 0.1)), card(of(passed(), faulty()))):
        assert "the grader is at fault" in text and "tell your teacher" in text and "mend" not in text


def test_skips_for_one_reason_are_one_line():
    text = card(of(failed(), skipped("test_c"), skipped("test_e")))
    assert "  – skipped 2 checks: each needs it\n" in text


def test_advice_is_short():
    text = card(of(passed(), advice=[Advice(f"toy.c:{i}", "unused variable") for i in range(5)]))
    assert "the compiler warns: toy.c:0: unused variable" in text and "toy.c:3" not in text \
        and "2 further warnings" in text


def test_nothing_is_wider_than_80_columns():
    one = full_failure()
    one.title, one.message, one.virtual_ns = LONG, "expected: " + LONG + "\n" + LONG, 13_470_646_432
    two = skipped()
    two.title = two.message = LONG
    text = card(of(passed(), one, two, advice=[Advice("toy.c:1", LONG)]))
    for line in text.split("\n"):
        assert len(line) <= 80 or "WORLD=build" in line, line
    assert "13,471 ms" in text      # the list is rough, messages are exact


def test_colours_are_only_where_they_are_asked_for():
    result = of(passed(), full_failure())
    assert "\x1b" not in card(result)
    coloured = card(result, Style(colour=True))
    assert "\x1b[32m✓\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == card(result)


def test_a_terminal_that_knows_only_ascii():
    text = plain(card(of(passed(), full_failure(), skipped())))
    assert text.isascii() and "  +  10/10" in text and "  x   0/10" in text


def test_a_program_cannot_write_on_the_terminal():
    one = failed()
    one.message = "happened: \x1b[2J\x1b[1;32mscore 100/100\x07 \u202etxet\r"
    text = card(of(one))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text) and "\\x1b[2J" in text and "\\u202e" in text


@pytest.mark.parametrize("text, shown", [("a\tb", "a    b"), ("\x7f", "\\x7f"), ("é✓", "é✓"), ("a\nb", "a\nb"),
                                         ("\u2066", "\\u2066")])
def test_printable(text, shown):
    assert printable(text) == shown


def test_filling_keeps_line_breaks_and_long_words():
    assert fill("a b\nc", "  ") == ["  a b", "  c"]
    assert fill("x" * 100) == ["x" * 100]


def test_the_summary_of_several_labs():
    assert summary(of(passed(), failed())).split() == ["01-sync-vs-async", "10/20"]
    assert "ungradable: no file" in summary(results.ungradable("01-toy", "no file", None, 7, 0.1, None))
