/* sqlite.h - SQLite, for the worlds that keep data in it.
 *
 * It is loaded when a database is first opened, not linked: a program without one neither needs nor loads it, and one
 * with one builds where it is not installed. What is declared here is part of SQLite's interface, which does not
 * change; a test compares it with <sqlite3.h> where that is there.
 */
#ifndef SQLITE_H
#define SQLITE_H

#include "flat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_context;
struct sqlite3_value;
struct sqlite3_backup;

typedef int sq_authorizer(void *, int, const char *, const char *, const char *, const char *);
typedef void sq_function(struct sqlite3_context *, int, struct sqlite3_value **);
typedef void sq_destructor(void *);

#ifndef SQLITE_VERSION      /* a test reads <sqlite3.h> first, and compares */

/* What the system does for SQLite: its first members are those of version 2. */
struct sqlite3_vfs {
    int iVersion, szOsFile, mxPathname;
    struct sqlite3_vfs *pNext;
    const char *zName;
    void *pAppData;
    void (*calls[4])(void), (*libraries[4])(void);
    int (*xRandomness)(struct sqlite3_vfs *, int, char *);
    int (*xSleep)(struct sqlite3_vfs *, int);
    int (*xCurrentTime)(struct sqlite3_vfs *, double *);
    int (*xGetLastError)(struct sqlite3_vfs *, int, char *);
    int (*xCurrentTimeInt64)(struct sqlite3_vfs *, int64_t *);
    void (*version3[3])(void);
};

#endif

/* result, name behind "sqlite3_", parameters */
#define SQLITE_CALLS(CALL) \
    CALL(int, open_v2, (const char *, struct sqlite3 **, int, const char *)) \
    CALL(int, close_v2, (struct sqlite3 *)) \
    CALL(int, prepare_v2, (struct sqlite3 *, const char *, int, struct sqlite3_stmt **, const char **)) \
    CALL(int, step, (struct sqlite3_stmt *)) \
    CALL(int, reset, (struct sqlite3_stmt *)) \
    CALL(int, finalize, (struct sqlite3_stmt *)) \
    CALL(int, bind_null, (struct sqlite3_stmt *, int)) \
    CALL(int, bind_int64, (struct sqlite3_stmt *, int, long long)) \
    CALL(int, bind_double, (struct sqlite3_stmt *, int, double)) \
    CALL(int, bind_text, (struct sqlite3_stmt *, int, const char *, int, sq_destructor *)) \
    CALL(int, bind_blob, (struct sqlite3_stmt *, int, const void *, int, sq_destructor *)) \
    CALL(int, bind_parameter_count, (struct sqlite3_stmt *)) \
    CALL(int, column_count, (struct sqlite3_stmt *)) \
    CALL(const char *, column_name, (struct sqlite3_stmt *, int)) \
    CALL(int, column_type, (struct sqlite3_stmt *, int)) \
    CALL(long long, column_int64, (struct sqlite3_stmt *, int)) \
    CALL(double, column_double, (struct sqlite3_stmt *, int)) \
    CALL(const unsigned char *, column_text, (struct sqlite3_stmt *, int)) \
    CALL(const void *, column_blob, (struct sqlite3_stmt *, int)) \
    CALL(int, column_bytes, (struct sqlite3_stmt *, int)) \
    CALL(int, stmt_readonly, (struct sqlite3_stmt *)) \
    CALL(int, changes, (struct sqlite3 *)) \
    CALL(int, total_changes, (struct sqlite3 *)) \
    CALL(const char *, errmsg, (struct sqlite3 *)) \
    CALL(int, extended_result_codes, (struct sqlite3 *, int)) \
    CALL(int, set_authorizer, (struct sqlite3 *, sq_authorizer *, void *)) \
    CALL(void, progress_handler, (struct sqlite3 *, int, int (*)(void *), void *)) \
    CALL(int, create_function_v2, (struct sqlite3 *, const char *, int, int, void *, sq_function *, sq_function *, \
                                   void (*)(struct sqlite3_context *), sq_destructor *)) \
    CALL(void *, user_data, (struct sqlite3_context *)) \
    CALL(void, result_int64, (struct sqlite3_context *, long long)) \
    CALL(void, result_blob, (struct sqlite3_context *, const void *, int, sq_destructor *)) \
    CALL(void, result_error, (struct sqlite3_context *, const char *, int)) \
    CALL(long long, value_int64, (struct sqlite3_value *)) \
    CALL(int, limit, (struct sqlite3 *, int, int)) \
    CALL(struct sqlite3_backup *, backup_init, (struct sqlite3 *, const char *, struct sqlite3 *, const char *)) \
    CALL(int, backup_step, (struct sqlite3_backup *, int)) \
    CALL(int, backup_finish, (struct sqlite3_backup *)) \
    CALL(struct sqlite3_vfs *, vfs_find, (const char *)) \
    CALL(int, vfs_register, (struct sqlite3_vfs *, int)) \
    CALL(int, db_config, (struct sqlite3 *, int, ...)) \
    CALL(int, get_autocommit, (struct sqlite3 *)) \
    CALL(void, interrupt, (struct sqlite3 *)) \
    CALL(int, busy_timeout, (struct sqlite3 *, int))

#define SQLITE_DECLARE(result, name, parameters) result (*name) parameters;
struct sqlite { SQLITE_CALLS(SQLITE_DECLARE) };

#ifndef SQLITE_VERSION

enum {
    SQLITE_OK = 0, SQLITE_ERROR = 1, SQLITE_BUSY = 5, SQLITE_LOCKED = 6, SQLITE_NOMEM = 7, SQLITE_READONLY = 8,
    SQLITE_INTERRUPT = 9, SQLITE_IOERR = 10, SQLITE_CORRUPT = 11, SQLITE_FULL = 13, SQLITE_CANTOPEN = 14,
    SQLITE_TOOBIG = 18, SQLITE_CONSTRAINT = 19, SQLITE_AUTH = 23, SQLITE_NOTADB = 26, SQLITE_ROW = 100,
    SQLITE_DONE = 101,
    SQLITE_BUSY_SNAPSHOT = 5 | 2 << 8,
    SQLITE_INTEGER = 1, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL,    /* of a column */
    SQLITE_OPEN_READWRITE = 2, SQLITE_OPEN_CREATE = 4, SQLITE_OPEN_URI = 0x40, SQLITE_OPEN_NOMUTEX = 0x8000,
    SQLITE_OPEN_FULLMUTEX = 0x10000,
    SQLITE_UTF8 = 1,
    SQLITE_DBCONFIG_DQS_DML = 1013, SQLITE_DBCONFIG_DQS_DDL = 1014,
    SQLITE_LIMIT_LENGTH = 0, SQLITE_LIMIT_EXPR_DEPTH = 3, SQLITE_LIMIT_COMPOUND_SELECT = 4, SQLITE_LIMIT_ATTACHED = 7,
    SQLITE_LIMIT_TRIGGER_DEPTH = 10, SQLITE_LIMIT_WORKER_THREADS = 11,
    SQLITE_DENY = 1, SQLITE_FUNCTION = 31,
    /* of an authorizer */
    SQLITE_DROP_TEMP_TRIGGER = 14, SQLITE_PRAGMA = 19, SQLITE_TRANSACTION = 22, SQLITE_ATTACH = 24,
    SQLITE_DETACH = 25, SQLITE_CREATE_VTABLE = 29, SQLITE_DROP_VTABLE = 30, SQLITE_SAVEPOINT = 32,
    SQLITE_CREATE_TEMP_INDEX = 3, SQLITE_CREATE_TEMP_TABLE = 4, SQLITE_CREATE_TEMP_TRIGGER = 5,
    SQLITE_CREATE_TEMP_VIEW = 6,
};

#endif

/* SQLite, or NULL: this machine has none. To be called by one thread at first. */
const struct sqlite *sq_load(void);

/* What is wrong, in words; "" if there are none. */
#define SQ_MESSAGE 240
#define SQ_MISSING "co_db needs SQLite, which is not on this machine: install libsqlite3-0 (Debian, Ubuntu), " \
                   "sqlite-libs (Fedora), sqlite (Arch, brew)"

/* Opens a database as programs expect one: "x" is a column, never a text, foreign keys hold, LIKE looks at capitals,
 * nothing of it goes to a file of its own making. vfs NULL: the system. Returns an errno value below 0, or 0. */
int sq_open(const char *file, const char *vfs, struct sqlite3 **db, char message[SQ_MESSAGE]);

/* The one statement in sql[length], with its $1 as ?1: SQLite numbers $2 by where it stands. *stmt is the caller's to
 * finalize. */
int sq_prepare(struct sqlite3 *db, const char *sql, size_t length, struct sqlite3_stmt **stmt,
               char message[SQ_MESSAGE]);

/* Binds the flat values: exactly as many as it wants. */
int sq_bind(struct sqlite3 *db, struct sqlite3_stmt *stmt, const char *values, size_t size, char message[SQ_MESSAGE]);

/* Appends the names of its columns, or the row that it stands on. */
void sq_names(struct sqlite3_stmt *stmt, struct flat *flat);
void sq_row(struct sqlite3_stmt *stmt, struct flat *flat);

/* An error of SQLite's as one of co_db.h's. */
int sq_errno(int code);
/* The same, and the words for it. */
int sq_error(struct sqlite3 *db, int code, char message[SQ_MESSAGE]);
/* Carries out statements of our own. */
int sq_run(struct sqlite3 *db, const char *sql, char message[SQ_MESSAGE]);

#endif
