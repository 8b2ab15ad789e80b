/* main.c - the judge's command line.
 *
 *     judge --record FILE [--world FILE] [--seed N] [--tape T] [--program NAME]
 *           [--seconds N] [--messages N] --serve FD [--serve FD ...]
 *     judge --copies FD       is started once, and copied for each run that it is told of there (copies.h)
 *
 * Each FD is one end of a SOCK_SEQPACKET socket pair, inherited from whoever starts the judge; the other end is a
 * program's (`--judge FD`). Exit code 0: the record is whole; 2: the words are wrong; 3: the judge could not go
 * on. Then there is one line on stderr.
 */
#include "copies.h"
#include "judge.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { WRONG = 2 };

/* What the judge itself may take of memory: what a program has it keep is bounded (judge.h), this is the bound of it
 * all. Sanitizers reserve far more than they use. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit limit = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    (void)setrlimit(RLIMIT_AS, &limit);
#endif
}

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    errno = 0;
    *number = strtoull(text, NULL, 10);
    return *text && !text[strspn(text, "0123456789")] && errno == 0 && *number <= most;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "judge: %s: %s\n", what, why);
    return WRONG;
}

/* What the words say. */
struct command {
    struct judge_settings settings;
    int fds[MOST_PROGRAMS + 1];
    size_t n;
};

/* Takes in one option. False: its value is wrong. */
static bool take(struct command *command, int option, const char *value)
{
    struct judge_settings *settings = &command->settings;
    uint64_t number = 0;
    switch (option) {
    case 'w': settings->world = value; return true;
    case 't': settings->tape = value; return true;
    case 'r': settings->record = value; return true;
    case 'p': settings->program = value; return true;
    case 's': return read_number(value, UINT64_MAX, &settings->seed);
    case 'm': return read_number(value, UINT64_MAX, &settings->messages);
    case 'l':
        if (!read_number(value, 1000000, &number))
            return false;
        settings->seconds = (int64_t)number;
        return true;
    default:
        if (!read_number(value, 1000000, &number) || command->n == MOST_PROGRAMS)
            return false;
        command->fds[command->n++] = (int)number;
        return true;
    }
}

/* One run with these words. Returns the exit code. */
static int serve(int argc, char **argv)
{
    static const struct option options[] = {
        {"world", required_argument, NULL, 'w'}, {"seed", required_argument, NULL, 's'},
        {"tape", required_argument, NULL, 't'}, {"record", required_argument, NULL, 'r'},
        {"program", required_argument, NULL, 'p'}, {"seconds", required_argument, NULL, 'l'},
        {"messages", required_argument, NULL, 'm'}, {"serve", required_argument, NULL, 'f'}, {0},
    };
    struct command command = {.settings = {.program = "program", .seconds = 60, .messages = 10000000,
                                           .record_bytes = 256u << 20}};
    char error[512];
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (option == '?' || option == ':')
            return fail(argv[optind - 1], option == ':' ? "needs a value" : "there is no such option");
        if (!take(&command, option, optarg))
            return fail(argv[optind - 1], "expected a whole number, not too large");
    }
    if (optind < argc || command.n == 0 || !command.settings.record)
        return fail("usage", "--record FILE [--world FILE] ... --serve FD [--serve FD ...]");
    limit_memory();
    int code = judge_serve(&command.settings, command.fds, command.n, error, sizeof error);
    if (code)
        fprintf(stderr, "judge: %s\n", error);
    return code;
}

int main(int argc, char **argv)
{
    uint64_t fd = 0;
    if (argc == 3 && strcmp(argv[1], "--copies") == 0)
        return read_number(argv[2], 1000000, &fd) ? judge_copies((int)fd, serve)
            : fail(argv[1], "expected a descriptor's number");
    return serve(argc, argv);
}
