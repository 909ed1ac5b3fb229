/* What the operations of check_ops_table.c and the harness of check_ops.c share. */
#ifndef TESTS_CHECK_OPS_H
#define TESTS_CHECK_OPS_H

#include "compute/backend.h"

enum { MAX_OPERANDS = 16 };

typedef enum { MASK_NONE, MASK_SOME, MASK_ALL } Mask;

/* An operation reads the fields it needs. */
typedef struct {
    int64_t images, tokens, width, out, heads;
    int64_t size, patch, channels, lead; /* images and their patches */
    int64_t inputs;                      /* distinct images in a batch */
    Mask mask;
    double drop, drop_path;
    uint32_t step, site;
    float scale;  /* of the random inputs; 0: 1 */
    bool without; /* the optional operands: bias, db, din, dpred */
    bool in_place;
} Shape;

/* How an operand starts and what the operation may do with it; see check_ops.c. */
typedef enum { IN, OUT, SUM, INOUT } Kind;
typedef enum { NORMAL, POSITIVE, PIXEL, FLAG } Fill;

typedef struct {
    const char *name;
    Kind kind;
    int64_t count;
    size_t item;          /* bytes: float, double (host results) or uint8_t */
    uint8_t *memory;      /* guard, values, guard; backend memory but for doubles */
    uint8_t *start, *end; /* host copies of all that, before and after */
} Operand;

typedef struct {
    Backend *be;
    const Shape *shape;
    bool zero_sums, prepared;
    Operand operands[MAX_OPERANDS];
    int count, next;
    double flops;
    double began; /* when the operation itself was called */
} Run;

typedef struct {
    const char *name;
    void (*run)(Run *r, const Shape *s);
    const Shape *shapes;
    int shape_count;
    const Shape *bench;
    double bound;
    bool any_threads; /* the same bits for every number of threads */
    const char *why;  /* the bound */
} Op;

extern const Op ops[];
extern const int op_count;

/* Each declares the next operand of a run and returns its memory, the backend's unless host. */
float *vector_of(Run *r, const char *name, Kind kind, Fill how, int64_t n);
float *vector(Run *r, const char *name, Kind kind, int64_t n);
Tensor matrix(Run *r, const char *name, Kind kind, int64_t rows, int64_t cols);
double *host_results(Run *r, const char *name, int64_t n);

/* Flags of the shape's mask; NULL where it is MASK_NONE. */
uint8_t *mask_of(Run *r, int64_t n);

#endif
