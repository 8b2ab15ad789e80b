/* message.c - queues between two tasks. */
#include "bench.h"

static int item;

/* ---- Buffered -------------------------------------------------------------------------------- */

struct line {
    struct co_queue *queue;
    long count;
};

static int produce(void *arg)
{
    struct line *line = arg;
    int rc = 0;
    for (long i = 0; i < line->count && rc == 0; i++)
        rc = co_queue_put(line->queue, &item);
    return rc;
}

/* Counted: one item that is put and got. Room for 128, one producer, one consumer: they switch once in 128 items. */
int bench_queue(void *arg)
{
    struct bench *bench = arg;
    CO_QUEUE(queue, 128);
    struct line line = {&queue, bench->count};
    CO_GROUP(group);
    co_spawn(&group, produce, &line);
    int rc = 0;
    bench_start(bench);
    for (long i = 0; i < bench->count && rc == 0; i++) {
        void *got;
        rc = co_queue_get(&queue, &got);
    }
    bench_stop(bench);
    return rc < 0 ? rc : co_join(&group);
}

/* ---- Rendezvous ------------------------------------------------------------------------------ */

struct side {
    struct co_queue *in, *out;
    long count;
};

/* Gets and answers. */
static int play(void *arg)
{
    const struct side *side = arg;
    int rc = 0;
    for (long i = 0; i < side->count && rc == 0; i++) {
        void *got;
        rc = co_queue_get(side->in, &got);
        if (rc == 0)
            rc = co_queue_put(side->out, got);
    }
    return rc;
}

/* Counted: one item that is put and got by a task that waits for it, so that each item costs a switch. Two tasks send
 * one item to and fro over two queues of maxsize 1, strictly alternately: nothing is ever buffered. */
int bench_rendezvous(void *arg)
{
    struct bench *bench = arg;
    CO_QUEUE(there, 1);
    CO_QUEUE(back, 1);
    struct side one = {&there, &back, bench->count / 2}, two = {&back, &there, bench->count / 2};
    CO_GROUP(group);
    co_spawn(&group, play, &one);
    co_spawn(&group, play, &two);
    co_yield();                             /* both wait */
    bench_start(bench);
    int rc = co_queue_put(&there, &item);
    if (rc == 0)
        rc = co_join(&group);
    bench_stop(bench);
    return rc;
}
