"""The visible checks of lab NN. The numbers in brackets are the requirements' in README.md, "What your function must
do". What a check may ask for: grader/looplab/grading/fixture.py."""

from __future__ import annotations

from looplab import Fault, World, ms, points

LEAST_COVERED = 85     # per cent of the lines
TODO = "total_length, TODO 1"


def pages(lab, n: int = 6) -> World:
    """n good pages, with latencies and sizes of the student's own."""
    world = World(seed=lab.seed).site("http://news.test", rtt=ms(20))
    for i in range(n):
        world.route(f"/{i}", latency=ms(lab.rng.randint(150, 400)), body_size=lab.rng.randint(100, 9000))
    return world


def good_and_bad(lab) -> World:
    """A page, a 404, and a site where nobody listens."""
    world = pages(lab, 1).route("/gone", latency=ms(100), status=404, body_size=lab.rng.randint(10, 90))
    return world.site("http://closed.test", rtt=ms(10), fault=Fault.refused()).route("/")


def should_add_up(run) -> None:
    """The total is that of all answers of the world."""
    right = sum(answer["length"] for answer in run.world.answers(run.asked))
    run.should_report("total", right, hint=f"nothing was ever stored in *total: begin with {TODO}"
                      if run.report["total"] == -1 else "add up the lengths when all tasks have ended, not before")


@points(20, "correctness")
def test_sum(lab):
    """The lengths of all pages are added up (1)"""
    should_add_up(lab.run("total", pages(lab), todo=TODO))


@points(10, "correctness", needs="test_sum")
def test_sum_without_an_answer(lab):
    """A 404 counts, a URL without an answer adds nothing (1)"""
    should_add_up(lab.run("total", good_and_bad(lab)))


@points(20, "timing", needs="test_sum", idea=True)
def test_at_once(lab):
    """It takes as long as the longest fetch (2)"""
    world = pages(lab)
    lab.run("total", world).should_take(max(world.latencies()), what="as long as the longest fetch",
                                        hint="start all tasks first, then wait for all")


@points(10, "robustness", needs="test_sum")
def test_nothing_is_left_behind(lab):
    """Nothing is left behind (3)"""
    lab.run("total", pages(lab)).should_leak_nothing()


@points(5, "robustness", needs="test_sum", last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (4)"""
    lab.should_be_clean()


@points(5, "coverage", needs="test_sum")
def test_coverage(lab):
    """The checks run 85 % of your lines (5)"""
    seen = lab.coverage()
    if seen.line_percent < LEAST_COVERED:
        piece = next(piece for piece in seen.pieces() if piece.lines)
        lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines", f"{seen.line_percent:.0f} %",
                 f"{piece.describe().rstrip(';')}. Which of the situations in the handout reaches it?", piece.src)
