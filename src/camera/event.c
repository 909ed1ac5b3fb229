#include "camera/event.h"

#include <math.h>

static const double STEP = 0.1; /* seconds of a frame without a time */

void events_open(Events *e, const EventRule *rule) {
    *e =
        (Events){.rule = *rule, .steady = steady_start(), .last = NAN, .judged = NAN, .above = NAN};
    sustained_open(&e->sustained, rule->hold);
}

void events_free(Events *e) {
    sustained_free(&e->sustained);
}

static void begin(Events *e, double seconds) {
    e->open = true;
    e->event = (Event){.begin = e->above, .end = seconds, .alarm = seconds};
}

/* Takes the frame into the open event. Does the event last? */
static bool lasts(Events *e, double steady, double seconds) {
    Event *v = &e->event;
    if (e->value > v->peak) {
        v->peak = e->value;
        v->peak_at = seconds;
    }
    v->surprise = fmax(v->surprise, steady);
    if (steady > e->rule.level / 2)
        v->end = seconds;
    return seconds - v->end <= e->rule.cool_down;
}

static int judge(Events *e, double steady, double seconds, EventChange *change) {
    int code = sustained_add(&e->sustained, steady, seconds, &e->value);
    if (code)
        return code;
    if (!(steady > e->rule.level))
        e->above = NAN;
    else if (isnan(e->above))
        e->above = seconds;
    bool begins = *change == EVENT_NONE && !e->open && e->value > e->rule.level;
    if (begins)
        begin(e, seconds);
    if (e->open)
        *change = lasts(e, steady, seconds) ? begins ? EVENT_BEGINS : EVENT_LASTS : EVENT_ENDS;
    e->open = e->open && *change != EVENT_ENDS;
    return 0;
}

int events_add(Events *e, double surprise, double seconds, EventChange *change) {
    double next = isnan(e->last) ? 0 : e->last + STEP;
    *change = EVENT_NONE;
    e->last = isfinite(seconds) ? seconds : next;
    if (isnan(surprise))
        return 0;
    if (e->last - e->judged > e->rule.cool_down && events_gap(e))
        *change = EVENT_ENDS; /* a new one may begin with the next frame */
    e->judged = e->last;
    return judge(e, steady_add(&e->steady, surprise, e->last), e->last, change);
}

bool events_gap(Events *e) {
    bool ends = e->open;
    e->open = false;
    e->steady = steady_start();
    e->value = 0;
    e->above = NAN;
    sustained_reset(&e->sustained);
    return ends;
}
