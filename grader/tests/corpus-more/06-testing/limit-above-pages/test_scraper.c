/* Student who tests the limit with fewer pages than it lets in. */
#include "co_test.h"
#include "scraper.h"

static struct summary scrape(const char *const urls[], size_t n, size_t limit, struct page out[])
{
    struct summary summary;
    assert_int_equal(scrape_all(urls, n, limit, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.total, n);
    return summary;
}

CO_TEST(never_more_than_ten_at_once)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    struct page out[4];
    mock_get(urls[0], .delay = CO_MS(410), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(120), .body = "<title>Two</title>");
    mock_get(urls[2], .delay = CO_MS(330), .body = "<title>Three</title>");
    mock_get(urls[3], .delay = CO_MS(240), .body = "<title>Four</title>");
    struct summary summary = scrape(urls, 4, 10, out);
    assert_true(mock_peak() <= 10);
    assert_int_equal(summary.successful, 4);
    assert_int_equal(summary.total_time, CO_MS(410));
    assert_string_equal(out[0].title, "One");
    assert_string_equal(out[3].title, "Four");
}

CO_TEST(exactly_the_limit)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2"};
    struct page out[2];
    mock_get(urls[0], .delay = CO_MS(410), .status = 404);
    mock_get(urls[1], .delay = CO_MS(1200));
    struct summary summary = scrape(urls, 2, 2, out);
    assert_int_equal(mock_peak(), 2);
    assert_int_equal(summary.failed, 2);
    assert_int_equal(out[0].status, 404);
    assert_int_equal(out[1].error, -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(1));
    assert_int_equal(mock_given_up(urls[1]), 1);
}

CO_TEST(one_of_five)
{
    const char *urls[] = {"http://a.test/1"};
    struct page out[1];
    mock_get(urls[0], .delay = CO_MS(90), .body = "<title>One</title>");
    assert_int_equal(scrape(urls, 1, 5, out).total_time, CO_MS(90));
    assert_string_equal(out[0].title, "One");
}

CO_TEST(none_of_five)
{
    struct page out[1];
    assert_int_equal(scrape(NULL, 0, 5, out).total_time, 0);
}

CO_TEST(refused)
{
    mock_get("http://a.test/", .error = -ECONNREFUSED);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ECONNREFUSED);
    assert_int_equal(page.status, 0);
}

CO_TEST(dripping)
{
    mock_get("http://a.test/", .every = CO_MS(200), .body = "<title>Drip drop</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(1));
}
