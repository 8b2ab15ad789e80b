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

/* The last colon of an authority that separates host and port, or its end: a colon inside [::1] is the host's own. */
static const char *port_of(const char *host, const char *end)
{
    for (const char *c = end; c > host && c[-1] != ']'; c--)
        if (c[-1] == ':')
            return c - 1;
    return end;
}

/* From ":8080" or ":"; -1: this is no port. */
static long port_number(const char *colon, const char *end, long usual)
{
    long port = 0;
    if (end - colon <= 1)
        return usual;
    for (const char *c = colon + 1; c < end; c++) {
        if (*c < '0' || *c > '9' || port > 65535)
            return -1;
        port = 10 * port + (*c - '0');
    }
    return port <= 65535 ? port : -1;
}

/* The host behind a user's name and password, if there are any; NULL: there are two '@'. */
static const char *host_behind_user(const char *authority, const char *end)
{
    const char *at = memchr(authority, '@', (size_t)(end - authority));
    if (!at)
        return authority;
    return memchr(at + 1, '@', (size_t)(end - at - 1)) ? NULL : at + 1;
}

static bool authority_ok(const char *authority, const char *end)
{
    const char *host = host_behind_user(authority, end), *colon = host ? port_of(host, end) : NULL;
    return host && colon > host && !memchr(host, '\\', (size_t)(colon - host)) && port_number(colon, end, 80) >= 0;
}

int url_length(const char *url)
{
    const char *authority = url ? host_of(url) : NULL;
    if (!authority || !authority_ok(authority, authority + strcspn(authority, "/?#")))
        return -EINVAL;
    const char *c = authority;
    while ((unsigned char)*c > ' ' && *c != 127)
        c++;
    return *c == '\0' && c - url < URL_MAX ? (int)(c - url) : -EINVAL;
}

/* 1: a byte of a path; 2: of a host as well. A table: a host's letters and dots alternate as no branch foresees. */
enum { IN_HOST = 2 };
static const unsigned char kind_of[256] = {
    [' '] =
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1,      /* blank !"#$%&'()*+,-./ */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1,      /* 0123456789:;<=>? */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,      /* @ABCDEFGHIJKLMNO */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,      /* PQRSTUVWXYZ[\]^_ */
    1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,      /* `abcdefghijklmno */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 0,      /* pqrstuvwxyz{|}~ */
};

int url_plain_length(const char *url)
{
    if (strncmp(url, "http://", 7) != 0)
        return 0;
    const char *host = url + 7, *c = host;
    while (kind_of[(unsigned char)*c] == IN_HOST)
        c++;
    if (c == host || *c != '/')
        return 0;
    for (; kind_of[(unsigned char)*c]; c++)
        if (*c == '/' && c[1] == '.')           /* perhaps "." or ".." */
            return 0;
    return *c == '\0' && c - url < URL_MAX ? (int)(c - url) : 0;
}

/* ---- As it is sent ------------------------------------------------------------------------------ */

/* Is there a segment "." or ".." in the path at[0..length)? */
static bool has_dots(const char *path, size_t length)
{
    const char *end = path + length;
    for (const char *c = path; (c = memchr(c, '/', (size_t)(end - c)));) {
        size_t n = 0;
        for (c++; c + n < end && c[n] == '.' && n < 3; n++)
            ;
        if ((n == 1 || n == 2) && (c + n == end || c[n] == '/'))
            return true;
    }
    return false;
}

static bool is_usual_port(const char *colon, const char *end, bool is_secure)
{
    long usual = is_secure ? 443 : 80;
    return colon < end && port_number(colon, end, usual) == usual;
}

bool url_is_tidy(const char *url)
{
    const char *authority = host_of(url), *end = authority + strcspn(authority, "/?#");
    for (const char *c = url; c < end; c++)
        if ((*c >= 'A' && *c <= 'Z') || *c == '@')
            return false;
    if (is_usual_port(port_of(authority, end), end, authority - url == 8))
        return false;
    return *end == '\0' || (*end == '/' && !has_dots(end, strcspn(end, "?#")));
}

/* Takes "." and ".." out of a path (RFC 3986, section 5.2.4), in place. Returns what is left of its length. */
static size_t remove_dots(char *path, size_t length)
{
    size_t to = 0, from = 0;
    while (from < length) {
        size_t n = 1;
        while (from + n < length && path[from + n] != '/')
            n++;                                /* "/segment" */
        bool one = n == 2 && path[from + 1] == '.', two = n == 3 && memcmp(path + from + 1, "..", 2) == 0;
        bool last = from + n == length;
        if (two)
            while (to > 0 && path[--to] != '/')
                ;
        if (!one && !two) {
            memmove(path + to, path + from, n);
            to += n;
        } else if (last) {
            path[to++] = '/';
        }
        from += n;
    }
    return to;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void decode(const char *from, const char *end, char *to)
{
    while (from < end) {
        bool is_code = end - from > 2 && *from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0;
        *to++ = is_code ? (char)(16 * hex(from[1]) + hex(from[2])) : *from;
        from += is_code ? 3 : 1;
    }
    *to = '\0';
}

/* "name" becomes "name:", as it is sent. */
static void take_user(const char *from, const char *end, char user[URL_MAX])
{
    decode(from, end, user);
    if (!memchr(from, ':', (size_t)(end - from)) && *user)
        strcat(user, ":");
    if (strcmp(user, ":") == 0)
        *user = '\0';
}

static char *put_lower(char *to, const char *from, const char *end)
{
    while (from < end) {
        char c = *from++;
        *to++ = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return to;
}

void url_tidy(char url[URL_MAX], char user[URL_MAX])
{
    char from[URL_MAX];
    strcpy(from, url);
    const char *authority = host_of(from), *end = authority + strcspn(authority, "/?#");
    const char *host = host_behind_user(authority, end), *colon = port_of(host, end);
    bool drop_port = colon + 1 == end || is_usual_port(colon, end, authority - from == 8);
    *user = '\0';
    if (host > authority)
        take_user(authority, host - 1, user);
    char *to = put_lower(url, from, authority);
    to = put_lower(to, host, drop_port ? colon : end);
    size_t path = strcspn(end, "?#");
    if (path == 0 && *end)
        *to++ = '/';                            /* "http://a.test?q" */
    memcpy(to, end, path);
    to += remove_dots(to, path);
    memmove(to, end + path, strlen(end + path) + 1);
}

/* ---- Redirects --------------------------------------------------------------------------------------- */

/* Has it a scheme ("ftp:") of its own? */
static bool has_scheme(const char *location)
{
    size_t n = strspn(location, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return n > 0 && location[n] == ':';
}

/* Copies a Location: blanks and bytes above 126 as they may stand in a URL. False: too long. */
static bool encode(const char *from, char to[2 * URL_MAX])
{
    bool in_query = false;
    size_t n = 0;
    for (; *from && n < 2 * URL_MAX - 4; from++) {
        unsigned char c = (unsigned char)*from;
        in_query = in_query || c == '?';
        if (c == ' ' && in_query)
            to[n++] = '+';
        else if (c == ' ' || c > 126)
            n += (size_t)sprintf(to + n, "%%%02x", c);
        else
            to[n++] = (char)c;
    }
    to[n] = '\0';
    return *from == '\0';
}

int url_resolve(char base[URL_MAX], const char *location)
{
    char target[4 * URL_MAX], there[2 * URL_MAX];
    const char *host = host_of(base);
    size_t scheme = (size_t)(host - base) - 2;                  /* "http:" */
    size_t site = (size_t)(host - base) + strcspn(host, "/?#");
    size_t path = strcspn(base, "?#");
    if (!encode(location, there))
        return -EINVAL;
    if (has_scheme(there)) {
        snprintf(target, sizeof target, "%s", there);
    } else if (strncmp(there, "//", 2) == 0) {
        snprintf(target, sizeof target, "%.*s%s", (int)scheme, base, there);
    } else if (there[0] == '/') {
        snprintf(target, sizeof target, "%.*s%s", (int)site, base, there);
    } else if (there[0] == '?') {
        snprintf(target, sizeof target, "%.*s%s", (int)path, base, there);
    } else if (there[0] == '#') {
        snprintf(target, sizeof target, "%.*s%s", (int)strcspn(base, "#"), base, there);
    } else {
        while (path > site && base[path - 1] != '/')            /* up to the last folder */
            path--;
        snprintf(target, sizeof target, "%.*s%s%s", (int)path, base, path == site ? "/" : "", there);
    }
    int length = url_length(target);
    if (length < 0)
        return length;
    memcpy(base, target, (size_t)length + 1);
    return 0;
}

/* ---- Its parts ---------------------------------------------------------------------------------------- */

void url_split(const char *url, struct url_parts *parts)
{
    const char *authority = host_of(url), *end = authority + strcspn(authority, "/?#");
    const char *host = host_behind_user(authority, end), *colon = port_of(host, end);
    bool is_secure = authority - url == 8;
    *parts = (struct url_parts){.host = host, .host_length = (size_t)(colon - host), .path = "/", .path_length = 1,
                                .port = (uint32_t)port_number(colon, end, is_secure ? 443 : 80),
                                .is_secure = is_secure};
    if (*end == '/') {
        parts->path = end;
        parts->path_length = strcspn(end, "?#");
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
