#include "eval/score_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/npy.h"
#include "video/listing.h"

/* ---- reading ---- */

static int append(ScoreFile *f, const char *path) {
    Npy a = {0};
    int code = npy_read(&a, path);
    double *grown = code ? NULL
                         : mem_grow(f->score, (size_t)f->count, (size_t)(f->count + a.count) + 1,
                                    sizeof *grown);
    if (!code && !grown)
        code = ERR_FAIL;
    if (!code) {
        f->score = grown;
        for (int64_t i = 0; i < a.count && !code; i++) {
            f->score[f->count + i] = npy_real(&a, i);
            if (!isfinite(f->score[f->count + i]))
                code = err_set(ERR_FAIL, "%s: score %lld is %s; scores must be finite numbers",
                               path, (long long)i,
                               isnan(f->score[f->count + i]) ? "not a number" : "infinite");
        }
        f->count += a.count;
    }
    npy_free(&a);
    return code;
}

static int append_clip(ScoreFile *f, const char *path) {
    int64_t before = f->count;
    const char *name = file_name(path);
    f->name[f->files] = mem_printf("%.*s", (int)(strlen(name) - strlen(".npy")), name);
    if (!f->name[f->files])
        return ERR_FAIL;
    f->files++;
    int code = append(f, path);
    f->length[f->files - 1] = f->count - before;
    return code;
}

static int read_folder(ScoreFile *f, const char *path) {
    Listing files;
    int code = listing_open(&files, path, LIST_FILES);
    if (code)
        return code;
    f->name = mem_alloc((size_t)files.count + 1, sizeof *f->name);
    f->length = mem_alloc((size_t)files.count + 1, sizeof *f->length);
    code = f->name && f->length ? 0 : ERR_FAIL;
    for (int64_t i = 0; i < files.count && !code; i++)
        if (file_has_extension(files.item[i].path, "npy"))
            code = append_clip(f, files.item[i].path);
    listing_free(&files);
    if (!code && f->files == 0)
        code = err_set(ERR_FAIL, "%s: no .npy file in it; expected one a test clip", path);
    return code;
}

int score_file_open(ScoreFile **out, const char *path) {
    ScoreFile *f = mem_alloc(1, sizeof *f);
    if (!f)
        return ERR_FAIL;
    f->path = mem_printf("%s", path);
    int code = !f->path ? ERR_FAIL : file_is_folder(path) ? read_folder(f, path) : append(f, path);
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
        c->name = clips == f->files ? mem_printf("%s", f->name[i]) : mem_printf("%02d", i + 1);
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

static int check_lengths(const ScoreFile *f, const Labels *l, int64_t unscored) {
    if (f->files && f->files != l->clips)
        return err_set(ERR_FAIL, "%s: %d files of scores, but %d test clips", f->path, f->files,
                       l->clips);
    for (int c = 0; c < l->clips; c++) {
        if (l->length[c] <= unscored)
            return err_set(ERR_FAIL,
                           "clip %d has %lld frames; of %lld without a score none is left", c + 1,
                           (long long)l->length[c], (long long)unscored);
        if (f->files && f->length[c] != l->length[c] - unscored)
            return err_set(ERR_FAIL,
                           "%s: %s.npy has %lld scores, expected %lld: the clip has %lld frames, "
                           "%lld of them without a score (--first, --last)",
                           f->path, f->name[c], (long long)f->length[c],
                           (long long)(l->length[c] - unscored), (long long)l->length[c],
                           (long long)unscored);
    }
    int64_t want = l->frames - unscored * l->clips, missing = l->frames - f->count;
    char hint[64] = "";
    if (missing > 0 && missing % l->clips == 0)
        snprintf(hint, sizeof hint, "; here it is %lld a clip", (long long)(missing / l->clips));
    if (f->count != want)
        return err_set(ERR_FAIL,
                       "%s: %lld scores, expected %lld: %d clips of %lld frames in all, %lld of "
                       "each without a score (--first, --last)%s",
                       f->path, (long long)f->count, (long long)want, l->clips,
                       (long long)l->frames, (long long)unscored, hint);
    return 0;
}

int score_file_evaluation(Evaluation *out, const ScoreFile *f, const Dataset *data,
                          const Labels *const *labels, int truths, int64_t first, int64_t last,
                          bool regularity) {
    const Labels *l = labels[0];
    int code = check_lengths(f, l, first + last);
    if (code)
        return code;
    Evaluation e = {.data = data,
                    .labels = labels,
                    .truths = truths,
                    .source = f->path,
                    .name = {f->path},
                    .models = 1,
                    .clips = l->clips,
                    .first = first,
                    .last = last};
    double *value = e.value[0][SCORE_FRAME] = mem_alloc((size_t)l->frames, sizeof *value);
    if (!value)
        return ERR_FAIL;
    const double *score = f->score;
    for (int c = 0; c < l->clips; c++) {
        int64_t scored = l->length[c] - first - last;
        for (int64_t t = 0; t < l->length[c]; t++) {
            int64_t at = t < first ? 0 : t - first < scored ? t - first : scored - 1;
            *value++ = regularity ? score[at] : -score[at];
        }
        score += scored;
    }
    *out = e;
    return 0;
}
