/* All pages alike: what is tested is the scraper, not the web. */
#include "co_test.h"
#include "scraper.h"

static const char *const urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3", "http://a.test/4", "http://a.test/5",
                                   "http://a.test/6"};

static void same(struct mock mock)
{
    mock.delay = CO_MS(100);
    for (int i = 0; i < 6; i++)
        mock_get_at(urls[i], mock, __FILE__, __LINE__);
}

struct count { size_t pages, failed; };
static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct count *count = arg;
    assert_int_equal(done, ++count->pages);
    assert_int_equal(total, 6);
}
static void on_log(void *arg, const char *url, const char *cause)
{
    ((struct count *)arg)->failed++;
}

static void scrape(size_t limit, int error, int status, const char *title, size_t failed, int64_t time)
{
    struct count count = {0};
    struct listener listener = {on_progress, on_log, &count};
    struct page out[6];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 6, limit, CO_SEC(1), &listener, out, &summary), 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(out[i].error, error);
        assert_int_equal(out[i].status, status);
        assert_string_equal(out[i].title, title);
        assert_int_equal(out[i].took, CO_MS(100));
    }
    assert_int_equal(summary.failed, failed);
    assert_int_equal(summary.successful, 6 - failed);
    assert_int_equal(summary.total_time, time);
    assert_int_equal(co_now(), time);
    assert_int_equal(mock_peak(), limit < 6 ? limit : 6);
    assert_int_equal(count.pages, 6);
    assert_int_equal(count.failed, failed);
}

CO_TEST(six_good_ones)
{
    same((struct mock){.body = "<title>Same</title>"});
    scrape(6, 0, 200, "Same", 0, CO_MS(100));
}
CO_TEST(six_missing_ones)
{
    same((struct mock){.body = "<title>Same</title>", .status = 404});
    scrape(6, 0, 404, "", 6, CO_MS(100));
}
CO_TEST(six_broken_ones)
{
    same((struct mock){.error = -ECONNRESET});
    scrape(6, -ECONNRESET, 0, "", 6, CO_MS(100));
}
CO_TEST(two_at_a_time)
{
    same((struct mock){.body = "<title>Same</title>"});
    scrape(2, 0, 200, "Same", 0, CO_MS(300));
}
CO_TEST(one_at_a_time)
{
    same((struct mock){.body = "<title>Same</title>"});
    scrape(1, 0, 200, "Same", 0, CO_MS(600));
}
CO_TEST(late)
{
    mock_get("http://a.test/", .delay = CO_SEC(2));
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(co_now(), CO_SEC(1));
    assert_int_equal(mock_given_up("http://a.test/"), 1);
}
