/* file.h - files that were left open when a run ends. */
#ifndef CO_OUTSIDE_FILE_H
#define CO_OUTSIDE_FILE_H

struct loop;

void co__files_report(struct loop *loop);               /* as leaks */
void co__files_free(struct loop *loop);

#endif
