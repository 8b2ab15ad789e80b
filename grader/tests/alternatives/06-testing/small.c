/* A suite of many small tests, each of which says one thing. */
#include "scraper.h"
#include "co_test.h"

#define A "http://a.test/a"
#define B "http://a.test/b"
#define C "http://a.test/c"
#define D "http://a.test/d"
#define TITLE(text) "<title>" text "</title>"

/* ---- One page ---- */

static struct page fetched(int64_t timeout)
{
    struct page page;
    memset(&page, 1, sizeof page);
    assert_int_equal(scrape_page(A, timeout, &page), 0);
    return page;
}

CO_TEST(status_of_a_good_page) { mock_get(A, .status = 206); assert_int_equal(fetched(CO_SEC(1)).status, 206); }
CO_TEST(error_of_a_good_page) { mock_get(A); assert_int_equal(fetched(CO_SEC(1)).error, 0); }
CO_TEST(time_of_a_good_page) { mock_get(A, .delay = CO_MS(70)); assert_int_equal(fetched(CO_SEC(1)).took, CO_MS(70)); }
CO_TEST(clock_behind_a_good_page) { mock_get(A, .delay = CO_MS(70)); fetched(CO_SEC(1)); assert_int_equal(co_now(), CO_MS(70)); }
CO_TEST(title_of_a_good_page) { mock_get(A, .body = TITLE("t")); struct page p = fetched(CO_SEC(1)); assert_string_equal(p.title, "t"); }
CO_TEST(title_of_no_title) { mock_get(A, .body = "t"); struct page p = fetched(CO_SEC(1)); assert_string_equal(p.title, ""); }
CO_TEST(title_of_a_404) { mock_get(A, .status = 404, .body = TITLE("t")); struct page p = fetched(CO_SEC(1)); assert_string_equal(p.title, ""); }
CO_TEST(refused) { mock_get(A, .error = -ECONNREFUSED); assert_int_equal(fetched(CO_SEC(1)).error, -ECONNREFUSED); }
CO_TEST(no_host) { mock_get(A, .error = -CO_ENOHOST); assert_int_equal(fetched(CO_SEC(1)).error, -CO_ENOHOST); }
CO_TEST(reset) { mock_get(A, .error = -ECONNRESET); assert_int_equal(fetched(CO_SEC(1)).error, -ECONNRESET); }
CO_TEST(incomplete) { mock_get(A, .error = -EPROTO); assert_int_equal(fetched(CO_SEC(1)).error, -EPROTO); }
CO_TEST(asked_once) { mock_get(A, .error = -ECONNRESET); fetched(CO_SEC(1)); assert_int_equal(mock_requests(A), 1); }
CO_TEST(late) { mock_get(A, .delay = CO_MS(1001)); assert_int_equal(fetched(CO_SEC(1)).error, -ETIMEDOUT); }
CO_TEST(not_late) { mock_get(A, .delay = CO_MS(999)); assert_int_equal(fetched(CO_SEC(1)).error, 0); }
CO_TEST(late_at) { mock_get(A, .delay = CO_FOREVER); fetched(CO_SEC(1)); assert_int_equal(co_now(), CO_SEC(1)); }
CO_TEST(late_status) { mock_get(A, .delay = CO_FOREVER); assert_int_equal(fetched(CO_SEC(1)).status, 0); }
CO_TEST(late_in_drops) { mock_get(A, .body = "0123456789", .every = CO_MS(300)); assert_int_equal(fetched(CO_SEC(1)).error, -ETIMEDOUT); }
CO_TEST(redirected) { mock_get(A, .redirect = B); mock_get(B, .status = 201); assert_int_equal(fetched(CO_SEC(1)).status, 201); }

/* ---- All pages ---- */

struct heard {
    int64_t last, first, log_at;
    int progress, logs;
    const char *first_url;
};

static void hear_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct heard *heard = arg;
    if (heard->progress++ == 0) {
        heard->first = co_now();
        heard->first_url = page->url;
    }
    heard->last = co_now();
    assert_int_equal(done, heard->progress);
    assert_true(done <= total);
}

static void hear_log(void *arg, const char *url, const char *cause)
{
    struct heard *heard = arg;
    heard->logs++;
    heard->log_at = co_now();
    assert_non_null(cause);
    assert_non_null(url);
}

struct all {
    struct page out[4];
    struct summary summary;
    struct heard heard;
};
static const char *const ABCD[] = {A, B, C, D};

static struct all scraped(size_t n, size_t limit)
{
    struct all all = {0};
    struct listener listener = {hear_progress, hear_log, &all.heard};
    assert_int_equal(scrape_all(ABCD, n, limit, CO_MS(500), &listener, all.out, &all.summary), 0);
    return all;
}

static void mock_delays(int a, int b, int c, int d)
{
    mock_get(A, .delay = CO_MS(a), .body = TITLE("a"));
    mock_get(B, .delay = CO_MS(b), .body = "b");
    mock_get(C, .delay = CO_MS(c), .body = TITLE("c"));
    mock_get(D, .delay = CO_MS(d), .body = "d");
}

CO_TEST(results_stay_in_order) { mock_delays(400, 300, 200, 100); struct all all = scraped(4, 4); assert_ptr_equal(all.out[0].url, ABCD[0]); assert_string_equal(all.out[2].title, "c"); }
CO_TEST(first_news_of_the_fastest) { mock_delays(400, 300, 200, 100); struct all all = scraped(4, 4); assert_ptr_equal(all.heard.first_url, ABCD[3]); }
CO_TEST(first_news_at_once) { mock_delays(400, 300, 200, 101); assert_int_equal(scraped(4, 4).heard.first, CO_MS(101)); }
CO_TEST(news_of_each) { mock_delays(400, 300, 200, 100); assert_int_equal(scraped(4, 4).heard.progress, 4); }
CO_TEST(as_long_as_the_slowest) { mock_delays(400, 300, 200, 100); assert_int_equal(scraped(4, 4).summary.total_time, CO_MS(400)); }
CO_TEST(clock_behind_the_slowest) { mock_delays(401, 300, 200, 100); scraped(4, 4); assert_int_equal(co_now(), CO_MS(401)); }
CO_TEST(as_many_as_allowed) { mock_delays(400, 300, 200, 100); scraped(4, 3); assert_int_equal(mock_peak(), 3); }
CO_TEST(no_gap) { mock_delays(400, 100, 110, 120); scraped(4, 2); assert_int_equal(mock_begun_at(C), CO_MS(100)); }
CO_TEST(took_its_own_time) { mock_delays(400, 100, 110, 120); assert_int_equal(scraped(4, 2).out[3].took, CO_MS(120)); }
CO_TEST(own_timeout) { mock_delays(400, 410, 420, 430); assert_int_equal(scraped(4, 1).summary.successful, 4); }
CO_TEST(none_of_it_stays) { mock_delays(10, 20, 30, 40); struct all all = scraped(4, 1); assert_string_equal(all.out[1].title, ""); }
CO_TEST(nothing) { assert_int_equal(scraped(0, 1).summary.total, 0); assert_int_equal(mock_requests(NULL), 0); }

CO_TEST(twins)
{
    mock_get(A, .delay = CO_MS(5));
    struct page out[2];
    struct summary summary;
    assert_int_equal(scrape_all((const char *const[]){A, A}, 2, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_requests(A), 2);
}

static void mock_troubles(void)
{
    mock_get(A, .delay = CO_FOREVER);
    mock_get(B, .error = -ECONNRESET, .delay = CO_MS(50));
    mock_get(C, .status = 400, .delay = CO_MS(60));
    mock_get(D, .status = 500, .delay = CO_MS(70));
}

CO_TEST(failures_are_counted) { mock_troubles(); assert_int_equal(scraped(4, 4).summary.failed, 4); }
CO_TEST(failures_are_logged) { mock_troubles(); assert_int_equal(scraped(4, 4).heard.logs, 4); }
CO_TEST(failures_are_logged_at_once) { mock_troubles(); assert_int_equal(scraped(3, 3).heard.log_at, CO_MS(500)); }
CO_TEST(failures_give_way) { mock_troubles(); assert_int_equal(scraped(4, 2).summary.total_time, CO_MS(500)); }
CO_TEST(failures_stop_nobody) { mock_troubles(); assert_int_equal(scraped(4, 4).out[3].status, 500); }
CO_TEST(nobody_fetches_what_is_late)
{
    mock_get(A, .delay = CO_FOREVER);
    mock_get(B, .delay = CO_MS(300));
    struct all all = scraped(2, 1);
    assert_int_equal(mock_ended_at(A), CO_MS(500));
    assert_int_equal(all.summary.total_time, CO_MS(800));
}

static int scrape_abc(void *arg)
{
    struct all *all = arg;
    return scrape_all(ABCD, 3, 2, CO_SEC(1), NULL, all->out, &all->summary);
}

static int cancel_after(int64_t ns, struct all *all)
{
    int rc;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, scrape_abc, all);
    assert_int_equal(co_sleep(ns), 0);
    co_cancel(task);
    assert_int_equal(co_await(task, &rc), 0);
    return rc;
}

CO_TEST(cancelled_says_so) { struct all all; mock_delays(100, 200, 300, 0); assert_int_equal(cancel_after(CO_MS(150), &all), -ECANCELED); }
CO_TEST(cancelled_at_once) { struct all all; mock_delays(100, 200, 300, 0); cancel_after(CO_MS(150), &all); assert_int_equal(co_now(), CO_MS(150)); }
CO_TEST(cancelled_all) { struct all all; mock_delays(100, 200, 300, 0); cancel_after(CO_MS(150), &all); assert_int_equal(mock_in_flight(NULL), 0); }
CO_TEST(cancelled_keeps_what_is_done) { struct all all; mock_delays(100, 200, 300, 0); cancel_after(CO_MS(150), &all); assert_int_equal(all.summary.successful, 1); }
CO_TEST(cancelled_error) { struct all all; mock_delays(100, 200, 300, 0); cancel_after(CO_MS(150), &all); assert_int_equal(all.out[1].error, -ECANCELED); }
