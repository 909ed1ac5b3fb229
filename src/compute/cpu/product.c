#include "compute/cpu/product.h"

#include <string.h>

enum { LEFT_TILES = 8 }; /* tiles in a packing task: whole cache lines of each row */

/* With many rows, the rows stream past a block of panels that stays in the second-level cache. With
 * few rows, a weight's panels stream instead, each once, and the product is memory-bound. So SET
 * panels are taken at a time while the next ones are prefetched. The inner dimension is then cut
 * into chunks (kernels.h), and a left tile's chunk stays in the first-level cache. The results are
 * kept from one chunk to the next. Both ways add in the same order. */
enum { FEW_ROWS = 256, SET = 4 };

static bool few_rows(const Product *p) {
    return p->panels && p->left_stride && p->m <= FEW_ROWS;
}

/* Tasks are blocks of panels. With more threads than panels, rows are cut into blocks too. They are
 * also cut where it costs nothing: panels that are packed already. Then each thread takes SHARES
 * tasks or more, so that a slower core takes fewer. */
enum { SHARES = 4 };

typedef struct {
    int64_t panels, panels_each, blocks; /* panels; panels in a block; blocks */
    int64_t rows_each, row_blocks;
} Split;

static Split split(Backend *be, const Product *p) {
    const Kernels *kn = cpu_of(be)->kn;
    int threads = be->threads;
    Split s = {.panels = (p->n + kn->nr - 1) / kn->nr};
    int64_t bytes = panel_bytes(kn, p->type, p->k), most = s.panels;
    if (bytes && !few_rows(p))
        most = cpu_of(be)->panel_budget / bytes;
    most = most < 1 ? 1 : most;
    s.blocks = (s.panels + most - 1) / most;
    s.blocks = (s.blocks + threads - 1) / threads * threads; /* an equal share */
    s.blocks = s.blocks > s.panels ? s.panels : s.blocks;
    s.panels_each = (s.panels + s.blocks - 1) / s.blocks;
    s.blocks = (s.panels + s.panels_each - 1) / s.panels_each;
    int64_t mr = kn->mr[p->type], tiles = (p->m + mr - 1) / mr;
    int64_t tasks = p->panels && !few_rows(p) ? SHARES * threads : threads;
    s.row_blocks = s.blocks < tasks ? (tasks + s.blocks - 1) / s.blocks : 1;
    int64_t tiles_each = (tiles + s.row_blocks - 1) / s.row_blocks;
    s.rows_each = (tiles_each ? tiles_each : 1) * mr;
    return s;
}

typedef struct {
    const Kernels *kn;
    const Product *p;
    Split split;
    bool few;
    int64_t groups, chunk, set; /* groups of a row and of a chunk; panels of a set */
    char *scratch;              /* each thread's results of few rows, or panels */
    size_t thread_bytes;
} Work;

/* Groups of a chunk: the groups are cut into chunks of about equal size, in whole units. */
static int64_t chunk_of(const Kernels *kn, DType type, int64_t groups) {
    int64_t unit = kn->unit[type], chunks = (groups + kn->chunk[type] - 1) / kn->chunk[type];
    return chunks ? (groups / unit + chunks - 1) / chunks * unit : 0;
}

static Work work_of(Backend *be, const Product *p) {
    const Kernels *kn = cpu_of(be)->kn;
    Work w = {.kn = kn, .p = p, .split = split(be, p), .few = few_rows(p)};
    w.groups = group_count(kn, p->type, p->k);
    w.chunk = w.few ? chunk_of(kn, p->type, w.groups) : w.groups;
    w.set = w.few ? SET : w.split.panels_each;
    if (w.few)
        w.thread_bytes = (size_t)(SET * FEW_ROWS * kn->nr) * sizeof(float);
    else if (!p->panels)
        w.thread_bytes = (size_t)(w.split.panels_each * panel_bytes(kn, p->type, p->k));
    return w;
}

/* A range of the groups of rows and panels. */
typedef struct {
    int64_t first, count;
    bool last;
} Chunk;

/* Adds one chunk to a tile, and finishes the tile after the last chunk. It prefetches what finish
 * reads. That is no function of its own, because GCC 12 would drop its calls as if it did
 * nothing. */
static void run_tile(const Work *w, float *t, int64_t row, int rows, int64_t col, const char *panel,
                     Chunk c, const char *next) {
    const Kernels *kn = w->kn;
    const Product *p = w->p;
    int cols = (int)(p->n - col < kn->nr ? p->n - col : kn->nr);
    const char *left = p->left;
    int64_t bytes = cols * (int64_t)dtype_bytes(p->ahead.type);
    for (int r = 0; c.last && p->ahead.data && r < rows; r++)
        for (int64_t i = 0; i < bytes; i += 64)
            __builtin_prefetch((const char *)tensor_at(p->ahead, row + r, col) + i);
    if (p->left_stride)
        kn->tile[p->type](t, left + row * p->left_stride + c.first * 4, p->left_stride,
                          panel + c.first * kn->nr * 4, c.count, rows, c.first > 0, next);
    else
        kn->tile_packed[p->type](t, left + row / kn->mr[p->type] * left_bytes(kn, p->type, p->k),
                                 panel, c.count);
    if (c.last)
        p->finish(p, kn, t, row, col, rows, cols);
}

/* Rows a multiple of 4 KB apart share the sets of a first-level cache, which has 8 ways. More than
 * 8 such rows evict each other, unless a kernel reads whole cache lines of them at once. */
static int64_t most_rows(const Kernels *kn, const Product *p) {
    enum { WAYS = 8 };
    bool collide = p->left_stride && p->left_stride % 4096 == 0 && kn->unit[p->type] == 1;
    return collide && kn->mr[p->type] > WAYS ? WAYS : kn->mr[p->type];
}

/* Rows [row, stop) of a task whose rows end at `end`. */
typedef struct {
    int64_t row, stop, end;
} Rows;

static int next_rows(const Work *w, int64_t left) {
    int64_t most = most_rows(w->kn, w->p);
    return w->p->left_stride ? tile_rows(most, left) : (int)(left < most ? left : most);
}

/* Multiplies rows by `count` panels, for the columns from col on. `more` panels follow them.
 * Meanwhile it prefetches each panel's next chunk or, in the last chunk, the panel that takes its
 * place in the next set. */
static void run_set(const Work *w, float *results, Rows b, const char *panels, int64_t col,
                    int64_t count, int64_t more) {
    const Kernels *kn = w->kn;
    int64_t bytes = panel_bytes(kn, w->p->type, w->p->k), group = kn->nr * 4;
    Chunk c = {0};
    do { /* runs once if there is nothing to add: the results are zeros */
        c.first += c.count;
        c.count = w->groups - c.first < w->chunk ? w->groups - c.first : w->chunk;
        c.last = c.first + c.count == w->groups;
        int64_t ahead = c.last ? count * bytes : (c.first + c.count) * group;
        int64_t fetched = 0; /* bytes of each panel that earlier tiles fetched */
        float *t = results;
        for (int64_t row = b.row; row < b.stop; fetched += c.count * FETCHED) {
            int rows = next_rows(w, b.end - row);
            for (int64_t i = 0; i < count; i++) {
                const char *panel = panels + i * bytes;
                bool fetch = w->few && fetched < w->chunk * group && (!c.last || i < more);
                run_tile(w, t, row, rows, col + i * kn->nr, panel, c,
                         fetch ? panel + ahead + fetched : NULL);
                if (w->chunk < w->groups)
                    t += rows * kn->nr;
            }
            row += rows;
        }
    } while (!c.last);
}

static void run_task(void *arg, int64_t task, int thread) {
    const Work *w = arg;
    const Product *p = w->p;
    const Split *s = &w->split;
    int64_t bytes = panel_bytes(w->kn, p->type, p->k);
    int64_t first = task % s->blocks * s->panels_each;
    int64_t count = s->panels - first < s->panels_each ? s->panels - first : s->panels_each;
    Rows b = {.row = task / s->blocks * s->rows_each};
    b.end = p->m - b.row < s->rows_each ? p->m : b.row + s->rows_each;
    if (b.row >= p->m)
        return;
    float tile[MAX_MR * MAX_NR] __attribute__((aligned(64)));
    char *own = w->scratch + (size_t)thread * w->thread_bytes;
    float *results = w->few ? (float *)(void *)own : tile;
    const char *panels = p->panels ? (const char *)p->panels + first * bytes : own;
    if (!p->panels)
        p->pack(p, w->kn, own, first, count);
    for (; b.row < b.end; b.row = b.stop) {
        b.stop = w->few ? b.end : b.row + next_rows(w, b.end - b.row);
        for (int64_t i = 0; i < count; i += w->set) {
            int64_t n = count - i < w->set ? count - i : w->set;
            run_set(w, results, b, panels + i * bytes, (first + i) * w->kn->nr, n, count - i - n);
        }
    }
}

/* A copy of rows that the product cannot read in place. Either they do not end with a whole unit of
 * groups (other data follows, not zeros), or their bytes must become 16-bit integers. */
typedef struct {
    const Product *p;
    int64_t stride; /* of the copy's rows */
    bool widened;
    char *to;
    size_t bytes; /* 0: no copy is needed */
} Copy;

static Copy copy_of(const Kernels *kn, const Product *p, char *to) {
    Copy c = {.p = p, .stride = group_count(kn, p->type, p->k) * 4, .to = to};
    c.widened = p->type == U8 && kn->group[U8] == 2;
    if (p->left_stride && p->left_stride != c.stride)
        c.bytes = cpu_aligned((size_t)(p->m * c.stride));
    return c;
}

static void copy_task(void *arg, int64_t task, int thread) {
    (void)thread;
    const Copy *c = arg;
    const Product *p = c->p;
    for (int64_t r = task * CPU_ROWS; r < cpu_rows_end(task, p->m); r++) {
        const uint8_t *from = (const uint8_t *)p->left + r * p->left_stride;
        char *to = c->to + r * c->stride;
        int64_t bytes = p->k * (c->widened ? 2 : (int64_t)dtype_bytes(p->type));
        memset(to + bytes, 0, (size_t)(c->stride - bytes));
        if (c->widened)
            for (int64_t i = 0; i < p->k; i++)
                ((uint16_t *)(void *)to)[i] = from[i];
        else
            memcpy(to, from, (size_t)bytes);
    }
}

size_t product_scratch(Backend *be, const Product *p) {
    const Kernels *kn = cpu_of(be)->kn;
    return copy_of(kn, p, NULL).bytes + work_of(be, p).thread_bytes * (size_t)be->threads;
}

void product_run(Backend *be, const Product *p, char *scratch) {
    Cpu *cpu = cpu_of(be);
    Work w = work_of(be, p);
    w.scratch = scratch;
    Product copied = *p;
    Copy copy = copy_of(cpu->kn, p, scratch);
    if (copy.bytes) {
        pool_run(cpu->pool, cpu_tasks(p->m), copy_task, &copy);
        copied.left = copy.to;
        copied.left_stride = copy.stride;
        w.p = &copied;
        w.scratch = scratch + copy.bytes;
    }
    if (p->m > 0)
        pool_run(cpu->pool, w.split.blocks * w.split.row_blocks, run_task, &w);
}

/* ---- operands. */

/* Returns the columns in `count` panels, starting with panel `first`. */
static int64_t panel_cols(const Product *p, const Kernels *kn, int64_t first, int64_t count) {
    int64_t left = p->n - first * kn->nr;
    return left < count * kn->nr ? left : count * kn->nr;
}

void product_pack_rows(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count) {
    int64_t bytes = panel_bytes(kn, p->type, p->k);
    int64_t step = kn->nr * p->right_ld * (int64_t)dtype_bytes(p->right_type);
    const char *at = (const char *)p->right + first * step;
    for (int64_t i = 0; i < count; i++, at += step)
        kn->pack_rows((char *)panels + i * bytes, p->type, at, p->right_type, p->right_ld,
                      panel_cols(p, kn, first + i, 1), p->k);
    panels_pad(kn, panels, count, p->type, p->k);
}

void product_pack_cols(const Product *p, const Kernels *kn, void *panels, int64_t first,
                       int64_t count) {
    const char *at = p->right;
    at += (size_t)(first * kn->nr) * dtype_bytes(p->right_type);
    kn->pack_cols(panels, panel_bytes(kn, p->type, p->k), p->type, at, p->right_type, p->right_ld,
                  panel_cols(p, kn, first, count), p->k);
    panels_pad(kn, panels, count, p->type, p->k);
}

size_t product_left_bytes(Backend *be, DType type, int64_t n, int64_t k) {
    const Kernels *kn = cpu_of(be)->kn;
    int64_t mr = kn->mr[type];
    return (size_t)((n + mr - 1) / mr * left_bytes(kn, type, k));
}

typedef struct {
    const Kernels *kn;
    char *tiles;
    Tensor x;
    float *sums;
} Left;

static void pack_left_task(void *arg, int64_t task, int thread) {
    (void)thread;
    const Left *l = arg;
    int64_t tile_bytes = left_bytes(l->kn, l->x.type, l->x.rows);
    int64_t n = LEFT_TILES * l->kn->mr[l->x.type], col = task * n;
    n = l->x.cols - col < n ? l->x.cols - col : n;
    l->kn->pack_left[l->x.type](l->tiles + task * LEFT_TILES * tile_bytes, tile_bytes,
                                tensor_at(l->x, 0, col), l->x.cols, n, l->x.rows,
                                l->sums ? l->sums + col : NULL);
}

void product_pack_left(Backend *be, char *tiles, Tensor x, float *sums) {
    Cpu *cpu = cpu_of(be);
    Left l = {cpu->kn, tiles, x, sums};
    int64_t each = LEFT_TILES * cpu->kn->mr[x.type];
    pool_run(cpu->pool, (x.cols + each - 1) / each, pack_left_task, &l);
}
