/* test_cookies.c - a session's cookies: where they go, how long they live, how they are replaced. */
#include "check.h"

/* A world in which /x/set of each site sets `line`, and all other paths let in with the cookies `sent` only. */
static char *world_for(const char *line, const char *sent)
{
    static char text[1 << 14];
    static const char *const sites[] = {"http://a.test", "http://www.a.test", "http://deep.www.a.test", "http://b.test",
                                        "http://ba.test",
                                        "http://a.test:8080", "https://a.test", "http://1.2.3.4", "http://9.1.2.3.4",
                                        "http://test"};
    static const char *const paths[] = {"/", "/x", "/x/", "/x/y", "/x/y/z", "/xy"};
    size_t n = (size_t)snprintf(text, sizeof text, "{\"world\":\"looplab/world/v1\",\"sites\":[");
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "%s{\"url\":\"%s\",\"routes\":[{\"path\":\"/x/set\",\"headers\":{\"Set-Cookie\":\"%s\"}}",
                              i ? "," : "", sites[i], line);
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++)
            n += (size_t)snprintf(text + n, sizeof text - n, ",{\"path\":\"%s\",\"require\":{\"Cookie\":\"%s\"}}",
                                  paths[j], sent);
        n += (size_t)snprintf(text + n, sizeof text - n, "]}");
    }
    snprintf(text + n, sizeof text - n, "]}");
    return text;
}

static int get(struct co_session *session, const char *url)
{
    CO_RESPONSE(resp);
    int rc = co_session_get(session, url, &resp);
    return rc < 0 ? rc : resp.status;
}

struct visit { const char *set_at, *to; int64_t later; int status; };

static int visits(void *job)
{
    struct visit *visit = job;
    CO_SESSION(session, 0);
    expect_is(get(&session, visit->set_at), 200);
    if (visit->later)
        expect_is(co_sleep(visit->later), 0);
    visit->status = get(&session, visit->to);
    return 0;
}

/* Whether `line`, set at one URL, is sent as `sent` to another, `later` ns after. */
static bool is_sent(const char *line, const char *set_at, const char *to, int64_t later, const char *sent)
{
    struct visit visit = {set_at, to, later, 0};
    assert_int_equal(run_world(world_for(line, sent), visits, &visit), 0);
    assert_true(visit.status == 200 || visit.status == 401);
    return visit.status == 200;
}

#define HERE "http://a.test/x/set"
#define sent_here(line, sent) is_sent((line), HERE, "http://a.test/x/y", 0, (sent))

/* ---- What a line says -------------------------------------------------------------------------------------------- */

static void name_and_value(void **state)
{
    (void)state;
    assert_true(sent_here("a=1", "a=1"));
    assert_true(sent_here(" a = 1 2 ; HttpOnly; SameSite=Lax; unknown", "a=1 2"));
    assert_true(sent_here("a=", "a="));
    assert_true(sent_here("a=b=c", "a=b=c"));
    assert_true(sent_here("a=\\\"q\\\"", "a=\\\"q\\\""));
    assert_true(sent_here("a=1;", "a=1"));
    assert_true(sent_here("a=1;;", "a=1"));
    assert_false(sent_here("=1", "=1"));
    assert_false(sent_here("a", "a"));
    assert_false(sent_here("a", "a="));
    assert_false(sent_here("", "="));
    assert_false(sent_here("; Path=/", "; Path=/"));
}

static void one_that_is_too_long_is_not_taken(void **state)
{
    (void)state;
    char line[5100], value[5000];
    for (size_t length = 4095; length <= 4096; length++) {
        memset(value, 'v', length);
        value[length] = '\0';
        snprintf(line, sizeof line, "a=%s", value);
        static char world[1 << 15];
        snprintf(world, sizeof world,
                 "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\","
                 "\"routes\":[{\"path\":\"/x/set\","
                 "\"headers\":{\"Set-Cookie\":\"%s\"}},{\"path\":\"/x/y\",\"require\":{\"Cookie\":\"%s\"}}]}]}", line,
                 line);
        struct visit visit = {HERE, "http://a.test/x/y", 0, 0};
        assert_int_equal(run_world(world, visits, &visit), 0);
        assert_int_equal(visit.status, length == 4095 ? 200 : 401);     /* name and value: 4096 bytes at most */
    }
}

/* ---- Where to ---------------------------------------------------------------------------------------------------- */

static void without_domain_it_goes_to_its_host_alone(void **state)
{
    (void)state;
    assert_true(is_sent("a=1", HERE, "http://a.test/x", 0, "a=1"));
    assert_true(is_sent("a=1", HERE, "http://a.test:8080/x", 0, "a=1"));        /* ports make no difference */
    assert_true(is_sent("a=1", HERE, "https://a.test/x", 0, "a=1"));
    assert_true(is_sent("a=1", HERE, "http://A.Test/x", 0, "a=1"));
    assert_false(is_sent("a=1", HERE, "http://www.a.test/x", 0, "a=1"));
    assert_false(is_sent("a=1", HERE, "http://b.test/x", 0, "a=1"));
    assert_false(is_sent("a=1", "http://www.a.test/x/set", "http://a.test/x", 0, "a=1"));
    assert_true(is_sent("a=1; Domain=", HERE, "http://a.test/x", 0, "a=1"));
    assert_false(is_sent("a=1; Domain=", HERE, "http://www.a.test/x", 0, "a=1"));
}

static void a_domain_takes_in_the_hosts_below(void **state)
{
    (void)state;
    static const char *const lines[] = {"a=1; Domain=a.test", "a=1; domain=.A.TEST",
                                        "a=1; Domain=b.test; Domain=a.test"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(is_sent(lines[i], HERE, "http://a.test/x", 0, "a=1"));
        assert_true(is_sent(lines[i], HERE, "http://www.a.test/x", 0, "a=1"));
        assert_true(is_sent(lines[i], HERE, "http://deep.www.a.test/x", 0, "a=1"));
        assert_true(is_sent(lines[i], "http://www.a.test/x/set", "http://a.test/x", 0, "a=1"));
        assert_false(is_sent(lines[i], HERE, "http://ba.test/x", 0, "a=1"));
        assert_false(is_sent(lines[i], HERE, "http://b.test/x", 0, "a=1"));
    }
}

static void a_host_sets_none_for_others(void **state)
{
    (void)state;
    assert_false(is_sent("a=1; Domain=www.a.test", HERE, "http://www.a.test/x", 0, "a=1"));     /* below it */
    assert_false(is_sent("a=1; Domain=www.a.test", HERE, "http://a.test/x", 0, "a=1"));
    assert_false(is_sent("a=1; Domain=b.test", HERE, "http://b.test/x", 0, "a=1"));
    assert_false(is_sent("a=1; Domain=b.test", HERE, "http://a.test/x", 0, "a=1"));
    assert_false(is_sent("a=1; Domain=test", HERE, "http://a.test/x", 0, "a=1"));               /* a whole top level */
    /* Unless it is the host. */
    assert_true(is_sent("a=1; Domain=test", "http://test/x/set", "http://test/x", 0, "a=1"));
    assert_true(is_sent("a=1; Domain=1.2.3.4", "http://1.2.3.4/x/set", "http://1.2.3.4/x", 0, "a=1"));
    assert_false(is_sent("a=1; Domain=1.2.3.4", "http://9.1.2.3.4/x/set", "http://1.2.3.4/x", 0, "a=1"));
}

static void a_path_takes_in_what_is_below(void **state)
{
    (void)state;
    static const struct { const char *path, *fits, *not; } cases[] = {
        {"", "/x /x/ /x/y /x/y/z", "/ /xy"},                    /* the folder of /x/set */
        {"; Path=/x", "/x /x/ /x/y /x/y/z", "/ /xy"},
        {"; Path=/x/", "/x/ /x/y /x/y/z", "/ /x /xy"},
        {"; Path=/", "/ /x /x/ /x/y /x/y/z /xy", ""},
        {"; path=/x/y", "/x/y /x/y/z", "/ /x /x/ /xy"},
        {"; Path=x", "/ /x /x/y /xy", ""},                      /* no path: all */
        {"; Path=", "/ /x /x/y /xy", ""},
        {"; Path=/; Path=/x/y", "/x/y", "/x"},                  /* the last one counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[64], list[64];
        snprintf(line, sizeof line, "a=1%s", cases[i].path);
        for (int fits = 0; fits < 2; fits++) {
            snprintf(list, sizeof list, "%s", fits ? cases[i].fits : cases[i].not);
            for (char *path = strtok(list, " "); path; path = strtok(NULL, " ")) {
                char url[64];
                snprintf(url, sizeof url, "http://a.test%s", path);
                if (is_sent(line, HERE, url, 0, "a=1") != fits)
                    fail_msg("\"%s\" at %s", line, url);
            }
        }
    }
}

static void a_query_is_no_path(void **state)
{
    (void)state;
    assert_true(is_sent("a=1", "http://a.test/x/set?q=/p/", "http://a.test/x/y?q", 0, "a=1"));
}

static void some_names_promise_how_they_were_set(void **state)
{
    (void)state;
    static const struct { const char *line, *cookie; bool is_taken; } cases[] = {
        {"__Secure-a=1", "__Secure-a=1", false},
        {"__Secure-a=1; Secure", "__Secure-a=1", true},
        {"__Host-a=1; Path=/", "__Host-a=1", false},
        {"__Host-a=1; Path=/; Secure", "__Host-a=1", true},
        {"__host-a=1; Path=/", "__host-a=1", false},
        {"__Host-a=1; Secure", "__Host-a=1", false},                    /* the folder of the page is no "/" */
        {"__Host-a=1; Path=/x; Secure", "__Host-a=1", false},
        {"__Host-a=1; Path=/; Domain=a.test; Secure", "__Host-a=1", false},
        {"_Host-a=1", "_Host-a=1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (is_sent(cases[i].line, "https://a.test/x/set", "https://a.test/x", 0, cases[i].cookie) != cases[i].is_taken)
            fail_msg("%s", cases[i].line);
}

static void secure_is_for_https(void **state)
{
    (void)state;
    /* Not taken over http. */
    assert_false(sent_here("a=1; Secure", "a=1"));
    assert_false(is_sent("a=1; Secure", HERE, "https://a.test/x", 0, "a=1"));
    assert_true(is_sent("a=1; Secure", "https://a.test/x/set", "https://a.test/x", 0, "a=1"));
    assert_false(is_sent("a=1; secure", "https://a.test/x/set", "http://a.test/x", 0, "a=1"));
    assert_true(is_sent("a=1", "https://a.test/x/set", "http://a.test/x", 0, "a=1"));
}

/* ---- How long ---------------------------------------------------------------------------------------------------- */

#define later(line, ns) is_sent((line), HERE, "http://a.test/x", (ns), "a=1")

static void max_age_counts_virtual_seconds(void **state)
{
    (void)state;
    assert_true(later("a=1; Max-Age=10", CO_SEC(10) - 1));
    assert_false(later("a=1; Max-Age=10", CO_SEC(10)));
    assert_false(later("a=1; Max-Age=9", CO_SEC(9)));
    assert_true(later("a=1", CO_SEC(1000000)));
    assert_false(later("a=1; Max-Age=0", 0));
    assert_false(later("a=1; Max-Age=-5", 0));
    assert_true(later("a=1; Max-Age=99999999999999999999999", CO_SEC(1000000)));
    assert_true(later("a=1; Max-Age=ten", 0));                  /* no number: not taken notice of */
    assert_true(later("a=1; Max-Age=", 0));
    assert_true(later("a=1; Max-Age=-", 0));
    assert_true(later("a=1; Max-Age=1x", CO_SEC(5)));
}

static void expires_counts_from_2026(void **state)
{
    (void)state;
    assert_true(later("a=1; Expires=Thu, 01 Jan 2026 00:00:10 GMT", CO_SEC(10) - 1));
    assert_false(later("a=1; Expires=Thu, 01 Jan 2026 00:00:10 GMT", CO_SEC(10)));
    assert_false(later("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0));
    assert_true(later("a=1; expires=Sun, 01-Mar-2026 01:02:03 GMT", CO_SEC(59 * 86400 + 3723) - 1));
    assert_false(later("a=1; expires=Sun, 01-Mar-2026 01:02:03 GMT", CO_SEC(59 * 86400 + 3723)));
    assert_true(later("a=1; Expires=Thu, 29 Feb 2028 00:00:00 GMT", CO_SEC((365 + 365 + 59) * (int64_t)86400) - 1));
    assert_false(later("a=1; Expires=Thu, 29 Feb 2028 00:00:00 GMT", CO_SEC((365 + 365 + 59) * (int64_t)86400)));
    assert_true(later("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", CO_SEC(1000000)));
    assert_true(later("a=1; Expires=Sat, 31 Jan 2026 00:00:00 GMT", CO_SEC(30 * 86400) - 1));
    assert_false(later("a=1; Expires=Sat, 31 Jan 2026 00:00:00 GMT", CO_SEC(30 * 86400)));
    static const char *const no_dates[] = {"soon", "", "Thu, 00 Jan 1970 00:00:00 GMT", "Thu, 01 Foo 1970 00:00:00 GMT",
                                           "Thu, 01 anF 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970 24:00:00 GMT", "Thu, 01 Jan 1970 00:60:00 GMT", "Thu, 01 Jan 1970",
        "Thu, 01 Jan 1000 00:00:00 GMT", "01 Jan 1970 00:00:00 GMT"};
    for (size_t i = 0; i < sizeof no_dates / sizeof *no_dates; i++) {
        char line[100];
        snprintf(line, sizeof line, "a=1; Expires=%s", no_dates[i]);
        if (!later(line, 0))
            fail_msg("%s", line);
    }
    /* Max-Age goes first, whichever comes first. */
    assert_true(later("a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", CO_SEC(9)));
    assert_true(later("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=10", CO_SEC(9)));
    assert_false(later("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Max-Age=10", CO_SEC(10)));
}

/* ---- Several ----------------------------------------------------------------------------------------------------- */

static const char several[] =
    "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\",\"routes\":["
    "{\"path\":\"/1\",\"headers\":{\"Set-Cookie\":\"a=1\"}},"
    "{\"path\":\"/2\",\"headers\":{\"Set-Cookie\":\"b=2\",\"set-cookie\":\"c=3; Path=/deep/er\"}},"
    "{\"path\":\"/new\",\"headers\":{\"Set-Cookie\":\"a=new\"}},"
    "{\"path\":\"/gone\",\"headers\":{\"Set-Cookie\":\"a=; Max-Age=0\"}},"
    "{\"path\":\"/other\",\"headers\":{\"Set-Cookie\":\"a=other; Path=/other\"}},"
    "{\"path\":\"/wide\",\"headers\":{\"Set-Cookie\":\"a=wide; Domain=a.test\"}},"
    "{\"path\":\"/login\",\"redirect\":\"/need?a=1\",\"headers\":{\"Set-Cookie\":\"a=1\"}},"
    "{\"path\":\"/away\",\"redirect\":\"http://b.test/need\"},"
    "{\"path\":\"/need?a=1\",\"require\":{\"Cookie\":\"a=1\"}},"
    "{\"path\":\"/need?ab\",\"require\":{\"Cookie\":\"a=1; b=2\"}},"
    "{\"path\":\"/need?new\",\"require\":{\"Cookie\":\"a=new; b=2\"}},"
    "{\"path\":\"/need?b\",\"require\":{\"Cookie\":\"b=2\"}},"
    "{\"path\":\"/need?both\",\"require\":{\"Cookie\":\"a=1; a=wide\"}},"
    "{\"path\":\"/deep/er/need\",\"require\":{\"Cookie\":\"c=3; a=1; b=2\"}},"
    "{\"path\":\"/other/need\",\"require\":{\"Cookie\":\"a=other; a=1\"}},"
    "{\"path\":\"/need?own\",\"require\":{\"Cookie\":\"mine=5\"}}]},"
    "{\"url\":\"http://b.test\",\"routes\":[{\"path\":\"/set\",\"headers\":{\"Set-Cookie\":\"b=b\"}},"
    "{\"path\":\"/need\",\"require\":{\"Cookie\":\"b=b\"}}]}]}";

#define A "http://a.test"

static int keeps_several(void *job)
{
    (void)job;
    CO_SESSION(session, 0);
    expect_is(get(&session, A "/need?a=1"), 401);
    expect_is(get(&session, A "/1"), 200);
    expect_is(get(&session, A "/need?a=1"), 200);
    expect_is(get(&session, A "/2"), 200);
    expect_is(get(&session, A "/need?ab"), 200);                /* the older one first */
    expect_is(get(&session, A "/deep/er/need"), 200);           /* but the longer path before them */
    expect_is(get(&session, A "/new"), 200);
    expect_is(get(&session, A "/need?new"), 200);               /* replaced in its place */
    expect_is(get(&session, A "/gone"), 200);
    expect_is(get(&session, A "/need?b"), 200);
    return 0;
}

static int same_name_elsewhere(void *job)
{
    (void)job;
    CO_SESSION(session, 0);
    expect_is(get(&session, A "/1"), 200);
    expect_is(get(&session, A "/other"), 200);
    expect_is(get(&session, A "/other/need"), 200);
    expect_is(get(&session, A "/wide"), 200);
    expect_is(get(&session, A "/need?both"), 200);              /* for the host, and for the domain */
    co_session_close(&session);
    expect_is(get(&session, A "/need?a=1"), 401);               /* closed: forgotten */
    return 0;
}

static int over_redirects(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    CO_SESSION(session, 0);
    expect_is(get(&session, "http://b.test/set"), 200);
    expect_is(get(&session, A "/login"), 200);                  /* set by the redirect, sent to where it leads */
    expect_is(get(&session, A "/away"), 200);                   /* another site gets its own, */
    expect_is(co_http_request(&(struct co_request){.url = A "/away", .session = &session, .headers = "Cookie: a=1"},
                              &resp), 0);
    expect_is(resp.status, 200);                                /* and its own alone */
    co_response_free(&resp);
    expect_is(co_http_request(&(struct co_request){.url = A "/need?own", .session = &session,
                                                   .headers = "Cookie: mine=5"}, &resp), 0);
    expect_is(resp.status, 200);                                /* one's own Cookie line goes before the jar */
    return 0;
}

static int without_session(void *job)
{
    (void)job;
    CO_RESPONSE(resp);
    expect_is(co_http_get(A "/login", &resp), 0);
    expect_is(resp.status, 401);
    return 0;
}

static void several_cookies(void **state)
{
    (void)state;
    assert_int_equal(run_world(several, keeps_several, NULL), 0);
    assert_int_equal(run_world(several, same_name_elsewhere, NULL), 0);
}

static void cookies_and_redirects(void **state)
{
    (void)state;
    assert_int_equal(run_world(several, over_redirects, NULL), 0);
    assert_int_equal(run_world(several, without_session, NULL), 0);
}

static int sets_many(void *job)
{
    (void)job;
    CO_SESSION(session, 1);
    CO_RESPONSE(resp);
    for (int i = 0; i < 1100; i++) {
        char url[64];
        snprintf(url, sizeof url, "http://a.test/%d", i);
        expect_is(get(&session, url), 200);
    }
    expect_is(co_http_request(&(struct co_request){.url = "http://a.test/all", .session = &session}, &resp), 0);
    expect_is(resp.status, 200);
    return 0;
}

static void there_are_a_thousand_at_most(void **state)
{
    (void)state;
    char *world = malloc(1 << 20);
    size_t n = (size_t)sprintf(world,
                               "{\"world\":\"looplab/world/v1\",\"sites\":[{\"url\":\"http://a.test\","
                               "\"routes\":[{\"path\":\"/all\",\"require\":{\"Cookie\":\"");
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(world + n, "%sc%d=1", i ? "; " : "", i);
    n += (size_t)sprintf(world + n, "\"}}");
    for (int i = 0; i < 1100; i++)
        n += (size_t)sprintf(world + n, ",{\"path\":\"/%d\",\"headers\":{\"Set-Cookie\":\"c%d=1\"}}", i, i);
    sprintf(world + n, "]}]}");
    assert_int_equal(run_world(world, sets_many, NULL), 0);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_value),
        cmocka_unit_test(one_that_is_too_long_is_not_taken),
        cmocka_unit_test(without_domain_it_goes_to_its_host_alone),
        cmocka_unit_test(a_domain_takes_in_the_hosts_below),
        cmocka_unit_test(a_host_sets_none_for_others),
        cmocka_unit_test(a_path_takes_in_what_is_below),
        cmocka_unit_test(a_query_is_no_path),
        cmocka_unit_test(some_names_promise_how_they_were_set),
        cmocka_unit_test(secure_is_for_https),
        cmocka_unit_test(max_age_counts_virtual_seconds),
        cmocka_unit_test(expires_counts_from_2026),
        cmocka_unit_test(several_cookies),
        cmocka_unit_test(cookies_and_redirects),
        cmocka_unit_test(there_are_a_thousand_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
