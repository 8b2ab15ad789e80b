/* sqlite.c - SQLite, loaded when it is needed. */
#include "sqlite.h"

#include "failure.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sqlite sqlite;

/* ---- Loading ------------------------------------------------------------------------------- */

static void *find_library(void)
{
    static const char *const names[] = {"libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

const struct sqlite *sq_load(void)
{
    static bool tried, found;
    if (tried)
        return found ? &sqlite : NULL;
    tried = true;
    void *library = find_library();
    if (!library)
        return NULL;
#define FIND(result, name, parameters) \
    if (!(*(void **)&sqlite.name = dlsym(library, "sqlite3_" #name))) \
        return NULL;
    SQLITE_CALLS(FIND)
    found = true;
    return &sqlite;
}

/* ---- Errors -------------------------------------------------------------------------------- */

int sq_errno(int code)
{
    if (code == SQLITE_BUSY_SNAPSHOT)
        return -SQL_SERIAL;
    switch (code & 0xff) {
    case SQLITE_OK:         return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:     return -EBUSY;
    case SQLITE_NOMEM:      return -ENOMEM;
    case SQLITE_READONLY:
    case SQLITE_AUTH:       return -EPERM;
    case SQLITE_INTERRUPT:  return -ECANCELED;
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:     return -EIO;
    case SQLITE_FULL:       return -ENOSPC;
    case SQLITE_CANTOPEN:   return -ENOENT;
    case SQLITE_TOOBIG:     return -EMSGSIZE;
    case SQLITE_CONSTRAINT: return -SQL_CONSTRAINT;
    default:                return -SQL_WRONG;
    }
}

int sq_error(struct sqlite3 *db, int code, char message[SQ_MESSAGE])
{
    if ((code & 0xff) == SQLITE_AUTH)
        snprintf(message, SQ_MESSAGE, "not allowed in a statement: transactions are co_db.h's, files and settings the "
                 "database's own");
    else
        snprintf(message, SQ_MESSAGE, "%s", db ? sqlite.errmsg(db) : "");
    return sq_errno(code);
}

/* ---- Opening ------------------------------------------------------------------------------- */

int sq_run(struct sqlite3 *db, const char *sql, char message[SQ_MESSAGE])
{
    while (*sql) {
        struct sqlite3_stmt *stmt;
        int code = sqlite.prepare_v2(db, sql, -1, &stmt, &sql);
        if (code == SQLITE_OK && !stmt)
            continue;           /* a comment, or blanks */
        if (code == SQLITE_OK)
            while ((code = sqlite.step(stmt)) == SQLITE_ROW)
                ;
        int rc = code == SQLITE_DONE ? 0 : sq_error(db, code, message);
        sqlite.finalize(stmt);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int sq_open(const char *file, const char *vfs, struct sqlite3 **db, char message[SQ_MESSAGE])
{
    *db = NULL;
    message[0] = '\0';
    if (!sq_load()) {
        snprintf(message, SQ_MESSAGE, "%s", SQ_MISSING);
        return -ENOSYS;
    }
    int code = sqlite.open_v2(file, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, vfs);
    int rc = code == SQLITE_OK ? 0 : sq_error(*db, code, message);
    if (rc == 0) {
        sqlite.extended_result_codes(*db, 1);
        sqlite.db_config(*db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
        sqlite.db_config(*db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
        rc = sq_run(*db, "PRAGMA foreign_keys=1; PRAGMA temp_store=2; PRAGMA case_sensitive_like=1", message);
    }
    if (rc < 0) {
        sqlite.close_v2(*db);
        *db = NULL;
    }
    return rc;
}

/* ---- Statements ---------------------------------------------------------------------------- */

/* Where what begins at `at` ends, if it is a comment or in quotes; else `at`. */
static size_t skip_quoted(const char *sql, size_t length, size_t at)
{
    char c = sql[at], next = at + 1 < length ? sql[at + 1] : '\0';
    if (c == '\'' || c == '"') {
        for (at++; at < length && sql[at] != c; at++)
            ;
        return at < length ? at + 1 : length;
    }
    if (c == '-' && next == '-') {
        while (at < length && sql[at] != '\n')
            at++;
        return at;
    }
    if (c == '/' && next == '*') {
        for (at += 2; at + 1 < length && !(sql[at] == '*' && sql[at + 1] == '/'); at++)
            ;
        return at + 1 < length ? at + 2 : length;
    }
    return at;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Writes ? for each $ in front of a number. False: it has a parameter of another kind. */
static bool number_parameters(char *sql, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t behind = skip_quoted(sql, length, at);
        if (behind != at) {
            at = behind;
            continue;
        }
        bool in_word = at > 0 && is_word(sql[at - 1]);
        if (sql[at] == '?' || sql[at] == '@')
            return false;
        if (sql[at] == '$' && !in_word && at + 1 < length && sql[at + 1] >= '0' && sql[at + 1] <= '9')
            sql[at] = '?';
        at++;
    }
    return true;
}

int sq_prepare(struct sqlite3 *db, const char *text, size_t length, struct sqlite3_stmt **stmt,
               char message[SQ_MESSAGE])
{
    *stmt = NULL;
    char *sql = length < INT32_MAX ? malloc(length + 1) : NULL;
    if (!sql)
        return -ENOMEM;
    memcpy(sql, text, length);
    sql[length] = '\0';
    int rc = -SQL_WRONG;
    if (memchr(sql, '\0', length))
        snprintf(message, SQ_MESSAGE, "the statement has a NUL in it");
    else if (!number_parameters(sql, length))
        snprintf(message, SQ_MESSAGE, "the places of values are $1, $2 ...");
    else
        rc = 0;
    const char *rest = sql;
    if (rc == 0) {
        int code = sqlite.prepare_v2(db, sql, (int)length + 1, stmt, &rest);
        rc = code == SQLITE_OK ? 0 : sq_error(db, code, message);
    }
    if (rc == 0 && !*stmt) {
        snprintf(message, SQ_MESSAGE, "there is no statement");
        rc = -SQL_WRONG;
    }
    struct sqlite3_stmt *second = NULL;
    int behind = rc == 0 ? sqlite.prepare_v2(db, rest, -1, &second, NULL) : SQLITE_OK;
    if ((behind & 0xff) == SQLITE_NOMEM) {
        rc = -ENOMEM;
    } else if (behind != SQLITE_OK || second) {
        snprintf(message, SQ_MESSAGE, "one statement at a time, please");
        rc = -SQL_WRONG;
    }
    sqlite.finalize(second);
    if (rc < 0) {
        sqlite.finalize(*stmt);
        *stmt = NULL;
    }
    free(sql);
    return rc;
}

#define TRANSIENT ((sq_destructor *)-1)     /* it makes a copy */

static int bind_one(struct sqlite3_stmt *stmt, int i, const struct flat_value *value)
{
    switch (value->type) {
    case 'i': return sqlite.bind_int64(stmt, i, value->integer);
    case 'r': return sqlite.bind_double(stmt, i, value->real);
    case 't': return sqlite.bind_text(stmt, i, value->bytes, (int)value->size, TRANSIENT);
    case 'b': return sqlite.bind_blob(stmt, i, value->bytes, (int)value->size, TRANSIENT);
    default: return sqlite.bind_null(stmt, i);
    }
}

int sq_bind(struct sqlite3 *db, struct sqlite3_stmt *stmt, const char *values, size_t size, char message[SQ_MESSAGE])
{
    const char *at = values, *end = values + size;
    struct flat_value value;
    int wanted = sqlite.bind_parameter_count(stmt), n = 0;
    while ((at = flat_read(at, end, &value))) {
        int code = ++n <= wanted ? bind_one(stmt, n, &value) : SQLITE_OK;
        if (code != SQLITE_OK)
            return sq_error(db, code, message);
    }
    if (n == wanted)
        return 0;
    snprintf(message, SQ_MESSAGE, "the statement has places for %d values, and was given %d", wanted, n);
    return -SQL_WRONG;
}

void sq_names(struct sqlite3_stmt *stmt, struct flat *flat)
{
    int n = sqlite.column_count(stmt);
    flat_int(flat, n);
    for (int i = 0; i < n; i++) {
        const char *name = sqlite.column_name(stmt, i);
        flat_bytes(flat, 't', name ? name : "", name ? strlen(name) : 0);
    }
}

void sq_row(struct sqlite3_stmt *stmt, struct flat *flat)
{
    for (int i = 0, n = sqlite.column_count(stmt); i < n; i++) {
        const void *bytes;
        switch (sqlite.column_type(stmt, i)) {
        case SQLITE_INTEGER: flat_int(flat, sqlite.column_int64(stmt, i)); break;
        case SQLITE_FLOAT: flat_real(flat, sqlite.column_double(stmt, i)); break;
        case SQLITE_TEXT:
            bytes = sqlite.column_text(stmt, i);
            flat_bytes(flat, 't', bytes, (size_t)sqlite.column_bytes(stmt, i));
            break;
        case SQLITE_BLOB:
            bytes = sqlite.column_blob(stmt, i);
            flat_bytes(flat, 'b', bytes, (size_t)sqlite.column_bytes(stmt, i));
            break;
        default: flat_null(flat);
        }
    }
}
