/* address.h - where a request goes, and which answer is its own. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "exchange.h"

#include <stdint.h>

struct world;
struct world_request;

/* Finds the site, the route and the answer of an exchange that begins. Returns 0, -EINVAL, -ENXIO or -ENOMEM. */
int32_t vw_address(struct world *world, struct exchange *exchange, const struct world_request *request);
/* Answers with a status of the world's own, and no body, in which nothing can then go wrong; with a Retry-After of so
 * many seconds, if that is above 0. */
void vw_address_exception(struct exchange *exchange, int32_t status, int64_t retry_after);

#endif
