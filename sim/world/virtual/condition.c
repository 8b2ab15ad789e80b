/* condition.c - what a request makes its answer depend on: If-Match, If-None-Match and two dates. As nginx has it in
 * ngx_http_not_modified_filter_module, also where the standard has it otherwise: a request with a tag and a date gets
 * a 304 only if it is the same by both, a date is the same or it is not, "*" is all that is there, and two weak tags
 * that are the same text match in every way. */
#include "condition.h"
#include "date.h"

#include <string.h>

static bool is_weak(const char *tag, size_t n)
{
    return n > 2 && memcmp(tag, "W/", 2) == 0;
}

static const char *skip_any(const char *at, const char *end, const char *these)
{
    while (at < end && strchr(these, *at))
        at++;
    return at;
}

/* Whether one of the tags in value[0..n) is this one; weakly: whatever either says of being only nearly the same. */
static bool names_it(const char *value, size_t n, const char *etag, bool weakly)
{
    const char *at = value, *end = value + n;
    if (n == 1 && *value == '*')
        return true;
    if (!etag)
        return false;
    etag += weakly && is_weak(etag, strlen(etag)) ? 2 : 0;
    size_t size = strlen(etag);
    while (at < end) {
        at += weakly && is_weak(at, (size_t)(end - at)) ? 2 : 0;
        if (size <= (size_t)(end - at) && memcmp(at, etag, size) == 0) {
            at = skip_any(at + size, end, " \t");
            if (at == end || *at == ',')
                return true;
        }
        while (at < end && *at != ',')
            at++;
        at = skip_any(at, end, " \t,");
    }
    return false;
}

int32_t vw_condition_status(const struct version *version, const char *headers, size_t length)
{
    size_t before_n, match_n, since_n, none_n;
    const char *before = vw_header_find(headers, length, "If-Unmodified-Since", &before_n);
    const char *match = vw_header_find(headers, length, "If-Match", &match_n);
    const char *since = vw_header_find(headers, length, "If-Modified-Since", &since_n);
    const char *none = vw_header_find(headers, length, "If-None-Match", &none_n);
    int64_t modified = version->modified ? vw_date_parse(version->modified, strlen(version->modified)) : -1;
    if (before && (modified < 0 || vw_date_parse(before, before_n) < modified))
        return 412;
    if (match && !names_it(match, match_n, version->etag, false))
        return 412;
    if (since && (modified < 0 || vw_date_parse(since, since_n) != modified))
        return 0;
    if (none && !names_it(none, none_n, version->etag, true))
        return 0;
    return since || none ? 304 : 0;
}
