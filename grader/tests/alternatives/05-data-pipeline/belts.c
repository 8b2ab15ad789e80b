/* Correct, with bounded queues of its own make (a ring, a lock, two conditions), and one worker function for all three stages, which only
 * differ in a step. Sentinels are items that are marked as such. Workers are started by co_gather; all items come from one array. */
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct parcel {
    const char *url;
    struct co_response resp;
    char *text;
    json_int_t id;
    int64_t cost;
    bool last;
} parcel;

/* ---- A belt: a bounded queue ---- */

typedef struct {
    parcel **slots;
    size_t size, first, count;
    struct co_lock lock;
    struct co_cond has_room, has_parcel;
} belt;

static bool belt_init(belt *b, size_t size)
{
    memset(b, 0, sizeof *b);
    b->slots = calloc(size, sizeof *b->slots);
    b->size = size;
    b->has_room.lock = b->has_parcel.lock = &b->lock;
    return b->slots != NULL;
}

static int belt_put(belt *b, parcel *p)
{
    int rc = -ECANCELED;
    CO_WITH_LOCK(&b->lock) {
        for (rc = 0; b->count == b->size && rc == 0;)
            rc = co_cond_wait(&b->has_room);
        if (rc == 0) {
            b->slots[(b->first + b->count++) % b->size] = p;
            rc = co_cond_notify(&b->has_parcel, 1);
        }
    }
    return rc;
}

static int belt_get(belt *b, parcel **p)
{
    int rc = -ECANCELED;
    CO_WITH_LOCK(&b->lock) {
        for (rc = 0; b->count == 0 && rc == 0;)
            rc = co_cond_wait(&b->has_parcel);
        if (rc == 0) {
            *p = b->slots[b->first];
            b->first = (b->first + 1) % b->size;
            b->count--;
            rc = co_cond_notify(&b->has_room, 1);
        }
    }
    return rc;
}

/* ---- The steps ---- */

static json_int_t number(const json_t *object, const char *key, bool *all)
{
    const json_t *value = json_object_get(object, key);
    *all = *all && json_typeof(value ? value : json_null()) == JSON_INTEGER;
    return json_integer_value(value);
}

int transform_order(const char *body, size_t length, json_int_t *id, char **text)
{
    bool all = true;
    json_int_t sums[2] = {0, 0};
    json_t *root = json_loadb(body, length, 0, 0), *items = json_object_get(root, "items"), *item;
    const char *name = json_string_value(json_object_get(json_object_get(root, "customer"), "name"));
    size_t i;
    *id = number(root, "id", &all);
    json_array_foreach(items, i, item) {
        json_int_t quantity = number(item, "quantity", &all);
        sums[0] += quantity * number(item, "price", &all);
        sums[1] += quantity;
    }
    int rc = !root ? -NOT_JSON : !all || !name || !json_is_array(items) ? -NO_FIELD : 0;
    if (rc == 0) {
        json_t *short_one = json_pack("{sssIsIsI}", "customer", name, "id", *id, "total", sums[0], "units", sums[1]);
        *text = json_dumps(short_one, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(short_one);
    }
    json_decref(root);
    return rc;
}

static void forget(char **temporary)
{
    if (*temporary) {
        struct co_shield shield;
        co_shield_begin(&shield);
        int rc = co_file_remove(*temporary);
        (void)rc;
        co_shield_end(&shield);
        free(*temporary);
    }
}

int write_whole(const char *path, const char *data, size_t size)
{
    CO_DEFER(forget) char *temporary = malloc(strlen(path) + 5);
    if (!temporary)
        return -ENOMEM;
    strcat(strcpy(temporary, path), ".tmp");
    CO_FILE(file);
    int rc = co_file_open(&file, temporary, CO_WRITE);
    if (rc == 0)
        rc = co_file_write(&file, data, size);
    if (rc == 0) {
        co_file_close(&file);
        rc = co_file_rename(temporary, path);
    }
    if (rc == 0) {
        free(temporary);
        temporary = NULL;       /* nothing to forget */
    }
    return rc;
}

struct works {
    const struct pipeline_options *options;
    struct pipeline_stats *stats;
    struct co_session session;
    parcel *parcels, end;
    size_t n, next;
    belt belts[2];
    size_t at_work[STAGES];
};

static int fetch(struct works *works, parcel *p)
{
    int rc = co_session_get(&works->session, p->url, &p->resp);
    return rc ? rc : p->resp.status == 200 ? 0 : p->resp.status;
}

static int on_cpu(void *job)
{
    parcel *p = job;
    co_cpu(p->cost);
    return transform_order(p->resp.body, p->resp.length, &p->id, &p->text);
}

static int transform(struct works *works, parcel *p)
{
    p->cost = works->options->ns_per_byte * (int64_t)p->resp.length;
    int rc = co_to_thread(on_cpu, p);
    co_response_free(&p->resp);
    return rc;
}

static int store(struct works *works, parcel *p)
{
    (void)works;
    char path[50];
    sprintf(path, "out/order-%lld.json", (long long)p->id);
    return write_whole(path, p->text, strlen(p->text));
}

static int next_parcel(struct works *works, enum stage stage, parcel **p)
{
    if (stage > 0)
        return belt_get(&works->belts[stage - 1], p);
    *p = works->next < works->n ? &works->parcels[works->next++] : &works->end;
    return 0;
}

struct role {
    struct works *works;
    enum stage stage;
};

static int worker(void *job)
{
    static int (*const step[STAGES])(struct works *, parcel *) = {fetch, transform, store};
    struct role *role = job;
    struct works *works = role->works;
    enum stage stage = role->stage;
    parcel *p = NULL;
    int rc;
    while ((rc = next_parcel(works, stage, &p)) == 0 && !p->last) {
        rc = step[stage](works, p);
        if (rc == -ECANCELED)
            return rc;
        ++*(rc ? &works->stats->failed[stage] : &works->stats->done[stage]);
        if (rc)
            log_error(stage, p->url, rc);
        else if (stage < STAGE_WRITE && (rc = belt_put(&works->belts[stage], p)) < 0)
            return rc;
    }
    if (rc == 0 && --works->at_work[stage] == 0 && stage < STAGE_WRITE)
        for (size_t i = 0; i < works->options->workers && rc == 0; i++)
            rc = belt_put(&works->belts[stage], &works->end);
    return rc;
}

int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats)
{
    int64_t start = co_now();
    size_t crew = options->workers * STAGES;
    struct role *roles = calloc(crew, sizeof *roles);
    struct works works = {.options = options, .stats = stats, .n = n, .end = {.last = true},
                          .session = {.max_per_host = (uint32_t)crew, .headers = "Accept: application/json\n"}};
    works.parcels = calloc(n + 1, sizeof *works.parcels);
    bool ready = belt_init(&works.belts[0], options->bound) & belt_init(&works.belts[1], options->bound);
    int rc = -ENOMEM;

    memset(stats, 0, sizeof *stats);
    if (roles && works.parcels && ready) {
        for (size_t i = 0; i < n; i++)
            works.parcels[i].url = urls[i];
        for (size_t i = 0; i < crew; i++) {
            roles[i] = (struct role){&works, i % STAGES};
            works.at_work[i % STAGES]++;
        }
        rc = co_gather(worker, roles, crew, sizeof *roles, NULL);
    }
    for (size_t i = 0; works.parcels && i < n; i++) {
        co_response_free(&works.parcels[i].resp);
        free(works.parcels[i].text);
    }
    free(works.belts[0].slots);
    free(works.belts[1].slots);
    free(works.parcels);
    free(roles);
    co_session_close(&works.session);
    stats->elapsed_ns = co_now() - start;
    if (stats->elapsed_ns > 0)
        stats->throughput = 1e9 * (double)stats->done[STAGE_WRITE] / (double)stats->elapsed_ns;
    return rc;
}
