/* NumPy .npy arrays, versions 1 to 3. Types: bool, integers of 1 to 8 bytes, float16, float32 and
 * float64. Either byte order, C or Fortran order. */
#ifndef BASE_NPY_H
#define BASE_NPY_H

#include <stdint.h>

enum { NPY_MAX_RANK = 8 };

typedef struct {
    char kind;     /* 'b' bool, 'i' signed, 'u' unsigned, 'f' float */
    int item_size; /* bytes */
    int rank;
    int64_t shape[NPY_MAX_RANK];
    int64_t count;
    void *data; /* owned, C order, this machine's byte order */
} Npy;

/* Reads a whole file. ERR_FAIL names the file and the fault: magic, header, dtype, a shape that
 * overflows, a file shorter or longer than shape x item size. */
int npy_read(Npy *out, const char *path);

/* The same from memory (for fuzzing); `name` is used in messages. */
int npy_parse(Npy *out, const char *name, const void *bytes, int64_t n);

void npy_free(Npy *a);

/* Element i as an integer or a double, for any array type. npy_int must not be used for values
 * outside the range of int64_t. */
int64_t npy_int(const Npy *a, int64_t i);
double npy_real(const Npy *a, int64_t i);

/* Writes a float64 / uint8 array atomically. */
int npy_write_f64(const char *path, const double *data, int rank, const int64_t *shape);
int npy_write_u8(const char *path, const uint8_t *data, int rank, const int64_t *shape);

#endif
