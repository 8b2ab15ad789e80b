/* The world file: what it means, and how it is refused, word for word. */
#include "world_rig.h"

#include <sys/stat.h>

/* The line with which a world file is refused, without the file's name. The caller frees it. */
static char *refusal_of(const char *json)
{
    char path[256], error[400] = "", again[400] = "";
    char **urls = NULL;
    rig_file(path, json);
    struct co_world *world = world_virtual_open(path, 0, NULL, NULL, error, sizeof error);
    if (world)
        world->close(world);
    assert_int_equal(world_file_urls(path, &urls, again, sizeof again) < 0, world == NULL);
    free(urls);
    assert_string_equal(error, again);
    unlink(path);
    if (world)
        return strdup("");
    assert_memory_equal(error, path, strlen(path));
    assert_memory_equal(error + strlen(path), ": ", 2);
    for (const char *c = error; *c; c++)
        assert_true((unsigned char)*c >= ' ');
    return strdup(error + strlen(path) + 2);
}

static void expect_refusal(const char *json, const char *expected)
{
    char *refusal = refusal_of(json);
    assert_string_equal(refusal, expected);
    free(refusal);
}

/* The same, for a site, a route or a fault with these members more. */
static void expect_site(const char *members, const char *expected)
{
    char json[1000];
    snprintf(json, sizeof json, WORLD("'sites':[{'url':'http://a.test','routes':[]%s}]"), members);
    expect_refusal(json, expected);
}

static void expect_route(const char *members, const char *expected)
{
    char json[1000];
    snprintf(json, sizeof json, WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/0'},{'path':'/'%s}]}]"),
             members);
    expect_refusal(json, expected);
}

static void expect_fault(const char *fault, const char *expected)
{
    char json[1000];
    snprintf(json, sizeof json,
             WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','body':'hello','fault':%s}]}]"), fault);
    expect_refusal(json, expected);
}

/* ---- The file as such ---------------------------------------------------------------------- */

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    char error[200], folder[] = "/tmp/looplab-world-XXXXXX", expected[100];
    assert_null(world_virtual_open("/nowhere/w.json", 0, NULL, NULL, error, sizeof error));
    assert_string_equal(error, "/nowhere/w.json: cannot be read: No such file or directory");
    assert_non_null(mkdtemp(folder));
    assert_null(world_virtual_open(folder, 0, NULL, NULL, error, sizeof error));
    sprintf(expected, "%s: cannot be read: Is a directory", folder);
    assert_string_equal(error, expected);
    rmdir(folder);
}

static void test_a_short_buffer_gets_the_beginning(void **state)
{
    (void)state;
    char error[20], one[1] = "x";
    assert_null(world_virtual_open("/nowhere/w.json", 0, NULL, NULL, error, sizeof error));
    assert_string_equal(error, "/nowhere/w.json: ca");
    assert_null(world_virtual_open("/nowhere/w.json", 0, NULL, NULL, one, sizeof one));
    assert_string_equal(one, "");
}

/* The words are Jansson's and change with its version; line and column do not. */
static void test_what_is_no_json(void **state)
{
    (void)state;
    static const struct { const char *json, *where; } cases[] = {
        {"", "line 1, column 0: "},
        {"{\n  'world': 'looplab/world/v1',\n  'sites': [,]\n}", "line 3, column 13: "},
        {"{\n  'world': 'looplab\n/world/v1'}", "line 2, column "},
        {WORLD("'cpus':1,'cpus':2"), "line 1, column 43: duplicate object key"},
        {WORLD("'seed':99999999999999999999"), "line 1, column 55: "},
        {"{\x01}", "line 1, column "},
        {WORLD("'cpus':1") "x", "line 1, column "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *refusal = refusal_of(cases[i].json);
        assert_memory_equal(refusal, cases[i].where, strlen(cases[i].where));
        free(refusal);
    }
}

static void test_the_top(void **state)
{
    (void)state;
    expect_refusal("[]", "expected an object, not []");
    expect_refusal("3", "expected an object, not 3");
    expect_refusal("{}", "/world: missing, expected \"looplab/world/v1\"");
    expect_refusal("{'world':'looplab/world/v2'}", "/world: expected \"looplab/world/v1\", not \"looplab/world/v2\"");
    expect_refusal("{'world':1}", "/world: expected \"looplab/world/v1\", not 1");
    expect_refusal(WORLD("'site':[]"), "/site: unknown key, did you mean \"sites\"?");
    expect_refusal(WORLD("'a~/b':[]"), "/a~0~1b: unknown key, expected one of world, seed, cpus, sites, "
                                       "descriptors, disk, databases, clients, stop, $schema");
    expect_refusal(WORLD("'seed':-1"), "/seed: expected a whole number from 0, not -1");
    expect_refusal(WORLD("'seed':'7'"), "/seed: expected a whole number from 0, not \"7\"");
    expect_refusal(WORLD("'cpus':0"), "/cpus: expected a whole number from 1 to 1024, not 0");
    expect_refusal(WORLD("'cpus':1025"), "/cpus: expected a whole number from 1 to 1024, not 1025");
    expect_refusal(WORLD("'cpus':1.5"), "/cpus: expected a whole number from 1 to 1024, not 1.5");
    expect_refusal(WORLD("'descriptors':0"), "/descriptors: expected a whole number from 1, not 0");
    expect_refusal(WORLD("'sites':{}"), "/sites: expected an array, not {}");
    expect_refusal(WORLD("'sites':[7]"), "/sites/0: expected an object, not 7");
    expect_refusal(WORLD("'sites':null"), "/sites: expected an array, not null");
    expect_refusal(WORLD("'$schema':'world.schema.json','cpus':1024,'seed':0,'sites':[]"), "");
}

/* ---- Sites --------------------------------------------------------------------------------- */

#define NO_URL "expected a URL such as \"http://a.test\" or \"http://a.test:8080\", not "

static void test_site_urls(void **state)
{
    (void)state;
    expect_refusal(WORLD("'sites':[{}]"), "/sites/0/url: missing, expected a URL such as \"http://a.test\"");
    expect_refusal(WORLD("'sites':[{'url':''}]"), "/sites/0/url: " NO_URL "\"\"");
    expect_refusal(WORLD("'sites':[{'url':7}]"), "/sites/0/url: " NO_URL "7");
    expect_refusal(WORLD("'sites':[{'url':'a.test'}]"), "/sites/0/url: " NO_URL "\"a.test\"");
    expect_refusal(WORLD("'sites':[{'url':'http://'}]"), "/sites/0/url: " NO_URL "\"http://\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test/'}]"), "/sites/0/url: " NO_URL "\"http://a.test/\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test?x'}]"), "/sites/0/url: " NO_URL "\"http://a.test?x\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test:0'}]"), "/sites/0/url: " NO_URL "\"http://a.test:0\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test:70000'}]"), "/sites/0/url: " NO_URL "\"http://a.test:70000\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a .test'}]"), "/sites/0/url: " NO_URL "\"http://a .test\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test'},{'url':'http://b.test'},{'url':'HTTP://A.TEST:80'}]"),
                   "/sites/2/url: the same site as /sites/0");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test'},{'url':'https://a.test'},{'url':'http://a.test:81'}]"), "");
}

static void test_times(void **state)
{
    (void)state;
    static const char *const wrong[] = {"-5", "5", "'5'", "'-5ms'", "'5 ms'", "'ms'", "''", "'1.5s'", "'5m'", "'5msx'",
                                        "'+5ms'",
                                        "'5MS'", "null", "true", "[]", "'5ms\\u0000'"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char members[100], expected[200], value[40];
        size_t n = 0;
        for (const char *c = wrong[i]; *c; c++)
            value[n++] = *c == '\'' ? '"' : *c;
        value[n] = '\0';
        sprintf(members, ",'rtt':%s", wrong[i]);
        sprintf(expected, "/sites/0/rtt: expected a time such as \"300ms\", not %s", value);
        expect_site(members, expected);
    }
    expect_site(",'resolve':5", "/sites/0/resolve: expected a time such as \"300ms\", not 5");
    expect_site(",'connect':5", "/sites/0/connect: expected a time such as \"300ms\", not 5");
    expect_site(",'rtt':'9223372037s'", "/sites/0/rtt: expected a time of less than 292 years, not \"9223372037s\"");
    expect_site(",'rtt':'9223372036854775807ns'",
                "/sites/0/rtt: expected a time of less than 292 years, not \"9223372036854775807ns\"");
    expect_site(",'rtt':'99999999999999999999ns'",
                "/sites/0/rtt: expected a time of less than 292 years, not \"99999999999999999999ns\"");
    expect_site(",'rtt':'9223372036s','connect':'0ns','resolve':'007us'", "");
}

static void test_site_members(void **state)
{
    (void)state;
    expect_site(",'workers':0", "/sites/0/workers: expected a whole number from 1, not 0");
    expect_site(",'workers':'4'", "/sites/0/workers: expected a whole number from 1, not \"4\"");
    expect_site(",'max_connections':0", "/sites/0/max_connections: expected a whole number from 1, not 0");
#define NO_ADDRESSES "/sites/0/addresses: expected one or two of up, refused and dead, " \
                     "such as [\"dead\",\"up\"], not "
    expect_site(",'addresses':'up'", NO_ADDRESSES "\"up\"");
    expect_site(",'addresses':[]", NO_ADDRESSES "[]");
    expect_site(",'addresses':['up','up','up']", NO_ADDRESSES "[\"up\",\"up\",\"up\"]");
    expect_site(",'addresses':['up','down']", "/sites/0/addresses/1: expected up, refused or dead, not \"down\"");
    expect_site(",'works_on':1", "/sites/0/works_on: expected true or false, not 1");
    expect_site(",'backlog':-1", "/sites/0/backlog: expected a whole number from 0, not -1");
    expect_site(",'bandwidth':0", "/sites/0/bandwidth: expected a whole number from 1, not 0");
    expect_site(",'worker':1", "/sites/0/worker: unknown key, did you mean \"workers\"?");
    expect_site(",'keep_alive':5", "/sites/0/keep_alive: expected an object, not 5");
    expect_site(",'keep_alive':{'idle':5}", "/sites/0/keep_alive/idle: expected a time such as \"300ms\", not 5");
    expect_site(",'keep_alive':{'requests':0}", "/sites/0/keep_alive/requests: expected a whole number from 1, not 0");
    expect_site(",'maxconnections':1", "/sites/0/maxconnections: unknown key, did you mean \"max_connections\"?");
    expect_site(",'speed':1",
                "/sites/0/speed: unknown key, expected one of url, rtt, connect, resolve, addresses, workers, "
                "works_on, max_connections, backlog, keep_alive, rate_limit, limit_req, max_request, limit_conn, "
                              "bandwidth, link, fault, routes");
    expect_site(",'rate_limit':5", "/sites/0/rate_limit: expected an object, not 5");
    expect_site(",'rate_limit':{'per':'1s'}",
                "/sites/0/rate_limit/requests: missing, expected a whole number from 1 to 1000000");
    expect_site(",'rate_limit':{'requests':0,'per':'1s'}",
                "/sites/0/rate_limit/requests: expected a whole number from 1 to 1000000, not 0");
    expect_site(",'rate_limit':{'requests':1}",
                "/sites/0/rate_limit/per: missing, expected a time above 0, such as \"1s\"");
    expect_site(",'rate_limit':{'requests':1,'per':'0s'}",
                "/sites/0/rate_limit/per: expected a time above 0, such as \"1s\", not \"0s\"");
    expect_site(",'rate_limit':{'requests':1,'per':'1s','burst':2}",
                "/sites/0/rate_limit/burst: unknown key, expected one of requests, per");
    expect_site(",'fault':{'kind':'reset'}", "/sites/0/fault/kind: expected refused or unresolved, not \"reset\"");
    expect_site(",'fault':{}", "/sites/0/fault/kind: missing, expected refused or unresolved");
    expect_site(",'workers':1,'max_connections':1,'backlog':0,'bandwidth':1,'rate_limit':{'requests':1000000,"
                "'per':'1ns'},"
                "'fault':{'kind':'unresolved','probability':0.5}", "");
}

static void test_limits(void **state)
{
    (void)state;
#define NO_RATE "expected a rate such as \"5r/s\" or \"30r/m\", from 1 to 1000000"
    expect_site(",'limit_req':5", "/sites/0/limit_req: expected an object, not 5");
    expect_site(",'limit_req':{}", "/sites/0/limit_req/rate: missing, " NO_RATE);
    expect_site(",'limit_req':{'rate':'0r/s'}", "/sites/0/limit_req/rate: " NO_RATE ", not \"0r/s\"");
    expect_site(",'limit_req':{'rate':'5/s'}", "/sites/0/limit_req/rate: " NO_RATE ", not \"5/s\"");
    expect_site(",'limit_req':{'rate':'5r/h'}", "/sites/0/limit_req/rate: " NO_RATE ", not \"5r/h\"");
    expect_site(",'limit_req':{'rate':'1000001r/s'}", "/sites/0/limit_req/rate: " NO_RATE ", not \"1000001r/s\"");
    expect_site(",'limit_req':{'rate':5}", "/sites/0/limit_req/rate: " NO_RATE ", not 5");
    expect_site(",'limit_req':{'rate':'5r/s','burst':-1}",
                "/sites/0/limit_req/burst: expected a whole number from 0 to 1000000, not -1");
    expect_site(",'limit_req':{'rate':'5r/s','nodelay':1}",
                "/sites/0/limit_req/nodelay: expected true or false, not 1");
    expect_site(",'limit_req':{'rate':'5r/s','status':200}",
                "/sites/0/limit_req/status: expected a whole number from 400 to 599, not 200");
    expect_site(",'limit_req':{'rate':'5r/s','per':'1s'}", "/sites/0/limit_req/per: unknown key, expected one of "
                                                           "rate, burst, nodelay, status, retry_after");
    expect_site(",'link':0", "/sites/0/link: expected a whole number from 1 to 1000000000000, not 0");
    expect_site(",'link':5,'bandwidth':5", "/sites/0: expected only one of link and bandwidth");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','link':5,'routes':[{'path':'/','bandwidth':5}]}]"),
                   "/sites/0/routes/0/bandwidth: expected none, as the site's bodies share a link");
    expect_site(",'max_request':5", "/sites/0/max_request: expected an object, not 5");
    expect_site(",'max_request':{'url':0}", "/sites/0/max_request/url: expected a whole number from 1, not 0");
    expect_site(",'max_request':{'body':-1}", "/sites/0/max_request/body: expected a whole number from 0, not -1");
    expect_site(",'max_request':{'headers':5}", "/sites/0/max_request/headers: unknown key, did you mean \"header\"?");
    expect_site(",'limit_conn':{}", "/sites/0/limit_conn/requests: missing, expected a whole number from 1");
    expect_site(",'limit_conn':{'requests':0}",
                "/sites/0/limit_conn/requests: expected a whole number from 1, not 0");
    expect_site(",'limit_req':{'rate':'1000000r/s','burst':1000000,'nodelay':false,'status':429,'retry_after':true},"
                "'limit_conn':{'requests':1,'status':429}", "");
}

/* ---- Routes -------------------------------------------------------------------------------- */

#define NO_PATH "expected a path such as \"/index.html\""

static void test_paths_and_methods(void **state)
{
    (void)state;
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':{}}]"),
                   "/sites/0/routes: expected an array, not {}");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{}]}]"),
                   "/sites/0/routes/0/path: missing, " NO_PATH);
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'x'}]}]"),
                   "/sites/0/routes/0/path: " NO_PATH ", not \"x\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/a b'}]}]"),
                   "/sites/0/routes/0/path: " NO_PATH ", not \"/a b\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/a#b'}]}]"),
                   "/sites/0/routes/0/path: " NO_PATH ", not \"/a#b\"");
    expect_route(",'method':'get'", "/sites/0/routes/1/method: expected a method such as \"GET\", not \"get\"");
    expect_route(",'method':''", "/sites/0/routes/1/method: expected a method such as \"GET\", not \"\"");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/a'},{'path':'/b'},{'path':'/a'}]}]"),
                   "/sites/0/routes/2: the same path and method as routes/0");
    expect_refusal(WORLD("'sites':[{'url':'http://a.test','routes':[{'path':'/','method':'GET'},{'path':'/'},"
                         "{'path':'/','method':'PUT'},"
                         "{'path':'/','method':'GET'}]}]"), "/sites/0/routes/3: the same path and method as routes/0");
}

static void test_latencies(void **state)
{
    (void)state;
    expect_route(",'latency':-5", "/sites/0/routes/1/latency: expected a time such as \"300ms\", not -5");
    expect_route(",'latency':['1ms',5]", "/sites/0/routes/1/latency/1: expected a time such as \"300ms\", not 5");
    expect_route(",'latency':['5ms','1ms']", "/sites/0/routes/1/latency: expected two times, the shorter one first, "
                                             "such as [\"100ms\",\"500ms\"], not [\"5ms\",\"1ms\"]");
    expect_route(",'latency':['5ms']", "/sites/0/routes/1/latency: expected two times, the shorter one first, "
                                       "such as [\"100ms\",\"500ms\"], not [\"5ms\"]");
    expect_route(",'latency':['5ms','5ms']", "");
    expect_route(",'latncy':'5ms'", "/sites/0/routes/1/latncy: unknown key, did you mean \"latency\"?");
    expect_route(",'cpu':200", "/sites/0/routes/1/cpu: expected a time such as \"300ms\", not 200");
}

static void test_answers(void **state)
{
    (void)state;
#define NO_STATUS "/sites/0/routes/1/status: expected the HTTP status of an answer, from 200 to 599, not "
    expect_route(",'status':103", NO_STATUS "103");             /* an interim answer is none */
    expect_route(",'status':204,'body':'x'", "/sites/0/routes/1: an answer of status 204 has no body");
    expect_route(",'status':304,'body_size':1", "/sites/0/routes/1: an answer of status 304 has no body");
    expect_route(",'status':204,'echo':true", "/sites/0/routes/1: an answer of status 204 has no body");
    expect_route(",'headers':{'transfer-encoding':'chunked'}",
                 "/sites/0/routes/1/headers/transfer-encoding: unknown key, "
                 "the world itself says how long the body is");
    expect_route(",'status':99", NO_STATUS "99");
    expect_route(",'status':600", NO_STATUS "600");
    expect_route(",'status':'200'", NO_STATUS "\"200\"");
    expect_route(",'redirect':'/x','status':200",
                 "/sites/0/routes/1/status: expected an HTTP status from 300 to 399, as this is a redirect, not 200");
    expect_route(",'redirect':''", "/sites/0/routes/1/redirect: expected a URL such as \"http://a.test/b\", not \"\"");
    expect_route(",'redirect':5", "/sites/0/routes/1/redirect: expected a URL such as \"http://a.test/b\", not 5");
    expect_route(",'headers':[]",
                 "/sites/0/routes/1/headers: expected an object such as {\"Content-Type\":\"text/html\"}, not []");
    expect_route(",'headers':{'X':5}", "/sites/0/routes/1/headers/X: expected a text of one line, not 5");
    expect_route(",'headers':{'X':'a\\nb'}", "/sites/0/routes/1/headers/X: expected a text of one line, not \"a\\nb\"");
    expect_route(",'headers':{'a b':'x'}",
                 "/sites/0/routes/1/headers/a b: expected a header's name, without blanks and colons");
    expect_route(",'headers':{'content-length':'5'}",
                 "/sites/0/routes/1/headers/content-length: unknown key, the world itself says how long the body is");
    expect_route(",'body':5", "/sites/0/routes/1/body: expected a text, not 5");
    expect_route(",'body_base64':'A'", "/sites/0/routes/1/body_base64: expected a text in base64, not \"A\"");
    expect_route(",'body_base64':'A==='", "/sites/0/routes/1/body_base64: expected a text in base64, not \"A===\"");
    expect_route(",'body_base64':'AA-A'", "/sites/0/routes/1/body_base64: expected a text in base64, not \"AA-A\"");
    expect_route(",'body_base64':5", "/sites/0/routes/1/body_base64: expected a text in base64, not 5");
    expect_route(",'body_size':-1", "/sites/0/routes/1/body_size: expected a whole number from 0, not -1");
    expect_route(",'body_size':1,'body':''", "/sites/0/routes/1: expected only one of body and body_size");
    expect_route(",'body_size':1,'body_base64':''",
                 "/sites/0/routes/1: expected only one of body_base64 and body_size");
    expect_route(",'echo':1", "/sites/0/routes/1/echo: expected true, not 1");
    expect_route(",'echo':false", "/sites/0/routes/1/echo: expected true, not false");
    expect_route(",'echo':true,'body':''", "/sites/0/routes/1: expected only one of body and echo");
    expect_route(",'echo':true,'body_size':0", "/sites/0/routes/1: expected only one of body_size and echo");
    expect_route(",'require':{}",
                 "/sites/0/routes/1/require: expected an object such as {\"Authorization\":\"Bearer 1\"}, not {}");
    expect_route(",'require':'X'",
                 "/sites/0/routes/1/require: expected an object such as {\"Authorization\":\"Bearer 1\"}, not \"X\"");
    expect_route(",'require':{'X':1}", "/sites/0/routes/1/require/X: expected a text of one line, not 1");
    expect_route(",'require':{'X':'1\\n2'}", "/sites/0/routes/1/require/X: expected a text of one line, not \"1\\n2\"");
    expect_route(",'require':{'X Y':'1'}",
                 "/sites/0/routes/1/require/X Y: expected a header's name, without blanks and colons");
}

static void test_versions_and_framing(void **state)
{
    (void)state;
    expect_route(",'etag':'v1'",
                 "/sites/0/routes/1/etag: expected a tag in quotes, such as \"\\\"v1\\\"\", not \"v1\"");
    expect_route(",'etag':5", "/sites/0/routes/1/etag: expected a tag in quotes, such as \"\\\"v1\\\"\", not 5");
    expect_route(",'last_modified':'today'", "/sites/0/routes/1/last_modified: expected a date such as "
                                             "\"Wed, 21 Oct 2026 07:28:00 GMT\", not \"today\"");
    expect_route(",'last_modified':'Wed, 21 Okt 2026 07:28:00 GMT'",
                 "/sites/0/routes/1/last_modified: expected a date such as "
                 "\"Wed, 21 Oct 2026 07:28:00 GMT\", not \"Wed, 21 Okt 2026 07:28:00 GMT\"");
    expect_route(",'last_modified':'Wed, 31 Feb 2026 07:28:00 GMT'",
                 "/sites/0/routes/1/last_modified: expected a date such as "
                 "\"Wed, 21 Oct 2026 07:28:00 GMT\", not \"Wed, 31 Feb 2026 07:28:00 GMT\"");
    expect_route(",'ranges':1", "/sites/0/routes/1/ranges: expected true or false, not 1");
    expect_route(",'ranges':true,'status':404",
                 "/sites/0/routes/1: expected status 200 and no echo beside etag, last_modified and ranges");
    expect_route(",'ranges':true,'framing':'chunked'",
                 "/sites/0/routes/1: expected a body with a length beside ranges");
    expect_route(",'framing':'none'", "/sites/0/routes/1/framing: expected length, chunked or close, not \"none\"");
    expect_route(",'framing':5", "/sites/0/routes/1/framing: expected length, chunked or close, not 5");
    expect_route(",'framing':'close','echo':true", "/sites/0/routes/1: expected only one of echo and framing");
    expect_route(",'framing':'chunked','status':204", "/sites/0/routes/1: an answer of status 204 has no body");
    expect_route(",'trailers':{'X':'y'}", "/sites/0/routes/1/trailers: expected \"framing\":\"chunked\" beside it: "
                                          "no other body has trailers");
    expect_route(",'framing':'chunked','trailers':{}",
                 "/sites/0/routes/1/trailers: expected an object such as {\"X-Lines\":\"7\"}, not {}");
    expect_route(",'framing':'chunked','trailers':{'X':'y'}", "");
    expect_route(",'chunk':0", "/sites/0/routes/1/chunk: expected a whole number from 1, not 0");
    expect_route(",'bandwidth':0", "/sites/0/routes/1/bandwidth: expected a whole number from 1, not 0");
    expect_route(",'method':'POST','status':599,'headers':{'X':'ü'},'body':'a\\u0000b',"
                 "'chunk':1,'bandwidth':1,"
                 "'cpu':'0s'", "");
}

static void test_answers_in_turn(void **state)
{
    (void)state;
#define TURNS "/sites/0/routes/1/answers"
    expect_route(",'answers':503", TURNS ": expected an array, not 503");
    expect_route(",'answers':[]", TURNS ": expected at least one answer, such as [503,503], not []");
    expect_route(",'answers':[503,'x']", TURNS "/1: expected a status from 200 to 599, or an answer such as "
                                               "{\"status\":503,\"times\":2}, not \"x\"");
    expect_route(",'answers':[103]", TURNS "/0: expected a status from 200 to 599, or an answer such as "
                                           "{\"status\":503,\"times\":2}, not 103");
    expect_route(",'answers':[{'status':503,'times':0}]", TURNS "/0/times: expected a whole number from 1, not 0");
    expect_route(",'answers':[{'probability':2}]", TURNS "/0/probability: expected a probability from 0 to 1, not 2");
    expect_route(",'answers':[{'times':1,'probability':0.5}]",
                 TURNS "/0: expected either times or probability, not both");
    expect_route(",'answers':[{'status':204,'body':'x'}]", TURNS "/0: an answer of status 204 has no body");
    expect_route(",'answers':[{'latency':'1ms'}]",
                 TURNS "/0/latency: unknown key, expected one of times, probability, status, headers, body, "
                       "body_base64, body_size, redirect");
    expect_route(",'answers':[503,{'body_size':100000000,'times':3},{'redirect':'/0','probability':0}],'echo':true",
                 "");
}

static void test_long_values_are_cut(void **state)
{
    (void)state;
    expect_route(",'latency':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
                 "/sites/0/routes/1/latency: expected a time such as \"300ms\", "
                 "not \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...");
}

/* ---- Faults -------------------------------------------------------------------------------- */

#define FAULT "/sites/0/routes/0/fault"

static void test_faults(void **state)
{
    (void)state;
    expect_fault("'hang'", FAULT ": expected an object, not \"hang\"");
    expect_fault("{}", FAULT "/kind: missing, expected refused, reset, close, hang, drip or truncate");
    expect_fault("{'kind':'unresolved'}",
                 FAULT "/kind: expected refused, reset, close, hang, drip or truncate, not \"unresolved\"");
    expect_fault("{'kind':7}", FAULT "/kind: expected refused, reset, close, hang, drip or truncate, not 7");
    expect_fault("{'kind':'hang','after':1}", FAULT "/after: unknown key, expected one of kind, times, probability");
    expect_fault("{'kind':'reset','afer':1}", FAULT "/afer: unknown key, did you mean \"after\"?");
    expect_fault("{'kind':'reset','after':-1}", FAULT "/after: expected a whole number from 0, not -1");
    expect_fault("{'kind':'reset','after':6}", FAULT "/after: expected a whole number from 0 to 5, not 6");
    expect_fault("{'kind':'truncate','after':5}", FAULT "/after: expected a whole number from 0 to 4, not 5");
    expect_route(",'fault':{'kind':'truncate'}",
                 "/sites/0/routes/1/fault: expected a route with a body, as there is nothing to truncate");
    expect_fault("{'kind':'drip'}", FAULT "/every: missing, expected a time above 0, such as \"1s\"");
    expect_fault("{'kind':'drip','every':'0s'}", FAULT "/every: expected a time above 0, such as \"1s\", not \"0s\"");
    expect_fault("{'kind':'drip','every':'1s','bytes':0}", FAULT "/bytes: expected a whole number from 1, not 0");
    expect_fault("{'kind':'hang','times':-1}", FAULT "/times: expected a whole number from 0, not -1");
    expect_fault("{'kind':'hang','probability':1.5}",
                 FAULT "/probability: expected a probability from 0 to 1, not 1.5");
    expect_fault("{'kind':'hang','probability':-0.5}",
                 FAULT "/probability: expected a probability from 0 to 1, not -0.5");
    expect_fault("{'kind':'hang','probability':'0.5'}",
                 FAULT "/probability: expected a probability from 0 to 1, not \"0.5\"");
    expect_fault("{'kind':'hang','times':1,'probability':0.5}",
                 FAULT ": expected either times or probability, not both");
    expect_fault("{'kind':'reset','after':5,'times':0}", "");
    expect_fault("{'kind':'truncate','after':4,'probability':1}", "");
}

/* ---- URLs ---------------------------------------------------------------------------------- */

static void test_urls_in_the_file_s_order(void **state)
{
    (void)state;
    char path[256], error[200], **urls;
    rig_file(path,
             WORLD("'sites':[{'url':'http://B.test:8080','routes':[{'path':'/z'},{'path':'/a?q=1','method':'POST'}]},"
                         "{'url':'http://e.test'},{'url':'http://a.test','routes':[{'path':'/'}]}]"));
    assert_int_equal(world_file_urls(path, &urls, error, sizeof error), 3);
    assert_string_equal(urls[0], "http://B.test:8080/z");
    assert_string_equal(urls[1], "http://B.test:8080/a?q=1");
    assert_string_equal(urls[2], "http://a.test/");
    assert_null(urls[3]);
    free(urls);
    unlink(path);
    rig_file(path, WORLD("'cpus':1"));
    assert_int_equal(world_file_urls(path, &urls, error, sizeof error), 0);
    assert_null(urls[0]);
    free(urls);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_a_short_buffer_gets_the_beginning),
        cmocka_unit_test(test_what_is_no_json),
        cmocka_unit_test(test_the_top),
        cmocka_unit_test(test_site_urls),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_site_members),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_paths_and_methods),
        cmocka_unit_test(test_latencies),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_versions_and_framing),
        cmocka_unit_test(test_answers_in_turn),
        cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_urls_in_the_file_s_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
