#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* title: between <title> and </title> */
static void find_title(const char *body, size_t length, char title[TITLE_MAX])
{
    (void)length;
    title[0] = '\0';
    const char *from = strstr(body, "<title>");
    if (!from)
        return;
    from += strlen("<title>");
    const char *to = strstr(from, "</title>");
    if (!to)
        return;
    size_t n = (size_t)(to - from);
    if (n > TITLE_MAX - 1)
        n = TITLE_MAX - 1;
    memcpy(title, from, n);
    title[n] = '\0';
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t begin = co_now();
    CO_RESPONSE(resp);
    struct co_timeout limit;
    co_timeout_begin(&limit, timeout);
    int rc = co_http_get(url, &resp);
    rc = co_timeout_end(&limit, rc);

    out->url = url;
    out->error = rc;
    out->status = rc == 0 ? resp.status : 0;
    out->title[0] = '\0';
    if (rc == 0 && resp.status < 400)
        find_title(resp.body, resp.length, out->title);
    out->took = co_now() - begin;
    return rc == -ECANCELED ? -ECANCELED : 0;
}

struct job {
    const char *url;
    int64_t timeout;
    struct page *out;
};

static int scrape_one(void *arg)
{
    struct job *job = arg;
    return scrape_page(job->url, job->timeout, job->out);
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t begin = co_now();
    *summary = (struct summary){.total = n};
    struct job *jobs = calloc(n + 1, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    int rc;
    {
        CO_GROUP(group);
        for (size_t i = 0; i < n; i++) {
            jobs[i] = (struct job){urls[i], timeout, &out[i]};
            co_spawn(&group, scrape_one, &jobs[i]);
        }
        co_task *done;
        while ((rc = co_next_done(&group, &done)) > 0) {
            struct page *page = ((struct job *)co_job(done))->out;
            if (page->error == 0 && page->status < 400) {
                summary->successful++;
            } else {
                char cause[32];
                summary->failed++;
                if (page->error == 0)
                    snprintf(cause, sizeof cause, "HTTP %d", page->status);
                listener->log(listener->arg, page->url, page->error == 0 ? cause : co_strerror(page->error));
            }
            listener->progress(listener->arg, page, summary->successful + summary->failed, n);
        }
    }   /* cancelled: the group's tasks have ended here */
    free(jobs);
    summary->total_time = co_now() - begin;
    return rc;
}
