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
 *    the negative of an errno name (-ETIMEDOUT, -ECONNREFUSED). errno itself is never set.
 *    co_strerror(rc) puts an error into words.
 * 2. Cancellation. After a task was cancelled, every call in it that can wait returns -ECANCELED at
 *    once, again and again, until the task returns. Free what you hold and return; you cannot miss it.
 *    Below, "waits" means: other tasks run meanwhile, and the call may return -ECANCELED.
 * 3. Time is an int64_t in nanoseconds, from 0 when co_run starts. Time passes only while every task
 *    waits; between two waits a task runs alone and takes no time at all.
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

#define CO_US(n) ((int64_t)(n) * 1000)          /* n microseconds in ns */
#define CO_MS(n) ((int64_t)(n) * 1000000)       /* n milliseconds in ns */
#define CO_SEC(n) ((int64_t)(n) * 1000000000)   /* n seconds in ns      */
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
    const char *world_file;          /* CO_WORLD: a world's JSON; default: an empty virtual world  */
    const char *trace_file;          /* CO_TRACE: where the trace goes ("-" = stderr); default none */
    uint64_t seed;                   /* CO_SEED: what random draws start from; default: the world's */
    const char *tape;                /* CO_TAPE: which legal order to take, "17=2,31=1"; default FIFO */
    size_t stack_size;               /* bytes of stack for one task; default 256 KiB               */
    uint64_t max_steps;              /* steps without time passing that are a livelock; default 10^6 */
    struct co_world *world;          /* a world that is already open; co_run closes it. NULL: open one */
};

/* Runs main_fn(job) as the first task, until it returns. Tasks still alive then are cancelled and
 * waited for. Returns what main_fn returned, -EDEADLK after a deadlock (reported on stderr, with
 * each task and what it waits for), -EALREADY inside a running loop, -ENOMEM, -EINVAL (options).
 * Leaks are reported on stderr. asyncio: run(). */
#define co_run(main_fn, job, options) co_run_named((main_fn), (job), (options), #main_fn)

/* An error code in words: co_strerror(-ETIMEDOUT) is "timed out". Never NULL; do not free. */
const char *co_strerror(int rc);

/* ---- Tasks and groups ---------------------------------------------------------------------- */

/* A group owns tasks. It ends where its block ends: `return` and `break` included, the tasks are
 * waited for there (if you were cancelled, they are cancelled first). No task is ever lost. asyncio: TaskGroup. */
typedef struct co_task co_task;
struct co_group {
    struct co_task *owner;                  /* the task whose block this is; NULL outside a loop   */
    struct co_task *first, *last;           /* its tasks that are not yet done, oldest first       */
    struct co_task *done_first, *done_last; /* those that are done, in the order they ended        */
    struct co_task *next_done;              /* the first of these that was not handed out yet      */
    struct co_task *waiter;                 /* the owner, while it waits for the group; else NULL  */
    bool joining;                           /* in co_join: the first failure cancels the others    */
    bool canceled;                          /* its tasks were told to end; so are new ones         */
    bool no_memory;                         /* a spawn found none                                  */
};

/* Declares a group that lives until the end of the block. */
#define CO_GROUP(name) \
    __attribute__((cleanup(co_group_end))) struct co_group name = co_group_begin()

/* Starts fn(job) as a task of the group; it runs for the first time when the caller next waits.
 * Returns the task, which stays valid until the group's block ends. Does not wait. Without memory it
 * returns NULL and the group remembers: co_join then returns -ENOMEM, so this needs no check.
 * asyncio: TaskGroup.create_task(). */
#define co_spawn(group, fn, job) co_spawn_named((group), (fn), (job), #fn)

/* Waits until every task of the group is done: when it returns, none is left. The first task that fails cancels the
 * others. Returns 0 (at once, without tasks), or what the first failing task returned, or -ECANCELED if you yourself were
 * cancelled (the group's tasks then are cancelled and waited for, too). No failure is a task that you cancelled with co_cancel,
 * or one that co_next_done has handed out. asyncio: leaving `async with TaskGroup()`. */
int co_join(struct co_group *group) CO_MUST_USE;

/* Waits for the next task of the group to end, in the order they end; each is handed out once, and none after a
 * co_join. Failures cancel nobody here. Returns 1 and the task in *done, 0 when all have been handed out,
 * or -ECANCELED. asyncio: as_completed(). */
int co_next_done(struct co_group *group, co_task **done) CO_MUST_USE;

/* Waits until the task is done, and stores what it returned in *task_rc (which may be NULL).
 * The return value is about you: 0, or -ECANCELED if you were cancelled; the task then goes on
 * and *task_rc is -EINPROGRESS. -EDEADLK: a task cannot wait for itself. asyncio: await task. */
int co_await(co_task *task, int *task_rc) CO_MUST_USE;

/* Asks a task to end: from now on every call in it that can wait returns -ECANCELED. Does not wait.
 * A result that arrived at the same instant still reaches the task first. asyncio: cancel(). */
void co_cancel(co_task *task);

int co_done(const co_task *task);              /* 1 if it has ended, else 0                      */
int co_result(const co_task *task);            /* what it returned; -EINPROGRESS while it runs   */
void *co_job(const co_task *task);             /* the job it was spawned with                    */
const char *co_name(const co_task *task);      /* the name of its function; lives as long as it  */
co_task *co_current(void);                     /* the task that is running. asyncio: current_task() */

/* ---- Waiting for several ------------------------------------------------------------------- */

/* Runs fn once for each of n jobs, all at the same time, and waits for all. `jobs` is an array of n
 * elements of `size` bytes; each task gets a pointer to its element. If rcs is NULL the first failure cancels
 * the others and is returned. If rcs is an array of n, every result is collected in it, in the
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
 * When time is up, the calls that wait in between return -ECANCELED. (What still happens at that very instant happens first:
 * 2 s of work in a limit of 2 s succeed.) co_timeout_end, which must
 * follow on every path, turns that into -ETIMEDOUT; any other rc it hands back as it is. Timeouts
 * nest: when several are up, the outermost one makes it -ETIMEDOUT. A task that was itself cancelled stays cancelled.
 * ns <= 0 is up at once. Neither call waits. asyncio: timeout(). */
struct co_timeout { struct co_scope *scope; };
void co_timeout_begin(struct co_timeout *limit, int64_t ns);
int co_timeout_end(struct co_timeout *limit, int rc) CO_MUST_USE;

/* fn(job), in this task, for at most `timeout` ns. Returns what fn returned, or -ETIMEDOUT.
 * asyncio: wait_for(). */
int co_wait_for(co_fn fn, void *job, int64_t timeout) CO_MUST_USE;

/* Between these two, a cancellation from outside waits: calls behave as if there were none. After
 * the end it counts again. For clean-up that must itself wait. Shields and timeouts nest in any order;
 * a timeout inside a shield still works. Neither call waits. asyncio: shield(). */
struct co_shield { struct co_scope *scope; };
void co_shield_begin(struct co_shield *shield);
void co_shield_end(struct co_shield *shield);

/* ---- Lock, semaphore, event ---------------------------------------------------------------- */
/* All three start from zero-filled memory or their initialiser, and need no clean-up. Who waits
 * first is served first, always. */

struct co_waiters { struct co_task *first, *last; };   /* tasks that wait, oldest first */

/* A lock: one task at a time. asyncio: Lock. */
struct co_lock {
    struct co_hold *hold;                    /* who holds it, and since which line; NULL: free */
    struct co_waiters waiters;
};
#define CO_LOCK_INIT {0}
/* Waits until the lock is free, and takes it. 0, -ECANCELED, or -EDEADLK if you hold it already. */
int co_lock_acquire(struct co_lock *lock) CO_MUST_USE;
/* Gives the lock to the task that has waited longest. 0, or -EPERM if you do not hold it. */
int co_lock_release(struct co_lock *lock);

/* CO_WITH_LOCK(&lock) { ... }: the block runs with the lock held; `return` and `break` inside
 * release it. If you are cancelled while waiting for the lock, the block is skipped. */
#define CO_WITH_LOCK(lock) \
    for (__attribute__((cleanup(co_with_lock_end))) struct co_lock *co_held_ = co_with_lock_begin(lock); \
         co_held_; co_held_ = co_with_lock_next(co_held_))

/* A semaphore: at most `value` tasks at a time. asyncio: Semaphore. */
struct co_sem {
    int value;                               /* how many may still enter */
    struct co_waiters waiters;
};
#define CO_SEM_INIT(value_) {.value = (value_)}
int co_sem_acquire(struct co_sem *sem) CO_MUST_USE;    /* waits for its turn: 0 or -ECANCELED     */
void co_sem_release(struct co_sem *sem);               /* lets the next one in; any task may call */

/* An event: tasks wait until it is set. asyncio: Event. */
struct co_event {
    bool is_set;
    struct co_waiters waiters;
};
#define CO_EVENT_INIT {0}
void co_event_set(struct co_event *event);             /* wakes all who wait, in order            */
void co_event_clear(struct co_event *event);
int co_event_wait(struct co_event *event) CO_MUST_USE; /* returns at once if set: 0 or -ECANCELED */

/* ---- Queue --------------------------------------------------------------------------------- */

/* A first-in first-out queue of pointers between tasks. asyncio: Queue. */
struct co_queue {
    size_t maxsize;                          /* most items at a time; 0 = no limit            */
    void **items;                            /* a ring of `capacity` places; NULL: not yet    */
    size_t capacity, head, count;            /* count items, the oldest at items[head]        */
    size_t unfinished;                       /* items put and not yet task_done               */
    struct co_waiters getters;               /* who waits for an item                         */
    struct co_waiters putters;               /* who waits for room                            */
    struct co_waiters joiners;               /* who waits for unfinished == 0                 */
};
/* Declares a queue that frees itself at the end of the block. (The items are yours to free.) */
#define CO_QUEUE(name, maxsize_) \
    __attribute__((cleanup(co_queue_destroy))) struct co_queue name = {.maxsize = (maxsize_)}
void co_queue_init(struct co_queue *queue, size_t maxsize);      /* for a queue inside a struct...    */
void co_queue_destroy(struct co_queue *queue);                   /* ...which then needs this; no waiters may be left */

int co_queue_put(struct co_queue *queue, void *item) CO_MUST_USE;      /* waits for room: 0, -ECANCELED, -ENOMEM  */
int co_queue_get(struct co_queue *queue, void **item) CO_MUST_USE;     /* waits for an item: 0, -ECANCELED        */
int co_queue_try_put(struct co_queue *queue, void *item) CO_MUST_USE;  /* never waits: 0, -EAGAIN if full, -ENOMEM */
int co_queue_try_get(struct co_queue *queue, void **item) CO_MUST_USE; /* never waits: 0, -EAGAIN if empty         */
size_t co_queue_size(const struct co_queue *queue);                    /* items in it now                          */
int co_queue_task_done(struct co_queue *queue);                        /* one item is finished: 0, -EINVAL if none was open */
int co_queue_join(struct co_queue *queue) CO_MUST_USE;                 /* waits until every item put is finished: 0, -ECANCELED */

/* ---- Work that does not wait --------------------------------------------------------------- */

/* Computes for ns nanoseconds, here: the loop stands still and no other task runs. (In the virtual
 * world it advances the clock; in the real one it burns the time.) Not a wait: it is never cancelled.
 * sleep(), usleep(), poll() and the like stop the loop in the same way, and are told on stderr. time(), gettimeofday() and
 * clock_gettime() read the loop's clock; clock() counts computing only. */
void co_cpu(int64_t ns);

/* Runs fn(job) on a worker, beside the loop, and waits for it; co_cpu and blocking calls inside fn
 * take the worker's time, not the loop's. Of this header fn may call co_cpu and co_now only (the rest: -EPERM).
 * Returns what fn returned. Cancelled before a worker is free: -ECANCELED, and fn never runs.
 * Cancelled later: fn is waited for, as it uses your job. asyncio: to_thread(). */
#define co_to_thread(fn, job) co_to_thread_named((fn), (job), #fn)

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

/* Fetches a URL with GET, over a connection of its own, and follows up to 10 redirects. Waits.
 * Returns 0 when an answer came, whatever its status: a 404 is an answer. Otherwise resp is zeroed, and
 *   -CO_ENOHOST     no host of that name        -ECONNREFUSED  nobody listens there
 *   -ECONNRESET     broken off by the server    -EPROTO        ended before its Content-Length
 *   -ETIMEDOUT      no complete answer in 30 s  -ELOOP         too many redirects
 *   -EINVAL         not an http:// URL          -ECANCELED     you were cancelled; the connection is closed
 * resp is yours: co_response_free. asyncio: aiohttp's session.get(). */
int co_http_get(const char *url, struct co_response *resp) CO_MUST_USE;

/* The same results, but it blocks: the whole loop stands still until the answer is there, as with Python's
 * requests.get(). Being no wait, it takes no notice of a cancellation. Not in a worker: -EPERM. Here so that you can see what that costs. */
int http_get_blocking(const char *url, struct co_response *resp) CO_MUST_USE;

/* Frees an answer and zeroes it; does nothing to a zeroed one. */
void co_response_free(struct co_response *resp);

/* The value of a header, its name in any case, or NULL. Copied into value[size], cut if longer. */
const char *co_response_header(const struct co_response *resp, const char *name, char *value, size_t size);

/* ---- Behind the macros --------------------------------------------------------------------- */

int co_run_named(co_fn main_fn, void *job, const struct co_options *options, const char *name) CO_MUST_USE;
co_task *co_spawn_named(struct co_group *group, co_fn fn, void *job, const char *name);
int co_gather_named(co_fn fn, void *jobs, size_t n, size_t size, int rcs[], const char *name) CO_MUST_USE;
int co_to_thread_named(co_fn fn, void *job, const char *name) CO_MUST_USE;
struct co_group co_group_begin(void);
void co_group_end(struct co_group *group);
struct co_lock *co_with_lock_begin(struct co_lock *lock);
struct co_lock *co_with_lock_next(struct co_lock *lock);
void co_with_lock_end(struct co_lock **lock);

#endif
