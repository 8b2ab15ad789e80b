/* served.c - a world file that is served for real (sim/world/serve): where its
 * hosts are, what its answers cost, and its disk.
 *
 * A program meets it when these are in its environment, as `make serve` and `make compare` put them there:
 *
 *     CO_CONNECT_TO=a.test:80=127.0.0.1:4001,b.test:80=    where each host is; one without an address, and any other,
 *                                                          is unknown
 *     CO_DISK=labs/05-data-pipeline/worlds/mixed.json      the disk is that world's, at the pace of the real clock,
 *                                                          and so is its limit on descriptors
 *
 * The disk is the virtual world's own: calls to files go to it, its clock is led by ours, and what it completes is
 * handed over when our clock has come so far. So its latency, its faults and its size are those of the world file,
 * which no real disk could be told to have.
 */
#define _GNU_SOURCE     /* syscall */
#include "real.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPIN 200000             /* ns: less is not slept, as sleeping is no more exact */
#define OF_DISK (1ull << 62)    /* in an id: it is one of the disk's */

bool rw_served_open(struct real *world, char *error, size_t size)
{
    struct served *served = &world->served;
    const char *map = getenv("CO_CONNECT_TO"), *disk = getenv("CO_DISK");
    served->map = map && *map ? map : NULL;
    if (!disk || !*disk)
        return true;
    served->disk = world_virtual_open(disk, 0, world->trace, NULL, error, size);
    return served->disk != NULL;
}

void rw_served_close(struct real *world)
{
    if (world->served.disk)
        world->served.disk->close(world->served.disk);
    world->served.disk = NULL;
}

bool rw_served_socket(struct real *world, bool opens)
{
    return !world->served.disk || world_virtual_socket(world->served.disk, opens);
}

/* ---- Hosts ------------------------------------------------------------------------------------------ */

int rw_served_find(struct real *world, struct exchange *exchange, const char *host, size_t length)
{
    size_t site = length;
    for (const char *at = world->served.map; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const char *address = at + site + 1;
        size_t size = strcspn(at, ",");
        if (size <= site || strncasecmp(at, host, site) != 0 || at[site] != '=')
            continue;
        if (size == site + 1)
            return -ENXIO;
        char *entry = malloc(size + 1);
        if (!entry)
            return -ENOMEM;
        snprintf(entry, size + 1, "%.*s:%.*s", (int)site, host, (int)(size - site - 1), address);
        exchange->connect_to = curl_slist_append(NULL, entry);
        free(entry);
        return exchange->connect_to ? 1 : -ENOMEM;
    }
    return -ENXIO;
}

/* The number behind a name of ours in the head; 0: it is not there. */
static int64_t told(const struct real *world, const struct exchange *exchange, const char *name)
{
    const char *line = exchange->in.data, *end = line ? line + exchange->head : NULL;
    if (!world->served.map)
        return 0;
    for (; line && line < end; line = memchr(line, '\n', (size_t)(end - line)), line = line ? line + 1 : NULL)
        if ((size_t)(end - line) > strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
            return strtoll(line + strlen(name), NULL, 10);
    return 0;
}

int64_t rw_served_cpu(const struct real *world, const struct exchange *exchange)
{
    return told(world, exchange, "Looplab-Cpu: ");
}

int32_t rw_served_refusal(const struct real *world, const struct exchange *exchange)
{
    return -(int32_t)told(world, exchange, "Looplab-Refused: ");
}

#ifdef __linux__

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The system's own call: the program's clock_nanosleep is caught at link time. */
void rw_served_rest(const struct real *world, int64_t until)
{
    uint64_t ns = world->begin + (uint64_t)until - SPIN;
    struct timespec when = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    if (world->served.map && until - rw_now(world) > SPIN)
        while (syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) != 0)
            ;
}

#else

void rw_served_rest(const struct real *world, int64_t until)
{
    (void)world, (void)until;
}

#endif

/* ---- The disk --------------------------------------------------------------------------------------- */

/* Its clock comes up to ours. Only between what it hands over may it be asked
 * for more, so what it completes meanwhile waits in it. */
static void lead(struct real *world)
{
    struct world_completion nothing;
    struct co_world *disk = world->served.disk;
    disk->wait(disk, rw_now(world), &nothing, 0);
}

uint64_t rw_served_submit(struct real *world, const struct world_request *request)
{
    struct served *served = &world->served;
    struct world_request own = *request;
    own.file &= ~OF_DISK;
    lead(world);
    uint64_t id = served->disk->submit(served->disk, &own);
    bool completes = request->op == WORLD_FILE && request->call != WORLD_FILE_CLOSE;
    if (id && completes)
        served->pending++, world->pending++;
    return id ? id | OF_DISK : 0;
}

bool rw_served_cancel(struct real *world, uint64_t id)
{
    if (!(id & OF_DISK))
        return false;
    lead(world);
    world->served.disk->cancel(world->served.disk, id & ~OF_DISK);
    return true;
}

size_t rw_served_take(struct real *world, struct world_completion out[], size_t max)
{
    struct served *served = &world->served;
    if (!served->pending)
        return 0;
    size_t n = served->disk->wait(served->disk, rw_now(world), out, max);
    for (size_t i = 0; i < n; i++) {
        out[i].id |= OF_DISK;
        if (out[i].parts & WORLD_END)
            served->pending--, world->pending--;
    }
    return n;
}

int64_t rw_served_next(const struct real *world)
{
    return world->served.pending ? world_virtual_next(world->served.disk) : INT64_MAX;
}
