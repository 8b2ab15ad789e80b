/* world_file_turn.c - the answers that some requests to a route get instead of its own, as the world file says it. */
#include "world_file.h"

static const struct field turn_fields[] = {
    {"times", vw_read_from_1, offsetof(struct turn, when.times)},
    {"probability", vw_read_probability, offsetof(struct turn, when)},
    ANSWER_FIELDS,
};

static bool read_object(struct reader *reader, const struct place *place, const json_t *value, struct turn *turn)
{
    turn->when.times = 1;
    return vw_read_object(reader, place, value, turn_fields, LENGTH(turn_fields), turn)
        && vw_check_when(reader, place, value)
        && vw_read_answer(reader, place, value, false, NULL, &turn->answer, &turn->bytes);
}

/* An object, or for short nothing but a status. */
static bool read_turn(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    if (json_is_object(value))
        return read_object(reader, place, value, into);
    int64_t status = json_integer_value(value);
    if (!json_is_integer(value) || status < 200 || status > 599)
        return vw_refuse(reader, place, "a status from 200 to 599, or an answer such as {\"status\":503,\"times\":2}",
                         value);
    json_t *object = json_object();
    bool made = object && json_object_set(object, "status", (json_t *)value) == 0;
    bool ok = made ? read_object(reader, place, object, into) : vw_refuse_memory(reader);
    json_decref(object);
    return ok;
}

bool vw_read_turns(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct route *route = into;
    void *turns = NULL;
    if (json_is_array(value) && json_array_size(value) == 0)
        return vw_refuse(reader, place, "at least one answer, such as [503,503]", value);
    bool ok = vw_read_array(reader, place, value, read_turn, sizeof *route->turns, &turns, &route->turn_count);
    route->turns = turns;
    return ok;
}
