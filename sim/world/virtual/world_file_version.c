/* world_file_version.c - what lets a client ask for less than a route's whole answer, as the world file says it. */
#include "date.h"
#include "world_file.h"

#include <string.h>

bool vw_read_etag(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    const char *text = vw_is_word(value) ? json_string_value(value) : "", *tag = text;
    if (strncmp(tag, "W/", 2) == 0)
        tag += 2;
    size_t n = strlen(tag);
    if (n < 2 || tag[0] != '"' || strchr(tag + 1, '"') != tag + n - 1)
        return vw_refuse(reader, place, "a tag in quotes, such as \"\\\"v1\\\"\"", value);
    return vw_read_text(reader, place, value, into);
}

bool vw_read_date(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    static const char shape[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
    static const char days[] = "Mon Tue Wed Thu Fri Sat Sun ";
    static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    bool is_date = strlen(text) == strlen(shape);
    for (size_t i = 0; is_date && shape[i]; i++)
        is_date = shape[i] == '0' ? text[i] >= '0' && text[i] <= '9'
            : shape[i] == 'A' || shape[i] == 'a' ? text[i] != ' ' : text[i] == shape[i];
    char day[5] = "    ", month[5] = "    ";
    if (is_date) {
        memcpy(day, text, 3);
        memcpy(month, text + 8, 3);
    }
    if (!is_date || !strstr(days, day) || !strstr(months, month) || vw_date_parse(text, strlen(text)) < 0)
        return vw_refuse(reader, place, "a date such as \"Wed, 21 Oct 2026 07:28:00 GMT\"", value);
    return vw_read_text(reader, place, value, into);
}

static void append_line(struct bytes *lines, const char *name, const char *value)
{
    vw_append(lines, name, strlen(name));
    vw_append(lines, value, strlen(value));
    vw_append(lines, "\n", 1);
}

bool vw_make_version(struct reader *reader, const struct place *place, const json_t *value, struct route *route)
{
    struct version *version = &route->version;
    struct bytes lines = {0};
    const json_t *status = json_object_get(value, "status");
    if (!version->etag && !version->modified && !version->ranges)
        return true;
    if (route->echo || json_object_get(value, "redirect") || (status && json_integer_value(status) != 200))
        return vw_refuse_because(reader, place,
                                 "expected status 200 and no echo beside etag, last_modified and ranges");
    if (version->ranges && route->answer.framing != FRAMED_LENGTH)
        return vw_refuse_because(reader, place, "expected a body with a length beside ranges");
    if (version->modified)
        append_line(&lines, "Last-Modified: ", version->modified);
    if (version->etag)
        append_line(&lines, "ETag: ", version->etag);
    if (version->ranges)
        append_line(&lines, "Accept-Ranges: ", "bytes");
    vw_append(&lines, "", 1);
    version->lines = lines.at;
    return lines.failed ? vw_refuse_memory(reader) : true;
}
