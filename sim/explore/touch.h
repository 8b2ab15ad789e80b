/* touch.h - what the runtime tells an explorer of orders (sim/explore/search) about each step of a task.
 *
 * Two steps may change places without anybody noticing unless one of them touches what the other one touches, too. What
 * a step touches of the program's memory the compiler's thread-sanitizer calls tell; what it touches of the runtime's
 * objects is told here. In every build but the explorer's (CO_EXPLORE) these are empty functions.
 */
#ifndef TOUCH_H
#define TOUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct co_task;
struct loop;
struct tape;
struct world_request;

/* Two READs of one thing commute, two ADDs do (one more task has ended, one more item is done), nothing else does. */
enum touch { TOUCH_READ, TOUCH_WRITE, TOUCH_ADD };

/* What is touched that is no memory of the program's. `which` tells those of a kind apart. */
enum object {
    OBJECT_STEP = 1,        /* everything: the clock was moved by hand                            */
    OBJECT_CANCEL,          /* a task (its number): is it to end?                                 */
    OBJECT_END,             /* a task (its number): has it ended?                                 */
    OBJECT_GROUP,           /* which tasks of a group have ended                                  */
    OBJECT_WATCHED,         /* which tasks of one co_wait have ended                              */
    OBJECT_UNFINISHED,      /* how many items of a queue are not done                             */
    OBJECT_ALIVE,           /* how many tasks there are                                           */
    OBJECT_WORLD,           /* what a request of any site may depend on                           */
    OBJECT_SITE,            /* one host                                                           */
    OBJECT_JOBS, OBJECT_DISK, OBJECT_RECORD,
};

/* What ends a run that could not go on, or counts against it. */
enum explore_wrong {
    WRONG_NONE, WRONG_FAILED, WRONG_DEADLOCK, WRONG_ENDLESS, WRONG_CRASH, WRONG_EXIT, WRONG_LEAK, WRONG_DIFFERS,
    WRONG_LOST, WRONG_OVERFLOW, WRONG_BLOCKED, WRONG_UNSTEADY,
};

#ifdef CO_EXPLORE

/* The running step touches `size` bytes at `at`: a record of the runtime's that lies in the program's memory. */
void explore_touch(enum touch how, const void *at, size_t size);
void explore_object(enum touch how, enum object kind, uint64_t which);

/* The running step has made that task ready; the task is new. */
void explore_readied(uint32_t task);
void explore_spawned(uint32_t task);

/* The step wakes a task that has waited for every ADD to the object, not for the last one alone. */
void explore_gathered(enum object kind, uint64_t which, uint32_t task);

/* From now on it matters in which order the tasks of a group end: somebody asks. */
void explore_ends_in_order(void);

/* A task has been given a stack of `size` bytes from `low` on. */
void explore_stack(uint32_t task, const void *low, size_t size);

/* Somebody is ready: the step before is over, another one begins, and the tape is about to be asked which. */
void explore_next(struct loop *loop);

/* Nobody is ready: time passes. True: not yet, as by now somebody is. */
bool explore_time(void);

/* A request goes to the world, under this mark; its answer is taken in. */
void explore_asks(const struct world_request *request, const void *mark);
void explore_answered(const void *mark);

/* The run cannot go on, and ends here (it does not come back), or has left something behind. Return only where nobody
 * explores. pc: the student's line. */
void explore_faulted(enum explore_wrong what, const void *pc);
void explore_left(const char *what, const void *pc);

/* A value goes on the record. True: taken, and the world need not have it. */
bool explore_reports(const char *name, const char *json);

/* A file of the program's own asks for memory. False: there is none this time. */
bool explore_allocates(void);

/* The tape of a run that is to be explored; NULL: nobody has asked for that (CO_EXPLORE in the environment). */
struct tape *explore_tape(void);

/* All is open and the main task is about to begin: returns once for each order. And at the end of each. */
void explore_begin(struct loop *loop);
void explore_end(int rc);

#else

static inline void explore_touch(enum touch how, const void *at, size_t size) { (void)how, (void)at, (void)size; }
static inline void explore_object(enum touch how, enum object kind, uint64_t which)
{
    (void)how, (void)kind, (void)which;
}
static inline void explore_readied(uint32_t task) { (void)task; }
static inline void explore_spawned(uint32_t task) { (void)task; }
static inline void explore_gathered(enum object kind, uint64_t which, uint32_t task)
{
    (void)kind, (void)which, (void)task;
}
static inline void explore_ends_in_order(void) {}
static inline void explore_stack(uint32_t task, const void *low, size_t size) { (void)task, (void)low, (void)size; }
static inline void explore_next(struct loop *loop) { (void)loop; }
static inline bool explore_time(void) { return false; }
static inline void explore_asks(const struct world_request *request, const void *mark) { (void)request, (void)mark; }
static inline void explore_answered(const void *mark) { (void)mark; }
static inline void explore_faulted(enum explore_wrong what, const void *pc) { (void)what, (void)pc; }
static inline void explore_left(const char *what, const void *pc) { (void)what, (void)pc; }
static inline bool explore_reports(const char *name, const char *json) { return (void)name, (void)json, false; }
static inline struct tape *explore_tape(void) { return NULL; }
static inline void explore_begin(struct loop *loop) { (void)loop; }
static inline void explore_end(int rc) { (void)rc; }

#endif
#endif
