/* name.c - names of hosts, and how long an answer is kept. */
#include "name.h"

#include "draw.h"
#include "network.h"
#include "virtual.h"

#include <errno.h>

#define HOLDS 60000000000       /* ns */

CO_HOT int32_t vw_name_ask(struct world *world, struct site *site, int64_t *wait)
{
    struct name *name = &site->namesake->name;
    *wait = 0;
    if (world->now < name->answer_at) {
        *wait = name->answer_at - world->now;
        return name->rc;
    }
    if (world->now < name->known_until)
        return 0;
    bool unresolved = site->fault.kind == FAULT_UNRESOLVED
        && vw_draw_fault(world, &site->fault, site->key, ++site->attempts);
    *wait = site->resolve;
    name->rc = unresolved ? -ENXIO : 0;
    name->answer_at = vw_later(world->now, site->resolve);
    name->known_until = unresolved ? 0 : vw_later(name->answer_at, HOLDS);
    return name->rc;
}
