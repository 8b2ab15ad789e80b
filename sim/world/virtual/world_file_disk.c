/* world_file_disk.c - what the world file says about the disk. */
#include "world_file.h"

#include <errno.h>
#include <string.h>

#define CALL(name) (1u << WORLD_FILE_##name)

/* ---- Faults -------------------------------------------------------------------------------- */

/* A whole file is read and written as well as a piece of one. */
static const struct { const char *name; uint32_t calls; } calls[] = {
    {"open", CALL(OPEN)}, {"read", CALL(READ) | CALL(LOAD)}, {"write", CALL(WRITE) | CALL(SAVE)},
    {"rename", CALL(RENAME)}, {"remove", CALL(REMOVE)}, {"list", CALL(LIST)}, {"load", CALL(LOAD)},
    {"save", CALL(SAVE)},
};

static const struct { const char *name; int32_t rc; } errors[] = {
    {"EIO", -EIO}, {"ENOSPC", -ENOSPC}, {"EACCES", -EACCES}, {"ENOENT", -ENOENT},
};

static bool read_calls(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    for (size_t i = 0; json_is_string(value) && i < LENGTH(calls); i++)
        if (strcmp(json_string_value(value), calls[i].name) == 0) {
            *(uint32_t *)into = calls[i].calls;
            return true;
        }
    return vw_refuse(reader, place, "open, read, write, rename, remove, list, load or save", value);
}

static bool read_error(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    for (size_t i = 0; json_is_string(value) && i < LENGTH(errors); i++)
        if (strcmp(json_string_value(value), errors[i].name) == 0) {
            *(int32_t *)into = errors[i].rc;
            return true;
        }
    return vw_refuse(reader, place, "EIO, ENOSPC, EACCES or ENOENT", value);
}

static const struct field fault_fields[] = {
    {"op", read_calls, offsetof(struct disk_fault, calls)},
    {"path", vw_read_text, offsetof(struct disk_fault, path)},
    {"nth", vw_read_from_1, offsetof(struct disk_fault, nth)},
    {"error", read_error, offsetof(struct disk_fault, rc)},
    {"times", vw_read_from_0, offsetof(struct disk_fault, times)},
};

static bool read_fault(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct disk_fault *fault = into;
    *fault = (struct disk_fault){.calls = UINT32_MAX, .nth = 1};
    fault->times = json_object_get(value, "nth") ? 1 : VW_UNLIMITED;   /* "the third" is one; "writes fail" are all */
    if (!vw_read_object(reader, place, value, fault_fields, LENGTH(fault_fields), fault))
        return false;
    return fault->rc ? true : read_error(reader, &(struct place){.in = place, .key = "error"}, NULL, NULL);
}

static bool read_faults(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct disk *disk = into;
    void *faults = NULL;
    bool ok = vw_read_array(reader, place, value, read_fault, sizeof *disk->faults, &faults, &disk->fault_count);
    disk->faults = faults;
    return ok;
}

/* ---- Files --------------------------------------------------------------------------------- */

static bool read_files(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct disk *disk = into;
    const char *path;
    json_t *text;
    if (!json_is_object(value))
        return vw_refuse(reader, place, "an object such as {\"in/a.txt\":\"text\"}", value);
    json_object_foreach((json_t *)value, path, text) {
        const struct place at = {.in = place, .key = path};
        if (!world_is_path(path, strlen(path)))
            return vw_refuse_because(reader, &at, "expected a relative path such as \"in/a.txt\"");
        if (!json_is_string(text))
            return vw_refuse(reader, &at, "a text", text);
        if (!vw_disk_add(disk, path, json_string_value(text), json_string_length(text)))
            return vw_refuse_memory(reader);
    }
    return true;
}

/* ---- The disk ------------------------------------------------------------------------------ */

static const struct field disk_fields[] = {
    {"latency", vw_read_time, offsetof(struct disk, latency)},
    {"bandwidth", vw_read_from_1, offsetof(struct disk, bandwidth)},
    {"capacity", vw_read_from_0, offsetof(struct disk, capacity)},
    {"parallel", vw_read_from_1, offsetof(struct disk, parallel)},
    {"files", read_files, 0},
    {"faults", read_faults, 0},
};

bool vw_read_disk(struct reader *reader, const struct place *place, const json_t *value, void *into)
{
    struct disk *disk = into;
    if (!vw_read_object(reader, place, value, disk_fields, LENGTH(disk_fields), disk))
        return false;
    if (disk->used > disk->capacity)
        return vw_refuse_because(reader, &(struct place){.in = place, .key = "files"},
                                 "expected at most %lld bytes in all, the disk's capacity, not %lld",
                                 (long long)disk->capacity, (long long)disk->used);
    return true;
}
