#include "op_times.h"

#include <stdio.h>

#include "base/clock.h"

/* A row an entry that returns nothing: name, parameters, arguments. */
#define OPS(ROW)                                                                                   \
    ROW(upload, (Backend * be, void *to, const void *host, size_t n), (be, to, host, n))           \
    ROW(zero, (Backend * be, void *p, size_t n), (be, p, n))                                       \
    ROW(linear_forward, (Backend * be, Tensor out, Tensor in, const Weight *w, const float *bias), \
        (be, out, in, w, bias))                                                                    \
    ROW(linear_gelu_forward,                                                                       \
        (Backend * be, Tensor out, Tensor pre, Tensor in, const Weight *w, const float *bias),     \
        (be, out, pre, in, w, bias))                                                               \
    ROW(linear_residual_forward, (Backend * be, const LinearResidualForward *a), (be, a))          \
    ROW(linear_backward,                                                                           \
        (Backend * be, Tensor din, float *dw, float *db, Tensor dout, Tensor in, const Weight *w), \
        (be, din, dw, db, dout, in, w))                                                            \
    ROW(linear_residual_backward, (Backend * be, const LinearResidualBackward *a), (be, a))        \
    ROW(layernorm_forward, (Backend * be, const LayerNormForward *a), (be, a))                     \
    ROW(layernorm_backward, (Backend * be, const LayerNormBackward *a), (be, a))                   \
    ROW(relpos_forward,                                                                            \
        (Backend * be, float *bias, const float *table, int64_t grid, int64_t heads),              \
        (be, bias, table, grid, heads))                                                            \
    ROW(relpos_backward,                                                                           \
        (Backend * be, float *dtable, const float *dbias, int64_t grid, int64_t heads),            \
        (be, dtable, dbias, grid, heads))                                                          \
    ROW(attention_forward, (Backend * be, const AttentionForward *a), (be, a))                     \
    ROW(attention_backward, (Backend * be, const AttentionBackward *a), (be, a))                   \
    ROW(patchify, (Backend * be, Tensor tokens, const float *image, PatchGrid grid, int64_t lead), \
        (be, tokens, image, grid, lead))                                                           \
    ROW(unpatchify, (Backend * be, float *image, Tensor tokens, PatchGrid grid, int64_t lead),     \
        (be, image, tokens, grid, lead))                                                           \
    ROW(embed_forward, (Backend * be, const EmbedForward *a), (be, a))                             \
    ROW(embed_backward, (Backend * be, const EmbedBackward *a), (be, a))                           \
    ROW(image_loss,                                                                                \
        (Backend * be, double *loss, float *dpred, const float *pred, const float *target,         \
         ImageLoss shape),                                                                         \
        (be, loss, dpred, pred, target, shape))                                                    \
    ROW(consistency_loss,                                                                          \
        (Backend * be, double *loss, Tensor dfeatures, Tensor features, ConsistencyLoss shape),    \
        (be, loss, dfeatures, features, shape))                                                    \
    ROW(sum_squares, (Backend * be, double *sum, const float *g, int64_t n), (be, sum, g, n))      \
    ROW(adamw,                                                                                     \
        (Backend * be, float *p, const float *g, float *m, float *v, int64_t n,                    \
         const AdamW *hyper),                                                                      \
        (be, p, g, m, v, n, hyper))

static Backend inner; /* the table as it was */

#define ROW(name, ...) OP_##name,
enum { OPS(ROW) OP_COUNT };
#undef ROW

#define ROW(name, ...) #name,
static const char *const names[] = {OPS(ROW)};
#undef ROW

static double seconds[OP_COUNT];

#define ROW(name, parameters, arguments)                                                           \
    static void timed_##name parameters {                                                          \
        double start = clock_seconds();                                                            \
        inner.name arguments;                                                                      \
        seconds[OP_##name] += clock_seconds() - start;                                             \
    }
OPS(ROW)
#undef ROW

void op_times_install(Backend *be) {
    inner = *be;
#define ROW(name, ...) be->name = timed_##name;
    OPS(ROW)
#undef ROW
}

void op_times_print(void) {
    printf(", \"ops\": {");
    for (int i = 0; i < OP_COUNT; i++) {
        printf("%s\"%s\": %.6f", i ? ", " : "", names[i], seconds[i]);
        seconds[i] = 0;
    }
    putchar('}');
}
