#!/bin/sh
# libuv: a timer of 0 ms that a timer starts fires in the same turn of the loop, before anybody else has a turn.
#
# Seen on libuv 1.44.2 (Debian 12's packages libuv1 and libuv1-dev 1.44.2-1+deb12u1, amd64).
#
# libuv's manual, in "uv_timer_t", has a timer with a timeout of zero fire in the next turn of the loop. A callback that
# starts its own timer again with 0 would so be a way to do a long job in pieces and let others have their turns.
#
# Nobody has one. The loop calls timers for as long as one is due, and one that was started with 0 a moment ago is due
# at once, since the loop's clock stands still meanwhile. Here a callback starts its timer again until it has been
# called five times. A check handle counts turns: there is none between these calls; and a byte that lay in a pipe
# before the first of them is read after the last. With 1 in place of 0 there are turns in between, and the byte is read
# after the first. A timer of 0 that is started by a check handle does wait for the next turn.
#
# Exit 0: it is still so. 1: it has changed. 2: these versions cannot be had.
set -eu

version=1.44.2-1+deb12u1
for tool in gcc apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"
apt-get download -q "libuv1=$version" "libuv1-dev=$version" >log 2>&1 || { cat log >&2; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" . || exit 2; done

cat >turns.c <<'PROGRAM'
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

static int turns, calls, byte_after, again_ms;
static uv_timer_t timer;

static void five_times(uv_timer_t *which)
{
    if (++calls < 5)
        uv_timer_start(which, five_times, (uint64_t)again_ms, 0);
    else
        uv_stop(which->loop);
}

static void once(uv_timer_t *which)
{
    uv_stop(which->loop);
}

static void count(uv_check_t *check)
{
    (void)check;
    turns++;
}

static void count_and_start(uv_check_t *check)
{
    if (++turns == 1)
        uv_timer_start(&timer, once, 0, 0);
    (void)check;
}

static void never_wait(uv_idle_t *idle)
{
    (void)idle;
}

static void readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    byte_after = calls;
    uv_poll_stop(poll);
}

static void run(uv_check_cb checked, uv_poll_t *poll, int from)
{
    static uv_loop_t loops[3];
    static uv_check_t checks[3];
    static uv_idle_t idles[3];
    static int n;

    turns = calls = byte_after = 0;
    uv_loop_init(&loops[n]);
    uv_check_init(&loops[n], &checks[n]);
    uv_check_start(&checks[n], checked);
    uv_idle_init(&loops[n], &idles[n]);
    uv_idle_start(&idles[n], never_wait);
    uv_timer_init(&loops[n], &timer);
    if (poll) {
        uv_poll_init(&loops[n], poll, from);
        uv_poll_start(poll, UV_READABLE, readable);
        uv_timer_start(&timer, five_times, 0, 0);
    }
    uv_run(&loops[n++], UV_RUN_DEFAULT);
}

int main(void)
{
    static uv_poll_t polls[2];
    int ends[2];

    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
        return 2;
    for (again_ms = 0; again_ms < 2; again_ms++) {
        run(count, &polls[again_ms], ends[0]);
        // The turn in which the loop is stopped is finished, and counted.
        printf("%d ms: %s turns between, the byte after call %d; ", again_ms, turns > 1 ? "with" : "no", byte_after);
    }
    run(count_and_start, NULL, -1);
    printf("from a check: %d turn between\n", turns - 1);
    return 0;
}
PROGRAM
gcc -Iusr/include turns.c -o turns "$(echo usr/lib/*/libuv.so.1)" >log 2>&1 || { cat log >&2; exit 2; }
seen=$(LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu) timeout 20 ./turns) || seen="$seen (exit $?)"
wanted="0 ms: no turns between, the byte after call 5; 1 ms: with turns between, the byte after call 1; \
from a check: 1 turn between"
echo "libuv $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
