/* Tests of the scraper. Each prints what it got, so that I can see whether it is right. */
#include "co_test.h"
#include "scraper.h"

#include <stdio.h>

static void show(const struct page *page)
{
    fprintf(stderr, "%s: error %d, status %d, title \"%s\", %lld ms\n", page->url, page->error, page->status, page->title,
            (long long)(page->took / CO_MS(1)));
}

static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    fprintf(stderr, "%zu of %zu: ", done, total);
    show(page);
}

static void on_log(void *arg, const char *url, const char *cause)
{
    fprintf(stderr, "failed: %s: %s\n", url, cause);
}

static void all(const char *const urls[], size_t n, size_t limit)
{
    struct listener listener = {on_progress, on_log, NULL};
    struct page out[10];
    struct summary summary;
    int rc = scrape_all(urls, n, limit, CO_SEC(1), &listener, out, &summary);
    fprintf(stderr, "rc %d, %zu good, %zu bad, %lld ms\n", rc, summary.successful, summary.failed,
            (long long)(summary.total_time / CO_MS(1)));
}

CO_TEST(good_page)
{
    mock_get("http://a.test/", .body = "<title>Hello</title>", .delay = CO_MS(300));
    struct page page;
    if (scrape_page("http://a.test/", CO_SEC(1), &page) == 0)
        show(&page);
}

CO_TEST(late_page)
{
    mock_get("http://a.test/", .delay = CO_SEC(3));
    struct page page;
    if (scrape_page("http://a.test/", CO_SEC(1), &page) == 0)
        show(&page);
}

CO_TEST(not_found)
{
    mock_get("http://a.test/", .status = 404);
    struct page page;
    if (scrape_page("http://a.test/", CO_SEC(1), &page) == 0)
        show(&page);
}

CO_TEST(refused)
{
    mock_get("http://a.test/", .error = -ECONNREFUSED);
    struct page page;
    if (scrape_page("http://a.test/", CO_SEC(1), &page) == 0)
        show(&page);
}

CO_TEST(many)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    mock_get(urls[0], .delay = CO_MS(500), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(100), .status = 500);
    mock_get(urls[2], .delay = CO_MS(300));
    mock_get(urls[3], .delay = CO_FOREVER);
    all(urls, 4, 10);
}

CO_TEST(limit)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    for (int i = 0; i < 4; i++)
        mock_get(urls[i], .delay = CO_MS(100 * (i + 1)));
    all(urls, 4, 2);
    fprintf(stderr, "at most %d at once\n", mock_peak());
}

CO_TEST(nothing)
{
    all(NULL, 0, 3);
}
