/* told.c - what is said of a search. */
#define _GNU_SOURCE
#include "explore/search/told.h"

#include "co.h"
#include "explore/search/beside.h"
#include "explore/search/search.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SHOWN_EACH = 200000000, NUMBER_TEXT = 32, TOLD_MOST = 10, MISS_TEXT = 1024 };

struct told {
    const struct search *path, *samples;
    const struct overlap *overlaps[2];      /* theirs; of the first alone where that is complete */
    size_t overlaps_n;
    int64_t shown_at;
    bool terminal;
};

struct told *told_begin(const struct search *path, const struct search *samples)
{
    static struct told told;
    told = (struct told){.path = path, .samples = samples, .terminal = isatty(STDERR_FILENO)};
    return &told;
}

/* 48210 as "48,210". Four texts may be in use at a time. */
static const char *number(uint64_t value)
{
    static char texts[4][NUMBER_TEXT];
    static int next;
    char *at = texts[next++ % 4] + NUMBER_TEXT - 1;
    *at = '\0';
    for (int digits = 0; value > 0 || digits == 0; value /= 10, digits++) {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
    }
    return at;
}

static const char *count(uint64_t n, const char *one, const char *more)
{
    static char texts[4][NUMBER_TEXT + 32];
    static int next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%s %s", number(n), n == 1 ? one : more);
    return text;
}

static uint64_t orders_of(const struct told *told)
{
    return told->path->orders + (told->path->complete ? 0 : told->samples->orders);
}

/* Classes that either has seen. */
static uint64_t classes_of(const struct told *told)
{
    uint64_t n = told->path->classes_n;
    if (told->path->complete)
        return n;
    for (size_t i = 0; i < CLASSES_MOST; i++) {
        uint64_t hash = told->samples->classes[i];
        if (!hash)
            continue;
        size_t at = hash % CLASSES_MOST;
        while (told->path->classes[at] && told->path->classes[at] != hash)
            at = (at + 1) % CLASSES_MOST;
        n += told->path->classes[at] == 0;
    }
    return n;
}

void told_progress(struct told *told, int64_t ns)
{
    if (!told->terminal || ns - told->shown_at < SHOWN_EACH)
        return;
    told->shown_at = ns;
    fprintf(stderr, "\r%s so far (%s a second) ", count(told->path->orders + told->samples->orders, "order", "orders"),
            number((uint64_t)((double)(told->path->orders + told->samples->orders) * 1e9 / (double)ns)));
}

/* ---- What was found ------------------------------------------------------------------------------- */

static const char *place(const void *pc)
{
    static char texts[4][128];
    static int next;
    char *text = texts[next++ % 4];
    const char *found = pc ? source_line(pc, text, sizeof texts[0]) : NULL;
    return found ? found : "?";
}

static const char *const KINDS_NAMED[] = {
    [WRONG_FAILED] = "failed", [WRONG_DEADLOCK] = "deadlock", [WRONG_ENDLESS] = "endless", [WRONG_CRASH] = "crash",
    [WRONG_EXIT] = "exit", [WRONG_LEAK] = "leak", [WRONG_DIFFERS] = "differs", [WRONG_LOST] = "lost update",
    [WRONG_OVERFLOW] = "stack overflow", [WRONG_BLOCKED] = "blocked", [WRONG_UNSTEADY] = "unsteady",
};

/* One line: what happened, where. */
static void describe(const struct finding *f, char *text, size_t size)
{
    switch (f->fault) {
    case WRONG_FAILED:
        snprintf(text, size, "the program fails: %s", co_strerror((int)f->number));
        break;
    case WRONG_DEADLOCK:
        snprintf(text, size, "deadlock: a task waits at %s, and nothing can ever wake it", place(f->at));
        break;
    case WRONG_ENDLESS:
        snprintf(text, size, "endless: at %s the program goes on and on", place(f->at));
        break;
    case WRONG_CRASH:
        snprintf(text, size, "crash at %s: %s", place(f->at), strsignal((int)f->number));
        break;
    case WRONG_EXIT:
        snprintf(text, size, "%s ends the whole program with code %d", place(f->at), (int)f->number);
        break;
    case WRONG_LEAK:
        snprintf(text, size, "leak: the %s of %s is never closed, freed or awaited", f->text, place(f->at));
        break;
    case WRONG_DIFFERS:
        snprintf(text, size, "another result than in the plain order: %s", f->text);
        break;
    case WRONG_LOST:
        snprintf(text, size, "lost update at %s", place(f->lost.wrote_at));
        break;
    case WRONG_OVERFLOW:
        snprintf(text, size, "stack overflow at %s: endless recursion, or a large array on the stack", place(f->at));
        break;
    case WRONG_BLOCKED:
        snprintf(text, size, "the program itself stands still, or was killed (signal %d)", (int)-f->number);
        break;
    default:
        snprintf(text, size, "the same order twice is not the same run: something else than the order decides "
                 "(an address, the time, memory that nobody wrote)");
    }
}

static void say(const struct finding *f, size_t number_of, uint64_t orders)
{
    char text[512];
    const char *again = getenv("CO_EXPLORE_AGAIN");
    describe(f, text, sizeof text);
    printf("%zu. %s\n", number_of, text);
    if (f->fault == WRONG_LOST) {
        printf("   %s read it, %s waited, %s wrote it back\n", place(f->lost.read_at), place(f->lost.waited_at),
               place(f->lost.wrote_at));
        printf("   meanwhile another task wrote it at %s: that is lost\n", place(f->lost.other_at));
    }
    if (f->kind == KIND_MEMORY || f->kind == KIND_CANCEL) {
        printf(f->kind == KIND_MEMORY ? "   when allocation %s fails (the program's own are counted, from 1)\n"
               : "   when the task that was begun with is cancelled after step %s\n", number(f->trial));
        return;
    }
    printf("   in %s of %s%s; again: %s%s%s\n", number(f->orders), count(orders, "order", "orders"),
           f->tape[0] ? "" : ", the plain one among them", again ? again : "", f->tape[0] ? " TAPE=" : "", f->tape);
}

/* ---- Too much order ------------------------------------------------------------------------------- */

static const char *awaited(const struct reason *reason)
{
    static const char *const what[] = {
        [WAIT_SLEEP] = "its time", [WAIT_HTTP] = "another answer", [WAIT_JOB] = "a worker",
        [WAIT_LOCK] = "a lock", [WAIT_SEM] = "a place of a semaphore", [WAIT_EVENT] = "an event",
        [WAIT_QUEUE_GET] = "an item of a queue", [WAIT_QUEUE_PUT] = "room in a queue", [WAIT_QUEUE_JOIN] = "a queue",
        [WAIT_TASK] = "a task", [WAIT_TASKS] = "tasks", [WAIT_GROUP] = "the tasks of a group",
        [WAIT_GROUP_NEXT] = "the next task of a group", [WAIT_COND] = "a condition", [WAIT_BARRIER] = "a barrier",
        [WAIT_GEN_NEXT] = "a generator", [WAIT_FILE] = "the disk", [WAIT_STREAM] = "a stream",
        [WAIT_DATABASE] = "a database", [WAIT_CONNECTION] = "a connection of a pool",
        [WAIT_SOCKET] = "the network", [WAIT_CLIENT] = "a client", [WAIT_PEER] = "the other side of a connection",
        [WAIT_ROOM] = "room at the other side of a connection",
    };
    bool known = reason->kind < sizeof what / sizeof what[0] && what[reason->kind];
    return known ? what[reason->kind] : "its turn";
}

/* Two lines: which two are never under way together, and what the second one waits for. */
static void describe_miss(const struct miss *miss, uint64_t orders, char *text, size_t size)
{
    const struct reason *why = &miss->second.reason;
    int length = snprintf(text, size, "too much order: %s and %s are under way together in none of %s; in the "
                          "reference they are", miss->first.url, miss->second.url, count(orders, "order", "orders"));
    if (miss->pairs > 1)
        length += snprintf(text + length, size - (size_t)length, " (and so it is with %u other pairs)",
                           miss->pairs - 1);
    if (why->kind == WAIT_LOCK && why->taken_at)
        snprintf(text + length, size - (size_t)length, "\n   %s asks for it after %s has waited for a lock: it was "
                 "taken at %s, and kept during the wait at %s", place(why->asked_at), place(why->waited_at),
                 place(why->taken_at), place(why->kept_at));
    else if (why->waited_at)
        snprintf(text + length, size - (size_t)length, "\n   %s asks for it after %s has waited for %s",
                 place(why->asked_at), place(why->waited_at), awaited(why));
}

/* Of both: those of the depth-first search first; what both have found is told once. */
static size_t merge(const struct told *told, struct finding all[2 * FINDINGS_MOST])
{
    size_t n = 0;
    const struct search *from[] = {told->path, told->samples};
    for (size_t k = 0; k < (told->path->complete ? 1 : 2); k++)
        for (uint32_t i = 0; i < from[k]->findings_n; i++) {
            const struct finding *f = &from[k]->findings[i];
            size_t at = 0;
            while (at < n && (all[at].fault != f->fault || all[at].number != f->number || all[at].at != f->at
                              || strcmp(all[at].text, f->text) != 0))
                at++;
            if (at == n) {
                all[n++] = *f;
                continue;
            }
            all[at].orders += f->orders;
            if (f->deviations < all[at].deviations) {
                all[at].deviations = f->deviations;
                memcpy(all[at].tape, f->tape, sizeof f->tape);
            }
        }
    return n;
}

/* ---- As JSON -------------------------------------------------------------------------------------- */

static json_t *finding_to_json(const struct finding *f)
{
    char text[512];
    describe(f, text, sizeof text);
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "kind", KINDS_NAMED[f->fault], "text", text, "src",
                             place(f->fault == WRONG_LOST ? f->lost.wrote_at : f->at), "orders", (json_int_t)f->orders,
                             "number", (json_int_t)f->number, "tape", f->tape, "what", f->text);
    if (json && (f->kind == KIND_MEMORY || f->kind == KIND_CANCEL))
        json_object_set_new(json, f->kind == KIND_MEMORY ? "allocation" : "cancel", json_integer((json_int_t)f->trial));
    if (json && f->fault == WRONG_LOST)
        json_object_set_new(json, "lost", json_pack("{s:s, s:s, s:s, s:s}", "read", place(f->lost.read_at), "waited",
                                                    place(f->lost.waited_at), "wrote", place(f->lost.wrote_at),
                                                    "meanwhile", place(f->lost.other_at)));
    return json;
}

/* Seconds of the processors' time that the workers took. */
static double workers_cpu(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_CHILDREN, &used) != 0)
        return 0;
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static json_t *miss_to_json(const struct miss *miss, uint64_t orders)
{
    char text[MISS_TEXT];
    describe_miss(miss, orders, text, sizeof text);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "kind", "too much order", "text", text, "src",
                     place(miss->second.reason.waited_at), "tape", "", "first", miss->first.url, "second",
                     miss->second.url, "pairs", (int)miss->pairs);
}

static void write_json(const struct told *told, const char *file, const struct finding all[], size_t n,
                       const struct miss misses[], size_t misses_n, int64_t ns)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < misses_n; i++)
        json_array_append_new(findings, miss_to_json(&misses[i], orders_of(told)));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(findings, finding_to_json(&all[i]));
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:b, s:f, s:f, s:o, s:o}", "schema", "looplab/explore/v1", "orders",
                             (json_int_t)orders_of(told), "whole",
                             (json_int_t)(told->path->whole + (told->path->complete ? 0 : told->samples->whole)),
                             "classes", (json_int_t)classes_of(told), "complete", (int)told->path->complete,
                             "elapsed_s", (double)ns / 1e9, "cpu_s", workers_cpu(), "findings", findings,
                             "together", beside_pairs(told->overlaps, told->overlaps_n));
    if (!json || json_dump_file(json, file, JSON_INDENT(1)) != 0)
        fprintf(stderr, "explore: %s cannot be written\n", file);
}

/* The last line. */
static void say_all(const struct told *told, uint64_t orders, int64_t ns)
{
    const struct plan *plan = &told->samples->plan;
    if (plan->trials)
        printf("%s, %s, all of them, in %.1f s\n",
               count(plan->by_kind[KIND_MEMORY], "allocation that fails", "allocations that fail"),
               count(plan->by_kind[KIND_CANCEL], "step after which all is cancelled",
                     "steps after which all is cancelled"), (double)ns / 1e9);
    else
        printf("%s, %s, %s, in %.1f s (%s a second)\n", count(orders, "order", "orders"),
               count(classes_of(told), "class", "classes"), told->path->complete ? "all of them" : "not all of them",
               (double)ns / 1e9, number((uint64_t)((double)orders * 1e9 / (double)(ns > 0 ? ns : 1))));
}

int told_end(struct told *told, int64_t ns)
{
    static struct finding all[2 * FINDINGS_MOST];
    size_t n = merge(told, all);
    uint64_t orders = orders_of(told);
    const char *file = getenv("CO_EXPLORE_JSON");
    static struct miss misses[MISSES_MOST];
    told->overlaps[0] = &told->path->overlap;
    told->overlaps[1] = &told->samples->overlap;
    told->overlaps_n = told->path->complete ? 1 : 2;
    size_t misses_n = beside_misses(told->overlaps, told->overlaps_n, getenv("CO_EXPLORE_BESIDE"), misses);
    if (told->terminal)
        fprintf(stderr, "\r%*s\r", 60, "");
    for (size_t i = 0; i < n && i < TOLD_MOST; i++)
        say(&all[i], i + 1, orders);
    for (size_t i = 0; i < misses_n; i++) {
        char text[MISS_TEXT];
        describe_miss(&misses[i], orders, text, sizeof text);
        printf("%zu. %s\n", n + i + 1, text);
    }
    if (n > TOLD_MOST)
        printf("... and %zu more\n", n - TOLD_MOST);
    if (file)
        write_json(told, file, all, n, misses, misses_n, ns);
    say_all(told, orders, ns);
    return n + misses_n > 0;
}
