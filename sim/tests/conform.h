/* conform.h - what the tests that follow CPython's tests of asyncio share (CONFORMANCE.md says which follows which).
 *
 * CONFORM(name) { ... } is a cmocka test whose body runs as the main task of a loop; it ends with `return 0`. What
 * tasks did, and when, they note; NOTED compares it.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include "check.h"

#define CONFORM(name) \
    static int name##_main(void *job); \
    static void name(void **state) \
    { \
        (void)state; \
        assert_int_equal(run(name##_main, NULL), 0); \
    } \
    static int name##_main(void *job UNUSED)

/* The notes so far are these; they are then forgotten. */
#define NOTED(wanted) expect_noted((wanted), __FILE__, __LINE__)
static UNUSED void expect_noted(const char *wanted, const char *file, int line)
{
    if (strcmp(board->text, wanted) != 0) {
        board->failures++;
        fprintf(stderr, "%s:%d: noted \"%s\", expected \"%s\"\n", file, line, board->text, wanted);
    }
    board->length = 0;
    board->text[0] = '\0';
}

/* A task that makes one call which waits, notes "label" or "label:what went wrong", and returns what the call did. */
struct act {
    int (*call)(void *what);
    void *what;
    const char *label;
};

static UNUSED int act(void *job)
{
    const struct act *a = job;
    int rc = a->call(a->what);
    if (rc < 0)
        note("%s:%s", a->label, co_strerror(rc));
    else
        note("%s", a->label);
    return rc;
}

/* act(&ACT(call, what, "label")) as a job: lives as long as the block. */
#define ACT(call_, what_, label_) (&(struct act){.call = (call_), .what = (what_), .label = (label_)})

/* Lets everybody run who can without time passing: also those that are woken only by others meanwhile. */
static UNUSED void settle(void)
{
    for (int i = 0; i < 8; i++)
        co_yield();
}

#endif
