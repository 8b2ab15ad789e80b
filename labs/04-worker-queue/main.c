/* main.c - runs the pool of pool.c and reports what it did. It belongs to the kit: you do not change it.
 *
 *     make run LAB=04                                        all URLs of worlds/default.json, 5 workers,
 *                                                            3 requests at a time
 *     make run LAB=04 WORLD=crawl.json SET="workers=2"       another world, other numbers
 *     make run LAB=04 MODE=stop SET="after=1500ms"           pool_stop after 1.5 s
 *     make run LAB=04 MODE=cancel SET="after=1500ms"         the task in pool_run is cancelled after 1.5 s
 *
 * Settings: workers (5), limit (3), handle (how long the handler waits for each page, as if it stored it somewhere: 0),
 * repeat (how often each URL is added: 1), after (500ms; 0: pool_stop before pool_run), handler (0: the pool gets
 * none).
 *
 * The handler reads the page line by line:
 *     http://...  a further job: pool_add        wait  it waits another 500 ms
 *     stop        pool_stop                      bad   nothing can be done with the page: the job has failed
 *
 * The mode pool takes these settings, too:
 *     early=50ms    pool_open so much before pool_run      stop=40ms     pool_stop, twice, so much after (0: before)
 *     delay=250ms   the call is made then, not at 0        cancel=40ms   it is cancelled so much after it began
 *     again=1       one more pool after that               beside=1ms    a second pool runs so much later
 *     poison=90     fresh memory holds no zeros            split=3       then the first has 3 of the URLs
 *     close=2       pool_close twice: the second time it gets the NULL
 */
#include "pool.h"
#include "kit.h"

#include <stdlib.h>
#include <string.h>

#define WAIT CO_MS(500)             /* for a line "wait" */

/* What a run needs, and what the handler finds out. */
struct visit {
    const struct kit_run *run;
    size_t workers, limit, repeat;
    int64_t handle_ns;
    bool has_handler;
    bool stop_first;                /* pool_stop is called before pool_run                 */
    int64_t early;                  /* pool_open is called so much before pool_run         */
    size_t handled;                 /* pages that the handler was called for               */
    size_t wrong;                   /* of these: without its URL's pointer, or of status 400 or more */
    char **found;                   /* URLs that stood in pages: jobs, so they must live on    */
    size_t found_n;
    json_t *left;                   /* the URLs handed back                                */
    int last;                       /* what pool_take_back returned in the end             */
};

/* ---- The handler ----------------------------------------------------------------------------- */

/* A job must find its URL as long as it lives, and the page is gone after this call: so the URL is kept. */
static int add_found(struct visit *visit, struct pool *pool, const char *line, size_t length)
{
    char **found = realloc(visit->found, (visit->found_n + 1) * sizeof *found);
    if (!found)
        return -ENOMEM;
    visit->found = found;
    char *url = strndup(line, length);
    if (!url)
        return -ENOMEM;
    found[visit->found_n++] = url;
    return pool_add(pool, url);
}

static int read_line(struct visit *visit, struct pool *pool, const char *line, size_t length)
{
    if (length > 7 && strncmp(line, "http://", 7) == 0)
        return add_found(visit, pool, line, length);
    if (length == 4 && strncmp(line, "wait", 4) == 0)
        return co_sleep(WAIT);
    if (length == 4 && strncmp(line, "stop", 4) == 0)
        pool_stop(pool);
    if (length == 3 && strncmp(line, "bad", 3) == 0)
        return -EBADMSG;
    return 0;
}

/* Is it the very pointer of a job? */
static bool is_added(const struct visit *visit, const char *url)
{
    for (size_t i = 0; i < visit->run->n; i++)
        if (visit->run->urls[i] == url)
            return true;
    for (size_t i = 0; i < visit->found_n; i++)
        if (visit->found[i] == url)
            return true;
    return false;
}

static int handle(struct pool *pool, const char *url, const struct co_response *page, void *arg)
{
    struct visit *visit = arg;
    visit->handled++;
    if (!is_added(visit, url) || page->status < 100 || page->status >= 400)
        visit->wrong++;
    if (visit->handle_ns > 0) {
        int rc = co_sleep(visit->handle_ns);    /* in earnest: a database takes the page. Meanwhile other tasks run */
        if (rc < 0)
            return rc;
    }
    int lines = 0;
    for (const char *line = page->body; line && *line; lines++) {
        size_t length = strcspn(line, "\n");
        int rc = read_line(visit, pool, line, length);
        if (rc < 0)
            return rc;
        line += length + (line[length] == '\n');
    }
    return lines;       /* 0 or more: it is content */
}

/* ---- One run --------------------------------------------------------------------------------- */

/* The config ends with this function: the pool must have copied it. */
static struct pool *open_pool(struct visit *visit)
{
    struct pool_config config = {.workers = visit->workers, .limit = visit->limit};
    if (visit->has_handler)
        config.handle = handle, config.arg = visit;
    return pool_open(&config);
}

static int add_all(struct visit *visit, struct pool *pool)
{
    for (size_t k = 0; k < visit->repeat; k++)
        for (size_t i = 0; i < visit->run->n; i++) {
            int rc = pool_add(pool, visit->run->urls[i]);
            if (rc < 0)
                return rc;
        }
    return 0;
}

/* More than any worker can have done: an element, or a field, that nobody wrote
 * shows, and one that was only added to. */
#define UNWRITTEN ((size_t)777000000)

static json_t *number(size_t value)
{
    return value == UNWRITTEN ? json_string("never written") : json_integer((json_int_t)value);
}

static json_t *duration(int64_t ns)
{
    return ns == -1 ? json_string("never written") : json_integer((json_int_t)ns);
}

static json_t *workers_to_json(const struct worker_stats workers[], size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "jobs", number(workers[i].jobs),
                                              "succeeded", number(workers[i].succeeded),
                                              "failed", number(workers[i].failed)));
    return list;
}

/* "start": pool_run is called at this instant. */
static void report_start(const struct visit *visit)
{
    json_t *report = json_pack("{s:I, s:I, s:I}", "n", (json_int_t)(visit->run->n * visit->repeat),
                               "workers", (json_int_t)visit->workers, "limit", (json_int_t)visit->limit);
    kit_report_call("start", report, visit->run);
}

/* tasks: how many more there are after pool_run than before. */
static void report_result(const struct visit *visit, int rc, const struct pool_stats *stats, size_t tasks, bool closed)
{
    json_t *report = json_pack("{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:b, s:i, s:O, s:o}", "rc", rc,
                               "jobs", number(stats->jobs),
                               "succeeded", number(stats->succeeded), "failed", number(stats->failed),
                               "elapsed_ns", duration(stats->elapsed), "handled", (json_int_t)visit->handled,
                               "wrong", (json_int_t)visit->wrong, "found", (json_int_t)visit->found_n,
                               "tasks", (json_int_t)tasks, "closed", (int)closed,
                               "last", visit->last, "left", visit->left,
                               "workers", workers_to_json(stats->workers, visit->workers));
    kit_report_call("result", report, visit->run);
}

/* Runs the pool and takes back what is left. */
static int run_and_take_back(struct visit *visit, struct pool *pool, struct pool_stats *stats, size_t *tasks)
{
    size_t before = co_all_tasks(NULL, 0);
    int rc = pool_run(pool, stats);
    size_t after = co_all_tasks(NULL, 0);
    *tasks = after > before ? after - before : 0;

    /* One too many shows; for ever would not end. */
    size_t most = visit->run->n * visit->repeat + visit->found_n + 1;
    const char *url = NULL;
    for (size_t i = 0; rc == 0 && i < most && (visit->last = pool_take_back(pool, &url)) == 1; i++)
        json_array_append_new(visit->left, !url ? json_null() : json_string(is_added(visit, url) ? url : "(a copy)"));
    return rc;
}

/* The pool's whole life. *lent: where other tasks find it while pool_run runs. */
static int run_visit(struct visit *visit, struct pool **lent)
{
    /* Not a byte more than there are workers, so that the sanitizers see a write beyond. */
    struct worker_stats *workers = malloc(visit->workers * sizeof *workers);
    visit->left = json_array();
    if (!workers || !visit->left || visit->workers == 0 || visit->limit == 0) {
        free(workers);
        json_decref(visit->left);
        return workers && visit->left ? -EINVAL : -ENOMEM;
    }
    for (size_t i = 0; i < visit->workers; i++)
        workers[i] = (struct worker_stats){UNWRITTEN, UNWRITTEN, UNWRITTEN};
    struct pool_stats stats = {UNWRITTEN, UNWRITTEN, UNWRITTEN, -1, workers};

    struct pool *pool = open_pool(visit);
    int rc = pool ? add_all(visit, pool) : -ENOMEM;
    if (rc == 0 && visit->stop_first)
        pool_stop(pool);
    if (rc == 0 && visit->early > 0)
        rc = co_sleep(visit->early);
    size_t tasks = 0;
    report_start(visit);
    *lent = pool;
    if (rc == 0)
        rc = run_and_take_back(visit, pool, &stats, &tasks);
    *lent = NULL;
    for (int64_t k = 0; k < kit_setting("close", 1); k++)
        pool_close(&pool);

    stats.workers = workers;
    report_result(visit, rc, &stats, tasks, !pool);
    json_decref(visit->left);
    for (size_t i = 0; i < visit->found_n; i++)
        free(visit->found[i]);
    free(visit->found);
    free(workers);
    return rc;
}

static struct visit visit_of(const struct kit_run *run)
{
    return (struct visit){
        .run = run,
        .workers = (size_t)kit_setting("workers", 5),
        .limit = (size_t)kit_setting("limit", 3),
        .handle_ns = kit_setting("handle", 0),
        .repeat = (size_t)kit_setting("repeat", 1),
        .has_handler = kit_setting("handler", 1) != 0,
    };
}

/* ---- The modes ------------------------------------------------------------------------------- */

/* A task of its own calls pool_run, so that this one can stop or cancel it. */
struct guest {
    struct visit visit;
    struct pool *pool;              /* NULL before and after its life */
};

/* Stops the pool of a guest, if it runs then. */
struct stopper {
    struct guest *guest;
    int64_t after;
};

static int stop_guest(void *job)
{
    struct stopper *stopper = job;
    int rc = co_sleep(stopper->after);
    for (int k = 0; rc == 0 && stopper->guest->pool && k < 2; k++)
        pool_stop(stopper->guest->pool);    /* twice: a second call changes nothing */
    return rc;
}

static int call_pool(void *job)
{
    struct guest guest = {.visit = visit_of(job)};
    struct stopper stopper = {&guest, kit_setting("stop", -1)};
    guest.visit.early = kit_setting("early", 0);
    guest.visit.stop_first = stopper.after == 0;
    stopper.after += guest.visit.early;
    if (kit_setting("stop", -1) <= 0)
        return run_visit(&guest.visit, &guest.pool);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, stop_guest, &stopper);
    int rc = run_visit(&guest.visit, &guest.pool);
    co_cancel(task);
    int its_rc = co_join(&group);
    return rc < 0 ? rc : its_rc;
}

static int run_pool(void *job)
{
    return kit_calls(call_pool, job);
}

static int visit_as_guest(void *job)
{
    struct guest *guest = job;
    return run_visit(&guest->visit, &guest->pool);
}

static int interrupt_after(const struct kit_run *run, bool cancel)
{
    struct guest guest = {.visit = visit_of(run)};
    int64_t after = kit_setting("after", CO_MS(500));
    guest.visit.stop_first = !cancel && after == 0;
    CO_GROUP(group);
    co_task *task = co_spawn(&group, visit_as_guest, &guest);
    int rc = co_sleep(after);
    if (rc < 0)
        return rc;
    if (cancel)
        co_cancel(task);
    for (int k = 0; !cancel && !guest.visit.stop_first && guest.pool && k < 2; k++)
        pool_stop(guest.pool);    /* twice: a second call changes nothing */
    int its_rc = 0;
    rc = co_await(task, &its_rc);
    /* That it was cancelled is no failure: what it returned is in its report. */
    return rc < 0 ? rc : cancel ? 0 : its_rc;
}

static int run_stop(void *job)
{
    return interrupt_after(job, false);
}

static int run_cancel(void *job)
{
    return interrupt_after(job, true);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"pool", run_pool, "all jobs"},
        {"stop", run_stop, "pool_stop after a while (setting `after`)"},
        {"cancel", run_cancel, "the task in pool_run is cancelled after a while"},
        {0},
    };
    return kit_main(argc, argv, "04-worker-queue", modes);
}
