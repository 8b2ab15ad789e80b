/* text.c - the functions of the C library that read and write memory in the program's stead.
 *
 * In the program's own objects their names are replaced by these (names.txt, objcopy): elsewhere nothing is changed.
 */
#define _GNU_SOURCE
#include "explore/touch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void reads(const void *at, size_t size)
{
    if (size > 0)
        explore_touch(TOUCH_READ, at, size);
}

static void writes(const void *at, size_t size)
{
    if (size > 0)
        explore_touch(TOUCH_WRITE, at, size);
}

static void reads_text(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    reads(text, length < most ? length + 1 : most);
}

void *explore_malloc(size_t size);
void *explore_calloc(size_t n, size_t size);
void *explore_realloc(void *block, size_t size);
void *explore_memcpy(void *to, const void *from, size_t n);
void *explore_memmove(void *to, const void *from, size_t n);
void *explore_memset(void *to, int byte, size_t n);
int explore_memcmp(const void *a, const void *b, size_t n);
void *explore_memchr(const void *at, int byte, size_t n);
size_t explore_strlen(const char *text);
size_t explore_strnlen(const char *text, size_t most);
char *explore_strcpy(char *to, const char *from);
char *explore_strncpy(char *to, const char *from, size_t n);
char *explore_strcat(char *to, const char *from);
char *explore_strncat(char *to, const char *from, size_t n);
int explore_strcmp(const char *a, const char *b);
int explore_strncmp(const char *a, const char *b, size_t n);
int explore_strcasecmp(const char *a, const char *b);
int explore_strncasecmp(const char *a, const char *b, size_t n);
char *explore_strchr(const char *text, int c);
char *explore_strrchr(const char *text, int c);
char *explore_strstr(const char *text, const char *part);
char *explore_strdup(const char *text);
char *explore_strndup(const char *text, size_t most);
int explore_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int explore_vsnprintf(char *to, size_t size, const char *format, va_list more) __attribute__((format(printf, 3, 0)));
void explore_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

void *explore_memcpy(void *to, const void *from, size_t n)
{
    reads(from, n);
    writes(to, n);
    return memmove(to, from, n);        /* where they overlap it is the sanitizers' to say so */
}

void *explore_memmove(void *to, const void *from, size_t n)
{
    return explore_memcpy(to, from, n);
}

void *explore_memset(void *to, int byte, size_t n)
{
    writes(to, n);
    return memset(to, byte, n);
}

/* So clang calls the three from its version 16 on, where it counts what a program touches. */
void *__tsan_memcpy(void *to, const void *from, size_t n) __attribute__((alias("explore_memcpy")));
void *__tsan_memmove(void *to, const void *from, size_t n) __attribute__((alias("explore_memmove")));
void *__tsan_memset(void *to, int byte, size_t n) __attribute__((alias("explore_memset")));

int explore_memcmp(const void *a, const void *b, size_t n)
{
    reads(a, n);
    reads(b, n);
    return memcmp(a, b, n);
}

void *explore_memchr(const void *at, int byte, size_t n)
{
    reads(at, n);
    return memchr(at, byte, n);
}

size_t explore_strlen(const char *text)
{
    reads_text(text, PTRDIFF_MAX);
    return strlen(text);
}

size_t explore_strnlen(const char *text, size_t most)
{
    reads_text(text, most);
    return strnlen(text, most);
}

char *explore_strcpy(char *to, const char *from)
{
    reads_text(from, PTRDIFF_MAX);
    writes(to, strlen(from) + 1);
    return strcpy(to, from);
}

char *explore_strncpy(char *to, const char *from, size_t n)
{
    reads_text(from, n);
    writes(to, n);
    size_t length = strnlen(from, n);
    memmove(to, from, length);
    memset(to + length, 0, n - length);
    return to;
}

char *explore_strcat(char *to, const char *from)
{
    reads_text(to, PTRDIFF_MAX);
    explore_strcpy(to + strlen(to), from);
    return to;
}

char *explore_strncat(char *to, const char *from, size_t n)
{
    reads_text(to, PTRDIFF_MAX);
    char *end = to + strlen(to);
    size_t length = strnlen(from, n);
    explore_memcpy(end, from, length);
    writes(end + length, 1);
    end[length] = '\0';
    return to;
}

int explore_strcmp(const char *a, const char *b)
{
    reads_text(a, PTRDIFF_MAX);
    reads_text(b, PTRDIFF_MAX);
    return strcmp(a, b);
}

int explore_strncmp(const char *a, const char *b, size_t n)
{
    reads_text(a, n);
    reads_text(b, n);
    return strncmp(a, b, n);
}

int explore_strcasecmp(const char *a, const char *b)
{
    reads_text(a, PTRDIFF_MAX);
    reads_text(b, PTRDIFF_MAX);
    return strcasecmp(a, b);
}

int explore_strncasecmp(const char *a, const char *b, size_t n)
{
    reads_text(a, n);
    reads_text(b, n);
    return strncasecmp(a, b, n);
}

char *explore_strchr(const char *text, int c)
{
    reads_text(text, PTRDIFF_MAX);
    return strchr(text, c);
}

char *explore_strrchr(const char *text, int c)
{
    reads_text(text, PTRDIFF_MAX);
    return strrchr(text, c);
}

char *explore_strstr(const char *text, const char *part)
{
    reads_text(text, PTRDIFF_MAX);
    reads_text(part, PTRDIFF_MAX);
    return strstr(text, part);
}

char *explore_strdup(const char *text)
{
    reads_text(text, PTRDIFF_MAX);
    return explore_allocates() ? strdup(text) : NULL;
}

char *explore_strndup(const char *text, size_t most)
{
    reads_text(text, most);
    return explore_allocates() ? strndup(text, most) : NULL;
}

int explore_vsnprintf(char *to, size_t size, const char *format, va_list more)
{
    int length = vsnprintf(to, size, format, more);
    if (length >= 0)
        writes(to, (size_t)length < size ? (size_t)length + 1 : size);
    return length;
}

int explore_snprintf(char *to, size_t size, const char *format, ...)
{
    va_list more;
    va_start(more, format);
    int length = explore_vsnprintf(to, size, format, more);
    va_end(more);
    return length;
}

void explore_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    writes(base, n * size);
    qsort(base, n, size, compare);
}

void *explore_malloc(size_t size)
{
    return explore_allocates() ? malloc(size) : NULL;
}

void *explore_calloc(size_t n, size_t size)
{
    return explore_allocates() ? calloc(n, size) : NULL;
}

void *explore_realloc(void *block, size_t size)
{
    return explore_allocates() ? realloc(block, size) : NULL;
}
