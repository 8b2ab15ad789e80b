/* Correct, by co_gather and the timeout of a request; the title is searched in a copy in small letters, with memmem. */
#define _GNU_SOURCE
#include "scraper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t index_of(const char *text, size_t n, size_t from, const char *word)
{
    if (from >= n)
        return n;
    const char *at = memmem(text + from, n - from, word, strlen(word));
    return at ? (size_t)(at - text) : n;
}

static bool ends_a_name(char c)
{
    return c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static size_t tag_of(const char *text, size_t n, size_t from, const char *name)
{
    for (;;) {
        size_t at = index_of(text, n, from, name);
        if (at == n || at + strlen(name) >= n)
            return n;
        if (ends_a_name(text[at + strlen(name)]))
            return at;
        from = at + 1;
    }
}

static void replace(char *text, const char *entity, char by)
{
    /* All but &amp; first: what that gives must not be looked at again. */
    char *at;
    while ((at = strstr(text, entity))) {
        *at = by;
        memmove(at + 1, at + strlen(entity), strlen(at + strlen(entity)) + 1);
        text = at + 1;
    }
}

static void tidy_up(char *text)
{
    char *to = text;
    for (char *from = text; *from; from++) {
        bool space = *from != '>' && *from != '/' && ends_a_name(*from);
        if (!space)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
    replace(text, "&lt;", '<');
    replace(text, "&gt;", '>');
    replace(text, "&quot;", '"');
    replace(text, "&#39;", '\'');
    replace(text, "&amp;", '&');
}

static int title_of(const struct co_response *resp, char title[TITLE_MAX])
{
    size_t n = resp->length, at = 0;
    char *low = malloc(n + 1), *raw;
    if (!low)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        low[i] = (char)tolower((unsigned char)resp->body[i]);
    while (at < n) {
        size_t comment = index_of(low, n, at, "<!--"), script = tag_of(low, n, at, "<script"), tag = tag_of(low, n, at, "<title");
        if (comment < script && comment < tag) {
            at = index_of(low, n, comment + 4, "-->") + 3;
        } else if (script < tag) {
            at = index_of(low, n, script, "</script") + 8;
        } else {
            size_t from = index_of(low, n, tag, ">") + 1, to = index_of(low, n, from, "</title");
            if (to < n && (raw = malloc(to - from + 1))) {
                memcpy(raw, resp->body + from, to - from);
                raw[to - from] = '\0';
                tidy_up(raw);
                strncpy(title, raw, TITLE_MAX - 1);
                free(raw);
            }
            break;
        }
    }
    free(low);
    return 0;
}

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    const int64_t start = co_now();
    struct co_request request = {.url = url, .timeout = timeout};
    struct co_response resp;
    struct page page = {.url = url};

    page.error = co_http_request(&request, &resp);
    if (page.error == 0) {
        page.status = resp.status;
        if (resp.status < 400)
            page.error = title_of(&resp, page.title);
        co_response_free(&resp);
    }
    page.took = co_now() - start;
    *out = page;
    return page.error == -ECANCELED ? -ECANCELED : 0;
}

struct job {
    const char *url;
    int64_t timeout;
    const struct listener *listener;
    struct summary *summary;
    struct page page;
};

static int work(void *p)
{
    struct job *job = p;
    int rc = scrape_page(job->url, job->timeout, &job->page);
    if (rc == -ECANCELED)
        return rc;
    bool good = job->page.error == 0 && job->page.status < 400;
    *(good ? &job->summary->successful : &job->summary->failed) += 1;
    job->listener->progress(job->listener->arg, &job->page, job->summary->successful + job->summary->failed, job->summary->total);
    if (!good) {
        char text[64];
        if (job->page.error)
            snprintf(text, sizeof text, "%s", co_strerror(job->page.error));
        else
            snprintf(text, sizeof text, "HTTP %d", job->page.status);
        job->listener->log(job->listener->arg, job->url, text);
    }
    return 0;
}

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    *summary = (struct summary){.total = n, .total_time = -co_now()};
    struct job *jobs = calloc(n ? n : 1, sizeof *jobs);
    int *rcs = calloc(n ? n : 1, sizeof *rcs), rc = -ENOMEM;
    for (size_t i = 0; jobs && i < n; i++)
        jobs[i] = (struct job){urls[i], timeout, listener, summary, {0}};
    if (jobs && rcs)
        rc = co_gather(work, jobs, n, sizeof *jobs, rcs);
    for (size_t i = 0; jobs && i < n; i++)
        out[i] = jobs[i].page;
    free(jobs);
    free(rcs);
    summary->total_time += co_now();
    return rc;
}
