/* client.c - fetches URLs in the real world as its arguments say, and prints what came of it: test_real*.py
 * drive it against servers.
 *
 *     client [OPTION...] WHAT URL...
 *     fetch    each URL (--repeat times), --at-once at a time: "RC STATUS LENGTH HASH" in the order of the URLs
 *     cancel   the same, but after --after ms all that are under way are cancelled
 *     stream   reads each URL's body piece by piece, --most bytes at most, and sleeps --pause ms before each piece
 *     block    with http_get_blocking
 * Then one line of figures: "figures elapsed_us=... fds_before=... fds_after=... rss_before=... rss_most=...
 * in_flight=..." (rss in KiB).
 */
#define _GNU_SOURCE
#include "co.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 4096 };

struct fetch {
    const char *url;
    int rc, status;
    size_t length;
    uint64_t hash;
};

static struct {
    const char *what, *method, *headers, *body, *show;
    long at_once, repeat, session, after, most, pause, timeout, redirects;
    struct fetch *fetches;
    size_t n, next;
    long in_flight, most_in_flight, rss_most;
    struct co_session *kept;
} the = {.what = "fetch", .at_once = 50, .repeat = 1, .session = -1, .most = 1L << 40};

static uint64_t hash_of(const char *bytes, size_t size, uint64_t hash)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

static long rss(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int open_descriptors(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        n += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return n - 1;                   /* without the folder's own */
}

static void note_begin(void)
{
    if (++the.in_flight > the.most_in_flight)
        the.most_in_flight = the.in_flight;
}

static struct co_request request_of(const struct fetch *fetch)
{
    return (struct co_request){
        .method = the.method, .url = fetch->url, .headers = the.headers,
        .body = the.body, .length = the.body ? strlen(the.body) : 0,
        .timeout = CO_MS(the.timeout), .max_redirects = (int)the.redirects, .session = the.kept,
    };
}

static void fetch_whole(struct fetch *fetch)
{
    CO_RESPONSE(resp);
    char value[256];
    struct co_request request = request_of(fetch);
    note_begin();
    fetch->rc = strcmp(the.what, "block") == 0 ? http_get_blocking(fetch->url, &resp)
        : co_http_request(&request, &resp);
    the.in_flight--;
    fetch->status = resp.status;
    fetch->length = resp.length;
    fetch->hash = hash_of(resp.body, resp.length, 0xcbf29ce484222325u);
    if (the.show && fetch->rc == 0)
        printf("%s: %s\n", the.show, co_response_header(&resp, the.show, value, sizeof value) ? value : "-");
}

static void fetch_stream(struct fetch *fetch)
{
    CO_STREAM(stream);
    static char buffer[PIECE];
    struct co_request request = request_of(fetch);
    fetch->rc = co_stream_open(&request, &stream);
    fetch->status = stream.status;
    fetch->hash = 0xcbf29ce484222325u;
    while (fetch->rc >= 0 && fetch->length < (size_t)the.most) {
        if (the.pause && (fetch->rc = co_sleep(CO_MS(the.pause))) < 0)
            break;
        if ((fetch->rc = co_stream_read(&stream, buffer, sizeof buffer)) <= 0)
            break;
        fetch->length += (size_t)fetch->rc;
        fetch->hash = hash_of(buffer, (size_t)fetch->rc, fetch->hash);
        fetch->rc = 0;
    }
}

static int worker(void *job)
{
    (void)job;
    while (the.next < the.n) {
        struct fetch *fetch = &the.fetches[the.next++];
        if (strcmp(the.what, "stream") == 0)
            fetch_stream(fetch);
        else
            fetch_whole(fetch);
        if (fetch->rc == -ECANCELED)
            return fetch->rc;
    }
    return 0;
}

static int watcher(void *job)
{
    (void)job;
    while (co_sleep(CO_MS(5)) == 0) {
        long now = rss();
        the.rss_most = now > the.rss_most ? now : the.rss_most;
    }
    return 0;
}

static int run_all(void *job)
{
    (void)job;
    CO_SESSION(session, (uint32_t)(the.session > 0 ? the.session : 0));
    CO_GROUP(watch);
    CO_GROUP(group);
    the.kept = the.session >= 0 ? &session : NULL;
    co_spawn(&watch, watcher, NULL);
    for (long i = 0; i < the.at_once; i++)
        co_spawn(&group, worker, NULL);
    int rc = 0;
    if (strcmp(the.what, "cancel") == 0) {
        rc = co_sleep(CO_MS(the.after));
        co_group_cancel(&group);
        rc = rc < 0 ? rc : co_join(&group);
        printf("cancelled at_us=%lld\n", (long long)(co_now() / 1000));
        fflush(stdout);
        if (co_sleep(CO_MS(300)) < 0)        /* the server can now say when it saw the end */
            printf("cancelled itself\n");
    } else {
        rc = co_join(&group);
    }
    co_group_cancel(&watch);
    if (co_join(&watch) < 0)
        printf("cancelled itself\n");
    return rc == -ECANCELED && strcmp(the.what, "cancel") == 0 ? 0 : rc;
}

static int nothing(void *job)
{
    (void)job;
    return 0;
}

static void read_options(int argc, char **argv)
{
    static const struct {const char *name; long *value; const char **text;} known[] = {
        {"at-once", &the.at_once, 0}, {"repeat", &the.repeat, 0}, {"session", &the.session, 0},
        {"after", &the.after, 0}, {"most", &the.most, 0}, {"pause", &the.pause, 0}, {"timeout", &the.timeout, 0},
        {"redirects", &the.redirects, 0}, {"method", 0, &the.method}, {"headers", 0, &the.headers},
        {"body", 0, &the.body}, {"show", 0, &the.show},
    };
    enum { N = sizeof known / sizeof *known };
    struct option options[N + 1] = {0};
    int at;
    for (int i = 0; i < N; i++)
        options[i] = (struct option){known[i].name, required_argument, NULL, 0};
    while (getopt_long(argc, argv, "+", options, &at) == 0) {
        if (known[at].value)
            *known[at].value = strtol(optarg, NULL, 10);
        else
            *known[at].text = optarg;
    }
    if (optind < argc)
        the.what = argv[optind++];
}

int main(int argc, char **argv)
{
    const struct co_options options = {.program = "client", .world_file = "real"};
    read_options(argc, argv);
    size_t urls = (size_t)(argc - optind);
    the.n = urls * (size_t)the.repeat;
    the.fetches = calloc(the.n + 1, sizeof *the.fetches);
    for (size_t i = 0; i < the.n; i++)
        the.fetches[i] = (struct fetch){.url = argv[optind + (int)(i % urls)], .rc = -EINPROGRESS};
    if (co_run(nothing, NULL, &options) < 0)        /* libuv keeps a pipe for as long as the process lives */
        return 2;
    int before = open_descriptors();
    long rss_before = rss();
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int rc = co_run(run_all, NULL, &options);
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (size_t i = 0; i < the.n; i++) {
        const struct fetch *fetch = &the.fetches[i];
        printf("%d %d %zu %016llx\n", fetch->rc, fetch->status, fetch->length, (unsigned long long)fetch->hash);
    }
    printf("figures rc=%d elapsed_us=%lld fds_before=%d fds_after=%d rss_before=%ld rss_most=%ld in_flight=%ld\n", rc,
           (long long)((end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000), before,
           open_descriptors(), rss_before, the.rss_most, the.most_in_flight);
    free(the.fetches);
    return rc < 0;
}
