/* clock.h - the virtual world's clock, led by the real one. */
#ifndef CLOCK_H
#define CLOCK_H

#include "../world.h"

#include <stdbool.h>
#include <uv.h>

struct clock {
    struct co_world *world;
    void (*deliver)(const struct world_completion *);   /* is given what the world completes              */
    void (*settled)(struct clock *);                    /* called when all has been delivered             */
    uv_poll_t alarm;
    int alarm_fd;
    uint64_t begin;                 /* uv_hrtime when the world's clock stood at 0              */
    bool catching_up;               /* clock_catch_up is at work: what `deliver` does may lead to it again */
};

/* Prepares the alarm, in a loop of libuv. Returns 0, or libuv's negative error. */
int clock_prepare(struct clock *clock, uv_loop_t *loop);
/* From now on the world's time runs, from 0. */
void clock_begin(struct clock *clock);
/* Leads the world's clock up to now, delivers what it has completed until then, and sets the alarm for what comes
 * next. Called before the world is asked for something, so that it is asked now. Does not wait. */
void clock_catch_up(struct clock *clock);

#endif
