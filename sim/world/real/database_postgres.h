/* database_postgres.h - what the two files about PostgreSQL share: database_postgres.c goes on with a connection when
 * something comes, postgres_session.c says how values look there, and how a connection comes to rest. */
#ifndef DATABASE_POSTGRES_H
#define DATABASE_POSTGRES_H

#include "database.h"
#include "libpq.h"

struct session_of_postgres {
    struct pg_conn *conn;
    uv_poll_t *poll;                /* watches its socket; NULL: nothing does                           */
    int watched;                    /* for what                                                         */
    struct pg_result *next;         /* a row that belongs to the next batch                             */
    uint64_t rows;                  /* in this batch                                                    */
    bool named;                     /* the columns' names were taken                                    */
    int rc;                         /* of the statement so far                                          */
    bool streaming;                 /* a statement's answer has not come to its end                     */
    bool draining;                  /* and nobody wants it                                              */
    bool cancelling;                /* a thread is at it                                                */
    bool suspect;                   /* a cancel may still strike the next statement                      */
    bool sacrificing;               /* one is under way that is nobody's                                */
    uv_work_t cancel;
    struct pg_cancel *token;
    uint32_t *prepared;
    size_t prepared_count;
};

/* ---- database_postgres.c ---- */
bool rw_postgres_sent(struct client *client, int ok);
void rw_postgres_unwatch(struct session_of_postgres *server);
void rw_postgres_settled(struct client *client);
void rw_postgres_drain(struct client *client);

/* ---- postgres_session.c ---- */
void rw_postgres_names(struct flat *answer, const struct pg_result *result);
void rw_postgres_row(struct flat *answer, const struct pg_result *result);
/* Sends the statement with its values. False: the connection is broken. */
bool rw_postgres_send(struct query *query, const char *sql);
void rw_postgres_note_prepared(struct session_of_postgres *server, uint32_t number);
void rw_postgres_cancel(struct client *client);
void rw_postgres_rest(struct client *client);
void rw_postgres_stop(struct client *client);
void rw_postgres_close(struct client *client);

#endif
