/* alarm.c - waking up at a nanosecond. libuv's timers count whole milliseconds, which the sum of many short sleeps
 * would not bear; so a timerfd, where there is one, is watched like a socket. */
#include "real.h"

#ifdef __linux__

#include <sys/timerfd.h>
#include <unistd.h>

static void on_alarm(uv_poll_t *poll, int status, int events)
{
    struct real *world = poll->data;
    uint64_t times;
    (void)status, (void)events;
    if (read(world->alarm_fd, &times, sizeof times) == (ssize_t)sizeof times)
        world->alarm_at = INT64_MAX;
}

bool rw_alarm_open(struct real *world)
{
    world->alarm_at = INT64_MAX;
    world->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (world->alarm_fd < 0 || uv_poll_init(&world->loop, &world->alarm, world->alarm_fd) < 0)
        return false;
    world->alarm.data = world;
    return uv_poll_start(&world->alarm, UV_READABLE, on_alarm) == 0;
}

void rw_alarm_set(struct real *world, int64_t until)
{
    struct itimerspec when = {0};
    if (until == world->alarm_at)
        return;
    world->alarm_at = until;
    if (until != INT64_MAX) {       /* uv_hrtime is CLOCK_MONOTONIC here */
        uint64_t ns = world->begin + (uint64_t)until;
        when.it_value = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    }
    timerfd_settime(world->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void rw_alarm_close(struct real *world)
{
    uv_close((uv_handle_t *)&world->alarm, NULL);
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
    if (until == world->alarm_at)
        return;
    world->alarm_at = until;
    uv_timer_stop(&world->alarm_timer);
    uv_update_time(&world->loop);
    int64_t left = until - rw_now(world);
    if (until != INT64_MAX)
        uv_timer_start(&world->alarm_timer, on_alarm, left > 0 ? ((uint64_t)left + 999999) / 1000000 : 0, 0);
}

void rw_alarm_close(struct real *world)
{
    uv_close((uv_handle_t *)&world->alarm_timer, NULL);
}

#endif
