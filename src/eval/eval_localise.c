#include "eval/eval_localise.h"

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
            if (localiser_has(l->localiser, m, level))
                code = localiser_figures(l->localiser, m, level, &l->figures[m][level]);
    return code;
}
