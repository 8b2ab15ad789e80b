/* trace.c - writes the trace (trace.h): one JSON object a line, byte by byte, no printf.
 *
 * Everything goes through one buffer, which has three marks:
 *
 *     buffer: | written ...... | whole lines ...... | the line being built ...... | free |
 *             0             written               whole                         used     capacity
 *
 * Only bytes between `written` and `whole` ever reach the file, so a crash in the middle of a line cuts that
 * line and leaves the others: a signal handler may call trace_flush at any moment. It may also write a line
 * of its own; trace_begin drops a line that was never ended. For that reason nothing here calls stdio, and
 * the only memory taken after trace_open is for a line that is longer than the buffer.
 *
 * A trace belongs to one thread.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER_SIZE (64u * 1024)
#define INT_MAX_CHARS 20            /* "-9223372036854775808", and UINT64_MAX as well          */
#define SRC_TEXT_MAX 272            /* a file name (at most 255 bytes), ':', a line number, '\0' */
#define SRC_CACHE_SLOTS 128u        /* a power of two                                          */

/* What source_line said about one pc. */
struct src {
    const void *pc;                 /* NULL: the slot is free                   */
    size_t length;                  /* of the text; 0: this pc's line is unknown */
    char text[SRC_TEXT_MAX];
};

struct trace {
    int fd;
    bool close_fd;                  /* we opened it, so we close it                                */
    int error;                      /* the errno of a failed write, or ENOMEM. Not 0: silent, as no later */
                                    /* line may stand where an earlier one is missing                     */
    char *buffer;
    size_t capacity;
    size_t used;
    uint64_t lines;                 /* that were ended                                                */
    _Atomic size_t whole;           /* atomic: a signal handler reads and writes these two */
    _Atomic size_t written;
    struct src src[SRC_CACHE_SLOTS];
};

/* ---- The buffer ----------------------------------------------------------------------------- */

/* Waits until a descriptor that somebody made non-blocking (a shared terminal, a parent's event loop) takes
 * more. By system call, because poll() itself is wrapped at link time to catch students who block the loop. */
static void wait_writable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    syscall(SYS_ppoll, &wanted, 1, NULL, NULL, 0);
}

void trace_flush(struct trace *trace)
{
    if (!trace || trace->error)
        return;
    int saved_errno = errno;        /* a handler must leave it as it was, and tasks own theirs */
    size_t written, whole;
    while ((written = atomic_load(&trace->written)) < (whole = atomic_load(&trace->whole))) {
        ssize_t n = write(trace->fd, trace->buffer + written, whole - written);
        if (n > 0) {
            atomic_store(&trace->written, written + (size_t)n);
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            wait_writable(trace->fd);
        } else if (n == 0 || errno != EINTR) {
            trace->error = n == 0 ? EIO : errno;
            break;
        }
    }
    errno = saved_errno;
}

/* Writes the whole lines and moves the line being built to the front, into a larger buffer if it and
 * `size` more bytes need one. Returns false when the trace has gone silent. */
static bool make_room(struct trace *trace, size_t size)
{
    trace_flush(trace);
    size_t start = atomic_load(&trace->whole), length = trace->used - start, capacity = trace->capacity;
    char *old = trace->buffer, *buffer = old;
    while (!trace->error && capacity - length < size)
        capacity *= 2;
    if (capacity > trace->capacity) {
        buffer = malloc(capacity);  /* not realloc: should the heap be broken, the old buffer must still stand */
        if (!buffer)
            trace->error = ENOMEM;
    }
    if (trace->error)
        return false;
    atomic_store(&trace->whole, 0); /* from here on a handler finds nothing to write */
    memmove(buffer, old + start, length);
    trace->buffer = buffer;
    trace->capacity = capacity;
    trace->used = length;
    atomic_store(&trace->written, 0);
    if (buffer != old)
        free(old);
    return true;
}

/* Room for `size` more bytes of the line being built, or NULL if the trace is silent. The caller writes there
 * and then moves trace->used on. */
static inline char *room(struct trace *trace, size_t size)
{
    if (__builtin_expect(trace->capacity - trace->used < size || trace->error, 0) && !make_room(trace, size))
        return NULL;
    return trace->buffer + trace->used;
}

/* ---- Pieces of a line: each writes at `at` and returns where it ended ---------------------------- */

static inline char *put(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static char *put_uint(char *at, uint64_t value)
{
    char digits[INT_MAX_CHARS];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return put(at, digits + first, sizeof digits - first);
}

static char *put_int(char *at, int64_t value)
{
    if (value >= 0)
        return put_uint(at, (uint64_t)value);
    *at++ = '-';
    return put_uint(at, -(uint64_t)value);  /* also right for INT64_MIN, which has no positive int64_t */
}

static char *put_key(char *at, const char *key, size_t length)
{
    at = put(at, ",\"", 2);
    at = put(at, key, length);
    return put(at, "\":", 2);
}
#define KEY_EXTRA 4                         /* the bytes put_key adds to the key */

/* ---- Strings -------------------------------------------------------------------------------- */

/* Looks at the bytes from text[0], which is 0x80 or more, `left` > 0 of them. Returns how many belong together:
 * one valid UTF-8 character (*valid), or what of one is there before it goes wrong (the "maximal subpart" of
 * the Unicode Standard, section 3.9, so U+FFFD appears as often as Python would put it). */
static size_t utf8_length(const unsigned char *text, size_t left, bool *valid)
{
    unsigned char lead = text[0], low = 0x80, high = 0xbf;   /* the range of the second byte */
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    *valid = false;
    if (lead < 0xc2 || lead > 0xf4)
        return 1;
    if (lead == 0xe0) low = 0xa0;           /* below: an overlong form of U+0000..U+07FF  */
    if (lead == 0xed) high = 0x9f;          /* above: a surrogate                         */
    if (lead == 0xf0) low = 0x90;           /* below: an overlong form of U+0000..U+FFFF  */
    if (lead == 0xf4) high = 0x8f;          /* above: more than U+10FFFF                  */
    for (size_t i = 1; i < length; i++) {
        if (i == left || text[i] < low || text[i] > high)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    *valid = true;
    return length;
}

/* Writes one byte that may not stand in a JSON string as it is; at most 6 bytes. */
static char *put_escape(char *at, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_form[] = {
        ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\t'] = 't', ['\r'] = 'r', ['\b'] = 'b', ['\f'] = 'f',
    };
    *at++ = '\\';
    if (short_form[byte]) {
        *at++ = short_form[byte];
        return at;
    }
    at = put(at, "u00", 3);
    *at++ = hex[byte >> 4];
    *at++ = hex[byte & 15];
    return at;
}

/* Adds `length` bytes of text, escaped, to the line. */
static void add_text(struct trace *trace, const char *value, size_t length)
{
    const unsigned char *text = (const unsigned char *)value;
    for (size_t i = 0; i < length;) {
        size_t plain = i;                   /* the run of bytes that go out as they are */
        size_t next = 0;
        bool valid = true;
        while (i < length && valid) {
            if (text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
                break;
            next = text[i] < 0x80 ? 1 : utf8_length(text + i, length - i, &valid);
            if (valid)
                i += next;
        }
        char *at = room(trace, i - plain + 6);
        if (!at)
            return;
        at = put(at, value + plain, i - plain);
        if (!valid) {
            at = put(at, "\xef\xbf\xbd", 3);    /* U+FFFD */
            i += next;
        } else if (i < length) {
            at = put_escape(at, text[i++]);
        }
        trace->used = (size_t)(at - trace->buffer);
    }
}

/* ---- Lines ---------------------------------------------------------------------------------- */

void trace_begin(struct trace *trace, int64_t t, enum trace_from from, const char *ev)
{
    size_t length = strlen(ev);
    trace->used = atomic_load(&trace->whole);
    char *at = room(trace, 64 + INT_MAX_CHARS + length);
    if (!at)
        return;
    at = put(at, "{\"t\":", 5);
    at = put_int(at, t);
    at = from == TRACE_WORLD ? put(at, ",\"from\":\"world\",\"ev\":\"", 22)
        : from == TRACE_JUDGE ? put(at, ",\"from\":\"judge\",\"ev\":\"", 22)
        : put(at, ",\"from\":\"runtime\",\"ev\":\"", 24);
    at = put(at, ev, length);
    *at++ = '"';
    trace->used = (size_t)(at - trace->buffer);
}

void trace_int(struct trace *trace, const char *key, int64_t value)
{
    size_t length = strlen(key);
    char *at = room(trace, length + KEY_EXTRA + INT_MAX_CHARS);
    if (!at)
        return;
    at = put_int(put_key(at, key, length), value);
    trace->used = (size_t)(at - trace->buffer);
}

void trace_json(struct trace *trace, const char *key, const char *json, size_t json_length)
{
    size_t length = strlen(key);
    char *at = room(trace, length + KEY_EXTRA + json_length);
    if (!at)
        return;
    at = put(put_key(at, key, length), json, json_length);
    trace->used = (size_t)(at - trace->buffer);
}

void trace_str(struct trace *trace, const char *key, const char *value, size_t value_length)
{
    trace_json(trace, key, "\"", 1);
    add_text(trace, value, value_length);
    char *at = room(trace, 1);
    if (!at)
        return;
    *at = '"';
    trace->used++;
}

void trace_src(struct trace *trace, const char *key, const void *pc)
{
    if (!pc)
        return;
    /* One slot a pc, the newer pc wins. Who shares a slot differs from run to run (addresses do); that costs
     * a look-up and changes nothing that is written. */
    uint64_t hash = (uint64_t)(uintptr_t)pc * 0x9e3779b97f4a7c15u;
    struct src *src = &trace->src[hash >> 32 & (SRC_CACHE_SLOTS - 1)];
    if (src->pc != pc) {
        src->pc = NULL;             /* while text and pc do not fit together */
        src->length = source_line(pc, src->text, sizeof src->text) ? strlen(src->text) : 0;
        src->pc = pc;
    }
    if (src->length)
        trace_str(trace, key, src->text, src->length);
}

void trace_end(struct trace *trace)
{
    char *at = room(trace, 2);
    if (!at)
        return;
    memcpy(at, "}\n", 2);
    trace->used += 2;
    trace->lines++;
    atomic_store_explicit(&trace->whole, trace->used, memory_order_release);    /* the line counts from here on */
}

/* ---- Opening and closing --------------------------------------------------------------------- */

/* The N of "fd:N", or -1 with errno set if it is no number or no open descriptor. */
static int parse_fd(const char *number)
{
    int fd = 0;
    if (!*number)
        fd = -1;
    for (const char *digit = number; *digit && fd >= 0; digit++)
        fd = *digit >= '0' && *digit <= '9' && fd < 1000000 ? fd * 10 + (*digit - '0') : -1;
    if (fd < 0) {
        errno = EINVAL;
        return -1;
    }
    return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
}

static int open_fd(const char *path, bool *ours)
{
    *ours = false;
    if (strcmp(path, "-") == 0)
        return STDERR_FILENO;
    if (strncmp(path, "fd:", 3) == 0)
        return parse_fd(path + 3);
    *ours = true;
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* The first line, which is written at once: a file that takes nothing is told by trace_open. */
static bool write_header(struct trace *trace, const char *program, uint64_t seed)
{
    static const char start[] = "{\"trace\":\"looplab/trace/v1\",\"program\":\"";
    trace->used = (size_t)(put(trace->buffer, start, sizeof start - 1) - trace->buffer);
    add_text(trace, program, strlen(program));
    char *at = room(trace, 9 + INT_MAX_CHARS);
    if (!at)
        return false;
    at = put_uint(put(at, "\",\"seed\":", 9), seed);
    trace->used = (size_t)(at - trace->buffer);
    trace_end(trace);
    trace->lines = 0;
    trace_flush(trace);
    return !trace->error;
}

struct trace *trace_open(const char *path, const char *program, uint64_t seed)
{
    struct trace *trace = calloc(1, sizeof *trace);
    char *buffer = malloc(BUFFER_SIZE);
    bool ours = false;
    int fd = trace && buffer ? open_fd(path, &ours) : -1;
    if (fd >= 0) {
        trace->fd = fd;
        trace->close_fd = ours;
        trace->buffer = buffer;
        trace->capacity = BUFFER_SIZE;
        if (write_header(trace, program, seed))
            return trace;
        int error = trace->error;
        trace_close(trace);
        errno = error;
        return NULL;
    }
    free(buffer);
    free(trace);
    return NULL;
}

void trace_close(struct trace *trace)
{
    if (!trace)
        return;
    trace_flush(trace);
    if (trace->close_fd)
        close(trace->fd);
    free(trace->buffer);
    free(trace);
}

int trace_failed(const struct trace *trace)
{
    return trace->error;
}

uint64_t trace_lines(const struct trace *trace)
{
    return trace->lines;
}
