/* Less than the whole answer: ranges, and what is still the same. The same table is tried on nginx by
 * grader/tests/test_real_limits.py. */
#include "world_rig.h"

#define DATE "Wed, 21 Oct 2026 07:28:00 GMT"
#define ROUTES WORLD("'sites':[{'url':'http://a.test','routes':[" \
    "{'path':'/','body':'0123456789','etag':'\\\"v1\\\"','last_modified':'" DATE "','ranges':true}," \
    "{'path':'/weak','body':'0123456789','etag':'W/\\\"v1\\\"','ranges':true}," \
    "{'path':'/whole','body':'0123456789'}," \
    "{'path':'/large','body_size':1000000,'ranges':true,'chunk':50000}," \
    "{'path':'/typed','body':'0123456789','ranges':true,'headers':{'Content-Type':'text/plain','X-A':'b'}}," \
    "{'path':'/turns','body':'0123456789','etag':'\\\"v1\\\"','answers':[503]}," \
    "{'path':'/cut','body':'0123456789','ranges':true,'fault':{'kind':'truncate','after':4,'times':1}}]}]")

static void get(struct rig *rig, const char *method, const char *path, const char *headers)
{
    char data[600];
    int size = snprintf(data, sizeof data, "%shttp://a.test%s%s", method, path, headers);
    struct world_request request = {
        .op = WORLD_HTTP, .data = data, .size = (size_t)size,
        .lengths = {(uint32_t)strlen(method), (uint32_t)(13 + strlen(path)), (uint32_t)strlen(headers)},
    };
    assert_true(rig->world->submit(rig->world, &request) > 0);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct { const char *range, *answer; } cases[] = {
        {"bytes=0-3", "206 \"0123\""}, {"bytes=3-7", "206 \"34567\""}, {"bytes=7-", "206 \"789\""},
        {"bytes=-2", "206 \"89\""}, {"bytes=-99", "206 \"0123456789\""}, {"bytes=5-5", "206 \"5\""},
        {"bytes=8-99", "206 \"89\""}, {"Bytes= 2 - 3 ", "206 \"23\""}, {"bytes=10-", "416"}, {"bytes=10-12", "416"},
        {"bytes=-0", "416"}, {"bytes=5-2", "416"}, {"bytes=0-999999999999999999", "206 \"0123456789\""},
        {"bytes=0-99999999999999999999", "416"}, {"bytes=-99999999999999999999", "416"}, {"bytes=- 5", "416"},
        {"bytes=x-", "416"}, {"bytes=3", "416"}, {"bytes=3-x", "416"}, {"bytes=-", "416"},
        {"bytes=", "200 \"0123456789\""},
        {"lines=0-3", "200 \"0123456789\""}, {"", "200 \"0123456789\""},
        {"bytes=0-5,3-9", "200 \"0123456789\""}, {"bytes=-1,-20", "200 \"0123456789\""}, {"bytes=0-1,", "416"},
        {"bytes=,0-1", "416"}, {"bytes=0-1,4-x", "416"}, {"bytes=20-,30-", "416"}, {"bytes=0-1,20-", "206 \"01\""},
        {"bytes=5-2, 0-1", "206 \"01\""}, {"bytes=0-1,-0", "206 \"01\""},
    };
    struct rig *rig = rig_open(ROUTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char headers[100], expected[100];
        sprintf(headers, "range:%s\n", cases[i].range);
        get(rig, "GET", "/", headers);
        sprintf(expected, "0ms #%zu %s end\n", i + 1, cases[i].answer);
        rig_expect(rig, expected);
    }
    rig_close(rig);
}

static void test_only_if_it_is_still_that_one(void **state)
{
    (void)state;
    static const struct { const char *path, *headers, *answer; } cases[] = {
        {"/", "If-Range: \"v1\"\n", "206 \"23\""}, {"/", "If-Range: " DATE "\n", "206 \"23\""},
        {"/", "If-Range: Wednesday, 21-Oct-26 07:28:00 GMT\n", "206 \"23\""},
        {"/", "If-Range: Wed, 21 Oct 2026 07:28:01 GMT\n", "200 \"0123456789\""},
        {"/", "If-Range: \"v2\"\n", "200 \"0123456789\""}, {"/", "If-Range: W/\"v1\"\n", "200 \"0123456789\""},
        {"/", "If-Range: *\n", "200 \"0123456789\""}, {"/", "If-Range: today\n", "200 \"0123456789\""},
        {"/weak", "If-Range: W/\"v1\"\n", "206 \"23\""}, {"/weak", "If-Range: \"v1\"\n", "200 \"0123456789\""},
        {"/weak", "If-Range: " DATE "\n", "200 \"0123456789\""},
        {"/weak", "", "206 \"23\""}, {"/whole", "", "200 \"0123456789\""},
    };
    struct rig *rig = rig_open(ROUTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char headers[100], expected[100];
        sprintf(headers, "X: y\nRange: bytes=2-3\n%s", cases[i].headers);
        get(rig, "GET", cases[i].path, headers);
        sprintf(expected, "0ms #%zu %s end\n", i + 1, cases[i].answer);
        rig_expect(rig, expected);
    }
    rig_close(rig);
}

#define EARLIER "Wed, 21 Oct 2026 07:27:59 GMT"
#define LATER "Thu, 22 Oct 2026 07:28:00 GMT"

struct conditional { const char *path, *headers; int status; };

static void expect_statuses(const struct conditional cases[], size_t n)
{
    struct rig *rig = rig_open(ROUTES);
    for (size_t i = 0; i < n; i++) {
        char expected[100];
        get(rig, "GET", cases[i].path, cases[i].headers);
        sprintf(expected, "0ms #%zu %d%s end\n", i + 1, cases[i].status,
                cases[i].status == 200 ? " \"0123456789\"" : "");
        rig_expect(rig, expected);
    }
    rig_close(rig);
}

static void test_still_the_same(void **state)
{
    (void)state;
    static const struct conditional cases[] = {
        {"/", "If-None-Match: \"v1\"\n", 304}, {"/", "If-None-Match: \"v0\", W/\"v1\"\n", 304},
        {"/", "If-None-Match: *\n", 304}, {"/", "If-None-Match: \"v2\"\n", 200},
        {"/", "If-None-Match: ,,\"v1\" ,\"v2\"\n", 304}, {"/", "If-None-Match: \"v1\"x\n", 200},
        {"/", "If-None-Match: *, \"v2\"\n", 200}, {"/", "If-None-Match: w/\"v1\"\n", 200},
        {"/", "If-None-Match:\n", 200},
        {"/weak", "If-None-Match: \"v1\"\n", 304}, {"/weak", "If-None-Match: W/\"v1\"\n", 304},
        {"/", "If-Modified-Since: " DATE "\n", 304}, {"/", "If-Modified-Since: " LATER "\n", 200},
        {"/", "If-None-Match: \"v2\"\nIf-Modified-Since: " DATE "\n", 200},
        {"/", "If-None-Match: \"v1\"\nIf-Modified-Since: " EARLIER "\n", 200},      /* both must say so */
        {"/", "If-None-Match: \"v1\"\nIf-Modified-Since: " DATE "\n", 304},
        {"/weak", "If-None-Match: \"v1\"\nIf-Modified-Since: " DATE "\n", 200},
        {"/", "Range: bytes=0-3\nIf-None-Match: \"v1\"\n", 304}, {"/", "Range: bytes=99-\nIf-None-Match: *\n", 304},
        {"/whole", "If-None-Match: *\n", 304}, {"/whole", "If-None-Match: \"v1\"\n", 200},
        {"/whole", "If-Modified-Since: " DATE "\n", 200},
    };
    expect_statuses(cases, sizeof cases / sizeof cases[0]);
}

static void test_only_for_another_version(void **state)
{
    (void)state;
    static const struct conditional cases[] = {
        {"/", "If-Match: \"v1\"\n", 200}, {"/", "If-Match: \"v2\", \"v1\"\n", 200}, {"/", "If-Match: *\n", 200},
        {"/", "If-Match: \"v2\"\n", 412}, {"/", "If-Match: W/\"v1\"\n", 412},
        {"/weak", "If-Match: W/\"v1\"\n", 200}, {"/weak", "If-Match: \"v1\"\n", 412},
        {"/", "If-Unmodified-Since: " DATE "\n", 200}, {"/", "If-Unmodified-Since: " LATER "\n", 200},
        {"/", "If-Unmodified-Since: " EARLIER "\n", 412}, {"/", "If-Unmodified-Since: today\n", 412},
        {"/", "If-Match: \"v2\"\nIf-None-Match: \"v1\"\n", 412}, {"/", "If-Match: *\nIf-None-Match: *\n", 304},
        {"/", "Range: bytes=0-3\nIf-Match: \"v2\"\n", 412}, {"/", "Range: bytes=99-\nIf-Match: \"v2\"\n", 412},
        {"/whole", "If-Match: *\n", 200}, {"/whole", "If-Match: \"v1\"\n", 412},
        {"/whole", "If-Unmodified-Since: " DATE "\n", 412},
    };
    expect_statuses(cases, sizeof cases / sizeof cases[0]);
}

static void test_dates(void **state)
{
    (void)state;
    static const struct { const char *date; bool is_it; } cases[] = {
        {"Wed, 21 Oct 2026 07:28:00 GMT", true}, {"Wednesday, 21-Oct-26 07:28:00 GMT", true},
        {"Wed Oct 21 07:28:00 2026", true}, {"Mon, 21 Oct 2026 07:28:00 GMT", true}, {"Wed,21 Oct 2026 07:28:00", true},
        {"21 Oct 2026 07:28:00 GMT", false}, {"Wed, 21 Oct 2026 07:28", false}, {"Wed, 21 Oct 2026", false},
        {"Wed, 21 Okt 2026 07:28:00 GMT", false}, {"Wed, 21-Oct 2026 07:28:00 GMT", false}, {"Wed,", false},
        {"Wed, 21 Oct 2026 07:28:60 GMT", false}, {"Wed, 21 Oct 2026 24:28:00 GMT", false}, {"Wed", false},
        {"Wed, 31 Feb 2026 07:28:00 GMT", false}, {"Wed, 00 Oct 2026 07:28:00 GMT", false}, {"Wed ", false},
        {"Wed, 21 Oct 1969 07:28:00 GMT", false}, {"Wed, 21 Oct 2027 07:28:00 GMT", false},
    };
    struct rig *rig = rig_open(ROUTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char headers[100], expected[100];
        sprintf(headers, "If-Modified-Since: %s\n", cases[i].date);
        get(rig, "GET", "/", headers);
        sprintf(expected, "0ms #%zu %s end\n", i + 1, cases[i].is_it ? "304" : "200 \"0123456789\"");
        rig_expect(rig, expected);
    }
    rig_close(rig);
}

static void expect_head(struct rig *rig, const char *path, const char *headers, const char *head)
{
    struct world_completion out[1];
    get(rig, "HEAD", path, headers);
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].head, strlen(head));
    assert_memory_equal(out[0].data, head, strlen(head));
}

static void test_heads(void **state)
{
    (void)state;
    struct rig *rig = rig_open(ROUTES);
    expect_head(rig, "/", "", "Last-Modified: " DATE "\nETag: \"v1\"\nAccept-Ranges: bytes\nContent-Length: 10\n");
    expect_head(rig, "/", "Range: bytes=2-4\n", "Last-Modified: " DATE "\nETag: \"v1\"\nAccept-Ranges: bytes\n"
                                                "Content-Range: bytes 2-4/10\nContent-Length: 3\n");
    expect_head(rig, "/", "If-None-Match: *\n", "Last-Modified: " DATE "\nETag: \"v1\"\nAccept-Ranges: bytes\n");
    expect_head(rig, "/", "If-Match: \"v2\"\n", "Content-Length: 0\n");
    expect_head(rig, "/whole", "If-None-Match: *\n", "");
    expect_head(rig, "/large", "Range: bytes=9999999-\n", "Content-Range: bytes */1000000\nContent-Length: 0\n");
    rig_close(rig);
}

/* The pattern goes on where the part begins; pieces are as large as ever. */
static void test_a_part_of_the_pattern(void **state)
{
    (void)state;
    struct rig *rig = rig_open(ROUTES);
    get(rig, "GET", "/large", "Range: bytes=100010-100014\n");
    rig_expect(rig, "0ms #1 206\n0ms #1 \"GHIJK\" end\n");       /* 100010 is 42 more than 1562 times 64 */
    get(rig, "GET", "/large", "Range: bytes=900000-\n");
    rig_expect(rig, "0ms #2 206\n0ms #2 +50000\n0ms #2 +50000 end\n");
    rig_close(rig);
}

#define BOUNDARY "00000000000000000001"

static void expect_parts(struct rig *rig, const char *path, const char *ranges, const char *head, const char *body)
{
    struct world_completion out[1];
    char headers[100], all[1000];
    sprintf(headers, "Range: %s\n", ranges);
    get(rig, "GET", path, headers);
    assert_int_equal(rig->world->wait(rig->world, INT64_MAX, out, 1), 1);
    assert_int_equal(out[0].status, 206);
    size_t length = strlen(body);
    int n = snprintf(all, sizeof all, "%sContent-Type: multipart/byteranges; boundary=" BOUNDARY "\n"
                     "Content-Length: %zu\n", head, length);
    assert_int_equal(out[0].head, n);
    assert_memory_equal(out[0].data, all, (size_t)n);
    assert_int_equal(out[0].size, (size_t)n + length);
    assert_memory_equal((const char *)out[0].data + n, body, length);
}

/* As nginx sends them: each with its own lines, in the order in which they were asked for. */
static void test_several_parts(void **state)
{
    (void)state;
    struct rig *rig = rig_open(ROUTES);
    expect_parts(rig, "/typed", "bytes=4-5, 0-1,20-,-1", "X-A: b\nAccept-Ranges: bytes\n",
                 "\r\n--" BOUNDARY "\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-5/10\r\n\r\n45"
                 "\r\n--" BOUNDARY "\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
                 "\r\n--" BOUNDARY "\r\nContent-Type: text/plain\r\nContent-Range: bytes 9-9/10\r\n\r\n9"
                 "\r\n--" BOUNDARY "--\r\n");
    expect_parts(rig, "/large", "bytes=0-1,100010-100012", "Accept-Ranges: bytes\n",
                 "\r\n--" BOUNDARY "\r\nContent-Range: bytes 0-1/1000000\r\n\r\n01"
                 "\r\n--" BOUNDARY "\r\nContent-Range: bytes 100010-100012/1000000\r\n\r\nGHI"
                 "\r\n--" BOUNDARY "--\r\n");
    rig_close(rig);
}

/* A turn comes before what the request asks for; a part is cut where the fault says, if it is long enough. */
static void test_turns_and_faults(void **state)
{
    (void)state;
    struct rig *rig = rig_open(ROUTES);
    get(rig, "GET", "/turns", "If-None-Match: \"v1\"\n");
    get(rig, "GET", "/turns", "If-None-Match: \"v1\"\n");
    get(rig, "GET", "/cut", "Range: bytes=2-\n");
    get(rig, "GET", "/cut", "Range: bytes=6-\n");
    rig_expect(rig, "0ms #1 503 end\n0ms #2 304 end\n0ms #3 206 \"2345\" end EPROTO\n0ms #4 206 \"6789\" end\n");
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_only_if_it_is_still_that_one),
        cmocka_unit_test(test_still_the_same),
        cmocka_unit_test(test_only_for_another_version),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_several_parts),
        cmocka_unit_test(test_a_part_of_the_pattern),
        cmocka_unit_test(test_turns_and_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
