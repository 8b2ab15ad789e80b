/* asleep.h - system calls that put the thread to sleep behind the runtime's back. */
#ifndef CO_OUTSIDE_ASLEEP_H
#define CO_OUTSIDE_ASLEEP_H

/* From here on the kernel tells of each call that would put this thread to sleep, and the program hears about it as of
 * the calls that are caught at link time. Once a process, and for good; only where a filter confines it already (the
 * grader's launcher), since programs that it might become by exec would not know what to do. Without effect where the
 * kernel or the processor has no such thing. */
void co__asleep_install(void);

/* Makes a system call by the one instruction whose calls that filter lets through; returns what the kernel does: a
 * result, or a negative errno. co__asleep_called is what follows the instruction. */
long co__asleep_call(const long arguments[6], long number);
extern const char co__asleep_called[];

#endif
