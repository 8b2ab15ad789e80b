/* file.c - the disk, seen from the loop: each call is done by one of libuv's threads (file_work.c), as a whole.
 *
 * Calls to one open file are done one after the other, in the order in which they were asked for;
 * all others side by side.
 */
#include "file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 65536 };     /* bytes: a longer content appears in the trace as a hash */

/* ---- The trace ----------------------------------------------------------------------------------------- */

static void trace_start(const struct real *world, const struct access *access, uint32_t task)
{
    static const char *const calls[] = {"open", "read", "write", "close", "rename", "remove", "list", "load", "save"};
    static const char *const modes[] = {"read", "write", "append", "create"};
    struct trace *trace = rw_trace(world, "file.start", access->operation.id);
    if (!trace)
        return;
    bool known = access->call >= WORLD_FILE_OPEN && access->call <= WORLD_FILE_SAVE;
    const char *call = known ? calls[access->call - WORLD_FILE_OPEN] : "unknown";
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

static void end(struct real *world, struct access *access, int32_t rc)
{
    bool writes = access->call == WORLD_FILE_WRITE || access->call == WORLD_FILE_SAVE;
    struct trace *trace = rw_trace(world, "file.end", access->operation.id);
    if (trace) {
        trace_int(trace, "rc", rc);
        trace_int(trace, "bytes", (int64_t)(rc < 0 ? 0 : writes ? access->size : access->found_size));
        trace_end(trace);
    }
    rw_operation_end(world, &access->operation, rc);
}

/* Keeps in mind which file the program has changed, for the end of the trace. */
static void touch(struct real *world, const char *path)
{
    struct files *files = &world->files;
    if (!world->trace || (files->touched_count && strcmp(files->touched[files->touched_count - 1], path) == 0))
        return;
    char **touched = realloc(files->touched, (files->touched_count + 1) * sizeof *touched);
    if (!touched)
        return;
    files->touched = touched;
    char *copy = strdup(path);
    if (copy)
        touched[files->touched_count++] = copy;
}

static void note_change(struct real *world, const struct access *access)
{
    bool opened = access->call == WORLD_FILE_OPEN && access->mode != WORLD_FILE_TO_READ;
    if (access->call == WORLD_FILE_RENAME)
        touch(world, access->to);
    else if (opened || access->call == WORLD_FILE_WRITE || access->call == WORLD_FILE_SAVE)
        touch(world, access->path);
}

/* ---- Doing it --------------------------------------------------------------------------------------------- */

static void on_done(uv_work_t *work, int status);

static void work(uv_work_t *work)
{
    struct access *access = work->data;
    access->rc = rw_file_perform(access);
}

static void begin(struct real *world, struct access *access)
{
    access->operation.at_work = true;
    access->work.data = access;
    if (uv_queue_work(&world->loop, &access->work, work, on_done) < 0) {
        access->operation.at_work = false;
        end(world, access, -ENOMEM);
    }
}

static void close_opening(struct real *world, struct opening *opening)
{
    rw_table_remove(&world->files.openings, opening->number);
    rw_file_close(opening->fd);
    free(opening);
}

/* The next call to an open file, if there is one. */
static void go_on(struct real *world, struct opening *opening)
{
    struct access *next = opening->first;
    opening->busy = next != NULL;
    if (next) {
        opening->first = next->next;
        begin(world, next);
    } else if (opening->closed) {
        close_opening(world, opening);
    }
}

static int32_t keep_opening(struct real *world, struct access *access)
{
    struct opening *opening = calloc(1, sizeof *opening + strlen(access->path) + 1);
    if (!opening || !rw_table_put(&world->files.openings, access->operation.id, opening)) {
        free(opening);
        rw_file_close(access->fd);
        return -ENOMEM;
    }
    opening->number = access->operation.id;
    opening->fd = access->fd;
    opening->mode = access->mode;
    strcpy(opening->path, access->path);
    return 0;
}

static void on_done(uv_work_t *work, int status)
{
    struct access *access = work->data;
    struct real *world = access->world;
    struct opening *opening = access->opening;
    int32_t rc = status < 0 ? -ECANCELED : access->rc;
    bool given_up = access->operation.over;
    if (rc >= 0)
        note_change(world, access);
    if (rc >= 0 && access->call == WORLD_FILE_OPEN && given_up)
        rw_file_close(access->fd);
    else if (rc >= 0 && access->call == WORLD_FILE_OPEN)
        rc = keep_opening(world, access);
    if (!given_up)
        end(world, access, rc);
    rw_operation_release(world, &access->operation);
    if (opening)
        go_on(world, opening);
}

/* ---- Submitting ---------------------------------------------------------------------------------------------- */

/* Copies what the access needs of the request. False: no memory. */
static bool take_request(struct access *access, const struct world_request *request)
{
    const char *data = request->data ? request->data : "", *path = data;
    size_t length = request->lengths[0], to_length = request->lengths[1];
    const char *to = data + length, *bytes = to + to_length;
    access->size = request->size - length - to_length;
    if (access->opening) {
        path = access->opening->path;
        length = strlen(path);
    }
    access->path = malloc(length + 1 + to_length + 1 + access->size);
    if (!access->path)
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
static int32_t refusal(const struct access *access, const struct world_request *request)
{
    const char *data = request->data;
    uint32_t length = request->lengths[0];
    switch (request->call) {
    case WORLD_FILE_READ:
        return access->opening && access->opening->mode == WORLD_FILE_TO_READ ? 0 : -EBADF;
    case WORLD_FILE_WRITE:
        return access->opening && access->opening->mode != WORLD_FILE_TO_READ ? 0 : -EBADF;
    case WORLD_FILE_LIST:
        return 0;                   /* any text may be the beginning of a path */
    case WORLD_FILE_OPEN:
        return world_is_path(data, length) && request->mode <= WORLD_FILE_TO_CREATE ? 0 : -EINVAL;
    case WORLD_FILE_RENAME:
        return world_is_path(data, length) && world_is_path(data + length, request->lengths[1]) ? 0 : -EINVAL;
    case WORLD_FILE_REMOVE:
    case WORLD_FILE_LOAD:
    case WORLD_FILE_SAVE:
        return world_is_path(data, length) ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static void close_file(struct real *world, uint64_t number)
{
    struct opening *opening = rw_table_find(&world->files.openings, number);
    if (!opening || opening->closed)
        return;
    struct trace *trace = rw_trace(world, "file.closed", number);
    if (trace)
        trace_end(trace);
    opening->closed = true;
    if (!opening->busy)
        close_opening(world, opening);
}

static void set_out(struct real *world, struct access *access)
{
    struct opening *opening = access->opening;
    if (!opening || !opening->busy) {
        if (opening)
            opening->busy = true;
        begin(world, access);
        return;
    }
    struct access **last = &opening->first;
    while (*last)
        last = &(*last)->next;
    *last = access;
}

uint64_t rw_file_submit(struct real *world, const struct world_request *request)
{
    if (request->call == WORLD_FILE_CLOSE) {
        close_file(world, request->file);
        return ++world->last_id;
    }
    struct access *access = (struct access *)rw_operation_new(world, request, sizeof *access);
    if (!access)
        return 0;
    bool to_open_file = request->call == WORLD_FILE_READ || request->call == WORLD_FILE_WRITE;
    access->world = world;
    access->call = request->call;
    access->mode = request->mode;
    access->number = request->file;
    access->count = request->count;
    access->opening = to_open_file ? rw_table_find(&world->files.openings, request->file) : NULL;
    if (access->opening && access->opening->closed)
        access->opening = NULL;
    if (!take_request(access, request)) {
        rw_operation_undo(world, &access->operation);
        return 0;
    }
    trace_start(world, access, request->task);
    int32_t rc = refusal(access, request);
    if (rc < 0)
        end(world, access, rc);
    else
        set_out(world, access);
    return access->operation.id;
}

/* ---- Giving up, handing over ------------------------------------------------------------------------------------ */

/* What a thread has begun it does to the end, and nobody waits for it. */
void rw_file_cancel(struct real *world, struct access *access)
{
    struct trace *trace = rw_trace(world, "file.cancelled", access->operation.id);
    if (trace)
        trace_end(trace);
    if (access->operation.at_work)
        uv_cancel((uv_req_t *)&access->work);
    for (struct access **at = access->opening ? &access->opening->first : NULL; at && *at; at = &(*at)->next)
        if (*at == access) {
            *at = access->next;
            break;
        }
    rw_operation_end(world, &access->operation, -ECANCELED);
}

void rw_file_give(struct access *access, struct world_completion *out)
{
    if (!access->found || out->rc < 0)
        return;
    out->parts |= WORLD_BODY;
    out->data = access->found;
    out->size = access->found_size;
}

void rw_file_forget(struct access *access)
{
    free(access->path);
    free(access->found);
}

/* ---- At the end -------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;            /* FNV-1a, 64 bits */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

static void trace_left(const struct real *world, const char *path, const char *bytes, size_t size)
{
    struct trace *trace = rw_trace(world, "file.left", 0);
    json_t *text = size <= MOST_TEXT ? json_stringn(bytes, size) : NULL;
    char hash[17];
    trace_str(trace, "path", path, strlen(path));
    trace_int(trace, "bytes", (int64_t)size);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_of(bytes, size));
    if (text)                       /* it is UTF-8 */
        trace_str(trace, "text", bytes, size);
    else
        trace_str(trace, "hash", hash, 16);
    trace_end(trace);
    json_decref(text);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void rw_files_trace(struct real *world)
{
    struct files *files = &world->files;
    if (files->touched_count > 1)
        qsort(files->touched, files->touched_count, sizeof *files->touched, by_name);
    for (size_t i = 0; world->trace && i < files->touched_count; i++) {
        if (i > 0 && strcmp(files->touched[i], files->touched[i - 1]) == 0)
            continue;
        struct access load = {.call = WORLD_FILE_LOAD, .path = files->touched[i]};
        if (rw_file_perform(&load) >= 0)
            trace_left(world, load.path, load.found, load.found_size);
        free(load.found);
    }
}

void rw_files_close(struct real *world)
{
    struct files *files = &world->files;
    for (size_t i = 0; files->openings.slots && i <= files->openings.mask; i++)
        if (files->openings.slots[i].number) {
            struct opening *opening = files->openings.slots[i].thing;
            rw_file_close(opening->fd);
            free(opening);
        }
    rw_table_free(&files->openings);
    for (size_t i = 0; i < files->touched_count; i++)
        free(files->touched[i]);
    free(files->touched);
}
