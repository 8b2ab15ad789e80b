#!/bin/sh
# CPython's asyncio: a task that waits first at a Queue may be served last, though an item was put in for it.
#
# Seen on CPython 3.11.2 (Debian 12's package python3.11, /usr/bin/python3.11); the same on 3.12.1, 3.13.0, 3.13.2,
# 3.14.2 and 3.15.0rc1.
#
# Queue.put_nowait wakes the task that has waited longest, but leaves the item in the queue until that task runs. Who
# comes in between takes it. The woken task then finds the queue empty and waits again, at the *end* of the line: behind
# all that came after it. A crowded queue can so starve a task, and nothing tells of it. asyncio.Semaphore is different:
# its release gives the place to the first in line, and who comes in between has to wait.
#
# What one expects of 1, 2, 3: at least that "first" has 2, since the intruder has 1. What comes: "second" has it.
#
# Exit 0: it is still so. 1: it has changed. 2: this is another version, or none.
set -eu

python=/usr/bin/python3.11
[ -x "$python" ] || { echo "$0: needs Debian 12's package python3.11" >&2; exit 2; }
version=$("$python" -I -c 'import platform; print(platform.python_version())')
[ "$version" = 3.11.2 ] || { echo "$0: tried on CPython 3.11.2, this is $version" >&2; exit 2; }

seen=$("$python" -I - <<'PROGRAM'
import asyncio


async def main():
    queue = asyncio.Queue()
    got = []

    async def getter(name):
        got.append(f"{name}={await queue.get()}")

    tasks = []
    for name in ("first", "second"):
        tasks.append(asyncio.create_task(getter(name)))
        await asyncio.sleep(0)
    queue.put_nowait(1)                             # wakes the first
    got.append(f"intruder={queue.get_nowait()}")    # who has not run yet
    await asyncio.sleep(0)
    for item in (2, 3):
        queue.put_nowait(item)
        await asyncio.sleep(0)
    await asyncio.wait(tasks)

    semaphore = asyncio.Semaphore(0)

    async def enters(name):
        await semaphore.acquire()
        got.append(f"{name} enters")

    tasks = [asyncio.create_task(enters("first"))]
    await asyncio.sleep(0)
    semaphore.release()                             # the place is the first's, though it has not run yet
    tasks.append(asyncio.create_task(enters("intruder")))
    got.append("no place is left" if semaphore.locked() else "a place is left")
    await asyncio.sleep(0)
    semaphore.release()
    await asyncio.wait(tasks)
    print(", ".join(got))

asyncio.run(main())
PROGRAM
)
wanted="intruder=1, second=2, first=3, no place is left, first enters, intruder enters"
echo "CPython $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
