/* normalcy quantize: makes a model for scoring in int8. */
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "app/footage.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/stop.h"
#include "data/pairs.h"
#include "model/weights.h"
#include "score/scorer.h"

static const char usage[] =
    "usage: normalcy quantize MODEL [DATA] -o FILE [OPTIONS]\n\n"
    "Runs the model on training frames, measures the ranges of its layers' inputs, and writes a\n"
    "model with these ranges and without the optimizer's state. 'eval' and 'score' run it in int8\n"
    "with --precision int8, and otherwise like any other model. Without DATA it uses the data\n"
    "that MODEL was trained on.\n";

typedef struct {
    char *output;
    int64_t pairs, seed;
} QuantizeArgs;

static const Opt quantize_options[] = {
    OPT_TEXT_ROW(QuantizeArgs, output, "output", NULL, "FILE", "the model to write"),
    OPT_INT_ROW(QuantizeArgs, pairs, "pairs", "128", 1, 1e6, "N", "training pairs to run"),
    OPT_INT_ROW(QuantizeArgs, seed, "seed", "1", 0, 4294967295.0, "N",
                "seed that chooses the pairs"),
    OPT_END,
};

typedef struct {
    QuantizeArgs args;
    ComputeArgs compute;
    OptGroup groups[3];
    const char *model, *path; /* borrowed */
    Backend *be;
    Scorer *scorer;
    Dataset *data;
    Pairs *pairs;
    VitRange *ranges;
} Quantize;

static void quantize_close(Quantize *q) {
    pairs_free(&q->pairs);
    dataset_free(&q->data);
    scorer_free(&q->scorer);
    backend_free(&q->be);
    mem_free(q->ranges);
    opt_free(q->groups);
}

static int parse(Quantize *q, int argc, char **argv) {
    const char *positional[2];
    int n, code = opt_defaults(q->groups);
    if (!code)
        code = opt_parse(q->groups, argc, argv, positional, 2, &n);
    if (code)
        return code;
    if (n < 1)
        return err_set(ERR_USAGE, "no model: give a run folder or a checkpoint file");
    if (!q->args.output)
        return err_set(ERR_USAGE, "no file to write: give -o FILE");
    code = check_order("quantize", positional[0], n > 1 ? positional[1] : NULL);
    if (code)
        return code;
    char model[4096];
    model_path(model, sizeof model, positional[0]);
    if (file_is_same(q->args.output, model))
        return err_set(ERR_USAGE, "%s is the model; it would lose its optimizer's state", model);
    q->model = positional[0];
    q->path = n > 1 ? positional[1] : NULL;
    return file_probe(q->args.output); /* before any work */
}

static int open_parts(Quantize *q) {
    int code = compute_open(&q->be, &q->compute);
    if (!code && q->be->type == U8)
        code = err_set(ERR_USAGE, "--precision: quantize measures the ranges in bf16 or f32");
    if (!code)
        code = scorer_open(&q->scorer, q->model, q->be);
    if (code)
        return code;
    compute_tell(q->be);
    const ScorerInfo *info = scorer_info(q->scorer);
    if (!info->model.network.depth)
        return err_set(ERR_FAIL, "%s has no network to quantize", info->path);
    if (!q->path)
        q->path = info->model.data;
    PairsConfig c = {.size = (int)info->size,
                     .interval = info->model.interval,
                     .ignore = scorer_ignore(q->scorer),
                     .frames_in = (int)info->frames,
                     .batch = 1,
                     .seed = (uint64_t)q->args.seed};
    code = footage_open(&q->data, q->path);
    if (!code && q->data->train.count == 0)
        code = err_set(ERR_FAIL, "%s has no training clips", q->path);
    if (!code)
        code = pairs_open(&q->pairs, &q->data->train, &c);
    if (code)
        return code;
    q->ranges = mem_alloc((size_t)(info->model.network.depth * VIT_SITES), sizeof *q->ranges);
    return q->ranges ? 0 : ERR_FAIL;
}

static int look(Quantize *q) {
    int64_t count = pairs_count(q->pairs) < q->args.pairs ? pairs_count(q->pairs) : q->args.pairs;
    scorer_observe(q->scorer, q->ranges);
    int code = 0;
    for (int64_t i = 0; i < count && !code; i++) {
        PairBatch batch;
        double psnr;
        code = stop_requested() ? err_set(ERR_STOPPED, "stopped") : pairs_next(q->pairs, &batch);
        if (!code)
            code = scorer_run(q->scorer, batch.x, batch.y, &psnr);
        if (!code)
            progress_draw("quantize", i + 1, count, "%.2f dB", psnr);
    }
    progress_end();
    return code;
}

int cmd_quantize(int argc, char **argv) {
    Quantize q = {0};
    const OptGroup groups[] = {{"Quantize", quantize_options, &q.args},
                               {"Compute", compute_options, &q.compute},
                               {NULL, NULL, NULL}};
    memcpy(q.groups, groups, sizeof groups);
    if (help_asked(argc, argv, usage, q.groups))
        return EXIT_OK;
    int code = parse(&q, argc, argv);
    if (!code)
        code = open_parts(&q);
    if (!code)
        code = look(&q);
    if (!code)
        code = vit_check_ranges(&scorer_info(q.scorer)->model.network, (const VitRange *)q.ranges);
    if (!code)
        code = model_with_ranges(scorer_info(q.scorer)->path, (const VitRange *)q.ranges,
                                 q.args.output);
    if (!code)
        log_info("written   %s: score with --precision int8", q.args.output);
    quantize_close(&q);
    return exit_code(code, "quantize");
}
