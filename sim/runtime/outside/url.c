/* url.c - checking URLs, taking them apart, following redirects. */
#include "runtime/outside/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

int url_length(const char *url)
{
    const char *host = url ? host_of(url) : NULL;
    if (!host || *host == '\0' || *host == '/' || *host == '?' || *host == '#' || *host == ':')
        return -EINVAL;
    const char *c = host;
    while ((unsigned char)*c > ' ' && *c != 127)
        c++;
    return *c == '\0' && c - url < URL_MAX ? (int)(c - url) : -EINVAL;
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
    int length = url_length(target);
    if (length < 0)
        return length;
    memcpy(base, target, (size_t)length + 1);
    return 0;
}

void url_split(const char *url, struct url_parts *parts)
{
    *parts = (struct url_parts){.host = host_of(url), .path = "/", .path_length = 1};
    parts->is_secure = parts->host - url == 8;
    size_t site = strcspn(parts->host, "/?#");
    const char *colon = NULL;
    /* A colon inside [::1] is the host's own. */
    for (size_t i = site; i > 0 && parts->host[i - 1] != ']' && !colon; i--)
        if (parts->host[i - 1] == ':')
            colon = parts->host + i - 1;
    parts->host_length = colon ? (size_t)(colon - parts->host) : site;
    parts->port = parts->is_secure ? 443 : 80;
    if (colon && colon + 1 < parts->host + site)
        parts->port = (uint32_t)strtoul(colon + 1, NULL, 10);
    if (parts->host[site] == '/') {
        parts->path = parts->host + site;
        parts->path_length = strcspn(parts->path, "?#");
    }
}

bool url_same_site(const char *a, const char *b)
{
    struct url_parts x, y;
    url_split(a, &x);
    url_split(b, &y);
    return x.is_secure == y.is_secure && x.port == y.port && x.host_length == y.host_length
        && strncasecmp(x.host, y.host, x.host_length) == 0;
}
