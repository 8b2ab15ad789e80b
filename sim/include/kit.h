/* kit.h - what a lab's main.c stands on; students need not read it.
 *
 * A lab program is called as
 *     PROGRAM [--world FILE | --real] [--seed N] [--trace FILE] [--tape T] [--set NAME=VALUE]...
 *     [--memory FILE] [--json]
 *             MODE [URL...]
 * kit_main reads that, opens the world, runs the mode's function as the first task and prints what it reported.
 */
#ifndef KIT_H
#define KIT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What a mode's function gets as its job. All of it lives until kit_main returns. */
struct kit_run {
    const char *const *urls;   /* from the command line; without any: every URL of the world, in its order */
    size_t n;
    int call;                  /* which of several calls it is, from 1; 0: there is only one */
};

struct kit_mode {
    const char *name;          /* the word on the command line                  */
    int (*fn)(void *job);      /* job is a struct kit_run *                     */
    const char *help;          /* one line for --help                           */
};

/* The whole of main(). modes ends with a zeroed entry; the first one is the default when MODE is left
 * out (a word that holds "://" is a URL). Returns the exit code: 0, 1 (the function failed; a line on stderr says with
 * what), 2 (wrong arguments or world file: one line on stderr). */
int kit_main(int argc, char **argv, const char *program, const struct kit_mode modes[]);

/* Puts a named value into the world's trace ({"from":"world","ev":"report","name":...,"value":...}): what
 * the grader reads. Takes over the reference to value. Call it inside a mode's function. Does not wait. */
void kit_report(const char *name, json_t *value);

/* The same for what one of several calls reports: its number stands in the value (an object) as "call"; that of an only
 * call has none. run: what the call was given. */
void kit_report_call(const char *name, json_t *value, const struct kit_run *run);

/* Calls fn(run), once and at once, unless the run's settings say otherwise:
 *     delay=250ms    not before so much time has passed
 *     poison=90      a byte from 1 to 255: memory that malloc hands out, that free has got back, and the stacks of the
 *                    next tasks hold something like it (malloc's: where the C library is glibc)
 *     cancel=40ms    the call has a task of its own, which is cancelled so much later; what it returned is no failure
 *     again=2        so many more calls, one after the other, each when the one before has returned
 *     beside=1ms     a second call begins so much later than the first, which may still be under way
 *     split=3        with beside: the first call gets the first three URLs, the second the others
 * Each of several calls, and one that is cancelled, runs in a task of its own, with a copy of *run that has its number.
 * Asks for all of these settings. Returns what fn returned, the first error of several calls, or -ECANCELED. Waits. */
int kit_calls(int (*fn)(void *job), const struct kit_run *run);

/* The value of `--set NAME=VALUE` (a whole number, or a time such as 300ms: in ns), or `otherwise` where none was
 * given. name: a literal of small letters, digits and '_'. A mode asks for all of its settings, each time, before it
 * calls the student's function: one that was given and not asked for when the mode's function returns is taken for a
 * misspelt one, and ends the program with exit code 2. Does not wait. */
int64_t kit_setting(const char *name, int64_t otherwise);

#endif
