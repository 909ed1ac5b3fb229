/* SIGINT and SIGTERM set a flag that long loops check. A second signal, half a second or more after
 * the first, ends the process at once. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

/* Blocks both signals in this thread and in all later ones, and starts a thread that receives them.
 * The main thread calls it once, before it starts other threads. No other code may install a signal
 * handler. Returns -1 where the thread cannot be started. */
int stop_install(void);

/* True after the first signal. Any thread. */
bool stop_requested(void);

#endif
