/* What the commands share: help, exit codes, subcommands. */
#ifndef APP_COMMON_H
#define APP_COMMON_H

#include <stdbool.h>

#include "base/opt.h"
#include "compute/compute_options.h"

/* Says on stderr what runs. */
void compute_tell(const Backend *be);

/* True where the command line asks for help. */
bool help_wanted(int argc, char **argv);

/* Prints `usage` and the rows with the values that the objects hold. */
void help_print(const char *usage, const OptGroup *groups);

/* Both, with the defaults; the objects must be zeroed and own nothing afterwards. Where true, exit
 * code 0. */
bool help_asked(int argc, char **argv, const char *usage, const OptGroup *groups);

/* Indented, on stdout. */
int json_print(const Json *j);

/* Shows and runs a subcommand, as a user would; its exit code. */
int run_command(const char *name, int (*command)(int, char **), int argc, char **argv);

/* ERR_FAIL where something that was printed on stdout could not be written. */
int stdout_flush(void);

/* The exit code `result` of a command that printed; EXIT_FAILED, with a message, where stdout did
 * not take it. */
int exit_printed(int result);

/* Prints this thread's error, with "see normalcy NAME --help" after a usage error; gives the exit
 * code that belongs to it; of 0 what exit_printed(EXIT_OK) gives. */
int exit_code(int code, const char *command);

#endif
