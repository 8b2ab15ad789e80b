/* address.c - where a request goes, and which answer is its own. */
#include "address.h"

#include "network.h"
#include "part.h"
#include "virtual.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vw_address_exception(struct exchange *exchange, int32_t status, int64_t retry_after)
{
    int length = retry_after > 0
        ? snprintf(exchange->text, sizeof exchange->text, "Retry-After: %lld\nContent-Length: 0\n",
                   (long long)retry_after)
        : snprintf(exchange->text, sizeof exchange->text, "Content-Length: 0\n");
    exchange->exception = (struct answer){.status = status, .head = (uint32_t)length, .bytes = exchange->text};
    exchange->answer = &exchange->exception;
    exchange->fault = NULL;
}

CO_HOT int64_t vw_exchange_cpu(const struct exchange *exchange, int32_t rc)
{
    bool handled = rc == 0 && exchange->route && exchange->answer != &exchange->exception;
    return handled ? exchange->route->cpu : 0;
}

/* The server refuses the request for its size: before its body is there, and then it closes the connection, since what
 * is still to come of it is no request. */
static void refuse_early(struct exchange *exchange, int32_t status)
{
    exchange->early = true;
    exchange->route = NULL;
    vw_address_exception(exchange, status, 0);
    exchange->exception.head = (uint32_t)snprintf(exchange->text, sizeof exchange->text,
                                                  "Connection: close\nContent-Length: 0\n");
    exchange->exception.closes = true;
}

/* Lays the request's body behind the route's headers. False: no memory. */
static bool echo(struct exchange *exchange, const struct world_request *request)
{
    const struct answer *answer = &exchange->route->answer;
    uint32_t length = request->lengths[3];
    const char *body = (const char *)request->data + request->lengths[0] + request->lengths[1] + request->lengths[2];
    size_t room = answer->head + sizeof "Content-Length: 4294967295\n" + length;
    exchange->echo = malloc(room);
    if (!exchange->echo)
        return false;
    if (answer->head)
        memcpy(exchange->echo, answer->bytes, answer->head);
    size_t head = answer->head;
    head += (size_t)snprintf(exchange->echo + head, room - head, "Content-Length: %u\n", length);
    if (length)
        memcpy(exchange->echo + head, body, length);
    exchange->echoed = (struct answer){.status = answer->status, .head = (uint32_t)head, .body = length,
                                       .bytes = exchange->echo, .closes = answer->closes,
                                       .too_large = answer->too_large};
    exchange->answer = &exchange->echoed;
    return true;
}

/* Whether the request brings what its route requires. What a server was sent it has, and no line more. (Rarely asked,
 * and its buffer is not to lie in the way.) */
static __attribute__((noinline)) bool is_authorized(const struct exchange *exchange, const struct url *url,
                                                    const struct world_request *request)
{
    char implied[VW_IMPLIED] = "";
    const char *headers = (const char *)request->data + request->lengths[0] + request->lengths[1];
    if (exchange->sending != WORLD_ONCE_KEPT)
        vw_implied_headers(url, implied, sizeof implied);
    return vw_route_allows(exchange->route, headers, request->lengths[2], implied);
}

CO_HOT int32_t vw_address(struct world *world, struct exchange *exchange, const struct world_request *request)
{
    struct url url;
    const char *method = request->data;
    uint32_t length = request->lengths[0];
    if (!vw_url_parse(&url, method + length, request->lengths[1]))
        return -EINVAL;
    exchange->site = vw_site_find(&world->network, &url);
    if (!exchange->site)
        return -ENXIO;
    int32_t status;
    exchange->sends = exchange->unsent = 0;
    exchange->route = vw_route_find(exchange->site, &url, method, length, &status);
    exchange->head_only = length == 4 && memcmp(method, "HEAD", 4) == 0;
    const char *headers = method + length + request->lengths[1];
    int32_t refused = !exchange->site->has_sizes ? 0
        : vw_site_too_large(exchange->site, &url, headers, request->lengths[2], request->lengths[3]);
    if (refused) {
        refuse_early(exchange, refused);
        return 0;
    }
    if (exchange->route && exchange->route->require)
        exchange->unauthorized = !is_authorized(exchange, &url, request);
    if (!exchange->route || exchange->unauthorized)
        vw_address_exception(exchange, exchange->route ? 401 : status, 0);
    else
        exchange->answer = &exchange->route->answer;
    int64_t bandwidth = exchange->route ? exchange->route->bandwidth : exchange->site->bandwidth;
    if (exchange->site->up.rate > 0)
        exchange->sends = exchange->unsent = request->lengths[3];
    else if (request->lengths[3] && bandwidth != VW_UNLIMITED)
        exchange->upload = vw_scale(request->lengths[3], VW_SECOND, bandwidth);
    bool made = true;
    if (exchange->answer == &exchange->exception)
        return 0;
    if (exchange->route->echo)
        made = echo(exchange, request);
    else if (request->lengths[2] && exchange->answer->status == 200)
        made = vw_part_answer(exchange, headers, request->lengths[2]);
    exchange->own = exchange->answer;
    return made ? 0 : -ENOMEM;
}
