#include "model/positions.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { CLS_ROWS = 3, SPLINE_POINTS = 4 };

int64_t positions_table_rows(int64_t patches) {
    return (2 * patches - 1) * (2 * patches - 1) + CLS_ROWS;
}

/* Computes out (to, to, n) = w in w' for in (from, from, n). w (to, from) holds the weight of every
 * old place in every new one. Both interpolations treat rows and columns alike. */
static int apply(float *out, const float *in, const double *w, int64_t from, int64_t to,
                 int64_t n) {
    double *half = mem_alloc((size_t)(to * from * n), sizeof *half); /* new rows, old columns */
    if (!half)
        return ERR_FAIL;
    for (int64_t t = 0; t < to; t++)
        for (int64_t f = 0; f < from; f++)
            for (int64_t i = 0; i < from * n && w[t * from + f] != 0; i++)
                half[t * from * n + i] += w[t * from + f] * in[f * from * n + i];
    for (int64_t r = 0; r < to; r++)
        for (int64_t t = 0; t < to; t++)
            for (int64_t i = 0; i < n; i++) {
                double sum = 0;
                for (int64_t f = 0; f < from; f++)
                    sum += w[t * from + f] * half[(r * from + f) * n + i];
                out[(r * to + t) * n + i] = (float)sum;
            }
    mem_free(half);
    return 0;
}

/* ---- tables. */

/* Places the old offsets on the scale of the new ones. From the middle on they are 0, 1, 1 + q,
 * 1 + q + q^2, ... Bisection finds the q that puts the last old offset on the last new one. If the
 * grid shrinks, q ends at its lower bound, which keeps the middle of the table. */
static void geometric_places(double *x, int64_t from, int64_t to) {
    const int64_t half = from / 2;
    double low = 1.01, high = 1.5, q = low;
    while (high - low > 1e-6) {
        q = (low + high) / 2;
        if ((1 - pow(q, (double)half)) / (1 - q) > (double)(to / 2))
            high = q;
        else
            low = q;
    }
    x[half] = 0;
    for (int64_t i = 1; i <= half; i++) {
        x[half + i] = x[half + i - 1] + pow(q, (double)(i - 1));
        x[half - i] = -x[half + i];
    }
}

/* Computes the second derivatives m of the cubic spline through y at x, with n >= 4 points and no
 * knot at the second and the last but one. Solves a tridiagonal system in place. c is scratch. */
static void spline_curvature(double *m, double *c, const double *x, const double *y, int64_t n) {
    for (int64_t i = 1; i < n - 1; i++) {
        double h = x[i] - x[i - 1], k = x[i + 1] - x[i];
        double below = h, at = 2 * (h + k), above = k;
        double right = 6 * ((y[i + 1] - y[i]) / k - (y[i] - y[i - 1]) / h);
        if (i == 1) { /* m[0] in terms of its two neighbours */
            at += h + h * h / k;
            above -= h * h / k;
            below = 0;
        }
        if (i == n - 2) {
            at += k + k * k / h;
            below -= k * k / h;
            above = 0;
        }
        double pivot = at - (i > 1 ? below * c[i - 1] : 0);
        c[i] = above / pivot;
        m[i] = (right - (i > 1 ? below * m[i - 1] : 0)) / pivot;
    }
    for (int64_t i = n - 3; i > 0; i--)
        m[i] -= c[i] * m[i + 1];
    m[0] = m[1] - (x[1] - x[0]) / (x[2] - x[1]) * (m[2] - m[1]);
    m[n - 1] = m[n - 2] + (x[n - 1] - x[n - 2]) / (x[n - 2] - x[n - 3]) * (m[n - 2] - m[n - 3]);
}

/* The spline's value at `at`; beyond its ends that of the nearest end. */
static double spline_at(const double *x, const double *y, const double *m, int64_t n, double at) {
    int64_t i = 0;
    at = fmin(fmax(at, x[0]), x[n - 1]);
    while (i < n - 2 && at > x[i + 1])
        i++;
    double h = x[i + 1] - x[i], a = (x[i + 1] - at) / h, b = (at - x[i]) / h;
    return a * y[i] + b * y[i + 1] +
           ((a * a * a - a) * m[i] + (b * b * b - b) * m[i + 1]) * h * h / 6;
}

/* A spline is linear in y: column f is the spline through 1 at f and 0 elsewhere. */
static int spline_weights(double *w, int64_t from, int64_t to) {
    double *x = mem_alloc((size_t)(4 * from), sizeof *x);
    if (!x)
        return ERR_FAIL;
    double *y = x + from, *m = y + from, *c = m + from;
    geometric_places(x, from, to);
    for (int64_t f = 0; f < from; f++) {
        y[f] = 1;
        spline_curvature(m, c, x, y, from);
        for (int64_t t = 0; t < to; t++)
            w[t * from + f] = spline_at(x, y, m, from, (double)(t - to / 2));
        y[f] = 0;
    }
    mem_free(x);
    return 0;
}

int positions_resize_table(float *out, const float *in, int64_t from, int64_t to, int64_t heads) {
    const int64_t have = 2 * from - 1, want = 2 * to - 1;
    if (have < SPLINE_POINTS)
        return err_set(ERR_FAIL,
                       "a table of relative positions for %lld x %lld patches is too small to be "
                       "interpolated, expected 3 x 3 or more",
                       (long long)from, (long long)from);
    double *w = mem_alloc((size_t)(want * have), sizeof *w);
    int code = w ? spline_weights(w, have, want) : ERR_FAIL;
    if (!code)
        code = apply(out, in, w, have, want, heads);
    if (!code)
        memcpy(out + want * want * heads, in + have * have * heads,
               (size_t)(CLS_ROWS * heads) * sizeof *out);
    mem_free(w);
    return code;
}

/* ---- embeddings. */

/* The cubic convolution kernel with PyTorch's coefficient. */
static double cubic(double x) {
    const double a = -0.75;
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * a * x - 4 * a : 0;
}

static void cubic_weights(double *w, int64_t from, int64_t to) {
    for (int64_t t = 0; t < to; t++) {
        double at = ((double)t + 0.5) * (double)from / (double)to - 0.5;
        int64_t first = (int64_t)floor(at) - 1;
        for (int64_t f = first; f < first + 4; f++) {
            int64_t inside = f < 0 ? 0 : f < from ? f : from - 1;
            w[t * from + inside] += cubic(at - (double)f);
        }
    }
}

int positions_resize_embed(float *out, const float *in, int64_t from, int64_t to, int64_t width) {
    double *w = mem_alloc((size_t)(to * from), sizeof *w);
    if (!w)
        return ERR_FAIL;
    cubic_weights(w, from, to);
    memcpy(out, in, (size_t)width * sizeof *out);
    int code = apply(out + width, in + width, w, from, to, width);
    mem_free(w);
    return code;
}
