/* test_sqlite.c - SQLite as it is loaded: what a machine without one says, and that we declare it as it is. */
#include "check.h"

#include "co_db.h"
#include "world/world.h"

#include "sql/sqlite.h"

/* This machine has no SQLite. */
void *dlopen(const char *name, int how)
{
    (void)name, (void)how;
    return NULL;
}

static int opens(void *job)
{
    (void)job;
    CO_DB(db);
    expect_is(co_db_open(&db, "sqlite:b", NULL), -ENOSYS);
    expect(strstr(co_db_message(), "install libsqlite3-0") != NULL);
    expect_text(co_strerror(-ENOSYS), strerror(ENOSYS));
    return 0;
}

static void a_program_says_what_to_install(void **state)
{
    (void)state;
    run(opens, NULL);
}

static void and_so_does_a_world_file(void **state)
{
    (void)state;
    char error[400];
    assert_null(world_virtual_open("{\"world\":\"looplab/world/v1\",\"databases\":[{\"url\":\"sqlite:a\"}]}", 0, NULL,
                                   NULL, error, sizeof error));
    assert_has(error, "the world: /databases/0: co_db needs SQLite, which is not on this machine: install ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_says_what_to_install),
        cmocka_unit_test(and_so_does_a_world_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
