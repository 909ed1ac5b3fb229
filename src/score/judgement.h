/* What a model knows of normal footage beside its network: all that makes a surprise. */
#ifndef SCORE_JUDGEMENT_H
#define SCORE_JUDGEMENT_H

#include "score/motion.h"
#include "score/stays.h"

/* Owned by whoever holds it. */
typedef struct {
    MotionModel *motion; /* NULL: not learned */
    StaysModel *stays;   /* NULL: not learned; there is motion if it is there */
    Calibration error;   /* of minus PSNRs in dB; count 0: not learned */
    Ignore *ignore;      /* what it never looked at; NULL: nothing */
} Judgement;

void judgement_free(Judgement *j); /* accepts a zeroed one */

/* Reads only what is ignored; *out is NULL if that is nothing, else the caller frees it with
 * mem_free. ERR_FAIL if the file is damaged. */
int judgement_load_ignore(Ignore **out, const Safetensors *file, const char *path);

/* Declares what there is to a writer, which borrows it until it saves. */
void judgement_add(SafeWriter *w, const Judgement *j);

/* Reads what a file has. ERR_FAIL if it is damaged. */
int judgement_load(Judgement *out, const Safetensors *file, const char *path);

#endif
