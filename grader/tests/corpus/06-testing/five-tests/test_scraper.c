/* One test for each function, and three for what is left. */
#include "co_test.h"
#include "scraper.h"

CO_TEST(page)
{
    mock_get("http://a.test/good", .delay = CO_MS(250), .body = "<title>Good</title>");
    mock_get("http://a.test/404", .delay = CO_MS(120), .status = 404, .body = "<title>Gone</title>");
    mock_get("http://a.test/late", .delay = CO_FOREVER);
    mock_get("http://b.test/", .error = -ECONNREFUSED);
    mock_get("http://c.test/", .error = -ECONNRESET, .delay = CO_MS(30));
    struct page page;
    assert_int_equal(scrape_page("http://a.test/good", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "Good");
    assert_int_equal(page.took, CO_MS(250));
    assert_int_equal(scrape_page("http://a.test/404", CO_SEC(1), &page), 0);
    assert_int_equal(page.status, 404);
    assert_string_equal(page.title, "");
    assert_int_equal(scrape_page("http://a.test/late", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.took, CO_SEC(1));
    assert_int_equal(mock_given_up(NULL), 1);
    assert_int_equal(scrape_page("http://b.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ECONNREFUSED);
    assert_int_equal(scrape_page("http://c.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ECONNRESET);
    assert_int_equal(co_now(), CO_MS(1400));
}

CO_TEST(all)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    mock_get(urls[0], .delay = CO_MS(450), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(130), .status = 500);
    mock_get(urls[2], .delay = CO_MS(1100));
    mock_get(urls[3], .delay = CO_MS(240), .body = "<title>Four</title>");
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 4, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.successful, 2);
    assert_int_equal(summary.failed, 2);
    assert_int_equal(summary.total_time, CO_SEC(1));
    assert_int_equal(mock_peak(), 4);
    assert_string_equal(out[3].title, "Four");
}

CO_TEST(limit)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    mock_get(urls[0], .delay = CO_MS(450));
    mock_get(urls[1], .delay = CO_MS(130));
    mock_get(urls[2], .delay = CO_MS(210));
    mock_get(urls[3], .delay = CO_MS(240));
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_peak(), 2);
    assert_int_equal(mock_begun_at(urls[2]), CO_MS(130));
    assert_int_equal(mock_begun_at(urls[3]), CO_MS(340));
    assert_int_equal(summary.total_time, CO_MS(580));
}

CO_TEST(twice)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/1"};
    mock_get(urls[0], .delay = CO_MS(450));
    struct page out[2];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_requests(urls[0]), 2);
}

CO_TEST(none)
{
    struct page out[1];
    struct summary summary;
    assert_int_equal(scrape_all(NULL, 0, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.total, 0);
}
