"""The hidden checks of lab 03: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py). grader/hidden/README.md names each one's sentence."""

from __future__ import annotations

from looplab import points


@points(1, "correctness")
def test_searched_fields(lab):
    """All five fields are set, in all situations (1)"""
    lab.should_keep(1)


@points(1, "correctness")
def test_searched_answers(lab):
    """Any complete answer counts, in all situations (2)"""
    lab.should_keep(2)


@points(1, "robustness")
def test_searched_errors(lab):
    """Errors are recorded, in all situations (3)"""
    lab.should_keep(3)


@points(1, "timing")
def test_searched_timeout(lab):
    """The timeout is on the whole, in all situations (4)"""
    lab.should_keep(4)


@points(1, "robustness")
def test_searched_closed(lab):
    """Given up, a page is closed at once, in all situations (5)"""
    lab.should_keep(5)


@points(1, "timing")
def test_searched_took(lab):
    """took is how long it took, in all situations (6)"""
    lab.should_keep(6)


@points(1, "robustness")
def test_searched_page_cancelled(lab):
    """scrape_page, cancelled at any instant, ends (7)"""
    lab.should_keep(7)


@points(1, "correctness")
def test_searched_title(lab):
    """The title of a good page is found, in all situations (8, 9)"""
    lab.should_keep(8, 9)


@points(1, "correctness")
def test_searched_comments_and_scripts(lab):
    """None in comments and scripts, in all situations (10)"""
    lab.should_keep(10)


@points(1, "correctness")
def test_searched_tidied_up(lab):
    """White space and entities, in all situations (11, 12)"""
    lab.should_keep(11, 12)


@points(1, "correctness")
def test_searched_cut(lab):
    """Long titles are cut, in all situations (13)"""
    lab.should_keep(13)


@points(1, "correctness")
def test_searched_bytes(lab):
    """Any bytes, far down, in any pieces, in all situations (14)"""
    lab.should_keep(14)


@points(1, "timing")
def test_searched_same_time(lab):
    """All pages at the same time, in all situations (15)"""
    lab.should_keep(15)


@points(1, "correctness")
def test_searched_input_order(lab):
    """Pages stand in input order, in all situations (16)"""
    lab.should_keep(16)


@points(1, "robustness")
def test_searched_failures(lab):
    """One that fails ends no other, in all situations (17)"""
    lab.should_keep(17)


@points(1, "correctness")
def test_searched_one_request(lab):
    """One request for each element, in all situations (18)"""
    lab.should_keep(18)


@points(1, "timing")
def test_searched_progress(lab):
    """Progress as each page is done, in all situations (19)"""
    lab.should_keep(19)


@points(1, "correctness")
def test_searched_log(lab):
    """Each failed page is logged, in all situations (20)"""
    lab.should_keep(20)


@points(1, "correctness")
def test_searched_summary(lab):
    """The summary counts and measures, in all situations (21)"""
    lab.should_keep(21)


@points(1, "robustness")
def test_searched_none_one_many(lab):
    """No page, one, 200, and two calls, in all situations (22)"""
    lab.should_keep(22)


@points(1, "robustness")
def test_searched_cancelled(lab):
    """scrape_all, cancelled at any instant, ends (23)"""
    lab.should_keep(23)


@points(1, "timing")
def test_searched_never_blocks(lab):
    """The loop is never blocked, in all situations (24)"""
    lab.should_keep(24)


@points(1, "robustness")
def test_searched_nothing_left(lab):
    """Nothing is left behind, in all situations (25)"""
    lab.should_keep(25)
