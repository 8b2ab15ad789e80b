"""The hidden checks of lab 02: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py). grader/hidden/README.md names each one's sentence."""

from __future__ import annotations

from looplab import points


@points(1, "correctness")
def test_searched_fields(lab):
    """All four fields are set, in all situations (1)"""
    lab.should_keep(1)


@points(1, "correctness")
def test_searched_any_answer(lab):
    """Any answer counts, redirects too, in all situations (2)"""
    lab.should_keep(2)


@points(2, "robustness")
def test_searched_errors(lab):
    """Errors are recorded, in all situations (3)"""
    lab.should_keep(3)


@points(1, "correctness")
def test_searched_length(lab):
    """Lengths are right, in all situations (4)"""
    lab.should_keep(4)


@points(2, "timing")
def test_searched_session(lab):
    """fetch_url uses its session, in all situations (5)"""
    lab.should_keep(5)


@points(1, "robustness")
def test_searched_one_cancelled(lab):
    """fetch_url, cancelled at any instant, ends (6)"""
    lab.should_keep(6)


@points(2, "correctness")
def test_searched_input_order(lab):
    """Results stand in input order, in all situations (7)"""
    lab.should_keep(7)


@points(2, "timing")
def test_searched_at_once(lab):
    """All begin at once, in all situations (8)"""
    lab.should_keep(8)


@points(3, "timing")
def test_searched_limit(lab):
    """One session keeps the limit, in all situations (9)"""
    lab.should_keep(9)


@points(1, "robustness")
def test_searched_others_go_on(lab):
    """The others go on, in all situations (10)"""
    lab.should_keep(10)


@points(1, "correctness")
def test_searched_one_request(lab):
    """One request for each element, in all situations (11)"""
    lab.should_keep(11)


@points(2, "robustness")
def test_searched_none_one_many(lab):
    """No URL, one, a thousand, in all situations (12)"""
    lab.should_keep(12)


@points(2, "timing")
def test_searched_progress(lab):
    """Progress as each URL is done, in all situations (13)"""
    lab.should_keep(13)


@points(1, "correctness")
def test_searched_told(lab):
    """What progress is told, in all situations (14)"""
    lab.should_keep(14)


@points(1, "timing")
def test_searched_never_blocks(lab):
    """The loop is never blocked, in all situations (15)"""
    lab.should_keep(15)


@points(1, "robustness")
def test_searched_nothing_left(lab):
    """Nothing is left behind, in all situations (16)"""
    lab.should_keep(16)


@points(2, "robustness")
def test_searched_cancelled(lab):
    """fetch_all, cancelled at any instant, ends (17)"""
    lab.should_keep(17)


@points(1, "correctness")
def test_searched_two_calls(lab):
    """Two calls at a time, or in turn, in all situations (19)"""
    lab.should_keep(19)
