/* Clocks: how long something took, and what time it is. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds of the monotonic clock. Only differences have a meaning: the zero is arbitrary. Any
 * thread, and signal handlers. */
double clock_seconds(void);

/* Seconds since 1970-01-01 00:00 UTC. It may be set back while the program runs. */
double clock_utc(void);

#endif
