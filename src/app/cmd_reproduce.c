/* normalcy reproduce: computes the paper's tables on the user's copy of the data. It runs the same
 * commands as a user would, one after the other, and skips those whose results are there already.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/words.h"
#include "data/labels.h"
#include "model/model_file.h"
#include "reproduce/report.h"
#include "reproduce/state.h"
#include "train/settings.h"
#include "video/listing.h"

static const char usage[] =
    "usage: normalcy reproduce ped2|avenue|shanghaitech DATA -o FOLDER [OPTIONS]\n\n"
    "Trains and evaluates the paper's method, its ablations and its rivals on this network, once\n"
    "for each seed. Writes FOLDER/report.html, report.md and results.json, which compare each row\n"
    "with the paper's figure and give the time of an epoch. You can stop it at any point; the\n"
    "same command continues. It does not repeat a finished run unless you move its folder away.\n"
    "--settings \"epochs=14 lr=2e-4\" trains for less time than the paper; the report says so.\n"
    "If settings conflict, the last of these wins: the data set's preset, the row's recipe,\n"
    "--size, --settings, the recipe again, the row's own settings. With keep=N in --settings the\n"
    "report also shows the best of the kept epochs, chosen on the test set.\n";

static const char *const size_names[] = {"base", "small", "tiny", NULL};

typedef struct {
    char *output, *init, *seeds, *rows, *settings;
    int size;
    int64_t time_steps;
} ReproduceArgs;

static const Opt reproduce_options[] = {
    OPT_TEXT_ROW(ReproduceArgs, output, "output", NULL, "FOLDER", "folder for runs and report"),
    OPT_TEXT_ROW(ReproduceArgs, init, "init", NULL, "FILE",
                 "weights that every training starts from"),
    OPT_TEXT_ROW(ReproduceArgs, seeds, "seeds", "2022", "N,N,...",
                 "seeds; each row is trained once for each"),
    OPT_TEXT_ROW(ReproduceArgs, rows, "rows", "all", "NAME,...",
                 "rows of the table, as listed above, or all"),
    OPT_CHOICE_ROW(ReproduceArgs, size, "size", "base", size_names,
                   "size of the network; the paper's is base"),
    OPT_TEXT_ROW(ReproduceArgs, settings, "settings", "", "LIST",
                 "options of 'normalcy train' as \"name=value ...\" in place of the paper's"),
    OPT_INT_ROW(ReproduceArgs, time_steps, "time-steps", "12", 0, 1000, "N",
                "steps of each time measurement; 0: none"),
    OPT_END,
};

/* ---- the command line. */

/* Calls f for each word between commas. */
static int each_word(const char *list, int (*f)(Reproduction *, const char *), Reproduction *r) {
    char word[128];
    int code = 0;
    for (Words w = words_of(list); !code && words_next_part(&w, ',');)
        code = words_copy(&w, word, sizeof word)
                   ? f(r, word)
                   : err_set(ERR_USAGE, "\"%.*s\" is too long a word", w.length, w.text);
    return code;
}

static int add_seed(Reproduction *r, const char *word) {
    char *end;
    long long seed = strtoll(word, &end, 10);
    if (!*word || *end || seed < 0 || seed > 4294967295LL)
        return err_set(ERR_USAGE, "--seeds: expected numbers from 0 to 4294967295, found \"%s\"",
                       word);
    if (r->seed_count == REPRODUCE_MOST_SEEDS)
        return err_set(ERR_USAGE, "--seeds: at most %d", REPRODUCE_MOST_SEEDS);
    for (int i = 0; i < r->seed_count; i++)
        if (r->seeds[i] == seed)
            return err_set(ERR_USAGE, "--seeds: %lld is given twice", seed);
    r->seeds[r->seed_count++] = seed;
    return 0;
}

static int add_row(Reproduction *r, const char *word) {
    int found = reproduce_row_find(word);
    if (found < 0)
        return err_set(ERR_USAGE,
                       "--rows: there is no row \"%s\"; expected all, or some of those "
                       "that --help lists",
                       word);
    for (int i = 0; i < r->row_count; i++)
        if (r->rows[i] == found)
            return err_set(ERR_USAGE, "--rows: %s is given twice", word);
    r->rows[r->row_count++] = found;
    return 0;
}

/* Refuses in --settings the options that name a run; another run would get that name. */
static int check_settings(const char *list) {
    static const char *const taken[] = {"seed",   "init",   "size",   "output",
                                        "preset", "recipe", "resume", "config"};
    for (Words w = words_of(list); words_next(&w);)
        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
            if (words_is(&w, taken[i]) || words_value(&w, taken[i]))
                return err_set(ERR_USAGE,
                               "--settings: %s is not the same in all runs; choose the runs by "
                               "--seeds, --size, --init, --rows and -o",
                               taken[i]);
    return 0;
}

static int fill(Reproduction *r, const ReproduceArgs *args, const char *const *positional) {
    r->set_index = -1;
    for (int i = 0; reproduce_sets[i]; i++)
        if (strcmp(positional[0], reproduce_sets[i]) == 0)
            r->set_index = i;
    if (r->set_index < 0)
        return err_set(ERR_USAGE, "expected ped2, avenue or shanghaitech, found \"%s\"",
                       positional[0]);
    if (!args->output)
        return err_set(ERR_USAGE, "no folder for runs and report: give -o FOLDER");
    r->set = reproduce_sets[r->set_index];
    r->data = positional[1];
    r->output = args->output;
    r->size = size_names[args->size];
    r->init = args->init;
    r->settings = args->settings;
    if (args->time_steps > 0 && args->time_steps < 4)
        return err_set(ERR_USAGE, "--time-steps: the first 3 do not count; give 0 or at least 4");
    int code = check_settings(args->settings);
    if (!code)
        code = each_word(args->seeds, add_seed, r);
    if (!code && r->seed_count == 0)
        code = err_set(ERR_USAGE, "--seeds: expected at least one number");
    if (!code && strcmp(args->rows, "all") != 0)
        return each_word(args->rows, add_row, r);
    for (int i = 0; !code && reproduce_rows[i].name; i++)
        r->rows[r->row_count++] = i;
    return code;
}

/* ---- runs. */

enum { MOST_WORDS = 64 };

/* A command line under construction. It owns its words. */
typedef struct {
    char *word[MOST_WORDS];
    int count;
    bool failed;
} CommandLine;

static void add(CommandLine *c, const char *format, const char *value) {
    char *word = c->count < MOST_WORDS ? mem_printf("%s%s", format, value) : NULL;
    if (word)
        c->word[c->count++] = word;
    else
        c->failed = true;
}

static void free_words(CommandLine *c) {
    for (int i = 0; i < c->count; i++)
        mem_free(c->word[i]);
}

/* Adds the words of "name=value name=value" as options. */
static void add_list(CommandLine *c, const char *list) {
    char word[256];
    for (Words w = words_of(list); words_next(&w);)
        if (words_copy(&w, word, sizeof word))
            add(c, "--", word);
        else
            c->failed = true;
}

static int run_words(CommandLine *c, const char *name, int (*command)(int, char **)) {
    int result =
        c->failed
            ? exit_code(err_set(ERR_USAGE, "--settings: too many or too long options"), "reproduce")
            : run_command(name, command, c->count, c->word);
    free_words(c);
    return result;
}

static int train(const Reproduction *r, int row, int64_t seed, const char *folder,
                 const char *extra) {
    char checkpoint[4400], number[24];
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", folder);
    snprintf(number, sizeof number, "%lld", (long long)seed);
    CommandLine c = {0};
    add(&c, "", r->data);
    add(&c, "--output=", folder);
    if (file_exists(checkpoint)) {
        add(&c, "--resume", "");
    } else {
        add(&c, "--preset=", r->set);
        add(&c, "--recipe=", reproduce_row(r, row)->recipe);
        if (r->init)
            add(&c, "--init=", r->init);
        else
            add(&c, "--size=", r->size);
        add(&c, "--seed=", number);
    }
    add_list(&c, r->settings); /* not all of them are in a checkpoint */
    add_list(&c, recipe_find(reproduce_row(r, row)->recipe)->options);
    add_list(&c, reproduce_row(r, row)->options);
    add_list(&c, extra);
    return run_words(&c, "train", cmd_train);
}

/* Sets *kept if the training kept the weights of epochs. */
static int find_kept(bool *kept, const char *folder) {
    Listing files;
    int code = listing_open(&files, folder, LIST_FILES);
    if (code)
        return code;
    for (int64_t i = 0; i < files.count; i++)
        *kept = *kept || strncmp(file_name(files.item[i].path), "epoch-", 6) == 0;
    listing_free(&files);
    return 0;
}

static int evaluate(const Reproduction *r, const char *folder) {
    char to[4400], compute[512];
    bool kept = false;
    int code = find_kept(&kept, folder);
    if (code)
        return exit_code(code, "reproduce");
    snprintf(to, sizeof to, "%s/eval", folder);
    CommandLine c = {0};
    add(&c, "", folder);
    add(&c, "", r->data);
    add(&c, "--output=", to);
    if (kept)
        add(&c, "--checkpoints", "");
    add_list(&c, reproduce_compute(compute, sizeof compute, r));
    return run_words(&c, "eval", cmd_eval);
}

/* Trains and evaluates a run, as far as it is not done yet. Returns an exit code. */
static int do_run(Reproduction *r, int row, int seed) {
    char folder[4200];
    reproduce_folder(folder, sizeof folder, r, row, seed);
    int code = reproduce_read_run(&r->run[row][seed], r, folder);
    if (code)
        return exit_code(code, "reproduce");
    ReproduceRun *run = &r->run[row][seed];
    if (run->done)
        return EXIT_OK;
    char checkpoint[4400];
    model_path(checkpoint, sizeof checkpoint, folder);
    int result = run->trained && file_exists(checkpoint)
                     ? EXIT_OK
                     : train(r, row, r->seeds[seed], folder, "");
    if (result == EXIT_OK)
        result = evaluate(r, folder);
    if (result != EXIT_OK)
        return result;
    code = reproduce_read_run(run, r, folder);
    if (!code && !run->done)
        code = err_set(ERR_FAIL,
                       "%s/eval/results.json has no figures by the ground truth %s (hash %s); move "
                       "files of other labels out of %s",
                       folder, r->labels, r->labels_hash, r->data);
    return exit_code(code, "reproduce");
}

/* Runs the first seed of every row before any second seed, so an early report covers all rows. */
static int do_runs(Reproduction *r) {
    for (int seed = 0; seed < r->seed_count; seed++)
        for (int row = 0; row < r->row_count; row++) {
            log_info("\nrun %d of %d: %s, seed %lld", seed * r->row_count + row + 1,
                     r->seed_count * r->row_count, reproduce_row(r, row)->name,
                     (long long)r->seeds[seed]);
            int result = do_run(r, row, seed);
            if (result == EXIT_OK)
                result = exit_code(reproduce_write(r, false), "reproduce");
            if (result != EXIT_OK)
                return result;
        }
    return EXIT_OK;
}

/* ---- time: short trainings, the rows in turns, so that other load on the machine affects all. */

enum { ROUNDS = 3 };

/* Keeps the best round: other load on the machine can only add time. */
static int time_once(Reproduction *r, int row, int round, int64_t steps) {
    char folder[4200], path[4400], extra[64];
    snprintf(extra, sizeof extra, "steps=%lld", (long long)steps);
    snprintf(folder, sizeof folder, "%s/time/%s-%d", r->output, reproduce_row(r, row)->name, round);
    snprintf(path, sizeof path, "%s/log.jsonl", folder);
    ReproduceTime t;
    if (!file_exists(path) || reproduce_read_time(&t, path, steps)) {
        int result = train(r, row, r->seeds[0], folder, extra);
        if (result != EXIT_OK)
            return result;
        int code = reproduce_read_time(&t, path, 0); /* all epochs may have fewer steps */
        if (code)
            return exit_code(code, "reproduce");
    }
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    unlink(path); /* the checkpoint is a gigabyte that nobody asked for */
    ReproduceTime *best = &r->time[row];
    if (best->step_seconds == 0 || t.step_seconds < best->step_seconds)
        *best = t;
    return EXIT_OK;
}

static int measure_time(Reproduction *r, int64_t steps) {
    for (int round = 0; round < ROUNDS && steps > 0; round++)
        for (int row = 0; row < r->row_count; row++) {
            int result = time_once(r, row, round, steps);
            if (result != EXIT_OK)
                return result;
        }
    return EXIT_OK;
}

static void offer_truth(void *ctx, const char *path, const Labels *l, const char *error) {
    (void)path, (void)error; /* the evaluation says what it leaves out */
    if (l)
        reproduce_offer_truth(ctx, l->variant, l->hash);
}

/* Checks that there are training clips and a ground truth. The first evaluation is hours away. */
static int check_truth(Reproduction *r) {
    const char *path = r->data;
    Dataset *data = NULL;
    Labels *labels = NULL;
    int code = dataset_open(&data, path);
    if (!code && (data->train.count == 0 || data->test.count == 0))
        code = err_set(ERR_FAIL, "%s has no %s clips", path,
                       data->train.count == 0 ? "training" : "test");
    if (!code)
        code = labels_open(&labels, data, NULL);
    if (!code)
        labels_each(data, offer_truth, r);
    labels_free(&labels);
    dataset_free(&data);
    return code;
}

/* Writes the usage text and the rows that the command knows. */
static void tell_usage(char *buf, size_t n) {
    size_t used = (size_t)snprintf(buf, n, "%s\nRows:\n", usage);
    for (const ReproduceRow *row = reproduce_rows; row->name && used < n; row++)
        used += (size_t)snprintf(buf + used, n - used, "  %-26s %s\n", row->name, row->about);
}

int cmd_reproduce(int argc, char **argv) {
    char text[4096];
    ReproduceArgs args = {0};
    const OptGroup groups[] = {{"Reproduction", reproduce_options, &args}, {NULL, NULL, NULL}};
    tell_usage(text, sizeof text);
    if (help_asked(argc, argv, text, groups))
        return EXIT_OK;
    const char *positional[2];
    Reproduction *r = mem_alloc(1, sizeof *r);
    int n = 0, code = r ? opt_defaults(groups) : ERR_FAIL;
    if (!code)
        code = opt_parse(groups, argc, argv, positional, 2, &n);
    if (!code && n < 2)
        code = err_set(ERR_USAGE, "expected a data set's name and DATA, found %d argument%s", n,
                       n == 1 ? "" : "s");
    if (!code)
        code = fill(r, &args, positional);
    if (!code)
        code = check_truth(r);
    if (!code)
        code = file_make_folder(r->output);
    if (!code)
        code = reproduce_claim(r);
    int result = exit_code(code, "reproduce");
    if (result == EXIT_OK)
        result = measure_time(r, args.time_steps);
    if (result == EXIT_OK)
        result = do_runs(r);
    if (result == EXIT_OK)
        result = exit_code(reproduce_write(r, true), "reproduce");
    if (result == EXIT_OK)
        log_info("\nreport    %s/report.html", r->output);
    else if (result == EXIT_STOPPED)
        log_info("the same command goes on from here");
    mem_free(r);
    opt_free(groups);
    return result;
}
