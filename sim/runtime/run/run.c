/* run.c - one run of a program: what it is given is opened, the main task runs, what it left behind is reported. */
#include "runtime/outside/asleep.h"
#include "runtime/outside/database.h"
#include "runtime/outside/file.h"
#include "runtime/outside/http.h"
#include "runtime/outside/tcp.h"
#include "runtime/state/hold.h"
#include "runtime/state/loop.h"
#include "runtime/state/task.h"
#include "runtime/state/timer.h"
#include "runtime/switch/fiber.h"
#include "runtime/switch/modes.h"
#include "runtime/switch/stack.h"
#include "runtime/tasks/cancel.h"
#include "runtime/tasks/op.h"
#include "runtime/tasks/ready.h"
#include "runtime/tasks/scope.h"
#include "runtime/tasks/task.h"
#include "runtime/watch/fault.h"
#include "runtime/watch/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_STACK = 64 * 1024 };        /* bytes: so much more stack has each task in a live world */

static void cancel_all(struct loop *loop, const char *why)
{
    struct co_task **tasks = co__tasks_alive(loop);
    for (size_t i = 0; tasks[i]; i++)
        co__cancel(tasks[i], why, NULL);
    free(tasks);
}

/* Until `last` is done, or (NULL) all are. */
static void run_until_done(struct loop *loop, const struct co_task *last)
{
    while (!co__run_until(loop, last)) {
        loop->rc = -EDEADLK;
        loop->broken = true;
        cancel_all(loop, "deadlock");
    }
}

static const char *setting(const char *option, const char *variable)
{
    const char *value = option ? option : getenv(variable);
    return value && *value ? value : NULL;
}

/* Which world the program runs in. Who says REAL=1, or names a judge, means it, whatever file the program names. */
static const char *world_asked(const struct co_options *options)
{
    const char *said = setting(NULL, "CO_WORLD");
    bool real = said && strcmp(said, "real") == 0 && world_real_open, judge = said && world_remote_fd(said) >= 0;
    return real || judge ? said : setting(options->world_file, "CO_WORLD");
}

static bool open_world(struct loop *loop, const char *name, uint64_t seed, char *error, size_t size)
{
    int judge = name ? world_remote_fd(name) : -1;
    if (judge >= 0 && loop->tape)
        snprintf(error, size, "the judge holds the tape: give it none here");
    else if (judge >= 0)
        loop->world = world_remote_open(judge, loop->trace, &loop->tape, error, size);
    else if (!name || strcmp(name, "real") != 0)
        loop->world = world_virtual_open(name, seed, loop->trace, loop->tape, error, size);
    else if (world_real_open)
        loop->world = world_real_open(loop->trace, error, size);
    else
        snprintf(error, size,
                 "the real world (--real, CO_WORLD=real) needs libuv and libcurl, and this program is linked "
                 "without them: say make run REAL=1");
    return loop->world != NULL;
}

/* Opens the trace, the tape and the world that the options or the environment name. A line in error on a fault. */
static bool open_all(struct loop *loop, const struct co_options *options, char *error, size_t size)
{
    const char *seed_text = getenv("CO_SEED");
    uint64_t seed = options->seed;
    if (!seed && seed_text) {
        seed = strtoull(seed_text, NULL, 10);
        if (errno || seed_text[strspn(seed_text, "0123456789")]) {
            snprintf(error, size, "CO_SEED: expected a whole number below 2^64, not \"%s\"", seed_text);
            return false;
        }
    }
    const char *tape = setting(options->tape, "CO_TAPE"), *trace = setting(options->trace_file, "CO_TRACE");
    if (tape && !(loop->tape = tape_open(tape, error, size)))
        return false;
    if (trace && !(loop->open_trace = loop->trace = trace_open(trace, loop->program, seed))) {
        snprintf(error, size, "%s: cannot write the trace: %s", trace, strerror(errno));
        return false;
    }
    if (!loop->tape)
        loop->tape = explore_tape();
    co__trace_resume(loop);
    if (!loop->world && !open_world(loop, world_asked(options), seed, error, size))
        return false;
    loop->live = loop->behind = loop->world->live;
    if (!loop->live)
        co__asleep_install();
    if (loop->live)                     /* what looks for news in a task's stead runs on its stack: TLS takes 30 KiB */
        stack_pool_init(&loop->stacks, loop->stacks.size + LIVE_STACK);
    co__steps_restart(loop);
    return true;
}

static void close_all(struct loop *loop)
{
    if (loop->world)
        loop->world->close(loop->world);
    trace_close(loop->open_trace);
    if (loop->tape)
        tape_close(loop->tape);
    timers_free(&loop->timers);
    co__op_free_all(loop);
    co__scopes_free(loop);
    co__holds_free(loop);
    co__answers_leave(loop);
    co__files_free(loop);
    if (co__databases_free)             /* a program without databases is linked without what they need */
        co__databases_free(loop);
    if (co__servers_free)
        co__servers_free(loop);
    co__flows_free(loop);
    co__sessions_free(loop);
    co__tasks_free(loop);
    free(loop->due);
}

/* What was left behind. */
static void report_leaks(struct loop *loop)
{
    co__answers_report(loop);
    co__flows_report(loop);
    co__sessions_report(loop);
    for (const struct co_hold *hold = loop->held; hold; hold = hold->next)
        co__leak(loop, "lock", NULL, hold->taken_at);
    co__files_report(loop);
    if (co__databases_report)
        co__databases_report(loop);
    if (co__servers_report)
        co__servers_report(loop);
    co__leaks_end(loop);
}

static void report_left_over(struct loop *loop)
{
    struct co_task **tasks = co__tasks_alive(loop);
    for (size_t i = 0; tasks[i]; i++)
        co__leak(loop, "task", tasks[i], co__origin(tasks[i])->spawned_at);
    free(tasks);
}

static int run_main(struct loop *loop, co_fn main_fn, void *job, const char *name, const void *pc)
{
    struct co_task *main_task = co__task_new(NULL, main_fn, job, name, pc);
    if (!main_task)
        return -ENOMEM;
    main_task->seen = true;
    explore_begin(loop);
    run_until_done(loop, main_task);
    if (loop->alive > 0) {              /* a group that nobody ended has left some */
        report_left_over(loop);
        cancel_all(loop, "end");
        run_until_done(loop, NULL);
    }
    co__trace_resume(loop);
    if (loop->live)
        co__read_clock(loop);
    report_leaks(loop);
    int rc = loop->rc ? loop->rc : main_task->rc;
    explore_end(rc);
    if (loop->interrupted && rc == -ECANCELED)
        rc = -EINTR;
    loop->world->submit(loop->world, &(struct world_request){.op = WORLD_FINISH});
    if (loop->live)
        co__read_clock(loop);
    if (loop->trace) {
        trace_begin(loop->trace, loop->now, TRACE_RUNTIME, "end");
        trace_int(loop->trace, "rc", rc);
        trace_end(loop->trace);
    }
    return rc;
}

int co_run_named(co_fn main_fn, void *job, const struct co_options *options, const char *name)
{
    static const struct co_options defaults;
    struct loop loop = {0};
    char error[512] = "";
    if (co__loop)
        return -EALREADY;
    if (!options)
        options = &defaults;
    loop.program = options->program ? options->program : "program";
    loop.max_steps = options->max_steps ? options->max_steps : 1000000;
    loop.errno_at = &errno;
    modes_read(&loop.modes);
    loop.own_modes = &co__calls_fenv != NULL;
    loop.world = options->world;
    loop.debug = options->debug || setting(NULL, "CO_DEBUG");
    co__steps_restart(&loop);
    fiber_thread(&loop.fiber);
    stack_pool_init(&loop.stacks, options->stack_size ? options->stack_size : 256 * 1024);
    co__loop = &loop;
    co__fault_install();
    int rc, errno_before = errno;
    errno = 0;
    if (open_all(&loop, options, error, sizeof error)) {
        rc = run_main(&loop, main_fn, job, name, CALLER);
    } else {
        rc = errno == ENOMEM ? -ENOMEM : -EINVAL;
        fprintf(stderr, "%s: %s\n", loop.program, error);
    }
    errno = errno_before;
    close_all(&loop);
    co__fault_remove();
    co__loop = NULL;
    return rc;
}
