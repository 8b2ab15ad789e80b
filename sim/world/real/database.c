/* database.c - connections to databases, and what is asked of each, one after the other. */
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Trace ---------------------------------------------------------------------------------- */

static void trace_start(struct real *world, const struct query *query, const struct world_request *request)
{
    static const char *const calls[] = {"connect", "query", "prepare", "fetch", "begin", "commit", "rollback"};
    const char *call = calls[query->call - WORLD_DATABASE_CONNECT];
    struct trace *trace = rw_trace(world, "db.start", query->operation.id);
    if (!trace)
        return;
    if (request->task)
        trace_int(trace, "task", request->task);
    trace_str(trace, "call", call, strlen(call));
    if (query->call != WORLD_DATABASE_CONNECT)
        trace_int(trace, "db", (int64_t)request->file);
    if (query->text_size)
        trace_str(trace, query->call == WORLD_DATABASE_CONNECT ? "url" : "sql", query->text, query->text_size);
    if (query->session)
        trace_int(trace, "prepared", query->session);
    trace_end(trace);
}

static void trace_client(const struct client *client, const char *ev)
{
    struct trace *trace = rw_trace(client->world, ev, 0);
    if (!trace)
        return;
    trace_int(trace, "db", (int64_t)client->number);
    trace_end(trace);
}

/* ---- Connections ---------------------------------------------------------------------------- */

static struct client *client_find(const struct real *world, uint64_t number)
{
    struct client *client = world->clients;
    while (client && (client->number != number || client->closing))
        client = client->next;
    return client;
}

static struct client *client_new(struct real *world, const struct query *query)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->world = world;
    client->number = query->operation.id;
    client->engine = strncmp(query->text, "sqlite:", 7) == 0 ? &rw_sqlite : &rw_postgres;
    client->next = world->clients;
    if (client->next)
        client->next->prev = client;
    world->clients = client;
    return client;
}

void rw_client_free(struct client *client)
{
    if (client->prev)
        client->prev->next = client->next;
    else
        client->world->clients = client->next;
    if (client->next)
        client->next->prev = client->prev;
    free(client);
}

void rw_client_next(struct client *client)
{
    struct query *query = client->first;
    if (client->busy || client->resting || client->closed)
        return;
    if (client->stop) {
        client->stop = false;
        client->engine->stop(client);
        if (client->resting)
            return;
    }
    if (!query) {
        client->closed = client->closing;
        if (client->closing)
            client->engine->close(client);
        return;
    }
    client->first = query->next;
    client->busy = query;
    query->operation.at_work = true;
    client->engine->begin(query);
}

/* ---- Queries -------------------------------------------------------------------------------------- */

static void end(struct real *world, struct query *query, int32_t rc)
{
    struct trace *trace = rw_trace(world, rc == -ECANCELED ? "db.cancelled" : "db.end", query->operation.id);
    if (trace) {
        if (rc != -ECANCELED)
            trace_int(trace, "rc", rc);
        if (rc != -ECANCELED && rc < 0 && query->message[0])
            trace_str(trace, "says", query->message, strlen(query->message));
        trace_end(trace);
    }
    rw_operation_end(world, &query->operation, rc);
}

void rw_client_lost(struct client *client)
{
    if (client->lost || client->closing)
        return;
    client->lost = true;
    trace_client(client, "db.lost");
}

void rw_query_done(struct query *query, int32_t rc)
{
    struct client *client = query->client;
    struct real *world = client->world;
    client->busy = NULL;
    if (query->answer.failed)
        rc = -ENOMEM;
    if (rc == -ECONNRESET)
        rw_client_lost(client);
    if (rc < 0) {
        query->more = false;
        query->answer.length = 0;
        query->answer.failed = false;
        flat_copy(&query->answer, query->message, strlen(query->message));
    }
    if (query->call == WORLD_DATABASE_CONNECT && rc < 0)
        client->closing = true;
    if (!query->given_up)
        end(world, query, rc);
    else if (query->more)
        client->stop = true;
    rw_operation_release(world, &query->operation);
    rw_client_next(client);
}

static bool take_request(struct query *query, const struct world_request *request)
{
    size_t text = request->lengths[0], values = request->lengths[1];
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

static void stop_or_close(struct real *world, const struct world_request *request)
{
    struct client *client = client_find(world, request->file);
    if (!client)
        return;
    if (request->call == WORLD_DATABASE_STOP) {
        client->stop = true;
    } else {
        client->closing = true;
        trace_client(client, "db.closed");
        if (client->busy && !client->busy->given_up) {
            client->busy->given_up = true;
            end(world, client->busy, -ECANCELED);
            client->engine->give_up(client->busy);
            return;                     /* it is closed by then, or will be */
        }
    }
    rw_client_next(client);
}

static void line_up(struct client *client, struct query *query)
{
    if (client->first)
        client->last->next = query;
    else
        client->first = query;
    client->last = query;
}

uint64_t rw_query_submit(struct real *world, const struct world_request *request)
{
    if (request->call >= WORLD_DATABASE_STOP) {
        stop_or_close(world, request);
        return ++world->last_id;
    }
    struct query *query = (struct query *)rw_operation_new(world, request, sizeof *query);
    if (!query)
        return 0;
    query->call = request->call;
    query->mode = request->mode;
    query->session = request->session;
    query->count = request->count;
    bool ok = take_request(query, request);
    if (ok && query->call == WORLD_DATABASE_CONNECT)
        ok = (query->client = client_new(world, query)) != NULL;
    else if (ok)
        query->client = client_find(world, request->file);
    if (!ok) {
        rw_operation_undo(world, &query->operation);
        return 0;
    }
    trace_start(world, query, request);
    if (!query->client) {
        end(world, query, -EBADF);
        return query->operation.id;
    }
    line_up(query->client, query);
    rw_client_next(query->client);
    return query->operation.id;
}

void rw_query_cancel(struct real *world, struct query *query)
{
    struct client *client = query->client;
    if (client->busy == query) {
        query->given_up = true;
        end(world, query, -ECANCELED);
        if (query->call == WORLD_DATABASE_CONNECT)
            client->closing = true;
        client->engine->give_up(query);
        return;
    }
    struct query *before = NULL;
    for (struct query **at = &client->first; *at; before = *at, at = &(*at)->next)
        if (*at == query) {
            *at = query->next;
            if (!query->next)
                client->last = before;
            break;
        }
    end(world, query, -ECANCELED);
}

void rw_query_give(const struct query *query, struct world_completion *out)
{
    out->status = query->more;
    if (query->given_up || query->answer.failed || query->answer.length == 0)
        return;
    out->parts |= WORLD_BODY;
    out->data = query->answer.at;
    out->size = query->answer.length;
}

void rw_query_forget(struct query *query)
{
    free(query->text);
    flat_free(&query->answer);
}

/* All that goes on comes to its end within the loop's last round. */
void rw_databases_close(struct real *world)
{
    for (struct client *client = world->clients, *next; client; client = next) {
        next = client->next;
        client->closing = true;
        client->first = NULL;
        if (client->engine == &rw_postgres) {
            rw_postgres_abandon(client);
        } else if (client->busy && !client->busy->given_up) {
            client->busy->given_up = true;
            client->engine->give_up(client->busy);
        } else {
            rw_client_next(client);
        }
    }
}
