/* tape.c - the choice tape (tape.h): a short list of the questions that are not answered with 0.
 *
 * Questions are counted from 1, so after question 17 tape_asked is 17. The list rises and is read once, from
 * front to back: answering costs one comparison, however long the run is.
 */
#include "tape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At this question another option than 0 is taken. */
struct deviation {
    uint64_t question;
    uint32_t option;
};

struct tape {
    uint32_t (*ask)(void *who, const char *label, uint32_t n);  /* of a tape that somebody else holds; else NULL */
    void *who;
    uint64_t asked;                 /* questions so far                                */
    size_t next;                    /* the first deviation whose question is to come   */
    size_t count;
    struct deviation deviations[];  /* count of them, their questions rise             */
};

/* ---- Reading -------------------------------------------------------------------------------- */

/* Writes `tape: "PIECE": what` to error. The piece may come from anywhere (an environment variable), so it is
 * cut when long, and what would not print in one line becomes '?'. */
static void refuse(char *error, size_t size, const char *piece, const char *what)
{
    char shown[48];
    size_t length = strcspn(piece, ",");
    bool cut = length >= sizeof shown - 3;
    if (cut)
        length = sizeof shown - 4;
    for (size_t i = 0; i < length; i++)
        shown[i] = piece[i] >= ' ' && piece[i] <= '~' ? piece[i] : '?';
    strcpy(shown + length, cut ? "..." : "");
    if (size > 0)
        snprintf(error, size, "tape: \"%s\": %s", shown, what);
}

/* Reads a decimal number and moves *text past it. False when there is none, or it is above max (*too_large). */
static bool read_number(const char **text, uint64_t max, uint64_t *number, bool *too_large)
{
    const char *start = *text;
    *number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (*number > (max - digit) / 10) {
            *too_large = true;
            return false;
        }
        *number = *number * 10 + digit;
    }
    return *text > start;
}

/* Reads one "question=option" that must come after question `last`, and moves *text to its end.
 * Returns NULL, or what is wrong with it. */
static const char *read_deviation(const char **text, uint64_t last, struct deviation *deviation)
{
    uint64_t option = 0;
    bool too_large = false;
    bool read = read_number(text, UINT64_MAX, &deviation->question, &too_large) && *(*text)++ == '='
        && read_number(text, UINT32_MAX, &option, &too_large) && (**text == ',' || **text == '\0');
    if (too_large)
        return "the number is too large";
    if (!read)
        return "expected question=option, such as 17=2";
    if (deviation->question == 0)
        return "questions are counted from 1";
    if (deviation->question <= last)
        return "questions must rise";
    deviation->option = (uint32_t)option;
    return NULL;
}

struct tape *tape_open(const char *text, char *error, size_t size)
{
    assert(text);
    size_t most = *text ? 1 : 0;
    for (const char *c = text; *c; c++)
        most += *c == ',';
    struct tape *tape = calloc(1, sizeof *tape + most * sizeof tape->deviations[0]);
    if (!tape) {
        if (size > 0)
            snprintf(error, size, "tape: no memory");
        return NULL;
    }
    uint64_t last = 0;
    while (tape->count < most) {
        const char *piece = text;
        struct deviation *deviation = &tape->deviations[tape->count++];
        const char *wrong = read_deviation(&text, last, deviation);
        if (wrong) {
            refuse(error, size, piece, wrong);
            tape_close(tape);
            return NULL;
        }
        last = deviation->question;
        text++;                     /* past the comma */
    }
    return tape;
}

struct tape *tape_held_elsewhere(uint32_t (*ask)(void *who, const char *label, uint32_t n), void *who)
{
    struct tape *tape = calloc(1, sizeof *tape);
    if (tape) {
        tape->ask = ask;
        tape->who = who;
    }
    return tape;
}

void tape_close(struct tape *tape)
{
    free(tape);
}

/* ---- Asking --------------------------------------------------------------------------------- */

uint32_t tape_choose(struct tape *tape, const char *label, uint32_t n)
{
    assert(label && n >= 1);
    if (!tape || n <= 1)
        return 0;
    tape->asked++;
    if (tape->ask) {
        uint32_t option = tape->ask(tape->who, label, n);
        return option < n ? option : n - 1;
    }
    if (tape->next == tape->count || tape->deviations[tape->next].question != tape->asked)
        return 0;
    uint32_t option = tape->deviations[tape->next++].option;
    return option < n ? option : n - 1;
}

uint64_t tape_asked(const struct tape *tape)
{
    return tape ? tape->asked : 0;
}
