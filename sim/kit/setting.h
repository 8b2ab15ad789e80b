/* setting.h - the settings of a lab program's run: --set NAME=VALUE on its command line, kit_setting in its main.c. */
#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_MOST 32

/* One number that a run is given. */
struct setting {
    const char *text;          /* "workers=5", as the command line has it   */
    size_t name_length;        /* of the name in front of the '='           */
    int64_t value;
    bool asked;                /* somebody has asked for a setting so named */
};

/* All of a run's. Zeroed: none. */
struct settings {
    struct setting given[SETTINGS_MOST];
    size_t n;
    const char *names[SETTINGS_MOST];    /* what was asked for, each name once, in that order */
    size_t names_n;
};

/* Takes "NAME=VALUE", which is not copied; a later one of the same name replaces
 * an earlier one. NULL, or what is wrong with it. */
const char *settings_add(struct settings *, const char *text);

/* The value given for a name (a literal), or `otherwise`. Notes that the name was asked for. */
int64_t settings_value(struct settings *, const char *name, int64_t otherwise);

/* A setting that was given and never asked for; NULL: there is none. */
const struct setting *settings_unasked(const struct settings *);

#endif
