/* transaction.c - several statements that happen as one, or not at all. */
#include "runtime/outside/database.h"
#include "runtime/tasks/enter.h"

#include <stdlib.h>

/* ---- Beginning and ending ------------------------------------------------------------------------- */

static int take_and_begin(struct co_task *self, struct co_database *base, enum co_tx_mode mode, const void *pc,
                          struct co_link **link)
{
    struct reply reply;
    int rc = co__link_take(self, base, "transaction", pc, link);
    if (rc < 0)
        return rc;
    (*link)->in_transaction = true;         /* from here on it must be rolled back, whatever comes of it */
    rc = co__database_call(self, *link, (struct world_request){.call = WORLD_DATABASE_BEGIN, .mode = mode}, NULL, NULL,
                           &reply, NULL);
    if (rc >= 0)
        free(reply.bytes);
    return rc;
}

static int begin(struct co_tx *tx, struct co_db *db, enum co_tx_mode mode, const void *pc)
{
    int rc;
    struct co_timeout limit;
    struct co_link *link = NULL;
    *tx = (struct co_tx){0};
    co__database_says("", 0);
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!db->base)
        return -EBADF;
    if (mode != CO_TX_WRITE && mode != CO_TX_READ)
        return -EINVAL;
    rc = co__database_limit(db->base, &limit, pc);
    if (rc < 0)
        return rc;
    rc = co_timeout_end(&limit, take_and_begin(self, db->base, mode, pc, &link));
    if (rc >= 0)
        tx->link = link;
    else if (link)
        co__link_give(link);
    return rc < 0 ? rc : 0;
}

static int commit(struct co_tx *tx, const void *pc)
{
    int rc;
    struct co_timeout limit;
    struct reply reply;
    struct co_link *link = tx->link;
    co__database_says("", 0);
    struct co_task *self = co__enter(pc, &rc);
    if (!self) {
        co_tx_rollback(tx);
        return rc;
    }
    if (!link)
        return -EBADF;
    co__cursor_end(link);
    rc = link->failed ? -CO_EFAILED : co__database_limit(link->base, &limit, pc);
    if (rc == 0) {
        rc = co__database_call(self, link, (struct world_request){.call = WORLD_DATABASE_COMMIT}, NULL, NULL, &reply,
                               NULL);
        if (rc >= 0) {
            free(reply.bytes);
            link->in_transaction = false;
        }
        rc = co_timeout_end(&limit, rc);
    }
    co_tx_rollback(tx);                     /* gives the connection back, and rolls back what is not committed */
    return rc < 0 ? rc : 0;
}

int co_tx_begin(struct co_tx *tx, struct co_db *db, enum co_tx_mode mode)
{
    return begin(tx, db, mode, CALLER);
}

int co_tx_commit(struct co_tx *tx)
{
    return commit(tx, CALLER);
}

void co_tx_rollback(struct co_tx *tx)
{
    struct co_link *link = tx->link;
    tx->link = NULL;
    if (!link || !co__loop || co__in_job())
        return;
    co__cursor_end(link);
    co__link_give(link);
}

/* ---- CO_TRANSACTION: a loop that runs once --------------------------------------------------------- */

struct co_tx *co_tx_enter(struct co_db *db, int *rc)
{
    struct co_tx *tx = malloc(sizeof *tx);
    *rc = tx ? begin(tx, db, CO_TX_WRITE, CALLER) : -ENOMEM;
    if (*rc == 0)
        return tx;
    free(tx);
    return NULL;
}

struct co_tx *co_tx_leave(struct co_tx *tx, int *rc)
{
    if (*rc >= 0)
        *rc = commit(tx, CALLER);
    co_tx_rollback(tx);
    free(tx);
    return NULL;
}

void co_tx_left(struct co_tx **tx)
{
    if (!*tx)
        return;
    co_tx_rollback(*tx);                    /* left by break, return or goto */
    free(*tx);
}
