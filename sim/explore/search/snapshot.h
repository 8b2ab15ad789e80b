/* snapshot.h - the program as it stood when its main task was about to begin, and how to get back there.
 *
 * All that a run may have changed is copied back: the data of the program and of the libraries it is linked with, the
 * thread's own variables, what malloc had given out, the stack of the thread, and the records on top of the tasks'
 * stacks. A run that ended in the middle leaves nothing behind.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "runtime/state/loop.h"

#include <stdbool.h>

struct snapshot;

/* Takes it. stack: the thread's stack from here on up is the program's. NULL: no memory. */
struct snapshot *snapshot_take(const struct loop *loop, const void *stack);

/* Of large pieces only those pages are copied back that some run has written to: from now on the first write to a page
 * is a signal, which its handler hands on to snapshot_written. (A system call that is to write there fails instead; the
 * programs of a virtual world make none.) */
void snapshot_watch(struct snapshot *snapshot);

/* Somebody writes to that address. True: from now on that page is copied back, and the write may be tried again. */
bool snapshot_written(struct snapshot *snapshot, const void *at);

void snapshot_restore(const struct snapshot *snapshot);

/* Tasks' stacks come from one piece of the address space, which is begun again with each restoring: is that address in
 * it? Which stack of that size (a pool's size and guard) is it in? */
bool snapshot_is_stack(const void *at);
size_t snapshot_stack(const void *at, size_t each);

#endif
