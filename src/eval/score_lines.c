#include "eval/score_lines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/words.h"
#include "score/psnr.h"

enum { MAX_FRAME = 100000000, MAX_NAME = 4096 };
static const size_t MAX_TEXT = (size_t)4 << 30;

typedef struct {
    char file[MAX_NAME]; /* empty: not told */
    int64_t frame;
    double psnr; /* NaN: no score */
} Row;

enum { FILE_NAME, FRAME, PSNR, COLUMNS };
static const char *const columns[COLUMNS] = {"file", "frame", "psnr"};

typedef struct {
    ScoreFile *f;
    const char *path;
    int64_t start;       /* of the current clip in f->score */
    char last[MAX_NAME]; /* its file */
    int column[COLUMNS]; /* of CSV */
} Reader;

static int read_json(Row *row, const char *line, size_t n) {
    Json *j = js_parse(line, n);
    if (!j)
        return ERR_FAIL;
    const char *file = js_text_of(js_get(j, "file"));
    row->psnr = NAN;
    js_number_of(js_get(j, "psnr"), &row->psnr);
    snprintf(row->file, sizeof row->file, "%s", file ? file : "");
    bool ok = js_int_of(js_get(j, "frame"), &row->frame) && js_get(j, "psnr");
    js_free(j);
    return ok ? 0 : err_set(ERR_FAIL, "expected a line of 'score' with \"frame\" and \"psnr\"");
}

/* Fills the fields of the wanted columns. */
static void split(char field[COLUMNS][MAX_NAME], const int column[COLUMNS], const char *line) {
    bool more = true;
    char text[MAX_NAME];
    for (int here = 0; more; here++) {
        more = csv_field(&line, text, sizeof text);
        for (int i = 0; i < COLUMNS; i++)
            if (column[i] == here)
                memcpy(field[i], text, sizeof text);
    }
}

static int read_csv(Row *row, const Reader *r, const char *line) {
    char field[COLUMNS][MAX_NAME] = {{0}}, *end[2];
    split(field, r->column, line);
    row->frame = strtoll(field[FRAME], &end[0], 10);
    row->psnr = field[PSNR][0] ? strtod(field[PSNR], &end[1]) : NAN;
    memcpy(row->file, field[FILE_NAME], sizeof row->file);
    bool bad = !field[FRAME][0] || *end[0] || (field[PSNR][0] && *end[1]);
    return bad ? err_set(ERR_FAIL, "expected numbers in the columns frame and psnr") : 0;
}

/* Finds the columns in the head of a CSV file. Returns whether this is one. */
static bool read_head(Reader *r, const char *line) {
    char field[MAX_NAME];
    bool more = true;
    for (int i = 0; i < COLUMNS; i++)
        r->column[i] = -1;
    for (int here = 0; more; here++) {
        more = csv_field(&line, field, sizeof field);
        for (int i = 0; i < COLUMNS; i++)
            if (strcmp(field, columns[i]) == 0)
                r->column[i] = here;
    }
    return r->column[FRAME] >= 0 && r->column[PSNR] >= 0;
}

/* Begins the row's clip if it is another one. */
static int begin_clip(Reader *r, const Row *row) {
    ScoreFile *f = r->f;
    if (r->start >= 0 && strcmp(r->last, row->file) == 0)
        return 0;
    r->start = f->count;
    memcpy(r->last, row->file, sizeof r->last);
    return score_file_add_clip(f, *row->file ? row->file : r->path);
}

/* Frames between the last row and this one have no score. */
static int add_row(Reader *r, const Row *row) {
    ScoreFile *f = r->f;
    if (begin_clip(r, row))
        return ERR_FAIL;
    int64_t *length = &f->length[f->files - 1];
    if (row->frame < *length)
        return err_set(ERR_FAIL,
                       "frame %lld follows frame %lld; expected one run of 'score' in a file",
                       (long long)row->frame, (long long)*length - 1);
    if (row->frame > MAX_FRAME)
        return err_set(ERR_FAIL, "frame %lld is out of range", (long long)row->frame);
    while (*length <= row->frame) {
        double *score = mem_room(f->score, f->count, &f->room, sizeof *score);
        if (!score)
            return ERR_FAIL;
        f->score = score;
        f->score[f->count++] = *length < row->frame ? NAN : psnr_read(row->psnr);
        ++*length;
    }
    return 0;
}

static int read_line(Reader *r, const char *line, size_t n, bool json) {
    static _Thread_local Row row; /* too large for the stack of a thread */
    int code = json ? read_json(&row, line, n) : read_csv(&row, r, line);
    if (!code && row.frame < 0)
        code = err_set(ERR_FAIL, "frame %lld is negative", (long long)row.frame);
    return code ? code : add_row(r, &row);
}

int score_lines_read(ScoreFile *f, const char *path) {
    char *text;
    size_t bytes;
    int code = file_read_text(path, MAX_TEXT, &text, &bytes);
    if (code)
        return code;
    Reader r = {.f = f, .path = path, .start = -1};
    bool json = text[strspn(text, " \t\n")] == '{';
    if (!json && !read_head(&r, text))
        code = err_set(ERR_FAIL,
                       "%s: neither a .npy array nor lines of 'score', JSON or CSV with the "
                       "columns frame and psnr",
                       path);
    Words w = words_of(text);
    for (int number = 1; !code && words_next_part(&w, '\n'); number++) {
        bool head = !json && number == 1;
        if (head || strspn(w.text, " \t") >= (size_t)w.length)
            continue;
        code = read_line(&r, w.text, (size_t)w.length, json);
        code = code ? err_context(code, "%s: line %d", path, number) : 0;
    }
    if (!code && r.start < 0)
        code = err_set(ERR_FAIL, "%s: there is no score in it", path);
    f->lines = true;
    mem_free(text);
    return code;
}
