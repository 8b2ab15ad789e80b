/* url.h - as much of a URL as a client needs: is it one, what are its parts, how is it sent, and where does a
 * redirect lead?
 *
 * Both worlds are given what this module makes of a URL, so they cannot differ. Its answers are those of libcurl's
 * own parser (sim/tests/real/test_url.c holds one against the other), but for what is said at url_resolve.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { URL_MAX = 2048 };        /* bytes of a URL, its '\0' included */

/* The length of a URL that begins with http:// or https:// and names a host, with a port from 0 to 65535 if any,
 * without blanks and control characters; or -EINVAL. */
int url_length(const char *url);

/* The same of a URL that is easily seen to be right and tidy: http, a host in lower case, a path, no more than that;
 * 0 of any other, which may be right as well. (Nearly all are such, and one look at each byte is enough.) */
int url_plain_length(const char *url);

/* Whether a checked URL is sent as it stands (url_tidy would leave it alone). */
bool url_is_tidy(const char *url);

/* Rewrites a checked URL as it is sent: scheme and host in lower case, no port that is the scheme's own, a "/"
 * before a query that follows the host, no "." and ".." in the path, no "user:password@". Those go to user[] as
 * "user:password", %XX decoded; user[0] is '\0' without. */
void url_tidy(char url[URL_MAX], char user[URL_MAX]);

/* Replaces base[], where a checked and tidy URL stands, by where `location`, read on that page, leads (RFC 3986,
 * section 5.2): checked, but not tidy. Blanks become %20, in a query '+', and bytes above 126 %XX. 0, or -EINVAL:
 * not a http URL, or too long. "#part" leads to the same page (libcurl 7.88: to its folder). */
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
