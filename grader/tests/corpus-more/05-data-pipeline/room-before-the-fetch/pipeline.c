#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPT "Accept: application/json\n"
#define TMP ".tmp"

static bool all_integers(json_t *items, json_int_t *total, json_int_t *units)
{
    json_t *item;
    size_t i;
    json_array_foreach(items, i, item) {
        json_t *p = json_object_get(item, "price"), *q = json_object_get(item, "quantity");
        if (!json_is_integer(p) || !json_is_integer(q))
            return false;
        *total += json_integer_value(p) * json_integer_value(q);
        *units += json_integer_value(q);
    }
    return true;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_int_t total = 0, units = 0;
    int rc = -NO_FIELD;
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;
    json_t *number = json_object_get(order, "id");
    json_t *items = json_object_get(order, "items");
    json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    if (json_is_integer(number) && json_is_string(name) && json_is_array(items) &&
        all_integers(items, &total, &units)) {
        *id = json_integer_value(number);
        json_t *sum = json_pack("{s:s, s:I, s:I, s:I}", "customer", json_string_value(name), "id", *id, "total", total,
                                "units", units);
        *text = json_dumps(sum, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(sum);
        rc = *text ? 0 : -ENOMEM;
    }
    json_decref(order);
    return rc;
}

static int fill_file(const char *path, const char *data, size_t size)
{
    CO_FILE(file);
    int rc = co_file_open(&file, path, CO_WRITE);
    return rc < 0 ? rc : co_file_write(&file, data, size);
}

int write_whole(const char *path, const char *data, size_t size)
{
    char tmp[strlen(path) + sizeof TMP];
    sprintf(tmp, "%s" TMP, path);
    int rc = fill_file(tmp, data, size);
    if (rc == 0)
        rc = co_file_rename(tmp, path);
    if (rc < 0) {
        struct co_shield shield;
        co_shield_begin(&shield);
        int ignored = co_file_remove(tmp);
        (void)ignored;
        co_shield_end(&shield);
    }
    return rc;
}

struct item {
    const char *url;
    struct co_response resp;
    int64_t cost;
    json_int_t id;
    char *text;
};

struct line {
    const char *const *urls;
    size_t n, next;
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session *session;
    struct co_queue fetched, transformed;
    struct co_sem credit;               /* so that no more orders are fetched than have room */
};

static void item_free(struct item *item)
{
    co_response_free(&item->resp);
    free(item->text);
    free(item);
}

/* What is left to do with an item when its stage is through with it. Returns < 0 if the worker must end. */
static int finish(struct line *line, enum stage stage, struct item *item, int rc, struct co_queue *to)
{
    if (rc == 0) {
        line->stats->done[stage]++;
        if (to && (rc = co_queue_put(to, item)) == 0)
            return 0;
    } else if (rc != -ECANCELED) {
        line->stats->failed[stage]++;
        log_error(stage, item->url, rc);
        rc = 0;
    }
    item_free(item);
    return rc;
}

static int fetcher(void *job)
{
    struct line *line = job;
    int rc = 0;
    while (rc == 0 && line->next < line->n) {
        rc = co_sem_acquire(&line->credit);
        if (rc < 0 || line->next == line->n) {
            co_sem_release(&line->credit);
            return rc;
        }
        struct item *item = calloc(1, sizeof *item);
        if (!item)
            return -ENOMEM;
        item->url = line->urls[line->next++];
        rc = co_session_get(line->session, item->url, &item->resp);
        if (rc == 0 && item->resp.status != 200)
            rc = item->resp.status;
        if (rc != 0)
            co_sem_release(&line->credit);
        rc = finish(line, STAGE_FETCH, item, rc, &line->fetched);
    }
    return rc;
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
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->fetched, &got)) == 0) {
        struct item *item = got;
        co_sem_release(&line->credit);
        item->cost = (int64_t)item->resp.length * line->options->ns_per_byte;
        rc = co_to_thread(compute, item);
        co_response_free(&item->resp);
        rc = finish(line, STAGE_TRANSFORM, item, rc, &line->transformed);
        if (rc < 0)
            break;
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int writer(void *job)
{
    struct line *line = job;
    void *got;
    int rc;
    while ((rc = co_queue_get(&line->transformed, &got)) == 0) {
        struct item *item = got;
        char path[64];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)item->id);
        rc = write_whole(path, item->text, strlen(item->text));
        rc = finish(line, STAGE_WRITE, item, rc, NULL);
        if (rc < 0)
            break;
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

struct head {
    struct line *line;
    co_fn worker;
    const char *name;
    struct co_queue *behind;
};

static int head(void *job)
{
    struct head *me = job;
    CO_GROUP(group);
    for (size_t i = 0; i < me->line->options->workers; i++)
        co_set_name(co_spawn(&group, me->worker, me->line), me->name);
    int rc = co_join(&group);
    if (rc == 0 && me->behind)
        co_queue_shutdown(me->behind, false);
    return rc;
}

static void clear(struct co_queue *queue)
{
    void *item;
    while (co_queue_try_get(queue, &item) == 0)
        item_free(item);
    co_queue_destroy(queue);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    CO_SESSION(session, 0);
    session.headers = ACCEPT;
    struct line line = {.urls = urls, .n = n, .options = options, .stats = stats, .session = &session};
    struct head heads[STAGES] = {
        {&line, fetcher, "fetcher", &line.fetched},
        {&line, transformer, "transformer", &line.transformed},
        {&line, writer, "writer", NULL},
    };
    int64_t start = co_now();
    memset(stats, 0, sizeof *stats);
    co_queue_init(&line.fetched, options->bound);
    line.credit = (struct co_sem)CO_SEM_INIT((int)options->bound);
    co_queue_init(&line.transformed, options->bound);
    int rc = co_gather(head, heads, STAGES, sizeof heads[0], NULL);
    clear(&line.fetched);
    clear(&line.transformed);
    stats->elapsed_ns = co_now() - start;
    stats->throughput =
        stats->elapsed_ns == 0 ? 0.0 : (double)stats->done[STAGE_WRITE] / ((double)stats->elapsed_ns / 1e9);
    return rc;
}
