#include "app/common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/cmd.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shell_word.h"
#include "model/model_file.h"

void compute_tell(const Backend *be) {
    log_info("backend   %s: %s, %s, %d thread%s", be->name, be->description, backend_precision(be),
             be->threads, be->threads == 1 ? "" : "s");
}

bool help_wanted(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

void help_print(const char *usage, const OptGroup *groups) {
    fputs(usage, stdout);
    opt_print_help(groups);
}

bool help_asked(int argc, char **argv, const char *usage, const OptGroup *groups) {
    if (!help_wanted(argc, argv) || opt_defaults(groups))
        return false;
    help_print(usage, groups);
    opt_free(groups);
    return true;
}

static bool names_model(const char *word) {
    return model_is(word) || (strcmp(word, "persistence") == 0 && !file_exists(word));
}

int check_order(const char *command, const char *model, const char *input) {
    if (!input || names_model(model) || !names_model(input))
        return 0;
    return err_set(ERR_USAGE, "%s is a model and %s is none; MODEL comes first: normalcy %s %s %s",
                   input, model, command, input, model);
}

int json_print(const Json *j) {
    char *text = js_text(j, true);
    if (!text)
        return ERR_FAIL;
    puts(text);
    mem_free(text);
    return 0;
}

int stdout_flush(void) {
    bool failed = fflush(stdout) != 0;
    if (!failed && !ferror(stdout))
        return 0;
    if (!failed)
        errno = EIO; /* an earlier write failed; its errno is lost */
    return err_sys(ERR_FAIL, "cannot write to stdout");
}

int exit_printed(int result) {
    if (stdout_flush() == 0)
        return result;
    log_error("%s", err_text());
    return EXIT_FAILED;
}

int exit_code(int code, const char *command) {
    switch (code) {
    case 0:
        return exit_printed(EXIT_OK);
    case ERR_STOPPED:
        return EXIT_STOPPED;
    case ERR_USAGE:
        log_error("%s (see normalcy %s --help)", err_text(), command);
        return EXIT_USAGE;
    default:
        log_error("%s", err_text());
        return EXIT_FAILED;
    }
}

/* Returns the line with one more word, or NULL with the message set; frees the line. */
static char *add_word(char *line, const char *text) {
    char *word = shell_word(text), *longer = word ? mem_printf("%s %s", line, word) : NULL;
    mem_free(word);
    mem_free(line);
    return longer;
}

int run_command(const char *name, int (*command)(int, char **), int argc, char **argv) {
    char *line = mem_printf("normalcy %s", name);
    for (int i = 0; i < argc && line; i++)
        line = add_word(line, argv[i]);
    if (!line)
        return exit_code(ERR_FAIL, name);
    log_info("\n$ %s", line);
    mem_free(line);
    return command(argc, argv);
}
