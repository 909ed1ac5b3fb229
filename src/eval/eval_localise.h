/* `eval --localise`: how well the models locate anomalies in the frame. */
#ifndef EVAL_EVAL_LOCALISE_H
#define EVAL_EVAL_LOCALISE_H

#include "eval/evaluate.h"

typedef struct {
    Localiser *localiser;    /* owned; NULL: not asked for */
    const char *const *name; /* of the models; borrowed */
    int models;
    Localisation figures[EVALUATE_MODELS][LOCALISE_LEVELS]; /* where localiser_has the maps */
} EvalLocalise;

/* Opens the localiser; `tracks` as in eval/localise.h. All arguments are borrowed and must outlive
 * *l. */
int eval_localise_open(EvalLocalise *l, const Dataset *data, const char *tracks,
                       Scorer *const *scorer, const char *const *name, int models);
void eval_localise_free(EvalLocalise *l); /* accepts a zeroed one */

/* Fills l->figures; call it after evaluation_run. */
int eval_localise_measure(EvalLocalise *l);

#endif
