/* test_http_head.c - heads and bodies of HTTP/1.1 as bytes: what is taken, and what is refused with which status. */
#include "check.h"

#include "protocol/http.h"

/* Reads a request: its status, or its parts in one line. */
static void read_request(const char *text, char out[1024])
{
    struct http_head head;
    size_t size = strlen(text), searched = 0;
    char *copy = malloc(size);          /* without a '\0', so that ASan sees a step too far */
    memcpy(copy, text, size);
    assert_int_equal(pt_http_head_length(copy, size, &searched), size);
    int status = pt_http_read_request(&head, copy, size);
    if (status)
        snprintf(out, 1024, "%d", status);
    else
        snprintf(out, 1024, "%s|%s|%s|%s|%d%d%lld%d%d", head.method, head.path, head.query, head.headers, head.is_1_1,
                 head.framing, (long long)head.length, head.keeps, head.waits_for_100);
    free(copy);
}

#define H "Host: a\r\n"
static const struct { const char *text, *read; } REQUESTS[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET|/||Host: a\n|10010"},
    {"GET /a/b?x=1?y HTTP/1.1\r\nHost:a\r\nX:\t y z \t\r\n\r\n", "GET|/a/b|x=1?y|Host: a\nX: y z\n|10010"},
    {"GET http://a.test/x HTTP/1.1\r\n" H "\r\n", "GET|/x||Host: a\n|10010"},
    {"GET http://a.test HTTP/1.1\r\n" H "\r\n", "GET|/||Host: a\n|10010"},
    {"OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS|*||Host: a\n|10010"},
    {"GET / HTTP/1.0\r\n\r\n", "GET|/|||00000"},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET|/||Connection: Keep-Alive\n|00010"},
    {"GET / HTTP/1.1\r\n" H "Connection: x, CLOSE\r\n\r\n", "GET|/||Host: a\nConnection: x, CLOSE\n|10000"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: 12\r\n\r\n", "PUT|/||Host: a\nContent-Length: 12\n|111210"},
    {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nTransfer-Encoding: Chunked\r\n\r\n",
     "PUT|/||Host: a\nExpect: 100-continue\nTransfer-Encoding: Chunked\n|12011"},
    {"GET / HTTP/1.1\r\n\r\n", "400"},                          /* no Host */
    {"GET / HTTP/1.1\r\n" H H "\r\n", "400"},
    {"GET  / HTTP/1.1\r\n" H "\r\n", "400"},
    {"GET /a b HTTP/1.1\r\n" H "\r\n", "400"},
    {"GET /\x7f HTTP/1.1\r\n" H "\r\n", "400"},
    {"GET a HTTP/1.1\r\n" H "\r\n", "400"},
    {"G@T / HTTP/1.1\r\n" H "\r\n", "400"},
    {"GET / HTTQ/1.1\r\n" H "\r\n", "400"},
    {"GET / HTTP/2.0\r\n" H "\r\n", "505"},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"},              /* a blank before the colon */
    {"GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "400"},       /* a folded line */
    {"GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n\r\n", "400"},       /* a bare line feed */
    {"GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" H "X: a\rbY: c\r\n\r\n", "400"},
    {"GET / HTTP/1.1\n" H "\r\n", "400"},
    {"GET / HTTP/1.1\r\n" H "X\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\n" H "X: \x01\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"PUT / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", "501"},
};

static void requests_are_taken_apart_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        char read[1024];
        read_request(REQUESTS[i].text, read);
        if (strcmp(read, REQUESTS[i].read) != 0)
            fail_msg("%s: read as %s, expected %s", REQUESTS[i].text, read, REQUESTS[i].read);
    }
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    static char text[2 * HTTP_MOST_HEAD];
    struct http_head head;
    int n = sprintf(text, "GET /%0*d HTTP/1.1\r\n" H "\r\n", HTTP_MOST_TARGET, 0);
    assert_int_equal(pt_http_read_request(&head, text, (size_t)n), 414);
    n = sprintf(text, "GET / HTTP/1.1\r\n" H "X: %0*d\r\n\r\n", HTTP_MOST_HEAD, 0);
    assert_int_equal(pt_http_read_request(&head, text, (size_t)n), 431);
    n = sprintf(text, "GET / HTTP/1.1\r\n" H);
    for (int i = 0; i < HTTP_MOST_LINES; i++)
        n += sprintf(text + n, "X: %d\r\n", i);
    n += sprintf(text + n, "\r\n");
    assert_int_equal(pt_http_read_request(&head, text, (size_t)n), 431);
    memcpy(text, "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", 28);
    assert_int_equal(pt_http_read_request(&head, text, 28), 400);
}

static void a_head_is_found_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nA: \r\n\r\nbody";
    size_t searched = 0, length = 0, size = 0;
    while (length == 0 && size < sizeof text - 1)
        length = pt_http_head_length(text, ++size, &searched);
    assert_int_equal(length, sizeof text - 1 - 4);
    assert_int_equal(size, length);
}

static void words_and_values_are_found(void **state)
{
    (void)state;
    size_t length;
    const char *headers = "A: x\nab: y\na: z, Close\n";
    assert_memory_equal(pt_http_find(headers, "a", 0, &length), "x\n", 2);
    assert_memory_equal(pt_http_find(headers, "A", 1, &length), "z,", 2);
    assert_int_equal(length, 8);
    assert_null(pt_http_find(headers, "a", 2, &length));
    assert_true(pt_http_has_word(headers, "a", "close") && !pt_http_has_word(headers, "a", "clos"));
    assert_true(pt_http_are_headers("A: x\nB:\n") && pt_http_are_headers("") && pt_http_are_headers(NULL));
    assert_false(pt_http_are_headers("A x\n") || pt_http_are_headers("A: x") || pt_http_are_headers("A : x\n")
                 || pt_http_are_headers("A: x\r\n"));
    assert_string_equal(pt_http_reason(404), "Not Found");
    assert_string_equal(pt_http_reason(299), "");
}

/* ---- Answers ------------------------------------------------------------------------------------- */

static int framing_of(const char *text, const char *method)
{
    struct http_head head;
    char *copy = strdup(text);
    int rc = pt_http_read_answer(&head, copy, strlen(copy), method);
    free(copy);
    return rc < 0 ? rc : (int)head.framing;
}

static void an_answers_body_ends_where_it_should(void **state)
{
    (void)state;
    assert_int_equal(framing_of("HTTP/1.1 200 OK\r\n\r\n", "GET"), HTTP_UNTIL_CLOSE);
    assert_int_equal(framing_of("HTTP/1.1 200\r\nA: b\r\n\r\n", "GET"), HTTP_UNTIL_CLOSE);
    assert_int_equal(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET"), HTTP_LENGTH);
    assert_int_equal(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"), HTTP_NO_BODY);
    assert_int_equal(framing_of("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "GET"), HTTP_NO_BODY);
    assert_int_equal(framing_of("HTTP/1.1 101 Up\r\n\r\n", "GET"), HTTP_NO_BODY);
    assert_int_equal(framing_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET"), HTTP_CHUNKED);
    assert_int_equal(framing_of("HTTP/1.1 2x0 OK\r\nA: b\r\n\r\n", "GET"), -1);
    assert_int_equal(framing_of("HTTP/1.1 099 OK\r\nA: b\r\n\r\n", "GET"), -1);
    assert_int_equal(framing_of("SIP/2.0 200 OK\r\nA: b\r\n\r\n", "GET"), -1);
}

/* ---- Bodies -------------------------------------------------------------------------------------- */

/* Reads a body in pieces of n bytes: "hello|rest", "...", what it needs more of, or "wrong". */
static void read_body(struct http_head head, const char *text, size_t n, char out[256])
{
    struct http_body body = pt_http_body_of(&head);
    size_t at = 0, size = strlen(text), end = 0;
    while (!body.ended && at < size) {
        const char *piece = NULL;
        size_t length, part = size - at < n ? size - at : n;
        char *copy = malloc(part);
        memcpy(copy, text + at, part);
        long taken = pt_http_body_take(&body, copy, part, &piece, &length);
        if (length)
            memcpy(out + end, piece, length);
        free(copy);
        if (taken < 0) {
            strcpy(out, "wrong");
            return;
        }
        end += length;
        at += (size_t)taken;
    }
    snprintf(out + end, 256 - end, "%s%s", body.ended ? "|" : "...", text + at);
}

static const struct { enum http_framing framing; int64_t length; const char *text, *read; } BODIES[] = {
    {HTTP_NO_BODY, 0, "next", "|next"},
    {HTTP_LENGTH, 5, "hellonext", "hello|next"},
    {HTTP_LENGTH, 9, "hello", "hello..."},
    {HTTP_UNTIL_CLOSE, 0, "hello", "hello..."},
    {HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\nnext", "hello|next"},
    {HTTP_CHUNKED, 0, "2;a=b\r\nhe\r\n00A\r\nllo, world\r\n0\r\nT: x\r\nU:\r\n\r\nnext", "hello, world|next"},
    {HTTP_CHUNKED, 0, "5\r\nhel", "hel..."},
    {HTTP_CHUNKED, 0, "5\r\nhelloX\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "5\r\nhelloX\n0\r\n\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "5\nhello\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "\r\n\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "-5\r\nhello\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "10000000000000000\r\n", "wrong"},
    {HTTP_CHUNKED, 0, "0\r\nT: x\n\r\n", "wrong"},
};

static void a_body_ends_where_its_framing_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++)
        for (size_t n = 1; n < 30; n += 3) {
            char read[256];
            read_body((struct http_head){.framing = BODIES[i].framing, .length = BODIES[i].length}, BODIES[i].text, n,
                      read);
            if (strcmp(read, BODIES[i].read) != 0)
                fail_msg("%s: read as %s, expected %s", BODIES[i].text, read, BODIES[i].read);
        }
}

/* A line that never ends costs no memory, and is given up. */
static void chunk_lines_and_trailers_have_an_end(void **state)
{
    (void)state;
    static char line[HTTP_MOST_TRAILERS + 100];
    const char *piece;
    size_t length;
    memset(line, 'x', sizeof line);
    struct http_body body = {.framing = HTTP_CHUNKED};
    assert_int_equal(pt_http_body_take(&body, "5;", 2, &piece, &length), 2);
    assert_int_equal(pt_http_body_take(&body, line, HTTP_MOST_CHUNK_LINE + 1, &piece, &length), -1);
    body = (struct http_body){.framing = HTTP_CHUNKED};
    assert_int_equal(pt_http_body_take(&body, "0\r\n", 3, &piece, &length), 3);
    assert_int_equal(pt_http_body_take(&body, line, sizeof line, &piece, &length), -1);
}

/* Random heads: each is refused, or has all that a head must have. */
static void random_heads(void **state)
{
    (void)state;
    static const char *const words[] = {"GET", " ", "/", "HTTP/1.1", "\r\n", ":", "a", "Host: x\r\n", "\t", "\r", "\n",
                                        "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\xff", "?", "1"};
    uint64_t random = 1;
    int taken = 0;
    for (int i = 0; i < (getenv("LOOPLAB_ALL") ? 1000000 : 20000); i++) {
        char text[400] = "", *copy;
        struct http_head head;
        if (i % 2)
            strcpy(text, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int k = 0; k < i % 5; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            strcat(text, words[random >> 60]);
        }
        strcat(text, i % 2 ? "\r\n" : "\r\n\r\n");
        size_t size = strlen(text);
        copy = malloc(size);
        memcpy(copy, text, size);
        if (pt_http_read_request(&head, copy, size) == 0) {
            taken++;
            assert_true(pt_http_is_token(head.method, strlen(head.method)) && head.path[0]
                        && pt_http_are_headers(head.headers));
        }
        memcpy(copy, text, size);
        (void)pt_http_read_answer(&head, copy, size, "GET");
        free(copy);
    }
    assert_true(taken > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_taken_apart_or_refused),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_head_is_found_in_pieces),
        cmocka_unit_test(words_and_values_are_found),
        cmocka_unit_test(an_answers_body_ends_where_it_should),
        cmocka_unit_test(a_body_ends_where_its_framing_says),
        cmocka_unit_test(chunk_lines_and_trailers_have_an_end),
        cmocka_unit_test(random_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
