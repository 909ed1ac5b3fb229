/* normalcy: learns what normal looks like from footage of a fixed camera, and tells when and where
 * something is not. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "base/log.h"
#include "base/stop.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"train", cmd_train, "learn normal footage: normalcy train DATA -o run/"},
    {"pretrain", cmd_pretrain, "learn to see from footage alone: normalcy pretrain DATA -o run/"},
    {"eval", cmd_eval, "AUROC against labels: normalcy eval run/ DATA"},
    {"score", cmd_score,
     "score a file, folder or stream, frame by frame: normalcy score run/ INPUT"},
    {"quantize", cmd_quantize, "a model for int8: normalcy quantize run/ -o FILE"},
    {"reproduce", cmd_reproduce, "the paper's tables: normalcy reproduce ped2 DATA -o out/"},
    {"demo", cmd_demo, "the whole way on a generated scene, with a report"},
    {"data", cmd_data, "check a data set, or plant anomalies in footage: normalcy data check DATA"},
    {"weights", cmd_weights, "weights from elsewhere: normalcy weights import FILE -o OUT"},
    {"info", cmd_info, "what is in a model file: normalcy info run/"},
    {"doctor", cmd_doctor, "libraries, processor, memory, speed"},
};

static void usage(FILE *out) {
    fputs("normalcy " NORMALCY_VERSION " - video anomaly detection from normal footage of a fixed "
          "camera\n\nusage: normalcy COMMAND [ARGUMENTS] [OPTIONS]\n\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs(
        "\n'normalcy COMMAND --help' lists a command's options.\n"
        "Exit codes: 0 done, 1 failure, 2 usage, 3 anomalies found (score --fail-on), 130 stopped "
        "by a signal.\n",
        out);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        puts("normalcy " NORMALCY_VERSION);
        return EXIT_OK;
    }
    if (stop_install()) {
        log_error("cannot start a thread");
        return EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is a write error, told like others */
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    log_error("unknown command \"%s\"; normalcy --help lists all", name);
    return EXIT_USAGE;
}
