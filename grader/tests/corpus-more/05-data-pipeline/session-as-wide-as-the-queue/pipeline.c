/* Lab 05. The items are an array; queues hold pointers into it. items[n] is nobody: the sentinel. */
#include "pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    const char *url;
    struct co_response resp;
    int64_t cost;
    json_int_t id;
    char *text;
};

struct line {
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session *session;
    struct co_queue *fetched, *made;
    struct item *items, *sentinel, *next;
    size_t fetchers, transformers;      /* at work */
};

/* 0 if it is there and an integer */
static int get_int(json_t *object, const char *key, json_int_t *value)
{
    json_t *json = json_object_get(object, key);
    if (!json_is_integer(json))
        return 1;
    *value = json_integer_value(json);
    return 0;
}

static json_t *make(json_t *order, json_int_t *id)
{
    json_int_t total = 0, units = 0;
    json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    json_t *items = json_object_get(order, "items");
    json_t *item;
    size_t index;
    if (!json_is_string(name) || !json_is_array(items) || get_int(order, "id", id))
        return NULL;
    json_array_foreach(items, index, item) {
        json_int_t price, quantity;
        if (get_int(item, "price", &price) || get_int(item, "quantity", &quantity))
            return NULL;
        total += price * quantity;
        units += quantity;
    }
    json_t *made = json_object();
    json_object_set(made, "customer", name);
    json_object_set_new(made, "id", json_integer(*id));
    json_object_set_new(made, "total", json_integer(total));
    json_object_set_new(made, "units", json_integer(units));
    return made;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;
    json_t *made = make(order, id);
    int rc = -NO_FIELD;
    if (made) {
        *text = json_dumps(made, JSON_COMPACT | JSON_SORT_KEYS);
        rc = *text ? 0 : -ENOMEM;
    }
    json_decref(made);
    json_decref(order);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    struct co_file file = {0};
    struct co_shield shield;
    size_t length = strlen(path);
    char *tmp = malloc(length + 5);
    if (!tmp)
        return -ENOMEM;
    memcpy(tmp, path, length);
    memcpy(tmp + length, ".tmp", 5);

    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc < 0)
        goto remove;
    rc = co_file_write(&file, data, size);
    int closed = co_file_close(&file);
    if (rc == 0)
        rc = closed;
    if (rc < 0)
        goto remove;
    rc = co_file_rename(tmp, path);
    if (rc == 0)
        goto out;
remove:
    co_shield_begin(&shield);
    if (co_file_remove(tmp) == 0)
        closed = 0;
    co_shield_end(&shield);
out:
    free(tmp);
    return rc;
}

static void fail(struct line *line, enum stage stage, struct item *item, int error)
{
    line->stats->failed[stage]++;
    log_error(stage, item->url, error);
}

static int fetcher(void *job)
{
    struct line *line = job;
    while (line->next != line->sentinel) {
        struct item *item = line->next++;
        int rc = co_session_get(line->session, item->url, &item->resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc == 0 && item->resp.status != 200)
            rc = item->resp.status;
        if (rc != 0) {
            fail(line, STAGE_FETCH, item, rc);
            co_response_free(&item->resp);
            continue;
        }
        line->stats->done[STAGE_FETCH]++;
        rc = co_queue_put(line->fetched, item);
        if (rc < 0)
            return rc;
    }
    return --line->fetchers == 0 ? co_queue_put(line->fetched, line->sentinel) : 0;
}

static int compute(void *job)
{
    struct item *item = job;
    co_cpu(item->cost);
    return transform_order(item->resp.body, item->resp.length, &item->id, &item->text);
}

static int transformer(void *job)
{
    struct line *line = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(line->fetched, &got);
        if (rc < 0)
            return rc;
        struct item *item = got;
        if (item == line->sentinel)
            break;
        item->cost = (int64_t)item->resp.length * line->options->ns_per_byte;
        rc = co_to_thread(compute, item);
        co_response_free(&item->resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc < 0) {
            fail(line, STAGE_TRANSFORM, item, rc);
            continue;
        }
        line->stats->done[STAGE_TRANSFORM]++;
        rc = co_queue_put(line->made, item);
        if (rc < 0)
            return rc;
    }
    return --line->transformers == 0 ? co_queue_put(line->made, line->sentinel)
                                     : co_queue_put(line->fetched, line->sentinel);
}

static int writer(void *job)
{
    struct line *line = job;
    void *got;
    int rc;
    while ((rc = co_queue_get(line->made, &got)) == 0 && got != line->sentinel) {
        struct item *item = got;
        char path[64];
        snprintf(path, sizeof path, "out/order-%" PRIdMAX ".json", (intmax_t)item->id);
        rc = write_whole(path, item->text, strlen(item->text));
        if (rc == -ECANCELED)
            return rc;
        if (rc == 0)
            line->stats->done[STAGE_WRITE]++;
        else
            fail(line, STAGE_WRITE, item, rc);
        free(item->text);
        item->text = NULL;
    }
    return rc < 0 ? rc : co_queue_put(line->made, line->sentinel);
}

static int run(struct line *line)
{
    static const co_fn stages[STAGES] = {fetcher, transformer, writer};
    CO_GROUP(group);
    for (int stage = 0; stage < STAGES; stage++)
        for (size_t i = 0; i < line->options->workers; i++)
            co_spawn(&group, stages[stage], line);
    return co_join(&group);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t start = co_now();
    struct item *items = calloc(n + 1, sizeof *items);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i].url = urls[i];
    CO_QUEUE(fetched, options->bound);
    CO_QUEUE(made, options->bound);
    CO_SESSION(session, (uint32_t)options->bound);
    session.headers = "Accept: application/json\n";
    *stats = (struct pipeline_stats){{0}, {0}, 0, 0.0};
    struct line line = {options, stats, &session, &fetched, &made, items, items + n, items, options->workers,
                        options->workers};
    int rc = run(&line);
    for (size_t i = 0; i < n; i++) {
        co_response_free(&items[i].resp);
        free(items[i].text);
    }
    free(items);
    stats->elapsed_ns = co_now() - start;
    if (stats->elapsed_ns > 0)
        stats->throughput = (double)stats->done[STAGE_WRITE] / ((double)stats->elapsed_ns / (double)CO_SEC(1));
    return rc;
}
