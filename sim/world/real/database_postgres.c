/* database_postgres.c - a PostgreSQL server, over libpq, on the loop: nothing here ever waits.
 *
 * While it connects libpq may change its socket, even for one of the same number: it is watched anew after each step.
 * Rows come one by one, and when there are enough for a batch the socket is not read until more are wanted. A cancel is
 * a connection of its own, and blocks: a thread makes it. It can hit the statement behind the one that was meant, so
 * the connection rests until that thread is done and a statement that is nobody's has gone there and back.
 */
#include "database_postgres.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct libpq libpq;

const struct libpq *rw_libpq(void)
{
    static bool tried, found;
    if (tried)
        return found ? &libpq : NULL;
    tried = true;
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libpq.5.dylib", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return NULL;
#define FIND(result, name, parameters) \
    if (!(*(void **)&libpq.name = dlsym(library, "PQ" #name))) \
        return NULL;
    LIBPQ_CALLS(FIND)
    found = true;
    return &libpq;
}

/* ---- Watching its socket ------------------------------------------------------------------------ */

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_poll_closed(uv_handle_t *poll)
{
    free(poll);
}

void rw_postgres_unwatch(struct session_of_postgres *server)
{
    if (server->poll)
        uv_close((uv_handle_t *)server->poll, on_poll_closed);
    server->poll = NULL;
    server->watched = 0;
}

/* What comes stays where it is. */
static void pause_reading(struct session_of_postgres *server)
{
    if (server->poll)
        uv_poll_stop(server->poll);
    server->watched = 0;
}

/* False: it cannot be watched. */
static bool watch(struct client *client, int events)
{
    struct session_of_postgres *server = client->server;
    int fd = libpq.socket(server->conn);
    if (!server->poll) {
        uv_poll_t *poll = fd >= 0 ? calloc(1, sizeof *poll) : NULL;
        if (!poll || uv_poll_init(&client->world->loop, poll, fd) < 0) {
            free(poll);
            return false;
        }
        poll->data = client;
        server->poll = poll;
    }
    if (server->watched == events)
        return true;
    server->watched = uv_poll_start(server->poll, events, on_ready) == 0 ? events : 0;
    return server->watched == events;
}

/* ---- Connecting --------------------------------------------------------------------------------- */

/* Refusals of a connection have no code, only words. */
static int refusal(const char *words)
{
    static const struct { const char *part; int rc; } known[] = {
        {"too many", -SQL_CROWDED}, {"remaining connection slots", -SQL_CROWDED}, {"starting up", -ECONNREFUSED},
        {"shutting down", -ECONNREFUSED}, {"recovery", -ECONNREFUSED}, {"Connection refused", -ECONNREFUSED},
        {"No such file", -ECONNREFUSED}, {"translate host name", -ENXIO}, {"Is the server running", -ECONNREFUSED},
        {"timeout", -ETIMEDOUT}, {"closed the connection", -ECONNRESET},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(words, known[i].part))
            return known[i].rc;
    return -EACCES;
}

static void ignore(void *unused, const char *notice)
{
    (void)unused, (void)notice;
}

static void say(struct query *query, const char *words)
{
    snprintf(query->message, sizeof query->message, "%s", words);
    size_t length = strlen(query->message);
    while (length > 0 && query->message[length - 1] == '\n')
        query->message[--length] = '\0';
}

static void connect_on(struct query *query)
{
    struct client *client = query->client;
    struct session_of_postgres *server = client->server;
    rw_postgres_unwatch(server);
    int state = libpq.connectPoll(server->conn);
    if (state == LIBPQ_POLL_OK) {
        libpq.setnonblocking(server->conn, 1);
        watch(client, UV_READABLE);         /* from now on, also while it rests: so that a loss is noticed */
        rw_query_done(query, 0);
    } else if (state == LIBPQ_POLL_FAILED || !watch(client, state == LIBPQ_POLL_READING ? UV_READABLE : UV_WRITABLE)) {
        say(query, libpq.errorMessage(server->conn));
        rw_query_done(query, refusal(query->message));
    }
}

static void begin_connecting(struct query *query)
{
    struct client *client = query->client;
    client->server = calloc(1, sizeof *client->server);
    if (!client->server) {
        rw_query_done(query, -ENOMEM);
        return;
    }
    if (!rw_libpq()) {
        say(query, "co_db needs libpq for PostgreSQL, which is not on this machine: install libpq5 (Debian, Ubuntu), "
            "libpq (Fedora, brew), postgresql-libs (Arch)");
        rw_query_done(query, -ENOSYS);
        return;
    }
    struct session_of_postgres *server = client->server;
    server->conn = libpq.connectStart(query->text);
    if (!server->conn || libpq.status(server->conn) == LIBPQ_BAD) {
        say(query, server->conn ? libpq.errorMessage(server->conn) : "");
        rw_query_done(query, server->conn ? refusal(query->message) : -ENOMEM);
        return;
    }
    libpq.setNoticeProcessor(server->conn, ignore, NULL);
    if (!watch(client, UV_WRITABLE)) {
        say(query, libpq.errorMessage(server->conn));
        rw_query_done(query, -ECONNREFUSED);
    }
}

/* ---- What comes back ------------------------------------------------------------------------------ */

static int rc_of(const char *state)
{
    static const struct { const char *begins; int rc; } known[] = {
        {"23", -SQL_CONSTRAINT}, {"40", -SQL_SERIAL}, {"57014", -ECANCELED}, {"57P", -ECONNRESET}, {"08", -ECONNRESET},
        {"55P03", -ETIMEDOUT}, {"53300", -SQL_CROWDED}, {"53100", -ENOSPC}, {"53", -ENOMEM}, {"25P02", -SQL_FAILED},
        {"25006", -EPERM}, {"42501", -EACCES},
    };
    for (size_t i = 0; state && i < sizeof known / sizeof known[0]; i++)
        if (strncmp(state, known[i].begins, strlen(known[i].begins)) == 0)
            return known[i].rc;
    return state ? -SQL_WRONG : -ECONNRESET;
}

/* Takes note of one result. The first error counts. */
static void take(struct query *query, struct pg_result *result)
{
    struct session_of_postgres *server = query->client->server;
    int status = libpq.resultStatus(result);
    if (status == LIBPQ_SINGLE_TUPLE || status == LIBPQ_TUPLES_OK) {
        if (!server->named && query->call == WORLD_DATABASE_QUERY)
            rw_postgres_names(&query->answer, result);
        server->named = true;
        if (status == LIBPQ_SINGLE_TUPLE)
            rw_postgres_row(&query->answer, result);
        server->rows += status == LIBPQ_SINGLE_TUPLE;
    }
    if (status == LIBPQ_COMMAND_OK || status == LIBPQ_TUPLES_OK) {
        const char *tag = libpq.cmdStatus(result);
        if (strncmp(tag, "SELECT", 6) != 0)
            server->rc = server->rc < 0 ? server->rc : atoi(libpq.cmdTuples(result));
        if (query->call == WORLD_DATABASE_COMMIT && strcmp(tag, "ROLLBACK") == 0)
            server->rc = -SQL_FAILED;
        if (!server->named && query->call == WORLD_DATABASE_QUERY)
            flat_int(&query->answer, 0);
    } else if (status != LIBPQ_SINGLE_TUPLE && server->rc >= 0) {
        const char *words = libpq.resultErrorField(result, LIBPQ_PRIMARY);
        server->rc = rc_of(libpq.resultErrorField(result, LIBPQ_SQLSTATE));
        say(query, words ? words : libpq.resultErrorMessage(result));
    }
}

/* The statement is over, and nothing more of it is on its way. */
static void over(struct query *query)
{
    struct session_of_postgres *server = query->client->server;
    int rc = server->rc;
    server->streaming = false;
    if (libpq.status(server->conn) == LIBPQ_BAD)
        rc = -ECONNRESET;
    if (query->call == WORLD_DATABASE_BEGIN)
        query->client->in_transaction = rc >= 0;
    if (query->call == WORLD_DATABASE_COMMIT || query->call == WORLD_DATABASE_ROLLBACK)
        query->client->in_transaction = false;
    if (query->call == WORLD_DATABASE_FETCH && rc > 0)
        rc = 0;
    if (rc == 0 && query->call == WORLD_DATABASE_PREPARE)
        rw_postgres_note_prepared(server, query->session);
    rw_query_done(query, rc);
}

/* Enough rows for a batch: what comes behind them stays where it is. */
static bool is_full(const struct query *query)
{
    return !query->given_up && (query->call == WORLD_DATABASE_QUERY || query->call == WORLD_DATABASE_FETCH)
        && query->client->server->rows >= query->count;
}

static void read_on(struct query *query)
{
    struct client *client = query->client;
    struct session_of_postgres *server = client->server;
    while (!libpq.isBusy(server->conn)) {
        struct pg_result *result = libpq.getResult(server->conn);
        if (!result) {
            rw_postgres_settled(client);
            return;
        }
        bool is_row = libpq.resultStatus(result) == LIBPQ_SINGLE_TUPLE;
        if (is_row && is_full(query)) {
            server->next = result;
            query->more = true;
            pause_reading(server);
            rw_query_done(query, 0);
            return;
        }
        if (!query->given_up && !server->draining)
            take(query, result);
        libpq.clear(result);
    }
    if (!watch(client, UV_READABLE))
        rw_postgres_settled(client);
}

/* Something has come for a connection that rests: a notice, or its end. */
static void look_up(struct client *client, bool alive)
{
    struct session_of_postgres *server = client->server;
    if (alive && libpq.status(server->conn) != LIBPQ_BAD)
        return;
    rw_postgres_unwatch(server);
    rw_client_lost(client);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;
    struct session_of_postgres *server = client->server;
    struct query *query = client->busy;
    (void)status, (void)events;
    if (query && query->call == WORLD_DATABASE_CONNECT) {
        connect_on(query);
        return;
    }
    int left = libpq.flush(server->conn);
    bool alive = libpq.consumeInput(server->conn) == 1 && left >= 0;
    if (!alive)
        rw_postgres_unwatch(server);
    if (alive && left > 0)
        watch(client, UV_READABLE | UV_WRITABLE);
    else if (query)
        read_on(query);
    else if (server->streaming)
        rw_postgres_drain(client);
    else
        look_up(client, alive);
}

/* What has been asked for is answered, to the end. */
void rw_postgres_settled(struct client *client)
{
    struct query *query = client->busy;
    if (query && !query->given_up && !client->server->draining) {
        over(query);
        return;
    }
    client->server->streaming = false;
    if (query) {
        client->resting = true;
        rw_query_done(query, -ECANCELED);
    }
    rw_postgres_rest(client);
}

/* ---- Asking -------------------------------------------------------------------------------------- */

/* Sent, or on its way. False: the connection is broken. */
bool rw_postgres_sent(struct client *client, int ok)
{
    struct session_of_postgres *server = client->server;
    int left = ok ? libpq.flush(server->conn) : -1;
    return left >= 0 && watch(client, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static const char *sql_of(const struct query *query)
{
    switch (query->call) {
    case WORLD_DATABASE_BEGIN:
        return query->mode == WORLD_DATABASE_READS ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            : "BEGIN ISOLATION LEVEL SERIALIZABLE";
    case WORLD_DATABASE_COMMIT: return "COMMIT";
    case WORLD_DATABASE_ROLLBACK: return "ROLLBACK";
    default: return query->text;
    }
}

static void begin(struct query *query)
{
    struct client *client = query->client;
    struct session_of_postgres *server = client->server;
    if (query->call == WORLD_DATABASE_CONNECT) {
        begin_connecting(query);
        return;
    }
    if (query->call == WORLD_DATABASE_FETCH) {
        struct pg_result *next = server->next;
        server->next = NULL;
        server->rows = 0;
        if (!next) {
            rw_query_done(query, 0);
            return;
        }
        take(query, next);
        libpq.clear(next);
        read_on(query);
        return;
    }
    server->rc = 0;
    server->rows = 0;
    server->named = false;
    if (libpq.status(server->conn) == LIBPQ_BAD || !rw_postgres_send(query, sql_of(query))) {
        say(query, libpq.errorMessage(server->conn));
        rw_query_done(query, -ECONNRESET);
        return;
    }
    server->streaming = true;
}

static void give_up(struct query *query)
{
    struct client *client = query->client;
    if (query->call == WORLD_DATABASE_CONNECT) {
        rw_postgres_unwatch(client->server);
        rw_query_done(query, -ECANCELED);
    } else if (query->call != WORLD_DATABASE_ROLLBACK && query->call != WORLD_DATABASE_COMMIT) {
        rw_postgres_cancel(client);
    }
}

const struct engine rw_postgres = {begin, give_up, rw_postgres_stop, rw_postgres_close};

/* Rows that nobody wants: the rest of them is read and thrown away. */
void rw_postgres_drain(struct client *client)
{
    struct session_of_postgres *server = client->server;
    while (!libpq.isBusy(server->conn)) {
        struct pg_result *result = libpq.getResult(server->conn);
        if (!result) {
            rw_postgres_settled(client);
            return;
        }
        libpq.clear(result);
    }
    if (!watch(client, UV_READABLE))
        rw_postgres_settled(client);
}
