/* disk.h - files, in memory: paths, contents, openings, and what goes wrong with them. */
#ifndef DISK_H
#define DISK_H

#include "../world.h"
#include "operation.h"
#include "unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* What is in a file. It lives as long as it has a path or is open. */
struct content {
    char *bytes;
    size_t length, room;
    /* Its path, and each opening. */
    size_t users;
    /* The program made it, wrote to it or renamed it. */
    bool touched;
};

/* A path, and what lies there. */
struct file {
    char *path;
    struct content *content;
};

/* A file that is open. */
struct opening {
    /* The id of the operation that opened it. */
    uint64_t number;
    enum world_file_mode mode;
    /* Up to where it is read or written. */
    size_t position;
    struct content *content;
    /* As it was when it was opened. */
    char path[];
};

/* Something that goes wrong with the disk. */
struct disk_fault {
    /* Bit n: it strikes calls of that enum world_file_call... */
    uint32_t calls;
    /* ...to paths that begin with this: */
    char *path;
    /* of these the nth, from 1, and those behind it, `times` of them altogether. */
    int64_t nth, times;
    /* How many there were. */
    int64_t seen;
    int32_t rc;
};

struct disk {
    /* How long each access takes, besides its bytes; how many bytes a second; VW_UNLIMITED: those take no time. */
    int64_t latency, bandwidth;
    /* How many bytes fit on it, and how many are there. */
    int64_t capacity, used;
    /* How many accesses go on at the same time at most, and how many do; further ones wait. */
    int64_t parallel, busy;
    struct line waiting;
    /* Sorted by path. */
    struct file *files;
    size_t file_count, file_room;
    /* Sorted by number. */
    struct opening **openings;
    size_t opening_count, opening_room;
    struct disk_fault *faults;
    size_t fault_count;
};

/* An empty disk of no latency and without limits. */
#define VW_EMPTY_DISK {.bandwidth = VW_UNLIMITED, .capacity = VW_UNLIMITED, .parallel = VW_UNLIMITED}

/* Puts a file there, as the world file has it. False: no memory. */
bool vw_disk_add(struct disk *disk, const char *path, const char *bytes, size_t size);
void vw_disk_free(struct disk *disk);
/* Puts the files that the program has touched into the trace. */
void vw_disk_trace(const struct world *world);

/* Room for one more in an array of `count` elements of `size` bytes. False: no memory. */
bool vw_make_room(void **array, size_t count, size_t *room, size_t size);
/* Where the path lies, or (*found false) where it would. */
size_t vw_file_at(const struct disk *disk, const char *path, bool *found);
/* A new file of that content under a path that is free. NULL: no memory, and nothing has changed. */
struct content *vw_file_make(struct disk *disk, const char *path, const char *bytes, size_t size);
/* Puts a content under a path that is free, and keeps `path`. There must be room. */
void vw_file_put(struct disk *disk, char *path, struct content *content);
/* Takes the path from the files, and leaves its content to the caller. */
void vw_file_take(struct disk *disk, size_t at);
/* One user fewer; with the last one it goes, and its place on the disk is free. */
void vw_content_drop(struct disk *disk, struct content *content);
/* The opening of that number, or NULL. */
struct opening *vw_opening_find(const struct disk *disk, uint64_t number);
/* Closes it, if it is open. */
void vw_opening_close(struct world *world, uint64_t number);

#endif
