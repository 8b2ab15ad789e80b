/* world_file_database.c - the databases of a world file. */
#include "draw.h"
#include "world_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- What goes wrong ----------------------------------------------------------------------------- */

static bool read_kind(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char *const kinds[] = {"lost", "slow", "serialization"};
    int64_t kind;
    if (!value || !vw_read_choice(reader, place, value, kinds, LENGTH(kinds), "lost, slow or serialization", &kind))
        return value ? false : vw_refuse(reader, place, "lost, slow or serialization", NULL);
    *(enum mishap_kind *)into = (enum mishap_kind)kind;
    return true;
}

#define MISHAP(member) offsetof(struct mishap, member)
static const struct field mishap_fields[] = {
    {"kind", read_kind, MISHAP(kind)}, {"match", vw_read_text, MISHAP(match)}, {"nth", vw_read_from_1, MISHAP(nth)},
    {"times", vw_read_from_0, MISHAP(times)}, {"latency", vw_read_time, MISHAP(latency)},
    {"done", vw_read_bool, MISHAP(done)},
};

static bool read_mishap(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct mishap *mishap = into;
    *mishap = (struct mishap){.nth = 1};
    mishap->times = json_object_get(value, "nth") ? 1 : VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, mishap_fields, LENGTH(mishap_fields), mishap))
        return false;
    if (!json_object_get(value, "kind"))
        return read_kind(reader, &(struct place){.in = place, .key = "kind"}, NULL, NULL);
    if (mishap->kind != MISHAP_SLOW && json_object_get(value, "latency"))
        return vw_refuse_because(reader, &(struct place){.in = place, .key = "latency"},
                                 "expected it in a slow one only");
    if (mishap->kind == MISHAP_SLOW && mishap->latency == 0)
        return vw_refuse(reader, &(struct place){.in = place, .key = "latency"}, "a time above 0, such as \"1s\"",
                         json_object_get(value, "latency"));
    if (mishap->kind != MISHAP_LOST && mishap->done)
        return vw_refuse_because(reader, &(struct place){.in = place, .key = "done"}, "expected it in a lost one only");
    return true;
}

static bool read_mishaps(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct database *database = into;
    void *mishaps = NULL;
    bool ok = vw_read_array(reader, place, value, read_mishap, sizeof *database->mishaps, &mishaps,
                            &database->mishap_count);
    database->mishaps = mishaps;
    return ok;
}

static bool read_outage(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct outage *outage = into;
    if (json_array_size(value) != 2)
        return vw_refuse(reader, place, "two times, such as [\"10s\",\"70s\"]", value);
    if (!vw_read_time(reader, &(struct place){.in = place, .index = 0}, json_array_get(value, 0), &outage->from)
        || !vw_read_time(reader, &(struct place){.in = place, .index = 1}, json_array_get(value, 1), &outage->to))
        return false;
    return outage->from < outage->to ? true : vw_refuse_because(reader, place, "expected a time and a later one");
}

static bool read_outages(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct database *database = into;
    void *outages = NULL;
    bool ok = vw_read_array(reader, place, value, read_outage, sizeof *database->outages, &outages,
                            &database->outage_count);
    database->outages = outages;
    for (size_t i = 1; ok && i < database->outage_count; i++)
        if (database->outages[i].from < database->outages[i - 1].to)
            return vw_refuse_because(reader, &(struct place){.in = place, .index = i},
                                     "expected a time behind the one before");
    return ok;
}

/* ---- A database -------------------------------------------------------------------------------------- */

static bool read_url(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char expected[] = "\"sqlite:NAME\" or \"postgresql://USER@HOST/NAME\"";
    const char *url = vw_is_word(value) ? json_string_value(value) : "";
    bool is_url = (strncmp(url, "sqlite:", 7) == 0 && url[7]) || (strncmp(url, "postgresql://", 13) == 0 && url[13]);
    return is_url ? vw_read_text(reader, place, value, into) : vw_refuse(reader, place, expected, value);
}

static bool read_setup(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct database *database = into;
    void *setup = NULL;
    bool ok = vw_read_array(reader, place, value, vw_read_text, sizeof *database->setup, &setup,
                            &database->setup_count);
    database->setup = setup;
    return ok;
}

#define DATABASE(member) offsetof(struct database, member)
static const struct field database_fields[] = {
    {"url", read_url, DATABASE(url)}, {"rtt", vw_read_time, DATABASE(rtt)},
    {"connect", vw_read_time, DATABASE(connect)}, {"latency", vw_read_time, DATABASE(latency)},
    {"row", vw_read_time, DATABASE(row)}, {"parse", vw_read_time, DATABASE(parse)},
    {"connections", vw_read_from_1, DATABASE(connections)}, {"setup", read_setup, 0}, {"down", read_outages, 0},
    {"faults", read_mishaps, 0},
};

static bool read_database(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct database *database = into;
    char message[SQ_MESSAGE];
    size_t at;
    database->connections = VW_UNLIMITED;
    if (!vw_read_object(reader, place, value, database_fields, LENGTH(database_fields), database))
        return false;
    if (!database->url)
        return read_url(reader, &(struct place){.in = place, .key = "url"}, NULL, NULL);
    if (!json_object_get(value, "connect"))
        database->connect = vw_later(database->rtt, database->rtt);     /* one for TCP, one to say who it is */
    database->is_sqlite = strncmp(database->url, "sqlite:", 7) == 0;
    database->key = vw_key(database->url, strlen(database->url));
    int rc = vw_data_open(database, &at, message);
    const struct place setup = {.in = place, .key = "setup"};
    if (rc < 0 && at < database->setup_count && *message)
        return vw_refuse_because(reader, &(struct place){.in = &setup, .index = at}, "%s", message);
    if (rc < 0)
        return *message ? vw_refuse_because(reader, place, "%s", message) : vw_refuse_memory(reader);
    return true;
}

bool vw_read_databases(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct databases *databases = into;
    void *all = NULL;
    bool ok = vw_read_array(reader, place, value, read_database, sizeof *databases->all, &all, &databases->count);
    databases->all = all;
    for (size_t i = 0; i < databases->count; i++)
        for (size_t j = 0; ok && j < i; j++)
            if (strcmp(databases->all[i].url, databases->all[j].url) == 0)
                return vw_refuse_because(reader, &(struct place){.in = place, .index = i},
                                         "expected a url of its own: number %zu has the same", j);
    return ok;
}
