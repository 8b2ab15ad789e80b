/* route.c - which handler a request goes to. */
#include "runtime/outside/tcp.h"

#include <string.h>

/* The end of the part that begins at `at`. */
static const char *part_end(const char *at)
{
    return at + strcspn(at, "/");
}

/* Goes through both, part by part. Where `name` is given, its value is *value. */
static bool fits(const char *route, const char *path, const char *name, const char **value, size_t *length)
{
    while (*route == '/' && *path == '/') {
        const char *wanted = ++route, *is = ++path;
        if (strcmp(wanted, "*") == 0)
            return true;
        route = part_end(wanted);
        path = part_end(is);
        size_t n = (size_t)(route - wanted), m = (size_t)(path - is);
        if (*wanted == ':' && m > 0) {
            if (name && strlen(name) == n - 1 && memcmp(wanted + 1, name, n - 1) == 0) {
                *value = is;
                *length = m;
            }
        } else if (n != m || memcmp(wanted, is, n) != 0) {
            return false;
        }
    }
    return *route == *path;
}

const struct co_route *co__route_find(const struct co_gate *gate, const char *method, const char *path, int *status)
{
    bool is_head = strcmp(method, "HEAD") == 0;
    *status = 404;
    for (size_t i = 0; i < gate->route_count; i++) {
        const struct co_route *route = &gate->routes[i];
        if (!fits(route->path, path, NULL, NULL, NULL))
            continue;
        if (!route->method || strcmp(route->method, method) == 0 || (is_head && strcmp(route->method, "GET") == 0))
            return route;
        *status = 405;
    }
    return NULL;
}

const char *co__route_part(const char *route, const char *path, const char *name, size_t *length)
{
    const char *value = NULL;
    return fits(route, path, name, &value, length) ? value : NULL;
}
