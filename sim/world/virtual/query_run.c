/* query_run.c - what a call to a database does, in one step, when its time has come. */
#include "sql/failure.h"
#include "virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ANSWER = 64 << 20 };    /* bytes of all rows of an answer */

void vw_query_says(struct query *query, int32_t rc, const char *message)
{
    query->rc = rc;
    query->more = false;
    query->answer.length = 0;
    flat_copy(&query->answer, message, strlen(message));
}

/* What a statement looks at: the transaction's own copy, what it has seen, or what is committed. */
static struct state *view_of(const struct client *client)
{
    return client->own ? client->own : client->seen ? client->seen : client->database->state;
}

bool vw_query_writes(struct world *world, struct query *query)
{
    char message[SQ_MESSAGE];
    struct client *client = query->client;
    struct sqlite3_stmt *stmt;
    if (client->in_transaction && !client->seen && query->call == WORLD_DATABASE_QUERY) {
        client->seen = client->database->state;     /* before it may have to wait for its turn */
        client->seen->users++;
    }
    if (query->call == WORLD_DATABASE_BEGIN)
        return query->database->is_sqlite && query->mode == WORLD_DATABASE_WRITES;
    if (query->call != WORLD_DATABASE_QUERY || client->failed || client->reads_only)
        return false;
    vw_data_enter(world);
    if (sq_prepare(view_of(client)->sql, query->text, query->text_size, &stmt, message) < 0)
        return false;
    bool writes = !sq_load()->stmt_readonly(stmt);
    sq_load()->finalize(stmt);
    return writes;
}

/* ---- Rows ---------------------------------------------------------------------------------------- */

/* Where so many rows from `at` on end; *n: how many there were. */
static size_t rows_end(const struct client *client, size_t at, uint64_t most, uint64_t *n)
{
    const struct flat *rows = &client->rows;
    struct flat_value value;
    *n = 0;
    while (at < rows->length && *n < most) {
        const char *next = rows->at + at;
        for (int64_t i = 0; i < client->columns && next; i++)
            next = flat_read(next, rows->at + rows->length, &value);
        if (!next || client->columns == 0)
            return rows->length;
        at = (size_t)(next - rows->at);
        ++*n;
    }
    return at;
}

bool vw_query_batch(struct query *query, struct client *client)
{
    uint64_t n;
    size_t end = rows_end(client, client->given, query->count, &n);
    if (client->rows.length)
        flat_copy(&query->answer, client->rows.at + client->given, end - client->given);
    client->given = end;
    query->more = end < client->rows.length;
    query->count = n;
    if (!query->more) {
        flat_free(&client->rows);
        client->given = 0;
    }
    return !query->answer.failed;
}

/* ---- Statements ----------------------------------------------------------------------------------- */

/* Steps it to its end: all rows are taken now, and handed out when they are asked for. */
static int step(struct query *query, struct sqlite3 *sql, struct sqlite3_stmt *stmt, char message[SQ_MESSAGE])
{
    const struct sqlite *sqlite = sq_load();
    struct client *client = query->client;
    int code, before = sqlite->total_changes(sql);
    flat_free(&client->rows);
    client->given = 0;
    client->columns = sqlite->column_count(stmt);
    sq_names(stmt, &query->answer);
    while ((code = sqlite->step(stmt)) == SQLITE_ROW) {
        sq_row(stmt, &client->rows);
        if (client->rows.failed || client->rows.length > MOST_ANSWER) {
            snprintf(message, SQ_MESSAGE, "the answer is larger than %d MiB", MOST_ANSWER >> 20);
            return client->rows.failed ? -ENOMEM : -EMSGSIZE;
        }
    }
    if ((code & 0xff) == SQLITE_INTERRUPT) {
        snprintf(message, SQ_MESSAGE, "the statement takes too many steps: does it ever end?");
        return -ETIMEDOUT;
    }
    if (code != SQLITE_DONE)
        return sq_error(sql, code, message);
    if (sqlite->stmt_readonly(stmt))
        return 0;
    return sqlite->total_changes(sql) == before ? 0 : sqlite->changes(sql);
}

static int run_on(struct query *query, struct state *state, char message[SQ_MESSAGE])
{
    struct sqlite3_stmt *stmt;
    const char *values = query->text + query->text_size + 1;
    int rc = sq_prepare(state->sql, query->text, query->text_size, &stmt, message);
    if (rc < 0)
        return rc;
    if (query->call == WORLD_DATABASE_QUERY)
        rc = sq_bind(state->sql, stmt, values, query->values_size, message);
    if (rc == 0 && query->client->reads_only && !sq_load()->stmt_readonly(stmt)) {
        snprintf(message, SQ_MESSAGE, "cannot change anything in a transaction that only reads");
        rc = -EPERM;
    }
    if (rc == 0 && query->call == WORLD_DATABASE_QUERY)
        rc = step(query, state->sql, stmt, message);
    sq_load()->finalize(stmt);
    return rc;
}

/* Remembers that the connection has taken it apart. */
static bool note_prepared(struct client *client, uint32_t session)
{
    for (size_t i = 0; i < client->prepared_count; i++)
        if (client->prepared[i] == session)
            return true;
    void *prepared = client->prepared;
    bool ok = vw_make_room(&prepared, client->prepared_count, &client->prepared_room, sizeof *client->prepared);
    client->prepared = prepared;
    if (ok)
        client->prepared[client->prepared_count++] = session;
    return ok;
}

/* The state that a change may be made to. NULL: *rc says why not. */
static struct state *state_to_change(struct client *client, int *rc, char message[SQ_MESSAGE])
{
    struct database *database = client->database;
    struct state *state = database->state;
    *rc = -ENOMEM;
    if (client->own)
        return client->own;
    if (!client->in_transaction && state->users == 1)
        return state;
    if (client->in_transaction && client->seen != state) {
        snprintf(message, SQ_MESSAGE, "could not serialize access due to concurrent update");
        *rc = -SQL_SERIAL;
        return NULL;
    }
    struct state *copy = vw_state_copy(state);
    if (copy && client->in_transaction) {
        client->own = copy;
    } else if (copy) {
        vw_state_leave(state);
        database->state = copy;
    }
    return copy;
}

static int run_query(struct query *query, char message[SQ_MESSAGE])
{
    int rc = 0;
    struct client *client = query->client;
    struct database *database = client->database;
    if (client->failed) {
        snprintf(message, SQ_MESSAGE, "current transaction is aborted, commands ignored until its end");
        return -SQL_FAILED;
    }
    if (query->mishap && query->mishap->kind == MISHAP_SERIAL) {
        snprintf(message, SQ_MESSAGE, "could not serialize access due to read/write dependencies among transactions");
        return -SQL_SERIAL;
    }
    struct state *state = query->writes ? state_to_change(client, &rc, message) : view_of(client);
    if (!state)
        return rc;
    rc = run_on(query, state, message);
    if (rc >= 0 && query->session && !note_prepared(client, query->session))
        return -ENOMEM;
    database->changed |= query->writes && rc >= 0;
    return rc;
}

/* ---- Transactions ---------------------------------------------------------------------------------- */

static int begin(struct query *query, char message[SQ_MESSAGE])
{
    struct client *client = query->client;
    if (client->in_transaction) {
        snprintf(message, SQ_MESSAGE, "there is already a transaction in progress");
        return -SQL_WRONG;
    }
    client->in_transaction = true;
    client->reads_only = query->mode == WORLD_DATABASE_READS;
    if (query->database->is_sqlite) {
        client->seen = query->database->state;
        client->seen->users++;
    }
    return 0;
}

static int commit(struct world *world, struct query *query, char message[SQ_MESSAGE])
{
    struct client *client = query->client;
    struct database *database = query->database;
    int rc = 0;
    if (client->failed) {
        snprintf(message, SQ_MESSAGE, "the transaction had failed, and was rolled back");
        rc = -SQL_FAILED;
    } else if (query->mishap && query->mishap->kind == MISHAP_SERIAL) {
        snprintf(message, SQ_MESSAGE, "could not serialize access due to read/write dependencies among transactions");
        rc = -SQL_SERIAL;
    } else if (client->own) {
        vw_state_leave(database->state);
        database->state = client->own;
        client->own = NULL;
    }
    vw_client_rollback(world, client);
    return rc;
}

void vw_query_run(struct world *world, struct query *query)
{
    char message[SQ_MESSAGE] = "";
    struct client *client = query->client;
    uint64_t asked = query->count;
    int rc = 0;
    vw_data_enter(world);
    query->count = 0;
    switch (query->call) {
    case WORLD_DATABASE_QUERY: rc = run_query(query, message); break;
    case WORLD_DATABASE_PREPARE: rc = run_query(query, message); break;
    case WORLD_DATABASE_BEGIN: rc = begin(query, message); break;
    case WORLD_DATABASE_COMMIT: rc = commit(world, query, message); break;
    case WORLD_DATABASE_ROLLBACK: vw_client_rollback(world, client); break;
    default: break;
    }
    if (rc < 0) {
        client->failed |= client->in_transaction;
        flat_free(&client->rows);
        vw_query_says(query, rc, message);
        return;
    }
    query->rc = rc;
    query->count = asked;
    if (query->call == WORLD_DATABASE_QUERY || query->call == WORLD_DATABASE_FETCH)
        vw_query_batch(query, client);
    else
        query->count = 0;
    if (query->call == WORLD_DATABASE_QUERY && query->rc > 0)
        query->count += (uint64_t)query->rc;        /* rows that were changed take time, too */
}
