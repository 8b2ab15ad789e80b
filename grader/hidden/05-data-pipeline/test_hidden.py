"""The hidden checks of lab 05: a requirement each, in situations that the search draws (situations.py) and holds
against the contract (contract.py); and one that needs what it does not draw: other orders.
grader/hidden/README.md names each one's sentence."""

from __future__ import annotations

import errno

from looplab import Fault, ms, points
from looplab.asking.visible import visible_checks

visible = visible_checks(__file__)


@points(1, "correctness")
def test_searched_summary(lab):
    """transform_order's summary, in all situations (1)"""
    lab.should_keep(1)


@points(1, "correctness")
def test_searched_no_json(lab):
    """What is no JSON, in all situations (2)"""
    lab.should_keep(2)


@points(1, "correctness")
def test_searched_no_field(lab):
    """What lacks a field, in all situations (3)"""
    lab.should_keep(3)


@points(1, "correctness")
def test_searched_whole(lab):
    """A file is written whole, in all situations (4)"""
    lab.should_keep(4)


@points(1, "robustness")
def test_searched_not_at_all(lab):
    """A file that failed leaves nothing, in all situations (5)"""
    lab.should_keep(5)


@points(1, "correctness")
def test_searched_files(lab):
    """A file for each good order, in all situations (6)"""
    lab.should_keep(6)


@points(1, "correctness")
def test_searched_one_request(lab):
    """One request for each URL, in all situations (7)"""
    lab.should_keep(7)


@points(1, "correctness")
def test_searched_one_session(lab):
    """One session for all requests, in all situations (8)"""
    lab.should_keep(8)


@points(1, "timing")
def test_searched_cpu_worker(lab):
    """The transform computes elsewhere, in all situations (9)"""
    lab.should_keep(9)


@points(1, "timing")
def test_searched_workers(lab):
    """Each stage has its workers, in all situations (10)"""
    lab.should_keep(10)


@points(1, "timing")
def test_searched_bound(lab):
    """The queues stay within their bound, in all situations (11)"""
    lab.should_keep(11)


@points(1, "timing")
def test_searched_overlap(lab):
    """The stages overlap, in all situations (12)"""
    lab.should_keep(12)


@points(1, "robustness")
def test_searched_errors(lab):
    """Errors stay where they are, in all situations (13)"""
    lab.should_keep(13)


@points(1, "correctness")
def test_searched_statistics(lab):
    """The statistics are right, in all situations (14)"""
    lab.should_keep(14)


@points(1, "robustness")
def test_searched_ended(lab):
    """Every worker ends by itself, in all situations (15)"""
    lab.should_keep(15)


@points(1, "robustness")
def test_searched_numbers(lab):
    """No URL, one, many, and two calls, in all situations (16)"""
    lab.should_keep(16)


@points(1, "robustness")
def test_searched_cancelled(lab):
    """Cancelled at any instant, it ends (18)"""
    lab.should_keep(18)


@points(1, "robustness")
def test_searched_freed(lab):
    """Everything is freed, in all situations (19)"""
    lab.should_keep(19)


@points(3, "robustness", needs=("test_in_any_order", "test_workers_survive"))
def test_failures_in_any_order(lab):
    """Failures and files are the same in any order (13, 17)"""
    shop, faults = visible.Shop(lab, "any order"), []
    for stage in visible.STAGES:
        for _ in range(2):
            shop.order(ms(50))
        if stage == "fetch":
            shop.unfetched(ms(50), 503, status=503)
        elif stage == "transform":
            shop.broken(ms(50), "Sorry.", visible.NOT_JSON)
        else:
            unwritten = shop.order(ms(50), wrong=-errno.EIO)
            faults.append(Fault.disk("EIO", "write", visible.path_of(unwritten)))
    for _ in range(2):
        shop.order(ms(50))
    shop.world.disk(ms(10), faults=faults)
    for run in lab.run_orders("pipeline", shop.world, orders=4, settings={"workers": 2, "bound": 1, "cost": 0}):
        visible.should_log(run, shop)
        visible.should_leave(run, shop.files)
