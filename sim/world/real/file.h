/* file.h - what file.c and file_work.c share. */
#ifndef REAL_FILE_H
#define REAL_FILE_H

#include "real.h"

/* A file that is open. */
struct opening {
    uint64_t number;                /* the id of the access that opened it                                  */
    enum world_file_mode mode;
    uv_file fd;
    int64_t position;               /* where the next READ or WRITE begins; only a thread looks at it       */
    bool busy;                      /* a thread is at it                                                    */
    bool closed;                    /* to be closed when nobody is at it                                    */
    struct access *first;           /* calls that wait until it is no longer busy                           */
    char path[];
};

/* One call to the disk. */
struct access {
    struct operation operation;     /* first, so that an operation of kind FILE is one                      */
    struct real *world;
    uv_work_t work;
    enum world_file_call call;
    enum world_file_mode mode;
    uint64_t number, count;         /* READ, WRITE: which opening; READ: how many bytes at most             */
    struct opening *opening;        /* NULL: the call is about a path                                       */
    struct access *next;            /* in the opening's line                                                */
    char *path, *to, *bytes;        /* one block: two paths, each with its '\0', and `size` bytes to write  */
    size_t size;
    int32_t rc;                     /* the thread's result                                                  */
    uv_file fd;                     /* of an OPEN                                                           */
    char *found;                    /* NULL: nothing                                                        */
    size_t found_size;
};

/* Does it, in whatever thread. Returns its rc. */
int32_t rw_file_perform(struct access *access);
void rw_file_close(uv_file fd);

#endif
