"""The search: what is drawn can be made smaller, right programs keep every requirement in every situation, wrong ones
are found. (That each statement of the contract is the handout's: test_labs.py.)"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from itertools import islice

import pytest

from grading import ROOT, grade, only_file
from looplab.asking.choices import Choices
from looplab.asking.shrink import shrink, smaller
from looplab.course import lab as labs
from looplab.course.lab import Lab
from looplab.grading import contracts
from looplab.grading.search import Search, in_both
from looplab.running import series
from looplab.running.coverage import Coverage
from looplab.running.forks import Forks
from searched import LABS, broken, check, search, session
from variants import ALL

REFERENCE = labs.load("01-sync-vs-async")
RIGHT = [(lab, file) for lab in LABS for file in sorted((ROOT / "grader/tests/alternatives" / lab.slug).glob("*.c"))]

each_lab = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)


# ---- Choices and shrinking ------------------------------------------------------------------


def numbers(c: Choices) -> list[int]:
    return c.several(0, 50, lambda: c.between(0, 1000))


def test_the_same_choices_make_the_same_thing():
    drawn = Choices(rng=random.Random(1))
    assert numbers(drawn) == numbers(Choices(drawn.taken)) and len(drawn.lists[0].pieces) == drawn.taken[0]
    assert numbers(Choices()) == []
    assert numbers(Choices([2, 5000, -0])) == [1000, 0], "a number that is too large is the largest"


def test_a_list_is_as_long_as_usual_and_shrinks_below_that():
    drawn = Choices(rng=random.Random(1), usual=(30, 40))
    assert 30 <= len(drawn.several(0, 500, lambda: drawn.below(9), sized=True)) <= 40
    again = Choices([3, 1, 1, 1])
    assert again.several(0, 500, lambda: again.below(9), sized=True) == [1, 1, 1]


@pytest.mark.parametrize("shows,least", [
    (lambda drawn: any(number > 700 for number in drawn), [701]),
    (lambda drawn: len(drawn) > 3, [0, 0, 0, 0]),
    (lambda drawn: sum(number > 10 for number in drawn) > 1, [11, 11])])
def test_what_shows_is_made_as_small_as_can_be(shows, least):
    for seed in range(20):
        found = Choices(rng=random.Random(seed))
        if not shows(numbers(found)):
            continue

        def still(given):
            drawn = Choices(given)
            return drawn if shows(numbers(drawn)) else None

        made = shrink(found, still, 1000)
        assert numbers(Choices(made.taken)) == least
        assert not smaller(found, made)


def test_lists_in_lists_are_made_smaller_too():
    def groups(c: Choices) -> list[list[int]]:
        return c.several(0, 9, lambda: numbers(c))

    def still(given):
        drawn = Choices(given)
        return drawn if any(number > 700 for group in groups(drawn) for number in group) else None

    for seed in range(20):
        found = Choices(rng=random.Random(seed))
        groups(found)
        if still(found.taken):
            assert groups(Choices(shrink(found, still, 1000).taken)) == [[701]]


def test_so_many_tries_and_no_more():
    tried = []
    found = Choices(rng=random.Random(3))
    numbers(found)
    assert shrink(found, lambda given: tried.append(given), 17) is found and len(tried) == 17


def contract_of(lab: Lab):
    contract = contracts.load(lab.hidden)
    assert contract, f"{lab.slug} has situations.py, but no contract.py that says what holds in them"
    return contract


# ---- Right programs -------------------------------------------------------------------------


@each_lab
def test_the_reference_keeps_everything_and_everything_is_asked(lab):
    """As many situations as a grading has, of another seed; 2,000 with ALL=1."""
    found = search(lab, lab.solution / lab.source, seed=4711, cases=2000 if ALL else None, built=lab.reference)
    assert broken(found) == {} and found.stopped == 0
    assert found.played == (2000 if ALL else contract_of(lab).cases)
    unasked = [number for number, told in found.told.items() if not told.kept]
    assert not unasked, f"no situation has anything to say of the requirements {unasked} of {lab.slug}"


@pytest.mark.skipif(not ALL, reason="six minutes: make test ALL=1 (test_labs.py grades one of them a lab)")
@pytest.mark.parametrize("lab,file", RIGHT, ids=lambda value: value.slug[:2] if isinstance(value, Lab) else value.stem)
def test_right_programs_of_another_design_agree(lab, file):
    assert broken(search(lab, file, seed=1013, cases=2000)) == {}


@each_lab
def test_each_kind_is_played_under_the_sanitizers_too(lab):
    """And no more of them than one in five."""
    plan = contract_of(lab).plan
    both = in_both(plan)
    assert {plan[k][0][0] for k in both} == {first[0] for first, _ in plan}
    assert max(size for _, size in plan) in {plan[k][1] for k in both} and 5 * len(both) < 2 * len(plan)
    assert len({plan[k][0][0] for k in range(0, len(plan), 8)}) <= len({plan[k][0][0] for k in both})


def test_what_is_drawn_for_lab_05_fits():
    """What pipeline.h promises of total and units, in 3,000 documents."""
    contract_of(PIPELINE)
    documents = next(module for name, module in sys.modules.items() if name.endswith("05_data_pipeline.documents"))
    drawn = [documents.any_document(Choices(rng=random.Random(k))) for k in range(3000)]
    good = [json.loads(one.summary) for one in drawn if one.rc == 0]
    assert len(good) > 1000 and max(one["total"] for one in good) > 2**62
    assert all(-2**63 <= one[name] < 2**63 for one in good for name in ("total", "units"))


@each_lab
def test_deep_draws_twenty_times_as_many_the_same_first(lab):
    contract = contract_of(lab)
    usual, deep = Search(contract, 7), Search(contract, 7, deep=True)
    few, many = (list(islice(one._all(), contract.cases + 20)) for one in (usual, deep))
    assert [choices.taken for _, choices in many][:len(few)] == [choices.taken for _, choices in few]
    assert len(few) == contract.cases and len(many) == contract.cases + 20


def reports(tmp_path, *settings: str) -> list[tuple[int, str, dict]]:
    """What the reference of lab 01 reports: (ms, name, value)."""
    words = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([REFERENCE.reference, "--world", REFERENCE.worlds / "three.json", "--trace", tmp_path / "trace",
                    *words, "async"], cwd=tmp_path, capture_output=True, timeout=20, check=True)
    lines = map(json.loads, (tmp_path / "trace").read_text().splitlines())
    return [(line["t"] // 10**6, line["name"], line["value"]) for line in lines if line.get("ev") == "report"]


def test_a_call_is_made_as_the_settings_say(tmp_path):
    """Late, cancelled, with another one beside it that has the other URLs, and once more. Each says which it is."""
    plain = reports(tmp_path)
    assert [(t, name) for t, name, _ in plain] == [(0, "start"), (2000, "result")] and "call" not in plain[0][2]
    told = reports(tmp_path, "delay=10ms", "cancel=40ms", "beside=1ms", "split=1", "again=1", "poison=90")
    assert [(t, name, value["call"]) for t, name, value in told] == [
        (10, "start", 1), (11, "start", 2), (50, "result", 1), (2011, "result", 2), (2011, "start", 3),
        (4011, "result", 3)]
    assert [len(value["results"]) for _, name, value in told if name == "result"] == [1, 2, 3]


# ---- Wrong programs -------------------------------------------------------------------------


def changed(folder, *changes, lab=REFERENCE):
    """The reference with these changes, as a file."""
    text = (lab.solution / lab.source).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file = folder / lab.source
    file.write_text(text)
    return file


ENDLESS = ("    return 0;\n}\n", "    while (n > 50)\n        ;\n    return 0;\n}\n")
ONE_BLOCKS = ("    CO_GROUP(group);\n", "    if (n == 1) { free(jobs); return fetch_sync(urls, n, out); }\n"
                                        "    CO_GROUP(group);\n")


def test_the_smallest_situation_is_told(tmp_path):
    """With its requirement, its words, and the command that plays it again."""
    told = search(REFERENCE, changed(tmp_path, ONE_BLOCKS)).told[11]
    assert told.failed and told.recorded and told.found
    assert len(told.found.situation.urls) == 1
    text = str(told.failed)
    assert text.startswith("rule: 11. The loop is never blocked") and "where: one URL: " in text
    assert re.search(r"compare\.c:\d+", text)
    assert "worlds/requirement-11.json" in told.recorded.replay and "LAB=01" in told.recorded.replay


STATIC_JOBS = (("struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);", "static struct fetch_job jobs[512];"),
               ("    if (!jobs)\n        return -ENOMEM;\n\n    CO_GROUP", "    CO_GROUP"), ("    free(jobs);\n", ""))


def test_the_sentence_is_that_of_the_statement_that_is_broken(tmp_path):
    """Requirement 7 speaks of n = 0 as well as of two calls."""
    told = broken(search(REFERENCE, changed(tmp_path, *STATIC_JOBS)))
    assert set(told) == {7} and "where: 2 URLs: " in told[7] and "called twice" in told[7]
    assert told[7].startswith("rule: 7. Both may be called again") and "static or global" in told[7]
    many = broken(search(REFERENCE, changed(tmp_path, ("    return 0;\n}\n", "    return n > 300 ? -1 : 0;\n}\n"))))
    assert all("called again" not in text for text in many.values()), many


def test_the_same_file_gets_the_same_verdict_and_a_fault_costs_its_requirement_alone(tmp_path):
    one, other = (grade(REFERENCE, only_file(REFERENCE, changed(tmp_path, ONE_BLOCKS), tmp_path / name),
                        tmp_path / f"out-{name}").result["checks"] for name in ("one", "other"))
    for key in ("id", "status", "score", "message", "virtual_ns"):
        assert [check.get(key) for check in one] == [check.get(key) for check in other]
    assert [check["id"] for check in one if check["score"] < check["max_score"]] == ["test_searched_never_blocks"]


def test_a_program_that_never_ends_somewhere_is_found_and_the_rest_goes_on(tmp_path):
    found = search(REFERENCE, changed(tmp_path, ENDLESS))
    assert set(broken(found)) == {7} and "processor time" in broken(found)[7]
    assert 0 < found.stopped <= 3           # one, and those that were under way
    assert all(told.kept for number, told in found.told.items() if number != 7)


def test_a_program_that_never_ends_is_not_waited_for_again_and_again(tmp_path):
    """Once for each requirement that it breaks, up to four times; then none of those modes is played."""
    begin = "int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])\n{\n"
    found = search(REFERENCE, changed(tmp_path, (begin, begin + "    for (;;)\n        ;\n")), wary=True)
    assert 1 < found.stopped <= 5 and {mode for mode, _ in found._stopped} == {"async", "compare"}
    assert set(broken(found)) == {number for _, number in found._stopped} and found.told[9].kept
    assert all(f"requirement-{number}.json" in found.told[number].recorded.replay for number in broken(found))


def test_what_rests_on_something_broken_is_skipped_and_told_so(tmp_path):
    """fetch_async blocks: nothing can be said of its times. What does not rest on that is judged all the same."""
    blocks = ("int rc = co_http_get(job->url, &resp);", "int rc = http_get_blocking(job->url, &resp);")
    graded = grade(REFERENCE, only_file(REFERENCE, changed(tmp_path, blocks), tmp_path / "x"), tmp_path / "out")
    state = {check["id"]: check for check in graded.result["checks"]}
    assert state["test_searched_never_blocks"]["status"] == "failed"
    skipped = state["test_searched_longest"]
    assert skipped["status"] == "skipped" and "needs" in skipped["message"]
    for name in ("sum", "one_request", "freed", "errors"):
        assert state[f"test_searched_{name}"]["status"] == "passed"


PIPELINE = labs.load("05-data-pipeline")
INT_COST = ("(int64_t)item->resp.length * line", "(int)item->resp.length * (int)line")
WRONG = {                       # of lab 05, one line each: the requirement that it breaks
    "a second queue with room for one more": (11, ("options->bound);", "options->bound + (i == 1));")),
    "no file without a call to write": (4, ("return rc < 0 ?", "return rc < 0 || !size ?")),
    "a price of 3.5": (3, ("!json_is_integer(price)", "!json_is_number(price)")),
    "an id above 0": (1, ("json_is_integer(number) &&", "json_integer_value(number) > 0 &&")),
    "the temporary file stays": (5, ("    if (rc < 0) {\n", "    if (rc < 0 && rc != -EACCES && rc != -EIO) {\n")),
    "a short path": (6, ("char path[48]", "char path[30]")),
    "what was reset is tried again": (7, ("        if (rc == 0 && item->resp.status", "        if (rc == -ECONNRESET)\n"
                                          "            rc = co_session_get(&line->session, item->url, &item->resp);\n"
                                          "        if (rc == 0 && item->resp.status")),
    "a session of three connections": (8, ('{.headers =', '{.max_per_host = 3, .headers =')),
    "a cost that is an int": (9, INT_COST),
    "an empty answer is an error": (13, ("            rc = item->resp.status;\n", """            rc = item->resp.status;
        if (rc == 0 && item->resp.length == 0)
            rc = -EPROTO;
""")),
    "the time of the clock": (14, ("elapsed_ns = co_now() - start", "elapsed_ns = co_now()")),
    "a path in a small buffer": (4, ("    sprintf(temporary,", "    if (strlen(path) > 200)\n"
                                     "        return -ENAMETOOLONG;\n    sprintf(temporary,")),
    "one line for all calls": (16, ("    struct line line = {",
                                    "    static struct line line;\n    line = (struct line){")),
    "all of it in a shield": (18, ("    int rc = write_new(temporary, data, size);\n",
                                   "    struct co_shield all;\n    co_shield_begin(&all);\n"
                                   "    int rc = write_new(temporary, data, size);\n    co_shield_end(&all);\n")),
    "what is left in a queue": (19, ("                item_free(left);", "                (void)left;")),
}


@pytest.mark.parametrize("name", [name for k, name in enumerate(WRONG) if ALL or k < 2])
def test_a_pipeline_that_is_wrong_in_one_line_is_found_by_what_it_breaks(name, tmp_path):
    number, change = WRONG[name]
    assert set(broken(search(PIPELINE, changed(tmp_path, change, lab=PIPELINE)))) == {number}


# ---- In one process -----------------------------------------------------------------------------------------


def searched_in(lab: Lab, odd_most: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list, Coverage, int]:
    """What a search of the solution keeps, what its runs have reached, and how many copies were made for them."""
    monkeypatch.setattr(series, "ODD_MOST", odd_most)
    copies = []
    start = Forks.start
    monkeypatch.setattr(Forks, "start", lambda *words, **more: copies.append(1) or start(*words, **more))
    with session(lab, lab.solution / lab.source, 7) as one:
        one.judged = False              # those that a judge sees are made alone
        found = one.searched(check())
        one.second.settle()
        kept = [(number, told.kept, told.failed) for number, told in sorted(found.told.items())]
        return kept, one.coverage(), len(copies)


def test_many_runs_in_one_process_count_as_each_in_its_own(monkeypatch):
    lab = LABS[0]
    with monkeypatch.context() as patched:
        alone = searched_in(lab, 0, patched)
    together = searched_in(lab, 3, monkeypatch)
    assert together[:2] == alone[:2] and together[1].lines_covered > 20
    assert together[2] < alone[2] / 3


def test_what_a_program_keeps_from_run_to_run_is_no_fault_in_a_search_either(tmp_path):
    """It is right in a process of its own: so were those that the search asked once more."""
    lab = LABS[0]
    text = (lab.solution / lab.source).read_text()
    begin = text.index("int fetch_async(")
    body = text.index("{", begin) + 1
    (tmp_path / lab.source).write_text(f"#include <errno.h>\n{text[:begin]}static int runs;\n{text[begin:body]}\n"
                                       f"    if (runs++ > 5)\n        return -EIO;{text[body:]}")
    assert broken(search(lab, tmp_path / lab.source)) == {}
