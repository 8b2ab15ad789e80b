#include "pipeline.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a belt: what goes on it first comes off first, and it has `bound` places ---- */

struct parcel {
    struct parcel *behind;
    const char *url;
    struct co_response page;
    int64_t cpu_time;
    json_int_t id;
    char *text;
};

struct belt {
    struct parcel *first, **last;
    struct co_sem room, there;
};

static void belt_init(struct belt *belt, size_t bound)
{
    belt->first = NULL;
    belt->last = &belt->first;
    belt->room = (struct co_sem)CO_SEM_INIT(bound < INT_MAX ? (int)bound : INT_MAX);
    belt->there = (struct co_sem)CO_SEM_INIT(0);
}

static int belt_put(struct belt *belt, struct parcel *parcel)
{
    int rc = co_sem_acquire(&belt->room);
    if (rc < 0)
        return rc;
    parcel->behind = NULL;
    *belt->last = parcel;
    belt->last = &parcel->behind;
    co_sem_release(&belt->there);
    return 0;
}

/* 1 and a parcel; 0: it was closed; < 0: an error */
static int belt_get(struct belt *belt, struct parcel **parcel)
{
    int rc = co_sem_acquire(&belt->there);
    if (rc < 0)
        return rc;
    if (!belt->first) {
        co_sem_release(&belt->there);       /* the others want to know, too */
        return 0;
    }
    *parcel = belt->first;
    belt->first = belt->first->behind;
    if (!belt->first)
        belt->last = &belt->first;
    co_sem_release(&belt->room);
    return 1;
}

#define belt_close(belt) co_sem_release(&(belt)->there)

static void parcel_free(struct parcel *parcel)
{
    co_response_free(&parcel->page);
    free(parcel->text);
    free(parcel);
}

static void belt_clear(struct belt *belt)
{
    while (belt->first) {
        struct parcel *next = belt->first->behind;
        parcel_free(belt->first);
        belt->first = next;
    }
}

/* ---- one order ---- */

static int pick(json_t *order, json_int_t *id, char **text)
{
    json_t *number = json_object_get(order, "id"), *items = json_object_get(order, "items");
    json_t *name = json_object_get(json_object_get(order, "customer"), "name");
    long long total = 0, units = 0;
    if (!(json_is_integer(number) && json_is_string(name) && json_is_array(items)))
        return -NO_FIELD;
    for (size_t k = json_array_size(items); k-- > 0;) {
        json_t *price = json_object_get(json_array_get(items, k), "price");
        json_t *quantity = json_object_get(json_array_get(items, k), "quantity");
        if (!(json_is_integer(price) && json_is_integer(quantity)))
            return -NO_FIELD;
        total += (long long)json_integer_value(price) * json_integer_value(quantity);
        units += json_integer_value(quantity);
    }
    *id = json_integer_value(number);
    json_t *summary = json_pack("{sOsOsIsI}", "customer", name, "id", number, "total", (json_int_t)total, "units",
                                (json_int_t)units);
    *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(summary);
    return *text ? 0 : -ENOMEM;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    int rc = -NOT_JSON;
    json_t *order = json_loadb(body, length, 0, NULL);
    if (order)
        rc = pick(order, id, text);
    json_decref(order);
    return rc;
}

static int write(struct co_file *file, const char *path, const char *data, size_t size)
{
    int rc = co_file_open(file, path, CO_WRITE);
    if (rc < 0)
        return rc;
    rc = co_file_write(file, data, size);
    int rc2 = co_file_close(file);
    return rc < 0 ? rc : rc2;
}

int write_whole(const char *path, const char *data, size_t size)
{
    struct co_file file = {0};
    char *other = malloc(strlen(path) + 5);
    if (!other)
        return -ENOMEM;
    sprintf(other, "%s.tmp", path);
    int rc = write(&file, other, data, size);
    rc = rc < 0 ? rc : co_file_rename(other, path);
    if (rc < 0) {
        struct co_shield shield;
        co_shield_begin(&shield);
        int removed = co_file_remove(other);
        co_shield_end(&shield);
        (void)removed;
    }
    free(other);
    return rc;
}

/* ---- the workers ---- */

struct factory {
    const char *const *urls;
    size_t left;
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    struct belt raw, ready;
    size_t at_work[2];
};

static void reject(struct factory *f, enum stage stage, struct parcel *parcel, int error)
{
    ++f->stats->failed[stage];
    log_error(stage, parcel->url, error);
    parcel_free(parcel);
}

static int send_on(struct factory *f, enum stage stage, struct parcel *parcel, struct belt *belt)
{
    ++f->stats->done[stage];
    int rc = belt_put(belt, parcel);
    if (rc < 0)
        parcel_free(parcel);
    return rc;
}

static int fetch_some(void *job)
{
    struct factory *f = job;
    while (f->left > 0) {
        struct parcel *parcel = calloc(1, sizeof *parcel);
        if (!parcel)
            return -ENOMEM;
        parcel->url = *f->urls++;
        f->left--;
        int rc = co_session_get(&f->session, parcel->url, &parcel->page);
        if (rc == -ECANCELED) {
            parcel_free(parcel);
            return rc;
        }
        if (rc < 0 || parcel->page.status != 200)
            reject(f, STAGE_FETCH, parcel, rc < 0 ? rc : parcel->page.status);
        else if ((rc = send_on(f, STAGE_FETCH, parcel, &f->raw)) < 0)
            return rc;
    }
    if (--f->at_work[0] == 0)
        belt_close(&f->raw);
    return 0;
}

static int on_cpu(void *job)
{
    struct parcel *parcel = job;
    co_cpu(parcel->cpu_time);
    return transform_order(parcel->page.body, parcel->page.length, &parcel->id, &parcel->text);
}

static int transform_some(void *job)
{
    struct factory *f = job;
    struct parcel *parcel;
    int rc;
    while ((rc = belt_get(&f->raw, &parcel)) > 0) {
        parcel->cpu_time = f->options->ns_per_byte * (int64_t)parcel->page.length;
        rc = co_to_thread(on_cpu, parcel);
        if (rc == -ECANCELED) {
            parcel_free(parcel);
            return rc;
        }
        co_response_free(&parcel->page);
        if (rc < 0)
            reject(f, STAGE_TRANSFORM, parcel, rc);
        else if ((rc = send_on(f, STAGE_TRANSFORM, parcel, &f->ready)) < 0)
            return rc;
    }
    if (rc == 0 && --f->at_work[1] == 0)
        belt_close(&f->ready);
    return rc;
}

static int write_some(void *job)
{
    struct factory *f = job;
    struct parcel *parcel;
    int rc;
    while ((rc = belt_get(&f->ready, &parcel)) > 0) {
        char path[50];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)parcel->id);
        rc = write_whole(path, parcel->text, strlen(parcel->text));
        if (rc < 0 && rc != -ECANCELED) {
            reject(f, STAGE_WRITE, parcel, rc);
            continue;
        }
        parcel_free(parcel);
        if (rc < 0)
            return rc;
        ++f->stats->done[STAGE_WRITE];
    }
    return rc;
}

static int all_at_work(struct factory *f)
{
    CO_GROUP(people);
    for (size_t i = f->options->workers; i > 0; i--) {
        co_spawn(&people, write_some, f);
        co_spawn(&people, transform_some, f);
        co_spawn(&people, fetch_some, f);
    }
    return co_join(&people);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    const int64_t t = co_now();
    struct factory *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->urls = urls;
    f->left = n;
    f->options = options;
    f->stats = stats;
    f->session.headers = "Accept: application/json\n";
    f->at_work[0] = f->at_work[1] = options->workers;
    belt_init(&f->raw, options->bound);
    belt_init(&f->ready, options->bound);
    *stats = (struct pipeline_stats){0};

    int rc = all_at_work(f);
    belt_clear(&f->raw);
    belt_clear(&f->ready);
    co_session_close(&f->session);
    free(f);
    stats->elapsed_ns = co_now() - t;
    stats->throughput = stats->elapsed_ns ? (double)stats->done[STAGE_WRITE] / (double)stats->elapsed_ns * 1e9 : 0;
    return rc;
}
