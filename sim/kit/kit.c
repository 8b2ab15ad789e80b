/* kit.c - the main() of every lab program: reads the command line, runs one mode, shows its reports. */
#define _GNU_SOURCE
#include "kit.h"

#include "forks.h"
#include "leaks.h"
#include "memory.h"
#include "co.h"
#include "explore/touch.h"
#include "runtime/outside/record.h"
#include "setting.h"
#include "world.h"

#include <getopt.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* What the command line asked for. */
struct command {
    const char *program;
    const struct kit_mode *modes;
    const struct kit_mode *mode;
    struct co_options options;
    struct kit_run run;
    struct settings settings;
    const char *memory_file;        /* where to write how much memory it took; NULL: nowhere            */
    char **world_urls;              /* the block that run.urls points into, when it came from the world */
    bool started;                   /* the mode's function was called                                   */
    bool ended;                     /* and has returned                                                 */
    bool json;
    char judge[32];                 /* "judge:FD": its name as a world                                  */
};

/* The command being run: kit_report is called from inside a lab's own functions, which hand it no context. */
static struct command *running;

/* ---- Showing a report ------------------------------------------------------------------------- */

#define CELL_SIZE 96
enum { MOST_COLUMNS = 32 };

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* "300 ms", "0.25 ms": exact, without zeros at the end. */
static void format_ms(int64_t ns, char text[CELL_SIZE])
{
    const char *sign = ns < 0 ? "-" : "";
    uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    char digits[32];
    snprintf(digits, sizeof digits, "%llu.%06llu", (unsigned long long)(magnitude / 1000000),
             (unsigned long long)(magnitude % 1000000));
    size_t length = strlen(digits);
    while (digits[length - 1] == '0')
        length--;
    if (digits[length - 1] == '.')
        length--;
    snprintf(text, CELL_SIZE, "%s%.*s ms", sign, (int)length, digits);
}

/* A value as a person reads it, cut to CELL_SIZE. The key says what a number
 * means: rc and error are errno values, _ns is time. */
static void format_value(const char *key, const json_t *value, char text[CELL_SIZE])
{
    bool is_error = strcmp(key, "error") == 0 || strcmp(key, "rc") == 0;
    json_int_t number = json_integer_value(value);

    if (json_is_integer(value) && ends_with(key, "_ns"))
        format_ms(number, text);
    else if (json_is_integer(value) && is_error && number < 0 && number >= INT_MIN)
        snprintf(text, CELL_SIZE, "%s", co_strerror((int)number));
    else if (json_is_integer(value) && is_error && number == 0)
        snprintf(text, CELL_SIZE, "-");
    else if (json_is_integer(value))
        snprintf(text, CELL_SIZE, "%lld", (long long)number);
    else if (json_is_real(value))
        snprintf(text, CELL_SIZE, "%.2f", json_real_value(value));
    else if (json_is_string(value))
        snprintf(text, CELL_SIZE, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        snprintf(text, CELL_SIZE, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value) || json_is_object(value)) {
        char *json = json_dumps(value, JSON_COMPACT);
        snprintf(text, CELL_SIZE, "%s", json ? json : "...");
        free(json);
    } else
        snprintf(text, CELL_SIZE, "none");
}

/* A key as a heading: without the unit, which stands beside each value. */
static int heading_length(const char *key)
{
    return (int)(ends_with(key, "_ns") ? strlen(key) - 3 : strlen(key));
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* The widest cell of a column, its heading included. */
static int column_width(const json_t *rows, const char *key)
{
    int width = heading_length(key);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char text[CELL_SIZE];
        format_value(key, json_object_get(json_array_get(rows, i), key), text);
        width = max_int(width, (int)strlen(text));
    }
    return width;
}

static bool is_table(const json_t *value)
{
    return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

/* An array of objects, one a line; a result for each URL has its URL in front.
 * "workers" are none, however many there are. */
static void put_table(FILE *out, const char *name, json_t *rows)
{
    json_t *first = json_array_get(rows, 0);
    size_t n = json_array_size(rows);
    bool has_urls = n == running->run.n && strcmp(name, "workers") != 0;
    int url_width = 3;
    for (size_t i = 0; has_urls && i < n; i++)
        url_width = max_int(url_width, (int)strlen(running->run.urls[i]));

    const char *key;
    json_t *value;
    int widths[MOST_COLUMNS], column = 0;
    fprintf(out, "  %4s", "");
    if (has_urls)
        fprintf(out, "  %-*s", url_width, "url");
    json_object_foreach (first, key, value) {
        int width = column_width(rows, key);
        fprintf(out, "  %*.*s", width, heading_length(key), key);
        widths[column++ % MOST_COLUMNS] = width;
    }
    fprintf(out, "\n");

    for (size_t i = 0; i < n; i++) {
        fprintf(out, "  %4zu", i);
        if (has_urls)
            fprintf(out, "  %-*s", url_width, running->run.urls[i]);
        column = 0;
        json_object_foreach (first, key, value) {
            char text[CELL_SIZE];
            format_value(key, json_object_get(json_array_get(rows, i), key), text);
            fprintf(out, "  %*s", widths[column++ % MOST_COLUMNS], text);
        }
        fprintf(out, "\n");
    }
}

static void put_report(FILE *out, const char *name, json_t *report)
{
    char text[CELL_SIZE];
    format_ms(co_now(), text);
    fprintf(out, "[%s] %s", text, name);
    if (!json_is_object(report)) {
        format_value(name, report, text);
        fprintf(out, ": %s\n", text);
        return;
    }
    const char *key, *separator = ": ";
    json_t *value;
    json_object_foreach (report, key, value) {
        if (is_table(value))
            continue;
        format_value(key, value, text);
        fprintf(out, "%s%.*s %s", separator, heading_length(key), key,
                strcmp(key, "rc") == 0 && text[0] == '-' ? "0" : text);
        separator = ", ";
    }
    fprintf(out, "\n");
    json_object_foreach (report, key, value)
        if (is_table(value))
            put_table(out, key, value);
}

/* Written at once: stdout has a system call for each line, which is much for a table of a thousand. */
static void show_report(const char *name, json_t *report)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    put_report(out ? out : stdout, name, report);
    if (out && fclose(out) == 0)
        fwrite(text, 1, length, stdout);
    free(text);
}

void kit_report(const char *name, json_t *value)
{
    char *json = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *text = json ? json : "null";    /* no memory, or a string that is not UTF-8 */

    if (!explore_reports(name, text)) {         /* an explorer need not show it */
        co_report_bytes(name, text, strlen(text));
        if (running && running->json)
            printf("{\"t\":%lld,\"name\":\"%s\",\"value\":%s}\n", (long long)co_now(), name, text);
        else if (running)
            show_report(name, value);
    }
    free(json);
    json_decref(value);
}

/* ---- The command line ------------------------------------------------------------------------- */

static void show_help(const struct command *command)
{
    printf("usage: %s [OPTION...] [MODE] [URL...]\n\nModes (without one: %s):\n", command->program,
           command->modes[0].name);
    for (const struct kit_mode *mode = command->modes; mode->name; mode++)
        printf("  %-16s %s\n", mode->name, mode->help);
    printf("\nOptions:\n"
           "  --world FILE     the world to run in (JSON); without URLs, all of its URLs are taken\n"
           "  --real           this machine's own network, files, CPUs and clock instead of a world\n"
           "  --judge FD       the world that a judge holds, which is asked through this descriptor\n"
           "  --seed N         what random draws start from; without it: the world's own\n"
           "  --trace FILE     write what happens, one JSON object a line (- = stderr)\n"
           "  --tape T         which legal order to take, such as 17=2,31=1\n"
           "  --set NAME=VALUE a number that the mode asks for, such as workers=5 or timeout=300ms; once for each\n"
           "  --memory FILE    write the most bytes of memory that were in use at once\n"
           "  --json           show reports as JSON, one a line\n");
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return errno == 0;
}

static bool add_setting(struct command *command, const char *text)
{
    const char *fault = settings_add(&command->settings, text);
    if (fault)
        fprintf(stderr, "%s: --set %s: %s\n", command->program, text, fault);
    return !fault;
}

/* Takes the judge at that descriptor for the world. False after a line on stderr: it is no number. */
static bool name_judge(struct command *command, const char *descriptor)
{
    snprintf(command->judge, sizeof command->judge, "judge:%s", descriptor);
    command->options.world_file = command->judge;
    if (world_remote_fd(command->judge) >= 0)
        return true;
    fprintf(stderr, "%s: --judge: expected a descriptor's number, not '%s'\n", command->program, descriptor);
    return false;
}

static const struct kit_mode *find_mode(const struct kit_mode *modes, const char *name)
{
    for (const struct kit_mode *mode = modes; mode->name; mode++)
        if (strcmp(mode->name, name) == 0)
            return mode;
    return NULL;
}

static int unknown_mode(const struct command *command, const char *word)
{
    fprintf(stderr, "%s: there is no mode '%s'; the modes are:", command->program, word);
    for (const struct kit_mode *mode = command->modes; mode->name; mode++)
        fprintf(stderr, "%s %s", mode == command->modes ? "" : ",", mode->name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

/* Reads the options. Returns EXIT_OK to go on, EXIT_USAGE after a line on stderr, or -1 after --help. */
static int parse_options(struct command *command, int argc, char **argv)
{
    enum { WORLD, REAL, JUDGE, SEED, TRACE, TAPE, SET, MEMORY, JSON, HELP };
    static const struct option options[] = {
        {"world", required_argument, NULL, WORLD}, {"seed", required_argument, NULL, SEED},
        {"trace", required_argument, NULL, TRACE}, {"tape", required_argument, NULL, TAPE},
        {"set", required_argument, NULL, SET},     {"memory", required_argument, NULL, MEMORY},
        {"json", no_argument, NULL, JSON},         {"help", no_argument, NULL, HELP},
        {"real", no_argument, NULL, REAL},         {"judge", required_argument, NULL, JUDGE}, {0},
    };
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (option) {
        case WORLD:
            command->options.world_file = optarg;
            break;
        case REAL:
            command->options.world_file = "real";
            break;
        case JUDGE:
            if (!name_judge(command, optarg))
                return EXIT_USAGE;
            break;
        case SEED:
            if (!parse_seed(optarg, &command->options.seed)) {
                fprintf(stderr, "%s: --seed: expected a whole number from 0 to %llu, not '%s'\n", command->program,
                        (unsigned long long)UINT64_MAX, optarg);
                return EXIT_USAGE;
            }
            break;
        case TRACE:
            command->options.trace_file = optarg;
            break;
        case TAPE:
            command->options.tape = optarg;
            break;
        case SET:
            if (!add_setting(command, optarg))
                return EXIT_USAGE;
            break;
        case MEMORY:
            command->memory_file = optarg;
            break;
        case JSON:
            command->json = true;
            break;
        case HELP:
        case 'h':
            show_help(command);
            return -1;
        case ':':
            fprintf(stderr, "%s: %s needs a value\n", command->program, argv[optind - 1]);
            return EXIT_USAGE;
        default:
            fprintf(stderr, "%s: there is no option %s; see --help\n", command->program, argv[optind - 1]);
            return EXIT_USAGE;
        }
    }
    return EXIT_OK;
}

/* The mode, then the URLs: from the words that are left, else all of the world's. */
static int parse_words(struct command *command, char **words, size_t n)
{
    command->mode = &command->modes[0];
    if (n > 0 && !strstr(words[0], "://")) {
        command->mode = find_mode(command->modes, words[0]);
        if (!command->mode)
            return unknown_mode(command, words[0]);
        words++;
        n--;
    }
    /* The world is read even when it is not asked for its URLs: a fault in it ends here, before anything runs. */
    const char *world = command->options.world_file ? command->options.world_file : getenv("CO_WORLD");
    long world_n = 0;
    if (world && *world && strcmp(world, "real") != 0) {
        char error[512];
        int judge = world_remote_fd(world);
        world_n = judge < 0 ? world_file_urls(world, &command->world_urls, error, sizeof error)
            : world_remote_urls(judge, &command->world_urls, error, sizeof error);
        if (world_n < 0) {
            fprintf(stderr, "%s: %s\n", command->program, error);
            return EXIT_USAGE;
        }
    }
    command->run.urls = (const char *const *)(n > 0 ? words : command->world_urls);
    command->run.n = n > 0 ? n : (size_t)world_n;
    return EXIT_OK;
}

/* ---- Settings --------------------------------------------------------------------------------- */

int64_t kit_setting(const char *name, int64_t otherwise)
{
    return running ? settings_value(&running->settings, name, otherwise) : otherwise;
}

/* Did the mode ask for every setting it was given? Else says which ones it has. */
static bool settings_are_known(const struct command *command)
{
    const struct settings *settings = &command->settings;
    const struct setting *unknown = settings_unasked(settings);
    if (!unknown)
        return true;
    fprintf(stderr, "%s: %s has no setting '%.*s'", command->program, command->mode->name, (int)unknown->name_length,
            unknown->text);
    for (size_t i = 0; i < settings->names_n; i++)
        fprintf(stderr, "%s %s", i ? "," : "; it has:", settings->names[i]);
    fprintf(stderr, "\n");
    return false;
}

/* ---- Running ---------------------------------------------------------------------------------- */

static int run_mode(void *job)
{
    struct command *command = job;
    command->started = true;
    int rc = command->mode->fn(&command->run);
    command->ended = true;
    return rc;
}

static int run(struct command *command)
{
    running = command;
    int rc = co_run_named(run_mode, command, &command->options, command->mode->name);
    running = NULL;
    if (command->ended && !settings_are_known(command))
        return EXIT_USAGE;
    if (rc >= 0)
        return EXIT_OK;
    if (rc == -EINTR) {
        fprintf(stderr, "%s: interrupted\n", command->program);
        return EXIT_INTERRUPTED;
    }
    if (!command->started) {
        if (rc != -EINVAL)      /* co_run has said which of the options was wrong */
            fprintf(stderr, "%s: cannot start: %s\n", command->program, co_strerror(rc));
        return EXIT_USAGE;
    }
    fprintf(stderr, "%s: %s failed: %s (%d)\n", command->program, command->mode->name, co_strerror(rc), rc);
    return EXIT_FAILED;
}

/* One run with this command line. Returns what main() would. */
static int run_words(int argc, char **argv, const char *program, const struct kit_mode modes[])
{
    struct command command = {.program = program, .modes = modes, .options = {.program = program}};

    leaks_begin();
    int code = parse_options(&command, argc, argv);
    if (code == EXIT_OK)
        code = parse_words(&command, argv + optind, (size_t)(argc - optind));
    if (code == EXIT_OK)
        code = run(&command);
    free(command.world_urls);
    if (code != EXIT_USAGE && command.memory_file && !memory_write_peak(command.memory_file)) {
        fprintf(stderr, "%s: --memory %s: %s\n", program, command.memory_file, strerror(errno));
        return EXIT_USAGE;
    }
    return code < 0 ? EXIT_OK : code;
}

/* Memory that malloc hands out is never zero by luck, nor what somebody else has left there: whoever reads what was
 * never set reads the letter U, in each run and on each machine. */
static void poison_memory(void)
{
#ifdef M_PERTURB
    mallopt(M_PERTURB, 'U' ^ 0xff);
#endif
}

int kit_main(int argc, char **argv, const char *program, const struct kit_mode modes[])
{
    /* What a program printed before it crashed is there to be read, also when stdout is a pipe. */
    static char printed[BUFSIZ];
    setvbuf(stdout, printed, _IOLBF, sizeof printed);
    poison_memory();

    forks_command(&argc, &argv);
    int code = run_words(argc, argv, program, modes);
    while (forks_again(code, leaks_none())) {
        optind = 0;             /* glibc's getopt begins anew */
        forks_command(&argc, &argv);
        code = run_words(argc, argv, program, modes);
    }
    return code;
}
