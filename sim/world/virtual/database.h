/* database.h - databases: data in SQLite, in memory; the time that statements take is the world's.
 *
 *     database.c        connections, the lock of those who write, outages
 *     query.c           one call: it is submitted, goes to the server, has its turn there, takes its time, and ends
 *     query_run.c       what a call does, in one step
 *     data.c            the data: states of it, statements on them
 *     data_trace.c      what of it is left at the end
 *
 * Committed data is a state. Who begins a transaction keeps the state that it saw; its first change makes a copy of
 * its own, which becomes the database's state when it is committed. So nobody sees what is not committed, and a reader
 * never waits. One connection writes at a time; the others stand in line, as in SQLite, and as they would in PostgreSQL
 * if they changed the same rows.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include "operation.h"
#include "sql/sqlite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* Data as it was at some time. */
struct state {
    struct sqlite3 *sql;
    /* Who needs it: the database, and transactions that look at it. */
    int64_t users;
    /* Whose it is. */
    struct database *database;
};

/* What goes wrong with statements: those that have `match` in them (NULL: all), from the nth on, `times` of them. */
struct mishap {
    enum mishap_kind { MISHAP_LOST, MISHAP_SLOW, MISHAP_SERIAL } kind;
    char *match;
    int64_t nth, times, seen;
    /* SLOW: so much longer. */
    int64_t latency;
    /* LOST: when it was carried out, and only its answer is missing. */
    bool done;
};

struct outage { int64_t from, to; };

struct database {
    char *url;
    /* Writers begin by waiting for their turn (SQLite), or are refused when they come too late (PostgreSQL). */
    bool is_sqlite;
    int64_t rtt, connect, latency, row, parse;
    /* Most connections at a time. */
    int64_t connections;
    /* Statements that made its first state. */
    char **setup;
    size_t setup_count;
    struct outage *outages;
    size_t outage_count;
    struct mishap *mishaps;
    size_t mishap_count;
    /* The committed data. */
    struct state *state;
    bool changed;
    /* Its open connections, the newest first. */
    struct client *clients;
    int64_t client_count;
    /* Who may write; NULL: nobody does. And queries that wait for that. */
    struct client *writer;
    struct line waiting;
    /* Which outage comes next, and the operation that waits for it (NULL: none yet). */
    size_t next_outage;
    struct query *watch;
    /* What its random() draws from. */
    uint64_t key, draws;
};

struct databases {
    struct database *all;
    size_t count;
    /* Databases that no world file names, made as programs open them. */
    struct unnamed { struct unnamed *next; struct database database; } *unnamed;
};

/* A connection. */
struct client {
    struct client *next, *prev;
    struct database *database;
    /* The id of its CONNECT, and whose it is. */
    uint64_t number;
    uint32_t program;
    /* It broke. */
    bool lost;
    /* What is asked over it and not answered: the first of them is under way. */
    struct query *busy;
    struct line waiting;
    /* Not before this does the server listen again: it gives up a query. */
    int64_t free_at;
    /* Its transaction. `own`: its copy, once it has changed something. */
    bool in_transaction, failed, reads_only;
    struct state *seen, *own;
    /* Rows that were not fetched yet. */
    struct flat rows;
    size_t given;
    int64_t columns;
    /* Which statements it has taken apart. */
    uint32_t *prepared;
    size_t prepared_count, prepared_room;
};

enum query_stage { QUERY_WAITS, QUERY_SENT, QUERY_LOCKED, QUERY_WORKS, QUERY_ANSWERED };

/* One call. */
struct query {
    struct operation operation;
    enum world_database_call call;
    uint32_t mode, program, session;
    uint64_t number, count;
    struct database *database;
    /* NULL: a CONNECT, or one whose connection is not there. */
    struct client *client;
    enum query_stage stage;
    /* It changes data, or takes the lock of those who do. */
    bool writes;
    /* Its mishap, or NULL. */
    const struct mishap *mishap;
    /* URL or SQL, and values. */
    char *text;
    size_t text_size, values_size;
    /* Its answer. */
    int32_t rc;
    bool more;
    struct flat answer;
};

/* ---- query.c ---- */
uint64_t vw_query_submit(struct world *world, const struct world_request *request);
void vw_query_step(struct world *world, struct query *query);
void vw_query_cancel(struct world *world, struct query *query);
void vw_query_give(const struct query *query, struct world_completion *out);
void vw_query_forget(struct query *query);
/* It begins to work: the lock is its own, if it needs it. */
void vw_query_work(struct world *world, struct query *query);
/* It ends now. */
void vw_query_end(struct world *world, struct query *query, int32_t rc);
/* The connection is free for the next call. */
void vw_client_next(struct world *world, struct client *client);

/* ---- query_run.c ---- */
/* What it does, when its time has come. Its rc and answer are set. */
void vw_query_run(struct world *world, struct query *query);
/* Whether it changes data. Errors show when it is run. A transaction's first statement settles what it sees. */
bool vw_query_writes(struct world *world, struct query *query);
/* The next batch of the client's rows. False: no memory. */
bool vw_query_batch(struct query *query, struct client *client);
/* Says what is wrong. */
void vw_query_says(struct query *query, int32_t rc, const char *message);

/* ---- database.c ---- */
/* NULL: *rc says why not. */
struct database *vw_database_find(struct world *world, const char *url, int32_t *rc);
struct client *vw_client_find(const struct world *world, uint64_t number);
/* NULL: no memory. */
struct client *vw_client_open(struct world *world, struct query *query);
void vw_client_close(struct world *world, struct client *client);
/* Whatever it has not committed is gone, and its lock is free. */
void vw_client_rollback(struct world *world, struct client *client);
void vw_lock_release(struct world *world, struct database *database);
bool vw_database_is_down(const struct database *database, int64_t now);
/* The connection breaks. */
void vw_client_lose(struct world *world, struct client *client);
/* An outage begins. */
void vw_outage_step(struct world *world, struct query *watch);
void vw_databases_free(struct databases *databases);
void vw_database_free(struct database *database);

/* ---- data.c ---- */
/* A first state, made by the database's setup; *at: which statement of it failed, if one did. An error, or 0. */
int vw_data_open(struct database *database, size_t *at, char message[SQ_MESSAGE]);
/* A state that only `users` 1 has: the same, or a copy. NULL: no memory. */
struct state *vw_state_copy(const struct state *state);
void vw_state_leave(struct state *state);
/* Before statements run: what time it is there. */
void vw_data_enter(struct world *world);
/* At the end: the tables of those that have changed. */
void vw_databases_trace(struct world *world);

#endif
