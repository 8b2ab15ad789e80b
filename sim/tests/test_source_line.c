/* test_source_line.c - the line of a call: in this program, in a small file made by hand that uses every part of
 * the format, and in broken files, which must do no harm.
 */
#include "trace.h"

#include "line_table.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- This program ------------------------------------------------------------------------------- */

static void assert_line(const void *pc, int line)
{
    char place[64], expected[64];
    const char *found = source_line(pc, place, sizeof place);
    snprintf(expected, sizeof expected, "test_source_line.c:%d", line);
    assert_non_null(found);
    assert_ptr_equal(found, place);
    assert_string_equal(found, expected);
}

/* Asserts that it is called from that line, and returns it. */
__attribute__((noinline)) static int called_from(int line)
{
    assert_line(__builtin_return_address(0), line);
    return line;
}

static inline int inlined(int n)
{
    return called_from(__LINE__) + n;
}

/* As it never returns, the call may be the last instruction of its function, and the return address then belongs to
 * the next one. */
__attribute__((noinline, noreturn)) static void leave(jmp_buf back, int line)
{
    assert_line(__builtin_return_address(0), line);
    longjmp(back, 1);
}

__attribute__((noinline)) static void call_leave(jmp_buf back)
{
    leave(back, __LINE__);
}

static void a_call_is_on_its_line(void **state)
{
    (void)state;
    int sum = called_from(__LINE__);
    for (int i = 0; i < 2; i++)
        sum += called_from(__LINE__);
    sum += called_from(__LINE__) + inlined(sum);
    if (sum > 0)
        sum -= called_from(__LINE__);
    assert_true(sum > 0);
    jmp_buf back;
    if (setjmp(back) == 0)
        call_leave(back);
}

static void a_place_that_does_not_fit_is_not_cut(void **state)
{
    (void)state;
    char place[64], small[64];
    const void *pc = (const char *)(uintptr_t)a_place_that_does_not_fit_is_not_cut + 1;
    assert_non_null(source_line(pc, place, sizeof place));
    size_t length = strlen(place);
    assert_non_null(source_line(pc, small, length + 1));
    assert_string_equal(small, place);
    for (size_t size = 0; size <= length; size++)
        assert_null(source_line(pc, small, size));
}

static void what_is_no_code_of_the_program_has_no_line(void **state)
{
    static int data;
    int local;
    char place[64];
    const void *const pcs[] = {NULL, (void *)1, (void *)-1L, &data, &local, state, (void *)0x7fffffffffff0000};
    for (size_t i = 0; i < sizeof pcs / sizeof pcs[0]; i++)
        assert_null(source_line(pcs[i], place, sizeof place));
}

/* ---- A program made by hand ---------------------------------------------------------------------- */

#define CODE 0x400000u              /* where its code is: [CODE, CODE + 0x10000) */

struct image {
    unsigned char bytes[2048];
    size_t size;
    size_t lines_at, lines_size;    /* where .debug_line is */
};

static void add(struct image *image, const void *bytes, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void add_uint(struct image *image, uint64_t value, size_t size)
{
    add(image, &value, size);       /* tests run on little-endian machines */
}

static void set_uint(struct image *image, size_t at, uint64_t value, size_t size)
{
    memcpy(image->bytes + at, &value, size);
}

#define ADD(image, ...) add((image), (const unsigned char[]){__VA_ARGS__}, sizeof (const unsigned char[]){__VA_ARGS__})
#define ADD_TEXT(image, text) add((image), (text), sizeof (text))

static void begin_image(struct image *image)
{
    memset(image, 0, sizeof *image);
    image->size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    image->lines_at = image->size;
}

/* Headers and the other sections round .debug_line. */
static void end_image(struct image *image)
{
    static const char names[] = "\0.debug_line\0.debug_line_str\0.debug_str\0.names";
    static const char line_strings[] = "/folder\0/folder/five.c", strings[] = "?\0other.c";
    image->lines_size = image->size - image->lines_at;
    size_t line_strings_at = image->size, strings_at = line_strings_at + sizeof line_strings;
    size_t names_at = strings_at + sizeof strings, sections_at = names_at + sizeof names;
    add(image, line_strings, sizeof line_strings);
    add(image, strings, sizeof strings);
    add(image, names, sizeof names);
    Elf64_Shdr sections[5] = {
        [1] = {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = image->lines_at, .sh_size = image->lines_size},
        [2] = {.sh_name = 13, .sh_type = SHT_PROGBITS, .sh_offset = line_strings_at, .sh_size = sizeof line_strings},
        [3] = {.sh_name = 29, .sh_type = SHT_PROGBITS, .sh_offset = strings_at, .sh_size = sizeof strings},
        [4] = {.sh_name = 40, .sh_type = SHT_STRTAB, .sh_offset = names_at, .sh_size = sizeof names},
    };
    add(image, sections, sizeof sections);
    Elf64_Ehdr elf = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
        .e_phoff = sizeof elf, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
        .e_shoff = sections_at, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 5, .e_shstrndx = 4,
    };
    Elf64_Phdr code = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = CODE, .p_memsz = 0x10000};
    memcpy(image->bytes, &elf, sizeof elf);
    memcpy(image->bytes + sizeof elf, &code, sizeof code);
}

/* The start of a unit up to the file names. Its special opcodes move on by some instructions and lines, and put out
 * a row. */
#define LINE_RANGE 9                /* so that opcode 255 is just short of one more instruction */
#define LINE_BASE (-3)
#define SPECIAL(instructions, lines) (13 + LINE_RANGE * (instructions) + (lines) - LINE_BASE)
struct unit_marks { size_t length, header; };

static struct unit_marks begin_unit(struct image *image, unsigned version, unsigned offset_size, unsigned instruction)
{
    struct unit_marks marks;
    if (offset_size == 8)
        add_uint(image, 0xffffffff, 4);
    marks.length = image->size;
    add_uint(image, 0, offset_size);
    add_uint(image, version, 2);
    if (version == 5)
        ADD(image, 8, 0);
    marks.header = image->size;
    add_uint(image, 0, offset_size);
    ADD(image, (unsigned char)instruction);
    if (version >= 4)
        ADD(image, 1);
    ADD(image, 1, (unsigned char)LINE_BASE, LINE_RANGE, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1);
    return marks;
}

static void begin_program(struct image *image, struct unit_marks marks, unsigned offset_size)
{
    set_uint(image, marks.header, image->size - marks.header - offset_size, offset_size);
}

static void end_unit(struct image *image, struct unit_marks marks, unsigned offset_size)
{
    set_uint(image, marks.length, image->size - marks.length - offset_size, offset_size);
}

static void set_address(struct image *image, uint64_t address)
{
    ADD(image, 0, 9, 2);
    add_uint(image, address, 8);
}

/* File names in the way of version 4, and a program that uses every opcode. */
static void add_old_unit(struct image *image, unsigned version)
{
    struct unit_marks marks = begin_unit(image, version, 4, 1);
    ADD_TEXT(image, "/folder\0sub\0");
    ADD_TEXT(image, "four.c");
    ADD(image, 1, 0x80, 0x01, 0);
    ADD_TEXT(image, "deep/er/header.h");
    ADD(image, 2, 0, 0, 0);
    begin_program(image, marks, 4);
    set_address(image, CODE + 0x100);
    ADD(image, 3, 9, 1);                        /* line 10, row at 0x100                            */
    ADD(image, 5, 7, 6, 11, 7, 10, 11, 12, 3);  /* columns and marks, which are passed over         */
    ADD(image, SPECIAL(4, 2));                  /* line 12 at 0x104                                 */
    ADD(image, SPECIAL(4, -3));                 /* line 9 at 0x108                                  */
    ADD(image, 3, 0x83, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0);  /* +3 in more than 64 bits */
    ADD(image, 2, 0x90, 0x01, 3, 0xf1, 0, 1);   /* advance_pc 0x90, line +113: line 125 at 0x198    */
    ADD(image, 4, 2, 8, 3, 0x80, 0x7f, 1);      /* header.h; const_add_pc 26; line -128: -3 at 0x1b2 */
    ADD(image, 3, 4, 9, 0x00, 0x01, 1);         /* line 1; fixed_advance_pc 0x100: at 0x2b2         */
    ADD(image, 0, 3, 0x80, 1, 2);               /* an extended opcode of somebody's own             */
    ADD(image, 4, 9, 2, 1, 1);                  /* file 9, which there is not, at 0x2b3             */
    ADD(image, 4, 1, 2, 1, 3, 0x7f, 1);         /* line 0 at 0x2b4                                  */
    ADD(image, 3, 7, 1);                        /* line 7 at the same address: the later row counts */
    ADD(image, 2, 2, 0, 1, 1);                  /* ends at 0x2b6                                    */
    end_unit(image, marks, 4);
}

/* File names in the way of version 5, in every form, and a second sequence below the first. */
static void add_new_unit(struct image *image, unsigned offset_size)
{
    struct unit_marks marks = begin_unit(image, 5, offset_size, 4);
    ADD(image, 1, 1, 0x1f, 1);                  /* folders: path as line_strp; one */
    add_uint(image, 0, offset_size);
    ADD(image, 9, 2, 0x0b, 1, 0x1f, 5, 0x1e, 3, 0x05, 4, 0x06, 0x81, 0x40, 0x07, 0x82, 0x40, 0x0f, 0x83, 0x40, 0x09,
        0x84, 0x40, 0x0e, 2);                   /* files: folder data1, path line_strp, MD5 data16, and others; two */
    for (unsigned path = 0; path <= 8; path += 8) {
        ADD(image, 0);
        add_uint(image, path, offset_size);
        ADD(image, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
        ADD(image, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x01, 2, 0xaa, 0xbb);
        add_uint(image, 0, offset_size);
    }
    begin_program(image, marks, offset_size);
    set_address(image, CODE + 0x2000);
    ADD(image, 3, 41, 1);                       /* five.c:42 at 0x2000 (file 1)    */
    ADD(image, SPECIAL(2, 1));                  /* 2 instructions: line 43 at 0x2008 */
    ADD(image, 2, 2, 0, 1, 1);                  /* ends at 0x2010                  */
    set_address(image, CODE + 0x1000);
    ADD(image, 4, 1, 1, 2, 4, 0, 1, 1);         /* five.c:1 at 0x1000 to 0x1010    */
    end_unit(image, marks, offset_size);
}

/* Paths that stand in the list itself or in .debug_str, and sequences that must not count. */
static void add_odd_unit(struct image *image)
{
    struct unit_marks marks = begin_unit(image, 5, 4, 1);
    ADD(image, 0, 0);                           /* no folders */
    ADD(image, 1, 1, 0x08, 2);                  /* files: path as string; two */
    ADD_TEXT(image, "first.c");
    ADD_TEXT(image, "folder/");                 /* a name without a name */
    begin_program(image, marks, 4);
    set_address(image, CODE + 0x3000);
    /* first.c:5 at 0x3000, "folder/" at 0x3008, to 0x3010 */
    ADD(image, 4, 0, 3, 4, 1, 2, 8, 4, 1, 1, 2, 8, 0, 1, 1);
    set_address(image, 0);
    ADD(image, 1, 2, 8, 0, 1, 1);               /* thrown away by the linker               */
    set_address(image, CODE - 0x1000);
    ADD(image, 1, 2, 8, 0, 1, 1);               /* where no code is                        */
    set_address(image, CODE + 0x4000);
    ADD(image, 1);
    set_address(image, CODE + 0x3ff0);
    ADD(image, 1, 2, 0x40, 0, 1, 1);            /* goes down                               */
    set_address(image, CODE + 0x5000);
    ADD(image, 1, 0, 1, 1);                     /* covers nothing                          */
    set_address(image, CODE + 0x6000);
    ADD(image, 1, 2, 8);                        /* has no end                              */
    end_unit(image, marks, 4);

    marks = begin_unit(image, 5, 4, 1);
    ADD(image, 0, 0, 1, 1, 0x0e, 1);            /* files: path as strp; one */
    add_uint(image, 2, 4);
    begin_program(image, marks, 4);
    set_address(image, CODE + 0x7000);
    ADD(image, 4, 0, 1, 2, 8, 0, 1, 1);         /* other.c:1 at 0x7000 to 0x7008 */
    end_unit(image, marks, 4);
}

static void assert_place(const struct line_table *table, uint64_t offset, const char *expected)
{
    const char *name = NULL;
    uint32_t line = 0;
    char place[64] = "nothing";
    if (line_table_find(table, CODE + offset, &name, &line))
        snprintf(place, sizeof place, "%s:%u", name, line);
    if (strcmp(place, expected) != 0)
        fail_msg("0x%llx is %s, not %s", (unsigned long long)offset, place, expected);
}

static struct line_table open_image(const struct image *image)
{
    struct line_table table;
    assert_true(line_table_open(&table, image->bytes, image->size));
    return table;
}

static void versions_2_to_4_are_read(void **state)
{
    (void)state;
    for (unsigned version = 2; version <= 4; version++) {
        struct image image;
        begin_image(&image);
        add_old_unit(&image, version);
        end_image(&image);
        struct line_table table = open_image(&image);
        assert_place(&table, 0xff, "nothing");
        assert_place(&table, 0x100, "four.c:10");
        assert_place(&table, 0x103, "four.c:10");
        assert_place(&table, 0x104, "four.c:12");
        assert_place(&table, 0x108, "four.c:9");
        assert_place(&table, 0x197, "four.c:9");
        assert_place(&table, 0x198, "four.c:125");
        assert_place(&table, 0x1b1, "four.c:125");
        assert_place(&table, 0x1b2, "header.h:4294967293");
        assert_place(&table, 0x2b1, "header.h:4294967293");
        assert_place(&table, 0x2b2, "header.h:1");
        assert_place(&table, 0x2b3, "nothing");
        assert_place(&table, 0x2b4, "four.c:7");
        assert_place(&table, 0x2b5, "four.c:7");
        assert_place(&table, 0x2b6, "nothing");
        line_table_close(&table);
    }
}

static void version_5_is_read_in_both_widths(void **state)
{
    (void)state;
    for (unsigned offset_size = 4; offset_size <= 8; offset_size += 4) {
        struct image image;
        begin_image(&image);
        add_new_unit(&image, offset_size);
        end_image(&image);
        struct line_table table = open_image(&image);
        assert_place(&table, 0x2000, "five.c:42");
        assert_place(&table, 0x2007, "five.c:42");
        assert_place(&table, 0x2008, "five.c:43");
        assert_place(&table, 0x200f, "five.c:43");
        assert_place(&table, 0x2010, "nothing");
        assert_place(&table, 0x1fff, "nothing");
        assert_place(&table, 0x1000, "five.c:1");
        assert_place(&table, 0x100f, "five.c:1");
        assert_place(&table, 0x1010, "nothing");
        assert_place(&table, 0xfff, "nothing");
        line_table_close(&table);
    }
}

static void make_full_image(struct image *image)
{
    begin_image(image);
    add_old_unit(image, 4);
    add_new_unit(image, 4);
    add_odd_unit(image);
    end_image(image);
}

static void sequences_without_code_do_not_count(void **state)
{
    (void)state;
    struct image image;
    make_full_image(&image);
    struct line_table table = open_image(&image);
    assert_place(&table, 0x100, "four.c:10");       /* units stand side by side */
    assert_place(&table, 0x2000, "five.c:42");
    assert_place(&table, 0x3000, "first.c:5");
    assert_place(&table, 0x3008, "nothing");
    assert_place(&table, -(uint64_t)CODE, "nothing");
    assert_place(&table, -(uint64_t)0x1000, "nothing");
    assert_place(&table, 0x3ff0, "nothing");
    assert_place(&table, 0x4000, "nothing");
    assert_place(&table, 0x5000, "nothing");
    assert_place(&table, 0x6000, "nothing");
    assert_place(&table, 0x7000, "other.c:1");
    assert_int_equal(table.sequence_count, 5);
    line_table_close(&table);
}

/* A unit that cannot be read is passed over; the others still count. */
static void one_odd_unit_does_not_hide_the_others(void **state)
{
    (void)state;
    static const struct { unsigned char at, value; } odd[] = {
        {4, 1}, {4, 6}, {6, 4}, {7, 4},         /* version, address size, segment size            */
        {11, 0x7f}, {13, 2},                    /* header length, operations an instruction       */
        {16, 0}, {17, 0}, {17, 255},            /* line range, opcode base                        */
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct image image;
        begin_image(&image);
        add_new_unit(&image, 4);
        add_old_unit(&image, 4);
        end_image(&image);
        image.bytes[image.lines_at + odd[i].at] = odd[i].value;
        struct line_table table = open_image(&image);
        assert_place(&table, 0x2000, "nothing");
        assert_place(&table, 0x100, "four.c:10");
        line_table_close(&table);
    }
}

static void what_is_no_program_with_lines_is_refused(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    static const size_t fields[] = {0, EI_CLASS, EI_DATA, offsetof(Elf64_Ehdr, e_shentsize),
                                    offsetof(Elf64_Ehdr, e_phentsize)};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        make_full_image(&image);
        image.bytes[fields[i]] ^= 3;
        assert_false(line_table_open(&table, image.bytes, image.size));
    }
    begin_image(&image);
    end_image(&image);                          /* an empty .debug_line */
    assert_false(line_table_open(&table, image.bytes, image.size));
    assert_false(line_table_open(&table, image.bytes, 0));
    assert_false(line_table_open(&table, "#!/bin/sh\n", 10));
}

/* Compressed sections (gcc -gz) are as good as none. */
static void a_compressed_section_is_not_read(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    make_full_image(&image);
    size_t section = image.size - 4 * sizeof(Elf64_Shdr);
    set_uint(&image, section + offsetof(Elf64_Shdr, sh_flags), SHF_COMPRESSED, 8);
    assert_false(line_table_open(&table, image.bytes, image.size));
}

/* Offsets and sizes whose sum is small again, as it does not fit into 64 bits. */
static void sections_beyond_all_bounds_are_not_read(void **state)
{
    (void)state;
    struct image image;
    struct line_table table;
    make_full_image(&image);
    size_t section = image.size - 4 * sizeof(Elf64_Shdr);
    set_uint(&image, section + offsetof(Elf64_Shdr, sh_size), -(uint64_t)image.lines_at, 8);
    assert_false(line_table_open(&table, image.bytes, image.size));
    make_full_image(&image);
    set_uint(&image, section + offsetof(Elf64_Shdr, sh_offset), -(uint64_t)1, 8);
    assert_false(line_table_open(&table, image.bytes, image.size));
    make_full_image(&image);
    set_uint(&image, offsetof(Elf64_Ehdr, e_shoff), -(uint64_t)sizeof(Elf64_Shdr), 8);
    assert_false(line_table_open(&table, image.bytes, image.size));

    make_full_image(&image);                    /* the name of five.c, 8 bytes into its section, is past the end */
    section += sizeof(Elf64_Shdr);
    set_uint(&image, section + offsetof(Elf64_Shdr, sh_offset), image.size - 8, 8);
    set_uint(&image, section + offsetof(Elf64_Shdr, sh_size), -(uint64_t)8, 8);
    unsigned char *copy = malloc(image.size);
    assert_non_null(copy);
    memcpy(copy, image.bytes, image.size);
    assert_true(line_table_open(&table, copy, image.size));
    assert_place(&table, 0x100, "four.c:10");
    assert_place(&table, 0x2000, "nothing");
    line_table_close(&table);
    free(copy);
}

/* 2^63 folders of no bytes each: whoever counts them never comes back. */
static void a_list_of_nothing_ends(void **state)
{
    (void)state;
    struct image image;
    begin_image(&image);
    struct unit_marks marks = begin_unit(&image, 5, 4, 1);
    ADD(&image, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1, 1, 0x08, 2);
    ADD_TEXT(&image, "first.c");
    ADD_TEXT(&image, "second.c");
    begin_program(&image, marks, 4);
    set_address(&image, CODE);
    ADD(&image, 1, 2, 8, 0, 1, 1);
    end_unit(&image, marks, 4);
    end_image(&image);
    struct line_table table = open_image(&image);
    assert_place(&table, 0, "second.c:1");
    line_table_close(&table);
}

/* ---- Broken files --------------------------------------------------------------------------------- */

/* Reads a file from memory of exactly its size, so that a sanitizer sees a read past the end, and asks it for
 * addresses. Whatever the answer is, it must come, and a name must be one. */
static void try_file(const unsigned char *bytes, size_t size, uint64_t low, uint64_t high)
{
    struct line_table table;
    if (!line_table_open(&table, bytes, size))
        return;
    uint64_t step = (high - low) / 64 + 1;
    for (uint64_t address = low; address < high; address += step) {
        const char *name;
        uint32_t line;
        if (line_table_find(&table, address, &name, &line)) {
            assert_true(line > 0);
            assert_true(strlen(name) > 0);
        }
    }
    line_table_close(&table);
}

static void every_single_broken_byte_does_no_harm(void **state)
{
    (void)state;
    static const unsigned char flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    struct image image;
    make_full_image(&image);
    unsigned char *copy = malloc(image.size);
    assert_non_null(copy);
    memcpy(copy, image.bytes, image.size);
    for (size_t at = 0; at < image.size; at++) {
        for (size_t i = 0; i < sizeof flips; i++) {
            copy[at] ^= flips[i];
            try_file(copy, image.size, CODE, CODE + 0x8000);
            copy[at] = image.bytes[at];
        }
        copy[at] = 0;
        try_file(copy, image.size, CODE, CODE + 0x8000);
        copy[at] = image.bytes[at];
    }
    free(copy);
}

/* The sections are cut off, too: their headers are moved to the front of what is left. */
static void a_file_cut_anywhere_does_no_harm(void **state)
{
    (void)state;
    struct image image;
    make_full_image(&image);
    for (size_t size = 0; size < image.size; size++) {
        unsigned char *copy = malloc(size ? size : 1);
        assert_non_null(copy);
        memcpy(copy, image.bytes, size);
        try_file(copy, size, CODE, CODE + 0x8000);
        free(copy);
    }
    size_t section = image.size - 4 * sizeof(Elf64_Shdr), whole = image.lines_size;
    for (size_t size = 0; size <= whole; size++) {  /* .debug_line alone is cut */
        set_uint(&image, section + offsetof(Elf64_Shdr, sh_size), size, 8);
        try_file(image.bytes, image.size, CODE, CODE + 0x8000);
    }
}

static uint64_t random_bits(void)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

/* This program's own file, from /proc, read whole. */
static unsigned char *read_own_file(size_t *size)
{
    FILE *file = fopen("/proc/self/exe", "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* Breaks one to 16 bytes where it hurts: the ELF header, the section headers, .debug_line or .debug_line_str. */
static void break_bytes(unsigned char *bytes, const struct line_bytes parts[], size_t count)
{
    size_t broken = 1 + random_bits() % 16;
    for (size_t i = 0; i < broken; i++) {
        const struct line_bytes *part = &parts[random_bits() % 8 == 0 ? random_bits() % count : 0];
        if (part->size > 0)
            bytes[(size_t)(part->at - bytes) + random_bits() % part->size] = (unsigned char)random_bits();
    }
}

static void its_own_file_broken_does_no_harm(void **state)
{
    (void)state;
    size_t size;
    unsigned char *original = read_own_file(&size), *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, original, size);
    struct line_table table;
    assert_true(line_table_open(&table, copy, size));
    assert_true(table.sequence_count > 0);
    uint64_t low = table.code_low, high = table.code_high;
    Elf64_Ehdr elf;
    memcpy(&elf, copy, sizeof elf);
    const struct line_bytes parts[] = {
        table.lines, table.line_strings, {copy, sizeof elf}, {copy + elf.e_shoff, elf.e_shnum * sizeof(Elf64_Shdr)},
        {copy + elf.e_phoff, elf.e_phnum * sizeof(Elf64_Phdr)},
    };
    line_table_close(&table);
    for (int round = 0; round < 500; round++) {
        break_bytes(copy, parts, sizeof parts / sizeof parts[0]);
        try_file(copy, size, low, high);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            if (parts[i].size > 0)
                memcpy(copy + (parts[i].at - copy), original + (parts[i].at - copy), parts[i].size);
    }
    free(copy);
    free(original);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_on_its_line),
        cmocka_unit_test(a_place_that_does_not_fit_is_not_cut),
        cmocka_unit_test(what_is_no_code_of_the_program_has_no_line),
        cmocka_unit_test(versions_2_to_4_are_read),
        cmocka_unit_test(version_5_is_read_in_both_widths),
        cmocka_unit_test(sequences_without_code_do_not_count),
        cmocka_unit_test(one_odd_unit_does_not_hide_the_others),
        cmocka_unit_test(what_is_no_program_with_lines_is_refused),
        cmocka_unit_test(a_compressed_section_is_not_read),
        cmocka_unit_test(sections_beyond_all_bounds_are_not_read),
        cmocka_unit_test(a_list_of_nothing_ends),
        cmocka_unit_test(every_single_broken_byte_does_no_harm),
        cmocka_unit_test(a_file_cut_anywhere_does_no_harm),
        cmocka_unit_test(its_own_file_broken_does_no_harm),
    };
    return cmocka_run_group_tests_name("source_line", tests, NULL, NULL);
}
