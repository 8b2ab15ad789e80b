"""The hidden checks of lab 06: the other correct scrapers, and the faulty ones. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

import pytest

from looplab import points

DESIGNS = {
    "group": "a task for each page, and a semaphore",
    "as_completed": "one loop that waits for whichever page is done next",
    "workers": "workers that take pages from a queue",
    "chain": "each page that is done begins the next one",
    "own_timer": "a task that fetches each page, and another one that is its timer",
}
FAULTS, EACH, FEW = 27, 2, 4


def kind_of(missed: list) -> str:
    """Of a few faults that are left, where to look."""
    quiet = {fault.quiet for fault in missed}
    if len(missed) > FEW or len(quiet) > 1:
        return ""
    if quiet == {True}:
        return " What is left gets every page right: look at times, at the order of news, and at how many wait"
    return " What is left gets a page, the return value or the listener's news wrong, and every time right"


@points(8, "correctness", needs="test_passes_on_scraper_c")
def test_passes_on_other_scrapers(lab):
    """Every test passes on four other correct scrapers (2, 3)"""
    suite = lab.suite()
    others = [name for name in suite.correct if name in ("as_completed", "workers", "chain", "own_timer")]
    assert len(others) == 4
    told: list[str] = []
    for name in others:
        with lab.part(2, DESIGNS[name]):
            broken = suite.broken(name)
            if broken and broken[0].test.name in told:
                lab.fail(happened=f"{broken[0].test.name} fails on this one, too")
            if broken:
                told.append(broken[0].test.name)
                lab.fail("every test passes on every correct scraper", suite.told(broken),
                         suite.why(broken[0], "scraper.c happens to do so, but which sentence of scraper.h says so?"),
                         broken[0].src)


@points(FAULTS * EACH, "correctness", needs="test_tests_run", alone=True)
def test_exposes_faulty_scrapers(lab):
    """The hidden faults are exposed (6, 7)"""
    suite = lab.suite()
    exposed, missed = suite.exposed(), suite.missed()
    assert len(exposed) + len(missed) == FAULTS
    level = lab.feedback
    if level == "names":
        for fault in exposed + missed:
            with lab.part(EACH, f"a scraper that {fault.sentence}"):
                if fault in missed:
                    lab.fail("a test that fails on it", suite.all_pass if suite.counting else "no test counts")
        return
    if not missed:
        return
    told = f"{len(exposed)} of {FAULTS} are exposed" if level == "number" else "not all are exposed"
    if exposed:
        with lab.part(EACH * len(exposed), told):
            pass
    with lab.part(EACH * len(missed), "the others"):
        lab.fail(f"a test fails on each of {FAULTS} faulty scrapers", told,
                 suite.idle_words or "go through scraper.h sentence by sentence: how would a scraper look that breaks "
                                     "just this one, and which of your tests would fail on it?"
                                     + (kind_of(missed) if level == "number" else "")
                 if suite.counting else "only tests count that pass on every correct scraper, assert something, and "
                                        "depend on no other test; no test of yours does")
