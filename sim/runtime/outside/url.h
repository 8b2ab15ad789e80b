/* url.h - as much of a URL as a client needs: is it one, what are its parts, and where does a redirect lead? */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { URL_MAX = 2048 };        /* bytes of a URL, its '\0' included */

/* The length of a URL that begins with http:// or https:// and names a host, without blanks and control
 * characters; or -EINVAL. */
int url_length(const char *url);

/* Replaces base[], where a checked URL stands, by where `location`, read on that page, leads (RFC 3986, section 5.2;
 * "." and ".." stay as they are). 0, or -EINVAL: not a http URL, or too long. */
int url_resolve(char base[URL_MAX], const char *location);

/* The parts of a checked URL, pointing into it. */
struct url_parts {
    const char *host;
    size_t host_length;
    const char *path;           /* "/" where it has none; without the query */
    size_t path_length;
    uint32_t port;
    bool is_secure;             /* https */
};
void url_split(const char *url, struct url_parts *parts);

/* Whether two checked URLs lead to the same site: scheme, host and port. */
bool url_same_site(const char *a, const char *b);

#endif
