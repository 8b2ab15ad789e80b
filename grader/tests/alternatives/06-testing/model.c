/* A suite that knows how long everything must take: a model of the contract in thirty lines, and scenes that are compared with it. */
#include "co_test.h"
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 30 };

struct scene {
    size_t n, limit;
    int64_t timeout;
    struct mock pages[MOST];
    const char *titles[MOST];                   /* NULL: "" */
    /* filled in */
    char urls[MOST][40];
    const char *list[MOST];
    int64_t begin[MOST], end[MOST];
    int error[MOST], status[MOST];
    /* what the listener was told */
    int64_t told[MOST], logged[MOST];
    size_t progress, logs, done[MOST];
};

static int64_t length_of(const struct mock *page)
{
    if (page->error == -ECONNREFUSED || page->error == -CO_ENOHOST)
        return 0;
    if (page->delay == CO_FOREVER)
        return CO_FOREVER;
    return page->delay + (page->every ? page->every * (int64_t)strlen(page->body) : 0);
}

/* Each page takes the place that is free first. */
static void foresee(struct scene *scene)
{
    int64_t free_at[MOST] = {0};
    for (size_t i = 0; i < scene->n; i++) {
        size_t place = 0;
        for (size_t k = 1; k < scene->limit && k < scene->n; k++)
            if (free_at[k] < free_at[place])
                place = k;
        const struct mock *page = &scene->pages[i];
        int64_t length = length_of(page);
        bool late = length > scene->timeout;
        scene->begin[i] = free_at[place];
        free_at[place] = scene->end[i] = scene->begin[i] + (late ? scene->timeout : length);
        scene->error[i] = late ? -ETIMEDOUT : page->error;
        scene->status[i] = scene->error[i] ? 0 : page->status ? page->status : 200;
        if (page->error == -CO_ENOHOST)
            snprintf(scene->urls[i], sizeof scene->urls[i], "http://nowhere%zu.test/", i);
        else
            snprintf(scene->urls[i], sizeof scene->urls[i], "http://a.test/%zu", i);
        scene->list[i] = scene->urls[i];
        scene->told[i] = scene->logged[i] = -1;
    }
}

static size_t number(const struct scene *scene, const char *url)
{
    size_t i = 0;
    while (i < scene->n && scene->list[i] != url)
        i++;
    assert_in_range(i, 0, scene->n - 1);
    return i;
}

static void note_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct scene *scene = arg;
    size_t i = number(scene, page->url);
    assert_int_equal(scene->told[i], -1);
    assert_int_equal(total, scene->n);
    assert_int_equal(done, ++scene->progress);
    scene->told[i] = co_now();
}

static void note_log(void *arg, const char *url, const char *cause)
{
    struct scene *scene = arg;
    size_t i = number(scene, url);
    assert_int_equal(scene->logged[i], -1);
    assert_true(cause && *cause);
    scene->logs++;
    scene->logged[i] = co_now();
}

static void play(struct scene *scene)
{
    struct page out[MOST];
    struct summary summary;
    size_t good = 0, most = scene->limit < scene->n ? scene->limit : scene->n;
    int64_t end = 0;
    foresee(scene);
    for (size_t i = 0; i < scene->n; i++)
        mock_get_at(scene->list[i], scene->pages[i], __FILE__, __LINE__);
    memset(out, 0xA5, sizeof out);
    memset(&summary, 0xA5, sizeof summary);
    struct listener listener = {note_progress, note_log, scene};
    assert_int_equal(scrape_all(scene->list, scene->n, scene->limit, scene->timeout, &listener, out, &summary), 0);

    for (size_t i = 0; i < scene->n; i++) {
        bool failed = scene->error[i] || scene->status[i] >= 400;
        good += !failed;
        end = scene->end[i] > end ? scene->end[i] : end;
        assert_ptr_equal(out[i].url, scene->list[i]);
        assert_int_equal(out[i].error, scene->error[i]);
        assert_int_equal(out[i].status, scene->status[i]);
        assert_string_equal(out[i].title, failed || !scene->titles[i] ? "" : scene->titles[i]);
        assert_int_equal(out[i].took, scene->end[i] - scene->begin[i]);
        assert_int_equal(mock_requests(scene->list[i]), 1);
        assert_int_equal(mock_begun_at(scene->list[i]), scene->begin[i]);
        assert_int_equal(mock_ended_at(scene->list[i]), scene->end[i]);
        assert_int_equal(scene->told[i], scene->end[i]);
        assert_int_equal(scene->logged[i], failed ? scene->end[i] : -1);
    }
    assert_int_equal(co_now(), end);
    assert_int_equal(mock_peak(), most);
    assert_int_equal(summary.total, scene->n);
    assert_int_equal(summary.successful, good);
    assert_int_equal(summary.failed, scene->n - good);
    assert_int_equal(summary.total_time, end);
}

#define SCENE(name, limit_, timeout_, n_, ...) \
    CO_TEST(name) \
    { \
        struct scene scene = {.limit = (limit_), .timeout = (timeout_), .n = (n_), __VA_ARGS__}; \
        play(&scene); \
    }
#define PAGES(...) .pages = {__VA_ARGS__}
#define TITLES(...) .titles = {__VA_ARGS__}
#define BODY "<html><head><title>There it is</title></head></html>"

SCENE(nothing, 2, CO_SEC(1), 0)
SCENE(one, 2, CO_SEC(1), 1, PAGES({.body = BODY, .delay = CO_MS(17)}), TITLES("There it is"))
SCENE(together, 9, CO_SEC(1), 4, PAGES({.delay = CO_MS(403), .body = BODY}, {.delay = CO_MS(101)}, {.delay = CO_MS(302), .body = BODY}, {.delay = CO_MS(202)}),
      TITLES("There it is", NULL, "There it is"))
SCENE(places, 3, CO_SEC(1), 8, PAGES({.delay = CO_MS(503)}, {.delay = CO_MS(101)}, {.delay = CO_MS(211)}, {.delay = CO_MS(97)}, {.delay = CO_MS(53)},
                                     {.delay = CO_MS(307)}, {.delay = CO_MS(41)}, {.delay = CO_MS(23)}))
SCENE(in_a_row, 1, CO_MS(300), 4, PAGES({.delay = CO_MS(250), .body = BODY}, {.delay = CO_MS(260)}, {.delay = CO_FOREVER}, {.delay = CO_MS(270)}),
      TITLES("There it is"))
SCENE(late_ones, 2, CO_MS(300), 6, PAGES({.delay = CO_FOREVER}, {.delay = CO_MS(200)}, {.delay = CO_MS(310), .body = BODY}, {.delay = CO_MS(295), .body = BODY},
                                         {.delay = CO_MS(100), .every = CO_MS(90), .body = "drops"}, {.delay = CO_MS(7)}),
      TITLES(NULL, NULL, NULL, "There it is"))
SCENE(statuses, 4, CO_SEC(1), 7, PAGES({.status = 200, .body = BODY, .delay = CO_MS(10)}, {.status = 399, .body = BODY, .delay = CO_MS(20)},
                                       {.status = 400, .body = BODY, .delay = CO_MS(30)}, {.status = 404, .body = BODY, .delay = CO_MS(45)},
                                       {.status = 500, .body = BODY, .delay = CO_MS(61)}, {.status = 599, .body = BODY, .delay = CO_MS(80)},
                                       {.status = 201, .delay = CO_MS(96)}), TITLES("There it is", "There it is"))
SCENE(errors, 2, CO_MS(400), 7, PAGES({.error = -ECONNREFUSED}, {.delay = CO_MS(350), .body = BODY}, {.error = -ECONNRESET, .delay = CO_MS(120)},
                                      {.error = -EPROTO, .delay = CO_MS(61)}, {.error = -CO_ENOHOST}, {.delay = CO_FOREVER}, {.delay = CO_MS(11)}),
      TITLES(NULL, "There it is"))

/* What the model does not know. */

CO_TEST(redirects_twins_and_titles)
{
    mock_get("http://a.test/from", .redirect = "/to", .delay = CO_MS(30));
    mock_get("http://a.test/to", .body = "<title>To</title>", .delay = CO_MS(40));
    mock_get("http://a.test/long", .body = "<title>0123456789012345678901234567890123456789012345678901234567890123456789</title>");
    const char *urls[] = {"http://a.test/from", "http://a.test/long", "http://a.test/to", "http://a.test/from"};
    struct page out[4];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 4, 1, CO_SEC(1), NULL, out, &summary), 0);
    assert_string_equal(out[0].title, "To");
    assert_int_equal(out[0].status, 200);
    assert_string_equal(out[1].title, "012345678901234567890123456789012345678901234567890123456789012");
    assert_string_equal(out[3].title, "To");
    assert_int_equal(mock_requests("http://a.test/to"), 3);
    assert_int_equal(summary.total_time, CO_MS(180));
}

static int all_of(void *arg)
{
    struct scene *scene = arg;
    struct page out[MOST];
    struct summary summary;
    struct listener listener = {note_progress, note_log, scene};
    int rc = scrape_all(scene->list, scene->n, scene->limit, scene->timeout, &listener, out, &summary);
    assert_int_equal(rc, -ECANCELED);
    assert_int_equal(summary.successful + summary.failed, scene->progress);
    for (size_t i = 0; i < scene->n; i++)
        assert_true(out[i].error == -ECANCELED || scene->told[i] >= 0);
    return rc;
}

CO_TEST(cancelled)
{
    struct scene scene = {.n = 5, .limit = 2, .timeout = CO_SEC(1), PAGES({.delay = CO_MS(100)}, {.delay = CO_MS(900)}, {.delay = CO_MS(900)},
                                                                         {.delay = CO_MS(100)}, {.delay = CO_MS(100)})};
    foresee(&scene);
    for (size_t i = 0; i < scene.n; i++)
        mock_get_at(scene.list[i], scene.pages[i], __FILE__, __LINE__);
    assert_int_equal(co_wait_for(all_of, &scene, CO_MS(450)), -ETIMEDOUT);
    assert_int_equal(co_now(), CO_MS(450));
    assert_int_equal(mock_given_up(NULL), 2);
    assert_int_equal(mock_requests(NULL), 3);
    assert_int_equal(scene.progress, 1);
}
