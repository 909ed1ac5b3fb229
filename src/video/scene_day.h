/* A camera that lives for days on the generated street: light over the day and infra-red at night,
 * clouds, rain, cars' headlights, wind that shakes it and moves a branch, a painted clock, rush
 * hours; and on some days anomalies on a schedule, with exact truth. Every frame is a pure function
 * of (seed, time). Any thread. */
#ifndef VIDEO_SCENE_DAY_H
#define VIDEO_SCENE_DAY_H

#include "video/scene.h"

enum { DAY_SECONDS = 86400, DAY_EVENTS = 24 };

typedef struct {
    uint64_t seed;
    int width, height;
    int day;        /* days share the street and differ in walkers and weather */
    bool anomalies; /* whether the schedule of the day happens */
} SceneDay;

/* From when to when somebody behaves oddly; seconds of the day. It shows in parts of that time. */
typedef struct {
    double begin, end;
    SceneKind kind;
} DayEvent;

/* The schedule of a day, in order of time. */
void day_events(const SceneDay *day, DayEvent out[DAY_EVENTS]);

/* Draws the frame at `seconds` of the day, from 0. As scene_draw. */
int day_draw(const SceneDay *day, double seconds, Frame *f, uint8_t *mask);

#endif
