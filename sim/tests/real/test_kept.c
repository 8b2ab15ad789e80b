/* test_kept.c - for how long libcurl and the real world keep what they know of a name, and what is connected: on a
 * clock that leaps, so that two minutes take no time. The names are looked up here, and a process of ours serves. */
#include "../check.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- The clock and the names: these come before the C library's own ------------------------------------- */

static atomic_long leapt;               /* s */
static atomic_int asked;                /* how often for kept.test */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID)
        now->tv_sec += leapt;
    return rc;
}

time_t time(time_t *out)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    now.tv_sec += leapt;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    look_up *next;
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    bool is_ours = name && strcmp(name, "kept.test") == 0;
    asked += is_ours;
    return next(is_ours ? "127.0.0.1" : name, service, hints, found);
}

/* ---- A server: each answer's body is its connection's number --------------------------------------------- */

static pid_t server;
static char url[64];

static void serve_one(int connection, int number)
{
    char in[4096], out[128];
    ssize_t n;
    while ((n = read(connection, in, sizeof in)) > 0) {
        int length = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%02d", number);
        if (memmem(in, (size_t)n, "\r\n\r\n", 4) && write(connection, out, (size_t)length) != length)
            break;
    }
    _exit(0);
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 64) < 0
        || getsockname(listener, (struct sockaddr *)&address, &size) < 0 || (server = fork()) < 0)
        return -1;
    sprintf(url, "http://kept.test:%d/", ntohs(address.sin_port));
    if (server == 0) {
        signal(SIGCHLD, SIG_IGN);
        for (int number = 1, connection; (connection = accept(listener, NULL, NULL)) >= 0; number++) {
            if (fork() == 0)
                serve_one(connection, number);
            close(connection);
        }
        _exit(0);
    }
    close(listener);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    return kill(server, SIGKILL) == 0 && waitpid(server, NULL, 0) == server ? 0 : -1;
}

/* ---- libcurl --------------------------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t one, size_t size, void *number)
{
    char text[3] = {data[0], one * size == 2 ? data[1] : '\0', '\0'};
    *(int *)number = atoi(text);
    return one * size;
}

/* Which connection brings the answer. */
static int get(CURL *curl)
{
    int number = 0;
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &number);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    return number;
}

static void test_how_long_libcurl_keeps_them(void **state)
{
    (void)state;
    CURL *curl = curl_easy_init();
    asked = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    int first = get(curl);
    assert_int_equal(get(curl), first);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);          /* and the first one stays, for others */
    int second = get(curl);
    assert_int_equal(second, first + 1);
    assert_int_equal(asked, 1);
    leapt += 58;
    assert_int_equal(get(curl), first + 2);
    assert_int_equal(asked, 1);
    leapt += 3;
    assert_int_equal(get(curl), first + 3);
    assert_int_equal(asked, 2);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 0L);
    int kept = get(curl);
    assert_true(kept >= first && kept <= first + 3);
    leapt += 116;
    kept = get(curl);
    assert_true(kept >= first && kept <= first + 3);
    leapt += 120;
    assert_int_equal(get(curl), first + 4);
    curl_easy_cleanup(curl);
}

/* ---- The real world --------------------------------------------------------------------------------------------- */

/* -1: it went wrong. */
static int fetch(struct co_session *session, bool once)
{
    CO_RESPONSE(resp);
    int rc = co_http_request(&(struct co_request){.url = url, .session = session, .once = once}, &resp);
    return rc == 0 && resp.length == 2 ? atoi(resp.body) : -1;
}

static int keep(void *job)
{
    (void)job;
    asked = 0;
    CO_SESSION(session, 0);
    CO_SESSION(other, 0);
    int first = fetch(&session, false);
    expect(first > 0 && fetch(&session, false) == first);
    expect(fetch(&session, true) == first + 1);
    expect(fetch(&other, false) == first + 2 && asked == 1);
    leapt += 58;
    expect(fetch(NULL, false) == first + 3 && asked == 1);
    leapt += 3;
    expect(fetch(NULL, false) == first + 4 && asked == 2);
    leapt += 55;
    int kept = fetch(&session, false);
    expect(kept == first || kept == first + 1);         /* idle for 116 s */
    leapt += 120;
    expect(fetch(&session, false) == first + 5);
    return 0;
}

static void test_how_long_the_real_world_keeps_them(void **state)
{
    (void)state;
    board_clear();
    assert_int_equal(co_run(keep, NULL, &(struct co_options){.world_file = "real"}), 0);
    assert_int_equal(board->failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_how_long_libcurl_keeps_them, start_server, stop_server),
        cmocka_unit_test_setup_teardown(test_how_long_the_real_world_keeps_them, start_server, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
