/* So many connections at a time, and no descriptor for one more. */
#include "world_rig.h"

#define TWO WORLD("'descriptors':2,'sites':[{'url':'http://a.test','rtt':'20ms','routes':[{'path':'/'}," \
                  "{'path':'/hang','fault':{'kind':'hang'}}]}," \
                  "{'url':'http://b.test','rtt':'20ms','fault':{'kind':'refused'}}]")

static void test_one_more_fails_at_once_and_the_others_do_not_mind(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    for (int i = 0; i < 3; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "0ms #3 end EMFILE\n40ms #1 200 end\n40ms #2 200 end\n");
    for (int i = 0; i < 2; i++)
        rig_get(rig, "http://a.test/");
    rig_expect(rig, "80ms #4 200 end\n80ms #5 200 end\n");
    rig_close(rig);
}

/* A connection that lies idle has one, as has one that is tried; who is cancelled or refused gives it back. */
static void test_who_has_one(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    rig_get_in(rig, "http://a.test/", 1);
    rig_expect(rig, "40ms #1 200 end\n");
    uint64_t hangs = rig_get(rig, "http://a.test/hang");
    rig_get(rig, "http://a.test/");
    rig_get_in(rig, "http://a.test/", 1);           /* over the idle one */
    rig_expect_until(rig, MS(100), "40ms #3 end EMFILE\n60ms #4 200 end\n");
    rig->world->cancel(rig->world, hangs);
    rig_get(rig, "http://b.test/");
    rig_get(rig, "http://b.test/");
    rig_expect(rig, "100ms #2 end ECANCELED\n100ms #6 end EMFILE\n120ms #5 end ECONNREFUSED\n");
    struct world_request close = {.op = WORLD_SESSION_CLOSE, .session = 1};
    rig->world->submit(rig->world, &close);
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect(rig, "160ms #8 200 end\n160ms #9 200 end\n");
    rig_close(rig);
}

static uint64_t ask_disk(struct rig *rig, enum world_file_call call, const char *path, uint64_t file)
{
    const struct world_request request = {.op = WORLD_FILE, .call = call, .mode = WORLD_FILE_TO_APPEND, .file = file,
                                          .data = path, .size = strlen(path), .lengths = {(uint32_t)strlen(path)}};
    return rig->world->submit(rig->world, &request);
}

/* An open file has one as well, until it is closed; a file that is loaded or saved needs one for a moment. */
static void test_files_have_theirs(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    uint64_t file = ask_disk(rig, WORLD_FILE_OPEN, "a", 0);
    rig_expect(rig, "0ms #1 end\n");
    rig_get(rig, "http://a.test/");
    rig_get(rig, "http://a.test/");
    rig_expect_until(rig, MS(1), "0ms #3 end EMFILE\n");
    ask_disk(rig, WORLD_FILE_OPEN, "b", 0);
    ask_disk(rig, WORLD_FILE_LOAD, "a", 0);
    ask_disk(rig, WORLD_FILE_SAVE, "b", 0);
    ask_disk(rig, WORLD_FILE_LIST, "", 0);
    ask_disk(rig, WORLD_FILE_REMOVE, "a", 0);
    rig_expect_until(rig, MS(1), "1ms #4 end EMFILE\n1ms #5 end EMFILE\n1ms #6 end EMFILE\n1ms #7 end EMFILE\n"
                                 "1ms #8 end\n");
    ask_disk(rig, WORLD_FILE_CLOSE, "", file);
    ask_disk(rig, WORLD_FILE_SAVE, "b", 0);
    rig_expect(rig, "1ms #10 end\n40ms #2 200 end\n");
    rig_close(rig);
}

/* For a real world, whose connections this one does not see. */
static void test_connections_elsewhere(void **state)
{
    (void)state;
    struct rig *rig = rig_open(TWO);
    assert_true(world_virtual_socket(rig->world, true));
    assert_true(world_virtual_socket(rig->world, true));
    assert_false(world_virtual_socket(rig->world, true));
    ask_disk(rig, WORLD_FILE_SAVE, "b", 0);
    rig_expect(rig, "0ms #1 end EMFILE\n");
    world_virtual_socket(rig->world, false);
    ask_disk(rig, WORLD_FILE_SAVE, "b", 0);
    rig_expect(rig, "0ms #2 end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_more_fails_at_once_and_the_others_do_not_mind),
        cmocka_unit_test(test_who_has_one),
        cmocka_unit_test(test_files_have_theirs),
        cmocka_unit_test(test_connections_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
