/* database_call.c - one call to a database. */
#include "runtime/outside/database.h"
#include "runtime/state/op.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/scope.h"
#include "world/sql/failure.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(CO_ECONSTRAINT == SQL_CONSTRAINT && CO_ESERIAL == SQL_SERIAL && CO_ESQL == SQL_WRONG
               && CO_EFAILED == SQL_FAILED && CO_ECROWDED == SQL_CROWDED
               && (int)CO_TX_READ == (int)WORLD_DATABASE_READS, "the worlds say it otherwise");

static _Thread_local char message[256];

const char *co_db_message(void)
{
    return message;
}

void co__database_says(const char *text, size_t size)
{
    if (size >= sizeof message)
        size = sizeof message - 1;
    if (size)
        memcpy(message, text, size);
    message[size] = '\0';
}

static void deliver(struct op *op, const struct world_completion *completion)
{
    struct reply *reply = op->arg;
    reply->more = completion->status == 1;
    if (completion->size == 0)
        return;
    reply->bytes = malloc(completion->size);
    if (!reply->bytes) {
        reply->no_memory = true;
        return;
    }
    memcpy(reply->bytes, completion->data, completion->size);
    reply->size = completion->size;
}

/* Text and values go to the world as one piece. NULL: no memory. */
static struct op *submit(struct co_task *self, struct world_request *request, const char *text,
                         const struct flat *values, struct reply *reply)
{
    size_t length = text ? strlen(text) : 0, size = values ? values->length : 0;
    char few[512];
    if (length > UINT32_MAX / 2 || size > UINT32_MAX / 2 || (values && values->failed))
        return NULL;
    char *data = length + size <= sizeof few ? few : malloc(length + size);
    if (!data)
        return NULL;
    if (length)
        memcpy(data, text, length);
    if (size)
        memcpy(data + length, values->at, size);
    request->op = WORLD_DATABASE;
    request->lengths[0] = (uint32_t)length;
    request->lengths[1] = (uint32_t)size;
    request->data = data;
    request->size = length + size;
    struct op *op = co__op_submit(self, request, deliver, reply);
    if (data != few)
        free(data);
    return op;
}

int co__database_call(struct co_task *self, struct co_link *link, struct world_request request, const char *text,
                      const struct flat *values, struct reply *reply, uint64_t *number)
{
    message[0] = '\0';
    *reply = (struct reply){0};
    if (link)
        request.file = link->number;
    struct op *op = submit(self, &request, text, values, reply);
    if (!op)
        return -ENOMEM;
    if (number)
        *number = op->id;
    if (link)
        link->busy = true;
    int rc = co__op_await(self, op, WAIT_DATABASE);
    if (link)
        link->busy = false;
    if (rc >= 0 && reply->no_memory)
        rc = -ENOMEM;
    if (rc == -ECONNRESET && link)
        link->lost = true;
    if (rc < 0) {
        co__database_says(reply->bytes, reply->size);
        free(reply->bytes);
        *reply = (struct reply){0};
    }
    return rc;
}

int co__database_limit(const struct co_database *base, struct co_timeout *limit, const void *pc)
{
    co_timeout_begin(limit, base->timeout);
    if (!limit->scope)
        return -ENOMEM;
    limit->scope->begun_at = pc;
    return limit->scope->expired ? co_timeout_end(limit, -ENOMEM) : 0;  /* no memory for its timer */
}

void co__database_tell(struct co_link *link, enum world_database_call call)
{
    struct world_request request = {.op = WORLD_DATABASE, .call = call, .file = link->number};
    co__loop->world->submit(co__loop->world, &request);
}

void co__rollback(struct co_link *link)
{
    static struct reply nobodys;
    struct world_request request = {.op = WORLD_DATABASE, .call = WORLD_DATABASE_ROLLBACK, .file = link->number};
    if (!link->in_transaction)
        return;
    link->in_transaction = false;
    if (link->lost)
        return;
    struct co_task *self = co__loop->current;
    struct op *op = self ? co__op_submit(self, &request, deliver, &nobodys) : NULL;
    if (op)
        op->task = NULL;            /* its completion goes nowhere */
    else
        link->lost = true;          /* to be closed: that rolls back, too */
}
