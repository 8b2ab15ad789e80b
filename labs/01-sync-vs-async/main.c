/* main.c - runs the functions of compare.c and reports what they found. It belongs to the kit: you do not change it.
 *
 *     make run LAB=01 MODE=sync      fetch_sync on all URLs of the world (WORLD=ten.json)
 *     make run LAB=01 MODE=async     fetch_async
 *     make run LAB=01 MODE=compare   compare, and what explain says about it
 *     make run LAB=01 MODE=explain   explain on a few made-up reports, without fetching anything (SET="n=5 speedup=1499
 *                                    of=1000": on one of five URLs with a speed-up of 1499 / 1000)
 *     make run LAB=01 MODE=cancel    fetch_async, cancelled after 100 ms; cancel-compare: the same with compare
 *
 * sync, async and compare take these settings, too (SET="delay=250ms again=1"):
 *     delay=250ms   the call is made then, not at 0        cancel=40ms   it is cancelled so much after it began
 *     again=1       it is made once more after that        beside=1ms    a second call is made so much later
 *     poison=90     fresh memory holds no zeros            split=3       then the first has 3 of the URLs
 *     alike=1       of two equal URLs in a row the second is the same pointer
 */
#include "compare.h"
#include "kit.h"

#include <math.h>
#include <stdlib.h>

#define CANCEL_AFTER CO_MS(100)

typedef int fetch_fn(const char *const urls[], size_t n, struct fetch_result out[]);

/* "start": the student's function is called at this instant. */
static void report_start(const char *mode, const struct kit_run *run)
{
    kit_report_call("start", json_pack("{s:s, s:I}", "mode", mode, "n", (json_int_t)run->n), run);
}

/* What no fetch can leave in a result: an element, or a field, that nobody wrote shows. Where memory is poisoned, it is
 * something else. */
static struct fetch_result unwritten;

static struct fetch_result *unwritten_results(size_t n)
{
    static const struct fetch_result plain = {.error = 1, .status = -1, .length = SIZE_MAX};
    static const struct fetch_result poisoned = {.error = -99999, .status = 99999, .length = SIZE_MAX / 3};
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

static json_t *results_to_json(const struct fetch_result out[], size_t n)
{
    json_t *results = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(results, json_pack("{s:o, s:o, s:o}",
                                                 "error", field(out[i].error, out[i].error != unwritten.error),
                                                 "status", field(out[i].status, out[i].status != unwritten.status),
                                                 "length",
                                                 field((int64_t)out[i].length, out[i].length != unwritten.length)));
    return results;
}

static int run_fetch(const char *mode, fetch_fn *fetch, const struct kit_run *run)
{
    struct fetch_result *out = unwritten_results(run->n);
    if (!out)
        return -ENOMEM;
    report_start(mode, run);
    int rc = fetch(run->urls, run->n, out);
    kit_report_call("result", json_pack("{s:i, s:o}", "rc", rc, "results", results_to_json(out, run->n)), run);
    free(out);
    return rc;
}

static int call_sync(void *job)
{
    return run_fetch("sync", fetch_sync, job);
}

static int call_async(void *job)
{
    return run_fetch("async", fetch_async, job);
}

static int run_sync(void *job)
{
    return kit_calls(call_sync, job);
}

static int run_async(void *job)
{
    return kit_calls(call_async, job);
}

static const char *bound_name(enum bound bound)
{
    switch (bound) {
    case BOUND_IO:
        return "io";
    case BOUND_CPU:
        return "cpu";
    case BOUND_UNKNOWN:
        return "unknown";
    }
    return "none of enum bound";
}

static json_t *comparison_to_json(int rc, const struct comparison *c)
{
    /* JSON knows no 0.0 / 0.0: say it in a word, so that whoever reads the report sees what happened. */
    json_t *speedup = isnan(c->speedup)   ? json_string("nan")
                      : isinf(c->speedup) ? json_string("infinite")
                                          : json_real(c->speedup);
    return json_pack("{s:i, s:I, s:I, s:I, s:o, s:s}", "rc", rc, "n", (json_int_t)c->n,
                     "sync_ns", (json_int_t)c->sync_ns,
                     "async_ns", (json_int_t)c->async_ns, "speedup", speedup, "bound", bound_name(explain(c)));
}

static int call_compare(void *job)
{
    const struct kit_run *run = job;
    struct comparison c = {.n = SIZE_MAX, .sync_ns = -1, .async_ns = -1, .speedup = -1.0};    /* nobody's results */

    report_start("compare", run);
    int rc = compare(run->urls, run->n, &c);
    kit_report_call("result", rc == 0 ? comparison_to_json(rc, &c) : json_pack("{s:i}", "rc", rc), run);
    return rc;
}

static int run_compare(void *job)
{
    return kit_calls(call_compare, job);
}

/* The report that the settings name: of n URLs, with a speed-up of speedup / of. */
static struct comparison named_comparison(void)
{
    return (struct comparison){
        .n = (size_t)kit_setting("n", 0),
        .sync_ns = kit_setting("sync", 0),
        .async_ns = kit_setting("async", 0),
        .speedup = (double)kit_setting("speedup", 1) / (double)kit_setting("of", 1),
    };
}

/* explain alone, on reports that lie on each side of every limit of its rule, or on the one that the settings name. */
static int run_explain(void *job)
{
    static const struct comparison cases[] = {
        {.n = 0, .sync_ns = 0, .async_ns = 0, .speedup = 1.0},
        {.n = 1, .sync_ns = CO_MS(300), .async_ns = CO_MS(300), .speedup = 1.0},
        {.n = 2, .sync_ns = CO_MS(600), .async_ns = CO_MS(600), .speedup = 1.0},
        {.n = 2, .sync_ns = CO_MS(600), .async_ns = CO_MS(300), .speedup = 2.0},
        {.n = 3, .sync_ns = CO_MS(1400), .async_ns = CO_MS(1000), .speedup = 1.4},
        {.n = 3, .sync_ns = CO_MS(1500), .async_ns = CO_MS(1000), .speedup = 1.5},
        {.n = 10, .sync_ns = CO_MS(3440), .async_ns = CO_MS(400), .speedup = 8.6},
        {.n = 500, .sync_ns = CO_SEC(100), .async_ns = CO_SEC(100), .speedup = 1.0},
    };
    json_t *said = json_array();

    struct comparison named = named_comparison();
    report_start("explain", job);
    for (size_t i = 0; kit_setting("n", -1) < 0 && i < sizeof cases / sizeof cases[0]; i++)
        json_array_append_new(said, comparison_to_json(0, &cases[i]));
    if (kit_setting("n", -1) >= 0)
        json_array_append_new(said, comparison_to_json(0, &named));
    kit_report("result", json_pack("{s:i, s:o}", "rc", 0, "explained", said));
    return 0;
}

static int cancel_after(co_fn victim, void *job)
{
    CO_GROUP(group);
    co_task *task = co_spawn(&group, victim, job);
    int rc = co_sleep(CANCEL_AFTER);
    if (rc < 0)
        return rc;
    co_cancel(task);
    rc = co_await(task, NULL);    /* what the task returned is in its own report; that it was cancelled is no failure */
    return rc;
}

static int run_cancel(void *job)
{
    return cancel_after(call_async, job);
}

static int run_cancel_compare(void *job)
{
    return cancel_after(call_compare, job);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"compare", run_compare, "both ways, measured"},
        {"sync", run_sync, "fetch_sync: one after the other"},
        {"async", run_async, "fetch_async: all at the same time"},
        {"explain", run_explain, "explain on a few made-up reports; fetches nothing"},
        {"cancel", run_cancel, "fetch_async, cancelled after 100 ms"},
        {"cancel-compare", run_cancel_compare, "compare, cancelled after 100 ms"},
        {0},
    };
    return kit_main(argc, argv, "01-sync-vs-async", modes);
}
