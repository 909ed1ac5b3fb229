/* Options, described by one row each. The command line, YAML files, --help, stored settings and the
 * man pages all use the rows, so they always agree. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

typedef enum { OPT_BOOL, OPT_INT, OPT_REAL, OPT_TEXT, OPT_CHOICE } OptType;

typedef struct {
    const char *name; /* "mask-ratio"; --mask-ratio on the command line */
    OptType type;
    size_t offset;              /* of the field in the object the rows describe */
    const char *def;            /* default as text; NULL: text that is not set */
    double min, max;            /* inclusive range of OPT_INT and OPT_REAL */
    const char *const *choices; /* OPT_CHOICE: the words, NULL-ended; the field holds the index */
    const char *arg;            /* name of the value in help: "N", "FILE" */
    const char *help;           /* one sentence, lower case, no full stop */
} Opt;

/* Rows. The field's type is checked by the compiler: bool, int64_t, double, char * (owned by the
 * options, freed by opt_free) and int for a choice. */
#define OPT_FIELD(T, S, f) (offsetof(S, f) + 0 * sizeof(&((S *)0)->f == (T *)0))
#define OPT_FLAG_ROW(S, f, name, help)                                                             \
    { name, OPT_BOOL, OPT_FIELD(bool, S, f), "no", 0, 0, NULL, NULL, help }
#define OPT_INT_ROW(S, f, name, def, min, max, arg, help)                                          \
    { name, OPT_INT, OPT_FIELD(int64_t, S, f), def, min, max, NULL, arg, help }
#define OPT_REAL_ROW(S, f, name, def, min, max, help)                                              \
    { name, OPT_REAL, OPT_FIELD(double, S, f), def, min, max, NULL, "X", help }
#define OPT_TEXT_ROW(S, f, name, def, arg, help)                                                   \
    { name, OPT_TEXT, OPT_FIELD(char *, S, f), def, 0, 0, NULL, arg, help }
#define OPT_CHOICE_ROW(S, f, name, def, choices, help)                                             \
    { name, OPT_CHOICE, OPT_FIELD(int, S, f), def, 0, 0, choices, NULL, help }
#define OPT_END                                                                                    \
    { NULL, OPT_BOOL, 0, NULL, 0, 0, NULL, NULL, NULL }

/* Rows and the object they fill, under one heading of --help. An array of groups ends with a row
 * whose `rows` is NULL. */
typedef struct {
    const char *title;
    const Opt *rows;
    void *object;
} OptGroup;

/* Fills every field with its default. The objects must be zeroed first. */
int opt_defaults(const OptGroup *groups);

/* Sets one option from text. `where` names the origin in messages ("--", "settings.yaml: ").
 * ERR_USAGE where the key is unknown or the value does not fit. */
int opt_set(const OptGroup *groups, const char *where, const char *key, const char *value);

/* Sets options from "key=value key=value ...", the form of presets. Errors are those of opt_set. */
int opt_set_list(const OptGroup *groups, const char *where, const char *list);

/* Reads "--key value", "--key=value", "--flag", "-o value" (short for --output); all other words
 * are positional. Stores at most `max` of them in `positional` and their number in *n. ERR_USAGE
 * names the fault and suggests the nearest known option. */
int opt_parse(const OptGroup *groups, int argc, char *const *argv, const char **positional, int max,
              int *n);

/* The value of `--key` on a command line that is not parsed yet, or NULL. For options that change
 * other defaults: --preset, --size, --config. */
const char *opt_peek(int argc, char *const *argv, const char *key);

/* Sets options from a YAML file with a flat mapping "key: value" (opt_yaml.c). Errors for unknown
 * keys and bad values name the file and line. */
int opt_load_yaml(const OptGroup *groups, const char *path);

/* Writes all values as such a mapping, atomically. */
int opt_save_yaml(const OptGroup *groups, const char *path);

/* Converts all values to a JSON object of texts, and back (for checkpoints). Unknown keys are an
 * error. */
Json *opt_to_json(const OptGroup *groups);
int opt_from_json(const OptGroup *groups, const char *where, const Json *object);

/* The value of one row as text. A text option's value is borrowed from the object ("" where it is
 * not set). Other values are written to buf. */
enum { OPT_VALUE = 64 };
const char *opt_value_text(const Opt *row, const void *object, char buf[OPT_VALUE]);

/* The options that differ from their defaults, written for a shell: " --steps=5 --fast", or ""
 * where all are defaults. The caller frees it with mem_free. NULL with the message set on
 * failure. */
char *opt_command(const OptGroup *groups);

/* Prints the rows of --help on stdout. The objects' present values are shown as the defaults. */
void opt_print_help(const OptGroup *groups);

/* Frees the texts. Accepts objects that were never filled (zeroed). */
void opt_free(const OptGroup *groups);

#endif
