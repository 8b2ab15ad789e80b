/* 30 - Bulk work in batches: so many at the same time, then the next so many; each is complete before the next begins.
 * Notice that a batch takes as long as its slowest, that an illegible page spoils neither its batch nor the rest, and
 * that progress can be told (or saved) between two batches. asyncio: gather() over slices of a list. */
#include "co.h"

#include <stdio.h>

struct page {
    int number;
    int64_t takes;
};

static int scan(void *job)
{
    const struct page *page = job;
    int rc = co_sleep(page->takes);
    if (rc < 0)
        return rc;
    return page->number == 6 ? -EILSEQ : 0;
}

static int scan_book(void *job)
{
    enum { PAGES = 10, BATCH = 4 };
    struct page pages[PAGES];
    int rcs[BATCH], bad = 0;

    for (int i = 0; i < PAGES; i++)
        pages[i] = (struct page){i + 1, CO_MS(100) * (1 + i % 3)};
    for (int from = 0; from < PAGES; from += BATCH) {
        int n = from + BATCH <= PAGES ? BATCH : PAGES - from;
        int rc = co_gather(scan, &pages[from], n, sizeof pages[0], rcs);
        if (rc < 0)
            return rc;
        for (int i = 0; i < n; i++)
            bad += rcs[i] < 0;
        printf("%4lld ms  pages %d to %d scanned, %d illegible so far\n", (long long)(co_now() / CO_MS(1)), from + 1,
               from + n, bad);
    }
    return 0;
}

int main(void)
{
    return co_run(scan_book, NULL, NULL) < 0;
}
