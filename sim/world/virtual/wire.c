/* wire.c - a connection: what is sent from one end arrives at the other, in order, half a round trip later. */
#include "virtual.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Wires ------------------------------------------------------------------------------------------- */

static bool end_open(struct world *world, struct wire *wire, int i, size_t window)
{
    struct end *end = &wire->ends[i];
    end->wire = wire;
    end->other = &wire->ends[1 - i];
    end->window = window;
    end->carrier = vw_socket_new(world, SOCKET_CARRIER);
    if (end->carrier)
        end->carrier->end = end;
    return end->carrier != NULL;
}

static void end_free(struct end *end)
{
    pt_bytes_free(&end->coming);
    pt_bytes_free(&end->here);
    pt_bytes_free(&end->shown);
    pt_bytes_free(&end->pending);
    free(end->arrivals);
}

static void carrier_free(struct world *world, struct end *end)
{
    if (!end->carrier)
        return;
    vw_event_clear(world, &end->carrier->operation);
    end->carrier->end = NULL;
    vw_operation_undo(world, &end->carrier->operation);
}

static void wire_free(struct world *world, struct wire *wire)
{
    for (int i = 0; i < 2; i++) {
        carrier_free(world, &wire->ends[i]);
        end_free(&wire->ends[i]);
    }
    if (wire->prev)
        wire->prev->next = wire->next;
    else if (world->guests.wires == wire)
        world->guests.wires = wire->next;
    if (wire->next)
        wire->next->prev = wire->prev;
    free(wire);
}

void vw_wires_free(struct guests *guests)
{
    while (guests->wires) {
        struct wire *wire = guests->wires;
        guests->wires = wire->next;
        end_free(&wire->ends[0]);
        end_free(&wire->ends[1]);
        free(wire);
    }
}

/* ---- What is on its way --------------------------------------------------------------------------------- */

static struct arrival *arrival_at(const struct end *end, size_t i)
{
    return &end->arrivals[(end->arrival_first + i) % end->arrival_room];
}

static bool grow(struct end *end)
{
    size_t room = end->arrival_room ? 2 * end->arrival_room : 4;
    struct arrival *arrivals = malloc(room * sizeof *arrivals);
    if (!arrivals)
        return false;
    for (size_t i = 0; i < end->arrival_count; i++)
        arrivals[i] = *arrival_at(end, i);
    free(end->arrivals);
    end->arrivals = arrivals;
    end->arrival_first = 0;
    end->arrival_room = room;
    return true;
}

/* Something cannot arrive: the connection breaks, at both ends. */
static void lose(struct world *world, struct wire *wire)
{
    for (int i = 0; i < 2; i++) {
        struct end *end = &wire->ends[i];
        end->lost = true;
        if (end->carrier->operation.place == 0)
            vw_event_set(world, &end->carrier->operation, world->now);
    }
}

/* Sets something on its way to `end`. Where there is no memory for that, the connection breaks. */
static void set_out(struct world *world, struct end *end, enum arrives what, size_t n)
{
    int64_t time = vw_later(world->now, end->wire->delay);
    struct arrival *last = end->arrival_count ? arrival_at(end, end->arrival_count - 1) : NULL;
    if (end->other->silent)
        return;
    if (last && last->time == time && last->what == what && (what == ARRIVES_BYTES || what == ARRIVES_ROOM)) {
        last->n += n;
        return;
    }
    if (end->arrival_count == end->arrival_room && !grow(end)) {
        lose(world, end->wire);
        return;
    }
    *arrival_at(end, end->arrival_count++) = (struct arrival){time, what, n};
    if (end->arrival_count == 1 && end->carrier->operation.place == 0)
        vw_event_set(world, &end->carrier->operation, time);
}

struct wire *vw_wire_new(struct world *world, int64_t delay, size_t window)
{
    struct wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        return NULL;
    wire->delay = delay;
    if (!end_open(world, wire, 0, window) || !end_open(world, wire, 1, window)) {
        wire_free(world, wire);
        return NULL;
    }
    wire->next = world->guests.wires;
    if (wire->next)
        wire->next->prev = wire;
    world->guests.wires = wire;
    set_out(world, &wire->ends[1], ARRIVES_HELLO, 0);
    return wire;
}

/* ---- Sending ---------------------------------------------------------------------------------------------- */

/* Sends what there is room for; returns how many bytes. */
static size_t send(struct world *world, struct end *end, const char *bytes, size_t size)
{
    struct end *other = end->other;
    size_t room = other->window > end->outstanding ? other->window - end->outstanding : 0;
    size_t n = size < room ? size : room;
    if (n == 0 || end->broken)
        return 0;
    end->outstanding += n;
    if (end->silent)                    /* they get nowhere, and are never read */
        return n;
    if (!pt_bytes_add(&other->coming, bytes, n)) {
        lose(world, end->wire);
        return n;
    }
    set_out(world, other, ARRIVES_BYTES, n);
    return n;
}

void vw_end_pump(struct world *world, struct end *end)
{
    if (end->pending.size)
        pt_bytes_drop(&end->pending, send(world, end, pt_bytes_begin(&end->pending), end->pending.size));
    for (struct socket *write; end->pending.size == 0 && (write = (struct socket *)end->writes.first);) {
        write->sent += send(world, end, write->data + write->sent, write->size - write->sent);
        if (write->sent < write->size)
            break;
        vw_line_remove(&write->operation);
        vw_write_end(world, write, 0);
    }
    if (end->finishes && !end->finished && end->pending.size == 0 && !end->writes.first && !end->broken) {
        end->finished = true;
        set_out(world, end->other, ARRIVES_FIN, 0);
    }
}

void vw_end_send(struct world *world, struct end *end, const void *bytes, size_t size)
{
    if (end->broken || end->finishes)
        return;
    if (!pt_bytes_add(&end->pending, bytes, size))
        lose(world, end->wire);
    vw_end_pump(world, end);
}

void vw_end_read(struct world *world, struct end *end, size_t n)
{
    if (n && !end->broken)
        set_out(world, end->other, ARRIVES_ROOM, n);
}

void vw_end_finish(struct world *world, struct end *end)
{
    end->finishes = true;
    vw_end_pump(world, end);
}

/* It breaks here and now; the other end hears of it. */
void vw_end_reset(struct world *world, struct end *end)
{
    if (end->broken)
        return;
    set_out(world, end->other, ARRIVES_RESET, 0);
    end->broken = true;
}

/* Nothing is on its way any more to anybody. */
static bool is_empty(const struct end *end)
{
    return end->let_go && end->arrival_count == 0 && (end->broken || end->finished || end->silent);
}

static void free_if_done(struct world *world, struct wire *wire)
{
    if (is_empty(&wire->ends[0]) && is_empty(&wire->ends[1]))
        wire_free(world, wire);
}

void vw_end_let_go(struct world *world, struct end *end)
{
    for (struct socket *write; (write = (struct socket *)end->writes.first);) {
        vw_line_remove(&write->operation);
        if (!pt_bytes_add(&end->pending, write->data + write->sent, write->size - write->sent))
            vw_end_reset(world, end);
        vw_write_end(world, write, 0);
    }
    end->let_go = true;
    end->socket = NULL;
    end->guest = NULL;
    vw_end_finish(world, end);
    free_if_done(world, end->wire);
}

/* ---- Arriving ------------------------------------------------------------------------------------------------ */

static void break_here(struct world *world, struct end *end)
{
    end->broken = true;
    for (struct socket *write; (write = (struct socket *)end->writes.first);) {
        vw_line_remove(&write->operation);
        vw_write_end(world, write, -ECONNRESET);
    }
    pt_bytes_free(&end->pending);
}

static void take_bytes(struct world *world, struct end *end, size_t n)
{
    if (end->let_go) {                  /* nobody wants them */
        pt_bytes_drop(&end->coming, n);
        vw_end_reset(world, end);
        return;
    }
    if (!pt_bytes_add(&end->here, pt_bytes_begin(&end->coming), n))
        lose(world, end->wire);
    pt_bytes_drop(&end->coming, n);
}

static void arrive(struct world *world, struct end *end, struct arrival arrival)
{
    if (end->silent || (end->broken && arrival.what != ARRIVES_BYTES))
        return;
    switch (arrival.what) {
    case ARRIVES_HELLO:
        if (!vw_listener_come(world, end)) {
            vw_end_reset(world, end);
            end->let_go = true;
        }
        return;
    case ARRIVES_BYTES: take_bytes(world, end, arrival.n); break;
    case ARRIVES_ROOM:
        end->outstanding -= arrival.n < end->outstanding ? arrival.n : end->outstanding;
        vw_end_pump(world, end);
        return;
    case ARRIVES_FIN: end->over = true; break;
    case ARRIVES_RESET: break_here(world, end); break;
    }
    if (!end->let_go)
        vw_end_tell(world, end, arrival.what);
}

void vw_carrier_step(struct world *world, struct end *end)
{
    struct socket *carrier = end->carrier;
    if (end->lost && !end->broken) {
        end->arrival_count = 0;
        break_here(world, end);
        if (!end->let_go)
            vw_end_tell(world, end, ARRIVES_RESET);
    }
    while (carrier->end && end->arrival_count > 0 && arrival_at(end, 0)->time <= world->now) {
        struct arrival arrival = *arrival_at(end, 0);
        end->arrival_first = (end->arrival_first + 1) % end->arrival_room;
        end->arrival_count--;
        arrive(world, end, arrival);
    }
    if (!carrier->end)
        return;                         /* that was the end of it */
    if (end->arrival_count > 0 && carrier->operation.place == 0)
        vw_event_set(world, &carrier->operation, arrival_at(end, 0)->time);
    if (end->arrival_count == 0)
        free_if_done(world, end->wire);
}
