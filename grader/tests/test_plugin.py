"""Checks as tests: collecting, order, skips, outcomes, messages, the double run. Programs are functions
(conftest.py)."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import End, ending, well
from looplab import cli
from looplab.running.sanitizer import Finding
from story import MS, OK, Story, blocking, one_by_one, overlapped

ONE = '''
@points(10, "timing")
def test_one(lab):
    """Three fetches take as long as the slowest.

    Not for the student."""
    run = lab.run("async", urls(3))
    %s
'''


def grade(house, checks=None, *words, **more):
    """Grades the toy lab; (exit code, result, checks by id)."""
    if checks is not None:
        house.lab(checks, **more)
    code = cli.main(["grade", "--lab", "1", "--seed", "7", *words], root=house.root)
    result = json.loads((house.root / "build" / "grade" / "01-toy" / "results.json").read_text())
    return code, result, {check["id"]: check for check in result["checks"]}


def one(house, line, behave=well):
    """Grades a single check with this line; its entry in the result."""
    house.behave = behave
    code, result, checks = grade(house, ONE % line)
    checks["test_one"]["exit"] = code
    return checks["test_one"]


# ---- collecting ----


def test_a_check_is_its_points_its_docstring_and_its_name(house):
    code, result, checks = grade(house, ONE % "assert run.peak == 3")
    assert checks == {"test_one": {"id": "test_one", "category": "timing",
                                   "title": "Three fetches take as long as the slowest.",
                                   "status": "passed", "score": 10, "max_score": 10, "message": "",
                                   "virtual_ns": 30 * MS}}
    assert (code, result["score"], result["max_score"], result["seed"], result["status"]) == (0, 10, 10, 7, "graded")


BARE = '''
def test_bare(lab):
    """A title."""
'''
SPEED = '''
@points(1, "speed")
def test_bare(lab):
    """A title."""
'''
MUTE = '''
@points(1, "timing")
def test_mute(lab):
    pass
'''
TWICE = ONE % "pass" + "\n\nimport pytest\n" + ONE.replace("def test_one(lab)",
                                                           "@pytest.mark.parametrize('x', [1])\ndef test_two(lab, x)") \
    % "pass"


@pytest.mark.parametrize("checks, told", [
    (BARE, "labs/01-toy/test_visible.py:9: test_bare has no points"),
    (SPEED, "labs/01-toy/test_visible.py:9: test_bare has the category 'speed'"),
    (MUTE, "labs/01-toy/test_visible.py:9: test_mute has no docstring"),
    ("import nothing_of_that_name\n",
     "labs/01-toy/test_visible.py:8: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ("x = 1 / 0\n", "labs/01-toy/test_visible.py:8: ZeroDivisionError"),
    ("def test_x(lab:\n", "labs/01-toy/test_visible.py:8: "),
    (ONE.replace('"timing")', '"timing", needs="test_other")') % "pass",
     "test_one needs test_other, which is no check of this lab"),
    (ONE.replace('"timing")', '"timing", needs="test_one")') % "pass", "test_one needs itself"),
    ("", "labs/01-toy has no checks"),
    (None, "labs/01-toy has no checks")])
def test_wrong_checks_are_the_graders_fault(house, capsys, checks, told):
    house.lab(checks)
    code, result, _ = grade(house)
    assert (code, result["status"], result["checks"], house.ran) == (3, "error", [], [])
    assert told in result["message"] and "\n" not in result["message"] \
        and "Traceback" not in "".join(capsys.readouterr())


def test_an_id_is_unique_over_visible_and_hidden_checks(house):
    code, result, _ = grade(house, ONE % "pass", hidden=ONE % "pass")
    assert code == 3
    assert "grader/hidden/01-toy/test_hidden.py:9: test_one is also the name of the check at " \
        "labs/01-toy/test_visible.py:9" in result["message"]


def test_parametrized_checks_are_checks_of_their_own(house):
    checks = '''
import pytest

@points(2, "timing")
@pytest.mark.parametrize("n", [1, 2])
def test_many(lab, n):
    """So many."""
    assert lab.run("async", urls(n)).peak == 1

@points(3, "timing", needs="test_many")
def test_after(lab):
    """After all of them."""
'''
    code, result, found = grade(house, checks)
    assert [(check["id"], check["status"]) for check in result["checks"]] == \
        [("test_many[1]", "passed"), ("test_many[2]", "failed"), ("test_after", "skipped")]
    assert (result["score"], result["max_score"], code) == (2, 7, 1)


def test_nothing_but_the_checks_takes_part(house, monkeypatch):
    house.lab(ONE % "assert run.peak == 3")
    theirs = house.root / "theirs"
    theirs.mkdir()
    (theirs / "toy.c").write_text("")
    (theirs / "conftest.py").write_text("raise SystemExit('mine')")
    (theirs / "test_visible.py").write_text("raise SystemExit('mine')")
    (house.root / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (house.root / "labs/01-toy/conftest.py").write_text("raise SystemExit('mine')")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    assert grade(house, None, "--from", "theirs")[0] == 0


# ---- order, needs ----


NEEDS = '''
order = []

@points(1, "coverage")
def test_coverage(lab):
    """Coverage."""
    order.append("coverage")
    assert order == ["first", "second", "third", "summary", "coverage"]

@points(1, "robustness", last=True)
def test_summary(lab):
    """A summary."""
    order.append("summary")

@points(1, "timing", needs=("test_second", "test_first"))
def test_third(lab):
    """Third."""
    order.append("third")

@points(1, "timing")
def test_first(lab):
    """First."""
    order.append("first")
    {first}

@points(1, "timing", needs="test_first")
def test_second(lab):
    """Second."""
    order.append("second")
'''


def test_what_is_needed_runs_first_and_summaries_run_last(house):
    needs = NEEDS.replace('needs=("test_second", "test_first")', 'needs=("test_first", "test_second")')
    code, result, _ = grade(house, needs.format(first="pass"))
    assert (code, [check["id"] for check in result["checks"]]) == (0, ["test_coverage", "test_summary", "test_third",
                                                                       "test_first", "test_second"])


@pytest.mark.parametrize("first, status", [("assert 0", "which fails"), ("1 / 0", "which could not be checked")])
def test_a_check_whose_need_failed_is_skipped_and_names_the_root(house, first, status):
    _, _, checks = grade(house, NEEDS.format(first=first))
    assert checks["test_third"]["status"] == checks["test_second"]["status"] == "skipped"
    assert checks["test_third"]["message"] == checks["test_second"]["message"] \
        == f'needs "First" (test_first), {status}'
    assert checks["test_third"]["score"] == 0 and checks["test_summary"]["status"] == "passed"


def test_one_check_alone_runs_with_what_it_needs(house):
    code, result, checks = grade(house, NEEDS.format(first="pass"), "--check", "test_second")
    assert (list(checks), result["only"], code) == (["test_first", "test_second"], "test_second", 0)
    assert grade(house, None, "--check",
                 "test_nothing")[1]["message"].startswith("there is no check 'test_nothing'; the checks are: "
                                                          "test_coverage")


def test_a_check_may_not_skip_itself(house):
    _, result, checks = grade(house, "import pytest\n" + ONE % "pytest.skip('not today')")
    assert (checks["test_one"]["status"], result["status"]) == ("error", "error")


# ---- outcomes and messages ----


def serial(ran):
    """Awaits each task right after its spawn."""
    urls = [site["url"] + route["path"] for site in ran.world["sites"] for route in site["routes"]]
    return End(one_by_one(urls, [10.0 * (i + 1) for i in range(len(urls))]).text())


def test_the_example_of_the_design(house):
    check = one(house, 'assert run.elapsed == max(run.world.latencies()), run.explain("fetches ran one after another")',
                serial)
    assert check["message"] == "expected: 30 ms\nhappened: 60 ms\n" \
        "cause: compare.c:31 waits for each fetch before the next one starts: start all of them first, then wait"
    assert (check["status"], check["src"], check["virtual_ns"], check["exit"]) == ("failed", "compare.c:31", 60 * MS, 1)
    assert check["replay"] == "make run LAB=01 MODE=async WORLD=build/grade/01-toy/worlds/test_one.json SEED=7"


def test_where_the_trace_tells_nothing_the_explanation_stands(house):
    check = one(house, 'assert run.elapsed == 31000000, run.explain("the clock was read too late")')
    assert check["message"] == "expected: 31 ms\nhappened: 30 ms\ncause: the clock was read too late"


def test_an_assert_without_explanation(house):
    check = one(house, "assert run.results == []")
    assert check["message"] == "expected: []\nhappened: [status 200, length 5, status 200, length 5, " \
        "status 200, length 5]"


@pytest.mark.parametrize("line, told",
                         [('assert run.peak > 5, "too few"', "too few"), ("assert not run.ended", "assert not")])
def test_other_asserts(house, line, told):
    check = one(house, line)
    assert check["status"] == "failed" and told in check["message"] and ".py" not in check["message"]


def test_helpers_word_the_message(house):
    check = one(house, 'run.should_take(30000000, what="as long as the slowest URL")', serial)
    assert check["message"].startswith("expected: 30 ms, as long as the slowest URL\nhappened: "
                                       "it took 60 ms\ncause: compare.c:31 waits")


HELPERS = [
    ("run.should_give()", serial, None),
    ("run.should_peak_at(3)", serial, "cause: compare.c:31 waits"),
    ("run.should_stay_within(2)", well,
     "expected: at most 2 requests under way at once\nhappened: 3\ncause: "
     "at 0 ms the request for http://a.test/2 was the 3rd"),
    ("run.should_never_block()", lambda ran: End(blocking(["http://a.test/0"], [10]).text()),
     "happened: it stood still for 10 ms\ncause: compare.c:22 blocks"),
    ("run.should_ask_once()", lambda ran: End(overlapped(["http://a.test/0"] * 2, [10, 20]).text()), "asked for twice"),
    ("run.should_leak_nothing()",
     lambda ran: End(overlapped(["http://a.test/0"], [10]).runtime(10, "leak", what="response", src="compare.c:9")
                                                  .end(10).text()),
                                                  "happened: 1 answer never freed\ncause: compare.c:9 receives an "
                                                  "answer"),
    ('run.should_report("speedup", 2.0)', lambda ran: End(Story().begin().result(5, speedup=0.5).end(5).text()),
     "expected: speedup 2\nhappened: speedup 0.5"),
    ('run.should_report("speedup", 4 / 3)', lambda ran: End(Story().begin().result(5, speedup=1.3333334).end(5).text()),
     "expected: speedup 1.3333333333333333\nhappened: speedup 1.3333334"),
    ('run.should_report("sync_ns", ms(3))', lambda ran: End(Story().begin().result(5, sync_ns=2 * MS).end(5).text()),
     "expected: sync_ns 3 ms\nhappened: sync_ns 2 ms"),
    ('run.should_report("sync_ns", ms(3))', lambda ran: End(Story().begin().result(5, sync_ns=3000).end(5).text()),
     "expected: sync_ns 3,000,000 (3 ms)\nhappened: sync_ns 3,000\ncause: sync_ns counts nanoseconds, "
     "and these are microseconds"),
    ('run.should_report("sync_ns", ms(3))', lambda ran: End(Story().begin().result(5, sync_ns=3).end(5).text()),
     "these are milliseconds"),
    ('run.should(run.peak < 2, "peace", "war", "because", "compare.c:4")', well,
     "expected: peace\nhappened: war\ncause: because"),
    ('lab.fail(expected="this", cause="that")', well, "expected: this\ncause: that")]


@pytest.mark.parametrize("line, behave, told", HELPERS, ids=[line.split("(")[0] for line, _, _ in HELPERS])
def test_each_helper_fails_where_it_should(house, line, behave, told):
    check = one(house, line, behave)
    assert (check["status"] == "passed") if told is None else (check["status"] == "failed"
                                                               and told in check["message"]), check
    assert told is None or line.startswith("lab.fail") or "replay" in check


@pytest.mark.parametrize("line", ["run.should_take(30000000)", "run.should_give()", "run.should_peak_at(3)",
                                  "run.should_stay_within(3)",
                                  "run.should_never_block()", "run.should_ask_once()", "run.should_leak_nothing()",
                                  'run.should_report("rc", 0)', 'run.should(True, "peace", "war")',
                                  "assert run.opened == 0",
                                  "assert run.order == run.world.urls() and len(run.spawns) == 3 and "
                                  "run.in_flight()[2] == (0, 3)"])
def test_each_helper_holds_where_it_should(house, line):
    assert one(house, line)["status"] == "passed"


def gives(*results):
    urls = ["http://a.test/0", "http://a.test/1", "http://a.test/2"]
    return lambda ran: End(overlapped(urls, [30, 10, 20], list(results)).text())


@pytest.mark.parametrize("second, told", [
    ({"error": -5, "status": 0, "length": 0},
     "expected: result 1 for http://a.test/1: status 200, length 5\nhappened: error -EIO"),
    ({"error": 0, "status": 200, "length": 4}, "resp.length counts them"),
    ({"error": 0, "status": 0, "length": 0}, "co_response_free zeroes the answer"),
    ({"error": "?", "status": "?", "length": "?"}, "error ?, status ?, length ?"),
    ({"error": 0, "status": -1, "length": 5}, "status -1, length 5")])
def test_the_first_wrong_result_is_named(house, second, told):
    check = one(house, "run.should_give()", gives(OK, second, OK))
    assert told in check["message"]


REFUSED = {"error": -111, "status": 0, "length": 0}
GONE = {"error": 0, "status": 404, "length": 0}


@pytest.mark.parametrize("right, got, told", [
    (REFUSED, {**REFUSED, "error": 111}, "errors are negative here: store what the call returned, -ECONNREFUSED"),
    (REFUSED, OK, "the error that the call returned belongs into the result"),
    (REFUSED, {**REFUSED, "length": 3}, "without an answer, status and length are 0"),
    (GONE, REFUSED, "a 404 is an answer like another"),
    (GONE, {**GONE, "status": 200}, "happened: status 200, length 0")])
def test_a_wrong_result_says_what_it_comes_from(house, right, got, told):
    check = one(house, f"lab.run('async', urls(1)).should_give([{right}])",
                lambda ran: End(overlapped(["http://a.test/0"], [30], [got]).text()))
    assert told in check["message"]


def test_a_wrong_number_of_results(house):
    assert "expected: 3 results\nhappened: 2 results" in one(house, "run.should_give()", gives(OK, OK))["message"]


def test_parts_cost_their_own_points(house):
    parts = '''
    with lab.part(3, "the peak"):
        run.should_peak_at(2)
    with lab.part(4, "the results"):
        run.should_give()
    with lab.part(3, "the clock"):
        assert run.elapsed == ms(31)
'''
    check = one(house, parts.strip("\n").strip())
    assert (check["status"], check["score"], [part["score"] for part in check["parts"]]) == ("failed", 4, [0, 4, 0])
    assert check["message"].startswith("the peak (3 points)\nexpected: 2 requests") and "replay" in check


def test_parts_must_add_up(house):
    check = one(house, 'with lab.part(3, "the peak"):\n        pass')
    assert check["status"] == "error" and "add up to 3 points, but it is worth 10" in check["message"]


@pytest.mark.parametrize("line, told",
                         [("1 / 0", "labs/01-toy/test_visible.py:15: ZeroDivisionError: division by zero"),
                          ("lab.nothing", "labs/01-toy/test_visible.py:15: AttributeError"),
                          ("lab.coverage()", "is for checks that run last"),
                          ("lab.run('async', urls(1), urls=[])", "needs a world without routes"),
                          ("run._report('nothing')", "never reported 'nothing'")])
def test_any_other_exception_is_the_graders_fault(house, line, told):
    check = one(house, line)
    assert (check["status"], check["exit"]) == ("error", 3) and told in check["message"]


def test_numbers_are_the_students_own_and_the_checks_own(house):
    checks = '''
@points(1, "timing")
def test_a(lab):
    """A."""
    open("numbers", "a").write(f"{lab.seed} {lab.rng.randint(0, 10**9)} ")
'''
    grade(house, checks + checks.replace("test_a", "test_b"))
    grade(house)
    grade(house, None, "--seed", "8")
    words = (house.root / "numbers").read_text().split()
    assert words[:4] == words[4:8] and words[0::2] == ["7"] * 4 + ["8"] * 2 and len(set(words[1::2])) == 4


# ---- runs ----


def test_every_run_is_made_twice(house):
    one(house, "pass")
    assert sorted(ran.binary for ran in house.ran) == ["asan", "cover"]
    cover, asan = sorted(house.ran, key=lambda ran: ran.binary, reverse=True)
    assert cover.argv[-1] == "async" and cover.option("--seed") == "7" and cover.world == asan.world
    assert cover.option("--trace") != asan.option("--trace")


def test_the_same_run_is_made_once(house):
    one(house, 'assert lab.run("async", urls(3)).peak == lab.run("async", urls(3), urls(3).urls()).peak')
    assert len(house.ran) == 2
    more = '''
@points(1, "timing")
def test_more(lab):
    """More."""
    lab.run("async", urls(3))
    lab.run("async", urls(3), ["http://a.test/0"])
    lab.run("sync", urls(3))
'''
    (house.root / "labs/01-toy/test_visible.py").open("a").write(more)
    house.ran.clear()
    grade(house)
    made = [ran.argv[ran.argv.index("--memory") + 2:] for ran in house.ran if ran.binary == "cover"]
    assert made == [["async"], ["async", "http://a.test/0"], ["sync"]]      # also over checks


def test_worlds_are_kept_for_replay(house):
    one(house, 'lab.run("async", urls(1)); lab.run("sync", urls(2))')
    worlds = house.root / "build/grade/01-toy/worlds"
    assert sorted(path.name for path in worlds.iterdir()) == ["test_one-2.json", "test_one-3.json", "test_one.json"]
    assert json.loads((worlds / "test_one.json").read_text())["world"] == "looplab/world/v1"


def test_the_replay_names_what_differs(house):
    house.lab(ONE % 'lab.run("sync", urls(3), ["http://x.test/ü", "http://y.test/"], tape="1=2").should_take(1)')
    (house.root / "my files").mkdir()
    (house.root / "my files" / "toy.c").write_text("")
    _, _, checks = grade(house, None, "--from", "my files")
    assert checks["test_one"]["replay"] == "make run LAB=01 MODE=sync " \
        "WORLD=build/grade/01-toy/worlds/test_one-2.json SEED=7 FROM='my files' URLS='http://x.test/ü " \
        "http://y.test/' TAPE=1=2"


def test_settings_reach_the_program_and_the_replay(house):
    check = one(house, 'lab.run("pool", urls(1), settings={"workers": 5, "timeout": ms(300), "delay": "2s"}, '
                       'tape="1=2").should_take(1)')
    ran = house.ran[-1].argv
    assert [ran[i + 1] for i, word in enumerate(ran) if word == "--set"] == ["workers=5", "timeout=300ms", "delay=2s"]
    assert check["replay"].endswith(" SET='workers=5 timeout=300ms delay=2s' TAPE=1=2")


def test_other_settings_are_another_run(house):
    one(house, 'lab.run("pool", urls(1), settings={"workers": 5}); lab.run("pool", urls(1), settings={"workers": 6}); '
               'lab.run("pool", urls(1), settings={"workers": 5}); lab.run("pool", urls(1))')
    assert [ran.option("--set") for ran in house.ran if ran.binary == "cover"] == [None, "workers=5", "workers=6", None]


@pytest.mark.parametrize("value", ["1.5", "True", "None"])
def test_a_setting_is_a_number(house, value):
    check = one(house, f'lab.run("pool", urls(1), settings={{"workers": {value}}})')
    assert check["status"] == "error" and f"the setting workers must be a whole number" in check["message"] \
        and check["exit"] == 3


def test_a_setting_that_the_mode_does_not_know_is_the_checks_fault(house):
    check = one(house, 'lab.run("pool", urls(1), settings={"wrkers": 5})',
                lambda ran: End(well(ran).trace, exit=2,
                                stderr="01-toy: pool has no setting 'wrkers'; it has: workers"))
    assert check["status"] == "error" and "no setting 'wrkers'; it has: workers" in check["message"] \
        and check["exit"] == 3


def test_memory_of_a_run_and_of_nothing(house):
    check = one(house, 'lab.fail(f"{run.memory} {lab.memory_of_nothing()} {lab.memory_of_nothing()}")')
    assert "5000 1000 1000" in check["message"]
    assert [ran.binary for ran in house.ran if "--help" in ran.argv] == ["cover"]


# ---- other orders ----


def three_ready(ms_taken=30, n=3):
    """Tasks that are ready at once: of three, the tape is asked twice (3 options, 2 options)."""
    story, tasks = Story().begin(3), range(2, n + 2)
    for task in tasks:
        story.spawn(0, task).runtime(0, "ready", task=task, by=1)
    for task in tasks:
        story.runtime(0, "run", task=task).runtime(0, "done", task=task, rc=0)
    return story.result(ms_taken, [OK] * 3).end(ms_taken)


def in_orders(house, line, wrong=lambda tape: False, bad=None):
    """Grades a check of a program that goes wrong (takes 70 ms, or ends as `bad`) with some tapes."""
    def behave(ran):
        if ran.option("--tape") and wrong(ran.option("--tape")):
            return bad or End(three_ready(70).text())
        return End(three_ready().text())
    return one(house, line, behave)


ORDERS = """
    for run in lab.run_orders("pool", urls(3), orders=5):
        """


def test_orders_begin_with_the_plain_one(house):
    check = in_orders(house, ORDERS + "run.should_take(ms(30))")
    assert check["status"] == "passed"
    made = [(ran.binary, ran.option("--tape")) for ran in house.ran if ran.argv[-1] == "pool"]
    assert sorted(made[:2], key=str) == [("asan", None), ("cover", None)]
    tapes = [tape for binary, tape in made[2:]]
    assert 2 <= len(tapes) <= 4 and len(set(tapes)) == len(tapes) and {binary for binary, _ in made[2:]} == {"cover"}
    assert tapes == sorted(tapes, key=lambda tape: tape.count("="))


@pytest.mark.parametrize("assertion", ["run.should_take(ms(30))", "assert run.elapsed == ms(30)"])
def test_the_least_different_order_that_fails_is_told_with_its_tape(house, assertion):
    check = in_orders(house, ORDERS + assertion, lambda tape: True)
    tapes = [ran.option("--tape") for ran in house.ran if ran.option("--tape")]
    assert check["status"] == "failed" and check["replay"].endswith(f" TAPE={tapes[0]}") and tapes[0].count("=") == 1
    assert ("when tasks that are ready at the same time run in another order" in check["message"]) \
        == assertion.startswith("run")


def test_an_order_that_crashes_is_told_with_the_shortest_tape(house):
    """The longest one, the last ready task first everywhere, meets it; what has nothing to do with it is taken out of
    the tape."""
    def behave(ran):
        tape = (ran.option("--tape") or "").split(",")
        story = three_ready(n=6)
        return End(story.text().rsplit('{"t":', 1)[0], exit=None, signal="SIGSEGV") if "2=4" in tape and "4=2" in tape \
            else End(story.text())

    check = one(house, ORDERS + "pass", behave)
    assert check["status"] == "failed" and check["replay"].endswith(" TAPE=2=4,4=2")
    assert "it crashed, when tasks that are ready" in check["message"]


def test_orders_are_made_once_and_come_from_the_seed(house):
    in_orders(house, 'lab.run_orders("pool", urls(3)); lab.run_orders("pool", urls(3))')
    tapes = [ran.option("--tape") for ran in house.ran if ran.option("--tape")]
    assert tapes and len(set(tapes)) == len(tapes)


def test_orders_need_a_world_without_chance(house):
    check = in_orders(house, 'lab.run_orders("pool", World().site("http://a.test").route("/", latency=(1, 2)))')
    assert check["status"] == "error" and "leaves nothing to chance, not like http://a.test/" in check["message"]


def test_a_page_of_a_failed_order_is_of_that_order(house):
    in_orders(house, ORDERS + "run.should_take(ms(30))", lambda tape: True)
    assert "70 ms" in (house.root / "build/grade/01-toy/reports/test_one.html").read_text()


# ---- the reference solution ----


def referred(house, line, behave=well, built=True):
    """Grades a check that compares with the reference; behave: what all three programs do."""
    if built:
        binary = house.root / "build" / "kit" / "01-toy" / "reference"
        binary.parent.mkdir(parents=True)
        binary.write_text("")
    return one(house, line, behave)


LIKE_IT = 'run.should_take(lab.reference("async", urls(3)).elapsed)'


def slow(ran):
    """The reference is right, the student's program fetches one after the other."""
    return well(ran) if ran.binary == "reference" else End(one_by_one(["http://a.test/0", "http://a.test/1",
                                                                       "http://a.test/2"], [10, 20, 30]).text())


def test_the_reference_is_a_yardstick(house):
    assert referred(house, LIKE_IT)["status"] == "passed"
    ran = next(ran for ran in house.ran if ran.binary == "reference")
    assert ran.world == house.ran[0].world and ran.argv[-1] == "async" and ran.option("--seed") == "7"


def test_a_run_unlike_the_references_is_told_of_it(house):
    check = referred(house, LIKE_IT, slow)
    assert check["message"].startswith("expected: 30 ms, as long as the reference solution takes in the same "
                                       "world\nhappened: it took 60 ms\n")
    assert "compare.c:31" in check["message"]


def test_the_reference_runs_once_for_each_call(house):
    referred(house, 'lab.reference("async", urls(3)); lab.reference("async", urls(3)); lab.reference("async", '
                    'urls(3), settings={"a": 1})')
    assert [ran.option("--set") for ran in house.ran if ran.binary == "reference"] == [None, "a=1"]


def test_without_a_reference_one_line_says_so(house):
    check = referred(house, LIKE_IT, built=False)
    assert (check["status"], check["exit"]) == ("error", 3)
    assert check["message"] == "test_one compares with the reference solution, which is not built: " \
        "`make grade` builds it from solutions/01-toy, if that is there and compiles"


@pytest.mark.parametrize("end, told", [
    (End(None, signal="SIGSEGV", exit=None), "it crashed"),
    (End(Story().begin(3).result(5, rc=-12).end(5, rc=-12).text(), exit=1), "it returned -ENOMEM"),
    (End(None, exit=2, stderr="no such mode"), "refused to start: no such mode")])
def test_a_reference_that_fails_is_the_graders_fault(house, end, told):
    check = referred(house, LIKE_IT, lambda ran: end if ran.binary == "reference" else well(ran))
    assert (check["status"], check["exit"]) == ("error", 3) and told in check["message"]


def test_a_reference_may_return_an_error_where_that_is_right(house):
    line = 'assert lab.reference("async", urls(3), may_fail=True).report["rc"] == -12'
    end = End(Story().begin(3).result(5, rc=-12).end(5, rc=-12).text(), exit=1)
    assert referred(house, line, lambda ran: end if ran.binary == "reference" else well(ran))["status"] == "passed"


def test_a_long_list_of_urls_lies_in_a_file_beside_the_world(house):
    check = one(house, 'lab.run("sync", urls(3), [f"http://x.test/{i}" for i in range(20)]).should_take(1)')
    assert check["replay"] == "make run LAB=01 MODE=sync WORLD=build/grade/01-toy/worlds/test_one-2.json SEED=7 " \
        'URLS="$(cat build/grade/01-toy/worlds/test_one-2.urls)"'
    said = subprocess.run(check["replay"].replace("make run", "printf %s,"), shell=True, cwd=house.root,
                          capture_output=True, text=True)
    assert "http://x.test/0\nhttp://x.test/1\n" in said.stdout and "http://x.test/19" in said.stdout


def by_build(cover, asan, again=None):
    """Programs that differ: the cover build, the asan build, the cover build when it runs again."""
    seen = []

    def behave(ran):
        seen.append(ran.binary)
        if ran.binary == "asan":
            return asan(ran)
        return (again or cover)(ran) if seen.count("cover") > 1 else cover(ran)
    return behave


CLEAN = '''

@points(5, "robustness", last=True)
def test_clean(lab):
    """Clean."""
    lab.should_be_clean()
'''


def test_the_same_behaviour_is_clean(house):
    assert grade(house, ONE % "pass" + CLEAN)[2]["test_clean"]["status"] == "passed"


def test_a_program_that_depends_on_the_build_is_the_students_fault(house):
    house.behave = by_build(well, serial)
    code, _, checks = grade(house, ONE % "run.should_take(30000000)" + CLEAN)
    assert (checks["test_one"]["status"], checks["test_clean"]["status"], code) == ("passed", "failed", 1)
    assert "gave two different results in two builds" in checks["test_clean"]["message"]
    assert "WORLD=build/grade/01-toy/worlds/test_one.json" in checks["test_clean"]["replay"]


def test_a_stack_that_is_full_under_the_sanitizers_only_is_no_mere_difference(house):
    house.behave = by_build(well, lambda ran: End(Story().begin().runtime(5, "overflow", task=1, name="async",
                                                                          size=262144).text()))
    message = grade(house, ONE % "pass" + CLEAN)[2]["test_clean"]["message"]
    assert "happened: stack overflow" in message and "recursion that is too deep" in message


def test_a_program_that_does_not_repeat_itself_is_the_students_fault(house):
    other = Story().begin(3).wait(0, 1, "sleep", "toy.c:2").end(1)
    house.behave = by_build(well, serial, again=lambda ran: End(other.text()))
    code, _, checks = grade(house, ONE % "pass" + CLEAN)
    assert (checks["test_one"]["status"], checks["test_clean"]["status"], code) == ("passed", "failed", 1)
    told = checks["test_clean"]["message"]
    assert "happened: not deterministic\ncause: toy.c:2 (/* TODO 1: write it. */): gave two different results in two " \
        "runs of one build" in told
    assert "reads memory that it never set, keeps something of an earlier call" in told
    assert "the other: 0 ms await " in told
    assert checks["test_clean"]["src"] == "toy.c:2"


def test_what_does_not_repeat_itself_is_told_once(house):
    turns = iter(range(1000))

    def never_the_same(ran):
        return End(overlapped(["http://a.test/0"],
                              [next(turns)]).text()) if len(ran.world["sites"][0]["routes"]) == 4 else well(ran)
    house.behave = never_the_same
    code, _, checks = grade(house, ONE % "[lab.run('async', urls(n)) for n in range(4, 14)]" + CLEAN)
    assert (checks["test_one"]["status"], code) == ("passed", 1)
    assert "happened: not deterministic\n" in checks["test_clean"]["message"]


def test_a_finding_fails_the_summary_and_quotes_the_line(house, monkeypatch):
    from looplab.running import sanitizer
    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [
        Finding("use after free", "reads 4 bytes of a block that was freed", "toy.c:2", "x = *p;", "")] if stderr
                        else [])
    house.behave = by_build(well, lambda ran: End(None, exit=86, stderr="==1==ERROR"))
    _, _, checks = grade(house, ONE % "pass" + CLEAN)
    assert checks["test_one"]["status"] == "passed"
    assert (checks["test_clean"]["status"], checks["test_clean"]["src"]) == ("failed", "toy.c:2")
    assert "happened: use after free\ncause: toy.c:2 (x = *p;): reads 4 bytes" in checks["test_clean"]["message"]


@pytest.mark.parametrize("another, status", [(False, "skipped"), (True, "failed")])
def test_what_has_crashed_another_check_is_not_told_twice(house, monkeypatch, another, status):
    from looplab.running import sanitizer
    crash, second = (Finding("heap buffer overflow", f"writes {n} bytes", f"toy.c:{n}", "x", "") for n in (2, 3))
    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [crash] + [second] * another if stderr else [])
    house.behave = ending(Story().begin(), signal="SIGSEGV", exit=None, stderr="==1==ERROR")
    _, _, checks = grade(house, ONE % "pass" + CLEAN)
    assert "toy.c:2 writes 2 bytes" in checks["test_one"]["message"]
    clean = checks["test_clean"]
    assert (clean["status"], clean["score"]) == (status, 0)
    assert ("toy.c:3" in clean["message"]) if another else clean["message"] == \
        'needs "Three fetches take as long as the slowest" (test_one), which fails'


def test_a_crash_whose_place_the_trace_alone_knows_is_not_told_twice(house, monkeypatch):
    from looplab.running import sanitizer
    crash = Finding("null pointer", "calls a function through a null pointer", None, "", "")
    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [crash] if stderr else [])
    house.behave = ending(Story().begin().runtime(5, "crash", signal=11, src="toy.c:7"), signal="SIGSEGV", exit=None,
                          stderr="==1==ERROR")
    _, _, checks = grade(house, ONE % "pass" + CLEAN)
    assert "toy.c:7 calls a function" in checks["test_one"]["message"] and checks["test_clean"]["status"] == "skipped"


def test_what_a_run_leaks_that_did_not_end_is_not_told(house, monkeypatch):
    from looplab.running import sanitizer
    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [
        Finding("memory leak", "8 bytes allocated here are never freed", "toy.c:2", "x", "")] if stderr else [])
    house.behave = ending(Story().begin(), exit=1, stderr="==1==ERROR")
    _, _, checks = grade(house, ONE % "pass" + CLEAN)
    assert "it ended early, with exit code 1" in checks["test_one"]["message"] \
        and checks["test_clean"]["status"] == "skipped"
    house.behave = by_build(well, lambda ran: End(well(ran).trace, stderr="==1==ERROR"))
    assert "never freed. Free it on every way out" in grade(house)[2]["test_clean"]["message"]


@pytest.mark.parametrize("seen, told", [(True, "cause: toy.c:2"), (False, "cause: 8 bytes are never freed")])
def test_a_leak_without_a_place_is_looked_at_again_more_slowly(house, monkeypatch, seen, told):
    """Libraries without frame pointers hide who called them: one more run, once, takes the time to find out."""
    from looplab.running import sanitizer

    def behave(ran):
        slow = "fast_unwind_on_malloc=0" in ran.env.get("ASAN_OPTIONS", "")
        return End(well(ran).trace, stderr=("slow" if slow and seen else "quick") if ran.binary == "asan" else "")

    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [] if not stderr else [
        Finding("memory leak", "8 bytes allocated here are never freed", "toy.c:2", "x", "") if stderr == "slow" else
        Finding("memory leak", "8 bytes are never freed", None, "", "")])
    house.behave = behave
    _, _, checks = grade(house, ONE % 'lab.run("sync", urls(2))' + CLEAN)
    assert told in checks["test_clean"]["message"]
    assert "more" not in checks["test_clean"]["message"] and len([ran for ran in house.ran
                                                                  if "ASAN_OPTIONS" in ran.env]) == 1


def test_a_sanitizer_that_does_not_work_is_an_error(house, monkeypatch):
    from looplab.running import sanitizer
    monkeypatch.setattr(sanitizer, "trouble", lambda stderr: "no ptrace" if stderr else None)
    monkeypatch.setattr(sanitizer, "findings", lambda stderr, program: [])
    monkeypatch.setattr(sanitizer, "work_here", lambda program: False)
    house.behave = by_build(well, lambda ran: End(None, exit=1, stderr="LeakSanitizer has encountered a fatal error"))
    code, _, checks = grade(house, ONE % "pass")
    assert code == 3 and "no ptrace" in checks["test_one"]["message"]


def test_a_limit_in_the_sanitizer_build_alone_is_a_finding(house):
    house.behave = by_build(well, lambda ran: End(None, exit=None, signal="SIGKILL", limit="memory"))
    _, _, checks = grade(house, ONE % '[lab.run("sync", urls(n)) for n in range(4, 24)]' + CLEAN)
    assert checks["test_one"]["status"] == "passed" and "stopped at a limit (memory)" in checks["test_clean"]["message"]
    binaries = [ran.binary for ran in house.ran]
    assert binaries.count("cover") == 21 and binaries.count("asan") < 8      # it is not tried again and again


def test_no_run_can_leave_word_for_the_next(tmp_path):
    from looplab.grading.desk import Desk
    desk = Desk(tmp_path / "1")
    (desk.home / "note").write_text("the answer is 42")
    desk.trace.write_text("old")
    desk.clear()
    assert list(desk.home.iterdir()) == [] and desk.text() == "" and desk.ends() == ("", "\n")
    desk.home.rmdir()
    desk.home.symlink_to(tmp_path)
    desk.clear()
    assert desk.home.is_dir() and not desk.home.is_symlink()


def test_what_programs_have_written_makes_room_for_the_grader(tmp_path):
    from looplab.grading.desk import Desks

    class Fills:
        def wait(self) -> None:
            (busy.home / "late").touch()        # it writes to its very end

    desks, tries = Desks(tmp_path / "desks"), []
    back, busy, unwatched = desks.take(), desks.take(), desks.take()
    for desk in (back, busy, unwatched):
        (desk.home / "large").touch()
    busy.running = Fills()
    desks.give_back(back)

    def write(fault: int = errno.ENOSPC) -> int:
        tries.append(sorted(path.name for desk in (back, busy, unwatched) for path in desk.home.iterdir()))
        if len(tries) == 1:
            raise OSError(fault, "as the machine says it")
        return 42

    assert desks.with_room(write) == 42
    assert tries == [["large"] * 3, ["large"]]          # of what nobody tells when it ends, nothing is taken
    tries.clear()
    with pytest.raises(OSError):
        desks.with_room(lambda: write(errno.EIO))
    assert len(tries) == 1


# ---- how runs end ----


ENDS = [
    (ending(Story().begin(), exit=0), "it ended early, with exit code 0"),
    (ending(Story().begin().result(1, rc=-111).end(1), exit=1),
     "expected: the function returns 0\nhappened: it returned -ECONNREFUSED"),
    (ending(Story().begin(), exit=None, signal="SIGSEGV"),
     "happened: it crashed\ncause: the program reads or writes memory that is not its own (SIGSEGV)"),
    (ending(Story().begin().runtime(5, "crash", signal=8, src="toy.c:2"), signal="SIGFPE"),
     "it crashed at 5 ms\ncause: toy.c:2 divides an integer by zero (SIGFPE)"),
    (ending(Story().begin(), signal="SIGABRT", stderr="p: toy.c:9: fetch: Assertion `n > 0' failed.\n"),
     "cause: toy.c:9: the assertion (n > 0) does not hold"),
    (ending(Story().begin(), signal="SIGKILL", limit="cpu"), "still computing when its processor time was up"),
    (ending(Story().begin(), signal="SIGKILL", limit="memory"), "wanted more memory"),
    (ending(Story().begin(), signal="SIGKILL", limit="output", stdout="score 100/100"), "printed without end"),
    (ending(Story().begin().runtime(9, "deadlock", task=1, on="event", src="toy.c:2", since=0).end(9, rc=-35), exit=1),
     "at 9 ms every task was waiting, and nothing could happen any more\ncause: nothing can ever happen again: async "
     "(task 1) waits at toy.c:2"),
    (ending(Story().begin().runtime(9, "livelock", task=1, src="toy.c:2", steps=1000000), exit=70),
     "at 9 ms time stood still"),
    (lambda ran: End(None, exit=1), "it ended early, with exit code 1")]


@pytest.mark.parametrize("behave, told", ENDS, ids=[told[:40] for _, told in ENDS])
def test_a_run_that_ends_badly_fails_its_check_by_itself(house, behave, told):
    check = one(house, "pass", behave)
    assert (check["status"], check["exit"], check["replay"][:8]) == ("failed", 1, "make run") \
        and told in check["message"]


def test_a_function_may_fail_where_that_is_asked_for(house):
    check = one(house, 'run = lab.run("cancel", urls(2), may_fail=True); assert run.report["rc"] == -125',
                lambda ran: ending(Story().begin().result(1, rc=-125).end(1), exit=1)(ran) if "cancel" in ran.argv
                else well(ran))
    assert check["status"] == "passed"


def test_a_run_that_cannot_be_is_the_graders_fault(house):
    check = one(house, "pass", lambda ran: End(None, exit=2, stderr="world.json: /sites/0: expected a string"))
    assert (check["status"], check["exit"]) == ("error", 3) and "world.json: /sites/0" in check["message"]


def test_a_damaged_trace_is_not_the_graders_fault(house):
    check = one(house, "pass", lambda ran: End("nonsense\n"))
    assert (check["status"], check["exit"]) == ("failed", 1) and "a file that it did not open" in check["message"]


def test_after_two_limits_nothing_more_is_run(house):
    house.behave = ending(Story().begin(), signal="SIGKILL", limit="cpu")
    checks = "".join((ONE % "pass").replace("test_one", f"test_{i}").replace("urls(3)", f"urls({i + 1})")
                     for i in range(4))
    code, _, found = grade(house, checks)
    assert [("not run" in check["message"], check["status"])
            for check in found.values()] == [(False, "failed")] * 2 + [(True, "failed")] * 2
    assert len([ran for ran in house.ran if ran.binary == "cover"]) == 2 and house.killed >= 1 and code == 1


def test_the_output_of_a_bad_run_is_kept_but_cannot_act(house):
    house.behave = ending(Story().begin(), exit=0, stdout="\x1b[2Jscore 100/100\n" + "x" * 5000)
    _, result, _ = grade(house, ONE % "pass")
    assert result["program_output"].startswith("\\x1b[2Jscore") and len(result["program_output"]) < 2100


# ---- coverage ----


COVERAGE = '''
@points(5, "coverage")
def test_coverage(lab):
    """Covered."""
    lab.should_be_covered(lines=90, branches=50)
'''


def test_coverage_that_suffices(house):
    assert grade(house, ONE % "pass" + COVERAGE)[2]["test_coverage"]["status"] == "passed"


@pytest.mark.parametrize("lines, branches", [(8, 4), (10, 1)])
def test_what_never_ran_is_named(house, lines, branches):
    from looplab.running.coverage import Coverage, Unreached
    house.coverage = Coverage(lines, 10, branches, 4, (Unreached("toy.c:2", "return -ETIMEDOUT;", 1, "toy.c:1"),))
    check = grade(house, ONE % "pass" + COVERAGE)[2]["test_coverage"]
    assert (check["status"], check["src"]) == ("failed", "toy.c:2")
    assert f"{lines * 10} % of the lines" in check["message"] and "toy.c:2" in check["message"] \
        and "Which world would reach it?" in check["message"]


def test_what_waits_for_a_failed_malloc_is_named_last(house):
    from looplab.running.coverage import Coverage, Unreached
    house.coverage = Coverage(5, 10, 4, 4,
                              (Unreached("toy.c:2", "return -ENOMEM;", 1, "toy.c:1"),
                               Unreached("toy.c:5", "x++;", 1, None),
                                            Unreached("toy.c:7", "y++;", 3, None)))
    assert [piece.src for piece in house.coverage.pieces()] == ["toy.c:7", "toy.c:5", "toy.c:2"]
    assert grade(house, ONE % "pass" + COVERAGE)[2]["test_coverage"]["src"] == "toy.c:7"


def test_what_cannot_be_counted_fails_and_is_no_fault_of_the_grader(house):
    from looplab.running.coverage import Refused
    house.coverage = Refused("the counts that its runs left are broken")
    code, result, checks = grade(house, ONE % "pass" + COVERAGE)
    assert (code, result["status"], checks["test_coverage"]["status"]) == (1, "graded", "failed")
    assert "they cannot: the counts that its runs left are broken" in checks["test_coverage"]["message"]


def test_a_tool_that_is_missing_is_a_fault_of_the_grader(house):
    from looplab.running.coverage import CoverageError
    house.coverage = CoverageError("there is no program gcov: run `make deps`")
    assert grade(house, ONE % "pass" + COVERAGE)[0] == 3


# ---- by hand ----


def test_a_check_author_can_run_pytest(tmp_path):
    """`pytest -p looplab.grading.plugin` on the repository's own lab: the skeleton fails, in words."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "build/kit/libco.a").is_file() or not (root / "labs/01-sync-vs-async/test_visible.py").is_file():
        pytest.skip("the kit is not built (make test builds it)")
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
                          "looplab.grading.plugin", "-k", "test_sync_results",
                          "labs/01-sync-vs-async/test_visible.py"], cwd=root, capture_output=True, text=True,
                         env={"PYTHONPATH": str(root / "grader"), "PATH": "/usr/bin:/bin",
                              "PYTHONDONTWRITEBYTECODE": "1", "SEED": "7"})
    assert ran.returncode == 1 and "make run LAB=01" in ran.stdout and "expected: " in ran.stdout, \
        ran.stdout + ran.stderr


# ---- all runs together ----

FOUR = "".join(f'''
@points(10, "correctness")
def test_{name}(lab):
    """Fetches {n} pages."""
    lab.run("async", urls({n}))
''' for n, name in enumerate(["one", "two", "three", "four"], start=1))


def test_runs_that_compute_long_are_not_made_without_end(house):
    """Each is within its own limit; what they take together is limited, too, so that no grading lasts for ever."""
    house.behave = lambda ran: End(well(ran).trace, cpu_s=16.0)
    _, result, checks = grade(house, FOUR)
    ends = {name: (check["status"], check["message"]) for name, check in checks.items()}
    assert ends["test_one"] == ends["test_two"] == ("passed", "")
    for name in ("test_three", "test_four"):
        assert ends[name][0] == "failed" and "its runs have taken over 30 s of processor time already" in ends[name][1]
    assert result["status"] == "graded"
