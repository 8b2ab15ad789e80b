/* disk.c - files, in memory: what lies under which path, and who has it open. */
#include "draw.h"
#include "virtual.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 65536     /* a longer content appears in the trace as a hash */

size_t vw_file_at(const struct disk *disk, const char *path, bool *found)
{
    size_t from = 0, to = disk->file_count;
    *found = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(disk->files[middle].path, path);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool vw_make_room(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 8;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

void vw_content_drop(struct disk *disk, struct content *content)
{
    if (--content->users > 0)
        return;
    disk->used -= (int64_t)content->length;
    free(content->bytes);
    free(content);
}

void vw_file_take(struct disk *disk, size_t at)
{
    free(disk->files[at].path);
    memmove(&disk->files[at], &disk->files[at + 1], (--disk->file_count - at) * sizeof *disk->files);
}

void vw_file_put(struct disk *disk, char *path, struct content *content)
{
    bool found;
    size_t at = vw_file_at(disk, path, &found);
    assert(!found && disk->file_count < disk->file_room);
    memmove(&disk->files[at + 1], &disk->files[at], (disk->file_count++ - at) * sizeof *disk->files);
    disk->files[at] = (struct file){path, content};
}

struct content *vw_file_make(struct disk *disk, const char *path, const char *bytes, size_t size)
{
    void *files = disk->files;
    bool ok = vw_make_room(&files, disk->file_count, &disk->file_room, sizeof *disk->files);
    disk->files = files;
    struct content *content = calloc(1, sizeof *content);
    char *copy = size ? malloc(size) : NULL, *name = strdup(path);
    if (!ok || !content || !name || (size && !copy)) {
        free(content);
        free(copy);
        free(name);
        return NULL;
    }
    if (size)
        memcpy(copy, bytes, size);
    *content = (struct content){.bytes = copy, .length = size, .room = size, .users = 1};
    disk->used += (int64_t)size;
    vw_file_put(disk, name, content);
    return content;
}

bool vw_disk_add(struct disk *disk, const char *path, const char *bytes, size_t size)
{
    return vw_file_make(disk, path, bytes, size) != NULL;
}

void vw_disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->opening_count; i++) {
        vw_content_drop(disk, disk->openings[i]->content);
        free(disk->openings[i]);
    }
    while (disk->file_count) {
        vw_content_drop(disk, disk->files[disk->file_count - 1].content);
        vw_file_take(disk, disk->file_count - 1);
    }
    for (size_t i = 0; i < disk->fault_count; i++)
        free(disk->faults[i].path);
    free(disk->openings);
    free(disk->files);
    free(disk->faults);
    *disk = (struct disk){0};
}

/* Where the opening of that number lies, if there is one. */
static size_t opening_at(const struct disk *disk, uint64_t number)
{
    size_t from = 0, to = disk->opening_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (disk->openings[middle]->number < number)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct opening *vw_opening_find(const struct disk *disk, uint64_t number)
{
    size_t at = opening_at(disk, number);
    return at < disk->opening_count && disk->openings[at]->number == number ? disk->openings[at] : NULL;
}

void vw_opening_close(struct world *world, uint64_t number)
{
    struct disk *disk = &world->disk;
    struct opening *opening = vw_opening_find(disk, number);
    if (!opening)
        return;
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "file.closed");
        trace_int(world->trace, "op", (int64_t)number);
        trace_end(world->trace);
    }
    size_t at = opening_at(disk, number);
    memmove(&disk->openings[at], &disk->openings[at + 1], (--disk->opening_count - at) * sizeof(struct opening *));
    vw_content_drop(disk, opening->content);
    free(opening);
}

/* ---- At the end ---------------------------------------------------------------------------- */

static void trace_content(struct trace *trace, const struct content *content)
{
    static const char digits[] = "0123456789abcdef";
    json_t *text = content->length <= MOST_TEXT ? json_stringn(content->bytes ? content->bytes : "", content->length)
        : NULL;
    if (text) {   /* it is UTF-8 */
        trace_str(trace, "text", content->bytes ? content->bytes : "", content->length);
        json_decref(text);
        return;
    }
    char hash[16];
    uint64_t key = vw_key(content->bytes, content->length);
    for (int i = 15; i >= 0; i--, key >>= 4)
        hash[i] = digits[key & 15];
    trace_str(trace, "hash", hash, sizeof hash);
}

void vw_disk_trace(const struct world *world)
{
    const struct disk *disk = &world->disk;
    for (size_t i = 0; world->trace && i < disk->file_count; i++) {
        const struct file *file = &disk->files[i];
        if (!file->content->touched)
            continue;
        trace_begin(world->trace, world->now, TRACE_WORLD, "file.left");
        trace_str(world->trace, "path", file->path, strlen(file->path));
        trace_int(world->trace, "bytes", (int64_t)file->content->length);
        trace_content(world->trace, file->content);
        trace_end(world->trace);
    }
}
