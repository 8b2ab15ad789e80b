/* gate.c - a server: it listens, lets clients in, and stops. */
#include "runtime/outside/tcp.h"
#include "runtime/state/op.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/group.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CLIENTS = 10000, MOST_BODY = 1 << 20, MOST_ADDRESS = 300 };

/* ---- Opening and closing ------------------------------------------------------------------------ */

static struct co_gate *gate_new(const struct co_server_options *options, const void *pc)
{
    struct servers *servers = co__servers();
    struct co_gate *gate = servers ? calloc(1, sizeof *gate) : NULL;
    if (!gate)
        return NULL;
    gate->options = *options;
    gate->opened_at = pc;
    if (!options->most_clients)
        gate->options.most_clients = MOST_CLIENTS;
    if (!options->most_body)
        gate->options.most_body = MOST_BODY;
    if (!options->buffer)
        gate->options.buffer = TCP_BUFFER;
    if (!options->idle)
        gate->options.idle = CO_SEC(60);
    if (!options->grace)
        gate->options.grace = CO_SEC(10);
    gate->next = servers->gates;
    if (gate->next)
        gate->next->prev = gate;
    servers->gates = gate;
    return gate;
}

static void gate_free(struct co_gate *gate)
{
    if (gate->prev)
        gate->prev->next = gate->next;
    else
        co__loop->servers->gates = gate->next;
    if (gate->next)
        gate->next->prev = gate->prev;
    free(gate);
}

static void tell_closed(const struct co_gate *gate)
{
    const struct world_request request = {.op = WORLD_SOCKET, .call = WORLD_SOCKET_CLOSE, .file = gate->number};
    co__loop->world->submit(co__loop->world, &request);
}

int co_server_open(struct co_server *server, const char *address, const struct co_server_options *options)
{
    static const struct co_server_options defaults;
    int rc;
    const void *pc = CALLER;
    *server = (struct co_server){0};
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    if (!options)
        options = &defaults;
    size_t length = address ? strlen(address) : 0;
    if (length == 0 || length > MOST_ADDRESS || options->most_clients < 0 || options->idle < 0 || options->grace < 0)
        return -EINVAL;
    struct co_gate *gate = gate_new(options, pc);
    struct world_request request = {.op = WORLD_SOCKET, .call = WORLD_SOCKET_LISTEN, .data = address, .size = length,
                                    .lengths = {(uint32_t)length}};
    struct op *op = gate ? co__op_submit(self, &request, NULL, NULL) : NULL;
    rc = -ENOMEM;
    if (op) {
        gate->number = op->id;
        rc = co__op_await(self, op, WAIT_SOCKET);
    }
    if (rc < 0) {
        if (rc == -ECANCELED)
            tell_closed(gate);              /* in case that it was open, and nobody had told us */
        if (gate)
            gate_free(gate);
        return rc;
    }
    *server = (struct co_server){gate, rc};
    return 0;
}

static void let_nobody_in(struct co_gate *gate)
{
    if (gate->closed)
        return;
    gate->closed = true;
    tell_closed(gate);
    if (gate->coming) {
        gate->coming->gate = NULL;
        co__tcp_close(gate->coming);
        gate->coming = NULL;
    }
}

/* This loop's, and not yet closed; else NULL. */
static struct co_gate *gate_of(const struct co_server *server)
{
    struct loop *loop = co__loop;
    struct co_gate *gate = loop && loop->servers && !co__in_job() ? loop->servers->gates : NULL;
    while (gate && gate != server->gate)
        gate = gate->next;
    return gate;
}

void co_server_close(struct co_server *server)
{
    struct co_gate *gate = gate_of(server);
    *server = (struct co_server){0};
    if (!gate)
        return;
    let_nobody_in(gate);
    if (!gate->serving) {
        gate_free(gate);
        return;
    }
    gate->stopping = true;              /* co_serve frees it */
    while (gate->waiting.first)
        co__wake(gate->waiting.first, 0);
}

void co_server_stop(struct co_server *server)
{
    struct co_gate *gate = gate_of(server);
    if (!gate)
        return;
    gate->stopping = true;
    while (gate->waiting.first)
        co__wake(gate->waiting.first, 0);
}

int co_server_clients(const struct co_server *server)
{
    const struct co_gate *gate = gate_of(server);
    return gate ? gate->count : 0;
}

/* ---- Serving --------------------------------------------------------------------------------------- */

static int let_in(struct co_gate *gate, struct co_group *group)
{
    struct co_client *client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    client->gate = gate;
    client->tcp = gate->coming;
    client->tcp->gate = NULL;
    client->tcp->buffer = gate->options.buffer;
    client->call.client = client;
    gate->coming = NULL;
    client->next = gate->clients;
    if (client->next)
        client->next->prev = client;
    gate->clients = client;
    gate->count++;
    if (co__group_spawn(group, co__client_run, client, "client", gate->pc))
        return 0;
    gate->clients = client->next;
    if (client->next)
        client->next->prev = NULL;
    gate->count--;
    co__tcp_close(client->tcp);
    free(client);
    return -ENOMEM;
}

/* Until it is asked to stop. Tasks of clients that have gone are forgotten. */
static int serve(struct co_task *self, struct co_gate *gate, struct co_group *group)
{
    struct world_request request;
    while (!gate->stopping) {
        int rc = 0;
        co__group_reap(group);
        if (self->cancel_now)
            return -ECANCELED;
        if (!gate->coming && gate->count < gate->options.most_clients) {
            request = (struct world_request){.call = WORLD_SOCKET_ACCEPT, .file = gate->number};
            if (!(gate->coming = co__tcp_new(&request)))
                return -ENOMEM;
            gate->coming->gate = gate;
        }
        if (gate->coming && gate->coming->open) {
            rc = let_in(gate, group);
        } else if (gate->coming && gate->coming->over) {        /* it was gone before it was let in */
            rc = gate->coming->rc;
            gate->coming->gate = NULL;
            co__tcp_close(gate->coming);
            gate->coming = NULL;
            rc = rc == -ECONNRESET || rc == -EMFILE ? 0 : rc;
        } else {
            rc = co__suspend_in(self, WAIT_CLIENT, gate, &gate->waiting);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Waits for all clients to go, at most `grace`; then they are told to. */
static void await_all(struct co_task *self, struct co_gate *gate, struct co_group *group)
{
    struct co_timeout limit;
    struct co_shield shield;
    int rc = 0;
    co_shield_begin(&shield);
    if (co__limit_begin(self, &limit, gate->options.grace) == 0) {
        while (gate->clients && rc == 0)
            rc = co__suspend_in(self, WAIT_CLIENT, gate, &gate->waiting);
        rc = co_timeout_end(&limit, rc);
    }
    if (gate->clients)
        co_group_cancel(group);
    while (gate->clients && co__suspend_in(self, WAIT_CLIENT, gate, &gate->waiting) == 0)
        ;
    co_shield_end(&shield);
}

int co_serve(struct co_server *server, const struct co_route routes[], size_t n, void *arg)
{
    int rc;
    const void *pc = CALLER;
    struct co_task *self = co__enter(pc, &rc);
    struct co_gate *gate = self ? gate_of(server) : NULL;
    if (!self)
        return rc;
    if (!gate || gate->closed)
        return -EBADF;
    if (gate->serving)
        return -EBUSY;
    gate->serving = true;
    gate->routes = routes;
    gate->route_count = n;
    gate->arg = arg;
    gate->pc = pc;
    CO_GROUP(group);
    rc = serve(self, gate, &group);
    let_nobody_in(gate);
    gate->stopping = true;
    for (struct co_client *client = gate->clients; client; client = client->next)
        co__client_stop(client);
    await_all(self, gate, &group);
    co__group_reap(&group);
    gate->serving = false;
    if (gate_of(server) != gate)        /* it was closed meanwhile */
        gate_free(gate);
    return rc;
}
