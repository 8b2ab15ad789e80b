"""A grade is the same each time, also with two gradings at once. More of them: repeat.py."""

from __future__ import annotations

import difflib

import pytest

from grading import complete_labs
from repeat import different
from variants import ALL, some


@pytest.mark.parametrize("lab", some(complete_labs()[0], 3), ids=lambda lab: lab.slug)
def test_the_same_grade_again_and_again(lab):
    """Of the skeleton: its many failures have messages, replays and reports that could differ."""
    outcomes = different(lab, lab.folder, count=3 if ALL else 2, jobs=2)
    assert len(outcomes) == 1, "\n".join(difflib.unified_diff(*(outcome.split("\n") for outcome in outcomes[:2]),
                                                              lineterm="", n=1))
