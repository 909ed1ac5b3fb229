#include "base/npy.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

/* No file of labels or scores is larger. The limit keeps a wrong path from filling memory. */
static const size_t MAX_BYTES = (size_t)64 << 30;

/* A cursor over the header, which is a Python dict literal of three known keys. */
typedef struct {
    const char *p, *end;
} Text;

static void skip_space(Text *t) {
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t'))
        t->p++;
}

static bool take(Text *t, char c) {
    skip_space(t);
    if (t->p == t->end || *t->p != c)
        return false;
    t->p++;
    return true;
}

static bool take_word(Text *t, const char *word) {
    skip_space(t);
    size_t n = strlen(word);
    if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
        return false;
    t->p += n;
    return true;
}

/* A quoted string of at most n - 1 characters, without escapes. */
static bool take_string(Text *t, char *out, size_t n) {
    skip_space(t);
    if (t->p == t->end || (*t->p != '\'' && *t->p != '"'))
        return false;
    char quote = *t->p++;
    size_t used = 0;
    while (t->p < t->end && *t->p != quote && *t->p != '\\' && used + 1 < n)
        out[used++] = *t->p++;
    out[used] = '\0';
    return take(t, quote);
}

static bool take_number(Text *t, int64_t *out) {
    skip_space(t);
    const char *start = t->p;
    int64_t v = 0;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *t->p - '0', &v))
            return false;
    *out = v;
    return t->p > start;
}

static bool take_shape(Text *t, Npy *a) {
    if (!take(t, '('))
        return false;
    for (a->rank = 0; !take(t, ')');) {
        if (a->rank == NPY_MAX_RANK || !take_number(t, &a->shape[a->rank++]))
            return false;
        if (!take(t, ',')) {
            return take(t, ')');
        }
    }
    return true;
}

static bool known_type(char kind, long size) {
    switch (kind) {
    case 'b':
        return size == 1;
    case 'f':
        return size == 2 || size == 4 || size == 8;
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8;
    default:
        return false;
    }
}

static int parse_dtype(Npy *a, bool *swapped, const char *name, const char *dtype) {
    char order = dtype[0], kind = order ? dtype[1] : '\0';
    char *end = NULL;
    long size = kind ? strtol(dtype + 2, &end, 10) : 0;
    if (!kind || *end != '\0' || !known_type(kind, size) || !strchr("<>|=", order))
        return err_set(ERR_FAIL,
                       "%s: arrays of type '%s' are not read; expected bool, integers, float16, "
                       "float32 or float64 (a.astype('float64') makes one of real numbers)",
                       name, dtype);
    *swapped = order == '>';
    a->kind = kind;
    a->item_size = (int)size;
    return 0;
}

static int parse_header(Npy *a, bool *fortran, bool *swapped, const char *name, Text t) {
    char key[32], dtype[64] = "";
    bool have_order = false, have_shape = false, ok = take(&t, '{');
    while (ok && !take(&t, '}')) {
        ok = take_string(&t, key, sizeof key) && take(&t, ':');
        if (!ok)
            break;
        if (strcmp(key, "descr") == 0) {
            skip_space(&t);
            if (t.p < t.end && *t.p == '[')
                return err_set(ERR_FAIL,
                               "%s: structured arrays are not read; expected one plain "
                               "array of numbers",
                               name);
            ok = take_string(&t, dtype, sizeof dtype);
        } else if (strcmp(key, "fortran_order") == 0) {
            *fortran = take_word(&t, "True");
            ok = have_order = *fortran || take_word(&t, "False");
        } else {
            ok = have_shape = strcmp(key, "shape") == 0 && take_shape(&t, a);
        }
        if (ok && !take(&t, ',')) {
            ok = take(&t, '}');
            break;
        }
    }
    if (!ok || !dtype[0] || !have_order || !have_shape)
        return err_set(ERR_FAIL,
                       "%s: the .npy header is damaged; expected {'descr': ..., "
                       "'fortran_order': ..., 'shape': (...)}",
                       name);
    return parse_dtype(a, swapped, name, dtype);
}

/* Reverses the bytes of each element. */
static void swap_bytes(const Npy *a) {
    char *item = a->data;
    for (int64_t i = 0; i < a->count; i++, item += a->item_size)
        for (int low = 0, high = a->item_size - 1; low < high; low++, high--) {
            char byte = item[low];
            item[low] = item[high];
            item[high] = byte;
        }
}

/* Copies a Fortran-ordered array to C order: the first index runs fastest in `in`. */
static void to_c_order(const Npy *a, char *out, const char *in) {
    int64_t at[NPY_MAX_RANK] = {0};
    for (int64_t i = 0; i < a->count; i++) {
        int64_t to = 0;
        for (int d = 0; d < a->rank; d++)
            to = to * a->shape[d] + at[d];
        memcpy(out + to * a->item_size, in + i * a->item_size, (size_t)a->item_size);
        for (int d = 0; d < a->rank && ++at[d] == a->shape[d]; d++)
            at[d] = 0;
    }
}

int npy_parse(Npy *out, const char *name, const void *bytes, int64_t n) {
    const unsigned char *p = bytes;
    Npy a = {0};
    bool fortran = false, swapped = false;
    if (n < 10 || memcmp(p, "\x93NUMPY", 6) != 0)
        return err_set(ERR_FAIL, "%s: not a .npy file (expected it to begin with \\x93NUMPY)",
                       name);
    if (p[6] < 1 || p[6] > 3)
        return err_set(ERR_FAIL, "%s: .npy version %d; 1 to 3 are read", name, p[6]);
    int64_t start = p[6] == 1 ? 10 : 12, header = p[8] | p[9] << 8;
    if (p[6] > 1 && n >= start)
        header |= (int64_t)p[10] << 16 | (int64_t)p[11] << 24;
    if (header > n - start)
        return err_set(ERR_FAIL, "%s: the file ends inside its .npy header", name);
    const char *text = (const char *)p + start;
    int code = parse_header(&a, &fortran, &swapped, name, (Text){text, text + header});
    if (code)
        return code;
    int64_t need, have = n - start - header;
    a.count = 1;
    for (int d = 0; d < a.rank; d++)
        if (__builtin_mul_overflow(a.count, a.shape[d], &a.count))
            return err_set(ERR_FAIL, "%s: the shape in the .npy header overflows", name);
    if (__builtin_mul_overflow(a.count, a.item_size, &need) || need != have)
        return err_set(ERR_FAIL,
                       "%s: the .npy header announces %lld elements of %d bytes, but %lld bytes "
                       "follow it",
                       name, (long long)a.count, a.item_size, (long long)have);
    a.data = mem_alloc((size_t)a.count, (size_t)a.item_size);
    if (!a.data)
        return ERR_FAIL;
    if (fortran && a.rank > 1)
        to_c_order(&a, a.data, text + header);
    else
        memcpy(a.data, text + header, (size_t)need);
    if (swapped)
        swap_bytes(&a);
    *out = a;
    return 0;
}

int npy_read(Npy *out, const char *path) {
    char *bytes;
    size_t n;
    int code = file_read(path, MAX_BYTES, &bytes, &n);
    if (code)
        return code;
    code = npy_parse(out, path, bytes, (int64_t)n);
    mem_free(bytes);
    return code;
}

void npy_free(Npy *a) {
    if (!a)
        return;
    mem_free(a->data);
    *a = (Npy){0};
}

int64_t npy_int(const Npy *a, int64_t i) {
    switch (a->kind == 'f' ? 'f' : a->kind == 'i' ? a->item_size : -a->item_size) {
    case 'f':
        return (int64_t)npy_real(a, i);
    case 1:
        return ((const int8_t *)a->data)[i];
    case 2:
        return ((const int16_t *)a->data)[i];
    case 4:
        return ((const int32_t *)a->data)[i];
    case -1:
        return ((const uint8_t *)a->data)[i];
    case -2:
        return ((const uint16_t *)a->data)[i];
    case -4:
        return ((const uint32_t *)a->data)[i];
    default:
        return ((const int64_t *)a->data)[i];
    }
}

/* IEEE 754's binary16: a sign, 5 bits of exponent, 10 bits behind the point. */
static double from_half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -value : value;
}

double npy_real(const Npy *a, int64_t i) {
    if (a->kind == 'f' && a->item_size == 2)
        return from_half(((const uint16_t *)a->data)[i]);
    if (a->kind == 'f')
        return a->item_size == 4 ? ((const float *)a->data)[i] : ((const double *)a->data)[i];
    if (a->kind == 'u' && a->item_size == 8)
        return (double)((const uint64_t *)a->data)[i];
    return (double)npy_int(a, i);
}

static int write_array(const char *path, const char *dtype, const void *data, size_t item, int rank,
                       const int64_t *shape) {
    char dict[256], dims[192] = "";
    size_t used = 0;
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        used += (size_t)snprintf(dims + used, sizeof dims - used, d ? " %lld," : "%lld,",
                                 (long long)shape[d]);
        count *= shape[d];
    }
    if (rank > 1)
        dims[used - 1] = '\0'; /* (2, 3) has no comma at the end, (2,) has one */
    int n = snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                     dtype, dims);
    int total = (10 + n + 1 + 63) / 64 * 64; /* data begins at a multiple of 64 */
    int header = total - 10;
    const char lead[10] = {'\x93', 'N', 'U', 'M',          'P',
                           'Y',    1,   0,   (char)header, (char)(header >> 8)};
    FileOut *f;
    int code = file_create(&f, path);
    if (code)
        return code;
    file_write(f, lead, sizeof lead);
    file_printf(f, "%-*s\n", header - 1, dict);
    file_write(f, data, (size_t)count * item);
    return file_commit(&f);
}

int npy_write_f64(const char *path, const double *data, int rank, const int64_t *shape) {
    return write_array(path, "<f8", data, sizeof *data, rank, shape);
}

int npy_write_u8(const char *path, const uint8_t *data, int rank, const int64_t *shape) {
    return write_array(path, "|u1", data, sizeof *data, rank, shape);
}
