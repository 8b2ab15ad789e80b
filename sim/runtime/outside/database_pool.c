/* database_pool.c - a database's connections: who gets which. Who comes while others wait stands behind them. */
#include "runtime/outside/database.h"
#include "runtime/state/waiters.h"
#include "runtime/tasks/ready.h"

#include <stdlib.h>

/* ---- Connections come and go -------------------------------------------------------------------- */

/* One less: who waits longest may make one in its place. */
static void slot_free(struct co_database *base)
{
    struct co_task *first = base->waiters.first;
    if (!first) {
        base->count--;
        return;
    }
    ((struct want *)first->waits_for)->link = NULL;
    co__wake_first(&base->waiters, 0);
}

static void unlink_it(struct co_link *link)
{
    struct co_database *base = link->base;
    if (link->prev)
        link->prev->next = link->next;
    else
        base->links = link->next;
    if (link->next)
        link->next->prev = link->prev;
    free(link);
}

void co__link_destroy(struct co_link *link)
{
    struct co_database *base = link->base;
    if (link->lost)
        base->lost++;
    co__database_tell(link, WORLD_DATABASE_CLOSE);
    unlink_it(link);
    slot_free(base);
    co__database_leave(base);
}

/* Makes one, for which there is a place. */
static int connect(struct co_task *self, struct co_database *base, struct co_link **made)
{
    struct co_link *link = calloc(1, sizeof *link);
    struct reply reply;
    int rc = -ENOMEM;
    if (link) {
        link->base = base;
        rc = co__database_call(self, NULL, (struct world_request){.call = WORLD_DATABASE_CONNECT}, base->url, NULL,
                               &reply, &link->number);
        free(rc >= 0 ? reply.bytes : NULL);
    }
    if (rc < 0) {
        if (link && rc == -ECANCELED)
            co__database_tell(link, WORLD_DATABASE_CLOSE);      /* in case that it was there, and nobody had told us */
        free(link);
        slot_free(base);
        return rc;
    }
    link->next = base->links;
    if (link->next)
        link->next->prev = link;
    base->links = link;
    *made = link;
    return 0;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Whether one that has rested still works. A broken one is thrown away. */
static int check(struct co_task *self, struct co_link *link)
{
    static const char question[] = "SELECT 1";
    struct reply reply;
    int rc = co__database_call(self, link, (struct world_request){.call = WORLD_DATABASE_QUERY, .count = 1}, question,
                               NULL, &reply, NULL);
    if (rc < 0) {
        link->lost |= rc != -ECANCELED;
        return rc;
    }
    free(reply.bytes);
    return 0;
}

/* Waits for its turn. 0: *link is its own; NULL: it may make one. */
static int wait_turn(struct co_task *self, struct co_database *base, struct co_link **link)
{
    struct want want = {0};
    base->waiting_count++;
    int rc = co__suspend_in(self, WAIT_CONNECTION, &want, &base->waiters);
    base->waiting_count--;
    *link = want.link;
    if (rc < 0 || !base->closed)
        return rc;
    slot_free(base);                    /* a closed one's connections are thrown away, so it is no connection */
    co__database_leave(base);
    return -EBADF;
}

static bool has_rested(const struct co_database *base, const struct co_link *link)
{
    return base->check_after != CO_FOREVER && co__loop->now - link->used > base->check_after;
}

int co__link_take(struct co_task *self, struct co_database *base, const char *held_as, const void *pc,
                  struct co_link **taken)
{
    struct co_link *link = NULL;
    int rc = 0;
    for (;;) {
        bool rested = false;
        if ((link = base->idle)) {
            base->idle = link->next_idle;
            rested = has_rested(base, link);
        } else if (base->count < base->size) {
            base->count++;
            rc = connect(self, base, &link);
        } else {
            rc = wait_turn(self, base, &link);
            if (rc == 0 && !link)
                rc = connect(self, base, &link);
        }
        if (rc < 0)
            return rc;
        link->held_as = held_as;
        link->held_at = pc;
        if (!rested || (rc = check(self, link)) == 0)
            break;
        bool lost = link->lost;
        if (lost)
            co__link_destroy(link);
        else
            co__link_give(link);
        if (!lost)
            return rc;
        rc = 0;                         /* another one will do */
    }
    *taken = link;
    return 0;
}

/* ---- Giving back ------------------------------------------------------------------------------- */

void co__link_give(struct co_link *link)
{
    struct co_database *base = link->base;
    co__rollback(link);
    link->failed = false;
    link->held_as = NULL;
    link->used = co__loop->now;
    struct co_task *first = base->waiters.first;
    if (link->lost || base->closed) {
        co__link_destroy(link);
    } else if (first) {
        ((struct want *)first->waits_for)->link = link;
        co__wake_first(&base->waiters, 0);
    } else {
        link->next_idle = base->idle;
        base->idle = link;
    }
}
