/* search.c - the process that starts the workers, waits for them, and says what came of it.
 *
 * It never runs the student's program: where that ends a worker, another one takes its place and goes on with the next
 * order. One worker goes depth first, the other one samples; where the first has seen all, nobody asks for samples.
 */
#define _GNU_SOURCE
#include "explore/search/search.h"

#include "explore/search/told.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 2, STACK = 1 << 20, LOOK_NS = 2000000, QUIET_LOOKS = 1000, DEATHS_MOST = 100000,
};

/* A worker, as the first process sees it. */
struct place {
    struct search *search;
    pid_t pid;                      /* 0: none                                       */
    uint64_t progress, quiet;       /* what it had done when last looked at, and since how many looks */
};

/* Reports that must be the same in all orders, by name, with commas between them. */
static const char *same_reports;

bool search_same(const char *report)
{
    size_t length = strlen(report);
    for (const char *at = same_reports; at && *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == length && memcmp(at, report, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static void *shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        fprintf(stderr, "explore: no memory for the search\n");
        guard_exit(3);
    }
    return at;
}

/* The kernel's own calls: in this program the C library's are those of a world. */
static void nap(int64_t ns)
{
    struct timespec rest = {0, ns};
    syscall(SYS_nanosleep, &rest, NULL);
}

static int64_t wall(void)
{
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * CO_SEC(1) + now.tv_nsec;
}

/* In the worker: begins its flow. Returns once for each order. */
static void work(struct search *mine, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (syscall(SYS_getppid) != parent)
        guard_exit(3);
    int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && nowhere >= 0 && !getenv("CO_EXPLORE_LOUD"); fd++)
        dup2(nowhere, fd);
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        guard_exit(3);
    search = NULL;                      /* until the worker sets it: what comes before is no run */
    co__switch_new(&mine->program, stack + STACK, worker_main, mine);
}

/* True in the worker. */
static bool start(struct place *place)
{
    pid_t parent = (pid_t)syscall(SYS_getpid);
    fflush(NULL);
    place->pid = (pid_t)syscall(SYS_fork);
    if (place->pid == 0) {
        work(place->search, parent);
        return true;
    }
    if (place->pid < 0) {
        fprintf(stderr, "explore: %s\n", strerror(errno));
        guard_exit(3);
    }
    place->quiet = 0;
    return false;
}

/* A worker has ended: has it done all, or did the program end it? False: it must be started again. */
static bool has_done(struct place *place, int status)
{
    struct search *its = place->search;
    place->pid = 0;
    if (its->over)
        return true;
    its->deaths++;
    if (!its->running || its->deaths > DEATHS_MOST) {   /* not in a run, so not by the program, or by what it left */
        its->unsound = its->over = true;
        return true;
    }
    if (!its->crash && !its->endless && WIFSIGNALED(status))
        its->crash = -WTERMSIG(status);
    return false;
}

/* Does the process wait for something, so that it needs no processor? */
static bool sleeps(pid_t pid)
{
    char name[32], line[256] = "";
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY);
    ssize_t n = fd >= 0 ? (ssize_t)syscall(SYS_read, fd, line, sizeof line - 1) : -1;
    if (fd >= 0)
        close(fd);
    const char *state = n > 0 ? strrchr(line, ')') : NULL;
    return state && (state[2] == 'S' || state[2] == 'T');
}

/* One look at all workers. True in one that was started again. */
static bool look(struct place places[], size_t n)
{
    int status;
    pid_t pid = (pid_t)syscall(SYS_wait4, -1, &status, WNOHANG, NULL);
    for (size_t i = 0; i < n; i++) {
        struct place *place = &places[i];
        if (place->pid == 0)
            continue;
        if (pid == place->pid && !has_done(place, status) && start(place))
            return true;
        bool moved = place->search->progress != place->progress || pid == place->pid;
        place->progress = place->search->progress;
        place->quiet = moved || !place->pid || !sleeps(place->pid) ? 0 : place->quiet + 1;
        if (place->quiet > QUIET_LOOKS)
            syscall(SYS_kill, place->pid, SIGKILL);     /* it waits outside of the loop */
    }
    if (pid <= 0)
        nap(LOOK_NS);
    return false;
}

static void stop(struct place *place)
{
    if (place->pid == 0)
        return;
    syscall(SYS_kill, place->pid, SIGKILL);
    syscall(SYS_wait4, place->pid, NULL, 0, NULL);
    place->pid = 0;
}

/* Half of the orders for each: how many the depth-first one may run is what is said of "all" of them, too. */
static void divide(struct place places[WORKERS], struct loop *loop, uint64_t most)
{
    for (size_t i = 0; i < WORKERS; i++) {
        struct search *its = places[i].search = shared(sizeof *its);
        its->loop = loop;
        its->plan.sampled = i > 0;
        its->main_task = loop->ready_first;
        its->plan.trials = its->plan.sampled && getenv("CO_EXPLORE_TRIALS");
        its->plan.most = i > 0 ? most / 2 : getenv("CO_EXPLORE_TRIALS") ? 0 : most - most / 2;
        its->path.every = getenv("CO_EXPLORE_EVERY") != NULL;
    }
}

void explore_begin(struct loop *loop)
{
    const char *text = getenv("CO_EXPLORE");
    char place[64];
    if (!text || !loop->tape)
        return;
    struct place places[WORKERS] = {{0}};
    same_reports = getenv("CO_EXPLORE_SAME");
    /* The lines are read here once for all workers. */
    (void)source_line((const void *)(uintptr_t)explore_begin, place, sizeof place);
    divide(places, loop, strtoull(text, NULL, 10));
    int64_t begun = wall();
    for (size_t i = 0; i < WORKERS; i++)
        if (places[i].search->plan.most > 0 && start(&places[i]))
            return;
    struct told *told = told_begin(places[0].search, places[1].search);
    while (places[0].pid || places[1].pid) {
        if (look(places, WORKERS))
            return;
        if (places[0].search->complete)
            stop(&places[1]);
        told_progress(told, wall() - begun);
    }
    int code = told_end(told, wall() - begun);
    fflush(stdout);
    guard_exit(code);
}
