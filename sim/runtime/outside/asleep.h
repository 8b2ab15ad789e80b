/* asleep.h - system calls that put the thread to sleep behind the runtime's back. */
#ifndef CO_OUTSIDE_ASLEEP_H
#define CO_OUTSIDE_ASLEEP_H

/* From here on the kernel tells of each call that would put this thread to sleep, and the program hears about it as of
 * the calls that are caught at link time. Once a process, and for good; only where a filter confines it already (the
 * grader's launcher), since programs that it might become by exec would not know what to do. Without effect where the
 * kernel or the processor has no such thing. */
void co__asleep_install(void);

#endif
