#include "score/judgement.h"

#include "base/err.h"
#include "base/mem.h"

static const char ranks[] = "error.ranks", tail[] = "error.tail", ignored[] = "ignore.cells";
static const int64_t ignored_shape[] = {IGNORE_SIDE, IGNORE_SIDE};

void judgement_free(Judgement *j) {
    motion_model_free(&j->motion);
    stays_model_free(&j->stays);
    calibration_free(&j->error);
    mem_free(j->ignore);
    j->ignore = NULL;
}

void judgement_add(SafeWriter *w, const Judgement *j) {
    if (j->motion)
        motion_model_add(w, j->motion);
    if (j->stays)
        stays_model_add(w, j->stays);
    if (j->error.count)
        calibration_add(w, &j->error, ranks, tail);
    if (j->ignore)
        safe_writer_add(w, ignored, 2, ignored_shape, j->ignore->cell[0]);
}

int judgement_load_ignore(Ignore **out, const Safetensors *file, const char *path) {
    const SafeTensor *t = safetensors_find(file, ignored);
    *out = NULL;
    if (!t)
        return 0;
    if (!safetensors_has_shape(t, 2, ignored_shape))
        return err_set(ERR_FAIL, "%s: tensor %s is damaged; train again", path, ignored);
    Ignore *ignore = mem_alloc(1, sizeof *ignore);
    int code = ignore ? safetensors_to_f32(t, ignore->cell[0]) : ERR_FAIL;
    if (!code)
        code = safetensors_check_finite(t, ignore->cell[0], path);
    if (code)
        mem_free(ignore);
    else
        *out = ignore;
    return code;
}

/* What stays is seen in the pictures that motion is seen in. */
static bool fits(const Judgement *j) {
    return j->motion && j->motion->picture.width == j->stays->picture.width &&
           j->motion->picture.height == j->stays->picture.height;
}

int judgement_load(Judgement *out, const Safetensors *file, const char *path) {
    *out = (Judgement){0};
    int code = motion_model_load(&out->motion, file, path);
    if (!code)
        code = stays_model_load(&out->stays, file, path);
    if (!code && out->stays && !fits(out))
        code = err_set(ERR_FAIL, "%s: stays.levels do not fit motion.rarity; train again", path);
    if (!code)
        code = calibration_load(&out->error, file, path, ranks, tail);
    if (!code)
        code = judgement_load_ignore(&out->ignore, file, path);
    if (code)
        judgement_free(out);
    return code;
}
