/* The first test fetches, the others look at what it got: so nothing is fetched twice. */
#include "co_test.h"
#include "scraper.h"

static struct page good, late, missing, refused;
static struct page out[4];
static struct summary summary;
static int64_t ended;

CO_TEST(a_fetch_all_of_them)
{
    mock_get("http://a.test/good", .delay = CO_MS(300), .body = "<title>Good</title>");
    mock_get("http://a.test/late", .delay = CO_MS(3000));
    mock_get("http://a.test/missing", .delay = CO_MS(200), .status = 404, .body = "<title>Sorry</title>");
    mock_get("http://b.test/", .error = -ECONNREFUSED);
    assert_int_equal(scrape_page("http://a.test/good", CO_SEC(1), &good), 0);
    assert_int_equal(scrape_page("http://a.test/late", CO_SEC(1), &late), 0);
    assert_int_equal(scrape_page("http://a.test/missing", CO_SEC(1), &missing), 0);
    assert_int_equal(scrape_page("http://b.test/", CO_SEC(1), &refused), 0);
    ended = co_now();
}
CO_TEST(b_good)
{
    assert_int_equal(good.status, 200);
    assert_string_equal(good.title, "Good");
    assert_int_equal(good.took, CO_MS(300));
}
CO_TEST(c_late)
{
    assert_int_equal(late.error, -ETIMEDOUT);
    assert_int_equal(late.took, CO_SEC(1));
}
CO_TEST(d_missing)
{
    assert_int_equal(missing.status, 404);
    assert_string_equal(missing.title, "");
}
CO_TEST(e_refused)
{
    assert_int_equal(refused.error, -ECONNREFUSED);
    assert_int_equal(ended, CO_MS(1500));
}
CO_TEST(f_scrape_four)
{
    static const char *const urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    mock_get(urls[0], .delay = CO_MS(400), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(110), .status = 500);
    mock_get(urls[2], .delay = CO_MS(230), .body = "<title>Three</title>");
    mock_get(urls[3], .delay = CO_MS(2000));
    assert_int_equal(scrape_all(urls, 4, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_peak(), 2);
    ended = co_now();
}
CO_TEST(g_results)
{
    assert_string_equal(out[0].title, "One");
    assert_int_equal(out[1].status, 500);
    assert_string_equal(out[2].title, "Three");
    assert_int_equal(out[3].error, -ETIMEDOUT);
}
CO_TEST(h_summary)
{
    assert_int_equal(summary.successful, 2);
    assert_int_equal(summary.failed, 2);
    assert_int_equal(summary.total_time, ended);
    assert_int_equal(ended, CO_MS(1340));
}
