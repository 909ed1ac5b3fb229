/* SIGINT and SIGTERM become a flag that long loops ask; a second signal ends the process at once.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>

/* Installs the handlers; main thread, once, before any thread starts. */
void stop_install(void);

/* True after the first signal. Any thread. */
bool stop_requested(void);

#endif
