/* test_judge.c - whatever a program sends, the judge comes to an end, and its record is whole. */
#include "script.h"

#define WORLD_TEXT "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"2ms\"," \
    "\"routes\":[{\"path\":\"/\",\"latency\":\"5ms\",\"body\":\"hello\"}]}]}"

/* The last line of the record tells why the program is served no longer. */
static void expect_leave(const char *record, const char *why, const char *told)
{
    char expected[256];
    const char *line = strstr(record, "\"ev\":\"leave\"");
    int length = snprintf(expected, sizeof expected, "\"ev\":\"leave\",\"program\":1,\"why\":\"%s\"", why);
    if (told)
        snprintf(expected + length, sizeof expected - (size_t)length, ",\"told\":\"%s\"", told);
    if (!line || strncmp(line, expected, strlen(expected)) != 0)
        fail_msg("%s\nhas no line with %s", record, expected);
    assert_null(strstr(line + 1, "\"ev\":\"leave\""));
    assert_int_equal(record[strlen(record) - 1], '\n');
}

static struct script *begin(void)
{
    static struct script script;
    script_begin(&script, WORLD_TEXT);
    return &script;
}

static void end(struct script *script, const char *why, const char *told)
{
    expect_leave(script_end(script), why, told);
}

/* ---- The shape of a message ------------------------------------------------------------------------ */

static void who_hangs_up_is_gone(void **state)
{
    (void)state;
    end(begin(), "gone", NULL);
    struct script *script = begin();
    script_hello(script);
    end(script, "gone", NULL);
}

static void who_finishes_has_ended(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_finish(script);
    end(script, "ended", NULL);
}

static void a_message_is_as_long_as_it_says(void **state)
{
    (void)state;
    static char bytes[2 * WIRE_PACKET];
    struct script *script = begin();
    script_bytes(script, "abc", 3);
    end(script, "wrong", "a message is shorter than messages are");

    script = begin();
    script_say(script, WIRE_HELLO, bytes, WIRE_PACKET + 1);
    end(script, "wrong", "a message is longer than messages are");

    script = begin();
    struct wire_hello hello = {{WIRE_HELLO, sizeof hello + 1}, WIRE_VERSION};
    script_bytes(script, &hello, sizeof hello);
    end(script, "wrong", "a message is not as long as it says");

    script = begin();
    script_say(script, WIRE_HELLO, &hello, sizeof hello - 1);
    end(script, "wrong", "a message is not as long as its kind is");
}

static void each_kind_has_its_length(void **state)
{
    (void)state;
    for (uint32_t kind = WIRE_SUBMIT; kind <= WIRE_RETURNED; kind++) {
        char bytes[256] = {0};
        struct script *script = begin();
        script_hello(script);
        script_say(script, kind, bytes, kind == WIRE_DATA ? 8 : 12);
        end(script, "wrong", kind == WIRE_DATA ? "a message comes when it is not its turn"
            : "a message is not as long as its kind is");
    }
}

static void there_are_no_other_kinds(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {0, WIRE_RETURNED + 1, WIRE_LIST, WIRE_CALL, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char bytes[16] = {0};
        struct script *script = begin();
        script_hello(script);
        script_say(script, kinds[i], bytes, sizeof bytes);
        end(script, "wrong", "there is no such kind of message");
    }
}

static void it_speaks_this_version(void **state)
{
    (void)state;
    struct script *script = begin();
    struct wire_hello hello = {.version = WIRE_VERSION + 1};
    script_say(script, WIRE_HELLO, &hello, sizeof hello);
    end(script, "wrong", "it speaks another version of the wire");
}

/* ---- Order -------------------------------------------------------------------------------------------- */

static const char not_its_turn[] = "a message comes when it is not its turn";

static void nothing_comes_before_hello(void **state)
{
    (void)state;
    struct script *script = begin();
    script_wait(script, 0);
    end(script, "wrong", not_its_turn);
    script = begin();
    script_finish(script);
    end(script, "wrong", not_its_turn);
}

static void hello_is_said_once(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_hello(script);
    end(script, "wrong", not_its_turn);
}

static void urls_are_asked_for_once_and_before(void **state)
{
    (void)state;
    struct wire_head urls;
    struct script *script = begin();
    script_say(script, WIRE_URLS, &urls, sizeof urls);
    script_say(script, WIRE_URLS, &urls, sizeof urls);
    end(script, "wrong", "it asks for the URLs a second time");
    script = begin();
    script_hello(script);
    script_say(script, WIRE_URLS, &urls, sizeof urls);
    end(script, "wrong", not_its_turn);
}

static void nothing_follows_the_end(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_finish(script);
    script_wait(script, 0);
    end(script, "wrong", not_its_turn);
}

/* ---- Requests ------------------------------------------------------------------------------------------- */

static void refused(struct wire_submit submit, const char *data, const char *told)
{
    struct script *script = begin();
    script_hello(script);
    script_submit(script, submit, data);
    end(script, "wrong", told);
}

static void a_request_is_one_of_world_h(void **state)
{
    (void)state;
    refused((struct wire_submit){.op = 0}, "", "there is no such request");
    refused((struct wire_submit){.op = WORLD_HTTP_READ + 1}, "", "there is no such request");
    refused((struct wire_submit){.op = WORLD_HTTP, .sending = 3}, "", "there is no such way to send a request");
}

static void its_parts_fit_its_data(void **state)
{
    (void)state;
    static const char told[] = "the lengths of a request's parts do not fit its data";
    refused((struct wire_submit){.op = WORLD_HTTP, .lengths = {3, 14}}, "GET", told);
    refused((struct wire_submit){.op = WORLD_HTTP, .lengths = {3}}, "GET more", told);
    refused((struct wire_submit){.op = WORLD_HTTP, .lengths = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}}, "GET",
            told);
    refused((struct wire_submit){.op = WORLD_REPORT, .lengths = {UINT32_MAX, 1}}, "a1", told);
    refused((struct wire_submit){.op = WORLD_FILE, .call = WORLD_FILE_SAVE, .lengths = {4, 1}}, "path", told);
    refused((struct wire_submit){.op = WORLD_FINISH}, "more", told);
}

/* A SUBMIT that says `size`, with `here` bytes of data in its packet. */
static void begin_large(struct script *script, uint64_t size, size_t here)
{
    static char packet[WIRE_PACKET];
    struct wire_submit submit = {.op = WORLD_FILE, .call = WORLD_FILE_SAVE, .lengths = {1}, .size = size};
    memset(packet, 'x', sizeof packet);
    memcpy(packet, &submit, sizeof submit);
    script_hello(script);
    script_say(script, WIRE_SUBMIT, packet, sizeof submit + here);
}

static void data(struct script *script, size_t size)
{
    static char packet[WIRE_PACKET];
    script_say(script, WIRE_DATA, packet, sizeof(struct wire_head) + size);
}

static void a_large_request_comes_in_full_packets(void **state)
{
    (void)state;
    const size_t first = WIRE_PACKET - sizeof(struct wire_submit), full = WIRE_PACKET - sizeof(struct wire_head);
    static const char told[] = "the rest of a request is not what it should be";
    struct script *script = begin();
    begin_large(script, first + full + 5, first);
    data(script, full);
    data(script, 5);
    script_wait(script, INT64_MAX);
    script_finish(script);
    const char *record = script_end(script);
    expect_leave(record, "ended", NULL);
    assert_non_null(strstr(record, "\"ev\":\"file.left\",\"path\":\"x\""));

    script = begin();
    begin_large(script, first + 5, first - 1);
    end(script, "wrong", "a request is not as long as it says");
    script = begin();
    begin_large(script, 1, 2);
    end(script, "wrong", "a request is not as long as it says");
    script = begin();
    begin_large(script, first + 5, first);
    data(script, 6);
    end(script, "wrong", told);
    script = begin();
    begin_large(script, first + 5, first);
    script_wait(script, 0);
    end(script, "wrong", told);
    script = begin();
    begin_large(script, first + 5, first);
    end(script, "gone", NULL);
}

static void what_it_sends_is_bounded(void **state)
{
    (void)state;
    const size_t first = WIRE_PACKET - sizeof(struct wire_submit);
    struct script *script = begin();
    begin_large(script, UINT64_MAX, first);
    end(script, "limit", "it sent more bytes than a run may");
    script = begin();
    begin_large(script, (uint64_t)MOST_BYTES + 1, first);
    end(script, "limit", "it sent more bytes than a run may");
}

static void report(const char *json, const char *why)
{
    struct script *script = begin();
    script_hello(script);
    char text[1024];
    snprintf(text, sizeof text, "name%s", json);
    script_submit(script, (struct wire_submit){.op = WORLD_REPORT, .lengths = {4, (uint32_t)strlen(json)}}, text);
    script_finish(script);
    end(script, why, strcmp(why, "wrong") == 0 ? "a report is no JSON" : NULL);
}

/* Else a report could write lines of its own into the record. */
static void a_report_is_json_in_one_line(void **state)
{
    (void)state;
    report("{\"a\":[1,\"]\\\"\",null]}", "ended");
    report("3", "ended");
    static const char *const wrong[] = {
        "", "1}\n{\"t\":0", "1 2", "{\"a\":1", "\"\n\"", "1\n", "nonsense", "\"\xff\"", "[1]]", "\"\\ud800\"",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        report(wrong[i], "wrong");
    char deep[2 * MOST_DEPTH + 3];
    memset(deep, '[', MOST_DEPTH);
    memset(deep + MOST_DEPTH, ']', MOST_DEPTH);
    deep[2 * MOST_DEPTH] = '\0';
    report(deep, "ended");
    memset(deep, '[', MOST_DEPTH + 1);
    memset(deep + MOST_DEPTH + 1, ']', MOST_DEPTH + 1);
    deep[2 * MOST_DEPTH + 2] = '\0';
    report(deep, "wrong");
}

/* Names of its own, whatever is in them, are escaped. */
static void a_reports_name_is_escaped(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_submit(script, (struct wire_submit){.op = WORLD_REPORT, .lengths = {2, 1}}, "\"\n1");
    script_finish(script);
    const char *record = script_end(script);
    expect_leave(record, "ended", NULL);
    assert_non_null(strstr(record, "\"name\":\"\\\"\\n\",\"value\":1}"));
}

static void nobody_has_a_million_workers(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_submit(script, (struct wire_submit){.op = WORLD_JOB, .pool = 1, .workers = UINT32_MAX}, "");
    script_finish(script);
    const char *record = script_end(script);
    expect_leave(record, "ended", NULL);
    assert_null(strstr(record, "cpu.submit"));
}

/* ---- Time, jobs, the tape ------------------------------------------------------------------------------------ */

static void a_wait_takes_what_comes_at_once(void **state)
{
    (void)state;
    struct script *script = begin();
    struct wire_wait wait = {.until = 0, .max = 65};
    script_hello(script);
    script_say(script, WIRE_WAIT, &wait, sizeof wait);
    end(script, "wrong", "it waits for more completions than come at once");
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    for (int64_t ns = -1; ns <= 0; ns++) {
        struct script *script = begin();
        struct wire_block block = {.ns = ns};
        script_hello(script);
        script_wait(script, 1000);
        script_say(script, WIRE_BLOCK, &block, sizeof block);
        end(script, "wrong", "it computes for less than no time");
    }
    struct script *script = begin();
    script_hello(script);
    script_wait(script, 1000);
    script_wait(script, INT64_MIN);
    script_finish(script);
    const char *record = script_end(script);
    assert_non_null(strstr(record, "{\"t\":1000,\"from\":\"judge\",\"ev\":\"leave\",\"program\":1,\"why\":\"ended\""));
}

/* Said to be done: a job that takes so many ns and returns 3, after what `within` says while it runs. */
static void job(struct script *script, int64_t ns, void (*within)(struct script *))
{
    struct wire_returned returned = {.rc = 3, .ns = ns};
    script_hello(script);
    script_submit(script, (struct wire_submit){.op = WORLD_JOB, .fn = 1, .job = 2}, "");
    script_wait(script, INT64_MAX);
    if (within)
        within(script);
    script_say(script, WIRE_RETURNED, &returned, sizeof returned);
    script_finish(script);
}

static void reports(struct script *script)
{
    script_submit(script, (struct wire_submit){.op = WORLD_REPORT, .lengths = {2, 1}}, "in5");
    struct wire_cancel cancel = {.id = 1};
    script_say(script, WIRE_CANCEL, &cancel, sizeof cancel);
}

static void fetches(struct script *script)
{
    script_submit(script, (struct wire_submit){.op = WORLD_HTTP, .lengths = {3, 14}}, "GEThttp://a.test/");
}

static void waits(struct script *script)
{
    script_wait(script, 0);
}

static void a_job_runs_when_the_judge_says(void **state)
{
    (void)state;
    struct script *script = begin();
    job(script, 5000, reports);
    const char *record = script_end(script);
    expect_leave(record, "ended", NULL);
    assert_non_null(strstr(record, "{\"t\":5000,\"from\":\"world\",\"ev\":\"cpu.end\",\"op\":1,\"rc\":3,\"ns\":5000}"));
    assert_non_null(strstr(record, "{\"t\":0,\"from\":\"world\",\"ev\":\"report\",\"name\":\"in\",\"value\":5}"));

    script = begin();
    job(script, -1, NULL);
    end(script, "wrong", "a job took less than no time");
    script = begin();
    job(script, 5000, fetches);
    end(script, "wrong", "a job asks for what only a task can");
    script = begin();
    job(script, 5000, script_finish);
    end(script, "wrong", "a job asks for what only a task can");
    script = begin();
    job(script, 5000, waits);
    end(script, "wrong", not_its_turn);

    struct wire_returned returned = {.ns = 0};
    script = begin();
    script_hello(script);
    script_say(script, WIRE_RETURNED, &returned, sizeof returned);
    end(script, "wrong", not_its_turn);
}

static void who_dies_in_a_job_is_gone(void **state)
{
    (void)state;
    struct script *script = begin();
    script_hello(script);
    script_submit(script, (struct wire_submit){.op = WORLD_JOB, .fn = 1, .job = 2}, "");
    script_wait(script, INT64_MAX);
    end(script, "gone", NULL);
}

static void choose(const char *tape, uint32_t what, uint32_t n, const char *told)
{
    struct script *script = begin();
    struct wire_choose choose = {.what = what, .n = n};
    script->settings.tape = tape;
    script_hello(script);
    script_say(script, WIRE_CHOOSE, &choose, sizeof choose);
    script_finish(script);
    end(script, told ? "wrong" : "ended", told);
}

static void the_tape_is_asked_what_the_loop_asks(void **state)
{
    (void)state;
    choose(NULL, WIRE_READY, 2, "it asks a tape: there is none");
    choose("1=1", WIRE_READY, 2, NULL);
    choose("1=1", WIRE_CANCEL_NOW, UINT32_MAX, NULL);
    choose("1=1", WIRE_CHOICES, 2, "it asks the tape what nobody asks");
    choose("1=1", WIRE_READY, 0, "it asks the tape what nobody asks");
}

/* ---- What the judge grants --------------------------------------------------------------------------------- */

static void who_sends_for_ever_is_stopped(void **state)
{
    (void)state;
    struct script *script = begin();
    script->settings.messages = 20;
    script_hello(script);
    for (int i = 0; i < 30; i++)
        script_wait(script, i);
    end(script, "limit", "it sent more messages than a run may");
}

static void who_says_nothing_is_stopped(void **state)
{
    (void)state;
    struct script *script = begin();
    script->settings.seconds = 0;
    script_hello(script);
    expect_leave(script_run(script), "limit", "its time was up");
}

static void who_does_not_read_is_stopped(void **state)
{
    (void)state;
    struct script *script = begin();
    int least = 1;
    setsockopt(script->theirs, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    script_hello(script);
    for (int i = 0; i < 100; i++)
        script_wait(script, i);
    end(script, "wrong", "it does not read what it is answered");
}

static void the_record_has_an_end(void **state)
{
    (void)state;
    struct script *script = begin();
    static char text[60000];
    memset(text, '1', sizeof text - 1);
    memcpy(text, "name\"", 5);
    text[sizeof text - 2] = '"';
    script->settings.record_bytes = 1000;
    script_hello(script);
    for (int i = 0; i < 3; i++)
        script_submit(script, (struct wire_submit){.op = WORLD_REPORT, .lengths = {4, sizeof text - 5}}, text);
    for (int i = 0; i < 270; i++)
        script_wait(script, 0);
    script->text[0] = '\0';
    shutdown(script->ours, SHUT_WR);
    char error[64] = "";
    assert_int_equal(judge_serve(&script->settings, &script->theirs, 1, error, sizeof error), 0);
    close(script->ours);
    FILE *record = fopen(script->record, "r");
    char last[512] = "", line[512];
    while (fgets(line, sizeof line, record))
        strcpy(last, line);
    fclose(record);
    unlink(script->record);
    expect_leave(last, "limit", "it did more than the record has room for");
}

static void the_settings_may_be_wrong(void **state)
{
    (void)state;
    char error[512] = "";
    struct script *script = begin();
    script->settings.world = "{\"world\":\"looplab/world/v1\",\"sites\":3}";
    assert_int_equal(judge_serve(&script->settings, &script->theirs, 1, error, sizeof error), 2);
    assert_non_null(strstr(error, "/sites"));
    close(script->ours);
    unlink(script->record);
    script = begin();
    script->settings.tape = "x";
    assert_int_equal(judge_serve(&script->settings, &script->theirs, 1, error, sizeof error), 2);
    assert_non_null(strstr(error, "tape"));
    close(script->ours);
    unlink(script->record);
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(judge_serve(&script->settings, ends, 1, error, sizeof error), 2);
    assert_non_null(strstr(error, "SOCK_SEQPACKET"));
    close(ends[1]);
    unlink(script->record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_hangs_up_is_gone),
        cmocka_unit_test(who_finishes_has_ended),
        cmocka_unit_test(a_message_is_as_long_as_it_says),
        cmocka_unit_test(each_kind_has_its_length),
        cmocka_unit_test(there_are_no_other_kinds),
        cmocka_unit_test(it_speaks_this_version),
        cmocka_unit_test(nothing_comes_before_hello),
        cmocka_unit_test(hello_is_said_once),
        cmocka_unit_test(urls_are_asked_for_once_and_before),
        cmocka_unit_test(nothing_follows_the_end),
        cmocka_unit_test(a_request_is_one_of_world_h),
        cmocka_unit_test(its_parts_fit_its_data),
        cmocka_unit_test(a_large_request_comes_in_full_packets),
        cmocka_unit_test(what_it_sends_is_bounded),
        cmocka_unit_test(a_report_is_json_in_one_line),
        cmocka_unit_test(a_reports_name_is_escaped),
        cmocka_unit_test(nobody_has_a_million_workers),
        cmocka_unit_test(a_wait_takes_what_comes_at_once),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(a_job_runs_when_the_judge_says),
        cmocka_unit_test(who_dies_in_a_job_is_gone),
        cmocka_unit_test(the_tape_is_asked_what_the_loop_asks),
        cmocka_unit_test(who_sends_for_ever_is_stopped),
        cmocka_unit_test(who_says_nothing_is_stopped),
        cmocka_unit_test(who_does_not_read_is_stopped),
        cmocka_unit_test(the_record_has_an_end),
        cmocka_unit_test(the_settings_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
