/* The subcommands. argv begins after the command's name. The result is the exit code. */
#ifndef APP_CMD_H
#define APP_CMD_H

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_ANOMALY = 3, EXIT_STOPPED = 130 };

int cmd_data(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_pretrain(int argc, char **argv);
int cmd_quantize(int argc, char **argv);
int cmd_reproduce(int argc, char **argv);
int cmd_score(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_weights(int argc, char **argv);

#endif
