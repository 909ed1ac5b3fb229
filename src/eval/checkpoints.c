#include "eval/checkpoints.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "video/listing.h"

static const char prefix[] = "epoch-", extension[] = ".safetensors";

static bool is_checkpoint(const char *path) {
    return strncmp(file_name(path), prefix, strlen(prefix)) == 0 &&
           file_has_extension(path, extension + 1);
}

static int find_names(EvalCheckpoints *c, const char *run) {
    Listing files;
    int code = listing_open(&files, run, LIST_FILES);
    if (code)
        return code;
    c->name = mem_alloc((size_t)files.count + 1, sizeof *c->name);
    code = c->name ? 0 : ERR_FAIL;
    for (int64_t i = 0; i < files.count && !code; i++) {
        const char *name = file_name(files.item[i].path);
        if (!is_checkpoint(name))
            continue;
        c->name[c->names] = mem_printf("%.*s", (int)(strlen(name) - strlen(extension)), name);
        code = c->name[c->names++] ? 0 : ERR_FAIL;
    }
    listing_free(&files);
    if (!code && c->names == 0)
        code = err_set(ERR_FAIL,
                       "%s: no checkpoints of epochs in it (%s*%s); 'train --keep' keeps "
                       "them",
                       run, prefix, extension);
    return code;
}

/* Appends the rows of one checkpoint. */
static int add(EvalCheckpoints *c, const char *name, const ResultRow *rows, int count) {
    if (c->count && count != c->each)
        return err_set(ERR_FAIL,
                       "--checkpoints: %s has %d scores, those before it %d: some know nothing of "
                       "motion; leave motion, surprise and steady out of --variants",
                       name, count, c->each);
    ResultRow *grown =
        mem_grow(c->rows, (size_t)c->count, (size_t)(c->count + count), sizeof *grown);
    if (!grown)
        return ERR_FAIL;
    c->rows = grown;
    c->each = count;
    for (int i = 0; i < count; i++) {
        c->rows[c->count] = rows[i];
        c->rows[c->count++].model = name;
    }
    return 0;
}

static int evaluate(EvalCheckpoints *c, int i, const char *run, Backend *be, const Evaluation *e,
                    const ResultPlan *plan, int top, void (*progress)(int64_t, int64_t)) {
    char path[4096];
    Scorer *scorer = NULL;
    Evaluation own = {0};
    ResultRow *rows = NULL;
    const char *name = c->name[i];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s%s", run, name, extension);
    int code = scorer_open(&scorer, path, be);
    if (!code)
        code = evaluation_run(&own, e->data, e->labels, e->truths, &scorer, &name, 1, e->parts, top,
                              NULL, progress);
    if (!code)
        code = evaluation_rows(&own, plan, &rows, &count);
    if (!code)
        code = add(c, name, rows, count);
    mem_free(rows);
    evaluation_free(&own);
    scorer_free(&scorer);
    return code;
}

/* Appends the rows of the run's last checkpoint: the first model's among `rows`. */
static int add_last(EvalCheckpoints *c, const Evaluation *e, const ResultRow *rows, int count) {
    ResultRow *own = mem_alloc((size_t)count, sizeof *own);
    int n = 0;
    for (int i = 0; own && i < count; i++)
        if (rows[i].model == e->name[0])
            own[n++] = rows[i];
    int code = own ? add(c, "last", own, n) : ERR_FAIL;
    mem_free(own);
    return code;
}

static int find_best(EvalCheckpoints *c) {
    c->best = mem_alloc((size_t)c->each, sizeof *c->best);
    if (!c->best)
        return ERR_FAIL;
    for (int k = 0; k < c->each; k++) {
        c->best[k] = -1;
        for (int i = k; i < c->count; i += c->each)
            if (!isnan(c->rows[i].auroc_micro) &&
                (c->best[k] < 0 || c->rows[i].auroc_micro >= c->rows[c->best[k]].auroc_micro))
                c->best[k] = i;
    }
    return 0;
}

int eval_checkpoints_run(EvalCheckpoints *out, const char *run, Backend *be, const Evaluation *e,
                         const ResultPlan *plan, const ResultRow *rows, int count, int top,
                         void (*progress)(int64_t, int64_t)) {
    EvalCheckpoints c = {0};
    int code = find_names(&c, run);
    for (int i = 0; i < c.names && !code; i++)
        code = evaluate(&c, i, run, be, e, plan, top, progress);
    if (!code)
        code = add_last(&c, e, rows, count);
    if (!code)
        code = find_best(&c);
    if (code)
        eval_checkpoints_free(&c);
    else
        *out = c;
    return code;
}

void eval_checkpoints_free(EvalCheckpoints *c) {
    for (int i = 0; i < c->names; i++)
        mem_free(c->name[i]);
    mem_free(c->name);
    mem_free(c->rows);
    mem_free(c->best);
    *c = (EvalCheckpoints){0};
}
