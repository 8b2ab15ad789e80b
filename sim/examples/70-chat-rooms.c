/* 70 - A chat with rooms: what one says, all in the same room hear. Each has a queue of its own, so that one who does
 * not read keeps nobody waiting. Notice that the sleeper loses what does not fit, and that the others lose nothing.
 * asyncio: a set of connections, one asyncio.Queue and one sending task each. */
#include "co.h"
#include "co_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 3, LINE = 64 };

struct member {
    struct member *next;
    char name[16], room[16];
    struct co_ws ws;
    struct co_queue lines;                              /* said, and not yet sent to this one */
    int missed;
};

static struct member *members;

/* Everybody in the room gets a copy, or misses it: nobody waits. */
static void tell(const char *room, const char *name, const char *what)
{
    printf("%4lld ms  [%s] %s: %s\n", (long long)(co_now() / CO_MS(1)), room, name, what);
    for (struct member *m = members; m; m = m->next) {
        char *line = strcmp(m->room, room) == 0 ? malloc(LINE) : NULL;
        if (line)
            snprintf(line, LINE, "%s: %s", name, what);
        if (line && co_queue_try_put(&m->lines, line) < 0) {
            m->missed++;
            free(line);
        }
    }
}

/* Sends what has been said, as fast as this one reads. */
static int sender(void *job)
{
    struct member *m = job;
    void *line;
    int rc;
    while ((rc = co_queue_get(&m->lines, &line)) == 0) {
        rc = co_ws_send_text(&m->ws, line);
        free(line);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int listen_to(struct member *m)
{
    struct co_message message;
    CO_GROUP(group);
    co_spawn(&group, sender, m);
    int rc;
    while ((rc = co_ws_recv(&m->ws, &message)) > 0)
        tell(m->room, m->name, message.data);
    co_group_cancel(&group);
    return rc;
}

static void leave(struct member *m)
{
    void *line;
    struct member **at = &members;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    while (co_queue_try_get(&m->lines, &line) == 0)
        free(line);
    co_queue_destroy(&m->lines);
    co_ws_end(&m->ws);
    char missed[LINE];
    snprintf(missed, sizeof missed, "has left, having missed %d", m->missed);
    tell(m->room, m->name, missed);
}

static int chat(struct co_call *call, void *arg)
{
    struct member m = {0};
    (void)arg;
    if (!co_call_param(call, "room", m.room, sizeof m.room) || !co_call_param(call, "name", m.name, sizeof m.name))
        return co_reply_text(call, 400, "a name that is too long\n");
    int rc = co_ws_accept(&m.ws, call, NULL);
    if (rc < 0)
        return rc;
    co_queue_init(&m.lines, LINES);
    m.next = members;
    members = &m;
    tell(m.room, m.name, "is here");
    rc = listen_to(&m);
    leave(&m);
    return rc;
}

static int serve(void *job)
{
    static const struct co_route routes[] = {{"GET", "/:room/:name", chat}};
    struct co_server_options options = {.buffer = 30, .grace = CO_SEC(1)};
    (void)job;
    CO_SERVER(server);
    int rc = co_server_open(&server, ":8080", &options);
    return rc < 0 ? rc : co_serve(&server, routes, 1, NULL);
}

int main(void)
{
    struct co_options options = {.world_file = "sim/examples/70-chat-rooms.json"};
    return co_run(serve, NULL, &options) != -EINTR;
}
