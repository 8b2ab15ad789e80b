/* session.c - whose connections an exchange uses, and whose turn it is.
 *
 * Each session has a multi handle of curl's: with it curl keeps the connections that may be used again. Whose turn it
 * is we decide ourselves, so that it goes strictly by who came first, and that only those under way cost curl's memory.
 */
#include "real.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lines ------------------------------------------------------------------------------------- */

void rw_line_add(struct line *line, struct exchange *exchange)
{
    exchange->line = line;
    exchange->next = NULL;
    exchange->prev = line->last;
    if (line->last)
        line->last->next = exchange;
    else
        line->first = exchange;
    line->last = exchange;
}

void rw_line_remove(struct exchange *exchange)
{
    struct line *line = exchange->line;
    if (!line)
        return;
    if (exchange->prev)
        exchange->prev->next = exchange->next;
    else
        line->first = exchange->next;
    if (exchange->next)
        exchange->next->prev = exchange->prev;
    else
        line->last = exchange->prev;
    exchange->line = NULL;
    exchange->next = exchange->prev = NULL;
}

/* ---- Sessions ---------------------------------------------------------------------------------- */

static struct session *session_new(struct real *world, uint32_t number)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session || !(session->multi = curl_multi_init())) {
        free(session);
        return NULL;
    }
    session->world = world;
    session->number = number;
    session->next = world->http.sessions;
    world->http.sessions = session;
    rw_sockets_attach(session);
    return session;
}

struct session *rw_session_find(struct real *world, uint32_t number)
{
    for (struct session *session = world->http.sessions; session; session = session->next)
        if (session->number == number && !session->closed)
            return session;
    return session_new(world, number);
}

void rw_session_close(struct real *world, uint32_t number)
{
    for (struct session *session = world->http.sessions; session && number; session = session->next)
        if (session->number == number)
            session->closed = true;
    rw_sessions_reap(world);
}

void rw_session_leave(struct session *session)
{
    session->requests--;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

/* Closes its idle connections. Its last bytes go when libuv is done with the timer. */
static void session_free(struct session *session)
{
    while (session->sites) {
        struct site *site = session->sites;
        session->sites = site->next;
        free(site);
    }
    curl_multi_cleanup(session->multi);
    rw_sockets_detach(session);
    uv_close((uv_handle_t *)&session->timer, on_closed);
}

void rw_sessions_reap(struct real *world)
{
    for (struct session **at = &world->http.sessions, *session; (session = *at);) {
        if (!session->closed || session->requests > 0) {
            at = &session->next;
            continue;
        }
        *at = session->next;
        session_free(session);
    }
}

/* ---- Turns ------------------------------------------------------------------------------------- */

/* Scheme, host and port of a URL: how many bytes. */
static size_t site_length(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return (size_t)(host - url) + strcspn(host, "/?#");
}

static struct site *site_of(struct session *session, const char *url)
{
    size_t length = site_length(url);
    for (struct site *site = session->sites; site; site = site->next)
        if (strncasecmp(site->name, url, length) == 0 && site->name[length] == '\0')
            return site;
    struct site *site = calloc(1, sizeof *site + length + 1);
    if (!site)
        return NULL;
    site->session = session;
    memcpy(site->name, url, length);
    site->next = session->sites;
    session->sites = site;
    return site;
}

int rw_site_enter(struct exchange *exchange, uint32_t limit)
{
    if (limit == 0)
        return 1;
    struct site *site = exchange->site = site_of(exchange->session, exchange->url);
    if (!site)
        return -ENOMEM;
    if (site->active >= limit || site->waiting.first) {
        rw_line_add(&site->waiting, exchange);
        return 0;
    }
    site->active++;
    exchange->has_turn = true;
    return 1;
}

/* The next in line has its turn, when the loop comes round. */
void rw_site_leave(struct real *world, struct exchange *exchange)
{
    struct site *site = exchange->site;
    if (!site || !exchange->has_turn)
        return;
    exchange->has_turn = false;
    struct exchange *next = site->waiting.first;
    if (!next) {
        site->active--;
        return;
    }
    rw_line_remove(next);
    next->has_turn = true;
    rw_line_add(&world->http.fresh, next);
}
