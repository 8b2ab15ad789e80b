/* request.c - one request: what it sends, where redirects lead, and waiting for its answer in either manner. */
#include "runtime/outside/http.h"
#include "runtime/outside/url.h"
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/time.h"
#include "runtime/watch/report.h"
#include "runtime/watch/tracing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_REDIRECTS = 10, SMALL_REQUEST = 512 };

/* ---- What a student may ask for --------------------------------------------------------------- */

/* A method or a header's name (RFC 9110's token). Returns its length. */
static size_t token(const char *text)
{
    const char *c = text;
    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')
           || (*c && strchr("!#$%&'*+-.^_`|~", *c)))
        c++;
    return (size_t)(c - text);
}

/* Headers that say where a request ends, whether its body may come, and what becomes of the connection. They are
 * written for the student: with others the server would take this request's bytes for another one's, or wait. */
static bool is_for_the_wire(const char *line, size_t name)
{
    static const char *const names[] = {"Connection", "Content-Length", "Expect", "Keep-Alive", "Proxy-Connection",
                                        "TE", "Trailer", "Transfer-Encoding", "Upgrade"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == name && strncasecmp(line, names[i], name) == 0)
            return true;
    return false;
}

/* Lines "Name: value\n", of which the last may lack its '\n'. No '\r' and no other control character but a tab:
 * what is not a header of its own cannot be smuggled in as part of another. And not two hosts. */
static bool headers_ok(const char *lines)
{
    bool has_host = false;
    for (const char *c = lines; c && *c;) {
        size_t name = token(c);
        bool is_host = name == 4 && strncasecmp(c, "Host", 4) == 0;
        if (name == 0 || c[name] != ':' || is_for_the_wire(c, name) || (is_host && has_host))
            return false;
        has_host |= is_host;
        for (c += name; *c && *c != '\n'; c++)
            if (((unsigned char)*c < ' ' && *c != '\t') || *c == 127)
                return false;
        c += *c == '\n';
    }
    return true;
}

/* "Authorization: Basic " and user[], "name:password", in base64 (RFC 4648). NULL: no memory. */
static char *basic(const char *user)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char begin[] = "Authorization: Basic ";
    const unsigned char *from = (const unsigned char *)user;
    size_t left = strlen(user);
    char *line = malloc(sizeof begin + (left + 2) / 3 * 4 + 1), *to = line;
    if (!line)
        return NULL;
    for (to = stpcpy(to, begin); left > 0; from += 3, left -= left < 3 ? left : 3) {
        uint32_t bits = (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0) | (left > 2 ? from[2] : 0u);
        for (size_t i = 0; i < 4; i++)
            *to++ = i <= left ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
    strcpy(to, "\n");
    return line;
}

/* The URL that stands in `moved` is sent as url_tidy makes it. 0 or -ENOMEM. (Rarely needed: its buffer is not to
 * lie in the way.) */
static __attribute__((noinline)) int tidy(struct fetch *fetch)
{
    char user[URL_MAX];
    fetch->url = fetch->moved;
    if (!url_is_tidy(fetch->moved)) {
        url_tidy(fetch->moved, user);
        if (*user) {
            free(fetch->credentials);
            if (!(fetch->credentials = basic(user)))
                return -ENOMEM;
        }
    }
    fetch->url_length = (uint32_t)strlen(fetch->moved);
    return 0;
}

static void drop_own(struct fetch *fetch)
{
    free(fetch->moved);
    free(fetch->credentials);
    fetch->moved = fetch->credentials = NULL;
}

/* Whose URL must be rewritten before it is sent. 0 or -ENOMEM. */
static __attribute__((noinline)) int begin_untidy(struct fetch *fetch)
{
    if (!(fetch->moved = malloc(URL_MAX)))
        return -ENOMEM;
    strcpy(fetch->moved, fetch->url);
    int rc = tidy(fetch);
    if (rc < 0)
        drop_own(fetch);
    return rc;
}

CO_HOT int co__fetch_begin(struct fetch *fetch, struct co_task *self, const struct co_request *request, const void *pc)
{
    *fetch = (struct fetch){.self = self, .pc = pc, .method = "GET", .method_length = 3, .url = request->url,
                            .headers = request->headers, .body = request->body, .length = request->length,
                            .once = request->once,
                            .redirects_left = request->max_redirects ? request->max_redirects : MOST_REDIRECTS};
    int plain = request->url ? url_plain_length(request->url) : 0, length = plain ? plain : url_length(request->url);
    if (length < 0)
        return length;
    fetch->url_length = (uint32_t)length;
    if (request->method) {
        fetch->method = request->method;
        fetch->method_length = (uint32_t)token(request->method);
        if (fetch->method_length == 0 || request->method[fetch->method_length])
            return -EINVAL;
    }
    if (request->timeout < 0 || request->max_redirects < -1 || request->length > UINT32_MAX
        || (request->length && !request->body) || (request->headers && !headers_ok(request->headers)))
        return -EINVAL;
    struct co_session *session = request->session;
    if (session && !headers_ok(session->headers))
        return -EINVAL;
    int rc = plain || url_is_tidy(fetch->url) ? 0 : begin_untidy(fetch);
    if (rc < 0 || !session)
        return rc;
    fetch->session_headers = session->headers;
    fetch->max_per_host = session->max_per_host;
    fetch->session = co__session_enter(session, pc);
    if (!fetch->session)
        drop_own(fetch);
    return fetch->session ? 0 : -ENOMEM;
}

void co__fetch_end(struct fetch *fetch)
{
    drop_own(fetch);
    if (fetch->session)
        co__session_leave(fetch->session);
}

int co__fetch_limit(const struct fetch *fetch, struct co_timeout *limit, int64_t ns)
{
    co_timeout_begin(limit, ns ? ns : CO_HTTP_TIMEOUT);
    if (!limit->scope)
        return -ENOMEM;
    limit->scope->begun_at = fetch->pc;
    /* Up at once: there was no memory for its timer. */
    return limit->scope->expired ? co_timeout_end(limit, -ENOMEM) : 0;
}

/* ---- What is sent ---------------------------------------------------------------------------- */

static bool is_named(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

/* Whether a line of the student's goes along: after redirects, not each does. */
static bool goes_along(const struct fetch *fetch, const char *line)
{
    if (fetch->left_site && (is_named(line, "Authorization") || is_named(line, "Cookie") || is_named(line, "Host")))
        return false;
    return !fetch->body_dropped || strncasecmp(line, "Content-", 8) != 0;
}

static bool has_name(const char *lines, const char *line)
{
    size_t length;
    return lines && co__header_find(lines, line, strcspn(line, ":"), &length, NULL) != NULL;
}

/* Writes the lines that go along, and of those none that `unless` has too. out
 * NULL: counts only. Returns how many bytes. */
static size_t write_lines(const struct fetch *fetch, const char *lines, const char *unless, char *out)
{
    size_t n = 0;
    for (const char *line = lines; line && *line;) {
        size_t length = strcspn(line, "\n");
        if (goes_along(fetch, line) && !has_name(unless, line)) {
            if (out) {
                memcpy(out + n, line, length);
                out[n + length] = '\n';
            }
            n += length + 1;
        }
        line += length + (line[length] == '\n');
    }
    return n;
}

/* The request's headers go before the session's of the same name, and a Cookie of the student's before the jar. */
static size_t write_headers(const struct fetch *fetch, char *out)
{
    size_t n = write_lines(fetch, fetch->headers, NULL, out);
    n += write_lines(fetch, fetch->session_headers, fetch->headers, out ? out + n : NULL);
    if (fetch->credentials && !has_name(fetch->headers, "Authorization:")
        && !has_name(fetch->session_headers, "Authorization:")) {
        size_t length = strlen(fetch->credentials);
        if (out)
            memcpy(out + n, fetch->credentials, length);
        n += length;
    }
    bool own_cookie = !fetch->left_site
        && (has_name(fetch->headers, "Cookie:") || has_name(fetch->session_headers, "Cookie:"));
    if (fetch->session && !own_cookie)
        n += co__cookies_write(fetch->session, fetch->url, co__loop->now, out ? out + n : NULL);
    return n;
}

/* Method, URL, headers and body one behind the other in data[], which has room for them. */
CO_HOT static struct op *submit(struct fetch *fetch, char *data, size_t headers,
                         void (*deliver)(struct op *, const struct world_completion *), void *arg)
{
    struct world_request request = {
        .op = WORLD_HTTP, .blocking = fetch->blocking, .window = fetch->window, .data = data,
        .sending = fetch->once ? WORLD_ONCE : WORLD_AGAIN,
        .lengths = {fetch->method_length, fetch->url_length, (uint32_t)headers, (uint32_t)fetch->length},
    };
    /* Closed meanwhile: a connection of its own, nobody would close it. */
    if (fetch->session && !fetch->session->closed) {
        request.session = fetch->session->number;
        request.max_per_host = fetch->max_per_host;
    }
    memcpy(data, fetch->method, fetch->method_length);
    data += fetch->method_length;
    memcpy(data, fetch->url, fetch->url_length);
    data += fetch->url_length;
    if (headers)
        write_headers(fetch, data);
    if (fetch->length)
        memcpy(data + headers, fetch->body, fetch->length);
    request.size = (size_t)fetch->method_length + fetch->url_length + headers + fetch->length;
    return co__op_submit(fetch->self, &request, deliver, arg);
}

struct op *co__fetch_submit(struct fetch *fetch, void (*deliver)(struct op *, const struct world_completion *),
                            void *arg, int *rc)
{
    bool cancelled = !fetch->blocking && fetch->self->cancel_now;       /* since the last redirect, or no time at all */
    *rc = cancelled ? co__refuse(fetch->self, fetch->pc) : -ENOMEM;
    if (cancelled)
        return NULL;
    size_t headers = fetch->headers || fetch->session || fetch->credentials ? write_headers(fetch, NULL) : 0;
    size_t size = fetch->method_length + fetch->url_length + headers + fetch->length;
    if (headers > UINT32_MAX)
        return NULL;
    if (size <= SMALL_REQUEST) {
        char data[size];                /* as much of the stack as it takes, and no more */
        return submit(fetch, data, headers, deliver, arg);
    }
    char *data = malloc(size);
    struct op *op = data ? submit(fetch, data, headers, deliver, arg) : NULL;
    free(data);
    return op;
}

/* ---- Redirects ------------------------------------------------------------------------------- */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_method(const struct fetch *fetch, const char *method)
{
    return strlen(method) == fetch->method_length && memcmp(method, fetch->method, fetch->method_length) == 0;
}

/* 303: go and GET it. 301 and 302 of a POST: so does everybody since the first browsers. 307, 308: the same again. */
static void change_method(struct fetch *fetch, int status)
{
    bool get = status == 303 ? !is_method(fetch, "HEAD") : (status == 301 || status == 302) && is_method(fetch, "POST");
    if (!get)
        return;
    fetch->method = "GET";
    fetch->method_length = 3;
    fetch->length = 0;
    fetch->body_dropped = true;
}

/* Goes to where the header Location, length bytes long, leads. (Rarely needed:
 * its buffers are not to lie in the way.) */
static __attribute__((noinline)) int move(struct fetch *fetch, int status, const char *location, size_t length)
{
    char text[URL_MAX], before[URL_MAX];
    if (fetch->redirects_left-- <= 0)
        return -ELOOP;
    if (length >= sizeof text)
        return -EINVAL;
    memcpy(text, location, length);
    text[length] = '\0';
    if (!fetch->moved && !(fetch->moved = malloc(URL_MAX)))
        return -ENOMEM;
    memcpy(before, fetch->url, fetch->url_length + 1);
    memcpy(fetch->moved, before, fetch->url_length + 1);
    int rc = url_resolve(fetch->moved, text);
    if (rc < 0)
        return rc;
    if (!url_same_site(before, fetch->moved)) {
        fetch->left_site = true;
        free(fetch->credentials);
        fetch->credentials = NULL;
    }
    rc = tidy(fetch);
    if (rc < 0)
        return rc;
    change_method(fetch, status);
    return 1;
}

CO_HOT int co__fetch_answered(struct fetch *fetch, int status, const char *headers)
{
    size_t length;
    if (fetch->session && !fetch->session->closed) {
        int rc = co__cookies_take(fetch->session, fetch->url, headers, co__loop->now);
        if (rc < 0)
            return rc;
    }
    if (!is_redirect(status) || fetch->redirects_left < 0)
        return 0;
    const char *location = co__header_find(headers, "Location", 8, &length, NULL);
    return location && length ? move(fetch, status, location, length) : 0;
}

/* ---- Waiting for the answer -------------------------------------------------------------------- */

static int wait_blocking(struct op *op, const struct fetch *fetch)
{
    struct loop *loop = co__loop;
    int64_t begin = loop->now;
    int rc = co__block_on(op, fetch->deadline);
    if (loop->trace)
        co__trace_block(loop->now - begin, "http", fetch->pc);
    return rc;
}

/* One answer, redirect or not. */
static int exchange(struct fetch *fetch, struct incoming *incoming)
{
    int rc;
    struct op *op = co__fetch_submit(fetch, co__answer_deliver, incoming, &rc);
    if (!op)
        return rc;
    rc = fetch->blocking ? wait_blocking(op, fetch) : co__op_await(fetch->self, op, WAIT_HTTP);
    if (rc >= 0 && incoming->cpu > 0)
        co__block(incoming->cpu, "cpu", fetch->pc);
    return rc < 0 ? rc : incoming->no_memory ? -ENOMEM : 0;
}

/* Until there is an answer that leads nowhere else. */
CO_HOT static int follow(struct fetch *fetch, struct co_response *resp)
{
    for (;;) {
        struct incoming incoming = {0};
        int rc = exchange(fetch, &incoming);
        if (rc == 0)
            rc = co__fetch_answered(fetch, incoming.status, incoming.answer->headers);
        if (rc == 0)
            return co__answer_finish(&incoming, fetch->pc, resp);
        co__answer_drop(&incoming);
        if (rc < 0)
            return rc;
    }
}

static int request_waiting(const struct co_request *request, struct co_response *resp, const void *pc)
{
    int rc;
    struct fetch fetch;
    struct co_timeout limit;
    *resp = (struct co_response){0};
    struct co_task *self = co__enter(pc, &rc);
    if (!self || (rc = co__fetch_begin(&fetch, self, request, pc)) < 0)
        return rc;
    rc = co__fetch_limit(&fetch, &limit, request->timeout);
    if (rc == 0)
        rc = co_timeout_end(&limit, follow(&fetch, resp));
    co__fetch_end(&fetch);
    return rc;
}

CO_HOT int co_http_get(const char *url, struct co_response *resp)
{
    const struct co_request request = {.url = url};
    return request_waiting(&request, resp, CALLER);
}

int co_http_request(const struct co_request *request, struct co_response *resp)
{
    return request_waiting(request, resp, CALLER);
}

int co_session_get(struct co_session *session, const char *url, struct co_response *resp)
{
    const struct co_request request = {.url = url, .session = session};
    return request_waiting(&request, resp, CALLER);
}

int http_get_blocking(const char *url, struct co_response *resp)
{
    struct fetch fetch;
    const void *pc = CALLER;
    const struct co_request request = {.url = url};
    *resp = (struct co_response){0};
    struct co_task *self = co__enter_always(pc);
    if (!self)
        return -EPERM;
    int rc = co__fetch_begin(&fetch, self, &request, pc);
    if (rc < 0)
        return rc;
    int64_t now = co__loop->now;
    fetch.blocking = true;
    fetch.deadline = now < INT64_MAX - CO_HTTP_TIMEOUT ? now + CO_HTTP_TIMEOUT : INT64_MAX;
    rc = follow(&fetch, resp);
    co__fetch_end(&fetch);
    return rc;
}
