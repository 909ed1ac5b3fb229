/* Attention: one task for each head of an image, or for a part of its queries if there are few
 * heads. Its logits live in tiles that stay in the first-level cache. Only the backward pass keeps
 * a matrix of probabilities, in scratch. */
#include <math.h>

#include "compute/cpu/product.h"

/* Images whose bias gradient one backward task sums; heads for each thread that are many. */
enum { GROUP = 4, MANY = 8 };

typedef struct {
    const Kernels *kn;
    AttentionShape s;
    DType type; /* of all tensors except the forward pass's out */
    float scale;
    int64_t mr, blocks; /* queries in a block, number of blocks */
    int64_t parts;      /* of a head's queries; forward pass */
    Tensor out, qkv, dqkv, dout;
    float *lse;
    const float *bias;
    float *dbias, *sums; /* sums: (groups - 1, H, T, T) */
    char *scratch;
    size_t scratch_bytes; /* for each thread */
} Attention;

/* A matrix of one head: row t is at `data` + t * `row` bytes. */
typedef struct {
    char *data;
    int64_t row;
} Rows;

/* Carves a task's scratch from `base`; if base is NULL, it only counts the bytes. */
typedef struct {
    char *base;
    size_t used;
} Room;

static char *room_take(Room *room, int64_t bytes) {
    char *p = room->base ? room->base + room->used : NULL;
    room->used += cpu_aligned((size_t)bytes);
    return p;
}

static int64_t whole_panels(const Attention *a, int64_t n) {
    return (n + a->kn->nr - 1) / a->kn->nr;
}

/* Columns of image b from part * D + h * head_dim on. */
static Rows head_rows(Tensor x, AttentionShape s, int64_t b, int64_t h, int64_t part) {
    return (Rows){tensor_at(x, b * s.tokens, (part * s.heads + h) * s.head_dim),
                  x.cols * (int64_t)dtype_bytes(x.type)};
}

/* Packs panels for products with the rows of x: their columns are the tokens. */
static void pack_tokens(const Attention *a, char *panels, Rows x) {
    int64_t nr = a->kn->nr, T = a->s.tokens, d = a->s.head_dim;
    int64_t ld = x.row / (int64_t)dtype_bytes(a->type), bytes = panel_bytes(a->kn, a->type, d);
    for (int64_t t = 0; t < T; t += nr)
        a->kn->pack_rows(panels + t / nr * bytes, a->type, x.data + t * x.row, a->type, ld,
                         T - t < nr ? T - t : nr, d);
    panels_pad(a->kn, panels, whole_panels(a, T), a->type, d);
}

/* Packs panels for sums over tokens: their columns are those of x. */
static void pack_features(const Attention *a, char *panels, Rows x) {
    int64_t T = a->s.tokens, d = a->s.head_dim;
    a->kn->pack_cols(panels, panel_bytes(a->kn, a->type, T), a->type, x.data, a->type,
                     x.row / (int64_t)dtype_bytes(a->type), d, T);
    panels_pad(a->kn, panels, whole_panels(a, d), a->type, T);
}

/* Returns x as a left operand: x itself, or a copy whose rows are whole units of groups. */
static Rows whole_groups(const Attention *a, Rows x, char *copy) {
    int64_t bytes = a->s.head_dim * (int64_t)dtype_bytes(a->type);
    Rows y = {copy, group_count(a->kn, a->type, a->s.head_dim) * 4};
    if (y.row == bytes)
        return x;
    for (int64_t t = 0; t < a->s.tokens; t++) {
        memset(y.data + t * y.row + bytes, 0, (size_t)(y.row - bytes));
        memcpy(y.data + t * y.row, x.data + t * x.row, (size_t)bytes);
    }
    return y;
}

/* Computes tiles side by side: rows of x times `n` columns of panels, over k. */
static void product(const Attention *a, float *tiles, Rows x, int64_t row, const char *panels,
                    int64_t n, int64_t k, int rows) {
    int64_t groups = group_count(a->kn, a->type, k), bytes = panel_bytes(a->kn, a->type, k);
    for (int64_t j = 0; j < whole_panels(a, n); j++)
        a->kn->tile[a->type](tiles + j * a->mr * a->kn->nr, x.data + row * x.row, x.row,
                             panels + j * bytes, groups, rows, false, NULL);
}

static void put(const Attention *a, Tensor out, Rows to, int64_t row, const float *tiles,
                int rows) {
    int64_t nr = a->kn->nr, d = a->s.head_dim;
    for (int64_t c = 0; c < d; c += nr, tiles += a->mr * nr)
        a->kn->put(out, to.data + row * to.row + c * (int64_t)dtype_bytes(out.type), NULL, tiles,
                   rows, (int)(d - c < nr ? d - c : nr));
}

/* The last block of queries may be short. */
static int block_rows(const Attention *a, int64_t row) {
    int64_t left = a->s.tokens - row;
    return (int)(left < a->mr ? left : a->mr);
}

typedef struct {
    char *q, *k, *v; /* q: room for whole_groups */
    float *logits, *out;
    Rows p; /* of a block */
} Forward;

static Forward forward_room(const Attention *a, Room *room) {
    const Kernels *kn = a->kn;
    int64_t T = a->s.tokens, d = a->s.head_dim, wide = whole_panels(a, T) * kn->nr;
    Forward w;
    w.q = room_take(room, T * group_count(a->kn, a->type, d) * 4);
    w.k = room_take(room, whole_panels(a, T) * panel_bytes(kn, a->type, d));
    w.v = room_take(room, whole_panels(a, d) * panel_bytes(kn, a->type, T));
    w.logits = (float *)room_take(room, a->mr * wide * 4);
    w.out = (float *)room_take(room, a->mr * whole_panels(a, d) * kn->nr * 4);
    w.p.row = wide * (int64_t)dtype_bytes(a->type);
    w.p.data = room_take(room, a->mr * w.p.row);
    return w;
}

static void forward_task(void *arg, int64_t task, int thread) {
    const Attention *a = arg;
    const Kernels *kn = a->kn;
    int64_t T = a->s.tokens, d = a->s.head_dim, part = task % a->parts, head = task / a->parts;
    int64_t h = head / a->s.images, b = head % a->s.images;
    int64_t first = part * a->blocks / a->parts * a->mr;
    int64_t end = part + 1 < a->parts ? (part + 1) * a->blocks / a->parts * a->mr : T;
    Forward w = forward_room(a, &(Room){a->scratch + (size_t)thread * a->scratch_bytes, 0});
    Rows out = head_rows(a->out, a->s, b, h, 0);
    Rows q = whole_groups(a, head_rows(a->qkv, a->s, b, h, 0), w.q);
    pack_tokens(a, w.k, head_rows(a->qkv, a->s, b, h, 1));
    pack_features(a, w.v, head_rows(a->qkv, a->s, b, h, 2));
    for (int64_t t = first; t < end; t += tile_rows(a->mr, end - t)) {
        int rows = tile_rows(a->mr, end - t);
        product(a, w.logits, q, t, w.k, T, d, rows);
        kn->softmax(w.p.data, a->type, a->lse + (b * a->s.heads + h) * T + t, w.logits,
                    a->mr * kn->nr, a->scale, a->bias + (h * T + t) * T, T, rows);
        product(a, w.out, w.p, 0, w.v, d, T, rows);
        put(a, a->out, out, t, w.out, rows);
    }
}

typedef struct {
    char *q, *dout;                                /* room for whole_groups */
    char *k_tokens, *v_tokens;                     /* panels over head_dim */
    char *q_features, *k_features, *dout_features; /* panels over tokens */
    float *logits, *dp, *dots, *out;
    Rows p, ds;
    char *left; /* p or ds, transposed */
} Backward;

static Backward backward_room(const Attention *a, Room *room) {
    const Kernels *kn = a->kn;
    int64_t T = a->s.tokens, d = a->s.head_dim, wide = whole_panels(a, T) * kn->nr;
    int64_t rows_bytes = T * group_count(a->kn, a->type, d) * 4;
    int64_t tokens_bytes = whole_panels(a, T) * panel_bytes(kn, a->type, d);
    int64_t features_bytes = whole_panels(a, d) * panel_bytes(kn, a->type, T);
    Backward w;
    w.q = room_take(room, rows_bytes);
    w.dout = room_take(room, rows_bytes);
    w.k_tokens = room_take(room, tokens_bytes);
    w.v_tokens = room_take(room, tokens_bytes);
    w.q_features = room_take(room, features_bytes);
    w.k_features = room_take(room, features_bytes);
    w.dout_features = room_take(room, features_bytes);
    w.logits = (float *)room_take(room, a->mr * wide * 4);
    w.dp = (float *)room_take(room, a->mr * wide * 4);
    w.dots = (float *)room_take(room, T * 4);
    w.out = (float *)room_take(room, a->mr * whole_panels(a, d) * kn->nr * 4);
    w.p.row = w.ds.row = wide * (int64_t)dtype_bytes(a->type);
    w.p.data = room_take(room, T * w.p.row);
    w.ds.data = room_take(room, T * w.ds.row);
    w.left = room_take(room, a->blocks * left_bytes(kn, a->type, T));
    return w;
}

/* to = x^T times panels over tokens. */
static void transposed_product(const Attention *a, Rows to, Rows x, const char *panels,
                               const Backward *w) {
    const Kernels *kn = a->kn;
    int64_t T = a->s.tokens, bytes = left_bytes(kn, a->type, T);
    kn->pack_left[a->type](w->left, bytes, x.data, x.row / (int64_t)dtype_bytes(a->type), T, T,
                           NULL);
    for (int64_t i = 0; i < a->blocks; i++) {
        for (int64_t j = 0; j < whole_panels(a, a->s.head_dim); j++)
            kn->tile_packed[a->type](w->out + j * a->mr * kn->nr, w->left + i * bytes,
                                     panels + j * panel_bytes(kn, a->type, T),
                                     group_count(a->kn, a->type, T));
        put(a, a->dqkv, to, i * a->mr, w->out, block_rows(a, i * a->mr));
    }
}

static void backward_head(const Attention *a, const Backward *w, int64_t b, int64_t h,
                          float *dbias) {
    const Kernels *kn = a->kn;
    int64_t T = a->s.tokens, d = a->s.head_dim;
    Rows k = head_rows(a->qkv, a->s, b, h, 1), v = head_rows(a->qkv, a->s, b, h, 2);
    Rows out = head_rows(a->out, a->s, b, h, 0), dq = head_rows(a->dqkv, a->s, b, h, 0);
    Rows q = whole_groups(a, head_rows(a->qkv, a->s, b, h, 0), w->q);
    Rows dout = whole_groups(a, head_rows(a->dout, a->s, b, h, 0), w->dout);
    pack_tokens(a, w->k_tokens, k);
    pack_tokens(a, w->v_tokens, v);
    pack_features(a, w->q_features, q);
    pack_features(a, w->k_features, k);
    pack_features(a, w->dout_features, dout);
    for (int64_t t = 0; t < T; t++)
        w->dots[t] = kn->dot(dout.data + t * dout.row, out.data + t * out.row, a->type, d);
    for (int64_t t = 0; t < T; t += tile_rows(a->mr, T - t)) {
        int rows = tile_rows(a->mr, T - t);
        product(a, w->logits, q, t, w->k_tokens, T, d, rows);
        product(a, w->dp, dout, t, w->v_tokens, T, d, rows);
        kn->softmax_backward(w->p.data + t * w->p.row, w->ds.data + t * w->ds.row, a->type,
                             w->logits, w->dp, a->mr * kn->nr, a->scale, a->bias + (h * T + t) * T,
                             a->lse + (b * a->s.heads + h) * T + t, w->dots + t, dbias + t * T, T,
                             rows);
        product(a, w->out, w->ds, t, w->k_features, d, T, rows);
        put(a, a->dqkv, dq, t, w->out, rows);
    }
    transposed_product(a, head_rows(a->dqkv, a->s, b, h, 1), w->ds, w->q_features, w);
    transposed_product(a, head_rows(a->dqkv, a->s, b, h, 2), w->p, w->dout_features, w);
}

/* Takes one head of up to GROUP images, one after another, so that their bias gradients add up in
 * one order. */
static void backward_task(void *arg, int64_t task, int thread) {
    const Attention *a = arg;
    int64_t square = a->s.tokens * a->s.tokens, h = task % a->s.heads, group = task / a->s.heads;
    Backward w = backward_room(a, &(Room){a->scratch + (size_t)thread * a->scratch_bytes, 0});
    float *dbias = a->dbias + h * square;
    if (group > 0) {
        dbias = a->sums + ((group - 1) * a->s.heads + h) * square;
        memset(dbias, 0, (size_t)square * sizeof *dbias);
    }
    for (int64_t b = group * GROUP; b < (group + 1) * GROUP && b < a->s.images; b++)
        backward_head(a, &w, b, h, dbias);
}

static Attention attention_of(Backend *be, Tensor out, Tensor qkv, float *lse, const float *bias,
                              AttentionShape s) {
    const Kernels *kn = cpu_of(be)->kn;
    int64_t mr = kn->mr[qkv.type];
    return (Attention){.kn = kn,
                       .s = s,
                       .type = qkv.type,
                       .scale = 1 / sqrtf((float)s.head_dim),
                       .mr = mr,
                       .blocks = (s.tokens + mr - 1) / mr,
                       .out = out,
                       .qkv = qkv,
                       .lse = lse,
                       .bias = bias};
}

/* The fewest parts that give all threads the same number of tasks. Each part packs the keys and
 * values again, so there is one part if there are many heads. */
static int64_t parts_of(int64_t heads, int64_t threads, int64_t blocks) {
    int64_t parts = 1;
    while (heads < MANY * threads && heads * parts % threads)
        parts++;
    return parts < blocks ? parts : blocks;
}

static void attention_forward(Backend *be, const AttentionForward *args) {
    Attention a = attention_of(be, args->out, args->qkv, args->lse, args->bias, args->shape);
    a.parts = parts_of(a.s.images * a.s.heads, be->threads, a.blocks);
    Room room = {0};
    forward_room(&a, &room);
    a.scratch_bytes = room.used;
    a.scratch = cpu_scratch(be, room.used * (size_t)be->threads);
    if (a.scratch)
        pool_run(cpu_of(be)->pool, a.s.images * a.s.heads * a.parts, forward_task, &a);
}

static void attention_backward(Backend *be, const AttentionBackward *args) {
    AttentionShape s = args->shape;
    if (s.images == 0)
        return;
    Attention a = attention_of(be, args->out, args->qkv, (float *)args->lse, args->bias, s);
    a.dqkv = args->dqkv;
    a.dout = args->dout;
    a.dbias = args->dbias;
    int64_t groups = (s.images + GROUP - 1) / GROUP, all = s.heads * s.tokens * s.tokens;
    Room room = {0};
    backward_room(&a, &room);
    a.scratch_bytes = room.used;
    size_t threads_bytes = room.used * (size_t)be->threads;
    a.scratch = cpu_scratch(be, threads_bytes + (size_t)((groups - 1) * all) * sizeof *a.dbias);
    if (!a.scratch)
        return;
    a.sums = (float *)(void *)(a.scratch + threads_bytes);
    pool_run(cpu_of(be)->pool, groups * s.heads, backward_task, &a);
    if (groups > 1)
        cpu_add_parts(be, a.dbias, a.sums, groups - 1, all);
}

/* ---- relative position. Along the keys of one row of the grid, the table's index falls by one. So
 * a head's column of the table, reversed, holds the g biases of that row in order. */

typedef struct {
    float *bias, *table, *column; /* the inputs are not written; column: (heads, table rows) */
    int64_t grid, heads;
    bool backward;
} Relpos;

static int64_t table_rows(int64_t grid) {
    return (2 * grid - 1) * (2 * grid - 1) + 3;
}

static void relpos_copy(float *to, float *column, int64_t n, bool backward) {
    for (int64_t i = 0; i < n; i++)
        if (backward)
            column[i] += to[i];
        else
            to[i] = column[i];
}

static void relpos_task(void *arg, int64_t h, int thread) {
    (void)thread;
    const Relpos *p = arg;
    int64_t g = p->grid, T = g * g + 1, n = table_rows(g);
    float *column = p->column + h * n; /* row n - 1 - i of the table */
    for (int64_t i = 0; i < n; i++)
        column[i] = p->table[(n - 1 - i) * p->heads + h];
    for (int64_t query = 0; query < T; query++) {
        float *bias = p->bias + (h * T + query) * T;
        relpos_copy(bias, column + n - 1 - relpos_index(g, query, 0), 1, p->backward);
        for (int64_t key = 1; key < T; key += query ? g : 1)
            relpos_copy(bias + key, column + n - 1 - relpos_index(g, query, key), query ? g : 1,
                        p->backward);
    }
    for (int64_t i = 0; p->backward && i < n; i++)
        p->table[(n - 1 - i) * p->heads + h] = column[i];
}

static void relpos(Backend *be, float *bias, float *table, int64_t grid, int64_t heads,
                   bool backward) {
    float *column = cpu_scratch(be, (size_t)(heads * table_rows(grid)) * sizeof *column);
    Relpos p = {bias, table, column, grid, heads, backward};
    if (column)
        pool_run(cpu_of(be)->pool, heads, relpos_task, &p);
}

static void relpos_forward(Backend *be, float *bias, const float *table, int64_t grid,
                           int64_t heads) {
    relpos(be, bias, (float *)table, grid, heads, false);
}

static void relpos_backward(Backend *be, float *dtable, const float *dbias, int64_t grid,
                            int64_t heads) {
    relpos(be, (float *)dbias, dtable, grid, heads, true);
}

void cpu_attention(Backend *be) {
    be->relpos_forward = relpos_forward;
    be->relpos_backward = relpos_backward;
    be->attention_forward = attention_forward;
    be->attention_backward = attention_backward;
}
