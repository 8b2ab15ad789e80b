/* setting.c - reads "workers=5" and "timeout=300ms", and keeps account of which names a program knows. */
#include "setting.h"

#include <string.h>

/* The length of the name that a text begins with: a letter, then letters, digits and '_'. 0: there is none. */
static size_t name_length(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz", more[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return text[0] && strchr(letters, text[0]) ? strspn(text, more) : 0;
}

/* A whole number, perhaps with a sign, or one with a unit of time, which makes it ns. NULL, or what is wrong. */
static const char *parse_value(const char *text, int64_t *value)
{
    static const struct { const char *name; int64_t ns; } units[] = {
        {"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000},
    };
    int64_t sign = *text == '-' ? -1 : 1, number = 0;
    const char *digits = text + (*text == '-'), *c = digits;
    bool overflow = false;

    for (; *c >= '0' && *c <= '9'; c++)
        overflow |= __builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, sign * (*c - '0'), &number);
    for (size_t i = 0; c > digits && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(c, units[i].name) != 0)
            continue;
        return overflow || __builtin_mul_overflow(number, units[i].ns, value) ? "the value is too large" : NULL;
    }
    return "expected NAME=VALUE with a whole number or a time, such as workers=5 or timeout=300ms";
}

static bool has_name(const struct setting *setting, const char *name, size_t length)
{
    return setting->name_length == length && memcmp(setting->text, name, length) == 0;
}

static struct setting *find(struct settings *settings, const char *name, size_t length)
{
    for (size_t i = 0; i < settings->n; i++)
        if (has_name(&settings->given[i], name, length))
            return &settings->given[i];
    return NULL;
}

const char *settings_add(struct settings *settings, const char *text)
{
    struct setting new = {.text = text, .name_length = name_length(text)};
    bool has_value = new.name_length > 0 && text[new.name_length] == '=';
    const char *fault = parse_value(has_value ? text + new.name_length + 1 : "", &new.value);
    if (fault)
        return fault;
    struct setting *old = find(settings, text, new.name_length);
    if (!old && settings->n == SETTINGS_MOST)
        return "there is no room for so many settings";
    *(old ? old : &settings->given[settings->n++]) = new;
    return NULL;
}

static void note_name(struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->names_n; i++)
        if (strcmp(settings->names[i], name) == 0)
            return;
    if (settings->names_n < SETTINGS_MOST)
        settings->names[settings->names_n++] = name;
}

int64_t settings_value(struct settings *settings, const char *name, int64_t otherwise)
{
    note_name(settings, name);
    struct setting *setting = find(settings, name, strlen(name));
    if (!setting)
        return otherwise;
    setting->asked = true;
    return setting->value;
}

const struct setting *settings_unasked(const struct settings *settings)
{
    for (size_t i = 0; i < settings->n; i++)
        if (!settings->given[i].asked)
            return &settings->given[i];
    return NULL;
}
