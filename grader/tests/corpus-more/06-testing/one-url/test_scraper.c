/* One page at a time keeps a test simple: then I know which page was wrong. */
#include "co_test.h"
#include "scraper.h"

#define URL "http://a.test/"

static const char *const urls[] = {URL};

struct heard {
    int pages, failures;
    int64_t at;
};

static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct heard *heard = arg;
    heard->pages++;
    heard->at = co_now();
    assert_string_equal(page->url, URL);
    assert_int_equal(done, 1);
    assert_int_equal(total, 1);
}

static void on_log(void *arg, const char *url, const char *cause)
{
    struct heard *heard = arg;
    heard->failures++;
    assert_string_equal(url, URL);
    assert_true(cause[0] != '\0');
}

static struct page scrape(int64_t took, bool good)
{
    struct heard heard = {0};
    struct listener listener = {on_progress, on_log, &heard};
    struct page page;
    struct summary summary;
    memset(&page, 7, sizeof page);
    assert_int_equal(scrape_all(urls, 1, 1, CO_SEC(1), &listener, &page, &summary), 0);
    assert_int_equal(heard.pages, 1);
    assert_int_equal(heard.at, took);
    assert_int_equal(heard.failures, !good);
    assert_int_equal(summary.total, 1);
    assert_int_equal(summary.successful, good);
    assert_int_equal(summary.failed, !good);
    assert_int_equal(summary.total_time, took);
    assert_int_equal(page.took, took);
    assert_int_equal(co_now(), took);
    assert_int_equal(mock_requests(URL), 1);
    return page;
}

CO_TEST(good)
{
    mock_get(URL, .body = "<title>Hello</title>", .delay = CO_MS(300));
    struct page page = scrape(CO_MS(300), true);
    assert_string_equal(page.title, "Hello");
    assert_int_equal(page.status, 200);
}
CO_TEST(late)
{
    mock_get(URL, .delay = CO_MS(1300));
    struct page page = scrape(CO_SEC(1), false);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(mock_given_up(URL), 1);
}
CO_TEST(missing)
{
    mock_get(URL, .delay = CO_MS(130), .status = 404, .body = "<title>Sorry</title>");
    struct page page = scrape(CO_MS(130), false);
    assert_int_equal(page.error, 0);
    assert_int_equal(page.status, 404);
    assert_string_equal(page.title, "");
}
CO_TEST(not_modified)
{
    mock_get(URL, .delay = CO_MS(130), .status = 304);
    assert_int_equal(scrape(CO_MS(130), true).status, 304);
}
CO_TEST(bad_request)
{
    mock_get(URL, .delay = CO_MS(130), .status = 400);
    assert_int_equal(scrape(CO_MS(130), false).status, 400);
}
CO_TEST(refused)
{
    mock_get(URL, .error = -ECONNREFUSED);
    assert_int_equal(scrape(0, false).error, -ECONNREFUSED);
}
CO_TEST(broken)
{
    mock_get(URL, .error = -ECONNRESET, .delay = CO_MS(20));
    assert_int_equal(scrape(CO_MS(20), false).error, -ECONNRESET);
}
CO_TEST(drip)
{
    mock_get(URL, .body = "<title>This takes its time</title>", .every = CO_MS(100));
    assert_int_equal(scrape(CO_SEC(1), false).error, -ETIMEDOUT);
}
