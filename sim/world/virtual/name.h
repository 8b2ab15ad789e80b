/* name.h - names of hosts, and how long an answer is kept. */
#ifndef NAME_H
#define NAME_H

#include <stdint.h>

struct site;
struct world;

/* What is known of a host's name; the first site that has it holds this for all of them. Zero-filled: nothing. */
struct name {
    /* Until when a question is under way, and what will come of it: 0 or -ENXIO. */
    int64_t answer_at;
    int32_t rc;
    /* Up to when its address is known. */
    int64_t known_until;
};

/* Somebody wants to connect to the site: 0 or -ENXIO, and in *wait how long (ns) until that is known. As in the real
 * world (and as libcurl 7.88 does it by itself), who asks for a name that is being asked for waits for the same answer,
 * which is kept for 60 s; that there is none is not kept. */
int32_t vw_name_ask(struct world *world, struct site *site, int64_t *wait);

#endif
