/* test_session.c - sessions: connections that are used again, the limit per host, headers, closing, leaks. */
#include "check.h"

#define WORLD \
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"rtt\":\"2ms\",\"connect\":\"35ms\"," \
    "\"routes\":[" \
    "{\"path\":\"/\",\"latency\":\"10ms\",\"body\":\"hello\"}," \
    "{\"path\":\"/reset\",\"latency\":\"10ms\",\"body\":\"x\",\"fault\":{\"kind\":\"reset\"}}," \
    "{\"path\":\"/hang\",\"fault\":{\"kind\":\"hang\"}}," \
    "{\"path\":\"/slow\",\"latency\":\"10ms\",\"body_size\":1000,\"bandwidth\":1000}," \
    "{\"path\":\"/to-b\",\"redirect\":\"http://b.test/\"}," \
    "{\"path\":\"/agent\",\"require\":{\"User-Agent\":\"kit\",\"X\":\"request\"},\"body\":\"in\"}]}," \
    "{\"url\":\"http://b.test\",\"connect\":\"7ms\",\"routes\":[{\"path\":\"/\",\"body\":\"b\"}]}]}"
enum { SETUP = 35, REST = 12 };             /* ms: connect; rtt + latency */

static int get(struct co_session *session, const char *url)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    return rc < 0 ? rc : resp.status;
}

/* ---- Connections ------------------------------------------------------------------------------------------------- */

static int saves_the_setup(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    CO_SESSION(session, 4);
    expect(!session.is_open && !session.number && !session.cookies);
    expect_is(co_session_get(&session, "http://a.test/", &resp), 0);
    expect_text(resp.body, "hello");
    expect(session.is_open && session.number == 1);
    expect_is(co_now(), CO_MS(SETUP + REST));
    expect_is(get(&session, "http://a.test/"), 200);
    expect_is(co_now(), CO_MS(SETUP + 2 * REST));               /* exactly connect saved */
    expect_is(get(&session, "http://a.test/none"), 404);        /* an answer like any other: 2 ms */
    expect_is(co_now(), CO_MS(SETUP + 2 * REST + 2));
    expect_is(get(&session, "http://a.test/reset"), -ECONNRESET);
    expect_is(co_now(), CO_MS(SETUP + 3 * REST + 2));
    expect_is(get(&session, "http://a.test/"), 200);            /* the broken connection is not used again */
    expect_is(co_now(), CO_MS(2 * SETUP + 4 * REST + 2));
    int64_t before = co_now();
    expect_is(get(&session, "http://a.test/to-b"), 200);        /* 2 ms to the redirect, 7 to connect to b */
    expect_is(co_now() - before, CO_MS(2 + 7));
    before = co_now();
    expect_is(get(&session, "http://a.test/to-b"), 200);
    expect_is(co_now() - before, CO_MS(2));
    return 0;
}

static void using_a_connection_again_saves_resolve_and_connect(void **state)
{
    (void)state;
    char *trace = only(traced_world(WORLD, saves_the_setup, NULL), "world");
    assert_int_equal(count_of(trace, "\"reused\":0"), 3);
    assert_int_equal(count_of(trace, "\"session\":1"), count_of(trace, "http.start"));
    assert_has(trace, "\"ev\":\"http.closed\",\"conn\":2}\n");
    assert_has(trace, "\"ev\":\"http.closed\",\"conn\":3}\n");
    free(trace);
}

struct visit { struct co_session *session; const char *url; int number, rc; };

static int visits(void *job)
{
    struct visit *visit = job;
    visit->rc = get(visit->session, visit->url);
    note("%d", visit->number);
    return visit->rc < 0 ? visit->rc : 0;
}

static int five_at_a_limit_of_two(void *job)
{
    (void)job;
    CO_SESSION(session, 2);
    struct visit visits_[6];
    CO_GROUP(group);
    for (int i = 0; i < 6; i++) {
        visits_[i] = (struct visit){&session, i < 5 ? "http://a.test/" : "http://b.test/", i, 0};
        co_spawn(&group, visits, &visits_[i]);
    }
    return co_join(&group);
}

static void who_is_beyond_the_limit_waits_in_line(void **state)
{
    (void)state;
    check_world_notes(WORLD, five_at_a_limit_of_two, "5@7 0@47 1@47 2@59 3@59 4@71 ");
}

static int many_at_once_without_limit(void *job)
{
    (void)job;
    CO_SESSION(session, 0);
    struct visit visits_[20];
    CO_GROUP(group);
    for (int i = 0; i < 20; i++) {
        visits_[i] = (struct visit){&session, "http://a.test/", i, 0};
        co_spawn(&group, visits, &visits_[i]);
    }
    expect_is(co_join(&group), 0);
    expect_is(co_now(), CO_MS(SETUP + REST));
    return 0;
}

static void without_a_limit_all_go_at_once(void **state)
{
    (void)state;
    assert_int_equal(run_world(WORLD, many_at_once_without_limit, NULL), 0);
}

static int cancels_the_first(void *job)
{
    struct visit *seen = job;
    CO_SESSION(session, 1);
    CO_GROUP(group);
    seen[0] = (struct visit){&session, "http://a.test/hang", 0, 0};
    seen[1] = (struct visit){&session, "http://a.test/", 1, 0};
    seen[2] = (struct visit){&session, "http://a.test/", 2, 0};
    co_task *hangs = co_spawn(&group, visits, &seen[0]), *waits = co_spawn(&group, visits, &seen[1]);
    co_spawn(&group, visits, &seen[2]);
    expect_is(co_sleep(CO_MS(100)), 0);
    co_cancel(waits);                       /* in the line */
    expect_is(co_sleep(CO_MS(100)), 0);
    co_cancel(hangs);                       /* its connection is closed, the next one opens another */
    return co_join(&group);
}

static void a_cancel_frees_the_place_for_the_next(void **state)
{
    (void)state;
    struct visit seen[3];
    assert_int_equal(run_world(WORLD, cancels_the_first, seen), 0);
    assert_string_equal(board->text, "1@100 0@200 2@247 ");
    assert_int_equal(seen[0].rc, -ECANCELED);
    assert_int_equal(seen[1].rc, -ECANCELED);
    assert_int_equal(seen[2].rc, 200);
}

static int a_thousand(void *job)
{
    (void)job;
    CO_SESSION(session, 4);
    for (int i = 0; i < 1000; i++)
        expect_is(get(&session, "http://a.test/"), 200);
    expect_is(co_now(), CO_MS(SETUP + 1000 * REST));
    return 0;
}

static void a_thousand_requests_use_one_connection(void **state)
{
    (void)state;
    char *trace = only(traced_world(WORLD, a_thousand, NULL), "world");
    assert_int_equal(count_of(trace, "\"reused\":0"), 1);
    assert_int_equal(count_of(trace, "\"reused\":1"), 999);
    assert_int_equal(count_of(trace, "http.closed"), 1);
    free(trace);
}

static int two_sessions(void *job)
{
    (void)job;
    CO_SESSION(one, 1);
    CO_SESSION(two, 1);
    expect_is(get(&one, "http://a.test/"), 200);
    expect_is(get(&two, "http://a.test/"), 200);
    expect_is(co_now(), CO_MS(2 * (SETUP + REST)));
    expect_is(one.number, 1);
    expect_is(two.number, 2);
    return 0;
}

static void sessions_share_nothing(void **state)
{
    (void)state;
    assert_int_equal(run_world(WORLD, two_sessions, NULL), 0);
}

/* ---- Headers ----------------------------------------------------------------------------------------------------- */

static int sends_its_headers(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    CO_SESSION(session, 1);
    session.headers = "User-Agent: kit\nx: session\n";
    expect_is(get(&session, "http://a.test/agent"), 401);
    /* The request's own goes before the session's of the same name. */
    expect_is(co_http_request(&(struct co_request){.url = "http://a.test/agent", .session = &session,
                                                   .headers = "X: request"}, &resp), 0);
    expect_is(resp.status, 200);
    session.headers = "User-Agent kit";
    expect_is(get(&session, "http://a.test/"), -EINVAL);
    session.headers = "";
    expect_is(get(&session, "http://a.test/"), 200);
    return 0;
}

static void a_session_has_headers(void **state)
{
    (void)state;
    assert_int_equal(run_world(WORLD, sends_its_headers, NULL), 0);
}

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

static int closes(void *job)
{
    (void)job;
    struct co_session session = {.max_per_host = 1};
    expect_is(get(&session, "http://a.test/"), 200);
    co_session_close(&session);
    expect(!session.is_open && !session.number && !session.cookies && session.max_per_host == 1);
    co_session_close(&session);                                 /* once more: nothing */
    expect_is(get(&session, "http://a.test/"), 200);            /* opens anew */
    expect_is(session.number, 2);
    expect_is(co_now(), CO_MS(2 * (SETUP + REST)));
    co_session_close(&session);
    return 0;
}

static void a_closed_session_may_begin_anew(void **state)
{
    (void)state;
    char *trace = only(traced_world(WORLD, closes, NULL), "world");
    assert_has(trace, "{\"t\":47000000,\"ev\":\"http.closed\",\"conn\":1}\n");
    assert_has(trace, "{\"t\":94000000,\"ev\":\"http.closed\",\"conn\":2}\n");
    free(trace);
}

/* The session's block ends while tasks still use it: what they have got of it they keep. */
static struct co_session *put_down;
static int uses_it_late(void *job)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(put_down, job, &resp);
    note("%d", rc < 0 ? rc : resp.status);
    return rc;
}

static int closes_under_way(void *job)
{
    (void)job;
    CO_GROUP(group);
    {
        CO_SESSION(session, 1);
        put_down = &session;
        co_spawn(&group, uses_it_late, (void *)"http://a.test/");
        co_spawn(&group, uses_it_late, (void *)"http://a.test/to-b");
        co_spawn(&group, uses_it_late, (void *)"http://a.test/hang");
        expect_is(co_sleep(CO_MS(40)), 0);
    }
    expect_is(co_sleep(CO_SEC(1)), 0);
    return 0;
}

static int leaves_at_the_end(void *job)
{
    (void)job;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(2));
    int rc = closes_under_way(NULL);
    return co_timeout_end(&limit, rc) == -ETIMEDOUT ? 0 : rc;
}

static void a_session_closed_under_way_harms_nobody(void **state)
{
    (void)state;
    char *trace = only(traced_world(WORLD, leaves_at_the_end, NULL), "world");
    int opened = count_of(trace, "\"reused\":0"), closed = count_of(trace, "http.closed");
    assert_int_equal(opened, closed);                           /* nobody's connection stays behind */
    assert_has(board->text, "200@47 ");
    free(trace);
}

static struct co_session outlives = {.max_per_host = 1};
static int uses_global(void *job)
{
    (void)job;
    expect_is(get(&outlives, "http://a.test/"), 200);
    expect_is(get(&outlives, "http://a.test/"), 200);
    return 0;
}

static void a_session_of_a_former_run_begins_anew(void **state)
{
    (void)state;
    assert_int_equal(run_world(WORLD, uses_global, NULL), 0);
    assert_true(outlives.is_open);
    assert_int_equal(run_world(WORLD, uses_global, NULL), 0);
    co_session_close(&outlives);                                /* outside a loop: only forgets */
    assert_false(outlives.is_open);
}

/* ---- Leaks ------------------------------------------------------------------------------------------------------- */

static int forgets_to_close(void *job)
{
    (void)job;
    struct co_session forgotten = {0}, unused = {0};
    CO_SESSION(closed, 0);
    (void)unused;                                               /* never opened: nothing to close */
    CO_RESPONSE(resp);
    MARK(0); int rc = co_session_get(&forgotten, "http://a.test/", &resp);
    return rc < 0 ? rc : get(&closed, "http://a.test/") == 200 ? 0 : -EIO;
}

static void a_session_that_is_never_closed_is_a_leak(void **state)
{
    (void)state;
    struct child *child = forked_world(WORLD, forgets_to_close, NULL);
    assert_int_equal(child->rc, 0);
    assert_has(child->err,
               "program: leak: the session of test_session.c:%d was never closed: use CO_SESSION or co_session_close\n",
               board->line[0]);
    assert_int_equal(count_of(child->err, "\n"), 1);
    char *trace = only(traced_world(WORLD, forgets_to_close, NULL), "runtime");
    assert_has(trace, "\"ev\":\"leak\",\"what\":\"session\"}");
    free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(using_a_connection_again_saves_resolve_and_connect),
        cmocka_unit_test(who_is_beyond_the_limit_waits_in_line),
        cmocka_unit_test(without_a_limit_all_go_at_once),
        cmocka_unit_test(a_cancel_frees_the_place_for_the_next),
        cmocka_unit_test(a_thousand_requests_use_one_connection),
        cmocka_unit_test(sessions_share_nothing),
        cmocka_unit_test(a_session_has_headers),
        cmocka_unit_test(a_closed_session_may_begin_anew),
        cmocka_unit_test(a_session_closed_under_way_harms_nobody),
        cmocka_unit_test(a_session_of_a_former_run_begins_anew),
        cmocka_unit_test(a_session_that_is_never_closed_is_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
