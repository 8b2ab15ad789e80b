/* Correct, with a group for each stage: pipeline itself joins one after the other and puts NULLs as sentinels. Files closed by hand,
 * JSON built member by member. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_error_t why;
    json_t *root = json_loadb(body, length, 0, &why);
    if (root == NULL)
        return -NOT_JSON;
    int rc = -NO_FIELD;
    json_int_t total = 0, units = 0;
    json_t *customer = json_object_get(root, "customer");
    json_t *items = json_object_get(root, "items");
    json_t *name = json_object_get(customer, "name");
    if (!json_is_integer(json_object_get(root, "id")))
        goto out;
    if (!json_is_string(name) || !json_is_array(items))
        goto out;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        json_t *price = json_object_get(item, "price");
        json_t *quantity = json_object_get(item, "quantity");
        if (!json_is_integer(price))
            goto out;
        if (!json_is_integer(quantity))
            goto out;
        total += json_integer_value(price) * json_integer_value(quantity);
        units += json_integer_value(quantity);
    }
    *id = json_integer_value(json_object_get(root, "id"));
    json_t *result = json_object();
    json_object_set(result, "customer", name);          /* shared with root: a reference of its own */
    json_object_set_new(result, "id", json_integer(*id));
    json_object_set_new(result, "total", json_integer(total));
    json_object_set_new(result, "units", json_integer(units));
    *text = json_dumps(result, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(result);
    rc = *text == NULL ? -ENOMEM : 0;
out:
    json_decref(root);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    struct co_file file;
    struct co_shield shield;
    size_t length = strlen(path);
    char *tmp = malloc(length + 5);
    if (!tmp)
        return -ENOMEM;
    memcpy(tmp, path, length);
    memcpy(tmp + length, ".tmp", 5);

    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc == 0) {
        rc = co_file_write(&file, data, size);
        int closed = co_file_close(&file);
        if (rc == 0)
            rc = closed;
        if (rc == 0)
            rc = co_file_rename(tmp, path);
    }
    if (rc != 0) {
        co_shield_begin(&shield);
        int removed = co_file_remove(tmp);
        co_shield_end(&shield);
        if (removed < 0 && removed != -ENOENT)
            fprintf(stderr, "%s stays\n", tmp);
    }
    free(tmp);
    return rc;
}

struct order {
    char *url;
    struct co_response answer;
    int64_t ns;
    json_int_t id;
    char *text;
};

struct shared {
    const char *const *url, *const *end;
    int64_t ns_per_byte;
    struct co_session *session;
    struct co_queue *raw, *ready;
    struct pipeline_stats *stats;
};

static void drop(struct order *order)
{
    co_response_free(&order->answer);
    free(order->text);
    free(order->url);
    free(order);
}

static void failed(struct shared *all, enum stage stage, struct order *order, int rc)
{
    log_error(stage, order->url, rc);
    all->stats->failed[stage]++;
    drop(order);
}

static int fetch(void *p)
{
    struct shared *all = p;
    while (all->url != all->end) {
        struct order *order = calloc(1, sizeof *order);
        if (!order)
            return -ENOMEM;
        order->url = strdup(*all->url++);
        struct co_request request = {.url = order->url, .session = all->session, .headers = "Accept: application/json\n"};
        int rc = co_http_request(&request, &order->answer);
        if (rc == -ECANCELED) {
            drop(order);
            return rc;
        }
        if (rc < 0 || order->answer.status != 200) {
            failed(all, STAGE_FETCH, order, rc < 0 ? rc : order->answer.status);
            continue;
        }
        rc = co_queue_put(all->raw, order);
        if (rc < 0) {
            drop(order);
            return rc;
        }
        all->stats->done[STAGE_FETCH]++;
    }
    return 0;
}

static int crunch(void *p)
{
    struct order *order = p;
    co_cpu(order->ns);
    return transform_order(order->answer.body, order->answer.length, &order->id, &order->text);
}

static int transform(void *p)
{
    struct shared *all = p;
    void *item;
    int rc;
    while ((rc = co_queue_get(all->raw, &item)) == 0 && item) {
        struct order *order = item;
        order->ns = all->ns_per_byte * (int64_t)order->answer.length;
        rc = co_to_thread(crunch, order);
        if (rc == -ECANCELED) {
            drop(order);
            return rc;
        }
        if (rc < 0) {
            failed(all, STAGE_TRANSFORM, order, rc);
            continue;
        }
        all->stats->done[STAGE_TRANSFORM]++;
        if ((rc = co_queue_put(all->ready, order)) < 0) {
            drop(order);
            return rc;
        }
    }
    return rc;
}

static int store(void *p)
{
    struct shared *all = p;
    void *item;
    int rc;
    while ((rc = co_queue_get(all->ready, &item)) == 0 && item) {
        struct order *order = item;
        char path[64];
        snprintf(path, sizeof path, "out/order-%" JSON_INTEGER_FORMAT ".json", order->id);
        rc = write_whole(path, order->text, strlen(order->text));
        if (rc == -ECANCELED) {
            drop(order);
            return rc;
        }
        if (rc < 0) {
            failed(all, STAGE_WRITE, order, rc);
            continue;
        }
        all->stats->done[STAGE_WRITE]++;
        drop(order);
    }
    return rc;
}

static int put_nulls(struct co_queue *queue, size_t n)
{
    int rc = 0;
    while (n-- > 0 && rc == 0)
        rc = co_queue_put(queue, NULL);
    return rc;
}

static int run(struct shared *all, size_t workers)
{
    CO_GROUP(fetchers);
    CO_GROUP(transformers);
    CO_GROUP(writers);
    for (size_t i = 0; i < workers; i++)
        co_spawn(&fetchers, fetch, all);
    for (size_t i = 0; i < workers; i++)
        co_spawn(&transformers, transform, all);
    for (size_t i = 0; i < workers; i++)
        co_spawn(&writers, store, all);
    int rc = co_join(&fetchers);
    if (rc == 0)
        rc = put_nulls(all->raw, workers);
    if (rc == 0)
        rc = co_join(&transformers);
    if (rc == 0)
        rc = put_nulls(all->ready, workers);
    if (rc == 0)
        rc = co_join(&writers);
    if (rc < 0) {
        co_group_cancel(&transformers);
        co_group_cancel(&writers);
    }
    return rc;
}

static void empty(struct co_queue *queue)
{
    void *item;
    while (co_queue_try_get(queue, &item) == 0)
        if (item)
            drop(item);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    CO_SESSION(session, (uint32_t)options->workers);
    CO_QUEUE(raw, options->bound);
    CO_QUEUE(ready, options->bound);
    int64_t before = co_now();
    memset(stats, 0, sizeof *stats);
    struct shared all = {urls, urls + n, options->ns_per_byte, &session, &raw, &ready, stats};
    int rc = run(&all, options->workers);
    empty(&raw);
    empty(&ready);
    int64_t took = co_now() - before;
    stats->elapsed_ns = took;
    stats->throughput = took ? stats->done[STAGE_WRITE] * 1e9 / took : 0.0;
    return rc;
}
