/* database_sqlite.c - a database in a file: each call is done by one of libuv's threads.
 *
 * Nobody waits in a thread for another one's lock: SQLite says that it is busy, and the loop asks again a little later.
 * (In WAL mode readers never wait, and writers begin with their lock: then nobody can be too late for it.)
 */
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_PAUSE = 20 };        /* ms */

/* ---- In a thread ----------------------------------------------------------------------------- */

static int fail(struct query *query, int code)
{
    struct client *client = query->client;
    int rc = sq_error(client->sql, code, query->message);
    client->retry = rc == -EBUSY;
    return rc;
}

static int run(struct query *query, const char *sql)
{
    int rc = sq_run(query->client->sql, sql, query->message);
    query->client->retry = rc == -EBUSY;
    return rc;
}

static void let_go(struct client *client)
{
    const struct sqlite *sqlite = sq_load();
    if (client->stmt && client->stmt == client->prepared_at_work)
        sqlite->reset(client->stmt);
    else
        sqlite->finalize(client->stmt);
    client->stmt = client->prepared_at_work = NULL;
}

/* Sets client->stmt: a new one, or the prepared one of that number. */
static int find_statement(struct query *query)
{
    struct client *client = query->client;
    for (struct prepared *prepared = client->prepared; prepared && query->session; prepared = prepared->next)
        if (prepared->number == query->session) {
            client->stmt = client->prepared_at_work = prepared->stmt;
            return 0;
        }
    int rc = sq_prepare(client->sql, query->text, query->text_size, &client->stmt, query->message);
    client->retry = rc == -EBUSY;
    if (rc < 0 || query->session == 0)
        return rc;
    struct prepared *prepared = malloc(sizeof *prepared);
    if (!prepared)
        return -ENOMEM;
    *prepared = (struct prepared){client->prepared, query->session, client->stmt};
    client->prepared = prepared;
    client->prepared_at_work = client->stmt;
    return 0;
}

/* Takes rows until there are enough; it stands on the next one then. With `first` it does not stand on one yet. */
static int take_rows(struct query *query, bool first)
{
    const struct sqlite *sqlite = sq_load();
    struct client *client = query->client;
    int before = sqlite->total_changes(client->sql);
    int code = first ? sqlite->step(client->stmt) : SQLITE_ROW;
    for (uint64_t n = 0; code == SQLITE_ROW && n < query->count; n++) {
        sq_row(client->stmt, &query->answer);
        code = sqlite->step(client->stmt);
    }
    query->more = code == SQLITE_ROW;
    if (query->more)
        return 0;
    int rc = code == SQLITE_DONE ? 0 : fail(query, code);
    if (rc == 0 && !sqlite->stmt_readonly(client->stmt) && sqlite->total_changes(client->sql) != before)
        rc = sqlite->changes(client->sql);
    let_go(client);
    return rc;
}

static int query_it(struct query *query)
{
    struct client *client = query->client;
    const char *values = query->text + query->text_size + 1;
    int rc = find_statement(query);
    if (rc == 0 && query->call == WORLD_DATABASE_QUERY)
        rc = sq_bind(client->sql, client->stmt, values, query->values_size, query->message);
    if (rc < 0 || query->call == WORLD_DATABASE_PREPARE) {
        let_go(client);
        return rc;
    }
    query->answer.length = 0;
    sq_names(client->stmt, &query->answer);
    return take_rows(query, true);
}

static int connect_it(struct query *query)
{
    struct client *client = query->client;
    int rc = sq_open(query->text + 7, NULL, &client->sql, query->message);
    if (rc < 0)
        return rc;
    sq_load()->busy_timeout(client->sql, 0);
    rc = run(query, "PRAGMA journal_mode=WAL");
    if (rc < 0) {
        sq_load()->close_v2(client->sql);
        client->sql = NULL;
    }
    return rc;
}

static int end_transaction(struct query *query, const char *how)
{
    struct client *client = query->client;
    int rc = 0;
    let_go(client);
    if (!sq_load()->get_autocommit(client->sql))
        rc = run(query, how);
    else if (query->call == WORLD_DATABASE_COMMIT)
        rc = -SQL_FAILED;               /* SQLite has rolled it back by itself */
    if (rc == 0 && client->reads_only)
        client->reads_only = run(query, "PRAGMA query_only=0") < 0;
    return rc;
}

static int begin_transaction(struct query *query)
{
    struct client *client = query->client;
    if (query->mode != WORLD_DATABASE_READS)
        return run(query, "BEGIN IMMEDIATE");
    client->reads_only = true;
    return run(query, "PRAGMA query_only=1; BEGIN; SELECT count(*) FROM sqlite_master");
}

static void work(uv_work_t *request)
{
    struct client *client = request->data;
    struct query *query = client->busy;
    client->retry = false;
    switch (query->call) {
    case WORLD_DATABASE_CONNECT: query->rc = connect_it(query); break;
    case WORLD_DATABASE_QUERY:
    case WORLD_DATABASE_PREPARE: query->rc = query_it(query); break;
    case WORLD_DATABASE_FETCH: query->rc = client->stmt ? take_rows(query, false) : 0; break;
    case WORLD_DATABASE_BEGIN: query->rc = begin_transaction(query); break;
    case WORLD_DATABASE_COMMIT: query->rc = end_transaction(query, "COMMIT"); break;
    default: query->rc = end_transaction(query, "ROLLBACK"); break;
    }
}

/* ---- On the loop ------------------------------------------------------------------------------ */

static void after_work(uv_work_t *request, int status);

static void work_now(struct client *client)
{
    client->work.data = client;
    uv_queue_work(&client->world->loop, &client->work, work, after_work);
}

static void on_timer(uv_timer_t *timer)
{
    work_now(timer->data);
}

static void after_work(uv_work_t *request, int status)
{
    struct client *client = request->data;
    struct query *query = client->busy;
    (void)status;
    if (!client->retry || query->given_up) {
        client->pause = 0;
        rw_query_done(query, query->given_up && client->retry ? -ECANCELED : query->rc);
        return;
    }
    query->message[0] = '\0';
    query->answer.length = 0;
    client->pause = client->pause ? 2 * client->pause : 1;
    if (client->pause > LONGEST_PAUSE)
        client->pause = LONGEST_PAUSE;
    uv_timer_start(&client->timer, on_timer, client->pause, 0);
}

static void begin(struct query *query)
{
    struct client *client = query->client;
    if (query->call == WORLD_DATABASE_CONNECT) {
        uv_timer_init(&client->world->loop, &client->timer);
        client->timer.data = client;
        if (!sq_load()) {
            snprintf(query->message, sizeof query->message, "%s", SQ_MISSING);
            query->rc = -ENOSYS;
            rw_query_done(query, -ENOSYS);
            return;
        }
    }
    work_now(client);
}

/* Where it has not begun to do anything, it does not. */
static void give_up(struct query *query)
{
    struct client *client = query->client;
    if (uv_is_active((uv_handle_t *)&client->timer)) {
        uv_timer_stop(&client->timer);
        client->pause = 0;
        rw_query_done(query, -ECANCELED);
    } else if (query->call == WORLD_DATABASE_QUERY || query->call == WORLD_DATABASE_FETCH) {
        sq_load()->interrupt(client->sql);
    }
}

static void stop(struct client *client)
{
    if (client->sql)
        let_go(client);
}

static void on_closed(uv_handle_t *timer)
{
    rw_client_free(timer->data);
}

static void close_it(struct client *client)
{
    const struct sqlite *sqlite = sq_load();
    if (client->sql) {
        let_go(client);
        while (client->prepared) {
            struct prepared *prepared = client->prepared;
            client->prepared = prepared->next;
            sqlite->finalize(prepared->stmt);
            free(prepared);
        }
        sqlite->close_v2(client->sql);
        client->sql = NULL;
    }
    uv_close((uv_handle_t *)&client->timer, on_closed);
}

const struct engine rw_sqlite = {begin, give_up, stop, close_it};
