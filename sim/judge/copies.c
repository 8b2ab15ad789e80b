/* copies.c - the first process, which copies itself, and the first steps of each copy. */
#define _GNU_SOURCE
#include "copies.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 64 << 10, WORDS = 64, FILES = 4, WRONG = 2 };

/* The message that came last. */
static char message[MESSAGE + 1];
static char *words[WORDS + 1];
static int words_n, files[FILES];

/* Reads the next message. False when there is none to come, or it is no such message. */
static bool receive(int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof files)];
        struct cmsghdr header;
    } more;
    struct iovec text = {message, MESSAGE};
    struct msghdr whole = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = more.bytes,
                           .msg_controllen = sizeof more.bytes};
    ssize_t length = recvmsg(fd, &whole, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&whole) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof files))
        return false;
    memcpy(files, CMSG_DATA(header), sizeof files);
    words_n = 0;
    for (char *word = message; word < message + length && words_n < WORDS; word += strlen(word) + 1)
        words[words_n++] = word;
    words[words_n] = NULL;
    return true;
}

/* The first steps of a copy. False: it has nobody to serve any more, or cannot. */
static bool begin(pid_t first)
{
    static const int places[FILES] = {COPY_SERVE, COPY_WORLD, COPY_RECORD, STDERR_FILENO};
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != first)
        return false;
    int high[FILES];                    /* out of the way: a file may lie where another one is to be */
    for (int i = 0; i < FILES; i++) {
        high[i] = fcntl(files[i], F_DUPFD_CLOEXEC, COPY_RECORD + 1);
        close(files[i]);
    }
    for (int i = 0; i < FILES; i++)
        if (dup2(high[i], places[i]) < 0)
            return false;
    for (int i = 0; i < FILES; i++)
        close(high[i]);
    return true;
}

int judge_copies(int fd, int (*serve)(int argc, char **argv))
{
    pid_t first = getpid();
    signal(SIGCHLD, SIG_IGN);           /* what became of a copy it has said itself */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* nobody finds a run's files in /proc */
    while (receive(fd)) {
        pid_t pid = fork();
        if (pid == 0) {
            close(fd);
            int code = begin(first) ? serve(words_n, words) : WRONG;
            dprintf(STDERR_FILENO, "%d\n", code);
            _exit(code);
        }
        if (pid < 0)
            dprintf(files[FILES - 1], "judge: no copy can be made: %s\n", strerror(errno));
        for (int i = 0; i < FILES; i++)
            close(files[i]);
    }
    return 0;
}
