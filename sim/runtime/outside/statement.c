/* statement.c - SQL and its values: where it runs, what it says, how it went. */
#include "runtime/outside/database.h"
#include "runtime/tasks/enter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_VALUES = 12, NO_VALUE = 99 };

/* ---- Values ------------------------------------------------------------------------------------ */

struct co_value co_value_end(struct co_end end)
{
    (void)end;
    return (struct co_value){.type = (enum co_value_type)NO_VALUE};
}

struct co_value co_value_itself(struct co_value value)
{
    return value;
}

struct co_value co_value_text(const char *text)
{
    return text ? (struct co_value){.type = CO_TEXT, .bytes = text, .size = strlen(text)} : (struct co_value){0};
}

struct co_value co_value_real(double real)
{
    return (struct co_value){.type = CO_REAL, .real = real};
}

struct co_value co_value_int(int64_t integer)
{
    return (struct co_value){.type = CO_INT, .integer = integer};
}

struct co_value co_blob(const void *bytes, size_t size)
{
    return (struct co_value){.type = CO_BLOB, .bytes = bytes, .size = size};
}

struct co_said co_sql_text(const char *sql)
{
    return (struct co_said){.sql = sql};
}

struct co_said co_sql_prepared(struct co_statement *statement)
{
    const struct co_prepared *prepared = statement->prepared;
    return (struct co_said){.sql = prepared ? prepared->sql : NULL, .prepared = prepared};
}

struct co_said co_said_(struct co_said said, const struct co_value values[13])
{
    while (said.count < 13 && values[said.count].type != (enum co_value_type)NO_VALUE) {
        said.values[said.count] = values[said.count];
        said.count++;
    }
    return said;
}

static struct flat flatten(const struct co_said *said)
{
    struct flat flat = {0};
    for (size_t i = 0; i < said->count; i++) {
        const struct co_value *value = &said->values[i];
        switch (value->type) {
        case CO_INT: flat_int(&flat, value->integer); break;
        case CO_REAL: flat_real(&flat, value->real); break;
        case CO_TEXT: flat_bytes(&flat, 't', value->bytes, value->size); break;
        case CO_BLOB: flat_bytes(&flat, 'b', value->bytes, value->size); break;
        default: flat_null(&flat);
        }
    }
    return flat;
}

/* ---- What is no statement of its own ----------------------------------------------------------------- */

static const char *skip_blanks(const char *sql)
{
    for (;;) {
        if (*sql == ' ' || (*sql >= '\t' && *sql <= '\r'))
            sql++;
        else if (sql[0] == '-' && sql[1] == '-')
            sql += strcspn(sql, "\n");
        else if (sql[0] == '/' && sql[1] == '*' && strstr(sql + 2, "*/"))
            sql = strstr(sql + 2, "*/") + 2;
        else
            return sql;
    }
}

/* What co_db.h has calls for, or what would change the connection for all who use it afterwards. */
static bool is_refused(const char *sql)
{
    static const char *const words[] = {
        "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "EXECUTE",
        "DEALLOCATE", "DECLARE", "FETCH", "COPY", "SET", "RESET", "DISCARD", "LISTEN", "PRAGMA", "ATTACH", "DETACH",
        "VACUUM",
    };
    sql = skip_blanks(sql);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        char behind = strncasecmp(sql, words[i], length) == 0 ? sql[length] : 'x';
        if (!((behind >= 'a' && behind <= 'z') || (behind >= 'A' && behind <= 'Z') || behind == '_'))
            return true;
    }
    return false;
}

/* ---- Where it runs ------------------------------------------------------------------------------------- */

struct co_on co_on_db(struct co_db *db)
{
    return (struct co_on){.db = db};
}

struct co_on co_on_conn(struct co_conn *conn)
{
    return (struct co_on){.conn = conn};
}

struct co_on co_on_tx(struct co_tx *tx)
{
    return (struct co_on){.tx = tx};
}

/* The database, or NULL; *link: the connection, if it is one in particular. */
static struct co_database *base_of(struct co_on on, struct co_link **link)
{
    *link = on.conn ? on.conn->link : on.tx ? on.tx->link : NULL;
    if (on.db)
        return on.db->base;
    return *link ? (*link)->base : NULL;
}

/* ---- One statement -------------------------------------------------------------------------------------- */

/* A statement on its way. */
struct run {
    struct co_task *self;
    struct co_database *base;
    struct co_link *link;           /* NULL: it has none                                              */
    bool own;                       /* it took the connection itself                                  */
    struct reply reply;
};

/* What is wrong before it is even sent, or 0. */
static int fault_of(const struct run *run, const struct co_said *said)
{
    static const char words[] = "transactions, settings and cursors are co_db.h's own: no such words in SQL";
    const struct co_link *link = run->link;
    if (said->prepared && said->prepared->base != run->base)
        return -EINVAL;
    if (!said->sql || said->count > MOST_VALUES)
        return -EINVAL;
    if (is_refused(said->sql)) {
        co__database_says(words, sizeof words - 1);
        return -EINVAL;
    }
    if (link && link->busy)
        return -EBUSY;
    if (link && link->cursor)
        return -CO_EROWS;
    return link && link->failed ? -CO_EFAILED : 0;
}

/* Carries it out. `most`: rows of the first batch. */
static int carry_out(struct run *run, const struct co_said *said, uint64_t most, const void *pc)
{
    int rc = 0;
    if (!run->link) {
        run->own = true;
        rc = co__link_take(run->self, run->base, "connection", pc, &run->link);
        if (rc < 0)
            return rc;
    }
    struct flat values = flatten(said);
    struct world_request request = {.call = WORLD_DATABASE_QUERY, .count = most,
                                    .session = said->prepared ? said->prepared->number : 0};
    rc = co__database_call(run->self, run->link, request, said->sql, &values, &run->reply, NULL);
    flat_free(&values);
    return rc;
}

/* Begins, carries out, and looks at what became of it. On success the connection is still held. */
static int run_it(struct run *run, struct co_on on, const struct co_said *said, uint64_t most, const void *pc)
{
    int rc;
    struct co_timeout limit;
    co__database_says("", 0);
    run->self = co__enter(pc, &rc);
    if (!run->self)
        return rc;
    run->base = base_of(on, &run->link);
    if (!run->base)
        return -EBADF;
    rc = fault_of(run, said);
    if (rc == 0)
        rc = co__database_limit(run->base, &limit, pc);
    if (rc < 0)
        return rc;
    rc = co_timeout_end(&limit, carry_out(run, said, most, pc));
    if (rc >= 0)
        return rc;
    free(run->reply.bytes);
    if (run->link)
        run->link->failed = run->link->in_transaction;
    if (run->link && run->own)
        co__link_give(run->link);
    return rc;
}

/* Its rows, if it has any, are not wanted. */
static void drop(struct run *run)
{
    if (run->reply.more)
        co__database_tell(run->link, WORLD_DATABASE_STOP);
    free(run->reply.bytes);
    if (run->own)
        co__link_give(run->link);
}

int co_db_exec_(struct co_on on, struct co_said said)
{
    struct run run = {0};
    int rc = run_it(&run, on, &said, 1, CALLER);
    if (rc >= 0)
        drop(&run);
    return rc;
}

int co_db_query_(struct co_on on, struct co_rows *rows, struct co_said said)
{
    struct run run = {0};
    struct co_link *link;
    const void *pc = CALLER;
    *rows = (struct co_rows){0};
    struct co_database *base = base_of(on, &link);
    int rc = run_it(&run, on, &said, base ? (uint64_t)base->batch : 0, pc);
    if (rc < 0)
        return rc;
    rc = co__cursor_begin(rows, run.link, run.own, &run.reply, pc);
    if (rc < 0)
        drop(&run);
    return rc;
}

int co_db_number_(struct co_on on, int64_t *number, struct co_said said)
{
    struct run run = {0};
    struct co_rows rows = {0};
    const void *pc = CALLER;
    int rc = run_it(&run, on, &said, 1, pc);
    if (rc < 0)
        return rc;
    rc = co__cursor_begin(&rows, run.link, run.own, &run.reply, pc);
    if (rc < 0) {
        drop(&run);
        return rc;
    }
    rc = co__cursor_first(&rows);
    if (rc == 1)
        *number = co_rows_int(&rows, 0);
    co_rows_close(&rows);
    return rc;
}

/* ---- Prepared statements --------------------------------------------------------------------------------- */

static struct co_prepared *prepared_new(struct co_database *base, const char *sql)
{
    size_t length = strlen(sql);
    struct co_prepared *prepared = malloc(sizeof *prepared + length + 1);
    if (!prepared)
        return NULL;
    *prepared = (struct co_prepared){.next = base->prepared, .base = base, .number = ++co__loop->prepared};
    memcpy(prepared->sql, sql, length + 1);
    base->prepared = prepared;
    return prepared;
}

int co_db_prepare(struct co_db *db, struct co_statement *statement, const char *sql)
{
    int rc;
    const void *pc = CALLER;
    struct co_timeout limit;
    struct run run = {.base = db->base};
    const struct co_said said = {.sql = sql};
    *statement = (struct co_statement){0};
    co__database_says("", 0);
    run.self = co__enter(pc, &rc);
    if (!run.self)
        return rc;
    if (!run.base)
        return -EBADF;
    rc = fault_of(&run, &said);
    struct co_prepared *prepared = rc == 0 ? prepared_new(run.base, sql) : NULL;
    if (rc == 0)
        rc = prepared ? co__database_limit(run.base, &limit, pc) : -ENOMEM;
    if (rc < 0)
        return rc;
    rc = co__link_take(run.self, run.base, "connection", pc, &run.link);
    if (rc == 0)
        rc = co__database_call(run.self, run.link, (struct world_request){.call = WORLD_DATABASE_PREPARE,
                                                                          .session = prepared->number},
                               sql, NULL, &run.reply, NULL);
    free(run.reply.bytes);
    rc = co_timeout_end(&limit, rc);
    if (run.link)
        co__link_give(run.link);
    rc = rc < 0 ? rc : 0;
    if (rc == 0 && db->base)
        statement->prepared = prepared;
    return rc;
}
