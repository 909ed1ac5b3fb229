/* normalcy doctor: describes this machine and how fast scoring and training would run on it. */
#include <stdio.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/system.h"
#include "train/trainer.h"
#include "video/ffmpeg.h"

static const char usage[] =
    "usage: normalcy doctor [OPTIONS]\n\n"
    "Prints libraries, processor and memory, and times one frame of each network.\n";

/* Measures the seconds of one frame's forward pass: the best of a few, after a warm-up. */
static int time_frame(double *seconds, Backend *be, const VitConfig *config) {
    Vit *v = NULL;
    int code = vit_open(&v, be, config, 1, false);
    if (code)
        return code;
    size_t pixels = (size_t)(config->frames * VIT_COLOURS * config->image * config->image);
    float *x = be->alloc(be, pixels * sizeof *x);
    code = x ? vit_init(v, 1) : ERR_FAIL;
    *seconds = 1e9;
    for (int i = 0; i < 4 && !code; i++) {
        double start = clock_seconds();
        vit_forward(v, x, 1, 1, NULL, NULL);
        code = be->sync(be);
        double took = clock_seconds() - start;
        if (i > 0 && took < *seconds)
            *seconds = took;
    }
    be->release(be, x);
    vit_free(&v);
    return code;
}

static int print_network(Backend *be, const char *name, const char *options) {
    VitConfig network = {0};
    TrainSettings training = {0};
    OptGroup groups[] = {{"", vit_options, &network}, {"", train_options, &training}, {0}};
    double seconds;
    char memory[16];
    int code = opt_defaults(groups);
    if (!code)
        code = opt_set_list(groups, "", options);
    if (!code)
        code = time_frame(&seconds, be, &network);
    if (code)
        return code;
    /* Forward and backward: the backward pass has the products of two forward passes. */
    double step = 3 * (double)train_images(&training) * seconds;
    printf("  %-12s  %6.1f ms a frame  %7.1f frames/s   about %6.2f s a training step, %s\n", name,
           1e3 * seconds, 1 / seconds, step,
           mem_text(memory, sizeof memory, (double)trainer_memory(&network, &training, be)));
    return 0;
}

static int run(const ComputeArgs *compute) {
    static const char *const sizes[] = {"tiny", "small", "base"};
    char text[256], total[16], available[16];
    Backend *be = NULL;
    int code = compute_open(&be, compute);
    if (!code && be->type == U8) {
        backend_free(&be);
        code = err_set(ERR_USAGE, "--precision: int8 needs a model ('normalcy quantize'); expected "
                                  "bf16 or f32");
    }
    if (code)
        return code;
    printf("normalcy   " NORMALCY_VERSION ", compiler " __VERSION__ "\n");
    printf("processor  %s\n", system_cpu_name(text, sizeof text));
    printf("features   %s\n", system_cpu_features(text, sizeof text));
    printf("memory     %s, %s free\n", mem_text(total, sizeof total, (double)system_memory_total()),
           mem_text(available, sizeof available, (double)system_memory_available()));
    printf("backend    %s: %s, %s, %d threads\n", be->name, be->description, backend_precision(be),
           be->threads);
    printf("video      %s\n", ffmpeg_about(text, sizeof text));
    printf("\nscoring, and a training step of 4 pairs (estimated from it):\n");
    code = stdout_flush(); /* before the slow part */
    if (!code)
        code = print_network(be, "ped2-scratch", preset_options("ped2-scratch"));
    for (int i = 0; i < 3 && !code; i++)
        code = print_network(be, sizes[i], vit_size_options(sizes[i]));
    backend_free(&be);
    return code;
}

int cmd_doctor(int argc, char **argv) {
    ComputeArgs compute = {0};
    const OptGroup groups[] = {{"Compute", compute_options, &compute}, {NULL, NULL, NULL}};
    if (help_asked(argc, argv, usage, groups))
        return EXIT_OK;
    int n, code = opt_defaults(groups);
    if (!code)
        code = opt_parse(groups, argc, argv, NULL, 0, &n);
    if (!code)
        code = run(&compute);
    opt_free(groups);
    return exit_code(code, "doctor");
}
