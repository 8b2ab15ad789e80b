/* disk.c - files, in memory.
 *
 * An access takes the disk's latency, and then the time that its bytes need: those to be written, or those that were
 * there to be read when the disk began with it. What it does and what it sees is decided in one step when that time is
 * over. So of two accesses that overlap the one that ends first comes first, and nobody ever meets half a write.
 * Opening, renaming, removing and listing move no bytes. Closing takes no time at all.
 */
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PATH 4095      /* bytes, as on Linux */
#define MOST_NAME 255       /* of each part       */
#define MOST_TEXT 65536     /* a longer content appears in the trace as a hash */

/* ---- Paths --------------------------------------------------------------------------------- */

bool world_is_path(const char *path, size_t length)
{
    size_t name = 0, dots = 0;
    if (length == 0 || length > MOST_PATH)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && path[i] != '/') {
            if ((unsigned char)path[i] < ' ' || path[i] == 127)
                return false;
            dots += path[i] == '.';
            name++;
            continue;
        }
        if (name == 0 || name > MOST_NAME || (dots == name && dots <= 2))
            return false;
        name = dots = 0;
    }
    return true;
}

/* Where the path lies, or (*found false) where it would. */
static size_t file_at(const struct disk *disk, const char *path, bool *found)
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

/* Room for one more in an array of `count` elements. */
static bool make_room(void **array, size_t count, size_t *room, size_t size)
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

/* ---- Contents ------------------------------------------------------------------------------ */

static void content_drop(struct disk *disk, struct content *content)
{
    if (--content->users > 0)
        return;
    disk->used -= (int64_t)content->length;
    free(content->bytes);
    free(content);
}

/* Takes the path from the files, and leaves its content to the caller. */
static void take_out(struct disk *disk, size_t at)
{
    free(disk->files[at].path);
    memmove(&disk->files[at], &disk->files[at + 1], (--disk->file_count - at) * sizeof *disk->files);
}

/* Puts a content under a path that is free, and keeps `path`. There must be room. */
static void put_in(struct disk *disk, char *path, struct content *content)
{
    bool found;
    size_t at = file_at(disk, path, &found);
    assert(!found && disk->file_count < disk->file_room);
    memmove(&disk->files[at + 1], &disk->files[at], (disk->file_count++ - at) * sizeof *disk->files);
    disk->files[at] = (struct file){path, content};
}

/* A new file of that content under a path that is free. NULL: no memory, and nothing has changed. */
static struct content *make_file(struct disk *disk, const char *path, const char *bytes, size_t size)
{
    void *files = disk->files;
    bool ok = make_room(&files, disk->file_count, &disk->file_room, sizeof *disk->files);
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
    put_in(disk, name, content);
    return content;
}

bool vw_disk_add(struct disk *disk, const char *path, const char *bytes, size_t size)
{
    return make_file(disk, path, bytes, size) != NULL;
}

void vw_disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->opening_count; i++) {
        content_drop(disk, disk->openings[i]->content);
        free(disk->openings[i]);
    }
    while (disk->file_count) {
        content_drop(disk, disk->files[disk->file_count - 1].content);
        take_out(disk, disk->file_count - 1);
    }
    for (size_t i = 0; i < disk->fault_count; i++)
        free(disk->faults[i].path);
    free(disk->openings);
    free(disk->files);
    free(disk->faults);
    *disk = (struct disk){0};
}

/* ---- Openings ------------------------------------------------------------------------------ */

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

static struct opening *opening_find(const struct disk *disk, uint64_t number)
{
    size_t at = opening_at(disk, number);
    return at < disk->opening_count && disk->openings[at]->number == number ? disk->openings[at] : NULL;
}

static void close_file(struct world *world, uint64_t number)
{
    struct disk *disk = &world->disk;
    struct opening *opening = opening_find(disk, number);
    if (!opening)
        return;
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "file.closed");
        trace_int(world->trace, "op", (int64_t)number);
        trace_end(world->trace);
    }
    size_t at = opening_at(disk, number);
    memmove(&disk->openings[at], &disk->openings[at + 1], (--disk->opening_count - at) * sizeof(struct opening *));
    content_drop(disk, opening->content);
    free(opening);
}

/* ---- What the calls do, when their time is over -------------------------------------------- */

/* The content that an OPEN is about. NULL: *rc says why not. */
static struct content *content_to_open(struct disk *disk, const struct access *access, int32_t *rc)
{
    bool found;
    size_t at = file_at(disk, access->path, &found);
    *rc = found && access->mode == WORLD_FILE_TO_CREATE ? -EEXIST
        : !found && access->mode == WORLD_FILE_TO_READ ? -ENOENT : 0;
    if (*rc < 0)
        return NULL;
    if (!found) {
        struct content *content = make_file(disk, access->path, NULL, 0);
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
    bool ok = make_room(&openings, disk->opening_count, &disk->opening_room, sizeof(struct opening *));
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

/* How many bytes a READ would get now. */
static size_t readable(const struct opening *opening, uint64_t count)
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
    struct opening *opening = opening_find(disk, access->number);
    if (!opening || opening->mode != WORLD_FILE_TO_READ)
        return -EBADF;
    size_t size = readable(opening, access->count);
    if (keep_found(access, size ? opening->content->bytes + opening->position : NULL, size) < 0)
        return -ENOMEM;
    opening->position += size;
    return (int32_t)size;
}

static int32_t write_file(struct disk *disk, const struct access *access)
{
    struct opening *opening = opening_find(disk, access->number);
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
    size_t at = file_at(disk, access->path, &found), to = file_at(disk, access->to, &replaces);
    if (!found)
        return -ENOENT;
    if (at == to && replaces)
        return 0;
    struct content *content = disk->files[at].content;
    if (replaces) {
        content_drop(disk, disk->files[to].content);
        disk->files[to].content = content;
        take_out(disk, at);
    } else {
        char *path = strdup(access->to);
        if (!path)
            return -ENOMEM;
        take_out(disk, at);
        put_in(disk, path, content);
    }
    content->touched = true;
    return 0;
}

static int32_t remove_file(struct disk *disk, const struct access *access)
{
    bool found;
    size_t at = file_at(disk, access->path, &found);
    if (!found)
        return -ENOENT;
    content_drop(disk, disk->files[at].content);
    take_out(disk, at);
    return 0;
}

static int32_t list_files(const struct disk *disk, struct access *access)
{
    bool found;
    size_t length = strlen(access->path), first = file_at(disk, access->path, &found), end = first, size = 0;
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
    size_t at = file_at(disk, access->path, &found);
    if (!found)
        return -ENOENT;
    const struct content *content = disk->files[at].content;
    return keep_found(access, content->bytes, content->length);
}

/* The old content goes when nobody has it open any more; only then is its place free. */
static int32_t save_file(struct disk *disk, const struct access *access)
{
    bool found;
    size_t at = file_at(disk, access->path, &found);
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
        content_drop(disk, old);
    } else if (!(content = make_file(disk, access->path, access->bytes, access->size))) {
        return -ENOMEM;
    }
    content->touched = true;
    return 0;
}

static int32_t perform(struct disk *disk, struct access *access)
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

/* ---- Waiting for the disk ------------------------------------------------------------------ */

/* How many bytes the access moves, as things stand now. */
static size_t bytes_to_move(const struct disk *disk, const struct access *access)
{
    bool found;
    const struct opening *opening;
    switch (access->call) {
    case WORLD_FILE_READ:
        opening = opening_find(disk, access->number);
        return opening && opening->mode == WORLD_FILE_TO_READ ? readable(opening, access->count) : 0;
    case WORLD_FILE_LOAD: {
        size_t at = file_at(disk, access->path, &found);
        return found ? disk->files[at].content->length : 0;
    }
    case WORLD_FILE_WRITE:
    case WORLD_FILE_SAVE:
        return access->size;
    default:
        return 0;
    }
}

static void begin(struct world *world, struct access *access)
{
    struct disk *disk = &world->disk;
    int64_t bytes = (int64_t)bytes_to_move(disk, access);
    int64_t transfer = disk->bandwidth == VW_UNLIMITED ? 0 : vw_scale(bytes, 1000000000, disk->bandwidth);
    disk->busy++;
    access->at_work = true;
    vw_event_set(world, &access->operation, vw_later(world->now, vw_later(disk->latency, transfer)));
}

/* The disk is done with it; the next in line gets its place. */
static void release(struct world *world, struct access *access)
{
    struct disk *disk = &world->disk;
    if (!access->at_work)
        return;
    access->at_work = false;
    disk->busy--;
    struct access *next = (struct access *)vw_line_take(&disk->waiting);
    if (next)
        begin(world, next);
}

/* The error of the faults that strike this access, or 0. Each fault counts it. */
static int32_t fault_of(struct disk *disk, const struct access *access)
{
    int32_t rc = 0;
    for (size_t i = 0; i < disk->fault_count; i++) {
        struct disk_fault *fault = &disk->faults[i];
        size_t length = fault->path ? strlen(fault->path) : 0;
        bool here = !length || strncmp(access->path, fault->path, length) == 0
                    || (access->call == WORLD_FILE_RENAME && strncmp(access->to, fault->path, length) == 0);
        if (!(fault->calls & 1u << access->call) || !here)
            continue;
        fault->seen++;
        if (fault->seen >= fault->nth && fault->seen - fault->nth < fault->times && rc == 0)
            rc = fault->rc;
    }
    return rc;
}

/* ---- Submitting, stepping, cancelling ------------------------------------------------------ */

static void trace_start(const struct world *world, const struct access *access, uint32_t task)
{
    static const char *const calls[] = {"open", "read", "write", "close", "rename", "remove", "list", "load", "save"};
    static const char *const modes[] = {"read", "write", "append", "create"};
    bool known = access->call >= WORLD_FILE_OPEN && access->call <= WORLD_FILE_SAVE;
    const char *call = known ? calls[access->call - WORLD_FILE_OPEN] : "unknown";
    struct trace *trace = world->trace;
    trace_begin(trace, world->now, TRACE_WORLD, "file.start");
    trace_int(trace, "op", (int64_t)access->operation.id);
    trace_int(trace, "task", task);
    trace_str(trace, "call", call, strlen(call));
    trace_str(trace, "path", access->path, strlen(access->path));
    if (access->call == WORLD_FILE_RENAME)
        trace_str(trace, "to", access->to, strlen(access->to));
    if (access->call == WORLD_FILE_OPEN && access->mode <= WORLD_FILE_TO_CREATE)
        trace_str(trace, "mode", modes[access->mode], strlen(modes[access->mode]));
    if (access->call == WORLD_FILE_READ || access->call == WORLD_FILE_WRITE)
        trace_int(trace, "file", (int64_t)access->number);
    if (access->call == WORLD_FILE_WRITE || access->call == WORLD_FILE_SAVE)
        trace_int(trace, "bytes", (int64_t)access->size);
    trace_end(trace);
}

/* Copies what the access needs of the request. False: no memory. */
static bool take_request(const struct disk *disk, struct access *access, const struct world_request *request)
{
    const char *data = request->data ? request->data : "", *path = data;
    size_t length = request->lengths[0], to_length = request->lengths[1];
    assert((uint64_t)length + to_length <= request->size);
    const char *to = data + length, *bytes = to + to_length;
    access->size = request->size - length - to_length;
    if (access->call == WORLD_FILE_READ || access->call == WORLD_FILE_WRITE) {
        const struct opening *opening = opening_find(disk, access->number);
        path = opening ? opening->path : "";
        length = strlen(path);
    }
    access->request = access->path = malloc(length + 1 + to_length + 1 + access->size);
    if (!access->request)
        return false;
    access->to = access->path + length + 1;
    access->bytes = access->to + to_length + 1;
    memcpy(access->path, path, length);
    memcpy(access->to, to, to_length);
    access->path[length] = access->to[to_length] = '\0';
    if (access->size)
        memcpy(access->bytes, bytes, access->size);
    return true;
}

/* What is wrong with a request that never gets to the disk, or 0. */
static int32_t refusal(const struct disk *disk, const struct access *access, const struct world_request *request)
{
    const char *data = request->data;
    uint32_t length = request->lengths[0];
    if (access->call < WORLD_FILE_OPEN || access->call > WORLD_FILE_SAVE)
        return -EINVAL;
    if (access->call == WORLD_FILE_READ || access->call == WORLD_FILE_WRITE)
        return opening_find(disk, access->number) ? 0 : -EBADF;
    if (access->call == WORLD_FILE_LIST)
        return 0;   /* any text may be the beginning of a path */
    if (!world_is_path(data, length) || (access->call == WORLD_FILE_OPEN && access->mode > WORLD_FILE_TO_CREATE))
        return -EINVAL;
    return access->call != WORLD_FILE_RENAME || world_is_path(data + length, request->lengths[1]) ? 0 : -EINVAL;
}

uint64_t vw_access_submit(struct world *world, const struct world_request *request)
{
    struct disk *disk = &world->disk;
    if (request->call == WORLD_FILE_CLOSE) {
        close_file(world, request->file);
        return ++world->operations.last_id;
    }
    struct access *access = (struct access *)vw_operation_new(world, WORLD_FILE, request);
    if (!access)
        return 0;
    access->call = request->call;
    access->mode = request->mode;
    access->number = request->file;
    access->count = request->count;
    if (!take_request(disk, access, request)) {
        vw_operation_undo(world, &access->operation);
        return 0;
    }
    if (world->trace)
        trace_start(world, access, request->task);
    access->rc = refusal(disk, access, request);
    if (access->rc < 0) {
        vw_event_set(world, &access->operation, world->now);
        return access->operation.id;
    }
    access->rc = fault_of(disk, access);
    if (disk->busy < disk->parallel)
        begin(world, access);
    else
        vw_line_add(&disk->waiting, &access->operation);
    return access->operation.id;
}

void vw_access_step(struct world *world, struct access *access)
{
    int32_t rc = access->rc ? access->rc : perform(&world->disk, access);
    bool writes = access->call == WORLD_FILE_WRITE || access->call == WORLD_FILE_SAVE;
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "file.end");
        trace_int(world->trace, "op", (int64_t)access->operation.id);
        trace_int(world->trace, "rc", rc);
        trace_int(world->trace, "bytes", (int64_t)(rc < 0 ? 0 : writes ? access->size : access->found_size));
        trace_end(world->trace);
    }
    release(world, access);
    vw_result_end(world, &access->operation, rc);
}

void vw_access_cancel(struct world *world, struct access *access)
{
    if (world->trace) {
        trace_begin(world->trace, world->now, TRACE_WORLD, "file.cancelled");
        trace_int(world->trace, "op", (int64_t)access->operation.id);
        trace_end(world->trace);
    }
    vw_event_clear(world, &access->operation);
    if (access->operation.line)
        vw_line_remove(&access->operation);
    release(world, access);
    vw_result_end(world, &access->operation, -ECANCELED);
}

void vw_access_forget(struct access *access)
{
    free(access->request);
    free(access->found);
    access->request = access->found = NULL;
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
