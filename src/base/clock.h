/* A clock for measuring how long something took. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds of the monotonic clock. Only differences have a meaning: the zero is arbitrary. Any
 * thread, and signal handlers. */
double clock_seconds(void);

#endif
