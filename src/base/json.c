#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

/* Json is jansson's json_t under another name, so that other files do not see the library. */
static json_t *in(const Json *j) {
    return (json_t *)(uintptr_t)j;
}

static Json *out(json_t *j) {
    return (Json *)j;
}

Json *js_parse(const char *text, size_t bytes) {
    json_error_t e;
    json_t *j = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &e);
    if (!j)
        err_set(ERR_FAIL, "not valid JSON: %s at line %d, column %d", e.text, e.line, e.column);
    return out(j);
}

Json *js_object(void) {
    return out(json_object());
}

Json *js_array(void) {
    return out(json_array());
}

void js_free(Json *j) {
    json_decref(in(j));
}

void js_set(Json *object, const char *key, Json *value) {
    json_object_set_new(in(object), key, value ? in(value) : json_null());
}

/* Where a text is not UTF-8, replaces each byte outside ASCII by a question mark. */
static json_t *text_or_marks(const char *text) {
    json_t *j = json_string(text);
    char *copy = j || !text ? NULL : mem_printf("%s", text);
    for (char *c = copy; c && *c; c++)
        *c = *c & 0x80 ? '?' : *c;
    if (copy)
        j = json_string(copy);
    mem_free(copy);
    return j;
}

void js_set_text(Json *object, const char *key, const char *text) {
    js_set(object, key, out(text_or_marks(text)));
}

static json_t *number_or_null(double x) {
    return isfinite(x) ? json_real(x) : json_null();
}

void js_set_number(Json *object, const char *key, double number) {
    js_set(object, key, out(number_or_null(number)));
}

void js_set_int(Json *object, const char *key, int64_t number) {
    js_set(object, key, out(json_integer(number)));
}

void js_append(Json *array, Json *value) {
    json_array_append_new(in(array), value ? in(value) : json_null());
}

void js_append_int(Json *array, int64_t number) {
    js_append(array, out(json_integer(number)));
}

void js_append_text(Json *array, const char *text) {
    js_append(array, out(text_or_marks(text)));
}

int js_check_text(const char *what, const char *text) {
    json_t *j = json_string(text ? text : "");
    json_decref(j);
    return j ? 0
             : err_set(ERR_USAGE,
                       "%s is not UTF-8, which the run's files cannot hold; rename it or name a "
                       "link to it",
                       what);
}

const Json *js_get(const Json *object, const char *key) {
    return out(json_object_get(in(object), key));
}

const char *js_text_of(const Json *j) {
    return json_string_value(in(j));
}

bool js_int_of(const Json *j, int64_t *value) {
    if (!json_is_integer(in(j)))
        return false;
    *value = json_integer_value(in(j));
    return true;
}

bool js_number_of(const Json *j, double *value) {
    if (!json_is_number(in(j)))
        return false;
    *value = json_number_value(in(j));
    return true;
}

bool js_is_object(const Json *j) {
    return json_is_object(in(j));
}

bool js_is_array(const Json *j) {
    return json_is_array(in(j));
}

size_t js_count(const Json *j) {
    return json_is_array(in(j)) ? json_array_size(in(j)) : json_object_size(in(j));
}

const Json *js_at(const Json *array, size_t i) {
    return out(json_array_get(in(array), i));
}

int js_each(const Json *object, int (*f)(void *ctx, const char *key, const Json *value),
            void *ctx) {
    const char *key;
    json_t *value;
    json_object_foreach(in(object), key, value) {
        int code = f(ctx, key, out(value));
        if (code)
            return code;
    }
    return 0;
}

char *js_text(const Json *j, bool indented) {
    char *text = json_dumps(in(j), (indented ? JSON_INDENT(2) : JSON_COMPACT) |
                                       JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    if (!text) {
        err_set(ERR_FAIL, "out of memory while writing JSON");
        return NULL;
    }
    char *copy = mem_printf("%s", text);
    free(text);
    return copy;
}

int js_write_file(const Json *j, const char *path) {
    char *text = js_text(j, true);
    FileOut *f = NULL;
    int code = text ? file_create(&f, path) : ERR_FAIL;
    if (!code) {
        file_printf(f, "%s\n", text);
        code = file_commit(&f);
    }
    mem_free(text);
    return code;
}

int js_read_file(Json **out, const char *path, size_t limit) {
    char *text;
    size_t bytes;
    int code = file_read(path, limit, &text, &bytes);
    if (code)
        return code;
    Json *j = js_parse(text, bytes);
    mem_free(text);
    if (!j)
        return err_context(ERR_FAIL, "%s", path);
    *out = j;
    return 0;
}
