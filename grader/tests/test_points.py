"""@points, as far as it knows by itself; what the plugin makes of it is in test_plugin.py."""

import pytest

from looplab.asking.points import points, points_of


def marked(*args, **named):
    @points(*args, **named)
    def test():
        """A title."""
    return points_of(test)


def test_the_mark_says_what_it_was_told():
    said = marked(10, "timing", needs=("test_a", "test_b"))
    assert (said.worth, said.category, said.needs, said.last, said.fault()) == (10, "timing", ("test_a", "test_b"),
                                                                                False, None)


def test_a_single_need_may_stand_alone():
    assert marked(1, "timing", needs="test_a").needs == ("test_a",)


def test_coverage_is_always_last():
    assert marked(1, "coverage").last and marked(1, "robustness", last=True).last and not marked(1, "robustness").last


def test_what_a_lab_is_about_is_said():
    assert marked(1, "timing", idea=True).idea and not marked(1, "timing").idea


def test_an_unmarked_test_has_no_points():
    assert points_of(lambda: None) is None


@pytest.mark.parametrize("args, told", [((0, "timing"), "0 points"), ((2.5, "timing"), "2.5 points"),
                                        ((True, "timing"), "True points"),
                                        ((1, "speed"), "correctness, timing, robustness, coverage"),
                                        ((1, "timing", (3,)), "names of checks")])
def test_nonsense_is_told(args, told):
    assert told in marked(*args).fault()
