/* co_test.h - tests of programs that wait: the manual.
 *
 * A test is a body that runs in a fresh loop and a fresh world, whose clock starts at 0. First it says what the web
 * looks like (mock_get), then it calls what it tests, then it says what must be so, with cmocka's assert_... macros.
 *
 *     #include "co_test.h"
 *
 *     CO_TEST(a_page_that_is_not_there)
 *     {
 *         mock_get("http://shop.test/tea", .status = 404, .delay = CO_MS(300));
 *
 *         struct page page;
 *         int rc = scrape_page("http://shop.test/tea", CO_SEC(2), &page);
 *
 *         assert_int_equal(rc, 0);
 *         assert_int_equal(page.status, 404);
 *         assert_int_equal(co_now(), CO_MS(300));         // virtual time: exact, and it costs none of yours
 *         assert_int_equal(mock_requests("http://shop.test/tea"), 1);
 *     }
 *
 * pytest: an `async def test_...` marked with @pytest.mark.asyncio; aioresponses: m.get(url, status=404).
 *
 * A test has failed when an assertion in it does not hold, in whichever task or callback it stands; and also when it
 * crashes, deadlocks, ends the program, or leaves something behind that co.h calls a leak. The rest of a
 * test that failed is not run.
 */
#ifndef CO_TEST_H
#define CO_TEST_H

#include "co.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#ifndef CO_TEST_WITHOUT_CMOCKA
#include <cmocka.h>
#endif

/* Defines a test. It is found by itself: there is no list to put it into. Its name is one word, as of a function. */
#define CO_TEST(name) \
    static void name(void); \
    __attribute__((constructor)) static void co_test_add_##name(void) \
    { \
        static struct co_test test = {#name, name, __FILE__, __LINE__, NULL}; \
        co_test_add(&test); \
    } \
    static void name(void)

/* ---- What the web looks like --------------------------------------------------------------------- */

/* How a URL answers. Leave out what you do not need: then it is a 200 with an empty body, at once. */
struct mock {
    int status;             /* 0 = 200                                                                         */
    const char *body;       /* NULL = "". An answer of status 204 or 304 has none: what stands here is not sent */
    size_t length;          /* bytes of body; 0 = up to its '\0'                                               */
    const char *redirect;   /* the URL it sends the client to (status 302, or the 3xx you say)                 */
    int64_t delay;          /* ns from the request to the answer; CO_FOREVER = it never answers                */
    int64_t every;          /* > 0: the body drips, a byte comes every so many ns (after the delay)            */
    int error;              /* 0, or how the request fails instead:
                                 -ECONNREFUSED  nobody listens there; at once, whatever the delay
                                 -CO_ENOHOST    no such host; at once. All mocks of that host must say so
                                 -ECONNRESET    broken off in the middle of the answer, after the delay
                                 -EPROTO        the answer ends before all of it has come, after the delay     */
};

/* Mocks a URL: every GET of it is answered so. Say it before the first request and before time passes. A URL that was
 * not mocked is a 404 where its host has other mocks, and else no such host. */
#define mock_get(url, ...) mock_get_at((url), (struct mock){__VA_ARGS__}, __FILE__, __LINE__)

/* ---- What the world saw ---------------------------------------------------------------------------- */
/* These tell facts of the network, not what the program says of itself. A request is *in flight* from the moment it is
 * sent until it has its whole answer, has failed, or was given up. Where a URL is asked for, NULL means all of them. */

int mock_requests(const char *url);        /* how many requests were made                               */
int mock_given_up(const char *url);        /* how many of them were given up before they had their answer */
int mock_in_flight(const char *url);       /* how many are in flight now                                */
int mock_peak(void);                       /* the most that were in flight at once                      */
int64_t mock_begun_at(const char *url);    /* when the first request was made, on co_now's clock; -1: none was */
int64_t mock_ended_at(const char *url);    /* when the last one ended; -1: none was made, or one is in flight */

/* ---- Behind the macros ------------------------------------------------------------------------------ */

struct co_test {
    const char *name;
    void (*body)(void);
    const char *file;
    int line;
    struct co_test *next;
};
void co_test_add(struct co_test *test);
struct co_test *co_test_find(const char *name);     /* NULL: there is none */
void mock_get_at(const char *url, struct mock mock, const char *file, int line);

/* What became of a test. */
struct co_test_result {
    const struct co_test *test;
    char verdict[16];       /* passed, assertion, deadlock, leak, crash, or ended (it called exit)          */
    char *said;             /* what was said on stderr meanwhile, also by an assertion                      */
};
/* Runs tests in a child process, one after the other. One that fails ends its process; those behind it run in the next.
 * Fills in results[0..n), whose `said` the caller frees. 0, or -1 if there can be no child. */
int co_test_run(const struct co_test *const tests[], struct co_test_result results[], size_t n, const char *trace);
/* Shows results; returns how many tests have failed. */
typedef int co_test_show(const struct co_test_result results[], size_t n);
/* The whole of main(): runs the tests named on the command line, or all. Returns the exit code. */
int co_test_main(int argc, char **argv, const char *program, co_test_show *show);

#endif
