/* url.c - checking URLs and following redirects. */
#include "url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where the host begins, or NULL if it is no http URL. */
static const char *host_of(const char *url)
{
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    if (strncasecmp(url, "https://", 8) == 0)
        return url + 8;
    return NULL;
}

int url_check(const char *url, char copy[URL_MAX])
{
    const char *host = url ? host_of(url) : NULL;
    size_t length = url ? strlen(url) : 0;
    if (!host || length >= URL_MAX || strcspn(host, "/?#:") == 0 || strpbrk(url, " \t\r\n"))
        return -EINVAL;
    memcpy(copy, url, length + 1);
    return 0;
}

/* Has it a scheme ("ftp:") of its own? */
static bool has_scheme(const char *location)
{
    size_t n = strspn(location, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return n > 0 && location[n] == ':';
}

int url_resolve(char base[URL_MAX], const char *location)
{
    char target[2 * URL_MAX];
    const char *host = host_of(base);
    size_t scheme = (size_t)(host - base) - 2;                  /* "http:" */
    size_t site = (size_t)(host - base) + strcspn(host, "/?#");
    size_t path = strcspn(base, "?#");
    if (has_scheme(location)) {
        snprintf(target, sizeof target, "%s", location);
    } else if (strncmp(location, "//", 2) == 0) {
        snprintf(target, sizeof target, "%.*s%s", (int)scheme, base, location);
    } else if (location[0] == '/') {
        snprintf(target, sizeof target, "%.*s%s", (int)site, base, location);
    } else if (location[0] == '?') {
        snprintf(target, sizeof target, "%.*s%s", (int)path, base, location);
    } else {
        while (path > site && base[path - 1] != '/')            /* up to the last folder */
            path--;
        snprintf(target, sizeof target, "%.*s%s%s", (int)path, base, path == site ? "/" : "", location);
    }
    return url_check(target, base);
}
