#include "data/labels_mat.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <matio.h>

#include "base/err.h"
#include "base/mem.h"

/* Refuses MATLAB 7.3 files. They are HDF5, whose library prints its errors. No published labels use
 * them. */
static int check_version(const char *path) {
    char head[128] = "";
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_sys(ERR_FAIL, "cannot read %s", path);
    size_t n = fread(head, 1, sizeof head, f);
    int code = ferror(f) ? err_sys(ERR_FAIL, "cannot read %s", path) : 0;
    fclose(f);
    if (code)
        return code;
    if (n == sizeof head && memcmp(head, "MATLAB 5.0", 10) == 0)
        return 0;
    if (n == sizeof head && memcmp(head, "MATLAB 7.3", 10) == 0)
        return err_set(ERR_FAIL, "%s: a MATLAB 7.3 file; save it again with save -v7", path);
    return err_set(ERR_FAIL, "%s: not a MATLAB 5 file", path);
}

static int open_mat(mat_t **file, const char *path) {
    int code = check_version(path);
    if (code)
        return code;
    *file = Mat_Open(path, MAT_ACC_RDONLY);
    return *file ? 0 : err_set(ERR_FAIL, "%s: this MATLAB file cannot be opened", path);
}

/* Finds the cell array `name`; NULL if there is none. The cells' data stay on disk. */
static matvar_t *find_cells(mat_t *mat, const char *name) {
    matvar_t *var = Mat_VarReadInfo(mat, name);
    if (var && var->class_type == MAT_C_CELL && var->rank == 2 && var->dims && var->data)
        return var;
    Mat_VarFree(var);
    return NULL;
}

static int64_t cell_count(const matvar_t *cells) {
    return (int64_t)(cells->dims[0] * cells->dims[1]);
}

static bool is_matrix(const matvar_t *v) {
    return v && v->rank == 2 && v->dims && !v->isComplex && v->class_type >= MAT_C_DOUBLE &&
           v->class_type <= MAT_C_UINT64;
}

/* Reads the data of cell i; NULL if the cell is no numeric matrix. Freed with the array. */
static matvar_t *load_cell(mat_t *mat, matvar_t *cells, int64_t i) {
    matvar_t *c = i <= INT_MAX ? Mat_VarGetCell(cells, (int)i) : NULL;
    if (!is_matrix(c))
        return NULL;
    if (c->dims[0] == 0 || c->dims[1] == 0 || c->data)
        return c;
    return Mat_VarReadDataAll(mat, c) == 0 && c->data ? c : NULL;
}

/* Element i of a numeric cell, in MATLAB's order (columns first). */
static double element(const matvar_t *c, size_t i) {
    switch (c->class_type) {
    case MAT_C_DOUBLE:
        return ((const double *)c->data)[i];
    case MAT_C_SINGLE:
        return ((const float *)c->data)[i];
    case MAT_C_INT8:
        return ((const int8_t *)c->data)[i];
    case MAT_C_UINT8:
        return ((const uint8_t *)c->data)[i];
    case MAT_C_INT16:
        return ((const int16_t *)c->data)[i];
    case MAT_C_UINT16:
        return ((const uint16_t *)c->data)[i];
    case MAT_C_INT32:
        return ((const int32_t *)c->data)[i];
    case MAT_C_UINT32:
        return ((const uint32_t *)c->data)[i];
    case MAT_C_INT64:
        return (double)((const int64_t *)c->data)[i];
    default:
        return (double)((const uint64_t *)c->data)[i];
    }
}

static int add_columns(Ranges *out, const matvar_t *c, int64_t clip) {
    size_t columns = c->dims[1];
    if (c->dims[0] == 0 || columns == 0)
        return 0;
    if (c->dims[0] != 2)
        return err_set(ERR_FAIL, "cell %lld of gt is %zu x %zu; expected 2 x k: [start; end]",
                       (long long)clip + 1, c->dims[0], columns);
    for (size_t k = 0; k < columns; k++) {
        double first = element(c, 2 * k), last = element(c, 2 * k + 1);
        bool whole = floor(first) == first && floor(last) == last;
        if (!(first >= 1 && last <= INT32_MAX && first <= last && whole))
            return err_set(ERR_FAIL, "cell %lld of gt: [%g; %g] is no range of frames from 1",
                           (long long)clip + 1, first, last);
        int code = ranges_add(out, clip, (int64_t)first - 1, (int64_t)last - 1);
        if (code)
            return code;
    }
    return 0;
}

static int read_ranges(Ranges *out, mat_t *mat, matvar_t *cells) {
    int64_t n = cell_count(cells);
    int code = 0;
    out->from = 1;
    for (; out->clips < n && !code; out->clips++) {
        matvar_t *c = load_cell(mat, cells, out->clips);
        code = c ? add_columns(out, c, out->clips)
                 : err_set(ERR_FAIL,
                           "cell %lld of gt is no matrix of numbers, or the file is cut short",
                           (long long)out->clips + 1);
    }
    return code;
}

/* The first vector of numbers that is called gt or label; NULL if there is none. */
static matvar_t *find_vector(mat_t *mat) {
    matvar_t *v;
    Mat_Rewind(mat);
    while ((v = Mat_VarReadNextInfo(mat))) {
        bool named = v->name && (strcasestr(v->name, "label") || strcmp(v->name, "gt") == 0);
        if (named && is_matrix(v) && (v->dims[0] == 1 || v->dims[1] == 1))
            return v;
        Mat_VarFree(v);
    }
    return NULL;
}

static int read_vector(double **value, int64_t *count, mat_t *mat) {
    matvar_t *v = find_vector(mat);
    if (!v)
        return err_set(ERR_FAIL,
                       "there is no cell array gt of ranges in it, and no vector gt or label of "
                       "0 and 1, or the file is cut short");
    size_t n = v->dims[0] * v->dims[1];
    int code = Mat_VarReadDataAll(mat, v) == 0 && v->data
                   ? 0
                   : err_set(ERR_FAIL, "the data of %s are cut short", v->name);
    double *x = code ? NULL : mem_alloc(n + 1, sizeof *x);
    for (size_t i = 0; x && i < n; i++)
        x[i] = element(v, i);
    Mat_VarFree(v);
    if (!x)
        return ERR_FAIL;
    *value = x;
    *count = (int64_t)n;
    return 0;
}

int labels_read_mat(Ranges *ranges, double **value, int64_t *count, const char *path) {
    mat_t *mat;
    int code = open_mat(&mat, path);
    if (code)
        return code;
    matvar_t *cells = find_cells(mat, "gt");
    code = cells ? read_ranges(ranges, mat, cells) : read_vector(value, count, mat);
    Mat_VarFree(cells);
    Mat_Close(mat);
    return code ? err_context(code, "%s", path) : 0;
}

/* Adds frame i. The first frame sets the size. */
static int add_mask(BitMasks *m, const matvar_t *c, int64_t i) {
    size_t h = c->dims[0], w = c->dims[1];
    if (i == 0) {
        if (h == 0 || w == 0 || h > 1 << 14 || w > 1 << 14)
            return err_set(ERR_FAIL, "masks of %zu x %zu pixels are out of range", w, h);
        m->width = (int)w;
        m->height = (int)h;
        m->stride = (int64_t)(h * w + 7) / 8;
        m->bits = mem_alloc((size_t)m->frames, (size_t)m->stride);
        if (!m->bits)
            return ERR_FAIL;
    }
    if (w != (size_t)m->width || h != (size_t)m->height)
        return err_set(ERR_FAIL, "mask %lld is %zu x %zu, the first one %d x %d", (long long)i, w,
                       h, m->width, m->height);
    uint8_t *bits = m->bits + i * m->stride;
    for (size_t x = 0, k = 0; x < w; x++)
        for (size_t y = 0; y < h; y++, k++)
            if (element(c, k) != 0)
                bits[(y * w + x) / 8] |= (uint8_t)(1 << (y * w + x) % 8);
    return 0;
}

int bit_masks_read_mat(BitMasks *out, const char *path) {
    mat_t *mat;
    int code = open_mat(&mat, path);
    if (code)
        return code;
    matvar_t *cells = find_cells(mat, "volLabel");
    if (!cells) {
        Mat_Close(mat);
        return err_set(ERR_FAIL,
                       "%s: there is no cell array volLabel in it, or the file is cut short", path);
    }
    BitMasks m = {.frames = cell_count(cells)};
    for (int64_t i = 0; i < m.frames && !code; i++) {
        matvar_t *c = load_cell(mat, cells, i);
        code =
            c ? add_mask(&m, c, i)
              : err_set(ERR_FAIL,
                        "cell %lld of volLabel is no matrix of numbers, or the file is cut short",
                        (long long)i + 1);
        if (c)
            Mat_VarFree(Mat_VarSetCell(cells, (int)i, NULL)); /* limits memory: cells are doubles */
    }
    Mat_VarFree(cells);
    Mat_Close(mat);
    if (code) {
        mem_free(m.bits);
        return err_context(code, "%s", path);
    }
    *out = m;
    return 0;
}
