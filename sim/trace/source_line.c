/* source_line.c - "file.c:12" for a return address of the running program (trace.h).
 *
 * The program's own file holds a table of its lines (line_table.h) with addresses as the linker chose them.
 * The kernel may have loaded it somewhere else; how far away is found by comparing where the program
 * headers are with where the file wants them (the auxiliary vector, getauxval(3)). That works in static and dynamic
 * programs, at fixed and random addresses, and under qemu-user and valgrind.
 *
 * The table is read on the first call and stays. No heap and no stdio are used, so that a handler
 * for a crash may ask, too. One thread only.
 */
#include "trace.h"

#include "line_table.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file whose code is in the process. */
struct coded {
    enum { UNREAD, READING, UNKNOWN, READ } state;  /* READING is seen only by a handler that interrupted it */
    uint64_t bias;                                  /* an address of the process = one of the file + bias    */
    struct line_table table;
};

/* The running program, from the first call of source_line on; and what source_line_also has named. */
static struct coded program, also;

/* Finds the bias of the program whose file is given. False if this is not the file of this process: under valgrind
 * /proc/self/exe is valgrind's. */
static bool find_bias(const unsigned char *file, size_t size, uint64_t *bias)
{
    const void *loaded = (const void *)getauxval(AT_PHDR);  /* the program headers in memory */
    size_t count = getauxval(AT_PHNUM);
    Elf64_Ehdr elf;
    if (!loaded || size < sizeof elf)
        return false;
    memcpy(&elf, file, sizeof elf);
    if (elf.e_phnum != count || elf.e_phoff > size || (size - elf.e_phoff) / sizeof(Elf64_Phdr) < count
        || memcmp(loaded, file + elf.e_phoff, count * sizeof(Elf64_Phdr)) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, file + elf.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD && elf.e_phoff - segment.p_offset < segment.p_filesz) {
            *bias = (uint64_t)(uintptr_t)loaded - (segment.p_vaddr + (elf.e_phoff - segment.p_offset));
            return true;
        }
    }
    return false;
}

/* Reads the line table of a file, which stays mapped: names are read from it. base: where its code is loaded;
 * NULL: it is to be the program's file. */
static bool read_file(struct coded *coded, const char *path, const void *base)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return false;
    size_t size = fstat(fd, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
    void *file = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (file == MAP_FAILED)
        return false;
    coded->bias = (uint64_t)(uintptr_t)base;
    if ((base || find_bias(file, size, &coded->bias)) && line_table_open(&coded->table, file, size))
        return true;
    munmap(file, size);
    return false;
}

static void read_once(void)
{
    program.state = READING;
    const char *name = (const char *)getauxval(AT_EXECFN);  /* as the program was called; where there is no /proc */
    bool found = read_file(&program, "/proc/self/exe", NULL)
        || (name && read_file(&program, name, NULL));
    program.state = found ? READ : UNKNOWN;
}

/* Writes "name:line", or returns NULL if it does not fit. (snprintf is not for signal handlers.) */
static const char *write_place(char *text, size_t size, const char *name, uint32_t line)
{
    char digits[10];
    size_t first = sizeof digits, length = strlen(name);
    do {
        digits[--first] = (char)('0' + line % 10);
        line /= 10;
    } while (line);
    size_t count = sizeof digits - first;
    if (length >= size || size - length < 1 + count + 1)
        return NULL;
    memcpy(text, name, length);
    text[length] = ':';
    memcpy(text + length + 1, digits + first, count);
    text[length + 1 + count] = '\0';
    return text;
}

void source_line_also(const char *path, const void *base)
{
    if (also.state == READ)
        return;
    also.state = READING;
    also.state = read_file(&also, path, base) ? READ : UNKNOWN;
}

const char *source_line(const void *pc, char *text, size_t size)
{
    if (program.state == UNREAD)
        read_once();
    if (!pc)
        return NULL;
    /* A return address is that of the next instruction, perhaps of another line: look one byte before it. The
     * built-in takes off the signature that aarch64 may have put into it. */
    uint64_t address = (uint64_t)(uintptr_t)__builtin_extract_return_addr((void *)(uintptr_t)pc);
    const char *name;
    uint32_t line;
    for (int i = 0; i < 2; i++) {
        const struct coded *coded = i ? &also : &program;
        if (coded->state == READ && line_table_find(&coded->table, address - 1 - coded->bias, &name, &line))
            return write_place(text, size, name, line);
    }
    return NULL;
}
