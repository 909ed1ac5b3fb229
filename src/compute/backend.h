/* THE SEAM between the method and the silicon: a table of operations.
 *
 * `ref` fills every entry with plain C loops, which define the operation. A backend in host memory
 * then overrides what it does faster. One with memory of its own sets host_memory to false and
 * overrides every entry, those for memory too. The model above is written once. Every operation has
 * a row in tests/check_ops_table.c.
 *
 * Shapes: B images, N patch tokens an image, T = N + 1 tokens with cls (row 0 of each image), D
 * width, H heads. Weights W are (out, in): y = x W^T + b.
 *
 * Types: an operation computes in f32 and rounds each result once, to the type of the tensor that
 * it writes. A weight takes part in a product in the type of the layer's input: bf16 is rounded, U8
 * is a signed byte with a scale for each output (weight.h). Parameters and their gradients are f32.
 *
 * Gradients: an operation writes (=) those of weight matrices (dw) and of activations, and adds
 * (+=) those of all other parameters, unless its comment says otherwise.
 *
 * Memory: all pointers are backend memory unless marked host. An operation may be asynchronous.
 * Losses and norms go to host memory and are valid only after `sync`.
 *
 * Errors: an operation cannot fail visibly. A failure latches and surfaces at `sync`.
 *
 * Threads: one thread uses a Backend; it runs its own threads inside. */
#ifndef COMPUTE_BACKEND_H
#define COMPUTE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compute/noise.h"
#include "compute/tensor.h"
#include "compute/weight.h"

/* Square images cut into square patches. A token's columns are (channel, y, x) of its patch. The
 * patch embedding's weights and PixelShuffle (method A.2) use this order too. */
typedef struct {
    int64_t size, patch, channels;
} PatchGrid;

/* Images in a matrix with `lead` rows before each image's patches. */
static inline int64_t image_count(Tensor tokens, PatchGrid g, int64_t lead) {
    int64_t side = g.size / g.patch;
    return tokens.rows / (side * side + lead);
}

/* How many images share how many inputs: image b belongs to input b % inputs. */
typedef struct {
    int64_t images, inputs;
} FrameShare;

typedef struct {
    int64_t images, tokens, heads, head_dim; /* B, T, H, D / H */
} AttentionShape;

typedef struct {
    double lr, beta1, beta2, eps, decay;
    double correction1, correction2; /* 1 - beta^t */
    double grad_scale;               /* of the norm clip */
} AdamW;

/* Which loss each image of a doubled batch gets: images compare with target (i % targets). */
typedef struct {
    int64_t images, targets, size, channels;
    double lambda_int, lambda_gd; /* weights of the gradient, 1 / B included */
} ImageLoss;

typedef struct {
    int64_t pairs, tokens; /* images are b (clean) and pairs + b (masked); cls is row 0 of tokens */
    double weight;         /* of the gradient */
} ConsistencyLoss;

typedef enum { MEMORY_NONE, MEMORY_MEMAE, MEMORY_MNAD } MemoryKind;

/* The memory whose items express features. cls, row 0 of an image's tokens, reads the memory too,
 * but takes no part in its losses or its update. */
typedef struct {
    MemoryKind kind;
    int64_t count, tokens; /* of items; T */
    double shrink;         /* MemAE: items with a probability up to this are left out */
    double weight[2];      /* of the losses' gradients */
} Memory;

/* The images that a residual branch runs for: those that drop-path keeps, ascending. The branch's
 * matrices hold only the rows of these images; the residual stream holds all rows. */
typedef struct {
    int64_t tokens, count;
    const int32_t *image; /* host; `count` indices, or NULL: all images are kept */
} Kept;

/* The row of the residual stream that row r of a branch belongs to. */
static inline int64_t kept_row(const Kept *k, int64_t r) {
    return k->image ? k->image[r / k->tokens] * k->tokens + r % k->tokens : r;
}

/* ---- arguments of the widest operations; the entries of Backend explain them. */

typedef struct {
    Tensor out, branch, x, in;
    const Weight *w;
    const float *bias, *gamma;
    const Noise *noise;
    const Kept *kept;
} LinearResidualForward;

typedef struct {
    Tensor din;
    float *dw, *db, *dgamma;
    Tensor dbranch, dx, branch, in, pre;
    const Weight *w;
    const float *gamma;
    const Noise *noise;
    const Kept *kept;
} LinearResidualBackward;

typedef struct {
    Tensor out;
    float *mean, *rstd;
    Tensor x;
    const float *w, *b;
    const Kept *kept;
} LayerNormForward;

typedef struct {
    Tensor dx;
    float *dw, *db;
    Tensor dout, x;
    const float *mean, *rstd, *w;
    const Kept *kept;
} LayerNormBackward;

typedef struct {
    Tensor out;
    float *lse;
    Tensor qkv;
    const float *bias;
    AttentionShape shape;
} AttentionForward;

typedef struct {
    Tensor dqkv;
    float *dbias;
    Tensor dout, out, qkv;
    const float *lse, *bias;
    AttentionShape shape;
} AttentionBackward;

typedef struct {
    Tensor x, patches;
    const float *cls, *mask_token, *pos;
    const uint8_t *mask;
    const Noise *noise;
} EmbedForward;

typedef struct {
    Tensor dpatches;
    float *dcls, *dmask_token, *dpos;
    Tensor dx;
    const uint8_t *mask;
    const Noise *noise;
} EmbedBackward;

typedef struct {
    double *loss; /* host */
    float *dpred;
    const float *pred, *target;
    const uint8_t *mask;
    PatchGrid grid;
    int64_t images;
    double weight; /* of the gradient */
} MaskedLoss;

typedef struct {
    float *u, *v;           /* (height, width) */
    const float *from, *to; /* grey pictures, (height, width); 255 is white */
    int64_t width, height;
} Flow;

typedef struct Backend Backend;

struct Backend {
    const char *name;
    int threads;
    bool host_memory;        /* is the backend's memory the host's own? */
    DType type;              /* the type in which the model should keep its activations */
    int packed_byte;         /* bytes of one weight packed for U8 */
    const char *description; /* the level of instruction sets in use */

    /* ---- memory. alloc gives zeroed bytes or NULL with the message set. upload has copied when it
     * returns: the caller may change `host`. download waits for the operations before it, and has
     * finished when it returns. */
    void *(*alloc)(Backend *be, size_t bytes);
    void (*release)(Backend *be, void *p);
    void (*upload)(Backend *be, void *to, const void *host, size_t bytes);
    void (*download)(Backend *be, void *host, const void *from, size_t bytes);
    void (*zero)(Backend *be, void *p, size_t bytes);
    int (*sync)(Backend *be); /* waits for all operations; 0, or the latched failure */

    /* ---- linear layers. The bias of linear_forward and any db may be NULL. A din, pre or branch
     * without data is not computed. */
    /* out = in W^T + bias */
    void (*linear_forward)(Backend *be, Tensor out, Tensor in, const Weight *w, const float *bias);
    /* pre = in W^T + bias; out = GELU(pre), in its exact erf form */
    void (*linear_gelu_forward)(Backend *be, Tensor out, Tensor pre, Tensor in, const Weight *w,
                                const float *bias);
    /* branch = in W^T + bias. In the rows of kept images out = x + path * gamma * dropout(branch),
     * path = 1 / (1 - drop_path); in the others out = x. out and x are f32; out may be x. */
    void (*linear_residual_forward)(Backend *be, const LinearResidualForward *a);
    void (*linear_backward)(Backend *be, Tensor din, float *dw, float *db, Tensor dout, Tensor in,
                            const Weight *w);
    /* dx is the gradient of out and passes on to x unchanged. dbranch is scratch of branch's shape.
     * Where pre has data, `in` is GELU(pre) and din becomes the gradient of pre. */
    void (*linear_residual_backward)(Backend *be, const LinearResidualBackward *a);

    /* ---- layer norm over columns, eps 1e-6, of the kept rows of x (f32). mean and rstd have a
     * value for each row of out. dx (f32) accumulates: it is the residual stream. */
    void (*layernorm_forward)(Backend *be, const LayerNormForward *a);
    void (*layernorm_backward)(Backend *be, const LayerNormBackward *a);

    /* ---- relative position bias (method A.3): table ((2g-1)^2 + 3, H) <-> bias (H, T, T), g = the
     * grid's side, T = g^2 + 1. */
    void (*relpos_forward)(Backend *be, float *bias, const float *table, int64_t grid,
                           int64_t heads);
    void (*relpos_backward)(Backend *be, float *dtable, const float *dbias, int64_t grid,
                            int64_t heads);

    /* ---- attention: qkv (B T, 3 D) -> out (B T, D). q is scaled by head_dim^-1/2, bias (H, T, T)
     * is added to the logits, then softmax. lse (B, H, T) keeps each row's log-sum-exp, so that the
     * backward pass can compute the probabilities again. dbias accumulates. */
    void (*attention_forward)(Backend *be, const AttentionForward *a);
    void (*attention_backward)(Backend *be, const AttentionBackward *a);

    /* ---- images (B, channels, size, size) <-> tokens (B (lead + N), channels patch^2); the `lead`
     * rows of each image are skipped, or set to zero where tokens are written. Each is the other's
     * backward. The image is f32. */
    void (*patchify)(Backend *be, Tensor tokens, const float *image, PatchGrid grid, int64_t lead);
    void (*unpatchify)(Backend *be, float *image, Tensor tokens, PatchGrid grid, int64_t lead);

    /* ---- embedding: x (B T, D), f32, from patches (P N, D). Image b uses the patches of input b %
     * P. Where mask (B N, 0 or 1; NULL: none) is set, the mask token replaces the patch. cls comes
     * first, pos (T, D; may be NULL) is added, and dropout applies to all. dpos may be NULL. */
    void (*embed_forward)(Backend *be, const EmbedForward *a);
    void (*embed_backward)(Backend *be, const EmbedBackward *a);

    /* ---- add_frame: image (B, 3, size, size) += the newest frame of input b % P. A frame's
     * channels are the last three of its input. Pixels in patches where mask (as above) is set stay
     * unchanged. */
    void (*add_frame)(Backend *be, float *image, const float *frames, const uint8_t *mask,
                      PatchGrid frames_grid, FrameShare share);

    /* ---- losses; host memory, valid after sync. image_loss: for image i, loss[2i] = mean squared
     * error (Eq. 2) and loss[2i+1] = gradient difference (Eq. 3; method B.1), both means over
     * channels x size^2. dpred may be NULL. consistency_loss (Eq. 6-7): loss[b] = the symmetric KL
     * of a pair's mean patch feature; dfeatures (f32) accumulates. */
    void (*image_loss)(Backend *be, double *loss, float *dpred, const float *pred,
                       const float *target, ImageLoss shape);
    void (*consistency_loss)(Backend *be, double *loss, Tensor dfeatures, Tensor features,
                             ConsistencyLoss shape);
    /* SimMIM's loss: loss[b] = the sum of |pred - target| over the masked patches of image b; dpred
     * is `weight` times its derivative. Each image has its own target. */
    void (*masked_loss)(Backend *be, const MaskedLoss *a);

    /* ---- memory between features and decoder (method E), of items M (count, D).
     *   MemAE: w = softmax(in M^T) over the items it does not leave out (all: w = 0), out = w M.
     *   MNAD:  q = in / |in|, w = softmax(q M^T), out = [q, w M] (B T, 2 D). */
    void (*memory_forward)(Backend *be, Tensor out, Tensor w, Tensor in, const float *items,
                           const Memory *m);
    /* din and ditems get the gradients that come from dout plus those of weight[i] * loss[i]. For
     * MNAD no gradient passes to w and M (ditems stays unchanged). */
    void (*memory_backward)(Backend *be, Tensor din, float *ditems, Tensor dout, Tensor w,
                            Tensor in, const float *items, const Memory *m);
    /* Sums over patch tokens; host memory, valid after sync. MemAE: the entropy of w, and 0. MNAD:
     * |q - m1|^2, and max(0, |q - m1| - |q - m2| + 1), where m1 and m2 are the two items nearest to
     * q. */
    void (*memory_loss)(Backend *be, double loss[2], Tensor w, Tensor in, const float *items,
                        const Memory *m);
    /* MNAD: every item m becomes m + the sum of exp(q m - top) q, scaled to unit length. The sum is
     * over the patch tokens whose nearest item is m; top is the largest q m of all patch tokens. */
    void (*memory_update)(Backend *be, float *items, Tensor in, const Memory *m);

    /* ---- optical flow: to(x + u, y + v) = from(x, y), in pixels (method I.1). Where a picture has
     * no structure the flow tends to 0. */
    void (*flow)(Backend *be, const Flow *a);

    /* ---- weights. weight_pack makes w->packed from the values at w->data, which in this call
     * alone is host memory, and has read them when it returns. The forward operations of linear
     * layers with an input of this type then read w->packed in place of w->data. Without it they
     * read w->data, but for an input of U8 a backend that packs latches a failure. A backend may
     * never pack, as ref. Returns ERR_FAIL when memory is out. weight_release frees it. */
    int (*weight_pack)(Backend *be, Weight *w, DType type);
    void (*weight_release)(Backend *be, Weight *w);

    /* ---- optimizer, on n values. sum_squares adds in a fixed order; its result is host memory,
     * valid after sync. adamw: method A.8. */
    void (*sum_squares)(Backend *be, double *sum, const float *g, int64_t n);
    void (*adamw)(Backend *be, float *p, const float *g, float *m, float *v, int64_t n,
                  const AdamW *hyper);

    void (*close)(Backend *be);
    void *state; /* of the backend */
    int error;   /* latched code; its message is kept for sync */
    char error_text[256];
};

/* The names of all backends, the default first; NULL ends. */
extern const char *const backend_names[];

/* Opens the named backend with this many threads (0: as many as the process may use). precision is
 * the type of activations: "f32", "bf16", "int8", or NULL for the fastest that training can use on
 * this machine. */
int backend_open(Backend **out, const char *name, int threads, const char *precision);

/* The name of be->type. */
const char *backend_precision(const Backend *be);

/* Accepts NULL; sets *be to NULL. */
void backend_free(Backend **be);

/* Latches a failure; called by operations. The first failure stays. */
void backend_fail(Backend *be, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Row of the relative-position table for a pair of tokens (method A.3); token 0 is cls. */
int64_t relpos_index(int64_t grid, int64_t query, int64_t key);

#endif
