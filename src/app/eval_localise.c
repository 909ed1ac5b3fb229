#include "app/eval_localise.h"

#include <math.h>
#include <stdio.h>

int eval_localise_open(EvalLocalise *l, const Dataset *data, const char *tracks,
                       Scorer *const *scorer, const char *const *name, int models) {
    l->name = name;
    l->models = models;
    return localiser_open(&l->localiser, data, tracks, scorer, models);
}

void eval_localise_free(EvalLocalise *l) {
    localiser_free(&l->localiser);
}

int eval_localise_measure(EvalLocalise *l) {
    int code = 0;
    for (int m = 0; m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS && !code; level++)
            code = localiser_figures(l->localiser, m, level, &l->figures[m][level]);
    return code;
}

static void print_percent(int width, double share) {
    if (isnan(share))
        printf(" %*s", width, "-");
    else
        printf(" %*.2f", width, 100 * share);
}

void eval_localise_print(const EvalLocalise *l) {
    const Tracks *t = localiser_tracks(l->localiser);
    int width = 20; /* models are told by their paths */
    for (int m = 0; m < l->models; m++)
        if ((int)strlen(l->name[m]) > width)
            width = (int)strlen(l->name[m]);
    printf("\n%-*s %-10s %8s %8s %8s %8s %8s\n", width, "localisation", "level", "pixel", "40 %",
           "EER", "RBDC", "TBDC");
    for (int m = 0; m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++) {
            const Localisation *f = &l->figures[m][level];
            printf("%-*s %-10s", width, l->name[m], localise_level_names[level]);
            print_percent(8, f->pixel.auroc);
            print_percent(8, f->pixel.frame_auroc);
            print_percent(8, f->pixel.frame_eer);
            print_percent(8, f->rbdc);
            print_percent(8, f->tbdc);
            printf("\n");
        }
    printf("In percent, of error maps by patch (token) or by a window that moves (pixel). pixel: "
           "AUROC of all\npixels; 40 %%: AUROC and EER of frames that are found where 40 %% of "
           "their abnormal pixels are\nover the threshold; RBDC, TBDC: share of found boxes and "
           "tracks, up to one false alarm a frame.\n%lld boxes of %lld tracks, %s.\n",
           (long long)t->count, (long long)t->tracks,
           t->made ? "made here from the masks: RBDC and TBDC do not compare with published ones"
                   : "from files");
}

static Json *row_json(const EvalLocalise *l, int model, int level) {
    const Localisation *f = &l->figures[model][level];
    Json *j = js_object();
    js_set_text(j, "model", l->name[model]);
    js_set_text(j, "level", localise_level_names[level]);
    js_set_number(j, "pixel_auroc", 100 * f->pixel.auroc);
    js_set_number(j, "pixel_auroc_error", 100 * f->pixel.auroc_error);
    js_set_number(j, "pixel_40_auroc", 100 * f->pixel.frame_auroc);
    js_set_number(j, "pixel_40_eer", 100 * f->pixel.frame_eer);
    js_set_number(j, "rbdc", 100 * f->rbdc);
    js_set_number(j, "tbdc", 100 * f->tbdc);
    return j;
}

Json *eval_localise_json(const EvalLocalise *l) {
    const Tracks *t = localiser_tracks(l->localiser);
    Json *j = js_object(), *rows = js_array();
    js_set_text(j, "tracks", t->made ? "made from masks" : "files");
    js_set_int(j, "track_count", t->tracks);
    js_set_int(j, "box_count", t->count);
    for (int m = 0; m < l->models; m++)
        for (int level = 0; level < LOCALISE_LEVELS; level++)
            js_append(rows, row_json(l, m, level));
    js_set(j, "rows", rows);
    return j;
}
