"""The hidden checks of lab NN: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py). README.md beside this file names each one's sentence."""

from __future__ import annotations

from looplab import points


@points(10, "correctness")
def test_searched_sum(lab):
    """The sum is right, in all situations (1)"""
    lab.should_keep(1)


@points(10, "timing")
def test_searched_longest(lab):
    """It takes the longest fetch, in all situations (2)"""
    lab.should_keep(2)


@points(10, "robustness")
def test_searched_left_behind(lab):
    """Nothing is left behind, in all situations (3)"""
    lab.should_keep(3)
