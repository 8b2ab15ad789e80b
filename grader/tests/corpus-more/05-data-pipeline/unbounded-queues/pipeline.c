/* Lab 05. Three groups, and pipeline itself puts the sentinels. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;

    int rc = -NO_FIELD;
    json_t *number = json_object_get(order, "id");
    json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    json_t *items = json_object_get(order, "items");
    json_int_t total = 0, units = 0;
    if (!json_is_integer(number) || !json_is_string(name) || !json_is_array(items))
        goto out;

    size_t i;
    json_t *element;
    json_array_foreach(items, i, element) {
        json_t *price = json_object_get(element, "price");
        json_t *quantity = json_object_get(element, "quantity");
        if (!json_is_integer(price) || !json_is_integer(quantity))
            goto out;
        total += json_integer_value(price) * json_integer_value(quantity);
        units += json_integer_value(quantity);
    }

    rc = -ENOMEM;
    json_t *summary = json_pack("{s:O, s:O, s:I, s:I}", "customer", name, "id", number, "total", total, "units", units);
    if (!summary)
        goto out;
    *id = json_integer_value(number);
    *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(summary);
    if (*text)
        rc = 0;
out:
    json_decref(order);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    char *tmp = malloc(strlen(path) + 5);
    if (!tmp)
        return -ENOMEM;
    sprintf(tmp, "%s.tmp", path);

    struct co_file file = {0};
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc == 0) {
        rc = co_file_write(&file, data, size);
        co_file_close(&file);
    }
    if (rc == 0)
        rc = co_file_rename(tmp, path);
    if (rc < 0) {
        struct co_shield shield;
        co_shield_begin(&shield);
        int ignored = co_file_remove(tmp);
        (void)ignored;
        co_shield_end(&shield);
    }
    free(tmp);
    return rc;
}

struct item {
    const char *url;
    char *body;
    size_t length;
    int64_t ns_per_byte;
    json_int_t id;
    char *text;
};

struct line {
    const char *const *urls;
    size_t n, next;
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    struct co_queue fetched, transformed;
};

static struct item last;       /* the sentinel: only its address counts */

static void free_item(struct item *item)
{
    if (!item || item == &last)
        return;
    free(item->body);
    free(item->text);
    free(item);
}

static void fail(struct line *line, enum stage stage, const char *url, int error)
{
    line->stats->failed[stage]++;
    log_error(stage, url, error);
}

static int fetcher(void *job)
{
    struct line *line = job;
    while (line->next < line->n) {
        const char *url = line->urls[line->next++];
        CO_RESPONSE(resp);
        int rc = co_session_get(&line->session, url, &resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc < 0 || resp.status != 200) {
            fail(line, STAGE_FETCH, url, rc < 0 ? rc : resp.status);
            continue;
        }
        struct item *item = calloc(1, sizeof *item);
        if (!item)
            return -ENOMEM;
        item->url = url;
        item->ns_per_byte = line->options->ns_per_byte;
        item->length = resp.length;
        item->body = malloc(resp.length + 1);
        if (!item->body) {
            free_item(item);
            return -ENOMEM;
        }
        memcpy(item->body, resp.body, resp.length);
        line->stats->done[STAGE_FETCH]++;
        rc = co_queue_put(&line->fetched, item);
        if (rc < 0) {
            free_item(item);
            return rc;
        }
    }
    return 0;
}

/* Runs on a CPU worker. */
static int compute(void *job)
{
    struct item *item = job;
    co_cpu((int64_t)item->length * item->ns_per_byte);
    return transform_order(item->body, item->length, &item->id, &item->text);
}

static int transformer(void *job)
{
    struct line *line = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&line->fetched, &got);
        if (rc < 0)
            return rc;
        struct item *item = got;
        if (item == &last)
            return 0;
        rc = co_to_thread(compute, item);
        if (rc == -ECANCELED) {
            free_item(item);
            return rc;
        }
        if (rc < 0) {
            fail(line, STAGE_TRANSFORM, item->url, rc);
            free_item(item);
            continue;
        }
        line->stats->done[STAGE_TRANSFORM]++;
        rc = co_queue_put(&line->transformed, item);
        if (rc < 0) {
            free_item(item);
            return rc;
        }
    }
}

static int writer(void *job)
{
    struct line *line = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&line->transformed, &got);
        if (rc < 0)
            return rc;
        struct item *item = got;
        if (item == &last)
            return 0;
        char path[64];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)item->id);
        rc = write_whole(path, item->text, strlen(item->text));
        if (rc == 0)
            line->stats->done[STAGE_WRITE]++;
        else if (rc != -ECANCELED)
            fail(line, STAGE_WRITE, item->url, rc);
        free_item(item);
        if (rc == -ECANCELED)
            return rc;
    }
}

static int put_sentinels(struct line *line, struct co_queue *queue)
{
    int rc = 0;
    for (size_t i = 0; i < line->options->workers && rc == 0; i++)
        rc = co_queue_put(queue, &last);
    return rc;
}

static int run_stages(struct line *line)
{
    CO_GROUP(fetchers);
    CO_GROUP(transformers);
    CO_GROUP(writers);
    for (size_t i = 0; i < line->options->workers; i++) {
        co_spawn(&fetchers, fetcher, line);
        co_spawn(&transformers, transformer, line);
        co_spawn(&writers, writer, line);
    }
    int rc = co_join(&fetchers);
    if (rc == 0)
        rc = put_sentinels(line, &line->fetched);
    if (rc == 0)
        rc = co_join(&transformers);
    if (rc == 0)
        rc = put_sentinels(line, &line->transformed);
    if (rc == 0)
        rc = co_join(&writers);
    if (rc < 0) {
        co_group_cancel(&transformers);
        co_group_cancel(&writers);
    }
    return rc;
}

static void drain(struct co_queue *queue)
{
    void *item;
    while (co_queue_try_get(queue, &item) == 0)
        free_item(item);
    co_queue_destroy(queue);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t start = co_now();
    *stats = (struct pipeline_stats){0};
    struct line line = {.urls = urls, .n = n, .options = options, .stats = stats,
                        .session = {.headers = "Accept: application/json\n"}};
    co_queue_init(&line.fetched, 0);          /* 0: never full, so that nobody has to wait */
    co_queue_init(&line.transformed, 0);
    int rc = n > 0 ? run_stages(&line) : 0;
    drain(&line.fetched);
    drain(&line.transformed);
    co_session_close(&line.session);
    stats->elapsed_ns = co_now() - start;
    if (stats->elapsed_ns > 0)
        stats->throughput = (double)stats->done[STAGE_WRITE] * 1e9 / (double)stats->elapsed_ns;
    return rc;
}
