/* clock.c - the virtual world's clock, led by the real one: up to now, then an alarm for its next event. */
#include "clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { AT_ONCE = 64 };

/* Rings at the world's next event. */
static void set_alarm(struct clock *clock)
{
    int64_t next = world_virtual_next(clock->world);
    struct itimerspec when = {0};
    if (next != INT64_MAX) {
        uint64_t ns = clock->begin + (uint64_t)next;
        when.it_value = (struct timespec){.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    }
    timerfd_settime(clock->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void clock_catch_up(struct clock *clock)
{
    struct world_completion out[AT_ONCE];
    int64_t now = (int64_t)(uv_hrtime() - clock->begin);
    if (clock->catching_up)
        return;
    clock->catching_up = true;
    for (size_t n; (n = clock->world->wait(clock->world, now, out, AT_ONCE)) > 0;)
        for (size_t i = 0; i < n; i++)
            if (out[i].user)            /* else a person asks a program to end: there is none */
                clock->deliver(&out[i]);
    clock->settled(clock);
    clock->catching_up = false;
    set_alarm(clock);
}

static void on_alarm(uv_poll_t *alarm, int status, int events)
{
    struct clock *clock = alarm->data;
    uint64_t times;
    (void)status, (void)events;
    if (read(clock->alarm_fd, &times, sizeof times) == (ssize_t)sizeof times)
        clock_catch_up(clock);
}

int clock_prepare(struct clock *clock, uv_loop_t *loop)
{
    clock->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (clock->alarm_fd < 0)
        return -errno;
    clock->alarm.data = clock;
    int rc = uv_poll_init(loop, &clock->alarm, clock->alarm_fd);
    return rc < 0 ? rc : uv_poll_start(&clock->alarm, UV_READABLE, on_alarm);
}

void clock_begin(struct clock *clock)
{
    clock->begin = uv_hrtime();
}
