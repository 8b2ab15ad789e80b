/* data.c - a database's data: SQLite in memory, where nothing depends on this machine, and nothing reaches it.
 *
 * What is random comes from the world's seed, and "now" is the world's clock. A statement can neither name a file nor
 * change a setting; it may take so many steps, and so many bytes.
 */
#include "draw.h"
#include "virtual.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_BYTES = 64 << 20,          /* of one value                                                      */
    MOST_ROUNDS = 2000,             /* of a statement, before it is taken for one without end...         */
    ROUND = 10000,                  /* ...each of so many of SQLite's steps                              */
    DEEPEST = 100,                  /* expressions in expressions: it runs on a task's stack             */
};

#define EPOCH_MS 212633985600000    /* 2026-01-01, as a Julian day in ms: there the program's calendar begins */

static const struct sqlite *sqlite;
static struct world *inside;        /* whose clock and seed a statement sees                             */
static int rounds;

/* ---- The clock and chance --------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return inside ? inside->now / 1000000 : 0;
}

static int current_time(struct sqlite3_vfs *vfs, int64_t *ms)
{
    (void)vfs;
    *ms = EPOCH_MS + now_ms();
    return SQLITE_OK;
}

static int current_day(struct sqlite3_vfs *vfs, double *day)
{
    int64_t ms;
    current_time(vfs, &ms);
    *day = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int no_randomness(struct sqlite3_vfs *vfs, int size, char *bytes)
{
    (void)vfs;
    memset(bytes, 0, (size_t)size);
    return size;
}

static const char *own_vfs(void)
{
    static struct sqlite3_vfs vfs;
    if (vfs.zName)
        return vfs.zName;
    const struct sqlite3_vfs *system = sqlite->vfs_find(NULL);
    if (!system)
        return NULL;
    vfs = *system;
    vfs.iVersion = 2;
    vfs.zName = "looplab";
    vfs.pNext = NULL;
    vfs.xRandomness = no_randomness;
    vfs.xCurrentTime = current_day;
    vfs.xCurrentTimeInt64 = current_time;
    return sqlite->vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : NULL;
}

static uint64_t draw(struct sqlite3_context *context)
{
    struct database *database = sqlite->user_data(context);
    return vw_draw(inside ? inside->seed : 0, database->key, ++database->draws, DRAW_SQL);
}

static void random_number(struct sqlite3_context *context, int n, struct sqlite3_value **values)
{
    (void)n, (void)values;
    sqlite->result_int64(context, (long long)draw(context));
}

static void random_bytes(struct sqlite3_context *context, int n, struct sqlite3_value **values)
{
    char bytes[4096];
    long long wanted = sqlite->value_int64(values[0]);
    size_t size = wanted < 1 ? 1 : wanted > (long long)sizeof bytes ? sizeof bytes : (size_t)wanted;
    (void)n;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t bits = draw(context);
        memcpy(bytes + i, &bits, size - i < 8 ? size - i : 8);
    }
    sqlite->result_blob(context, bytes, (int)size, (sq_destructor *)-1);
}

/* ---- What a statement may do ---------------------------------------------------------------------- */

static int authorize(void *unused, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)unused, (void)a, (void)c, (void)d;
    switch (action) {
    case SQLITE_ATTACH: case SQLITE_DETACH: case SQLITE_PRAGMA: case SQLITE_TRANSACTION: case SQLITE_SAVEPOINT:
    case SQLITE_CREATE_VTABLE: case SQLITE_DROP_VTABLE: case SQLITE_CREATE_TEMP_INDEX: case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER: case SQLITE_CREATE_TEMP_VIEW:
        return SQLITE_DENY;
    case SQLITE_FUNCTION:
        return b && strcmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
        return SQLITE_OK;
    }
}

static int count_round(void *unused)
{
    (void)unused;
    return ++rounds > MOST_ROUNDS;
}

void vw_data_enter(struct world *world)
{
    inside = world;
    rounds = 0;
}

/* ---- States ------------------------------------------------------------------------------------- */

static void limit(struct sqlite3 *sql)
{
    sqlite->limit(sql, SQLITE_LIMIT_LENGTH, MOST_BYTES);
    sqlite->limit(sql, SQLITE_LIMIT_EXPR_DEPTH, DEEPEST);
    sqlite->limit(sql, SQLITE_LIMIT_COMPOUND_SELECT, DEEPEST);
    sqlite->limit(sql, SQLITE_LIMIT_TRIGGER_DEPTH, DEEPEST);
    sqlite->limit(sql, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite->progress_handler(sql, ROUND, count_round, NULL);
}

static struct state *state_new(struct database *database, int *rc, char message[SQ_MESSAGE])
{
    struct state *state = calloc(1, sizeof *state);
    *rc = -ENOMEM;
    message[0] = '\0';
    const char *vfs = sqlite ? own_vfs() : NULL;
    if (state && (*rc = sq_open(":memory:", vfs, &state->sql, message)) < 0) {
        free(state);
        return NULL;
    }
    if (!state)
        return NULL;
    state->users = 1;
    state->database = database;
    limit(state->sql);
    sqlite->create_function_v2(state->sql, "random", 0, SQLITE_UTF8, database, random_number, NULL, NULL, NULL);
    sqlite->create_function_v2(state->sql, "randomblob", 1, SQLITE_UTF8, database, random_bytes, NULL, NULL, NULL);
    return state;
}

struct state *vw_state_copy(const struct state *from)
{
    int rc;
    char message[SQ_MESSAGE];
    struct state *state = state_new(from->database, &rc, message);
    if (!state)
        return NULL;
    struct sqlite3_backup *backup = sqlite->backup_init(state->sql, "main", from->sql, "main");
    bool ok = backup && sqlite->backup_step(backup, -1) == SQLITE_DONE;
    ok = backup && sqlite->backup_finish(backup) == SQLITE_OK && ok;
    if (!ok) {
        vw_state_leave(state);
        return NULL;
    }
    sqlite->set_authorizer(state->sql, authorize, NULL);
    return state;
}

void vw_state_leave(struct state *state)
{
    if (!state || --state->users > 0)
        return;
    sqlite->close_v2(state->sql);
    free(state);
}

int vw_data_open(struct database *database, size_t *at, char message[SQ_MESSAGE])
{
    int rc;
    *at = 0;
    sqlite = sq_load();
    rounds = 0;
    inside = NULL;
    struct state *state = state_new(database, &rc, message);
    for (; state && *at < database->setup_count; ++*at) {
        rc = sq_run(state->sql, database->setup[*at], message);
        if (rc < 0)
            break;
    }
    if (!state || rc < 0) {
        vw_state_leave(state);
        return rc;
    }
    sqlite->set_authorizer(state->sql, authorize, NULL);
    database->state = state;
    return 0;
}
