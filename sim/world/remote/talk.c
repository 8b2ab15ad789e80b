/* talk.c - one question to the judge, and its answer. */
#define _GNU_SOURCE
#include "talk.h"

#include "../../trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for the one descriptor that may come with an answer. */
union passed {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
};

static _Noreturn void end(const struct talk *talk, const char *what)
{
    trace_flush(talk->trace);
    dprintf(STDERR_FILENO, "%s\n", what);
    _exit(WIRE_ENDED);
}

void talk_is_broken(const struct talk *talk)
{
    end(talk, "the judge answered what this program does not understand: both must be of one build");
}

static _Noreturn void is_gone(const struct talk *talk)
{
    end(talk, "the judge has ended this run");
}

static void send_packet(const struct talk *talk, const void *head, size_t head_size, const void *data, size_t size)
{
    struct iovec pieces[] = {{(void *)(uintptr_t)head, head_size}, {(void *)(uintptr_t)data, size}};
    struct msghdr packet = {.msg_iov = pieces, .msg_iovlen = size ? 2 : 1};
    long sent;
    do
        sent = syscall(SYS_sendmsg, talk->fd, &packet, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        is_gone(talk);
}

void talk_send(const struct talk *talk, struct wire_head *message, const void *data, size_t size)
{
    int before = errno;
    const char *next = data;
    size_t fits = WIRE_PACKET - message->size, now = size < fits ? size : fits;
    uint32_t alone = message->size;
    message->size += (uint32_t)now;
    send_packet(talk, message, alone, next, now);
    for (size_t left = size - now; left > 0; left -= now) {
        next += now;
        now = left < WIRE_PACKET - sizeof *message ? left : WIRE_PACKET - sizeof *message;
        struct wire_head head = {WIRE_DATA, (uint32_t)(sizeof head + now)};
        send_packet(talk, &head, sizeof head, next, now);
    }
    errno = before;
}

void talk_forget(struct talk *talk)
{
    if (talk->memory)
        syscall(SYS_munmap, talk->memory, talk->memory_size);
    talk->memory = NULL;
    talk->memory_size = 0;
}

/* Maps the memory that came along. */
static void take_memory(struct talk *talk, int fd)
{
    talk_forget(talk);
    long size = syscall(SYS_lseek, fd, 0L, SEEK_END);
    if (size <= 0)
        talk_is_broken(talk);
    long at = syscall(SYS_mmap, NULL, size, PROT_READ, MAP_SHARED, fd, 0L);
    syscall(SYS_close, fd);
    if (at == -1)
        end(talk, "out of memory: no room for what the world has sent");
    talk->memory = (void *)at;
    talk->memory_size = (size_t)size;
}

void talk_receive(struct talk *talk, void *into, size_t room)
{
    int before = errno, fd = -1;
    union passed passed;
    struct iovec piece = {into, room};
    struct msghdr packet = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = passed.bytes,
                            .msg_controllen = sizeof passed.bytes};
    long size;
    do
        size = syscall(SYS_recvmsg, talk->fd, &packet, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        is_gone(talk);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof fd)) {
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
        take_memory(talk, fd);
    }
    const struct wire_answer *answer = into;
    if ((size_t)size < sizeof *answer || answer->head.size != (size_t)size)
        talk_is_broken(talk);
    errno = before;
}

void talk_note(struct talk *talk, const struct wire_answer *answer, int64_t now)
{
    if (!talk->trace || answer->lines == talk->seen)
        return;
    talk->seen = answer->lines;
    trace_begin(talk->trace, now, TRACE_JUDGE, "seen");
    trace_int(talk->trace, "lines", (int64_t)answer->lines);
    trace_end(talk->trace);
}

const char *talk_bytes(const struct talk *talk, const struct wire_bytes *bytes, const char *inside)
{
    if (bytes->size == 0)
        return "";
    if (bytes->elsewhere ? talk->memory_size != bytes->size
        : bytes->size > WIRE_PACKET || inside + bytes->size > talk->answer.bytes + talk->answer.head.size)
        talk_is_broken(talk);
    return bytes->elsewhere ? talk->memory : inside;
}
