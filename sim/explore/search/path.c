/* path.c - the branches of the search (path.h): what is tried, what must be, what need not be. */
#include "explore/search/path.h"

#include <string.h>

void path_reset(struct path *path)
{
    path->n = path->at = path->fresh = path->marks_n = 0;
    path->cut = path->strayed = false;
}

/* ---- Going on -------------------------------------------------------------------------------- */

static int place_of(const struct branch *branch, uint32_t process)
{
    for (int i = 0; i < branch->n; i++)
        if (branch->process[i] == process)
            return i;
    return -1;
}

/* Who was asleep before the step, or was tried there, still sleeps if its next step could change places with it. */
static void fall_asleep(struct path *path, struct branch *branch, const struct footprint *last)
{
    const struct branch *before = branch - 1;
    uint64_t known = (before->asleep | before->done) & ~(1ULL << before->chosen);
    for (int i = 0; i < before->n; i++) {
        if (!(known >> i & 1) || footprint_conflicts(last, &path->marks[before->marks[i]], before->length[i]))
            continue;
        int place = place_of(branch, before->process[i]);
        if (place < 0)
            continue;
        branch->asleep |= 1ULL << place;
        branch->marks[place] = before->marks[i];
        branch->length[place] = before->length[i];
    }
}

int path_choose(struct path *path, const struct footprint *last, const uint32_t ready[], uint32_t n, bool same)
{
    struct branch *branch = &path->branches[path->at];
    path->answer_at = 0;
    path->cut |= n > READY_MOST;
    n = n > READY_MOST ? READY_MOST : n;
    if (path->at < path->n) {
        path->strayed |= branch->n != n || memcmp(branch->process, ready, n * sizeof ready[0]) != 0;
        path->at++;
        return path->strayed ? PATH_BLOCKED : branch->chosen;
    }
    memset(branch, 0, offsetof(struct branch, process));
    branch->n = (uint8_t)n;
    branch->marks_n = path->marks_n;
    memcpy(branch->process, ready, n * sizeof ready[0]);
    if (same && path->at > 0 && !path->every)
        fall_asleep(path, branch, last);
    while (branch->chosen < n && branch->asleep >> branch->chosen & 1)
        branch->chosen++;
    if (branch->chosen == n)
        return PATH_BLOCKED;
    branch->wanted = path->every ? ~0ULL >> (64 - n) : 1ULL << branch->chosen;
    path->n = ++path->at;
    return branch->chosen;
}

uint32_t path_answer(struct path *path, uint32_t options)
{
    struct branch *branch = &path->branches[path->at - 1];
    uint8_t place = path->answer_at;
    if (place == ANSWERS_MOST || options > UINT8_MAX) {
        path->cut = true;
        return 0;
    }
    path->answer_at++;
    if (place == branch->answers_n)
        branch->answers[branch->answers_n++] = (struct answer){0, (uint8_t)options};
    return branch->answers[place].option;
}

/* ---- What a step has touched ------------------------------------------------------------------ */

/* Keeps the marks of the step that was chosen; with another answer to a question it may have others, too. */
static void keep_marks(struct path *path, struct branch *branch, const struct footprint *footprint)
{
    uint32_t before = branch->begun ? branch->length[branch->chosen] : 0, from = branch->marks[branch->chosen];
    if (path->marks_n + before + footprint->n > MARKS_MOST) {
        path->cut = true;               /* nothing may sleep on what is not known: it conflicts with all */
        branch->length[branch->chosen] = FOOTPRINT_MOST;
        return;
    }
    struct mark *marks = &path->marks[path->marks_n];
    memcpy(marks, footprint->marks, footprint->n * sizeof *marks);
    memcpy(marks + footprint->n, &path->marks[from], before * sizeof *marks);
    branch->marks[branch->chosen] = path->marks_n;
    branch->length[branch->chosen] = footprint->n + before;
    path->marks_n += footprint->n + before;
    branch->marks_n = path->marks_n;
    branch->begun = true;
}

/* ---- Races ----------------------------------------------------------------------------------- */

/* The processes with which an order may begin that has `second` before `first`: those whose first step among the steps
 * that did not happen after `first` has none of these before it. By their places at the branch. */
static uint64_t initials(const struct branch *branch, const struct instant *instant, uint32_t first, uint32_t second)
{
    uint64_t seen = 0, found = 0;
    for (uint32_t step = first + 1; step <= second; step++) {
        if (step != second && instant_before(instant, first, step))
            continue;
        int place = place_of(branch, instant->steps[step].process);
        if (place < 0 || seen >> place & 1)
            continue;
        seen |= 1ULL << place;
        bool is_first = true;
        for (uint32_t other = first + 1; other < step && is_first; other++)
            is_first = !instant_before(instant, other, step) || instant_before(instant, first, other);
        if (is_first)
            found |= 1ULL << place;
    }
    return found;
}

static void want(struct path *path, uint32_t first, uint32_t second, const struct instant *instant)
{
    struct branch *branch = &path->branches[first];
    uint64_t able = initials(branch, instant, first, second);
    if (able & (branch->wanted | branch->asleep))
        return;
    if (able)
        branch->wanted |= 1ULL << __builtin_ctzll(able);
    else
        path->cut = true;               /* beyond READY_MOST */
}

void path_end_step(struct path *path, const struct footprint *footprint, const struct instant *instant)
{
    uint32_t second = path->at - 1;
    if (second < path->fresh)
        return;
    keep_marks(path, &path->branches[second], footprint);
    for (uint32_t i = 0; i < instant->races_n; i++)
        want(path, instant->races[i], second, instant);
}

/* ---- The next order --------------------------------------------------------------------------- */

static bool next_answer(struct branch *branch)
{
    while (branch->answers_n > 0) {
        struct answer *answer = &branch->answers[branch->answers_n - 1];
        if (++answer->option < answer->options)
            return true;
        branch->answers_n--;
    }
    return false;
}

bool path_next(struct path *path)
{
    for (; path->n > 0; path->n--) {
        struct branch *branch = &path->branches[path->n - 1];
        path->marks_n = branch->marks_n;
        path->fresh = path->n - 1;
        path->at = 0;
        if (next_answer(branch))
            return true;
        branch->done |= 1ULL << branch->chosen;
        uint64_t left = branch->wanted & ~branch->done & ~branch->asleep;
        if (left) {
            branch->chosen = (uint8_t)__builtin_ctzll(left);
            branch->begun = false;
            return true;
        }
    }
    return false;
}
