#include "eval/protocol.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* clang-format off */
const Protocol protocols[] = {
    {"per-clip", PROTOCOL_UNSCORED, PROTOCOL_UNSCORED,
     1, {{NORMALISE_CLIP, {0}}},
     "MLEP's JSON", "SMA, the paper's authors, on Ped2 and ShanghaiTech"},
    {"global", PROTOCOL_UNSCORED, PROTOCOL_UNSCORED,
     1, {{NORMALISE_GLOBAL, {0}}},
     "MLEP's JSON", "SMA, the paper's authors, on Avenue"},
    {"fp", 4, 0,
     1, {{NORMALISE_CLIP, {0}}},
     "avenue.mat", "Frame-Pred (ano_pred)"},
    {"mnad", 4, 0,
     1, {{NORMALISE_CLIP, {0}}},
     "avenue.mat", "MNAD; its own score is a mix of PSNR and distance to the memory"},
    {"lnra", 8, 7,
     1, {{NORMALISE_CLIP, {0}}},
     "avenue.mat", "LNRA and STEAL; they score the middle frame of 16"},
    {"mlep", 0, 0,
     1, {{NORMALISE_CLIP, {0}}},
     "MLEP's JSON", "MLEP; min-max is optional there"},
    {"hf2", 4, 0,
     1, {{NORMALISE_NONE, {SMOOTH_MEDIAN, EDGE_ZERO, 17, 0}}},
     "official masks", "HF2-VAD; its own score is the highest of the objects"},
    {"dmad", 4, 0,
     1, {{NORMALISE_CLIP, {0}}},
     "official masks", "DMAD; its own score is a mix of errors"},
    {"aedmae", 0, 0,
     1, {{NORMALISE_NONE, {SMOOTH_GAUSSIAN_RAW, EDGE_ZERO, 37, 11}}},
     "text files that are not public", "AED-MAE on Avenue"},
    {"aedmae-sht", 0, 0,
     2, {{NORMALISE_NONE, {SMOOTH_GAUSSIAN_RAW, EDGE_ZERO, 899, 282}}, {NORMALISE_CLIP, {0}}},
     NULL, "AED-MAE on ShanghaiTech"},
    {"acci", 0, 0,
     1, {{NORMALISE_NONE, {SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, 3}}},
     "official masks", "AccI-VAD on Ped2 and Avenue; its own scores are of objects, scaled by "
     "those of training"},
    {"acci-sht", 0, 0,
     1, {{NORMALISE_NONE, {SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, 7}}},
     NULL, "AccI-VAD on ShanghaiTech"},
    {"jig", 0, 0,
     2, {{NORMALISE_CLIP, {SMOOTH_MEAN, EDGE_ZERO, 5, 0}},
         {NORMALISE_CLIP, {SMOOTH_GAUSSIAN_RAW, EDGE_REPEAT, 49, 20}}},
     "official masks", "Jigsaw-VAD on Ped2 and Avenue; its own mean is also over 5 x 5 places"},
    {"jig-sht", 0, 0,
     2, {{NORMALISE_CLIP, {SMOOTH_MEAN, EDGE_KEEP, 43, 0}},
         {NORMALISE_NONE, {SMOOTH_GAUSSIAN_RAW, EDGE_REPEAT, 49, 20}}},
     NULL, "Jigsaw-VAD on ShanghaiTech"},
    {.name = NULL},
};
/* clang-format on */

const Protocol *protocol_find(const char *name) {
    for (const Protocol *p = protocols; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

Normalise protocol_normalise(const Protocol *p) {
    Normalise how = NORMALISE_NONE;
    for (int i = 0; i < p->steps; i++)
        if (p->step[i].normalise != NORMALISE_NONE)
            how = p->step[i].normalise;
    return how;
}

/* Copies the frames that count and turns regularity into anomaly. A frame without a score takes the
 * nearest one of its clip. An infinite PSNR (equal frames) counts as in->normal. */
static void take(Judged *j, const Protocol *p, const ProtocolInput *in) {
    int64_t head = p->head == PROTOCOL_UNSCORED ? in->first : p->head;
    int64_t tail = p->tail == PROTOCOL_UNSCORED ? in->last : p->tail;
    const Labels *l = in->labels;
    for (int64_t c = 0, start = 0; c < j->clips; start += l->length[c++])
        for (int64_t t = head; t < l->length[c] - tail; t++) {
            int64_t last = l->length[c] - 1 - in->last;
            int64_t scored = t < in->first ? in->first : t > last ? last : t;
            double r = in->regularity[start + scored];
            if (p->head == PROTOCOL_UNSCORED && in->missing && in->missing[start + t])
                continue;
            j->frame[j->frames] = t;
            j->score[j->frames] = isinf(r) && r > 0 ? 0 : in->normal - r;
            j->label[j->frames] = l->frame[c][t];
            j->abnormal += l->frame[c][t];
            j->frames++;
            j->length[c]++;
        }
}

static int smooth_clips(Judged *j, const Smooth *s) {
    int code = 0;
    for (int64_t c = 0, start = 0; c < j->clips && !code; start += j->length[c++])
        code = smooth_run(s, j->score + start, j->length[c]);
    return code;
}

static int run_step(Judged *j, const ProtocolStep *step) {
    if (step->normalise != NORMALISE_NONE) {
        for (int64_t i = 0; i < j->frames; i++)
            j->score[i] = -j->score[i];
        int code = regular_normalise(j->score, j->score, j->length, j->clips, step->normalise);
        if (code)
            return code;
    }
    return smooth_clips(j, &step->smooth);
}

int protocol_apply(Judged *out, const Protocol *p, const ProtocolInput *in, double sigma) {
    Judged j = {.clips = in->labels->clips};
    size_t room = (size_t)in->labels->frames + 1;
    j.length = mem_alloc((size_t)j.clips + 1, sizeof *j.length);
    j.score = mem_alloc(room, sizeof *j.score);
    j.label = mem_alloc(room, 1);
    j.frame = mem_alloc(room, sizeof *j.frame);
    int code = j.length && j.score && j.label && j.frame ? 0 : ERR_FAIL;
    if (!code)
        take(&j, p, in);
    for (int i = 0; i < p->steps && !code; i++)
        code = run_step(&j, &p->step[i]);
    if (!code && sigma > 0)
        code = smooth_clips(&j, &(Smooth){SMOOTH_GAUSSIAN, EDGE_REFLECT, 0, sigma});
    if (code)
        judged_free(&j);
    else
        *out = j;
    return code;
}

void judged_free(Judged *j) {
    mem_free(j->length);
    mem_free(j->score);
    mem_free(j->label);
    mem_free(j->frame);
    *j = (Judged){0};
}
