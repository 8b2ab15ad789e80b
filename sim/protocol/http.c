/* http.c - heads of HTTP/1.1, taken apart (RFC 9110, 9112). */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t pt_http_head_length(const char *data, size_t size, size_t *searched)
{
    size_t at = *searched > 3 ? *searched - 3 : 0;
    for (; at + 4 <= size; at++) {
        const char *cr = memchr(data + at, '\r', size - 3 - at);
        if (!cr)
            break;
        at = (size_t)(cr - data);
        if (memcmp(cr, "\r\n\r\n", 4) == 0)
            return at + 4;
    }
    *searched = size;
    return 0;
}

/* ---- Characters ---------------------------------------------------------------------------------- */

static bool is_token_character(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool pt_http_is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_token_character((unsigned char)text[i]))
            return false;
    return length > 0;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

bool pt_http_are_headers(const char *headers)
{
    while (headers && *headers) {
        const char *end = strchr(headers, '\n'), *colon = strchr(headers, ':');
        if (!end || !colon || colon > end || !pt_http_is_token(headers, (size_t)(colon - headers))
            || !is_value(colon + 1, (size_t)(end - colon - 1)))
            return false;
        headers = end + 1;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- Header lines -------------------------------------------------------------------------------- */

const char *pt_http_find(const char *headers, const char *name, size_t n, size_t *length)
{
    size_t name_length = strlen(name);
    for (const char *line = headers, *end; (end = strchr(line, '\n')); line = end + 1) {
        if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':' || n-- > 0)
            continue;
        const char *value = line + name_length + 1;
        while (value < end && is_blank(*value))
            value++;
        *length = (size_t)(end - value);
        return value;
    }
    return NULL;
}

/* The next of the words between commas; NULL: there is none. */
static const char *next_word(const char **at, const char *end, size_t *length)
{
    while (*at < end && (**at == ',' || is_blank(**at)))
        ++*at;
    const char *word = *at;
    while (*at < end && **at != ',')
        ++*at;
    const char *last = *at;
    while (last > word && is_blank(last[-1]))
        last--;
    *length = (size_t)(last - word);
    return *length ? word : NULL;
}

bool pt_http_has_word(const char *headers, const char *name, const char *word)
{
    size_t length, size, wanted = strlen(word);
    const char *value;
    for (size_t n = 0; (value = pt_http_find(headers, name, n, &length)); n++)
        for (const char *at = value, *found; (found = next_word(&at, value + length, &size));)
            if (size == wanted && strncasecmp(found, word, size) == 0)
                return true;
    return false;
}

static size_t count_of(const char *headers, const char *name)
{
    size_t n = 0, length;
    while (pt_http_find(headers, name, n, &length))
        n++;
    return n;
}

/* Rewrites "Name:value\r\n" lines as "Name: value\n", over themselves and behind `to`. 0, 400 or 431. */
static int rewrite_lines(char *to, char *line, const char *end)
{
    for (int n = 0; line < end; n++) {
        char *stop = memchr(line, '\r', (size_t)(end - line)), *colon = memchr(line, ':', (size_t)(end - line));
        if (n == HTTP_MOST_LINES)
            return 431;
        if (!stop || stop[1] != '\n' || !colon || colon > stop || !pt_http_is_token(line, (size_t)(colon - line)))
            return 400;
        char *value = colon + 1, *last = stop;
        while (value < last && is_blank(*value))
            value++;
        while (last > value && is_blank(last[-1]))
            last--;
        size_t name_length = (size_t)(colon - line), length = (size_t)(last - value);
        if (!is_value(value, length))
            return 400;
        memmove(to, line, name_length);
        to += name_length;
        /* ": " takes no more than ":" and the "\r" that is left out */
        memmove(to + 2, value, length);
        memcpy(to, ": ", 2);
        to += 2 + length;
        *to++ = '\n';
        line = stop + 2;
    }
    *to = '\0';
    return 0;
}

/* ---- What the lines say -------------------------------------------------------------------------- */

/* A length in digits; -1: it is none. */
static int64_t read_length(const char *text, size_t size)
{
    int64_t length = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(length, 10, &length)
            || __builtin_add_overflow(length, text[i] - '0', &length))
            return -1;
    return size ? length : -1;
}

/* Where the body ends. 0, 400 or 501. */
static int read_framing(struct http_head *head)
{
    size_t size, encodings = count_of(head->headers, "Transfer-Encoding");
    size_t lengths = count_of(head->headers, "Content-Length");
    head->framing = HTTP_NO_BODY;
    if (encodings) {
        const char *value = pt_http_find(head->headers, "Transfer-Encoding", 0, &size);
        if (lengths || !head->is_1_1)
            return 400;
        if (encodings > 1 || size != 7 || strncasecmp(value, "chunked", 7) != 0)
            return 501;
        head->framing = HTTP_CHUNKED;
    } else if (lengths) {
        const char *value = pt_http_find(head->headers, "Content-Length", 0, &size);
        head->length = read_length(value, size);
        if (lengths > 1 || head->length < 0)
            return 400;
        head->framing = head->length > 0 ? HTTP_LENGTH : HTTP_NO_BODY;
    }
    bool closes = pt_http_has_word(head->headers, "Connection", "close");
    head->keeps = !closes && (head->is_1_1 || pt_http_has_word(head->headers, "Connection", "keep-alive"));
    return 0;
}

/* "HTTP/1.1". 0, 400 or 505. */
static int read_version(struct http_head *head, const char *text)
{
    if (strncmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' || text[6] != '.' || text[7] < '0'
        || text[7] > '9')
        return 400;
    head->is_1_1 = text[7] != '0';
    return text[5] == '1' ? 0 : 505;
}

/* ---- Requests ------------------------------------------------------------------------------------ */

/* The target: a path, or a URL (whose host is not looked at), or "*" of an OPTIONS. */
static int read_target(struct http_head *head, char *target)
{
    for (const char *c = target; *c; c++)
        if (*c <= ' ' || *c >= 0x7F || *c == '#')
            return 400;
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        char *slash = strchr(strchr(target, ':') + 3, '/');
        target = slash ? slash : "/";
    }
    if (target[0] != '/' && strcmp(target, "*") != 0)
        return 400;
    head->path = target;
    char *mark = strchr(target, '?');
    head->query = "";
    if (mark) {
        *mark = '\0';
        head->query = mark + 1;
    }
    return 0;
}

int pt_http_read_request(struct http_head *head, char *data, size_t size)
{
    *head = (struct http_head){.method = "", .path = "", .query = "", .headers = ""};
    if (size < 4 || size > HTTP_MOST_HEAD || memchr(data, '\0', size))
        return size > HTTP_MOST_HEAD ? 431 : 400;
    char *end = data + size - 2, *line_end = memchr(data, '\r', size), *space = memchr(data, ' ', size);
    if (line_end[1] != '\n' || !space || space > line_end || line_end - data < 14)
        return 400;
    char *last = line_end - 9;          /* before "HTTP/1.1" */
    if (*last != ' ' || last <= space + 1 || !pt_http_is_token(data, (size_t)(space - data)))
        return 400;
    int status = read_version(head, last + 1);
    if (status)
        return status;
    if (last - space - 1 > HTTP_MOST_TARGET)
        return 414;
    *space = *last = '\0';
    head->method = data;
    /* The lines go where the version was, so that there is room for a '\0' behind them. */
    status = read_target(head, space + 1);
    if (status == 0)
        status = rewrite_lines(last + 1, line_end + 2, end);
    if (status)
        return status;
    head->headers = last + 1;
    size_t hosts = count_of(head->headers, "Host");
    if (hosts > 1 || (hosts == 0 && head->is_1_1))
        return 400;
    head->waits_for_100 = head->is_1_1 && pt_http_has_word(head->headers, "Expect", "100-continue");
    return read_framing(head);
}

/* ---- Answers ------------------------------------------------------------------------------------- */

int pt_http_read_answer(struct http_head *head, char *data, size_t size, const char *method)
{
    *head = (struct http_head){.method = "", .path = "", .query = "", .headers = ""};
    if (size < 17 || size > HTTP_MOST_HEAD || memchr(data, '\0', size))
        return -1;
    char *line_end = memchr(data, '\r', size);
    if (line_end - data < 12 || line_end[1] != '\n' || data[8] != ' ' || (data[12] != ' ' && data[12] != '\r')
        || read_version(head, data) != 0)
        return -1;
    for (int i = 9; i < 12; i++) {
        if (data[i] < '0' || data[i] > '9')
            return -1;
        head->status = 10 * head->status + data[i] - '0';
    }
    if (head->status < 100 || rewrite_lines(data, line_end + 2, data + size - 2) != 0)
        return -1;
    head->headers = data;
    bool has_lines = count_of(data, "Content-Length") || count_of(data, "Transfer-Encoding");
    if (read_framing(head) != 0)
        return -1;
    bool none = head->status < 200 || head->status == 204 || head->status == 304 || strcmp(method, "HEAD") == 0;
    if (none)
        head->framing = HTTP_NO_BODY;
    else if (!has_lines)
        head->framing = HTTP_UNTIL_CLOSE;
    head->keeps &= head->framing != HTTP_UNTIL_CLOSE;
    return 0;
}

const char *pt_http_reason(int status)
{
    static const struct { int status; const char *words; } reasons[] = {
        {100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"}, {201, "Created"}, {202, "Accepted"},
        {204, "No Content"}, {206, "Partial Content"}, {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
        {304, "Not Modified"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"},
        {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {413, "Content Too Large"}, {414, "URI Too Long"},
        {415, "Unsupported Media Type"}, {422, "Unprocessable Content"}, {426, "Upgrade Required"},
        {429, "Too Many Requests"}, {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
        {501, "Not Implemented"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return "";
}
