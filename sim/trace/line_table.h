/* line_table.h - which source line an address of a program belongs to, read from the bytes of its ELF file.
 *
 * This is the part of source_line that knows file formats and nothing about the running process, so tests
 * can feed it any bytes. Whatever they are, it never reads outside of them and always comes to an end.
 */
#ifndef LINE_TABLE_H
#define LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_bytes {                     /* a part of the file; at is NULL if the file has none such */
    const unsigned char *at;
    size_t size;
};

struct line_row;
struct line_sequence;

struct line_table {
    struct line_bytes lines;            /* section .debug_line                          */
    struct line_bytes line_strings;     /* section .debug_line_str: names, from DWARF 5 */
    struct line_bytes strings;          /* section .debug_str: names, from DWARF 5      */
    uint64_t code_low, code_high;       /* where code is loaded: [low, high)            */
    struct line_row *rows;              /* by sequence; in a sequence, by address       */
    struct line_sequence *sequences;    /* runs of rows without a gap, by address       */
    size_t row_count, sequence_count;
    size_t mapped;                      /* bytes of memory behind rows and sequences    */
};

/* Reads the file[0..size), which must stay where it is until line_table_close. False if it is not a little-endian
 * 64-bit ELF program with DWARF line tables, or if memory is out; there is nothing to close then. */
bool line_table_open(struct line_table *table, const void *file, size_t size);
void line_table_close(struct line_table *table);

/* The line and the name of the file (without its folder; part of the file's bytes) that the instruction at
 * `address` came from. The address is as in the ELF file, before loading. False if unknown. */
bool line_table_find(const struct line_table *table, uint64_t address, const char **name, uint32_t *line);

#endif
