/* scrape_page returns 0 if all went well, and else the error. */
#include "co_test.h"
#include "scraper.h"

CO_TEST(good)
{
    mock_get("http://a.test/", .delay = CO_MS(250), .body = "<title>Good</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "Good");
    assert_int_equal(page.took, CO_MS(250));
}
CO_TEST(late)
{
    mock_get("http://a.test/", .delay = CO_MS(2500));
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(1));
}
CO_TEST(refused)
{
    mock_get("http://a.test/", .error = -ECONNREFUSED);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), -ECONNREFUSED);
}
CO_TEST(missing)
{
    mock_get("http://a.test/", .status = 404);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.status, 404);
}
CO_TEST(three)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3"};
    mock_get(urls[0], .delay = CO_MS(250), .body = "<title>Good</title>");
    mock_get(urls[1], .delay = CO_MS(2500));
    mock_get(urls[2], .delay = CO_MS(120), .status = 500);
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 3, CO_SEC(1), NULL, out, &summary), -ETIMEDOUT);
    assert_int_equal(summary.failed, 2);
}
CO_TEST(limited)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3"};
    mock_get(urls[0], .delay = CO_MS(250));
    mock_get(urls[1], .delay = CO_MS(350));
    mock_get(urls[2], .delay = CO_MS(150));
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_peak(), 2);
    assert_int_equal(summary.total_time, CO_MS(400));
}
