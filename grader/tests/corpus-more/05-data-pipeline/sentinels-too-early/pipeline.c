/* A task for every worker, and one "closer" for each queue, which awaits the workers before it and then puts the sentinels.
 * What goes through the second queue is another struct than what goes through the first. */
#include "pipeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    int rc = -NO_FIELD;
    json_t *doc = json_loadb(body, length, 0, NULL);
    if (!doc)
        return -NOT_JSON;
    json_t *a = json_object_get(doc, "id");
    json_t *b = json_object_get(doc, "customer");
    json_t *c = json_object_get(b, "name");
    json_t *d = json_object_get(doc, "items");
    if (json_is_integer(a) && json_is_string(c) && json_is_array(d)) {
        json_int_t sums[2] = {0, 0};
        bool good = true;
        size_t index;
        json_t *e;
        json_array_foreach(d, index, e) {
            json_t *price = json_object_get(e, "price"), *count = json_object_get(e, "quantity");
            good = good && json_is_integer(price) && json_is_integer(count);
            if (good) {
                sums[0] += json_integer_value(price) * json_integer_value(count);
                sums[1] += json_integer_value(count);
            }
        }
        if (good) {
            json_t *res = json_object();
            json_object_set(res, "customer", c);
            json_object_set(res, "id", a);
            json_object_set_new(res, "total", json_integer(sums[0]));
            json_object_set_new(res, "units", json_integer(sums[1]));
            *text = json_dumps(res, JSON_SORT_KEYS | JSON_COMPACT);
            *id = json_integer_value(a);
            json_decref(res);
            rc = *text ? 0 : -ENOMEM;
        }
    }
    json_decref(doc);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    char *tmp = malloc(strlen(path) + 8);
    if (tmp == NULL)
        return -ENOMEM;
    strcpy(tmp, path);
    strcat(tmp, ".tmp");
    struct co_file file;
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc >= 0) {
        rc = co_file_write(&file, data, size);
        co_file_close(&file);
        if (rc >= 0)
            rc = co_file_rename(tmp, path);
    }
    if (rc < 0) {
        struct co_shield sh;
        co_shield_begin(&sh);
        if (co_file_remove(tmp) == 0)
            rc = rc;
        co_shield_end(&sh);
    }
    free(tmp);
    return rc;
}

struct raw {                    /* what the fetchers make */
    const char *url;
    size_t length;
    int64_t ns;
    struct ready *ready;        /* the CPU worker puts its result here */
    char body[];
};

struct ready {                  /* what the transformers make */
    const char *url;
    json_int_t id;
    char *text;
};

struct shop {
    const char *const *urls;
    size_t n, i;
    const struct pipeline_options *o;
    struct pipeline_stats *s;
    struct co_session *session;
    struct co_queue *raws, *readies;
    co_task **fetchers, **transformers;
};

static char end_mark;
#define END ((void *)&end_mark)

static void raw_free(struct raw *raw)
{
    if (raw == END)
        return;
    if (raw->ready)
        free(raw->ready->text);
    free(raw->ready);
    free(raw);
}

static void ready_free(struct ready *ready)
{
    if (ready != END) {
        free(ready->text);
        free(ready);
    }
}

static void bad(struct shop *shop, enum stage stage, const char *url, int error)
{
    ++shop->s->failed[stage];
    log_error(stage, url, error);
}

static int fetcher(void *job)
{
    struct shop *shop = job;
    for (;;) {
        if (shop->i >= shop->n) {
            /* No more URLs. The first one to see that tells the others. */
            if (shop->i++ == shop->n)
                for (size_t k = 0; k < shop->o->workers; k++) {
                    int rc = co_queue_put(shop->raws, END);
                    if (rc < 0)
                        return rc;
                }
            return 0;
        }
        const char *url = shop->urls[shop->i++];
        struct co_response resp = {0};
        int rc = co_session_get(shop->session, url, &resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc != 0) {
            bad(shop, STAGE_FETCH, url, rc);
            continue;
        }
        if (resp.status != 200) {
            bad(shop, STAGE_FETCH, url, resp.status);
            co_response_free(&resp);
            continue;
        }
        struct raw *raw = malloc(sizeof *raw + resp.length);
        if (raw) {
            *raw = (struct raw){.url = url, .length = resp.length, .ns = (int64_t)resp.length * shop->o->ns_per_byte};
            memcpy(raw->body, resp.body, resp.length);
        }
        co_response_free(&resp);
        if (!raw)
            return -ENOMEM;
        ++shop->s->done[STAGE_FETCH];
        rc = co_queue_put(shop->raws, raw);
        if (rc < 0) {
            raw_free(raw);
            return rc;
        }
    }
}

static int compute(void *job)
{
    struct raw *raw = job;
    co_cpu(raw->ns);
    raw->ready = calloc(1, sizeof *raw->ready);
    if (!raw->ready)
        return -ENOMEM;
    raw->ready->url = raw->url;
    return transform_order(raw->body, raw->length, &raw->ready->id, &raw->ready->text);
}

static int transformer(void *job)
{
    struct shop *shop = job;
    for (;;) {
        void *p;
        int rc = co_queue_get(shop->raws, &p);
        if (rc < 0)
            return rc;
        if (p == END)
            return 0;
        struct raw *raw = p;
        rc = co_to_thread(compute, raw);
        struct ready *ready = NULL;
        if (rc == 0) {
            ready = raw->ready;
            raw->ready = NULL;
        } else if (rc != -ECANCELED) {
            bad(shop, STAGE_TRANSFORM, raw->url, rc);
        }
        raw_free(raw);
        if (rc == -ECANCELED)
            return rc;
        if (ready) {
            ++shop->s->done[STAGE_TRANSFORM];
            rc = co_queue_put(shop->readies, ready);
            if (rc < 0) {
                ready_free(ready);
                return rc;
            }
        }
    }
}

static int writer(void *job)
{
    struct shop *shop = job;
    for (;;) {
        void *p;
        int rc = co_queue_get(shop->readies, &p);
        if (rc < 0)
            return rc;
        if (p == END)
            return 0;
        struct ready *ready = p;
        char path[60];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)ready->id);
        rc = write_whole(path, ready->text, strlen(ready->text));
        const char *url = ready->url;
        ready_free(ready);
        if (rc == -ECANCELED)
            return rc;
        if (rc < 0)
            bad(shop, STAGE_WRITE, url, rc);
        else
            ++shop->s->done[STAGE_WRITE];
    }
}

static int close_after(struct shop *shop, co_task **tasks, struct co_queue *queue)
{
    for (size_t k = 0; k < shop->o->workers; k++) {
        int rc = co_await(tasks[k], NULL);
        if (rc < 0)
            return rc;
    }
    for (size_t k = 0; k < shop->o->workers; k++) {
        int rc = co_queue_put(queue, END);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int closer_2(void *job)
{
    struct shop *shop = job;
    return close_after(shop, shop->transformers, shop->readies);
}

static int open_shop(struct shop *shop)
{
    CO_GROUP(group);
    for (size_t k = 0; k < shop->o->workers; k++)
        shop->fetchers[k] = co_spawn(&group, fetcher, shop);
    for (size_t k = 0; k < shop->o->workers; k++)
        shop->transformers[k] = co_spawn(&group, transformer, shop);
    for (size_t k = 0; k < shop->o->workers; k++)
        co_spawn(&group, writer, shop);
    co_spawn(&group, closer_2, shop);
    return co_join(&group);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t t = co_now();
    for (int s = 0; s < STAGES; s++)
        stats->done[s] = stats->failed[s] = 0;
    CO_SESSION(session, 0);
    session.headers = "Accept: application/json\n";
    CO_QUEUE(raws, options->bound);
    CO_QUEUE(readies, options->bound);
    co_task **tasks = malloc(2 * options->workers * sizeof *tasks);
    if (!tasks)
        return -ENOMEM;
    struct shop shop = {.urls = urls, .n = n, .o = options, .s = stats, .session = &session, .raws = &raws,
                        .readies = &readies, .fetchers = tasks, .transformers = tasks + options->workers};
    int rc = open_shop(&shop);
    free(tasks);
    void *p;
    while (co_queue_try_get(&raws, &p) == 0)
        raw_free(p);
    while (co_queue_try_get(&readies, &p) == 0)
        ready_free(p);
    stats->elapsed_ns = co_now() - t;
    stats->throughput = stats->elapsed_ns ? stats->done[STAGE_WRITE] * 1e9 / stats->elapsed_ns : 0.0;
    return rc;
}
