/* From frames to events (method J.2). A function of the frames since the source began, so a live
 * camera and a recording of it give the same events to the bit. */
#ifndef CAMERA_EVENT_H
#define CAMERA_EVENT_H

#include "camera/sustained.h"
#include "score/steady.h"

typedef struct {
    double level;     /* an event begins when the surprise stays above it */
    double hold;      /* for so many seconds */
    double cool_down; /* it ends when the surprise was below half the level for so many seconds */
} EventRule;

typedef struct {
    double begin, end; /* seconds: since when it stays above the level; the last above half of it */
    double alarm;      /* seconds of the frame that raised the alarm */
    double peak, peak_at; /* greatest sustained surprise, and its seconds */
    double surprise;      /* greatest steady surprise */
} Event;

typedef enum { EVENT_NONE, EVENT_BEGINS, EVENT_LASTS, EVENT_ENDS } EventChange;

typedef struct {
    EventRule rule;
    Steady steady;
    Sustained sustained;
    bool open;
    Event event;   /* the present one, or the one that ended last */
    double value;  /* sustained surprise of the last frame */
    double last;   /* seconds of the last frame; NaN: there was none */
    double judged; /* seconds of the last one with a surprise; NaN: there was none */
    double above;  /* since when the steady surprise is above the level; NaN: it is not */
} Events;

void events_open(Events *e, const EventRule *rule);
void events_free(Events *e); /* accepts a zeroed one */

/* Adds a frame's surprise and its seconds, which do not run back; where frames have no time (NaN),
 * each counts as a tenth of a second. A frame without a surprise (NaN) is not looked at: an
 * interval leaves many out. A stretch of them that is longer than the cool-down is a gap. *change
 * says what the frame does to e->event. ERR_FAIL if memory is out. */
int events_add(Events *e, double surprise, double seconds, EventChange *change);

/* The source ends, or frames of it were lost or could not be judged: what was sustained is
 * forgotten, and an open event ends. Returns whether there was one. */
bool events_gap(Events *e);

#endif
