/* test_scraper.c - lab 06, the reference suite.
 *
 * Each test is about one or two sentences of scraper.h; they stand above it. What no sentence says is not asserted: the
 * order of what happens at one instant, the words of a log line, what stands behind the '\0' of a title.
 *
 * All delays in a test differ, and the order in which pages are done is never the order in which they were asked for,
 * unless that is the point. What is equal cannot be told apart.
 */
#include "co_test.h"
#include "scraper.h"

#include <stdio.h>

/* ---- What the tests share --------------------------------------------------------------------------- */

enum { MOST = 20 };

/* What a listener was told, and when. It lives on the stack of a test: a static
 * one would still hold what the test before left. */
struct notes {
    size_t progress_n, log_n;
    struct {
        const char *url;
        size_t done, total;
        int64_t t;
    } progress[MOST];
    struct {
        const char *url;
        bool has_cause;
        int64_t t;
    } log[MOST];
};

/* These run inside the scraper, in whichever task it likes. An assertion that
 * does not hold ends the test from there as well. */
static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct notes *notes = arg;
    assert_in_range(notes->progress_n, 0, MOST - 1);
    notes->progress[notes->progress_n].url = page->url;
    notes->progress[notes->progress_n].done = done;
    notes->progress[notes->progress_n].total = total;
    notes->progress[notes->progress_n++].t = co_now();
}

static void on_log(void *arg, const char *url, const char *cause)
{
    struct notes *notes = arg;
    assert_in_range(notes->log_n, 0, MOST - 1);
    notes->log[notes->log_n].url = url;
    notes->log[notes->log_n].has_cause = cause && *cause;
    notes->log[notes->log_n++].t = co_now();
}

#define LISTENER(notes) (&(struct listener){on_progress, on_log, (notes)})
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* A macro, so that a failure names the line of the test, not of a helper. */
#define assert_page(page_, error_, status_, title_, took_) \
    do { \
        assert_int_equal((page_).error, (error_)); \
        assert_int_equal((page_).status, (status_)); \
        assert_string_equal((page_).title, (title_)); \
        assert_int_equal((page_).took, (took_)); \
    } while (0)

#define assert_summary(summary_, total_, successful_, failed_, time_) \
    do { \
        assert_int_equal((summary_).total, (total_)); \
        assert_int_equal((summary_).successful, (successful_)); \
        assert_int_equal((summary_).failed, (failed_)); \
        assert_int_equal((summary_).total_time, (time_)); \
    } while (0)

/* ---- One page ------------------------------------------------------------------------------------------ */

/* "Fills in every field of *out." One request, and it takes as long as the answer does. */
CO_TEST(a_good_page)
{
    mock_get("http://a.test/tea", .body = "<html><title>Tea &c</title></html>", .delay = CO_MS(300));
    const char *url = "http://a.test/tea";
    struct page page;
    memset(&page, 'x', sizeof page);        /* whatever the scraper does not fill in stays an x */

    assert_int_equal(scrape_page(url, CO_SEC(2), &page), 0);

    assert_ptr_equal(page.url, url);
    assert_page(page, 0, 200, "Tea &c", CO_MS(300));
    assert_int_equal(co_now(), CO_MS(300));
    assert_int_equal(mock_requests(NULL), 1);
}

/* "The text between <title> and </title>", "" if there is none, cut after 63 bytes. The page with a title comes first:
 * then one without it could be given the wrong one. */
CO_TEST(titles)
{
    char text[200] = "<title>", cut[TITLE_MAX] = "";
    memset(text + 7, 'y', 70);
    strcpy(text + 77, "</title>");
    memset(cut, 'y', TITLE_MAX - 1);
    mock_get("http://a.test/long", .body = text, .delay = CO_MS(10));
    mock_get("http://a.test/none", .body = "<p>no title</p>", .delay = CO_MS(20));
    mock_get("http://a.test/open", .body = "<title>never closed", .delay = CO_MS(30));
    mock_get("http://a.test/zero", .body = "a\0<title>behind a zero</title>", .length = 30, .delay = CO_MS(40));
    mock_get("http://a.test/empty", .delay = CO_MS(50));
    const char *urls[] = {"http://a.test/long", "http://a.test/none", "http://a.test/open", "http://a.test/zero",
                          "http://a.test/empty"};
    struct page out[5];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 5, 1, CO_SEC(1), NULL, out, &summary), 0);

    assert_string_equal(out[0].title, cut);
    assert_string_equal(out[1].title, "");
    assert_string_equal(out[2].title, "");
    assert_string_equal(out[3].title, "behind a zero");
    assert_string_equal(out[4].title, "");
}

/* "Takes at most `timeout` ns from the call to the end: then the page's error is -ETIMEDOUT, and its request
 * is given up at that instant." What the page says and what has become of the request are two things; the
 * world knows the second. */
CO_TEST(a_page_that_never_answers)
{
    mock_get("http://a.test/", .delay = CO_FOREVER);
    struct page page;

    assert_int_equal(scrape_page("http://a.test/", CO_MS(1500), &page), 0);

    assert_page(page, -ETIMEDOUT, 0, "", CO_MS(1500));
    assert_int_equal(co_now(), CO_MS(1500));
    assert_int_equal(mock_given_up("http://a.test/"), 1);
    assert_int_equal(mock_ended_at("http://a.test/"), CO_MS(1500));
}

/* The same sentence: "whatever the server does". A byte every 400 ms is never silent for long. */
CO_TEST(a_page_that_drips)
{
    mock_get("http://a.test/", .body = "<title>drip drip</title>", .delay = CO_MS(100), .every = CO_MS(400));
    struct page page;

    assert_int_equal(scrape_page("http://a.test/", CO_MS(1000), &page), 0);

    assert_page(page, -ETIMEDOUT, 0, "", CO_MS(1000));
    assert_int_equal(co_now(), CO_MS(1000));
    assert_int_equal(mock_ended_at("http://a.test/"), CO_MS(1000));
}

/* A little before the timeout, and a little behind. Not on the very instant: the contract leaves that open. */
CO_TEST(just_in_time_and_just_too_late)
{
    mock_get("http://a.test/early", .body = "<title>e</title>", .delay = CO_MS(990));
    mock_get("http://a.test/late", .body = "<title>l</title>", .delay = CO_MS(1010));
    struct page page;

    assert_int_equal(scrape_page("http://a.test/early", CO_SEC(1), &page), 0);
    assert_page(page, 0, 200, "e", CO_MS(990));
    assert_int_equal(scrape_page("http://a.test/late", CO_SEC(1), &page), 0);
    assert_page(page, -ETIMEDOUT, 0, "", CO_SEC(1));
    assert_int_equal(co_now(), CO_MS(1990));
}

/* "With one GET request (and one more for each redirect, which it follows)." "After redirects: the last one's." */
CO_TEST(redirects_are_followed)
{
    mock_get("http://a.test/old", .redirect = "http://b.test/new", .delay = CO_MS(100));
    mock_get("http://b.test/new", .body = "<title>moved</title>", .delay = CO_MS(200));
    struct page page;

    assert_int_equal(scrape_page("http://a.test/old", CO_SEC(1), &page), 0);

    assert_page(page, 0, 200, "moved", CO_MS(300));
    assert_string_equal(page.url, "http://a.test/old");
    assert_int_equal(mock_requests("http://a.test/old"), 1);
    assert_int_equal(mock_requests("http://b.test/new"), 1);
}

/* ---- What is a success, what a failure ------------------------------------------------------------------ */

/* "Successful if there was a complete answer in time with a status below 400;
 * else it has failed." Both sides of the border. */
CO_TEST(successes_and_failures)
{
    static const int statuses[] = {200, 299, 399, 400, 404, 499, 500, 599};
    enum { N = LENGTH(statuses), FAILED = 5 };
    char urls[N][32];
    const char *list[N];
    for (size_t i = 0; i < N; i++) {
        snprintf(urls[i], sizeof urls[i], "http://a.test/%d", statuses[i]);
        list[i] = urls[i];
        mock_get(urls[i], .status = statuses[i], .body = "<title>There</title>", .delay = CO_MS(100 + 10 * i));
    }
    struct page out[N];
    struct summary summary;
    struct notes notes = {0};

    assert_int_equal(scrape_all(list, N, N, CO_SEC(1), LISTENER(&notes), out, &summary), 0);

    for (size_t i = 0; i < N; i++)
        assert_page(out[i], 0, statuses[i], statuses[i] < 400 ? "There" : "", CO_MS(100 + 10 * i));
    assert_summary(summary, N, N - FAILED, FAILED, CO_MS(170));
    assert_int_equal(notes.progress_n, N);
    assert_int_equal(notes.log_n, FAILED);
    for (size_t i = 0; i < FAILED; i++) {   /* they fail one after the other, in the order of their delays */
        assert_ptr_equal(notes.log[i].url, list[N - FAILED + i]);
        assert_int_equal(notes.log[i].t, CO_MS(130 + 10 * i));
        assert_true(notes.log[i].has_cause);
    }
}

/* "Else the negative errno of the call that failed." Each error is its own, each
 * is asked for once, each is logged once. */
CO_TEST(network_errors)
{
    mock_get("http://closed.test/", .error = -ECONNREFUSED);
    mock_get("http://nowhere.test/", .error = -CO_ENOHOST);
    mock_get("http://a.test/reset", .error = -ECONNRESET, .delay = CO_MS(200), .body = "<title>half of it</title>");
    mock_get("http://a.test/cut", .error = -EPROTO, .delay = CO_MS(300), .body = "<title>half of it</title>");
    mock_get("http://a.test/hangs", .delay = CO_FOREVER);
    const char *urls[] = {"http://closed.test/", "http://nowhere.test/", "http://a.test/reset", "http://a.test/cut",
                          "http://a.test/hangs"};
    static const int errors[] = {-ECONNREFUSED, -CO_ENOHOST, -ECONNRESET, -EPROTO, -ETIMEDOUT};
    static const int64_t took[] = {0, 0, CO_MS(200), CO_MS(300), CO_MS(700)};
    struct page out[5];
    struct summary summary;
    struct notes notes = {0};

    assert_int_equal(scrape_all(urls, 5, 5, CO_MS(700), LISTENER(&notes), out, &summary), 0);

    for (size_t i = 0; i < 5; i++) {
        assert_page(out[i], errors[i], 0, "", took[i]);
        assert_int_equal(mock_requests(urls[i]), 1);
    }
    assert_summary(summary, 5, 0, 5, CO_MS(700));
    assert_int_equal(notes.progress_n, 5);
    assert_int_equal(notes.log_n, 5);
    for (size_t i = 2; i < 5; i++) {        /* the first two fail at the same instant: their order is open */
        assert_string_equal(notes.log[i].url, urls[i]);
        assert_int_equal(notes.log[i].t, took[i]);
    }
}

/* "A failed page is recorded and logged; the others go on." It fails first,
 * while the others are under way or wait for their turn. */
CO_TEST(one_failure_does_not_stop_the_others)
{
    mock_get("http://a.test/slow", .body = "<title>slow</title>", .delay = CO_MS(800));
    mock_get("http://a.test/breaks", .error = -ECONNRESET, .delay = CO_MS(100));
    mock_get("http://a.test/next", .body = "<title>next</title>", .delay = CO_MS(150));
    const char *urls[] = {"http://a.test/slow", "http://a.test/breaks", "http://a.test/next"};
    struct page out[3];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 3, 2, CO_SEC(1), NULL, out, &summary), 0);

    assert_page(out[0], 0, 200, "slow", CO_MS(800));
    assert_page(out[1], -ECONNRESET, 0, "", CO_MS(100));
    assert_page(out[2], 0, 200, "next", CO_MS(150));
    assert_summary(summary, 3, 2, 1, CO_MS(800));
}

/* ---- All together --------------------------------------------------------------------------------------- */

/* "Stores what became of urls[i] in out[i]", and "progress, at the instant it is done": the results stay in input
 * order, the news come in the order in which pages are done. So the two orders must differ. The total time is as
 * long as the slowest page. */
CO_TEST(all_at_once)
{
    static const int delays[] = {503, 101, 402, 204, 305};
    static const size_t order[] = {1, 3, 4, 2, 0};
    char urls[5][32], bodies[5][32];
    const char *list[5];
    for (size_t i = 0; i < 5; i++) {
        snprintf(urls[i], sizeof urls[i], "http://a.test/%zu", i);
        snprintf(bodies[i], sizeof bodies[i], "<title>page %zu</title>", i);
        list[i] = urls[i];
        mock_get(urls[i], .body = bodies[i], .delay = CO_MS(delays[i]));
    }
    struct page out[5];
    struct summary summary;
    struct notes notes = {0};

    assert_int_equal(scrape_all(list, 5, 5, CO_SEC(1), LISTENER(&notes), out, &summary), 0);

    assert_int_equal(co_now(), CO_MS(503));
    assert_summary(summary, 5, 5, 0, CO_MS(503));
    assert_int_equal(mock_peak(), 5);
    assert_int_equal(mock_requests(NULL), 5);
    for (size_t i = 0; i < 5; i++) {
        char title[32];
        snprintf(title, sizeof title, "page %zu", i);
        assert_ptr_equal(out[i].url, list[i]);
        assert_page(out[i], 0, 200, title, CO_MS(delays[i]));
    }
    assert_int_equal(notes.progress_n, 5);
    assert_int_equal(notes.log_n, 0);
    for (size_t k = 0; k < 5; k++) {
        assert_ptr_equal(notes.progress[k].url, list[order[k]]);
        assert_int_equal(notes.progress[k].done, k + 1);
        assert_int_equal(notes.progress[k].total, 5);
        assert_int_equal(notes.progress[k].t, CO_MS(delays[order[k]]));
    }
}

/* ---- The limit ------------------------------------------------------------------------------------------- */

/* "At most `limit` of them at once", "the first `limit` at once, each further one at the very instant at which one
 * of those under way is done". One slow page, so that waiting for the whole first group would show. When each is
 * begun, the world knows. */
CO_TEST(the_limit)
{
    static const int delays[] = {400, 110, 120, 130, 100}, begun[] = {0, 0, 110, 230, 360};
    char urls[5][32];
    const char *list[5];
    for (size_t i = 0; i < 5; i++) {
        snprintf(urls[i], sizeof urls[i], "http://a.test/%zu", i);
        list[i] = urls[i];
        mock_get(urls[i], .delay = CO_MS(delays[i]));
    }
    struct page out[5];
    struct summary summary;

    assert_int_equal(scrape_all(list, 5, 2, CO_SEC(1), NULL, out, &summary), 0);

    assert_int_equal(mock_peak(), 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(mock_begun_at(list[i]), CO_MS(begun[i]));
        assert_int_equal(out[i].took, CO_MS(delays[i]));     /* "from the page's own begin" */
    }
    assert_int_equal(co_now(), CO_MS(460));
    assert_summary(summary, 5, 5, 0, CO_MS(460));
}

/* "Waiting for its turn does not count": three times 400 ms, one after the other, with a timeout of 500 ms. */
CO_TEST(waiting_for_its_turn_is_not_late)
{
    mock_get("http://a.test/1", .delay = CO_MS(400));
    mock_get("http://a.test/2", .delay = CO_MS(410));
    mock_get("http://a.test/3", .delay = CO_MS(420));
    const char *urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3"};
    struct page out[3];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 3, 1, CO_MS(500), NULL, out, &summary), 0);

    for (size_t i = 0; i < 3; i++)
        assert_page(out[i], 0, 200, "", CO_MS(400 + 10 * i));
    assert_summary(summary, 3, 3, 0, CO_MS(1230));
    assert_int_equal(mock_peak(), 1);
}

/* A page that has failed, in whichever way, is done: its place goes to the next. More failures than places, so that a
 * place that is lost is missed. And a late page's request is given up then, not at the end of the run: else there would
 * be one too many in flight. */
CO_TEST(failed_pages_give_their_place)
{
    mock_get("http://a.test/hangs", .delay = CO_FOREVER);
    mock_get("http://a.test/404", .status = 404, .delay = CO_MS(50));
    mock_get("http://closed.test/", .error = -ECONNREFUSED);
    mock_get("http://a.test/good", .delay = CO_MS(450));
    mock_get("http://a.test/last", .delay = CO_MS(460));
    const char *urls[] = {"http://a.test/hangs", "http://a.test/404", "http://closed.test/", "http://a.test/good",
                          "http://a.test/last"};
    struct page out[5];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 5, 2, CO_MS(480), NULL, out, &summary), 0);

    assert_int_equal(mock_ended_at("http://a.test/hangs"), CO_MS(480));
    assert_int_equal(mock_begun_at("http://a.test/good"), CO_MS(50));
    assert_int_equal(mock_begun_at("http://a.test/last"), CO_MS(480));
    assert_int_equal(mock_peak(), 2);
    assert_summary(summary, 5, 2, 3, CO_MS(940));
}

/* ---- The ends --------------------------------------------------------------------------------------------- */

/* "n may be 0." Nothing happens, and it takes no time. */
CO_TEST(no_url)
{
    struct summary summary;
    struct notes notes = {0};

    assert_int_equal(scrape_all(NULL, 0, 3, CO_SEC(1), LISTENER(&notes), NULL, &summary), 0);

    assert_summary(summary, 0, 0, 0, 0);
    assert_int_equal(co_now(), 0);
    assert_int_equal(mock_requests(NULL) + (int)notes.progress_n + (int)notes.log_n, 0);
}

/* "A URL that stands in urls twice is scraped twice." */
CO_TEST(the_same_url_twice)
{
    mock_get("http://a.test/", .body = "<title>twin</title>", .delay = CO_MS(100));
    const char *urls[] = {"http://a.test/", "http://a.test/"};
    struct page out[2];
    struct summary summary;

    assert_int_equal(scrape_all(urls, 2, 5, CO_SEC(1), NULL, out, &summary), 0);

    assert_int_equal(mock_requests("http://a.test/"), 2);
    assert_page(out[0], 0, 200, "twin", CO_MS(100));
    assert_page(out[1], 0, 200, "twin", CO_MS(100));
    assert_summary(summary, 2, 2, 0, CO_MS(100));
}

/* ---- Cancelled ---------------------------------------------------------------------------------------------- */

/* The arguments of a call that runs as a task of its own, so that it can be cancelled. */
struct call {
    const char *const *urls;
    size_t n, limit;
    struct notes notes;
    struct page out[MOST];
    struct summary summary;
};

static int scrape_as_task(void *arg)
{
    struct call *call = arg;
    return scrape_all(call->urls, call->n, call->limit, CO_SEC(2), LISTENER(&call->notes), call->out, &call->summary);
}

/* "It returns at once, every request has been given up, none is begun any more, and what was done by then is not lost."
 * Cancelled after 250 ms: one page is done, two are under way, one waits for its turn. */
CO_TEST(cancelled_halfway)
{
    mock_get("http://a.test/done", .body = "<title>done</title>", .delay = CO_MS(200));
    mock_get("http://a.test/under-way", .delay = CO_MS(500));
    mock_get("http://a.test/begun-late", .delay = CO_MS(400));
    mock_get("http://a.test/waits", .delay = CO_MS(300));
    const char *urls[] = {"http://a.test/under-way", "http://a.test/done", "http://a.test/begun-late",
                          "http://a.test/waits"};
    struct call call = {.urls = urls, .n = 4, .limit = 2};
    int rc;

    CO_GROUP(group);
    co_task *task = co_spawn(&group, scrape_as_task, &call);
    assert_int_equal(co_sleep(CO_MS(250)), 0);
    co_cancel(task);
    assert_int_equal(co_await(task, &rc), 0);

    assert_int_equal(rc, -ECANCELED);
    assert_int_equal(co_now(), CO_MS(250));
    assert_int_equal(mock_in_flight(NULL), 0);
    assert_int_equal(mock_given_up(NULL), 2);
    assert_int_equal(mock_requests("http://a.test/waits"), 0);
    assert_page(call.out[1], 0, 200, "done", CO_MS(200));
    for (size_t i = 0; i < 4; i++)
        if (i != 1)
            assert_int_equal(call.out[i].error, -ECANCELED);
    assert_summary(call.summary, 4, 1, 0, CO_MS(250));
    assert_int_equal(call.notes.progress_n, 1);
    assert_int_equal(call.notes.log_n, 0);
}

static int scrape_page_as_task(void *arg)
{
    return scrape_page("http://a.test/", CO_SEC(2), arg);
}

/* scrape_page: "-ECANCELED when the calling task was cancelled: out->error is
 * -ECANCELED then, and the request is given up." */
CO_TEST(one_page_cancelled)
{
    mock_get("http://a.test/", .delay = CO_MS(500));
    struct page page;
    int rc;

    CO_GROUP(group);
    co_task *task = co_spawn(&group, scrape_page_as_task, &page);
    assert_int_equal(co_sleep(CO_MS(100)), 0);
    co_cancel(task);
    assert_int_equal(co_await(task, &rc), 0);

    assert_int_equal(rc, -ECANCELED);
    assert_int_equal(page.error, -ECANCELED);
    assert_int_equal(co_now(), CO_MS(100));
    assert_int_equal(mock_given_up("http://a.test/"), 1);
}
