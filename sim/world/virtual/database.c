/* database.c - connections to a database, the lock of those who write, and outages. */
#include "connection.h"
#include "draw.h"
#include "virtual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Databases ----------------------------------------------------------------------------- */

void vw_database_free(struct database *database)
{
    while (database->clients) {
        struct client *client = database->clients;
        database->clients = client->next;
        vw_state_leave(client->seen);
        vw_state_leave(client->own);
        flat_free(&client->rows);
        free(client->prepared);
        free(client);
    }
    for (size_t i = 0; i < database->setup_count; i++)
        free(database->setup[i]);
    for (size_t i = 0; i < database->mishap_count; i++)
        free(database->mishaps[i].match);
    vw_state_leave(database->state);
    free(database->setup);
    free(database->mishaps);
    free(database->outages);
    free(database->url);
    *database = (struct database){0};
}

void vw_databases_free(struct databases *databases)
{
    for (size_t i = 0; i < databases->count; i++)
        vw_database_free(&databases->all[i]);
    free(databases->all);
    while (databases->unnamed) {
        struct unnamed *unnamed = databases->unnamed;
        databases->unnamed = unnamed->next;
        vw_database_free(&unnamed->database);
        free(unnamed);
    }
    *databases = (struct databases){0};
}

/* One that the world file does not name: empty, and as quick as can be. */
static struct database *unnamed_new(struct databases *databases, const char *url, int32_t *rc)
{
    size_t at;
    char message[SQ_MESSAGE];
    struct unnamed *unnamed = calloc(1, sizeof *unnamed);
    *rc = -ENOMEM;
    if (!unnamed)
        return NULL;
    struct database *database = &unnamed->database;
    database->url = strdup(url);
    database->is_sqlite = true;
    database->connections = VW_UNLIMITED;
    database->key = vw_key(url, strlen(url));
    if (!database->url || (*rc = vw_data_open(database, &at, message)) < 0) {
        vw_database_free(database);
        free(unnamed);
        return NULL;
    }
    unnamed->next = databases->unnamed;
    databases->unnamed = unnamed;
    return database;
}

struct database *vw_database_find(struct world *world, const char *url, int32_t *rc)
{
    struct databases *databases = &world->databases;
    for (size_t i = 0; i < databases->count; i++)
        if (strcmp(databases->all[i].url, url) == 0)
            return &databases->all[i];
    for (struct unnamed *unnamed = databases->unnamed; unnamed; unnamed = unnamed->next)
        if (strcmp(unnamed->database.url, url) == 0)
            return &unnamed->database;
    *rc = -ENXIO;
    return strncmp(url, "sqlite:", 7) == 0 ? unnamed_new(databases, url, rc) : NULL;
}

/* ---- Connections ---------------------------------------------------------------------------- */

static struct client *find_in(const struct database *database, uint64_t number)
{
    struct client *client = database->clients;
    while (client && client->number != number)
        client = client->next;
    return client;
}

struct client *vw_client_find(const struct world *world, uint64_t number)
{
    struct client *client = NULL;
    for (size_t i = 0; i < world->databases.count && !client; i++)
        client = find_in(&world->databases.all[i], number);
    for (struct unnamed *unnamed = world->databases.unnamed; unnamed && !client; unnamed = unnamed->next)
        client = find_in(&unnamed->database, number);
    return client;
}

struct client *vw_client_open(struct world *world, struct query *query)
{
    struct database *database = query->database;
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->database = database;
    client->number = query->operation.id;
    client->program = query->program;
    client->next = database->clients;
    if (client->next)
        client->next->prev = client;
    database->clients = client;
    database->client_count++;
    world->network.sockets++;
    return client;
}

void vw_client_rollback(struct world *world, struct client *client)
{
    vw_state_leave(client->own);
    vw_state_leave(client->seen);
    client->own = client->seen = NULL;
    client->in_transaction = client->failed = client->reads_only = false;
    flat_free(&client->rows);
    client->given = 0;
    if (client->database->writer == client)
        vw_lock_release(world, client->database);
}

static void trace_client(const struct world *world, const char *ev, const struct client *client)
{
    if (!world->trace)
        return;
    trace_begin(world->trace, world->now, TRACE_WORLD, ev);
    trace_int(world->trace, "db", (int64_t)client->number);
    trace_end(world->trace);
}

void vw_client_close(struct world *world, struct client *client)
{
    struct database *database = client->database;
    trace_client(world, "db.closed", client);
    while (client->busy || client->waiting.first) {
        struct query *query = client->busy ? client->busy : (struct query *)client->waiting.first;
        vw_query_cancel(world, query);
    }
    vw_client_rollback(world, client);
    if (client->prev)
        client->prev->next = client->next;
    else
        database->clients = client->next;
    if (client->next)
        client->next->prev = client->prev;
    database->client_count -= !client->lost;
    world->network.sockets--;
    free(client->prepared);
    free(client);
}

void vw_client_lose(struct world *world, struct client *client)
{
    if (client->lost)
        return;
    client->lost = true;
    client->database->client_count--;
    trace_client(world, "db.lost", client);
    struct query *busy = client->busy;
    if (busy && busy->stage != QUERY_ANSWERED) {
        vw_event_clear(world, &busy->operation);
        if (busy->operation.line)
            vw_line_remove(&busy->operation);
    }
    vw_client_rollback(world, client);
}

/* ---- The lock of those who write ---------------------------------------------------------------- */

void vw_lock_release(struct world *world, struct database *database)
{
    struct query *next = (struct query *)vw_line_take(&database->waiting);
    database->writer = next ? next->client : NULL;
    if (next)
        vw_query_work(world, next);
}

/* ---- Outages -------------------------------------------------------------------------------------- */

bool vw_database_is_down(const struct database *database, int64_t now)
{
    for (size_t i = 0; i < database->outage_count; i++)
        if (now >= database->outages[i].from && now < database->outages[i].to)
            return true;
    return false;
}

void vw_outage_step(struct world *world, struct query *watch)
{
    struct database *database = watch->database;
    for (struct client *client = database->clients; client; client = client->next) {
        struct query *busy = client->busy;
        vw_client_lose(world, client);
        if (busy) {
            vw_event_clear(world, &busy->operation);
            vw_query_end(world, busy, -ECONNRESET);
        }
    }
    if (++database->next_outage < database->outage_count) {
        vw_event_set(world, &watch->operation, database->outages[database->next_outage].from);
        return;
    }
    database->watch = NULL;
    vw_operation_undo(world, &watch->operation);
}
