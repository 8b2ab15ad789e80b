/* overlap.c - which requests were under way together (overlap.h). */
#include "explore/search/overlap.h"

#include <string.h>

void overlap_reset(struct overlap *overlap)
{
    for (uint32_t i = 0; i < overlap->n; i++) {
        overlap->asked[i].begun = overlap->asked[i].answered = 0;
        overlap->asked[i].mark = NULL;
    }
}

/* The first one of that URL that has not begun in this run; NULL: there is no room. */
static struct asked *find(struct overlap *overlap, const char *url, const struct reason *reason)
{
    uint32_t copies = 0;
    for (uint32_t i = 0; i < overlap->n; i++) {
        if (strcmp(overlap->asked[i].url, url) != 0)
            continue;
        if (overlap->asked[i].begun == 0)
            return &overlap->asked[i];
        copies++;
    }
    if (overlap->n == REQUESTS_MOST)
        return NULL;
    struct asked *new = &overlap->asked[overlap->n++];
    memset(new, 0, sizeof *new);
    strcpy(new->url, url);
    new->copy = copies + 1;
    new->reason = *reason;
    return new;
}

void overlap_ask(struct overlap *overlap, const char *url, size_t length, const void *mark, int64_t now,
                 const struct reason *reason)
{
    char text[URL_SHOWN];
    length = length < URL_SHOWN ? length : URL_SHOWN - 1;
    memcpy(text, url, length);
    text[length] = '\0';
    struct asked *asked = find(overlap, text, reason);
    if (!asked)
        return;
    for (uint32_t i = 0; i < overlap->n; i++)       /* one that was given up has no answer, and its mark is free */
        if (overlap->asked[i].mark == mark)
            overlap->asked[i].mark = NULL;
    asked->begun = now + 1;
    asked->mark = mark;
}

void overlap_answer(struct overlap *overlap, const void *mark, int64_t now)
{
    for (uint32_t i = 0; i < overlap->n; i++)
        if (overlap->asked[i].mark == mark) {
            overlap->asked[i].mark = NULL;
            overlap->asked[i].answered = now + 1;
            return;
        }
}

void overlap_end(struct overlap *overlap)
{
    for (uint32_t b = 0; b < overlap->n; b++)
        for (uint32_t a = 0; a < b; a++) {
            const struct asked *x = &overlap->asked[a], *y = &overlap->asked[b];
            bool both = x->answered && y->answered;         /* who was cut off has no answer */
            if (both && x->begun < y->answered && y->begun < x->answered)
                overlap->together[a][b] = overlap->together[b][a] = true;
        }
}
