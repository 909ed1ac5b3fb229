/* The safetensors format (method G.4): named tensors and a map of texts in one file. The reader
 * trusts nothing: it checks every offset, shape and type before it uses a byte. */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAFE_MAX_RANK = 8 };

typedef enum { SAFE_F32, SAFE_F64, SAFE_F16, SAFE_BF16, SAFE_I64, SAFE_OTHER } SafeType;

typedef struct {
    const char *name;
    SafeType type;
    int rank;
    int64_t shape[SAFE_MAX_RANK], count;
    const void *data; /* inside the mapped file, little-endian; not aligned */
    int64_t bytes;
} SafeTensor;

typedef struct Safetensors Safetensors;

/* Maps and checks a file. The message of ERR_FAIL names the file and the fault. */
int safetensors_open(Safetensors **out, const char *path);

/* Like safetensors_open, from memory, which must outlive the result (for fuzzing). */
int safetensors_parse(Safetensors **out, const char *name, const void *bytes, int64_t n);
void safetensors_free(Safetensors **s);

/* All borrowed; NULL if the file has none of that name. */
const SafeTensor *safetensors_find(const Safetensors *s, const char *name);
const char *safetensors_metadata(const Safetensors *s, const char *key);
int safetensors_count(const Safetensors *s);
const SafeTensor *safetensors_at(const Safetensors *s, int i);

/* Writes a shape into buf for messages, as "(768, 3, 16, 16)", cut to fit. Returns buf. */
char *safetensors_shape_text(char *buf, size_t n, int rank, const int64_t *shape);

bool safetensors_has_shape(const SafeTensor *t, int rank, const int64_t *shape);

/* ERR_FAIL, naming the file at `path`, if a name has control characters: names are shown on
 * terminals. Both readers of weight files call it. */
int safetensors_check_name(const char *name, const char *path);

/* Copies a tensor's values as float (F32, F64, F16, BF16; method G.2 conversion). */
int safetensors_to_f32(const SafeTensor *t, float *out);

/* A pointer to the values in the file if they are aligned floats; else NULL. */
const float *safetensors_floats(const SafeTensor *t);

/* ERR_FAIL, naming tensor and file, if one of its values is not finite. */
int safetensors_check_finite(const SafeTensor *t, const float *values, const char *path);

/* Writes a file of f32 tensors and texts. All are declared first, then written at once, atomically.
 */
typedef struct SafeWriter SafeWriter;

int safe_writer_open(SafeWriter **out);

/* Borrows `data` until safe_writer_save. Failures are latched until then. */
void safe_writer_add(SafeWriter *w, const char *name, int rank, const int64_t *shape,
                     const float *data);
void safe_writer_metadata(SafeWriter *w, const char *key, const char *value);

/* Writes a temporary file, syncs it and renames it to `path`. Frees *w in any case. */
int safe_writer_save(SafeWriter **w, const char *path);

/* Frees a writer without writing; accepts NULL. */
void safe_writer_free(SafeWriter **w);

#endif
