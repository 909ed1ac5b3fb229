/* normalcy weights: lists the tensors of weight files, and imports them as a start for training. */
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/err.h"
#include "base/file.h"
#include "model/import.h"
#include "model/model_file.h"
#include "model/weight_file.h"

static const char usage[] =
    "usage: normalcy weights import FILE -o OUT.safetensors\n"
    "       normalcy weights list FILE\n\n"
    "import: reads the weights of SimMIM, BEiT or MAE from a .pth or .safetensors file, reports\n"
    "which of them fit our network, and writes those. 'train --init' reads FILE as well as OUT,\n"
    "and interpolates positions if --image differs.\n"
    "list: prints types, shapes and names of all tensors. A .pth file holds a pickle, which is a\n"
    "program; normalcy never executes it.\n";

typedef struct {
    char *output;
} WeightsArgs;

static const Opt weights_options[] = {
    OPT_TEXT_ROW(WeightsArgs, output, "output", NULL, "FILE", "import: the weights to write"),
    OPT_END,
};

static void print_list(const char *title, const char *what, const ImportList *l) {
    printf("%-11s %d%s\n", title, l->count, l->count ? what : "");
    for (int i = 0; i < l->count && what[0]; i++)
        printf("  %s\n", l->item[i]);
}

static void print_report(const ImportReport *r) {
    char value[OPT_VALUE];
    printf("%-11s %s\n%-11s", "family", r->family, "network");
    for (const Opt *row = vit_options; row->name; row++)
        printf(" %s=%s", row->name, opt_value_text(row, &r->network, value));
    putchar('\n');
    print_list("matched", "", &r->matched);
    print_list("missing", ", left out:", &r->missing);
    print_list("unexpected", ", ignored:", &r->unexpected);
    print_list("misshaped", ":", &r->misshaped);
    if (r->heads_guessed)
        printf(
            "\nThe number of heads is a guess: nothing in the file tells it, and %lld is what most "
            "networks\nof width %lld have. 'train --init' takes --heads beside it.\n",
            (long long)r->network.heads, (long long)r->network.width);
    if (r->fc_norm)
        puts(
            "\nfc_norm was taken as encoder.norm: there it normalised the mean of all tokens, here "
            "each token.");
}

static int import(const WeightsArgs *args, const char *path) {
    ImportReport report = {0};
    if (!args->output)
        return err_set(ERR_USAGE, "no file to write: give -o FILE");
    char from[4096];
    model_path(from, sizeof from, path);
    if (file_is_same(from, args->output))
        return err_set(ERR_USAGE, "%s would be written over itself", path);
    int code = import_weights(path, args->output, &report);
    if (report.family)
        print_report(&report);
    if (!code)
        printf("\nwritten %s\n", args->output);
    import_report_free(&report);
    return code;
}

static const char *type_name(const SafeTensor *t) {
    static const char *const names[] = {
        [SAFE_F32] = "F32",   [SAFE_F64] = "F64", [SAFE_F16] = "F16",
        [SAFE_BF16] = "BF16", [SAFE_I64] = "I64", [SAFE_OTHER] = "other"};
    return names[t->type];
}

static int list(const char *path) {
    WeightFile *f = NULL;
    int code = weight_file_open(&f, path);
    if (code)
        return code;
    for (int i = 0; i < weight_file_count(f); i++) {
        const SafeTensor *t = weight_file_at(f, i);
        char shape[192] = "";
        for (int d = 0; d < t->rank; d++) {
            size_t used = strlen(shape);
            snprintf(shape + used, sizeof shape - used, "%s%lld", d ? "," : "",
                     (long long)t->shape[d]);
        }
        printf("%-5s %-16s %s\n", type_name(t), t->rank ? shape : "-", t->name);
    }
    weight_file_free(&f);
    return 0;
}

static int run(const WeightsArgs *args, const char *const *words, int n) {
    if (n == 2 && strcmp(words[0], "import") == 0)
        return import(args, words[1]);
    if (n != 2 || strcmp(words[0], "list") != 0)
        return err_set(ERR_USAGE, "expected: normalcy weights import FILE -o OUT, or list FILE");
    if (args->output)
        return err_set(ERR_USAGE, "list writes no file: leave out -o");
    return list(words[1]);
}

int cmd_weights(int argc, char **argv) {
    WeightsArgs args = {0};
    const OptGroup groups[] = {{"Options", weights_options, &args}, {NULL, NULL, NULL}};
    if (help_asked(argc, argv, usage, groups))
        return EXIT_OK;
    const char *words[2];
    int n = 0, code = opt_defaults(groups);
    if (!code)
        code = opt_parse(groups, argc, argv, words, 2, &n);
    if (!code)
        code = run(&args, words, n);
    opt_free(groups);
    return exit_code(code, "weights");
}
