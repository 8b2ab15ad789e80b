/* guest_read.c - what a client of the world file reads, and what it makes of that. */
#include "virtual.h"
#include "wire.h"

#include <string.h>

enum { SHOWN_MOST = 1024, SLICES = 100 /* a second, in which a slow one reads */ };

/* ---- An answer --------------------------------------------------------------------------------------- */

static void wrong(struct world *world, struct guest *guest, const char *why)
{
    vw_trace_guest(world, guest, "client.wrong", why, NULL, 0);
    vw_end_reset(world, guest->end);
    vw_guest_lost(world, guest, "wrong");
}

/* The answer is whole. */
static void answered(struct world *world, struct guest *guest)
{
    bool keeps = guest->head.keeps && !guest->end->over;
    vw_trace_answer(world, guest);
    pt_bytes_drop(&guest->shown, guest->shown.size);
    guest->asked = guest->has_head = guest->opening = false;
    guest->body_size = 0;
    bool waits = guest->state == GUEST_READS_ANSWER;
    if (!keeps)
        vw_guest_part(world, guest);
    if (waits)
        vw_guest_next(world, guest);
    else if (!guest->end)
        vw_guest_go_on(world, guest);
}

/* Whether the server's yes to a WebSocket is one. */
static void opened(struct world *world, struct guest *guest)
{
    char key[WS_KEY + 1];
    vw_guest_key(world, guest, key);
    const char *why = pt_ws_check_answer(&guest->head, key, NULL);
    const char *protocol = why && strstr(why, "subprotocol") ? "" : why;
    if (protocol && *protocol) {
        wrong(world, guest, why);
        return;
    }
    guest->asked = guest->has_head = guest->opening = false;
    guest->is_open = true;
    vw_trace_guest(world, guest, "client.got", "open", NULL, 0);
    vw_guest_next(world, guest);
}

/* A head has come, `length` bytes. */
static void take_head(struct world *world, struct guest *guest, size_t length)
{
    const struct step *step = &guest->script->steps[guest->step];
    bool has_step = guest->step < guest->script->step_count;
    const char *method = has_step && step->method ? step->method : "GET";
    bool ok = pt_http_read_answer(&guest->head, pt_bytes_begin(&guest->text), length, method) == 0;
    guest->searched = 0;
    if (!ok) {
        wrong(world, guest, "no answer of HTTP");
        return;
    }
    if (guest->head.status == 101 && guest->opening) {
        opened(world, guest);           /* before its lines go */
        if (guest->end)
            pt_bytes_drop(&guest->text, length);
        return;
    }
    pt_bytes_drop(&guest->text, length);
    if (guest->head.status < 200)
        return;
    guest->has_head = true;
    guest->status = guest->head.status;
    guest->body = pt_http_body_of(&guest->head);
    if (has_step && step->kind == STEP_REQUEST && step->stream && guest->state == GUEST_READS_ANSWER) {
        vw_trace_answer(world, guest);
        guest->body_size = 0;
        vw_guest_next(world, guest);
    }
}

/* False: the body breaks the rules. */
static bool take_body(struct world *world, struct guest *guest)
{
    bool streams = guest->state != GUEST_READS_ANSWER;
    while (guest->text.size > 0 && !guest->body.ended) {
        const char *piece;
        size_t length;
        long taken = pt_http_body_take(&guest->body, pt_bytes_begin(&guest->text), guest->text.size, &piece, &length);
        if (taken < 0)
            return false;
        if (length && streams)
            vw_trace_guest(world, guest, "client.got", "piece", piece, length);
        guest->body_size += length;
        if (length && guest->shown.size + length <= SHOWN_MOST)
            pt_bytes_add(&guest->shown, piece, length);
        pt_bytes_drop(&guest->text, (size_t)taken);
    }
    return true;
}

static void read_answer(struct world *world, struct guest *guest)
{
    if (!guest->has_head) {
        size_t length = pt_http_head_length(pt_bytes_begin(&guest->text), guest->text.size, &guest->searched);
        if (length)
            take_head(world, guest, length);
        else if (guest->text.size > HTTP_MOST_HEAD)
            wrong(world, guest, "a head without an end");
    }
    if (!guest->end || !guest->has_head)
        return;
    if (!take_body(world, guest))
        wrong(world, guest, "a body that breaks the rules");
    else if (guest->body.ended)
        answered(world, guest);
}

/* ---- Messages ------------------------------------------------------------------------------------------- */

static void take_close(struct world *world, struct guest *guest)
{
    const struct ws_reader *reader = &guest->reader_ws;
    uint8_t payload[WS_MOST_CONTROL];
    vw_trace_code(world, guest, "client.got", reader->code);
    guest->got_close = true;
    if (!guest->sent_close) {
        guest->sent_close = true;
        vw_guest_frame(world, guest, WS_OP_CLOSE, payload, pt_ws_close_payload(payload, reader->code, NULL));
    }
}

static void read_message(struct world *world, struct guest *guest)
{
    struct ws_reader *reader = &guest->reader_ws;
    enum ws_event event;
    pt_bytes_drop(&guest->text, pt_ws_read(reader, pt_bytes_begin(&guest->text), guest->text.size, &event));
    switch (event) {
    case WS_MESSAGE:
        guest->messages++;
        vw_trace_guest(world, guest, "client.got", reader->is_text ? "text" : "binary", reader->message,
                       reader->length);
        if (guest->state == GUEST_READS_MESSAGES && guest->messages >= guest->script->steps[guest->step].times) {
            guest->messages -= guest->script->steps[guest->step].times;
            vw_guest_next(world, guest);
        }
        break;
    case WS_PING:
        vw_trace_guest(world, guest, "client.got", "ping", reader->control, reader->control_length);
        vw_guest_frame(world, guest, WS_OP_PONG, reader->control, reader->control_length);
        break;
    case WS_PONG:
        vw_trace_guest(world, guest, "client.got", "pong", reader->control, reader->control_length);
        break;
    case WS_CLOSE: take_close(world, guest); break;
    case WS_FAILED: wrong(world, guest, reader->why); break;
    case WS_NOTHING: break;
    }
}

/* ---- Reading -------------------------------------------------------------------------------------------------- */

/* What it has read, it understands: one thing after the other, as each may end the connection. */
static void understand(struct world *world, struct guest *guest)
{
    size_t before = SIZE_MAX;
    const struct end *end = guest->end;
    while (guest->end == end && guest->text.size > 0 && guest->text.size != before) {
        before = guest->text.size;
        if (guest->got_close)
            pt_bytes_drop(&guest->text, guest->text.size);
        else if (guest->is_open)
            read_message(world, guest);
        else if (guest->asked)
            read_answer(world, guest);
        else
            pt_bytes_drop(&guest->text, guest->text.size);      /* an answer to nothing (to bytes of its own, say) */
    }
}

void vw_guest_over(struct world *world, struct guest *guest)
{
    if (!guest->end || guest->end->here.size > 0 || vw_guest_rests(world, guest))
        return;                         /* it has not read so far */
    if (guest->asked && guest->has_head && guest->body.framing == HTTP_UNTIL_CLOSE)
        answered(world, guest);
    else if (!guest->asked && !guest->is_open) {      /* between two requests */
        vw_guest_part(world, guest);
        vw_guest_go_on(world, guest);
    } else
        vw_guest_lost(world, guest, "fin");
}

static void consume(struct world *world, struct guest *guest, size_t n)
{
    struct end *end = guest->end;
    bool ok = pt_bytes_add(&guest->text, pt_bytes_begin(&end->here), n);
    pt_bytes_drop(&end->here, n);
    vw_end_read(world, end, n);
    if (!ok) {
        wrong(world, guest, "out of memory");
        return;
    }
    understand(world, guest);
    if (guest->end == end && end->over)
        vw_guest_over(world, guest);
}

bool vw_guest_rests(const struct world *world, const struct guest *guest)
{
    return guest->stalled_until > world->now;
}

/* A slow one reads a slice at a time, which takes its time. */
void vw_guest_arrived(struct world *world, struct guest *guest)
{
    size_t size = guest->end->here.size;
    int64_t rate = guest->script->rate;
    if (vw_guest_rests(world, guest) || guest->reader->operation.place != 0 || size == 0)
        return;
    if (rate == VW_UNLIMITED) {
        consume(world, guest, size);
        return;
    }
    size_t most = (size_t)(rate / SLICES) + 1;
    guest->slice = size < most ? size : most;
    vw_event_set(world, &guest->reader->operation,
                 vw_later(world->now, vw_scale((int64_t)guest->slice, VW_SECOND, rate)));
}

void vw_guest_read(struct world *world, struct guest *guest)
{
    struct end *end = guest->end;
    size_t slice = guest->slice;
    guest->slice = 0;
    if (!end)
        return;
    if (slice && slice <= end->here.size)
        consume(world, guest, slice);
    if (guest->end == end)
        vw_guest_arrived(world, guest);
    if (guest->end == end && end->over)
        vw_guest_over(world, guest);
}
