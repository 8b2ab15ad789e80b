/* fault.h - a touch of a stack's guard page gets a report, any other fault a line in the trace. */
#ifndef CO_WATCH_FAULT_H
#define CO_WATCH_FAULT_H

void co__fault_install(void);                           /* a stack overflow gets a report */
void co__fault_remove(void);

#endif
