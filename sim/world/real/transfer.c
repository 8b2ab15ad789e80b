/* transfer.c - one request in curl's hands: what it is told to do, and what it says. */
#include "real.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The answer comes ---------------------------------------------------------------------------------- */

static bool append(struct bytes *bytes, const char *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        size_t room = bytes->room ? 2 * bytes->room : 512;
        if (room < bytes->size + size)
            room = bytes->size + size;
        char *grown = realloc(bytes->data, room);
        if (!grown)
            return false;
        bytes->data = grown;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return true;
}

/* We break it off: curl then says "write error", and the exchange knows better. */
static size_t refuse(struct exchange *exchange, int32_t why)
{
    exchange->failure = why;
    return 0;
}

/* A blank line ends a head: the answer's, unless it is only on its way (100 Continue). False: it is none. */
static bool end_head(struct exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)
        return true;
    exchange->status = (int)status;
    exchange->head = exchange->in.size;
    exchange->failure = rw_served_refusal(exchange->session->world, exchange);
    exchange->head_known = exchange->failure == 0;
    if (exchange->head_known)
        rw_http_offer(exchange);
    return exchange->head_known;
}

/* "Name: value\n", whatever spaces stood round it. A line that begins with a space goes on with the one before. */
static bool add_field(struct exchange *exchange, const char *line, size_t length)
{
    struct bytes *in = &exchange->in;
    bool goes_on = (*line == ' ' || *line == '\t') && in->size > 0;
    while (length > 0 && (*line == ' ' || *line == '\t'))
        line++, length--;
    if (goes_on)
        in->data[in->size - 1] = ' ';
    return append(in, line, length) && append(in, "\n", 1);
}

static size_t on_header(char *line, size_t one, size_t size, void *argument)
{
    struct exchange *exchange = argument;
    size_t length = one * size;
    if (exchange->head_known)
        return length;              /* a trailer, after the body */
    exchange->header_bytes += length;
    if (exchange->header_bytes > RW_MOST_HEADERS)
        return refuse(exchange, -EMSGSIZE);
    size_t n = length;
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
        n--;
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        exchange->in.size = 0;      /* a head begins, perhaps a second one */
    else if (n == 0)
        return end_head(exchange) ? length : 0;
    else if (!add_field(exchange, line, n))
        return refuse(exchange, -ENOMEM);
    return length;
}

static bool take(struct exchange *exchange, const char *data, size_t size)
{
    if (size == 0)
        return true;
    if (!append(&exchange->in, data, size))
        return false;
    exchange->received += size;
    rw_http_offer(exchange);
    return true;
}

/* With a window no more is taken than may be handed over. Of a piece that does not fit in wholly the beginning is: curl
 * holds all of it back and brings it once more, and the rest waits in the socket, and the server with it. */
static size_t on_body(char *data, size_t one, size_t size, void *argument)
{
    struct exchange *exchange = argument;
    size_t length = one * size, known = exchange->known < length ? exchange->known : length, new = length - known;
    rw_http_given(exchange);
    size_t room = exchange->window ? exchange->credit - (exchange->in.size - exchange->head) : SIZE_MAX;
    if (!exchange->window && exchange->received + length > RW_MOST_BODY)
        return refuse(exchange, -EMSGSIZE);
    if (!take(exchange, data + known, new < room ? new : room))
        return refuse(exchange, -ENOMEM);
    exchange->paused = new > room;
    exchange->known = exchange->paused ? known + room : exchange->known - known;
    return exchange->paused ? CURL_WRITEFUNC_PAUSE : length;
}

/* ---- Connections ------------------------------------------------------------------------------------------ */

static curl_socket_t on_open(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = argument;
    (void)purpose;
    exchange->opened[1] = exchange->opened[0];
    exchange->opened[0] = rw_socket_open(exchange->session->world, address);
    if (exchange->opened[0] == CURL_SOCKET_BAD && (errno == EMFILE || errno == ENFILE))
        exchange->failure = -EMFILE;            /* curl says of it that nobody listens */
    return exchange->opened[0];
}

#if LIBCURL_VERSION_NUM >= 0x075000

/* A connection is there, new or used before, and the request is about to be
 * sent. Which one, curl tells by its ports. */
static int on_connected(void *argument, char *remote, char *local, int remote_port, int local_port)
{
    struct exchange *exchange = argument;
    bool reused = false;
    struct real *world = exchange->session->world;
    struct socket *socket = rw_socket_connected(world, exchange->opened, local_port, remote_port, &reused);
    struct trace *trace = exchange->sent ? rw_trace(world, "http.resent", exchange->operation.id) : NULL;
    (void)remote, (void)local;
    exchange->resent = exchange->sent;
    exchange->sent = true;
    exchange->opened[0] = exchange->opened[1] = CURL_SOCKET_BAD;       /* is it sent again, these may be long closed */
    if (trace)
        trace_end(trace);
    trace = rw_trace(world, "http.connected", exchange->operation.id);
    if (!trace)
        return CURL_PREREQFUNC_OK;
    trace_int(trace, "conn", socket ? (int64_t)socket->number : 0);
    trace_int(trace, "reused", reused);
    trace_end(trace);
    return CURL_PREREQFUNC_OK;
}

#endif

/* ---- What curl is told ------------------------------------------------------------------------------------- */

/* Has the system a file of all the certificates that are to be trusted? */
static bool has_system_file(void)
{
#if LIBCURL_VERSION_NUM >= 0x074600
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return info->age >= CURLVERSION_SEVENTH && info->cainfo;
#else
    return false;
#endif
}

/* What holds for every request. The rest is set anew for each, so that a handle can be used again. */
static CURL *handle_new(struct real *world)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);

#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);         /* redirects and cookies are the program's */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "looplab/1");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 24 * 3600L); /* the program's own limit is on the whole */
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_SHARE, world->http.share);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, rw_socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, world);
#if LIBCURL_VERSION_NUM >= 0x075000
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);             /* a name that nobody waits for holds nobody up */
#endif
    if (!world->http.proxied)                                   /* else it looks for one, each time */
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    if (world->http.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, world->http.ca_file);
    /* Only certificates that come from one file curl keeps: read anew for each
     * connection, a system's would cost it 30 ms. */
    if (world->http.ca_folder || has_system_file())
        curl_easy_setopt(easy, CURLOPT_CAPATH, world->http.ca_folder);
    return easy;
}

static bool has_field(const char *fields, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = fields; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return true;
    return false;
}

static bool add_line(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    *list = longer ? longer : *list;
    return longer != NULL;
}

/* One of the program's header lines. To curl "Name:" without a value means "leave it out", and "Name;" what we mean. */
static bool add_own(struct curl_slist **list, const char *line, size_t length)
{
    char few[512], *text = length < sizeof few ? few : malloc(length + 1);
    if (!text)
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    char *colon = strchr(text, ':');
    if (colon && colon[1 + strspn(colon + 1, " \t")] == '\0')
        memcpy(colon, ";", 2);
    bool ok = add_line(list, text);
    if (text != few)
        free(text);
    return ok;
}

/* The program's headers, and no others that curl would add to a body on its own. */
static bool list_headers(struct exchange *exchange)
{
    const char *fields = exchange->fields;
    struct curl_slist **list = &exchange->headers;
    bool ok = true;
    for (const char *line = fields, *end; ok && *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        ok = end == line || add_own(list, line, (size_t)(end - line));
    }
    if (ok && exchange->length && !has_field(fields, "Content-Type"))
        ok = add_line(list, "Content-Type:");
    if (ok && exchange->length && !has_field(fields, "Expect"))
        ok = add_line(list, "Expect:");
    return ok;
}

static bool is_upload(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static void set_method(const struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    const char *method = exchange->request;
    bool head = strcmp(method, "HEAD") == 0, get = strcmp(method, "GET") == 0;
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (exchange->length || is_upload(method)) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    } else if (head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!get) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
}

/* Without a session: a connection of its own, closed afterwards. HTTP/1.1 also with TLS: then a session's limit counts
 * connections everywhere, a slow reader slows nobody but its own server, and the virtual world is the same. */
static void set_connection(const struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    long own = exchange->session->number == 0;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)(own || exchange->once));
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, own);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, exchange->resolve);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, exchange->connect_to);
}

static void set_request(const struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
#if LIBCURL_VERSION_NUM >= 0x075000
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
#endif
    set_method(exchange);
    set_connection(exchange);
}

int rw_transfer_begin(struct real *world, struct exchange *exchange)
{
    struct http *http = &world->http;
    exchange->easy = http->spares ? http->spare[--http->spares] : handle_new(world);
    if (!exchange->easy || !list_headers(exchange))
        return -ENOMEM;
    set_request(exchange);
    if (curl_multi_add_handle(exchange->session->multi, exchange->easy) != CURLM_OK)
        return -ENOMEM;
    return 0;
}

/* Taken out before its end, its connection is closed. A handle counts how often it has sent something again, five times
 * at most for all its requests together: one that has is not used again. */
void rw_transfer_stop(struct real *world, struct exchange *exchange)
{
    struct http *http = &world->http;
    CURL *easy = exchange->easy;
    if (easy) {
        exchange->easy = NULL;
        curl_multi_remove_handle(exchange->session->multi, easy);
        bool is_good = !exchange->resent && !http->closing;
        if (is_good && http->spares < sizeof http->spare / sizeof *http->spare)
            http->spare[http->spares++] = easy;
        else
            curl_easy_cleanup(easy);
    }
    curl_slist_free_all(exchange->headers);
    curl_slist_free_all(exchange->resolve);
    curl_slist_free_all(exchange->connect_to);
    exchange->headers = exchange->resolve = exchange->connect_to = NULL;
}

bool rw_transfer_resume(struct exchange *exchange)
{
    if (!exchange->easy || !exchange->paused)
        return false;
    exchange->paused = false;
    return curl_easy_pause(exchange->easy, CURLPAUSE_CONT) == CURLE_OK;
}

void rw_messages(struct session *session)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(session->multi, &left));) {
        char *private = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct exchange *exchange = (struct exchange *)(void *)private;
        assert(exchange->easy == message->easy_handle);
        rw_exchange_end(session->world, exchange, rw_verdict(exchange, message->data.result));
    }
}
