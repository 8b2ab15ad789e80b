/* answer.c - what happened, on its way back to the program: in one packet, or with its bytes in sealed memory. */
#define _GNU_SOURCE
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- Sealed memory ---------------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* Memory that holds the pieces one after the other, and that nobody can change any more. -1: none can be had. */
static int sealed(const struct iovec pieces[], size_t n)
{
    int fd = memfd_create("looplab", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = write_all(fd, pieces[i].iov_base, pieces[i].iov_len);
    ok = ok && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

static void send_sealed(struct program *program, struct wire_head *answer, const struct iovec pieces[], size_t n)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } passed;
    int fd = sealed(pieces, n);
    if (fd < 0) {
        program->judge->failed = "out of memory for what the world sends";
        program_leave(program, "limit", "the judge is out of memory");
        return;
    }
    struct iovec whole = {answer, answer->size};
    struct msghdr packet = {.msg_iov = &whole, .msg_iovlen = 1, .msg_control = passed.bytes,
                            .msg_controllen = sizeof passed.bytes};
    memset(&passed, 0, sizeof passed);
    passed.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&passed.header), &fd, sizeof fd);
    ssize_t sent = sendmsg(program->fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS);
    close(fd);
    if (full)
        program_refuse(program, "it does not read what it is answered");
    else if (sent < 0)
        program_leave(program, "gone", NULL);
}

/* Sends an answer of `size` bytes, which lies in judge->out, and the pieces behind it. */
static void send_with(struct program *program, enum wire_kind kind, size_t size, struct wire_bytes *bytes,
                      const struct iovec pieces[], size_t n)
{
    struct judge *judge = program->judge;
    bytes->size = 0;
    for (size_t i = 0; i < n; i++)
        bytes->size += pieces[i].iov_len;
    bytes->elsewhere = bytes->size > WIRE_PACKET - size;
    if (bytes->elsewhere) {
        judge->out.begin = program_begin(program, kind, size);
        send_sealed(program, &judge->out.head, pieces, n);
        return;
    }
    char *at = judge->out.bytes + size;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].iov_len)
            memcpy(at, pieces[i].iov_base, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
    program_answer(program, &judge->out, kind, size + bytes->size);
}

/* ---- Answers ------------------------------------------------------------------------------------------------ */

struct program *answer_translate(struct world_completion *completion)
{
    struct mark *mark = (struct mark *)(uintptr_t)completion->user;
    struct program *program = mark->program;
    completion->user = mark->user;
    if (completion->parts & WORLD_END)
        mark_free(mark);
    return program;
}

void answer_happened(struct program *program, const struct world_completion happened[], size_t n)
{
    struct judge *judge = program->judge;
    struct wire_happened *answer = (struct wire_happened *)&judge->out;
    struct wire_completion *to = (struct wire_completion *)(answer + 1);
    struct iovec pieces[WIRE_AT_ONCE];
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct world_completion *from = &happened[i];
        to[i] = (struct wire_completion){.id = from->id, .user = from->user, .t = from->t, .parts = from->parts,
                                         .rc = from->rc, .status = from->status, .head = from->head, .cpu = from->cpu,
                                         .at = at, .size = from->size};
        pieces[i] = (struct iovec){(void *)(uintptr_t)from->data, from->size};
        at += from->size;
    }
    answer->now = judge->world->now(judge->world);
    answer->count = n;
    program->state = PROGRAM_RUNS;
    send_with(program, WIRE_HAPPENED, sizeof *answer + n * sizeof *to, &answer->bytes, pieces, n);
}

void answer_urls(struct program *program)
{
    struct judge *judge = program->judge;
    char error[256], **urls = NULL;
    const char *world = judge->settings->world;
    struct wire_list *list = (struct wire_list *)&judge->out;
    list->count = world ? world_file_urls(world, &urls, error, sizeof error) : 0;
    if (list->count < 0) {
        judge->failed = "the world's URLs cannot be read any more";
        program_leave(program, "limit", "the judge is out of memory");
        return;
    }
    size_t size = 0;
    for (int64_t i = 0; i < list->count; i++)
        size += strlen(urls[i]) + 1;
    char *text = malloc(size ? size : 1), *at = text;
    for (int64_t i = 0; text && i < list->count; i++)
        at = stpcpy(at, urls[i]) + 1;
    if (text) {
        struct iovec piece = {text, size};
        send_with(program, WIRE_LIST, sizeof *list, &list->bytes, &piece, 1);
    } else {
        judge->failed = "out of memory";
        program_leave(program, "limit", "the judge is out of memory");
    }
    free(text);
    free(urls);
}
