#!/bin/sh
# anyio: send(0) says that it was sent, though the only receiver has gone; send(1) says that it was not.
#
# Seen on anyio 3.6.2 (Debian 12's package python3-anyio 3.6.2-1, with python3-sniffio 1.2.0-1 and python3-idna
# 3.3-1+deb12u1) under CPython 3.11.2, on asyncio. It is known there since 2024; later versions were not tried.
#
# A memory object stream without a buffer hands an item from task to task: who sends waits until somebody receives. By
# anyio's API reference a send raises BrokenResourceError where the stream has been closed at the receiving end. So one
# expects it of a sender that waits while the last receiver closes, whatever the item is, for nobody has it.
#
# It matters what the item is: one that counts as false in Python, such as 0, None, an empty string or list, is sent
# without an error, and nobody has it. Whether an item was left over is asked of the item itself, not of its being
# there. It is only so for who waits already: with the receiver gone beforehand, send(0) fails as it should. So a
# program that passes counts, flags or chunks of bytes loses the zeros and the ends, and believes that they arrived.
#
# Exit 0: it is still so. 1: it has changed. 2: these versions cannot be had.
set -eu

version=3.6.2-1
python=/usr/bin/python3.11
for tool in "$python" apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"
apt-get download -q "python3-anyio=$version" python3-sniffio=1.2.0-1 python3-idna=3.3-1+deb12u1 >log 2>&1 ||
    { cat log >&2; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" . || exit 2; done

cat >send.py <<'PROGRAM'
import sys

sys.path.insert(0, "usr/lib/python3/dist-packages")

import anyio


async def sends(stream, item, told):
    try:
        await stream.send(item)
        told.append("sent")
    except anyio.BrokenResourceError:
        told.append("refused")


async def main():
    lines = []
    for item in 0, None, "", b"", 1, "x":
        told = []
        async with anyio.create_task_group() as tasks:
            here, there = anyio.create_memory_object_stream(0)
            tasks.start_soon(sends, here, item, told)
            await anyio.wait_all_tasks_blocked()    # the sender waits
            there.close()                           # and nobody has received
        lines.append(f"{item!r} {told[0]}")
    told = []
    here, there = anyio.create_memory_object_stream(0)
    there.close()
    await sends(here, 0, told)
    lines.append(f"0 too late {told[0]}")
    print(", ".join(lines))

anyio.run(main)
PROGRAM
seen=$(timeout 20 "$python" -I send.py) || seen="$seen (exit $?)"
wanted="0 sent, None sent, '' sent, b'' sent, 1 refused, 'x' refused, 0 too late refused"
echo "anyio $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
