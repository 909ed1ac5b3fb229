#include "video/scene_paint.h"

#include <math.h>
#include <string.h>

typedef struct {
    float x, y;
} Point;

static Paint shade(Paint p, float f) {
    return (Paint){(uint8_t)fminf(p.b * f, 255), (uint8_t)fminf(p.g * f, 255),
                   (uint8_t)fminf(p.r * f, 255)};
}

static void tint(Easel *e, int x, int y, float cover, Paint p) {
    uint8_t *q = e->bgr + 3 * ((size_t)y * (size_t)e->width + (size_t)x);
    q[0] = (uint8_t)(q[0] + cover * (p.b - q[0]) + 0.5f);
    q[1] = (uint8_t)(q[1] + cover * (p.g - q[1]) + 0.5f);
    q[2] = (uint8_t)(q[2] + cover * (p.r - q[2]) + 0.5f);
}

static void blend(Easel *e, int x, int y, float cover, Paint p) {
    tint(e, x, y, cover, p);
    if (e->mask) {
        uint8_t *m = e->mask + (size_t)y * (size_t)e->width + x;
        *m = (uint8_t)(*m + cover * ((e->anomaly ? 255 : 0) - *m) + 0.5f);
    }
}

static float scale_x(const Easel *e) {
    return (float)e->width / SCENE_WIDTH;
}

static float scale_y(const Easel *e) {
    return (float)e->height / SCENE_HEIGHT;
}

/* The pixels whose centres lie in [from, to], clipped to [0, n). */
static void pixel_range(float from, float to, float scale, int n, int *first, int *end) {
    *first = (int)fminf(fmaxf(floorf(from * scale), 0), (float)n);
    *end = (int)fminf(fmaxf(ceilf(to * scale), 0), (float)n);
}

/* The share of pixel i that lies in [from, to] (pixel units). */
static float share(int i, float from, float to) {
    return fmaxf(0, fminf((float)i + 1, to) - fmaxf((float)i, from));
}

static void box(Easel *e, float x0, float y0, float x1, float y1, float opacity, Paint p) {
    float sx = scale_x(e), sy = scale_y(e);
    int xa, xb, ya, yb;
    pixel_range(x0, x1, sx, e->width, &xa, &xb);
    pixel_range(y0, y1, sy, e->height, &ya, &yb);
    for (int y = ya; y < yb; y++) {
        float rows = opacity * share(y, y0 * sy, y1 * sy);
        for (int x = xa; x < xb; x++)
            blend(e, x, y, rows * share(x, x0 * sx, x1 * sx), p);
    }
}

/* A line with round ends, of thickness 2 r0 at a and 2 r1 at b: limbs, bodies, heads (a == b). With
 * stripes, bands across the body replace the paint p. */
static void limb(Easel *e, Point a, Point b, float r0, float r1, bool striped, Paint p) {
    float sx = scale_x(e), sy = scale_y(e), sharp = sqrtf(sx * sy);
    float r = fmaxf(r0, r1) + 1;
    int xa, xb, ya, yb;
    pixel_range(fminf(a.x, b.x) - r, fmaxf(a.x, b.x) + r, sx, e->width, &xa, &xb);
    pixel_range(fminf(a.y, b.y) - r, fmaxf(a.y, b.y) + r, sy, e->height, &ya, &yb);
    float dx = b.x - a.x, dy = b.y - a.y;
    float inverse = 1 / fmaxf(dx * dx + dy * dy, 1e-6f);
    for (int y = ya; y < yb; y++) {
        float py = ((float)y + 0.5f) / sy - a.y;
        for (int x = xa; x < xb; x++) {
            float px = ((float)x + 0.5f) / sx - a.x;
            float t = fminf(fmaxf((px * dx + py * dy) * inverse, 0), 1);
            float qx = px - t * dx, qy = py - t * dy;
            float outside = sqrtf(qx * qx + qy * qy) - (r0 + t * (r1 - r0));
            float cover = fminf(0.5f - outside * sharp, 1);
            if (cover <= 0)
                continue;
            Paint c = p;
            if (striped)
                c = fmodf((py + a.y) / 2.6f + 100, 2) < 1 ? (Paint){235, 20, 235}
                                                          : (Paint){40, 255, 90};
            blend(e, x, y, cover, c);
        }
    }
}

static void ring(Easel *e, Point c, float radius, float thickness, Paint p) {
    float sx = scale_x(e), sy = scale_y(e), sharp = sqrtf(sx * sy), r = radius + thickness + 1;
    int xa, xb, ya, yb;
    pixel_range(c.x - r, c.x + r, sx, e->width, &xa, &xb);
    pixel_range(c.y - r, c.y + r, sy, e->height, &ya, &yb);
    for (int y = ya; y < yb; y++)
        for (int x = xa; x < xb; x++) {
            float px = ((float)x + 0.5f) / sx - c.x, py = ((float)y + 0.5f) / sy - c.y;
            float outside = fabsf(sqrtf(px * px + py * py) - radius) - thickness / 2;
            float cover = fminf(0.5f - outside * sharp, 1);
            if (cover > 0)
                blend(e, x, y, cover, p);
        }
}

/* A soft dark ellipse. It hides nothing, so the mask stays unchanged. */
static void shadow(Easel *e, float cx, float cy, float rx, float ry) {
    float sx = scale_x(e), sy = scale_y(e);
    int xa, xb, ya, yb;
    pixel_range(cx - rx, cx + rx, sx, e->width, &xa, &xb);
    pixel_range(cy - ry, cy + ry, sy, e->height, &ya, &yb);
    for (int y = ya; y < yb; y++)
        for (int x = xa; x < xb; x++) {
            float px = (((float)x + 0.5f) / sx - cx) / rx, py = (((float)y + 0.5f) / sy - cy) / ry;
            float inside = 1 - px * px - py * py;
            if (inside > 0)
                tint(e, x, y, 0.42f * inside, (Paint){52, 46, 44});
        }
}

static void house(Easel *e) {
    const Paint wall = {128, 148, 164}, trim = {168, 184, 194}, dark = {74, 70, 62};
    box(e, 0, 0, 160, 31, 1, wall);
    box(e, 0, 28.5f, 160, 32, 1, shade(wall, 0.72f));
    box(e, 0, 0, 160, 2.2f, 1, shade(wall, 0.86f));
    box(e, 103.5f, 0, 104.5f, 31, 1, shade(wall, 0.8f)); /* where the next house begins */
    box(e, 104.5f, 2.2f, 160, 28.5f, 0.5f, (Paint){150, 142, 128});
    static const float windows[] = {7, 28, 76, 112, 141};
    for (int i = 0; i < 5; i++) {
        float x = windows[i];
        box(e, x - 1.2f, 5.8f, x + 13.2f, 20.2f, 1, trim);
        box(e, x, 7, x + 12, 19, 1, dark);
        box(e, x, 7, x + 12, 11, 0.35f, (Paint){200, 176, 150}); /* sky in the glass */
        box(e, x + 5.6f, 7, x + 6.4f, 19, 1, trim);
        box(e, x - 2, 20.2f, x + 14, 21.6f, 1, shade(trim, 0.8f));
    }
    box(e, 50.5f, 8.5f, 64.5f, 32, 1, trim);
    box(e, 52, 10, 63, 32, 1, (Paint){58, 66, 84});
    box(e, 53.5f, 12, 61.5f, 19, 1, (Paint){96, 92, 84});
    box(e, 47, 6.5f, 68, 9.5f, 1, (Paint){84, 96, 112});
}

static void pavement(Easel *e) {
    const Paint slab = {158, 166, 170}, joint = {128, 134, 138};
    box(e, 0, 32, 160, 56, 1, slab);
    box(e, 0, 32, 160, 36, 0.3f, joint); /* the wall's shadow */
    for (int i = 0; i < 3; i++) {
        float y = 38.0f + 6.5f * (float)i;
        box(e, 0, y, 160, y + 0.6f, 0.8f, joint);
        for (int k = 0; k < 15; k++) {
            float x = 11.0f * (float)k + (i % 2 ? 5.5f : 0) - 2;
            box(e, x, y, x + 0.6f, y + 6.5f, 0.7f, joint);
        }
    }
    box(e, 0, 55.2f, 160, 57, 1, (Paint){186, 192, 194});
    box(e, 0, 57, 160, 59, 1, (Paint){104, 108, 110});
}

/* Slabs in perspective: joints run towards a point high above the picture. */
static void plaza(Easel *e) {
    const Paint joint = {120, 140, 150};
    for (int i = 0; i < 8; i++) { /* a slow gradient from far to near */
        float y = 59.0f + 7.75f * (float)i, f = 0.94f + 0.012f * (float)i;
        box(e, 0, y, 160, 120, 1, shade((Paint){150, 172, 182}, f));
    }
    for (int i = 0; i < 5; i++) {
        float y = 64.5f + 7.2f * (float)i + 1.55f * (float)(i * i);
        box(e, 0, y, 160, y + 0.8f, 0.75f, joint);
    }
    for (int k = -9; k <= 9; k++) {
        float x = 80 + 14 * (float)k;
        /* piecewise, so that the box around each piece stays small */
        for (int i = 0; i < 4; i++) {
            float t0 = (float)i / 4, t1 = (float)(i + 1) / 4;
            float slope = 0.55f * (x - 80);
            limb(e, (Point){x + slope * t0, 59 + 61 * t0}, (Point){x + slope * t1, 59 + 61 * t1},
                 0.3f, 0.3f, false, joint);
        }
    }
}

void paint_street(Easel *e) {
    memset(e->bgr, 128,
           3 * (size_t)e->width * (size_t)e->height); /* removes a reused frame's picture */
    house(e);
    pavement(e);
    plaza(e);
}

void paint_lamp(Easel *e) {
    const Paint iron = {62, 60, 54};
    shadow(e, 131, LAMP_Y, 6, 1.6f);
    box(e, 126.2f, LAMP_Y - 3, 129.8f, LAMP_Y, 1, iron);
    limb(e, (Point){128, LAMP_Y - 2}, (Point){128, 13}, 0.9f, 0.6f, false, iron);
    limb(e, (Point){128, 13}, (Point){121, 11}, 0.55f, 0.55f, false, iron);
    limb(e, (Point){122, 12.4f}, (Point){118, 12.4f}, 1.3f, 1.3f, false, iron);
    box(e, 117.6f, 12.8f, 122.4f, 14.2f, 1, (Paint){190, 228, 238});
}

void paint_planter(Easel *e) {
    shadow(e, 22, PLANTER_Y, 13, 2.4f);
    static const float leaves[][3] = {{13, 60, 3.4f},    {17.5f, 57.5f, 4.0f}, {22, 58.8f, 3.9f},
                                      {26, 59.6f, 3.4f}, {16, 61.5f, 3.2f},    {24, 61.6f, 3.4f}};
    for (int i = 0; i < 6; i++) {
        Point c = {leaves[i][0], leaves[i][1]};
        limb(e, c, c, leaves[i][2], 0, false,
             shade((Paint){62, 104, 78}, 0.82f + 0.07f * (float)i));
    }
    box(e, 9.5f, 62.5f, 29.5f, PLANTER_Y, 1, (Paint){108, 122, 134});
    box(e, 8.8f, 62, 30.2f, 63.6f, 1, (Paint){136, 150, 160});
    box(e, 26.5f, 63.6f, 29.5f, PLANTER_Y, 0.35f, (Paint){60, 66, 74});
}

typedef struct {
    Paint top, bottom, hair;
} Outfit;

static const Outfit outfits[] = {
    {{92, 70, 52}, {58, 48, 44}, {36, 44, 58}},  /* navy, charcoal */
    {{66, 82, 62}, {74, 88, 104}, {30, 34, 40}}, /* olive, khaki */
    {{62, 58, 96}, {64, 54, 50}, {52, 70, 96}},  /* dull red, black */
    {{86, 84, 82}, {96, 66, 48}, {40, 40, 42}},  /* grey, jeans */
    {{48, 66, 88}, {56, 60, 66}, {34, 46, 70}},  /* brown, charcoal */
    {{104, 92, 66}, {60, 52, 46}, {60, 66, 72}}, /* teal grey, black */
};

/* Draws two segments from `root`. Angles are measured from straight down and are positive in the
 * walking direction. */
static void bent(Easel *e, const Figure *f, Point root, float angle0, float length0, float angle1,
                 float length1, float r0, float r1, Paint p) {
    float k = f->scale, d = (float)f->direction;
    Point joint = {root.x + d * k * length0 * sinf(angle0), root.y + k * length0 * cosf(angle0)};
    Point end = {joint.x + d * k * length1 * sinf(angle1), joint.y + k * length1 * cosf(angle1)};
    limb(e, root, joint, r0 * k, (r0 + r1) / 2 * k, f->striped, p);
    limb(e, joint, end, (r0 + r1) / 2 * k, r1 * k, f->striped, p);
}

static void leg(Easel *e, const Figure *f, Point hip, float phase, Paint p) {
    float thigh = f->swing * sinf(phase), bend = 1.5f * f->swing * fmaxf(0, cosf(phase));
    bent(e, f, hip, thigh, 6, thigh - bend, 6, 1.75f, 1.2f, p);
}

static void arm(Easel *e, const Figure *f, Point shoulder, float phase, Paint p) {
    float upper = 0.85f * f->swing * sinf(phase);
    bent(e, f, shoulder, upper, 4.4f, upper + 0.25f + f->swing, 4.2f, 1.1f, 0.9f, p);
}

static void head(Easel *e, const Figure *f, Point c, Paint hair) {
    float k = f->scale;
    Point face = {c.x + 0.5f * k * (float)f->direction, c.y + 0.6f * k};
    limb(e, c, c, 2.5f * k, 0, f->striped, hair);
    limb(e, face, face, 2.0f * k, 0, f->striped, (Paint){132, 162, 196});
}

void paint_person(Easel *e, const Figure *f) {
    const Outfit *o = &outfits[f->clothes % (int)(sizeof outfits / sizeof *outfits)];
    float k = f->scale, lean = (f->swing - 0.45f) * (float)f->direction;
    float bob = 0.5f * k * fabsf(cosf(f->phase));
    Point hip = {f->x, f->y - 11.7f * k - bob};
    Point shoulder = {hip.x + lean * 6 * k, hip.y - 7.6f * k};
    Point top = {shoulder.x + lean * 3 * k, shoulder.y - 4.6f * k};
    float back = f->phase + 3.14159265f;

    shadow(e, f->x + 3.5f * k, f->y, 7.5f * k, 1.9f * k);
    arm(e, f, shoulder, f->phase, shade(o->top, 0.7f));
    leg(e, f, hip, back, shade(o->bottom, 0.72f));
    leg(e, f, hip, f->phase, o->bottom);
    limb(e, hip, shoulder, 2.5f * k, 3.0f * k, f->striped, o->top);
    head(e, f, top, o->hair);
    arm(e, f, shoulder, back, shade(o->top, 1.18f));
}

void paint_cyclist(Easel *e, const Figure *f) {
    const Outfit *o = &outfits[f->clothes % (int)(sizeof outfits / sizeof *outfits)];
    const Paint tyre = {40, 38, 38}, tube = {70, 60, 150};
    float k = f->scale, d = (float)f->direction;
    Point rear = {f->x - d * 8 * k, f->y - 5.4f * k}, front = {f->x + d * 8 * k, f->y - 5.4f * k};
    Point crank = {f->x - d * 0.6f * k, f->y - 5.2f * k};
    Point seat = {f->x - d * 3.4f * k, f->y - 13.5f * k};
    Point bar = {f->x + d * 5.4f * k, f->y - 14.2f * k};
    Point shoulder = {f->x + d * 1.4f * k, f->y - 21.5f * k};
    Point top = {shoulder.x + d * 1.8f * k, shoulder.y - 4.4f * k};

    shadow(e, f->x + 3 * k, f->y, 15 * k, 1.9f * k);
    for (int side = 1; side >= 0; side--) { /* the far leg first, behind the bicycle */
        float angle = f->phase + 3.14159265f * (float)side;
        Point pedal = {crank.x + d * 2.4f * k * cosf(angle), crank.y + 2.4f * k * sinf(angle)};
        Point knee = {(seat.x + pedal.x) / 2 + d * 3.6f * k, (seat.y + pedal.y) / 2 - 1.2f * k};
        Paint cloth = shade(o->bottom, side ? 0.72f : 1);
        if (!side) {
            ring(e, rear, 4.9f * k, 1.0f * k, tyre);
            ring(e, front, 4.9f * k, 1.0f * k, tyre);
            limb(e, rear, crank, 0.5f * k, 0.5f * k, false, tube);
            limb(e, crank, bar, 0.6f * k, 0.6f * k, false, tube);
            limb(e, crank, seat, 0.6f * k, 0.6f * k, false, tube);
            limb(e, rear, seat, 0.5f * k, 0.5f * k, false, tube);
            limb(e, front, bar, 0.6f * k, 0.6f * k, false, tube);
        }
        limb(e, seat, knee, 1.7f * k, 1.4f * k, false, cloth);
        limb(e, knee, pedal, 1.4f * k, 1.0f * k, false, cloth);
    }
    limb(e, seat, shoulder, 2.4f * k, 2.9f * k, false, o->top);
    limb(e, shoulder, bar, 1.1f * k, 0.9f * k, false, shade(o->top, 1.18f));
    head(e, f, top, o->hair);
}

void paint_bag(Easel *e, float x, float y, float scale, float height) {
    const Paint leather = {24, 104, 236}, strap = {30, 34, 60};
    float k = scale, bottom = y - height;
    shadow(e, x + 2 * k, y, 8.5f * k, 2 * k);
    ring(e, (Point){x, bottom - 8 * k}, 2.4f * k, 0.9f * k, strap);
    box(e, x - 6.5f * k, bottom - 8.2f * k, x + 6.5f * k, bottom, 1, leather);
    box(e, x - 6.5f * k, bottom - 8.2f * k, x + 6.5f * k, bottom - 6.4f * k, 1,
        shade(leather, 0.7f));
    box(e, x - 3.9f * k, bottom - 8.2f * k, x - 2.5f * k, bottom, 1, strap);
    box(e, x + 2.5f * k, bottom - 8.2f * k, x + 3.9f * k, bottom, 1, strap);
}
