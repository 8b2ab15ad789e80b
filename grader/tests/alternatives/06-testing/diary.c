/* A suite that compares stories: everything that happens is written into a diary, and the diary is compared with what it should be. */
#include "co_test.h"
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>

struct diary {
    char text[4000];
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) enter(struct diary *diary, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diary->length += (size_t)vsnprintf(diary->text + diary->length, sizeof diary->text - diary->length, format, args);
    va_end(args);
}

static const char *short_of(const char *url)
{
    return strrchr(url, '/') + 1;
}

static void told(void *arg, const struct page *page, size_t done, size_t total)
{
    enter(arg, "%lld:%s %zu/%zu; ", (long long)(co_now() / CO_MS(1)), short_of(page->url), done, total);
}

/* The log has a diary of its own: which of the two is first at one instant is nobody's business. */
static void logged(void *arg, const char *url, const char *cause)
{
    enter((struct diary *)arg + 1, "%lld:%s%s; ", (long long)(co_now() / CO_MS(1)), short_of(url), cause[0] ? "" : " without a cause");
}

static const char *results_of(const struct page out[], size_t n)
{
    static struct diary diary;
    diary.length = 0;
    for (size_t i = 0; i < n; i++)
        enter(&diary, "%s %s %d '%s' %lld; ", short_of(out[i].url), out[i].error ? co_strerror(out[i].error) : "ok", out[i].status, out[i].title,
              (long long)(out[i].took / CO_MS(1)));
    return diary.text;
}

static const char *summary_of(const struct summary *summary)
{
    static char text[100];
    snprintf(text, sizeof text, "%zu = %zu + %zu in %lld", summary->total, summary->successful, summary->failed, (long long)(summary->total_time / CO_MS(1)));
    return text;
}

/* When each request began and ended, and whether it was given up. */
static const char *network_of(const char *const urls[], size_t n)
{
    static struct diary diary;
    diary.length = 0;
    for (size_t i = 0; i < n; i++)
        enter(&diary, "%s %lld-%lld%s; ", short_of(urls[i]), (long long)(mock_begun_at(urls[i]) / CO_MS(1)), (long long)(mock_ended_at(urls[i]) / CO_MS(1)),
              mock_given_up(urls[i]) ? "!" : "");
    enter(&diary, "%d requests, %d at once", mock_requests(NULL), mock_peak());
    return diary.text;
}

struct call {
    const char *const *urls;
    size_t n, limit;
    int64_t timeout;
    struct diary diaries[2];
    struct page out[10];
    struct summary summary;
};

static int call(void *arg)
{
    struct call *call = arg;
    return scrape_all(call->urls, call->n, call->limit, call->timeout, &(struct listener){told, logged, call->diaries}, call->out, &call->summary);
}

CO_TEST(many)
{
    const char *urls[] = {"http://w.test/a", "http://w.test/b", "http://w.test/c", "http://w.test/d", "http://w.test/e", "http://w.test/f"};
    mock_get(urls[0], .delay = CO_MS(500), .body = "<title>A</title>");
    mock_get(urls[1], .delay = CO_MS(120), .body = "<title>B</title>");
    mock_get(urls[2], .delay = CO_MS(260), .body = "<title>C</title>");
    mock_get(urls[3], .delay = CO_MS(30), .status = 404, .body = "<title>D</title>");
    mock_get(urls[4], .delay = CO_MS(45), .body = "no title");
    mock_get(urls[5], .delay = CO_MS(190), .body = "<title>F</title>");
    struct call c = {.urls = urls, .n = 6, .limit = 2, .timeout = CO_SEC(1)};
    assert_int_equal(call(&c), 0);
    assert_string_equal(c.diaries[0].text, "120:b 1/6; 380:c 2/6; 410:d 3/6; 455:e 4/6; 500:a 5/6; 645:f 6/6; ");
    assert_string_equal(c.diaries[1].text, "410:d; ");
    assert_string_equal(results_of(c.out, 6), "a ok 200 'A' 500; b ok 200 'B' 120; c ok 200 'C' 260; d ok 404 '' 30; e ok 200 '' 45; f ok 200 'F' 190; ");
    assert_string_equal(summary_of(&c.summary), "6 = 5 + 1 in 645");
    assert_string_equal(network_of(urls, 6), "a 0-500; b 0-120; c 120-380; d 380-410; e 410-455; f 455-645; 6 requests, 2 at once");
}

CO_TEST(trouble)
{
    const char *urls[] = {"http://w.test/hang", "http://no.test/closed", "http://w.test/reset", "http://w.test/cut", "http://nohost.test/none", "http://w.test/good", "http://w.test/drip"};
    mock_get(urls[0], .delay = CO_FOREVER);
    mock_get(urls[1], .error = -ECONNREFUSED);
    mock_get(urls[2], .error = -ECONNRESET, .delay = CO_MS(70));
    mock_get(urls[3], .error = -EPROTO, .delay = CO_MS(80));
    mock_get(urls[4], .error = -CO_ENOHOST);
    mock_get(urls[5], .delay = CO_MS(210), .body = "<title>Good</title>");
    mock_get(urls[6], .every = CO_MS(80), .body = "abcdefgh");
    struct call c = {.urls = urls, .n = 7, .limit = 2, .timeout = CO_MS(250)};
    assert_int_equal(call(&c), 0);
    assert_string_equal(c.diaries[0].text, "0:closed 1/7; 70:reset 2/7; 150:cut 3/7; 150:none 4/7; 250:hang 5/7; 360:good 6/7; 500:drip 7/7; ");
    assert_string_equal(c.diaries[1].text, "0:closed; 70:reset; 150:cut; 150:none; 250:hang; 500:drip; ");
    char wanted[400];
    snprintf(wanted, sizeof wanted, "hang %s 0 '' 250; closed %s 0 '' 0; reset %s 0 '' 70; cut %s 0 '' 80; none %s 0 '' 0; good ok 200 'Good' 210; drip %s 0 '' 250; ",
             co_strerror(-ETIMEDOUT), co_strerror(-ECONNREFUSED), co_strerror(-ECONNRESET), co_strerror(-EPROTO), co_strerror(-CO_ENOHOST), co_strerror(-ETIMEDOUT));
    assert_string_equal(results_of(c.out, 7), wanted);
    assert_string_equal(summary_of(&c.summary), "7 = 1 + 6 in 500");
    assert_string_equal(network_of(urls, 7), "hang 0-250!; closed 0-0; reset 0-70; cut 70-150; none 150-150; good 150-360; drip 250-500!; 7 requests, 2 at once");
}

CO_TEST(answers)
{
    const char *urls[] = {"http://w.test/200", "http://w.test/399", "http://w.test/400", "http://w.test/500", "http://w.test/302"};
    for (size_t i = 0; i < 4; i++)
        mock_get(urls[i], .status = atoi(short_of(urls[i])), .body = "<title>T</title>", .delay = CO_MS(10 + i));
    mock_get(urls[4], .redirect = "http://v.test/there", .delay = CO_MS(50));
    mock_get("http://v.test/there", .delay = CO_MS(60));
    struct call c = {.urls = urls, .n = 5, .limit = 9, .timeout = CO_SEC(1)};
    assert_int_equal(call(&c), 0);
    assert_string_equal(results_of(c.out, 5), "200 ok 200 'T' 10; 399 ok 399 'T' 11; 400 ok 400 '' 12; 500 ok 500 '' 13; 302 ok 200 '' 110; ");
    assert_string_equal(c.diaries[1].text, "12:400; 13:500; ");
    assert_string_equal(summary_of(&c.summary), "5 = 3 + 2 in 110");
}

CO_TEST(patience)
{
    const char *urls[] = {"http://w.test/a", "http://w.test/b", "http://w.test/b"};
    mock_get(urls[0], .delay = CO_MS(90), .body = "<title>only a</title>");
    mock_get(urls[1], .delay = CO_MS(80));
    struct call c = {.urls = urls, .n = 3, .limit = 1, .timeout = CO_MS(95)};
    assert_int_equal(call(&c), 0);
    assert_string_equal(results_of(c.out, 3), "a ok 200 'only a' 90; b ok 200 '' 80; b ok 200 '' 80; ");
    assert_string_equal(summary_of(&c.summary), "3 = 3 + 0 in 250");
    assert_int_equal(mock_requests(urls[1]), 2);
}

CO_TEST(nothing_to_do)
{
    struct call c = {.limit = 4, .timeout = CO_SEC(1)};
    assert_int_equal(call(&c), 0);
    assert_string_equal(summary_of(&c.summary), "0 = 0 + 0 in 0");
    assert_string_equal(network_of(NULL, 0), "0 requests, 0 at once");
}

CO_TEST(called_off)
{
    const char *urls[] = {"http://w.test/a", "http://w.test/b", "http://w.test/c"};
    mock_get(urls[0], .delay = CO_MS(300));
    mock_get(urls[1], .delay = CO_MS(100), .body = "<title>B</title>");
    mock_get(urls[2], .delay = CO_MS(300));
    struct call c = {.urls = urls, .n = 3, .limit = 2, .timeout = CO_SEC(1)};
    CO_GROUP(group);
    co_task *task = co_spawn(&group, call, &c);
    assert_int_equal(co_sleep(CO_MS(150)), 0);
    co_group_cancel(&group);
    int rc;
    assert_int_equal(co_await(task, &rc), 0);
    assert_int_equal(rc, -ECANCELED);
    assert_string_equal(c.diaries[0].text, "100:b 1/3; ");
    assert_int_equal(c.diaries[1].length, 0);
    assert_string_equal(summary_of(&c.summary), "3 = 1 + 0 in 150");
    assert_int_equal(c.out[0].error, -ECANCELED);
    assert_int_equal(c.out[2].error, -ECANCELED);
    assert_string_equal(network_of(urls, 3), "a 0-150!; b 0-100; c 100-150!; 3 requests, 2 at once");
}
