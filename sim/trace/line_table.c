/* line_table.c - reads the line tables that a compiler leaves in a program (line_table.h).
 *
 * Formats: ELF, from the System V gABI chapter 4 (headers, sections) and 5 (segments), with the names of <elf.h>;
 * line tables, from the DWARF 5 standard section 6.2 (version 5) and the DWARF 2 to 4 standards, same section.
 *
 * .debug_line is a series of units, one per compiled file. Each is a header, lists of folder and file names, and
 * a "line number program": byte code which, when run, puts out rows (address, file, line). A row holds from its
 * address up to that of the next one. A sequence of rows ends with a row that only says where the code ends.
 * All programs are run once, by line_table_open. File names are looked for again in the unit's header when
 * somebody asks for one, which is rare and saves a table.
 *
 * The bytes come from a student's build, so each is read through a struct reader, which knows where they end.
 * Every loop eats at least one byte per turn: no input can make it hang. Memory comes from mmap, not malloc:
 * so a signal handler may be the first to ask for a line, even after the heap was overwritten.
 */
#include "line_table.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>

struct line_row {
    uint64_t address;
    uint32_t file;                  /* a number in its unit's list of files */
    uint32_t line;                  /* 0: the instruction comes from no line */
};

struct line_sequence {
    uint64_t low, high;             /* the addresses it covers: [low, high)   */
    size_t first, count;            /* rows[first..first + count), count >= 1 */
    size_t unit;                    /* where in .debug_line its unit begins   */
};

/* ---- Reading bytes -------------------------------------------------------------------------- */

/* The bytes still to be read. The first read past the end makes it bad: from then on every read gives 0. */
struct reader {
    const unsigned char *at, *end;
    bool bad;
};

static size_t bytes_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Moves on by n bytes and returns where they are, or NULL if there are not so many. */
static const unsigned char *take(struct reader *reader, uint64_t n)
{
    if (n > bytes_left(reader)) {
        reader->bad = true;
        reader->at = reader->end;
        return NULL;
    }
    const unsigned char *bytes = reader->at;
    reader->at += n;
    return bytes;
}

/* The next n bytes as a reader of their own. */
static struct reader take_part(struct reader *reader, uint64_t n)
{
    const unsigned char *bytes = take(reader, n);
    return (struct reader){.at = bytes, .end = bytes ? bytes + n : NULL, .bad = !bytes};
}

/* A little-endian number of n bytes, n <= 8. */
static uint64_t read_uint(struct reader *reader, unsigned n)
{
    const unsigned char *bytes = take(reader, n);
    uint64_t value = 0;
    for (unsigned i = 0; bytes && i < n; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

/* LEB128: 7 bits a byte, the lowest first, until a byte below 0x80. Bits above the 64th are lost. */
static uint64_t read_leb(struct reader *reader, bool is_signed)
{
    uint64_t value = 0, byte;
    unsigned shift = 0;
    do {
        byte = read_uint(reader, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && (byte & 0x40) && shift < 64)
        value |= -(uint64_t)1 << shift;
    return value;
}

static uint64_t read_uleb(struct reader *reader)
{
    return read_leb(reader, false);
}

/* A string up to and with its '\0'. NULL if that is missing. */
static const char *read_string(struct reader *reader)
{
    const unsigned char *end = bytes_left(reader) ? memchr(reader->at, '\0', bytes_left(reader)) : NULL;
    return (const char *)take(reader, end ? (uint64_t)(end - reader->at) + 1 : UINT64_MAX);
}

/* The string at an offset of a section, or NULL. */
static const char *string_at(const struct line_bytes *section, uint64_t offset)
{
    if (!section->at || offset >= section->size)
        return NULL;
    struct reader reader = {.at = section->at + offset, .end = section->at + section->size};
    return read_string(&reader);
}

/* ---- ELF ------------------------------------------------------------------------------------- */

/* Copies the index-th of the structures of `size` bytes that begin at `offset`. A copy, because in a broken file they
 * may stand at odd addresses. False if it lies outside of the file. */
static bool copy_entry(const struct line_bytes *file, uint64_t offset, uint64_t index, void *entry, size_t size)
{
    if (offset > file->size || (file->size - offset) / size <= index)
        return false;
    memcpy(entry, file->at + offset + index * size, size);
    return true;
}

/* The bytes of section number `index`; none if it has none in the file or they are compressed. */
static struct line_bytes section_bytes(const struct line_bytes *file, const Elf64_Ehdr *elf, unsigned index,
                                       uint32_t *name)
{
    Elf64_Shdr section;
    if (!copy_entry(file, elf->e_shoff, index, &section, sizeof section))
        return (struct line_bytes){0};
    *name = section.sh_name;
    if (section.sh_type == SHT_NOBITS || (section.sh_flags & SHF_COMPRESSED) || section.sh_offset > file->size
        || section.sh_size > file->size - section.sh_offset)
        return (struct line_bytes){0};
    return (struct line_bytes){.at = file->at + section.sh_offset, .size = section.sh_size};
}

static void find_sections(struct line_table *table, const struct line_bytes *file, const Elf64_Ehdr *elf)
{
    uint32_t name = 0;
    struct line_bytes names = section_bytes(file, elf, elf->e_shstrndx, &name);
    for (unsigned i = 0; i < elf->e_shnum; i++) {
        struct line_bytes bytes = section_bytes(file, elf, i, &name);
        const char *text = string_at(&names, name);
        if (!text || !bytes.at)
            continue;
        if (strcmp(text, ".debug_line") == 0)
            table->lines = bytes;
        else if (strcmp(text, ".debug_line_str") == 0)
            table->line_strings = bytes;
        else if (strcmp(text, ".debug_str") == 0)
            table->strings = bytes;
    }
}

static void find_code(struct line_table *table, const struct line_bytes *file, const Elf64_Ehdr *elf)
{
    Elf64_Phdr segment;
    for (unsigned i = 0; i < elf->e_phnum && copy_entry(file, elf->e_phoff, i, &segment, sizeof segment); i++) {
        uint64_t end;
        if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X)
            || __builtin_add_overflow(segment.p_vaddr, segment.p_memsz, &end))
            continue;
        if (table->code_high == 0 || segment.p_vaddr < table->code_low)
            table->code_low = segment.p_vaddr;
        if (end > table->code_high)
            table->code_high = end;
    }
}

static bool read_elf(struct line_table *table, const struct line_bytes *file)
{
    Elf64_Ehdr elf;
    if (!copy_entry(file, 0, 0, &elf, sizeof elf) || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0
        || elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB
        || elf.e_shentsize != sizeof(Elf64_Shdr) || elf.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    find_sections(table, file, &elf);
    find_code(table, file, &elf);
    return table->lines.at && table->lines.size > 0;
}

/* ---- A unit's header ------------------------------------------------------------------------- */

/* Numbers of the DWARF 5 standard, tables 7.25 to 7.27 and section 7.5.6. */
enum { DW_LNCT_path = 1 };
enum {
    DW_FORM_data2 = 0x05, DW_FORM_data4 = 0x06, DW_FORM_data8 = 0x07, DW_FORM_string = 0x08, DW_FORM_block = 0x09,
    DW_FORM_data1 = 0x0b, DW_FORM_strp = 0x0e, DW_FORM_udata = 0x0f, DW_FORM_data16 = 0x1e, DW_FORM_line_strp = 0x1f,
};
enum {
    DW_LNS_copy = 1, DW_LNS_advance_pc = 2, DW_LNS_advance_line = 3, DW_LNS_set_file = 4, DW_LNS_const_add_pc = 8,
    DW_LNS_fixed_advance_pc = 9,
};
enum { DW_LNE_end_sequence = 1, DW_LNE_set_address = 2 };

struct unit {
    unsigned version;               /* 2 to 5                                                */
    unsigned offset_size;           /* bytes of an offset: 4, or 8 in the 64-bit DWARF format */
    unsigned instruction_length;    /* what addresses advance by                             */
    int line_base;                  /* a special opcode adds line_base or up to              */
    unsigned line_range;            /* line_range - 1 more to the line                       */
    unsigned opcode_base;           /* the first special opcode                              */
    const unsigned char *operands;  /* operands[k - 1]: how many LEB128 numbers follow standard opcode k */
    struct reader names;            /* folders and files                                     */
    struct reader program;
};

/* Reads the header of the unit that section stands at, and moves section to the next unit. False if this
 * unit is of no use; there are more, as long as section->bad is not set. */
static bool read_unit(struct reader *section, struct unit *unit)
{
    uint64_t length = read_uint(section, 4);
    unit->offset_size = length == 0xffffffff ? 8 : 4;
    if (unit->offset_size == 8)
        length = read_uint(section, 8);
    struct reader rest = take_part(section, length);
    unit->version = (unsigned)read_uint(&rest, 2);
    if (unit->version < 2 || unit->version > 5)
        return false;
    if (unit->version == 5 && read_uint(&rest, 2) != 0x0008)    /* 8 bytes an address, no segment numbers */
        return false;
    struct reader header = take_part(&rest, read_uint(&rest, unit->offset_size));
    unit->instruction_length = (unsigned)read_uint(&header, 1);
    unsigned operations = unit->version >= 4 ? (unsigned)read_uint(&header, 1) : 1;
    read_uint(&header, 1);                                      /* default_is_stmt: of no interest */
    unit->line_base = (int8_t)read_uint(&header, 1);
    unit->line_range = (unsigned)read_uint(&header, 1);
    unit->opcode_base = (unsigned)read_uint(&header, 1);
    unit->operands = unit->opcode_base ? take(&header, unit->opcode_base - 1) : NULL;
    unit->names = header;
    unit->program = rest;
    /* Several operations an instruction: only on VLIW machines, whose addresses count otherwise. */
    return unit->operands && !header.bad && operations == 1 && unit->line_range > 0;
}

/* ---- File names ------------------------------------------------------------------------------ */

/* Reads a value of a form, of which only strings matter: returns the string, or NULL. */
static const char *read_form(const struct line_table *table, const struct unit *unit, struct reader *reader,
                             uint64_t form)
{
    switch (form) {
    case DW_FORM_string:    return read_string(reader);
    case DW_FORM_line_strp: return string_at(&table->line_strings, read_uint(reader, unit->offset_size));
    case DW_FORM_strp:      return string_at(&table->strings, read_uint(reader, unit->offset_size));
    case DW_FORM_udata:     read_uleb(reader); return NULL;
    case DW_FORM_data1:     take(reader, 1); return NULL;
    case DW_FORM_data2:     take(reader, 2); return NULL;
    case DW_FORM_data4:     take(reader, 4); return NULL;
    case DW_FORM_data8:     take(reader, 8); return NULL;
    case DW_FORM_data16:    take(reader, 16); return NULL;
    case DW_FORM_block:     take(reader, read_uleb(reader)); return NULL;
    default:
        reader->bad = true;         /* of unknown length: what follows cannot be found */
        return NULL;
    }
}

/* Version 5: a list of entries (folders or files), which says itself what it stores of each. Returns the path
 * of number `wanted`, counted from 0, or NULL; reads to the end of the list unless it finds that. */
static const char *read_entries(const struct line_table *table, const struct unit *unit, struct reader *reader,
                                uint64_t wanted)
{
    unsigned columns = (unsigned)read_uint(reader, 1);
    struct reader format = *reader;
    for (unsigned column = 0; column < columns; column++) {
        read_uleb(reader);
        read_uleb(reader);
    }
    uint64_t count = read_uleb(reader);
    if (columns == 0)               /* entries of no bytes: there may be 2^64 of them */
        return NULL;
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        struct reader columns_left = format;
        const char *path = NULL;
        for (unsigned column = 0; column < columns && !reader->bad; column++) {
            uint64_t type = read_uleb(&columns_left);
            const char *text = read_form(table, unit, reader, read_uleb(&columns_left));
            if (type == DW_LNCT_path)
                path = text;
        }
        if (i == wanted)
            return reader->bad ? NULL : path;
    }
    return NULL;
}

/* Versions 2 to 4: strings up to an empty one are folders, then files up to an empty name, counted from 1. */
static const char *read_old_files(struct reader *reader, uint64_t wanted)
{
    const char *path;
    while ((path = read_string(reader)) && *path)
        continue;
    for (uint64_t i = 1; (path = read_string(reader)) && *path; i++) {
        if (i == wanted)
            return path;
        for (int number = 0; number < 3; number++)      /* folder, time, length */
            read_uleb(reader);
    }
    return NULL;
}

/* The name of a file of the unit at this offset of .debug_line, without its folder. NULL if unknown. */
static const char *file_name(const struct line_table *table, size_t offset, uint64_t file)
{
    struct reader section = {.at = table->lines.at + offset, .end = table->lines.at + table->lines.size};
    struct unit unit;
    if (!read_unit(&section, &unit))
        return NULL;
    const char *path;
    if (unit.version == 5) {
        read_entries(table, &unit, &unit.names, UINT64_MAX);    /* folders */
        path = read_entries(table, &unit, &unit.names, file);
    } else {
        path = read_old_files(&unit.names, file);
    }
    if (!path)
        return NULL;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return *name ? name : NULL;
}

/* ---- Line number programs -------------------------------------------------------------------- */

/* The state machine of section 6.2.2, as far as it is of interest here. */
struct machine {
    uint64_t address, file;
    uint32_t line;
    bool falling;                   /* an address went down, which none may: the sequence is of no use */
    size_t first;                   /* the sequence's first row */
};

static struct machine begin_sequence(const struct line_table *table)
{
    return (struct machine){.file = 1, .line = 1, .first = table->row_count};
}

/* There is room: line_table_open made some for each byte of the section. */
static void add_row(struct line_table *table, struct machine *machine)
{
    if (table->row_count > machine->first && machine->address < table->rows[table->row_count - 1].address)
        machine->falling = true;
    table->rows[table->row_count++] = (struct line_row){
        .address = machine->address,
        .file = machine->file < UINT32_MAX ? (uint32_t)machine->file : UINT32_MAX,
        .line = machine->line,
    };
}

/* Keeps the sequence, or drops its rows. Linkers throw functions away (unused sections, doubles of inline functions)
 * but not their rows, which then are at address 0 or another place where no code is. */
static void end_sequence(struct line_table *table, const struct machine *machine, size_t unit)
{
    size_t first = machine->first, count = table->row_count - first;
    uint64_t low = count ? table->rows[first].address : 0, high = machine->address;
    if (low == 0 || low < table->code_low || high > table->code_high || machine->falling
        || high <= table->rows[first + count - 1].address) {
        table->row_count = first;
        return;
    }
    table->sequences[table->sequence_count++] =
        (struct line_sequence){.low = low, .high = high, .first = first, .count = count, .unit = unit};
}

static void run_extended(struct line_table *table, struct unit *unit, struct machine *machine, size_t offset)
{
    struct reader operation = take_part(&unit->program, read_uleb(&unit->program));
    switch (read_uint(&operation, 1)) {
    case DW_LNE_end_sequence:
        end_sequence(table, machine, offset);
        *machine = begin_sequence(table);
        break;
    case DW_LNE_set_address:
        machine->address = read_uint(&operation, bytes_left(&operation) == 4 ? 4 : 8);     /* 4: in WebAssembly */
        break;
    }
}

static void run_standard(struct line_table *table, struct unit *unit, struct machine *machine, unsigned opcode)
{
    struct reader *program = &unit->program;
    switch (opcode) {
    case DW_LNS_copy:
        add_row(table, machine);
        break;
    case DW_LNS_advance_pc:
        machine->address += read_uleb(program) * unit->instruction_length;
        break;
    case DW_LNS_advance_line:
        machine->line += (uint32_t)read_leb(program, true);
        break;
    case DW_LNS_set_file:
        machine->file = read_uleb(program);
        break;
    case DW_LNS_const_add_pc:
        machine->address += (uint64_t)((255 - unit->opcode_base) / unit->line_range) * unit->instruction_length;
        break;
    case DW_LNS_fixed_advance_pc:
        machine->address += read_uint(program, 2);
        break;
    default:                        /* columns, statement marks, blocks, and what later versions may add */
        for (unsigned i = 0; i < unit->operands[opcode - 1] && !program->bad; i++)
            read_uleb(program);
    }
}

static void run_program(struct line_table *table, struct unit *unit, size_t offset)
{
    struct machine machine = begin_sequence(table);
    while (bytes_left(&unit->program) > 0) {
        unsigned opcode = (unsigned)read_uint(&unit->program, 1);
        if (opcode >= unit->opcode_base) {
            unsigned step = opcode - unit->opcode_base;
            machine.address += (uint64_t)(step / unit->line_range) * unit->instruction_length;
            machine.line += (uint32_t)(unit->line_base + (int)(step % unit->line_range));
            add_row(table, &machine);
        } else if (opcode == 0) {
            run_extended(table, unit, &machine, offset);
        } else {
            run_standard(table, unit, &machine, opcode);
        }
    }
    /* Rows of a sequence without an end stay unused: nobody knows how far they hold. */
}

/* ---- The table -------------------------------------------------------------------------------- */

/* Orders the sequences by address. Shell's sort: they are nearly in order already, and libc's qsort takes memory
 * from the heap. */
static void sort_sequences(struct line_sequence sequences[], size_t count)
{
    size_t gap = 1;
    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (size_t i = gap; i < count; i++) {
            struct line_sequence moved = sequences[i];
            size_t to = i;
            for (; to >= gap && sequences[to - gap].low > moved.low; to -= gap)
                sequences[to] = sequences[to - gap];
            sequences[to] = moved;
        }
    }
}

/* Takes memory for as many rows and sequences as the section could hold at most: one row a byte, and 4 bytes
 * a sequence. Most of it is never touched and so costs nothing. */
static bool make_tables(struct line_table *table)
{
    size_t rows = table->lines.size, sequences = table->lines.size / 4 + 1;
    table->mapped = rows * sizeof table->rows[0] + sequences * sizeof table->sequences[0];
    void *memory = mmap(NULL, table->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                        0);
    if (memory == MAP_FAILED)
        return false;
    table->rows = memory;
    table->sequences = (struct line_sequence *)(table->rows + rows);
    return true;
}

bool line_table_open(struct line_table *table, const void *file, size_t size)
{
    *table = (struct line_table){0};
    struct line_bytes bytes = {.at = file, .size = size};
    if (!read_elf(table, &bytes) || !make_tables(table))
        return false;
    struct reader section = {.at = table->lines.at, .end = table->lines.at + table->lines.size};
    while (bytes_left(&section) > 0) {
        size_t offset = (size_t)(section.at - table->lines.at);
        struct unit unit;
        if (read_unit(&section, &unit))
            run_program(table, &unit, offset);
    }
    sort_sequences(table->sequences, table->sequence_count);
    return true;
}

void line_table_close(struct line_table *table)
{
    munmap(table->rows, table->mapped);
    *table = (struct line_table){0};
}

/* The last sequence that begins at or before the address, if the address is in it. */
static const struct line_sequence *find_sequence(const struct line_table *table, uint64_t address)
{
    /* Before low: begin at or before the address; from high on: after. */
    size_t low = 0, high = table->sequence_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->sequences[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < table->sequences[low - 1].high ? &table->sequences[low - 1] : NULL;
}

bool line_table_find(const struct line_table *table, uint64_t address, const char **name, uint32_t *line)
{
    const struct line_sequence *sequence = find_sequence(table, address);
    if (!sequence)
        return false;
    const struct line_row *rows = table->rows + sequence->first;
    size_t low = 1, high = sequence->count;         /* rows[0] begins at or before the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    *line = rows[low - 1].line;
    *name = *line ? file_name(table, sequence->unit, rows[low - 1].file) : NULL;
    return *name != NULL;
}
