/* main.c - runs the functions of pipeline.c and reports what they did. It belongs to the kit: you do not change it.
 *
 *     make run LAB=05                     pipeline on all URLs of the world (WORLD=three.json)
 *     make run LAB=05 SET="workers=1 bound=1 cost=500us"
 *     make run LAB=05 MODE=cancel         pipeline, cancelled after 100 ms (SET="after=250ms")
 *     make run LAB=05 MODE=transform      transform_order on what each URL gives
 *     make run LAB=05 MODE=write          write_whole with what each URL gives, into out/1.json, out/2.json, ...
 *
 * All modes but cancel take these settings, too:
 *     delay=250ms   the call is made then, not at 0        cancel=40ms   it is cancelled so much after it began
 *     again=1       one more call after that               beside=1ms    a second call runs so much later
 *     poison=90     fresh memory holds no zeros            split=3       then the first has 3 of the URLs
 *     deep=250      mode write: in a folder whose name has so many characters
 */
#include "pipeline.h"
#include "kit.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const stage_names[STAGES] = {"fetch", "transform", "write"};

/* Are we in a worker of co_to_thread? There no call that could wait is allowed. */
static bool on_worker(void)
{
    void *nothing;
    CO_QUEUE(empty, 1);
    return co_queue_try_get(&empty, &nothing) == -EPERM;
}

void log_error(enum stage stage, const char *url, int error)
{
    const char *name = (unsigned)stage < STAGES ? stage_names[stage] : "no stage";
    json_t *failure = json_pack("{s:s, s:s, s:i}", "stage", name, "url", url ? url : "", "error", error);
    if (on_worker())
        json_object_set_new(failure, "on_worker", json_true());
    kit_report("failure", failure);
}

/* "start": the student's function is called at this instant. */
static void report_start(const char *mode, const struct kit_run *run)
{
    kit_report_call("start", json_pack("{s:s, s:I}", "mode", mode, "n", (json_int_t)run->n), run);
}

/* Jansson is not built with the sanitizers, so a body that was freed before it was read would go unseen. This
 * json_loadb stands in front of Jansson's: it looks at each byte of the buffer, here, where they watch. */
struct rest {
    const char *at;
    size_t length;
};

static size_t take_some(void *buffer, size_t size, void *data)
{
    struct rest *rest = data;
    if (size > rest->length)
        size = rest->length;
    memcpy(buffer, rest->at, size);
    rest->at += size;
    rest->length -= size;
    return size;
}

json_t *json_loadb(const char *buffer, size_t length, size_t flags, json_error_t *error)
{
    const volatile char *bytes = buffer;
    for (size_t i = 0; buffer && i < length; i++)
        (void)bytes[i];
    return json_load_callback(buffer ? take_some : NULL, &(struct rest){buffer, length}, flags, error);
}

/* What json_dumps returns is freed by free, whoever else watches what Jansson takes: so it does not come from there. */
char *json_dumps(const json_t *json, size_t flags)
{
    size_t size = json_dumpb(json, NULL, 0, flags);
    char *text = size ? malloc(size + 1) : NULL;
    if (text)
        text[json_dumpb(json, text, size, flags)] = '\0';
    return text;
}

/* ---- pipeline -------------------------------------------------------------------------------- */

static json_t *by_stage(const size_t numbers[STAGES])
{
    return json_pack("{s:I, s:I, s:I}", stage_names[0], (json_int_t)numbers[0], stage_names[1], (json_int_t)numbers[1],
                     stage_names[2], (json_int_t)numbers[2]);
}

static json_t *stats_to_json(size_t n, const struct pipeline_stats *stats)
{
    /* JSON knows no 0.0 / 0.0: say it in a word, so that whoever reads the report sees what happened. */
    json_t *throughput = isnan(stats->throughput)   ? json_string("nan")
                         : isinf(stats->throughput) ? json_string("infinite")
                                                    : json_real(stats->throughput);
    return json_pack("{s:I, s:o, s:o, s:I, s:o}", "n", (json_int_t)n, "done", by_stage(stats->done),
                     "failed", by_stage(stats->failed), "elapsed_ns", (json_int_t)stats->elapsed_ns,
                     "throughput", throughput);
}

/* tasks: how many more there are after the call than before. */
static void report_result(const struct kit_run *run, int rc, const struct pipeline_stats *stats, size_t tasks)
{
    json_t *report = rc == 0 ? stats_to_json(run->n, stats) : json_object();
    json_object_set_new(report, "rc", json_integer(rc));
    json_object_set_new(report, "tasks", json_integer((json_int_t)tasks));
    kit_report_call("result", report, run);
}

static int run(const char *mode, const struct kit_run *run)
{
    /* Values that no run can leave: what nobody wrote shows. */
    struct pipeline_stats stats = {.done = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, .failed = {SIZE_MAX, SIZE_MAX, SIZE_MAX},
                                   .elapsed_ns = -1, .throughput = -1.0};
    const struct pipeline_options options = {
        .workers = (size_t)kit_setting("workers", 3),
        .bound = (size_t)kit_setting("bound", 4),
        .ns_per_byte = kit_setting("cost", CO_US(500)),
    };
    size_t before = co_all_tasks(NULL, 0);
    report_start(mode, run);
    int rc = pipeline(run->urls, run->n, &options, &stats);
    size_t after = co_all_tasks(NULL, 0);
    report_result(run, rc, &stats, after > before ? after - before : 0);
    return rc;
}

static int call_pipeline(void *job)
{
    return run("pipeline", job);
}

static int run_pipeline(void *job)
{
    return kit_calls(call_pipeline, job);
}

static int run_cancelled(void *job)
{
    int rc = co_sleep(kit_setting("delay", 0));
    return rc < 0 ? rc : run("cancel", job);
}

static int run_cancel(void *job)
{
    CO_GROUP(group);
    int64_t after = kit_setting("after", CO_MS(100));
    co_task *task = co_spawn(&group, run_cancelled, job);
    int rc = co_sleep(after);
    if (rc < 0)
        return rc;
    co_cancel(task);
    /* What the task returned is in its own report; that it was cancelled is no failure. */
    return co_await(task, NULL);
}

/* ---- The two parts alone ------------------------------------------------------------------------ */

static int get(const char *url, struct co_response *resp)
{
    return co_http_request(&(struct co_request){.url = url, .headers = "Accept: application/json\n"}, resp);
}

/* A copy with something else than a '\0' behind it: who reads on to find one gets what is no JSON. */
static char *bare_copy(const struct co_response *resp)
{
    char *copy = malloc(resp->length + 2);
    for (size_t i = 0; copy && i < resp->length; i++)
        copy[i] = resp->body[i];
    if (copy)
        copy[resp->length] = '#', copy[resp->length + 1] = '\0';
    return copy;
}

/* While transform_order runs, Jansson takes its memory from here, and we see what is given back never, or twice.
 * Nothing is really freed meanwhile, so that one who gives back what is gone already does no harm. */
#define BLOCKS_MOST 4096
static struct block {
    void *at;
    bool given_back;
} blocks[BLOCKS_MOST];
static size_t blocks_n, given_back_twice;

static void *take(size_t size)
{
    void *block = blocks_n < BLOCKS_MOST ? malloc(size) : NULL;
    if (block)
        blocks[blocks_n++] = (struct block){.at = block};
    return block;
}

static void give_back(void *at)
{
    size_t i = blocks_n;
    while (i > 0 && blocks[i - 1].at != at)
        i--;
    if (i == 0) {
        free(at);
        return;
    }
    given_back_twice += blocks[i - 1].given_back;
    blocks[i - 1].given_back = true;
    /* If it looks like a JSON value whose last holder has just gone: as if there
     * were one again, a further json_decref comes here, too. */
    json_t *value = at;
    if (malloc_usable_size(at) >= sizeof *value && value->type <= JSON_NULL && value->refcount == 0) {
        value->refcount = 1;
        /* Who still reads its text shall notice. */
        for (size_t k = 0; k < json_string_length(value); k++)
            ((char *)json_string_value(value))[k] = '#';
    }
}

/* Frees what was given back. Returns how many blocks were not. */
static size_t settle_blocks(void)
{
    size_t left = 0;
    for (size_t i = 0; i < blocks_n; i++)
        if (blocks[i].given_back)
            free(blocks[i].at);
        else
            left++;
    blocks_n = 0;
    return left;
}

static json_t *one_transform(const char *url)
{
    CO_RESPONSE(resp);
    int rc = get(url, &resp);
    char *body = rc == 0 ? bare_copy(&resp) : NULL;
    if (!body)
        return json_pack("{s:i}", "rc", rc ? rc : -ENOMEM);

    json_int_t id = -1;
    char *text = NULL;
    given_back_twice = 0;
    json_set_alloc_funcs(take, give_back);
    rc = transform_order(body, resp.length, &id, &text);
    json_set_alloc_funcs(malloc, free);
    size_t left = settle_blocks();

    json_t *result = rc ? json_pack("{s:i}", "rc", rc)
                        : json_pack("{s:i, s:I, s:s}", "rc", rc, "id", id, "text", text ? text : "never written");
    if (left)
        json_object_set_new(result, "never_given_back", json_integer((json_int_t)left));
    if (given_back_twice)
        json_object_set_new(result, "given_back_twice", json_integer((json_int_t)given_back_twice));
    if (rc == 0)
        free(text);
    free(body);
    return result;
}

static int call_transform(void *job)
{
    const struct kit_run *run = job;
    json_t *results = json_array();
    report_start("transform", run);
    for (size_t i = 0; i < run->n; i++)
        json_array_append_new(results, one_transform(run->urls[i]));
    kit_report_call("result", json_pack("{s:i, s:o}", "rc", 0, "results", results), run);
    return 0;
}

static int run_transform(void *job)
{
    return kit_calls(call_transform, job);
}

static int one_write(const char *url, size_t number, size_t deep)
{
    CO_RESPONSE(resp);
    char *path = malloc(deep + 40);
    if (!path)
        return -ENOMEM;
    char *end = path + sprintf(path, "out/");
    if (deep) {
        memset(end, 'd', deep);
        end += deep;
        *end++ = '/';
    }
    sprintf(end, "%zu.json", number);
    int rc = get(url, &resp);
    rc = rc < 0 ? rc : write_whole(path, resp.body, resp.length);
    free(path);
    return rc;
}

static int call_write(void *job)
{
    const struct kit_run *run = job;
    json_t *results = json_array();
    size_t deep = (size_t)kit_setting("deep", 0);
    report_start("write", run);
    for (size_t i = 0; i < run->n; i++)
        json_array_append_new(results, json_pack("{s:i}", "rc", one_write(run->urls[i], i + 1, deep)));
    kit_report_call("result", json_pack("{s:i, s:o}", "rc", 0, "results", results), run);
    return 0;
}

static int run_write(void *job)
{
    return kit_calls(call_write, job);
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {
        {"pipeline", run_pipeline, "the whole pipeline (SET: workers=3 bound=4 cost=500us delay=0)"},
        {"transform", run_transform, "transform_order on what each URL gives"},
        {"write", run_write, "write_whole with what each URL gives"},
        {"cancel", run_cancel, "pipeline, cancelled after a while (SET: after=100ms)"},
        {0},
    };
    return kit_main(argc, argv, "05-data-pipeline", modes);
}
