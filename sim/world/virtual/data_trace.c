/* data_trace.c - what is left of a database at the end: its tables, in the trace. */
#define _GNU_SOURCE     /* asprintf */
#include "virtual.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 1000, MOST_TEXT = 1 << 16 };

static json_t *value_json(struct sqlite3_stmt *stmt, int i)
{
    const struct sqlite *sqlite = sq_load();
    const char *bytes;
    switch (sqlite->column_type(stmt, i)) {
    case SQLITE_INTEGER: return json_integer(sqlite->column_int64(stmt, i));
    case SQLITE_FLOAT: return json_real(sqlite->column_double(stmt, i));
    case SQLITE_NULL: return json_null();
    default:
        bytes = (const char *)sqlite->column_text(stmt, i);
        json_t *text = json_stringn(bytes ? bytes : "", (size_t)sqlite->column_bytes(stmt, i));
        return text ? text : json_string("(bytes)");
    }
}

/* The rows of a table, as arrays; NULL: there are too many, or no memory. */
static json_t *rows_json(struct sqlite3 *sql, const char *table)
{
    const struct sqlite *sqlite = sq_load();
    char *text = NULL, message[SQ_MESSAGE];
    struct sqlite3_stmt *stmt = NULL;
    json_t *rows = json_array();
    if (asprintf(&text, "SELECT * FROM \"%s\" ORDER BY rowid", table) < 0)
        text = NULL;
    int rc = text ? sq_prepare(sql, text, strlen(text), &stmt, message) : -1;
    while (rc == 0 && sqlite->step(stmt) == SQLITE_ROW) {
        json_t *row = json_array();
        for (int i = 0; i < sqlite->column_count(stmt); i++)
            json_array_append_new(row, value_json(stmt, i));
        json_array_append_new(rows, row);
        rc = json_array_size(rows) > MOST_ROWS ? -1 : 0;
    }
    sqlite->finalize(stmt);
    free(text);
    if (rc == 0)
        return rows;
    json_decref(rows);
    return NULL;
}

static void trace_table(const struct world *world, const struct database *database, const char *table)
{
    json_t *rows = rows_json(database->state->sql, table);
    char *text = rows ? json_dumps(rows, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) : NULL;
    trace_begin(world->trace, world->now, TRACE_WORLD, "db.left");
    trace_str(world->trace, "url", database->url, strlen(database->url));
    trace_str(world->trace, "table", table, strlen(table));
    if (text && strlen(text) <= MOST_TEXT)
        trace_json(world->trace, "rows", text, strlen(text));
    trace_end(world->trace);
    free(text);
    json_decref(rows);
}

static void trace_database(struct world *world, struct database *database)
{
    static const char tables[] = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
                                 "ESCAPE '\\' ORDER BY name";
    const struct sqlite *sqlite = sq_load();
    char message[SQ_MESSAGE];
    struct sqlite3_stmt *stmt;
    if (!database->changed)
        return;
    vw_data_enter(world);
    if (sq_prepare(database->state->sql, tables, sizeof tables - 1, &stmt, message) < 0)
        return;
    while (sqlite->step(stmt) == SQLITE_ROW)
        trace_table(world, database, (const char *)sqlite->column_text(stmt, 0));
    sqlite->finalize(stmt);
}

void vw_databases_trace(struct world *world)
{
    if (!world->trace)
        return;
    for (size_t i = 0; i < world->databases.count; i++)
        trace_database(world, &world->databases.all[i]);
    for (struct unnamed *unnamed = world->databases.unnamed; unnamed; unnamed = unnamed->next)
        trace_database(world, &unnamed->database);
}
