/* normalcy: learns from a fixed camera's footage what is normal, and tells when and where something
 * is not. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "app/common.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/near_word.h"
#include "base/secret.h"
#include "base/stop.h"
#include "video/url.h"

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* NULL: not in the list */
} Command;

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const Command commands[] = {
    {"train", cmd_train, "train a network on normal footage: normalcy train DATA -o run/"},
    {"pretrain", cmd_pretrain, "pre-train a network on footage: normalcy pretrain DATA -o run/"},
    {"eval", cmd_eval, "measure AUROC against labels: normalcy eval run/ DATA"},
    {"score", cmd_score,
     "score a file, folder or stream, frame by frame: normalcy score run/ INPUT"},
    {"quantize", cmd_quantize, "write a model for int8: normalcy quantize run/ -o FILE"},
    {"reproduce", cmd_reproduce,
     "compute the paper's tables on your data: normalcy reproduce ped2 DATA -o out/"},
    {"demo", cmd_demo, "generate a scene, train, evaluate and report"},
    {"data", cmd_data, "check a data set, or plant anomalies in footage: normalcy data check DATA"},
    {"weights", cmd_weights, "import published weights: normalcy weights import FILE -o OUT"},
    {"info", cmd_info, "show what a model file holds: normalcy info run/"},
    {"doctor", cmd_doctor, "show libraries, processor, memory and speed"},
    {"help", cmd_help, NULL},
    {"--help", cmd_help, NULL},
    {"-h", cmd_help, NULL},
    {"version", cmd_version, NULL},
    {"--version", cmd_version, NULL},
    {NULL, NULL, NULL},
};

static void usage(FILE *out) {
    fputs("normalcy " NORMALCY_VERSION " - video anomaly detection from normal footage of a fixed "
          "camera\n\nusage: normalcy COMMAND [ARGUMENTS] [OPTIONS]\n\n",
          out);
    for (const Command *c = commands; c->name; c++)
        if (c->summary)
            fprintf(out, "  %-9s %s\n", c->name, c->summary);
    fputs(
        "\n'normalcy COMMAND --help' and 'normalcy help COMMAND' list a command's options.\n"
        "'normalcy version' prints the version.\n"
        "Exit codes: 0 done, 1 failure, 2 usage, 3 anomalies found (score --fail-on), 130 stopped "
        "by a signal.\n",
        out);
}

static const Command *find(const char *name) {
    const Command *c = commands;
    while (c->name && strcmp(name, c->name) != 0)
        c++;
    return c->name ? c : NULL;
}

static int unknown(const char *name) {
    NearWord n = {.word = name};
    for (const Command *c = commands; c->name; c++)
        near_word(&n, c->name);
    if (n.nearest)
        log_error("unknown command \"%s\"; did you mean %s?", name, n.nearest);
    else
        log_error("unknown command \"%s\"; normalcy --help lists all", name);
    return EXIT_USAGE;
}

static int cmd_help(int argc, char **argv) {
    const Command *c = argc > 0 ? find(argv[0]) : NULL;
    if (argc > 0 && !c)
        return unknown(argv[0]);
    if (c && c->summary) {
        char *words[] = {"--help", NULL};
        return c->run(1, words);
    }
    usage(stdout);
    return EXIT_OK;
}

static int cmd_version(int argc, char **argv) {
    (void)argc, (void)argv;
    puts("normalcy " NORMALCY_VERSION);
    return EXIT_OK;
}

/* Of addresses with a password, also where they are no input: swapped, misspelt, behind "--". */
static void hide_secrets(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *shown = file_exists(argv[i]) ? NULL : url_shown(argv[i]);
        if (shown && strcmp(shown, argv[i]) != 0)
            secret_add(argv[i], shown);
        else
            mem_free(shown);
    }
}

int main(int argc, char **argv) {
    hide_secrets(argc, argv);
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const Command *c = find(argv[1]);
    if (!c)
        return unknown(argv[1]);
    if (stop_install()) {
        log_error("cannot start a thread");
        return EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is then an ordinary write error */
    int result = c->run(argc - 2, argv + 2);
    return result == EXIT_OK || result == EXIT_ANOMALY ? exit_printed(result) : result;
}
