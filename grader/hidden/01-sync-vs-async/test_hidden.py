"""The hidden checks of lab 01: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py). grader/hidden/README.md names each one's sentence."""

from __future__ import annotations

from looplab import points


@points(2, "correctness")
def test_searched_input_order(lab):
    """Results stand in input order, in all situations (1)"""
    lab.should_keep(1)


@points(1, "correctness")
def test_searched_fields(lab):
    """All three fields are set, in all situations (2)"""
    lab.should_keep(2)


@points(1, "correctness")
def test_searched_any_answer(lab):
    """Any status is an answer, in all situations (3)"""
    lab.should_keep(3)


@points(1, "correctness")
def test_searched_length(lab):
    """Lengths are right, in all situations (4)"""
    lab.should_keep(4)


@points(2, "robustness")
def test_searched_errors(lab):
    """Errors are recorded, in all situations (5)"""
    lab.should_keep(5)


@points(2, "correctness")
def test_searched_one_request(lab):
    """One request for each element, in all situations (6)"""
    lab.should_keep(6)


@points(2, "robustness")
def test_searched_none_one_many(lab):
    """No URL, one, hundreds, in all situations (7)"""
    lab.should_keep(7)


@points(2, "robustness")
def test_searched_freed(lab):
    """Every response is freed, in all situations (8)"""
    lab.should_keep(8)


@points(2, "timing")
def test_searched_sum(lab):
    """fetch_sync takes the sum, in all situations (9)"""
    lab.should_keep(9)


@points(3, "timing")
def test_searched_longest(lab):
    """fetch_async takes the longest, in all situations (10)"""
    lab.should_keep(10)


@points(1, "timing")
def test_searched_never_blocks(lab):
    """fetch_async never blocks, in all situations (11)"""
    lab.should_keep(11)


@points(1, "robustness")
def test_searched_tasks(lab):
    """Every task is waited for, in all situations (12)"""
    lab.should_keep(12)


@points(2, "robustness")
def test_searched_cancelled(lab):
    """Cancelled at any instant, it ends (13)"""
    lab.should_keep(13)


@points(1, "timing")
def test_searched_measured(lab):
    """compare measures both halves, in all situations (14)"""
    lab.should_keep(14)


@points(1, "correctness")
def test_searched_speedup(lab):
    """The speed-up is right, in all situations (15)"""
    lab.should_keep(15)


@points(1, "robustness")
def test_searched_compare_returns(lab):
    """compare returns what it should, in all situations (16)"""
    lab.should_keep(16)


@points(1, "correctness")
def test_searched_explain(lab):
    """explain tells waiting from computing, in any report (17)"""
    lab.should_keep(17)
