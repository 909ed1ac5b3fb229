/* JSON values: the small part of JSON that normalcy reads and writes. Only json.c sees the
 * library. */
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
void js_free(Json *j); /* accepts NULL; frees the members too */

/* Builders return no error. When memory is out, the failure is latched and js_text returns NULL.
 * NaN and infinite numbers are written as null. Bytes of a text that is not UTF-8 are written as
 * question marks. js_set and js_append take over `value`. */
void js_set(Json *object, const char *key, Json *value);
void js_set_text(Json *object, const char *key, const char *text);
void js_set_number(Json *object, const char *key, double number);
void js_set_int(Json *object, const char *key, int64_t number);
void js_append(Json *array, Json *value);
void js_append_int(Json *array, int64_t number);
void js_append_text(Json *array, const char *text);

/* Checks that a text is UTF-8, since JSON cannot store and return any other text unchanged. Else
 * ERR_USAGE, and the message names `what`. NULL passes. */
int js_check_text(const char *what, const char *text);

/* Readers: borrowed results; NULL where the key is absent or of another type. */
const Json *js_get(const Json *object, const char *key);
const char *js_text_of(const Json *j);
bool js_int_of(const Json *j, int64_t *out);   /* false where j is no integer */
bool js_number_of(const Json *j, double *out); /* false where j is no number */
bool js_is_object(const Json *j);
bool js_is_array(const Json *j);
size_t js_count(const Json *j); /* elements of an array, members of an object */
const Json *js_at(const Json *array, size_t i);

/* Calls f for every member in the order of the file. Stops at the first non-zero result and returns
 * it. */
int js_each(const Json *object, int (*f)(void *ctx, const char *key, const Json *value), void *ctx);

/* Compact (one line) or indented text; the caller frees with mem_free. */
char *js_text(const Json *j, bool indented);

/* Writes the indented text and a final newline to a file, atomically. */
int js_write_file(const Json *j, const char *path);

/* Reads a file of at most `limit` bytes. ERR_FAIL names the file and, for a syntax error, the place
 * in it. On failure *out is untouched. */
int js_read_file(Json **out, const char *path, size_t limit);

#endif
