/* Where in the frame: what `eval --localise` adds to an evaluation. */
#ifndef APP_EVAL_LOCALISE_H
#define APP_EVAL_LOCALISE_H

#include "base/json.h"
#include "score/evaluate.h"

typedef struct {
    Localiser *localiser;    /* owned; NULL: not asked for */
    const char *const *name; /* of the models; borrowed */
    int models;
    Localisation figures[EVALUATE_MODELS][LOCALISE_LEVELS];
} EvalLocalise;

/* Opens the localiser; `tracks` as in score/localise.h. What is given must stay. */
int eval_localise_open(EvalLocalise *l, const Dataset *data, const char *tracks,
                       Scorer *const *scorer, const char *const *name, int models);
void eval_localise_free(EvalLocalise *l); /* accepts a zeroed one */

/* Takes the figures after evaluation_run. */
int eval_localise_measure(EvalLocalise *l);

/* The table on stdout; the object "localisation" of results.json. */
void eval_localise_print(const EvalLocalise *l);
Json *eval_localise_json(const EvalLocalise *l);

#endif
