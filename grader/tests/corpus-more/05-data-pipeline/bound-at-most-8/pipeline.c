#include "pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool integer(const json_t *object, const char *key, json_int_t *value)
{
    const json_t *member = json_object_get(object, key);
    *value = json_integer_value(member);
    return json_is_integer(member);
}

static char *compose(const json_t *name, json_int_t id, json_int_t total, json_int_t units)
{
    char *quoted = json_dumps(name, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!quoted)
        return NULL;
    size_t size = strlen(quoted) + 128;
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "{\"customer\":%s,\"id\":%" JSON_INTEGER_FORMAT ",\"total\":%" JSON_INTEGER_FORMAT
                 ",\"units\":%" JSON_INTEGER_FORMAT "}", quoted, id, total, units);
    free(quoted);
    return text;
}

static int summarise(const json_t *order, json_int_t *id, char **text)
{
    const json_t *items = json_object_get(order, "items");
    const json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    if (!integer(order, "id", id) || !json_is_string(name) || !json_is_array(items))
        return -NO_FIELD;
    json_int_t total = 0, units = 0;
    for (size_t i = json_array_size(items); i-- > 0;) {
        json_int_t price, quantity;
        const json_t *item = json_array_get(items, i);
        if (!integer(item, "price", &price) || !integer(item, "quantity", &quantity))
            return -NO_FIELD;
        units += quantity;
        total += price * quantity;
    }
    *text = compose(name, *id, total, units);
    return *text ? 0 : -ENOMEM;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_error_t error;
    json_t *order = json_loadb(body, length, 0, &error);
    int rc = order ? summarise(order, id, text) : -NOT_JSON;
    json_decref(order);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    char tmp[strlen(path) + 5];
    sprintf(tmp, "%s.tmp", path);
    struct co_file file = {0};
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc == 0) {
        rc = co_file_write(&file, data, size);
        int closed = co_file_close(&file);
        rc = rc ? rc : closed;
    }
    if (rc == 0)
        rc = co_file_rename(tmp, path);
    if (rc < 0) {
        struct co_shield shield;
        co_shield_begin(&shield);
        int removed = co_file_remove(tmp);
        (void)removed;
        co_shield_end(&shield);
    }
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
    size_t running[STAGES];
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
    if (--line->running[STAGE_FETCH] == 0)
        co_queue_shutdown(&line->bodies, false);
    return 0;
}

static int transformer(void *arg)
{
    struct line *line = arg;
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->bodies, &got)) == 0) {
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
    if (--line->running[STAGE_TRANSFORM] == 0)
        co_queue_shutdown(&line->texts, false);
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int writer(void *arg)
{
    struct line *line = arg;
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->texts, &got)) == 0) {
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
    return rc == -ESHUTDOWN ? 0 : rc;
}

static void drain(struct co_queue *queue)
{
    void *item;
    while (co_queue_try_get(queue, &item) == 0)
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

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t begin = co_now();
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return -ENOMEM;
    *stats = (struct pipeline_stats){{0}, {0}, 0, 0.0};
    line->urls = urls;
    line->n = n;
    line->options = options;
    line->stats = stats;
    line->session.headers = "Accept: application/json\n";
    line->bodies.maxsize = line->texts.maxsize = options->bound > 8 ? 8 : options->bound;
    line->running[STAGE_FETCH] = line->running[STAGE_TRANSFORM] = options->workers;
    int rc;
    {
        CO_GROUP(all);
        for (size_t i = 0; i < options->workers; i++) {
            co_spawn(&all, fetcher, line);
            co_spawn(&all, transformer, line);
            co_spawn(&all, writer, line);
        }
        rc = co_join(&all);
    }
    drain(&line->bodies);
    drain(&line->texts);
    co_session_close(&line->session);
    free(line);
    finish(stats, begin);
    return rc;
}
