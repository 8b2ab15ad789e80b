/* world_file.c - the world file: what it may say (world.schema.json says it too), and what it means. */
#include "world_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "looplab/world/v1"
#define MAX_CPUS 1024            /* each costs a byte and a look at every start of a job */

static bool read_version(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    (void)into;
    const char *text = json_string_value(value);
    return text && strcmp(text, FORMAT) == 0 ? true : vw_refuse(reader, place, "\"" FORMAT "\"", value);
}

static bool read_seed(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    int64_t seed;
    if (!vw_read_from_0(reader, place, value, &seed))
        return false;
    *(uint64_t *)into = (uint64_t)seed;
    return true;
}

static bool read_cpus(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    return vw_read_between(reader, place, value, 1, MAX_CPUS, into);
}

static const struct field world_fields[] = {
    {"world", read_version, 0},
    {"seed", read_seed, offsetof(struct description, seed)},
    {"cpus", read_cpus, offsetof(struct description, cpus)},
    {"sites", vw_read_sites, offsetof(struct description, network)},
    {"descriptors", vw_read_from_1, offsetof(struct description, network.descriptors)},
    {"disk", vw_read_disk, offsetof(struct description, disk)},
    {"databases", vw_read_databases, offsetof(struct description, databases)},
    {"clients", vw_read_clients, offsetof(struct description, guests)},
    {"stop", vw_read_stop, offsetof(struct description, guests)},
    {"$schema", vw_read_ignored, 0},   /* where an editor finds world.schema.json */
};

static bool needs_pattern(const struct network *network)
{
    for (size_t i = 0; i < network->site_count; i++)
        for (size_t j = 0; j < network->sites[i].route_count; j++) {
            const struct route *route = &network->sites[i].routes[j];
            bool needs = route->answer.patterned;
            for (size_t k = 0; k < route->turn_count; k++)
                needs |= route->turns[k].answer.patterned;
            if (needs)
                return true;
        }
    return false;
}

static bool read_world(struct reader *reader, const json_t *value, struct description *description)
{
    struct network *network = &description->network;
    const struct place top = {0};
    if (json_is_object(value) && !json_object_get(value, "world"))
        return vw_refuse(reader, &(struct place){.in = &top, .key = "world"}, "\"" FORMAT "\"", NULL);
    if (!vw_read_object(reader, &top, value, world_fields, LENGTH(world_fields), description))
        return false;
    if (!needs_pattern(network))
        return true;
    network->pattern = malloc(VW_BLOCK + VW_PATTERN);
    if (!network->pattern)
        return vw_refuse_memory(reader);
    vw_pattern_fill(network->pattern, VW_BLOCK + VW_PATTERN);
    return true;
}

/* The file as JSON, to be decref'ed; NULL: refused. */
static json_t *load(struct reader *reader)
{
    enum { HOW = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL };
    json_error_t fault;
    bool is_text = reader->text;
    FILE *file = is_text ? NULL : fopen(reader->file, "rb");
    json_t *value = is_text ? json_loads(reader->text, HOW, &fault) : file ? json_loadf(file, HOW, &fault) : NULL;
    if (!is_text && (!file || ferror(file)))   /* a folder opens, but cannot be read */
        vw_refuse_because(reader, NULL, "cannot be read: %s", strerror(errno));
    else if (!value)
        vw_refuse_because(reader, NULL, "line %d, column %d: %s", fault.line, fault.column, fault.text);
    for (char *c = reader->error; !value && *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';   /* Jansson quotes what it found there, and the message is one line */
    if (file)
        fclose(file);
    return value;
}

/* Jansson does not always tell when it gets no memory: it may take the file for a wrong one, or leave out a character
 * and read another world. So its allocations go by here while a world is read. */
static json_malloc_t usual_malloc;
static bool lacks_memory;

static void *noting_malloc(size_t size)
{
    void *block = usual_malloc(size);
    lacks_memory |= !block;
    return block;
}

static bool load_and_read(struct reader *reader, struct description *description)
{
    json_free_t usual_free;
    json_get_alloc_funcs(&usual_malloc, &usual_free);
    json_set_alloc_funcs(noting_malloc, usual_free);
    lacks_memory = false;
    json_t *value = load(reader);
    bool ok = value && read_world(reader, value, description);
    json_decref(value);
    json_set_alloc_funcs(usual_malloc, usual_free);
    if (!lacks_memory)
        return ok;
    vw_refuse_memory(reader);
    errno = ENOMEM;
    return false;
}

bool vw_file_read(struct description *description, const char *path, char *error, size_t size)
{
    *description = (struct description){.cpus = 4, .disk = VW_EMPTY_DISK};
    if (!path)
        return true;
    bool is_text = path[0] == '{';
    struct reader reader = {is_text ? "the world" : path, is_text ? path : NULL, error, size};
    bool ok = load_and_read(&reader, description);
    if (!ok) {
        vw_network_free(&description->network);
        vw_disk_free(&description->disk);
        vw_databases_free(&description->databases);
        vw_guests_free(&description->guests);
    }
    return ok;
}

long world_file_urls(const char *path, char ***urls, char *error, size_t size)
{
    struct description description;
    if (!vw_file_read(&description, path, error, size))
        return -1;
    const struct network network = description.network;
    size_t n = 0, bytes = 0;
    for (size_t i = 0; i < network.site_count; i++)
        for (size_t j = 0; j < network.sites[i].route_count; j++, n++)
            bytes += strlen(network.sites[i].url) + strlen(network.sites[i].routes[j].path) + 1;
    *urls = malloc((n + 1) * sizeof **urls + bytes);
    char *text = (char *)(*urls + n + 1);
    n = 0;
    for (size_t i = 0; *urls && i < network.site_count; i++)
        for (size_t j = 0; j < network.sites[i].route_count; j++) {
            (*urls)[n++] = text;
            text += sprintf(text, "%s%s", network.sites[i].url, network.sites[i].routes[j].path) + 1;
        }
    vw_network_free(&description.network);
    vw_disk_free(&description.disk);
    vw_databases_free(&description.databases);
    vw_guests_free(&description.guests);
    if (!*urls) {
        snprintf(error, size, "%s: out of memory", path);
        return -1;
    }
    (*urls)[n] = NULL;
    return (long)n;
}
