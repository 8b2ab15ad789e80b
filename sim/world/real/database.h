/* database.h - databases of this machine's and of others.
 *
 *     database.c            connections, and what is asked of each, one after the other
 *     database_sqlite.c     a file, by threads of libuv's
 *     database_postgres.c   a server, over libpq, on the loop
 */
#ifndef REAL_DATABASE_H
#define REAL_DATABASE_H

#include "real.h"

#include "sql/failure.h"
#include "sql/flat.h"
#include "sql/sqlite.h"

struct session_of_postgres;

/* One call. */
struct query {
    struct operation operation;     /* first, so that an operation of kind DATABASE is one              */
    struct query *next;             /* in its connection's line                                         */
    struct client *client;
    enum world_database_call call;
    uint32_t mode, session;
    uint64_t count;
    char *text;                     /* URL or SQL, '\0', values                                         */
    size_t text_size, values_size;
    bool given_up;                  /* the program has its -ECANCELED, or wants none: the answer goes nowhere */
    int32_t rc;
    bool more;
    struct flat answer;
    char message[SQ_MESSAGE];
};

/* A connection, or one that is being made. */
struct client {
    struct client *next, *prev;     /* all of them                                                      */
    struct real *world;
    uint64_t number;                /* the id of its CONNECT                                            */
    const struct engine *engine;
    struct query *busy;             /* what it works on                                                 */
    struct query *first, *last;     /* what waits behind that                                           */
    bool resting;                   /* it has still to do with what was given up: nothing new begins     */
    bool closing;                   /* nobody needs it any more                                         */
    bool closed;                    /* its engine is at it                                              */
    bool stop;                      /* what is left of the rows is not wanted                           */
    bool lost;
    bool in_transaction;
    /* database_sqlite.c */
    struct sqlite3 *sql;
    struct sqlite3_stmt *stmt;      /* rows that were not fetched yet; it stands on the next one         */
    struct sqlite3_stmt *prepared_at_work;
    struct prepared { struct prepared *next; uint32_t number; struct sqlite3_stmt *stmt; } *prepared;
    bool reads_only;
    bool retry;                     /* another one writes: once more, later                             */
    uint64_t pause;                 /* ms until then                                                    */
    uv_work_t work;
    uv_timer_t timer;
    /* database_postgres.c */
    struct session_of_postgres *server;
};

/* How a database is spoken to. Each begin leads to one rw_query_done, later or at once. */
struct engine {
    void (*begin)(struct query *query);
    void (*give_up)(struct query *query);       /* its answer is not wanted: the sooner it is done, the better */
    void (*stop)(struct client *client);        /* its rows are not wanted; it is not busy                     */
    void (*close)(struct client *client);       /* leads to rw_client_free                                     */
};

/* The world closes: a server that is silent is not waited for. */
void rw_postgres_abandon(struct client *client);

extern const struct engine rw_sqlite, rw_postgres;

/* The query is done; its answer and its `more` are set. The next one begins. */
void rw_query_done(struct query *query, int32_t rc);
/* It broke: what is asked of it from now on ends at once. */
void rw_client_lost(struct client *client);
/* It can go on, if it was resting. */
void rw_client_next(struct client *client);
void rw_client_free(struct client *client);

#endif
