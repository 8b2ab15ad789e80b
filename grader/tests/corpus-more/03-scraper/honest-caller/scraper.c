/* scraper.c - lab 03, the reference solution. */
#include "scraper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The title ------------------------------------------------------------------------------------ */

/* A piece of a page: the bytes from `at` up to, not including, `end`. A page is no C string: it may hold '\0' bytes, so
 * nothing below looks for one (no strstr, no strlen), and nothing reads at `end` or beyond. */
struct text {
    const char *at, *end;
};

static bool starts_with(struct text text, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(text.end - text.at) >= length && strncasecmp(text.at, word, length) == 0;
}

/* Where `word` stands first, in small or capital letters; text.end if nowhere. */
static const char *find(struct text text, const char *word)
{
    while (text.at < text.end && !starts_with(text, word))
        text.at++;
    return text.at;
}

/* What comes behind the first `word`; the end if it stands nowhere. */
static const char *after(struct text text, const char *word)
{
    const char *at = find(text, word);
    return at < text.end ? at + strlen(word) : at;
}

static bool is_space(char c)
{
    /* isspace(c) must not be given a negative char */
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Does a tag of this name begin here? <title> and <TITLE lang="en"> are tags of "<title", <titles> is not. */
static bool is_tag(struct text text, const char *name)
{
    const char *behind = text.at + strlen(name);
    return starts_with(text, name) && behind < text.end && (is_space(*behind) || *behind == '>' || *behind == '/');
}

/* Finds what stands between <title> and </title>. One walk over the page, from '<' to '<': so whichever begins first
 * counts, comment, script or title, and what looks like a title inside a script is none. */
static bool find_title(struct text page, struct text *title)
{
    while ((page.at = find(page, "<")) < page.end) {
        if (starts_with(page, "<!--")) {
            page.at += strlen("<!--");
            page.at = after(page, "-->");
        } else if (is_tag(page, "<script")) {
            page.at = after(page, "</script");
        } else if (is_tag(page, "<title")) {
            title->at = page.at = after(page, ">");
            title->end = find(page, "</title");
            return title->end < page.end;
        } else {
            page.at++;    /* some other tag, or a '<' in the text */
        }
    }
    return false;
}

/* The character that begins here, and goes on behind it: &amp; is one character, anything else stands for itself. */
static char take_character(struct text *text)
{
    static const struct { const char *name; char means; } entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''},
    };
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        size_t length = strlen(entities[i].name);
        if ((size_t)(text->end - text->at) >= length && memcmp(text->at, entities[i].name, length) == 0) {
            text->at += length;
            return entities[i].means;
        }
    }
    return *text->at++;
}

/* Copies the raw title, tidied up. A blank is only written when something follows it: so none stands at either end. */
static void tidy(struct text raw, char title[TITLE_MAX])
{
    size_t length = 0;
    bool blank = false;

    while (raw.at < raw.end && length < TITLE_MAX - 1) {
        if (is_space(*raw.at)) {
            blank = length > 0;
            raw.at++;
        } else if (blank) {
            title[length++] = ' ';
            blank = false;
        } else {
            title[length++] = take_character(&raw);
        }
    }
    title[length] = '\0';
}

/* ---- One page ------------------------------------------------------------------------------------- */

int scrape_page(const char *url, int64_t timeout, struct page *out)
{
    int64_t start = co_now();
    *out = (struct page){.url = url};    /* every field, also those that a failed page leaves alone */

    CO_RESPONSE(resp);                   /* frees itself, on every way out */
    struct co_timeout limit;
    struct text raw;

    /* The limit is on the whole, redirects and body included. Were it on each read, a page that sends a byte a second
     * would never reach it. When time is up, co_http_get gives its request up and closes the connection. */
    co_timeout_begin(&limit, timeout);
    int rc = co_http_get(url, &resp);
    /* -ECANCELED because of the limit becomes -ETIMEDOUT. If somebody cancelled *us*, it stays -ECANCELED: only
     * co_timeout_end knows the difference. */
    rc = co_timeout_end(&limit, rc);

    out->error = rc;
    out->status = resp.status;           /* 0 without an answer: resp is zeroed then */
    if (rc == 0 && resp.status < 400 && find_title((struct text){resp.body, resp.body + resp.length}, &raw))
        /* The page behind a 404 has a title, too, but it is not the one that was asked for. */
        tidy(raw, out->title);
    out->took = co_now() - start;
    /* A failed page is a result; being cancelled is about us, and goes on to our caller. */
    return rc == -ECANCELED ? rc : 0;
}

/* ---- All pages ------------------------------------------------------------------------------------ */

struct job {
    const char *url;
    int64_t timeout;
    struct page *out;
    const struct listener *listener;
    struct summary *summary;
};
static void tell(const struct page *page, const struct listener *listener, struct summary *summary);

static int scrape_one(void *arg)
{
    const struct job *job = arg;
    return scrape_page(job->url, job->timeout, job->out);
}

static int scrape_told(void *arg)
{
    const struct job *job = arg;
    int rc = scrape_one(arg);
    if (rc == 0)
        tell(job->out, job->listener, job->summary);
    return rc;
}

/* Counts one page that is done, and tells the listener. */
static void tell(const struct page *page, const struct listener *listener, struct summary *summary)
{
    if (page->error == 0 && page->status < 400) {
        summary->successful++;
    } else {
        char status[32];
        snprintf(status, sizeof status, "HTTP %d", page->status);
        summary->failed++;
        listener->log(listener->arg, page->url, page->error ? co_strerror(page->error) : status);
    }
    listener->progress(listener->arg, page, summary->successful + summary->failed, summary->total);
}

/* The tasks of one run. A function of its own: where it returns, its group ends, and so does every task in it. After
 * that nobody writes to `out` any more, and nobody needs the jobs. */
static int scrape_together(struct job jobs[], size_t n)
{
    CO_GROUP(group);
    for (size_t i = 1; i < n; i++)
        co_spawn(&group, scrape_told, &jobs[i]);
    int mine = n > 0 ? scrape_told(&jobs[0]) : 0;
    int its = co_join(&group);
    return mine < 0 ? mine : its;
}
#if 0

    /* As they are done, not in the order of the urls: else the first slow page
     * would hold back the news of all others. */
    co_task *done;
    int rc;
    while ((rc = co_next_done(&group, &done)) > 0) {
        const struct job *job = co_job(done);
        tell(job->out, listener, summary);
    }
    /* Cancelled, we hear of no further task. The end of this block cancels them and waits for them; each stores
     * -ECANCELED as the error of its page, and nobody tells the listener. */
    if (rc < 0)
        return rc;
}
#endif

int scrape_all(const char *const urls[], size_t n, int64_t timeout, const struct listener *listener, struct page out[],
               struct summary *summary)
{
    int64_t start = co_now();
    *summary = (struct summary){.total = n};

    /* One more than n, so that n = 0 asks for some memory too: then NULL always means "no memory". */
    struct job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct job){.url = urls[i], .timeout = timeout, .out = &out[i], .listener = listener, .summary = summary};
    int rc = scrape_together(jobs, n);
    free(jobs);
    summary->total_time = co_now() - start;    /* on every way out: a cancelled run has a summary, too */
    return rc;
}
