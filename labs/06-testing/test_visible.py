"""The visible checks of lab 06. The numbers in the titles are those of "What your suite must do" in README.md.

You may read this file. `lab.suite()` has built your tests, linked them with many scrapers and run them: what it knows
stands at the head of grader/looplab/grading/suite.py. The scrapers themselves are hidden.
"""

from __future__ import annotations

from looplab import points

FEWEST, MOST = 6, 60
BEGUN = 3                   # with fewer tests than these nobody has begun, and nothing else is looked at
LEAST_COVERED = 80          # per cent, lines and branches
LEAST_EXPOSED = 8           # hidden faults, before coverage counts

SITUATIONS = {
    "success": "a page that is a success",
    "timeout": "a page that is not done in time",
    "status": "a status of 400 or more",
    "network": "a network error",
    "together": "several pages in flight at once",
    "limit": "more pages than the limit lets in",
}


def names(tests, most: int = 4) -> str:
    """ "a, b and 3 more" """
    shown = [test.name for test in tests[:most]]
    return ", ".join(shown) + (f" and {len(tests) - most} more" if len(tests) > most else "")


def what_counts(suite) -> str:
    """Why a suite with tests in it exposes nothing."""
    if suite.hollow and len(suite.hollow) == len(suite.tests):
        return ("none of your tests has an assertion that means anything, "
                "and only tests count that pass or fail for a reason")
    return ("none of your tests counts: each fails on a correct scraper, asserts nothing, or depends on others. "
            "Mend that first")


# ---- The suite --------------------------------------------------------------------------------


@points(1, "correctness")
def test_tests_run(lab):
    """There are some tests, and they come to an end (1, 9)"""
    suite = lab.suite()
    stopped = [verdict for verdict in suite.broken("visible") if verdict.verdict == "stopped"]
    if suite.stopped and stopped:
        lab.fail("the tests come to an end", suite.told(stopped, "does not"),
                 "waiting takes no real time here, so no test needs any: what does it do all the while?",
                 stopped[0].src, suite.replay(stopped[0].test))
    if len(suite.tests) < BEGUN:
        lab.fail(f"{FEWEST} to {MOST} tests", f"{len(suite.tests)}",
                 "each CO_TEST is one; TODOs 2 to 7 tell what they could be about")


@points(1, "correctness", needs="test_tests_run")
def test_number_of_tests(lab):
    """Six tests at least, sixty at most (1)"""
    suite = lab.suite()
    if len(suite.tests) < FEWEST:
        lab.fail(f"{FEWEST} to {MOST} tests", f"{len(suite.tests)}",
                 "each CO_TEST is one. A test ends at the first assertion that does not hold, so "
                 "a long one tells little: make several of it")
    if len(suite.tests) > MOST:
        lab.fail(f"{FEWEST} to {MOST} tests", f"{len(suite.tests)}, and only the first {MOST} were run",
                 "tests that look at the same thing can go")


@points(2, "correctness", needs="test_tests_run")
def test_passes_on_scraper_c(lab):
    """Every test passes on scraper.c (2, 3)"""
    suite = lab.suite()
    broken = suite.broken("visible")
    if broken:
        lab.fail("every test passes on scraper.c, which is correct", suite.told(broken),
                 suite.why(broken[0], "which sentence of scraper.h says so? (On the left stands what it was, on the "
                                      "right what you asked for.)"),
                 broken[0].src, suite.replay(broken[0].test))


@points(2, "correctness", needs="test_tests_run")
def test_every_test_asserts(lab):
    """Every test asserts something (4)"""
    suite = lab.suite()
    if suite.hollow:
        lab.fail("every test fails on a scraper in which everything is wrong",
                 f"{names(suite.hollow)} pass{'es' if len(suite.hollow) == 1 else ''} on all of these",
                 "what runs without an assertion that can fail tests nothing, however much of scraper.c it reaches. "
                 "What must be so behind the call?", suite.hollow[0].src, suite.replay(suite.hollow[0]))


@points(5, "robustness", needs="test_tests_run")
def test_independent(lab):
    """The same verdict alone and in any order (8)"""
    suite = lab.suite()
    if suite.dependent:
        first, more = suite.dependent[0], len(suite.dependent) - 1
        lab.fail("the same verdict on its own, and in any order",
                 f"{first.test.name} {first.how}" + (f" (and {more} more)" if more else ""),
                 f"{first.verdict.words}: something lives on from test to test. A static variable? Put it on the stack "
                 "of the test, or set it at its begin", first.verdict.src, suite.replay(first.test))


@points(6, "correctness", needs="test_tests_run")
def test_six_situations(lab):
    """Six situations (5)"""
    suite = lab.suite()
    for name, words in SITUATIONS.items():
        with lab.part(1, words):
            if not suite.situations[name]:
                lab.fail(f"a test with {words}", "none of the tests that count has that" if suite.counting
                         else what_counts(suite))


@points(6, "correctness", needs="test_tests_run")
def test_practice_faults(lab):
    """The three faults to practise on are exposed (6, 7)"""
    suite = lab.suite()
    exposed = [fault.name for fault in suite.exposed(practice=True)]
    for fault in suite.exposed(practice=True) + suite.missed(practice=True):
        with lab.part(2, fault.name):
            if fault.name not in exposed:
                cause = suite.idle_words or "run it, and look: what is different from what scraper.h promises? Time, " \
                    "order and number count, too"
                lab.fail(f"a test that fails with FAULT={fault.name}",
                         suite.all_pass if suite.counting else "no test counts",
                         cause if suite.counting else what_counts(suite), None, suite.replay(fault=fault.name))


# ---- Tidy -------------------------------------------------------------------------------------


@points(2, "robustness", needs="test_tests_run")
def test_no_files_no_blocking(lab):
    """No test blocks, writes files, or ends the program (9)"""
    suite = lab.suite()
    ended = [verdict for verdict in suite.broken("visible") if verdict.verdict == "ended"]
    if ended:
        lab.fail("a test ends by itself, or by an assertion", suite.told(ended, "does not"), "it calls exit",
                 ended[0].test.src, suite.replay(ended[0].test))
    if suite.blocking:
        lab.fail("no test blocks the loop", f"{names(suite.blocking)} did",
                 "co_sleep waits; sleep, co_cpu and http_get_blocking stop everything",
                 suite.blocking[0].src, suite.replay(suite.blocking[0]))
    if suite.left:
        lab.fail("no files", f"a test left {suite.left[0]}", "a test that needs a file makes the next run depend on it")


@points(3, "robustness", needs="test_tests_run", last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers, nothing leaked (9)"""
    suite = lab.suite()
    lab.should_be_clean()
    if suite.told_otherwise:
        first = suite.told_otherwise[0]
        lab.fail("the same verdict in every build", f"{first.test.name} gives another one in the build with sanitizers",
                 "does it read memory that nobody has set? An out or a summary that scrape_all did not fill?",
                 first.src, suite.replay(first.test))


@points(10, "coverage", needs=("test_every_test_asserts", "test_passes_on_scraper_c"))
def test_coverage(lab):
    """80 % of the lines and branches of scraper.c (10)"""
    suite = lab.suite()
    seen = lab.coverage()
    exposed = len(suite.exposed())
    enough = exposed >= LEAST_EXPOSED or not suite.whole      # without the hidden scrapers, nobody can say
    pieces = [piece for piece in seen.pieces() if not piece.for_want_of_memory]
    named = "; ".join(piece.describe() for piece in pieces[:4])
    for kind, percent in (("lines", seen.line_percent), ("branches", seen.branch_percent)):
        with lab.part(5, kind):
            if not enough:
                lab.fail(f"at least {LEAST_EXPOSED} hidden faults are exposed", "fewer are",
                         "what ran without anybody looking at the result is not tested")
            if percent < LEAST_COVERED:
                lab.fail(f"{LEAST_COVERED} % of the {kind} of scraper.c", f"{percent:.0f} %",
                         f"{named}. Which scene would lead there?" if named else "")
