/* postgres_session.c - values as PostgreSQL has them, and how a connection comes to rest. */
#include "database_postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values ----------------------------------------------------------------------------------- */

enum {                              /* its types, by number */
    TYPE_BOOL = 16, TYPE_BYTEA = 17, TYPE_INT8 = 20, TYPE_INT2 = 21, TYPE_INT4 = 23, TYPE_OID = 26, TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701, TYPE_NUMERIC = 1700,
};

void rw_postgres_names(struct flat *answer, const struct pg_result *result)
{
    const struct libpq *libpq = rw_libpq();
    int n = libpq->nfields(result);
    flat_int(answer, n);
    for (int i = 0; i < n; i++) {
        const char *name = libpq->fname(result, i);
        flat_bytes(answer, 't', name, strlen(name));
    }
}

static int digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* "\x6162" */
static void add_bytes(struct flat *answer, const char *hex, size_t length)
{
    char *bytes = malloc(length + 1);
    size_t n = 0;
    for (size_t i = 2; bytes && i + 1 < length; i += 2)
        bytes[n++] = (char)(digit(hex[i]) << 4 | digit(hex[i + 1]));
    if (bytes)
        flat_bytes(answer, 'b', bytes, n);
    else
        answer->failed = true;
    free(bytes);
}

/* SQLite has whole numbers as numbers, whatever their type: so has this. */
static void add_numeric(struct flat *answer, const char *text)
{
    if (strspn(text, "-0123456789") == strlen(text) && strlen(text) < 19)
        flat_int(answer, strtoll(text, NULL, 10));
    else
        flat_real(answer, strtod(text, NULL));
}

void rw_postgres_row(struct flat *answer, const struct pg_result *result)
{
    const struct libpq *libpq = rw_libpq();
    for (int i = 0, n = libpq->nfields(result); i < n; i++) {
        const char *text = libpq->getvalue(result, 0, i);
        size_t length = (size_t)libpq->getlength(result, 0, i);
        if (libpq->getisnull(result, 0, i)) {
            flat_null(answer);
            continue;
        }
        switch (libpq->ftype(result, i)) {
        case TYPE_BOOL: flat_int(answer, text[0] == 't'); break;
        case TYPE_INT2: case TYPE_INT4: case TYPE_INT8: case TYPE_OID:
            flat_int(answer, strtoll(text, NULL, 10));
            break;
        case TYPE_FLOAT4: case TYPE_FLOAT8: flat_real(answer, strtod(text, NULL)); break;
        case TYPE_NUMERIC: add_numeric(answer, text); break;
        case TYPE_BYTEA: add_bytes(answer, text, length); break;
        default: flat_bytes(answer, 't', text, length);
        }
    }
}

/* ---- Sending ------------------------------------------------------------------------------------ */

enum { MOST_VALUES = 16 };

/* A statement's values as libpq takes them: texts whose type the server works out, and bytes. */
struct values {
    int n;
    unsigned types[MOST_VALUES];
    const char *at[MOST_VALUES];
    int lengths[MOST_VALUES], formats[MOST_VALUES];
    char numbers[MOST_VALUES][40];
};

static void read_values(const struct query *query, struct values *values)
{
    const char *at = query->text + query->text_size + 1, *end = at + query->values_size;
    struct flat_value value;
    memset(values, 0, sizeof *values);
    while (values->n < MOST_VALUES && (at = flat_read(at, end, &value))) {
        int i = values->n++;
        values->at[i] = value.type == 'n' ? NULL : value.type == 't' || value.type == 'b' ? value.bytes
            : values->numbers[i];
        if (value.type == 'i')
            snprintf(values->numbers[i], sizeof values->numbers[i], "%" PRId64, value.integer);
        else if (value.type == 'r')
            snprintf(values->numbers[i], sizeof values->numbers[i], "%.17g", value.real);
        if (value.type == 'b') {
            values->types[i] = TYPE_BYTEA;
            values->lengths[i] = (int)value.size;
            values->formats[i] = 1;
        }
    }
}

static bool is_prepared(const struct session_of_postgres *server, uint32_t number)
{
    size_t i = 0;
    while (i < server->prepared_count && server->prepared[i] != number)
        i++;
    return i < server->prepared_count;
}

void rw_postgres_note_prepared(struct session_of_postgres *server, uint32_t number)
{
    uint32_t *prepared = realloc(server->prepared, (server->prepared_count + 1) * sizeof *prepared);
    if (!prepared)
        return;                     /* it is sent in full, then */
    server->prepared = prepared;
    prepared[server->prepared_count++] = number;
}

bool rw_postgres_send(struct query *query, const char *sql)
{
    const struct libpq *libpq = rw_libpq();
    struct session_of_postgres *server = query->client->server;
    char name[16];
    struct values values;
    int ok;
    snprintf(name, sizeof name, "s%u", query->session);
    read_values(query, &values);
    if (query->call == WORLD_DATABASE_PREPARE)
        ok = libpq->sendPrepare(server->conn, name, sql, 0, NULL);
    else if (query->session && is_prepared(server, query->session))
        ok = libpq->sendQueryPrepared(server->conn, name, values.n, values.at, values.lengths, values.formats, 0);
    else
        ok = libpq->sendQueryParams(server->conn, sql, values.n, values.types, values.at, values.lengths,
                                    values.formats, 0);
    if (ok && query->call == WORLD_DATABASE_QUERY)
        libpq->setSingleRowMode(server->conn);
    return rw_postgres_sent(query->client, ok);
}

/* ---- Coming to rest ------------------------------------------------------------------------------ */

static void cancel_in_thread(uv_work_t *work)
{
    const struct client *client = work->data;
    char words[256];
    rw_libpq()->cancel(client->server->token, words, sizeof words);
}

static void after_cancel(uv_work_t *work, int status)
{
    struct client *client = work->data;
    (void)status;
    rw_libpq()->freeCancel(client->server->token);
    client->server->token = NULL;
    client->server->cancelling = false;
    client->server->suspect = true;
    rw_postgres_rest(client);
}

void rw_postgres_cancel(struct client *client)
{
    struct session_of_postgres *server = client->server;
    if (server->cancelling || !(server->token = rw_libpq()->getCancel(server->conn)))
        return;
    server->cancelling = true;
    server->cancel.data = client;
    uv_queue_work(&client->world->loop, &server->cancel, cancel_in_thread, after_cancel);
}

/* It may go on when no cancel is on its way any more, neither from here nor to its statement. */
void rw_postgres_rest(struct client *client)
{
    struct session_of_postgres *server = client->server;
    const struct libpq *libpq = rw_libpq();
    if (client->busy || server->cancelling || server->streaming)
        return;
    server->draining = false;
    if (server->suspect && !client->closing && libpq->status(server->conn) != LIBPQ_BAD) {
        server->suspect = false;
        client->resting = server->streaming = server->draining = true;
        if (rw_postgres_sent(client, libpq->sendQueryParams(server->conn, "", 0, NULL, NULL, NULL, NULL, 0)))
            return;
        server->streaming = server->draining = false;
    }
    client->resting = false;
    rw_client_next(client);
}

void rw_postgres_stop(struct client *client)
{
    struct session_of_postgres *server = client->server;
    if (!server || !server->streaming)
        return;
    rw_libpq()->clear(server->next);
    server->next = NULL;
    server->draining = client->resting = true;
    if (!client->in_transaction)        /* there a cancel would make it fail */
        rw_postgres_cancel(client);
    rw_postgres_drain(client);
}

static void on_idle_closed(uv_handle_t *handle)
{
    rw_client_free(handle->data);
}

void rw_postgres_close(struct client *client)
{
    struct session_of_postgres *server = client->server;
    const struct libpq *libpq = rw_libpq();
    if (server)
        rw_postgres_unwatch(server);    /* from then on its descriptor may be closed */
    if (server && libpq) {
        libpq->clear(server->next);
        libpq->finish(server->conn);
    }
    if (server)
        free(server->prepared);
    free(server);
    client->server = NULL;
    client->timer.data = client;
    uv_timer_init(&client->world->loop, &client->timer);
    client->timer.data = client;
    uv_close((uv_handle_t *)&client->timer, on_idle_closed);
}

void rw_postgres_abandon(struct client *client)
{
    struct session_of_postgres *server = client->server;
    struct query *query = client->busy;
    client->busy = NULL;
    client->stop = false;
    if (query)
        rw_operation_release(client->world, &query->operation);
    if (server)
        server->streaming = server->suspect = false;
    client->resting = server && server->cancelling;     /* then the thread is waited for */
    rw_client_next(client);
}
