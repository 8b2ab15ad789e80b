"""Trio, with its clock that jumps to the next timer (trio.testing.MockClock with autojump)."""

from __future__ import annotations

import trio
import trio.testing

from peer import BATCH, CROWD, delays, run, watch


async def yield_often(n: int) -> None:
    for _ in range(n):
        await trio.sleep(0)


async def bench_yield(count: int) -> int:
    with watch:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(yield_often, count // 2)
            await yield_often(count // 2)
    return count


async def nothing() -> None:
    pass


async def bench_spawn(count: int) -> int:
    done = 0
    with watch:
        while done < count:
            async with trio.open_nursery() as nursery:
                for _ in range(CROWD):
                    nursery.start_soon(nothing)
            done += CROWD
    return done


async def bench_queue(count: int) -> int:
    send, receive = trio.open_memory_channel(128)

    async def produce() -> None:
        for i in range(count):
            await send.send(i)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        with watch:
            for _ in range(count):
                await receive.receive()
    return count


async def bench_rendezvous(count: int) -> int:
    send_there, receive_there = trio.open_memory_channel(1)
    send_back, receive_back = trio.open_memory_channel(1)

    async def echo() -> None:
        for _ in range(count // 2):
            await send_back.send(await receive_there.receive())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        with watch:
            for i in range(count // 2):
                await send_there.send(i)
                await receive_back.receive()
    return count


async def hand_over(thing, count: int) -> int:
    """Of a lock or a semaphore."""

    async def often() -> None:
        await thing.acquire()
        for _ in range(count // 2):
            thing.release()
            await thing.acquire()
        thing.release()

    with watch:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(often)
            nursery.start_soon(often)
    return count


async def bench_lock(count: int) -> int:
    return await hand_over(trio.Lock(), count)


async def bench_sem(count: int) -> int:
    return await hand_over(trio.Semaphore(1), count)


async def bench_event(count: int) -> int:
    """A Trio event is set once: each round has a new one."""
    event = trio.Event()
    over = False

    async def listen() -> None:
        while not over:
            await event.wait()

    done = 0
    async with trio.open_nursery() as nursery:
        for _ in range(CROWD):
            nursery.start_soon(listen)
        await trio.sleep(0)
        await trio.sleep(0)
        with watch:
            while done < count:
                set_now, event = event, trio.Event()
                set_now.set()
                await trio.testing.wait_all_tasks_blocked()
                done += CROWD
        over = True
        event.set()
    return done


async def bench_cancel(count: int) -> int:
    never = trio.Event()

    async def wait_for_ever(scope: trio.CancelScope) -> None:
        with scope:
            await never.wait()

    done = 0
    while done < count:
        async with trio.open_nursery() as nursery:
            scopes = [trio.CancelScope() for _ in range(BATCH)]
            for scope in scopes:
                nursery.start_soon(wait_for_ever, scope)
            await trio.testing.wait_all_tasks_blocked()
            watch.__enter__()
            for scope in scopes:
                scope.cancel()
        watch.__exit__()
        done += BATCH
    return done


async def bench_timeout(count: int) -> int:
    with watch:
        for _ in range(count):
            with trio.move_on_after(1):
                pass
    return count


def bench_sleep(tasks: int):
    async def bench(count: int) -> int:
        slept = 0
        over = False

        async def sleep_often(seed: int) -> None:
            nonlocal slept
            for delay in delays(seed):
                await trio.sleep(delay)
                slept += 1
                if over:
                    return

        async with trio.open_nursery() as nursery:
            for i in range(tasks):
                nursery.start_soon(sleep_often, i)
            await trio.sleep(1)
            before = slept
            with watch:
                await trio.sleep(count / tasks * 0.5)
            done = slept - before
            over = True
        return done

    return bench


def start(bench, count: int) -> int:
    return trio.run(bench, count, clock=trio.testing.MockClock(autojump_threshold=0))


run({"yield": bench_yield, "spawn": bench_spawn, "queue": bench_queue, "rendezvous": bench_rendezvous,
     "lock": bench_lock,
     "sem": bench_sem, "event": bench_event, "cancel": bench_cancel, "timeout": bench_timeout,
     "sleep_1k": bench_sleep(1000), "sleep_10k": bench_sleep(10000)}, start)
