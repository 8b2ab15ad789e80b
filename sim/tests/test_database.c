/* test_database.c - databases, as a program sees them in the virtual world. */
#include "check.h"

#include "co_db.h"
#include "world/world.h"

#define URL "postgresql://db.test/shop"
#define LITE "sqlite:shop.db"
#define GOODS "\"CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, " \
              "price INTEGER CHECK (price > 0))\"," \
              "\"INSERT INTO goods VALUES (1, 'ink', 200), (2, 'pen', 100), (3, 'cup', 400)\""
/* 10 ms there and back, 5 ms of work, 1 ms a row. */
#define WORLD_OF(url, members) \
    "{\"world\":\"looplab/world/v1\",\"databases\":[{\"url\":\"" url "\",\"rtt\":\"10ms\",\"latency\":\"5ms\"," \
    "\"row\":\"1ms\",\"setup\":[" GOODS "]" members "}]}"
#define WORLD(members) WORLD_OF(URL, members)

/* ---- Statements and rows --------------------------------------------------------------------------------- */

static int lists(void *job)
{
    (void)job;
    CO_DB(db);
    expect_is(co_db_open(&db, URL, NULL), 0);
    note("open");
    CO_ROWS(rows);
    expect_is(co_db_query(&db, &rows, "SELECT name, price FROM goods WHERE price < $1 ORDER BY name", 300), 0);
    expect_is(rows.columns, 2);
    expect_is(co_rows_column(&rows, "price"), 1);
    expect_is(co_rows_column(&rows, "weight"), -EINVAL);
    while (co_rows_next(&rows) > 0)
        note("%s=%lld=%s", co_rows_text(&rows, 0), (long long)co_rows_int(&rows, 1), co_rows_text(&rows, 1));
    expect_is(co_rows_next(&rows), 0);
    expect(co_rows_text(&rows, 0) == NULL);
    return 0;
}

static void a_query_takes_a_round_trip_its_work_and_its_rows(void **state)
{
    (void)state;
    check_world_notes(WORLD(""), lists, "open@20 ink=200=200@37 pen=100=100@37 ");
}

static int all_kinds(void *job)
{
    (void)job;
    size_t size;
    int64_t n = 0;
    CO_DB(db);
    expect_is(co_db_open(&db, "sqlite::memory:", NULL), 0);
    expect_is(co_db_exec(&db, "CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB)"), 0);
    expect_is(co_db_exec(&db, "INSERT INTO t VALUES ($1, $2, $3, $4)", 7, 0.5, "it's", co_blob("a\0b", 3)), 1);
    expect_is(co_db_exec(&db, "INSERT INTO t VALUES ($1, $4, $3, $2)", 8, (const char *)NULL, NULL, true), 1);
    CO_ROWS(rows);
    expect_is(co_db_query(&db, &rows, "SELECT i, r, s, b FROM t ORDER BY i"), 0);
    expect_is(co_rows_next(&rows), 1);
    expect_is(co_rows_int(&rows, 0), 7);
    expect(co_rows_real(&rows, 1) == 0.5);
    expect_text(co_rows_text(&rows, 1), "0.5");
    expect_text(co_rows_text(&rows, 2), "it's");
    expect(memcmp(co_rows_blob(&rows, 3, &size), "a\0b", 3) == 0 && size == 3);
    expect_is(co_rows_next(&rows), 1);
    expect(co_rows_real(&rows, 1) == 1 && co_rows_is_null(&rows, 2) && co_rows_is_null(&rows, 3));
    expect(co_rows_text(&rows, 3) == NULL && co_rows_int(&rows, 3) == 0);
    expect_is(co_rows_next(&rows), 0);
    expect_is(co_db_number(&db, &n, "SELECT count(*) FROM t"), 1);
    expect_is(n, 2);
    expect_is(co_db_number(&db, &n, "SELECT i FROM t WHERE i > 100"), 0);
    expect_is(co_db_number(&db, &n, "SELECT $2 - $1 FROM t WHERE i = $3", 1, 5, 7), 1);
    expect_is(n, 4);
    return 0;
}

static void values_go_there_and_come_back(void **state)
{
    (void)state;
    run(all_kinds, NULL);
}

static int wrong_ones(void *job)
{
    (void)job;
    CO_DB(db);
    int64_t n;
    struct co_db none = {0};
    expect_is(co_db_exec(&none, "SELECT 1"), -EBADF);
    expect_is(co_db_open(&db, "mysql://x", NULL), -EINVAL);
    expect_is(co_db_open(&db, "postgresql://elsewhere/x", NULL), -CO_ENOHOST);
    expect_is(co_db_open(&db, URL, NULL), 0);
    expect_is(co_db_exec(&db, "INSERT INTO goods VALUES (4, 'pen', 5)"), -CO_ECONSTRAINT);
    expect_text(co_db_message(), "UNIQUE constraint failed: goods.name");
    expect_is(co_db_exec(&db, "INSERT INTO goods VALUES (4, 'bag', 0)"), -CO_ECONSTRAINT);
    expect_is(co_db_exec(&db, "SELEKT 1"), -CO_ESQL);
    expect(strstr(co_db_message(), "SELEKT"));
    expect_is(co_db_exec(&db, "SELECT \"goods\""), -CO_ESQL);
    expect_is(co_db_exec(&db, "SELECT $1"), -CO_ESQL);
    expect_is(co_db_exec(&db, "SELECT $1", 1, 2), -CO_ESQL);
    expect_is(co_db_exec(&db, "SELECT ?", 1), -CO_ESQL);
    expect_is(co_db_exec(&db, "SELECT 1; DELETE FROM goods"), -CO_ESQL);
    expect_is(co_db_exec(&db, ""), -CO_ESQL);
    expect_is(co_db_exec(&db, NULL), -EINVAL);
    expect_is(co_db_exec(&db, "SELECT $1", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13), -EINVAL);
    expect_is(co_db_exec(&db, " -- so\n/* so */ bEGIN"), -EINVAL);
    expect_is(co_db_exec(&db, "PRAGMA page_size"), -EINVAL);
    expect_is(co_db_exec(&db, "CREATE TEMP TABLE t (x)"), -EPERM);
    expect_is(co_db_number(&db, &n, "SELECT '$1' || '--' || $1 || '?' FROM goods WHERE id = 1", 5), 1);
    expect_is(co_db_number(&db, &n, "SELECT length('$1' || '--') + $1 /* ? */ FROM goods WHERE id = 1", 5), 1);
    expect_is(n, 9);
    expect_is(co_db_number(&db, &n, "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
                           "SELECT count(*) FROM r"), -ETIMEDOUT);
    expect_is(co_db_number(&db, &n, "SELECT count(*) FROM goods"), 1);
    expect_is(n, 3);
    return 0;
}

static void each_mistake_has_its_error(void **state)
{
    (void)state;
    run_world(WORLD(""), wrong_ones, NULL);
}

static int streams(void *job)
{
    (void)job;
    CO_DB(db);
    int64_t n;
    int sum = 0, rc;
    expect_is(co_db_open(&db, URL, &(struct co_db_options){.size = 1, .batch = 2}), 0);
    CO_ROWS(rows);
    CO_CONN(conn);
    expect_is(co_conn_take(&conn, &db), 0);
    expect_is(co_db_query(&conn, &rows, "SELECT price FROM goods ORDER BY id"), 0);
    note("first");
    while ((rc = co_rows_next(&rows)) > 0) {
        if (sum == 0)
            expect_is(co_db_number(&conn, &n, "SELECT 1"), -CO_EROWS);
        sum += (int)co_rows_int(&rows, 0);
        note("%d", sum);
    }
    expect_is(rc, 0);
    expect_is(co_db_number(&conn, &n, "SELECT 7"), 1);
    co_rows_close(&rows);
    expect_is(co_db_query(&conn, &rows, "SELECT price FROM goods"), 0);
    co_rows_close(&rows);
    expect_is(co_db_query(&conn, &rows, "SELECT price FROM goods"), 0);
    co_conn_give(&conn);
    expect_is(co_rows_next(&rows), 0);
    return 0;
}

static void rows_come_in_batches(void **state)
{
    (void)state;
    check_world_notes(WORLD(""), streams, "first@37 200@37 300@37 700@48 ");
}

static int prepares(void *job)
{
    (void)job;
    CO_DB(db), other;
    int64_t n;
    struct co_statement find, wrong;
    expect_is(co_db_open(&db, URL, &(struct co_db_options){.size = 1}), 0);
    expect_is(co_db_open(&other, URL, NULL), 0);
    expect_is(co_db_prepare(&db, &wrong, "SELECT nothing FROM goods"), -CO_ESQL);
    expect_is(co_db_exec(&db, &wrong), -EINVAL);
    expect_is(co_db_prepare(&db, &find, "SELECT price FROM goods WHERE id = $1"), 0);
    note("prepared");
    expect_is(co_db_number(&db, &n, &find, 3), 1);
    expect_is(n, 400);
    note("asked");
    expect_is(co_db_number(&db, &n, "SELECT price FROM goods WHERE id = $1", 2), 1);
    note("in full");
    expect_is(co_db_number(&other, &n, &find, 3), -EINVAL);
    co_db_close(&other);
    return 0;
}

static void a_prepared_statement_is_taken_apart_once(void **state)
{
    (void)state;
    check_world_notes(WORLD(",\"parse\":\"100ms\""), prepares,
                      "prepared@260 asked@276 in full@392 ");
}

/* ---- The pool ---------------------------------------------------------------------------------------------- */

static struct co_db shared;

static int asks(void *job)
{
    int64_t n;
    int rc = co_db_number(&shared, &n, "SELECT price FROM goods WHERE id = $1", *(int *)job);
    note("%d", *(int *)job);
    return rc < 0 ? rc : 0;
}

static int three_at_two(void *job)
{
    (void)job;
    int ids[] = {1, 2, 3};
    CO_GROUP(group);
    expect_is(co_db_open(&shared, URL, &(struct co_db_options){.size = 2}), 0);
    for (int i = 0; i < 3; i++)
        co_spawn(&group, asks, &ids[i]);
    expect_is(co_sleep(1), 0);
    struct co_db_state state = co_db_look(&shared);
    expect(state.open == 1 && state.idle == 0 && state.waiting == 1);
    expect_is(co_join(&group), 0);
    state = co_db_look(&shared);
    expect(state.open == 2 && state.idle == 2 && state.waiting == 0 && state.lost == 0);
    co_db_close(&shared);
    return 0;
}

static void who_comes_third_waits_for_a_connection(void **state)
{
    (void)state;
    check_world_notes(WORLD(""), three_at_two, "1@36 3@52 2@56 ");
}

static int rests(void *job)
{
    int64_t n;
    (void)job;
    CO_DB(db);
    expect_is(co_db_open(&db, URL, NULL), 0);
    expect_is(co_sleep(CO_SEC(5)), 0);                      /* in between it was down for a while */
    expect_is(co_db_number(&db, &n, "SELECT 1"), 1);
    note("again");
    expect_is(co_db_look(&db).lost, 1);
    return 0;
}

static void a_connection_that_broke_at_rest_is_replaced(void **state)
{
    (void)state;
    check_world_notes(WORLD(",\"down\":[[\"2s\",\"3s\"]]"), rests, "again@5056 ");
}

static int crowded(void *job)
{
    (void)job;
    CO_DB(a);
    CO_DB(b);
    expect_is(co_db_open(&a, URL, NULL), 0);
    expect_is(co_db_open(&b, URL, NULL), -CO_ECROWDED);
    expect_text(co_db_message(), "sorry, too many clients already");
    co_db_close(&a);
    expect_is(co_db_open(&b, URL, NULL), 0);
    return 0;
}

static void a_database_takes_so_many_connections(void **state)
{
    (void)state;
    run_world(WORLD(",\"connections\":1"), crowded, NULL);
}

/* ---- Outages and lost connections ------------------------------------------------------------------------- */

static int through_an_outage(void *job)
{
    (void)job;
    CO_DB(db);
    int rc;
    expect_is(co_db_open(&db, URL, NULL), 0);
    expect_is(co_sleep(CO_MS(470)), 0);                     /* the next statement is under way when it goes down */
    expect_is(co_db_exec(&db, "UPDATE goods SET price = 9"), -ECONNRESET);
    note("lost");
    while ((rc = co_db_exec(&db, "UPDATE goods SET price = 7 WHERE id = 1")) == -ECONNREFUSED)
        expect_is(co_sleep(CO_MS(100)), 0);
    expect_is(rc, 1);
    note("back");
    int64_t sum;
    expect_is(co_db_number(&db, &sum, "SELECT sum(price) FROM goods"), 1);
    expect_is(sum, 507);
    return 0;
}

static void a_database_that_is_down_loses_all_and_forgets_nothing(void **state)
{
    (void)state;
    check_world_notes(WORLD(",\"down\":[[\"500ms\",\"900ms\"]]"), through_an_outage, "lost@500 back@1016 ");
}

static int loses_the_second(void *job)
{
    const bool *done = job;
    CO_DB(db);
    int64_t n;
    expect_is(co_db_open(&db, URL, NULL), 0);
    expect_is(co_db_exec(&db, "UPDATE goods SET price = price + 1 WHERE id = 1"), 1);
    expect_is(co_db_exec(&db, "UPDATE goods SET price = price + 1 WHERE id = 1"), -ECONNRESET);
    expect_is(co_db_number(&db, &n, "SELECT price FROM goods WHERE id = 1"), 1);
    expect_is(n, *done ? 202 : 201);
    return 0;
}

static void a_connection_is_lost_at_the_nth_query(void **state)
{
    (void)state;
    bool done = false;
    run_world(WORLD(",\"faults\":[{\"kind\":\"lost\",\"nth\":2}]"), loses_the_second, &done);
    done = true;
    run_world(WORLD(",\"faults\":[{\"kind\":\"lost\",\"match\":\"UPDATE\",\"nth\":2,\"done\":true}]"), loses_the_second,
              &done);
}

/* ---- Transactions ------------------------------------------------------------------------------------------ */

static int64_t price(int id)
{
    int64_t n = -1;
    expect_is(co_db_number(&shared, &n, "SELECT price FROM goods WHERE id = $1", id), 1);
    return n;
}

static int moves(int how)
{
    int rc = 0;
    CO_TRANSACTION(tx, &shared, &rc) {
        rc = co_db_exec(tx, "UPDATE goods SET price = price - 10 WHERE id = 1");
        expect_is(rc, 1);
        expect_is(price(1), 200);                           /* nobody else sees it */
        if (how == 1)
            return 77;
        if (how == 2)
            break;
        if (how == 3)
            rc = -EIO;
        if (how == 4) {
            expect_is(co_db_exec(tx, "INSERT INTO goods VALUES (1, 'x', 1)"), -CO_ECONSTRAINT);
            rc = co_db_exec(tx, "UPDATE goods SET price = 1 WHERE id = 2");
            expect_is(rc, -CO_EFAILED);
            rc = 0;                                         /* whoever forgets it is told by the commit */
        }
    }
    return rc;
}

static int all_ways(void *job)
{
    expect_is(co_db_open(&shared, job, NULL), 0);
    expect_is(moves(1), 77);
    expect_is(moves(2), 1);
    expect_is(moves(3), -EIO);
    expect_is(moves(4), -CO_EFAILED);
    expect_is(price(1), 200);
    expect_is(moves(0), 0);
    expect_is(price(1), 190);
    expect_is(co_db_look(&shared).lost, 0);
    co_db_close(&shared);
    return 0;
}

static void a_transaction_left_early_is_rolled_back(void **state)
{
    (void)state;
    run_world(WORLD(""), all_ways, URL);
    run_world(WORLD_OF(LITE, ""), all_ways, LITE);
}

static int adds_slowly(void *job)
{
    const int *by = job;
    int rc = 0;
    int64_t n = 0;
    CO_TRANSACTION(tx, &shared, &rc) {
        note("in%d", *by);
        rc = co_db_number(tx, &n, "SELECT price FROM goods WHERE id = 1");
        if (rc >= 0)
            rc = co_sleep(CO_MS(100));
        if (rc >= 0)
            rc = co_db_exec(tx, "UPDATE goods SET price = $1 WHERE id = 1", n + *by);
    }
    note("out%d=%s", *by, rc < 0 ? co_strerror(rc) : "0");
    return 0;
}

static int two_writers(void *job)
{
    int by[] = {1, 20};
    CO_GROUP(group);
    expect_is(co_db_open(&shared, job, NULL), 0);
    for (int i = 0; i < 2; i++)
        co_spawn(&group, adds_slowly, &by[i]);
    expect_is(co_join(&group), 0);
    note("%lld", (long long)price(1));
    co_db_close(&shared);
    return 0;
}

static void a_second_writer_waits_with_sqlite(void **state)
{
    (void)state;
    board_clear();
    run_world(WORLD_OF(LITE, ""), two_writers, LITE);
    assert_string_equal(board->text, "in1@30 in20@172 out1=0@172 out20=0@314 221@330 ");
}

static void and_is_refused_when_it_comes_too_late_with_postgresql(void **state)
{
    (void)state;
    run_world(WORLD(""), two_writers, URL);
    assert_string_equal(board->text, "in1@30 in20@50 out1=0@172 "
                        "out20=another transaction got there first: begin yours again@181 201@207 ");
}

static int reads_only(void *job)
{
    (void)job;
    CO_TX(tx);
    CO_TX(writer);
    int64_t n;
    expect_is(co_db_open(&shared, LITE, NULL), 0);
    expect_is(co_tx_begin(&writer, &shared, CO_TX_WRITE), 0);
    expect_is(co_tx_begin(&tx, &shared, CO_TX_READ), 0);    /* does not wait for the writer */
    expect_is(co_db_exec(&writer, "UPDATE goods SET price = 1"), 3);
    expect_is(co_tx_commit(&writer), 0);
    expect_is(co_db_number(&tx, &n, "SELECT sum(price) FROM goods"), 1);
    expect_is(n, 700);
    expect_is(co_db_exec(&tx, "UPDATE goods SET price = 2"), -EPERM);
    expect_is(co_tx_commit(&tx), -CO_EFAILED);
    expect_is(co_tx_commit(&tx), -EBADF);
    expect_is(co_db_exec(&tx, "SELECT 1"), -EBADF);
    expect_is(co_db_number(&shared, &n, "SELECT sum(price) FROM goods"), 1);
    expect_is(n, 3);
    co_db_close(&shared);
    return 0;
}

static void who_only_reads_sees_one_state(void **state)
{
    (void)state;
    run_world(WORLD_OF(LITE, ""), reads_only, NULL);
}

static int commit_is_lost(void *job)
{
    int rc = 0;
    expect_is(co_db_open(&shared, URL, NULL), 0);
    CO_TRANSACTION(tx, &shared, &rc)
        rc = co_db_exec(tx, "UPDATE goods SET price = 1 WHERE id = 1");
    expect_is(rc, -ECONNRESET);
    expect_is(price(1), *(int *)job);
    co_db_close(&shared);
    return 0;
}

static void the_answer_to_a_commit_may_be_lost(void **state)
{
    (void)state;
    run_world(WORLD(",\"faults\":[{\"kind\":\"lost\",\"match\":\"COMMIT\"}]"), commit_is_lost, &(int){200});
    run_world(WORLD(",\"faults\":[{\"kind\":\"lost\",\"match\":\"COMMIT\",\"done\":true}]"), commit_is_lost, &(int){1});
}

static int is_refused_once(void *job)
{
    (void)job;
    int rc = 0, tries = 0;
    expect_is(co_db_open(&shared, URL, NULL), 0);
    do {
        tries++;
        CO_TRANSACTION(tx, &shared, &rc)
            rc = co_db_exec(tx, "UPDATE goods SET price = 1 WHERE id = 1");
    } while (rc == -CO_ESERIAL);
    expect_is(rc, 0);
    expect_is(tries, 3);
    expect_is(price(1), 1);
    co_db_close(&shared);
    return 0;
}

static void a_refused_transaction_is_begun_again(void **state)
{
    (void)state;
    run_world(WORLD(",\"faults\":[{\"kind\":\"serialization\",\"nth\":1,\"times\":1},"
                    "{\"kind\":\"serialization\",\"match\":\"COMMIT\",\"nth\":1}]"), is_refused_once, NULL);
}

/* ---- Cancelling -------------------------------------------------------------------------------------------- */

/* Everything that can wait, one after the other. */
static int busy_life(void *job)
{
    (void)job;
    CO_DB(db);
    int64_t n;
    struct co_statement statement;
    int rc = co_db_open(&db, URL, &(struct co_db_options){.size = 2, .batch = 1, .check_after = CO_MS(1)});
    if (rc >= 0)
        rc = co_db_prepare(&db, &statement, "SELECT price FROM goods WHERE id = $1");
    if (rc >= 0)
        rc = co_sleep(CO_MS(5));
    if (rc >= 0)
        rc = co_db_number(&db, &n, &statement, 1);
    CO_ROWS(rows);
    if (rc >= 0)
        rc = co_db_query(&db, &rows, "SELECT * FROM goods");
    while (rc >= 0 && (rc = co_rows_next(&rows)) > 0)
        ;
    if (rc < 0)
        return rc;
    CO_TRANSACTION(tx, &db, &rc) {
        rc = co_db_exec(tx, "UPDATE goods SET price = price + 1 WHERE id = 1");
        if (rc >= 0)
            rc = co_db_exec(tx, "UPDATE goods SET price = price - 1 WHERE id = 2");
    }
    return rc;
}

static int cancelled_at(void *job)
{
    int rc;
    CO_DB(db);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, busy_life, NULL);
    expect_is(co_sleep(*(int64_t *)job), 0);
    co_cancel(task);
    expect_is(co_await(task, &rc), 0);
    expect(rc == -ECANCELED || rc >= 0);
    expect_is(co_db_open(&db, URL, NULL), 0);
    int64_t sum, one;
    expect_is(co_db_number(&db, &sum, "SELECT sum(price) FROM goods"), 1);
    expect_is(sum, 700);                                    /* all of it, or nothing */
    expect_is(co_db_number(&db, &one, "SELECT price FROM goods WHERE id = 1"), 1);
    expect(rc != 0 || one == 201);
    expect_is(co_db_exec(&db, "UPDATE goods SET price = 1"), 3);    /* nobody has kept the lock */
    return 0;
}

static void a_cancel_at_each_wait_leaves_nothing_half_done(void **state)
{
    (void)state;
    for (int64_t at = 1; at < CO_MS(320); at += CO_MS(2.5)) {
        run_world(WORLD(""), cancelled_at, &at);
        assert_int_equal(board->failures, 0);
    }
}

static int times_out(void *job)
{
    (void)job;
    CO_DB(db);
    int64_t n;
    expect_is(co_db_open(&db, URL, &(struct co_db_options){.size = 1, .timeout = CO_MS(50)}), 0);
    expect_is(co_db_number(&db, &n, "SELECT 1 /* slow */"), -ETIMEDOUT);
    note("given up");
    expect_is(co_db_number(&db, &n, "SELECT 2"), 1);        /* once the server has heard of it */
    note("next");
    CO_CONN(conn);
    expect_is(co_conn_take(&conn, &db), 0);
    expect_is(co_db_number(&db, &n, "SELECT 3"), -ETIMEDOUT);
    note("nobody gave one back");
    return 0;
}

static void a_call_takes_no_longer_than_its_limit(void **state)
{
    (void)state;
    check_world_notes(WORLD(",\"faults\":[{\"kind\":\"slow\",\"match\":\"slow\",\"latency\":\"10s\"}]"), times_out,
                      "given up@70 next@96 nobody gave one back@146 ");
}

/* ---- Chance and time ------------------------------------------------------------------------------------------ */

static int draws(void *job)
{
    int64_t *n = job;
    CO_DB(db);
    expect_is(co_db_open(&db, LITE, NULL), 0);
    expect_is(co_sleep(CO_SEC(90061)), 0);
    expect_is(co_db_number(&db, n, "SELECT random()"), 1);
    CO_ROWS(rows);
    expect_is(co_db_query(&db, &rows, "SELECT datetime('now'), CURRENT_TIMESTAMP, hex(randomblob(9))"), 0);
    expect_is(co_rows_next(&rows), 1);
    expect_text(co_rows_text(&rows, 0), "2026-01-02 01:01:01");
    expect_text(co_rows_text(&rows, 1), "2026-01-02 01:01:01");
    expect_is(strlen(co_rows_text(&rows, 2)), 18);
    return 0;
}

static void now_and_random_are_the_worlds(void **state)
{
    (void)state;
    int64_t a, b, c;
    run_in(NULL, draws, &a, (struct co_options){.seed = 7}, "draws");
    run_in(NULL, draws, &b, (struct co_options){.seed = 7}, "draws");
    run_in(NULL, draws, &c, (struct co_options){.seed = 8}, "draws");
    assert_true(a == b && a != c);
}

/* ---- Leaks -------------------------------------------------------------------------------------------------- */

static int forgets(void *job)
{
    (void)job;
    static struct co_db db;
    static struct co_conn conn;
    static struct co_tx tx;
    static struct co_rows rows;
    MARK(0), expect_is(co_db_open(&db, URL, &(struct co_db_options){.batch = 1}), 0);
    MARK(1), expect_is(co_conn_take(&conn, &db), 0);
    MARK(2), expect_is(co_tx_begin(&tx, &db, CO_TX_WRITE), 0);
    MARK(3), expect_is(co_db_query(&db, &rows, "SELECT * FROM goods"), 0);
    return 0;
}

static void what_is_not_given_back_is_told_with_its_line(void **state)
{
    (void)state;
    static const char *const what[] = {"database", "connection", "transaction", "rows"};
    const struct child *child = forked_world(WORLD(""), forgets, NULL);
    for (int i = 0; i < 4; i++)
        assert_has(child->err, "leak: the %s of test_database.c:%d ", what[i], board->line[i]);
}

/* ---- The world file ----------------------------------------------------------------------------- */

static void expect_refusal(const char *members, const char *expected)
{
    char error[400], json[1000];
    snprintf(json, sizeof json, "{\"world\":\"looplab/world/v1\",\"databases\":[%s]}", members);
    struct co_world *world = world_virtual_open(json, 0, NULL, NULL, error, sizeof error);
    if (world)
        world->close(world);
    assert_null(world);
    assert_string_equal(error, expected);
}

static void a_wrong_database_is_refused(void **state)
{
    (void)state;
    expect_refusal("7", "the world: /databases/0: expected an object, not 7");
    expect_refusal("{}", "the world: /databases/0/url: missing, expected \"sqlite:NAME\" or "
                   "\"postgresql://USER@HOST/NAME\"");
    expect_refusal("{\"url\":\"mysql://x\"}", "the world: /databases/0/url: expected \"sqlite:NAME\" or "
                   "\"postgresql://USER@HOST/NAME\", not \"mysql://x\"");
    expect_refusal("{\"url\":\"sqlite:a\",\"rt\":\"1ms\"}",
                   "the world: /databases/0/rt: unknown key, did you mean \"rtt\"?");
    expect_refusal("{\"url\":\"sqlite:a\"},{\"url\":\"sqlite:a\"}",
                   "the world: /databases/1: expected a url of its own: number 0 has the same");
    expect_refusal("{\"url\":\"sqlite:a\",\"setup\":[\"CREATE TABLE t (x)\",\"INSERT INTO u VALUES (1)\"]}",
                   "the world: /databases/0/setup/1: no such table: u");
    expect_refusal("{\"url\":\"sqlite:a\",\"down\":[[\"2s\",\"1s\"]]}",
                   "the world: /databases/0/down/0: expected a time and a later one");
    expect_refusal("{\"url\":\"sqlite:a\",\"down\":[[\"1s\",\"3s\"],[\"2s\",\"4s\"]]}",
                   "the world: /databases/0/down/1: expected a time behind the one before");
    expect_refusal("{\"url\":\"sqlite:a\",\"down\":[\"1s\"]}",
                   "the world: /databases/0/down/0: expected two times, such as [\"10s\",\"70s\"], not \"1s\"");
    expect_refusal("{\"url\":\"sqlite:a\",\"faults\":[{\"nth\":1}]}",
                   "the world: /databases/0/faults/0/kind: missing, expected lost, slow or serialization");
    expect_refusal("{\"url\":\"sqlite:a\",\"faults\":[{\"kind\":\"slow\"}]}",
                   "the world: /databases/0/faults/0/latency: missing, expected a time above 0, such as \"1s\"");
    expect_refusal("{\"url\":\"sqlite:a\",\"faults\":[{\"kind\":\"slow\",\"latency\":\"1s\",\"done\":true}]}",
                   "the world: /databases/0/faults/0/done: expected it in a lost one only");
    expect_refusal("{\"url\":\"sqlite:a\",\"faults\":[{\"kind\":\"lost\",\"latency\":\"1s\"}]}",
                   "the world: /databases/0/faults/0/latency: expected it in a slow one only");
    expect_refusal("{\"url\":\"sqlite:a\",\"connections\":0}",
                   "the world: /databases/0/connections: expected a whole number from 1, not 0");
}

/* ---- The trace ---------------------------------------------------------------------------------- */

static int is_traced(void *job)
{
    int rc = 0;
    (void)job;
    CO_DB(db);
    if (co_db_open(&db, URL, NULL) < 0)
        return -1;
    CO_TRANSACTION(tx, &db, &rc)
        rc = co_db_exec(tx, "INSERT INTO goods VALUES (4, $1, 1)", "m\xc3\xbcll");
    expect_is(co_db_exec(&db, "DELETE FROM nowhere"), -CO_ESQL);
    return rc;
}

static void what_happens_is_in_the_trace(void **state)
{
    (void)state;
    char *trace = only(traced_world(WORLD(""), is_traced, NULL), "world"), *again;
    assert_string_equal(trace,
        "{\"t\":0,\"ev\":\"db.start\",\"op\":1,\"task\":1,\"call\":\"connect\",\"url\":\"postgresql://db.test/shop\"}\n"
        "{\"t\":20000000,\"ev\":\"db.end\",\"op\":1,\"rc\":0}\n"
        "{\"t\":20000000,\"ev\":\"db.start\",\"op\":2,\"task\":1,\"call\":\"begin\",\"db\":1}\n"
        "{\"t\":30000000,\"ev\":\"db.end\",\"op\":2,\"rc\":0}\n"
        "{\"t\":30000000,\"ev\":\"db.start\",\"op\":3,\"task\":1,\"call\":\"query\",\"db\":1,"
        "\"sql\":\"INSERT INTO goods VALUES (4, $1, 1)\"}\n"
        "{\"t\":46000000,\"ev\":\"db.end\",\"op\":3,\"rc\":1}\n"
        "{\"t\":46000000,\"ev\":\"db.start\",\"op\":4,\"task\":1,\"call\":\"commit\",\"db\":1}\n"
        "{\"t\":56000000,\"ev\":\"db.end\",\"op\":4,\"rc\":0}\n"
        "{\"t\":56000000,\"ev\":\"db.start\",\"op\":5,\"task\":1,\"call\":\"query\",\"db\":1,"
        "\"sql\":\"DELETE FROM nowhere\"}\n"
        "{\"t\":71000000,\"ev\":\"db.end\",\"op\":5,\"rc\":-74,\"says\":\"no such table: nowhere\"}\n"
        "{\"t\":71000000,\"ev\":\"db.closed\",\"db\":1}\n"
        "{\"t\":71000000,\"ev\":\"db.left\",\"url\":\"postgresql://db.test/shop\",\"table\":\"goods\",\"rows\":"
        "[[1,\"ink\",200],[2,\"pen\",100],[3,\"cup\",400],[4,\"m\\u00FCll\",1]]}\n");
    again = only(traced_world(WORLD(""), is_traced, NULL), "world");
    assert_string_equal(trace, again);
    free(trace);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_takes_a_round_trip_its_work_and_its_rows),
        cmocka_unit_test(values_go_there_and_come_back),
        cmocka_unit_test(each_mistake_has_its_error),
        cmocka_unit_test(rows_come_in_batches),
        cmocka_unit_test(a_prepared_statement_is_taken_apart_once),
        cmocka_unit_test(who_comes_third_waits_for_a_connection),
        cmocka_unit_test(a_connection_that_broke_at_rest_is_replaced),
        cmocka_unit_test(a_database_takes_so_many_connections),
        cmocka_unit_test(a_database_that_is_down_loses_all_and_forgets_nothing),
        cmocka_unit_test(a_connection_is_lost_at_the_nth_query),
        cmocka_unit_test(a_transaction_left_early_is_rolled_back),
        cmocka_unit_test(a_second_writer_waits_with_sqlite),
        cmocka_unit_test(and_is_refused_when_it_comes_too_late_with_postgresql),
        cmocka_unit_test(who_only_reads_sees_one_state),
        cmocka_unit_test(the_answer_to_a_commit_may_be_lost),
        cmocka_unit_test(a_refused_transaction_is_begun_again),
        cmocka_unit_test(a_cancel_at_each_wait_leaves_nothing_half_done),
        cmocka_unit_test(a_call_takes_no_longer_than_its_limit),
        cmocka_unit_test(now_and_random_are_the_worlds),
        cmocka_unit_test(what_is_not_given_back_is_told_with_its_line),
        cmocka_unit_test(a_wrong_database_is_refused),
        cmocka_unit_test(what_happens_is_in_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
