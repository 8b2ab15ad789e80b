/* cell.h - the one process that is started in a file system of its own (bubblewrap), and starts all others there.
 *
 * It answers messages on a SOCK_SEQPACKET socket, each a list of words that end in a NUL:
 *
 *     -> (nothing)                                                            ready
 *     <- run FOLDER KEEP COUNT NAME=VALUE... WORD...  with two open files     PID
 *                                                     or three
 *     <- end PID                                                              STATUS MICROSECONDS KIBIBYTES
 *
 * "run" starts the program of these words in FOLDER, with COUNT settings as its environment and the files as stdout and
 * stderr; a third file gets the number KEEP in it. The new process itself answers: PID is what it is called in here,
 * and the kernel tells whoever asked for it (SO_PASSCRED) what it is called out there. It leads a session of its own.
 * "end" waits for it and tells how it ended, as in kit/forks.h. When nobody is left to ask, all in here end.
 */
#ifndef LAUNCHER_CELL_H
#define LAUNCHER_CELL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CELL_MESSAGE = 128 << 10, CELL_WORDS = 8192, CELL_FILES = 3 };

struct cell_message {
    char text[CELL_MESSAGE + 1];
    char *words[CELL_WORDS + 1];
    int words_n;
    int files[CELL_FILES], files_n;
};

static bool cell_receive(int fd, struct cell_message *message)
{
    union {
        char bytes[CMSG_SPACE(CELL_FILES * sizeof(int))];
        struct cmsghdr header;
    } more;
    struct iovec text = {message->text, CELL_MESSAGE};
    struct msghdr whole = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = more.bytes,
                           .msg_controllen = sizeof more.bytes};
    ssize_t length = recvmsg(fd, &whole, MSG_CMSG_CLOEXEC);
    if (length <= 0)
        return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&whole);
    message->files_n = 0;
    if (header && header->cmsg_type == SCM_RIGHTS) {
        message->files_n = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(message->files, CMSG_DATA(header), (size_t)message->files_n * sizeof(int));
    }
    message->text[length] = '\0';
    message->words_n = 0;
    for (char *word = message->text; word < message->text + length && message->words_n < CELL_WORDS;
         word += strlen(word) + 1)
        message->words[message->words_n++] = word;
    message->words[message->words_n] = NULL;
    return true;
}

static void cell_answer(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        _exit(0);
}

/* In the new process: becomes the program. */
static _Noreturn void cell_become(int fd, struct cell_message *message)
{
    static char *environment[CELL_WORDS + 1];
    int keep = atoi(message->words[2]), settings = atoi(message->words[3]);
    (void)setsid();
    dup2(message->files[0], 1);
    dup2(message->files[1], 2);
    char text[16];
    snprintf(text, sizeof text, "%d", (int)getpid());
    cell_answer(fd, text);
    if (message->files_n == CELL_FILES && message->files[2] != keep)
        dup2(message->files[2], keep);
    else if (message->files_n == CELL_FILES)
        fcntl(keep, F_SETFD, 0);
    if (chdir(message->words[1]) != 0 || settings < 0 || settings > message->words_n - 5) {
        fprintf(stderr, "launch: cannot enter %s\n", message->words[1]);
        _exit(125);
    }
    memcpy(environment, message->words + 4, (size_t)settings * sizeof environment[0]);
    execve(message->words[4 + settings], message->words + 4 + settings, environment);
    fprintf(stderr, "launch: cannot run %s: %s\n", message->words[4 + settings], strerror(errno));
    _exit(125);
}

static void cell_end(int fd, pid_t pid)
{
    int status = 0;
    struct rusage used = {0};
    if (pid <= 0 || wait4(pid, &status, 0, &used) != pid)
        _exit(125);
    long long us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
                   used.ru_stime.tv_usec;
    char text[64];
    snprintf(text, sizeof text, "%d %lld %ld", status, us, used.ru_maxrss);
    cell_answer(fd, text);
}

/* Answers messages until there are no more, and ends. */
static _Noreturn void cell_serve(int fd)
{
    static struct cell_message message;
    cell_answer(fd, "ready");
    while (cell_receive(fd, &message)) {
        if (message.words_n == 2 && strcmp(message.words[0], "end") == 0)
            cell_end(fd, (pid_t)atoi(message.words[1]));
        else if (message.words_n >= 5 && message.files_n >= 2) {
            pid_t pid = fork();
            if (pid == 0)
                cell_become(fd, &message);
            for (int i = 0; i < message.files_n; i++)
                close(message.files[i]);
            if (pid < 0)
                cell_answer(fd, "0");
        } else
            break;
    }
    _exit(0);
}

#endif
