/* What the operations of check_ops_table.c and the harness of check_ops.c share. */
#ifndef TESTS_CHECK_OPS_H
#define TESTS_CHECK_OPS_H

#include "compute/backend.h"

enum { MAX_OPERANDS = 16 };

typedef enum { MASK_NONE, MASK_SOME, MASK_ALL } Mask;
typedef enum { KEEP_ALL, KEEP_SOME, KEEP_NONE } Keep; /* images with a residual branch */

/* An operation reads the fields it needs. */
typedef struct {
    int64_t images, tokens, width, out, heads;
    int64_t size, patch, channels, lead; /* images and their patches */
    int64_t inputs;                      /* distinct images in a batch */
    Mask mask;
    Keep keep;
    double drop, drop_path;
    uint32_t step, site;
    BatchPart part;
    float scale;  /* of the random inputs; 0: 1 */
    bool without; /* the optional operands: bias, db, din, dpred, pre, branch */
    bool gelu;    /* the layer's input is that of a GELU */
    bool wide;    /* the output is f32 whatever the input is */
    bool in_place;
    bool pos;          /* positions are added */
    MemoryKind memory; /* with `out` items */
} Shape;

/* How an operand starts and what the operation may do with it; see check_ops.c. */
typedef enum { IN, OUT, SUM, INOUT } Kind;
typedef enum { NORMAL, POSITIVE, PIXEL, FLAG, WEIGHT } Fill; /* weight: outputs are of size 1 */

typedef struct {
    const char *name;
    Kind kind;
    int64_t count;
    size_t item;          /* bytes: those of the type, of a double (host results) or of a flag */
    Tensor form;          /* the type, and the scale of bytes */
    uint8_t *memory;      /* guard, values, guard; backend memory but for doubles */
    uint8_t *start, *end; /* host copies of all that, before and after */
} Operand;

typedef struct Op Op;

typedef struct {
    Backend *be;
    const Op *op;
    const Shape *shape;
    DType type; /* of the operation's input; U8 where only an output can be so: of that */
    bool pack, zero_sums, prepared;
    Operand operands[MAX_OPERANDS];
    int count, next;
    Weight weight;
    double flops;
    double began; /* when the operation itself was called */
} Run;

struct Op {
    const char *name;
    void (*run)(Run *r, const Shape *s);
    const Shape *shapes;
    int shape_count;
    const Shape *bench;
    int types;      /* run in so many of F32, BF16, U8 */
    double bound;   /* of the error, besides one step of the type that a result is rounded to */
    double bound16; /* where bf16 is less exact inside; 0: nowhere */
    const char *why;
    bool packs; /* takes packed weights; with bytes only those */
};

extern const Op ops[];
extern const int op_count;

/* Each declares the next operand of a run and returns its memory, the backend's unless host. */
float *vector_of(Run *r, const char *name, Kind kind, Fill how, int64_t n);
float *vector(Run *r, const char *name, Kind kind, int64_t n);
Tensor matrix(Run *r, const char *name, Kind kind, DType type, int64_t rows, int64_t cols);
double *host_results(Run *r, const char *name, int64_t n);

/* The weight (out, in), an input; packed for inputs of the run's type where the run says so. */
const Weight *weight(Run *r, int64_t out, int64_t in);

/* Flags of the shape's mask; NULL where it is MASK_NONE. */
uint8_t *mask_of(Run *r, int64_t n);

#endif
