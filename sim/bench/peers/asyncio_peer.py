"""asyncio, with a loop of our own whose time is virtual: where it would wait for a timer, its clock jumps there."""

from __future__ import annotations

import asyncio
import selectors

from peer import BATCH, CROWD, delays, run, watch


class Jump(selectors.SelectSelector):
    """Never waits; notes how long it should have."""

    now = 0.0

    def select(self, timeout=None):
        if timeout:
            self.now += timeout
        return ()


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.now


async def yield_often(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep(0)


async def bench_yield(count: int) -> int:
    other = asyncio.create_task(yield_often(count // 2))
    with watch:
        await yield_often(count // 2)
        await other
    return count


async def nothing() -> None:
    pass


async def bench_spawn(count: int) -> int:
    done = 0
    with watch:
        while done < count:
            async with asyncio.TaskGroup() as group:
                for _ in range(CROWD):
                    group.create_task(nothing())
            done += CROWD
    return done


async def bench_queue(count: int) -> int:
    queue: asyncio.Queue = asyncio.Queue(128)

    async def produce() -> None:
        for i in range(count):
            await queue.put(i)

    task = asyncio.create_task(produce())
    with watch:
        for _ in range(count):
            await queue.get()
    await task
    return count


async def bench_rendezvous(count: int) -> int:
    there: asyncio.Queue = asyncio.Queue(1)
    back: asyncio.Queue = asyncio.Queue(1)

    async def echo() -> None:
        for _ in range(count // 2):
            await back.put(await there.get())

    task = asyncio.create_task(echo())
    with watch:
        for i in range(count // 2):
            await there.put(i)
            await back.get()
    await task
    return count


async def hand_over(thing, count: int) -> int:
    """Of a lock or a semaphore that is taken."""

    async def often() -> None:
        await thing.acquire()
        for _ in range(count // 2):
            thing.release()
            await thing.acquire()
        thing.release()

    tasks = [asyncio.create_task(often()) for _ in range(2)]
    await asyncio.sleep(0)
    with watch:
        thing.release()
        await asyncio.gather(*tasks)
    return count


async def bench_lock(count: int) -> int:
    lock = asyncio.Lock()
    await lock.acquire()
    return await hand_over(lock, count)


async def bench_sem(count: int) -> int:
    return await hand_over(asyncio.Semaphore(0), count)


async def bench_event(count: int) -> int:
    event = asyncio.Event()
    over = False

    async def listen() -> None:
        while not over:
            await event.wait()

    tasks = [asyncio.create_task(listen()) for _ in range(CROWD)]
    await asyncio.sleep(0)
    done = 0
    with watch:
        while done < count:
            event.set()
            event.clear()
            await asyncio.sleep(0)
            done += CROWD
    over = True
    event.set()
    await asyncio.gather(*tasks)
    return done


async def bench_cancel(count: int) -> int:
    never = asyncio.Event()
    done = 0
    while done < count:
        tasks = [asyncio.create_task(never.wait()) for _ in range(BATCH)]
        await asyncio.sleep(0)
        with watch:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        done += BATCH
    return done


async def bench_timeout(count: int) -> int:
    with watch:
        for _ in range(count):
            async with asyncio.timeout(1):
                pass
    return count


def bench_sleep(tasks: int):
    async def bench(count: int) -> int:
        slept = 0
        over = False

        async def sleep_often(seed: int) -> None:
            nonlocal slept
            for delay in delays(seed):
                await asyncio.sleep(delay)
                slept += 1
                if over:
                    return

        all_tasks = [asyncio.create_task(sleep_often(i)) for i in range(tasks)]
        await asyncio.sleep(1)
        before = slept
        with watch:
            await asyncio.sleep(count / tasks * 0.5)
        done = slept - before
        over = True
        await asyncio.gather(*all_tasks)
        return done

    return bench


def start(bench, count: int) -> int:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(bench(count))


run({"yield": bench_yield, "spawn": bench_spawn, "queue": bench_queue, "rendezvous": bench_rendezvous,
     "lock": bench_lock,
     "sem": bench_sem, "event": bench_event, "cancel": bench_cancel, "timeout": bench_timeout,
     "sleep_1k": bench_sleep(1000), "sleep_10k": bench_sleep(10000)}, start)
