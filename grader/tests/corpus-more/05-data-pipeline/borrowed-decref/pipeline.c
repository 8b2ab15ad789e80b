/* Every stage is the same function: take from one queue, do a step, put into the next queue. The URLs stand
 * in a queue, too. There is one sentinel only; each worker that sees it hands it on to a colleague, and the last one to
 * the next stage. */
#include "pipeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_t *order = json_loadb(body, length, 0, NULL), *customer = NULL, *items = NULL;
    json_int_t number, total = 0, units = 0;
    const char *name;
    size_t name_length;
    int rc = 0;

    if (order == NULL)
        return -NOT_JSON;
    customer = json_object_get(json_object_get(order, "customer"), "name");
    items = json_object_get(order, "items");
    if (!json_is_integer(json_object_get(order, "id")) || !json_is_string(customer) || !json_is_array(items))
        rc = -NO_FIELD;
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        json_t *price = json_object_get(json_array_get(items, i), "price");
        json_t *quantity = json_object_get(json_array_get(items, i), "quantity");
        if (json_is_integer(price) && json_is_integer(quantity)) {
            total += json_integer_value(price) * json_integer_value(quantity);
            units += json_integer_value(quantity);
        } else {
            rc = -NO_FIELD;
        }
    }
    if (rc == 0) {
        number = json_integer_value(json_object_get(order, "id"));
        name = json_string_value(customer);
        name_length = json_string_length(customer);
        json_t *summary = json_pack("{s:s%, s:I, s:I, s:I}", "customer", name, name_length, "id", number,
                                    "total", total, "units", units);
        *text = json_dumps(summary, JSON_COMPACT | JSON_SORT_KEYS);
        *id = number;
        json_decref(summary);
        json_decref(customer);
        json_decref(items);
        rc = *text ? 0 : -ENOMEM;
    }
    json_decref(order);
    return rc;
}

int write_whole(const char *path, const char *data, size_t size)
{
    struct co_file f = {0};
    char *tmp = NULL;
    int rc;
    size_t space = strlen(path) + strlen(".tmp") + 1;
    if ((tmp = malloc(space)) == NULL)
        return -ENOMEM;
    snprintf(tmp, space, "%s.tmp", path);

    if ((rc = co_file_open(&f, tmp, CO_WRITE)) < 0)
        goto clean;
    if ((rc = co_file_write(&f, data, size)) < 0)
        goto clean;
    if ((rc = co_file_close(&f)) < 0)
        goto clean;
    if ((rc = co_file_rename(tmp, path)) < 0)
        goto clean;
    free(tmp);
    return 0;

clean:
    (void)co_file_close(&f);
    struct co_shield shield;
    co_shield_begin(&shield);
    int gone = co_file_remove(tmp);
    co_shield_end(&shield);
    (void)gone;
    free(tmp);
    return rc;
}

struct order {
    const char *url;
    struct co_response resp;
    int64_t ns;
    json_int_t id;
    char *text;
};

struct line;

struct step {
    enum stage stage;
    int (*work)(struct line *line, struct order *order);     /* 0, an error, or an HTTP status */
    struct co_queue *in, *out;
    size_t left;                                             /* workers that have not ended     */
    struct line *line;
};

struct line {
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    struct step steps[STAGES];
};

static void order_free(struct order *order)
{
    if (order == NULL)
        return;
    co_response_free(&order->resp);
    free(order->text);
    free(order);
}

static int do_fetch(struct line *line, struct order *order)
{
    int rc = co_session_get(&line->session, order->url, &order->resp);
    if (rc == 0 && order->resp.status != 200)
        return order->resp.status;
    return rc;
}

static int compute(void *job)
{
    struct order *order = job;
    co_cpu(order->ns);
    return transform_order(order->resp.body, order->resp.length, &order->id, &order->text);
}

static int do_transform(struct line *line, struct order *order)
{
    order->ns = line->options->ns_per_byte * (int64_t)order->resp.length;
    return co_to_thread(compute, order);
}

static int do_write(struct line *line, struct order *order)
{
    (void)line;
    char path[100];
    sprintf(path, "out/order-%lld.json", (long long)order->id);
    return write_whole(path, order->text, strlen(order->text));
}

static int worker(void *job)
{
    struct step *step = job;
    struct line *line = step->line;
    int rc;
    void *next;
    while ((rc = co_queue_get(step->in, &next)) == 0) {
        struct order *order = next;
        if (order == NULL) {                                 /* the sentinel */
            if (--step->left > 0)
                return co_queue_put(step->in, NULL);
            return step->out ? co_queue_put(step->out, NULL) : 0;
        }
        int error = step->work(line, order);
        if (error == -ECANCELED) {
            order_free(order);
            return error;
        }
        if (error != 0) {
            line->stats->failed[step->stage]++;
            log_error(step->stage, order->url, error);
            order_free(order);
            continue;
        }
        line->stats->done[step->stage]++;
        if (step->out == NULL) {
            order_free(order);
        } else if ((rc = co_queue_put(step->out, order)) < 0) {
            order_free(order);
            return rc;
        }
    }
    return rc;
}

static int run_all(struct line *line)
{
    CO_GROUP(group);
    for (int s = 0; s < STAGES; s++)
        for (size_t i = 0; i < line->options->workers; i++)
            co_spawn(&group, worker, &line->steps[s]);
    return co_join(&group);
}

static int fill(struct co_queue *queue, const char *const urls[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct order *order = calloc(1, sizeof *order);
        if (order == NULL)
            return -ENOMEM;
        order->url = urls[i];
        int rc = co_queue_try_put(queue, order);
        if (rc < 0) {
            order_free(order);
            return rc;
        }
    }
    return co_queue_try_put(queue, NULL);
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t begin = co_now();
    *stats = (struct pipeline_stats){{0}, {0}, 0, 0.0};
    struct co_queue source, q1, q2;
    co_queue_init(&source, 0);                               /* no bound: these are URLs, not orders */
    co_queue_init(&q1, options->bound);
    co_queue_init(&q2, options->bound);
    struct line line = {
        .options = options, .stats = stats, .session = {.headers = "Accept: application/json\n"},
        .steps = {
            {STAGE_FETCH, do_fetch, &source, &q1, options->workers, &line},
            {STAGE_TRANSFORM, do_transform, &q1, &q2, options->workers, &line},
            {STAGE_WRITE, do_write, &q2, NULL, options->workers, &line},
        },
    };
    int rc = fill(&source, urls, n);
    if (rc == 0)
        rc = run_all(&line);

    struct co_queue *all[] = {&source, &q1, &q2};
    for (int q = 0; q < 3; q++) {
        void *order;
        while (co_queue_try_get(all[q], &order) == 0)
            order_free(order);
        co_queue_destroy(all[q]);
    }
    co_session_close(&line.session);
    stats->elapsed_ns = co_now() - begin;
    if (stats->elapsed_ns > 0)
        stats->throughput = 1e9 * (double)stats->done[STAGE_WRITE] / (double)stats->elapsed_ns;
    return rc;
}
