/* co_db.h - databases: the student's manual. Beside co.h, whose three rules hold here too.
 *
 * A database is another program, often on another machine: a statement goes there, is carried out, and its answer comes
 * back. Meanwhile the other tasks run. Two real ones can be had, PostgreSQL and SQLite; in the virtual world the data
 * lies in memory, and how long a statement takes is the world's affair. The same program runs in all three.
 *
 *     #include "co.h"
 *     #include "co_db.h"
 *     #include <stdio.h>
 *
 *     static int list(void *job)
 *     {
 *         CO_DB(db);                                     // closed at the end of this block
 *         int rc = co_db_open(&db, "sqlite:shop.db", NULL);
 *         if (rc < 0)
 *             return rc;
 *         CO_ROWS(rows);
 *         rc = co_db_query(&db, &rows, "SELECT name, price FROM goods WHERE price < $1 ORDER BY name", 500);
 *         while (rc >= 0 && (rc = co_rows_next(&rows)) > 0)
 *             printf("%s: %lld\n", co_rows_text(&rows, 0), (long long)co_rows_int(&rows, 1));
 *         return rc;
 *     }
 *
 * SQL that means the same in both: $1, $2 ... for values; ORDER BY wherever the order matters, with NULLS LAST where a
 * NULL may come; CAST($1 AS integer) where nothing else says what a value is; ISO texts for times; ids of your own.
 */
#ifndef CO_DB_H
#define CO_DB_H

#include "co.h"

/* ---- Errors --------------------------------------------------------------------------------- */
/* Besides co.h's:
 *   -CO_ECONSTRAINT  the data forbids it: a key that is there already, a NULL, a CHECK, a key of another table that is
 *                    not there. Nothing of the statement was done.
 *   -CO_ESERIAL      another transaction got there first, and both at once would give what none alone could. Nothing
 *                    was done: begin the whole transaction again.
 *   -CO_ESQL         the statement is wrong: co_db_message() says where
 *   -CO_EFAILED      a statement of this transaction has failed: all that is left is to roll it back
 *   -CO_ECROWDED     the database takes no more connections
 *   -ECONNRESET      the connection broke. Whether the statement was carried out nobody can tell you: look.
 *   -ECONNREFUSED    nobody listens there: the database is down, or elsewhere
 *   -EACCES          it knows no such user, or that password is wrong
 *   -ETIMEDOUT       it took longer than the database's timeout
 *   -CO_EROWS        this connection has rows that are not read to their end
 *   -EBUSY           another task waits for an answer over this connection
 *   -ENOSYS          this machine has no SQLite, or no libpq (PostgreSQL's library); co_db_message() says what to
 *                    install
 */
#define CO_ECONSTRAINT EDOM
#define CO_ESERIAL ESTALE
#define CO_ESQL EBADMSG
#define CO_EFAILED ENOTRECOVERABLE
#define CO_ECROWDED EUSERS
#define CO_EROWS ENOTEMPTY

/* What the database itself said of the error that a call of this header has just returned: "UNIQUE constraint failed:
 * goods.name". Read it before you wait again. "" where it said nothing. */
const char *co_db_message(void);

/* ---- A database, and its pool of connections ------------------------------------------------- */
/* A connection serves one statement at a time, and costs time to make: so they are kept, and shared. Who wants one when
 * all are in use waits for its turn, first come first served. One that has rested longer than `check_after` is tried
 * before it is used; one that turns out to be broken is thrown away, and a new one made in its place. */

struct co_db { struct co_database *base; };
struct co_db_options {
    int size;                        /* most connections at a time; 0 = 10                             */
    int64_t timeout;                 /* ns for each call, the wait for a connection included; 0 = CO_DB_TIMEOUT */
    int64_t check_after;             /* ns of rest after which a connection is tried; 0 = 1 s; CO_FOREVER: never */
    int batch;                       /* rows that come at a time, see co_rows_next; 0 = 100            */
};
#define CO_DB_TIMEOUT CO_SEC(30)

/* url: "sqlite:FILE" (made if it is not there), "sqlite::memory:" (gone when it is closed), or
 * "postgresql://USER:PASSWORD@HOST:PORT/NAME". options NULL: the defaults. Makes a first connection, so that a wrong
 * password is told here. Waits. 0, -EINVAL (no such URL), or an error from above. asyncio: asyncpg.create_pool(). */
int co_db_open(struct co_db *db, const char *url, const struct co_db_options *options) CO_MUST_USE;
/* Does not wait. Connections that are still in use are closed when they are given back. */
void co_db_close(struct co_db *db);
#define CO_DB(name) __attribute__((cleanup(co_db_close))) struct co_db name = {0}

/* The pool, now. `lost`: connections that broke, so far. */
struct co_db_state { int open, idle, waiting; int64_t lost; };
struct co_db_state co_db_look(const struct co_db *db);

/* A connection of your own, until you give it back. Waits for one to be free. 0, or an error from above.
 *     CO_CONN(conn);
 *     rc = co_conn_take(&conn, &db);
 * What was begun on it ends with it. asyncio: pool.acquire(). */
struct co_conn { struct co_link *link; };
int co_conn_take(struct co_conn *conn, struct co_db *db) CO_MUST_USE;
void co_conn_give(struct co_conn *conn);       /* does not wait; never given back = a leak */
#define CO_CONN(name) __attribute__((cleanup(co_conn_give))) struct co_conn name = {0}

/* ---- Statements ------------------------------------------------------------------------------ */
/* `on` is where it runs: a struct co_db * (any free connection), a struct co_conn *, or a struct co_tx *. `sql` is a
 * text, or a prepared struct co_statement *: one statement, without BEGIN, COMMIT and the like (-EINVAL). Behind it
 * come the values for $1, $2 ..., at most 12: whole numbers, doubles, texts (NULL: SQL's NULL), co_blob(bytes, size).
 * Never paste a value into the SQL itself: a name such as "O'Hara" breaks it, and who knows that can do worse. */

/* Carries it out. Returns how many rows it has changed, or an error. */
#define co_db_exec(on, ...) co_db_exec_(CO_ON_(on), CO_SAID_(__VA_ARGS__, CO_END_))
/* The same for what gives rows: 0, and `rows` stands before the first one. Close them, or read them to their end. */
#define co_db_query(on, rows, ...) co_db_query_(CO_ON_(on), (rows), CO_SAID_(__VA_ARGS__, CO_END_))
/* For a single number: 1 and *number (of the first row's first column), 0 if there is no row, or an error. */
#define co_db_number(on, number, ...) co_db_number_(CO_ON_(on), (number), CO_SAID_(__VA_ARGS__, CO_END_))

/* A statement that is used often: each connection takes it apart once, the first time it meets it. Waits, so that a
 * mistake in it is told here. It lives as long as the database is open. */
struct co_statement { struct co_prepared *prepared; };
int co_db_prepare(struct co_db *db, struct co_statement *statement, const char *sql) CO_MUST_USE;

/* ---- Rows ------------------------------------------------------------------------------------ */
/* Rows come in batches: the next one is asked for only when the last one is read, so that a million of them need no
 * more memory than a hundred. Meanwhile the connection is theirs. asyncio: `async for` over a cursor. */

struct co_rows { int columns; struct co_cursor *cursor; };
/* The next row: 1; 0 at the end; or an error, which may come behind good rows. Waits when a batch is used up. */
int co_rows_next(struct co_rows *rows) CO_MUST_USE;
void co_rows_close(struct co_rows *rows);      /* does not wait; never closed = a leak */
#define CO_ROWS(name) __attribute__((cleanup(co_rows_close))) struct co_rows name = {0}

/* Values of the row at hand; column from 0. Texts and bytes are the row's: they last until the next one. */
int64_t co_rows_int(const struct co_rows *rows, int column);         /* 0 for NULL and for what is no number */
double co_rows_real(const struct co_rows *rows, int column);
const char *co_rows_text(const struct co_rows *rows, int column);    /* NULL for NULL */
const void *co_rows_blob(const struct co_rows *rows, int column, size_t *size);
bool co_rows_is_null(const struct co_rows *rows, int column);
const char *co_rows_name(const struct co_rows *rows, int column);    /* the column's name; NULL: there is none */
int co_rows_column(const struct co_rows *rows, const char *name);    /* which column that is; -EINVAL: none */

/* ---- Transactions ---------------------------------------------------------------------------- */
/* Several statements that happen as one, or not at all. It sees one state of the data and its own changes; others see
 * nothing of it before it is committed. On SQLite writers take turns: begin waits until no other one writes. PostgreSQL
 * lets them run side by side, and refuses who comes too late (-CO_ESERIAL).
 *
 *     int rc = 0;
 *     CO_TRANSACTION(tx, &db, &rc) {
 *         rc = co_db_exec(tx, "UPDATE account SET money = money - $1 WHERE id = $2", 10, from);
 *         if (rc >= 0)
 *             rc = co_db_exec(tx, "UPDATE account SET money = money + $1 WHERE id = $2", 10, to);
 *     }                                                  // committed if rc >= 0 here; rc says how that went
 *
 * The end of the block commits, if rc is 0 or more there, and waits for it; else it rolls back. `return`, `break` and
 * `goto` out of it roll back, always. If it cannot be begun (cancelled, say) rc says why, and the block is skipped. A
 * rollback does not wait. asyncio: `async with connection.transaction()`. */
#define CO_TRANSACTION(name, db, rc) \
    for (__attribute__((cleanup(co_tx_left))) struct co_tx *name = co_tx_enter((db), (rc)); name; \
         name = co_tx_leave(name, (rc)))

/* The same by hand. A tx that is neither committed nor rolled back is a leak. */
struct co_tx { struct co_link *link; };
enum co_tx_mode { CO_TX_WRITE, CO_TX_READ /* only looks: never waits for a writer, and changes nothing (-EPERM) */ };
int co_tx_begin(struct co_tx *tx, struct co_db *db, enum co_tx_mode mode) CO_MUST_USE;
/* 0: all of it is done. -CO_EFAILED, -CO_ESERIAL: nothing is. -ECONNRESET, -ETIMEDOUT, -ECANCELED: nobody knows. It is
 * over in any case. */
int co_tx_commit(struct co_tx *tx) CO_MUST_USE;
void co_tx_rollback(struct co_tx *tx);
#define CO_TX(name) __attribute__((cleanup(co_tx_rollback))) struct co_tx name = {0}

/* ---- Values ---------------------------------------------------------------------------------- */

enum co_value_type { CO_NULL, CO_INT, CO_REAL, CO_TEXT, CO_BLOB };
struct co_value {
    enum co_value_type type;
    union { int64_t integer; double real; const void *bytes; };
    size_t size;                     /* of bytes */
};
struct co_value co_blob(const void *bytes, size_t size);

/* ---- Behind the macros ----------------------------------------------------------------------- */

struct co_on { struct co_db *db; struct co_conn *conn; struct co_tx *tx; };
struct co_said { const char *sql; const struct co_prepared *prepared; size_t count; struct co_value values[13]; };
struct co_end { char nothing; };
#define CO_END_ ((struct co_end){0})
#define CO_ON_(on) _Generic((on), struct co_db *: co_on_db, struct co_conn *: co_on_conn, struct co_tx *: co_on_tx)(on)
#define CO_SAID_(...) CO_SAID14_(__VA_ARGS__, CO_END_, CO_END_, CO_END_, CO_END_, CO_END_, CO_END_, CO_END_, CO_END_, \
                                 CO_END_, CO_END_, CO_END_, CO_END_, CO_END_, CO_END_)
#define CO_SAID14_(sql, a, b, c, d, e, f, g, h, i, j, k, l, m, ...) \
    co_said_(_Generic((sql), struct co_statement *: co_sql_prepared, default: co_sql_text)(sql), \
             (const struct co_value[]){CO_VALUE_(a), CO_VALUE_(b), CO_VALUE_(c), CO_VALUE_(d), CO_VALUE_(e), \
                                       CO_VALUE_(f), CO_VALUE_(g), CO_VALUE_(h), CO_VALUE_(i), CO_VALUE_(j), \
                                       CO_VALUE_(k), CO_VALUE_(l), CO_VALUE_(m)})
#define CO_VALUE_(x) _Generic((x), struct co_end: co_value_end, struct co_value: co_value_itself, \
                              char *: co_value_text, const char *: co_value_text, void *: co_value_text, \
                              float: co_value_real, double: co_value_real, default: co_value_int)(x)
struct co_on co_on_db(struct co_db *db);
struct co_on co_on_conn(struct co_conn *conn);
struct co_on co_on_tx(struct co_tx *tx);
struct co_said co_sql_text(const char *sql);
struct co_said co_sql_prepared(struct co_statement *statement);
struct co_said co_said_(struct co_said said, const struct co_value values[13]);
struct co_value co_value_end(struct co_end end);
struct co_value co_value_itself(struct co_value value);
struct co_value co_value_text(const char *text);
struct co_value co_value_real(double real);
struct co_value co_value_int(int64_t integer);
int co_db_exec_(struct co_on on, struct co_said said) CO_MUST_USE;
int co_db_query_(struct co_on on, struct co_rows *rows, struct co_said said) CO_MUST_USE;
int co_db_number_(struct co_on on, int64_t *number, struct co_said said) CO_MUST_USE;
struct co_tx *co_tx_enter(struct co_db *db, int *rc);
struct co_tx *co_tx_leave(struct co_tx *tx, int *rc);
void co_tx_left(struct co_tx **tx);

#endif
