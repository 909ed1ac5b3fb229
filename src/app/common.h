/* Shared by the commands: help, output on stdout, exit codes, running another command. */
#ifndef APP_COMMON_H
#define APP_COMMON_H

#include <stdbool.h>

#include "base/opt.h"
#include "compute/compute_options.h"

/* Says on stderr which backend runs. */
void compute_tell(const Backend *be);

/* True where the command line asks for help. */
bool help_wanted(int argc, char **argv);

/* Prints `usage` and the option rows with the values that the groups' objects hold. */
void help_print(const char *usage, const OptGroup *groups);

/* If the command line asks for help, prints it with the options' defaults and returns true; the
 * command then ends with exit code 0. The objects must be zeroed; they own nothing afterwards. */
bool help_asked(int argc, char **argv, const char *usage, const OptGroup *groups);

/* ERR_USAGE if the arguments MODEL and INPUT of a command are in the other order. Opens neither. */
int check_order(const char *command, const char *model, const char *input);

/* Prints JSON, indented, on stdout. */
int json_print(const Json *j);

/* Shows a command line and runs it as if the user had typed it. Returns its exit code. */
int run_command(const char *name, int (*command)(int, char **), int argc, char **argv);

/* Flushes stdout. ERR_FAIL if any printed text could not be written. */
int stdout_flush(void);

/* Flushes stdout and returns `result`, the command's exit code. If the output could not be written,
 * prints a message and returns EXIT_FAILED. */
int exit_printed(int result);

/* Turns an error code into an exit code and prints this thread's error message; a usage error adds
 * "see normalcy NAME --help". For code 0 returns exit_printed(EXIT_OK). */
int exit_code(int code, const char *command);

#endif
