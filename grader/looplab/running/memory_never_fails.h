/* memory_never_fails.h - told to the compiler before a student's file, never to a program that runs.
 *
 * Each of these returns NULL only when there is no memory. What the compiler drops once it knows that they never do,
 * only a failed allocation can reach: reach.py compiles a file with and without ALWAYS_MEMORY, and compares.
 */
#ifndef MEMORY_NEVER_FAILS_H
#define MEMORY_NEVER_FAILS_H

#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "co.h"

#ifdef ALWAYS_MEMORY
#define NEVER_NULL __attribute__((returns_nonnull))
NEVER_NULL void *malloc(size_t size);
NEVER_NULL void *calloc(size_t n, size_t size);
NEVER_NULL void *realloc(void *block, size_t size);
NEVER_NULL void *reallocarray(void *block, size_t n, size_t size);
NEVER_NULL void *aligned_alloc(size_t alignment, size_t size);
NEVER_NULL char *strdup(const char *text);
NEVER_NULL char *strndup(const char *text, size_t n);
NEVER_NULL json_t *json_object(void);
NEVER_NULL json_t *json_array(void);
NEVER_NULL json_t *json_integer(json_int_t value);
NEVER_NULL json_t *json_copy(json_t *value);
NEVER_NULL json_t *json_deep_copy(const json_t *value);
NEVER_NULL char *json_dumps(const json_t *json, size_t flags);
NEVER_NULL co_task *co_spawn_named(struct co_group *group, co_fn fn, void *job, const char *name);
#endif

#endif
