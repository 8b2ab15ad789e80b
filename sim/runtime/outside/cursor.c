/* cursor.c - rows, read one by one, that come in batches. */
#include "runtime/outside/database.h"
#include "runtime/tasks/enter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct co_cursor {
    struct co_link *link;           /* NULL: all that is left of the rows is here                     */
    bool own;                       /* the connection goes back when they end                         */
    struct co_rows *rows;           /* whose they are                                                 */
    int columns;
    char *bytes;                    /* the batch at hand                                              */
    size_t size;
    const char *at;                 /* its next row                                                   */
    bool more;                      /* there are others behind it                                     */
    bool on_row;
    char *names;                    /* flat values; the first batch's                                 */
    size_t names_size;
    struct flat_value *values;      /* of the row at hand                                             */
    char (*numbers)[32];            /* those of them that are numbers, as texts                       */
};

/* ---- Beginning and ending -------------------------------------------------------------------------------- */

void co__cursor_free(struct co_cursor *cursor)
{
    if (!cursor)
        return;
    free(cursor->bytes);
    free(cursor->names);
    free(cursor->values);
    free(cursor->numbers);
    free(cursor);
}

/* They need their connection no more. */
static void let_go(struct co_cursor *cursor)
{
    struct co_link *link = cursor->link;
    if (!link)
        return;
    cursor->link = NULL;
    link->cursor = NULL;
    if (cursor->more && !link->lost)
        co__database_tell(link, WORLD_DATABASE_STOP);
    cursor->more = false;
    if (cursor->own)
        co__link_give(link);
}

/* Splits the first batch into names and rows. False: the world says no such thing. */
static bool take_names(struct co_cursor *cursor, const struct reply *reply)
{
    const char *end = reply->bytes + reply->size, *at;
    struct flat_value value;
    at = flat_read(reply->bytes, end, &value);
    if (!at || value.type != 'i' || value.integer < 0 || value.integer > 32767)
        return false;
    cursor->columns = (int)value.integer;
    const char *names = at;
    for (int i = 0; i < cursor->columns; i++)
        if (!(at = flat_read(at, end, &value)) || value.type != 't')
            return false;
    cursor->names_size = (size_t)(at - names);
    cursor->names = malloc(cursor->names_size + 1);
    if (cursor->names)
        memcpy(cursor->names, names, cursor->names_size);
    cursor->at = at;
    return cursor->names != NULL;
}

int co__cursor_begin(struct co_rows *rows, struct co_link *link, bool own, struct reply *reply, const void *pc)
{
    struct co_cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor || !take_names(cursor, reply)) {
        co__cursor_free(cursor);
        return -ENOMEM;
    }
    size_t n = cursor->columns ? (size_t)cursor->columns : 1;
    cursor->values = calloc(n, sizeof *cursor->values);
    cursor->numbers = calloc(n, sizeof *cursor->numbers);
    if (!cursor->values || !cursor->numbers) {
        co__cursor_free(cursor);
        return -ENOMEM;
    }
    cursor->bytes = reply->bytes;
    cursor->size = reply->size;
    cursor->more = reply->more;
    cursor->link = link;
    cursor->own = own;
    link->cursor = cursor;
    if (own) {
        link->held_as = "rows";
        link->held_at = pc;
    }
    cursor->rows = rows;
    *rows = (struct co_rows){cursor->columns, cursor};
    if (!cursor->more)
        let_go(cursor);
    return 0;
}

void co__cursor_end(struct co_link *link)
{
    struct co_cursor *cursor = link->cursor;
    if (!cursor)
        return;
    cursor->own = false;
    cursor->on_row = false;
    cursor->at = NULL;
    let_go(cursor);
}

void co_rows_close(struct co_rows *rows)
{
    struct co_cursor *cursor = rows->cursor;
    *rows = (struct co_rows){0};
    if (!cursor || (co__loop && co__in_job()))
        return;
    if (co__loop)
        let_go(cursor);
    co__cursor_free(cursor);
}

/* ---- The next row -------------------------------------------------------------------------------------------- */

static int fetch(struct co_task *self, struct co_cursor *cursor, const void *pc)
{
    struct co_timeout limit;
    struct reply reply;
    struct co_link *link = cursor->link;
    uint64_t count = (uint64_t)link->base->batch;
    if (link->busy)
        return -EBUSY;
    int rc = co__database_limit(link->base, &limit, pc);
    if (rc < 0)
        return rc;
    rc = co__database_call(self, link, (struct world_request){.call = WORLD_DATABASE_FETCH, .count = count}, NULL, NULL,
                           &reply, NULL);
    rc = co_timeout_end(&limit, rc);
    free(cursor->bytes);
    cursor->bytes = rc < 0 ? NULL : reply.bytes;
    cursor->size = rc < 0 ? 0 : reply.size;
    cursor->at = cursor->bytes;
    if (rc < 0)
        link->failed |= link->in_transaction;
    else
        cursor->more = reply.more;
    if (rc < 0 || !cursor->more)
        let_go(cursor);
    return rc;
}

static bool read_row(struct co_cursor *cursor)
{
    const char *at = cursor->at, *end = cursor->bytes + cursor->size;
    if (!at || at >= end)
        return false;
    for (int i = 0; i < cursor->columns && at; i++)
        at = flat_read(at, end, &cursor->values[i]);
    cursor->at = at;
    return at != NULL && cursor->columns > 0;
}

int co__cursor_first(struct co_rows *rows)
{
    return rows->cursor->on_row = read_row(rows->cursor);
}

int co_rows_next(struct co_rows *rows)
{
    int rc;
    const void *pc = CALLER;
    struct co_cursor *cursor = rows->cursor;
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!cursor)
        return -EBADF;
    cursor->on_row = read_row(cursor);
    if (!cursor->on_row && cursor->link && cursor->more) {
        rc = fetch(self, cursor, pc);
        if (rc < 0)
            return rc;
        cursor->on_row = read_row(cursor);
    }
    return cursor->on_row;
}

/* ---- Values ------------------------------------------------------------------------------------------------ */

static const struct flat_value *value_at(const struct co_rows *rows, int column)
{
    static const struct flat_value none = {.type = 'n'};
    const struct co_cursor *cursor = rows->cursor;
    return cursor && cursor->on_row && column >= 0 && column < cursor->columns ? &cursor->values[column] : &none;
}

int64_t co_rows_int(const struct co_rows *rows, int column)
{
    const struct flat_value *value = value_at(rows, column);
    switch (value->type) {
    case 'i': return value->integer;
    case 'r': return value->real >= -9.2e18 && value->real <= 9.2e18 ? (int64_t)value->real : 0;
    case 't': return strtoll(value->bytes, NULL, 10);
    default: return 0;
    }
}

double co_rows_real(const struct co_rows *rows, int column)
{
    const struct flat_value *value = value_at(rows, column);
    switch (value->type) {
    case 'i': return (double)value->integer;
    case 'r': return value->real;
    case 't': return strtod(value->bytes, NULL);
    default: return 0;
    }
}

const char *co_rows_text(const struct co_rows *rows, int column)
{
    const struct flat_value *value = value_at(rows, column);
    if (value->type == 't' || value->type == 'b')
        return value->bytes;
    if (value->type == 'n')
        return NULL;
    char *text = rows->cursor->numbers[column];
    if (value->type == 'i')
        snprintf(text, sizeof rows->cursor->numbers[0], "%lld", (long long)value->integer);
    else
        snprintf(text, sizeof rows->cursor->numbers[0], "%.15g", value->real);
    return text;
}

const void *co_rows_blob(const struct co_rows *rows, int column, size_t *size)
{
    const char *bytes = co_rows_text(rows, column);
    const struct flat_value *value = value_at(rows, column);
    *size = !bytes ? 0 : value->bytes ? value->size : strlen(bytes);
    return bytes;
}

bool co_rows_is_null(const struct co_rows *rows, int column)
{
    return value_at(rows, column)->type == 'n';
}

const char *co_rows_name(const struct co_rows *rows, int column)
{
    const struct co_cursor *cursor = rows->cursor;
    struct flat_value value = {0};
    if (!cursor || column < 0 || column >= cursor->columns)
        return NULL;
    const char *at = cursor->names;
    for (int i = 0; i <= column; i++)
        at = flat_read(at, cursor->names + cursor->names_size, &value);
    return value.bytes;
}

int co_rows_column(const struct co_rows *rows, const char *name)
{
    for (int i = 0; i < rows->columns; i++)
        if (strcmp(co_rows_name(rows, i), name) == 0)
            return i;
    return -EINVAL;
}
