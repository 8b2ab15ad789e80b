/* test.h - what test.c and mock.c share: the world of the test under way. Authors of tests read co_test.h. */
#ifndef TEST_H
#define TEST_H

#define CO_TEST_WITHOUT_CMOCKA
#include "co_test.h"

enum { MOCK_STATUSES = 16 };

/* What the world saw in all. */
struct mock_facts {
    size_t requests;
    int peak, errors, given_up;             /* errors: requests that failed; given_up: by the program */
    bool blocked;                           /* a task has stopped the loop: sleep, co_cpu, http_get_blocking */
    int64_t took;                           /* the clock at the end */
    int statuses[MOCK_STATUSES], status_count;
};

/* A world without any mocks yet, for co_run, which closes it. It stays mock.c's. */
struct co_world *mock_begin(const struct co_test *test);
/* What it saw is forgotten. */
void mock_end(void);
struct mock_facts mock_facts(void);

#endif
