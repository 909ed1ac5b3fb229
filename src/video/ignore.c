#include "video/ignore.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/source.h"

static int cell_at(double share) {
    return (int)fmin(fmax(share * IGNORE_SIDE, 0), IGNORE_SIDE - 1);
}

static void mark(Ignore *out, double x, double y) {
    out->cell[cell_at(y)][cell_at(x)] = 1;
}

/* ---- polygons ---- */

typedef struct {
    double x[IGNORE_POINTS], y[IGNORE_POINTS];
    int count;
} Polygon;

static void make_rectangle(Polygon *p) {
    *p = (Polygon){{p->x[0], p->x[1], p->x[1], p->x[0]}, {p->y[0], p->y[0], p->y[1], p->y[1]}, 4};
}

static bool is_inside(const Polygon *p, double x, double y) {
    bool inside = false;
    for (int i = 0, k = p->count - 1; i < p->count; k = i++)
        if ((p->y[i] > y) != (p->y[k] > y) &&
            x < p->x[i] + (y - p->y[i]) / (p->y[k] - p->y[i]) * (p->x[k] - p->x[i]))
            inside = !inside;
    return inside;
}

/* Marks the cells whose middle is inside, and those that an edge runs through. */
static void fill(Ignore *out, const Polygon *p) {
    enum { STEPS = 4 * IGNORE_SIDE };
    for (int i = 0; i < IGNORE_SIDE * IGNORE_SIDE; i++) {
        double x = (i % IGNORE_SIDE + 0.5) / IGNORE_SIDE;
        double y = ((int)(i / IGNORE_SIDE) + 0.5) / IGNORE_SIDE;
        if (is_inside(p, x, y))
            mark(out, x, y);
    }
    for (int i = 0, k = p->count - 1; i < p->count; k = i++)
        for (int s = 0; s <= STEPS; s++) {
            double share = (double)s / STEPS;
            mark(out, p->x[k] + share * (p->x[i] - p->x[k]), p->y[k] + share * (p->y[i] - p->y[k]));
        }
}

static int bad(const char *text, const char *at) {
    return err_set(ERR_USAGE,
                   "\"%s\" is no file, and not polygons of points \"X,Y X,Y; X,Y ...\" from 0 to 1 "
                   "of the picture: expected %s at \"%.20s\"",
                   text, *at && *at != ';' ? "X,Y" : "two points or more", at);
}

/* Reads "X,Y"; *at moves behind it. */
static bool read_point(const char **at, double *x, double *y) {
    char *end;
    *x = strtod(*at, &end);
    if (end == *at || *end != ',')
        return false;
    const char *second = end + 1;
    *y = strtod(second, &end);
    bool good = end != second && *x >= 0 && *x <= 1 && *y >= 0 && *y <= 1;
    *at = good ? end : *at;
    return good;
}

static const char *past_spaces(const char *at) {
    return at + strspn(at, " \t");
}

static int read_polygons(Ignore *out, const char *text) {
    Polygon p = {.count = 0};
    for (const char *at = past_spaces(text);; at = past_spaces(at)) {
        if (*at && *at != ';') {
            if (p.count == IGNORE_POINTS)
                return err_set(ERR_USAGE, "a polygon has more than %d points, at \"%.20s\"",
                               IGNORE_POINTS, at);
            if (!read_point(&at, &p.x[p.count], &p.y[p.count]))
                return bad(text, at);
            p.count++;
            continue;
        }
        if (p.count < 2)
            return bad(text, at);
        if (p.count == 2)
            make_rectangle(&p);
        fill(out, &p);
        p.count = 0;
        if (!*at++ || !*past_spaces(at))
            return 0;
    }
}

/* ---- pictures ---- */

/* All cells that a pixel of the picture touches. */
static void mark_pixel(Ignore *out, int x, int y, int width, int height) {
    for (int row = cell_at((double)y / height); row <= cell_at((y + 0.999) / height); row++)
        for (int i = cell_at((double)x / width); i <= cell_at((x + 0.999) / width); i++)
            out->cell[row][i] = 1;
}

static int read_picture(Ignore *out, const char *path) {
    enum { LIGHT = 128 };
    Source *source = NULL;
    Frame f = {0};
    int code = source_open(&source, path);
    if (!code)
        code = source_read(source, &f);
    uint8_t *grey = code ? NULL : mem_alloc((size_t)f.width * (size_t)f.height, 1);
    if (!code && !grey)
        code = ERR_FAIL;
    if (!code)
        frame_resize_grey(grey, f.width, f.height, &f);
    for (int y = 0; y < f.height && !code; y++)
        for (int x = 0; x < f.width; x++)
            if (grey[y * f.width + x] >= LIGHT)
                mark_pixel(out, x, y, f.width, f.height);
    mem_free(grey);
    frame_free(&f);
    source_free(&source);
    return code;
}

int ignore_parse(Ignore *out, const char *text) {
    static const double MOST = 0.95;
    Ignore ignore = {0};
    int code = file_exists(text) ? read_picture(&ignore, text) : read_polygons(&ignore, text);
    if (code)
        return code;
    double share = ignore_share(&ignore);
    if (share == 0 || share > MOST)
        return err_set(
            ERR_USAGE,
            "%s covers %.3g %% of the picture, expected more than 0 and at most %g %%: what "
            "is light in a picture, or inside a polygon, is ignored",
            text, 100 * share, 100 * MOST);
    *out = ignore;
    return 0;
}

double ignore_share(const Ignore *ignore) {
    int count = 0;
    for (int i = 0; i < IGNORE_SIDE * IGNORE_SIDE; i++)
        count += ignore->cell[i / IGNORE_SIDE][i % IGNORE_SIDE] > 0;
    return (double)count / (IGNORE_SIDE * IGNORE_SIDE);
}

/* ---- painting ---- */

typedef struct {
    int first, last;
} Range;

/* The cells that pixel i of n reads from `from` pixels: a resize reads two, and colours of video
 * are shared by neighbours. */
static Range read_by(int i, int n, int from) {
    static const int SHARED = 2;
    double at = (i + 0.5) * from / n - 0.5;
    int first = (int)floor(at) - SHARED, last = (int)floor(at) + 1 + SHARED;
    first = first < 0 ? 0 : first;
    last = last > from - 1 ? from - 1 : last;
    return (Range){(int)((int64_t)first * IGNORE_SIDE / from),
                   (int)(((int64_t)(last + 1) * IGNORE_SIDE - 1) / from)};
}

void ignore_paint(const Ignore *ignore, uint8_t *pixels, int width, int height, int bytes,
                  int from_width, int from_height) {
    for (int y = 0; y < height; y++) {
        uint8_t line[IGNORE_SIDE] = {0}, any = 0;
        Range rows = read_by(y, height, from_height);
        for (int row = rows.first; row <= rows.last; row++)
            for (int i = 0; i < IGNORE_SIDE; i++)
                any |= line[i] |= ignore->cell[row][i] > 0;
        for (int x = 0; x < width && any; x++) {
            uint8_t touched = 0;
            Range columns = read_by(x, width, from_width);
            for (int i = columns.first; i <= columns.last; i++)
                touched |= line[i];
            if (touched)
                memset(pixels + (int64_t)bytes * ((int64_t)y * width + x), 0, (size_t)bytes);
        }
    }
}
