/* How long something took. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds of the monotonic clock: their differences count, not what they begin at. Any thread, and
 * a signal's handler. */
double clock_seconds(void);

#endif
