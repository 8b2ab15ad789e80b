/* test_stack.c - the pool of stacks: sizes, guards, reuse, and memory running out. */
#include "check.h"

#include "runtime/switch/stack.h"

static void sizes_are_rounded_up_to_pages(void **state)
{
    (void)state;
    struct stack_pool pool;
    const size_t asked[] = {1, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 256 * 1024, 1000 * 1000};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        stack_pool_init(&pool, asked[i]);
        assert_true(pool.size >= asked[i]);
        assert_true(pool.size >= 4 * pool.page);
        assert_int_equal(pool.size % (2 * pool.page), 0);
        stack_pool_free(&pool);
    }
}

static void stacks_do_not_overlap_and_are_writable(void **state)
{
    (void)state;
    enum { N = 100 };
    struct stack_pool pool;
    struct stack *stacks[N];
    stack_pool_init(&pool, 16 * 1024);
    for (int i = 0; i < N; i++) {
        stacks[i] = stack_take(&pool);
        assert_non_null(stacks[i]);
        assert_int_equal((uintptr_t)stacks[i] % 16, 0);
        assert_true(stacks[i]->size + 2048 >= 16 * 1024);
        assert_ptr_equal(stacks[i]->low + stacks[i]->size, stacks[i]);
        /* Not its lowest bytes: without a guard a canary lives there. */
        memset(stacks[i]->low + 64, i, stacks[i]->size - 64);
    }
    for (int i = 0; i < N; i++) {
        for (size_t at = 64; at < stacks[i]->size; at += 97)
            assert_int_equal(((unsigned char *)stacks[i]->low)[at], i);
        assert_false(stack_canary_dead(stacks[i]));
        stack_return(&pool, stacks[i]);
    }
    stack_pool_free(&pool);
}

static void the_stack_used_last_is_handed_out_first(void **state)
{
    (void)state;
    struct stack_pool pool;
    stack_pool_init(&pool, 16 * 1024);
    struct stack *a = stack_take(&pool), *b = stack_take(&pool);
    stack_return(&pool, a);
    stack_return(&pool, b);
    assert_ptr_equal(stack_take(&pool), b);
    assert_ptr_equal(stack_take(&pool), a);
    stack_pool_free(&pool);
}

static void the_guard_is_the_page_below(void **state)
{
    (void)state;
    struct stack_pool pool;
    stack_pool_init(&pool, 16 * 1024);
    struct stack *stack = stack_take(&pool);
    assert_true(stack->guarded);
    assert_true(stack_overflowed(&pool, stack, stack->low - 1));
    assert_true(stack_overflowed(&pool, stack, stack->low - pool.page));
    assert_false(stack_overflowed(&pool, stack, stack->low));
    assert_false(stack_overflowed(&pool, stack, stack->low - pool.page - 1));
    stack_pool_free(&pool);
}

/* Each end of the guard page, touched in a child. */
static void the_guard_stops_a_write(void **state)
{
    (void)state;
    struct stack_pool pool;
    stack_pool_init(&pool, 16 * 1024);
    struct stack *stack = stack_take(&pool);
    char *const places[] = {stack->low - 1, stack->low - pool.page, stack->low};
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(SIGSEGV, SIG_DFL);
            signal(SIGBUS, SIG_DFL);
            *(volatile char *)places[i] = 1;
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WIFSIGNALED(status), i < 2);
    }
    stack_pool_free(&pool);
}

static void an_unguarded_stack_has_a_canary(void **state)
{
    (void)state;
    /* As if mappings had run out: no light guards, and all of mprotect's used up. */
    struct stack_pool pool;
    stack_pool_init(&pool, 16 * 1024);
    pool.light_guards = false;
    pool.made = 1000000;
    struct stack *stack = stack_take(&pool);
    assert_false(stack->guarded);
    assert_false(stack_canary_dead(stack));
    assert_false(stack_overflowed(&pool, stack, stack->low - 1));
    stack->low[3] ^= 1;
    assert_true(stack_canary_dead(stack));
    stack_pool_free(&pool);
}

static void mprotect_guards_where_there_are_no_light_ones(void **state)
{
    (void)state;
    struct stack_pool pool;
    stack_pool_init(&pool, 16 * 1024);
    pool.light_guards = false;
    assert_true(stack_take(&pool)->guarded);
    stack_pool_free(&pool);
}

/* ---- Memory runs out ---------------------------------------------------------------------------------- */

static int nap(void *job)
{
    (void)job;
    return co_sleep(CO_MS(1));
}

/* Leaves this child with 256 MiB. False where the limit does not hold: qemu's user mode takes it and ignores it. */
static bool limit_memory(void)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    expect_is(setrlimit(RLIMIT_AS, &limit), 0);
    void *probe = mmap(NULL, 512 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (probe == MAP_FAILED)
        return true;
    munmap(probe, 512 << 20);
    note("no limit");
    return false;
}

static int spawns_until_memory_is_out(void *job)
{
    (void)job;
    if (!limit_memory())
        return 0;
    int failed = 0;
    CO_GROUP(group);
    for (int i = 0; i < 5000; i++)      /* 5000 * 256 KiB is more than that */
        failed += !co_spawn(&group, nap, NULL);
    expect(failed > 0);
    expect_is(co_join(&group), -ENOMEM);
    expect_is(co_now(), CO_MS(1));      /* those that could be spawned did run */
    co_spawn(&group, nap, NULL);        /* the stacks they gave back serve again... */
    expect_is(co_join(&group), 0);      /* ...and the group forgot */
    return 0;
}

static void a_spawn_without_memory_makes_join_say_enomem(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN || UNDER_VALGRIND)
        skip();                         /* they need terabytes of address space themselves */
    assert_int_equal(forked(spawns_until_memory_is_out, NULL)->rc, 0);
    if (board->length)
        skip();
}

static int gathers_until_memory_is_out(void *job)
{
    (void)job;
    static char jobs[5000];
    static int rcs[5000];
    if (!limit_memory())
        return 0;
    expect_is(co_gather(nap, jobs, 5000, 1, NULL), -ENOMEM);
    expect_is(co_gather(nap, jobs, 5000, 1, rcs), -ENOMEM);
    expect_is(co_gather(nap, jobs, 10, 1, rcs), 0);
    return 0;
}

static void a_gather_without_memory_says_enomem(void **state)
{
    (void)state;
    if (UNDER_ASAN || UNDER_TSAN || UNDER_VALGRIND)
        skip();
    assert_int_equal(forked(gathers_until_memory_is_out, NULL)->rc, 0);
    if (board->length)
        skip();
}

/* ---- The size that was asked for is there ---------------------------------------------------------------- */

static int uses_most_of_its_stack(void *job)
{
    size_t size = (size_t)(uintptr_t)job;
    volatile char block[size];
    for (size_t i = size; i-- > 0;)
        block[i] = (char)i;
    co_yield();
    for (size_t i = 0; i < size; i += 101)
        expect_is(block[i], (char)i);
    return 0;
}

static void a_task_can_use_the_stack_it_was_promised(void **state)
{
    (void)state;
    assert_int_equal(run(uses_most_of_its_stack, (void *)(uintptr_t)(240 * 1024)), 0);
    struct co_options large = {.stack_size = 8 << 20};
    assert_int_equal(run_in(NULL, uses_most_of_its_stack, (void *)(uintptr_t)(8000 * 1024), large, "large"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_rounded_up_to_pages),
        cmocka_unit_test(stacks_do_not_overlap_and_are_writable),
        cmocka_unit_test(the_stack_used_last_is_handed_out_first),
        cmocka_unit_test(the_guard_is_the_page_below),
        cmocka_unit_test(the_guard_stops_a_write),
        cmocka_unit_test(an_unguarded_stack_has_a_canary),
        cmocka_unit_test(mprotect_guards_where_there_are_no_light_ones),
        cmocka_unit_test(a_spawn_without_memory_makes_join_say_enomem),
        cmocka_unit_test(a_gather_without_memory_says_enomem),
        cmocka_unit_test(a_task_can_use_the_stack_it_was_promised),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
