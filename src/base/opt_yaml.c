/* Reads and writes settings as a flat YAML mapping. Only this file sees libyaml. */
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"

static int set_pair(const OptGroup *groups, const char *where, const yaml_node_t *key,
                    const yaml_node_t *value) {
    if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE)
        return err_set(ERR_USAGE, "%sexpected \"key: value\", found a nested value", where);
    return opt_set(groups, where, (const char *)key->data.scalar.value,
                   (const char *)value->data.scalar.value);
}

static int load(const OptGroup *groups, const char *path, yaml_document_t *doc) {
    yaml_node_t *root = yaml_document_get_root_node(doc);
    if (!root)
        return 0; /* an empty file changes nothing */
    if (root->type != YAML_MAPPING_NODE)
        return err_set(ERR_USAGE, "%s: expected a mapping of \"key: value\" lines", path);
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = yaml_document_get_node(doc, p->key);
        yaml_node_t *value = yaml_document_get_node(doc, p->value);
        char *where = mem_printf("%s, line %zu: ", path, key->start_mark.line + 1);
        int code = where ? set_pair(groups, where, key, value) : ERR_FAIL;
        mem_free(where);
        if (code)
            return code;
    }
    return 0;
}

int opt_load_yaml(const OptGroup *groups, const char *path) {
    char *text = NULL;
    size_t bytes = 0;
    int code = file_read(path, 1 << 20, &text, &bytes);
    if (code)
        return code;
    yaml_parser_t parser;
    yaml_document_t doc;
    if (!yaml_parser_initialize(&parser)) {
        mem_free(text);
        return err_set(ERR_FAIL, "out of memory while reading %s", path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    if (yaml_parser_load(&parser, &doc)) {
        code = load(groups, path, &doc);
        yaml_document_delete(&doc);
    } else {
        code = err_set(ERR_USAGE, "%s, line %zu: not valid YAML: %s", path,
                       parser.problem_mark.line + 1, parser.problem ? parser.problem : "unknown");
    }
    yaml_parser_delete(&parser);
    mem_free(text);
    return code;
}

/* Texts get YAML's single quotes, and a quote inside is doubled. Numbers and words need no
 * quotes. */
static void print_value(FileOut *f, const Opt *row, const void *object) {
    char buf[OPT_VALUE];
    const char *value = opt_value_text(row, object, buf);
    if (row->type != OPT_TEXT) {
        file_printf(f, "%s", value);
        return;
    }
    file_printf(f, "'");
    for (const char *p = value; *p; p++) {
        file_write(f, p, 1);
        if (*p == '\'')
            file_write(f, p, 1);
    }
    file_printf(f, "'");
}

int opt_save_yaml(const OptGroup *groups, const char *path) {
    FileOut *f = NULL;
    int code = file_create(&f, path);
    if (code)
        return code;
    for (const OptGroup *g = groups; g->rows; g++) {
        file_printf(f, "# %s\n", g->title);
        for (const Opt *row = g->rows; row->name; row++) {
            file_printf(f, "%s: ", row->name);
            print_value(f, row, g->object);
            file_printf(f, "\n");
        }
    }
    return file_commit(&f);
}
