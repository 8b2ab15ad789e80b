/* guest.c - a client of the world file: it comes, and does a step after the other. */
#include "draw.h"
#include "virtual.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Beginning and end --------------------------------------------------------------------------------- */

bool vw_guests_open(struct world *world)
{
    struct guests *guests = &world->guests;
    size_t n = 0;
    for (size_t i = 0; i < guests->script_count; i++)
        n += (size_t)guests->scripts[i].count;
    if (n == 0 && !guests->has_stop)
        return true;
    guests->all = calloc(n ? n : 1, sizeof *guests->all);
    guests->stopper = guests->all ? vw_socket_new(world, SOCKET_STOP) : NULL;
    for (size_t i = 0; guests->stopper && i < guests->script_count; i++)
        for (int64_t k = 0; k < guests->scripts[i].count; k++) {
            const struct script *script = &guests->scripts[i];
            struct guest *guest = &guests->all[guests->count++];
            *guest = (struct guest){.script = script, .number = k + 1};
            guest->timer = vw_socket_new(world, SOCKET_TIMER);
            guest->reader = vw_socket_new(world, SOCKET_READER);
            if (!guest->timer || !guest->reader)
                return false;
            guest->timer->guest = guest->reader->guest = guest;
            vw_event_set(world, &guest->timer->operation, vw_later(script->at, vw_scale(k, script->every, 1)));
        }
    guests->busy = guests->count;
    if (guests->stopper && guests->has_stop)
        vw_event_set(world, &guests->stopper->operation, guests->stop);
    return guests->stopper != NULL;
}

static void script_free(struct script *script)
{
    for (size_t i = 0; i < script->step_count; i++) {
        struct step *step = &script->steps[i];
        free(step->path);
        free(step->method);
        free(step->headers);
        free(step->bytes);
    }
    free(script->steps);
    free(script->name);
    free(script->host);
}

static void forget_texts(struct guest *guest)
{
    pt_bytes_free(&guest->text);
    pt_bytes_free(&guest->shown);
    pt_ws_reader_free(&guest->reader_ws);
}

void vw_guests_free(struct guests *guests)
{
    for (size_t i = 0; i < guests->count; i++)
        forget_texts(&guests->all[i]);
    vw_wires_free(guests);
    for (size_t i = 0; i < guests->script_count; i++)
        script_free(&guests->scripts[i]);
    free(guests->scripts);
    free(guests->all);
    *guests = (struct guests){0};
}

/* One less has something to do. When it was the last one, the program is asked to end. */
static void rest(struct world *world, struct guest *guest, enum guest_state state)
{
    struct guests *guests = &world->guests;
    guest->state = state;
    if (--guests->busy == 0 && !guests->has_stop && guests->stopper->operation.place == 0)
        vw_event_set(world, &guests->stopper->operation, world->now);
}

/* ---- Connections ------------------------------------------------------------------------------------------ */

/* It has no connection any more. */
static void detach(struct world *world, struct guest *guest)
{
    struct end *end = guest->end;
    guest->end = NULL;
    forget_texts(guest);
    guest->asked = guest->has_head = guest->opening = guest->is_open = guest->sent_close = guest->got_close = false;
    guest->searched = 0;
    guest->reader_ws = (struct ws_reader){.most = 64 << 20};
    guest->slice = 0;
    if (!vw_guest_rests(world, guest))
        vw_event_clear(world, &guest->reader->operation);
    if (end)
        vw_end_let_go(world, end);
}

void vw_guest_part(struct world *world, struct guest *guest)
{
    if (guest->end)
        vw_trace_guest(world, guest, "client.left", "fin", NULL, 0);
    detach(world, guest);
}

/* What it waited for never comes: it goes on. */
void vw_guest_go_on(struct world *world, struct guest *guest)
{
    if (guest->state == GUEST_STAYS)
        world->guests.busy++;
    if (guest->state >= GUEST_READS_ANSWER && guest->state < GUEST_DONE)
        vw_guest_next(world, guest);
}

void vw_guest_lost(struct world *world, struct guest *guest, const char *how)
{
    if (guest->got_close)
        vw_trace_guest(world, guest, "client.closed", NULL, NULL, 0);
    else
        vw_trace_guest(world, guest, "client.lost", how, NULL, 0);
    detach(world, guest);
    vw_guest_go_on(world, guest);
}

/* The answer to its wish for a connection is back. */
static bool connect(struct world *world, struct guest *guest)
{
    const struct script *script = guest->script;
    struct wire *wire = vw_listener_find(world, script->port) ? vw_wire_new(world, script->rtt / 2, VW_BLOCK) : NULL;
    if (!wire) {
        vw_trace_guest(world, guest, "client.refused", NULL, NULL, 0);
        return false;
    }
    wire->ends[0].guest = guest;
    wire->ends[0].window = (size_t)script->window;
    wire->ends[1].number = (uint64_t)script->port;
    guest->end = &wire->ends[0];
    guest->reader_ws = (struct ws_reader){.most = 64 << 20};
    vw_trace_guest(world, guest, "client.connected", NULL, NULL, 0);
    return true;
}

/* ---- Sending ---------------------------------------------------------------------------------------------- */

void vw_guest_frame(struct world *world, struct guest *guest, enum ws_opcode opcode, const void *bytes, size_t size)
{
    const struct script *script = guest->script;
    uint64_t key = vw_key(script->name, strlen(script->name)) + (uint64_t)guest->number;
    uint64_t drawn = vw_draw(world->seed, key, ++guest->draws, DRAW_MASK);
    uint8_t head[WS_MOST_HEAD], mask[4];
    memcpy(mask, &drawn, sizeof mask);
    char *frame = malloc(sizeof head + size);
    size_t length = pt_ws_head(head, true, opcode, size, mask);
    if (!frame) {
        vw_end_reset(world, guest->end);
        return;
    }
    memcpy(frame, head, length);
    if (size)
        memcpy(frame + length, bytes, size);
    pt_ws_mask(frame + length, size, mask, 0);
    vw_end_send(world, guest->end, frame, length + size);
    free(frame);
}

bool vw_guest_key(struct world *world, struct guest *guest, char key[WS_KEY + 1])
{
    uint8_t bytes[16];
    const char *name = guest->script->name;
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t drawn = vw_draw(world->seed, vw_key(name, strlen(name)), (uint64_t)guest->number + i, DRAW_MASK);
        memcpy(bytes + 8 * i, &drawn, 8);
    }
    pt_ws_make_key(key, bytes);
    return true;
}

static void send_request(struct world *world, struct guest *guest, const struct step *step)
{
    char line[160], key[WS_KEY + 1];
    bool opens = step->kind == STEP_WEBSOCKET;
    const char *method = step->method ? step->method : step->bytes ? "POST" : "GET", *headers = step->headers;
    struct pt_bytes text = {0};
    bool ok = pt_bytes_add(&text, method, strlen(method)) && pt_bytes_add(&text, " ", 1)
        && pt_bytes_add(&text, step->path, strlen(step->path));
    int n = snprintf(line, sizeof line, " HTTP/1.1\r\nHost: %.120s\r\n", guest->script->host);
    ok = ok && pt_bytes_add(&text, line, (size_t)n);
    for (const char *end; ok && headers && (end = strchr(headers, '\n')); headers = end + 1)
        ok = pt_bytes_add(&text, headers, (size_t)(end - headers)) && pt_bytes_add(&text, "\r\n", 2);
    vw_guest_key(world, guest, key);
    n = opens ? snprintf(line, sizeof line, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: %s\r\n\r\n", key)
        : step->bytes ? snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", step->size)
        : snprintf(line, sizeof line, "\r\n");
    ok = ok && pt_bytes_add(&text, line, (size_t)n) && pt_bytes_add(&text, step->bytes, opens ? 0 : step->size);
    vw_trace_guest(world, guest, "client.sent", opens ? "opening" : "request", step->path, strlen(step->path));
    guest->asked = true;
    guest->has_head = false;
    guest->opening = opens;
    guest->state = GUEST_READS_ANSWER;
    if (ok)
        vw_end_send(world, guest->end, pt_bytes_begin(&text), text.size);
    else
        vw_end_reset(world, guest->end);
    pt_bytes_free(&text);
}

/* ---- Steps --------------------------------------------------------------------------------------------------- */

/* True: there is a connection that a request can go over. Else one is asked for. */
static bool has_connection(struct world *world, struct guest *guest)
{
    if (guest->end && !guest->is_open && !guest->asked && !guest->end->broken && !guest->end->over)
        return true;
    vw_guest_part(world, guest);
    guest->state = GUEST_CONNECTS;
    vw_event_set(world, &guest->timer->operation, vw_later(world->now, guest->script->rtt));
    return false;
}

static void vanish(struct world *world, struct guest *guest, enum vanish how)
{
    static const char *const names[] = {"fin", "rst", "silence"};
    if (!guest->end)
        return;
    vw_trace_guest(world, guest, "client.left", names[how], NULL, 0);
    if (how == VANISH_RST)
        vw_end_reset(world, guest->end);
    if (how == VANISH_SILENCE)
        guest->end->silent = true;
    detach(world, guest);
}

/* False: it takes time. */
static bool say(struct world *world, struct guest *guest, const struct step *step)
{
    static const enum ws_opcode opcodes[] = {[STEP_TEXT] = WS_OP_TEXT, [STEP_BINARY] = WS_OP_BINARY,
                                             [STEP_PING] = WS_OP_PING};
    static const char *const names[] = {[STEP_TEXT] = "text", [STEP_BINARY] = "binary", [STEP_PING] = "ping"};
    if (!guest->end || (!guest->is_open && step->kind != STEP_SEND))
        return true;                    /* there is nobody to say it to */
    if (step->kind == STEP_SEND) {
        vw_trace_guest(world, guest, "client.sent", "bytes", step->bytes, step->size);
        guest->asked |= !guest->is_open;
        vw_end_send(world, guest->end, step->bytes, step->size);
        return true;
    }
    if (step->kind != STEP_CLOSE) {
        vw_trace_guest(world, guest, "client.sent", names[step->kind], step->bytes ? step->bytes : "", step->size);
        vw_guest_frame(world, guest, opcodes[step->kind], step->bytes, step->size);
        return true;
    }
    if (!guest->sent_close) {
        uint8_t payload[WS_MOST_CONTROL];
        vw_trace_code(world, guest, "client.sent", (int)step->code);
        vw_guest_frame(world, guest, WS_OP_CLOSE, payload, pt_ws_close_payload(payload, (int)step->code, step->bytes));
        guest->sent_close = true;
    }
    guest->state = GUEST_CLOSES;
    return false;
}

/* Begins a step. True: that is all. */
static bool begin(struct world *world, struct guest *guest, const struct step *step)
{
    switch ((enum step_kind)step->kind) {
    case STEP_WAIT:
        guest->in_wait = true;
        vw_event_set(world, &guest->timer->operation, vw_later(world->now, step->time));
        return false;
    case STEP_REQUEST: case STEP_WEBSOCKET:
        if (has_connection(world, guest))
            send_request(world, guest, step);
        return false;
    case STEP_RECEIVE:
        if (!guest->end || !guest->is_open || guest->messages >= step->times) {
            guest->messages -= guest->messages < step->times ? guest->messages : step->times;
            return true;
        }
        guest->state = GUEST_READS_MESSAGES;
        return false;
    case STEP_STALL:
        guest->stalled_until = vw_later(world->now, step->time);
        vw_event_clear(world, &guest->reader->operation);
        vw_event_set(world, &guest->reader->operation, guest->stalled_until);
        return true;
    case STEP_VANISH: vanish(world, guest, (enum vanish)step->how); return true;
    case STEP_STAY:
        if (!guest->end)
            return true;
        rest(world, guest, GUEST_STAYS);
        return false;
    default: return say(world, guest, step);
    }
}

/* One time of a step is over. False: the next one has its time. */
static bool count(struct world *world, struct guest *guest)
{
    const struct step *step = &guest->script->steps[guest->step];
    bool repeats = step->kind != STEP_RECEIVE && ++guest->done_times < step->times;
    guest->state = GUEST_WAITS;
    if (!repeats) {
        guest->step++;
        guest->done_times = 0;
        return true;
    }
    if (step->every == 0)
        return true;
    vw_event_set(world, &guest->timer->operation, vw_later(world->now, step->every));
    return false;
}

static void run(struct world *world, struct guest *guest)
{
    static const struct step farewell = {.kind = STEP_CLOSE, .code = WS_NORMAL};
    while (guest->step < guest->script->step_count)
        if (!begin(world, guest, &guest->script->steps[guest->step]) || !count(world, guest))
            return;
    if (guest->state == GUEST_DONE || (guest->end && guest->is_open && !say(world, guest, &farewell)))
        return;
    vw_guest_part(world, guest);
    vw_trace_guest(world, guest, "client.done", NULL, NULL, 0);
    rest(world, guest, GUEST_DONE);
}

void vw_guest_next(struct world *world, struct guest *guest)
{
    guest->state = GUEST_WAITS;
    guest->in_wait = false;
    if (guest->step >= guest->script->step_count || count(world, guest))
        run(world, guest);
}

void vw_guest_step(struct world *world, struct guest *guest)
{
    const struct step *step = &guest->script->steps[guest->step];
    if (guest->state == GUEST_CONNECTS) {
        guest->state = GUEST_WAITS;
        if (connect(world, guest))
            send_request(world, guest, step);
        else
            vw_guest_next(world, guest);
        return;
    }
    if (guest->in_wait)
        vw_guest_next(world, guest);
    else
        run(world, guest);
}
