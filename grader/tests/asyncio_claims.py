"""What the handouts, slides and CONFORMANCE.md say of Python's asyncio, as small programs: one function a claim.

`PYTHON asyncio_claims.py` prints {claim: what was seen} as JSON, for any CPython from 3.11 on. test_asyncio_claims.py
holds that against what is written. No claim waits: where the loop would wait, its clock jumps (as in sim/bench/peers),
and where it would wait for ever, it says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import io
import json
import logging
import os
import selectors
import signal
import sys
import sysconfig
import tempfile
import unittest
import warnings
from typing import Any, AsyncIterator, Awaitable, Callable, Coroutine, Iterator

CLAIMS: dict[str, Callable[[], Any]] = {}


class WaitsForEver(BaseException):
    """Nothing is ready, no timer is set: the loop would wait until somebody ends the program."""


class Jump(selectors.SelectSelector):
    """Never waits. Notes what it was asked for; the clock of its loop jumps by as much."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.asked: list[float] = []

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise WaitsForEver
        if timeout > 0:
            self.now += timeout
            self.asked.append(timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock is its selector's."""

    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.now


def claim(program: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Any]:
    """An `async def` that is run in a loop of its own and returns what it saw."""
    def run() -> Any:
        with asyncio.Runner(loop_factory=Loop) as runner:
            return runner.run(program())
    CLAIMS[program.__name__] = run
    return run


def plain_claim(program: Callable[[], Any]) -> Callable[[], Any]:
    """A claim that needs no loop, or makes its own."""
    CLAIMS[program.__name__] = program
    return program


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """What asyncio logs meanwhile."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield lines
    finally:
        logger.propagate = before
        logger.removeHandler(handler)


async def name_of(awaitable: Awaitable[Any]) -> str:
    """The result of `awaitable`, or the name of what it raised."""
    try:
        return str(await awaitable)
    except BaseException as fault:
        return type(fault).__name__


async def forever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise ValueError


async def start(*coroutines: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Tasks that have all run to their first wait."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await asyncio.sleep(0)
    return tasks


async def cancelled(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs to its first wait, is cancelled there; its result, or the name of what it raised."""
    [task] = await start(coroutine)
    task.cancel()
    return await name_of(task)


# ---- Cancelling ---------------------------------------------------------------------------------


@claim
async def a_dropped_cancel_is_told_once() -> str:
    async def drops() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            pass
        await asyncio.sleep(1)
        return "went on"
    return await cancelled(drops())


@claim
async def a_dropped_cancel_and_later_a_group_that_fails() -> list[str]:
    async def drops() -> list[str]:
        seen = []
        try:
            await forever()
        except asyncio.CancelledError:
            pass
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
        except Exception as fault:
            seen.append(type(fault).__name__)
        return [*seen, await name_of(asyncio.sleep(1, "went on"))]
    [task] = await start(drops())
    task.cancel()
    return await task


@claim
async def except_exception_lets_a_cancel_through() -> str:
    async def catches() -> str:
        try:
            await forever()
        except Exception:
            pass
        return "swallowed"
    return await cancelled(catches())


@claim
async def a_bare_except_swallows_a_cancel() -> float:
    async def laps() -> float:
        for _ in range(6):
            try:
                await asyncio.sleep(1)
            except:  # noqa: E722
                pass
        return asyncio.get_running_loop().time()
    [task] = await start(laps())
    await asyncio.sleep(2.5)
    task.cancel()
    return await task


@claim
async def a_task_cancelled_before_its_start_is_never_entered() -> list[str]:
    entered = []

    async def enters() -> None:
        entered.append("entered")
    task = asyncio.create_task(enters())
    task.cancel()
    return [await name_of(task), *entered]


@claim
async def a_cancel_beats_a_result_of_the_same_instant() -> str:
    future = asyncio.get_running_loop().create_future()

    async def waits() -> int:
        return await future
    [task] = await start(waits())
    future.set_result(12)
    task.cancel()
    return await name_of(task)


@claim
async def a_cancel_that_meets_no_wait() -> str:
    async def cancels_itself() -> int:
        me = asyncio.current_task()
        assert me
        me.cancel()
        return 12
    return await name_of(asyncio.create_task(cancels_itself()))


@claim
async def uncancel_in_the_step_of_the_cancel() -> str:
    async def takes_back() -> str:
        me = asyncio.current_task()
        assert me
        me.cancel()
        me.uncancel()
        return await name_of(asyncio.sleep(1, "taken back"))
    return await asyncio.create_task(takes_back())


@claim
async def a_cancel_goes_down_an_await() -> bool:
    [child] = await start(forever())

    async def waits() -> None:
        await child
    [parent] = await start(waits())
    parent.cancel()
    await asyncio.wait([parent])
    return child.cancelled()


@claim
async def an_await_in_finally_works() -> str:
    async def cleans_up() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(1)
            done.append("cleaned up")
    done: list[str] = []
    await cancelled(cleans_up())
    return " ".join(done)


@claim
async def await_os_remove() -> list[Any]:
    handle, path = tempfile.mkstemp()
    os.close(handle)

    async def removes() -> None:
        await os.remove(path)  # type: ignore[func-returns-value]
    return [await name_of(removes()), os.path.exists(path)]


@claim
async def a_shield_tells_who_awaits_at_once() -> list[Any]:
    [inner] = await start(asyncio.sleep(1, "inner"))

    async def waits() -> None:
        await asyncio.shield(inner)
    said = await cancelled(waits())
    return [said, inner.done(), await inner]


# ---- Groups, gather, waiting for several --------------------------------------------------------


@claim
async def a_failure_interrupts_the_body_of_a_group() -> str:
    seen = ""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            try:
                await forever()
            except asyncio.CancelledError:
                seen = "interrupted"
                raise
    except Exception:       # an ExceptionGroup
        pass
    return seen


@claim
async def a_failure_interrupts_the_body_of_an_inner_group() -> float:
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(asyncio.sleep(0.1)).add_done_callback(lambda done: outer.create_task(fails()))
            async with asyncio.TaskGroup():
                await asyncio.sleep(10)
    except Exception:       # an ExceptionGroup
        pass
    return asyncio.get_running_loop().time()


@claim
async def a_group_that_is_left_by_an_exception() -> str:
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(forever())
            await asyncio.sleep(0)
            raise ValueError
    except Exception:       # an ExceptionGroup
        pass
    return "cancels its tasks" if task.cancelled() else "leaves them"


@claim
async def an_owner_cancelled_while_its_tasks_fail() -> list[str]:
    async def fails_when_told() -> None:
        try:
            await forever()
        finally:
            raise ValueError

    async def owns() -> list[str]:
        seen = "nothing"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails_when_told())
        except BaseException as fault:
            seen = type(fault).__name__
        return [seen, await name_of(asyncio.sleep(1, "went on"))]
    [owner] = await start(owns())
    await asyncio.sleep(0)
    owner.cancel()
    return await owner


@claim
async def a_spawn_into_a_group_that_is_failing() -> str:
    late = forever()
    refused = "taken"
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            try:
                await forever()
            finally:
                try:
                    group.create_task(late)
                except RuntimeError:
                    refused = "refused"
    except Exception:       # an ExceptionGroup
        pass
    late.close()
    return refused


@claim
async def a_child_cancelled_by_hand() -> list[str]:
    [child] = await start(forever())
    gathered = asyncio.gather(child)
    child.cancel()
    seen = [await name_of(gathered)]
    async with asyncio.TaskGroup() as group:
        group.create_task(forever()).cancel()
    return [*seen, "the group ended well"]


@claim
async def gather_that_fails() -> str:
    [other] = await start(forever())
    await name_of(asyncio.gather(fails(), other))
    await asyncio.sleep(1)
    return "leaves the others running" if not other.done() else "ends the others"


@claim
async def wait_whose_timeout_is_over() -> str:
    [task] = await start(forever())
    await asyncio.wait([task], timeout=1)
    await asyncio.sleep(1)
    return "cancels nothing" if not task.done() else "cancels"


@claim
async def wait_for_no_tasks() -> str:
    return await name_of(asyncio.wait([]))


@claim
async def timeout_ends_its_block() -> list[str]:
    seen: list[str] = []

    async def block() -> None:
        async with asyncio.timeout(1):
            try:
                await forever()
            except BaseException as fault:
                seen.append(type(fault).__name__)
                raise
    return [await name_of(block()), *seen]


@claim
async def wait_for_without_time_starts_nothing() -> list[str]:
    entered: list[str] = []

    async def enters() -> None:
        entered.append("entered")
    return [await name_of(asyncio.wait_for(enters(), 0)), *entered]


@claim
async def wait_for_cancels_a_task_it_was_given() -> bool:
    [task] = await start(forever())
    await name_of(asyncio.wait_for(task, 1))
    return task.cancelled()


@claim
async def plain_for_over_as_completed() -> list[str]:
    tasks = await start(asyncio.sleep(1), asyncio.sleep(2))
    kinds = []
    for each in asyncio.as_completed(tasks):
        kinds.append("the task" if each in tasks else "coroutine" if asyncio.iscoroutine(each) else type(each).__name__)
        await each
    return kinds


@claim
async def async_for_over_as_completed() -> list[str]:
    tasks = await start(asyncio.sleep(1), asyncio.sleep(2))
    try:
        return ["the task" if each in tasks else type(each).__name__ async for each in asyncio.as_completed(tasks)]
    except TypeError as fault:
        return [type(fault).__name__]


# ---- Who is served first ------------------------------------------------------------------------


@claim
async def a_getter_that_was_overtaken() -> list[str]:
    queue: asyncio.Queue[int] = asyncio.Queue()
    got: list[str] = []

    async def gets(name: str) -> None:
        got.append(f"{name} {await queue.get()}")
    tasks = await start(gets("first"), gets("second"))
    queue.put_nowait(1)                                 # wakes the first
    got.append(f"intruder {queue.get_nowait()}")        # but was there before it ran
    await asyncio.sleep(0)
    for item in (2, 3):
        queue.put_nowait(item)
        await asyncio.sleep(0)
    await asyncio.wait(tasks)
    return got


@claim
async def a_semaphore_hands_its_place_over() -> list[Any]:
    semaphore = asyncio.Semaphore(0)
    order: list[str] = []

    async def enters(name: str) -> None:
        await semaphore.acquire()
        order.append(name)
    tasks = await start(enters("first"), enters("second"))
    semaphore.release()
    free = not semaphore.locked()
    tasks += await start(enters("late"))
    for _ in range(2):
        semaphore.release()
    await asyncio.wait(tasks)
    return ["free" if free else "handed over", *order]


@claim
async def a_place_left_over_while_a_task_that_was_served_has_not_run() -> list[int]:
    semaphore = asyncio.Semaphore(1)
    order: list[int] = []

    async def enters(number: int) -> None:
        await semaphore.acquire()
        order.append(number)

    async def enters_releases_enters() -> None:
        await enters(2)
        semaphore.release()
        await enters(4)
    tasks = await start(enters(1), enters_releases_enters(), enters(3))
    semaphore.release()
    semaphore.release()
    await asyncio.wait(tasks)
    return order


@claim
async def places_released_at_once() -> list[int]:
    semaphore = asyncio.Semaphore(0)
    order: list[int] = []

    async def enters(number: int) -> None:
        await semaphore.acquire()
        order.append(number)

    async def releases_three_and_enters() -> None:
        for _ in range(3):
            semaphore.release()
        await enters(2)
    await asyncio.wait([asyncio.create_task(each) for each in (enters(1), releases_three_and_enters(), enters(3))])
    return order


@claim
async def a_lock_is_not_taken_before_who_waits_for_it() -> list[str]:
    lock = asyncio.Lock()
    order: list[str] = []

    async def locks(name: str) -> None:
        async with lock:
            order.append(name)
    await lock.acquire()
    tasks = await start(locks("first"))
    lock.release()
    await locks("who released it")
    await asyncio.wait(tasks)
    return order


@claim
async def anybody_releases_a_lock() -> str:
    lock = asyncio.Lock()
    await lock.acquire()

    async def releases() -> None:
        lock.release()
    await asyncio.create_task(releases())
    return "released" if not lock.locked() else "held"


@claim
async def callbacks_that_are_ready() -> list[int]:
    order: list[int] = []
    for number in range(8):
        asyncio.get_running_loop().call_soon(order.append, number)
    await asyncio.sleep(1)
    return order


@claim
async def timers_of_one_instant() -> list[int]:
    order: list[int] = []
    for number in range(8):
        asyncio.get_running_loop().call_at(1, order.append, number)
    await asyncio.sleep(2)
    return order


@claim
async def queue_has_shutdown() -> bool:
    return hasattr(asyncio.Queue(), "shutdown")


# ---- What hangs, what is lost, who tells ---------------------------------------------------------


def hangs(program: Coroutine[Any, Any, Any]) -> list[str]:
    """Whether `program` waits for ever, and what is said of it in debug mode."""
    with logged() as said, asyncio.Runner(loop_factory=Loop, debug=True) as runner:
        runner.get_loop().slow_callback_duration = 1e9
        try:
            runner.run(program)
        except WaitsForEver:
            return ["waits for ever", *said]
    return ["ends", *said]


@plain_claim
def a_lock_taken_twice() -> list[str]:
    async def twice() -> None:
        lock = asyncio.Lock()
        async with lock, lock:
            pass
    return hangs(twice())


@plain_claim
def two_tasks_cross_two_locks() -> list[str]:
    async def crosses() -> None:
        async def takes(one: asyncio.Lock, other: asyncio.Lock) -> None:
            async with one:
                await asyncio.sleep(0)
                async with other:
                    pass
        brush, paint = asyncio.Lock(), asyncio.Lock()
        await asyncio.gather(takes(brush, paint), takes(paint, brush))
    return hangs(crosses())


@claim
async def a_worker_that_fails_before_its_task_done() -> list[bool]:
    async def works(queue: asyncio.Queue[int], careful: bool) -> None:
        await queue.get()
        try:
            raise ValueError
        finally:
            if careful:
                queue.task_done()
    joined = []
    for careful in (False, True):
        queue: asyncio.Queue[int] = asyncio.Queue()
        queue.put_nowait(1)
        await name_of(works(queue, careful))
        joined.append(await name_of(asyncio.wait_for(queue.join(), 1)) != "TimeoutError")
    return joined


@plain_claim
def an_error_nobody_asks_for() -> list[str]:
    async def main() -> str:
        [_task] = await start(fails())
        return "the program goes on"
    with logged() as said, asyncio.Runner(loop_factory=Loop) as runner:
        result = runner.run(main())
        gc.collect()
    return [result, *(line.split("\n")[0] for line in said)]


@plain_claim
def a_task_without_a_reference() -> list[str]:
    async def waits() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        asyncio.create_task(waits())
        await asyncio.sleep(0)
        gc.collect()
    with logged() as said, asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())
    return [line.split("\n")[0] for line in said]


@plain_claim
def a_coroutine_without_await() -> list[str]:
    ran: list[str] = []

    async def runs() -> None:
        ran.append("it ran")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runs()
        gc.collect()
    return [*ran, *(str(one.message).rsplit(" ", 3)[-3:] == ["was", "never", "awaited"] and one.category.__name__ or "?"
                    for one in caught)]


@plain_claim
def debug_mode() -> list[Any]:
    """Who holds the loop for more than slow_callback_duration, and who goes on after a cancel: which is told?"""
    async def holds_the_loop() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        loop.jump.now += 0.15
        await asyncio.sleep(0)

    async def ignores() -> None:
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)

    async def main() -> float:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.create_task(holds_the_loop(), name="slow")
        await cancelled(ignores())
        return asyncio.get_running_loop().slow_callback_duration
    with logged() as said, asyncio.Runner(loop_factory=Loop, debug=True) as runner:
        limit = runner.run(main())
    told = [line for line in said if line.startswith("Executing")]
    return [limit, ["slow" if "name='slow'" in line else line for line in told], ["cancel" in line for line in said]]


@claim
async def a_generator_that_is_left_early() -> list[str]:
    seen: list[str] = []

    async def drills() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            seen.append("closed")
    async for _ in drills():
        break
    seen.append("behind the loop")
    await asyncio.sleep(1)
    seen.append("a second later")
    generator = drills()
    async for _ in generator:
        break
    await generator.aclose()    # type: ignore[attr-defined]
    return [*seen, "behind aclose"]


@plain_claim
def a_test_that_leaves_a_task_behind() -> list[Any]:
    """Of IsolatedAsyncioTestCase: whether it passes, what is printed, logged, warned of, what became of the task."""
    tasks: list[asyncio.Task[None]] = []

    class Leaves(unittest.IsolatedAsyncioTestCase):
        async def test(self) -> None:
            tasks.append(asyncio.create_task(forever()))
            await asyncio.sleep(0)
    out, errors = io.StringIO(), io.StringIO()
    with logged() as said, contextlib.redirect_stderr(errors), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = unittest.TextTestRunner(out).run(unittest.defaultTestLoader.loadTestsFromTestCase(Leaves))
        gc.collect()
    about = [str(one.message) for one in caught if "task" in str(one.message).lower()]
    slow = [line for line in said if not line.startswith("Executing")]
    said_so = "task" in out.getvalue().lower()
    return [result.wasSuccessful(), said_so, errors.getvalue(), slow, about, tasks[0].cancelled()]


@plain_claim
def run_inside_a_running_loop() -> str:
    async def main() -> str:
        inner = forever()
        try:
            asyncio.run(inner)
        except RuntimeError as fault:
            return str(fault)
        finally:
            inner.close()
        return "runs"
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main())


@plain_claim
def a_runner_keeps_its_context() -> int:
    number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)

    async def sets() -> None:
        number.set(1)

    async def looks() -> int:
        return number.get()
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(sets())
        return runner.run(looks())


@plain_claim
def ctrl_c_while_running() -> list[str]:
    """asyncio.run cancels the main task, and raises KeyboardInterrupt when that has ended."""
    seen: list[str] = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(1)
        except BaseException as fault:
            seen.append(type(fault).__name__)
            raise
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(main())
    except BaseException as fault:
        seen.append(type(fault).__name__)
    return seen


# ---- Clocks, words, sizes ------------------------------------------------------------------------


@plain_claim
def a_loop_with_another_time_only() -> list[float]:
    """A loop with a time() of its own waits all the same: what does it ask its selector for, to sleep an hour?"""
    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Loop)
        runner.run(asyncio.sleep(3600))
        return loop.jump.asked


@claim
async def a_wait_without_the_word_await() -> list[str]:
    order: list[str] = []
    lock = asyncio.Lock()
    await lock.acquire()

    async def enters() -> None:
        order.append("comes")
        async with lock:
            order.append("has it")
    tasks = await start(enters())
    order.append("another runs")
    lock.release()
    await asyncio.wait(tasks)
    return order


@plain_claim
def size_of_a_coroutine() -> int:
    """Bytes of a coroutine that has not ended, and of the task round it."""
    coroutine = forever()

    async def main() -> int:
        task = asyncio.create_task(coroutine)
        await asyncio.sleep(0)
        size = sys.getsizeof(coroutine) + sys.getsizeof(task)
        task.cancel()
        return size
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main())


@plain_claim
def knows_of_builds_without_the_gil() -> bool:
    return sysconfig.get_config_var("Py_GIL_DISABLED") is not None


if __name__ == "__main__":
    print(json.dumps({name: seen() for name, seen in CLAIMS.items()}))
