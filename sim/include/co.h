/* co.h - asynchronous programming in C: the student's manual.
 *
 * Many tasks, one thread. A task runs until it waits for something (a timer, an answer from the
 * network, a lock); while it waits, the other tasks run. The names follow Python's asyncio.
 *
 *     #include "co.h"
 *     #include <stdio.h>
 *
 *     static int say(void *job)                      // a task is a function: int fn(void *job)
 *     {
 *         const char *word = job;
 *         int rc = co_sleep(CO_SEC(2));              // waits; the other tasks go on
 *         if (rc < 0)
 *             return rc;                             // cancelled: clean up and leave
 *         printf("%s at %lld ms\n", word, (long long)(co_now() / CO_MS(1)));
 *         return 0;
 *     }
 *
 *     static int hello(void *job)
 *     {
 *         (void)job;
 *         CO_GROUP(group);                           // its tasks never outlive this block
 *         co_spawn(&group, say, "hello");
 *         co_spawn(&group, say, "world");
 *         return co_join(&group);                    // both, together: 2 s, not 4
 *     }
 *
 *     int main(void) { return co_run(hello, NULL, NULL) < 0; }
 *
 * Three rules hold for every call below.
 *
 * 1. Results. A call that can wait returns an int: 0 or more is success, less than 0 is an error,
 *    the negative of an errno name (-ETIMEDOUT, -ECONNREFUSED). errno itself is never set. Any of
 *    them may return -ENOMEM when there is no memory.
 *    co_strerror(rc) puts an error into words.
 * 2. Cancellation. After a task was cancelled, every call in it that can wait returns -ECANCELED at
 *    once, again and again, until the task returns. Free what you hold and return; you cannot miss it.
 *    Below, "waits" means: other tasks run meanwhile, and the call may return -ECANCELED.
 * 3. Time is an int64_t in nanoseconds, from 0 when co_run starts. Time passes only while every task
 *    waits; between two waits a task runs alone and takes no time at all.
 *
 * Each task has an errno of its own, and its own rounding mode, traps and flags of <fenv.h>: it begins with those
 * that co_run was called with. (Modes that are set past <fenv.h>, as by _mm_setcsr, are the whole program's.)
 *
 * What you pass in stays yours. Strings are copied. A job must live until its task is done; that is
 * why it may stand on the stack of the function that holds the group.
 */
#ifndef CO_H
#define CO_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CO_MUST_USE __attribute__((warn_unused_result))

/* ---- Time ---------------------------------------------------------------------------------- */

/* n microseconds, milliseconds, seconds in ns. n may be a fraction: CO_SEC(0.5) is exactly CO_MS(500), and what is no
 * whole number of ns is rounded to the nearest one. Whole numbers never pass through a double. With a constant n each
 * of them is a constant: good for a static variable (and with a whole n also for a case label). */
#define CO_US(n) CO_NS_(n, 1000)
#define CO_MS(n) CO_NS_(n, 1000000)
#define CO_SEC(n) CO_NS_(n, 1000000000)
#define CO_FOREVER INT64_MAX                    /* as a timeout: none   */

/* The loop's clock in ns, 0 at the start of co_run. asyncio: loop.time(). Outside a loop: 0. */
int64_t co_now(void);

/* Waits for ns nanoseconds. ns <= 0 waits for no time, but lets every ready task run first.
 * Returns 0 or -ECANCELED. asyncio: sleep(). */
int co_sleep(int64_t ns) CO_MUST_USE;

/* Lets every other ready task run first; time stands still. The same as co_sleep(0), but for its
 * result, which may be ignored: a cancelled task notices at its next wait. */
int co_yield(void);

/* ---- Running ------------------------------------------------------------------------------- */

typedef int (*co_fn)(void *job);     /* what a task runs: 0 or more = success, < 0 = an error */

struct co_world;                     /* where the program runs: simulated or real (world.h) */

/* How to run; zero-fill it and set what you need. A field left 0 or NULL falls back to the
 * environment variable named beside it, then to the default. */
struct co_options {
    const char *program;             /* name in reports and traces; default "program"             */
    const char *world_file;          /* CO_WORLD: a world's JSON; "real": this machine's own network,
                                        files, CPUs and clock (make run REAL=1); "judge:3": the world that a judge
                                        holds, at descriptor 3. Both, said in CO_WORLD, go before a file named here;
                                        default: an empty virtual world                          */
    const char *trace_file;          /* CO_TRACE: where the trace goes ("-" = stderr); default none */
    uint64_t seed;                   /* CO_SEED: what random draws start from; default: the world's */
    const char *tape;                /* CO_TAPE: which legal order to take, "17=2,31=1"; default FIFO */
    size_t stack_size;               /* bytes of stack for one task; default 256 KiB               */
    uint64_t max_steps;              /* steps without time passing that are a livelock; default 10^6. Ten times as
                                        many moves of the clock for timers only, with nothing from outside, end the
                                        program too (in the virtual world): it would run for ever */
    bool debug;                      /* CO_DEBUG: tell on stderr who holds the loop for more than 100 ms, and who
                                        goes on waiting after being cancelled                    */
    struct co_world *world;          /* a world that is already open; co_run closes it. NULL: open one */
};

/* Runs main_fn(job) as the first task, until it returns. Tasks still alive then are cancelled and
 * waited for. Returns what main_fn returned, -EDEADLK after a deadlock (reported on stderr, with
 * each task and what it waits for; see co_lock for one that only some of the tasks are in),
 * -EALREADY inside a running loop, -ENOMEM, -EINVAL (options).
 * In the real world Ctrl-C cancels the main task; if that makes it return -ECANCELED, the result is -EINTR.
 * A second Ctrl-C ends the process at once, with exit code 130.
 * Leaks are reported on stderr. asyncio: run(). */
#define co_run(main_fn, job, options) co_run_named((main_fn), (job), (options), #main_fn)

/* An error code in words: co_strerror(-ETIMEDOUT) is "timed out". Never NULL; do not free. */
const char *co_strerror(int rc);

/* ---- Tasks and groups ---------------------------------------------------------------------- */

/* A group owns tasks. It ends where its block ends: `return` and `break` included, the tasks are waited for
 * there (if you were cancelled, they are cancelled first). No task is ever lost. So a task that never ends
 * by itself must be told to (co_group_cancel) on every way out. asyncio: TaskGroup. */
typedef struct co_task co_task;
struct co_group {
    struct co_task *owner;                  /* the task whose block this is; NULL outside a loop   */
    struct co_task *first, *last;           /* its tasks that are not yet done, oldest first       */
    struct co_task *done_first, *done_last; /* those that are done, in the order they ended        */
    struct co_task *next_done;              /* the first of these that was not handed out yet      */
    struct co_task *waiter;                 /* the owner, while it waits for the group; else NULL  */
    size_t failures;                        /* failing tasks from next_done on                     */
    bool joining;                           /* in co_join: the first failure cancels the others    */
    bool canceled;                          /* its tasks were told to end; so are new ones         */
    bool no_memory;                         /* a spawn found none                                  */
};

/* Declares a group that lives until the end of the block. */
#define CO_GROUP(name) \
    __attribute__((cleanup(co_group_end))) struct co_group name = co_group_begin()

/* Starts fn(job) as a task of the group; it runs for the first time when the caller next waits. Returns the
 * task, which stays valid until the group's block ends. Does not wait. Without memory it returns NULL and
 * the group remembers: co_join then returns -ENOMEM, as does co_await(NULL), so this needs no check. Its
 * name is `fn` as you wrote it (co_set_name gives a better one to jobs[i].fn). asyncio:
 * TaskGroup.create_task(). */
#define co_spawn(group, fn, job) co_spawn_named((group), (fn), (job), #fn)

/* Waits until every task of the group is done: when it returns, none is left. The first task that fails
 * cancels the others. Returns 0 (at once, without tasks), or what the first failing task returned, or
 * -ECANCELED if you yourself were cancelled (the group's tasks then are cancelled and waited for, too). No
 * failure is a task that you cancelled with co_cancel, or one that co_next_done has handed out. asyncio:
 * leaving `async with TaskGroup()`. */
int co_join(struct co_group *group) CO_MUST_USE;

/* Tells all tasks of the group to end, as co_cancel does one; new ones, too, until the next co_join. Does
 * not wait. */
void co_group_cancel(struct co_group *group);

/* Waits for the next task of the group to end, in the order they end; each is handed out once, and none after a
 * co_join. Failures cancel nobody here. Returns 1 and the task in *done, 0 when all have been handed out,
 * or -ECANCELED. asyncio: as_completed(). */
int co_next_done(struct co_group *group, co_task **done) CO_MUST_USE;

/* Waits until the task is done, and stores what it returned in *task_rc (which may be NULL), or
 * -EINPROGRESS if it is not done. The return value is about you: 0, or -ECANCELED if you were cancelled;
 * the task then goes on. -EDEADLK: a task cannot wait for itself. asyncio: await task. */
int co_await(co_task *task, int *task_rc) CO_MUST_USE;

/* Asks a task to end: from now on every call in it that can wait returns -ECANCELED. (One that never ran
 * yet begins, and finds out at its first wait.) Does not wait. A result that arrived at the same instant
 * still reaches the task first. asyncio: cancel(). */
void co_cancel(co_task *task);

int co_done(const co_task *task);              /* 1 if it has ended, else 0                      */
int co_result(const co_task *task);            /* what it returned; -EINPROGRESS while it runs   */
void *co_job(const co_task *task);             /* the job it was spawned with                    */
const char *co_name(const co_task *task);      /* the name of its function, or what co_set_name gave it */
/* for reports and traces; kept, not copied: a literal will do */
void co_set_name(co_task *task, const char *name);
uint32_t co_id(const co_task *task);           /* its number: 1 = the main task, rising; never used twice */
co_task *co_current(void);                     /* the task that is running. asyncio: current_task() */

/* The tasks that are not done, in the order of their numbers: the first `max` of them go to tasks[].
 * Returns how many there are. asyncio: all_tasks(). */
size_t co_all_tasks(co_task *tasks[], size_t max);

/* Calls fn(task, arg) when the task has ended, before anybody who waits for it goes on; callbacks of one
 * task run in the order in which they were added. At once if it has ended already. fn must not wait. 0 or
 * -ENOMEM. asyncio: add_done_callback(). */
int co_on_done(co_task *task, void (*fn)(co_task *task, void *arg), void *arg);

/* A value of its own for each task. A new task begins with the values that its parent has at the spawn; what it
 * sets later is seen by itself and by the tasks it spawns from then on. Declare it static or global:
 *     static struct co_local user = CO_LOCAL_INIT("nobody");
 * asyncio: contextvars.ContextVar. */
struct co_local { void *initial; };
#define CO_LOCAL_INIT(initial_) {.initial = (void *)(initial_)}
void *co_local_get(const struct co_local *local);             /* outside a task: the initial value */
int co_local_set(struct co_local *local, void *value);        /* 0, -ENOMEM, -EPERM outside a task  */

/* ---- Waiting for several ------------------------------------------------------------------- */

/* Runs fn once for each of n jobs, all at the same time, and waits for all. `jobs` is an array of n
 * elements of `size` bytes; each task gets a pointer to its element. If rcs is NULL the first failure cancels
 * the others and is returned (as by co_join). If rcs is an array of n, every result is collected in it, in the
 * order of the jobs, no failure stops the others, and 0 is returned. -ECANCELED if you were
 * cancelled (so were the tasks; rcs is complete all the same). asyncio: gather(). */
#define co_gather(fn, jobs, n, size, rcs) co_gather_named((fn), (jobs), (n), (size), (rcs), #fn)

enum co_wait_when { CO_FIRST_COMPLETED, CO_FIRST_EXCEPTION, CO_ALL_COMPLETED };

/* Waits until one of n tasks is done, one has failed, or all are done; at most `timeout` ns
 * (CO_FOREVER: no limit). Cancels nobody. Returns how many of them are done, or -ECANCELED.
 * Running into the timeout is no error: count. asyncio: wait(). */
int co_wait(co_task *const tasks[], size_t n, enum co_wait_when when, int64_t timeout) CO_MUST_USE;

/* ---- Timeouts and shields ------------------------------------------------------------------ */

/* A limit on the time a block may take, whatever it does:
 *
 *     struct co_timeout limit;
 *     co_timeout_begin(&limit, CO_SEC(2));
 *     rc = fetch_and_parse(url);
 *     rc = co_timeout_end(&limit, rc);        // -ETIMEDOUT if the 2 s were up
 *
 * When time is up, the calls that wait in between return -ECANCELED. (What still happens at that very
 * instant happens first: 2 s of work in a limit of 2 s succeed; but over a real network nothing takes exactly 2 s, so
 * let nothing hang on it: for an answer that takes 1 s, set 1.5 s. After co_cpu it is the next call that really
 * waits that notices.) co_timeout_end, which must follow on every path, turns that into -ETIMEDOUT; any other
 * rc it hands back as it is. Timeouts nest: when several are up, the outermost one makes it -ETIMEDOUT. A task that was
 * itself cancelled stays cancelled. ns <= 0 is up at once. Neither call waits. asyncio: timeout(). */
struct co_timeout {
    struct co_scope *scope;          /* NULL once ended                              */
    bool expired;                    /* set by co_timeout_end                        */
};
void co_timeout_begin(struct co_timeout *limit, int64_t ns);
int co_timeout_end(struct co_timeout *limit, int rc) CO_MUST_USE;

/* Moves the end of a timeout that is not yet up: ns from now (CO_FOREVER: no limit; ns <= 0: up at once).
 * 0, or -EINVAL if it is up or ended. Any task may call it. asyncio: Timeout.reschedule(). */
int co_timeout_reschedule(struct co_timeout *limit, int64_t ns);
/* the time on co_now's clock when it is up; CO_FOREVER: never */
int64_t co_timeout_when(const struct co_timeout *limit);
/* was its time up? Still tells after co_timeout_end */
bool co_timeout_expired(const struct co_timeout *limit);

/* fn(job), in this task, for at most `timeout` ns. Returns what fn returned, or -ETIMEDOUT.
 * asyncio: wait_for(). */
int co_wait_for(co_fn fn, void *job, int64_t timeout) CO_MUST_USE;

/* Between these two, a cancellation from outside waits: calls behave as if there were none. After
 * the end it counts again. For clean-up that must itself wait. Shields and timeouts nest in any order;
 * a timeout inside a shield still works. Neither call waits. asyncio: shield(). */
struct co_shield { struct co_scope *scope; };
void co_shield_begin(struct co_shield *shield);
void co_shield_end(struct co_shield *shield);

/* ---- Lock, condition, semaphore, event, barrier --------------------------------------------- */
/* All of them start from their initialiser, and need no clean-up. Who waits first is served first, always.
 * The try_ variants never wait: -EAGAIN means "not without waiting". */

struct co_waiters { struct co_task *first, *last; };   /* tasks that wait, oldest first */

/* A lock: one task at a time. asyncio: Lock.
 * Tasks that hold locks and wait for each other's in a ring never go on, whatever other tasks do. The ring is named on
 * stderr at the instant at which it closes, unless a timeout (of one of them, or of a task whose group it is in) may
 * still break it: then when the last of these is over. A cancel may break it too; when nobody has cancelled one
 * of them for 60 s (or 100,000 moves of the clock), the run ends as after any deadlock, with -EDEADLK. */
struct co_lock {
    struct co_hold *hold;                    /* who holds it, and since which line; NULL: free */
    struct co_waiters waiters;
};
#define CO_LOCK_INIT {0}
/* Waits until the lock is free, and takes it. 0, -ECANCELED, or -EDEADLK if you hold it already. */
int co_lock_acquire(struct co_lock *lock) CO_MUST_USE;
int co_lock_try_acquire(struct co_lock *lock) CO_MUST_USE;     /* 0, -EAGAIN, -EDEADLK */
bool co_lock_locked(const struct co_lock *lock);
/* Gives the lock to the task that has waited longest. 0, or -EPERM if you do not hold it. */
int co_lock_release(struct co_lock *lock);

/* CO_WITH_LOCK(&lock) { ... }: the block runs with the lock held; `return` and `break` inside release it.
 * If you are cancelled while waiting for the lock, the block is skipped: where that matters, begin with
 * `int rc = -ECANCELED;` and set rc in the block. */
#define CO_WITH_LOCK(lock) \
    for (__attribute__((cleanup(co_with_lock_end))) struct co_lock *co_held_ = co_with_lock_begin(lock); \
         co_held_; co_held_ = co_with_lock_next(co_held_))

/* A condition: tasks that hold a lock wait until another one says that something has changed. Several
 * conditions may share a lock. asyncio: Condition. */
struct co_cond {
    struct co_lock *lock;
    struct co_waiters waiters;
};
#define CO_COND_INIT(lock_) {.lock = (lock_)}
/* Gives the lock back, waits to be notified, and takes the lock again: you hold it afterwards, cancelled or
 * not. 0, -ECANCELED, or -EPERM if you do not hold the lock. Look again whether what you wait for is really
 * so. */
int co_cond_wait(struct co_cond *cond) CO_MUST_USE;
/* Waits until test(arg) says true; looks now, and after each notification. The lock is held while it looks.
 * The same results. */
int co_cond_wait_for(struct co_cond *cond, bool (*test)(void *arg), void *arg) CO_MUST_USE;
/* wakes the n that have waited longest: 0, or -EPERM without the lock */
int co_cond_notify(struct co_cond *cond, size_t n);
int co_cond_notify_all(struct co_cond *cond);

/* A semaphore: at most `value` tasks at a time. A bounded one refuses more releases than acquires. asyncio:
 * Semaphore, BoundedSemaphore. value is 0 or more; parties of a barrier, 1 or more. */
struct co_sem {
    int value;                               /* how many may still enter   */
    int bound;                               /* never above this; 0 = any  */
    struct co_waiters waiters;
};
#define CO_SEM_INIT(value_) {.value = (value_)}
#define CO_BOUNDED_SEM_INIT(value_) {.value = (value_), .bound = (value_)}
int co_sem_acquire(struct co_sem *sem) CO_MUST_USE;      /* waits for its turn: 0 or -ECANCELED             */
int co_sem_try_acquire(struct co_sem *sem) CO_MUST_USE;  /* 0 or -EAGAIN                                    */
/* lets the next one in; any task may call: 0, or -EOVERFLOW above the bound */
int co_sem_release(struct co_sem *sem);
bool co_sem_locked(const struct co_sem *sem);            /* would an acquire have to wait?                  */
/* CO_WITH_SEM(&sem) { ... }: as CO_WITH_LOCK. */
#define CO_WITH_SEM(sem) \
    for (__attribute__((cleanup(co_with_sem_end))) struct co_sem *co_held_ = co_with_sem_begin(sem); \
         co_held_; co_held_ = co_with_sem_next(co_held_))

/* An event: tasks wait until it is set. asyncio: Event. */
struct co_event {
    bool is_set;
    struct co_waiters waiters;
};
#define CO_EVENT_INIT {0}
void co_event_set(struct co_event *event);             /* wakes all who wait, in order            */
void co_event_clear(struct co_event *event);
int co_event_wait(struct co_event *event) CO_MUST_USE; /* returns at once if set: 0 or -ECANCELED */

/* A barrier: `parties` tasks wait for each other, then all go on together, again and again. asyncio:
 * Barrier. */
struct co_barrier {
    int parties;                             /* how many it takes                              */
    int waiting;                             /* how many are there already                     */
    bool broken;                             /* after co_barrier_abort, until co_barrier_reset */
    struct co_waiters waiters;
};
#define CO_BARRIER_INIT(parties_) {.parties = (parties_)}
/* -CO_EBROKEN: the barrier was aborted, or reset while you waited */
#define CO_EBROKEN EPIPE
/* Waits for the others. Returns a different number, 0..parties-1, to each (0 to the first that came);
 * -ECANCELED (it then takes one more); -CO_EBROKEN. */
int co_barrier_wait(struct co_barrier *barrier) CO_MUST_USE;
void co_barrier_abort(struct co_barrier *barrier);   /* all who wait, and all who come later, get -CO_EBROKEN */
/* all who wait get -CO_EBROKEN; it is as new afterwards */
void co_barrier_reset(struct co_barrier *barrier);

/* ---- Queues --------------------------------------------------------------------------------- */

/* A queue of pointers between tasks. Which item comes out first is decided by how it was made: the oldest
 * (CO_QUEUE), the newest (CO_LIFO_QUEUE), or the smallest (CO_PRIORITY_QUEUE; among equals the oldest). The
 * calls are the same for all. asyncio: Queue, LifoQueue, PriorityQueue. */
/* < 0, 0, > 0, as for qsort; a and b are two items */
typedef int (*co_compare)(const void *a, const void *b);
struct co_queue {
    size_t maxsize;                          /* most items at a time; 0 = no limit                   */
    bool lifo;                               /* the newest first                                     */
    co_compare compare;                      /* the smallest first; NULL: by age                     */
    struct co_item *items;                   /* `capacity` places; NULL: not yet                     */
    size_t capacity, head, count;            /* count items, the oldest at items[head]; or a heap    */
    uint64_t put_count;                      /* items ever put: their age                            */
    size_t unfinished;                       /* items put and not yet task_done                      */
    bool is_shut;
    struct co_waiters getters, putters, joiners; /* who waits for an item, for room, for unfinished == 0 */
};
/* Declare a queue that frees itself at the end of the block. (The items are yours to free.) */
#define CO_QUEUE(name, maxsize_) CO_QUEUE_(name, .maxsize = (maxsize_))
#define CO_LIFO_QUEUE(name, maxsize_) CO_QUEUE_(name, .maxsize = (maxsize_), .lifo = true)
#define CO_PRIORITY_QUEUE(name, maxsize_, compare_) CO_QUEUE_(name, .maxsize = (maxsize_), .compare = (compare_))
#define CO_QUEUE_(name, ...) __attribute__((cleanup(co_queue_destroy))) struct co_queue name = {__VA_ARGS__}
void co_queue_init(struct co_queue *queue, size_t maxsize);      /* for a queue inside a struct...    */
/* ...which then needs this; no waiters may be left */
void co_queue_destroy(struct co_queue *queue);

/* Waits for room. 0, -ECANCELED, -ENOMEM, -ESHUTDOWN. */
int co_queue_put(struct co_queue *queue, void *item) CO_MUST_USE;
/* Waits for an item. 0, -ECANCELED, -ESHUTDOWN (it was shut down and is empty). */
int co_queue_get(struct co_queue *queue, void **item) CO_MUST_USE;
/* 0, -EAGAIN if full, -ENOMEM, -ESHUTDOWN */
int co_queue_try_put(struct co_queue *queue, void *item) CO_MUST_USE;
/* 0, -EAGAIN if empty, -ESHUTDOWN */
int co_queue_try_get(struct co_queue *queue, void **item) CO_MUST_USE;
/* items in it now */
size_t co_queue_size(const struct co_queue *queue);
bool co_queue_full(const struct co_queue *queue);
/* One item that was got is finished. 0, or -EINVAL if none was open. */
int co_queue_task_done(struct co_queue *queue);
/* waits until every item put is finished: 0, -ECANCELED */
int co_queue_join(struct co_queue *queue) CO_MUST_USE;
/* No more items: puts fail with -ESHUTDOWN; gets do so once it is empty. immediate: it is emptied now, its
 * items count as finished. Those who wait are woken. asyncio: Queue.shutdown() (Python 3.13). */
void co_queue_shutdown(struct co_queue *queue, bool immediate);

/* ---- Generators ----------------------------------------------------------------------------- */

/* A function that hands out values one at a time, and may wait in between:
 *
 *     static int count(struct co_gen *gen, void *job)
 *     {
 *         for (intptr_t i = 1; i <= *(int *)job; i++) {
 *             int rc = co_sleep(CO_MS(10));
 *             if (rc == 0)
 *                 rc = co_gen_yield(gen, (void *)i);     // hands i out; waits until the next is wanted
 *             if (rc < 0)
 *                 return rc;                             // the consumer has had enough: clean up
 *         }
 *         return 0;
 *     }
 *
 *     CO_GEN(numbers, count, &n);                        // closed at the end of this block
 *     while ((rc = co_gen_next(&numbers, &value)) > 0)
 *         printf("%d\n", (int)(intptr_t)value);
 *
 * It runs only while somebody waits in co_gen_next. Left early (break, return), it is cancelled at its
 * yield and waited for, so that it can clean up. asyncio: `async for` over an async generator. */
struct co_gen {
    int (*fn)(struct co_gen *gen, void *job);
    void *job;
    struct co_group group;           /* of the one task it runs in                   */
    struct co_task *task;            /* NULL before the first co_gen_next            */
    struct co_waiters consumer;      /* who waits in co_gen_next                     */
    struct co_waiters producer;      /* its task, while it waits in co_gen_yield     */
    void *value;
    int rc;                          /* what fn returned                             */
    bool has_value, is_done, is_closed;
};
#define CO_GEN(name, fn_, job_) \
    __attribute__((cleanup(co_gen_close))) struct co_gen name = co_gen_begin((fn_), (job_))
/* Waits for the next value: 1 and *value; 0 at the end; -ECANCELED: you were cancelled; or the error that fn returned
 * (once, then 0). Closed by another task while you wait, it is at its end: 0. One task waits at a time: a second
 * one gets -EALREADY at once, and may ask again later. */
int co_gen_next(struct co_gen *gen, void **value) CO_MUST_USE;
/* Only in the generator itself: hands a value out, waits until the next is wanted. 0, or -ECANCELED: it is
 * being closed. */
int co_gen_yield(struct co_gen *gen, void *value) CO_MUST_USE;
/* Ends it early and waits until it has cleaned up, cancelled or not; any task may call it. (Called in the generator
 * itself it does not wait.) What its fn returns then is nobody's. A second close does nothing. */
void co_gen_close(struct co_gen *gen);

/* ---- Blocks that clean up after themselves --------------------------------------------------- */

/* close_fn(&name) runs when the block is left, by `return` and `break` too. Two forms:
 *     CO_DEFER(free_page) struct page page = ...;                       // at the end of the block it stands in
 *     CO_WITH(struct db *, db, db_open("a"), db_close) { ... }          // at the end of { ... }
 * close_fn takes a pointer to the variable; it may wait (under a shield, if it must also when cancelled).
 * asyncio: `async with`. */
#define CO_DEFER(close_fn) __attribute__((cleanup(close_fn)))
#define CO_WITH(type, name, open, close_fn) \
    for (int co_once_ = 1; co_once_; co_once_ = 0) \
        for (CO_DEFER(close_fn) type name = (open); co_once_; co_once_ = 0)

/* ---- Work that does not wait --------------------------------------------------------------- */

/* Computes for ns nanoseconds, here: the loop stands still and no other task runs. (In the virtual world it
 * advances the clock; in the real one it burns the time.) Not a wait: it is never cancelled. sleep(),
 * usleep(), thrd_sleep(), poll(), epoll_wait(), sem_timedwait(), pthread_cond_timedwait(), sigtimedwait()
 * and the like stop the loop in the same way, and are told on stderr; one that nothing can end, as sem_wait() on an
 * empty semaphore, ends the program. What another process or thread ends (waitpid(), read() from a pipe,
 * pthread_join()) takes this machine's time and none of the loop's, and is told as well. time(),
 * gettimeofday() and clock_gettime() read the loop's clock; clock() counts computing only. (In the real
 * world these are the machine's own.) */
void co_cpu(int64_t ns);

/* Runs fn(job) on a worker, beside the loop, and waits for it; co_cpu and blocking calls inside fn
 * take the worker's time, not the loop's. Of this header fn may call co_cpu and co_now only (the rest: -EPERM).
 * Returns what fn returned. Cancelled before a worker is free: -ECANCELED, and fn never runs.
 * Cancelled later: fn is waited for, as it uses your job. asyncio: to_thread(). */
#define co_to_thread(fn, job) co_to_thread_named((fn), (job), #fn)

/* The same, on workers of one's own instead of the common ones (as many as the world has CPUs; 4 by default).
 *     CO_POOL(pool, 2);                                  // at most 2 jobs at a time
 *     rc = co_pool_run(&pool, compress, &job);
 * asyncio: run_in_executor(). */
struct co_pool { uint32_t workers, number; };
#define CO_POOL(name, workers_) struct co_pool name = co_pool_begin(workers_)
#define co_pool_run(pool, fn, job) co_pool_run_named((pool), (fn), (job), #fn)

/* ---- HTTP ---------------------------------------------------------------------------------- */

/* An answer. Free it with co_response_free: one that is never freed is reported as a leak. */
struct co_response {
    int status;                      /* 200, 404, ...; 0 = there was no answer                     */
    char *body;                      /* `length` bytes, and a '\0' after them; may itself hold '\0' */
    size_t length;
    char *headers;                   /* "Name: value\n" lines, '\0' at the end                     */
    struct co_answer *answer;        /* the memory behind it: co_response_free's affair            */
};

#define CO_HTTP_TIMEOUT CO_SEC(30)   /* a request without a complete answer after this: -ETIMEDOUT */
#define CO_ENOHOST ENXIO             /* -CO_ENOHOST: the URL's host name does not exist            */
#ifdef EKEYREJECTED
#define CO_ECERT EKEYREJECTED        /* -CO_ECERT: https, and the server's certificate is none to trust */
#else
#define CO_ECERT EACCES
#endif

/* Fetches a URL with GET, over a connection of its own, and follows up to 10 redirects. Waits.
 * Returns 0 when an answer came, whatever its status: a 404 is an answer. Otherwise resp is zeroed, and
 *   -CO_ENOHOST     no host of that name        -ECONNREFUSED  nobody listens there
 *   -ECONNRESET     broken off by the server    -EPROTO        ended before its Content-Length
 *   -ETIMEDOUT      no complete answer in 30 s  -ELOOP         too many redirects
 *   -EINVAL         not a http(s):// URL         -ECANCELED     you were cancelled; the connection is closed
 *   -EMFILE         no descriptor is left: each connection and each open file has one, of the process's `ulimit -n`
 * (A URL's "user:password@" is sent as Authorization: Basic.)
 * (With https, too, it is HTTP/1.1: one request at a time on a connection. A new one costs a round trip for TCP, and
 * one more for TLS 1.3.)
 * and in the real world also
 *   -CO_ECERT       https, and the server's certificate has expired, or is another host's, or nobody's you know
 *   -EMSGSIZE       headers beyond 256 KiB, or a body beyond 64 MiB (unpacked; a stream's body has no limit)
 * resp is yours: co_response_free. asyncio: aiohttp's session.get(). */
int co_http_get(const char *url, struct co_response *resp) CO_MUST_USE;

/* A session keeps connections open between requests, so that the next one to the same site need not set one
 * up; and it keeps cookies. Close it by leaving its block.
 *     CO_SESSION(session, 4);                            // at most 4 connections to one site at a time; 0 = no limit
 *     rc = co_session_get(&session, url, &resp);
 * Requests beyond the limit wait their turn, first come first served. asyncio: aiohttp.ClientSession with a
 * TCPConnector. */
struct co_session {
    uint32_t max_per_host;
    uint32_t number;                 /* what the world knows it by; 0 before the first request      */
    const char *headers;             /* "Name: value\n" lines sent with each request; NULL: none    */
    struct co_cookies *cookies;      /* what servers have set so far; NULL before the first request  */
    bool is_open;                    /* from the first request until it is closed                   */
};
#define CO_SESSION(name, max_per_host_) \
    __attribute__((cleanup(co_session_close))) struct co_session name = {.max_per_host = (max_per_host_)}
int co_session_get(struct co_session *session, const char *url, struct co_response *resp) CO_MUST_USE;
/* closes its idle connections, forgets its cookies; does not wait */
void co_session_close(struct co_session *session);

/* A request in full. Zero-fill it and set what you need; url is the only must. All of it stays yours. */
struct co_request {
    const char *method;              /* NULL = "GET"                                               */
    const char *url;
    const char *headers;             /* "Name: value\n" lines; NULL: none                          */
    const void *body;                /* `length` bytes                                             */
    size_t length;
    int64_t timeout;                 /* ns for the whole, redirects included; 0 = CO_HTTP_TIMEOUT. For an answer that
                                        takes just as long, nothing is promised (see co_timeout)   */
    int max_redirects;               /* 0 = 10; -1 = none: a 302 is then an answer like any other  */
    struct co_session *session;      /* NULL: a connection of its own                              */
    bool once;                       /* never sent a second time (see below)                       */
};
/* A request can reach a server twice. A server may close a connection that a session has kept at any moment, also while
 * the next request is on its way. If nothing of an answer has come, nobody can tell whether the request was carried
 * out, and it is sent again by itself, whatever its method, up to five times; you see one answer. For what must not
 * happen twice (an order, a payment) set `once`: it then goes over a new connection, and if that breaks you learn it
 * (-ECONNRESET). Or give it an identity that the server knows again (an Idempotency-Key header). */
/* As co_http_get; -EINVAL also for a method or a header that is none (a line without a name, a line break
 * inside a value), for two Host lines, and for a header that the request writes by itself: Connection,
 * Content-Length, Expect, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade. Where
 * you say none of your own, it says the URL's Host, User-Agent: looplab/1, and Accept with any type. (A
 * Host of your own changes what the server is told, not where the connection goes.) A 303 (but not of a
 * HEAD), and a POST answered by 301 or 302, goes on as GET without the body and its Content- headers. On
 * the way to another site Authorization, Cookie and Host headers are left behind. A header of the request
 * goes before the session's of the same name, a Cookie header before the session's cookies. */
int co_http_request(const struct co_request *request, struct co_response *resp) CO_MUST_USE;

/* An answer read piece by piece, for bodies that are large or never end. Reading slowly slows the server
 * down: at most 64 KiB wait unread in the program, and about 3 MB more in the kernels on the way. Close it by
 * leaving its block; closed early, its connection is closed too.
 *     CO_STREAM(stream);
 *     rc = co_stream_open(&(struct co_request){.url = url}, &stream);
 *     while (rc >= 0 && (rc = co_stream_read(&stream, buffer, sizeof buffer)) > 0) ... rc bytes ...
 * asyncio: aiohttp's response.content. */
struct co_stream {
    int status;                      /* once open                                                  */
    char *headers;                   /* "Name: value\n" lines, '\0' at the end                     */
    struct co_flow *flow;            /* the rest: the stream's own                                 */
};
#define CO_STREAM(name) __attribute__((cleanup(co_stream_close))) struct co_stream name = {0}
/* Waits until status and headers are there. 0, or an error of co_http_get's (-ETIMEDOUT: the limit is on
 * the wait for the headers). */
int co_stream_open(const struct co_request *request, struct co_stream *stream) CO_MUST_USE;
/* Waits until there is at least one byte; stores up to `size`. Returns how many, 0 at the end, or an error:
 * -ECONNRESET, -EPROTO, -ECANCELED (the stream stays open), -EBADF (it is not open), -EBUSY (another task
 * waits for it), -EINVAL (size 0). */
int co_stream_read(struct co_stream *stream, void *buffer, size_t size) CO_MUST_USE;
/* One line without its '\n' (and '\r'), cut at size - 1 bytes (the rest of it is skipped), '\0' at the end.
 * 1, 0 at the end, or an error; after a cancel, the next call reads the same line. */
int co_stream_read_line(struct co_stream *stream, char *line, size_t size) CO_MUST_USE;
void co_stream_close(struct co_stream *stream);

/* The same results as co_http_get, but it blocks: the whole loop stands still until the answer is there, as
 * with Python's requests.get(). Being no wait, it takes no notice of a cancellation. Not in a worker:
 * -EPERM. Here so that you can see what that costs. */
int http_get_blocking(const char *url, struct co_response *resp) CO_MUST_USE;

/* Frees an answer and zeroes it; does nothing to a zeroed one. CO_RESPONSE(resp); declares one that frees
 * itself. */
void co_response_free(struct co_response *resp);
#define CO_RESPONSE(name) __attribute__((cleanup(co_response_free))) struct co_response name = {0}

/* The value of a header, its name in any case, or NULL. Copied into value[size], cut if longer. */
const char *co_response_header(const struct co_response *resp, const char *name, char *value, size_t size);

/* ---- Files ---------------------------------------------------------------------------------- */
/* Files of the world's disk: in the virtual world a simulated one, with a latency, a bandwidth and an end.
 * Paths are relative ("out/a.json"); folders need not be made. Each call waits. Errors: -ENOENT, -EEXIST,
 * -ENOSPC (the disk is full), -EIO, -EACCES, -EBADF (not open, or not for that), -EINVAL (no such path can
 * be), -EMFILE (no descriptor is left), -ENOMEM, -ECANCELED. A cancelled write may have been done or not, never
 * by half a call. Who has a file open goes on with it when it is removed or replaced.
 *     CO_FILE(file);
 *     rc = co_file_open(&file, "out/log", CO_APPEND);
 *     if (rc == 0)
 *         rc = co_file_write(&file, "hello\n", 6);
 * fopen(), read() and the like are another disk, this machine's: they know nothing of the loop. */

struct co_file { uint64_t number; const void *opened_at; };   /* 0: not open */
enum co_file_mode {
    CO_READ,                         /* must exist                                                 */
    CO_WRITE,                        /* made or emptied                                            */
    CO_APPEND,                       /* made if need be; each write goes to the end                */
    CO_CREATE,                       /* must not exist: else -EEXIST                               */
};
int co_file_open(struct co_file *file, const char *path, enum co_file_mode mode) CO_MUST_USE;
/* how many bytes; 0 at the end */
int co_file_read(struct co_file *file, void *buffer, size_t size) CO_MUST_USE;
/* 0: all of it; else none of it */
int co_file_write(struct co_file *file, const void *data, size_t size) CO_MUST_USE;
/* never waits: 0 or -EBADF; never closed = a leak */
int co_file_close(struct co_file *file);
/* Declares one that closes itself at the end of the block. */
#define CO_FILE(name) __attribute__((cleanup(co_file_end))) struct co_file name = {0}
int co_file_rename(const char *from, const char *to) CO_MUST_USE;    /* replaces `to`, in one step */
int co_file_remove(const char *path) CO_MUST_USE;
/* Whole files. The content has a '\0' after its `length` bytes and is yours to free(). Saving replaces what
 * was there, in one step. */
int co_file_load(const char *path, char **content, size_t *length) CO_MUST_USE;
int co_file_save(const char *path, const void *data, size_t size) CO_MUST_USE;
/* The paths that begin with `prefix`, sorted, each ended by '\n': yours to free(). Returns how many. */
int co_file_list(const char *prefix, char **paths) CO_MUST_USE;

/* ---- Behind the macros --------------------------------------------------------------------- */

/* n * unit as an int64_t. n is evaluated once. Of a fraction the whole part is multiplied as an integer; what lies
 * behind the point is rounded. */
#define CO_NS_(n, unit) _Generic((n), float: CO_FRACTION_(n, unit), double: CO_FRACTION_(n, unit), \
                                 long double: CO_FRACTION_(n, unit), default: (int64_t)(n) * (unit))
#define CO_FRACTION_(n, unit) \
    (__builtin_constant_p(n) ? CO_WHOLE_(n, unit) + CO_REST_((double)(n) - (double)(int64_t)(n), unit) \
                             : co_ns_of_fraction((double)(n), (unit)))
#define CO_WHOLE_(n, unit) ((int64_t)(n) * (unit))
#define CO_REST_(rest, unit) ((int64_t)((rest) * (unit) + ((rest) < 0 ? -0.5 : 0.5)))
/* Beyond the clock's ends: INT64_MAX or INT64_MIN; 0 for what is no number. */
int64_t co_ns_of_fraction(double n, int64_t unit);
int co_run_named(co_fn main_fn, void *job, const struct co_options *options, const char *name) CO_MUST_USE;
co_task *co_spawn_named(struct co_group *group, co_fn fn, void *job, const char *name);
int co_gather_named(co_fn fn, void *jobs, size_t n, size_t size, int rcs[], const char *name) CO_MUST_USE;
int co_to_thread_named(co_fn fn, void *job, const char *name) CO_MUST_USE;
struct co_pool co_pool_begin(uint32_t workers);
int co_pool_run_named(struct co_pool *pool, co_fn fn, void *job, const char *name) CO_MUST_USE;
struct co_gen co_gen_begin(int (*fn)(struct co_gen *gen, void *job), void *job);
struct co_group co_group_begin(void);
void co_group_end(struct co_group *group);
void co_file_end(struct co_file *file);
struct co_lock *co_with_lock_begin(struct co_lock *lock);
struct co_lock *co_with_lock_next(struct co_lock *lock);
void co_with_lock_end(struct co_lock **lock);
struct co_sem *co_with_sem_begin(struct co_sem *sem);
struct co_sem *co_with_sem_next(struct co_sem *sem);
void co_with_sem_end(struct co_sem **sem);

#endif
