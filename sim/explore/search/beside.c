/* beside.c - a program beside a right one (beside.h). */
#include "explore/search/beside.h"

#include <stdio.h>
#include <string.h>

enum { NAME = URL_SHOWN + 16 };

/* "http://a.test/", and from the second of that URL on "http://a.test/ (2)". */
static void name(const struct asked *asked, char text[NAME])
{
    if (asked->copy > 1)
        snprintf(text, NAME, "%s (%u)", asked->url, asked->copy);
    else
        snprintf(text, NAME, "%s", asked->url);
}

static const struct asked *find(const struct overlap *search, const char *wanted)
{
    char text[NAME];
    for (uint32_t i = 0; i < search->n; i++) {
        name(&search->asked[i], text);
        if (strcmp(text, wanted) == 0)
            return &search->asked[i];
    }
    return NULL;
}

static bool together(const struct overlap *search, const char *first, const char *second)
{
    const struct asked *a = find(search, first), *b = find(search, second);
    return a && b && search->together[a - search->asked][b - search->asked];
}

json_t *beside_pairs(const struct overlap *const searches[], size_t n)
{
    json_t *pairs = json_array();
    char first[NAME], second[NAME];
    for (size_t k = 0; k < n; k++)
        for (uint32_t a = 0; a < searches[k]->n; a++)
            for (uint32_t b = a + 1; b < searches[k]->n; b++) {
                if (!searches[k]->together[a][b])
                    continue;
                name(&searches[k]->asked[a], first);
                name(&searches[k]->asked[b], second);
                if (k == 0 || !together(searches[0], first, second))
                    json_array_append_new(pairs, json_pack("[s, s]", first, second));
            }
    return pairs;
}

/* One more, of which there may be others for the same reason. */
static size_t add(struct miss misses[MISSES_MOST], size_t n, const struct asked *first, const struct asked *second)
{
    for (size_t i = 0; i < n; i++)
        if (misses[i].second.reason.waited_at == second->reason.waited_at
            && misses[i].second.reason.asked_at == second->reason.asked_at) {
            misses[i].pairs++;
            return n;
        }
    if (n < MISSES_MOST)
        misses[n++] = (struct miss){*first, *second, 1};
    return n;
}

size_t beside_misses(const struct overlap *const searches[], size_t n, const char *file,
                     struct miss misses[MISSES_MOST])
{
    json_t *summary = file && *file ? json_load_file(file, 0, NULL) : NULL, *pair;
    size_t found = 0, at;
    json_array_foreach (json_object_get(summary, "together"), at, pair) {
        const char *first = json_string_value(json_array_get(pair, 0));
        const char *second = json_string_value(json_array_get(pair, 1));
        bool seen = !first || !second, known = false;
        for (size_t k = 0; k < n && !seen; k++) {
            const struct asked *a = find(searches[k], first), *b = find(searches[k], second);
            seen = together(searches[k], first, second);
            if (!known && !seen && a && b) {
                found = add(misses, found, a, b);
                known = true;
            }
        }
    }
    json_decref(summary);
    return found;
}
