/* rubbish.c - makes everything up, without asking the web: each value is one that no correct scraper could give. It
 * takes an hour, and it takes no notice of being cancelled. */
#include "scraper.h"

#include <string.h>

static const char nowhere[] = "http://rubbish.test/";

static void make_up(struct page *page)
{
    *page = (struct page){.url = nowhere, .error = -ENOTTY, .status = 999, .took = -1};
    memset(page->title, '#', TITLE_MAX - 1);
    page->title[TITLE_MAX - 1] = '\0';
}

static void take_an_hour(void)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    (void)!co_sleep(CO_SEC(3600));
    co_shield_end(&shield);
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    (void)url, (void)timeout;
    take_an_hour();
    make_up(out);
    return -ENOTTY;
}

int scrape_all(const char *const urls[], size_t n, size_t limit, int64_t timeout, const struct listener *listener,
               struct page out[], struct summary *summary)
{
    (void)urls, (void)limit, (void)timeout;
    struct page page;
    make_up(&page);
    take_an_hour();
    for (size_t i = 0; i < n; i++)
        out[i] = page;
    for (size_t i = 0; listener && i < 3; i++) {
        if (listener->progress)
            listener->progress(listener->arg, &page, n + 7, n + 9);
        if (listener->log)
            listener->log(listener->arg, page.url, "");
    }
    *summary = (struct summary){n + 11, n + 5, n + 3, -1};
    return -ENOTTY;
}
