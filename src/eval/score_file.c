#include "eval/score_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/npy.h"
#include "eval/score_lines.h"
#include "score/psnr.h"
#include "video/listing.h"

/* ---- reading ---- */

static int append(ScoreFile *f, const char *path) {
    Npy a = {0};
    int code = npy_read(&a, path);
    if (code)
        return code;
    double *grown =
        mem_grow(f->score, (size_t)f->count, (size_t)(f->count + a.count) + 1, sizeof *grown);
    if (grown) {
        f->score = grown;
        f->room = f->count + a.count + 1;
        for (int64_t i = 0; i < a.count; i++)
            f->score[f->count++] = npy_real(&a, i);
    }
    npy_free(&a);
    return grown ? 0 : ERR_FAIL;
}

/* The file's name without folder and extension. Folders of frames may be called 2026.11.30. */
static char *name_of(const char *path) {
    const char *name = file_name(path), *dot = strrchr(name, '.');
    bool extension =
        dot > name && strpbrk(dot, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return mem_printf("%.*s", extension ? (int)(dot - name) : (int)strlen(name), name);
}

int score_file_add_clip(ScoreFile *f, const char *file) {
    if (f->files == f->names) {
        size_t more = 2 * (size_t)f->names + 64;
        char **name = mem_grow(f->name, (size_t)f->files, more, sizeof *name);
        if (!name)
            return ERR_FAIL;
        f->name = name;
        int64_t *length = mem_grow(f->length, (size_t)f->files, more, sizeof *length);
        if (!length)
            return ERR_FAIL;
        f->length = length;
        f->names = (int64_t)more;
    }
    f->name[f->files] = name_of(file);
    f->length[f->files] = 0;
    return f->name[f->files] ? (f->files++, 0) : ERR_FAIL;
}

static int append_clip(ScoreFile *f, const char *path) {
    int64_t before = f->count;
    int clips = f->files;
    if (!file_has_extension(path, "npy")) {
        int code = score_lines_read(f, path);
        if (!code && f->files != clips + 1)
            code = err_set(ERR_FAIL, "%s: lines of %d clips; in a folder expected one clip a file",
                           path, f->files - clips);
        return code;
    }
    int code = score_file_add_clip(f, path);
    if (!code)
        code = append(f, path);
    if (!code)
        f->length[clips] = f->count - before;
    return code;
}

/* A folder may hold both the arrays and the lines of the same clips: the first kind counts. */
static int read_folder(ScoreFile *f, const char *path) {
    static const char *const kinds[] = {"npy", "jsonl", "csv", NULL};
    Listing files;
    int code = listing_open(&files, path, LIST_FILES);
    if (code)
        return code;
    for (int k = 0; kinds[k] && !code && f->files == 0; k++)
        for (int64_t i = 0; i < files.count && !code; i++)
            if (file_has_extension(files.item[i].path, kinds[k]))
                code = append_clip(f, files.item[i].path);
    listing_free(&files);
    if (!code && f->files == 0)
        code = err_set(
            ERR_FAIL, "%s: no .npy file in it, nor .jsonl or .csv; expected one a test clip", path);
    return code;
}

static bool is_array(const char *path) {
    char head[6] = "";
    FILE *s = fopen(path, "rb");
    bool is = s && fread(head, 1, sizeof head, s) == sizeof head &&
              memcmp(head, "\x93NUMPY", sizeof head) == 0;
    if (s)
        fclose(s);
    return is || file_has_extension(path, "npy");
}

static int read_path(ScoreFile *f) {
    return file_is_folder(f->path) ? read_folder(f, f->path)
           : is_array(f->path)     ? append(f, f->path)
                                   : score_lines_read(f, f->path);
}

int score_file_open(ScoreFile **out, const char *path) {
    ScoreFile *f = mem_alloc(1, sizeof *f);
    if (!f)
        return ERR_FAIL;
    f->path = mem_printf("%s", path);
    int code = f->path ? read_path(f) : ERR_FAIL;
    if (code)
        score_file_free(&f);
    else
        *out = f;
    return code;
}

void score_file_free(ScoreFile **pf) {
    ScoreFile *f = *pf;
    if (!f)
        return;
    for (int i = 0; i < f->files; i++)
        mem_free(f->name[i]);
    mem_free(f->name);
    mem_free(f->length);
    mem_free(f->score);
    mem_free(f->path);
    mem_free(f);
    *pf = NULL;
}

/* ---- clips ---- */

int score_file_clips(Dataset **out, const ScoreFile *f, const int64_t *frames, int clips,
                     int64_t unscored) {
    clips = frames ? clips : f->files;
    Dataset *d = mem_alloc(1, sizeof *d);
    if (d)
        d->test.clips = mem_alloc((size_t)clips, sizeof *d->test.clips);
    int code = d && d->test.clips ? 0 : ERR_FAIL;
    for (int i = 0; i < clips && !code; i++) {
        Clip *c = &d->test.clips[d->test.count++];
        c->name = clips == f->files ? mem_printf("%s", f->name[i])
                  : clips == 1      ? name_of(f->path)
                                    : mem_printf("%02d", i + 1);
        c->frames = frames ? frames[i] : f->length[i] + unscored;
        code = c->name ? 0 : ERR_FAIL;
    }
    if (code)
        dataset_free(&d);
    else
        *out = d;
    return code;
}

/* ---- evaluation ---- */

/* How the scores lie in the clips. */
typedef struct {
    const ScoreFile *f;
    const Labels *l;
    int64_t first, last; /* without a score, as the user says */
    bool whole;          /* the array has elements for these frames, too */
    bool regularity;
} Placing;

static int check_clip(const Placing *y, int c) {
    const ScoreFile *f = y->f;
    int64_t unscored = y->whole ? 0 : y->first + y->last, frames = y->l->length[c];
    if (frames <= y->first + y->last)
        return err_set(ERR_FAIL, "clip %d has %lld frames; of %lld without a score none is left",
                       c + 1, (long long)frames, (long long)(y->first + y->last));
    if (!f->files || f->length[c] == frames - unscored || (f->lines && f->length[c] < frames))
        return 0;
    if (f->lines)
        return err_set(ERR_FAIL, "%s: %s has a line of frame %lld, but the clip has %lld frames",
                       f->path, f->name[c], (long long)f->length[c] - 1, (long long)frames);
    return err_set(ERR_FAIL,
                   "%s: %s.npy has %lld scores, expected %lld: the clip has %lld frames, "
                   "%lld of them without a score (--first, --last)",
                   f->path, f->name[c], (long long)f->length[c], (long long)(frames - unscored),
                   (long long)frames, (long long)unscored);
}

static int check_total(const Placing *y) {
    const ScoreFile *f = y->f;
    const Labels *l = y->l;
    int64_t unscored = y->whole ? 0 : y->first + y->last;
    int64_t want = l->frames - unscored * l->clips, missing = l->frames - f->count;
    char hint[64] = "";
    if (missing > 0 && missing % l->clips == 0)
        snprintf(hint, sizeof hint, "; here it is %lld a clip", (long long)(missing / l->clips));
    if (f->count == want || f->lines)
        return 0;
    return err_set(ERR_FAIL,
                   "%s: %lld scores, expected %lld: %d clips of %lld frames in all, %lld of "
                   "each without a score (--first, --last)%s",
                   f->path, (long long)f->count, (long long)want, l->clips, (long long)l->frames,
                   (long long)unscored, hint);
}

static int check_lengths(const Placing *y) {
    const ScoreFile *f = y->f;
    if (f->lines && (y->first || y->last))
        return err_set(ERR_USAGE, "--first and --last are of arrays; lines name their frames");
    if (f->files && f->files != y->l->clips)
        return err_set(ERR_FAIL, "%s: %d %s of scores, but %d test clips", f->path, f->files,
                       f->lines ? "clips" : "files", y->l->clips);
    int code = 0;
    for (int c = 0; c < y->l->clips && !code; c++)
        code = check_clip(y, c);
    return code ? code : check_total(y);
}

/* Copies the scores to their frames as regularity; NaN where a frame has none. */
static int place(double *value, const Placing *y) {
    const double *score = y->f->score;
    for (int c = 0; c < y->l->clips; c++) {
        int64_t frames = y->l->length[c], from = y->whole || y->f->lines ? 0 : y->first;
        int64_t have = y->f->files ? y->f->length[c]
                       : y->whole  ? frames
                                   : frames - y->first - y->last;
        for (int64_t t = 0; t < frames; t++) {
            double s = t < from || t - from >= have ? NAN : score[t - from];
            bool end = t < y->first || t >= frames - y->last;
            if (end && !isnan(s))
                return err_set(ERR_FAIL,
                               "%s: frame %lld of clip %d has a score; --first and --last say that "
                               "it has none",
                               y->f->path, (long long)t, c + 1);
            if (isinf(s) && !(y->regularity && s > 0))
                return err_set(ERR_FAIL,
                               "%s: score %lld is infinite; only PSNRs (--regularity) may be, of "
                               "frames that equal their prediction",
                               y->f->path, (long long)(score + t - from - y->f->score));
            *value++ = y->regularity ? s : -s;
        }
        score += have;
    }
    return 0;
}

/* The highest finite value below `limit`. */
static double highest(const double *value, int64_t n, double limit) {
    double top = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (value[i] < limit && isfinite(value[i]))
            top = fmax(top, value[i]);
    return top;
}

/* Frames that equal their prediction are the most normal ones by a bit, as in input_of. */
static void place_equal(double *value, int64_t n, bool decibel) {
    double top = highest(value, n, decibel ? PSNR_EQUAL : INFINITY);
    double equal = isfinite(top) ? nextafter(top, INFINITY) : PSNR_EQUAL;
    for (int64_t i = 0; i < n; i++)
        if (isinf(decibel ? psnr_read(value[i]) : value[i]))
            value[i] = equal;
}

/* Gives frames without a score the nearest one of their clip, which has at least one. */
static void fill(double *value, const bool *missing, int64_t n) {
    for (int64_t t = 0, before = -1, after = 0; t < n; t++) {
        if (!missing[t]) {
            before = t;
            continue;
        }
        for (after = after > t ? after : t + 1; after < n && missing[after];)
            after++;
        bool back = before >= 0 && (after == n || t - before <= after - t);
        value[t] = value[back ? before : after];
    }
}

/* The frames that all clips lack at their ends are first and last; others are missing. */
static int find_missing(Evaluation *e, double *value, const Placing *y) {
    e->missing = mem_alloc((size_t)y->l->frames + 1, sizeof *e->missing);
    if (!e->missing)
        return ERR_FAIL;
    e->first = e->last = INT64_MAX;
    for (int64_t c = 0, start = 0; c < y->l->clips; start += y->l->length[c++]) {
        int64_t n = y->l->length[c], first = 0, last = 0;
        bool *missing = e->missing + start;
        for (int64_t t = 0; t < n; t++)
            missing[t] = isnan(value[start + t]);
        while (first < n && missing[first])
            first++;
        while (last < n && missing[n - 1 - last])
            last++;
        if (first == n)
            return err_set(ERR_FAIL, "%s: clip %s has no score: all of its %lld are NaN",
                           y->f->path, e->data->test.clips[c].name, (long long)n);
        fill(value + start, missing, n);
        e->first = first < e->first ? first : e->first;
        e->last = last < e->last ? last : e->last;
    }
    return 0;
}

int score_file_evaluation(Evaluation *out, const ScoreFile *f, const Dataset *data,
                          const Labels *const *labels, int truths, int64_t first, int64_t last,
                          bool regularity) {
    const Labels *l = labels[0];
    bool whole = !f->lines && f->count == l->frames;
    Placing y = {f, l, first, last, whole, regularity || f->lines};
    int code = check_lengths(&y);
    if (code)
        return code;
    Evaluation e = {.data = data,
                    .labels = labels,
                    .truths = truths,
                    .source = f->path,
                    .name = {f->path},
                    .models = 1,
                    .clips = l->clips,
                    .keeps_zero = true};
    double *value = e.value[0][SCORE_FRAME] = mem_alloc((size_t)l->frames, sizeof *value);
    code = value ? place(value, &y) : ERR_FAIL;
    if (!code && y.regularity) {
        double top = highest(value, l->frames, INFINITY);
        place_equal(value, l->frames, top <= PSNR_EQUAL);
        e.keeps_zero = top <= 1 || top > PSNR_EQUAL; /* else they may well be PSNRs */
    }
    if (!code)
        code = find_missing(&e, value, &y);
    if (code)
        evaluation_free(&e);
    else
        *out = e;
    return code;
}
