/* Timers are never exact, so each time is tested with a tolerance. */
#include "co_test.h"
#include "scraper.h"

/* about t: not earlier than a tenth of it, not later than ten times */
static void assert_about(int64_t is, int64_t t)
{
    assert_true(is >= t / 10);
    assert_true(is <= t * 10);
}

CO_TEST(good_page)
{
    mock_get("http://a.test/1", .delay = CO_MS(300), .body = "<title>One</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/1", CO_SEC(2), &page), 0);
    assert_string_equal(page.title, "One");
    assert_about(page.took, CO_MS(300));
    assert_about(co_now(), CO_MS(300));
}

CO_TEST(timeout_of_a_second)
{
    mock_get("http://a.test/1", .delay = CO_FOREVER);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/1", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_about(co_now(), CO_SEC(1));
}

CO_TEST(missing_page)
{
    mock_get("http://a.test/1", .delay = CO_MS(100), .status = 404);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/1", CO_SEC(1), &page), 0);
    assert_int_equal(page.status, 404);
    assert_about(page.took, CO_MS(100));
}

CO_TEST(connection_refused)
{
    mock_get("http://a.test/1", .error = -ECONNREFUSED);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/1", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ECONNREFUSED);
    assert_true(co_now() < CO_SEC(1));
}

CO_TEST(all_at_once)
{
    const char *urls[] = {"http://a.test/1", "http://b.test/2", "http://c.test/3", "http://d.test/4"};
    for (int i = 0; i < 4; i++)
        mock_get(urls[i], .delay = CO_MS(500 - 100 * i));
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 4, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.successful, 4);
    assert_about(co_now(), CO_MS(500));
    assert_about(summary.total_time, CO_MS(500));
}

CO_TEST(two_at_once)
{
    const char *urls[] = {"http://a.test/1", "http://b.test/2", "http://c.test/3", "http://d.test/4"};
    for (int i = 0; i < 4; i++)
        mock_get(urls[i], .delay = CO_MS(500 - 100 * i));
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_in_range(mock_peak(), 1, 4);
    assert_int_equal(summary.successful, 4);
    assert_about(summary.total_time, CO_MS(700));
}
