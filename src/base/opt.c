#include "base/opt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/near_word.h"
#include "base/shell_word.h"
#include "base/words.h"

static const Opt *find(const OptGroup *groups, const char *key, void **object) {
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name; row++)
            if (strcmp(row->name, key) == 0) {
                *object = g->object;
                return row;
            }
    return NULL;
}

static int unknown(const OptGroup *groups, const char *where, const char *key) {
    NearWord n = {.word = key};
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name; row++)
            near_word(&n, row->name);
    if (n.nearest)
        return err_set(ERR_USAGE, "%s%s: unknown option; did you mean %s%s?", where, key,
                       where[0] == '-' ? "--" : "", n.nearest);
    return err_set(ERR_USAGE, "%s%s: unknown option; --help lists all", where, key);
}

/* A bound of a range: whole numbers whole, however many digits they have. */
static const char *bound_text(double x, char buf[OPT_VALUE]) {
    snprintf(buf, OPT_VALUE, x == floor(x) && fabs(x) < 1e15 ? "%.0f" : "%g", x);
    return buf;
}

static int set_number(const Opt *row, void *field, const char *where, const char *value) {
    char *end, low[OPT_VALUE], high[OPT_VALUE];
    bound_text(row->min, low);
    bound_text(row->max, high);
    errno = 0;
    double x = strtod(value, &end);
    bool whole = row->type == OPT_INT;
    if (end == value || *end || errno || !isfinite(x) || (whole && x != floor(x)))
        return err_set(ERR_USAGE, "%s%s: expected a %s number from %s to %s, found \"%s\"", where,
                       row->name, whole ? "whole" : "real", low, high, value);
    if (x < row->min || x > row->max)
        return err_set(ERR_USAGE, "%s%s: %s is out of range, expected %s to %s", where, row->name,
                       value, low, high);
    if (whole)
        *(int64_t *)field = (int64_t)x;
    else
        *(double *)field = x;
    return 0;
}

static int set_bool(const Opt *row, void *field, const char *where, const char *value) {
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (int i = 0; i < 8; i++)
        if (strcmp(value, words[i]) == 0) {
            *(bool *)field = i % 2;
            return 0;
        }
    return err_set(ERR_USAGE, "%s%s: expected yes or no, found \"%s\"", where, row->name, value);
}

static int set_choice(const Opt *row, void *field, const char *where, const char *value) {
    char all[256] = "";
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(value, row->choices[i]) == 0) {
            *(int *)field = i;
            return 0;
        }
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", row->choices[i]);
    }
    return err_set(ERR_USAGE, "%s%s: expected one of %s; found \"%s\"", where, row->name, all,
                   value);
}

static int set_row(const Opt *row, void *object, const char *where, const char *value) {
    void *field = (char *)object + row->offset;
    switch (row->type) {
    case OPT_BOOL:
        return set_bool(row, field, where, value);
    case OPT_INT:
    case OPT_REAL:
        return set_number(row, field, where, value);
    case OPT_CHOICE:
        return set_choice(row, field, where, value);
    case OPT_TEXT:
        break;
    }
    bool unset = !*value && !row->def; /* stored settings hold "" for a text never set */
    char *copy = unset ? NULL : mem_printf("%s", value);
    if (!copy && !unset)
        return ERR_FAIL;
    mem_free(*(char **)field);
    *(char **)field = copy;
    return 0;
}

int opt_defaults(const OptGroup *groups) {
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name; row++)
            if (row->def) {
                int code = set_row(row, g->object, "default ", row->def);
                if (code)
                    return code;
            }
    return 0;
}

int opt_set(const OptGroup *groups, const char *where, const char *key, const char *value) {
    void *object;
    const Opt *row = find(groups, key, &object);
    return row ? set_row(row, object, where, value) : unknown(groups, where, key);
}

static int set_pair(const OptGroup *groups, const char *where, char *word) {
    char *equals = strchr(word, '=');
    if (!equals)
        return err_set(ERR_USAGE, "%s%s: expected key=value", where, word);
    *equals = '\0';
    return opt_set(groups, where, word, equals + 1);
}

int opt_set_list(const OptGroup *groups, const char *where, const char *list) {
    int code = 0;
    for (Words w = words_of(list); !code && words_next(&w);) {
        char *word = mem_printf("%.*s", w.length, w.text);
        code = word ? set_pair(groups, where, word) : ERR_FAIL;
        mem_free(word);
    }
    return code;
}

int opt_parse(const OptGroup *groups, int argc, char *const *argv, const char **positional, int max,
              int *n) {
    bool only_positional = false;
    *n = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!only_positional && strcmp(word, "--") == 0) {
            only_positional = true;
            continue;
        }
        if (only_positional || word[0] != '-' || word[1] == '\0') {
            if (*n == max)
                return err_set(ERR_USAGE, "unexpected argument \"%s\"", word);
            positional[(*n)++] = word;
            continue;
        }
        char key[64];
        const char *value = NULL;
        if (strcmp(word, "-o") == 0) {
            snprintf(key, sizeof key, "output");
        } else if (word[1] != '-') {
            return err_set(ERR_USAGE, "%s: unknown option; --help lists all", word);
        } else {
            value = strchr(word, '=');
            snprintf(key, sizeof key, "%.*s", value ? (int)(value - word - 2) : 63, word + 2);
            value = value ? value + 1 : NULL;
        }
        void *object;
        const Opt *row = find(groups, key, &object);
        if (!row)
            return unknown(groups, "--", key);
        if (!value && row->type == OPT_BOOL)
            value = "yes";
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value)
            return err_set(ERR_USAGE, "--%s: expected a value after it", key);
        if (!*value && row->type == OPT_TEXT && !row->def) /* from an unset shell variable */
            return err_set(ERR_USAGE, "--%s: expected %s, found an empty word", key, row->arg);
        int code = set_row(row, object, "--", value);
        if (code)
            return code;
    }
    return 0;
}

const char *opt_peek(int argc, char *const *argv, const char *key) {
    size_t n = strlen(key);
    const char *value = NULL;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, key, n) != 0)
            continue;
        if (argv[i][n + 2] == '=')
            value = argv[i] + n + 3;
        else if (argv[i][n + 2] == '\0' && i + 1 < argc)
            value = argv[++i];
    }
    return value;
}

const char *opt_value_text(const Opt *row, const void *object, char buf[OPT_VALUE]) {
    const void *field = (const char *)object + row->offset;
    switch (row->type) {
    case OPT_BOOL:
        return *(const bool *)field ? "yes" : "no";
    case OPT_INT:
        snprintf(buf, OPT_VALUE, "%lld", (long long)*(const int64_t *)field);
        break;
    case OPT_REAL:
        snprintf(buf, OPT_VALUE, "%.15g", *(const double *)field);
        if (strtod(buf, NULL) != *(const double *)field) /* 17 digits always read back equal */
            snprintf(buf, OPT_VALUE, "%.17g", *(const double *)field);
        break;
    case OPT_CHOICE:
        return row->choices[*(const int *)field];
    case OPT_TEXT:
        return *(char *const *)field ? *(char *const *)field : "";
    }
    return buf;
}

static bool is_default(const Opt *row, const void *object) {
    char buf[OPT_VALUE];
    const char *value = opt_value_text(row, object, buf);
    if (row->type == OPT_INT || row->type == OPT_REAL)
        return row->def && strtod(value, NULL) == strtod(row->def, NULL);
    if (row->type == OPT_CHOICE && !row->def)
        return strcmp(value, row->choices[0]) == 0;
    return strcmp(value, row->def ? row->def : "") == 0;
}

static char *add_option(char *line, const Opt *row, const void *object) {
    char buf[OPT_VALUE];
    const char *value = opt_value_text(row, object, buf);
    bool flag = row->type == OPT_BOOL && strcmp(value, "yes") == 0;
    char *word = flag ? mem_printf("%s", "") : shell_word(value);
    char *longer = word ? mem_printf("%s --%s%s%s", line, row->name, flag ? "" : "=", word) : NULL;
    mem_free(word);
    mem_free(line);
    return longer;
}

char *opt_command(const OptGroup *groups) {
    char *line = mem_printf("%s", "");
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name && line; row++)
            if (!is_default(row, g->object))
                line = add_option(line, row, g->object);
    return line;
}

Json *opt_to_json(const OptGroup *groups) {
    Json *object = js_object();
    char value[OPT_VALUE];
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name; row++)
            js_set_text(object, row->name, opt_value_text(row, g->object, value));
    return object;
}

typedef struct {
    const OptGroup *groups;
    const char *where;
} SetFrom;

static int set_member(void *ctx, const char *key, const Json *value) {
    const SetFrom *from = ctx;
    const char *text = js_text_of(value);
    if (!text)
        return err_set(ERR_FAIL, "%s%s: expected a text value", from->where, key);
    return opt_set(from->groups, from->where, key, text);
}

int opt_from_json(const OptGroup *groups, const char *where, const Json *object) {
    SetFrom from = {groups, where};
    return js_each(object, set_member, &from);
}

void opt_print_help(const OptGroup *groups) {
    for (const OptGroup *g = groups; g->rows; g++) {
        printf("\n%s:\n", g->title);
        for (const Opt *row = g->rows; row->name; row++) {
            char left[96], choices[80] = "";
            const char *arg = row->arg;
            for (int i = 0; row->type == OPT_CHOICE && row->choices[i]; i++) {
                size_t used = strlen(choices);
                snprintf(choices + used, sizeof choices - used, "%s%s", i ? "|" : "",
                         row->choices[i]);
                arg = choices;
            }
            snprintf(left, sizeof left, "--%s%s%s%s", row->name, arg ? " " : "", arg ? arg : "",
                     strcmp(row->name, "output") == 0 ? ", -o" : "");
            bool long_left = strlen(left) > 26;
            printf("  %-26s%s%*s%s", left, long_left ? "\n" : " ", long_left ? 29 : 0, "",
                   row->help);
            char buf[OPT_VALUE];
            const char *value = opt_value_text(row, g->object, buf);
            if (arg ? row->def && *value : strcmp(value, "yes") == 0)
                printf(" (%s)", value);
            printf("\n");
        }
    }
}

void opt_free(const OptGroup *groups) {
    for (const OptGroup *g = groups; g->rows; g++)
        for (const Opt *row = g->rows; row->name; row++)
            if (row->type == OPT_TEXT) {
                char **field = (char **)((char *)g->object + row->offset);
                mem_free(*field);
                *field = NULL;
            }
}
