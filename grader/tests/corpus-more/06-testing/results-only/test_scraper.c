/* What counts is what comes out. How long it takes depends on the machine, so I do not test it. */
#include "co_test.h"
#include "scraper.h"

#include <string.h>

static struct page fetch(const char *url)
{
    struct page page;
    assert_int_equal(scrape_page(url, CO_SEC(1), &page), 0);
    assert_string_equal(page.url, url);
    return page;
}

CO_TEST(good)
{
    mock_get("http://a.test/", .body = "<title>Hello</title>", .delay = CO_MS(200));
    struct page page = fetch("http://a.test/");
    assert_int_equal(page.error, 0);
    assert_int_equal(page.status, 200);
    assert_string_equal(page.title, "Hello");
}
CO_TEST(without_title)
{
    mock_get("http://a.test/", .body = "<title>Hello");
    assert_string_equal(fetch("http://a.test/").title, "");
}
CO_TEST(long_title)
{
    mock_get("http://a.test/", .body = "<title>aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg</title>");
    assert_string_equal(fetch("http://a.test/").title, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg");
}
CO_TEST(missing)
{
    mock_get("http://a.test/", .status = 404, .body = "<title>Not found</title>");
    struct page page = fetch("http://a.test/");
    assert_int_equal(page.error, 0);
    assert_int_equal(page.status, 404);
    assert_string_equal(page.title, "");
}
CO_TEST(late)
{
    mock_get("http://a.test/", .delay = CO_SEC(5));
    struct page page = fetch("http://a.test/");
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.status, 0);
    assert_string_equal(page.title, "");
}
CO_TEST(refused)
{
    mock_get("http://a.test/", .error = -ECONNREFUSED);
    assert_int_equal(fetch("http://a.test/").error, -ECONNREFUSED);
}
CO_TEST(broken_off)
{
    mock_get("http://a.test/", .error = -ECONNRESET, .delay = CO_MS(100));
    assert_int_equal(fetch("http://a.test/").error, -ECONNRESET);
}

CO_TEST(several)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4", "http://a.test/5"};
    mock_get(urls[0], .delay = CO_MS(400), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(100), .body = "<title>Two</title>");
    mock_get(urls[2], .delay = CO_MS(300), .status = 500);
    mock_get(urls[3], .delay = CO_SEC(9));
    mock_get(urls[4], .delay = CO_MS(200), .body = "<title>Five</title>");
    struct page out[5];
    struct summary summary;
    for (size_t limit = 1; limit <= 6; limit++) {
        assert_int_equal(scrape_all(urls, 5, limit, CO_SEC(1), NULL, out, &summary), 0);
        assert_string_equal(out[0].title, "One");
        assert_string_equal(out[1].title, "Two");
        assert_int_equal(out[2].status, 500);
        assert_int_equal(out[3].error, -ETIMEDOUT);
        assert_string_equal(out[4].title, "Five");
        assert_int_equal(summary.total, 5);
        assert_int_equal(summary.successful, 3);
        assert_int_equal(summary.failed, 2);
    }
}
CO_TEST(none)
{
    struct summary summary;
    struct page out[1];
    assert_int_equal(scrape_all(NULL, 0, 1, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.total, 0);
    assert_int_equal(summary.successful, 0);
}
CO_TEST(twice)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/1"};
    mock_get(urls[0], .body = "<title>One</title>");
    struct page out[2];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_string_equal(out[0].title, "One");
    assert_string_equal(out[1].title, "One");
    assert_int_equal(summary.successful, 2);
}
