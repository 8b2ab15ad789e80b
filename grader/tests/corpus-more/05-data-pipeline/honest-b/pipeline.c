// One group for everyone. Whoever is the last of his stage to go home turns off the light:
// he puts NULLs for the next stage. The response itself travels in the item.
#include "pipeline.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sum_up(json_t *order, json_int_t *id, char **text)
{
    json_int_t total = 0, units = 0;
    json_t *j_id = json_object_get(order, "id");
    json_t *j_name = json_object_get(json_object_get(order, "customer"), "name");
    json_t *j_items = json_object_get(order, "items");
    if (!json_is_integer(j_id) || !json_is_string(j_name) || !json_is_array(j_items))
        return -NO_FIELD;
    for (size_t k = 0; k < json_array_size(j_items); k++) {
        json_t *one = json_array_get(j_items, k);
        json_t *p = json_object_get(one, "price"), *q = json_object_get(one, "quantity");
        if (!json_is_integer(p) || !json_is_integer(q))
            return -NO_FIELD;
        total += json_integer_value(p) * json_integer_value(q);
        units += json_integer_value(q);
    }
    json_t *out = json_object();
    json_object_set(out, "customer", j_name);
    json_object_set(out, "id", j_id);
    json_object_set_new(out, "total", json_integer(total));
    json_object_set_new(out, "units", json_integer(units));
    *id = json_integer_value(j_id);
    *text = json_dumps(out, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(out);
    return *text ? 0 : -ENOMEM;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL);
    if (order == NULL)
        return -NOT_JSON;
    int rc = sum_up(order, id, text);
    json_decref(order);
    return rc;
}

static int write_then_rename(const char *tmp, const char *path, const char *data, size_t size)
{
    CO_FILE(file);
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc < 0)
        return rc;
    rc = co_file_write(&file, data, size);
    if (rc < 0)
        return rc;
    rc = co_file_close(&file);
    if (rc < 0)
        return rc;
    return co_file_rename(tmp, path);
}

int write_whole(const char *path, const char *data, size_t size)
{
    size_t n = strlen(path);
    char tmp[n + sizeof ".tmp"];
    memcpy(tmp, path, n);
    memcpy(tmp + n, ".tmp", sizeof ".tmp");
    int rc = write_then_rename(tmp, path, data, size);
    if (rc < 0) {
        struct co_shield shield;
        co_shield_begin(&shield);
        if (co_file_remove(tmp) < 0) {
            // was not there: fine
        }
        co_shield_end(&shield);
    }
    return rc;
}

typedef struct item {
    const char *url;
    struct co_response answer;
    int64_t cost;
    json_int_t id;
    char *text;
} item_t;

typedef struct line {
    const char *const *urls;
    size_t n, next;
    size_t fetchers, transformers;      // still at work
    const struct pipeline_options *opt;
    struct pipeline_stats *st;
    struct co_session *session;
    struct co_queue *to_transform, *to_write;
} line_t;

static void drop(item_t *it)
{
    if (it == NULL)
        return;
    co_response_free(&it->answer);
    free(it->text);
    free(it);
}

static int close_next(line_t *l, size_t *at_work, struct co_queue *next)
{
    if (--*at_work > 0)
        return 0;
    for (size_t i = 0; i < l->opt->workers; i++) {
        int rc = co_queue_put(next, NULL);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int fetcher(void *job)
{
    line_t *l = job;
    int rc;
    while (l->next < l->n) {
        item_t *it = calloc(1, sizeof *it);
        if (it == NULL)
            return -ENOMEM;
        it->url = l->urls[l->next++];
        rc = co_session_get(l->session, it->url, &it->answer);
        if (rc == -ECANCELED) {
            drop(it);
            return rc;
        }
        int error = rc < 0 ? rc : it->answer.status != 200 ? it->answer.status : 0;
        if (error) {
            l->st->failed[STAGE_FETCH] += 1;
            log_error(STAGE_FETCH, it->url, error);
            drop(it);
            continue;
        }
        it->cost = (int64_t)it->answer.length * l->opt->ns_per_byte;
        l->st->done[STAGE_FETCH] += 1;
        rc = co_queue_put(l->to_transform, it);
        if (rc < 0) {
            drop(it);
            return rc;
        }
    }
    return close_next(l, &l->fetchers, l->to_transform);
}

static int on_cpu(void *job)
{
    item_t *it = job;
    co_cpu(it->cost);
    return transform_order(it->answer.body, it->answer.length, &it->id, &it->text);
}

static int transformer(void *job)
{
    line_t *l = job;
    int rc;
    void *p;
    while ((rc = co_queue_get(l->to_transform, &p)) == 0 && p != NULL) {
        item_t *it = p;
        rc = co_to_thread(on_cpu, it);
        if (rc == 0) {
            l->st->done[STAGE_TRANSFORM] += 1;
            rc = co_queue_put(l->to_write, it);
            if (rc == 0)
                continue;
        } else if (rc != -ECANCELED) {
            l->st->failed[STAGE_TRANSFORM] += 1;
            log_error(STAGE_TRANSFORM, it->url, rc);
            drop(it);
            continue;
        }
        drop(it);
        return rc;
    }
    return rc < 0 ? rc : close_next(l, &l->transformers, l->to_write);
}

static int writer(void *job)
{
    line_t *l = job;
    int rc;
    void *p;
    while ((rc = co_queue_get(l->to_write, &p)) == 0 && p != NULL) {
        item_t *it = p;
        char path[48];
        snprintf(path, sizeof path, "out/order-%" JSON_INTEGER_FORMAT ".json", it->id);
        rc = write_whole(path, it->text, strlen(it->text));
        if (rc == 0) {
            l->st->done[STAGE_WRITE] += 1;
        } else if (rc != -ECANCELED) {
            l->st->failed[STAGE_WRITE] += 1;
            log_error(STAGE_WRITE, it->url, rc);
        }
        drop(it);
        if (rc == -ECANCELED)
            break;
    }
    return rc == -ECANCELED ? rc : 0;
}

static int run(line_t *l)
{
    CO_GROUP(all);
    for (size_t i = 0; i < l->opt->workers; i++)
        co_spawn(&all, writer, l);
    for (size_t i = 0; i < l->opt->workers; i++)
        co_spawn(&all, transformer, l);
    for (size_t i = 0; i < l->opt->workers; i++)
        co_spawn(&all, fetcher, l);
    return co_join(&all);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t t0 = co_now();
    memset(stats, 0, sizeof *stats);
    CO_SESSION(session, (uint32_t)options->workers);
    session.headers = "Accept: application/json\n";
    CO_QUEUE(to_transform, options->bound);
    CO_QUEUE(to_write, options->bound);
    line_t l = {urls, n, 0, options->workers, options->workers, options, stats, &session, &to_transform, &to_write};
    int rc = run(&l);
    void *p;
    while (co_queue_try_get(&to_transform, &p) == 0)
        drop(p);
    while (co_queue_try_get(&to_write, &p) == 0)
        drop(p);
    stats->elapsed_ns = co_now() - t0;
    stats->throughput = 0.0;
    if (stats->elapsed_ns != 0)
        stats->throughput = stats->done[STAGE_WRITE] / (stats->elapsed_ns / 1e9);
    return rc;
}
