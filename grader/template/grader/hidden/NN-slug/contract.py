"""The contract of lab NN, the *oracle*: what each requirement of the handout says of any run. Each statement has the
handout's own words, returns whether this run had anything to say of it, and fails through run.should_... (the manual:
grader/looplab/reading/run.py)."""

from __future__ import annotations

from looplab.asking.contract import Contract, Situation
from looplab.reading.run import Run

from .situations import CASES, PLAN, situation

contract = Contract(draw=situation, plan=PLAN, blame=lambda case: 1, cases=CASES,
                    elsewhere={4: "test_clean_under_sanitizers", 5: "test_coverage"})


@contract.requirement(1, "`*total` is the sum of the lengths of all answers, whatever their status.")
def added_up(case: Situation, run: Run) -> bool:
    run.should_report("total", sum(answer["length"] for answer in case.facts.answers),
                      hint="every answer counts, whatever its status; a URL without one adds nothing")
    return True


@contract.requirement(2, "It takes exactly as long as the *longest* fetch.", after=(1,))
def at_once(case: Situation, run: Run) -> bool:
    run.should_take(max(case.facts.times, default=0), what="as long as the longest fetch",
                    hint="start all tasks first, then wait for all")
    return len(case.facts.times) > 1


@contract.requirement(3, "Every response is freed with `co_response_free`, and every task is waited for")
def nothing_left(case: Situation, run: Run) -> bool:
    run.should_leak_nothing()
    return bool(run.requests)
