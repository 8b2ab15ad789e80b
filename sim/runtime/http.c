/* http.c - the HTTP client: one request and its redirects, waiting or blocking. */
#include "runtime.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_REDIRECTS = 10, FIRST_BODY = 256, LARGEST_TRUSTED_LENGTH = 256 * 1024 * 1024 };

/* ---- The answer, while it comes in --------------------------------------------------------- */

/* One request under way. */
struct exchange {
    struct co_answer *answer;
    int status;
    int64_t cpu;                /* ns that handling the answer costs this program */
    bool no_memory;
};

static struct co_answer *answer_new(const void *pc)
{
    struct loop *loop = co__loop;
    struct co_answer *answer = calloc(1, sizeof *answer);
    if (!answer)
        return NULL;
    answer->received_at = pc;
    answer->next = loop->answers;
    if (answer->next)
        answer->next->prev = answer;
    loop->answers = answer;
    return answer;
}

static void answer_free(struct co_answer *answer)
{
    struct loop *loop = co__loop;
    if (answer->prev)
        answer->prev->next = answer->next;
    else if (loop)
        loop->answers = answer->next;
    if (answer->next)
        answer->next->prev = answer->prev;
    free(answer->body);
    free(answer->headers);
    free(answer);
}

void co__answers_free(struct loop *loop)
{
    while (loop->answers)
        answer_free(loop->answers);
}

/* Room for `more` bytes and a '\0'. With a believable Content-Length it is made once, in the right size. */
static bool reserve(struct co_answer *answer, size_t more)
{
    size_t needed = answer->length + more + 1;
    if (needed <= answer->capacity)
        return true;
    size_t capacity = answer->capacity ? 2 * answer->capacity : FIRST_BODY;
    if (capacity < needed)
        capacity = needed;
    char *body = realloc(answer->body, capacity);
    if (!body)
        return false;
    answer->body = body;
    answer->capacity = capacity;
    return true;
}

static bool take_head(struct exchange *x, const struct world_completion *completion)
{
    char length[32];
    struct co_answer *answer = x->answer;
    x->status = completion->status;
    answer->headers = malloc(completion->head + 1);
    if (!answer->headers)
        return false;
    if (completion->head)
        memcpy(answer->headers, completion->data, completion->head);
    answer->headers[completion->head] = '\0';
    const struct co_response view = {.headers = answer->headers};
    if (completion->parts == WORLD_HEAD && co_response_header(&view, "Content-Length", length, sizeof length)) {
        unsigned long long expected = strtoull(length, NULL, 10);
        if (expected <= LARGEST_TRUSTED_LENGTH)
            return reserve(answer, expected);
    }
    return true;
}

static void deliver(struct op *op, const struct world_completion *completion)
{
    struct exchange *x = op->arg;
    const char *data = completion->data;
    size_t head = completion->parts & WORLD_HEAD ? completion->head : 0, size = completion->size - head;
    x->cpu += completion->cpu;
    if (x->no_memory)
        return;
    if (completion->parts & WORLD_HEAD && !take_head(x, completion))
        x->no_memory = true;
    else if (completion->parts & WORLD_BODY && !reserve(x->answer, size))
        x->no_memory = true;
    else if (completion->parts & WORLD_BODY && size) {
        memcpy(x->answer->body + x->answer->length, data + head, size);
        x->answer->length += size;
    }
}

/* ---- One request ----------------------------------------------------------------------------- */

/* How the caller wants to wait. */
struct manner {
    const void *pc;             /* the student's line                                           */
    bool blocking;
    int64_t deadline;           /* blocking: ns                                                 */
};

static int wait_blocking(struct op *op, const struct manner *manner)
{
    struct loop *loop = co__loop;
    int64_t begin = loop->now;
    int rc = co__block_on(op, manner->deadline);
    if (loop->trace)
        co__trace_block(loop->now - begin, "http", manner->pc);
    return rc;
}

/* GET `url` into x. Returns 0 when there is an answer. */
static int exchange_run(struct co_task *self, const char *url, struct exchange *x, const struct manner *manner)
{
    char data[3 + URL_MAX];
    size_t length = strlen(url);
    memcpy(data, "GET", 3);
    memcpy(data + 3, url, length);
    struct world_request request = {.op = WORLD_HTTP, .blocking = manner->blocking,
                                    .lengths = {3, (uint32_t)length, 0, 0}, .data = data, .size = 3 + length};
    struct op *op = co__op_submit(self, &request, deliver, x);
    if (!op)
        return -ENOMEM;
    int rc = manner->blocking ? wait_blocking(op, manner) : co__op_await(self, op, WAIT_HTTP);
    if (rc < 0)
        return rc;
    if (x->no_memory || !reserve(x->answer, 0))
        return -ENOMEM;
    x->answer->body[x->answer->length] = '\0';
    if (x->cpu > 0)
        co__block(x->cpu, "cpu", manner->pc);
    return 0;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows redirects from url[] (which it overwrites) until there is an answer that is none. */
static int follow(struct co_task *self, char url[URL_MAX], struct co_response *resp, const struct manner *manner)
{
    for (int hops = 0; hops <= MOST_REDIRECTS; hops++) {
        struct exchange x = {.answer = answer_new(manner->pc)};
        if (!x.answer)
            return -ENOMEM;
        int rc = exchange_run(self, url, &x, manner);
        if (rc < 0) {
            answer_free(x.answer);
            return rc;
        }
        *resp = (struct co_response){.status = x.status, .body = x.answer->body, .length = x.answer->length,
                                     .headers = x.answer->headers, .answer = x.answer};
        char location[URL_MAX];
        if (!is_redirect(x.status) || !co_response_header(resp, "Location", location, sizeof location))
            return 0;
        rc = url_resolve(url, location);
        co_response_free(resp);
        if (rc < 0)
            return rc;
    }
    return -ELOOP;
}

int co_http_get(const char *url, struct co_response *resp)
{
    int rc;
    char current[URL_MAX];
    struct co_timeout limit;
    struct manner manner = {.pc = CALLER};
    *resp = (struct co_response){0};
    struct co_task *self = co__enter(manner.pc, &rc);
    if (!self || (rc = url_check(url, current)) < 0)
        return rc;
    co_timeout_begin(&limit, CO_HTTP_TIMEOUT);
    return co_timeout_end(&limit, follow(self, current, resp, &manner));
}

int http_get_blocking(const char *url, struct co_response *resp)
{
    int rc;
    char current[URL_MAX];
    struct manner manner = {.pc = CALLER, .blocking = true};
    *resp = (struct co_response){0};
    struct co_task *self = co__enter_always(manner.pc);
    if (!self)
        return -EPERM;
    if ((rc = url_check(url, current)) < 0)
        return rc;
    int64_t now = co__loop->now;
    manner.deadline = now < INT64_MAX - CO_HTTP_TIMEOUT ? now + CO_HTTP_TIMEOUT : INT64_MAX;
    return follow(self, current, resp, &manner);
}

void co_response_free(struct co_response *resp)
{
    if (resp->answer)
        answer_free(resp->answer);
    *resp = (struct co_response){0};
}

const char *co_response_header(const struct co_response *resp, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    for (const char *line = resp->headers; line && *line;) {
        const char *end = strchr(line, '\n');
        if (!end)
            end = line + strlen(line);
        if ((size_t)(end - line) > length && line[length] == ':' && strncasecmp(line, name, length) == 0) {
            const char *from = line + length + 1;
            while (from < end && *from == ' ')
                from++;
            if (size)
                snprintf(value, size, "%.*s", (int)(end - from), from);
            return value;
        }
        line = *end ? end + 1 : end;
    }
    return NULL;
}
