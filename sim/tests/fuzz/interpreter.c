/* interpreter.c - runs random programs over co.h and prints what each of their steps came to.
 *
 * Reads programs from the file named on the command line (grader/tests/model/program.py writes them and says what
 * each operation means) and prints, for each, the log that grader/tests/model/model.py works out from the manual:
 * "time task operation result ...". One process runs many programs; one co_run each.
 */
#include "co.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_OPS = 1024, MAX_BODIES = 64, MAX_SLOTS = 64, MAX_OBJECTS = 4, MAX_DEPTH = 32, MAX_STARTS = 4096,
    MAX_JOBS = 8,
    NONE = -1000,           /* result of an operation on something that is not there */
    GO_ON = INT32_MAX,      /* from ops(): the body does not return yet              */
};

enum code {
    OP_END, OP_SLEEP, OP_YIELD, OP_SPAWN, OP_GROUP, OP_JOIN, OP_NEXT, OP_AWAIT, OP_CANCEL, OP_WAIT, OP_GATHER,
    OP_WAITFOR, OP_TIMEOUT, OP_RESCHED, OP_SHIELD, OP_CPU, OP_THREAD, OP_POOL, OP_GEN, OP_GNEXT, OP_GYIELD, OP_ONDONE,
    OP_DONE, OP_ALL, OP_LSET, OP_LGET, OP_RET, OP_ACQUIRE, OP_TRY, OP_RELEASE, OP_LOCK, OP_WAIT_COND, OP_WAIT_UNTIL,
    OP_NOTIFY, OP_NOTIFY_ALL, OP_ADD, OP_SEM, OP_SEM_ACQUIRE, OP_SEM_TRY, OP_SEM_RELEASE, OP_EVENT_SET, OP_EVENT_CLEAR,
    OP_EVENT_WAIT, OP_BARRIER_WAIT, OP_BARRIER_ABORT, OP_BARRIER_RESET, OP_PUT, OP_GET, OP_TRY_PUT, OP_TRY_GET,
    OP_TASK_DONE, OP_QUEUE_JOIN, OP_SHUTDOWN, OP_GROUP_CANCEL, OP_COUNT,
};

static const char *const names[OP_COUNT] = {
    "}", "sleep", "yield", "spawn", "group{", "join", "next", "await", "cancel", "wait", "gather", "waitfor",
    "timeout{", "resched", "shield{", "cpu", "thread", "pool_run", "gen{", "gnext", "gyield", "ondone", "done", "all",
    "lset", "lget", "ret", "acquire", "try", "release", "lock{", "wait_cond", "wait_until", "notify", "notify_all",
    "add", "sem{", "sem_acquire", "sem_try", "sem_release", "event_set", "event_clear", "event_wait", "barrier_wait",
    "barrier_abort", "barrier_reset", "put", "get", "try_put", "try_get", "task_done", "queue_join", "shutdown",
    "group_cancel",
};

struct op {
    enum code code;
    bool strict;            /* "!": return from the body if it fails        */
    int number;             /* in the log                                   */
    int end;                /* of a block: where its "}" is                 */
    int64_t a, b, c;
};

/* What the interpreter knows about a task: on the stack of its function. */
struct me {
    struct me *parent;      /* who began it...                              */
    int depth;              /* ...and how many of his groups outlive it     */
    struct open_group *spawned_in;          /* NULL: by a gather, a generator, or the main task */
    struct co_gen *own_gen; /* if it is a generator                         */
    struct open_group *groups[MAX_DEPTH];   /* its open blocks              */
    struct co_timeout *limits[MAX_DEPTH];
    struct open_gen *gens[MAX_DEPTH];
    int group_count, limit_count, gen_count;
    int last;               /* what its last operation came to              */
};
struct open_group { struct co_group *group; struct me *owner; int index; };
struct open_gen { struct co_gen *gen; };

/* What a new task is told. In `starts`, as it must live until the task begins. */
struct start { int body; struct me *parent; int depth; struct open_group *group; };

static struct op ops_[MAX_OPS];
static int op_count, bodies[MAX_BODIES], body_count;
static struct { co_task *task; struct open_group *group; } slots[MAX_SLOTS];
static struct start starts[MAX_STARTS];
static int start_count;

static struct co_lock locks[MAX_OBJECTS];
static struct co_sem sems[MAX_OBJECTS];
static struct co_event events[MAX_OBJECTS];
static struct { struct co_cond cond; int count; } conds[MAX_OBJECTS];
static struct co_barrier barriers[MAX_OBJECTS];
static struct co_queue queues[MAX_OBJECTS];
static struct { bool begun; struct co_pool pool; int workers; } pools[MAX_OBJECTS];
static struct { int locks, sems, events, conds, barriers, queues, pools; } counts;
static struct co_local local = CO_LOCAL_INIT(0);

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

#define NUMBER(p) ((int)(intptr_t)(p))
#define POINTER(n) ((void *)(intptr_t)(n))

/* ---- Tasks ------------------------------------------------------------------------------------------------------- */

static int run_ops(struct me *me, int from);

static int run_body(struct me *me, int body)
{
    int rc = run_ops(me, bodies[body]);
    return rc == GO_ON ? 0 : rc;
}

static int run_task(const struct start *start, struct co_gen *gen)
{
    struct me me = {.parent = start->parent, .depth = start->depth, .spawned_in = start->group, .own_gen = gen};
    unsigned number = co_id(co_current());
    say("%lld %u begin %d\n", (long long)co_now(), number, start->body);
    int rc = run_body(&me, start->body);
    say("%lld %u end %d\n", (long long)co_now(), number, rc);
    return rc;
}

static int task(void *job)
{
    return run_task(job, NULL);
}

static int generator(struct co_gen *gen, void *job)
{
    return run_task(job, gen);
}

static struct start *new_start(int body, struct me *parent, int depth, struct open_group *group)
{
    if (start_count == MAX_STARTS)
        abort();
    starts[start_count] = (struct start){body, parent, depth, group};
    return &starts[start_count++];
}

struct in_this_task { struct me *me; int body; };

static int body_in_this_task(void *job)
{
    const struct in_this_task *what = job;
    return run_body(what->me, what->body);
}

struct work { int64_t ns; int rc; bool ran; };

static int work(void *job)
{
    struct work *w = job;
    w->ran = true;
    co_cpu(w->ns);
    return w->rc;
}

static void called(co_task *of, void *arg)
{
    say("%lld %u called %d\n", (long long)co_now(), co_id(of), NUMBER(arg));
}

static bool has_count(void *arg)
{
    const int64_t *pair = arg;
    return conds[pair[0]].count >= pair[1];
}

static int by_tens(const void *a, const void *b)
{
    return NUMBER(a) / 10 - NUMBER(b) / 10;
}

/* ---- Groups ------------------------------------------------------------------------------------------------------ */

/* The depth-th open group from the innermost; beyond the outermost: the one it was spawned in. */
static struct open_group *group_at(struct me *me, int64_t depth)
{
    return depth < me->group_count ? me->groups[me->group_count - 1 - depth] : me->spawned_in;
}

/* Is the group's block sure to be open as long as the task is alive, or is the group its own? */
static bool outlives(const struct open_group *group, const struct me *me)
{
    int limit = INT32_MAX;
    for (; me; limit = me->depth, me = me->parent)
        if (group->owner == me)
            return group->index < limit;
    return false;
}

static int run_group(struct me *me, int from)
{
    CO_GROUP(group);
    me->groups[me->group_count - 1]->group = &group;
    return run_ops(me, from);
}

static int group_block(struct me *me, int from)
{
    struct open_group group = {NULL, me, me->group_count};
    if (me->group_count == MAX_DEPTH)
        abort();
    me->groups[me->group_count++] = &group;
    int rc = run_group(me, from);
    me->group_count--;
    for (int i = 0; i < MAX_SLOTS; i++)
        if (slots[i].group == &group) {
            slots[i].task = NULL;
            slots[i].group = NULL;
        }
    return rc;
}

static int lock_block(struct me *me, const struct op *op, int from, bool *entered)
{
    CO_WITH_LOCK(&locks[op->a]) {
        *entered = true;
        int rc = run_ops(me, from);
        if (rc != GO_ON)
            return rc;
    }
    return GO_ON;
}

static int sem_block(struct me *me, const struct op *op, int from, bool *entered)
{
    CO_WITH_SEM(&sems[op->a]) {
        *entered = true;
        int rc = run_ops(me, from);
        if (rc != GO_ON)
            return rc;
    }
    return GO_ON;
}

static int gen_block(struct me *me, const struct op *op, int from)
{
    if (me->gen_count == MAX_DEPTH)
        abort();
    CO_GEN(gen, generator, new_start((int)op->a, me, me->group_count, NULL));
    struct open_gen open = {&gen};
    me->gens[me->gen_count++] = &open;
    int rc = run_ops(me, from);
    me->gen_count--;
    return rc;
}

/* ---- Operations -------------------------------------------------------------------------------------------------- */

/* One operation that is being run. */
struct step {
    struct me *me;
    const struct op *op;
    int at;                 /* its place; after a block: where that ended */
    int rc;
    bool leaves;            /* the body returns rc                        */
    char more[256];         /* what else there is to say                  */
};

__attribute__((format(printf, 2, 3)))
static void add(struct step *s, const char *format, ...)
{
    size_t length = strlen(s->more);
    va_list values;
    va_start(values, format);
    vsnprintf(s->more + length, sizeof s->more - length, format, values);
    va_end(values);
}

/* A block is over: its body has returned rc, or went on to its end, which counts as `otherwise`. */
static void end_block(struct step *s, int rc, int otherwise)
{
    s->at = s->op->end;
    s->leaves = rc != GO_ON;
    s->rc = s->leaves ? rc : otherwise;
}

/* Each of these runs an operation of its kind. False: it is none. */

static bool group_op(struct step *s)
{
    const struct op *op = s->op;
    struct open_group *group = op->code == OP_SPAWN ? group_at(s->me, op->b) : NULL;
    co_task *other;
    s->rc = NONE;
    switch (op->code) {
    case OP_SPAWN:
        if (group) {
            struct start *start = new_start((int)op->c, group->owner, group->index + 1, group);
            slots[op->a].task = co_spawn(group->group, task, start);
            slots[op->a].group = group;
            s->rc = (int)co_id(slots[op->a].task);
        }
        return true;
    case OP_GROUP: end_block(s, group_block(s->me, s->at + 1), 0); return true;
    case OP_JOIN:
        if ((group = group_at(s->me, op->a)))
            s->rc = co_join(group->group);
        return true;
    case OP_GROUP_CANCEL:
        if ((group = group_at(s->me, op->a))) {
            co_group_cancel(group->group);
            s->rc = 0;
        }
        return true;
    case OP_NEXT:
        if ((group = group_at(s->me, op->a)) && (s->rc = co_next_done(group->group, &other)) == 1)
            add(s, " %u %d", co_id(other), co_result(other));
        return true;
    case OP_GATHER: {
        struct start *first = &starts[start_count];
        int rcs[MAX_JOBS] = {0};
        for (int k = 0; k < op->b; k++)
            new_start((int)op->a, s->me, s->me->group_count, NULL);
        s->rc = co_gather(task, first, (size_t)op->b, sizeof *first, op->c ? rcs : NULL);
        for (int k = 0; op->c && k < op->b; k++)
            add(s, " %d", rcs[k]);
        return true;
    }
    default: return false;
    }
}

static size_t tasks_to_wait_for(const struct step *s, co_task *tasks[MAX_SLOTS])
{
    size_t n = 0;
    for (int k = 0; k < MAX_SLOTS; k++)
        if (s->op->c >> k & 1 && slots[k].task && slots[k].task != co_current() && outlives(slots[k].group, s->me))
            tasks[n++] = slots[k].task;
    return n;
}

static bool task_op(struct step *s)
{
    const struct op *op = s->op;
    co_task *other, *tasks[MAX_SLOTS];
    size_t n;
    int its = 0;
    s->rc = NONE;
    switch (op->code) {
    case OP_CANCEL:
        if ((other = op->a < 0 ? co_current() : slots[op->a].task)) {
            co_cancel(other);
            s->rc = 0;
        }
        return true;
    case OP_DONE:
        if ((other = slots[op->a].task)) {
            s->rc = co_done(other);
            add(s, " %d", co_result(other));
        }
        return true;
    case OP_ONDONE:
        if (slots[op->a].task)
            s->rc = co_on_done(slots[op->a].task, called, POINTER(op->number));
        return true;
    case OP_ALL:
        n = co_all_tasks(tasks, MAX_SLOTS);
        for (size_t k = 0; k < n && k < MAX_SLOTS; k++)
            add(s, " %u", co_id(tasks[k]));
        s->rc = (int)n;
        return true;
    case OP_AWAIT:
        if (slots[op->a].task && outlives(slots[op->a].group, s->me)) {
            s->rc = co_await(slots[op->a].task, &its);
            add(s, " %d", its);
        }
        return true;
    case OP_WAIT:
        n = tasks_to_wait_for(s, tasks);
        s->rc = co_wait(tasks, n, (enum co_wait_when)op->a, op->b);
        return true;
    default: return false;
    }
}

static void timeout_block(struct step *s)
{
    struct me *me = s->me;
    struct co_timeout limit;
    if (me->limit_count == MAX_DEPTH)
        abort();
    co_timeout_begin(&limit, s->op->a);
    me->limits[me->limit_count++] = &limit;
    me->last = 0;
    int returned = run_ops(me, s->at + 1);
    me->limit_count--;
    s->at = s->op->end;
    s->rc = co_timeout_end(&limit, returned == GO_ON ? me->last : returned);
    s->leaves = returned != GO_ON && (s->rc != -ETIMEDOUT || s->op->strict);
    add(s, " %d", co_timeout_expired(&limit));
}

static void shield_block(struct step *s)
{
    struct co_shield shield;
    co_shield_begin(&shield);
    int rc = run_ops(s->me, s->at + 1);
    co_shield_end(&shield);
    end_block(s, rc, 0);
}

static bool scope_op(struct step *s)
{
    const struct op *op = s->op;
    switch (op->code) {
    case OP_TIMEOUT: timeout_block(s); return true;
    case OP_SHIELD: shield_block(s); return true;
    case OP_WAITFOR: {
        struct in_this_task what = {s->me, (int)op->a};
        s->rc = co_wait_for(body_in_this_task, &what, op->b);
        return true;
    }
    case OP_RESCHED:
        s->rc = NONE;
        if (op->a < s->me->limit_count) {
            struct co_timeout *limit = s->me->limits[s->me->limit_count - 1 - op->a];
            s->rc = co_timeout_reschedule(limit, op->b);
            add(s, " %d", co_timeout_expired(limit));
            if (s->rc == 0)
                add(s, " %lld", (long long)co_timeout_when(limit));
        }
        return true;
    default: return false;
    }
}

static bool lock_op(struct step *s)
{
    const struct op *op = s->op;
    bool entered = false;
    int rc;
    switch (op->code) {
    case OP_ACQUIRE: s->rc = co_lock_acquire(&locks[op->a]); return true;
    case OP_TRY: s->rc = co_lock_try_acquire(&locks[op->a]); return true;
    case OP_RELEASE:
        s->rc = co_lock_release(&locks[op->a]);
        add(s, " %d", co_lock_locked(&locks[op->a]));
        return true;
    case OP_LOCK: case OP_SEM:
        rc = op->code == OP_LOCK ? lock_block(s->me, op, s->at + 1, &entered)
                                 : sem_block(s->me, op, s->at + 1, &entered);
        end_block(s, rc, entered);
        return true;
    case OP_WAIT_COND: s->rc = co_cond_wait(&conds[op->a].cond); return true;
    case OP_WAIT_UNTIL: s->rc = co_cond_wait_for(&conds[op->a].cond, has_count, (int64_t[]){op->a, op->b}); return true;
    case OP_NOTIFY: s->rc = co_cond_notify(&conds[op->a].cond, (size_t)op->b); return true;
    case OP_NOTIFY_ALL: s->rc = co_cond_notify_all(&conds[op->a].cond); return true;
    case OP_ADD: s->rc = ++conds[op->a].count; return true;
    default: return false;
    }
}

static bool sync_op(struct step *s)
{
    const struct op *op = s->op;
    switch (op->code) {
    case OP_SEM_ACQUIRE:
        s->rc = co_sem_acquire(&sems[op->a]);
        add(s, " %d", sems[op->a].value);
        return true;
    case OP_SEM_TRY: s->rc = co_sem_try_acquire(&sems[op->a]); return true;
    case OP_SEM_RELEASE:
        s->rc = co_sem_release(&sems[op->a]);
        add(s, " %d", sems[op->a].value);
        return true;
    case OP_EVENT_SET: co_event_set(&events[op->a]); return true;
    case OP_EVENT_CLEAR: co_event_clear(&events[op->a]); return true;
    case OP_EVENT_WAIT: s->rc = co_event_wait(&events[op->a]); return true;
    case OP_BARRIER_WAIT: s->rc = co_barrier_wait(&barriers[op->a]); return true;
    case OP_BARRIER_ABORT: co_barrier_abort(&barriers[op->a]); return true;
    case OP_BARRIER_RESET: co_barrier_reset(&barriers[op->a]); return true;
    default: return false;
    }
}

static bool queue_op(struct step *s)
{
    const struct op *op = s->op;
    void *item = NULL;
    switch (op->code) {
    case OP_PUT:
        s->rc = co_queue_put(&queues[op->a], POINTER(op->b));
        add(s, " %zu", co_queue_size(&queues[op->a]));
        return true;
    case OP_TRY_PUT: s->rc = co_queue_try_put(&queues[op->a], POINTER(op->b)); return true;
    case OP_GET: case OP_TRY_GET:
        s->rc = op->code == OP_GET ? co_queue_get(&queues[op->a], &item) : co_queue_try_get(&queues[op->a], &item);
        if (s->rc == 0)
            add(s, " %d", NUMBER(item));
        return true;
    case OP_TASK_DONE: s->rc = co_queue_task_done(&queues[op->a]); return true;
    case OP_QUEUE_JOIN: s->rc = co_queue_join(&queues[op->a]); return true;
    case OP_SHUTDOWN: co_queue_shutdown(&queues[op->a], op->b); return true;
    default: return false;
    }
}

static bool gen_op(struct step *s)
{
    struct me *me = s->me;
    const struct op *op = s->op;
    void *item = NULL;
    switch (op->code) {
    case OP_GEN: end_block(s, gen_block(me, op, s->at + 1), 0); return true;
    case OP_GNEXT:
        s->rc = NONE;
        if (op->a < me->gen_count && (s->rc = co_gen_next(me->gens[me->gen_count - 1 - op->a]->gen, &item)) == 1)
            add(s, " %d", NUMBER(item));
        return true;
    case OP_GYIELD: s->rc = me->own_gen ? co_gen_yield(me->own_gen, POINTER(op->a)) : NONE; return true;
    default: return false;
    }
}

static void on_a_worker(struct step *s)
{
    const struct op *op = s->op;
    struct work w = {op->a, (int)op->b, false};
    if (op->code == OP_POOL && !pools[op->c].begun) {
        pools[op->c].begun = true;
        pools[op->c].pool = co_pool_begin((uint32_t)pools[op->c].workers);
    }
    s->rc = op->code == OP_THREAD ? co_to_thread(work, &w) : co_pool_run(&pools[op->c].pool, work, &w);
    add(s, " %d", w.ran);
}

static bool time_op(struct step *s)
{
    const struct op *op = s->op;
    switch (op->code) {
    case OP_SLEEP: s->rc = co_sleep(op->a); return true;
    case OP_YIELD: s->rc = co_yield(); return true;
    case OP_CPU: co_cpu(op->a); return true;
    case OP_THREAD: case OP_POOL: on_a_worker(s); return true;
    case OP_LSET: s->rc = co_local_set(&local, POINTER(op->a)); return true;
    case OP_LGET: s->rc = NUMBER(co_local_get(&local)); return true;
    case OP_RET: s->rc = (int)op->a; return true;
    default: return false;
    }
}

/* Runs the operations from there to the end of the block. What the body returns, or GO_ON. */
static int run_ops(struct me *me, int from)
{
    static bool (*const kinds[])(struct step *) = {group_op, task_op, scope_op, lock_op, sync_op, queue_op, gen_op,
                                                   time_op};
    struct step s;
    for (int i = from; ops_[i].code != OP_END; i = s.at + 1) {
        size_t kind = 0;
        do {
            if (kind == sizeof kinds / sizeof *kinds)
                abort();
            s = (struct step){.me = me, .op = &ops_[i], .at = i};
        } while (!kinds[kind++](&s));
        if (s.leaves)
            return s.rc;
        say("%lld %u %d %d%s\n", (long long)co_now(), co_id(co_current()), s.op->number, s.rc, s.more);
        me->last = s.rc;
        if ((s.rc < 0 && s.op->strict) || s.op->code == OP_RET)
            return s.rc;
    }
    return GO_ON;
}

/* ---- Reading and running ----------------------------------------------------------------------------------------- */

static void clear(void)
{
    memset(&counts, 0, sizeof counts);
    memset(slots, 0, sizeof slots);
    op_count = body_count = start_count = 0;
}

static void add_object(const char *kind, int64_t a, int64_t b)
{
    if (strcmp(kind, "lock") == 0) {
        locks[counts.locks++] = (struct co_lock)CO_LOCK_INIT;
    } else if (strcmp(kind, "sem") == 0) {
        sems[counts.sems++] = (struct co_sem){.value = (int)a, .bound = (int)b};
    } else if (strcmp(kind, "event") == 0) {
        events[counts.events++] = (struct co_event)CO_EVENT_INIT;
    } else if (strcmp(kind, "cond") == 0) {
        conds[counts.conds].cond = (struct co_cond)CO_COND_INIT(&locks[a]);
        conds[counts.conds++].count = 0;
    } else if (strcmp(kind, "barrier") == 0) {
        barriers[counts.barriers++] = (struct co_barrier)CO_BARRIER_INIT((int)a);
    } else if (strcmp(kind, "queue") == 0) {
        queues[counts.queues++] = (struct co_queue){.maxsize = (size_t)b, .lifo = a == 1,
                                                    .compare = a == 2 ? by_tens : NULL};
    } else if (strcmp(kind, "pool") == 0) {
        pools[counts.pools].begun = false;
        pools[counts.pools++].workers = (int)a;
    } else {
        fprintf(stderr, "no object and no operation: %s\n", kind);
        exit(2);
    }
}

/* The number of an operation's name, or OP_COUNT. */
static enum code code_of(const char *name)
{
    enum code code = 0;
    while (code < OP_COUNT && strcmp(names[code], name) != 0)
        code++;
    return code;
}

static void run(int64_t seed)
{
    printf("program %lld\n", (long long)seed);
    fflush(stdout);                     /* if it crashes, this says where */
    int rc = co_run(task, new_start(0, NULL, 0, NULL), &(struct co_options){.program = "fuzz"});
    printf("result %d\n", rc);
    for (int i = 0; i < counts.queues; i++)
        co_queue_destroy(&queues[i]);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: interpreter FILE\n");
        return 2;
    }
    static char out[1 << 16], line[256];
    setvbuf(stdout, out, _IOFBF, sizeof out);
    int stack[MAX_DEPTH + 2], depth = 0, number = 0;
    int64_t seed = 0;
    while (fgets(line, sizeof line, file)) {
        char name[32] = "", mark[8] = "";
        long long a = 0, b = 0, c = 0;
        if (sscanf(line, "%31s %lld %lld %lld %7s", name, &a, &b, &c, mark) < 1 || name[0] == '#')
            continue;
        enum code code = code_of(name);
        if (strcmp(name, "program") == 0) {
            clear();
            seed = a;
            depth = number = 0;
        } else if (strcmp(name, "body") == 0 || strcmp(name, "end") == 0) {
            if (body_count > 0)
                ops_[op_count++] = (struct op){.code = OP_END};
            if (name[0] == 'b')
                bodies[body_count++] = op_count;
            else
                run(seed);
        } else if (code == OP_COUNT) {
            add_object(name, a, b);
        } else if (code == OP_END) {
            ops_[stack[--depth]].end = op_count;
            ops_[op_count++] = (struct op){.code = OP_END};
        } else {
            if (strchr(name, '{'))
                stack[depth++] = op_count;
            ops_[op_count++] = (struct op){.code = code, .strict = mark[0] == '!', .number = ++number, .a = a, .b = b,
                                           .c = c};
        }
        if (op_count > MAX_OPS - 2 || body_count > MAX_BODIES - 1 || depth > MAX_DEPTH) {
            fprintf(stderr, "program %lld is too large\n", (long long)seed);
            return 2;
        }
    }
    fclose(file);
    return 0;
}
