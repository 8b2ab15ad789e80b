/* world_file_address.c - the addresses of a site's host, as the world file says them, and how a client gets to one. */
#include "world_file.h"

#include <errno.h>
#include <string.h>

/* libcurl gives the first address so long before it tries the second beside it; Linux gives one up that says nothing
 * after so long. */
#define HEAD_START 200000000
#define GIVES_UP 131000000000

enum address { UP, REFUSED, DEAD };

/* What comes of an address that is tried from `start` on: when it is known, and what it is. */
static int64_t try(enum address address, int64_t start, int64_t connect, int32_t *rc)
{
    *rc = address == UP ? 0 : address == REFUSED ? -ECONNREFUSED : -ETIMEDOUT;
    return vw_later(start, address == DEAD ? GIVES_UP : connect);
}

void vw_reach(struct site *site, const int64_t addresses[], size_t n)
{
    int32_t rc[2];
    int64_t first = try((enum address)addresses[0], 0, site->connect, &rc[0]);
    site->reach = first;
    site->reach_rc = rc[0];
    if (n == 1 || (rc[0] == 0 && first <= HEAD_START))
        return;
    int64_t start = rc[0] != 0 && first < HEAD_START ? first : HEAD_START;
    int64_t second = try((enum address)addresses[1], start, site->connect, &rc[1]);
    bool is_better = rc[0] && !rc[1], is_later = rc[0] && rc[1] && second > first;
    if (is_better || is_later) {
        site->reach = second;
        site->reach_rc = rc[1];
    }
}

static bool read_address(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char *const names[] = {[UP] = "up", [REFUSED] = "refused", [DEAD] = "dead"};
    return vw_read_choice(reader, place, value, names, LENGTH(names), "up, refused or dead", into);
}

bool vw_read_addresses(struct reader *reader, const struct place *place, const json_t *value, int64_t into[2],
                       size_t *count)
{
    if (!json_is_array(value) || json_array_size(value) < 1 || json_array_size(value) > 2)
        return vw_refuse(reader, place, "one or two of up, refused and dead, such as [\"dead\",\"up\"]", value);
    *count = json_array_size(value);
    for (size_t i = 0; i < *count; i++)
        if (!read_address(reader, &(struct place){.in = place, .index = i}, json_array_get(value, i), &into[i]))
            return false;
    return true;
}
