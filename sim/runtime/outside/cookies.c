/* cookies.c - a session's cookies: a subset of RFC 6265.
 *
 * From Set-Cookie it takes name=value, Path, Domain, Max-Age, Expires and Secure; other attributes are skipped.
 *
 *   where to    Without Domain: to the very host that set it. With Domain=a.test: to a.test and all hosts below it;
 *               it must be the host's own name or end it, and a name without a dot or an address must be the whole of
 *               it. Ports make no difference. Path: to that path and all below it; by default the folder of the page
 *               that set it. A Path that does not begin with "/" means "/".
 *   how long    Max-Age seconds, or until Expires (Max-Age goes first), by the loop's clock, whose time 0 is
 *               2026-01-01 00:00:00 UTC, in the real world by this machine's calendar; else as long as the session.
 *               In the past, or Max-Age=0: the cookie is deleted.
 *   Secure      Over http the cookie is not taken; one taken over https is sent over https only.
 *   names       __Secure-... must be Secure; __Host-... too, with Path=/ and without Domain: else it is not taken.
 *   which       The same name, domain and path: the new one takes the old one's place. Longer paths are sent first,
 *               then older cookies.
 *   limits      One longer than 4096 bytes is not taken, nor a new one where there are 1000.
 */
#include "runtime/outside/http.h"
#include "runtime/outside/url.h"
#include "runtime/state/loop.h"
#include "runtime/tasks/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { LONGEST_COOKIE = 4096, MOST_COOKIES = 1000 };

struct cookie {
    struct cookie *next;
    int64_t expires;                /* ns on the loop's clock; CO_FOREVER: with the session           */
    const char *name, *value, *domain, *path;       /* in this block                                  */
    bool host_only;                 /* hosts below the domain don't get it                            */
    bool secure;
    char text[];
};

/* A piece of a text. */
struct piece { const char *at; size_t length; };

/* What a Set-Cookie line says. */
struct set_cookie {
    struct piece name, value, domain, path;         /* at NULL: not given                             */
    int64_t expires;
    bool has_max_age, secure;
};

/* ---- Where a cookie goes ---------------------------------------------------------------------- */

static bool is_address(const char *host, size_t length)
{
    return length > 0 && (host[0] == '[' || strspn(host, "0123456789.") >= length);
}

/* Whether the host is the domain, or below it. */
static bool in_domain(const char *host, size_t host_length, const char *domain, size_t length)
{
    if (host_length < length || strncasecmp(host + host_length - length, domain, length) != 0)
        return false;
    return host_length == length || (host[host_length - length - 1] == '.' && !is_address(host, host_length));
}

static bool in_path(const char *path, size_t path_length, const char *folder)
{
    size_t length = strlen(folder);
    if (path_length < length || memcmp(path, folder, length) != 0)
        return false;
    return path_length == length || folder[length - 1] == '/' || path[length] == '/';
}

static bool fits(const struct cookie *cookie, const struct url_parts *url, int64_t now)
{
    size_t domain = strlen(cookie->domain);
    if (cookie->expires <= now || (cookie->secure && !url->is_secure))
        return false;
    if (cookie->host_only && domain != url->host_length)
        return false;
    return in_domain(url->host, url->host_length, cookie->domain, domain)
        && in_path(url->path, url->path_length, cookie->path);
}

size_t co__cookies_write(const struct co_cookies *cookies, const char *url, int64_t now, char *out)
{
    size_t n = 0;
    struct url_parts parts;
    if (!cookies->first)
        return 0;
    url_split(url, &parts);
    for (const struct cookie *cookie = cookies->first; cookie; cookie = cookie->next) {
        if (!fits(cookie, &parts, now))
            continue;
        const char *const pieces[] = {n ? "; " : "Cookie: ", cookie->name, "=", cookie->value};
        for (size_t i = 0; i < 4; i++) {
            size_t length = strlen(pieces[i]);
            if (out)
                memcpy(out + n, pieces[i], length);
            n += length;
        }
    }
    if (n && out)
        out[n] = '\n';
    return n ? n + 1 : 0;
}

/* ---- Reading Set-Cookie ------------------------------------------------------------------------ */

static struct piece trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
        to--;
    return (struct piece){from, (size_t)(to - from)};
}

static bool is_word(struct piece piece, const char *word)
{
    return piece.length == strlen(word) && strncasecmp(piece.at, word, piece.length) == 0;
}

/* So many seconds after `from`, as ns on the loop's clock; CO_FOREVER if that is beyond it. */
static int64_t seconds_after(int64_t from, int64_t seconds)
{
    return seconds > (CO_FOREVER - from) / CO_SEC(1) ? CO_FOREVER : from + seconds * CO_SEC(1);
}

/* Max-Age: digits, perhaps a '-' before them. */
static void read_max_age(struct set_cookie *set, struct piece value, int64_t now)
{
    bool negative = value.length > 0 && value.at[0] == '-';
    int64_t seconds = 0;
    if (value.length == (size_t)negative)
        return;
    for (size_t i = negative; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return;
        if (seconds < CO_FOREVER / 100)
            seconds = 10 * seconds + (value.at[i] - '0');
    }
    set->has_max_age = true;
    set->expires = negative || seconds == 0 ? 0 : seconds_after(now, seconds);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_from_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* The loop's time 0, in ns since 1970. */
static int64_t time_0(int64_t now)
{
    struct timespec t;
    if (!co__loop->live || clock_gettime(CLOCK_REALTIME, &t) < 0)
        return CO_SEC(EPOCH);
    return t.tv_sec * CO_SEC(1) + t.tv_nsec - now;
}

/* Expires: "Wed, 21 Oct 2026 07:28:00 GMT", or with dashes ("21-Oct-2026"). Others are not taken notice of. */
static void read_expires(struct set_cookie *set, struct piece value, int64_t now)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[64], name[4];
    int day, year, hour, minute, second;
    if (set->has_max_age || value.length >= sizeof text)
        return;
    memcpy(text, value.at, value.length);
    text[value.length] = '\0';
    const char *date = strchr(text, ',');
    if (!date || sscanf(date + 1, "%2d%*1[ -]%3[A-Za-z]%*1[ -]%4d %2d:%2d:%2d", &day, name, &year, &hour, &minute,
                        &second) != 6)
        return;
    const char *month = strstr(months, name);
    if (strlen(name) != 3 || !month || (month - months) % 3 || day < 1 || day > 31 || year < 1601 || hour > 23
        || minute > 59
        || second > 60 || hour < 0 || minute < 0 || second < 0)
        return;
    int64_t since_1970 = days_from_1970(year, (int)(month - months) / 3 + 1, day) * 86400 + hour * 3600 + minute * 60
        + second;
    int64_t begin = time_0(now);
    bool beyond = since_1970 > CO_FOREVER / CO_SEC(1);
    set->expires = beyond ? CO_FOREVER : since_1970 * CO_SEC(1) <= begin ? 0 : since_1970 * CO_SEC(1) - begin;
}

static void read_attribute(struct set_cookie *set, struct piece name, struct piece value, int64_t now)
{
    if (is_word(name, "Path"))
        set->path = value.length && value.at[0] == '/' ? value : (struct piece){"/", 1};
    else if (is_word(name, "Domain"))
        set->domain = value.length && value.at[0] == '.' ? (struct piece){value.at + 1, value.length - 1} : value;
    else if (is_word(name, "Max-Age"))
        read_max_age(set, value, now);
    else if (is_word(name, "Expires"))
        read_expires(set, value, now);
    else if (is_word(name, "Secure"))
        set->secure = true;
}

/* Takes the line apart: "name=value; attribute=value; attribute". False: it is none. */
static bool read_line(struct set_cookie *set, const char *line, size_t length, int64_t now)
{
    *set = (struct set_cookie){.expires = CO_FOREVER};
    const char *end = line + length;
    for (const char *part = line; part <= end;) {
        const char *stop = memchr(part, ';', (size_t)(end - part));
        if (!stop)
            stop = end;
        const char *equals = memchr(part, '=', (size_t)(stop - part));
        struct piece name = trimmed(part, equals ? equals : stop);
        struct piece value = equals ? trimmed(equals + 1, stop) : (struct piece){stop, 0};
        if (part != line) {
            read_attribute(set, name, value, now);
        } else {
            if (!equals || name.length == 0 || name.length + value.length > LONGEST_COOKIE)
                return false;
            set->name = name;
            set->value = value;
        }
        part = stop + 1;
    }
    return true;
}

/* ---- Keeping ------------------------------------------------------------------------------------ */

/* The folder of the page: "/a/b" of "/a/b/c", "/" of "/c". */
static struct piece folder_of(const struct url_parts *url)
{
    size_t length = url->path_length;
    while (length > 1 && url->path[length - 1] != '/')
        length--;
    return (struct piece){url->path, length > 1 ? length - 1 : 1};
}

static char *put(char *at, struct piece piece)
{
    if (piece.length)
        memcpy(at, piece.at, piece.length);
    at[piece.length] = '\0';
    return at + piece.length + 1;
}

static struct cookie *cookie_new(const struct set_cookie *set, const struct url_parts *url)
{
    bool host_only = set->domain.length == 0;
    struct piece domain = host_only ? (struct piece){url->host, url->host_length} : set->domain;
    struct piece path = set->path.at ? set->path : folder_of(url);
    struct cookie *cookie = malloc(sizeof *cookie + set->name.length + set->value.length + domain.length + path.length
                                   + 4);
    if (!cookie)
        return NULL;
    *cookie = (struct cookie){.expires = set->expires, .host_only = host_only, .secure = set->secure};
    char *at = cookie->text;
    cookie->name = at;
    cookie->value = at = put(at, set->name);
    cookie->domain = at = put(at, set->value);
    cookie->path = at = put(at, domain);
    put(at, path);
    return cookie;
}

static bool begins(struct piece piece, const char *word)
{
    size_t length = strlen(word);
    return piece.length >= length && strncasecmp(piece.at, word, length) == 0;
}

/* Some names promise how the cookie was set. */
static bool name_allows(const struct set_cookie *set)
{
    bool whole_host = set->domain.length == 0 && set->path.length == 1;
    return set->secure ? !begins(set->name, "__Host-") || whole_host
                       : !begins(set->name, "__Host-") && !begins(set->name, "__Secure-");
}

/* May this host set a cookie for that domain? */
static bool may_set(const struct set_cookie *set, const struct url_parts *url)
{
    struct piece domain = set->domain;
    if ((set->secure && !url->is_secure) || !name_allows(set))
        return false;
    if (domain.length == 0)
        return true;
    if (domain.length != url->host_length && !memchr(domain.at, '.', domain.length))
        return false;
    return in_domain(url->host, url->host_length, domain.at, domain.length);
}

static bool is_same(const struct cookie *a, const struct cookie *b)
{
    return strcmp(a->name, b->name) == 0 && strcasecmp(a->domain, b->domain) == 0 && strcmp(a->path, b->path) == 0
        && a->host_only == b->host_only;
}

/* Puts the new one where the old one was, or behind those of paths as long; removes what has expired. */
static void keep(struct co_cookies *cookies, struct cookie *new, int64_t now)
{
    struct cookie **link = &cookies->first, **place = NULL, **last_of_length = NULL;
    size_t n = 0, length = strlen(new->path);
    for (struct cookie *cookie; (cookie = *link);) {
        bool same = is_same(cookie, new);
        if (same)
            place = link;
        if (same || cookie->expires <= now) {
            *link = cookie->next;
            free(cookie);
            continue;
        }
        if (strlen(cookie->path) >= length)
            last_of_length = &cookie->next;
        link = &cookie->next;
        n++;
    }
    if (new->expires <= now || n >= MOST_COOKIES) {
        free(new);
        return;
    }
    if (!place)
        place = last_of_length ? last_of_length : &cookies->first;
    new->next = *place;
    *place = new;
}

int co__cookies_take(struct co_cookies *cookies, const char *url, const char *headers, int64_t now)
{
    size_t length;
    struct url_parts parts;
    const char *line, *from = NULL;
    while ((line = co__header_find(headers, "Set-Cookie", 10, &length, &from))) {
        struct set_cookie set;
        url_split(url, &parts);
        if (!read_line(&set, line, length, now) || !may_set(&set, &parts))
            continue;
        struct cookie *cookie = cookie_new(&set, &parts);
        if (!cookie)
            return -ENOMEM;
        keep(cookies, cookie, now);
    }
    return 0;
}

void co__cookies_clear(struct co_cookies *cookies)
{
    for (struct cookie *cookie = cookies->first, *next; cookie; cookie = next) {
        next = cookie->next;
        free(cookie);
    }
    cookies->first = NULL;
}
