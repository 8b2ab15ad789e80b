/* workers.c - `limit` workers take the pages from a queue, one after the other, until it is empty. */
#include "common.h"

struct pool {
    const char *const *urls;
    int64_t start, timeout, sum;
    const struct listener *listener;
    struct page *out;
    struct summary *summary;
    struct co_queue queue;      /* of numbers of pages, from 1 on: a NULL is no item */
};

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    memset(out, '-', sizeof *out);      /* what stands behind a title's end is nobody's business */
    out->title[0] = '\0';
    return fetch_page(url, timeout, out);
}

static int worker(void *arg)
{
    struct pool *pool = arg;
    struct summary *summary = pool->summary;
    struct page page = {0};
    void *item;

    while (co_queue_try_get(&pool->queue, &item) == 0) {
        size_t i = (size_t)(uintptr_t)item - 1;
        int64_t timeout = pool->timeout;
        if (IS(timeout_for_all))
            timeout -= co_now() - pool->start;
        int rc = IS(title_of_the_page_before) ? fetch_page(pool->urls[i], timeout, &page)
                                              : scrape_page(pool->urls[i], timeout, &page);
        if (rc < 0)
            return rc;
        if (IS(title_of_the_page_before) && has_failed(&page))
            page.title[0] = '\0';
        if (IS(results_as_they_come))
            i = summary->successful + summary->failed;
        pool->out[i] = page;
        pool->sum += page.took;
        count(summary, &page);
        tell_progress(pool->listener, &pool->out[i], summary->successful + summary->failed, summary->total);
        tell_log(pool->listener, &pool->out[i], "status %d", "");
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    struct pool pool = {.urls = urls, .start = co_now(), .timeout = timeout, .listener = listener, .out = out,
                        .summary = summary};
    size_t workers = IS(one_by_one) ? 1 : IS(limit_one_more) ? limit + 1 : limit;
    int rc = 0;

    *summary = (struct summary){.total = n};
    co_queue_init(&pool.queue, 0);
    for (size_t i = 0; i < n && rc == 0; i++) {
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};
        rc = co_queue_try_put(&pool.queue, (void *)(uintptr_t)(i + 1));
    }
    if (rc == 0) {
        CO_GROUP(group);
        for (size_t i = 0; i < workers && i < n; i++)
            co_spawn(&group, worker, &pool);
        rc = co_join(&group);
    }
    co_queue_destroy(&pool.queue);
    summary->total_time = IS(total_time_is_a_sum) ? pool.sum : co_now() - pool.start;
    return IS(cancel_swallowed) && rc == -ECANCELED ? 0 : rc;
}
