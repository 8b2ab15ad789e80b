/* chain.c - each page that is done begins the next one. The first `limit` are begun by hand. */
#include "common.h"

struct chain {
    const char *const *urls;
    size_t n, next, done;
    int64_t start, timeout;
    const struct listener *listener;
    struct page *out;
    struct summary *summary;
    struct co_group *group;
};

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    memset(out, 0, sizeof *out);
    memset(out->title + 1, 'x', sizeof out->title - 1);
    return fetch_page(url, timeout, out);
}

static void finish(struct chain *chain, struct page *page)
{
    count(chain->summary, page);
    tell_log(chain->listener, page, "answered with %d", "error: ");
    tell_progress(chain->listener, page, ++chain->done, chain->n);
}

static bool is_second(const struct chain *chain, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(chain->urls[j], chain->urls[i]) == 0)
            return true;
    return false;
}

static int link_of(void *arg);

static void begin_next(struct chain *chain)
{
    while (IS(same_url_once) && chain->next < chain->n && is_second(chain, chain->next))
        chain->next++;
    if (chain->next < chain->n)
        co_spawn(chain->group, link_of, chain);
}

static int link_of(void *arg)
{
    struct chain *chain = arg;
    if (chain->next >= chain->n)
        return 0;
    size_t i = chain->next++;       /* taken when it runs: tasks run in the order in which they are spawned */

    int rc = scrape_page(chain->urls[i], chain->timeout, &chain->out[i]);
    if (rc < 0)
        return rc;
    if (IS(took_from_the_start))
        chain->out[i].took = co_now() - chain->start;
    finish(chain, &chain->out[i]);
    for (size_t j = i + 1; IS(same_url_once) && j < chain->n; j++)
        if (strcmp(chain->urls[j], chain->urls[i]) == 0) {
            chain->out[j] = chain->out[i];
            finish(chain, &chain->out[j]);
        }
    begin_next(chain);
    return 0;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    *summary = (struct summary){.total = n};
    for (size_t i = 0; i < n; i++)
        out[i] = (struct page){.url = urls[i], .error = -ECANCELED};

    CO_GROUP(group);
    struct chain chain = {urls, n, 0, 0, co_now(), timeout, listener, out, summary, &group};
    if (IS(limit_one_less) && limit > 1)
        limit--;
    for (size_t i = 0; i < limit && i < n; i++)
        if (!(IS(same_url_once) && is_second(&chain, i)))
            co_spawn(&group, link_of, &chain);
    int rc = co_join(&group);
    summary->total_time = co_now() - chain.start;
    return rc;
}
