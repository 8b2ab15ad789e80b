/* test.c - what stands behind co_test.h: tests that run in a loop and a world of their own, and the world they mock.
 *
 * An assertion of cmocka leaves a failed test with a longjmp. In a task that would jump from one stack to another and leave
 * a loop behind with tasks in it, so here nothing jumps: cmocka is told to abort instead (CMOCKA_TEST_ABORT, its own switch
 * for debuggers). The abort is caught, the verdict is written down, and the process ends. So a failure in any task, in
 * a callback or in a signal is one and the same thing, and what follows it cannot be damaged by it: the remaining tests run in
 * another process. Tests that pass share a process, as in any other suite.
 *
 * Nothing in here needs cmocka; only the program does, in which the assertions stand.
 */
#define _GNU_SOURCE
#define CO_TEST_WITHOUT_CMOCKA
#include "co_test.h"

#include "runtime.h"
#include "world.h"

#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void __gcov_dump(void) __attribute__((weak));

enum { TEXT_SIZE = 16384, LINE_SIZE = 2 * TEXT_SIZE, CPU_SECONDS = 10 };

/* One request that the world saw. */
struct seen {
    uint64_t id;
    char *url;
    int64_t begun, ended;           /* ended -1: in flight */
    int rc, status;
    bool given_up;
};

/* What is said on stderr during a test. In memory that a child shares, so that it outlives it. */
struct said {
    size_t length;
    char text[TEXT_SIZE];
};

/* The test under way. One at a time: the mocks are called without any handle. */
static struct {
    const struct co_test *test;     /* NULL: none */
    int results;                    /* where the verdicts go */
    struct co_world world;          /* what the loop is given: it passes everything on to `inner` */
    struct co_world *inner;         /* NULL: nobody has used it yet, so mocks may still be added */
    json_t *sites;
    struct seen *seen;
    size_t seen_count, seen_room;
    int in_flight, peak;
    int64_t took;                   /* the clock when the loop ended */
    struct said *said;
    FILE *usual_stderr;
} now;

/* ---- The tests there are ---------------------------------------------------------------------- */

static struct co_test *first_test;

void co_test_add(struct co_test *test)
{
    struct co_test **at = &first_test;
    while (*at && (*at)->line <= test->line)     /* constructors may run in any order */
        at = &(*at)->next;
    test->next = *at;
    *at = test;
}

struct co_test *co_test_find(const char *name)
{
    struct co_test *test = first_test;
    while (test && strcmp(test->name, name) != 0)
        test = test->next;
    return test;
}

/* ---- Mocks ------------------------------------------------------------------------------------- */

/* Fails the test: as an assertion that stands at that place. */
static _Noreturn __attribute__((format(printf, 3, 4))) void refuse(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
    abort();
}

static json_t *time_json(int64_t ns)
{
    return json_sprintf("%lldns", (long long)ns);
}

/* The site that a URL belongs to, in now.sites; made if it is new. *path is what follows it in the URL; NULL: it is no URL. */
static json_t *site_of(const char *url, const char **path)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : NULL;
    *path = NULL;
    if (!host || !*host || *host == '/')
        return NULL;
    *path = host + strcspn(host, "/?#");
    size_t i;
    json_t *site;
    json_array_foreach (now.sites, i, site) {
        const char *known = json_string_value(json_object_get(site, "url"));
        if (strlen(known) == (size_t)(*path - url) && strncasecmp(known, url, (size_t)(*path - url)) == 0)
            return site;
    }
    site = json_pack("{s:s%, s:[]}", "url", url, (size_t)(*path - url), "routes");
    json_array_append_new(now.sites, site);
    return site;
}

/* Any bytes. As text where they are text, for the sake of those who read a world. */
static void put_body(json_t *route, const char *body, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    json_t *text = json_stringn(body, length);
    if (text) {
        json_object_set_new(route, "body", text);
        return;
    }
    char *coded = malloc(length / 3 * 4 + 5), *at = coded;
    for (size_t i = 0; coded && i < length; i += 3) {
        unsigned char in[3] = {0};
        size_t n = length - i < 3 ? length - i : 3;
        memcpy(in, body + i, n);
        unsigned bits = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
        for (size_t k = 0; k < 4; k++)
            *at++ = k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
    }
    if (coded)
        json_object_set_new(route, "body_base64", json_stringn(coded, (size_t)(at - coded)));
    free(coded);
}

/* A fault inside the body, half-way: that needs a body. */
static json_t *fault_in_body(json_t *route, const char *kind, size_t length)
{
    if (length == 0)
        json_object_set_new(route, "body_size", json_integer(length = 64));
    return json_pack("{s:s, s:I}", "kind", kind, "after", (json_int_t)(length / 2));
}

void mock_get_at(const char *url, struct mock mock, const char *file, int line)
{
    const char *path;
    if (!now.test)
        return;
    if (now.inner)
        refuse(file, line, "mock_get comes too late: a request was made already, or time has passed. Mock everything first");
    json_t *site = site_of(url, &path);
    if (!site)
        refuse(file, line, "mock_get: \"%s\" is no URL such as \"http://a.test/page\"", url);
    json_t *route = json_pack("{s:s+, s:s}", "path", *path == '/' ? "" : "/", path, "method", "GET");
    if (!route)
        refuse(file, line, "mock_get: the path of a URL is ASCII");
    size_t i, length = mock.body ? mock.length ? mock.length : strlen(mock.body) : 0;
    json_t *other, *routes = json_object_get(site, "routes"), *fault = NULL;
    json_array_foreach (routes, i, other)
        if (json_equal(json_object_get(other, "path"), json_object_get(route, "path")))
            refuse(file, line, "mock_get: \"%s\" is mocked already", url);
    if (mock.delay < 0 || mock.every < 0)
        refuse(file, line, "mock_get: a delay is 0 or more");
    bool no_host = mock.error == -CO_ENOHOST;
    if (json_array_size(routes) > 0 && no_host != !!json_object_get(site, "fault"))
        refuse(file, line, "mock_get: \"%s\": either a host exists, or all of its mocks say -CO_ENOHOST", url);

    if (mock.status)
        json_object_set_new(route, "status", json_integer(mock.status));
    if (mock.redirect)
        json_object_set_new(route, "redirect", json_string(mock.redirect));
    if (length)
        put_body(route, mock.body, length);
    if (mock.delay == CO_FOREVER)
        fault = json_pack("{s:s}", "kind", "hang");
    else
        json_object_set_new(route, "latency", time_json(mock.delay));
    if (mock.every && mock.delay != CO_FOREVER)
        fault = json_pack("{s:s, s:i, s:o}", "kind", "drip", "bytes", 1, "every", time_json(mock.every));
    if (mock.error && fault)
        refuse(file, line, "mock_get: an error, or no answer, or a body that drips: one of them");
    switch (mock.error) {
    case 0: break;
    case -ECONNREFUSED: fault = json_pack("{s:s}", "kind", "refused"); break;
    case -CO_ENOHOST: json_object_set_new(site, "fault", json_pack("{s:s}", "kind", "unresolved")); break;
    case -ECONNRESET: fault = fault_in_body(route, "reset", length); break;
    case -EPROTO: fault = fault_in_body(route, "truncate", length); break;
    default:
        refuse(file, line, "mock_get: .error is 0, -ECONNREFUSED, -CO_ENOHOST, -ECONNRESET or -EPROTO (.delay = CO_FOREVER for a "
               "page that never answers), not %d", mock.error);
    }
    if (fault)
        json_object_set_new(route, "fault", fault);
    json_array_append_new(routes, route);
}

/* ---- The world, as its users see it ----------------------------------------------------------- */

static struct seen *find_seen(uint64_t id)
{
    for (size_t i = now.seen_count; i-- > 0;)
        if (now.seen[i].id == id)
            return &now.seen[i];
    return NULL;
}

/* Opens it, if this is the first use: the mocks are complete then. */
static struct co_world *inner(void)
{
    if (now.inner)
        return now.inner;
    char error[512];
    json_t *world = json_pack("{s:s, s:O}", "world", "looplab/world/v1", "sites", now.sites);
    char *text = json_dumps(world, JSON_COMPACT);
    now.inner = text ? world_virtual_open(text, 0, co__loop->open_trace, co__loop->tape, error, sizeof error) : NULL;
    free(text);
    json_decref(world);
    if (!now.inner)
        refuse(now.test->file, now.test->line, "the mocks of this test make no world: %s", text ? error : "out of memory");
    return now.inner;
}

static int64_t world_now(struct co_world *world)
{
    (void)world;
    return now.inner ? now.inner->now(now.inner) : 0;
}

static void see(uint64_t id, const char *url, size_t length)
{
    if (now.seen_count == now.seen_room) {
        size_t room = now.seen_room ? 2 * now.seen_room : 64;
        struct seen *seen = realloc(now.seen, room * sizeof *seen);
        if (!seen)
            return;
        now.seen = seen;
        now.seen_room = room;
    }
    now.seen[now.seen_count++] = (struct seen){.id = id, .url = strndup(url, length), .begun = world_now(NULL), .ended = -1};
    if (++now.in_flight > now.peak)
        now.peak = now.in_flight;
}

static uint64_t world_submit(struct co_world *world, const struct world_request *request)
{
    (void)world;
    uint64_t id = inner()->submit(inner(), request);
    if (id && request->op == WORLD_HTTP)
        see(id, (const char *)request->data + request->lengths[0], request->lengths[1]);
    return id;
}

static void world_cancel(struct co_world *world, uint64_t id)
{
    (void)world;
    inner()->cancel(inner(), id);
    struct seen *seen = find_seen(id);
    if (seen && seen->ended < 0) {
        seen->given_up = true;
        seen->ended = world_now(NULL);
        seen->rc = -ECANCELED;
        now.in_flight--;
    }
}

static size_t world_wait(struct co_world *world, int64_t until, struct world_completion out[], size_t max)
{
    (void)world;
    size_t n = inner()->wait(inner(), until, out, max);
    for (size_t i = 0; i < n; i++) {
        struct seen *seen = find_seen(out[i].id);
        if (!seen)
            continue;
        if (out[i].parts & WORLD_HEAD)
            seen->status = out[i].status;
        if (!(out[i].parts & WORLD_END))
            continue;
        now.in_flight -= seen->ended < 0;
        seen->ended = out[i].t;
        seen->rc = out[i].rc;
        seen->given_up = out[i].rc == -ECANCELED;    /* else its answer was there in the instant in which it was given up */
    }
    return n;
}

static void world_block(struct co_world *world, int64_t ns)
{
    (void)world;
    inner()->block(inner(), ns);
}

static void world_close(struct co_world *world)
{
    now.took = world_now(world);
    if (now.inner)
        now.inner->close(now.inner);
    now.inner = NULL;
}

/* ---- What the world saw ------------------------------------------------------------------------ */

/* Is this a request for that URL? A URL without a path is the one with "/". */
static bool is_for(const struct seen *seen, const char *url)
{
    if (!url || (seen->url && strcmp(seen->url, url) == 0))
        return true;
    size_t length = strlen(url);
    const char *host = strstr(url, "://");
    return seen->url && host && !strchr(host + 3, '/') && strncmp(seen->url, url, length) == 0 && strcmp(seen->url + length, "/") == 0;
}

int mock_requests(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.seen_count; i++)
        n += is_for(&now.seen[i], url);
    return n;
}

int mock_given_up(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.seen_count; i++)
        n += is_for(&now.seen[i], url) && now.seen[i].given_up;
    return n;
}

int mock_in_flight(const char *url)
{
    int n = 0;
    for (size_t i = 0; i < now.seen_count; i++)
        n += is_for(&now.seen[i], url) && now.seen[i].ended < 0;
    return n;
}

int mock_peak(void)
{
    return now.peak;
}

int64_t mock_begun_at(const char *url)
{
    for (size_t i = 0; i < now.seen_count; i++)
        if (is_for(&now.seen[i], url))
            return now.seen[i].begun;
    return -1;
}

int64_t mock_ended_at(const char *url)
{
    int64_t last = -1;
    for (size_t i = 0; i < now.seen_count; i++) {
        const struct seen *seen = &now.seen[i];
        if (!is_for(seen, url))
            continue;
        if (seen->ended < 0)
            return -1;
        last = seen->ended > last ? seen->ended : last;
    }
    return last;
}

/* ---- Verdicts ----------------------------------------------------------------------------------- */
/* They are written by hand into memory of their own: after a crash there may be no malloc any more. */

static char line[LINE_SIZE];

static size_t put(size_t at, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t put(size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + at, sizeof line - at, format, args);
    va_end(args);
    return n < 0 ? at : at + (size_t)n < sizeof line ? at + (size_t)n : sizeof line - 1;
}

/* A text as a JSON string; what is neither ASCII nor a line break becomes a '?', and the end of a long one is cut off. */
static size_t put_text(size_t at, const char *text, size_t length)
{
    at = put(at, "\"");
    for (size_t i = 0; i < length && at < sizeof line - 512; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            at = put(at, "\\%c", c);
        else if (c == '\n')
            at = put(at, "\\n");
        else
            at = put(at, "%c", c >= ' ' && c < 127 ? c : '?');
    }
    return put(at, "\"");
}

static void write_line(size_t length)
{
    line[length++] = '\n';
    for (size_t done = 0; done < length;) {
        ssize_t n = write(now.results, line + done, length - done);
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static void write_tests(void)
{
    size_t at = put(0, "{\"suite\":\"looplab/suite/v1\",\"tests\":[");
    for (const struct co_test *test = first_test; test; test = test->next) {
        at = put_text(put(at, "%s{\"name\":", test == first_test ? "" : ","), test->name, strlen(test->name));
        at = put_text(put(at, ",\"file\":"), test->file, strlen(test->file));
        at = put(at, ",\"line\":%d}", test->line);
    }
    write_line(put(at, "]}"));
}

static void write_begin(const struct co_test *test)
{
    write_line(put(put_text(put(0, "{\"begin\":"), test->name, strlen(test->name)), "}"));
}

/* verdict: passed, assertion, deadlock, leak, ended (by exit) or crash. */
static void write_verdict(const char *verdict)
{
    int statuses[16], n = 0, errors = 0, given_up = 0;
    for (size_t i = 0; i < now.seen_count; i++) {
        int k = 0;
        errors += now.seen[i].rc < 0 && !now.seen[i].given_up;
        given_up += now.seen[i].given_up;
        while (k < n && statuses[k] != now.seen[i].status)
            k++;
        if (k == n && n < 16 && now.seen[i].rc == 0 && now.seen[i].status)
            statuses[n++] = now.seen[i].status;
    }
    size_t at = put_text(put(0, "{\"test\":"), now.test->name, strlen(now.test->name));
    at = put(at, ",\"verdict\":\"%s\",\"requests\":%zu,\"peak\":%d,\"errors\":%d,\"given_up\":%d,\"blocked\":%s,\"took\":%lld,\"statuses\":[",
             verdict, now.seen_count, now.peak, errors, given_up, strstr(now.said->text, " blocked the loop for ") ? "true" : "false",
             (long long)(now.took ? now.took : world_now(NULL)));
    for (int k = 0; k < n; k++)
        at = put(at, "%s%d", k ? "," : "", statuses[k]);
    at = put(at, "],\"said\":");
    write_line(put(put_text(at, now.said->text, now.said->length), "}"));
}

/* ---- One test ------------------------------------------------------------------------------------ */

static const char assertion[] = ": error: Failure!";    /* the end of what cmocka says of every assertion that does not hold */

/* cmocka's abort after a failed assertion, and anybody else's. */
static void on_abort(int number)
{
    (void)number;
    const char *said = now.said->text;
    if (now.test)
        write_verdict(strstr(said, ": deadlock at ") ? "deadlock" : strstr(said, assertion) || strstr(said, "Assertion `") ? "assertion" : "crash");
    if (__gcov_dump)
        __gcov_dump();
    _exit(1);
}

static void on_exit_in_test(void)
{
    if (!now.test)
        return;
    write_verdict("ended");
    _exit(1);
}

/* stderr, while a test runs: what is said is kept, as it belongs to the verdict. */
static ssize_t hear(void *cookie, const char *text, size_t n)
{
    (void)cookie;
    struct said *said = now.said;
    size_t room = sizeof said->text - 1 - said->length, take = n < room ? n : room;
    memcpy(said->text + said->length, text, take);
    said->length += take;
    said->text[said->length] = '\0';
    return (ssize_t)n;
}

static int run_body(void *job)
{
    const struct co_test *test = job;
    test->body();
    return 0;
}

/* Returns only if the test has passed. */
static void run_test(const struct co_test *test, const char *trace)
{
    now.test = test;
    now.inner = NULL;
    now.sites = json_array();
    now.seen_count = 0;
    now.in_flight = now.peak = 0;
    now.took = 0;
    now.said->length = 0;
    now.said->text[0] = '\0';
    now.world = (struct co_world){.now = world_now, .submit = world_submit, .cancel = world_cancel, .wait = world_wait,
                                  .block = world_block, .close = world_close};
    write_begin(test);

    struct co_options options = {.program = test->name, .trace_file = trace, .world = &now.world};
    int rc = co_run_named(run_body, (void *)(uintptr_t)test, &options, test->name);

    const char *verdict = rc == -EDEADLK ? "deadlock" : rc < 0 ? "crash" : strstr(now.said->text, ": leak: ") ? "leak" : "passed";
    write_verdict(verdict);
    if (strcmp(verdict, "passed") != 0) {
        if (__gcov_dump)
            __gcov_dump();
        _exit(1);
    }
    now.test = NULL;
    for (size_t i = 0; i < now.seen_count; i++)
        free(now.seen[i].url);
    now.seen_count = 0;
    json_decref(now.sites);
}

/* Runs tests one after the other in this process, up to the first that fails: it ends the process with 1. */
static void run_here(const struct co_test *const tests[], size_t n, const char *trace)
{
    static struct said own;
    static bool prepared;
    now.said = now.said ? now.said : &own;
    if (!prepared) {
        atexit(on_exit_in_test);
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        struct sigaction action = {.sa_handler = on_abort};
        sigaction(SIGABRT, &action, NULL);
        prepared = true;
    }
    now.usual_stderr = stderr;
    FILE *ear = fopencookie(NULL, "w", (cookie_io_functions_t){.write = hear});
    if (ear) {
        setvbuf(ear, NULL, _IONBF, 0);
        stderr = ear;
    }
    for (size_t i = 0; i < n; i++)
        run_test(tests[i], trace);
    stderr = now.usual_stderr;
    if (ear)
        fclose(ear);
    write_line(put(0, "{\"end\":%zu}", n));
    free(now.seen);
    now.seen = NULL;
    now.seen_room = 0;
}

/* ---- All tests, each failure in a process of its own -------------------------------------------- */

/* Takes one line of a child's results into the results of the tests it was given. */
static void take_line(const char *text, const struct co_test *const tests[], struct co_test_result results[], size_t n)
{
    json_t *value = json_loads(text, 0, NULL);
    const char *begun = json_string_value(json_object_get(value, "begin")), *done = json_string_value(json_object_get(value, "test"));
    for (size_t i = 0; i < n; i++) {
        if (begun && strcmp(tests[i]->name, begun) == 0)
            snprintf(results[i].verdict, sizeof results[i].verdict, "crash");
        if (done && strcmp(tests[i]->name, done) == 0) {
            snprintf(results[i].verdict, sizeof results[i].verdict, "%s", json_string_value(json_object_get(value, "verdict")));
            results[i].said = strdup(json_string_value(json_object_get(value, "said")));
        }
    }
    json_decref(value);
}

/* How a child ended that could not say it itself. */
static char *last_words(int status, const struct said *said)
{
    char *text = NULL;
    const char *why = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? "it was still computing after 10 s"
                    : WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended the program";
    return asprintf(&text, "%.*s%s\n", (int)said->length, said->text, why) < 0 ? NULL : text;
}

/* Runs tests[0..n) in a child until one fails. Returns how many have a verdict then; 0 if there can be no child. */
static size_t run_in_child(const struct co_test *const tests[], struct co_test_result results[], size_t n, const char *trace)
{
    FILE *file = tmpfile();
    struct said *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    pid_t child = file && said != MAP_FAILED ? fork() : -1;
    if (child == 0) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS, CPU_SECONDS + 1});
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        now.results = fileno(file);
        now.said = said;
        run_here(tests, n, trace);
        fflush(NULL);
        if (__gcov_dump)
            __gcov_dump();
        _exit(0);
    }
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    size_t done = 0;
    if (child > 0) {
        char *text = NULL;
        size_t room = 0;
        rewind(file);
        while (getline(&text, &room, file) >= 0)
            take_line(text, tests, results, n);
        free(text);
        while (done < n && results[done].verdict[0])
            done++;
        if (done > 0 && !results[done - 1].said)
            results[done - 1].said = last_words(status, said);
    }
    if (file)
        fclose(file);
    if (said != MAP_FAILED)
        munmap(said, sizeof *said);
    return done;
}

int co_test_run(const struct co_test *const tests[], struct co_test_result results[], size_t n, const char *trace)
{
    for (size_t i = 0; i < n; i++)
        results[i] = (struct co_test_result){.test = tests[i]};
    for (size_t done = 0; done < n;) {
        size_t more = run_in_child(tests + done, results + done, n - done, trace);
        if (more == 0)
            return -1;
        done += more;
    }
    return 0;
}

/* ---- The command line ----------------------------------------------------------------------------- */

static int usage(const char *program, const char *what, const char *about)
{
    fprintf(stderr, "%s: %s%s\nusage: %s [--results FILE] [--trace FILE] [--list] [TEST...]\n", program, what, about, program);
    return 2;
}

/* Runs tests and writes down the results, or shows them. Returns the exit code. */
static int run_command(const char *program, const struct co_test *const tests[], size_t n, const char *results_file, const char *trace,
                       co_test_show *show)
{
    if (results_file) {
        now.results = open(results_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (now.results < 0)
            return usage(program, "cannot write ", results_file);
        write_tests();
        run_here(tests, n, trace);
        close(now.results);
        return 0;
    }
    struct co_test_result *results = calloc(n + 1, sizeof *results);
    int code = 1;
    if (!results || co_test_run(tests, results, n, trace) < 0)
        code = usage(program, "cannot start a process for the tests", "");
    else
        code = show(results, n) != 0;
    for (size_t i = 0; results && i < n; i++)
        free(results[i].said);
    free(results);
    return code;
}

int co_test_main(int argc, char **argv, const char *program, co_test_show *show)
{
    enum { RESULTS, TRACE, LIST };
    static const struct option options[] = {
        {"results", required_argument, NULL, RESULTS}, {"trace", required_argument, NULL, TRACE}, {"list", no_argument, NULL, LIST}, {0},
    };
    const char *trace = NULL, *results_file = NULL;
    bool list = false;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == RESULTS)
            results_file = optarg;
        else if (option == TRACE)
            trace = optarg;
        else if (option == LIST)
            list = true;
        else
            return usage(program, option == ':' ? "a value is missing after " : "there is no option ", argv[optind - 1]);
    }
    size_t n = 0;
    for (const struct co_test *test = first_test; test; test = test->next)
        n++;
    size_t words = (size_t)(argc - optind), count = list ? 0 : words ? words : n;
    const struct co_test **tests = calloc(count + 1, sizeof *tests);
    const struct co_test *next = first_test;
    const char *unknown = tests ? NULL : "(out of memory)";
    for (size_t i = 0; i < count && !unknown; i++) {
        tests[i] = words ? co_test_find(argv[optind + (int)i]) : next;
        unknown = tests[i] ? NULL : argv[optind + (int)i];
        next = next ? next->next : NULL;
    }
    for (const struct co_test *test = first_test; list && !results_file && test; test = test->next)
        printf("%s (%s:%d)\n", test->name, test->file, test->line);
    int code = unknown ? usage(program, "there is no test ", unknown)
             : list && !results_file ? 0 : run_command(program, tests, count, results_file, trace, show);
    free(tests);
    return code;
}
