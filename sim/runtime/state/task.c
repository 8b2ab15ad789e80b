/* task.c - where the records of tasks lie, and which tasks are alive. */
#include "runtime/state/task.h"
#include "runtime/state/loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_PAGES = 32 };

/* Records live until the loop ends. Their memory comes in blocks; of a block one page is used after the other. */
struct task_block {
    struct task_block *next;
};

int co__task_pool_grow(struct task_pool *pool)
{
    if (pool->unused == 0) {
        struct task_block *block = malloc((BLOCK_PAGES + 1) * TASK_PAGE);
        if (!block)
            return -ENOMEM;
        block->next = pool->blocks;
        pool->blocks = block;
        pool->unused = BLOCK_PAGES;
    }
    uintptr_t first = ((uintptr_t)(pool->blocks + 1) + TASK_PAGE - 1) & ~(uintptr_t)(TASK_PAGE - 1);
    struct task_page *page = (struct task_page *)(first + (BLOCK_PAGES - pool->unused--) * TASK_PAGE);
    page->next = pool->pages;
    pool->pages = page;
    for (size_t i = PAGE_TASKS; i-- > 0;) {
        page->tasks[i].state = TASK_FREE;
        page->tasks[i].younger = pool->free;
        pool->free = &page->tasks[i];
    }
    return 0;
}

void co__tasks_free(struct loop *loop)
{
    stack_pool_free(&loop->stacks);
    for (struct task_block *block = loop->tasks.blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = (*(struct co_task *const *)a)->id, y = (*(struct co_task *const *)b)->id;
    return x < y ? -1 : x > y;
}

struct co_task **co__tasks_alive(const struct loop *loop)
{
    size_t n = 0;
    struct co_task **tasks = malloc((loop->alive + 1) * sizeof *tasks);
    if (!tasks) {
        fprintf(stderr, "%s: out of memory for a list of the tasks\n", loop->program);
        abort();
    }
    for (struct task_page *page = loop->tasks.pages; page; page = page->next)
        for (size_t i = 0; i < PAGE_TASKS; i++)
            if (page->tasks[i].state != TASK_FREE && page->tasks[i].state != TASK_DONE)
                tasks[n++] = &page->tasks[i];
    qsort(tasks, n, sizeof *tasks, by_id);
    tasks[n] = NULL;
    return tasks;
}
