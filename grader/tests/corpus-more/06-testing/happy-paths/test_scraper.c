#include "co_test.h"
#include "scraper.h"

/* The scraper must get good pages right. */

CO_TEST(simple_title)
{
    mock_get("http://shop.test/tea", .body = "<title>Tea</title>", .delay = CO_MS(300));
    struct page page;
    assert_int_equal(scrape_page("http://shop.test/tea", CO_SEC(2), &page), 0);
    assert_int_equal(page.error, 0);
    assert_int_equal(page.status, 200);
    assert_string_equal(page.title, "Tea");
    assert_int_equal(page.took, CO_MS(300));
    assert_int_equal(co_now(), CO_MS(300));
}

CO_TEST(title_in_a_page)
{
    mock_get("http://shop.test/milk", .body = "<html><head><title>Fresh milk</title></head><body>...</body></html>");
    struct page page;
    assert_int_equal(scrape_page("http://shop.test/milk", CO_SEC(2), &page), 0);
    assert_string_equal(page.title, "Fresh milk");
}

CO_TEST(url_is_kept)
{
    const char *url = "http://shop.test/milk";
    mock_get(url);
    struct page page;
    assert_int_equal(scrape_page(url, CO_SEC(2), &page), 0);
    assert_ptr_equal(page.url, url);
}

CO_TEST(moved)
{
    mock_get("http://shop.test/old", .redirect = "http://shop.test/new");
    mock_get("http://shop.test/new", .body = "<title>New</title>");
    struct page page;
    assert_int_equal(scrape_page("http://shop.test/old", CO_SEC(2), &page), 0);
    assert_string_equal(page.title, "New");
}

CO_TEST(three_pages)
{
    const char *urls[] = {"http://a.test/", "http://b.test/", "http://c.test/"};
    mock_get(urls[0], .delay = CO_MS(300), .body = "<title>A</title>");
    mock_get(urls[1], .delay = CO_MS(100), .body = "<title>B</title>");
    mock_get(urls[2], .delay = CO_MS(200), .body = "<title>C</title>");
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 3, CO_SEC(1), NULL, out, &summary), 0);
    assert_string_equal(out[0].title, "A");
    assert_string_equal(out[1].title, "B");
    assert_string_equal(out[2].title, "C");
    assert_int_equal(summary.successful, 3);
    assert_int_equal(summary.failed, 0);
    assert_int_equal(co_now(), CO_MS(300));
}

CO_TEST(with_a_limit)
{
    const char *urls[] = {"http://a.test/", "http://b.test/", "http://c.test/"};
    mock_get(urls[0], .delay = CO_MS(300), .body = "<title>A</title>");
    mock_get(urls[1], .delay = CO_MS(100), .body = "<title>B</title>");
    mock_get(urls[2], .delay = CO_MS(250), .body = "<title>C</title>");
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 2, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(mock_peak(), 2);
    assert_int_equal(co_now(), CO_MS(350));
    assert_int_equal(summary.total_time, CO_MS(350));
}
