/* database.c - databases: opened, closed, and what of them a program leaves behind. */
#include "runtime/outside/database.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/ready.h"
#include "runtime/watch/report.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 10, BATCH = 100, MOST_SIZE = 10000 };

/* ---- The loop's records ---------------------------------------------------------------------------- */

static struct co_database *database_new(struct loop *loop, const char *url, const struct co_db_options *options,
                                        const void *pc)
{
    size_t length = strlen(url);
    struct co_database *base = calloc(1, sizeof *base + length + 1);
    if (!base)
        return NULL;
    memcpy(base->url, url, length + 1);
    base->opened_at = pc;
    base->size = options->size ? options->size : SIZE;
    base->batch = options->batch ? options->batch : BATCH;
    base->timeout = options->timeout ? options->timeout : CO_DB_TIMEOUT;
    base->check_after = options->check_after ? options->check_after : CO_SEC(1);
    if (strcmp(url, "sqlite::memory:") == 0)
        base->size = 1;                 /* each connection would have a memory of its own */
    base->next = loop->databases;
    if (base->next)
        base->next->prev = base;
    loop->databases = base;
    return base;
}

static void database_free(struct loop *loop, struct co_database *base)
{
    if (base->prev)
        base->prev->next = base->next;
    else
        loop->databases = base->next;
    if (base->next)
        base->next->prev = base->prev;
    while (base->prepared) {
        struct co_prepared *prepared = base->prepared;
        base->prepared = prepared->next;
        free(prepared);
    }
    free(base);
}

void co__database_leave(struct co_database *base)
{
    if (base->closed && base->count == 0)
        database_free(co__loop, base);
}

void co__databases_report(struct loop *loop)
{
    for (const struct co_database *base = loop->databases; base; base = base->next) {
        for (const struct co_link *link = base->links; link; link = link->next)
            if (link->held_as)
                co__leak(loop, link->held_as, NULL, link->held_at);
        if (!base->closed)
            co__leak(loop, "database", NULL, base->opened_at);
    }
}

void co__databases_free(struct loop *loop)
{
    while (loop->databases) {
        struct co_database *base = loop->databases;
        while (base->links) {
            struct co_link *link = base->links;
            base->links = link->next;
            co__cursor_free(link->cursor);
            free(link);
        }
        database_free(loop, base);
    }
}

/* ---- Opening and closing ------------------------------------------------------------------------------ */

static bool is_url(const char *url)
{
    return (strncmp(url, "sqlite:", 7) == 0 && url[7]) || (strncmp(url, "postgresql://", 13) == 0 && url[13]);
}

static int open_it(struct co_task *self, struct co_database *base, const void *pc)
{
    struct co_timeout limit;
    struct co_link *link = NULL;
    int rc = co__database_limit(base, &limit, pc);
    if (rc < 0)
        return rc;
    rc = co_timeout_end(&limit, co__link_take(self, base, "connection", pc, &link));
    if (link)
        co__link_give(link);
    return rc;
}

int co_db_open(struct co_db *db, const char *url, const struct co_db_options *options)
{
    static const struct co_db_options defaults;
    int rc;
    const void *pc = CALLER;
    *db = (struct co_db){0};
    co__database_says("", 0);
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!options)
        options = &defaults;
    if (!url || !is_url(url) || options->size < 0 || options->size > MOST_SIZE || options->batch < 0
        || options->timeout < 0 || options->check_after < 0)
        return -EINVAL;
    struct co_database *base = database_new(co__loop, url, options, pc);
    if (!base)
        return -ENOMEM;
    rc = open_it(self, base, pc);
    db->base = base;
    if (rc < 0)
        co_db_close(db);
    return rc;
}

void co_db_close(struct co_db *db)
{
    struct loop *loop = co__loop;
    struct co_database *base = loop && !co__in_job() ? loop->databases : NULL;
    while (base && base != db->base)
        base = base->next;
    db->base = NULL;
    if (!base || base->closed)
        return;
    base->closed = true;
    base->count++;                      /* so that it stays until we are done */
    while (base->idle) {
        struct co_link *link = base->idle;
        base->idle = link->next_idle;
        co__link_destroy(link);
    }
    base->count--;
    co__database_leave(base);
}

struct co_db_state co_db_look(const struct co_db *db)
{
    const struct co_database *base = db->base;
    struct co_db_state state = {0};
    if (!base)
        return state;
    for (const struct co_link *link = base->links; link; link = link->next)
        state.open++;
    for (const struct co_link *link = base->idle; link; link = link->next_idle)
        state.idle++;
    state.waiting = base->waiting_count;
    state.lost = base->lost;
    return state;
}

/* ---- A connection of one's own ---------------------------------------------------------------------------- */

int co_conn_take(struct co_conn *conn, struct co_db *db)
{
    int rc;
    const void *pc = CALLER;
    struct co_timeout limit;
    *conn = (struct co_conn){0};
    co__database_says("", 0);
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!db->base)
        return -EBADF;
    rc = co__database_limit(db->base, &limit, pc);
    if (rc < 0)
        return rc;
    struct co_link *link = NULL;
    rc = co_timeout_end(&limit, co__link_take(self, db->base, "connection", pc, &link));
    if (rc < 0 && link)
        co__link_give(link);            /* it came at the instant at which the time was up */
    else if (rc == 0)
        conn->link = link;
    return rc;
}

void co_conn_give(struct co_conn *conn)
{
    struct co_link *link = conn->link;
    conn->link = NULL;
    if (!link || !co__loop || co__in_job())
        return;
    co__cursor_end(link);
    co__link_give(link);
}
