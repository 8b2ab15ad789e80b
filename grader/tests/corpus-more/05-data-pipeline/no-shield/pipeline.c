/* All orders stand in one array, made at the start and freed at the end; the queues hold pointers into it. A foreman for
 * each stage waits for its workers, and shuts the next queue down. */
#include "pipeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *need(json_t *object, const char *key, json_type type)
{
    json_t *value = json_object_get(object, key);
    return value && json_typeof(value) == type ? value : NULL;
}

static json_t *summary_of(json_t *order, json_int_t *id)
{
    json_t *number = need(order, "id", JSON_INTEGER);
    json_t *name = need(json_object_get(order, "customer"), "name", JSON_STRING);
    json_t *items = need(order, "items", JSON_ARRAY), *item;
    json_int_t total = 0, units = 0;
    size_t i;
    if (!number || !name || !items)
        return NULL;
    json_array_foreach(items, i, item) {
        json_t *price = need(item, "price", JSON_INTEGER);
        json_t *quantity = need(item, "quantity", JSON_INTEGER);
        if (!price || !quantity)
            return NULL;
        json_int_t q = json_integer_value(quantity);
        total += q * json_integer_value(price);
        units += q;
    }
    *id = json_integer_value(number);
    return json_pack("{sO sO sI sI}", "id", number, "customer", name, "units", units, "total", total);
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;
    json_t *summary = summary_of(order, id);
    json_decref(order);
    if (!summary)
        return -NO_FIELD;
    *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(summary);
    return *text ? 0 : -ENOMEM;
}

static void remove_tmp(const char *tmp)
{
    int rc = co_file_remove(tmp);
    (void)rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    char tmp[512];
    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return -EINVAL;
    struct co_file file = {0};
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc == 0) {
        int rc_write = co_file_write(&file, data, size);
        int rc_close = co_file_close(&file);
        rc = rc_write < 0 ? rc_write : rc_close;
    }
    if (rc == 0)
        rc = co_file_rename(tmp, path);
    if (rc < 0)
        remove_tmp(tmp);
    return rc;
}

struct order {
    struct line *line;
    const char *url;
    struct co_response resp;
    json_int_t id;
    char *text;
};

struct line {
    struct order *orders;
    size_t n, next, workers, bound;
    int64_t ns_per_byte;
    struct pipeline_stats *stats;
    struct co_session session;
    struct co_queue q[2];
};

static bool went_well(struct order *order, enum stage stage, int error)
{
    if (error == 0) {
        order->line->stats->done[stage]++;
        return true;
    }
    order->line->stats->failed[stage]++;
    log_error(stage, order->url, error);
    co_response_free(&order->resp);
    return false;
}

static int fetcher(void *job)
{
    struct line *line = job;
    int rc = 0;
    while (rc == 0 && line->next < line->n) {
        struct order *order = &line->orders[line->next++];
        rc = co_session_get(&line->session, order->url, &order->resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc == 0 && order->resp.status != 200)
            rc = order->resp.status;
        if (went_well(order, STAGE_FETCH, rc))
            rc = co_queue_put(&line->q[0], order);
        else
            rc = 0;
    }
    return rc;
}

static int compute(void *job)
{
    struct order *order = job;
    co_cpu((int64_t)order->resp.length * order->line->ns_per_byte);
    return transform_order(order->resp.body, order->resp.length, &order->id, &order->text);
}

static int transformer(void *job)
{
    struct line *line = job;
    void *next;
    int rc;
    while ((rc = co_queue_get(&line->q[0], &next)) == 0) {
        struct order *order = next;
        rc = co_to_thread(compute, order);
        if (rc == -ECANCELED)
            return rc;
        if (went_well(order, STAGE_TRANSFORM, rc)) {
            co_response_free(&order->resp);
            rc = co_queue_put(&line->q[1], order);
            if (rc < 0)
                return rc;
        }
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int writer(void *job)
{
    struct line *line = job;
    void *next;
    int rc;
    while ((rc = co_queue_get(&line->q[1], &next)) == 0) {
        struct order *order = next;
        char path[64];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)order->id);
        rc = write_whole(path, order->text, strlen(order->text));
        if (rc == -ECANCELED)
            return rc;
        went_well(order, STAGE_WRITE, rc);
        free(order->text);
        order->text = NULL;
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int stage(struct line *line, co_fn fn, struct co_queue *next)
{
    CO_GROUP(workers);
    for (size_t i = 0; i < line->workers; i++)
        co_spawn(&workers, fn, line);
    int rc = co_join(&workers);
    if (next)
        co_queue_shutdown(next, false);
    return rc;
}

static int fetch_stage(void *job)
{
    struct line *line = job;
    return stage(line, fetcher, &line->q[0]);
}

static int transform_stage(void *job)
{
    struct line *line = job;
    return stage(line, transformer, &line->q[1]);
}

static int write_stage(void *job)
{
    return stage(job, writer, NULL);
}

static int run(struct line *line)
{
    CO_GROUP(stages);
    co_spawn(&stages, fetch_stage, line);
    co_spawn(&stages, transform_stage, line);
    co_spawn(&stages, write_stage, line);
    return co_join(&stages);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    const int64_t t0 = co_now();
    *stats = (struct pipeline_stats){0};
    if (n == 0)
        return 0;
    struct line line = {.n = n, .workers = options->workers, .bound = options->bound, .ns_per_byte = options->ns_per_byte,
                        .stats = stats, .session = {.headers = "Accept: application/json\n"}};
    line.orders = calloc(n, sizeof *line.orders);
    if (!line.orders)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        line.orders[i].line = &line;
        line.orders[i].url = urls[i];
    }
    co_queue_init(&line.q[0], options->bound);
    co_queue_init(&line.q[1], options->bound);
    int rc = run(&line);
    co_queue_destroy(&line.q[0]);
    co_queue_destroy(&line.q[1]);
    co_session_close(&line.session);
    for (size_t i = 0; i < n; i++) {
        co_response_free(&line.orders[i].resp);
        free(line.orders[i].text);
    }
    free(line.orders);
    stats->elapsed_ns = co_now() - t0;
    if (stats->elapsed_ns > 0)
        stats->throughput = (double)stats->done[STAGE_WRITE] / ((double)stats->elapsed_ns / 1e9);
    return rc;
}
