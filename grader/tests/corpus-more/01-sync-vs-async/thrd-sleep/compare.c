/* compare.c - lab 01: a millisecond of sleep for each fetch, by C11. */
#include "compare.h"

#include <stdlib.h>
#include <threads.h>
#include <time.h>

/* Writes down what became of one URL, and frees the response. Both halves need it, so it is written once. */
static void record(struct fetch_result *out, int rc, struct co_response *resp)
{
    out->error = rc;
    out->status = resp->status;    /* without an answer resp is zeroed: status and length are 0, as the contract asks */
    out->length = resp->length;    /* never strlen(resp->body): a picture holds '\0' bytes */
    co_response_free(resp);        /* does nothing to a zeroed response, so no `if` is needed */
}

int fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])
{
    for (size_t i = 0; i < n; i++) {
        struct co_response resp;
        /* While this call blocks, nothing else can happen in the program: no other task could run. */
        int rc = http_get_blocking(urls[i], &resp);
        record(&out[i], rc, &resp);    /* an error is a result like another; the loop goes on */
    }
    return 0;
}

/* What one task needs: which URL, and where its result goes. Giving each task its own place in `out` keeps the results in
 * input order, whichever answer comes first; and as no two tasks share a place, no lock is needed. */
struct fetch_job {
    const char *url;
    struct fetch_result *out;
};

static int fetch_one(void *arg)
{
    struct fetch_job *job = arg;
    struct co_response resp;

    thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    int rc = co_http_get(job->url, &resp);    /* waits: meanwhile the other tasks run and send their requests */
    record(job->out, rc, &resp);
    /* The task has done its work even if the URL failed. Were it to return -ECONNREFUSED, co_join would take that for
     * a failure of the task, and would cancel all the others. */
    return rc == -ECANCELED ? rc : 0;
}

int fetch_async(const char *const urls[], size_t n, struct fetch_result out[])
{
    /* One more than n, so that n = 0 asks for some memory too: then NULL always means "no memory". An array on the stack
     * would do as well (the group ends before it), but 500 jobs are better off on the heap. */
    struct fetch_job *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;

    CO_GROUP(group);
    /* First start all: co_spawn does not wait, and no task has run when this loop ends. */
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct fetch_job){.url = urls[i], .out = &out[i]};
        co_spawn(&group, fetch_one, &jobs[i]);
    }
    /* Then wait for all. A co_await inside the loop above would wait for each fetch before the next one is
     * started: one after the other again. When we are cancelled here, co_join cancels the tasks, waits for them, and returns
     * -ECANCELED. Either way no task is left, so nobody uses `jobs` any more. */
    int rc = co_join(&group);
    free(jobs);
    return rc;
}

int compare(const char *const urls[], size_t n, struct comparison *report)
{
    *report = (struct comparison){.n = n, .speedup = 1.0};    /* 1.0 stays when neither half took time: no 0 / 0 */

    /* Both halves write their results here. compare does not look at them, it only needs the times. */
    struct fetch_result *out = malloc((n + 1) * sizeof *out);
    if (!out)
        return -ENOMEM;

    int64_t start = co_now();
    int rc = fetch_sync(urls, n, out);
    report->sync_ns = co_now() - start;

    if (rc == 0) {
        start = co_now();    /* anew: the clock does not go back to 0 between the halves */
        rc = fetch_async(urls, n, out);
        report->async_ns = co_now() - start;
    }
    free(out);

    if (report->async_ns > 0)
        report->speedup = (double)report->sync_ns / (double)report->async_ns;    /* as doubles: 7 / 2 would be 3 */
    return rc;
}

enum bound explain(const struct comparison *report)
{
    if (report->n < 2)
        return BOUND_UNKNOWN;    /* with one URL both halves take the same time, whatever it went into */
    return report->speedup < 1.5 ? BOUND_CPU : BOUND_IO;
}
