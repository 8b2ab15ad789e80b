/* query.c - one call to a database: it is submitted, goes to the server, has its turn there, takes its time, and ends.
 *
 *     WAITS ──▶ SENT ──▶ (LOCKED ──▶) WORKS ──▶ ANSWERED
 *
 * Half of the round trip is the way there. At the server a change waits until no other connection writes; then it works
 * for as long as the database's latency says, and takes effect in one step. Its rows and the other half of the round
 * trip come behind that. What is asked of one connection is done one after the other.
 */
#define _GNU_SOURCE     /* memmem */
#include "connection.h"
#include "sql/failure.h"
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Trace ---------------------------------------------------------------------------------- */

static void trace_start(const struct world *world, const struct query *query, uint32_t task)
{
    static const char *const calls[] = {"connect", "query", "prepare", "fetch", "begin", "commit", "rollback"};
    struct trace *trace = world->trace;
    const char *call = calls[query->call - WORLD_DATABASE_CONNECT];
    if (!trace)
        return;
    trace_begin(trace, world->now, TRACE_WORLD, "db.start");
    trace_int(trace, "op", (int64_t)query->operation.id);
    if (task)
        trace_int(trace, "task", task);
    if (query->program)
        trace_int(trace, "program", query->program);
    trace_str(trace, "call", call, strlen(call));
    if (query->call != WORLD_DATABASE_CONNECT)
        trace_int(trace, "db", (int64_t)query->number);
    if (query->text_size)
        trace_str(trace, query->call == WORLD_DATABASE_CONNECT ? "url" : "sql", query->text, query->text_size);
    if (query->session)
        trace_int(trace, "prepared", query->session);
    trace_end(trace);
}

static void trace_wait(const struct world *world, const struct query *query)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, "db.locked");
    trace_int(world->trace, "op", (int64_t)query->operation.id);
    trace_int(world->trace, "by", (int64_t)query->database->writer->number);
    trace_end(world->trace);
}

static void trace_end_of(const struct world *world, const struct query *query)
{
    if (!world->trace)
        return;
    bool cancelled = query->rc == -ECANCELED;
    trace_begin(world->trace, world->now, TRACE_WORLD, cancelled ? "db.cancelled" : "db.end");
    trace_int(world->trace, "op", (int64_t)query->operation.id);
    if (!cancelled)
        trace_int(world->trace, "rc", query->rc);
    if (!cancelled && query->rc < 0 && query->answer.length)
        trace_str(world->trace, "says", query->answer.at, query->answer.length);
    trace_end(world->trace);
}

/* ---- On its way ------------------------------------------------------------------------------- */

void vw_query_end(struct world *world, struct query *query, int32_t rc)
{
    struct client *client = query->client;
    query->rc = rc;
    if (query->answer.failed)
        query->rc = -ENOMEM;
    trace_end_of(world, query);
    vw_result_end(world, &query->operation, query->rc);
    if (client && client->busy == query) {
        client->busy = NULL;
        vw_client_next(world, client);
    }
}

/* It sets out, as the connection is free. Over a broken one nothing goes anywhere. */
static void set_out(struct world *world, struct query *query)
{
    struct client *client = query->client;
    int64_t from = client->free_at > world->now ? client->free_at : world->now;
    client->busy = query;
    query->stage = QUERY_SENT;
    vw_event_set(world, &query->operation, client->lost ? world->now : vw_later(from, query->database->rtt / 2));
}

void vw_client_next(struct world *world, struct client *client)
{
    struct query *next = client->busy ? NULL : (struct query *)vw_line_take(&client->waiting);
    if (next)
        set_out(world, next);
}

void vw_query_work(struct world *world, struct query *query)
{
    const struct database *database = query->database;
    int64_t latency = query->call == WORLD_DATABASE_QUERY ? database->latency : 0;
    if (query->mishap && query->mishap->kind == MISHAP_SLOW)
        latency = vw_later(latency, query->mishap->latency);
    if (query->call == WORLD_DATABASE_QUERY || query->call == WORLD_DATABASE_PREPARE) {
        const struct client *client = query->client;
        size_t i = 0;
        while (i < client->prepared_count && client->prepared[i] != query->session)
            i++;
        if (query->session == 0 || i == client->prepared_count)
            latency = vw_later(latency, database->parse);
    }
    query->stage = QUERY_WORKS;
    vw_event_set(world, &query->operation, vw_later(world->now, latency));
}

/* ---- At the server --------------------------------------------------------------------------- */

/* The mishap that strikes it, or NULL. Each one counts it. */
static const struct mishap *mishap_of(const struct query *query)
{
    struct database *database = query->database;
    const struct mishap *found = NULL;
    bool has_text = query->call == WORLD_DATABASE_QUERY;
    static const char commit[] = "COMMIT";
    const char *text = has_text ? query->text : commit;
    size_t size = has_text ? query->text_size : sizeof commit - 1;
    if (!has_text && query->call != WORLD_DATABASE_COMMIT)
        return NULL;
    for (size_t i = 0; i < database->mishap_count; i++) {
        struct mishap *mishap = &database->mishaps[i];
        if (mishap->match ? !memmem(text, size, mishap->match, strlen(mishap->match)) : !has_text)
            continue;
        mishap->seen++;
        if (!found && mishap->seen >= mishap->nth && mishap->seen - mishap->nth < mishap->times)
            found = mishap;
    }
    return found;
}

static bool breaks(const struct query *query, bool done)
{
    return query->mishap && query->mishap->kind == MISHAP_LOST && query->mishap->done == done;
}

static void lose(struct world *world, struct query *query)
{
    vw_client_lose(world, query->client);
    vw_query_says(query, -ECONNRESET, "the connection to the database was lost");
    vw_query_end(world, query, -ECONNRESET);
}

static void arrive(struct world *world, struct query *query)
{
    struct database *database = query->database;
    struct client *client = query->client;
    if (client->lost) {
        vw_query_says(query, -ECONNRESET, "the connection to the database was lost");
        vw_query_end(world, query, -ECONNRESET);
        return;
    }
    query->mishap = mishap_of(query);
    if (breaks(query, false)) {
        lose(world, query);
        return;
    }
    query->writes = vw_query_writes(world, query);
    if (query->writes && database->writer && database->writer != client) {
        trace_wait(world, query);
        query->stage = QUERY_LOCKED;
        vw_line_add(&database->waiting, &query->operation);
        return;
    }
    if (query->writes)
        database->writer = client;
    vw_query_work(world, query);
}

static void take_effect(struct world *world, struct query *query)
{
    struct database *database = query->database;
    struct client *client = query->client;
    vw_query_run(world, query);
    if (database->writer == client && !(client->in_transaction && (client->own || database->is_sqlite)))
        vw_lock_release(world, database);
    if (breaks(query, true)) {
        lose(world, query);
        return;
    }
    int64_t rows = query->count, cost = database->row ? vw_scale(rows, database->row, 1) : 0;
    query->stage = QUERY_ANSWERED;
    vw_event_set(world, &query->operation, vw_later(world->now, vw_later(cost, database->rtt - database->rtt / 2)));
}

static void connected(struct world *world, struct query *query)
{
    const struct database *database = query->database;
    if (query->rc < 0 || !database) {
        vw_query_end(world, query, query->rc);
        return;
    }
    int32_t rc = vw_database_is_down(database, world->now) ? -ECONNREFUSED
        : database->client_count >= database->connections ? -SQL_CROWDED
        : !vw_has_descriptor(world) ? -EMFILE
        : vw_client_open(world, query) ? 0 : -ENOMEM;
    if (rc == -SQL_CROWDED)
        vw_query_says(query, rc, "sorry, too many clients already");
    vw_query_end(world, query, rc);
}

void vw_query_step(struct world *world, struct query *query)
{
    if (query->database && query->database->watch == query)
        vw_outage_step(world, query);
    else if (query->call == WORLD_DATABASE_CONNECT || !query->client)
        connected(world, query);
    else if (query->stage == QUERY_SENT)
        arrive(world, query);
    else if (query->stage == QUERY_WORKS)
        take_effect(world, query);
    else
        vw_query_end(world, query, query->rc);
}

/* ---- Submitting ------------------------------------------------------------------------------ */

/* What waits for the database's first outage. False: no memory. */
static bool watch_outages(struct world *world, struct database *database)
{
    static const struct world_request nobodys = {0};
    size_t next = database->next_outage;
    while (next < database->outage_count && database->outages[next].from < world->now)
        next++;
    database->next_outage = next;
    if (database->watch || next == database->outage_count)
        return true;
    struct query *watch = (struct query *)vw_operation_new(world, WORLD_DATABASE, &nobodys);
    if (!watch)
        return false;
    watch->database = database;
    database->watch = watch;
    vw_event_set(world, &watch->operation, database->outages[next].from);
    return true;
}

static void submit_connect(struct world *world, struct query *query)
{
    int32_t rc = 0;
    query->database = vw_database_find(world, query->text, &rc);
    if (!query->database) {
        query->rc = rc;
        vw_query_says(query, rc, rc == -ENOSYS ? SQ_MISSING
                      : rc == -ENXIO ? "the world has no database of that name" : "");
        vw_event_set(world, &query->operation, world->now);
        return;
    }
    if (!watch_outages(world, query->database))
        query->rc = -ENOMEM;
    vw_event_set(world, &query->operation, vw_later(world->now, query->database->connect));
}

static void submit_over(struct world *world, struct query *query)
{
    struct client *client = vw_client_find(world, query->number);
    if (!client || client->program != query->program) {
        query->rc = -EBADF;
        vw_event_set(world, &query->operation, world->now);
        return;
    }
    query->client = client;
    query->database = client->database;
    if (client->busy)
        vw_line_add(&client->waiting, &query->operation);
    else
        set_out(world, query);
}

/* Copies what the query needs of the request. False: no memory. */
static bool take_request(struct query *query, const struct world_request *request)
{
    size_t text = request->lengths[0], values = request->lengths[1];
    assert((uint64_t)text + values <= request->size);
    query->text = malloc(text + 1 + values + 1);
    if (!query->text)
        return false;
    if (text)
        memcpy(query->text, request->data, text);
    query->text[text] = '\0';
    if (values)
        memcpy(query->text + text + 1, (const char *)request->data + text, values);
    query->text_size = text;
    query->values_size = values;
    return true;
}

uint64_t vw_query_submit(struct world *world, const struct world_request *request)
{
    if (request->call >= WORLD_DATABASE_STOP) {
        struct client *client = vw_client_find(world, request->file);
        if (client && client->program != request->program)
            client = NULL;
        if (client && request->call == WORLD_DATABASE_CLOSE)
            vw_client_close(world, client);
        else if (client)
            flat_free(&client->rows);
        return ++world->operations.last_id;
    }
    struct query *query = (struct query *)vw_operation_new(world, WORLD_DATABASE, request);
    if (!query)
        return 0;
    query->call = request->call >= WORLD_DATABASE_CONNECT ? request->call : WORLD_DATABASE_ROLLBACK;
    query->mode = request->mode;
    query->program = request->program;
    query->session = request->session;
    query->number = request->file;
    query->count = request->count;
    if (!take_request(query, request)) {
        vw_operation_undo(world, &query->operation);
        return 0;
    }
    trace_start(world, query, request->task);
    if (query->call == WORLD_DATABASE_CONNECT)
        submit_connect(world, query);
    else
        submit_over(world, query);
    return query->operation.id;
}

/* ---- Giving up --------------------------------------------------------------------------------- */

/* What a server does for a query is given up when it hears of that: half a round trip later. Until the answer to that
 * is back the connection cannot be used. What had not taken effect before does not. */
void vw_query_cancel(struct world *world, struct query *query)
{
    struct client *client = query->client;
    if (query->database && query->database->watch == query)
        return;         /* no program has asked for it */
    vw_event_clear(world, &query->operation);
    if (query->operation.line)
        vw_line_remove(&query->operation);
    if (client && client->busy == query) {
        struct database *database = query->database;
        client->free_at = vw_later(world->now, database->rtt);
        client->failed |= client->in_transaction && query->call != WORLD_DATABASE_ROLLBACK;
        if (query->stage == QUERY_WORKS && database->writer == client
            && !(client->in_transaction && (client->own || database->is_sqlite)))
            vw_lock_release(world, database);
    }
    vw_query_end(world, query, -ECANCELED);
}

void vw_query_give(const struct query *query, struct world_completion *out)
{
    out->status = query->more;
    if (query->answer.length == 0 || query->answer.failed)
        return;
    out->parts |= WORLD_BODY;
    out->data = query->answer.at;
    out->size = query->answer.length;
}

void vw_query_forget(struct query *query)
{
    free(query->text);
    query->text = NULL;
    flat_free(&query->answer);
}
