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

INLINE Floats get(const float *p) {
    return *(const Unaligned *)p;
}

/* a where all bits of `choose` are set, b where none is. */
INLINE Floats pick(Words choose, Floats a, Floats b) {
    return (Floats)((choose & (Words)a) | (~choose & (Words)b));
}

/* The weighted sum of the four neighbours of LANES pixels. */
INLINE Floats neighbours(const float *p, int64_t w, const float *right, const float *down) {
    return get(right - 1) * get(p - 1) + get(right) * get(p + 1) + get(down - w) * get(p - w) +
           get(down) * get(p + w);
}

/* Relaxes every second pixel of a row. The others, and what is beyond the row's end, are computed,
 * too, and left as they are: to pick every second one costs more. */
static void relax_row(const Refine *r, int64_t y, uint32_t parity) {
    static const uint32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    Words lanes = (Words)((const Unaligned *)numbers)[0];
    Words second = (Words)((lanes & 1) != ((parity ^ (uint32_t)y) & 1));
    int64_t w = r->u.w;
    for (int64_t x = 0, i = y * w; x < w; x += LANES, i += LANES) {
        Words keep = second | (Words)(lanes + (uint32_t)x >= (uint32_t)w);
        const float *right = r->right.at + i, *down = r->down.at + i;
        Floats u = get(r->du.at + i), v = get(r->dv.at + i), a12 = get(r->a12.at + i);
        Floats su = neighbours(r->du.at + i, w, right, down) + get(r->b1.at + i) - a12 * v;
        Floats new_u = pick(keep, u, (1 - flow_omega) * u + get(r->by11.at + i) * su);
        Floats sv = neighbours(r->dv.at + i, w, right, down) + get(r->b2.at + i) - a12 * new_u;
        Floats new_v = pick(keep, v, (1 - flow_omega) * v + get(r->by22.at + i) * sv);
        *(Unaligned *)(r->du.at + i) = new_u;
        *(Unaligned *)(r->dv.at + i) = new_v;
    }
}

/* A half sweep needs of the one before only the rows around its own. So all go over the picture
 * together, one row behind each other, while the rows are in the first caches. The results are
 * those of one after the other. */
static void relax(const Refine *r) {
    enum { HALVES = 2 * FLOW_SWEEPS };
    for (int64_t front = 0; front < r->u.h + HALVES; front++)
        for (int half = 0; half < HALVES; half++)
            if (front >= half && front - half < r->u.h)
                relax_row(r, front - half, (uint32_t)half & 1);
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
    for (int outer = 0; outer < FLOW_OUTER; outer++) {
        set_smoothness(&r, spare[0], spare[1]);
        set_equations(&r);
        relax(&r);
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
