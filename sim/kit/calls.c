/* calls.c - calls a lab's function as the settings of a run say: later, cancelled, once more, twice at a time. */
#include "co.h"
#include "kit.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>

enum { BEFORE = 4, DIRT = 64 << 10 };

/* One call of several. */
struct call {
    co_fn fn;
    struct kit_run run;
    int64_t after;              /* ns from its task's beginning */
};

static __attribute__((noinline)) void dirty_stack(int byte)
{
    char dirt[DIRT];
    memset(dirt, byte, sizeof dirt);
    __asm__ volatile("" : : "r"(dirt) : "memory");     /* a store that nobody reads would be left out */
}

static int dirty_task(void *job)
{
    dirty_stack(*(const int *)job);
    return 0;
}

/* What malloc hands out, what free has got back, and the stacks of the next tasks hold no zeros that somebody might
 * take for granted. */
static int poison(int byte)
{
#ifdef M_PERTURB
    mallopt(M_PERTURB, byte);
#endif
    CO_GROUP(group);
    for (int i = 0; i < BEFORE; i++)
        co_spawn(&group, dirty_task, &byte);
    int rc = co_join(&group);
    dirty_stack(byte);
    return rc;
}

/* Of two equal URLs in a row the second is the first's pointer, as it may be in a caller's own table. The strings and
 * the table are those of argv or of the world's URLs: nobody else's, and not constant. */
static void make_alike(const struct kit_run *run)
{
    const char **urls = (const char **)run->urls;
    for (size_t i = 1; i < run->n; i++)
        if (strcmp(urls[i - 1], urls[i]) == 0)
            urls[i] = urls[i - 1];
}

static int make_call(void *job)
{
    struct call *call = job;
    int rc = call->after > 0 ? co_sleep(call->after) : 0;
    return rc < 0 ? rc : call->fn(&call->run);
}

static int await_call(co_task *task)
{
    int its_rc = 0, rc = co_await(task, &its_rc);
    return rc < 0 ? rc : its_rc;
}

/* The first call, cancelled or not, and one beside it. */
static int call_beside(struct call calls[2], int64_t cancel, bool two)
{
    CO_GROUP(group);
    co_task *first = co_spawn(&group, make_call, &calls[0]);
    co_task *second = two ? co_spawn(&group, make_call, &calls[1]) : NULL;
    int rc = cancel < 0 ? 0 : co_sleep(cancel);
    if (rc < 0)
        return rc;
    if (cancel >= 0)
        co_cancel(first);
    rc = await_call(first);
    if (cancel >= 0)
        rc = 0;                 /* what it returned is in its own report; that it was cancelled is no failure */
    int other = two ? await_call(second) : 0;
    return rc < 0 ? rc : other;
}

int kit_calls(co_fn fn, const struct kit_run *run)
{
    int64_t delay = kit_setting("delay", 0), cancel = kit_setting("cancel", -1), beside = kit_setting("beside", -1);
    int64_t again = kit_setting("again", 0), split = kit_setting("split", -1);
    int byte = (int)kit_setting("poison", 0), rc = delay > 0 ? co_sleep(delay) : 0;
    struct call calls[2] = {{fn, *run, 0}, {fn, *run, beside}};

    if (kit_setting("alike", 0))
        make_alike(run);
    if (rc >= 0 && byte)
        rc = poison(byte);
    if (rc < 0)
        return rc;
    if (cancel < 0 && beside < 0 && again <= 0)
        return fn(&calls[0].run);
    if (split >= 0 && (size_t)split <= run->n) {
        calls[0].run.n = (size_t)split;
        calls[1].run.urls = run->urls + split;
        calls[1].run.n = run->n - (size_t)split;
    }
    calls[0].run.call = 1;
    calls[1].run.call = 2;
    rc = call_beside(calls, cancel, beside >= 0);
    for (int64_t i = 0; i < again; i++) {
        struct call more = {fn, *run, 0};
        more.run.call = (beside < 0 ? 2 : 3) + (int)i;
        CO_GROUP(group);
        int its_rc = await_call(co_spawn(&group, make_call, &more));
        rc = rc < 0 ? rc : its_rc;
    }
    return rc;
}

void kit_report_call(const char *name, json_t *value, const struct kit_run *run)
{
    if (run->call)
        json_object_set_new(value, "call", json_integer(run->call));
    kit_report(name, value);
}
