"""What the handouts, the slides and CONFORMANCE.md say of asyncio is so, on the CPython that runs this.

Three things are held together: what asyncio_claims.py sees (SEEN), the sentences that say so (SAID), and the files they
stand in. A sentence about asyncio in one of those places that is not listed here is an error: try it, then list it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("asyncio_claims.py")
TRIED = "tried on CPython 3.11.2, 3.12.1 and 3.13.0"


def since(version: tuple[int, int], before: Any, after: Any) -> dict[str, Any]:
    """What is seen before `version` of CPython, and from it on."""
    return {"since": version, "before": before, "after": after}


SEEN: dict[str, Any] = {
    "a_dropped_cancel_is_told_once": "went on",
    "a_dropped_cancel_and_later_a_group_that_fails":
        since((3, 13), ["ExceptionGroup", "went on"], ["ExceptionGroup", "CancelledError"]),
    "except_exception_lets_a_cancel_through": "CancelledError",
    "a_bare_except_swallows_a_cancel": 5.5,         # six laps of 1 s, all but 0.5 s of the third
    "a_task_cancelled_before_its_start_is_never_entered": ["CancelledError"],
    "a_cancel_beats_a_result_of_the_same_instant": "CancelledError",
    "a_cancel_that_meets_no_wait": "CancelledError",
    "uncancel_in_the_step_of_the_cancel": since((3, 13), "CancelledError", "taken back"),
    "a_cancel_goes_down_an_await": True,
    "an_await_in_finally_works": "cleaned up",
    "await_os_remove": ["TypeError", False],        # False: the file is gone
    "a_shield_tells_who_awaits_at_once": ["CancelledError", False, "inner"],
    "a_failure_interrupts_the_body_of_a_group": "interrupted",
    "a_failure_interrupts_the_body_of_an_inner_group": 0.1,
    "a_group_that_is_left_by_an_exception": "cancels its tasks",
    "an_owner_cancelled_while_its_tasks_fail":
        since((3, 13), ["ExceptionGroup", "went on"], ["ExceptionGroup", "CancelledError"]),
    "a_spawn_into_a_group_that_is_failing": "refused",
    "a_child_cancelled_by_hand": ["CancelledError", "the group ended well"],
    "gather_that_fails": "leaves the others running",
    "wait_whose_timeout_is_over": "cancels nothing",
    "wait_for_no_tasks": "ValueError",
    "timeout_ends_its_block": ["TimeoutError", "CancelledError"],
    "wait_for_without_time_starts_nothing": ["TimeoutError"],
    "wait_for_cancels_a_task_it_was_given": True,
    "plain_for_over_as_completed": ["coroutine", "coroutine"],
    "async_for_over_as_completed": since((3, 13), ["TypeError"], ["the task", "the task"]),
    "a_getter_that_was_overtaken": ["intruder 1", "second 2", "first 3"],
    "a_semaphore_hands_its_place_over": ["handed over", "first", "second", "late"],
    "a_place_left_over_while_a_task_that_was_served_has_not_run": [1, 2, 3, 4],
    "places_released_at_once": [1, 2, 3],
    "a_lock_is_not_taken_before_who_waits_for_it": ["first", "who released it"],
    "anybody_releases_a_lock": "released",
    "callbacks_that_are_ready": [0, 1, 2, 3, 4, 5, 6, 7],
    "timers_of_one_instant": [0, 2, 6, 5, 7, 1, 3, 4],
    "queue_has_shutdown": since((3, 13), False, True),
    "a_lock_taken_twice": ["waits for ever"],
    "two_tasks_cross_two_locks": ["waits for ever"],
    "a_worker_that_fails_before_its_task_done": [False, True],
    "an_error_nobody_asks_for": ["the program goes on", "Task exception was never retrieved"],
    "a_task_without_a_reference": ["Task was destroyed but it is pending!"],
    "a_coroutine_without_await": ["RuntimeWarning"],
    "debug_mode": [0.1, ["slow"], [False]],         # who holds the loop is told, who goes on after a cancel is not
    "a_generator_that_is_left_early": ["behind the loop", "closed", "a second later", "closed", "behind aclose"],
    "a_test_that_leaves_a_task_behind": [True, False, "", [], [], True],
    "run_inside_a_running_loop": "asyncio.run() cannot be called from a running event loop",
    "a_runner_keeps_its_context": 1,
    "ctrl_c_while_running": ["CancelledError", "KeyboardInterrupt"],
    "a_loop_with_another_time_only": [3600.0],
    "a_wait_without_the_word_await": ["comes", "another runs", "has it"],
    "size_of_a_coroutine": range(100, 1000),        # "a few hundred bytes"
    "knows_of_builds_without_the_gil": since((3, 13), False, True),
}

CONFORMANCE = "sim/tests/CONFORMANCE.md"
TASKS, GROUPS = "sim/tests/test_conform_tasks.c", "sim/tests/test_conform_taskgroups.c"
WAITFOR = "sim/tests/test_conform_waitfor.c"
LAB = {path.name[:2]: f"labs/{path.name}/README.md" for path in (ROOT / "labs").iterdir() if path.is_dir()}
DECK = {path.name[:2]: f"slides/{path.name}" for path in (ROOT / "slides").glob("[0-9]*.md")}

# The file, a piece of the sentence (line breaks do not count), and the claims of asyncio_claims.py that try it.
SAID: list[tuple[str, str, str]] = [
    (LAB["01"], "Python marks the places where a task may wait with a word: `await`, `async with`, `async for`",
     "a_wait_without_the_word_await"),
    (LAB["01"], "An exception that nobody catches ends the program, or, in a task that nobody awaits, is only logged",
     "an_error_nobody_asks_for"),
    (LAB["01"], "A cancelled Python task gets `CancelledError` once.", "a_dropped_cancel_is_told_once"),
    (LAB["01"], "A Python task may outlive the function that started it.", "gather_that_fails"),
    (LAB["02"], "without `await` only makes a coroutine object, and nothing runs", "a_coroutine_without_await"),
    (LAB["02"], "Python warns \"coroutine was never awaited\"", "a_coroutine_without_await"),
    (LAB["02"], "can be suspended only where `await`, `async with` or `async for` stands in its own text",
     "a_wait_without_the_word_await"),
    (LAB["02"], "Python's coroutine and the task round it take a few hundred bytes", "size_of_a_coroutine"),
    (LAB["02"], "gets `CancelledError` once, and `except Exception` lets it pass",
     "a_dropped_cancel_is_told_once except_exception_lets_a_cancel_through"),
    (LAB["03"], "gets `CancelledError` once. If it catches and drops it, the cancellation is lost, up to Python "
     "3.12. Since 3.13 it may come back: the next `TaskGroup` of that task that fails, be it an hour later, cancels "
     "it again.",
     "a_dropped_cancel_is_told_once a_dropped_cancel_and_later_a_group_that_fails"),
    (LAB["03"], "the others go on running, without anybody waiting for them", "gather_that_fails"),
    (LAB["03"], "neither cancels anything when its timeout is over", "wait_whose_timeout_is_over"),
    (LAB["03"], "`asyncio.timeout` turns its own `CancelledError` into `TimeoutError` where its block ends",
     "timeout_ends_its_block"),
    (LAB["03"], "`for c in as_completed(tasks)` hands out new coroutines, and none says which task it stands for. "
     "Since Python 3.13 `async for t in as_completed(tasks)` hands out the tasks themselves.",
     "plain_for_over_as_completed async_for_over_as_completed"),
    (LAB["04"], "`queue.shutdown()` (Python 3.13)", "queue_has_shutdown"),
    (LAB["04"], "a cancelled worker gets one `CancelledError`, and `except Exception` lets it through",
     "a_dropped_cancel_is_told_once except_exception_lets_a_cancel_through"),
    (LAB["04"], "given an exception in the middle of a job loses the `task_done` unless it stands in a `finally`",
     "a_worker_that_fails_before_its_task_done"),
    (LAB["04"], "asyncio's `Semaphore` keeps it too: a release gives the place to the first in line.",
     "a_semaphore_hands_its_place_over"),
    (LAB["04"], "If another task takes the item before that one runs, the getter that was woken goes back to the "
     "*end* of the line.",
     "a_getter_that_was_overtaken"),
    (LAB["04"], "Python's `async with` may wait while it leaves the block.", "a_wait_without_the_word_await"),
    (LAB["05"], "(but for a build of its own, since 3.13)", "knows_of_builds_without_the_gil"),
    (LAB["05"], "gets `CancelledError` once, so an `await asyncio.to_thread(os.remove, path)` in a `finally` block "
     "works as a rule",
     "an_await_in_finally_works"),
    (LAB["05"], "`await os.remove(path)` removes the file, and is a `TypeError`", "await_os_remove"),
    (LAB["06"], "who holds the loop for more than 100 ms (so does Python's `PYTHONASYNCIODEBUG=1`), and who goes on "
     "waiting after having been cancelled (Python does not tell)",
     "debug_mode"),
    (LAB["06"], "A loop with another `time()` does not help: the loop asks the system to sleep until the next timer",
     "a_loop_with_another_time_only"),
    (LAB["06"], "`unittest.IsolatedAsyncioTestCase` cancels the task without a word",
     "a_test_that_leaves_a_task_behind"),
    (DECK["00"], "Python marks the places that may wait with a word (await, async with, async for)",
     "a_wait_without_the_word_await"),
    (DECK["00"], "Python cancels once", "a_dropped_cancel_is_told_once"),
    (DECK["01"], "What is ready runs first in, first out in both.", "callbacks_that_are_ready"),
    (DECK["01"], "eight timers set for one instant ran in the order 0 2 6 5 7 1 3 4", "timers_of_one_instant"),
    (DECK["01"], "Since 3.13 there is a build of Python without it.", "knows_of_builds_without_the_gil"),
    (DECK["01"], "asyncio's debug mode does the same.", "debug_mode"),
    (DECK["01"], "`co_http_get` waits; the manual says so | `await`, `async with`, `async for`",
     "a_wait_without_the_word_await"),
    (DECK["02"], "the coroutine never runs | a warning, later", "a_coroutine_without_await"),
    (DECK["02"], "a task without a reference may even be collected in the middle of its work",
     "a_task_without_a_reference"),
    (DECK["02"], "only at `await`, `async with`, `async for`", "a_wait_without_the_word_await"),
    (DECK["02"], "`CancelledError`, once", "a_dropped_cancel_is_told_once"),
    (DECK["03"], "In Python the same mistake is a bare except; there the laps that are left take as long as ever",
     "a_bare_except_swallows_a_cancel"),
    (DECK["03"], "gather without return_exceptions leaves tasks running that nobody waits for", "gather_that_fails"),
    (DECK["03"], "a dropped CancelledError is lost. Since 3.13 it may come back much later, when a TaskGroup of that "
     "task fails",
     "a_dropped_cancel_is_told_once a_dropped_cancel_and_later_a_group_that_fails"),
    (DECK["03"], "and a task whose exception nobody retrieves", "an_error_nobody_asks_for"),
    (DECK["04"], "Python hangs here without a word, in debug mode too.", "two_tasks_cross_two_locks"),
    (DECK["04"], "A Queue's put only wakes the first getter, and if another task takes the item before that one "
     "runs, the woken getter goes to the end of the line.",
     "a_getter_that_was_overtaken"),
    (DECK["04"], "a Semaphore's release gives the place to the first in line", "a_semaphore_hands_its_place_over"),
    (DECK["04"], "An async generator that is left early in Python is closed some time later, unless one calls aclose.",
     "a_generator_that_is_left_early"),
    (DECK["04"], "Python: aclose(), which one easily forgets there", "a_generator_that_is_left_early"),
    (DECK["05"], "in Python an await in finally works as a rule", "an_await_in_finally_works"),
    (DECK["05"], "Python 3.13 has Queue.shutdown", "queue_has_shutdown"),
    (DECK["06"], "asyncio has the same 100 ms (slow_callback_duration)", "debug_mode"),
    (DECK["06"], "a task without a reference may even be collected while it runs", "a_task_without_a_reference"),
    (DECK["06"], "The first cancels a task that a test leaves behind, without a word",
     "a_test_that_leaves_a_task_behind"),
    (DECK["06"], "the loop still asks its selector to sleep until the next timer", "a_loop_with_another_time_only"),
    (DECK["07"], "swallows the CancelledError: for good up to 3.12; since 3.13 it comes back if a TaskGroup of that "
     "task fails later",
     "a_dropped_cancel_is_told_once a_dropped_cancel_and_later_a_group_that_fails"),
    (DECK["07"], "Waits are visible: `await`, `async with`, `async for`.", "a_wait_without_the_word_await"),
    (DECK["07"], "A cancel arrives once.", "a_dropped_cancel_is_told_once"),
    (DECK["07"], "`asyncio.run(..., debug=True)` is your `CO_DEBUG=1`, as far as blocking goes.", "debug_mode"),
    (DECK["07"], "Only a task that nobody awaits hides it.", "an_error_nobody_asks_for"),
    (CONFORMANCE, "who swallows it goes on as if nothing had been (up to 3.12; since 3.13 the next TaskGroup of that "
     "task that fails cancels it again)",
     "a_dropped_cancel_is_told_once a_dropped_cancel_and_later_a_group_that_fails"),
    (CONFORMANCE, "asyncio never enters a coroutine that is cancelled before its start",
     "a_task_cancelled_before_its_start_is_never_entered"),
    (CONFORMANCE, "asyncio mostly lets the cancel win",
     "a_cancel_beats_a_result_of_the_same_instant a_cancel_that_meets_no_wait"),
    (CONFORMANCE, "which in asyncio both are CancelledError", "a_child_cancelled_by_hand"),
    (CONFORMANCE, "asyncio cancels what a cancelled task awaits", "a_cancel_goes_down_an_await"),
    (CONFORMANCE, "there is no bare `create_task`, no task is lost or collected half-way",
     "a_task_without_a_reference"),
    (CONFORMANCE, "asyncio cancels them when an exception leaves the block", "a_group_that_is_left_by_an_exception"),
    (CONFORMANCE, "asyncio raises the failures instead: up to 3.12 the cancel is forgotten with that, since 3.13 the "
     "next await raises it again",
     "an_owner_cancelled_while_its_tasks_fail"),
    (CONFORMANCE, "asyncio's gather fails with CancelledError", "a_child_cancelled_by_hand"),
    (CONFORMANCE, "asyncio leaves them running, and nobody in charge", "gather_that_fails"),
    (CONFORMANCE, "A spawn into a group that is failing is not refused", "a_spawn_into_a_group_that_is_failing"),
    (CONFORMANCE, "asyncio's `shield()` tells me at once and leaves a task behind",
     "a_shield_tells_who_awaits_at_once"),
    (CONFORMANCE, "asyncio's Semaphore hands over as well.", "a_semaphore_hands_its_place_over"),
    (CONFORMANCE, "Its Lock wakes a task, which must then still take it, but nobody overtakes who waits.",
     "a_lock_is_not_taken_before_who_waits_for_it"),
    (CONFORMANCE, "if another takes the item before that one runs, the woken getter goes to the end of the line",
     "a_getter_that_was_overtaken"),
    (CONFORMANCE, "in asyncio in the order of a heap that compares nothing but the time", "timers_of_one_instant"),
    (CONFORMANCE, "Only a lock's holder can release it", "anybody_releases_a_lock"),
    (CONFORMANCE, "(`-EDEADLK` instead of a task that waits for itself for ever)", "a_lock_taken_twice"),
    (CONFORMANCE, "Waiting for nothing is no error", "wait_for_no_tasks"),
    (CONFORMANCE, "In asyncio nobody takes a place that is left over before all who were served have run",
     "a_place_left_over_while_a_task_that_was_served_has_not_run"),
    (CONFORMANCE, "In asyncio 2 waits until 1 has run", "places_released_at_once"),
    (CONFORMANCE, "asyncio raises KeyboardInterrupt", "ctrl_c_while_running"),
    ("sim/tests/test_conform_locks.c", "A release hands over, in asyncio too: 3 has its place before 2 asks again. "
     "There 2 then waits until 3 has run (1 2 3 4)",
     "a_place_left_over_while_a_task_that_was_served_has_not_run a_semaphore_hands_its_place_over"),
    (TASKS, "asyncio tells a task once: the next await works as ever.", "a_dropped_cancel_is_told_once"),
    (TASKS, "asyncio's uncancel() counts a cancel down, and since 3.13 takes back one that the task has not heard of "
     "yet.",
     "uncancel_in_the_step_of_the_cancel"),
    (TASKS, "asyncio: cancelled, the 12 is lost.", "a_cancel_that_meets_no_wait"),
    (TASKS, "asyncio's shield(): who awaits is told at once", "a_shield_tells_who_awaits_at_once"),
    (TASKS, "asyncio leaves the others running.", "gather_that_fails"),
    (TASKS, "asyncio's gather() fails with CancelledError.", "a_child_cancelled_by_hand"),
    (GROUPS, "asyncio cancels the body at once.", "a_failure_interrupts_the_body_of_a_group"),
    (GROUPS, "asyncio refuses; here the spawn is as good as any", "a_spawn_into_a_group_that_is_failing"),
    (GROUPS, "asyncio raises the tasks' errors.", "an_owner_cancelled_while_its_tasks_fail"),
    (GROUPS, "asyncio cancels them: an exception left the block.", "a_group_that_is_left_by_an_exception"),
    (GROUPS, "asyncio's outer group would interrupt the inner one's body",
     "a_failure_interrupts_the_body_of_an_inner_group"),
    (WAITFOR, "asyncio does not even start a coroutine that has no time.", "wait_for_without_time_starts_nothing"),
    (WAITFOR, "asyncio's wait_for cancels a task that it waits for", "wait_for_cancels_a_task_it_was_given"),
    ("sim/tests/test_conform_runners.c", "asyncio's Runner keeps its context from one run to the next",
     "a_runner_keeps_its_context"),
    ("sim/examples/19-deadlocks.c", "asyncio: Lock; there both simply hang.",
     "a_lock_taken_twice two_tasks_cross_two_locks"),
    ("sim/examples/52-anti-nested-loops.c", "\"asyncio.run() cannot be called from a running event loop\"",
     "run_inside_a_running_loop"),
]

# Paragraphs that name Python or asyncio and say nothing of asyncio that a program could try.
OF_NO_BEHAVIOUR: list[tuple[str, str]] = [
    (LAB["01"], "Python frees the response's memory for you."),
    (LAB["04"], "Python has `async with` for that."),
    (LAB["04"], "this is what Python writes as `async for url in pool:`"),
    (LAB["04"], "asyncio on several threads has races between any two instructions again"),
    (LAB["05"], "Which Python version has it?"),
    (LAB["05"], "Python drops items left in a queue by itself."),
    (LAB["06"], "Python's `unittest.mock` can replace any function."),
    (DECK["00"], "The names follow asyncio on purpose."),
    (DECK["01"], "**CPython** has one lock around its interpreter."),
    (DECK["01"], "In Python threads under the GIL would need 4 s for this."),
    (DECK["02"], "In Python the same bug is the loop variable in a lambda."),
    (DECK["02"], "Python, JavaScript and Rust on the other."),
    (DECK["03"], "asyncio calls this create_task and task.cancel."),
    (DECK["04"], "In Python this is async with, __aenter__ and __aexit__."),
    (DECK["04"], "Python writes async for floor in stops."),
    (DECK["06"], "Where the clock is real (Python), a loop with a virtual clock is worth its price."),
    (DECK["06"], "In Python unittest.mock replaces a function"),
    (DECK["07"], "asyncio's TaskGroup, Java's StructuredTaskScope"),
    (DECK["07"], "whoever learned asyncio first can read co.h in an evening"),
    (GROUPS, "Unlike asyncio's, a group keeps its tasks' records until its block ends"),
    ("sim/tests/test_conform_queues.c", "Shutting down (Python 3.13)"),
]


@cache
def interpreters() -> list[str]:
    """This Python, and every other CPython from 3.11 on that a name on the path leads to."""
    found: dict[str, str] = {}
    for name in [sys.executable, *(f"python3.{minor}" for minor in range(11, 21))]:
        path = shutil.which(name)
        asked = "import sys; assert sys.implementation.name == 'cpython'; print(sys.version.split()[0])"
        done = path and subprocess.run([path, "-c", asked], capture_output=True, text=True)
        if path and done and done.returncode == 0 and version_of(done.stdout) >= (3, 11):
            found.setdefault(done.stdout.strip(), path)
    return list(found.values())


def version_of(text: str) -> tuple[int, int]:
    """3.13.2 -> (3, 13)."""
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


@cache
def seen_by(python: str) -> tuple[tuple[int, int], dict[str, Any]]:
    """The version of `python`, and what it saw of each claim."""
    program = f"import sys, runpy; print(sys.version.split()[0]); runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"
    done = subprocess.run([python, "-B", "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    version, seen = done.stdout.split("\n", 1)
    return version_of(version), json.loads(seen)


@pytest.mark.parametrize("claim", SEEN)
def test_it_is_so(claim: str) -> None:
    """What the program sees is what is written, on each CPython here."""
    if not interpreters():
        pytest.skip("no CPython 3.11 or later here")
    for python in interpreters():
        version, seen = seen_by(python)
        wanted = SEEN[claim]
        if isinstance(wanted, dict):
            wanted = wanted["after" if version >= wanted["since"] else "before"]
        if isinstance(wanted, range):
            assert seen[claim] in wanted, (python, version)
        else:
            assert seen[claim] == wanted, (python, version)


def test_each_claim_is_tried_and_said() -> None:
    """No program without a sentence, no sentence without a program."""
    for python in interpreters():
        assert sorted(seen_by(python)[1]) == sorted(SEEN)
    assert {claim for _, _, claims in SAID for claim in claims.split()} == set(SEEN)


def plain(text: str) -> str:
    """A text in one line: neither line breaks nor the stars of a C comment count."""
    return re.sub(r"\s+(?:\* )?", " ", text)


@cache
def text_of(path: str) -> str:
    return plain((ROOT / path).read_text("utf-8"))


PIECES = [(path, sentence) for path, sentence, _ in SAID] + OF_NO_BEHAVIOUR


@pytest.mark.parametrize("path, sentence", PIECES)
def test_it_is_said_there(path: str, sentence: str) -> None:
    """A sentence that was changed must be tried anew."""
    assert text_of(path).count(sentence) == 1


def paragraphs(path: Path) -> list[str]:
    """What speaks of Python or asyncio in a file: bullets, paragraphs and notes of a text, comments of a C file. Left
    out are tables of names, what a C file says of itself at its top, and the line that names the versions."""
    text = path.read_text("utf-8")
    if path.suffix == ".c":
        found = re.findall(r"/\*.*?\*/", text, re.DOTALL)[1:]
    else:
        text = "\n".join("" if line.startswith(("|", "#", "<!-- _class")) else line for line in text.split("\n"))
        found = re.split(r"\n\s*\n|\n(?=- |\d+\. )", text)
    found = [plain(one) for one in found if re.search("asyncio|Python", one)]
    return [one for one in found if not one.startswith("What is said of")]


def places() -> list[Path]:
    """Where sentences about asyncio stand."""
    texts = sorted(ROOT / path for path in (*LAB.values(), *DECK.values()))
    return texts + sorted((ROOT / "sim/tests").glob("test_conform_*.c"))


@pytest.mark.parametrize("path", places(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_said_of_asyncio_is_listed(path: Path) -> None:
    """A new sentence is tried first."""
    name = str(path.relative_to(ROOT))
    listed = [sentence for file, sentence in PIECES if file == name]
    assert [one for one in paragraphs(path) if not any(sentence in one for sentence in listed)] == []


@pytest.mark.parametrize("path", sorted({path for path, _, _ in SAID if path.endswith(".md")}))
def test_the_versions_are_named(path: str) -> None:
    """Each file says which CPython its sentences were tried on. (The C tests go with CONFORMANCE.md.)"""
    assert text_of(path).count(TRIED) == 1
