/* forks.c - the first process, which copies itself, and the first steps of each copy. */
#define _GNU_SOURCE
#include "forks.h"

#include "fence.h"
#include "filter.h"
#include "trace/trace.h"

#if defined(FILTER_ARCH) && !defined(CO_EXPLORE)     /* an explorer begins again in its own way */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MESSAGE = 64 << 10, WORDS = 4096, MOST_FILES = 3, CANNOT_START = 125 };

/* The message that came last. A copy's command line stays in it. */
static char message[MESSAGE + 1];
static char *words[WORDS + 1];
static int words_n;
static int files[MOST_FILES], files_n;      /* stdout, stderr, and the connection to a judge, if there is one */
static char **command;              /* of a copy */
static int line = -1;               /* of a copy that makes one run after the other: where it is told of them */

static _Noreturn void fail(const char *what)
{
    dprintf(STDERR_FILENO, "forks: %s: %s\n", what, strerror(errno));
    _exit(CANNOT_START);
}

/* Reads the next message. False when there is none to come. */
static bool receive(int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof files)];
        struct cmsghdr header;
    } more;
    struct iovec text = {message, MESSAGE};
    struct msghdr whole = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = more.bytes,
                           .msg_controllen = sizeof more.bytes};
    ssize_t length = recvmsg(fd, &whole, 0);
    if (length <= 0)
        return false;
    struct cmsghdr *header = CMSG_FIRSTHDR(&whole);
    files_n = header && header->cmsg_type == SCM_RIGHTS ? (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof files[0]) : 0;
    if (files_n > 0)
        memcpy(files, CMSG_DATA(header), (size_t)files_n * sizeof files[0]);
    words_n = 0;
    for (char *word = message; word < message + length && words_n < WORDS; word += strlen(word) + 1)
        words[words_n++] = word;
    words[words_n] = NULL;
    return true;
}

static void answer(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        _exit(0);
}

/* No other process, and no signal to one, from here on. Beside what the launcher has forbidden. */
static void shut_in(void)
{
    fence_apart();
    filter_length = 0;
    load(NUMBER);
    deny_call(__NR_execve, EPERM);      /* it is what it is: the launcher's filter still had to let it become that */
    deny_call(__NR_execveat, EPERM);
    put_alone();
    allow();
    (void)filter_install();         /* where it cannot be had the launcher's could not, and the result says so */
}

/* Processor time in us. */
static long long microseconds(const struct rusage *used)
{
    return (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000LL +
           used->ru_utime.tv_usec + used->ru_stime.tv_usec;
}

static void close_files(void)
{
    for (int i = 0; i < files_n; i++)
        close(files[i]);
}

/* The run of the message that came last: its folder, its files, its command line. */
static void take_run(void)
{
    static const int places[MOST_FILES] = {STDOUT_FILENO, STDERR_FILENO, FORKS_JUDGE};
    if (chdir(words[2]) != 0)
        fail(words[2]);
    for (int i = 0; i < files_n; i++)
        if (dup2(files[i], places[i]) < 0)
            fail("its files");
    close_files();
    command = words + 3;
}

/* The first steps of a copy. */
static void begin(int fd, pid_t first)
{
    char text[16];
    (void)setpgid(0, 0);            /* before anybody is told of it, who may want to end all of it */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != first)
        _exit(CANNOT_START);
    snprintf(text, sizeof text, "%d", (int)getpid());
    answer(fd, text);
    close(fd);
    unsetenv("LOOPLAB_FORKS");
    struct rlimit limit;
    rlim_t seconds = (rlim_t)strtoul(words[1], NULL, 10);
    if (getrlimit(RLIMIT_CPU, &limit) == 0 && seconds < limit.rlim_max)
        limit = (struct rlimit){seconds, seconds + 1};
    if (setrlimit(RLIMIT_CPU, &limit) != 0)
        fail("processor time");
    if (strcmp(words[0], "run") == 0)
        take_run();
    else {
        line = files[0];
        close(files[1]);
    }
    shut_in();
}

/* Makes a copy, which names itself. True in the copy. */
static bool copy(int fd)
{
    pid_t first = getpid(), pid = fork();
    if (pid == 0) {
        begin(fd, first);
        return true;
    }
    close_files();
    if (pid < 0)
        answer(fd, "0");
    return false;
}

static void end(int fd)
{
    int status = 0;
    struct rusage used = {0};
    pid_t pid = (pid_t)strtol(words[1], NULL, 10);
    if (pid <= 0 || wait4(pid, &status, 0, &used) != pid)
        _exit(CANNOT_START);
    long long us = microseconds(&used);
    char text[64];
    snprintf(text, sizeof text, "%d %lld %ld", status, us, used.ru_maxrss);
    answer(fd, text);
}

/* Answers messages until there are no more; returns in each copy, and in a program that serves nobody. */
static void serve(void)
{
    const char *number = getenv("LOOPLAB_FORKS");
    int fd = number ? atoi(number) : -1;
    if (fd < 0)
        return;
    char place[64];
    (void)source_line((const void *)(uintptr_t)serve, place, sizeof place);    /* no copy need read the lines again */
    answer(fd, "ready");
    while (receive(fd)) {
        bool runs = words_n > 3 && strcmp(words[0], "run") == 0;
        if ((runs || (words_n == 2 && strcmp(words[0], "series") == 0)) && files_n >= 2) {
            if (copy(fd))
                return;
        } else if (words_n == 2 && strcmp(words[0], "end") == 0)
            end(fd);
        else
            break;
    }
    _exit(0);
}

/* Before all constructors of the program. */
__attribute__((section(".init_array.00000"), used)) static void (*const first)(void) = serve;

/* The next run of a series; ends the process when there is none to come. */
static void next(void)
{
    if (!receive(line) || words_n <= 3 || files_n < 2)
        _exit(0);
    take_run();
}

void forks_command(int *argc, char ***argv)
{
    if (line >= 0)
        next();
    if (command) {
        *argc = words_n - 3;
        *argv = command;
    }
}

/* Of gcc's or clang's coverage, where this is a program that counts its lines. */
extern void __gcov_dump(void) __attribute__((weak));
extern void __gcov_reset(void) __attribute__((weak));
extern void __gcov_init(void *) __attribute__((weak));
extern void llvm_gcov_init(void *) __attribute__((weak));

/* Adds what this run has counted to the file: the process of a series may end at any time. False: it cannot. */
static bool keep_counts(void)
{
    if (!__gcov_dump || !__gcov_reset)
        return !__gcov_init && !llvm_gcov_init;
    __gcov_dump();
    __gcov_reset();
    return true;
}

bool forks_again(int code, bool clean)
{
    if (line < 0)
        return false;
    fflush(NULL);
    clean = keep_counts() && clean;
    if (files_n > 2)
        close(FORKS_JUDGE);         /* the judge sees that this run is over */
    char text[64];
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    snprintf(text, sizeof text, "%d %d %lld", code, clean, microseconds(&used));
    answer(line, text);
    return true;
}

#else

void forks_command(int *argc, char ***argv)
{
    (void)argc, (void)argv;
}

bool forks_again(int code, bool clean)
{
    (void)code, (void)clean;
    return false;
}

#endif
