/* session.c - sessions: the runtime's records of them. */
#include "runtime/outside/http.h"
#include "runtime/state/loop.h"
#include "runtime/watch/report.h"

#include <stdlib.h>

/* The session's record, if it is one of this loop's that is open. What else the struct may hold, such as what a former
 * loop left there, is not looked into. */
static struct co_cookies *record_of(const struct co_session *session)
{
    struct co_cookies *record = co__loop && session->is_open ? co__loop->sessions : NULL;
    while (record && record != session->cookies)
        record = record->next;
    return record && record->number == session->number ? record : NULL;
}

struct co_cookies *co__session_enter(struct co_session *session, const void *pc)
{
    struct loop *loop = co__loop;
    struct co_cookies *record = record_of(session);
    if (!record) {
        record = calloc(1, sizeof *record);
        if (!record)
            return NULL;
        record->opened_at = pc;
        record->number = ++loop->last_session;
        record->next = loop->sessions;
        if (record->next)
            record->next->prev = record;
        loop->sessions = record;
        session->number = record->number;
        session->cookies = record;
        session->is_open = true;
    }
    record->requests++;
    return record;
}

static void record_free(struct co_cookies *record)
{
    co__cookies_clear(record);
    free(record);
}

void co__session_leave(struct co_cookies *record)
{
    record->requests--;
    if (record->closed && record->requests == 0)
        record_free(record);
}

void co_session_close(struct co_session *session)
{
    struct loop *loop = co__loop;
    struct co_cookies *record = record_of(session);
    session->number = 0;
    session->cookies = NULL;
    session->is_open = false;
    if (!record)
        return;
    if (record->prev)
        record->prev->next = record->next;
    else
        loop->sessions = record->next;
    if (record->next)
        record->next->prev = record->prev;
    loop->world->submit(loop->world, &(struct world_request){.op = WORLD_SESSION_CLOSE, .session = record->number});
    record->closed = true;
    if (record->requests == 0)
        record_free(record);
}

void co__sessions_report(struct loop *loop)
{
    for (const struct co_cookies *record = loop->sessions; record; record = record->next)
        co__leak(loop, "session", NULL, record->opened_at);
}

void co__sessions_free(struct loop *loop)
{
    while (loop->sessions) {
        struct co_cookies *record = loop->sessions;
        loop->sessions = record->next;
        record_free(record);
    }
}
