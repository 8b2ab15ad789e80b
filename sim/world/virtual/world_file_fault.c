/* world_file_fault.c - what goes wrong with a site or a route, as the world file says it. */
#include "draw.h"
#include "world_file.h"

#include <string.h>

bool vw_read_probability(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct when *when = into;
    double p = json_number_value(value);
    if (!json_is_number(value) || !(p >= 0 && p <= 1))
        return vw_refuse(reader, place, "a probability from 0 to 1", value);
    when->by_chance = p > 0 && p < 1;
    when->threshold = when->by_chance ? vw_threshold(p) : 0;
    when->times = p == 0 ? 0 : VW_UNLIMITED;
    return true;
}

bool vw_check_when(struct reader *reader, const struct place *place, const json_t *value)
{
    if (!json_object_get(value, "times") || !json_object_get(value, "probability"))
        return true;
    return vw_refuse_because(reader, place, "expected either times or probability, not both");
}

#define FAULT(member) offsetof(struct fault, member)
#define EVERY_FAULT \
    {"kind", vw_read_ignored, 0}, {"times", vw_read_from_0, FAULT(when.times)}, \
    {"probability", vw_read_probability, FAULT(when)}

static const struct field plain_fields[] = {EVERY_FAULT};
static const struct field after_fields[] = {EVERY_FAULT, {"after", vw_read_from_0, FAULT(after)}};
static const struct field drip_fields[] = {
    EVERY_FAULT, {"bytes", vw_read_from_1, FAULT(bytes)}, {"every", vw_read_time, FAULT(every)},
};

/* The kinds of faults, and which keys each has. */
static const struct {
    const char *name;
    enum fault_kind kind;
    bool of_sites, of_routes;
    const struct field *fields;
    size_t n;
} faults[] = {
    {"refused", FAULT_REFUSED, true, true, plain_fields, LENGTH(plain_fields)},
    {"unresolved", FAULT_UNRESOLVED, true, false, plain_fields, LENGTH(plain_fields)},
    {"reset", FAULT_RESET, false, true, after_fields, LENGTH(after_fields)},
    {"close", FAULT_CLOSE, false, true, plain_fields, LENGTH(plain_fields)},
    {"hang", FAULT_HANG, false, true, plain_fields, LENGTH(plain_fields)},
    {"drip", FAULT_DRIP, false, true, drip_fields, LENGTH(drip_fields)},
    {"truncate", FAULT_TRUNCATE, false, true, after_fields, LENGTH(after_fields)},
};

bool vw_read_fault(struct reader *reader, const struct place *place, const json_t *value, bool of_route,
                       struct fault *fault)
{
    const struct place kind_at = {.in = place, .key = "kind"};
    if (!json_is_object(value))
        return vw_refuse(reader, place, "an object", value);
    const json_t *kind = json_object_get(value, "kind");
    size_t i = 0;
    while (i < LENGTH(faults) && !((of_route ? faults[i].of_routes : faults[i].of_sites) && json_is_string(kind)
                                   && strcmp(json_string_value(kind), faults[i].name) == 0))
        i++;
    if (i == LENGTH(faults))
        return vw_refuse(reader, &kind_at,
                         of_route ? "refused, reset, close, hang, drip or truncate" : "refused or unresolved", kind);
    *fault = (struct fault){.kind = faults[i].kind, .when.times = VW_UNLIMITED, .bytes = 1};
    if (!vw_check_when(reader, place, value)
        || !vw_read_object(reader, place, value, faults[i].fields, faults[i].n, fault))
        return false;
    if (fault->kind == FAULT_DRIP && fault->every == 0)
        return vw_refuse(reader, &(struct place){.in = place, .key = "every"}, "a time above 0, such as \"1s\"",
                         json_object_get(value, "every"));
    return true;
}

/* Reset and truncate happen inside the body. */
bool vw_check_after(struct reader *reader, const struct place *place, const json_t *value,
                        const struct route *route)
{
    const struct fault *fault = &route->fault;
    int64_t most = fault->kind == FAULT_RESET ? route->answer.body : route->answer.body - 1, ignored;
    if (route->echo || (fault->kind != FAULT_RESET && fault->kind != FAULT_TRUNCATE) || fault->after <= most)
        return true;
    if (most < 0)
        return vw_refuse_because(reader, place, "expected a route with a body, as there is nothing to truncate");
    const struct place after = {.in = place, .key = "after"};
    return vw_read_between(reader, &after, json_object_get(value, "after"), 0, most, &ignored);
}
