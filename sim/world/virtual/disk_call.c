/* disk_call.c - what a call to the disk does, in one step, when its time is over. */
#include "access.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The content that an OPEN is about. NULL: *rc says why not. */
static struct content *content_to_open(struct disk *disk, const struct access *access, int32_t *rc)
{
    bool found;
    size_t at = vw_file_at(disk, access->path, &found);
    *rc = found && access->mode == WORLD_FILE_TO_CREATE ? -EEXIST
        : !found && access->mode == WORLD_FILE_TO_READ ? -ENOENT : 0;
    if (*rc < 0)
        return NULL;
    if (!found) {
        struct content *content = vw_file_make(disk, access->path, NULL, 0);
        if (!content)
            *rc = -ENOMEM;
        else
            content->touched = true;
        return content;
    }
    struct content *content = disk->files[at].content;
    if (access->mode == WORLD_FILE_TO_WRITE) {
        disk->used -= (int64_t)content->length;
        content->length = 0;
        content->touched = true;
    }
    return content;
}

static int32_t open_file(struct disk *disk, const struct access *access)
{
    int32_t rc;
    void *openings = disk->openings;
    bool ok = vw_make_room(&openings, disk->opening_count, &disk->opening_room, sizeof(struct opening *));
    disk->openings = openings;
    size_t length = strlen(access->path);
    struct opening *opening = ok ? malloc(sizeof *opening + length + 1) : NULL;
    if (!opening)
        return -ENOMEM;
    struct content *content = content_to_open(disk, access, &rc);
    if (!content) {
        free(opening);
        return rc;
    }
    *opening = (struct opening){.number = access->operation.id, .mode = access->mode, .content = content};
    memcpy(opening->path, access->path, length + 1);
    content->users++;
    /* All of them take equally long, so they end in the order in which they were asked for. */
    assert(disk->opening_count == 0 || disk->openings[disk->opening_count - 1]->number < opening->number);
    disk->openings[disk->opening_count++] = opening;
    return 0;
}

size_t vw_opening_readable(const struct opening *opening, uint64_t count)
{
    size_t length = opening->content->length;
    uint64_t left = opening->position < length ? length - opening->position : 0;
    if (count > INT32_MAX)
        count = INT32_MAX;   /* so that rc can say it */
    return left < count ? left : count;
}

/* Copies what was found: it may change before it is handed over. */
static int32_t keep_found(struct access *access, const char *bytes, size_t size)
{
    access->found = malloc(size ? size : 1);
    if (!access->found)
        return -ENOMEM;
    if (size)
        memcpy(access->found, bytes, size);
    access->found_size = size;
    return 0;
}

static int32_t read_file(struct disk *disk, struct access *access)
{
    struct opening *opening = vw_opening_find(disk, access->number);
    if (!opening || opening->mode != WORLD_FILE_TO_READ)
        return -EBADF;
    size_t size = vw_opening_readable(opening, access->count);
    if (keep_found(access, size ? opening->content->bytes + opening->position : NULL, size) < 0)
        return -ENOMEM;
    opening->position += size;
    return (int32_t)size;
}

static int32_t write_file(struct disk *disk, const struct access *access)
{
    struct opening *opening = vw_opening_find(disk, access->number);
    if (!opening || opening->mode == WORLD_FILE_TO_READ)
        return -EBADF;
    struct content *content = opening->content;
    size_t at = opening->mode == WORLD_FILE_TO_APPEND ? content->length : opening->position, end = at + access->size;
    if (access->size == 0)
        return 0;
    if (end > content->length && (int64_t)(end - content->length) > disk->capacity - disk->used)
        return -ENOSPC;
    if (end > content->room) {
        size_t room = end > 2 * content->room ? end : 2 * content->room;
        char *bytes = realloc(content->bytes, room);
        if (!bytes)
            return -ENOMEM;
        content->bytes = bytes;
        content->room = room;
    }
    if (at > content->length)   /* somebody has emptied it since */
        memset(content->bytes + content->length, 0, at - content->length);
    memcpy(content->bytes + at, access->bytes, access->size);
    if (end > content->length) {
        disk->used += (int64_t)(end - content->length);
        content->length = end;
    }
    opening->position = end;
    content->touched = true;
    return 0;
}

static int32_t rename_file(struct disk *disk, const struct access *access)
{
    bool found, replaces;
    size_t at = vw_file_at(disk, access->path, &found), to = vw_file_at(disk, access->to, &replaces);
    if (!found)
        return -ENOENT;
    if (at == to && replaces)
        return 0;
    struct content *content = disk->files[at].content;
    if (replaces) {
        vw_content_drop(disk, disk->files[to].content);
        disk->files[to].content = content;
        vw_file_take(disk, at);
    } else {
        char *path = strdup(access->to);
        if (!path)
            return -ENOMEM;
        vw_file_take(disk, at);
        vw_file_put(disk, path, content);
    }
    content->touched = true;
    return 0;
}

static int32_t remove_file(struct disk *disk, const struct access *access)
{
    bool found;
    size_t at = vw_file_at(disk, access->path, &found);
    if (!found)
        return -ENOENT;
    vw_content_drop(disk, disk->files[at].content);
    vw_file_take(disk, at);
    return 0;
}

static int32_t list_files(const struct disk *disk, struct access *access)
{
    bool found;
    size_t length = strlen(access->path), first = vw_file_at(disk, access->path, &found), end = first, size = 0;
    while (end < disk->file_count && strncmp(disk->files[end].path, access->path, length) == 0)
        size += strlen(disk->files[end++].path) + 1;
    char *at = access->found = malloc(size ? size : 1);
    if (!at)
        return -ENOMEM;
    access->found_size = size;
    for (size_t i = first; i < end; i++) {
        size_t n = strlen(disk->files[i].path);
        memcpy(at, disk->files[i].path, n);
        at[n] = '\n';
        at += n + 1;
    }
    return (int32_t)(end - first);
}

static int32_t load_file(const struct disk *disk, struct access *access)
{
    bool found;
    size_t at = vw_file_at(disk, access->path, &found);
    if (!found)
        return -ENOENT;
    const struct content *content = disk->files[at].content;
    return keep_found(access, content->bytes, content->length);
}

/* The old content goes when nobody has it open any more; only then is its place free. */
static int32_t save_file(struct disk *disk, const struct access *access)
{
    bool found;
    size_t at = vw_file_at(disk, access->path, &found);
    struct content *old = found ? disk->files[at].content : NULL;
    int64_t freed = old && old->users == 1 ? (int64_t)old->length : 0;
    if ((int64_t)access->size > disk->capacity - disk->used + freed)
        return -ENOSPC;
    struct content *content;
    if (old) {
        char *bytes = malloc(access->size ? access->size : 1);
        content = malloc(sizeof *content);
        if (!bytes || !content) {
            free(bytes);
            free(content);
            return -ENOMEM;
        }
        memcpy(bytes, access->bytes, access->size);
        *content = (struct content){.bytes = bytes, .length = access->size, .room = access->size, .users = 1};
        disk->used += (int64_t)access->size;
        disk->files[at].content = content;
        vw_content_drop(disk, old);
    } else if (!(content = vw_file_make(disk, access->path, access->bytes, access->size))) {
        return -ENOMEM;
    }
    content->touched = true;
    return 0;
}

int32_t vw_disk_perform(struct disk *disk, struct access *access)
{
    switch (access->call) {
    case WORLD_FILE_OPEN: return open_file(disk, access);
    case WORLD_FILE_READ: return read_file(disk, access);
    case WORLD_FILE_WRITE: return write_file(disk, access);
    case WORLD_FILE_RENAME: return rename_file(disk, access);
    case WORLD_FILE_REMOVE: return remove_file(disk, access);
    case WORLD_FILE_LIST: return list_files(disk, access);
    case WORLD_FILE_LOAD: return load_file(disk, access);
    case WORLD_FILE_SAVE: return save_file(disk, access);
    case WORLD_FILE_CLOSE: break;
    }
    return -EINVAL;
}
