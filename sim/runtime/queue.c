/* queue.c - the queue: a ring of pointers, and three lists of tasks that wait for it to change.
 *
 * Who waits is served first: an item put goes to the task that has waited longest for one, room goes to the task
 * that has waited longest to put. So nobody who comes later can snatch it.
 */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

void co_queue_init(struct co_queue *queue, size_t maxsize)
{
    *queue = (struct co_queue){.maxsize = maxsize};
}

void co_queue_destroy(struct co_queue *queue)
{
    free(queue->items);
    *queue = (struct co_queue){0};
}

/* Makes the ring twice as large, at most maxsize. */
static int grow(struct co_queue *queue)
{
    size_t capacity = queue->capacity ? 2 * queue->capacity : FIRST_CAPACITY;
    if (queue->maxsize && capacity > queue->maxsize)
        capacity = queue->maxsize;
    void **items = malloc(capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        items[i] = queue->items[(queue->head + i) % queue->capacity];
    free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->head = 0;
    return 0;
}

static bool full(const struct co_queue *queue)
{
    return queue->maxsize && queue->count >= queue->maxsize;
}

/* Into the ring, at the end. */
static int append(struct co_queue *queue, void *item)
{
    if (queue->count == queue->capacity && grow(queue) < 0)
        return -ENOMEM;
    size_t place = queue->head + queue->count;
    queue->items[place < queue->capacity ? place : place - queue->capacity] = item;
    queue->count++;
    return 0;
}

static void *remove_oldest(struct co_queue *queue)
{
    void *item = queue->items[queue->head];
    queue->head = queue->head + 1 < queue->capacity ? queue->head + 1 : 0;
    queue->count--;
    return item;
}

/* A waiting task keeps what it puts, or where it wants its item, in waits_for: a pointer to this on its stack. */
struct exchange {
    struct co_queue *queue;
    void *item;
};

/* Puts without waiting: to a waiting getter, or into the ring, which has room. */
static int put(struct co_queue *queue, void *item)
{
    struct co_task *getter = queue->getters.first;
    if (getter) {
        ((struct exchange *)getter->waits_for)->item = item;
        co__wake(getter, 0);
    } else if (append(queue, item) < 0) {
        return -ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

/* Gets without waiting, from a queue that is not empty; the room goes to a waiting putter. */
static void *get(struct co_queue *queue)
{
    void *item = remove_oldest(queue);
    struct co_task *putter = queue->putters.first;
    if (putter) {
        append(queue, ((struct exchange *)putter->waits_for)->item);    /* a place has just become free */
        queue->unfinished++;
        co__wake(putter, 0);
    }
    return item;
}

int co_queue_try_put(struct co_queue *queue, void *item)
{
    return full(queue) ? -EAGAIN : put(queue, item);
}

int co_queue_try_get(struct co_queue *queue, void **item)
{
    if (queue->count == 0)
        return -EAGAIN;
    *item = get(queue);
    return 0;
}

int co_queue_put(struct co_queue *queue, void *item)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (!full(queue))
        return put(queue, item);
    struct exchange mine = {queue, item};
    return co__suspend_in(self, WAIT_QUEUE_PUT, &mine, &queue->putters);
}

int co_queue_get(struct co_queue *queue, void **item)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (queue->count > 0) {
        *item = get(queue);
        return 0;
    }
    struct exchange mine = {queue, NULL};
    rc = co__suspend_in(self, WAIT_QUEUE_GET, &mine, &queue->getters);
    if (rc == 0)
        *item = mine.item;
    return rc;
}

size_t co_queue_size(const struct co_queue *queue)
{
    return queue->count;
}

int co_queue_task_done(struct co_queue *queue)
{
    if (queue->unfinished == 0)
        return -EINVAL;
    if (--queue->unfinished == 0)
        while (queue->joiners.first)
            co__wake(queue->joiners.first, 0);
    return 0;
}

int co_queue_join(struct co_queue *queue)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    return queue->unfinished ? co__suspend_in(self, WAIT_QUEUE_JOIN, queue, &queue->joiners) : 0;
}
