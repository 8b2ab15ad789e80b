/* test_database.c - databases in the real world: SQLite in files, by threads; and servers that are not there. What a
 * PostgreSQL of its own says is tried by grader/tests/test_real_database.py. */
#define _GNU_SOURCE
#include "../check.h"

#include "co_db.h"

static int run_really(co_fn fn, void *job)
{
    const struct co_options options = {.world_file = "real"};
    board_clear();
    int rc = co_run(fn, job, &options);
    assert_int_equal(board->failures, 0);
    return rc;
}

static char folder[] = "/tmp/co-real-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/co-real-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static struct co_db db;
#define FILE_URL "sqlite:shop.db"

static int64_t number(const char *sql)
{
    int64_t n = -1;
    expect_is(co_db_number(&db, &n, sql), 1);
    return n;
}

static int opens(void)
{
    int rc = co_db_open(&db, FILE_URL, &(struct co_db_options){.size = 3, .batch = 2});
    expect_is(rc, 0);
    expect_is(co_db_exec(&db, "CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"), 0);
    expect_is(co_db_exec(&db, "DELETE FROM a") < 0, 0);
    expect_is(co_db_exec(&db, "INSERT INTO a VALUES (1, $1), (2, $1), (3, $2)", 50, 7), 3);
    return rc;
}

/* ---- Rows, errors, transactions ----------------------------------------------------------------------------- */

static int reads(void *job)
{
    (void)job;
    int rc, sum = 0;
    struct co_statement one;
    opens();
    CO_ROWS(rows);
    CO_CONN(conn);
    expect_is(co_conn_take(&conn, &db), 0);
    for (int round = 0; round < 2; round++) {
        expect_is(co_db_query(&conn, &rows, "SELECT id, n FROM a ORDER BY id"), 0);
        while ((rc = co_rows_next(&rows)) > 0)
            sum += (int)co_rows_int(&rows, 1);
        expect_is(rc, 0);
        co_rows_close(&rows);
        expect_is(co_db_query(&conn, &rows, "SELECT id FROM a"), 0);
        expect_is(co_rows_next(&rows), 1);
        co_rows_close(&rows);               /* with one of them not read */
    }
    expect_is(sum, 214);
    expect_is(co_db_prepare(&db, &one, "SELECT n FROM a WHERE id = $1"), 0);
    for (int id = 1; id <= 3; id++) {
        int64_t n;
        expect_is(co_db_number(&conn, &n, &one, id), 1);
        expect_is(n, id == 3 ? 7 : 50);
    }
    expect_is(co_db_exec(&db, "INSERT INTO a VALUES (1, 1)"), -CO_ECONSTRAINT);
    expect_text(co_db_message(), "UNIQUE constraint failed: a.id");
    expect_is(co_db_exec(&db, "INSERT INTO b VALUES (1, 1)"), -CO_ESQL);
    expect_is(co_db_exec(&db, "SELECT $1"), -CO_ESQL);
    co_db_close(&db);
    return 0;
}

static void rows_come_out_of_a_file(void **state)
{
    (void)state;
    assert_int_equal(run_really(reads, NULL), 0);
}

static int adds(void *job)
{
    int rc = 0;
    int64_t n;
    (void)job;
    for (int i = 0; i < 5 && rc >= 0; i++) {
        CO_TRANSACTION(tx, &db, &rc) {
            rc = co_db_number(tx, &n, "SELECT n FROM a WHERE id = 1");
            if (rc > 0)
                rc = co_yield();
            if (rc >= 0)
                rc = co_db_exec(tx, "UPDATE a SET n = $1 WHERE id = 1", n + 1);
        }
    }
    return rc;
}

static int many_add(void *job)
{
    char unused[8];
    (void)job;
    opens();
    expect_is(co_gather(adds, unused, 8, 1, NULL), 0);
    expect_is(number("SELECT n FROM a WHERE id = 1"), 90);
    co_db_close(&db);
    return 0;
}

static void no_change_is_lost_between_writers(void **state)
{
    (void)state;
    assert_int_equal(run_really(many_add, NULL), 0);
}

static int leaves_early(void *job)
{
    int rc = 0;
    (void)job;
    opens();
    CO_TRANSACTION(tx, &db, &rc) {
        expect_is(co_db_exec(tx, "UPDATE a SET n = 0"), 3);
        expect_is(number("SELECT sum(n) FROM a"), 107);
        break;
    }
    expect_is(number("SELECT sum(n) FROM a"), 107);
    CO_TRANSACTION(tx, &db, &rc) {
        expect_is(co_db_exec(tx, "UPDATE a SET n = 1"), 3);
        rc = co_db_exec(tx, "INSERT INTO a VALUES (1, 1)");
        expect_is(co_db_exec(tx, "UPDATE a SET n = 2"), -CO_EFAILED);
        rc = 0;
    }
    expect_is(rc, -CO_EFAILED);
    expect_is(number("SELECT sum(n) FROM a"), 107);
    CO_TX(reader);
    expect_is(co_tx_begin(&reader, &db, CO_TX_READ), 0);
    expect_is(co_db_exec(&db, "UPDATE a SET n = 1 WHERE id = 3"), 1);
    int64_t n;
    expect_is(co_db_number(&reader, &n, "SELECT sum(n) FROM a"), 1);
    expect_is(n, 107);
    expect_is(co_db_exec(&reader, "UPDATE a SET n = 2"), -EPERM);
    co_tx_rollback(&reader);
    expect_is(number("SELECT sum(n) FROM a"), 101);
    co_db_close(&db);
    return 0;
}

static void a_transaction_is_done_or_it_is_not(void **state)
{
    (void)state;
    assert_int_equal(run_really(leaves_early, NULL), 0);
}

/* ---- Cancelling ---------------------------------------------------------------------------------------------- */


static int asks_endlessly(void *job)
{
    int64_t n;
    int rc = 0;
    (void)job;
    CO_TRANSACTION(tx, &db, &rc) {
        rc = co_db_exec(tx, "UPDATE a SET n = 9");
        if (rc >= 0)
            rc = co_db_number(tx, &n, "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
                              "SELECT count(*) FROM r");
    }
    return rc;
}

static int gives_up(void *job)
{
    (void)job;
    opens();
    expect_is(co_wait_for(asks_endlessly, NULL, CO_MS(50)), -ETIMEDOUT);
    expect_is(number("SELECT sum(n) FROM a"), 107);
    expect_is(co_db_exec(&db, "UPDATE a SET n = 1"), 3);
    CO_TX(holds);
    expect_is(co_tx_begin(&holds, &db, CO_TX_WRITE), 0);
    expect_is(co_wait_for(asks_endlessly, NULL, CO_MS(30)), -ETIMEDOUT);    /* while it waits for its turn */
    expect_is(co_tx_commit(&holds), 0);
    expect_is(co_db_exec(&db, "UPDATE a SET n = 2"), 3);
    co_db_close(&db);
    return 0;
}

static void a_statement_that_is_given_up_ends(void **state)
{
    (void)state;
    assert_int_equal(run_really(gives_up, NULL), 0);
}

static int two_ask(void *job)
{
    char unused[2];
    return co_gather(asks_endlessly, job ? job : unused, 2, 1, NULL);
}

/* The run ends while the threads are still at it. */
static int ends_at_once(void *job)
{
    opens();
    expect_is(co_wait_for(two_ask, job, CO_MS(20)), -ETIMEDOUT);
    co_db_close(&db);
    return 0;
}

static void a_run_may_end_amid_it(void **state)
{
    (void)state;
    assert_int_equal(run_really(ends_at_once, NULL), 0);
}

/* ---- What is not there ------------------------------------------------------------------------------------------ */

static int nobody_there(void *job)
{
    (void)job;
    expect_is(co_db_open(&db, "sqlite:no/such/folder.db", NULL), -ENOENT);
    int rc = co_db_open(&db, "postgresql://me@127.0.0.1:1/x", &(struct co_db_options){.timeout = CO_SEC(5)});
    expect(rc == -ECONNREFUSED || rc == -ENOSYS);
    rc = co_db_open(&db, "postgresql://me@/x?host=/no/such/folder", NULL);
    expect(rc == -ECONNREFUSED || rc == -ENOSYS);
    expect(co_db_message()[0] != '\0');
    return 0;
}

static void what_is_not_there_is_said_so(void **state)
{
    (void)state;
    assert_int_equal(run_really(nobody_there, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_out_of_a_file, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(no_change_is_lost_between_writers, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_transaction_is_done_or_it_is_not, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_statement_that_is_given_up_ends, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_run_may_end_amid_it, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said_so, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests_name("real database", tests, NULL, NULL);
}
