/* JSON values: the small part of it that normalcy reads and writes. The library stays in json.c. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Json Json;

/* Parses `bytes` of text; duplicate keys are an error. NULL with the message set on failure. */
Json *js_parse(const char *text, size_t bytes);

Json *js_object(void);
Json *js_array(void);
void js_free(Json *j); /* accepts NULL; frees all below */

/* Builders never fail visibly: out of memory is latched and js_text returns NULL. NaN and infinite
 * numbers are written as null, what is not UTF-8 in a text as question marks. js_set and js_append
 * take over `value`. */
void js_set(Json *object, const char *key, Json *value);
void js_set_text(Json *object, const char *key, const char *text);
void js_set_number(Json *object, const char *key, double number);
void js_set_int(Json *object, const char *key, int64_t number);
void js_append(Json *array, Json *value);
void js_append_int(Json *array, int64_t number);
void js_append_text(Json *array, const char *text);

/* JSON holds UTF-8 only: ERR_USAGE, naming `what`, for any other text that would have to come back
 * as it was. NULL passes. */
int js_check_text(const char *what, const char *text);

/* Readers: borrowed results; NULL where the key is absent or of another type. */
const Json *js_get(const Json *object, const char *key);
const char *js_text_of(const Json *j);
bool js_int_of(const Json *j, int64_t *out);   /* false where j is no integer */
bool js_number_of(const Json *j, double *out); /* false where j is no number */
bool js_is_object(const Json *j);
bool js_is_array(const Json *j);
size_t js_count(const Json *j); /* of an array or object */
const Json *js_at(const Json *array, size_t i);

/* Calls f for every member in the order of the file; stops at the first non-zero, returned. */
int js_each(const Json *object, int (*f)(void *ctx, const char *key, const Json *value), void *ctx);

/* Compact (one line) or indented text; the caller frees with mem_free. */
char *js_text(const Json *j, bool indented);

/* The indented text as a file, whole or not at all; it ends its last line. */
int js_write_file(const Json *j, const char *path);

/* Reads a file of at most `limit` bytes. ERR_FAIL names it, and where it is not JSON the place. On
 * failure *out is untouched. */
int js_read_file(Json **out, const char *path, size_t limit);

#endif
