/* loop.c - the loop: who runs next, and when time passes.
 *
 * A task that waits switches straight to the next ready one. Only when none is ready does the loop's own flow run: it
 * lets time pass until the earliest timer or completion, and makes ready what is due at that instant.
 */
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Thread_local struct loop *co__loop;

enum {
    BATCH = 64,                 /* completions fetched with one call                           */
    SLOW_STEP = 100000000,      /* ns that a task may hold the loop, in debug mode             */
    TRACED_STEPS = 50000,       /* more of them at one instant are not traced: nobody could read that */
    LIVE_STACK = 64 * 1024,     /* bytes: so much more stack has each task in a live world           */
    LIVE_STEPS = 1000,          /* after so many a live world is asked what has happened, whoever is ready */
};

/* ---- The ready queue: strictly first in, first out ------------------------------------------- */

void co__note_ready(struct loop *loop, struct co_task *task)
{
    loop->ready_count++;
    if (loop->trace)
        co__trace_ready(task);
    if (loop->cancels_deferred)
        co__cancel_update(task);                /* what it waited for has come: now it lands */
}

/* The next task to run, which is current from now on; NULL: none is ready. */
static struct co_task *next_ready(struct loop *loop)
{
    if (!loop->ready_first)
        return NULL;
    struct co_task **link = &loop->ready_first, *before = NULL;
    if (loop->tape)
        for (uint32_t i = tape_choose(loop->tape, "ready", (uint32_t)loop->ready_count); i > 0; i--) {
            before = *link;
            link = &before->next;
        }
    loop->ready_count--;
    if (loop->live)
        co__read_clock(loop);
    loop->step_begin = loop->now;
    struct co_task *task = loop->current = *link;
    if (!(*link = task->next))
        loop->ready_last = before;
    if (loop->trace)
        co__trace_run(task);
    return task;
}

/* ---- Switching ------------------------------------------------------------------------------- */

#if defined(CO_ASAN) || defined(CO_TSAN)
#define FIBER(task) (&(task)->fiber)
#else
#define FIBER(task) NULL
#endif

/* The first thing after every switch to a task or to the loop. */
static inline void arrive(struct loop *loop, struct fiber *self)
{
    (void)loop, (void)self;
#if defined(CO_ASAN) || defined(CO_TSAN)
    fiber_arrive(self, &loop->fiber, loop->left_thread);
    loop->left_thread = false;
    if (loop->left) {
        fiber_end(FIBER(loop->left));
        loop->left = NULL;
    }
#endif
}

/* Begins a task. Returns when somebody switches back to `from`, which gives the rc. (Seldom, so it is kept out of the
 * usual way. But TSan counts calls and returns: none may lie between telling it of a switch and the switch.) */
#if defined(CO_ASAN) || defined(CO_TSAN)
static inline __attribute__((always_inline))
#else
static __attribute__((noinline))
#endif
int switch_to_new(struct context *from, struct co_task *to)
{
    return co__switch_new(from, co__task_stack(to), co__task_start, to);
}

/* Leaves `from` (NULL: the loop) for `to` (NULL: the loop). Returns the rc that `from` is woken with. */
static inline __attribute__((always_inline)) int switch_to(struct loop *loop, struct co_task *from, struct co_task *to)
{
    struct context *here = from ? &from->context : &loop->context;
    struct fiber *self = from ? FIBER(from) : &loop->fiber;
    int rc;
    (void)self;
#if defined(CO_ASAN) || defined(CO_TSAN)
    if (to)
        co__task_stack(to);             /* the sanitizers ask where it lies */
    loop->left_thread = !from;
    fiber_leave(self, to ? FIBER(to) : &loop->fiber, 0);
#endif
    if (!to)
        rc = co__switch(here, &loop->context, 0);
    else if (__builtin_expect(!to->context.sp, 0))
        rc = switch_to_new(here, to);
    else
        rc = co__switch(here, &to->context, to->rc);
    arrive(loop, self);
    return rc;
}

static _Noreturn void overflowed(struct loop *loop, struct co_task *task)
{
    loop->current = task;
    co__report_overflow(loop, task->waits_at);
}

/* Goes on with the next ready task, until this one runs again; returns what it is woken with. (Nothing remains to be
 * done then, and no register must be kept: compiled for speed, the switch is a jump, and returns to who called us.) */
static inline __attribute__((always_inline)) int run_others(struct loop *loop, struct co_task *self)
{
    struct co_task *next = loop->ready_first;
    if (!next) {
        self->saved_errno = *loop->errno_at;
        return switch_to(loop, self, NULL);
    }
    co__swap_errno(loop, self, next);
    struct co_task *second = loop->ready_first = next->next;
    if (second)
        co__fetch_stack(second);
    loop->current = next;
    return switch_to(loop, self, next);
}

/* The same while something is watched. */
static int run_others_watched(struct loop *loop, struct co_task *self)
{
    if (loop->stacks.canaries && stack_canary_dead(self->stack))
        overflowed(loop, self);
    self->saved_errno = *loop->errno_at;
    struct co_task *next = next_ready(loop);
    if (next)
        *loop->errno_at = next->saved_errno;
    return next == self ? self->rc : switch_to(loop, self, next);
}

/* With a trace or in debug mode. */
static void note_wait(struct loop *loop, struct co_task *self)
{
    if (loop->trace)
        co__trace_await(self);
    if (loop->debug && loop->now - loop->step_begin > SLOW_STEP)
        co__report_slow_step(loop->now - loop->step_begin, self);
}

void co__note_end(struct loop *loop, struct co_task *task)
{
    if (loop->trace)
        co__trace_done(task);
    if (loop->debug && loop->now - loop->step_begin > SLOW_STEP)
        co__report_slow_step(loop->now - loop->step_begin, task);
}

static __attribute__((noinline)) int suspend_watched(struct co_task *self)
{
    struct loop *loop = co__loop;
    note_wait(loop, self);
    return run_others_watched(loop, self);
}

static inline __attribute__((always_inline)) int suspend(struct co_task *self, enum wait_kind kind, const void *what)
{
    struct loop *loop = co__loop;
    self->state = TASK_WAITING;
    self->kind = (uint8_t)kind;
    self->waits_for = what;
    self->since = loop->now;
    if (__builtin_expect(loop->watched, 0))
        return suspend_watched(self);
    return run_others(loop, self);
}

int co__suspend(struct co_task *self, enum wait_kind kind, const void *what)
{
    return suspend(self, kind, what);
}

int co__suspend_in(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list)
{
    waiters_append(list, self);
    return suspend(self, kind, what);
}

static __attribute__((noinline)) int yield_watched(const void *pc)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    struct loop *loop = co__loop;
    self->kind = WAIT_YIELD;
    note_wait(loop, self);
    co__catch_up(loop);                 /* what became due while this task computed has its turn now */
    self->rc = 0;
    co__make_ready(self);
    return run_others_watched(loop, self);
}

/* Lets the other ready tasks run. */
static inline __attribute__((always_inline)) int yield(const void *pc)
{
    struct loop *loop = co__loop;
    if (__builtin_expect(!loop || loop->behind, 0))
        return yield_watched(pc);
    struct co_task *self = co__enter_quick(pc);
    if (__builtin_expect(!self, 0))
        return yield_watched(pc);
    if (!loop->ready_first)
        return 0;
    self->rc = 0;
    co__ready_append(loop, self);
    return run_others(loop, self);
}

void co__suspend_always(struct co_task *self, enum wait_kind kind, const void *what, struct co_waiters *list)
{
    self->deaf = true;
    co__suspend_in(self, kind, what, list);
    self->deaf = false;
}

void co__wake(struct co_task *task, int rc)
{
    task->rc = rc;
    if (task->waiters)
        waiters_remove(task);
    if (task->timer) {
        timer_disarm(&co__loop->timers, task->timer);
        task->timer = 0;
    }
    co__make_ready(task);
}

int co__leave(struct co_task *self)
{
    struct loop *loop = co__loop;
    struct co_task *next = loop->ready_first;
    if (__builtin_expect(loop->watched, 0)) {
        loop->current = NULL;           /* unless another one is ready */
        next = next_ready(loop);
    } else if (next) {
        struct co_task *second = loop->ready_first = next->next;
        if (second)
            co__fetch_stack(second);
    }
    loop->current = next;
    if (next)
        *loop->errno_at = next->saved_errno;
#if defined(CO_ASAN) || defined(CO_TSAN)
    if (next)
        co__task_stack(next);
    loop->left = self;
    fiber_leave(&self->fiber, next ? &next->fiber : &loop->fiber, 1);
#endif
    if (!next)
        return co__jump(&loop->context, 0);
    if (next->context.sp)
        return co__jump(&next->context, next->rc);
    if (!next->stack) {
        co__task_stack(next);           /* the stack that was returned last: this one */
        return co__task_run(next);
    }
    return switch_to_new(&self->context, next);     /* it does not, as nobody comes back */
}

void co__task_arrived(struct co_task *self)
{
    (void)self;
    arrive(co__loop, FIBER(self));
}

void co__trace_resume(struct loop *loop)
{
    loop->trace = loop->open_trace;
    co__watch(loop);
}

void co__watch(struct loop *loop)
{
    loop->watched = loop->trace || loop->tape || loop->debug || loop->stacks.canaries;
}

static void restart_steps(struct loop *loop)
{
    loop->steps_left = loop->live ? LIVE_STEPS : loop->max_steps < TRACED_STEPS ? (int64_t)loop->max_steps
        : TRACED_STEPS;
    loop->silent = loop->max_steps <= TRACED_STEPS;
    if (loop->trace != loop->open_trace)
        co__trace_resume(loop);
}

/* Many steps without time passing: the trace falls silent, so that an endless loop does not fill the disk; in the
 * end it is a livelock. */
void co__step_limit(struct loop *loop, const void *pc)
{
    if (loop->live) {                   /* there, time never stands still */
        loop->steps_left = LIVE_STEPS;
        co__catch_up(loop);
        return;
    }
    if (loop->silent) {
        co__trace_resume(loop);
        co__report_livelock(loop, pc);
    }
    if (loop->trace) {
        trace_begin(loop->trace, loop->now, TRACE_RUNTIME, "silence");
        trace_int(loop->trace, "steps", TRACED_STEPS);
        trace_end(loop->trace);
    }
    loop->trace = NULL;
    co__watch(loop);
    loop->silent = true;
    uint64_t left = loop->max_steps - TRACED_STEPS - 1;     /* this one counts */
    loop->steps_left = left < INT64_MAX ? (int64_t)left : INT64_MAX;
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void set_now(struct loop *loop)
{
    int64_t now = loop->world->now(loop->world);
    if (now != loop->now)
        restart_steps(loop);
    loop->now = now;
}

void co__read_clock(struct loop *loop)
{
    set_now(loop);
}

/* While the world lets time pass, jobs of workers run, and are no task: nobody is current meanwhile. */
static struct co_task *enter_world(struct loop *loop)
{
    struct co_task *self = loop->current;
    loop->current = NULL;
    loop->in_world = true;
    return self;
}

static void leave_world(struct loop *loop, struct co_task *self)
{
    loop->in_world = false;
    loop->current = self;
    set_now(loop);
}

static size_t world_wait(struct loop *loop, int64_t until, struct world_completion out[], size_t max)
{
    struct co_task *self = enter_world(loop);
    size_t n = loop->world->wait(loop->world, until, out, max);
    leave_world(loop, self);
    return n;
}

static void interrupt(struct loop *loop)
{
    struct co_task **tasks = co__tasks_alive(loop);
    loop->interrupted = true;
    if (tasks[0] && tasks[0]->id == 1)
        co__cancel(tasks[0], "interrupt", NULL);
    free(tasks);
}

/* Takes in what a completion brings. If it is the last one of its operation, its task is due. */
static void take_in(struct loop *loop, const struct world_completion *completion)
{
    struct op *op = (struct op *)(uintptr_t)completion->user;
    if (!op) {
        if (completion->parts & WORLD_INTERRUPT)
            interrupt(loop);
        return;
    }
    if ((op->task || op->is_stream) && op->deliver)
        op->deliver(op, completion);
    if (completion->parts & WORLD_END)
        op->rc = completion->rc;
    else if (!op->is_stream)
        return;
    if (op->is_stream && (!op->task || op->is_due))
        return;                         /* nobody waits for it now */
    op->is_due = op->is_stream;
    if (op->task)
        loop->due[loop->due_count++] = (struct due){completion->t, op->seq, op};
    else
        co__op_free(op);
}

/* Lets time pass until `until` at most, and takes in all that completes at the instant reached.
 * Returns how many completions that were. */
static size_t collect(struct loop *loop, int64_t until)
{
    struct world_completion batch[BATCH];
    size_t n, total = 0;
    do {
        n = world_wait(loop, until, batch, BATCH);
        for (size_t i = 0; i < n; i++)
            take_in(loop, &batch[i]);
        total += n;
        until = loop->now;              /* the rest of the same instant */
    } while (n == BATCH);
    return total;
}

static int compare_due(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* A timer's owner is a task or, marked in the lowest bit of the pointer, a timeout scope. */
static struct co_scope *as_scope(void *owner)
{
    return (uintptr_t)owner & 1 ? (struct co_scope *)((uintptr_t)owner - 1) : NULL;
}

/* Where the loop stood still for a while: timeouts that were up before t strike before what became due at t. */
static void strike_before(struct loop *loop, int64_t t)
{
    if (loop->due_first)
        co__scopes_expire(loop, t);
}

/* Wakes the tasks whose operations are due before (t, seq). */
static size_t wake_due(struct loop *loop, size_t from, int64_t t, uint64_t seq)
{
    for (; from < loop->due_count; from++) {
        struct due *due = &loop->due[from];
        if (due->t > t || (due->t == t && due->seq > seq))
            break;
        strike_before(loop, due->t);
        struct co_task *task = due->op->task;
        if (due->op->is_stream) {
            due->op->is_due = false;
            due->op->task = NULL;
            if (task)
                co__wake(task, 0);
        } else if (task) {
            co__wake(task, due->op->rc);
        } else {
            co__op_free(due->op);       /* given up since */
        }
    }
    return from;
}

/* With very many tasks asleep, those that wake are in no cache. While one runs, the record and the stack of the
 * next one are fetched: of the earliest timer's owner the stack (its record was fetched before), of the
 * following ones the record. */
static inline __attribute__((always_inline)) void look_ahead(const struct loop *loop)
{
    void *soon[TIMERS_SOON];
    int n = timer_soon(&loop->timers, soon);
    if (n > 0 && !as_scope(soon[0]))
        co__fetch_stack(soon[0]);
    for (int i = 1; i < n; i++)
        for (size_t at = 0; at < sizeof(struct co_task); at += CO_LINE)
            __builtin_prefetch((const char *)soon[i] + at, 1);
}

/* Makes ready all that is due now: operations and timers together, in the order of (t, seq). Timeouts are only
 * noted: they strike when everybody who is ready at this instant has run. So a result that arrives at the very
 * instant its time is up still counts. */
static void wake_all_due(struct loop *loop)
{
    int64_t t;
    uint64_t seq;
    void *owner;
    size_t taken = 0;
    if (loop->due_count > 1)
        qsort(loop->due, loop->due_count, sizeof *loop->due, compare_due);
    while (timer_peek(&loop->timers, &t, &seq) && t <= loop->now) {
        int64_t due_t = t;
        uint64_t due_seq = seq;
        taken = wake_due(loop, taken, t, seq);
        strike_before(loop, t);
        /* A timeout that struck may have disarmed this very timer: then look again. */
        if (!timer_peek(&loop->timers, &t, &seq) || t != due_t || seq != due_seq)
            continue;
        owner = timer_take(&loop->timers, loop->now, &t, &seq);
        struct co_scope *scope = as_scope(owner);
        if (scope) {
            co__scope_due(scope);
        } else {
            struct co_task *task = owner;
            task->timer = 0;
            co__wake(task, 0);
        }
    }
    wake_due(loop, taken, INT64_MAX, UINT64_MAX);
    loop->due_count = 0;
    look_ahead(loop);
}

/* No task is ready: timeouts strike, else time passes. Returns false when nothing can ever happen again. */
static bool let_time_pass(struct loop *loop)
{
    if (co__scopes_expire(loop, INT64_MAX))
        return true;
    loop->behind = loop->live;
    int64_t until = loop->due_count ? loop->now : timer_next(&loop->timers);
    size_t n = collect(loop, until);
    if (n == 0 && until == INT64_MAX)
        return co__cancel_deferred(loop);
    wake_all_due(loop);
    return true;
}

void co__catch_up(struct loop *loop)
{
    if (!loop->behind)
        return;
    loop->behind = loop->live;
    collect(loop, loop->now);
    wake_all_due(loop);
}

void co__block(int64_t ns, const char *on, const void *pc)
{
    struct loop *loop = co__loop;
    int64_t left = INT64_MAX - loop->now;       /* of all time */
    ns = ns < 0 ? 0 : ns > left ? left : ns;
    if (loop->in_world) {                       /* a worker's job keeps nobody else waiting */
        loop->world->block(loop->world, ns);
        return;
    }
    struct co_task *self = enter_world(loop);
    loop->world->block(loop->world, ns);
    leave_world(loop, self);
    if (strcmp(on, "cpu") == 0)
        loop->computed += ns;
    loop->behind = true;
    if (loop->trace)
        co__trace_block(ns, on, pc);
}

int co__block_on(struct op *op, int64_t deadline)
{
    struct loop *loop = co__loop;
    size_t mine;
    loop->behind = true;
    for (;;) {
        collect(loop, deadline);
        for (mine = 0; mine < loop->due_count && loop->due[mine].op != op; mine++)
            ;
        if (mine < loop->due_count)
            break;
        if (loop->now >= deadline) {
            co__op_abandon(op);
            return -ETIMEDOUT;
        }
    }
    int rc = op->rc;
    memmove(&loop->due[mine], &loop->due[mine + 1], (loop->due_count - mine - 1) * sizeof *loop->due);
    loop->due_count--;
    co__op_free(op);
    return rc;
}

/* ---- Running --------------------------------------------------------------------------------- */

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
    while (last ? last->state != TASK_DONE : loop->alive > 0) {
        struct co_task *task = next_ready(loop);
        if (task) {
            *loop->errno_at = task->saved_errno;
            switch_to(loop, NULL, task);
            loop->current = NULL;
        } else if (!let_time_pass(loop)) {
            assert(!loop->broken);      /* then every wait was ended, and nothing can wait again */
            co__report_deadlock(loop);
            loop->rc = -EDEADLK;
            loop->broken = true;
            cancel_all(loop, "deadlock");
        }
    }
}

static const char *setting(const char *option, const char *variable)
{
    const char *value = option ? option : getenv(variable);
    return value && *value ? value : NULL;
}

static bool open_world(struct loop *loop, const char *name, uint64_t seed, char *error, size_t size)
{
    if (!name || strcmp(name, "real") != 0)
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
    co__trace_resume(loop);
    if (!loop->world && !open_world(loop, setting(options->world_file, "CO_WORLD"), seed, error, size))
        return false;
    loop->live = loop->behind = loop->world->live;
    if (loop->live)                     /* what looks for news in a task's stead runs on its stack: TLS takes 30 KiB */
        stack_pool_init(&loop->stacks, loop->stacks.size + LIVE_STACK);
    restart_steps(loop);
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
    co__flows_free(loop);
    co__sessions_free(loop);
    co__tasks_free(loop);
    free(loop->due);
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
    run_until_done(loop, main_task);
    if (loop->alive > 0) {              /* a group that nobody ended has left some */
        report_left_over(loop);
        cancel_all(loop, "end");
        run_until_done(loop, NULL);
    }
    co__trace_resume(loop);
    if (loop->live)
        co__read_clock(loop);
    co__report_leaks(loop);
    int rc = loop->rc ? loop->rc : main_task->rc;
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
    loop.world = options->world;
    loop.debug = options->debug || setting(NULL, "CO_DEBUG");
    restart_steps(&loop);
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

int64_t co_now(void)
{
    return co__loop ? co__loop->world->now(co__loop->world) : 0;
}

bool co__arm(struct co_task *self, int64_t ns)
{
    struct loop *loop = co__loop;
    if (loop->live)
        co__read_clock(loop);
    int64_t t = ns > INT64_MAX - loop->now ? INT64_MAX : loop->now + ns;
    self->timer = timer_arm(&loop->timers, t, ++loop->seq, self);
    return self->timer != 0;
}

int co_sleep(int64_t ns)
{
    int rc;
    if (ns <= 0)
        return yield(CALLER);
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (!co__arm(self, ns))
        return -ENOMEM;
    return co__suspend(self, WAIT_SLEEP, NULL);
}

int co_yield(void)
{
    return yield(CALLER);
}

void co_report_bytes(const char *name, const char *json, size_t length)
{
    struct loop *loop = co__loop;
    if (!loop)
        return;
    size_t name_length = strlen(name);
    char *data = malloc(name_length + length);
    if (!data)
        return;
    memcpy(data, name, name_length);
    memcpy(data + name_length, json, length);
    struct world_request request = {.op = WORLD_REPORT, .task = loop->current ? loop->current->id : 0,
                                    .lengths = {(uint32_t)name_length, (uint32_t)length},
                                    .data = data, .size = name_length + length};
    loop->world->submit(loop->world, &request);
    free(data);
}
