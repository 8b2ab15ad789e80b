/* Correct, with one sentinel that goes from hand to hand: who gets it puts it back for the next one; the last one of a stage sends one to the
 * next stage. A feeder puts the URLs into a third queue. json_unpack picks the fields. Fetched and transformed orders are two types. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order __attribute__((cleanup(json_decrefp))) = json_loadb(body, length, 0, NULL);
    json_t *items;
    const char *name;
    json_int_t price, quantity, total = 0, units = 0;
    if (!order)
        return -NOT_JSON;
    if (json_unpack(order, "{s:I, s:{s:s}, s:o}", "id", id, "customer", "name", &name, "items", &items) || !json_is_array(items))
        return -NO_FIELD;
    for (size_t i = json_array_size(items); i-- > 0;) {
        if (json_unpack(json_array_get(items, i), "{s:I, s:I}", "price", &price, "quantity", &quantity))
            return -NO_FIELD;
        units += quantity;
        total += quantity * price;
    }
    json_t *out __attribute__((cleanup(json_decrefp))) =
        json_pack("{s:I, s:I, s:I, s:s}", "units", units, "total", total, "id", *id, "customer", name);
    *text = json_dumps(out, JSON_COMPACT | JSON_SORT_KEYS);
    return *text ? 0 : -ENOMEM;
}

static int create_and_rename(const char *temporary, const char *path, const char *data, size_t size)
{
    CO_FILE(file);
    int rc;
    if ((rc = co_file_open(&file, temporary, CO_WRITE)) < 0 || (rc = co_file_write(&file, data, size)) < 0)
        return rc;
    co_file_close(&file);
    return co_file_rename(temporary, path);
}

int write_whole(const char *path, const char *data, size_t size)
{
    char temporary[300];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int rc = create_and_rename(temporary, path, data, size);
    if (rc == 0)
        return 0;
    struct co_shield shield;
    co_shield_begin(&shield);
    while (co_file_remove(temporary) == -EAGAIN)
        ;
    co_shield_end(&shield);
    return rc;
}

struct raw {
    const char *url;
    struct co_response resp;
};

struct done {
    const char *url;
    char *text, path[48];
};

struct plant {
    const char *const *urls;
    size_t n;
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session *session;
    struct co_queue in, raw, done;
    size_t busy[STAGES];
};

static char the_end;    /* the sentinel: an address that nothing else has */

static int feed(void *job)
{
    struct plant *plant = job;
    int rc = 0;
    for (size_t i = 0; i < plant->n && rc == 0; i++)
        rc = co_queue_put(&plant->in, (void *)plant->urls[i]);
    return rc < 0 ? rc : co_queue_put(&plant->in, &the_end);
}

/* The sentinel came: back with it for a colleague, or on with it to the next stage. */
static int hand_over(struct plant *plant, enum stage stage, struct co_queue *mine, struct co_queue *next)
{
    if (--plant->busy[stage])
        return co_queue_put(mine, &the_end);
    return next ? co_queue_put(next, &the_end) : 0;
}

static void note(struct plant *plant, enum stage stage, const char *url, int wrong)
{
    if (!wrong) {
        plant->stats->done[stage]++;
        return;
    }
    plant->stats->failed[stage]++;
    log_error(stage, url, wrong);
}

static int fetch(void *job)
{
    struct plant *plant = job;
    for (;;) {
        void *url;
        int rc = co_queue_get(&plant->in, &url);
        if (rc < 0)
            return rc;
        if (url == &the_end)
            return hand_over(plant, STAGE_FETCH, &plant->in, &plant->raw);
        struct co_response resp;
        rc = co_session_get(plant->session, url, &resp);
        if (rc == -ECANCELED)
            return rc;
        int wrong = rc < 0 ? rc : resp.status == 200 ? 0 : resp.status;
        note(plant, STAGE_FETCH, url, wrong);
        struct raw *raw = wrong ? NULL : malloc(sizeof *raw);
        if (!raw) {
            co_response_free(&resp);
            if (wrong)
                continue;
            return -ENOMEM;
        }
        *raw = (struct raw){url, resp};
        rc = co_queue_put(&plant->raw, raw);
        if (rc < 0) {
            co_response_free(&raw->resp);
            free(raw);
            return rc;
        }
    }
}

struct sum {
    const struct raw *raw;
    struct done *done;
    int64_t ns_per_byte;
};

static int compute(void *arg)
{
    struct sum *sum = arg;
    json_int_t id;
    co_cpu(sum->ns_per_byte * (int64_t)sum->raw->resp.length);
    int rc = transform_order(sum->raw->resp.body, sum->raw->resp.length, &id, &sum->done->text);
    if (rc == 0)
        snprintf(sum->done->path, sizeof sum->done->path, "out/order-%lld.json", (long long)id);
    return rc;
}

static int transform(void *job)
{
    struct plant *plant = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&plant->raw, &got);
        if (rc < 0)
            return rc;
        if (got == &the_end)
            return hand_over(plant, STAGE_TRANSFORM, &plant->raw, &plant->done);
        struct raw *raw = got;
        struct done *done = calloc(1, sizeof *done);
        if (done) {
            done->url = raw->url;
            struct sum sum = {raw, done, plant->options->ns_per_byte};
            rc = co_to_thread(compute, &sum);
        } else
            rc = -ENOMEM;
        co_response_free(&raw->resp);
        free(raw);
        if (rc == -ECANCELED || rc == -ENOMEM) {
            free(done);
            return rc;
        }
        note(plant, STAGE_TRANSFORM, done->url, rc);
        if (rc == 0 && (rc = co_queue_put(&plant->done, done)) == 0)
            continue;
        free(done->text);
        free(done);
        if (rc == -ECANCELED)
            return rc;
    }
}

static int store(void *job)
{
    struct plant *plant = job;
    for (;;) {
        void *got;
        int rc = co_queue_get(&plant->done, &got);
        if (rc < 0)
            return rc;
        if (got == &the_end)
            return hand_over(plant, STAGE_WRITE, &plant->done, NULL);
        struct done *done = got;
        rc = write_whole(done->path, done->text, strlen(done->text));
        if (rc != -ECANCELED)
            note(plant, STAGE_WRITE, done->url, rc);
        free(done->text);
        free(done);
        if (rc == -ECANCELED)
            return rc;
    }
}

static int run(struct plant *plant)
{
    CO_GROUP(everybody);
    co_spawn(&everybody, feed, plant);
    for (size_t i = 0; i < plant->options->workers; i++) {
        co_spawn(&everybody, store, plant);
        co_spawn(&everybody, transform, plant);
        co_spawn(&everybody, fetch, plant);
    }
    for (int stage = 0; stage < STAGES; stage++)
        plant->busy[stage] = plant->options->workers;
    return co_join(&everybody);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t start = co_now();
    CO_SESSION(session, 0);
    session.headers = "Accept: application/json\n";
    *stats = (struct pipeline_stats){.throughput = 0.0};
    struct plant plant = {urls, n, options, stats, &session, .busy = {0}};
    co_queue_init(&plant.in, 1);
    co_queue_init(&plant.raw, options->bound);
    co_queue_init(&plant.done, options->bound);
    int rc = run(&plant);
    void *left;
    while (co_queue_try_get(&plant.raw, &left) == 0)
        if (left != &the_end) {
            co_response_free(&((struct raw *)left)->resp);
            free(left);
        }
    while (co_queue_try_get(&plant.done, &left) == 0)
        if (left != &the_end) {
            free(((struct done *)left)->text);
            free(left);
        }
    co_queue_destroy(&plant.in);
    co_queue_destroy(&plant.raw);
    co_queue_destroy(&plant.done);
    stats->elapsed_ns = co_now() - start;
    if (stats->elapsed_ns)
        stats->throughput = stats->done[STAGE_WRITE] / (stats->elapsed_ns * 1e-9);
    return rc;
}
