/* test_scraper.c - scenes for the slides of module 14: small tests, each with one thing to see. No solution of lab
 * 06. */
#include "co_test.h"
#include "scraper.h"

CO_TEST(too_late)
{
    mock_get("http://a.test/", .delay = CO_FOREVER);
    struct page page;
    int rc = scrape_page("http://a.test/", CO_SEC(30), &page);
    assert_int_equal(rc, 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(30));
}

static const char *const urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3",
                                   "http://a.test/4", "http://a.test/5", "http://a.test/6"};

static void scene(const int64_t delays[6])
{
    for (int i = 0; i < 6; i++)
        mock_get(urls[i], .delay = delays[i]);
}

static void scrape_six(size_t limit, const struct listener *listener)
{
    struct page out[6];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 6, limit, CO_SEC(2), listener, out, &summary), 0);
    assert_int_equal(summary.successful, 6);
}

CO_TEST(all_alike)
{
    scene((int64_t[]){CO_MS(100), CO_MS(100), CO_MS(100), CO_MS(100), CO_MS(100), CO_MS(100)});
    scrape_six(3, NULL);
    assert_int_equal(co_now(), CO_MS(200));
}

CO_TEST(all_different)
{
    scene((int64_t[]){CO_MS(500), CO_MS(120), CO_MS(240), CO_MS(110), CO_MS(90), CO_MS(130)});
    scrape_six(3, NULL);
    assert_int_equal(co_now(), CO_MS(500));
    assert_int_equal(mock_peak(), 3);
}

static void when_first(void *arg, const struct page *page, size_t done, size_t total)
{
    if (done == 1)
        *(int64_t *)arg = co_now();
}

CO_TEST(told_at_once)
{
    int64_t first = -1;
    struct listener listener = {.progress = when_first, .arg = &first};
    scene((int64_t[]){CO_MS(500), CO_MS(120), CO_MS(240), CO_MS(110), CO_MS(90), CO_MS(130)});
    scrape_six(3, &listener);
    assert_int_equal(first, CO_MS(120));
    assert_int_equal(co_now(), CO_MS(500));
}

/* It runs, and looks at nothing. */
CO_TEST(covers_and_says_nothing)
{
    mock_get("http://a.test/", .delay = CO_FOREVER);
    struct page page;
    int rc = scrape_page("http://a.test/", CO_SEC(1), &page);
    assert_true(rc <= 0 || rc > 0);
    assert_non_null(&page);
}
