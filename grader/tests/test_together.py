"""Pieces of work side by side: their order, their limits, their ends."""

from __future__ import annotations

import os
import time

import pytest

from looplab.plain.together import WorkLost, cores, each


def quiet(k, done, of, title):
    pass


def square(n, tell):
    """The later ones are done first."""
    time.sleep(0.02 * (5 - n))
    return n * n, os.getpid()


@pytest.mark.parametrize("most", [1, 2, 8])
def test_outcomes_come_in_order(most):
    came = list(each(range(5), square, most, quiet))
    assert [value for value, _ in came] == [0, 1, 4, 9, 16]
    pids = {pid for _, pid in came}
    assert pids == {os.getpid()} if most == 1 else len(pids) == 5 and os.getpid() not in pids


def test_a_single_piece_stays_in_this_process():
    assert list(each([3], square, 4, quiet)) == [(9, os.getpid())]


def test_no_more_than_so_many_at_once(tmp_path):
    def work(n, tell):
        mark = tmp_path / str(n)
        mark.write_text("")
        seen, last = 0, time.monotonic() + 60
        while seen < 2 and time.monotonic() < last:         # until the other one is there, too
            seen = max(seen, len(list(tmp_path.iterdir())))
            time.sleep(0.01)
        time.sleep(0.05)
        seen = max(seen, len(list(tmp_path.iterdir())))
        mark.unlink()
        return seen

    assert list(each(range(6), work, 2, quiet)) == [2] * 6


def test_what_a_piece_tells_is_handed_on():
    told = []

    def work(n, tell):
        tell(n, 9, f"step of {n}")
        return n

    assert list(each([5, 6], work, 2, lambda *said: told.append(said))) == [5, 6]
    assert sorted(told) == [(0, 5, 9, "step of 5"), (1, 6, 9, "step of 6")]


def dies(n, tell):
    if n == 1:
        os._exit(7)
    return n


def raises(n, tell):
    if n == 1:
        raise KeyError("what")
    time.sleep(600)


@pytest.mark.parametrize("work, told", [(dies, "without a word"), (raises, "KeyError: 'what'")])
def test_work_that_is_lost_is_told_and_the_others_are_ended(work, told):
    began = time.monotonic()
    with pytest.raises(WorkLost, match=told):
        list(each([0, 1, 2], work, 3, quiet))
    assert time.monotonic() - began < 300


def test_there_is_a_processor():
    assert cores() >= 1
