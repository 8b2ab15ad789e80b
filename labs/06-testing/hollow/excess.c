/* excess.c - asks for everything three times, all at once and again afterwards, and never gives up before the kit does.
 * When it returns, a request is still in flight. All it says is wrong. */
#include "scraper.h"

#include <stdlib.h>
#include <string.h>

static const char nowhere[] = "http://excess.test/";

static int ask(void *job)
{
    CO_RESPONSE(resp);
    struct co_shield shield;
    co_shield_begin(&shield);
    (void)!co_http_get(job, &resp);
    co_shield_end(&shield);
    return 0;
}

static void ask_for_all(const char *const urls[], size_t n)
{
    for (int again = 0; again < 2; again++) {
        CO_GROUP(group);
        for (size_t i = 0; i < 3 * n; i++)
            co_spawn(&group, ask, (void *)(uintptr_t)urls[i % n]);
        (void)!co_join(&group);
    }
}

/* A task that belongs to nobody's block. */
static void leave_one(const char *url)
{
    static struct co_group stray;
    stray = co_group_begin();
    co_spawn(&stray, ask, (void *)(uintptr_t)url);
    co_yield();
}

static void spoil(struct page *page)
{
    *page = (struct page){.url = nowhere, .error = -EDOM, .status = -1, .title = "excess", .took = INT64_MAX};
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    (void)timeout;
    ask_for_all(&url, 1);
    leave_one(url);
    spoil(out);
    return -EDOM;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    (void)limit, (void)timeout;
    struct page page;
    spoil(&page);
    ask_for_all(urls, n);
    if (n == 0)
        ask_for_all((const char *const[]){nowhere}, 1);
    for (size_t i = 0; i < n; i++)
        out[i] = page;
    for (size_t i = 0; listener && i <= 2 * n; i++) {
        if (listener->progress)
            listener->progress(listener->arg, &page, 0, 0);
        if (listener->log)
            listener->log(listener->arg, page.url, "");
    }
    if (n > 0)
        leave_one(urls[n - 1]);
    *summary = (struct summary){3 * n + 1, 3 * n + 2, 3 * n + 3, INT64_MAX};
    return -EDOM;
}
