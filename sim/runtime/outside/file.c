/* file.c - files of the world's disk. What they hold and how long that takes is the world's affair; here are the calls,
 * and who has forgotten to close what. */
#include "runtime/outside/file.h"
#include "runtime/state/loop.h"
#include "runtime/state/op.h"
#include "runtime/state/task.h"
#include "runtime/tasks/enter.h"
#include "runtime/tasks/op.h"
#include "runtime/watch/report.h"

#include <stdlib.h>
#include <string.h>

/* A file that is open, or being opened. */
struct co_open_file {
    struct co_open_file *next, *prev; /* all of them                                                  */
    uint64_t number;                /* the world's; 0: not open yet                                   */
    const void *opened_at;
};

/* ---- Files that are open: kept by the loop, so that a forgotten one can be told ----------------- */

static struct co_open_file *open_file_new(struct loop *loop, const void *pc)
{
    struct co_open_file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->opened_at = pc;
    file->next = loop->files;
    if (file->next)
        file->next->prev = file;
    loop->files = file;
    return file;
}

static void open_file_free(struct loop *loop, struct co_open_file *file)
{
    if (file->prev)
        file->prev->next = file->next;
    else
        loop->files = file->next;
    if (file->next)
        file->next->prev = file->prev;
    free(file);
}

void co__files_report(struct loop *loop)
{
    for (const struct co_open_file *file = loop->files; file; file = file->next)
        co__leak(loop, "file", NULL, file->opened_at);
}

void co__files_free(struct loop *loop)
{
    while (loop->files)
        open_file_free(loop, loop->files);
}

/* Tells the world that nobody needs it any more. */
static void close_in_world(struct loop *loop, uint64_t number)
{
    struct world_request request = {.op = WORLD_FILE, .call = WORLD_FILE_CLOSE, .file = number};
    loop->world->submit(loop->world, &request);
}

/* ---- One call --------------------------------------------------------------------------------- */

/* What a call is to bring: bytes into a buffer of the caller's, or all there are. */
struct take {
    bool into_buffer;
    char *buffer;
    char *content;                  /* all there are, with a '\0' after them: ours to free until it is the caller's */
    size_t size;                    /* of the content                                             */
    bool no_memory;
};

static void deliver(struct op *op, const struct world_completion *completion)
{
    struct take *take = op->arg;
    if (!(completion->parts & WORLD_BODY))
        return;
    if (take->into_buffer) {
        if (completion->size)
            memcpy(take->buffer, completion->data, completion->size);
        return;
    }
    char *content = malloc(completion->size + 1);
    if (!content) {
        take->no_memory = true;
        return;
    }
    if (completion->size)
        memcpy(content, completion->data, completion->size);
    content[completion->size] = '\0';
    take->content = content;
    take->size = completion->size;
}

/* Longer than any path may be: what is cut here is refused by the world all the same. */
enum { LONGEST_PATH = 1 << 16 };

/* The request with its path, perhaps a second one, and `size` bytes to write:
 * they go to the world as one piece. NULL: no memory. */
static struct op *submit(struct co_task *self, struct world_request request, const char *path, const char *to,
                         const void *bytes, size_t size, struct take *take)
{
    char few[512];
    size_t length = path ? strnlen(path, LONGEST_PATH) : 0, to_length = to ? strnlen(to, LONGEST_PATH) : 0;
    size_t paths = length + to_length;
    if (size > SIZE_MAX - paths)
        return NULL;
    char *data = paths + size <= sizeof few ? few : malloc(paths + size);
    if (!data)
        return NULL;
    if (length)
        memcpy(data, path, length);
    if (to_length)
        memcpy(data + length, to, to_length);
    if (size)
        memcpy(data + paths, bytes, size);
    request.op = WORLD_FILE;
    request.lengths[0] = (uint32_t)length;
    request.lengths[1] = (uint32_t)to_length;
    request.data = data;
    request.size = paths + size;
    struct op *op = co__op_submit(self, &request, take ? deliver : NULL, take);
    if (data != few)
        free(data);
    return op;
}

/* Waits for it. */
static int finish(struct co_task *self, struct op *op, struct take *take)
{
    if (!op)
        return -ENOMEM;
    int rc = co__op_await(self, op, WAIT_FILE);
    if (rc >= 0 && take && take->no_memory)
        rc = -ENOMEM;
    if (rc < 0 && take)
        free(take->content);
    return rc;
}

/* A call that is about paths only. */
static int about_paths(const void *pc, enum world_file_call call, const char *path, const char *to)
{
    int rc;
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    return finish(self, submit(self, (struct world_request){.call = call}, path, to, NULL, 0, NULL), NULL);
}

/* ---- Opening and closing ----------------------------------------------------------------------- */

int co_file_open(struct co_file *file, const char *path, enum co_file_mode mode)
{
    int rc;
    const void *pc = CALLER;
    *file = (struct co_file){0};
    struct co_task *self = co__enter(pc, &rc);
    if (!self)
        return rc;
    struct loop *loop = co__loop;
    struct co_open_file *record = open_file_new(loop, pc);
    if (!record)
        return -ENOMEM;
    struct op *op = submit(self, (struct world_request){.call = WORLD_FILE_OPEN, .mode = mode}, path, NULL, NULL, 0,
                           NULL);
    uint64_t number = op ? op->id : 0;
    rc = finish(self, op, NULL);
    if (rc < 0) {
        if (rc == -ECANCELED)
            close_in_world(loop, number);   /* in case that it was open already, and nobody had told us */
        open_file_free(loop, record);
        return rc;
    }
    record->number = number;
    *file = (struct co_file){number, pc};
    return 0;
}

int co_file_close(struct co_file *file)
{
    struct loop *loop = co__loop;
    if (file->number == 0)
        return -EBADF;
    if (!loop || co__in_job())
        return -EPERM;
    struct co_open_file *record = loop->files;
    while (record && record->number != file->number)
        record = record->next;
    *file = (struct co_file){0};
    if (!record)
        return -EBADF;                      /* closed already, through a copy of the struct */
    close_in_world(loop, record->number);
    open_file_free(loop, record);
    return 0;
}

void co_file_end(struct co_file *file)
{
    if (file->number)
        co_file_close(file);
}

/* ---- Reading and writing ------------------------------------------------------------------------- */

int co_file_read(struct co_file *file, void *buffer, size_t size)
{
    int rc;
    struct take take = {.into_buffer = true, .buffer = buffer};
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (file->number == 0)
        return -EBADF;
    struct world_request request = {.call = WORLD_FILE_READ, .file = file->number, .count = size};
    return finish(self, submit(self, request, NULL, NULL, NULL, 0, &take), NULL);
}

int co_file_write(struct co_file *file, const void *data, size_t size)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    if (file->number == 0)
        return -EBADF;
    /* Without a path the data can go as it is. */
    struct world_request request = {.op = WORLD_FILE, .call = WORLD_FILE_WRITE, .file = file->number, .data = data,
                                    .size = size};
    return finish(self, co__op_submit(self, &request, NULL, NULL), NULL);
}

/* ---- Whole files ----------------------------------------------------------------------------------- */

int co_file_load(const char *path, char **content, size_t *length)
{
    int rc;
    struct take take = {0};
    *content = NULL;
    *length = 0;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    rc = finish(self, submit(self, (struct world_request){.call = WORLD_FILE_LOAD}, path, NULL, NULL, 0, &take), &take);
    if (rc < 0)
        return rc;
    *content = take.content;
    *length = take.size;
    return 0;
}

int co_file_save(const char *path, const void *data, size_t size)
{
    int rc;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    return finish(self, submit(self, (struct world_request){.call = WORLD_FILE_SAVE}, path, NULL, data, size, NULL),
                  NULL);
}

/* ---- Paths --------------------------------------------------------------------------------------- */

int co_file_rename(const char *from, const char *to)
{
    return about_paths(CALLER, WORLD_FILE_RENAME, from, to);
}

int co_file_remove(const char *path)
{
    return about_paths(CALLER, WORLD_FILE_REMOVE, path, NULL);
}

int co_file_list(const char *prefix, char **paths)
{
    int rc;
    struct take take = {0};
    *paths = NULL;
    struct co_task *self = co__enter(CALLER, &rc);
    if (!self)
        return rc;
    rc = finish(self, submit(self, (struct world_request){.call = WORLD_FILE_LIST}, prefix, NULL, NULL, 0, &take),
                &take);
    if (rc >= 0)
        *paths = take.content;
    return rc;
}
