/* main.c - runs the functions of scraper.c and reports what they found. It belongs to the kit: you do not change it.
 *
 *     make run LAB=03                                scrape_all on all URLs of the world (WORLD=mixed.json),
 *                                                    timeout 2 s
 *     make run LAB=03 MODE=page                      scrape_page on one URL after the other
 *     make run LAB=03 MODE=cancel SET="after=500ms"  scrape_all, cancelled after 500 ms; cancel-page: the
 *                                                    same with page
 *     make run LAB=03 SET="timeout=300ms"            another timeout
 *
 * all and page take these settings, too (SET="timeout=300ms delay=250ms"); all also stop_at=3: the listener itself
 * cancels the call when it is told of the third page
 *     delay=250ms   the call is made then, not at 0        cancel=40ms   it is cancelled so much after it began
 *     again=1       it is made once more after that        beside=1ms    a second call is made so much later
 *     poison=90     fresh memory holds no zeros            split=3       then the first has 3 of the URLs
 */
#include "kit.h"
#include "scraper.h"

#include <stdlib.h>
#include <string.h>

/* The settings, and their values when nothing else is said. */
#define TIMEOUT CO_SEC(2)
#define CANCEL_AFTER CO_MS(500)

/* What the listener of one call is handed back as its arg. */
struct observer {
    struct kit_run run;
    co_task *caller;
    size_t stop_at;    /* the call of progress that cancels the caller; 0: none */
};

/* ---- Results that nobody wrote show -------------------------------------------------------------- */

enum { FILLER = 0xA5 };    /* in each byte of a title that was never written: there is no '\0' in it, either */

static const char nobody[] = "never written";

static void spoil(struct page *page)
{
    *page = (struct page){.url = nobody, .error = 1, .status = -1, .took = -1};
    memset(page->title, FILLER, sizeof page->title);
}

static struct page *unwritten_pages(size_t n)
{
    /* Not a byte more than n pages, so that the sanitizers see a write to out[n]; but n may be 0. */
    struct page *out = malloc(n ? n * sizeof *out : 1);
    for (size_t i = 0; out && i < n; i++)
        spoil(&out[i]);
    return out;
}

/* ---- As JSON --------------------------------------------------------------------------------------- */

/* The length of the UTF-8 character at the start of text[0..n), or 0 if there is none. */
static size_t character(const unsigned char *text, size_t n)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    json_t *valid = length <= n ? json_stringn((const char *)text, length) : NULL;
    json_decref(valid);
    return valid ? length : 0;
}

/* Any bytes as a JSON string: what is no UTF-8 is written as \xe9. */
static json_t *text_to_json(const char *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *at = (const unsigned char *)bytes;
    char *text = malloc(4 * n + 1);
    size_t length = 0;

    while (text && n > 0) {
        size_t size = character(at, n);
        if (size > 0) {
            memcpy(text + length, at, size);
            length += size;
        } else {
            char escape[4] = {'\\', 'x', hex[*at >> 4], hex[*at & 15]};
            memcpy(text + length, escape, sizeof escape);
            length += sizeof escape;
            size = 1;
        }
        at += size;
        n -= size;
    }
    json_t *json = text ? json_stringn(text, length) : NULL;
    free(text);
    return json ? json : json_null();
}

static json_t *title_to_json(const char title[TITLE_MAX])
{
    const char *end = memchr(title, '\0', TITLE_MAX);
    if (end)
        return text_to_json(title, (size_t)(end - title));
    for (size_t i = 0; i < TITLE_MAX; i++)
        if ((unsigned char)title[i] != FILLER)
            return json_string("(no '\\0' at its end)");
    return json_string("(never written)");
}

static json_t *number(int64_t value, int64_t unwritten)
{
    return value == unwritten ? json_string(nobody) : json_integer((json_int_t)value);
}

static json_t *page_to_json(const struct page *page)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "error", number(page->error, 1), "status", number(page->status, -1),
                     "took_ns", number(page->took, -1), "title", title_to_json(page->title));
}

static json_t *pages_to_json(const struct page out[], size_t n)
{
    json_t *pages = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(pages, page_to_json(&out[i]));
    return pages;
}

/* Where `url` stands in the list, or -1. The pointers are only compared: a wrong one may lead nowhere. */
static json_int_t place_of(const struct kit_run *run, const char *url)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->urls[i] == url)
            return (json_int_t)i;
    return -1;
}

/* The pages whose url is not that of their place: where each stands, and whose it is. */
static json_t *wrong_urls(const struct kit_run *run, const struct page out[])
{
    json_t *wrong = json_array();
    for (size_t i = 0; i < run->n; i++)
        if (out[i].url != run->urls[i])
            json_array_append_new(wrong,
                                  json_pack("{s:I, s:I}", "place", (json_int_t)i, "holds", place_of(run, out[i].url)));
    return wrong;
}

static json_t *summary_to_json(const struct summary *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "total", number((int64_t)s->total, -1),
                     "successful", number((int64_t)s->successful, -1),
                     "failed", number((int64_t)s->failed, -1), "total_time_ns", number(s->total_time, -1));
}

/* "start": the student's function is called at this instant. */
static void report_start(const char *mode, const struct kit_run *run)
{
    kit_report_call("start", json_pack("{s:s, s:I}", "mode", mode, "n", (json_int_t)run->n), run);
}

/* "result": what the function returned and stored, and how many more tasks there are than before. */
static void report_result(int rc, size_t tasks_before, const struct kit_run *run, const struct page out[],
                          const struct summary *summary)
{
    json_t *result = json_pack("{s:i, s:o}", "rc", rc, "results", pages_to_json(out, run->n));
    size_t tasks = co_all_tasks(NULL, 0);
    if (tasks > tasks_before)
        json_object_set_new(result, "tasks_left", json_integer((json_int_t)(tasks - tasks_before)));
    json_t *wrong = wrong_urls(run, out);
    if (json_array_size(wrong) > 0)
        json_object_set(result, "wrong_urls", wrong);
    json_decref(wrong);
    if (summary)
        json_object_set_new(result, "summary", summary_to_json(summary));
    kit_report_call("result", result, run);
}

/* ---- The listener ------------------------------------------------------------------------------------ */

/* The calls that are under way: what arg may be. Other pointers are not looked into. */
static struct observer *observers[4];

static struct observer *observer_of(const void *arg)
{
    static struct observer nobodys;
    struct observer *first = NULL;
    for (size_t i = 0; i < sizeof observers / sizeof observers[0]; i++) {
        if (observers[i] && observers[i] == arg)
            return observers[i];
        first = first ? first : observers[i];
    }
    return first ? first : &nobodys;
}

/* Only what is wrong is told: the arg that is not the listener's own. */
static void add_arg(json_t *report, const void *arg, const struct observer *observer)
{
    if (arg != observer)
        json_object_set_new(report, "arg", json_string("not the listener's arg"));
}

static void on_progress(void *arg, const struct page *page, size_t done, size_t total)
{
    struct observer *observer = observer_of(arg);
    json_int_t place = page ? place_of(&observer->run, page->url) : -1;
    json_t *report = json_pack("{s:I, s:I, s:I, s:s}", "done", (json_int_t)done, "total", (json_int_t)total, "place",
                               place, "url", place >= 0 ? observer->run.urls[place] : "(not one of the urls)");
    json_t *fields = page ? page_to_json(page) : NULL;
    if (fields)
        json_object_update(report, fields);
    json_decref(fields);
    add_arg(report, arg, observer);
    kit_report_call("progress", report, &observer->run);
    if (observer->stop_at && done == observer->stop_at)
        co_cancel(observer->caller);
}

static void on_log(void *arg, const char *url, const char *cause)
{
    struct observer *observer = observer_of(arg);
    json_t *report = json_pack("{s:o, s:o}", "url", url ? text_to_json(url, strlen(url)) : json_null(), "cause",
                               cause ? text_to_json(cause, strlen(cause)) : json_null());
    add_arg(report, arg, observer);
    kit_report_call("log", report, &observer->run);
}

/* ---- The modes --------------------------------------------------------------------------------------- */

struct call {
    const char *mode;
    const struct kit_run *run;
    int64_t timeout;
    int64_t begin;    /* when it is called: a clock that stands at 0 would hide who takes it for a stopwatch */
};

static int call_all(void *job)
{
    const struct call *call = job;
    const struct kit_run *run = call->run;
    struct observer observer = {*run, co_current(), (size_t)kit_setting("stop_at", 0)};
    const struct listener listener = {.progress = on_progress, .log = on_log, .arg = &observer};
    struct summary summary = {.total = SIZE_MAX, .successful = SIZE_MAX, .failed = SIZE_MAX, .total_time = -1};
    struct page *out = unwritten_pages(run->n);
    if (!out)
        return -ENOMEM;

    observers[run->call] = &observer;
    int rc = call->begin > 0 ? co_sleep(call->begin) : 0;
    size_t tasks = co_all_tasks(NULL, 0);
    report_start(call->mode, run);
    if (rc == 0)
        rc = scrape_all(run->urls, run->n, call->timeout, &listener, out, &summary);
    report_result(rc, tasks, run, out, &summary);
    observers[run->call] = NULL;
    free(out);
    return observer.stop_at && rc == -ECANCELED ? 0 : rc;
}

/* One page after the other, so that each has the network to itself. */
static int call_page(void *job)
{
    const struct call *call = job;
    const struct kit_run *run = call->run;
    struct page *out = unwritten_pages(run->n);
    if (!out)
        return -ENOMEM;

    int rc = 0;    /* the first error */
    size_t tasks = co_all_tasks(NULL, 0);
    report_start(call->mode, run);
    for (size_t i = 0; i < run->n; i++) {
        int its_rc = scrape_page(run->urls[i], call->timeout, &out[i]);
        kit_report_call("page", json_pack("{s:I, s:i}", "place", (json_int_t)i, "rc", its_rc), run);
        rc = rc < 0 ? rc : its_rc;
    }
    report_result(rc, tasks, run, out, NULL);
    free(out);
    return rc;
}

static int one_all(void *job)
{
    return call_all(&(struct call){"all", job, kit_setting("timeout", TIMEOUT), kit_setting("begin", 0)});
}

static int one_page(void *job)
{
    return call_page(&(struct call){"page", job, kit_setting("timeout", TIMEOUT), 0});
}

static int run_all(void *job)
{
    return kit_calls(one_all, job);
}

static int run_page(void *job)
{
    return kit_calls(one_page, job);
}

static int cancel_after(int64_t after, co_fn victim, struct call *call)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, victim, call);
    int rc = co_sleep(after);
    if (rc < 0)
        return rc;
    co_cancel(task);
    /* What the task returned is in its own report; that it was cancelled is no failure. */
    return co_await(task, NULL);
}

static int run_cancel(void *job)
{
    struct call call = {"cancel", job, kit_setting("timeout", TIMEOUT), 0};
    return cancel_after(kit_setting("after", CANCEL_AFTER), call_all, &call);
}

static int run_cancel_page(void *job)
{
    struct call call = {"cancel-page", job, kit_setting("timeout", TIMEOUT), 0};
    return cancel_after(kit_setting("after", CANCEL_AFTER), call_page, &call);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"all", run_all, "scrape_all: all pages at the same time (settings: timeout, begin)"},
        {"page", run_page, "scrape_page: one page after the other (settings: timeout)"},
        {"cancel", run_cancel, "scrape_all, cancelled (settings: timeout, after)"},
        {"cancel-page", run_cancel_page, "scrape_page, cancelled (settings: timeout, after)"},
        {0},
    };
    return kit_main(argc, argv, "03-scraper", modes);
}
