/* answer.c - the memory of an answer: one block where all of it comes at once, else a body that grows. */
#include "runtime/outside/http.h"
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/watch/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIRST_BODY = 256, LARGEST_TRUSTED_LENGTH = 256 * 1024 * 1024 };

static void answer_free(struct co_answer *answer)
{
    if (answer->capacity)
        free(answer->body);
    free(answer);
}

/* What was not freed when its loop ended, and was reported as a leak: it may still be freed, late. */
static _Thread_local struct co_answer *left_over;

static void list_add(struct co_answer **list, struct co_answer *answer)
{
    answer->next = *list;
    answer->link = list;
    if (answer->next)
        answer->next->link = &answer->next;
    *list = answer;
}

static void list_remove(struct co_answer *answer)
{
    *answer->link = answer->next;
    if (answer->next)
        answer->next->link = answer->link;
}

void co__answers_report(struct loop *loop)
{
    for (const struct co_answer *answer = loop->answers; answer; answer = answer->next)
        co__leak(loop, "response", NULL, answer->received_at);
}

void co__answers_leave(struct loop *loop)
{
    for (struct co_answer *answer; (answer = loop->answers);) {
        list_remove(answer);
        list_add(&left_over, answer);
    }
}

/* ---- While it comes in ---------------------------------------------------------------------- */

static struct co_answer *answer_new(const struct world_completion *completion)
{
    bool whole = completion->parts & WORLD_END;     /* then the body goes behind the headers */
    size_t head = completion->head, body = whole ? completion->size - head : 0;
    struct co_answer *answer = malloc(sizeof *answer + head + 1 + body + 1);
    if (!answer)
        return NULL;
    *answer = (struct co_answer){.headers = (char *)(answer + 1)};
    if (head)
        memcpy(answer->headers, completion->data, head);
    answer->headers[head] = '\0';
    if (!whole)
        return answer;
    answer->body = answer->headers + head + 1;
    answer->length = body;
    if (body)
        memcpy(answer->body, (const char *)completion->data + head, body);
    answer->body[body] = '\0';
    return answer;
}

/* Room for `more` bytes and a '\0'. */
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

/* With a believable Content-Length room is made once, of the right size. */
static bool reserve_all(struct co_answer *answer)
{
    size_t length;
    const char *text = co__header_find(answer->headers, "Content-Length", 14, &length, NULL);
    unsigned long long expected = text ? strtoull(text, NULL, 10) : 0;
    return expected == 0 || expected > LARGEST_TRUSTED_LENGTH || reserve(answer, (size_t)expected);
}

static bool add_body(struct co_answer *answer, const char *data, size_t size)
{
    if (!reserve(answer, size))
        return false;
    memcpy(answer->body + answer->length, data, size);
    answer->length += size;
    return true;
}

CO_HOT void co__answer_deliver(struct op *op, const struct world_completion *completion)
{
    struct incoming *incoming = op->arg;
    size_t head = 0;
    incoming->cpu += completion->cpu;
    if (incoming->no_memory)
        return;
    if (completion->parts & WORLD_HEAD) {
        head = completion->head;
        incoming->status = completion->status;
        incoming->answer = answer_new(completion);
        if (incoming->answer && completion->parts & WORLD_END)
            return;
        if (!incoming->answer || !reserve_all(incoming->answer)) {
            incoming->no_memory = true;
            return;
        }
    }
    size_t size = completion->size - head;
    if (completion->parts & WORLD_BODY && size
        && !add_body(incoming->answer, (const char *)completion->data + head, size))
        incoming->no_memory = true;
}

void co__answer_drop(struct incoming *incoming)
{
    if (incoming->answer)
        answer_free(incoming->answer);
    incoming->answer = NULL;
}

CO_HOT int co__answer_finish(struct incoming *incoming, const void *pc, struct co_response *resp)
{
    struct co_answer *answer = incoming->answer;
    if (incoming->no_memory || !answer || ((!answer->body || answer->capacity) && !reserve(answer, 0))) {
        co__answer_drop(incoming);
        return -ENOMEM;
    }
    answer->body[answer->length] = '\0';
    answer->received_at = pc;
    list_add(&co__loop->answers, answer);
    *resp = (struct co_response){.status = incoming->status, .body = answer->body, .length = answer->length,
                                 .headers = answer->headers, .answer = answer};
    return 0;
}

/* ---- The student's --------------------------------------------------------------------------- */

CO_HOT void co_response_free(struct co_response *resp)
{
    struct co_answer *answer = resp->answer;
    *resp = (struct co_response){0};
    if (!answer)
        return;
    list_remove(answer);
    /* Who still reads it shall notice. */
    memset(answer->body, '#', answer->length < FIRST_BODY ? answer->length : FIRST_BODY);
    answer_free(answer);
}

const char *co__header_find(const char *lines, const char *name, size_t name_length, size_t *length, const char **from)
{
    for (const char *line = from && *from ? *from : lines, *end; line && *line; line = *end ? end + 1 : end) {
        end = strchr(line, '\n');
        if (!end)
            end = line + strlen(line);
        if ((size_t)(end - line) <= name_length || line[name_length] != ':'
            || strncasecmp(line, name, name_length) != 0)
            continue;
        const char *value = line + name_length + 1;
        while (value < end && (*value == ' ' || *value == '\t'))
            value++;
        *length = (size_t)(end - value);
        if (from)
            *from = *end ? end + 1 : end;
        return value;
    }
    return NULL;
}

const char *co_response_header(const struct co_response *resp, const char *name, char *value, size_t size)
{
    size_t length;
    const char *found = co__header_find(resp->headers, name, strlen(name), &length, NULL);
    if (!found)
        return NULL;
    if (size) {
        size_t n = length < size ? length : size - 1;
        memcpy(value, found, n);
        value[n] = '\0';
    }
    return value;
}
