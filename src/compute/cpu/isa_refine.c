/* The refinement of a flow, as ref_flow.c defines it: a few rounds of linear equations, each solved
 * by successive over-relaxation. */
#include <math.h>

#include "compute/cpu/isa_plane.h"
#include "compute/flow.h"

typedef struct {
    Plane u, v, du, dv; /* the flow, and what is added to it */
    Plane xx, xy, yy, xt, yt;
    Plane right, down; /* weights of smoothness to these neighbours; 0 at the border */
    Plane b1, b2, a12;
    Plane by11, by22; /* omega / the diagonal */
} Refine;

/* The second slopes of the pictures' mean, and the slopes of their difference. */
static void set_slopes(Refine *r, Plane a, Plane b, Plane spare[4], float *const rows[2]) {
    Plane mean = spare[0], change = spare[1], ix = spare[2], iy = spare[3];
    for (int64_t y = 0; y < a.h; y++) {
        const float *restrict from = isa_row(a, y);
        float *restrict m = isa_row(mean, y), *restrict c = isa_row(change, y);
        isa_warp_row(c, b, isa_row(r->u, y), isa_row(r->v, y), y, rows);
#pragma omp simd
        for (int64_t x = 0; x < a.w; x++) {
            m[x] = 0.5F * (from[x] + c[x]);
            c[x] -= from[x];
        }
    }
    isa_slopes_x(r->xt, change);
    isa_slopes_y(r->yt, change);
    isa_slopes_x(ix, mean);
    isa_slopes_y(iy, mean);
    isa_slopes_x(r->xx, ix);
    isa_slopes_y(r->xy, ix);
    isa_slopes_y(r->yy, iy);
}

/* u and v: the flow with what was added. */
static void set_smoothness(Refine *r, Plane u, Plane v) {
    int64_t w = u.w, h = u.h;
    float *restrict su = u.at, *restrict sv = v.at;
    const float *restrict fu = r->u.at, *restrict fv = r->v.at;
    const float *restrict du = r->du.at, *restrict dv = r->dv.at;
#pragma omp simd
    for (int64_t i = 0; i < w * h; i++) {
        su[i] = fu[i] + du[i];
        sv[i] = fv[i] + dv[i];
    }
    for (int64_t y = 0; y < h; y++) {
        const float *restrict u0 = isa_row(u, y), *restrict u1 = isa_row(u, y + 1);
        const float *restrict v0 = isa_row(v, y), *restrict v1 = isa_row(v, y + 1);
        float *restrict right = isa_row(r->right, y), *restrict down = isa_row(r->down, y);
#pragma omp simd
        for (int64_t x = 0; x < w; x++) {
            float ux = x + 1 < w ? u0[x + 1] - u0[x] : 0, uy = u1[x] - u0[x];
            float vx = x + 1 < w ? v0[x + 1] - v0[x] : 0, vy = v1[x] - v0[x];
            right[x] = down[x] =
                flow_smooth / sqrtf(ux * ux + vx * vx + uy * uy + vy * vy + flow_robust);
        }
        right[w - 1] = 0;
        if (y + 1 == h)
            memset(down, 0, (size_t)w * sizeof *down);
    }
}

static void set_equations(Refine *r) {
    int64_t w = r->u.w, n = w * r->u.h;
    const float *restrict u = r->u.at, *restrict v = r->v.at;
    const float *restrict du = r->du.at, *restrict dv = r->dv.at;
    const float *restrict right = r->right.at, *restrict down = r->down.at;
    const float *restrict pxx = r->xx.at, *restrict pxy = r->xy.at, *restrict pyy = r->yy.at;
    const float *restrict pxt = r->xt.at, *restrict pyt = r->yt.at;
    float *restrict b1 = r->b1.at, *restrict b2 = r->b2.at, *restrict a12 = r->a12.at;
    float *restrict by11 = r->by11.at, *restrict by22 = r->by22.at;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float xx = pxx[i], xy = pxy[i], yy = pyy[i], xt = pxt[i], yt = pyt[i];
        float r1 = xt + xx * du[i] + xy * dv[i], r2 = yt + xy * du[i] + yy * dv[i];
        float n1 = 1 / (xx * xx + xy * xy + flow_normal);
        float n2 = 1 / (yy * yy + xy * xy + flow_normal);
        float weight = flow_data / sqrtf(r1 * r1 * n1 + r2 * r2 * n2 + flow_robust);
        float left = right[i - 1], up = down[i - w], all = left + right[i] + up + down[i];
        n1 *= weight;
        n2 *= weight;
        b1[i] = left * (u[i - 1] - u[i]) + right[i] * (u[i + 1] - u[i]) + up * (u[i - w] - u[i]) +
                down[i] * (u[i + w] - u[i]) - xx * xt * n1 - xy * yt * n2;
        b2[i] = left * (v[i - 1] - v[i]) + right[i] * (v[i + 1] - v[i]) + up * (v[i - w] - v[i]) +
                down[i] * (v[i + w] - v[i]) - xy * xt * n1 - yy * yt * n2;
        a12[i] = xx * xy * n1 + xy * yy * n2;
        by11[i] = flow_omega / (xx * xx * n1 + xy * xy * n2 + flow_rest + all);
        by22[i] = flow_omega / (xy * xy * n1 + yy * yy * n2 + flow_rest + all);
    }
}

/* ---- successive over-relaxation ---- */

/* A plane as two: pixels with x + y even, and those with x + y odd. To relax one half needs of it
 * only the pixels themselves; all neighbours are in the other. So loops run over whole vectors, and
 * read nothing that they have just written. */
typedef struct {
    float *at[2];
} Halves;

typedef struct {
    Halves du, dv, right, down, b1, b2, a12, by11, by22;
    int64_t w, h, row; /* row: floats between rows */
} Sor;

/* Zeroes; the room before and behind rows stays zero. */
static Halves open_halves(float **next, int64_t w, int64_t h) {
    Halves s;
    for (int c = 0; c < 2; c++) {
        memset(*next, 0, (size_t)flow_half(w, h) * sizeof(float));
        s.at[c] = *next + flow_half_row(w) + 16; /* a row's first neighbour is before it */
        *next += flow_half(w, h);
    }
    return s;
}

static Sor open_sor(float **next, int64_t w, int64_t h) {
    Sor s = {.w = w, .h = h, .row = flow_half_row(w)};
    Halves *all[] = {&s.du, &s.dv, &s.right, &s.down, &s.b1, &s.b2, &s.a12, &s.by11, &s.by22};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = open_halves(next, w, h);
    return s;
}

static void split(const Sor *s, Halves to, Plane from) {
    int64_t pairs = s->w / 2;
    for (int64_t y = 0; y < s->h; y++) {
        const float *restrict in = from.at + y * s->w;
        float *restrict first = to.at[y & 1] + y * s->row;
        float *restrict second = to.at[~y & 1] + y * s->row;
#pragma omp simd
        for (int64_t k = 0; k < pairs; k++) {
            first[k] = in[2 * k];
            second[k] = in[2 * k + 1];
        }
        if (s->w & 1)
            first[pairs] = in[2 * pairs];
    }
}

static void join(const Sor *s, Plane to, Halves from) {
    int64_t pairs = s->w / 2;
    for (int64_t y = 0; y < s->h; y++) {
        float *restrict out = to.at + y * s->w;
        const float *restrict first = from.at[y & 1] + y * s->row;
        const float *restrict second = from.at[~y & 1] + y * s->row;
#pragma omp simd
        for (int64_t k = 0; k < pairs; k++) {
            out[2 * k] = first[k];
            out[2 * k + 1] = second[k];
        }
        if (s->w & 1)
            out[2 * pairs] = first[pairs];
    }
}

INLINE Floats get(const float *p) {
    return *(const Unaligned *)p;
}

/* Relaxes the pixels of one half in a row. */
static void relax_row(const Sor *s, int64_t y, int half) {
    int first = (half ^ (int)y) & 1, other = 1 - half; /* x of the row's first pixel */
    int64_t n = (s->w - first + 1) / 2;
    for (int64_t k = 0, i = y * s->row; k < n; k += LANES, i += LANES) {
        int64_t left = i - 1 + first, right = i + first, up = i - s->row, down = i + s->row;
        Floats to_left = get(s->right.at[other] + left), to_right = get(s->right.at[half] + i);
        Floats to_up = get(s->down.at[other] + up), to_down = get(s->down.at[half] + i);
        const float *du = s->du.at[other], *dv = s->dv.at[other];
        Floats a12 = get(s->a12.at[half] + i);
        Floats u = get(s->du.at[half] + i), v = get(s->dv.at[half] + i);
        Floats su = to_left * get(du + left) + to_right * get(du + right) + to_up * get(du + up) +
                    to_down * get(du + down) + get(s->b1.at[half] + i) - a12 * v;
        u = (1 - flow_omega) * u + get(s->by11.at[half] + i) * su;
        Floats sv = to_left * get(dv + left) + to_right * get(dv + right) + to_up * get(dv + up) +
                    to_down * get(dv + down) + get(s->b2.at[half] + i) - a12 * u;
        *(Unaligned *)(s->du.at[half] + i) = u;
        *(Unaligned *)(s->dv.at[half] + i) = (1 - flow_omega) * v + get(s->by22.at[half] + i) * sv;
    }
}

/* A half sweep needs of the one before only the rows around its own. So all go over the picture
 * together, one row behind each other, while the rows are in the first caches. The results are
 * those of one after the other. */
static void relax(const Refine *r, const Sor *s) {
    enum { SWEEPS = 2 * FLOW_SWEEPS };
    const Halves to[] = {s->right, s->down, s->b1, s->b2, s->a12, s->by11, s->by22};
    const Plane from[] = {r->right, r->down, r->b1, r->b2, r->a12, r->by11, r->by22};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++)
        split(s, to[i], from[i]);
    for (int64_t front = 0; front < s->h + SWEEPS; front++)
        for (int sweep = 0; sweep < SWEEPS; sweep++)
            if (front >= sweep && front - sweep < s->h)
                relax_row(s, front - sweep, sweep & 1);
    join(s, r->du, s->du);
    join(s, r->dv, s->dv);
}

static void refine(const Flow *f, float *scratch) {
    int64_t w = f->width, h = f->height;
    Refine r;
    Plane spare[4];
    float *rows[2];
    Plane *planes[] = {&r.u,    &r.v,    &r.du,     &r.dv,     &r.xx,     &r.xy,    &r.yy,
                       &r.xt,   &r.yt,   &r.right,  &r.down,   &r.b1,     &r.b2,    &r.a12,
                       &r.by11, &r.by22, &spare[0], &spare[1], &spare[2], &spare[3]};
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++)
        *planes[i] = isa_plane(&scratch, w, h);
    for (int i = 0; i < 2; i++)
        rows[i] = isa_plane(&scratch, w, 1).at;
    memcpy(r.u.at, f->u, (size_t)(w * h) * sizeof(float));
    memcpy(r.v.at, f->v, (size_t)(w * h) * sizeof(float));
    set_slopes(&r, (Plane){(float *)f->from, w, h}, (Plane){(float *)f->to, w, h}, spare, rows);
    Sor sor = open_sor(&scratch, w, h);
    for (int outer = 0; outer < FLOW_OUTER; outer++) {
        set_smoothness(&r, spare[0], spare[1]);
        set_equations(&r);
        relax(&r, &sor);
    }
#pragma omp simd
    for (int64_t i = 0; i < w * h; i++) {
        f->u[i] = r.u.at[i] + r.du.at[i];
        f->v[i] = r.v.at[i] + r.dv.at[i];
    }
}

void ISA(isa_refine)(Kernels *kn) {
    kn->refine = refine;
}
