/* access.c - one call to the disk: it is submitted, has its turn, takes its time, and ends.
 *
 * An access takes the disk's latency, and then the time that its bytes need: those to be written, or those that were
 * there to be read when the disk began with it. What it does and what it sees is decided in one step when that time is
 * over. So of two accesses that overlap the one that ends first comes first, and nobody ever meets half a write.
 * Opening, renaming, removing and listing move no bytes. Closing takes no time at all.
 */
#include "access.h"
#include "connection.h"
#include "virtual.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Waiting for the disk ------------------------------------------------------------------ */

/* How many bytes the access moves, as things stand now. */
static size_t bytes_to_move(const struct disk *disk, const struct access *access)
{
    bool found;
    const struct opening *opening;
    switch (access->call) {
    case WORLD_FILE_READ:
        opening = vw_opening_find(disk, access->number);
        return opening && opening->mode == WORLD_FILE_TO_READ ? vw_opening_readable(opening, access->count) : 0;
    case WORLD_FILE_LOAD: {
        size_t at = vw_file_at(disk, access->path, &found);
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

static void trace_start(const struct world *world, const struct access *access, const struct world_request *request)
{
    static const char *const calls[] = {"open", "read", "write", "close", "rename", "remove", "list", "load", "save"};
    static const char *const modes[] = {"read", "write", "append", "create"};
    bool known = access->call >= WORLD_FILE_OPEN && access->call <= WORLD_FILE_SAVE;
    const char *call = known ? calls[access->call - WORLD_FILE_OPEN] : "unknown";
    struct trace *trace = world->trace;
    trace_begin(trace, world->now, TRACE_WORLD, "file.start");
    trace_int(trace, "op", (int64_t)access->operation.id);
    trace_int(trace, "task", request->task);
    if (request->program)
        trace_int(trace, "program", request->program);
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
        const struct opening *opening = vw_opening_find(disk, access->number);
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
        return vw_opening_find(disk, access->number) ? 0 : -EBADF;
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
        vw_opening_close(world, request->file);
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
        trace_start(world, access, request);
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

/* Opening takes one until the file is closed; loading and saving, and looking through a folder, one for a moment. */
static bool needs_descriptor(const struct access *access)
{
    return access->call == WORLD_FILE_OPEN || access->call == WORLD_FILE_LOAD || access->call == WORLD_FILE_SAVE
        || access->call == WORLD_FILE_LIST;
}

void vw_access_step(struct world *world, struct access *access)
{
    if (access->rc == 0 && needs_descriptor(access) && !vw_has_descriptor(world))
        access->rc = -EMFILE;
    int32_t rc = access->rc ? access->rc : vw_disk_perform(&world->disk, access);
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
