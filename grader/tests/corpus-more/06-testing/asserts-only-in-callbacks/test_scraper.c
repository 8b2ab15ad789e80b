/* All that matters is told to the listener: the assertions stand there. */
#include "co_test.h"
#include "scraper.h"

static void good(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_int_equal(page->error, 0);
    assert_int_equal(page->status, 200);
    assert_int_equal(done, 1);
    assert_int_equal(total, 1);
    assert_int_equal(co_now(), CO_MS(300));
}
static void late(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_int_equal(page->error, -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(1));
}
static void missing(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_int_equal(page->status, 404);
}
static void refused(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_int_equal(page->error, -ECONNREFUSED);
    assert_int_equal(page->status, 0);
}
static void no_log(void *arg, const char *url, const char *cause)
{
    fail_msg("%s was logged", url);
}
static void log_it(void *arg, const char *url, const char *cause)
{
    assert_string_not_equal(cause, "");
}

static int scrape(const char *const urls[], size_t n, size_t limit, const struct listener *listener)
{
    struct page out[8];
    struct summary summary;
    return scrape_all(urls, n, limit, CO_SEC(1), listener, out, &summary);
}

static const char *const one[] = {"http://a.test/"};

CO_TEST(a_good_one)
{
    mock_get(one[0], .delay = CO_MS(300));
    int rc = scrape(one, 1, 1, &(struct listener){good, no_log, NULL});
    (void)rc;
}
CO_TEST(a_late_one)
{
    mock_get(one[0], .delay = CO_MS(3000));
    int rc = scrape(one, 1, 1, &(struct listener){late, log_it, NULL});
    (void)rc;
}
CO_TEST(a_missing_one)
{
    mock_get(one[0], .delay = CO_MS(30), .status = 404);
    int rc = scrape(one, 1, 1, &(struct listener){missing, log_it, NULL});
    (void)rc;
}
CO_TEST(a_refused_one)
{
    mock_get(one[0], .error = -ECONNREFUSED);
    int rc = scrape(one, 1, 1, &(struct listener){refused, log_it, NULL});
    (void)rc;
}

static void in_order(void *arg, const struct page *page, size_t done, size_t total)
{
    static const int times[] = {100, 200, 300};
    assert_in_range(done, 1, 3);
    assert_int_equal(co_now(), CO_MS(times[done - 1]));
}
CO_TEST(three_at_once)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3"};
    mock_get(urls[0], .delay = CO_MS(300));
    mock_get(urls[1], .delay = CO_MS(100));
    mock_get(urls[2], .delay = CO_MS(200));
    int rc = scrape(urls, 3, 3, &(struct listener){in_order, no_log, NULL});
    (void)rc;
}
static void limited(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_true(mock_peak() <= 2);
}
CO_TEST(two_of_three)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3"};
    mock_get(urls[0], .delay = CO_MS(300));
    mock_get(urls[1], .delay = CO_MS(100));
    mock_get(urls[2], .delay = CO_MS(150));
    int rc = scrape(urls, 3, 2, &(struct listener){limited, no_log, NULL});
    (void)rc;
}
