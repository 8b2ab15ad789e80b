/* make_exit.c - what make has no words for: an extension of GNU make, which the Makefile loads.
 *
 *     $(exit-as-noted PREFIX)   ends make with the code that a recipe has written to PREFIX<pid of make>, if there is
 *                               one and it is not 0. GNU make turns every failed recipe into exit code 2; `make grade`
 *                               promises the grader's own.
 *     $(build-alone FILE)       waits until no other make has said this of the same file, and says so if that takes
 *                               longer than 2 s.
 *     $(build-over WORD)        the next one's turn.
 *     $(need-room FOLDER,CODE)  ends make with the code, and one line, if the folder cannot be made or written to.
 *
 * And a signal that is to end make (interrupt, hangup, quit, terminate) reaches all that make has started, too. By
 * itself make tells only its shells, and of most signals not even those: a grading would go on behind it.
 *
 * All of them give no text. The declarations are those of <gnumake.h>, which not every distribution installs with make.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef char *(*gmk_func_ptr)(const char *name, unsigned int argc, char **argv);
void gmk_add_function(const char *name, gmk_func_ptr function, unsigned int min_args, unsigned int max_args,
                      unsigned int flags);

int plugin_is_GPL_compatible;   /* make asks for this symbol; the MIT licence is */

/* ---- Exit codes ------------------------------------------------------------------------------- */

static char *exit_as_noted(const char *name, unsigned int argc, char **argv)
{
    (void)name;
    (void)argc;
    char path[4096];
    snprintf(path, sizeof path, "%s%ld", argv[0], (long)getpid());
    FILE *file = fopen(path, "r");
    int code = 0;
    if (file) {
        if (fscanf(file, "%d", &code) != 1)
            code = 2;
        fclose(file);
        remove(path);
    }
    if (code != 0) {
        while (wait(NULL) > 0)   /* with -j other recipes may still run; none of them is left behind */
            ;
        exit(code);
    }
    return NULL;
}

/* ---- One make at a time ----------------------------------------------------------------------- */

enum { TRIES = 20, TRY_MS = 100 };      /* 2 s */

static int lock = -1;       /* closed by what make starts, and by make itself when it begins anew; -1: not held */

static char *build_over(const char *name, unsigned int argc, char **argv)
{
    (void)name, (void)argc, (void)argv;
    if (lock >= 0)
        close(lock);
    lock = -1;
    return NULL;
}

/* Where the file cannot be locked (some network file systems) nobody waits. */
static char *build_alone(const char *name, unsigned int argc, char **argv)
{
    (void)name, (void)argc;
    build_over(NULL, 0, NULL);
    lock = open(argv[0], O_RDONLY | O_CLOEXEC);
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    for (int i = 0; i < TRIES; i++) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return NULL;
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "waiting for another make in this checkout\n");
    (void)flock(lock, LOCK_EX);
    return NULL;
}

/* ---- Room to build -------------------------------------------------------------------------------- */

/* A disk that is full is another matter: whoever writes tells of it. */
static char *need_room(const char *name, unsigned int argc, char **argv)
{
    (void)name;
    int error = mkdir(argv[0], 0777) == 0 || errno == EEXIST ? 0 : errno;
    if (error == 0 && faccessat(AT_FDCWD, argv[0], W_OK | X_OK, AT_EACCESS) != 0)
        error = errno;
    if (error != EROFS && error != EACCES && error != EPERM)
        return NULL;
    char *here = getcwd(NULL, 0);
    fprintf(stderr, "looplab: cannot write into %s/%s (%s): say where to build, as in: "
            "make demo BUILD=\"$HOME/looplab\"\n", here ? here : ".", argv[0], strerror(error));
    exit(argc > 1 ? atoi(argv[1]) : 2);
}

/* ---- What ends make ends all ------------------------------------------------------------------ */

static const int fatal[] = {SIGINT, SIGHUP, SIGQUIT, SIGTERM};
enum { FATAL_COUNT = sizeof fatal / sizeof fatal[0], MOST_CHILDREN = 256, MOST_DEPTH = 16 };

static struct sigaction of_make[FATAL_COUNT];

/* The decimal digits of a number, in place of snprintf, which a handler may not call. Returns the end. */
static char *put_number(char *at, long number)
{
    char digits[24];
    int n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

/* Reads the children of a process without threads into numbers[]. Returns how many; 0 where the kernel tells none. */
static int children_of(long pid, long numbers[MOST_CHILDREN])
{
    char path[96] = "/proc/", text[4096];
    char *end = put_number(path + strlen(path), pid);
    memcpy(end, "/task/", 6);
    end = put_number(end + 6, pid);
    memcpy(end, "/children", sizeof "/children");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text);
    if (file >= 0)
        close(file);
    int n = 0;
    long number = 0;
    for (ssize_t i = 0; i < length && n < MOST_CHILDREN; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            number = number * 10 + (text[i] - '0');
        else if (number)
            numbers[n++] = number, number = 0;
    }
    return n;
}

/* The farthest first: a shell that has ended could no longer be asked for its children. */
static void tell_all_below(long pid, int number, int depth)
{
    long children[MOST_CHILDREN];
    int n = depth < MOST_DEPTH ? children_of(pid, children) : 0;
    for (int i = 0; i < n; i++) {
        tell_all_below(children[i], number, depth + 1);
        kill((pid_t)children[i], number);
    }
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    int before = errno;
    if (info->si_code <= 0)     /* a process sent it, perhaps to make alone; what a terminal sends all get anyway */
        tell_all_below(getpid(), number, 0);
    errno = before;
    for (int i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i] != number)
            continue;
        if (of_make[i].sa_flags & SA_SIGINFO)
            of_make[i].sa_sigaction(number, info, context);
        else
            of_make[i].sa_handler(number);
    }
}

static void catch_fatal(void)
{
    for (int i = 0; i < FATAL_COUNT; i++) {
        if (sigaction(fatal[i], NULL, &of_make[i]) != 0)
            continue;
        bool plain = !(of_make[i].sa_flags & SA_SIGINFO);
        if (plain && (of_make[i].sa_handler == SIG_IGN || of_make[i].sa_handler == SIG_DFL))
            continue;
        struct sigaction ours = of_make[i];
        ours.sa_flags |= SA_SIGINFO;
        ours.sa_sigaction = on_fatal;
        sigaction(fatal[i], &ours, NULL);
    }
}

/* ---- All together ----------------------------------------------------------------------------- */

/* A standard stream that is closed would be taken by the next file that a compiler or a program opens. */
static void open_streams(void)
{
    for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
        if (fd > 2) {
            close(fd);
            return;
        }
    }
}

int make_exit_gmk_setup(void)
{
    open_streams();
    catch_fatal();
    gmk_add_function("exit-as-noted", exit_as_noted, 1, 1, 0);
    gmk_add_function("build-alone", build_alone, 1, 1, 0);
    gmk_add_function("build-over", build_over, 1, 1, 0);
    gmk_add_function("need-room", need_room, 1, 2, 0);
    return 1;
}
