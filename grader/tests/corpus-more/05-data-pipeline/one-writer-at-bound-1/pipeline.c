#include "pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_items(const json_t *items, json_int_t *total, json_int_t *units)
{
    size_t i;
    json_t *item;
    if (!json_is_array(items))
        return -NO_FIELD;
    json_array_foreach(items, i, item) {
        const json_t *price = json_object_get(item, "price"), *quantity = json_object_get(item, "quantity");
        if (!json_is_integer(price) || !json_is_integer(quantity))
            return -NO_FIELD;
        *total += json_integer_value(price) * json_integer_value(quantity);
        *units += json_integer_value(quantity);
    }
    return 0;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;
    const json_t *number = json_object_get(order, "id");
    const json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    json_int_t total = 0, units = 0;
    int rc = json_is_integer(number) && json_is_string(name) ? 0 : -NO_FIELD;
    if (rc == 0)
        rc = add_items(json_object_get(order, "items"), &total, &units);
    if (rc == 0) {
        *id = json_integer_value(number);
        json_t *summary = json_pack("{s:s, s:I, s:I, s:I}", "customer", json_string_value(name), "id", *id,
                                    "total", total, "units", units);
        *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(summary);
        if (!*text)
            rc = -ENOMEM;
    }
    json_decref(order);
    return rc;
}

static void remove_quietly(const char *path)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    if (co_file_remove(path) < 0)
        co_yield();    /* there was none: all the better */
    co_shield_end(&shield);
}

static int fill(const char *path, const char *data, size_t size)
{
    CO_FILE(file);
    int rc = co_file_open(&file, path, CO_WRITE);
    return rc < 0 ? rc : co_file_write(&file, data, size);
}

int write_whole(const char *path, const char *data, size_t size)
{
    char *tmp = malloc(strlen(path) + sizeof ".tmp");
    if (!tmp)
        return -ENOMEM;
    strcpy(tmp, path);
    strcat(tmp, ".tmp");
    int rc = fill(tmp, data, size);
    if (rc == 0)
        rc = co_file_rename(tmp, path);
    if (rc != 0)
        remove_quietly(tmp);
    free(tmp);
    return rc;
}

struct item {
    const char *url;
    struct co_response resp;
    int64_t ns_per_byte;
    int rc;
    json_int_t id;
    char *text;
};

static void item_free(struct item *item)
{
    co_response_free(&item->resp);
    free(item->text);
    free(item);
}

static int compute(void *arg)
{
    struct item *item = arg;
    co_cpu((int64_t)item->resp.length * item->ns_per_byte);
    item->rc = transform_order(item->resp.body, item->resp.length, &item->id, &item->text);
    if (item->rc < 0)
        item->text = NULL;
    return 0;
}

struct line {
    const char *const *urls;
    size_t n, next;
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    struct co_queue bodies, texts;
};

static void failed(struct line *line, enum stage stage, struct item *item, int error)
{
    line->stats->failed[stage]++;
    log_error(stage, item->url, error);
    item_free(item);
}

/* One order, from its URL to its body. -ECANCELED: the item is still the caller's. */
static int fetch(struct line *line, struct item *item)
{
    int rc = co_session_get(&line->session, item->url, &item->resp);
    if (rc == -ECANCELED)
        return rc;
    if (rc == 0 && item->resp.status == 200) {
        line->stats->done[STAGE_FETCH]++;
        return 1;
    }
    failed(line, STAGE_FETCH, item, rc < 0 ? rc : item->resp.status);
    return 0;
}

static int fetcher(void *arg)
{
    struct line *line = arg;
    while (line->next < line->n) {
        struct item *item = calloc(1, sizeof *item);
        if (!item)
            return -ENOMEM;
        item->url = line->urls[line->next++];
        item->ns_per_byte = line->options->ns_per_byte;
        int rc = fetch(line, item);
        if (rc > 0)
            rc = co_queue_put(&line->bodies, item);
        if (rc < 0) {
            item_free(item);
            return rc;
        }
    }
    return 0;
}

static int transformer(void *arg)
{
    struct line *line = arg;
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->bodies, &got)) == 0 && got) {
        struct item *item = got;
        rc = co_to_thread(compute, item);
        if (rc == 0 && item->rc < 0) {
            failed(line, STAGE_TRANSFORM, item, item->rc);
            continue;
        }
        co_response_free(&item->resp);
        if (rc == 0) {
            line->stats->done[STAGE_TRANSFORM]++;
            rc = co_queue_put(&line->texts, item);
        }
        if (rc < 0) {
            item_free(item);
            return rc;
        }
    }
    return rc < 0 ? rc : co_queue_put(&line->bodies, NULL);    /* for the next one */
}

static int writer(void *arg)
{
    struct line *line = arg;
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->texts, &got)) == 0 && got) {
        struct item *item = got;
        char path[64];
        snprintf(path, sizeof path, "out/order-%" JSON_INTEGER_FORMAT ".json", item->id);
        rc = write_whole(path, item->text, strlen(item->text));
        if (rc == -ECANCELED) {
            item_free(item);
            return rc;
        }
        if (rc < 0) {
            failed(line, STAGE_WRITE, item, rc);
            continue;
        }
        line->stats->done[STAGE_WRITE]++;
        item_free(item);
    }
    return rc < 0 ? rc : co_queue_put(&line->texts, NULL);
}

static void drain(struct co_queue *queue)
{
    void *item;
    while (co_queue_try_get(queue, &item) == 0)
        if (item)
            item_free(item);
    co_queue_destroy(queue);
}

static void finish(struct pipeline_stats *stats, int64_t begin)
{
    stats->elapsed_ns = co_now() - begin;
    stats->throughput = 0.0;
    if (stats->elapsed_ns > 0)
        stats->throughput = (double)stats->done[STAGE_WRITE] / ((double)stats->elapsed_ns / 1e9);
}

static void start(struct co_group *group, co_fn fn, struct line *line)
{
    for (size_t i = 0; i < line->options->workers; i++)
        co_spawn(group, fn, line);
}

static int end(struct co_queue *queue, size_t workers)
{
    int rc = 0;
    if (workers > 0)
        rc = co_queue_put(queue, NULL);
    return rc;
}

static int run(struct line *line)
{
    CO_GROUP(fetchers);
    CO_GROUP(transformers);
    CO_GROUP(writers);
    start(&fetchers, fetcher, line);
    start(&transformers, transformer, line);
    if (line->options->bound == 1)
        co_spawn(&writers, writer, line);
    else
        start(&writers, writer, line);
    int rc = co_join(&fetchers);
    if (rc == 0)
        rc = end(&line->bodies, line->options->workers);
    if (rc == 0)
        rc = co_join(&transformers);
    if (rc == 0)
        rc = end(&line->texts, line->options->workers);
    if (rc < 0) {
        co_group_cancel(&fetchers);
        co_group_cancel(&transformers);
        co_group_cancel(&writers);
    }
    int joined = co_join(&writers);
    return rc < 0 ? rc : joined;
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t begin = co_now();
    *stats = (struct pipeline_stats){0};
    struct line line = {.urls = urls, .n = n, .options = options, .stats = stats,
                        .session = {.headers = "Accept: application/json\n"}};
    co_queue_init(&line.bodies, options->bound);
    co_queue_init(&line.texts, options->bound);
    int rc = run(&line);
    drain(&line.bodies);
    drain(&line.texts);
    co_session_close(&line.session);
    finish(stats, begin);
    return rc;
}
