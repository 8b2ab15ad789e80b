#!/bin/sh
# State Threads: a thread that is signalled and then interrupted, before it has run, loses the signal for all.
#
# Seen on State Threads 1.9 (Debian 12's packages libst1 and libst-dev 1.9-3.2, amd64).
#
# Two threads wait at a condition variable for an item; a third signals it once and then interrupts the first of them,
# as one does to be rid of a worker. The library's "Programming Reference" says of st_thread_interrupt that a thread
# which is runnable already is told only when it is about to block again. So one expects that the wait of the first,
# which the signal has made runnable, returns 0, and the next blocking call EINTR. Or at least what POSIX asks of
# threads that are cancelled: that who does not take the signal leaves it to another.
#
# The wait of the first returns -1 with EINTR, as if it had not been signalled, and the second is not woken: it waits
# until its time is up, and the item stays where it is. The thread cannot know that it should have passed the signal on.
# A semaphore or a queue made of these two calls so loses a wakeup now and then. The library's own mutex is different: a
# lock that was handed over to a thread is its own though it is interrupted, and it is told at its next wait.
#
# Exit 0: it is still so. 1: it has changed. 2: these versions cannot be had.
set -eu

version=1.9-3.2
for tool in gcc apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"
apt-get download -q "libst1=$version" "libst-dev=$version" >log 2>&1 || { cat log >&2; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" . || exit 2; done

cat >signal.c <<'PROGRAM'
#include <errno.h>
#include <st.h>
#include <stdio.h>

static st_cond_t changed;
static st_mutex_t lock;

static const char *told(int result)
{
    return result == 0 ? "0" : errno == EINTR ? "EINTR" : errno == ETIME ? "ETIME" : "?";
}

static void *waits(void *name)
{
    printf("%s waits: %s, ", (char *)name, told(st_cond_timedwait(changed, 20 * 1000)));
    return NULL;
}

static void *locks(void *name)
{
    printf("%s locks: %s, ", (char *)name, told(st_mutex_lock(lock)));
    printf("sleeps: %s, ", told(st_usleep(1000)));
    st_mutex_unlock(lock);
    return NULL;
}

static st_thread_t started(void *(*function)(void *), char *name)
{
    st_thread_t thread = st_thread_create(function, name, 1, 0);
    st_sleep(0);                                    // it has its turn, and blocks
    return thread;
}

int main(void)
{
    if (st_init() != 0)
        return 2;
    changed = st_cond_new();
    lock = st_mutex_new();

    st_thread_t first = started(waits, "first"), second = started(waits, "second");
    st_cond_signal(changed);                        // makes the first runnable
    st_thread_interrupt(first);                     // which has not run yet
    st_thread_join(first, NULL);
    st_thread_join(second, NULL);

    st_mutex_lock(lock);
    st_thread_t third = started(locks, "third");
    st_mutex_unlock(lock);                          // hands it over to the third
    st_thread_interrupt(third);
    st_thread_join(third, NULL);
    puts("done");
    return 0;
}
PROGRAM
gcc -Iusr/include signal.c -o signal usr/lib/libst.so.1 >log 2>&1 || { cat log >&2; exit 2; }
seen=$(LD_LIBRARY_PATH="$work/usr/lib" timeout 20 ./signal) || seen="$seen (exit $?)"
wanted="first waits: EINTR, second waits: ETIME, third locks: 0, sleeps: EINTR, done"
echo "State Threads $version: $seen"
[ "$seen" = "$wanted" ] || { echo "$0: it was: $wanted" >&2; exit 1; }
