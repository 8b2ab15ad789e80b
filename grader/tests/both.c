/* both.c - statements that must mean the same everywhere: `both URL` prints what each of them gives. */
#include "co.h"
#include "co_db.h"

#include <stdio.h>
#include <string.h>

static const char *const said[] = {
    "CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, money INTEGER CHECK (money >= 0))",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id), note TEXT, at TEXT)",
    "INSERT INTO account VALUES (1, 'Ada', 100), (2, 'Bert', 50), (3, 'Cleo', NULL)",
    "INSERT INTO account VALUES (4, 'Ada', 1)",
    "INSERT INTO account VALUES (4, 'Dora', -1)",
    "INSERT INTO account VALUES (4, NULL, 1)",
    "INSERT INTO entry VALUES (1, 9, 'nobody', '2026-11-28')",
    "SELECT count(*) FROM account",
    "INSERT INTO entry VALUES (1, 1, 'a', '2026-11-28'), (2, 1, NULL, '2026-11-27'), (3, 2, 'c', '2026-11-26')",
    "SELECT a.owner, count(e.id), sum(a.money) FROM account a LEFT JOIN entry e ON e.account = a.id "
        "GROUP BY a.owner ORDER BY a.owner",
    "SELECT id, money FROM account ORDER BY money NULLS LAST, id",
    "SELECT COALESCE(note, 'none') FROM entry ORDER BY at",
    "SELECT 7/2, -7%3, 'a' || 'b', CAST(7 AS REAL)/2, upper('x'), length('abc'), 1 <> 2",
    "SELECT id FROM account WHERE owner IN ('Ada', 'Cleo') AND money IS NULL",
    "SELECT owner FROM account WHERE owner LIKE 'a%'",
    "UPDATE account SET money = money + 1 WHERE id < 3",
    "UPDATE account SET money = money - 1000 WHERE id = 1",
    "INSERT INTO account VALUES (1, 'Ada', 5) ON CONFLICT (id) DO UPDATE SET money = account.money + 5",
    "INSERT INTO account VALUES (1, 'Ada', 5) ON CONFLICT DO NOTHING",
    "INSERT INTO account VALUES (4, 'Dora', 1) RETURNING id, money",
    "DELETE FROM account WHERE id = 1",
    "DELETE FROM account WHERE id = 4",
    "SELECT id, owner, money FROM account ORDER BY id LIMIT 2 OFFSET 1",
    "SELECT sum(money) FROM account WHERE id > 100",
    "SELECT nothing FROM account",
    "SELECT * FROM nowhere",
    "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 250) SELECT x FROM r ORDER BY x DESC",
};

static const char *rc_name(int rc)
{
    static char text[96];
    snprintf(text, sizeof text, "%s", rc < 0 ? co_strerror(rc) : "ok");
    return text;
}

static int show(struct co_db *db, const char *sql)
{
    CO_ROWS(rows);
    int rc = co_db_query(db, &rows, sql), n = 0;
    printf("%.60s: %s", sql, rc_name(rc < 0 ? rc : 0));
    if (rc > 0)
        printf(", %d", rc);
    while (rc >= 0 && (rc = co_rows_next(&rows)) > 0 && ++n)
        for (int i = 0; i < rows.columns; i++)
            printf("%s%s", i ? "|" : "\n    ", co_rows_is_null(&rows, i) ? "NULL" : co_rows_text(&rows, i));
    printf("\n");
    return rc < 0 ? rc : n;
}

static int with_values(struct co_db *db)
{
    CO_ROWS(rows);
    size_t size;
    struct co_statement owner;
    int rc = co_db_prepare(db, &owner, "SELECT owner FROM account WHERE id = $2 AND id > $1");
    for (int id = 2; rc >= 0 && id <= 3; id++) {
        rc = co_db_query(db, &rows, &owner, 1, id);
        while (rc >= 0 && (rc = co_rows_next(&rows)) > 0)
            printf("%d is %s\n", id, co_rows_text(&rows, 0));
        co_rows_close(&rows);
    }
    rc = co_db_exec(db, "UPDATE account SET owner = $1, money = $2 WHERE id = $3", "O'Hara; --", NULL, 2);
    printf("%d\n", rc);
    rc = co_db_exec(db, "SELECT owner FROM account WHERE id = $1");
    printf("%s\n", rc < 0 ? "a value is missing" : "?");
    rc = co_db_query(db, &rows, "SELECT CAST($1 AS REAL), CAST($2 AS TEXT), CAST($3 AS integer)", 0.25,
                     "caf\xc3\xa9", 7);
    while (rc >= 0 && (rc = co_rows_next(&rows)) > 0) {
        const char *word = co_rows_blob(&rows, 1, &size);
        printf("%g %s %lld %zu\n", co_rows_real(&rows, 0), word, (long long)co_rows_int(&rows, 2), size);
    }
    return rc;
}

static int move(struct co_db *db, int from, int to, int money, int how)
{
    int rc = 0;
    CO_TRANSACTION(tx, db, &rc) {
        rc = co_db_exec(tx, "UPDATE account SET money = money - $1 WHERE id = $2", money, from);
        if (rc >= 0)
            rc = co_db_exec(tx, "UPDATE account SET money = money + $1 WHERE id = $2", money, to);
        if (how == 1)
            break;
        if (how == 2)
            rc = 0;
    }
    return rc;
}

static int slowly(void *job)
{
    struct co_db *db = job;
    int64_t n;
    return co_db_number(db, &n, "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 40000000) "
                        "SELECT count(*) FROM r");
}

static int all(void *job)
{
    CO_DB(db);
    int rc = co_db_open(&db, job, &(struct co_db_options){.size = 3, .batch = 100});
    if (rc < 0)
        return printf("%s: %s\n", co_strerror(rc), co_db_message()), rc;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        show(&db, said[i]);
    rc = with_values(&db);
    show(&db, "UPDATE account SET money = 100");
    rc = move(&db, 2, 3, 60, 0);
    printf("moved: %s\n", rc_name(rc));
    rc = move(&db, 2, 3, 60, 0);
    printf("too much: %s\n", rc_name(rc));
    rc = move(&db, 2, 3, 60, 2);
    printf("an error forgotten: %s\n", rc_name(rc));
    rc = move(&db, 3, 2, 10, 1);
    printf("left early: %s\n", rc_name(rc));
    show(&db, "SELECT id, money FROM account ORDER BY id");
    if (strncmp(job, "sqlite::", 8) != 0) {
        rc = co_wait_for(slowly, &db, CO_MS(100));
        printf("slow: %s\n", rc_name(rc));
    }
    CO_TX(tx);
    rc = co_tx_begin(&tx, &db, CO_TX_READ);
    rc = co_db_exec(&tx, "UPDATE account SET money = 0");
    printf("only reads: %s\n", rc_name(rc));
    co_tx_rollback(&tx);
    show(&db, "SELECT count(*) FROM account");
    return 0;
}

int main(int argc, char **argv)
{
    const struct co_options options = {.world_file = argc > 2 ? argv[2] : NULL};
    return argc < 2 || co_run(all, argv[1], &options) < 0;
}
