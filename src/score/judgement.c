#include "score/judgement.h"

#include "base/err.h"

static const char ranks[] = "error.ranks", tail[] = "error.tail";

void judgement_free(Judgement *j) {
    motion_model_free(&j->motion);
    stays_model_free(&j->stays);
    calibration_free(&j->error);
}

void judgement_add(SafeWriter *w, const Judgement *j) {
    if (j->motion)
        motion_model_add(w, j->motion);
    if (j->stays)
        stays_model_add(w, j->stays);
    if (j->error.count)
        calibration_add(w, &j->error, ranks, tail);
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
    if (code)
        judgement_free(out);
    return code;
}
