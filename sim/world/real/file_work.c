/* file_work.c - what a thread does to the disk: each call as a whole, or not at all. It touches nothing but its access,
 * and the opening that no other thread is at meanwhile. Paths are those below the folder in which the program runs.
 *
 * All is done by libuv's file calls, without a callback: they then return when it is done.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SAVING ".co-save-"      /* begins the name of a file that is not complete */

/* ---- libuv's calls ------------------------------------------------------------------------------------ */

static int finish(uv_fs_t *call, int rc)
{
    uv_fs_req_cleanup(call);
    return rc;
}

static int open_path(const char *path, int flags)
{
    uv_fs_t call;
    return finish(&call, uv_fs_open(NULL, &call, path, flags, 0666, NULL));
}

void rw_file_close(uv_file fd)
{
    uv_fs_t call;
    finish(&call, uv_fs_close(NULL, &call, fd, NULL));
}

static int remove_path(const char *path)
{
    uv_fs_t call;
    return finish(&call, uv_fs_unlink(NULL, &call, path, NULL));
}

static int cut(uv_file fd, int64_t size)
{
    uv_fs_t call;
    return finish(&call, uv_fs_ftruncate(NULL, &call, fd, size, NULL));
}

static int size_of(uv_file fd, int64_t *size)
{
    uv_fs_t call;
    int rc = uv_fs_fstat(NULL, &call, fd, NULL);
    bool regular = rc == 0 && S_ISREG(call.statbuf.st_mode);
    *size = regular ? (int64_t)call.statbuf.st_size : 0;
    return finish(&call, rc < 0 ? rc : regular ? 0 : UV_EISDIR);
}

/* 0: there is a file of that path, and no folder or the like. */
static int is_file(const char *path)
{
    uv_fs_t call;
    int rc = uv_fs_stat(NULL, &call, path, NULL);
    bool regular = rc == 0 && S_ISREG(call.statbuf.st_mode);
    return finish(&call, rc < 0 ? rc : regular ? 0 : UV_ENOENT);
}

/* All of it, from `at` on (-1: at the end). 0 or an error. */
static int write_all(uv_file fd, const char *bytes, size_t size, int64_t at)
{
    while (size > 0) {
        uv_fs_t call;
        uv_buf_t piece = uv_buf_init((char *)bytes, size < INT_MAX ? (unsigned)size : INT_MAX);
        int n = finish(&call, uv_fs_write(NULL, &call, fd, &piece, 1, at, NULL));
        if (n < 0 && n != UV_EINTR)
            return n;
        n = n < 0 ? 0 : n;
        bytes += n;
        size -= (size_t)n;
        at += at < 0 ? 0 : n;
    }
    return 0;
}

/* Up to `size` bytes from `at` on. How many, or an error. */
static int64_t read_all(uv_file fd, char *bytes, size_t size, int64_t at)
{
    size_t done = 0;
    while (done < size) {
        uv_fs_t call;
        size_t left = size - done;
        uv_buf_t piece = uv_buf_init(bytes + done, left < INT_MAX ? (unsigned)left : INT_MAX);
        int n = finish(&call, uv_fs_read(NULL, &call, fd, &piece, 1, at + (int64_t)done, NULL));
        if (n == UV_EINTR)
            continue;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

/* ---- Opening -------------------------------------------------------------------------------------------- */

/* Makes the folders that a path needs. */
static int make_folders(char *path)
{
    int rc = 0;
    for (char *slash = strchr(path, '/'); slash && (rc == 0 || rc == UV_EEXIST); slash = strchr(slash + 1, '/')) {
        uv_fs_t call;
        *slash = '\0';
        rc = finish(&call, uv_fs_mkdir(NULL, &call, path, 0777, NULL));
        *slash = '/';
    }
    return rc == UV_EEXIST ? 0 : rc;
}

/* Opens a file, and makes the folders if it is to be made. (O_NONBLOCK: a FIFO would hold the thread up for ever.) */
static int open_file(char *path, int flags)
{
    int64_t size;
    int fd = open_path(path, flags | O_NONBLOCK);
    if (fd == UV_ENOENT && (flags & O_CREAT)) {
        int rc = make_folders(path);
        fd = rc < 0 ? rc : open_path(path, flags | O_NONBLOCK);
    }
    if (fd < 0)
        return fd;
    int rc = size_of(fd, &size);
    if (rc < 0)
        rw_file_close(fd);
    return rc < 0 ? rc : fd;
}

static int do_open(struct access *access)
{
    static const int flags[] = {
        [WORLD_FILE_TO_READ] = O_RDONLY,
        [WORLD_FILE_TO_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
        [WORLD_FILE_TO_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
        [WORLD_FILE_TO_CREATE] = O_WRONLY | O_CREAT | O_EXCL,
    };
    access->fd = open_file(access->path, flags[access->mode]);
    return access->fd < 0 ? access->fd : 0;
}

/* ---- Reading and writing ---------------------------------------------------------------------------------- */

/* Reads what is there from `at` on, `most` bytes of it. */
static int fetch(struct access *access, uv_file fd, int64_t at, uint64_t most)
{
    int64_t size;
    int rc = size_of(fd, &size);
    if (rc < 0)
        return rc;
    uint64_t left = size > at ? (uint64_t)(size - at) : 0;
    if (left > most)
        left = most;
    access->found = malloc((size_t)left + 1);
    if (!access->found)
        return UV_ENOMEM;
    int64_t n = read_all(fd, access->found, (size_t)left, at);
    if (n < 0)
        return (int)n;
    access->found_size = (size_t)n;
    return 0;
}

static int do_read(struct access *access)
{
    struct opening *opening = access->opening;
    int rc = fetch(access, opening->fd, opening->position, access->count < INT32_MAX ? access->count : INT32_MAX);
    if (rc < 0)
        return rc;
    opening->position += (int64_t)access->found_size;
    return (int)access->found_size;
}

/* Half a write is undone: the file is as long again as it was. */
static int do_write(struct access *access)
{
    struct opening *opening = access->opening;
    int64_t before;
    bool append = opening->mode == WORLD_FILE_TO_APPEND;
    int rc = size_of(opening->fd, &before);
    if (rc < 0)
        return rc;
    rc = write_all(opening->fd, access->bytes, access->size, append ? -1 : opening->position);
    if (rc < 0) {
        cut(opening->fd, before);
        return rc;
    }
    opening->position += (int64_t)access->size;
    return 0;
}

static int do_load(struct access *access)
{
    int fd = open_file(access->path, O_RDONLY);
    if (fd < 0)
        return fd;
    int rc = fetch(access, fd, 0, UINT64_MAX);
    rw_file_close(fd);
    return rc;
}

/* ---- Paths ------------------------------------------------------------------------------------------------- */

static int rename_path(const char *from, const char *to)
{
    uv_fs_t call;
    return finish(&call, uv_fs_rename(NULL, &call, from, to, NULL));
}

static int do_rename(struct access *access)
{
    int rc = is_file(access->path);
    if (rc < 0)
        return rc;
    rc = rename_path(access->path, access->to);
    if (rc != UV_ENOENT)
        return rc;
    rc = make_folders(access->to);
    return rc < 0 ? rc : rename_path(access->path, access->to);
}

static int do_remove(struct access *access)
{
    int rc = is_file(access->path);
    return rc < 0 ? rc : remove_path(access->path);
}

/* Written beside it under another name, which then becomes the file's: nobody ever meets half of it. */
static int do_save(struct access *access)
{
    const char *slash = strrchr(access->path, '/');
    int folder = slash ? (int)(slash - access->path) + 1 : 0;
    char *aside = malloc((size_t)folder + 64);
    if (!aside)
        return UV_ENOMEM;
    snprintf(aside, (size_t)folder + 64, "%.*s" SAVING "%lx-%llx", folder, access->path, (long)uv_os_getpid(),
             (unsigned long long)access->operation.id);
    int fd = open_file(aside, O_WRONLY | O_CREAT | O_EXCL), rc = fd;
    if (fd >= 0) {
        rc = write_all(fd, access->bytes, access->size, 0);
        rw_file_close(fd);
        if (rc == 0)
            rc = rename_path(aside, access->path);
        if (rc < 0)
            remove_path(aside);
    }
    free(aside);
    return rc;
}

/* ---- Listing ------------------------------------------------------------------------------------------------ */

/* Paths that were found. */
struct names { char **all; size_t count, room, bytes; };

static int add_name(struct names *names, const char *path)
{
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **all = realloc(names->all, room * sizeof *all);
        if (!all)
            return UV_ENOMEM;
        names->all = all;
        names->room = room;
    }
    char *copy = strdup(path);
    if (!copy)
        return UV_ENOMEM;
    names->all[names->count++] = copy;
    names->bytes += strlen(path) + 1;
    return 0;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Is it a folder of its own, and no link to one? (A link could lead in a circle.) */
static bool is_folder(const char *path)
{
    uv_fs_t call;
    int rc = uv_fs_lstat(NULL, &call, path, NULL);
    bool folder = rc == 0 && S_ISDIR(call.statbuf.st_mode);
    finish(&call, rc);
    return folder;
}

/* Adds the files below `folder` ("" or "a/b/") that begin with the prefix. One that cannot be read has none. */
static int walk(struct names *names, const char *folder, const char *prefix)
{
    uv_fs_t call;
    uv_dirent_t entry;
    int rc = uv_fs_scandir(NULL, &call, *folder ? folder : ".", 0, NULL);
    while (rc >= 0 && uv_fs_scandir_next(&call, &entry) == 0) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path - 1, "%s%s", folder, entry.name);
        if (length >= (int)sizeof path - 1 || !begins_with(path, prefix) || begins_with(entry.name, SAVING)
            || !world_is_path(path, (size_t)length))
            continue;
        if (entry.type == UV_DIRENT_FILE || (entry.type != UV_DIRENT_DIR && is_file(path) == 0)) {
            rc = add_name(names, path);
        } else if (is_folder(path)) {
            strcpy(path + length, "/");
            rc = walk(names, path, prefix);
        }
    }
    return finish(&call, rc == UV_ENOMEM ? rc : 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int join(struct access *access, const struct names *names)
{
    char *at = access->found = malloc(names->bytes + 1);
    if (!at)
        return UV_ENOMEM;
    if (names->count > 1)
        qsort(names->all, names->count, sizeof *names->all, by_name);
    for (size_t i = 0; i < names->count; i++)
        at += sprintf(at, "%s\n", names->all[i]);
    access->found_size = names->bytes;
    return (int)names->count;
}

static int do_list(struct access *access)
{
    struct names names = {0};
    char folder[PATH_MAX] = "";
    const char *slash = strrchr(access->path, '/');
    size_t length = slash ? (size_t)(slash - access->path) + 1 : 0;
    int rc = 0;
    if (length < sizeof folder && (length == 0 || world_is_path(access->path, length - 1))) {
        memcpy(folder, access->path, length);
        rc = walk(&names, folder, access->path);
    }
    if (rc == 0)
        rc = join(access, &names);
    for (size_t i = 0; i < names.count; i++)
        free(names.all[i]);
    free(names.all);
    return rc;
}

/* ---- Errors ---------------------------------------------------------------------------------------------------- */

/* On Unix libuv's errors are errno's, negative. Those that co.h does not promise
 * become the nearest one that it does. */
static int32_t verdict(const struct access *access, int rc)
{
    bool reads = access->call == WORLD_FILE_LOAD
        || (access->call == WORLD_FILE_OPEN && access->mode == WORLD_FILE_TO_READ);
    switch (rc) {
    case UV_EPERM:
    case UV_EROFS:
        return -EACCES;
    case UV_EFBIG:
#ifdef EDQUOT
    case -EDQUOT:
#endif
        return -ENOSPC;
    case UV_ENOTDIR:
    case UV_EISDIR:             /* a folder is no file */
        return reads ? -ENOENT : -EINVAL;
    case UV_ENAMETOOLONG:
    case UV_ELOOP:
        return -EINVAL;
    case UV_ENOENT:
    case UV_EEXIST:
    case UV_ENOSPC:
    case UV_EACCES:
    case UV_ENOMEM:
    case UV_EMFILE:
    case UV_ENFILE:
        return rc;
    default:
        return rc < 0 ? -EIO : rc;
    }
}

int32_t rw_file_perform(struct access *access)
{
    static int (*const calls[])(struct access *) = {
        [WORLD_FILE_OPEN] = do_open, [WORLD_FILE_READ] = do_read, [WORLD_FILE_WRITE] = do_write,
        [WORLD_FILE_RENAME] = do_rename, [WORLD_FILE_REMOVE] = do_remove, [WORLD_FILE_LIST] = do_list,
        [WORLD_FILE_LOAD] = do_load, [WORLD_FILE_SAVE] = do_save,
    };
    return verdict(access, calls[access->call](access));
}
