/* alarm.c - waking up at a nanosecond. libuv's timers count whole milliseconds, which the sum of many short sleeps
 * would not bear; so a timerfd, where there is one, is watched like a socket. An alarm that is set stays, though nobody
 * may want it any more: most are of limits that never run out, and one in vain is cheaper than one call for each. */
#include "real.h"

#ifdef RW_EPOLL

#include <sys/timerfd.h>
#include <unistd.h>

void rw_alarm_rings(struct real *world)
{
    uint64_t times;
    if (read(world->alarm_fd, &times, sizeof times) == (ssize_t)sizeof times)
        world->alarm_at = INT64_MAX;
}

bool rw_alarm_open(struct real *world)
{
    world->alarm_at = INT64_MAX;
    world->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return world->alarm_fd >= 0 && rw_watch_alarm(world, world->alarm_fd);
}

void rw_alarm_set(struct real *world, int64_t until)
{
    struct itimerspec when = {0};
    if (until >= world->alarm_at)
        return;
    world->alarm_at = until;
    uint64_t ns = world->begin + (uint64_t)until;       /* uv_hrtime is CLOCK_MONOTONIC here */
    when.it_value = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    timerfd_settime(world->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void rw_alarm_close(struct real *world)
{
    close(world->alarm_fd);
}

#else

static void on_alarm(uv_timer_t *timer)
{
    ((struct real *)timer->data)->alarm_at = INT64_MAX;
}

bool rw_alarm_open(struct real *world)
{
    world->alarm_at = INT64_MAX;
    world->alarm_timer.data = world;
    return uv_timer_init(&world->loop, &world->alarm_timer) == 0;
}

void rw_alarm_set(struct real *world, int64_t until)
{
    if (until >= world->alarm_at)
        return;
    world->alarm_at = until;
    uv_update_time(&world->loop);
    int64_t left = until - rw_now(world);
    uv_timer_start(&world->alarm_timer, on_alarm, left > 0 ? ((uint64_t)left + 999999) / 1000000 : 0, 0);
}

void rw_alarm_close(struct real *world)
{
    uv_close((uv_handle_t *)&world->alarm_timer, NULL);
}

#endif
