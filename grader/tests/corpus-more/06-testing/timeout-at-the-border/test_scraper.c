/* Borders are where the mistakes are: 1 s in 1 s is in time. */
#include "co_test.h"
#include "scraper.h"

#include <stdio.h>

#define MOST 160

/* What the listener was told. Copied at once: the contract says that it need not live on. */
struct notes {
    size_t n;
    struct {
        const char *url;
        int64_t t, took;
        size_t done, total;
        int error, status;
        char title[TITLE_MAX];
    } progress[MOST];
    size_t logs;
    struct {
        char url[64];
        int64_t t;
        bool words;
    } log[MOST];
};

static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct notes *notes = arg;
    if (notes->n == MOST)
        fail_msg("more than %d pages were told", MOST);
    size_t i = notes->n++;
    notes->progress[i].url = page->url;
    notes->progress[i].t = co_now();
    notes->progress[i].took = page->took;
    notes->progress[i].done = done;
    notes->progress[i].total = total;
    notes->progress[i].error = page->error;
    notes->progress[i].status = page->status;
    snprintf(notes->progress[i].title, TITLE_MAX, "%s", page->title);
}

static void on_log(void *arg, const char *url, const char *cause)
{
    struct notes *notes = arg;
    if (notes->logs == MOST)
        fail_msg("more than %d pages were logged", MOST);
    size_t i = notes->logs++;
    snprintf(notes->log[i].url, sizeof notes->log[i].url, "%s", url);
    notes->log[i].t = co_now();
    notes->log[i].words = cause != NULL && cause[0] != '\0';
}

/* A page full of rubbish: every field must be overwritten. */
static void soil(struct page *page)
{
    memset(page, 0x55, sizeof *page);
}

/* ---- One page ---- */

CO_TEST(one_good_page)
{
    const char *url = "http://a.test/tea";
    mock_get(url, .body = "<html><title>Tea</title></html>", .delay = CO_MS(317));
    struct page page;
    soil(&page);
    int rc = scrape_page(url, CO_SEC(2), &page);
    assert_int_equal(rc, 0);
    assert_ptr_equal(page.url, url);
    assert_int_equal(page.error, 0);
    assert_int_equal(page.status, 200);
    assert_string_equal(page.title, "Tea");
    assert_int_equal(page.took, CO_MS(317));
    assert_int_equal(co_now(), CO_MS(317));
    assert_int_equal(mock_requests(NULL), 1);
    assert_int_equal(mock_given_up(NULL), 0);
}

CO_TEST(took_begins_with_the_call)
{
    mock_get("http://a.test/tea", .delay = CO_MS(123));
    struct page page;
    assert_int_equal(co_sleep(CO_MS(77)), 0);
    assert_int_equal(scrape_page("http://a.test/tea", CO_SEC(1), &page), 0);
    assert_int_equal(page.took, CO_MS(123));
    assert_int_equal(co_now(), CO_MS(200));
}

CO_TEST(a_long_title_is_cut_after_63_bytes)
{
    mock_get("http://a.test/long", .body = "<title>0123456789012345678901234567890123456789012345678901234567890123456789</title>");
    mock_get("http://a.test/63", .body = "<title>012345678901234567890123456789012345678901234567890123456789abc</title>");
    mock_get("http://a.test/64", .body = "<title>012345678901234567890123456789012345678901234567890123456789abcd</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/long", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "012345678901234567890123456789012345678901234567890123456789012");
    assert_int_equal(scrape_page("http://a.test/63", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "012345678901234567890123456789012345678901234567890123456789abc");
    assert_int_equal(scrape_page("http://a.test/64", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "012345678901234567890123456789012345678901234567890123456789abc");
}

CO_TEST(no_title_is_an_empty_title)
{
    mock_get("http://a.test/none", .body = "<p>no title</p>");
    mock_get("http://a.test/open", .body = "<title>never closed");
    mock_get("http://a.test/empty", .body = "<title></title>x");
    mock_get("http://a.test/nothing");
    const char *urls[] = {"http://a.test/none", "http://a.test/open", "http://a.test/empty", "http://a.test/nothing"};
    for (int i = 0; i < 4; i++) {
        struct page page;
        soil(&page);
        assert_int_equal(scrape_page(urls[i], CO_SEC(1), &page), 0);
        assert_int_equal(page.error, 0);
        assert_string_equal(page.title, "");
    }
}

CO_TEST(the_title_behind_a_zero_byte)
{
    mock_get("http://a.test/zero", .body = "ab\0<title>Zero</title>", .length = 22);
    struct page page;
    assert_int_equal(scrape_page("http://a.test/zero", CO_SEC(1), &page), 0);
    assert_string_equal(page.title, "Zero");
}

CO_TEST(statuses_that_are_failures)
{
    static const int status[] = {400, 404, 500, 503};
    for (int i = 0; i < 4; i++) {
        char url[40];
        snprintf(url, sizeof url, "http://a.test/%d", status[i]);
        mock_get(url, .status = status[i], .body = "<title>Sorry</title>");
    }
    for (int i = 0; i < 4; i++) {
        char url[40];
        struct page page;
        soil(&page);
        snprintf(url, sizeof url, "http://a.test/%d", status[i]);
        assert_int_equal(scrape_page(url, CO_SEC(1), &page), 0);
        assert_int_equal(page.error, 0);
        assert_int_equal(page.status, status[i]);
        assert_string_equal(page.title, "");
        assert_int_equal(mock_requests(url), 1);
    }
}

CO_TEST(a_status_below_400_is_a_success)
{
    mock_get("http://a.test/304", .status = 304, .body = "<title>Same</title>");
    mock_get("http://a.test/201", .status = 201, .body = "<title>New</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/201", CO_SEC(1), &page), 0);
    assert_int_equal(page.status, 201);
    assert_string_equal(page.title, "New");
}

CO_TEST(a_redirect_is_followed)
{
    mock_get("http://a.test/old", .redirect = "http://b.test/new", .delay = CO_MS(110));
    mock_get("http://b.test/new", .body = "<title>New</title>", .delay = CO_MS(230));
    struct page page;
    soil(&page);
    const char *url = "http://a.test/old";
    assert_int_equal(scrape_page(url, CO_SEC(1), &page), 0);
    assert_ptr_equal(page.url, url);
    assert_int_equal(page.status, 200);
    assert_string_equal(page.title, "New");
    assert_int_equal(page.took, CO_MS(340));
    assert_int_equal(mock_requests(NULL), 2);
}

CO_TEST(a_redirect_does_not_wind_the_clock_up_again)
{
    mock_get("http://a.test/old", .redirect = "http://b.test/new", .delay = CO_MS(700));
    mock_get("http://b.test/new", .body = "<title>New</title>", .delay = CO_MS(700));
    struct page page;
    soil(&page);
    assert_int_equal(scrape_page("http://a.test/old", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.status, 0);
    assert_int_equal(co_now(), CO_SEC(1));
}

CO_TEST(a_page_that_is_late)
{
    const char *url = "http://a.test/late";
    mock_get(url, .delay = CO_MS(1600), .body = "<title>Late</title>");
    struct page page;
    soil(&page);
    assert_int_equal(scrape_page(url, CO_MS(1450), &page), 0);
    assert_ptr_equal(page.url, url);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.status, 0);
    assert_string_equal(page.title, "");
    assert_int_equal(page.took, CO_MS(1450));
    assert_int_equal(co_now(), CO_MS(1450));
    assert_int_equal(mock_requests(NULL), 1);
    assert_int_equal(mock_given_up(url), 1);
    assert_int_equal(mock_ended_at(url), CO_MS(1450));
}

CO_TEST(a_page_that_is_just_in_time)
{
    mock_get("http://a.test/close", .delay = CO_MS(1440), .body = "<title>Close</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/close", CO_MS(1450), &page), 0);
    assert_int_equal(page.error, 0);
    assert_string_equal(page.title, "Close");
    assert_int_equal(co_now(), CO_MS(1440));
    assert_int_equal(co_sleep(CO_SEC(3)), 0);           /* nothing is left that would strike later */
    assert_int_equal(mock_requests(NULL), 1);
}

CO_TEST(never_and_the_longest_timeout)
{
    mock_get("http://a.test/never", .delay = CO_FOREVER);
    mock_get("http://a.test/29", .delay = CO_SEC(29));
    struct page page;
    assert_int_equal(scrape_page("http://a.test/29", CO_SEC(30), &page), 0);
    assert_int_equal(page.error, 0);
    assert_int_equal(scrape_page("http://a.test/never", CO_MS(1), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.took, CO_MS(1));
    assert_int_equal(co_now(), CO_SEC(29) + CO_MS(1));
    assert_int_equal(mock_in_flight(NULL), 0);
}

CO_TEST(a_body_that_drips)
{
    mock_get("http://a.test/drip", .delay = CO_MS(50), .every = CO_MS(100), .body = "<title>Slow but steady</title>");
    struct page page;
    soil(&page);
    assert_int_equal(scrape_page("http://a.test/drip", CO_MS(780), &page), 0);
    assert_int_equal(page.error, -ETIMEDOUT);
    assert_int_equal(page.status, 0);
    assert_string_equal(page.title, "");
    assert_int_equal(co_now(), CO_MS(780));
    assert_int_equal(mock_ended_at("http://a.test/drip"), CO_MS(780));
}

CO_TEST(network_errors)
{
    mock_get("http://refused.test/", .error = -ECONNREFUSED);
    mock_get("http://nohost.test/", .error = -CO_ENOHOST);
    mock_get("http://reset.test/", .error = -ECONNRESET, .delay = CO_MS(210), .body = "<title>Half</title>");
    mock_get("http://short.test/", .error = -EPROTO, .delay = CO_MS(330), .body = "<title>Half</title>");
    static const char *const urls[] = {"http://refused.test/", "http://nohost.test/", "http://reset.test/", "http://short.test/"};
    static const int errors[] = {-ECONNREFUSED, -CO_ENOHOST, -ECONNRESET, -EPROTO};
    for (int i = 0; i < 4; i++) {
        struct page page;
        soil(&page);
        int64_t start = co_now();
        assert_int_equal(scrape_page(urls[i], CO_SEC(1), &page), 0);
        assert_ptr_equal(page.url, urls[i]);
        assert_int_equal(page.error, errors[i]);
        assert_int_equal(page.status, 0);
        assert_string_equal(page.title, "");
        assert_int_equal(page.took, co_now() - start);
    }
    assert_int_equal(co_now(), CO_MS(540));
}

struct one {
    struct page page;
    int rc;
};

static int scrape_the_slow_one(void *arg)
{
    struct one *one = arg;
    return one->rc = scrape_page("http://a.test/slow", CO_SEC(5), &one->page);
}

CO_TEST(a_page_whose_task_is_cancelled)
{
    mock_get("http://a.test/slow", .delay = CO_SEC(3));
    struct one one = {.rc = 1};
    soil(&one.page);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, scrape_the_slow_one, &one);
    assert_int_equal(co_sleep(CO_MS(450)), 0);
    co_cancel(task);
    assert_int_equal(co_await(task, NULL), 0);
    assert_int_equal(one.rc, -ECANCELED);
    assert_int_equal(one.page.error, -ECANCELED);
    assert_int_equal(one.page.status, 0);
    assert_string_equal(one.page.title, "");
    assert_int_equal(one.page.took, CO_MS(450));
    assert_int_equal(co_now(), CO_MS(450));
    assert_int_equal(mock_given_up(NULL), 1);
    assert_int_equal(mock_ended_at("http://a.test/slow"), CO_MS(450));
}

CO_TEST(a_timeout_around_it_is_a_cancellation)
{
    mock_get("http://a.test/slow", .delay = CO_SEC(3));
    struct page page;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(400));
    int rc = scrape_page("http://a.test/slow", CO_SEC(2), &page);
    assert_int_equal(rc, -ECANCELED);
    assert_int_equal(co_timeout_end(&limit, rc), -ETIMEDOUT);
    assert_int_equal(page.error, -ECANCELED);
    assert_int_equal(co_now(), CO_MS(400));
}

/* ---- Many pages ---- */

CO_TEST(five_at_once)
{
    mock_get("http://a.test/tea", .delay = CO_MS(910), .body = "<title>Tea</title>");
    mock_get("http://b.test/gone", .delay = CO_MS(430), .status = 404, .body = "<title>Gone</title>");
    mock_get("http://c.test/late", .delay = CO_MS(1700), .body = "<title>Late</title>");
    mock_get("http://d.test/broken", .delay = CO_MS(270), .error = -ECONNRESET, .body = "<title>Half</title>");
    mock_get("http://e.test/milk", .delay = CO_MS(120), .body = "<title>Milk</title>");
    static const char *const urls[] = {"http://a.test/tea", "http://b.test/gone", "http://c.test/late", "http://d.test/broken",
                                       "http://e.test/milk"};
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[6];
    memset(out, 0x55, sizeof out);
    struct page untouched = out[5];
    struct summary summary;
    memset(&summary, 0x55, sizeof summary);

    assert_int_equal(scrape_all(urls, 5, 5, CO_SEC(1), &listener, out, &summary), 0);

    assert_int_equal(co_now(), CO_SEC(1));
    assert_int_equal(mock_peak(), 5);
    assert_int_equal(mock_requests(NULL), 5);
    assert_int_equal(mock_given_up(NULL), 1);
    assert_int_equal(mock_ended_at("http://c.test/late"), CO_SEC(1));
    assert_int_equal(summary.total, 5);
    assert_int_equal(summary.successful, 2);
    assert_int_equal(summary.failed, 3);
    assert_int_equal(summary.total_time, CO_SEC(1));

    static const int errors[] = {0, 0, -ETIMEDOUT, -ECONNRESET, 0}, statuses[] = {200, 404, 0, 0, 200};
    static const char *const titles[] = {"Tea", "", "", "", "Milk"};
    static const int took[] = {910, 430, 1000, 270, 120}, order[] = {4, 3, 1, 0, 2}, bad[] = {3, 1, 2};
    for (int i = 0; i < 5; i++) {
        assert_ptr_equal(out[i].url, urls[i]);
        assert_int_equal(out[i].error, errors[i]);
        assert_int_equal(out[i].status, statuses[i]);
        assert_string_equal(out[i].title, titles[i]);
        assert_int_equal(out[i].took, CO_MS(took[i]));
        assert_int_equal(mock_begun_at(urls[i]), 0);
    }
    assert_memory_equal(&out[5], &untouched, sizeof untouched);
    assert_int_equal(notes.n, 5);
    for (int i = 0; i < 5; i++) {
        int k = order[i];
        assert_ptr_equal(notes.progress[i].url, urls[k]);
        assert_int_equal(notes.progress[i].t, CO_MS(took[k]));
        assert_int_equal(notes.progress[i].took, CO_MS(took[k]));
        assert_int_equal(notes.progress[i].done, i + 1);
        assert_int_equal(notes.progress[i].total, 5);
        assert_int_equal(notes.progress[i].error, errors[k]);
        assert_int_equal(notes.progress[i].status, statuses[k]);
        assert_string_equal(notes.progress[i].title, titles[k]);
    }
    assert_int_equal(notes.logs, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(notes.log[i].url, urls[bad[i]]);
        assert_int_equal(notes.log[i].t, CO_MS(took[bad[i]]));
        assert_true(notes.log[i].words);
    }
}

CO_TEST(the_border_between_success_and_failure)
{
    mock_get("http://a.test/304", .status = 304, .delay = CO_MS(10));
    mock_get("http://a.test/400", .status = 400, .delay = CO_MS(20));
    static const char *const urls[] = {"http://a.test/304", "http://a.test/400"};
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[2];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), &listener, out, &summary), 0);
    assert_int_equal(summary.successful, 1);
    assert_int_equal(summary.failed, 1);
    assert_int_equal(notes.logs, 1);
    assert_string_equal(notes.log[0].url, urls[1]);
    assert_int_equal(out[0].status, 304);
}

/* Seven pages, limit 3, all delays different; the begins and ends are worked out by hand.
 *      0: 0-700  1: 0-310  2: 0-520  3: 310-(1310, late)  4: 520-940  5: 700-700 (refused)  6: 700-830 */
CO_TEST(a_limit_of_three)
{
    static const char *const urls[] = {"http://a.test/0", "http://b.test/1", "http://a.test/2", "http://c.test/3", "http://a.test/4",
                                       "http://d.test/5", "http://a.test/6"};
    mock_get(urls[0], .delay = CO_MS(700), .body = "<title>0</title>");
    mock_get(urls[1], .delay = CO_MS(310), .status = 500);
    mock_get(urls[2], .delay = CO_MS(520), .body = "<title>2</title>");
    mock_get(urls[3], .delay = CO_FOREVER);
    mock_get(urls[4], .delay = CO_MS(420), .body = "<title>4</title>");
    mock_get(urls[5], .error = -ECONNREFUSED);
    mock_get(urls[6], .delay = CO_MS(130), .body = "<title>6</title>");
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[7];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 7, 3, CO_SEC(1), &listener, out, &summary), 0);

    assert_int_equal(co_now(), CO_MS(1310));
    assert_int_equal(summary.total_time, CO_MS(1310));
    assert_int_equal(mock_peak(), 3);
    assert_int_equal(summary.successful, 4);
    assert_int_equal(summary.failed, 3);
    static const int begin[] = {0, 0, 0, 310, 520, 700, 700}, end[] = {700, 310, 520, 1310, 940, 700, 830};
    for (int i = 0; i < 7; i++) {
        if (i != 5)
            assert_int_equal(mock_begun_at(urls[i]), CO_MS(begin[i]));
        assert_int_equal(out[i].took, CO_MS(end[i] - begin[i]));
    }
    assert_int_equal(out[3].error, -ETIMEDOUT);
    assert_int_equal(out[4].error, 0);
    assert_int_equal(out[6].error, 0);
    assert_int_equal(mock_ended_at(urls[3]), CO_MS(1310));
    assert_int_equal(notes.n, 7);
    assert_int_equal(notes.logs, 3);
    for (int i = 0; i < 7; i++)
        assert_int_equal(notes.progress[i].done, i + 1);
    assert_int_equal(notes.progress[6].t, CO_MS(1310));
}

CO_TEST(each_timeout_runs_from_its_own_begin)
{
    static const char *const urls[] = {"http://a.test/0", "http://a.test/1", "http://a.test/2"};
    mock_get(urls[0], .delay = CO_MS(800));
    mock_get(urls[1], .delay = CO_MS(900));
    mock_get(urls[2], .delay = CO_MS(1100));
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 1, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(out[0].error, 0);
    assert_int_equal(out[1].error, 0);
    assert_int_equal(out[1].took, CO_MS(900));
    assert_int_equal(out[2].error, -ETIMEDOUT);
    assert_int_equal(out[2].took, CO_SEC(1));
    assert_int_equal(co_now(), CO_MS(2700));
    assert_int_equal(mock_peak(), 1);
}

CO_TEST(a_place_is_free_again_when_a_page_has_failed)
{
    static const char *const urls[] = {"http://a.test/late", "http://b.test/", "http://c.test/", "http://a.test/good"};
    mock_get(urls[0], .delay = CO_FOREVER);
    mock_get(urls[1], .error = -CO_ENOHOST);
    mock_get(urls[2], .status = 503, .delay = CO_MS(40));
    mock_get(urls[3], .delay = CO_MS(60), .body = "<title>Good</title>");
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 1, CO_MS(500), NULL, out, &summary), 0);
    assert_string_equal(out[3].title, "Good");
    assert_int_equal(co_now(), CO_MS(600));
    assert_int_equal(summary.failed, 3);
    assert_int_equal(summary.successful, 1);
}

CO_TEST(a_late_page_is_given_up_while_others_go_on)
{
    static const char *const urls[] = {"http://a.test/late", "http://b.test/1", "http://c.test/2"};
    mock_get(urls[0], .delay = CO_MS(1500));
    mock_get(urls[1], .delay = CO_MS(350), .body = "<title>1</title>");
    mock_get(urls[2], .delay = CO_MS(370), .body = "no title here");
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 2, CO_MS(400), NULL, out, &summary), 0);
    assert_int_equal(co_now(), CO_MS(720));
    assert_int_equal(mock_ended_at(urls[0]), CO_MS(400));
    assert_int_equal(mock_begun_at(urls[2]), CO_MS(350));
    assert_string_equal(out[1].title, "1");
    assert_string_equal(out[2].title, "");
    assert_int_equal(out[2].error, 0);
}

CO_TEST(the_same_url_twice)
{
    static const char *const urls[] = {"http://a.test/x", "http://a.test/y", "http://a.test/x"};
    mock_get(urls[0], .delay = CO_MS(200), .body = "<title>X</title>");
    mock_get(urls[1], .delay = CO_MS(330), .body = "<title>Y</title>");
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[3];
    struct summary summary;
    memset(out, 0x55, sizeof out);
    assert_int_equal(scrape_all(urls, 3, 2, CO_SEC(1), &listener, out, &summary), 0);
    assert_int_equal(mock_requests(urls[0]), 2);
    assert_int_equal(mock_requests(NULL), 3);
    assert_string_equal(out[0].title, "X");
    assert_string_equal(out[2].title, "X");
    assert_int_equal(out[2].took, CO_MS(200));
    assert_int_equal(co_now(), CO_MS(400));
    assert_int_equal(notes.n, 3);
    assert_int_equal(summary.successful, 3);
}

CO_TEST(no_url_at_all)
{
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[1];
    struct summary summary;
    static const char *const urls[] = {"http://a.test/x"};
    memset(&summary, 0x55, sizeof summary);
    assert_int_equal(scrape_all(urls, 0, 3, CO_SEC(1), &listener, out, &summary), 0);
    assert_int_equal(summary.total, 0);
    assert_int_equal(summary.successful, 0);
    assert_int_equal(summary.failed, 0);
    assert_int_equal(summary.total_time, 0);
    assert_int_equal(notes.n + notes.logs, 0);
    assert_int_equal(mock_requests(NULL), 0);
    assert_int_equal(co_now(), 0);
}

CO_TEST(one_url_and_a_wide_limit)
{
    static const char *const urls[] = {"http://a.test/x"};
    mock_get(urls[0], .delay = CO_MS(70), .body = "<title>X</title>");
    struct page out[1];
    struct summary summary;
    assert_int_equal(co_sleep(CO_MS(30)), 0);
    assert_int_equal(scrape_all(urls, 1, 1000, CO_SEC(1), NULL, out, &summary), 0);
    assert_string_equal(out[0].title, "X");
    assert_int_equal(summary.total, 1);
    assert_int_equal(summary.total_time, CO_MS(70));
}

CO_TEST(half_a_listener)
{
    static const char *const urls[] = {"http://a.test/x", "http://a.test/y"};
    mock_get(urls[0], .delay = CO_MS(70), .body = "<title>X</title>");
    mock_get(urls[1], .delay = CO_MS(50), .status = 404);
    struct page out[2];
    struct summary summary;
    struct notes notes = {0};
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), &(struct listener){.progress = on_progress, .arg = &notes}, out, &summary), 0);
    assert_int_equal(notes.n, 2);
    assert_int_equal(notes.logs, 0);
    memset(&notes, 0, sizeof notes);
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), &(struct listener){.log = on_log, .arg = &notes}, out, &summary), 0);
    assert_int_equal(notes.n, 0);
    assert_int_equal(notes.logs, 1);
    assert_int_equal(summary.total_time, CO_MS(70));
    assert_int_equal(summary.failed, 1);
    assert_int_equal(scrape_all(urls, 2, 2, CO_SEC(1), &(struct listener){0}, out, &summary), 0);
    assert_int_equal(summary.successful, 1);
}

CO_TEST(many_pages)
{
    static char text[150][32];
    const char *urls[150];
    static struct page out[150];
    struct summary summary;
    for (int i = 0; i < 150; i++) {
        snprintf(text[i], sizeof text[i], "http://h%d.test/%d", i % 7, i);
        urls[i] = text[i];
        mock_get(urls[i], .delay = CO_MS(100));
    }
    assert_int_equal(scrape_all(urls, 150, 50, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(co_now(), CO_MS(300));
    assert_int_equal(mock_peak(), 50);
    assert_int_equal(summary.successful, 150);
    for (int i = 0; i < 150; i++)
        assert_ptr_equal(out[i].url, urls[i]);
}

struct all {
    const char *const *urls;
    size_t n, limit;
    const struct listener *listener;
    struct page *out;
    struct summary summary;
    int rc;
};

static int scrape_them(void *arg)
{
    struct all *all = arg;
    return all->rc = scrape_all(all->urls, all->n, all->limit, CO_SEC(2), all->listener, all->out, &all->summary);
}

CO_TEST(a_run_that_is_cancelled)
{
    static const char *const urls[] = {"http://a.test/0", "http://b.test/1", "http://c.test/2", "http://d.test/3", "http://e.test/4"};
    mock_get(urls[0], .delay = CO_MS(150), .body = "<title>0</title>");
    mock_get(urls[1], .delay = CO_MS(900));
    mock_get(urls[2], .delay = CO_MS(100), .status = 404);
    mock_get(urls[3], .delay = CO_MS(700));
    mock_get(urls[4], .delay = CO_MS(10));
    struct notes notes = {0};
    struct listener listener = {on_progress, on_log, &notes};
    struct page out[5];
    memset(out, 0x55, sizeof out);
    struct all all = {urls, 5, 2, &listener, out, {0}, 1};
    memset(&all.summary, 0x55, sizeof all.summary);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, scrape_them, &all);
    assert_int_equal(co_sleep(CO_MS(400)), 0);      /* 0 and 2 are done, 1 and 3 under way, 4 waits for its turn */
    co_cancel(task);
    assert_int_equal(co_await(task, NULL), 0);

    assert_int_equal(all.rc, -ECANCELED);
    assert_int_equal(co_now(), CO_MS(400));
    assert_int_equal(mock_in_flight(NULL), 0);
    assert_int_equal(mock_given_up(NULL), 2);
    assert_int_equal(mock_requests(urls[4]), 0);
    assert_int_equal(all.summary.total, 5);
    assert_int_equal(all.summary.successful, 1);
    assert_int_equal(all.summary.failed, 1);
    assert_int_equal(all.summary.total_time, CO_MS(400));
    assert_int_equal(out[0].error, 0);
    assert_string_equal(out[0].title, "0");
    assert_int_equal(out[2].status, 404);
    for (int i = 1; i < 5; i++)
        if (i != 2)
            assert_int_equal(out[i].error, -ECANCELED);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(out[i].url, urls[i]);
    assert_int_equal(notes.n, 2);
    assert_int_equal(notes.logs, 1);
    assert_int_equal(co_sleep(CO_SEC(5)), 0);
    assert_int_equal(mock_requests(NULL), 4);
    assert_int_equal(notes.n, 2);
    co_task *left[4];
    assert_int_equal(co_all_tasks(left, 4), 1);
}

CO_TEST(no_task_is_left)
{
    static const char *const urls[] = {"http://a.test/0", "http://b.test/1", "http://c.test/2"};
    mock_get(urls[0], .delay = CO_MS(150));
    mock_get(urls[1], .delay = CO_FOREVER);
    mock_get(urls[2], .delay = CO_MS(180));
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 2, CO_MS(300), NULL, out, &summary), 0);
    co_task *left[4];
    assert_int_equal(co_all_tasks(left, 4), 1);
    assert_int_equal(mock_in_flight(NULL), 0);
    assert_int_equal(co_now(), CO_MS(330));
}

CO_TEST(two_runs_side_by_side)
{
    static const char *const urls[] = {"http://a.test/0", "http://b.test/1", "http://c.test/2"};
    mock_get(urls[0], .delay = CO_MS(150), .body = "<title>0</title>");
    mock_get(urls[1], .delay = CO_MS(250), .status = 404);
    mock_get(urls[2], .delay = CO_MS(350), .body = "<title>2</title>");
    struct notes notes[2] = {{0}, {0}};
    struct listener listeners[2] = {{on_progress, on_log, &notes[0]}, {on_progress, on_log, &notes[1]}};
    struct page out[2][3];
    struct all runs[2] = {{urls, 3, 2, &listeners[0], out[0], {0}, 1}, {urls, 2, 1, &listeners[1], out[1], {0}, 1}};
    CO_GROUP(group);
    co_spawn(&group, scrape_them, &runs[0]);
    co_spawn(&group, scrape_them, &runs[1]);
    assert_int_equal(co_join(&group), 0);
    assert_int_equal(runs[0].summary.total_time, CO_MS(500));
    assert_int_equal(runs[1].summary.total_time, CO_MS(400));
    assert_int_equal(notes[0].n, 3);
    assert_int_equal(notes[1].n, 2);
    assert_int_equal(notes[0].progress[2].done, 3);
    assert_int_equal(notes[1].progress[1].done, 2);
    assert_int_equal(runs[0].summary.successful, 2);
    assert_int_equal(runs[1].summary.successful, 1);
}

CO_TEST(exactly_in_time)
{
    mock_get("http://a.test/tea", .delay = CO_SEC(1), .body = "<title>Tea</title>");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/tea", CO_SEC(1), &page), 0);
    assert_int_equal(page.error, 0);
    assert_string_equal(page.title, "Tea");
}
