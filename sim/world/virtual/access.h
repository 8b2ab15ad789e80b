/* access.h - one call to the disk, and its turn there. */
#ifndef ACCESS_H
#define ACCESS_H

#include "disk.h"
#include "operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* One call to the disk. */
struct access {
    struct operation operation;
    enum world_file_call call;
    enum world_file_mode mode;
    /* READ, WRITE: which opening; READ: how many bytes at most. */
    uint64_t number, count;
    /* What a fault, or a wrong argument, makes of it; 0: neither. */
    int32_t rc;
    /* It is one of the disk's busy ones. */
    bool at_work;
    /* Two paths, each with its '\0', and `size` bytes to be written. */
    char *request, *path, *to, *bytes;
    size_t size;
    /* What was found; NULL: nothing. */
    char *found;
    size_t found_size;
};

/* Starts the access that the request asks for; a CLOSE is done at once. Returns its id, 0: no memory. */
uint64_t vw_access_submit(struct world *world, const struct world_request *request);
void vw_access_step(struct world *world, struct access *access);
void vw_access_cancel(struct world *world, struct access *access);
/* Frees its bytes: its last completion is no longer needed. */
void vw_access_forget(struct access *access);

/* disk_call.c: what the access does, in one step, when its time is over. Returns its rc. */
int32_t vw_disk_perform(struct disk *disk, struct access *access);
/* How many bytes a READ of at most `count` would get now. */
size_t vw_opening_readable(const struct opening *opening, uint64_t count);

#endif
