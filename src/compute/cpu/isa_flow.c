/* Optical flow: dense Lucas-Kanade from coarse to fine, as ref_flow.c defines it. */
#include "compute/cpu/isa_plane.h"
#include "compute/flow.h"

static void halve(Plane out, Plane in) {
    for (int64_t y = 0; y < out.h; y++) {
        const float *restrict a = isa_row(in, 2 * y), *restrict b = isa_row(in, 2 * y + 1);
        float *restrict to = isa_row(out, y);
        for (int64_t x = 0; x < out.w; x++)
            to[x] = 0.25F * (a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1]);
    }
}

/* One row of the mean over windows of 2 radius + 1 pixels across. `line` has a row, and zeros on
 * both sides. */
INLINE void mean_row(float *restrict out, float *restrict line, Plane in, int64_t y,
                     const int radius) {
    const float *from[2 * FLOW_WINDOW + 1];
    float part = 1.0F / (float)((2 * radius + 1) * (2 * radius + 1));
    for (int j = 0; j <= 2 * radius; j++) {
        int64_t at = y + j - radius;
        from[j] = in.at + (at < 0 || at >= in.h ? -flow_pad(in.w) : at * in.w);
    }
    if (radius == 1)
#pragma omp simd
        for (int64_t x = 0; x < in.w; x++)
            line[x] = from[0][x] + from[1][x] + from[2][x];
    else
#pragma omp simd
        for (int64_t x = 0; x < in.w; x++)
            line[x] = from[0][x] + from[1][x] + from[2][x] + from[3][x] + from[4][x] + from[5][x] +
                      from[6][x];
#pragma omp simd
    for (int64_t x = 0; x < in.w; x++) {
        float sum = 0;
#pragma GCC unroll 7
        for (int i = -radius; i <= radius; i++)
            sum += line[x + i];
        out[x] = sum * part;
    }
}
_Static_assert(FLOW_WINDOW == 3 && FLOW_SOFTEN == 1, "mean_row adds 7 or 3 rows");

typedef struct {
    Plane a, b, u, v;   /* of the level */
    Plane gx, gy;       /* slopes of a */
    Plane xx, xy, yy;   /* the inverse of their products' damped means */
    Plane xt, yt;       /* slopes times what is left */
    Plane new_u, new_v; /* before they are softened */
    Plane line;
    float *mean[3]; /* rows */
} Level;

static void set_products(Level *l, float *restrict xx, float *restrict xy, float *restrict yy) {
    const float *restrict gx = l->gx.at, *restrict gy = l->gy.at;
#pragma omp simd
    for (int64_t i = 0; i < l->a.w * l->a.h; i++) {
        xx[i] = gx[i] * gx[i];
        xy[i] = gx[i] * gy[i];
        yy[i] = gy[i] * gy[i];
    }
}

static void set_inverse(Level *l) {
    set_products(l, l->new_u.at, l->new_v.at, l->xt.at);
    for (int64_t y = 0; y < l->a.h; y++) {
        float *restrict xx = isa_row(l->xx, y), *restrict xy = isa_row(l->xy, y);
        float *restrict yy = isa_row(l->yy, y);
        const float *m11 = l->mean[0], *m12 = l->mean[1], *m22 = l->mean[2];
        mean_row(l->mean[0], l->line.at, l->new_u, y, FLOW_WINDOW);
        mean_row(l->mean[1], l->line.at, l->new_v, y, FLOW_WINDOW);
        mean_row(l->mean[2], l->line.at, l->xt, y, FLOW_WINDOW);
#pragma omp simd
        for (int64_t x = 0; x < l->a.w; x++) {
            float g11 = m11[x] + flow_damping, g22 = m22[x] + flow_damping;
            float inverse = 1 / (g11 * g22 - m12[x] * m12[x]);
            xx[x] = g22 * inverse;
            xy[x] = m12[x] * inverse;
            yy[x] = g11 * inverse;
        }
    }
}

static void set_residual(Level *l) {
    for (int64_t y = 0; y < l->a.h; y++) {
        const float *restrict a = isa_row(l->a, y), *restrict gx = isa_row(l->gx, y);
        const float *restrict gy = isa_row(l->gy, y), *restrict u = isa_row(l->u, y);
        const float *restrict v = isa_row(l->v, y), *there = l->mean[0];
        float *restrict xt = isa_row(l->xt, y), *restrict yt = isa_row(l->yt, y);
        isa_warp_row(l->mean[0], l->b, u, v, y, l->mean + 1);
#pragma omp simd
        for (int64_t x = 0; x < l->a.w; x++) {
            float e = there[x] - a[x] - gx[x] * u[x] - gy[x] * v[x];
            xt[x] = gx[x] * e;
            yt[x] = gy[x] * e;
        }
    }
}

static void solve(Level *l) {
    for (int64_t y = 0; y < l->a.h; y++) {
        const float *restrict xx = isa_row(l->xx, y), *restrict xy = isa_row(l->xy, y);
        const float *restrict yy = isa_row(l->yy, y);
        const float *e1 = l->mean[0], *e2 = l->mean[1];
        float *restrict u = isa_row(l->new_u, y), *restrict v = isa_row(l->new_v, y);
        mean_row(l->mean[0], l->line.at, l->xt, y, FLOW_WINDOW);
        mean_row(l->mean[1], l->line.at, l->yt, y, FLOW_WINDOW);
#pragma omp simd
        for (int64_t x = 0; x < l->a.w; x++) {
            u[x] = xy[x] * e2[x] - xx[x] * e1[x];
            v[x] = xy[x] * e1[x] - yy[x] * e2[x];
        }
    }
    for (int64_t y = 0; y < l->a.h; y++) {
        mean_row(isa_row(l->u, y), l->line.at, l->new_u, y, FLOW_SOFTEN);
        mean_row(isa_row(l->v, y), l->line.at, l->new_v, y, FLOW_SOFTEN);
    }
}

/* Twice the flow of the level with half the sides, at this level's places. */
static void finer(Plane out, Plane coarse, float *const spare[2]) {
    float *restrict at_x = spare[0], *restrict at_y = spare[1];
    for (int64_t y = 0; y < out.h; y++) {
        float *restrict to = isa_row(out, y);
        for (int x = 0; x < (int)out.w; x++) {
            at_x[x] = ((float)x + 0.5F) / 2 - 0.5F;
            at_y[x] = ((float)y + 0.5F) / 2 - 0.5F;
        }
        isa_read_row(to, coarse, at_x, at_y, (int)out.w);
        for (int x = 0; x < (int)out.w; x++)
            to[x] *= 2;
    }
}

/* Adds one level's share to the flow of the coarser level, which is NULL for the coarsest. */
static void run_level(Level *l, const Level *coarser, float *next) {
    int64_t w = l->a.w, h = l->a.h;
    Plane *planes[] = {&l->gx, &l->gy, &l->xx,    &l->xy,   &l->yy,
                       &l->xt, &l->yt, &l->new_u, &l->new_v};
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++)
        *planes[i] = isa_plane(&next, w, h);
    l->line = isa_plane(&next, w, 1);
    for (int i = 0; i < 3; i++)
        l->mean[i] = isa_plane(&next, w, 1).at;
    if (coarser) {
        finer(l->u, coarser->u, l->mean);
        finer(l->v, coarser->v, l->mean);
    }
    isa_slopes_x(l->gx, l->a);
    isa_slopes_y(l->gy, l->a);
    set_inverse(l);
    for (int i = 0; i < FLOW_ITERATIONS; i++) {
        set_residual(l);
        solve(l);
    }
}

static void lucas_kanade(const Flow *f, float *scratch) {
    Level level[FLOW_LEVELS];
    int64_t size[FLOW_LEVELS][2];
    int levels = flow_levels(f->width, f->height, size);
    for (int n = 0; n < levels; n++) {
        Level *l = &level[n];
        int64_t w = size[n][0], h = size[n][1];
        l->a = n ? isa_plane(&scratch, w, h) : (Plane){(float *)f->from, w, h};
        l->b = n ? isa_plane(&scratch, w, h) : (Plane){(float *)f->to, w, h};
        l->u = n ? isa_plane(&scratch, w, h) : (Plane){f->u, w, h};
        l->v = n ? isa_plane(&scratch, w, h) : (Plane){f->v, w, h};
        if (n) {
            halve(l->a, level[n - 1].a);
            halve(l->b, level[n - 1].b);
        }
    }
    size_t bytes = (size_t)(f->width * f->height) * sizeof(float);
    memset(f->u, 0, bytes); /* where there is one level */
    memset(f->v, 0, bytes);
    for (int n = levels - 1; n >= 0; n--)
        run_level(&level[n], n + 1 < levels ? &level[n + 1] : NULL, scratch);
}

void ISA(isa_flow)(Kernels *kn) {
    kn->lucas_kanade = lucas_kanade;
}
