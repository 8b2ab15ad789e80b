/* pipeline.c - lab 05, the reference solution. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One order: from its JSON to its summary -------------------------------------------------- */

/* Adds up all elements of `items`. False if one of them lacks something. */
static bool add_up(const json_t *items, json_int_t *total, json_int_t *units)
{
    size_t i;
    json_t *each;

    *total = *units = 0;
    if (!json_is_array(items))
        return false;
    json_array_foreach(items, i, each) {
        const json_t *price = json_object_get(each, "price"), *quantity = json_object_get(each, "quantity");
        if (!json_is_integer(price) || !json_is_integer(quantity))    /* both say no to NULL, too */
            return false;
        /* json_int_t has 64 bits: an int would overflow */
        *total += json_integer_value(price) * json_integer_value(quantity);
        *units += json_integer_value(quantity);
    }
    return true;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_int_t total, units;
    /* json_loadb, not json_loads: a body ends where its length says, not at the first '\0'. */
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;

    /* What json_object_get gives belongs to `order`: there is nothing to free, but it is gone when `order` is. */
    const json_t *number = json_object_get(order, "id");
    const json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    int rc = -NO_FIELD;
    if (json_is_integer(number) && json_is_string(name) && add_up(json_object_get(order, "items"), &total, &units)) {
        json_t *summary = json_pack("{s:s, s:I, s:I, s:I}", "customer", json_string_value(name),
                                    "id", json_integer_value(number), "total", total, "units", units);
        *id = json_integer_value(number);
        /* sorted: the text never depends on who was put in first */
        *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(summary);
        rc = *text ? 0 : -ENOMEM;
    }
    json_decref(order);    /* on this one way out that all cases share */
    return rc;
}

/* ---- One file: whole, or not at all ------------------------------------------------------------ */

static int write_new(const char *path, const char *data, size_t size)
{
    CO_FILE(file);    /* closes itself, whichever way we leave */
    int rc = co_file_open(&file, path, CO_WRITE);
    return rc < 0 ? rc : co_file_write(&file, data, size);
}

int write_whole(const char *path, const char *data, size_t size)
{
    char temporary[strlen(path) + sizeof ".tmp"];
    sprintf(temporary, "%s.tmp", path);

    /* Until the last call nobody who looks for `path` sees anything of this; the last one happens in one step. */
    int rc = write_new(temporary, data, size);
    if (rc == 0)
        rc = co_file_rename(temporary, path);
    if (rc < 0) {
        /* If we were cancelled, every call that waits says so at once and does nothing, this one, too: hence the
         * shield. It may find nothing to remove (the open failed): that is as good. */
        struct co_shield shield;
        co_shield_begin(&shield);
        int removed = co_file_remove(temporary);
        (void)removed;
        co_shield_end(&shield);
    }
    return rc;    /* what went wrong first, not what became of the clean-up */
}

/* ---- The line ------------------------------------------------------------------------------------ */

/* One order on its way. It belongs to whoever holds it: a worker, or the queue it is in. */
struct item {
    const char *url;
    struct co_response resp;
    int64_t cost_ns;
    json_int_t id;
    char *text;               /* NULL before the transform */
};

/* What all workers share. They run on one thread, and between two waits a worker is alone: no lock is needed. */
struct line {
    const char *const *urls;
    size_t n, next;           /* urls[next] is the next one to fetch */
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    struct co_queue queues[STAGES - 1];    /* queues[s] lies behind stage s */
    size_t working[STAGES];   /* workers of the stage that have not ended */
};

/* Behind the last item, one for each worker of the next stage. Only its address counts. */
static struct item sentinel;

static struct item *item_new(const char *url)
{
    struct item *item = calloc(1, sizeof *item);
    if (item)
        item->url = url;
    return item;
}

static void item_free(struct item *item)
{
    co_response_free(&item->resp);
    free(item->text);
    free(item);
}

/* What a stage does with an item when it is through with it. rc: what came of it; 0 is success. An item that fails ends
 * here, but its worker does not: only when this returns less than 0 the worker was cancelled, and must end. */
static int hand_on(struct line *line, enum stage stage, struct item *item, int rc)
{
    if (rc == 0) {
        line->stats->done[stage]++;
        if (stage < STAGE_WRITE)
            /* Waits while the queue is full: so a slow stage slows those before it. */
            rc = co_queue_put(&line->queues[stage], item);
        if (stage < STAGE_WRITE && rc == 0)
            return 0;                                         /* the queue has it now */
    } else if (rc != -ECANCELED) {
        line->stats->failed[stage]++;
        log_error(stage, item->url, rc);
        rc = 0;
    }
    item_free(item);
    return rc;
}

/* The last worker of a stage to go tells the next stage: nothing more will come. Each sentinel ends one
 * worker, so it takes one for each. (Any earlier, and a sentinel could stand in front of an item that a
 * colleague is still working on.) */
static int leave(struct line *line, enum stage stage)
{
    int rc = 0;
    if (--line->working[stage] > 0 || stage == STAGE_WRITE)
        return 0;
    for (size_t i = 0; i < line->options->workers && rc == 0; i++)
        rc = co_queue_put(&line->queues[stage], &sentinel);
    return rc;
}

static int fetcher(void *job)
{
    struct line *line = job;
    while (line->next < line->n) {
        /* No wait between the look and the step: nobody else gets this one. */
        struct item *item = item_new(line->urls[line->next++]);
        if (!item)
            return -ENOMEM;
        struct co_shield whole;
        co_shield_begin(&whole);
        int rc = co_session_get(&line->session, item->url, &item->resp);
        co_shield_end(&whole);
        if (rc == 0 && item->resp.status != 200)
            rc = item->resp.status;
        rc = hand_on(line, STAGE_FETCH, item, rc);
        if (rc < 0)
            return rc;
    }
    return leave(line, STAGE_FETCH);
}

/* Runs on a worker of co_to_thread: it computes, and calls nothing that waits. The item is ours alone meanwhile. */
static int compute(void *job)
{
    struct item *item = job;
    co_cpu(item->cost_ns);
    return transform_order(item->resp.body, item->resp.length, &item->id, &item->text);
}

static int transformer(void *job)
{
    struct line *line = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&line->queues[STAGE_FETCH], &got);
        if (rc < 0)
            return rc;
        if (got == &sentinel)
            return leave(line, STAGE_TRANSFORM);
        struct item *item = got;
        item->cost_ns = (int64_t)item->resp.length * line->options->ns_per_byte;
        rc = co_to_thread(compute, item);    /* called here, co_cpu would stop all three stages */
        co_response_free(&item->resp);       /* the text is all that is needed from here on */
        rc = hand_on(line, STAGE_TRANSFORM, item, rc);
        if (rc < 0)
            return rc;
    }
}

static int writer(void *job)
{
    struct line *line = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&line->queues[STAGE_TRANSFORM], &got);
        if (rc < 0)
            return rc;
        if (got == &sentinel)
            return leave(line, STAGE_WRITE);
        struct item *item = got;
        char path[48];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)item->id);
        rc = hand_on(line, STAGE_WRITE, item, write_whole(path, item->text, strlen(item->text)));
        if (rc < 0)
            return rc;
    }
}

/* All workers in one group: if one of them cannot go on (no memory), the join cancels the others instead of letting
 * them wait for ever for items that do not come. */
static int run_workers(struct line *line)
{
    CO_GROUP(workers);
    for (enum stage stage = STAGE_FETCH; stage <= STAGE_WRITE; stage++)
        line->working[stage] = line->options->workers;
    for (size_t i = 0; i < line->options->workers; i++) {
        co_spawn(&workers, fetcher, line);
        co_spawn(&workers, transformer, line);
        co_spawn(&workers, writer, line);
    }
    return co_join(&workers);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t start = co_now();
    *stats = (struct pipeline_stats){0};
    struct line line = {.urls = urls, .n = n, .options = options, .stats = stats,
                        .session = {.headers = "Accept: application/json\n"}};
    for (int i = 0; i < STAGES - 1; i++)
        co_queue_init(&line.queues[i], options->bound);

    int rc = run_workers(&line);

    /* After a cancel items may still be in the queues: nobody else frees them. */
    for (int i = 0; i < STAGES - 1; i++) {
        void *left;
        while (co_queue_try_get(&line.queues[i], &left) == 0)
            if (left != &sentinel)
                item_free(left);
        co_queue_destroy(&line.queues[i]);
    }
    co_session_close(&line.session);

    stats->elapsed_ns = co_now() - start;
    if (stats->elapsed_ns > 0)
        stats->throughput = (double)stats->done[STAGE_WRITE] / ((double)stats->elapsed_ns / 1e9);
    return rc;
}
