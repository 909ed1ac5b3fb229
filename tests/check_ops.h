/* Types and functions that the operations of check_ops_table.c and the harness in check_ops.c
 * share. */
#ifndef TESTS_CHECK_OPS_H
#define TESTS_CHECK_OPS_H

#include "compute/backend.h"

enum { MAX_OPERANDS = 16 };

typedef enum { MASK_NONE, MASK_SOME, MASK_ALL } Mask;
typedef enum { KEEP_ALL, KEEP_SOME, KEEP_NONE } Keep; /* which images keep the residual branch */

/* The sizes and variants of a case. An operation reads the fields that it needs. */
typedef struct {
    int64_t images, tokens, width, out, heads;
    int64_t size, patch, channels, lead; /* images and their patches */
    int64_t inputs;                      /* distinct images in a batch */
    Mask mask;
    Keep keep;
    double drop, drop_path;
    uint32_t step, site;
    BatchPart part;
    float scale;  /* of the random inputs; 0 stands for 1 */
    bool without; /* without the optional operands (bias, db, din, dpred, pre, branch) and decay */
    bool gelu;    /* the layer's input is the output of a GELU */
    bool wide;    /* the output is f32, whatever the input's type */
    bool in_place;
    bool pos;          /* positions are added */
    MemoryKind memory; /* a memory of `out` items */
} Shape;

/* How an operand starts and what the operation may do with it; see check_ops.c. */
typedef enum { IN, OUT, SUM, INOUT } Kind;
typedef enum { NORMAL, POSITIVE, PIXEL, FLAG, WEIGHT } Fill; /* WEIGHT: outputs are about 1 */

typedef struct {
    const char *name;
    Kind kind;
    int64_t count;
    size_t item;          /* bytes of a value; that of a double marks results in host memory */
    Tensor form;          /* the type, and the scale of bytes */
    uint8_t *memory;      /* guard, values, guard; in backend memory, doubles in host memory */
    uint8_t *start, *end; /* copies of `memory` on the host, before and after the operation */
} Operand;

typedef struct Op Op;

typedef struct {
    Backend *be;
    const Op *op;
    const Shape *shape;
    DType type; /* of the input; U8 is that of the output where the input cannot be bytes */
    bool pack, zero_sums, prepared;
    Operand operands[MAX_OPERANDS];
    int count, next;
    Weight weight;
    double flops;
    double began; /* clock_seconds() before the operation itself, after those that it needs */
} Run;

struct Op {
    const char *name;
    void (*run)(Run *r, const Shape *s);
    const Shape *shapes;
    int shape_count;
    const Shape *bench;
    int types;       /* runs with the first `types` of F32, BF16, U8 */
    double bound;    /* of the error, after one step of a result in bf16 or bytes is taken off */
    double bound16;  /* the bound for BF16 and U8 if the operation also rounds inside; else 0 */
    const char *why; /* the cause of the error */
    bool packs;      /* takes packed weights; bytes need them */
};

extern const Op ops[];
extern const int op_count;

/* Each declares the next operand of a run and returns its memory: the host's for host_results, the
 * backend's for the others. */
float *vector_of(Run *r, const char *name, Kind kind, Fill how, int64_t n);
float *vector(Run *r, const char *name, Kind kind, int64_t n);
Tensor matrix(Run *r, const char *name, Kind kind, DType type, int64_t rows, int64_t cols);
double *host_results(Run *r, const char *name, int64_t n);

/* Declares the weight (out, in), an input. It is packed for the run's type if `r->pack` is set. */
const Weight *weight(Run *r, int64_t out, int64_t in);

/* Flags of the shape's mask; NULL where it is MASK_NONE. */
uint8_t *mask_of(Run *r, int64_t n);

#endif
