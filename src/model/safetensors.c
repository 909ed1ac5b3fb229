#include "model/safetensors.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { MAX_HEADER = 100000000 };

struct Safetensors {
    const char *name; /* of the file, in messages; valid while opening */
    void *map;        /* NULL where the caller owns the bytes */
    size_t map_bytes;
    Json *header; /* the tensors' names live here */
    SafeTensor *tensors;
    int count;
    const uint8_t *data; /* after the header */
    int64_t data_bytes;
};

static const struct {
    const char *name;
    SafeType type;
    int size;
} types[] = {{"F32", SAFE_F32, 4},   {"F64", SAFE_F64, 8},   {"F16", SAFE_F16, 2},
             {"BF16", SAFE_BF16, 2}, {"I64", SAFE_I64, 8},   {"I32", SAFE_OTHER, 4},
             {"I16", SAFE_OTHER, 2}, {"I8", SAFE_OTHER, 1},  {"U64", SAFE_OTHER, 8},
             {"U32", SAFE_OTHER, 4}, {"U16", SAFE_OTHER, 2}, {"U8", SAFE_OTHER, 1},
             {"BOOL", SAFE_OTHER, 1}};

static int read_shape(Safetensors *s, SafeTensor *t, const Json *shape, int64_t *count) {
    if (!js_is_array(shape) || js_count(shape) > SAFE_MAX_RANK)
        return err_set(ERR_FAIL, "%s: tensor %s has no shape of at most %d sizes", s->name, t->name,
                       SAFE_MAX_RANK);
    t->rank = (int)js_count(shape);
    *count = 1;
    for (int i = 0; i < t->rank; i++)
        if (!js_int_of(js_at(shape, (size_t)i), &t->shape[i]) || t->shape[i] < 0 ||
            __builtin_mul_overflow(*count, t->shape[i], count))
            return err_set(ERR_FAIL, "%s: tensor %s has an impossible shape", s->name, t->name);
    return 0;
}

int safetensors_check_name(const char *name, const char *path) {
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c < ' ' || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
            return err_set(ERR_FAIL,
                           "%s: a tensor's name has a control character at byte %lld, which no "
                           "program of networks writes: the file is damaged, or made to mislead",
                           path, (long long)(c - (const unsigned char *)name));
    return 0;
}

static int read_tensor(void *ctx, const char *key, const Json *value) {
    Safetensors *s = ctx;
    if (strcmp(key, "__metadata__") == 0)
        return js_is_object(value)
                   ? 0
                   : err_set(ERR_FAIL, "%s: __metadata__ is no map of texts", s->name);
    int code = safetensors_check_name(key, s->name);
    if (code)
        return code;
    SafeTensor *t = &s->tensors[s->count++];
    t->name = key;
    const char *dtype = js_text_of(js_get(value, "dtype"));
    int size = 0;
    for (size_t i = 0; dtype && i < sizeof types / sizeof *types; i++)
        if (strcmp(dtype, types[i].name) == 0) {
            t->type = types[i].type;
            size = types[i].size;
        }
    if (size == 0)
        return err_set(ERR_FAIL, "%s: tensor %s has unknown dtype \"%s\"", s->name, key,
                       dtype ? dtype : "");
    code = read_shape(s, t, js_get(value, "shape"), &t->count);
    if (code)
        return code;
    const Json *offsets = js_get(value, "data_offsets");
    int64_t begin, end, bytes;
    if (!js_is_array(offsets) || js_count(offsets) != 2 || !js_int_of(js_at(offsets, 0), &begin) ||
        !js_int_of(js_at(offsets, 1), &end))
        return err_set(ERR_FAIL, "%s: tensor %s has no data_offsets [begin, end]", s->name, key);
    if (begin < 0 || end < begin || end > s->data_bytes)
        return err_set(ERR_FAIL,
                       "%s: tensor %s lies at bytes %lld to %lld of %lld, out of range: the "
                       "file is cut short or damaged",
                       s->name, key, (long long)begin, (long long)end, (long long)s->data_bytes);
    if (__builtin_mul_overflow(t->count, size, &bytes))
        return err_set(ERR_FAIL, "%s: tensor %s has an impossible shape", s->name, key);
    if (bytes != end - begin)
        return err_set(ERR_FAIL, "%s: tensor %s has %lld bytes, its shape and dtype need %lld",
                       s->name, key, (long long)(end - begin), (long long)bytes);
    t->data = s->data + begin;
    t->bytes = bytes;
    return 0;
}

static int by_place(const void *a, const void *b) {
    const SafeTensor *s = a, *t = b;
    if (s->data != t->data)
        return (const uint8_t *)s->data < (const uint8_t *)t->data ? -1 : 1;
    return (s->bytes > t->bytes) - (s->bytes < t->bytes);
}

/* The tensors must tile the data: no hole, no overlap, nothing after them. */
static int check_tiling(Safetensors *s) {
    qsort(s->tensors, (size_t)s->count, sizeof *s->tensors, by_place);
    int64_t at = 0;
    for (int i = 0; i < s->count; i++) {
        int64_t begin = (const uint8_t *)s->tensors[i].data - s->data;
        if (begin != at)
            return err_set(ERR_FAIL, "%s: tensor %s begins at byte %lld, expected %lld: %s",
                           s->name, s->tensors[i].name, (long long)begin, (long long)at,
                           begin < at ? "tensors overlap" : "there is a hole");
        at += s->tensors[i].bytes;
    }
    if (at != s->data_bytes)
        return err_set(ERR_FAIL, "%s: tensors end at byte %lld of %lld: the file is %s", s->name,
                       (long long)at, (long long)s->data_bytes,
                       at < s->data_bytes ? "longer than its header says" : "truncated");
    return 0;
}

static int parse(Safetensors *s, const uint8_t *bytes, int64_t n) {
    uint64_t length = 0;
    for (int i = 0; i < 8 && n >= 8; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    if (n >= 10 && bytes[8] != '{')
        return err_set(ERR_FAIL,
                       "%s: not a safetensors file; a model is the folder of a run of 'normalcy "
                       "train', or a checkpoint file",
                       s->name);
    if (n < 10 || length > (uint64_t)n - 8 || length > MAX_HEADER)
        return err_set(ERR_FAIL, "%s: not a safetensors file, or truncated: %lld bytes", s->name,
                       (long long)n);
    s->header = js_parse((const char *)bytes + 8, length);
    if (!s->header)
        return err_context(ERR_FAIL, "%s: header", s->name);
    s->data = bytes + 8 + length;
    s->data_bytes = n - 8 - (int64_t)length;
    s->tensors = mem_alloc(js_count(s->header) + 1, sizeof *s->tensors);
    if (!s->tensors)
        return ERR_FAIL;
    int code = js_each(s->header, read_tensor, s);
    return code ? code : check_tiling(s);
}

int safetensors_parse(Safetensors **out, const char *name, const void *bytes, int64_t n) {
    Safetensors *s = mem_alloc(1, sizeof *s);
    if (!s)
        return ERR_FAIL;
    s->name = name;
    int code = parse(s, bytes, n);
    if (code) {
        safetensors_free(&s);
        return code;
    }
    *out = s;
    return 0;
}

int safetensors_open(Safetensors **out, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        int code = err_sys(ERR_FAIL, "cannot read %s", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        close(fd);
        return err_set(ERR_FAIL, "%s: not a safetensors file: it is %s", path,
                       S_ISREG(st.st_mode)   ? "empty"
                       : S_ISDIR(st.st_mode) ? "a folder"
                                             : "not a regular file");
    }
    size_t bytes = (size_t)st.st_size;
    void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    int code = map == MAP_FAILED
                   ? err_sys(ERR_FAIL, "cannot map the %zu bytes of %s into memory", bytes, path)
                   : 0;
    close(fd);
    if (code)
        return code;
    code = safetensors_parse(out, path, map, (int64_t)bytes);
    if (code) {
        munmap(map, bytes);
        return code;
    }
    (*out)->map = map;
    (*out)->map_bytes = bytes;
    return 0;
}

void safetensors_free(Safetensors **ps) {
    Safetensors *s = ps ? *ps : NULL;
    if (!s)
        return;
    if (s->map)
        munmap(s->map, s->map_bytes);
    js_free(s->header);
    mem_free(s->tensors);
    mem_free(s);
    *ps = NULL;
}

const SafeTensor *safetensors_find(const Safetensors *s, const char *name) {
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->tensors[i].name, name) == 0)
            return &s->tensors[i];
    return NULL;
}

const char *safetensors_metadata(const Safetensors *s, const char *key) {
    return js_text_of(js_get(js_get(s->header, "__metadata__"), key));
}

int safetensors_count(const Safetensors *s) {
    return s->count;
}

const SafeTensor *safetensors_at(const Safetensors *s, int i) {
    return &s->tensors[i];
}

char *safetensors_shape_text(char *buf, size_t n, int rank, const int64_t *shape) {
    size_t used = (size_t)snprintf(buf, n, "(");
    for (int i = 0; i < rank && used < n; i++)
        used +=
            (size_t)snprintf(buf + used, n - used, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (used < n)
        snprintf(buf + used, n - used, ")");
    return buf;
}

bool safetensors_has_shape(const SafeTensor *t, int rank, const int64_t *shape) {
    return t->rank == rank && memcmp(t->shape, shape, (size_t)rank * sizeof *shape) == 0;
}

static float from_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31)
        return from_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) /* subnormal: fraction * 2^-24 */
        return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

int safetensors_to_f32(const SafeTensor *t, float *out) {
    const uint8_t *p = t->data;
    if (t->type == SAFE_F32) {
        memcpy(out, p, (size_t)t->bytes);
        return 0;
    }
    if (t->type != SAFE_F64 && t->type != SAFE_F16 && t->type != SAFE_BF16)
        return err_set(ERR_FAIL, "tensor %s is no floating-point tensor", t->name);
    for (int64_t i = 0; i < t->count; i++) {
        double d;
        uint16_t h;
        if (t->type == SAFE_F64) {
            memcpy(&d, p + 8 * i, sizeof d);
            out[i] = (float)d;
        } else {
            memcpy(&h, p + 2 * i, sizeof h);
            out[i] = t->type == SAFE_F16 ? half_to_float(h) : from_bits((uint32_t)h << 16);
        }
    }
    return 0;
}

const float *safetensors_floats(const SafeTensor *t) {
    return t->type == SAFE_F32 && (uintptr_t)t->data % sizeof(float) == 0 ? t->data : NULL;
}

/* The index of the first value that is not finite, or -1. It first tests whole blocks, in a loop
 * that vectorises. */
static int64_t find_not_finite(const float *x, int64_t n) {
    enum { BLOCK = 4096 };
    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t end = n - i < BLOCK ? n : i + BLOCK;
        float sum = 0; /* 0 unless a value is not finite */
        for (int64_t k = i; k < end; k++)
            sum = x[k] - x[k] != 0 ? 1 : sum;
        for (int64_t k = i; sum != 0 && k < end; k++)
            if (!isfinite(x[k]))
                return k;
    }
    return -1;
}

int safetensors_check_finite(const SafeTensor *t, const float *values, const char *path) {
    int64_t i = find_not_finite(values, t->count);
    return i < 0 ? 0
                 : err_set(ERR_FAIL, "%s: tensor %s holds a value that is not finite at %lld", path,
                           t->name, (long long)i);
}

typedef struct {
    const float *data;
    int64_t count;
} Pending;

struct SafeWriter {
    Json *header, *metadata;
    Pending *pending;
    int count, error;
    int64_t capacity, at; /* at: bytes so far */
};

int safe_writer_open(SafeWriter **out) {
    SafeWriter *w = mem_alloc(1, sizeof *w);
    if (!w)
        return ERR_FAIL;
    w->header = js_object();
    w->metadata = js_object();
    *out = w;
    return 0;
}

void safe_writer_add(SafeWriter *w, const char *name, int rank, const int64_t *shape,
                     const float *data) {
    Pending *p = mem_room(w->pending, w->count, &w->capacity, sizeof *p);
    if (!p) {
        w->error = ERR_FAIL;
        return;
    }
    w->pending = p;
    Json *entry = js_object(), *sizes = js_array(), *offsets = js_array();
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        js_append_int(sizes, shape[i]);
        count *= shape[i];
    }
    js_append_int(offsets, w->at);
    w->at += count * (int64_t)sizeof(float);
    js_append_int(offsets, w->at);
    js_set_text(entry, "dtype", "F32");
    js_set(entry, "shape", sizes);
    js_set(entry, "data_offsets", offsets);
    js_set(w->header, name, entry);
    w->pending[w->count++] = (Pending){data, count};
}

void safe_writer_metadata(SafeWriter *w, const char *key, const char *value) {
    js_set_text(w->metadata, key, value);
}

static int write_all(SafeWriter *w, const char *path) {
    js_set(w->header, "__metadata__", w->metadata);
    w->metadata = NULL;
    char *text = js_text(w->header, false);
    FileOut *f = NULL;
    int code = text ? w->error : ERR_FAIL;
    if (!code)
        code = file_create(&f, path);
    if (code) {
        mem_free(text);
        return code;
    }
    /* Spaces after the JSON align the data to 8 bytes, as in the format's own writer. */
    uint64_t length = strlen(text), padded = (length + 7) / 8 * 8;
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)(padded >> 8 * i);
    file_write(f, prefix, sizeof prefix);
    file_write(f, text, length);
    file_write(f, "       ", padded - length);
    for (int i = 0; i < w->count; i++)
        file_write(f, w->pending[i].data, (size_t)w->pending[i].count * sizeof(float));
    mem_free(text);
    return file_commit(&f);
}

void safe_writer_free(SafeWriter **pw) {
    SafeWriter *w = pw ? *pw : NULL;
    if (!w)
        return;
    js_free(w->header);
    js_free(w->metadata);
    mem_free(w->pending);
    mem_free(w);
    *pw = NULL;
}

int safe_writer_save(SafeWriter **w, const char *path) {
    int code = write_all(*w, path);
    safe_writer_free(w);
    return code;
}
