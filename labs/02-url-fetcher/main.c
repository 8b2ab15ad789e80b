/* main.c - runs the functions of fetcher.c and reports what they found. It belongs to the kit: you do not change it.
 *
 *     make run LAB=02                    fetch_all on all URLs of the world (WORLD=mixed.json), with progress
 *     make run LAB=02 SET="per_host=2"   the same with at most two connections to a site (4 by default, 0 = no limit)
 *     make run LAB=02 MODE=quiet         fetch_all without progress
 *     make run LAB=02 MODE=one           fetch_url on one URL after the other, over one session
 *     make run LAB=02 MODE=both          two calls of fetch_all at the same time, with half of the URLs each
 *     make run LAB=02 MODE=cancel        fetch_all, cancelled after 100 ms (SET="after=1s"); cancel-one: fetch_url
 *
 * all, quiet and one take these settings, too (SET="per_host=2 delay=250ms"); both modes with progress also stop_at=3:
 * progress itself cancels the call when it is told of the third URL
 *     delay=250ms   the call is made then, not at 0        cancel=40ms   it is cancelled so much after it began
 *     again=1       it is made once more after that        beside=1ms    a second call is made so much later
 *     poison=90     fresh memory holds no zeros            split=3       then the first has 3 of the URLs
 *     alike=1       of two equal URLs in a row the second is the same pointer
 */
#include "fetcher.h"
#include "kit.h"

#include <stdlib.h>

#define PER_HOST 4
#define CANCEL_AFTER CO_MS(100)

/* "start": the student's function is called at this instant. */
static void report_start(const char *mode, const struct kit_run *run)
{
    kit_report_call("start", json_pack("{s:s, s:I}", "mode", mode, "n", (json_int_t)run->n), run);
}

/* What no fetch can leave in a result: an element, or a field, that nobody wrote shows. */
static const char no_url[] = "never written";
static struct fetch_result unwritten;

static struct fetch_result *unwritten_results(size_t n)
{
    static const struct fetch_result plain = {.url = no_url, .error = 1, .status = -1, .length = SIZE_MAX};
    static const struct fetch_result poisoned = {.url = no_url, .error = -99999, .status = 99999,
                                                 .length = SIZE_MAX / 3};
    unwritten = kit_setting("poison", 0) ? poisoned : plain;
    /* Not a byte more than n results, so that the sanitizers see a write to out[n]; but n may be 0. */
    struct fetch_result *out = malloc(n ? n * sizeof *out : 1);
    for (size_t i = 0; out && i < n; i++)
        out[i] = unwritten;
    return out;
}

static json_t *field(int64_t value, bool written)
{
    return written ? json_integer((json_int_t)value) : json_string("never written");
}

static json_t *result_to_json(const struct fetch_result *result)
{
    return json_pack("{s:o, s:o, s:o}",
                     "error", field(result->error, result->error != unwritten.error),
                     "status", field(result->status, result->status != unwritten.status),
                     "length", field((int64_t)result->length, result->length != unwritten.length));
}

/* Where a pointer stands in the list, or -1. */
static json_int_t place_of(const char *url, const char *const urls[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (url == urls[i])
            return (json_int_t)i;
    return -1;
}

/* The URL that a pointer stands for. A pointer that is none of those handed in
 * is not looked into: nobody knows where it leads. */
static json_t *url_to_json(const char *url, const char *const urls[], size_t n)
{
    if (!url)
        return json_string("NULL");
    if (place_of(url, urls, n) >= 0)
        return json_string(url);
    return json_string(url == no_url ? no_url : "another pointer");
}

/* "results", and "wrong_urls": the elements that hold another URL than the one that was asked for, if there are any. */
static void add_results(json_t *report, const char *const urls[], const struct fetch_result out[], size_t n)
{
    json_t *results = json_array(), *wrong_urls = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(results, result_to_json(&out[i]));
        if (out[i].url != urls[i])
            json_array_append_new(wrong_urls, json_pack("{s:I, s:o, s:I}", "index", (json_int_t)i,
                                                        "holds", url_to_json(out[i].url, urls, n),
                                                        "place", place_of(out[i].url, urls, n)));
    }
    json_object_set_new(report, "results", results);
    if (json_array_size(wrong_urls) > 0)
        json_object_set(report, "wrong_urls", wrong_urls);
    json_decref(wrong_urls);
}

/* "result": what the function returned, what it stored, and how many more tasks there are than before. */
static void report_result(int rc, size_t tasks_before, const struct kit_run *run, const struct fetch_result out[])
{
    size_t tasks = co_all_tasks(NULL, 0);
    json_t *report = json_pack("{s:i, s:I}", "rc", rc, "tasks_left", (json_int_t)(tasks - tasks_before));
    add_results(report, run->urls, out, run->n);
    kit_report_call("result", report, run);
}

/* ---- fetch_all -------------------------------------------------------------------------------- */

/* One call of fetch_all, and what its progress is held against. */
struct call {
    const char *mode;
    const char *of;                    /* "first" or "second" of two calls; NULL: there is one only */
    const char *const *urls;
    struct fetch_result *out;
    size_t n;
    uint32_t per_host;
    fetch_progress *on_progress;
    struct kit_run run;
    co_task *caller;
    size_t stop_at;                    /* progress cancels the caller then; 0: never */
};

/* The calls that are under way: what arg may be. */
static const struct call *calls[4];

static const struct call *call_of_arg(const void *arg)
{
    for (size_t i = 1; i < sizeof calls / sizeof calls[0]; i++)
        if (arg && arg == calls[i])
            return calls[i];
    return calls[0] ? calls[0] : calls[1];
}

/* "progress": the index of the element that result points to, and what stands there at this instant. */
static void report_progress(const struct fetch_result *result, size_t done, size_t n, void *arg)
{
    json_t *json = json_pack("{s:I, s:I}", "done", (json_int_t)done, "n", (json_int_t)n);
    const struct call *call = call_of_arg(arg);
    size_t i = 0;
    while (i < call->n && result != &call->out[i])
        i++;
    json_object_set_new(json, "index", i < call->n ? json_integer((json_int_t)i) : json_string("not in out"));
    if (i < call->n) {
        json_object_set_new(json, "url", url_to_json(result->url, call->urls, call->n));
        json_object_update_new(json, result_to_json(result));
    }
    if (call->of)
        json_object_set_new(json, "of", json_string(call->of));
    if (arg != call)
        json_object_set_new(json, "arg", json_string(arg ? "another pointer" : "NULL"));
    kit_report_call("progress", json, &call->run);
    if (call->stop_at && done == call->stop_at)
        co_cancel(call->caller);
}

static struct call call_of(const struct kit_run *run, const char *mode, fetch_progress *on_progress)
{
    return (struct call){.mode = mode, .urls = run->urls, .n = run->n, .on_progress = on_progress, .run = *run,
                         .caller = co_current(), .stop_at = (size_t)kit_setting("stop_at", 0),
                         .per_host = (uint32_t)kit_setting("per_host", PER_HOST)};
}

static int run_call(struct call *call)
{
    call->out = unwritten_results(call->n);
    if (!call->out)
        return -ENOMEM;
    calls[call->run.call] = call;
    size_t tasks = co_all_tasks(NULL, 0);
    report_start(call->mode, &call->run);
    int rc = fetch_all(call->urls, call->n, call->per_host, call->out, call->on_progress, call);
    report_result(rc, tasks, &call->run, call->out);
    free(call->out);
    calls[call->run.call] = NULL;
    return call->stop_at && rc == -ECANCELED ? 0 : rc;
}

static int call_all(void *job)
{
    struct call call = call_of(job, "all", report_progress);
    return run_call(&call);
}

static int call_quiet(void *job)
{
    struct call call = call_of(job, "quiet", NULL);
    return run_call(&call);
}

static int run_all(void *job)
{
    return kit_calls(call_all, job);
}

static int run_quiet(void *job)
{
    return kit_calls(call_quiet, job);
}

/* ---- Two calls at the same time ------------------------------------------------------------------ */

/* As run_call, but without a report: there is one for both. */
static int run_half(void *job)
{
    struct call *call = job;
    return fetch_all(call->urls, call->n, call->per_host, call->out, call->on_progress, call);
}

static int run_both(void *job)
{
    const struct kit_run *run = job;
    struct call first = call_of(run, "both", report_progress), second = first;
    first.of = "first";
    first.n = run->n / 2;
    second.of = "second";
    second.urls += first.n;
    second.n -= first.n;

    struct fetch_result *out = unwritten_results(run->n);
    if (!out)
        return -ENOMEM;
    first.out = out;
    second.out = out + first.n;
    calls[0] = &first;
    calls[1] = &second;

    int rc;
    size_t tasks = co_all_tasks(NULL, 0);
    report_start("both", run);
    {
        CO_GROUP(halves);
        co_spawn(&halves, run_half, &first);
        co_spawn(&halves, run_half, &second);
        rc = co_join(&halves);
    }
    report_result(rc, tasks, run, out);
    free(out);
    return rc;
}

/* ---- fetch_url -------------------------------------------------------------------------------- */

/* "one": fetch_url has returned, and with what. */
static int fetch_each(const struct kit_run *run, struct fetch_result out[])
{
    CO_SESSION(session, (uint32_t)kit_setting("per_host", PER_HOST));
    int rc = 0;
    for (size_t i = 0; i < run->n && rc == 0; i++) {
        rc = fetch_url(&session, run->urls[i], &out[i]);
        kit_report_call("one", json_pack("{s:I, s:i}", "index", (json_int_t)i, "rc", rc), run);
    }
    return rc;
}

static int call_one(void *job)
{
    const struct kit_run *run = job;
    struct fetch_result *out = unwritten_results(run->n);
    if (!out)
        return -ENOMEM;
    size_t tasks = co_all_tasks(NULL, 0);
    report_start("one", run);
    int rc = fetch_each(run, out);
    report_result(rc, tasks, run, out);
    free(out);
    return rc;
}

static int run_one(void *job)
{
    return kit_calls(call_one, job);
}

/* ---- Cancelled -------------------------------------------------------------------------------- */

static int cancel_after(co_fn victim, void *job)
{
    CO_GROUP(group);
    int64_t after = kit_setting("after", CANCEL_AFTER);
    co_task *task = co_spawn(&group, victim, job);
    int rc = co_sleep(after);
    if (rc < 0)
        return rc;
    co_cancel(task);
    rc = co_await(task, NULL);    /* what the task returned is in its own report; that it was cancelled is no failure */
    return rc;
}

static int run_cancel(void *job)
{
    return cancel_after(call_all, job);
}

static int run_cancel_one(void *job)
{
    return cancel_after(call_one, job);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"all", run_all, "fetch_all, with progress"},
        {"quiet", run_quiet, "fetch_all, without progress"},
        {"one", run_one, "fetch_url on one URL after the other, over one session"},
        {"both", run_both, "two calls of fetch_all at the same time, with half of the URLs each"},
        {"cancel", run_cancel, "fetch_all, cancelled after 100 ms"},
        {"cancel-one", run_cancel_one, "fetch_url, cancelled after 100 ms"},
        {0},
    };
    return kit_main(argc, argv, "02-url-fetcher", modes);
}
