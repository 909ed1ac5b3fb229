/* SIGINT and SIGTERM become a flag that long loops ask; a second signal, half a second or more
 * after the first, ends the process at once. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

/* Blocks both signals in this thread and all it will start, and starts the one that takes them.
 * Main thread, once, before any thread starts. No other code may install a signal handler. Returns
 * -1 where no thread can be had. */
int stop_install(void);

/* True after the first signal. Any thread. */
bool stop_requested(void);

#endif
