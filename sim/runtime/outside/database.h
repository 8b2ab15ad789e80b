/* database.h - what the files about databases share: a pool, its connections, and one call over one of them.
 *
 *     database.c        opening and closing, and what a program leaves behind
 *     database_pool.c   who gets which connection
 *     database_call.c   one call to the world
 *     statement.c       SQL and its values
 *     cursor.c          rows
 *     transaction.c     blocks that happen as one
 */
#ifndef CO_OUTSIDE_DATABASE_H
#define CO_OUTSIDE_DATABASE_H

#include "co_db.h"
#include "runtime/state/loop.h"
#include "world/sql/flat.h"

/* A statement that was prepared. */
struct co_prepared {
    struct co_prepared *next;
    struct co_database *base;
    uint32_t number;                /* what the world knows it by                                     */
    char sql[];
};

/* A database that is open, or was closed with connections still out. */
struct co_database {
    struct co_database *next, *prev;    /* all of the loop's                                          */
    const void *opened_at;
    bool closed;
    int64_t timeout, check_after;
    int size, batch;
    int count;                      /* connections there are, or are being made                       */
    int waiting_count;
    int64_t lost;
    struct co_link *links;          /* all of them                                                    */
    struct co_link *idle;           /* those that nobody uses, the one used last first                */
    struct co_waiters waiters;      /* who waits for one, oldest first; waits_for: a struct want      */
    struct co_prepared *prepared;
    char url[];
};

/* A connection. */
struct co_link {
    struct co_link *next, *prev;
    struct co_link *next_idle;
    struct co_database *base;
    uint64_t number;                /* the world's                                                    */
    int64_t used;                   /* ns: when it was given back                                     */
    bool lost;                      /* it broke                                                       */
    bool busy;                      /* a task waits for an answer over it                             */
    bool in_transaction, failed;    /* failed: a statement of the transaction has                     */
    const char *held_as;            /* "connection", "rows", "transaction"; NULL: it is idle          */
    const void *held_at;
    struct co_cursor *cursor;       /* rows that are not read to their end                            */
};

/* What a task waits for in `waiters`: a connection, or (NULL) the right to make one. */
struct want { struct co_link *link; };

/* ---- database.c ------------------------------------------------------------------------------ */

void co__databases_report(struct loop *loop) __attribute__((weak));     /* as leaks */
void co__databases_free(struct loop *loop) __attribute__((weak));
/* Frees it, if it is closed and all of its connections are gone. */
void co__database_leave(struct co_database *base);

/* ---- database_pool.c --------------------------------------------------------------------------- */

/* Takes a connection for `pc`: an idle one, a new one, or the next to be given back. 0 and *link, or an error. */
int co__link_take(struct co_task *self, struct co_database *base, const char *held_as, const void *pc,
                  struct co_link **link);
/* Gives it back: to who waits longest, else to the idle ones. A broken one is thrown away. */
void co__link_give(struct co_link *link);
void co__link_destroy(struct co_link *link);

/* ---- database_call.c --------------------------------------------------------------------------- */

/* What the last call has left: its bytes are to be freed (NULL: none). */
struct reply {
    char *bytes;
    size_t size;
    bool more;                      /* there are more rows                                            */
    bool no_memory;
};

/* One call over a connection (NULL: a CONNECT, *number is then its id), with `text` and values behind it. Waits.
 * Returns its rc; the database's words are kept for co_db_message. */
int co__database_call(struct co_task *self, struct co_link *link, struct world_request request, const char *text,
                      const struct flat *values, struct reply *reply, uint64_t *number);
/* The same for what nobody waits for. */
void co__database_tell(struct co_link *link, enum world_database_call call);
void co__rollback(struct co_link *link);
/* Begins the database's limit on a call. 0 or -ENOMEM. */
int co__database_limit(const struct co_database *base, struct co_timeout *limit, const void *pc);
void co__database_says(const char *message, size_t size);

/* ---- cursor.c ------------------------------------------------------------------------------------ */

/* Rows begin with what the reply brings, which becomes theirs. own: the connection goes back when they end. -ENOMEM. */
int co__cursor_begin(struct co_rows *rows, struct co_link *link, bool own, struct reply *reply, const void *pc);

/* Moves to the first row, which is here already, if there is one: 1, else 0. */
int co__cursor_first(struct co_rows *rows);
/* The rows of this connection are no longer wanted; `rows` have none from then on. */
void co__cursor_end(struct co_link *link);
void co__cursor_free(struct co_cursor *cursor);

#endif
