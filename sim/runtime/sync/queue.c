/* queue.c - queues: a ring or a heap of pointers, and three lists of tasks that wait for it to change.
 *
 * Who waits is served first: an item put goes to the task that has waited longest for one, room goes to the task
 * that has waited longest to put. So nobody who comes later can snatch it.
 *
 * By age the items lie in a ring, of which one end or the other is taken. By priority they lie in a binary heap (J. W.
 * J. Williams, "Algorithm 232: Heapsort", 1964), ordered by (compare, age).
 */
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

struct co_item {
    void *pointer;
    uint64_t age;               /* for the heap: how many were put before it */
};

void co_queue_init(struct co_queue *queue, size_t maxsize)
{
    *queue = (struct co_queue){.maxsize = maxsize};
}

void co_queue_destroy(struct co_queue *queue)
{
    free(queue->items);
    *queue = (struct co_queue){0};
}

/* ---- The items ------------------------------------------------------------------------------ */

/* The place number i, counted from the oldest. */
static inline struct co_item *ring_at(const struct co_queue *queue, size_t i)
{
    size_t place = queue->head + i;
    return &queue->items[place < queue->capacity ? place : place - queue->capacity];
}

/* Makes room for twice as many, at most maxsize. */
static int grow(struct co_queue *queue)
{
    size_t capacity = queue->capacity ? 2 * queue->capacity : FIRST_CAPACITY;
    if (queue->maxsize && capacity > queue->maxsize)
        capacity = queue->maxsize;
    struct co_item *items = malloc(capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        items[i] = *ring_at(queue, i);
    free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->head = 0;
    return 0;
}

static bool before(const struct co_queue *queue, const struct co_item *a, const struct co_item *b)
{
    int order = queue->compare(a->pointer, b->pointer);
    return order < 0 || (order == 0 && a->age < b->age);
}

static void heap_insert(struct co_queue *queue, struct co_item item)
{
    struct co_item *heap = queue->items;
    size_t i = queue->count++;
    for (; i > 0 && before(queue, &item, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
}

static void *heap_remove(struct co_queue *queue)
{
    struct co_item *heap = queue->items, last;
    void *least = heap[0].pointer;
    size_t i = 0, n = --queue->count;
    last = heap[n];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(queue, &heap[child + 1], &heap[child]))
            child++;
        if (!before(queue, &heap[child], &last))
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return least;
}

/* Puts it among the items, making room if need be. */
static __attribute__((noinline)) int insert(struct co_queue *queue, void *pointer)
{
    if (queue->count == queue->capacity && grow(queue) < 0)
        return -ENOMEM;
    struct co_item item = {pointer, queue->put_count++};
    if (queue->compare)
        heap_insert(queue, item);
    else
        *ring_at(queue, queue->count++) = item;
    return 0;
}

/* Takes out the one whose turn it is. */
static void *take(struct co_queue *queue)
{
    if (queue->compare)
        return heap_remove(queue);
    if (queue->lifo)
        return ring_at(queue, --queue->count)->pointer;
    void *pointer = queue->items[queue->head].pointer;
    queue->head = queue->head + 1 < queue->capacity ? queue->head + 1 : 0;
    queue->count--;
    return pointer;
}

/* ---- Putting and getting -------------------------------------------------------------------- */

/* What a waiting task puts, or where it wants its item; on its stack, and its waits_for points at it. */
struct exchange {
    struct co_queue *queue;
    void *item;
};

bool co_queue_full(const struct co_queue *queue)
{
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    return queue->maxsize && queue->count >= queue->maxsize;
}

/* Puts without waiting: to a waiting getter, or among the items, where there is room. */
static inline int put(struct co_queue *queue, void *item)
{
    explore_touch(TOUCH_WRITE, queue, sizeof *queue);
    explore_object(TOUCH_WRITE, OBJECT_UNFINISHED, (uintptr_t)queue);
    struct co_task *getter = queue->getters.first;
    if (getter) {
        ((struct exchange *)getter->waits_for)->item = item;
        co__wake(getter, 0);
    } else if (!queue->compare && queue->count < queue->capacity) {
        ring_at(queue, queue->count++)->pointer = item;         /* the usual case, in line */
    } else if (insert(queue, item) < 0) {
        return -ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

/* Gets without waiting, from a queue that is not empty; the room goes to a waiting putter. */
static inline void *get(struct co_queue *queue)
{
    explore_touch(TOUCH_WRITE, queue, sizeof *queue);
    void *item = take(queue);
    struct co_task *putter = queue->putters.first;
    if (putter) {
        explore_object(TOUCH_WRITE, OBJECT_UNFINISHED, (uintptr_t)queue);
        insert(queue, ((struct exchange *)putter->waits_for)->item);    /* a place has just become free */
        queue->unfinished++;
        co__wake(putter, 0);
    }
    return item;
}

int co_queue_try_put(struct co_queue *queue, void *item)
{
    if (co__in_job())
        return -EPERM;
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    if (queue->is_shut)
        return -ESHUTDOWN;
    return co_queue_full(queue) ? -EAGAIN : put(queue, item);
}

int co_queue_try_get(struct co_queue *queue, void **item)
{
    if (co__in_job())
        return -EPERM;
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    if (queue->count == 0)
        return queue->is_shut ? -ESHUTDOWN : -EAGAIN;
    *item = get(queue);
    return 0;
}

/* (Not in line: a put that need not wait then keeps no registers and no frame.) */
static __attribute__((noinline)) int wait_for_room(struct co_task *self, struct co_queue *queue, void *item)
{
    struct exchange mine = {queue, item};
    explore_touch(TOUCH_WRITE, queue, sizeof *queue);
    return co__suspend_in(self, WAIT_QUEUE_PUT, &mine, &queue->putters);
}

static __attribute__((noinline)) int wait_for_item(struct co_task *self, struct co_queue *queue, void **item)
{
    struct exchange mine = {queue, NULL};
    explore_touch(TOUCH_WRITE, queue, sizeof *queue);
    int rc = co__suspend_in(self, WAIT_QUEUE_GET, &mine, &queue->getters);
    if (rc == 0)
        *item = mine.item;
    return rc;
}

int co_queue_put(struct co_queue *queue, void *item)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    if (queue->is_shut)
        return -ESHUTDOWN;
    return co_queue_full(queue) ? wait_for_room(self, queue, item) : put(queue, item);
}

int co_queue_get(struct co_queue *queue, void **item)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    if (queue->count > 0) {
        *item = get(queue);
        return 0;
    }
    return queue->is_shut ? -ESHUTDOWN : wait_for_item(self, queue, item);
}

size_t co_queue_size(const struct co_queue *queue)
{
    explore_touch(TOUCH_READ, queue, sizeof *queue);
    return queue->count;
}

/* ---- Finishing ------------------------------------------------------------------------------ */

static void wake_all(struct co_waiters *waiters, int rc)
{
    while (waiters->first)
        co__wake(waiters->first, rc);
}

/* All is done. */
static void wake_joiners(struct co_queue *queue)
{
    for (struct co_task *task; (task = queue->joiners.first);) {
        explore_gathered(OBJECT_UNFINISHED, (uintptr_t)queue, task->id);
        co__wake(task, 0);
    }
}

int co_queue_task_done(struct co_queue *queue)
{
    if (co__in_job())
        return -EPERM;
    explore_object(TOUCH_ADD, OBJECT_UNFINISHED, (uintptr_t)queue);
    if (queue->unfinished == 0)
        return -EINVAL;
    if (--queue->unfinished == 0)
        wake_joiners(queue);
    return 0;
}

int co_queue_join(struct co_queue *queue)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    explore_object(TOUCH_READ, OBJECT_UNFINISHED, (uintptr_t)queue);
    return queue->unfinished ? co__suspend_in(self, WAIT_QUEUE_JOIN, queue, &queue->joiners) : 0;
}

void co_queue_shutdown(struct co_queue *queue, bool immediate)
{
    if (co__in_job())
        return;
    explore_touch(TOUCH_WRITE, queue, sizeof *queue);
    explore_object(TOUCH_WRITE, OBJECT_UNFINISHED, (uintptr_t)queue);
    queue->is_shut = true;
    if (immediate) {
        queue->unfinished -= queue->count < queue->unfinished ? queue->count : queue->unfinished;
        queue->count = 0;
        if (queue->unfinished == 0)
            wake_joiners(queue);
    }
    wake_all(&queue->getters, -ESHUTDOWN);          /* they wait, so it is empty */
    wake_all(&queue->putters, -ESHUTDOWN);
}
