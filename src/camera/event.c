#include "camera/event.h"

#include <math.h>

void events_open(Events *e, const EventRule *rule) {
    *e = (Events){.rule = *rule, .steady = steady_start(), .last = NAN};
    sustained_open(&e->sustained, rule->hold);
}

void events_free(Events *e) {
    sustained_free(&e->sustained);
}

static void begin(Events *e, double seconds) {
    e->open = true;
    e->event = (Event){.begin = seconds - e->rule.hold, .end = seconds, .alarm = seconds};
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
    return seconds - v->end < e->rule.cool_down;
}

int events_add(Events *e, double surprise, double seconds, EventChange *change) {
    *change = EVENT_NONE;
    e->last = seconds;
    double steady = steady_add(&e->steady, surprise, seconds);
    int code = isnan(steady) ? 0 : sustained_add(&e->sustained, steady, seconds, &e->value);
    if (code || isnan(steady))
        return code;
    bool begins = !e->open && e->value > e->rule.level;
    if (begins)
        begin(e, seconds);
    if (e->open)
        *change = lasts(e, steady, seconds) ? begins ? EVENT_BEGINS : EVENT_LASTS : EVENT_ENDS;
    e->open = e->open && *change != EVENT_ENDS;
    return 0;
}

bool events_gap(Events *e) {
    bool ends = e->open;
    e->open = false;
    e->steady = steady_start();
    e->value = 0;
    sustained_reset(&e->sustained);
    return ends;
}
