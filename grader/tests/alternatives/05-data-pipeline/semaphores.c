/* Correct, with queues of linked lists and two semaphores each (places, items), as in a textbook. The tasks are awaited one by one; the first one
 * that sees the end (a NULL) leaves it there for the others. No item struct is shared: a raw order is a malloc'ed body, a ready one a malloc'ed
 * path and text. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    const char *url;
    char *bytes;              /* the body; then the text */
    size_t length;
    json_int_t id;
};

struct list {
    struct node *first, **last;
    struct co_sem places, nodes;
    bool over;                /* nothing more comes: nodes is then one too high, for good */
};

static int send(struct list *list, struct node *node)
{
    int rc = co_sem_acquire(&list->places);
    if (rc < 0)
        return rc;
    node->next = NULL;
    *list->last = node;
    list->last = &node->next;
    return co_sem_release(&list->nodes);
}

static void finish(struct list *list)
{
    list->over = true;
    co_sem_release(&list->nodes);
}

/* The next node, or NULL at the end. */
static int receive(struct list *list, struct node **node)
{
    int rc = co_sem_acquire(&list->nodes);
    if (rc < 0)
        return rc;
    *node = list->first;
    if (!*node)
        return co_sem_release(&list->nodes);        /* for the next one who asks */
    list->first = (*node)->next;
    if (!list->first)
        list->last = &list->first;
    return co_sem_release(&list->places);
}

static struct node *discard(struct node *node)
{
    free(node->bytes);
    free(node);
    return NULL;
}

/* A field of the right kind, or NULL. */
static json_t *field(json_t *object, const char *name, json_type type)
{
    json_t *value = json_object_get(object, name);
    return value && json_typeof(value) == type ? value : NULL;
}

static int add(json_t *items, json_int_t *total, json_int_t *units)
{
    if (!items)
        return -NO_FIELD;
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *price = field(json_array_get(items, i), "price", JSON_INTEGER);
        json_t *quantity = field(json_array_get(items, i), "quantity", JSON_INTEGER);
        if (!price || !quantity)
            return -NO_FIELD;
        *total += json_integer_value(price) * json_integer_value(quantity);
        *units += json_integer_value(quantity);
    }
    return 0;
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    json_int_t total = 0, units = 0;
    json_t *order = json_loadb(body, length, 0, NULL);
    if (!order)
        return -NOT_JSON;
    json_t *number = field(order, "id", JSON_INTEGER);
    json_t *name = field(field(order, "customer", JSON_OBJECT), "name", JSON_STRING);
    int rc = number && name ? add(field(order, "items", JSON_ARRAY), &total, &units) : -NO_FIELD;
    if (rc < 0) {
        json_decref(order);
        return rc;
    }
    *id = json_integer_value(number);
    /* What is needed is put into the order itself, all else is taken out of it. */
    json_t *kept = json_pack("{s:O, s:O, s:I, s:I}", "customer", name, "id", number, "total", total, "units", units);
    json_object_clear(order);
    json_object_update(order, kept);
    json_decref(kept);
    *text = json_dumps(order, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(order);
    return *text ? 0 : -ENOMEM;
}

int write_whole(const char *path, const char *data, size_t size)
{
    char tmp[512];
    CO_FILE(file);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    int rc = co_file_open(&file, tmp, CO_WRITE);
    if (rc < 0)
        goto failed;
    rc = co_file_write(&file, data, size);
    co_file_close(&file);
    if (rc < 0)
        goto failed;
    rc = co_file_rename(tmp, path);
    if (rc < 0)
        goto failed;
    return 0;
failed:;
    struct co_shield shield;
    co_shield_begin(&shield);
    int gone = co_file_remove(tmp);
    co_shield_end(&shield);
    (void)gone;    /* it may never have been there */
    return rc;
}

struct all {
    const char *const *urls;
    size_t n, i, fetching, transforming;
    int64_t cost;
    struct pipeline_stats *stats;
    struct co_session session;
    struct list raw, ready;
};

static int fetch(void *job)
{
    struct all *all = job;
    while (all->i < all->n) {
        const char *url = all->urls[all->i++];
        CO_RESPONSE(resp);
        int rc = co_session_get(&all->session, url, &resp);
        if (rc == -ECANCELED)
            return rc;
        if (rc < 0 || resp.status != 200) {
            log_error(STAGE_FETCH, url, rc < 0 ? rc : resp.status);
            all->stats->failed[STAGE_FETCH]++;
            continue;
        }
        struct node *node = calloc(1, sizeof *node);
        if (!node || !(node->bytes = malloc(resp.length + 1))) {
            free(node);
            return -ENOMEM;
        }
        memcpy(node->bytes, resp.body, resp.length);
        node->length = resp.length;
        node->url = url;
        all->stats->done[STAGE_FETCH]++;
        rc = send(&all->raw, node);
        if (rc < 0) {
            discard(node);
            return rc;
        }
    }
    if (--all->fetching == 0)
        finish(&all->raw);
    return 0;
}

struct sum {
    struct node *node;
    int64_t cost;
    char *text;
};

static int sum_up(void *job)
{
    struct sum *sum = job;
    co_cpu(sum->cost);
    return transform_order(sum->node->bytes, sum->node->length, &sum->node->id, &sum->text);
}

static int transform(void *job)
{
    struct all *all = job;
    struct node *node;
    int rc;
    while ((rc = receive(&all->raw, &node)) == 0 && node) {
        struct sum sum = {node, (int64_t)node->length * all->cost, NULL};
        rc = co_to_thread(sum_up, &sum);
        free(node->bytes);
        node->bytes = sum.text;
        if (rc == 0) {
            all->stats->done[STAGE_TRANSFORM]++;
            rc = send(&all->ready, node);
        } else if (rc != -ECANCELED) {
            log_error(STAGE_TRANSFORM, node->url, rc);
            all->stats->failed[STAGE_TRANSFORM]++;
            node = discard(node);
        }
        if (rc == -ECANCELED) {
            discard(node);
            return rc;
        }
    }
    if (rc == 0 && --all->transforming == 0)
        finish(&all->ready);
    return rc;
}

static int keep(void *job)
{
    struct all *all = job;
    struct node *node;
    int rc;
    while ((rc = receive(&all->ready, &node)) == 0 && node) {
        char path[64];
        snprintf(path, sizeof path, "out/order-%lld.json", (long long)node->id);
        rc = write_whole(path, node->bytes, strlen(node->bytes));
        if (rc == 0)
            all->stats->done[STAGE_WRITE]++;
        else if (rc != -ECANCELED) {
            log_error(STAGE_WRITE, node->url, rc);
            all->stats->failed[STAGE_WRITE]++;
        }
        discard(node);
        if (rc == -ECANCELED)
            return rc;
    }
    return rc;
}

static int work(struct all *all, size_t workers)
{
    static const co_fn stage[] = {keep, transform, fetch};
    co_task *tasks[STAGES * workers];
    CO_GROUP(group);
    for (size_t i = 0; i < STAGES * workers; i++)
        tasks[i] = co_spawn(&group, stage[i / workers], all);
    int first = 0;
    for (size_t i = 0; i < STAGES * workers; i++) {
        int rc, his = 0;
        rc = co_await(tasks[i], &his);
        if (rc < 0)
            return rc;        /* cancelled: so are the tasks, where the group ends */
        if (his < 0 && first == 0) {
            first = his;
            co_group_cancel(&group);
        }
    }
    return first;
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    const int64_t start = co_now();
    struct all all = {.urls = urls, .n = n, .cost = options->ns_per_byte, .stats = stats,
                      .fetching = options->workers, .transforming = options->workers};
    struct list *lists[] = {&all.raw, &all.ready};
    all.session.headers = "Accept: application/json\n";
    for (int i = 0; i < 2; i++) {
        lists[i]->last = &lists[i]->first;
        lists[i]->places.value = (int)options->bound;
    }
    for (int s = STAGE_FETCH; s < STAGES; s++)
        stats->done[s] = stats->failed[s] = 0;
    int rc = work(&all, options->workers);
    for (int i = 0; i < 2; i++)
        while (lists[i]->first) {
            struct node *next = lists[i]->first->next;
            discard(lists[i]->first);
            lists[i]->first = next;
        }
    co_session_close(&all.session);
    stats->elapsed_ns = co_now() - start;
    stats->throughput = 0;
    if (stats->elapsed_ns != 0)
        stats->throughput = stats->done[STAGE_WRITE] / (double)stats->elapsed_ns * CO_SEC(1);
    return rc;
}
