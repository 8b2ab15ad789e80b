/* Student B: a table says what the web looks like, a small model works out what must happen, and one function compares. */
#include "scraper.h"
#include "co_test.h"

#include <stdlib.h>
#include <stdio.h>

enum { ROOM = 24 };

/* One page of a scene. `is` is the title that is expected. */
struct row {
    const char *url;
    struct mock mock;
    int error, status;      /* what must come of it, unless it is late */
    const char *is;
};

struct scene {
    struct row rows[ROOM];
    size_t n, limit;
    int64_t timeout;
    int64_t cancel_at;      /* 0: never */
};

struct heard {
    const char *url;
    int64_t t;
    size_t done;
};
struct ear {
    const struct scene *scene;
    struct heard progress[ROOM], log[ROOM];
    size_t pages, failures;
};

static void hear_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct ear *ear = arg;
    assert_true(ear->pages < ROOM);
    assert_int_equal(total, ear->scene->n);
    assert_non_null(page);
    ear->progress[ear->pages++] = (struct heard){page->url, co_now(), done};
}

static void hear_log(void *arg, const char *url, const char *cause)
{
    struct ear *ear = arg;
    assert_true(ear->failures < ROOM);
    assert_non_null(cause);
    assert_true(strlen(cause) > 0);
    const char *which = NULL;
    for (size_t i = 0; i < ear->scene->n && !which; i++)
        if (strcmp(ear->scene->rows[i].url, url) == 0)
            which = ear->scene->rows[i].url;
    assert_non_null(which);
    ear->log[ear->failures++] = (struct heard){which, co_now(), 0};
}

/* How long a page takes by itself; whether it is late. */
static int64_t length_of(const struct row *row, int64_t timeout, bool *late)
{
    int64_t t = row->mock.error == -ECONNREFUSED || row->mock.error == -CO_ENOHOST ? 0 : row->mock.delay;
    if (t != CO_FOREVER && row->mock.every > 0)
        t += row->mock.every * (int64_t)strlen(row->mock.body);
    *late = t > timeout;
    return *late ? timeout : t;
}

struct call {
    const struct scene *scene;
    const char **urls;
    const struct listener *listener;
    struct page *out;
    struct summary *summary;
    int rc;
};
static int do_call(void *arg)
{
    struct call *call = arg;
    call->rc = scrape_all(call->urls, call->scene->n, call->scene->limit, call->scene->timeout, call->listener, call->out,
                          call->summary);
    return 0;
}

/* Plays a scene and compares with the model. Delays are such that no two pages end at the same instant, but for those that fail at once. */
static void play(const struct scene *scene)
{
    int64_t begin[ROOM], end[ROOM], free_at[ROOM] = {0}, last = 0, start = co_now();
    bool late[ROOM];
    size_t n = scene->n, successful = 0, failed = 0;
    const char *urls[ROOM];
    char *copies[ROOM];

    for (size_t i = 0; i < n; i++) {
        const struct row *row = &scene->rows[i];
        bool mocked = false;
        copies[i] = strdup(row->url);
        assert_non_null(copies[i]);
        urls[i] = copies[i];
        for (size_t j = 0; j < i; j++)
            mocked = mocked || strcmp(scene->rows[j].url, row->url) == 0;
        if (!mocked)
            mock_get_at(row->url, row->mock, __FILE__, __LINE__);
        size_t place = 0;
        for (size_t p = 0; p < scene->limit && p < ROOM; p++)
            if (free_at[p] < free_at[place])
                place = p;
        begin[i] = free_at[place];
        end[i] = free_at[place] = begin[i] + length_of(row, scene->timeout, &late[i]);
        if (end[i] > last)
            last = end[i];
    }
    if (scene->cancel_at)
        last = scene->cancel_at;

    struct ear ear = {.scene = scene};
    struct listener listener = {hear_progress, hear_log, &ear};
    struct page *out = malloc((n + 1) * sizeof *out);
    assert_non_null(out);
    memset(out, 'x', (n + 1) * sizeof *out);
    struct summary summary;
    memset(&summary, 'x', sizeof summary);
    struct call call = {scene, urls, &listener, out, &summary, 1};
    {
        CO_GROUP(group);
        co_task *task = co_spawn(&group, do_call, &call);
        if (scene->cancel_at) {
            assert_int_equal(co_sleep(scene->cancel_at), 0);
            co_cancel(task);
        }
        assert_int_equal(co_await(task, NULL), 0);
    }
    assert_int_equal(call.rc, scene->cancel_at ? -ECANCELED : 0);
    assert_int_equal(co_now() - start, last);
    assert_int_equal(summary.total_time, last);
    assert_int_equal(mock_in_flight(NULL), 0);

    size_t given_up = 0;
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &scene->rows[i];
        bool done = !scene->cancel_at || end[i] < scene->cancel_at;
        bool bad = late[i] || row->error || row->status >= 400;
        assert_ptr_equal(out[i].url, urls[i]);
        assert_int_equal(out[i].error, !done ? -ECANCELED : late[i] ? -ETIMEDOUT : row->error);
        if (!done) {
            given_up += begin[i] < scene->cancel_at;
            assert_int_equal(out[i].status, 0);
            continue;
        }
        given_up += late[i];
        assert_int_equal(out[i].status, late[i] || row->error ? 0 : row->status);
        assert_string_equal(out[i].title, bad ? "" : row->is);
        assert_int_equal(out[i].took, end[i] - begin[i]);
        if (bad)
            failed++;
        else
            successful++;

        size_t told = 0, logged = 0;
        for (size_t k = 0; k < ear.pages; k++)
            told += ear.progress[k].url == urls[i] && ear.progress[k].t - start == end[i];
        for (size_t k = 0; k < ear.failures; k++)
            logged += strcmp(ear.log[k].url, urls[i]) == 0 && ear.log[k].t - start == end[i];
        assert_int_equal(told, 1);
        assert_int_equal(logged, bad);
    }
    assert_int_equal(ear.pages, successful + failed);
    assert_int_equal(ear.failures, failed);
    for (size_t k = 0; k < ear.pages; k++)
        assert_int_equal(ear.progress[k].done, k + 1);
    assert_int_equal(summary.total, n);
    assert_int_equal(summary.successful, successful);
    assert_int_equal(summary.failed, failed);
    assert_int_equal(mock_given_up(NULL), given_up);
    if (n > 0)
        assert_true((size_t)mock_peak() <= scene->limit);
    for (size_t i = 0; i < n; i++)
        if (scene->rows[i].mock.error == 0) {
            bool first = true;
            int times = 0;
            for (size_t j = 0; j < n; j++)
                if (strcmp(urls[i], urls[j]) == 0) {
                    first = first && j >= i;
                    times += !scene->cancel_at || begin[j] < scene->cancel_at;
                }
            assert_int_equal(mock_requests(urls[i]), times);
            if (first && times)
                assert_int_equal(mock_begun_at(urls[i]) - start, begin[i]);
        }
    co_task *tasks[2];
    assert_int_equal(co_all_tasks(tasks, 2), 1);
    for (size_t i = 0; i < n; i++)
        free(copies[i]);
    free(out);
}

#define OK(url_, ms, title_) {url_, {.delay = CO_MS(ms), .body = "<title>" title_ "</title>"}, 0, 200, title_}
#define STATUS(url_, ms, status_) {url_, {.delay = CO_MS(ms), .status = status_, .body = "<title>x</title>"}, 0, status_, "x"}
#define BROKEN(url_, ms, error_) {url_, {.delay = CO_MS(ms), .error = error_, .body = "<title>x</title>"}, error_, 0, ""}

CO_TEST(scene_all_kinds_at_once)
{
    struct scene scene = {{OK("http://a.test/1", 640, "one"), STATUS("http://a.test/2", 520, 404), BROKEN("http://b.test/", 0, -ECONNREFUSED),
                           OK("http://c.test/late", 1300, "late"), STATUS("http://a.test/5", 410, 500), BROKEN("http://d.test/", 290, -ECONNRESET),
                           BROKEN("http://e.test/", 370, -EPROTO), OK("http://f.test/", 130, "last")}, 8, 8, CO_SEC(1), 0};
    play(&scene);
}

CO_TEST(scene_limit_two)
{
    struct scene scene = {{OK("http://a.test/1", 400, "a"), OK("http://a.test/2", 110, "b"), STATUS("http://b.test/3", 120, 404),
                           BROKEN("http://c.test/", 40, -ECONNRESET), OK("http://b.test/5", 905, "e"), OK("http://b.test/6", 2000, "f"),
                           OK("http://b.test/7", 33, "g")}, 7, 2, CO_SEC(1), 0};
    play(&scene);
    assert_int_equal(mock_peak(), 2);
}

CO_TEST(scene_one_at_a_time)
{
    struct scene scene = {{OK("http://a.test/1", 700, "a"), OK("http://a.test/2", 600, "b"), OK("http://a.test/3", 5000, ""),
                           BROKEN("http://nowhere.test/", 0, -CO_ENOHOST), OK("http://a.test/5", 55, "e"),
                           {"http://a.test/6", {.delay = CO_MS(45), .body = "<p>no title</p>"}, 0, 200, ""}}, 6, 1, CO_MS(800), 0};
    play(&scene);
    assert_int_equal(mock_peak(), 1);
}

CO_TEST(scene_more_places_than_pages)
{
    struct scene scene = {{OK("http://a.test/1", 31, "a"), OK("http://a.test/2", 17, "b")}, 2, 20, CO_MS(800), 0};
    play(&scene);
    assert_int_equal(mock_peak(), 2);
}

CO_TEST(scene_nothing)
{
    struct scene scene = {.n = 0, .limit = 4, .timeout = CO_SEC(1)};
    play(&scene);
    assert_int_equal(mock_requests(NULL), 0);
}

CO_TEST(scene_all_fail)
{
    struct scene scene = {{STATUS("http://a.test/1", 35, 400), STATUS("http://a.test/2", 25, 599), BROKEN("http://b.test/", 15, -EPROTO),
                           OK("http://a.test/4", 9000, "")}, 4, 3, CO_MS(100), 0};
    play(&scene);
}

CO_TEST(scene_statuses_below_400)
{
    struct scene scene = {{STATUS("http://a.test/1", 35, 399), STATUS("http://a.test/2", 25, 203), STATUS("http://a.test/3", 15, 206)}, 3, 3,
                          CO_MS(100), 0};
    play(&scene);
}

CO_TEST(scene_twins)
{
    struct scene scene = {{OK("http://a.test/1", 70, "a"), OK("http://a.test/1", 70, "a"), OK("http://a.test/2", 50, "b"),
                           STATUS("http://a.test/no", 91, 404), STATUS("http://a.test/no", 91, 404)}, 5, 1, CO_SEC(1), 0};
    play(&scene);
}

CO_TEST(scene_drips)
{
    struct scene scene = {{{"http://a.test/drip", {.body = "<title>drip, drip, drip</title>", .delay = CO_MS(90), .every = CO_MS(70)}, 0, 200, ""},
                           {"http://a.test/fast", {.body = "<title>fast</title>", .delay = CO_MS(90), .every = CO_MS(3)}, 0, 200, "fast"}},
                          2, 2, CO_SEC(1), 0};
    play(&scene);
    assert_int_equal(mock_ended_at("http://a.test/drip"), CO_SEC(1));
}

CO_TEST(scene_cancelled)
{
    struct scene scene = {{OK("http://a.test/1", 400, "a"), OK("http://a.test/2", 110, "b"), STATUS("http://b.test/3", 120, 404),
                           OK("http://b.test/4", 905, "e"), OK("http://b.test/5", 2000, "f"), OK("http://b.test/6", 33, "g")}, 6, 2, CO_SEC(1), CO_MS(500)};
    play(&scene);
    int requests = mock_requests(NULL);
    assert_int_equal(co_sleep(CO_SEC(10)), 0);
    assert_int_equal(mock_requests(NULL), requests);
}

CO_TEST(scene_twenty_four)
{
    struct scene scene = {.n = 24, .limit = 5, .timeout = CO_SEC(2)};
    static char urls[24][32];
    for (size_t i = 0; i < 24; i++) {
        snprintf(urls[i], sizeof urls[i], "http://h%d.test/%d", (int)i % 3, (int)i);
        scene.rows[i] = (struct row){urls[i], {.delay = CO_MS(101 + 37 * (i * 11 % 24)) + (int64_t)i * 1009}, 0, 200, ""};
    }
    play(&scene);
    assert_int_equal(mock_peak(), 5);
}

CO_TEST(nobody_listens)
{
    const char *urls[] = {"http://a.test/1", "http://a.test/2"};
    mock_get(urls[0], .status = 404, .delay = CO_MS(10));
    mock_get(urls[1], .delay = CO_MS(20));
    struct page out[2];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 2, 1, CO_SEC(1), NULL, out, &summary), 0);
    assert_int_equal(summary.failed, 1);
    struct listener deaf = {NULL, NULL, NULL};
    assert_int_equal(scrape_all(urls, 2, 1, CO_SEC(1), &deaf, out, &summary), 0);
    assert_int_equal(summary.failed, 1);
    assert_int_equal(summary.total_time, CO_MS(30));
}

/* ---- scrape_page by itself ---- */

static void page_is(const char *url, int64_t timeout, int error, int status, const char *title, int64_t took)
{
    struct page page;
    memset(&page, 'x', sizeof page);
    int64_t start = co_now();
    assert_int_equal(scrape_page(url, timeout, &page), 0);
    assert_ptr_equal(page.url, url);
    assert_int_equal(page.error, error);
    assert_int_equal(page.status, status);
    assert_string_equal(page.title, title);
    assert_int_equal(page.took, took);
    assert_int_equal(co_now() - start, took);
    assert_int_equal(mock_in_flight(NULL), 0);
}

CO_TEST(page_good)
{
    mock_get("http://a.test/1", .delay = CO_MS(250), .body = "<title>Good</title><title>Second</title>");
    page_is("http://a.test/1", CO_SEC(1), 0, 200, "Good", CO_MS(250));
    page_is("http://a.test/1", CO_SEC(1), 0, 200, "Good", CO_MS(250));
    assert_int_equal(mock_requests(NULL), 2);
}

CO_TEST(page_titles)
{
#define TEN "abcdefghij"
    mock_get("http://a.test/1", .body = "<title>" TEN TEN TEN TEN TEN TEN "12345</title>");
    mock_get("http://a.test/2", .body = "<title>" TEN TEN TEN TEN TEN TEN "123</title>");
    mock_get("http://a.test/3", .body = "</title><title>");
    mock_get("http://a.test/4", .body = "a\0b<title>t</title>", .length = sizeof "a\0b<title>t</title>" - 1);
    page_is("http://a.test/1", CO_SEC(1), 0, 200, TEN TEN TEN TEN TEN TEN "123", 0);
    page_is("http://a.test/2", CO_SEC(1), 0, 200, TEN TEN TEN TEN TEN TEN "123", 0);
    page_is("http://a.test/3", CO_SEC(1), 0, 200, "", 0);
    page_is("http://a.test/4", CO_SEC(1), 0, 200, "t", 0);
}

CO_TEST(page_failures)
{
    mock_get("http://a.test/404", .status = 404, .delay = CO_MS(20), .body = "<title>No</title>");
    mock_get("http://a.test/500", .status = 500, .delay = CO_MS(30), .body = "<title>No</title>");
    mock_get("http://b.test/", .error = -ECONNREFUSED);
    mock_get("http://c.test/", .error = -ECONNRESET, .delay = CO_MS(45), .body = "<title>No</title>");
    page_is("http://a.test/404", CO_SEC(1), 0, 404, "", CO_MS(20));
    page_is("http://a.test/500", CO_SEC(1), 0, 500, "", CO_MS(30));
    page_is("http://b.test/", CO_SEC(1), -ECONNREFUSED, 0, "", 0);
    page_is("http://c.test/", CO_SEC(1), -ECONNRESET, 0, "", CO_MS(45));
    assert_int_equal(mock_requests(NULL), 4);
}

CO_TEST(page_late)
{
    mock_get("http://a.test/late", .delay = CO_FOREVER);
    page_is("http://a.test/late", CO_MS(1), -ETIMEDOUT, 0, "", CO_MS(1));
    page_is("http://a.test/late", CO_MS(2345), -ETIMEDOUT, 0, "", CO_MS(2345));
    page_is("http://a.test/late", CO_SEC(29), -ETIMEDOUT, 0, "", CO_SEC(29));
    assert_int_equal(mock_given_up(NULL), 3);
}

CO_TEST(page_moved)
{
    mock_get("http://a.test/1", .redirect = "http://a.test/2", .delay = CO_MS(60));
    mock_get("http://a.test/2", .redirect = "http://b.test/3", .delay = CO_MS(60));
    mock_get("http://b.test/3", .status = 404, .delay = CO_MS(60), .body = "<title>x</title>");
    page_is("http://a.test/1", CO_SEC(1), 0, 404, "", CO_MS(180));
    page_is("http://a.test/1", CO_MS(150), -ETIMEDOUT, 0, "", CO_MS(150));
}

struct single {
    struct page page;
    int rc;
};
static int single(void *arg)
{
    struct single *job = arg;
    job->rc = scrape_page("http://a.test/", CO_SEC(1), &job->page);
    return 0;
}

CO_TEST(page_cancelled)
{
    mock_get("http://a.test/", .delay = CO_MS(900));
    struct single job;
    memset(&job, 'x', sizeof job);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, single, &job);
    assert_int_equal(co_sleep(CO_MS(123)), 0);
    co_group_cancel(&group);
    assert_int_equal(co_await(task, NULL), 0);
    assert_int_equal(co_now(), CO_MS(123));
    assert_int_equal(job.rc, -ECANCELED);
    assert_int_equal(job.page.error, -ECANCELED);
    assert_int_equal(mock_given_up(NULL), 1);
}
