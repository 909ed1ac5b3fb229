/* Reference of the optical flow: dense Lucas-Kanade from coarse to fine (Lucas and Kanade 1981),
 * then one variational refinement (Brox et al. 2004, gradient constancy). */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "compute/flow.h"
#include "compute/ref/ref.h"

typedef struct {
    double *at;
    int64_t w, h;
} Plane;

static int64_t clamp(int64_t i, int64_t n) {
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Beyond the border a picture continues with its last pixels. */
static double get(Plane p, int64_t x, int64_t y) {
    return p.at[clamp(y, p.h) * p.w + clamp(x, p.w)];
}

static double between(Plane p, double x, double y) {
    x = fmin(fmax(x, 0), (double)(p.w - 1));
    y = fmin(fmax(y, 0), (double)(p.h - 1));
    int64_t x0 = (int64_t)x, y0 = (int64_t)y;
    double ax = x - (double)x0, ay = y - (double)y0;
    return (1 - ay) * ((1 - ax) * get(p, x0, y0) + ax * get(p, x0 + 1, y0)) +
           ay * ((1 - ax) * get(p, x0, y0 + 1) + ax * get(p, x0 + 1, y0 + 1));
}

static double slope_x(Plane p, int64_t x, int64_t y) {
    return (get(p, x + 1, y) - get(p, x - 1, y)) / 2;
}

static double slope_y(Plane p, int64_t x, int64_t y) {
    return (get(p, x, y + 1) - get(p, x, y - 1)) / 2;
}

/* The sum over the pixels that exist around (x, y), divided by the number of a whole window. */
static double window_mean(Plane p, int64_t x, int64_t y, int64_t radius) {
    double sum = 0;
    for (int64_t j = y - radius; j <= y + radius; j++)
        for (int64_t i = x - radius; i <= x + radius; i++)
            if (j >= 0 && j < p.h && i >= 0 && i < p.w)
                sum += p.at[j * p.w + i];
    return sum / (double)((2 * radius + 1) * (2 * radius + 1));
}

#define FOR_EACH_PIXEL(p, i, x, y)                                                                 \
    for (int64_t i = 0, y = 0; y < (p).h; y++)                                                     \
        for (int64_t x = 0; x < (p).w; x++, i++)

/* Doubles in one block. */
typedef struct {
    double *next;
    Plane a[FLOW_LEVELS], b[FLOW_LEVELS];
    int levels;
} Work;

static Plane plane(Work *k, int64_t w, int64_t h) {
    Plane p = {k->next, w, h};
    k->next += w * h;
    memset(p.at, 0, (size_t)(w * h) * sizeof *p.at);
    return p;
}

static void pyramid(Work *k, Plane levels[FLOW_LEVELS], const float *picture, int64_t w,
                    int64_t h) {
    int64_t size[FLOW_LEVELS][2];
    k->levels = flow_levels(w, h, size);
    for (int n = 0; n < k->levels; n++) {
        Plane p = levels[n] = plane(k, size[n][0], size[n][1]);
        FOR_EACH_PIXEL(p, i, x, y)
        p.at[i] = n == 0
                      ? picture[i]
                      : (get(levels[n - 1], 2 * x, 2 * y) + get(levels[n - 1], 2 * x + 1, 2 * y) +
                         get(levels[n - 1], 2 * x, 2 * y + 1) +
                         get(levels[n - 1], 2 * x + 1, 2 * y + 1)) /
                            4;
    }
}

/* One iteration: u = -(G + damping I)^-1 <g e>, e = b(x + u) - a - g u, for the flow itself and not
 * for a step, so that the damping pulls to rest. */
static void lucas_kanade(Work *k, Plane a, Plane b, Plane u, Plane v) {
    double *mark = k->next;
    Plane xx = plane(k, a.w, a.h), xy = plane(k, a.w, a.h), yy = plane(k, a.w, a.h);
    Plane xt = plane(k, a.w, a.h), yt = plane(k, a.w, a.h);
    FOR_EACH_PIXEL(a, i, x, y) {
        double gx = slope_x(a, x, y), gy = slope_y(a, x, y);
        double e = between(b, (double)x + u.at[i], (double)y + v.at[i]) - a.at[i] - gx * u.at[i] -
                   gy * v.at[i];
        xx.at[i] = gx * gx;
        xy.at[i] = gx * gy;
        yy.at[i] = gy * gy;
        xt.at[i] = gx * e;
        yt.at[i] = gy * e;
    }
    Plane new_u = plane(k, a.w, a.h), new_v = plane(k, a.w, a.h);
    FOR_EACH_PIXEL(a, i, x, y) {
        double g11 = window_mean(xx, x, y, FLOW_WINDOW) + flow_damping;
        double g22 = window_mean(yy, x, y, FLOW_WINDOW) + flow_damping;
        double g12 = window_mean(xy, x, y, FLOW_WINDOW), det = g11 * g22 - g12 * g12;
        double e1 = window_mean(xt, x, y, FLOW_WINDOW), e2 = window_mean(yt, x, y, FLOW_WINDOW);
        new_u.at[i] = -(g22 * e1 - g12 * e2) / det;
        new_v.at[i] = -(g11 * e2 - g12 * e1) / det;
    }
    FOR_EACH_PIXEL(a, i, x, y) {
        u.at[i] = window_mean(new_u, x, y, FLOW_SOFTEN);
        v.at[i] = window_mean(new_v, x, y, FLOW_SOFTEN);
    }
    k->next = mark;
}

/* The flow of a level from the one with half the sides. */
static Plane finer(Work *k, Plane coarse, int64_t w, int64_t h) {
    Plane p = plane(k, w, h);
    FOR_EACH_PIXEL(p, i, x, y)
    p.at[i] = 2 * between(coarse, ((double)x + 0.5) / 2 - 0.5, ((double)y + 0.5) / 2 - 0.5);
    return p;
}

/* ---- refinement ---- */

typedef struct {
    Plane u, v, du, dv; /* the flow, and what is added to it */
    Plane xx, xy, yy, xt, yt;
    Plane right, down; /* weights of smoothness to these neighbours; 0 at the border */
    Plane a11, a12, a22, b1, b2;
} Refine;

static Plane add(Work *k, Plane a, Plane b) {
    Plane p = plane(k, a.w, a.h);
    FOR_EACH_PIXEL(p, i, x, y)
    p.at[i] = a.at[i] + b.at[i];
    return p;
}

static void set_smoothness(Work *k, Refine *r) {
    double *mark = k->next;
    Plane u = add(k, r->u, r->du), v = add(k, r->v, r->dv);
    FOR_EACH_PIXEL(u, i, x, y) {
        double ux = get(u, x + 1, y) - u.at[i], uy = get(u, x, y + 1) - u.at[i];
        double vx = get(v, x + 1, y) - v.at[i], vy = get(v, x, y + 1) - v.at[i];
        double weight = flow_smooth / sqrt(ux * ux + vx * vx + uy * uy + vy * vy + flow_robust);
        r->right.at[i] = x + 1 < u.w ? weight : 0;
        r->down.at[i] = y + 1 < u.h ? weight : 0;
    }
    k->next = mark;
}

/* The four neighbours' sum of weight (value there - value here); the weights' sum is in *all. */
static double spread(const Refine *r, Plane p, int64_t x, int64_t y, double here, double *all) {
    double left = x ? get(r->right, x - 1, y) : 0, up = y ? get(r->down, x, y - 1) : 0;
    double right = get(r->right, x, y), down = get(r->down, x, y);
    *all = left + up + right + down;
    return left * get(p, x - 1, y) + up * get(p, x, y - 1) + right * get(p, x + 1, y) +
           down * get(p, x, y + 1) - *all * here;
}

static void set_equations(Refine *r) {
    FOR_EACH_PIXEL(r->u, i, x, y) {
        double xx = r->xx.at[i], xy = r->xy.at[i], yy = r->yy.at[i], all;
        double n1 = 1 / (xx * xx + xy * xy + flow_normal);
        double n2 = 1 / (yy * yy + xy * xy + flow_normal);
        double r1 = r->xt.at[i] + xx * r->du.at[i] + xy * r->dv.at[i];
        double r2 = r->yt.at[i] + xy * r->du.at[i] + yy * r->dv.at[i];
        double weight = flow_data / sqrt(r1 * r1 * n1 + r2 * r2 * n2 + flow_robust);
        n1 *= weight;
        n2 *= weight;
        r->b1.at[i] =
            spread(r, r->u, x, y, r->u.at[i], &all) - xx * r->xt.at[i] * n1 - xy * r->yt.at[i] * n2;
        r->b2.at[i] =
            spread(r, r->v, x, y, r->v.at[i], &all) - xy * r->xt.at[i] * n1 - yy * r->yt.at[i] * n2;
        r->a11.at[i] = xx * xx * n1 + xy * xy * n2 + flow_rest + all;
        r->a12.at[i] = xx * xy * n1 + xy * yy * n2;
        r->a22.at[i] = xy * xy * n1 + yy * yy * n2 + flow_rest + all;
    }
}

static void relax(Refine *r, int parity) {
    FOR_EACH_PIXEL(r->u, i, x, y) {
        double all;
        if ((x + y) % 2 != parity)
            continue;
        double su = spread(r, r->du, x, y, 0, &all), sv = spread(r, r->dv, x, y, 0, &all);
        r->du.at[i] +=
            flow_omega *
            ((su + r->b1.at[i] - r->a12.at[i] * r->dv.at[i]) / r->a11.at[i] - r->du.at[i]);
        r->dv.at[i] +=
            flow_omega *
            ((sv + r->b2.at[i] - r->a12.at[i] * r->du.at[i]) / r->a22.at[i] - r->dv.at[i]);
    }
}

static void refine(Work *k, Plane a, Plane b, Plane u, Plane v) {
    Refine r = {.u = u, .v = v};
    Plane *all[] = {&r.du,    &r.dv,   &r.xx,  &r.xy,  &r.yy,  &r.xt, &r.yt,
                    &r.right, &r.down, &r.a11, &r.a12, &r.a22, &r.b1, &r.b2};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = plane(k, a.w, a.h);
    Plane mean = plane(k, a.w, a.h), change = plane(k, a.w, a.h);
    Plane ix = plane(k, a.w, a.h), iy = plane(k, a.w, a.h);
    FOR_EACH_PIXEL(a, i, x, y) {
        double there = between(b, (double)x + u.at[i], (double)y + v.at[i]);
        mean.at[i] = (a.at[i] + there) / 2;
        change.at[i] = there - a.at[i];
    }
    FOR_EACH_PIXEL(a, i, x, y) {
        ix.at[i] = slope_x(mean, x, y);
        iy.at[i] = slope_y(mean, x, y);
        r.xt.at[i] = slope_x(change, x, y);
        r.yt.at[i] = slope_y(change, x, y);
    }
    FOR_EACH_PIXEL(a, i, x, y) {
        r.xx.at[i] = slope_x(ix, x, y);
        r.xy.at[i] = slope_y(ix, x, y);
        r.yy.at[i] = slope_y(iy, x, y);
    }
    for (int outer = 0; outer < FLOW_OUTER; outer++) {
        set_smoothness(k, &r);
        set_equations(&r);
        for (int sweep = 0; sweep < FLOW_SWEEPS; sweep++) {
            relax(&r, 0);
            relax(&r, 1);
        }
    }
    FOR_EACH_PIXEL(u, i, x, y) {
        u.at[i] += r.du.at[i];
        v.at[i] += r.dv.at[i];
    }
}

/* Enough planes: two pyramids, the flow of all levels, and 20 of the refinement. */
enum { PLANES = 32 };

static void flow(Backend *be, const Flow *f) {
    Work k = {0};
    double *block = mem_alloc((size_t)(PLANES * f->width * f->height), sizeof *block);
    if (!block) {
        backend_fail(be, "there is no memory for the flow of %lld x %lld pixels",
                     (long long)f->width, (long long)f->height);
        return;
    }
    k.next = block;
    pyramid(&k, k.a, f->from, f->width, f->height);
    pyramid(&k, k.b, f->to, f->width, f->height);
    Plane u = {0}, v = {0};
    for (int n = k.levels - 1; n >= 0; n--) {
        int64_t w = k.a[n].w, h = k.a[n].h;
        u = u.at ? finer(&k, u, w, h) : plane(&k, w, h);
        v = v.at ? finer(&k, v, w, h) : plane(&k, w, h);
        for (int i = 0; i < FLOW_ITERATIONS; i++)
            lucas_kanade(&k, k.a[n], k.b[n], u, v);
    }
    refine(&k, k.a[0], k.b[0], u, v);
    FOR_EACH_PIXEL(u, i, x, y) {
        f->u[i] = (float)u.at[i];
        f->v[i] = (float)v.at[i];
    }
    mem_free(block);
}

void ref_flow(Backend *be) {
    be->flow = flow;
}
