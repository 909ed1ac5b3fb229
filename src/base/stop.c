#include "base/stop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"

static atomic_bool requested;

/* Seconds within which two signals count as one: timeout(1) sends one to the process and one to its
 * group. */
static const double TWICE = 0.5;

/* A thread, not a signal handler: it may call any function, and it interrupts no other thread. */
static void *wait_for_signals(void *set) {
    int number = 0;
    double first = 0;
    while (sigwait(set, &number) == 0) {
        if (!requested)
            first = clock_seconds();
        else if (clock_seconds() - first > TWICE) { /* the second signal has its default effect */
            pthread_sigmask(SIG_UNBLOCK, set, NULL);
            raise(number);
        }
        requested = true;
    }
    return NULL;
}

int stop_install(void) {
    static sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL); /* every later thread inherits it */
    if (!error)
        error = pthread_create(&thread, NULL, wait_for_signals, &set);
    if (!error)
        pthread_detach(thread);
    return error ? -1 : 0;
}

bool stop_requested(void) {
    return requested;
}
