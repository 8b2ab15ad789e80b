/* http.h - HTTP/1.1 as bytes (RFC 9110, 9112): heads of requests and answers, and where a body ends. No I/O, no time.
 *
 * Strict where a lenient reader and another lenient reader could part ways: no bare line feeds, no folded lines, one
 * Host, one Content-Length, no Transfer-Encoding but "chunked". What is wrong with a request is told as the status it
 * is to be answered with.
 */
#ifndef PROTOCOL_HTTP_H
#define PROTOCOL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_MOST_HEAD = 32 * 1024,     /* bytes of a head                           */
    HTTP_MOST_TARGET = 8 * 1024,    /* of what stands behind the method          */
    HTTP_MOST_LINES = 100,          /* header lines                              */
    HTTP_MOST_CHUNK_LINE = 256,     /* bytes of a line that says how long a chunk is */
    HTTP_MOST_TRAILERS = 8 * 1024,
};

/* How the end of a body is known. */
enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED, HTTP_UNTIL_CLOSE };

/* A head that was taken apart. What it points to lies in the bytes that it was read from. */
struct http_head {
    /* A request: its method; its target, from the "/" on, without a '?' and what follows; the latter ("": nothing). */
    const char *method, *path, *query;
    /* An answer. */
    int status;
    /* "Name: value\n" lines, '\0' at the end. */
    const char *headers;
    /* HTTP/1.1, not 1.0. */
    bool is_1_1;
    enum http_framing framing;
    int64_t length;
    /* The connection can be used for another request. */
    bool keeps;
    /* The client waits for "100 Continue" before it sends the body. */
    bool waits_for_100;
};

/* How many bytes the head takes, its empty line included; 0: it is not all there. *searched (from 0) is kept between
 * calls over the same growing bytes. */
size_t pt_http_head_length(const char *data, size_t size, size_t *searched);

/* Takes the head of a request apart, `size` bytes as pt_http_head_length says, and changes them for that. 0, or the
 * status that it is to be refused with: 400, 414, 431, 501, 505. *head is filled in as far as possible. */
int pt_http_read_request(struct http_head *head, char *data, size_t size);
/* The same for an answer to a request of that method. 0 or -1: it is none. */
int pt_http_read_answer(struct http_head *head, char *data, size_t size, const char *method);

/* The value of the n-th header (from 0) of that name, in any case; NULL: there is none. Not ended by '\0'. */
const char *pt_http_find(const char *headers, const char *name, size_t n, size_t *length);
/* Whether one of the words between commas in headers of that name is `word`, in any case. */
bool pt_http_has_word(const char *headers, const char *name, const char *word);

/* Whether the text is a name of a method, of a header (RFC 9110, 5.6.2). */
bool pt_http_is_token(const char *text, size_t length);
/* "Name: value\n" lines that can go out as they are: names are tokens, values have no control characters. */
bool pt_http_are_headers(const char *headers);

/* The words of a status: "Not Found". Never NULL. */
const char *pt_http_reason(int status);

/* ---- Bodies -------------------------------------------------------------------------------------- */

struct http_body {
    enum http_framing framing;
    /* Of the body, or of the chunk at hand. */
    int64_t left;
    /* Chunked: what comes next. */
    enum http_chunk { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_CR, CHUNK_LF, TRAILER, TRAILER_LINE,
                      TRAILER_LF, LAST_LF } next;
    /* Bytes of this line, or of the trailers, so far; digits of the chunk's size. */
    size_t seen, digits;
    bool is_last;
    bool ended;
};

struct http_body pt_http_body_of(const struct http_head *head);
/* Takes bytes of the body up to the end of a piece of it: piece[0..*length) lies in data. Returns how many bytes were
 * taken. *length 0: more are needed, or body->ended. -1: it breaks the rules. */
long pt_http_body_take(struct http_body *body, const char *data, size_t size, const char **piece, size_t *length);

/* ---- WebSocket's opening ------------------------------------------------------------------------- */

enum { WS_KEY = 24, WS_ACCEPT = 28 };       /* characters, without a '\0' */

/* A key made of 16 bytes of chance. */
void pt_ws_make_key(char key[WS_KEY + 1], const uint8_t bytes[16]);
/* What a server says to that key (RFC 6455, 4.2.2: SHA-1 and base64). */
void pt_ws_accept_of(char accept[WS_ACCEPT + 1], const char key[WS_KEY]);
/* What a request to open a WebSocket is refused with: 400, 405, 426; 0: it is right, and *key is its key. */
int pt_ws_check_request(const struct http_head *head, const char **key);
/* Whether an answer says that the WebSocket with this key is open: NULL, or what is wrong with it. `protocols`: those
 * that were asked for ("a, b"; NULL: none). */
const char *pt_ws_check_answer(const struct http_head *head, const char key[WS_KEY], const char *protocols);
/* The first of the client's protocols that the server has, too (`ours`: "a, b"); NULL: none. Its length is *length. */
const char *pt_ws_choose_protocol(const char *headers, const char *ours, size_t *length);

#endif
