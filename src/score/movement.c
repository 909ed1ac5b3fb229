#include "score/movement.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { HEIGHT = 240, WIDEST = 640, STEP = 2 * MOVEMENT_CELL, LEAST = 2 * STEP };
enum { PAST = 32 }; /* pictures that are kept: a tenth of a second of a fast camera */
enum { BINS = 8192, SHIFT_STEPS = 64, RATIO_STEPS = 2048 }; /* to 64 pixels each way, and 4 */
enum { FEW = 50 }; /* of so many pixels one must tell something */
static const double GAP = 0.1;

/* A grey picture at half size. */
typedef struct {
    double seconds;
    float *grey;
} Picture;

struct Movement {
    Backend *be;
    MovementSize size;
    int width, height, cells; /* of a picture at half size; of a plane of cells */
    uint8_t *small;
    Picture past[PAST]; /* a ring */
    int next, kept;
    float shift;         /* of the camera, in pixels at half size */
    float *from, *u, *v; /* the older picture, as bright as the newer one; the flow */
    float *moved;        /* the older picture where the camera moved */
    int32_t *count;      /* of a histogram */
    float *speed, *right, *down;
};

static int multiple(double n) {
    int m = (int)lrint(n / STEP) * STEP;
    return m < LEAST ? LEAST : m;
}

MovementSize movement_size(int frame_width, int frame_height) {
    double aspect = (double)frame_width / frame_height;
    MovementSize s = {multiple(HEIGHT * aspect), HEIGHT};
    if (s.width > WIDEST)
        s = (MovementSize){WIDEST, multiple(WIDEST / aspect)};
    return s;
}

int movement_open(Movement **out, Backend *be, MovementSize size) {
    Movement *m = mem_alloc(1, sizeof *m);
    if (!m)
        return ERR_FAIL;
    m->be = be;
    m->size = size;
    m->width = size.width / 2;
    m->height = size.height / 2;
    m->cells = size.width / MOVEMENT_CELL * (size.height / MOVEMENT_CELL);
    size_t pixels = (size_t)m->width * (size_t)m->height;
    m->small = mem_alloc(4 * pixels, 1);
    m->from = mem_alloc(4 * pixels, sizeof *m->from);
    m->count = mem_alloc(BINS, sizeof *m->count);
    m->speed = mem_alloc(3 * (size_t)m->cells, sizeof *m->speed);
    bool whole = m->small && m->from && m->count && m->speed;
    for (int i = 0; i < PAST; i++) {
        m->past[i].grey = mem_alloc(pixels, sizeof *m->past[i].grey);
        whole = whole && m->past[i].grey;
    }
    if (!whole) {
        movement_free(&m);
        return ERR_FAIL;
    }
    m->u = m->from + pixels;
    m->v = m->u + pixels;
    m->moved = m->v + pixels;
    m->right = m->speed + m->cells;
    m->down = m->right + m->cells;
    *out = m;
    return 0;
}

void movement_free(Movement **out) {
    Movement *m = *out;
    if (!m)
        return;
    mem_free(m->small);
    mem_free(m->from);
    mem_free(m->count);
    mem_free(m->speed);
    for (int i = 0; i < PAST; i++)
        mem_free(m->past[i].grey);
    mem_free(m);
    *out = NULL;
}

void movement_reset(Movement *m) {
    m->kept = 0;
}

static void take_picture(Movement *m, Picture *p, const Frame *f) {
    frame_resize_grey(m->small, m->size.width, m->size.height, f);
    for (int y = 0; y < m->height; y++) {
        const uint8_t *a = m->small + 2 * y * m->size.width, *b = a + m->size.width;
        float *to = p->grey + y * m->width;
        for (int x = 0; x < m->width; x++) {
            int four = a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1];
            to[x] = (float)four / 4;
        }
    }
    p->seconds = f->seconds;
}

/* The picture `back` frames before the newest. */
static const Picture *picture_at(const Movement *m, int back) {
    return &m->past[(m->next - 1 - back + 2 * PAST) % PAST];
}

/* The kept picture that is nearest to GAP before the newest; of two equally near the newer one. */
static const Picture *past_picture(const Movement *m) {
    const Picture *best = NULL;
    if (m->kept < 2)
        return NULL;
    double seconds = picture_at(m, 0)->seconds;
    for (int back = 1; back < m->kept; back++) {
        const Picture *p = picture_at(m, back);
        if (!isfinite(p->seconds) || !isfinite(seconds))
            return best ? best : p; /* without times the frame before */
        double off = fabs(seconds - p->seconds - GAP);
        if (p->seconds < seconds && (!best || off < fabs(seconds - best->seconds - GAP)))
            best = p;
    }
    return best;
}

/* Each cell holds four pixels of the flow. */
static void fill_cells(Movement *m, float scale) {
    int wide = m->size.width / MOVEMENT_CELL;
    for (int i = 0; i < m->cells; i++) {
        int at = i / wide * 2 * m->width + i % wide * 2;
        float speed = 0, right = 0, down = 0;
        for (int k = 0; k < 4; k++) {
            float u = m->u[at + k / 2 * m->width + k % 2], v = m->v[at + k / 2 * m->width + k % 2];
            speed += sqrtf(u * u + v * v);
            right += u;
            down += v;
        }
        m->speed[i] = scale * speed / 4;
        m->right[i] = scale * right / 4;
        m->down[i] = scale * down / 4;
    }
}

/* ---- a camera that shakes ---- */

/* The median of a plane of the flow over pixels with structure; elsewhere the flow tends to rest. 0
 * if there are few of them. */
static float median_shift(Movement *m, const float *plane, const float *grey) {
    static const float STRUCTURE = 16; /* squared difference of neighbours, in grey levels */
    int w = m->width, seen = 0, below = 0;
    memset(m->count, 0, BINS * sizeof *m->count);
    for (int y = 1; y < m->height - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            int i = y * w + x;
            float dx = grey[i + 1] - grey[i - 1], dy = grey[i + w] - grey[i - w];
            if (dx * dx + dy * dy < STRUCTURE)
                continue;
            float at = plane[i] * SHIFT_STEPS + BINS / 2.0F;
            m->count[(int)fminf(fmaxf(at, 0), BINS - 1)]++;
            seen++;
        }
    if (seen < m->width * m->height / FEW)
        return 0;
    for (int bin = 0; bin < BINS; bin++)
        if ((below += m->count[bin]) * 2 > seen)
            return ((float)bin + 0.5F - BINS / 2.0F) / SHIFT_STEPS;
    return 0;
}

/* The older picture as a camera moved by (dx, dy) sees it. */
static void shift_picture(Movement *m, float dx, float dy) {
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            float fx = fminf(fmaxf((float)x - dx, 0), (float)(m->width - 1));
            float fy = fminf(fmaxf((float)y - dy, 0), (float)(m->height - 1));
            int x0 = (int)fx, y0 = (int)fy;
            int right = x0 + 1 < m->width, below = y0 + 1 < m->height ? m->width : 0;
            float ax = fx - (float)x0, ay = fy - (float)y0;
            const float *at = m->from + y0 * m->width + x0;
            m->moved[y * m->width + x] = (1 - ay) * ((1 - ax) * at[0] + ax * at[right]) +
                                         ay * ((1 - ax) * at[below] + ax * at[below + right]);
        }
}

/* If most of the picture moved alike by more than a trifle, that was the camera: the flow is taken
 * again without it, and once more if that was not all. Steady pictures stay as they are. */
static void take_out_shake(Movement *m, const Picture *newer) {
    static const float TRIFLE[] = {0.15F, 0.05F}; /* pixels at half size */
    float x = 0, y = 0;
    for (int i = 0; i < 2; i++) {
        float dx = median_shift(m, m->u, newer->grey), dy = median_shift(m, m->v, newer->grey);
        if (hypotf(dx, dy) <= TRIFLE[i])
            break;
        x += dx;
        y += dy;
        shift_picture(m, x, y);
        m->be->flow(m->be, &(Flow){m->u, m->v, m->moved, newer->grey, m->width, m->height});
    }
    m->shift = hypotf(x, y);
}

/* How much lighter the newer picture is, up to 4 times: the median ratio of its pixels, 1 if nearly
 * all are dark. A large figure that comes
 * in changes the mean, but not the median. */
static float light(Movement *m, const Picture *older, const Picture *newer) {
    static const float DARK = 8; /* grey levels, whose ratio is noise */
    int seen = 0, below = 0, bin = 0;
    memset(m->count, 0, BINS * sizeof *m->count);
    for (int i = 0; i < m->width * m->height; i++) {
        if (older->grey[i] < DARK)
            continue;
        float at = newer->grey[i] / older->grey[i] * RATIO_STEPS;
        m->count[(int)fminf(at + 0.5F, BINS - 1)]++;
        seen++;
    }
    if (seen < m->width * m->height / FEW)
        return 1;
    while ((below += m->count[bin]) * 2 <= seen)
        bin++;
    return (float)bin / RATIO_STEPS;
}

static int compare(Movement *m, const Picture *older, const Picture *newer) {
    float gain = light(m, older, newer);
    for (int i = 0; i < m->width * m->height; i++)
        m->from[i] = fminf(older->grey[i] * gain, UINT8_MAX); /* flicker is no movement */
    m->be->flow(m->be, &(Flow){m->u, m->v, m->from, newer->grey, m->width, m->height});
    take_out_shake(m, newer);
    double gaps = isfinite(newer->seconds) && isfinite(older->seconds)
                      ? (newer->seconds - older->seconds) / GAP
                      : 1;
    fill_cells(m, (float)(2 * HEIGHT / (m->size.height * gaps)));
    return m->be->sync(m->be);
}

void movement_add(Movement *m, const Frame *f) {
    if (f->after_gap || f->corrupt)
        movement_reset(m);
    if (f->corrupt)
        return;
    take_picture(m, &m->past[m->next], f);
    m->next = (m->next + 1) % PAST;
    m->kept += m->kept < PAST;
}

int movement_measure(Movement *m, bool *ready) {
    const Picture *older = past_picture(m);
    *ready = older != NULL;
    return older ? compare(m, older, picture_at(m, 0)) : 0;
}

float movement_shift(const Movement *m) {
    return 2 * m->shift * HEIGHT / (float)m->size.height;
}

const float *movement_speed(const Movement *m) {
    return m->speed;
}

const float *movement_right(const Movement *m) {
    return m->right;
}

const float *movement_down(const Movement *m) {
    return m->down;
}

void movement_levels(const Movement *m, float *out) {
    const float *grey = picture_at(m, 0)->grey;
    int wide = m->size.width / MOVEMENT_CELL;
    for (int i = 0; i < m->cells; i++) {
        const float *at = grey + i / wide * 2 * m->width + i % wide * 2;
        out[i] = (at[0] + at[1] + at[m->width] + at[m->width + 1]) / 4;
    }
}
